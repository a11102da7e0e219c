/*
 * Reading a checkpoint directory: ours, or OpenEvolve's with everything it tolerates. A record that
 * cannot be read is skipped and counted; a checkpoint without usable metadata is refused.
 */

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "store/checkpoint.h"

struct reading {
	const char *directory;
	oe_program **programs;
	size_t count, capacity, skipped;
	bool outside;     /* one names artifacts that are not in the checkpoint */
	oe_error problem; /* of the first that was skipped */
};

static void reading_done(struct reading *reading)
{
	for (size_t i = 0; i < reading->count; i++)
		oe_program_unref(reading->programs[i]);
	oe__free(reading->programs);
}
OE__AUTO_VALUE(reading, struct reading, reading_done)

static int read_json(const char *path, struct oe__value *out, oe_error *err)
{
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(OE__FILE_MAX);
	oe_error detail = { 0 };

	int status = oe__file_read(path, &text, err);
	if (status < 0)
		return status;
	status = oe__json_parse(text.data, text.size, out, &detail);
	if (status < 0)
		return oe__error_at(err, status, path, detail.line, detail.column, "%s", detail.message);
	return 0;
}

/* "<directory>/<middle>/<name>" if that is a directory: a new string, or *out stays NULL. */
static int find_directory(const char *directory, const char *middle, const char *name, char **out)
{
	OE__AUTO(string) char *base = oe__path_join(directory, middle);
	OE__AUTO(string) char *path = base ? oe__path_join(base, name) : NULL;

	if (!path)
		return OE_ERR_NOMEM;
	if (oe__file_is_directory(path))
		*out = OE__STEAL(path);
	return 0;
}

/* Ours are in the checkpoint, wherever it was moved. Relative directories are looked for where
   OpenEvolve was started, in the checkpoint, and beside it: upstream writes them relative to its
   working directory. */
static int find_artifacts(struct reading *reading, const char *given, char **out)
{
	OE__AUTO(string) char *parent = oe__path_directory(reading->directory);
	const char *own = oe__path_base(given);
	int status = parent ? 0 : OE_ERR_NOMEM;

	if (status == 0 && own[0])
		status = find_directory(reading->directory, "artifacts", own, out);
	reading->outside = reading->outside || !*out; /* wherever it is, or will be */
	if (status == 0 && !*out && oe__file_is_directory(given))
		return (*out = oe__strdup(given)) ? 0 : OE_ERR_NOMEM;
	if (status == 0 && !*out && given[0] != '/')
		status = find_directory(reading->directory, "", given, out);
	if (status == 0 && !*out && given[0] != '/')
		status = find_directory(parent, "", given, out);
	return status;
}

/* What cannot be read, or is too much, is left out: the program itself is not worse for it. */
static int add_artifact_file(const char *path, const char *name, oe_evaluation *evaluation)
{
	OE__AUTO(buffer) struct oe__buffer data = OE__BUFFER_INIT(OE__ARTIFACT_MAX);

	if (!oe__file_is_regular(path))
		return 0;
	int status = oe__file_read(path, &data, NULL);
	if (status == 0)
		status = oe__evaluation_add_artifact_kind(
			evaluation, name,
			oe__utf8_valid(data.data, data.size) ? OE__ARTIFACT_TEXT : OE__ARTIFACT_BYTES,
			oe__buffer_string(&data), data.size);
	return status == OE_ERR_NOMEM ? status : 0;
}

static int add_artifact_files(const char *directory, oe_evaluation *evaluation)
{
	char **names = NULL;
	size_t count = 0;
	int status = oe__directory_list(directory, &names, &count, NULL);

	if (status < 0)
		return status == OE_ERR_NOMEM ? status : 0;
	for (size_t i = 0; status == 0 && i < count; i++) {
		OE__AUTO(string) char *path = oe__path_join(directory, names[i]);
		status = path ? add_artifact_file(path, names[i], evaluation) : OE_ERR_NOMEM;
	}
	oe__directory_list_free(names, count);
	return status;
}

/* The program once more, with the files of its artifact directory. */
static int with_artifact_files(struct reading *reading, const char *given,
                               oe_program **program)
{
	OE__AUTO(string) char *directory = NULL;
	OE__AUTO(evaluation) oe_evaluation *evaluation = NULL;
	struct oe__program_spec spec;

	int status = find_artifacts(reading, given, &directory);
	if (status < 0 || !directory)
		return status; /* they are gone */
	status = oe_evaluation_new(&evaluation);
	if (status == 0 && (*program)->evaluation)
		status = oe__evaluation_merge(evaluation, (*program)->evaluation);
	if (status == 0)
		status = add_artifact_files(directory, evaluation);
	if (status < 0)
		return status;
	oe__evaluation_freeze(evaluation);

	oe_program *complete = NULL;
	oe__program_describe(*program, &spec);
	spec.evaluation = evaluation;
	status = oe__program_build(&spec, &complete);
	if (status < 0)
		return status;
	oe_program_unref(*program);
	*program = complete;
	return 0;
}

static void skip(struct reading *reading, const char *path, const oe_error *why)
{
	if (reading->skipped++ > 0)
		return;
	reading->problem = *why;
	if (!why->where[0])
		(void)oe__error_at(&reading->problem, why->status, path, 0, 0, "%s", why->message);
}

