/* Programs that are the same but for comments and white space, and those that only seem to be. */

#include "program/form.h"

#include <string.h>

#include "test.h"

struct pair {
	const char *language, *a, *b;
};

static oe_program *make(const char *language, const char *text)
{
	oe_program *program = NULL;

	ck_assert_int_eq(oe_program_new(text, strlen(text), language, &program), 0);
	return program;
}

static void expect(const struct pair *pair, bool same)
{
	OE__AUTO(program) oe_program *a = make(pair->language, pair->a);
	OE__AUTO(program) oe_program *b = make(pair->language, pair->b);

	ck_assert_msg(oe__form_same(a, b) == same, "%s: %s\n--- and\n%s", pair->language, pair->a,
				  pair->b);
	ck_assert_msg(oe__form_same(b, a) == same, "%s: the other way round: %s", pair->language,
				  pair->a);
	ck_assert_int_eq(oe__form(a) != 0 && oe__form(a) == oe__form(b), same);
}

START_TEST(test_python)
{
	static const struct pair same[] = {
		{ "python", "x = 1\n", "x = 1" },
		{ "py", "x = 1  # one\n", "# begin\n\nx=1\n\n" },
		{ "Python3", "x = 1\r\ny = 2\r\n", "x = 1\ny = 2\n" },
		{ "python", "if x:\n    a\n    b\nc\n", "if x:\n  a\n\n     # deeper\n  b\nc\n" },
		{ "python", "if x:\n    a\n", "if x:\n\ta\n" },
		{ "python", "f(a,\n  b)\n", "f(a, b)\n" },
		{ "python", "f(a, # first\n  b)\n", "f(a,b)\n" },
		{ "python", "x = a + \\\n  b\n", "x = a+b\n" },
		{ "python", "x[ : -1 ]", "x[:-1]" },
		{ "python", "x = -1", "x=-1" },
		{ "python", "def f():\n  'doc'\n  return 1", "def f():\n    'doc'\n    return 1 # one\n" },
		{ "python", "print(f'{a[\"k\"]}')  # shown", "print( f'{a[\"k\"]}' )" },
		{ "python", "s = '''a\n# b\n'''\n# c\n", "s = '''a\n# b\n'''" },
		{ "python", "s = r'\\'#'  # c", "s = r'\\'#'" },
		{ "python", "# only\n", "" },
	};
	static const struct pair other[] = {
		{ "python", "x = 1\n", "x = 2\n" },
		{ "python", "ab", "a b" },
		{ "python", "x = 'a  b'\n", "x = 'a b'\n" },
		{ "python", "x = '#a'\n", "x = '#b'\n" },
		{ "python", "'''a\n'''\n", "'''a\n\n'''\n" },
		{ "python", "'''one'''\nx", "'''two'''\nx" }, /* a docstring is a string */
		{ "python", "if x:\n  a\n  b\n", "if x:\n  a\nb\n" },
		{ "python", "x\ny", "x y" },
		{ "python", "a = b\n(c)", "a = b(c)" },
		{ "python", "a < -b", "a <- b" },
		{ "python", "x = 1 .real", "x = 1.real" },
		{ "python", "a = '' ''", "a = ''''" },
		{ "python", "if x:\n\ta\n        b\n", "if x:\n\ta\n\tb\n" }, /* versions differ */
		{ "python", "if x:\n    a\n  b\n", "if x:\n    a\nb\n" },
		{ "python", "x = 1 \\", "x = 1" },
		{ "python", "x = 1 \\\n# c\n", "x = 1\n" },
		{ "python", "f'{x[\"a\"]}' # 1", "f'{x[\"b\"]}' # 1" },
		{ "python", "f\"{x[\"a\"]}\" # 1", "f\"{x[\"a\"]}\" # 2" }, /* no string before 3.12 */
		{ "python", "rf\"\\{x[\"a\"]}\" # 1", "rf\"\\{x[\"a\"]}\" # 2" },
		{ "python", "print(__file__) # 1", "print(__file__) # 2" },
		{ "python", "import inspect # 1", "import inspect # 2" },
		{ "python", "# -*- coding: latin-1 -*-\nx", "x" },
		{ "python", "# cython: boundscheck=False\nx", "x" },
		{ "python", "#!/usr/bin/python2\nx", "#!/usr/bin/python3\nx" },
		{ "python", "# EVOLVE-BLOCK-START\nx\n# EVOLVE-BLOCK-END\n", "x\n" },
		{ "python", "x = (1\n", "x = (1 \n" },
		{ "python", "x = 'a\n", "x = 'a \n" },
		{ "python", "x = 1 # a\rb\n", "x = 1\n" }, /* CR ends a line */
		{ "ruby", "x = 1 # a\n", "x = 1\n" },      /* nobody knows */
		{ "", "x = 1 # a\n", "x = 1\n" },
	};

	for (size_t i = 0; i < OE__COUNT(same); i++)
		expect(&same[i], true);
	for (size_t i = 0; i < OE__COUNT(other); i++)
		expect(&other[i], false);
}
END_TEST

