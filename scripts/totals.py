#!/usr/bin/env python3
"""Print "N passed, N failed, N skipped" from meson's test log, and exit with the run's status."""
import collections
import json
import sys

log, status = sys.argv[1], int(sys.argv[2])
counts = collections.Counter()
with open(log, encoding="utf-8") as lines:
    for line in lines:
        result = json.loads(line)["result"]
        kind = {"OK": "passed", "EXPECTEDFAIL": "passed", "SKIP": "skipped"}.get(result, "failed")
        counts[kind] += 1
print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
sys.exit(1 if counts["failed"] or not counts["passed"] else status)
