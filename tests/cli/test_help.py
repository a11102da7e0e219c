#!/usr/bin/env python3
"""Help, manual, completions and version: all of them speak of the same commands and options."""
import re
import shutil
import subprocess
import unittest

from oe import USAGE, Case, main


class Help(Case):
    def commands(self):
        return re.findall(r"^  ([a-z]+) {2,}[A-Z]", self.oe("--help").out, re.M)

    def test_every_command_has_help_with_two_examples(self):
        names = self.commands()
        self.assertGreaterEqual(len(names), 18)
        for name in names:
            for words in ([name, "--help"], ["help", name], [name, "-h"]):
                result = self.oe(*words)
                self.assertIn(f"Usage: oe {name}", result.out)
                self.assertEqual(result.err, "")
            examples = result.out.split("Examples:\n")[1]
            self.assertEqual(len(re.findall(r"^  oe ", examples, re.M)), 2, examples)
            for line in result.out.splitlines():
                self.assertLessEqual(len(line), 80, line)

    def test_the_issue_s_commands_are_there(self):
        expected = ("run resume eval edit prompt init doctor demo best list show diff lineage status "
                    "config completions help version").split()
        self.assertEqual(set(expected) - set(self.commands()), set())

    def test_flags_of_openevolve_run(self):
        out = self.oe("run", "--help").out
        for flag in ("-c, --config", "-o, --output", "-i, --iterations", "-t, --target-score",
                     "-l, --log-level", "--checkpoint", "--api-base", "--primary-model",
                     "--secondary-model", "--set", "-j, --jobs", "--llm-jobs", "--seed", "--max-time",
                     "--resume", "--progress", "--events", "--dry-run", "--require-target",
                     "--strict-config"):
            self.assertIn(flag + " ", out.replace("\n", " \n"))

    def test_a_slip_is_answered_with_the_nearest(self):
        self.assertIn("'oe status'", self.oe("statsu", code=USAGE).err)
        self.assertIn("--iterations", self.oe("run", "a", "b", "--iteratoins", "3", code=USAGE).err)

    def test_version(self):
        line = self.oe("--version").out
        self.assertRegex(line, r"^oe \d+\.\d+\.\d+\n$")
        value = self.oe("version", "--json").json()
        self.assertEqual(f"oe {value['oe']}\n", line)
        self.assertIn("libcurl", value["libraries"])

    def test_manual(self):
        page = self.oe("help", "--man").out
        self.path("oe.1").write_text(page)
        for name in self.commands():
            self.assertIn(name, page)
        for code in ("130", "70"):
            self.assertIn(code, page)
        for reason in ("patience, time or a budget", "no program has a score", "no iteration of this session got an answer"):
            self.assertIn(reason, page)
        if shutil.which("groff"):
            done = subprocess.run(["groff", "-man", "-Tutf8", "-ww", "-z", self.path("oe.1")],
                                  capture_output=True, text=True, check=False)
            self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_completions(self):
        for shell, flags in (("bash", ["-n"]), ("zsh", ["-n"]), ("fish", ["--no-execute"])):
            text = self.oe("completions", shell).out
            for word in ("--primary-model" if shell != "fish" else "primary-model", "lineage"):
                self.assertIn(word, text)
            if shutil.which(shell):
                file = self.write("completion", text)
                done = subprocess.run([shell, *flags, str(file)], capture_output=True, text=True,
                                      check=False)
                self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_bash_completes(self):
        self.write("completion", self.oe("completions", "bash").out)
        self.write("try.sh", """source ./completion
spec=$(complete -p oe); function=${spec#*-F }; function=${function%% *}
for line in "oe sta" "oe run --prim" "oe config ch"; do
    read -ra COMP_WORDS <<< "$line"; COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); COMPREPLY=()
    $function oe "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
    echo "${COMPREPLY[*]}"
done
""")
        done = subprocess.run(["bash", "try.sh"], cwd=self.directory, capture_output=True, text=True,
                              check=False)
        self.assertEqual(done.stdout.split("\n")[:3],
                         ["status", "--primary-model", "check"], done.stderr)

    def test_output_that_cannot_be_written(self):
        with open("/dev/full", "w") as full:
            process = self.start("config", "show", stdout=full)
            self.finish(process, 1)


if __name__ == "__main__":
    main()
