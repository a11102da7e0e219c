"""Import the candidate, which imports numpy, and take its word."""
import importlib.util

import numpy


def evaluate(program_path):
    spec = importlib.util.spec_from_file_location("candidate", program_path)
    candidate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(candidate)
    return {"combined_score": float(numpy.tanh(candidate.value() / 100))}
