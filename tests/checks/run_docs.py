#!/usr/bin/env python3
"""Run the commands of the documentation, as a reader would.

    run_docs.py BUILD FILE...

Every fenced block in `sh` says in its first line what it is:

    ```sh run          executed; must exit with 0        (run=3: with 3)
    ```sh skip         not executed: it needs a key, a network, or root
    ```c file=first.c  in any language: written to that file, for the blocks behind it

The blocks of a file are executed one after the other by `sh -eu`, in one empty directory, with `oe`,
the examples and a compiler that finds the library at hand. An unmarked block of commands is an error,
so that none goes untested by oversight.
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

BLOCK = re.compile(r"^```(\w+)\b([^\n]*)\n(.*?)^```$", re.M | re.S)
SHELLS = ("sh", "bash", "shell", "console")
SECONDS = 600
SKIP = 77


def blocks(text):
    """(line, marks, text) of each block that is in a shell's language, or a file."""
    for match in BLOCK.finditer(text):
        marks = match.group(2).split()
        if match.group(1) in SHELLS or any(mark.startswith("file=") for mark in marks):
            yield text.count("\n", 0, match.start()) + 1, marks, match.group(3)


def expected_status(marks):
    """The exit status a block must have; None if it is not to be run. ValueError if it does not say."""
    for mark in marks:
        found = re.fullmatch(r"run(?:=(\d+))?", mark)
        if found:
            return int(found.group(1) or 0)
        if mark == "skip":
            return None
    raise ValueError("a block of commands must say 'run' or 'skip'")


def file_of(marks):
    """Name of the file that a block is to be written to, or None."""
    return next((mark[len("file="):] for mark in marks if mark.startswith("file=")), None)


def run(commands, directory, build):
    """Exit status and output. Nothing of the caller's environment but the path gets through."""
    source = pathlib.Path(__file__).resolve().parent.parent.parent
    environment = {"PATH": f"{build / 'cli'}:{os.environ['PATH']}", "HOME": directory,
                   "TERM": "dumb", "LANG": "C.UTF-8", "OE_SOURCE": str(source),
                   "CPATH": str(source / "include"), "LD_LIBRARY_PATH": str(build / "lib"),
                   "PKG_CONFIG_PATH": str(build / "meson-uninstalled")}
    try:
        done = subprocess.run(["sh", "-euc", commands], cwd=directory, env=environment, text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=SECONDS)
    except subprocess.TimeoutExpired as late:
        return "no", (late.stdout or b"").decode(errors="replace")
    return done.returncode, done.stdout


def check(path, build):
    """Complaints about one file, and how many of its blocks were run."""
    found, count = [], 0
    source = pathlib.Path(__file__).resolve().parent.parent.parent
    with tempfile.TemporaryDirectory(prefix="oe-docs-") as directory:
        if (source / "examples").is_dir():
            os.symlink(source / "examples", os.path.join(directory, "examples"))
        for line, marks, commands in blocks(path.read_text()):
            if file_of(marks):
                pathlib.Path(directory, file_of(marks)).write_text(commands)
                continue
            try:
                wanted = expected_status(marks)
            except ValueError as unsaid:
                found.append(f"{path}:{line}: {unsaid}")
                continue
            if wanted is None:
                continue
            status, output = run(commands, directory, build)
            count += 1
            if status != wanted:
                found.append(f"{path}:{line}: exit status {status}, not {wanted}:\n{output}")
                break  # the next ones build on it
    return found, count


def main(build, *paths):
    found, count = [], 0
    for path in paths:
        wrong, ran = check(pathlib.Path(path), pathlib.Path(build).resolve())
        found, count = found + wrong, count + ran
    print(f"{count} blocks of {len(paths)} files")
    if found:
        sys.exit("\n".join(found))
    sys.exit(0 if count else SKIP)


if __name__ == "__main__":
    main(*sys.argv[1:])
