/* Result frames of hostile children: every one ends in a verdict, none in a failure of ours. */

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/rng.h"
#include "base/text.h"
#include "evaluator/python_result.h"
#include "test.h"

/* `length` as written in front, whatever follows. */
static void put(struct oe__buffer *bytes, uint64_t length, const char *json, size_t size)
{
	for (int i = 0; i < 8; i++)
		oe__buffer_char(bytes, (char)(length >> 8 * i & 0xff));
	oe__buffer_append(bytes, json, size);
}

static void read_bytes(oe_evaluation *evaluation, const struct oe__buffer *bytes)
{
	const struct oe__child_end end = { .exited = true };
	OE__AUTO(output) struct oe__output output = { 0 };

	ck_assert_int_eq(oe__output_init(&output, 64), 0);
	int status = oe__python_result(evaluation, bytes, &output, &end);
	ck_assert_msg(status == 0, "%d", status);
	ck_assert((evaluation->verdict == OE_VERDICT_OK) == (*oe_evaluation_message(evaluation) == '\0'));
	ck_assert(oe__utf8_valid(oe_evaluation_message(evaluation),
							 strlen(oe_evaluation_message(evaluation))));
	for (size_t i = 0; i < evaluation->metric_count; i++)
		ck_assert(oe__utf8_valid(evaluation->metrics[i].name, strlen(evaluation->metrics[i].name)));
	for (size_t i = 0; i < evaluation->artifact_count; i++)
		ck_assert_int_eq(evaluation->artifacts[i].data[evaluation->artifacts[i].size], 0);
}

static oe_evaluation *read_sized(const char *json, size_t size)
{
	OE__AUTO(buffer) struct oe__buffer bytes = OE__BUFFER_INIT(0);
	oe_evaluation *evaluation = NULL;

	put(&bytes, size, json, size);
	ck_assert_int_eq(oe_evaluation_new(&evaluation), 0);
	read_bytes(evaluation, &bytes);
	return evaluation;
}

static oe_evaluation *read_json(const char *json)
{
	return read_sized(json, strlen(json));
}

/* ---- lengths ---- */

START_TEST(test_lengths)
{
	static const struct {
		uint64_t length;
		const char *json;
		enum oe__frame_state state;
	} cases[] = {
		{ 2, "{}", OE__FRAME_WHOLE },
		{ 0, "", OE__FRAME_WHOLE },
		{ 3, "{}", OE__FRAME_PART },
		{ 1, "{}", OE__FRAME_BAD },	 /* more than it said: a second result */
		{ 0, "{}", OE__FRAME_BAD },
		{ UINT64_MAX, "{}", OE__FRAME_BAD },
		{ (uint64_t)1 << 63, "{}", OE__FRAME_BAD },
		{ UINT64_MAX - 7, "", OE__FRAME_BAD }, /* would wrap around with its header */
		{ OE__FRAME_MAX + 1, "", OE__FRAME_BAD },
		{ OE__FRAME_MAX, "", OE__FRAME_PART },
	};

	for (size_t i = 0; i < OE__COUNT(cases); i++) {
		OE__AUTO(buffer) struct oe__buffer bytes = OE__BUFFER_INIT(0);
		OE__AUTO(evaluation) oe_evaluation *evaluation = NULL;
		const char *json = NULL;
		size_t size = 77;
		put(&bytes, cases[i].length, cases[i].json, strlen(cases[i].json));
		ck_assert_msg(oe__frame_look(&bytes, &json, &size) == cases[i].state, "case %zu", i);
		ck_assert((json != NULL) == (cases[i].state == OE__FRAME_WHOLE));
		ck_assert_int_eq(oe_evaluation_new(&evaluation), 0);
		read_bytes(evaluation, &bytes);
		ck_assert_int_ne(evaluation->verdict, OE_VERDICT_OK);
	}
	/* The header alone, byte by byte. */
	for (size_t size = 0; size < 8; size++) {
		OE__AUTO(buffer) struct oe__buffer bytes = OE__BUFFER_INIT(0);
		const char *json = NULL;
		oe__buffer_append(&bytes, "\2\0\0\0\0\0\0\0", size);
		ck_assert_int_eq(oe__frame_look(&bytes, &json, &size),
						 bytes.size == 0 ? OE__FRAME_NONE : OE__FRAME_PART);
	}
	/* What came was more than may come at all. */
	OE__AUTO(buffer) struct oe__buffer full = OE__BUFFER_INIT(10);
	const char *json = NULL;
	size_t size;
	put(&full, 2, "{}", 2);
	ck_assert_int_lt(oe__buffer_text(&full, "x"), 0);
	ck_assert_int_eq(oe__frame_look(&full, &json, &size), OE__FRAME_BAD);
}
END_TEST

