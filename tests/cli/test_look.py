#!/usr/bin/env python3
"""Looking at runs and checkpoints: best, list, show, diff, lineage, prompt, status."""
import csv
import hashlib
import io
import json
import unittest

from oe import FAILED, USAGE, PATIENCE, Case, FakeLLM, main

ARTIFACTS = """from openevolve.evaluation_result import EvaluationResult

def evaluate(program_path):
    text = open(program_path).read()
    scale = float(text.split("scale = ")[1].split()[0])
    return EvaluationResult(metrics={"combined_score": scale, "other": -scale},
                            artifacts={"log": "line one\\nline two", "raw": b"\\x00\\xff"})
"""


class Look(Case):
    @classmethod
    def setUpClass(cls):
        """One run that all tests look at; none of them writes into it."""
        cls.owner = cls("setUp")
        Case.setUp(cls.owner)
        cls.owner.problem("llm: {primary_model: tiny}\nstore: {prompts: full}\n", evaluator=ARTIFACTS)
        with FakeLLM(rate_no_diff=0.1) as fake:
            cls.owner.run_problem("-i", "30", "--api-base", fake.url)

    @classmethod
    def tearDownClass(cls):
        cls.owner.doCleanups()

    def setUp(self):
        self.directory = self.owner.directory

    def programs(self, *words):
        return self.oe("list", "out", "--json", *words).json()["programs"]

    def test_best(self):
        best = self.oe("best", "out", "--json").json()
        fittest = max(self.programs("-n", "0"), key=lambda p: p["fitness"])
        self.assertEqual(best["fitness"], fittest["fitness"])
        self.assertEqual(self.oe("best", "out").out, best["code"])
        self.oe("best", "out", "-o", "best.py")
        self.assertEqual(self.path("best.py").read_text(), best["code"])
        other = self.oe("best", "out", "--metric", "other", "--json").json()
        self.assertEqual(other["metrics"]["other"],
                         max(p["metrics"]["other"] for p in self.programs("-n", "0")))
        self.assert_one_sentence(self.oe("best", "out", "--metric", "nope", code=FAILED), "nope")

    def test_every_directory_will_do(self):
        """A run, its checkpoint, and by default the newest run below the working directory."""
        checkpoint = next(self.path("out/checkpoints").iterdir())
        codes = {self.oe("best", *where).out for where in (["out"], [checkpoint], [])}
        self.assertEqual(len(codes), 1)

    def test_list(self):
        everything = self.programs("--all", "-n", "0")
        committed = self.status()["iterations"]["outcomes"]["committed"]
        self.assertEqual(len([p for p in everything if p["verdict"] == "ok"]), committed + 1)
        self.assertEqual(len(self.programs("-n", "3")), 3)
        fitness = [p["fitness"] for p in self.programs("-n", "0")]
        self.assertEqual(fitness, sorted(fitness, reverse=True))
        others = [p["metrics"]["other"] for p in self.programs("-n", "0", "--sort", "other")]
        self.assertEqual(others, sorted(others, reverse=True))
        self.assertEqual({p["island"] for p in self.programs("-n", "0", "--island", "2")}, {2})
        self.assert_one_sentence(self.oe("list", "out", "--sort", "no such", code=FAILED), "no such")
        self.assert_one_sentence(self.oe("list", "out", "--island", str(1 << 40), code=FAILED), "islands")
        rows = list(csv.DictReader(io.StringIO(self.oe("list", "out", "--all", "-n", "0", "-f",
                                                       "csv").out)))
        self.assertEqual(len(rows), len(everything))
        self.assertEqual({row["id"] for row in rows}, {p["id"] for p in everything})

    def test_names_of_programs(self):
        best = self.oe("show", "best", "--run", "out", "--json").json()
        for name in (best["id"], best["id"][:8], f"@{best['iteration']}"):
            self.assertEqual(self.oe("show", name, "--run", "out", "--json").json()["id"], best["id"])
        parent = self.oe("show", "best~", "--run", "out", "--json").json()
        self.assertEqual(parent["id"], best["parent_id"])
        initial = self.oe("show", "initial", "--run", "out", "--json").json()
        self.assertEqual(initial["iteration"], 0)
        self.assert_one_sentence(self.oe("show", "zzzz", "--run", "out", code=FAILED), "zzzz")
        self.assert_one_sentence(self.oe("show", "@9999", "--run", "out", code=FAILED), "9999")
        self.assert_one_sentence(self.oe("show", "best~999", "--run", "out", code=FAILED), "best~999")
        self.oe("show", "--run", "out", code=USAGE)

    def test_show(self):
        best = self.oe("show", "best", "--run", "out", "--json").json()
        self.assertEqual(self.oe("show", "best", "--run", "out", "--code").out, best["code"])
        self.assertEqual(hashlib.sha256(best["code"].encode()).hexdigest(), best["content_hash"])
        self.assertIn("<<<<<<< SEARCH", self.oe("show", "best", "--run", "out", "--response").out)
        artifacts = self.oe("show", "best", "--run", "out", "--artifacts").out
        self.assertIn("line one\nline two", artifacts)
        prompt = self.oe("show", "best", "--run", "out", "--prompt").out
        self.assertIn("scale = ", prompt)

    def test_prompt_is_what_was_sent(self):
        """Rendered again, it is the text that is stored with it."""
        prompt = self.oe("prompt", "out", "--iteration", "7", "--json").json()
        text = self.oe("prompt", "out", "--iteration", "7").out
        self.assertIn(prompt["user"], text)
        self.assertIn("scale = ", prompt["user"])
        self.assertEqual((prompt["iteration"], prompt["attempt"]), (7, 0))
        self.assert_one_sentence(self.oe("prompt", "out", "--iteration", "999", code=FAILED), "999")

    def test_diff(self):
        best, initial = (self.oe("show", name, "--run", "out", "--code").out
                         for name in ("best", "initial"))
        out = self.oe("diff", "best", "initial", "--run", "out").out
        for line in out.splitlines():
            if line[:1] in "+-" and not line.startswith(("+++", "---")):
                self.assertIn(line[1:], (best if line[0] == "+" else initial))
        self.oe("diff", "best", "initial", "--run", "out", "--exit-code", code=1)
        self.assertEqual(self.oe("diff", "best", "best", "--run", "out", "--exit-code").out, "")

    def test_lineage(self):
        programs = self.oe("lineage", "best", "--run", "out", "--json").json()["programs"]
        ids = [p["id"] for p in programs]
        best = self.oe("show", "best", "--run", "out", "--json").json()
        self.assertIn(best["id"], (ids[0], ids[-1]))
        self.assertEqual(min(p["iteration"] for p in programs), 0)
        self.assertEqual(len(self.oe("lineage", "best", "--run", "out").out.splitlines()), len(ids))

    def test_status(self):
        status = self.status()
        self.assertEqual(status["schema"], "oe.status/1")
        self.assertEqual((status["state"], status["reason"]), ("finished", "iterations"))
        self.assertEqual(status["iterations"]["issued"], 30)
        self.assertEqual(status["programs"], status["iterations"]["outcomes"]["committed"] + 1)
        self.assertEqual(set(status["best"]), {"id", "fitness", "iteration", "metrics"})
        self.assertGreater(status["llm"]["tokens_in"], 0)
        self.assertGreater(status["rate_per_s"], 0)
        self.assertIn("30 done", self.oe("status", "out").out)

    def test_nothing_there(self):
        for command in ("status", "best", "list", "prompt", "lineage"):
            words = [command, "nowhere"] if command != "lineage" else [command, "--run", "nowhere"]
            self.assert_one_sentence(self.oe(*words, code=None), "nowhere")

    def test_a_reader_that_leaves(self):
        """`oe list | head -1`: a closed pipe is no error to shout about."""
        process = self.start("list", "out", "--all", "-n", "0", "--json")
        process.stdout.close()
        error = process.stderr.read()
        process.wait(timeout=PATIENCE)
        process.stderr.close()
        self.assertEqual(error, "")


