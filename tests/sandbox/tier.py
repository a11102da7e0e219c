"""One tier: a machine that lacks this and that, and all attacks in it, one after the other."""
import collections
import contextlib
import json
import os
import secrets
import tempfile
import time

import cases
import checks
import programs
import scenes
from driving import Driver, DriverFailed, marked, name_of, program_of, state_of
from world import PYTHON, World

USER = 60001 + 8 * (os.getpid() % 500)  # nobody's, nor those of a suite that runs beside this one
SPARES = 2    # that a fork server has at most
SETTLED_SECONDS = 10  # for the end of what a run left to be seen, on a machine that does other things, too
STAYS_SECONDS = 0.5   # where what a run left may well stay

# name: (number, what the machine lacks, the user)
TIERS = {
    "T0r": (0, ("landlock", "namespaces"), 0),
    "T0u": (0, ("landlock", "namespaces"), USER),
    "T1r": (1, ("namespaces",), 0),
    "T1u": (1, ("namespaces",), USER),
    "T2r": (2, ("cgroups",), 0),
    "T2u": (2, (), USER),
    "T3r": (3, (), 0),
}

# The quick form: acts everywhere, but not on every path; what runs into deadlines, or costs much, in few.
HEAVY = (12, 20, 24, 32, 49, 56)
QUICK = {("cold", "act"): set(TIERS), ("cold", "heavy"): {"T1u", "T2u", "T3r"}, ("cold", "program"): {"T1u", "T2u"},
         ("warm", "act"): {"T1u", "T2u"}, ("warm", "heavy"): {"T2u"}, ("split", "heavy"): set(),
         ("warm", "program"): {"T2u"}, ("split", "act"): {"T2u"}, ("split", "program"): {"T2u"},
         ("scene", ""): {"T2u"}, ("scene", 59): set(TIERS), ("scene", 53): {"T1u", "T2u"},
         ("scene", 20): {"T0u", "T1u", "T2u"}, ("scene", 27): {"T0u", "T1u", "T2u"}}

# What may be where a guarantee is worth this much.
LEVELS = ("enforced", "partial", "none", "not_requested")


def limits_of(attack):
    return {**cases.LIMITS, **dict(attack.policy)}


class RunFailed(Exception):
    pass


