"""What one evaluation might leave for the next, and what the next one finds."""
import builtins
import ctypes
import gc
import hashlib
import json
import locale
import os
import random
import signal
import sys
import time

from act import LIBC, act

import decimal
import functools


def attempt(function, *arguments):
    try:
        return function(*arguments)
    except BaseException:
        return None


@act
def leave_state(world):
    """All there is to change, without looking whether it can be."""
    import act as this
    import numpy

    builtins.left = json.left = this.left = "left"
    sys.modules["left"] = json
    sys.path.insert(0, "/left")
    sys.setrecursionlimit(12345)
    sys.setswitchinterval(0.5)
    os.environ["LEFT"] = "left"
    LIBC.setenv(b"LEFT", b"left", 1)
    os.umask(0o017)
    random.seed(1)
    numpy.random.seed(1)
    numpy.left = "left"
    numpy.seterr(all="ignore")
    decimal.getcontext().prec = 5
    attempt(locale.setlocale, locale.LC_ALL, "C.UTF-8")
    os.environ["TZ"] = "Pacific/Chatham"
    time.tzset()
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])
    gc.disable()
    functools.left = "left"
    json.dumps = json.dumps
    attempt(os.nice, 5)
    attempt(LIBC.prctl, 15, b"left", 0, 0, 0)
    for directory in ("/tmp", "/dev/shm", os.path.expanduser("~"), os.environ.get("TMPDIR", "/tmp"),
                      world["evaluators"], world["evaluators"] + "/__pycache__"):
        attempt(os.makedirs, directory)
        attempt(lambda: open(directory + "/left", "w").close())
    attempt(os.chdir, "/")
    return {"combined_score": 0.5}


# ---- files that are made once for many ----

PRIVATE = "/.oe/scratch"
LONG_AGO = 12345


def private_directories():
    """Where the files of an evaluation really are: below a place that nobody has to know about."""
    tops = [PRIVATE] + [os.path.join(PRIVATE, name) for name in sorted(attempt(os.listdir, PRIVATE) or [])]
    return tops + [top + "/work" for top in tops if os.path.lexists(top + "/work")]


def come_and_go(directory, count=1):
    for number in range(count):
        path = f"{directory}/left-{number}"
        attempt(lambda: open(path, "w").close())
        attempt(os.unlink, path)


def nameless(directory, count):
    for _ in range(count):
        attempt(lambda: os.close(os.open(directory, os.O_TMPFILE | os.O_RDWR, 0o600)))


def set_about_first():
    import resource

    for which in range(16):
        attempt(resource.prlimit, 1, which, (7, 7))
    attempt(os.setpriority, os.PRIO_PROCESS, 1, 11)
    attempt(os.setpriority, os.PRIO_USER, os.getuid(), 11)
    attempt(os.setpriority, os.PRIO_PGRP, 0, 11)
    attempt(os.sched_setaffinity, 1, {0})
    attempt(os.sched_setscheduler, 1, os.SCHED_BATCH, os.sched_param(0))
    attempt(lambda: open("/proc/1/oom_score_adj", "w").write("500"))


TRACES = {
    "mode": lambda here: [attempt(os.chmod, path, 0o711) for path in ("/tmp", "/dev/shm", here)],
    "closed": lambda here: [attempt(os.chmod, path, 0) for path in ("/tmp", "/dev/shm", here)],
    "time": lambda here: [attempt(os.utime, path, (LONG_AGO, LONG_AGO)) for path in ("/tmp", "/dev/shm", here)],
    "attribute": lambda here: [attempt(os.setxattr, path, "user.left", b"left") for path in ("/tmp", "/dev/shm", here)],
    "gone": lambda here: [come_and_go(path) for path in ("/tmp", "/dev/shm", here)],
    "numbers": lambda here: [nameless(path, 2000) for path in ("/tmp", "/dev/shm", here)],
    "copied": lambda here: [attempt(os.utime, here + "/evaluator.py", (LONG_AGO, LONG_AGO))],
    "removed": lambda here: [attempt(os.unlink, here + "/evaluator.py")],
    "behind": lambda here: [attempt(os.chmod, path, 0o717) for path in private_directories()],
    "behind times": lambda here: [attempt(os.utime, path, (LONG_AGO, LONG_AGO)) for path in private_directories()],
    "behind, new": lambda here: [attempt(os.mkdir, path + "/left") for path in private_directories()],
    "behind, moved": lambda here: [attempt(os.rename, path, path + "x") for path in reversed(private_directories())],
    "full": lambda here: attempt(lambda: open("/tmp/left", "w").write("x" * 100000)),
    "first": lambda here: set_about_first(),
}


