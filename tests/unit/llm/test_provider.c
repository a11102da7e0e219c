/* Models behind HTTP, against the fake server: answers, failures and how often it was asked. */

#include "tests/unit/llm/asking.h"

#define MODEL   "  models: [{name: fake}]\n"
#define FAST    "  retry_delay: 0.01\n  timeout: 100\n"
#define PROGRAM "```python\n# EVOLVE-BLOCK-START\nx = 1\n# EVOLVE-BLOCK-END\n```"

#define SCRIPT(steps) "{\"script\": [" steps "]}"

static struct asking asking;

static void set(const char *json)
{
	fake_llm_control(&asking.fake, json);
}

static void check_requests(int64_t ours)
{
	ck_assert_int_eq(ours, (int64_t)fake_llm_stat(&asking.fake, "requests"));
}

START_TEST(test_answer)
{
	asking_begin(&asking, NULL, MODEL FAST);
	set(SCRIPT("\"caf\\u00e9 \\\"quoted\\\"\\n\""));
	struct told told = ask_one(asking.llm, PROGRAM);
	ck_assert_int_eq(told.status, 0);
	ck_assert_str_eq(told.text, "caf\xc3\xa9 \"quoted\"\n");
	ck_assert_int_eq(told.finish, OE_FINISH_STOP);
	ck_assert_int_eq(told.requests, 1);
	ck_assert_int_gt(told.tokens_in, 0);
	ck_assert_int_gt(told.tokens_out, 0);
	check_requests(1);
	asking_end(&asking);
}
END_TEST

START_TEST(test_shapes)
{
	static const struct {
		const char *step;
		int finish;
	} cases[] = {
		{ "{\"fault\": \"parts\"}", OE_FINISH_STOP },
		{ "{\"fault\": \"chunked\"}", OE_FINISH_STOP },
		{ "{\"fault\": \"think\"}", OE_FINISH_STOP },
		{ "{\"fault\": \"empty\"}", OE_FINISH_EMPTY },
		{ "{\"fault\": \"null\"}", OE_FINISH_EMPTY },
		{ "{\"fault\": \"length\"}", OE_FINISH_LENGTH },
		{ "{\"fault\": \"filter\"}", OE_FINISH_REFUSAL },
		{ "{\"fault\": \"refusal\"}", OE_FINISH_REFUSAL },
	};
	static const char *const backends[] = { "openai", "anthropic", "azure" };

	for (size_t b = 0; b < OE__COUNT(backends); b++) {
		OE__AUTO(buffer) struct oe__buffer options = OE__BUFFER_INIT(0);
		oe__buffer_printf(&options, MODEL FAST "  backend: %s\n", backends[b]);
		asking_begin(&asking, NULL, options.data);
		for (size_t i = 0; i < OE__COUNT(cases); i++) {
			OE__AUTO(buffer) struct oe__buffer script = OE__BUFFER_INIT(0);
			oe__buffer_printf(&script, SCRIPT("%s"), cases[i].step);
			set(script.data);
			struct told told = ask_one(asking.llm, PROGRAM);
			ck_assert_msg(told.status == 0 && told.finish == cases[i].finish && told.requests == 1,
						  "%s, %s: status %d (%s), finish %d, %d requests", backends[b],
						  cases[i].step, told.status, told.error.message, told.finish,
						  told.requests);
		}
		asking_end(&asking);
	}
}
END_TEST

START_TEST(test_refused_key)
{
	const char *const flags[] = { "--key", "another", NULL };
	asking_begin(&asking, flags, MODEL FAST);
	struct told told = ask_one(asking.llm, PROGRAM);
	ck_assert_int_eq(told.status, OE_ERR_LLM);
	ck_assert_int_eq(told.failure, OE_LLM_FAILURE_ACCESS);
	ck_assert_ptr_nonnull(strstr(told.error.message, "key"));
	ck_assert_ptr_nonnull(strstr(told.error.message, "401"));
	ck_assert_int_eq(told.requests, 1);
	check_requests(1);
	asking_end(&asking);
}
END_TEST

