"""Uses files as evaluators do: beside itself, in the working directory, temporary ones, at import and later."""
import json
import locale
import os
import pathlib
import tempfile
import time

HERE = pathlib.Path(__file__).parent
(HERE / "cache.json").write_text(json.dumps({"made": "at import"}))


def evaluate(program_path):
    data = (HERE / "data.txt").read_text()
    made = json.loads((HERE / "cache.json").read_text())["made"]
    (HERE / "data.txt").write_text(data + "more")
    os.chdir(HERE)
    os.makedirs("results/1", exist_ok=True)
    pathlib.Path("results/1/log").write_text(made)
    pathlib.Path(os.path.expanduser("~"), "settings").write_text("x")
    with tempfile.NamedTemporaryFile("w", dir=HERE) as file:
        file.write("x")
    locale.setlocale(locale.LC_ALL, "C.UTF-8")
    time.localtime()
    return {"combined_score": float(len(data)), "size": float(len((HERE / "data.txt").read_text()))}
