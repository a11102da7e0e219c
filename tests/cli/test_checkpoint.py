#!/usr/bin/env python3
"""`oe checkpoint list, export, import, prune`: what comes of a run's checkpoints, and what stays."""
import contextlib
import filecmp
import json
import os
import re
import shutil
import sqlite3
import subprocess
import unittest

from oe import DONE, EVALUATOR, FAILED, PROGRAM, STORE, UNUSABLE, USAGE, Case, RunCase, main

CONFIG = "llm: {backend: mutate}\ncheckpoint_interval: 10\n"


class Checkpoint(Case):
    @classmethod
    def setUpClass(cls):
        cls.owner = cls("setUp")
        Case.setUp(cls.owner)
        cls.owner.problem(CONFIG)
        # One that falls due while another is being written is left out, where writing takes that long.
        for _ in range(10):
            shutil.rmtree(cls.owner.path("out"), ignore_errors=True)
            cls.owner.run_problem("-i", "30", "--seed", "5", "--set", "durability=process")
            if sorted(os.listdir(cls.owner.path("out/checkpoints"))) == [f"checkpoint_{i}" for i in (10, 20, 30)]:
                break

    @classmethod
    def tearDownClass(cls):
        cls.owner.doCleanups()

    def setUp(self):
        super().setUp()
        shutil.copytree(self.owner.path("out"), self.path("out"))
        self.write("evaluator.py", EVALUATOR)

    def checkpoint(self, *words, **how):
        return self.oe("checkpoint", *words, **how)

    def names(self, run="out"):
        return sorted(os.listdir(self.path(run, "checkpoints")))

    def path(self, *parts):
        return super().path("/".join(map(str, parts)))

    def assert_same(self, one, other):
        """Two checkpoints, but for when they were written."""
        compared = filecmp.dircmp(one, other)
        self.assertEqual((compared.left_only, compared.right_only), ([], []))
        self.assertLessEqual(set(compared.diff_files), {"best_program_info.json"})
        programs = sorted(os.listdir(one / "programs"))
        self.assertEqual(programs, sorted(os.listdir(other / "programs")))
        for name in programs:
            self.assertEqual((one / "programs" / name).read_bytes(),
                             (other / "programs" / name).read_bytes())

    def test_unchanged_programs_are_stored_once(self):
        older, newer = (self.owner.path(f"out/checkpoints/checkpoint_{number}/programs")
                        for number in (20, 30))
        shared = set(os.listdir(older)) & set(os.listdir(newer))
        self.assertGreater(len(shared), 5)
        for name in shared:
            self.assertEqual((older / name).stat().st_ino, (newer / name).stat().st_ino)

    def shared(self, older, newer):
        """What two of out's checkpoints have both: which programs are one file, and which are two."""
        older, newer = (self.path("out/checkpoints", f"checkpoint_{number}", "programs")
                        for number in (older, newer))
        names = sorted(set(os.listdir(older)) & set(os.listdir(newer)))
        self.assertGreater(len(names), 5)
        one = [name for name in names if os.path.samefile(older / name, newer / name)]
        return one, [name for name in names if name not in one]

    def test_after_a_resume(self):
        """As within a session; but what somebody did to the checkpoint meanwhile is no part of the run."""
        programs = self.path("out/checkpoints/checkpoint_30/programs")
        before = {path.name: path.read_bytes() for path in programs.iterdir()}
        edited, longer = sorted(before)[::3], sorted(before)[1::3]
        for name in edited:
            (programs / name).write_bytes(before[name].replace(b"python", b"pytho!"))
        for name in longer:
            (programs / name).write_bytes(before[name] + b"\n")
        (programs / sorted(before)[2]).unlink()
        self.oe("resume", "out", "-i", "3")
        one, two = self.shared(30, 33)  # some may have left
        self.assertLessEqual(set(two), {*edited, *longer})
        self.assertFalse(set(one) & {*edited, *longer})
        self.assertGreater(min(len(one), len(two)), 3)
        for path in self.path("out/checkpoints/checkpoint_33/programs").iterdir():
            self.assertEqual(path.read_bytes(), before.get(path.name, path.read_bytes()))
        self.checkpoint("verify", "out/checkpoints/checkpoint_33")

    def test_after_a_resume_without_the_last_one(self):
        """One that is not complete, or of somebody else, is none to share files with."""
        self.path("out/checkpoints/checkpoint_30/metadata.json").unlink()
        shutil.copytree(self.path("out/checkpoints/checkpoint_20"), self.path("elsewhere"))
        self.path("out/checkpoints/checkpoint_25").symlink_to(self.path("elsewhere"))
        self.path("out/checkpoints/checkpoint_99").write_text("")
        self.oe("resume", "out", "-i", "3")
        self.assertEqual(self.shared(30, 33)[0], [])
        self.assertEqual(self.shared(25, 33)[0], [])
        self.assertEqual(self.shared(20, 33)[1], [])

    def test_after_an_import(self):
        """The first checkpoint of a new run shares with the copy that it began with."""
        self.checkpoint("import", "out/checkpoints/checkpoint_20", "-o", "new", "--evaluator", "evaluator.py",
                        "--set", "llm.backend=mutate")
        shutil.rmtree(self.path("out"))
        self.path("new").rename(self.path("out"))
        self.oe("resume", "out", "-i", "5")
        self.assertEqual(self.shared(20, 25)[1], [])

    def test_list(self):
        listed = self.checkpoint("list", "out", "--json").json()
        self.assertEqual(listed["schema"], "oe.checkpoints/1")
        self.assertEqual([entry["iteration"] for entry in listed["checkpoints"]], [10, 20, 30])
        last, best = listed["checkpoints"][-1], self.status()["best"]
        self.assertEqual((last["best_id"], last["best"], last["metrics"]),
                         (best["id"], best["fitness"], best["metrics"]))
        self.assertEqual(last["programs"], len(os.listdir(self.path(last["path"], "programs"))))
        lines = self.checkpoint("list", "out").out.splitlines()
        self.assertEqual([line.split()[0] for line in lines], ["10", "20", "30"])
        shutil.rmtree(self.path("out/checkpoints"))
        self.assertEqual(self.checkpoint("list", "out").out, "")

    def test_export(self):
        """What is rebuilt from the log is what the run itself wrote."""
        self.assertEqual(self.checkpoint("export", "out", "-o", "new/one").out, "new/one\n")
        self.assert_same(self.path("new/one"), self.path("out/checkpoints/checkpoint_30"))
        shutil.rmtree(self.path("out/checkpoints"))
        self.assertEqual(self.checkpoint("export", "out").out, "out/checkpoints/checkpoint_30\n")
        self.assert_same(self.path("new/one"), self.path("out/checkpoints/checkpoint_30"))
        # A checkpoint can be written anew, too.
        self.checkpoint("export", "new/one", "-o", "new/two")
        one, two = (self.oe("list", "new/" + name, "-n", "0", "--json").json() for name in ("one", "two"))
        self.assertEqual(one["programs"], two["programs"])
        self.checkpoint("export", "new/one", code=USAGE)
        self.write("full/of/something", "")
        self.checkpoint("export", "out", "-o", "full", code=FAILED)
        self.assertTrue(self.path("full/of/something").exists())

    def test_list_without_a_best_program(self):
        """Its files are copies: the checkpoint is sound without them."""
        information = self.path("out/checkpoints/checkpoint_20/best_program_info.json")
        self.path("out/checkpoints/checkpoint_20/best_program.py").unlink()
        for change in (information.unlink, lambda: information.write_text("{")):
            change()
            result = self.checkpoint("list", "out", "--json")
            self.assertIn("checkpoint_20/best_program_info.json", result.err)
            self.assertEqual([entry["best_id"] is None for entry in result.json()["checkpoints"]], [False, True, False])
            self.assertEqual(len(self.checkpoint("list", "out").out.splitlines()), 3)
            self.checkpoint("verify", "out")

    def files(self, directory):
        return {path: path.read_bytes() for path in self.path(directory).rglob("*") if path.is_file()}

    def assert_not_replaced(self, directory, *words, what="out", part="is not a checkpoint: it is not replaced"):
        before = self.files(directory)
        self.assert_one_sentence(self.checkpoint("export", what, "-o", directory, code=FAILED), part, *words)
        self.assertEqual(self.files(directory), before)

    def test_export_onto_a_project(self):
        """Whatever has metadata, and is not only a checkpoint, is somebody's."""
        self.write("project/metadata.json", '{"name": "mine"}')
        self.assert_not_replaced("project", "'programs' is missing")
        self.write("project/programs/one.json", "{}")
        self.assert_not_replaced("project", "'metadata.json' is not that of one")
        for name in ("src/main.py", "evaluator.py"):
            self.write("project/" + name, "")
        self.assert_not_replaced("project", "'evaluator.py' is no part of one")
        self.checkpoint("export", "out", "-o", "one")
        self.write("one/notes.txt", "")
        self.assert_not_replaced("one", "'notes.txt' is no part of one")
        self.path("one/notes.txt").unlink()
        self.assertEqual(self.checkpoint("export", "out", "-o", "one").out, "one\n")
        self.assert_same(self.path("one"), self.path("out/checkpoints/checkpoint_30"))

    def test_export_onto_the_run(self):
        """Not on what it is in, either."""
        self.checkpoint("export", "out", "-o", "one")
        shutil.copytree(self.path("out"), self.path("one/artifacts/run"))
        for directory in ("one", "one/artifacts", "one/artifacts/run"):
            self.assert_not_replaced(directory, what="one/artifacts/run", part="holds the run itself: it is not replaced")
        self.assert_not_replaced("one", "'artifacts/run/best' is no part of one")
        self.path("link").symlink_to("out/checkpoints/checkpoint_10")
        self.assert_not_replaced("link", part="is a symbolic link: it is not replaced")
        self.assertTrue(self.path("link").is_symlink())

    def test_a_run_replaces_checkpoints_only(self):
        """Its own ones too, when somebody has put something in there; those that are damaged are made anew."""
        for number in (31, 32):
            shutil.copytree(self.path("out/checkpoints/checkpoint_30"), self.path("out/checkpoints", f"checkpoint_{number}"))
            (self.path("out/checkpoints", f"checkpoint_{number}") / "metadata.json").unlink()
            self.write(f"out/checkpoints/checkpoint_{number}/metadata.json", "")
        self.write("out/checkpoints/checkpoint_31/notes.txt", "")
        before = self.files("out/checkpoints/checkpoint_31")
        result = self.oe("resume", "out", "-i", "1", "-q", code=STORE)
        self.assertIn("checkpoint_31' is not a checkpoint: it is not replaced, as 'notes.txt' is no part of one", result.err)
        self.assertEqual(self.files("out/checkpoints/checkpoint_31"), before)
        self.oe("resume", "out", "-i", "1", "-q")
        self.checkpoint("verify", "out/checkpoints/checkpoint_32")

    def test_where_nothing_can_be_written(self):
        """Neither below nor in a directory, whoever tries."""
        self.write("file", "")
        self.write("initial_program.py", PROGRAM)
        ways = "file", "file/one", "/proc/one", "/proc/one/two"
        begin = "--set", "llm.backend=mutate", "-o"
        for way in ways[1:]:
            for what in ("out", "out/checkpoints/checkpoint_10"):
                self.assert_one_sentence(self.checkpoint("export", what, "-o", way, code=STORE), way.rpartition("/")[0])
        for way in ways:
            self.assert_one_sentence(self.checkpoint("import", "out/checkpoints/checkpoint_10", *begin, way, code=STORE), way)
            result = self.oe("run", "initial_program.py", "evaluator.py", "-i", "1", *begin, way, code=STORE)
            self.assert_one_sentence(result, way)
        self.assert_not_replaced("file", part="is no directory: it is not replaced")

    def test_import(self):
        """A run that has its programs and no iteration yet; then it goes on like any other."""
        before = self.oe("list", "out/checkpoints/checkpoint_20", "-n", "0", "--json").json()["programs"]
        words = ["import", "out/checkpoints/checkpoint_20", "-o", "new", "--evaluator", "evaluator.py",
                 "--set", "llm.backend=mutate"]
        self.assertEqual(self.checkpoint(*words).out, "new\n")
        status = self.status("new")
        self.assertEqual((status["state"], status["iterations"]["done"]), ("stopped", 0))
        after = self.oe("list", "new", "-n", "0", "--json").json()["programs"]
        self.assertEqual({p["id"]: (p["island"], p["fitness"]) for p in after},
                         {p["id"]: (p["island"], p["fitness"]) for p in before})
        shutil.rmtree(self.path("out"))
        self.oe("resume", "new", "-i", "10")
        self.assertEqual(self.status("new")["iterations"]["done"], 10)
        self.assertEqual(self.oe("show", "best", "--run", "new", "--json").json()["fitness"],
                         self.status("new")["best"]["fitness"])
        self.checkpoint("verify", "new")
        self.assert_one_sentence(self.checkpoint("import", "new/checkpoints/checkpoint_20", "-o", "new", code=STORE),
                                 "holds a run already")

    def test_import_of_what_is_none(self):
        self.checkpoint("import", code=USAGE)
        self.assert_one_sentence(self.checkpoint("import", "nowhere", "-o", "new", code=FAILED), "nowhere")
        self.write("empty/file", "")
        self.checkpoint("import", "empty", "-o", "new", code=STORE)
        result = self.checkpoint("import", "out/checkpoints/checkpoint_20", "-o", "new", "--evaluator", "nowhere.py",
                                 code=UNUSABLE)
        self.assert_one_sentence(result, "nowhere.py")

    def test_import_after_one_that_failed(self):
        """What it left behind is no run."""
        for wrong in ("out", "out/checkpoints"):
            self.checkpoint("import", wrong, "-o", "new", code=STORE)
        self.write("bad/metadata.json", "{")
        self.checkpoint("import", "bad", "-o", "new", "--evaluator", "evaluator.py", code=STORE)
        self.checkpoint("import", "out/checkpoints/checkpoint_20", "-o", "new", "--set", "llm.backend=mutate")
        self.assertIn("--evaluator", self.oe("resume", "new", "-i", "1", code=UNUSABLE).err)
        self.oe("resume", "new", "-i", "1", "--evaluator", "evaluator.py")
        self.checkpoint("verify", "new")

    def test_import_after_one_that_was_killed(self):
        """There is all of the run, or none."""
        words = ["import", "out/checkpoints/checkpoint_20", "--evaluator", "evaluator.py", "--set", "llm.backend=mutate"]
        there = {p["id"] for p in self.oe("list", "out/checkpoints/checkpoint_20", "-n", "0", "--json").json()["programs"]}
        done = False
        for number in range(1, 200):
            process = self.start("checkpoint", *words, "-o", f"new{number}")
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=number * 0.004)
                done = True
            self.end(process)
            if not done:  # as far as it came: no run, so that it is imported now, or all of it
                again = self.checkpoint(*words, "-o", f"new{number}", code=None)
                if again.code != DONE:
                    self.assertEqual(again.code, STORE, again)
                    self.assert_one_sentence(again, "holds a run already: 'oe resume' goes on with it")
            found = {p["id"] for p in self.oe("list", f"new{number}", "-n", "0", "--json").json()["programs"]}
            self.assertEqual(found, there)
            self.oe("resume", f"new{number}", "-i", "1")
            if done:
                return
        self.fail("it never came to its end")

    def damage(self):
        """A checkpoint of which five programs cannot be read, and its path and programs."""
        shutil.copytree(self.path("out/checkpoints/checkpoint_20"), self.path("c"))
        programs = sorted(self.path("c/programs").iterdir())
        for path in programs[3:8]:
            path.unlink()  # a link to that of another checkpoint
            path.write_text("{")
        return programs

    def test_programs_that_cannot_be_read(self):
        """The others are worth having; but somebody has to know."""
        programs = self.damage()
        said = ["c: 5 of its programs cannot be read; the first: ", f"{programs[3].name}: not JSON"]
        result = self.checkpoint("import", "c", "-o", "new", "--evaluator", "evaluator.py", "--set", "llm.backend=mutate",
                                 "-q", code=STORE)
        self.assertEqual(result.out, "new\n")
        result.out = ""
        self.assert_one_sentence(result, *said)
        self.assertEqual(self.status("new")["programs"], len(programs) - 5)
        self.oe("resume", "new", "-i", "2")
        result = self.checkpoint("export", "c", "-o", "z", code=STORE)
        self.assertEqual(result.out, "z\n")
        result.out = ""
        self.assert_one_sentence(result, *said)
        self.assertEqual(len(os.listdir(self.path("z/programs"))), len(programs) - 5)
        self.checkpoint("verify", "z")
        self.assert_one_sentence(self.checkpoint("verify", "c", code=STORE), f"{programs[3].name}:1:2: not JSON")
        self.write("initial_program.py", PROGRAM)
        for words in (["-q"], ["--progress", "none"], ["--progress", "plain"]):
            result = self.oe("run", "initial_program.py", "evaluator.py", "--checkpoint", "c", "-o", f"run{words[-1]}",
                             "-i", "1", "--set", "llm.backend=mutate", *words)
            self.assertIn(said[0], result.err)
            self.assertIn(said[1], result.err)

    def test_looking_at_what_cannot_be_read(self):
        """The best of what is left need not be the best: whoever asks is told."""
        shutil.copytree(self.path("out/checkpoints/checkpoint_20"), self.path("c"))
        best = self.oe("best", "c", "--json").json()
        others = self.oe("list", "c", "--json", "-n", "0").json()["programs"][1:]
        record = self.path("c/programs", best["id"] + ".json")
        record.unlink()
        record.write_text("{")
        ends = ["--run", "c"]
        for words in (["best", "c"], ["best", "c", "--metric", "scale"], ["best", "c", "-o", "best.py"], ["list", "c"],
                      ["list", "c", "--format", "csv"], ["show", "best", *ends], ["lineage", *ends],
                      ["show", others[0]["id"], "--code", *ends], ["diff", others[0]["id"], others[1]["id"], *ends],
                      ["diff", "--exit-code", others[0]["id"], others[1]["id"], *ends]):
            with self.subTest(words):
                result = self.oe(*words, code=STORE)
                self.assertIn(f"oe {words[0]}: c: 1 of its programs cannot be read; the first: "
                              f"c/programs/{record.name}: not JSON", result.err)
                if words[0] != "lineage":  # which may come to it at once
                    self.assertEqual(result.out == "", "-o" in words)
        # What is left is told nevertheless, and what is not found may be that.
        result = self.oe("list", "c", "--json", "-n", "0", code=STORE)
        self.assertEqual([program["id"] for program in result.json()["programs"]], [program["id"] for program in others])
        self.assert_one_sentence(self.oe("show", best["id"], *ends, code=STORE), "has no program", "cannot be read")

    def test_programs_that_are_gone(self):
        programs = self.damage()
        for path in programs[3:8]:
            path.unlink()
        result = self.checkpoint("import", "c", "-o", "new", code=STORE)
        self.assertIn("c: 5 of its programs cannot be read; the first: ", result.err)
        self.assertRegex(result.err, "c/metadata.json: the program '[-0-9a-f]*' is missing\n")
        for path in programs[:3] + programs[8:]:
            path.write_text("")
        result = self.checkpoint("import", "c", "-o", "none", code=STORE)
        self.assert_one_sentence(result, programs[0].name, "the checkpoint has no programs that can be read: not JSON")
        self.assertFalse(self.path("none/checkpoints").exists())

    def test_counters_that_cannot_be(self):
        shutil.copytree(self.path("out/checkpoints/checkpoint_20"), self.path("c"))
        metadata = json.loads(self.path("c/metadata.json").read_text())
        for change in ({"issued": 3}, {"ended": -1}, {"outcomes": {"committed": 21}}, {"outcomes": {"committed": -1}}):
            self.path("c/metadata.json").write_text(json.dumps(metadata | {"oe": metadata["oe"] | change}))
            self.assert_one_sentence(self.checkpoint("import", "c", "-o", "new", code=STORE), "c/metadata.json: ", " iterations")

    def test_import_of_the_least(self):
        """Programs without islands, as OpenEvolve would take them: it says where each is."""
        for number in range(4):
            self.write(f"least/programs/{number}.json", json.dumps(
                {"id": f"p{number}", "code": f"x = {number}\n", "metrics": {"combined_score": number}}))
        self.write("least/metadata.json", "{}")
        self.checkpoint("import", "least", "-o", "new", "--set", "database.num_islands=2")
        programs = self.oe("list", "new", "-n", "0", "--json").json()["programs"]
        self.assertEqual(sorted(p["id"] for p in programs), ["p0", "p1", "p2", "p3"])
        self.assertEqual({p["island"] for p in programs}, {0, 1})
        self.assertEqual(self.status("new")["best"]["id"], "p3")

    def test_names_that_are_patterns(self):
        """To a shell, not to us."""
        run = "g[ab]*/o?t"
        shutil.copytree(self.path("out"), self.path(run))
        shutil.copytree(self.path("out"), self.path("ga/out"))
        checkpoint = f"{run}/checkpoints/checkpoint_20"
        self.path(checkpoint, "best_program.py").rename(self.path(checkpoint, "best_program.rs"))
        sound = self.checkpoint("verify", run).out.splitlines()
        self.assertEqual(sound, [f"sound  {run}/{name}" for name in
                                 ("run.db", "checkpoints/checkpoint_10", "checkpoints/checkpoint_20",
                                  "checkpoints/checkpoint_30")])
        self.checkpoint("export", checkpoint, "-o", "one")
        self.assertTrue(self.path("one/best_program.rs").exists())
        self.checkpoint("import", checkpoint, "-o", "n[e]w", "--evaluator", "evaluator.py", "--set", "llm.backend=mutate")
        self.assertTrue(self.path("n[e]w/best/best_program.rs").exists())
        self.oe("resume", "n[e]w", "-i", "5")
        self.path(checkpoint, "metadata.json").unlink()
        self.checkpoint("verify", run, code=STORE)

    def test_prune(self):
        self.checkpoint("prune", "out", code=USAGE)
        self.checkpoint("prune", "out", "--keep", "0", code=USAGE)
        dry = self.checkpoint("prune", "out", "--keep", "1", "--dry-run", "--json").json()
        self.assertEqual([os.path.basename(path) for path in dry["removed"]],
                         ["checkpoint_10", "checkpoint_20"])
        self.assertEqual(len(self.names()), 3)
        self.write("out/checkpoints/checkpoint_7/precious", "")  # no checkpoint
        self.write("out/checkpoints/checkpoint_x/metadata.json", "{}")
        self.assertEqual(self.checkpoint("prune", "out", "--keep", "2").out,
                         "out/checkpoints/checkpoint_10\n")
        self.checkpoint("prune", "out", "--keep", "1")
        self.assertEqual(self.names(), ["checkpoint_30", "checkpoint_7", "checkpoint_x"])
        self.checkpoint("prune", "out", "--keep", "1")
        self.assertEqual(len(self.names()), 3)

    def test_the_first_one_stays(self):
        """A log that begins with a checkpoint cannot be read without it."""
        self.checkpoint("import", "out/checkpoints/checkpoint_20", "-o", "new", "--evaluator",
                        "evaluator.py", "--set", "llm.backend=mutate")
        self.oe("resume", "new", "-i", "10")
        self.assertEqual(self.names("new"), ["checkpoint_20", "checkpoint_30"])
        self.assertEqual(self.checkpoint("prune", "new", "--keep", "1").out, "")
        self.assertEqual(self.names("new"), ["checkpoint_20", "checkpoint_30"])
        self.checkpoint("verify", "new")

    def test_the_first_one_is_not_replaced(self):
        """Whatever is exported there, under whichever name."""
        self.checkpoint("import", "out/checkpoints/checkpoint_20", "-o", "new", "--evaluator",
                        "evaluator.py", "--set", "llm.backend=mutate")
        self.oe("resume", "new", "-i", "10")
        self.path("link").symlink_to("new/checkpoints")
        for way in ("new/checkpoints/checkpoint_20", "link/checkpoint_20", "out/../new/checkpoints/checkpoint_20/",
                    self.path("new/checkpoints/checkpoint_20")):
            result = self.checkpoint("export", "out", "-o", way, code=FAILED)
            self.assert_one_sentence(result, "checkpoint_20", "began with: it is not replaced")
        self.checkpoint("export", "out/checkpoints/checkpoint_10", "-o", "new/checkpoints/checkpoint_20", code=FAILED)
        self.checkpoint("export", "out", "-o", "new/checkpoints/checkpoint_30")
        self.oe("resume", "new", "-i", "5")
        self.checkpoint("verify", "new")
        self.oe("replay", "new", "--verify")

    def test_beginning_where_it_lies(self):
        """A run in the very directory of a checkpoint, by another name of it: that is not written anew."""
        shutil.copytree(self.path("out/checkpoints"), self.path("theirs/checkpoints"))
        self.path("alias").symlink_to("theirs")
        programs = self.path("theirs/checkpoints/checkpoint_20/programs")
        before = {path.name: path.stat().st_ino for path in programs.iterdir()}
        self.checkpoint("import", "alias/checkpoints/checkpoint_20", "-o", "theirs", "--evaluator", "evaluator.py",
                        "--set", "llm.backend=mutate")
        self.assertEqual({path.name: path.stat().st_ino for path in programs.iterdir()}, before)
        self.oe("resume", "theirs", "-i", "5")
        self.checkpoint("verify", "theirs")

    def make_openevolve(self, run):
        """A checkpoint as OpenEvolve leaves it, without what it may lack, where it leaves it."""
        checkpoint = self.path(run, "checkpoints/checkpoint_30")
        shutil.copytree(self.path("out/checkpoints/checkpoint_30"), checkpoint)
        metadata = json.loads((checkpoint / "metadata.json").read_text())
        for name in ("islands", "oe", "archive", "island_feature_maps", "island_best_programs"):
            del metadata[name]
        (checkpoint / "metadata.json").write_text(json.dumps(metadata))
        return checkpoint

    def begin_from(self, checkpoint, run):
        self.write("initial_program.py", PROGRAM)
        self.oe("run", "initial_program.py", "evaluator.py", "--checkpoint", checkpoint, "-o", run, "-i", "3",
                "--seed", "5", "--set", "llm.backend=mutate", "--set", "evaluator.timeout=9", "-q")

    def assert_goes_on(self, run, *words):
        self.checkpoint("verify", run)
        self.oe("replay", run, "--verify")
        self.oe("resume", run, "-i", "3", "-q", *words)
        self.oe("resume", run, "-i", "3", "-q", *words)
        self.checkpoint("verify", run)
        self.oe("replay", run, "--verify")

    def test_no_islands_where_it_lies(self):
        """Its programs are dealt to the islands of the run, whenever it is read."""
        checkpoint = self.make_openevolve("theirs")
        before = (checkpoint / "metadata.json").read_bytes()
        self.begin_from(checkpoint, "theirs")
        programs = self.oe("list", "theirs", "-n", "0", "--json").json()["programs"]
        self.assertEqual({program["island"] for program in programs}, set(range(5)))
        self.assert_goes_on("theirs")
        self.assertEqual((checkpoint / "metadata.json").read_bytes(), before)
        self.assertEqual(self.names("theirs"), [f"checkpoint_{number}" for number in (30, 33, 36, 39)])

    def test_artifacts_elsewhere(self):
        """OpenEvolve's large artifacts are where it was started: the run goes on without them, and without
        asking where that was."""
        checkpoint = self.make_openevolve("theirs")
        artifacts = {"a_large.txt": "large " * 9999, "b small, too.txt": "small"}
        records = {}
        for path in (checkpoint / "programs").iterdir():
            record = json.loads(path.read_text())
            records[path] = json.dumps(record | {"artifact_dir": f"./artifacts/{record['id']}"})
            path.unlink()  # it may be the same file in another checkpoint
            path.write_text(records[path])
            for name, text in artifacts.items():
                self.write(f"artifacts/{record['id']}/{name}", text)
        self.begin_from(checkpoint, "other")
        self.begin_from(checkpoint, "theirs")
        self.assertEqual({path: path.read_text() for path in records}, records)
        shutil.rmtree(self.path("artifacts"))
        self.path("theirs").rename(self.path("moved"))
        self.assert_goes_on("moved")
        self.assert_goes_on("other")
        self.assertIn("### a_large.txt", self.oe("prompt", "moved", "-i", "31").out)
        for path in records:
            record = json.loads(self.path("moved/checkpoints/begin/programs", path.name).read_text())
            self.assertEqual(list(json.loads(record["artifacts_json"]).items()), list(artifacts.items()))
        self.checkpoint("prune", "moved", "--keep", "1")
        self.checkpoint("verify", "moved")

    def test_a_run_that_was_moved(self):
        """It has all that it needs with it, also when it began with somebody's checkpoint."""
        for noted in (None, str(self.path("new/checkpoints/checkpoint_20"))):  # so older versions did
            with self.subTest(noted):
                shutil.copytree(self.path("out/checkpoints/checkpoint_20"), self.path("theirs"))
                self.checkpoint("import", "theirs", "-o", self.path("new"), "--evaluator", "evaluator.py",
                                "--set", "llm.backend=mutate")
                self.oe("resume", "new", "-i", "5")
                if noted:
                    with contextlib.closing(sqlite3.connect(self.path("new/run.db"))) as database, database:
                        database.execute("UPDATE meta SET value = ? WHERE key = 'checkpoint'", (noted,))
                shutil.rmtree(self.path("theirs"))
                self.path("new").rename(self.path("elsewhere"))
                self.oe("resume", "elsewhere", "-i", "10")
                self.assertEqual(self.status("elsewhere")["iterations"]["done"], 15)
                self.checkpoint("prune", "elsewhere", "--keep", "1")
                self.assertIn("checkpoint_20", self.names("elsewhere"))
                self.checkpoint("verify", "elsewhere")
                self.oe("replay", "elsewhere", "--verify")
                shutil.rmtree(self.path("elsewhere"))


