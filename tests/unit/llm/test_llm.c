/* lib/llm/llm.c: what is accepted as a backend, and the one way to call any of them. */

#include "base/buffer.h"
#include "llm/relay.h"
#include "tests/unit/llm/scripted.h"

static int generate_nothing(void *self, const oe_llm_request *request, oe_completion *completion,
							oe_error *err)
{
	(void)self, (void)request, (void)completion, (void)err;
	return 0;
}

/* ---- making ---- */

START_TEST(test_tables)
{
	oe_llm_vtable both = OE_LLM_VTABLE_INIT, neither = OE_LLM_VTABLE_INIT, unnamed = both,
				  unsized = both, good = both;
	oe_llm *llm = NULL;
	oe_error err;

	both.name = neither.name = unsized.name = good.name = "test";
	both.generate = unnamed.generate = unsized.generate = good.generate = generate_nothing;
	both.start = generate_nothing;
	unsized.struct_size = 1;
	ck_assert_int_eq(oe_llm_new(&both, NULL, &llm, &err), OE_ERR_INVALID);
	ck_assert_ptr_nonnull(strstr(err.message, "'test'"));
	ck_assert_int_eq(oe_llm_new(&neither, NULL, &llm, &err), OE_ERR_INVALID);
	ck_assert_int_eq(oe_llm_new(&unnamed, NULL, &llm, &err), OE_ERR_INVALID);
	ck_assert_int_eq(oe_llm_new(&unsized, NULL, &llm, &err), OE_ERR_INVALID);
	ck_assert_int_eq(oe_llm_new(NULL, NULL, &llm, &err), OE_ERR_INVALID);
	ck_assert_int_eq(oe_llm_new(&good, NULL, NULL, &err), OE_ERR_INVALID);
	ck_assert_ptr_null(llm);
	ck_assert_int_eq(oe_llm_new(&good, NULL, &llm, NULL), 0);
	oe_llm_unref(llm);
	oe_llm_unref(NULL);
}
END_TEST

/* An older program's table ends earlier, a newer one's later: neither is read past what both know. */
START_TEST(test_table_sizes)
{
	struct {
		oe_llm_vtable vtable;
		void *more;
	} newer = { OE_LLM_VTABLE_INIT, NULL };
	struct {
		size_t struct_size;
		const char *name;
		int32_t threading;
		int (*generate)(void *, const oe_llm_request *, oe_completion *, oe_error *);
	} older = { sizeof(older), "older", OE_THREADING_SERIAL, generate_nothing };
	OE__AUTO(llm) oe_llm *first = NULL, *second = NULL;

	newer.vtable.struct_size = sizeof(newer);
	newer.vtable.name = "newer";
	newer.vtable.generate = generate_nothing;
	ck_assert_int_eq(oe_llm_new(&newer.vtable, NULL, &first, NULL), 0);
	ck_assert_int_eq(oe_llm_new((const oe_llm_vtable *)(const void *)&older, NULL, &second, NULL), 0);
	ck_assert_int_eq(ask_one(second, "question").status, 0); /* without cancel() and free() */
}
END_TEST

START_TEST(test_life)
{
	struct scripted scripted;
	oe_llm *llm = scripted_llm(&scripted, NULL, 0);

	ck_assert_ptr_eq(oe_llm_ref(llm), llm);
	oe_llm_unref(llm);
	ck_assert(!atomic_load(&scripted.script.freed));
	oe_llm_unref(llm);
	ck_assert(atomic_load(&scripted.script.freed));
}
END_TEST

/* ---- blocking backends ---- */

struct blocking {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	int running, most, calls; /* guarded by mutex, from here on */
	bool open;                /* calls return */
};

static int block(void *self, const oe_llm_request *request, oe_completion *completion,
				 oe_error *err)
{
	struct blocking *blocking = self;
	(void)err;

	OE__LOCKED(&blocking->mutex);
	blocking->calls++;
	blocking->running++;
	blocking->most = blocking->running > blocking->most ? blocking->running : blocking->most;
	pthread_cond_broadcast(&blocking->changed);
	while (!blocking->open)
		pthread_cond_wait(&blocking->changed, &blocking->mutex);
	blocking->running--;
	return oe_completion_append(completion, request->user, request->user_size);
}

