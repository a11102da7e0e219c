/* Full-rewrite answers: the program that each holds, or why there is none. */

#include "edit/edit.h"
#include "golden.h"

static int finish_of(oe_bytes reason)
{
	static const struct {
		const char *name;
		int finish;
	} reasons[] = {
		{ "stop", OE_FINISH_STOP },
		{ "length", OE_FINISH_LENGTH },
		{ "content_filter", OE_FINISH_REFUSAL },
	};

	for (size_t i = 0; reason.data && i < OE__COUNT(reasons); i++)
		if (strcmp(reasons[i].name, reason.data) == 0)
			return reasons[i].finish;
	return OE_FINISH_OTHER;
}

static bool check(const struct oe__value *item)
{
	struct oe__edit_options options = OE__EDIT_OPTIONS_INIT;
	OE__AUTO(edit_rules) struct oe__edit_rules *rules = NULL;
	OE__AUTO(edit) oe_edit *edit = NULL;
	oe_bytes outcome = golden_text(item, "wanted_outcome");
	oe_bytes code = oe__value_get(item, "wanted_code")
						? golden_text(item, "wanted_code")
						: golden_text(oe__value_get(item, "openevolve"), "code");
	oe_error err = { 0 };

	options.rewrite = true;
	options.language = golden_text(item, "language").data;
	if (oe__edit_rules_new(&options, &rules, &err) < 0 ||
		oe__edit_apply(rules, (oe_bytes){ NULL, 0 }, golden_text(item, "response"),
					   finish_of(golden_text(item, "finish_reason")), &edit, &err) < 0) {
		fprintf(stderr, "    %s\n", err.message);
		return false;
	}
	if (strcmp(oe_edit_status_name(edit->status), outcome.data) != 0) {
		fprintf(stderr, "    status %s, expected %s (%s)\n", oe_edit_status_name(edit->status),
				(const char *)outcome.data, oe_edit_message(edit));
		return false;
	}
	bool child = oe__edit_outcome(edit->status) < 0;
	if (child ? !golden_same(edit->code, code) : edit->code.data != NULL) {
		golden_print("expected", child ? code : (oe_bytes){ NULL, 0 });
		golden_print("got", edit->code);
		return false;
	}
	return true;
}

int main(void)
{
	OE__AUTO(value) struct oe__value cases = { 0 };
	size_t failed = 0;
	int status = golden_load("rewrites.json", &cases);

	if (status != 0)
		return status;
	for (size_t i = 0; i < cases.size; i++) {
		if (check(&cases.items[i]))
			continue;
		failed++;
		fprintf(stderr, "FAILED %s\n", (const char *)golden_text(&cases.items[i], "name").data);
	}
	printf("rewrites.json: %zu of %zu cases agree\n", cases.size - failed, cases.size);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
