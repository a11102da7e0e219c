"""Ways to run a hostile program: through the library, in a tier, or with nothing in its way."""
import contextlib
import fcntl
import json
import os
import pathlib
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import termios
import time

import programs
from world import PYTHON

DRIVER_SECONDS = 30  # for an answer, beyond the deadline it was given


class DriverFailed(Exception):
    pass


class Stage:
    """A copy of what was built, in a place that every user may read: the checkout may be where only root is."""

    NAMES = ("sandbox_driver", "sandbox_native", "sandbox_without")

    def __init__(self, build):
        build = pathlib.Path(build)
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="abuse-stage-"))
        os.chmod(self.directory, 0o755)
        for name in self.NAMES:
            shutil.copy(build / "tests/sandbox" / name, self.directory)
        for path in (build / "lib").iterdir():
            if path.is_file() and path.suffix != ".a" and not path.name.endswith(".symbols"):
                shutil.copy(path, self.directory)
        self.driver, self.native, self.without = (str(self.directory / name) for name in self.NAMES)

    def close(self):
        shutil.rmtree(self.directory, ignore_errors=True)


# ---- what there is of processes ----

def state_of(pid):
    """(state, parent) or None."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
        return fields[0], int(fields[1])
    except (OSError, IndexError):
        return None


def everybody():
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def name_of(pid):
    """What it is, for messages."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            words = file.read().replace(b"\0", b" ").decode(errors="replace")
        with open(f"/proc/{pid}/comm") as file:
            return f"{pid} {state_of(pid)} {file.read().strip()}: {words[:80]}"
    except OSError:
        return f"{pid}"


def program_of(pid):
    """The file that it runs."""
    with contextlib.suppress(OSError):
        return os.readlink(f"/proc/{pid}/exe")


def marked(mark):
    """Live processes with the mark in their environment or command line."""
    found = []
    wanted = mark.encode()
    for pid in everybody():
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as one, open(f"/proc/{pid}/environ", "rb") as two:
                text = one.read() + two.read()
        except OSError:
            continue
        state = state_of(pid)
        if wanted in text and state and state[0] not in "ZX":
            found.append(pid)
    return found


def below(pid):
    """All that descend from a process, as far as parents tell."""
    children = {}
    for one in everybody():
        state = state_of(one)
        if state and state[0] not in "ZX":
            children.setdefault(state[1], []).append(one)
    found, todo = [], [pid]
    while todo:
        more = children.get(todo.pop(), [])
        found += more
        todo += more
    return found


class Pen:
    """A control group of the tests' own around a driver: whatever is started in it, and flees from everybody,
    is still counted and can be killed. None where that cannot be had."""

    ROOTS = ("/sys/fs/cgroup/unified", "/sys/fs/cgroup")

    def __init__(self):
        self.path = None
        for root in self.ROOTS:
            path = os.path.join(root, f"abuse-{os.getpid()}-{time.monotonic_ns()}")
            if not os.path.exists(os.path.join(root, "cgroup.procs")):
                continue
            with contextlib.suppress(OSError):
                os.mkdir(path)
                if os.path.exists(os.path.join(path, "cgroup.kill")):
                    self.path = path
                    self.gate = os.open(path + "/cgroup.procs", os.O_WRONLY)
                    return
                os.rmdir(path)

    @classmethod
    def possible(cls):
        pen = cls()
        pen.close()
        return pen.path is not None

    def enter(self):
        """For a child, whichever user it is: the gate was opened by us."""
        if self.path:
            os.write(self.gate, b"0")

    def inside(self):
        """Of those in it, and in groups made below it."""
        found = set()
        for directory, _, _ in os.walk(self.path) if self.path else ():
            with contextlib.suppress(OSError), open(directory + "/cgroup.procs") as file:
                found |= {int(line) for line in file}
        return found

    def close(self):
        if not self.path:
            return
        os.close(self.gate)
        with contextlib.suppress(OSError), open(self.path + "/cgroup.kill", "w") as file:
            file.write("1")
        deadline = time.monotonic() + 5
        while self.inside() and time.monotonic() < deadline:
            time.sleep(0.002)
        for directory, _, _ in os.walk(self.path, topdown=False):
            with contextlib.suppress(OSError):
                os.rmdir(directory)


