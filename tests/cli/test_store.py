#!/usr/bin/env python3
"""A disk that is full, a directory that may only be read, pages that are damaged: one sentence, exit
7, and nothing is worse than before."""
import contextlib
import hashlib
import json
import os
import re
import resource
import shutil
import signal
import sqlite3
import unittest

from oe import STORE, Case, main

CONFIG = "llm: {backend: mutate}\ncheckpoint_interval: 1000\nsandbox: {mode: none}\n"
SCORE = """#!/bin/sh
echo "{\\"combined_score\\": $(cksum < "$1" | cut -c 1-3)}" >&"$OE_RESULT_FD"
"""
NOBODY = 65534


class Store(Case):
    def run_limited(self, size, *words, code=STORE):
        """oe, where no file may be larger than `size` bytes: a disk that is full."""
        process = self.start(*words, preexec_fn=lambda: resource.setrlimit(
            resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY)))
        return self.finish(process, code)

    def begin(self, *words):
        """By a command: the limit holds for evaluators, too, and Python's write more."""
        self.write("score.sh", SCORE).chmod(0o755)
        return ("run", "initial_program.py", "score.sh", "-c", "config.yaml", "-o", "out",
                "--progress", "none", *words)

    def assert_sound(self):
        self.oe("checkpoint", "verify", "out")

    def ended(self):
        """Iterations that have ended after the log."""
        if not self.path("out/run.db").exists():
            return 0
        with contextlib.closing(sqlite3.connect(self.path("out/run.db"))) as database:
            return database.execute("SELECT count(outcome) FROM log WHERE kind IN ('commit', 'fail')").fetchone()[0]

    def test_full(self):
        """Wherever it fills up: what was told is there, and the run goes on when there is room again."""
        self.problem(CONFIG)
        events = self.path("events")
        told = 0
        for size in (100_000, 150_000, 400_000):
            # It may be full before the run has begun: then there is none to go on with.
            words = self.begin("-i", "100000", "--resume")
            before = self.ended()
            result = self.run_limited(size, *words, "--events", events)
            # The summary tells of those that will still be there.
            said = re.search(r"stopped  (\d+) iterations in", result.err)
            self.assertEqual(int(said[1]) if said else 0, self.ended() - before)
            last = result.err.strip().splitlines()[-1]
            self.assertRegex(result.err, r"run\.db: .*(full|cannot be written)", result)
            self.assertNotIn("Traceback", last)
            self.assert_sound()
            database = sqlite3.connect(self.path("out/run.db"))
            there = {row[0] for row in database.execute("SELECT program_id FROM log"
                                                        " WHERE kind = 'commit'")}
            database.close()
            for line in events.read_text().split("\n")[:-1]:
                if '"type": "iteration"' in line or '"type":"iteration"' in line:
                    told += 1
                    program = line.split('"program_id"')[1].split('"')[1]
                    if '"committed"' in line:
                        self.assertIn(program, there)
            events.unlink()
        self.assertGreater(told, 10)
        done = self.status()["iterations"]["done"]
        self.oe("resume", "out", "-i", "5", "--progress", "none")
        self.assertGreaterEqual(self.status()["iterations"]["done"], done + 5)
        self.assert_sound()

    def test_no_room_at_all(self):
        self.problem(CONFIG)
        self.assert_one_sentence(self.run_limited(5000, *self.begin("-i", "5")), "run.db")

    def test_exports_that_cannot_be_written(self):
        """However little one wants to hear: the best program is not where it should be."""
        self.problem(CONFIG)
        self.oe(*self.begin("-i", "3"))
        shutil.rmtree(self.path("out/best"))
        self.write("out/best", "")
        for quiet in (["-q"], ["--progress", "none"], ["-q", "--progress", "plain"], []):
            result = self.oe("resume", "out", "-i", "1", *quiet, code=STORE)
            self.assertEqual(result.out, "")
            self.assertIn("the checkpoint could not be written: ", result.err)
            self.assertIn("are not as the run ended", result.err.splitlines()[-1])
        self.path("out/best").unlink()
        self.assertEqual(self.oe("resume", "out", "-i", "0", "-q").err, "")
        self.assertTrue(self.path("out/best/best_program.py").exists())
        self.assertEqual(self.status()["iterations"]["done"], 7)

    @unittest.skipUnless(os.geteuid() == 0, "only root can be somebody else")
    def test_may_only_be_read(self):
        self.problem(CONFIG)
        self.oe(*self.begin("-i", "5"))
        os.chmod(self.directory, 0o755)
        before = hashlib.sha256(self.path("out/run.db").read_bytes()).digest()
        try:
            process = self.start("resume", "out", "-i", "5", preexec_fn=lambda: os.setuid(NOBODY))
        except PermissionError:
            self.skipTest("nobody else may look at where oe was built")
        self.assert_one_sentence(self.finish(process, STORE), "out", "ermission denied")
        self.assertEqual(hashlib.sha256(self.path("out/run.db").read_bytes()).digest(), before)
        self.assert_sound()
        self.oe("resume", "out", "-i", "1")
        self.assert_one_sentence(self.reading("checkpoint", "prune", "out", "--keep", "1"), "checkpoint_5: Permission denied")

    def reading(self, *words):
        """oe as somebody who may write nothing in out/."""
        try:
            process = self.start(*words, preexec_fn=lambda: os.geteuid() or os.setuid(NOBODY))
        except PermissionError:
            self.skipTest("nobody else may look at where oe was built")
        return self.finish(process, STORE)

    def test_interrupted_and_may_only_be_read(self):
        """What was written last is in a file that cannot be read without another one, which cannot be made."""
        self.problem(CONFIG)
        process = self.start(*self.begin("-i", "100000"))
        self.wait_for(lambda: self.oe("status", "out", code=None).code == 0, what="the run")
        self.wait_for(lambda: self.status()["iterations"]["done"] > 5, what="the run")
        os.killpg(process.pid, signal.SIGKILL)
        self.finish(process, -signal.SIGKILL)
        self.assertGreater(self.path("out/run.db-wal").stat().st_size, 0)
        self.path("out/run.db-shm").unlink()
        os.chmod(self.directory, 0o755)
        os.chmod(self.path("out"), 0o555)
        self.addCleanup(os.chmod, self.path("out"), 0o755)
        for words in (("status", "out"), ("list", "out"), ("replay", "out"), ("checkpoint", "verify", "out")):
            self.assert_one_sentence(self.reading(*words), "out/run.db: its write-ahead log cannot be read where "
                                     "nothing can be written: copy the run to where it can")
        self.assert_one_sentence(self.reading("resume", "out", "-i", "1"), "cannot write in 'out': Permission denied")
        os.chmod(self.path("out"), 0o755)
        shutil.copytree(self.path("out"), self.path("copy"))
        self.oe("checkpoint", "verify", "copy")
        self.assertGreater(self.status("copy")["iterations"]["done"], 5)

    def damaged(self, run):
        """Each page of its run.db in turn, overwritten with what is no page, and with nothing at all."""
        path = self.path(run + "/run.db")
        whole = path.read_bytes()
        for page in range(len(whole) // 4096):
            for filler in (b"\xa5", b"\0"):
                def damage():
                    for suffix in ("-wal", "-shm"):
                        self.path(run + "/run.db" + suffix).unlink(missing_ok=True)
                    path.write_bytes(whole[:page * 4096] + filler * 4096 + whole[(page + 1) * 4096:])
                damage()
                yield f"page {page + 1} of {filler}", damage
        path.write_bytes(whole)

    def assert_as_before_or_damaged(self, result, sound, what):
        """What could not be read is never told as if it were not there, and no figure is made up."""
        if result.code == 0:
            self.assertEqual(result.out, sound.out, what)
            return False
        self.assertEqual(result.code, STORE, f"{what}: {result}")
        self.assertRegex(result.err.splitlines()[-1], r"^oe .*run\.db: .*damaged", what)
        self.assertNotIn("to go on", result.err)
        return True

    def test_damaged(self):
        """Whatever page it is: all is as it was, or it is said that run.db is damaged; resuming changes
        nothing of a run that it cannot read."""
        self.problem(CONFIG + "store: {snapshot_interval: 10}\n")
        self.oe(*self.begin("-i", "40"))
        reading = (("status", "out", "--json"), ("replay", "out"), ("checkpoint", "verify", "out"),
                   ("best", "out"), ("list", "out"), ("prompt", "out", "-i", "7"))
        resuming = ("resume", "out", "-i", "0", "--progress", "none")
        sound = {words: self.oe(*words) for words in reading}
        told = dict.fromkeys((*reading, resuming), 0)
        for what, damage in self.damaged("out"):
            for words in reading:
                result = self.oe(*words, code=None)
                if words[0] == "status" and result.code == 0:
                    # One of a text that is not JSON any more is as good as none.
                    result.out, sound[words].out = (
                        json.dumps({**json.loads(out), "sandbox": None}) for out in (result.out, sound[words].out))
                if words[0] == "checkpoint":  # the checkpoints are sound
                    result.out = sound[words].out = ""
                told[words] += self.assert_as_before_or_damaged(result, sound[words], f"{words}: {what}")
                if result.code and words[0] != "checkpoint":
                    self.assert_one_sentence(result)
            result = self.oe(*resuming, code=None)
            result.out = ""
            told[resuming] += self.assert_as_before_or_damaged(result, result, f"{resuming}: {what}")
            damage()
        self.assertGreater(min(told.values()), 10, told)


if __name__ == "__main__":
    main()
