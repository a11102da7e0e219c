/* One HTTP request, read from a connection's buffer. */
#ifndef FAKE_LLM_REQUEST_H
#define FAKE_LLM_REQUEST_H

#include "text.h"

/* The slices point into the buffer. */
struct request {
	struct slice method, target, path, query, head, body;
	struct slice authorization, api_key, x_api_key; /* empty if absent */
	size_t size;                                    /* of head and body */
	bool keep_alive, http10, expects_continue;
};

/* Reads the head at the beginning of `in`. Returns 1 if it is complete, whether or not `in` holds
   all of the body; 0 if it is not; or the negative HTTP status to refuse it with. */
int read_head(struct slice in, struct request *request);

#endif
