#!/usr/bin/env python3
"""What confines evaluations: how it is asked for, shown, kept, and refused. What it does is tested elsewhere."""
import json
import pathlib
import re
import shutil
import unittest

from oe import CONFIG, DONE, FAILED, OE, SANDBOX, USAGE, Case, main

MUTATE = "llm: {backend: mutate}\n"
LEVELS = {"enforced", "partial", "none", "not_requested"}
NAMES = ("fs_read fs_write fs_meta net_inet net_unix net_other proc_signal proc_see tree_kill mem_total "
         "mem_process cpu wall output processes disk syscalls privileges terminal ipc secrets score").split()


class Sandbox(Case):
    def doctor(self, *words, code=DONE, env=None):
        return self.oe("doctor", "--offline", "--set", "llm.backend=mutate", "--json", *words, code=code,
                       env=env).json()

    def check_report(self, report, mode="auto"):
        self.assertEqual(report["schema"], "oe.sandbox/1")
        self.assertEqual(report["mode"], mode)
        self.assertEqual([line["name"] for line in report["guarantees"]], NAMES)
        for line in report["guarantees"]:
            self.assertEqual(set(line), {"name", "level", "mechanism", "reason"})
            self.assertIn(line["level"], LEVELS)
            self.assertTrue(line["mechanism"] or line["reason"], line)
            if line["level"] == "none":
                self.assertTrue(line["reason"], line)

    def level(self, report, name):
        return next(line["level"] for line in report["guarantees"] if line["name"] == name)

    # ---- whose files they are ----

    def test_a_umask_that_gives_nothing_away(self):
        """Who starts it may be another user than the programs become."""
        self.write("score.sh", "#!/bin/sh\ngrep -q scale \"$1\" && echo '{\"combined_score\": 2}' >&$OE_RESULT_FD\n"
                   ).chmod(0o755)
        self.problem()
        for evaluator in ("evaluator.py", "score.sh"):
            process = self.start("eval", "initial_program.py", "--evaluator", evaluator, "--json",
                                 umask=0o077)
            self.assertEqual(self.finish(process).json()["verdict"], "ok")

    def test_helpers_that_are_their_owner_s_alone(self):
        """As a build or an installation under such a umask leaves them."""
        build = pathlib.Path(OE).parent.parent
        if not (build / "lib/oe-confine.so").exists():
            self.skipTest("oe is not in its build directory")
        for name in ("cli/oe", "lib/oe-spawner", "lib/oe-init", "lib/oe-confine.so"):
            copy = self.write("own/" + name, "")
            shutil.copy(build / name, copy)
            copy.chmod(0o700)
        self.problem()
        process = self.start("eval", "initial_program.py", "--evaluator", "evaluator.py", "--json",
                             executable=self.path("own/cli/oe"),
                             env={"LD_LIBRARY_PATH": build / "lib"})
        self.assertEqual(self.finish(process).json()["verdict"], "ok")

    # ---- showing ----

    def test_doctor(self):
        value = self.doctor()
        self.check_report(value["sandbox"])
        self.assertIn(value["sandbox"]["tier"], range(4))
        self.assertEqual(self.level(value["sandbox"], "wall"), "enforced")
        self.assertEqual(self.level(value["sandbox"], "cpu"), "not_requested")
        limited = self.doctor("--set", "sandbox.cpu_limit=5")["sandbox"]
        self.assertNotEqual(self.level(limited, "cpu"), "not_requested")

    def test_doctor_of_an_evaluator(self):
        self.problem()
        report = self.doctor("initial_program.py", "evaluator.py")["sandbox"]
        self.check_report(report)
        self.assertEqual(report["isolation"], "shared")
        self.assertEqual(self.level(report, "score"), "none")

    def test_the_table_says_what_the_json_says(self):
        report = self.doctor()["sandbox"]
        out = self.oe("doctor", "--offline", "--set", "llm.backend=mutate").out
        lines = out[out.index(" sandbox: "):].splitlines()
        words = {"enforced": "enforced", "partial": "in part", "none": "not", "not_requested": "not asked for"}
        self.assertEqual(len(lines), 1 + len(NAMES))
        columns = set()
        for line, expected in zip(lines[1:], report["guarantees"]):
            found = re.fullmatch(r"  (\S+) +(enforced|in part|not asked for|not)(?:  +(\S.*))?", line)
            self.assertTrue(found, line)
            self.assertEqual(found.group(1, 2), (expected["name"], words[expected["level"]]))
            self.assertEqual(found.group(3), "; ".join(filter(None, (expected["mechanism"], expected["reason"]))))
            columns.add((found.start(2), found.start(3)))
        self.assertEqual(len(columns), 1, "the columns are not aligned")
        enforced = sum(line["level"] == "enforced" for line in report["guarantees"])
        self.assertIn(f"{enforced} guarantees enforced", lines[0])

    def test_colour(self):
        out = self.oe("--color=always", "doctor", "--offline", "--set", "llm.backend=mutate").out
        self.assertRegex(out, r"wall +\x1b\[32menforced\x1b\[0m")
        self.assertNotIn("\x1b", self.oe("doctor", "--offline", "--set", "llm.backend=mutate").out)

    def test_what_is_shown_of_a_home(self):
        self.write("notes.txt", "x")
        reason = self.doctor(env={"HOME": self.directory})["sandbox"]["guarantees"][0]["reason"]
        self.assertIn(str(self.directory), reason)
        self.assertNotIn(str(self.directory), self.doctor()["sandbox"]["guarantees"][0]["reason"])

    def test_dots_do_not_lead_into_a_home(self):
        self.write("project/program.py", "x = 1\n")
        self.write(".keys/secret", "s3cret")
        self.write("evaluator.py", f"""
def evaluate(path):
    try:
        found = open({str(self.path('.keys/secret'))!r}).read() == 's3cret'
    except OSError:
        found = False
    return {{"combined_score": float(found)}}
""")
        process = self.start("-C", "project", "eval", "program.py", "--evaluator", "../evaluator.py", "--json",
                             env={"HOME": self.directory})
        value = self.finish(process).json()
        enforced = self.level(value["sandbox"], "fs_read") == "enforced"
        self.assertEqual(value["metrics"]["combined_score"], 0 if enforced else 1)

    def test_secrets_beside_the_evaluator_look_empty(self):
        secrets = (".env", ".env.local", ".envrc", ".netrc", ".git-credentials", ".git/config", ".ssh/key", ".aws/x",
                   ".gnupg/x", "conf/key.txt")
        for name in (*secrets, "conf/plain", ".github/x"):
            self.write(name, "s3cret")
        self.problem(evaluator=f"""
import os
HERE = {str(self.directory)!r}
def read(name):
    try:
        return open(os.path.join(HERE, name)).read()
    except OSError as error:
        return type(error).__name__
def evaluate(path):
    for name in (".env", ".git", "conf/key.txt"):   # what covers it cannot be taken away
        for attempt in (os.unlink, os.rmdir, lambda p: os.rename(p, p + ".moved")):
            try:
                attempt(os.path.join(HERE, name))
            except OSError:
                pass
    found = {{name: read(name) for name in {(*secrets, "conf/plain", ".github/x")!r}}}
    found["moved"] = read(".env.moved") + read("conf/key.txt.moved")
    return {{"combined_score": sum("s3cret" in text for text in found.values()), "found": str(found)}}
""")
        def score(*more):
            value = self.oe("eval", "initial_program.py", "--evaluator", "evaluator.py", "--json", "--set",
                            "llm.api_key_file=" + str(self.path("conf/key.txt")), *more).json()
            fs_read = next(line for line in value["sandbox"]["guarantees"] if line["name"] == "fs_read")
            return value["metrics"]["combined_score"], (value["sandbox"]["tier"] or 0) >= 2, fs_read["reason"], value

        found, apart, reason, value = score()
        if apart:
            self.assertEqual(found, 2, value["metrics"])
            self.assertEqual(score("--set", "sandbox.overlay=false")[0], 2)
            self.assertEqual(score("--set", f"sandbox.readable={self.path('.env')}")[0], 3)
        else:
            self.assertIn("cannot be masked", reason)

    # ---- limits that only the program, or only we, hear of ----

    def verdict_of(self, evaluator, *more):
        self.problem(evaluator=evaluator)
        value = self.oe("eval", "initial_program.py", "--evaluator", "evaluator.py", "--json", *more, code=None,
                        timeout=240).json()
        return value["verdict"], value["message"], value["sandbox"]["tier"]

    def test_too_many_threads(self):
        more = """
import threading, time
def evaluate(path):
    for _ in range(5000):   # of which others of the user may take some, where they count
        threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
    return {"combined_score": 1}
"""
        verdict, message, tier = self.verdict_of(more, "--set", "sandbox.processes=16")
        if tier is not None:
            self.assertEqual(verdict, "proc_limit", message)
            self.assertRegex(message, r"more processes and threads than it may have, \d+: RuntimeError")
        # What is not about processes is an exception, as before.
        verdict, message, _ = self.verdict_of("def evaluate(path):\n    raise BlockingIOError(11, 'not now')\n")
        self.assertEqual(verdict, "exception", message)

    def test_endless_output(self):
        loop = "import os\ndef evaluate(path):\n    while True:\n        os.write(1, b'x' * 65536)\n"
        verdict, message, _ = self.verdict_of(loop)
        self.assertEqual(verdict, "output_limit", message)

    def test_runs_are_hidden_from_programs(self):
        """What others have tried, and how it was judged, is nothing for a program to copy."""
        self.write("before/run.db", "s3cret")
        self.write("before/best/best_program.py", "s3cret")
        self.problem(MUTATE, evaluator=f"""
import os
HERE = {str(self.directory)!r}
NAMES = ("run.db", "run.db-wal", "best/best_program.py", "checkpoints")
def evaluate(path):
    found = []
    for run in ("out", "before", "."):
        for name in NAMES:
            full = os.path.join(HERE, run, name)
            for look in (lambda: open(full, "rb").read(), lambda: os.listdir(full)):
                try:
                    found += [full] if look() else []
                except OSError:
                    pass
    return {{"combined_score": len(found), "found": str(found)}}
""")
        self.run_problem("-i", "4", "--set", "checkpoint_interval=1")
        best = json.loads(self.path("out/best/best_program_info.json").read_text())["metrics"]
        if (self.status()["sandbox"]["tier"] or 0) < 2:
            self.assertGreater(best["combined_score"], 0)
            return
        self.assertEqual(best["combined_score"], 0, best)
        for out, more in ((".", ()), ("more", ("--set", "sandbox.overlay=false"))):
            self.oe("run", "initial_program.py", "evaluator.py", "-c", "config.yaml", "-o", out, "-i", "4",
                    "--set", "checkpoint_interval=1", *more)
            best = json.loads(self.path(out + "/best/best_program_info.json").read_text())["metrics"]
            self.assertEqual(best["combined_score"], 0, best)
        # Who needs them says so.
        self.oe("run", "initial_program.py", "evaluator.py", "-c", "config.yaml", "-o", "last", "-i", "1",
                "--set", f"sandbox.readable={self.path('before')}")
        best = json.loads(self.path("last/best/best_program_info.json").read_text())["metrics"]
        self.assertEqual(best["combined_score"], 2, best)

    def test_a_run_keeps_it(self):
        self.problem(MUTATE)
        self.run_problem("-i", "2")
        self.check_report(self.status()["sandbox"])
        self.assertRegex(self.oe("status", "out").out, r"(?m)^sandbox     tier \d: \d+ guarantees enforced")
        self.oe("resume", "out", "-i", "1", "--sandbox", "none")
        self.assertEqual((self.status()["sandbox"] or {"mode": "none"})["mode"], "none")

    def test_eval_says_it(self):
        self.problem()
        value = self.oe("eval", "initial_program.py", "--evaluator", "evaluator.py", "--json").json()
        self.check_report(value["sandbox"])

    # ---- asking ----

    def test_modes(self):
        self.write("strict.yaml", "sandbox: {mode: strict}\n")
        report = self.doctor("-c", "strict.yaml", "--sandbox", "none")["sandbox"]
        self.check_report(report, "none")
        self.assertIsNone(report["tier"])
        self.assertEqual(self.level(report, "fs_read"), "none")
        shown = self.oe("doctor", "--offline", "--set", "llm.backend=mutate", "--sandbox", "none").out
        self.assertRegex(shown, r"(?m)^warn  sandbox: nothing is confined")
        self.oe("doctor", "--sandbox", "maybe", code=USAGE)

    def test_words_are_checked_where_they_are_read(self):
        self.write("config.yaml", "sandbox:\n  require: [fs_raed]\n")
        result = self.oe("config", "check", "config.yaml", code=CONFIG)
        self.assertIn("config.yaml:2:13: ", result.err + result.out)
        self.assertIn("did you mean 'fs_read'?", result.err + result.out)

    def test_flags_are_where_they_belong(self):
        for command in ("run", "resume", "eval", "doctor"):
            self.assertIn("--sandbox MODE", self.oe(command, "--help").out)
        self.assertNotIn("--sandbox", self.oe("best", "--help").out)
        self.assertRegex(self.oe("help", "--man").out, r"\\-\\-sandbox|--sandbox")
        self.assertIn("sandbox", self.oe("completions", "bash").out)

    # ---- refusing ----

    def test_what_cannot_be_had_is_exit_8(self):
        """A score is safe only from a process of its own; no machine gives it to a shared one."""
        self.problem(MUTATE + "sandbox: {require: [wall, score]}\n",
                     evaluator="open('ran', 'w')\ndef evaluate(p):\n    return {'combined_score': 1}\n")
        for words in (["eval", "initial_program.py", "--evaluator", "evaluator.py"],
                      ["run", "initial_program.py", "evaluator.py", "-o", "out", "-i", "2"],
                      ["run", "initial_program.py", "evaluator.py", "-o", "out", "--dry-run"]):
            result = self.oe(*words, "-c", "config.yaml", code=SANDBOX)
            self.assertEqual(result.err.count("\n"), 1)
            self.assertRegex(result.err, r"^oe \w+: the sandbox cannot guarantee 'score': \w")
        self.assertFalse(self.path("out").exists())
        self.assertFalse(self.path("ran").exists())

    def test_a_command_is_refused_likewise(self):
        self.problem()
        self.write("score.sh", "#!/bin/sh\ntouch ran\n").chmod(0o755)
        result = self.oe("eval", "initial_program.py", "--evaluator", "./score.sh", "--set",
                         "sandbox.require=cpu", code=SANDBOX)
        self.assertIn("cannot guarantee 'cpu'", result.err)
        self.assertFalse(self.path("ran").exists())

    def test_a_resumed_run_is_refused_likewise(self):
        self.problem(MUTATE)
        self.run_problem("-i", "2")
        before = self.status()
        result = self.oe("resume", "out", "-i", "2", "--set", "sandbox.require=[cpu]", code=SANDBOX)
        self.assertIn("cannot guarantee 'cpu'", result.err)
        self.assertEqual(self.status()["iterations"], before["iterations"])

    def test_doctor_shows_what_there_is_instead(self):
        value = self.doctor("--set", "sandbox.require=score", code=FAILED)
        self.check_report(value["sandbox"])
        found = [finding for finding in value["findings"] if finding["subject"] == "sandbox"]
        self.assertEqual([finding["level"] for finding in found], ["fail", "note"])
        self.assertIn("'score'", found[0]["message"])


if __name__ == "__main__":
    main()
