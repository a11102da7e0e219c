/* The library in somebody else's process: loops of its own, forks, several runs at once, other threads. */

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "world.h"

static double processor_seconds(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
		   (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* ---- a loop of the host's own ---- */

#define RUNS 3

struct loop {
	struct world worlds[RUNS];
	oe_controller *controllers[RUNS];
	struct pollfd fds[RUNS];
	int going;
	int64_t steps, events, rounds;
};

static void loop_begin(struct loop *loop, oe_scheduler *scheduler)
{
	*loop = (struct loop){ .going = RUNS };
	for (int i = 0; i < RUNS; i++) {
		struct world *world = &loop->worlds[i];
		oe_program *program = NULL;
		oe_error err = { 0 };
		world_init(world, i == 1);
		/* One of them waits for its provider, so time alone must wake it. */
		if (i == 2) {
			atomic_store(&world->llm, LLM_OVERLOADED);
			atomic_store(&world->overloads, 2);
		}
		int status = oe_controller_new(world->config, scheduler, world->backend, world->judge,
									   *world->directory ? world->directory : NULL,
									   &loop->controllers[i], &err);
		ck_assert_msg(status == 0, "%s", err.message);
		ck_assert_int_eq(oe_program_new("value 100", 9, "text", &program), 0);
		ck_assert_int_eq(oe_controller_seed(loop->controllers[i], program, &err), 0);
		oe_program_unref(program);
		loop->fds[i] = (struct pollfd){ oe_controller_fd(loop->controllers[i]), POLLIN, 0 };
	}
}

/* All that one controller can do now; never waits. */
static void loop_step(struct loop *loop, int i)
{
	const oe_event *event = NULL;
	oe_error err = { 0 };

	loop->steps++;
	int got = oe_controller_step(loop->controllers[i], 0, &event, &err);
	ck_assert_msg(got >= 0, "%s", err.message);
	if (got == 0)
		return;
	loop->events++;
	if (event->type == OE_EVENT_DONE) {
		ck_assert_int_eq(event->stop, OE_REASON_ITERATIONS);
		loop->fds[i].fd = -1;
		loop->going--;
	}
}

/* As documented: step(0) when the descriptor is readable, and only then. A wake-up that is lost would
   leave poll() waiting; one that is not taken back would make it a busy loop. */
START_TEST(test_poll_loop)
{
	struct loop loop;
	oe_scheduler *scheduler = NULL;
	oe_error err = { 0 };
	ck_assert_int_eq(oe_scheduler_new(2, &scheduler, &err), 0);
	loop_begin(&loop, scheduler);
	double began = processor_seconds();

	for (int i = 0; i < RUNS; i++)
		loop_step(&loop, i); /* the first one begins the run */
	while (loop.going > 0) {
		int ready = poll(loop.fds, RUNS, TEST_PATIENCE_MS);
		ck_assert_msg(ready > 0, "nothing happens, with %d runs going", loop.going);
		loop.rounds++;
		for (int i = 0; i < RUNS; i++)
			if (loop.fds[i].fd >= 0 && loop.fds[i].revents)
				loop_step(&loop, i);
	}
	/* Each task that comes back may take a step of its own, hardly more. */
	ck_assert_msg(loop.steps < 40 * RUNS * 12, "%lld steps for %lld events", (long long)loop.steps,
				  (long long)loop.events);
	ck_assert_double_lt(processor_seconds() - began, 20);
	for (int i = 0; i < RUNS; i++) {
		ck_assert_int_eq(world_numbers(loop.controllers[i]).ended, 40);
		oe_controller_free(loop.controllers[i]);
		world_done(&loop.worlds[i]);
	}
	oe_scheduler_unref(scheduler);
}
END_TEST

/* While nothing can be done the descriptor is not readable. */
START_TEST(test_not_readable_while_waiting)
{
	struct world world;
	const oe_event *event;
	world_init(&world, false);
	world_set(&world, "llm.concurrency", "2");
	atomic_store(&world.llm, LLM_STUCK);
	oe_controller *controller = world_seeded(&world);
	struct pollfd ready = { oe_controller_fd(controller), POLLIN, 0 };

	while (atomic_load(&world.waiting) < 2)
		ck_assert_int_ge(oe_controller_step(controller, 100, &event, NULL), 0);
	while (oe_controller_step(controller, 50, &event, NULL) > 0)
		continue;
	ck_assert_int_eq(poll(&ready, 1, 200), 0);
	oe_controller_pause(controller); /* from any thread: wakes the loop */
	ck_assert_int_eq(poll(&ready, 1, TEST_PATIENCE_MS), 1);
	oe_controller_free(controller);
	world_done(&world);
}
END_TEST

/* ---- several runs on one scheduler ---- */

struct runner {
	pthread_t thread;
	struct world world;
	oe_scheduler *scheduler;
	int reason;
	int64_t ended;
};

static void *run_one(void *argument)
{
	struct runner *runner = argument;
	oe_controller *controller = NULL;
	oe_program *program = NULL;

	if (oe_controller_new(runner->world.config, runner->scheduler, runner->world.backend,
						  runner->world.judge, NULL, &controller, NULL) < 0 ||
		oe_program_new("value 100", 9, "text", &program) < 0 ||
		oe_controller_seed(controller, program, NULL) < 0)
		return NULL;
	runner->reason = oe_controller_run(controller, NULL);
	runner->ended = world_numbers(controller).ended;
	oe_program_unref(program);
	oe_controller_free(controller);
	return NULL;
}

START_TEST(test_owners_on_threads_of_their_own)
{
	struct runner runners[6];
	oe_scheduler *scheduler = NULL;
	ck_assert_int_eq(oe_scheduler_new(2, &scheduler, NULL), 0);

	for (int i = 0; i < 6; i++) {
		runners[i] = (struct runner){ .scheduler = scheduler };
		world_init(&runners[i].world, false);
		ck_assert_int_eq(pthread_create(&runners[i].thread, NULL, run_one, &runners[i]), 0);
	}
	for (int i = 0; i < 6; i++) {
		pthread_join(runners[i].thread, NULL);
		ck_assert_int_eq(runners[i].reason, OE_REASON_ITERATIONS);
		ck_assert_int_eq(runners[i].ended, 40);
		world_done(&runners[i].world);
	}
	oe_scheduler_unref(scheduler);
}
END_TEST

/* ---- programs from other threads ---- */

#define INJECTED 50

static void *inject_many(void *argument)
{
	for (int i = 0; i < INJECTED; i++) {
		oe_program *program = NULL;
		char code[32];
		int size = snprintf(code, sizeof(code), "value %d", 2000000 + i);
		if (oe_program_new(code, (size_t)size, "text", &program) < 0 ||
			oe_controller_inject(argument, program) < 0)
			return argument;
		oe_program_unref(program);
	}
	return NULL;
}

START_TEST(test_inject_from_another_thread)
{
	struct world world;
	pthread_t thread;
	const oe_event *event;
	void *failed = NULL;
	int64_t joined = 0;
	world_init(&world, false);
	world_set(&world, "max_iterations", "1000000000");
	world_set(&world, "database.population_size", "1000");
	oe_controller *controller = world_seeded(&world);

	ck_assert_int_eq(pthread_create(&thread, NULL, inject_many, controller), 0);
	while (joined < 1 + INJECTED) {
		ck_assert_int_eq(oe_controller_step(controller, TEST_PATIENCE_MS, &event, NULL), 1);
		joined += event->type == OE_EVENT_SEEDED;
	}
	pthread_join(thread, &failed);
	ck_assert_ptr_null(failed);
	ck_assert_double_eq_tol(world_numbers(controller).best_fitness, (2000000 + INJECTED - 1) / 1e6,
							1e-9);
	oe_controller_free(controller);
	world_done(&world);
}
END_TEST

/* ---- after a fork of the host ---- */

static _Noreturn void use_copies(oe_controller *controller, struct world *world, oe_scheduler *scheduler)
{
	oe_program *program = NULL;
	oe_population *population = NULL;
	oe_completion *completion = NULL;
	oe_evaluation *evaluation = NULL;
	oe_statistics numbers = { .struct_size = sizeof(numbers) };
	const oe_event *event = NULL;
	oe_error err = { 0 };

	(void)alarm(TEST_PATIENCE_S); /* whatever waits here would wait for ever */
	if (oe_program_new("value 5", 7, "text", &program) < 0)
		_exit(1);
	const int told[] = {
		oe_controller_step(controller, 0, &event, &err),
		oe_controller_run(controller, &err),
		oe_controller_seed(controller, program, &err),
		oe_controller_resume(controller, NULL, &err),
		oe_controller_has_run(controller, &err),
		oe_controller_inject(controller, program),
		oe_controller_population(controller, &population),
		oe_controller_statistics(controller, &numbers),
		oe_controller_checkpoint(controller, &err),
		oe_controller_set_property(controller, "name", "value"),
		oe_controller_set_extension(controller, ".c"),
		oe_llm_ask(world->backend, NULL, "?", 1, &completion, &err),
		oe_evaluator_run(world->judge, program, 1, 1000, &evaluation, &err),
	};
	for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++)
		if (told[i] != OE_ERR_STATE)
			_exit(10 + (int)i);
	oe_controller_pause(controller);
	oe_controller_continue(controller);
	oe_controller_stop(controller, OE_STOP_KILL); /* of the copy: the parent goes on */
	oe_controller_free(controller);
	oe_llm_unref(world->backend);
	oe_evaluator_unref(world->judge);
	oe_scheduler_unref(scheduler);
	oe_program_unref(program);
	oe_config_free(world->config);
	_exit(0);
}

START_TEST(test_fork)
{
	struct world world;
	const oe_event *event;
	oe_scheduler *scheduler = NULL;
	oe_controller *controller = NULL;
	oe_program *program = NULL;
	oe_error err = { 0 };
	int status = 0;
	world_init(&world, true);
	ck_assert_int_eq(oe_scheduler_new(2, &scheduler, NULL), 0);
	ck_assert_int_eq(oe_controller_new(world.config, scheduler, world.backend, world.judge,
									   world.directory, &controller, &err), 0);
	ck_assert_int_eq(oe_program_new("value 100", 9, "text", &program), 0);
	ck_assert_int_eq(oe_controller_seed(controller, program, &err), 0);
	oe_program_unref(program);
	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(oe_controller_step(controller, TEST_PATIENCE_MS, &event, &err), 1);

	pid_t child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0)
		use_copies(controller, &world, scheduler);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the child ended with %x", status);
	ck_assert_int_eq(world_run(controller), OE_REASON_ITERATIONS);
	ck_assert_int_eq(world_numbers(controller).ended, 40);
	oe_controller_free(controller);
	oe_scheduler_unref(scheduler);
	world_done(&world);
}
END_TEST

TEST_MAIN("guest", test_poll_loop, test_not_readable_while_waiting, test_owners_on_threads_of_their_own,
		  test_inject_from_another_thread, test_fork)
