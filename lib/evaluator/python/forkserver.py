"""The fork server: a warm Python that forks one child per evaluation.

Started with a SEQPACKET socket as descriptor 3 and, if evaluations are confined, a kit and a control group
as 4 and 5. It imports the third-party modules that the evaluator and its siblings name (found by reading
their syntax trees: nothing of theirs is run here), compiles the evaluator, and then waits in
lib/sandbox/confine/serve.c, which forks children, confines them and tells the host; what follows here is
what they do.

The child of an evaluation gets a job (a JSON text: "program", "function", "seed", ...), runs the
evaluator's function and writes one frame, eight bytes of length and JSON, to the result descriptor.
Deadlines are the host's: nothing here looks at a clock.
"""

import ast
import contextlib
import ctypes
import gc
import importlib
import importlib.machinery
import importlib.util
import json
import os
import random  # noqa: F401  every evaluation seeds it
import resource
import signal
import socket
import struct
import sys

CONTROL, KIT, GROUP = 3, 4, 5
PRELOADS = ("none", "libs", "evaluator")  # each does what the one before does


# ---- what to import in advance -----------------------------------------------------------------


def imported_names(path):
    """Top-level names that a source file imports."""
    try:
        with open(path, "rb") as source:
            tree = ast.parse(source.read())
    except (OSError, SyntaxError, ValueError, RecursionError):
        return set()
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names.add(node.module)
    return names


def preload(evaluator):
    """Import what the evaluator and the siblings it uses will want, but no file of its directory."""
    directory = os.path.dirname(evaluator)
    seen, todo = set(), [evaluator]
    while todo:
        path = todo.pop()
        for name in sorted(imported_names(path)):
            top = name.partition(".")[0]
            sibling = os.path.join(directory, top + ".py")
            if os.path.exists(sibling):
                if sibling not in seen:
                    seen.add(sibling)
                    todo.append(sibling)
            elif not os.path.isdir(os.path.join(directory, top)) and top != "openevolve":
                try:
                    importlib.import_module(name)
                except BaseException:  # the child will meet it, and say so
                    pass


def compiled(evaluator):
    """The evaluator as a code object, or None: then the child compiles it, and reports why not."""
    try:
        with open(evaluator, "rb") as source:
            return compile(source.read(), evaluator, "exec", dont_inherit=True)
    except BaseException:
        return None


# ---- in the child ------------------------------------------------------------------------------


def plain(value, depth=0):
    """A value as JSON can say it. Non-finite numbers are tagged; what nothing else fits is its text."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        return value if -(2**63) <= value < 2**63 else float(value)
    if isinstance(value, float):
        value = float(value)
        if value != value or value in (float("inf"), float("-inf")):
            return {"$f": "nan" if value != value else "inf" if value > 0 else "-inf"}
        return value
    if depth > 50:
        return repr(value)[:1000]
    if isinstance(value, (bytes, bytearray)):
        import base64

        return {"$b": base64.b64encode(bytes(value)).decode("ascii")}
    if isinstance(value, dict):
        return {str(key): plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item, depth + 1) for item in value]
    if hasattr(value, "item") and getattr(value, "size", 1) == 1:  # a numpy scalar
        return plain(value.item(), depth + 1)
    if hasattr(value, "tolist"):
        return plain(value.tolist(), depth + 1)
    if hasattr(value, "__float__"):  # Decimal, Fraction
        return plain(float(value), depth + 1)
    return str(value)


def result_of(value):
    """What evaluate() gave: a dict of metrics, or anything with metrics and artifacts."""
    if isinstance(value, dict):
        return {"metrics": plain(value), "artifacts": {}}
    metrics = getattr(value, "metrics", None)
    if isinstance(metrics, dict):
        artifacts = getattr(value, "artifacts", None) or {}
        return {"metrics": plain(metrics), "artifacts": plain(dict(artifacts))}
    return {"wrong_type": type(value).__name__}


FORKS = ("subprocess.py", "popen_fork.py", "popen_spawn_posix.py", "util.py", "threading.py", "thread.py")


def wanted_processes(error):
    """Was it refused a process or a thread? The kernel tells nobody but the one who asked."""
    import traceback

    for _ in range(10):  # an error may have been raised for want of another one
        frames = traceback.extract_tb(error.__traceback__)
        if frames and isinstance(error, BlockingIOError):
            if os.path.basename(frames[-1].filename) in FORKS or "fork" in (frames[-1].line or ""):
                return True
        if isinstance(error, RuntimeError) and str(error) == "can't start new thread":
            return True
        error = error.__cause__ or error.__context__
        if error is None:
            return False
    return False


def failure_of(error):
    import traceback

    text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    kind = "exit" if isinstance(error, SystemExit) else "exception"
    code = error.code if isinstance(error, SystemExit) else None
    return {
        "failure": kind,
        "type": type(error).__name__,
        "message": str(error),
        "traceback": text,
        "processes": wanted_processes(error),
        "code": code if isinstance(code, int) else 0 if code is None else 1,
    }


def load(evaluator, code):
    """The evaluator's module, under the name that OpenEvolve gives it."""
    loader = importlib.machinery.SourceFileLoader("evaluation_module", evaluator)
    spec = importlib.util.spec_from_file_location("evaluation_module", evaluator, loader=loader)
    module = importlib.util.module_from_spec(spec)
    sys.modules["evaluation_module"] = module
    if code is None:
        spec.loader.exec_module(module)
    else:
        exec(code, module.__dict__)
    return module


