"""OpenEvolve and oe on the same program, evaluator, configuration and model server, in one run.

Both are started as commands, as a user would. A short and a long run of each are subtracted, so that
what is left is the cost of an iteration, without start and end. CPU is that of all processes.
"""
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
from fake_llm import FakeLLM  # noqa: E402

KEY = "not-a-secret"
# name, latency in ms, evaluations at once of each, iterations of the short and the long run
CASES = [
    ("4 workers, 0 ms", 0, 4, 60, 360),
    ("64 workers, 1000 ms", 1000, 64, 192, 576),
]
CONFIG = """\
max_iterations: 1
checkpoint_interval: 100000
log_level: "ERROR"
random_seed: 1
llm:
  models: [{name: "fake", weight: 1.0}]
  api_base: "URL"
  api_key: "KEY"
  timeout: 60
database:
  population_size: 1000
evaluator:
  timeout: 60
  cascade_evaluation: false
  parallel_evaluations: WORKERS
"""


def environment(build):
    """A virtual environment with OpenEvolve from its package."""
    home = build / "openevolve"
    command = home / "bin/openevolve-run"
    if not command.exists():
        subprocess.run([sys.executable, "-m", "venv", home], check=True)
        subprocess.run([home / "bin/pip", "install", "--quiet", "openevolve"], check=True)
    return command


def problem(directory, url, workers):
    """Program of 4 KB and configuration, in a directory of its own."""
    directory.mkdir(parents=True)
    steps = "".join(f"    step_{i} = best * {i}.25 + len(values)  # weigh the candidates\n"
                    for i in range(60))
    (directory / "program.py").write_text(
        f"# EVOLVE-BLOCK-START\ndef search(values):\n    best = 0.5\n{steps}    return best\n"
        "# EVOLVE-BLOCK-END\n")
    text = CONFIG.replace("URL", url).replace("KEY", KEY).replace("WORKERS", str(workers))
    (directory / "config.yaml").write_text(text)


def run(command, directory, iterations, extra):
    """Seconds and CPU seconds of one run."""
    output = directory / f"output-{time.monotonic_ns()}"
    words = [*command, "program.py", str(HERE / "evaluators/trivial.py"), "--config", "config.yaml",
             "--iterations", str(iterations), "--output", str(output), *extra]
    environment = {"PATH": os.environ["PATH"], "HOME": str(directory), "OPENAI_API_KEY": KEY,
                   "OPENBLAS_NUM_THREADS": "1"}
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run(words, cwd=directory, env=environment, check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL, timeout=900)
    taken, after = time.monotonic() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    return taken, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def per_iteration(fake, command, directory, short, long, extra=()):
    """Iterations per second, and CPU milliseconds per iteration, all processes but the server's."""
    fake.reset()
    first = run(command, directory, short, extra)
    answered = fake.stats()["answered"]
    second = run(command, directory, long, extra)
    count = fake.stats()["answered"] - 2 * answered
    return count / (second[0] - first[0]), 1e3 * (second[1] - first[1]) / count


def compare(table, build, options):
    theirs, ours = environment(build), build / "cli/oe"
    for name, latency, workers, short, long in CASES:
        figures = {"openevolve": [], "oe": []}
        for _ in range(options.runs):
            with FakeLLM(build / "tests/bench/fake_llm", latency=latency) as fake, \
                    tempfile.TemporaryDirectory(prefix="oe-bench-") as directory:
                directory = pathlib.Path(directory) / "problem"
                problem(directory, fake.url, workers)
                figures["openevolve"].append(
                    per_iteration(fake, [theirs], directory, short, long))
                # As many answers are waited for; evaluations take what the machine has.
                figures["oe"].append(per_iteration(
                    fake, [ours, "run"], directory, short, long * (10 if latency == 0 else 1),
                    ("--llm-jobs", str(workers))))
        for who, values in figures.items():
            table.add(f"{who}, {name}", "rate", "it/s", [rate for rate, _ in values], None)
            table.add(f"{who}, {name}", "all CPU", "ms/it", [cpu for _, cpu in values], None)
        ratios = [ours[0] / theirs[0] for ours, theirs in zip(figures["oe"], figures["openevolve"])]
        table.add(f"oe to openevolve, {name}", "rate ratio", "", ratios, None)
        ratios = [theirs[1] / ours[1] for ours, theirs in zip(figures["oe"], figures["openevolve"])]
        table.add(f"openevolve to oe, {name}", "CPU ratio", "", ratios, None)
