#!/usr/bin/env python3
"""How models are reached: proxies, certificates, and what other providers' protocols look like on the wire."""
import http.client
import http.server
import json
import os
import pathlib
import shutil
import ssl
import subprocess
import threading
import unittest
import urllib.parse

from oe import MODELS, PATIENCE, Case, FakeLLM, main

EDIT = "<<<<<<< SEARCH\n    scale = 1.5\n=======\n    scale = 4.5\n>>>>>>> REPLACE\n"


class Server(http.server.ThreadingHTTPServer):
    """Keeps what it is asked; `answer` makes the response out of a request."""
    daemon_threads = True

    def __init__(self, answer, context=None):
        self.asked, self.answer = [], answer
        super().__init__(("127.0.0.1", 0), Handler)
        if context:
            self.socket = context.wrap_socket(self.socket, server_side=True)
        self.port = self.server_address[1]
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def handle_error(self, request, client_address):
        pass  # a client that does not like our certificate

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append({"path": self.path, "headers": dict(self.headers), "body": body})
        code, text = self.server.answer(self)
        data = text.encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


def openai(_):
    return 200, json.dumps({"choices": [{"message": {"content": EDIT}, "finish_reason": "stop"}],
                            "usage": {"prompt_tokens": 7, "completion_tokens": 3}})


def anthropic(_):
    return 200, json.dumps({"type": "message", "role": "assistant", "stop_reason": "end_turn",
                            "content": [{"type": "thinking", "thinking": "hm"},
                                        {"type": "text", "text": EDIT}],
                            "usage": {"input_tokens": 5, "cache_read_input_tokens": 2,
                                      "output_tokens": 3}})


class Proxies(Case):
    """The name of the model's host resolves nowhere, so only the proxy can bring an answer."""
    URL = "http://model.invalid:8000/v1"

    def setUp(self):
        super().setUp()
        self.problem("llm: {primary_model: tiny, retries: 0, give_up_after: 1}\n")

    def evolve(self, *words, **how):
        shutil.rmtree(self.path("out"), ignore_errors=True)
        return self.run_problem("-i", "3", "--api-base", self.URL, *words, **how)

    def forward(self, handler):
        """As proxies do: the whole URL is in the request's first line."""
        target = urllib.parse.urlsplit(handler.path)
        self.assertEqual((target.scheme, target.netloc), ("http", "model.invalid:8000"))
        connection = http.client.HTTPConnection("127.0.0.1", self.fake.port, timeout=PATIENCE)
        connection.request("POST", target.path, handler.server.asked[-1]["body"],
                           {"Content-Type": "application/json"})
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, text

    def test_proxies(self):
        with FakeLLM() as self.fake, Server(self.forward) as proxy:
            url = f"http://127.0.0.1:{proxy.port}"
            for words, env in ((("--set", f"llm.proxy={url}"), {}), ((), {"HTTP_PROXY": url}),
                               ((), {"http_proxy": url}), ((), {"ALL_PROXY": url})):
                self.fake.reset()
                self.evolve(*words, env=env)
                self.assertEqual(self.fake.stats()["requests"], 3, env)
            proxy.asked.clear()
            for words, env in (((), {}), ((), {"HTTPS_PROXY": url}),
                               (("--set", "llm.proxy="), {"HTTP_PROXY": url}),
                               ((), {"HTTP_PROXY": url, "NO_PROXY": "localhost,.invalid"}),
                               (("--set", "llm.no_proxy=model.invalid"), {"HTTP_PROXY": url})):
                self.evolve(*words, env=env, code=MODELS)
                self.assertEqual(proxy.asked, [], env)

    def test_a_password_in_a_proxy_is_hidden(self):
        out = self.oe("config", "show", "--set", "llm.proxy=http://me:secret@proxy:3128").out
        self.assertIn("proxy:3128", out)
        self.assertNotIn("secret", out)


