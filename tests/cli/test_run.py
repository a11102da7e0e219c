#!/usr/bin/env python3
"""oe run, resume, eval, edit, init and demo: what they write, print, and exit with."""
import json
import os
import pathlib
import unittest

from oe import (CONFIG, DONE, EVALUATOR, UNUSABLE, FAILED, PROGRAM, STORE, TARGET, USAGE, Case, main)

MUTATE = "llm: {backend: mutate}\n"


class Run(Case):
    def test_what_is_written(self):
        self.problem(MUTATE + "checkpoint_interval: 10\n")
        result = self.run_problem("-i", "20", "--seed", "3")
        self.assertEqual(result.out, "out/best/best_program.py\n")
        best = json.loads(self.path("out/best/best_program_info.json").read_text())
        status = self.status()
        self.assertEqual(best["id"], status["best"]["id"])
        self.assertEqual(best["metrics"], status["best"]["metrics"])
        self.assertIn(f"scale = ", self.path("out/best/best_program.py").read_text())
        self.assertEqual(sorted(os.listdir(self.path("out/checkpoints"))),
                         ["checkpoint_10", "checkpoint_20"])
        metadata = json.loads(self.path("out/checkpoints/checkpoint_20/metadata.json").read_text())
        self.assertEqual(metadata["last_iteration"], 20)
        self.assertEqual(metadata["best_program_id"], best["id"])
        log = "".join(p.read_text() for p in self.path("out/logs").iterdir())
        self.assertIn("Iteration 20", log)

    def test_answers_and_artifacts_in_checkpoints(self):
        """As OpenEvolve's visualiser looks for them."""
        self.problem(MUTATE, evaluator=EVALUATOR.replace(
            'return {"combined_score": abs(scale - 1.5), "scale": scale}',
            'from openevolve.evaluation_result import EvaluationResult\n'
            '    return EvaluationResult({"combined_score": abs(scale - 1.5)},'
            ' {"short": "s", "long": "l" * 100})'))
        self.run_problem("-i", "4", "--set", "store.prompts=full", "--set",
                         "database.artifact_size_threshold=50")
        records = [json.loads(path.read_text())
                   for path in self.path("out/checkpoints/checkpoint_4/programs").iterdir()]
        for record in records:
            self.assertEqual(json.loads(record["artifacts_json"]), {"short": "s"})
            self.assertEqual((pathlib.Path(record["artifact_dir"]) / "long").read_text(), "l" * 100)
            asked = record["prompts"].get("diff_user")
            self.assertEqual(asked is None, record["iteration_found"] == 0)
            if asked:
                shown = self.oe("show", record["id"], "--run", "out", "--json").json()
                self.assertEqual(asked["responses"], [shown["answer"]])
                self.assertIn("scale", asked["user"])
                self.assertTrue(asked["system"])
        self.oe("run", "initial_program.py", "evaluator.py", "-c", "config.yaml", "-o", "other", "-i",
                "2", "--set", "database.log_prompts=false", "--set", "diff_based_evolution=false")
        for path in self.path("other/checkpoints/checkpoint_2/programs").iterdir():
            record = json.loads(path.read_text())
            self.assertEqual((record["prompts"], record["artifact_dir"]), ({}, None))

    def test_the_default_directory_stands_beside_the_program(self):
        self.problem()
        self.write("sub/program.py", PROGRAM)
        self.oe("run", "sub/program.py", "evaluator.py", "--set", "llm.backend=mutate", "-i", "2")
        self.assertTrue(self.path("sub/openevolve_output/best/best_program.py").exists())

    def test_one_seed_is_one_run(self):
        self.problem(MUTATE + "hub: {window: 1}\n")
        codes = []
        for name in ("a", "b", "c"):
            self.oe("run", "initial_program.py", "evaluator.py", "-c", "config.yaml", "-o", name,
                    "-i", "15", "--seed", "c" == name and "8" or "7")
            programs = self.oe("list", name, "--all", "-n", "0", "--sort", "iteration",
                               "--json").json()["programs"]
            codes.append([(p["iteration"], p["content_hash"]) for p in programs])
        self.assertEqual(codes[0], codes[1])
        self.assertNotEqual(codes[0], codes[2])

    def test_target(self):
        self.problem(MUTATE)
        self.run_problem("-i", "500", "-t", "0.1")
        status = self.status()
        self.assertEqual(status["reason"], "target")
        self.assertLess(status["iterations"]["done"], 500)
        self.oe("run", "initial_program.py", "evaluator.py", "-c", "config.yaml", "-o", "b", "-i", "2",
                "-t", "1e9", "--require-target", code=TARGET)

    def test_checkpoints_of_improvements(self):
        self.problem(MUTATE + "checkpoint_interval: 0\ncheckpoint_on_improvement: true\nhub: {window: 1}\n")
        result = self.run_problem("-i", "30", "--progress", "json")
        bests = [event["iter"] for event in result.lines()
                 if event["type"] == "new_best" and "iter" in event]
        written = {int(path.name[11:]) for path in self.path("out/checkpoints").iterdir()}
        self.assertGreater(len(bests), 1)
        self.assertLess(len(written), 30)
        # While one is written, the next waits: the last one is there in any case.
        self.assertTrue({bests[0], 30} <= written, (bests, written))

    def test_names_in_the_log(self):
        self.problem(MUTATE)
        self.run_problem("-i", "2", "--logger-prefix", "run1")
        log = "".join(path.read_text() for path in self.path("out/logs").iterdir())
        self.assertRegex(log, r"(?m)^[-0-9:, ]+ - run1\.openevolve\.controller - INFO - ")
        self.assertNotRegex(log, r" - openevolve\.")

    def test_time_and_patience(self):
        self.problem(MUTATE, evaluator="import time\ndef evaluate(p):\n    time.sleep(0.05)\n"
                                       "    return {'combined_score': 1.0}\n")
        self.run_problem("-i", "100000", "--max-time", "1s")
        self.assertEqual(self.status()["reason"], "time")
        self.oe("run", "initial_program.py", "evaluator.py", "-c", "config.yaml", "-o", "b",
                "-i", "10000", "--patience", "5")
        self.assertEqual(self.status("b")["reason"], "patience")

    def test_dry_run_leaves_nothing(self):
        self.problem(MUTATE)
        result = self.run_problem("--dry-run", "-i", "7")
        self.assertFalse(self.path("out").exists())
        self.assertIn("combined_score", result.out + result.err)

    def test_a_directory_with_a_run_is_not_overwritten(self):
        self.problem(MUTATE)
        self.run_problem("-i", "3")
        result = self.run_problem("-i", "3", code=None)
        self.assertIn(result.code, (USAGE, STORE), result)
        self.assertIn("oe resume out", result.err)
        self.assertEqual(self.status()["iterations"]["done"], 3)
        self.run_problem("-i", "5", "--resume")
        self.assertEqual(self.status()["iterations"]["done"], 5)

    def test_resume_adds_iterations(self):
        self.problem(MUTATE)
        self.run_problem("-i", "4")
        self.oe("resume", "out", "-i", "3")
        self.assertEqual(self.status()["iterations"]["done"], 7)
        self.oe("resume", "-i", "1")  # the newest below here
        self.assertEqual(self.status()["iterations"]["done"], 8)

    def test_from_a_checkpoint(self):
        self.problem(MUTATE)
        self.run_problem("-i", "6")
        result = self.oe("run", "initial_program.py", "evaluator.py", "-c", "config.yaml", "-o", "b",
                         "-i", "2", "--checkpoint", "out/checkpoints/checkpoint_6")
        self.assertGreaterEqual(self.status("b")["best"]["fitness"], self.status()["best"]["fitness"])
        # Iterations count on, and what the checkpoint brought is known by its names.
        self.assertIn("progress iter=8/8 ", result.err)
        self.assertRegex(result.err, r"done  2 iterations .* initial 0\.0000\n +outcomes  2 committed\n")
        first = self.oe("show", "initial", "--run", "out", "--json").json()["id"]
        self.assertEqual(self.oe("show", "initial", "--run", "b", "--json").json()["id"], first)
        best = self.status("b")["best"]["id"]
        ancestors = self.oe("lineage", best, "--run", "b", "--json").json()
        self.assertIn(first, json.dumps(ancestors))
        self.oe("resume", "out/checkpoints/checkpoint_6", "-i", "2", "-o", "c", "--evaluator",
                "evaluator.py", "-c", "config.yaml")
        self.assertEqual(self.status("c")["state"], "finished")
        self.oe("run", "initial_program.py", "evaluator.py", "-c", "config.yaml", "-o", "d",
                "--checkpoint", "nowhere", code=FAILED)

    def test_any_executable_evaluates(self):
        self.write("score.sh", "#!/bin/sh\n"
                   "scale=$(sed -n 's/.*scale = //p' \"$1\")\n"
                   "echo \"{\\\"combined_score\\\": $scale}\" >&\"$OE_RESULT_FD\"\n").chmod(0o755)
        self.problem(MUTATE)
        self.oe("run", "initial_program.py", "score.sh", "-c", "config.yaml", "-o", "out", "-i", "10")
        self.assertGreaterEqual(self.status()["best"]["metrics"]["combined_score"], 1.5)

    def test_events(self):
        self.problem(MUTATE)
        result = self.run_problem("-i", "10", "--progress", "json", "--events", "events.ndjson")
        streams = [result.lines()[:-1] if result.out.endswith("py\n") else result.lines(),
                   [json.loads(line) for line in self.path("events.ndjson").read_text().splitlines()]]
        for events in streams:
            self.assertTrue(all(event["schema"] == "oe.event/1" for event in events))
            types = [event["type"] for event in events]
            self.assertEqual((types[0], types[-1]), ("run_started", "run_finished"))
            self.assertEqual(sum(t == "iteration" for t in types), 10, types)

    def test_events_on_a_descriptor(self):
        self.problem(MUTATE)
        reader, writer = os.pipe()
        process = self.start("run", "initial_program.py", "evaluator.py", "-c", "config.yaml", "-o",
                             "out", "-i", "3", "--events", f"fd:{writer}", pass_fds=(writer,))
        os.close(writer)
        with open(reader) as stream:
            events = [json.loads(line) for line in stream]
        self.finish(process)
        self.assertEqual(events[-1]["type"], "run_finished")

    def test_names_and_languages(self):
        self.problem(MUTATE, program=PROGRAM)
        self.write("my prögram.py", PROGRAM)
        self.oe("run", "my prögram.py", "evaluator.py", "-c", "config.yaml", "-o", "ö ut", "-i", "2")
        self.assertTrue(self.path("ö ut/best/best_program.py").exists())


