"""The fork server: a warm Python that forks one child per evaluation.

Started with a SEQPACKET socket as descriptor 3. It imports the third-party modules that the evaluator
and its siblings name (found by reading their syntax trees: nothing of theirs is run here), compiles the
evaluator, and keeps one child forked in advance, so that a job finds a process that is ready.

    host -> server   {"program", "functions", "seed", "directory"}   with [result, output] descriptors
                     {"next": true}      the last evaluation's processes are gone: fork the next spare
    server -> host   {"ready": true, ...} once;  {"exited": status, "cpu_ms": ..., "memory": ...}

The child runs the evaluator's function and writes one frame, eight bytes of length and JSON, to the
result descriptor. Deadlines are the host's: nothing here looks at a clock.
"""

import ast
import gc
import importlib
import importlib.util
import json
import os
import signal
import socket
import sys

CONTROL = 3
MESSAGE_MAX = 1 << 18


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
    spec = importlib.util.spec_from_file_location("evaluation_module", evaluator)
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


def run(evaluator, code, job):
    """One evaluation: the frame's contents."""
    try:
        seed_all(job["seed"])
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


def child(evaluator, code, control, die_with_parent):
    """The spare: waits for its job, does it, and is gone."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    die_with_parent()
    message, descriptors, _, _ = socket.recv_fds(control, MESSAGE_MAX, 2)
    if not message:
        os._exit(0)
    job = json.loads(message)
    result, output = descriptors
    os.set_inheritable(result, False)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(output)
    os.close(control.detach())
    os.chdir(job["directory"])
    os.environ["TMPDIR"] = job["scratch"]
    pid = os.getpid()
    frame = encode(run(evaluator, code, job))
    if os.getpid() != pid:  # a fork that the evaluator let escape: it has nothing to say
        os._exit(1)
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:
        pass
    write_all(result, len(frame).to_bytes(8, "little") + frame)
    os._exit(0)


# ---- the server --------------------------------------------------------------------------------


def parent_death():
    """A function that makes the calling process die with its parent."""
    import ctypes

    prctl = ctypes.CDLL(None, use_errno=True).prctl
    return lambda: prctl(1, signal.SIGKILL, 0, 0, 0)


def thread_count():
    try:
        return len(os.listdir("/proc/self/task"))
    except OSError:
        return 1


def serve(control, evaluator, code):
    die_with_parent = parent_death()
    while True:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        sys.stdout.flush()
        sys.stderr.flush()
        spare = os.fork()
        if spare == 0:
            control.close()
            ours.close()
            child(evaluator, code, theirs, die_with_parent)
        theirs.close()
        message, descriptors, _, _ = socket.recv_fds(control, MESSAGE_MAX, 2)
        if not message:
            os.kill(spare, signal.SIGKILL)
            return
        socket.send_fds(ours, [message], descriptors)
        ours.close()
        for descriptor in descriptors:
            os.close(descriptor)
        _, status, usage = os.wait4(spare, 0)
        report = {
            "exited": status,
            "cpu_ms": (usage.ru_utime + usage.ru_stime) * 1000.0,
            "memory": usage.ru_maxrss * 1024,
        }
        control.send(json.dumps(report).encode("ascii"))
        if not control.recv(MESSAGE_MAX):  # {"next": true}
            return


def main():
    evaluator, mode = sys.argv[1], sys.argv[2]
    control = socket.socket(fileno=CONTROL)
    control.set_inheritable(False)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.path[0] = os.path.dirname(evaluator)
    sys.argv = [evaluator]
    sys.dont_write_bytecode = True
    code = compiled(evaluator)
    if mode != "none":
        preload(evaluator)
    gc.collect()
    gc.freeze()
    control.send(json.dumps({"ready": True, "threads": thread_count()}).encode("ascii"))
    serve(control, evaluator, code)


main()
