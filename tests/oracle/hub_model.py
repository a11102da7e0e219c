"""A hub as naive as can be: lists, loops, no structure kept up to date that can be searched for.

Written from the rules below, which are those of OpenEvolve's database with the decisions of
docs/design.md, section 4, put over them; not from lib/hub. Each place in the code names its rule.
Those of group F, about the numbers of a program, are in program_model.py.

Feature map
 M1  The bins of an axis are the configured ones, but no fewer than give the archive room on the
     grid; where bins are given per axis, those, and 10 where none are given.
 M2  Value on an axis: the metric of that name; else "complexity", the characters of the code;
     "diversity", see D; "score", the fitness, unless there are no metrics.
 M3  A value that is missing, not finite or no number goes to bin 0 and is forgotten.
 M4  Others extend the bounds of their axis, and then are scaled to them: 0.5 if they are equal.
 M5  A cell is computed as a program joins and never again.

Diversity
 D1  With fewer than two programs, the one that joins included, there is none.
 D2  It is the mean distance to the reference codes that are not equal to the code; 0 without any.
 D3  Until it is full, the reference set is made anew for each code that was not measured before:
     all programs, or, if they are too many, one at random, then always the one farthest from all
     chosen so far. Once full it is frozen. Elites that lost their cells still count, evicted
     programs do not.
 D4  A code that was measured before the set was full keeps its value.
 D5  When a program joins and four times as many as the set holds count already, because nobody
     asked, the set is chosen from them. A size of 0 is 1.

Joining an island
 J1  A program takes its cell if that is empty or it is better than the elite.
 J2  The elite that loses its cell leaves the hub; its place in the archive goes to the winner.
 J3  Who does not win the cell lives on the island all the same.
 J4  The archive takes everybody while there is room. If it is full and the newcomer better than its
     least fit member (the youngest of equal ones), that leaves and the newcomer is in; even if it
     was there already by J2.
 J5  Is the population too large, the least fit leave, the older of equal ones first; but never the
     best, an island's best or the newcomer.
 J6  Then the best and the island's best are compared with the newcomer.
 J7  Initial programs are dealt to the islands in order.

Migration
 G1  Each child that joins adds a generation to its island. When the highest count is an interval
     ahead of that of the last migration, programs migrate. One island: never.
 G2  Of each island in order, the fittest max(1, size * rate) are sent to the next island and to the
     one before, as they are at that moment; but no migrants, and no code that is there already.
 G3  A migrant is a copy with a link to its original, and joins as any other.

Sampling
 S1  The numbers 1, 2, 3 ... go to the islands in turn.
 S2  The parent: with exploration_ratio any of the island; with exploitation_ratio any of the
     archive on the island; else, or if there is none, by fitness. An empty island: the first
     initial program that joined; before there is one, the first that failed.
 S3  Weights: fitness, from 0.001 to 1e290. Is one of them negative: n for the best of n, n - 1, ...
 S4  Inspirations are other programs of the island, each at most once, all equally likely; all of
     them, in any order, if there are no more than shall be shown.
 S5  The top programs are the first of the island by fitness, the older first if equal.

Iterations
 I1  Numbers have no gaps; each ends once, in one outcome. What comes later changes nothing.
 I2  A content that is there already does not join again, whatever its evaluation says now.
 I3  With on_failure "replace" a program's failure gives the number again, as its next attempt.
 I4  Patience counts children that joined since the watched metric last improved by the threshold;
     initial programs set the mark. combined_score stands for the fitness, and so does a metric that
     is missing or not finite. The target is reached by any fitness, an initial program's too.
 I5  A restart keeps everything, what is open is opened again, but: initial programs are dealt from the first island again, who was
     the newcomer has no protection any more, values on the axis "diversity" are measured anew for
     prompts (not for cells), and where a program without a cell would belong is anybody's guess.
     max_iterations more numbers may be given.
"""
import math

from program_model import Difference, Program, better, distance, effective_bins, expect, \
    has_failed, mean, scaled_bin

COMMITTED, DUPLICATE, EVALUATION_FAILED, TIMED_OUT = 0, 2, 8, 9
NOT_THE_PROGRAMS_FAULT = (10, 11, 12)  # llm_failed, cancelled, lost
VERDICT_TIMEOUTS = (3, 4)
READY, WINDOW_FULL, FINISHED, EMPTY = 0, 1, 3, 4
ATTEMPTS_MAX = 100
STOP_TARGET, STOP_PATIENCE = 2, 3


