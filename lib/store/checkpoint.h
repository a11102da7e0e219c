#ifndef OE__STORE_CHECKPOINT_H
#define OE__STORE_CHECKPOINT_H

/*
 * Checkpoints in OpenEvolve's layout, both ways; the public functions are oe_population_save() and
 * oe_population_load(). Any thread: populations are immutable.
 */

#include "base/buffer.h"
#include "program/population.h"

/* best_program_info.json; `current_iteration` < 0 for the one in best/. */
void oe__checkpoint_write_info(const oe_program *best, int64_t current_iteration,
                               struct oe__buffer *out);

#endif /* OE__STORE_CHECKPOINT_H */
