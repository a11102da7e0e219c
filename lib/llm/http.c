/*
 * The life of the HTTP client and of its requests: posted, queued, running, done. Connections are
 * scarce, so requests wait here and not inside of libcurl, where waiting would count as working.
 * Reactor thread, but for what http.h allows elsewhere.
 */

#include <assert.h>
#include <sys/resource.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "llm/http_internal.h"

#define SPREAD_MIN        64  /* connections from which on starts are spread                  */
#define DESCRIPTORS_SPARE 128 /* left to everybody else: evaluations, the store, the host     */
#define CONNECTIONS_MIN   8   /* are tried even if that is more than the limit seems to allow */
#define SECOND_NS         1000000000

/* ---- the queue ---- */

static void enqueue(struct oe__http *http, struct oe__http_call *call)
{
	call->state = OE__HTTP_QUEUED;
	call->next = NULL;
	call->previous = http->queue_tail;
	if (http->queue_tail)
		http->queue_tail->next = call;
	else
		http->queue_head = call;
	http->queue_tail = call;
}

static void unqueue(struct oe__http *http, struct oe__http_call *call)
{
	if (call->next)
		call->next->previous = call->previous;
	else
		http->queue_tail = call->previous;
	if (call->previous)
		call->previous->next = call->next;
	else
		http->queue_head = call->next;
}

static void ring_pace(struct oe__timer *timer)
{
	oe__http_settle(OE__CONTAINER(timer, struct oe__http, pace));
}

/* May the next request begin? If not yet, the timer will ask again. */
static bool may_begin(struct oe__http *http)
{
	if (http->running >= http->connections_max)
		return false;
	if (http->spread_ns == 0)
		return true;
	int64_t now_ns = oe__clock_ns();
	if (now_ns < http->next_start_ns)
		return oe__timer_arm(http->reactor, &http->pace, http->next_start_ns, ring_pace) < 0;
	/* What a late timer missed is made up for, but an idle time gives no right to a burst. */
	if (now_ns - http->next_start_ns > SECOND_NS / 10)
		http->next_start_ns = now_ns;
	http->next_start_ns += http->spread_ns;
	if (--http->spread_left <= 0)
		http->spread_ns = 0;
	return true;
}

static void time_out(struct oe__timer *timer)
{
	struct oe__http_call *call = OE__CONTAINER(timer, struct oe__http_call, deadline);
	struct oe__http *http = call->http; /* the call may be gone once it is over */

	(void)oe__error(&call->error, OE_ERR_TIMEOUT, "no answer within %.6g s",
					(double)call->timeout_ms / 1000);
	oe__http_end(call);
	oe__http_over(call, OE_ERR_TIMEOUT);
	oe__http_settle(http);
}

static void begin(struct oe__http *http, struct oe__http_call *call)
{
	unqueue(http, call);
	call->began_ns = oe__clock_ns();
	int status = oe__http_begin(http, call);
	if (status < 0) {
		call->state = OE__HTTP_IDLE;
		(void)oe__error(&call->error, status, "%s", oe_status_string(status));
		oe__http_over(call, status);
		return;
	}
	status = oe__timer_arm(http->reactor, &call->deadline,
						   call->began_ns + call->timeout_ms * 1000000, time_out);
	if (status < 0) {
		oe__http_end(call);
		(void)oe__error_nomem(&call->error);
		oe__http_over(call, status);
	}
}

void oe__http_settle(struct oe__http *http)
{
	if (http->settling) /* called back by what is settled here: the loop below goes on */
		return;
	http->settling = true;
	do {
		oe__http_turn(http);
		while (http->queue_head && may_begin(http))
			begin(http, http->queue_head);
	} while (oe__http_wants_turn(http));
	http->settling = false;
}

static void end_round(struct oe__round *round)
{
	struct oe__http *http = OE__CONTAINER(round, struct oe__http, round);

	if (http->queue_head || oe__http_wants_turn(http))
		oe__http_settle(http);
}

/* ---- one request ---- */

static void arrive(struct oe__task *task)
{
	struct oe__http_call *call = OE__CONTAINER(task, struct oe__http_call, task);
	struct oe__http *http = call->http;

	if (!http->attached) {
		http->round.call = end_round;
		oe__round_add(http->reactor, &http->round);
		http->attached = true;
	}
	enqueue(http, call); /* the round's end begins all that came with it */
	if (call->aborted)
		oe__http_abort(call);
}

