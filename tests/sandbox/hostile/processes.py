"""Processes: those of others, and too many of one's own."""
import ctypes
import errno
import fcntl
import os
import resource
import signal
import subprocess
import sys
import threading
import time

from act import LIBC, Absent, Refused, act, checked, native, permitted, syscall


def word(value):
    return ctypes.create_string_buffer(value.to_bytes(8, "little"), 8)


# ---- 18: inside of others ----

@act
def trace(world):
    pid = world["victim"]
    syscall(world, "ptrace", 16, pid, 0, 0)  # PTRACE_ATTACH
    os.waitpid(pid, 0x40000000)
    syscall(world, "ptrace", 17, pid, 0, 0)  # PTRACE_DETACH


@act
def trace_gently(world):
    syscall(world, "ptrace", 0x4206, world["victim"], 0, 0)  # PTRACE_SEIZE
    # ends with us


class Vector(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("size", ctypes.c_size_t)]


def transfer(world, name, pid):
    """A byte of its stack: where there is one, it is read, or written as it is."""
    buffer = ctypes.create_string_buffer(1)
    here, there = Vector(ctypes.addressof(buffer), 1), Vector(world["victim_address"], 1)
    syscall(world, name, pid, ctypes.create_string_buffer(bytes(here)), 1,
            ctypes.create_string_buffer(bytes(there)), 1, 0)


@act
def read_memory(world):
    transfer(world, "process_vm_readv", world["victim"])


@act
def write_memory(world):
    transfer(world, "process_vm_writev", world["victim"])


@act
def open_memory(world):
    with open(f"/proc/{world['victim']}/mem", "rb", buffering=0) as memory:
        memory.seek(world["victim_address"])
        memory.read(1)


@act
def memory_of_driver(world):
    with open(f"/proc/{world['driver']}/maps") as maps:
        if not maps.read(1):
            raise Refused


@act
def steal_descriptor(world):
    number = syscall(world, "pidfd_open", world["victim"], 0)
    os.close(syscall(world, "pidfd_getfd", number, 0, 0))


@act
def steal_descriptor_of_driver(world):
    number = syscall(world, "pidfd_open", world["driver"], 0)
    os.close(syscall(world, "pidfd_getfd", number, 0, 0))


@act
def compare(world):
    syscall(world, "kcmp", world["victim"], os.getpid(), 1, 0, 0)


@act
def advise(world):
    number = syscall(world, "pidfd_open", world["victim"], 0)
    vector = Vector(world["victim_address"] & ~4095, 4096)
    syscall(world, "process_madvise", number, ctypes.create_string_buffer(bytes(vector)), 1, 20, 0)


# ---- seeing ----

@act
def command_line(world):
    with open(f"/proc/{world['victim']}/cmdline") as file:
        if world["mark"] not in file.read():
            raise Refused("another's")


@act
def environment(world):
    with open(f"/proc/{world['victim']}/environ") as file:
        if world["mark"] not in file.read():
            raise Refused("another's")


@act
def list_processes(world):
    """Anybody who is not of our tree."""
    with open("/proc/self/stat") as file:
        session = file.read().rpartition(")")[2].split()[3]
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/cmdline") as file:
                if "victim" + world["mark"] in file.read():
                    return
        except OSError:
            pass
    raise Refused(f"session {session} sees nobody")


@act
def process_exists(world):
    """What kill(2) says about a number."""
    try:
        os.kill(world["victim"], 0)
    except PermissionError:
        if world["confined"] and world["tier"] < 2:
            raise
    # allowed, or forbidden: it is there


@act
def priority_of_another(world):
    os.getpriority(os.PRIO_PROCESS, world["victim"])
    with open(f"/proc/{world['victim']}/stat") as file:
        if not file.read():
            raise Refused


# ---- 19: signals ----

@act
def signal_victim(world):
    os.kill(world["victim"], 0)


@act
def stop_victim(world):
    os.kill(world["victim"], signal.SIGSTOP)
    os.kill(world["victim"], signal.SIGCONT)


@act
def signal_driver(world):
    os.kill(world["driver"], 0)


@act
def signal_by_descriptor(world):
    number = syscall(world, "pidfd_open", world["victim"], 0)
    syscall(world, "pidfd_send_signal", number, 0, None, 0)


