"""Scenes of case 27: a deadline holds, whoever was to end the evaluation, or to tell that it has ended."""
import contextlib
import os
import signal
import time

from driving import state_of
from scenes import HONEST, SLEEPS, Limits, judge, problem_of, scene, servers

PATIENCE_MS = 50  # a part of what the host waits for the word of a server that says nothing


@contextlib.contextmanager
def stopped(pids):
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGCONT)


def wait_for_spare(tier):
    """It has been forked, and waits for its job."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        own = servers(tier)
        spares = set(servers(tier, spares=True)) - set(own)
        if own and spares and all((state_of(pid) or "X")[0] == "S" for pid in spares):
            return
        time.sleep(0.01)


@scene(27)
def server_forks_nothing(tier):
    """Perhaps it is stopped before it has a child for the next evaluation, which then gets another server."""
    tier.open(Limits(27), "warm")
    judge(tier, HONEST)
    with stopped(servers(tier)):
        answer = judge(tier, HONEST, timeout_ms=1000)
        if answer.get("verdict") not in ("ok", "wall_timeout"):
            yield f"{answer.get('verdict')}: {answer.get('message')}"
    wrong = problem_of(judge(tier, HONEST))
    if wrong:
        yield f"the next evaluation: {wrong}"


@scene(27)
def server_says_nothing(tier):
    """The evaluation ends without its word, and only what came before its end is its time. The server may have
    been busy: it is heard out, and goes on."""
    tier.open(Limits(27), "warm")
    judge(tier, HONEST)
    wait_for_spare(tier)
    silent = servers(tier)
    with stopped(silent):
        answer = judge(tier, SLEEPS, timeout_ms=500)
        states = [(state_of(pid) or "X")[0] for pid in silent]
    if answer.get("verdict") != "wall_timeout":
        yield f"{answer.get('verdict')}: {answer.get('message')}"
    elif answer["elapsed_ms"] - answer["wall_ms"] < PATIENCE_MS:
        yield f"what it took of {answer['elapsed_ms']:.0f} ms was {answer['wall_ms']:.0f} ms"
    if set(states) != {"T"}:
        yield f"its end waited for that of its server: {states}"
    wrong = problem_of(judge(tier, HONEST))
    if wrong:
        yield f"the next evaluation: {wrong}"


@scene(27)
def spawner_is_stopped(tier):
    """Below namespaces, by what it is to kill."""
    tier.open(Limits(27), "warm")
    judge(tier, HONEST)
    with stopped([pid for pid in tier.driver.family() if (state_of(pid) or ("", 0))[1] == tier.driver.pid]):
        answer = judge(tier, SLEEPS, timeout_ms=500)
        if answer.get("verdict") != "wall_timeout":
            yield f"{answer.get('verdict')}: {answer.get('message')}"
    wrong = problem_of(judge(tier, HONEST))
    if wrong:
        yield f"the next evaluation: {wrong}"
