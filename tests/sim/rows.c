/* The log, looked at as it is given rows and ends them. */

#include <math.h>
#include <string.h>

#include "backends.h"
#include "base/hash.h"
#include "books.h"
#include "controller/controller_internal.h"
#include "disk.h"
#include "fingerprint.h"
#include "ledger.h"
#include "hub/hub_internal.h"
#include "iteration/job.h"
#include "script.h"
#include "world.h"

/* Is it what the evaluator said, and the judges if there are any? Where it said nothing the judges'
   metrics are all that there are. */
static bool is_score(double score, const struct script_result *result, uint64_t seed)
{
	double mixed = script_mix(result->score, seed);

	if (books.judges != UNJUDGED &&
	    (result->end == SCRIPT_NO_METRICS || fabs(score - mixed) < 1e-12))
		return true;
	return score == result->score && books.judges != JUDGED;
}

/* An evaluation belongs to its program. An initial one may have failed. */
static void check_child(const oe_program *child, struct record *record)
{
	struct script_result result;
	uint64_t seed = oe__hash64(child->source->hash, OE__SHA256_SIZE, books.run_seed);

	script_evaluate(child, seed, &result);
	record->score = child->fitness;
	if (!is_score(record->score, &result, seed) &&
	    (record->kind != OE__ROW_SEED || result.end == SCRIPT_SCORES))
		violated("a program has the score %.17g, and its evaluation was %.17g", record->score,
		         result.score);
	memcpy(record->id, child->id, strlen(child->id) + 1);
}

/* It joined: where its iteration was sampled. */
static void check_joined(const struct record *end)
{
	if (end->score > books.best)
		books.best = end->score;
	if (!books.hub) /* it is being resumed, to another one than it began to */
		return;
	const struct oe__member *member = oe__hub_find(books.hub, end->id);
	int32_t island = (int32_t)((end->number - 1) % books.hub->island_count);

	if (member && member->island != island) /* one that came after it may have made it leave */
		violated("the child of number %lld is on island %d, not on %d", (long long)end->number,
		         (int)member->island, (int)island);
}

static void record_call(struct record *record, const struct oe__row *row)
{
	record->call = ++books.calls;
	model_check_rules();
	record->hub = fingerprint(books.hub);
	bool seed = row->kind == OE__ROW_SEED;
	if (row->program && (seed || (row->kind == OE__ROW_COMMIT && row->outcome <= OE_OUTCOME_COMMITTED)))
		check_child(row->program, record);
}

/* Of an end, the flight that it is of. */
static const struct oe__flight *flight_of(const struct oe__row *row)
{
	return (const struct oe__flight *)(const void *)((const char *)row -
	                                                 offsetof(struct oe__flight, end_row));
}

/* They join together: ahead of them nothing may, or a run that was killed would go on without them. */
static void check_seed(const struct oe__row *row, struct record *record)
{
	const struct oe__flight *flight = flight_of(row);

	record->initial = flight->initial;
	if (!record->initial && flight->controller->seeds_pending > 0)
		violated("a program joins, and %lld initial ones are still to come",
		         (long long)flight->controller->seeds_pending);
}

/* What is there already is neither evaluated nor kept. */
static void check_equivalent(const struct record *record)
{
	const struct slot *slot = books_slot(record->number);

	if (record->kind != OE__ROW_FAIL)
		violated("number %lld joins, and is equivalent", (long long)record->number);
	if (record->evaluated || books.records[slot->issue].tried == books.process)
		violated("number %lld was evaluated, and is equivalent", (long long)record->number);
}

