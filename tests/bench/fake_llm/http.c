/* HTTP/1.1 over one epoll set: connections, requests, answers with all their faults, timers.

   A connection reads one request, waits out its latency, writes the answer, and only then looks at
   the next, so pipelined requests are answered in order. Answers are made when the request is
   complete, so that its buffer can serve another connection meanwhile: thousands may wait, and each
   costs its answer only. */
#include "server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define BUFFER_SIZE (64u << 10) /* a prompt and its head in one read */
#define EVENTS_MAX  256

enum state { READING, WAITING, WRITING };

struct conn {
	struct timer timer; /* first: a timer that is due is its connection */
	int fd;
	enum state state;
	uint32_t interest; /* what epoll reports */
	struct text in, out;
	size_t sent, send_max; /* less than out.size when the answer is cut */
	uint64_t arrived_us;   /* when the request was complete */
	uint64_t answers;
	int status;
	enum fault fault;
	bool chat, close, continued;
	struct conn *next, **link;
};

static void set_interest(struct server *server, struct conn *conn, uint32_t interest)
{
	struct epoll_event event = { .events = interest, .data.ptr = conn };

	if (conn->interest != interest)
		epoll_ctl(server->epoll_fd, EPOLL_CTL_MOD, conn->fd, &event);
	conn->interest = interest;
}

static void take_buffer(struct server *server, struct conn *conn)
{
	if (!conn->in.data && server->spare_count)
		conn->in = server->spare[--server->spare_count];
	text_reserve(&conn->in, conn->in.room ? 1 : BUFFER_SIZE);
}

static void give_buffer(struct server *server, struct conn *conn)
{
	conn->in.size = 0;
	if (conn->in.room == BUFFER_SIZE &&
		server->spare_count < sizeof(server->spare) / sizeof(server->spare[0]))
		server->spare[server->spare_count++] = conn->in;
	else
		text_free(&conn->in);
	conn->in = (struct text){ 0 };
}

static void conn_open(struct server *server, int fd)
{
	struct conn *conn = calloc(1, sizeof(*conn));

	if (!conn)
		abort();
	conn->fd = fd;
	conn->interest = EPOLLIN | EPOLLRDHUP;
	struct epoll_event event = { .events = conn->interest, .data.ptr = conn };
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
	epoll_ctl(server->epoll_fd, EPOLL_CTL_ADD, fd, &event);
	conn->next = server->conns;
	conn->link = &server->conns;
	if (conn->next)
		conn->next->link = &conn->next;
	server->conns = conn;
	server->stats.accepted++;
	if (++server->stats.open > server->stats.open_max)
		server->stats.open_max = server->stats.open;
}

/* Counts an unfinished request in `outcome`. */
static void conn_close(struct server *server, struct conn *conn, uint64_t *outcome)
{
	if (conn->chat) {
		server->stats.in_flight--;
		++*outcome;
	} else if (conn->state == READING && conn->in.size) {
		server->stats.incomplete++;
	}
	timer_clear(&server->timers, &conn->timer);
	close(conn->fd);
	server->stats.open--;
	*conn->link = conn->next;
	if (conn->next)
		conn->next->link = conn->link;
	give_buffer(server, conn);
	text_free(&conn->out);
	free(conn);
}

static void accept_all(struct server *server)
{
	for (;;) {
		int fd = accept4(server->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0) {
			conn_open(server, fd);
		} else if (errno == EMFILE || errno == ENFILE) {
			perror("fake_llm: accept");
			exit(1);
		} else if (errno != ECONNABORTED && errno != EINTR) {
			return;
		}
	}
}

