"""To become somebody else; and what is allowed, because programs need it."""
import ctypes
import errno
import mmap
import os
import shutil
import subprocess

from act import LIBC, Absent, Refused, act, checked, native, syscall


def copy(world, name="program"):
    """Of a program, into our scratch."""
    path = os.path.join(os.environ.get("TMPDIR", "/tmp"), f"{name}.{os.getpid()}")
    shutil.copyfile(world["native"], path)
    os.chmod(path, 0o755)
    return path


# ---- 39: privileges ----

@act
def set_user_id(world):
    """A program that is root's, and runs as root whoever starts it."""
    if not world["suid"]:
        raise Absent("no set-user-ID program: the tests did not begin as root")
    native({**world, "native": world["suid"]}, "whoami")


@act
def become_root(world):
    os.setresuid(0, 0, 0)
    if os.geteuid() != 0:
        raise Refused


@act
def become_other(world):
    os.setresgid(4321, 4321, 4321)
    os.setresuid(4321, 4321, 4321)


@act
def be_root(world):
    """Not only by number: whoever is 0 outside owns the machine's files."""
    if os.geteuid() == 0 and not os.path.exists("/proc/self/uid_map"):
        return
    with open("/proc/self/uid_map") as file:
        for line in file:
            inside, outside, count = map(int, line.split())
            if inside <= os.geteuid() < inside + count and outside + os.geteuid() - inside == 0:
                return
    raise Refused


@act
def have_capabilities(world):
    with open("/proc/self/status") as file:
        sets = dict(line.split(":\t", 1) for line in file if line.startswith("Cap"))
    if not any(int(sets[name], 16) for name in ("CapEff", "CapPrm", "CapInh", "CapAmb")):
        raise Refused


@act
def gain_by_exec(world):
    """Whether the kernel may give privileges to what is executed."""
    with open("/proc/self/status") as file:
        if "NoNewPrivs:\t1" in file.read():
            raise Refused


@act
def give_capability(world):
    """To a file of ours."""
    path = copy(world, "capable")
    os.setxattr(path, "security.capability",
                bytes.fromhex("0100000280000000000000000000000000000000"))


@act
def make_set_user_id(world):
    """In our scratch, for somebody outside to run."""
    path = copy(world, "setuid")
    os.chmod(path, 0o4755)
    if world["confined"]:
        raise Refused("nobody outside finds it")


@act
def switch_user(world):
    if not shutil.which("su"):
        raise Absent("no su")
    done = subprocess.run(["su", "-c", "id -u"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, timeout=4)
    if done.stdout.strip() != b"0":
        raise Refused


@act
def groups_of_others(world):
    os.setgroups([0])


# ---- 40: new code; what the default allows, and the strict profile refuses ----

@act
def run_memory_file(world):
    number = syscall(world, "memfd_create", b"program", 0)
    with open(world["native"], "rb") as file:
        os.write(number, file.read())
    pid = os.fork()
    if pid == 0:
        os.execve(number, ["native", "numbers"], {})
    if os.waitpid(pid, 0)[1] != 0:
        raise Refused


@act
def run_from_scratch(world):
    native({**world, "native": copy(world)}, "setuid", os.getuid())


@act
def writable_code(world):
    """Memory that is written and executed."""
    memory = mmap.mmap(-1, 4096, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS,
                       mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    if os.uname().machine == "x86_64":
        memory.write(b"\xb8\x2a\0\0\0\xc3")  # return 42
        function = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(memory)))
        if function() != 42:
            raise Refused


@act
def code_made_later(world):
    """First written, then made executable."""
    memory = mmap.mmap(-1, 4096, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, mmap.PROT_READ | mmap.PROT_WRITE)
    address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    checked(LIBC.mprotect(ctypes.c_void_p(address), ctypes.c_size_t(4096), mmap.PROT_READ | mmap.PROT_EXEC))


# ---- 62: programs that confine themselves ----

@act
def confine_by_filter(world):
    """As a browser does, or a test of its own."""
    code = (ctypes.c_uint64 * 1)(0x7fff000000000006)  # allow everything
    program = ctypes.create_string_buffer(ctypes.sizeof(ctypes.c_void_p) * 2)
    ctypes.c_ushort.from_buffer(program).value = 1
    ctypes.c_void_p.from_buffer(program, 8).value = ctypes.addressof(code)
    checked(LIBC.prctl(38, 1, 0, 0, 0))
    syscall(world, "seccomp", 1, 0, program)


@act
def confine_by_landlock(world):
    rules = ctypes.create_string_buffer((1 << 2).to_bytes(8, "little"), 8)
    number = syscall(world, "landlock_create_ruleset", rules, 8, 0)
    checked(LIBC.prctl(38, 1, 0, 0, 0))
    syscall(world, "landlock_restrict_self", number, 0)
