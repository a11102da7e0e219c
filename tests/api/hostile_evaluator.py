"""Does to its host what the program says: the programs of test_hostile.c are names of misdeeds."""
import os
import re
import signal
import sys
import time


def busy():
    while True:
        pass


def native():
    re.match(r"(a+)+$", "a" * 64 + "b")  # in C, without giving the interpreter back


def exit_at_once():
    os._exit(7)


def exit_politely():
    sys.exit(3)


def segfault():
    import ctypes

    ctypes.string_at(0)


def allocate():
    return {"combined_score": len(bytearray(8 << 30))}


def grandchild():
    """Twice forked, a session of its own, deaf to everything: leaves its number behind."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            for number in range(1, 65):
                try:
                    signal.signal(number, signal.SIG_IGN)
                except (OSError, ValueError):
                    pass
            with open(os.path.join(os.environ["OE_HOSTILE_DIRECTORY"], str(os.getpid())), "w"):
                pass
            while True:
                time.sleep(60)
        os._exit(0)
    os.wait()
    while not os.listdir(os.environ["OE_HOSTILE_DIRECTORY"]):
        time.sleep(0.001)
    return {"combined_score": 0.25}


def flood():
    line = b"x" * 65535 + b"\n"
    for _ in range(1600):
        os.write(1, line)
    return {"combined_score": 0.5}


def raise_error():
    raise ValueError("on purpose")


MISDEEDS = {
    "busy": busy,
    "native": native,
    "exit_at_once": exit_at_once,
    "exit_politely": exit_politely,
    "segfault": segfault,
    "allocate": allocate,
    "grandchild": grandchild,
    "flood": flood,
    "nan": lambda: {"combined_score": float("nan")},
    "infinity": lambda: {"combined_score": float("inf")},
    "text": lambda: {"combined_score": "very good"},
    "boolean": lambda: True,
    "nothing": lambda: None,
    "raise_error": raise_error,
}


def evaluate(path):
    with open(path) as program:
        return MISDEEDS[program.read().strip()]()
