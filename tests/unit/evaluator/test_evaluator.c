/* lib/evaluator/evaluator.c: what is accepted as an evaluator, and the one way to call any of them. */

#include "scripted.h"

static int evaluate_nothing(void *self, const oe_evaluation_request *request,
							oe_evaluation *evaluation, oe_error *err)
{
	(void)self, (void)request, (void)evaluation, (void)err;
	return 0;
}

START_TEST(test_tables)
{
	oe_evaluator_vtable both = OE_EVALUATOR_VTABLE_INIT, neither = OE_EVALUATOR_VTABLE_INIT,
						unnamed = both, unsized = both, good = both;
	oe_evaluator *evaluator = NULL;
	oe_error err;

	both.name = neither.name = unsized.name = good.name = "test";
	both.evaluate = unnamed.evaluate = unsized.evaluate = good.evaluate = evaluate_nothing;
	both.start = evaluate_nothing;
	unsized.struct_size = 1;
	ck_assert_int_eq(oe_evaluator_new(&both, NULL, &evaluator, &err), OE_ERR_INVALID);
	ck_assert_ptr_nonnull(strstr(err.message, "'test'"));
	ck_assert_int_eq(oe_evaluator_new(&neither, NULL, &evaluator, &err), OE_ERR_INVALID);
	ck_assert_int_eq(oe_evaluator_new(&unnamed, NULL, &evaluator, &err), OE_ERR_INVALID);
	ck_assert_int_eq(oe_evaluator_new(&unsized, NULL, &evaluator, &err), OE_ERR_INVALID);
	ck_assert_int_eq(oe_evaluator_new(NULL, NULL, &evaluator, &err), OE_ERR_INVALID);
	ck_assert_int_eq(oe_evaluator_new(&good, NULL, NULL, &err), OE_ERR_INVALID);
	ck_assert_ptr_null(evaluator);
	ck_assert_int_eq(oe_evaluator_new(&good, NULL, &evaluator, NULL), 0);
	ck_assert_str_eq(oe_evaluator_name(evaluator), "test");
	ck_assert_ptr_null(oe_evaluator_confinement(evaluator));
	ck_assert_ptr_null(oe_evaluator_confinement(NULL));
	oe_evaluator_unref(evaluator);
	oe_evaluator_unref(NULL);
}
END_TEST

START_TEST(test_result)
{
	static const struct eval_step steps[] = {
		{ .metric = "combined_score", .value = 0.5, .artifact = "hello" },
		{ .status = OE_ERR_EVALUATOR },
		{ .status = OE_ERR_IO, .refuses = true },
	};
	struct scripted scripted;
	oe_evaluator *evaluator = scripted_evaluator(&scripted, steps, 3);
	OE__AUTO(evaluation) oe_evaluation *good = evaluate(evaluator);
	oe_error err = { 0 };

	ck_assert_double_eq(metric_of(good, "combined_score"), 0.5);
	ck_assert_pstr_eq(artifact_of(good, "said"), "hello");
	ck_assert(good->wall_ms >= 0); /* measured where nobody said */
	ck_assert_uint_eq(scripted.seed, 7);
	ck_assert_uint_eq(good->footprint.seed, 7);
	ck_assert_int_eq(scripted.timeout_ms, 1500);
	ck_assert_int_eq(evaluate_badly(evaluator, &err), OE_ERR_EVALUATOR);
	ck_assert_ptr_nonnull(strstr(err.message, "step failed"));
	ck_assert_int_eq(evaluate_badly(evaluator, &err), OE_ERR_IO);
	ck_assert_str_eq(err.message, "refused to start");
	ck_assert(!atomic_load(&scripted.script.freed));
	oe_evaluator_unref(evaluator);
	ck_assert(atomic_load(&scripted.script.freed));
}
END_TEST

