#ifndef OE__LLM_METER_H
#define OE__LLM_METER_H

/*
 * Who pays for questions. A question that goes to somebody who may charge for it is announced to the
 * meter of its call, and sent when the meter says so; however it ends, the meter is told what it cost. A
 * retry is a question of its own. Composites pass the meter on with the question.
 *
 * The methods are called by any thread, without a lock.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "openevolve/llm.h"
#include "scheduler/task.h"

/* One question that is paid for; lives from reserve() to settle(). */
struct oe__fare {
	/* Set before reserve(). */
	const char *model;       /* name of the model that is asked; "" if nobody knows    */
	int64_t bytes;           /* of the prompt                                          */
	int64_t output_max;      /* tokens that the answer may have; 0: nobody said        */
	int64_t number;          /* of the iteration; 0: of none, or a judge's             */
	oe_completion *completion;
	/* It may be sent (0), or not (negative). Once, by any thread that may take a moment, perhaps before
	   reserve() returns; the fare may be gone afterwards. */
	void (*go)(struct oe__fare *fare, int status);

	/* The meter's. */
	struct oe__fare *next;
	struct oe__task task;
	void *entry;
};

struct oe__meter {
	atomic_int refs;
	void (*reserve)(struct oe__meter *meter, struct oe__fare *fare);
	/* `completion` as it is in the end: one that was given up may have been answered all the same. */
	void (*settle)(struct oe__meter *meter, struct oe__fare *fare, const oe_completion *completion);
	/* Nobody wants this answer: if it waits to be sent, it has waited long enough. */
	void (*recall)(struct oe__meter *meter, const oe_completion *completion);
	void (*free)(struct oe__meter *meter);
};

static inline struct oe__meter *oe__meter_ref(struct oe__meter *meter)
{
	if (meter)
		atomic_fetch_add_explicit(&meter->refs, 1, memory_order_relaxed);
	return meter;
}

static inline void oe__meter_unref(struct oe__meter *meter)
{
	if (meter && atomic_fetch_sub_explicit(&meter->refs, 1, memory_order_acq_rel) == 1)
		meter->free(meter);
}

#endif /* OE__LLM_METER_H */
