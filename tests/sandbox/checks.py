"""What has to hold besides the verdict: by name, for the column `tries` of cases.py.

Each gets the attack, what came of it, and the tier that it ran in, and gives a complaint, or nothing.
"""
import os

GRACE_MS = float(os.environ.get("OE_GRACE_MS", "150"))  # for a deadline, on a machine that does other things, too
KILL_MS = float(os.environ.get("OE_KILL_MS", "100"))    # for the end of a tree of 100 that hear nothing
PATIENCE_MS = 20000  # where nothing is measured: what never ends is wrong, what a busy machine does late is not


def ends_in_time(attack, result, tier):
    late = result["elapsed_ms"] - attack.timeout_ms
    if result["verdict"] != "wall_timeout":
        return None
    if not attack.timeout_ms <= result["wall_ms"] <= result["elapsed_ms"]:
        return f"it is said to have taken {result['wall_ms']:.0f} ms of {result['elapsed_ms']:.0f} ms"
    tier.late.append(late)
    return f"{late:.0f} ms after its deadline" if late > (GRACE_MS if tier.timed else PATIENCE_MS) else None


def ends_writing(attack, result, tier):
    """What it laid on a disk, where there is no scratch in memory, is removed before the result is given:
    that takes as long as it takes."""
    if tier.number >= 2:
        return ends_in_time(attack, result, tier)
    return ends_in_time(attack, {**result, "elapsed_ms": result["wall_ms"]}, tier)


def is_swept_in_time(attack, result, tier):
    """A tree that always moves: at once where the kernel ends it, at all where somebody has to catch it."""
    if tier.level("tree_kill") == "enforced":
        return ends_in_time(attack, result, tier)
    return None if result["elapsed_ms"] < attack.timeout_ms + 10000 else "it was not caught"


def gone_in_time(attack, result, tier):
    late = result["elapsed_ms"] - attack.timeout_ms
    tier.killed.append(late)
    if late > (KILL_MS + (0 if result["path"] == "cold" else GRACE_MS) if tier.timed else PATIENCE_MS):
        return f"gone {late:.0f} ms after its deadline"
    return None


def scratch_is_cleared(attack, result, tier):
    left = tier.scratch_left()
    return f"left in scratch: {left}" if left else None


def driver_is_prompt(attack, result, tier):
    return None if result["elapsed_ms"] < PATIENCE_MS else "the host was busy with it for too long"


def does_not_hang(attack, result, tier):
    return None if result["elapsed_ms"] < attack.timeout_ms else "it hung"


def is_absent(attack, result, tier):
    if tier.level("syscalls") == "enforced" and result["outcome"] != "ENOSYS":
        return f"{result['outcome']}, not ENOSYS: programs could not fall back"
    return None


def victim_is_well(attack, result, tier):
    return None if tier.world.victim_is_well() else "it did something to a process outside"


def strays_are_counted(attack, result, tier):
    killed = result["usage"]["strays_killed"]
    if result["path"] == "split":
        return None  # of the evaluator alone
    return None if killed > 0 else f"{killed} strays were counted"


def as_the_mechanism_says(attack, result, tier):
    limited = "RLIMIT_AS" in tier.report[attack.guarantee]["mechanism"]
    if limited == (result["outcome"] == "done"):
        return f"{result['outcome']}, but the mechanism is '{tier.report[attack.guarantee]['mechanism']}'"
    return None


def output_is_cut(attack, result, tier):
    size = len(result["output"].encode())
    allowed = tier.limits(attack)["output_bytes"]
    return f"{size} bytes of output were kept, of {allowed}" if size > allowed + 1024 else None


def output_is_clean(attack, result, tier):
    if not isinstance(result["output"], str):
        return "the output is not UTF-8"
    if result["elapsed_ms"] > PATIENCE_MS:
        return "the host waited for it"
    if attack.name in ("rubbish", "fill_errors", "pass_output_on") and "end" not in result["output"][-100:]:
        return f"the end of the output is missing: {result['output'][-100:]!r}"
    return None


def terminal_is_silent(attack, result, tier):
    said = tier.world.said_on_terminal()
    if said and tier.level("terminal") == "enforced":
        return f"on the terminal: {said!r}"
    return None


def no_score(attack, result, tier):
    fitness = result.get("fitness")
    return f"its fitness is {fitness}" if fitness is not None and fitness > 0 else None


def honest_score(attack, result, tier):
    return None if result["fitness"] == 0.5 else f"its fitness is {result.get('fitness')}"


def honest_score_if_enforced(attack, result, tier):
    if tier.level("score") == "enforced" and (result["fitness"] or 0) > 0.5:
        return f"its fitness is {result.get('fitness')}"
    return None


def never_first(attack, result, tier):
    """Only finite numbers rank (others are null), and none for who did not end well."""
    fitness = result.get("fitness")
    if result["verdict"] in ("nonfinite", "wall_timeout", "exception") and fitness is not None and fitness > 0:
        return f"its fitness is {fitness}"
    return None


def nothing_unpickled(attack, result, tier):
    path = tier.world.path("writable", "alive")
    if os.path.exists(path):
        with open(path) as file:
            if "pickle" in file.read():
                return "the pickle ran"
    return None


# ---- where something is expected to work, or not: True, or why not ----

def needs_network_namespace(tier):
    return True if tier.number >= 2 else "no network of its own in this tier"


def needs_overlay(tier):
    """Without one it is refused; without any protection it is really done."""
    return "no overlay in this tier" if tier.number == 1 else True


def needs_memory_files(tier):
    """Without protection they are everybody's; without a mount of our own, nobody's."""
    return "no /dev/shm of its own in this tier" if tier.number == 1 else True


def needs_unix_sockets(tier):
    return True if tier.number >= 2 else "no sockets in this tier"


def needs_landlock(tier):
    return "Landlock is switched off" if "landlock" in tier.lacks else True


def raises(tier):
    return "it raises"


def in_strict(tier):
    return True
