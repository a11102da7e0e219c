/*
 * lib/base/locale.c: a host that has set its own locale changes no number that we write or read. The
 * locale is Pashto's, whose decimal point is not even one byte; without its sources this is skipped.
 */

#include "base/locale.h"

#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "test.h"

#define SKIPPED 77 /* as meson understands it */

static char directory[] = "/tmp/oe-locale-XXXXXX";

static const double values[] = { 0.5, -1.25, 1e-7, 1.7976931348623157e308, 123456.789, 5e-324, 3 };

START_TEST(test_host_writes_otherwise)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%.2f", 0.5);
	ck_assert_str_ne(text, "0.50");
}
END_TEST

START_TEST(test_formatting)
{
	static const char *const wanted[] = { "0.5", "-1.25", "1e-07", "1.7976931348623157e+308",
										  "123456.789", "5e-324", "3.0" };

	for (size_t i = 0; i < OE__COUNT(values); i++) {
		OE__AUTO(buffer) struct oe__buffer fixed = OE__BUFFER_INIT(0);
		char text[OE__REAL_TEXT_MAX];
		double back = 0;
		size_t size = oe__format_real(values[i], text);
		ck_assert_str_eq(text, wanted[i]);
		ck_assert(oe__parse_real(text, size, &back));
		ck_assert_double_eq(back, values[i]);
		/* More decimals than the short way of oe__append_fixed() knows. */
		ck_assert_int_eq(oe__append_fixed(&fixed, values[i], 12), 0);
		ck_assert_ptr_nonnull(strchr(fixed.data, '.'));
		ck_assert(oe__parse_real(fixed.data, fixed.size, &back));
	}
}
END_TEST

START_TEST(test_printf)
{
	OE__AUTO(buffer) struct oe__buffer out = OE__BUFFER_INIT(0);
	oe_error err;

	ck_assert_int_eq(oe__buffer_printf(&out, "%.1f %g %.2e", 2.5, 0.25, 1500.0), 0);
	ck_assert_str_eq(out.data, "2.5 0.25 1.50e+03");
	(void)oe__error(&err, OE_ERR_TIMEOUT, "no answer within %.6g s", 1.5);
	ck_assert_str_eq(err.message, "no answer within 1.5 s");
}
END_TEST

START_TEST(test_json)
{
	OE__AUTO(buffer) struct oe__buffer out = OE__BUFFER_INIT(0);
	OE__AUTO(value) struct oe__value value = { 0 };
	struct oe__json_writer writer = { .out = &out };
	oe_error err;

	oe__json_list(&writer);
	for (size_t i = 0; i < OE__COUNT(values); i++)
		oe__json_real(&writer, values[i]);
	oe__json_list_end(&writer);
	ck_assert_msg(oe__json_parse(out.data, out.size, &value, &err) == 0, "%s", err.message);
	for (size_t i = 0; i < OE__COUNT(values); i++)
		ck_assert_double_eq(value.items[i].real, values[i]);
}
END_TEST

/* What we switch is switched back. */
START_TEST(test_host_keeps_its_locale)
{
	locale_t before = uselocale((locale_t)0);
	char text[32], after[32];

	(void)snprintf(text, sizeof(text), "%.2f", 0.5);
	{
		OE__LOCALE_PLAIN();
		(void)snprintf(after, sizeof(after), "%.2f", 0.5);
		ck_assert_str_eq(after, "0.50");
	}
	ck_assert(uselocale((locale_t)0) == before);
	(void)snprintf(after, sizeof(after), "%.2f", 0.5);
	ck_assert_str_eq(after, text);
}
END_TEST

static bool set_foreign_locale(void)
{
	char path[sizeof(directory) + 16];
	char *arguments[] = { "localedef", "-i", "ps_AF", "-f", "UTF-8", path, NULL };
	pid_t child;
	int status = -1;

	if (!mkdtemp(directory))
		return false;
	(void)snprintf(path, sizeof(path), "%s/ps_AF.UTF-8", directory);
	if (posix_spawnp(&child, arguments[0], NULL, NULL, arguments, NULL) != 0 ||
		waitpid(child, &status, 0) < 0)
		return false;
	setenv("LOCPATH", directory, 1);
	return setlocale(LC_ALL, "ps_AF.UTF-8") != NULL;
}

int main(void)
{
	const TTest *const tests[] = { test_host_writes_otherwise, test_formatting, test_printf, test_json,
								   test_host_keeps_its_locale };
	int result = SKIPPED;

	if (set_foreign_locale())
		result = test_run("locale", tests, OE__COUNT(tests));
	else
		printf("SKIPPED: there are no sources of a foreign locale here\n");
	(void)oe__directory_remove(directory, NULL);
	return result;
}
