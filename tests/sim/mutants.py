#!/usr/bin/env python3
"""Bugs that the simulator must find: each is planted alone into a copy of the tree, where oe-sim is built and run.
    mutants.py SOURCE-TREE [NAME...]
    mutants.py --check SOURCE-TREE: only whether each can be planted
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

SEARCH = "--seeds 400 --iterations 100"
ENDS = "--seeds 200 --iterations 60 --semantics generation"  # as the test sim-ends
SECONDS = 600  # of one search

# Name, what is wrong with it, and the edits: file, what is there, what is there instead. Then the words of a
# search that is not the usual one.
MUTANTS = [
    ("reads-early", "an answer is read before it is durable", [
        ("lib/controller/flight.c", "\t\t.done = answer_durable,\n\t};\n"
         "\toe__log_append(flight->controller->log, &flight->answer_row);\n",
         "\t\t.done = NULL,\n\t};\n"
         "\toe__log_append(flight->controller->log, &flight->answer_row);\n"
         "\tanswer_durable(&flight->answer_row, 0);\n")]),
    ("asks-early", "a question is sent before its sample is durable", [
        ("lib/controller/flight.c", "\t\t.done = issue_durable,\n\t};\n"
         "\toe__log_append(flight->controller->log, &flight->issue_row);\n",
         "\t\t.done = NULL,\n\t};\n"
         "\toe__log_append(flight->controller->log, &flight->issue_row);\n"
         "\tissue_durable(&flight->issue_row, 0);\n")]),
    ("asks-again", "a run that is resumed asks again, though the answer is in its log", [
        ("lib/controller/resume.c", "\tif (found == 0) {\n\t\tflight->place = OE__FLIGHT_PARKED;",
         "\tif (found >= 0) {\n\t\tflight->place = OE__FLIGHT_PARKED;")]),
    ("tells-early", "an end is told before it is durable", [
        ("lib/controller/finish.c", "controller->log ? oe__log_next(controller->log) : 0", "0")]),
    ("commit-unchecked", "a transaction that failed counts as durable", [
        ("lib/store/log.c", "\tif (status == 0)\n\t\tstatus = oe__database_run(\n\t\t\tdatabase,"
         " oe__database_statement(database, OE__STATEMENT_COMMIT, err), err);",
         "\tif (status == 0)\n\t\t(void)oe__database_run(\n\t\t\tdatabase,"
         " oe__database_statement(database, OE__STATEMENT_COMMIT, err), err);")]),
    ("log-with-a-hole", "after a transaction that failed, the next ones are written", [
        ("lib/store/log.c", "\t\tif (status == 0)\n\t\t\tstatus = write_batch(log, batch);",
         "\t\tstatus = write_batch(log, batch);")]),
    ("lost-wakeup", "the first row does not wake the log's thread", [
        ("lib/store/log.c", "(log->queued == 1 || urgent_locked(log))", "urgent_locked(log)"),
        ("lib/store/log.c", "\t       log->awaited >= atomic_load", "\t       log->awaited > atomic_load")]),
    ("seed-of-the-attempt", "an evaluation's seed depends on more than its program", [
        ("lib/iteration/job.c", "oe__hash64(source->hash, sizeof(source->hash), run_seed)",
         "oe__hash64(source->hash, sizeof(source->hash), run_seed) +"
         " (job->iteration ? (uint64_t)job->iteration->attempt : 0)")]),
    ("slot-leaks", "a question that failed keeps its slot", [
        ("lib/controller/finish.c", "\tfree_slot(flight);\n\toe__flight_pass(flight);\n\tnote_usage(flight);",
         "\toe__flight_pass(flight);\n\tnote_usage(flight);")]),
    ("best-unguarded", "the best of an island may be evicted", [
        ("lib/hub/place.c", "\tset_guarded(hub, &hub->islands[island].best, member);",
         "\thub->islands[island].best = member;"),
        ("lib/hub/check.c", "\treturn (hub->best == member) + (hub->islands[member->island].best == member);",
         "\treturn hub->best == member;")]),
    ("wrong-island", "a child goes to the island where its parent lives", [
        ("lib/hub/iterate.c", "status = oe__hub_adopt(hub, child, iteration->island, &adopted);",
         "status = oe__hub_adopt(hub, child, iteration->parent->island, &adopted);"),
        ("lib/hub/iterate.c", "oe__hub_place(hub, adopted, iteration->island, &placement);",
         "oe__hub_place(hub, adopted, iteration->parent->island, &placement);")]),
    ("miscounted", "duplicates are not counted", [
        ("lib/hub/ledger.c", "\tledger->outcomes[outcome]++;",
         "\tledger->outcomes[outcome] += outcome != OE_OUTCOME_DUPLICATE;")]),
    ("same-attempt", "a failed number is given again as the same attempt", [
        ("lib/hub/ledger.c", "\tentry->attempt++;\n", "")]),
    ("draws-by-the-wall", "a sample depends on what the log does not tell", [
        ("lib/hub/select.c", 'oe__rng_init(&rng, settings->seed, "select", (uint64_t)number, (uint64_t)attempt);',
         'oe__rng_init(&rng, settings->seed, "select", (uint64_t)number, island->ranks.visits / 1024);\n\t(void)attempt;')]),
    ("forgets-messages", "a run that is resumed does not know why attempts failed", [
        ("lib/controller/replay.c", "program, entry->message, err);", "program, NULL, err);")]),
    ("ends-short", "the run is over though failed numbers are to be given again", [
        ("lib/controller/finish.c", "\t\tcontroller->numbers_ended = false; /* this one", "\t\t(void)0; /* this one")]),
    ("round-in-circles", "the owner wakes up at once while an initial program is evaluated", [
        ("lib/controller/issue.c", "bool more = wants_more(controller) &&",
         "bool more = controller->seeded && !controller->paused && !controller->numbers_ended &&")]),
    ("drops-in-use", "when the log is lost, flights that are being read are dropped", [
        ("lib/controller/stop.c", "\t\tif (!atomic_load(&flight->stranded))\n\t\t\tcontinue;\n",
         "\t\tif (flight->place != OE__FLIGHT_EDITING && !atomic_load(&flight->stranded))\n\t\t\tcontinue;\n")]),
    ("joins-early", "the children of a generation join as they come", [
        ("lib/hub/generation.c", "\treturn is_last(hub) || (hub->generation.awaited == 0 &&"
         " given(hub) >= hub->settings.window);", "\treturn is_last(hub) || given(hub) > 0;")]),
    ("draws-late", "in the semantics 'ordered', samples are drawn when they are wanted", [
        ("lib/hub/ordered.c", "number <= last; number++) {", "number <= last && ordered->count == 0; number++) {")]),
    ("out-of-turn", "in the semantics 'ordered', an iteration ends before the one ahead of it", [
        ("lib/hub/turn.c", "oe__rank_insert(&hub->turns.order, &turn->rank, 0, (uint64_t)number);",
         "oe__rank_insert(&hub->turns.order, &turn->rank, 0, (uint64_t)number ^ 1);")]),
    ("first-come", "initial programs join in the order in which they were evaluated", [
        ("lib/controller/finish.c", "while (*at && (*at)->order <= flight->order)", "while (*at)")]),
    ("unsynced", "a run goes on from rows that nobody synced", [
        ("lib/store/database.c", ": migrate(database, err);",
         ": database->format < OE__STORE_FORMAT ? migrate(database, err) : 0;")]),
    ("pays-late", "a question is sent before what it may cost is durable", [
        ("lib/controller/purse.c", "\tif (purse->log) {\n\t\tappend_locked(purse, entry, true);\n\t} else {",
         "\tif (purse->log)\n\t\tappend_locked(purse, entry, true);\n\tentry->row.done = NULL;\n\t{")]),
    ("overdraws", "a question is paid for without a look at what others may still cost", [
        ("lib/controller/purse.c", "if (tokens_of(fare) > purse->tokens_max - purse->spent.tokens)",
         "if (tokens_of(fare) > purse->tokens_max - purse->spent.tokens + purse->spent.tokens_unsettled)")]),
    ("settles-at-nothing", "what a provider does not tell counts as nothing", [
        ("lib/controller/purse.c", "\tcharge.state = OE__CHARGE_UNSETTLED;\n",
         "\tcharge.state = OE__CHARGE_UNSETTLED;\n\tcharge.tokens = 0;\n")]),
    ("forgets-charges", "what was reserved by a process that was killed is free", [
        ("lib/store/charge.c", "UPDATE charge SET state = 'unsettled' WHERE",
         "UPDATE charge SET state = 'free', tokens = 0, cost = 0 WHERE")]),
    ("judges-for-free", "judges are asked past the purse", [
        ("lib/evaluator/judge.c", "\t\t.meter = oe__evaluation_meter(judging->evaluation),\n", "")]),
    ("judged-by-another", "a judge is asked with the seed of the slot", [
        ("lib/evaluator/judge.c", "\tjudging->seed = request->seed;\n", "\tjudging->seed = request->seed + 1;\n")]),
    ("unjudged", "a program joins without its judges when the money is gone", [
        ("lib/evaluator/judge.c", " || oe__llm_failure(call) == OE__LLM_FAILURE_UNPAID", "")]),
    ("one-more", "one more evaluation is begun than the budget has", [
        ("lib/controller/budget.c", "return under_way < budget->evaluations_max", "return under_way <= budget->evaluations_max")]),
    ("past-the-goal", "in the semantics 'ordered', a run goes on behind the number at which it is over", [
        ("lib/controller/ending.c", "\tendings->held_at = number;\n\toe__hub_hold(controller->hub, number);",
         "\tendings->held_at = number;")]),
    ("past-rules", "in the semantics 'ordered', a run that went on behind a rule ends there when resumed", [
        ("lib/controller/ending.c", "number < endings->passed || oe__rules_check", "oe__rules_check")]),
    ("impatient", "programs that did not join wear out the patience", [
        ("lib/controller/rules.c", "rules->since_best >= rules->patience", "rules->since_best + 1 >= rules->patience")]),
    ("exports-early", "a checkpoint is written before all that it shows is durable", [
        ("lib/controller/save.c", "saving->status = oe__log_flush(controller->log, &saving->error);", "saving->status = 0;")]),
    ("overwrites-origin", "a checkpoint replaces the one that the log begins with", [
        ("lib/controller/save.c", "if (saving->population->ended == controller->origin)", "if (controller->origin == -2)")]),
    ("torn-checkpoint", "a checkpoint is written in its place", [
        ("lib/store/checkpoint.c", "\twriting->directory = temporary.data;\n",
         "\twriting->directory = (char *)(uintptr_t)writing->final;\n"
         "\t(void)oe__directory_make(writing->directory, NULL);\n"),
        ("lib/store/checkpoint.c",
         "\t\tstatus = put_in_place(temporary.data, old.data, writing->final, err);\n",
         "\t\t(void)put_in_place;\n")]),
    ("leaves-rubbish", "what a killed process had half written stays", [
        ("lib/store/directory.c", "\tsweep(directory->checkpoints);\n", "")]),
    ("seeds-half", "initial programs become durable one after the other", [
        ("lib/controller/finish.c", "go on without the others. */\n\tif (controller->log)\n"
         "\t\toe__log_join(controller->log);\n", "go on without the others. */\n"),
        ("lib/controller/finish.c", "\t\tleave_open(flight);\n\t}\n\tif (controller->log)\n"
         "\t\toe__log_part(controller->log);\n", "\t\tleave_open(flight);\n\t}\n")]),
    ("closes-apart", "what ends the last number of a generation is durable before the close that it brings", [
        ("lib/controller/finish.c", "\tif (controller->log)\n\t\toe__log_join(controller->log);\n"
         "\twrite_end(flight,", "\twrite_end(flight,"),
        ("lib/controller/finish.c", "\toe__controller_tell_endings(controller);\n\tif (controller->log)\n"
         "\t\toe__log_part(controller->log);\n", "\toe__controller_tell_endings(controller);\n")], ENDS),
    ("added-first", "what is added while initial programs are evaluated joins before them", [
        ("lib/controller/finish.c", "if (flight->initial || (!job->iteration && controller->seeds_pending > 0))",
         "if (flight->initial)")]),
    ("asks-though-over", "a run that is over and resumed asks before it looks at its rules", [
        ("lib/controller/issue.c", "\toe__controller_check_rules(controller); /* one that is over asks",
         "\t/* one that is over asks")]),
    ("restores-less", "a run that begins with a checkpoint has nothing in its archive", [
        ("lib/hub/restore.c", "\trestore_archive(hub, population, &arrivals);\n", "\t(void)restore_archive;\n")]),
    ("forgets-patience", "a run that goes on from its snapshot begins to be patient anew", [
        ("lib/controller/snapshot.c", "controller->rules.since_best = oe__unpack_between(in, 0, OE__NUMBER_MAX)",
         "controller->rules.since_best = 0 * oe__unpack_between(in, 0, OE__NUMBER_MAX)")]),
    ("forgets-origin", "a run that begins with a checkpoint does not know what was reached there", [
        ("lib/controller/resume.c", "\tif (best)\n\t\toe__rules_see(&controller->rules, best, true);\n",
         "\t(void)best;\n")]),
    ("evaluates-equivalents", "what is there but for comments is evaluated", [
        ("lib/controller/finish.c", "else if (controller->recipe->equivalents &&",
         "else if (controller->recipe->equivalents && !job->iteration &&")]),
    ("all-the-same", "the text of a program is equivalent to any other of a run whose evaluator looks at it", [
        ("lib/controller/finish.c", "else if (controller->recipe->equivalents &&\n\t         oe_hub_find",
         "else if (oe_hub_find")]),
    ("miscounted-equivalents", "equivalent programs are not counted", [
        ("lib/hub/ledger.c", "\tledger->outcomes[outcome]++;",
         "\tledger->outcomes[outcome] += outcome != OE_OUTCOME_EQUIVALENT;")]),
    ("equivalent-to-later", "in the semantics 'ordered', a program is equivalent to one that joined after its sample", [
        ("lib/hub/equivalent.c", "if (member->joined <= view && oe__form_same", "if (oe__form_same")]),
]


def copy_tree(source, target):
    names = subprocess.run(["git", "-C", source, "ls-files", "-z"], check=True, capture_output=True).stdout
    for name in names.decode().split("\0"):
        if name and (source / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source / name, target / name)


def build(tree):
    result = subprocess.run(["ninja", "-C", tree / "build", "tests/sim/oe-sim"], capture_output=True, text=True)
    if result.returncode != 0:
        sys.exit(result.stdout[-3000:])


def mutated(tree, mutant, edits):
    """@return the texts of its files, by name"""
    texts = {}
    for name, old, new in edits:
        text = texts.get(name) or (tree / name).read_text()
        if text.count(old) != 1:
            sys.exit(f"{name}: what the mutant {mutant} replaces is there {text.count(old)} times:\n{old}")
        texts[name] = text.replace(old, new)
    return texts


def plant(tree, texts):
    """@return what to write back"""
    before = {name: (tree / name).read_text() for name in texts}
    for name, text in texts.items():
        (tree / name).write_text(text)
    return before


def search(tree, words=SEARCH):
    """@return the last lines, whether something was found"""
    command = [tree / "build/tests/sim/oe-sim", *words.split()]
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        return "the search takes too long", False
    return (result.stderr or result.stdout).strip(), result.returncode == 1


def check(source):
    for name, _, edits, *_ in MUTANTS:
        mutated(source, name, edits)


def main():
    if sys.argv[1] == "--check":
        check(pathlib.Path(sys.argv[2]))
        return
    source, wanted = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2:]
    missed = []
    with tempfile.TemporaryDirectory(prefix="oe-mutants-") as directory:
        tree = pathlib.Path(directory)
        copy_tree(source, tree)
        subprocess.run(["meson", "setup", tree / "build", tree, "-Dcli=false", "-Ddocs=false"],
                       check=True, stdout=subprocess.DEVNULL)
        build(tree)
        text, found = search(tree)
        print(f"{'as it is':20} {text}", flush=True)
        if found:
            sys.exit("the tree has a bug of its own")
        for name, what, edits, *words in MUTANTS:
            if wanted and name not in wanted:
                continue
            before = plant(tree, mutated(tree, name, edits))
            build(tree)
            text, found = search(tree, *words)
            seed = re.search(r"--seed (\d+)", text)
            print(f"{name:20} {what}: {'found' if found else 'MISSED'}"
                  f"{', by seed ' + seed.group(1) if seed else ''}\n{'':20} {text.splitlines()[0]}", flush=True)
            if not found:
                missed.append(name)
            plant(tree, before)
    print(f"{len(wanted or MUTANTS) - len(missed)} found, {len(missed)} missed {' '.join(missed)}")
    sys.exit(bool(missed))


if __name__ == "__main__":
    main()