@act
def signal_thread(world):
    syscall(world, "tgkill", world["victim"], world["victim"], 0)


@act
def queue_signal(world):
    information = ctypes.create_string_buffer(128)
    ctypes.cast(information, ctypes.POINTER(ctypes.c_int))[2] = -1
    syscall(world, "rt_sigqueueinfo", world["victim"], 0, information)


@act
def signal_by_file(world):
    """The kernel sends it when there is something to read. URG does nothing to who does not wait for it."""
    reader, writer = os.pipe()
    fcntl.fcntl(reader, fcntl.F_SETOWN, world["victim"])
    fcntl.fcntl(reader, 10, signal.SIGURG)  # F_SETSIG
    fcntl.fcntl(reader, fcntl.F_SETFL, os.O_ASYNC)
    os.write(writer, b"x")
    if fcntl.fcntl(reader, fcntl.F_GETOWN) != world["victim"]:
        raise Refused


@act
def signal_group(world):
    os.kill(-world["victim"], 0)


@act
def signal_everybody(world):
    """Whom would it reach? Somebody but ourselves and those that run us."""
    os.kill(-1, 0)
    if world["confined"] and world["tier"] >= 2:
        raise Refused("our own tree alone")
    if world["confined"] and _reaches_victim(world) is False:
        raise Refused("our own tree alone")


def _reaches_victim(world):
    try:
        os.kill(world["victim"], 0)
        return True
    except OSError:
        return False


# ---- 31: limits, priorities ----

@act
def raise_limit(world):
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard + 1))
    except ValueError as error:
        raise PermissionError(errno.EPERM, str(error)) from None


@act
def limit_victim(world):
    limits = resource.prlimit(world["victim"], resource.RLIMIT_CORE)
    resource.prlimit(world["victim"], resource.RLIMIT_CORE, limits)


@act
def limits_of_victim(world):
    resource.prlimit(world["victim"], resource.RLIMIT_NOFILE)


@act
def nice_victim(world):
    os.setpriority(os.PRIO_PROCESS, world["victim"], os.getpriority(os.PRIO_PROCESS, world["victim"]))


@act
def nice_up(world):
    now = os.getpriority(os.PRIO_PROCESS, 0)
    if now == 19:
        raise Absent("it has the lowest there is")
    os.setpriority(os.PRIO_PROCESS, 0, min(now + 3, 19))
    os.setpriority(os.PRIO_PROCESS, 0, now)


@act
def nice_user(world):
    """All of the user's processes at once, those outside too. Never as root: that is the whole machine."""
    if os.geteuid() == 0:
        raise Absent("it would reach everybody")
    os.setpriority(os.PRIO_USER, 0, 19)
    if os.getpriority(os.PRIO_PROCESS, world["victim"]) != 19 and world["confined"] and world["tier"] >= 2:
        raise Refused("our own")


@act
def bind_victim(world):
    os.sched_setaffinity(world["victim"], os.sched_getaffinity(0))


@act
def schedule_victim(world):
    os.sched_setscheduler(world["victim"], os.SCHED_OTHER, os.sched_param(0))


@act
def real_time(world):
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))


@act
def real_time_disk(world):
    syscall(world, "ioprio_set", 1, 0, 1 << 13)


@act
def disk_priority_of_victim(world):
    syscall(world, "ioprio_set", 1, world["victim"], 2 << 13 | 4)


# ---- 20: many ----

@act
def fork_many(world):
    """Three times as many as there may be."""
    wanted, children = 3 * world["processes"], []
    try:
        while len(children) < wanted:
            pid = os.fork()
            if pid == 0:
                time.sleep(60)
                os._exit(0)
            children.append(pid)
    finally:
        for pid in children:
            os.kill(pid, signal.SIGKILL)
        for pid in children:
            os.waitpid(pid, 0)


@act
def threads_many(world):
    wanted, stop = 3 * world["processes"], threading.Event()
    threading.stack_size(65536)
    try:
        for _ in range(wanted):
            threading.Thread(target=stop.wait, daemon=True).start()
    except RuntimeError as error:
        raise BlockingIOError(errno.EAGAIN, str(error)) from None
    finally:
        stop.set()


