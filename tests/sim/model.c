#include "model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/limits.h"
#include "base/map.h"
#include "disk.h"
#include "fingerprint.h"
#include "hub/hub_internal.h"
#include "iteration/job.h"
#include "program/sample.h"
#include "script.h"
#include "store/load.h"
#include "store/log.h"
#include "world.h"

#define NONE (-1)

/* A row that the log was given: a call of the hub, an answer, an outcome. */
struct record {
	enum oe__row_kind kind;
	int64_t number;
	int32_t attempt;
	int given;        /* outcome in the row; -1: it comes later   */
	int outcome;      /* as far as it is known                    */
	int64_t decision; /* of an end: the row of its outcome        */
	int64_t call;     /* among the calls, from 1                  */
	uint64_t text;    /* of an answer                             */
	uint64_t prompt;  /* of an issue: what was asked; 0: nothing yet */
	uint64_t hub;     /* its fingerprint after the call           */
	double score;     /* of a child                               */
	char id[OE__UUID_SIZE]; /* likewise                           */
	bool durable, told;
	bool idle;        /* it changes nothing on the disk           */
};

/* A row that the log has, and its own end. */
struct waiting {
	const struct oe__row *row;
	void (*done)(struct oe__row *row, int status);
	int64_t record; /* NONE: of a kind that nothing depends on */
};

/* A number: records of its latest attempt. */
struct slot {
	int64_t issue, answer, end;
	bool again; /* that attempt failed, and the number is given again */
};

static struct {
	bool replaces;
	const oe_hub *hub;
	uint64_t run_seed;
	struct record *records;
	int64_t count, capacity, calls;
	struct slot *slots; /* by number */
	int64_t slot_capacity;
	struct waiting *queue;
	int64_t head, tail, queue_capacity;
	double best, island_best[OE__ISLANDS_MAX];
	int64_t session; /* the first record of this process */
	int64_t told;    /* the number whose end was told last, in this process */
	struct model_figures figures;
} model;

const struct model_figures *model_figures(void)
{
	return &model.figures;
}

/* ---- life ---- */

static void *more(void *array, int64_t *capacity, int64_t count, size_t size)
{
	if (count < *capacity)
		return array;
	int64_t old = *capacity;
	*capacity = old ? 2 * old : 1024;
	while (count >= *capacity)
		*capacity *= 2;
	array = realloc(array, (size_t)*capacity * size);
	if (!array)
		abort();
	memset((char *)array + (size_t)old * size, 0, (size_t)(*capacity - old) * size);
	return array;
}

void model_begin(bool replaces)
{
	model_end();
	model.replaces = replaces;
}

void model_end(void)
{
	free(model.records);
	free(model.slots);
	free(model.queue);
	memset(&model, 0, sizeof(model));
}

void model_watch(const oe_hub *hub, uint64_t run_seed)
{
	model.hub = hub;
	model.run_seed = run_seed;
	model.session = model.count;
	model.told = 0;
	model.head = model.tail = 0;
	model.best = -INFINITY;
	for (size_t i = 0; i < OE__ISLANDS_MAX; i++)
		model.island_best[i] = -INFINITY;
}

/* ---- numbers ---- */

static struct slot *slot_of(int64_t number)
{
	if (number < 1)
		violated("a number is %lld", (long long)number);
	model.slots = more(model.slots, &model.slot_capacity, number, sizeof(*model.slots));
	return &model.slots[number];
}

static int32_t attempt_of(const struct slot *slot)
{
	return model.records[slot->issue].attempt;
}

static void take_issue(int64_t index)
{
	const struct record *record = &model.records[index];
	struct slot *slot = slot_of(record->number);

	if (record->number == model.figures.issued + 1 && record->attempt == 0)
		model.figures.issued++;
	else if (record->number > model.figures.issued)
		violated("number %lld attempt %d is given after %lld", (long long)record->number,
		         (int)record->attempt, (long long)model.figures.issued);
	else if (!slot->again || record->attempt != attempt_of(slot) + 1)
		violated("number %lld attempt %d is given, but it %s", (long long)record->number,
		         (int)record->attempt, slot->again ? "is another attempt's turn" : "is not to be");
	*slot = (struct slot){ .issue = index, .answer = NONE, .end = NONE };
}

