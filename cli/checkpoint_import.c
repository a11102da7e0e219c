/*
 * A run that begins with the programs of a checkpoint and has not gone on yet. It is what `oe run
 * --checkpoint` makes before its first iteration, by the same calls.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "checkpoints.h"
#include "cli.h"
#include "evolve.h"
#include "files.h"
#include "handles.h"
#include "session.h"
#include "settings.h"
#include "terminal.h"
#include "text.h"

/* Nothing is evaluated: the programs bring their scores. */
static int never(void *self, const oe_evaluation_request *request, oe_evaluation *evaluation,
				 oe_error *err)
{
	(void)self, (void)request, (void)evaluation, (void)err;
	return OE_ERR_STATE;
}

static int make_nobody(struct session *session)
{
	oe_evaluator_vtable vtable = OE_EVALUATOR_VTABLE_INIT;
	oe_error err = { 0 };

	vtable.name = "none";
	vtable.evaluate = never;
	int status = oe_llm_mutate_new(&session->llm);
	if (status == 0)
		status = oe_evaluator_new(&vtable, NULL, &session->evaluator, &err);
	return status < 0 ? message_error(EXIT_FAILED, status, &err) : EXIT_DONE;
}

int checkpoints_check(const char *checkpoint)
{
	AUTO(population) oe_population *population = NULL;
	oe_error err = { 0 };

	int status = oe_population_load(checkpoint, &population, &err);
	if (status < 0)
		return message_error(status == OE_ERR_NOMEM ? EXIT_FAILED : EXIT_STORE, status, &err);
	if (oe_population_size(population, OE_ISLAND_ALL) > 0)
		return EXIT_DONE;
	const oe_error *problem = oe_population_problem(population);
	return problem ? message_fail(EXIT_STORE, "%s: the checkpoint has no programs that can be read: %s",
								  problem->where, problem->message)
				   : message_fail(EXIT_STORE, "%s: the checkpoint has no programs", checkpoint);
}

char *checkpoints_extension(const char *checkpoint)
{
	AUTO(names) struct names found = { 0 };

	(void)folder_list(checkpoint, "best_program.", &found); /* without it: the usual one */
	return must_copy(found.count > 0 ? path_extension(found.items[0]) : ".py");
}

/* What the run is told about itself comes first: with the programs there is a run, whatever happens. */
static int begin(struct session *session, const struct arguments *arguments,
				 const char *checkpoint)
{
	const char *evaluator = arguments_get(arguments, "evaluator");
	AUTO(string) char *extension = checkpoints_extension(checkpoint);
	AUTO(string) char *path = evaluator ? path_absolute(evaluator) : must_copy("");
	oe_error err = { 0 };

	int status = oe_controller_new(session->config, session->scheduler, session->llm,
								   session->evaluator, session->directory, &session->controller,
								   &err);
	if (status >= 0)
		status = oe_controller_has_run(session->controller, &err);
	if (status > 0)
		return message_fail(EXIT_STORE,
							"%s holds a run already: 'oe resume' goes on with it, -o DIR names another "
							"directory",
							session->directory);
	if (status >= 0)
		status = oe_controller_set_extension(session->controller, extension);
	if (status >= 0)
		status = oe_controller_set_property(session->controller, "evaluator", path);
	if (status >= 0)
		status = oe_controller_resume(session->controller, checkpoint, &err);
	return status < 0 ? message_error(EXIT_STORE, status, &err) : EXIT_DONE;
}

/* It stops before its first iteration: what is there is a run like any other that was stopped, though
   perhaps not all of the checkpoint. */
static int settle(struct session *session, bool *whole)
{
	const oe_event *event = NULL;
	oe_error err = { 0 };
	int got;

	oe_controller_stop(session->controller, OE_STOP_CANCEL);
	while ((got = oe_controller_step(session->controller, -1, &event, &err)) > 0) {
		if (event->type == OE_EVENT_DONE)
			return event->stop == OE_REASON_REQUESTED
					   ? EXIT_DONE
					   : message_fail(EXIT_STORE, "%s", event->text ? event->text : "it stopped");
		if (event->type != OE_EVENT_LOG || event->level > 0)
			continue;
		(void)message_fail(EXIT_STORE, "%s", event->text);
		*whole = false;
	}
	return message_error(EXIT_STORE, got, &err);
}

static int import(struct session *session, const struct arguments *arguments,
				  const char *checkpoint, bool *whole)
{
	int status = settings_read(arguments, NULL, &session->config);

	if (status)
		return status;
	settings_warn(session->config);
	oe_error err = { 0 };
	int made = oe_scheduler_new(0, &session->scheduler, &err);
	if (made < 0)
		return message_error(EXIT_FAILED, made, &err);
	status = make_nobody(session);
	if (status == EXIT_DONE)
		status = checkpoints_check(checkpoint);
	if (status == EXIT_DONE && folder_make(session->directory) < 0)
		status = message_fail(EXIT_STORE, "%s: %s", session->directory, strerror(errno));
	if (status == EXIT_DONE)
		status = begin(session, arguments, checkpoint);
	return status == EXIT_DONE ? settle(session, whole) : status;
}

int checkpoints_import(const struct arguments *arguments)
{
	const char *checkpoint = arguments_operand(arguments, 1);
	const char *output = arguments_get(arguments, "output");
	const char *evaluator = arguments_get(arguments, "evaluator");
	struct session session = { 0 };
	bool whole = true;

	if (!checkpoint)
		return arguments_misuse(arguments->command, "which checkpoint?");
	if (evaluator && !file_exists(evaluator))
		return message_fail(EXIT_EVALUATOR, "evaluator: %s: %s", evaluator, strerror(errno));
	session.directory = must_copy(output ? output : "openevolve_output");
	int status = file_exists(checkpoint)
					 ? import(&session, arguments, checkpoint, &whole)
					 : message_fail(EXIT_FAILED, "%s: %s", checkpoint, strerror(errno));
	if (status == EXIT_DONE)
		terminal_print_line(session.directory);
	session_done(&session);
	return status == EXIT_DONE && !whole ? EXIT_STORE : status;
}
