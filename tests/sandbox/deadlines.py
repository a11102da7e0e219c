"""Scenes of case 27: a deadline holds, whoever was to end the evaluation, or to tell that it has ended."""
import contextlib
import os
import signal

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


@scene(27)
def server_says_nothing(tier):
    """The evaluation ends without its word, and only what came before its end is its time. The server may have
    been busy: it is heard out, and goes on."""
    tier.open(Limits(27), "warm")
    judge(tier, HONEST)
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
    if problem_of(judge(tier, HONEST)):
        yield "the next evaluation is not normal"


@scene(27)
def spawner_is_stopped(tier):
    """Below namespaces, by what it is to kill."""
    tier.open(Limits(27), "warm")
    judge(tier, HONEST)
    with stopped([pid for pid in tier.driver.family() if (state_of(pid) or ("", 0))[1] == tier.driver.pid]):
        answer = judge(tier, SLEEPS, timeout_ms=500)
        if answer.get("verdict") != "wall_timeout":
            yield f"{answer.get('verdict')}: {answer.get('message')}"
    if problem_of(judge(tier, HONEST)):
        yield "the next evaluation is not normal"