/* Puts the reply into the connection's output. */
static void write_reply(struct conn *conn, const struct reply *reply, bool http10)
{
	const struct text *body = &reply->body;
	size_t promised = body->size;
	struct text *out = &conn->out;

	if (reply->fault == FAULT_LONG_LENGTH)
		promised += 100;
	else if (reply->fault == FAULT_SHORT_LENGTH)
		promised -= promised / 4;
	out->size = 0;
	text_reserve(out, body->size + reply->headers.size + 256);
	text_format(out, "HTTP/1.1 %d %s\r\nContent-Type: %s\r\n", reply->status,
				reply->status == 200 ? "OK" : "Error", reply->type);
	text_add(out, reply->headers.data, reply->headers.size);
	if (conn->close || http10)
		text_puts(out, conn->close ? "Connection: close\r\n" : "Connection: keep-alive\r\n");
	if (reply->fault == FAULT_CHUNKED) {
		size_t half = body->size / 2;
		text_format(out, "Transfer-Encoding: chunked\r\n\r\n%zx\r\n", half);
		text_add(out, body->data, half);
		text_format(out, "\r\n%zx\r\n", body->size - half);
		text_add(out, body->data + half, body->size - half);
		text_puts(out, "\r\n0\r\n\r\n");
	} else {
		text_format(out, "Content-Length: %zu\r\n\r\n", promised);
		text_add(out, body->data, body->size);
	}
	conn->sent = 0;
	conn->send_max = reply->fault == FAULT_CUT ? out->size - body->size / 2 : out->size;
}

/* The answer is out. Returns false if the connection is closed with it. */
static bool conn_finish(struct server *server, struct conn *conn)
{
	if (conn->fault == FAULT_CUT) {
		conn_close(server, conn, &server->stats.dropped);
		return false;
	}
	if (conn->chat) {
		server->stats.in_flight--;
		stats_answered(&server->stats, conn->status, now_us() - conn->arrived_us);
	}
	conn->chat = false;
	conn->state = READING;
	conn->continued = false;
	conn->answers++;
	if (conn->close) {
		conn_close(server, conn, NULL);
		return false;
	}
	set_interest(server, conn, EPOLLIN | EPOLLRDHUP);
	if (server->settings.idle_close > 0)
		timer_set(&server->timers, &conn->timer,
				  now_us() + (uint64_t)(server->settings.idle_close * 1000));
	return true;
}

/* Sends what is due. Returns false if the connection is closed. */
static bool conn_send(struct server *server, struct conn *conn)
{
	size_t size = conn->send_max - conn->sent;
	const struct settings *settings = &server->settings;

	conn->state = WRITING;
	if (conn->fault == FAULT_RESET)
		setsockopt(conn->fd, SOL_SOCKET, SO_LINGER, &(struct linger){ 1, 0 },
				   sizeof(struct linger));
	if (conn->fault == FAULT_DROP || conn->fault == FAULT_RESET) {
		conn_close(server, conn, &server->stats.dropped);
		return false;
	}
	if (conn->fault == FAULT_SLOW && size > (size_t)settings->drip_bytes)
		size = (size_t)settings->drip_bytes;
	ssize_t sent = send(conn->fd, conn->out.data + conn->sent, size, MSG_NOSIGNAL);
	if (sent < 0 && errno != EAGAIN && errno != EINTR) {
		conn_close(server, conn, &server->stats.abandoned);
		return false;
	}
	if (sent > 0) {
		conn->sent += (size_t)sent;
		server->stats.bytes_out += (uint64_t)sent;
	}
	if (conn->sent == conn->send_max)
		return conn_finish(server, conn);
	if (conn->fault == FAULT_SLOW)
		timer_set(&server->timers, &conn->timer, now_us() + (uint64_t)(settings->drip_ms * 1000));
	else
		set_interest(server, conn, EPOLLOUT | EPOLLRDHUP);
	return true;
}

