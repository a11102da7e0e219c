#!/usr/bin/env python3
"""Each behaviour of the fake model server, seen from a client."""
import concurrent.futures
import hashlib
import http.client
import json
import pathlib
import re
import socket
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from fake_llm import FakeLLM  # noqa: E402

PATIENCE = 300  # seconds: what does not come by then hangs

BLOCK = re.compile(r"<<<<<<< SEARCH\n(.*?)\n=======\n(.*?)\n>>>>>>> REPLACE", re.S)
PROGRAM = """import math
# EVOLVE-BLOCK-START
def area(radius, count=26):
    total = 0.125 * radius
    for index in range(100):
        total += math.sin(index)
    return "x1 2.5" + total
# EVOLVE-BLOCK-END
LIMIT = 3.5
"""
OTHER = "LIMIT = 9.75\nscale = 1.5\n"


def prompt_of(code, language="python"):
    """A prompt shaped like the usual ones: other programs before, an example behind."""
    return (f"# Current Program Information\n- Fitness: 0.5\n\n## Best\n```{language}\n{OTHER}```\n\n"
            f"# Current Program\n```{language}\n{code}```\n\n# Task\nAnswer like this:\n"
            f"<<<<<<< SEARCH\nx = 1.5\n=======\nx = 2.5\n>>>>>>> REPLACE\n```\nscale = 7.5\n```\n")


def body_of(prompt, **more):
    return {"model": "tiny", "messages": [{"role": "system", "content": "Be brief."},
                                          {"role": "user", "content": prompt}], **more}


def apply(code, content):
    """Applies all blocks; each must find exactly one place."""
    blocks = BLOCK.findall(content)
    for search, replace in blocks:
        assert code.count(search) == 1, (search, code)
        code = code.replace(search, replace)
    return code, len(blocks)


class Client:
    """One kept connection."""

    def __init__(self, fake, timeout=PATIENCE):
        self.http = http.client.HTTPConnection("127.0.0.1", fake.port, timeout=timeout)

    def post(self, body, path="/v1/chat/completions", **headers):
        """Returns status, headers, and the body, from JSON if it is that."""
        text = body if isinstance(body, (str, bytes)) else json.dumps(body)
        self.http.request("POST", path, body=text,
                          headers={name.replace("_", "-"): value for name, value in headers.items()})
        answer = self.http.getresponse()
        text = answer.read()
        try:
            return answer.status, answer.headers, json.loads(text)
        except ValueError:
            return answer.status, answer.headers, text

    def choice(self, prompt=prompt_of(PROGRAM), **more):
        status, _, value = self.post(body_of(prompt, **more))
        assert status == 200, (status, value)
        return value["choices"][0]

    def content(self, prompt=prompt_of(PROGRAM), **more):
        return self.choice(prompt, **more)["message"]["content"]

    def close(self):
        self.http.close()


class Case(unittest.TestCase):
    def start(self, **settings):
        fake = FakeLLM(**settings)
        self.addCleanup(lambda: self.assertEqual(fake.stop(), 0))
        client = Client(fake)
        self.addCleanup(client.close)
        return fake, client


