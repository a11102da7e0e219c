/* lib/llm/http*.c without a provider: the queue, deadlines, ends of all kinds. */

#include <curl/curl.h>
#include <dlfcn.h>
#include <poll.h>
#include <sched.h>
#include <semaphore.h>

#include "fake_llm.h"
#include "llm/http.h"
#include "tests/unit/llm/questions.h"

#define BODY                                                                                       \
	"{\"model\": \"m\", \"messages\": [{\"role\": \"user\", \"content\": \"# "                   \
	"EVOLVE-BLOCK-START\\nx = 1\\n# EVOLVE-BLOCK-END\"}]}"
#define REQUESTS_MAX 200

/* One server, one client and its requests. */
static struct fake_llm fake;
static oe_scheduler *scheduler;
static struct oe__http *http;
static struct oe__http_headers *headers;
static char url[128];

struct request {
	struct oe__http_call call;
	struct oe__task abort;
	sem_t done;
	int order;   /* in which they ended */
	int endings; /* that were reported  */
	int again;   /* times that `done` starts it anew */
};

static struct request requests[REQUESTS_MAX];
static atomic_int ended;

static void done(struct oe__http_call *call)
{
	struct request *request = OE__CONTAINER(call, struct request, call);

	request->order = atomic_fetch_add(&ended, 1);
	request->endings++;
	if (request->again-- > 0)
		oe__http_start(http, call);
	else
		sem_post(&request->done);
}

static void begin(const char *const flags[], int32_t connections, int64_t spread_ms)
{
	struct oe__http_options options = { .connections_max = connections, .spread_ms = spread_ms };
	oe_error err;

	fake_llm_start(&fake, flags);
	snprintf(url, sizeof(url), "%s/chat/completions", fake.url);
	ck_assert_int_eq(oe_scheduler_new(1, &scheduler, &err), 0);
	ck_assert_int_eq(oe__http_new(scheduler, &options, &http, &err), 0);
	ck_assert_int_eq(oe__http_headers_new(&headers), 0);
	atomic_store(&ended, 0);
	for (size_t i = 0; i < REQUESTS_MAX; i++) {
		requests[i] = (struct request){ .order = -1 };
		sem_init(&requests[i].done, 0, 0);
		requests[i].call = (struct oe__http_call){
			.url = url,
			.headers = headers,
			.body = BODY,
			.body_size = strlen(BODY),
			.timeout_ms = TEST_PATIENCE_MS,
			.done = done,
			.response = { .size_max = 100000 },
		};
	}
}

static struct oe__http_call *start(size_t i)
{
	oe__http_start(http, &requests[i].call);
	return &requests[i].call;
}

static struct oe__http_call *wait(size_t i)
{
	while (sem_wait(&requests[i].done) < 0)
		;
	ck_assert_int_ge(requests[i].endings, 1);
	return &requests[i].call;
}

static void end(void)
{
	for (size_t i = 0; i < REQUESTS_MAX; i++)
		oe__buffer_done(&requests[i].call.response);
	oe__http_unref(http);
	oe__http_headers_free(headers);
	oe_scheduler_unref(scheduler);
	/* No connection outlives the client. */
	while (fake_llm_stat(&fake, "connections_open") > 1)
		sched_yield();
	fake_llm_stop(&fake);
}

START_TEST(test_response)
{
	begin(NULL, 4, 0);
	for (int i = 0; i < 3; i++) {
		start(0);
		struct oe__http_call *call = wait(0);
		ck_assert_msg(call->status == 0, "%s", call->error.message);
		ck_assert_int_eq(call->code, 200);
		ck_assert_int_eq(call->sent, 1);
		ck_assert_int_eq(call->response.data[0], '{'); /* of this response alone */
		ck_assert_int_eq(call->response.data[call->response.size - 1] == '}' ||
							 call->response.data[call->response.size - 1] == '\n',
						 1);
		ck_assert(!call->stale && !call->hopeless);
		ck_assert_int_eq(call->retry_after_ms, -1);
		ck_assert_int_ge(call->elapsed_ms, 0);
	}
	/* One connection for all of them; a fresh one where that is asked for. */
	ck_assert_int_eq((int)fake_llm_stat(&fake, "requests"), 3);
	fake_llm_reset(&fake);
	requests[0].call.fresh = true;
	start(0);
	ck_assert_int_eq(wait(0)->status, 0);
	ck_assert_int_eq((int)fake_llm_stat(&fake, "connections_accepted"), 2); /* and ours, to ask */
	end();
}
END_TEST

