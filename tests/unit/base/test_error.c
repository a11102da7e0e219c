/* lib/base/error.c: a message is one printable line of UTF-8 that fits, whatever goes in. */

#include "base/error.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/rng.h"
#include "base/text.h"
#include "test.h"

#define ROOM (OE_ERROR_MESSAGE_SIZE - 1)

START_TEST(test_fields)
{
	oe_error err;

	memset(&err, 'x', sizeof(err)); /* needs no initialisation */
	ck_assert_int_eq(oe__error(&err, OE_ERR_FORMAT, "%s has %d", "it", 3), OE_ERR_FORMAT);
	ck_assert_int_eq(err.status, OE_ERR_FORMAT);
	ck_assert_str_eq(err.message, "it has 3");
	ck_assert_str_eq(err.where, "");
	ck_assert_int_eq(err.line, 0);
	ck_assert_int_eq(err.column, 0);
	ck_assert_int_eq(oe__error_at(&err, OE_ERR_CONFIG, "a.yaml", 4, 7, "no"), OE_ERR_CONFIG);
	ck_assert_str_eq(err.where, "a.yaml");
	ck_assert_int_eq(err.line, 4);
	ck_assert_int_eq(err.column, 7);
	ck_assert_str_eq(err.message, "no");
	ck_assert_int_eq(oe__error_at(&err, OE_ERR_IO, NULL, 0, 0, "no"), OE_ERR_IO);
	ck_assert_str_eq(err.where, "");
	ck_assert_int_eq(oe__error_nomem(&err), OE_ERR_NOMEM);
	ck_assert_int_eq(err.status, OE_ERR_NOMEM);
	ck_assert_str_eq(err.message, "out of memory");
}
END_TEST

START_TEST(test_nobody_listens)
{
	errno = ENOENT;
	ck_assert_int_eq(oe__error(NULL, OE_ERR_IO, "x"), OE_ERR_IO);
	ck_assert_int_eq(oe__error_at(NULL, OE_ERR_IO, "x", 1, 1, "x"), OE_ERR_IO);
	ck_assert_int_eq(oe__error_errno(NULL, "x"), OE_ERR_IO);
	ck_assert_int_eq(oe__error_nomem(NULL), OE_ERR_NOMEM);
}
END_TEST

/* An error is often made of the one before it. */
START_TEST(test_made_of_itself)
{
	oe_error err;

	(void)oe__error_at(&err, OE_ERR_FORMAT, "inner", 1, 2, "cause");
	(void)oe__error_at(&err, err.status, err.where, err.line, err.column, "outer: %s", err.message);
	ck_assert_str_eq(err.message, "outer: cause");
	ck_assert_str_eq(err.where, "inner");
	ck_assert_int_eq(err.column, 2);
}
END_TEST

START_TEST(test_printable)
{
	static const struct {
		const char *given, *kept;
	} cases[] = {
		{ "a\nb\r\tc\x1b[31m\x7f", "a b  c [31m " },
		{ "gr\xc3\xb6\xc3\x9f"
		  "e \xe6\x97\xa5 \xf0\x9f\x9a\x80",
		  "gr\xc3\xb6\xc3\x9f"
		  "e \xe6\x97\xa5 \xf0\x9f\x9a\x80" },
		{ "caf\xe9 \xff\xfe", "caf? ??" },              /* Latin-1, and no text at all */
		{ "\xc2\x9b[2J\xc2\x85", "  [2J  " },           /* control characters beyond ASCII */
		{ "\xed\xa0\x80 \xc0\xaf", "??? ??" },          /* a surrogate, an overlong slash */
		{ "\xef\xbf\xbd", "\xef\xbf\xbd" },             /* U+FFFD itself is text */
	};

	for (size_t i = 0; i < OE__COUNT(cases); i++) {
		oe_error err;
		(void)oe__error_at(&err, OE_ERR_IO, cases[i].given, 0, 0, "%s", cases[i].given);
		ck_assert_str_eq(err.message, cases[i].kept);
		ck_assert_str_eq(err.where, cases[i].kept);
	}
}
END_TEST

/* The end of a text that is too long, by where a character of four bytes falls. */
START_TEST(test_cut_between_characters)
{
	for (size_t before = ROOM - 5; before <= ROOM; before++) {
		char text[OE_ERROR_MESSAGE_SIZE + 8] = "", wanted[OE_ERROR_MESSAGE_SIZE] = "";
		oe_error err;

		memset(text, 'a', before);
		(void)snprintf(text + before, sizeof(text) - before, "%s", "\xf0\x9f\x9a\x80");
		memset(wanted, 'a', before);
		if (before + 4 <= ROOM) /* what fits stays, to the last byte */
			(void)snprintf(wanted, sizeof(wanted), "%s", text);
		(void)oe__error(&err, OE_ERR_IO, "%s", text);
		ck_assert_str_eq(err.message, wanted);
	}
}
END_TEST

