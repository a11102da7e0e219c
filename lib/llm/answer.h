#ifndef OE__LLM_ANSWER_H
#define OE__LLM_ANSWER_H

/*
 * What a provider answers: the JSON of a response, read into a completion, and the JSON (or not) of
 * an error. Foreign bytes: everything may be missing, of another type or broken. Pure; any thread.
 */

#include "llm/chat.h"
#include "llm/completion.h"

/* What an error response says, as far as it says it. One line each. */
struct oe__answer_error {
	char message[OE_ERROR_MESSAGE_SIZE];
	char type[64]; /* "insufficient_quota", "overloaded_error", ... */
	char parameter[64];
	int code; /* where the HTTP status is 200 and the error is inside; else 0 */
};

/* Text, usage and finish go to the completion.
   OE_ERR_FORMAT: not an answer, `err` says why. OE_ERR_LLM: it is an error after all, in `error`.
 */
int oe__answer_read(enum oe__chat_dialect dialect, const char *json, size_t size,
					oe_completion *completion, struct oe__answer_error *error, oe_error *err);

/* Never fails: without sense in it, the texts are empty. */
void oe__answer_read_error(const char *text, size_t size, struct oe__answer_error *out);

#endif /* OE__LLM_ANSWER_H */
