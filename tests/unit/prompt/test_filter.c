/* lib/prompt/filter.c, keys.c: what must not reach a prompt, and that nothing else is touched. */

#include <string.h>

#include "base/rng.h"
#include "base/text.h"
#include "prompt/filter.h"
#include "test.h"

#define ALL (OE__FILTER_ESCAPES | OE__FILTER_CONTROLS | OE__FILTER_SECRETS | OE__FILTER_KEYS)

static void filter(struct oe__buffer *out, const char *text, size_t size, unsigned steps)
{
	oe__buffer_clear(out);
	ck_assert_int_eq(oe__filter_append(out, text, size, steps), 0);
	ck_assert(oe__utf8_valid(oe__buffer_string(out), out->size));
}

static void expect(const char *text, unsigned steps, const char *wanted)
{
	OE__AUTO(buffer) struct oe__buffer out = OE__BUFFER_INIT(0);

	filter(&out, text, strlen(text), steps);
	ck_assert_str_eq(oe__buffer_string(&out), wanted);
}

START_TEST(test_escapes)
{
	static const char *const cases[][2] = {
		{ "\x1b[31mred\x1b[0m", "red" },
		{ "\x1b[1;32;40mx\x1b[K\x1b[2J", "x" },
		{ "\x1b[?25lx\x1b[?25h", "x" },
		{ "\x1bMx\x1b\\y\x1b_z", "xyz" },
		{ "\x1b[ q", "" },
		{ "plain [31m text", "plain [31m text" },
	};

	for (size_t i = 0; i < OE__COUNT(cases); i++) {
		expect(cases[i][0], OE__FILTER_ESCAPES, cases[i][1]);
		expect(cases[i][0], ALL, cases[i][1]);
		expect(cases[i][0], 0, cases[i][0]);
	}
	/* What is no escape keeps its letters; its control character goes. */
	expect("\x1b[31", OE__FILTER_ESCAPES, "\x1b[31");
	expect("\x1b[31", ALL, "[31");
	expect("\x1b", ALL, "");
	expect("\x1b" "7x", ALL, "7x");
}
END_TEST

START_TEST(test_controls)
{
	expect("a\x01" "b\x7f" "c\tde\n\r\x0b\x0c", OE__FILTER_CONTROLS, "abc\tde\n\r");
	expect("\xc2\x80x\xc2\x9fy\xc2\xa0z\xc3\xa9", OE__FILTER_CONTROLS, "xy\xc2\xa0z\xc3\xa9");
	expect("a\x01" "b", OE__FILTER_ESCAPES, "a\x01" "b");
}
END_TEST

/* A NUL is a control character like any other, and no end. */
START_TEST(test_nul)
{
	OE__AUTO(buffer) struct oe__buffer out = OE__BUFFER_INIT(0);

	filter(&out, "a\0b password=x\0y c", 18, ALL);
	ck_assert_str_eq(out.data, "ab password=<REDACTED> c");
}
END_TEST

#define RUN32 "0123456789abcdefABCDEF0123456789"

START_TEST(test_secrets)
{
	static const char *const cases[][2] = {
		{ RUN32, "<REDACTED_TOKEN>" },
		{ "x " RUN32 "0 y", "x <REDACTED_TOKEN> y" },
		{ "(" RUN32 RUN32 ")(" RUN32 ")", "(<REDACTED_TOKEN>)(<REDACTED_TOKEN>)" },
		{ "0123456789abcdefABCDEF012345678", "0123456789abcdefABCDEF012345678" },
		{ "password=hunter2", "password=<REDACTED>" },
		{ "PassWord:  hunter2 next", "password=<REDACTED> next" },
		{ "db_password=\n\thunter2", "db_password=<REDACTED>" },
		{ "password=", "password=" },
		{ "password: ", "password: " },
		{ "the password is hunter2", "the password is hunter2" },
		{ "token=abc token:def", "token=<REDACTED> token=<REDACTED>" },
		{ "password=token=abc", "password=<REDACTED>" },
		{ "token=\xe2\x82\xac\xf0\x9f\x90\x9d x", "token=<REDACTED> x" },
	};

	for (size_t i = 0; i < OE__COUNT(cases); i++) {
		expect(cases[i][0], OE__FILTER_SECRETS, cases[i][1]);
		expect(cases[i][0], ALL, cases[i][1]);
		expect(cases[i][0], OE__FILTER_CONTROLS | OE__FILTER_ESCAPES, cases[i][0]);
	}
}
END_TEST

