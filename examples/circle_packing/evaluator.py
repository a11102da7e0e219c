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


def leaves(at, radius):
    """Does a circle leave [0, 1] in one direction? Doubtful cases are decided exactly."""
    if radius + 1e-9 < at < 1.0 - radius - 1e-9:
        return False
    at, radius = Fraction(at), Fraction(radius)
    return at - radius < 0 or at + radius > 1


def overlap(a, r, b, s):
    """Do two circles overlap? Floating point where it is sure, fractions where it is close."""
    gap = math.hypot(a[0] - b[0], a[1] - b[1]) - (r + s)
    if abs(gap) > 1e-9:
        return gap < 0
    x, y = Fraction(a[0]) - Fraction(b[0]), Fraction(a[1]) - Fraction(b[1])
    return x * x + y * y < (Fraction(r) + Fraction(s)) ** 2


def fault(points, radii):
    """What is wrong with the packing, or None. The numbers are judged as given, with tolerance 0."""
    if len(points) != CIRCLES or len(radii) != CIRCLES:
        return f"expected {CIRCLES} centres and radii, got {len(points)} and {len(radii)}"
    for i, ((x, y), r) in enumerate(zip(points, radii)):
        if not (math.isfinite(x) and math.isfinite(y) and math.isfinite(r)):
            return f"circle {i} is not made of finite numbers"
        if r < 0:
            return f"circle {i} has a negative radius"
    for i, ((x, y), r) in enumerate(zip(points, radii)):
        if leaves(x, r) or leaves(y, r):
            return f"circle {i} leaves the square"
        for j in range(i):
            if overlap(points[j], radii[j], (x, y), r):
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