void oe__http_start(struct oe__http *http, struct oe__http_call *call)
{
	assert(call->timeout_ms > 0);
	call->http = http;
	call->status = 0;
	call->error = (oe_error){ 0 };
	call->code = 0;
	call->retry_after_ms = -1;
	call->began_ns = call->elapsed_ms = 0;
	call->sent = 0;
	call->stale = call->hopeless = call->aborted = false;
	call->transfer = NULL;
	oe__buffer_clear(&call->response);
	call->state = OE__HTTP_POSTED;
	call->task.run = arrive;
	oe__reactor_post(http->reactor, &call->task);
}

void oe__http_over(struct oe__http_call *call, int status)
{
	struct oe__http *http = call->http;

	oe__timer_cancel(&call->deadline);
	if (call->began_ns > 0)
		call->elapsed_ms = (oe__clock_ns() - call->began_ns) / 1000000;
	call->state = OE__HTTP_IDLE;
	call->status = status;
	http->spread_ns = 0;
	call->done(call); /* may free the call, or start it again */
}

void oe__http_abort(struct oe__http_call *call)
{
	struct oe__http *http = call->http;

	call->aborted = true; /* of a posted one: seen when it arrives */
	if (call->state != OE__HTTP_QUEUED && call->state != OE__HTTP_RUNNING)
		return;
	if (call->state == OE__HTTP_QUEUED)
		unqueue(http, call);
	else
		oe__http_end(call);
	(void)oe__error(&call->error, OE_ERR_CANCELLED, "cancelled");
	oe__http_over(call, OE_ERR_CANCELLED);
}

/* ---- life ---- */

static int32_t connections_allowed(int32_t asked)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY)
		return asked;
	int64_t free = (int64_t)limit.rlim_cur - DESCRIPTORS_SPARE;
	if (free < CONNECTIONS_MIN)
		free = CONNECTIONS_MIN;
	return asked < free ? asked : (int32_t)free;
}

static int copy_texts(struct oe__http *http, const struct oe__http_options *options)
{
	http->proxy_http = oe__strdup(options->proxy_http);
	http->proxy_https = oe__strdup(options->proxy_https);
	http->no_proxy = oe__strdup(options->no_proxy);
	http->ca_file = oe__strdup(options->ca_file);
	return !http->proxy_http == !options->proxy_http &&
				   !http->proxy_https == !options->proxy_https &&
				   !http->no_proxy == !options->no_proxy && !http->ca_file == !options->ca_file
			   ? 0
			   : OE_ERR_NOMEM;
}

static void free_http(struct oe__http *http)
{
	oe__free(http->proxy_http);
	oe__free(http->proxy_https);
	oe__free(http->no_proxy);
	oe__free(http->ca_file);
	oe__free(http);
	curl_global_cleanup();
}

int oe__http_new(oe_scheduler *scheduler, const struct oe__http_options *options,
				 struct oe__http **out, oe_error *err)
{
	/* Counted by libcurl, and safe in any thread since 7.84. */
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return oe__error(err, OE_ERR_IO, "cannot initialise libcurl");
	struct oe__http *http = oe__calloc(1, sizeof(*http));
	if (!http) {
		curl_global_cleanup();
		return oe__error_nomem(err);
	}
	if (copy_texts(http, options) < 0) {
		free_http(http);
		return oe__error_nomem(err);
	}
	atomic_init(&http->refs, 1);
	http->scheduler = oe_scheduler_ref(scheduler);
	http->reactor = oe__scheduler_reactor(scheduler);
	http->connections_max = connections_allowed(options->connections_max);
	http->http2 = options->http2;
	if (http->connections_max >= SPREAD_MIN) {
		http->spread_ns = options->spread_ms * 1000000 / http->connections_max;
		http->spread_left = http->connections_max;
	}
	*out = http;
	return 0;
}

struct oe__http *oe__http_ref(struct oe__http *http)
{
	atomic_fetch_add_explicit(&http->refs, 1, memory_order_relaxed);
	return http;
}

static void http_close(struct oe__teardown *teardown)
{
	struct oe__http *http = OE__CONTAINER(teardown, struct oe__http, teardown);

	assert(!http->queue_head && http->running == 0);
	oe__timer_cancel(&http->pace);
	oe__http_close(http);
	if (http->attached)
		oe__round_remove(http->reactor, &http->round);
}

static void http_release(struct oe__teardown *teardown)
{
	struct oe__http *http = OE__CONTAINER(teardown, struct oe__http, teardown);

	oe_scheduler_unref(http->scheduler);
	free_http(http);
}

void oe__http_unref(struct oe__http *http)
{
	if (!http || atomic_fetch_sub_explicit(&http->refs, 1, memory_order_acq_rel) != 1)
		return;
	http->teardown.close = http_close;
	http->teardown.release = http_release;
	oe__teardown_begin(&http->teardown, http->reactor);
}

struct oe__reactor *oe__http_reactor(const struct oe__http *http)
{
	return http->reactor;
}
