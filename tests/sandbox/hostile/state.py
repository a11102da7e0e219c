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
