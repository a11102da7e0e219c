/* lib/llm/tokens.c: what of a program may be changed, in many languages. */

#include <string.h>

#include "base/buffer.h"
#include "base/rng.h"
#include "edit/evolve_block.h"
#include "llm/tokens.h"
#include "tests/test.h"

/* All numbers, operators and lines that are not blank, one after the other. */
static void list(const char *text, struct oe__buffer *numbers, struct oe__buffer *operators,
				 struct oe__buffer *lines)
{
	OE__AUTO(tokens) struct oe__tokens tokens = { 0 };

	ck_assert_int_eq(oe__tokens_scan(text, strlen(text), &tokens), 0);
	for (size_t i = 0; i < tokens.literal_count; i++) {
		oe__buffer_append(numbers, text + tokens.literals[i].start, tokens.literals[i].size);
		oe__buffer_text(numbers, tokens.literals[i].integer ? "i " : " ");
	}
	for (size_t i = 0; i < tokens.operator_count; i++) {
		oe__buffer_append(operators, text + tokens.operators[i].start, tokens.operators[i].size);
		oe__buffer_char(operators, ' ');
	}
	for (size_t i = 0; i < tokens.line_count; i++) {
		if (tokens.lines[i].blank)
			continue;
		oe__buffer_append(lines, text + tokens.lines[i].start, tokens.lines[i].size);
		oe__buffer_char(lines, '|');
	}
}

static const struct {
	const char *text, *numbers, *operators;
} cases[] = {
	{ "", "", "" },
	{ "x = 1", "1i ", "" },
	{ "x = 1.50 + y", "1.50 ", "+ " },
	{ "f(1e3, 2E-4, 3., .5, 6.0e+1)", "1e3 2E-4 3i 5i 6.0e+1 ", "" },
	/* A sign where no value stands before it. */
	{ "x = -1", "-1i ", "" },
	{ "f(-1, -2.5)", "-1i -2.5 ", "" },
	{ "a[:-1]", "-1i ", "" },
	{ "x - 1", "1i ", "- " },
	{ "x -1", "1i ", "" },
	{ "x-1", "1i ", "" },
	{ "return -1", "-1i ", "" },
	{ "\treturn -1.5;", "-1.5 ", "" },
	{ "myreturn -1", "1i ", "" },
	{ "x = 2 * -3", "2i -3i ", "* " },
	/* Parts of words are none, nor are other spellings. */
	{ "x1 = a2b + 0x10 + 1_000 + 3rd + 10u", "", "+ + + + " },
	{ "caf\xc3\xa9" "1 = 2", "2i ", "" },
	/* Operators stand alone. */
	{ "a <= b >= c < d > e", "", "<= >= < > " },
	{ "a += b ** c -> d - -e", "", "- " },
	{ "i++; --j", "", "" },
	{ "a*b", "", "" },
	/* Strings and comments, to the end when in doubt. */
	{ "s = \"1 + 2\" + '3' + `4` + 5", "5i ", "+ + + " },
	{ "s = \"1 \\\" 2\" + 3", "3i ", "+ " },
	{ "s = 'unclosed 1 + 2", "", "" },
	{ "x = 1 # 2 + 3", "1i ", "" },
	{ "x = 1 // 2 + 3", "1i ", "" },
	{ "x = 1 -- 2", "1i ", "" },
	{ "x = 1 /* 2 */ + 3", "1i ", "" },
	{ "/* 1\n * 2\n 3 */\nx = 4", "4i ", "" },
	{ "x = 1 /* 2\n3 */ y = 4\nz = 5", "1i 5i ", "" },
	{ "\"\"\"1\n2\n\"\"\"\nx = 3", "3i ", "" },
	{ "x = '''\n1 ''' + 2\ny = 3", "3i ", "" },
	{ "\"\"\"doc 1\"\"\"\nx = 2", "2i ", "" },
	{ "#include <x1>\n#define N 3\nint a = 4;", "4i ", "" },
};

START_TEST(test_lines_of_all_kinds)
{
	for (size_t i = 0; i < OE__COUNT(cases); i++) {
		OE__AUTO(buffer) struct oe__buffer numbers = OE__BUFFER_INIT(0);
		OE__AUTO(buffer) struct oe__buffer operators = OE__BUFFER_INIT(0);
		OE__AUTO(buffer) struct oe__buffer lines = OE__BUFFER_INIT(0);

		list(cases[i].text, &numbers, &operators, &lines);
		ck_assert_msg(strcmp(oe__buffer_string(&numbers), cases[i].numbers) == 0,
					  "%s: numbers %s", cases[i].text, oe__buffer_string(&numbers));
		ck_assert_msg(strcmp(oe__buffer_string(&operators), cases[i].operators) == 0,
					  "%s: operators %s", cases[i].text, oe__buffer_string(&operators));
	}
}
END_TEST

START_TEST(test_values)
{
	OE__AUTO(tokens) struct oe__tokens tokens = { 0 };
	static const char text[] = "f(-2.50, 7, 1e-3, 0.125)";
	static const double values[] = { -2.5, 7, 1e-3, 0.125 };
	static const int decimals[] = { 2, 0, 0, 3 };

	ck_assert_int_eq(oe__tokens_scan(text, strlen(text), &tokens), 0);
	ck_assert_uint_eq(tokens.literal_count, 4);
	for (size_t i = 0; i < 4; i++) {
		ck_assert_double_eq(tokens.literals[i].value, values[i]);
		ck_assert_int_eq(tokens.literals[i].decimals, decimals[i]);
		ck_assert(tokens.literals[i].integer == (i == 1));
	}
}
END_TEST