class Origin(RunCase):
    """The checkpoint that a run begins with: its log says nothing without it."""

    def make(self):
        self.problem(CONFIG)
        self.oe("run", "initial_program.py", "evaluator.py", "-c", "config.yaml", "-i", "10", "-o", "first",
                "--progress", "none")
        self.oe("checkpoint", "import", "first/checkpoints/checkpoint_10", "-o", "out", "--evaluator",
                "evaluator.py", "-c", "config.yaml")
        self.oe("resume", "out", "-i", "5", "--progress", "none")

    @property
    def programs(self):
        return sorted(self.path("out/checkpoints/checkpoint_10/programs").iterdir())

    def assert_refused(self, *words):
        for command in (("resume", "out", "-i", "1"), ("replay", "out")):
            self.assert_one_sentence(self.oe(*command, code=STORE), "checkpoint_10: the run begins with it", *words)
        self.assertIn("checkpoint_10: the run begins with it", self.oe("checkpoint", "verify", "out", code=STORE).err)

    def test_edited(self):
        path = self.programs[0]
        text = path.read_text()
        path.unlink()  # it may be the same file in a later checkpoint
        path.write_text(text.replace("scale", "stale"))
        self.assert_refused(f"'programs/{path.name}' is another one now")

    def test_removed(self):
        path = self.programs[-1]
        path.unlink()
        self.assert_refused(f"'programs/{path.name}' is missing")

    def test_begun_before_it_was_noted(self):
        path = self.programs[0]
        text = path.read_text()
        path.unlink()
        path.write_text(text + "\n")  # it says the same
        self.assert_refused(path.name)
        self.change("DELETE FROM meta WHERE key = 'checkpoint_files'")
        self.oe("resume", "out", "-i", "0", "--progress", "none")

    def test_moved(self):
        """With its run, to wherever."""
        self.path("out").rename(self.path("moved"))
        self.oe("resume", "moved", "-i", "1", "--evaluator", self.owner.path("evaluator.py"), "--progress", "none")
        self.oe("checkpoint", "verify", "moved")