START_TEST(test_c)
{
	static const struct pair same[] = {
		{ "c", "int a; /* one */ int b;\n", "int a;\n\n// two\nint b;" },
		{ "c++", "f( a+b );", "f(a + b);" },
		{ "c", "#include <a.h>\nint a;", "#include <a.h>\n\n\nint a;" },
		{ "c", "#include <a.h> /* b */\nint a; // c", "#include <a.h> /* b */\nint a;" },
		{ "c", "#define A \\\n 1\nint a;", "#define A \\\n 1\n  int   a;" },
		{ "cuda", "f<<<a, b>>>(c); // run", "f<<<a,b>>>(c);" },
		{ "cpp", "auto s = R\"x(a // b)\" )x\"; // c", "auto s = R\"x(a // b)\" )x\";" },
		{ "cpp", "x = 1'000 ; // 'a", "x = 1'000;" },
		{ "c", "c = '\"'; // a", "c = '\"';" },
		{ "c", "a = b /c; /* it's */", "a = b/ c;" },
	};
	static const struct pair other[] = {
		{ "c", "a++ + b", "a + ++b" },
		{ "c", "a+ +b", "a++b" },
		{ "c", "\"a b\"", "\"a  b\"" },
		{ "c", "#define A(x) 1", "#define A (x) 1" },
		{ "c", "#define A 1\nint a;", "#define A 1 int a;" },
		{ "c", "int a; #define A", "int a;\n#define A" },
		{ "c", "#define S(x) #x\nS(a b) // 1", "#define S(x) #x\nS(a b) // 2" }, /* makes texts */
		{ "c", "// a \\\nint b;\nint c;", "// a\nint b;\nint c;" },
		{ "c", "// a ?\?/\nint b; // 1", "// a ?\?/\nint b; // 2" },
		{ "c", "int a = __LINE__;", "\nint a = __LINE__;" },
		{ "c", "/* a", "/* b" },
		{ "c", "x = R\"(a)\"; // 1", "x = R\"(a)\"; // 2" }, /* raw, or a name and a string */
		{ "cpp", "\"a\"_s", "\"a\" _s" },
		{ "cpp", "R\"x(a)x\"", "R\"x(b)x\"" },
		{ "c", "/* EVOLVE-BLOCK-START */ a", "a" },
	};

	for (size_t i = 0; i < OE__COUNT(same); i++)
		expect(&same[i], true);
	for (size_t i = 0; i < OE__COUNT(other); i++)
		expect(&other[i], false);
}
END_TEST

