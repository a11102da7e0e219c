#!/usr/bin/env python3
"""What is said to be the same program, is it so for Python itself?

    test_form.py DRIVER            files of Python's own library, each changed in some ways; ten times as
                                   many with OE_LONG=1
    test_form.py DRIVER --seed N   the changes of that seed

Changes of comments, empty lines and blanks must be seen through. Of any other change (a byte more or
less, a line indented, moved or joined) it is only asked that programs which are called the same have the
same syntax tree: ast.dump() of both.
"""
import argparse
import ast
import io
import os
import pathlib
import random
import subprocess
import sys
import sysconfig
import tokenize
import warnings

FILES, HARMLESS, HARMFUL, SIZE_MAX = 60, 2, 40, 60000
MARKS = "#'\"\\\n\t {}[]():=+-.*/@!frbu0eE_;,\r\x0c`$?"


class Driver:
    def __init__(self, path):
        self.process = subprocess.Popen([path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, first, second, language="python"):
        first, second = first.encode(), second.encode()
        self.process.stdin.write(b"%s %d %d\n" % (language.encode(), len(first), len(second)))
        self.process.stdin.write(first + second)
        self.process.stdin.flush()
        return self.process.stdout.readline().decode().strip()


def tree(text):
    """None: it is no program."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.dump(ast.parse(text.encode()))
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return None


def library(count, rng):
    """Texts of that many files, by chance."""
    root = pathlib.Path(sysconfig.get_paths()["stdlib"])
    paths = sorted(path for path in root.rglob("*.py")
                   if "site-packages" not in path.parts and "dist-packages" not in path.parts)
    rng.shuffle(paths)
    for path in paths:
        data = path.read_bytes()
        try:
            text = data.decode()
        except UnicodeDecodeError:
            continue
        if 200 < len(data) < SIZE_MAX and tree(text) is not None:
            yield path, text
            count -= 1
        if count == 0:
            return


# ---- changes that mean nothing ----

def rewritten(text, rng):
    """The same tokens, by Python's own tokenizer, with other comments and white space."""
    lines = text.splitlines(keepends=True)
    edits = []  # (line, column, how many characters, what instead)
    for token in tokenize.generate_tokens(io.StringIO(text, newline="").readline):
        row, column = token.start
        if token.type == tokenize.COMMENT and row > 2 and "EVOLVE" not in token.string and \
                not token.string.startswith(("# pythran", "# cython", "# distutils")):
            if rng.random() < 0.3:
                edits.append((row, column, len(token.string), rng.choice(["", "# other", "#"])))
        elif token.type in (tokenize.NEWLINE, tokenize.NL) and token.string and row > 2 and \
                rng.random() < 0.2 and not (edits and edits[-1][0] == row):
            edits.append((row, column, 0, rng.choice([
                "  ", "\t", " # why: 'this' \"that\" \\ {", "\n# a line\n", "\n\n",
                "\n        # deeper\n"]) if token.type == tokenize.NEWLINE else "  # more"))
    for row, column, size, instead in reversed(edits):
        line = lines[row - 1]
        if instead.startswith("\n"):
            instead = instead[:-1]
        lines[row - 1] = line[:column] + instead + line[column + size:]
    return "".join(lines)


# ---- changes of any kind ----

def damaged(text, rng):
    kind = rng.randrange(6)
    at = rng.randrange(len(text))
    if kind == 0:
        return text[:at] + text[at + 1:]
    if kind == 1:
        return text[:at] + rng.choice(MARKS) + text[at:]
    if kind == 2:
        return text[:at] + rng.choice(MARKS) + text[at + 1:]
    lines = text.splitlines(keepends=True)
    row = rng.randrange(len(lines))
    if kind == 3:
        lines[row] = rng.choice([" ", "\t", "    "]) + lines[row]
    elif kind == 4:
        lines[row] = lines[row][1:]
    else:
        lines[row] = lines[row].rstrip("\n") + rng.choice(["", " ", "\\\n", "#\n", "\r\n", "\r"])
    return "".join(lines)


def check(driver, path, text, rng):
    """How often it was the same: (of so many harmless changes, of the others)."""
    if driver.ask(text, text) == "none":
        return None
    found = 0
    for _ in range(HARMLESS):
        other = rewritten(text, rng)
        if tree(other) != tree(text):
            raise AssertionError(f"{path}: the test's own change is none of comments and blanks")
        if driver.ask(text, other) != "same":
            complain(path, text, other, "not seen to be the same")
    # Short pieces, so that a change hits something.
    for _ in range(HARMFUL):
        other = damaged(text, rng)
        if driver.ask(text, other) != "same" or other == text:
            continue
        found += 1
        if tree(other) != tree(text):
            complain(path, text, other, "said to be the same")
    return found


def complain(path, text, other, what):
    before, after = text.splitlines(keepends=True), other.splitlines(keepends=True)
    row = next((i for i, (a, b) in enumerate(zip(before, after)) if a != b), 0)
    raise AssertionError(f"{path}:{row + 1}: {what}\n  {before[row:row + 3]!r}\n  {after[row:row + 3]!r}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("driver")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    files = FILES * (10 if os.environ.get("OE_LONG") else 1)
    rng = random.Random(options.seed)
    driver = Driver(options.driver)
    known = same = total = 0
    for path, text in library(files, rng):
        total += 1
        found = check(driver, path, text, rng)
        known += found is not None
        same += found or 0
    print(f"{known} of {total} files have a form; {same} other changes were none")
    if known < total / 2 or same == 0:
        sys.exit("hardly anything was looked at")


if __name__ == "__main__":
    main()