START_TEST(test_accepted_key)
{
	const char *const flags[] = { "--key", "sk-secret-of-the-test", NULL };
	static const char *const backends[] = { "openai", "anthropic", "azure" };

	for (size_t b = 0; b < OE__COUNT(backends); b++) {
		OE__AUTO(buffer) struct oe__buffer options = OE__BUFFER_INIT(0);
		oe__buffer_printf(&options, MODEL FAST "  backend: %s\n", backends[b]);
		asking_begin(&asking, flags, options.data);
		struct told told = ask_one(asking.llm, PROGRAM);
		ck_assert_msg(told.status == 0, "%s: %s", backends[b], told.error.message);
		asking_end(&asking);
	}
}
END_TEST

/* The classes of failures, each with what is to follow. */
START_TEST(test_classes)
{
	static const struct {
		const char *fault;
		int failure;
		int32_t requests;
	} cases[] = {
		{ "400", OE_LLM_FAILURE_REQUEST, 1 },
		{ "401", OE_LLM_FAILURE_ACCESS, 1 },
		{ "403", OE_LLM_FAILURE_ACCESS, 1 },
		{ "404", OE_LLM_FAILURE_ACCESS, 1 },
		{ "408", OE_LLM_FAILURE_TRANSIENT, 3 },
		{ "429", OE_LLM_FAILURE_TRANSIENT, 3 },
		{ "500", OE_LLM_FAILURE_TRANSIENT, 3 },
		{ "502", OE_LLM_FAILURE_TRANSIENT, 3 },
		{ "503", OE_LLM_FAILURE_TRANSIENT, 3 },
		{ "529", OE_LLM_FAILURE_TRANSIENT, 3 },
		{ "bad-json", OE_LLM_FAILURE_TRANSIENT, 3 },
		{ "no-choices", OE_LLM_FAILURE_TRANSIENT, 3 },
		{ "cut", OE_LLM_FAILURE_TRANSIENT, 3 },
		{ "short-length", OE_LLM_FAILURE_TRANSIENT, 3 },
	};
	asking_begin(&asking, (const char *const[]){ "--retry-after", "0.01", NULL },
				 MODEL FAST "  retries: 2\n");
	for (size_t i = 0; i < OE__COUNT(cases); i++) {
		OE__AUTO(buffer) struct oe__buffer rate = OE__BUFFER_INIT(0);
		oe__buffer_printf(&rate, "{\"rate-%s\": 1}", cases[i].fault);
		set(rate.data);
		fake_llm_reset(&asking.fake);
		struct told told = ask_one(asking.llm, PROGRAM);
		ck_assert_msg(told.status < 0 && told.failure == cases[i].failure &&
						  told.requests == cases[i].requests && told.error.message[0],
					  "%s: status %d (%s), failure %d, %d requests", cases[i].fault, told.status,
					  told.error.message, told.failure, told.requests);
		check_requests(told.requests);
		oe__buffer_clear(&rate);
		oe__buffer_printf(&rate, "{\"rate-%s\": 0}", cases[i].fault);
		set(rate.data);
	}
	ck_assert_int_eq(ask_one(asking.llm, PROGRAM).status, 0);
	asking_end(&asking);
}
END_TEST

START_TEST(test_retry_after)
{
	asking_begin(&asking, (const char *const[]){ "--retry-after", "0.4", NULL }, MODEL FAST);
	set(SCRIPT("{\"fault\": \"429\"}, \"done\""));
	struct told told = ask_one(asking.llm, PROGRAM);
	ck_assert_int_eq(told.status, 0);
	ck_assert_str_eq(told.text, "done");
	ck_assert_int_eq(told.requests, 2);
	ck_assert_int_ge(told.took_ms, 400);
	ck_assert_int_lt(told.took_ms, TEST_PATIENCE_MS);
	check_requests(2);
	asking_end(&asking);
}
END_TEST

/* A storm of faults over many questions: nobody asks more often than allowed, and the counts of
   both sides agree. */
START_TEST(test_storm)
{
	const char *const flags[] = {
		"--retry-after",   "0.01", "--rate-429",   "0.2",  "--rate-500", "0.1",
		"--rate-drop",     "0.05", "--rate-reset", "0.05", "--rate-cut", "0.05",
		"--rate-bad-json", "0.05", "--latency",    "2",    NULL
	};
	struct questions all;

	asking_begin(&asking, flags, MODEL FAST "  retries: 4\n  concurrency: 100\n");
	questions_ask(&all, asking.llm, 300, PROGRAM);
	questions_wait(&all);
	for (size_t i = 0; i < all.count; i++) {
		struct oe__llm_call *call = &all.items[i].call;
		ck_assert_msg(call->status == 0 || oe__llm_failure(call) == OE_LLM_FAILURE_TRANSIENT, "%s",
					  call->completion->error.message);
	}
	ck_assert_uint_ge(questions_answered(&all), 250); /* 0.5^5 of them are expected to fail: 9, and never 50 */
	check_requests(questions_requests(&all));
	questions_done(&all);
	asking_end(&asking);
}
END_TEST

