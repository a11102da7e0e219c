"""The fake model server (tests/bench/fake_llm) for tests and benchmarks in Python.

    with FakeLLM(latency=20, rate_429=0.1) as fake:
        run(["oe", "run", "--api-base", fake.url, ...])
        assert fake.stats()["status"]["200"] == 50
        fake.control(rate_429=0, script=[{"fault": "500"}, "an answer"])

Settings are those of `fake_llm --help`, with _ for -. The server ends with the `with` block, and with
this process in any case.
"""
import http.client
import json
import os
import subprocess


def _names(settings):
    return {name.replace("_", "-"): value for name, value in settings.items()}


class FakeLLM:
    def __init__(self, path=None, **settings):
        flags = [word for name, value in _names(settings).items() for word in ("--" + name, str(value))]
        self.process = subprocess.Popen(
            [path or os.environ["OE_FAKE_LLM"], "--until-eof", "1", *flags],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line.startswith("listening on "):
            self.process.wait()
            raise RuntimeError("fake_llm did not start")
        self.port = int(line.split()[-1])
        self.url = f"http://127.0.0.1:{self.port}/v1"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        """Ends the server; returns its exit status."""
        self.process.stdin.close()
        self.process.stdout.close()
        return self.process.wait()

    def _ask(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=300)
        try:
            connection.request(method, path, body=body)
            answer = connection.getresponse()
            text = answer.read().decode(errors="replace")
        finally:
            connection.close()
        value = json.loads(text)
        if answer.status != 200:
            raise ValueError(value["error"]["message"])
        return value

    def control(self, **settings):
        """Changes settings; raises ValueError, and changes none, if one is wrong."""
        self._ask("POST", "/control", json.dumps(_names(settings)))

    def stats(self):
        return self._ask("GET", "/stats")

    def last(self):
        """Path, headers (True for the value of one that may be secret) and body of the last request."""
        return self._ask("GET", "/last")

    def reset(self):
        """Zeroes the statistics, not the settings."""
        self._ask("POST", "/reset")
