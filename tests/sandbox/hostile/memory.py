"""Memory by all the ways there are."""
import ctypes
import errno
import mmap
import os
import signal
import sys
import time

from act import LIBC, Refused, act, checked, native, syscall

MIB = 1 << 20


def touch(memory, size):
    for offset in range(0, size, 4096):
        memory[offset] = 1


def twice(world):
    return 2 * world["memory_bytes"]


# ---- 24: too much, by one ----

@act
def touch_much(world):
    touch(mmap.mmap(-1, twice(world), mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS), twice(world))


@act
def touch_heap(world):
    """As programs do it: no single piece is large."""
    pieces = []
    while len(pieces) < twice(world) // MIB:
        pieces.append(b"\1" * MIB)


@act
def touch_shared(world):
    touch(mmap.mmap(-1, twice(world), mmap.MAP_SHARED | mmap.MAP_ANONYMOUS), twice(world))


@act
def touch_native(world):
    native(world, "touch", twice(world) // MIB)


@act
def memory_file(world):
    """Not mapped at all, so no limit of a process counts it."""
    number = syscall(world, "memfd_create", b"abuse", 0)
    chunk = b"x" * MIB
    for _ in range(twice(world) // MIB):
        if os.write(number, chunk) != len(chunk):
            raise Refused("full")


@act
def many_memory_files(world):
    """None of them large."""
    chunk = b"x" * MIB
    for _ in range(twice(world) // (4 * MIB)):
        number = syscall(world, "memfd_create", b"abuse", 0)
        for _ in range(4):
            os.write(number, chunk)


@act
def pipe_buffers(world):
    """Kernel memory on our account: bounded by the number of descriptors and the user's share."""
    import fcntl

    total, pipes = 0, []
    while total < twice(world):
        reader, writer = os.pipe()
        pipes.append((reader, writer))
        try:
            size = fcntl.fcntl(writer, 1031, MIB)  # F_SETPIPE_SZ
        except OSError:
            size = fcntl.fcntl(writer, 1032)
        os.set_blocking(writer, False)
        try:
            while True:
                total += os.write(writer, b"x" * size)
        except BlockingIOError:
            pass


@act
def lock_memory(world):
    memory = mmap.mmap(-1, 64 * MIB, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    syscall(world, "mlock", address, 64 * MIB)


# ---- by many ----

@act
def touch_together(world):
    """Eight processes, none of which has more than it may; together they have three times as much."""
    share = world["memory_bytes"] * 3 // 8
    children = []
    reader, writer = os.pipe()
    for _ in range(8):
        pid = os.fork()
        if pid == 0:
            memory = mmap.mmap(-1, share, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
            touch(memory, share)
            os.write(writer, b".")
            time.sleep(60)
            os._exit(0)
        children.append(pid)
    os.close(writer)
    got = b""
    deadline = time.monotonic() + 4
    os.set_blocking(reader, False)
    while len(got) < 8 and time.monotonic() < deadline:
        try:
            part = os.read(reader, 8)
            if not part:
                break
            got += part
        except BlockingIOError:
            time.sleep(0.005)
    alive = 0
    for pid in children:
        if os.waitpid(pid, os.WNOHANG)[0] == 0:
            alive += 1
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
    if len(got) < 8 or alive < 8:
        raise Refused(f"{len(got)} had it, {alive} kept it")


# ---- 25 ----

@act
def reserve(world):
    """64 GiB of addresses, no memory: what some runtimes do."""
    checked_map = LIBC.mmap
    checked_map.restype = ctypes.c_void_p
    address = checked_map(None, ctypes.c_size_t(64 << 30), 0, 0x4022, -1, ctypes.c_long(0))
    if address in (None, ctypes.c_void_p(-1).value):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


# ---- 26 ----

@act
def recurse_python(world):
    """An exception, however deep."""
    def deeper(depth):
        return deeper(depth + 1)
    try:
        deeper(0)
    except RecursionError:
        raise Refused("an exception") from None
