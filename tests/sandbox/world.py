"""What there is to attack: files, sockets, processes, a key; and whether it is as it was."""
import contextlib
import ctypes
import hashlib
import json
import os
import pathlib
import pty
import py_compile
import secrets
import shutil
import socket
import stat
import subprocess
import tempfile
import threading
import tty

import programs

PYTHON = os.environ.get("OE_PYTHON", "/usr/bin/python3")

# A process that does nothing, in the same user's name. It says where a byte of its memory is.
VICTIM = """
import ctypes, signal, sys, time
ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)  # not longer than the tests
byte = ctypes.create_string_buffer(b"v", 8192)
print(ctypes.addressof(byte), flush=True)
while True:
    signal.pause()
"""


class Canary:
    """A tree of files, and all that is to be known of it: content, owner, mode, times, attributes."""

    def __init__(self, *tops):
        self.tops = tops
        self.keep()

    def keep(self):
        self.kept = self.look()

    def look(self):
        found = {}
        for top in self.tops:
            for directory, names, files in os.walk(top):
                for name in [".", *names, *files]:
                    path = os.path.normpath(os.path.join(directory, name))
                    found[path] = self.describe(path)
        return found

    @staticmethod
    def describe(path):
        status = os.lstat(path)
        kind = stat.S_IFMT(status.st_mode)
        content = b""
        if kind == stat.S_IFREG:
            content = pathlib.Path(path).read_bytes()
        elif kind == stat.S_IFLNK:
            content = os.readlink(path).encode()
        attributes = {}
        with contextlib.suppress(OSError):
            attributes = {name: os.getxattr(path, name, follow_symlinks=False)
                          for name in os.listxattr(path, follow_symlinks=False)}
        return (status.st_mode, status.st_uid, status.st_gid, status.st_nlink, status.st_mtime_ns, status.st_size,
                hashlib.sha256(content).hexdigest(), sorted(attributes.items()))

    def changes(self):
        now = self.look()
        return sorted(path for path in {*now, *self.kept} if now.get(path) != self.kept.get(path))


