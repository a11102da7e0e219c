#!/usr/bin/env python3
"""hub.semantics: generation. Children join at the barrier, and no straggler holds it up for ever."""
import json

from oe import FakeLLM, main
from semantics import ITERATIONS, Semantics


class Generation(Semantics):
    def test_generations(self):
        with FakeLLM(pure=1, latency=10, latency_sigma=1) as fake:
            self.begin("generation", 16)
            first = self.evolve(fake, "one", "-j", 1, "--llm-jobs", 1)
            self.assertEqual(self.done, ITERATIONS)  # the last generation is not full
            self.assertEqual(self.query("one", "SELECT count(*) FROM log WHERE kind = 'close'")[0][0], 1)
            self.assertEqual(self.evolve(fake, "many", "-j", 4, "--llm-jobs", 64), first)
            self.assertEqual(self.rows("many"), self.rows("one"))
            # A parent is of an earlier generation.
            for number, _, _, parent, *_ in self.rows("one"):
                made = self.query("one", f"SELECT iteration FROM program WHERE id = '{parent}'")
                if made:
                    self.assertLessEqual(made[0][0], (number - 1) // 16 * 16)

    def test_generations_after_a_kill(self):
        with FakeLLM(pure=1, latency=20, latency_sigma=1) as fake:
            self.begin("generation", 16)
            first = self.evolve(fake, "whole", "-j", 4, "--llm-jobs", 64)
            words = self.words(fake, "broken", "-i", ITERATIONS, "--resume", "-j", 3, "--llm-jobs", 16)
            for rows in (10, 45, 70, 105):
                process = self.start(*words, env={"OPENAI_API_KEY": "k"})
                self.wait_for_rows("broken", rows)
                process.kill()
                process.wait()
            self.oe(*words, env={"OPENAI_API_KEY": "k"})
            self.assertEqual(self.hash("broken"), first)
            self.assertEqual(self.rows("broken"), self.rows("whole"))

    def test_a_straggler_holds_up_nobody(self):
        """M2, M19: one question hangs; a quorum closes its generation, and so does a deadline."""
        for option in ("hub.generation_quorum=0.75", "hub.generation_timeout=0.3"):
            with FakeLLM(pure=1, latency=5) as fake:
                fake.control(script=[{"latency": 1e7}])
                self.begin("generation", 4)
                out = option.split("_")[1].split("=")[0]
                words = self.words(fake, out, "--set", option, "-j", 4, "--llm-jobs", 16, "-i", 40)
                process = self.start(*words, env={"OPENAI_API_KEY": "k"})
                self.wait_for_rows(out, 25, "WHERE kind IN ('commit', 'fail')")
                fake.control(release=1)
                self.finish(process)
                self.hash(out)
                self.assertEqual(self.done, 40)
                ends = self.query(out, "SELECT number FROM log WHERE kind IN ('commit', 'fail') "
                                       "ORDER BY seq")
                self.assertGreater(ends.index((1,)), 20)  # and yet it is not lost
                self.assertGreater(self.query(out, "SELECT count(*) FROM log WHERE kind = 'close'")[0][0], 0)
                self.oe("checkpoint", "verify", out)

    def test_what_is_configured_counts(self):
        """M16: a pattern and dimensions of one's own are those of whoever reads answers and places programs."""
        answer = "<old>\n    scale = 1.5\n</old><new>\n    scale = {}.5\n</new>"
        with FakeLLM(pure=1, latency=5) as fake:
            fake.control(script=[answer.format(number) for number in range(2, 10)])
            self.problem("""
hub: {semantics: generation, window: 4}
diff_pattern: '<old>\\n(.*?)</old><new>\\n(.*?)</new>'
database: {feature_dimensions: [scale, complexity], feature_bins: {scale: 7, complexity: 3}}
""")
            self.oe(*self.words(fake, "out", "-i", 4), env={"OPENAI_API_KEY": "k"})
        self.assertEqual(self.status()["iterations"]["outcomes"], {"committed": 4})
        metadata = json.loads(self.path("out/checkpoints/checkpoint_4/metadata.json").read_text())
        cells = [cell for island in metadata["island_feature_maps"] for cell in island]
        self.assertGreater(len(cells), 1)
        for cell in cells:
            self.assertRegex(cell, "^[0-6]-[0-2]$")

    def test_what_is_beside_the_evaluator(self):
        """M17: modules and data of its directory are there for whoever evaluates."""
        with FakeLLM(pure=1, latency=5) as fake:
            self.begin("generation", 4)
            self.write("judge/evaluator.py", """import pathlib
import marks

def evaluate(program_path):
    offset = float((pathlib.Path(__file__).parent / "offset.txt").read_text())
    return {"combined_score": offset + marks.mark(program_path)}
""")
            self.write("judge/marks.py", "def mark(path):\n    return len(open(path).read()) / 1000\n")
            self.write("judge/offset.txt", "40")
            words = self.words(fake, "out", "-i", 8)
            self.oe(words[0], words[1], "judge/evaluator.py", *words[3:], env={"OPENAI_API_KEY": "k"})
        self.assertGreater(self.status()["best"]["metrics"]["combined_score"], 40)
        self.assertGreater(self.status()["iterations"]["outcomes"]["committed"], 0)

    def test_a_budget_is_up(self):
        """What was paid for belongs to the result."""
        with FakeLLM(pure=1, latency=5) as fake:
            for option, value in (("--max-evaluations", 10), ("--max-llm-tokens", 100000)):
                with self.subTest(option):
                    out = option.strip("-")
                    self.begin("generation", 600)
                    words = self.words(fake, out, "-i", 4000, option, value)
                    self.oe(*words, env={"OPENAI_API_KEY": "k"})
                    waiting = self.query(out, "SELECT count(*) FROM log WHERE kind = 'commit' "
                                              "AND outcome IS NULL")[0][0]
                    self.assertEqual(waiting, 0)
                    self.assertGreater(self.status(out)["iterations"]["done"], 1)
                    self.oe("checkpoint", "verify", out)
                    self.oe("replay", out, "--verify")

    def test_time_is_up(self):
        """What was evaluated belongs to the result, though its generation was not full."""
        with FakeLLM(pure=1, latency=10) as fake:
            self.begin("generation", 65536)
            self.oe(*self.words(fake, "out", "-i", 1000000, "--max-time", "4"), env={"OPENAI_API_KEY": "k"})
            self.hash("out")
            self.assertGreater(self.done, 0)
            self.assertEqual(self.query("out", "SELECT count(*) FROM log WHERE kind = 'commit' "
                                               "AND outcome IS NULL")[0][0], 0)
            self.oe("checkpoint", "verify", "out")


if __name__ == "__main__":
    main()
