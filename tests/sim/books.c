#include "books.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "goals.h"
#include "ledger.h"
#include "program/population.h"
#include "world.h"

struct books books;

void *books_grow(void *array, int64_t *capacity, int64_t count, size_t size)
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

void model_begin(const struct plan *plan, const oe_population *from)
{
	model_end();
	books.replaces = plan->replaces;
	books.judges = plan->judges;
	books.before_best = NAN;
	books.last = NONE;
	if (!from)
		return;
	books.base = from->issued;
	books.before.issued = from->issued;
	books.before.ended = from->ended;
	for (int i = 0; i < OE_OUTCOME_COUNT; i++)
		books.before.outcomes[i] = from->outcomes[i];
	books.figures = books.before;
	books.before_best = oe_program_fitness(oe_population_best(from));
}

void model_end(void)
{
	free(books.records);
	free(books.slots);
	free(books.queue);
	memset(&books, 0, sizeof(books));
}

uint64_t books_hash(const void *text, size_t size)
{
	return oe__hash64(text, size, 1) | 1;
}

/* ---- numbers ---- */

struct slot *books_slot(int64_t number)
{
	if (number <= books.base)
		violated("a number is %lld", (long long)number);
	books.slots = books_grow(books.slots, &books.slot_capacity, number, sizeof(*books.slots));
	return &books.slots[number];
}

int32_t books_attempt(const struct slot *slot)
{
	return books.records[slot->issue].attempt;
}

static void take_issue(int64_t index)
{
	const struct record *record = &books.records[index];
	struct slot *slot = books_slot(record->number);

	if (record->number == books.figures.issued + 1 && record->attempt == 0)
		books.figures.issued++;
	else if (record->number > books.figures.issued)
		violated("number %lld attempt %d is given after %lld", (long long)record->number,
		         (int)record->attempt, (long long)books.figures.issued);
	else if (!slot->again || record->attempt != books_attempt(slot) + 1)
		violated("number %lld attempt %d is given, but it %s", (long long)record->number,
		         (int)record->attempt, slot->again ? "is another attempt's turn" : "is not to be");
	*slot = (struct slot){ .issue = index, .answer = NONE, .end = NONE };
}

static struct slot *open_slot(const struct record *record, const char *what)
{
	struct slot *slot = books_slot(record->number);

	if (record->number > books.figures.issued)
		violated("%s for number %lld, which was not given", what, (long long)record->number);
	if (books_attempt(slot) != record->attempt)
		violated("%s for attempt %d of number %lld, which is at attempt %d", what,
		         (int)record->attempt, (long long)record->number, (int)books_attempt(slot));
	if (slot->end != NONE)
		violated("%s for number %lld attempt %d, which has ended", what,
		         (long long)record->number, (int)record->attempt);
	return slot;
}

static void take_answer(int64_t index)
{
	struct slot *slot = open_slot(&books.records[index], "an answer");

	if (slot->answer != NONE)
		violated("number %lld is answered twice", (long long)books.records[index].number);
	slot->answer = index;
}

/* Its own failure, which "on_failure: replace" does not count. */
static bool is_given_again(const struct record *record)
{
	return books.replaces && record->kind == OE__ROW_FAIL &&
	       record->given >= OE_OUTCOME_NOOP_EDIT && record->given <= OE_OUTCOME_TIMED_OUT &&
	       record->attempt + 1 < OE__RETRIES_MAX;
}

void books_begin_goals(void)
{
	goals_begin(&books.limits);
	books.held_at = INT64_MAX;
	if (isnan(books.before_best))
		return;
	goals_see(books.before_best, true);
	if (goals_reason() != OE_REASON_NONE && books.ordered)
		books.held_at = books.base;
}

/* A program has joined. In the semantics 'ordered' a run is over at the number at which it is so. */
static void join(const struct record *record)
{
	goals_see(record->score, record->kind == OE__ROW_SEED);
	if (books.held_at == INT64_MAX && goals_reason() != OE_REASON_NONE &&
	    books.ordered)
		books.held_at = record->kind == OE__ROW_SEED ? 0 : record->number;
}

