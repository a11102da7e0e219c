#!/usr/bin/env python3
"""What was recorded is given again: answers from a file."""
import json
import sqlite3
import unittest

from oe import CONFIG, MODELS, Case, FakeLLM, main

ALONE = "hub: {window: 1}\n"


class Recordings(Case):
    def lines(self):
        return [json.loads(line) for line in self.path("answers").read_text().splitlines()]

    def record(self, *words, iterations=12, mode="diff", config=ALONE):
        self.problem(config)
        with FakeLLM(mode=mode, latency=100) as fake:
            self.run_problem("-i", iterations, "--api-base", fake.url, "--primary-model", "tiny",
                             "--llm-record", "answers", *words, env={"OPENAI_API_KEY": "sk-test-key"})
            return fake.stats()

    def replay(self, *words, iterations=12, **how):
        return self.oe("run", "initial_program.py", "evaluator.py", "-c", "config.yaml", "-o", "again",
                       "-i", iterations, "--llm-replay", "answers", *words, **how)

    def programs(self, run):
        listed = self.oe("list", run, "--all", "-n", "0", "--json").json()["programs"]
        return sorted((p["iteration"], p["content_hash"], p["fitness"]) for p in listed)

    def test_the_same_run(self):
        stats = self.record()
        lines = self.lines()
        self.assertEqual(len(lines), stats["answered"])
        hashes = {line["prompt"] for line in lines}
        self.assertEqual(len({(line["prompt"], line["ordinal"]) for line in lines}), len(lines))
        self.replay()
        self.assertEqual(self.programs("again"), self.programs("out"))
        first, second = self.status("out"), self.status("again")
        self.assertEqual(second["iterations"]["outcomes"], first["iterations"]["outcomes"])
        for tokens in ("tokens_in", "tokens_out"):
            self.assertEqual(second["llm"][tokens], first["llm"][tokens])
        # The file names prompts as the run does, and holds nothing that is nobody's business.
        self.assertEqual(hashes, self.hashes("out"))
        text = self.path("answers").read_text()
        for secret in ("sk-test-key", "127.0.0.1", "SEARCH/REPLACE block"):
            self.assertNotIn(secret, text)

    def hashes(self, run):
        with sqlite3.connect(self.path(run + "/run.db")) as db:
            return {row[0].hex() for row in db.execute("SELECT prompt_hash FROM answer")}

    def test_many_at_a_time(self):
        """In which order questions come does not matter: each finds its own answer by its seed."""
        self.record("--llm-jobs", "8", iterations=8, config="hub: {window: 8}\n")
        prompts = [line["prompt"] for line in self.lines()]
        self.assertLess(len(set(prompts)), len(prompts), "some see the same")
        self.replay("--llm-jobs", "8", iterations=8)
        # What was asked for after the first child came sees that: another prompt.
        again = self.programs("again")
        self.assertLessEqual(set(again), set(self.programs("out")))
        self.assertGreater(len(again), 2)

    def test_other_questions(self):
        self.record()
        result = self.replay("--set", "prompt.system_message=Something else.", code=MODELS)
        self.assertRegex(result.err, "oe run: no call of a model succeeded: the recording 'answers' has no answer"
                                     " to this prompt: .*")
        self.assertEqual(self.status("again")["iterations"]["outcomes"], {"llm_failed": 12})

    def test_more_questions(self):
        """It stops where the recording does, and goes on with a model."""
        self.record()
        result = self.replay(iterations=20, code=MODELS)
        self.assertIn("oe run: all 12 answers of the recording 'answers' were given\n", result.err)
        self.assertEqual(self.status("again")["iterations"]["done"], 12)
        with FakeLLM() as fake:
            self.oe("resume", "again", "--set", "llm.replay=null", "--api-base", fake.url,
                    "--primary-model", "tiny", env={"OPENAI_API_KEY": "k"})
        self.assertEqual(self.status("again")["iterations"]["done"], 20)

    def test_what_is_refused(self):
        self.problem(ALONE)
        self.write("answers", "not a recording\n")
        self.assert_one_sentence(self.replay(code=MODELS), "answers:1: ")
        self.assert_one_sentence(self.replay("--set", "llm.replay=nowhere", code=MODELS), "answers:1: ")
        self.assert_one_sentence(self.replay("--llm-record", "other", code=CONFIG), "llm.record")
        self.assertFalse(self.path("other").exists())

    def test_feedback(self):
        self.record("--set", "evaluator.use_llm_feedback=true", iterations=3, mode="rewrite")
        judged = len(self.lines()) - 3
        self.assertGreater(judged, 0)
        self.replay("--set", "evaluator.use_llm_feedback=true", iterations=3)
        self.assertEqual(self.programs("again"), self.programs("out"))


if __name__ == "__main__":
    main()
