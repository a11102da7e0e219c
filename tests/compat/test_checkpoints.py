#!/usr/bin/env python3
"""Checkpoints go both ways: OpenEvolve's begin a run of ours, ours begin one of its, and are shown."""
import json
import math
import unittest

from peers import EXAMPLES, FakeLLM, PeerCase, main

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


if __name__ == "__main__":
    main()
