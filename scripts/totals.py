#!/usr/bin/env python3
"""Print "N passed, N failed, N skipped" from meson's test log, and exit with the run's status.

Before that line it is said of every test that failed what it said itself: in few words, as those who read the
log of another machine may see nothing but its end.
"""
import collections
import json
import re
import sys

ROOM = 850  # characters for what is said of failures: several fit in the last thousand of a log
LINE = 200
KINDS = {"OK": "passed", "EXPECTEDFAIL": "passed", "SKIP": "skipped"}

# Of Check, of the abuse and torture suites, of an assertion in C, and of the sanitizers.
COMPLAINT = re.compile(r"\S+:\d+:[FE]:|T\S+ .*\bcase \d+ |FAILED (?!\()|.*Assertion .* failed|.*: runtime error: |.*ERROR: \w+Sanitizer")
UNITTEST = re.compile(r"^(FAIL|ERROR): (.*)$")
RAISED = re.compile(r"^[A-Za-z_][\w.]*(Error|Exception|Exit|Interrupt|Expired|Failure)\b")


def cut(text, room):
    return text if len(text) <= room else text[:max(room - 3, 0)] + "..."


def of_unittest(lines):
    """The name of each test, with what was raised and how that message ends."""
    starts = [at for at, line in enumerate(lines) if UNITTEST.match(line)]
    for start, end in zip(starts, [*starts[1:], len(lines)]):
        block = []
        for line in lines[start + 1:end]:
            if re.match(r"={70}|Ran \d+ test", line):
                break
            if line.strip() and not re.fullmatch(r"-{70}", line):
                block.append(line)
        raised = [line for line in block if RAISED.match(line)]
        said = [raised[-1] if raised else "", block[-1] if block else ""]
        kind, name = UNITTEST.match(lines[start]).groups()
        words = [cut(line.strip(), LINE // 2) for line in dict.fromkeys(said) if line]
        yield ": ".join([f"{kind} {name.split(' (')[0]}", " ... ".join(words)])


def telling(test):
    """The few lines of a test's output that say what is wrong."""
    lines = "\n".join(test.get(stream) or "" for stream in ("stdout", "stderr")).splitlines()
    found = [line for line in lines if COMPLAINT.match(line)] + list(of_unittest(lines))
    return found or [line for line in lines if line.strip()][-3:]


def describe(test, room):
    name = test["name"].split(" / ")[-1]
    head = f"{name}: {test['result']} after {test.get('duration', 0):.0f} s"
    said, left = [head], room - len(head) - 1
    lines = telling(test)
    for at, line in enumerate(lines):
        line = cut(" ".join(line.split()), LINE)
        if len(line) + 3 > left:
            if len(said) > 1 or left < 40:
                said.append(f"  ({len(lines) - at} more)")
                break
            line = cut(line, left - 3)
        said.append("  " + line)
        left -= len(line) + 3
    return said


def main():
    log, status = sys.argv[1], int(sys.argv[2])
    with open(log, encoding="utf-8") as lines:
        tests = [json.loads(line) for line in lines]
    kinds = [KINDS.get(test["result"], "failed") for test in tests]
    failed = [test for test, kind in zip(tests, kinds) if kind == "failed"]
    for test in failed:
        print(*describe(test, ROOM // len(failed)), sep="\n")
    counts = collections.Counter(kinds)
    print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    sys.exit(1 if failed or not counts["passed"] else status)


if __name__ == "__main__":
    main()
