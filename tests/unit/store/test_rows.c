/* lib/store/rows.c and load.c: what was written is what is read. */

#include "store/rows.h"

#include <limits.h>

#include "base/json.h"
#include "program/sample.h"
#include "store/load.h"
#include "world.h"

static struct oe__database *database;

static void begin(void)
{
	scratch_enter();
	database = world_open("run.db");
}

static void end(void)
{
	oe__database_close(database);
	scratch_leave();
}

static void write_row(struct oe__row row)
{
	oe_error err = { .message = "" };

	if (row.time == 0)
		row.time = 1795442531.5;
	ck_assert_msg(oe__row_write(database, &row, &err) == 0, "%s", err.message);
}

static oe_program *find_of(const char *id, int64_t iteration, bool artifacts,
						   const struct oe__dimensions *dimensions)
{
	OE__AUTO(program_cursor) struct oe__program_cursor *cursor = NULL;
	oe_program *program = NULL;
	oe_error err = { .message = "" };

	world_must(oe__program_cursor_open(database, 0, artifacts, dimensions, &cursor, &err));
	int found = oe__program_cursor_find(cursor, id, iteration, &program, &err);
	ck_assert_msg(found >= 0, "%s", err.message);
	ck_assert_int_eq(found, program != NULL);
	return program;
}

static oe_program *find(const char *id, bool artifacts, const struct oe__dimensions *dimensions)
{
	return find_of(id, -1, artifacts, dimensions);
}

static void check_entry(struct oe__log_cursor *cursor, const struct oe__log_entry *wanted)
{
	struct oe__log_entry entry;

	ck_assert_int_eq(oe__log_cursor_next(cursor, &entry, NULL), 1);
	ck_assert_int_eq(entry.seq, wanted->seq);
	ck_assert_str_eq(entry.kind, wanted->kind);
	ck_assert_int_eq(entry.number, wanted->number);
	ck_assert_int_eq(entry.attempt, wanted->attempt);
	ck_assert_int_eq(entry.island, wanted->island);
	ck_assert_int_eq(entry.outcome, wanted->outcome);
	world_same_text(entry.program_id, wanted->program_id);
	world_same_text(entry.message, wanted->message);
	world_same_text(entry.verdict, wanted->verdict);
	ck_assert_double_eq(entry.evaluation_ms, wanted->evaluation_ms);
	ck_assert_double_eq(entry.time, wanted->time);
}

/* ---- programs ---- */

START_TEST(test_programs_come_back)
{
	OE__AUTO(program) oe_program *full = world_full("full", 2, 1), *bare = world_bare("bare");

	begin();
	write_row((struct oe__row){ .kind = OE__ROW_SEED, .seq = 1, .program = full });
	write_row((struct oe__row){ .kind = OE__ROW_IMPORT, .program = bare });
	OE__AUTO(program) oe_program *full_again = find("full", true, NULL);
	OE__AUTO(program) oe_program *bare_again = find("bare", true, NULL);
	OE__AUTO(program) oe_program *light = find("full", false, NULL), *none = find("none", true, NULL);
	world_same_program(full, full_again);
	world_same_program(bare, bare_again);
	ck_assert_ptr_null(none);
	/* Without artifacts everything else is there. */
	ck_assert_uint_eq(oe_program_artifact_count(light), 0);
	world_same_metrics(full->evaluation, light->evaluation);
	end();
}
END_TEST

/* Whoever looks for it knows its iteration, does not know it, or is mistaken. */
START_TEST(test_finding)
{
	static const int64_t iterations[] = { 41, -1, 40, 0, INT64_MAX };
	OE__AUTO(program) oe_program *program = world_full("p", 0, 1), *other = world_full("q", 0, 2);

	begin();
	write_row((struct oe__row){ .kind = OE__ROW_IMPORT, .program = program });
	write_row((struct oe__row){ .kind = OE__ROW_IMPORT, .program = other });
	for (size_t i = 0; i < OE__COUNT(iterations); i++) {
		OE__AUTO(program) oe_program *again = find_of("p", iterations[i], true, NULL);
		OE__AUTO(program) oe_program *none = find_of("", iterations[i], true, NULL);
		world_same_program(program, again);
		ck_assert_ptr_null(none);
	}
	end();
}
END_TEST

