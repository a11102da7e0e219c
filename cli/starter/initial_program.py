"""The program that is improved. Only what is between the markers changes."""


# EVOLVE-BLOCK-START
def fit(xs):
    """A polynomial that should come close to sin(x) for x in [0, 3]."""
    a, b, c, d = 0.1, 0.5, 0.1, 0.1
    return [a + b * x + c * x * x + d * x * x * x for x in xs]
# EVOLVE-BLOCK-END
