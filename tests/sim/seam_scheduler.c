/* scheduler/scheduler.h and reactor.h: tasks and timers, run by the world's steps. */

#include "scheduler/scheduler.h"

#include "base/alloc.h"
#include "scheduler/timers.h"
#include "world.h"

struct oe__reactor {
	int unused;
};

struct oe_scheduler {
	int refs;
	struct oe__reactor reactor;
};

/* ---- the pool ---- */

oe_scheduler *sim_scheduler_new(void)
{
	oe_scheduler *scheduler = oe__calloc(1, sizeof(*scheduler));

	if (scheduler)
		scheduler->refs = 1;
	return scheduler;
}

int oe_scheduler_new(int32_t threads, oe_scheduler **out, oe_error *err)
{
	(void)threads;
	(void)err;
	*out = sim_scheduler_new();
	return *out ? 0 : OE_ERR_NOMEM;
}

oe_scheduler *oe_scheduler_ref(oe_scheduler *scheduler)
{
	scheduler->refs++;
	return scheduler;
}

void oe_scheduler_unref(oe_scheduler *scheduler)
{
	if (scheduler && --scheduler->refs == 0)
		oe__free(scheduler);
}

void oe__scheduler_compute(oe_scheduler *scheduler, struct oe__task *task)
{
	(void)scheduler;
	oe__task_push(&world.computing, task);
}

/* Nobody helps: there is one thread. */
int32_t oe__scheduler_threads(const oe_scheduler *scheduler)
{
	(void)scheduler;
	return 0;
}

struct oe__reactor *oe__scheduler_reactor(oe_scheduler *scheduler)
{
	return &scheduler->reactor;
}

/* ---- the reactor ---- */

void oe__reactor_post(struct oe__reactor *reactor, struct oe__task *task)
{
	(void)reactor;
	oe__task_push(&world.posted, task);
}

bool oe__reactor_is_current(const struct oe__reactor *reactor)
{
	(void)reactor;
	return world.in_reactor;
}

int oe__timer_arm(struct oe__reactor *reactor, struct oe__timer *timer, int64_t due_ns,
                  void (*call)(struct oe__timer *timer))
{
	oe__timer_cancel(timer);
	timer->due_ns = due_ns;
	timer->call = call;
	int status = oe__timers_add(&world.timers, timer);
	if (status == 0)
		timer->reactor = reactor;
	return status;
}

void oe__timer_cancel(struct oe__timer *timer)
{
	if (!timer->reactor)
		return;
	timer->reactor = NULL;
	oe__timers_remove(&world.timers, timer);
}

bool reactor_ready(void)
{
	const struct oe__timer *first = oe__timers_first(&world.timers);

	return world.posted.count > 0 || (first && first->due_ns <= world.now_ns);
}

void reactor_step(void)
{
	struct oe__timer *first = oe__timers_first(&world.timers);
	struct oe__task *task = oe__task_pop(&world.posted);

	world.in_reactor = true;
	if (task) {
		task->run(task);
	} else {
		oe__timer_cancel(first);
		first->call(first);
	}
	world.in_reactor = false;
}

/* ---- what nobody needs here: sockets and children ---- */

int oe__watch_open(struct oe__reactor *reactor, int fd, int events, oe__watch_function *call,
                   void *owner, struct oe__watch **out)
{
	(void)reactor;
	(void)events;
	(void)call;
	(void)owner;
	(void)out;
	violated("somebody watches descriptor %d", fd);
}

int oe__watch_change(struct oe__watch *watch, int events)
{
	(void)watch;
	violated("somebody watches for %d", events);
}

void oe__watch_close(struct oe__watch *watch)
{
	if (watch)
		violated("somebody has a watch");
}

void oe__round_add(struct oe__reactor *reactor, struct oe__round *round)
{
	(void)reactor;
	(void)round;
	violated("somebody waits for rounds of the reactor");
}

void oe__round_remove(struct oe__reactor *reactor, struct oe__round *round)
{
	(void)reactor;
	(void)round;
}

int oe__reactor_new(struct oe__reactor **out, oe_error *err)
{
	(void)out;
	(void)err;
	violated("somebody makes a reactor");
}

void oe__reactor_free(struct oe__reactor *reactor)
{
	(void)reactor;
}

void oe__reactor_leave(struct oe__reactor *reactor, void (*ended)(void *owner), void *owner)
{
	(void)reactor;
	(void)ended;
	(void)owner;
}
