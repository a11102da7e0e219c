#!/usr/bin/env python3
"""Random streams of calls for the hub and for its naive model: they have to agree after each.

    test_oracle.py DRIVER                  150 streams; 2000 longer ones with OE_LONG=1
    test_oracle.py DRIVER --seed N         the stream of that seed
    test_oracle.py DRIVER --stream FILE    a stream that a failure printed

A difference is reported with the seed, the first step that differs, and the shortest stream that
still differs.
"""
import argparse
import json
import math
import os
import random
import re
import subprocess
import sys
import tempfile

import hub_model
import turn_model

STREAMS, STEPS = 150, 60
LONG_STREAMS, LONG_STEPS = 2000, 120
DRAWS = 1500
CHI_SQUARE_Z = 5.0  # one in three million, for each of the few thousand comparisons


# ---- the two sides ----

TIMESTAMP = re.compile(r'"timestamp":[^,}]*')


class Driver:
    """The hub's process; a new one after each death. Remembers its answers, but for times."""

    def __init__(self, path):
        self.path, self.process, self.transcript = path, None, []

    def ask(self, command):
        if self.process is None:
            self.log = tempfile.TemporaryFile(mode="w+")
            self.process = subprocess.Popen([self.path], stdin=subprocess.PIPE, text=True,
                                            stdout=subprocess.PIPE, stderr=self.log)
        try:
            self.process.stdin.write(json.dumps(command) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass
        line = self.process.stdout.readline()
        if line:
            self.transcript.append(TIMESTAMP.sub("", line))
            return json.loads(line)
        status = self.close()
        raise hub_model.Difference(f"the hub died of {status}: {self.last_words}")

    def close(self):
        if self.process is None:
            return 0
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        status = self.process.wait()
        self.process.stdout.close()
        self.log.seek(0)
        self.last_words = self.log.read()[-2000:]
        self.log.close()
        self.process = None
        return status


HUBS = {"steady": hub_model.Hub, "ordered": turn_model.OrderedHub,
        "generation": turn_model.GenerationHub}


class Mismatch(Exception):
    def __init__(self, step, op, what):
        super().__init__(f"step {step}, {json.dumps(op)}: {what}")
        self.step = step


class Run:
    """One stream, step by step, on both sides."""

    def __init__(self, driver, config):
        self.driver, self.config = driver, config
        answer = driver.ask({"op": "configure", "config": config})
        if answer["status"] != 0:
            raise hub_model.Difference(f"configuration: {answer['message']}")
        self.model = HUBS[config["hub"]["semantics"]](config)
        self.handles = []  # (number, attempt, parent's identifier, parent's generation)

    def tell(self, command):
        answer = self.driver.ask(command)
        self.model.reported_references = answer["state"]["references"]
        self.model.reported_migrants = answer["migrants"]
        self.model.settled = []
        return answer

    def pick(self, choice):
        """An open iteration, or sometimes one that ended."""
        still_open = [handle for handle, (number, attempt, *_) in enumerate(self.handles)
                      if self.model.open.get(number) == attempt]
        some = still_open if still_open and choice % 16 else range(len(self.handles))
        return some[choice // 16 % len(some)] if some else None

    def step(self, op):
        name, arguments = op[0], op[1:]
        answer = getattr(self, "do_" + name)(*arguments)
        if answer is None:
            return
        hub_model.expect("migrants left over", self.model.reported_migrants, [])
        hub_model.expect("ended in turn", answer["settled"], self.model.settled)
        self.model.compare(answer["state"])

    def do_seed(self, id, code, metrics, verdict):
        answer = self.tell({"op": "seed", "id": id, "code": code, "metrics": metrics,
                            "verdict": verdict, "timestamp": 1.0})
        taken = self.model.seed(id, code, metrics, verdict, 1.0)
        hub_model.expect("seed is taken", answer["status"] == 0, taken)
        return answer

    def do_next(self):
        answer = self.tell({"op": "next"})
        self.model.next(answer)
        if answer["status"] == 1:
            hub_model.expect("handle", answer["handle"], len(self.handles))
            parent = self.model.find_program(answer["parent"])
            self.handles.append((answer["number"], answer["attempt"], parent.id,
                                 parent.generation))
        return answer

    def do_commit(self, choice, code, metrics, verdict):
        handle = self.pick(choice)
        if handle is None:
            return None
        answer = self.tell({"op": "commit", "handle": handle, "code": code, "metrics": metrics,
                            "verdict": verdict})
        hub_model.expect("commit", answer["status"], 0)
        number, attempt, parent, generation = self.handles[handle]
        want = self.model.commit(number, attempt, parent, generation, code, metrics, verdict,
                                 answer)
        hub_model.expect("commit", {key: answer[key] for key in want}, want)
        return answer

    def do_fail(self, choice, outcome):
        handle = self.pick(choice)
        if handle is None:
            return None
        answer = self.tell({"op": "fail", "handle": handle, "outcome": outcome})
        number, attempt, *_ = self.handles[handle]
        hub_model.expect("fail", answer["status"], self.model.fail(number, attempt, outcome))
        return answer

    def do_place(self, id, code, metrics, timestamp, iteration, island):
        if self.model.initial is None:
            return None
        answer = self.tell({"op": "place", "id": id, "code": code, "metrics": metrics,
                            "verdict": 0, "timestamp": timestamp, "iteration": iteration,
                            "island": island})
        hub_model.expect("place", answer["status"], 0)
        want = self.model.place(id, code, metrics, timestamp, iteration, island)
        hub_model.expect("place", {key: answer[key] for key in want}, want)
        return answer

    def do_migrate(self):
        answer = self.tell({"op": "migrate"})
        hub_model.expect("migrate", answer["status"], self.model.migrate())
        return answer

    def do_close(self):
        answer = self.tell({"op": "close"})
        want = self.model.close()
        hub_model.expect("close", answer["status"] if want is not None else answer["status"] < 0,
                         want if want is not None else True)
        return answer

    def do_hold(self, ahead):
        number = None if ahead is None else self.model.issued + ahead
        answer = self.tell({"op": "hold", "number": number})
        self.model.hold(number)
        return answer

    def do_reload(self, shuffle):
        if not self.model.can_reload():
            return None
        still_open = [handle for handle, (number, attempt, *_) in enumerate(self.handles)
                      if self.model.open.get(number) == attempt]
        random.Random(shuffle).shuffle(still_open)
        answer = self.tell({"op": "reload", "open": still_open})
        hub_model.expect("reload", (answer["status"], answer["message"]), (0, ""))
        self.model.reload(answer["state"])
        for handle, sample in zip(still_open, answer["opened"]):
            number, attempt, parent, _ = self.handles[handle]
            hub_model.expect("opened again", (sample["number"], sample["attempt"], sample["parent"]),
                             (number, attempt, parent))
            self.model.reopen(number, {key: sample[key] for key in ("parent", "inspirations", "top")})
        return answer

    def do_population(self):
        answer = self.tell({"op": "population"})
        self.model.compare_view(answer)
        return answer

    def do_draw(self, island):
        members = self.model.members(island)
        if not members:
            return None
        answer = self.tell({"op": "draw", "island": island, "from": 10 ** 6, "times": DRAWS})
        hub_model.expect("draws of another island", answer["foreign"], 0)
        chances = self.model.parent_chances(island)
        check_frequencies("parents", answer["parents"], [DRAWS * chance for chance in chances])
        if len(members) > 1:
            firsts = [DRAWS * (1 - chance) / (len(members) - 1) if program in members else 0.0
                      for program, chance in zip(self.model.programs, chances)]
            shown = min(self.config["prompt"]["num_top_programs"], len(members) - 1)
            if 0 < shown < len(members) - 1:
                check_frequencies("first inspirations", answer["firsts"], firsts)
            check_frequencies("inspirations", answer["inspirations"],
                              [count * shown for count in firsts])
        return answer


def check_frequencies(what, counts, expected):
    """Pearson's chi-square, by the cube-root approximation of Wilson and Hilferty (1931)."""
    square, cells, rest, rest_expected = 0.0, 0, 0, 0.0
    for count, want in zip(counts, expected):
        if want == 0:
            hub_model.expect(f"{what} that may not be drawn", count, 0)
        elif want < 5:
            rest, rest_expected = rest + count, rest_expected + want
        else:
            square, cells = square + (count - want) ** 2 / want, cells + 1
    if rest_expected >= 5:
        square, cells = square + (rest - rest_expected) ** 2 / rest_expected, cells + 1
    if cells < 2:
        return
    spread = 2 / (9 * (cells - 1))
    z = ((square / (cells - 1)) ** (1 / 3) - (1 - spread)) / math.sqrt(spread)
    if z > CHI_SQUARE_Z:
        raise hub_model.Difference(f"{what}: drawn {counts}, expected about {expected}")


# ---- streams ----

WILD = [math.nan, math.inf, -math.inf, "text", "0.5", None, True, False, [1, 2], {"a": 1}, 1e300,
        -1e300, 10 ** 20]
DIMENSIONS = [["complexity", "diversity"], ["x"], ["x", "y"], ["diversity"], ["score"],
              ["complexity"], ["x", "diversity"], ["score", "x"], ["combined_score"],
              ["complexity", "diversity", "score"], ["acc", "x", "complexity"]]


class Maker:
    """A stream is a function of its seed."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.ids = 0
        self.large = seed % 50 == 49
        self.wildness = self.random.choice([0.0, 0.02, 0.1, 0.4])
        self.shift = self.random.choice([0, 0, -3, -100])
        codes = self.random.choice([5, 30, 400])
        self.codes = [self.code() for _ in range(3000 if self.large else codes)]
        self.config = self.make_config()
        if self.large:
            self.config["max_iterations"] = 10 ** 6
            self.config["database"].update(population_size=self.random.choice([100, 300]),
                                           archive_size=self.random.choice([20, 100]))

    def code(self):
        letters = self.random.choice(["ab", "abc\n", "a\n", "xyzäöü€𝄞\n", "0123456789 \n"])
        return "".join(self.random.choices(letters, k=self.random.randrange(40)))

    def make_config(self):
        choose = self.random.choice
        names = choose(DIMENSIONS)
        bins = choose([1, 2, 3, 10, {name: choose([1, 4, 7]) for name in names[:1]}])
        return {
            "max_iterations": choose([5, 10 ** 6, 10 ** 6]),
            "target_score": choose([None, None, 3, 1.5]),
            "early_stopping_patience": choose([None, 1, 3, 10]),
            "early_stopping_metric": choose(["combined_score", "combined_score", "acc"]),
            "convergence_threshold": choose([0.001, 0.0, 1.0]),
            "random_seed": self.random.randrange(2 ** 31),
            "hub": {"window": choose([0, 0, 1, 3]), "on_failure": choose(["count", "replace"]),
                    "semantics": choose(["steady", "ordered", "generation"])},
            "prompt": {"num_top_programs": choose([0, 1, 3, 3, 8]),
                       "num_diverse_programs": choose([0, 2])},
            "database": {
                "num_islands": self.random.randint(1, 5),
                "population_size": choose([1, 2, 3, 5, 8, 20, 60]),
                "archive_size": choose([0, 1, 2, 5, 20]),
                "feature_dimensions": names,
                "feature_bins": bins,
                "exploration_ratio": choose([0, 0.2, 0.2, 0.6, 1]),
                "exploitation_ratio": choose([0, 0.3, 0.7, 1]),
                "migration_interval": choose([1, 2, 5, 20]),
                "migration_rate": choose([0, 0.1, 0.5, 1]),
                "diversity_reference_size": choose([0, 1, 2, 5, 20]),
            },
        }

    def value(self):
        kind = self.random.random()
        if kind < self.wildness:
            return self.random.choice(WILD)
        if kind < 0.5:
            return self.random.randint(0, 4) + self.shift
        return round(self.random.gauss(1, 2), 3) + self.shift

    def metrics(self, first=False):
        if self.random.random() < self.wildness / 3 and not first:
            return {}
        metrics = {}
        for name, chance in (("combined_score", 0.8), ("acc", 0.4), ("x", 0.97), ("y", 0.97),
                             ("error", 0.05), ("timeout", 0.02), ("score", 0.05),
                             ("complexity", 0.03), ("diversity", 0.03)):
            if self.random.random() < chance or (first and name in ("combined_score", "acc", "x",
                                                                    "y")):
                metrics[name] = self.value()
        names = list(metrics)
        self.random.shuffle(names)
        return {name: metrics[name] for name in names}

    def id(self):
        self.ids += 1
        return f"p{self.ids}"

    def verdict(self):
        return self.random.choice([0] * 12 + [3, 14])

    def op(self, kind):
        code, islands = self.random.choice(self.codes), self.config["database"]["num_islands"]
        if kind == "seed":
            return ["seed", self.id(), code, self.metrics(), self.verdict()]
        if kind == "commit":
            return ["commit", self.random.randrange(4096), code, self.metrics(), self.verdict()]
        if kind == "fail":
            return ["fail", self.random.randrange(4096), self.random.choice(range(3, 13))]
        if kind == "place":
            return ["place", self.id(), code, self.metrics(), float(self.random.randrange(1, 4)),
                    self.random.randrange(50), self.random.randrange(islands)]
        if kind == "hold":
            return ["hold", self.random.choice([None, 0, 1, 3])]
        if kind == "reload":
            return ["reload", self.random.randrange(4096)]
        if kind == "draw":
            return ["draw", self.random.randrange(islands)]
        return [kind]

    def stream(self, steps):
        steps *= 10 if self.large else 1
        kinds = {"next": 30, "commit": 30, "fail": 3, "place": self.random.choice([0, 0, 30]),
                 "seed": 1, "migrate": self.random.choice([0, 2]), "population": 1, "draw": 0.3,
                 "reload": self.random.choice([0, 3]), "close": 0}
        if self.config["hub"]["semantics"] != "steady":  # nothing joins but in turn
            kinds.update(place=0, migrate=0, close=self.random.choice([0, 3]))
        if self.config["hub"]["semantics"] == "ordered":
            kinds.update(hold=self.random.choice([0, 0, 3]))
        ops = [self.op("next")] if self.random.random() < 0.1 else []
        ops.append(["seed", self.id(), self.random.choice(self.codes), self.metrics(first=True),
                    self.verdict()])
        ops += [self.op(kind) for kind in
                self.random.choices(list(kinds), kinds.values(), k=steps - len(ops) - 1)]
        ops.append(self.op("draw"))
        return {"config": self.config, "ops": ops}


def run_stream(driver, stream):
    """Raises the first Mismatch."""
    driver.transcript = []
    try:
        run = Run(driver, stream["config"])
    except hub_model.Difference as difference:
        raise Mismatch(0, ["configure"], str(difference)) from None
    for step, op in enumerate(stream["ops"], 1):
        try:
            run.step(op)
        except hub_model.Difference as difference:
            raise Mismatch(step, op, str(difference)) from None
    return len(stream["ops"])


def run_again(driver, stream):
    """What a hub does is a function of configuration, seed and calls."""
    before = driver.transcript
    run_stream(driver, stream)
    for step, (one, other) in enumerate(zip(before, driver.transcript)):
        if one != other:
            raise Mismatch(step, (["configure"] + stream["ops"])[min(step, len(stream["ops"]))],
                           "another answer when told the same again")


def fails(driver, config, ops):
    try:
        run_stream(driver, {"config": config, "ops": ops})
    except Mismatch as mismatch:
        return mismatch
    return None


def minimise(driver, stream, mismatch):
    """Leave out runs of steps, shorter and shorter ones, as long as some step still differs."""
    config, ops = stream["config"], stream["ops"][:mismatch.step]
    size = max(1, len(ops) // 2)
    while size:
        start, shorter = 0, False
        while start < len(ops):
            fewer = ops[:start] + ops[start + size:]
            left = fails(driver, config, fewer)
            if left:
                ops, mismatch, shorter = fewer[:left.step], left, True
            else:
                start += size
        size = size if shorter and size == 1 else size // 2
    return {"config": config, "ops": ops}, mismatch


def report(driver, stream, mismatch, seed):
    print(f"FAILED: {'stream' if seed is None else f'seed {seed}'}, {mismatch}")
    shortest, left = minimise(driver, stream, mismatch)
    print(f"shortest: {left}")
    print(json.dumps(shortest), flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("driver")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--stream")
    arguments = parser.parse_args()
    driver = Driver(arguments.driver)
    long = os.environ.get("OE_LONG", "") not in ("", "0")
    count, steps = (LONG_STREAMS, LONG_STEPS) if long else (STREAMS, STEPS)
    if arguments.stream:
        with open(arguments.stream, encoding="utf-8") as file:
            streams = [(None, json.load(file))]
    else:
        seeds = range(count) if arguments.seed is None else [arguments.seed]
        streams = ((seed, Maker(seed).stream(steps)) for seed in seeds)
    done = failed = 0
    for seed, stream in streams:
        try:
            done += run_stream(driver, stream)
            if seed is not None and seed % 10 == 0:
                run_again(driver, stream)
        except Mismatch as mismatch:
            failed += 1
            report(driver, stream, mismatch, seed)
            if failed == 3:
                break
    status = driver.close()
    print(f"{done} steps agree, {failed} streams differ")
    if status != 0:
        print(f"the driver ended with {status}: {driver.last_words}")
    return 1 if failed or status else 0


if __name__ == "__main__":
    sys.exit(main())