/* A program that is written again, with another call, is the one that was there. */
START_TEST(test_first_one_stays)
{
	OE__AUTO(program) oe_program *program = world_full("p", 0, 1);
	OE__AUTO(program) oe_program *other =
		world_build((struct oe__program_spec){ .id = "p", .iteration = program->iteration }, "y", 1);
	int64_t count = 0;

	begin();
	write_row((struct oe__row){ .kind = OE__ROW_SEED, .seq = 1, .program = program });
	write_row((struct oe__row){ .kind = OE__ROW_COMMIT, .seq = 2, .program = program });
	write_row((struct oe__row){ .kind = OE__ROW_FAIL, .seq = 3, .program = other });
	OE__AUTO(program) oe_program *again = find("p", true, NULL);
	world_same_program(program, again);
	world_must(oe__database_number(database, "SELECT count(*) FROM log", &count, NULL));
	ck_assert_int_eq(count, 3);
	end();
}
END_TEST

START_TEST(test_every_verdict)
{
	begin();
	for (int verdict = 0; verdict <= OE_VERDICT_CANCELLED; verdict++) {
		OE__AUTO(evaluation) oe_evaluation *evaluation = NULL;
		char id[32];
		(void)snprintf(id, sizeof(id), "verdict %d", verdict);
		world_must(oe_evaluation_new(&evaluation));
		/* A message may come with a success as well. */
		world_must(oe_evaluation_set_verdict(evaluation, verdict, verdict % 2 ? NULL : "why\n"));
		oe__evaluation_freeze(evaluation);
		OE__AUTO(program) oe_program *program = world_build(
			(struct oe__program_spec){ .id = id, .island = -1, .evaluation = evaluation }, "x", 1);
		write_row((struct oe__row){ .kind = OE__ROW_IMPORT, .program = program });
		OE__AUTO(program) oe_program *again = find(id, true, NULL);
		world_same_program(program, again);
	}
	/* One that only a later version knows is no success. */
	ck_assert_int_eq(sqlite3_exec(database->handle,
								  "UPDATE program SET verdict = 'new' WHERE id = 'verdict 0'", NULL,
								  NULL, NULL),
					 SQLITE_OK);
	OE__AUTO(program) oe_program *unknown = find("verdict 0", true, NULL);
	ck_assert_int_ne(oe_evaluation_verdict(unknown->evaluation), OE_VERDICT_OK);
	ck_assert(oe__evaluation_failed(unknown->evaluation));
	end();
}
END_TEST

/* Without dimensions the fitness is the recorded one; with them it is worked out again. */
START_TEST(test_fitness)
{
	static const char *const names[] = { "speed" };
	const struct oe__dimensions dimensions = { .names = names, .count = 1 };
	OE__AUTO(evaluation) oe_evaluation *evaluation = NULL;

	begin();
	world_must(oe_evaluation_new(&evaluation));
	world_must(oe_evaluation_set_metric(evaluation, "score", 1));
	world_must(oe_evaluation_set_metric(evaluation, "speed", 9));
	oe__evaluation_freeze(evaluation);
	OE__AUTO(program) oe_program *program = world_build(
		(struct oe__program_spec){ .id = "p", .evaluation = evaluation, .dimensions = &dimensions },
		"x", 1);
	ck_assert_double_eq(program->fitness, 1); /* the dimension does not count */
	write_row((struct oe__row){ .kind = OE__ROW_IMPORT, .program = program });
	OE__AUTO(program) oe_program *recorded = find("p", true, NULL);
	OE__AUTO(program) oe_program *computed = find("p", true, &dimensions);
	ck_assert_double_eq(recorded->fitness, 1);
	ck_assert_double_eq(computed->fitness, 1);
	end();
}
END_TEST

