"""What evaluators do that mean no harm: all of it has to work."""
import asyncio
import concurrent.futures
import multiprocessing
import os
import subprocess
import sys
import tempfile
import threading

from act import Refused, act


def square(number):
    return number * number


def right(numbers):
    if list(numbers) != [0, 1, 4, 9]:
        raise Refused(f"{numbers}")


@act
def use_subprocess(world):
    done = subprocess.run(["sh", "-c", "echo $((6 * 7)) | cat"], stdout=subprocess.PIPE, check=True)
    if done.stdout != b"42\n":
        raise Refused(str(done.stdout))


@act
def use_interpreter(world):
    done = subprocess.run([sys.executable, "-c", "import numpy; print(int(numpy.ones(3).sum()))"],
                          stdout=subprocess.PIPE, check=True)
    if done.stdout != b"3\n":
        raise Refused(str(done.stdout))


def multiprocess(method):
    context = multiprocessing.get_context(method)
    with context.Pool(2) as pool:
        right(pool.map(square, range(4)))


@act
def use_fork_pool(world):
    multiprocess("fork")


@act
def use_spawn_pool(world):
    multiprocess("spawn")


@act
def use_forkserver_pool(world):
    multiprocess("forkserver")


@act
def use_queue(world):
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    worker = context.Process(target=lambda: queue.put(42))
    worker.start()
    if queue.get(timeout=4) != 42:
        raise Refused
    worker.join()


@act
def use_shared_memory(world):
    from multiprocessing import shared_memory

    block = shared_memory.SharedMemory(create=True, size=4096)
    block.buf[0] = 1
    block.close()
    block.unlink()


@act
def use_process_executor(world):
    with concurrent.futures.ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("fork")) as pool:
        right(pool.map(square, range(4)))


@act
def use_thread_executor(world):
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        right(pool.map(square, range(4)))


@act
def use_threads(world):
    results = []
    threads = [threading.Thread(target=results.append, args=(i * i,)) for i in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    right(sorted(results))


@act
def use_asyncio(world):
    async def ask():
        process = await asyncio.create_subprocess_exec("echo", "hello", stdout=asyncio.subprocess.PIPE)
        return (await process.communicate())[0]

    if asyncio.run(ask()) != b"hello\n":
        raise Refused


@act
def use_numpy(world):
    import numpy

    matrix = numpy.eye(64) * 2
    if abs(numpy.linalg.det(matrix @ numpy.linalg.inv(matrix)) - 1) > 1e-9:
        raise Refused


@act
def use_temporary_files(world):
    with tempfile.NamedTemporaryFile() as file, tempfile.TemporaryDirectory() as directory:
        file.write(b"x" * 4096)
        file.flush()
        path = os.path.join(directory, "script")
        with open(path, "w") as script:
            script.write("#!/bin/sh\nexit 0\n")
        os.chmod(path, 0o755)
        subprocess.run([path], check=True)


@act
def use_home(world):
    path = os.path.join(os.path.expanduser("~"), ".cache")
    os.makedirs(path, exist_ok=True)
    with open(path + "/file", "w") as file:
        file.write("x")


@act
def use_devices(world):
    with open("/dev/null", "wb") as null, open("/dev/urandom", "rb") as chance, open("/dev/zero", "rb") as zero:
        null.write(b"x")
        if len(chance.read(16)) != 16 or zero.read(4) != b"\0" * 4 or len(os.urandom(8)) != 8:
            raise Refused


@act
def use_standard_streams(world):
    with open("/dev/stdout", "a") as out, open("/dev/stderr", "a"):
        out.write("")
    with open("/dev/fd/0"):
        pass


@act
def use_proc(world):
    names = ["meminfo", "cpuinfo", "stat", "loadavg", "filesystems"]
    if world["tier"] >= 2:  # else who we are depends on who asks, and rules cannot say that
        names += ["self/status", "self/maps", "self/task"]
    for name in names:
        if os.path.isdir(f"/proc/{name}"):
            os.listdir(f"/proc/{name}")
            continue
        with open(f"/proc/{name}") as file:
            if not file.read(1):
                raise Refused(name)
    if not os.cpu_count():
        raise Refused


@act
def use_names(world):
    """Of users, hosts, places and times."""
    import getpass
    import locale
    import pwd
    import socket
    import time

    if world["tier"] >= 2:  # else the machine's own, which need not know a user of the tests
        pwd.getpwuid(os.getuid())
        getpass.getuser()
        socket.getaddrinfo("localhost", 80, proto=socket.IPPROTO_TCP)
    socket.gethostname()
    locale.setlocale(locale.LC_ALL, "C.UTF-8")
    time.localtime()


@act
def use_sockets(world):
    import socket

    left, right = socket.socketpair()
    left.send(b"x")
    if right.recv(1) != b"x":
        raise Refused


@act
def use_compiler(world):
    with tempfile.TemporaryDirectory() as directory:
        source, program = directory + "/a.c", directory + "/a.out"
        with open(source, "w") as file:
            file.write("#include <stdio.h>\nint main(void) { return puts(\"hello\") < 0; }\n")
        subprocess.run(["cc", "-O1", "-o", program, source], check=True)
        if subprocess.run([program], stdout=subprocess.PIPE, check=True).stdout != b"hello\n":
            raise Refused


@act
def write_beside_evaluator(world):
    """With overlay."""
    path = world["evaluators"] + "/results.txt"
    with open(path, "w") as file:
        file.write("x")
    with open(path) as file:
        if file.read() != "x":
            raise Refused
    os.rename(path, path + ".old")
    os.unlink(path + ".old")
    os.makedirs(world["evaluators"] + "/cache/deep")


@act
def change_beside_evaluator(world):
    """A file that is there: with overlay."""
    with open(world["evaluators"] + "/data.txt", "a") as file:
        file.write("more")
    with open(world["evaluators"] + "/data.txt") as file:
        if not file.read().endswith("more"):
            raise Refused


@act
def read_beside_evaluator(world):
    with open(world["evaluators"] + "/data.txt") as file:
        if not file.read():
            raise Refused


@act
def write_writable(world):
    with open(world["writable"] + "/given", "a") as file:
        file.write("x")

