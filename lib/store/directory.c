#include "store/directory.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "store/checkpoint.h"
#include "store/database.h"
#include "store/origin.h"

#define CHECKPOINT "checkpoint_"

#define LOCK_NAME "LOCK"

static int open_lock(const char *directory, int *out, oe_error *err)
{
	OE__AUTO(string) char *path = oe__path_join(directory, LOCK_NAME);
	if (!path)
		return oe__error_nomem(err);
	*out = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	return *out < 0 ? oe__error_errno(err, "cannot write in '%s'", directory) : 0;
}

/* Open-file-description locks belong to the descriptor: no other close() in the process drops them,
   as it would POSIX locks, and a fork does not take them away. */
static int lock_whole(int fd, const char *directory, oe_error *err)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
		return 0;
	if (errno != EAGAIN && errno != EACCES)
		return oe__error_errno(err, "cannot lock '%s/" LOCK_NAME "'", directory);
	return oe__error_at(err, OE_ERR_STATE, directory, 0, 0,
	                    "another process runs in this directory");
}

bool oe__directory_is_locked(const char *path)
{
	OE__AUTO(string) char *file = oe__path_join(path, LOCK_NAME);
	if (!file)
		return false;
	OE__AUTO(fd) int fd = open(file, O_RDONLY | O_CLOEXEC); /* asking takes no right to write */
	if (fd < 0)
		return false;
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	return fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

/* What processes that were killed had not finished writing, or removing (`oe checkpoint prune`): nobody else
   writes, as we hold the lock. What cannot be removed does no harm. */
static void sweep(const char *path)
{
	static const char *const beginnings[] = { ".writing-", ".replaced-", ".pruned-" };
	char **names = NULL;
	size_t count = 0;

	if (oe__directory_list(path, &names, &count, NULL) < 0)
		return;
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < OE__COUNT(beginnings); k++) {
			if (strncmp(names[i], beginnings[k], strlen(beginnings[k])) != 0)
				continue;
			OE__AUTO(string) char *left = oe__path_join(path, names[i]);
			if (left)
				(void)oe__directory_remove(left, NULL);
		}
	oe__directory_list_free(names, count);
}

int oe__directory_open(const char *path, struct oe__directory **out, oe_error *err)
{
	OE__AUTO(directory) struct oe__directory *directory = oe__calloc(1, sizeof(*directory));
	if (!directory)
		return oe__error_nomem(err);
	directory->lock = -1;
	directory->path = oe__path_absolute(path);
	if (!directory->path)
		return oe__error_nomem(err);
	directory->database = oe__path_join(directory->path, "run.db");
	directory->best = oe__path_join(directory->path, "best");
	directory->checkpoints = oe__path_join(directory->path, OE__DIRECTORY_CHECKPOINTS);
	if (!directory->database || !directory->best || !directory->checkpoints)
		return oe__error_nomem(err);

	int status = oe__directory_make(directory->path, err);
	if (status == 0)
		status = open_lock(directory->path, &directory->lock, err);
	if (status < 0)
		return status;
	status = lock_whole(directory->lock, directory->path, err);
	if (status < 0)
		return status;
	sweep(directory->best);
	sweep(directory->checkpoints);
	*out = OE__STEAL(directory);
	return 0;
}

void oe__directory_close(struct oe__directory *directory)
{
	if (!directory)
		return;
	oe__fd_close(directory->lock); /* the file stays: removing it would race with the next owner */
	oe__free(directory->checkpoints);
	oe__free(directory->best);
	oe__free(directory->database);
	oe__free(directory->path);
	oe__free(directory);
}

int oe__directory_write_best(const struct oe__directory *directory, const oe_program *best,
                             const char *extension, oe_error *err)
{
	OE__AUTO(buffer) struct oe__buffer name = OE__BUFFER_INIT(4096);
	OE__AUTO(buffer) struct oe__buffer info = OE__BUFFER_INIT(OE__FRAME_MAX);

	oe__buffer_printf(&name, "%s/best_program%s", directory->best, extension);
	oe__checkpoint_write_info(best, -1, &info);
	if (name.status < 0 || info.status < 0)
		return oe__error_nomem(err);
	int status = oe__directory_make(directory->best, err);
	if (status == 0)
		status = oe__file_replace(name.data, best->source->text, best->source->size, err);
	if (status < 0)
		return status;
	oe__buffer_clear(&name);
	oe__buffer_printf(&name, "%s/best_program_info.json", directory->best);
	if (name.status < 0)
		return oe__error_nomem(err);
	return oe__file_replace(name.data, info.data, info.size, err);
}

