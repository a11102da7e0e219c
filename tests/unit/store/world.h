#ifndef OE_TEST_STORE_WORLD_H
#define OE_TEST_STORE_WORLD_H

/* Programs, and whether two of them say the same, for the tests of lib/store. */

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/rng.h"
#include "base/text.h"
#include "program/program.h"
#include "scratch.h"
#include "store/database.h"

static inline void world_must(int status)
{
	ck_assert_int_eq(status, 0);
}

/* Every kind of metric and artifact; `salt` makes them differ. */
static inline oe_evaluation *world_evaluation(double score, int salt)
{
	oe_evaluation *evaluation = NULL;
	char text[64];

	world_must(oe_evaluation_new(&evaluation));
	world_must(oe_evaluation_set_metric(evaluation, "combined_score", score));
	world_must(oe_evaluation_set_metric(evaluation, "third", 1.0 / 3 + salt));
	world_must(oe_evaluation_set_metric(evaluation, "not a number", (double)NAN));
	world_must(oe_evaluation_set_metric(evaluation, "endless", -(double)INFINITY));
	world_must(oe_evaluation_set_metric(evaluation, "tiny", 5e-324));
	world_must(oe_evaluation_set_metric(evaluation, "minus zero", -0.0));
	world_must(oe__evaluation_set_int(evaluation, "count", 1000 + salt));
	world_must(oe__evaluation_set_bool(evaluation, "ok", salt % 2));
	world_must(oe_evaluation_set_metric_json(evaluation, "gr\xc3\xb6\xc3\x9f"
														 "e \"x\"",
											 "{\"a\": [1, \"\\u00e9\", NaN], \"b\": null}"));
	int size = snprintf(text, sizeof(text), "line %d\n\"quoted\" \\ \x1b[0m\n", salt);
	world_must(oe_evaluation_add_artifact(evaluation, "stdout", text, (size_t)size));
	world_must(oe_evaluation_add_artifact(evaluation, "empty", "", 0));
	world_must(oe_evaluation_add_artifact(evaluation, "bytes", "\0\xff\x80\n\0", 5));
	world_must(oe__evaluation_add_artifact_kind(evaluation, "json", OE__ARTIFACT_JSON, "[1, NaN]", 8));
	evaluation->wall_ms = 12.5 + salt;
	evaluation->cpu_ms = salt;
	return evaluation;
}

static inline oe_program *world_build(struct oe__program_spec spec, const char *code, size_t size)
{
	OE__AUTO(source) struct oe__source *source = NULL;
	oe_program *program = NULL;

	world_must(oe__source_new(code, size, &source));
	spec.source = source;
	if (spec.timestamp == 0)
		spec.timestamp = 1795442531.482;
	world_must(oe__program_build(&spec, &program));
	return program;
}

/* With everything that a program can have. */
static inline oe_program *world_full(const char *id, int32_t island, int salt)
{
	OE__AUTO(evaluation) oe_evaluation *evaluation = world_evaluation(salt, salt);
	OE__AUTO(evaluation) oe_evaluation *before = world_evaluation(salt - 1, salt + 1);
	static const char code[] = "x = 1\r\n\tgr\xc3\xb6\xc3\x9f"
							   "e\0end";

	oe__evaluation_freeze(evaluation);
	oe__evaluation_freeze(before);
	return world_build((struct oe__program_spec){ .id = id,
												  .parent_id = "the parent",
												  .language = "python",
												  .changes = "Change 1: 'a' to\n'b'",
												  .generation = 3,
												  .iteration = 40 + salt,
												  .island = island,
												  .evaluation = evaluation,
												  .parent_evaluation = before },
					   code, sizeof(code) - 1);
}

/* With nothing that it need not have. */
static inline oe_program *world_bare(const char *id)
{
	return world_build((struct oe__program_spec){ .id = id, .island = -1 }, id, strlen(id));
}

/* One metric, for populations. */
static inline oe_program *world_scored(const char *id, int32_t island, int64_t iteration,
									   double score)
{
	OE__AUTO(evaluation) oe_evaluation *evaluation = NULL;

	world_must(oe_evaluation_new(&evaluation));
	world_must(oe_evaluation_set_metric(evaluation, "score", score));
	oe__evaluation_freeze(evaluation);
	return world_build((struct oe__program_spec){ .id = id,
												  .island = island,
												  .iteration = iteration,
												  .language = "python",
												  .evaluation = evaluation },
					   id, strlen(id));
}