/* Keys of all shapes that services hand out: no more than their first few characters are left.
   Each is put together here, so that nobody takes this file for a leak. */
static const struct {
	const char *prefix, *rest;
} keys[] = {
	{ "sk-", "Zz0Zz1Zz2Zz3Zz4Zz5Zz6Zz7Zz8Zz9Zz0Zz1Zz2Zz3Zz4Zz5" },
	{ "sk-", "Zz0Zz1Zz2Zz3Zz4Zz5Zz6" },
	{ "sk-", "proj-Zz0_Zz1-Zz2Zz3Zz4Zz5_Zz6Zz7Zz8-Zz9Zz0Zz1" },
	{ "sk-", "ant-api03-Zz0Zz1Zz2_Zz3Zz4Zz5Zz6-Zz7Zz8Zz9-ZzAA" },
	{ "sk-", "or-v1-0123456789abcdef0123456789abcdef0123456789abcdef" },
	{ "ghp_", "Zz0Zz1Zz2Zz3Zz4Zz5Zz6Zz7Zz8Zz9Zz0Zz1" },
	{ "github_pat_", "Zz0Zz1Zz2Zz3Zz4Zz5Zz6Z_Zz7Zz8Zz9Zz0Zz1Zz2Zz3Zz4Zz5" },
	{ "glpat-", "Zz0Zz1-Zz2_Zz3Zz4Zz5Z" },
	{ "xoxb-", "012345678901-0123456789012-Zz0Zz1Zz2Zz3Zz4Zz5Zz6Zz7" },
	{ "AKIA", "IOSFODNN7ZZZZZZ0" },
	{ "AIza", "SyZz0Zz1-Zz2_Zz3Zz4Zz5Zz6Zz7Zz8Zz9Z" },
	{ "hf_", "Zz0Zz1Zz2Zz3Zz4Zz5Zz6Zz7Zz8Zz9Zz0Zz" },
	{ "gsk_", "Zz0Zz1Zz2Zz3Zz4Zz5Zz6Zz7Zz8Zz9Zz0Zz1Zz2Zz3Zz4Zz5Zz6Z" },
	{ "eyJ", "hbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.Zz0Zz1-Zz2_Zz3Zz4Zz5Zz6" },
};

START_TEST(test_keys)
{
	static const char *const around[][2] = {
		{ "", "" },		 { "key: ", "\n" }, { "(", ")" }, { "\"", "\"," }, { "OPENAI_API_KEY=", "" },
		{ "\x1b[1m", "\x1b[0m" }, { "x=", ". And on." }, { "\xe2\x82\xac", "\xe2\x82\xac" },
	};

	for (size_t k = 0; k < OE__COUNT(keys); k++) {
		for (size_t a = 0; a < OE__COUNT(around); a++) {
			OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0), out = OE__BUFFER_INIT(0);
			oe__buffer_printf(&text, "%s%s%s%s", around[a][0], keys[k].prefix, keys[k].rest,
							  around[a][1]);
			filter(&out, text.data, text.size, ALL);
			for (const char *c = keys[k].rest; strlen(c) >= 8; c++) {
				char piece[9] = { 0 };
				memcpy(piece, c, 8);
				ck_assert_msg(!strstr(out.data, piece), "%s: %s", text.data, out.data);
			}
			ck_assert_ptr_nonnull(strstr(out.data, "<REDACTED"));
		}
	}
}
END_TEST