START_TEST(test_arguments)
{
	static const struct eval_step step = { .metric = "a" };
	struct scripted scripted;
	OE__AUTO(evaluator) oe_evaluator *evaluator = scripted_evaluator(&scripted, &step, 1);
	OE__AUTO(program) oe_program *program = NULL;
	oe_evaluation *evaluation = NULL;
	oe_error err;

	ck_assert_int_eq(oe_program_new("x", 1, NULL, &program), 0);
	ck_assert_int_eq(oe_evaluator_run(NULL, program, 1, 0, &evaluation, &err), OE_ERR_INVALID);
	ck_assert_int_eq(oe_evaluator_run(evaluator, NULL, 1, 0, &evaluation, &err), OE_ERR_INVALID);
	ck_assert_int_eq(oe_evaluator_run(evaluator, program, 1, 0, NULL, &err), OE_ERR_INVALID);
	ck_assert_uint_eq(scripted.script.asked, 0);
}
END_TEST

/* ---- blocking evaluators ---- */

struct blocking {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	int running, most, calls; /* guarded by mutex, from here on */
	bool open;                /* calls return */
};

static int block(void *self, const oe_evaluation_request *request, oe_evaluation *evaluation,
				 oe_error *err)
{
	struct blocking *blocking = self;
	(void)request, (void)err;

	OE__LOCKED(&blocking->mutex);
	blocking->calls++;
	blocking->running++;
	blocking->most = blocking->running > blocking->most ? blocking->running : blocking->most;
	pthread_cond_broadcast(&blocking->changed);
	while (!blocking->open)
		pthread_cond_wait(&blocking->changed, &blocking->mutex);
	blocking->running--;
	return oe_evaluation_set_metric(evaluation, "a", 1);
}

static oe_evaluator *blocking_evaluator(struct blocking *blocking, int threading, int32_t threads)
{
	oe_evaluator_vtable vtable = OE_EVALUATOR_VTABLE_INIT;
	oe_evaluator *evaluator = NULL;

	*blocking = (struct blocking){ .running = 0 };
	pthread_mutex_init(&blocking->mutex, NULL);
	pthread_cond_init(&blocking->changed, NULL);
	vtable.name = "blocking";
	vtable.threading = threading;
	vtable.evaluate = block;
	ck_assert_int_eq(oe_evaluator_new(&vtable, blocking, &evaluator, NULL), 0);
	oe__evaluator_set_threads(evaluator, threads);
	return evaluator;
}

static void wait_running(struct blocking *blocking, int count)
{
	OE__LOCKED(&blocking->mutex);
	while (blocking->running < count)
		pthread_cond_wait(&blocking->changed, &blocking->mutex);
}

static void let_go(struct blocking *blocking)
{
	OE__LOCKED(&blocking->mutex);
	blocking->open = true;
	pthread_cond_broadcast(&blocking->changed);
}

static void check_threads(int threading, int32_t threads, int wanted)
{
	struct blocking blocking;
	struct tasks all;
	OE__AUTO(evaluator) oe_evaluator *evaluator = blocking_evaluator(&blocking, threading, threads);

	tasks_start(&all, evaluator, 12);
	wait_running(&blocking, wanted);
	let_go(&blocking);
	tasks_wait(&all);
	for (size_t i = 0; i < 12; i++)
		ck_assert_double_eq(metric_of(all.items[i].call.evaluation, "a"), 1);
	tasks_done(&all);
	ck_assert_int_eq(blocking.most, wanted);
}

START_TEST(test_threads)
{
	check_threads(OE_THREADING_PARALLEL, 5, 5);
	check_threads(OE_THREADING_PARALLEL, 100, 12);
	check_threads(OE_THREADING_SERIAL, 5, 1);
}
END_TEST

