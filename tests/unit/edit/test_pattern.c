/* diff_pattern: what Python's re.findall() finds, what is refused, what is bounded. */

#include "edit/pattern.h"

#include <stdio.h>
#include <string.h>

#include "test.h"
#include "base/buffer.h"

static oe_bytes bytes(const char *text)
{
	return (oe_bytes){ text, strlen(text) };
}

/* All matches as "(1|2)(1|2)", or the status. */
static int find_all(const char *pattern, oe_bytes text, struct oe__buffer *out)
{
	OE__AUTO(pattern) struct oe__pattern *compiled = NULL;
	OE__AUTO(pattern_scan) struct oe__pattern_scan scan = { 0 };
	struct oe__match match;
	oe_error err = { 0 };
	int status = oe__pattern_new(pattern, &compiled, &err);

	if (status < 0) {
		ck_assert_str_eq(err.where, "diff_pattern");
		ck_assert_str_ne(err.message, "");
		oe__buffer_printf(out, "%d", err.column);
		return status;
	}
	ck_assert_int_eq(oe__pattern_scan(compiled, text, &scan), 0);
	while ((status = oe__pattern_next(&scan, &match)) == 1) {
		ck_assert_uint_le(match.start, match.end);
		oe__buffer_char(out, '(');
		oe__buffer_append(out, match.search.data, match.search.size);
		oe__buffer_char(out, '|');
		oe__buffer_append(out, match.replacement.data, match.replacement.size);
		oe__buffer_char(out, ')');
	}
	return status;
}

/* The right column is what re.findall(pattern, text, re.DOTALL) of Python 3.11 gives. */
static const struct {
	const char *pattern, *text, *found;
} cases[] = {
	{ NULL, "<<<<<<< SEARCH\na\n=======\nb\n>>>>>>> REPLACE", "(a\n|b\n)" },
	{ NULL, "<<<<<<< SEARCH\na\n==========\nb\n>>>>>>> REPLACE", "(a\n===|b\n)" },
	{ NULL, "<<<<<<< SEARCH\n=======\n>>>>>>> REPLACE<<<<<<< SEARCH\nx=======\ny>>>>>>> REPLACE",
	  "(|)(x|y)" },
	{ NULL, "<<<<<<< SEARCH\r\na\r\n=======\r\nb\r\n>>>>>>> REPLACE", "" },
	{ "<<<<<<< SEARCH\n(.*?)=======\n(.*?)>>>>>>> REPLACE",
	  "<<<<<<< SEARCH\na\n=======\nb\n>>>>>>> REPLACE", "(a\n|b\n)" },
	{ "a(.*?)b(.*?)c", "a1b2c a\nb\nc", "(1|2)(\n|\n)" },
	{ "(a)|(b)", "ab", "(a|)(|b)" },
	{ "(x*)(y*)", "xay", "(x|)(|)(|y)(|)" },
	{ "(\\w+)\\s(\\w+)", "größe 日本", "(größe|日本)" },
	{ "(?P<old>\\d+)-(?P<new>\\d+)", "1-2 ٣-٤", "(1|2)(٣|٤)" },
	{ "(?P<q>['\"])(.*?)(?P=q)", "'a\"' \"b'\"", "('|a\")(\"|b')" },
	{ "(.)(.)\\Z", "ab\ncd\n", "(d|\n)" },
	{ "(.)(.)$", "ab\ncd\n", "(c|d)" },
	{ "(a{,2})(b{,1})-", "aaab-", "(aa|b)" },
	{ "(\\u00e9)(\\U0001F600|\\x41)", "éAé😀", "(é|A)(é|😀)" },
	{ "(\\v)([\\v])", "\v\v", "(\v|\v)" },
	{ "([[a:]+)([]b]+)", "[:a]b", "([:a|]b)" },
	{ "([:a:]+)([=])", ":a=", "(:a|=)" },
	{ "(?x) (a) # first (\n (b)", "ab", "(a|b)" },
	{ "(?i)(a)(?#why)(B)", "Ab", "(A|b)" },
	{ "(?:x)(a)(?=b)(b)(?!c)(?<=b)(?<!z)", "xab", "(a|b)" },
	{ "(a++)(?>b+)(c)", "aabbc", "(aa|c)" },
	{ "(x)?(?(1)y|z)(w)", "xyw zw", "(x|w)(|w)" },
	{ "(a)(\\.)", "a.", "(a|.)" },
};

START_TEST(test_finds_what_python_finds)
{
	for (size_t i = 0; i < OE__COUNT(cases); i++) {
		OE__AUTO(buffer) struct oe__buffer found = OE__BUFFER_INIT(0);
		ck_assert_msg(find_all(cases[i].pattern, bytes(cases[i].text), &found) == 0, "%s",
					  cases[i].pattern);
		ck_assert_str_eq(oe__buffer_string(&found), cases[i].found);
	}
}
END_TEST

