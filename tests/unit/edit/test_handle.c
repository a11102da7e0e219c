/* Edits as an embedder makes them: by a configuration. */

#include <string.h>

#include "openevolve/edit.h"
#include "test.h"

#define ANSWER                                                                                     \
	"<<<<<<< SEARCH\na\n=======\nb\n>>>>>>> REPLACE\n<<<<<<< SEARCH\nx\n=======\ny\n>>>>>>> "      \
	"REPLACE"

static oe_program *program(const char *code, const char *language)
{
	oe_program *made = NULL;

	ck_assert_int_eq(oe_program_new(code, strlen(code), language, &made), 0);
	return made;
}

static int status_of(const oe_config *config, oe_program *parent, int mode, const char *answer)
{
	oe_edit *edit = NULL;
	oe_error err;

	ck_assert_int_eq(
		oe_edit_new(config, parent, mode, answer, strlen(answer), OE_FINISH_STOP, &edit, &err), 0);
	int status = oe_edit_status(edit);
	oe_edit_free(edit);
	return status;
}

START_TEST(test_options_are_read)
{
	static const struct {
		const char *name, *value;
		int status;
	} cases[] = {
		{ "edit.unmatched", "apply_rest", OE_EDIT_STATUS_APPLIED },
		{ "edit.unmatched", "reject", OE_EDIT_STATUS_UNMATCHED },
		{ "edit.ambiguous", "reject", OE_EDIT_STATUS_AMBIGUOUS },
		{ "edit.evolve_blocks", "enforce", OE_EDIT_STATUS_VIOLATES_BLOCK },
		{ "edit.evolve_blocks", "warn", OE_EDIT_STATUS_APPLIED },
		{ "edit.evolve_blocks", "off", OE_EDIT_STATUS_APPLIED },
		{ "enforce_evolve_blocks", "true", OE_EDIT_STATUS_VIOLATES_BLOCK },
		{ "enforce_evolve_blocks", "false", OE_EDIT_STATUS_APPLIED },
		{ "max_code_length", "5", OE_EDIT_STATUS_TOO_LONG },
		{ "diff_pattern", "(never)(matches)", OE_EDIT_STATUS_NO_EDIT },
	};
	oe_program *parent = program("a\na\n# EVOLVE-BLOCK-START\n", "python");

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		oe_config *config = NULL;
		ck_assert_int_eq(oe_config_new(&config), 0);
		ck_assert_int_eq(oe_config_set(config, cases[i].name, cases[i].value, NULL), 0);
		ck_assert_msg(status_of(config, parent, OE_EDIT_DIFF, ANSWER) == cases[i].status, "%s: %s",
					  cases[i].name, cases[i].value);
		oe_config_free(config);
	}
	oe_program_unref(parent);
}
END_TEST

START_TEST(test_tolerance_is_an_option)
{
	oe_program *parent = program("  a  \n", "python");
	oe_config *config = NULL;

	ck_assert_int_eq(oe_config_new(&config), 0);
	ck_assert_int_eq(status_of(config, parent, OE_EDIT_DIFF, ANSWER),
					 OE_EDIT_STATUS_APPLIED_TOLERANT);
	ck_assert_int_eq(oe_config_set(config, "edit.tolerant", "false", NULL), 0);
	ck_assert_int_eq(status_of(config, parent, OE_EDIT_DIFF, ANSWER), OE_EDIT_STATUS_UNMATCHED);
	oe_config_free(config);
	oe_program_unref(parent);
}
END_TEST

START_TEST(test_language_chooses_the_fence)
{
	static const char answer[] = "```sh\nls\n```\n```rs\nfn a() {}\n```";
	oe_program *parent = program("fn b() {}\n", "rust");
	oe_program *unknown = program("fn b() {}\n", NULL);
	oe_config *config = NULL;
	oe_edit *edit = NULL;

	ck_assert_int_eq(oe_edit_new(NULL, parent, OE_EDIT_REWRITE, answer, strlen(answer),
								 OE_FINISH_OTHER, &edit, NULL),
					 0);
	ck_assert_str_eq(oe_edit_code(edit).data, "fn a() {}");
	ck_assert_str_eq(oe_edit_summary(edit), "Full rewrite");
	ck_assert_uint_eq(oe_edit_block_count(edit), 0);
	oe_edit_free(edit);

	ck_assert_int_eq(oe_config_new(&config), 0);
	ck_assert_int_eq(oe_config_set(config, "language", "rust", NULL), 0);
	ck_assert_int_eq(oe_edit_new(config, unknown, OE_EDIT_REWRITE, answer, strlen(answer),
								 OE_FINISH_OTHER, &edit, NULL),
					 0);
	ck_assert_str_eq(oe_edit_code(edit).data, "fn a() {}");
	oe_edit_free(edit);
	oe_config_free(config);
	oe_program_unref(parent);
	oe_program_unref(unknown);
}
END_TEST

START_TEST(test_arguments)
{
	oe_program *parent = program("a\n", NULL);
	oe_edit *edit = NULL;
	oe_error err;

	ck_assert_int_eq(oe_edit_new(NULL, NULL, OE_EDIT_DIFF, "", 0, 0, &edit, &err), OE_ERR_INVALID);
	ck_assert_int_eq(oe_edit_new(NULL, parent, 7, "", 0, 0, &edit, &err), OE_ERR_INVALID);
	ck_assert_int_eq(oe_edit_new(NULL, parent, OE_EDIT_DIFF, NULL, 1, 0, &edit, &err),
					 OE_ERR_INVALID);
	ck_assert_ptr_null(edit);
	ck_assert_int_eq(oe_edit_new(NULL, parent, OE_EDIT_DIFF, NULL, 0, 0, &edit, &err), 0);
	ck_assert_int_eq(oe_edit_outcome(edit), OE_OUTCOME_NO_EDIT);
	oe_edit_free(edit);
	oe_edit_free(NULL);
	oe_diff_free(NULL);
	oe_program_unref(parent);
	ck_assert_str_eq(oe_edit_status_name(-1), "unknown");
	ck_assert_str_eq(oe_edit_status_name(OE_EDIT_STATUS_VIOLATES_BLOCK), "violates_evolve_block");
}
END_TEST

TEST_MAIN("handle", test_options_are_read, test_tolerance_is_an_option,
		  test_language_chooses_the_fence, test_arguments)
