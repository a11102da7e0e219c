"""What every attack is made of, and how attacks are made one after the other.

    python3 act.py WORLD NAME...     acts, each in a process of its own: one line of JSON per act
    python3 act.py WORLD !NAME       one program, in this process, to whatever end it comes

An act succeeds by returning: it is "done". It fails by an OSError, and the error's name is its outcome; by
MemoryError; or by saying Refused. What cannot be tried here says Absent: the kernel lacks it.

WORLD is a JSON text that says what there is to be attacked: see world.py.
"""
import ctypes
import errno
import importlib
import json
import os
import select
import signal
import subprocess
import sys
import time
import traceback

ACTS = {}
END = b"\0"
PATIENCE = 15  # seconds for one act: none waits for anything

LIBC = ctypes.CDLL(None, use_errno=True)


class Refused(Exception):
    """It did not come about, and no error said so."""


class Absent(Exception):
    """This machine has nothing to attack."""


def act(function):
    ACTS[function.__name__] = function
    return function


def checked(result):
    """The result of a C function, or its errno as an exception."""
    if result is None or result == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def syscall(world, name, *arguments):
    ctypes.set_errno(0)
    if name not in world["numbers"]:
        raise Absent(f"no system call {name}")
    words = [word if isinstance(word, (bytes, ctypes.Array, ctypes.Structure)) or word is None
             else ctypes.c_long(word) for word in arguments]
    return checked(LIBC.syscall(ctypes.c_long(world["numbers"][name]), *words))


def permitted(world, name, *arguments):
    """The call is made with arguments that make no sense: any other error than that it is forbidden shows
    that it would have been made. Nothing happens either way."""
    try:
        syscall(world, name, *arguments)
    except OSError as error:
        if error.errno in (errno.EPERM, errno.EACCES, errno.ENOSYS):
            raise


def native(world, *words, timeout=PATIENCE):
    """What the C program says."""
    done = subprocess.run([world["native"], *map(str, words)], stdout=subprocess.PIPE, timeout=timeout)
    if done.returncode < 0:
        raise Refused(signal.Signals(-done.returncode).name)
    said = done.stdout.decode().split()
    if said[:1] == ["refused"]:
        raise OSError(getattr(errno, said[1]), said[1])
    if said[:1] != ["done"]:
        raise Refused(f"exit status {done.returncode}")


def outcome(function, world):
    try:
        function(world)
        return "done"
    except OSError as error:
        return errno.errorcode.get(error.errno, f"errno {error.errno}")
    except MemoryError:
        return "ENOMEM"
    except Refused as error:
        return f"refused {error}".strip()
    except Absent as error:
        return f"absent {error}".strip()
    except BaseException:
        return "broken " + traceback.format_exc()


def in_child(function, world):
    """Its outcome; a child's death is one, too."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        os.write(writer, outcome(function, world).encode(errors="replace")[:60000] + END)
        os._exit(0)
    os.close(writer)
    text = b""
    deadline = time.monotonic() + PATIENCE
    while select.select([reader], [], [], max(0, deadline - time.monotonic()))[0]:
        part = os.read(reader, 65536)
        text += part
        if not part or text.endswith(END):  # who survives keeps the pipe open
            break
    else:
        text = text or b"stuck"
    os.close(reader)
    try:
        os.kill(child, signal.SIGKILL)  # an act that is over is over
    except OSError:
        pass
    status = os.waitpid(child, 0)[1]
    text = text.removesuffix(END)
    if not text:
        return signal.Signals(status).name if os.WIFSIGNALED(status) else f"exit {status >> 8}"
    return text.decode(errors="replace")


def load(world):
    for module in world["modules"]:
        importlib.import_module(module)


def perform(world, names):
    """[[name, outcome], ...]"""
    load(world)
    return [[name, in_child(ACTS[name], world)] for name in names]


def main():
    world = json.loads(sys.argv[1])
    load(world)
    if sys.argv[2].startswith("!"):
        ACTS[sys.argv[2][1:]](world)
        return
    for name in sys.argv[2:]:
        print(json.dumps({"act": name, "outcome": in_child(ACTS[name], world)}), flush=True)


if __name__ == "__main__":
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    sys.modules["act"] = sys.modules["__main__"]
    main()