def seed_numpy(numpy, seed):
    numpy.random.seed(seed & 0xFFFFFFFF)


def seed_torch(torch, seed):
    torch.manual_seed(seed & 0x7FFFFFFFFFFFFFFF)


class SeedLater:
    """Seeds a library's generator when it is imported: the program may be the first to want it."""

    def __init__(self, name, seed_module, seed):
        self.name, self.seed_module, self.seed = name, seed_module, seed

    def find_spec(self, name, path=None, target=None):
        if name != self.name:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is not None and hasattr(spec.loader, "exec_module"):
            execute = spec.loader.exec_module

            def execute_and_seed(module):
                execute(module)
                self.seed_module(module, self.seed)

            spec.loader.exec_module = execute_and_seed
        return spec


def seed_all(seed):
    import random

    random.seed(seed)
    for name, seed_module in (("numpy", seed_numpy), ("torch", seed_torch)):
        if name in sys.modules:
            seed_module(sys.modules[name], seed)
        else:
            sys.meta_path.insert(0, SeedLater(name, seed_module, seed))


def check_keywords(module, keywords):
    """Whether evaluate() takes "evaluator.evaluator_args": said at once, not at each evaluation."""
    import inspect

    function = getattr(module, "evaluate", None)
    try:
        inspect.signature(function).bind("program", **keywords)
    except TypeError as error:
        raise TypeError("evaluate() does not take evaluator.evaluator_args: %s" % error) from None
    except ValueError:  # it has no signature to look at
        pass


def call(function, program, keywords):
    value = function(program, **keywords)
    if hasattr(value, "__await__"):
        import asyncio

        async def wait():
            return await value

        value = asyncio.run(wait())
    return value


def explained(error, job):
    """A program that runs apart is not there for the evaluator to open."""
    if not isinstance(error, FileNotFoundError) or "OE_CANDIDATE_FD" not in os.environ:
        return error
    if error.filename != job.get("program"):
        return error
    reason = RuntimeError("with 'evaluator.isolation: split' the program is not there for the evaluator; "
                          "from openevolve import candidate; candidate.load(program_path) reaches it")
    reason.__cause__ = error
    return reason


