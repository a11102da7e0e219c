#!/usr/bin/env python3
"""The evaluators of OpenEvolve's examples give programs the scores here that they give them there.

Each judges the example's own programs, and some that are broken, under OpenEvolve and under oe, in the
same interpreter. What differs between two evaluations of OpenEvolve's (times, chance) is not compared.
"""
import math
import unittest

from peers import EXAMPLES, PeerCase, main, variables

PROGRAMS = ("initial_program", "init_program", "initial_prompt", "initial_content_stub", "best_program")
BROKEN = {
    "syntax": "def broken(:\n",
    "comment": "# nothing\n",
    "raises": "raise ValueError('it breaks as it is imported')\n",
    "exits": "import sys\nsys.exit(3)\n",
}
FAILED = {"error", "stage1_passed", "timeout"}  # what OpenEvolve says of an evaluation that raised
ONLINE = {"rust_adaptive_sort"}  # fetches what it compiles: confined evaluations have no network
THEIRS = {"attempt"}  # artifacts that speak of its ways


def same(theirs, ours):
    if isinstance(theirs, (int, float)) and isinstance(ours, (int, float)):
        return math.isclose(theirs, ours, rel_tol=1e-9, abs_tol=1e-12)  # truth values are numbers there
    if isinstance(theirs, float) and not math.isfinite(theirs):
        return ours is None  # JSON has no word for it
    return theirs == ours


class Evaluators(PeerCase):
    def evaluators(self):
        """(evaluator, its configuration or None) of each example."""
        for evaluator in sorted(EXAMPLES.rglob("evaluator*.py")):
            if evaluator.parent.name in ONLINE:
                continue
            configs = sorted(path for pattern in ("config*.yaml", "config*.yml")
                             for path in evaluator.parent.glob(pattern))
            yield evaluator, configs[0] if configs else None

    def theirs(self, program, evaluator, config):
        return self.peer("evaluate", program, evaluator, config or "-", code=None, timeout=200,
                         cwd=evaluator.parent, env=variables(config) if config else None)

    def ours(self, program, evaluator, config):
        words = ["-c", config, "--set", "evaluator.use_llm_feedback=false"] if config else []
        # Where the evaluator is: some read files of theirs by relative paths.
        own, self.directory = self.directory, evaluator.parent
        try:
            result = self.oe("eval", program, "--evaluator", evaluator, "--json", *words, code=None,
                             env=variables(config) if config else None, timeout=200)
        finally:
            self.directory = own
        self.assertIn(result.code, (0, 1), result)
        return result.json()

    def compare(self, program, evaluator, config):
        """False if something that the evaluator imports is not here."""
        first = self.theirs(program, evaluator, config)
        if first is None:
            return False
        ours = self.ours(program, evaluator, config)
        if set(first["metrics"]) <= FAILED:
            # Here an evaluation that raised is one without metrics; some that fail there are awaited here.
            self.assertTrue(ours["verdict"] != "ok" or not first["artifacts"].get("traceback"), (first, ours))
            return True
        self.assertEqual(ours["verdict"], "ok", (first, ours))
        second = self.theirs(program, evaluator, config)
        self.compare_metrics(first["metrics"], second["metrics"], ours["metrics"])
        if set(first["metrics"]) == set(ours["metrics"]):
            self.assertLessEqual(set(first["artifacts"]) & set(second["artifacts"]) - THEIRS,
                                 set(ours["artifacts"]))
        return True

    def compare_metrics(self, first, second, ours):
        names = set(first) - {"error"}
        # Two readings of a clock may agree and say nothing; it may be one of several in a value.
        timed = {name for name in names if "time" in name or "time" in str(first[name])}
        again = {name for name in names - timed if same(first[name], second.get(name))}
        chance = names - again - timed
        if chance:  # decides, too, how many stages there are
            self.assertTrue(names <= set(ours) or set(ours) <= names | set(second), (first, ours))
        else:
            self.assertEqual(names, set(ours) - {"error"})
        for name in again & set(ours):
            self.assertTrue(same(first[name], ours[name]), (name, first[name], ours[name]))

    def test_their_own_programs(self):
        compared = set()
        for evaluator, config in self.evaluators():
            for program in sorted(evaluator.parent.iterdir()):
                if program.stem not in PROGRAMS or not program.is_file() or program.suffix == ".json":
                    continue
                with self.subTest(program.relative_to(EXAMPLES)):
                    if self.compare(program, evaluator, config):
                        compared.add(str(evaluator.parent.relative_to(EXAMPLES)))
        print(f"compared {len(compared)}: {', '.join(sorted(compared))}", flush=True)
        self.assertGreater(len(compared), 10)

    def test_broken_programs(self):
        written = {name: self.write(f"{name}.py", text) for name, text in BROKEN.items()}
        for example in ("function_minimization", "circle_packing", "circle_packing_with_artifacts",
                        "signal_processing", "k_module_problem"):
            evaluator = EXAMPLES / example / "evaluator.py"
            configs = sorted(evaluator.parent.glob("config*.yaml"))
            for name, program in written.items():
                with self.subTest(example, program=name):
                    if evaluator.exists():
                        self.compare(program, evaluator, configs[0] if configs else None)


if __name__ == "__main__":
    main()
