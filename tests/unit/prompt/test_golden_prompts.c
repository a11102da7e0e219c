/* Whole prompts, from directories of templates. */

#include "recorded.h"

static bool check_case(const struct oe__value *item, const char *folder)
{
	struct recorded recorded = { .choices = oe__value_get(item, "choices") };
	struct oe__prompt_settings settings = { 0 };
	struct oe__catalog catalog = OE__CATALOG_INIT;
	OE__AUTO(prompt) struct oe__prompt prompt = OE__PROMPT_INIT;
	const struct oe__value *call = oe__value_get(item, "input");
	const struct oe__value *wanted = oe__value_get(item, "wanted");
	OE__AUTO(string) char *directory = oe__path_join(folder, golden_text(item, "templates").data);
	oe_bytes user = golden_text(item, "user_template");
	oe_error err = { 0 };

	read_settings(oe__value_get(item, "config"), flag(call, "diff_based_evolution", true),
				  &settings);
	int status = oe__catalog_add_directory(&catalog, directory, &err);
	recorded_check(status == 0, err.message);
	status = oe__prompt_set_make(&settings, &catalog, false, &recorded.set, &err);
	recorded_check(status == 0, err.message);
	recorded_begin(&recorded, call);
	if (!recorded.input.template_name)
		recorded.input.template_name = user.data;
	status = oe__prompt_build(recorded.set, &recorded.input, &prompt, &err);
	bool agrees = recorded_agrees(&prompt, status, &err,
								  wanted ? wanted : oe__value_get(item, "expect"), true);
	recorded_end(&recorded);
	return agrees;
}

int main(void)
{
	OE__AUTO(string) char *folder = NULL;
	char **names = NULL;
	size_t count = 0, cases = 0, failed = 0;
	int status = golden_path("prompts", &folder);

	if (status != 0)
		return status;
	recorded_check(oe__directory_list(folder, &names, &count, NULL) == 0, "no directory");
	for (size_t i = 0; i < count; i++) {
		OE__AUTO(value) struct oe__value item = { 0 };
		OE__AUTO(string) char *path = oe__path_join(folder, names[i]);

		if (!oe__has_suffix(names[i], ".json"))
			continue;
		recorded_check(golden_read(path, &item) == 0, path);
		cases++;
		if (check_case(&item, folder))
			continue;
		failed++;
		fprintf(stderr, "FAILED %s\n", names[i]);
	}
	oe__directory_list_free(names, count);
	printf("prompts: %zu of %zu cases agree\n", cases - failed, cases);
	return failed == 0 && cases > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