START_TEST(test_walking)
{
	OE__AUTO(program_cursor) struct oe__program_cursor *all = NULL, *later = NULL;
	int64_t position = -1, third = -1;
	oe_program *program = NULL;

	begin();
	for (int i = 0; i < 5; i++) {
		char id[8] = { 'p', (char)('0' + 4 - i), '\0' }; /* not in the order of names */
		OE__AUTO(program) oe_program *made = world_full(id, 0, i);
		write_row((struct oe__row){ .kind = OE__ROW_IMPORT, .program = made });
	}
	world_must(oe__program_cursor_open(database, 0, true, NULL, &all, NULL));
	for (int i = 0; i < 5; i++) {
		char id[8] = { 'p', (char)('0' + 4 - i), '\0' };
		OE__AUTO(program) oe_program *wanted = world_full(id, 0, i);
		int64_t before = position;
		ck_assert_int_eq(oe__program_cursor_next(all, &position, &program, NULL), 1);
		world_same_program(wanted, program);
		oe_program_unref(program);
		ck_assert_int_gt(position, before);
		third = i == 2 ? position : third;
		/* Finding another one meanwhile does not disturb the walk. */
		ck_assert_int_eq(oe__program_cursor_find(all, "p0", -1, &program, NULL), 1);
		oe_program_unref(program);
	}
	ck_assert_int_eq(oe__program_cursor_next(all, &position, &program, NULL), 0);
	world_must(oe__program_cursor_open(database, third, true, NULL, &later, NULL));
	ck_assert_int_eq(oe__program_cursor_next(later, &position, &program, NULL), 1);
	ck_assert_str_eq(oe_program_id(program), "p1");
	oe_program_unref(program);
	oe__program_cursor_close(NULL);
	oe__program_cursor_close(OE__STEAL(all));
	oe__program_cursor_close(OE__STEAL(later));
	end();
}
END_TEST

/* Numbers of every kind, names that are hard to quote, codes of any characters. */
START_TEST(test_random_programs)
{
	begin();
	for (uint64_t round = 0; round < 300; round++) {
		OE__AUTO(evaluation) oe_evaluation *evaluation = NULL;
		struct oe__rng rng;
		char id[32], code[200];

		oe__rng_init(&rng, 1, "programs", round, 0);
		world_must(oe_evaluation_new(&evaluation));
		for (uint64_t i = oe__rng_below(&rng, 6); i > 0; i--) {
			uint64_t bits = oe__rng_next(&rng);
			double value;
			char name[16];
			memcpy(&value, &bits, sizeof(value));
			(void)snprintf(name, sizeof(name), "%c\n'%d\"", (char)('!' + bits % 90), (int)i);
			world_must(oe_evaluation_set_metric(evaluation, name, value));
			for (size_t c = 0; c < sizeof(code); c++)
				code[c] = (char)oe__rng_next(&rng);
			world_must(oe_evaluation_add_artifact(evaluation, name, code,
												  oe__rng_below(&rng, sizeof(code))));
		}
		oe__evaluation_freeze(evaluation);
		(void)snprintf(id, sizeof(id), "p%d", (int)round);
		OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);
		for (uint64_t c = oe__rng_below(&rng, 60); c > 0; c--) {
			char bytes[4];
			uint32_t point = (uint32_t)(oe__rng_below(&rng, 0x110000) >> oe__rng_below(&rng, 21));
			oe__buffer_append(&text, bytes, oe__utf8_encode(point, bytes));
		}
		OE__AUTO(program) oe_program *program =
			world_build((struct oe__program_spec){ .id = id,
												   .island = (int32_t)oe__rng_next(&rng),
												   .generation = (int64_t)oe__rng_next(&rng),
												   .iteration = (int64_t)oe__rng_next(&rng),
												   .timestamp = oe__rng_normal(&rng) * 1e9,
												   .evaluation = evaluation },
						oe__buffer_string(&text), text.size);
		write_row((struct oe__row){ .kind = OE__ROW_IMPORT, .program = program });
		OE__AUTO(program) oe_program *again = find(id, true, NULL);
		world_same_program(program, again);
	}
	end();
}
END_TEST

/* ---- calls ---- */

