#include "controller/fetch.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/thread.h"
#include "scheduler/scheduler.h"

#define SLICE       64 /* programs that are read by one thread, before it looks for more */
#define HELPERS_MAX 16

struct helper {
	struct oe__task task;
	struct fetch *fetch;
};

/* Kept by the owner and by helpers, the last of which may come when all is done. */
struct fetch {
	atomic_int refs;
	char *path;
	const struct oe__dimensions *dimensions; /* the owner's; until all is done */
	pthread_mutex_t mutex;                   /* of what follows */
	pthread_cond_t idle;
	struct oe__wanted_program **wanted;
	size_t count, next;
	int reading; /* slices */
	int status;  /* the first failure */
	oe_error error;
	struct helper helpers[HELPERS_MAX];
};

static void fetch_unref(struct fetch *fetch)
{
	if (!fetch || atomic_fetch_sub_explicit(&fetch->refs, 1, memory_order_acq_rel) != 1)
		return;
	pthread_mutex_destroy(&fetch->mutex);
	pthread_cond_destroy(&fetch->idle);
	oe__free(fetch->path);
	oe__free(fetch);
}

OE__AUTO_POINTER(fetch, struct fetch *, fetch_unref)

static int fetch_new(const char *path, struct fetch **out)
{
	OE__AUTO(fetch) struct fetch *fetch = oe__calloc(1, sizeof(*fetch));
	if (!fetch)
		return OE_ERR_NOMEM;
	atomic_init(&fetch->refs, 1);
	pthread_mutex_init(&fetch->mutex, NULL);
	int status = oe__cond_init(&fetch->idle);
	fetch->path = oe__strdup(path);
	if (status < 0 || !fetch->path)
		return OE_ERR_NOMEM;
	*out = OE__STEAL(fetch);
	return 0;
}

/* ---- slices ---- */

static bool is_left(struct fetch *fetch)
{
	OE__LOCKED(&fetch->mutex);
	return fetch->next < fetch->count && fetch->status == 0;
}

static bool take(struct fetch *fetch, size_t *first, size_t *end)
{
	OE__LOCKED(&fetch->mutex);
	if (fetch->next >= fetch->count || fetch->status < 0)
		return false;
	*first = fetch->next;
	*end = fetch->count - fetch->next > SLICE ? fetch->next + SLICE : fetch->count;
	fetch->next = *end;
	fetch->reading++;
	return true;
}

static void give_back(struct fetch *fetch, int status, const oe_error *error)
{
	OE__LOCKED(&fetch->mutex);
	if (status < 0 && fetch->status == 0) {
		fetch->status = status;
		fetch->error = *error;
	}
	if (--fetch->reading == 0)
		pthread_cond_signal(&fetch->idle);
}

static void read_slices(struct fetch *fetch, struct oe__program_cursor *cursor)
{
	size_t first, end;

	while (take(fetch, &first, &end)) {
		oe_error error = { .message = "" };
		int status = 0;

		for (size_t i = first; i < end && status >= 0; i++) {
			struct oe__wanted_program *wanted = fetch->wanted[i];
			status = oe__program_cursor_find(cursor, wanted->id, wanted->iteration, &wanted->found,
			                                 &error);
		}
		give_back(fetch, status, &error);
	}
}

/* ---- those who help ---- */

/* Who cannot open the database does not help; it is known to be there, and the owner reads it anyway. */
static void help(struct fetch *fetch)
{
	OE__AUTO(database) struct oe__database *database = NULL;
	OE__AUTO(program_cursor) struct oe__program_cursor *cursor = NULL;

	if (!is_left(fetch) || oe__database_open_reader(fetch->path, &database, NULL) < 0 ||
	    oe__database_hold(database, NULL) < 0 ||
	    oe__program_cursor_open(database, 0, true, fetch->dimensions, &cursor, NULL) < 0)
		return;
	read_slices(fetch, cursor);
}

static void run_helper(struct oe__task *task)
{
	struct helper *helper = OE__CONTAINER(task, struct helper, task);

	help(helper->fetch);
	fetch_unref(helper->fetch);
}

static void call_helpers(struct fetch *fetch, oe_scheduler *scheduler)
{
	size_t helpers = (size_t)oe__scheduler_threads(scheduler), slices = fetch->count / SLICE;

	if (helpers > HELPERS_MAX)
		helpers = HELPERS_MAX;
	for (size_t i = 0; i < helpers && i < slices; i++) {
		fetch->helpers[i] = (struct helper){ { NULL, run_helper }, fetch };
		atomic_fetch_add_explicit(&fetch->refs, 1, memory_order_relaxed);
		oe__scheduler_compute(scheduler, &fetch->helpers[i].task);
	}
}

/* ---- the whole ---- */

static int by_iteration(const void *a, const void *b)
{
	const struct oe__wanted_program *left = *(struct oe__wanted_program *const *)a;
	const struct oe__wanted_program *right = *(struct oe__wanted_program *const *)b;

	if (left->iteration != right->iteration)
		return left->iteration < right->iteration ? -1 : 1;
	return strcmp(left->id, right->id);
}

static int wait_for_all(struct fetch *fetch, oe_error *err)
{
	OE__LOCKED(&fetch->mutex);
	while (fetch->reading > 0)
		pthread_cond_wait(&fetch->idle, &fetch->mutex);
	fetch->next = fetch->count;
	if (fetch->status < 0 && err)
		*err = fetch->error;
	return fetch->status;
}

static int read_held(struct fetch *fetch, oe_scheduler *scheduler, struct oe__database *database,
                     oe_error *err)
{
	OE__AUTO(program_cursor) struct oe__program_cursor *cursor = NULL;

	int status = oe__program_cursor_open(database, 0, true, fetch->dimensions, &cursor, err);
	if (status < 0)
		return status;
	call_helpers(fetch, scheduler);
	read_slices(fetch, cursor);
	return wait_for_all(fetch, err);
}

int oe__fetch_programs(oe_scheduler *scheduler, struct oe__database *database,
                       const struct oe__dimensions *dimensions, struct oe__wanted_program **wanted,
                       size_t count, oe_error *err)
{
	OE__AUTO(fetch) struct fetch *fetch = NULL;

	if (fetch_new(database->path, &fetch) < 0)
		return oe__error_nomem(err);
	fetch->dimensions = dimensions;
	fetch->wanted = wanted;
	fetch->count = count;
	qsort(wanted, count, sizeof(*wanted), by_iteration);
	/* Each row would be a lock of its own, else. */
	int status = oe__database_hold(database, err);
	if (status == 0)
		status = read_held(fetch, scheduler, database, err);
	oe__database_release(database);
	return status;
}
