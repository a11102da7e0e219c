"""The naive model of hubs whose iterations end in turn: hub.semantics "generation" and "ordered".

As hub_model.py written from rules, not from lib/hub. What an iteration came to is put aside, and happens
when its turn comes; what it may see is kept as a list of programs, made when its sample is drawn.

 T1  An iteration that came to an end, by a commit or a failure, is staged. It is open no more: what
     comes later for it is late. Nothing of it shows until its turn has come.
 T2  Its turn decides whether a child's content is there already, and everything else about it.
 T3  With on_failure "replace" a failed attempt is given again at once, whatever its content.

Ordered
 O1  Turns come in number order: the first of all numbers that have not ended, as long as it is staged.
 O2  The sample of number i is drawn when number i - W has ended; the first ones, when the first number
     is asked for. W is hub.window, or 64.
 O3  The next attempt of a number has the sample of the one before.
 O4  The content of a child is looked for in the population that number i - W left behind.
 O5  A hold at a number lets nothing behind it end.

Generation
 B1  As many numbers as hub.window says (or 64) make a generation. Their samples, those of further
     attempts too, are drawn from the population as the generation began.
 B2  When all of its numbers have come to an end, everything that is staged ends, in number order.
 B3  Closed early, it does so with what there is. Numbers that are open then are not waited for any
     more; they end at the barrier of the generation in which they come to their end.
 B4  When no number is left to be given and nothing is open, the generation closes.
 B5  Initial programs that come while a generation is under way join at its barrier, before the rest.

Restart
 R1  Iterations that were open are opened again with their samples. In a generation they make up one
     with the numbers that follow, from the lowest of them; samples of further numbers are drawn anew.
"""
from hub_model import ATTEMPTS_MAX, COMMITTED, DUPLICATE, EMPTY, EVALUATION_FAILED, FINISHED, \
    NOT_THE_PROGRAMS_FAULT, TIMED_OUT, VERDICT_TIMEOUTS, WINDOW_FULL, Hub
from program_model import Program, expect, has_failed

BARRIER = 2
WINDOW_DEFAULT = 64


class Staged:
    """child and failure: how a commit is to be judged; else the outcome is known."""

    def __init__(self, outcome, child=None, failure=None):
        self.outcome, self.child, self.failure = outcome, child, failure


class TurnHub(Hub):
    def __init__(self, config):
        super().__init__(config)
        self.window = config["hub"]["window"] or WINDOW_DEFAULT
        self.staged = {}      # number to Staged
        self.settled = []     # what ended within the step, in order
        self.ever = {}        # identifier to program, also of those that are gone

    # ---- what all share ----

    def join(self, program, island):
        self.ever[program.id] = program
        return super().join(program, island)

    def find_program(self, id):
        return self.ever[id]

    def island_of(self, number):
        return (number - 1) % self.island_count

    def unfinished(self):
        return sorted(set(self.open) | {number for number, _ in self.waiting} | set(self.staged))

    def view(self, number):
        """What a sample of now may show."""
        self.ever[self.initial.id] = self.initial  # it may have failed, and never join
        return list(self.members(self.island_of(number))), self.initial

    def check_view(self, answer, view):
        members, initial = view
        initial_now, self.initial = self.initial, initial
        self.check_sample(answer, members)
        self.initial = initial_now

    def settle(self, number):
        """T2"""
        staged = self.staged.pop(number)
        self.open[number] = None  # as far as counting its end goes
        done = {"best": 0, "new_cell": 0, "replaced": 0, "migrated": 0}
        child, outcome = staged.child, staged.outcome
        if child and self.with_content(child.code):
            outcome = DUPLICATE
        elif child and staged.failure:
            outcome = staged.failure
        elif child:
            island = self.island_of(number)
            done.update(self.join(child, island))
            self.watch(child, False)
            self.generations[island] += 1
            done["migrated"] = self.migrate_if_due()
        del self.open[number]
        self.ended += 1
        self.outcomes[outcome] += 1
        self.settled.append([number, outcome, done["best"], done["new_cell"], done["replaced"],
                             done["migrated"]])
        return outcome, done

    def is_repeated(self, number, outcome):
        """T3"""
        attempt = self.open[number]
        if self.config["hub"]["on_failure"] != "replace" or attempt + 1 >= ATTEMPTS_MAX or \
                outcome in (COMMITTED, DUPLICATE) + NOT_THE_PROGRAMS_FAULT:
            return False
        del self.open[number]
        self.waiting.append((number, attempt + 1))
        return True

    # ---- the calls ----

    def next(self, answer):
        self.advance()
        reasons = []
        if not self.waiting:
            if self.issued >= self.last:
                reasons.append(FINISHED)
            elif self.why_not():
                reasons.append(self.why_not())
        if self.initial is None:
            reasons.append(EMPTY)
        if reasons:
            expect("next", answer["status"], 0)
            expect("reason", answer["why"] in reasons, True)
            return
        expect("next", answer["status"], 1)
        number, attempt = self.waiting.pop(0) if self.waiting else (self.issued + 1, 0)
        expect("number", (answer["number"], answer["attempt"], answer["island"]),
               (number, attempt, self.island_of(number)))
        self.give(number, attempt, answer)
        self.issued = max(self.issued, number)
        self.open[number] = attempt

    def fail(self, number, attempt, outcome):
        if self.is_late(number, attempt):
            return 0
        if self.is_repeated(number, outcome):
            return 2
        del self.open[number]
        self.staged[number] = Staged(outcome)
        self.advance()
        return 1

    def commit(self, number, attempt, parent, generation, code, metrics, verdict, answer):
        done = {"outcome": -1, "best": 0, "new_cell": 0, "replaced": 0, "late": 0, "repeated": 0,
                "migrated": 0, "staged": 0, "program": None}
        if self.is_late(number, attempt):
            return dict(done, late=1)
        self.check_same(number, code, answer["same"])
        failure = None
        if has_failed(metrics, verdict, self.dimensions):
            failure = TIMED_OUT if verdict in VERDICT_TIMEOUTS else EVALUATION_FAILED
            if self.is_repeated(number, failure):
                return dict(done, outcome=failure, repeated=1)
        child = Program(answer["child"], code, metrics, self.dimensions, answer["timestamp"],
                        number, generation + 1, parent)
        del self.open[number]
        self.staged[number] = Staged(COMMITTED, child, failure)
        self.advance()
        if number in self.staged:
            return dict(done, outcome=-1, staged=1)
        mine = [entry for entry in self.settled if entry[0] == number][0]
        done.update(zip(("outcome", "best", "new_cell", "replaced", "migrated"), mine[1:]))
        if done["outcome"] == COMMITTED:
            done["program"] = child.id if child in self.programs else None
        if done["outcome"] == DUPLICATE:
            done["program"] = self.with_content(code)
        return done

    def check_same(self, number, code, same):
        expect("same", same, self.with_content(code))

    def close(self):
        return None  # there is nothing to close

    def can_reload(self):
        return not self.waiting and not self.staged and \
            (self.frozen or "diversity" not in self.dimensions)

    def compare(self, state):
        super().compare(state)
        expect("staged", state["staged"], len(self.staged))
        expect("open", state["open"], len(self.open))


