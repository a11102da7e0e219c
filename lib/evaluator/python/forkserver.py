"""The fork server: a warm Python that forks one child per evaluation.

Started with a SEQPACKET socket as descriptor 3 and, if evaluations are confined, a kit and a control group
as 4 and 5 (see lib/sandbox/confine/warm.c). It imports the third-party modules that the evaluator and its
siblings name (found by reading their syntax trees: nothing of theirs is run here), compiles the evaluator,
and keeps a child forked in advance, confined already, so that a job finds a process that is ready.

    server -> host   {"ready": true, ...}    once
                     {"spare": number}       with [the socket that its job is to be sent to, a descriptor of
                                             the first process of its namespace, if it has one]
                     {"exited": status, "spare": number, "cpu_ms": ..., "memory": ..., "strays": ...}
    host -> server   {"given": number}       the spare has its job
                     {"next": true}          nothing is left of the evaluation: fork the next spare (where
                                             evaluations have no process namespace; else that is known here)
    host -> spare    {"program", "function", "seed", ...}   with [result, output] descriptors

The child runs the evaluator's function and writes one frame, eight bytes of length and JSON, to the
result descriptor. Deadlines are the host's: nothing here looks at a clock.
"""

import ast
import gc
import importlib
import importlib.machinery
import importlib.util
import json
import os
import resource  # noqa: F401  os.wait4() wants it
import select
import signal
import socket
import sys

CONTROL, KIT, GROUP = 3, 4, 5
MESSAGE_MAX = 1 << 18
LIBRARY = "/.oe/confine.so"


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


def seed_all(seed):
    import random

    random.seed(seed)
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        numpy.random.seed(seed & 0xFFFFFFFF)
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.manual_seed(seed & 0x7FFFFFFFFFFFFFFF)


def call(function, program):
    value = function(program)
    if hasattr(value, "__await__"):
        import asyncio

        async def wait():
            return await value

        value = asyncio.run(wait())
    return value


def run(evaluator, code, module, job):
    """One evaluation: the frame's contents."""
    try:
        seed_all(job["seed"])
        if module is None:
            module = load(evaluator, code)
        if "probe" in job:
            names = ("evaluate", "evaluate_stage1", "evaluate_stage2", "evaluate_stage3")
            return {"functions": [name for name in names if callable(getattr(module, name, None))]}
        function = getattr(module, job["function"], None)
        if not callable(function):
            return {"missing": job["function"]}
        return result_of(call(function, job["program"]))
    except BaseException as error:
        return failure_of(error)


def encode(frame):
    try:
        return json.dumps(frame, allow_nan=False).encode("ascii")
    except BaseException as error:  # an object whose methods lie, a text that is none
        return json.dumps(failure_of(error), allow_nan=False).encode("ascii")


def write_all(descriptor, data):
    while data:
        data = data[os.write(descriptor, data) :]


def receive_job(orders):
    message, descriptors, _, _ = socket.recv_fds(orders, MESSAGE_MAX, 2)
    if not message:
        os._exit(0)
    job = json.loads(message)
    result, output = descriptors
    os.set_inheritable(result, False)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(output)
    os.close(orders.detach())
    return job, result


