/* lib/llm/patch.c: whatever is replaced, the answer that says so does the same when it is applied. */

#include <string.h>

#include "base/alloc.h"
#include "base/rng.h"
#include "base/text.h"
#include "edit/edit.h"
#include "llm/patch.h"
#include "tests/test.h"

/* Blanks at the end of a line, which no mutation is about, and sections lose at their ends. */
static bool has_trailing_blanks(const char *text)
{
	for (const char *c = text; *c; c++)
		if (*c != '\n' && oe__is_space(*c) && (!c[1] || c[1] == '\n'))
			return true;
	return false;
}

static void append_without_blanks(struct oe__buffer *out, const char *text)
{
	const char *cursor = text;
	struct oe__line line;

	while (oe__line_next(&cursor, text + strlen(text), &line)) {
		while (line.size > 0 && oe__is_space(line.text[line.size - 1]))
			line.size--;
		oe__buffer_append(out, line.text, line.size);
		oe__buffer_char(out, '\n');
	}
	/* nor do blank lines at the very end count */
	while (out->size > 0 && out->data[out->size - 1] == '\n')
		oe__buffer_truncate(out, out->size - 1);
}

static void check_read(const char *text, const struct oe__buffer *answer, const char *wanted,
					   bool tolerant)
{
	OE__AUTO(edit_rules) struct oe__edit_rules *rules = NULL;
	OE__AUTO(edit) oe_edit *edit = NULL;
	struct oe__edit_options options = OE__EDIT_OPTIONS_INIT;
	OE__AUTO(buffer) struct oe__buffer plain = OE__BUFFER_INIT(0), plain_wanted = OE__BUFFER_INIT(0);
	bool blanks = has_trailing_blanks(text) || has_trailing_blanks(wanted);

	options.tolerant = tolerant;
	options.reject_ambiguous = options.reject_unmatched = true;
	ck_assert_int_eq(oe__edit_rules_new(&options, &rules, NULL), 0);
	ck_assert_int_eq(oe__edit_apply(rules, (oe_bytes){ text, strlen(text) },
									(oe_bytes){ oe__buffer_string(answer), answer->size },
									OE_FINISH_STOP, &edit, NULL),
					 0);
	append_without_blanks(&plain, edit->code.data ? edit->code.data : text);
	append_without_blanks(&plain_wanted, wanted);
	if (edit->status != OE_EDIT_STATUS_APPLIED && !blanks)
		ck_assert_msg(strcmp(text, wanted) == 0, "%s: %s\n---- text:\n%s\n---- answer:\n%s",
					  oe_edit_status_name(edit->status), oe_edit_message(edit), text, answer->data);
	if (tolerant || !blanks)
		ck_assert_msg(strcmp(oe__buffer_string(&plain), oe__buffer_string(&plain_wanted)) == 0,
					  "---- text:\n%s\n---- answer:\n%s\n---- made:\n%s", text, answer->data,
					  plain.data);
}

/* Does the answer turn the old text into the new one, read as OpenEvolve does and as we do? */
static void check_answer(const char *text, const struct oe__patch *patch)
{
	OE__AUTO(buffer) struct oe__buffer applied = OE__BUFFER_INIT(0), answer = OE__BUFFER_INIT(0);
	size_t size = strlen(text);

	ck_assert_int_eq(oe__patch_apply(patch, text, size, &applied), 0);
	ck_assert_int_eq(oe__patch_write(patch, text, size, &answer), 0);
	check_read(text, &answer, oe__buffer_string(&applied), true);
	check_read(text, &answer, oe__buffer_string(&applied), false);
}

static int add(struct oe__patch *patch, size_t start, size_t size, const char *text)
{
	int status = oe__patch_add(patch, start, size, text);

	ck_assert_int_ge(status, 0);
	return status;
}

START_TEST(test_add)
{
	OE__AUTO(patch) struct oe__patch patch = { 0 };
	OE__AUTO(buffer) struct oe__buffer out = OE__BUFFER_INIT(0);

	ck_assert_int_eq(add(&patch, 4, 2, "EF"), 1);
	ck_assert_int_eq(add(&patch, 0, 1, ""), 1); /* before it */
	ck_assert_int_eq(add(&patch, 6, 1, "GGG"), 1); /* right behind it */
	ck_assert_int_eq(add(&patch, 2, 2, "CD"), 1); /* right before it */
	ck_assert_int_eq(add(&patch, 5, 1, "x"), 0);
	ck_assert_int_eq(add(&patch, 0, 8, "x"), 0);
	ck_assert_int_eq(add(&patch, 3, 1, "x"), 0);
	ck_assert_uint_eq(patch.count, 4);
	ck_assert_int_eq(oe__patch_apply(&patch, "abcdefgh", 8, &out), 0);
	ck_assert_str_eq(out.data, "bCDEFGGGh");
}
END_TEST

/* A change at `what`, the n-th time that it stands there. */
static void change(struct oe__patch *patch, const char *text, const char *what, int which,
				   const char *with)
{
	const char *at = strstr(text, what);

	for (int i = 0; i < which; i++)
		at = strstr(at + 1, what);
	ck_assert_int_eq(add(patch, (size_t)(at - text), strlen(what), with), 1);
}

