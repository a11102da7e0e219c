/* lib/prompt/history.c: attempts, the fittest programs, different ones. */

#include "desk.h"

#define TEXTS                                                                                      \
	{ "diff_user", "{evolution_history}" },                                                      \
		{ "evolution_history", "{previous_attempts}|{top_programs}|{inspirations_section}" },    \
		{ "previous_attempt", "{attempt_number}: {changes}; {performance}; {outcome}" },         \
		{ "top_program", "{program_number} {score} [{program_snippet}] {key_features}" },        \
		{ NULL, NULL }

static const struct desk_text texts[] = { TEXTS };

static struct oe__prompt_set *set_of(const char *yaml)
{
	return desk_set(yaml, texts);
}

START_TEST(test_nothing)
{
	OE__AUTO(prompt_set) struct oe__prompt_set *set = set_of("{}");
	struct oe__prompt_input input = desk_input("x");

	desk_expect(set, &input, "||");
}
END_TEST

/* The newest first, no more than asked for, each with what became of it. */
START_TEST(test_attempts)
{
	OE__AUTO(prompt_set) struct oe__prompt_set *set = set_of("prompt: {num_previous_attempts: 2}");
	OE__AUTO(evaluation) oe_evaluation *low = desk_metrics("a", 1., "b", 1., NULL);
	OE__AUTO(evaluation) oe_evaluation *high = desk_metrics("a", 2., "b", 3., NULL);
	struct oe__prompt_record records[] = { desk_record("1", low), desk_record("2", high),
										   desk_record("3", low) };
	struct oe__prompt_input input = desk_input("x");

	records[1].number = 12;
	records[1].parent_metrics = low;
	records[1].changes = "two";
	records[2].parent_metrics = high;
	input.attempts = records;
	input.attempt_count = 3;
	desk_expect(set, &input,
				"3: not recorded; a: 1.0000, b: 1.0000; worse in every metric\n\n"
				"12: two; a: 2.0000, b: 3.0000; better in every metric||");
	input.attempt_count = 1;
	/* Without a parent everything is better than nothing. */
	desk_expect(set, &input, "1: not recorded; a: 1.0000, b: 1.0000; better in every metric||");
}
END_TEST

/* Every way that an iteration may end has its sentence, and the sentence of its own beside it. */
START_TEST(test_outcomes)
{
	OE__AUTO(prompt_set) struct oe__prompt_set *set = set_of("{}");
	static const struct {
		int outcome;
		const char *wanted;
	} cases[] = {
		{ OE_OUTCOME_REJECTED, "evaluated, but not worth a place in the population" },
		{ OE_OUTCOME_DUPLICATE, "the same as a program that exists already" },
		{ OE_OUTCOME_NOOP_EDIT, "the edit left the program as it was" },
		{ OE_OUTCOME_NO_EDIT, "the answer held no edit that could be applied" },
		{ OE_OUTCOME_VIOLATES_BLOCK, "the edit changed protected lines" },
		{ OE_OUTCOME_TOO_LONG, "the program became too long" },
		{ OE_OUTCOME_TRUNCATED, "the answer broke off before its end" },
		{ OE_OUTCOME_EVALUATION_FAILED, "the program failed in its evaluation" },
		{ OE_OUTCOME_TIMED_OUT, "the program took too long and was stopped" },
	};

	for (size_t i = 0; i < OE__COUNT(cases); i++) {
		OE__AUTO(buffer) struct oe__buffer wanted = OE__BUFFER_INIT(0);
		struct oe__prompt_record record = { .outcome = cases[i].outcome, .number = 7 };
		struct oe__prompt_input input = desk_input("x");
		input.attempts = &record;
		input.attempt_count = 1;
		oe__buffer_printf(&wanted, "7: none; none, it was not evaluated; %s||", cases[i].wanted);
		desk_expect(set, &input, wanted.data);
		oe__buffer_clear(&wanted);
		record.message = "line 3:\tpassword=x";
		oe__buffer_printf(&wanted,
						  "7: none; none, it was not evaluated; %s: line 3: password=<REDACTED>||",
						  cases[i].wanted);
		desk_expect(set, &input, wanted.data);
	}
}
END_TEST

