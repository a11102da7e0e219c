"""OpenEvolve's side of the comparison: runs in its interpreter, prints one JSON document.

    peer.py CHECKOUT config FILE...                 configurations as OpenEvolve reads them, or null
    peer.py CHECKOUT evaluate PROGRAM EVALUATOR FILE   metrics and artifacts of one evaluation
    peer.py CHECKOUT load CHECKPOINT FILE           a checkpoint as its database loads it
    peer.py CHECKOUT view CHECKPOINT                a checkpoint as its visualizer shows it
    peer.py CHECKOUT flags                          what openevolve-run takes
    peer.py CHECKOUT run ARGUMENT...                openevolve-run itself
"""
import argparse
import asyncio
import dataclasses
import json
import logging
import os
import pathlib
import sys


def plain(value):
    """As JSON can say it: numpy's scalars as numbers, what is no data as its text."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [plain(item) for item in value]
    if hasattr(value, "item"):
        value = value.item()
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return repr(value)


def read_config(path):
    from openevolve.config import Config

    return Config.from_yaml(path) if path != "-" else Config()


def try_config(path):
    try:
        return dataclasses.asdict(read_config(path))
    except Exception:  # it says so to its users; for us it is enough that it does
        return None


def evaluate(program, evaluator, path):
    from openevolve.evaluator import Evaluator

    config = read_config(path)
    config.evaluator.use_llm_feedback = False
    config.evaluator.max_retries = 0  # it retries what raises; we know that it would again
    judge = Evaluator(config.evaluator, evaluator, suffix=pathlib.Path(program).suffix or ".py")
    metrics = asyncio.run(judge.evaluate_program(pathlib.Path(program).read_text(), "program"))
    return {"metrics": metrics, "artifacts": judge.get_pending_artifacts("program") or {}}


def load(checkpoint, path):
    from openevolve.database import ProgramDatabase

    database = ProgramDatabase(read_config(path).database)
    database.load(checkpoint)
    sample = [database.sample_from_island(island)
              for island, ids in enumerate(database.islands) if ids]
    return {
        "last_iteration": database.last_iteration,
        "best": database.best_program_id,
        "found_best": database.get_best_program().id,
        "islands": [sorted(island) for island in database.islands],
        "island_bests": database.island_best_programs,
        "generations": database.island_generations,
        "cells": sum(len(cells) for cells in database.island_feature_maps),
        "archive": sorted(database.archive),
        "programs": {id: dataclasses.asdict(program) for id, program in database.programs.items()},
        "artifacts": {id: database.get_artifacts(id) for id in database.programs},
        "sampled": [[parent.id, *(other.id for other in others)] for parent, others in sample],
    }


def view(checkout, checkpoint):
    sys.path.insert(0, str(checkout / "scripts"))
    os.environ["EVOLVE_OUTPUT"] = checkpoint
    import visualizer

    client = visualizer.app.test_client()
    data = client.get("/api/data")
    nodes = json.loads(data.text, parse_constant=lambda word: sys.exit(f"{word} is no JSON"))["nodes"]
    pages = {node["id"]: client.get("/program/" + node["id"]).status_code for node in nodes}
    return {"data": json.loads(data.text), "pages": pages,
            "index": client.get("/").status_code}


def flags():
    """Its parser is not for others to see: taken as it is about to be used."""
    from openevolve import cli

    class Seen(Exception):
        pass

    def parse_args(self, *_):
        raise Seen([{"names": action.option_strings, "value": action.nargs != 0,
                     "choices": list(action.choices or [])}
                    for action in self._actions if action.option_strings])

    argparse.ArgumentParser.parse_args = parse_args
    try:
        cli.parse_args()
    except Seen as seen:
        return seen.args[0]


def main():
    checkout, command, arguments = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3:]
    sys.path.insert(0, str(checkout))
    if command == "run":
        from openevolve import cli

        sys.argv = ["openevolve-run", *arguments]
        return cli.main()
    logging.disable(logging.CRITICAL)
    answer = os.dup(1)
    os.dup2(2, 1)  # what evaluators print is not the answer
    if command == "config":
        found = [try_config(path) for path in arguments]
    elif command == "evaluate":
        found = evaluate(*arguments)
    elif command == "load":
        found = load(*arguments)
    elif command == "view":
        found = view(checkout, *arguments)
    else:
        found = flags()
    with os.fdopen(answer, "w") as stream:
        json.dump(plain(found), stream)
    # Evaluators leave pools behind, whose threads would be waited for.
    sys.stderr.flush()
    os._exit(0)


sys.exit(main())
