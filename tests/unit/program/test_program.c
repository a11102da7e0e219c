/* lib/program/program.c and program_json.c */

#include <math.h>
#include <string.h>

#include "program/program.h"
#include "test.h"

static oe_evaluation *evaluation_of(double score)
{
	oe_evaluation *evaluation = NULL;

	ck_assert_int_eq(oe_evaluation_new(&evaluation), 0);
	ck_assert_int_eq(oe_evaluation_set_metric(evaluation, "combined_score", score), 0);
	ck_assert_int_eq(oe_evaluation_add_artifact(evaluation, "log", "caf\xc3\xa9", 5), 0);
	ck_assert_int_eq(oe_evaluation_add_artifact(evaluation, "raw", "\xff\x01", 2), 0);
	ck_assert_int_eq(oe__evaluation_add_artifact_kind(evaluation, "n", OE__ARTIFACT_JSON, "3", 1),
					 0);
	oe__evaluation_freeze(evaluation);
	return evaluation;
}

START_TEST(test_new)
{
	OE__AUTO(program) oe_program *program = NULL, *other = NULL;

	ck_assert_int_eq(oe_program_new("x = 1\n", 6, NULL, &program), 0);
	ck_assert_int_eq(oe_program_new("x = 1\n", 6, "python", &other), 0);
	ck_assert_str_ne(oe_program_id(program), oe_program_id(other));
	ck_assert_uint_eq(strlen(oe_program_id(program)), 36);
	ck_assert_str_eq(oe_program_language(program), "");
	ck_assert_str_eq(oe_program_language(other), "python");
	ck_assert_ptr_null(oe_program_parent_id(program));
	ck_assert_int_eq(oe_program_island(program), -1);
	ck_assert(isnan(oe_program_fitness(program)));
	ck_assert_uint_eq(oe_program_metric_count(program), 0);
	ck_assert_ptr_null(oe_program_metric_at(program, 0, NULL));
	ck_assert_ptr_null(oe_program_evaluation(program));
	ck_assert_double_gt(oe_program_timestamp(program), 1e9);
	ck_assert_int_eq(oe_program_new("\xff", 1, NULL, &other), OE_ERR_INVALID);
	ck_assert_int_eq(oe_program_new(NULL, 1, NULL, &other), OE_ERR_INVALID);
}
END_TEST

START_TEST(test_evaluated)
{
	OE__AUTO(program) oe_program *plain = NULL, *judged = NULL;
	OE__AUTO(evaluation) oe_evaluation *open = NULL, *evaluation = evaluation_of(0.5);

	ck_assert_int_eq(oe_program_new("x", 1, "python", &plain), 0);
	ck_assert_int_eq(oe_evaluation_new(&open), 0);
	ck_assert_int_eq(oe_program_evaluated(plain, open, &judged), OE_ERR_STATE);
	ck_assert_int_eq(oe_program_evaluated(plain, evaluation, &judged), 0);
	ck_assert_str_eq(oe_program_id(plain), oe_program_id(judged));
	ck_assert_ptr_eq(oe_program_code(plain).data, oe_program_code(judged).data);
	ck_assert_double_eq(oe_program_fitness(judged), 0.5);
	ck_assert_uint_eq(oe_program_artifact_count(judged), 3);
	ck_assert_double_eq(oe_program_timestamp(judged), oe_program_timestamp(plain));
}
END_TEST

START_TEST(test_seeded_ids)
{
	OE__AUTO(source) struct oe__source *source = NULL;
	OE__AUTO(program) oe_program *a = NULL, *b = NULL, *c = NULL;
	struct oe__program_spec spec = { .id_seed = { 1, 2 }, .island = -1 };

	ck_assert_int_eq(oe__source_new("x", 1, &source), 0);
	spec.source = source;
	ck_assert_int_eq(oe__program_build(&spec, &a), 0);
	ck_assert_int_eq(oe__program_build(&spec, &b), 0);
	spec.id_seed[1] = 3;
	ck_assert_int_eq(oe__program_build(&spec, &c), 0);
	ck_assert_str_eq(a->id, b->id);
	ck_assert_str_ne(a->id, c->id);
	ck_assert_int_eq(a->id[14], '4');
}
END_TEST