static int64_t record_row(const struct oe__row *row)
{
	if (!oe__row_is_call(row->kind) && row->kind != OE__ROW_ANSWER &&
	    row->kind != OE__ROW_OUTCOME && row->kind != OE__ROW_CHARGE)
		return NONE;
	if (row->kind == OE__ROW_ISSUE && books.over)
		violated("number %lld is given, and the run is over", (long long)row->number);
	books.records = books_grow(books.records, &books.capacity, books.count, sizeof(*books.records));
	struct record *record = &books.records[books.count];
	*record = (struct record){
		.kind = row->kind,
		.number = row->number,
		.attempt = row->attempt,
		.given = row->outcome,
		.evaluated = oe__row_is_call(row->kind) && row->evaluation_ms >= 0,
	};
	if (oe__row_is_call(row->kind))
		record_call(record, row);
	else if (row->kind == OE__ROW_CHARGE)
		record->idle = !ledger_row(row, books.count);
	else if (row->kind == OE__ROW_ANSWER)
		record->text = books_hash(row->answer.text, row->answer.size);
	if (row->kind == OE__ROW_SEED)
		check_seed(row, record);
	books_take(books.count);
	if (row->outcome == OE_OUTCOME_EQUIVALENT && row->kind != OE__ROW_OUTCOME)
		check_equivalent(&books.records[books.count]);
	bool ends = row->kind == OE__ROW_COMMIT || row->kind == OE__ROW_OUTCOME;
	if (ends && row->outcome == OE_OUTCOME_COMMITTED)
		check_joined(&books.records[books_slot(row->number)->end]);
	note("row %s %lld.%d %s", oe__row_kind_name(row->kind), (long long)row->number,
	     (int)row->attempt, row->kind == OE__ROW_FAIL || ends ? oe_outcome_name(row->outcome) : "");
	world.progress = world.steps;
	return books.count++;
}

static void row_done(struct oe__row *row, int status)
{
	struct waiting first = books.queue[books.head];

	if (books.head == books.tail || first.row != row)
		violated("the log ends rows in another order than it got them");
	books.head++;
	if (first.record != NONE && status == 0) {
		if (books.records[first.record].durable)
			violated("a row is durable twice");
		books.records[first.record].durable = true;
	}
	first.done(row, status);
}

/* A moment that is short, and rarely met: some rows are of initial programs, and others are to come. */
static void die_seeding(void)
{
	for (int i = 0; i < 100 && !world.dead; i++)
		threads_overtake();
	if (!world.dead && world_below(4) == 0)
		kill_process("between initial programs");
}

void __real_oe__log_append(struct oe__log *log, struct oe__row *row);
void __wrap_oe__log_append(struct oe__log *log, struct oe__row *row);
void __wrap_oe__log_append(struct oe__log *log, struct oe__row *row)
{
	bool call = oe__row_is_call(row->kind); /* of the owner, which holds nothing that others wait for */

	if (call)
		threads_overtake();
	int64_t record = world.dead ? NONE : record_row(row);
	bool initial = row->kind == OE__ROW_SEED && flight_of(row)->initial;
	books.seeds += initial;
	books.queue = books_grow(books.queue, &books.queue_capacity, books.tail, sizeof(*books.queue));
	if (row->done) {
		books.queue[books.tail++] = (struct waiting){ row, row->done, record };
		row->done = row_done;
	}
	__real_oe__log_append(log, row);
	if (record != NONE && books.records[record].call > 0 &&
	    row->seq != books.records[record].call)
		violated("call %lld gets the number %lld in the log",
		         (long long)books.records[record].call, (long long)row->seq);
	if (call)
		threads_overtake();
	if (initial && habits.dies_seeding)
		die_seeding();
}

/* What an answer is made of must be safe before it is read. */
void __real_oe__job_edit(struct oe__job *job);
void __wrap_oe__job_edit(struct oe__job *job);
void __wrap_oe__job_edit(struct oe__job *job)
{
	if (!world.dead) {
		const struct slot *slot = books_slot(job->iteration->number);
		if (slot->answer == NONE || books_attempt(slot) != job->iteration->attempt ||
		    !books.records[slot->answer].durable)
			violated("the answer to number %lld is read before it is durable",
			         (long long)job->iteration->number);
		if (books.records[slot->answer].text != books_hash(job->answer, job->answer_size))
			violated("another answer is read for number %lld", (long long)job->iteration->number);
	}
	__real_oe__job_edit(job);
}
