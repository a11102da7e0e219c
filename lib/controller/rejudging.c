#include "controller/rejudging.h"

#include <pthread.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/thread.h"
#include "evaluator/evaluator.h"

enum place { FREE, EVALUATING, DONE };

struct slot {
	struct oe__evaluation_call call;
	struct oe__rejudging *rejudging;
	enum place place;     /* while it is evaluated: guarded by the mutex */
	int64_t seq, number;
	oe_program *program;  /* with the evaluation of before */
	oe_program *bare;     /* what is evaluated             */
};

struct oe__rejudging {
	struct oe__rejudging_options options;
	pthread_mutex_t mutex;
	pthread_cond_t ended;
	int status; /* of the first that could not be evaluated */
	oe_error error;
	int32_t count, found; /* slots; the one that was found last */
	int32_t taken;        /* that are not free                 */
	struct slot slots[];
};

/* ---- one of them ---- */

/* Any thread. */
static void done(struct oe__evaluation_call *call)
{
	struct slot *slot = OE__CONTAINER(call, struct slot, call);
	struct oe__rejudging *rejudging = slot->rejudging;

	OE__LOCKED(&rejudging->mutex);
	slot->place = DONE;
	pthread_cond_signal(&rejudging->ended);
}

static void clear(struct slot *slot)
{
	oe__evaluation_call_release(&slot->call);
	oe_program_unref(slot->program);
	oe_program_unref(slot->bare);
	slot->program = slot->bare = NULL;
	slot->place = FREE;
	slot->rejudging->taken--;
}

static void tell(struct slot *slot)
{
	struct oe__rejudging *rejudging = slot->rejudging;
	const struct oe__rejudged rejudged = {
		.seq = slot->seq,
		.number = slot->number,
		.before = slot->program->evaluation,
		.after = slot->call.evaluation,
	};

	if (slot->call.status == 0) {
		rejudging->options.judged(rejudging->options.owner, &rejudged);
	} else if (rejudging->status == 0) {
		rejudging->status = slot->call.status;
		rejudging->error = slot->call.error;
	}
	clear(slot);
}

/* ---- all of them ---- */

/* In turn, so that what one came to is not told last because others always end first. */
static struct slot *find_locked(struct oe__rejudging *rejudging, enum place place)
{
	for (int32_t i = 0; i < rejudging->count; i++) {
		struct slot *slot = &rejudging->slots[(rejudging->found + 1 + i) % rejudging->count];

		if (slot->place != place)
			continue;
		rejudging->found = (int32_t)(slot - rejudging->slots);
		return slot;
	}
	return NULL;
}

/* The next one that has ended; waits for it. NULL: none is under way. */
static struct slot *wait_for_one(struct oe__rejudging *rejudging)
{
	struct slot *slot = NULL;

	OE__LOCKED(&rejudging->mutex);
	while (rejudging->taken > 0 && (slot = find_locked(rejudging, DONE)) == NULL)
		oe__cond_wait_until(&rejudging->ended, &rejudging->mutex, -1);
	return slot;
}

static struct slot *free_slot(struct oe__rejudging *rejudging)
{
	struct slot *slot;

	if (rejudging->taken == rejudging->count) {
		slot = wait_for_one(rejudging);
		tell(slot);
		return slot;
	}
	OE__LOCKED(&rejudging->mutex);
	return find_locked(rejudging, FREE);
}

static int failure_of(const struct oe__rejudging *rejudging, oe_error *err)
{
	if (rejudging->status < 0 && err)
		*err = rejudging->error;
	return rejudging->status;
}

int oe__rejudging_add(struct oe__rejudging *rejudging, int64_t seq, int64_t number, oe_program *program,
                      uint64_t seed, oe_error *err)
{
	const struct oe__source *source = program->source;
	struct slot *slot = free_slot(rejudging);
	oe_program *bare = NULL;

	if (rejudging->status < 0)
		return failure_of(rejudging, err);
	if (oe_program_new(source->text, source->size, program->language, &bare) < 0)
		return oe__error_nomem(err);
	slot->seq = seq;
	slot->number = number;
	slot->program = oe_program_ref(program);
	slot->bare = bare;
	slot->place = EVALUATING;
	rejudging->taken++;
	slot->call = (struct oe__evaluation_call){
		.program = bare,
		.seed = seed,
		.timeout_ms = rejudging->options.timeout_ms,
		.done = done,
	};
	oe__evaluator_start(rejudging->options.evaluator, &slot->call);
	return 0;
}

int oe__rejudging_finish(struct oe__rejudging *rejudging, oe_error *err)
{
	struct slot *slot;

	while ((slot = wait_for_one(rejudging)) != NULL)
		tell(slot);
	return failure_of(rejudging, err);
}

/* ---- life ---- */

int oe__rejudging_new(const struct oe__rejudging_options *options, struct oe__rejudging **out, oe_error *err)
{
	size_t size = sizeof(struct oe__rejudging) + (size_t)options->jobs * sizeof(struct slot);
	int status = oe__evaluator_check_process(options->evaluator, err);
	struct oe__rejudging *rejudging = status < 0 ? NULL : oe__calloc(1, size);

	if (status < 0)
		return status;
	if (!rejudging)
		return oe__error_nomem(err);
	rejudging->options = *options;
	rejudging->count = options->jobs;
	for (int32_t i = 0; i < rejudging->count; i++)
		rejudging->slots[i].rejudging = rejudging;
	pthread_mutex_init(&rejudging->mutex, NULL);
	oe__cond_init(&rejudging->ended);
	oe__evaluator_set_threads(options->evaluator, options->jobs);
	*out = rejudging;
	return 0;
}

void oe__rejudging_free(struct oe__rejudging *rejudging)
{
	struct slot *slot;

	if (!rejudging)
		return;
	/* One that ends meanwhile is cancelled in vain. */
	for (int32_t i = 0; i < rejudging->count; i++)
		if (rejudging->slots[i].program)
			oe__evaluator_cancel(&rejudging->slots[i].call);
	while ((slot = wait_for_one(rejudging)) != NULL)
		clear(slot);
	pthread_cond_destroy(&rejudging->ended);
	pthread_mutex_destroy(&rejudging->mutex);
	oe__free(rejudging);
}
