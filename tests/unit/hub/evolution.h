#ifndef OE_TEST_HUB_EVOLUTION_H
#define OE_TEST_HUB_EVOLUTION_H

/*
 * A whole evolution on one thread: iterations end in a random order, with as many under way as the test
 * wants. What an iteration comes to is a function of its sample alone, as it is with a language model
 * that answers the same to the same prompt.
 */

#include "base/rng.h"
#include "world.h"

struct evolution {
	oe_hub *hub;
	int64_t in_flight;  /* at most; 0: any    */
	uint64_t timing;    /* who is fast        */
	struct oe__rng rng;
	oe_iteration *open[256];
	size_t count;
	struct oe__buffer told; /* samples and ends, a line each */
	void (*made)(oe_program *child); /* sees each program; or NULL */
};

static inline void evolution_init(struct evolution *evolution, oe_hub *hub, int64_t in_flight,
								  uint64_t timing)
{
	*evolution = (struct evolution){
		.hub = hub, .in_flight = in_flight, .timing = timing, .told = OE__BUFFER_INIT(0)
	};
	oe__rng_init(&evolution->rng, timing, "timing", 0, 0);
}

static inline void evolution_done(struct evolution *evolution)
{
	while (evolution->count > 0)
		oe_iteration_unref(evolution->open[--evolution->count]);
	oe__buffer_done(&evolution->told);
}

/* Everything that a prompt could show. */
static inline uint64_t evolution_dice(const oe_iteration *iteration)
{
	uint64_t hash = oe_iteration_seed(iteration);

	hash = oe__hash64(iteration->parent->source->text, iteration->parent->source->size, hash);
	for (size_t i = 0; i < iteration->inspiration_count; i++)
		hash = oe__hash64(iteration->inspirations[i]->source->text,
						  iteration->inspirations[i]->source->size, hash);
	for (size_t i = 0; i < iteration->top_count; i++)
		hash = oe__hash64(iteration->top[i]->source->text, iteration->top[i]->source->size, hash);
	for (size_t i = 0; i < iteration->attempt_count; i++)
		hash = oe__hash_mix(hash, (uint64_t)iteration->attempts[i]->outcome +
									  ((uint64_t)iteration->attempts[i]->number << 8));
	return hash;
}

/* Of 40 contents, so that duplicates are frequent, also of programs that are gone. A content always
   has the same evaluation. */
static inline oe_program *evolution_child(const oe_iteration *iteration, uint64_t dice)
{
	OE__AUTO(evaluation) oe_evaluation *evaluation = NULL;
	oe_program *child = NULL;
	struct oe__rng rng;
	char code[30];

	int size = snprintf(code, sizeof(code), "content %d", (int)(dice >> 20) % 40);
	oe__rng_init(&rng, oe__hash64(code, (size_t)size, 0), "evaluation", 0, 0);
	ck_assert_int_eq(oe_evaluation_new(&evaluation), 0);
	ck_assert_int_eq(
		oe_evaluation_set_metric(evaluation, "combined_score", oe__rng_real(&rng) - 0.2), 0);
	ck_assert_int_eq(
		oe_evaluation_set_metric(evaluation, "x", (double)oe__rng_below(&rng, 30)), 0);
	if (oe__rng_below(&rng, 10) == 0)
		ck_assert_int_eq(oe_evaluation_set_verdict(evaluation, OE_VERDICT_EXCEPTION, "broke"), 0);
	oe__evaluation_freeze(evaluation);
	ck_assert_int_eq(
		oe_iteration_child(iteration, code, (size_t)size, evaluation, "", &child), 0);
	return child;
}