/* ---- contents ---- */

START_TEST(test_no_results)
{
	static const struct {
		const char *json;
		int verdict;
	} cases[] = {
		{ "", OE_VERDICT_PROTOCOL_VIOLATION },
		{ "null", OE_VERDICT_PROTOCOL_VIOLATION },
		{ "[]", OE_VERDICT_PROTOCOL_VIOLATION },
		{ "\"metrics\"", OE_VERDICT_PROTOCOL_VIOLATION },
		{ "{\"metrics\": {}} {\"metrics\": {}}", OE_VERDICT_PROTOCOL_VIOLATION },
		{ "{\"metrics\": {\"a\": 1}", OE_VERDICT_PROTOCOL_VIOLATION },
		{ "{\"metrics\": {\"\xff\": 1}", OE_VERDICT_PROTOCOL_VIOLATION },
		{ "{'metrics': {}}", OE_VERDICT_PROTOCOL_VIOLATION },
		{ "{}", OE_VERDICT_BAD_RESULT },
		{ "{\"artifacts\": {}}", OE_VERDICT_BAD_RESULT },
		{ "{\"wrong_type\": 7}", OE_VERDICT_BAD_RESULT },
		{ "{\"missing\": 7}", OE_VERDICT_BAD_RESULT },
		{ "{\"missing\": \"evaluate\"}", OE_VERDICT_BAD_RESULT },
		{ "{\"failure\": null}", OE_VERDICT_EXCEPTION },
		{ "{\"failure\": {}, \"type\": [], \"message\": 7, \"traceback\": {}}", OE_VERDICT_EXCEPTION },
		{ "{\"failure\": \"exit\", \"code\": \"x\"}", OE_VERDICT_EXITED },
		{ "{\"metrics\": {}, \"artifacts\": {\"a\": {\"$b\": \"no base64!\"}}}", OE_VERDICT_BAD_RESULT },
	};

	for (size_t i = 0; i < OE__COUNT(cases); i++) {
		OE__AUTO(evaluation) oe_evaluation *evaluation = read_json(cases[i].json);
		ck_assert_msg(evaluation->verdict == cases[i].verdict, "%s: %s", cases[i].json,
					  oe_verdict_name(evaluation->verdict));
	}
}
END_TEST

/* Not UTF-8 inside of texts, and NULs: either no result, or a valid one. */
START_TEST(test_odd_texts)
{
	static const struct {
		const char *json;
		size_t size;
	} cases[] = {
#define TEXT(text) { text, sizeof(text) - 1 }
		TEXT("{\"metrics\": {\"a\": \"\xff\xfe\"}}"),
		TEXT("{\"metrics\": {\"\xff\": 1}}"),
		TEXT("{\"metrics\": {\"a\\u0000b\": 1, \"a\": 2}}"),
		TEXT("{\"metrics\": {\"\": 1}}"),
		TEXT("{\"metrics\": {\"a\": \"\\ud800\"}}"),
		TEXT("{\"metrics\": {\"a\": \"\0\"}}"),
		TEXT("{\"metrics\": {\"a\": 1}}\0"),
		TEXT("\0{\"metrics\": {\"a\": 1}}"),
		TEXT("{\"metrics\": {\"a\": 1}, \"artifacts\": {\"\\u0000\": \"x\", \"\": \"y\"}}"),
		TEXT("{\"failure\": 1, \"type\": \"\xff\", \"message\": \"\\u0000\", \"traceback\": \"\\udfff\"}"),
		TEXT("\xef\xbb\xbf{\"metrics\": {\"a\": 1}}"),
#undef TEXT
	};

	for (size_t i = 0; i < OE__COUNT(cases); i++) {
		OE__AUTO(evaluation) oe_evaluation *evaluation = read_sized(cases[i].json, cases[i].size);
		(void)evaluation; /* what has to hold is checked there */
	}
}
END_TEST