class OrderedHub(TurnHub):
    def __init__(self, config):
        super().__init__(config)
        self.views = {}       # number to what its sample shows; of those that were drawn
        self.samples = {}     # number to the sample as it was given
        self.drawn = 0
        self.position, self.limit = 0, None
        self.history = {0: {}}  # number that ended to contents and who has them

    def join(self, program, island):
        done = super().join(program, island)
        self.remember()
        return done

    def remember(self):
        contents = {}
        for program in self.programs:
            contents.setdefault(program.code, []).append(program.id)
        self.history[self.position] = contents

    def advance(self):
        """O1, O2, O5"""
        while True:
            unfinished = self.unfinished()
            ended = unfinished[0] - 1 if unfinished else self.issued
            self.drawn = max(self.drawn, self.issued)
            while self.initial and self.drawn < ended + self.window:
                self.drawn += 1
                self.views[self.drawn] = self.view(self.drawn)
            if not unfinished or unfinished[0] not in self.staged or \
                    (self.limit is not None and unfinished[0] > self.limit):
                return
            self.position = unfinished[0]
            self.settle(self.position)
            self.remember()

    def why_not(self):
        return None if self.issued < self.drawn else WINDOW_FULL

    def give(self, number, attempt, answer):
        sample = {key: answer[key] for key in ("parent", "inspirations", "top")}
        if number in self.samples:  # O3
            expect("sample of the next attempt", sample, self.samples[number])
        else:
            self.check_view(answer, self.views.pop(number))
        self.samples[number] = sample

    def check_same(self, number, code, same):
        """O4: whoever has it."""
        view = max(0, number - self.window)
        state = self.history[max(position for position in self.history if position <= view)]
        holders = state.get(code, [])
        expect("content is known", same is not None, bool(holders))
        expect("content is that of", same is None or same in holders, True)

    def hold(self, number):
        lifted = self.limit is not None and (number is None or number > self.limit)
        self.limit = number
        if lifted:
            self.advance()

    def reload(self, state):
        super().reload(state)
        self.views, self.drawn, self.position, self.limit = {}, 0, 0, None
        self.history = {}
        self.remember()

    def reopen(self, number, sample):
        self.samples[number] = sample

    def compare(self, state):
        super().compare(state)
        expect("position", state["position"], self.position)
        expect("drawn", state["drawn"], max(self.drawn, self.issued))


class GenerationHub(TurnHub):
    def __init__(self, config):
        super().__init__(config)
        self.first = 1
        self.snapshot = None  # island to what samples of this generation show
        self.late_seeds = []

    def given(self):
        return self.issued - self.first + 1

    def is_under_way(self):
        return self.given() > 0 or bool(self.staged)

    def advance(self):
        """B2, B4"""
        awaited = [n for n in self.unfinished() if n >= self.first and n not in self.staged]
        at_end = self.issued >= self.last and not self.waiting and not self.open
        if self.staged and (at_end or (not awaited and self.given() >= self.window)):
            self.pass_barrier()

    def pass_barrier(self):
        seeds, self.late_seeds = self.late_seeds, []
        for seed in seeds:  # B5
            super().seed(*seed, watched=False)
        for number in sorted(self.staged):
            self.settle(number)
        self.first, self.snapshot = self.issued + 1, None

    def close(self):
        """B3"""
        if self.is_under_way():
            self.pass_barrier()
        return 0

    def seed(self, id, code, metrics, verdict, timestamp, watched=True):
        if not self.is_under_way():
            return super().seed(id, code, metrics, verdict, timestamp, watched)
        self.late_seeds.append((id, code, metrics, verdict, timestamp))
        return True

    def why_not(self):
        return BARRIER if self.given() >= self.window else None

    def give(self, number, attempt, answer):
        """B1"""
        views = self.snapshot or [self.view(island + 1) for island in range(self.island_count)]
        if number >= self.first:  # another attempt of an earlier number begins no generation
            self.snapshot = views
        self.check_view(answer, views[self.island_of(number)])

    def can_reload(self):
        return super().can_reload() and not self.late_seeds

    def reload(self, state):
        super().reload(state)
        self.first, self.snapshot = self.issued + 1, None

    def reopen(self, number, sample):
        self.first = min(self.first, number)
