/* lib/prompt/excerpt.c: foreign text, cut to a length, in a fence that it cannot end. */

#include <string.h>

#include "base/alloc.h"
#include "base/rng.h"
#include "base/text.h"
#include "prompt/excerpt.h"
#include "prompt/template.h"
#include "test.h"

static int write_gap(const void *self, size_t size, struct oe__buffer *out, oe_error *err)
{
	(void)self, (void)err;
	return oe__buffer_printf(out, "<%zu bytes>", size);
}

static struct oe__excerpt_options options_of(enum oe__excerpt_style style, int64_t chars_max)
{
	return (struct oe__excerpt_options){
		.style = style, .redact = true, .chars_max = chars_max, .write_gap = write_gap
	};
}

static void expect(const char *text, enum oe__excerpt_style style, int64_t chars_max,
				   const char *wanted)
{
	OE__AUTO(buffer) struct oe__buffer out = OE__BUFFER_INIT(0);
	struct oe__excerpt_options options = options_of(style, chars_max);

	oe__buffer_text(&out, "before ");
	ck_assert_int_eq(oe__excerpt_append(&out, text, strlen(text), &options, NULL), 0);
	ck_assert_str_eq(out.data + 7, wanted);
}

START_TEST(test_cut)
{
	expect("0123456789", OE__STYLE_SAFE, 10, "0123456789");
	expect("0123456789", OE__STYLE_SAFE, 6, "012\n<10 bytes>\n789");
	expect("0123456789", OE__STYLE_SAFE, 5, "012\n<10 bytes>\n89");
	expect("0123456789", OE__STYLE_SAFE, 1, "0\n<10 bytes>");
	expect("0123456789", OE__STYLE_SAFE, 0, "\n<10 bytes>");
	expect("", OE__STYLE_SAFE, 0, "");
	expect("0123456789", OE__STYLE_OPENEVOLVE, 6, "012345\n<10 bytes>");
	/* Characters, not bytes. */
	expect("\xc3\xa9\xc3\xa9\xe2\x82\xac", OE__STYLE_SAFE, 3, "\xc3\xa9\xc3\xa9\xe2\x82\xac");
	expect("\xc3\xa9\xc3\xa9\xe2\x82\xac", OE__STYLE_SAFE, 2, "\xc3\xa9\n<7 bytes>\n\xe2\x82\xac");
	/* Filtered first. */
	expect("\x1b[31mabc\x1b[0m", OE__STYLE_SAFE, 3, "abc");
	expect("password=hunter2", OE__STYLE_SAFE, 100, "password=<REDACTED>");
}
END_TEST

/* How long a text has to be for only its ends to be looked at. */
static size_t long_size(int64_t chars_max)
{
	return 2 * ((size_t)chars_max * 4 + 4096) + 8;
}

static void fill(struct oe__buffer *out, const char *piece, size_t size)
{
	while (out->size < size)
		oe__buffer_text(out, piece);
}

/* Long texts are looked at from both ends, which gives the same as looking at all of it. */
START_TEST(test_windows)
{
	static const char *const pieces[] = { "word ", "\xc3\xa9", "\xe2\x82\xac\n", "\xf0\x9f\x90\x9d",
										  "x",	   "\x1b[31m", "a\n",			 "\t" };

	for (size_t p = 0; p < OE__COUNT(pieces); p++) {
		for (int64_t chars = 0; chars < 40; chars += 13) {
			OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0), out = OE__BUFFER_INIT(0);
			OE__AUTO(buffer) struct oe__buffer gap = OE__BUFFER_INIT(0);
			struct oe__excerpt_options options = options_of(OE__STYLE_SAFE, chars);
			options.redact = false;
			fill(&text, pieces[p], long_size(chars) * 2);
			ck_assert_int_eq(oe__excerpt_append(&out, text.data, text.size, &options, NULL), 0);
			ck_assert(oe__utf8_valid(out.data, out.size));
			write_gap(NULL, text.size, &gap, NULL);
			char *found = strstr(out.data, gap.data);
			ck_assert_ptr_nonnull(found);
			if (pieces[p][0] == '\x1b') /* nothing of it is left */
				continue;
			size_t head = (size_t)(found - out.data) - 1;
			ck_assert_uint_eq(oe__utf8_length(out.data, head), (size_t)(chars - chars / 2));
			ck_assert_int_eq(memcmp(out.data, text.data, head), 0);
			size_t tail = strlen(found + gap.size);
			tail -= tail > 0; /* its line feed */
			ck_assert_uint_eq(oe__utf8_length(out.data + out.size - tail, tail), (size_t)chars / 2);
			ck_assert_int_eq(memcmp(out.data + out.size - tail, text.data + text.size - tail, tail), 0);
		}
	}
}
END_TEST

