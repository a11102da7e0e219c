#!/usr/bin/env python3
"""hub.semantics: ordered. The same run for any number of workers, any timing, and any interruption."""
import random
import signal

from oe import FAILED, INTERRUPTED, FakeLLM, main
from semantics import ITERATIONS, Semantics


class Ordered(Semantics):
    def test_any_number_of_workers(self):
        with FakeLLM(pure=1, latency=10, latency_sigma=1) as fake:
            self.begin()
            first = self.evolve(fake, "one", "-j", 1, "--llm-jobs", 1)
            rows = self.rows("one")
            self.assertEqual((self.done, len(rows)), (ITERATIONS, ITERATIONS))
            self.assertGreater(len({row[5] for row in rows}), 1)
            for out, words in (("many", ("-j", 4, "--llm-jobs", 64)),
                               ("calls", ("-j", 1, "--llm-jobs", 64)),
                               ("slots", ("-j", 64, "--llm-jobs", 1))):
                self.assertEqual(self.evolve(fake, out, *words), first)
                self.assertEqual(self.rows(out), rows)

    def test_failures_that_are_replaced(self):
        with FakeLLM(pure=1, latency=5, latency_sigma=1) as fake:
            self.begin(more="max_code_length: 1000\n")
            replace = ("--set", "hub.on_failure=replace")
            first = self.evolve(fake, "one", "-j", 1, "--llm-jobs", 1, *replace)
            rows = self.rows("one")
            self.assertGreater(max(row[1] for row in rows), 0)
            self.assertEqual(self.evolve(fake, "many", "-j", 4, "--llm-jobs", 64, *replace), first)
            self.assertEqual(self.rows("many"), rows)
            self.assertEqual(self.done, ITERATIONS)
            self.assertGreater(len(rows), ITERATIONS)

    def test_window_of_one_is_sequential(self):
        """The recorded parity: one after the other, as it always was, and in order with 64 in flight."""
        with FakeLLM(pure=1, latency=1) as fake:
            self.begin("steady", 1)
            steady = self.evolve(fake, "steady", "-j", 1, "--llm-jobs", 1)
            self.begin("ordered", 1)
            self.assertEqual(self.evolve(fake, "ordered", "-j", 64, "--llm-jobs", 64), steady)
            self.assertEqual(self.rows("ordered"), self.rows("steady"))

    def test_kill_and_resume(self):
        dice = random.Random(5)
        with FakeLLM(pure=1, latency=20, latency_sigma=1) as fake:
            self.begin()
            first = self.evolve(fake, "whole", "-j", 4, "--llm-jobs", 64)
            words = self.words(fake, "broken", "-i", ITERATIONS, "--resume", "-j", 3, "--llm-jobs", 16)
            for kill in range(6):
                process = self.start(*words, env={"OPENAI_API_KEY": "k"})
                self.wait_for_rows("broken", 3 + 14 * kill + dice.randrange(14))
                process.kill()
                process.wait()
                self.hash("broken")  # a run that was interrupted has one, too
            self.assertEqual(self.oe(*words, env={"OPENAI_API_KEY": "k"}).code, 0)
            self.assertEqual(self.hash("broken"), first)
            self.assertEqual(self.done, ITERATIONS)
            self.assertEqual(self.rows("broken"), self.rows("whole"))
            self.oe("checkpoint", "verify", "broken")
            self.oe("prompt", "broken", "-i", ITERATIONS)

    def test_prompts_of_attempts(self):
        """Each attempt was asked for by itself, and shows how the one before failed."""
        with FakeLLM(pure=1, latency=5, rate_no_diff=0.4) as fake:
            self.begin(window=4)
            self.evolve(fake, "out", "--set", "hub.on_failure=replace", iterations=12)
        again = self.query("out", "SELECT number, attempt FROM answer WHERE attempt > 0")
        self.assertGreater(len(again), 0)
        for number, attempt in again[:4]:
            prompts = [self.oe("prompt", "out", "-i", number, "--attempt", which).out
                       for which in range(attempt + 1)]
            self.assertEqual(len(set(prompts)), attempt + 1)
        number, last = self.query("out", "SELECT number, max(attempt) FROM answer GROUP BY number"
                                         " ORDER BY max(attempt) DESC LIMIT 1")[0]
        text = self.oe("prompt", "out", "-i", number).out
        self.assertEqual(text, self.oe("prompt", "out", "-i", number, "--attempt", last).out)
        for words, which in ((), last), (("--attempt", last), last), (("--attempt", 0), 0):
            told = self.oe("prompt", "out", "-i", number, *words, "--json").json()
            self.assertEqual((told["iteration"], told["attempt"]), (number, which))
        made = self.query("out", f"SELECT id FROM program WHERE iteration = {number} AND verdict = 'ok'")
        for (program,) in made:
            asked = self.oe("prompt", "out", "-i", number, "--json").json()["user"]
            self.assertIn(asked, self.oe("show", program, "--run", "out", "--prompt").out)
        result = self.oe("prompt", "out", "-i", number, "--attempt", last + 1, code=FAILED)
        self.assertIn(f"iteration {number} has no attempt {last + 1}", result.err)

    def test_stopping_and_going_on(self):
        """Ctrl-C, and other numbers of workers afterwards."""
        with FakeLLM(pure=1, latency=30, latency_sigma=1) as fake:
            self.begin()
            first = self.evolve(fake, "whole", "-j", 1, "--llm-jobs", 4)
            process = self.start(*self.words(fake, "out", "-i", ITERATIONS, "-j", 4, "--llm-jobs", 64),
                                 env={"OPENAI_API_KEY": "k"})
            self.wait_for_rows("out", 40)
            process.send_signal(signal.SIGINT)
            self.finish(process, code=INTERRUPTED)
            self.evolve(fake, "out", "--resume", "-j", 1, "--llm-jobs", 2)
            self.assertEqual(self.hash("out"), first)
            self.assertEqual(self.rows("out"), self.rows("whole"))

    def test_target_is_reached_at_a_number(self):
        """Where the run is over depends on nobody's speed, whatever was under way."""
        with FakeLLM(pure=1, latency=10, latency_sigma=1) as fake:
            self.begin()
            target = ("--target-score", "0.95")
            first = self.evolve(fake, "one", "-j", 1, "--llm-jobs", 1, *target, iterations=200)
            done = self.done
            self.assertLess(done, 200)
            self.assertEqual(self.evolve(fake, "many", "-j", 4, "--llm-jobs", 64, *target, iterations=200),
                             first)
            self.assertEqual(self.done, done)
            # What waits behind it is not lost: with a higher target the run goes on as if it had had it.
            higher = ("--target-score", "2", "--resume")
            whole = self.evolve(fake, "whole", "-j", 4, "--llm-jobs", 8, "--target-score", "2",
                                iterations=done + 30)
            self.assertEqual(self.evolve(fake, "many", "-j", 2, "--llm-jobs", 8, *higher,
                                         iterations=done + 30), whole)
            self.assertEqual(self.rows("many"), self.rows("whole"))
            # It has gone on behind where it would be over now: that stays, and nothing is added.
            for rule in target, ("--target-score", "0.01"):
                self.assertEqual(self.evolve(fake, "many", *rule, "--resume", iterations=done + 60), whole)
                self.assertEqual((self.status("many")["state"], self.done), ("finished", done + 30))
                self.oe("checkpoint", "verify", "many")
                self.oe("replay", "many", "--verify")
            more = self.evolve(fake, "whole", *higher, iterations=done + 60)
            self.assertEqual(self.evolve(fake, "many", *higher, iterations=done + 60), more)

    def test_a_budget_ends_at_a_number(self):
        """Which question is the last that can be paid for does not depend on who is asked when."""
        self.begin(window=8)
        for limit in ("--max-llm-tokens=120000", "--max-evaluations=20"):
            found = set()
            for evaluators, models in ((1, 1), (4, 8)):
                out = f"{limit[6:12]}-{models}"
                with FakeLLM(pure=1, latency=5, latency_sigma=1) as fake:
                    archive = self.evolve(fake, out, limit, "-j", evaluators, "--llm-jobs", models,
                                          iterations=1000000)
                status = self.status(out)
                self.assertEqual(status["reason"], "budget")
                self.assertGreater(self.done, 8)
                found.add((archive, self.done, status["budget"]["tokens"]["used"]))
            self.assertEqual(len(found), 1, (limit, found))

    def test_patience_ends_at_a_number(self):
        with FakeLLM(pure=1, latency=10, latency_sigma=1) as fake:
            self.begin(more="early_stopping_patience: 12\n")
            first = self.evolve(fake, "one", "-j", 1, "--llm-jobs", 1, iterations=300)
            done = self.done
            self.assertLess(done, 300)
            self.assertEqual(self.evolve(fake, "many", "-j", 4, "--llm-jobs", 64, iterations=300), first)
            self.assertEqual(self.done, done)
            # With less it would have been over long ago; as it went on, it is over where it is.
            for patience in 3, 12, 1:
                self.assertEqual(self.evolve(fake, "many", "--resume", "--patience", patience, iterations=300), first)
                self.assertEqual(self.done, done)
            self.oe("replay", "many", "--verify")


if __name__ == "__main__":
    main()
