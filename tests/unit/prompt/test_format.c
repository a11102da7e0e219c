/* lib/prompt/format.c: values and specifications with what Python 3.11 makes of them. */

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/buffer.h"
#include "prompt/format.h"
#include "test.h"

static oe_bytes bytes(const char *text)
{
	return (oe_bytes){ text, strlen(text) };
}

static const struct {
	const char *value, *spec, *wanted;
} texts[] = {
	{ "abc", "", "abc" },
	{ "abc", "s", "abc" },
	{ "abc", "5", "abc  " },
	{ "abc", "<5", "abc  " },
	{ "abc", ">5", "  abc" },
	{ "abc", "^5", " abc " },
	{ "abc", "^6", " abc  " },
	{ "abc", "*^7", "**abc**" },
	{ "abc", ".2", "ab" },
	{ "abc", "5.2", "ab   " },
	{ "abc", "\xc3\xa9>4", "\xc3\xa9" "abc" },
	{ "abc", "\xe2\x82\xac^6s", "\xe2\x82\xac" "abc\xe2\x82\xac\xe2\x82\xac" },
	{ "abc", "05", "abc00" },
	{ "abc", ".0", "" },
	{ "abc", "0<5", "abc00" },
	{ "h\xc3\xa9\xc3\xa9", "5", "h\xc3\xa9\xc3\xa9  " },
	{ "h\xc3\xa9\xc3\xa9", ".2", "h\xc3\xa9" },
	{ "h\xc3\xa9\xc3\xa9", ">4", " h\xc3\xa9\xc3\xa9" },
};

static const struct {
	int64_t value;
	const char *spec, *wanted;
} ints[] = {
	{ 1234567, "", "1234567" },
	{ 1234567, "d", "1234567" },
	{ 1234567, ",", "1,234,567" },
	{ 1234567, "_", "1_234_567" },
	{ 1234567, "+d", "+1234567" },
	{ 1234567, " ", " 1234567" },
	{ 1234567, "012,", "0,001,234,567" },
	{ 1234567, "012_d", "0_001_234_567" },
	{ 1234567, ">12,", "   1,234,567" },
	{ 1234567, "*^15", "****1234567****" },
	{ 1234567, "=+12", "+    1234567" },
	{ 1234567, "x", "12d687" },
	{ 1234567, "#x", "0x12d687" },
	{ 1234567, "#X", "0X12D687" },
	{ 1234567, "#o", "0o4553207" },
	{ 1234567, "b", "100101101011010000111" },
	{ 1234567, "#_b", "0b1_0010_1101_0110_1000_0111" },
	{ 1234567, "_x", "12_d687" },
	{ 1234567, "010,", "01,234,567" },
	{ 1234567, "e", "1.234567e+06" },
	{ 1234567, ".2f", "1234567.00" },
	{ 1234567, "%", "123456700.000000%" },
	{ 1234567, "n", "1234567" },
	{ 1234567, "<12", "1234567     " },
	{ 1234567, "^#12x", "  0x12d687  " },
	{ -1234, "", "-1234" },
	{ -1234, "08", "-0001234" },
	{ -1234, "08,", "-001,234" },
	{ -1234, "=8", "-   1234" },
	{ -1234, ",", "-1,234" },
	{ -1234, "x", "-4d2" },
	{ -1234, "#x", "-0x4d2" },
	{ -1234, "+", "-1234" },
	{ -1234, "012.3f", "-0001234.000" },
	{ 0, "", "0" },
	{ 0, "05", "00000" },
	{ 0, "#x", "0x0" },
	{ 0, ",", "0" },
	{ 0, "+", "+0" },
	{ 65, "c", "A" },
	{ 65, "5c", "    A" },
	{ 65, "<5c", "A    " },
	{ 65, "*^5c", "**A**" },
	{ 999, "5c", "    \xcf\xa7" },
	{ 999, "c", "\xcf\xa7" },
	{ INT64_MIN, "", "-9223372036854775808" },
	{ INT64_MIN, "x", "-8000000000000000" },
	{ INT64_MIN, ",", "-9,223,372,036,854,775,808" },
};

