/* lib/base/common.c: every status has words of its own. */

#include <string.h>

#include "openevolve/common.h"
#include "test.h"

START_TEST(test_status_strings)
{
	static const char unknown[] = "unknown failure";

	for (int status = OE_ERR_SANDBOX; status <= 0; status++) {
		const char *text = oe_status_string(status);
		ck_assert_str_ne(text, "");
		ck_assert_str_ne(text, unknown);
		for (int other = OE_ERR_SANDBOX; other < status; other++)
			ck_assert_str_ne(text, oe_status_string(other));
	}
	ck_assert_str_eq(oe_status_string(OE_ERR_SANDBOX - 1), unknown);
	ck_assert_str_eq(oe_status_string(INT32_MIN), unknown);
	ck_assert_str_eq(oe_status_string(1), oe_status_string(0));
	ck_assert_str_eq(oe_status_string(INT32_MAX), oe_status_string(0));
}
END_TEST

START_TEST(test_version)
{
	ck_assert_uint_eq(oe_version(), OE_VERSION);
}
END_TEST

TEST_MAIN("common", test_status_strings, test_version)