START_TEST(test_depth)
{
	OE__AUTO(buffer) struct oe__buffer lists = OE__BUFFER_INIT(0), maps = OE__BUFFER_INIT(0);

	oe__buffer_text(&lists, "{\"metrics\": {\"a\": ");
	oe__buffer_text(&maps, "{\"metrics\": ");
	for (int i = 0; i < 1000000; i++) {
		oe__buffer_char(&lists, '[');
		oe__buffer_text(&maps, "{\"a\":");
	}
	OE__AUTO(evaluation) oe_evaluation *first = read_sized(lists.data, lists.size);
	OE__AUTO(evaluation) oe_evaluation *second = read_sized(maps.data, maps.size);
	ck_assert_int_eq(first->verdict, OE_VERDICT_PROTOCOL_VIOLATION);
	ck_assert_int_eq(second->verdict, OE_VERDICT_PROTOCOL_VIOLATION);
	/* As deep as it may be is fine. */
	OE__AUTO(buffer) struct oe__buffer fine = OE__BUFFER_INIT(0);
	oe__buffer_text(&fine, "{\"metrics\": {\"a\": ");
	for (int i = 0; i < OE__JSON_DEPTH_MAX - 2; i++)
		oe__buffer_char(&fine, '[');
	for (int i = 0; i < OE__JSON_DEPTH_MAX - 2; i++)
		oe__buffer_char(&fine, ']');
	oe__buffer_text(&fine, "}}");
	OE__AUTO(evaluation) oe_evaluation *third = read_sized(fine.data, fine.size);
	ck_assert_int_eq(third->verdict, OE_VERDICT_OK);
}
END_TEST

static double value_of(const oe_evaluation *evaluation, const char *name)
{
	const struct oe__metric *metric = oe__evaluation_metric(evaluation, name);

	ck_assert_ptr_nonnull(metric);
	return metric->value;
}

/* Names that come twice: one metric, the last value. */
START_TEST(test_duplicates)
{
	OE__AUTO(evaluation) oe_evaluation *evaluation =
		read_json("{\"metrics\": {\"a\": 1, \"b\": 7, \"a\": 2}, \"metrics\": {\"a\": 3, \"a\": 4}, "
				  "\"artifacts\": {\"x\": \"1\", \"x\": \"2\"}}");

	ck_assert_int_eq(evaluation->verdict, OE_VERDICT_OK);
	ck_assert_double_eq(value_of(evaluation, "a"), 4);
	ck_assert_str_eq(oe__evaluation_artifact(evaluation, "x")->data, "2");
	ck_assert_uint_eq(evaluation->artifact_count, 1);
}
END_TEST

START_TEST(test_numbers)
{
	OE__AUTO(evaluation) oe_evaluation *evaluation = read_json(
		"{\"metrics\": {\"nan\": {\"$f\": \"nan\"}, \"inf\": {\"$f\": \"inf\"}, \"minus\": {\"$f\": "
		"\"-inf\"}, \"one\": {\"$f\": \"1.5\"}, \"huge\": 1e999, \"tiny\": 1e-999, \"wide\": "
		"123456789012345678901234567890, \"digits\": 0.1234567890123456789012345678901234567890, "
		"\"min\": -9223372036854775808, \"zero\": -0.0, \"yes\": true, "
		"\"fake\": {\"$f\": \"x\"}, \"more\": {\"$f\": \"1\", \"b\": 2}, \"list\": {\"$f\": [1]}, "
		"\"none\": null}}");

	ck_assert_int_eq(evaluation->verdict, OE_VERDICT_OK); /* stages are not judged yet */
	ck_assert(isnan(value_of(evaluation, "nan")));
	ck_assert(value_of(evaluation, "inf") == (double)INFINITY);
	ck_assert(value_of(evaluation, "minus") == -(double)INFINITY);
	ck_assert_double_eq(value_of(evaluation, "one"), 1.5);
	ck_assert_double_eq(value_of(evaluation, "tiny"), 0);
	ck_assert_double_eq_tol(value_of(evaluation, "wide"), 1.2345678901234568e29, 1e15);
	ck_assert_double_eq(value_of(evaluation, "digits"), 0.12345678901234568);
	ck_assert_double_eq(value_of(evaluation, "min"), -9223372036854775808.0);
	ck_assert_double_eq(value_of(evaluation, "yes"), 1);
	/* What only looks like a tag is a value like any other: no number. */
	static const char *const others[] = { "fake", "more", "list", "none" };
	for (size_t i = 0; i < OE__COUNT(others); i++)
		ck_assert_int_eq(oe__evaluation_metric(evaluation, others[i])->kind, OE__METRIC_JSON);
}
END_TEST