@act
def leave_trace(world):
    """Less than a file."""
    TRACES[world["trace"]](world["evaluators"])
    return {"combined_score": 0.5}


def about(path):
    try:
        info = os.lstat(path)
    except OSError as error:
        return error.strerror
    return [info.st_mode, info.st_uid, info.st_nlink, info.st_size, attempt(os.listxattr, path),
            min(info.st_mtime, info.st_atime) < 1e8]


@act
def find_trace(world):
    import resource

    from openevolve.evaluation_result import EvaluationResult

    here = world["evaluators"]
    space = os.statvfs("/tmp")
    with open("/tmp/new", "w") as file:
        number = os.fstat(file.fileno()).st_ino
    os.unlink("/tmp/new")
    with open("/proc/1/oom_score_adj") as file:
        killable = file.read()
    found = {
        "directories": {path: about(path) for path in ("/tmp", "/dev/shm", here, *private_directories())},
        "evaluator": about(here + "/evaluator.py"),
        "space": [space.f_bfree, space.f_ffree],
        "first": [[attempt(resource.prlimit, 1, which) for which in range(16)], os.sched_getscheduler(1),
                  os.getpriority(os.PRIO_PROCESS, 1), sorted(os.sched_getaffinity(1)), killable],
        "own": [os.getpriority(os.PRIO_PROCESS, 0), os.sched_getscheduler(0)],
    }
    return EvaluationResult({"combined_score": 0.5, "number": number}, {"state": json.dumps(found)})


def listing(directory):
    """Without what the host puts there, under a name of its own every time."""
    try:
        return sorted(name for name in os.listdir(directory) if not name.startswith(("oe-", "abuse-")))
    except OSError as error:
        return error.strerror


@act
def find_state(world):
    """As a dictionary that is the same for every evaluation of the same seed."""
    import numpy
    from openevolve.evaluation_result import EvaluationResult

    import act as this

    here = os.getcwd()
    scratch = os.environ.get("TMPDIR", "/tmp")
    umask = os.umask(0)
    os.umask(umask)
    found = {
        "left": [name for name, thing in (("builtins", builtins), ("json", json), ("act", this),
                                          ("numpy", numpy), ("functools", functools)) if hasattr(thing, "left")],
        "modules": hashlib.sha256("\n".join(sorted(sys.modules)).encode()).hexdigest(),
        "path": [entry for entry in sys.path],
        "recursion": sys.getrecursionlimit(),
        "switch": sys.getswitchinterval(),
        "environment": {name: value for name, value in sorted(os.environ.items())
                        if not value.startswith(scratch)},
        "umask": umask,
        "random": random.random(),
        "numpy": float(numpy.random.rand()),
        "errors": str(numpy.geterr()),
        "decimal": decimal.getcontext().prec,
        "locale": str(locale.setlocale(locale.LC_ALL)),
        "zone": time.tzname,
        "signals": [str(signal.getsignal(number)) for number in (signal.SIGUSR1, signal.SIGCHLD, signal.SIGINT)],
        "blocked": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])),
        "collector": gc.isenabled(),
        "priority": os.getpriority(os.PRIO_PROCESS, 0),
        "files": {name: listing(directory) for name, directory in
                  (("scratch", scratch), ("shm", "/dev/shm"), ("evaluators", world["evaluators"]))}
        if world["tier"] >= 2 else {},
        "children": listing(f"/proc/self/task/{os.getpid()}/children"),
        "relative": os.path.relpath(here, scratch) if here.startswith(scratch) else here,
    }
    return EvaluationResult({"combined_score": 0.5}, {"state": json.dumps(found, default=str)})


# ---- 48: chance ----

@act
def chance(world):
    import numpy

    return {"combined_score": 0.5, "python": random.random(), "numpy": float(numpy.random.rand()),
            "generator": float(numpy.random.default_rng().random())}
