#!/usr/bin/env python3
"""The messages between an evaluator and a candidate that runs in another process: values come back as they
went, and nothing that a candidate may answer does more than raise a CandidateError."""
import importlib.util
import json
import math
import os
import pathlib
import random
import socket
import struct
import sys
import threading
import unittest

try:
    import numpy
except ImportError:
    numpy = None

ROOT = pathlib.Path(__file__).resolve().parents[3]
SEED = int(os.environ.get("OE_TEST_SEED", "1"))


def load():
    spec = importlib.util.spec_from_file_location("candidate", ROOT / "lib/evaluator/python/candidate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


candidate = load()
DTYPES = "? i1 u1 <i2 >i2 <u4 <i8 <u8 <f2 <f4 >f4 <f8 <c8 <c16".split()


def simple(rng):
    """A value that may be a key."""
    return rng.choice([
        lambda: None, lambda: rng.random() < 0.5, lambda: rng.randrange(-100, 100),
        lambda: rng.choice([2**63 - 1, 2**63, -2**63, -2**63 - 1, 7**9000, -(10**5000)]),
        lambda: rng.choice([0.0, -0.0, math.inf, -math.inf, 5e-324, 1e308, rng.random()]),
        lambda: complex(rng.random(), rng.choice([math.inf, -0.0, 1.5])),
        lambda: "".join(chr(rng.choice([0, 36, 65, 0xE9, 0xD800, 0x1F600])) for _ in range(rng.randrange(6))),
        lambda: rng.choice(["$t", "$i", "$o", ""]),
        lambda: rng.randbytes(rng.randrange(20)),
    ])()


def value(rng, depth=0):
    if depth > 4 or rng.random() < 0.4:
        return simple(rng)
    several = range(rng.randrange(5))
    return rng.choice([
        lambda: [value(rng, depth + 1) for _ in several],
        lambda: tuple(value(rng, depth + 1) for _ in several),
        lambda: {simple(rng) for _ in several},
        lambda: {(simple(rng), simple(rng)): value(rng, depth + 1) for _ in several},
        lambda: {simple(rng): value(rng, depth + 1) for _ in several},
    ])()


def wire(thing):
    """Through a socket's bytes and back."""
    blobs = []
    message = candidate.encode(thing, blobs, candidate.refuse)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        sender = threading.Thread(target=candidate.send, args=(ours, message, blobs))
        sender.start()
        message, blobs = candidate.receive(theirs)
        sender.join()
    return candidate.decode(message, blobs, None)


def same(a, b):
    """Equal, of the same types, with the same signs of zeros."""
    if type(a) is not type(b):
        return False
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return list(a) == list(b) and all(map(same, a.values(), b.values()))
    return repr(a) == repr(b) if isinstance(a, (float, complex)) else a == b


class Values(unittest.TestCase):
    def test_come_back_as_they_went(self):
        rng = random.Random(SEED)
        for _ in range(3000):
            thing = value(rng)
            if not same(wire(thing), thing):
                sys.set_int_max_str_digits(0)
                self.fail(repr(thing)[:2000])

    def test_nan(self):
        self.assertTrue(math.isnan(wire([math.nan])[0]))

    @unittest.skipUnless(numpy, "this interpreter has no numpy")
    def test_arrays(self):
        rng = numpy.random.default_rng(SEED)
        for dtype in DTYPES:
            for shape in ((), (0,), (3, 0, 2), (1,), (5,), (2, 3), (2, 1, 3, 2)):
                bits = rng.integers(0, 100, shape)
                array = numpy.asarray(bits).astype(dtype)
                back = wire(array)
                self.assertIs(type(back), numpy.ndarray)
                self.assertEqual((back.dtype, back.shape), (array.dtype, array.shape))
                self.assertEqual(back.tobytes(), array.tobytes())
                self.assertTrue(back.flags.writeable)
                if shape == ():
                    scalar = wire(array[()])
                    self.assertIs(type(scalar), type(array[()]))
        turned = numpy.arange(24.0).reshape(2, 3, 4).T[::2]
        self.assertTrue((wire(turned) == turned).all())

    def test_what_stays_on_its_side(self):
        for thing in (len, (x for x in ()), object(), lambda: 1, open, iter([]), json):
            with self.assertRaisesRegex(TypeError, "^a [a-z_]+ cannot be given to the candidate"):
                wire([thing])
        if numpy:
            with self.assertRaises(TypeError):
                wire(numpy.array([object()]))

    def test_too_deep(self):
        deep = []
        for _ in range(candidate.DEPTH_MAX + 5):
            deep = [deep]
        with self.assertRaisesRegex(TypeError, "too deeply"):
            wire(deep)
        just = 1
        for _ in range(candidate.DEPTH_MAX):
            just = {1: just}
        self.assertEqual(wire(just), just)


class Answers(unittest.TestCase):
    """What a hostile process sends instead of an answer."""

    def ask(self, data, channel=None):
        """The evaluator's side asks, and gets `data`."""
        ours, theirs = socket.socketpair()
        with ours, theirs:
            channel = candidate.Channel(ours.fileno())

            def answer():
                theirs.recv(1 << 16)
                try:
                    theirs.sendall(data)
                    theirs.shutdown(socket.SHUT_WR)
                except OSError:
                    pass  # it has heard enough

            other = threading.Thread(target=answer)
            other.start()
            try:
                return candidate.Proxy(channel, 0, "test")._ask("call", "", (), {})
            finally:
                channel.socket.close()
                theirs.shutdown(socket.SHUT_RDWR)
                other.join()

    def refused(self, data, pattern=""):
        with self.assertRaisesRegex(candidate.CandidateError, pattern):
            self.ask(data)

    @staticmethod
    def frame(message, blobs=(), sizes=None):
        head = message if isinstance(message, bytes) else json.dumps(
            [message, [len(blob) for blob in blobs] if sizes is None else sizes]).encode()
        return struct.pack("<Q", len(head)) + head + b"".join(blobs)

    def test_an_answer(self):
        self.assertEqual(self.ask(self.frame([1, "value", {"$t": [1, 2]}])), (1, 2))

    def test_values_that_are_none(self):
        eight = b"12345678"
        for inner in ({}, {"$t": [], "$s": []}, {"$x": 1}, {"a": 1}, {"$i": 5}, {"$i": "z"}, {"$i": None},
                      {"$f": 1}, {"$f": "x"}, {"$f": "0x1p99999"}, {"$c": ["0x1p0"]}, {"$c": "ab"}, {"$c": None},
                      {"$b": 1}, {"$b": -1}, {"$b": True}, {"$b": "0"}, {"$b": 1e300}, {"$t": 1}, {"$t": "ab"},
                      {"$t": {"$t": []}}, {"$s": [[1]]}, {"$s": [{"$d": []}]}, {"$d": [[[1], 2]]}, {"$d": [[1]]},
                      {"$d": [[1, 2, 3]]}, {"$d": {"a": 1}}, {"$d": ["ab"]}, {"$d": [7]}, {"$o": 1}, {"$o": [1]},
                      {"$o": ["a", "b"]}, {"$o": [1, 2]}, {"$o": [[], ""]}, {"$a": []}, {"$a": [0]}, {"$a": 7},
                      [[{"$x": 1}]]):
            with self.subTest(inner=inner):
                self.refused(self.frame([1, "value", inner], [eight]))

    @unittest.skipUnless(numpy, "this interpreter has no numpy")
    def test_arrays_that_are_none(self):
        for array in ([0, "O", [1], False], [0, "|O", [1], False], [0, "|V8", [1], False], [0, "<M8", [1], False],
                      [0, "<U2", [1], False], [0, "f8,f8", [1], False], [0, "(2,)f4", [1], False],
                      [0, "<f8\n", [1], False], [0, ["f8"], [1], False], [0, "<f7", [1], False], [0, "", [1], False],
                      [0, "<f99", [1], False], [0, "<f8", [2], False], [0, "<f8", [0], False], [0, "<f8", [-1], False],
                      [0, "<f8", [-1, -1], False], [0, "<f8", [True], False], [0, "<f8", [1.0], False],
                      [0, "<f8", [1] * 33, False], [0, "<f8", [2**62, 4], False], [0, "<f8", [2**64 + 1], False],
                      [0, "<f8", 1, False], [0, "<f8", "1", False], [0, "<f8", [], "yes"], [0, "<f8", []],
                      [1, "<f8", [1], False], [-1, "<f8", [1], False], [None, "<f8", [1], False],
                      [2, "<f8", [0, 2**70], False], [2, "<f8", [2**62, 2**62, 0], False]):
            with self.subTest(array=array):
                self.refused(self.frame([1, "value", {"$a": array}], [b"12345678"]))

    def test_messages_that_are_none(self):
        many = b'[[1,"value",' + b"[" * 200000 + b"]" * 200000 + b"],[]]"
        deep = {"$t": []}
        for _ in range(300):
            deep = {"$t": [deep]}
        import pickle

        for name, data in {
                "nothing": b"", "half a size": b"\1\0\0", "too large": struct.pack("<Q", 1 << 60),
                "cut": struct.pack("<Q", 100) + b"[1", "negative": struct.pack("<q", -1), "deep": self.frame(many),
                "deep values": self.frame([1, "value", deep]), "pickle": self.frame(pickle.dumps(os.system)),
                "no utf-8": self.frame(b"\xff\xfe\xfd"), "nan": self.frame(b'[[1,"value",NaN],[]]'),
                "digits": self.frame(b'[[1,"value",' + b"9" * 10000 + b"],[]]"), "empty": self.frame(b"[]"),
                "text": self.frame(b'"ab"'), "no list": self.frame(b"[5,[]]"), "no sizes": self.frame(b"[[1],null]"),
                "sizes": self.frame([1, "value", 1], sizes=[-1]), "true": self.frame([1, "value", 1], sizes=[True]),
                "sum": self.frame([1, "value", 1], sizes=[1 << 27] * 3), "dict": self.frame(b'[{"a":1},{"b":2}]'),
                "three": self.frame([1, "value", 1, 1]), "word": self.frame([1, "fine", 1]),
                "unhashable": self.frame([1, [], 1]), "raised": self.frame([1, "raised", 1]),
                "raised two": self.frame([1, "raised", ["a", "b"]]), "raised more": self.frame([1, "raised", "abc"]),
                "raised odd": self.frame([1, "raised", [[], {}, None]]), "number": self.frame([2, "value", 1]),
                "number true": self.frame([True, "value", 1])}.items():
            with self.subTest(name):
                self.refused(data)

    def test_random_bytes(self):
        rng = random.Random(SEED)
        good = self.frame([1, "value", {"$d": [[{"$b": 0}, {"$t": [1, {"$f": "0x1p0"}, {"$c": ["nan", "inf"]}]}],
                                               ["a", {"$s": [1, {"$i": "0xff"}, {"$o": [3, "x"]}]}]]}], [b"12345678"])
        words = [b'"$t"', b'"$a"', b'"$b"', b'"$o"', b'"O"', b"[", b"]", b"{}", b"-1", b"1e999", b"null", b'"', b"\0"]
        passed = 0
        for at in range(1500):
            data = bytearray(good[8:] if at % 3 else rng.randbytes(rng.randrange(60)))
            for _ in range(rng.randrange(1, 4)):
                place = rng.randrange(len(data) + 1)
                data[place:place + rng.randrange(4)] = rng.choice([rng.choice(words), rng.randbytes(1)])
            size = good[:8] if at % 2 else struct.pack("<Q", max(0, len(data) - 8))
            try:
                self.ask(size + bytes(data))
                passed += 1
            except candidate.CandidateError:
                pass
        self.assertLess(passed, 1500)

    def test_after_nonsense_there_is_nothing_more(self):
        ours, theirs = socket.socketpair()
        with ours, theirs:
            channel = candidate.Channel(ours.fileno())
            proxy = candidate.Proxy(channel, 0, "test")
            theirs.sendall(self.frame([1, "value", 1e9]))  # before it was asked
            with self.assertRaisesRegex(candidate.CandidateError, "before it was asked"):
                proxy()
            self.assertEqual(theirs.recv(100), b"", "it was asked all the same")
            with self.assertRaisesRegex(candidate.CandidateError, "has ended"):
                proxy()
            channel.socket.close()


class Service(unittest.TestCase):
    """Both sides, in two threads."""

    def setUp(self):
        ours, theirs = socket.socketpair()
        self.thread = threading.Thread(target=candidate.serve, args=(theirs,))
        self.thread.start()
        self.channel = candidate.Channel(ours.fileno())  # has a descriptor of its own
        ours.close()
        self.addCleanup(self.finish, theirs)
        import tempfile

        with tempfile.NamedTemporaryFile("w", suffix=".py") as program:
            program.write(PROGRAM)
            program.flush()
            self.program = candidate.Proxy(self.channel, 0, "loader")._ask("load", program.name, (), {})

    def finish(self, theirs):
        self.channel.close()
        self.thread.join()
        theirs.close()
        self.channel.socket.close()

    def test_use(self):
        program = self.program
        self.assertEqual(program.add(1, b=(2,)), (1, (2,)))
        self.assertEqual((program.LIMIT, len(program.items), program.items[1]), (7, 3, "b"))
        thing = program.Thing(4)
        thing.more = 2
        self.assertEqual((thing.value, thing.total(), program.total(thing)), (4, 6, 6))
        self.assertEqual(list(program.many), [0, 1, 2])
        self.assertFalse(hasattr(program, "nothing"))
        self.assertEqual(getattr(program, "nothing", 5), 5)
        self.assertEqual(repr(thing), "<candidate's Thing>")
        with self.assertRaises(KeyError):
            program.odd["x"]
        with self.assertRaisesRegex(candidate.CandidateError, "^ZeroDivisionError: (.|\n)*Traceback"):
            program.fail()
        with self.assertRaisesRegex(candidate.CandidateError, "generator cannot leave the candidate's process"):
            list(program.count())
        with self.assertRaisesRegex(TypeError, "a function cannot be given to the candidate"):
            program.add(lambda: 1, 2)
        self.assertEqual(program.add(1, 2), (1, 2), "an error is not the end")

    def test_threads(self):
        wrong = []

        def work(number):
            for at in range(50):
                if self.program.add(number, at) != (number, at):
                    wrong.append(number)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(wrong, [])

    def test_another_process(self):
        pid = os.fork()
        if pid == 0:
            try:
                self.program.add(1, 2)
            except candidate.CandidateError:
                os._exit(7)
            os._exit(0)
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 7)


PROGRAM = """
LIMIT = 7
class Items(list):
    pass
class Odd(dict):
    pass
items, many, odd = Items("abc"), Items(range(3)), Odd()
def add(a, b):
    return a, b
def count():
    yield 1
def fail():
    return 1 / 0
class Thing:
    def __init__(self, value):
        self.value = value
    def total(self):
        return self.value + self.more
def total(thing):
    return thing.total()
"""

if __name__ == "__main__":
    unittest.main()