static inline void evolution_tell_sample(struct evolution *evolution, const oe_iteration *iteration)
{
	struct oe__buffer *out = &evolution->told;

	oe__buffer_printf(out, "%lld.%d %s", (long long)iteration->number, (int)iteration->attempt,
					  iteration->parent->id);
	for (size_t i = 0; i < iteration->inspiration_count; i++)
		oe__buffer_printf(out, " %s", iteration->inspirations[i]->id);
	for (size_t i = 0; i < iteration->top_count; i++)
		oe__buffer_printf(out, " %s", iteration->top[i]->id);
	for (size_t i = 0; i < iteration->attempt_count; i++)
		oe__buffer_printf(out, " %lld:%d", (long long)iteration->attempts[i]->number,
						  iteration->attempts[i]->outcome);
}

/* One iteration ends, as its dice want it. */
static inline void evolution_end(struct evolution *evolution, oe_iteration *iteration)
{
	uint64_t dice = evolution_dice(iteration);
	OE__AUTO(program) oe_program *child = evolution_child(iteration, dice);
	static const int failures[] = { OE_OUTCOME_NO_EDIT, OE_OUTCOME_LLM_FAILED,
									OE_OUTCOME_TRUNCATED };
	oe_commit commit = OE_COMMIT_INIT;
	oe_error err = { .message = "" };
	int status;

	if (evolution->made)
		evolution->made(child);
	if (dice % 8 == 0) {
		status = oe_hub_fail(evolution->hub, iteration, failures[dice / 8 % 3], NULL, "failed",
							 &err);
	} else if (oe_hub_find_content(evolution->hub, iteration, oe_program_content_hash(child))) {
		status = oe_hub_fail(evolution->hub, iteration, OE_OUTCOME_DUPLICATE, NULL, "known", &err);
	} else {
		status = oe_hub_commit(evolution->hub, iteration, child, &commit, &err);
		ck_assert(!commit.late);
	}
	ck_assert_msg(status >= 0, "%s", err.message);
}

/* Begin as many as may be; @return whether some did. */
static inline bool evolution_begin(struct evolution *evolution)
{
	bool begun = false;
	int why;

	while (evolution->count < OE__COUNT(evolution->open) &&
		   (evolution->in_flight == 0 || (int64_t)evolution->count < evolution->in_flight)) {
		oe_iteration **place = &evolution->open[evolution->count];
		int got = oe_hub_next_iteration(evolution->hub, place, &why);

		ck_assert_int_ge(got, 0);
		if (got == 0)
			break;
		evolution->count++;
		begun = true;
	}
	return begun;
}

/* Until nothing begins and nothing is under way, or so many have ended. */
static inline void evolution_run(struct evolution *evolution, int64_t ends)
{
	for (int64_t i = 0; i < ends; i++) {
		(void)evolution_begin(evolution);
		if (evolution->count == 0)
			return;
		size_t pick = (size_t)oe__rng_below(&evolution->rng, evolution->count);
		oe_iteration *iteration = evolution->open[pick];
		evolution->open[pick] = evolution->open[--evolution->count];
		evolution_end(evolution, iteration);
		evolution_tell_sample(evolution, iteration);
		oe__buffer_char(&evolution->told, '\n');
		oe_iteration_unref(iteration);
	}
}

/* What was sampled, by number: lines come in the order of ends. */
static inline int evolution_by_line(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static inline char *evolution_samples(const struct evolution *evolution)
{
	OE__AUTO(buffer) struct oe__buffer out = OE__BUFFER_INIT(0);
	char *text = oe__strdup(oe__buffer_string(&evolution->told)), *lines[4096];
	char *rest = text;
	size_t count = 0;

	for (char *line; (line = strsep(&rest, "\n")) != NULL && *line;)
		lines[count++] = line;
	qsort(lines, count, sizeof(*lines), evolution_by_line);
	for (size_t i = 0; i < count; i++)
		oe__buffer_printf(&out, "%s\n", lines[i]);
	oe__free(text);
	return oe__buffer_steal(&out, NULL);
}

static inline void evolution_hash(oe_hub *hub, char out[65])
{
	OE__AUTO(population) oe_population *population = NULL;

	ck_assert_int_eq(oe_hub_population(hub, &population), 0);
	ck_assert_int_eq(oe_population_hash(population, out), 0);
}

#endif /* OE_TEST_HUB_EVOLUTION_H */
