#!/usr/bin/env python3
"""Standard streams, and where events go: closed, full, shared with others, sockets."""
import json
import os
import socket
import subprocess
import threading
import unittest

from oe import DONE, FAILED, USAGE, Case, main

MUTATE = "llm: {backend: mutate}\n"
RUN = ("run", "initial_program.py", "evaluator.py", "-c", "config.yaml", "-o", "out", "-i", "3")


class Streams(Case):
    def shell(self, redirections, *words):
        """oe with redirections that Popen does not offer; its exit status."""
        command = 'exec "$OE" "$@" ' + redirections
        process = subprocess.run(["sh", "-c", command, "sh", *words], cwd=self.directory,
                                 env=self.environment({"OE": os.environ["OE"]}), timeout=60,
                                 stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.assertNotIn("ssertion", process.stderr)
        return process

    def test_closed_descriptors(self):
        """Nothing that is opened later gets the number of a standard stream."""
        self.problem(MUTATE)
        for redirections, code in (("<&-", DONE), ("2>&-", DONE), (">&-", FAILED),
                                   ("<&- >&- 2>&-", FAILED)):
            words = ("eval", "initial_program.py", "--evaluator", "evaluator.py")
            self.assertEqual(self.shell(redirections, *words).returncode, code, redirections)
        self.shell("<&- >&- 2>&-", *RUN)
        self.assertEqual(self.status()["iterations"]["done"], 3)
        self.assertNotIn(b"done", self.path("out/run.db").read_bytes()[:16])

    def test_events_on_standard_output(self):
        """Events only, and nobody closes it under the others."""
        self.problem(MUTATE)
        result = self.oe(*RUN, "--progress", "none", "--events", "fd:1")
        self.assertEqual(result.lines()[-1]["type"], "run_finished")

    def test_every_program_is_named(self):
        """Also one that had to leave as it came: where each coming is a migration in a full house."""
        self.problem("llm: {backend: mutate}\n"
                     "database: {population_size: 4, num_islands: 4, migration_interval: 1}\n")
        lines = self.oe(*RUN, "-i", "40", "--progress", "json").lines()
        events = [line for line in lines if line["type"] == "iteration"]
        self.assertEqual(len(events), 40)
        for event in events:
            if event["outcome"] == "committed":
                self.assertIsNotNone(event["program_id"], event)

    def test_events_on_standard_error(self):
        self.problem(MUTATE)
        result = self.oe(*RUN, "--progress", "none", "--events", "fd:2")
        self.assertIn('"run_finished"', result.err)
        self.assertIn("to go on", result.err)
        self.assertEqual(result.out.strip(), "out/best/best_program.py")

    def test_events_on_a_socket(self):
        self.problem(MUTATE)
        received = []
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(self.path("socket")))
            server.listen()

            def read():
                connection, _ = server.accept()
                with connection, connection.makefile() as lines:
                    received.extend(json.loads(line) for line in lines)

            reader = threading.Thread(target=read)
            reader.start()
            self.oe(*RUN, "--progress", "none", "--events", "unix:socket")
            reader.join(20)
        self.assertEqual([received[0]["type"], received[-1]["type"]], ["run_started", "run_finished"])

    def test_events_nowhere(self):
        self.problem(MUTATE)
        for where, code in (("none/file", FAILED), ("fd:999", FAILED), ("fd:x", USAGE), ("fd:-1", USAGE),
                            ("unix:none", FAILED), ("unix:" + "x" * 200, FAILED), ("", USAGE)):
            self.assert_one_sentence(self.oe(*RUN, "--events", where, code=code), "--events")

    def test_a_path_is_not_empty(self):
        self.problem(MUTATE)
        self.assert_one_sentence(self.oe(*RUN[:5], "-o", "", code=USAGE), "--output")


if __name__ == "__main__":
    main()