/* Answers a request, now or later. Returns false if the connection is closed. */
static bool conn_answer(struct server *server, struct conn *conn, bool keep_alive, bool http10)
{
	struct reply *reply = &server->reply;
	double close_after = server->settings.close_after;

	conn->status = reply->status;
	conn->fault = reply->fault;
	conn->chat = reply->chat;
	conn->close = !keep_alive || (close_after > 0 && (double)conn->answers + 1 >= close_after);
	conn->state = WAITING;
	write_reply(conn, reply, http10);
	if (conn->fault == FAULT_HANG)
		return true;
	if (!(reply->latency_ms > 0))
		return conn_send(server, conn);
	timer_set(&server->timers, &conn->timer,
			  conn->arrived_us + (uint64_t)(reply->latency_ms * 1000));
	return true;
}

static void clear_reply(struct reply *reply)
{
	struct text headers = reply->headers, body = reply->body;

	headers.size = body.size = 0;
	*reply = (struct reply){ 200, "application/json", headers, body, FAULT_NONE, 0, false };
}

static bool refuse(struct server *server, struct conn *conn, int status)
{
	server->stats.malformed++;
	conn->in.size = 0;
	clear_reply(&server->reply);
	reply_error(&server->reply, status, false, NULL, "not a request that this server understands",
				(struct slice){ 0 });
	return conn_answer(server, conn, false, false);
}

/* Serves the complete requests in the buffer, one after the other's answer is out. Returns false if
   the connection is closed. */
static bool conn_advance(struct server *server, struct conn *conn)
{
	while (conn->state == READING && conn->in.size) {
		struct request request;
		int got = read_head((struct slice){ conn->in.data, conn->in.size }, &request);
		if (got < 0)
			return refuse(server, conn, -got);
		if (!got || request.size > conn->in.size) {
			if (got && request.expects_continue && !conn->continued)
				(void)!send(conn->fd, "HTTP/1.1 100 Continue\r\n\r\n", 25, MSG_NOSIGNAL);
			conn->continued = got && request.expects_continue;
			text_reserve(&conn->in, got ? request.size - conn->in.size : 1);
			return true;
		}
		timer_clear(&server->timers, &conn->timer);
		conn->arrived_us = now_us();
		clear_reply(&server->reply);
		serve(server, &request);
		conn->in.size -= request.size;
		memmove(conn->in.data, conn->in.data + request.size, conn->in.size);
		if (!conn->in.size)
			give_buffer(server, conn);
		if (!conn_answer(server, conn, request.keep_alive, request.http10))
			return false;
	}
	return true;
}

static void conn_read(struct server *server, struct conn *conn)
{
	if (conn->state != READING) { /* pipelined: later */
		set_interest(server, conn, conn->interest & ~(uint32_t)EPOLLIN);
		return;
	}
	take_buffer(server, conn);
	ssize_t got = recv(conn->fd, conn->in.data + conn->in.size, conn->in.room - conn->in.size, 0);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		conn_close(server, conn, &server->stats.abandoned);
		return;
	}
	server->stats.bytes_in += (uint64_t)got;
	conn->in.size += (size_t)got;
	conn_advance(server, conn);
}

static void on_event(struct server *server, struct conn *conn, uint32_t events)
{
	if ((events & (EPOLLERR | EPOLLHUP)) || ((events & EPOLLRDHUP) && conn->state != READING))
		conn_close(server, conn, &server->stats.abandoned);
	else if (events & EPOLLIN)
		conn_read(server, conn);
	else if ((events & EPOLLOUT) && conn_send(server, conn))
		conn_advance(server, conn);
}

static void run_timers(struct server *server)
{
	uint64_t now = timers_next(&server->timers) < UINT64_MAX ? now_us() : 0;
	struct timer *due;

	while ((due = timers_pop(&server->timers, now))) {
		struct conn *conn = (struct conn *)due;
		if (conn->state == READING)
			conn_close(server, conn, NULL); /* idle for too long */
		else if (conn_send(server, conn))
			conn_advance(server, conn);
	}
}

/* Binds the port, and listens unless `down`: to a bound port that nobody listens at connections are
   refused, and nobody else can take it. */
