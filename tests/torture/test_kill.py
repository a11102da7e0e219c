#!/usr/bin/env python3
"""kill -9 at random moments: nothing that was told, or paid for, is lost.

50 kills, and 1000 with OE_LONG=1. OE_TORTURE_SEED repeats the moments of another time, as far as the
machine lets it.
"""
import os
import pathlib
import random
import shutil
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "cli"))
from oe import Case, FakeLLM, main  # noqa: E402

from books import Books  # noqa: E402

LONG = "OE_LONG" in os.environ
KILLS = int(os.environ.get("OE_KILLS", 1000 if LONG else 50))
SEED = int(os.environ.get("OE_TORTURE_SEED", time.time_ns() & 0xffffff))
PRELOADED = os.environ.get("OE_DIE_AT_ANSWER")
IN_FLIGHT = 64
LONGEST = 2.5 if LONG else 0.6  # seconds that a session may live

CONFIG = f"""
random_seed: 7
max_iterations: 1000000
checkpoint_interval: 40
llm: {{primary_model: fake, concurrency: {IN_FLIGHT}}}
evaluator: {{parallel_evaluations: 2, cascade_evaluation: false}}
"""


class Kill(Case):
    def session(self, fake, number, words, seconds=None):
        """oe, for a while or to its end. @return whether it was killed."""
        events = self.path(f"events-{number}")
        process = self.start(*words, "--api-base", fake.url, "--progress", "none", "--events",
                             events)
        if seconds is not None:
            time.sleep(seconds)  # the moment is the point; nothing is waited for
            process.kill()
            said = process.communicate()
            self.assertEqual(process.returncode, -9, f"seed {SEED}: it ended by itself: {said}")
        else:
            self.finish(process, timeout=120)
        return events

    def begin(self):
        """The words that go on with the run, or begin it if its begin was not durable."""
        if self.books.log.seq > 0:
            return ["resume", "out"]
        return ["run", "initial_program.py", "evaluator.py", "-c", "config.yaml", "-o", "out",
                "--resume"]

    def keep_books(self, fake, number, words, seconds=None):
        events = self.session(fake, number, words, seconds)
        self.books.end_session(events, killed=seconds is not None)
        events.unlink(missing_ok=True)
        for old in sorted(self.path("out").glob("checkpoints/checkpoint_*"),
                          key=lambda path: int(path.name.rpartition("_")[2]))[:-2]:
            shutil.rmtree(old)  # a long run writes many

    def setUp(self):
        super().setUp()
        self.problem(CONFIG)
        self.books = Books(self.path("out"), self.path("journal"))

    def test_at_any_moment(self):
        rng = random.Random(SEED)
        began = time.monotonic()
        # Late answers keep many in flight, early ones end the ramp.
        with FakeLLM(latency=300 if LONG else 100, latency_sigma=1.2, journal=self.path("journal")) as fake:
            for number in range(KILLS):
                self.keep_books(fake, number, self.begin(), rng.uniform(0.02, LONGEST))
            self.keep_books(fake, KILLS, self.begin() + ["-i", 10])
        repeats = self.books.settle()
        log = self.books.log
        self.assertEqual(self.status()["iterations"]["done"], len(log.issued))
        self.assertGreater(len(log.committed), KILLS)
        print(f"seed {SEED}: {self.books.kills} kills in {time.monotonic() - began:.0f} s, "
              f"{len(log.issued)} iterations, {len(self.books.told)} told of, "
              f"{len(log.committed)} programs: 0 lost, 0 twice; {self.books.asked} requests, "
              f"{repeats} repeated, {self.books.in_flight} in flight at the kills")

    @unittest.skipUnless(PRELOADED, "a sanitizer is in its place")
    def test_durable_and_not_read(self):
        """An answer that is on disk, but was never parsed, is not asked for again."""
        for iterations, answers in ((1, 1), (IN_FLIGHT, 20)):
            with self.subTest(iterations=iterations):
                shutil.rmtree(self.path("out"), ignore_errors=True)
                self.path("journal").unlink(missing_ok=True)
                self.books = books = Books(self.path("out"), self.path("journal"))
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
