#!/usr/bin/env python3
"""Programs that were evaluated before are not evaluated again: the same, and the same but for comments."""
import unittest

from oe import PROGRAM, Case, FakeLLM, main

CONFIG = """random_seed: 3
diff_based_evolution: false
llm: {primary_model: tiny}
hub: {semantics: %s, window: 1}
"""
BETTER = PROGRAM.replace("1.5", "2.5")
ANSWERS = [
    BETTER,
    BETTER.replace("return", "# What it comes to:\n\n    return").replace("= 2.5", "= 2.5  # two and a half"),
    BETTER,
    BETTER.replace("    ", "  "),
    PROGRAM.replace("1.5", "3.5"),
]


class Duplicates(Case):
    def evolve(self, semantics="steady", *words):
        self.problem(CONFIG % semantics)
        with FakeLLM() as fake:
            fake.control(script=[f"```python\n{answer}```\n" for answer in ANSWERS])
            result = self.run_problem("--api-base", fake.url, "-i", "5", "--progress", "json", *words)
        status = self.status()
        return result, status["iterations"]["outcomes"], status["budget"]["evaluations"]["used"]

    def test_both_are_counted(self):
        for semantics in ("steady", "generation", "ordered"):
            with self.subTest(semantics=semantics):
                out = "of-" + semantics
                _, outcomes, evaluations = self.evolve(semantics)
                self.assertEqual({name: count for name, count in outcomes.items() if count},
                                 {"committed": 2, "equivalent": 2, "duplicate": 1})
                self.assertEqual(evaluations, 3)  # the initial program's is one
                self.oe("replay", "out", "--verify")
                self.path("out").rename(self.path(out))

    def test_it_is_said(self):
        result, _, _ = self.evolve()
        ended = {line["iter"]: line for line in result.lines() if line.get("outcome")}
        self.assertEqual([ended[number]["outcome"] for number in range(1, 6)],
                         ["committed", "equivalent", "duplicate", "equivalent", "committed"])
        self.assertIn("but for comments and white space", str(ended[2]))
        self.assertIn("2 equivalent", self.oe("status", "out").out)

    def test_exactly(self):
        """Where the text itself is judged, each text is evaluated."""
        _, outcomes, evaluations = self.evolve("steady", "--set", "hub.duplicates=exact")
        self.assertEqual({name: count for name, count in outcomes.items() if count},
                         {"committed": 4, "duplicate": 1})
        self.assertEqual(evaluations, 5)
        self.oe("replay", "out", "--verify")


if __name__ == "__main__":
    main()
