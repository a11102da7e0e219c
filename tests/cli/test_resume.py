#!/usr/bin/env python3
"""Going on with a run: how far, and with what changed."""
import unittest

from oe import CONFIG, STORE, Case, main

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

    def test_a_smaller_window(self):
        self.problem(MUTATE)
        self.run_problem("-i", "30")
        self.oe("resume", "out", "-i", "5", "--set", "hub.window=1")
        self.assertEqual(self.status()["iterations"]["done"], 35)

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


if __name__ == "__main__":
    main()
