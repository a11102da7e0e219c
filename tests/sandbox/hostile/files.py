"""What is private, what is shown, and what must not change."""
import ctypes
import errno
import os
import socket
import struct
import subprocess
import sys
import time

from act import LIBC, Absent, Refused, act, checked, permitted, syscall


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


# ---- 6: descriptors ----

def inherited():
    return [number for number in map(int, os.listdir("/proc/self/fd")) if number > 2]


def foreign_descriptors():
    """All but what this interpreter opened itself; without trusting /proc."""
    for number in range(3, 4096):
        try:
            yield number, os.fstat(number)
        except OSError:
            pass


@act
def leaked_directory(world):
    for number, _ in foreign_descriptors():
        try:
            os.close(os.open("..", os.O_RDONLY | os.O_DIRECTORY, dir_fd=number))
            return
        except OSError:
            pass
    raise Refused


@act
def leaked_file(world):
    secret = world["mark"].encode()
    for number, _ in foreign_descriptors():
        try:
            if secret in os.pread(number, 4096, 0):
                return
        except OSError:
            pass
    raise Refused


@act
def leaked_by_name(world):
    """What /proc says that our descriptors are."""
    for number, _ in foreign_descriptors():
        try:
            if os.readlink(f"/proc/self/fd/{number}").startswith(world["hidden"]):
                return
        except OSError:
            pass
    raise Refused


@act
def descriptors_by_mail(world):
    """From whatever sockets there are."""
    for number, status in foreign_descriptors():
        if status.st_mode & 0o170000 != 0o140000:
            continue
        try:
            with socket.socket(fileno=os.dup(number)) as other:
                if other.recvmsg(4096, socket.CMSG_LEN(64), socket.MSG_DONTWAIT | socket.MSG_PEEK)[1]:
                    return
        except OSError:
            pass
    raise Refused


# ---- 7: the magic links of /proc ----

@act
def root_of_parent(world):
    contents(f"/proc/{world['victim']}/root{world['hidden']}/file")


@act
def directory_of_parent(world):
    os.listdir(f"/proc/{world['victim']}/cwd/")


@act
def root_of_init(world):
    for pid in (1, os.getppid()):
        try:
            contents(f"/proc/{pid}/root{world['hidden']}/file")
            return
        except OSError as error:
            failure = error
    raise failure


@act
def own_root(world):
    contents(f"/proc/self/root{world['hidden']}/file")


@act
def program_under_us(world):
    """A descriptor of the program that runs, used when it does not run any more."""
    child = subprocess.Popen([world["shown"] + "/program", "stop"])
    try:
        number = os.open(f"/proc/{child.pid}/exe", os.O_PATH)
    finally:
        child.kill()
        child.wait()
    os.close(os.open(f"/proc/self/fd/{number}", os.O_WRONLY))


@act
def interpreter(world):
    os.close(os.open(os.path.realpath(sys.executable), os.O_WRONLY))


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
