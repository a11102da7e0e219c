/* The pool: the queue of jobs, the slots that take them, and the sandbox under both. */

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "base/thread.h"
#include "evaluator/python_internal.h"

/* ---- jobs ---- */

void oe__python_job_finish(struct oe__python_job *job, int status, const oe_error *err)
{
	oe_evaluation *evaluation = job->evaluation;

	oe__python_pool_unref(job->pool);
	oe__free(job);
	oe_evaluation_finish(evaluation, status, err);
}

static struct oe__python_job *take(struct oe__python_pool *pool)
{
	struct oe__python_job *job = pool->head;
	pool->head = job->next;
	if (!pool->head)
		pool->tail = NULL;
	return job;
}

#define FAILED_STARTS_MAX 3

/* If none ever started, none will. Else it may pass, but not by trying for ever. */
static bool is_hopeless(const struct oe__python_pool *pool)
{
	return pool->failed_starts >= (pool->was_ready ? FAILED_STARTS_MAX : 1);
}

/* Nothing starts: every job fails with the reason, and the next one tries again. */
static void fail_all(struct oe__python_pool *pool)
{
	oe_error err = pool->failure;
	int status = err.status == OE_ERR_SANDBOX ? OE_ERR_SANDBOX : OE_ERR_EVALUATOR;

	pool->failed_starts = 0;

	while (pool->head)
		oe__python_job_finish(take(pool), status, &err);
}

/* An evaluator that was edited meanwhile is not in the child that waits: a server of its own for it. */
static void give(struct oe__python_slot *slot)
{
	struct oe__python_pool *pool = slot->pool;

	if (slot->state != OE__SLOT_IDLE)
		return;
	if (oe__server_is_current(slot))
		oe__slot_give(slot, take(pool));
	else
		oe__server_kill(slot);
}

void oe__python_pool_dispatch(struct oe__python_pool *pool)
{
	int32_t starting = 0, alive = 0;

	if (pool->closing)
		return;
	for (int32_t i = 0; i < pool->options.slots && pool->head; i++)
		give(&pool->slots[i]);
	int64_t waiting = 0;
	for (const struct oe__python_job *job = pool->head; job; job = job->next)
		waiting++;
	for (int32_t i = 0; i < pool->options.slots; i++)
		starting += oe__server_is_starting(&pool->slots[i]);
	/* As many servers as there are jobs for, but one at first: if that fails, so will all. */
	for (int32_t i = 0; i < pool->options.slots && starting < waiting; i++) {
		if (pool->slots[i].state != OE__SLOT_EMPTY || (!pool->was_ready && starting > 0) ||
		    is_hopeless(pool))
			continue;
		oe__server_start(&pool->slots[i]);
		starting += oe__server_is_starting(&pool->slots[i]);
	}
	for (int32_t i = 0; i < pool->options.slots; i++)
		alive += pool->slots[i].state != OE__SLOT_EMPTY;
	if (pool->head && alive == 0)
		fail_all(pool);
}

/* ---- scratch ---- */

struct discard {
	struct oe__task task;
	char *directory;
};

static void discard(struct oe__task *task)
{
	struct discard *job = OE__CONTAINER(task, struct discard, task);

	(void)oe__directory_remove(job->directory, NULL); /* what resists goes with the sandbox */
	oe__free(job->directory);
	oe__free(job);
}

void oe__python_pool_discard(struct oe__python_pool *pool, char *directory)
{
	struct discard *job = oe__calloc(1, sizeof(*job));
	if (!job) {
		oe__free(directory); /* likewise */
		return;
	}
	job->task.run = discard;
	job->directory = directory;
	oe__scheduler_compute(pool->scheduler, &job->task);
}

/* ---- sandbox ---- */

static void sandbox_ready(void *owner, int fd, int events)
{
	struct oe__python_pool *pool = owner;

	(void)fd;
	(void)events;
	if (oe__sandbox_dispatch(pool->sandbox))
		return;
	/* The spawner is gone, and said so for each tree: a new one on the next use. */
	oe__watch_close(OE__STEAL(pool->sandbox_watch));
	oe__sandbox_free(OE__STEAL(pool->sandbox));
	oe__python_pool_dispatch(pool);
}

/* The package that evaluators, and the processes they start, import the result class from. */
static int write_module(const char *package, const char *name, const char *text, oe_error *err)
{
	OE__AUTO(string) char *file = oe__path_join(package, name);

	return file ? oe__file_write(file, text, strlen(text), err) : oe__error_nomem(err);
}