class Edits(Case):
    def test_diff_applies_and_no_two_agree(self):
        _, client = self.start()
        children = set()
        for _ in range(200):
            content = client.content()
            child, count = apply(PROGRAM, content)
            self.assertEqual(count, 1)
            self.assertIn("total = 0.1", child)
            self.assertTrue(child.startswith("import math") and child.endswith("LIMIT = 3.5\n"))
            children.add(child)
        self.assertEqual(len(children), 200)
        self.assertEqual(len(content), 1000)

    def test_a_line_of_descent_stays_small(self):
        _, client = self.start()
        for start in (PROGRAM, "def f():\n    return 7\n", "def f():\n    return None\n"):
            code, seen = start, set()
            for _ in range(50):
                code, count = apply(code, client.content(prompt_of(code)))
                self.assertGreater(count, 0)
                seen.add(code)
                compile(code, "child", "exec")
            self.assertEqual(len(seen), 50)
            self.assertLess(len(code), len(start) + 80)

    def test_blocks_rewrite_and_languages(self):
        fake, client = self.start(blocks=3)
        code = "a = 1.5\nb = 2.5\nc = 3.5\nd = 4.5\na = 1.5\n    a = 1.5\nif b: a = 1.5\n"
        for _ in range(10):
            child, count = apply(code, client.content(prompt_of(code)))
            self.assertEqual(count, 3)
        changed = [1 for new, old in zip(child.split("\n"), code.split("\n")) if new != old]
        self.assertEqual(len(changed), 3)
        code = "int f() { return 12; }\n"
        child, _ = apply(code, client.content(prompt_of(code, "cpp")))
        self.assertRegex(child, r"^// variant \d+\nint f\(\) { return 1[0134]; }\n$")
        fake.control(mode="rewrite", blocks=1)
        content = client.content()
        rewritten = re.search(r"```python\n(.*?)```", content, re.S).group(1)
        self.assertEqual(re.sub(r"0\.1\d+ \*", "0.125 *", rewritten), PROGRAM)
        self.assertNotEqual(rewritten, PROGRAM)

    def test_prompts_of_other_wording(self):
        fake, client = self.start()
        plain = PROGRAM.replace("EVOLVE-BLOCK", "block")
        for code, prompt in (
                (PROGRAM, f"Improve:\n```\n{OTHER}```\n```\n{PROGRAM}```\n```\n{OTHER * 30}```\n"),  # marked
                (plain, f"```py\nq = 1.5\n```\n```py\n{plain}"),  # the longest, and its fence is not closed
                (PROGRAM, f"<current_code>\n```\n{PROGRAM}```\nSay how the current code got better.\nSo:\n"
                          f"```\n{OTHER * 30}```\n# Best\n```\n{OTHER}```\n"),
                (PROGRAM, f"The CURRENT PROGRAM is\n\n````\n{PROGRAM}\n````\n```\n{OTHER * 30}```\n")):
            self.assertEqual(apply(code, client.content(prompt))[1], 1)
        crlf = PROGRAM.replace("\n", "\r\n")
        self.assertEqual(apply(PROGRAM, client.content(prompt_of(crlf)))[1], 1)
        prompt = prompt_of(PROGRAM)
        parts = [{"type": "text", "text": prompt[:90]}, {"type": "text", "text": prompt[90:]}]
        self.assertEqual(apply(PROGRAM, client.content(parts))[1], 1)
        text = "αβγ \U0001f9ec \"quoted\" back\\slash\ttab\x01"
        fake.control(mode="echo")
        self.assertEqual(client.content(text), text)
        self.assertEqual(fake.stats()["edits_missed"], 0)
        fake.control(mode="diff")
        self.assertEqual(BLOCK.findall(client.content("no program here")), [])
        self.assertEqual(fake.stats()["edits_missed"], 1)

    def test_seed_and_pure(self):
        _, one = self.start(seed=7)
        _, two = self.start(seed=7)
        first = [one.content() for _ in range(5)]
        self.assertEqual(first, [two.content() for _ in range(5)])
        _, pure = self.start(pure=1)
        self.assertEqual(pure.content(), pure.content())
        self.assertNotEqual(pure.content(), pure.content(prompt_of(PROGRAM) + " "))

    def test_journal(self):
        with tempfile.TemporaryDirectory() as directory:
            journal = pathlib.Path(directory) / "journal"
            with FakeLLM(journal=journal) as fake:
                client = Client(fake)
                for prompt in ("one", "two \"\u00e4\"\n", "one"):
                    client.post(body_of(prompt))
                client.post({"model": "m", "system": "Be brief.", "max_tokens": 5,
                             "messages": [{"role": "user", "content": "one"}]}, path="/v1/messages")
                client.post("no JSON")  # asks no model
            one, two = (hashlib.sha256(f"Be brief.\0{prompt}".encode()).hexdigest()
                        for prompt in ("one", "two \"\u00e4\"\n"))
            self.assertEqual(journal.read_text().split(), [one, two, one, one])

    def test_other_modes(self):
        fake, client = self.start(mode="none", answer_bytes=300)
        self.assertEqual(len(client.content()), 300)
        self.assertNotIn("<<<", client.content())
        fake.control(mode="garbage")
        garbage = client.content()
        self.assertIn("<<<<<<<", garbage)
        self.assertFalse([search for search, _ in BLOCK.findall(garbage) if search in PROGRAM])

    def test_script(self):
        fake, client = self.start()
        fake.control(script=["first", {"fault": "429", "latency": 5},
                             {"content": "third", "fault": "parts"}, {}])
        self.assertEqual(client.content(), "first")
        self.assertEqual(client.post(body_of(""))[0], 429)
        self.assertEqual("".join(part["text"] for part in client.content()), "third")
        self.assertEqual(apply(PROGRAM, client.content())[1], 1)
        self.assertEqual(apply(PROGRAM, client.content())[1], 1)
        fake.control(mode="script", script=["a", "b"])
        self.assertEqual([client.content() for _ in range(5)], ["a", "b", "a", "b", "a"])


