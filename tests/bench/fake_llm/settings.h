/* What the server does: the table of settings, set by flags and by POST /control, and the faults.
 */
#ifndef FAKE_LLM_SETTINGS_H
#define FAKE_LLM_SETTINGS_H

#include "text.h"

#include <stdint.h>
#include <stdio.h>

/* id, name, HTTP status if it is an error answer, what it does. The setting `rate-NAME` is its
   share of the chat requests, and a step of a script may name it. A request meets one fault at
   most. */
#define FAULTS(X)                                                                                  \
	X(400, "400", 400, "invalid request: context length exceeded")                                 \
	X(401, "401", 401, "key refused")                                                              \
	X(403, "403", 403, "permission denied")                                                        \
	X(404, "404", 404, "no such model")                                                            \
	X(408, "408", 408, "request timed out")                                                        \
	X(429, "429", 429, "rate limit, with retry-after")                                             \
	X(500, "500", 500, "server error")                                                             \
	X(502, "502", 502, "bad gateway: an HTML page")                                                \
	X(503, "503", 503, "unavailable, with retry-after")                                            \
	X(529, "529", 529, "overloaded, with retry-after")                                             \
	X(DROP, "drop", 0, "closes the connection before any byte")                                    \
	X(RESET, "reset", 0, "resets the connection before any byte")                                  \
	X(CUT, "cut", 0, "closes the connection half-way through the answer")                          \
	X(HANG, "hang", 0, "never answers")                                                            \
	X(SLOW, "slow", 0, "sends drip-bytes bytes each drip-ms")                                      \
	X(LONG_LENGTH, "long-length", 0, "promises more bytes than it sends, and keeps silent")        \
	X(SHORT_LENGTH, "short-length", 0, "promises fewer bytes than it sends")                       \
	X(CHUNKED, "chunked", 0, "an ordinary answer in chunks: no fault, but some servers do it")     \
	X(BAD_JSON, "bad-json", 0, "JSON that breaks off")                                             \
	X(NO_CHOICES, "no-choices", 0, "a JSON object without an answer")                              \
	X(NO_DIFF, "no-diff", 0, "prose without an edit")                                              \
	X(EMPTY, "empty", 0, "empty content")                                                          \
	X(PARTS, "parts", 0, "an ordinary answer as an array of parts")                                \
	X(NULL, "null", 0, "null content, the answer in reasoning_content")                            \
	X(THINK, "think", 0, "an ordinary answer behind a <think> section")                            \
	X(LENGTH, "length", 0, "half of an answer, finish_reason length")                              \
	X(FILTER, "filter", 0, "finish_reason content_filter")                                         \
	X(REFUSAL, "refusal", 0, "a refusal")

enum fault {
#define X(id, name, status, help) FAULT_##id,
	FAULTS(X)
#undef X
		FAULT_COUNT,
	FAULT_NONE = FAULT_COUNT
};

extern const char *const fault_names[FAULT_COUNT + 1]; /* "none" at FAULT_NONE */
extern const int fault_statuses[FAULT_COUNT + 1];

enum mode { MODE_DIFF, MODE_REWRITE, MODE_ECHO, MODE_NONE, MODE_GARBAGE, MODE_SCRIPT };

/* One answer of a script: what it does not say follows the settings. */
struct step {
	char *content;  /* NULL: as the mode says */
	double latency; /* ms; negative: as the settings say */
	enum fault fault;
};

struct settings {
	double port, seed, latency, latency_sigma, error_latency;
	double answer_bytes, blocks, pure, strict;
	double close_after, idle_close, drip_bytes, drip_ms, down, release, until_eof;
	double rate[FAULT_COUNT];
	char mode_name[16], retry_after[64], unsupported[256], key[256], journal[256];
	enum mode mode;
	struct step *steps;
	size_t step_count;
};

void settings_init(struct settings *settings);
void settings_free(struct settings *settings);
/* Sets one setting from its flag. Returns NULL, or what is wrong with it. */
const char *settings_set(struct settings *settings, const char *name, const char *value);
/* Sets all that a JSON object names, or none of it. Returns NULL, or what is wrong with it. */
const char *settings_control(struct settings *settings, struct slice json);
/* Reads the file of `--script`. */
const char *settings_script_file(struct settings *settings, const char *path);
void settings_help(FILE *to);

#endif
