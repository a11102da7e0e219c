"""Programs that want a score they have not earned. All are called by an evaluator, which would give 0.5."""
import gc
import json
import os
import sys
import time

from act import Refused, act

HONEST = {"combined_score": 0.5}
FORGED = {"metrics": {"combined_score": 1e9}, "artifacts": {}}


def frame(value):
    text = json.dumps(value).encode()
    return len(text).to_bytes(8, "little") + text


def everywhere(data):
    """To whatever takes it."""
    for number in range(3, 256):
        try:
            os.write(number, data)
        except OSError:
            pass


# ---- 42 ----

@act
def print_score(world):
    for stream in (sys.stdout, sys.stderr):
        print(json.dumps({"combined_score": 1e9}), file=stream, flush=True)
        print(json.dumps(FORGED), file=stream, flush=True)
    return HONEST


@act
def read_output_of_evaluator(world):
    """What it prints is in a pipe, which whoever has its other end can open again, to read."""
    with open("/proc/self/fd/1", "rb", buffering=0, opener=lambda path, flags: os.open(path, flags | os.O_NONBLOCK)) as pipe:
        if b"own words" not in (pipe.read(65536) or b""):
            raise Refused


# ---- 43 ----

@act
def forge_and_leave(world):
    everywhere(frame(FORGED))
    os._exit(0)


@act
def forge_and_return(world):
    everywhere(frame(FORGED))
    return HONEST


@act
def forge_a_length(world):
    """There is no such frame, and no end of it."""
    everywhere((1 << 62).to_bytes(8, "little") + b"{")
    time.sleep(3600)


@act
def forge_rubbish(world):
    everywhere(b"\xff" * 64)
    os._exit(0)


# ---- 44 ----

@act
def patch_libraries(world):
    """Whoever writes the result down writes ours."""
    text = json.dumps(FORGED)
    json.dumps = lambda *_, **__: text
    json.JSONEncoder.encode = lambda *_, **__: text
    return HONEST


@act
def patch_caller(world):
    """The functions of whoever called us, by the frames of the stack."""
    look = sys._getframe()
    while look:
        for name, value in list(look.f_globals.items()):
            if name in ("result_of", "plain", "encode") and callable(value):
                look.f_globals[name] = (lambda *_, **__: json.dumps(FORGED).encode()) if name == "encode" \
                    else lambda *_, **__: FORGED
        look = look.f_back
    return HONEST


@act
def patch_objects(world):
    """The numbers themselves, wherever the collector knows a dictionary of them."""
    result = dict(HONEST)
    for found in gc.get_objects():
        if isinstance(found, dict) and isinstance(found.get("combined_score"), float):
            found["combined_score"] = 1e9
    return result


@act
def patch_clock(world):
    """An evaluator that measures time is lied to."""
    time.time = time.monotonic = time.perf_counter = lambda: 0.0
    return HONEST


# ---- 46: results ----

class Spinning:
    def __float__(self):
        while True:
            pass

    def __repr__(self):
        while True:
            pass

    __str__ = __repr__


class Raising:
    def __float__(self):
        raise RuntimeError("on purpose")

    __str__ = __repr__ = __float__


class Lying(dict):
    """Not the same twice."""

    def items(self):
        return [("combined_score", 1e9)] * 3

    def __getitem__(self, name):
        return float("inf")


class Number(float):
    """A float that says it is another."""

    def __repr__(self):
        return "1e999"

    __str__ = __repr__

    def __float__(self):
        return float("inf")


class Ordered(float):
    def __lt__(self, other):
        return False

    def __gt__(self, other):
        return True


def deep():
    value = []
    for _ in range(100000):
        value = [value]
    return value


def numpy_value(name):
    import numpy

    return {"float32": lambda: numpy.float32(0.25), "array": lambda: numpy.arange(8.0),
            "nan": lambda: numpy.float64("nan"), "bool": lambda: numpy.bool_(True)}[name]()