START_TEST(test_cases)
{
	static const struct {
		const char *text;
		struct {
			const char *what;
			int which;
			const char *with;
		} changes[3];
	} cases[] = {
		{ "x = 1\n", { { "1", 0, "2" } } },
		{ "x = 1", { { "1", 0, "2" } } },
		/* One of many that are alike. */
		{ "x = 1\nx = 1\nx = 1\n", { { "1", 1, "2" } } },
		{ "a\nx = 1\nb\nx = 1\nc\nx = 1\n", { { "1", 2, "2" } } },
		{ "{\n  1\n}\n\n\n{\n  1\n}\n", { { "1", 1, "2" } } },
		/* Change places. */
		{ "x = 1\nx = 2\n", { { "1", 0, "2" }, { "2", 0, "1" } } },
		{ "x = 1\n\ny\n\nx = 2\n", { { "1", 0, "2" }, { "2", 0, "1" } } },
		{ "x = 1\nu\nv\nw\ny\nz\nx = 2\n", { { "x = 1", 0, "x = 2" }, { "x = 2", 0, "x = 1" } } },
		{ "aa\nb\nc\nd\nab\n", { { "aa", 0, "ab" }, { "ab", 0, "aa" } } },
		/* A whole line less; one more; beside blank lines. */
		{ "a\nb\nc\n", { { "b\n", 0, "" } } },
		{ "a\n\nb\n\nc\n", { { "b\n", 0, "" } } },
		{ "a\nb\n\n\n", { { "b", 0, "b\nb" } } },
		{ "\n\na\n", { { "a", 0, "b" } } },
		/* Three that need ever more around them. */
		{ "x\np\nq\nx\np\nq\nx\np\nq\nx\np\nr\n",
		  { { "q", 0, "1" }, { "q", 1, "2" }, { "q", 2, "3" } } },
		/* White space at the ends. */
		{ "  x = 1 \n  y\n", { { "1", 0, "2" } } },
		{ "\tx = 1\n\tx = 1 \n\tx = 1\t\n", { { "1", 1, "2" } } },
		{ "x = 1\r\ny = 1\r\n", { { "1", 1, "2" } } },
		{ "x = 1\r\nx = 1\r\n", { { "1", 1, "2" } } },
	};

	for (size_t i = 0; i < OE__COUNT(cases); i++) {
		OE__AUTO(patch) struct oe__patch patch = { 0 };
		for (size_t c = 0; c < 3 && cases[i].changes[c].what; c++)
			change(&patch, cases[i].text, cases[i].changes[c].what, cases[i].changes[c].which,
				   cases[i].changes[c].with);
		check_answer(cases[i].text, &patch);
	}
}
END_TEST

/* Texts of few different lines, so that hardly any stands in one place only. */
static void random_text(struct oe__rng *rng, struct oe__buffer *out)
{
	static const char *const lines[] = { "x = 1", "x = 2", "  x = 1", "}", "", "y = x", "  \t" };
	size_t kinds = 1 + oe__rng_below(rng, OE__COUNT(lines)), count = 1 + oe__rng_below(rng, 14);

	for (size_t i = 0; i < count; i++) {
		oe__buffer_text(out, lines[oe__rng_below(rng, kinds)]);
		if (i + 1 < count || oe__rng_below(rng, 4) > 0)
			oe__buffer_text(out, "\n");
	}
}

/* Inside of a line that is not blank: what the mutation operator changes. */
static void random_change(struct oe__rng *rng, const struct oe__buffer *text,
						  struct oe__patch *patch)
{
	static const char *const texts[] = { "1", "2", "x = 1", "z", "1\n1" };
	size_t at = oe__rng_below(rng, text->size), size = 1;

	if (oe__is_space(text->data[at]))
		return;
	switch (oe__rng_below(rng, 3)) {
	case 0: /* the line, with its end */
		while (at > 0 && text->data[at - 1] != '\n')
			at--;
		while (at + size < text->size && text->data[at + size - 1] != '\n')
			size++;
		if (text->data[at + size - 1] == '\n' && at + size < text->size)
			add(patch, at, size, "");
		break;
	case 1: /* up to its end */
		while (at + size < text->size && text->data[at + size] != '\n')
			size++;
		add(patch, at, size, texts[oe__rng_below(rng, OE__COUNT(texts))]);
		break;
	default:
		add(patch, at, size, texts[oe__rng_below(rng, OE__COUNT(texts))]);
	}
}

START_TEST(test_random)
{
	struct oe__rng rng;

	oe__rng_init(&rng, 5, "test", 0, 0);
	for (int round = 0; round < 20000; round++) {
		OE__AUTO(patch) struct oe__patch patch = { 0 };
		OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);
		size_t count = 1 + oe__rng_below(&rng, 5);

		random_text(&rng, &text);
		for (size_t i = 0; i < count && text.size > 0; i++)
			random_change(&rng, &text, &patch);
		check_answer(oe__buffer_string(&text), &patch);
	}
}
END_TEST

TEST_MAIN("patch", test_add, test_cases, test_random)