/* What is meant is at the end of a path. */
START_TEST(test_long_places)
{
	char path[OE_ERROR_WHERE_SIZE + 200];
	oe_error err;

	for (size_t size = OE_ERROR_WHERE_SIZE - 10; size < sizeof(path) - 20; size++) {
		memset(path, '/', sizeof(path));
		(void)snprintf(path + size - 8, 20, "\xc3\xb6/a.json");
		(void)oe__error_at(&err, OE_ERR_IO, path, 1, 1, "x");
		const char *end = path + strlen(path) - strlen("\xc3\xb6/a.json");
		if (strlen(path) < OE_ERROR_WHERE_SIZE)
			ck_assert_str_eq(err.where, path);
		else
			ck_assert(memcmp(err.where, ".../", 4) == 0);
		ck_assert_ptr_nonnull(strstr(err.where, end));
	}
	/* Never within a character. */
	for (size_t shift = 0; shift < 4; shift++) {
		memset(path, 'a', sizeof(path));
		for (size_t i = shift; i + 4 < sizeof(path); i += 4)
			memcpy(path + i, "\xf0\x9f\x9a\x80", 4);
		path[sizeof(path) - 1] = '\0';
		(void)oe__error_at(&err, OE_ERR_IO, path, 1, 1, "x");
		ck_assert_ptr_null(strchr(err.where, '?'));
		ck_assert_uint_ge(strlen(err.where), OE_ERROR_WHERE_SIZE - 4);
	}
}
END_TEST

START_TEST(test_random_bytes)
{
	struct oe__rng rng;

	oe__rng_init(&rng, 1, "error", 0, 0);
	for (int round = 0; round < 20000; round++) {
		char text[400];
		size_t size = oe__rng_below(&rng, sizeof(text) - 1);
		oe_error err;

		for (size_t i = 0; i < size; i++) {
			uint64_t draw = oe__rng_next(&rng);
			text[i] = (char)(draw & 1 ? 0x80 | (draw >> 8 & 0x7f) : 1 + (draw >> 8) % 255);
		}
		text[size] = '\0';
		(void)oe__error_at(&err, OE_ERR_IO, text, 0, 0, "%s", text);
		ck_assert_uint_lt(strnlen(err.message, sizeof(err.message)), sizeof(err.message));
		ck_assert_uint_lt(strnlen(err.where, sizeof(err.where)), sizeof(err.where));
		ck_assert(oe__utf8_valid(err.message, strlen(err.message)));
		ck_assert(oe__utf8_valid(err.where, strlen(err.where)));
		for (const char *c = err.message; *c; c++)
			if ((unsigned char)*c < 0x20 || *c == 0x7f)
				ck_abort_msg("a control character: %02x", (unsigned char)*c);
		/* Nothing but what was cut off is lost: at most one character. */
		if (size < ROOM)
			ck_assert_uint_eq(strlen(err.message), size);
		else
			ck_assert_uint_ge(strlen(err.message) + 3, ROOM);
	}
}
END_TEST

START_TEST(test_errno)
{
	char path[600];
	oe_error err;

	errno = ENOENT;
	ck_assert_int_eq(oe__error_errno(&err, "cannot read '%s'", "x"), OE_ERR_IO);
	ck_assert_str_eq(err.message, "cannot read 'x': No such file or directory");
	errno = ENOMEM;
	ck_assert_int_eq(oe__error_errno(&err, "cannot map"), OE_ERR_NOMEM);
	ck_assert_int_eq(err.status, OE_ERR_NOMEM);
	/* The reason is what people need: a long path is cut before it. */
	for (size_t i = 0; i + 2 < sizeof(path); i += 2)
		memcpy(path + i, "\xc3\xb6", 3);
	errno = EACCES;
	ck_assert_int_eq(oe__error_errno(&err, "cannot read '%s'", path), OE_ERR_IO);
	ck_assert(oe__has_suffix(err.message, "\xc3\xb6: Permission denied"));
	ck_assert_uint_ge(strlen(err.message), ROOM - 1);
	ck_assert(oe__utf8_valid(err.message, strlen(err.message)));
}
END_TEST

TEST_MAIN("error", test_fields, test_nobody_listens, test_made_of_itself, test_printable,
		  test_cut_between_characters, test_long_places, test_random_bytes, test_errno)