char *oe__directory_checkpoint_path(const struct oe__directory *directory, int64_t number)
{
	struct oe__buffer path = OE__BUFFER_INIT(4096);

	oe__buffer_printf(&path, "%s/" CHECKPOINT "%lld", directory->checkpoints, (long long)number);
	return oe__buffer_steal(&path, NULL);
}

char *oe__directory_begin_path(const struct oe__directory *directory)
{
	return oe__path_join(directory->checkpoints, "begin");
}

/* Written here, that is: a link leads to what belongs to somebody else. Complete ones have metadata. */
static bool is_own_checkpoint(const char *path)
{
	OE__AUTO(string) char *metadata = oe__path_join(path, "metadata.json");
	struct stat info;

	return metadata && lstat(path, &info) == 0 && S_ISDIR(info.st_mode) && oe__file_is_regular(metadata);
}

char *oe__directory_checkpoint_below(const char *checkpoints, int64_t limit, int64_t *number)
{
	OE__AUTO(string) char *last = NULL;
	char **names = NULL;
	size_t count = 0;
	int64_t highest = -1;

	if (oe__directory_list(checkpoints, &names, &count, NULL) < 0)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		const char *digits = names[i] + strlen(CHECKPOINT);
		int64_t found;
		if (!oe__has_prefix(names[i], CHECKPOINT) ||
		    !oe__parse_int(digits, strlen(digits), &found) || found <= highest || found >= limit)
			continue;
		OE__AUTO(string) char *path = oe__path_join(checkpoints, names[i]);
		if (!path || !is_own_checkpoint(path))
			continue;
		highest = found;
		oe__free(last);
		last = OE__STEAL(path);
	}
	oe__directory_list_free(names, count);
	*number = highest;
	return OE__STEAL(last);
}

char *oe__directory_last_checkpoint(const struct oe__directory *directory)
{
	int64_t number;

	return oe__directory_checkpoint_below(directory->checkpoints, INT64_MAX, &number);
}

int oe__directory_origin(struct oe__database *database, char **out, oe_error *err)
{
	OE__AUTO(string) char *noted = NULL;

	int status = oe__database_get(database, OE__ORIGIN_META, &noted, err);
	if (status < 0 || !noted)
		return status;
	/* Older runs noted a whole path, which is that of the day they began. */
	OE__AUTO(string) char *run = oe__path_directory(database->path);
	OE__AUTO(string) char *all = run ? oe__path_join(run, OE__DIRECTORY_CHECKPOINTS) : NULL;
	*out = all ? oe__path_join(all, oe__path_base(noted)) : NULL;
	return *out ? 0 : oe__error_nomem(err);
}

static int read_origin(const char *path, char **out, oe_error *err)
{
	OE__AUTO(database) struct oe__database *database = NULL;

	int status = oe__database_open_reader(path, &database, err);
	if (status == OE_ERR_STATE)
		return 0; /* it began with nothing yet */
	return status < 0 ? status : oe__directory_origin(database, out, err);
}

int oe__directory_spare_origin(const char *checkpoint, oe_error *err)
{
	OE__AUTO(string) char *real = oe__path_real(checkpoint);
	OE__AUTO(string) char *all = real ? oe__path_directory(real) : NULL;
	OE__AUTO(string) char *run = all ? oe__path_directory(all) : NULL;
	OE__AUTO(string) char *path = run ? oe__path_join(run, "run.db") : NULL;
	OE__AUTO(string) char *origin = NULL;
	oe_error detail = { 0 };

	if (!path)
		return oe__error_nomem(err);
	if (!oe__file_exists(path))
		return 0;
	int status = read_origin(path, &origin, &detail);
	if (status < 0)
		return oe__error(err, status, "'%s' may be what the run in '%s' began with: %s", checkpoint, run,
		                 detail.message);
	if (!origin || !oe__file_is_same(origin, real))
		return 0;
	return oe__error(err, OE_ERR_STATE, "'%s' is what the run in '%s' began with: it is not replaced",
	                 checkpoint, run);
}