static struct slot *open_slot(const struct record *record, const char *what)
{
	struct slot *slot = slot_of(record->number);

	if (record->number > model.figures.issued)
		violated("%s for number %lld, which was not given", what, (long long)record->number);
	if (attempt_of(slot) != record->attempt)
		violated("%s for attempt %d of number %lld, which is at attempt %d", what,
		         (int)record->attempt, (long long)record->number, (int)attempt_of(slot));
	if (slot->end != NONE)
		violated("%s for number %lld attempt %d, which has ended", what,
		         (long long)record->number, (int)record->attempt);
	return slot;
}

static void take_answer(int64_t index)
{
	struct slot *slot = open_slot(&model.records[index], "an answer");

	if (slot->answer != NONE)
		violated("number %lld is answered twice", (long long)model.records[index].number);
	slot->answer = index;
}

/* Its own failure, which "on_failure: replace" does not count. */
static bool is_given_again(const struct record *record)
{
	return model.replaces && record->kind == OE__ROW_FAIL &&
	       record->given >= OE_OUTCOME_NOOP_EDIT && record->given <= OE_OUTCOME_TIMED_OUT &&
	       record->attempt + 1 < OE__RETRIES_MAX;
}

/* What it came to is known. */
static void decide(struct record *end, int outcome)
{
	if (outcome < 0 || outcome >= OE_OUTCOME_COUNT)
		violated("number %lld ends with outcome %d", (long long)end->number, outcome);
	end->outcome = outcome;
	model.figures.outcomes[outcome]++;
	model.figures.committed += outcome == OE_OUTCOME_COMMITTED;
}

static void take_end(int64_t index)
{
	struct record *record = &model.records[index];
	struct slot *slot = open_slot(record, "an end");

	slot->end = index;
	slot->again = is_given_again(record);
	record->outcome = NONE;
	record->decision = NONE;
	if (slot->again)
		return;
	model.figures.ended++;
	if (record->kind == OE__ROW_FAIL || record->given >= 0)
		decide(record, record->given);
}

static void take_outcome(int64_t index)
{
	struct record *record = &model.records[index];
	const struct slot *slot = slot_of(record->number);

	if (record->number > model.figures.issued || slot->end == NONE || slot->again ||
	    attempt_of(slot) != record->attempt)
		violated("number %lld attempt %d has an outcome, and has not ended",
		         (long long)record->number, (int)record->attempt);
	struct record *end = &model.records[slot->end];
	/* It says what was known, of one that came to its end before the run was resumed. */
	record->idle = end->kind == OE__ROW_FAIL && end->given == record->given;
	if (record->idle)
		return;
	if (end->outcome >= 0)
		violated("number %lld has a second outcome", (long long)record->number);
	end->decision = index;
	decide(end, record->given);
}

static void take(int64_t index)
{
	switch (model.records[index].kind) {
	case OE__ROW_ISSUE:
		take_issue(index);
		break;
	case OE__ROW_ANSWER:
		take_answer(index);
		break;
	case OE__ROW_COMMIT:
	case OE__ROW_FAIL:
		take_end(index);
		break;
	case OE__ROW_OUTCOME:
		take_outcome(index);
		break;
	default:
		break;
	}
}

/* ---- rows ---- */

static uint64_t hash_text(const void *text, size_t size)
{
	return oe__hash64(text, size, 1) | 1;
}

static void check_rules(void)
{
	const char *broken = oe__hub_check(model.hub);

	if (broken)
		violated("the hub breaks its own rule: %s", broken);
}

/* An evaluation belongs to its program. */
static void check_child(const oe_program *child, struct record *record)
{
	struct script_result result;
	uint64_t seed = oe__hash64(child->source->hash, OE__SHA256_SIZE, model.run_seed);

	script_evaluate(child, seed, &result);
	for (size_t i = 0; i < oe_program_metric_count(child); i++)
		if (strcmp(oe_program_metric_at(child, i, &record->score), "combined_score") == 0)
			break;
	if (record->score != result.score)
		violated("a program has the score %.17g, and its evaluation was %.17g", record->score,
		         result.score);
	memcpy(record->id, child->id, strlen(child->id) + 1);
}

