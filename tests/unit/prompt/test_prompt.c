/* Prompts of samples: lib/prompt/prompt.c, sample.c, prompt_set.c and settings.c together. */

#include "base/rng.h"
#include "desk.h"
#include "program/sample.h"

static oe_program *program_of(const char *code, double score)
{
	oe_program *bare = NULL, *program = NULL;
	OE__AUTO(evaluation) oe_evaluation *metrics = desk_metrics("combined_score", score, NULL);

	ck_assert_int_eq(oe_program_new(code, strlen(code), "python", &bare), 0);
	ck_assert_int_eq(oe_program_evaluated(bare, metrics, &program), 0);
	oe_program_unref(bare);
	return program;
}

struct people {
	oe_program *programs[8];
	struct oe__attempt *attempts[3];
};

static void people_begin(struct people *people)
{
	for (size_t i = 0; i < 8; i++) {
		char code[32];
		snprintf(code, sizeof(code), "<program %zu>", i);
		people->programs[i] = program_of(code, 0.1 * (double)i);
	}
	for (size_t i = 0; i < 3; i++)
		ck_assert_int_eq(oe__attempt_new((int64_t)i + 10, OE_OUTCOME_NO_EDIT, NULL, "nothing",
										 &people->attempts[i]),
						 0);
}

static void people_end(struct people *people)
{
	for (size_t i = 0; i < 8; i++)
		oe_program_unref(people->programs[i]);
	for (size_t i = 0; i < 3; i++)
		oe__attempt_unref(people->attempts[i]);
}

/* A sample of some of them, with those that come more than once. */
static oe_iteration *sample_of(struct people *people, struct oe__rng *rng)
{
	static const char *const names[] = { "complexity" };
	OE__AUTO(axes) struct oe__axes *axes = NULL;
	oe_program *inspirations[6], *top[6];
	oe_iteration *iteration = NULL;

	ck_assert_int_eq(oe__axes_new(names, 1, &axes), 0);
	for (size_t i = 0; i < 6; i++) {
		inspirations[i] = people->programs[oe__rng_below(rng, 8)];
		top[i] = people->programs[oe__rng_below(rng, 8)];
	}
	struct oe__sample_spec spec = {
		.number = (int64_t)oe__rng_below(rng, 1000) + 1,
		.run_seed = 5,
		.parent = people->programs[oe__rng_below(rng, 8)],
		.inspirations = inspirations,
		.inspiration_count = oe__rng_below(rng, 7),
		.top = top,
		.top_count = oe__rng_below(rng, 7),
		.attempts = people->attempts,
		.attempt_count = oe__rng_below(rng, 4),
		.axes = axes,
		.coordinates = (const double[]){ 12 },
	};
	ck_assert_int_eq(oe__sample_build(&spec, &iteration), 0);
	return iteration;
}

static const char variations[] =
	"prompt: {num_top_programs: 2, num_diverse_programs: 2, use_template_stochasticity: true, "
	"template_variations: {greeting: [Hello, Hi, Good day], unused: [x]}}";
static const struct desk_text greeting[] = {
	{ "diff_user", "{greeting}, {fitness_score}\n{current_program}\n{evolution_history}" },
	{ NULL, NULL }
};

static size_t count(const char *text, const char *what)
{
	size_t found = 0;

	for (; (text = strstr(text, what)); text++)
		found++;
	return found;
}

static void render(const struct oe__prompt_set *set, const oe_iteration *sample,
				   struct oe__prompt *out)
{
	oe_error err = { 0 };

	ck_assert_msg(oe__prompt_render(set, sample, out, &err) == 0, "%s", err.message);
}

static struct oe__prompt_set *through_json(const struct oe__prompt_set *set)
{
	OE__AUTO(buffer) struct oe__buffer json = OE__BUFFER_INIT(0), again = OE__BUFFER_INIT(0);
	OE__AUTO(value) struct oe__value value = { 0 };
	struct oe__json_writer writer = { .out = &json }, rewriter = { .out = &again };
	struct oe__prompt_set *copy = NULL;
	oe_error err = { 0 };

