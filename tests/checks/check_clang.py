#!/usr/bin/env python3
"""clang has no complaint about any file of a build that another compiler made.

    check_clang.py BUILD

It reads how each file is compiled from BUILD/compile_commands.json, and looks only: nothing is
compiled. Without clang there is nothing to be said (exit status 77: skipped).
"""
import concurrent.futures
import json
import os
import pathlib
import shlex
import shutil
import subprocess
import sys

# Where the result goes, with how many words behind it.
RESULT = {"-o": 1, "-c": 0, "-MD": 0, "-MQ": 1, "-MF": 1}


def command_of(entry):
    """The words of the compiler's command that say what the file means."""
    words = iter(shlex.split(entry["command"]))
    kept = []
    for word in words:
        if word in RESULT:
            for _ in range(RESULT[word]):
                next(words)
        elif word.startswith("-"):
            kept.append(word)
    return ["clang", "-fsyntax-only", "-Wno-unknown-warning-option", *kept, entry["file"]]


def complaint(entry):
    done = subprocess.run(command_of(entry), cwd=entry["directory"], capture_output=True, text=True)
    return done.stderr if done.returncode else ""


def check(build):
    entries = json.loads((build / "compile_commands.json").read_text())
    once = {entry["file"]: entry for entry in entries if entry["file"].endswith(".c")}
    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        return "".join(pool.map(complaint, once.values()))


if __name__ == "__main__":
    sys.exit((check(pathlib.Path(sys.argv[1])) or 0) if shutil.which("clang") else 77)
