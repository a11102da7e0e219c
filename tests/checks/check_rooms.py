#!/usr/bin/env python3
"""A file keeps to 600 lines, and a function to 70: what is longer holds two ideas."""
import pathlib
import sys

FILE_LINES = 600
FUNCTION_LINES = 70


def functions(lines):
    """(first line, line count) of each function, its head included: bodies open in column 1."""
    first = None
    for number, line in enumerate(lines, 1):
        if line == "{":
            first = number
            while first > 1 and lines[first - 2].strip() and not lines[first - 2].startswith(
                    ("#", "}", "/*", " *", "//")):
                first -= 1
        elif line == "}" and first:
            yield first, number - first + 1
            first = None


def check(root):
    found = []
    for top in ("lib", "cli", "include"):
        for path in sorted((root / top).rglob("*.[ch]")):
            lines = path.read_text().splitlines()
            name = path.relative_to(root)
            if len(lines) > FILE_LINES:
                found.append(f"{name}: {len(lines)} lines, more than {FILE_LINES}")
            for first, count in functions(lines):
                if count > FUNCTION_LINES:
                    found.append(f"{name}:{first}: a function of {count} lines, more than"
                                 f" {FUNCTION_LINES}")
    return found


if __name__ == "__main__":
    wrong = check(pathlib.Path(sys.argv[1]))
    sys.exit("\n".join(wrong) if wrong else 0)