/* It joined: where its iteration was sampled. */
static void check_joined(const struct record *end)
{
	const struct oe__member *member = oe__hub_find(model.hub, end->id);
	int32_t island = (int32_t)((end->number - 1) % model.hub->island_count);

	if (member && member->island != island) /* one that came after it may have made it leave */
		violated("the child of number %lld is on island %d, not on %d", (long long)end->number,
		         (int)member->island, (int)island);
	if (end->score > model.best)
		model.best = end->score;
}

static void record_call(struct record *record, const struct oe__row *row)
{
	record->call = ++model.calls;
	check_rules();
	record->hub = fingerprint(model.hub);
	if (row->kind == OE__ROW_COMMIT && row->program && row->outcome <= OE_OUTCOME_COMMITTED)
		check_child(row->program, record);
}

static int64_t record_row(const struct oe__row *row)
{
	if (!oe__row_is_call(row->kind) && row->kind != OE__ROW_ANSWER && row->kind != OE__ROW_OUTCOME)
		return NONE;
	model.records = more(model.records, &model.capacity, model.count, sizeof(*model.records));
	struct record *record = &model.records[model.count];
	*record = (struct record){
		.kind = row->kind,
		.number = row->number,
		.attempt = row->attempt,
		.given = row->outcome,
	};
	if (oe__row_is_call(row->kind))
		record_call(record, row);
	else if (row->kind == OE__ROW_ANSWER)
		record->text = hash_text(row->answer.text, row->answer.size);
	take(model.count);
	bool ends = row->kind == OE__ROW_COMMIT || row->kind == OE__ROW_OUTCOME;
	if (ends && row->outcome == OE_OUTCOME_COMMITTED)
		check_joined(&model.records[slot_of(row->number)->end]);
	note("row %s %lld.%d %s", oe__row_kind_name(row->kind), (long long)row->number,
	     (int)row->attempt, row->kind == OE__ROW_FAIL || ends ? oe_outcome_name(row->outcome) : "");
	world.progress = world.steps;
	return model.count++;
}

static void row_done(struct oe__row *row, int status)
{
	struct waiting first = model.queue[model.head];

	if (model.head == model.tail || first.row != row)
		violated("the log ends rows in another order than it got them");
	model.head++;
	if (first.record != NONE && status == 0) {
		if (model.records[first.record].durable)
			violated("a row is durable twice");
		model.records[first.record].durable = true;
	}
	first.done(row, status);
}

void __real_oe__log_append(struct oe__log *log, struct oe__row *row);
void __wrap_oe__log_append(struct oe__log *log, struct oe__row *row);
void __wrap_oe__log_append(struct oe__log *log, struct oe__row *row)
{
	int64_t record = world.dead ? NONE : record_row(row);

	model.queue = more(model.queue, &model.queue_capacity, model.tail, sizeof(*model.queue));
	if (row->done) {
		model.queue[model.tail++] = (struct waiting){ row, row->done, record };
		row->done = row_done;
	}
	__real_oe__log_append(log, row);
	if (record != NONE && model.records[record].call > 0 &&
	    row->seq != model.records[record].call)
		violated("call %lld gets the number %lld in the log",
		         (long long)model.records[record].call, (long long)row->seq);
}

/* What an answer is made of must be safe before it is read. */
void __real_oe__job_edit(struct oe__job *job);
void __wrap_oe__job_edit(struct oe__job *job);
void __wrap_oe__job_edit(struct oe__job *job)
{
	if (!world.dead) {
		const struct slot *slot = slot_of(job->iteration->number);
		if (slot->answer == NONE || attempt_of(slot) != job->iteration->attempt ||
		    !model.records[slot->answer].durable)
			violated("the answer to number %lld is read before it is durable",
			         (long long)job->iteration->number);
		if (model.records[slot->answer].text != hash_text(job->answer, job->answer_size))
			violated("another answer is read for number %lld", (long long)job->iteration->number);
	}
	__real_oe__job_edit(job);
}

void model_done(void)
{
	/* Those whose turn has not come, or whose turn is not durable. */
	bool wait = model.hub->ledger.staged_count > 0 ||
	            (disk_has_failed() && model.hub->settings.semantics != OE__SEMANTICS_STEADY);

	for (int64_t i = model.session; i < model.count && !world.dead; i++) {
		const struct record *record = &model.records[i];
		bool end = record->kind == OE__ROW_COMMIT || record->kind == OE__ROW_FAIL;
		if (end && record->durable && record->outcome >= 0 && !record->told && !wait)
			violated("the run is done, and nobody was told of the end of number %lld",
			         (long long)record->number);
	}
}

