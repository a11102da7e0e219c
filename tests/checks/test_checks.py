#!/usr/bin/env python3
"""Each check finds the fault it is there for, and nothing in a tree without one."""
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent

HEADER = """#ifndef OPENEVOLVE_A_H
#define OPENEVOLVE_A_H
#ifdef __cplusplus
extern "C" {
#endif
/** A thing. */
typedef struct oe_a {
	int one; /**< the first */
	int two; /**< the second */
} oe_a;

/** Kinds. */
enum oe_kind {
	OE_KIND_NONE = 0,
	OE_KIND_SOME = 1 /**< of several */
};

/** Do it. */
int oe_do(oe_a *a,
          int more);
#ifdef __cplusplus
}
#endif
#endif
"""
SOURCE = """#include "openevolve/a.h"
#include "base/text.h"

/* It never calls malloc(3) or printf(). */
int oe_do(oe_a *a,
          int more)
{
	a->free(a, "exit(1)");
	return a->one + more;
}
"""


class Tree:
    """A small project in a temporary directory."""

    def __init__(self, **changed):
        self.directory = tempfile.TemporaryDirectory()
        self.root = pathlib.Path(self.directory.name)
        self.write("include/openevolve/a.h", HEADER)
        self.write("lib/hub/a.c", SOURCE)
        self.write("cli/main.c", '#include "openevolve/a.h"\n')

    def write(self, path, text):
        path = self.root / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