	oe__prompt_set_write(set, &writer);
	ck_assert_int_eq(oe__json_parse(json.data, json.size, &value, &err), 0);
	ck_assert_msg(oe__prompt_set_read(&value, &copy, &err) == 0, "%s", err.message);
	oe__prompt_set_write(copy, &rewriter);
	ck_assert_str_eq(json.data, again.data);
	return copy;
}

/* The same sample gives the same bytes, from the set of the run and from what the run has kept; no
   program stands there twice. */
START_TEST(test_pure)
{
	OE__AUTO(prompt_set) struct oe__prompt_set *set = desk_set(variations, greeting);
	OE__AUTO(prompt_set) struct oe__prompt_set *kept = through_json(set);
	OE__AUTO(prompt) struct oe__prompt first = OE__PROMPT_INIT, second = OE__PROMPT_INIT;
	struct people people;
	struct oe__rng rng;
	size_t greetings[3] = { 0 };

	people_begin(&people);
	oe__rng_init(&rng, 2, "test", 0, 0);
	for (int round = 0; round < 300; round++) {
		OE__AUTO(iteration) oe_iteration *sample = sample_of(&people, &rng);
		uint8_t hash[OE__SHA256_SIZE];
		render(set, sample, &first);
		render(kept, sample, &second);
		ck_assert_str_eq(first.user.data, second.user.data);
		ck_assert_str_eq(first.system.data, second.system.data);
		ck_assert_int_eq(memcmp(first.hash, second.hash, sizeof(hash)), 0);
		OE__AUTO(buffer) struct oe__buffer both = OE__BUFFER_INIT(0);
		oe__buffer_append(&both, first.system.data, first.system.size + 1);
		oe__buffer_append(&both, first.user.data, first.user.size);
		ck_assert_int_eq(oe__sha256(both.data, both.size, hash), 0);
		ck_assert_int_eq(memcmp(first.hash, hash, sizeof(hash)), 0);
		for (size_t i = 0; i < 8; i++) {
			const char *code = people.programs[i]->source->text;
			ck_assert_msg(count(first.user.data, code) <= 1, "%s\n%s", code, first.user.data);
		}
		ck_assert_uint_eq(count(first.user.data, sample->parent->source->text), 1);
		ck_assert_uint_eq(first.parts[OE__PART_ATTEMPTS].shown, sample->attempt_count);
		greetings[0] += strncmp(first.user.data, "Hello,", 6) == 0;
		greetings[1] += strncmp(first.user.data, "Hi,", 3) == 0;
		greetings[2] += strncmp(first.user.data, "Good day,", 9) == 0;
	}
	ck_assert_uint_eq(greetings[0] + greetings[1] + greetings[2], 300);
	for (size_t i = 0; i < 3; i++)
		ck_assert_uint_gt(greetings[i], 60);
	people_end(&people);
}
END_TEST

/* Memory that was used before holds nothing of the prompt before. */
START_TEST(test_used_again)
{
	OE__AUTO(prompt_set) struct oe__prompt_set *set = desk_set(variations, greeting);
	OE__AUTO(prompt) struct oe__prompt used = OE__PROMPT_INIT;
	struct people people;
	struct oe__rng rng;

	people_begin(&people);
	oe__rng_init(&rng, 3, "test", 0, 0);
	for (int round = 0; round < 50; round++) {
		OE__AUTO(prompt) struct oe__prompt fresh = OE__PROMPT_INIT;
		OE__AUTO(iteration) oe_iteration *sample = sample_of(&people, &rng);
		render(set, sample, &used);
		render(set, sample, &fresh);
		ck_assert_str_eq(used.user.data, fresh.user.data);
		ck_assert_int_eq(memcmp(used.hash, fresh.hash, sizeof(used.hash)), 0);
		ck_assert_int_eq(memcmp(used.parts, fresh.parts, sizeof(used.parts)), 0);
	}
	people_end(&people);
}
END_TEST