START_TEST(test_refuses_what_one_side_lacks)
{
	static const struct {
		const char *pattern, *column;
	} bad[] = {
		{ "(a)(b", "0" },
		{ "(a)", "0" },
		{ "abc", "0" },
		{ "(a)(\\h)", "5" },
		{ "(a)(\\N{DASH})", "5" },
		{ "(a)(\\K)", "5" },
		{ "(?a)(a)(b)", "3" },
		{ "(?U)(a)(b)", "3" },
		{ "(?R)(a)(b)", "3" },
		{ "(*UTF)(a)(b)", "1" },
		{ "(?|(a)|(b))", "1" },
		{ "(a)(b)\\", "7" },
		{ "(a)(\\u12)", "5" },
		{ "(a)([b", "5" },
		{ "(?<n>a)(b)", "1" },
		{ "(a)(?#b", "4" },
		{ "(?P>x)(a)(b)", "1" },
		{ "(?1)(a)(b)", "1" },
		{ "(a)(b)\\Q", "7" },
		{ "(a)(\\p{L})", "5" },
		{ "(a)(*)", "4" },
		{ "(a)([\\h])", "6" },
		{ "(a)(\\C)", "5" },
	};

	for (size_t i = 0; i < OE__COUNT(bad); i++) {
		OE__AUTO(buffer) struct oe__buffer column = OE__BUFFER_INIT(0);
		ck_assert_msg(find_all(bad[i].pattern, bytes("ab"), &column) == OE_ERR_CONFIG, "%s",
					  bad[i].pattern);
		if (bad[i].column[0] != '0')
			ck_assert_msg(strcmp(oe__buffer_string(&column), bad[i].column) == 0, "%s: column %s",
						  bad[i].pattern, oe__buffer_string(&column));
	}
}
END_TEST

START_TEST(test_default_is_recognised)
{
	static const char *const same[] = {
		NULL,
		OE__PATTERN_DEFAULT,
		"<<<<<<< SEARCH\n(.*?)=======\n(.*?)>>>>>>> REPLACE",
	};

	for (size_t i = 0; i < OE__COUNT(same); i++) {
		OE__AUTO(pattern) struct oe__pattern *pattern = NULL;
		ck_assert_int_eq(oe__pattern_new(same[i], &pattern, NULL), 0);
		ck_assert(oe__pattern_is_default(pattern));
	}
}
END_TEST

/* What takes for ever elsewhere ends soon here: exponential in one place, or a little in all. */
START_TEST(test_work_is_bounded)
{
	static const char *const patterns[] = { "(a*)*(b)c", "(.*)*x(y)", "(?:(a+)+)+(b)!",
											"(\\s*)X(.)", "(a|a)*(b)c" };
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);

	for (int i = 0; i < 20000; i++)
		oe__buffer_text(&text, i < 10000 ? "a" : " ");
	for (size_t i = 0; i < OE__COUNT(patterns); i++) {
		OE__AUTO(buffer) struct oe__buffer found = OE__BUFFER_INIT(0);
		int status = find_all(patterns[i], (oe_bytes){ text.data, text.size }, &found);
		ck_assert(status == OE_ERR_LIMIT || status == 0);
	}
}
END_TEST

START_TEST(test_invalid_utf8_does_not_match)
{
	OE__AUTO(buffer) struct oe__buffer found = OE__BUFFER_INIT(0);

	ck_assert_int_eq(find_all("(a)(.)",
							  bytes("a\xff"
									"ab"),
							  &found),
					 0);
	ck_assert_str_eq(oe__buffer_string(&found), "(a|b)");
}
END_TEST

START_TEST(test_long_lazy_groups)
{
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);
	OE__AUTO(buffer) struct oe__buffer found = OE__BUFFER_INIT(0);

	oe__buffer_text(&text, "<<<EDIT\n");
	for (int i = 0; i < 20000; i++)
		oe__buffer_printf(&text, "line %d\n", i);
	oe__buffer_text(&text, "---\nnew\nEDIT>>>\n");
	ck_assert_int_eq(
		find_all("<<<EDIT\\n(.*?)---\\n(.*?)EDIT>>>", (oe_bytes){ text.data, text.size }, &found),
		0);
	ck_assert_uint_gt(found.size, 100000);
}
END_TEST

TEST_MAIN("pattern", test_finds_what_python_finds, test_refuses_what_one_side_lacks,
		  test_default_is_recognised, test_work_is_bounded, test_invalid_utf8_does_not_match,
		  test_long_lazy_groups)
