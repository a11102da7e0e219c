#ifndef OE__LLM_CHAT_H
#define OE__LLM_CHAT_H

/*
 * What a request to a provider says: its URL, its headers and its JSON, in the dialects of OpenAI's
 * chat completions, Azure's and Anthropic's messages. No I/O; a model is immutable once made, so
 * any thread may write requests of it.
 */

#include "base/auto.h"
#include "base/json.h"
#include "config/config.h"
#include "llm/http.h"
#include "openevolve/llm.h"

enum oe__chat_dialect { OE__CHAT_OPENAI, OE__CHAT_AZURE, OE__CHAT_ANTHROPIC };

/* What requests to a model do without, since it has complained. Bits. */
enum oe__chat_avoid {
	OE__AVOID_TEMPERATURE = 1,
	OE__AVOID_TOP_P = 2,
	OE__AVOID_SEED = 4,
	OE__AVOID_REASONING_EFFORT = 8,
	OE__AVOID_VERBOSITY = 16,
	OE__AVOID_LIMIT_NAME = 32, /* the other one of max_tokens and max_completion_tokens */
	OE__AVOID_LIMIT = 64       /* neither of them                                       */
};

struct oe__chat_model {
	char *name;
	enum oe__chat_dialect dialect;
	bool reasoning; /* of the families with other parameters */
	bool has_temperature, has_top_p, has_max_tokens, has_seed;
	double temperature, top_p;
	int64_t max_tokens, seed;
	char *reasoning_effort, *verbosity; /* or NULL: not sent */
};

/* Takes copies. */
int oe__chat_model_init(struct oe__chat_model *chat, const struct oe__model *model);
void oe__chat_model_done(struct oe__chat_model *chat);

/* Where requests go; a new string, NULL without memory. */
char *oe__chat_url(const struct oe__model *model);

int oe__chat_headers(const struct oe__model *model, struct oe__http_headers **out);

/* The model as one question sees it, whose answer may be limited by who asks. Borrows. */
struct oe__chat_model oe__chat_limited(const struct oe__chat_model *chat,
									   const oe_llm_request *request);

/* The JSON of one question. `seed` is sent as it is, if the model has one at all. */
int oe__chat_write(const struct oe__chat_model *chat, const oe_llm_request *request, unsigned avoid,
				   int64_t seed, struct oe__buffer *out);

/* Its parts, for conversations: what is before the messages, one of them, and what follows. */
void oe__chat_begin(struct oe__json_writer *writer, const struct oe__chat_model *chat);
void oe__chat_message(struct oe__json_writer *writer, const char *role, const char *text,
					  size_t size);
void oe__chat_end(struct oe__json_writer *writer, const struct oe__chat_model *chat, unsigned avoid,
				  int64_t seed);

/* The parameter that a 400 is about: `parameter` as the provider names it, or "" and then what its
   message says. @return a bit to add to `avoid`, 0 if it is about something else. */
unsigned oe__chat_blamed(const struct oe__chat_model *chat, unsigned avoid, const char *parameter,
						 const char *message);

OE__AUTO_VALUE(chat_model, struct oe__chat_model, oe__chat_model_done)

#endif /* OE__LLM_CHAT_H */
