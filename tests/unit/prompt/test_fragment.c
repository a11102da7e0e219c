/* lib/prompt/fragment.c: the short texts between the templates, ours and other people's. */

#include "desk.h"

static struct oe__catalog catalog;
static struct oe__fragments fragments;

static void begin(const char *key, const char *text)
{
	catalog = (struct oe__catalog)OE__CATALOG_INIT;
	ck_assert_int_eq(oe__catalog_add_builtin(&catalog, NULL), 0);
	if (key)
		ck_assert_int_eq(oe__catalog_put_fragment(&catalog, key, text, strlen(text), "own"), 0);
	ck_assert_int_eq(oe__fragments_compile(&fragments, &catalog), 0);
}

static void end(void)
{
	oe__fragments_done(&fragments);
	oe__catalog_done(&catalog);
}

static void expect(enum oe__fragment which, const struct oe__argument *arguments, const char *wanted)
{
	OE__AUTO(buffer) struct oe__buffer out = OE__BUFFER_INIT(0);
	oe_error err = { 0 };

	oe__buffer_text(&out, ">");
	ck_assert_msg(oe__fragment_append(&fragments, which, arguments, &out, &err) == 0, "%s",
				  err.message);
	ck_assert_str_eq(out.data + 1, wanted);
}

struct warnings {
	int count;
	char last[512];
};

static int warn(void *self, const char *sentence)
{
	struct warnings *warnings = self;

	warnings->count++;
	snprintf(warnings->last, sizeof(warnings->last), "%s", sentence);
	return 0;
}

/* Every built-in fragment is there, well formed, and has no place that nothing fills. */
START_TEST(test_builtin)
{
	struct warnings warnings = { 0 };
	oe_error err = { 0 };

	begin(NULL, NULL);
	for (size_t i = 0; i < OE__FRAGMENT_COUNT; i++)
		ck_assert_msg(fragments.compiled[i], "fragment %zu", i);
	ck_assert_msg(oe__fragments_check(&fragments, warn, &warnings, &err) == 0, "%s", err.message);
	ck_assert_int_eq(warnings.count, 0);
	end();
}
END_TEST

START_TEST(test_filled)
{
	const struct oe__argument change[] = { oe__argument_real(1), oe__argument_real(2.5) };
	const struct oe__argument features = oe__argument_text("a=1", 3);
	const struct oe__argument size = oe__argument_int(12345);

	begin("fitness_improved", "{{{prev:.2f}}} -> {current:>8.1f}");
	expect(OE__FRAGMENT_FITNESS_IMPROVED, change, "{1.00} ->      2.5");
	end();
	begin("exploring_region", "{features!r} {features:5}|");
	expect(OE__FRAGMENT_EXPLORING_REGION, &features, "'a=1' a=1  |");
	end();
	begin("excerpt_gap", "{size:,}");
	expect(OE__FRAGMENT_GAP, &size, "12,345");
	end();
	begin("artifact_title", "");
	expect(OE__FRAGMENT_ARTIFACT_TITLE, NULL, "");
	end();
}
END_TEST

/* As OpenEvolve shows it, with a warning beforehand. */
START_TEST(test_unknown_place)
{
	const struct oe__argument change[] = { oe__argument_real(1), oe__argument_real(2.5) };
	struct warnings warnings = { 0 };

	begin("fitness_improved", "from {prev} to {nowhere}");
	expect(OE__FRAGMENT_FITNESS_IMPROVED, change, "[Fragment formatting error: 'nowhere']");
	ck_assert_int_eq(oe__fragments_check(&fragments, warn, &warnings, NULL), 0);
	ck_assert_int_eq(warnings.count, 1);
	ck_assert_ptr_nonnull(strstr(warnings.last, "fitness_improved"));
	ck_assert_ptr_nonnull(strstr(warnings.last, "nowhere"));
	end();
}
END_TEST

/* Malformed, or with a specification that does not suit: said when the set is checked. */
START_TEST(test_malformed)
{
	static const char *const texts[] = { "{prev", "prev}", "{prev:.2d}", "{prev[0]}", "{prev.real", "{!}" };
	const struct oe__argument change[] = { oe__argument_real(1), oe__argument_real(2.5) };

	for (size_t i = 0; i < OE__COUNT(texts); i++) {
		OE__AUTO(buffer) struct oe__buffer out = OE__BUFFER_INIT(0);
		struct warnings warnings = { 0 };
		oe_error err = { 0 };
		begin("fitness_improved", texts[i]);
		ck_assert_msg(oe__fragments_check(&fragments, warn, &warnings, &err) == OE_ERR_CONFIG, "%s",
					  texts[i]);
		ck_assert_msg(strstr(err.where, "fitness_improved"), "%s", err.where);
		ck_assert_int_eq(
			oe__fragment_append(&fragments, OE__FRAGMENT_FITNESS_IMPROVED, change, &out, &err),
			OE_ERR_CONFIG);
		end();
	}
}
END_TEST

/* Without the built-in ones: OpenEvolve names those that are missing, of ours nothing is said. */
START_TEST(test_absent)
{
	catalog = (struct oe__catalog)OE__CATALOG_INIT;
	ck_assert_int_eq(oe__fragments_compile(&fragments, &catalog), 0);
	expect(OE__FRAGMENT_NO_GUIDANCE, NULL, "[Missing fragment: no_specific_guidance]");
	expect(OE__FRAGMENT_OURS, NULL, "");
	ck_assert_int_eq(oe__fragments_check(&fragments, warn, NULL, NULL), 0);
	end();
}
END_TEST

TEST_MAIN("fragment", test_builtin, test_filled, test_unknown_place, test_malformed, test_absent)
