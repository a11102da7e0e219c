"""Cases that are more than one program: each is a function of a tier, and says what is wrong."""
import contextlib
import json
import os
import signal
import subprocess
import tempfile
import threading
import time

import cases
from driving import Driver, DriverFailed, name_of, state_of
from world import PYTHON

SCENES = []  # (case, the lowest tier, function)
PROGRAMS = ("find_state", "leave_state", "find_trace", "leave_trace", "chance", "be_sibling", "look_for_sibling", "signal_sibling",
            "sibling_memory", "sibling_directory", "honest")
HONEST = "def attack():\n    return {'combined_score': 0.5}\n"
SLEEPS = "import time\n\n\ndef attack():\n    time.sleep(3600)\n"
TAKES_ALL = """
import os
import time


def attack():
    try:
        while os.fork():
            pass
    except OSError:
        pass
    time.sleep(3600)
"""
MANY = cases.PLENTY


def scene(case, lowest=0):
    """A scene of a case, for tiers from the lowest on."""
    def keep(function):
        SCENES.append((case, lowest, function))
        return function
    return keep


class Limits:
    """What Tier.open() asks of an attack."""

    def __init__(self, case, policy=MANY):
        self.case, self.policy, self.name, self.timeout_ms = case, policy, "scene", 30000


def judge(tier, code, **how):
    how.setdefault("timeout_ms", 20000)
    how.setdefault("seed", 1)
    return tier.driver.ask("judge", code=code, **how)


def program(tier, name, **more):
    """A hostile program as a candidate."""
    return tier.candidate(tier.describe(Limits(0), [name], **more), ["!" + name])


def problem_of(answer, verdict="ok", score=0.5):
    """What is wrong with an answer, if it is not what is expected."""
    if "error" in answer:
        return f"the host failed: {answer['error']['message']}"
    if answer["verdict"] != verdict or (verdict == "ok" and answer["fitness"] != score):
        return f"{answer['verdict']} {answer['fitness']}: {answer['message']} {str(answer['artifacts'])[:300]}"
    return None


# ---- 45, 48 ----

@scene(45)
def state_for_the_next(tier):
    """The next evaluation finds what the first one found."""
    tier.open(Limits(45), "warm")
    yield from compare_states(tier)
    tier.world.restore()  # where files are not protected


def compare_states(tier):
    found = []
    for name in ("find_state", "leave_state", "find_state", "leave_state", "leave_state", "find_state"):
        answer = judge(tier, program(tier, name), seed=7)
        wrong = problem_of(answer)
        if wrong:
            yield f"{name}: {wrong}"
            return
        if name == "find_state":
            found.append(json.loads(answer["artifacts"]["state"]))
    for later in found[1:]:
        different = {key: (found[0][key], later[key]) for key in found[0] if found[0][key] != later[key]}
        if "files" in different:
            different["files"] = {top: set(names) ^ set(later["files"][top])
                                  for top, names in found[0]["files"].items()}
        if different:
            yield f"different: {str(different)[:400]}"
    if found[0]["left"] or any("left" in (names or []) for names in found[0]["files"].values()):
        yield f"left over: {found[0]['left']} {found[0]['files']}"


TRACES = ("mode", "closed", "time", "attribute", "gone", "numbers", "copied", "removed", "behind", "behind times",
          "behind, new", "behind, moved", "full", "first")
ROOMS = 2  # that a server has: what one evaluation leaves, not the next one might find, but the one after it


@scene(45, lowest=2)
def traces_for_the_next(tier):
    """Files are made once for many evaluations, if none of them has left a trace, however small."""
    tier.open(Limits(45), "warm")
    first = None
    for trace in TRACES:
        for name in ("leave_trace", *["find_trace"] * (ROOMS + 1)):
            answer = judge(tier, program(tier, name, trace=trace), seed=7)
            if problem_of(answer):
                yield f"{name} after '{trace}': {problem_of(answer)}"
                break
            if name == "leave_trace":
                continue
            found, number = json.loads(answer["artifacts"]["state"]), answer["metrics"]["number"]
            first = first or (found, number)
            different = {key: (first[0][key], found[key]) for key in found if first[0][key] != found[key]}
            if different:
                yield f"after '{trace}': {str(different)[:400]}"
            if number > first[1] + 1000:
                yield f"after '{trace}': the numbers of new files tell of those before"


