#ifndef OE__LLM_ENSEMBLE_H
#define OE__LLM_ENSEMBLE_H

/* The members of an ensemble, for those who ask each of them. Any thread. */

#include <stddef.h>

#include "openevolve/llm.h"

/* Member at `index` and its share of all weights; NULL past the last. Anything that is no ensemble is
   the only member of one. Borrowed. */
oe_llm *oe__ensemble_member(oe_llm *llm, size_t index, double *share);

#endif /* OE__LLM_ENSEMBLE_H */