class Faults(Case):
    def refused(self, *parts, evaluator="def evaluate(p):\n    return {'combined_score': 1.0}\n",
                program=PROGRAM):
        self.problem(MUTATE, evaluator=evaluator, program=program)
        result = self.run_problem("-i", "3", code=UNUSABLE)
        self.assertNotIn("Traceback", result.err.split("oe run:")[0])
        for part in parts:
            self.assertIn(part, result.err)
        return result

    def test_evaluators_that_cannot_be_used(self):
        self.refused("SyntaxError", evaluator="def evaluate(:\n")
        self.refused("evaluate", evaluator="x = 1\n")
        self.refused("no_such_module", evaluator="import no_such_module\n")
        self.refused("boom", evaluator="def evaluate(p):\n    raise ValueError('boom')\n")
        self.refused("is a number", evaluator="def evaluate(p):\n    return {'a': 'text'}\n")
        self.refused("no metrics", "oe eval", evaluator="def evaluate(p):\n    return {}\n")
        self.refused("finite", evaluator="def evaluate(p):\n    return {'combined_score': 1e999}\n")
        self.refused(evaluator="import os\ndef evaluate(p):\n    os._exit(3)\n")
        self.refused(evaluator="import os\nos._exit(3)\n")

    def test_evaluators_that_are_no_files(self):
        self.problem(MUTATE)
        self.write("notes.txt", "hello")
        for evaluator, part in ((".", "directory"), ("notes.txt", "chmod")):
            for words in (("eval", "initial_program.py", "--evaluator", evaluator),
                          ("run", "initial_program.py", evaluator, "-c", "config.yaml", "-o", "out")):
                self.assert_one_sentence(self.oe(*words, code=UNUSABLE), part)

    def test_a_target_that_is_not_there(self):
        self.problem(MUTATE)
        self.assert_one_sentence(self.run_problem("--require-target", code=USAGE), "target score")

    def test_interpreters_that_cannot_be_used(self):
        """One that ends at once is not tried for ever."""
        self.problem(MUTATE)
        self.write("broken", "#!/bin/sh\necho it is broken >&2\nexit 1\n").chmod(0o755)
        for mode in ("auto", "none"):
            for python in (self.path("broken"), "/bin/false", "no-such-python"):
                result = self.run_problem("-i", "3", "--set", f"evaluator.python={python}", "--set",
                                          f"sandbox.mode={mode}", code=UNUSABLE)
                self.assertIn("oe run:", result.err)
        self.run_problem("-i", "3")

    @unittest.skipUnless(os.environ.get("OE_LONG"), "half a minute: OE_LONG=1 waits for it")
    def test_an_import_without_end(self):
        """What the evaluator imports is imported in advance; that has its time limit, too."""
        self.write("modules/slow_module.py", "import time\ntime.sleep(1000)\n")
        self.problem(MUTATE, evaluator="import slow_module\ndef evaluate(p):\n    return {'a': 1}\n")
        self.run_problem("-i", "3", "--set", "evaluator.timeout=1", code=UNUSABLE,
                         env={"PYTHONPATH": self.path("modules")})

    def test_a_run_that_never_began_is_not_in_the_way(self):
        self.refused("boom", evaluator="def evaluate(p):\n    raise ValueError('boom')\n")
        self.write("evaluator.py", "def evaluate(p):\n    return {'combined_score': 1.0}\n")
        self.run_problem("-i", "3", "--resume")
        self.assertEqual(self.status()["state"], "finished")

    def test_files_that_are_not_there(self):
        self.problem(MUTATE)
        result = self.oe("run", "initial_program.py", "none.py", "-c", "config.yaml", "-o", "out",
                         code=UNUSABLE)
        self.assert_one_sentence(result, "none.py")
        result = self.oe("run", "none.py", "evaluator.py", "-c", "config.yaml", "-o", "out",
                         code=FAILED)
        self.assert_one_sentence(result, "none.py")
        self.assertFalse(self.path("out").exists())

    def test_programs_that_cannot_be_used(self):
        self.problem(MUTATE)
        self.path("initial_program.py").write_bytes(b"\xff\xfe not text")
        self.assert_one_sentence(self.run_problem(code=FAILED), "initial_program.py", "UTF-8")
        self.path("initial_program.py").write_bytes(b"x = 1\n" * 20_000_000)
        self.assert_one_sentence(self.run_problem(code=FAILED), "initial_program.py")

    def test_a_directory_that_cannot_be_written(self):
        self.problem(MUTATE)
        self.write("file", "")
        result = self.oe("run", "initial_program.py", "evaluator.py", "-c", "config.yaml", "-o",
                         "file/out", code=None)
        self.assertIn(result.code, (FAILED, STORE))
        self.assert_one_sentence(result, "file/out")

    def test_a_run_that_is_damaged(self):
        self.problem(MUTATE)
        self.run_problem("-i", "3")
        self.path("out/run.db").write_bytes(b"SQLite format 3\0" + os.urandom(4000))
        for suffix in ("-wal", "-shm"):
            self.path("out/run.db" + suffix).unlink(missing_ok=True)
        for words in (("status", "out"), ("resume", "out"), ("best", "out"), ("list", "out")):
            self.assert_one_sentence(self.oe(*words, code=STORE), "run.db")

    def test_usage(self):
        for words in (["run"], ["run", "a"], ["run", "a", "b", "c"], ["run", "--nope", "a", "b"],
                      ["run", "a", "b", "-i"], ["run", "a", "b", "-i", "x"], ["run", "a", "b", "-i", "-1"],
                      ["run", "a", "b", "--progress", "loud"], ["run", "a", "b", "--max-time", "1parsec"],
                      ["frobnicate"], ["eval", "a"], ["diff"], ["completions", "tcsh"], []):
            result = self.oe(*words, code=USAGE)
            self.assertEqual(result.out, "")
            self.assertTrue(result.err)