@scene(48)
def chance(tier):
    """Equal for equal seeds, different for others; no two children share a state."""
    tier.open(Limits(48), "warm")
    drawn = {}
    for seed in (1, 2, 3, 1, 2, 3):
        answer = judge(tier, program(tier, "chance"), seed=seed)
        if problem_of(answer):
            yield problem_of(answer)
            return
        drawn.setdefault(seed, []).append(answer["metrics"])
        if answer["usage"]["seed"] != seed:
            yield f"the seed {seed} is reported as {answer['usage']['seed']}"
    for source in ("python", "numpy"):
        values = {seed: [metrics[source] for metrics in both] for seed, both in drawn.items()}
        if any(len(set(both)) != 1 for both in values.values()):
            yield f"{source}: differs for equal seeds: {values}"
        if len({both[0] for both in values.values()}) != 3:
            yield f"{source}: the same for different seeds: {values}"
    if len({metrics["generator"] for both in drawn.values() for metrics in both}) != 6:
        yield "numpy's own generator repeats itself"


# ---- 50, 51 ----

@scene(50)
def threads_at_import(tier):
    """A fork of a process with threads may hang; the result is the same as without."""
    directory = tier.world.path("libraries")
    os.makedirs(directory, exist_ok=True)
    with open(directory + "/oe_abuse_threads.py", "w") as file:
        file.write("import queue, threading\nasked, answers = queue.Queue(), queue.Queue()\n\n\n"
                   "def work():\n    while True:\n        answers.put(asked.get() / 2)\n\n\n"
                   "threading.Thread(target=work, daemon=True).start()\n\n\n"
                   "def ask(number):\n    asked.put(number)\n    return answers.get(timeout=5)\n")
    settings = {**tier.settings(tier.limits(Limits(50))), "evaluator.env": json.dumps({"PYTHONPATH": directory}),
                "sandbox.readable": json.dumps([directory])}
    answer = tier.driver.ask("evaluator", path=tier.world.path("evaluators", "evaluator_threads.py"),
                             config=settings)
    if "error" in answer:
        yield answer["error"]["message"]
        return
    for number in (1, 2, 3):
        answer = judge(tier, f"def value():\n    return {number}\n", timeout_ms=8000)
        wrong = problem_of(answer, score=float(number))
        if wrong:
            yield wrong


@scene(51, lowest=2)
def evaluator_with_files(tier):
    """Works every time, from the beginning, and nothing of it is seen outside."""
    answer = tier.driver.ask("evaluator", path=tier.world.path("evaluators", "evaluator_files.py"),
                             config=tier.settings(tier.limits(Limits(51))))
    if "error" in answer:
        yield answer["error"]["message"]
        return
    for _ in range(2):
        answer = judge(tier, HONEST)
        wrong = problem_of(answer, score=4.0)
        if wrong or answer["metrics"]["size"] != 8.0:
            yield wrong or f"{answer['metrics']}"
    if tier.world.canary.changes():
        yield f"the host's files changed: {tier.world.canary.changes()[:4]}"


# ---- 52 ----

def servers(tier, spares=False):
    """Fork servers, and what they have forked if that is wanted."""
    forks = {pid for pid in tier.driver.family() if "The fork server" in name_of(pid)}
    return sorted(pid for pid in forks if spares or (state_of(pid) or ("", 0))[1] not in forks)


@scene(52)
def evaluator_edited(tier):
    """Whoever edits it means the next evaluation."""
    tier.open(Limits(52), "warm")
    path = tier.world.path("evaluators", "evaluator.py")
    before = judge(tier, HONEST)
    with open(path) as file:
        text = file.read()
    try:
        with open(path, "w") as file:
            file.write(text + "\n\nold = evaluate\n\n\ndef evaluate(path):\n    old(path)\n"
                              "    return {'combined_score': 0.25}\n")
        after = judge(tier, HONEST)
    finally:
        tier.world.restore()
    for answer, score in ((before, 0.5), (after, 0.25)):
        if problem_of(answer, score=score):
            yield problem_of(answer, score=score)


