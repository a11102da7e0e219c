"""Find the lowest point of a bumpy function of two variables by trying points."""

import math
import random


def bumpy(x, y):
    """Many local minima; the lowest is about -1.52 near (-1.7, 0.7)."""
    return math.sin(x) * math.cos(y) + math.sin(x * y) + (x * x + y * y) / 20.0


# EVOLVE-BLOCK-START
def search(function, seed):
    """Random steps from a starting point; better points are kept."""
    generator = random.Random(seed)
    steps = 40
    scale = 4.5
    shrink = 1.0
    best_x, best_y = 3.0, -3.0
    best = function(best_x, best_y)
    for _ in range(steps):
        x = best_x + generator.uniform(-1.0, 1.0) * scale
        y = best_y + generator.uniform(-1.0, 1.0) * scale
        value = function(x, y)
        if value < best:
            best_x, best_y, best = x, y, value
        scale = scale * shrink
    return best_x, best_y
# EVOLVE-BLOCK-END
