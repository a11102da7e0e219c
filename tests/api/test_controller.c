/* The controller, through the shared library: what runs do, and how they end. */

#include <pthread.h>
#include <sys/resource.h>

#include "world.h"

/* Step until an event of that type; fails when none comes. */
static oe_event wait_for(oe_controller *controller, int type)
{
	const oe_event *event;
	oe_error err = { 0 };
	time_t begin = time(NULL);

	for (;;) {
		int got = oe_controller_step(controller, 1000, &event, &err);
		ck_assert_msg(got >= 0, "%s", err.message);
		if (got > 0 && event->type == type)
			return *event;
		ck_assert_msg(time(NULL) - begin < TEST_PATIENCE_S, "event %d does not come", type);
	}
}

/* Step until so many calls are stuck. */
static void wait_until_stuck(oe_controller *controller, struct world *world, int calls)
{
	const oe_event *event;
	time_t begin = time(NULL);

	while (atomic_load(&world->waiting) < calls) {
		ck_assert_int_ge(oe_controller_step(controller, 10, &event, NULL), 0);
		ck_assert_msg(time(NULL) - begin < TEST_PATIENCE_S, "only %d calls", atomic_load(&world->waiting));
	}
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* ---- ends ---- */

START_TEST(test_all_iterations)
{
	struct world world;
	world_init(&world, false);
	oe_controller *controller = world_seeded(&world);

	ck_assert_int_eq(world_run(controller), OE_REASON_ITERATIONS);
	oe_statistics numbers = world_numbers(controller);
	ck_assert_int_eq(numbers.issued, 40);
	ck_assert_int_eq(numbers.ended, 40);
	ck_assert_int_eq(world_outcomes(&numbers), 40);
	ck_assert_int_eq(numbers.llm_requests, 40);
	ck_assert_int_eq(numbers.llm_in_flight, 0);
	ck_assert_int_eq(numbers.evaluations_started, numbers.evaluations_finished);
	ck_assert_int_eq(numbers.tokens_in, 400);
	ck_assert(numbers.best_fitness > numbers.initial_fitness);
	ck_assert_double_eq_tol(numbers.initial_fitness, 100 / 1e6, 1e-12);
	oe_controller_free(controller);
	world_done(&world);
}
END_TEST

START_TEST(test_events_tell_everything)
{
	struct world world;
	const oe_event *event;
	int64_t iterations = 0, best = 0, seeded = 0;
	double fitness = -1;
	world_init(&world, false);
	oe_controller *controller = world_seeded(&world);

	for (;;) {
		ck_assert_int_eq(oe_controller_step(controller, -1, &event, NULL), 1);
		iterations += event->type == OE_EVENT_ITERATION;
		seeded += event->type == OE_EVENT_SEEDED;
		if (event->type == OE_EVENT_BEST) {
			ck_assert(oe_program_fitness(event->program) > fitness);
			fitness = oe_program_fitness(event->program);
			best++;
		}
		if (event->type == OE_EVENT_DONE)
			break;
	}
	ck_assert_int_eq(event->stop, OE_REASON_ITERATIONS);
	ck_assert_int_eq(iterations, 40);
	ck_assert_int_eq(seeded, 1);
	ck_assert_int_ge(best, 1);
	ck_assert_double_eq(fitness, world_numbers(controller).best_fitness);
	ck_assert_int_eq(oe_controller_step(controller, -1, &event, NULL), 0);
	oe_controller_free(controller);
	world_done(&world);
}
END_TEST

START_TEST(test_target_and_patience)
{
	struct world world;
	world_init(&world, false);
	world_set(&world, "max_iterations", "100000");
	world_set(&world, "target_score", "0.9");
	oe_controller *controller = world_seeded(&world);
	ck_assert_int_eq(world_run(controller), OE_REASON_TARGET);
	ck_assert(world_numbers(controller).best_fitness >= 0.9);
	oe_controller_free(controller);

	world_set(&world, "target_score", "null");
	world_set(&world, "early_stopping_patience", "25");
	controller = world_seeded(&world);
	ck_assert_int_eq(world_run(controller), OE_REASON_PATIENCE);
	oe_controller_free(controller);

	/* Without patience the threshold is a goal; the metric has to be it, not to pass it. */
	world_set(&world, "early_stopping_patience", "-1");
	world_set(&world, "early_stopping_metric", "parity");
	world_set(&world, "convergence_threshold", "1");
	controller = world_seeded(&world);
	ck_assert_int_eq(world_run(controller), OE_REASON_TARGET);
	ck_assert_int_lt(world_numbers(controller).ended, 1000);
	oe_controller_free(controller);
	world_set(&world, "early_stopping_patience", "0");
	world_set(&world, "convergence_threshold", "0.5");
	world_set(&world, "max_iterations", "50");
	controller = world_seeded(&world);
	ck_assert_int_eq(world_run(controller), OE_REASON_ITERATIONS);
	oe_controller_free(controller);
	world_done(&world);
}
END_TEST

START_TEST(test_time)
{
	struct world world;
	world_init(&world, false);
	world_set(&world, "max_iterations", "1000000000");
	world_set(&world, "max_time", "0.3");
	oe_controller *controller = world_seeded(&world);
	double begin = seconds();

	ck_assert_int_eq(world_run(controller), OE_REASON_TIME);
	ck_assert_double_ge(seconds() - begin, 0.3);
	oe_controller_free(controller);
	world_done(&world);
}
END_TEST

/* ---- the provider ---- */

START_TEST(test_refused_key_ends_the_run)
{
	struct world world;
	world_init(&world, false);
	atomic_store(&world.llm, LLM_REFUSES_KEY);
	oe_controller *controller = world_seeded(&world);

	oe_event done = wait_for(controller, OE_EVENT_DONE);
	ck_assert_int_eq(done.stop, OE_REASON_LLM);
	ck_assert_msg(strstr(done.text, "the model says no") != NULL, "%s", done.text);
	/* Nobody asks again and again with a key that is refused. */
	ck_assert_int_le(atomic_load(&world.asked), 8);
	oe_controller_free(controller);
	world_done(&world);
}
END_TEST

START_TEST(test_provider_comes_back)
{
	struct world world;
	world_init(&world, false);
	atomic_store(&world.llm, LLM_OVERLOADED);
	atomic_store(&world.overloads, 2);
	world_set(&world, "llm.retry_delay", "0.01");
	oe_controller *controller = world_seeded(&world);

	ck_assert_int_eq(world_run(controller), OE_REASON_ITERATIONS);
	oe_statistics numbers = world_numbers(controller);
	ck_assert_int_eq(numbers.ended, 40);
	ck_assert_int_eq(world_outcomes(&numbers), 40);
	/* What failed while it was down was asked again, not given up. */
	ck_assert_int_eq(numbers.outcomes[OE_OUTCOME_LLM_FAILED], 0);
	oe_controller_free(controller);
	world_done(&world);
}
END_TEST

static double processor_seconds(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
		   (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* Each outage is told, and its end: an answer that is a refusal shows that the provider is there. */
START_TEST(test_every_outage_is_told)
{
	struct world world;
	world_init(&world, false);
	world_set(&world, "max_iterations", "100000");
	world_set(&world, "llm.retry_delay", "0.01");
	atomic_store(&world.overloads, 1000000);
	atomic_store(&world.llm, LLM_OVERLOADED);
	oe_controller *controller = world_seeded(&world);

	for (int outage = 0; outage < 2; outage++) {
		(void)wait_for(controller, OE_EVENT_PAUSED);
		atomic_store(&world.llm, LLM_HOPELESS);
		(void)wait_for(controller, OE_EVENT_CONTINUED);
		atomic_store(&world.llm, LLM_OVERLOADED);
	}
	(void)wait_for(controller, OE_EVENT_PAUSED);
	oe_controller_stop(controller, OE_STOP_CANCEL);
	(void)wait_for(controller, OE_EVENT_DONE);
	oe_controller_free(controller);
	world_done(&world);
}
END_TEST

/* Waiting for a provider that is down takes time, not a processor. */
START_TEST(test_waiting_is_idle)
{
	struct world world;
	world_init(&world, false);
	atomic_store(&world.llm, LLM_OVERLOADED);
	atomic_store(&world.overloads, 1000000);
	world_set(&world, "llm.give_up_after", "1.5");
	oe_controller *controller = world_seeded(&world);
	double begin = processor_seconds();

	ck_assert_int_eq(world_run(controller), OE_REASON_LLM);
	ck_assert_double_le(processor_seconds() - begin, 1);
	oe_controller_free(controller);
	world_done(&world);
}
END_TEST

/* M15: and never programs. Only the initial one is evaluated. */
START_TEST(test_hopeless_requests_are_outcomes)
{
	struct world world;
	world_init(&world, false);
	world_set(&world, "max_iterations", "5");
	atomic_store(&world.llm, LLM_HOPELESS);
	oe_controller *controller = world_seeded(&world);

	int reason = world_run(controller);
	oe_statistics numbers = world_numbers(controller);
	ck_assert_int_eq(numbers.outcomes[OE_OUTCOME_LLM_FAILED], numbers.ended);
	ck_assert(reason == OE_REASON_ITERATIONS || reason == OE_REASON_LLM);
	ck_assert_int_eq(atomic_load(&world.evaluated), 1);
	oe_controller_free(controller);
	world_done(&world);
}
END_TEST

/* ---- stopping ---- */

START_TEST(test_stop_cancels_the_model)
{
	struct world world;
	world_init(&world, true);
	atomic_store(&world.llm, LLM_STUCK);
	oe_controller *controller = world_seeded(&world);

	wait_until_stuck(controller, &world, 1);
	double begin = seconds();
	oe_controller_stop(controller, OE_STOP_CANCEL);
	ck_assert_int_eq(wait_for(controller, OE_EVENT_DONE).stop, OE_REASON_REQUESTED);
	ck_assert_double_le(seconds() - begin, TEST_PATIENCE_S);
	oe_controller_free(controller);

	/* What was under way goes on where it was. */
	atomic_store(&world.llm, LLM_ANSWERS);
	controller = world_resumed(&world);
	ck_assert_int_eq(world_run(controller), OE_REASON_ITERATIONS);
	oe_statistics numbers = world_numbers(controller);
	ck_assert_int_eq(numbers.ended, 40);
	ck_assert_int_eq(world_outcomes(&numbers), 40);
	ck_assert_int_eq(numbers.outcomes[OE_OUTCOME_CANCELLED] + numbers.outcomes[OE_OUTCOME_LOST], 0);
	oe_controller_free(controller);
	world_done(&world);
}
END_TEST

START_TEST(test_stop_cancels_evaluations)
{
	struct world world;
	world_init(&world, true);
	world_set(&world, "evaluator.grace", "0.2");
	atomic_store(&world.evaluator, EVALUATOR_STUCK);
	oe_controller *controller = world_seeded(&world);

	wait_until_stuck(controller, &world, 1);
	double begin = seconds();
	oe_controller_stop(controller, OE_STOP_CANCEL);
	ck_assert_int_eq(wait_for(controller, OE_EVENT_DONE).stop, OE_REASON_REQUESTED);
	ck_assert_double_ge(seconds() - begin, 0.2);
	ck_assert_double_le(seconds() - begin, TEST_PATIENCE_S);
	oe_controller_free(controller);

	/* Their answers are kept: nobody pays for them twice. */
	int asked = atomic_load(&world.asked);
	atomic_store(&world.evaluator, EVALUATOR_SCORES);
	controller = world_resumed(&world);
	ck_assert_int_eq(world_run(controller), OE_REASON_ITERATIONS);
	ck_assert_int_eq(world_numbers(controller).ended, 40);
	ck_assert_int_le(atomic_load(&world.asked), 40);
	ck_assert_int_gt(atomic_load(&world.asked), asked - 1);
	oe_controller_free(controller);
	world_done(&world);
}
END_TEST

/* Who asks twice is not made to wait for the moment that was granted. */
START_TEST(test_kill_ends_the_moment_of_grace)
{
	struct world world;
	const oe_event *event;
	world_init(&world, false);
	world_set(&world, "evaluator.grace", "5"); /* there is no longer one */
	atomic_store(&world.evaluator, EVALUATOR_STUCK);
	oe_controller *controller = world_seeded(&world);

	wait_until_stuck(controller, &world, 1);
	oe_controller_stop(controller, OE_STOP_CANCEL);
	while (oe_controller_step(controller, 0, &event, NULL) > 0)
		ck_assert_int_ne(event->type, OE_EVENT_DONE);
	double begin = seconds();
	oe_controller_stop(controller, OE_STOP_KILL);
	ck_assert_int_eq(wait_for(controller, OE_EVENT_DONE).stop, OE_REASON_REQUESTED);
	ck_assert_double_lt(seconds() - begin, 4.5);
	oe_controller_free(controller);
	world_done(&world);
}
END_TEST

static void *stop_soon(void *controller)
{
	world_pause_ms(50);
	oe_controller_stop(controller, OE_STOP_DRAIN);
	return NULL;
}

/* M18: a run that has ended has nothing under way, and what was paid for belongs to it. */
START_TEST(test_stop_from_another_thread)
{
	struct world world;
	pthread_t thread;
	world_init(&world, false);
	world_set(&world, "max_iterations", "100000000");
	oe_controller *controller = world_seeded(&world);

	ck_assert_int_eq(pthread_create(&thread, NULL, stop_soon, controller), 0);
	ck_assert_int_eq(world_run(controller), OE_REASON_REQUESTED);
	pthread_join(thread, NULL);
	oe_statistics numbers = world_numbers(controller);
	ck_assert_int_eq(numbers.issued, numbers.ended);
	ck_assert_int_eq(world_outcomes(&numbers), numbers.ended);
	ck_assert_int_eq(atomic_load(&world.asked), numbers.issued);
	int64_t duplicates = numbers.outcomes[OE_OUTCOME_DUPLICATE] + numbers.outcomes[OE_OUTCOME_EQUIVALENT];
	ck_assert_int_eq(atomic_load(&world.evaluated), 1 + numbers.ended - duplicates);
	oe_controller_free(controller);
	world_done(&world);
}
END_TEST

START_TEST(test_deaf_evaluator_is_left_behind)
{
	struct world world;
	world_init(&world, false);
	world_set(&world, "max_iterations", "2");
	world_set(&world, "evaluator.timeout", "0.1");
	world_set(&world, "evaluator.parallel_evaluations", "2");
	atomic_store(&world.evaluator, EVALUATOR_DEAF);
	oe_controller *controller = world_seeded(&world);

	ck_assert_int_eq(world_run(controller), OE_REASON_ITERATIONS);
	oe_statistics numbers = world_numbers(controller);
	ck_assert_int_eq(numbers.outcomes[OE_OUTCOME_TIMED_OUT], 2);
	ck_assert_int_eq(numbers.evaluations_timed_out, 2);
	atomic_store(&world.evaluator, EVALUATOR_SCORES);
	oe_controller_free(controller);
	world_done(&world);
}
END_TEST

/* Neither a model nor an evaluator that hears nothing can keep a run from ending. */
START_TEST(test_stop_leaves_the_deaf_behind)
{
	for (int who = 0; who < 2; who++) {
		struct world world;
		world_init(&world, false);
		world_set(&world, "evaluator.grace", "0.1");
		if (who == 0)
			atomic_store(&world.llm, LLM_DEAF);
		else
			atomic_store(&world.evaluator, EVALUATOR_DEAF);
		oe_controller *controller = world_seeded(&world);
		wait_until_stuck(controller, &world, 1);

		double begin = seconds();
		oe_controller_stop(controller, OE_STOP_CANCEL);
		ck_assert_int_eq(wait_for(controller, OE_EVENT_DONE).stop, OE_REASON_REQUESTED);
		ck_assert_double_le(seconds() - begin, TEST_PATIENCE_S);
		atomic_store(&world.llm, LLM_ANSWERS);
		atomic_store(&world.evaluator, EVALUATOR_SCORES);
		oe_controller_free(controller);
		world_done(&world);
	}
}
END_TEST

/* What breaks on our side is tried again, as often as the configuration says. */
START_TEST(test_broken_evaluations_are_repeated)
{
	struct world world;
	world_init(&world, false);
	world_set(&world, "max_iterations", "2");
	world_set(&world, "evaluator.max_retries", "4");
	atomic_store(&world.evaluator, EVALUATOR_BREAKS);
	oe_controller *controller = world_seeded(&world);

	ck_assert_int_eq(world_run(controller), OE_REASON_ITERATIONS);
	ck_assert_int_eq(world_numbers(controller).outcomes[OE_OUTCOME_EVALUATION_FAILED], 2);
	ck_assert_int_eq(atomic_load(&world.evaluated), 1 + 2 * (1 + 4));
	oe_controller_free(controller);
	world_done(&world);
}
END_TEST

START_TEST(test_failures_are_shown_not_kept)
{
	struct world world;
	world_init(&world, true);
	world_set(&world, "max_iterations", "6");
	atomic_store(&world.evaluator, EVALUATOR_FAILS);
	oe_controller *controller = world_seeded(&world);

	ck_assert_int_eq(world_run(controller), OE_REASON_ITERATIONS);
	oe_statistics numbers = world_numbers(controller);
	ck_assert_int_eq(numbers.outcomes[OE_OUTCOME_EVALUATION_FAILED], 6);
	ck_assert_int_eq(numbers.evaluations_failed, 6);
	ck_assert_int_eq(numbers.programs, 1);
	oe_controller_free(controller);

	oe_run *run = NULL;
	char *system = NULL, *user = NULL;
	oe_error err = { 0 };
	ck_assert_int_eq(oe_run_open(world.directory, &run, &err), 0);
	int status = oe_run_prompt(run, 6, -1, &system, &user, &err);
	ck_assert_msg(status == 0, "%s", err.message);
	/* With a window the last prompt may have been made before some of the failures. */
	oe_run_free_text(system);
	oe_run_free_text(user);
	oe_run_close(run);
	world_done(&world);
}
END_TEST

/* ---- from outside ---- */

START_TEST(test_pause_and_continue)
{
	struct world world;
	const oe_event *event;
	world_init(&world, false);
	world_set(&world, "max_iterations", "100000000");
	oe_controller *controller = world_seeded(&world);

	wait_for(controller, OE_EVENT_ITERATION);
	oe_controller_pause(controller);
	wait_for(controller, OE_EVENT_PAUSED);
	while (oe_controller_step(controller, 100, &event, NULL) > 0)
		continue;
	oe_statistics paused = world_numbers(controller);
	ck_assert_int_eq(paused.issued, paused.ended);
	oe_controller_continue(controller);
	wait_for(controller, OE_EVENT_ITERATION);
	oe_controller_stop(controller, OE_STOP_CANCEL);
	wait_for(controller, OE_EVENT_DONE);
	oe_controller_free(controller);
	world_done(&world);
}
END_TEST

START_TEST(test_inject)
{
	struct world world;
	oe_program *better = NULL;
	world_init(&world, false);
	world_set(&world, "max_iterations", "100000000");
	world_set(&world, "target_score", "1.5");
	oe_controller *controller = world_seeded(&world);

	wait_for(controller, OE_EVENT_ITERATION);
	ck_assert_int_eq(oe_program_new("value 2000000", 13, "text", &better), 0);
	ck_assert_int_eq(oe_controller_inject(controller, better), 0);
	oe_program_unref(better);
	ck_assert_int_eq(world_run(controller), OE_REASON_TARGET);
	ck_assert_double_eq_tol(world_numbers(controller).best_fitness, 2, 1e-9);
	oe_controller_free(controller);
	world_done(&world);
}
END_TEST

TEST_MAIN("controller", test_all_iterations, test_events_tell_everything, test_target_and_patience,
		  test_time, test_refused_key_ends_the_run, test_provider_comes_back,
		  test_every_outage_is_told, test_waiting_is_idle,
		  test_hopeless_requests_are_outcomes, test_stop_cancels_the_model,
		  test_stop_cancels_evaluations, test_kill_ends_the_moment_of_grace, test_stop_from_another_thread,
		  test_deaf_evaluator_is_left_behind, test_stop_leaves_the_deaf_behind,
		  test_broken_evaluations_are_repeated, test_failures_are_shown_not_kept, test_pause_and_continue, test_inject)
