#include "store/checkpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "store/replace.h"

#define INLINE_MAX    32768 /* the default of "database.artifact_size_threshold"              */
#define SYNCED_MAX    256   /* files that are flushed one by one; more are, with all of the disk      */
#define NAME_SIZE_MAX 200   /* of a file: 255 bytes are allowed, with endings and numbers      */

/* A checkpoint being written. */
struct writing {
	const oe_population *population;
	const struct oe__checkpoint_options *options;
	const char *directory; /* a temporary one          */
	const char *final;     /* the one it will be       */
	struct oe__buffer record, prompts; /* of one program */
	size_t unsynced;                   /* files that were not on the disk */
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

static int sync_file(const char *path, oe_error *err)
{
	OE__AUTO(fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 || fsync(fd) < 0 ? oe__error_errno(err, "cannot flush '%s'", path) : 0;
}

static int sync_path(struct writing *writing, const char *path, oe_error *err)
{
	if (!writing->options->synced || ++writing->unsynced > SYNCED_MAX)
		return 0;
	return sync_file(path, err);
}

static int write_path(struct writing *writing, const char *path, const void *data, size_t size,
                      oe_error *err)
{
	int status = oe__file_write(path, data, size, err);
	return status < 0 ? status : sync_path(writing, path, err);
}

static int write_file(struct writing *writing, const char *name, const void *data, size_t size,
                      oe_error *err)
{
	OE__AUTO(string) char *path = oe__path_join(writing->directory, name);
	if (!path)
		return oe__error_nomem(err);
	return write_path(writing, path, data, size, err);
}

static bool holds(const char *path, const void *data, size_t size)
{
	OE__AUTO(buffer) struct oe__buffer there = OE__BUFFER_INIT(size + 1);
	struct stat info;

	return lstat(path, &info) == 0 && S_ISREG(info.st_mode) && (size_t)info.st_size == size &&
	       oe__file_read(path, &there, NULL) == 0 && there.size == size &&
	       (size == 0 || memcmp(there.data, data, size) == 0);
}

/* A file that the previous checkpoint has, too, is the same one: programs do not change. What somebody
   did to that checkpoint since is seen as it is read. Where a link does not work, on another file system
   for instance, the file is written. */
static int write_or_link(struct writing *writing, const char *name, const void *data,
                         size_t size, oe_error *err)
{
	const char *previous = writing->options->previous;
	OE__AUTO(string) char *old = previous ? oe__path_join(previous, name) : NULL;
	OE__AUTO(string) char *new = oe__path_join(writing->directory, name);

	if (!new || (previous && !old))
		return oe__error_nomem(err);
	if (old && holds(old, data, size) && link(old, new) == 0)
		return writing->options->previous_synced ? 0 : sync_path(writing, new, err);
	return write_path(writing, new, data, size, err);
}

/* Identifiers may come from anywhere, and a file name not lead anywhere: one that cannot be a name, by
   itself or for its length, is replaced by its hash. Readers take it from the record. */
static int record_name(const char *id, struct oe__buffer *out)
{
	uint8_t digest[OE__SHA256_SIZE];
	char hex[OE__SHA256_HEX_SIZE];

	if (id[0] != '.' && !strchr(id, '/') && strlen(id) <= NAME_SIZE_MAX)
		return oe__buffer_text(out, id);
	int status = oe__sha256(id, strlen(id), digest);
	if (status < 0)
		return status;
	oe__hex(digest, sizeof(digest), hex);
	return oe__buffer_text(out, hex);
}

/* A file name of an artifact's: letters, digits and "._-" survive, as many as a name may have. */
static void safe_name(const char *name, struct oe__buffer *out)
{
	for (const char *c = name; *c; c++) {
		if (out->size >= NAME_SIZE_MAX && (*c & 0xc0) != 0x80)
			break;
		if ((*c >= '0' && *c <= '9') || (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
		    *c == '-' || *c == '_' || (*c == '.' && out->size > 0) || (*c & 0x80))
			oe__buffer_char(out, *c);
	}
	if (out->size == 0)
		oe__buffer_text(out, "artifact");
}

/* Two artifacts may come down to one name: the later one gets a number. The directory is new, so what
   is in it is ours. */
static int artifact_path(const char *directory, const char *name, struct oe__buffer *out)
{
	OE__AUTO(buffer) struct oe__buffer file = OE__BUFFER_INIT(0);

	safe_name(name, &file);
	oe__buffer_printf(out, "%s/%s", directory, oe__buffer_string(&file));
	for (int i = 2; out->status == 0 && file.status == 0 && oe__file_exists(out->data); i++) {
		oe__buffer_clear(out);
		oe__buffer_printf(out, "%s/%d-%s", directory, i, file.data);
	}
	return file.status < 0 ? file.status : out->status;
}

/* Large artifacts as files of artifacts/<id>/; *made says whether there are any. */
static int write_artifacts(struct writing *writing, const char *name,
                           const oe_program *program, char **made, oe_error *err)
{
	const oe_evaluation *evaluation = program->evaluation;

	for (size_t i = 0; evaluation && i < evaluation->artifact_count; i++) {
		const struct oe__artifact *artifact = &evaluation->artifacts[i];
		if (artifact->size <= writing->options->inline_max)
			continue;
		if (!*made) {
			OE__AUTO(string) char *base = oe__path_join(writing->directory, "artifacts");
			char *own = base ? oe__path_join(base, name) : NULL;
			if (!own)
				return oe__error_nomem(err);
			*made = own;
			int status = oe__directory_make(own, err);
			if (status < 0)
				return status;
		}
		OE__AUTO(buffer) struct oe__buffer path = OE__BUFFER_INIT(0);
		if (artifact_path(*made, artifact->name, &path) < 0)
			return oe__error_nomem(err);
		const char *relative = path.data + strlen(writing->directory) + 1;
		int status = write_or_link(writing, relative, artifact->data, artifact->size, err);
		if (status < 0)
			return status;
	}
	return *made && writing->options->synced ? oe__directory_sync(*made, err) : 0;
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
	OE__AUTO(buffer) struct oe__buffer name = OE__BUFFER_INIT(0);
	OE__AUTO(buffer) struct oe__buffer path = OE__BUFFER_INIT(0);
	struct oe__buffer *record = &writing->record;
	struct oe__record_options options = { .inline_max = writing->options->inline_max };

	if (record_name(program->id, &name) < 0)
		return oe__error_nomem(err);
	int status = write_artifacts(writing, name.data, program, &made, err);
	if (status < 0)
		return status;
	if (made) {
		OE__AUTO(string) char *base = oe__path_join(writing->final, "artifacts");
		options.artifact_directory = named = base ? oe__path_join(base, name.data) : NULL;
		if (!named)
			return oe__error_nomem(err);
	}
	status = find_prompts(writing, program, err);
	if (status < 0)
		return status;
	if (status > 0)
		options.prompts = oe__buffer_string(&writing->prompts);

	oe__buffer_clear(record);
	struct oe__json_writer writer = { .out = record, .python = true };
	oe__program_write(program, &options, &writer);
	oe__buffer_printf(&path, "programs/%s.json", name.data);
	if (record->status < 0 || path.status < 0)
		return oe__error_nomem(err);
	return write_or_link(writing, path.data, record->data, record->size, err);
}

static int write_best(struct writing *writing, oe_error *err)
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
	int status = write_file(writing, name.data, best->source->text, best->source->size, err);
	if (status < 0)
		return status;
	return write_file(writing, "best_program_info.json", info.data, info.size, err);
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
	oe__population_write_metadata(population, writing->options->from, &writer);
	if (writing->record.status < 0)
		return oe__error_nomem(err);
	return write_file(writing, "metadata.json", writing->record.data,
	                  writing->record.size, err);
}

/* rename() does not replace a directory that holds files: the two change places, so that there is a
   checkpoint at any moment. Where the file system cannot do that the old one is moved away before. */
static int put_in_place(const char *temporary, const char *old, const char *final, oe_error *err)
{
	if (rename(temporary, final) == 0)
		return 0;
	if (errno != ENOTEMPTY && errno != EEXIST)
		return oe__error_errno(err, "cannot rename '%s' to '%s'", temporary, final);
	if (renameat2(AT_FDCWD, temporary, AT_FDCWD, final, RENAME_EXCHANGE) == 0)
		return 0;
	if (rename(final, old) < 0)
		return oe__error_errno(err, "cannot replace '%s'", final);
	if (rename(temporary, final) == 0)
		return 0;
	int status = oe__error_errno(err, "cannot rename '%s' to '%s'", temporary, final);
	(void)rename(old, final);
	return status;
}

/* Names are as durable as their directories, and a rename may be so before what it names. */
static int sync_contents(const struct writing *writing, oe_error *err)
{
	static const char *const names[] = { "", "programs", "artifacts" };
	int status = 0;

	if (!writing->options->synced)
		return 0;
	for (size_t i = 0; status == 0 && i < OE__COUNT(names); i++) {
		OE__AUTO(string) char *path = oe__path_join(writing->directory, names[i]);
		if (!path)
			return oe__error_nomem(err);
		if (i == 0 || oe__file_is_directory(path))
			status = oe__directory_sync(path, err);
	}
	if (status < 0 || writing->unsynced <= SYNCED_MAX)
		return status;
	OE__AUTO(fd) int fd = open(writing->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 || syncfs(fd) < 0
	           ? oe__error_errno(err, "cannot flush '%s'", writing->directory)
	           : 0;
}

static int save(struct writing *writing, const char *parent, oe_error *err)
{
	OE__AUTO(buffer) struct oe__buffer temporary = OE__BUFFER_INIT(0);
	OE__AUTO(buffer) struct oe__buffer old = OE__BUFFER_INIT(0);

	/* Readers sort checkpoints by what follows the last underscore: temporary names have none. */
	int status = oe__path_temporary(parent, "writing", &temporary, err);
	if (status == 0)
		status = oe__path_temporary(parent, "replaced", &old, err);
	if (status < 0)
		return status;
	writing->directory = temporary.data;
	status = write_contents(writing, err);
	if (status == 0)
		status = sync_contents(writing, err);
	if (status == 0)
		status = put_in_place(temporary.data, old.data, writing->final, err);
	if (status == 0 && writing->options->synced)
		status = oe__directory_sync(parent, err);
	(void)oe__directory_remove(temporary.data, NULL);
	(void)oe__directory_remove(old.data, NULL);
	return status;
}

int oe__checkpoint_save(const oe_population *population, const char *directory,
                        const struct oe__checkpoint_options *options, oe_error *err)
{
	OE__AUTO(string) char *final = oe__path_absolute(directory);
	OE__AUTO(string) char *parent = final ? oe__path_directory(final) : NULL;
	if (!parent)
		return oe__error_nomem(err);
	for (size_t size = strlen(final); size > 1 && final[size - 1] == '/'; size--)
		final[size - 1] = '\0';
	OE__AUTO(writing) struct writing writing = {
		.population = population,
		.options = options,
		.final = final,
		.record = OE__BUFFER_INIT(OE__FILE_MAX),
		.prompts = OE__BUFFER_INIT(OE__FILE_MAX),
	};
	int status = oe__checkpoint_may_replace(final, options->run, err);
	return status < 0 ? status : save(&writing, parent, err);
}

int oe_population_save(const oe_population *population, const char *directory,
                       const char *extension, oe_error *err)
{
	struct oe__checkpoint_options options = { .extension = extension,
		                                      .inline_max = INLINE_MAX,
		                                      .synced = true };

	if (!population || !directory || !extension)
		return oe__error(err, OE_ERR_INVALID, "oe_population_save: NULL argument");
	return oe__checkpoint_save(population, directory, &options, err);
}