class Tier:
    def __init__(self, name, stage, numbers, paths=("cold", "warm"), long=False, timed=True):
        self.name, self.stage, self.paths, self.long, self.timed = name, stage, paths, long, timed
        self.number, self.lacks, self.uid = TIERS[name]
        if os.geteuid() != 0:
            self.uid = os.geteuid()
        elif self.uid:  # each its own: they run side by side, and limits count a user's processes
            self.uid += self.number
        self.numbers = numbers
        self.cells = collections.defaultdict(set)   # (case, path): letters
        self.problems = []                          # (case, path, attack, complaint)
        self.tried = collections.Counter()          # by guarantee that is said to be none: attacks, ...
        self.done = collections.Counter()           # ... and those that came to something
        self.late, self.killed = [], []             # ms after deadlines
        self.killed_after, self.speeds = [], []     # s after the host's end; evaluations in a second
        self.runs = 0
        self.took = []                              # (ms, path, case, names, verdict)
        self.report = {}
        self.claims = {}                            # the levels, for one and the same policy
        self.path = ""

    # ---- what the tiers' checks ask ----

    def level(self, guarantee):
        return self.report.get(guarantee, {}).get("level", "none")

    @staticmethod
    def limits(attack):
        return limits_of(attack)

    def scratch_left(self):
        return sorted(os.listdir(self.world.path("temporary")))[self.idle_scratch:]

    def complain(self, case, attack, text):
        self.problems.append((case, self.path, attack, text))
        for path in self.paths if self.path not in self.paths else [self.path]:
            self.cells[case, path].add("F")

    # ---- set-up ----

    def run(self, only=None):
        """All of it, or the cases that are named."""
        self.world = World(self.stage.native, self.uid, self.numbers)
        try:
            self.driver = Driver(self.stage, self.world, self.lacks)
            self.world.victim_is_well()
            for self.path in self.paths:
                self.run_path([attack for attack in cases.ATTACKS if self.path in attack.paths and
                               self.is_wanted(attack) and (only is None or attack.case in only)])
            self.run_scenes(only)
        finally:
            left = self.driver.close()
            if left:
                self.complain(0, "close", f"{len(left)} processes outlive the sandbox")
            if self.world.canary.changes():
                self.complain(21, "daemon", f"changed in the end: {self.world.canary.changes()}")
            self.world.close()
        self.check_claims()

    def is_wanted(self, attack):
        kind = "program" if attack.is_program else "heavy" if attack.case in HEAVY else "act"
        if attack.guarantee == "cpu" and (self.name, self.path) != ("T2u", "cold"):  # seconds of it
            return self.long
        return self.long or (not attack.long and self.name in QUICK[self.path, kind])

    def temporary_directories(self):
        """Of the library, where the system's are and where it was told to have them."""
        found = []
        for top in (tempfile.gettempdir(), self.world.path("temporary")):
            for entry in os.scandir(top):
                with contextlib.suppress(OSError):
                    if entry.name.startswith("oe-") and entry.is_dir() and entry.stat().st_uid == self.uid and \
                            self.uid:
                        found.append(entry.path)
        return found

    def run_scenes(self, only):
        for case, lowest, play in scenes.SCENES:
            quick = QUICK.get(("scene", case), QUICK["scene", ""])
            if self.number < lowest or (only is not None and case not in only) or not (
                    self.long or self.name in quick):
                continue
            self.path = "scene"
            begun = time.monotonic()
            try:
                for complaint in play(self):
                    self.complain(case, play.__name__, complaint)
            except (DriverFailed, RunFailed) as failure:
                self.complain(case, play.__name__, str(failure))
                self.driver.close()
                self.driver = Driver(self.stage, self.world, self.lacks)
            self.took.append(((time.monotonic() - begun) * 1000, "scene", case, play.__name__, ""))
            for path in self.paths:
                self.cells[case, path].add("" if "F" in self.cells[case, path] else "+")

    def run_path(self, attacks):
        groups = collections.OrderedDict()
        for attack in attacks:
            groups.setdefault(attack.policy, []).append(attack)
        for policy, members in groups.items():
            try:
                self.open(members[0])
                self.run_group(members)
            except DriverFailed as failure:
                self.complain(members[0].case, "driver", f"{dict(policy)}: {failure}")
                self.driver.close()
                self.driver = Driver(self.stage, self.world, self.lacks)

    def policy(self, attack):
        """As oe_sandbox_policy has it."""
        limits = limits_of(attack)
        return {**limits, "readable": [self.world.path("shown"), self.world.path("programs")],
                "writable": [self.world.path("writable")] if limits.get("writable") else [],
                "directories": [self.world.path("evaluators")], "temporary": self.world.path("temporary")}

    def open(self, attack, path=None):
        self.path = path or self.path
        if self.path == "cold":
            answer = self.driver.ask("open", policy=self.policy(attack))
        else:
            name = "evaluator_split.py" if self.path == "split" else "evaluator.py"
            answer = self.driver.ask("evaluator", path=self.world.path("evaluators", name),
                                     config=self.settings(limits_of(attack)))
        if "error" in answer:
            raise DriverFailed(f"{answer['error']['message']} ({answer['error']['status']})")
        self.read_report(answer)
        self.idle_scratch = len(os.listdir(self.world.path("temporary")))
        self.run_one(attack, ["honest"] if self.path == "warm" else ["use_threads"])  # servers are idle from now on
        self.idle_family = self.driver.family()
        self.settle()

    def settings(self, policy):
        """The same, as options."""
        return {
            "evaluator.python": PYTHON, "evaluator.parallel_evaluations": "1",
            "evaluator.cascade_evaluation": "false",
            "evaluator.isolation": "split" if self.path == "split" else "shared",
            "evaluator.memory_limit_mb": str(policy["memory_bytes"] // cases.MIB),
            "evaluator.max_artifact_storage": str(policy["output_bytes"]),
            "sandbox.processes": str(policy["processes"]),
            "sandbox.cpu_limit": str(policy["cpu_ms"] / 1000) if policy.get("cpu_ms") else "null",
            "sandbox.scratch_mb": str(policy["scratch_bytes"] // cases.MIB),
            "sandbox.scratch_files": str(policy["scratch_files"]),
            "sandbox.profile": policy.get("profile", "default"),
            "sandbox.network": policy.get("network", "none"),
            "sandbox.overlay": "true" if policy.get("overlay", 1) else "false",
            "sandbox.readable": json.dumps([self.world.path("shown"), self.world.path("programs")]),
            "sandbox.writable": json.dumps([self.world.path("writable")] if policy.get("writable") else []),
        }

    def read_report(self, answer):
        report = json.loads(answer["report"]) if answer.get("report") else {"tier": -1, "guarantees": []}
        self.report = {line["name"]: line for line in report["guarantees"]}
        if report["tier"] != self.number:
            self.complain(59, "report", f"tier {report['tier']}, not {self.number}")
        for line in answer.get("guarantees", []):
            if line != {key: self.report.get(line["name"], {}).get(key) for key in line}:
                self.complain(59, "report", f"the getters say {line}")
        for name, line in self.report.items():
            if line["level"] not in LEVELS or (line["level"] in ("partial", "none") and not line["reason"]) or (
                    line["level"] in ("enforced", "partial") and not line["mechanism"]):
                self.complain(59, "report", f"{name}: {line}")

    # ---- runs ----

    def run_group(self, attacks):
        batches = collections.OrderedDict()
        for attack in attacks:
            if attack.is_program:
                batches[attack.name, attack.case, attack.guarantee] = [attack]
            else:
                batches.setdefault(attack.case, []).append(attack)
        for batch in batches.values():
            names = [attack.name for attack in batch]
            try:
                if batch[0].is_program:
                    self.judge_program(batch[0], self.run_one(batch[0], ["!" + names[0]]))
                else:
                    self.judge_acts(batch, self.run_one(batch[0], names))
            except RunFailed as failure:  # it is the program that ends badly, never the host
                self.complain(batch[0].case, names[0], f"the host failed: {failure}")
            self.after(batch[0])

    def describe(self, attack, names, **more):
        """The world, for a run that nothing else can be taken for."""
        self.mark = "oe-run-" + secrets.token_hex(6)
        limits = limits_of(attack)
        return self.world.describe(**{name: limits[name] for name in cases.LIMITS}, **{
            "tier": self.number, "overlay": bool(limits.get("overlay", 1)) and self.number >= 2,
            "driver": self.driver.pid, "run": self.mark, "path": self.path,
            "modules": programs.modules_of([name.lstrip("!") for name in names]), **more})

    def command(self, world, names):
        return [PYTHON, "-B", self.world.path("programs", "act.py"), json.dumps(world), *names]

    def run_one(self, attack, names):
        """One run of act.py, on the path that it is the turn of. Without names: nothing but the start."""
        world = self.describe(attack, names)
        self.runs += 1
        if self.path == "cold":
            result = self.driver.ask("run", timeout_ms=attack.timeout_ms, arguments=self.command(world, names))
        else:
            result = self.driver.ask("judge", code=self.candidate(world, names), seed=1,
                                     timeout_ms=attack.timeout_ms)
        if "error" in result:
            raise RunFailed(f"{result['error']['message']} ({result['error']['status']})")
        result["path"] = self.path
        self.took.append((result["elapsed_ms"], self.path, attack.case, " ".join(names)[:60], result["verdict"]))
        if self.path == "cold":
            result["wall_ms"] = result["usage"]["wall_ms"]
        else:
            result["output"] = str(result["artifacts"].get("stdout", "")) + str(result["artifacts"].get("output", ""))
        return result

    def candidate(self, world, names):
        """A program for evaluator.py."""
        begin = f"import json, sys\nWORLD = json.loads({json.dumps(world)!r})\n" \
                f"sys.path.insert(0, WORLD['programs'])\nimport act\n\n\ndef attack():\n"
        if len(names) == 1 and names[0] in ("honest",) or names and names[0].startswith("!"):
            result = "act.ACTS[{!r}](WORLD)".format(names[0].lstrip("!"))
            if world["modules"] != ["score"]:  # it has no result: an honest one
                result = f"{result} or {{'combined_score': 0.5}}"
            return begin + f"    act.load(WORLD)\n    return {result}\n"
        said = f"json.dumps(act.perform(WORLD, {names!r}))"
        if self.path == "split":
            return begin + f"    return {said}\n"
        return begin + "    from openevolve.evaluation_result import EvaluationResult\n" \
                       f"    return EvaluationResult({{'combined_score': 1.0}}, {{'acts': {said}}})\n"

    def outcomes(self, result, path=None):
        found = {}
        if (path or self.path) != "cold":
            try:
                return dict(json.loads(result["artifacts"].get("acts", "[]")))
            except (TypeError, ValueError):
                return found
        for line in str(result["output"]).splitlines():
            try:
                said = json.loads(line)
                found[said["act"]] = said["outcome"]
            except (ValueError, KeyError, TypeError):
                pass
        return found

    # ---- judgement ----

    def note(self, attack, done):
        level = self.level(attack.guarantee)
        if level == "none":
            self.tried[attack.guarantee] += 1
            self.done[attack.guarantee] += done
        if done and level == "enforced":
            self.complain(attack.case, attack.name, f"done, but '{attack.guarantee}' is enforced")
        self.cells[attack.case, self.path].add({"partial": "p", "none": "n"}.get(level, "?") if done else "D")

    def expected_to_work(self, attack):
        """True, or why not."""
        need = attack.tries and getattr(checks, attack.tries)
        return need(self) if need and (attack.tries.startswith("needs_") or attack.tries == "raises") else True

    def judge_acts(self, batch, result):
        outcomes = self.outcomes(result)
        case = batch[0].case
        killers = {"mem_limit": "mem_total", "disk_limit": "disk", "proc_limit": "processes"}
        if result["verdict"] != "ok" and result["verdict"] not in killers:
            self.complain(case, "run", f"{result['verdict']}: {result['message']}"
                                       f" {str(result['output'])[-300:]!r}")
        strays = self.strays()
        changed = self.world.canary.changes() if any(attack.host_sees for attack in batch) else []
        for attack in batch:
            outcome = outcomes.get(attack.name)
            if outcome is None:  # the run was ended before it came to it
                if result["verdict"] not in killers:
                    self.complain(case, attack.name, "it said nothing")
                    continue
                outcome = result["verdict"]
            result["outcome"] = outcome
            if outcome.startswith("broken") or outcome == "stuck":
                self.complain(case, attack.name, outcome[-400:])
                continue
            done = outcome == "done"
            if attack.guarantee == cases.WORKS:
                expected = self.expected_to_work(attack)
                if done != (expected is True):
                    self.complain(case, attack.name, f"{outcome}, where it has to work"
                                  if expected is True else f"{outcome}, although {expected}")
                else:
                    self.cells[case, self.path].add("+")
            else:
                if attack.host_sees and done:
                    done = bool(strays) if attack.guarantee == "tree_kill" else bool(changed)
                self.note(attack, done)
            self.check(attack, result)

    def judge_program(self, attack, result):
        verdict = result["verdict"]
        enforced = not attack.guarantee or self.level(attack.guarantee) == "enforced"
        ends = attack.ends + (attack.apart if self.path == "split" else ())
        allowed = ends if enforced or not attack.otherwise else attack.otherwise + ends
        result["outcome"] = verdict
        if verdict not in allowed:
            self.complain(attack.case, attack.name, f"{verdict} ({result['message']}), not"
                          f" {' or '.join(allowed)}: {str(result['output'])[-200:]!r}")
            return
        if attack.guarantee:
            done = verdict not in ends or (attack.guarantee == "score" and (result["fitness"] or 0) > 0.5)
            self.note(attack, done)
        if verdict not in ("ok", "exited") and verdict in attack.ends:
            self.cells[attack.case, self.path] -= {"D"}
            self.cells[attack.case, self.path].add("K")
        self.cells[attack.case, self.path].add("+" if not attack.guarantee else "")
        if verdict != "ok" and not result["message"]:
            self.complain(attack.case, attack.name, f"{verdict} without a message")
        self.check(attack, result)

    def check(self, attack, result):
        if not attack.tries or attack.tries.startswith("needs_") or attack.tries in ("raises", "in_strict"):
            return
        complaint = getattr(checks, attack.tries)(attack, result, self)
        if complaint:
            self.complain(attack.case, attack.name, complaint)

    # ---- what has to hold after each run ----

    def strays(self):
        """Of the last run: still there, a moment after its end."""
        look = self.cold_strays if self.path == "cold" else self.warm_strays
        deadline = time.monotonic() + (
            SETTLED_SECONDS if self.level("tree_kill") == "enforced" else STAYS_SECONDS)
        while True:
            found = look()
            if not found or time.monotonic() > deadline:
                return found
            time.sleep(0.002)

    def cold_strays(self):
        """The spawner stays, and with process tables of their own a tree that waits for the next command: as many
        processes that run the spawner's file, and none that runs another."""
        family = {pid for pid in self.driver.family() - self.idle_family if (state_of(pid) or "X")[0] not in "ZX"}
        own = {pid for pid in family if program_of(pid) == str(self.stage.directory / "oe-spawner")}
        if len(own) <= (3 if self.number >= 2 else 1):
            family -= own
        return family | set(marked(self.mark))

    def warm_strays(self):
        """A fork server and its spares stay: a spare cannot be told from what an evaluation forked by its name,
        but by its company. With process tables of their own, a spare is alone with its init; without, it is the
        number of processes that counts."""
        family = self.driver.family()
        if self.number < 2:
            return family if len(family) > self.idle_count else set()
        tables = collections.defaultdict(set)
        for pid in family:
            try:
                tables[os.readlink(f"/proc/{pid}/ns/pid")].add(pid)
            except OSError:
                pass
        own = os.readlink("/proc/self/ns/pid")
        crowded = [members for table, members in tables.items() if table != own and len(members) > 2]
        apart = 2 if self.path == "split" else 1  # a spare has two, then: of the evaluator and of the candidate
        if not crowded and len(tables) > 2 + SPARES * apart:
            return family
        return set().union(*crowded)

    def settle(self):
        """What is there when nothing runs: wait until it is, and stays so."""
        counts, facts = [], []
        for _ in range(20):
            counts.append(len(self.driver.family()))
            facts.append(self.driver.facts())
            time.sleep(0.005 if self.path == "cold" else 0.02)
        self.idle_count = max(counts)
        self.idle = max(facts, key=lambda fact: fact["descriptors"])

    def after(self, attack):
        case, name = attack.case, attack.name
        strays = self.strays()
        if strays:
            if self.level("tree_kill") == "enforced":
                self.complain(case, name, f"{len(strays)} processes are left: {[name_of(pid) for pid in strays][:3]}")
            self.replace_driver(attack)
            return
        deadline = time.monotonic() + SETTLED_SECONDS
        while True:
            facts = self.driver.facts()
            # Spares come and go, and each has some; whether they leak is for a scene of thousands to say.
            if self.path != "cold" and facts["descriptors"] <= self.idle["descriptors"] + 4 * SPARES:
                facts["descriptors"] = self.idle["descriptors"]
            if facts == self.idle or time.monotonic() > deadline:
                break
            time.sleep(0.002)
        if facts != self.idle:
            different = [key for key in facts if facts[key] != self.idle[key]]
            self.complain(case, name, f"the host changed: {[(key, self.idle[key], facts[key]) for key in different]}")
            self.idle = facts
        if not self.world.victim_is_well():
            if self.level("proc_signal") == "enforced":
                self.complain(case, name, "a process outside changed")
            self.world.renew_victim()
        changes = self.world.canary.changes()
        if changes:
            kinds = ("fs_write", "fs_meta")
            if all(self.level(kind) == "enforced" for kind in kinds) or not self.may_change(changes):
                self.complain(case, name, f"changed: {changes[:5]}")
            self.world.restore()

    def may_change(self, changes):
        """With what the report says: is it partial, or not enforced at all?"""
        return any(self.level(kind) in ("partial", "none") for kind in ("fs_write", "fs_meta"))

    def replace_driver(self, attack):
        """What a tier lets go on is ended by the tests themselves."""
        self.driver.close()
        self.driver = Driver(self.stage, self.world, self.lacks)
        self.open(attack)

    # ---- is the report too modest? ----

    def check_claims(self):
        """What is called not enforced, and yet never came to anything, is called wrong."""
        for name, tried in self.tried.items():
            if tried >= 3 and not self.done[name]:
                self.problems.append((59, "", name, f"'none' is claimed, but none of {tried} attacks succeeded"))
