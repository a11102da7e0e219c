"""What the tests against OpenEvolve itself share: where it is, how it is run, what it says.

OE_OPENEVOLVE        a checkout of OpenEvolve's repository; without one these tests are skipped
OE_OPENEVOLVE_PYTHON an interpreter with its dependencies, and with what its examples import (numpy,
                     scipy, ...); by default python3. Evaluators run in it, ours and theirs.
"""
import json
import os
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "cli"))
from oe import PROGRAM, Case, FakeLLM, main  # noqa: E402,F401

CHECKOUT = os.environ.get("OE_OPENEVOLVE")
PYTHON = os.environ.get("OE_OPENEVOLVE_PYTHON", "python3")
SKIPPED = 77

if not CHECKOUT or not (pathlib.Path(CHECKOUT) / "openevolve/config.py").exists():
    print("SKIPPED: no checkout of OpenEvolve"
          f" {'in ' + CHECKOUT if CHECKOUT else ''}(set OE_OPENEVOLVE)", file=sys.stderr)
    sys.exit(SKIPPED)
CHECKOUT = pathlib.Path(CHECKOUT).resolve()
EXAMPLES = CHECKOUT / "examples"


def variables(path):
    """What a configuration wants from the environment, with harmless values."""
    names = re.findall(r"\$\{(\w+)\}", path.read_text())
    return {name: "not-a-secret" for name in [*names, "OPENAI_API_KEY"]}


def configs():
    """All YAML files that the repository gives its users."""
    found = [path for top in ("configs", "examples") for pattern in ("*.yaml", "*.yml")
             for path in (CHECKOUT / top).rglob(pattern)]
    return sorted(found)


class PeerCase(Case):
    """A Case with OpenEvolve beside it."""

    def environment(self, more=None):
        kept = super().environment(more)
        # As in an activated virtual environment.
        binaries = pathlib.Path(PYTHON).parent
        if binaries.name == "bin":
            kept["PATH"] = f"{binaries}:{kept['PATH']}"
            kept["VIRTUAL_ENV"] = str(binaries.parent)
        kept["PYTHONDONTWRITEBYTECODE"] = "1"
        return kept

    def peer(self, *words, env=None, cwd=None, timeout=120, code=0):
        """What OpenEvolve says; None if it fails to say anything and `code` is None."""
        done = subprocess.run([PYTHON, HERE / "peer.py", CHECKOUT, *map(str, words)],
                              cwd=cwd or self.directory, env=self.environment(env), text=True,
                              capture_output=True, timeout=timeout)
        if code is not None:
            self.assertEqual(done.returncode, code, done.stderr[-3000:])
        if words[0] == "run":
            return done
        return json.loads(done.stdout) if done.returncode == 0 and done.stdout else None