static int write_shim(struct oe__python_pool *pool, oe_error *err)
{
	OE__AUTO(string) char *package = oe__path_join(pool->shim, "openevolve");
	if (!package)
		return oe__error_nomem(err);

	int status = oe__directory_make(package, err);
	if (status == 0)
		status = write_module(package, "__init__.py", "", err);
	if (status == 0)
		status = write_module(package, "evaluation_result.py", oe__evaluation_result_py, err);
	if (status == 0)
		status = write_module(package, "candidate.py", oe__candidate_py, err);
	return status;
}

/* PYTHONPATH of the children: the shim first, then what the caller gave. */
static int set_python_path(struct oe__python_pool *pool)
{
	size_t count = 0;
	OE__AUTO(buffer) struct oe__buffer path = OE__BUFFER_INIT(65536);
	static const char name[] = "PYTHONPATH=";

	oe__buffer_printf(&path, "%s%s", name, pool->shim);
	for (size_t i = 0; pool->options.variables[i]; i++)
		if (strncmp(pool->options.variables[i], name, strlen(name)) == 0)
			oe__buffer_printf(&path, ":%s", pool->options.variables[i] + strlen(name));
	for (size_t i = 0; pool->variables && pool->variables[i]; i++)
		count++;
	/* The last entry is kept for it. */
	oe__free(pool->variables[count - 1]);
	pool->variables[count - 1] = oe__buffer_steal(&path, NULL);
	return pool->variables[count - 1] ? 0 : OE_ERR_NOMEM;
}

/* Who can touch the score: that is decided here, not by the sandbox. */
static void set_score(const struct oe__python_pool *pool, struct oe__sandbox_report *report)
{
	report->isolation = pool->options.split ? "split" : "shared";
	if (pool->options.split && report->tier >= 2)
		oe__sandbox_report_set(report, OE_GUARANTEE_SCORE, OE_LEVEL_ENFORCED,
		                       "the program has a process, a process namespace and files of its own", "");
	else if (pool->options.split)
		oe__sandbox_report_set(report, OE_GUARANTEE_SCORE, OE_LEVEL_PARTIAL,
		                       "the program has a process of its own",
		                       "without namespaces an evaluator could still import it by itself");
}

/* Every sandbox of a pool gives the same: the first one is told about, and compared with what is
   required. */
static int keep_report(struct oe__python_pool *pool, oe_error *err)
{
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);
	struct oe__sandbox_report *report = oe__sandbox_report(pool->sandbox);

	if (pool->report || !pool->confines)
		return 0;
	set_score(pool, report);
	if (pool->policy.remark.size > 0)
		oe__sandbox_report_add_reason(report, OE_GUARANTEE_FS_READ, "%s",
		                              oe__buffer_string(&pool->policy.remark));
	int status = oe__sandbox_report_check(report, pool->require, err);
	if (status < 0)
		return status;
	status = oe__sandbox_report_write(report, &text);
	pool->report = status < 0 ? NULL : oe__buffer_steal(&text, NULL);
	return pool->report ? 0 : oe__error_nomem(err);
}

const char *oe__python_pool_report(const struct oe__python_pool *pool)
{
	return pool->report;
}

int oe__python_pool_sandbox(struct oe__python_pool *pool, oe_error *err)
{
	if (pool->sandbox)
		return 0;
	int status = oe__sandbox_new(pool->options.temporary, pool->confines ? &pool->policy.policy : NULL,
	                             &pool->sandbox, err);
	if (status < 0)
		return status;
	oe__free(pool->shim);
	pool->shim = oe__path_join(oe__sandbox_scratch(pool->sandbox), "lib");
	status = pool->shim ? write_shim(pool, err) : oe__error_nomem(err);
	if (status == 0)
		status = keep_report(pool, err);
	if (status == 0 && set_python_path(pool) < 0)
		status = oe__error_nomem(err);
	if (status == 0 &&
	    oe__watch_open(pool->reactor, oe__sandbox_fd(pool->sandbox), OE__READABLE, sandbox_ready, pool,
	                   &pool->sandbox_watch) < 0)
		status = oe__error_nomem(err);
	if (status < 0)
		oe__sandbox_free(OE__STEAL(pool->sandbox));
	return status;
}

/* ---- life ---- */

static int copy_options(struct oe__python_pool *pool, const struct oe__python_options *options)
{
	struct oe__python_options *own = &pool->options;
	size_t count = 0;

	*own = *options;
	own->variables = NULL;
	own->interpreter = oe__strdup(options->interpreter);
	own->evaluator = oe__strdup(options->evaluator);
	own->directory = oe__strdup(options->directory);
	own->suffix = oe__strdup(options->suffix);
	own->preload = oe__strdup(options->preload);
	own->temporary = oe__strdup(options->temporary);
	own->keywords = oe__strdup(options->keywords);
	if (!own->interpreter || !own->evaluator || !own->directory || !own->suffix || !own->preload ||
	    !own->temporary || (options->keywords && !own->keywords))
		return OE_ERR_NOMEM;
	while (options->variables[count])
		count++;
	pool->variables = oe__calloc(count + 2, sizeof(char *));
	if (!pool->variables)
		return OE_ERR_NOMEM;
	for (size_t i = 0; i < count; i++) {
		pool->variables[i] = oe__strdup(options->variables[i]);
		if (!pool->variables[i])
			return OE_ERR_NOMEM;
	}
	pool->variables[count] = oe__strdup("PYTHONPATH="); /* see set_python_path() */
	own->variables = (const char *const *)pool->variables;
	return pool->variables[count] ? 0 : OE_ERR_NOMEM;
}

