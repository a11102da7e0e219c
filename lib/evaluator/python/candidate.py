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
import socket
import struct

FRAME_MAX = 1 << 28  # bytes of one message
DEPTH_MAX = 100


class CandidateError(RuntimeError):
    """What the candidate raised, or that it is gone."""


# ---- values: JSON, and the bytes of arrays behind it -------------------------------------------


def encode(value, blobs, keep, depth=0):
    """A value as JSON can say it; bytes go to `blobs`, and `keep` names what cannot be said."""
    if depth > DEPTH_MAX:
        raise TypeError("a value is nested too deeply")
    if value is None or isinstance(value, (bool, str)):
        return value
    if type(value) is int:
        return value if -(2**63) <= value < 2**63 else {"$i": str(value)}
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
    kind = getattr(getattr(value, "dtype", None), "kind", "")
    if kind and kind in "biufc" and hasattr(value, "tobytes"):
        blobs.append(value.tobytes())
        return {"$a": [len(blobs) - 1, value.dtype.str, list(value.shape), value.shape == ()
                       and type(value).__name__ != "ndarray"]}
    return keep(value)


def decode_array(blob, dtype, shape, scalar):
    import numpy

    kind = numpy.dtype(dtype)
    if kind.kind not in "biufc":
        raise CandidateError("an array of a kind that may not pass")
    array = numpy.frombuffer(blob, kind).reshape(shape).copy()
    return array[()] if scalar else array


def decode(value, blobs, proxy):
    if isinstance(value, list):
        return [decode(item, blobs, proxy) for item in value]
    if not isinstance(value, dict):
        return value
    (mark, inner), = value.items()
    if mark == "$i":
        return int(inner)
    if mark == "$f":
        return float.fromhex(inner)
    if mark == "$c":
        return complex(float.fromhex(inner[0]), float.fromhex(inner[1]))
    if mark == "$b":
        return blobs[inner]
    if mark == "$t":
        return tuple(decode(item, blobs, proxy) for item in inner)
    if mark == "$s":
        return {decode(item, blobs, proxy) for item in inner}
    if mark == "$d":
        return {decode(key, blobs, proxy): decode(item, blobs, proxy) for key, item in inner}
    if mark == "$a":
        return decode_array(blobs[inner[0]], *inner[1:])
    if mark == "$o":
        return proxy(*inner)
    raise CandidateError("a message that is none")


# ---- messages ----------------------------------------------------------------------------------


def send(channel, message, blobs):
    head = json.dumps([message, [len(blob) for blob in blobs]]).encode()
    if len(head) + sum(map(len, blobs)) > FRAME_MAX:
        raise CandidateError("a value is too large to pass between the evaluator and the candidate")
    channel.sendall(struct.pack("<Q", len(head)) + head + b"".join(blobs))


def read(channel, size):
    data = bytearray()
    while len(data) < size:
        part = channel.recv(min(size - len(data), 1 << 20))
        if not part:
            raise EOFError
        data += part
    return bytes(data)


def receive(channel):
    (size,) = struct.unpack("<Q", read(channel, 8))
    if size > FRAME_MAX:
        raise CandidateError("a message that is too large")
    message, sizes = json.loads(read(channel, size))
    if any(type(one) is not int or one < 0 for one in sizes) or sum(sizes) > FRAME_MAX:
        raise CandidateError("a message that is too large")
    return message, [read(channel, one) for one in sizes]


# ---- here: the evaluator -----------------------------------------------------------------------


def refuse(value):
    if isinstance(value, Proxy):
        return {"$o": [object.__getattribute__(value, "_number"), ""]}
    raise TypeError("a %s cannot be given to the candidate: it runs in another process"
                    % type(value).__name__)


class Proxy:
    """Something of the candidate's."""

    def __init__(self, channel, number, what):
        object.__setattr__(self, "_channel", channel)
        object.__setattr__(self, "_number", number)
        object.__setattr__(self, "_what", what)

    def _ask(self, order, name, arguments, named):
        channel, number = (object.__getattribute__(self, "_channel"),
                           object.__getattribute__(self, "_number"))
        blobs = []
        values = encode([list(arguments), dict(named)], blobs, refuse)
        try:
            send(channel, [order, number, name, values], blobs)
            (outcome, value), blobs = receive(channel)
        except (EOFError, OSError):
            raise CandidateError("the candidate's process has ended") from None
        except (ValueError, TypeError, KeyError, IndexError, struct.error) as error:
            raise CandidateError("the candidate's process answered nonsense: %s" % error) from None
        if outcome == "raised":
            if value[0] == "AttributeError" and order == "get":
                raise AttributeError(value[1])
            raise CandidateError("%s: %s\n%s" % tuple(str(part) for part in value))
        return decode(value, blobs, lambda number, what: Proxy(channel, number, what))

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

    def __len__(self):
        return object.__getattribute__(self, "_ask")("length", "", (), {})

    def __repr__(self):
        return "<candidate's %s>" % object.__getattribute__(self, "_what")


def load(path):
    """The program at `path`, as a module."""
    descriptor = os.environ.get("OE_CANDIDATE_FD")
    if descriptor is None:
        import importlib.util

        spec = importlib.util.spec_from_file_location("program", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module
    channel = socket.socket(fileno=os.dup(int(descriptor)))
    return Proxy(channel, 0, "loader")._ask("load", path, (), {})


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
        if order == "length":
            return len(thing)
        return thing(*arguments, **named)


def serve(channel):
    """Do what the evaluator asks for, until it is gone."""
    keeper = Keeper()
    while True:
        try:
            (order, number, name, values), blobs = receive(channel)
        except EOFError:
            return
        blobs_back = []
        try:
            arguments, named = decode(values, blobs, keeper.find)
            value = encode(keeper.obey(order, number, name, arguments, named), blobs_back, keeper.keep)
            answer = ["value", value]
        except BaseException as error:
            import traceback

            blobs_back = []
            answer = ["raised", [type(error).__name__, str(error)[:4000], traceback.format_exc()[-8000:]]]
        send(channel, answer, blobs_back)
