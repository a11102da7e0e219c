"""Imports a library that starts a thread at once, as some do."""
import importlib.util

import oe_abuse_threads


def evaluate(program_path):
    spec = importlib.util.spec_from_file_location("program", program_path)
    program = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(program)
    return {"combined_score": program.value() * oe_abuse_threads.ask(2)}