def run(evaluator, code, module, job, raised):
    """One evaluation: the frame's contents. What it raised is appended to `raised`."""
    try:
        seed_all(job["seed"])
        if module is None:
            module = load(evaluator, code)
        keywords = job.get("keywords", {})
        if "probe" in job and keywords:
            check_keywords(module, keywords)
        if "probe" in job:
            names = ("evaluate", "evaluate_stage1", "evaluate_stage2", "evaluate_stage3")
            return {"functions": [name for name in names if callable(getattr(module, name, None))]}
        function = getattr(module, job["function"], None)
        if not callable(function):
            return {"missing": job["function"]}
        return result_of(call(function, job["program"], keywords if job["function"] == "evaluate" else {}))
    except BaseException as error:
        raised.append(error)
        return failure_of(explained(error, job))


def encode(frame):
    try:
        return json.dumps(frame, allow_nan=False).encode("ascii")
    except BaseException as error:  # an object whose methods lie, a text that is none
        return json.dumps(failure_of(error), allow_nan=False).encode("ascii")


def usage():
    own, waited = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    seconds = own.ru_utime + own.ru_stime + waited.ru_utime + waited.ru_stime
    return {"cpu_ms": seconds * 1000.0, "memory": max(own.ru_maxrss, waited.ru_maxrss) * 1024}


def write_all(descriptor, data):
    while data:
        data = data[os.write(descriptor, data) :]


# ---- children ----------------------------------------------------------------------------------


class Child(ctypes.Structure):
    """What serve.c says about the child that it comes back in."""

    _fields_ = [
        ("is_candidate", ctypes.c_int32),
        ("orders", ctypes.c_int32),
        ("result", ctypes.c_int32),
        ("output", ctypes.c_int32),
        ("channel", ctypes.c_int32),
        ("candidate", ctypes.c_int32),
        ("init", ctypes.c_int32),
        ("hold", ctypes.c_int32),
        ("job", ctypes.c_void_p),
        ("job_size", ctypes.c_size_t),
    ]


def start_candidate(child, job):
    """Tell it where its output goes and where its files, and the evaluator where it is."""
    scratch = job["scratch"]
    if scratch != "/tmp":  # which each of them has one of; else it is a directory of the evaluator's own
        scratch = os.path.join(scratch, "candidate")
        os.mkdir(scratch)
        os.chmod(scratch, 0o777)
    channel = socket.socket(fileno=os.dup(child.channel))
    path = os.fsencode(scratch)
    head = START.pack(job["seed"], job["home"], len(path))
    socket.send_fds(channel, [head + path], [child.output])
    channel.close()
    os.close(child.output)
    os.environ["OE_CANDIDATE_FD"] = str(child.channel)


START = struct.Struct("<Q?H")  # of a candidate: its seed, whether it has a home, and the length of a path
LEFT_SECONDS = 1  # from the end of its socket to the end of a process, on a machine that is busy


def end_of_candidate(child):
    """How it ended, as waitpid() says it, if it did so by itself: None if it still runs."""
    import select

    left = select.poll()
    process = os.pidfd_open(child.candidate)
    left.register(process, select.POLLIN)
    ended = left.poll(LEFT_SECONDS * 1000)
    os.close(process)
    return os.waitpid(child.candidate, 0)[1] if ended else None


def end_candidate(child):
    """Its processes end before this one does, so that what they took is counted."""
    socket.socket(fileno=child.channel).shutdown(socket.SHUT_RDWR)
    if child.hold >= 0:
        os.write(child.hold, b"x")
    for pid in (child.candidate, child.init):
        if pid > 0:
            with contextlib.suppress(ChildProcessError):  # waited for already
                os.waitpid(pid, 0)


def judged(frame, error, child):
    """What a candidate that runs apart did is its own, whatever the evaluator made of it: an answer that is
    none is no result, and if it has ended, that is how."""
    shim = sys.modules.get("openevolve.candidate")
    for channel in shim.channels.values() if shim else ():
        if channel.lie is not None:
            return {"violation": channel.lie}
        if channel.ended and isinstance(error, shim.CandidateError):
            status = end_of_candidate(child)
            return frame if status is None else {"candidate": status}
    return frame


