/* The mutation operator: whatever the program, its answers apply, keep to the EVOLVE-BLOCKs, and are
   the seed's. */

#include "base/buffer.h"
#include "base/text.h"
#include "edit/edit.h"
#include "edit/evolve_block.h"
#include "program/sample.h"
#include "tests/unit/llm/questions.h"

#define SEEDS 150

/* A program of each language, in pieces around its markers. */
static const struct program {
	const char *language, *open, *close; /* of a comment */
	const char *before, *inside, *after;
} programs[] = {
	{ "python", "# ", "",
	  "\"\"\"Rate: 0.5 + 1\n\n=======\n\"\"\"\nimport math\n\nRATE = 0.5\n\n",
	  "def search(n=100, step=0.01):\n    best = 1e9  # 7 is no number here\n    for i in range(n):\n"
	  "        for j in range(3):\n            x = -1.5 + i * step\n            x = -1.5 + i * step\n"
	  "            if x < best and x >= 0:\n                best = x / 2.0\n    return -1\n\n\n",
	  "\nif __name__ == \"__main__\":\n    print(search(100))\n" },
	{ "c", "// ", "", "#include <stdio.h>\n#define N 10\n\nint main(void)\n{\n",
	  "\tint a[3] = { 1, 2, 3 };\n\tdouble x = 0.25;\n\n\tfor (int i = 0; i < 3; i++) {\n"
	  "\t\tx = x + a[i] * 2;\n\t\tx = x - 1.5; /* not 3 */\n\t}\n\tfor (int i = 0; i < 3; i++)\n"
	  "\t\tx = x - 1.5;\n",
	  "\treturn (int)x;\n}\n" },
	{ "css", "/* ", " */", "body { margin: 0 }\n", "h1 {\n  margin: 10px;\n  width: 0.5em;\n}\n", "" },
	{ "html", "<!-- ", " -->", "<html>\n", "<p width=3>4 and 5</p>\n<p>6</p>\n<p>6</p>\n",
	  "</html>\n" },
	{ "lua", "-- ", "", "local x = 1\n", "x = x + 2\nfor i = 1, 10 do\n  x = x * 1.5\nend\n", "return x\n" },
	{ "lisp", "; ", "", "(defun f (x)\n", "  (+ x 1 2.5)\n  (* 3 x)\n", ")\n" },
	{ "matlab", "% ", "", "x = 1;\n", "y = 2 + x; % not 3\nz = [1, 2, 3];\n", "disp(z)\n" },
	{ "ocaml", "(* ", " *)", "let a = 1\n", "let b = a + 2\nlet c = 3.5\n", "let d = 4\n" },
	{ "fortran", "! ", "", "program p\n", "  x = 1.0\n  y = x * 2.0\n", "end program\n" },
	{ "haskell", "{- ", " -}", "main = do\n", "  print 1\n  print (2 + 3)\n", "" },
	{ "sql", "-- ", "", "SELECT a\nFROM b\n", "WHERE c < 10\n  AND d >= 0.5\nLIMIT 7\n", ";\n" },
	/* Nothing to be done, and hardly anything. */
	{ "text", "", "", "before\n", "\n\n\n", "after\n" },
	{ "text", "", "", "before\n", "word\nword\n", "after\n" },
	{ "python", "# ", "", "", "x = 1", "" },
	/* What looks like an answer's own marks. */
	{ "markdown", "<!-- ", " -->", "# Title\n\n~~~~~~~\nfence 1\n~~~~~~~\n",
	  "```python\nx = 1\n```\n~~~~~~\n2\n~~~~~~\n>>>>>>> 3\n",
	  "~~~~~~~~~~~\n4\n" },
	{ "python", "#", "", "x = 1  \n", "y = 2 \t\n\ny = 2\n\n\n", "\n\n" },
};

static void write_program(const struct program *program, bool marked, bool crlf,
						  struct oe__buffer *out)
{
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);

	oe__buffer_text(&text, program->before);
	if (marked)
		oe__buffer_printf(&text, "%sEVOLVE-BLOCK-START%s\n", program->open, program->close);
	oe__buffer_text(&text, program->inside);
	if (marked && !oe__has_suffix(program->inside, "\n"))
		oe__buffer_char(&text, '\n');
	if (marked)
		oe__buffer_printf(&text, "%sEVOLVE-BLOCK-END%s\n", program->open, program->close);
	oe__buffer_text(&text, program->after);
	for (size_t i = 0; i < text.size; i++) {
		if (crlf && text.data[i] == '\n')
			oe__buffer_char(out, '\r');
		oe__buffer_char(out, text.data[i]);
	}
}