/* What waits for its turn and is cancelled meanwhile never begins. */
START_TEST(test_cancelled_in_the_queue)
{
	struct blocking blocking;
	struct tasks all;
	OE__AUTO(evaluator) oe_evaluator *evaluator =
		blocking_evaluator(&blocking, OE_THREADING_SERIAL, 1);
	size_t finished = 0;

	tasks_start(&all, evaluator, 5);
	wait_running(&blocking, 1);
	for (size_t i = 0; i < 5; i++)
		oe__evaluator_cancel(&all.items[i].call);
	let_go(&blocking);
	tasks_wait(&all);
	for (size_t i = 0; i < 5; i++) {
		finished += all.items[i].call.status == 0;
		ck_assert(all.items[i].call.status == 0 || all.items[i].call.status == OE_ERR_CANCELLED);
	}
	ck_assert_uint_eq(finished, 1); /* it did not look */
	tasks_done(&all);
	ck_assert_int_eq(blocking.calls, 1);
}
END_TEST

/* ---- ends of other kinds ---- */

START_TEST(test_cancel)
{
	static const struct eval_step held = { .held = true };
	struct scripted scripted;
	struct tasks all;
	OE__AUTO(evaluator) oe_evaluator *evaluator = scripted_evaluator(&scripted, &held, 1);

	tasks_start(&all, evaluator, 10);
	for (size_t i = 0; i < 10; i++) {
		oe__evaluator_cancel(&all.items[i].call);
		oe__evaluator_cancel(&all.items[i].call);
	}
	tasks_check_cancelled(&all);
}
END_TEST

static void drop_all(struct oe__evaluation_call *call)
{
	ck_assert_int_eq(call->status, OE_ERR_CANCELLED);
	oe_evaluator_unref(call->evaluator);
	oe_program_unref(call->program);
	oe__evaluation_call_release(call);
	oe__free(call);
}

/* The last references may go in `done`, and that may come out of the cancellation itself. */
START_TEST(test_last_reference_in_done)
{
	static const struct eval_step held = { .held = true };
	struct scripted scripted;
	oe_evaluator *evaluator = scripted_evaluator(&scripted, &held, 1);
	struct oe__evaluation_call *call = oe__calloc(1, sizeof(*call));

	ck_assert_int_eq(oe_program_new("x", 1, NULL, &call->program), 0);
	call->done = drop_all;
	ck_assert_int_eq(oe__evaluator_prepare(evaluator, call), 0);
	oe__evaluator_submit(call);
	oe__evaluator_cancel(call); /* after this nothing of it is left */
	ck_assert(atomic_load(&scripted.script.freed));
}
END_TEST

static void never_done(struct oe__evaluation_call *call)
{
	ck_abort_msg("call %p was abandoned", (void *)call);
}

/* An evaluator that comes back too late writes to something that nobody reads; its request is valid
   until then. */
START_TEST(test_abandon)
{
	static const struct eval_step held = { .held = true };
	static const struct eval_step late = { .metric = "a", .artifact = "late" };
	struct scripted scripted;
	oe_evaluator *evaluator = scripted_evaluator(&scripted, &held, 1);
	struct oe__evaluation_call call = { .done = never_done };

	ck_assert_int_eq(oe_program_new("x", 1, NULL, &call.program), 0);
	ck_assert_int_eq(oe__evaluator_prepare(evaluator, &call), 0);
	oe__evaluator_submit(&call);
	ck_assert(oe__evaluator_abandon(&call));
	ck_assert(!oe__evaluator_abandon(&call));
	oe__evaluation_call_release(&call);
	oe_program_unref(call.program);
	oe_evaluator_unref(evaluator);
	ck_assert(!atomic_load(&scripted.script.freed));
	oe_evaluation *evaluation = script_take(&scripted.script, NULL);
	ck_assert_int_ne(oe_evaluation_cancelled(evaluation), 0);
	scripted_finish(&late, evaluation);
	ck_assert(atomic_load(&scripted.script.freed));
}
END_TEST

TEST_MAIN("evaluator", test_tables, test_result, test_arguments, test_threads,
		  test_cancelled_in_the_queue, test_cancel, test_last_reference_in_done, test_abandon)
