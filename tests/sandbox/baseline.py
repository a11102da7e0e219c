"""Every act with nothing in its way. One that fails by itself proves nothing when it fails in the sandbox."""
import collections
import os

import cases
import driving
import programs
from tier import USER, limits_of
from world import World

NAMES = {"b-r": 0, "b-u": USER - 1}


class Baseline:
    """A column of the matrix, like a tier."""

    def __init__(self, name, stage, numbers):
        self.name, self.stage, self.numbers = name, stage, numbers
        self.uid = NAMES[name] if os.geteuid() == 0 else os.geteuid()
        self.paths = ("bare",)
        self.cells = collections.defaultdict(set)
        self.problems, self.late, self.killed, self.killed_after, self.speeds, self.took = [], [], [], [], [], []
        self.runs = 0

    def run(self, only=None):
        self.world = World(self.stage.native, self.uid, self.numbers)
        try:
            batches = collections.OrderedDict()
            for attack in cases.ATTACKS:
                if (only is None or attack.case in only) and self.can_be_tried(attack):
                    batch = batches.setdefault((attack.case, attack.is_program and attack.name), [])
                    if attack.name not in [other.name for other in batch]:
                        batch.append(attack)
            for batch in batches.values():
                if batch[0].is_program:
                    self.run_program(batch[0])
                else:
                    self.run_acts(batch)
                if self.world.canary.changes():
                    self.world.restore()
                if not self.world.victim_is_well():
                    self.world.renew_victim()
        finally:
            self.world.close()

    @staticmethod
    def can_be_tried(attack):
        """Not what needs the library, or cannot be cleared away by us."""
        if attack.is_program:
            return attack.guarantee == "wall" and "score" not in programs.modules_of([attack.name])
        return attack.guarantee != "tree_kill" or driving.Pen.possible()

    def limits(self, attack):
        limits = limits_of(attack)
        return {**{name: limits[name] for name in cases.LIMITS}, "tier": -1, "runner": 0,
                "path": "bare"}

    def run_acts(self, batch):
        self.runs += 1
        names = [attack.name for attack in batch]
        outcomes, _ = driving.bare(self.world, names, 60, **self.limits(batch[0]))
        for attack in batch:
            outcome = outcomes.get(attack.name, "nothing")
            if outcome == "done":
                self.cells[attack.case, "bare"].add("d")
            elif attack.tries == "raises" and outcome.startswith("refused"):
                self.cells[attack.case, "bare"].add("d")
            elif self.may_fail(attack) and not outcome.startswith(("broken", "stuck", "nothing")):
                self.cells[attack.case, "bare"].add("x")
            else:
                self.cells[attack.case, "bare"].add("F")
                self.problems.append((attack.case, "bare", attack.name, f"{outcome[-300:]}, with nothing in its way"))

    def may_fail(self, attack):
        return attack.bare in (cases.KERNEL, cases.NEVER, cases.RACE) or (
            attack.bare == (cases.USER if self.uid == 0 else cases.ROOT))

    def run_program(self, attack):
        """It has to run until it is ended."""
        self.runs += 1
        seconds = min(attack.timeout_ms / 1000, 0.5)
        _, late = driving.bare(self.world, ["!" + attack.name], seconds, **self.limits(attack))
        self.cells[attack.case, "bare"].add("d" if late else "F")
        if not late:
            self.problems.append((attack.case, "bare", attack.name, "it ended by itself"))
