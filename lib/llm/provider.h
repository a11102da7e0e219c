#ifndef OE__LLM_PROVIDER_H
#define OE__LLM_PROVIDER_H

/*
 * A model behind an HTTP API, as an oe_llm: one request per question, no retries but for a dead
 * pooled connection and for a parameter that the model turns out not to know.
 */

#include "config/config.h"
#include "llm/http.h"
#include "openevolve/llm.h"

/* Copies what it needs of the model; `http` is referenced. */
int oe__provider_new(const struct oe__model *model, struct oe__http *http, size_t response_max,
					 oe_llm **out, oe_error *err);

#endif /* OE__LLM_PROVIDER_H */
