"""The program that is evaluated, for evaluators: `from openevolve import candidate`.

    program = candidate.load(program_path)
    radii = program.construct_packing(26)

With "evaluator.isolation: shared" this imports the program into this process. With "split" the program
runs in a process of its own, which sees neither the evaluator nor its result, and what stands here is a
proxy: functions, classes and objects are called over a socket. What goes through are numbers, texts,
bytes, lists, tuples, dicts, sets, None and numpy arrays of numbers; anything else stays on the other side
and is a proxy here. Nothing that comes back is executed.
"""

import json
import os
import re
import socket
import struct
import threading

FRAME_MAX = 1 << 28  # bytes of one message
DEPTH_MAX = 100
DIMENSIONS_MAX = 32
KIND = re.compile("[<>|=]?[biufc][0-9]{1,2}")  # of arrays: numbers, which hold no references


class CandidateError(RuntimeError):
    """What the candidate raised, or that it is gone."""


class TooLarge(CandidateError):
    """What the evaluator wants to give it does not pass."""


# ---- values: JSON, and the bytes of arrays behind it -------------------------------------------


def encode(value, blobs, keep, depth=0):
    """A value as JSON can say it; bytes go to `blobs`, and `keep` names what cannot be said."""
    if depth > DEPTH_MAX:
        raise TypeError("a value is nested too deeply")
    if value is None or isinstance(value, (bool, str)):
        return value
    if type(value) is int:
        return value if -(2**63) <= value < 2**63 else {"$i": hex(value)}
    if type(value) is float:
        return {"$f": value.hex()} if value - value != 0 else value
    if type(value) is complex:
        return {"$c": [value.real.hex(), value.imag.hex()]}
    if isinstance(value, (bytes, bytearray)):
        blobs.append(bytes(value))
        return {"$b": len(blobs) - 1}
    for kind, mark in ((list, None), (tuple, "$t"), (set, "$s"), (frozenset, "$s")):
        if type(value) is kind:
            items = [encode(item, blobs, keep, depth + 1) for item in value]
            return items if mark is None else {mark: items}
    if type(value) is dict:
        return {"$d": [[encode(key, blobs, keep, depth + 1), encode(item, blobs, keep, depth + 1)]
                       for key, item in value.items()]}
    kind = "" if type(value) is Proxy else getattr(getattr(value, "dtype", None), "kind", "")
    if isinstance(kind, str) and kind and kind in "biufc" and hasattr(value, "tobytes"):
        blobs.append(value.tobytes())
        return {"$a": [len(blobs) - 1, value.dtype.str, list(value.shape), value.shape == ()
                       and type(value).__name__ != "ndarray"]}
    return keep(value)


def number_of(text):
    return float.fromhex(expect(text, str))


def expect(value, kind):
    """What a message holds is what the other side wrote into it: nothing is taken for granted."""
    if type(value) is not kind:
        raise CandidateError("a message that is none: %s is expected" % kind.__name__)
    return value


def find_blob(blobs, index):
    if not 0 <= expect(index, int) < len(blobs):
        raise CandidateError("a message that names bytes which it does not have")
    return blobs[index]


def decode_array(blobs, index, name, shape, scalar):
    import math

    import numpy

    blob = find_blob(blobs, index)
    if not KIND.fullmatch(expect(name, str)):
        raise CandidateError("an array of a kind that may not pass")
    kind = numpy.dtype(name)
    if len(expect(shape, list)) > DIMENSIONS_MAX or any(expect(one, int) < 0 for one in shape):
        raise CandidateError("an array of a shape that cannot be")
    if math.prod(shape) * kind.itemsize != len(blob) or kind.hasobject:
        raise CandidateError("an array that is not as large as it says")
    array = numpy.frombuffer(blob, kind).reshape(shape).copy() if blob else numpy.empty(shape, kind)
    return array[()] if expect(scalar, bool) and shape == [] else array