/* What people and programs write. */
static const char *const ordinary[] = {
	"Traceback (most recent call last):\n  File \"/tmp/x1/program.py\", line 12, in <module>\n"
	"    raise ValueError(f\"{n} is too small\")\nValueError: 3 is too small\n",
	"scikit-learn (sk-learn) 1.3.2, sk-optimization-toolkit and a task-1234567890123456 of mine",
	"risk-adjusted-return-2024-01-31-final, disk-cache-0123456789-abcdef, ask-me-anything-2024-now",
	"AKIAB is an island, AIzawl a town, eyJafjallajokull a volcano, ASIAN markets",
	"tokens: 1234567 in, 89 out", "the passwords are kept elsewhere; a token was seen",
	"best = [0.1234567890123456, 1e-05, -3.5]; seed=123456789012345678901234567890",
	"def very_long_function_name_of_many_words_that_goes_on_and_on_v2(x): return x",
	"\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe3\x81\xae\xe3\x83\x86\xe3\x82\xad\xe3\x82\xb9\xe3\x83\x88 "
	"na\xc3\xafve caf\xc3\xa9 \xf0\x9f\x90\x9d",
	"| metric | value |\n|--|--|\n| sum_radii | 2.635983 |\n",
};

START_TEST(test_ordinary_text)
{
	for (size_t i = 0; i < OE__COUNT(ordinary); i++)
		expect(ordinary[i], ALL, ordinary[i]);
}
END_TEST

static void random_text(struct oe__rng *rng, struct oe__buffer *out)
{
	static const char *const pieces[] = {
		"a", "Z9", "A1b2C3d4", RUN32, "password", "TOKEN", "=", ":", " ", "\n", "\x1b", "\x1b[31m", "\x7f",
		"\xc2\x85", "\xc3\xa9", "\xe2\x84\xaa", "\xc5\xbf", "sk-", "eyJ", "AKIA", ".", "-", "_", "\x01"
	};
	size_t count = oe__rng_below(rng, 40);

	for (size_t i = 0; i < count; i++)
		oe__buffer_text(out, pieces[oe__rng_below(rng, OE__COUNT(pieces))]);
}

/* No control character, no escape, no long run is left, whatever comes; what was there stays. */
START_TEST(test_random)
{
	struct oe__rng rng;

	oe__rng_init(&rng, 9, "test", 0, 0);
	for (int round = 0; round < 20000; round++) {
		OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0), out = OE__BUFFER_INIT(0);
		size_t run = 0;

		random_text(&rng, &text);
		oe__buffer_text(&out, "kept");
		ck_assert_int_eq(oe__filter_append(&out, oe__buffer_string(&text), text.size, ALL), 0);
		ck_assert_int_eq(memcmp(out.data, "kept", 4), 0);
		ck_assert(oe__utf8_valid(out.data, out.size));
		for (size_t i = 4; i < out.size; i++) {
			unsigned char c = (unsigned char)out.data[i];
			bool letter = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
			run = letter ? run + 1 : 0;
			ck_assert_uint_lt(run, 32);
			ck_assert_msg(c >= 0x20 || c == '\n', "%02x", c);
			ck_assert_uint_ne(c, 0x7f);
		}
	}
}
END_TEST

/* Twice as much takes about twice as long, for the worst that was thought of. */
START_TEST(test_linear)
{
	static const char *const worst[] = { "eyJ.", "sk-sk-", "password", "token=", "\x1b[", "a=", "AKIA " };

	for (size_t i = 0; i < OE__COUNT(worst); i++) {
		OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0), out = OE__BUFFER_INIT(0);
		while (text.size < 1000000)
			oe__buffer_text(&text, worst[i]);
		filter(&out, text.data, text.size, ALL); /* a quadratic step would take minutes */
	}
}
END_TEST

TEST_MAIN("filter", test_escapes, test_controls, test_nul, test_secrets, test_keys, test_ordinary_text,
		  test_random, test_linear)