START_TEST(test_others)
{
	static const struct pair same[] = {
		{ "rust", "let a = 'x'; /* a /* b */ c */ let b = &'a y;", "let a='x'; let b=&'a y;" },
		{ "rust", "r#\"a // \"b\"#; // c", "r#\"a // \"b\"#;" },
		{ "rust", "let c = '\\'' ; // it's", "let c = '\\'';" },
		{ "go", "a := `x // y` // z\nb()\n", "a := `x // y`\n\n\nb()" },
		{ "java", "String s = \"\"\"\n a // b\n \"\"\"; // c", "String s = \"\"\"\n a // b\n \"\"\";" },
		{ "js", "let a = b / c // d\nlet e = /[/]'/g // f", "let a = b / c\n\nlet e = /[/]'/g" },
		{ "js", "let a = `x ${y + 1} // z` // w", "let a = `x ${y + 1} // z`" },
		{ "js", "if (a) /'/.test(b) // c", "if (a) /'/.test(b)" },
		{ "ts", "let a: number = (b) / 2 // c", "let a: number = (b) / 2" },
	};
	static const struct pair other[] = {
		{ "rust", "r#fn // 1", "r # fn // 1" },
		{ "rust", "/// doc\nfn a() {}", "fn a() {}" }, /* an attribute */
		{ "rust", "let a = \"x\n  y\";", "let a = \"x\n y\";" },
		{ "rust", "stringify!(a  b) // 1", "stringify!(a  b) // 2" },
		{ "go", "return\na", "return a" },
		{ "go", "//go:noinline\nfunc a() {}", "func a() {}" },
		{ "go", "/*\n#include <a.h>\n*/\nimport \"C\"\n", "import \"C\"\n" },
		{ "go", "return /*\n*/ a", "return a" },
		{ "java", "// \\u000a a();\nb();", "b();" },
		{ "java", "String s = \"\\u0022; // \"; a();", "String s = \"\\u0022; // \";" },
		{ "js", "return\na", "return a" },
		{ "js", "a\n++b", "a++\nb" },
		{ "js", "x = a } / 1 // b/", "x = a } / 1" }, /* a division or a pattern? */
		{ "js", "x = <b>it's // c</b>", "x = <b>it's" },
		{ "js", "let a = `${ `b // c` }`", "let a = `${ `b` }`" },
		{ "js", "// @ts-nocheck\nx", "x" },
	};

	for (size_t i = 0; i < OE__COUNT(same); i++)
		expect(&same[i], true);
	for (size_t i = 0; i < OE__COUNT(other); i++)
		expect(&other[i], false);
}
END_TEST

/* Texts are shared by programs of any language: the number that is kept with one is not another's. */
START_TEST(test_kept_number)
{
	OE__AUTO(source) struct oe__source *source = NULL;
	OE__AUTO(program) oe_program *python = NULL, *c = NULL, *text = NULL;
	struct oe__program_spec spec = { .language = "python", .island = -1 };

	ck_assert_int_eq(oe__source_new("a", 1, &source), 0);
	spec.source = source;
	ck_assert_int_eq(oe__program_build(&spec, &python), 0);
	spec.language = "c";
	ck_assert_int_eq(oe__program_build(&spec, &c), 0);
	spec.language = "text";
	ck_assert_int_eq(oe__program_build(&spec, &text), 0);
	uint64_t form = oe__form(python);
	ck_assert(form != 0 && form == oe__form(python));
	ck_assert(oe__form(c) != 0 && oe__form(c) != form);
	ck_assert(oe__form(python) == form);
	ck_assert(oe__form(text) == 0);
	ck_assert(!oe__form_same(python, c) && !oe__form_same(text, text));
}
END_TEST

/* Snapshots keep them. Whoever sees this fail raises FORM_VERSION in lib/program/form.c, and puts here what
   is told now. */
START_TEST(test_same_for_ever)
{
	static const struct {
		const char *language, *text;
		uint64_t form;
	} known[] = {
		{ "python", "def f(a, *b):\n    # one\n    return a <= 1.5e3 or f'{b}' + \"s\"\n", 0x41cb0a02281e3701 },
		{ "c", "#include <a.h>\nint f(void) { return 'c' >> 0x1fu; /* one */ }\n", 0x05f6e8055fb6a902 },
		{ "rust", "fn f<'a>(x: &'a str) -> u8 { r#\"a\"#.len() as u8 } // one\n", 0x084553a1d8411e06 },
		{ "js", "let a = `x ${y}`; b = /[/]/g; // one\n", 0xaa930991f25ac007 },
	};

	if (__BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__)
		return; /* other ones */
	ck_assert_uint_eq(oe__form_teller(), 0x9e8315de2705b97d);
	for (size_t i = 0; i < OE__COUNT(known); i++) {
		OE__AUTO(program) oe_program *program = make(known[i].language, known[i].text);
		ck_assert_uint_eq(oe__form(program), known[i].form);
	}
}
END_TEST

TEST_MAIN("form", test_python, test_c, test_others, test_kept_number, test_same_for_ever)
