#ifndef OE__EVALUATOR_PYTHON_INTERNAL_H
#define OE__EVALUATOR_PYTHON_INTERNAL_H

/*
 * Shared by python.c (the evaluator, its jobs), python_pool.c (who runs what), python_server.c (a fork
 * server) and python_slot.c (the evaluation on it). Reactor thread, where nothing else is said.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

#include "base/buffer.h"
#include "evaluator/evaluator.h"
#include "evaluator/python.h"
#include "evaluator/python_result.h"
#include "sandbox/sandbox.h"
#include "scheduler/scheduler.h"

/* One evaluation, from the queue to its end. */
struct oe__python_job {
	struct oe__task task;
	struct oe__python_job *next; /* in the queue */
	struct oe__python_pool *pool;
	oe_evaluation *evaluation; /* the handle to finish; the wrapper's request keeps the program */
	const oe_program *program; /* NULL: a probe */
	const char *function;
	uint64_t seed;
	int64_t timeout_ms;
};

enum oe__slot_state {
	OE__SLOT_EMPTY,    /* no server                                           */
	OE__SLOT_STARTING, /* it imports                                          */
	OE__SLOT_IDLE,
	OE__SLOT_BUSY,     /* a child runs                                        */
	OE__SLOT_CLEARING, /* what the last child left is being killed, or the next spare is on its way */
	OE__SLOT_DYING     /* the whole tree is being killed                      */
};

/* A child of a server: the one that waits for a job, and the one that has it. */
struct oe__python_child {
	int64_t number; /* that the server gave it; 0: there is none */
	int orders;     /* the socket for its job; -1 */
	int process;    /* pidfd of it; -1            */
	int init;       /* pidfd of the first process of its namespace; -1 */
	struct oe__watch *watch; /* on `process`, once that was killed     */
};

#define OE__NO_CHILD { .orders = -1, .process = -1, .init = -1 }

struct oe__python_slot {
	struct oe__python_pool *pool;
	enum oe__slot_state state;
	uint64_t tree;
	char *directory; /* in the scratch: what this server sees of it */
	struct oe__python_child spare, running;
	int32_t keeper, server;
	int control;
	struct oe__watch *control_watch;
	int64_t served;
	int64_t evaluator_mtime; /* nanoseconds */
	uint64_t hidden;         /* see oe__hidden_count() */
	struct oe__output log; /* what the server itself says: why it does not start */
	int log_fd;
	struct oe__watch *log_watch;

	struct oe__python_job *job;
	int result_fd, output_fd;
	int candidate_fd; /* what it prints, if it runs apart; else -1 */
	struct oe__watch *result_watch, *output_watch, *candidate_watch;
	struct oe__buffer result;
	struct oe__output output;
	struct oe__timer deadline;
	struct oe__child_end end;
	int64_t started_ns;
	char *scratch;
	bool measured; /* the control group was asked */
	bool undelivered; /* the child had ended before its job was sent */
	bool unheard;     /* it was killed and is dead, and the server has not said so: its job did not wait */
	bool emptying;    /* the server ends what it left */
	int64_t strays;
	bool proven;   /* the server had a spare: it works */
	bool sweeping; /* the spawner was asked to kill what is left */
	bool swept_child; /* ... before the child was known to have ended */
	bool clear;    /* and did: nothing is left of this evaluation */
};

struct oe__python_pool {
	atomic_int refs;
	struct oe__python_options options; /* its strings are owned */
	char **variables;
	struct oe__policy policy;
	bool confines; /* there is a policy */
	uint64_t require; /* bits of enum oe_guarantee */
	char *report;  /* JSON, from the first sandbox */
	oe_scheduler *scheduler;
	struct oe__reactor *reactor;
	struct oe__sandbox *sandbox; /* NULL until needed, and after its spawner died */
	struct oe__watch *sandbox_watch;
	char *shim; /* directory of the openevolve package for children */
	struct oe__python_slot *slots;
	struct oe__python_job *head, *tail; /* queue */
	int64_t next_scratch;
	bool was_ready; /* some server had a spare once: later failures are infrastructure */
	int32_t failed_starts; /* in a row       */
	oe_error failure;      /* why the last one failed */
	bool closing;
};

/* The files of python/, embedded. */
extern const char oe__forkserver_py[];
extern const char oe__evaluation_result_py[];
extern const char oe__candidate_py[];

/* python_pool.c */
void oe__python_pool_dispatch(struct oe__python_pool *pool); /* jobs to idle slots */
void oe__python_job_finish(struct oe__python_job *job, int status, const oe_error *err);
int oe__python_pool_sandbox(struct oe__python_pool *pool, oe_error *err);
/* Remove a directory that a child has used, off the reactor: it may be huge. */
void oe__python_pool_discard(struct oe__python_pool *pool, char *directory);

/* python_server.c */
void oe__server_forget_child(struct oe__python_child *child);
void oe__server_start(struct oe__python_slot *slot);
bool oe__server_is_starting(const struct oe__python_slot *slot); /* it has not had a spare yet */
void oe__server_kill(struct oe__python_slot *slot);
void oe__server_close(struct oe__python_slot *slot); /* at once, without reports */
bool oe__server_is_current(const struct oe__python_slot *slot); /* else there has to be another */

/* python_slot.c */
#define OE__CHUNK 65536
void oe__slot_give(struct oe__python_slot *slot, struct oe__python_job *job);
void oe__slot_cancel(struct oe__python_slot *slot);
void oe__slot_exceeded(struct oe__python_slot *slot, int total); /* enum oe__total */
void oe__slot_measured(struct oe__python_slot *slot, const struct oe__report *report);
void oe__slot_lost(struct oe__python_slot *slot, const char *why); /* its job will have no end of its own */
/* The server says how it ended, and later what it had left. */
void oe__slot_exited(struct oe__python_slot *slot, const struct oe__warm_message *message);
void oe__slot_cleared(struct oe__python_slot *slot, const struct oe__warm_message *message);
void oe__slot_check_end(struct oe__python_slot *slot); /* something has ended */
void oe__slot_close(struct oe__python_slot *slot);     /* at once, without reports */
int oe__slot_open_pipe(struct oe__python_slot *slot, int *ours, int *theirs, struct oe__watch **watch,
                       oe__watch_function *call);
void oe__slot_close_watched(struct oe__watch **watch, int *fd);
bool oe__slot_read(int fd, char *chunk, ssize_t *size); /* false at the end, or on an error */

#endif /* OE__EVALUATOR_PYTHON_INTERNAL_H */
