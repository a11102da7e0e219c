"""What the machine has, found out by hand and without the library: whether a tier can be there at all."""
import ctypes
import os
import subprocess
import time

LIBC = ctypes.CDLL(None, use_errno=True)
LANDLOCK_CREATE_RULESET = 444  # the same on every architecture
NEW_USER, NEW_MOUNTS, NEW_PID = 0x10000000, 0x00020000, 0x20000000


def in_child(function, uid):
    """Its errno as the user; 0: it can be done."""
    pid = os.fork()
    if pid == 0:
        status = 125
        try:
            if uid != os.geteuid():
                os.setgroups([])
                os.setresgid(uid, uid, uid)
                os.setresuid(uid, uid, uid)
            ctypes.set_errno(0)
            status = 0 if function() >= 0 else ctypes.get_errno()
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def namespaces(uid):
    return in_child(lambda: LIBC.unshare(NEW_USER | NEW_MOUNTS | NEW_PID), uid)


def landlock():
    return in_child(lambda: LIBC.syscall(LANDLOCK_CREATE_RULESET, None, 0, 1), os.geteuid())


def control_groups():
    """Can a group with a limit of memory be made? As root, in either version."""
    for root, limit in (("/sys/fs/cgroup/memory", "memory.limit_in_bytes"), ("/sys/fs/cgroup", "memory.max")):
        path = os.path.join(root, f"oe-probe-{os.getpid()}-{time.monotonic_ns()}")
        try:
            os.mkdir(path)
        except OSError:
            continue
        try:
            if os.path.exists(os.path.join(path, limit)):
                return True
        finally:
            os.rmdir(path)
    return False


def missing(number, lacks, uid):
    """Why a tier cannot be had here, or nothing."""
    if uid == 0 and os.geteuid() != 0:
        return "the tests were not started by root"
    uid = uid if os.geteuid() == 0 else os.geteuid()
    if number >= 2 and namespaces(uid):
        return f"no namespaces can be made: {os.strerror(namespaces(uid))}"
    if number == 1 and landlock():
        return f"no Landlock: {os.strerror(landlock())}"
    if number == 3 and not control_groups():
        return "no control group of memory can be made"
    if "cgroups" in lacks and subprocess.run(["unshare", "-m", "true"], stderr=subprocess.DEVNULL,
                                             check=False).returncode:
        return "control groups cannot be covered"
    return None
