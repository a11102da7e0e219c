#!/usr/bin/env python3
"""How a run ends when somebody wants it to: Ctrl-C once and twice, SIGTERM, kill -9."""
import os
import signal
import unittest

from oe import INTERRUPTED, TERMINATED, Case, FakeLLM, main, processes

# Evaluations that would go on for ever and ignore whoever asks them to stop. The mark is found in /proc.
BUSY = """import os, signal, time
def evaluate(program_path):
    if "scale = 1.5" in open(program_path).read():
        return {"combined_score": 0.5}
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.execvp("sleep", ["sleep", "%d"])
        os._exit(0)
    while True:
        time.sleep(0.01)
"""
ANSWER = ("<<<<<<< SEARCH\n    scale = 1.5\n=======\n    scale = {}.25\n>>>>>>> REPLACE\n")


class Signals(Case):
    def setUp(self):
        super().setUp()
        self.mark = 100000 + os.getpid() * 7 % 800000  # seconds of a sleep that nobody else sleeps
        self.problem("llm: {primary_model: tiny, timeout: 300, concurrency: 16}\n"
                     "evaluator: {timeout: 300, parallel_evaluations: 8, cascade_evaluation: false, grace: 0.5}\n"
                     "checkpoint_interval: 5\n", evaluator=BUSY % self.mark)

    def strays(self):
        return processes(f"sleep\0{self.mark}")

    def start_stuck(self, fake):
        """8 evaluations that never end, 8 calls that are never answered."""
        fake.control(script=[ANSWER.format(i) for i in range(8)] + [{"fault": "hang"}] * 64)
        process = self.start("run", "initial_program.py", "evaluator.py", "-c", "config.yaml", "-o",
                             "out", "-i", "100", "--api-base", fake.url)
        self.wait_for(lambda: fake.stats()["requests"] >= 16, what="16 requests")
        self.wait_for(lambda: len(self.strays()) >= 8, what="8 evaluations")
        return process

    def read_until(self, stream, text):
        for line in stream:
            if text in line:
                return
        self.fail(f"it ended without a word of '{text}'")

    def test_before_it_began(self):
        """A checkpoint may be asked for while the run is still being opened, which is no reason to end."""
        self.problem("llm: {backend: mutate}\nsandbox: {mode: none}\n", evaluator=f"""import os, time
open({str(self.path("loading"))!r}, "w").close()
while not os.path.exists({str(self.path("loaded"))!r}):
    time.sleep(0.01)
def evaluate(program_path):
    return {{"combined_score": 0.5}}
""")
        words = ["-i", "1", "--progress", "none"]
        for process in (["run", "initial_program.py", "evaluator.py", "-c", "config.yaml", "-o", "out", *words],
                        ["resume", "out", *words]):
            for name in ("loading", "loaded"):
                self.path(name).unlink(missing_ok=True)
            process = self.start(*process)
            self.wait_for(lambda: self.path("loading").exists(), what="the evaluator")
            process.send_signal(signal.SIGUSR1)
            process.send_signal(signal.SIGUSR2)
            self.path("loaded").touch()
            self.finish(process)
        logs = "".join(path.read_text() for path in self.path("out/logs").iterdir())
        self.assertEqual(logs.count("status: "), 2, logs)

    def test_a_line_on_request(self):
        """SIGUSR2, to standard error and to the log file; SIGUSR1 writes a checkpoint."""
        with FakeLLM() as fake:
            process = self.start_stuck(fake)
            process.send_signal(signal.SIGUSR2)
            line = "and 8 evaluations under way"
            self.wait_for(lambda: any(line in path.read_text() for path in self.path("out/logs").iterdir()),
                          what="the line")
            process.send_signal(signal.SIGUSR1)
            self.wait_for(lambda: self.path("out/checkpoints/checkpoint_0").exists(), what="a checkpoint")
            process.send_signal(signal.SIGTERM)
            self.assertIn(line, self.finish(process, TERMINATED).err)
        log = "".join(path.read_text() for path in self.path("out/logs").iterdir())
        self.assertIn("Evolution completed - requested after 0 iterations", log)

    def test_ctrl_c_then_resume(self):
        with FakeLLM() as fake:
            process = self.start_stuck(fake)
            process.send_signal(signal.SIGINT)
            result = self.finish(process, INTERRUPTED)
            self.assertIn("Ctrl-C", result.err)
            self.assertEqual(self.strays(), [])
            status = self.status()
            self.assertEqual(status["state"], "stopped")
            self.assertEqual(status["llm"]["attempts"], fake.stats()["requests"])
            self.assertTrue(list(self.path("out/checkpoints").iterdir()))
            # The answers that were there are not asked for again.
            self.write("evaluator.py", "def evaluate(path):\n    return {'combined_score': 1.0}\n")
            before = fake.stats()["requests"]
            fake.control(script=[])
            self.oe("resume", "out", "-i", "4", "--api-base", fake.url, "--llm-jobs", "1")
            status = self.status()
            self.assertEqual(status["state"], "finished")
            asked = fake.stats()["requests"] - before
            self.assertEqual(asked, status["iterations"]["done"] - 8)

    def test_ctrl_c_twice(self):
        with FakeLLM() as fake:
            process = self.start_stuck(fake)
            process.send_signal(signal.SIGINT)
            self.read_until(process.stderr, "Ctrl-C again kills them")  # two at the same moment are one
            process.send_signal(signal.SIGINT)
            self.finish(process, INTERRUPTED)
            self.assertEqual(self.strays(), [])
            self.assertEqual(self.status()["state"], "stopped")

    def test_terminated(self):
        with FakeLLM() as fake:
            process = self.start_stuck(fake)
            process.send_signal(signal.SIGTERM)
            self.finish(process, TERMINATED)
            self.assertEqual(self.strays(), [])

    def test_killed(self):
        """Nothing is left of a run that could not say goodbye, and it goes on."""
        with FakeLLM() as fake:
            process = self.start_stuck(fake)
            process.kill()
            process.wait()
            self.wait_for(lambda: not self.strays(), what="the end of what it started")
            self.wait_for(lambda: not processes(str(self.directory)), what="the end of its servers")
            fake.control(script=[])
            self.write("evaluator.py", "def evaluate(path):\n    return {'combined_score': 1.0}\n")
            self.oe("resume", "out", "-i", "2", "--api-base", fake.url)
            self.assertEqual(self.status()["state"], "finished")

    def test_a_run_in_use_is_refused(self):
        with FakeLLM() as fake:
            self.start_stuck(fake)
            result = self.oe("resume", "out", "--api-base", fake.url, code=7)
            self.assert_one_sentence(result, "out")
            # but it may be looked at
            self.assertEqual(self.status()["state"], "running")


if __name__ == "__main__":
    main()
