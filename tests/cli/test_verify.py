#!/usr/bin/env python3
"""`oe checkpoint verify`: what it says of a sound run, and of each way in which one can be damaged."""
import shutil
import signal
import sqlite3
import unittest

from oe import FAILED, STORE, USAGE, RunCase, main

CONFIG = "llm: {backend: mutate}\ncheckpoint_interval: 10\n"


class Verify(RunCase):
    def make(self):
        self.problem(CONFIG)
        self.run_problem("-i", "10")
        for more in ("10", "5"):  # the end of a session has a checkpoint; within one, writing may take too long
            self.oe("resume", "out", "-i", more)

    def verify(self, *words, code=STORE):
        return self.oe("checkpoint", "verify", *words, code=code)

    def test_sound(self):
        lines = self.verify("out", code=0).out.splitlines()
        self.assertEqual([line.split()[0] for line in lines], ["sound"] * 4)  # 10, 20, and the end
        self.assertIn("run.db", lines[0])
        one = self.path("out/checkpoints/checkpoint_20")
        self.assertEqual(self.verify(one, code=0).out.split(maxsplit=1), ["sound", f"{one}\n"])
        told = self.oe("checkpoint", "verify", "--json").json()
        self.assertEqual((told["schema"], told["sound"], len(told["checked"])),
                         ("oe.verify/1", True, 4))
        self.assertEqual({entry["problem"] for entry in told["checked"]}, {None})

    def test_words(self):
        self.oe("checkpoint", code=USAGE)
        self.oe("checkpoint", "mend", code=USAGE)
        self.assert_one_sentence(self.verify("nowhere", code=FAILED), "nowhere: No such file")
        shutil.rmtree(self.path("out"))
        self.verify(code=FAILED)

    def test_rows(self):
        for statement, said in (
                ("DELETE FROM log WHERE seq = 9", "row 10 of the log: the row before it"),
                ("DELETE FROM program WHERE iteration = 7", "its program is missing"),
                ("DELETE FROM answer WHERE number = 7", "the answer that it was made from"),
                ("UPDATE log SET kind = 'seed' WHERE kind = 'issue' AND number = 5",
                 "an iteration that did not begin"),
                ("INSERT INTO log SELECT (SELECT max(seq) + 1 FROM log), kind, number, attempt, island,"
                 " outcome, program_id, message, evaluation_ms, verdict, time FROM log"
                 " WHERE kind = 'commit' AND number = 3", "for the second time"),
                ("UPDATE log SET outcome = 'rejected' WHERE kind = 'commit' AND number = 12",
                 "decides otherwise"),
                ("UPDATE log SET program_id = 'somebody' WHERE kind = 'issue' AND number = 12",
                 "another program is drawn"),
                ("DELETE FROM answer WHERE number = 25", "the answer that it was made from"),
                ("UPDATE answer SET number = 99 WHERE number = 7", "the answer that it was made from"),
                ("INSERT INTO prompt VALUES (99, 0, '', '')", "iteration 99, attempt 0 of the table prompt"),
                ("UPDATE log SET island = island + 1 WHERE kind = 'commit' AND number = 12", "another island"),
                ("UPDATE log SET island = 9 WHERE number = 12", "it was on island"),
                ("UPDATE program SET metrics = '{' WHERE iteration = 4", "of the table program: its metrics"),
                ("UPDATE program SET fitness = 99 WHERE iteration = 4", "of the table program: its fitness"),
                ("UPDATE program SET metrics = replace(metrics, 'scale', 'style') WHERE iteration = 4",
                 "its archive is not the one that the run ended with"),
                ("UPDATE answer SET text = CAST(x'ff' AS TEXT) WHERE number = 4", "of the table answer"),
                ("UPDATE meta SET value = 'zz' WHERE key = 'config'", "run.db: its settings are damaged: line 1"),
                ("UPDATE meta SET value = substr(value, 1, 99) WHERE key = 'templates'",
                 "run.db: its templates are damaged"),
                ("UPDATE meta SET value = 'zz' WHERE key = 'held_at'", "'held_at' of the table meta")):
            with self.subTest(statement=statement):
                self.take_run()
                self.change(statement)
                result = self.verify("out")
                self.assertEqual(len(result.err.splitlines()), 1, result)
                self.assertIn(said, result.err)
                self.assertEqual(len(result.out.splitlines()), 3)  # the checkpoints are sound
                self.assertFalse(self.oe("checkpoint", "verify", "out", "--json",
                                         code=STORE).json()["sound"])

    def test_going_on(self):
        """What cannot be read is said with its place by all who need it."""
        for statement, said, words in (
                ("UPDATE program SET code = CAST(x'61ff' AS TEXT) WHERE iteration = 7",
                 "of the table program: its code is not UTF-8 text", ("resume", "replay", "prompt")),
                ("UPDATE program SET metrics = '[]' WHERE iteration = 7",
                 "of the table program: its metrics are no JSON object", ("resume", "replay", "prompt")),
                ("UPDATE log SET kind = 'end' WHERE seq = 20", "run.db: row 20 of the log: its kind",
                 ("resume", "replay", "prompt")),
                ("UPDATE meta SET value = substr(value, 1, 99) WHERE key = 'templates'",
                 "run.db: its templates are damaged", ("replay", "prompt")),
                ("UPDATE meta SET value = '{}' WHERE key = 'templates'",
                 "run.db: its templates are damaged", ("replay", "prompt")),
                ("DELETE FROM meta WHERE key = 'config'", "run.db: the run has no", ("resume", "replay", "prompt")),
                ("UPDATE meta SET value = 'zz' WHERE key = 'config'", "run.db: its",
                 ("resume", "replay", "prompt")),
                ("UPDATE meta SET value = 'llm: {backend: guess}' WHERE key = 'config'", "run.db: its",
                 ("resume", "replay", "prompt"))):
            self.take_run()
            self.change(statement)
            for word in words:
                with self.subTest(statement=statement, word=word):
                    self.assert_one_sentence(self.oe(word, "out", code=STORE), "out/run.db: ", said)
        # Another configuration does not make up for the run's own, but begins another run.
        self.problem(CONFIG)
        self.assert_one_sentence(self.oe("resume", "out", "-c", "config.yaml", code=STORE), "run.db")
        self.oe("resume", "out/checkpoints/checkpoint_20", "-c", "config.yaml", "-i", "1", "-o", "other",
                "--progress", "none")

    def test_outcome_that_is_missing(self):
        """Of one that waits for its turn it is none yet; when the run has ended, all had theirs."""
        for semantics in ("ordered", "generation"):
            with self.subTest(semantics=semantics):
                self.problem(CONFIG)
                shutil.rmtree(self.path("out"))
                self.run_problem("-i", "10", "--set", f"hub.semantics={semantics}")
                self.verify("out", code=0)
                self.change("UPDATE log SET outcome = NULL"
                            " WHERE seq = (SELECT max(seq) FROM log WHERE kind = 'commit')")
                result = self.verify("out")
                self.assertEqual(len(result.err.splitlines()), 1, result)
                self.assertRegex(result.err, r"run\.db: iteration \d+: the outcome that it had is missing")
                self.change("UPDATE meta SET value = '' WHERE key = 'archive_hash'",  # one that was killed
                            "UPDATE meta SET value = 'running' WHERE key = 'state'")
                self.verify("out", code=0)

    def test_program_that_is_missing(self):
        """The log names it; whoever wants to see it is told so."""
        self.change("DELETE FROM program WHERE id IN (SELECT program_id FROM log WHERE kind = 'seed')")
        result = self.oe("diff", "best", "initial", "--run", "out", code=STORE)
        self.assert_one_sentence(result, "is missing")

    def test_end_of_the_log(self):
        """Without it, it is a log like any other; the checkpoints know more. Not those of others."""
        rows = sqlite3.connect(self.path("out/run.db")).execute("SELECT max(seq) FROM log").fetchone()[0]
        shutil.copytree(self.path("out"), self.path("other"))
        self.change("DELETE FROM log WHERE seq > 35")
        for words in (("checkpoint", "verify", "out"), ("resume", "out", "-i", "5")):
            result = self.oe(*words, code=STORE)
            self.assertEqual(len(result.err.splitlines()), 1, result)
            self.assertRegex(result.err, r"run\.db: its log has 1\d ended iterations, checkpoints/checkpoint_25 knows"
                                         r" of 25: .* another run")
        self.take_run()
        self.change(f"DELETE FROM log WHERE seq = {rows}")
        self.assertIn("knows of 25", self.verify("out").err)

        self.take_run()
        self.oe("resume", "other", "-i", "30", "--progress", "none")
        shutil.copytree(self.path("other/checkpoints/checkpoint_55"), self.path("out/checkpoints/checkpoint_55"))
        self.assertIn("knows of 55", self.verify("out").err)  # a copy of this run went on, and wrote it

    def test_checkpoints_of_others(self):
        """Whatever they know of: they were copied there, or lay there before."""
        self.problem(CONFIG)
        self.oe("run", "initial_program.py", "evaluator.py", "-c", "config.yaml", "-i", "40", "-o", "other",
                "--progress", "none")
        shutil.copytree(self.path("other/checkpoints/checkpoint_40"), self.path("out/checkpoints/checkpoint_40"))
        self.verify("out", code=0)
        self.oe("resume", "out", "-i", "1", "--progress", "none")
        # Its own run is gone; one that begins with an earlier one of it goes on.
        for name in ("run.db", "logs"):
            path = self.path("other") / name
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        first = min(self.path("other/checkpoints").iterdir(), key=lambda path: int(path.name[11:]))
        self.oe("run", "initial_program.py", "evaluator.py", "-c", "config.yaml", "--checkpoint", first, "-i", "1",
                "-o", "other", "--progress", "none")
        self.oe("resume", "other", "-i", "1", "--progress", "none")
        self.verify("other", code=0)

    def test_pages(self):
        """Bytes that changed anywhere: never a crash, and it is seen where SQLite can see it."""
        path = self.path("out/run.db")
        whole = path.read_bytes()
        for page in range(len(whole) // 4096):
            path.write_bytes(whole[:page * 4096] + b"\xa5" * 64 + whole[page * 4096 + 64:])
            result = self.oe("checkpoint", "verify", "out", code=None)
            self.assertIn(result.code, (0, STORE), result)
        path.write_bytes(whole[:3 * 4096] + b"\xa5" * 4096 + whole[4 * 4096:])
        self.verify("out")
        path.write_bytes(whole[:len(whole) // 2])
        self.verify("out")
        path.write_bytes(b"")
        self.verify("out")

    def test_checkpoints(self):
        one = self.path("out/checkpoints/checkpoint_10")
        programs = sorted((one / "programs").iterdir())
        text = programs[0].read_text()
        programs[0].unlink()
        self.assertIn(f"the program '{programs[0].stem}' is missing", self.verify(one).err)
        programs[0].write_text(text[:50])
        self.assertIn(f"{programs[0].name}:1:", self.verify("out").err)
        programs[0].write_text(text)
        self.verify("out", code=0)
        for program in programs:
            program.unlink()
        self.assertIn("is missing", self.verify(one).err)
        (one / "metadata.json").write_text("{}")
        self.assert_one_sentence(self.verify(one), "checkpoint_10: ", "has no programs")
        result = self.oe("checkpoint", "import", one, "-o", "other", code=STORE)
        self.assert_one_sentence(result, "has no programs")
        (one / "metadata.json").write_text("{")
        self.assertIn("metadata.json", self.verify(one).err)
        (one / "metadata.json").unlink()
        self.verify(one)


class Killed(RunCase):
    """A run that was killed: the newest of its log is in run.db-wal alone."""

    def make(self):
        self.problem(CONFIG + "max_iterations: 1000000\n")
        process = self.start("run", "initial_program.py", "evaluator.py", "-c", "config.yaml", "-o", "out",
                             "--progress", "none")
        self.wait_for(lambda: self.numbers()[-1:] >= [100], what="a checkpoint")
        process.kill()
        self.finish(process, code=-signal.SIGKILL)

    def numbers(self):
        return sorted(int(path.name[11:]) for path in self.path("out/checkpoints").glob("checkpoint_*"))

    @property
    def wal(self):
        return self.path("out/run.db-wal")

    def flip(self, at):
        data = bytearray(self.wal.read_bytes())
        data[at] ^= 16
        self.wal.write_bytes(data)

    def test_looking_changes_nothing(self):
        before = self.wal.read_bytes()
        self.assertGreater(len(before), 0)
        self.status()
        self.oe("show", "best", "--run", "out")
        self.oe("checkpoint", "verify", "out")
        self.oe("checkpoint", "export", "out", "-o", "elsewhere")
        self.assertEqual(self.wal.read_bytes(), before)

    def test_damaged_frame(self):
        """What comes after it cannot be read any more, which nobody would notice."""
        done = self.status()["iterations"]["done"]
        frame = (self.wal.stat().st_size - 32) // 4120 // 2
        self.flip(32 + 4120 * frame + 1000)
        damaged = self.wal.read_bytes()
        self.assertLess(self.status()["iterations"]["done"], done)
        result = self.oe("checkpoint", "verify", "out", code=STORE)
        self.assertRegex(result.err, rf"run\.db-wal: frame {frame + 1} is damaged, and \d+ whole ones")
        self.assertRegex(result.err, r"run\.db: its log has \d+ ended iterations, checkpoints/checkpoint_")
        self.assertEqual(self.wal.read_bytes(), damaged)
        self.flip(32 + 4120 * frame + 1000)
        self.oe("checkpoint", "verify", "out")
        self.assertEqual(self.status()["iterations"]["done"], done)

    def test_going_on(self):
        """Not as if nothing were missing, when a checkpoint has what the log has no more; but with that checkpoint,
        or without it."""
        self.problem(CONFIG)
        before = self.wal.read_bytes()
        self.flip(32 + 1000)
        for words in (("resume", "out"), ("run", "initial_program.py", "evaluator.py", "-o", "out", "--resume",
                                          "--set", "llm.backend=mutate")):
            damaged = self.wal.read_bytes()
            result = self.oe(*words, "-i", "5", code=STORE)
            self.assert_one_sentence(result, "run.db", "frame 1 is damaged")
            self.assertEqual(self.wal.read_bytes(), damaged)

        self.wal.write_bytes(before)
        frame = len(before) // 4120 * 2 // 3
        self.flip(32 + 4120 * frame + 1000)
        damaged = self.wal.read_bytes()
        last = self.numbers()[-1]
        result = self.oe("resume", "out", "-i", "5", code=STORE)
        self.assert_one_sentence(result, "run.db: its log has", f"checkpoint_{last} knows of {last}", "another run",
                                 "move")
        self.assertEqual(self.wal.read_bytes(), damaged)

        done = self.status()["iterations"]["done"]
        self.oe("resume", f"out/checkpoints/checkpoint_{last}", "-i", "5", "-o", "other", "--progress", "none")
        self.assertEqual(self.status("other")["iterations"]["done"], 5)
        for number in self.numbers():
            if number > done:
                self.path(f"out/checkpoints/checkpoint_{number}").rename(self.path(f"checkpoint_{number}"))
        said = self.oe("resume", "out", "-i", "5", "--progress", "plain").err
        self.assertIn("run.db-wal: frame", said)
        self.oe("checkpoint", "verify", "out")


if __name__ == "__main__":
    main()
