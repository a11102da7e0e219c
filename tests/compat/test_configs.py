#!/usr/bin/env python3
"""All of OpenEvolve's configurations load, and say the same to us."""
import unittest

from peers import CHECKOUT, PeerCase, configs, main, variables

# Where we choose otherwise for those who do not: docs/options.md says what.
OTHER_DEFAULTS = {"llm.top_p", "evaluator.parallel_evaluations"}
MAPS = {"prompt.template_variations", "database.feature_bins", "evaluator.evaluator_args"}


def flat(tree, prefix=""):
    """(name with dots, value) of every option."""
    for key, value in tree.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict) and name not in MAPS:
            yield from flat(value, name + ".")
        else:
            yield name, value


class Configs(PeerCase):
    def setUp(self):
        super().setUp()
        self.paths = configs()
        self.assertGreater(len(self.paths), 20)
        self.variables = {}
        for path in self.paths:
            self.variables |= variables(path)

    def values(self, path, *words):
        shown = self.oe("config", "show", "-c", path, "--json", *words, env=self.variables).json()
        return dict(flat(shown["values"]))

    def test_they_load(self):
        """An unknown key is a warning, and no key that OpenEvolve knows is unknown."""
        known = {name for name, _ in flat(self.peer("config", "-")[0])}
        for path in self.paths:
            with self.subTest(path.relative_to(CHECKOUT)):
                result = self.oe("config", "check", path, env=self.variables)
                for line in result.err.splitlines():
                    self.assertTrue(line.startswith(("oe config: warning: ", "oe config: note: ")), line)
                    if "unknown key" in line:
                        self.assertFalse(line.split("'")[1] in known, line)

    def test_they_say_the_same(self):
        """Whatever OpenEvolve can load itself."""
        compared = 0
        loaded = self.peer("config", *self.paths, env=self.variables)
        for path, theirs in zip(self.paths, loaded):
            if theirs is None:
                continue
            ours, changed = self.values(path), self.values(path, "--changed")
            for name, value in flat(theirs):
                # Models are compared by what is asked of them, and keys are never shown.
                if name not in ours or "model" in name or name == "llm.api_key":
                    continue
                if name in OTHER_DEFAULTS and name not in changed:
                    continue
                with self.subTest(path.relative_to(CHECKOUT), option=name):
                    self.assertEqual(*self.comparable(name, value, ours[name], path))
                    compared += 1
        self.assertGreater(compared, 1000)

    def comparable(self, name, theirs, ours, path):
        if name == "prompt.template_dir" and theirs and not (path.parent / theirs).is_dir():
            return None, None  # OpenEvolve does not look whether it is there
        if name == "database.random_seed":
            return None, None  # filled in with that of the run
        if name == "llm.api_base" and theirs == "":
            return None, None  # nobody can be asked there: it counts as not given
        if name == "evaluator.evaluator_args":
            return theirs or {}, ours  # none is none
        return theirs, ours


if __name__ == "__main__":
    main()