void books_settle(void)
{
	if (books.last == NONE)
		return;
	join(&books.records[books.last]);
	books.last = NONE;
}

/* What it came to is known. @return whether its program joins. */
static bool decide(struct record *end, int outcome)
{
	if (outcome < 0 || outcome >= OE_OUTCOME_COUNT)
		violated("number %lld ends with outcome %d", (long long)end->number, outcome);
	end->outcome = outcome;
	books.figures.outcomes[outcome]++;
	if (outcome != OE_OUTCOME_COMMITTED)
		return false;
	if (end->number > books.held_at && books.rewinding)
		books.held_at = INT64_MAX; /* it went on behind where it would be over by now */
	if (end->number > books.held_at)
		violated("number %lld joins, and the run was over at number %lld", (long long)end->number,
		         (long long)books.held_at);
	books.figures.committed++;
	return true;
}

static void take_end(int64_t index)
{
	struct record *record = &books.records[index];
	struct slot *slot = open_slot(record, "an end");

	slot->end = index;
	slot->again = is_given_again(record);
	record->outcome = NONE;
	record->decision = NONE;
	if (slot->again)
		return;
	books.figures.ended++;
	/* Others may have had their turn within this call, and ahead of it: their rows follow. */
	if ((record->kind == OE__ROW_FAIL || record->given >= 0) && decide(record, record->given))
		books.last = index;
}

static void take_outcome(int64_t index)
{
	struct record *record = &books.records[index];
	const struct slot *slot = books_slot(record->number);

	if (record->number > books.figures.issued || slot->end == NONE || slot->again ||
	    books_attempt(slot) != record->attempt)
		violated("number %lld attempt %d has an outcome, and has not ended",
		         (long long)record->number, (int)record->attempt);
	struct record *end = &books.records[slot->end];
	/* It says what was known, of one that came to its end before the run was resumed. */
	record->idle = end->kind == OE__ROW_FAIL && end->given == record->given;
	if (record->idle)
		return;
	if (end->outcome >= 0)
		violated("number %lld has a second outcome", (long long)record->number);
	end->decision = index;
	if (books.last != NONE && books.records[books.last].number < record->number)
		books_settle();
	if (decide(end, record->given))
		join(end);
}

void books_take(int64_t index)
{
	books.evaluated += books.records[index].evaluated;
	if (books.evaluated > books.limits.evaluations)
		violated("%lld programs were evaluated, of %lld", (long long)books.evaluated,
		         (long long)books.limits.evaluations);
	if (books.records[index].call > 0 && books.records[index].kind != OE__ROW_CLOSE)
		books_settle();
	switch (books.records[index].kind) {
	case OE__ROW_SEED:
		join(&books.records[index]);
		break;
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

/* Begin anew with the rows that are there. */
void books_rewind(int64_t cut)
{
	struct model_figures now = books.figures;

	books.figures = books.before;
	books.figures.evaluations = now.evaluations;
	books.figures.questions = now.questions;
	books.figures.repeated_questions = now.repeated_questions;
	books.figures.judgements = now.judgements;
	bool held = books.held_at != INT64_MAX;
	books.evaluated = 0;
	books_begin_goals();
	ledger_rewind(cut);
	books.count = books.session = cut;
	books.calls = 0;
	books.last = NONE;
	books.rewinding = true;
	for (int64_t i = 0; i < cut; i++) {
		books.records[i].durable = true;
		if (books.records[i].call > 0)
			books.calls++;
		books_take(i);
	}
	books.rewinding = false;
	if (books.ordered) /* else rows that are written as it is resumed may come ahead of it */
		books_settle();
	/* Still, if a process could not begin since. */
	books.lifted = (held || books.lifted) && books.held_at == INT64_MAX;
}