static int open_port(struct server *server, bool down)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
								   .sin_port = htons((uint16_t)server->port),
								   .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t size = sizeof(address);
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = server };

	server->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (server->listen_fd < 0)
		return errno;
	setsockopt(server->listen_fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int));
	if (bind(server->listen_fd, (struct sockaddr *)&address, size) < 0 ||
		getsockname(server->listen_fd, (struct sockaddr *)&address, &size) < 0)
		return errno;
	server->port = ntohs(address.sin_port);
	if (down)
		return 0;
	if (listen(server->listen_fd, 8192) < 0 ||
		epoll_ctl(server->epoll_fd, EPOLL_CTL_ADD, server->listen_fd, &event) < 0)
		return errno;
	return 0;
}

static void check_port(int error)
{
	if (!error)
		return;
	errno = error;
	perror("fake_llm: the port is lost");
	exit(1);
}

/* Goes down when told to, and up again when it is time. */
static void run_outage(struct server *server)
{
	if (server->settings.down > 0) {
		server->down_until_us = now_us() + (uint64_t)(server->settings.down * 1000);
		server->settings.down = 0;
		while (server->conns)
			conn_close(server, server->conns, &server->stats.dropped);
		close(server->listen_fd); /* the last: who is refused knows that all others are closed */
		check_port(open_port(server, true));
	} else if (server->down_until_us && now_us() >= server->down_until_us) {
		server->down_until_us = 0;
		close(server->listen_fd);
		check_port(open_port(server, false));
	}
}

/* Ends the latencies of all that wait, when told to. */
static void run_release(struct server *server)
{
	if (server->settings.release <= 0)
		return;
	server->settings.release = 0;
	for (struct conn *conn = server->conns; conn; conn = conn->next)
		if (conn->state == WAITING && conn->timer.slot > 0)
			timer_set(&server->timers, &conn->timer, 0);
}

/* Time to the next thing to do, rounded up: waking up early would spin. */
static int wait_ms(const struct server *server)
{
	uint64_t next = timers_next(&server->timers);

	if (server->down_until_us && server->down_until_us < next)
		next = server->down_until_us;
	if (next == UINT64_MAX)
		return -1;
	uint64_t now = now_us();
	return next <= now ? 0 : (int)((next - now + 999) / 1000);
}

int server_start(struct server *server)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = NULL }; /* standard input */

	stats_reset(&server->stats);
	server->port = (int)server->settings.port;
	server->journal_fd = -1;
	if (server->settings.journal[0]) {
		server->journal_fd = open(server->settings.journal,
								  O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
		if (server->journal_fd < 0)
			return errno;
	}
	server->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (server->epoll_fd < 0)
		return errno;
	if (server->settings.until_eof != 0 &&
		epoll_ctl(server->epoll_fd, EPOLL_CTL_ADD, 0, &event) < 0)
		return errno;
	return open_port(server, false);
}

void server_run(struct server *server)
{
	struct epoll_event events[EVENTS_MAX];
	char ignored[256];

	for (;;) {
		int count = epoll_wait(server->epoll_fd, events, EVENTS_MAX, wait_ms(server));
		for (int i = 0; i < count; i++) {
			void *what = events[i].data.ptr;
			if (what == server)
				accept_all(server);
			else if (what)
				on_event(server, what, events[i].events);
			else if (read(STDIN_FILENO, ignored, sizeof(ignored)) <= 0)
				return;
		}
		run_release(server);
		run_timers(server);
		run_outage(server);
	}
}

void server_free(struct server *server)
{
	while (server->conns)
		conn_close(server, server->conns, &server->stats.dropped);
	while (server->spare_count)
		text_free(&server->spare[--server->spare_count]);
	free(server->timers.heap);
	text_free(&server->reply.headers);
	text_free(&server->reply.body);
	text_free(&server->last_head);
	text_free(&server->last_body);
	settings_free(&server->settings);
	close(server->listen_fd);
	close(server->epoll_fd);
	if (server->journal_fd >= 0)
		close(server->journal_fd);
}