class Hub:
    def __init__(self, config):
        self.config, self.database = config, config["database"]
        self.dimensions = self.database["feature_dimensions"]
        self.bins = effective_bins(self.database)
        self.island_count = self.database["num_islands"]
        self.programs = []  # alive, in order of joining
        self.known = []     # their codes, and those of programs that lost their cells: see D3
        self.cells = [{} for _ in range(self.island_count)]
        self.archive = []
        self.best = None
        self.island_best = [None] * self.island_count
        self.generations = [0] * self.island_count
        self.last_migration = self.last_iteration = 0
        self.bounds = [None] * len(self.dimensions)  # or [low, high, values so far]
        self.reference_size = max(1, self.database["diversity_reference_size"])
        self.references, self.frozen, self.measured = [], False, {}
        self.reported_references = None  # what the hub says after the step: a random choice
        self.reported_migrants = []      # likewise: identifiers and times
        self.initial, self.initial_failed, self.seeded = None, False, 0
        self.issued = self.ended = 0
        self.last = config["max_iterations"]
        self.outcomes = [0] * 14
        self.open, self.waiting = {}, []  # number to attempt; [(number, next attempt)]
        self.mark, self.since_best, self.target_reached = -math.inf, 0, False

    def members(self, island):
        return [program for program in self.programs if program.island == island]

    def ranked(self, programs):
        """S5: sorted() is stable, and programs are in order of joining."""
        return sorted(programs, key=lambda program: -program.fitness)

    # ---- feature map ----

    def choose_references(self):
        """D3: any choice that the rule allows."""
        left, chosen = list(self.known), []
        if len(left) <= self.reference_size:
            return left
        for code in self.reported_references or []:
            if code not in left:
                raise Difference(f"reference {code!r} is of no program")
            farthest = max(min((distance(c, r) for r in chosen), default=0) for c in left)
            if chosen and min(distance(code, r) for r in chosen) != farthest:
                raise Difference(f"reference {code!r} is not the farthest")
            left.remove(code)
            chosen.append(code)
        expect("number of references", len(chosen), self.reference_size)
        return chosen

    def choose_unasked(self):
        """D5"""
        if "diversity" in self.dimensions and not self.frozen and \
                len(self.known) >= 4 * self.reference_size:
            self.references, self.frozen = self.choose_references(), True

    def diversity(self, code):
        if code in self.measured:  # D4
            return self.measured[code]
        if not self.frozen:
            self.references = self.choose_references()
        others = [distance(code, other) for other in self.references if other != code]
        value = mean(others) if others else 0.0  # D2
        if not self.frozen:
            self.measured[code] = value
        self.frozen = len(self.references) >= self.reference_size
        return value

    def value_on(self, program, name):
        """M2, M3: None where there is none."""
        if name in program.metrics:
            value = program.metrics[name]
            value = float(value) if isinstance(value, (bool, int, float)) else math.nan
        elif name == "complexity":
            value = float(len(program.code))
        elif name == "diversity" and len(self.programs) >= 2:  # D1
            value = self.diversity(program.code)
        elif name == "score" and program.metrics:
            value = program.fitness
        else:
            return None
        return value if math.isfinite(value) else None

    def enter(self, axis, value):
        """M4"""
        if self.bounds[axis] is None:
            self.bounds[axis] = [value, value, 0]
        low, high, count = self.bounds[axis]
        self.bounds[axis] = [min(low, value), max(high, value), min(count + 1, 1000)]

    def find_cell(self, program):
        program.values, program.bins = [], []
        for axis, name in enumerate(self.dimensions):
            value, bin = self.value_on(program, name), 0
            if value is not None:
                self.enter(axis, value)
                bin = scaled_bin(value, *self.bounds[axis][:2], self.bins[axis])
            program.values.append(value)
            program.bins.append(bin)

    # ---- joining ----

    def remove(self, program):
        self.programs.remove(program)
        cell = tuple(program.bins)
        if self.cells[program.island].get(cell) is program:
            del self.cells[program.island][cell]
        if program in self.archive:
            self.archive.remove(program)

    def contest_cell(self, program):
        cells, cell = self.cells[program.island], tuple(program.bins)
        elite = cells.get(cell)
        if elite is None:  # J1
            cells[cell] = program
            return {"new_cell": 1, "replaced": 0}
        if not better(program, elite):  # J3
            return {"new_cell": 0, "replaced": 0}
        if elite in self.archive:  # J2
            self.archive.append(program)
        self.remove(elite)
        cells[cell] = program
        return {"new_cell": 0, "replaced": 1}

    def offer_to_archive(self, program):
        """J4"""
        if len(self.archive) >= max(1, self.database["archive_size"]):
            in_order = [p for p in self.programs if p in self.archive]
            worst = self.ranked(in_order)[-1]
            if not better(program, worst):
                return
            self.archive.remove(worst)
        if program not in self.archive:
            self.archive.append(program)

    def limit_population(self, newcomer):
        """J5"""
        while len(self.programs) > self.database["population_size"]:
            kept = [self.best, newcomer] + self.island_best
            others = [program for program in self.programs if program not in kept]
            if not others:
                return
            lowest = min(program.fitness for program in others)
            out = [program for program in others if program.fitness == lowest][0]
            self.remove(out)
            self.known.remove(out.code)

    def join(self, program, island):
        self.choose_unasked()
        program.island = island
        self.programs.append(program)
        self.known.append(program.code)
        self.find_cell(program)
        done = self.contest_cell(program)
        self.offer_to_archive(program)
        self.limit_population(program)
        done["best"] = 0
        if self.best not in self.programs or better(program, self.best):  # J6
            self.best = program
            done["best"] = 1
        if self.island_best[island] not in self.programs or \
                better(program, self.island_best[island]):
            self.island_best[island] = program
        self.last_iteration = max(self.last_iteration, program.iteration)
        return done

    # ---- migration ----

    def send(self, program, island):
        if any(member.code == program.code for member in self.members(island)):  # G2
            return 0
        if not self.reported_migrants:
            raise Difference(f"no copy of {program.id} came to island {island}")
        copy = self.reported_migrants.pop(0)
        expect("migrant", (copy["parent"], copy["island"]), (program.id, island))
        self.join(Program(copy["id"], program.code, program.metrics, self.dimensions,
                          copy["timestamp"], program.iteration, program.generation, program.id,
                          migrant=True), island)  # G3
        return 1

    def migrate(self):
        sent, count = 0, self.island_count
        for island in range(count if count > 1 else 0):
            members = self.ranked(self.members(island))
            for program in members[:max(1, int(len(members) * self.database["migration_rate"]))]:
                if not program.migrant and members:
                    sent += self.send(program, (island + 1) % count)
                    sent += self.send(program, (island - 1) % count)
        if count > 1:
            self.last_migration = max(self.generations)
        return sent

    def migrate_if_due(self):
        """G1"""
        ahead = max(self.generations) - self.last_migration
        return self.migrate() if ahead >= self.database["migration_interval"] else 0

    # ---- the calls ----

    def watch(self, program, initial):
        """I4"""
        name, score = self.config["early_stopping_metric"], program.fitness
        value = program.metrics.get(name)
        if name != "combined_score" and isinstance(value, (bool, int, float)) and \
                math.isfinite(value):
            score = float(value)
        target = self.config["target_score"]
        self.target_reached |= target is not None and program.fitness >= target
        if score - self.mark >= self.config["convergence_threshold"]:
            self.mark, self.since_best = score, 0
        elif not initial:
            self.since_best += 1

    def with_content(self, code):
        """I2: the oldest, or None."""
        same = [program.id for program in self.programs if program.code == code]
        return same[0] if same else None

    def seed(self, id, code, metrics, verdict, timestamp, watched=True):
        """-> does the hub take it?"""
        program = Program(id, code, metrics, self.dimensions, timestamp)
        failed = has_failed(metrics, verdict, self.dimensions)
        builtin = ("complexity", "diversity", "score")
        if self.with_content(code) and not failed:
            return True
        if not self.programs and not failed and \
                any(name not in metrics and name not in builtin for name in self.dimensions):
            return False
        if self.initial is None or (self.initial_failed and not failed):  # S2
            self.initial, self.initial_failed = program, failed
        if not failed:
            self.join(program, self.seeded % self.island_count)  # J7
            self.seeded += 1
            if watched:
                self.watch(program, True)
        return True

    def place(self, id, code, metrics, timestamp, iteration, island):
        return self.join(Program(id, code, metrics, self.dimensions, timestamp, iteration), island)

    def next(self, answer):
        """I1, S1, S2, S4, S5: is the sample one that may be drawn?"""
        reasons = []
        if self.config["hub"]["window"] and len(self.open) >= self.config["hub"]["window"]:
            reasons.append(WINDOW_FULL)
        if self.issued >= self.last and not self.waiting:
            reasons.append(FINISHED)
        if self.initial is None:
            reasons.append(EMPTY)
        if reasons:
            expect("next", answer["status"], 0)
            expect("reason", answer["why"] in reasons, True)
            return
        expect("next", answer["status"], 1)
        number, attempt = self.waiting.pop(0) if self.waiting else (self.issued + 1, 0)
        self.issued = max(self.issued, number)
        self.open[number] = attempt
        island = (number - 1) % self.island_count
        expect("number", answer["number"], number)
        expect("attempt", answer["attempt"], attempt)
        expect("island", answer["island"], island)
        self.check_sample(answer, self.members(island))

    def check_sample(self, answer, members):
        parent, inspirations = answer["parent"], answer["inspirations"]
        if not members:
            expect("parent", parent, self.initial.id)
            expect("inspirations", inspirations, [])
            expect("top", answer["top"] in ([], [self.initial.id]), True)
            return
        prompt = self.config["prompt"]
        ids = [member.id for member in members]
        expect("parent is of the island", parent in ids, True)
        expect("inspirations are of the island", [i for i in inspirations if i not in ids], [])
        expect("inspirations differ", len(set(inspirations + [parent])), len(inspirations) + 1)
        expect("inspirations", len(inspirations), min(prompt["num_top_programs"], len(ids) - 1))
        shown = prompt["num_top_programs"] + prompt["num_diverse_programs"]
        expect("top", answer["top"], [p.id for p in self.ranked(members)][:shown])

    def parent_chances(self, island):
        """S2, S3: of each program, in order of joining."""
        members = self.members(island)
        if not members:
            return [float(p is self.initial) for p in self.programs]
        explore = self.database["exploration_ratio"]
        exploit = min(self.database["exploitation_ratio"], 1 - explore)
        archived = [p for p in members if p in self.archive]
        if not archived:
            exploit = 0.0
        weights = {p.id: min(max(p.fitness, 0.001), 1e290) for p in members}
        if any(p.fitness < 0 and math.isfinite(p.fitness) for p in members):
            weights = {p.id: len(members) - rank for rank, p in enumerate(self.ranked(members))}
        biggest = max(weights.values())
        weights = {id: weight / biggest for id, weight in weights.items()}
        whole = sum(weights.values())
        chances = []
        for program in self.programs:
            chance = 0.0
            if program in members:
                chance += explore / len(members)
                chance += (1 - explore - exploit) * weights[program.id] / whole
            if program in archived:
                chance += exploit / len(archived)
            chances.append(chance)
        return chances

    def is_late(self, number, attempt):
        return self.open.get(number) != attempt

    def end(self, number, outcome):
        """I1, I3 -> is the number given again?"""
        attempt = self.open.pop(number)
        if self.config["hub"]["on_failure"] == "replace" and \
                outcome not in (COMMITTED, DUPLICATE) + NOT_THE_PROGRAMS_FAULT and \
                attempt + 1 < ATTEMPTS_MAX:
            self.waiting.append((number, attempt + 1))
            return True
        self.ended += 1
        self.outcomes[outcome] += 1
        return False

    def fail(self, number, attempt, outcome):
        if self.is_late(number, attempt):
            return 0
        return 2 if self.end(number, outcome) else 1

    def commit(self, number, attempt, parent, generation, code, metrics, verdict, answer):
        """-> what the hub's answer has to be."""
        done = {"outcome": -1, "best": 0, "new_cell": 0, "replaced": 0, "late": 0, "repeated": 0,
                "migrated": 0, "program": None, "same": self.with_content(code)}
        if self.is_late(number, attempt):
            return dict(done, late=1)
        if self.with_content(code):  # I2
            self.end(number, DUPLICATE)
            return dict(done, outcome=DUPLICATE, program=self.with_content(code))
        if has_failed(metrics, verdict, self.dimensions):
            outcome = TIMED_OUT if verdict in VERDICT_TIMEOUTS else EVALUATION_FAILED
            return dict(done, outcome=outcome, repeated=int(self.end(number, outcome)))
        island = (number - 1) % self.island_count
        child = Program(answer["child"], code, metrics, self.dimensions, answer["timestamp"],
                        number, generation + 1, parent)
        done.update(self.join(child, island), outcome=COMMITTED)
        self.watch(child, False)
        self.end(number, COMMITTED)
        self.generations[island] += 1
        done["migrated"] = self.migrate_if_due()
        done["program"] = child.id if child in self.programs else None
        return done

    def can_reload(self):
        """While nothing waits for its next attempt, which a restart knows nothing of. And not before the
        reference set is full: it begins anew then."""
        return not self.waiting and \
            (self.frozen or "diversity" not in self.dimensions)

    def find_program(self, id):
        """A parent."""
        return [program for program in self.programs + [self.initial] if program.id == id][0]

    def hold(self, number):
        """Only where iterations end in order."""

    def reopen(self, number, sample):
        """I5: as it was."""

    def reload(self, state):
        """I5"""
        self.last = self.issued + self.config["max_iterations"]
        self.seeded = 0
        self.measured = {}
        guesses = {program["id"]: program["bins"] for program in state["programs"]}
        for program in self.programs:
            for axis, name in enumerate(self.dimensions):
                if name == "diversity":
                    program.values[axis] = self.value_on(program, name)
            if self.cells[program.island].get(tuple(program.bins)) is not program:
                program.bins = guesses.get(program.id, program.bins)
        self.limit_population(None)

    # ---- comparison ----

    def stop(self):
        if self.target_reached:
            return STOP_TARGET
        patience = self.config["early_stopping_patience"]
        return STOP_PATIENCE if patience and self.since_best >= patience else 0

    def compare(self, state):
        """Everything that the hub holds against everything here."""
        expect("broken invariant", state["broken"], None)
        expect("programs in order of joining", [p["id"] for p in state["programs"]],
               [p.id for p in self.programs])
        for got, want in zip(state["programs"], self.programs):
            for key in ("parent", "island", "migrant", "generation", "iteration", "fitness",
                        "bins"):
                expect(f"{key} of {want.id}", got[key], getattr(want, key))
            expect(f"own island of {want.id}", got["own_island"], want.island)
            values = [value if math.isfinite(value) else None for value in got["coordinates"]]
            expect(f"coordinates of {want.id}", values, want.values)
        expect("archive", state["archive"], [p.id for p in self.programs if p in self.archive])
        expect("best", state["best"], self.best and self.best.id)
        for island, got in enumerate(state["islands"]):
            best = self.island_best[island]
            expect(f"best of island {island}", got["best"], best and best.id)
            expect(f"generation of island {island}", got["generation"], self.generations[island])
            expect(f"members of island {island}", sorted(got["members"]),
                   sorted(p.id for p in self.members(island)))
            cells = {tuple(bins): id for bins, id in got["cells"]}
            expect(f"number of cells of island {island}", len(got["cells"]), len(cells))
            expect(f"feature map of island {island}", cells,
                   {cell: elite.id for cell, elite in self.cells[island].items()})
        expect("bounds", state["bounds"], self.bounds)
        if self.frozen:
            expect("references", sorted(state["references"]), sorted(self.references))
        for key in ("last_migration", "last_iteration", "issued", "ended", "outcomes",
                    "since_best"):
            expect(key, state[key], getattr(self, key))
        expect("stop", state["stop"], self.stop())

    def compare_view(self, answer):
        """The public, frozen view of the same."""
        islands = [self.programs] + [self.members(i) for i in range(self.island_count)]
        expect("ranked", answer["ranked"],
               [[p.id for p in self.ranked(members)] for members in islands])
        expect("archived", answer["archived"],
               [p.id for p in self.ranked([p for p in self.programs if p in self.archive])])
        expect("best of the view", answer["view_best"], self.best and self.best.id)
        elites = [self.cells[p.island].get(tuple(p.bins)) for p in self.programs]
        expect("elites", answer["elites"], [elite and elite.id for elite in elites])