START_TEST(test_better)
{
	OE__AUTO(source) struct oe__source *source = NULL;
	OE__AUTO(evaluation) oe_evaluation *low = evaluation_of(-1), *worst = evaluation_of(NAN);
	OE__AUTO(program) oe_program *a = NULL, *b = NULL, *c = NULL, *d = NULL;

	ck_assert_int_eq(oe__source_new("x", 1, &source), 0);
	struct oe__program_spec spec = { .source = source, .timestamp = 2 };
	ck_assert_int_eq(oe__program_build(&spec, &a), 0);
	spec.timestamp = 1;
	ck_assert_int_eq(oe__program_build(&spec, &b), 0);
	spec.evaluation = low;
	ck_assert_int_eq(oe__program_build(&spec, &c), 0);
	spec.evaluation = worst;
	ck_assert_int_eq(oe__program_build(&spec, &d), 0);
	ck_assert(oe__program_better(a, b) && !oe__program_better(b, a)); /* newer */
	ck_assert(oe__program_better(c, a) && !oe__program_better(a, c)); /* measured */
	ck_assert(oe__program_better(c, d) && !oe__program_better(d, c));
	ck_assert(!oe__program_better(c, c) && !oe__program_better(d, d));
}
END_TEST

static void write(const oe_program *program, size_t inline_max, struct oe__buffer *text)
{
	struct oe__record_options options = { .inline_max = inline_max };
	struct oe__json_writer writer = { .out = text };

	oe__program_write(program, &options, &writer);
	ck_assert_int_eq(text->status, 0);
}

static oe_program *read(const char *text)
{
	OE__AUTO(value) struct oe__value record = { 0 };
	oe_program *program = NULL;

	ck_assert_int_eq(oe__json_parse(text, strlen(text), &record, NULL), 0);
	ck_assert_int_eq(oe__program_read(&record, NULL, &program, NULL), 0);
	return program;
}

START_TEST(test_record_round_trip)
{
	OE__AUTO(source) struct oe__source *source = NULL;
	OE__AUTO(evaluation) oe_evaluation *evaluation = evaluation_of(0.5), *parent = evaluation_of(1);
	OE__AUTO(program) oe_program *program = NULL;
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0), again = OE__BUFFER_INIT(0);
	struct oe__program_spec spec = {
		.id = "child",
		.parent_id = "parent",
		.language = "rust",
		.changes = "Change 1",
		.prompts = "{\"diff_user\": {\"system\": \"s\", \"user\": \"u\", \"responses\": [\"r\"]}}",
		.generation = 3,
		.iteration = 7,
		.timestamp = 12.5,
		.island = 2,
		.migrant = true,
		.evaluation = evaluation,
		.parent_evaluation = parent,
	};

	ck_assert_int_eq(oe__source_new("fn caf\xc3\xa9() {}\n", 14, &source), 0);
	spec.source = source;
	ck_assert_int_eq(oe__program_build(&spec, &program), 0);
	write(program, 100, &text);

	OE__AUTO(program) oe_program *back = read(text.data);
	ck_assert_str_eq(back->id, "child");
	ck_assert_str_eq(back->parent_id, "parent");
	ck_assert_str_eq(back->source->text, program->source->text);
	ck_assert_int_eq(back->generation, 3);
	ck_assert_int_eq(back->iteration, 7);
	ck_assert_int_eq(back->island, 2);
	ck_assert(back->migrant);
	ck_assert_double_eq(back->timestamp, 12.5);
	ck_assert_double_eq(back->fitness, 0.5);
	ck_assert_uint_eq(oe_evaluation_artifact_count(back->evaluation), 3);
	ck_assert_int_eq(back->evaluation->artifacts[1].kind, OE__ARTIFACT_BYTES);
	ck_assert_mem_eq(back->evaluation->artifacts[1].data, "\xff\x01", 2);
	ck_assert_int_eq(back->evaluation->artifacts[2].kind, OE__ARTIFACT_JSON);
	write(back, 100, &again);
	ck_assert_str_eq(text.data, again.data);
}
END_TEST

START_TEST(test_record_members_in_order)
{
	static const char *const members[] = { "id",
										   "code",
										   "language",
										   "parent_id",
										   "generation",
										   "timestamp",
										   "iteration_found",
										   "metrics",
										   "complexity",
										   "diversity",
										   "metadata",
										   "prompts",
										   "artifacts_json",
										   "artifact_dir",
										   "embedding" };
	OE__AUTO(program) oe_program *program = NULL;
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);
	OE__AUTO(value) struct oe__value record = { 0 };

	ck_assert_int_eq(oe_program_new("x", 1, NULL, &program), 0);
	write(program, 100, &text);
	ck_assert_int_eq(oe__json_parse(text.data, text.size, &record, NULL), 0);
	ck_assert_uint_eq(record.size, OE__COUNT(members));
	for (size_t i = 0; i < record.size; i++)
		ck_assert_str_eq(record.keys[i].string, members[i]);
	ck_assert_int_eq(oe__value_get(&record, "prompts")->type, OE__VALUE_MAP);
	ck_assert_int_eq(oe__value_get(&record, "artifacts_json")->type, OE__VALUE_NULL);
}
END_TEST

