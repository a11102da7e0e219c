#ifndef OE_TEST_H
#define OE_TEST_H

/*
 * Check, with a main() in one line:  TEST_MAIN("map", test_put_get, test_remove)
 * Tests are written with START_TEST/END_TEST; assertions print both values.
 */

#include <check.h>
#include <stdlib.h>

/* What is waited for comes at once, or never: a limit ends what hangs, on the slowest machine there is. */
#define TEST_PATIENCE_S  200
#define TEST_PATIENCE_MS (TEST_PATIENCE_S * 1000)

static inline int test_run(const char *name, const TTest *const *tests, size_t count)
{
	Suite *suite = suite_create(name);
	TCase *tcase = tcase_create(name);

	tcase_set_timeout(tcase, 2 * TEST_PATIENCE_S);
	for (size_t i = 0; i < count; i++)
		tcase_add_test(tcase, tests[i]);
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#define TEST_MAIN(name, ...)                                                                       \
	int main(void)                                                                                 \
	{                                                                                              \
		const TTest *const tests[] = { __VA_ARGS__ };                                              \
		return test_run(name, tests, sizeof(tests) / sizeof(tests[0]));                            \
	}

#endif /* OE_TEST_H */
