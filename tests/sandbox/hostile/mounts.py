"""The kernel's own files, mounts, and files that have no name."""
import ctypes
import errno
import os
import struct

from act import act, permitted, syscall
from files import scratch


# ---- 9: the kernel's own files ----

def openable(*paths):
    """Any of them, for writing; nothing is written."""
    failure = None
    for path in paths:
        try:
            os.close(os.open(path, os.O_WRONLY))
            return
        except OSError as error:
            failure = error
    raise failure


@act
def core_pattern(world):
    openable("/proc/sys/kernel/core_pattern", "/proc/self/root/proc/sys/kernel/core_pattern")


@act
def sysrq(world):
    openable("/proc/sysrq-trigger")


@act
def drop_caches(world):
    openable("/proc/sys/vm/drop_caches")


@act
def kernel_settings(world):
    openable("/sys/kernel/mm/transparent_hugepage/enabled", "/sys/kernel/profiling")


@act
def control_groups(world):
    openable("/sys/fs/cgroup/memory/cgroup.procs", "/sys/fs/cgroup/memory/release_agent",
             "/sys/fs/cgroup/cgroup.procs", "/sys/fs/cgroup/unified/cgroup.procs")


@act
def own_score_to_the_killer(world):
    """A lower one than it has: then others die first."""
    with open("/proc/self/oom_score_adj") as file:
        now = int(file.read())
    with open("/proc/self/oom_score_adj", "w") as file:
        file.write(str(max(-1000, now - 500)))


@act
def devices(world):
    openable("/dev/kmsg", "/dev/mem", "/dev/vda", "/dev/sda", "/dev/loop-control")


# ---- 10: mounts ----

@act
def make_device(world):
    path = scratch("device")
    os.mknod(path, 0o020666, os.makedev(1, 5))
    os.unlink(path)


@act
def mount_memory(world):
    path = scratch("mount")
    os.mkdir(path)
    try:
        syscall(world, "mount", b"none", path.encode(), b"tmpfs", 0, None)
        syscall(world, "umount2", path.encode(), 2)
    finally:
        os.rmdir(path)


@act
def mount_over(world):
    permitted(world, "mount", b"/nowhere", b"/nowhere", None, 4096, None)


@act
def unmount_root(world):
    permitted(world, "umount2", b"/nowhere", 2)


@act
def pivot(world):
    permitted(world, "pivot_root", b"/nowhere", b"/nowhere")


@act
def change_root(world):
    syscall(world, "chroot", b".")


@act
def open_file_system(world):
    os.close(syscall(world, "fsopen", b"tmpfs", 1))


@act
def clone_tree(world):
    os.close(syscall(world, "open_tree", -100, b"/", 1 | 0x8000))


@act
def set_mount_attributes(world):
    permitted(world, "mount_setattr", -100, b"/nowhere", 0, b"\0" * 32, 32)


# ---- 11: files by number ----

def handle_of(world, path):
    handle = ctypes.create_string_buffer(struct.pack("=Ii", 128, 0) + b"\0" * 128)
    mount = ctypes.create_string_buffer(8)
    syscall(world, "name_to_handle_at", -100, path.encode(), handle, mount, 0)
    return handle


@act
def open_by_handle(world):
    """The root directory of the file system that our own scratch is on is number 2 on most."""
    directory = os.open("/", os.O_RDONLY)
    try:
        handle = handle_of(world, "/")
    except OSError:
        handle = ctypes.create_string_buffer(struct.pack("=IiQ", 8, 1, 2))
    try:
        os.close(syscall(world, "open_by_handle_at", directory, handle, os.O_RDONLY))
    except OSError as error:
        if error.errno not in (errno.ESTALE, errno.EOPNOTSUPP, errno.EINVAL):
            raise