class Eval(Case):
    def test_json(self):
        self.problem(evaluator="""from openevolve.evaluation_result import EvaluationResult
def evaluate(path):
    print("on stdout")
    return EvaluationResult(metrics={"combined_score": 2.5, "n": 3}, artifacts={"note": "a\\nb"})
""")
        value = self.oe("eval", "initial_program.py", "--evaluator", "evaluator.py", "--json").json()
        self.assertEqual(value["schema"], "oe.eval/1")
        self.assertEqual(value["metrics"], {"combined_score": 2.5, "n": 3})
        self.assertEqual(value["verdict"], "ok")
        self.assertEqual(value["artifacts"]["note"], "a\nb")
        self.assertGreater(value["timings"]["wall_ms"], 0)

    def test_usage(self):
        self.problem(evaluator="def evaluate(p):\n    print('1234')\n    return {'combined_score': 1}\n")
        value = self.oe("eval", "initial_program.py", "--evaluator", "evaluator.py", "--json", "--seed",
                        "9", "-n", "2").json()
        usage = value["usage"]
        self.assertEqual(set(usage), {"wall_ms", "cpu_ms", "setup_ms", "memory_peak", "memory_source",
                                      "strays_killed", "output_bytes", "path", "seed"})
        self.assertEqual(usage["output_bytes"], 5)
        self.assertEqual([one["usage"]["seed"] for one in value["evaluations"]], [9, 10])
        self.assertGreater(usage["wall_ms"], 0)
        self.assertGreater(usage["memory_peak"], 1 << 20)

    def test_failures(self):
        self.problem(evaluator="def evaluate(path):\n    raise ValueError('boom')\n")
        result = self.oe("eval", "initial_program.py", "--evaluator", "evaluator.py", "--json",
                         code=FAILED)
        self.assertIn("boom", json.dumps(result.json()))
        self.write("evaluator.py", "import time\ndef evaluate(path):\n    time.sleep(1000)\n")
        result = self.oe("eval", "initial_program.py", "--evaluator", "evaluator.py", "--json",
                         "--set", "evaluator.timeout=1", code=FAILED)
        self.assertEqual(result.json()["verdict"], "wall_timeout")

    def test_arguments_of_its_own(self):
        """evaluate() gets them by name; the stages of a cascade do not. Refused before anything runs."""
        self.problem(evaluator="""def evaluate(path, weight=1.0, *, names=()):
    return {"combined_score": weight, "names": len(names)}
""")
        words = ["eval", "initial_program.py", "--evaluator", "evaluator.py", "--json"]
        self.assertEqual(self.oe(*words).json()["metrics"], {"combined_score": 1, "names": 0})
        config = self.write("c.yaml", "evaluator:\n  evaluator_args: {weight: 2.5, names: [a, null, {b: c}]}\n")
        self.assertEqual(self.oe(*words, "-c", config).json()["metrics"],
                         {"combined_score": 2.5, "names": 3})
        self.oe("run", "initial_program.py", "evaluator.py", "-c", config, "-o", "out", "-i", "2",
                "--set", "llm.backend=mutate", "--evaluator-args", '{"weight": 3, "names": ["a"]}')
        self.assertEqual(self.status()["best"]["metrics"], {"combined_score": 3, "names": 1})
        for wrong in ("{weigth: 1}", "{path: a}"):
            result = self.oe(*words, "--set", f"evaluator.evaluator_args={wrong}", code=UNUSABLE)
            self.assertIn("evaluator_args", result.err)
        self.oe("run", "initial_program.py", "evaluator.py", "--evaluator-args", "[1]", code=USAGE)
        self.write("evaluator.py", """def evaluate_stage1(path):
    return {"combined_score": 1}

def evaluate(path, weight):
    return {"combined_score": weight}
""")
        self.assertEqual(self.oe(*words, "--set", "evaluator.evaluator_args.weight=2").json()["metrics"],
                         {"combined_score": 1})

    def test_a_command_of_its_own(self):
        """A program found in the PATH, its arguments, and the candidate behind them."""
        self.problem(evaluator="not python at all")
        self.write("bin/judge", "#!/bin/sh\n[ \"$1\" = --scale ] || exit 3\n"
                   "echo \"{\\\"combined_score\\\": $2, \\\"lines\\\": $(grep -c . \"$3\")}\""
                   " >&$OE_RESULT_FD\n").chmod(0o755)
        words = ["eval", "initial_program.py", "--evaluator", "evaluator.py", "--json", "--set",
                 "evaluator.command=[judge, --scale, '2.5']"]
        env = {"PATH": f"{self.path('bin')}:/usr/bin:/bin"}
        value = self.oe(*words, env=env).json()
        self.assertEqual(value["metrics"], {"combined_score": 2.5, "lines": 6})
        self.oe(*words, "--set", "evaluator.backend=python", code=UNUSABLE, env=env)

    def test_the_backend_can_be_forced(self):
        self.problem()
        self.write("score", "def evaluate(path):\n    return {'combined_score': 4}\n")
        words = ["eval", "initial_program.py", "--evaluator", "score", "--json"]
        self.oe(*words, code=UNUSABLE)
        value = self.oe(*words, "--set", "evaluator.backend=python").json()
        self.assertEqual(value["metrics"], {"combined_score": 4})

    def test_no_score(self):
        """What a run could not use is no success here either."""
        for returned, verdict, why in (
                ("{}", "ok", "no metrics"), ("{'a': 'b'}", "ok", "number"),
                ("{'combined_score': float('nan'), 'a': 1}", "nonfinite", "combined_score"),
                ("{'a': float('inf')}", "nonfinite", "finite")):
            self.problem(evaluator=f"def evaluate(path):\n    return {returned}\n")
            words = ("eval", "initial_program.py", "--evaluator", "evaluator.py")
            value = self.oe(*words, "--json", code=FAILED).json()
            self.assertEqual((value["verdict"], value["fitness"]), (verdict, None))
            self.assertIn(why, value["message"])
            self.assertIn(why, self.oe(*words, code=FAILED).out)

    def test_artifacts_of_a_command(self):
        """The options about artifacts hold for every backend."""
        self.problem()
        self.write("judge.sh", 'echo "{\\"metrics\\": {\\"n\\": $#}, \\"artifacts\\": {\\"first\\": '
                               '\\"$1\\"}}" >&"$OE_RESULT_FD"\n')
        words = ("eval", "initial_program.py", "--evaluator", "judge.sh", "--json", "--set",
                 "evaluator.command=[sh, judge.sh, --fast, 'a b']")
        value = self.oe(*words).json()
        self.assertEqual((value["metrics"], value["artifacts"]), ({"n": 3}, {"first": "--fast"}))
        value = self.oe(*words, "--set", "evaluator.enable_artifacts=false").json()
        self.assertEqual(value["artifacts"], {})
        self.oe("eval", "initial_program.py", "--evaluator", "judge.sh", "--set",
                "evaluator.command=[no-such-program]", code=UNUSABLE)
        value = self.oe(*words, "--set", "evaluator.max_artifact_storage=3").json()
        self.assertTrue(value["artifacts"]["first"].startswith("--f\n... (cut"), value)

    def test_noise(self):
        self.problem(evaluator="import random\ndef evaluate(p):\n"
                               "    return {'combined_score': random.random()}\n")
        value = self.oe("eval", "initial_program.py", "--evaluator", "evaluator.py", "-n", "5",
                        "--json").json()
        self.assertIn("5", json.dumps(value))

    def test_not_a_number(self):
        self.problem(evaluator="def evaluate(p):\n    return {'combined_score': float('nan'), 'b': 1}\n")
        result = self.oe("eval", "initial_program.py", "--evaluator", "evaluator.py", "--json", code=FAILED)
        value = json.loads(result.out, parse_constant=lambda name: self.fail(name + " is not JSON"))
        self.assertEqual(value["verdict"], "nonfinite")
        self.assertIn("'combined_score' is not a finite number", value["artifacts"]["verdict"])

    def test_a_killed_child(self):
        self.problem(evaluator="import os, signal\ndef evaluate(p):\n"
                               "    print('so far', flush=True)\n    os.kill(os.getpid(), signal.SIGXCPU)\n")
        value = self.oe("eval", "initial_program.py", "--evaluator", "evaluator.py", "--json",
                        code=FAILED).json()
        self.assertEqual(value["verdict"], "cpu_timeout")
        self.assertEqual(value["artifacts"]["verdict"], "cpu_timeout: it used up its processor time")
        self.assertEqual(value["artifacts"]["output"], "so far\n")

    def test_a_killed_command(self):
        self.problem()
        self.write("score.sh", "#!/bin/sh\necho so far\nkill -SYS $$\n").chmod(0o755)
        value = self.oe("eval", "initial_program.py", "--evaluator", "./score.sh", "--json",
                        code=FAILED).json()
        self.assertEqual(value["verdict"], "syscall_killed")
        self.assertEqual(value["artifacts"], {"verdict": "syscall_killed: it made a system call that is "
                                                         "not allowed", "output": "so far\n"})


