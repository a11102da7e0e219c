#ifndef OE__LLM_HTTP_H
#define OE__LLM_HTTP_H

/*
 * An HTTP client for thousands of slow requests: libcurl's multi interface driven by the reactor.
 * It owns connections, the queue before them and the deadline of each request; it knows nothing of
 * providers and, but for connections that died in the pool, tries nothing again.
 *
 * A request is started from any thread; everything else happens on the reactor thread.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/buffer.h"
#include "base/error.h"
#include "scheduler/reactor.h"
#include "scheduler/scheduler.h"

struct oe__http;
struct oe__http_headers;

/*
 * `spread_ms`: constant latency and a common start make bursts that never spread by themselves, at
 * the provider too. So as long as nothing has been answered, and only if there is room for many,
 * requests begin evenly over that time. The first answer ends it.
 */
struct oe__http_options {
	int32_t connections_max; /* at once; the soft limit of open files may lower it */
	int64_t spread_ms;       /* 0: start everything at once                        */
	bool http2;              /* where the server offers it over TLS; else HTTP/1.1 */
	/* All copied; NULL: none, or the system's. */
	const char *proxy_http, *proxy_https; /* by the scheme of the URL          */
	const char *no_proxy;                 /* hosts that are asked without them */
	const char *ca_file;
};

enum oe__http_state { OE__HTTP_IDLE, OE__HTTP_POSTED, OE__HTTP_QUEUED, OE__HTTP_RUNNING };

/* One request under way; embedded in its owner, who keeps it and what it points to until `done`. */
struct oe__http_call {
	/* Set before the start. */
	const char *url;
	const struct oe__http_headers *headers;
	const void *body; /* posted */
	size_t body_size;
	int64_t timeout_ms;                       /* > 0; counts from when it leaves the queue */
	bool fresh;                               /* not over a connection that was used before */
	void (*done)(struct oe__http_call *call); /* reactor thread, once; may start it again */
	struct oe__buffer response;               /* the owner's; `size_max` is the cap */

	/* Set before `done`. */
	int status;     /* 0: there is a response, whatever its code; else OE_ERR_IO, _TIMEOUT, ...  */
	oe_error error; /* what happened, without saying to whom                                     */
	int code;       /* of the response                                                           */
	int64_t retry_after_ms; /* negative: nothing was said                                        */
	int64_t elapsed_ms;     /* since it left the queue                                           */
	int32_t sent;           /* times that the request was put on a connection                    */
	bool stale;    /* a pooled connection died before a byte came back; a fresh one may do better */
	bool hopeless; /* will fail again: the URL or the certificate is wrong                       */

	/* http.c's. */
	struct oe__task task;
	struct oe__timer deadline;
	int64_t began_ns;
	enum oe__http_state state;
	bool aborted;
	struct oe__http_transfer *transfer;
	struct oe__http_call *next, *previous; /* in the queue */
	struct oe__http *http;
};

int oe__http_new(oe_scheduler *scheduler, const struct oe__http_options *options,
				 struct oe__http **out, oe_error *err);
struct oe__http *oe__http_ref(struct oe__http *http);

/* Any thread; nothing may be under way. On the reactor thread the last reference only begins the
   teardown: the scheduler must outlive it. */
void oe__http_unref(struct oe__http *http);

void oe__http_start(struct oe__http *http, struct oe__http_call *call); /* any thread */

/* End a started call with OE_ERR_CANCELLED, and close its connection; `done` is called before this
   returns, or soon. Nothing if it is over. Reactor thread. */
void oe__http_abort(struct oe__http_call *call);

struct oe__reactor *oe__http_reactor(const struct oe__http *http);

/* Headers of requests: immutable once in use, shared by any number of calls. Any thread. */
int oe__http_headers_new(struct oe__http_headers **out);
int oe__http_headers_add(struct oe__http_headers *headers, const char *name, const char *value);
void oe__http_headers_free(struct oe__http_headers *headers);

/* Time that a Retry-After asks for: seconds (fractions are understood) or an HTTP date, which is
   compared with `now` in seconds since 1970. Negative: not understood. Pure. */
int64_t oe__http_retry_after_ms(const char *text, double now);

OE__AUTO_POINTER(http, struct oe__http *, oe__http_unref)
OE__AUTO_POINTER(http_headers, struct oe__http_headers *, oe__http_headers_free)

#endif /* OE__LLM_HTTP_H */