START_TEST(test_codes)
{
	begin((const char *const[]){ "--retry-after", "0.25", NULL }, 4, 0);
	fake_llm_control(&fake, "{\"script\": [{\"fault\": \"429\"}, {\"fault\": \"500\"}]}");
	start(0);
	ck_assert_int_eq(wait(0)->status, 0);
	ck_assert_int_eq(requests[0].call.code, 429);
	ck_assert_int_eq(requests[0].call.retry_after_ms, 250);
	start(0);
	ck_assert_int_eq(wait(0)->code, 500);
	ck_assert_int_eq(requests[0].call.retry_after_ms, -1); /* of the call before */
	end();
}
END_TEST

/* First come, first served, and never more at once than allowed. */
START_TEST(test_queue)
{
	begin((const char *const[]){ "--latency", "2", NULL }, 1, 0);
	for (size_t i = 0; i < 60; i++)
		start(i);
	for (size_t i = 0; i < 60; i++) {
		ck_assert_int_eq(wait(i)->status, 0);
		ck_assert_int_eq(requests[i].order, (int)i);
	}
	ck_assert_int_eq((int)fake_llm_stat(&fake, "in_flight_max"), 1);
	end();
}
END_TEST

START_TEST(test_connections)
{
	begin((const char *const[]){ "--latency", "30", NULL }, 12, 0);
	for (size_t i = 0; i < 60; i++)
		start(i);
	for (size_t i = 0; i < 60; i++)
		ck_assert_int_eq(wait(i)->status, 0);
	ck_assert_int_eq((int)fake_llm_stat(&fake, "in_flight_max"), 12);
	end();
}
END_TEST

/* The deadline counts from the queue's end, so what waits long there has all of its time. */
START_TEST(test_deadline)
{
	begin(NULL, 1, 0);
	fake_llm_control(&fake, "{\"script\": [{\"latency\": 1e7}]}");
	start(0);
	for (size_t i = 1; i < 8; i++) {
		requests[i].call.timeout_ms = 3000;
		start(i);
	}
	poll(NULL, 0, 3100); /* they wait for longer than they may take */
	fake_llm_control(&fake, "{\"release\": 1}");
	for (size_t i = 0; i < 8; i++)
		ck_assert_msg(wait(i)->status == 0, "%s", requests[i].call.error.message);
	fake_llm_control(&fake, "{\"rate-hang\": 1}");
	requests[0].call.timeout_ms = 120;
	start(0);
	const struct oe__http_call *call = wait(0);
	ck_assert_int_eq(call->status, OE_ERR_TIMEOUT);
	ck_assert_ptr_nonnull(strstr(call->error.message, "0.12 s"));
	ck_assert_int_ge(call->elapsed_ms, 120);
	while (fake_llm_stat(&fake, "in_flight") > 0)
		sched_yield();
	end();
}
END_TEST

static void abort_request(struct oe__task *task)
{
	struct request *request = OE__CONTAINER(task, struct request, abort);

	oe__http_abort(&request->call);
	oe__http_abort(&request->call);
}

static void abort_soon(size_t i)
{
	requests[i].abort.run = abort_request;
	oe__reactor_post(oe__http_reactor(http), &requests[i].abort);
}

