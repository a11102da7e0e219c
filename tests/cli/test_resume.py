#!/usr/bin/env python3
"""Going on with a run: how far, and with what changed."""
import os
import shutil
import signal
import sqlite3
import unittest

from oe import CONFIG, FAILED, STORE, Case, main

MUTATE = "llm: {backend: mutate}\n"


class Resume(Case):
    def test_the_same_line_again(self):
        """What a batch system does: `oe run --resume -i N` goes to N, however often it is begun."""
        self.problem(MUTATE)
        for iterations, done in ((10, 10), (10, 10), (15, 15), (4, 15), (0, 15)):
            self.run_problem("--resume", "-i", iterations)
            status = self.status()
            self.assertEqual((status["state"], status["iterations"]["done"]), ("finished", done))
        self.oe("prompt", "out", "-i", "15")

    def test_how_many(self):
        """The option counts all of the run, but nothing of a checkpoint; -i counts from where the run is."""
        self.problem(MUTATE)
        self.run_problem("-i", "10")
        for words, done in ((("--set", "max_iterations=15"), 15), (("-i", "3"), 18)):
            self.oe("resume", "out", *words)
            self.assertEqual(self.status()["iterations"]["done"], done)
        self.run_problem("--checkpoint", "out/checkpoints/checkpoint_18", "--set", "max_iterations=4",
                         "-o", "other")
        self.assertEqual(self.status("other")["iterations"]["done"], 4)
        self.oe("resume", "other", "--set", "max_iterations=6")
        self.assertEqual(self.status("other")["iterations"]["done"], 6)

    def test_a_smaller_window(self):
        self.problem(MUTATE)
        self.run_problem("-i", "30")
        self.oe("resume", "out", "-i", "5", "--set", "hub.window=1")
        self.assertEqual(self.status()["iterations"]["done"], 35)

    def test_one_that_does_not_begin(self):
        """It has played the log, and changes nothing: nobody has stopped the run."""
        self.problem(MUTATE)
        process = self.start("run", "initial_program.py", "evaluator.py", "-c", "config.yaml", "-o", "out",
                             "-i", "1000000", "--progress", "none", "--set", "checkpoint_interval=10")
        self.wait_for(lambda: list(self.path("out/checkpoints").glob("checkpoint_*")), what="a checkpoint")
        process.kill()
        self.finish(process, code=-signal.SIGKILL)
        before = self.status()
        self.assertEqual(before["state"], "interrupted")
        self.assert_one_sentence(self.oe("resume", "out", "--events", "/nonexistent/x", code=FAILED), "--events")
        self.assertEqual(self.status(), before)

    def test_what_cannot_change(self):
        self.problem(MUTATE)
        self.run_problem("-i", "20")
        for words, option in ((("--islands", "2"), "database.num_islands"),
                              (("--seed", "8"), "random_seed"),
                              (("--set", "database.archive_size=3"), "database.archive_size")):
            result = self.oe("resume", "out", "-i", "5", *words, code=CONFIG)
            self.assert_one_sentence(result, option, "run began with")
        for words, parts in ((("--set", "database.random_seed=9"), ("'database.random_seed' is 9", "began with 42")),
                             (("--set", "random_seed=9"), ("'random_seed' is 9", "began with 42")),
                             (("--seed", "9", "--set", "database.random_seed=9"), ("'random_seed' is 9",)),
                             (("--set", "store.backend=memory"), ("'store.backend' is 'memory'",)),
                             (("--set", "store.backend=none"), ("'store.backend' is 'none'",))):
            self.assert_one_sentence(self.oe("resume", "out", "-i", "5", *words, code=CONFIG), *parts)
        self.oe("resume", "out", "-i", "5", "--set", "evaluator.timeout=9", "-j", "1")
        self.assertEqual(self.status()["iterations"]["done"], 25)
        self.oe("run", "initial_program.py", "evaluator.py", "-i", "1", "-o", "other", "--set", "llm.backend=mutate",
                "--set", "database.random_seed=7", "--set", "random_seed=3")
        result = self.oe("resume", "other", "-i", "1", "--set", "database.random_seed=3", code=CONFIG)
        self.assert_one_sentence(result, "'random_seed' is 3", "began with 7")

    def test_what_means_the_same(self):
        """0 for 64 is 64, and an archive of none one of one."""
        self.problem(MUTATE + "hub: {semantics: ordered}\ndatabase: {archive_size: 0}\n")
        self.run_problem("-i", "10")
        self.oe("resume", "out", "-i", "5", "--set", "hub.window=64", "--set", "database.archive_size=1")
        self.assertEqual(self.status()["iterations"]["done"], 15)
        result = self.oe("resume", "out", "-i", "5", "--set", "hub.window=63", code=CONFIG)
        self.assert_one_sentence(result, "'hub.window' is 63", "run began with 64")
        self.oe("checkpoint", "verify", "out")

    def test_a_seed_of_its_own(self):
        """`random_seed: null` draws one when the run begins, and not again."""
        self.problem(MUTATE + "random_seed: null\n")
        self.run_problem("-i", "60")
        self.run_problem("-i", "120", "--resume")
        self.assertEqual(self.status()["iterations"]["done"], 120)
        self.oe("prompt", "out", "-i", "110")  # fails if it comes out differently than it was

    def test_in_use(self):
        """Who is told that another process is at it is not told to resume."""
        self.problem(MUTATE)
        process = self.start("run", "initial_program.py", "evaluator.py", "-c", "config.yaml", "-o",
                             "out", "-i", "1000000", "--progress", "none")
        self.wait_for(lambda: self.path("out/run.db").exists(), what="the run")
        result = self.run_problem(code=STORE)
        self.assert_one_sentence(result, "another process")
        self.assertNotIn("oe resume", result.err)
        process.terminate()
        self.finish(process, code=None)