START_TEST(test_lines)
{
	OE__AUTO(tokens) struct oe__tokens tokens = { 0 };
	static const char text[] = "a\n\n  \t b\n # c\n\td";
	static const int indents[] = { 0, 0, 4, 1, 1 };
	static const bool blank[] = { false, true, false, true, false };

	ck_assert_int_eq(oe__tokens_scan(text, strlen(text), &tokens), 0);
	ck_assert_uint_eq(tokens.line_count, 5);
	for (size_t i = 0; i < 5; i++) {
		ck_assert_int_eq(tokens.lines[i].indent, indents[i]);
		ck_assert(tokens.lines[i].blank == blank[i]);
	}
}
END_TEST

/* Whatever comment the markers are in. */
START_TEST(test_markers)
{
	static const char *const comments[][2] = {
		{ "# ", "" },	 { "// ", "" },	  { "-- ", "" }, { "; ", "" },	{ "% ", "" },
		{ "/* ", " */" }, { "<!-- ", " -->" }, { "(* ", " *)" }, { "! ", "" }, { "' ", "" },
		{ "{- ", " -}" }, { "REM ", "" },
	};

	for (size_t i = 0; i < OE__COUNT(comments); i++) {
		OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0), lines = OE__BUFFER_INIT(0);
		OE__AUTO(buffer) struct oe__buffer numbers = OE__BUFFER_INIT(0), none = OE__BUFFER_INIT(0);
		const char *open = comments[i][0], *close = comments[i][1];

		oe__buffer_printf(&text, "a = 1\n  %sEVOLVE-BLOCK-START%s\nb = 2\n%sEVOLVE-BLOCK-END%s\n", open,
						  close, open, close);
		oe__buffer_printf(&text, "c = 3\n%sEVOLVE-BLOCK-START 9%s\nd = 4\n", open, close);
		list(text.data, &numbers, &none, &lines);
		ck_assert_str_eq(oe__buffer_string(&numbers), "2i 4i ");
		ck_assert_str_eq(oe__buffer_string(&lines), "b = 2|d = 4|");
	}
}
END_TEST

static void check_inside(const struct oe__evolve_blocks *blocks, size_t start, size_t size)
{
	for (size_t i = 0; i < blocks->count; i++) {
		const struct oe__evolve_block *block = &blocks->items[i];
		if (start >= block->offset && start + size <= block->offset + block->size)
			return;
	}
	ck_abort_msg("%zu bytes from %zu on lie in no block", size, start);
}

/* Any text: what is found lies in it, in order and apart, and inside of the blocks that an edit may
   change. */
START_TEST(test_random)
{
	static const char *const pieces[] = {
		"1", "-2.5", " ", " + ", "\n", "\t", "x", "\"", "'", "`", "#", "/*", "*/", "//", "\"\"\"",
		"\\", "\r\n", "e5", ".", "(", "EVOLVE-BLOCK-START", "# EVOLVE-BLOCK-END\n", "\xc3\xa9", "<= ",
		"\n# EVOLVE-BLOCK-START\n"
	};
	struct oe__rng rng;

	oe__rng_init(&rng, 7, "test", 0, 0);
	for (int round = 0; round < 20000; round++) {
		OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);
		OE__AUTO(tokens) struct oe__tokens tokens = { 0 };
		OE__AUTO(evolve_blocks) struct oe__evolve_blocks blocks = { 0 };
		size_t count = oe__rng_below(&rng, 25), end = 0;

		for (size_t i = 0; i < count; i++)
			oe__buffer_text(&text, pieces[oe__rng_below(&rng, OE__COUNT(pieces))]);
		oe_bytes code = { oe__buffer_string(&text), text.size };
		ck_assert_int_eq(oe__tokens_scan(code.data, code.size, &tokens), 0);
		ck_assert_int_eq(oe__evolve_blocks_list(code, &blocks), 0);
		bool marked = oe__evolve_blocks_any(code);
		for (size_t i = 0; i < tokens.literal_count; i++) {
			const struct oe__literal *literal = &tokens.literals[i];
			ck_assert_uint_ge(literal->start, end);
			end = literal->start + literal->size;
			ck_assert_uint_le(end, text.size);
			if (marked)
				check_inside(&blocks, literal->start, literal->size);
		}
		end = 0;
		for (size_t i = 0; i < tokens.operator_count; i++) {
			ck_assert_uint_ge(tokens.operators[i].start, end);
			end = tokens.operators[i].start + tokens.operators[i].size;
			ck_assert_uint_le(end, text.size);
		}
		for (size_t i = 0; i < tokens.line_count; i++) {
			ck_assert_uint_le(tokens.lines[i].start + tokens.lines[i].size, text.size);
			ck_assert_uint_le((size_t)tokens.lines[i].indent, tokens.lines[i].size);
			if (marked)
				check_inside(&blocks, tokens.lines[i].start, tokens.lines[i].size);
		}
	}
}
END_TEST

TEST_MAIN("tokens", test_lines_of_all_kinds, test_values, test_lines, test_markers, test_random)