class World:
    """Made once for each tier, since what is changed in one is no canary any more."""

    def __init__(self, native, uid, numbers):
        self.uid, self.native = uid, native
        self.mark = "oe-mark-" + secrets.token_hex(8)
        self.key = "oe-key-" + secrets.token_hex(16)
        self.numbers = numbers
        self.exits = contextlib.ExitStack()
        self.top = tempfile.mkdtemp(prefix="abuse-world-")
        os.chmod(self.top, 0o755)
        self.exits.callback(self.remove)
        for name in ("hidden", "shown"):
            self.make_tree(name)
        self.make_evaluators()
        self.make_programs()
        self.make_directory("writable", 0o777)
        self.put("writable/given", "", 0o666)  # of all: as root each host makes its children somebody else
        self.make_directory("temporary", 0o777)
        self.make_directory("start", 0o777)
        self.put("start/file", "where the host was started\n")
        self.listen()
        self.shared_memory = self.make_shared_memory()
        self.victim, self.victim_address = self.start_victim()
        self.terminal = self.open_terminal()
        self.canary = Canary(self.path("hidden"), self.path("shown"), self.path("evaluators"), self.path("programs"),
                             self.path("start"))

    # ---- files ----

    def path(self, *names):
        return os.path.join(self.top, *names)

    def own(self, path):
        if os.geteuid() == 0:
            os.lchown(path, self.uid, self.uid)

    def make_directory(self, name, mode):
        path = self.path(name)
        os.makedirs(path, exist_ok=True)
        os.chmod(path, mode)
        self.own(path)

    def put(self, name, text, mode=0o666):
        path = self.path(name)
        with open(path, "w") as file:
            file.write(text)
        os.chmod(path, mode)
        self.own(path)

    def make_tree(self, name):
        """Everybody may do everything with it, as far as its modes go: what else stops them is the point."""
        self.make_directory(name, 0o777)
        self.make_directory(f"{name}/.ssh", 0o777)
        self.put(f"{name}/file", f"{self.mark}\n", 0o644)
        self.put(f"{name}/.ssh/id_ed25519", f"PRIVATE {self.mark}\n", 0o644)
        for spare in ("open", "spare1", "spare2", "spare4", "leased"):
            self.put(f"{name}/{spare}", "as it was\n")
        with contextlib.suppress(OSError):
            os.setxattr(self.path(name, "open"), "user.canary", b"alive")
        shutil.copyfile(self.native, self.path(name, "program"))
        os.chmod(self.path(name, "program"), 0o777)
        self.own(self.path(name, "program"))
        os.symlink("file", self.path(name, "link"))
        if name == "shown":
            os.symlink(self.path("hidden", "file"), self.path(name, "out"))
            if os.geteuid() == 0:
                shutil.copyfile(self.native, self.path(name, "suid"))
                os.chmod(self.path(name, "suid"), 0o4755)

    def make_evaluators(self):
        """Evaluators, and what they have beside them."""
        self.make_directory("evaluators", 0o777)
        self.make_directory("evaluators/__pycache__", 0o777)
        for path in programs.DIRECTORY.glob("evaluator*.py"):
            self.put(f"evaluators/{path.name}", path.read_text())
        self.put("evaluators/data.txt", "data")

    def make_programs(self):
        """The hostile ones, where every confined process may read them."""
        self.make_directory("programs", 0o755)
        self.make_directory("programs/__pycache__", 0o755)
        for path in programs.DIRECTORY.glob("*.py"):
            if path.name.startswith("evaluator"):
                continue
            self.put(f"programs/{path.name}", path.read_text(), 0o644)
            made = py_compile.compile(self.path("programs", path.name), doraise=True,
                                      invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
            self.own(made)
        shutil.copyfile(self.native, self.path("programs/native"))
        os.chmod(self.path("programs/native"), 0o755)
        self.own(self.path("programs/native"))

    def remove(self):
        """Deeper than Python can go."""
        subprocess.run(["chmod", "-R", "u+rwx", self.top], stderr=subprocess.DEVNULL, check=False)
        subprocess.run(["rm", "-rf", self.top], check=True)

    def restore(self):
        """After a tier in which files can be changed: as they were."""
        for name in ("hidden", "shown", "evaluators"):
            with os.scandir(self.path(name)) as entries:  # the directory itself is where processes are
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        shutil.rmtree(entry.path)
                    else:
                        os.unlink(entry.path)
        for name in ("hidden", "shown"):
            self.make_tree(name)
            self.bind_socket(name)
        self.make_evaluators()
        self.canary.keep()

    # ---- processes ----

    def as_user(self):
        """For Popen: how to be the user of the tier."""
        return {"user": self.uid, "group": self.uid, "extra_groups": []} if os.geteuid() == 0 else {}

    def start_victim(self):
        process = subprocess.Popen([PYTHON, "-c", VICTIM, "victim" + self.mark], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, text=True, cwd=self.path("hidden"),
                                   env={"MARK": self.mark, "OPENAI_API_KEY": self.key}, start_new_session=True,
                                   **self.as_user())
        self.exits.callback(process.wait)
        self.exits.callback(process.kill)
        return process, int(process.stdout.readline())

    def renew_victim(self):
        self.victim.kill()
        self.victim.wait()
        self.victim, self.victim_address = self.start_victim()
        del self.victim_facts
        self.victim_is_well()

    def victim_is_well(self):
        """Alive, not stopped, with the limits, priority and processors that it had."""
        def facts():
            with open(f"/proc/{self.victim.pid}/stat") as file:
                fields = file.read().rpartition(")")[2].split()
            with open(f"/proc/{self.victim.pid}/limits") as file:
                limits = file.read()
            return fields[0] not in "TtZX", fields[15:17], limits, os.sched_getaffinity(self.victim.pid)

        if self.victim.poll() is not None:
            return False
        if not hasattr(self, "victim_facts"):
            self.victim_facts = facts()
        return facts() == self.victim_facts and self.victim_facts[0]

    # ---- sockets ----

    def serve(self, one, answer):
        """Until it is closed: whoever comes is welcome."""
        def loop():
            with contextlib.suppress(OSError):
                while True:
                    answer(one)

        threading.Thread(target=loop, daemon=True).start()
        self.exits.callback(one.close)
        self.exits.callback(lambda: one.shutdown(socket.SHUT_RDWR) if one.type == socket.SOCK_STREAM else None)

    def bind_socket(self, name):
        unix = socket.socket(socket.AF_UNIX)
        unix.bind(self.path(name, "socket"))
        unix.listen(64)
        os.chmod(self.path(name, "socket"), 0o777)
        self.own(self.path(name, "socket"))
        self.serve(unix, lambda one: one.accept()[0].close())

    def listen(self):
        accept = lambda one: one.accept()[0].close()
        tcp, tcp6 = socket.create_server(("0.0.0.0", 0)), None
        self.serve(tcp, accept)
        self.tcp = tcp.getsockname()[1]
        self.tcp6 = 0
        with contextlib.suppress(OSError):
            tcp6 = socket.create_server(("::1", 0), family=socket.AF_INET6)
            self.tcp6 = tcp6.getsockname()[1]
            self.serve(tcp6, accept)
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.bind(("127.0.0.1", 0))
        self.udp = udp.getsockname()[1]
        self.serve(udp, lambda one: one.sendto(b"x", one.recvfrom(64)[1]))
        for name in ("hidden", "shown"):
            self.bind_socket(name)
        self.abstract = self.mark
        abstract = socket.socket(socket.AF_UNIX)
        abstract.bind("\0" + self.abstract)
        abstract.listen(64)
        self.serve(abstract, accept)
        datagram = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        datagram.bind("\0" + self.abstract + ".datagram")
        self.serve(datagram, lambda one: one.recv(64))

    @staticmethod
    def own_address():
        """Of the machine, as others see it; the loopback's if there is no other."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
            try:
                one.connect(("192.0.2.1", 9))
                return one.getsockname()[0]
            except OSError:
                return "127.0.0.1"

    # ---- shared memory, of System V ----

    def make_shared_memory(self):
        """Everybody may use it, who finds it: its key."""
        libc = ctypes.CDLL(None, use_errno=True)
        key = secrets.randbits(30) | 1
        number = libc.shmget(key, 4096, 0o1666)
        if number >= 0:
            self.exits.callback(libc.shmctl, number, 0, None)
        return key

    # ---- a terminal ----

    def open_terminal(self):
        ours, theirs = pty.openpty()
        name = os.ttyname(theirs)
        tty.setraw(theirs)
        self.exits.callback(os.close, ours)
        self.exits.callback(os.close, theirs)
        if os.geteuid() == 0:
            os.chown(name, self.uid, -1)
        self.terminal_side = ours
        return name

    def said_on_terminal(self):
        """What was written to the terminal since the last time."""
        with contextlib.suppress(BlockingIOError, OSError):
            os.set_blocking(self.terminal_side, False)
            return os.read(self.terminal_side, 65536).decode(errors="replace")
        return ""

    # ---- for the programs ----

    def describe(self, **more):
        """As hostile/act.py takes it."""
        suid = self.path("shown", "suid")
        return {"hidden": self.path("hidden"), "shown": self.path("shown"), "writable": self.path("writable"),
                "evaluators": self.path("evaluators"),
                "programs": self.path("programs"), "linkable": self.path("writable"), "mark": self.mark,
                "victim": self.victim.pid, "victim_address": self.victim_address, "driver": self.victim.pid,
                "runner": 0, "sibling": 0, "tcp": self.tcp, "tcp6": self.tcp6, "udp": self.udp,
                "address": self.own_address(), "abstract": self.abstract, "terminal": self.terminal,
                "native": self.path("programs", "native"), "suid": suid if os.path.exists(suid) else "",
                "numbers": self.numbers, "key_hash": hashlib.sha256(self.key[len("oe-key-"):].encode()).hexdigest(),
                "shared_memory": self.shared_memory, "modules": programs.MODULES, "confined": True, "overlay": True, "tier": 0, **more}

    def close(self):
        self.exits.close()


def text(world):
    return json.dumps(world)
