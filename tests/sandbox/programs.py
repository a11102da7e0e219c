"""The hostile programs, by name."""
import pathlib
import sys

DIRECTORY = pathlib.Path(__file__).resolve().parent / "hostile"
sys.path.append(str(DIRECTORY))
import act  # noqa: E402

MODULES = sorted(path.stem for path in DIRECTORY.glob("*.py") if path.stem != "act" and not path.stem.startswith("evaluator"))
act.load({"modules": MODULES})
ACTS = act.ACTS


def modules_of(names):
    """Those that define them: no run imports more."""
    return sorted({ACTS[name].__module__ for name in names})
