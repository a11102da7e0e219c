"""The caller's key: in its environment, its memory, and what it starts.

The key itself is told to nobody: a program knows what it looks like, and the hash of the right one.
"""
import hashlib
import os
import re

from act import Refused, act

KEY = re.compile(rb"oe[-]key[-]([0-9a-f]{32})")


def is_it(world, data):
    return any(hashlib.sha256(found).hexdigest() == world["key_hash"] for found in KEY.findall(data))


def look_into(world, paths):
    for path in paths:
        try:
            with open(path, "rb") as file:
                if is_it(world, file.read(1 << 24)):
                    return True
        except OSError:
            pass
    return False


@act
def key_in_environment(world):
    if not is_it(world, "\n".join(f"{name}={value}" for name, value in os.environ.items()).encode(
            errors="surrogateescape")):
        raise Refused


@act
def key_in_initial_environment(world):
    """What the kernel remembers of it: a program that unsets a variable before it forks leaves it there."""
    if not look_into(world, ["/proc/self/environ"]):
        raise Refused


def processes():
    return [name for name in os.listdir("/proc") if name.isdigit()]


@act
def key_in_other_environments(world):
    if not look_into(world, [f"/proc/{pid}/{name}" for pid in processes() for name in ("environ", "cmdline")]):
        raise Refused


@act
def key_of_driver(world):
    if not look_into(world, [f"/proc/{world['driver']}/environ"]):
        raise Refused


def memory_has(world, pid):
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for line in maps:
            span, rights = line.split()[:2]
            begin, end = (int(part, 16) for part in span.split("-"))
            if "r" not in rights or end - begin > 1 << 28 or begin >= 1 << 63:
                continue
            try:
                memory.seek(begin)
                if is_it(world, memory.read(end - begin)):
                    return True
            except (OSError, ValueError, OverflowError):
                pass
    return False


@act
def key_in_own_memory(world):
    """What a fork inherits, freed or not; the stack with its auxiliary vector and environment, too."""
    if not memory_has(world, "self"):
        raise Refused


@act
def key_in_memory_of_driver(world):
    if not memory_has(world, world["driver"]):
        raise Refused


@act
def key_in_memory_of_parents(world):
    """Of everybody whose memory can be opened."""
    failure = None
    for pid in processes():
        if int(pid) in (os.getpid(), world["runner"]):
            continue
        try:
            if memory_has(world, pid):
                return
        except OSError as error:
            failure = error
    raise failure or Refused()
