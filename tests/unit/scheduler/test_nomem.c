/* lib/scheduler without memory: what cannot be made says so and leaves nothing behind, and what is
   there goes on. */

#include <unistd.h>

#include "nomem.h"
#include "reactor_world.h"
#include "scheduler/plugin.h"
#include "scheduler/scheduler.h"

static int make_scheduler(void)
{
	OE__AUTO(scheduler) oe_scheduler *scheduler = NULL;
	oe_error err = { .message = "" };
	int status = oe_scheduler_new(2, &scheduler, &err);

	return status < 0 && err.status != status ? OE_ERR_STATE : status;
}

static int make_pool(void)
{
	struct oe__plugin_pool *pool = NULL;
	oe_error err = { .message = "" };
	int status = oe__plugin_pool_new("test", 1, &pool, &err);

	if (status < 0)
		return err.status == status ? status : OE_ERR_STATE;
	return oe__plugin_pool_free(pool, 0);
}

static struct oe__reactor *reactor;
static int ends[2], result;

static void never(struct oe__timer *timer)
{
	(void)timer;
}

static void look(void *owner, int fd, int events)
{
	(void)owner;
	(void)fd;
	(void)events;
}

static void arm_and_watch(void *argument)
{
	static struct oe__timer timers[20];
	struct oe__watch *watch = NULL;

	(void)argument;
	result = oe__watch_open(reactor, ends[0], OE__READABLE, look, NULL, &watch);
	for (int i = 0; i < 20; i++) {
		int status = oe__timer_arm(reactor, &timers[i], INT64_MAX - i, never);
		if (status < 0 && timers[i].reactor) /* it must not be taken for armed */
			status = OE_ERR_STATE;
		if (status < 0 && result == 0)
			result = status;
	}
	for (int i = 0; i < 20; i++)
		oe__timer_cancel(&timers[i]);
	oe__watch_close(watch);
}

static int use_reactor(void)
{
	int status = oe__reactor_new(&reactor, NULL);

	if (status < 0)
		return status;
	world_on_reactor(reactor, arm_and_watch, NULL);
	oe__reactor_free(reactor);
	return result;
}

START_TEST(test_each_allocation_fails)
{
	ck_assert_int_eq(pipe(ends), 0);
	oe__reactor_free(world_reactor()); /* what libraries keep is there now */
	int descriptors = world_descriptors();
	nomem_each("a scheduler", make_scheduler);
	nomem_each("a plugin pool", make_pool);
	nomem_each("a reactor's owner", use_reactor);
	ck_assert_int_eq(world_descriptors(), descriptors);
	ck_assert_int_eq(atomic_load(&nomem_live), 0);
}
END_TEST

NOMEM_MAIN("scheduler-nomem", test_each_allocation_fails)
