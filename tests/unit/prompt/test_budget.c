/* lib/prompt/budget.c: never more tokens than allowed, nothing left out in silence. */

#include "base/rng.h"
#include "base/text.h"
#include "desk.h"

#define ITEMS 6

START_TEST(test_count)
{
	static const char *const pieces[] = { "a", " ", "\n", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x90\x9d" };
	struct oe__rng rng;

	ck_assert_int_eq(oe__count_tokens("", 0), 0);
	oe__rng_init(&rng, 1, "test", 0, 0);
	for (int round = 0; round < 3000; round++) {
		OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);
		size_t count = oe__rng_below(&rng, 60), ascii = 0;
		for (size_t i = 0; i < count; i++) {
			size_t drawn = oe__rng_below(&rng, OE__COUNT(pieces));
			ascii += drawn < 3;
			oe__buffer_text(&text, pieces[drawn]);
		}
		/* In a block of its own, as it is read in words of eight. */
		char *copy = malloc(text.size + 1);
		memcpy(copy, oe__buffer_string(&text), text.size + 1);
		ck_assert_int_eq(oe__count_tokens(copy, text.size), (int64_t)((ascii + 3) / 4 + count - ascii));
		free(copy);
	}
}
END_TEST

/* A sample with a random number of items, each with a text that tells it from the others. */
struct table {
	struct oe__prompt_input input;
	struct oe__prompt_record records[3][ITEMS];
	struct oe__artifact artifacts[ITEMS];
	char *texts[4 * ITEMS];
	size_t text_count;
	oe_evaluation *metrics;
};

static const char *make_text(struct table *table, struct oe__rng *rng, const char *name, size_t i,
							 size_t size_max)
{
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);
	size_t size = oe__rng_below(rng, size_max) + 8;

	oe__buffer_printf(&text, "<%s %zu>", name, i);
	while (text.size < size)
		oe__buffer_text(&text, oe__rng_below(rng, 4) ? " word" : "\xc3\xa9\n");
	return table->texts[table->text_count++] = oe__buffer_steal(&text, NULL);
}

static void begin(struct table *table, struct oe__rng *rng)
{
	static const char *const names[] = { "attempt", "top", "inspiration" };
	size_t counts[3];

	*table = (struct table){ .input = desk_input("<the program>"), .metrics = desk_metrics("m", 1., NULL) };
	for (size_t kind = 0; kind < 3; kind++) {
		counts[kind] = oe__rng_below(rng, ITEMS);
		for (size_t i = 0; i < counts[kind]; i++)
			table->records[kind][i] =
				desk_record(make_text(table, rng, names[kind], i, 2000), table->metrics);
	}
	table->input.artifact_count = oe__rng_below(rng, ITEMS);
	for (size_t i = 0; i < table->input.artifact_count; i++)
		table->artifacts[i] = desk_artifact("a", make_text(table, rng, "artifact", i, 3000));
	for (size_t i = 0; i < counts[0]; i++)
		table->records[0][i].changes = table->records[0][i].code.data;
	table->input.attempts = table->records[0];
	table->input.attempt_count = counts[0];
	table->input.top = table->records[1];
	table->input.top_count = counts[1];
	table->input.inspirations = table->records[2];
	table->input.inspiration_count = counts[2];
	table->input.artifacts = table->artifacts;
}

static void end(struct table *table)
{
	for (size_t i = 0; i < table->text_count; i++)
		oe__free(table->texts[i]);
	oe_evaluation_unref(table->metrics);
}

static struct oe__prompt_set *set_with(int64_t tokens_max)
{
	OE__AUTO(buffer) struct oe__buffer yaml = OE__BUFFER_INIT(0);

	oe__buffer_printf(&yaml, "prompt: {num_top_programs: 3, num_diverse_programs: 2, "
							 "num_previous_attempts: 4, max_artifact_bytes: 1500, max_tokens: %s",
					  tokens_max > 0 ? "" : "null}");
	if (tokens_max > 0)
		oe__buffer_printf(&yaml, "%lld}", (long long)tokens_max);
	return desk_set(yaml.data, NULL);
}

static void build(const struct oe__prompt_set *set, const struct table *table,
				  struct oe__prompt *out)
{
	oe_error err = { 0 };

	ck_assert_msg(oe__prompt_build(set, &table->input, out, &err) == 0, "%s", err.message);
}

static void check_prompt(const struct oe__prompt *prompt, const struct oe__prompt *whole)
{
	OE__AUTO(buffer) struct oe__buffer cuts = OE__BUFFER_INIT(0);
	bool cut = prompt->artifact_chars < prompt->artifact_chars_max, anything = false;

	ck_assert_int_eq(prompt->tokens, oe__count_tokens(prompt->system.data, prompt->system.size) +
										 oe__count_tokens(prompt->user.data, prompt->user.size));
	ck_assert(prompt->over_budget == (prompt->tokens > prompt->tokens_max));
	ck_assert_ptr_nonnull(strstr(prompt->user.data, "<the program>"));
	for (size_t part = 0; part < OE__PART_COUNT; part++) {
		ck_assert_uint_eq(prompt->parts[part].available, whole->parts[part].available);
		ck_assert_uint_le(prompt->parts[part].shown, prompt->parts[part].available);
		/* Only when all that may be left out is gone may it be too long. */
		ck_assert(!prompt->over_budget || prompt->parts[part].shown == 0);
		/* What goes later stays while there is something that goes earlier. */
		bool missing = prompt->parts[part].shown < prompt->parts[part].available;
		for (size_t before = 0; before < part; before++)
			if (missing || (part == OE__PART_ARTIFACTS && cut))
				ck_assert_uint_eq(prompt->parts[before].shown, 0);
		anything |= missing;
	}
	ck_assert_int_eq(oe__prompt_cuts(prompt, &cuts), 0);
	bool noted = strstr(prompt->user.data, "Left out to keep this prompt within") != NULL;
	ck_assert(noted == (cuts.size > 0));
	ck_assert(noted == (anything || (cut && prompt->parts[OE__PART_ARTIFACTS].shown > 0)));
	if (noted)
		ck_assert_ptr_nonnull(strstr(prompt->user.data, cuts.data));
}

