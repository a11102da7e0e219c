#ifndef OE__LLM_HTTP_INTERNAL_H
#define OE__LLM_HTTP_INTERNAL_H

/*
 * What http.c (queue and life), http_curl.c (transfers over libcurl) and http_shard.c (libcurl on
 * the reactor) share. Reactor thread.
 */

#include <curl/curl.h>
#include <stdatomic.h>

#include "llm/http.h"
#include "llm/teardown.h"

/* A search of one multi handle for an idle connection is linear in its connections: several handles
   keep the work per request flat (measured: 220 us at 4096 in one, 150 us in four of 1024). */
#define OE__HTTP_SHARD_MAX 256

/* One multi handle with its share of the transfers. */
struct oe__http_shard {
	struct oe__http *http;
	CURLM *multi;           /* NULL: there was no memory for it */
	struct oe__timer alarm; /* what curl waits for by time    */
	struct oe__http_transfer *transfers; /* running */
	int32_t running;
	bool due;     /* curl wants to be called at once          */
	bool touched; /* some transfer may have ended             */
	bool broken;  /* curl ran out of memory in the middle of something */
};

/* A descriptor that curl uses, at its number. */
struct oe__http_socket {
	struct oe__watch *watch;
	struct oe__http_shard *shard;
	int watched; /* what the watch reports */
	int wanted;  /* what curl asked for; 0: an idle connection of the pool */
	bool ours;   /* made by open_socket, not by a resolver */
	bool pooled; /* connected: stays open between requests, and so does its watch */
};

/* An easy handle with what a request in it gathers; used again by later requests. */
struct oe__http_transfer {
	CURL *easy;
	struct oe__http_call *call;
	struct oe__http_shard *shard;
	struct oe__http_transfer *next, *previous; /* in the list of running ones, or of free ones */
	bool resend_refused; /* curl was about to try yet another pooled connection by itself */
	char message[CURL_ERROR_SIZE];
};

struct oe__http {
	atomic_int refs;
	oe_scheduler *scheduler;
	struct oe__reactor *reactor;
	int32_t connections_max;
	bool http2;
	char *proxy_http, *proxy_https, *no_proxy, *ca_file; /* or NULL */

	/* Reactor thread, from here to the end. */
	struct oe__round round;
	bool attached; /* the round is known to the reactor */
	bool settling;
	struct oe__http_call *queue_head, *queue_tail;
	int32_t running;

	struct oe__timer pace;
	int64_t spread_ns; /* between two starts; 0: not any more */
	int64_t next_start_ns;
	int32_t spread_left; /* requests still to be spread */

	struct oe__http_shard **shards;
	size_t shard_count, shard_capacity;
	struct oe__http_socket *sockets; /* by descriptor */
	size_t socket_count;
	struct oe__http_transfer *unused;

	struct oe__teardown teardown;
};

/* http_curl.c */
int oe__http_begin(struct oe__http *http, struct oe__http_call *call); /* to RUNNING */
void oe__http_end(struct oe__http_call *call); /* takes a running call's transfer away */
void oe__http_turn(
	struct oe__http *http); /* lets curl work where it wants to, collects what ended */
bool oe__http_wants_turn(const struct oe__http *http);
void oe__http_close(struct oe__http *http); /* frees transfers, shards and sockets */

/* http_shard.c */
struct oe__http_shard *oe__http_pick_shard(struct oe__http *http); /* with room; NULL: no memory */
void oe__http_free_shard(struct oe__http_shard *shard);
void oe__http_act(struct oe__http_shard *shard, curl_socket_t fd, int flags); /* lets curl work */
void oe__http_renew_shard(struct oe__http_shard *shard); /* a broken one that has no transfers */
curl_socket_t oe__http_open_socket(void *http, curlsocktype purpose, struct curl_sockaddr *address);
int oe__http_close_socket(void *http, curl_socket_t fd);

/* http.c */
void oe__http_settle(struct oe__http *http); /* after anything that may have moved something */
void oe__http_over(struct oe__http_call *call, int status); /* results are in: give it back */

#endif /* OE__LLM_HTTP_INTERNAL_H */
