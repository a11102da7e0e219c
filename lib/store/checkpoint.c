#include "store/checkpoint.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"

#define INLINE_MAX 32768 /* the default of "database.artifact_size_threshold" */

/* A checkpoint being written. */
struct writing {
	const oe_population *population;
	const struct oe__checkpoint_options *options;
	const char *directory; /* a temporary one          */
	const char *final;     /* the one it will be       */
	struct oe__buffer record, prompts; /* of one program */
};

static void writing_done(struct writing *writing)
{
	oe__buffer_done(&writing->record);
	oe__buffer_done(&writing->prompts);
}
OE__AUTO_VALUE(writing, struct writing, writing_done)

/* ---- writing ---- */

void oe__checkpoint_write_info(const oe_program *best, int64_t current_iteration,
                               struct oe__buffer *out)
{
	struct oe__json_writer writer = { .out = out, .indent = 2 };

	oe__json_map(&writer);
	oe__json_key(&writer, "id");
	oe__json_string(&writer, best->id);
	oe__json_key(&writer, "generation");
	oe__json_int(&writer, best->generation);
	oe__json_key(&writer, "iteration");
	oe__json_int(&writer, best->iteration);
	if (current_iteration >= 0) {
		oe__json_key(&writer, "current_iteration");
		oe__json_int(&writer, current_iteration);
	} else {
		oe__json_key(&writer, "timestamp");
		oe__json_real(&writer, best->timestamp);
		oe__json_key(&writer, "parent_id");
		oe__json_string(&writer, best->parent_id);
	}
	oe__json_key(&writer, "metrics");
	if (best->evaluation)
		oe__evaluation_metrics_write(best->evaluation, &writer);
	else
		oe__json_null(&writer);
	oe__json_key(&writer, "language");
	oe__json_string(&writer, best->language);
	if (current_iteration >= 0) {
		oe__json_key(&writer, "timestamp");
		oe__json_real(&writer, best->timestamp);
	}
	oe__json_key(&writer, "saved_at");
	oe__json_real(&writer, oe__clock_wall());
	oe__json_map_end(&writer);
	oe__buffer_char(out, '\n');
}

static int write_file(const char *directory, const char *name, const void *data, size_t size,
                      oe_error *err)
{
	OE__AUTO(string) char *path = oe__path_join(directory, name);
	if (!path)
		return oe__error_nomem(err);
	return oe__file_write(path, data, size, err);
}

