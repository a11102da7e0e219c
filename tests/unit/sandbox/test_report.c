/* The report: what is said, what is required, and the JSON of both. */

#include <string.h>

#include "test.h"

#include "config/option.h"
#include "sandbox/report.h"

#define BIT(guarantee) ((uint64_t)1 << (guarantee))

/* Everything enforced by "walls", but for what a test changes. */
static void enforce_all(struct oe__sandbox_report *report, int mode)
{
	oe__sandbox_report_init(report, mode);
	report->tier = 2;
	for (int i = 0; i < OE_GUARANTEE_COUNT; i++)
		oe__sandbox_report_set(report, (enum oe_guarantee)i, OE_LEVEL_ENFORCED, "walls", "");
}

START_TEST(test_names)
{
	ck_assert_str_eq(oe_guarantee_name(OE_GUARANTEE_FS_READ), "fs_read");
	ck_assert_str_eq(oe_guarantee_name(OE_GUARANTEE_SCORE), "score");
	ck_assert_str_eq(oe_guarantee_name(-1), "unknown");
	ck_assert_str_eq(oe_guarantee_name(OE_GUARANTEE_COUNT), "unknown");
	ck_assert_str_eq(oe_guarantee_level_name(OE_LEVEL_NOT_REQUESTED), "not_requested");
	ck_assert_str_eq(oe_guarantee_level_name(4), "unknown");
	ck_assert_str_eq(oe_guarantee_level_name(-1), "unknown");
	for (int i = 0; i < OE_GUARANTEE_COUNT; i++)
		ck_assert_int_eq(oe__guarantee_of(oe_guarantee_name(i)), i);
	ck_assert_int_eq(oe__guarantee_of("unknown"), -1);
}
END_TEST

/* "sandbox.require" lists the same names, in the same order. */
START_TEST(test_names_are_those_of_the_option)
{
	const char *word = oe_option_find("sandbox.require")->choices;

	for (int i = 0; i < OE_GUARANTEE_COUNT; i++) {
		size_t size = strlen(oe_guarantee_name(i));
		ck_assert_msg(strncmp(word, oe_guarantee_name(i), size) == 0 &&
						  (word[size] == '|' || i + 1 == OE_GUARANTEE_COUNT),
					  "%s: not in its place", oe_guarantee_name(i));
		word += size + 1;
	}
	ck_assert_int_eq(word[-1], '\0');
}
END_TEST

START_TEST(test_nothing_is_given_that_nobody_speaks_about)
{
	OE__AUTO(sandbox_report) struct oe__sandbox_report report;
	oe_guarantee_info info = { .struct_size = sizeof(info) };

	oe__sandbox_report_init(&report, OE_SANDBOX_AUTO);
	for (size_t i = 0; i < OE_GUARANTEE_COUNT; i++) {
		ck_assert_int_eq(oe__sandbox_report_at(&report, i, &info), 1);
		ck_assert_int_eq(info.guarantee, (int)i);
		ck_assert_int_eq(info.level, OE_LEVEL_NONE);
		ck_assert_str_eq(info.mechanism, "");
		ck_assert_str_eq(info.reason, "");
	}
	ck_assert_int_eq(oe__sandbox_report_at(&report, OE_GUARANTEE_COUNT, &info), 0);
	ck_assert_int_eq(oe__sandbox_report_check(&report, 0, NULL), 0);
	ck_assert_int_eq(oe__sandbox_report_check(&report, BIT(OE_GUARANTEE_TERMINAL), NULL),
					 OE_ERR_SANDBOX);
}
END_TEST

/* A caller of an older header gets what it knows, and nothing behind it is touched. */
START_TEST(test_lines_fit_older_callers)
{
	OE__AUTO(sandbox_report) struct oe__sandbox_report report;
	oe_guarantee_info info;

	enforce_all(&report, OE_SANDBOX_AUTO);
	memset(&info, 0x5a, sizeof(info));
	info.struct_size = offsetof(oe_guarantee_info, mechanism);
	ck_assert_int_eq(oe__sandbox_report_at(&report, 3, &info), 1);
	ck_assert_str_eq(info.name, "net_inet");
	ck_assert_uint_eq(info.struct_size, offsetof(oe_guarantee_info, mechanism));
	for (const unsigned char *at = (const unsigned char *)&info.mechanism;
		 at < (const unsigned char *)(&info + 1); at++)
		ck_assert_uint_eq(*at, 0x5a);
	info.struct_size = sizeof(info) + 8;
	ck_assert_int_eq(oe__sandbox_report_at(&report, 3, &info), 1);
	ck_assert_uint_eq(info.struct_size, sizeof(info));
	ck_assert_str_eq(info.mechanism, "walls");
	info.struct_size = 0;
	ck_assert_int_eq(oe__sandbox_report_at(&report, 3, &info), 0);
}
END_TEST