class Edit(Case):
    ANSWER = "<<<<<<< SEARCH\n    scale = 1.5\n=======\n    scale = 2.5\n>>>>>>> REPLACE\n"

    def edit(self, answer, *words, code=DONE):
        self.write("program.py", PROGRAM)
        return self.oe("edit", "program.py", "-", "--json", *words, code=code, stdin=answer).json()

    def test_a_change(self):
        value = self.edit(self.ANSWER)
        self.assertEqual((value["status"], value["outcome"]), ("applied", "applied"))
        self.assertIn("scale = 2.5", value["code"])
        self.assertEqual(len(value["blocks"]), 1)

    def test_outcomes(self):
        for answer, status, outcome in (
                (self.ANSWER, "applied", "applied"), ("prose", "no_edit", "no_edit"),
                ("", "no_edit", "no_edit"),
                (self.ANSWER.replace("scale = 1.5", "scale = 9.9"), "unmatched", "no_edit"),
                (self.ANSWER.replace("2.5", "1.5"), "noop", "noop_edit")):
            value = self.edit(answer)
            self.assertEqual((value["status"], value["outcome"]), (status, outcome), value)

    def test_the_nearest_place_is_named(self):
        value = self.edit(self.ANSWER.replace("scale = 1.5", "scale = 1.6"))
        self.assertIn("scale = 1.5", json.dumps(value["blocks"]))
        self.assertNotIn("code", {k: v for k, v in value.items() if v is not None})

    def test_a_difference_in_blanks_is_named(self):
        value = self.edit(self.ANSWER.replace("scale = 1.5", "scale=1.5"))
        self.assertIn("differs from it in blanks", value["message"])

    def test_full(self):
        value = self.edit("```python\n" + PROGRAM.replace("1.5", "7.5") + "```\n", "--full")
        self.assertIn("7.5", value["code"])

    def test_exit_code(self):
        self.edit("nothing", "--exit-code", code=FAILED)


