"""What the tests of hub.semantics share: runs that are a function of their prompts."""
import sqlite3

from oe import Case

CONFIG = """
hub: {semantics: %s, window: %d}
database: {population_size: 40, num_islands: 3, migration_interval: 5}
"""

# A program says how long its evaluation takes, what it is worth, and whether it fails.
EVALUATOR = """import hashlib
import time

def evaluate(program_path):
    dice = hashlib.sha256(open(program_path, "rb").read()).digest()
    time.sleep(dice[0] / 255 * 0.02)
    if dice[1] % 10 == 1:
        raise ValueError("ten percent are no good")
    return {"combined_score": dice[2] / 255, "speed": dice[3]}
"""

ROWS = """SELECT number, attempt, island, parent_id, program_id, outcome, message FROM iteration
          ORDER BY number, attempt"""
ITERATIONS = 60


class Semantics(Case):
    def begin(self, semantics="ordered", window=16, more=""):
        self.problem(CONFIG % (semantics, window) + more, evaluator=EVALUATOR)

    def words(self, fake, out, *words):
        return ("run", "initial_program.py", "evaluator.py", "-c", "config.yaml", "-o", out,
                "--api-base", fake.url, "--seed", "11", "--primary-model", "fake", *words)

    def evolve(self, fake, out, *words, iterations=ITERATIONS):
        self.oe(*self.words(fake, out, "-i", iterations, *words), env={"OPENAI_API_KEY": "k"})
        return self.hash(out)

    def hash(self, out):
        status = self.oe("status", out, "--json").json()
        done = status["iterations"]["done"]
        self.assertEqual(sum(status["iterations"]["outcomes"].values()), done)
        self.done = done
        self.assertRegex(status["archive_hash"], "^[0-9a-f]{64}$")
        return status["archive_hash"]

    def query(self, out, sql):
        with sqlite3.connect(self.path(out + "/run.db")) as database:
            return database.execute(sql).fetchall()

    def rows(self, out):
        """Iterations, with everything but times; the identifier of the initial program is random."""
        initial = self.query(out, "SELECT program_id FROM log WHERE kind = 'seed'")[0][0]
        return [tuple("initial" if value == initial else value for value in row)
                for row in self.query(out, ROWS)]

    def wait_for_rows(self, out, count, where=""):
        def there():
            if not self.path(out + "/run.db").exists():
                return False
            try:
                return self.query(out, f"SELECT count(*) FROM log {where}")[0][0] >= count
            except sqlite3.OperationalError:
                return False  # not made yet
        self.wait_for(there, what=f"{count} calls")