START_TEST(test_too_many)
{
	OE__AUTO(buffer) struct oe__buffer metrics = OE__BUFFER_INIT(0), artifacts = OE__BUFFER_INIT(0);
	OE__AUTO(buffer) struct oe__buffer name = OE__BUFFER_INIT(0);

	oe__buffer_text(&metrics, "{\"metrics\": {");
	oe__buffer_text(&artifacts, "{\"metrics\": {}, \"artifacts\": {");
	for (int i = 0; i <= OE__METRICS_MAX; i++)
		oe__buffer_printf(&metrics, "%s\"m%d\": 1", i ? ", " : "", i);
	for (int i = 0; i <= OE__ARTIFACTS_MAX; i++)
		oe__buffer_printf(&artifacts, "%s\"a%d\": 1", i ? ", " : "", i);
	oe__buffer_text(&metrics, "}}");
	oe__buffer_text(&artifacts, "}}");
	OE__AUTO(evaluation) oe_evaluation *first = read_sized(metrics.data, metrics.size);
	OE__AUTO(evaluation) oe_evaluation *second = read_sized(artifacts.data, artifacts.size);
	ck_assert_int_eq(first->verdict, OE_VERDICT_BAD_RESULT);
	ck_assert_int_eq(second->verdict, OE_VERDICT_BAD_RESULT);
	ck_assert(oe__evaluation_failed(first));
	/* Names of a megabyte. */
	oe__buffer_text(&name, "{\"metrics\": {\"");
	for (int i = 0; i < 1000000; i++)
		oe__buffer_char(&name, 'n');
	oe__buffer_text(&name, "\": 1}}");
	OE__AUTO(evaluation) oe_evaluation *third = read_sized(name.data, name.size);
	ck_assert_int_eq(third->verdict, OE_VERDICT_BAD_RESULT);
}
END_TEST

/* Numbers that were tagged are numbers inside of lists and maps, too, and so are those of artifacts. */
START_TEST(test_numbers_inside)
{
	OE__AUTO(evaluation) oe_evaluation *evaluation = read_json(
		"{\"metrics\": {\"$f\": \"nan\", \"list\": [1, {\"$f\": \"nan\"}, {\"k\": {\"$f\": \"-inf\"}}], "
		"\"fake\": [{\"$f\": \"x\"}]}, \"artifacts\": {\"one\": {\"$f\": \"inf\"}, \"some\": [{\"$f\": \"inf\"}]}}");

	ck_assert_str_eq(oe__evaluation_metric(evaluation, "$f")->json, "\"nan\"");
	ck_assert_str_eq(oe__metric_exact(oe__evaluation_metric(evaluation, "list")),
	                 "[1, NaN, {\"k\": -Infinity}]");
	ck_assert_str_eq(oe__evaluation_metric(evaluation, "fake")->json, "[{\"$f\": \"x\"}]");
	ck_assert_str_eq(oe__evaluation_artifact(evaluation, "one")->data, "Infinity");
	ck_assert_str_eq(oe__evaluation_artifact(evaluation, "some")->data, "[Infinity]");
}
END_TEST

/* Frames put together at random, and cut and changed. */
START_TEST(test_random)
{
	static const char *const pieces[] = { "{", "}", "[", "]", ":", ",", "\"metrics\"", "\"artifacts\"",
										  "\"failure\"", "\"exit\"", "\"code\"", "\"$f\"", "\"$b\"", "\"nan\"",
										  "1", "-1e400", "null", "true", "\"\\u0000\"", "\xff", "\"a\"",
										  "{\"metrics\": {", "\"a\": 1", "}}", "\"YQ==\"", "\"type\"" };
	struct oe__rng rng;

	oe__rng_init(&rng, 3, "test", 0, 0);
	for (int round = 0; round < 30000; round++) {
		OE__AUTO(buffer) struct oe__buffer json = OE__BUFFER_INIT(0), bytes = OE__BUFFER_INIT(0);
		OE__AUTO(evaluation) oe_evaluation *evaluation = NULL;
		size_t count = oe__rng_below(&rng, 14);
		for (size_t i = 0; i < count; i++)
			oe__buffer_text(&json, pieces[oe__rng_below(&rng, OE__COUNT(pieces))]);
		put(&bytes, json.size, oe__buffer_string(&json), json.size);
		if (oe__rng_below(&rng, 4) == 0)
			bytes.data[oe__rng_below(&rng, bytes.size)] ^= (char)(1 << oe__rng_below(&rng, 8));
		if (oe__rng_below(&rng, 4) == 0)
			oe__buffer_truncate(&bytes, oe__rng_below(&rng, bytes.size));
		ck_assert_int_eq(oe_evaluation_new(&evaluation), 0);
		read_bytes(evaluation, &bytes);
	}
}
END_TEST

TEST_MAIN("frame", test_lengths, test_no_results, test_odd_texts, test_depth, test_duplicates,
		  test_numbers, test_numbers_inside, test_too_many, test_random)