START_TEST(test_calls)
{
	OE__AUTO(program) oe_program *program = world_full("p", 1, 1), *bare = world_bare("bare");
	OE__AUTO(log_cursor) struct oe__log_cursor *cursor = NULL;
	struct oe__log_entry entry;

	begin();
	/* Written in any order: the sequence decides. */
	write_row((struct oe__row){ .kind = OE__ROW_FAIL,
								.seq = 30,
								.number = INT64_MAX,
								.attempt = INT_MAX,
								.island = 5,
								.outcome = OE_OUTCOME_TRUNCATED,
								.message = "it breaks off\n",
								.evaluation_ms = -1,
								.time = 3.25 });
	write_row((struct oe__row){ .kind = OE__ROW_SEED,
								.seq = 10,
								.island = -1,
								.outcome = OE_OUTCOME_REJECTED, /* says nothing here */
								.program = program,
								.evaluation_ms = 0.125 });
	write_row((struct oe__row){ .kind = OE__ROW_COMMIT,
								.seq = 20,
								.number = 1,
								.outcome = OE_OUTCOME_COMMITTED,
								.program = bare,
								.evaluation_ms = -1 });
	world_must(oe__log_cursor_open(database, &cursor, NULL));
	check_entry(cursor, &(struct oe__log_entry){ .seq = 10,
												 .kind = "seed",
												 .island = -1,
												 .outcome = -1,
												 .program_id = "p",
												 .verdict = "ok",
												 .evaluation_ms = 0.125,
												 .time = 1795442531.5 });
	check_entry(cursor, &(struct oe__log_entry){ .seq = 20,
												 .kind = "commit",
												 .number = 1,
												 .outcome = OE_OUTCOME_COMMITTED,
												 .program_id = "bare",
												 .evaluation_ms = -1,
												 .time = 1795442531.5 });
	check_entry(cursor, &(struct oe__log_entry){ .seq = 30,
												 .kind = "fail",
												 .number = INT64_MAX,
												 .attempt = INT_MAX,
												 .island = 5,
												 .outcome = OE_OUTCOME_TRUNCATED,
												 .message = "it breaks off\n",
												 .evaluation_ms = -1,
												 .time = 3.25 });
	ck_assert_int_eq(oe__log_cursor_next(cursor, &entry, NULL), 0);
	oe__log_cursor_close(OE__STEAL(cursor));
	end();
}
END_TEST

/* A commit that waits for its turn has no outcome until then; calls of other kinds are left alone. */
START_TEST(test_outcomes_that_come_later)
{
	OE__AUTO(program) oe_program *bare = world_bare("bare");
	OE__AUTO(log_cursor) struct oe__log_cursor *cursor = NULL;
	struct oe__log_entry entry;

	begin();
	for (int64_t seq = 1; seq <= 3; seq++)
		write_row((struct oe__row){ .kind = seq == 3 ? OE__ROW_FAIL : OE__ROW_COMMIT,
									.seq = seq,
									.number = seq,
									.attempt = 2,
									.outcome = seq == 3 ? OE_OUTCOME_NO_EDIT : -1,
									.program = bare,
									.evaluation_ms = -1 });
	write_row((struct oe__row){ .kind = OE__ROW_CLOSE, .seq = 4, .evaluation_ms = -1 });
	for (int64_t number = 2; number <= 3; number++)
		write_row((struct oe__row){ .kind = OE__ROW_OUTCOME,
									.number = number,
									.attempt = 2,
									.outcome = OE_OUTCOME_DUPLICATE });
	write_row((struct oe__row){ .kind = OE__ROW_OUTCOME, .number = 1, .attempt = 1 });
	world_must(oe__log_cursor_open(database, &cursor, NULL));
	for (int i = 0; i < 4; i++) {
		static const int outcomes[] = { -1, OE_OUTCOME_DUPLICATE, OE_OUTCOME_NO_EDIT, -1 };

		ck_assert_int_eq(oe__log_cursor_next(cursor, &entry, NULL), 1);
		ck_assert_int_eq(entry.outcome, outcomes[i]);
	}
	ck_assert_str_eq(entry.kind, "close");
	oe__log_cursor_close(OE__STEAL(cursor));
	end();
}
END_TEST

START_TEST(test_every_outcome)
{
	OE__AUTO(log_cursor) struct oe__log_cursor *cursor = NULL;
	struct oe__log_entry entry;

	begin();
	for (int outcome = 0; outcome < OE_OUTCOME_COUNT; outcome++)
		write_row((struct oe__row){ .kind = OE__ROW_FAIL, .seq = outcome, .outcome = outcome });
	world_must(oe__log_cursor_open(database, &cursor, NULL));
	for (int outcome = 0; outcome < OE_OUTCOME_COUNT; outcome++) {
		ck_assert_int_eq(oe__log_cursor_next(cursor, &entry, NULL), 1);
		ck_assert_int_eq(entry.outcome, outcome);
	}
	oe__log_cursor_close(OE__STEAL(cursor));
	end();
}
END_TEST

