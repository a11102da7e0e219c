"""The books that are kept of a run that is killed again and again.

Three parties keep a record: the caller (the events that oe wrote before it was killed), the model
server (its journal: the hash of each prompt, as it arrived), and run.db. After each kill the log is read
as it lies there, without recovering it; what it lacks of what the others know is a fault.
"""
import collections
import contextlib
import json
import pathlib
import shutil
import sqlite3
import tempfile


class Faults(AssertionError):
    pass


def check(condition, *what):
    if not condition:
        raise Faults(" ".join(map(str, what)))


@contextlib.contextmanager
def look(path):
    """A connection to a database that nobody has open, which recovers and changes nothing."""
    wal = path.with_name(path.name + "-wal")
    with tempfile.TemporaryDirectory() as directory:
        where = f"file:{path}?immutable=1"
        if wal.exists():  # it is read where it lies, by the index in memory, as far as that goes
            where = f"file:{path}?mode=ro&readonly_shm=1"
        database = sqlite3.connect(where, uri=True)
        try:
            database.execute("SELECT count(*) FROM sqlite_master")
        except sqlite3.OperationalError:
            database.close()
            for file in (path, wal):
                shutil.copy(file, directory)
            database = sqlite3.connect(pathlib.Path(directory) / path.name)
        try:
            yield database
        finally:
            database.close()


class Log:
    """What run.db has, read piece by piece."""

    def __init__(self, path):
        self.path = path
        self.seq = 0
        self.issued = set()
        self.ends = {}      # number: (kind, outcome, program)
        self.committed = set()
        self.answered = {}  # number: prompt hash

    def open(self):
        """Issued, and not ended."""
        return self.issued - self.ends.keys()

    def read(self):
        if not self.path.exists():
            return
        with look(self.path) as database:
            if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'log'").fetchone():
                return  # killed while it was being made
            first = min(self.open(), default=len(self.issued) + 1)
            for row in database.execute("SELECT seq, kind, number, outcome, program_id FROM log"
                                        " WHERE seq > ? ORDER BY seq", (self.seq,)):
                self.add(*row)
            for number, digest in database.execute(
                    "SELECT number, prompt_hash FROM answer WHERE number >= ?", (first,)):
                before = self.answered.setdefault(number, digest.hex())
                check(before == digest.hex(), "iteration", number, "was asked something else")

    def add(self, seq, kind, number, outcome, program):
        check(seq == self.seq + 1, "row", seq, "follows row", self.seq)
        self.seq = seq
        if kind == "issue":
            check(number == len(self.issued) + 1, "number", number, "was given out of turn")
            self.issued.add(number)
        elif kind in ("commit", "fail"):
            check(number in self.issued, "iteration", number, "ended before it began")
            check(number not in self.ends, "iteration", number, "ended twice")
            self.ends[number] = (kind, outcome, program)
        if kind == "commit" and outcome in ("committed", None):  # None: what waits for its turn
            check(program not in self.committed, "program", program, "was committed twice")
            self.committed.add(program)


class Books:
    def __init__(self, run, journal):
        self.journal = pathlib.Path(journal)
        self.log = Log(pathlib.Path(run) / "run.db")
        self.sessions = []  # (prompts asked in it, answers that were there before it)
        self.told = {}      # number: (outcome, program), as events said
        self.asked = self.answers = 0
        self.flights = []   # calls in flight at each kill

    @property
    def kills(self):
        return len(self.flights)

    def end_session(self, events, killed):
        """After oe has ended; `events` is the file that it wrote."""
        prompts = self.journal.read_text().split() if self.journal.exists() else []
        self.sessions.append((prompts[self.asked:], self.answers))
        self.log.read()
        self.asked, self.answers = len(prompts), len(self.log.answered)
        if killed:
            self.flights.append(len(self.log.open() - self.log.answered.keys()))
        for number, told in self.read_events(events):
            there = self.log.ends.get(number)
            check(there, "iteration", number, "was told as", told, "and the log has not ended it")
            _, outcome, program = there
            # How one ends that waits for its turn follows from those before it.
            check(outcome in (told[0], None), "iteration", number, "was told as", told,
                  "and the log has", there)
            if told[0] == "duplicate":
                told = (told[0], None)  # of that which was there
            else:
                check(program == told[1], "iteration", number, "was told as", told, "and the log has",
                      there)
            self.told[number] = told

    def read_events(self, path):
        for line in path.read_text().split("\n")[:-1] if path.exists() else []:
            event = json.loads(line)
            if event["type"] == "iteration":
                yield event["iter"], (event["outcome"], event["program_id"])
            elif event["type"] == "checkpoint":
                check(pathlib.Path(event["path"], "metadata.json").exists(), "no", event["path"])

    def settle(self):
        """When all iterations have ended: who was asked what, and how often. The number of repeats."""
        log = self.log
        check(not log.open(), "not ended:", sorted(log.open()))
        order = {number: place for place, number in enumerate(log.answered)}
        askers = collections.defaultdict(list)
        for number, digest in log.answered.items():
            askers[digest].append(number)
        for prompts, answers in self.sessions:
            # In one session each iteration that has no answer yet asks once, and no other does.
            for digest, count in collections.Counter(prompts).items():
                waiting = [number for number in askers[digest] if order[number] >= answers]
                check(count <= len(waiting), "a prompt of iterations", askers[digest], "was asked",
                      count, "times, when", waiting, "had no answer")
        repeats = self.asked - len(log.answered)
        flying = sum(self.flights)
        check(0 <= repeats <= flying, repeats, "repeats,", flying, "in flight")
        return repeats