/* What JSON has no word for, in metrics and in artifacts, as OpenEvolve writes it. */
START_TEST(test_record_of_nonfinite)
{
	OE__AUTO(program)
	oe_program *program = read(
		"{\"id\":\"a\",\"code\":\"x\",\"metrics\":{\"combined_score\":Infinity,\"l\":[NaN]},"
		"\"metadata\":{\"parent_metrics\":{\"m\":-Infinity}},\"artifacts_json\":\"{\\\"n\\\":[NaN]}\"}");
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);
	struct oe__json_writer python = { .out = &text, .python = true };

	oe__program_write(program, &(struct oe__record_options){ .inline_max = 100 }, &python);
	OE__AUTO(program) oe_program *back = read(oe__buffer_string(&text));
	ck_assert_double_eq(back->fitness, program->fitness);
	ck_assert_double_eq(back->evaluation->metrics[0].value, INFINITY);
	ck_assert_str_eq(oe__metric_exact(&back->evaluation->metrics[1]), "[NaN]");
	ck_assert_double_eq(back->parent_evaluation->metrics[0].value, -INFINITY);
	ck_assert_str_eq(back->evaluation->artifacts[0].data, "[NaN]");
}
END_TEST

START_TEST(test_large_artifacts_are_left_out)
{
	OE__AUTO(program) oe_program *plain = NULL, *judged = NULL;
	OE__AUTO(evaluation) oe_evaluation *evaluation = evaluation_of(0.5);
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);

	ck_assert_int_eq(oe_program_new("x", 1, NULL, &plain), 0);
	ck_assert_int_eq(oe_program_evaluated(plain, evaluation, &judged), 0);
	write(judged, 2, &text);
	OE__AUTO(program) oe_program *back = read(text.data);
	ck_assert_uint_eq(oe_program_artifact_count(back), 2);
	ck_assert_str_eq(oe_program_artifact_at(back, 0, NULL), "raw");
}
END_TEST

START_TEST(test_records_of_others)
{
	OE__AUTO(program) oe_program *bare = read("{\"id\":\"a\",\"code\":\"x\"}");
	ck_assert_str_eq(bare->language, "python");
	ck_assert_double_eq(bare->fitness, 0);
	ck_assert_int_eq(bare->island, -1);

	OE__AUTO(program)
	oe_program *odd =
		read("{\"id\":\"a\",\"code\":\"x\",\"parent_id\":0,\"metrics\":{\"combined_score\":NaN,"
			 "\"m\":{\"k\":NaN}},\"prompts\":null,\"metadata\":null,\"artifacts_json\":\"[\","
			 "\"timestamp\":Infinity,\"unknown\":[{}],\"generation\":2.0}");
	ck_assert_ptr_null(odd->parent_id);
	ck_assert_double_eq(odd->fitness, -INFINITY);
	ck_assert_int_eq(odd->generation, 2);
	ck_assert_ptr_null(odd->prompts);
	ck_assert(isfinite(odd->timestamp));

	static const char *const bad[] = { "[]",
									   "{\"id\":\"a\"}",
									   "{\"code\":\"x\"}",
									   "{\"id\":1,\"code\":\"x\"}",
									   "{\"id\":\"\",\"code\":\"x\"}",
									   "{\"id\":\"a\",\"code\":\"x\",\"metrics\":[1]}" };
	for (size_t i = 0; i < OE__COUNT(bad); i++) {
		OE__AUTO(value) struct oe__value record = { 0 };
		oe_program *program = NULL;
		oe_error err;

		ck_assert_int_eq(oe__json_parse(bad[i], strlen(bad[i]), &record, NULL), 0);
		ck_assert_int_eq(oe__program_read(&record, NULL, &program, &err), OE_ERR_FORMAT);
		ck_assert_ptr_null(program);
	}
}
END_TEST

TEST_MAIN("program", test_new, test_evaluated, test_seeded_ids, test_better, test_record_round_trip,
		  test_record_members_in_order, test_record_of_nonfinite, test_large_artifacts_are_left_out,
		  test_records_of_others)
