/*
 * Transfers over libcurl: curl_multi_socket_action() on the reactor, easy handles that are used
 * again, several multi handles. Reactor thread.
 *
 * curl neither times transfers out (the deadline of the call does, and closes the socket) nor reads
 * the environment, follows redirects or resends more than once.
 */

#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/text.h"
#include "llm/http_internal.h"

#define DNS_SECONDS 300L

/* Servers, and what is between, close idle connections without a word. */
#define IDLE_SECONDS 60L

/* A model may think for minutes; a NAT forgets silent connections. */
#define KEEPALIVE_SECONDS 30L

/* Nobody waits longer: what is more was not meant. */
#define DAY_MS 86400000

/* ---- transfers ---- */

/* Room for the whole answer in one piece, where its size is known and believable. */
static void reserve(struct oe__http_transfer *transfer, struct oe__buffer *response)
{
	curl_off_t size = -1;

	curl_easy_getinfo(transfer->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &size);
	if (size > 0 && (uint64_t)size < response->size_max && (uint64_t)size < OE__MIB)
		(void)oe__buffer_reserve(response, (size_t)size);
}

static size_t receive(char *data, size_t item_size, size_t count, void *owner)
{
	struct oe__http_transfer *transfer = owner;
	struct oe__buffer *response = &transfer->call->response;

	if (response->size == 0)
		reserve(transfer, response);
	return oe__buffer_append(response, data, item_size * count) < 0 ? 0 : item_size * count;
}

/* The request is about to be put on a connection. By itself curl would try up to five pooled
   connections that turn out dead, without a word; a resend on a fresh one is all we want. */
static int about_to_send(void *owner, char *ip, char *local_ip, int port, int local_port)
{
	struct oe__http_transfer *transfer = owner;
	long connects = 0;
	(void)ip, (void)local_ip, (void)port, (void)local_port;

	if (transfer->call->sent > 0) {
		curl_easy_getinfo(transfer->easy, CURLINFO_NUM_CONNECTS, &connects);
		if (connects == 0 || transfer->call->sent > 1) {
			transfer->resend_refused = true;
			return CURL_PREREQFUNC_ABORT;
		}
	}
	transfer->call->sent++;
	return CURL_PREREQFUNC_OK;
}

static CURLcode set_up(struct oe__http *http, struct oe__http_transfer *transfer)
{
	CURL *easy = transfer->easy;
	CURLcode code = CURLE_OK;
#define SET(option, value) (code |= curl_easy_setopt(easy, option, value))

	SET(CURLOPT_PRIVATE, transfer);
	SET(CURLOPT_ERRORBUFFER, transfer->message);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_QUICK_EXIT, 1L); /* never wait for a name server when a call is over */
	SET(CURLOPT_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_HTTP_VERSION,
		http->http2 ? (long)CURL_HTTP_VERSION_2TLS : (long)CURL_HTTP_VERSION_1_1);
	SET(CURLOPT_PIPEWAIT, http->http2 ? 1L : 0L);
	if (http->no_proxy)
		SET(CURLOPT_NOPROXY, http->no_proxy);
	if (http->ca_file)
		SET(CURLOPT_CAINFO, http->ca_file);
	SET(CURLOPT_DNS_CACHE_TIMEOUT, DNS_SECONDS);
	SET(CURLOPT_MAXAGE_CONN, IDLE_SECONDS);
	SET(CURLOPT_TCP_KEEPALIVE, 1L);
	SET(CURLOPT_TCP_KEEPIDLE, KEEPALIVE_SECONDS);
	SET(CURLOPT_TCP_KEEPINTVL, KEEPALIVE_SECONDS);
	SET(CURLOPT_OPENSOCKETFUNCTION, oe__http_open_socket);
	SET(CURLOPT_OPENSOCKETDATA, http);
	SET(CURLOPT_CLOSESOCKETFUNCTION, oe__http_close_socket);
	SET(CURLOPT_CLOSESOCKETDATA, http);
	SET(CURLOPT_PREREQFUNCTION, about_to_send);
	SET(CURLOPT_PREREQDATA, transfer);
	SET(CURLOPT_WRITEFUNCTION, receive);
	SET(CURLOPT_WRITEDATA, transfer);
	SET(CURLOPT_POST, 1L);
#undef SET
	return code;
}

static void free_transfer(struct oe__http_transfer *transfer)
{
	if (transfer->easy)
		curl_easy_cleanup(transfer->easy);
	oe__free(transfer);
}

