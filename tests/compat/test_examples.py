#!/usr/bin/env python3
"""OpenEvolve's own examples, unmodified, with their own configurations: fifty iterations of each.

Only the server is another one: the fake one, which answers with edits that apply.
"""
import unittest

from peers import EXAMPLES, FakeLLM, PeerCase, main, variables

ITERATIONS = 50


class Examples(PeerCase):
    def evolve(self, example, name):
        folder = EXAMPLES / example
        config = folder / name
        if not config.exists():
            self.skipTest(f"this OpenEvolve has no {example}/{name}")
        env = variables(config)
        shown = self.oe("config", "show", "-c", config, "--json", env=env).json()["values"]
        mode = "diff" if shown["diff_based_evolution"] else "rewrite"
        with FakeLLM(mode=mode) as fake:
            result = self.oe("run", folder / "initial_program.py", folder / "evaluator.py", "-c", config,
                             "-i", ITERATIONS, "-o", "out", "--api-base", fake.url, env=env, timeout=300)
            stats = fake.stats()
        status = self.status("out")  # whose outcomes add up
        outcomes = status["iterations"]["outcomes"]
        self.assertEqual(status["iterations"]["done"], ITERATIONS)
        self.assertEqual((status["state"], status["reason"]), ("finished", "iterations"))
        self.assertLessEqual(set(outcomes), {"committed", "duplicate", "equivalent", "rejected",
                                             "noop_edit", "evaluation_failed", "timed_out", "too_long"}, outcomes)
        # It was about evaluations, and most of them went well.
        self.assertGreaterEqual(outcomes["committed"], ITERATIONS * 0.7, outcomes)
        self.assertEqual(status["llm"]["attempts"], stats["requests"])
        first = self.oe("show", "initial", "--run", "out", "--json").json()
        self.assertGreaterEqual(status["best"]["fitness"], first["fitness"])
        self.assertEqual(status["sandbox"]["mode"], "auto")
        self.oe("replay", "out", "--verify")
        print(f"{example}/{name}: exit {result.code}, {status['iterations']['done']} iterations, {outcomes}, "
              f"{result.seconds:.1f} s, tier {status['sandbox']['tier']}", flush=True)

    def test_function_minimization(self):
        self.evolve("function_minimization", "config.yaml")

    def test_circle_packing(self):
        self.evolve("circle_packing", "config_phase_1.yaml")

    def test_circle_packing_phase_2(self):
        self.evolve("circle_packing", "config_phase_2.yaml")

    def test_circle_packing_anthropic(self):
        self.evolve("circle_packing", "config_phase_1_anthropic.yaml")

    def test_circle_packing_with_artifacts(self):
        self.evolve("circle_packing_with_artifacts", "config.yaml")

    def test_signal_processing(self):
        self.evolve("signal_processing", "config.yaml")


if __name__ == "__main__":
    main()