class Faults(Case):
    def test_errors(self):
        fake, client = self.start(retry_after="0.25")
        for name in ("400", "401", "403", "404", "408", "429", "500", "502", "503", "529"):
            fake.control(script=[{"fault": name}] * 2)
            status, headers, value = client.post(body_of("x"))
            self.assertEqual(status, int(name))
            self.assertEqual(headers["Retry-After"], "0.25" if name in ("429", "503", "529") else None)
            if name != "502":
                self.assertIn("message", value["error"])
            status, _, value = client.post(body_of("x", max_tokens=1), "/v1/messages")
            self.assertEqual(status, int(name))
            if name != "502":
                self.assertEqual(value["type"], "error")
        self.assertEqual(fake.stats()["status"]["429"], 2)
        fake.control(**{"rate_401": 1})
        self.assertEqual([client.post(body_of("x"))[0] for _ in range(3)], [401] * 3)

    def test_contents(self):
        fake, client = self.start()

        def choice(fault):
            fake.control(script=[{"fault": fault}])
            return client.choice()

        self.assertEqual(choice("empty")["message"]["content"], "")
        self.assertIsNone(choice("null")["message"]["content"])
        self.assertIn("SEARCH", choice("null")["message"]["reasoning_content"])
        self.assertNotIn("SEARCH", choice("no-diff")["message"]["content"])
        self.assertEqual(choice("length")["finish_reason"], "length")
        self.assertTrue(choice("refusal")["message"]["refusal"])
        self.assertEqual(choice("filter")["finish_reason"], "content_filter")
        self.assertTrue(choice("think")["message"]["content"].startswith("<think>"))
        parts = choice("parts")["message"]["content"]
        self.assertEqual(apply(PROGRAM, "".join(part["text"] for part in parts))[1], 1)
        fake.control(script=[{"fault": "no-choices"}, {"fault": "bad-json"}, {"fault": "chunked"}])
        self.assertEqual(client.post(body_of("x"))[2]["choices"], [])
        self.assertIsInstance(client.post(body_of("x"))[2], bytes)
        self.assertEqual(apply(PROGRAM, client.content())[1], 1)

    def raw(self, fake, fault, timeout=PATIENCE):
        """Everything that comes back until the connection ends, or falls silent when all was said."""
        fake.control(script=[{"fault": fault}])
        quiet, text, body = False, b"", json.dumps(body_of(prompt_of(PROGRAM))).encode()
        with socket.create_connection(("127.0.0.1", fake.port), timeout=timeout) as link:
            link.sendall(b"POST /chat/completions HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            while True:
                try:
                    got = link.recv(65536)
                except socket.timeout:
                    if quiet:
                        return text, "silent"
                    # Once more after it has nothing left to say: then all of that is here.
                    quiet = fault == "hang" or fake.stats()["in_flight"] == 0
                    continue
                except ConnectionResetError:
                    return text, "reset"
                if not got:
                    return text, "closed"
                text += got

    def test_broken_connections(self):
        fake, _ = self.start(drip_bytes=200, drip_ms=2)
        self.assertEqual(self.raw(fake, "drop"), (b"", "closed"))
        self.assertEqual(self.raw(fake, "reset"), (b"", "reset"))
        self.assertEqual(self.raw(fake, "hang", 0.25), (b"", "silent"))
        sizes = {}
        for fault, end in (("cut", "closed"), ("long-length", "silent"),
                           ("short-length", "silent"), ("none", "silent")):
            text, how = self.raw(fake, fault, 0.25)
            self.assertEqual(how, end, fault)
            head, _, body = text.partition(b"\r\n\r\n")
            sizes[fault] = len(body) - int(re.search(rb"Content-Length: (\d+)", head).group(1))
        self.assertLess(sizes["cut"], -300)
        self.assertEqual(sizes["long-length"], -100)
        self.assertGreater(sizes["short-length"], 100)
        self.assertEqual(sizes["none"], 0)
        stats = fake.stats()
        self.assertEqual((stats["dropped"], stats["abandoned"], stats["answered"]), (3, 1, 3))
        self.assertEqual(stats["faults"]["hang"], 1)
        began = time.monotonic()
        self.assertGreater(len(self.raw(fake, "slow", 0.25)[0]), 1000)
        self.assertGreater(time.monotonic() - began, 0.25 + 5 * 0.002)

    def test_rates(self):
        fake, client = self.start(rate_429=0.3, rate_500=0.2, **{"rate_no-diff": 0.1}, answer_bytes=0)
        for _ in range(1000):
            client.post(body_of(prompt_of("x = 1.5\n")))
        stats = fake.stats()
        self.assertAlmostEqual(stats["status"]["429"], 300, delta=60)
        self.assertAlmostEqual(stats["status"]["500"], 200, delta=60)
        self.assertAlmostEqual(stats["faults"]["no-diff"], 100, delta=40)
        self.assertEqual(sum(stats["status"].values()), 1000)

    def test_refused_parameters_keys_and_bodies(self):
        fake, client = self.start(unsupported="max_tokens, temperature", strict=1)
        status, _, value = client.post(body_of("x", max_tokens=9))
        self.assertEqual((status, value["error"]["param"]), (400, "max_tokens"))
        self.assertIn("max_completion_tokens", value["error"]["message"])
        self.assertEqual(client.post(body_of("x", temperature=1))[2]["error"]["param"], "temperature")
        self.assertEqual(client.post(body_of("x", max_completion_tokens=9))[0], 200)
        for bad in ("{", "[]", "{}", '{"messages":[]', '{"messages":[{"role":"user","content":"a\nb"}]}'):
            self.assertEqual(client.post(bad)[0], 400, bad)
        self.assertEqual(client.post(body_of("x", stream=True))[0], 400)
        self.assertEqual(client.post(body_of("x"), "/v1/messages")[0], 400)
        fake.control(key="k1", unsupported="")
        azure = "/openai/deployments/d/chat/completions"
        for path, headers, expected in (
                ("/v1/chat/completions", {}, 401),
                ("/v1/chat/completions", {"Authorization": "Bearer k2"}, 401),
                ("/v1/chat/completions", {"Authorization": "Bearer k1"}, 200),
                ("/v1/messages", {"Authorization": "Bearer k1"}, 401),
                ("/v1/messages", {"x_api_key": "k1"}, 200),
                (azure + "?api-version=1", {"api_key": "k1"}, 200), (azure, {"api_key": "k1"}, 404)):
            status = client.post(body_of("x", max_tokens=1), path, **headers)[0]
            self.assertEqual(status, expected, (path, headers))


class Server(Case):
    def test_forms(self):
        fake, client = self.start()
        status, _, value = client.post(body_of(prompt_of(PROGRAM)), user_agent="me/1",
                                       Authorization="Bearer s3cret")
        self.assertEqual((status, value["object"], value["model"]), (200, "chat.completion", "tiny"))
        self.assertEqual(value["usage"]["total_tokens"],
                         value["usage"]["prompt_tokens"] + value["usage"]["completion_tokens"])
        last = fake.last()
        self.assertEqual(json.loads(last["body"]), body_of(prompt_of(PROGRAM)))
        self.assertEqual((last["path"], last["headers"]["user-agent"]), ("/v1/chat/completions", "me/1"))
        self.assertIs(last["headers"]["authorization"], True)
        self.assertNotIn("s3cret", json.dumps(last))
        _, _, value = client.post(body_of(prompt_of(PROGRAM), max_tokens=1), "/v1/messages")
        self.assertEqual((value["type"], value["stop_reason"]), ("message", "end_turn"))
        self.assertEqual(apply(PROGRAM, value["content"][0]["text"])[1], 1)
        client.http.request("GET", "/v1/models")
        self.assertEqual(json.loads(client.http.getresponse().read())["data"][0]["id"], "fake")
        self.assertEqual(client.post({}, "/nowhere")[0], 404)
        self.assertEqual(fake.stats()["paths"]["/v1/chat/completions"], 1)

    def test_pipelining_and_small_reads(self):
        fake, _ = self.start(latency=5, mode="echo")
        text = b""
        with socket.create_connection(("127.0.0.1", fake.port), timeout=PATIENCE) as link:
            link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for index in range(10):
                body = json.dumps(body_of(f"<{index}>")).encode()
                text += b"POST /chat/completions HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(body) + body
            for start in range(0, len(text), 97):
                link.sendall(text[start:start + 97])
            answer = b""
            while answer.count(b"finish_reason") < 10:
                answer += link.recv(65536)
        self.assertEqual(re.findall(rb"<(\d)>", answer), [b"%d" % index for index in range(10)])
        self.assertEqual(fake.stats()["connections_accepted"], 2)
        with socket.create_connection(("127.0.0.1", fake.port), timeout=PATIENCE) as link:
            link.sendall(b"POST /chat/completions HTTP/1.1\r\nExpect: 100-continue\r\n"
                         b"Content-Length: 3000000\r\n\r\n")
            self.assertEqual(link.recv(100), b"HTTP/1.1 100 Continue\r\n\r\n")
            body = json.dumps(body_of("x" * 4)).encode()
            link.sendall(body + b" " * (3000000 - len(body)))
            self.assertIn(b" 200 ", link.recv(65536))
        for bad in (b"nonsense\r\n\r\n", b"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n", b"a" * 70000,
                    b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
                    b"GET / HTTP/1.1\r\na: b\rc\r\n\r\n"):
            with socket.create_connection(("127.0.0.1", fake.port), timeout=PATIENCE) as link:
                link.sendall(bad)
                self.assertRegex(link.recv(65536), rb"^HTTP/1.1 4\d\d ")
        with socket.create_connection(("127.0.0.1", fake.port), timeout=PATIENCE) as link:
            link.sendall(text[:100])
        deadline = time.monotonic() + PATIENCE
        while fake.stats()["incomplete"] == 0 and time.monotonic() < deadline:
            time.sleep(0.001)  # it hears of the end of a connection when it looks
        stats = fake.stats()
        self.assertEqual((stats["malformed"], stats["incomplete"]), (5, 1))

    def test_closing(self):
        fake, client = self.start(close_after=2)
        before = fake.stats()["connections_accepted"]
        answers = [client.post(body_of("x"))[1]["Connection"] for _ in range(4)]
        self.assertEqual(answers, [None, "close", None, "close"])
        self.assertEqual(fake.stats()["connections_accepted"], before + 3)  # two, and that of stats()
        fake.control(close_after=0, idle_close=20)
        client.post(body_of("x"))
        client.http.sock.settimeout(PATIENCE)
        self.assertEqual(client.http.sock.recv(1), b"")

    def test_down(self):
        fake, client = self.start()
        client.post(body_of("x"))
        fake.control(down=1500)
        began = time.monotonic()
        refused = 0
        while True:
            try:
                fake.stats()
                break
            except ConnectionError:
                refused += 1
                time.sleep(0.01)
        self.assertGreater(time.monotonic() - began, 1)
        self.assertGreater(refused, 0)
        self.assertEqual(client.http.sock.recv(1), b"")

    def test_latency(self):
        fake, client = self.start(latency=20)
        for _ in range(5):
            client.post(body_of("x"))
        latency = fake.stats()["latency_ms"]
        self.assertEqual(latency["count"], 5)
        self.assertGreaterEqual(latency["min"], 20)
        self.assertLess(latency["mean"], 20000)
        self.assertTrue(latency["min"] <= latency["p50"] <= latency["p99"] <= latency["max"])
        fake.reset()
        fake.control(latency=300, latency_sigma=1)  # at once: it is drawn, whatever a busy machine adds
        with concurrent.futures.ThreadPoolExecutor(60) as pool:
            list(pool.map(lambda _: Client(fake).post(body_of("x")), range(60)))
        latency = fake.stats()["latency_ms"]
        self.assertGreater(latency["p99"], 1.5 * latency["p50"])
        self.assertTrue(100 < latency["p50"] < 3000)
        fake.control(rate_500=1, latency=1e7, latency_sigma=0)
        self.assertEqual(client.post(body_of("x"))[0], 500)  # an error is not late

    def test_release(self):
        fake, _ = self.start(latency=1e7)
        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            answers = [pool.submit(Client(fake).post, body_of("x")) for _ in range(3)]
            while fake.stats()["in_flight"] < 3:
                pass
            fake.control(release=1, latency=0)
            self.assertEqual([answer.result()[0] for answer in answers], [200, 200, 200])
        self.assertEqual(Client(fake).post(body_of("x"))[0], 200)

    def test_many_latencies(self):
        fake, _ = self.start()
        delays = [index * 37 % 61 * 3 + 20 for index in range(61)]
        fake.control(script=[{"content": "x", "latency": delay} for delay in delays])
        body = json.dumps(body_of("x")).encode()
        links = []
        for delay in delays:
            link = socket.create_connection(("127.0.0.1", fake.port), timeout=PATIENCE)
            link.sendall(b"POST /chat/completions HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            links.append((delay, time.monotonic(), link))
        time.sleep(0.001)
        late = []
        for delay, sent, link in sorted(links, key=lambda link: link[0]):
            self.assertIn(b" 200 OK", link.recv(65536))
            took = (time.monotonic() - sent) * 1000
            self.assertGreaterEqual(took, delay - 1)
            late.append(took - delay)
            link.close()
        self.assertLess(sorted(late)[30], 5000)

    def test_many_at_once(self):
        fake, _ = self.start(latency=3000)
        body = json.dumps(body_of(prompt_of(PROGRAM))).encode()
        request = b"POST /chat/completions HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(body) + body
        links = [socket.create_connection(("127.0.0.1", fake.port), timeout=PATIENCE) for _ in range(400)]
        for link in links:
            link.sendall(request)
        for link in links:
            self.assertIn(b" 200 OK", link.recv(65536))
            link.close()
        stats = fake.stats()
        self.assertEqual((stats["requests"], stats["answered"], stats["in_flight"]), (400, 400, 0))
        self.assertEqual(stats["in_flight_max"], 400)
        self.assertEqual(sum(stats["requests_per_second"]), 400)

    def test_control_is_all_or_nothing(self):
        fake, client = self.start(mode="none")
        for wrong in ({"mode": "diff", "nonsense": 1}, {"mode": "diff", "rate_429": 2}, {"mode": "off"},
                      {"mode": "diff", "script": [{"fault": "x"}]}, {"rate_429": 0.6, "rate_500": 0.6},
                      {"mode": "diff", "latency": None}):
            with self.assertRaises(ValueError):
                fake.control(**wrong)
        self.assertNotIn("SEARCH", client.content())
        self.assertEqual(fake.stats()["status"], {"200": 1})

    def test_ends_with_its_input(self):
        fake = FakeLLM()
        self.assertEqual(fake.stop(), 0)


if __name__ == "__main__":
    unittest.main()
