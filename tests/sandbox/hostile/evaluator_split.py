"""The same for programs that run apart: what they say is not a result, so the score is ours."""
from openevolve import candidate
from openevolve.evaluation_result import EvaluationResult


def evaluate(program_path):
    program = candidate.load(program_path)
    print("the evaluator's own words " * 100, flush=True)
    said = program.attack()
    return EvaluationResult({"combined_score": 0.5}, {"acts": said} if isinstance(said, str) else {})