/* Wherever it is by then: on its way, in the queue, on a connection. Each ends once. */
START_TEST(test_abort)
{
	begin((const char *const[]){ "--latency", "10000", NULL }, 20, 0);
	for (size_t i = 0; i < 60; i++)
		start(i);
	while (fake_llm_stat(&fake, "in_flight") < 20)
		sched_yield();
	for (size_t i = 60; i-- > 30;)
		abort_soon(i);
	for (size_t i = 60; i < 90; i++) {
		start(i);
		abort_soon(i);
	}
	for (size_t i = 0; i < 30; i++)
		abort_soon(i);
	for (size_t i = 0; i < 90; i++) {
		ck_assert_int_eq(wait(i)->status, OE_ERR_CANCELLED);
		ck_assert_int_eq(requests[i].endings, 1);
		ck_assert_int_eq(requests[i].call.error.status, OE_ERR_CANCELLED);
	}
	/* And after them there is room again. */
	fake_llm_control(&fake, "{\"latency\": 0}");
	start(0);
	ck_assert_int_eq(wait(0)->status, 0);
	end();
}
END_TEST

static void abort_and_start(struct oe__task *task)
{
	struct request *request = OE__CONTAINER(task, struct request, abort);

	/* On the reactor thread: what was posted by this thread is behind us, so it is POSTED still. */
	oe__http_start(http, &request->call);
	oe__http_abort(&request->call);
	ck_assert_int_eq(request->endings, 0);
}

START_TEST(test_abort_posted)
{
	begin(NULL, 4, 0);
	requests[0].abort.run = abort_and_start;
	oe__reactor_post(oe__http_reactor(http), &requests[0].abort);
	ck_assert_int_eq(wait(0)->status, OE_ERR_CANCELLED);
	ck_assert_int_eq((int)fake_llm_stat(&fake, "requests"), 0);
	end();
}
END_TEST

START_TEST(test_start_in_done)
{
	begin(NULL, 2, 0);
	for (size_t i = 0; i < 5; i++) {
		requests[i].again = 20;
		start(i);
	}
	for (size_t i = 0; i < 5; i++) {
		ck_assert_int_eq(wait(i)->status, 0);
		ck_assert_int_eq(requests[i].endings, 21);
	}
	ck_assert_int_eq((int)fake_llm_stat(&fake, "requests"), 105);
	end();
}
END_TEST

START_TEST(test_limit)
{
	begin((const char *const[]){ "--answer-bytes", "20000", NULL }, 2, 0);
	requests[0].call.response.size_max = 10000;
	start(0);
	ck_assert_int_eq(wait(0)->status, OE_ERR_LIMIT);
	ck_assert_ptr_nonnull(strstr(requests[0].call.error.message, "10000"));
	ck_assert(!requests[0].call.stale);
	fake_llm_control(&fake, "{\"script\": [{\"fault\": \"chunked\"}]}"); /* of unknown length */
	start(0);
	ck_assert_int_eq(wait(0)->status, OE_ERR_LIMIT);
	requests[0].call.response.size_max = 1000000;
	start(0);
	ck_assert_int_eq(wait(0)->status, 0);
	end();
}
END_TEST

/* What will fail again, and what may not. */
START_TEST(test_failures)
{
	static const struct {
		const char *url;
		bool hopeless;
	} cases[] = {
		{ "gopher://127.0.0.1/", true },
		{ "http://", true },
		{ "file:///etc/passwd", true },
		{ "http://127.0.0.1:1/", false }, /* nobody is there */
		{ "http://no-such-host.invalid/", false },
	};

	begin(NULL, 4, 0);
	for (size_t i = 0; i < OE__COUNT(cases); i++) {
		requests[i].call.url = cases[i].url;
		start(i);
		const struct oe__http_call *call = wait(i);
		ck_assert_msg(call->status == OE_ERR_IO && call->hopeless == cases[i].hopeless,
					  "%s: %d, %s", cases[i].url, call->status, call->error.message);
		ck_assert_str_ne(call->error.message, "");
		ck_assert(!call->stale);
		ck_assert_int_eq(call->sent, 0);
	}
	end();
}
END_TEST

