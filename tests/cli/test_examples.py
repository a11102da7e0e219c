#!/usr/bin/env python3
"""Each bundled example, for a few iterations: it runs as its README says, and gets better or stays."""
import json
import shutil
import unittest

from oe import ROOT, Case, main


# The examples say what is enough on a machine that has nothing else to do.
PATIENT = ("--set", "evaluator.timeout=60")


class Examples(Case):
    def evolve(self, name, evaluator, extension, iterations):
        shutil.copytree(ROOT / "examples" / name, self.path(name))
        program = f"{name}/initial_program{extension}"
        before = self.oe("eval", program, "--evaluator", f"{name}/{evaluator}", "-c",
                         f"{name}/config.yaml", "--json", *PATIENT).json()
        self.assertEqual(before["verdict"], "ok")
        self.oe("run", program, f"{name}/{evaluator}", "-c", f"{name}/config.yaml", "-o", "out",
                "-i", str(iterations), "--seed", "1", *PATIENT)
        status = self.status()
        self.assertEqual(status["iterations"]["done"], iterations)
        self.assertGreaterEqual(status["best"]["fitness"] + 1e-12, before["fitness"] * 0.5)
        again = self.oe("eval", f"out/best/best_program{extension}", "--evaluator",
                        f"{name}/{evaluator}", "-c", f"{name}/config.yaml", "--json", *PATIENT).json()
        self.assertEqual(again["verdict"], "ok")
        return before, status, again

    def test_circle_packing(self):
        before, status, again = self.evolve("circle_packing", "evaluator.py", ".py", 60)
        self.assertGreater(status["best"]["fitness"], before["fitness"])
        self.assertEqual(again["metrics"]["sum_radii"], status["best"]["metrics"]["sum_radii"])

    def test_function_minimization(self):
        before, status, _ = self.evolve("function_minimization", "evaluator.py", ".py", 60)
        self.assertGreater(status["best"]["fitness"], before["fitness"])

    def test_matmul_c(self):
        self.evolve("matmul_c", "evaluator.sh", ".c", 6)

    def test_demo_is_the_example(self):
        self.oe("demo", "circle_packing", "-i", "5", "-o", "demo",
                env={"OE_EXAMPLES": ROOT / "examples"})
        self.assertEqual(self.status("demo")["iterations"]["done"], 5)


class Cheats(Case):
    """The evaluator of circle_packing judges what it is given, and repairs nothing."""

    def score(self, body):
        program = "import math\n# EVOLVE-BLOCK-START\n" + body + "# EVOLVE-BLOCK-END\n"
        self.write("program.py", program)
        result = self.oe("eval", "program.py", "--evaluator",
                         ROOT / "examples/circle_packing/evaluator.py", "--json", code=None)
        return json.loads(result.out)

    def test_what_is_no_packing_scores_nothing(self):
        grid = "[((i % 6 + 0.5) / 6, (i // 6 + 0.5) / 6) for i in range(26)]"
        fair = self.score(f"def pack():\n    c = {grid}\n    return c, [0.0833] * 26\n")
        self.assertAlmostEqual(fair["fitness"], 26 * 0.0833)
        for radii in ("[0.0834] * 26", "[float('nan')] * 26", "[0.5] * 26", "[-1.0] * 26",
                      "[0.0833] * 25", "[True] * 26"):
            value = self.score(f"def pack():\n    c = {grid}\n    return c, {radii}\n")
            self.assertFalse(value["fitness"] and value["fitness"] > 0, (radii, value))


if __name__ == "__main__":
    main()