/* A secret at the edge of what is looked at is a secret all the same. */
START_TEST(test_secret_at_the_edge)
{
	static const char secret[] = "Zz0Zz1Zz2Zz3Zz4Zz5Zz6Zz7Zz8Zz9Zz0Zz1Zz2Zz3";
	struct oe__excerpt_options options = options_of(OE__STYLE_SAFE, 8000);
	size_t window = 8000 * 4 + 4096;

	for (size_t at = window - 60; at < window + 10; at += 3) {
		OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0), out = OE__BUFFER_INIT(0);
		/* Escapes in front, so that what is shown of the window reaches to its end. */
		while (text.size + 6 < at)
			oe__buffer_text(&text, "\x1b[31m");
		while (text.size < at)
			oe__buffer_char(&text, ' ');
		oe__buffer_text(&text, secret);
		fill(&text, " x", window * 3);
		oe__buffer_text(&text, " ");
		/* And the same from the other end. */
		size_t end = text.size + 60;
		oe__buffer_text(&text, secret);
		oe__buffer_text(&text, " ");
		while (text.size < end + at)
			oe__buffer_text(&text, "\x1b[31m");
		ck_assert_int_eq(oe__excerpt_append(&out, text.data, text.size, &options, NULL), 0);
		for (const char *c = secret; strlen(c) >= 9; c++) {
			char piece[10] = { 0 };
			memcpy(piece, c, 9);
			ck_assert_msg(!strstr(out.data, piece), "at %zu: %s", at, piece);
		}
	}
}
END_TEST

/* Any text, any limit: never more characters than that and the gap. */
START_TEST(test_random)
{
	static const char *const pieces[] = { "a", " ", "\n", "\xc3\xa9", "\xff", "\xe2\x82", "\x1b[1m", "`",
										  "token=x", "0123456789abcdef0123456789abcdef" };
	struct oe__rng rng;

	oe__rng_init(&rng, 11, "test", 0, 0);
	for (int round = 0; round < 5000; round++) {
		OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0), out = OE__BUFFER_INIT(0);
		int64_t chars = (int64_t)oe__rng_below(&rng, 60);
		struct oe__excerpt_options options =
			options_of(oe__rng_below(&rng, 2) ? OE__STYLE_SAFE : OE__STYLE_OPENEVOLVE, chars);
		size_t count = oe__rng_below(&rng, 30);

		for (size_t i = 0; i < count; i++)
			oe__buffer_text(&text, pieces[oe__rng_below(&rng, OE__COUNT(pieces))]);
		if (oe__rng_below(&rng, 20) == 0)
			fill(&text, pieces[oe__rng_below(&rng, 4)], long_size(chars) + 100);
		ck_assert_int_eq(
			oe__excerpt_append(&out, oe__buffer_string(&text), text.size, &options, NULL), 0);
		ck_assert(oe__utf8_valid(oe__buffer_string(&out), out.size));
		const char *gap = strstr(oe__buffer_string(&out), "\n<");
		size_t extra = gap ? 40 : 0;
		ck_assert_uint_le(oe__utf8_length(oe__buffer_string(&out), out.size), (size_t)chars + extra);
	}
}
END_TEST

