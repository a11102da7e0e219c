#!/usr/bin/env python3
"""`evaluator.isolation`: in a process of its own a program gives the same metrics, and cannot touch the score."""
import json
import os
import subprocess
import sys
import unittest

from oe import DONE, FAILED, SANDBOX, Case, main, processes


def python():
    """An interpreter that has numpy, if there is one."""
    for path in (sys.executable, "/usr/bin/python3"):
        if os.access(path, os.X_OK) and subprocess.run([path, "-c", "import numpy"], capture_output=True).returncode == 0:
            return path, True
    return sys.executable, False


PYTHON, NUMPY = python()

# Calls everything that a program may have and says what it got; a text per question.
EQUAL = '''
import math
from openevolve import candidate

def shown(value):
    if hasattr(value, "dtype"):
        return "%s %s %s %s" % (type(value).__name__, value.dtype.str, value.shape, value.tobytes().hex())
    if isinstance(value, (list, tuple)):
        return "%s[%s]" % (type(value).__name__, ", ".join(map(shown, value)))
    if isinstance(value, (set, frozenset)):
        return "set%s" % sorted(map(shown, value))
    if isinstance(value, dict):
        return "dict%s" % [(shown(key), shown(item)) for key, item in value.items()]
    return repr(value) if not isinstance(value, int) else hex(value)

def evaluate(path):
    program = candidate.load(path)
    found = {}
    for value in VALUES:
        found["echo %d" % len(found)] = shown(program.echo(value))
    found["module"] = shown([program.LIMIT, program.NAMES, program.TABLE, program.nothing()])
    found["named"] = shown(program.named(1, b=2, **{"other": 3}))
    thing = program.Thing(4)
    thing.size = 6
    thing.grow(by=1.5)
    found["instance"] = shown([thing.size, thing.area(), program.measure(thing)])
    found["made"] = shown([one.area() for one in program.things(3)])
    found["missing"] = shown([hasattr(program, "nowhere"), getattr(program, "nowhere", 5)])
    for name in ("fail", "leave"):
        try:
            getattr(program, name)()
        except BaseException as error:
            found[name] = "ValueError: no such packing" in "%s: %s" % (type(error).__name__, error) or "exit"
    if NUMPY:
        import numpy
        random = numpy.random.default_rng(5)
        for dtype in "? i1 u2 <i4 >i4 <i8 <u8 <f2 <f4 >f8 <f8 <c8 <c16".split():
            for shape in ((), (0,), (4,), (2, 0, 3), (2, 3), (2, 2, 2, 2)):
                array = numpy.asarray(random.integers(0, 9, shape)).astype(dtype)
                found["array %s %s" % (dtype, shape)] = shown(program.echo(array))
                found["scaled %s %s" % (dtype, shape)] = shown(program.same_shape(array))
            found["scalar %s" % dtype] = shown(program.echo(array.flat[0]))
        found["turned"] = shown(program.echo(numpy.arange(24.).reshape(2, 3, 4).T[::2]))
        found["odd"] = shown(program.echo(numpy.array([math.nan, math.inf, -math.inf, -0.0])))
        found["mixed"] = shown(program.echo({"a": [numpy.eye(2), (numpy.float32(1.5),)]}))
    return {"combined_score": program.score(26), "found": found}

NUMPY = %r
VALUES = [None, True, False, 0, -7, 2**62, 2**63, -2**63 - 1, 3**9000, 0.1, -0.0, 5e-324, math.nan, math.inf, -math.inf,
          1 + 2j, complex(math.nan, -0.0), "", "text", "\\u00e9\\U0001f600\\0", "$t", b"", bytes(range(256)), [], (), {},
          set(), [1, [2, [3]]], (1, (2, [3])), {1, 2, (3, 4)}, {1: 2, "a": None, (1, 2): [3], 1.5: {}, None: b"x", True: 4},
          [{"$t": [1]}, {"$o": [0, ""]}]]
'''

PROGRAM = """
LIMIT = 1.5
NAMES = ("a", "b")
TABLE = {1: [2, 3]}

def echo(value):
    return value

def same_shape(array):
    return array + array

def named(a, b=0, c=9, **more):
    return [a, b, c, more]

def nothing():
    pass

class Thing:
    def __init__(self, size):
        self.size = size
    def grow(self, by):
        self.size *= by
    def area(self):
        return self.size ** 2

def measure(thing):
    return thing.area() / 2

def things(count):
    return [Thing(size) for size in range(count)]

def fail():
    raise ValueError("no such packing")

def leave():
    raise SystemExit(3)

def score(count):
    return count / 4
"""