@scene(52)
def server_killed(tier):
    """Idle: nobody notices. At work: the evaluation ends, and says that it was not the program's fault."""
    tier.open(Limits(52), "warm")
    for _ in range(2):
        for pid in servers(tier):
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        answer = judge(tier, HONEST)
        if problem_of(answer) and answer.get("verdict") != "sandbox_error":  # worth a repetition
            yield f"after its end: {problem_of(answer)}"
        answer = judge(tier, HONEST)
        if problem_of(answer):
            yield f"after its end: {problem_of(answer)}"
    tier.driver.send("judge", code=SLEEPS, seed=1, timeout_ms=4000)
    time.sleep(0.3)  # it is at work by then, or not yet: both have to be survived
    for pid in servers(tier):
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGKILL)
    answer = tier.driver.receive()
    if answer.get("verdict") not in ("sandbox_error", "wall_timeout"):
        yield f"at work: {answer}"
    if problem_of(judge(tier, HONEST)):
        yield "the next evaluation is not normal"


@scene(52)
def server_stopped(tier):
    """The deadline does not depend on it."""
    tier.open(Limits(52), "warm")
    judge(tier, HONEST)
    for pid in servers(tier, spares=True):
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGSTOP)
    begun = time.monotonic()
    for _ in range(2):
        judge(tier, HONEST, timeout_ms=500)
    if time.monotonic() - begun > (20 if tier.timed else 60):
        yield f"{time.monotonic() - begun:.0f} s until it was noticed"
    for pid in servers(tier, spares=True):
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGCONT)
    if problem_of(judge(tier, HONEST)):
        yield "the next evaluation is not normal"


@scene(52)
def spawner_killed(tier):
    tier.open(Limits(52), "warm")
    for pid in tier.driver.family():
        if "oe-spawner" in name_of(pid):
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
    for _ in range(2):
        answer = judge(tier, HONEST)
    if problem_of(answer):
        yield problem_of(answer)


# ---- 53 ----

def gone_after_kill(tier, what):
    """The host is killed: nothing of it is left a second later, where time is measured, or soon."""
    driver = tier.driver
    host = driver.pid
    everybody = driver.family()
    driver.process.kill()
    driver.process.wait()
    begun = time.monotonic()
    deadline = begun + (1 if tier.timed else 20)
    left = everybody
    while left and time.monotonic() < deadline:
        left = {pid for pid in everybody | driver.family() if pid != host and (state_of(pid) or "X")[0] not in "ZX"}
        time.sleep(0.005)
    tier.killed_after.append(time.monotonic() - begun)
    if left:
        yield f"{what}: {len(left)} of {len(everybody)} processes are left: {[name_of(pid) for pid in left][:3]}"
    while time.monotonic() < deadline and tier.temporary_directories():
        time.sleep(0.005)
    if tier.temporary_directories():
        yield f"{what}: directories are left: {tier.temporary_directories()}"
    driver.close()
    tier.driver = Driver(tier.stage, tier.world, tier.lacks)


def crowded(tier):
    """100 processes are there."""
    deadline = time.monotonic() + 30
    while len(tier.driver.family()) < 100 and time.monotonic() < deadline:
        time.sleep(0.01)
    return len(tier.driver.family()) >= 100


@scene(53)
def host_killed(tier):
    for path in ("cold", "warm"):
        tier.open(Limits(53, cases.limits(processes=256)), path)
        world = tier.describe(Limits(53), ["crowd_and_wait"])
        if path == "cold":
            tier.driver.send("run", timeout_ms=60000, arguments=tier.command(world, ["!crowd_and_wait"]))
        else:
            tier.driver.send("judge", timeout_ms=60000, seed=1, code=tier.candidate(world, ["!crowd_and_wait"]))
        if not crowded(tier):
            yield f"{path}: there was no crowd to be killed"
        yield from gone_after_kill(tier, path)


# ---- 20 ----

@scene(20)
def others_do_not_count(tier):
    """What the user has running besides is no part of the limit."""
    others = [subprocess.Popen(["/bin/sleep", "600"], stdin=subprocess.DEVNULL, **tier.world.as_user())
              for _ in range(60)]
    try:
        for path in ("cold", "warm"):
            tier.open(Limits(20, cases.limits(processes=32)), path)
    except DriverFailed as failure:
        yield f"{path}: {failure}"
    finally:
        for other in others:
            other.kill()
            other.wait()


