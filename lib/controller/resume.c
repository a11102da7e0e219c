/*
 * Going on with a run: its log is played to the new hub, and iterations that had not ended go on
 * where their last durable row left them: with their answer, or with their question.
 */

#include "controller/controller_internal.h"

#include <math.h>

#include "controller/replay.h"

static void joined(void *owner, const oe_program *program, bool initial, bool best)
{
	oe_controller *controller = owner;

	oe__rules_see(&controller->rules, program, initial);
	controller->seeded = true;
	if (initial && isnan(controller->numbers.initial_fitness))
		controller->numbers.initial_fitness = program->fitness;
	if (best)
		controller->numbers.best_iteration = program->iteration;
}

/* One that had not ended: with its answer if that is durable, else to be asked again. */
static int reopen(oe_controller *controller, const struct oe__replay *replay,
                  oe_iteration *iteration, oe_error *err)
{
	struct oe__flight *flight = NULL;
	OE__AUTO(answer) struct oe__answer answer = { 0 };

	int found = oe__answer_load(replay->database, iteration->number, iteration->attempt, &answer,
	                            err);
	if (found < 0)
		return found;
	int status = oe__flight_new(controller, oe_iteration_ref(iteration), NULL, &flight);
	if (status < 0) {
		oe_iteration_unref(iteration);
		return oe__error_nomem(err);
	}
	if (found == 0) {
		flight->place = OE__FLIGHT_PARKED;
		oe__queue_push(&controller->parked, flight);
		return 0;
	}
	flight->place = OE__FLIGHT_EDITING;
	status = oe__job_restore_answer(&flight->job, answer.text, answer.size, answer.model,
	                                answer.finish);
	if (status < 0)
		return oe__error_nomem(err);
	oe__job_edit(&flight->job);
	return 0;
}

int oe__controller_replay(oe_controller *controller, oe_error *err)
{
	OE__AUTO(replay) struct oe__replay replay = { .joined = joined, .owner = controller };
	struct oe__map_entry *entry;
	size_t cursor = 0;

	int status = oe__replay_begin(controller->directory->database, controller->config,
	                              controller->hub, &replay, err);
	if (status == 0)
		status = oe__replay_run(&replay, 0, err);
	while (status == 0 && (entry = oe__map_next(&replay.open, &cursor)) != NULL)
		status = reopen(controller, &replay, entry->value, err);
	controller->saved_at = oe_hub_ended(controller->hub);
	return status;
}
