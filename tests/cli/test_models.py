#!/usr/bin/env python3
"""Models that are down, refuse the key, throttle, lie or never answer: what oe says and counts."""
import socket
import unittest

from oe import MODELS, Case, FakeLLM, main

QUICK = "llm: {retry_delay: 0.05, timeout: 100}\nmax_time: 600\n"


class Models(Case):
    def evolve(self, fake, *words, **how):
        return self.run_problem("--api-base", fake.url, "--primary-model", "tiny", *words,
                                env={"OPENAI_API_KEY": "sk-test-key"}, **how)

    def counts_agree(self, fake):
        """Requests and attempts of the run are those that the server saw."""
        status, stats = self.status(), fake.stats()
        self.assertEqual(status["llm"]["attempts"], stats["requests"], (status, stats))
        return status, stats

    def test_api_base_alone_is_enough(self):
        """It moves every model that did not name a server of its own."""
        self.problem("llm:\n  api_base: http://192.0.2.1/v1\n  primary_model: one\n"
                     "  secondary_model: two\n")
        with FakeLLM() as fake:
            self.run_problem("-i", "5", "--api-base", fake.url)
            status, _ = self.counts_agree(fake)
        self.assertEqual(status["iterations"]["outcomes"], {"committed": 5})

    def test_a_refused_key_ends_the_run_after_one_request(self):
        self.problem(QUICK)
        with FakeLLM(key="another") as fake:
            result = self.evolve(fake, "--llm-jobs", "1", "-i", "50", code=MODELS)
            _, stats = self.counts_agree(fake)
        self.assertEqual(stats["requests"], 1)
        self.assertIn("401", result.err)
        self.assertIn("key", result.err)
        self.assertNotIn("sk-test-key", result.err)
        self.assertNotIn("sk-test-key", self.path("out/run.db").read_bytes().decode("latin-1"))

    def test_a_server_that_is_down(self):
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            port = unused.getsockname()[1]
        self.problem("llm: {retry_delay: 0.05, retries: 1, give_up_after: 1}\n")
        result = self.run_problem("--api-base", f"http://127.0.0.1:{port}/v1", "--primary-model",
                                  "tiny", "-i", "50", code=MODELS)
        self.assertIn(f"127.0.0.1 port {port}", result.err.splitlines()[-1])
        sentences = [line for line in result.err.splitlines() if line.startswith("oe run:")]
        self.assertEqual(len(sentences), 1, result.err)
        status = self.status()
        self.assertEqual((status["reason"], status["iterations"]["done"]), ("llm", 0))

    def test_a_server_that_comes_back(self):
        self.problem("llm: {retry_delay: 0.05, retries: 1, give_up_after: 600}\n")
        with FakeLLM(latency=20) as fake:
            process = self.start("run", "initial_program.py", "evaluator.py", "-c", "config.yaml", "-o",
                                 "out", "-i", "60", "--api-base", fake.url, "--primary-model", "tiny",
                                 "--llm-jobs", "2")
            self.wait_for(lambda: fake.stats()["requests"] > 10)
            fake.control(down=1500)
            self.finish(process)
        status = self.status()
        self.assertEqual((status["state"], status["iterations"]["done"]), ("finished", 60))

    def test_a_storm_of_429(self):
        self.problem("llm: {retry_delay: 0.05, timeout: 100, retries: 40}\nmax_time: 600\n")  # 0.3^41: never
        with FakeLLM(rate_429=0.3, retry_after="0.1", latency=2) as fake:
            self.evolve(fake, "-i", "60")
            status, stats = self.counts_agree(fake)
        self.assertGreater(stats["status"]["429"], 5)
        self.assertEqual(status["llm"]["requests"], 60)
        self.assertEqual(status["iterations"]["outcomes"], {"committed": 60})

    def test_retry_after_is_waited_for(self):
        self.problem("llm: {retry_delay: 0.01, retries: 3}\n")
        with FakeLLM(retry_after="1") as fake:
            fake.control(script=[{"fault": "429"}, {"edit": 1}])
            result = self.evolve(fake, "-i", "1", "--llm-jobs", "1", code=None)
            _, stats = self.counts_agree(fake)
        self.assertEqual(stats["requests"], 2)
        self.assertGreaterEqual(result.seconds, 1.0)

    def test_a_server_that_never_answers(self):
        self.problem("llm: {timeout: 0.3, retries: 1, retry_delay: 0.05, give_up_after: 2}\n")
        with FakeLLM(rate_hang=1) as fake:
            result = self.evolve(fake, "-i", "8", "--llm-jobs", "2", code=MODELS)
            self.counts_agree(fake)
        self.assertIn("no answer within 0.3 s", result.err.splitlines()[-1])

    def test_answers_of_every_kind_have_a_name(self):
        self.problem("llm: {retry_delay: 0.01, retries: 5}\n")
        with FakeLLM(rate_no_diff=0.1, rate_empty=0.05, rate_length=0.05,
                     rate_refusal=0.05, rate_bad_json=0.05, rate_drop=0.1, rate_500=0.1) as fake:
            self.evolve(fake, "-i", "80")
            status, stats = self.counts_agree(fake)
        outcomes = status["iterations"]["outcomes"]
        self.assertEqual(sum(outcomes.values()), 80)
        self.assertGreater(len(outcomes), 1, outcomes)
        self.assertGreater(stats["requests"], 80)

    def test_a_session_without_any_answer_failed(self):
        """Whatever the run did before: what it is asked for now did not happen."""
        self.problem("llm: {primary_model: tiny}\n")
        with FakeLLM() as fake:
            self.run_problem("-i", "4", "--api-base", fake.url)
            fake.control(rate_400=1)
            self.oe("resume", "out", "-i", "3", code=MODELS)
            self.oe("run", "initial_program.py", "evaluator.py", "-c", "config.yaml", "-o", "b",
                    "-i", "3", "--api-base", fake.url, "--checkpoint", "out/checkpoints/checkpoint_4",
                    code=MODELS)

    def test_an_unset_field_is_not_sent(self):
        self.problem("llm: {primary_model: tiny}\n")
        with FakeLLM() as fake:
            self.run_problem("-i", "1", "--api-base", fake.url)
            body = fake.last()["body"]
        body = body if isinstance(body, str) else str(body)
        for field in ("reasoning_effort", "seed", "verbosity"):
            self.assertNotIn(f'"{field}"', body)

    def test_a_parameter_that_is_not_taken_is_dropped_once(self):
        self.problem("llm: {primary_model: tiny, temperature: 0.5, top_p: 0.9}\n")
        with FakeLLM(unsupported="temperature") as fake:
            self.run_problem("-i", "10", "--llm-jobs", "1", "--api-base", fake.url)
            _, stats = self.counts_agree(fake)
        self.assertEqual(stats["status"]["400"], 1)
        self.assertEqual(self.status()["iterations"]["outcomes"], {"committed": 10})

    def test_two_models_share_the_work(self):
        self.problem("llm: {primary_model: one, primary_model_weight: 0.5, secondary_model: two,"
                     " secondary_model_weight: 0.5}\n")
        with FakeLLM() as fake:
            self.run_problem("-i", "40", "--api-base", fake.url)
        programs = self.oe("list", "out", "--all", "-n", "0", "--json").json()["programs"]
        models = [self.oe("show", p["id"], "--run", "out", "--json").json().get("model")
                  for p in programs[:20] if p["iteration"] > 0]
        self.assertEqual(set(models), {"one", "two"})

    def test_usage_is_counted_per_model(self):
        """Judges are models too, and the initial program is judged as well."""
        self.problem("llm:\n  models: [{name: writer}]\n  evaluator_models: [{name: judge}]\n"
                     "evaluator: {use_llm_feedback: true}\n")
        with FakeLLM() as fake:
            self.run_problem("-i", "6", "--api-base", fake.url, "--llm-jobs", "1", "-j", "1")
            status, stats = self.counts_agree(fake)
        models = status["llm"]["models"]
        self.assertEqual({name: usage["requests"] for name, usage in models.items()},
                         {"writer": 6, "judge": 7})
        self.assertEqual(stats["models"], {"writer": 6, "judge": 7})
        for key in ("requests", "attempts", "tokens_in", "tokens_out"):
            self.assertEqual(sum(usage[key] for usage in models.values()), status["llm"][key])
            self.assertTrue(all(usage[key] > 0 for usage in models.values()), models)
        self.assertIn("judge: 7 requests", self.oe("status", "out").out)

    def test_a_command_as_model(self):
        self.write("model.py", """import sys
text = sys.stdin.read()
print('<<<<<<< SEARCH\\n    scale = 1.5\\n=======\\n    scale = 4.0\\n>>>>>>> REPLACE')
""")
        self.problem("llm: {backend: command, command: [python3, model.py]}\n")
        self.run_problem("-i", "2")
        self.assertEqual(self.status()["best"]["metrics"]["scale"], 4.0)

    def test_claude_code(self):
        """The program that OpenEvolve's provider of this name runs, as it is run there."""
        self.write("bin/claude", """#!/bin/sh
echo "$@" >> "$HOME/asked"
cat > "$HOME/prompt"
printf '%s\\n' '<<<<<<< SEARCH' '    scale = 1.5' '=======' '    scale = 4.0' '>>>>>>> REPLACE'
""").chmod(0o755)
        self.problem("llm: {provider: claude_code, models: [{name: sonnet, max_budget_usd: 0.5}]}\n"
                     "prompt: {system_message: Improve it.}\n")
        self.run_problem("-i", "1", env={"HOME": self.directory,
                                         "PATH": f"{self.path('bin')}:/usr/bin:/bin"})
        self.assertEqual(self.status()["best"]["metrics"]["scale"], 4.0)
        self.assertEqual(self.path("asked").read_text(), "-p --model sonnet --no-session-persistence"
                         " --output-format text --max-budget-usd 0.5\n")
        prompt = self.path("prompt").read_text()
        self.assertTrue(prompt.startswith("Improve it."), prompt[:200])
        self.assertIn("scale = 1.5", prompt)

    def test_doctor_asks_each_model_once(self):
        self.problem("llm: {primary_model: one, secondary_model: two}\n")
        with FakeLLM() as fake:
            result = self.oe("doctor", "-c", "config.yaml", "--api-base", fake.url)
            self.assertEqual(fake.stats()["models"], {"one": 1, "two": 1})
            self.assertIn("one answered", result.out)
            self.assertIn("two answered", result.out)
            fake.reset()
            fake.control(rate_500=1)
            self.oe("doctor", "-c", "config.yaml", "--api-base", fake.url, code=1)
            self.assertEqual(fake.stats()["requests"], 2)

    def test_doctor_asks_each_model(self):
        self.problem("llm: {primary_model: tiny}\n")
        with FakeLLM(key="another") as fake:
            result = self.oe("doctor", "-c", "config.yaml", "--api-base", fake.url, code=1,
                             env={"OPENAI_API_KEY": "sk-wrong"})
            self.assertIn("401", result.out + result.err)
            self.assertNotIn("sk-wrong", result.out + result.err)
            fake.control(key="")
            self.oe("doctor", "-c", "config.yaml", "--api-base", fake.url,
                    env={"OPENAI_API_KEY": "sk-wrong"})


if __name__ == "__main__":
    main()
