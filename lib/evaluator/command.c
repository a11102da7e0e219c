/* Executables as evaluators: what is the same for all evaluations, and their sandbox. */

#include "evaluator/command.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "evaluator/command_internal.h"
#include "evaluator/evaluator.h"

static void sandbox_ready(void *owner, int fd, int events)
{
	struct oe__command_evaluator *command = owner;

	(void)fd;
	(void)events;
	if (oe__sandbox_dispatch(command->sandbox))
		return;
	/* The spawner is gone, and said so for each tree: a new one for the next evaluation. */
	oe__watch_close(OE__STEAL(command->sandbox_watch));
	oe__sandbox_free(OE__STEAL(command->sandbox));
}

static int start_sandbox(struct oe__command_evaluator *command, oe_error *err)
{
	const oe_sandbox_policy *policy = command->confines ? &command->policy.policy : NULL;
	return oe__sandbox_new(command->temporary, policy, &command->sandbox, err);
}

int oe__command_evaluator_need_sandbox(struct oe__command_evaluator *command, oe_error *err)
{
	int status = command->sandbox ? 0 : start_sandbox(command, err);

	if (status == 0 && !command->sandbox_watch &&
	    oe__watch_open(command->reactor, oe__sandbox_fd(command->sandbox), OE__READABLE,
	                   sandbox_ready, command, &command->sandbox_watch) < 0) {
		oe__sandbox_free(OE__STEAL(command->sandbox));
		status = oe__error_nomem(err);
	}
	return status;
}

/* ---- life ---- */

static void release(struct oe__teardown *teardown)
{
	struct oe__command_evaluator *command =
		OE__CONTAINER(teardown, struct oe__command_evaluator, teardown);

	for (size_t i = 0; i < command->variable_count; i++)
		oe__free(command->variables[i]);
	oe__free(command->variables);
	oe_scheduler_unref(command->scheduler);
	for (size_t i = 0; i < command->argument_count; i++)
		oe__free(command->arguments[i]);
	oe__free(command->arguments);
	oe__free(command->directory);
	oe__free(command->suffix);
	oe__free(command->temporary);
	oe__free(command->report);
	oe__policy_done(&command->policy);
	oe__free(command);
}

static void close_sandbox(struct oe__teardown *teardown)
{
	struct oe__command_evaluator *command =
		OE__CONTAINER(teardown, struct oe__command_evaluator, teardown);

	oe__watch_close(command->sandbox_watch);
	oe__sandbox_free(command->sandbox);
}

static void command_free(void *self)
{
	struct oe__command_evaluator *command = self;

	command->teardown.close = close_sandbox;
	command->teardown.release = release;
	oe__teardown_begin(&command->teardown, command->reactor);
}

static int copy_variables(struct oe__command_evaluator *command, const char *const *variables,
                          bool confined)
{
	size_t count = 0;

	while (variables[count])
		count++;
	command->variables = oe__calloc(count + OE__COMMAND_OWN + 1, sizeof(*command->variables));
	if (!command->variables)
		return OE_ERR_NOMEM;
	for (size_t i = 0; i < count; i++) {
		if (strncmp(variables[i], "TMPDIR=", strlen("TMPDIR=")) == 0 ||
		    (confined && strncmp(variables[i], "HOME=", strlen("HOME=")) == 0))
			continue; /* each evaluation has its own */
		char *copy = oe__strdup(variables[i]);
		if (!copy)
			return OE_ERR_NOMEM;
		command->variables[command->variable_count++] = copy;
	}
	return 0;
}

static const char *command_confinement(void *self)
{
	const struct oe__command_evaluator *command = self;
	return command->report;
}

/* At once, so that what is required and cannot be had is known before anything runs. */
static int confine(struct oe__command_evaluator *command, struct oe__policy *policy, oe_error *err)
{
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);

	command->confines = true;
	command->policy = *policy;
	*policy = (struct oe__policy){ 0 };
	int status = start_sandbox(command, err);
	if (status < 0)
		return status;
	struct oe__sandbox_report *report = oe__sandbox_report(command->sandbox);
	report->isolation = "shared";
	if (command->policy.remark.size > 0)
		oe__sandbox_report_add_reason(report, OE_GUARANTEE_FS_READ, "%s",
		                              oe__buffer_string(&command->policy.remark));
	if (oe__sandbox_report_write(report, &text) < 0)
		return oe__error_nomem(err);
	command->report = oe__buffer_steal(&text, NULL);
	return command->report ? 0 : oe__error_nomem(err);
}

static int copy_arguments(struct oe__command_evaluator *command, const char *const *arguments)
{
	size_t count = 0;

	while (arguments[count])
		count++;
	command->arguments = oe__calloc(count + 2, sizeof(*command->arguments));
	if (!command->arguments)
		return OE_ERR_NOMEM;
	for (; command->argument_count < count; command->argument_count++) {
		char *copy = oe__strdup(arguments[command->argument_count]);
		if (!copy)
			return OE_ERR_NOMEM;
		command->arguments[command->argument_count] = copy;
	}
	return 0;
}

int oe__command_evaluator_new(const struct oe__command_evaluator_options *options,
                              oe_scheduler *scheduler, oe_evaluator **out, oe_error *err)
{
	static const oe_evaluator_vtable vtable = {
		.struct_size = sizeof(oe_evaluator_vtable),
		.name = "command",
		.start = oe__command_evaluate,
		.cancel = oe__command_evaluator_cancel,
		.free = command_free,
		.confinement = command_confinement,
	};
	struct oe__command_evaluator *command = oe__calloc(1, sizeof(*command));

	if (!command)
		return oe__error_nomem(err);
	command->scheduler = oe_scheduler_ref(scheduler);
	command->reactor = oe__scheduler_reactor(scheduler);
	command->output_max = options->output_max;
	command->limits = options->limits;
	command->directory = oe__strdup(options->directory);
	command->suffix = oe__strdup(options->suffix);
	command->temporary = oe__strdup(options->temporary);
	int status = OE_ERR_NOMEM;
	if (command->directory && command->suffix && command->temporary)
		status = copy_arguments(command, options->arguments);
	if (status == 0)
		status = copy_variables(command, options->variables,
		                        options->policy &&
		                            options->policy->policy.mode != OE_SANDBOX_NONE);
	if (status == 0 && options->policy)
		status = confine(command, options->policy, err);
	if (status == 0)
		status = oe_evaluator_new(&vtable, command, out, err);
	if (status < 0) {
		oe__sandbox_free(command->sandbox);
		release(&command->teardown);
		return status == OE_ERR_NOMEM ? oe__error_nomem(err) : status;
	}
	oe__evaluator_set_keeps_deadlines(*out, true);
	return 0;
}