static const struct {
	double value;
	const char *spec, *wanted;
} reals[] = {
	{ 0.0, "", "0.0" },
	{ 0.0, ".2f", "0.00" },
	{ 0.0, "g", "0" },
	{ 0.0, "e", "0.000000e+00" },
	{ 0.0, "%", "0.000000%" },
	{ 0.0, ".0f", "0" },
	{ 0.0, "#.0f", "0." },
	{ 0.0, "05", "000.0" },
	{ -0.0, "", "-0.0" },
	{ -0.0, ".1f", "-0.0" },
	{ -0.0, "+", "-0.0" },
	{ 1234567.891, "", "1234567.891" },
	{ 1234567.891, ".2f", "1234567.89" },
	{ 1234567.891, ",.2f", "1,234,567.89" },
	{ 1234567.891, "_.1f", "1_234_567.9" },
	{ 1234567.891, "e", "1.234568e+06" },
	{ 1234567.891, ".3e", "1.235e+06" },
	{ 1234567.891, "g", "1.23457e+06" },
	{ 1234567.891, ".3g", "1.23e+06" },
	{ 1234567.891, ".10g", "1234567.891" },
	{ 1234567.891, "015.2f", "000001234567.89" },
	{ 1234567.891, "015,.2f", "0,001,234,567.89" },
	{ 1234567.891, "+.1f", "+1234567.9" },
	{ 1234567.891, "%", "123456789.100000%" },
	{ 1234567.891, ".1%", "123456789.1%" },
	{ 1234567.891, "E", "1.234568E+06" },
	{ 1234567.891, "G", "1.23457E+06" },
	{ 1234567.891, ">20", "         1234567.891" },
	{ 1234567.891, "*^20.3f", "****1234567.891*****" },
	{ 1234567.891, "n", "1.23457e+06" },
	{ 1234567.891, ".0f", "1234568" },
	{ 1234567.891, "#.0f", "1234568." },
	{ 1234567.891, ",", "1,234,567.891" },
	{ 0.5, "", "0.5" },
	{ 0.5, ".0f", "0" },
	{ 0.5, ".4f", "0.5000" },
	{ 0.5, ".3%", "50.000%" },
	{ 0.5, "e", "5.000000e-01" },
	{ 2.5, ".0f", "2" },
	{ 2.5, ".0e", "2e+00" },
	{ 1e+16, "", "1e+16" },
	{ 1e+16, "g", "1e+16" },
	{ 1e+16, "f", "10000000000000000.000000" },
	{ 1e+16, ",.0f", "10,000,000,000,000,000" },
	{ 1e-05, "", "1e-05" },
	{ 1e-05, "g", "1e-05" },
	{ 1e-05, "f", "0.000010" },
	{ 1e-05, ".10f", "0.0000100000" },
	{ 1e-05, "e", "1.000000e-05" },
	{ 123456.0, "g", "123456" },
	{ 123456.0, ".3", "1.23e+05" },
	{ 123456.0, ".6", "1.23456e+05" },
	{ 123456.0, ".10", "123456.0" },
	{ 123456.0, "#g", "123456." },
	{ 123456.0, "#.3g", "1.23e+05" },
	{ 1e+300, "g", "1e+300" },
	{ 1e+300, ".3", "1e+300" },
	{ 1e+300, "", "1e+300" },
	{ (double)NAN, "", "nan" },
	{ (double)NAN, ".2f", "nan" },
	{ (double)NAN, "F", "NAN" },
	{ (double)NAN, "08", "00000nan" },
	{ (double)NAN, "010,", "0000000nan" },
	{ (double)NAN, "+", "+nan" },
	{ (double)NAN, "%", "nan%" },
	{ (double)NAN, "g", "nan" },
	{ (double)INFINITY, "", "inf" },
	{ (double)INFINITY, ".2f", "inf" },
	{ (double)INFINITY, "F", "INF" },
	{ (double)INFINITY, "08.1f", "00000inf" },
	{ (double)INFINITY, "012,", "000000000inf" },
	{ (double)INFINITY, "+", "+inf" },
	{ (double)INFINITY, "-", "inf" },
	{ (double)INFINITY, " ", " inf" },
	{ (double)INFINITY, "%", "inf%" },
	{ (double)INFINITY, "E", "INF" },
	{ -(double)INFINITY, "", "-inf" },
	{ -(double)INFINITY, "G", "-INF" },
	{ -(double)INFINITY, "08", "-0000inf" },
	{ -(double)INFINITY, "012_", "-00000000inf" },
};

