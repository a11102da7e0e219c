"""What is private, what is shown, and what must not change."""
import ctypes
import errno
import os
import socket
import struct
import subprocess
import time

from act import LIBC, Absent, Refused, act, checked, syscall


def contents(path):
    with open(path, "rb") as file:
        if not file.read(1):
            raise Refused("nothing in it")


def scratch(name=""):
    directory = os.environ.get("TMPDIR", "/tmp")
    return os.path.join(directory, f"{name}.{os.getpid()}") if name else directory


# ---- 1: reading ----

@act
def read_hidden(world):
    contents(world["hidden"] + "/file")


@act
def read_key(world):
    contents(world["hidden"] + "/.ssh/id_ed25519")


@act
def read_shadow(world):
    contents("/etc/shadow")


@act
def read_mapped(world):
    """Not read, but mapped."""
    import mmap

    with open(world["hidden"] + "/file", "rb") as file:
        with mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as memory:
            if not memory[:1]:
                raise Refused


@act
def run_hidden(world):
    """Execute a program that is not for us."""
    subprocess.run([world["hidden"] + "/program", "x32"], check=False)


@act
def read_other_process_environment(world):
    contents(f"/proc/{world['victim']}/environ")


# ---- 2: writing ----

def put(path):
    with open(path, "ab") as file:
        file.write(b"changed")


@act
def append_hidden(world):
    put(world["hidden"] + "/open")


@act
def append_shown(world):
    put(world["shown"] + "/open")


@act
def create_hidden(world):
    put(world["hidden"] + "/new")


@act
def create_shown(world):
    put(world["shown"] + "/new")


@act
def truncate_shown(world):
    os.truncate(world["shown"] + "/open", 1)


@act
def truncate_hidden(world):
    os.truncate(world["hidden"] + "/open", 1)


@act
def open_truncating(world):
    os.close(os.open(world["shown"] + "/open", os.O_WRONLY | os.O_TRUNC))


@act
def unlink_shown(world):
    os.unlink(world["shown"] + "/spare1")


@act
def unlink_hidden(world):
    os.unlink(world["hidden"] + "/spare1")


@act
def rename_shown(world):
    os.rename(world["shown"] + "/spare2", world["shown"] + "/spare3")


@act
def rename_hidden(world):
    os.rename(world["hidden"] + "/spare2", world["hidden"] + "/spare3")


@act
def make_directory_shown(world):
    os.mkdir(world["shown"] + "/directory")


@act
def make_directory_hidden(world):
    os.mkdir(world["hidden"] + "/directory")


@act
def write_mapped(world):
    import mmap

    with open(world["shown"] + "/leased", "r+b") as file:
        with mmap.mmap(file.fileno(), 0) as memory:
            memory[0:1] = b"#"


@act
def make_symlink_shown(world):
    os.symlink("/etc/passwd", world["shown"] + "/another")


@act
def make_fifo_shown(world):
    os.mkfifo(world["shown"] + "/fifo")


@act
def bind_socket_shown(world):
    socket.socket(socket.AF_UNIX).bind(world["shown"] + "/bound")


# ---- 3: metadata ----

@act
def chmod_shown(world):
    os.chmod(world["shown"] + "/open", 0o600)


@act
def chmod_hidden(world):
    os.chmod(world["hidden"] + "/open", 0o600)


@act
def chown_shown(world):
    os.chown(world["shown"] + "/open", -1, os.getgid())


@act
def utime_shown(world):
    os.utime(world["shown"] + "/open", (1, 1))


@act
def utime_hidden(world):
    os.utime(world["hidden"] + "/open", (1, 1))


@act
def setxattr_shown(world):
    os.setxattr(world["shown"] + "/open", "user.changed", b"1")


@act
def setxattr_hidden(world):
    os.setxattr(world["hidden"] + "/open", "user.changed", b"1")


@act
def removexattr_shown(world):
    os.removexattr(world["shown"] + "/open", "user.canary")


@act
def setxattrat_shown(world):
    """By a system call that is younger than most lists of them."""
    value = ctypes.create_string_buffer(b"1")
    arguments = struct.pack("=QII", ctypes.addressof(value), 1, 0)
    try:
        syscall(world, "setxattrat", -100, (world["shown"] + "/open").encode(), 0, b"user.changed", arguments,
                len(arguments))
    except OSError as error:
        if error.errno == errno.ENOSYS and not world["confined"]:
            raise Absent("too old a kernel") from None
        raise


# ---- 4: looking around ----

@act
def stat_hidden(world):
    os.stat(world["hidden"] + "/file")


@act
def list_hidden(world):
    if not os.listdir(world["hidden"]):
        raise Refused


@act
def access_oracle(world):
    """Whether a file is there, without opening it."""
    if not os.access(world["hidden"] + "/file", os.F_OK):
        raise Refused


@act
def readlink_hidden(world):
    os.readlink(world["hidden"] + "/link")


@act
def list_home(world):
    os.listdir(world["hidden"] + "/.ssh")


@act
def getxattr_hidden(world):
    os.getxattr(world["hidden"] + "/open", "user.canary")


# ---- 5: ways around ----

@act
def through_symlink(world):
    path = scratch("around")
    os.symlink(world["hidden"] + "/file", path)
    try:
        contents(path)
    finally:
        os.unlink(path)


@act
def through_own_link(world):
    """A link that the owner of the files made, in what is shown, to what is not."""
    contents(world["shown"] + "/out")


@act
def through_dots(world):
    contents(os.path.join(scratch(), "../" * 40, world["hidden"].lstrip("/"), "file"))


@act
def through_working_directory(world):
    os.chdir("/")
    os.chdir("..")
    contents(world["hidden"].lstrip("/") + "/file")


@act
def through_hard_link(world):
    path = os.path.join(world["linkable"], f"hard.{os.getpid()}") if not world["confined"] else scratch("hard")
    os.link(world["hidden"] + "/open", path)
    put(path)


@act
def through_rename(world):
    """Move what is shown to where we may write."""
    os.rename(world["shown"] + "/spare4", scratch("moved") if world["confined"] else world["shown"] + "/spare5")


@act
def through_swapped_link(world):
    """A name that is ours when it is looked at, and theirs when it is opened."""
    name, ours = scratch("swap"), scratch("ours")
    with open(ours, "wb"):
        pass
    child = os.fork()
    if child == 0:
        for i in range(20000):
            os.symlink((ours, world["hidden"] + "/file")[i % 2], name + ".new")
            os.rename(name + ".new", name)
        os._exit(0)
    deadline = time.monotonic() + 0.25
    try:
        while time.monotonic() < deadline:
            try:
                with open(name, "rb") as file:
                    if file.read(1):
                        return
            except FileNotFoundError:
                pass
    finally:
        os.kill(child, 9)
        os.waitpid(child, 0)
    raise Refused


# ---- 8: what the next evaluation runs. Done is what the host sees done: an overlay may keep the rest ----

@act
def write_evaluator(world):
    put(world["evaluators"] + "/evaluator.py")


@act
def write_byte_code(world):
    os.makedirs(world["evaluators"] + "/__pycache__", exist_ok=True)
    put(world["evaluators"] + "/__pycache__/evaluator.cpython-311.pyc")


@act
def write_library(world):
    import json

    os.close(os.open(json.__file__, os.O_WRONLY | os.O_APPEND))


@act
def create_in_libraries(world):
    """Nothing is written: whether it may be is asked."""
    import json

    if LIBC.faccessat(-100, os.path.dirname(json.__file__).encode(), os.W_OK, 0x200) != 0:
        checked(-1)