static oe_llm *blocking_llm(struct blocking *blocking, int threading, int32_t threads)
{
	oe_llm_vtable vtable = OE_LLM_VTABLE_INIT;
	oe_llm *llm = NULL;

	*blocking = (struct blocking){ .running = 0 };
	pthread_mutex_init(&blocking->mutex, NULL);
	pthread_cond_init(&blocking->changed, NULL);
	vtable.name = "blocking";
	vtable.threading = threading;
	vtable.generate = block;
	ck_assert_int_eq(oe_llm_new(&vtable, blocking, &llm, NULL), 0);
	oe__llm_set_limits(llm, 100, threads);
	return llm;
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
	struct questions all;
	OE__AUTO(llm) oe_llm *llm = blocking_llm(&blocking, threading, threads);

	questions_ask(&all, llm, 12, "question");
	wait_running(&blocking, wanted);
	let_go(&blocking);
	questions_wait(&all);
	ck_assert_uint_eq(questions_answered(&all), 12);
	ck_assert_int_eq(questions_requests(&all), 12);
	questions_done(&all);
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
	struct questions all;
	OE__AUTO(llm) oe_llm *llm = blocking_llm(&blocking, OE_THREADING_SERIAL, 1);

	questions_ask(&all, llm, 5, "question");
	wait_running(&blocking, 1);
	for (size_t i = 0; i < 5; i++)
		oe__llm_cancel(&all.items[i].call);
	let_go(&blocking);
	questions_wait(&all);
	ck_assert_uint_eq(questions_answered(&all), 1); /* it did not look */
	for (size_t i = 0; i < 5; i++)
		ck_assert(all.items[i].call.status == 0 || all.items[i].call.status == OE_ERR_CANCELLED);
	questions_done(&all);
	ck_assert_int_eq(blocking.calls, 1);
}
END_TEST

/* ---- one question ---- */

START_TEST(test_limit)
{
	struct blocking blocking;
	OE__AUTO(llm) oe_llm *llm = blocking_llm(&blocking, OE_THREADING_SERIAL, 1);

	let_go(&blocking); /* it answers what it was asked */
	oe__llm_set_limits(llm, 10, 1);
	struct told told = ask_one(llm, "0123456789");
	ck_assert_int_eq(told.status, 0);
	ck_assert_str_eq(told.text, "0123456789");
	ck_assert_int_eq(ask_one(llm, "0123456789x").status, OE_ERR_LIMIT);
}
END_TEST

START_TEST(test_ask)
{
	static const struct scripted_step steps[] = {
		{ 0, -1, -1, "answer", false, false },
		{ OE_ERR_LLM, OE_LLM_FAILURE_ACCESS, -1, NULL, false, false },
	};
	struct scripted scripted;
	OE__AUTO(llm) oe_llm *llm = scripted_llm(&scripted, steps, 2);
	OE__AUTO(completion) oe_completion *completion = NULL;
	oe_completion *none = NULL;
	oe_error err;

	ck_assert_int_eq(oe_llm_ask(NULL, "", "", 1, &none, &err), OE_ERR_INVALID);
	ck_assert_int_eq(oe_llm_ask(llm, "", NULL, 1, &none, &err), OE_ERR_INVALID);
	ck_assert_int_eq(oe_llm_ask(llm, "", "", 1, NULL, &err), OE_ERR_INVALID);
	ck_assert_int_eq(oe_llm_ask(llm, NULL, "question", 77, &completion, &err), 0);
	ck_assert_str_eq(oe_completion_text(completion, NULL), "answer");
	ck_assert_int_eq(oe_completion_attempts(completion), 1);
	ck_assert_uint_eq(scripted.seeds[0], 77);
	ck_assert_int_eq(oe_llm_ask(llm, NULL, "question", 77, &none, &err), OE_ERR_LLM);
	ck_assert_ptr_null(none);
	ck_assert_ptr_nonnull(strstr(err.message, "step failed"));
}
END_TEST

