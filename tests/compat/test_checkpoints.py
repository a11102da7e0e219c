#!/usr/bin/env python3
"""Checkpoints go both ways: OpenEvolve's begin a run of ours, ours begin one of its, and are shown."""
import json
import math
import unittest

from peers import EXAMPLES, PROGRAM, FakeLLM, PeerCase, main

FOLDER = EXAMPLES / "circle_packing_with_artifacts"
CONFIG = FOLDER / "config.yaml"
ENV = {"OPENAI_API_KEY": "not-a-secret"}


class Checkpoints(PeerCase):
    def words(self, fake, iterations, *more):
        return [FOLDER / "initial_program.py", FOLDER / "evaluator.py", "--config", CONFIG, "--iterations",
                iterations, "--api-base", fake.url, "--primary-model", "m", *more]

    def theirs(self, fake, output, iterations, *more):
        self.peer("run", *self.words(fake, iterations, "--output", self.path(output), *more), env=ENV,
                  timeout=300)

    def ours(self, fake, output, iterations, *more):
        self.oe("run", *self.words(fake, iterations, "--output", output, *more), env=ENV, timeout=300)
        return self.status(output)

    def load(self, checkpoint):
        return self.peer("load", self.path(checkpoint), CONFIG)

    def programs(self, where):
        """The live ones of a run or a checkpoint of ours, by identifier."""
        listed = self.oe("list", where, "-n", "0", "--json").json()["programs"]
        return {program["id"]: program for program in listed}

    def test_theirs_begins_ours(self):
        with FakeLLM(mode="rewrite") as fake:
            self.theirs(fake, "theirs", 12)
            checkpoint = "theirs/checkpoints/checkpoint_10"
            before = self.load(checkpoint)
            status = self.ours(fake, "ours", 6, "--checkpoint", checkpoint)
        self.assertEqual(status["iterations"]["done"], 6)
        # As they were taken over; some gave way to children since.
        programs = self.programs("ours/checkpoints/checkpoint_10")
        self.assertEqual(set(programs), {id for island in before["islands"] for id in island})
        for id, here in programs.items():
            there = before["programs"][id]
            self.assertEqual(here["metrics"], there["metrics"])
            self.assertEqual((here["parent_id"], here["generation"], here["iteration"]),
                             (there["parent_id"], there["generation"], there["iteration_found"]))
            self.assertIn(id, before["islands"][here["island"]])
            self.assertEqual(self.oe("show", id, "--run", "ours", "--code").out, there["code"])
        made = self.oe("list", "ours", "--all", "-n", "0", "--json").json()["programs"]
        self.assertLessEqual(set(range(11, 17)), {program["iteration"] for program in made})
        shown = self.oe("show", before["best"], "--run", "ours", "--json").json()
        self.assertEqual(shown["artifacts"], before["artifacts"][before["best"]])
        self.assertGreaterEqual(status["best"]["fitness"],
                                before["programs"][before["best"]]["metrics"]["combined_score"])

    def test_ours_begins_theirs(self):
        with FakeLLM(mode="rewrite") as fake:
            self.ours(fake, "ours", 20)
            checkpoint = "ours/checkpoints/checkpoint_20"
            loaded = self.load(checkpoint)
            self.assertEqual(loaded["last_iteration"], 20)
            self.check_loaded(loaded, self.programs("ours"))
            fake.reset()
            self.theirs(fake, "theirs", 10, "--checkpoint", self.path(checkpoint))
            self.assertEqual(fake.stats()["answered"], 10)
        after = self.load("theirs/checkpoints/checkpoint_30")
        self.assertEqual(after["last_iteration"], 30)
        self.assertLess(len(set(loaded["programs"]) - set(after["programs"])), 5)

    def check_loaded(self, loaded, programs):
        """Nothing of our run is lost on the way."""
        self.assertEqual(set(loaded["programs"]), set(programs))
        self.assertEqual(loaded["best"], loaded["found_best"])
        self.assertEqual(sum(len(island) for island in loaded["islands"]), len(programs))
        best = max(programs.values(), key=lambda program: program["fitness"])
        self.assertEqual(programs[loaded["best"]]["fitness"], best["fitness"])
        self.assertGreater(len(loaded["archive"]), 0)
        self.assertGreater(loaded["cells"], 0)
        self.assertGreater(max(loaded["generations"]), 0)
        for island, best in enumerate(loaded["island_bests"]):
            if loaded["islands"][island]:
                self.assertIn(best, loaded["islands"][island])
        for sampled in loaded["sampled"]:
            self.assertLessEqual(set(sampled), set(programs))
        for id, program in programs.items():
            there = loaded["programs"][id]
            self.assertEqual(there["metrics"], program["metrics"])
            self.assertEqual(there["parent_id"], program["parent_id"])
            self.assertEqual((there["generation"], there["iteration_found"]),
                             (program["generation"], program["iteration"]))
            self.assertEqual(there["metadata"]["island"], program["island"])
            self.assertIn(id, loaded["islands"][program["island"]])
            shown = self.oe("show", id, "--run", "ours", "--json").json()
            self.assertEqual(there["code"], shown["code"])
            self.assertEqual(loaded["artifacts"][id], shown["artifacts"])

    def test_the_visualizer_shows_ours(self):
        with FakeLLM(mode="rewrite") as fake:
            self.ours(fake, "ours", 15)
        seen = self.peer("view", self.path("ours"))
        programs = self.programs("ours")
        nodes = {node["id"]: node for node in seen["data"]["nodes"]}
        self.assertEqual(set(nodes), set(programs))
        self.assertEqual(seen["index"], 200)
        self.assertEqual(set(seen["pages"].values()), {200})
        edges = {(edge["source"], edge["target"]) for edge in seen["data"]["edges"]}
        self.assertEqual(edges, {(program["parent_id"], id) for id, program in programs.items()
                                 if program["parent_id"] in programs})
        for node in nodes.values():
            self.assertTrue(all(isinstance(value, float) and math.isfinite(value)
                                for value in node["metrics"].values()), node["metrics"])
            json.loads(node["artifacts_json"])


