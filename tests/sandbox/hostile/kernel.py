"""System calls that no program has any business with, and terminals."""
import ctypes
import errno
import fcntl
import os
import signal
import socket
import struct
import time

from act import LIBC, Absent, Refused, act, checked, native, permitted, syscall

NEW_USER, NEW_NET, NEW_PID, NEW_MOUNTS = 0x10000000, 0x40000000, 0x20000000, 0x00020000


def x86():
    if os.uname().machine != "x86_64":
        raise Absent("another machine")


# ---- 17: other numbers ----

@act
def int80(world):
    x86()
    native(world, "int80")


@act
def x32(world):
    x86()
    try:
        native(world, "x32")
    except OSError as error:
        if error.errno == errno.ENOSYS and not world["confined"]:
            raise Absent("the kernel has no x32") from None
        raise


@act
def unknown_number(world):
    """Must not be there, and must not kill: C libraries try and fall back."""
    ctypes.set_errno(0)
    checked(LIBC.syscall(ctypes.c_long(9999)))


@act
def young_number(world):
    """A call that is there, but younger than the lists of libraries are."""
    try:
        syscall(world, "open_tree_attr", -100, b"/", 1, None, 0)
    except OSError as error:
        if error.errno == errno.ENOSYS and not world["confined"]:
            raise Absent("an older kernel") from None
        raise


# ---- 34: terminals ----

def terminal(world):
    if not world["terminal"]:
        raise Absent("no terminal")
    return world["terminal"]


@act
def open_terminal(world):
    os.close(os.open("/dev/tty", os.O_RDWR))


@act
def write_to_terminal(world):
    number = os.open(terminal(world), os.O_RDWR | os.O_NOCTTY)
    os.write(number, b"\x1b]0;changed\x07")


@act
def type_into_terminal(world):
    number = os.open(terminal(world), os.O_RDWR)
    fcntl.ioctl(number, 0x5412, b"#")  # TIOCSTI


@act
def type_into_standard(world):
    for number in (0, 1, 2):
        try:
            fcntl.ioctl(number, 0x5412, b"#")
            return
        except OSError as error:
            failure = error
    raise failure


def permitted_on_terminal(request):
    """On a terminal of our own: whether the filter lets the request through, however it is written."""
    os.setsid()
    _, theirs = os.openpty()
    fcntl.ioctl(theirs, 0x540E, 0)  # TIOCSCTTY
    try:
        checked(LIBC.ioctl(theirs, ctypes.c_ulong(request), ctypes.create_string_buffer(b"\x04")))
    except OSError as error:
        if error.errno in (errno.EPERM, errno.ENOSYS):
            raise


@act
def type_with_high_bits(world):
    """The kernel looks at 32 bits of the request; a filter that looks at 64 is blind."""
    permitted_on_terminal(0x100005412)


@act
def paste_into_console(world):
    permitted_on_terminal(0x541C)  # TIOCLINUX


@act
def line_discipline(world):
    _, theirs = os.openpty()
    try:
        checked(LIBC.ioctl(theirs, ctypes.c_ulong(0x5423), ctypes.byref(ctypes.c_int(99))))
    except OSError as error:
        if error.errno in (errno.EPERM, errno.ENOSYS):
            raise


@act
def take_foreground(world):
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    number = os.open(terminal(world), os.O_RDWR | os.O_NOCTTY)
    os.tcsetpgrp(number, os.getpgrp())


# ---- 35: keys ----

USER_KEYRING = -4


@act
def leave_key(world):
    number = syscall(world, "add_key", b"user", b"oe-abuse", b"secret", 6, USER_KEYRING)
    if not world["confined"]:
        syscall(world, "keyctl", 9, number, USER_KEYRING)  # unlink: it would stay


@act
def find_key(world):
    """What another run may have left."""
    if not world["confined"]:
        syscall(world, "add_key", b"user", b"oe-abuse", b"secret", 6, -1)  # of this thread
    syscall(world, "request_key", b"user", b"oe-abuse", None, 0)


@act
def read_keyring(world):
    buffer = ctypes.create_string_buffer(256)
    syscall(world, "keyctl", 11, USER_KEYRING, buffer, 256)


# ---- 36: messages for others ----


def key(world):
    """The same in every run of a tier, and in no other."""
    return int(world["mark"][-7:], 16)


def left_file(world):
    return "/dev/shm/abuse-" + world["mark"]


@act
def shared_memory(world):
    number = syscall(world, "shmget", key(world), 4096, 0o1666)
    if not world["confined"]:
        syscall(world, "shmctl", number, 0, None)
    elif world["tier"] >= 2:
        raise Refused("nobody shares it")


@act
def semaphores(world):
    number = syscall(world, "semget", key(world), 1, 0o1666)
    if not world["confined"]:
        syscall(world, "semctl", number, 0, 0)
    elif world["tier"] >= 2:
        raise Refused("nobody shares it")


@act
def message_queue(world):
    number = syscall(world, "msgget", key(world), 0o1666)
    if not world["confined"]:
        syscall(world, "msgctl", number, 0, None)
    elif world["tier"] >= 2:
        raise Refused("nobody shares it")


@act
def posix_queue(world):
    number = syscall(world, "mq_open", b"oe-abuse", os.O_CREAT | os.O_RDWR, 0o666, None)
    os.close(number)
    if not world["confined"]:
        syscall(world, "mq_unlink", b"oe-abuse")
    elif world["tier"] >= 2:
        raise Refused("nobody shares it")


