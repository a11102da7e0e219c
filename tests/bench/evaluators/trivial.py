"""Read the candidate, and score its text."""
import zlib


def evaluate(program_path):
    with open(program_path, "rb") as file:
        return {"combined_score": zlib.crc32(file.read()) / 2**32}