/* ---- comparing ---- */

static inline bool world_same_real(double a, double b)
{
	return (isnan(a) && isnan(b)) || memcmp(&a, &b, sizeof(a)) == 0;
}

static inline void world_same_text(const char *a, const char *b)
{
	ck_assert_int_eq(a == NULL, b == NULL);
	if (a && b)
		ck_assert_str_eq(a, b);
}

static inline void world_same_metrics(const oe_evaluation *a, const oe_evaluation *b)
{
	ck_assert_uint_eq(oe_evaluation_metric_count(a), oe_evaluation_metric_count(b));
	for (size_t i = 0; i < oe_evaluation_metric_count(a); i++) {
		ck_assert_str_eq(a->metrics[i].name, b->metrics[i].name);
		ck_assert_int_eq(a->metrics[i].kind, b->metrics[i].kind);
		ck_assert_msg(world_same_real(a->metrics[i].value, b->metrics[i].value), "%s: %a, %a",
					  a->metrics[i].name, a->metrics[i].value, b->metrics[i].value);
		ck_assert_str_eq(oe__metric_json(&a->metrics[i]), oe__metric_json(&b->metrics[i]));
		ck_assert_str_eq(oe__metric_exact(&a->metrics[i]), oe__metric_exact(&b->metrics[i]));
	}
	ck_assert_int_eq(a->nonfinite, b->nonfinite);
}

static inline void world_same_artifacts(const oe_evaluation *a, const oe_evaluation *b)
{
	ck_assert_uint_eq(oe_evaluation_artifact_count(a), oe_evaluation_artifact_count(b));
	for (size_t i = 0; i < oe_evaluation_artifact_count(a); i++) {
		ck_assert_str_eq(a->artifacts[i].name, b->artifacts[i].name);
		ck_assert_int_eq(a->artifacts[i].kind, b->artifacts[i].kind);
		ck_assert_uint_eq(a->artifacts[i].size, b->artifacts[i].size);
		ck_assert_mem_eq(a->artifacts[i].data, b->artifacts[i].data, a->artifacts[i].size + 1);
	}
}

static inline void world_same_evaluation(const oe_evaluation *a, const oe_evaluation *b)
{
	ck_assert_int_eq(a == NULL, b == NULL);
	if (!a)
		return;
	world_same_metrics(a, b);
	world_same_artifacts(a, b);
	ck_assert_int_eq(oe_evaluation_verdict(a), oe_evaluation_verdict(b));
	ck_assert_str_eq(oe_evaluation_message(a), oe_evaluation_message(b));
	ck_assert(world_same_real(a->wall_ms, b->wall_ms));
	ck_assert(world_same_real(a->cpu_ms, b->cpu_ms));
	ck_assert(oe__evaluation_finished(b));
}

static inline void world_same_program(const oe_program *a, const oe_program *b)
{
	world_same_text(a->id, b->id);
	world_same_text(a->parent_id, b->parent_id);
	world_same_text(a->language, b->language);
	world_same_text(a->changes, b->changes);
	ck_assert_uint_eq(a->source->size, b->source->size);
	ck_assert_mem_eq(a->source->text, b->source->text, a->source->size);
	ck_assert_str_eq(a->source->hash_hex, b->source->hash_hex);
	ck_assert_int_eq(a->generation, b->generation);
	ck_assert_int_eq(a->iteration, b->iteration);
	ck_assert_int_eq(a->island, b->island);
	ck_assert(world_same_real(a->timestamp, b->timestamp));
	ck_assert_msg(world_same_real(a->fitness, b->fitness), "%s: %a, %a", a->id, a->fitness,
				  b->fitness);
	world_same_evaluation(a->evaluation, b->evaluation);
	ck_assert_int_eq(a->parent_evaluation == NULL, b->parent_evaluation == NULL);
	if (a->parent_evaluation)
		world_same_metrics(a->parent_evaluation, b->parent_evaluation);
}

/* A database of the scratch directory, made if it is not there. */
static inline struct oe__database *world_open(const char *name)
{
	struct oe__database *database = NULL;
	oe_error err = { .message = "" };

	ck_assert_msg(oe__database_open(scratch(name), false, &database, &err) == 0, "%s: %s", err.where,
				  err.message);
	return database;
}

#endif /* OE_TEST_STORE_WORLD_H */
