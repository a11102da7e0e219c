#!/usr/bin/env python3
"""The abuse suite: every hostile program, in every tier that this machine can be made to offer.

    test_abuse.py BUILD [--tiers T2u,T3r] [--cases 1,24] [--paths cold]

Prints a matrix of cases and tiers. OE_LONG=1: all of it; without, what takes long is left out.
"""
import argparse
import json
import os
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True
import cases  # noqa: E402
import baseline  # noqa: E402
import deadlines  # noqa: E402, F401  its scenes are kept by scenes
import probe  # noqa: E402
import programs  # noqa: E402
import scenes  # noqa: E402
from driving import Stage  # noqa: E402
from tier import TIERS, Tier  # noqa: E402

LONG = bool(os.environ.get("OE_LONG"))
TIMED = bool(int(os.environ.get("OE_TIMING", "1" if LONG else "0")))


def unused():
    """Hostile programs that nothing runs prove nothing."""
    used = {attack.name for attack in cases.ATTACKS} | set(scenes.PROGRAMS)
    return sorted(set(programs.ACTS) - used) + sorted(used - set(programs.ACTS))


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--tiers", default=",".join([*(baseline.NAMES if LONG else ()), *TIERS]))
    parser.add_argument("--cases", default="")
    parser.add_argument("--paths", default="cold,warm,split")
    parser.add_argument("--slowest", type=int, default=0, help="say which runs took longest")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    return parser.parse_args()


def run_all(tiers, only, jobs):
    """Side by side: they have nothing in common. What takes longest begins first."""
    queue = sorted(tiers, key=lambda tier: tier.name not in ("T2u", "T1u"))
    lock, failures = threading.Lock(), []

    def work():
        while True:
            with lock:
                if not queue:
                    return
                tier = queue.pop(0)
            begun = time.monotonic()
            try:
                tier.run(only)
            except BaseException as failure:
                import traceback
                failures.append((tier.name, traceback.format_exc()))
            tier.seconds = time.monotonic() - begun

    threads = [threading.Thread(target=work) for _ in range(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return failures


def cell(tier, case):
    texts = []
    for path in tier.paths:
        letters = tier.cells.get((case, path), set()) - {""}
        texts.append("".join(sorted(letters)) or "-")
    return texts[0] if len(set(texts)) == 1 else "/".join(texts)


def print_matrix(tiers):
    print(f"\n{'case':38}" + "".join(f"{tier.name:>9}" for tier in tiers))
    for case, title in cases.TITLES.items():
        row = [cell(tier, case) for tier in tiers]
        if any(text.strip("-/") for text in row):
            print(f"{case:2} {title:35}" + "".join(f"{text:>9}" for text in row))
    print("\nD refused, K ended, + works as it should; p and n: done, and the report says partial or none;"
          " F: wrong.\nb-r, b-u: root and a user, with nothing in the way: d done, x the kernel itself refused some.\n"
          "cold/warm/split where they differ.\n")


def print_problems(tiers):
    for tier in tiers:
        for case, path, attack, complaint in tier.problems:
            print(f"{tier.name} {path:4} case {case} {attack}: {complaint}")


def compare_claims(tiers):
    """A machine that lacks something promises less. But without namespaces there are no sockets at all, and with
    them those that lie in a directory that is shown."""
    by_user = [[tier for tier in tiers if getattr(tier, "claims", None) and tier.name[2] == user] for user in "ru"]
    for below, above in [pair for group in by_user for pair in zip(group, group[1:])]:
        worth = {"none": 0, "partial": 1, "enforced": 2, "not_requested": 3}
        more = [name for name in above.claims if worth[above.claims[name]] > worth[below.claims[name]]]
        less = [name for name in above.claims if worth[above.claims[name]] < worth[below.claims[name]]
                and (name, above.number >= 2) != ("net_unix", True)]
        if not more:
            below.problems.append((59, "", "report", f"it promises as much as that of {above.name}"))
        for name in less:
            below.problems.append((59, "", "report", f"'{name}' is {below.claims[name]}, more than in {above.name}"))


def main():
    given = arguments()
    assert not unused(), f"in hostile/ or in the table, but not in both: {unused()}"
    stage = Stage(given.build)
    numbers = json.loads(subprocess.run([stage.native, "numbers"], stdout=subprocess.PIPE, check=True).stdout)
    only = {int(case) for case in given.cases.split(",")} if given.cases else None
    left_out = {name: reason for name in given.tiers.split(",") if name in TIERS
                for reason in [probe.missing(*TIERS[name])] if reason}
    tiers = [baseline.Baseline(name, stage, numbers) if name in baseline.NAMES else
             Tier(name, stage, numbers, tuple(given.paths.split(",")), LONG,
                  TIMED) for name in given.tiers.split(",")
             if name not in left_out]
    try:
        failures = run_all(tiers, only, given.jobs)
    finally:
        stage.close()
    compare_claims(tiers)
    print_matrix(tiers)
    print_problems(tiers)
    for name, reason in left_out.items():
        print(f"{name} is left out: {reason}")
    for name, text in failures:
        print(f"{name}: {text}")
    for took in sorted((took for tier in tiers for took in tier.took), reverse=True)[:given.slowest]:
        print(f"{took[0]:8.0f} ms {took[1]} case {took[2]} {took[3]}: {took[4]}")
    print("; ".join(f"{tier.name} {tier.runs} runs in {getattr(tier, 'seconds', 0):.1f} s" for tier in tiers))
    for tier in tiers:
        for name, late in (("deadlines", tier.late), ("trees of 100", tier.killed)):
            if late:
                late.sort()
                print(f"{tier.name} {name}: {len(late)} ended, median {late[len(late) // 2]:.0f} ms after, at most"
                      f" {late[-1]:.0f} ms")
        for path, speed in tier.speeds:
            print(f"{tier.name} {path}: {speed:.0f} in a second")
        if tier.killed_after:
            print(f"{tier.name} host killed: all gone after at most {max(tier.killed_after) * 1000:.0f} ms")
    problems = sum(len(tier.problems) for tier in tiers) + len(failures)
    print(f"{problems} problems")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