@scene(20, lowest=2)  # below, it waits until nothing is left of the evaluation
def server_is_late(tier):
    """It forks the next one when an evaluation has all the processes that it may: that is not its end."""
    tier.open(Limits(20, cases.limits(processes=32)), "warm")
    judge(tier, HONEST)
    late = servers(tier)
    for pid in late:
        os.kill(pid, signal.SIGSTOP)
    tier.driver.send("judge", code=TAKES_ALL, seed=1, timeout_ms=1500)
    deadline = time.monotonic() + 1
    while len(tier.driver.family()) < 32 and time.monotonic() < deadline:
        time.sleep(0.01)
    for pid in late:
        os.kill(pid, signal.SIGCONT)
    answer = tier.driver.receive()
    if answer.get("verdict") != "wall_timeout":
        yield f"{answer.get('verdict')}: {answer.get('message')}"


# ---- 54 ----

def size_of(pid):
    """Its own memory in KiB, without what it shares."""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/smaps_rollup") as file:
        return sum(int(line.split()[1]) for line in file if line.startswith("Private_"))
    return 0


def inventory(tier):
    """What may not grow."""
    driver = tier.driver
    time.sleep(0.3)  # spares are made
    lasting = {pid for pid in driver.family() if any(word in name_of(pid) for word in ("oe-spawner", "fork server"))}
    with open(f"/proc/{driver.pid}/mountinfo") as file:
        mounts = len(file.readlines())
    with open("/proc/sys/fs/file-nr") as file:
        files = int(file.read().split()[0])
    return {"descriptors": len(os.listdir(f"/proc/{driver.pid}/fd")), "processes": len(driver.family()),
            "threads": len(os.listdir(f"/proc/{driver.pid}/task")), "mounts": mounts, "files of all": files // 1000,
            "memory of the host": size_of(driver.pid),
            "memory of the spawner and servers": sum(sorted(size_of(pid) for pid in lasting)[-3:]),
            "directories": len(tier.temporary_directories())}


def growth(before, after):
    slack = {"descriptors": 8, "processes": 4, "threads": 0, "mounts": 0, "files of all": 1, "directories": 2,
             "memory of the host": 4096, "memory of the spawner and servers": 8192}
    if "ASAN_OPTIONS" in os.environ or "TSAN_OPTIONS" in os.environ:  # they keep what was freed
        slack = {name: allowed for name, allowed in slack.items() if not name.startswith("memory")}
    return {name: (before[name], after[name]) for name in slack if after[name] > before[name] + slack[name]}