/* How often does a mark stand in the text? */
static size_t count_marks(const struct oe__prompt *prompt, const char *mark)
{
	size_t count = 0;

	for (const char *c = prompt->user.data; (c = strstr(c, mark)); c++)
		count++;
	return count;
}

/* What is said to be shown is there, and nothing else. */
static void check_shown(const struct oe__prompt *prompt)
{
	ck_assert_uint_eq(count_marks(prompt, "<attempt "), prompt->parts[OE__PART_ATTEMPTS].shown);
	ck_assert_uint_eq(count_marks(prompt, "<top "), prompt->parts[OE__PART_TOP].shown +
														prompt->parts[OE__PART_DIVERSE].shown);
	ck_assert_uint_eq(count_marks(prompt, "<inspiration "),
					  prompt->parts[OE__PART_INSPIRATIONS].shown);
	ck_assert_uint_eq(count_marks(prompt, "<artifact "), prompt->parts[OE__PART_ARTIFACTS].shown);
}

START_TEST(test_any_sample)
{
	OE__AUTO(prompt) struct oe__prompt whole = OE__PROMPT_INIT, prompt = OE__PROMPT_INIT;
	OE__AUTO(prompt_set) struct oe__prompt_set *unlimited = set_with(0);
	struct oe__rng rng;

	oe__rng_init(&rng, 4, "test", 0, 0);
	for (int round = 0; round < 150; round++) {
		struct table table;
		begin(&table, &rng);
		build(unlimited, &table, &whole);
		ck_assert_int_eq(whole.tokens_max, 0);
		check_shown(&whole);
		int64_t tokens = oe__count_tokens(whole.system.data, whole.system.size) +
						 oe__count_tokens(whole.user.data, whole.user.size);
		for (int step = 0; step < 8; step++) {
			int64_t limit = step == 0   ? tokens
							: step == 1 ? tokens - 1
										: 1 + (int64_t)oe__rng_below(&rng, (uint64_t)tokens);
			OE__AUTO(prompt_set) struct oe__prompt_set *set = set_with(limit);
			build(set, &table, &prompt);
			check_prompt(&prompt, &whole);
			check_shown(&prompt);
			/* Nothing is cut without need. */
			if (step == 0)
				ck_assert_str_eq(prompt.user.data, whole.user.data);
		}
		end(&table);
	}
}
END_TEST

START_TEST(test_cuts)
{
	static const struct {
		struct oe__prompt prompt;
		const char *wanted;
	} cases[] = {
		{ { .parts = { { 2, 2 }, { 0, 0 } } }, "" },
		{ { .parts = { { 0, 2 }, { 0, 0 } } }, "2 of 2 different programs" },
		{ { .parts = { { 0, 0 }, { 0, 1 } } }, "1 of 1 inspiration" },
		{ { .parts = { { 0, 1 }, { 1, 3 }, { 2, 3 }, { 3, 4 }, { 4, 5 } } },
		  "1 of 1 different program, 2 of 3 inspirations, 1 of 3 top programs, 1 of 4 attempts, 1 of 5 "
		  "artifacts" },
		{ { .parts = { [OE__PART_ARTIFACTS] = { 1, 1 } }, .artifact_chars = 256, .artifact_chars_max = 9999 },
		  "what artifacts hold beyond 256 characters" },
		{ { .parts = { [OE__PART_ARTIFACTS] = { 0, 1 } }, .artifact_chars = 256, .artifact_chars_max = 9999 },
		  "1 of 1 artifact" },
	};

	for (size_t i = 0; i < OE__COUNT(cases); i++) {
		OE__AUTO(buffer) struct oe__buffer cuts = OE__BUFFER_INIT(0);
		ck_assert_int_eq(oe__prompt_cuts(&cases[i].prompt, &cuts), 0);
		ck_assert_str_eq(oe__buffer_string(&cuts), cases[i].wanted);
	}
}
END_TEST

/* A directory that blanks the fragment wants no note, and no blank lines instead of it. */
START_TEST(test_blank_note)
{
	static const struct desk_text texts[] = { { "diff_user", "{current_program}|{evolution_history}" },
											  { "evolution_history", "{top_programs}" },
											  { "=budget_note", "" },
											  { NULL, NULL } };
	OE__AUTO(prompt_set) struct oe__prompt_set *set = desk_set("prompt: {max_tokens: 1}", texts);
	struct oe__prompt_input input = desk_input("x");
	struct oe__prompt_record record = desk_record("y", NULL);
	OE__AUTO(prompt) struct oe__prompt prompt = OE__PROMPT_INIT;

	input.top = &record;
	input.top_count = 1;
	ck_assert_int_eq(oe__prompt_build(set, &input, &prompt, NULL), 0);
	ck_assert(prompt.over_budget);
	ck_assert_uint_eq(prompt.parts[OE__PART_TOP].shown, 0);
	ck_assert_str_eq(prompt.user.data, "x|");
}
END_TEST

TEST_MAIN("budget", test_count, test_any_sample, test_cuts, test_blank_note)
