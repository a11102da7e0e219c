#!/usr/bin/env python3
"""What openevolve-run takes, oe run takes, and means the same by it."""
import json
import shutil
import unittest

from peers import EXAMPLES, FakeLLM, PeerCase, main

MODELS = """llm:
  models: [{name: one, weight: 0.5}, {name: two, weight: 0.5}]
  evaluator_models: [{name: judge}]
"""
ENV = {"OPENAI_API_KEY": "not-a-secret"}


class Flags(PeerCase):
    def test_all_are_there(self):
        help = self.oe("run", "--help").out
        flags = self.peer("flags")
        self.assertGreaterEqual(len(flags), 10)
        for flag in flags:
            with self.subTest(flag["names"]):
                # "  -c, --config FILE" or "      --checkpoint DIR"
                line = next((line for line in help.splitlines()
                             if set(flag["names"]) <= {word.rstrip(",") for word in line.split()}), None)
                self.assertIsNotNone(line, f"oe run has no {flag['names']}")
                value = line.split("--", 1)[1].split("  ")[0].split()[1:]
                self.assertEqual(bool(value), flag["value"], line)

    def choose(self, *words, config=MODELS):
        """The models that a run with these flags asks."""
        self.problem(config)
        shutil.rmtree(self.path("out"), ignore_errors=True)
        with FakeLLM() as fake:
            self.run_problem("-i", "30", "--api-base", fake.url, *words, env=ENV)
            return set(fake.stats()["models"])

    def test_models(self):
        self.assertEqual(self.choose(), {"one", "two"})
        self.assertEqual(self.choose("--primary-model", "three"), {"three"})
        self.assertEqual(self.choose("--primary-model", "three", "--secondary-model", "four"),
                         {"three", "four"})

    def test_its_commands_run(self):
        """Any order of words, long, short and shortened forms."""
        folder = EXAMPLES / "function_minimization"
        program, evaluator = folder / "initial_program.py", folder / "evaluator.py"
        with FakeLLM() as fake:
            usual = ["--api-base", fake.url, "--primary-model", "m"]
            for number, words in enumerate((
                    [program, evaluator, "--config", folder / "config.yaml", "--iterations", "2"],
                    ["-c", folder / "config.yaml", program, "-i", "2", evaluator],
                    [program, evaluator, f"--config={folder / 'config.yaml'}", "--iter", "2"],
                    [program, evaluator, "-i2", "-l", "ERROR", "-t", "1e9"])):
                self.oe("run", *words, *usual, "-o", f"out{number}", env=ENV)
                self.assertEqual(self.status(f"out{number}")["iterations"]["done"], 2)

    def test_both_write_the_same_places(self):
        folder = EXAMPLES / "function_minimization"
        with FakeLLM() as fake:
            words = [folder / "initial_program.py", folder / "evaluator.py", "--config",
                     folder / "config.yaml", "--iterations", "5", "--api-base", fake.url,
                     "--primary-model", "m"]
            self.peer("run", *words, "--output", self.path("theirs"), env=ENV)
            self.oe("run", *words, "--output", "ours", env=ENV)
        for place in ("best/best_program.py", "best/best_program_info.json",
                      "checkpoints/checkpoint_5/metadata.json",
                      "checkpoints/checkpoint_5/best_program.py",
                      "checkpoints/checkpoint_5/best_program_info.json", "logs"):
            self.assertTrue(self.path("theirs/" + place).exists(), place)
            self.assertTrue(self.path("ours/" + place).exists(), place)
        theirs, ours = (json.loads(self.path(f"{who}/best/best_program_info.json").read_text())
                        for who in ("theirs", "ours"))
        self.assertLessEqual(set(theirs), set(ours))


if __name__ == "__main__":
    main()
