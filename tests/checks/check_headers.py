#!/usr/bin/env python3
"""Each public header compiles alone, as C99 and as C++11, without a warning.

    check_headers.py ROOT C-COMPILER C++-COMPILER
"""
import pathlib
import subprocess
import sys

WARNINGS = "-Wall -Wextra -Wpedantic -pedantic-errors -Wshadow -Werror -fsyntax-only".split()


def compile_alone(root, name, compiler, language, standard):
    """The compiler's complaint, or nothing."""
    # Twice: the second inclusion must add nothing. A file without declarations is not C.
    text = f'#include "openevolve/{name}"\n#include "openevolve/{name}"\nextern int nothing;\n'
    done = subprocess.run([compiler, "-x", language, f"-std={standard}", *WARNINGS, "-I",
                           str(root / "include"), "-"], input=text, capture_output=True, text=True)
    return f"{name} as {standard}:\n{done.stderr}" if done.returncode else ""


def check(root, c, cxx):
    names = sorted(path.name for path in (root / "include/openevolve").glob("*.h"))
    assert names, "no headers to check"
    found = []
    for name in names:
        found.append(compile_alone(root, name, c, "c", "c99"))
        found.append(compile_alone(root, name, cxx, "c++", "c++11"))
    return [complaint for complaint in found if complaint]


if __name__ == "__main__":
    wrong = check(pathlib.Path(sys.argv[1]), *sys.argv[2:4])
    sys.exit("\n".join(wrong) if wrong else 0)
