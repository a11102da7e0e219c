#!/usr/bin/env python3
"""Configuration: where values come from, what is wrong with a file, and that secrets stay secret."""
import json
import unittest

from oe import CONFIG, DONE, Case, FakeLLM, main


class Precedence(Case):
    """flag > --set > OE_* > file > OPENAI_* > default."""

    def origin(self, key, *words, env=None):
        """Value and origin of a key, as `config show --origin` prints them."""
        section, _, name = key.rpartition(".")
        out = self.oe("config", "show", "--origin", *words, env=env).out
        here = ""
        for line in out.splitlines():
            if line and not line.startswith((" ", "#", "-")) and line.rstrip().endswith(":"):
                here = line.split(":")[0]
            elif line and not line.startswith(" "):
                here = ""
            if line.strip().startswith(name + ":") and (not section or here == section):
                value, _, origin = line.partition("  # ")
                return value.split(":", 1)[1].strip(), origin
        self.fail(f"{key} is not in\n{out}")

    def test_each_wins_over_the_next(self):
        file = self.write("c.yaml", "max_iterations: 11\nllm:\n  api_base: http://file/v1\n"
                                    "database:\n  num_islands: 7\n")
        self.assertEqual(self.origin("max_iterations")[1], "default")
        self.assertEqual(self.origin("max_iterations", "-c", file), ("11", f"{file}:1:17"))
        value, origin = self.origin("max_iterations", "-c", file, env={"OE_MAX_ITERATIONS": 12})
        self.assertEqual(value, "12")
        self.assertIn("OE_MAX_ITERATIONS", origin)
        value, origin = self.origin("max_iterations", "-c", file, "--set", "max_iterations=13",
                                    env={"OE_MAX_ITERATIONS": 12})
        self.assertEqual((value, "set" in origin), ("13", True))
        value, origin = self.origin("max_iterations", "-c", file, "--set", "max_iterations=13",
                                    "-i", "14", env={"OE_MAX_ITERATIONS": 12})
        self.assertEqual(value, "14")
        self.assertIn("iterations", origin)

    def test_the_provider_s_variables_stand_below_the_file(self):
        file = self.write("c.yaml", "llm:\n  api_base: http://file/v1\n")
        bare = self.write("bare.yaml", "max_iterations: 3\n")
        env = {"OPENAI_API_BASE": "http://openai-variable/v1"}
        self.assertIn("http://file/v1", self.origin("llm.api_base", "-c", file, env=env)[0])
        value, origin = self.origin("llm.api_base", "-c", bare, env=env)
        self.assertIn("http://openai-variable/v1", value)
        self.assertIn("OPENAI_API_BASE", origin)
        env["OE_LLM__API_BASE"] = "http://oe-variable/v1"
        self.assertIn("http://oe-variable/v1", self.origin("llm.api_base", "-c", file, env=env)[0])
        self.assertIn("http://flag/v1", self.origin(
            "llm.api_base", "-c", file, "--api-base", "http://flag/v1", env=env)[0])

    def test_the_last_set_wins(self):
        self.assertEqual(self.origin("max_iterations", "--set", "max_iterations=1",
                                     "--set", "max_iterations=2")[0], "2")

    def test_a_variable_inside_a_value_is_looked_up_at_once(self):
        file = self.write("c.yaml", "llm:\n  api_base: ${MY_BASE}\n")
        result = self.oe("config", "show", "-c", file, code=CONFIG)
        self.assert_one_sentence(result, "MY_BASE", "c.yaml:2:")
        self.problem("llm:\n  api_base: ${MY_BASE}\n  primary_model: one\n")
        with FakeLLM() as fake:
            self.run_problem("-i", "2", env={"MY_BASE": fake.url})
            self.assertEqual(fake.stats()["requests"], 2)

    def test_only_what_was_set(self):
        file = self.write("c.yaml", "max_iterations: 11\ndatabase: {num_islands: 5}\n")
        shown = self.oe("config", "show", "-c", file, "--changed", "--json").json()
        self.assertEqual(shown["values"], {"max_iterations": 11, "database": {"num_islands": 5}})
        self.assertEqual(set(shown["origins"]), {"max_iterations", "database.num_islands"})

    def test_templates_beside_the_file(self):
        """They are where the configuration is, else where the command is run."""
        self.write("there/templates/system_message.txt", "Templates of there.")
        self.write("here/system_message.txt", "Templates of here.")
        self.problem()
        for where, directory in (("there", "templates"), ("here", "here")):
            file = self.write("there/c.yaml", f"prompt: {{template_dir: {directory}}}\n"
                              "llm: {backend: mutate}\n")
            self.assertEqual(self.origin("prompt.template_dir", "-c", file)[0],
                             str(self.path("there/templates" if where == "there" else "here")))
            self.oe("run", "initial_program.py", "evaluator.py", "-c", file, "-i", "1", "-o", where)
            prompt = self.oe("prompt", where, "--iteration", "1", "--json").json()
            self.assertEqual(prompt["system"], f"Templates of {where}.")
        file = self.write("there/c.yaml", "prompt: {template_dir: nowhere}\nllm: {backend: mutate}\n")
        self.assertIn("nowhere", self.oe("run", "initial_program.py", "evaluator.py", "-c", file, "-i",
                                         "1", code=None).err)

    def test_a_variable_that_sets_nothing(self):
        err = self.oe("config", "show", env={"OE_MAX_ITERATION": "3", "OE_LLM_API_BASE": "x",
                                             "OE_QUITE_ANOTHER": "1", "OE_LOG_LEVEL": "DEBUG"}).err
        self.assertIn("OE_MAX_ITERATION sets nothing: did you mean OE_MAX_ITERATIONS?", err)
        self.assertIn("OE_LLM__API_BASE?", err)
        self.assertEqual(err.count("sets nothing"), 2, err)

    def test_what_is_shown_is_what_is_read(self):
        file = self.write("c.yaml", "max_iterations: 11\nprompt:\n  system_message: |\n    a: b\n    'c\n"
                                    "database:\n  feature_dimensions: [complexity, speed]\n")
        shown = self.oe("config", "show", "-c", file).out
        again = self.write("again.yaml", shown)
        self.assertEqual(self.oe("config", "show", "-c", again).out, shown)
        self.assertEqual(self.oe("config", "check", again, "--strict").code, DONE)


