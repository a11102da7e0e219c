/* The server's state and the seams between its files: http.c moves bytes, serve.c decides what to
   answer, chat.c writes what a model would. One thread, no locks. */
#ifndef FAKE_LLM_SERVER_H
#define FAKE_LLM_SERVER_H

#include "answer.h"
#include "request.h"
#include "settings.h"
#include "stats.h"
#include "timer.h"

/* What to answer, and how badly. */
struct reply {
	int status;
	const char *type;
	struct text headers; /* further lines, each with its CRLF */
	struct text body;
	enum fault fault;
	double latency_ms;
	bool chat; /* counted as a request to the model */
};

struct conn;

struct server {
	struct settings settings;
	struct stats stats;
	uint64_t number; /* of the next request to the model, since the seed was set */
	size_t step;     /* next one of the script */
	struct text last_head, last_body;
	int journal_fd; /* -1: none */
	struct reply reply; /* the one being made: its texts are reused */

	int epoll_fd, listen_fd, port;
	uint64_t down_until_us; /* 0: up */
	struct conn *conns;     /* all open ones */
	struct timers timers;
	struct text spare[64]; /* input buffers of idle connections; the warmest on top */
	size_t spare_count;
};

/* Fills server->reply, which comes empty with status 200. */
void serve(struct server *server, const struct request *request);
void serve_chat(struct server *server, const struct request *request, bool anthropic);
/* An error in the words of the API asked. */
void reply_error(struct reply *reply, int status, bool anthropic, const char *code,
				 const char *message, struct slice param);

/* Returns 0, or an errno. */
int server_start(struct server *server);
/* Serves until standard input ends, if the settings say so; else for ever. */
void server_run(struct server *server);
void server_free(struct server *server);

#endif