START_TEST(test_line)
{
	OE__AUTO(buffer) struct oe__buffer out = OE__BUFFER_INIT(0);
	struct oe__excerpt_options options = options_of(OE__STYLE_SAFE, 8);

	oe__buffer_text(&out, "a\nb");
	ck_assert_int_eq(oe__excerpt_append_line(&out, "c\td\r\ne", 6, &options, NULL), 0);
	ck_assert_int_eq(oe__excerpt_append_line(&out, "0123456789", 10, &options, NULL), 0);
	ck_assert_str_eq(out.data, "a\nbc d  e0123 <10 bytes> 6789");
}
END_TEST

START_TEST(test_artifacts)
{
	static const struct {
		enum oe__artifact_kind kind;
		const char *data, *wanted;
	} cases[] = {
		{ OE__ARTIFACT_TEXT, "[true]", "[true]" },
		{ OE__ARTIFACT_JSON, "[true, null, \"a\", 1.5, {\"b\": 2}]", "[True, None, 'a', 1.5, {'b': 2}]" },
		{ OE__ARTIFACT_JSON, "\"text\"", "text" },
		{ OE__ARTIFACT_JSON, "\"password=x\"", "password=<REDACTED>" },
		{ OE__ARTIFACT_JSON, "{broken", "{broken" },
		{ OE__ARTIFACT_BYTES, "a\xff\xfe" "b", "a\xef\xbf\xbd\xef\xbf\xbd" "b" },
	};
	struct oe__excerpt_options options = options_of(OE__STYLE_SAFE, 1000);

	for (size_t i = 0; i < OE__COUNT(cases); i++) {
		OE__AUTO(buffer) struct oe__buffer out = OE__BUFFER_INIT(0);
		struct oe__artifact artifact = { .kind = cases[i].kind,
										 .data = (char *)(uintptr_t)cases[i].data,
										 .size = strlen(cases[i].data) };
		ck_assert_int_eq(oe__excerpt_append_artifact(&out, &artifact, &options, NULL), 0);
		ck_assert_str_eq(out.data, cases[i].wanted);
	}
}
END_TEST

/* Whatever is inside: the fence is longer than any run of ticks in it. */
START_TEST(test_fence)
{
	static const char *const texts[] = { "", "x", "```\nx\n```", "`", "a```b````c``", "``````````" };

	for (size_t i = 0; i < OE__COUNT(texts); i++) {
		OE__AUTO(buffer) struct oe__buffer out = OE__BUFFER_INIT(0), plain = OE__BUFFER_INIT(0);
		oe__buffer_printf(&out, "head\n%s", texts[i]);
		ck_assert_int_eq(oe__excerpt_fence(&out, 5, OE__STYLE_SAFE), 0);
		size_t ticks = strspn(out.data + 5, "`");
		ck_assert_uint_ge(ticks, 3);
		ck_assert_uint_gt(ticks, oe__longest_ticks(texts[i], strlen(texts[i])));
		ck_assert_uint_eq(out.size, 5 + 2 * ticks + 2 + strlen(texts[i]));
		ck_assert_int_eq(memcmp(out.data + 5 + ticks + 1, texts[i], strlen(texts[i])), 0);
		ck_assert_uint_eq(strspn(out.data + out.size - ticks, "`"), ticks);
		oe__buffer_text(&plain, texts[i]);
		ck_assert_int_eq(oe__excerpt_fence(&plain, 0, OE__STYLE_OPENEVOLVE), 0);
		ck_assert_uint_eq(plain.size, strlen(texts[i]) + 8);
	}
}
END_TEST

TEST_MAIN("excerpt", test_cut, test_windows, test_secret_at_the_edge, test_random, test_line,
		  test_artifacts, test_fence)