static void pool_destroy(struct oe__python_pool *pool)
{
	const struct oe__python_options *own = &pool->options;
	const char *strings[] = { own->interpreter, own->evaluator, own->directory, own->suffix,
		                      own->preload,     own->keywords,  own->temporary };

	for (size_t i = 0; i < OE__COUNT(strings); i++)
		oe__free((void *)(uintptr_t)strings[i]);
	for (size_t i = 0; pool->variables && pool->variables[i]; i++)
		oe__free(pool->variables[i]);
	oe__free(pool->variables);
	oe__free(pool->slots);
	oe__free(pool->shim);
	oe__free(pool->report);
	oe__policy_done(&pool->policy);
	oe_scheduler_unref(pool->scheduler);
	oe__free(pool);
}

int oe__python_pool_new(const struct oe__python_options *options, oe_scheduler *scheduler,
                        struct oe__python_pool **out, oe_error *err)
{
	struct oe__python_pool *pool = oe__calloc(1, sizeof(*pool));
	if (!pool)
		return oe__error_nomem(err);
	atomic_init(&pool->refs, 1);
	pool->scheduler = oe_scheduler_ref(scheduler);
	pool->reactor = oe__scheduler_reactor(scheduler);
	if (options->policy) {
		pool->confines = true;
		pool->policy = *options->policy;
		*options->policy = (struct oe__policy){ 0 };
		pool->require = pool->policy.policy.require;
		pool->policy.policy.require &= ~((uint64_t)1 << OE_GUARANTEE_SCORE); /* see set_score() */
	}
	pool->slots = oe__calloc((size_t)options->slots, sizeof(*pool->slots));
	if (!pool->slots || copy_options(pool, options) < 0) {
		pool_destroy(pool);
		return oe__error_nomem(err);
	}
	for (int32_t i = 0; i < options->slots; i++) {
		pool->slots[i].pool = pool;
		pool->slots[i].control = pool->slots[i].log_fd = -1;
		pool->slots[i].spare = pool->slots[i].running = (struct oe__python_child)OE__NO_CHILD;
	}
	*out = pool;
	return 0;
}

struct oe__python_pool *oe__python_pool_ref(struct oe__python_pool *pool)
{
	atomic_fetch_add_explicit(&pool->refs, 1, memory_order_relaxed);
	return pool;
}

struct closing {
	struct oe__task task;
	struct oe__python_pool *pool;
	pthread_mutex_t mutex;
	pthread_cond_t closed;
	bool is_closed; /* guarded by mutex */
};

static void close_all(struct oe__python_pool *pool)
{
	pool->closing = true;
	for (int32_t i = 0; i < pool->options.slots; i++)
		oe__slot_close(&pool->slots[i]);
	oe__watch_close(OE__STEAL(pool->sandbox_watch));
	oe__sandbox_free(OE__STEAL(pool->sandbox)); /* kills everything, and waits for it */
}

static void close_on_reactor(struct oe__task *task)
{
	struct closing *closing = OE__CONTAINER(task, struct closing, task);

	close_all(closing->pool);
	OE__LOCKED(&closing->mutex);
	closing->is_closed = true;
	pthread_cond_signal(&closing->closed);
}

void oe__python_pool_unref(struct oe__python_pool *pool)
{
	if (!pool || atomic_fetch_sub_explicit(&pool->refs, 1, memory_order_acq_rel) != 1)
		return;
	if (oe__reactor_is_current(pool->reactor)) {
		close_all(pool);
	} else {
		struct closing closing = { .task.run = close_on_reactor, .pool = pool };
		pthread_mutex_init(&closing.mutex, NULL);
		oe__cond_init(&closing.closed);
		oe__reactor_post(pool->reactor, &closing.task);
		pthread_mutex_lock(&closing.mutex);
		while (!closing.is_closed)
			oe__cond_wait_until(&closing.closed, &closing.mutex, -1);
		pthread_mutex_unlock(&closing.mutex);
		pthread_cond_destroy(&closing.closed);
		pthread_mutex_destroy(&closing.mutex);
	}
	pool_destroy(pool);
}