class Checks(unittest.TestCase):
    def complaint(self, name, *arguments):
        """What a check says; "" if it is content."""
        done = subprocess.run([sys.executable, HERE / name, *map(str, arguments)],
                              capture_output=True, text=True)
        self.assertIn(done.returncode, (0, 1, 77), done.stderr)
        self.assertEqual(done.returncode == 1, done.stderr != "", done.stderr)
        return done.stderr

    def setUp(self):
        self.tree = Tree()
        self.addCleanup(self.tree.directory.cleanup)

    def fails(self, check, path, text, what, *arguments):
        """The check is content until `path` holds `text`."""
        self.assertEqual(self.complaint(check, self.tree.root, *arguments), "")
        self.tree.write(path, text)
        self.assertIn(what, self.complaint(check, self.tree.root, *arguments))

    def test_layers(self):
        self.fails("check_layers.py", "lib/hub/a.c", SOURCE + '#include "store/log.h"\n',
                   "lib/hub/a.c:11: hub may not use store")

    def test_the_table_of_layers(self):
        for layer in ("base", "hub"):
            self.tree.write(f"lib/{layer}/meson.build", "")
        page = "| layer | owns | may use |\n|--|--|--|\n| `base` | all | |\n| `hub` | it | %s |\n"
        self.tree.write("docs/design.md", page % "base")
        self.fails("check_layers.py", "docs/design.md", page % "base store", "the row of 'hub'")

    def test_layers_of_the_command(self):
        self.fails("check_layers.py", "cli/main.c", '#include "base/text.h"\n', "cli/main.c:1")

    def test_banned_call(self):
        self.fails("check_banned.py", "lib/hub/a.c", SOURCE + "void f(void)\n{\n\tprintf(\"x\");\n}\n",
                   "lib/hub/a.c:13: printf()")

    def test_banned_value(self):
        self.fails("check_banned.py", "lib/hub/a.c", SOURCE + "void *f = free;\n", "lib/hub/a.c:11: free()")

    def test_memory_is_for_base(self):
        self.tree.write("lib/base/alloc.c", "void *f(void)\n{\n\treturn malloc(1);\n}\n")
        self.fails("check_banned.py", "lib/hub/b.c", "void *f(void)\n{\n\treturn malloc(1);\n}\n",
                   "lib/hub/b.c:3: malloc()")

    def test_signals_are_for_the_spawner(self):
        self.tree.write("lib/sandbox/spawner/main.c", "int f(void)\n{\n\treturn fork();\n}\n")
        self.fails("check_banned.py", "lib/sandbox/s.c", "int f(void)\n{\n\treturn fork();\n}\n",
                   "lib/sandbox/s.c:3: fork()")

    def test_long_function(self):
        body = "int f(int a,\n      int b)\n{\n" + "\ta++;\n" * 66 + "}\n"
        self.tree.write("lib/hub/b.c", body)
        self.fails("check_rooms.py", "lib/hub/b.c", "#include <stdio.h>\n" + body.replace("}", "\ta++;\n}"),
                   "lib/hub/b.c:2: a function of 71 lines")

    def test_long_file(self):
        self.tree.write("lib/hub/b.c", "\n" * 600)
        self.fails("check_rooms.py", "cli/b.c", "\n" * 601, "cli/b.c: 601 lines")

    def test_option_that_nobody_reads(self):
        table = """const struct oe__option oe__options[] = {
\tINT("one", "1", 0, 9, O,
\t\t.summary = "It counts, unlike \\"two\\"."),
\tBOOL("llm.two", "true", O | M, .summary = "Whether."),
\tALIAS("uno", "one"),
\tREAL("three", "1.0", 0, 9, O,
\t\t .no_effect = "it is odd", .summary = "How much."),
};
"""
        self.tree.write("lib/config/option_table.c", table)
        self.tree.write("lib/llm/a.c", 'int f(void)\n{\n\treturn field("two") + get("one"); /* not "three" */\n}\n')
        self.fails("check_options.py", "lib/config/option_table.c",
                   table.replace('.no_effect = "it is odd", ', ""), "nobody reads 'three'")

    def test_header_that_needs_another(self):
        self.fails("check_headers.py", "include/openevolve/b.h", "size_t oe_size(void);\n", "b.h as c99",
                   "cc", "c++")

    def test_header_that_is_not_cpp(self):
        self.fails("check_headers.py", "include/openevolve/b.h",
                   "#ifndef B\n#define B\nint oe_size(int class);\n#endif\n", "b.h as c++11", "cc", "c++")

    def test_undocumented(self):
        for old, new, what in (("/** Do it. */\n", "", "oe_do has no comment"),
                               ("/** Kinds. */\n", "", "oe_kind has no comment"),
                               (" /**< of several */", "", "OE_KIND_SOME has no comment"),
                               (" /**< the second */", "", "two has no comment"),
                               ("/** A thing. */\n", "#define OE_MORE 1\n/** A. */\n", "OE_MORE has"),
                               ("int more);\n", "int more);\n\nint oe_undo(void);\n", "oe_undo has")):
            with self.subTest(what):
                self.tree.write("include/openevolve/a.h", HEADER)
                self.assertIn(old, HEADER)
                self.fails("check_documented.py", "include/openevolve/a.h", HEADER.replace(old, new), what)

    def test_symbols(self):
        header = HEADER.replace("int oe_do", "__attribute__((visibility(\"default\"))) int oe_do")
        umbrella = "#define OE_API\n/** Do it. */\nOE_API int oe_do(int a);\n"
        self.tree.write("include/openevolve/a.h", umbrella)
        self.tree.write("a.c", "int oe_do(int a) { return a; }\n")
        self.tree.write("a.map", "A { global:\n\toe_do;\nlocal: *; };\n")
        self.assertNotEqual(header, HEADER)

        def built():
            subprocess.run(["cc", "-shared", "-fPIC", "-o", "a.so", "a.c", "-Wl,--version-script=a.map"],
                           cwd=self.tree.root, check=True)
            return [self.tree.root / name for name in ("a.so", "a.map", "include/openevolve/a.h")]

        self.assertEqual(self.complaint("check_symbols.py", *built()), "")
        for path, text, what in (
                ("include/openevolve/a.h", umbrella + "OE_API int oe_more(void);\n",
                 "declared but not listed: oe_more"),
                ("include/openevolve/a.h", "\n", "listed but not declared: oe_do"),
                ("a.c", "int oe_done(int a) { return a; }\n", "listed but not exported: oe_do"),
                ("a.map", "A { global: oe_*;\nlocal: *; };\n", "exported but not listed: oe_do")):
            with self.subTest(what):
                before = (self.tree.root / path).read_text()
                self.tree.write(path, text)
                self.assertIn(what, self.complaint("check_symbols.py", *built()))
                self.tree.write(path, before)

    def test_release_build(self):
        """A variable that only an assertion reads: nothing but NDEBUG shows it."""
        self.tree.write("meson.build", "project('a', 'c', default_options: 'warning_level=3')\n"
                        "executable('a', 'a.c')\n")
        self.tree.write("meson_options.txt", "option('tests', type: 'boolean', value: true)\n"
                        "option('docs', type: 'boolean', value: true)\n")
        self.tree.write("a.c", "int main(void) { return 0; }\n")
        self.fails("check_release.py", "a.c", "#include <assert.h>\n\nint main(int count, char **names)\n{\n"
                   "\tint a = count > 0 && names;\n\tassert(a);\n}\n", "a.c:5", "-Db_ndebug=true")

    @unittest.skipUnless(shutil.which("clang"), "clang is not installed")
    def test_clang(self):
        """What only clang warns of."""
        entry = {"directory": str(self.tree.root), "file": "a.c", "command": "cc -Wall -Werror -MD -o a.o -c a.c"}
        self.tree.write("compile_commands.json", json.dumps([entry]))
        self.tree.write("a.c", "int main(void) { return 0; }\n")
        self.fails("check_clang.py", "a.c", "int f(int a)\n{\n\ta = a;\n\treturn a;\n}\n", "a.c:3")

    def test_docs(self):
        def complaint(text):
            self.tree.write("README.md", text)
            return self.complaint("run_docs.py", self.tree.root, self.tree.root / "README.md")

        good = "# A\n```sh run\necho hello >file\n```\n```c\nint a;\n```\n```sh run\ngrep hello file\n```\n"
        self.assertEqual(complaint(good), "")
        self.assertEqual(complaint(good + "```sh run=3\nexit 3\n```\n```sh skip\nfalse\n```\n"), "")
        self.assertIn("README.md:11: exit status 1, not 0", complaint(good + "```sh run\nfalse\ntrue\n```\n"))
        self.assertIn("README.md:11: exit status 0, not 3", complaint(good + "```sh run=3\ntrue\n```\n"))
        self.assertIn("README.md:11: a block of commands must say", complaint(good + "```console\ntrue\n```\n"))


if __name__ == "__main__":
    unittest.main()