def in_a_row(tier, do, count):
    """What was wrong with one of them, if anything was."""
    for _ in range(max(1, count // 250)):
        answer = tier.driver.ask(**do, count=min(count, 250))
        if answer.get("failure") or (do["do"] == "judge" and set(answer["verdicts"]) != {"ok"}) or (
                do["do"] == "run" and answer.get("verdict") != "ok"):
            return answer.get("failure") or answer.get("verdicts") or answer
    return None


@scene(54)
def thousands(tier):
    count = (10000 if tier.name in ("T2u", "T3r") else 2000) if tier.long else 300
    for path in ("warm", "cold"):
        if path == "cold" and not tier.long:
            count = 100
        tier.open(Limits(54), path)
        do = {"do": "judge", "code": HONEST, "seed": 1, "timeout_ms": 20000} if path == "warm" else \
            {"do": "run", "arguments": ["/bin/true"], "timeout_ms": 20000}
        tier.driver.ask(**do, count=50)
        before = inventory(tier)
        begun = time.monotonic()
        wrong = in_a_row(tier, do, count)
        tier.speeds.append((path, count / (time.monotonic() - begun)))
        grown = growth(before, inventory(tier))
        for _ in range(2 if grown and not wrong else 0):  # a leak goes on; what a heap keeps for itself does not
            before = inventory(tier)
            wrong = wrong or in_a_row(tier, do, count)
            again = growth(before, inventory(tier))
            grown = {name: sizes for name, sizes in again.items() if name in grown}
        if wrong:
            yield f"{path}: {wrong}"
        if grown:
            yield f"{path}, {count} in a row: {grown}"


# ---- 55 ----

@scene(55)
def busy_host(tier):
    """Eight threads of the host take and return memory, four evaluate."""
    tier.open(Limits(55), "warm")
    tier.driver.ask("noise", threads=8)
    answer = tier.driver.ask("judge", code=HONEST, seed=1, timeout_ms=20000, count=40, threads=4)
    if answer.get("failure") or set(answer["verdicts"]) != {"ok"}:
        yield str(answer.get("failure") or answer["verdicts"])
    tier.driver.ask("noise", threads=0)


# ---- 59 ----

@scene(59)
def what_is_required(tier):
    """What the report does not call enforced is refused when it is required, before anything runs."""
    tier.open(Limits(59, cases.limits(cpu_ms=60000)), "cold")
    tier.claims = {name: line["level"] for name, line in tier.report.items()}
    levels = {name: line["level"] for name, line in tier.report.items()}
    missing = sorted(name for name, level in levels.items() if level in ("partial", "none"))
    held = sorted(name for name, level in levels.items() if level == "enforced")
    policy = tier.policy(Limits(59, cases.limits(cpu_ms=60000)))
    answer = tier.driver.ask("open", policy={**policy, "require": held})
    if "error" in answer:
        yield f"requiring what is enforced: {answer['error']['message']}"
    for name in missing:
        answer = tier.driver.ask("open", policy={**policy, "require": [name]})
        if answer.get("error", {}).get("status") != -14 or name not in answer["error"]["message"]:
            yield f"requiring {name}, which is {levels[name]}: {str(answer)[:200]}"
    strict = tier.driver.ask("open", policy={**policy, "mode": "strict"})
    totals = {"score", "mem_total", "cpu"}
    if ("error" in strict) != bool(set(missing) - totals):
        yield f"strict, where {missing} are missing: {str(strict)[:200]}"
    settings = tier.settings(tier.limits(Limits(59)))
    for name in missing[:2]:
        answer = tier.driver.ask("evaluator", path=tier.world.path("evaluators", "evaluator.py"),
                                 config={**settings, "sandbox.require": json.dumps([name]),
                                         "sandbox.cpu_limit": "60"})
        if answer.get("error", {}).get("status") != -14:
            yield f"an evaluator that requires {name}: {str(answer)[:200]}"


@scene(59, lowest=2)
def features_missing(tier):
    """One at a time: the tier that is left, an error that says why, never a crash; and the report is right."""
    for lacks, tiers in ((("user-namespaces",), {1}), (("proc",), {0, 1, 2, 3}), (("tmp",), {1, 2, 3})):
        if os.geteuid() != 0 or (tier.uid == 0 and lacks == ("user-namespaces",)):
            continue  # mounts are root's to change, and root needs no user namespace of its own
        other = Driver(tier.stage, tier.world, (*tier.lacks, *lacks))
        try:
            yield from try_without(tier, other, lacks, tiers)
        finally:
            other.close()


def try_without(tier, driver, lacks, tiers):
    policy = tier.policy(Limits(59))
    if lacks == ("tmp",):
        answer = driver.ask("open", policy=policy)
        if "Read-only" not in answer.get("error", {}).get("message", ""):
            yield f"without tmp: {answer}"
        policy["temporary"] = "/dev/shm"
    answer = driver.ask("open", policy=policy)
    if "error" in answer:
        if lacks != ("proc",) or not answer["error"]["message"]:
            yield f"without {lacks[0]}: {answer['error']['message']}"
        return
    if answer["tier"] not in tiers:
        yield f"without {lacks[0]}: tier {answer['tier']}"
    levels = {line["name"]: line["level"] for line in answer["guarantees"]}
    names = {"read_hidden": "fs_read", "append_hidden": "fs_write", "chmod_hidden": "fs_meta",
             "tcp_to_host": "net_inet", "signal_victim": "proc_signal", "open_memory": "proc_see"}
    world = tier.describe(Limits(59), list(names), tier=answer["tier"])
    result = driver.ask("run", timeout_ms=20000, arguments=tier.command(world, list(names)))
    outcomes = tier.outcomes(result, "cold")
    for name, guarantee in names.items():
        if name not in outcomes:
            yield f"without {lacks[0]}: {name}: {str(result)[:300]}"
        elif outcomes[name] == "done" and levels[guarantee] == "enforced":
            yield f"without {lacks[0]}: {name}: done, but '{guarantee}' is enforced"
    tier.world.restore()


@scene(59)
def mode_none(tier):
    """No confinement is said to be none, and tiers are -1."""
    policy = tier.policy(Limits(59))
    answer = tier.driver.ask("open", policy={**policy, "mode": "none"})
    if "error" in answer or answer["tier"] != -1:
        yield str(answer)[:200]
        return
    claimed = [line["name"] for line in answer["guarantees"] if line["level"] == "enforced"]
    if set(claimed) - {"wall", "output"}:
        yield f"without a sandbox, enforced are {claimed}"
    result = tier.driver.ask("run", arguments=["/bin/true"], timeout_ms=20000)
    if result.get("verdict") != "ok":
        yield str(result)[:200]


# ---- 60 ----

EXHAUST = """
import ctypes, os, fcntl
def attack():
    libc, kept = ctypes.CDLL(None, use_errno=True), [[], [], []]
    def count(make):
        made = 0
        try:
            while made < 200 and make() is not False:
                made += 1
        except OSError:
            pass
        return made
    def watch():
        number = libc.inotify_init1(0)
        return number >= 0
    def pipe():
        ends = os.pipe()
        fcntl.fcntl(ends[0], 1031, 1 << 16)
    def shared():
        return libc.memfd_create(b'x', 0) >= 0
    pipes = count(pipe) if %d == 0 else 0
    watches = count(watch) if %d == 1 else 0
    files = count(shared) if %d == 2 else 0
    return {'combined_score': 0.5, 'made': float(pipes + watches + files)}
"""


@scene(60)
def exhausted_host(tier):
    """What one evaluation uses up is there again for the next."""
    tier.open(Limits(60), "warm")
    for kind in range(3):
        made = []
        for _ in range(4):
            answer = judge(tier, EXHAUST % (kind, kind, kind))
            if problem_of(answer):
                yield problem_of(answer)
                return
            made.append(answer["metrics"]["made"])
        if min(made) < 0.8 * made[0] or made[0] == 0:
            yield f"kind {kind}: {made}"


@scene(60)
def few_descriptors(tier):
    """A host without room says so, and goes on when there is some."""
    tier.open(Limits(60), "cold")
    taken = set(map(int, os.listdir(f"/proc/{tier.driver.pid}/fd")))
    used = min(set(range(len(taken) + 1)) - taken)
    before = tier.driver.ask("descriptors", limit=used)["before"]
    answer = tier.driver.ask("run", arguments=["/bin/true"], timeout_ms=20000)
    tier.driver.ask("descriptors", limit=before)
    if "error" not in answer:
        yield f"with {used} descriptors: {answer['verdict']}"
    answer = tier.driver.ask("run", arguments=["/bin/true"], timeout_ms=20000)
    if answer.get("verdict") != "ok":
        yield f"afterwards: {str(answer)[:200]}"


# ---- 61 ----

@scene(61)
def siblings(tier):
    """Two sandboxes of one user, side by side."""
    tier.open(Limits(61), "cold")
    other = Driver(tier.stage, tier.world, tier.lacks)
    try:
        if "error" in other.ask("open", policy=tier.policy(Limits(61))):
            yield "there is no second one"
            return
        world = tier.describe(Limits(61), ["be_sibling"])
        before = other.family()
        other.send("run", timeout_ms=60000, arguments=tier.command(world, ["!be_sibling"]))
        deadline, found = time.monotonic() + 20, []
        while not found and time.monotonic() < deadline:
            found = [pid for pid in other.family() - before if "act.py" in name_of(pid)]
        if not found:
            yield "the sibling does not start"
            return
        time.sleep(0.2)  # it has written its file
        names = {"look_for_sibling": "fs_read", "signal_sibling": "proc_signal", "sibling_memory": "proc_see",
                 "sibling_directory": "proc_see"}
        world = tier.describe(Limits(61), list(names), sibling=found[0])
        result = tier.driver.ask("run", timeout_ms=20000, arguments=tier.command(world, list(names)))
        outcomes = tier.outcomes(result, "cold")
        for name, guarantee in names.items():
            if outcomes.get(name) == "done" and tier.level(guarantee) == "enforced":
                yield f"{name}: done, but '{guarantee}' is enforced"
            if name not in outcomes:
                yield f"{name}: {result['verdict']} {result['output'][-200:]}"
    finally:
        other.process.kill()  # in the middle of it
        other.close()
