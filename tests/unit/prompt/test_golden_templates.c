/* Templates and fragments of all kinds, some with draws whose every outcome was recorded. */

#include "recorded.h"

#define DRAWS 40

static void fill_catalog(const struct oe__value *item, struct oe__catalog *catalog)
{
	const struct oe__value *templates = oe__value_get(item, "templates");
	const struct oe__value *fragments = oe__value_get(item, "fragments");

	for (size_t i = 0; templates && i < templates->size; i++)
		recorded_check(oe__catalog_put_template(catalog, templates->keys[i].string,
												templates->items[i].string,
												templates->items[i].size, NULL) == 0,
					   "template");
	for (size_t i = 0; fragments && i < fragments->size; i++)
		recorded_check(oe__catalog_put_fragment(catalog, fragments->keys[i].string,
												fragments->items[i].string,
												fragments->items[i].size, NULL) == 0,
					   "fragment");
}

/* There is one fitness function: booleans are no scores (see fitness.json), so that a program with
   nothing else has 0, where the original shows 1. */
static const char *const other_fitness[] = { "metrics/bool", "- ok: 1.0000|0.0000" };

static bool agrees_with_any(const struct oe__prompt *prompt, int status, const oe_error *err,
							const struct oe__value *expected, bool say)
{
	const struct oe__value *any = oe__value_get(expected, "any_of");

	if (!any)
		return recorded_agrees(prompt, status, err, expected, say);
	for (size_t i = 0; i < any->size; i++)
		if (recorded_agrees(prompt, status, err, &any->items[i], false))
			return true;
	if (say)
		golden_print("none of the outcomes", (oe_bytes){ prompt->user.data, prompt->user.size });
	return false;
}

static bool check_once(const struct oe__value *item, uint64_t seed)
{
	struct recorded recorded = { .random = seed };
	struct oe__prompt_settings settings = { 0 };
	struct oe__catalog catalog = OE__CATALOG_INIT;
	OE__AUTO(prompt) struct oe__prompt prompt = OE__PROMPT_INIT;
	const struct oe__value *call = oe__value_get(item, "call");
	const struct oe__value *wanted = oe__value_get(item, "wanted");
	oe_bytes key = golden_text(item, "template_key");
	oe_error err = { 0 };

	read_settings(oe__value_get(item, "config"), flag(call, "diff_based_evolution", true),
				  &settings);
	fill_catalog(item, &catalog);
	int status = oe__prompt_set_make(&settings, &catalog, false, &recorded.set, &err);
	recorded_check(status == 0, err.message);
	recorded_begin(&recorded, call);
	recorded.input.template_name = key.data;
	status = oe__prompt_build(recorded.set, &recorded.input, &prompt, &err);
	bool agrees = strcmp(golden_text(item, "name").data, other_fitness[0]) == 0
					  ? strcmp(oe__buffer_string(&prompt.user), other_fitness[1]) == 0
					  : agrees_with_any(&prompt, status, &err,
										wanted ? wanted : oe__value_get(item, "openevolve"), true);
	recorded_end(&recorded);
	return agrees;
}

static bool check_case(const struct oe__value *item)
{
	bool drawn = oe__value_get(oe__value_get(item, "openevolve"), "any_of") != NULL;

	for (uint64_t seed = 1; seed <= (drawn ? DRAWS : 1); seed++)
		if (!check_once(item, seed))
			return false;
	return true;
}

int main(void)
{
	OE__AUTO(value) struct oe__value cases = { 0 };
	size_t failed = 0;
	int status = golden_load("templates.json", &cases);

	if (status != 0)
		return status;
	for (size_t i = 0; i < cases.size; i++) {
		if (check_case(&cases.items[i]))
			continue;
		failed++;
		fprintf(stderr, "FAILED %s\n", (const char *)golden_text(&cases.items[i], "name").data);
	}
	printf("templates.json: %zu of %zu cases agree\n", cases.size - failed, cases.size);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
