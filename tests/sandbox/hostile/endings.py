"""Programs that do not end, or end badly. None returns but those that say so."""
import ctypes
import os
import re
import resource
import signal
import subprocess
import sys
import time
import zlib

from act import act


def run(world, *words):
    """Become the C program; apart from the evaluator, start it: what speaks to the evaluator has to stay."""
    if world["path"] == "split":
        raise SystemExit(subprocess.call([world["native"], *map(str, words)]))
    os.execv(world["native"], [world["native"], *map(str, words)])


# ---- 27: for ever ----

@act
def spin_python(world):
    while True:
        pass


@act
def spin_native(world):
    run(world, "spin")


@act
def sleep(world):
    while True:
        time.sleep(3600)


@act
def read_input(world):
    """There is none, and it does not wait for any: then for ever."""
    os.read(0, 1)
    reader, _ = os.pipe()
    os.read(reader, 1)


@act
def stop(world):
    while True:
        os.kill(os.getpid(), signal.SIGSTOP)


@act
def stop_native(world):
    run(world, "stop")


# ---- 28: deaf ----

@act
def spin_deaf(world):
    for number in range(1, 65):
        try:
            signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError):
            pass
    signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
    while True:
        pass


@act
def spin_deaf_native(world):
    run(world, "deaf_spin")


# ---- 29: time of the processor, in small coin ----

@act
def many_short_lives(world):
    """Each child uses less than a process may; together they use it all, and more."""
    while True:
        pid = os.fork()
        if pid == 0:
            end = time.process_time() + 0.2
            while time.process_time() < end:
                pass
            os._exit(0)
        os.waitpid(pid, 0)


# ---- 30: in one call ----

@act
def long_regex(world):
    re.match(r"(a+)+$", "a" * 64 + "b")


@act
def long_number(world):
    10 ** 10 ** 8


@act
def long_decompression(world):
    """A thousandth of what comes out of it."""
    bomb = zlib.compress(b"\0" * (1 << 26), 9)
    while True:
        zlib.decompressobj().decompress(bomb, 1 << 16)
        zlib.crc32(b"\0" * (1 << 24))


@act
def long_sort(world):
    items = [0.5] * 1000

    class Odd(float):
        def __lt__(self, other):
            while True:
                pass

    sorted(map(Odd, items))


@act
def long_call(world):
    """The interpreter's lock is not given back."""
    function = ctypes.PyDLL(None).usleep
    while True:
        function(999999)


# ---- 33: words ----

@act
def flood(world):
    run(world, "flood", 2 * world["output_bytes"] >> 20)


@act
def flood_long(world):
    run(world, "flood", 10240)


@act
def rubbish(world):
    """NULs, escapes, halves of characters, every byte there is. It ends well."""
    for _ in range(64):
        os.write(1, bytes(range(256)) + b"\x1b[2J\x1b]0;title\x07" + b"\xf0\x9f\x98" + b"\xc3")
    print("end", flush=True)


@act
def close_output(world):
    """It ends well."""
    print("before", flush=True)
    os.close(1)
    os.close(2)
    os._exit(0)


@act
def fill_errors(world):
    """Much more than a pipe holds, on the one stream while the other is read. It ends well."""
    for _ in range(64):
        os.write(2, b"e" * 65536)
    os.write(1, b"end\n")


@act
def pass_output_on(world):
    """A child keeps the pipe open after the program has ended. It ends well."""
    if os.fork() == 0:
        os.setsid()
        time.sleep(3600)
    print("end", flush=True)


# ---- 41: ends ----

@act
def exit_at_once(world):
    os._exit(0)


@act
def exit_with_status(world):
    os._exit(7)


@act
def exit_politely(world):
    sys.exit(3)


@act
def interrupt(world):
    raise KeyboardInterrupt


@act
def abort(world):
    os.abort()


@act
def null(world):
    ctypes.string_at(0)


@act
def kill_self(world):
    os.kill(os.getpid(), signal.SIGKILL)


@act
def terminate_self(world):
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(3600)


@act
def foreign_call(world):
    run(world, "int80")


@act
def recurse(world):
    run(world, "recurse")


@act
def deep_python(world):
    sys.setrecursionlimit(1 << 30)

    class Deep:
        def __repr__(self):
            return repr(self)

    repr(Deep())