static oe_program *program_of(const char *text, size_t size, const char *language)
{
	oe_program *program = NULL;

	ck_assert_int_eq(oe_program_new(text, size, language, &program), 0);
	return program;
}

/* The other programs of a sample have the same shape, but other numbers; or another shape. */
static oe_iteration *sample_of(const struct oe__buffer *text, const char *language)
{
	OE__AUTO(buffer) struct oe__buffer other = OE__BUFFER_INIT(0);
	OE__AUTO(axes) struct oe__axes *axes = NULL;
	oe_iteration *iteration = NULL;

	oe__buffer_append(&other, text->data, text->size);
	for (size_t i = 0; i < other.size; i++)
		if (other.data[i] >= '0' && other.data[i] < '9')
			other.data[i]++;
	OE__AUTO(program) oe_program *parent = program_of(text->data, text->size, language);
	OE__AUTO(program) oe_program *like = program_of(other.data, other.size, language);
	OE__AUTO(program) oe_program *unlike = program_of("x = 1\ny = 2\n", 12, language);
	ck_assert_int_eq(oe__axes_new(NULL, 0, &axes), 0);
	struct oe__sample_spec spec = {
		.number = 1,
		.parent = parent,
		.inspirations = (oe_program *const[]){ like, parent },
		.inspiration_count = 2,
		.top = (oe_program *const[]){ unlike, like },
		.top_count = 2,
		.axes = axes,
	};
	ck_assert_int_eq(oe__sample_build(&spec, &iteration), 0);
	return iteration;
}

static void nothing(struct oe__llm_call *call)
{
	(void)call;
}

static void ask(oe_llm *llm, const oe_iteration *iteration, int edit_mode, uint64_t seed,
				struct oe__buffer *answer)
{
	struct oe__llm_call call = {
		.request = { .system = "", .user = "", .iteration = iteration, .edit_mode = edit_mode,
					 .seed = seed, .language = iteration->parent->language },
		.done = nothing,
	};
	size_t size;

	ck_assert_int_eq(oe__llm_prepare(llm, &call), 0);
	oe__llm_submit(&call); /* answers before it returns */
	ck_assert_msg(call.status == 0, "%s", call.completion->error.message);
	const char *text = oe_completion_text(call.completion, &size);
	oe__buffer_append(answer, text, size);
	ck_assert_str_eq(oe_completion_model(call.completion), "mutate");
	ck_assert_int_eq(oe_completion_attempts(call.completion), 1);
	ck_assert_int_eq(oe_completion_tokens_in(call.completion), 0);
	oe__llm_call_release(&call);
}

static bool has_trailing_blanks(const struct oe__buffer *text)
{
	for (size_t i = 0; i + 1 < text->size; i++)
		if (text->data[i] != '\n' && oe__is_space(text->data[i]) && text->data[i + 1] == '\n')
			return true;
	return false;
}

/* @return true if there is a child. */
static bool check_edit(const struct oe__buffer *text, const struct oe__buffer *answer,
					   const char *language, bool rewrite, bool tolerant)
{
	OE__AUTO(edit_rules) struct oe__edit_rules *rules = NULL;
	OE__AUTO(edit) oe_edit *edit = NULL;
	struct oe__edit_options options = OE__EDIT_OPTIONS_INIT;
	oe_bytes parent = { text->data, text->size };
	size_t line;

	options.rewrite = rewrite;
	options.tolerant = tolerant;
	options.language = language;
	options.reject_ambiguous = options.reject_unmatched = true;
	options.evolve_blocks = OE__EVOLVE_ENFORCE;
	ck_assert_int_eq(oe__edit_rules_new(&options, &rules, NULL), 0);
	ck_assert_int_eq(oe__edit_apply(rules, parent,
									(oe_bytes){ oe__buffer_string(answer), answer->size },
									OE_FINISH_STOP, &edit, NULL),
					 0);
	if (answer->size == 0 || edit->status == OE_EDIT_STATUS_NOOP)
		return false;
	ck_assert_msg(edit->code.data, "%s: %s\n---- text:\n%s\n---- answer:\n%s",
				  oe_edit_status_name(edit->status), oe_edit_message(edit), text->data, answer->data);
	ck_assert(oe__evolve_blocks_kept(parent, edit->code, &line));
	return true;
}

