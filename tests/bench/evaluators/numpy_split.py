"""Ask the candidate, which imports numpy in a process of its own, and take its word."""
import numpy

from openevolve import candidate


def evaluate(program_path):
    return {"combined_score": float(numpy.tanh(float(candidate.load(program_path).value()) / 100))}