START_TEST(test_judge)
{
	OE__AUTO(prompt_set) struct oe__prompt_set *set = desk_set("{}", NULL);
	OE__AUTO(prompt) struct oe__prompt prompt = OE__PROMPT_INIT;
	OE__AUTO(program) oe_program *program = program_of("<the program>", 1);

	ck_assert_int_eq(oe__prompt_render_judge(set, program, &prompt, NULL), 0);
	ck_assert_uint_eq(count(prompt.user.data, "<the program>"), 1);
	ck_assert_ptr_nonnull(strstr(prompt.user.data, "\"readability\""));
	ck_assert_ptr_nonnull(strstr(prompt.system.data, "review"));
}
END_TEST

/* A system message is a text, or the name of one. */
START_TEST(test_system)
{
	static const struct desk_text texts[] = { { "mine", "my own words" }, { NULL, NULL } };
	static const char *const cases[][2] = {
		{ "prompt: {system_message: mine}", "my own words" },
		{ "prompt: {system_message: 'Be brief. {x}'}", "Be brief. {x}" },
	};

	for (size_t i = 0; i < OE__COUNT(cases); i++) {
		OE__AUTO(prompt_set) struct oe__prompt_set *set = desk_set(cases[i][0], texts);
		OE__AUTO(prompt) struct oe__prompt prompt = OE__PROMPT_INIT;
		struct oe__prompt_input input = desk_input("x");
		input.system_message = set->settings.system_message;
		ck_assert_int_eq(oe__prompt_build(set, &input, &prompt, NULL), 0);
		ck_assert_str_eq(prompt.system.data, cases[i][1]);
	}
}
END_TEST

/* What is wrong with a template shows before a run, with its place. */
START_TEST(test_checked)
{
	static const struct {
		struct desk_text text;
		const char *says;
	} cases[] = {
		{ { "diff_user", "{current_program" }, "" },
		{ { "diff_user", "a\n{nowhere}" }, "nowhere" },
		{ { "top_program", "{score:d}" }, "" },
		{ { "evolution_history", "{current_program}" }, "current_program" },
		{ { "evaluation", "{metrics!x}" }, "" },
	};

	for (size_t i = 0; i < OE__COUNT(cases); i++) {
		struct oe__prompt_settings settings = { .diff = true };
		struct oe__catalog catalog = OE__CATALOG_INIT;
		struct oe__prompt_set *set = NULL;
		oe_error err = { 0 };
		ck_assert_int_eq(oe__catalog_add_builtin(&catalog, &err), 0);
		ck_assert_int_eq(oe__catalog_put_template(&catalog, cases[i].text.name, cases[i].text.text,
												  strlen(cases[i].text.text), "file.txt"),
						 0);
		ck_assert_int_eq(oe__prompt_set_make(&settings, &catalog, true, &set, &err), OE_ERR_CONFIG);
		ck_assert_ptr_null(set);
		ck_assert_str_eq(err.where, "file.txt");
		ck_assert_int_gt(err.line, 0);
		ck_assert_msg(strstr(err.message, cases[i].says), "%s", err.message);
	}
}
END_TEST

START_TEST(test_no_set)
{
	static const char *const texts[] = { "7", "{}", "{\"settings\": 1}", "[{\"settings\": {}}]",
										 "{\"settings\": {}, \"templates\": {}, \"fragments\": {}}" };

	for (size_t i = 0; i < OE__COUNT(texts); i++) {
		OE__AUTO(value) struct oe__value value = { 0 };
		struct oe__prompt_set *set = NULL;
		oe_error err = { 0 };
		ck_assert_int_eq(oe__json_parse(texts[i], strlen(texts[i]), &value, NULL), 0);
		int status = oe__prompt_set_read(&value, &set, &err);
		ck_assert_msg(status == OE_ERR_FORMAT || status == OE_ERR_CONFIG, "%s: %d", texts[i], status);
		ck_assert_str_ne(err.message, "");
	}
}
END_TEST

TEST_MAIN("prompt", test_pure, test_used_again, test_judge, test_system, test_checked, test_no_set)