void model_leave(bool clean)
{
	if (model.head != model.tail)
		violated("%lld rows were never ended by the log", (long long)(model.tail - model.head));
	for (int64_t i = 0; clean && i < model.count; i++)
		if (!model.records[i].durable)
			violated("row %lld is not durable, and the run ended well", (long long)i);
	model.hub = NULL;
}

/* ---- questions, evaluations, events ---- */

void model_asked(const oe_llm_request *request)
{
	if (world.dead)
		return;
	const oe_iteration *iteration = request->iteration;
	struct slot *slot = slot_of(iteration->number);
	uint64_t prompt = hash_text(request->system, request->system_size) ^
	                  hash_text(request->user, request->user_size) * 3 ^ request->seed;

	if (iteration->number > model.figures.issued || attempt_of(slot) != iteration->attempt ||
	    slot->end != NONE)
		violated("number %lld attempt %d is asked, but it is not open",
		         (long long)iteration->number, (int)iteration->attempt);
	struct record *issue = &model.records[slot->issue];
	if (!issue->durable)
		violated("number %lld is asked before its sample is durable",
		         (long long)iteration->number);
	if (slot->answer != NONE)
		violated("number %lld is asked again, and its answer is there",
		         (long long)iteration->number);
	if (issue->prompt != 0 && issue->prompt != prompt)
		violated("number %lld is asked something else than before", (long long)iteration->number);
	model.figures.questions++;
	model.figures.repeated_questions += issue->prompt != 0;
	issue->prompt = prompt;
	world.progress = world.steps;
}

void model_evaluated(const oe_evaluation_request *request)
{
	if (world.dead)
		return;
	model.figures.evaluations++;
	world.progress = world.steps;
	if (request->seed != oe__hash64(request->program->source->hash, OE__SHA256_SIZE, model.run_seed))
		violated("the seed of an evaluation is not that of its program");
	if (!request->iteration)
		return;
	const oe_iteration *iteration = request->iteration;
	const struct slot *slot = slot_of(iteration->number);
	if (attempt_of(slot) != iteration->attempt || slot->end != NONE)
		violated("number %lld attempt %d is evaluated, but it is not open",
		         (long long)iteration->number, (int)iteration->attempt);
}

static void check_turn(const struct record *end)
{
	if (model.hub->settings.semantics != OE__SEMANTICS_ORDERED || end->outcome < 0)
		return;
	if (end->number <= model.told)
		violated("number %lld ends after number %lld", (long long)end->number,
		         (long long)model.told);
	model.told = end->number;
}

void model_told(const oe_event *event)
{
	world.progress = world.steps;
	if (world.dead || event->type != OE_EVENT_ITERATION)
		return;
	for (int64_t i = model.count; i-- > 0;) { /* it was not long ago */
		struct record *record = &model.records[i];
		if ((record->kind != OE__ROW_COMMIT && record->kind != OE__ROW_FAIL) ||
		    record->number != event->iteration || record->attempt != event->attempt)
			continue;
		if (!record->durable)
			violated("the end of number %lld is told before it is durable",
			         (long long)event->iteration);
		if (record->told)
			violated("the end of number %lld is told twice", (long long)event->iteration);
		/* One that is given again has none. */
		int outcome = record->outcome >= 0 ? record->outcome : record->given;
		if (outcome != event->outcome)
			violated("number %lld ended as %s, and is told to be %s", (long long)event->iteration,
			         oe_outcome_name(outcome), oe_outcome_name(event->outcome));
		record->told = true;
		check_turn(record);
		return;
	}
	violated("the end of number %lld is told, and it has none", (long long)event->iteration);
}

/* ---- the hub ---- */

static void check_bests(const oe_hub *hub)
{
	if (hub->best && hub->best->program->fitness < model.best)
		violated("the best was evicted: %.17g, now %.17g", model.best,
		         hub->best->program->fitness);
	for (int32_t i = 0; i < hub->island_count; i++) {
		const struct oe__member *best = hub->islands[i].best;
		double fitness = best ? best->program->fitness : -INFINITY;
		if (fitness < model.island_best[i])
			violated("the best of island %d was evicted", (int)i);
		model.island_best[i] = fitness;
	}
}

