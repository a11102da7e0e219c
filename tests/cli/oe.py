"""What the tests of the command share: a working directory, small problems, and oe itself.

    class Some(Case):
        def test_it(self):
            self.problem()
            result = self.oe("run", "initial_program.py", "evaluator.py", "-i", "5")
            self.assertEqual(result.json(...), ...)

`oe()` fails the test when the exit code is not the expected one, or when oe takes longer than it may.
"""
import json
import os
import pathlib
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
os.environ.setdefault("OE", str(ROOT / "build/cli/oe"))
os.environ.setdefault("OE_FAKE_LLM", str(ROOT / "build/tests/bench/fake_llm"))
sys.path.insert(0, str(HERE.parent / "support"))
from fake_llm import FakeLLM  # noqa: E402,F401

OE = os.environ["OE"]

# Seconds. A limit ends what hangs, and measures nothing: no machine is so slow or so busy.
PATIENCE = 300

# Exit codes, as the manual states them.
DONE, FAILED, USAGE, CONFIG, UNUSABLE, MODELS, TARGET, STORE, SANDBOX = range(9)
INTERRUPTED, TERMINATED = 130, 143

PROGRAM = """import math
# EVOLVE-BLOCK-START
def area(radius):
    scale = 1.5
    return scale * radius * 0.25
# EVOLVE-BLOCK-END
"""

# Scores the constant; the further from 1.5, the better.
EVALUATOR = """import re

def evaluate(program_path):
    text = open(program_path).read()
    scale = float(re.search(r"scale = (-?[0-9.]+)", text).group(1))
    return {"combined_score": abs(scale - 1.5), "scale": scale}
"""


class Result:
    def __init__(self, process, out, err, seconds):
        self.code, self.out, self.err, self.seconds = process.returncode, out, err, seconds

    def json(self):
        return json.loads(self.out)

    def lines(self):
        """NDJSON."""
        return [json.loads(line) for line in self.out.splitlines()]

    def __str__(self):
        return f"exit {self.code} in {self.seconds:.1f} s\n--- out\n{self.out}\n--- err\n{self.err}"


class Case(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="oe-cli-"))
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)

    # ---- files ----

    def path(self, name):
        return self.directory / name

    def write(self, name, text):
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def problem(self, config="", program=PROGRAM, evaluator=EVALUATOR):
        """initial_program.py, evaluator.py and config.yaml, with the fewest surprises."""
        self.write("initial_program.py", program)
        self.write("evaluator.py", evaluator)
        self.write("config.yaml", config)

    # ---- oe ----

    def environment(self, more=None):
        kept = {name: value for name, value in os.environ.items()
                if not name.startswith(("OE_", "OPENAI_", "ANTHROPIC_"))}
        kept.update(TERM="dumb", LC_ALL="C.UTF-8", NO_COLOR="")
        kept.update({name: str(value) for name, value in (more or {}).items()})
        return kept

    def start(self, *words, env=None, **popen):
        popen.setdefault("stdout", subprocess.PIPE)
        popen.setdefault("stderr", subprocess.PIPE)
        popen.setdefault("stdin", subprocess.DEVNULL)
        process = subprocess.Popen([OE, *map(str, words)], cwd=self.directory, text=True,
                                   errors="surrogateescape", env=self.environment(env), start_new_session=True, **popen)
        self.addCleanup(self.end, process)
        return process

    def end(self, process):
        if process.poll() is None:
            process.kill()
        process.wait()
        for stream in (process.stdout, process.stderr):
            if stream:
                stream.close()

    def finish(self, process, code=DONE, timeout=PATIENCE):
        began = time.monotonic()
        try:
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            self.fail(f"oe still ran after {timeout} s\n--- out\n{out}\n--- err\n{err}")
        result = Result(process, out, err, time.monotonic() - began)
        if code is not None and result.code != code:
            self.fail(f"exit code {code} was expected: {result}")
        self.assertNotIn("AddressSanitizer", err)
        return result

    def oe(self, *words, code=DONE, env=None, timeout=PATIENCE, stdin=None):
        """Runs oe to its end. `stdin` is text."""
        process = self.start(*words, env=env,
                             stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL)
        if stdin is not None:
            process.stdin.write(stdin)
            process.stdin.close()
            process.stdin = None
        return self.finish(process, code, timeout)

    def run_problem(self, *words, **how):
        return self.oe("run", "initial_program.py", "evaluator.py", "-c", "config.yaml",
                       "-o", "out", *words, **how)

    def status(self, run="out"):
        status = self.oe("status", run, "--json").json()
        iterations = status["iterations"]
        self.assertEqual(sum(iterations["outcomes"].values()), iterations["done"], status)
        self.assertLessEqual(iterations["done"], iterations["issued"])
        evaluations = status["evaluations"]
        self.assertLessEqual(evaluations["timed_out"] + evaluations["failed"],
                             evaluations["finished"])
        self.assertLessEqual(evaluations["finished"], evaluations["started"])
        self.assertLessEqual(status["llm"]["requests"], status["llm"]["attempts"])
        return status

    # ---- messages ----

    def assert_one_sentence(self, result, *parts):
        """Bad input gets one line that names what is wrong; no traceback, nothing on stdout."""
        self.assertEqual(result.out, "")
        lines = result.err.strip().splitlines()
        self.assertTrue(lines, "nothing was said")
        self.assertLessEqual(len(lines), 3, result.err)
        self.assertTrue(lines[0].startswith("oe"), result.err)
        for part in parts:
            self.assertIn(part, result.err)

    def wait_for(self, condition, seconds=PATIENCE, what="it"):
        """What another process does is only seen by looking; how long that takes is not asserted."""
        deadline = time.monotonic() + seconds
        while not condition():
            self.assertLess(time.monotonic(), deadline, f"{what} did not come about")
            time.sleep(0.01)


def processes(mark):
    """Identifiers of live processes with `mark` in their command line or environment."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            state = re.sub(r".*\) ", "", (entry / "stat").read_text(errors="replace"))[0]
            text = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
        except OSError:
            continue
        if state != "Z" and mark.encode() in text:
            found.append(int(entry.name))
    return found


class RunCase(Case):
    """Each test has its own copy of one run, which make() makes in out/; change() damages it."""

    @classmethod
    def setUpClass(cls):
        cls.owner = cls("setUp")
        Case.setUp(cls.owner)
        cls.owner.make()

    @classmethod
    def tearDownClass(cls):
        cls.owner.doCleanups()

    def setUp(self):
        super().setUp()
        self.take_run()

    def take_run(self):
        shutil.rmtree(self.path("out"), ignore_errors=True)
        shutil.copytree(self.owner.path("out"), self.path("out"))

    def change(self, *statements):
        database = sqlite3.connect(self.path("out/run.db"))
        with database:
            for statement in statements:
                self.assertGreater(database.execute(statement).rowcount, 0, statement)
        database.close()


def main():
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    unittest.main(verbosity=2)