/* Many that start together begin evenly, until something has been answered. */
START_TEST(test_spread)
{
	begin((const char *const[]){ "--latency", "1e7", NULL }, 100, 60000);
	for (size_t i = 0; i < 100; i++)
		start(i);
	while (fake_llm_stat(&fake, "requests") < 3)
		sched_yield();
	/* After that, at once. */
	fake_llm_control(&fake, "{\"latency\": 0, \"release\": 1}");
	for (size_t i = 0; i < 100; i++)
		ck_assert_int_eq(wait(i)->status, 0);
	for (size_t i = 1; i < 100; i++)
		ck_assert_int_gt(requests[i].call.began_ns, requests[i - 1].call.began_ns);
	int64_t spread_ms = (requests[2].call.began_ns - requests[0].call.began_ns) / 1000000;
	ck_assert_int_ge(spread_ms, 1000); /* 600 each */
	int64_t took_ms = (requests[99].call.began_ns - requests[0].call.began_ns) / 1000000;
	ck_assert_int_lt(took_ms, 30000);
	end();
}
END_TEST

struct holder {
	struct oe__task task;
	sem_t dropped;
};

static void drop(struct oe__task *task)
{
	oe__http_unref(http);
	sem_post(&OE__CONTAINER(task, struct holder, task)->dropped);
}

START_TEST(test_last_reference_on_the_reactor)
{
	struct holder holder = { .task.run = drop };

	begin(NULL, 4, 0);
	start(0);
	ck_assert_int_eq(wait(0)->status, 0);
	sem_init(&holder.dropped, 0, 0);
	ck_assert_ptr_eq(oe__http_ref(http), http);
	oe__http_unref(http);
	oe__reactor_post(oe__http_reactor(http), &holder.task);
	sem_wait(&holder.dropped);
	http = NULL;
	end();
}
END_TEST

/* ---- curl without memory ---- */

static atomic_int actions, failing_action; /* counted while it is not 0: which of them */
static CURLM *_Atomic doomed;
static atomic_int doomed_acted;

/* In place of curl's. */
CURLMcode curl_multi_socket_action(CURLM *multi, curl_socket_t fd, int flags, int *running)
{
	CURLMcode (*next)(CURLM *, curl_socket_t, int, int *);
	void *symbol = dlsym(RTLD_NEXT, "curl_multi_socket_action");

	memcpy(&next, &symbol, sizeof(next));
	if (atomic_load(&doomed) == multi)
		atomic_fetch_add(&doomed_acted, 1);
	CURLMcode code = next(multi, fd, flags, running);
	int failing = atomic_load(&failing_action);
	if (failing == 0 || atomic_fetch_add(&actions, 1) + 1 != failing)
		return code;
	atomic_store(&doomed, multi);
	return CURLM_OUT_OF_MEMORY;
}

CURLMcode curl_multi_cleanup(CURLM *multi)
{
	CURLMcode (*next)(CURLM *);
	void *symbol = dlsym(RTLD_NEXT, "curl_multi_cleanup");

	memcpy(&next, &symbol, sizeof(next));
	if (atomic_load(&doomed) == multi)
		atomic_store(&doomed, NULL); /* another one may have its address */
	return next(multi);
}

/* It is not used again: what was under way fails, what comes later has a new one. */
START_TEST(test_curl_without_memory)
{
	begin((const char *const[]){ "--latency", "20", NULL }, 8, 0);
	for (int failing = 1; failing <= 3; failing++) {
		int failed = 0;
		atomic_store(&actions, 0);
		atomic_store(&failing_action, failing);
		for (size_t i = 0; i < 8; i++)
			start(i);
		for (size_t i = 0; i < 8; i++) {
			int status = wait(i)->status;
			ck_assert(status == 0 || status == OE_ERR_NOMEM);
			failed += status == OE_ERR_NOMEM;
		}
		ck_assert_int_gt(failed, 0);
		atomic_store(&failing_action, 0);
		start(0);
		ck_assert_int_eq(wait(0)->status, 0);
		ck_assert_ptr_null((void *)atomic_load(&doomed));
	}
	ck_assert_int_eq(atomic_load(&doomed_acted), 0);
	end();
}
END_TEST

TEST_MAIN("http", test_response, test_codes, test_queue, test_connections, test_deadline, test_abort,
		  test_abort_posted, test_start_in_done, test_limit, test_failures, test_spread,
		  test_last_reference_on_the_reactor, test_curl_without_memory)