void model_check(const oe_hub *hub)
{
	const struct model_figures *figures = &model.figures;

	if (world.dead)
		return;
	if (oe_hub_issued(hub) != figures->issued)
		violated("the hub gave %lld numbers, the log says %lld", (long long)oe_hub_issued(hub),
		         (long long)figures->issued);
	int64_t staged = (int64_t)hub->ledger.staged_count; /* in the log, not yet for the hub */
	if (oe_hub_ended(hub) + staged != figures->ended)
		violated("%lld numbers ended in the hub and %lld wait, %lld in the log",
		         (long long)oe_hub_ended(hub), (long long)staged, (long long)figures->ended);
	for (int i = 0; staged == 0 && i < OE_OUTCOME_COUNT; i++)
		if (oe_hub_outcome_count(hub, i) != figures->outcomes[i])
			violated("the hub counts %lld %s, the log %lld",
			         (long long)oe_hub_outcome_count(hub, i), oe_outcome_name(i),
			         (long long)figures->outcomes[i]);
	check_bests(hub);
}

void model_finished(int64_t iterations)
{
	const struct model_figures *figures = &model.figures;
	int64_t sum = 0;

	if (figures->issued != iterations || figures->ended != iterations)
		violated("%lld numbers were given and %lld ended, of %lld", (long long)figures->issued,
		         (long long)figures->ended, (long long)iterations);
	for (int i = 0; i < OE_OUTCOME_COUNT; i++)
		sum += figures->outcomes[i];
	if (sum != iterations)
		violated("the outcomes add up to %lld", (long long)sum);
	for (int64_t number = 1; number <= iterations; number++)
		if (slot_of(number)->end == NONE || slot_of(number)->again)
			violated("number %lld has no end", (long long)number);
}

/* ---- the disk ---- */

/* Of a call: the one that it was given, or that was decided later. */
static void audit_outcome(const struct oe__log_entry *entry, const struct record *record,
                          bool *present, int64_t *cut)
{
	if (record->kind != OE__ROW_COMMIT && record->kind != OE__ROW_FAIL)
		return;
	bool later = record->given < 0 && record->decision != NONE && entry->outcome >= 0;
	int expected = later ? model.records[record->decision].given : record->given;
	if (entry->outcome != expected)
		violated("row %lld of the log has outcome %d, not %d", (long long)entry->seq,
		         entry->outcome, expected);
	if (!later)
		return;
	present[record->decision] = true;
	if (record->decision >= *cut)
		*cut = record->decision + 1;
}

/* The calls on the disk are the first ones of the model. @return how many there are. */
static int64_t audit_calls(struct oe__database *database, bool *present, int64_t *cut)
{
	OE__AUTO(log_cursor) struct oe__log_cursor *cursor = NULL;
	struct oe__log_entry entry;
	int64_t calls = 0, at = -1;
	oe_error err = { 0 };
	int got;

	if (oe__log_cursor_open(database, &cursor, &err) < 0)
		violated("the log cannot be read: %s", err.message);
	while ((got = oe__log_cursor_next(cursor, &entry, &err)) > 0) {
		do
			at++;
		while (at < model.count && model.records[at].call == 0);
		if (at >= model.count)
			violated("the log has more rows than it was given");
		const struct record *record = &model.records[at];
		if (entry.seq != record->call || entry.number != record->number ||
		    entry.attempt != record->attempt ||
		    strcmp(entry.kind, oe__row_kind_name(record->kind)) != 0)
			violated("row %lld of the log is %s %lld.%d, and was given as %s %lld.%d",
			         (long long)entry.seq, entry.kind, (long long)entry.number,
			         (int)entry.attempt, oe__row_kind_name(record->kind),
			         (long long)record->number, (int)record->attempt);
		*cut = at + 1 > *cut ? at + 1 : *cut;
		audit_outcome(&entry, record, present, cut);
		calls++;
	}
	if (got < 0)
		violated("the log cannot be read: %s", err.message);
	return calls;
}

