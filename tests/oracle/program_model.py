"""The numbers of a program, as naive as the hub of hub_model.py, which has the other rules.

 F1  A combined_score that reads as a number (number, boolean, numeric text) is the fitness.
 F2  Otherwise the fitness is the mean of the finite numbers among the metrics, but for feature
     dimensions, error, timeout and booleans.
 F3  If none is left, the same with the feature dimensions; if none is left again, 0.
 F4  A fitness that is not finite is the worst: minus infinity.
 F5  a is better than b: greater fitness, strictly. Only one has metrics: that one. None has: the
     newer one.
 F6  An evaluation failed by its verdict, or if it holds no finite score: then nothing joins.
"""
import math

VERDICT_OK = 0


class Difference(Exception):
    """The hub did what no rule allows."""


def expect(what, got, want):
    if got != want:
        raise Difference(f"{what}: the hub says {got!r}, the model {want!r}")


# ---- numbers ----

def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def as_number(value):
    """float() of what Python's float() takes; else None."""
    if isinstance(value, (bool, int, float, str)):
        try:
            return float(value)
        except ValueError:
            pass
    return None


def mean(values):
    total = 0.0
    for value in values:
        total += value
    return total / len(values)


def plain_fitness(metrics, dimensions):
    score = as_number(metrics.get("combined_score"))  # F1
    if score is not None:
        return score
    useful = [(name, float(value)) for name, value in metrics.items()
              if is_number(value) and math.isfinite(value) and name not in ("error", "timeout")]
    for excluded in (dimensions, ()):  # F2, F3
        values = [value for name, value in useful if name not in excluded]
        if values:
            return mean(values)
    return 0.0


def fitness_of(metrics, dimensions):
    fitness = plain_fitness(metrics, dimensions)
    return fitness if math.isfinite(fitness) else -math.inf  # F4


def has_failed(metrics, verdict, dimensions):
    """F6"""
    if verdict != VERDICT_OK:
        return True
    numbers = [name for name, value in metrics.items()
               if as_number(value) is not None and math.isfinite(as_number(value))
               and name not in ("error", "timeout")
               and (not isinstance(value, str) or name == "combined_score")]
    return not numbers or fitness_of(metrics, dimensions) == -math.inf


def distance(a, b):
    if a == b:
        return 0.0
    return (0.1 * abs(len(a) - len(b)) + 10 * abs(a.count("\n") - b.count("\n"))
            + 0.5 * len(set(a) ^ set(b)))


def effective_bins(config):
    """M1"""
    bins, names = config["feature_bins"], config["feature_dimensions"]
    if isinstance(bins, dict):
        return [bins.get(name, 10) for name in names]
    room = math.floor(max(1, config["archive_size"]) ** (1 / len(names)) + 0.99)
    return [max(bins, room)] * len(names)


def scaled_bin(value, low, high, bins):
    """M4"""
    scaled = 0.5 if high == low else (value - low) / (high - low)
    if not math.isfinite(scaled):
        return 0
    return min(max(int(min(max(scaled, 0.0), 1.0) * bins), 0), bins - 1)


class Program:
    def __init__(self, id, code, metrics, dimensions, timestamp, iteration=0, generation=0,
                 parent=None, migrant=False):
        self.id, self.code, self.metrics, self.timestamp = id, code, metrics, timestamp
        self.iteration, self.generation, self.parent = iteration, generation, parent
        self.migrant = migrant
        self.fitness = fitness_of(metrics, dimensions)
        self.island = None
        self.bins = self.values = None


def better(a, b):
    """F5"""
    if not a.metrics and not b.metrics:
        return a.timestamp > b.timestamp
    if not a.metrics or not b.metrics:
        return bool(a.metrics)
    return a.fitness > b.fitness