START_TEST(test_texts_gather)
{
	OE__AUTO(sandbox_report) struct oe__sandbox_report report;
	oe_guarantee_info info = { .struct_size = sizeof(info) };

	oe__sandbox_report_init(&report, OE_SANDBOX_AUTO);
	oe__sandbox_report_add_mechanism(&report, OE_GUARANTEE_FS_READ, "mount namespace");
	oe__sandbox_report_add_mechanism(&report, OE_GUARANTEE_FS_READ, "Landlock ABI %d", 7);
	oe__sandbox_report_add_reason(&report, OE_GUARANTEE_FS_READ, "%s is seen", "/srv");
	oe__sandbox_report_add_reason(&report, OE_GUARANTEE_FS_READ, "100%% of it");
	ck_assert_int_eq(oe__sandbox_report_at(&report, OE_GUARANTEE_FS_READ, &info), 1);
	ck_assert_str_eq(info.mechanism, "mount namespace, Landlock ABI 7");
	ck_assert_str_eq(info.reason, "/srv is seen; 100% of it");
	oe__sandbox_report_set(&report, OE_GUARANTEE_FS_READ, OE_LEVEL_PARTIAL, "", "new %s");
	ck_assert_int_eq(oe__sandbox_report_at(&report, OE_GUARANTEE_FS_READ, &info), 1);
	ck_assert_str_eq(info.mechanism, "");
	ck_assert_str_eq(info.reason, "new %s");
}
END_TEST

/* The self-test only takes away. */
START_TEST(test_levels_fall_and_never_rise)
{
	OE__AUTO(sandbox_report) struct oe__sandbox_report report;
	struct oe__guarantee *line = NULL;

	enforce_all(&report, OE_SANDBOX_AUTO);
	line = &report.guarantees[OE_GUARANTEE_NET_UNIX];
	oe__sandbox_report_weaken(&report, OE_GUARANTEE_NET_UNIX, OE_LEVEL_PARTIAL, "a socket opened");
	ck_assert_int_eq(line->level, OE_LEVEL_PARTIAL);
	oe__sandbox_report_weaken(&report, OE_GUARANTEE_NET_UNIX, OE_LEVEL_NONE, "all did");
	ck_assert_int_eq(line->level, OE_LEVEL_NONE);
	oe__sandbox_report_weaken(&report, OE_GUARANTEE_NET_UNIX, OE_LEVEL_PARTIAL, "some");
	ck_assert_int_eq(line->level, OE_LEVEL_NONE);
	ck_assert_str_eq(oe__buffer_string(&line->reason), "a socket opened; all did; some");

	line = &report.guarantees[OE_GUARANTEE_CPU];
	oe__sandbox_report_set(&report, OE_GUARANTEE_CPU, OE_LEVEL_NOT_REQUESTED, "", "");
	oe__sandbox_report_weaken(&report, OE_GUARANTEE_CPU, OE_LEVEL_NONE, "it went on");
	ck_assert_int_eq(line->level, OE_LEVEL_NOT_REQUESTED);
	ck_assert_str_eq(oe__buffer_string(&line->reason), "");
}
END_TEST

START_TEST(test_what_is_required)
{
	OE__AUTO(sandbox_report) struct oe__sandbox_report report;
	uint64_t all = BIT(OE_GUARANTEE_COUNT) - 1;
	oe_error err = { 0 };

	enforce_all(&report, OE_SANDBOX_AUTO);
	ck_assert_int_eq(oe__sandbox_report_check(&report, all, &err), 0);
	oe__sandbox_report_set(&report, OE_GUARANTEE_FS_META, OE_LEVEL_PARTIAL, "Landlock",
						   "chmod and utime reach every file of the user");
	ck_assert_int_eq(oe__sandbox_report_check(&report, all & ~BIT(OE_GUARANTEE_FS_META), &err), 0);
	ck_assert_int_eq(oe__sandbox_report_check(&report, BIT(OE_GUARANTEE_FS_META), &err),
					 OE_ERR_SANDBOX);
	ck_assert_str_eq(err.message, "the sandbox cannot guarantee 'fs_meta': chmod and utime reach "
								  "every file of the user");
	oe__sandbox_report_set(&report, OE_GUARANTEE_FS_WRITE, OE_LEVEL_NONE, "", "");
	oe__sandbox_report_set(&report, OE_GUARANTEE_CPU, OE_LEVEL_NOT_REQUESTED, "", "");
	ck_assert_int_eq(oe__sandbox_report_check(&report, all, &err), OE_ERR_SANDBOX);
	ck_assert_str_eq(err.message, "the sandbox cannot guarantee 'fs_write' and 2 more: there is no "
								  "mechanism for it");
	ck_assert_int_eq(oe__sandbox_report_check(&report, BIT(OE_GUARANTEE_CPU), &err),
					 OE_ERR_SANDBOX);
	ck_assert_str_eq(err.message, "the sandbox cannot guarantee 'cpu': the policy sets no limit");
	ck_assert_int_eq(oe__sandbox_report_check(&report, 0, &err), 0);
	ck_assert_int_eq(oe__sandbox_report_check(&report, BIT(OE_GUARANTEE_COUNT), &err),
					 OE_ERR_INVALID);
}
END_TEST