START_TEST(test_hang)
{
	asking_begin(&asking, NULL, MODEL "  retries: 1\n  retry_delay: 0\n  timeout: 0.15\n");
	set("{\"rate-hang\": 1}");
	struct told told = ask_one(asking.llm, PROGRAM);
	ck_assert_int_eq(told.status, OE_ERR_TIMEOUT);
	ck_assert_int_eq(told.failure, OE_LLM_FAILURE_TRANSIENT);
	ck_assert_int_eq(told.requests, 2);
	ck_assert_int_ge(told.took_ms, 300);
	ck_assert_int_lt(told.took_ms, TEST_PATIENCE_MS);
	check_requests(2);
	/* The deadline has closed the sockets. */
	while (fake_llm_stat(&asking.fake, "in_flight") > 0)
		(void)sched_yield();
	asking_end(&asking);
}
END_TEST

START_TEST(test_slow)
{
	/* Bytes keep coming, but not fast enough: the deadline is for the whole answer. */
	asking_begin(&asking, (const char *const[]){ "--drip-bytes", "1", "--drip-ms", "50", NULL },
				 MODEL "  retries: 0\n  timeout: 0.2\n");
	set("{\"rate-slow\": 1}");
	struct told told = ask_one(asking.llm, PROGRAM);
	ck_assert_int_eq(told.status, OE_ERR_TIMEOUT);
	ck_assert_int_lt(told.took_ms, 40000); /* its thousand bytes need longer */
	asking_end(&asking);
}
END_TEST

START_TEST(test_down)
{
	asking_begin(&asking, NULL, MODEL FAST "  retries: 2\n");
	ck_assert_int_eq(ask_one(asking.llm, PROGRAM).status, 0); /* leaves a pooled connection */
	fake_llm_reset(&asking.fake);
	fake_llm_down(&asking.fake, 60000);
	struct told told = ask_one(asking.llm, PROGRAM);
	ck_assert_int_eq(told.status, OE_ERR_IO);
	ck_assert_int_eq(told.failure, OE_LLM_FAILURE_TRANSIENT);
	ck_assert_int_eq(told.requests, 0); /* nothing was ever sent */
	fake_llm_stop(&asking.fake);
	asking_end(&asking);
}
END_TEST

/* Connections that die in the pool cost no attempt. */
START_TEST(test_dead_connections)
{
	struct questions all;

	asking_begin(&asking, (const char *const[]){ "--latency", "5", "--idle-close", "20", NULL },
				 MODEL FAST "  retries: 0\n");
	for (int round = 0; round < 3; round++) {
		questions_ask(&all, asking.llm, 12, PROGRAM);
		questions_wait(&all);
		for (size_t i = 0; i < all.count; i++)
			ck_assert_msg(all.items[i].call.status == 0, "round %d: %s", round,
						  all.items[i].call.completion->error.message);
		check_requests(questions_requests(&all));
		questions_done(&all);
		fake_llm_reset(&asking.fake);
		while (fake_llm_stat(&asking.fake, "connections_open") > 1)
			;
	}
	asking_end(&asking);
}
END_TEST

/* The provider closes a connection that was used before, on each request. */
START_TEST(test_drop_on_reused)
{
	asking_begin(&asking, NULL, MODEL FAST "  retries: 0\n");
	ck_assert_int_eq(ask_one(asking.llm, PROGRAM).status, 0);
	fake_llm_reset(&asking.fake);
	set(SCRIPT("{\"fault\": \"drop\"}, \"again\""));
	struct told told = ask_one(asking.llm, PROGRAM);
	ck_assert_msg(told.status == 0, "%s", told.error.message);
	ck_assert_str_eq(told.text, "again");
	check_requests(told.requests);
	set("{\"rate-drop\": 1}");
	fake_llm_reset(&asking.fake);
	told = ask_one(asking.llm, PROGRAM);
	ck_assert_int_eq(told.status, OE_ERR_IO);
	ck_assert_int_eq(told.requests, 2); /* the pooled connection, then a fresh one, no more */
	check_requests(told.requests);
	asking_end(&asking);
}
END_TEST

