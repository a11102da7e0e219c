/* The section of artifacts. */

#include "recorded.h"

static bool check_case(const struct oe__value *item, oe_bytes title)
{
	struct recorded recorded = { 0 };
	struct oe__prompt_settings settings = { 0 };
	struct oe__catalog catalog = OE__CATALOG_INIT;
	const struct oe__value *list = oe__value_get(item, "artifacts");
	OE__AUTO(prompt) struct oe__prompt prompt = OE__PROMPT_INIT;
	static const struct oe__value nothing = { .type = OE__VALUE_MAP };
	const struct oe__value *wanted = oe__value_get(item, "wanted");
	oe_bytes expected = golden_text(wanted ? wanted : item, "text");
	oe_error err = { 0 };

	read_settings(oe__value_get(item, "config"), true, &settings);
	oe__catalog_put_template(&catalog, "diff_user", "{artifacts}", 11, NULL);
	oe__catalog_put_fragment(&catalog, "artifact_title", title.data, title.size, NULL);
	int status = oe__prompt_set_make(&settings, &catalog, false, &recorded.set, &err);
	recorded_check(status == 0, err.message);
	recorded_begin(&recorded, &nothing);
	oe__free(recorded.artifacts);
	recorded.artifacts = oe__calloc(list->size + 1, sizeof(*recorded.artifacts));
	for (size_t i = 0; i < list->size; i++)
		recorded.artifacts[recorded.artifact_count++] =
			artifact_of(list->items[i].items[0].string, &list->items[i].items[1]);
	recorded.input.artifacts = recorded.artifacts;
	recorded.input.artifact_count = recorded.artifact_count;
	status = oe__prompt_build(recorded.set, &recorded.input, &prompt, &err);
	recorded_check(status == 0, err.message);
	oe_bytes user = { prompt.user.data, prompt.user.size };
	bool same = golden_same(user, expected);
	if (!same) {
		golden_print("expected", expected);
		golden_print("got", user);
	}
	recorded_end(&recorded);
	return same;
}

int main(void)
{
	OE__AUTO(string) char *path = NULL;
	OE__AUTO(value) struct oe__value root = { 0 };
	size_t failed = 0;
	int status = golden_path("artifacts.json", &path);

	if (status == 0)
		status = golden_read(path, &root);
	if (status != 0)
		return status;
	const struct oe__value *cases = oe__value_get(&root, "cases");
	for (size_t i = 0; i < cases->size; i++) {
		if (check_case(&cases->items[i], golden_text(&root, "title")))
			continue;
		failed++;
		fprintf(stderr, "FAILED %s\n", (const char *)golden_text(&cases->items[i], "about").data);
	}
	printf("artifacts.json: %zu of %zu cases agree\n", cases->size - failed, cases->size);
	return failed == 0 && cases->size > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