def decode(value, blobs, proxy, depth=0):
    if depth > DEPTH_MAX + 1:
        raise CandidateError("a value that is nested too deeply")

    def each(items):
        return [decode(item, blobs, proxy, depth + 1) for item in expect(items, list)]

    if isinstance(value, list):
        return each(value)
    if not isinstance(value, dict):
        return value
    if len(value) != 1:
        raise CandidateError("a message that is none")
    (mark, inner), = value.items()
    if mark == "$i":
        return int(expect(inner, str), 16)
    if mark == "$f":
        return number_of(inner)
    if mark == "$c":
        real, imaginary = expect(inner, list)
        return complex(number_of(real), number_of(imaginary))
    if mark == "$b":
        return find_blob(blobs, inner)
    if mark == "$t":
        return tuple(each(inner))
    if mark == "$s":
        return set(each(inner))
    if mark == "$d":
        return dict(map(each, expect(inner, list)))
    if mark == "$a":
        return decode_array(blobs, *expect(inner, list))
    if mark == "$o":
        number, what = expect(inner, list)
        return proxy(expect(number, int), expect(what, str))
    raise CandidateError("a message that is none")


# ---- messages ----------------------------------------------------------------------------------


def send(channel, message, blobs):
    head = json.dumps([message, [len(blob) for blob in blobs]]).encode()
    if len(head) + sum(map(len, blobs)) > FRAME_MAX:
        raise TooLarge("a value is too large to pass between the evaluator and the candidate")
    channel.sendall(struct.pack("<Q", len(head)) + head + b"".join(blobs))


def read(channel, size):
    data = bytearray()
    while len(data) < size:
        part = channel.recv(min(size - len(data), 1 << 20))
        if not part:
            raise EOFError
        data += part
    return bytes(data)


def refuse_constant(name):
    raise CandidateError("a message that is none: %s is no JSON" % name)


def receive(channel):
    (size,) = struct.unpack("<Q", read(channel, 8))
    if size > FRAME_MAX:
        raise CandidateError("a message that is too large")
    message, sizes = json.loads(read(channel, size), parse_constant=refuse_constant)
    if any(expect(one, int) < 0 for one in expect(sizes, list)) or size + sum(sizes) > FRAME_MAX:
        raise CandidateError("a message that is too large")
    return message, [read(channel, one) for one in sizes]


# ---- here: the evaluator -----------------------------------------------------------------------


def refuse(value):
    if isinstance(value, Proxy):
        return {"$o": [object.__getattribute__(value, "_number"), ""]}
    raise TypeError("a %s cannot be given to the candidate: it runs in another process"
                    % type(value).__name__)


class Channel:
    """To the candidate's process: one question, one answer. After an answer that is none there are no more."""

    def __init__(self, descriptor):
        self.socket = socket.socket(fileno=os.dup(descriptor))
        self.lock = threading.Lock()  # evaluators may have threads
        self.owner = os.getpid()
        self.asked = 0
        self.ended = False
        self.lie = None  # what was wrong with an answer that was none

    def ask(self, order, number, name, arguments, named):
        if os.getpid() != self.owner:
            raise CandidateError("the candidate answers only the process that the evaluator began in")
        blobs = []
        values = encode([list(arguments), dict(named)], blobs, refuse)
        with self.lock:
            try:
                return self.exchange([order, number, name, values], blobs)
            except (EOFError, OSError):
                self.close()
                raise CandidateError("the candidate's process has ended") from None
            except TooLarge:
                raise
            except CandidateError as error:
                self.close()
                self.lie = str(error)
                raise
            except (ValueError, TypeError, ArithmeticError, LookupError, RecursionError, MemoryError,
                    struct.error) as error:
                self.close()
                self.lie = "the candidate's process answered nonsense: %s" % type(error).__name__
                raise CandidateError(self.lie) from None

    def exchange(self, message, blobs):
        if self.ended:
            raise EOFError
        self.expect_silence()
        self.asked += 1
        send(self.socket, [self.asked, *message], blobs)
        answer, blobs = receive(self.socket)
        asked, outcome, value = expect(answer, list)
        if expect(asked, int) != self.asked:
            raise CandidateError("the candidate's process answered what was not asked")
        if outcome == "raised":
            value = [expect(part, str) for part in expect(value, list)]
            if len(value) != 3:
                raise CandidateError("a message that is none")
        elif outcome == "value":
            value = decode(value, blobs, lambda number, what: Proxy(self, number, what))
        else:
            raise CandidateError("a message that is none")
        return outcome, value

    def expect_silence(self):
        """What is there before the question is no answer to it."""
        try:
            early = self.socket.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return
        if not early:
            raise EOFError
        raise CandidateError("the candidate's process answered before it was asked")

    def close(self):
        self.ended = True
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # the other side was faster


