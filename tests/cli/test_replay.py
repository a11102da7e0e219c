#!/usr/bin/env python3
"""What was recorded is given again: answers from a file, runs from their logs."""
import json
import shutil
import sqlite3
import unittest

from oe import CONFIG, EVALUATOR, FAILED, MODELS, ROOT, STORE, USAGE, Case, FakeLLM, RunCase, main

ALONE = "hub: {window: 1}\n"


class Recordings(Case):
    def lines(self):
        return [json.loads(line) for line in self.path("answers").read_text().splitlines()]

    def record(self, *words, iterations=12, mode="diff", config=ALONE):
        self.problem(config)
        with FakeLLM(mode=mode, latency=100) as fake:
            self.run_problem("-i", iterations, "--api-base", fake.url, "--primary-model", "tiny",
                             "--llm-record", "answers", *words, env={"OPENAI_API_KEY": "sk-test-key"})
            return fake.stats()

    def replay(self, *words, iterations=12, **how):
        return self.oe("run", "initial_program.py", "evaluator.py", "-c", "config.yaml", "-o", "again",
                       "-i", iterations, "--llm-replay", "answers", *words, **how)

    def programs(self, run):
        listed = self.oe("list", run, "--all", "-n", "0", "--json").json()["programs"]
        return sorted((p["iteration"], p["content_hash"], p["fitness"]) for p in listed)

    def test_the_same_run(self):
        stats = self.record()
        lines = self.lines()
        self.assertEqual(len(lines), stats["answered"])
        hashes = {line["prompt"] for line in lines}
        self.assertEqual(len({(line["prompt"], line["ordinal"]) for line in lines}), len(lines))
        self.replay()
        self.assertEqual(self.programs("again"), self.programs("out"))
        first, second = self.status("out"), self.status("again")
        self.assertEqual(second["iterations"]["outcomes"], first["iterations"]["outcomes"])
        for tokens in ("tokens_in", "tokens_out"):
            self.assertEqual(second["llm"][tokens], first["llm"][tokens])
        # The file names prompts as the run does, and holds nothing that is nobody's business.
        self.assertEqual(hashes, self.hashes("out"))
        text = self.path("answers").read_text()
        for secret in ("sk-test-key", "127.0.0.1", "SEARCH/REPLACE block"):
            self.assertNotIn(secret, text)

    def hashes(self, run):
        with sqlite3.connect(self.path(run + "/run.db")) as db:
            return {row[0].hex() for row in db.execute("SELECT prompt_hash FROM answer")}

    def test_many_at_a_time(self):
        """In which order questions come does not matter: each finds its own answer by its seed."""
        self.record("--llm-jobs", "8", iterations=8, config="hub: {window: 8}\n")
        prompts = [line["prompt"] for line in self.lines()]
        self.assertLess(len(set(prompts)), len(prompts), "some see the same")
        self.replay("--llm-jobs", "8", iterations=8)
        # What was asked for after the first child came sees that: another prompt, or another iteration's.
        again = self.programs("again")
        self.assertLessEqual({row[1:] for row in again}, {row[1:] for row in self.programs("out")})
        self.assertGreater(len(again), 2)

    def test_in_turn(self):
        """With `ordered` the second run is the first one, whatever runs beside what."""
        self.record("--llm-jobs", "8", iterations=30, config="hub: {semantics: ordered, window: 8}\n")
        for jobs in "1", "8":
            with self.subTest(jobs=jobs):
                self.replay("--llm-jobs", jobs, "-j", jobs, "-o", "again" + jobs, iterations=30)
                self.assertEqual(self.programs("again" + jobs), self.programs("out"))

    def test_other_questions(self):
        self.record()
        result = self.replay("--set", "prompt.system_message=Something else.", code=MODELS)
        self.assertRegex(result.err, "oe run: no call of a model succeeded: the recording '.*/answers' has no answer"
                                     " to this prompt: .*")
        self.assertEqual(self.status("again")["iterations"]["outcomes"], {"llm_failed": 12})

    def test_nothing_but_other_questions(self):
        """Twenty in a row are enough: what is left of the run is not burnt."""
        self.problem(ALONE)
        self.run_problem("-i", 25, "--set", "llm.backend=mutate", "--llm-record", "answers")
        result = self.replay("--set", "prompt.system_message=Something else.", iterations=25, code=MODELS)
        self.assertIn("has no answer to this prompt", result.err)
        self.assertEqual(self.status("again")["iterations"]["outcomes"], {"llm_failed": 20})

    def test_more_questions(self):
        """It stops where the recording does, however often it is resumed, and goes on with a model."""
        self.record()
        over = f"all 12 answers of the recording '{self.path('answers')}' were given\n"
        self.assertIn("oe run: " + over, self.replay(iterations=20, code=MODELS).err)
        outcomes = self.status("again")["iterations"]["outcomes"]
        for _ in range(2):
            self.assertIn("oe resume: " + over, self.oe("resume", "again", code=MODELS).err)
            self.assertEqual(self.status("again")["iterations"]["outcomes"], outcomes)
        # So does another run from a checkpoint of it.
        result = self.oe("resume", "again/checkpoints/checkpoint_12", "-o", "other", code=MODELS)
        self.assertIn("is used up: 0 of its 12 answers were given", result.err)
        with FakeLLM() as fake:
            self.oe("resume", "again", "--api-base", fake.url, "--primary-model", "tiny", env={"OPENAI_API_KEY": "k"})
            self.assertGreaterEqual(fake.stats()["answered"], 8)
        iterations = self.status("again")["iterations"]
        self.assertEqual((iterations["done"], iterations["outcomes"].get("llm_failed")), (20, None))

    def test_in_parts(self):
        """Each session goes on where the one before it came to in the recording."""
        self.record()
        self.replay(iterations=5)
        self.oe("resume", "again", "-i", 7)
        self.assertEqual(self.programs("again"), self.programs("out"))
        self.assertIn("all 12 answers", self.oe("resume", "again", "-i", 1, code=MODELS).err)

    def test_other_questions_later(self):
        """Those fail, as long as somebody's answers are left; then the run stops."""
        self.record()
        self.replay(iterations=5)
        outcomes = self.status("again")["iterations"]["outcomes"]
        self.oe("resume", "again", "-i", 4, "--set", "prompt.system_message=Something else.", code=None)
        outcomes["llm_failed"] = 4
        self.assertEqual(self.status("again")["iterations"]["outcomes"], outcomes)
        result = self.oe("resume", "again", "-i", 9, code=MODELS)
        self.assertIn("is used up: 5 of its 12 answers were given", result.err)
        outcomes["llm_failed"] = 7
        self.assertEqual(self.status("again")["iterations"]["outcomes"], outcomes)

    def test_a_model_instead(self):
        """One on the command line takes the place of a recording of the file; one given with it does not."""
        self.record(iterations=3)
        self.problem(ALONE + "llm: {replay: answers}\n")
        with FakeLLM() as fake:
            words = ["--api-base", fake.url, "--primary-model", "tiny"]
            self.run_problem("-i", 3, "-o", "replayed")
            for number, more in enumerate((["--llm-replay", "answers"], ["--set", "llm.replay=answers"])):
                self.run_problem("-i", 3, "-o", f"both{number}", *words, *more)
            self.assertEqual(fake.stats()["answered"], 0)
            self.run_problem("-i", 3, "-o", "asked", *words, env={"OPENAI_API_KEY": "k"})
            self.assertEqual(fake.stats()["answered"], 3)
            self.run_problem("-i", 3, "-o", "there", "--api-base", fake.url, "--set", "llm.primary_model=tiny",
                             env={"OPENAI_API_KEY": "k"})
            self.assertEqual(fake.stats()["answered"], 6)

    def test_from_another_directory(self):
        """A run that goes on elsewhere goes on with its recording, its prices and its log, too."""
        self.write("prices.yaml", "tiny: {input: 1, output: 1}\n")
        self.record("--set", "budget.prices=prices.yaml", "--set", "log_dir=logs", "--set",
                    "sandbox.readable=[prices.yaml]")
        before = len(self.lines())
        (self.directory / "elsewhere").mkdir()
        with FakeLLM() as fake:
            own, self.directory = self.directory, self.directory / "elsewhere"
            self.oe("resume", own / "out", "-i", "3", "--api-base", fake.url, env={"OPENAI_API_KEY": "k"})
            self.assertEqual(list(self.directory.iterdir()), [])
            self.directory = own
        self.assertEqual(len(self.lines()), before + 3)
        self.assertTrue(self.path("logs").is_dir() and not self.path("out/logs").exists())
        (self.directory / "third").mkdir()
        own, self.directory = self.directory, self.directory / "third"
        self.oe("run", own / "initial_program.py", own / "evaluator.py", "-i", "2", "-o", "again",
                "--set", "llm.replay=../answers", "--set", "hub.window=1")
        self.directory = own
        self.oe("resume", "third/again", "-i", "2")
        self.assertEqual(self.status("third/again")["iterations"]["done"], 4)

    def test_what_is_refused(self):
        self.problem(ALONE)
        self.write("answers", "not a recording\n")
        self.assert_one_sentence(self.replay(code=CONFIG), "answers:1: ", "llm.replay")
        # The flag wins.
        self.assert_one_sentence(self.replay("--set", "llm.replay=nowhere", code=CONFIG), "answers:1: ")
        self.assert_one_sentence(self.replay("--llm-record", "other", code=CONFIG), "llm.record")
        self.assertFalse(self.path("other").exists())
        self.write("answers", json.dumps({"schema": "oe.llm/1"}) + "\n{\n{}\n")
        self.assert_one_sentence(self.replay(code=CONFIG), "answers:", "llm.replay")
        words = ["run", "initial_program.py", "evaluator.py", "-o", "none", "-i", "1"]
        for option, file in (("llm.record", ["--llm-record", "answers", "--set", "llm.backend=mutate"]),
                             ("llm.record", ["--llm-record", "no/where", "--set", "llm.backend=mutate"]),
                             ("llm.record", ["--llm-record", ".", "--set", "llm.backend=mutate"]),
                             ("llm.replay", ["--llm-replay", "nowhere"]), ("llm.replay", ["--llm-replay", "."])):
            with self.subTest(file):
                self.assert_one_sentence(self.oe(*words, *file, code=CONFIG), option, str(self.path(file[1])).rstrip("."))
        self.assertFalse(self.path("none").exists())

    def test_files_of_others(self):
        """Whatever was named by mistake is still there."""
        self.problem(ALONE)
        for text in ("my only note", '{"key": [1, 2]}', "{"):
            with self.subTest(text):
                note = self.write("note.txt", text)
                result = self.oe("run", "initial_program.py", "evaluator.py", "-o", "none", "-i", 1, "--set",
                                 "llm.backend=mutate", "--llm-record", note, code=CONFIG)
                self.assert_one_sentence(result, "note.txt:1: ", "llm.record")
                self.assertEqual(note.read_text(), text)

    def test_last_line_without_an_end(self):
        self.record(iterations=4)
        text = self.path("answers").read_text()
        self.write("answers", text.rstrip("\n"))
        self.replay(iterations=4)
        self.assertEqual(self.programs("again"), self.programs("out"))
        self.oe("resume", "out", "-i", 1, "--set", "llm.backend=mutate", "--set", "llm.models=[]")
        self.assertTrue(self.path("answers").read_text().startswith(text))
        self.assertEqual(len(self.lines()), 5)

    def test_feedback(self):
        self.record("--set", "evaluator.use_llm_feedback=true", iterations=3, mode="rewrite")
        judged = len(self.lines()) - 3
        self.assertGreater(judged, 0)
        self.replay("--set", "evaluator.use_llm_feedback=true", iterations=3)
        self.assertEqual(self.programs("again"), self.programs("out"))
        # Judges' answers are none that the run could go on with.
        self.assertEqual(sum(line.get("role") == "judge" for line in self.lines()), judged)
        result = self.replay("--set", "evaluator.use_llm_feedback=true", "-o", "more", iterations=6, code=MODELS)
        self.assertIn(f"oe run: all 3 answers of the recording '{self.path('answers')}' were given\n", result.err)
        self.assertEqual(self.status("more")["iterations"]["done"], 3)