class Faults(Case):
    def check(self, text, *parts, code=CONFIG):
        file = self.write("bad.yaml", text)
        self.problem()
        result = self.oe("run", "initial_program.py", "evaluator.py", "-c", file, "-o", "out",
                         code=code)
        self.assert_one_sentence(result, "bad.yaml:", *parts)
        self.assertFalse(self.path("out").exists(), "a refused configuration must not begin a run")

    def test_types_and_ranges_are_located(self):
        self.check("max_iterations: many\n", "bad.yaml:1:17", "integer")
        self.check("llm:\n  temperature: hot\n", "bad.yaml:2:16", "number")
        self.check("database:\n  num_islands: 0\n", "bad.yaml:2:16", "1 to 1024")
        self.check("database: [1, 2]\n", "bad.yaml:1:11")
        self.check("llm:\n  models:\n    - name: a\n      weight: -1\n", "bad.yaml:4:")
        self.check("diff_pattern: '(unclosed'\n", "bad.yaml:1:")
        self.check("evaluator:\n  cascade_thresholds: [a]\n", "bad.yaml:2:")

    def test_syntax_is_located(self):
        self.check("a: [1, 2\nb: 3\n", "bad.yaml:")
        self.check("\tmax_iterations: 3\n", "bad.yaml:1:")
        self.check("- a list\n", "bad.yaml:1:")
        self.check("max_iterations: *nowhere\n", "nowhere")

    def test_a_bomb_of_aliases_is_refused_soon(self):
        lines = ["a0: &a0 [x,x,x,x,x,x,x,x,x]"]
        lines += [f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12)]
        file = self.write("bomb.yaml", "\n".join(lines) + "\n")
        result = self.oe("config", "check", file, code=CONFIG)
        self.assertIn("bomb.yaml", result.err + result.out)

    def test_a_file_that_is_not_there(self):
        self.problem()
        result = self.oe("run", "initial_program.py", "evaluator.py", "-c", "no.yaml", code=CONFIG)
        self.assert_one_sentence(result, "no.yaml", "No such file")
        self.assert_one_sentence(self.oe("config", "show", "-c", ".", code=CONFIG), "directory")

    def test_unknown_keys(self):
        file = self.write("c.yaml", "max_iteration: 3\nllm:\n  temprature: 1\n  backend: mutate\n")
        result = self.oe("config", "check", file)
        text = result.out + result.err
        for part in ("c.yaml:1:1", "max_iterations", "c.yaml:3:3", "temperature"):
            self.assertIn(part, text)
        self.oe("config", "check", "--strict", file, code=CONFIG)
        self.problem("max_iteration: 3\nllm: {backend: mutate}\n")
        warned = self.run_problem("-i", "1")
        self.assertIn("max_iterations", warned.err)
        self.run_problem("-i", "1", "--strict-config", code=CONFIG)

    def test_set_says_which_and_what_was_expected(self):
        for words, parts in ((["database.num_islands=x"], ("database.num_islands", "integer")),
                             (["database.num_island=3"], ("num_islands",)),
                             (["=3"], ()), (["novalue"], ("novalue",))):
            result = self.oe("config", "show", "--set", *words, code=None)
            self.assertIn(result.code, (2, CONFIG), result)
            self.assert_one_sentence(result, *parts)

    def test_a_variable_says_which(self):
        result = self.oe("config", "show", env={"OE_DATABASE__NUM_ISLANDS": "x"}, code=CONFIG)
        self.assert_one_sentence(result, "OE_DATABASE__NUM_ISLANDS", "integer")

    def test_a_key_that_does_nothing_says_so(self):
        file = self.write("c.yaml", "max_tasks_per_child: 5\n")
        result = self.oe("config", "check", file)
        self.assertIn("max_tasks_per_child", result.out + result.err)


