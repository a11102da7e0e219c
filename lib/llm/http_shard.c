/*
 * libcurl's multi handles on the reactor: what each wants to be told of descriptors and of time.
 * Reactor thread.
 */

#include <assert.h>
#include <string.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "llm/http_internal.h"

/* ---- sockets ---- */

static struct oe__http_socket *socket_at(struct oe__http *http, curl_socket_t fd)
{
	size_t before = http->socket_count;
	void *sockets = http->sockets;

	if ((size_t)fd >= before) {
		if (oe__grow(&sockets, &http->socket_count, (size_t)fd + 1, sizeof(*http->sockets)) < 0)
			return NULL;
		http->sockets = sockets;
		memset(http->sockets + before, 0, (http->socket_count - before) * sizeof(*http->sockets));
	}
	return &http->sockets[fd];
}

curl_socket_t oe__http_open_socket(void *owner, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct oe__http *http = owner;
	(void)purpose;

	int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
	struct oe__http_socket *slot = fd >= 0 ? socket_at(http, fd) : NULL;
	if (!slot) {
		oe__fd_close(fd);
		return CURL_SOCKET_BAD;
	}
	assert(!slot->watch); /* nobody watches what is closed */
	*slot = (struct oe__http_socket){ .ours = true };
	return fd;
}

int oe__http_close_socket(void *owner, curl_socket_t fd)
{
	struct oe__http *http = owner;

	if ((size_t)fd < http->socket_count) {
		oe__watch_close(http->sockets[fd].watch);
		http->sockets[fd] = (struct oe__http_socket){ 0 };
	}
	oe__fd_close(fd);
	return 0;
}

static void socket_ready(void *owner, int fd, int events)
{
	struct oe__http *http = owner;
	struct oe__http_socket *slot = &http->sockets[fd];
	int flags = 0;

	if (slot->wanted == 0) {
		/* The server closed an idle connection. curl sees that when it wants to use it again. */
		slot->watched = 0;
		(void)oe__watch_change(slot->watch, 0);
		return;
	}
	if (events & OE__READABLE)
		flags |= CURL_CSELECT_IN;
	if (events & OE__WRITABLE)
		flags |= CURL_CSELECT_OUT;
	if (events & OE__HANGUP)
		flags |= CURL_CSELECT_ERR;
	oe__http_act(slot->shard, fd, flags);
}

static int reactor_events(int what)
{
	return ((what & CURL_POLL_IN) ? OE__READABLE : 0) | ((what & CURL_POLL_OUT) ? OE__WRITABLE : 0);
}

/* curl's wish to watch a descriptor. A pooled connection stays watched while it is idle: most often
   the next request wants exactly the same, and nothing has to be told to the kernel. */
static int want_events(CURL *easy, curl_socket_t fd, int what, void *owner, void *unused)
{
	struct oe__http_shard *shard = owner;
	struct oe__http *http = shard->http;
	struct oe__http_socket *slot = socket_at(http, fd);
	(void)easy;
	(void)unused;

	if (!slot) /* no memory: the deadline of the call ends it */
		return 0;
	if (what == CURL_POLL_REMOVE) {
		slot->wanted = 0;
		if (!slot->pooled) { /* may be closed next, without a word to us */
			oe__watch_close(slot->watch);
			*slot = (struct oe__http_socket){ 0 };
		}
		return 0;
	}
	slot->wanted = what & CURL_POLL_INOUT;
	/* It waits for something to read, so it is connected: from now on curl closes it through us. */
	slot->pooled = slot->ours && (slot->pooled || (what & CURL_POLL_IN));
	slot->shard = shard;
	if (slot->watched == slot->wanted)
		return 0;
	int status = slot->watch ? oe__watch_change(slot->watch, reactor_events(slot->wanted))
							 : oe__watch_open(http->reactor, fd, reactor_events(slot->wanted),
											  socket_ready, http, &slot->watch);
	slot->watched = status < 0 ? 0 : slot->wanted;
	return 0;
}

/* ---- time ---- */

static void ring(struct oe__timer *timer)
{
	struct oe__http_shard *shard = OE__CONTAINER(timer, struct oe__http_shard, alarm);

	shard->due = true;
	oe__http_settle(shard->http);
}

static int want_alarm(CURLM *multi, long timeout_ms, void *owner)
{
	struct oe__http_shard *shard = owner;
	(void)multi;

	oe__timer_cancel(&shard->alarm);
	shard->due = timeout_ms == 0;
	/* One more, as curl has rounded down: an alarm that comes early would ring again at once. */
	if (timeout_ms > 0 && oe__timer_arm(shard->http->reactor, &shard->alarm,
										oe__clock_ns() + (timeout_ms + 1) * 1000000, ring) < 0)
		shard->due = true;
	return 0;
}

/* ---- shards ---- */

void oe__http_free_shard(struct oe__http_shard *shard)
{
	if (!shard)
		return;
	if (shard->multi)
		curl_multi_cleanup(shard->multi);
	oe__timer_cancel(&shard->alarm);
	oe__free(shard);
}

static CURLM *new_multi(struct oe__http_shard *shard)
{
	CURLM *multi = curl_multi_init();

	if (!multi)
		return NULL;
	curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, want_events);
	curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, shard);
	curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, want_alarm);
	curl_multi_setopt(multi, CURLMOPT_TIMERDATA, shard);
	/* By default the pool shrinks with the number of transfers, and closes good connections. */
	curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)OE__HTTP_SHARD_MAX);
	return multi;
}

static struct oe__http_shard *new_shard(struct oe__http *http)
{
	struct oe__http_shard *shard = oe__calloc(1, sizeof(*shard));
	void *shards = http->shards;

	int status =
		oe__grow(&shards, &http->shard_capacity, http->shard_count + 1, sizeof(*http->shards));
	http->shards = shards;
	if (!shard || status < 0 || !(shard->multi = new_multi(shard))) {
		oe__free(shard);
		return NULL;
	}
	shard->http = http;
	http->shards[http->shard_count++] = shard;
	return shard;
}

/* curl that had no memory in the middle of something has lost track of its sockets: it would crash
   with the next thing that happens. All that it had to do fails, and it is made anew. */
void oe__http_act(struct oe__http_shard *shard, curl_socket_t fd, int flags)
{
	int running;

	shard->touched = true;
	if (!shard->broken)
		shard->broken = curl_multi_socket_action(shard->multi, fd, flags, &running) != CURLM_OK;
}

void oe__http_renew_shard(struct oe__http_shard *shard)
{
	if (shard->multi)
		curl_multi_cleanup(shard->multi);
	oe__timer_cancel(&shard->alarm);
	shard->due = false;
	shard->multi = new_multi(shard);
	shard->broken = shard->multi == NULL;
}

/* The first with room, so that a few requests stay on the same warm connections. */
struct oe__http_shard *oe__http_pick_shard(struct oe__http *http)
{
	for (size_t i = 0; i < http->shard_count; i++) {
		struct oe__http_shard *shard = http->shards[i];
		if (!shard->multi)
			oe__http_renew_shard(shard);
		if (!shard->broken && shard->running < OE__HTTP_SHARD_MAX)
			return shard;
	}
	return new_shard(http);
}