class Replay(RunCase):
    """oe replay, of a run with all kinds of ends."""

    def make(self):
        self.problem("edit: {evolve_blocks: enforce}\n", evaluator="""import random, re, time

def evaluate(program_path):
    scale = float(re.search(r"scale = (-?[0-9.]+)", open(program_path).read()).group(1))
    if scale != 1.5 and scale * 1000 % 5 < 1:
        raise ValueError("it does not like that")
    return {"combined_score": abs(scale - 1.5) + random.random() / 1000, "time": time.time()}
""")
        with FakeLLM(mode="diff", rate_no_diff=0.2, seed=3) as fake:
            self.run_problem("-i", "40", "--api-base", fake.url, "--primary-model", "tiny",
                             "--set", "database.num_islands=3", "--set",
                             "database.migration_interval=3", env={"OPENAI_API_KEY": "k"})

    def replay(self, *words, **how):
        return self.oe("replay", "out", *words, **how)

    def test_all_comes_out_again(self):
        told = self.replay("--verify", "--json").json()
        self.assertEqual((told["schema"], told["same"], told["difference"]), ("oe.replay/1", True, None))
        outcomes = self.status()["iterations"]["outcomes"]
        self.assertGreater(len(outcomes), 2, "there are all kinds of them")
        self.assertEqual(told["iterations"], 40)
        self.assertEqual((told["prompts"], told["answers"]), (40, 40))
        self.assertTrue(told["compared"])
        self.assertRegex(told["archive"], "^[0-9a-f]{64}$")
        text = self.replay("--verify")
        self.assertIn(told["archive"], text.out)
        self.assertIn("differences  none", text.out)

    def test_judged_again(self):
        """The same seeds, and clocks do not count."""
        told = self.replay("--verify", "--evaluate", "--json").json()
        self.assertTrue(told["same"])
        outcomes = self.status()["iterations"]["outcomes"]
        self.assertGreater(outcomes.get("evaluation_failed", 0), 0, outcomes)
        self.assertGreaterEqual(told["evaluations"], outcomes["committed"] + outcomes["evaluation_failed"])
        other = self.write("other.py", EVALUATOR)
        result = self.replay("--evaluate", "--evaluator", other)
        self.assertRegex(result.err, "^oe replay: .*: its (fitness is .* now, it was|evaluation succeeds now).*\n$")
        # The first one by the log, whichever was judged first.
        for jobs in 1, 5:
            again = self.replay("--evaluate", "--evaluator", other, "--verify", "-j", jobs, code=FAILED)
            self.assertEqual((again.err, again.out), (result.err, result.out))

    def test_judging_without_evaluate(self):
        """Who says how to judge wants to have judged."""
        for words, name in ((("--evaluator", "evaluator.py"), "--evaluator"), (("-j", 2), "--jobs")):
            self.assert_one_sentence(self.replay("--verify", *words, code=USAGE), name, "--evaluate")

    def test_differences(self):
        """Whatever somebody changed in the log is found, and named."""
        made = "(SELECT min(iteration) FROM program WHERE iteration > 0 AND verdict = 'ok')"
        for statement, said in (
                (f"UPDATE answer SET text = replace(text, 'scale', 'scale_') WHERE number = {made}",
                 "iteration [0-9]+: its answer leads to"),
                (f"UPDATE answer SET text = '' WHERE number = {made}",
                 "iteration [0-9]+: its answer leads to no_edit, not to"),
                ("UPDATE answer SET prompt_hash = zeroblob(32) WHERE number = 3", "iteration 3: the prompt is another one"),
                (f"UPDATE program SET code = code || '# more' WHERE iteration = {made}",
                 "iteration [0-9]+: its answer leads to another program"),
                ("UPDATE log SET outcome = 'too_long' WHERE outcome = 'no_edit'",
                 "iteration [0-9]+: its answer leads to no_edit, not to too_long")):
            with self.subTest(statement):
                self.take_run()
                self.change(statement)
                result = self.replay("--verify", "--json", code=FAILED)
                self.assertRegex(result.json()["difference"], said)
                self.assertRegex(result.err, "^oe replay: " + said)
                self.replay()  # which only tells

    def test_another_archive(self):
        """A log that is sound in itself does not lead to what the run had in memory."""
        last = json.loads(self.path("out/checkpoints/checkpoint_40/metadata.json").read_text())
        record = self.path(f"out/checkpoints/checkpoint_40/programs/{last['best_program_id']}.json")
        program = json.loads(record.read_text())
        program["code"] += "# more\n"
        record.unlink()
        record.write_text(json.dumps(program))
        result = self.replay("--verify", code=FAILED)
        self.assertIn("the archive is not that of checkpoint_40", result.err)

    def test_another_hash(self):
        """Checkpoints may be gone, or those of another run; what the run ended with is in its log."""
        checkpoint = self.path("out/checkpoints/checkpoint_40")
        metadata = json.loads((checkpoint / "metadata.json").read_text())
        metadata["oe"]["run"] = "0" * len(metadata["oe"]["run"])
        for program in checkpoint.joinpath("programs").iterdir():
            record = json.loads(program.read_text())
            program.unlink()
            program.write_text(json.dumps(record | {"code": record["code"] + "# more\n"}))
        (checkpoint / "metadata.json").unlink()
        (checkpoint / "metadata.json").write_text(json.dumps(metadata))
        self.assertTrue(self.replay("--verify", "--json").json()["compared"])
        shutil.rmtree(self.path("out/checkpoints"))
        self.assertTrue(self.replay("--verify", "--json").json()["compared"])
        self.change("UPDATE meta SET value = replace(value, substr(value, 1, 1), 'x') WHERE key = 'archive_hash'")
        result = self.replay("--verify", code=FAILED)
        self.assertIn("the archive is not the one that the run ended with", result.err)

    def test_damage(self):
        self.change("DELETE FROM log WHERE seq = (SELECT min(seq) FROM log WHERE kind = 'issue')")
        self.assert_one_sentence(self.replay("--verify", code=STORE), "of the log")

    def test_in_turn(self):
        self.problem("llm: {backend: mutate}\n")
        for semantics in "ordered", "generation":
            with self.subTest(semantics):
                self.run_problem("-i", "30", "-o", semantics, "--set", f"hub.semantics={semantics}",
                                 "--set", "hub.window=8")
                told = self.oe("replay", semantics, "--verify", "--evaluate", "--json").json()
                self.assertEqual((told["same"], told["iterations"], told["compared"]), (True, 30, True))

    def test_over_in_turn(self):
        """What came behind the number at which the run was over did not join, and does not when it is repeated."""
        self.problem("llm: {backend: mutate}\nhub: {semantics: ordered, window: 8}\nrandom_seed: 3\n")
        self.run_problem("-i", 200, "-o", "over", "--patience", 3, "-j", 4)
        status = self.oe("status", "over", "--json").json()
        self.assertEqual(status["reason"], "patience")
        self.assertGreater(status["iterations"]["issued"], status["iterations"]["done"])
        told = self.oe("replay", "over", "--verify", "--json").json()
        self.assertEqual((told["same"], told["archive"], told["compared"]), (True, status["archive_hash"], True))

    def test_after_going_on(self):
        """From a checkpoint, stopped and resumed: one log, one archive."""
        self.write("evaluator.py", EVALUATOR)
        self.oe("checkpoint", "import", "out/checkpoints/checkpoint_40", "-o", "new", "--evaluator",
                "evaluator.py", "--set", "llm.backend=mutate")
        for _ in range(2):
            self.oe("resume", "new", "-i", "10")
        told = self.oe("replay", "new", "--verify", "--evaluate", "--json").json()
        self.assertEqual((told["same"], told["iterations"], told["compared"]), (True, 20, True))

    def test_other_settings(self):
        """What was made with other templates, or read by other rules, is repeated with those."""
        template = (ROOT / "lib/prompt/templates/diff_user.txt").read_text()
        self.write("templates/diff_user.txt", template)
        self.problem("llm: {backend: mutate}\nhub: {window: 4}\nprompt: {template_dir: templates}\n")
        self.run_problem("-i", 10, "-o", "changed")
        sessions = [["prompt.system_message=You are terse."], ["max_code_length=60"], [],
                    ["diff_based_evolution=false", "language=c"], ["prompt.max_tokens=300"],
                    ["store.prompts=full"]]
        for number, settings in enumerate(sessions):
            words = [word for setting in settings for word in ("--set", setting)]
            if not words:
                self.write("templates/diff_user.txt", template + "\nThis is another template.\n")
            self.oe("resume", "changed", "-i", 10, *words)
            told = self.oe("replay", "changed", "--verify", "--json").json()
            self.assertEqual((told["same"], told["iterations"]), (True, 20 + 10 * number), settings)
        for number, terse, other in ((1, False, False), (10, False, False), (11, True, False),
                                     (30, True, False), (31, True, True), (61, True, False)):
            text = self.oe("prompt", "changed", "-i", number).out
            self.assertEqual(("terse" in text, "another template" in text), (terse, other), number)

    def test_other_settings_in_between(self):
        """Questions under way when the first session was killed are asked again as the second one asks."""
        self.problem("hub: {window: 8}\n")
        with FakeLLM(latency=1000) as fake:
            process = self.start("run", "initial_program.py", "evaluator.py", "-c", "config.yaml",
                                 "-o", "killed", "-i", 60, "--api-base", fake.url, "--primary-model",
                                 "tiny", "--progress", "none")
            self.wait_for(lambda: fake.stats()["answered"] >= 10)
            process.kill()
            process.communicate()
            with sqlite3.connect(self.path("killed/run.db")) as db:
                answered = [row[0] for row in db.execute("SELECT number FROM answer ORDER BY number")]
                asked = [row[0] for row in db.execute("SELECT max(number) FROM log")]
            fake.control(latency=20)
            self.oe("resume", "killed", "--api-base", fake.url, "--set",
                    "prompt.system_message=You are terse.")
        told = self.oe("replay", "killed", "--verify", "--json").json()
        self.assertEqual((told["same"], told["iterations"]), (True, 60))
        open_then = sorted(set(range(1, asked[0] + 1)) - set(answered))
        for number, terse in (answered[0], False), (answered[-1], False), (open_then[0], True), (60, True):
            self.assertEqual("terse" in self.oe("prompt", "killed", "-i", number).out, terse, number)

    def test_prompts_without_answers(self):
        """No hash tells what they were: they are as the session asked that ended them."""
        self.problem()
        with FakeLLM() as fake:
            model = ("--api-base", fake.url, "--primary-model", "tiny")
            self.run_problem("-o", "silent", "-i", 4, *model)
            fake.control(rate_400=1)
            self.oe("resume", "silent", "-i", 3, code=MODELS)
            fake.control(rate_400=0)
            self.oe("resume", "silent", "-i", 3, "--set", "prompt.system_message=You are terse.")
        self.assertEqual(self.status("silent")["iterations"]["outcomes"]["llm_failed"], 3)
        for number, terse in (4, False), (5, False), (7, False), (8, True):
            self.assertEqual("terse" in self.oe("prompt", "silent", "-i", number).out, terse, number)


if __name__ == "__main__":
    main()