/* Strict means all but the score and the totals; what nobody asked for is not missing. */
START_TEST(test_strict_mode)
{
	static const enum oe_guarantee spared[] = { OE_GUARANTEE_SCORE, OE_GUARANTEE_MEM_TOTAL,
												OE_GUARANTEE_CPU };
	uint64_t spared_bits = 0;

	for (size_t i = 0; i < OE__COUNT(spared); i++)
		spared_bits |= BIT(spared[i]);
	for (int i = 0; i < OE_GUARANTEE_COUNT; i++) {
		OE__AUTO(sandbox_report) struct oe__sandbox_report report;
		bool is_spared = (spared_bits >> i & 1) != 0;

		enforce_all(&report, OE_SANDBOX_STRICT);
		oe__sandbox_report_set(&report, (enum oe_guarantee)i, OE_LEVEL_PARTIAL, "", "not here");
		ck_assert_msg(oe__sandbox_report_check(&report, 0, NULL) == (is_spared ? 0 : OE_ERR_SANDBOX),
					  "%s", oe_guarantee_name(i));
		ck_assert_int_eq(oe__sandbox_report_check(&report, BIT(i), NULL), OE_ERR_SANDBOX);
		oe__sandbox_report_set(&report, (enum oe_guarantee)i, OE_LEVEL_NOT_REQUESTED, "", "");
		ck_assert_int_eq(oe__sandbox_report_check(&report, 0, NULL), 0);
		report.mode = OE_SANDBOX_AUTO;
		oe__sandbox_report_set(&report, (enum oe_guarantee)i, OE_LEVEL_NONE, "", "");
		ck_assert_int_eq(oe__sandbox_report_check(&report, 0, NULL), 0);
	}
}
END_TEST

static void parse(const struct oe__sandbox_report *report, struct oe__value *out)
{
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);

	ck_assert_int_eq(oe__sandbox_report_write(report, &text), 0);
	ck_assert_int_eq(oe__json_parse(text.data, text.size, out, NULL), 0);
}

static const char *string_at(const struct oe__value *map, const char *key)
{
	const struct oe__value *value = oe__value_get(map, key);

	ck_assert_msg(value && value->type == OE__VALUE_STRING, "%s is no text", key);
	return value->string;
}

START_TEST(test_json)
{
	OE__AUTO(sandbox_report) struct oe__sandbox_report report;
	OE__AUTO(value) struct oe__value value = { 0 };

	enforce_all(&report, OE_SANDBOX_STRICT);
	report.isolation = "split";
	oe__sandbox_report_set(&report, OE_GUARANTEE_MEM_TOTAL, OE_LEVEL_PARTIAL, "sampled",
						   "\"quotes\" and \xff");
	parse(&report, &value);
	ck_assert_str_eq(string_at(&value, "schema"), "oe.sandbox/1");
	ck_assert_str_eq(string_at(&value, "mode"), "strict");
	ck_assert_int_eq(oe__value_get(&value, "tier")->integer, 2);
	ck_assert_str_eq(string_at(&value, "isolation"), "split");
	const struct oe__value *lines = oe__value_get(&value, "guarantees");
	ck_assert_uint_eq(lines->size, OE_GUARANTEE_COUNT);
	for (int i = 0; i < OE_GUARANTEE_COUNT; i++) {
		ck_assert_uint_eq(lines->items[i].size, 4);
		ck_assert_str_eq(string_at(&lines->items[i], "name"), oe_guarantee_name(i));
		ck_assert_str_eq(string_at(&lines->items[i], "level"),
						 i == OE_GUARANTEE_MEM_TOTAL ? "partial" : "enforced");
	}
	ck_assert_str_eq(string_at(&lines->items[OE_GUARANTEE_MEM_TOTAL], "mechanism"), "sampled");
	ck_assert_str_eq(string_at(&lines->items[OE_GUARANTEE_MEM_TOTAL], "reason"),
					 "\"quotes\" and \xef\xbf\xbd");
}
END_TEST

START_TEST(test_json_of_no_confinement)
{
	OE__AUTO(sandbox_report) struct oe__sandbox_report report;
	OE__AUTO(value) struct oe__value value = { 0 };

	oe__sandbox_report_init(&report, OE_SANDBOX_NONE);
	parse(&report, &value);
	ck_assert_str_eq(string_at(&value, "mode"), "none");
	ck_assert_int_eq(oe__value_get(&value, "tier")->type, OE__VALUE_NULL);
	ck_assert_int_eq(oe__value_get(&value, "isolation")->type, OE__VALUE_NULL);
	ck_assert_str_eq(string_at(&oe__value_get(&value, "guarantees")->items[0], "level"), "none");
}
END_TEST

TEST_MAIN("report", test_names, test_names_are_those_of_the_option,
		  test_nothing_is_given_that_nobody_speaks_about, test_lines_fit_older_callers,
		  test_texts_gather, test_levels_fall_and_never_rise, test_what_is_required,
		  test_strict_mode, test_json, test_json_of_no_confinement)