static struct oe__http_transfer *take_transfer(struct oe__http *http)
{
	struct oe__http_transfer *transfer = http->unused;

	if (transfer) {
		http->unused = transfer->next;
		return transfer;
	}
	transfer = oe__calloc(1, sizeof(*transfer));
	if (!transfer)
		return NULL;
	transfer->easy = curl_easy_init();
	if (!transfer->easy || set_up(http, transfer) != CURLE_OK) {
		free_transfer(transfer);
		return NULL;
	}
	return transfer;
}

static void give_transfer(struct oe__http *http, struct oe__http_transfer *transfer)
{
	transfer->next = http->unused;
	http->unused = transfer;
}

struct oe__http_headers {
	struct curl_slist *list;
};

static CURLcode load(CURL *easy, const struct oe__http_call *call)
{
	const struct oe__http *http = call->http;
	const char *proxy = oe__has_prefix(call->url, "https:") ? http->proxy_https : http->proxy_http;
	CURLcode code = curl_easy_setopt(easy, CURLOPT_URL, call->url);

	/* Never nothing, which would make curl read the environment. */
	code |= curl_easy_setopt(easy, CURLOPT_PROXY, proxy ? proxy : "");
	code |= curl_easy_setopt(easy, CURLOPT_HTTPHEADER, call->headers->list);
	code |= curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body_size);
	code |= curl_easy_setopt(easy, CURLOPT_POSTFIELDS, call->body); /* not copied */
	code |= curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, call->fresh ? 1L : 0L);
	return code;
}

int oe__http_begin(struct oe__http *http, struct oe__http_call *call)
{
	struct oe__http_shard *shard = oe__http_pick_shard(http);
	struct oe__http_transfer *transfer = shard ? take_transfer(http) : NULL;

	if (!transfer)
		return OE_ERR_NOMEM;
	transfer->call = call;
	transfer->shard = shard;
	transfer->message[0] = '\0';
	transfer->resend_refused = false;
	if (load(transfer->easy, call) != CURLE_OK ||
		curl_multi_add_handle(shard->multi, transfer->easy) != CURLM_OK) {
		give_transfer(http, transfer);
		return OE_ERR_NOMEM;
	}
	call->transfer = transfer;
	call->state = OE__HTTP_RUNNING;
	transfer->previous = NULL;
	transfer->next = shard->transfers;
	if (shard->transfers)
		shard->transfers->previous = transfer;
	shard->transfers = transfer;
	shard->running++;
	http->running++;
	return 0;
}

void oe__http_end(struct oe__http_call *call)
{
	struct oe__http_transfer *transfer = call->transfer;
	struct oe__http_shard *shard = transfer->shard;
	struct oe__http *http = call->http;

	curl_multi_remove_handle(shard->multi, transfer->easy);
	if (transfer->previous)
		transfer->previous->next = transfer->next;
	else
		shard->transfers = transfer->next;
	if (transfer->next)
		transfer->next->previous = transfer->previous;
	shard->running--;
	http->running--;
	transfer->call = NULL;
	call->transfer = NULL;
	give_transfer(http, transfer);
}

/* ---- how it ended ---- */

int64_t oe__http_retry_after_ms(const char *text, double now)
{
	double seconds;
	size_t size = strlen(text);

	while (size > 0 && oe__is_space(text[size - 1]))
		size--;
	if (!oe__parse_real(text, size, &seconds)) {
		time_t date = curl_getdate(text, NULL);
		if (date == (time_t)-1)
			return -1;
		seconds = (double)date > now ? (double)date - now : 0;
	}
	return seconds >= 0 && seconds * 1000 <= DAY_MS ? (int64_t)(seconds * 1000) : -1;
}

static int64_t told_to_wait_ms(CURL *easy)
{
	struct curl_header *header;

	if (curl_easy_header(easy, "retry-after-ms", 0, CURLH_HEADER, -1, &header) == CURLHE_OK) {
		int64_t ms;
		if (oe__parse_int(header->value, strlen(header->value), &ms) && ms >= 0 && ms <= DAY_MS)
			return ms;
	}
	if (curl_easy_header(easy, "retry-after", 0, CURLH_HEADER, -1, &header) == CURLHE_OK)
		return oe__http_retry_after_ms(header->value, oe__clock_wall());
	return -1;
}

static bool is_hopeless(CURLcode code)
{
	return code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_URL_MALFORMAT ||
		   code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE ||
		   code == CURLE_SSL_ISSUER_ERROR;
}

