"""How much there is room for, and what is left for the host to clear away."""
import errno
import os
import socket

from act import act
from files import scratch


# ---- 12: what is left for the host to clear away ----

@act
def leave_traps(world):
    """Links out, pipes nobody writes to, holes, names that are no text, a loop. Clearing away follows none."""
    directory = scratch("traps")
    os.mkdir(directory)
    os.chdir(directory)
    os.symlink("/etc", "link")
    os.symlink(world["hidden"], "hidden")
    os.symlink("..", "loop")
    os.mkfifo("fifo")
    os.mkdir(b"\xff\xfe\n\x1b[31m")
    os.mkdir("locked")
    with open("locked/file", "w"):
        pass
    with open("sparse", "wb") as file:
        try:
            file.truncate(1 << 40)
        except OSError as error:
            if error.errno != errno.EFBIG:
                raise
    for i in range(300):
        with open(f"file{i}", "w"):
            pass
    deep = os.getcwd()
    for _ in range(200):
        deep = os.path.join(deep, "d")
        os.mkdir("d")
        os.chdir("d")
    os.chmod(directory + "/locked", 0)
    if world["tier"] >= 2 or not world["confined"]:
        socket.socket(socket.AF_UNIX).bind("socket")


# ---- 32: how much ----

def fill(world, directory, size):
    chunk = b"x" * (1 << 20)
    path = os.path.join(directory, f"fill.{os.getpid()}")
    try:
        with open(path, "wb", buffering=0) as file:
            for _ in range(size >> 20):
                file.write(chunk)
    finally:
        os.unlink(path)


@act
def fill_scratch(world):
    fill(world, scratch(), 2 * world["scratch_bytes"])


@act
def fill_memory_files(world):
    fill(world, "/dev/shm", 2 * world["scratch_bytes"])


@act
def fill_home(world):
    fill(world, os.path.expanduser("~") if world["confined"] else scratch(), 2 * world["scratch_bytes"])


@act
def fill_in_pieces(world):
    """No file is large."""
    directory = scratch("pieces")
    os.mkdir(directory)
    chunk = b"x" * (1 << 20)
    for i in range(2 * world["scratch_bytes"] >> 20):
        with open(f"{directory}/{i}", "wb") as file:
            file.write(chunk)


@act
def many_files(world):
    directory = scratch("many")
    os.mkdir(directory)
    for i in range(2 * world["scratch_files"]):
        os.close(os.open(f"{directory}/{i}", os.O_CREAT | os.O_WRONLY))


@act
def preallocate(world):
    path = scratch("allocated")
    with open(path, "wb") as file:
        try:
            os.posix_fallocate(file.fileno(), 0, 2 * world["scratch_bytes"])
        finally:
            os.unlink(path)


@act
def deep_directories(world):
    os.chdir(scratch())
    for _ in range(2 * world["scratch_files"]):
        os.mkdir("d")
        os.chdir("d")
