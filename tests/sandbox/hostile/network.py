"""Sockets to where there should be nobody."""
import ctypes
import errno
import os
import socket
import struct

from act import Absent, Refused, act, native, syscall

MISSING = (errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT, errno.ESOCKTNOSUPPORT)


def connect(family, address, kind=socket.SOCK_STREAM):
    with socket.socket(family, kind) as one:
        one.settimeout(2)
        try:
            one.connect(address)
        except TimeoutError:
            raise Refused("no answer") from None


# ---- 13: the internet ----

@act
def tcp_to_host(world):
    connect(socket.AF_INET, ("127.0.0.1", world["tcp"]))


@act
def tcp6_to_host(world):
    connect(socket.AF_INET6, ("::1", world["tcp6"]))


@act
def tcp_to_own_address(world):
    connect(socket.AF_INET, (world["address"], world["tcp"]))


@act
def udp_to_host(world):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.settimeout(1)
        one.sendto(b"hello", ("127.0.0.1", world["udp"]))
        try:
            one.recv(16)  # it is answered
        except TimeoutError:
            raise Refused("no answer") from None


@act
def udp_to_metadata(world):
    """The address that clouds hand out keys at: a route there is enough."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.connect(("169.254.169.254", 80))


@act
def dns(world):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.connect(("192.0.2.53", 53))
        one.send(b"\0" * 16)


@act
def ping(world):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP) as one:
        one.settimeout(1)
        one.sendto(struct.pack("!BBHHH", 8, 0, 0xf7ff, 0, 0), ("127.0.0.1", 0))


@act
def raw_socket(world):
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as one:
        one.sendto(struct.pack("!BBHHH", 8, 0, 0xf7ff, 0, 0), ("127.0.0.1", 0))


@act
def listen_for_others(world):
    """Somebody outside could come in."""
    with socket.socket(socket.AF_INET) as one:
        one.bind(("127.0.0.1", 0))
        one.listen()
        if world["confined"]:
            connect(socket.AF_INET, one.getsockname())  # it works, but who could come?
            if not _is_ours(world):
                return
            raise Refused("only from inside")


def _is_ours(world):
    """Is this network one that the host is not in?"""
    try:
        connect(socket.AF_INET, ("127.0.0.1", world["tcp"]))
        return False
    except (OSError, Refused):
        return True


@act
def loopback_of_its_own(world):
    """For network: loopback."""
    with socket.socket(socket.AF_INET) as one:
        one.bind(("127.0.0.1", 0))
        one.listen()
        connect(socket.AF_INET, one.getsockname())


# ---- 14: others ----

def family(name, kind=socket.SOCK_STREAM, protocol=0):
    try:
        socket.socket(getattr(socket, name), kind, protocol).close()
    except OSError as error:
        raise error


@act
def vsock(world):
    family("AF_VSOCK")


@act
def netlink(world):
    family("AF_NETLINK", socket.SOCK_RAW)


@act
def packet(world):
    family("AF_PACKET", socket.SOCK_RAW, 0x300)


@act
def kernel_crypto(world):
    family("AF_ALG", socket.SOCK_SEQPACKET)


@act
def bluetooth(world):
    family("AF_BLUETOOTH", socket.SOCK_RAW)


@act
def express_data_path(world):
    socket.socket(44, socket.SOCK_RAW).close()


@act
def can_bus(world):
    family("AF_CAN", socket.SOCK_RAW)


# ---- 15: sockets of other programs ----

@act
def unix_hidden(world):
    connect(socket.AF_UNIX, world["hidden"] + "/socket")


@act
def unix_shown(world):
    connect(socket.AF_UNIX, world["shown"] + "/socket")


@act
def unix_abstract(world):
    connect(socket.AF_UNIX, "\0" + world["abstract"])


@act
def unix_abstract_datagram(world):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as one:
        one.sendto(b"hello", "\0" + world["abstract"] + ".datagram")


@act
def unix_through_link(world):
    path = os.path.join(os.environ.get("TMPDIR", "/tmp"), f"socket.{os.getpid()}")
    os.symlink(world["shown"] + "/socket", path)
    connect(socket.AF_UNIX, path)


# ---- 16: without socket() ----

@act
def ring(world):
    """io_uring opens files and sockets past a filter."""
    os.close(syscall(world, "io_uring_setup", 4, ctypes.create_string_buffer(120)))


@act
def socket_of_i386(world):
    if os.uname().machine != "x86_64":
        raise Absent("no i386")
    native(world, "int80_socket")