/* @return the status of a call that curl has ended with `code`; fills in the rest. */
static int read_result(struct oe__http_transfer *transfer, CURLcode code)
{
	struct oe__http_call *call = transfer->call;
	long response = 0, connects = 0;

	curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &response);
	call->code = (int)response;
	if (code == CURLE_OK) {
		if (response != 200)
			call->retry_after_ms = told_to_wait_ms(transfer->easy);
		return 0;
	}
	if (call->response.status == OE_ERR_NOMEM || code == CURLE_OUT_OF_MEMORY)
		return oe__error_nomem(&call->error);
	if (call->response.status == OE_ERR_LIMIT)
		return oe__error(&call->error, OE_ERR_LIMIT,
						 "the response is longer than %zu bytes (llm.max_response_bytes)",
						 call->response.size_max);
	curl_easy_getinfo(transfer->easy, CURLINFO_NUM_CONNECTS, &connects);
	bool dead = code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR || code == CURLE_GOT_NOTHING;
	call->stale = transfer->resend_refused ||
				  (dead && connects == 0 && response == 0 && call->response.size == 0);
	call->hopeless = is_hopeless(code);
	return oe__error(&call->error, OE_ERR_IO, "%s",
					 transfer->resend_refused ? "connections were closed before an answer"
					 : transfer->message[0]   ? transfer->message
											  : curl_easy_strerror(code));
}

static void give_up(struct oe__http_shard *shard)
{
	while (shard->transfers) {
		struct oe__http_call *call = shard->transfers->call;
		(void)oe__error_nomem(&call->error);
		oe__http_end(call);
		oe__http_over(call, OE_ERR_NOMEM);
	}
	oe__http_renew_shard(shard);
}

static void collect(struct oe__http_shard *shard)
{
	CURLMsg *message;
	int left;

	shard->touched = false;
	while ((message = curl_multi_info_read(shard->multi, &left)) != NULL) {
		struct oe__http_transfer *transfer = NULL;
		/* The message is gone once its handle is removed. */
		CURLcode code = message->data.result;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&transfer);
		struct oe__http_call *call = transfer->call;
		int status = read_result(transfer, code);
		oe__http_end(call);
		oe__http_over(call, status);
	}
	if (shard->broken)
		give_up(shard);
}

bool oe__http_wants_turn(const struct oe__http *http)
{
	for (size_t i = 0; i < http->shard_count; i++)
		if (http->shards[i]->due || http->shards[i]->touched)
			return true;
	return false;
}

void oe__http_turn(struct oe__http *http)
{
	for (size_t i = 0; i < http->shard_count; i++) {
		struct oe__http_shard *shard = http->shards[i];
		if (shard->due) {
			shard->due = false;
			oe__http_act(shard, CURL_SOCKET_TIMEOUT, 0);
		}
		if (shard->touched)
			collect(shard);
	}
}

void oe__http_close(struct oe__http *http)
{
	struct oe__http_transfer *next;

	for (struct oe__http_transfer *transfer = http->unused; transfer; transfer = next) {
		next = transfer->next;
		free_transfer(transfer);
	}
	for (size_t i = 0; i < http->shard_count; i++)
		oe__http_free_shard(http->shards[i]);
	oe__free(http->shards);
	oe__free(http->sockets);
}

/* ---- headers ---- */

int oe__http_headers_new(struct oe__http_headers **out)
{
	OE__AUTO(http_headers) struct oe__http_headers *headers = oe__calloc(1, sizeof(*headers));

	/* Without the first, curl asks permission for larger bodies and waits for it. */
	if (!headers || oe__http_headers_add(headers, "Expect", "") < 0 ||
		oe__http_headers_add(headers, "Content-Type", "application/json") < 0)
		return OE_ERR_NOMEM;
	*out = OE__STEAL(headers);
	return 0;
}

int oe__http_headers_add(struct oe__http_headers *headers, const char *name, const char *value)
{
	OE__AUTO(buffer) struct oe__buffer line = OE__BUFFER_INIT(0);

	if (oe__buffer_printf(&line, *value ? "%s: %s" : "%s:%s", name, value) < 0)
		return line.status;
	struct curl_slist *list = curl_slist_append(headers->list, oe__buffer_string(&line));
	if (!list)
		return OE_ERR_NOMEM;
	headers->list = list;
	return 0;
}

void oe__http_headers_free(struct oe__http_headers *headers)
{
	if (!headers)
		return;
	curl_slist_free_all(headers->list);
	oe__free(headers);
}