class Hostile(Case):
    def test_text_of_programs_cannot_steer_the_terminal(self):
        """Names of metrics, messages and code come from models and evaluators."""
        evil = "\\x1b]0;owned\\x07\\x1b[31mred\\x1b[2J\\r\\u202e"
        self.problem("llm: {backend: mutate}\n", evaluator=f"""
def evaluate(path):
    return {{"combined_score": 1.0, "bad{evil}": 2.0}}
""")
        result = self.run_problem("-i", "3", "--progress", "plain", "-v")
        outputs = [result.err] + [self.oe(*words).out for words in (
            ("status", "out"), ("list", "out"), ("show", "best", "--run", "out"),
            ("lineage", "best", "--run", "out"))]
        for output in outputs:
            for character in "\x1b\x07\r\u202e":
                self.assertNotIn(character, output)
        json.loads(self.oe("show", "best", "--run", "out", "--json").out)

    def test_nul(self):
        """It is text as any other, wherever an evaluator puts it."""
        self.problem("llm: {backend: mutate}\n", evaluator="""
def evaluate(path):
    return {"combined_score": 1.0, "text": "a\\0b", "map": {"k\\0": "\\\\u0000\\0"}, "list": ["\\0"]}
""")
        self.run_problem("-i", "4", "--progress", "json")
        metrics = {"combined_score": 1.0, "text": "a\0b", "map": {"k\ufffd": "\\u0000\ufffd"}, "list": ["\0"]}
        for words in (("show", "best", "--run", "out"), ("best", "out")):
            found = self.oe(*words, "--json").json()["metrics"]
            self.assertEqual(found, metrics)
        self.assertIn(" 4 done", self.oe("status", "out").out)
        self.assertEqual(self.status()["best"]["metrics"]["list"], ["\ufffd"])
        self.oe("prompt", "out")
        self.oe("resume", "out", "-i", "3")
        self.assertEqual(self.status()["iterations"]["done"], 7)
        listed = self.oe("checkpoint", "list", "out", "--json").json()["checkpoints"][-1]
        self.assertEqual((listed["best"], listed["metrics"]["text"]), (1.0, "a\ufffdb"))


if __name__ == "__main__":
    main()
