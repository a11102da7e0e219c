"""What lies around: descriptors that were left open, and links of /proc that go anywhere."""
import os
import socket
import subprocess
import sys

from act import Refused, act
from files import contents


# ---- 6: descriptors ----

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