class Reference(Case):
    def test_schema_is_json_and_knows_the_keys(self):
        schema = self.oe("config", "schema").json()
        self.assertIn("num_islands", json.dumps(schema["properties"]["database"]))
        self.assertTrue(schema["$schema"].startswith("http"))

    def test_every_key_can_be_explained(self):
        keys = self.oe("config", "keys").out.split("\n")
        names = [line.split()[0] for line in keys if line.strip()]
        self.assertGreater(len(names), 100)
        for name in names[::7]:
            out = self.oe("config", "explain", name).out
            self.assertTrue(out.startswith(name + "\n"), out)

    def test_explain_offers_the_nearest(self):
        self.assert_one_sentence(self.oe("config", "explain", "database.num_island", code=CONFIG),
                                 "database.num_islands")


class Secrets(Case):
    """No key of any origin is printed or stored, whatever is asked."""

    def test_nowhere(self):
        keys = {"file": "sk-from-the-file-1111", "variable": "sk-from-a-variable-2222",
                "model": "sk-of-a-model-3333", "openai": "sk-openai-4444"}
        config = f"""
llm:
  api_key: {keys['file']}
  timeout: 5
  models:
    - name: one
    - name: two
      api_key: {keys['model']}
    - name: three
      api_key: ${{MY_KEY}}
"""
        env = {"OPENAI_API_KEY": keys["openai"], "MY_KEY": keys["variable"]}
        self.problem(config)
        with FakeLLM() as fake:
            base = ("--api-base", fake.url)
            results = [
                self.run_problem("-i", "4", "-v", "--progress", "json", "--events", "events",
                                 *base, env=env),
                self.oe("config", "show", "--origin", "-c", "config.yaml", env=env),
                self.oe("config", "explain", "llm.api_key", "-c", "config.yaml", env=env),
                self.oe("doctor", "initial_program.py", "evaluator.py", "-c", "config.yaml", *base,
                        env=env, code=None),
                self.oe("doctor", "--json", "-c", "config.yaml", *base, env=env, code=None),
                self.oe("prompt", "out"), self.oe("show", "best", "--run", "out", "--json"),
                self.oe("status", "out", "--json"),
                self.oe("resume", "out", "-i", "2", "-v", *base, env=env),
            ]
            self.assertEqual(fake.last()["headers"].get("authorization"), True)
        for name, key in keys.items():
            for result in results:
                self.assertNotIn(key, result.out + result.err, f"key of {name}")
            for file in self.path("out").rglob("*"):
                if file.is_file():
                    self.assertNotIn(key.encode(), file.read_bytes(), f"key of {name} in {file}")
            self.assertNotIn(key, self.path("events").read_text())

    def test_no_candidate_sees_one(self):
        evaluator = """import os
def evaluate(program_path):
    with open("/proc/self/environ", "rb") as file:
        text = file.read().decode(errors="replace")
    text += repr(dict(os.environ))
    return {"combined_score": 0.0 if "sk-" in text else 1.0}
"""
        self.problem("llm: {backend: mutate}\n", evaluator=evaluator)
        env = {"OPENAI_API_KEY": "sk-openai-4444", "OE_LLM__API_KEY": "sk-oe-5555",
               "ANTHROPIC_API_KEY": "sk-ant-6666", "AWS_SECRET_ACCESS_KEY": "sk-aws-7777"}
        result = self.oe("eval", "initial_program.py", "--evaluator", "evaluator.py", "--json", env=env)
        self.assertEqual(result.json()["metrics"]["combined_score"], 1.0)


if __name__ == "__main__":
    main()