def child(evaluator, code, module, orders, candidate):
    """The spare: waits for its job, does it, and is gone."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    job, result = receive_job(orders)
    if candidate:
        candidate.begin(job["seed"])
    os.chdir(job["directory"])
    os.environ["TMPDIR"] = job["scratch"]
    if job["home"]:
        os.environ["HOME"] = job["scratch"]
    pid = os.getpid()
    frame = encode(run(evaluator, code, module, job))
    if os.getpid() != pid:  # a fork that the evaluator let escape: it has nothing to say
        os._exit(1)
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:
        pass
    if candidate:
        candidate.end()
    write_all(result, len(frame).to_bytes(8, "little") + frame)
    os._exit(0)


# ---- confinement -------------------------------------------------------------------------------


class Open:
    """Evaluations are not confined: the host finds and kills what they leave."""

    apart = False

    def __init__(self):
        import ctypes

        self.prctl = ctypes.CDLL(None, use_errno=True).prctl

    def begin(self):
        return -1, -1

    def end(self):
        pass

    def die_with_parent(self):
        self.prctl(1, signal.SIGKILL, 0, 0, 0)

    def enter(self):
        """In the child. The candidate, if it is to be a process of its own."""
        self.die_with_parent()


class Confined(Open):
    """What oe-confine.so does, with errors as exceptions."""

    def __init__(self, library, hidden):
        import ctypes

        super().__init__()
        self.hidden = hidden  # the directory of the program, if the evaluator is not to see it
        self.library = ctypes.CDLL(library)
        self.init, self.hold = ctypes.c_int(-1), ctypes.c_int(-1)
        self.places = ctypes.byref(self.init), ctypes.byref(self.hold)
        self.call(self.library.oe_warm_open, KIT, GROUP)
        self.apart = self.library.oe_warm_tier() >= 2

    def call(self, function, *arguments):
        status = function(*arguments)
        if status < 0:
            raise OSError(-status, "%s (step %d)" % (os.strerror(-status), self.library.oe_warm_step()))

    def begin(self):
        self.call(self.library.oe_warm_begin, *self.places)
        return self.init.value, self.hold.value

    def end(self):
        self.call(self.library.oe_warm_end)

    def enter(self):
        self.die_with_parent()
        self.call(self.library.oe_warm_separate)
        candidate = Candidate(self) if self.hidden else None
        if candidate:
            self.call(self.library.oe_warm_hide, self.hidden.encode())
        self.call(self.library.oe_warm_confine)
        return candidate


class Candidate:
    """The process of the program, below that of the evaluator: in a process namespace of its own, without
    the evaluator's files. It is there before either has run anything of anybody's."""

    def __init__(self, confinement):
        self.channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        confinement.call(confinement.library.oe_warm_nest)
        self.init, self.hold = confinement.begin()
        self.pid = os.fork()
        if self.pid == 0:
            self.channel.close()
            confinement.die_with_parent()
            confinement.call(confinement.library.oe_warm_separate_candidate)
            confinement.call(confinement.library.oe_warm_confine)
            keep_only(theirs.fileno())
            theirs.send(b"r")
            self.run(theirs)
            os._exit(0)
        confinement.end()
        theirs.close()
        if not self.channel.recv(1):  # it has its own files by then: what is hidden later stays there
            raise OSError("the candidate's process does not start")

    @staticmethod
    def run(channel):
        """Wait for the start, which brings where output goes; then do what the evaluator asks for."""
        from openevolve import candidate

        signal.signal(signal.SIGINT, signal.default_int_handler)
        message, descriptors, _, _ = socket.recv_fds(channel, 8, 1)
        if not message:
            return
        os.dup2(descriptors[0], 1)
        os.dup2(descriptors[0], 2)
        os.close(descriptors[0])
        seed_all(int.from_bytes(message, "little"))
        os.chdir("/tmp" if os.access("/tmp", os.W_OK) else "/")
        candidate.serve(channel)

    def begin(self, seed):
        socket.send_fds(self.channel, [seed.to_bytes(8, "little")], [1])
        os.environ["OE_CANDIDATE_FD"] = str(self.channel.fileno())

    def end(self):
        self.channel.shutdown(socket.SHUT_RDWR)
        if self.hold >= 0:
            os.write(self.hold, b"x")
            os.close(self.hold)
        for pid in (self.pid, self.init):
            if pid >= 0:
                os.waitpid(pid, 0)




# ---- the server --------------------------------------------------------------------------------


def thread_count():
    try:
        return len(os.listdir("/proc/self/task"))
    except OSError:
        return 1


def keep_only(*descriptors):
    """Close what the server has open, but for these and the usual three."""
    first = 3
    for descriptor in sorted(one for one in descriptors if one > 2):
        os.closerange(first, descriptor)
        first = descriptor + 1
    os.closerange(first, os.sysconf("SC_OPEN_MAX"))


class Spare:
    """One child, from its fork to its end, and the first process of its namespace."""

    def __init__(self, number, confinement, run_child):
        self.number, self.given, self.report = number, False, None
        self.ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        sys.stdout.flush()
        sys.stderr.flush()
        self.init, self.hold = confinement.begin()
        self.pid = os.fork()
        if self.pid == 0:
            self.ours.close()
            try:
                candidate = confinement.enter()
            except BaseException as error:
                os.write(2, ("cannot confine an evaluation: %s\n" % error).encode())
                os._exit(1)
            keep_only(theirs.fileno(), *([candidate.channel.fileno(), candidate.hold] if candidate else []))
            run_child(theirs, candidate)
            os._exit(1)
        confinement.end()
        theirs.close()
        self.handle = os.pidfd_open(self.pid)

    def announce(self, control):
        message = json.dumps({"spare": self.number}).encode("ascii")
        descriptors = [self.ours.fileno()]
        if self.init >= 0:
            descriptors.append(os.pidfd_open(self.init))
        socket.send_fds(control, [message], descriptors)
        self.ours.close()
        if self.init >= 0:
            os.close(descriptors[1])

    def reap(self):
        """Its end, and that of everything in its namespace."""
        _, status, usage = os.wait4(self.pid, 0)
        os.close(self.handle)
        cpu, strays = usage.ru_utime + usage.ru_stime, 0
        if self.init >= 0:
            os.write(self.hold, b"x")  # a spare that was just forked may still hold the other end
            os.close(self.hold)
            _, ended, more = os.wait4(self.init, 0)
            strays = os.waitstatus_to_exitcode(ended)
            cpu += more.ru_utime + more.ru_stime
        self.report = {
            "exited": status,
            "spare": self.number,
            "cpu_ms": cpu * 1000.0,
            "memory": usage.ru_maxrss * 1024,
            "strays": max(strays, 0),
        }


class Server:
    def __init__(self, control, confinement, run_child):
        self.control, self.confinement, self.run_child = control, confinement, run_child
        self.count = self.broken = 0
        self.spare = self.running = None

    def say(self, message):
        self.control.send(json.dumps(message).encode("ascii"))

    def fork_spare(self):
        self.count += 1
        self.spare = Spare(self.count, self.confinement, self.run_child)
        self.spare.announce(self.control)

    def ended(self, spare):
        spare.reap()
        if spare is self.running:
            self.running = None
            self.say(spare.report)
        else:  # it never got a job: another one, but not for ever
            self.spare = None
            self.broken += 1
            if self.broken > 3:
                sys.exit("evaluations end before they begin")
            self.fork_spare()

    def given(self, number):
        spare = self.spare
        if spare is None or spare.number != number:  # it is gone, and the host did not know yet
            self.say({"exited": 9, "spare": number, "cpu_ms": 0.0, "memory": 0, "strays": 0})
            return
        self.spare, self.running, self.broken = None, spare, 0
        if self.confinement.apart:
            self.fork_spare()

    def serve(self):
        self.fork_spare()
        while True:
            alive = [spare for spare in (self.running, self.spare) if spare is not None]
            readable, _, _ = select.select([self.control] + [spare.handle for spare in alive], [], [])
            for spare in alive:
                if spare.handle in readable:
                    self.ended(spare)
            if self.control not in readable:
                continue
            message = self.control.recv(MESSAGE_MAX)
            if not message:
                return
            order = json.loads(message)
            if "given" in order:
                self.given(order["given"])
            elif self.spare is None:
                self.fork_spare()


def descriptors_open():
    return set(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else set()


def main():
    evaluator, mode, confined, hidden = sys.argv[1:5]
    control = socket.socket(fileno=CONTROL)
    control.set_inheritable(False)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.path[0] = os.path.dirname(evaluator)
    words, sys.argv = getattr(sys, "orig_argv", None), [evaluator]
    sys.dont_write_bytecode = True
    code, module = compiled(evaluator), None
    before = descriptors_open()
    if mode in ("libs", "evaluator"):
        preload(evaluator)
    if mode == "evaluator":
        module = load(evaluator, code)
    lower = {"evaluator": "libs", "libs": "none"}.get(mode)
    if words and lower and (thread_count() > 1 or (module and descriptors_open() != before)):
        # What was imported began something that a fork does not take along: start again without it.
        words[words.index(mode, len(words) - 3)] = lower
        control.set_inheritable(True)
        os.execv(sys.executable, [sys.executable] + words[1:])
    gc.collect()
    gc.freeze()
    confinement = Confined(LIBRARY if confined == "apart" else confined, hidden) if confined else Open()
    control.send(json.dumps({"ready": True, "preload": mode}).encode("ascii"))
    Server(control, confinement, lambda *spare: child(evaluator, code, module, *spare)).serve()


main()