@act
def fork_tree(world):
    """The same in depth: every child forks the next one."""
    reader, writer = os.pipe()
    wanted = 3 * world["processes"]
    first = os.getpid()
    for number in range(wanted):
        try:
            pid = os.fork()
        except OSError:
            os.write(writer, b"!")
            time.sleep(60)
        if pid == 0:
            if number == wanted - 1:
                os.write(writer, b".")
            continue
        break
    if os.getpid() != first or os.read(reader, 1) != b"!":
        if os.getpid() == first:
            return
        time.sleep(60)
    raise BlockingIOError(errno.EAGAIN, "no more")


# ---- 21, 22, 23: survivors. Whether they are gone is for the host to see ----

@act
def daemon(world):
    """Twice forked, deaf, a session of its own; writes down that it is still there, later."""
    reader, writer = os.pipe()
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            for number in range(1, 65):
                try:
                    signal.signal(number, signal.SIG_IGN)
                except (OSError, ValueError):
                    pass
            os.write(writer, b".")
            time.sleep(0.3)
            with open(world["hidden"] + "/alive", "a") as file:
                file.write("daemon\n")
            while True:
                time.sleep(60)
        os._exit(0)
    os.read(reader, 1)


@act
def brother(world):
    native(world, "brother")


def start_native(world, name, *words):
    """A program that goes on after it has said that it began."""
    process = subprocess.Popen([world["native"], name, *map(str, words)], stdout=subprocess.PIPE)
    if not process.stdout.readline():
        raise Refused("it did not begin")
    return process


@act
def relay(world):
    start_native(world, "relay")


@act
def disguise(world):
    start_native(world, "disguise")


@act
def vfork(world):
    subprocess.Popen([world["native"], "vfork"])


@act
def crowd(world):
    start_native(world, "crowd", 100)


# ---- programs: they run until they are ended ----

@act
def crowd_and_wait(world):
    start_native(world, "crowd", 100)
    print("ready", flush=True)
    while True:
        time.sleep(60)


@act
def relay_and_wait(world):
    start_native(world, "relay")
    while True:
        time.sleep(60)


@act
def forks_and_wait(world):
    start_native(world, "forks", 3 * world["processes"])
    while True:
        time.sleep(60)


@act
def kill_everybody(world):
    """Only where signal_everybody was refused."""
    if _reaches_victim(world):
        raise Refused("too dangerous here")
    os.kill(-1, signal.SIGKILL)


@act
def kill_group(world):
    """The fork server is in another one: of all that it has this one alone ends."""
    if not world["confined"]:
        raise Refused("too dangerous here")
    os.kill(0, signal.SIGKILL)


def signal_parent(world, *numbers):
    parent = os.getppid()
    if parent in (world["driver"], world["runner"]) or not world["confined"]:
        raise Refused("too dangerous here")
    for number in numbers:
        os.kill(parent, number)
    time.sleep(0.05)


@act
def kill_parent(world):
    """The keeper, the init, the fork server: whoever it is that waits for us."""
    signal_parent(world, signal.SIGTERM, signal.SIGKILL)


@act
def stop_parent(world):
    """It can neither report nor end us."""
    signal_parent(world, signal.SIGSTOP)
    time.sleep(3600)


# ---- 61: siblings ----

@act
def look_for_sibling(world):
    """Another sandbox runs beside us, as the same user: its file is in its scratch, its mark in its name."""
    for directory in ("/tmp", "/dev/shm", "/var/tmp", os.environ.get("TMPDIR", "/tmp")):
        for top, _, names in os.walk(directory):
            if "sibling" + world["mark"] in names:
                return
    raise Refused


@act
def signal_sibling(world):
    os.kill(world["sibling"], 0)


@act
def sibling_memory(world):
    with open(f"/proc/{world['sibling']}/mem", "rb", buffering=0):
        pass


@act
def sibling_directory(world):
    os.listdir(f"/proc/{world['sibling']}/cwd/")


@act
def be_sibling(world):
    with open(os.path.join(os.environ.get("TMPDIR", "/tmp"), "sibling" + world["mark"]), "w"):
        pass
    print("here", flush=True)
    time.sleep(60)
