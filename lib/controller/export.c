#include "controller/export.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "config/config.h"
#include "controller/run_internal.h"
#include "store/checkpoint.h"
#include "store/load.h"
#include "store/wal.h"

struct prompts {
	struct oe__database *database;
	bool diff;
};

static int prompts_of(void *owner, const oe_program *program, struct oe__buffer *out, oe_error *err)
{
	const struct prompts *prompts = owner;

	if (program->iteration == 0 || program->migrant)
		return 0;
	return oe__answer_write(prompts->database, program->iteration,
	                        prompts->diff ? "diff_user" : "full_rewrite_user", out, err);
}

int oe__export(const struct oe__export *what, const oe_population *population,
               const char *directory, oe_error *err)
{
	OE__AUTO(database) struct oe__database *database = NULL;
	OE__AUTO(string) char *run = NULL;
	OE__AUTO(string) char *place = oe__path_directory(what->database);
	const oe_config *config = what->config;

	if (!place)
		return oe__error_nomem(err);
	int status = oe__database_open_reader(what->database, &database, err);
	if (status == 0)
		status = oe__database_get(database, "run", &run, err);
	if (status == 0) /* it does not outlive the log that it was made of */
		status = oe__wal_sync(database, err);
	if (status < 0)
		return status;
	const char *durability = oe__config_string(config, "durability");
	struct prompts prompts = { database, oe__config_bool(config, "diff_based_evolution") };
	struct oe__provenance from = { run, what->calls };
	struct oe__checkpoint_options options = {
		.extension = what->extension,
		.inline_max = (size_t)oe__config_int(config, "database.artifact_size_threshold"),
		.previous = what->previous,
		.previous_synced = what->previous_synced,
		.synced = !durability || strcmp(durability, "process") != 0,
		.run = place,
		.from = run ? &from : NULL,
		.prompts = oe__config_bool(config, "database.log_prompts") ? prompts_of : NULL,
		.owner = &prompts,
	};
	return oe__checkpoint_save(population, directory, &options, err);
}

int oe_run_export(oe_run *run, const char *directory, oe_error *err)
{
	OE__AUTO(config) oe_config *config = NULL;
	OE__AUTO(population) oe_population *population = NULL;
	OE__AUTO(string) char *extension = NULL;

	if (!run || !directory)
		return oe__error(err, OE_ERR_INVALID, "oe_run_export: NULL argument");
	int status = oe__run_config(run, &config, err);
	if (status == 0)
		status = oe__database_get(run->database, "extension", &extension, err);
	if (status == 0)
		status = oe_run_population(run, &population, err);
	int64_t calls = 0; /* may be more by now, which is there as well */
	if (status == 0)
		status = oe__database_number(run->database, "SELECT coalesce(max(seq), 0) FROM log", &calls, err);
	if (status < 0)
		return status;
	struct oe__export export = {
		.config = config,
		.database = run->file,
		.extension = extension ? extension : ".py",
		.calls = calls,
	};
	return oe__export(&export, population, directory, err);
}
