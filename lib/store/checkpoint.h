#ifndef OE__STORE_CHECKPOINT_H
#define OE__STORE_CHECKPOINT_H

/*
 * Checkpoints in OpenEvolve's layout, both ways; the public functions are oe_population_save() and
 * oe_population_load(). Any thread: populations are immutable.
 */

#include "base/buffer.h"
#include "program/population.h"

struct oe__checkpoint_options {
	const char *extension; /* of program files, with its dot */
	size_t inline_max;     /* larger artifacts are files of their own */
	const char *previous;  /* a checkpoint whose files are linked to where they are the same; or NULL */
	bool previous_synced;  /* its files are on the disk: whoever links to them need not wait for that */
	const char *run;       /* the directory of the run, which must not be in what is replaced; or NULL */
	const struct oe__provenance *from; /* NULL: no run writes it of itself */
	bool synced;           /* it survives a loss of power, complete or not at all */

	/* Append the JSON of a program's prompts and answers. @return 1, 0 if there are none. May be
	   NULL. */
	int (*prompts)(void *owner, const oe_program *program, struct oe__buffer *out, oe_error *err);
	void *owner;
};

/* oe_population_save(), with all that can be chosen. */
int oe__checkpoint_save(const oe_population *population, const char *directory,
                        const struct oe__checkpoint_options *options, oe_error *err);

/* oe_population_load(); programs of a checkpoint that has no islands are dealt to so many. */
int oe__checkpoint_load(const char *directory, int32_t islands, oe_population **out, oe_error *err);

/* best_program_info.json; `current_iteration` < 0 for the one in best/. */
void oe__checkpoint_write_info(const oe_program *best, int64_t current_iteration,
                               struct oe__buffer *out);

#endif /* OE__STORE_CHECKPOINT_H */
