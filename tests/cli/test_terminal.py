#!/usr/bin/env python3
"""The live display, on a terminal of our own."""
import fcntl
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import struct
import termios
import time
import unittest

from oe import DONE, INTERRUPTED, PATIENCE, Case, FakeLLM, main


# Evaluations that are seen at work; that of the initial program is none of them.
LONG = """import time
def evaluate(path):
    time.sleep(0 if "scale = 1.5" in open(path).read() else 1.5)
    return {"combined_score": 1.0}
"""


class Screen:
    """What is written to a terminal, and enough of what it does to see the last lines."""

    def __init__(self, columns=100, rows=30):
        self.master, self.slave = pty.openpty()
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.text = ""

    def read(self, until, seconds=PATIENCE):
        """Reads until `until(text)`, or the other side is gone."""
        deadline = time.monotonic() + seconds
        while not until(self.text):
            ready, _, _ = select.select([self.master], [], [], max(0, deadline - time.monotonic()))
            if not ready:
                raise AssertionError(f"not seen in {seconds} s: {self.text[-2000:]!r}")
            try:
                data = os.read(self.master, 65536)
            except OSError:
                return
            if not data:
                return
            self.text += data.decode(errors="replace")

    def close(self):
        os.close(self.master)


class Terminal(Case):
    def run_on(self, screen, *words, env=None, stdout=None):
        environment = {"TERM": "xterm-256color", **(env or {})}
        process = self.start("run", "initial_program.py", "evaluator.py", "-c", "config.yaml", "-o",
                             "out", *words, env=environment, stderr=screen.slave,
                             stdout=stdout if stdout is not None else screen.slave)
        os.close(screen.slave)
        self.addCleanup(screen.close)
        return process

    def end_of(self, process, code):
        self.assertEqual(process.wait(timeout=PATIENCE), code)

    def test_display(self):
        self.problem("llm: {primary_model: tiny}\n")
        with FakeLLM(latency=30) as fake:
            screen = Screen()
            process = self.run_on(screen, "-i", "60", "--api-base", fake.url, "--llm-jobs", "2")
            screen.read(lambda text: False)
            self.end_of(process, DONE)
        for part in ("best", "islands", "llm", "eval", "/60", "done  60 iterations"):
            self.assertIn(part, screen.text)
        # The cursor that was hidden is shown again, and no sequence is left open.
        self.assertLess(screen.text.rindex("\x1b[?25l"), screen.text.rindex("\x1b[?25h"))
        self.assertEqual(screen.text.count("\x1b[?2026h"), screen.text.count("\x1b[?2026l"))
        self.assertRegex(screen.text, "\x1b\\[[0-9;]*m")

    def test_no_colour(self):
        self.problem("llm: {backend: mutate}\n")
        screen = Screen()
        process = self.run_on(screen, "-i", "30", env={"NO_COLOR": "1"})
        screen.read(lambda text: False)
        self.end_of(process, DONE)
        self.assertNotRegex(screen.text, "\x1b\\[[0-9;]*3[0-9]m")

    def test_a_narrow_terminal(self):
        self.problem("llm: {primary_model: tiny}\n")
        with FakeLLM(latency=30) as fake:
            screen = Screen(columns=40, rows=8)
            process = self.run_on(screen, "-i", "30", "--api-base", fake.url, "--llm-jobs", "2")
            screen.read(lambda text: False)
            self.end_of(process, DONE)
        block = screen.text.split("done  30")[0]
        plain = re.sub("\x1b\\][^\x07]*\x07|\x1b\\[[0-9;?]*[A-Za-z]", "", block)
        for line in re.split("[\r\n]", plain):
            self.assertLessEqual(len(line), 40, repr(line))

    def test_ctrl_c_says_what_the_next_one_does(self):
        self.problem("llm: {primary_model: tiny}\n", evaluator=LONG)
        with FakeLLM(latency=50) as fake:
            screen = Screen()
            process = self.run_on(screen, "-i", "5000", "--api-base", fake.url)
            screen.read(lambda text: re.search(r"eval ([1-9][0-9]*)/\1 busy", text))
            process.send_signal(signal.SIGINT)
            screen.read(lambda text: False)
            self.end_of(process, INTERRUPTED)
        self.assertIn("Ctrl-C", screen.text)
        self.assertTrue(screen.text.rstrip().endswith("out") or "resume" in screen.text)

    def test_places_are_counted_for_the_processors_that_may_be_used(self):
        """Of a machine that has many, one may be all that this process was given."""
        self.problem("llm: {primary_model: tiny}\n", evaluator=LONG)
        mine = os.sched_getaffinity(0)
        with FakeLLM(latency=50) as fake:
            screen = Screen()
            os.sched_setaffinity(0, [min(mine)])
            try:
                process = self.run_on(screen, "-i", "5000", "--api-base", fake.url)
            finally:
                os.sched_setaffinity(0, mine)
            screen.read(lambda text: "busy  queue" in text and "eval 1/" in text)
            process.send_signal(signal.SIGINT)
            screen.read(lambda text: False)
            self.end_of(process, INTERRUPTED)
        self.assertEqual(set(re.findall(r"eval \d+/(\d+)", screen.text)), {"1"})

    def watched(self, fake):
        """A run whose display is up."""
        self.problem("llm: {primary_model: tiny}\n")
        shutil.rmtree(self.path("out"), ignore_errors=True)
        screen = Screen()
        process = self.run_on(screen, "-i", "5000", "--api-base", fake.url)
        screen.read(lambda text: "^C stops" in text)
        return screen, process

    def test_whatever_ends_it_shows_the_cursor(self):
        for number in (signal.SIGQUIT, signal.SIGSEGV, signal.SIGABRT):
            with FakeLLM(latency=50) as fake:
                screen, process = self.watched(fake)
                process.send_signal(number)
                screen.read(lambda text: False)
                code = process.wait(timeout=PATIENCE)
            self.assertEqual(code, 70 if number == signal.SIGABRT else -number)
            self.assertLess(screen.text.rindex("\x1b[?25l"), screen.text.rindex("\x1b[?25h"))

    def test_suspended_and_continued(self):
        with FakeLLM(latency=50) as fake:
            screen, process = self.watched(fake)
            process.send_signal(signal.SIGTSTP)
            screen.read(lambda text: "\x1b[?25h" in text)
            self.wait_for(lambda: (pathlib.Path(f"/proc/{process.pid}/stat").read_text().split(") ")[1][0]
                                   == "T"), what="the stop")
            before = len(screen.text)
            process.send_signal(signal.SIGCONT)
            screen.read(lambda text: "\x1b[?25l" in text[before:])
            process.send_signal(signal.SIGINT)
            screen.read(lambda text: False)
            self.end_of(process, INTERRUPTED)

    def test_hostile_text_in_the_display(self):
        self.problem("llm: {backend: mutate}\n", evaluator=r"""
def evaluate(path):
    if "scale = 1.5" not in open(path).read():
        raise ValueError("\x1b]0;owned\x07\x1b[2J\x9b31m\u202eright to left")
    return {"combined_score": 1.0}
""")
        screen = Screen()
        process = self.run_on(screen, "-i", "5")
        screen.read(lambda text: False)
        self.end_of(process, DONE)
        self.assertIn("owned", screen.text)
        for part in ("\x1b]0;", "\x1b[2J", "\x9b", "\u202e"):
            self.assertNotIn(part, screen.text)

    def test_plain_lines_without_a_terminal(self):
        self.problem("llm: {backend: mutate}\n")
        result = self.run_problem("-i", "5")
        self.assertNotIn("\x1b", result.err)
        self.assertNotIn("\r", result.err)
        lines = [line for line in result.err.splitlines() if re.match(r"\d{4}-\d\d-\d\dT", line)]
        self.assertGreaterEqual(len([line for line in lines if "iter=" in line]), 5)

    def test_quiet(self):
        self.problem("llm: {backend: mutate}\n")
        result = self.run_problem("-i", "5", "-q")
        self.assertEqual((result.err, result.out), ("", "out/best/best_program.py\n"))


if __name__ == "__main__":
    main()
