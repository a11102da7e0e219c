#!/usr/bin/env python3
"""kill -9 at random moments: nothing that was told, or paid for, is lost.

25 kills, and 1000 with OE_LONG=1, or OE_KILLS of them, of a run in steady and of one in ordered semantics.
Three in four are at a moment soon after as many calls were in flight as may be (half of them in the short
form), the others at any. OE_TORTURE_SEED repeats the moments of another time, as far as the machine lets it.
"""
import os
import pathlib
import random
import shutil
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "cli"))
from oe import ROOT, Case, FakeLLM, main  # noqa: E402

from books import Books  # noqa: E402

LONG = "OE_LONG" in os.environ
KILLS = int(os.environ.get("OE_KILLS", 1000 if LONG else 25))
SEED = int(os.environ.get("OE_TORTURE_SEED", time.time_ns() & 0xffffff))
PRELOADED = os.environ.get("OE_DIE_AT_ANSWER")
IN_FLIGHT = 64
LONGEST = 1.5 if LONG else 0.3  # seconds that a session may live: from its begin, or from those requests on
ENOUGH = IN_FLIGHT if LONG else IN_FLIGHT // 2  # requests to wait for
PATIENCE = 20                   # seconds to wait for them, and no longer
LATENCY = {"latency": 2000 if LONG else 300, "latency_sigma": 0.5}
LINE = 65                       # bytes of the journal for a request

CONFIG = f"""
random_seed: 7
max_iterations: 1000000
checkpoint_interval: 40
llm: {{primary_model: fake, concurrency: {IN_FLIGHT}}}
evaluator: {{parallel_evaluations: 4, cascade_evaluation: false}}
hub: {{semantics: %s, window: %d}}
prompt: {{template_dir: templates, template_variations: {{luck: {[str(number) for number in range(1000)]}}}}}
"""


class Kill(Case):
    def session(self, fake, number, words, dice=None):
        """oe, for a while or to its end. @return its events."""
        events = self.path(f"events-{number}")
        asked = self.requests()
        process = self.start(*words, "--api-base", fake.url, "--progress", "none", "--events",
                             events)
        if dice is not None:
            if dice.random() < 0.75:
                self.wait_for_requests(process, asked + ENOUGH)
            time.sleep(dice.uniform(0.02, LONGEST))  # the moment is the point; nothing is waited for
            process.kill()
            said = process.communicate()
            self.assertEqual(process.returncode, -9, f"seed {SEED}: it ended by itself: {said}")
        else:
            self.finish(process, timeout=300)
        return events

    def requests(self):
        journal = self.path("journal")
        return journal.stat().st_size // LINE if journal.exists() else 0

    def wait_for_requests(self, process, count):
        deadline = time.monotonic() + PATIENCE
        while self.requests() < count and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)

    def begin(self):
        """The words that go on with the run, or begin it if its begin was not durable."""
        if self.books.log.seq > 0:
            return ["resume", "out"]
        return ["run", "initial_program.py", "evaluator.py", "-c", "config.yaml", "-o", "out",
                "--resume"]

    def keep_books(self, fake, number, words, dice=None):
        events = self.session(fake, number, words, dice)
        self.books.end_session(events, killed=dice is not None)
        events.unlink(missing_ok=True)
        for old in sorted(self.path("out").glob("checkpoints/checkpoint_*"),
                          key=lambda path: int(path.name.rpartition("_")[2]))[:-2]:
            shutil.rmtree(old)  # a long run writes many

    def prepare(self, semantics="steady", window=0):
        shutil.rmtree(self.path("out"), ignore_errors=True)
        self.path("journal").unlink(missing_ok=True)
        self.problem(CONFIG % (semantics, window))
        # Hardly two prompts are the same, and so hardly two children.
        text = (ROOT / "lib/prompt/templates/diff_user.txt").read_text()
        self.write("templates/diff_user.txt", text + "\nYour lucky number is {luck}.\n")
        self.books = Books(self.path("out"), self.path("journal"))

    def kill_and_resume(self, fake):
        """KILLS times, and to the end of what had begun. @return how many iterations that was."""
        dice = random.Random(SEED)
        began = time.monotonic()
        for number in range(KILLS):
            self.keep_books(fake, number, self.begin(), dice)
        seconds = time.monotonic() - began
        self.keep_books(fake, KILLS, self.begin() + ["-i", 10])
        books, log = self.books, self.books.log
        repeats = books.settle()
        self.assertEqual(self.status()["iterations"]["done"], len(log.issued))
        self.assertGreater(len(log.committed), KILLS)
        full = sum(flight >= IN_FLIGHT for flight in books.flights)
        print(f"seed {SEED}: {books.kills} kills in {seconds:.0f} s, {len(log.issued)} iterations, "
              f"{len(books.told)} told of, {len(log.committed)} programs: 0 lost, 0 twice; "
              f"{books.asked} requests, {repeats} repeated, {sum(books.flights)} in flight at the "
              f"kills, {IN_FLIGHT} or more at {full} of them", flush=True)
        return len(log.issued)

    def test_at_any_moment(self):
        self.prepare()
        with FakeLLM(journal=self.path("journal"), **LATENCY) as fake:
            self.kill_and_resume(fake)

    def test_in_order(self):
        """What was killed again and again is what was never interrupted."""
        self.prepare("ordered", 4 * IN_FLIGHT)
        with FakeLLM(pure=1, journal=self.path("journal"), **LATENCY) as fake:
            iterations = self.kill_and_resume(fake)
            killed = self.status()["archive_hash"]
            told = self.books.told
            self.prepare("ordered", 4 * IN_FLIGHT)
            fake.control(latency=1)
            self.keep_books(fake, KILLS + 1, [*self.begin(), "-i", iterations])
        whole = self.books.told
        self.assertEqual(len(whole), iterations)
        self.assertEqual(told, {number: whole[number] for number in told})
        self.assertEqual(self.status()["archive_hash"], killed)

    @unittest.skipUnless(PRELOADED, "a sanitizer is in its place")
    def test_durable_and_not_read(self):
        """An answer that is on disk, but was never parsed, is not asked for again."""
        for iterations, answers in ((1, 1), (IN_FLIGHT, 20)):
            with self.subTest(iterations=iterations):
                self.prepare()
                books = self.books
                with FakeLLM(latency=50, journal=self.path("journal")) as fake:
                    process = self.start(*self.begin(), "-i", iterations, "--api-base", fake.url,
                                         env={"LD_PRELOAD": PRELOADED, "DIE_AT_ANSWER": answers})
                    self.finish(process, code=-9)
                    books.end_session(self.path("none"), killed=True)
                    there, asked = len(books.log.answered), books.asked
                    self.assertGreaterEqual(there, answers)
                    self.assertLess(len(books.log.ends), there)
                    self.keep_books(fake, 1, ["resume", "out"])
                self.assertEqual(books.asked - asked, iterations - there)
                self.assertEqual(len(books.log.ends), iterations)
                books.settle()


if __name__ == "__main__":
    main()