class NotBegun(Case):
    """Whoever is killed before anything came of a run leaves none behind, however far it was."""

    READERS = (("resume", "out"), ("replay", "out"), ("replay", "out", "--verify"), ("status", "out"),
               ("status", "out", "--json"), ("list", "out"), ("best", "out"), ("prompt", "out", "-i", "1"))

    def setUp(self):
        super().setUp()
        self.problem(MUTATE)

    def write_database(self, *statements):
        shutil.rmtree(self.path("out"), ignore_errors=True)
        self.path("out").mkdir()
        database = sqlite3.connect(self.path("out/run.db"))
        with database:
            for statement in statements:
                database.execute(statement)
        database.close()

    def assert_not_begun(self):
        """Everybody says the same; nothing is damaged; and a run can begin there."""
        for words in self.READERS:
            self.assert_one_sentence(self.oe(*words, code=STORE), "out: the run did not begin: 'oe run' begins it")
        self.assertEqual(self.oe("checkpoint", "verify", "out").out, "sound  out/run.db\n")
        self.run_problem("--resume", "-i", "3")
        self.assertEqual(self.status()["iterations"]["done"], 3)
        self.oe("checkpoint", "verify", "out")

    def test_no_tables(self):
        self.write("out/run.db", "")
        self.assert_not_begun()
        self.write_database()
        self.assert_not_begun()
        self.write_database("PRAGMA journal_mode = WAL")
        self.assert_not_begun()

    def schema(self):
        """That of a run, and what is in it as it is made."""
        self.run_problem("-i", "0")
        database = sqlite3.connect(self.path("out/run.db"))
        made = [sql for sql, in database.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL")]
        database.close()
        return made + ["INSERT INTO meta VALUES ('format', '4'), ('run', '00000000-0000-4000-8000-000000000000')"]

    def test_no_configuration(self):
        self.write_database(*self.schema())
        self.assert_not_begun()

    def test_no_program(self):
        """The initial one is being evaluated: there is a process, and then there is none."""
        self.write("evaluator.py", "import time\n\ndef evaluate(path):\n    time.sleep(1000)\n")
        process = self.start("run", "initial_program.py", "evaluator.py", "-c", "config.yaml", "-o", "out", "--progress",
                             "none")
        self.wait_for(lambda: '"running"' in self.oe("status", "out", "--json", code=None).out, what="the run")
        self.oe("list", "out")
        self.oe("checkpoint", "verify", "out")
        os.killpg(process.pid, signal.SIGKILL)
        self.finish(process, code=-signal.SIGKILL)
        self.problem(MUTATE)
        self.assert_not_begun()

    def test_no_templates(self):
        """Of one that begins with a checkpoint: it has programs."""
        self.run_problem("-i", "3")
        self.oe("checkpoint", "import", "out/checkpoints/checkpoint_3", "-o", "new", "-c", "config.yaml", "--evaluator",
                "evaluator.py")
        database = sqlite3.connect(self.path("new/run.db"))
        with database:
            database.execute("DELETE FROM meta WHERE key IN ('templates', 'state', 'reason')")
        database.close()
        for words in (["checkpoint", "verify", "new"], ["replay", "new", "--verify"], ["list", "new"],
                      ["resume", "new", "-i", "2"], ["replay", "new", "--verify"]):
            self.oe(*words)

    def test_what_was_lost(self):
        """An empty file is no run that did not begin if there was one."""
        self.run_problem("-i", "3")
        self.write("out/run.db", "")
        for words in (("resume", "out"), ("status", "out"), ("checkpoint", "verify", "out")):
            result = self.oe(*words, code=STORE)
            self.assertIn("it is empty, though the run has written its best program: it is damaged", result.err)

    def test_a_begin_that_fails(self):
        """It is not the newest run below a directory."""
        self.write("bad/metadata.json", "{")
        self.write("none/metadata.json", "{}")
        self.write("none/programs/one.json", "{")
        for checkpoint, what in (("bad", "metadata.json:1:2: "), ("none", "one.json: the checkpoint has no programs that")):
            for words in (("checkpoint", "import", checkpoint), ("run", "initial_program.py", "evaluator.py", "-c",
                                                                 "config.yaml", "--checkpoint", checkpoint)):
                self.assert_one_sentence(self.oe(*words, "-o", "new", code=STORE), what)
                self.assertFalse(self.path("new").exists())


if __name__ == "__main__":
    main()
