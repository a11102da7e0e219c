#include "evaluator/hidden.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/thread.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static const char *const names[] = { "/run.db", "/run.db-wal", "/run.db-shm", "/best", "/checkpoints" };
static struct oe__paths runs; /* without links */
static uint64_t added;

int oe__hidden_add(const char *directory, const char **out)
{
	OE__AUTO(string) char *real = oe__path_real(directory);

	OE__LOCKED(&mutex);
	added++;
	int status = real ? oe__paths_add(&runs, real) : OE_ERR_NOMEM;
	if (status == 0)
		*out = runs.list[runs.count - 1];
	return status;
}

uint64_t oe__hidden_count(void)
{
	OE__LOCKED(&mutex);
	return added;
}

void oe__hidden_remove(const char *hidden)
{
	OE__LOCKED(&mutex);
	for (size_t i = 0; hidden && i < runs.count; i++) {
		if (runs.list[i] != hidden)
			continue;
		oe__free(runs.list[i]);
		memmove(&runs.list[i], &runs.list[i + 1], (runs.count - i) * sizeof(runs.list[0]));
		runs.count--;
		break;
	}
	if (runs.count == 0)
		oe__paths_done(&runs);
}

bool oe__hidden_is_run(const char *directory)
{
	OE__AUTO(string) char *database = oe__path_join(directory, "run.db");

	return database && access(database, F_OK) == 0;
}

bool oe__hidden_is_of_run(const char *name)
{
	for (size_t i = 0; i < OE__COUNT(names); i++)
		if (strcmp(name, names[i] + 1) == 0)
			return true;
	return false;
}

static bool is_named(const struct oe__paths *paths, const char *real)
{
	for (size_t i = 0; i < paths->count; i++) {
		OE__AUTO(string) char *other = oe__path_real(paths->list[i]);
		if (other && strcmp(other, real) == 0)
			return true;
	}
	return false;
}

/* Below it, under both of its names. `rest` begins with a slash. */
static int mask(struct oe__hidden *out, const char *shown, const char *real, const char *rest)
{
	OE__AUTO(string) char *path = oe__path_join(shown, rest + 1);
	OE__AUTO(string) char *other = strcmp(shown, real) != 0 ? oe__path_join(real, rest + 1) : NULL;

	int status = path ? oe__paths_add(&out->paths, path) : OE_ERR_NOMEM;
	if (status == 0 && other)
		status = oe__paths_add(&out->paths, other);
	return status;
}

/* A run in the very directory that is shown: what belongs to it, there or not yet. */
static int mask_inside(struct oe__hidden *out, const char *shown, const char *real)
{
	int status = 0;

	for (size_t i = 0; status == 0 && i < OE__COUNT(names); i++)
		status = mask(out, shown, real, names[i]);
	return status;
}

static int mask_shown(struct oe__hidden *out, const char *shown, const char *run)
{
	OE__AUTO(string) char *real = oe__path_real(shown);
	size_t size = real ? strlen(real) : 0;

	if (!real || strncmp(run, real, size) != 0)
		return 0;
	if (run[size] == '\0')
		return mask_inside(out, shown, real);
	if (size == 1) /* "/" */
		return oe__paths_add(&out->paths, run);
	return run[size] == '/' ? mask(out, shown, real, run + size) : 0;
}

int oe__hidden_find(const struct oe__policy *policy, struct oe__hidden *out)
{
	const struct oe__paths *const lists[] = { &policy->directories, &policy->readable, &policy->writable };
	int status = 0;

	*out = (struct oe__hidden){ 0 };
	OE__LOCKED(&mutex);
	for (size_t i = 0; i < runs.count; i++) {
		const char *run = runs.list[i];
		if (is_named(&policy->readable, run) || is_named(&policy->writable, run))
			continue;
		for (size_t k = 0; k < OE__COUNT(lists); k++)
			for (size_t j = 0; status == 0 && j < lists[k]->count; j++)
				status = mask_shown(out, lists[k]->list[j], run);
	}
	return status == 0 && out->paths.count > OE__HIDDEN_MAX ? OE_ERR_LIMIT : status;
}

void oe__hidden_done(struct oe__hidden *hidden)
{
	oe__paths_done(&hidden->paths);
}

size_t oe__hidden_mounts(const struct oe__hidden *hidden, struct oe__tree_mount room[OE__HIDDEN_MAX])
{
	for (size_t i = 0; i < hidden->paths.count; i++)
		room[i] = (struct oe__tree_mount){ OE__MOUNT_MASK, hidden->paths.list[i] };
	return hidden->paths.count;
}