/* An issue names what was drawn, so that the prompt can be rendered again. */
START_TEST(test_samples)
{
	static const char *const names[] = { "x", "y" };
	OE__AUTO(program) oe_program *parent = world_bare("parent"), *first = world_bare("first");
	OE__AUTO(program) oe_program *second = world_bare("second \"quoted\"");
	OE__AUTO(axes) struct oe__axes *axes = NULL;
	OE__AUTO(attempt) struct oe__attempt *attempt = NULL;
	OE__AUTO(iteration) oe_iteration *iteration = NULL;
	OE__AUTO(log_cursor) struct oe__log_cursor *cursor = NULL;
	OE__AUTO(value) struct oe__value sample = { 0 };
	struct oe__log_entry entry;

	begin();
	world_must(oe__axes_new(names, 2, &axes));
	world_must(oe__attempt_new(17, OE_OUTCOME_NO_EDIT, NULL, "none", &attempt));
	world_must(oe__sample_build(
		&(struct oe__sample_spec){ .number = 18,
								   .attempt = 1,
								   .island = 2,
								   .version = 99,
								   .parent = parent,
								   .inspirations = (oe_program *[]){ first, second },
								   .inspiration_count = 2,
								   .top = (oe_program *[]){ second },
								   .top_count = 1,
								   .attempts = (struct oe__attempt *[]){ attempt },
								   .attempt_count = 1,
								   .axes = axes,
								   .coordinates = (double[]){ 0.5, (double)NAN } },
		&iteration));
	write_row((struct oe__row){ .kind = OE__ROW_ISSUE,
								.seq = 1,
								.number = 18,
								.attempt = 1,
								.island = 2,
								.iteration = iteration,
								.evaluation_ms = -1 });
	world_must(oe__log_cursor_open(database, &cursor, NULL));
	ck_assert_int_eq(oe__log_cursor_next(cursor, &entry, NULL), 1);
	ck_assert_str_eq(entry.kind, "issue");
	ck_assert_str_eq(entry.program_id, "parent");
	ck_assert_int_eq(entry.outcome, -1);
	ck_assert_str_eq(entry.message, "{\"inspirations\": [\"first\", \"second \\\"quoted\\\"\"],"
									" \"top\": [\"second \\\"quoted\\\"\"], \"attempts\": [17],"
									" \"coordinates\": [0.5, null], \"version\": 99}");
	world_must(oe__json_parse(entry.message, strlen(entry.message), &sample, NULL));
	oe__log_cursor_close(OE__STEAL(cursor));
	end();
}
END_TEST

/* ---- answers ---- */

START_TEST(test_answers)
{
	OE__AUTO(answer) struct oe__answer answer = { 0 };
	static const char text[] = "a\0nswer \xff gr\xc3\xb6\xc3\x9f"
							   "e";
	uint8_t hash[OE__SHA256_SIZE];
	int64_t count = 0;

	begin();
	for (size_t i = 0; i < sizeof(hash); i++)
		hash[i] = (uint8_t)(7 * i);
	struct oe__row row = { .kind = OE__ROW_ANSWER, .number = 5, .attempt = 2, .time = 10.5 };
	row.answer = (struct oe__answer_row){ .text = text,
										  .size = sizeof(text) - 1,
										  .model = "model/1",
										  .finish = 2,
										  .tokens_in = INT64_MAX,
										  .tokens_out = 7,
										  .requests = 3,
										  .llm_ms = 1234.5,
										  .prompt_hash = hash,
										  .system = "system",
										  .user = "user" };
	write_row(row);
	ck_assert_int_eq(oe__answer_load(database, 5, 1, &answer, NULL), 0);
	ck_assert_int_eq(oe__answer_load(database, 4, 2, &answer, NULL), 0);
	ck_assert_int_eq(oe__answer_load(database, 5, 2, &answer, NULL), 1);
	ck_assert_uint_eq(answer.size, sizeof(text) - 1);
	ck_assert_mem_eq(answer.text, text, sizeof(text));
	ck_assert_str_eq(answer.model, "model/1");
	ck_assert_int_eq(answer.finish, 2);
	ck_assert_int_eq(answer.tokens_in, INT64_MAX);
	ck_assert_int_eq(answer.tokens_out, 7);
	ck_assert_int_eq(answer.requests, 3);
	ck_assert_double_eq(answer.llm_ms, 1234.5);
	ck_assert_double_eq(answer.time, 10.5);
	ck_assert(answer.has_prompt_hash);
	ck_assert_mem_eq(answer.prompt_hash, hash, sizeof(hash));
	world_must(oe__database_number(
		database, "SELECT count(*) FROM prompt WHERE system = 'system' AND user = 'user'", &count,
		NULL));
	ck_assert_int_eq(count, 1);

	/* Asked once more: the later answer is the one, and a prompt is kept only if there is one. */
	row.answer = (struct oe__answer_row){ .text = "", .model = "m" };
	write_row(row);
	oe__answer_done(&answer);
	ck_assert_int_eq(oe__answer_load(database, 5, 2, &answer, NULL), 1);
	ck_assert_uint_eq(answer.size, 0);
	ck_assert(!answer.has_prompt_hash);
	end();
}
END_TEST