/* What a failure is, where the backend does not say. */
START_TEST(test_failures)
{
	static const struct {
		int status, said, wanted;
	} cases[] = {
		{ OE_ERR_TIMEOUT, -1, OE_LLM_FAILURE_TRANSIENT },
		{ OE_ERR_IO, -1, OE_LLM_FAILURE_TRANSIENT },
		{ OE_ERR_LLM, -1, OE_LLM_FAILURE_REQUEST },
		{ OE_ERR_NOMEM, -1, OE_LLM_FAILURE_REQUEST },
		{ OE_ERR_TIMEOUT, OE_LLM_FAILURE_ACCESS, OE_LLM_FAILURE_ACCESS },
		{ OE_ERR_TIMEOUT, 12, OE_LLM_FAILURE_TRANSIENT }, /* no class at all */
	};

	for (size_t i = 0; i < OE__COUNT(cases); i++) {
		struct scripted scripted;
		struct scripted_step step = { cases[i].status, cases[i].said, -1, NULL, false, false };
		OE__AUTO(llm) oe_llm *llm = scripted_llm(&scripted, &step, 1);
		struct told told = ask_one(llm, "question");
		ck_assert_int_eq(told.status, cases[i].status);
		ck_assert_int_eq(told.failure, cases[i].wanted);
	}
}
END_TEST

static void never_done(struct oe__llm_call *call)
{
	ck_abort_msg("call %p was abandoned", (void *)call);
}

static const oe_llm_request *seen;

static int keep_request(void *self, const oe_llm_request *request, oe_completion *completion,
						oe_error *err)
{
	(void)err;
	seen = request;
	*(oe_completion **)self = completion;
	return 0;
}

/* A backend may look at its request until it finishes, even when nobody waits any more. */
START_TEST(test_abandoned_request)
{
	oe_llm_vtable vtable = OE_LLM_VTABLE_INIT;
	oe_completion *held = NULL;
	struct oe__llm_call call = { .done = never_done };
	OE__AUTO(llm) oe_llm *llm = NULL;
	char *user = oe__strdup("the question"), *system = oe__strdup("the system");

	vtable.name = "slow";
	vtable.start = keep_request;
	ck_assert_int_eq(oe_llm_new(&vtable, &held, &llm, NULL), 0);
	call.request.system = system;
	call.request.system_size = strlen(system);
	call.request.user = user;
	call.request.user_size = strlen(user);
	ck_assert_int_eq(oe__llm_prepare(llm, &call), 0);
	ck_assert(!oe__llm_abandon(&call)); /* it is not out yet */
	oe__llm_submit(&call);
	ck_assert(oe__llm_abandon(&call));
	ck_assert(!oe__llm_abandon(&call));
	oe__llm_call_release(&call);
	memset(user, 'x', strlen(user));
	memset(system, 'x', strlen(system));
	oe__free(user);
	oe__free(system);
	ck_assert_uint_eq(seen->struct_size, sizeof(*seen));
	ck_assert_str_eq(seen->user, "the question");
	ck_assert_str_eq(seen->system, "the system");
	ck_assert_str_eq(seen->language, "");
	oe_completion_finish(held, 0, NULL);
}
END_TEST

START_TEST(test_cancelled_before)
{
	static const struct scripted_step step = { 0, -1, -1, "answer", false, false };
	struct scripted scripted;
	OE__AUTO(llm) oe_llm *llm = scripted_llm(&scripted, &step, 1);
	struct questions all;

	pthread_mutex_init(&all.mutex, NULL);
	oe__cond_init(&all.done);
	struct question question = { .call = { .done = question_done }, .all = &all };
	all.count = all.left = 1;
	all.items = &question;
	question.call.request.system = question.call.request.user = "";
	ck_assert_int_eq(oe__llm_prepare(llm, &question.call), 0);
	oe__llm_cancel(&question.call);
	oe__llm_submit(&question.call);
	questions_wait(&all);
	ck_assert_int_eq(question.call.status, OE_ERR_CANCELLED);
	ck_assert_uint_eq(scripted.script.asked, 0);
	ck_assert_uint_eq(scripted.script.cancelled, 1);
	oe__llm_call_release(&question.call);
}
END_TEST

TEST_MAIN("llm", test_tables, test_table_sizes, test_life, test_threads, test_cancelled_in_the_queue,
		  test_limit, test_ask, test_failures, test_abandoned_request, test_cancelled_before)
