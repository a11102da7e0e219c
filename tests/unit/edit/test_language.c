/* Names of languages and how programs are recognised. */

#include "edit/guess.h"

#include <string.h>

#include "test.h"
#include "openevolve/edit.h"
#include "program/language.h"

static bool named(const char *language, const char *word)
{
	return oe__language_named(language, (oe_bytes){ word, strlen(word) });
}

START_TEST(test_aliases)
{
	ck_assert(named("python", "py"));
	ck_assert(named("py", "Python3"));
	ck_assert(named("cpp", "c++"));
	ck_assert(named("c++", "cpp"));
	ck_assert(named("R", "r"));
	ck_assert(named("brainfuck", "Brainfuck"));
	ck_assert(!named("c", "cpp"));
	ck_assert(!named("r", "rust"));
	ck_assert(!named("python", "pythonx"));
	ck_assert(!named("python", ""));
	ck_assert(!named("", ""));
	ck_assert(!named(NULL, "py"));
	ck_assert(!named("unknown", "python"));
}
END_TEST

/* What extract_code_language() of the original says. */
START_TEST(test_guess_from_code)
{
	static const struct {
		const char *code, *language;
	} cases[] = {
		{ "import math\n", "python" },
		{ "\n\nclass A {\n", "python" },
		{ "import", "unknown" },
		{ "import\n", "python" },
		{ " import math\n", "unknown" },
		{ "package main\n", "java" },
		{ "public class A {}\n", "java" },
		{ "import java.util.*;\n", "python" },
		{ "#include <x>\nint main() {}\n", "cpp" },
		{ "let x = 1\n", "javascript" },
		{ "console.log(1)", "javascript" },
		{ "consolexlog(1)", "unknown" },
		{ "fn main() {}\n", "rust" },
		{ "constant <- 1\n", "javascript" },
		{ "SELECT 1\n", "sql" },
		{ "fn a() {}\ndef b(): pass\n", "python" },
		{ "Be brief.\n", "unknown" },
		{ "", "unknown" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ck_assert_str_eq(oe_language_guess(NULL, cases[i].code, strlen(cases[i].code)),
						 cases[i].language);
	ck_assert_str_eq(oe_language_guess(NULL, NULL, 0), "unknown");
}
END_TEST

START_TEST(test_extension_comes_first)
{
	static const char code[] = "import java.util.*;\n";
	static const struct {
		const char *path, *language;
	} cases[] = {
		{ "a.py", "python" },     { "dir.py/a.R", "r" }, { "/x/y.rs", "rust" },
		{ "a.cpp", "cpp" },       { "a.c", "c" },        { "a.JS", "javascript" },
		{ "prompt.txt", "text" }, { "a.go", "go" },      { "a.strange", "python" },
		{ "Makefile", "python" }, { "a.", "python" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ck_assert_str_eq(oe_language_guess(cases[i].path, code, sizeof(code) - 1),
						 cases[i].language);
}
END_TEST

TEST_MAIN("language", test_aliases, test_guess_from_code, test_extension_comes_first)
