"""Pack 26 circles into the unit square; the sum of their radii counts."""

import math


# EVOLVE-BLOCK-START
def centers():
    """Where the circles are: one in the middle, eight around it, seventeen around those."""
    return [
        (0.50, 0.50), (0.62, 0.50), (0.58, 0.58), (0.50, 0.62),
        (0.42, 0.58), (0.38, 0.50), (0.42, 0.42), (0.50, 0.38),
        (0.58, 0.42), (0.70, 0.50), (0.69, 0.57), (0.65, 0.63),
        (0.59, 0.68), (0.52, 0.70), (0.45, 0.69), (0.38, 0.66),
        (0.33, 0.61), (0.30, 0.54), (0.30, 0.46), (0.33, 0.39),
        (0.38, 0.34), (0.45, 0.31), (0.52, 0.30), (0.59, 0.32),
        (0.65, 0.37), (0.69, 0.43),
    ]


def radii(points):
    """Radii that fit: no circle leaves the square, none reaches over half the way to another."""
    result = []
    for i, (x, y) in enumerate(points):
        radius = min(x, y, 1.0 - x, 1.0 - y)
        for j, (u, v) in enumerate(points):
            if i != j:
                radius = min(radius, math.hypot(x - u, y - v) * 0.5)
        result.append(radius * 0.95)
    return result
# EVOLVE-BLOCK-END


def pack():
    """The answer: 26 centres and 26 radii."""
    points = centers()
    return points, radii(points)
