#ifndef OE__LLM_RECORDING_H
#define OE__LLM_RECORDING_H

/*
 * Recordings: files of answers, one JSON object per line, appended as the answers come.
 *
 *   {"schema": "oe.llm/1", "prompt": SHA-256 of the system message, a NUL and the prompt, in hexadecimal,
 *    "seed": of the request, 16 digits, "ordinal": how often this prompt had been asked before,
 *    "model": ..., "finish": "stop" | "length" | "refusal" | "empty" | "other",
 *    "tokens_in": N | null, "tokens_out": N | null, "ms": how long it took, "answer": text}
 *
 * A question that was refused for good has "error", its sentence, in place of "answer"; what the evaluator's
 * models were asked has "role": "judge" besides. Prompts, keys and addresses are not in it.
 */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/auto.h"
#include "base/buffer.h"
#include "base/hash.h"
#include "openevolve/llm.h"

/* What a question is found again by. */
struct oe__recorded_key {
	uint8_t prompt[OE__SHA256_SIZE];
	uint64_t seed;
};

int oe__recorded_key_of(const oe_llm_request *request, struct oe__recorded_key *out);

struct oe__recorded {
	struct oe__recorded_key key;
	int64_t ordinal;
	char *model, *text; /* text: the answer, or the error */
	size_t size;
	bool failed, judge;
	int finish;
	int64_t tokens_in, tokens_out; /* -1: unknown */
	double ms;
};

void oe__recorded_done(struct oe__recorded *recorded);
/* Append the line, with its end. */
void oe__recorded_write(const struct oe__recorded *recorded, struct oe__buffer *out);

/* A file to read from: what is in it and where; the texts stay there. */
struct oe__recording;

/* OE_ERR_FORMAT with the line that is none. The torn rest of a last line, whose writer was interrupted, is
   left out; a whole one that only lacks its end counts. */
int oe__recording_open(const char *path, struct oe__recording **out, oe_error *err);
void oe__recording_free(struct oe__recording *recording);

/* Of judges, or of the others; those of them that may still be asked for; and those whose question will
   hardly come, as another one came in its place. */
size_t oe__recording_count(const struct oe__recording *recording, bool judges);
size_t oe__recording_left(const struct oe__recording *recording, bool judges);
size_t oe__recording_passed(const struct oe__recording *recording, bool judges);
/* Bytes up to the end of the last whole line, and those of the torn rest behind it. */
int64_t oe__recording_size(const struct oe__recording *recording);
size_t oe__recording_torn(const struct oe__recording *recording);
bool oe__recording_is_unended(const struct oe__recording *recording); /* the next line needs a new line */
/* How many there are of this prompt. */
int64_t oe__recording_count_of(const struct oe__recording *recording,
                               const uint8_t prompt[OE__SHA256_SIZE]);

/* Take the next answer to this prompt: of those that are left the first with the same seed, else the
   first. 1, or 0 if none is left. One thread at a time. */
int oe__recording_take(struct oe__recording *recording, const struct oe__recorded_key *key,
                       struct oe__recorded *out, oe_error *err);

/* The question with this seed was another one than that in the recording: its answer does not count as left
   any more, if there is one. */
bool oe__recording_pass(struct oe__recording *recording, uint64_t seed, bool judges);
/* Likewise, where an earlier session was answered: by this recording, as far as anybody can tell. */
bool oe__recording_pass_given(struct oe__recording *recording, const struct oe__recorded_key *key,
                              bool judges);

/* The backends over such a file, of the evaluator's models or of the others. */
int oe__llm_record_new(oe_llm *inner, const char *path, bool judges, oe_llm **out, oe_error *err);
int oe__llm_replay_new(const char *path, bool judges, oe_llm **out, oe_error *err);

/* For a run that goes on: a question of an earlier session, which will not come again, with the hash of its
   prompt (NULL: nobody knows). Was there an answer left to it? Not if this is no replayer. */
bool oe__llm_is_replayer(oe_llm *llm);
bool oe__llm_replay_pass(oe_llm *llm, const uint8_t *prompt, uint64_t seed);

OE__AUTO_POINTER(recording, struct oe__recording *, oe__recording_free)
OE__AUTO_VALUE(recorded, struct oe__recorded, oe__recorded_done)

#endif /* OE__LLM_RECORDING_H */