def warm_up():
    """What every evaluation does, done once for nothing while there is no job yet: the memory that it
    writes to is this process's own by then, and need not be copied when time is measured."""
    seed_all(json.loads('{"seed": 1, "function": "evaluate", "program": ""}')["seed"])
    spec = importlib.util.spec_from_file_location("nothing", "/nothing.py")
    module = importlib.util.module_from_spec(spec)
    exec(compile("import math\n\n\ndef value(x):\n    return math.sqrt(x)\n", "", "exec"), module.__dict__)
    frame = result_of({"combined_score": float(module.value(2.0))})
    frame["usage"] = usage()
    encode(frame)


def evaluation(evaluator, code, module, child):
    job = json.loads(ctypes.string_at(child.job, child.job_size))
    apart = child.channel >= 0
    if apart:
        start_candidate(child, job)
    os.chdir(job["directory"])
    os.environ["TMPDIR"] = job["scratch"]
    if job["home"]:
        os.environ["HOME"] = job["scratch"]
    pid = os.getpid()
    raised = []
    frame = run(evaluator, code, module, job, raised)
    if apart and os.getpid() == pid:
        frame = judged(frame, raised[0] if raised else None, child)
    frame["usage"] = usage()
    frame = encode(frame)
    if os.getpid() != pid:  # a fork that the evaluator let escape: it has nothing to say
        os._exit(1)
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:
        pass
    if apart:
        end_candidate(child)
    write_all(child.result, len(frame).to_bytes(8, "little") + frame)


def candidate(child):
    """The process of the program: waits for the start, then does what the evaluator asks for."""
    from openevolve import candidate as shim

    channel = socket.socket(fileno=child.channel)
    head, descriptors, _, _ = socket.recv_fds(channel, START.size, 1, socket.MSG_WAITALL)
    if len(head) < START.size:
        return
    seed, home, size = START.unpack(head)
    scratch = os.fsdecode(channel.recv(size, socket.MSG_WAITALL))
    os.dup2(descriptors[0], 1)
    os.dup2(descriptors[0], 2)
    os.close(descriptors[0])
    seed_all(seed)
    os.environ["TMPDIR"] = scratch
    if home:
        os.environ["HOME"] = scratch
    os.chdir(scratch)
    shim.serve(channel)


# ---- the server --------------------------------------------------------------------------------


def thread_count():
    try:
        return len(os.listdir("/proc/self/task"))
    except OSError:
        return 1


def descriptors_open():
    return set(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else set()


def start_again(words, mode):
    """What was imported began something that a fork does not take along: without it, then."""
    lower = PRELOADS[PRELOADS.index(mode) - 1]
    words = [lower if at == len(words) - 4 else word for at, word in enumerate(words)]
    os.execv(sys.executable, [sys.executable] + words[1:])


def main():
    evaluator, mode, library, confined, hidden = sys.argv[1:6]
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.path[0] = os.path.dirname(evaluator)
    words, sys.argv = getattr(sys, "orig_argv", None), [evaluator]
    sys.dont_write_bytecode = True
    code, module = compiled(evaluator), None
    before = descriptors_open()
    if mode != "none":
        preload(evaluator)
    if mode == "evaluator":
        module = load(evaluator, code)
    if words and mode != "none" and (thread_count() > 1 or (module and descriptors_open() != before)):
        start_again(words, mode)
    # With the interpreter's lock held all the time: this process has one thread.
    serve = ctypes.PyDLL(library)
    if confined and serve.oe_warm_open(KIT, GROUP) < 0:
        sys.exit("the confinement of evaluations cannot be read")
    gc.collect()
    gc.freeze()
    child = Child()
    ctypes.pythonapi.PyOS_BeforeFork()
    end = serve.oe_serve(CONTROL, PRELOADS.index(mode), hidden.encode(), ctypes.byref(child))
    if end <= 0:
        ctypes.pythonapi.PyOS_AfterFork_Parent()
        sys.exit("the host is gone, or evaluations end before they begin")
    ctypes.pythonapi.PyOS_AfterFork_Child()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if child.is_candidate:
        candidate(child)
    else:
        warm_up()
        serve.oe_take(ctypes.byref(child))
        evaluation(evaluator, code, module, child)
    os._exit(0)


main()
