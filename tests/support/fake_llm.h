/* The fake model server (tests/bench/fake_llm) for tests in C: a process of its own that ends with
   the test's. A test that cannot start or reach it ends with a message. */
#ifndef TESTS_FAKE_LLM_H
#define TESTS_FAKE_LLM_H

#include <sys/types.h>

struct fake_llm {
	pid_t pid;
	int stdin_fd; /* the server ends when it is closed */
	int port;
	char url[64]; /* "http://127.0.0.1:PORT/v1" */
};

/* Starts a server with flags as `fake_llm --help` lists them: `const char *const flags[] = {
   "--latency", "20", NULL }`, or NULL for none. */
void fake_llm_start(struct fake_llm *fake, const char *const flags[]);
/* Waits for its end. Does nothing for one that is not running. */
void fake_llm_stop(struct fake_llm *fake);

/* Changes settings: `{"rate-429": 0.5}`. A wrong one ends the test. */
void fake_llm_control(const struct fake_llm *fake, const char *json);
/* Zeroes the statistics. */
void fake_llm_reset(const struct fake_llm *fake);
/* A number of GET /stats by its place: "requests", "status.429", "latency_ms.mean"; 0 if it is not
 * there. */
double fake_llm_stat(const struct fake_llm *fake, const char *place);
/* Goes down for so long; returns when its connections are closed, and new ones are refused. */
void fake_llm_down(const struct fake_llm *fake, int ms);
/* The JSON of GET /last: path, headers and body of the last request. The caller frees it. */
char *fake_llm_last(const struct fake_llm *fake);

#endif