class Endless(Case):
    """Numbers that JSON has no word for: Python's, as OpenEvolve's files have them."""

    EVALUATOR = EVALUATOR.replace('"scale": scale}', '"scale": scale, "endless": float("inf"), "minus": '
                                  '-float("inf"), "none": float("nan"), "some": [1, float("nan"), float("inf")]}')

    def programs(self, run, number):
        """What a checkpoint says of its programs, as text: NaN is not equal to itself."""
        found = {}
        for path in self.path(f"{run}/checkpoints/checkpoint_{number}/programs").iterdir():
            record = json.loads(path.read_text())
            found[record["id"]] = repr((record["metrics"], record["metadata"].get("parent_metrics")))
        return found

    def fitness(self, where):
        listed = self.oe("list", where, "-n", "0", "--json").json()["programs"]
        return {program["id"]: program["fitness"] for program in listed}

    def test_they_stay(self):
        self.problem("llm: {backend: mutate}\n", evaluator=self.EVALUATOR)
        self.run_problem("-i", "15", "--seed", "5")
        first = self.programs("out", 15)
        for metrics in first.values():
            self.assertIn("'endless': inf, 'minus': -inf, 'none': nan, 'some': [1, nan, inf]}", metrics)
        self.assertIn('"endless": null,', self.path("out/best/best_program_info.json").read_text())
        # What begins with it has them, too, and goes on with them.
        checkpoint = self.path("out/checkpoints/checkpoint_15")
        worst = self.fitness(checkpoint).popitem()[0]
        record = checkpoint / "programs" / f"{worst}.json"
        record.write_text(re.sub('"combined_score": [^,]*', '"combined_score": Infinity', record.read_text(), count=1))
        before = self.programs("out", 15)
        self.assertIn("'combined_score': inf", before[worst])
        self.oe("checkpoint", "import", checkpoint, "-o", "new", "-c", "config.yaml", "--evaluator", "evaluator.py")
        self.assertEqual(self.programs("new", 15), before)
        fitness = self.fitness("new")
        self.assertEqual(fitness, self.fitness(checkpoint))
        self.assertIsNone(fitness[worst])
        self.oe("resume", "new", "-i", "5")
        self.oe("resume", "new", "-i", "5")
        after = self.programs("new", 25)
        kept = set(after) & set(before)
        self.assertGreater(len(kept), 5)
        self.assertEqual({id: after[id] for id in kept}, {id: before[id] for id in kept})
        for id, found in self.fitness("new").items():
            self.assertEqual(found, fitness.get(id, found))
        self.oe("replay", "new", "--verify")


if __name__ == "__main__":
    main()