@unittest.skipUnless(shutil.which("openssl"), "there is no openssl to make a certificate with")
class Certificates(Case):
    def setUp(self):
        super().setUp()
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                        "-nodes", "-days", "2", "-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1",
                        "-keyout", self.path("key.pem"), "-out", self.path("cert.pem")],
                       check=True, capture_output=True)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(self.path("cert.pem"), self.path("key.pem"))
        self.problem("llm: {primary_model: tiny, retries: 0, give_up_after: 1}\n")

    def test_certificates(self):
        with Server(openai, self.context) as server:
            url = f"https://127.0.0.1:{server.port}/v1"
            for n, (words, env) in enumerate(((("--set", f"llm.ca_file={self.path('cert.pem')}"), {}),
                                              ((), {"SSL_CERT_FILE": self.path("cert.pem")}))):
                self.oe("run", "initial_program.py", "evaluator.py", "-c", "config.yaml", "-o", f"out{n}",
                        "-i", "1", "--api-base", url, *words, env=env)
            asked = len(server.asked)
            result = self.run_problem("-i", "1", "--api-base", url, code=MODELS)
            self.assertIn("certificate", result.err.splitlines()[-1])
            self.assertEqual((asked, len(server.asked)), (2, 2))


class Protocols(Case):
    def ask(self, answer, config, **how):
        """One iteration; what the server was asked."""
        self.problem(config)
        shutil.rmtree(self.path("out"), ignore_errors=True)
        with Server(answer) as server:
            text = self.path("config.yaml").read_text().replace("URL", f"http://127.0.0.1:{server.port}")
            self.write("config.yaml", text)
            self.run_problem("-i", "1", **how)
            asked, = server.asked
        self.assertEqual(self.status()["best"]["metrics"]["scale"], 4.5)
        asked["headers"] = {name.lower(): value for name, value in asked["headers"].items()}
        asked["body"] = json.loads(asked["body"])
        return asked

    def test_anthropic(self):
        asked = self.ask(anthropic, "llm: {backend: anthropic, api_base: URL, primary_model: claude-x,"
                         " max_tokens: 100, temperature: 0.5}\nprompt: {system_message: Improve it.}\n",
                         env={"ANTHROPIC_API_KEY": "ant-key"})
        self.assertEqual(asked["path"], "/v1/messages")
        self.assertEqual(asked["headers"]["x-api-key"], "ant-key")
        self.assertEqual(asked["headers"]["anthropic-version"], "2023-06-01")
        self.assertNotIn("authorization", asked["headers"])
        body = asked["body"]
        self.assertEqual((body["model"], body["max_tokens"], body["temperature"]), ("claude-x", 100, 0.5))
        self.assertEqual([m["role"] for m in body["messages"]], ["user"])
        self.assertEqual(body["system"], "Improve it.")
        self.assertNotIn("top_p", body)
        usage = self.status()["llm"]
        self.assertEqual((usage["tokens_in"], usage["tokens_out"]), (7, 3))

    def test_azure(self):
        asked = self.ask(openai, "llm: {backend: azure, api_base: URL, primary_model: my deployment,"
                         " api_version: 2025-01-01-preview}\n", env={"AZURE_OPENAI_API_KEY": "az-key"})
        self.assertEqual(asked["path"], "/openai/deployments/my%20deployment/chat/completions"
                         "?api-version=2025-01-01-preview")
        self.assertEqual(asked["headers"]["api-key"], "az-key")
        self.assertNotIn("authorization", asked["headers"])

    def test_openai(self):
        asked = self.ask(openai, "llm: {api_base: URL/v1/, primary_model: m, random_seed: 3}\n",
                         env={"OPENAI_API_KEY": "sk-key", "OPENAI_ORG_ID": "org-1",
                              "OPENAI_PROJECT_ID": "proj-1"})
        self.assertEqual(asked["path"], "/v1/chat/completions")
        self.assertEqual([asked["headers"][name] for name in
                          ("authorization", "openai-organization", "openai-project")],
                         ["Bearer sk-key", "org-1", "proj-1"])
        self.assertEqual(set(asked["body"]), {"model", "messages", "temperature", "top_p", "max_tokens",
                                              "seed"})

    def test_reasoning_models(self):
        for name, reasons in (("o3-mini", True), ("vendor/gpt-5.1", True), ("GPT-OSS-20B", True),
                              ("o4", False), ("gpt-4o", False), ("o3", True)):
            asked = self.ask(openai, f"llm: {{api_base: URL, primary_model: {name},"
                             " reasoning_effort: low, max_tokens: 50}\n")
            body = asked["body"]
            self.assertEqual("max_completion_tokens" in body, reasons, body)
            self.assertEqual("max_tokens" in body, not reasons)
            self.assertEqual("temperature" in body or "top_p" in body, not reasons)
            self.assertEqual(body["reasoning_effort"], "low")


if __name__ == "__main__":
    main()