static int64_t find_answer(int64_t number, int32_t attempt)
{
	const struct slot *slot = slot_of(number);

	if (number <= model.figures.issued && slot->answer != NONE &&
	    model.records[slot->answer].attempt == attempt)
		return slot->answer;
	for (int64_t i = model.count; i-- > 0;)
		if (model.records[i].kind == OE__ROW_ANSWER && model.records[i].number == number &&
		    model.records[i].attempt == attempt)
			return i;
	violated("the disk has an answer to %lld.%d, and it was given none", (long long)number,
	         (int)attempt);
}

/* Sets `present` of each answer that is there. */
static void audit_answers(struct oe__database *database, bool *present, int64_t *cut)
{
	OE__AUTO(statement) sqlite3_stmt *row = NULL;
	oe_error err = { 0 };
	int code;

	if (oe__database_prepare(database, "SELECT number, attempt, text FROM answer", &row, &err) < 0)
		violated("the answers cannot be read: %s", err.message);
	while ((code = sqlite3_step(row)) == SQLITE_ROW) {
		int64_t index = find_answer(sqlite3_column_int64(row, 0), sqlite3_column_int(row, 1));
		if (model.records[index].text != hash_text(sqlite3_column_text(row, 2),
		                                           (size_t)sqlite3_column_bytes(row, 2)))
			violated("the answer to number %lld has changed",
			         (long long)model.records[index].number);
		present[index] = true;
		if (index >= *cut)
			*cut = index + 1;
	}
	if (code != SQLITE_DONE)
		violated("the answers cannot be read: %s", sqlite3_errmsg(database->handle));
}

/* Each program that a row names is there, too. */
static void audit_programs(struct oe__database *database)
{
	int64_t missing = 0;
	oe_error err = { 0 };

	if (oe__database_number(database,
	                        "SELECT count(*) FROM log WHERE kind IN ('seed', 'commit') AND NOT EXISTS"
	                        " (SELECT 1 FROM program WHERE id = log.program_id AND"
	                        " iteration = log.number)",
	                        &missing, &err) < 0)
		violated("the programs cannot be read: %s", err.message);
	if (missing > 0)
		violated("%lld programs of the log are missing", (long long)missing);
}

/* Begin anew with the rows that are there. */
static void rewind_to(int64_t cut)
{
	struct model_figures before = model.figures;

	model.figures = (struct model_figures){
		.evaluations = before.evaluations,
		.questions = before.questions,
		.repeated_questions = before.repeated_questions,
	};
	model.count = model.session = cut;
	model.calls = 0;
	for (int64_t i = 0; i < cut; i++) {
		model.records[i].durable = true;
		if (model.records[i].call > 0)
			model.calls++;
		take(i);
	}
}

bool model_audit(const char *path, bool kept)
{
	OE__AUTO(database) struct oe__database *database = NULL;
	bool *present = calloc((size_t)model.count + 1, 1);
	int64_t cut = 0;
	oe_error err = { 0 };

	if (!present)
		abort();
	if (oe__database_open_reader(path, &database, &err) < 0)
		violated("run.db cannot be read: %s", err.message);
	int64_t calls = audit_calls(database, present, &cut);
	audit_answers(database, present, &cut);
	audit_programs(database);
	for (int64_t i = 0; i < model.count; i++) {
		const struct record *record = &model.records[i];
		if (record->idle)
			continue;
		bool there = record->call > 0 ? record->call <= calls : present[i];
		if (i < cut && !there)
			violated("the disk has row %lld, but not %lld before it", (long long)cut - 1,
			         (long long)i);
		if (kept && record->durable && !there)
			violated("%s %lld.%d was durable, and is lost", oe__row_kind_name(record->kind),
			         (long long)record->number, (int)record->attempt);
	}
	free(present);
	note("the disk has %lld of %lld rows", (long long)cut, (long long)model.count);
	rewind_to(cut);
	for (int64_t i = 0; i < cut && !kept; i++)
		model.records[i].told = false; /* it may have hung on what was lost */
	return calls > 0;
}

void model_resumed(const oe_hub *hub)
{
	for (int64_t i = model.count; i-- > 0;) {
		if (model.records[i].call == 0)
			continue;
		if (model.records[i].hub != fingerprint(hub))
			violated("after %lld calls the hub is another one than the log makes again",
			         (long long)model.records[i].call);
		break;
	}
	check_rules();
	model_check(hub);
}