/* A file name of an artifact's: letters, digits and "._-" survive. */
static int safe_name(const char *name, struct oe__buffer *out)
{
	for (const char *c = name; *c; c++)
		if ((*c >= '0' && *c <= '9') || (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
		    *c == '-' || *c == '_' || (*c == '.' && out->size > 0) || (*c & 0x80))
			oe__buffer_char(out, *c);
	if (out->size == 0)
		oe__buffer_text(out, "artifact");
	return out->status;
}

/* Large artifacts as files of artifacts/<id>/; *made says whether there are any. */
static int write_artifacts(const struct writing *writing, const oe_program *program, char **made,
                           oe_error *err)
{
	const oe_evaluation *evaluation = program->evaluation;

	for (size_t i = 0; evaluation && i < evaluation->artifact_count; i++) {
		const struct oe__artifact *artifact = &evaluation->artifacts[i];
		if (artifact->size <= writing->options->inline_max)
			continue;
		if (!*made) {
			OE__AUTO(string) char *base = oe__path_join(writing->directory, "artifacts");
			char *own = base ? oe__path_join(base, program->id) : NULL;
			if (!own)
				return oe__error_nomem(err);
			*made = own;
			int status = oe__directory_make(own, err);
			if (status < 0)
				return status;
		}
		OE__AUTO(buffer) struct oe__buffer name = OE__BUFFER_INIT(1024);
		if (safe_name(artifact->name, &name) < 0)
			return oe__error_nomem(err);
		int status = write_file(*made, name.data, artifact->data, artifact->size, err);
		if (status < 0)
			return status;
	}
	return 0;
}

/* 1 if there are prompts, in the writing's buffer. */
static int find_prompts(struct writing *writing, const oe_program *program, oe_error *err)
{
	const struct oe__checkpoint_options *options = writing->options;

	if (!options->prompts || program->prompts)
		return 0;
	oe__buffer_clear(&writing->prompts);
	return options->prompts(options->owner, program, &writing->prompts, err);
}

/* Artifact directories are named by their final place, not by the temporary one. */
static int write_program(struct writing *writing, const oe_program *program, oe_error *err)
{
	OE__AUTO(string) char *made = NULL;
	OE__AUTO(string) char *named = NULL;
	OE__AUTO(buffer) struct oe__buffer name = OE__BUFFER_INIT(1024);
	struct oe__buffer *record = &writing->record;
	struct oe__record_options options = { .inline_max = writing->options->inline_max };

	int status = write_artifacts(writing, program, &made, err);
	if (status < 0)
		return status;
	if (made) {
		OE__AUTO(string) char *base = oe__path_join(writing->final, "artifacts");
		options.artifact_directory = named = base ? oe__path_join(base, program->id) : NULL;
		if (!named)
			return oe__error_nomem(err);
	}
	status = find_prompts(writing, program, err);
	if (status < 0)
		return status;
	if (status > 0)
		options.prompts = oe__buffer_string(&writing->prompts);

	oe__buffer_clear(record);
	struct oe__json_writer writer = { .out = record };
	oe__program_write(program, &options, &writer);
	oe__buffer_printf(&name, "programs/%s.json", program->id);
	if (record->status < 0 || name.status < 0)
		return oe__error_nomem(err);
	return write_file(writing->directory, name.data, record->data, record->size, err);
}

static int write_best(const struct writing *writing, oe_error *err)
{
	OE__AUTO(buffer) struct oe__buffer name = OE__BUFFER_INIT(1024);
	OE__AUTO(buffer) struct oe__buffer info = OE__BUFFER_INIT(OE__FRAME_MAX);
	const oe_program *best = oe_population_best(writing->population);

	if (!best)
		return 0;
	oe__buffer_printf(&name, "best_program%s", writing->options->extension);
	oe__checkpoint_write_info(best, writing->population->last_iteration, &info);
	if (name.status < 0 || info.status < 0)
		return oe__error_nomem(err);
	int status = write_file(writing->directory, name.data, best->source->text, best->source->size,
	                        err);
	if (status < 0)
		return status;
	return write_file(writing->directory, "best_program_info.json", info.data, info.size, err);
}

static int write_contents(struct writing *writing, oe_error *err)
{
	const oe_population *population = writing->population;
	OE__AUTO(string) char *programs = oe__path_join(writing->directory, "programs");
	if (!programs)
		return oe__error_nomem(err);

	int status = oe__directory_make(programs, err);
	for (size_t i = 0; status == 0 && i < population->program_count; i++)
		status = write_program(writing, population->programs[i], err);
	/* What empty islands start from, alive or not. */
	const oe_program *extra = oe__population_extra(population);
	if (status == 0 && extra)
		status = write_program(writing, extra, err);
	if (status == 0)
		status = write_best(writing, err);
	if (status < 0)
		return status;

	oe__buffer_clear(&writing->record);
	struct oe__json_writer writer = { .out = &writing->record };
	oe__population_write_metadata(population, &writer);
	if (writing->record.status < 0)
		return oe__error_nomem(err);
	return write_file(writing->directory, "metadata.json", writing->record.data,
	                  writing->record.size, err);
}

/* rename() cannot replace a directory that holds files: move the old one out of the way first. */
static int put_in_place(const char *temporary, const char *old, const char *final, oe_error *err)
{
	if (oe__file_exists(final) && rename(final, old) < 0)
		return oe__error_errno(err, "cannot replace '%s'", final);
	if (rename(temporary, final) < 0)
		return oe__error_errno(err, "cannot rename '%s' to '%s'", temporary, final);
	return 0;
}

int oe__checkpoint_save(const oe_population *population, const char *directory,
                        const struct oe__checkpoint_options *options, oe_error *err)
{
	OE__AUTO(buffer) struct oe__buffer temporary = OE__BUFFER_INIT(8192);
	OE__AUTO(buffer) struct oe__buffer old = OE__BUFFER_INIT(8192);
	OE__AUTO(string) char *final = oe__path_absolute(directory);
	OE__AUTO(string) char *parent = final ? oe__path_directory(final) : NULL;
	if (!parent)
		return oe__error_nomem(err);
	/* Readers sort checkpoints by what follows the last underscore: temporary names have none. */
	oe__buffer_printf(&temporary, "%s/.writing-%d", parent, (int)getpid());
	oe__buffer_printf(&old, "%s/.replaced-%d", parent, (int)getpid());
	if (temporary.status < 0 || old.status < 0)
		return oe__error_nomem(err);

	OE__AUTO(writing) struct writing writing = {
		.population = population,
		.options = options,
		.directory = temporary.data,
		.final = final,
		.record = OE__BUFFER_INIT(OE__FILE_MAX),
		.prompts = OE__BUFFER_INIT(OE__FILE_MAX),
	};
	int status = oe__directory_remove(temporary.data, err);
	if (status == 0)
		status = write_contents(&writing, err);
	if (status == 0)
		status = oe__directory_sync(temporary.data, err);
	if (status == 0)
		status = put_in_place(temporary.data, old.data, final, err);
	if (status == 0)
		status = oe__directory_sync(parent, err);
	(void)oe__directory_remove(old.data, NULL);
	if (status < 0)
		(void)oe__directory_remove(temporary.data, NULL);
	return status;
}

int oe_population_save(const oe_population *population, const char *directory,
                       const char *extension, oe_error *err)
{
	struct oe__checkpoint_options options = { .extension = extension, .inline_max = INLINE_MAX };

	if (!population || !directory || !extension)
		return oe__error(err, OE_ERR_INVALID, "oe_population_save: NULL argument");
	return oe__checkpoint_save(population, directory, &options, err);
}
