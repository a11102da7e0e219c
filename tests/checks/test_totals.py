#!/usr/bin/env python3
"""What scripts/totals.py says at the end of a log, where it may be all that somebody sees."""
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

TOTALS = pathlib.Path(__file__).resolve().parents[2] / "scripts/totals.py"

UNITTEST = """test_a (__main__.Some.test_a) ... FAIL
test_b (__main__.Some.test_b) ... ERROR

======================================================================
ERROR: test_b (__main__.Some.test_b)
----------------------------------------------------------------------
Traceback (most recent call last):
  File "test_b.py", line 7, in test_b
    raise KeyError("gone")
KeyError: 'gone'

======================================================================
FAIL: test_a (__main__.Some.test_a)
----------------------------------------------------------------------
Traceback (most recent call last):
  File "test_a.py", line 3, in test_a
    self.fail("exit code 0 was expected")
AssertionError: exit code 0 was expected: exit 7 in 0.1 s
--- out

--- err
oe run: out/run.db: the disk is full

----------------------------------------------------------------------
Ran 2 tests in 0.010s

FAILED (failures=1, errors=1)
"""
CHECK = """Running suite(s): watch
66%: Checks: 3, Failures: 1, Errors: 1
../tests/unit/scheduler/test_watch.c:57:F:watch:test_ends:0: Assertion 'got == 1' failed: got == 0, 1 == 1
../tests/unit/scheduler/test_watch.c:60:E:watch:test_hangs:0: (after this point) Test timeout expired
"""
ABUSE = """T2u: 40 s
case      T2u
T2u cold case 24 leave_files: verdict 'ok', not 'exited'
T1r warm case 3 fork_bomb: 4 processes are left
"""


class Totals(unittest.TestCase):
    def totals(self, *tests, status=0, code):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as log:
            for name, result, stdout, stderr in tests:
                log.write(json.dumps({"name": f"openevolve:suite / {name}", "result": result, "duration": 2.25,
                                      "stdout": stdout, "stderr": stderr}) + "\n")
            log.flush()
            run = subprocess.run([sys.executable, TOTALS, log.name, str(status)], stdout=subprocess.PIPE, text=True)
        self.assertEqual(run.returncode, code, run.stdout)
        return run.stdout.splitlines()

    def test_all_is_well(self):
        tests = [("a", "OK", "FAILED to scare", ""), ("b", "SKIP", "", ""), ("c", "EXPECTEDFAIL", "", "")]
        self.assertEqual(self.totals(*tests, code=0), ["2 passed, 0 failed, 1 skipped"])
        self.assertEqual(self.totals(*tests, status=3, code=3), ["2 passed, 0 failed, 1 skipped"])
        self.assertEqual(self.totals(("a", "SKIP", "", ""), code=1), ["0 passed, 0 failed, 1 skipped"])
        self.assertEqual(self.totals(code=1), ["0 passed, 0 failed, 0 skipped"])

    def test_what_failed(self):
        said = self.totals(("cli-run", "FAIL", "", UNITTEST), ("fine", "OK", CHECK, ""), code=1)
        self.assertEqual(said, [
            "cli-run: FAIL after 2 s",
            "  ERROR test_b: KeyError: 'gone'",
            "  FAIL test_a: AssertionError: exit code 0 was expected: exit 7 in 0.1 s"
            " ... oe run: out/run.db: the disk is full",
            "1 passed, 1 failed, 0 skipped"])
        said = self.totals(("watch", "FAIL", CHECK, ""), code=1)
        self.assertEqual(said[1:3], ["  " + line for line in CHECK.splitlines()[2:]])
        said = self.totals(("sandbox", "FAIL", ABUSE, "Traceback"), code=1)
        self.assertEqual(said[1:3], ["  " + line for line in ABUSE.splitlines()[2:]])
        said = self.totals(("torture", "FAIL", "a\nFAILED torture seed memory 3: it leaks 1 block\nb\n", ""), code=1)
        self.assertEqual(said[1:2], ["  FAILED torture seed memory 3: it leaks 1 block"])

    def test_what_nobody_knows_the_form_of(self):
        said = self.totals(("x", "TIMEOUT", "one\ntwo\n\nthree\n", "four"), code=1)
        self.assertEqual(said, ["x: TIMEOUT after 2 s", "  two", "  three", "  four", "0 passed, 1 failed, 0 skipped"])
        said = self.totals(("x", "FAIL", None, None), code=1)
        self.assertEqual(said[0], "x: FAIL after 2 s")

    def test_the_end_of_the_log_holds_all_of_it(self):
        for count in (1, 3, 8):
            noise = CHECK.replace("got == 0", "got == " + "0123456789" * 100) * 30
            tests = [(f"test-{number}", "FAIL", noise, UNITTEST * 9) for number in range(count)]
            said = self.totals(*tests, code=1)
            text = "\n".join(said)
            self.assertLess(len(text), 1000)
            for number in range(count):
                self.assertIn(f"test-{number}: FAIL after 2 s\n  ../tests/unit/", text)


if __name__ == "__main__":
    unittest.main(verbosity=2)
