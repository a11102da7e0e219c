/*
 * SEARCH/REPLACE answers: what we want of each (every block or none), and what the original makes
 * of it (our defaults, nothing forgiven).
 */

#include "edit/edit.h"
#include "edit/report.h"
#include "golden.h"

static const char *const ambiguities[] = { "none", "exact", "tolerant", "divider" };

static oe_edit *apply(const struct oe__value *item, bool wanted)
{
	struct oe__edit_options options = OE__EDIT_OPTIONS_INIT;
	const struct oe__value *enforce = oe__value_get(item, "enforce_evolve_blocks");
	OE__AUTO(edit_rules) struct oe__edit_rules *rules = NULL;
	oe_edit *edit = NULL;
	oe_error err = { 0 };

	options.pattern = golden_text(item, "diff_pattern").data;
	options.language = golden_text(item, "language").data;
	options.tolerant = wanted;
	options.reject_ambiguous = wanted;
	options.reject_unmatched = wanted;
	if (wanted && enforce && enforce->boolean)
		options.evolve_blocks = OE__EVOLVE_ENFORCE;
	if (oe__edit_rules_new(&options, &rules, &err) < 0 ||
		oe__edit_apply(rules, golden_text(item, "parent"), golden_text(item, "reply"),
					   OE_FINISH_OTHER, &edit, &err) < 0)
		fprintf(stderr, "    %s\n", err.message);
	return edit;
}

static bool check_wanted(const struct oe__value *item)
{
	OE__AUTO(edit) oe_edit *edit = apply(item, true);
	const struct oe__value *wanted = oe__value_get(item, "wanted_code");
	oe_bytes outcome = golden_text(item, "wanted_outcome");
	oe_bytes ambiguity = golden_text(item, "ambiguity");
	oe_bytes code = wanted ? golden_text(item, "wanted_code")
						   : golden_text(oe__value_get(item, "openevolve"), "code");
	const char *got = "none";

	if (!edit)
		return false;
	if (strcmp(oe_edit_status_name(edit->status), outcome.data) != 0) {
		fprintf(stderr, "    status %s, expected %s (%s)\n", oe_edit_status_name(edit->status),
				(const char *)outcome.data, oe_edit_message(edit));
		return false;
	}
	for (size_t i = edit->block_count; i-- > 0;)
		if (edit->blocks[i].status == OE_EDIT_STATUS_AMBIGUOUS)
			got = ambiguities[edit->blocks[i].ambiguity];
	if (ambiguity.data && strcmp(got, ambiguity.data) != 0) {
		fprintf(stderr, "    ambiguity %s, expected %s\n", got, (const char *)ambiguity.data);
		return false;
	}
	bool child = oe__edit_outcome(edit->status) < 0;
	if (child ? !golden_same(edit->code, code) : edit->code.data != NULL) {
		golden_print("expected", child ? code : (oe_bytes){ NULL, 0 });
		golden_print("got", edit->code);
		return false;
	}
	return child || edit->message.size > 0;
}

static bool check_blocks(const oe_edit *edit, const struct oe__value *original)
{
	const struct oe__value *blocks = oe__value_get(original, "blocks");
	const struct oe__value *applied = oe__value_get(original, "blocks_applied");

	if (blocks->size != edit->block_count || applied->integer != (int64_t)edit->applied_count) {
		fprintf(stderr, "    %zu of %zu blocks applied, the original has %d of %zu\n",
				edit->applied_count, edit->block_count, (int)applied->integer, blocks->size);
		return false;
	}
	for (size_t i = 0; i < blocks->size; i++) {
		const struct oe__value *pair = blocks->items[i].items;
		if (!golden_same(edit->blocks[i].search, (oe_bytes){ pair[0].string, pair[0].size }) ||
			!golden_same(edit->blocks[i].replacement, (oe_bytes){ pair[1].string, pair[1].size })) {
			fprintf(stderr, "    block %zu is read differently\n", i);
			return false;
		}
	}
	return true;
}

static bool check_original(const struct oe__value *item)
{
	OE__AUTO(edit) oe_edit *edit = apply(item, false);
	OE__AUTO(buffer) struct oe__buffer summary = OE__BUFFER_INIT(0);
	const struct oe__value *original = oe__value_get(item, "openevolve");
	oe_bytes expected = golden_text(original, "code");

	if (!edit || !check_blocks(edit, original))
		return false;
	oe_bytes code = edit->code.data ? edit->code : golden_text(item, "parent");
	if (!golden_same(code, expected) ||
		(edit->code.data != NULL) != oe__value_get(original, "changed")->boolean) {
		golden_print("the original", expected);
		golden_print("got", code);
		return false;
	}
	if (oe__edit_summarise(edit, true, &summary) < 0 ||
		!golden_same((oe_bytes){ oe__buffer_string(&summary), summary.size },
					 golden_text(original, "summary"))) {
		golden_print("the original's summary", golden_text(original, "summary"));
		golden_print("got", (oe_bytes){ summary.data, summary.size });
		return false;
	}
	return true;
}

int main(void)
{
	OE__AUTO(value) struct oe__value cases = { 0 };
	size_t failed = 0;
	int status = golden_load("edits.json", &cases);

	if (status != 0)
		return status;
	for (size_t i = 0; i < cases.size; i++) {
		const struct oe__value *item = &cases.items[i];
		bool wanted = check_wanted(item), original = check_original(item);
		if (wanted && original)
			continue;
		failed++;
		fprintf(stderr, "FAILED %s%s%s\n", (const char *)golden_text(item, "name").data,
				wanted ? "" : " (wanted)", original ? "" : " (original)");
	}
	printf("edits.json: %zu of %zu cases agree\n", cases.size - failed, cases.size);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
