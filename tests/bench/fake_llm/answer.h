/* The text of an answer: an edit that really applies to the program shown in the prompt. */
#ifndef FAKE_LLM_ANSWER_H
#define FAKE_LLM_ANSWER_H

#include "settings.h"

/* A stream of independent numbers: the same arguments always give the same number. */
uint64_t mix(uint64_t seed, uint64_t purpose, uint64_t number);
/* The same as a share: >= 0 and < 1. */
double mix_share(uint64_t seed, uint64_t purpose, uint64_t number);

enum { MIX_FAULT = 1, MIX_LATENCY, MIX_EDIT };

/* Writes the answer number `number` to `prompt`, as the mode says. Returns false if an edit was
   wanted but no program found, or no line of it that occurs once; then it is prose. */
bool answer_write(const struct settings *settings, struct slice prompt, uint64_t number,
				  struct text *out);
/* Prose without an edit, up to `size` bytes in all of `out`. */
void answer_prose(uint64_t key, size_t size, struct text *out);

#endif