ODD_CONFIG = """checkpoint_interval: 40
database: {population_size: 12, archive_size: 6, num_islands: 2, artifact_size_threshold: 100}
evaluator: {cascade_evaluation: false}
"""
ODD_PROGRAM = PROGRAM.replace("import math", 'import math\nname = "gr\u00fcn \u2028 \U0001f986"')
ODD_EVALUATOR = """import re
from openevolve.evaluation_result import EvaluationResult

def evaluate(program_path):
    text = open(program_path, encoding="utf-8").read()
    scale = float(re.search(r"scale = (-?[0-9.]+)", text).group(1))
    metrics = {"combined_score": abs(scale - 1.5), "nan": float("nan"), "inf": float("inf"),
               "minus": -float("inf"), "big": 10 ** 30, "ja": True, "gr\u00fcn": 1.5}
    artifacts = {"text": "gr\u00fcn \\u2028 \U0001f986 \\x00 end", "bytes": b"\\xff\\x00\\x80",
                 "long/na me\u00fc": "lang " * 100 + "\U0001f986", "long bytes": b"\\xfe" * 300}
    return EvaluationResult(metrics, artifacts)
"""


class OddPrograms(PeerCase):
    """Numbers and texts that JSON has no word for, and parents that are gone."""

    def setUp(self):
        super().setUp()
        self.problem(ODD_CONFIG, program=ODD_PROGRAM, evaluator=ODD_EVALUATOR)

    def words(self, fake, output, *more):
        return ["initial_program.py", "evaluator.py", "--config", "config.yaml", "--iterations", "40",
                "--api-base", fake.url, "--primary-model", "m", "--output", output, *more]

    def load(self, checkpoint):
        return self.peer("load", self.path(checkpoint), self.path("config.yaml"))

    def check_metrics(self, metrics):
        self.assertEqual((float(metrics["big"]), metrics["ja"], metrics["gr\u00fcn"]), (1e30, True, 1.5))

    def check_endless(self, metrics):
        self.assertTrue(math.isnan(metrics["nan"]), metrics)
        self.assertEqual((metrics["inf"], metrics["minus"]), (math.inf, -math.inf))

    def programs(self, where):
        return {p["id"]: p for p in self.oe("list", where, "-n", "0", "--json").json()["programs"]}

    def test_ours_there(self):
        with FakeLLM(mode="diff") as fake:
            self.oe("run", *self.words(fake, "ours"), env=ENV, timeout=120)
            loaded = self.load("ours/checkpoints/checkpoint_40")
            programs = self.programs("ours")
            # The initial program goes along, even when it is gone: empty islands begin with it.
            first = self.oe("show", "initial", "--run", "ours", "--json").json()["id"]
            self.assertEqual(set(loaded["programs"]), set(programs) | {first})
            gone = [p for p in programs.values() if p["parent_id"] and p["parent_id"] not in programs]
            self.assertGreater(len(gone), 0, "some parents were evicted")
            for id, program in loaded["programs"].items():
                self.assertIn("gr\u00fcn \u2028 \U0001f986", program["code"])
                self.check_metrics(program["metrics"])
                self.check_endless(program["metrics"])
                artifacts = loaded["artifacts"][id]
                self.assertEqual(artifacts["text"], "gr\u00fcn \u2028 \U0001f986 \x00 end")
                self.assertEqual(artifacts["bytes"], {"__bytes__": "/wCA"})
                self.assertIn("lang " * 100 + "\U0001f986", artifacts.values())
                self.assertIn(repr(b"\xfe" * 300), artifacts.values())
            self.check_view(self.peer("view", self.path("ours")), programs)
            # And it goes on there.
            self.peer("run", *self.words(fake, self.path("theirs"), "--checkpoint",
                                         self.path("ours/checkpoints/checkpoint_40")), env=ENV, timeout=200)
        self.assertEqual(self.load("theirs/checkpoints/checkpoint_80")["last_iteration"], 80)

    def check_view(self, seen, programs):
        nodes = {node["id"]: node for node in seen["data"]["nodes"]}
        self.assertLessEqual(set(programs), set(nodes))
        self.assertEqual(set(seen["pages"].values()), {200})
        for node in nodes.values():
            self.check_metrics(node["metrics"])
            self.assertIn("\U0001f986", node["code"])
        edges = {(edge["source"], edge["target"]) for edge in seen["data"]["edges"]}
        self.assertLessEqual({(program["parent_id"], id) for id, program in programs.items()
                              if program["parent_id"] in programs}, edges)

    def test_theirs_here(self):
        with FakeLLM(mode="diff") as fake:
            self.peer("run", *self.words(fake, self.path("theirs")), env=ENV, timeout=200)
            before = self.load("theirs/checkpoints/checkpoint_40")
            self.oe("checkpoint", "import", "theirs/checkpoints/checkpoint_40", "-o", "ours", "-c",
                    "config.yaml", "--evaluator", "evaluator.py")
            programs = self.programs("ours")
            self.assertEqual(set(programs), {id for island in before["islands"] for id in island})
            for id in programs:
                shown, there = self.oe("show", id, "--run", "ours", "--json").json(), before["programs"][id]
                self.assertEqual(shown["code"], there["code"])
                self.check_metrics(shown["metrics"])
                theirs, artifacts = before["artifacts"][id], shown["artifacts"]
                if not theirs:
                    continue  # migrants have none there
                self.assertEqual(artifacts["text"], theirs["text"])
                self.assertIn("lang " * 100 + "\U0001f986", artifacts.values())
            self.oe("resume", "ours", "-i", "20", "--api-base", fake.url, "--primary-model", "m", env=ENV,
                    timeout=120)
        self.assertEqual(self.status("ours")["iterations"]["done"], 20)
        self.oe("replay", "ours", "--verify")
        for program in self.load("ours/checkpoints/checkpoint_60")["programs"].values():
            self.check_metrics(program["metrics"])
            self.check_endless(program["metrics"])


if __name__ == "__main__":
    main()