def start(world, pen, command, **how):
    """A program that is careless: it has descriptors that go to whatever it starts, and a terminal."""
    sender, receiver = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    leaked = [os.open(world.path("hidden"), os.O_RDONLY | os.O_DIRECTORY),
              os.open(world.path("hidden", "file"), os.O_RDONLY)]
    socket.send_fds(sender, [b"for you"], leaked)
    leaked.append(receiver.detach())
    terminal = os.open(world.terminal, os.O_RDWR | os.O_NOCTTY)

    def begin():
        pen.enter()
        os.setsid()
        with contextlib.suppress(OSError):  # another one may have it already
            fcntl.ioctl(2, termios.TIOCSCTTY, 0)

    try:
        return subprocess.Popen(command, stderr=terminal, pass_fds=leaked,
                                preexec_fn=begin, **how)
    finally:
        sender.close()
        for number in [*leaked, terminal]:
            os.close(number)


class Driver:
    """sandbox_driver, as a user, on a machine that lacks this and that; with a key in its environment, and so in
    its memory."""

    def __init__(self, stage, world, lacks=()):
        self.world = world
        self.pen = Pen()
        words = list(lacks)
        if os.geteuid() == 0 and world.uid != 0:
            words.append(f"uid={world.uid}")
        wrapper = [stage.without, *words, "--"] if words else []
        self.process = start(
            world, self.pen, [*wrapper, stage.driver], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
            env={"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                 "OPENAI_API_KEY": world.key, "LD_LIBRARY_PATH": str(stage.directory)},
            cwd=world.path("start"))

    @property
    def pid(self):
        return self.process.pid

    def send(self, do, **request):
        self.process.stdin.write(json.dumps({"do": do, **request}) + "\n")
        self.process.stdin.flush()

    def receive(self, seconds=DRIVER_SECONDS):
        if not select.select([self.process.stdout], [], [], seconds)[0]:
            raise DriverFailed(f"no answer within {seconds} s")
        line = self.process.stdout.readline()
        if not line:
            raise DriverFailed(f"it ended: status {self.process.wait()}")
        answer = json.loads(line)
        if "wrong" in answer:
            raise DriverFailed(answer["wrong"])
        return answer

    def ask(self, do, **request):
        self.send(do, **request)
        return self.receive(DRIVER_SECONDS + request.get("timeout_ms", 0) / 1000)

    # ---- what it has ----

    def facts(self):
        """Descriptors, limits, priority, directory, threads: what no run may change."""
        with open(f"/proc/{self.pid}/limits") as file:
            limits = file.read()
        return {"descriptors": len(os.listdir(f"/proc/{self.pid}/fd")), "limits": limits,
                "threads": len(os.listdir(f"/proc/{self.pid}/task")),
                "directory": os.readlink(f"/proc/{self.pid}/cwd"),
                "priority": os.getpriority(os.PRIO_PROCESS, self.pid),
                "processors": os.sched_getaffinity(self.pid)}

    def family(self):
        """All processes that it has, its own aside."""
        return self.pen.inside() - {self.pid} if self.pen.path else set(below(self.pid))

    def close(self):
        """Politely first. Returns what had to be killed."""
        with contextlib.suppress(OSError):
            self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        left = self.settled(set(), 1)
        self.pen.close()
        self.process.stdout.close()
        return left

    def settled(self, before, seconds):
        """Processes that were not there before, and are still there after a while."""
        deadline = time.monotonic() + seconds
        while True:
            more = {pid for pid in self.family() - before if (state_of(pid) or "X")[0] not in "ZX"}
            if not more or time.monotonic() > deadline:
                return more
            time.sleep(0.002)


# ---- with nothing in the way ----

def bare(world, names, seconds, **more):
    """What the acts come to if nobody forbids anything: {name: outcome}; and whether they had to be ended."""
    command = [PYTHON, "-B", world.path("programs", "act.py"),
               json.dumps(world.describe(confined=False, modules=programs.modules_of(
                   [name.lstrip("!") for name in names]), **more)), *names]
    pen = Pen()
    with tempfile.TemporaryFile() as said:  # not a pipe: who survives would keep it open
        os.fchmod(said.fileno(), 0o666)
        process = start(world, pen, command, stdin=subprocess.DEVNULL, stdout=said, cwd=world.path("start"),
                        env={"PATH": os.environ["PATH"], "HOME": world.path("temporary"),
                             "TMPDIR": world.path("temporary"), "OPENAI_API_KEY": world.key}, **world.as_user())
        try:
            process.wait(seconds)
            late = False
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            late = True
        pen.close()
        said.seek(0)
        lines = said.read().decode(errors="replace").splitlines()
    outcomes = {}
    for line in lines:
        with contextlib.suppress(ValueError, KeyError, TypeError):
            one = json.loads(line)
            outcomes[one["act"]] = one["outcome"]
    return outcomes, late