# What means something to the statement that met it: for, in, hasattr(), getattr() with a default.
PASSED_ON = {("get", "AttributeError"): AttributeError, ("item", "IndexError"): IndexError,
             ("item", "KeyError"): KeyError}


class Proxy:
    """Something of the candidate's."""

    def __init__(self, channel, number, what):
        object.__setattr__(self, "_channel", channel)
        object.__setattr__(self, "_number", number)
        object.__setattr__(self, "_what", what)

    def _ask(self, order, name, arguments, named):
        channel, number = (object.__getattribute__(self, "_channel"),
                           object.__getattribute__(self, "_number"))
        outcome, value = channel.ask(order, number, name, arguments, named)
        if outcome == "raised":
            kind = PASSED_ON.get((order, value[0]))
            raise kind(value[1]) if kind else CandidateError("%s: %s\n%s" % tuple(value))
        return value

    def __getattr__(self, name):
        if name.startswith("__") and name not in ("__name__", "__doc__", "__len__"):
            raise AttributeError(name)
        return object.__getattribute__(self, "_ask")("get", name, (), {})

    def __call__(self, *arguments, **named):
        return object.__getattribute__(self, "_ask")("call", "", arguments, named)

    def __setattr__(self, name, value):
        object.__getattribute__(self, "_ask")("set", name, (value,), {})

    def __getitem__(self, key):
        return object.__getattribute__(self, "_ask")("item", "", (key,), {})

    def __iter__(self):
        return iter(object.__getattribute__(self, "_ask")("list", "", (), {}))

    def __len__(self):
        return object.__getattribute__(self, "_ask")("length", "", (), {})

    def __repr__(self):
        return "<candidate's %.100s>" % object.__getattribute__(self, "_what")


channels = {}  # one, in fact: what is loaded twice is asked over the same


def load(path):
    """The program at `path`, as a module."""
    descriptor = os.environ.get("OE_CANDIDATE_FD")
    if descriptor is None:
        import importlib.util

        spec = importlib.util.spec_from_file_location("program", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module
    if descriptor not in channels:
        channels[descriptor] = Channel(int(descriptor))
    return Proxy(channels[descriptor], 0, "loader")._ask("load", os.fspath(path), (), {})


# ---- there: the candidate ----------------------------------------------------------------------


class Keeper:
    """What cannot be sent stays here, under a number."""

    def __init__(self):
        self.things = [None]

    def keep(self, thing):
        self.things.append(thing)
        return {"$o": [len(self.things) - 1, type(thing).__name__]}

    def find(self, number, _what=""):
        return self.things[number]

    def obey(self, order, number, name, arguments, named):
        thing = self.things[number]
        if order == "load":
            import importlib.util

            spec = importlib.util.spec_from_file_location("program", name)
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            return module
        if order == "get":
            return getattr(thing, name)
        if order == "set":
            return setattr(thing, name, arguments[0])
        if order == "item":
            return thing[arguments[0]]
        if order == "list":
            if not hasattr(thing, "__len__"):
                raise TypeError("a %s cannot leave the candidate's process: let it give a list"
                                % type(thing).__name__)
            return list(thing)
        if order == "length":
            return len(thing)
        return thing(*arguments, **named)


def serve(channel):
    """Do what the evaluator asks for, until it is gone."""
    keeper = Keeper()
    while True:
        try:
            (asked, order, number, name, values), blobs = receive(channel)
        except EOFError:
            return
        blobs_back = []
        try:
            arguments, named = decode(values, blobs, keeper.find)
            value = encode(keeper.obey(order, number, name, arguments, named), blobs_back, keeper.keep)
            answer = [asked, "value", value]
            send(channel, answer, blobs_back)
        except BaseException as error:
            import traceback

            send(channel, [asked, "raised", [type(error).__name__, str(error)[:4000],
                                             traceback.format_exc()[-8000:]]], [])
