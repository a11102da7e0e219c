"""Judge a packing exactly as it is: nothing is repaired, moved or solved for, and nothing is forgiven."""

import importlib.util
import math
from fractions import Fraction

CIRCLES = 26


def load(path):
    spec = importlib.util.spec_from_file_location("candidate", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def fault(points, radii):
    """What is wrong with the packing, or None. Exact arithmetic on the numbers given: tolerance 0."""
    if len(points) != CIRCLES or len(radii) != CIRCLES:
        return f"expected {CIRCLES} centres and radii, got {len(points)} and {len(radii)}"
    for i, ((x, y), r) in enumerate(zip(points, radii)):
        if not (math.isfinite(x) and math.isfinite(y) and math.isfinite(r)):
            return f"circle {i} is not made of finite numbers"
        if r < 0:
            return f"circle {i} has a negative radius"
    exact = [(Fraction(x), Fraction(y), Fraction(r)) for (x, y), r in zip(points, radii)]
    for i, (x, y, r) in enumerate(exact):
        if x - r < 0 or y - r < 0 or x + r > 1 or y + r > 1:
            return f"circle {i} leaves the square"
        for j in range(i):
            u, v, s = exact[j]
            if (x - u) ** 2 + (y - v) ** 2 < (r + s) ** 2:
                return f"circles {j} and {i} overlap"
    return None


def evaluate(program_path):
    points, radii = load(program_path).pack()
    points = [(float(x), float(y)) for x, y in points]
    radii = [float(r) for r in radii]
    problem = fault(points, radii)
    if problem:
        return {"combined_score": 0.0, "sum_radii": 0.0, "valid": 0.0, "error": problem}
    total = math.fsum(radii)
    return {"combined_score": total, "sum_radii": total, "valid": 1.0}