START_TEST(test_texts)
{
	for (size_t i = 0; i < OE__COUNT(texts); i++) {
		OE__AUTO(buffer) struct oe__buffer out = OE__BUFFER_INIT(0);
		oe_error err = { 0 };
		int status = oe__format_text(&out, texts[i].value, strlen(texts[i].value),
									 bytes(texts[i].spec), &err);
		ck_assert_msg(status == 0, "'%s': %s", texts[i].spec, err.message);
		ck_assert_msg(strcmp(oe__buffer_string(&out), texts[i].wanted) == 0, "format('%s', '%s'): '%s'",
					  texts[i].value, texts[i].spec, oe__buffer_string(&out));
	}
}
END_TEST

START_TEST(test_ints)
{
	for (size_t i = 0; i < OE__COUNT(ints); i++) {
		OE__AUTO(buffer) struct oe__buffer out = OE__BUFFER_INIT(0);
		oe_error err = { 0 };
		int status = oe__format_int(&out, ints[i].value, bytes(ints[i].spec), &err);
		ck_assert_msg(status == 0, "'%s': %s", ints[i].spec, err.message);
		ck_assert_msg(strcmp(oe__buffer_string(&out), ints[i].wanted) == 0, "format(%lld, '%s'): '%s'",
					  (long long)ints[i].value, ints[i].spec, oe__buffer_string(&out));
	}
}
END_TEST

START_TEST(test_reals)
{
	for (size_t i = 0; i < OE__COUNT(reals); i++) {
		OE__AUTO(buffer) struct oe__buffer out = OE__BUFFER_INIT(0);
		oe_error err = { 0 };
		int status = oe__format_float(&out, reals[i].value, bytes(reals[i].spec), &err);
		ck_assert_msg(status == 0, "'%s': %s", reals[i].spec, err.message);
		ck_assert_msg(strcmp(oe__buffer_string(&out), reals[i].wanted) == 0, "format(%g, '%s'): '%s'",
					  reals[i].value, reals[i].spec, oe__buffer_string(&out));
	}
}
END_TEST

/* Where Python raises an error, so do we, with the specification in it. */
START_TEST(test_errors)
{
	static const struct {
		char kind; /* s, i, f */
		const char *spec;
	} cases[] = {
		{ 's', "d" },	{ 's', "+" },	{ 's', "," },	{ 's', "=5" },	{ 's', "#" },	{ 's', "." },
		{ 's', "ss" },	{ 'i', "s" },	{ 'i', ".2" },	{ 'i', ".2d" }, { 'i', ",x" },	{ 'i', ",n" },
		{ 'i', "y" },	{ 'i', "+c" },	{ 'f', "d" },	{ 'f', "x" },	{ 'f', "s" },	{ 'f', "c" },
		{ 'f', ".f" },	{ 'f', "5.2.1f" }, { 'f', "99999999999999999999" }, { 'f', ".99999999999f" },
	};

	for (size_t i = 0; i < OE__COUNT(cases); i++) {
		OE__AUTO(buffer) struct oe__buffer out = OE__BUFFER_INIT(0);
		oe_error err = { 0 };
		oe_bytes spec = bytes(cases[i].spec);
		int status = cases[i].kind == 's'	? oe__format_text(&out, "x", 1, spec, &err)
					 : cases[i].kind == 'i' ? oe__format_int(&out, 1, spec, &err)
											: oe__format_float(&out, 1, spec, &err);
		ck_assert_msg(status == OE_ERR_CONFIG, "%c '%s': %d", cases[i].kind, cases[i].spec, status);
		ck_assert_msg(strstr(err.message, cases[i].spec), "%s", err.message);
	}
	OE__AUTO(buffer) struct oe__buffer out = OE__BUFFER_INIT(0);
	ck_assert_int_eq(oe__format_int(&out, -1, bytes("c"), NULL), OE_ERR_CONFIG);
	ck_assert_int_eq(oe__format_int(&out, 0x110000, bytes("c"), NULL), OE_ERR_CONFIG);
}
END_TEST

TEST_MAIN("format", test_texts, test_ints, test_reals, test_errors)