RESULTS = {
    "result_nan": lambda: {"combined_score": float("nan")},
    "result_inf": lambda: {"combined_score": float("inf")},
    "result_minus_inf": lambda: {"combined_score": float("-inf")},
    "result_minus_zero": lambda: {"combined_score": -0.0},
    "result_overflow": lambda: {"combined_score": 1e400},
    "result_huge_int": lambda: {"combined_score": 10 ** 5000},
    "result_float32": lambda: {"combined_score": numpy_value("float32")},
    "result_array": lambda: {"combined_score": numpy_value("array")},
    "result_numpy_nan": lambda: {"combined_score": numpy_value("nan")},
    "result_bool": lambda: {"combined_score": True},
    "result_str": lambda: {"combined_score": "1e9"},
    "result_none": lambda: None,
    "result_number": lambda: 1e9,
    "result_true": lambda: True,
    "result_list": lambda: [1e9],
    "result_empty": lambda: {},
    "result_deep": lambda: {"combined_score": 0.5, "deep": deep()},
    "result_large": lambda: {"combined_score": 0.5, "large": "x" * (100 << 20)},
    "result_many": lambda: {"combined_score": 0.5, **{f"m{i}": float(i) for i in range(1000000)}},
    "result_odd_keys": lambda: {"combined_score": 0.5, 1: 2.0, None: 3.0, (4, 5): 6.0, b"\xff": 7.0},
    "result_surrogates": lambda: {"combined_score": 0.5, "\ud800": "\udfff", "nul\0": "\0"},
    "result_spinning": lambda: {"combined_score": Spinning()},
    "result_raising": lambda: {"combined_score": Raising()},
    "result_lying": lambda: Lying(combined_score=0.5),
    "result_number_class": lambda: {"combined_score": Number(0.5)},
    "result_ordered": lambda: {"combined_score": Ordered(0.5)},
    "result_complex": lambda: {"combined_score": 1e9j},
    "result_cycle": lambda: (lambda value: value.setdefault("self", value) and value)({"combined_score": 0.5}),
    "result_generator": lambda: (value for value in [{"combined_score": 1e9}]),
    "result_exception": lambda: RuntimeError("returned, not raised"),
}


def as_act(name, make):
    def result(world):
        return make()

    result.__name__ = name
    act(result)


for name, make in RESULTS.items():
    as_act(name, make)


# ---- 47 ----

class Pickled:
    """Whoever unpickles it runs what it says."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, (f"echo pickle >>{self.path}/alive",)

    def __float__(self):
        return 0.5


@act
def pickle_result(world):
    return {"combined_score": Pickled(world["writable"])}


@act
def pickle_artifact(world):
    import pickle

    from openevolve.evaluation_result import EvaluationResult

    return EvaluationResult(HONEST, {"pickle": pickle.dumps(Pickled(world["writable"])),
                                     "object": Pickled(world["writable"])})


# ---- 12: artifacts ----

@act
def many_artifacts(world):
    from openevolve.evaluation_result import EvaluationResult

    return EvaluationResult(HONEST, {f"artifact {i}": "x" for i in range(100000)})


@act
def large_artifact(world):
    from openevolve.evaluation_result import EvaluationResult

    return EvaluationResult(HONEST, {"large": b"\0" * (200 << 20)})


@act
def odd_artifacts(world):
    from openevolve.evaluation_result import EvaluationResult

    return EvaluationResult(HONEST, {"../../etc/passwd": "x", "nul\0name": "x", "\ud800": "x", "": "x",
                                     "bytes": b"\xff\xfe\0", "path": "/etc/passwd", "number": 1,
                                     "escape\x1b[2J": "\x1b]0;title\x07"})


# ---- 57: when ----

@act
def result_held_by_child(world):
    """A grandchild keeps every descriptor open, for ever."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            while True:
                time.sleep(3600)
        os._exit(0)
    os.wait()
    return HONEST


@act
def result_then_threads(world):
    """Threads that are not done, when we are."""
    import threading

    threading.Thread(target=time.sleep, args=(3600,)).start()
    return HONEST


@act
def result_then_exit_functions(world):
    import atexit

    atexit.register(time.sleep, 3600)
    return HONEST


@act
def result_in_pieces(world):
    data = frame(FORGED)
    for i in range(len(data)):
        everywhere(data[i:i + 1])
        time.sleep(0.001)
    os._exit(0)


@act
def result_then_hang(world):
    everywhere(frame(FORGED))
    time.sleep(3600)


@act
def half_a_result(world):
    everywhere(frame(FORGED)[:20])
    os._exit(0)


@act
def honest(world):
    return HONEST
