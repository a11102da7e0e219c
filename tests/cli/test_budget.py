#!/usr/bin/env python3
"""What a run may use up: tokens, dollars, evaluations, time; counted as the server counts, across kills."""
import contextlib
import json
import os
import random
import sqlite3
import unittest

from oe import CONFIG, Case, FakeLLM, main

MODEL = "random_seed: 3\nllm: {primary_model: tiny, max_tokens: 512, retry_delay: 0.01, timeout: 100}\nmax_time: 1000\n"
JUDGED = MODEL + "evaluator: {use_llm_feedback: true}\n"
ENDLESS = ("-i", "1000000")
LONG = "OE_LONG" in os.environ


def tokens_of(stats):
    return stats["tokens_in"] + stats["tokens_out"]


class Budget(Case):
    def evolve(self, fake, *words, **how):
        return self.run_problem("--api-base", fake.url, "--progress", "none", *words, **how)

    def budget(self):
        return self.status()["budget"]

    def query(self, sql):
        with contextlib.closing(sqlite3.connect(self.path("out/run.db"))) as database:
            return database.execute(sql).fetchall()

    def assert_all_answers_are_used(self):
        """What was paid for was evaluated: each answer's iteration has ended."""
        left = self.query("SELECT number FROM answer WHERE number NOT IN"
                          " (SELECT number FROM log WHERE kind IN ('commit', 'fail'))")
        self.assertEqual(left, [])

    # ---- tokens ----

    def test_tokens_are_those_of_the_server(self):
        """64 in flight, and not one token more than allowed."""
        self.problem(MODEL)
        with FakeLLM(latency=30, latency_sigma=0.5) as fake:
            result = self.evolve(fake, *ENDLESS, "--llm-jobs", "64", "--max-llm-tokens", "150000")
            budget, stats = self.budget()["tokens"], fake.stats()
        self.assertEqual(budget, {"used": tokens_of(stats), "unsettled": 0, "limit": 150000})
        self.assertLessEqual(budget["used"], 150000)
        self.assertGreater(budget["used"], 150000 - 20000)  # as long as another question fits
        status = self.status()
        self.assertEqual((status["state"], status["reason"]), ("finished", "budget"))
        self.assertIn(f"budget.tokens: {budget['used']} of 150000 are used", result.err)
        self.assertIn(f"budget      {budget['used']} of 150000 tokens\n", self.oe("status", "out").out)
        self.assert_all_answers_are_used()

    def test_judges_count(self):
        """A program that nobody could be paid to judge is not taken without a judgement."""
        self.problem(JUDGED)
        with FakeLLM(latency=10) as fake:
            self.evolve(fake, *ENDLESS, "--llm-jobs", "64", "--max-llm-tokens", "100000")
            budget, status, stats = self.budget()["tokens"], self.status(), fake.stats()
        self.assertEqual(budget["used"], tokens_of(stats))
        self.assertLessEqual(budget["used"], 100000)
        self.assertEqual(status["llm"]["attempts"], stats["requests"])
        judged = self.query("SELECT count(*) FROM judgement")[0][0]
        evaluated = self.query("SELECT count(*) FROM log WHERE evaluation_ms >= 0")[0][0]
        self.assertEqual(judged, evaluated)

    def test_a_judge_that_cannot_be_paid(self):
        """It is said of whom it is, and he is judged when there is more money."""
        dear = JUDGED.replace("llm: {", "llm: {evaluator_models: [{name: tiny, max_tokens: 20000}], ")
        self.problem(dear + "hub: {semantics: ordered, window: 8}\n")
        with FakeLLM(latency=10) as fake:
            result = self.run_problem("--api-base", fake.url, *ENDLESS, "--llm-jobs", "8",
                                      "--max-llm-tokens", "60000")
            status = self.status()
            opened = status["iterations"]["issued"] - status["iterations"]["done"]
            unjudged = result.err.count("nothing left for its judges")
            self.assertGreater(unjudged, 0, result)
            self.assertLessEqual(unjudged, opened)
            left = self.query("SELECT count(*) FROM answer WHERE number NOT IN (SELECT number FROM log"
                              " WHERE kind IN ('commit', 'fail'))")[0][0]
            self.assertEqual(left, unjudged)
            asked = fake.stats()["requests"]
            self.oe("resume", "out", "-i", "0", "--api-base", fake.url, "--max-llm-tokens", "1000000")
            self.assertGreaterEqual(fake.stats()["requests"] - asked, unjudged)
        self.assert_all_answers_are_used()

    def test_killed_again_and_again(self):
        """What was in flight at a kill stays charged at the most that it can have been."""
        self.problem(MODEL)
        rng = random.Random(11)
        limit, in_flight, sessions = (40000000, 64, 100) if LONG else (800000, 24, 6)
        kills = 0
        words = ["--llm-jobs", in_flight, "--max-llm-tokens", limit, "--progress", "none"]
        with FakeLLM(latency=60, latency_sigma=1) as fake:
            for number in range(sessions):
                if self.path("out/run.db").exists():
                    begin = ["resume", "out"]
                else:
                    begin = ["run", "initial_program.py", "evaluator.py", "-c", "config.yaml", "-o", "out"]
                process = self.start(*begin, *ENDLESS, *words, "--api-base", fake.url)
                answers = fake.stats()["requests"] + rng.randrange(1, in_flight + 6)
                self.wait_for(lambda: fake.stats()["requests"] >= answers or process.poll() is not None)
                process.kill()
                process.communicate()
                kills += process.returncode == -9
                if process.returncode == 0:  # all of it is charged by now
                    break
                self.assertEqual(process.returncode, -9)
            self.assertGreaterEqual(kills, sessions // 2)
            # What was on its way has arrived when the server has seen the connections end.
            self.wait_for(lambda: fake.stats()["connections_open"] <= 1 and fake.stats()["in_flight"] == 0)
            before, at_kill = self.charges(), fake.stats()
            self.assertGreater(before["reserved"] + before["unsettled"], 0)
            self.assertLessEqual(before["settled"], tokens_of(at_kill))
            self.assertLessEqual(tokens_of(at_kill), before["all"])
            self.oe("resume", "out", *ENDLESS, *words, "--api-base", fake.url)
            after, stats = self.charges(), fake.stats()
        self.assertEqual(after["settled"] - before["settled"], tokens_of(stats) - tokens_of(at_kill))
        self.assertEqual(after["reserved"], 0)
        self.assertEqual(after["unsettled"], before["reserved"] + before["unsettled"])
        budget = self.budget()["tokens"]
        self.assertEqual((budget["used"], budget["unsettled"]), (after["all"], after["unsettled"]))
        self.assertLessEqual(tokens_of(stats), budget["used"])
        self.assertLessEqual(budget["used"], limit)
        self.assert_all_answers_are_used()
        print(f"{kills} kills, {in_flight} in flight: the server's sum {tokens_of(stats)}, used {budget['used']}"
              f" of {limit}, {budget['unsettled']} of them in flight at kills", flush=True)

    def charges(self):
        sums = {"reserved": 0, "settled": 0, "unsettled": 0, "free": 0}
        sums.update(self.query("SELECT state, sum(tokens) FROM charge GROUP BY state"))
        return {**sums, "all": sum(sums.values())}

    def test_what_nobody_reports(self):
        """A request that was sent and brought nothing costs what it may have cost; a refused one does not."""
        self.problem(MODEL.replace("retry_delay", "retries: 6, retry_delay"))
        with FakeLLM(rate_cut=0.1, rate_bad_json=0.1, rate_429=0.2, rate_500=0.1, retry_after="0") as fake:
            self.evolve(fake, *ENDLESS, "--llm-jobs", "16", "--max-llm-tokens", "200000")
            budget, stats = self.budget()["tokens"], fake.stats()
        self.assertLessEqual(budget["used"], 200000)
        self.assertLessEqual(tokens_of(stats), budget["used"])
        self.assertGreater(budget["unsettled"], 0)
        states = dict(self.query("SELECT state, count(*) FROM charge GROUP BY state"))
        self.assertEqual(sum(states.values()), stats["requests"] + self.unsent())
        refused = stats["status"]["429"] + stats["status"]["500"]
        self.assertEqual(states["free"], refused + self.unsent())
        self.assertEqual(self.query("SELECT sum(tokens) FROM charge WHERE state = 'free'"), [(0,)])

    def unsent(self):
        """Retries that the end of the run caught between the reservation and the request."""
        requests = sum(row[0] for row in self.query("SELECT sum(requests) FROM answer UNION ALL"
                                                    " SELECT coalesce(sum(requests), 0) FROM unanswered"))
        return self.query("SELECT count(*) FROM charge")[0][0] - requests

    def test_an_answer_has_a_limit(self):
        """Also where the configuration leaves it to the provider; without a budget it is left there."""
        self.problem(MODEL.replace("max_tokens: 512", "max_tokens: null"))
        with FakeLLM() as fake:
            self.evolve(fake, "-i", "1")
            self.assertNotIn("max_tokens", fake.last()["body"])
            self.evolve(fake, "-i", "1", "-o", "other", "--max-llm-tokens", "50000")
            self.assertIn("max_tokens", fake.last()["body"])
        with FakeLLM(unsupported="max_tokens,max_completion_tokens") as fake:
            result = self.evolve(fake, "-i", "1", "-o", "third", "--max-llm-tokens", "50000", code=None)
            self.assertNotIn("200", fake.stats()["status"], result)

    def test_a_question_that_cannot_fit(self):
        self.problem(MODEL)
        with FakeLLM() as fake:
            result = self.evolve(fake, "-i", "5", "--max-llm-tokens", "100")
            self.assertEqual(fake.stats()["requests"], 0)
        self.assertIn("budget.tokens: 0 of 100 are used, and the next question may take", result.err)
        self.assertEqual(self.status()["llm"]["attempts"], 0)

    def test_a_budget_comes_later(self):
        """What a run has used before it had one counts."""
        self.problem(MODEL)
        with FakeLLM() as fake:
            self.evolve(fake, "-i", "20")
            self.assertEqual(self.budget()["tokens"], {"used": tokens_of(fake.stats()), "unsettled": 0,
                                                       "limit": None})
            more = tokens_of(fake.stats()) + 30000
            self.oe("resume", "out", *ENDLESS, "--api-base", fake.url, "--max-llm-tokens", more)
            budget, stats = self.budget()["tokens"], fake.stats()
            self.assertEqual(budget, {"used": tokens_of(stats), "unsettled": 0, "limit": more})
            # Counted on without a limit, and more than before.
            self.oe("resume", "out", "-i", "5", "--api-base", fake.url, "--set", "budget.tokens=null")
            self.assertEqual(self.budget()["tokens"]["used"], tokens_of(fake.stats()))
        self.assertGreater(budget["used"], more - 12000)

    # ---- cost ----

    def test_cost(self):
        self.problem(MODEL)
        self.write("prices.yaml", "tin*: {input: 1, output: 1}\ntiny: {input: 2, output: 10}\n")
        with FakeLLM(latency=10) as fake:
            result = self.evolve(fake, *ENDLESS, "--llm-jobs", "64", "--max-cost", "0.25", "--set",
                                 "budget.prices=prices.yaml")
            cost, stats = self.budget()["cost_usd"], fake.stats()
        self.assertAlmostEqual(cost["used"], stats["tokens_in"] * 2e-6 + stats["tokens_out"] * 10e-6, 6)
        self.assertLessEqual(cost["used"], 0.25)
        self.assertGreater(cost["used"], 0.2)
        self.assertEqual((cost["limit"], cost["unsettled"], cost["unpriced_requests"]), (0.25, 0, 0))
        self.assertIn("budget.cost_usd: $0.2", result.err)
        self.assertRegex(self.oe("status", "out").out, r"budget +\$0\.2\d+ of \$0\.2500\n")

    def test_a_model_without_a_price(self):
        """It is said once, and counted as what it is: not nothing."""
        self.problem("llm:\n  models: [{name: dear}, {name: odd}]\nrandom_seed: 3\n")
        self.write("prices.json", json.dumps({"dear": {"input": 2, "output": 10}}))
        with FakeLLM() as fake:
            result = self.run_problem("--api-base", fake.url, "-i", "30", "--max-cost", "5", "--set",
                                      "budget.prices=prices.json")
            stats = fake.stats()
        cost = self.budget()["cost_usd"]
        self.assertEqual(cost["unpriced_requests"], stats["models"]["odd"])
        self.assertGreater(cost["used"], 0)
        self.assertEqual(result.err.count("'odd' is unpriced"), 1, result.err)
        self.assertNotIn("'dear' is unpriced", result.err)
        self.assertIn(f"and {stats['models']['odd']} unpriced requests", self.oe("status", "out").out)

    def test_prices_that_are_none(self):
        self.problem(MODEL)
        for text, part in (("tiny: 3\n", "prices.yaml:1:7"), ("tiny: {input: 1}\n", "'output'"),
                           ("tiny: {input: -1, output: 1}\n", "'input'"), ("- 1\n", "MODEL"),
                           ("tiny: {input: 1, output: 1, cached: 1}\n", "nothing else"), ("{", "prices.yaml")):
            with self.subTest(text=text):
                self.write("prices.yaml", text)
                result = self.run_problem("--api-base", "http://127.0.0.1:9/v1", "--set",
                                          "budget.prices=prices.yaml", code=CONFIG)
                self.assert_one_sentence(result, part)
        result = self.run_problem("--api-base", "http://127.0.0.1:9/v1", "--max-cost", "1", code=CONFIG)
        self.assert_one_sentence(result, "budget.cost_usd", "budget.prices")
        for nowhere in ("nowhere.yaml", "."):
            result = self.run_problem("--api-base", "http://127.0.0.1:9/v1", "--set", f"budget.prices={nowhere}",
                                      code=CONFIG)
            self.assert_one_sentence(result, "budget.prices", str(self.path(nowhere)))

    # ---- evaluations and time ----

    def test_evaluations(self):
        """The initial program's is one; those of a session that was killed count if they ended."""
        self.problem(MODEL)
        with FakeLLM(latency=20) as fake:
            process = self.start("run", "initial_program.py", "evaluator.py", "-c", "config.yaml", "-o",
                                 "out", *ENDLESS, "--api-base", fake.url, "--max-evaluations", "60",
                                 "--llm-jobs", "16", "-j", "2")
            self.wait_for(lambda: fake.stats()["requests"] >= 30)
            process.kill()
            process.communicate()
            result = self.oe("resume", "out", *ENDLESS, "--api-base", fake.url, "--max-evaluations", "60",
                             "--llm-jobs", "16", "-j", "2")
        self.assertEqual(self.budget()["evaluations"], {"used": 60, "limit": 60})
        self.assertIn("budget.evaluations: 60 of 60 are used", result.err)
        self.assertEqual(self.status()["reason"], "budget")
        self.assert_all_answers_are_used()
        result = self.oe("resume", "out", *ENDLESS, "--api-base", fake.url, "--max-evaluations", "60")
        self.assertEqual(self.budget()["evaluations"]["used"], 60)

    def test_seconds(self):
        """Over all sessions: a second one that has no time left makes nothing."""
        self.problem(MODEL + "budget: {seconds: 2}\n")
        with FakeLLM(latency=20) as fake:
            result = self.evolve(fake, *ENDLESS)
            self.assertIn("budget.seconds: 2 of 2 s are used", result.err)
            status = self.status()
            self.assertEqual((status["state"], status["reason"]), ("finished", "time"))
            used = self.budget()["seconds"]
            self.assertEqual(used["limit"], 2)
            self.assertGreater(used["used"], 1)
            asked = fake.stats()["requests"]
            self.oe("resume", "out", *ENDLESS, "--api-base", fake.url)
            self.assertEqual(fake.stats()["requests"], asked)
            self.assertEqual(self.status()["reason"], "time")


if __name__ == "__main__":
    main()