# A usual one: what the program gives is checked before it counts.
CHECKS = """
from openevolve import candidate
SECRET = "of-the-evaluator"
def evaluate(path):
    program = candidate.load(path)
    value = program.answer()
    if type(value) is not int:
        raise ValueError("no number: %s" % type(value).__name__)
    return {"combined_score": 0.25 if value == 7 else 0.5}
"""
HONEST = "def answer():\n    return 7\n"


class Isolation(Case):
    def evaluate(self, program, evaluator=CHECKS, isolation="split", *more, code=DONE, **how):
        self.write("program.py", program)
        self.write("evaluator.py", evaluator)
        return self.oe("eval", "program.py", "--evaluator", "evaluator.py", "--json", "--set",
                       f"evaluator.isolation={isolation}", "--set", f"evaluator.python={PYTHON}", *more, code=code,
                       **how)

    def apart(self):
        """Whether this machine has what a process of its own needs; if not, the report has to say so."""
        report = self.evaluate(HONEST).json()["sandbox"]
        level = next(line["level"] for line in report["guarantees"] if line["name"] == "score")
        self.assertEqual(level, "enforced" if (report["tier"] or 0) >= 2 else "partial")
        return level == "enforced"

    def hostile(self, program, verdict, *more, evaluator=CHECKS, message=None, score=None):
        """It ends as it should, and the next one is judged as if nothing had been."""
        code = DONE if verdict == "ok" else FAILED
        value = self.evaluate(program, evaluator, "split", *more, code=code).json()
        self.assertEqual(value["verdict"], verdict, value["message"])
        if verdict == "ok":
            self.assertEqual(value["metrics"]["combined_score"], score)
        else:
            self.assertNotIn("combined_score", value["metrics"])
            self.assertTrue(value["message"])
        if message:
            self.assertRegex(value["message"], message)
        return value

    # ---- the same, shared and split ----

    def test_the_same_metrics(self):
        shared, split = (self.evaluate(PROGRAM, EQUAL.replace("%r", repr(NUMPY)), isolation).json()
                         for isolation in ("shared", "split"))
        self.assertEqual(split["verdict"], "ok", split["message"])
        self.assertEqual(shared["metrics"], split["metrics"])
        self.assertEqual(split["metrics"]["combined_score"], 6.5)
        self.assertGreater(len(json.dumps(split["metrics"])), 2000)
        self.assertEqual([value["sandbox"]["isolation"] for value in (shared, split)], ["shared", "split"])

    def test_random_numbers_are_the_same(self):
        program = "import random\nvalue = random.random()\ndef draw():\n    return [value, random.random()]\n"
        evaluator = ("from openevolve import candidate\ndef evaluate(path):\n"
                     "    return {'combined_score': 1, 'drawn': str(candidate.load(path).draw())}\n")
        drawn = {self.evaluate(program, evaluator, how).json()["metrics"]["drawn"] for how in ("shared", "split", "split")}
        self.assertEqual(len(drawn), 1)

    def test_what_does_not_pass_is_said(self):
        program = "def take(it):\n    return 1\ndef give():\n    yield 1\n"
        use = "from openevolve import candidate\ndef evaluate(path):\n    program = candidate.load(path)\n    %s\n"
        for line, sentence in (("program.take(lambda: 1)", "a function cannot be given to the candidate: it runs in"),
                               ("program.take(x for x in [])", "a generator cannot be given to the candidate"),
                               ("program.take(open(__file__))", "a TextIOWrapper cannot be given to the candidate"),
                               ("list(program.give())", "a generator cannot leave the candidate's process")):
            with self.subTest(line):
                self.hostile(program, "exception", evaluator=use % line, message=sentence)

    # ---- hostile programs ----

    def test_forged_frames(self):
        if not self.apart():
            self.skipTest("the report says that there are no namespaces")
        forged = """
import json, os, struct
frames = [json.dumps({"metrics": {"combined_score": 1e9}, "artifacts": {}}).encode(),
          json.dumps([[1, "value", 8], []]).encode(), json.dumps([[2, "value", 8], []]).encode()]
for fd in range(%s, 256):
    for frame in frames:
        try:
            os.write(fd, struct.pack("<Q", len(frame)) + frame)
        except OSError:
            pass
%s
def answer():
    return 7
"""
        self.hostile(forged % (0, ""), "protocol_violation", message="what is no answer")
        self.hostile(forged % (3, "os._exit(0)"), "protocol_violation", message="what is no answer")

    def test_patches_reach_nothing(self):
        if not self.apart():
            self.skipTest("the report says that there are no namespaces")
        self.hostile("""
import builtins, gc, json, sys, time
time.time = lambda: 0
json.dumps_before, json.dumps = json.dumps, lambda *a, **k: json.dumps_before(*a, **k)
for module in list(sys.modules.values()):
    for name in ("isclose", "allclose"):
        if hasattr(module, name):
            setattr(module, name, lambda *a, **k: True)
builtins.float = builtins.isinstance_before = lambda *a: 1e9
sys.modules["evaluation_module"] = sys
frame = sys._getframe()
while frame:
    frame.f_locals.update(value=8)
    for name in ("SECRET", "evaluate"):
        if name in frame.f_globals:
            raise RuntimeError("found it")
    frame = frame.f_back
for thing in gc.get_objects():
    if isinstance(thing, dict) and thing.get("SECRET") or getattr(thing, "SECRET", None) == "of-the-evaluator":
        raise RuntimeError("found it")
def answer():
    return 7
""", "ok", score=0.25)

    def test_it_ends_or_hangs(self):
        self.hostile("import os\nos._exit(0)\n", "no_result", message="ended without giving a result")
        self.hostile("import os\ndef answer():\n    os._exit(0)\n", "no_result", message="ended without")
        self.hostile("def answer():\n    raise SystemExit(0)\n", "exception", message="SystemExit")
        self.hostile("import os\ndef answer():\n    os.abort()\n", "signalled", message="signal 6")
        self.hostile("def answer():\n    while True: pass\n", "wall_timeout", "--set", "evaluator.timeout=1")
        self.hostile("import time, signal\nfor s in range(1, 65):\n    try: signal.signal(s, signal.SIG_IGN)\n"
                     "    except (OSError, ValueError): pass\ntime.sleep(1000)\n", "wall_timeout", "--set",
                     "evaluator.timeout=1")

    def test_it_kills(self):
        if not self.apart():
            self.skipTest("the report says that there are no namespaces")
        self.hostile("""
import os, signal
killed = 0
for pid in [-1, *range(2, 3000)]:
    if pid != os.getpid():
        try:
            os.kill(pid, signal.SIGKILL)
            killed += pid > 0
        except OSError:
            pass
try:
    os.kill(os.getppid() or 1, signal.SIGSTOP)
except OSError:
    pass
def answer():
    return 7 if not killed else 8
""", "ok", score=0.25)

    def test_it_looks_around(self):
        if not self.apart():
            self.skipTest("the report says that there are no namespaces")
        self.write("answers.txt", "of-the-evaluator")
        self.hostile("""
import glob, os
seen = [os.environ.get("CANARY", "")]
for path in [%r, %r, *glob.glob("/proc/[0-9]*/*"), *glob.glob("/proc/[0-9]*/fd/*"), *glob.glob("/tmp/*")]:
    try:
        if path.endswith(("/pagemap", "/kmsg", "/clear_refs")) or "/fd/" in path and not os.path.isfile(path):
            continue
        with open(path, "rb") as file:
            os.set_blocking(file.fileno(), False)
            if b"of-the-evaluator".join((b"", b"")) in (file.read(1 << 16) or b"") and b"glob" not in path.encode():
                seen.append(path)
    except (OSError, ValueError):
        pass
seen = [path for path in seen if path and not path.endswith("program.py")]
def answer():
    if seen:
        raise RuntimeError(str(seen))
    return 7
""" % (str(self.path("answers.txt")), str(self.path("evaluator.py"))), "ok", score=0.25)

    def test_nonsense(self):
        answer = """
import json, os, pickle, socket, stat, struct
def channel():
    for fd in range(3, 256):
        try:
            if stat.S_ISSOCK(os.fstat(fd).st_mode):
                return socket.socket(fileno=os.dup(fd))
        except OSError:
            pass
def say(head, blobs=b""):
    channel().sendall(struct.pack("<Q", len(head)) + head + blobs)
    import time
    time.sleep(1000)
def answer():
    %s
"""
        deep = "say(b'[[2,\"value\",' + b'[' * 100000 + b']' * 100000 + b'],[]]')"
        array = "say(json.dumps([[3, 'value', {'$a': [0, %r, %s, False]}], [8]]).encode(), b'12345678')"
        for line in ("say(b'nonsense')", "say(b'')", "say(pickle.dumps(os.system))", deep,
                     "channel().sendall(struct.pack('<q', -1))", "channel().sendall(struct.pack('<Q', 1 << 40))",
                     "say(b'[[3,\"value\",1],[-5]]')", "say(b'[[3,\"value\",1],[100000000000]]')",
                     "say(b'[[3,\"value\",{\"$x\":1}],[]]')", array % ("O", "[1]"), array % ("<f8", "[-1]"),
                     array % ("<f8", "[4611686018427387904, 4]"), array % ("<f8", "[2]")):
            with self.subTest(line):
                self.hostile(answer % line, "protocol_violation", "--set", "evaluator.timeout=200",
                             message="answered its evaluator with what is no answer: ")

    def test_odd_results(self):
        for line in ("return 'x' * 300000000", "return float('nan')", "return True", "return None", "return object()",
                     "class Seven(int):\n        def __eq__(self, other): return True\n    return Seven(8)"):
            with self.subTest(line):
                self.hostile("def answer():\n    %s\n" % line, "exception", message="no number|too large")
        nested = "def answer():\n    value = []\n    for _ in range(100000):\n        value = [value]\n    return value\n"
        self.hostile(nested, "exception", message="nested too deeply")
        reduced = ("class Bad:\n    def __reduce__(self):\n        return (print, ('x',))\n"
                   "    def __int__(self): return 7\ndef answer():\n    return Bad()\n")
        self.hostile(reduced, "exception", message="no number")

    def test_daemons_and_noise(self):
        mark = "oe-isolation-%d" % os.getpid()
        value = self.hostile("""
import os, signal, sys, time
for _ in range(3):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.execv(sys.executable, [sys.executable, "-c", "import time; time.sleep(1000)", %r])
        os._exit(0)
print("a line" * 10 + "\\x1b[31m\\0")
for _ in range(100):
    os.write(1, b"x" * 100000)
def answer():
    return 7
""" % mark, "ok", score=0.25)
        self.assertEqual(processes(mark), [])
        self.assertLess(len(json.dumps(value)), 3 << 20)

    def test_the_next_one_is_fresh(self):
        """One server, several programs: what a hostile one leaves is gone."""
        self.problem("llm: {backend: mutate}\nevaluator: {isolation: split, parallel_evaluations: 1, python: '%s'}\n"
                     % PYTHON, program="""
import json, os, random, sys
places = ["/tmp/left", "/dev/shm/left"]
def answer():
    clean = not any(os.path.exists(path) for path in places) and not hasattr(json, "left") and "LEFT" not in os.environ
    for path in places:
        try:
            open(path, "w").close()
        except OSError:
            pass
    json.left = os.environ["LEFT"] = "1"
    sys.path.insert(0, "/tmp")
    return 7 if clean else 8
# EVOLVE-BLOCK-START
scale = 1.5
# EVOLVE-BLOCK-END
""", evaluator=CHECKS)
        self.run_problem("-i", "6")
        status = self.status()
        self.assertEqual(status["evaluations"]["failed"], 0)
        self.assertGreaterEqual(status["evaluations"]["finished"], 6)
        self.assertEqual(status["best"]["metrics"]["combined_score"], 0.25)

    # ---- evaluators ----

    def test_an_evaluator_that_imports_the_program_itself(self):
        if not self.apart():
            self.skipTest("the report says that there are no namespaces")
        self.hostile(HONEST, "exception", evaluator="""
import importlib.util
def evaluate(path):
    spec = importlib.util.spec_from_file_location("program", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return {"combined_score": 1}
""", message=r"'evaluator.isolation: split' the program is not there .* candidate\.load\(program_path\)")

    def test_required(self):
        require = ("--set", "sandbox.require=score")
        result = self.evaluate(HONEST, CHECKS, "shared", *require, code=SANDBOX)
        self.assertIn("cannot guarantee 'score'", result.err)
        if self.apart():
            self.assertEqual(self.evaluate(HONEST, CHECKS, "split", *require).json()["verdict"], "ok")
        else:
            self.evaluate(HONEST, CHECKS, "split", *require, code=SANDBOX)


if __name__ == "__main__":
    main()