static size_t check_seed(oe_llm *llm, const struct oe__buffer *text, const oe_iteration *iteration,
						 int mode, uint64_t seed)
{
	OE__AUTO(buffer) struct oe__buffer answer = OE__BUFFER_INIT(0), again = OE__BUFFER_INIT(0);
	const char *language = iteration->parent->language;
	bool rewrite = mode == OE_EDIT_REWRITE;

	ask(llm, iteration, mode, seed, &answer);
	ask(llm, iteration, mode, seed, &again);
	ck_assert_str_eq(oe__buffer_string(&answer), oe__buffer_string(&again));
	ck_assert(oe__utf8_valid(oe__buffer_string(&answer), answer.size));
	/* Read strictly, blanks at the ends of lines are lines that nobody finds. */
	if (!has_trailing_blanks(text))
		(void)check_edit(text, &answer, language, rewrite, false);
	return check_edit(text, &answer, language, rewrite, true);
}

/* Of a program with a number or two, nearly all answers make a child. */
START_TEST(test_answers_apply)
{
	OE__AUTO(llm) oe_llm *llm = NULL;

	ck_assert_int_eq(oe_llm_mutate_new(&llm), 0);
	for (size_t variant = 0; variant < 4 * OE__COUNT(programs); variant++) {
		const struct program *program = &programs[variant / 4];
		OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);
		OE__AUTO(iteration) oe_iteration *iteration = NULL;
		size_t children[] = { 0, 0 };

		write_program(program, variant % 2 == 1, variant / 2 % 2 == 1, &text);
		iteration = sample_of(&text, program->language);
		for (uint64_t seed = 0; seed < SEEDS; seed++)
			for (int mode = OE_EDIT_DIFF; mode <= OE_EDIT_REWRITE; mode++)
				children[mode] += check_seed(llm, &text, iteration, mode, seed);
		if (!strpbrk(program->inside, "0123456789"))
			continue;
		for (int mode = OE_EDIT_DIFF; mode <= OE_EDIT_REWRITE; mode++)
			ck_assert_msg(children[mode] >= SEEDS * 9 / 10, "%s: %zu children of %d\n%s",
						  program->language, children[mode], SEEDS, text.data);
	}
}
END_TEST

/* Other seeds, other answers: a search that draws the same thing again and again finds nothing. */
START_TEST(test_variety)
{
	OE__AUTO(llm) oe_llm *llm = NULL;
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);
	OE__AUTO(iteration) oe_iteration *iteration = NULL;
	char *seen[SEEDS];
	size_t count = 0;

	ck_assert_int_eq(oe_llm_mutate_new(&llm), 0);
	write_program(&programs[0], true, false, &text);
	iteration = sample_of(&text, "python");
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		OE__AUTO(buffer) struct oe__buffer answer = OE__BUFFER_INIT(0);
		bool known = false;
		ask(llm, iteration, OE_EDIT_DIFF, seed, &answer);
		for (size_t i = 0; i < count && !known; i++)
			known = strcmp(seen[i], oe__buffer_string(&answer)) == 0;
		if (!known)
			seen[count++] = oe__strdup(oe__buffer_string(&answer));
	}
	ck_assert_uint_gt(count, SEEDS * 2 / 3);
	while (count > 0)
		oe__free(seen[--count]);
}
END_TEST

/* Numbers stay what they are: a count does not become negative or a fraction. */
START_TEST(test_integers)
{
	OE__AUTO(llm) oe_llm *llm = NULL;
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);
	OE__AUTO(iteration) oe_iteration *iteration = NULL;

	ck_assert_int_eq(oe_llm_mutate_new(&llm), 0);
	oe__buffer_text(&text, "(0)");
	iteration = sample_of(&text, "lisp");
	for (uint64_t seed = 0; seed < 500; seed++) {
		OE__AUTO(buffer) struct oe__buffer answer = OE__BUFFER_INIT(0);
		ask(llm, iteration, OE_EDIT_REWRITE, seed, &answer);
		const char *open = strchr(oe__buffer_string(&answer), '(');
		char *end;
		long value = strtol(open + 1, &end, 10);
		ck_assert_int_eq(*end, ')');
		ck_assert_int_ge(value, 0);
	}
}
END_TEST

START_TEST(test_no_program)
{
	OE__AUTO(llm) oe_llm *llm = NULL;

	ck_assert_int_eq(oe_llm_mutate_new(NULL), OE_ERR_INVALID);
	ck_assert_int_eq(oe_llm_mutate_new(&llm), 0);
	struct told told = ask_one(llm, "Which of these is better?");
	ck_assert_int_eq(told.status, OE_ERR_LLM);
	ck_assert_int_eq(told.failure, OE_LLM_FAILURE_REQUEST);
}
END_TEST

TEST_MAIN("mutate", test_answers_apply, test_variety, test_integers, test_no_program)