@act
def leave_in_memory_files(world):
    """The next evaluation looks: find_in_memory_files."""
    with open(left_file(world), "w"):
        pass
    if world["confined"]:
        raise Refused("ours alone, if the next one does not find it")
    os.unlink(left_file(world))


@act
def find_in_memory_files(world):
    if not world["confined"]:
        with open(left_file(world), "w"):
            pass
    os.unlink(left_file(world))


@act
def find_shared_memory(world):
    """What the host has there."""
    syscall(world, "shmget", world["shared_memory"], 1, 0)


@act
def lease(world):
    """Whoever opens the file waits for us."""
    number = os.open(world["shown"] + "/leased", os.O_RDONLY)
    fcntl.fcntl(number, fcntl.F_SETLEASE, fcntl.F_RDLCK)


@act
def directory_notice(world):
    number = os.open(world["shown"], os.O_RDONLY)
    fcntl.fcntl(number, fcntl.F_NOTIFY, 0x80000000 | 2)


# ---- 37: namespaces ----

@act
def unshare_user(world):
    syscall(world, "unshare", NEW_USER)


@act
def unshare_mounts(world):
    syscall(world, "unshare", NEW_MOUNTS)


@act
def unshare_net(world):
    syscall(world, "unshare", NEW_USER | NEW_NET)


def cloned(result):
    if result == 0:
        os._exit(0)
    os.waitpid(result, 0)


@act
def clone_user(world):
    cloned(syscall(world, "clone", NEW_USER | 17, 0, 0, 0, 0))


@act
def clone3_user(world):
    """Its flags are in memory, where no filter sees them."""
    cloned(syscall(world, "clone3", struct.pack("=QQQQQQQQ", NEW_USER, 0, 0, 0, 17, 0, 0, 0), 64))


@act
def enter_namespace(world):
    number = os.open("/proc/self/ns/user", os.O_RDONLY)
    try:
        syscall(world, "setns", number, 0)
    except OSError as error:
        if error.errno != errno.EINVAL:  # our own: it would have been done with another's
            raise


# ---- 38: the rest ----

@act
def berkeley_filter(world):
    permitted(world, "bpf", 0, struct.pack("=IIII", 1, 4, 4, 1) + b"\0" * 56, 72)


@act
def performance_counters(world):
    os.close(syscall(world, "perf_event_open", struct.pack("=IIQQQQQ", 1, 112, 0, 0, 0, 0, 0x61) + b"\0" * 64,
                     0, -1, -1, 0))


@act
def user_faults(world):
    os.close(syscall(world, "userfaultfd", os.O_CLOEXEC | 1))


@act
def local_descriptors(world):
    x86()
    syscall(world, "modify_ldt", 0, ctypes.create_string_buffer(16), 16)


@act
def port_level(world):
    x86()
    syscall(world, "iopl", 0)
    syscall(world, "ioperm", 0x80, 1, 1)


@act
def load_kernel(world):
    permitted(world, "kexec_load", 0, 0, None, 0xffffffff)


@act
def load_module(world):
    permitted(world, "init_module", None, 0, b"")


@act
def load_module_by_file(world):
    permitted(world, "finit_module", -1, b"", 0)


@act
def unload_module(world):
    permitted(world, "delete_module", b"no such module", 0o4000)


@act
def restart(world):
    permitted(world, "reboot", 1, 2, 3, None)  # no magic numbers


@act
def kernel_log(world):
    syscall(world, "syslog", 10, None, 0)


@act
def swap_on(world):
    permitted(world, "swapon", b"/nowhere", 0)


@act
def swap_off(world):
    permitted(world, "swapoff", b"/nowhere")


@act
def accounting(world):
    permitted(world, "acct", b"/nowhere")


@act
def quotas(world):
    permitted(world, "quotactl", 0x800003 << 8, b"/nowhere", 0, None)


@act
def set_clock(world):
    """To what it is."""
    now = time.clock_gettime(time.CLOCK_REALTIME)
    if world["confined"]:
        permitted(world, "clock_settime", 0, struct.pack("=qq", int(now), int(now % 1 * 1e9)))
    elif os.geteuid() != 0:
        raise PermissionError(errno.EPERM, "as the kernel would say")


@act
def set_time_zone(world):
    permitted(world, "settimeofday", None, b"\0" * 8)


@act
def host_name(world):
    name = socket.gethostname().encode()
    syscall(world, "sethostname", name, len(name))


@act
def domain_name(world):
    permitted(world, "setdomainname", None, 70000)


@act
def watch_file_system(world):
    os.close(syscall(world, "fanotify_init", 0x200 | 0x400 | 1, os.O_RDONLY))


@act
def hang_up(world):
    if os.geteuid() != 0 and not world["confined"]:
        raise PermissionError(errno.EPERM, "as the kernel would say")
    if world["confined"]:
        syscall(world, "vhangup")


@act
def move_pages_of_another(world):
    syscall(world, "move_pages", world["victim"], 0, None, None, None, 0)


@act
def hidden_memory(world):
    """Memory that no limit counts."""
    os.close(syscall(world, "memfd_secret", 0))


@act
def personality_without_layout(world):
    """No randomness of addresses for what is executed next."""
    syscall(world, "personality", 0x0040000)