/* The last answer, as a member of OpenEvolve's records; its prompt only where that was kept. */
START_TEST(test_answers_as_prompts)
{
	struct oe__row row = { .kind = OE__ROW_ANSWER, .number = 5 };
	OE__AUTO(buffer) struct oe__buffer out = OE__BUFFER_INIT(0);

	begin();
	row.answer = (struct oe__answer_row){ .text = "first", .size = 5, .model = "m" };
	write_row(row);
	ck_assert_int_eq(oe__answer_write(database, 4, "diff_user", &out, NULL), 0);
	ck_assert_uint_eq(out.size, 0);
	ck_assert_int_eq(oe__answer_write(database, 5, "diff_user", &out, NULL), 1);
	ck_assert_str_eq(out.data, "{\"diff_user\": {\"responses\": [\"first\"]}}");
	oe__buffer_clear(&out);
	row.attempt = 1;
	row.answer = (struct oe__answer_row){
		.text = "the \"second\"\n", .size = 13, .model = "m", .system = "be good", .user = "do\n"
	};
	write_row(row);
	ck_assert_int_eq(oe__answer_write(database, 5, "a\"b", &out, NULL), 1);
	ck_assert_str_eq(out.data, "{\"a\\\"b\": {\"system\": \"be good\", \"user\": \"do\\n\","
							   " \"responses\": [\"the \\\"second\\\"\\n\"]}}");
	end();
}
END_TEST

START_TEST(test_other_rows)
{
	OE__AUTO(program) oe_program *copy = world_build(
		(struct oe__program_spec){ .id = "copy", .parent_id = "original", .island = 3 }, "x", 1);
	OE__AUTO(string) char *state = NULL;
	int64_t count = 0;

	begin();
	write_row((struct oe__row){
		.kind = OE__ROW_META, .message = "state", .answer.text = "running" });
	world_must(oe__database_get(database, "state", &state, NULL));
	ck_assert_str_eq(state, "running");
	write_row((struct oe__row){ .kind = OE__ROW_MIGRANT, .program = copy });
	world_must(oe__database_number(database,
								   "SELECT count(*) FROM migrant WHERE id = 'copy' AND"
								   " original_id = 'original' AND island = 3",
								   &count, NULL));
	ck_assert_int_eq(count, 1);
	for (int i = 0; i < 2; i++) /* every one that brought nothing counts */
		write_row((struct oe__row){ .kind = OE__ROW_UNANSWERED,
									.number = 4,
									.message = "no answer within 2 s",
									.answer = { .model = "m", .requests = 3, .llm_ms = 2000 } });
	world_must(oe__database_number(database,
								   "SELECT sum(requests) FROM unanswered WHERE number = 4 AND model"
								   " = 'm' AND error LIKE 'no answer%' AND llm_ms = 2000",
								   &count, NULL));
	ck_assert_int_eq(count, 6);
	for (int outcome = -1; outcome <= 0; outcome++) /* without an answer, and with one */
		write_row((struct oe__row){ .kind = OE__ROW_JUDGEMENT,
									.number = 4,
									.outcome = outcome,
									.answer = { .model = "j", .requests = 2, .tokens_in = 50,
												.tokens_out = outcome, .llm_ms = 7 } });
	world_must(oe__database_number(database,
								   "SELECT sum(requests * 100 + answered * 10 - tokens_out) FROM"
								   " judgement WHERE number = 4 AND model = 'j' AND tokens_in = 50"
								   " AND llm_ms = 7",
								   &count, NULL));
	ck_assert_int_eq(count, 411);
	world_must(oe__database_number(database, "SELECT count(*) FROM log", &count, NULL));
	ck_assert_int_eq(count, 0);
	for (int kind = 0; kind <= OE__ROW_IMPORT; kind++)
		ck_assert_ptr_nonnull(oe__row_kind_name(kind));
	end();
}
END_TEST

TEST_MAIN("rows", test_programs_come_back, test_finding, test_first_one_stays, test_every_verdict, test_fitness,
		  test_walking, test_random_programs, test_calls, test_outcomes_that_come_later, test_every_outcome, test_samples, test_answers,
		  test_answers_as_prompts, test_other_rows)