START_TEST(test_unsupported)
{
	asking_begin(&asking,
				 (const char *const[]){ "--unsupported", "max_tokens,temperature,top_p", NULL },
				 MODEL FAST "  retries: 0\n");
	struct told told = ask_one(asking.llm, PROGRAM);
	ck_assert_msg(told.status == 0, "%s", told.error.message);
	ck_assert_int_eq(told.requests, 4); /* three complaints */
	told = ask_one(asking.llm, PROGRAM);
	ck_assert_int_eq(told.requests, 1); /* remembered */
	char *last = fake_llm_last(&asking.fake);
	ck_assert_ptr_nonnull(strstr(last, "max_completion_tokens"));
	ck_assert_ptr_null(strstr(last, "top_p"));
	free(last);
	check_requests(5);
	asking_end(&asking);
}
END_TEST

START_TEST(test_too_long)
{
	asking_begin(&asking, (const char *const[]){ "--answer-bytes", "20000", NULL },
				 MODEL FAST "  max_response_bytes: 10000\n");
	struct told told = ask_one(asking.llm, PROGRAM);
	ck_assert_int_eq(told.status, OE_ERR_LIMIT);
	ck_assert_int_eq(told.failure, OE_LLM_FAILURE_REQUEST);
	ck_assert_ptr_nonnull(strstr(told.error.message, "max_response_bytes"));
	ck_assert_str_eq(told.text, "");
	asking_end(&asking);
}
END_TEST

START_TEST(test_cancel)
{
	struct questions all;
	int64_t began_ms = oe__clock_ms();

	asking_begin(&asking, (const char *const[]){ "--latency", "1e7", NULL },
				 MODEL "  concurrency: 20\n");
	/* More than there are connections: some run, some wait, some are still on their way. */
	questions_ask(&all, asking.llm, 50, PROGRAM);
	for (size_t i = 0; i < 40; i++)
		oe__llm_cancel(&all.items[i].call);
	while (fake_llm_stat(&asking.fake, "in_flight") < 10)
		;
	for (size_t i = 0; i < 50; i++)
		oe__llm_cancel(&all.items[i].call);
	questions_wait(&all);
	ck_assert_int_lt(oe__clock_ms() - began_ms, TEST_PATIENCE_MS);
	for (size_t i = 0; i < 50; i++)
		ck_assert_int_eq(all.items[i].call.status, OE_ERR_CANCELLED);
	questions_done(&all);
	asking_end(&asking);
}
END_TEST

START_TEST(test_ensemble)
{
	struct questions all;

	asking_begin(&asking, NULL,
				 FAST "  models: [{name: one, weight: 3}, {name: two, weight: 1}, "
					  "{name: none, weight: 0}]\n  concurrency: 64\n");
	questions_ask(&all, asking.llm, 200, PROGRAM);
	questions_wait(&all);
	size_t ones = 0;
	for (size_t i = 0; i < all.count; i++) {
		ck_assert_int_eq(all.items[i].call.status, 0);
		ones += strcmp(oe_completion_model(all.items[i].call.completion), "one") == 0;
	}
	ck_assert_int_eq((int)fake_llm_stat(&asking.fake, "models.one"), (int)ones);
	ck_assert_int_eq((int)fake_llm_stat(&asking.fake, "models.two"), (int)(200 - ones));
	ck_assert_uint_ge(ones, 125);
	ck_assert_uint_le(ones, 175);
	questions_done(&all);
	asking_end(&asking);
}
END_TEST

/* Constant latency: the first questions are spread, and 600 of them take 600 connections. */
START_TEST(test_many)
{
	struct questions all;

	asking_begin(&asking, (const char *const[]){ "--latency", "300", NULL },
				 MODEL FAST "  concurrency: 600\n");
	questions_ask(&all, asking.llm, 600, PROGRAM);
	questions_wait(&all);
	ck_assert_uint_eq(questions_answered(&all), 600);
	check_requests(600);
	questions_done(&all);
	asking_end(&asking);
}
END_TEST

TEST_MAIN("provider", test_answer, test_shapes, test_refused_key, test_accepted_key, test_classes,
		  test_retry_after, test_storm, test_hang, test_slow, test_down, test_dead_connections,
		  test_drop_on_reused, test_unsupported, test_too_long, test_cancel, test_ensemble,
		  test_many)