static int read_program(struct reading *reading, const char *path)
{
	OE__AUTO(value) struct oe__value record = { 0 };
	OE__AUTO(program) oe_program *program = NULL;
	oe_error detail = { 0 };

	int status = read_json(path, &record, &detail);
	if (status == 0)
		status = oe__program_read(&record, NULL, &program, &detail);
	if (status == 0) {
		const struct oe__value *given = oe__value_get(&record, "artifact_dir");
		if (given && given->type == OE__VALUE_STRING && given->size > 0)
			status = with_artifact_files(reading, given->string, &program);
	}
	if (status == OE_ERR_NOMEM)
		return status;
	if (status < 0) {
		skip(reading, path, &detail);
		return 0;
	}

	void *programs = reading->programs;
	status = oe__grow(&programs, &reading->capacity, reading->count + 1, sizeof(oe_program *));
	reading->programs = programs;
	if (status < 0)
		return status;
	reading->programs[reading->count++] = OE__STEAL(program);
	return 0;
}

/* Records have no order of their own: by iteration, then time, as they were made. */
static int by_age(const void *a, const void *b)
{
	const oe_program *left = *(oe_program *const *)a, *right = *(oe_program *const *)b;

	if (left->iteration != right->iteration)
		return left->iteration < right->iteration ? -1 : 1;
	if (left->timestamp != right->timestamp)
		return left->timestamp < right->timestamp ? -1 : 1;
	return strcmp(left->id, right->id);
}

static int read_programs(struct reading *reading, oe_error *err)
{
	OE__AUTO(string) char *directory = oe__path_join(reading->directory, "programs");
	char **names = NULL;
	size_t count = 0;
	if (!directory)
		return oe__error_nomem(err);

	int status = oe__directory_list(directory, &names, &count, err);
	for (size_t i = 0; status == 0 && i < count; i++) {
		if (!oe__has_suffix(names[i], ".json"))
			continue;
		OE__AUTO(string) char *path = oe__path_join(directory, names[i]);
		if (path && !oe__file_is_regular(path)) {
			skip(reading, path, &(oe_error){ .status = OE_ERR_IO, .message = "it is no regular file" });
			continue;
		}
		status = path ? read_program(reading, path) : OE_ERR_NOMEM;
		if (status < 0)
			status = oe__error_nomem(err);
	}
	oe__directory_list_free(names, count);
	if (status == 0 && reading->count > 0)
		qsort(reading->programs, reading->count, sizeof(oe_program *), by_age);
	return status;
}

/* What cannot be read is missing too, unless it lives on no island. */
static void note_skipped(const struct reading *reading, const char *metadata, oe_population *population)
{
	oe_error *problem = &population->problem;

	if (reading->skipped > 0)
		*problem = reading->problem;
	else if (population->skipped > 0)
		(void)oe__error_at(problem, problem->status, metadata, problem->line, problem->column, "%s",
		                   problem->message);
	if (reading->skipped > population->skipped)
		population->skipped = reading->skipped;
}

/* Programs without islands are dealt to as many as there are, in OpenEvolve as here. */
static int add_islands(struct oe__value *metadata, int32_t count)
{
	OE__AUTO(value) struct oe__value islands = { .type = OE__VALUE_LIST };
	const struct oe__value *given = oe__value_get(metadata, "islands");

	if (given && given->type == OE__VALUE_LIST && given->size > 0)
		return 0;
	for (int32_t i = 0; i < count; i++) {
		struct oe__value empty = { .type = OE__VALUE_LIST };
		if (oe__value_push(&islands, &empty) < 0)
			return OE_ERR_NOMEM;
	}
	return oe__value_put(metadata, "islands", &islands);
}

int oe_population_load(const char *checkpoint, oe_population **out, oe_error *err)
{
	if (!checkpoint || !out)
		return oe__error(err, OE_ERR_INVALID, "oe_population_load: NULL argument");
	return oe__checkpoint_load(checkpoint, 1, out, err);
}

int oe__checkpoint_load(const char *checkpoint, int32_t islands, oe_population **out,
                        oe_error *err)
{
	if (!oe__file_is_directory(checkpoint))
		return oe__error_at(err, OE_ERR_IO, checkpoint, 0, 0, "there is no such checkpoint");
	OE__AUTO(reading) struct reading reading = { .directory = checkpoint };
	OE__AUTO(value) struct oe__value metadata = { 0 };
	OE__AUTO(population) oe_population *population = NULL;
	OE__AUTO(string) char *path = oe__path_join(checkpoint, "metadata.json");
	if (!path)
		return oe__error_nomem(err);

	int status = read_json(path, &metadata, err);
	if (status == 0 && metadata.type != OE__VALUE_MAP)
		status = oe__error_at(err, OE_ERR_FORMAT, path, 1, 1, "expected an object");
	if (status == 0 && add_islands(&metadata, islands) < 0)
		status = oe__error_nomem(err);
	if (status == 0)
		status = read_programs(&reading, err);
	if (status < 0)
		return status;
	oe_error detail = { 0 };
	status = oe__population_read_metadata(&metadata, NULL, reading.programs, reading.count,
	                                      &population, &detail);
	if (status < 0)
		return oe__error_at(err, status, path, 0, 0, "%s", detail.message);
	note_skipped(&reading, path, population);
	population->outside = reading.outside;
	*out = OE__STEAL(population);
	return 0;
}
