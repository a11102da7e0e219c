"""Score a search: how low it gets on average, over fixed seeds, within a budget of calls."""

import importlib.util
import math

SEEDS = range(10)
CALLS_MAX = 200
LOWEST = -1.519


class Budget(Exception):
    pass


def counted(function):
    """The function, and a counter that stops a search which asks too often."""
    calls = [0]

    def call(x, y):
        calls[0] += 1
        if calls[0] > CALLS_MAX:
            raise Budget(f"more than {CALLS_MAX} calls of the function")
        return function(x, y)

    return call


def evaluate(program_path):
    spec = importlib.util.spec_from_file_location("candidate", program_path)
    candidate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(candidate)

    def bumpy(x, y):  # our own: the candidate's may have been changed
        return math.sin(x) * math.cos(y) + math.sin(x * y) + (x * x + y * y) / 20.0

    gaps = []
    for seed in SEEDS:
        x, y = candidate.search(counted(bumpy), seed)
        gaps.append(max(0.0, bumpy(float(x), float(y)) - LOWEST))
    gap = sum(gaps) / len(gaps)
    if not math.isfinite(gap):
        return {"combined_score": 0.0, "error": "the search left the numbers"}
    return {"combined_score": 1.0 / (1.0 + gap), "mean_gap": gap, "worst_gap": max(gaps)}
