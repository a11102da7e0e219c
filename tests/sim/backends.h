#ifndef OE_TESTS_SIM_BACKENDS_H
#define OE_TESTS_SIM_BACKENDS_H

/*
 * The model and the evaluator of a world, as plugins that answer later: what they answer is the
 * script's, when and how badly is the world's.
 */

#include <stdbool.h>
#include <stdint.h>

#include "openevolve/evaluator.h"
#include "openevolve/llm.h"

struct habits {
	int64_t answer_min_ns, answer_max_ns, evaluation_min_ns, evaluation_max_ns;
	double transient, refused, key_refused; /* of questions                        */
	double slow;                            /* of both: a hundred times as long    */
	double deaf;                            /* of both: do not hear a cancellation */
	double breaks;                          /* of evaluations, on our side         */
	int64_t outage_from_ns, outage_to_ns;   /* nobody is answered                  */
	bool dies_seeding;                      /* between two initial programs, often */
};
extern struct habits habits;

int backends_new(oe_llm **llm, oe_evaluator **evaluator);

/* What is still out comes back, to nobody. */
void backends_end(void);

#endif /* OE_TESTS_SIM_BACKENDS_H */