/* A long message does not fit into a line: it is shown in a fence of its own. */
START_TEST(test_long_message)
{
	OE__AUTO(prompt_set) struct oe__prompt_set *set = set_of("{}");
	struct oe__artifact detail = desk_artifact("stderr", "``` boom");
	struct oe__prompt_record record = { .outcome = OE_OUTCOME_EVALUATION_FAILED,
										.number = 7,
										.message = "first\nsecond",
										.details = &detail,
										.detail_count = 1 };
	struct oe__prompt_input input = desk_input("x");

	input.attempts = &record;
	input.attempt_count = 1;
	desk_expect(set, &input,
				"7: none; none, it was not evaluated; the program failed in its evaluation"
				"\nmessage of attempt 7:\n```\nfirst\nsecond\n```"
				"\nstderr of attempt 7:\n````\n``` boom\n````||");
}
END_TEST

/* Metrics that are compared: an absent one counts as 0, text as nothing. */
START_TEST(test_mixed)
{
	OE__AUTO(prompt_set) struct oe__prompt_set *set = set_of("{}");
	OE__AUTO(evaluation) oe_evaluation *before = desk_metrics("a", 1., NULL);
	OE__AUTO(evaluation) oe_evaluation *after = desk_metrics("a", 2., "b", -1., NULL);
	OE__AUTO(evaluation) oe_evaluation *none = desk_metrics(NULL);
	struct oe__prompt_record record = desk_record("1", after);
	struct oe__prompt_input input = desk_input("x");

	record.parent_metrics = before;
	input.attempts = &record;
	input.attempt_count = 1;
	desk_expect(set, &input, "1: not recorded; a: 2.0000, b: -1.0000; better in some metrics, not in "
							 "others||");
	record.metrics = none;
	desk_expect(set, &input, "1: not recorded; ; better in some metrics, not in others||");
}
END_TEST

/* The fittest as they come; of the others those that were drawn, with what they are about. */
START_TEST(test_programs)
{
	OE__AUTO(prompt_set) struct oe__prompt_set *set =
		set_of("prompt: {num_top_programs: 2, num_diverse_programs: 2}");
	static const char *const features[] = { "short", "fast" };
	OE__AUTO(evaluation) oe_evaluation *metrics = desk_metrics("a", 1., "b", 2., "c", 3., NULL);
	struct oe__prompt_record records[5];
	struct oe__prompt_input input = desk_input("x");

	for (size_t i = 0; i < 5; i++)
		records[i] = desk_record((const char *const[]){ "p0", "p1", "p2", "p3", "p4" }[i], metrics);
	records[1].features = features;
	records[1].feature_count = 2;
	input.top = records;
	input.top_count = 5;
	desk_expect(set, &input,
				"|1 2.0000 [p0] reaches a (1.0000), reaches b (2.0000), reaches c (3.0000)\n\n"
				"2 2.0000 [p1] short, fast\n\n\n\n## Programs that do it differently\n\n"
				"D1 2.0000 [p2] another way to a, another way to b\n\n"
				"D2 2.0000 [p3] another way to a, another way to b|");
	input.top_count = 1;
	desk_expect(set, &input,
				"|1 2.0000 [p0] reaches a (1.0000), reaches b (2.0000), reaches c (3.0000)|");
}
END_TEST

START_TEST(test_strip)
{
	static const char *const cases[][2] = {
		{ "", "" }, { "  \n", "" }, { " a b ", "a b" }, { "\xe3\x80\x80x\xc2\xa0", "x" }, { "x", "x" },
	};

	for (size_t i = 0; i < OE__COUNT(cases); i++) {
		OE__AUTO(buffer) struct oe__buffer out = OE__BUFFER_INIT(0);
		oe__buffer_printf(&out, "kept %s", cases[i][0]);
		oe__strip(&out, 5);
		ck_assert_str_eq(out.data + 5, cases[i][1]);
		ck_assert_int_eq(memcmp(out.data, "kept ", 5), 0);
	}
}
END_TEST

TEST_MAIN("history", test_nothing, test_attempts, test_outcomes, test_long_message, test_mixed,
		  test_programs, test_strip)