class Start(Case):
    def test_init_runs_at_once(self):
        self.oe("init", "problem")
        self.oe("run", "problem/initial_program.py", "problem/evaluator.py", "-c",
                "problem/config.yaml", "-i", "5")
        before = self.path("problem/evaluator.py").read_text()
        self.oe("init", "problem", code=FAILED)
        self.assertEqual(self.path("problem/evaluator.py").read_text(), before)
        self.oe("init", "problem", "--force")

    def test_demo_list(self):
        out = self.oe("demo", "--list").out
        for name in ("circle_packing", "function_minimization", "matmul_c"):
            self.assertIn(name, out)
        self.assert_one_sentence(self.oe("demo", "nope", code=None), "nope")

    def test_doctor_finds_a_missing_score(self):
        self.problem(MUTATE, evaluator="def evaluate(p):\n    return {}\n")
        result = self.oe("doctor", "initial_program.py", "evaluator.py", "-c", "config.yaml", "--offline",
                         code=FAILED)
        self.assertIn("no metrics", result.out)

    def test_doctor(self):
        self.problem(MUTATE)
        value = self.oe("doctor", "initial_program.py", "evaluator.py", "-c", "config.yaml", "--offline",
                        "--json").json()
        self.assertTrue(value["findings"])
        self.write("evaluator.py", "x = 1\n")
        self.oe("doctor", "initial_program.py", "evaluator.py", "-c", "config.yaml", "--offline",
                code=FAILED)


if __name__ == "__main__":
    main()
