/* Programs that answer: what is the same for all questions, and the sandbox that they run under. */

#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/which.h"
#include "config/config.h"
#include "llm/command_internal.h"
#include "llm/llm.h"

#define PATH_DEFAULT "/usr/local/bin:/usr/bin:/bin"

static void sandbox_ready(void *owner, int fd, int events)
{
	struct oe__command *command = owner;
	(void)fd, (void)events;

	if (oe__sandbox_dispatch(command->sandbox))
		return;
	/* The spawner is gone, and said so for each tree: a new one for the next question. */
	oe__watch_close(OE__STEAL(command->sandbox_watch));
	oe__sandbox_free(OE__STEAL(command->sandbox));
}

int oe__command_need_sandbox(struct oe__command *command, oe_error *err)
{
	if (command->sandbox)
		return 0;
	int status = oe__sandbox_new(command->temporary, NULL, &command->sandbox, err);
	if (status == 0 &&
		oe__watch_open(command->reactor, oe__sandbox_fd(command->sandbox), OE__READABLE,
					   sandbox_ready, command, &command->sandbox_watch) < 0) {
		oe__sandbox_free(OE__STEAL(command->sandbox));
		status = oe__error_nomem(err);
	}
	return status;
}

/* ---- life ---- */

static void free_list(char **list, size_t count)
{
	for (size_t i = 0; list && i < count; i++)
		oe__free(list[i]);
	oe__free(list);
}

static void command_release(struct oe__teardown *teardown)
{
	struct oe__command *command = OE__CONTAINER(teardown, struct oe__command, teardown);
	size_t count = 0;

	while (command->arguments && command->arguments[count])
		count++;
	free_list(command->arguments, count);
	free_list(command->variables, command->variable_count);
	oe_scheduler_unref(command->scheduler);
	oe__free(command->name);
	oe__free(command->directory);
	oe__free(command->temporary);
	oe__free(command);
}

static void command_close(struct oe__teardown *teardown)
{
	struct oe__command *command = OE__CONTAINER(teardown, struct oe__command, teardown);

	oe__watch_close(command->sandbox_watch);
	oe__sandbox_free(command->sandbox);
}

static void command_free(void *self)
{
	struct oe__command *command = self;

	command->teardown.close = command_close;
	command->teardown.release = command_release;
	oe__teardown_begin(&command->teardown, command->reactor);
}

/* A program named by a path is looked for from here, wherever the process may go later; another one
   in the PATH that it is given. */
static int copy_arguments(struct oe__command *command, const char *const *arguments)
{
	const char *path = oe__which_path((const char *const *)command->variables);
	size_t count = 0;

	while (arguments[count])
		count++;
	command->arguments = oe__calloc(count + 1, sizeof(*command->arguments));
	for (size_t i = 0; command->arguments && i < count; i++) {
		command->arguments[i] = i > 0                          ? oe__strdup(arguments[i])
								: strchr(arguments[0], '/') ? oe__path_absolute(arguments[0])
															: oe__which(arguments[0], path);
		if (!command->arguments[i])
			return OE_ERR_NOMEM;
	}
	return command->arguments ? 0 : OE_ERR_NOMEM;
}

static int add_variable(struct oe__command *command, const char *name, const char *value)
{
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);

	oe__buffer_printf(&text, "%s=%s", name, value);
	char *variable = oe__buffer_steal(&text, NULL);
	if (variable)
		command->variables[command->variable_count++] = variable;
	return variable ? 0 : OE_ERR_NOMEM;
}

static int copy_environment(struct oe__command *command, const oe_config *config)
{
	const char *name, *value;
	size_t count = 0;
	int status = 0;

	while (oe__config_passed_on(config, count, &value))
		count++;
	/* And OE_MODEL, OE_SEED, a NULL. */
	command->variables = oe__calloc(count + 3, sizeof(*command->variables));
	if (!command->variables)
		return OE_ERR_NOMEM;
	for (size_t i = 0; status == 0 && (name = oe__config_passed_on(config, i, &value)); i++) {
		if (value)
			status = add_variable(command, name, value);
		else if (strcmp(name, "PATH") == 0)
			status = add_variable(command, name, PATH_DEFAULT);
	}
	return status < 0 ? status : add_variable(command, "OE_MODEL", command->name);
}

int oe__command_new(const oe_config *config, oe_scheduler *scheduler,
					const struct oe__command_options *options, oe_llm **out, oe_error *err)
{
	static const oe_llm_vtable vtable = {
		.struct_size = sizeof(oe_llm_vtable),
		.name = "command",
		.start = oe__command_start,
		.cancel = oe__command_cancel,
		.free = command_free,
	};
	struct oe__command *command = oe__calloc(1, sizeof(*command));

	if (!command)
		return oe__error_nomem(err);
	command->scheduler = oe_scheduler_ref(scheduler);
	command->reactor = oe__scheduler_reactor(scheduler);
	command->timeout_ms = options->timeout_ms;
	command->response_max = options->response_max;
	command->name = oe__strdup(*options->name ? options->name : options->arguments[0]);
	command->directory = oe__path_absolute(".");
	command->temporary = oe__strdup(oe__config_temporary(config));
	int status = OE_ERR_NOMEM;
	if (command->name && command->directory && command->temporary)
		status = copy_environment(command, config);
	if (status == 0)
		status = copy_arguments(command, options->arguments);
	if (status == 0)
		status = oe__llm_new(&vtable, command, out);
	if (status < 0) {
		command_release(&command->teardown);
		return oe__error(err, status, "%s", oe_status_string(status));
	}
	return 0;
}

int oe_llm_command_new(const oe_config *config, oe_scheduler *scheduler, const char *const *argv,
					   oe_llm **out, oe_error *err)
{
	if (!config || !scheduler || !argv || !argv[0] || !out)
		return oe__error(err, OE_ERR_INVALID, "oe_llm_command_new: NULL argument");
	struct oe__command_options options = {
		.name = "",
		.arguments = argv,
		.timeout_ms = oe__config_ms(config, "llm.timeout"),
		.response_max = (size_t)oe__config_int(config, "llm.max_response_bytes"),
	};
	return oe__command_new(config, scheduler, &options, out, err);
}
