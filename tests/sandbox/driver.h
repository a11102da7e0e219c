#ifndef OE_SANDBOX_DRIVER_H
#define OE_SANDBOX_DRIVER_H

/*
 * The driver is an ordinary program with the library in it, through its public headers: the tests tell
 * it what to run, one JSON object per line, and it answers with one line each. It lives through many
 * runs, so that what they leave in it can be seen from outside.
 */

#include <jansson.h>

#include "openevolve/openevolve.h"

struct driver {
	oe_sandbox *sandbox;
	oe_config *config;
	oe_scheduler *scheduler;
	oe_evaluator *evaluator;
};

/* Each takes a request and gives the answer. */
json_t *driver_open(struct driver *driver, const json_t *request);
json_t *driver_run(struct driver *driver, const json_t *request);
json_t *driver_evaluator(struct driver *driver, const json_t *request);
json_t *driver_judge(struct driver *driver, const json_t *request);

void driver_close(struct driver *driver);

/* {"error": {"status", "message", "where"}} */
json_t *driver_failure(int status, const oe_error *err);

/* Text that may be anything; what is not UTF-8 is said to be so. */
json_t *driver_text(const void *data, size_t size);

json_t *driver_usage(const oe_usage *usage);

/* A list of strings as C wants it, from a member; NULL without one. The strings are the object's. */
const char **driver_strings(const json_t *object, const char *name);

double driver_now_ms(void);

/* A number, or the other. */
int64_t driver_number(const json_t *object, const char *name, int64_t otherwise);

#endif /* OE_SANDBOX_DRIVER_H */
