#include "model.h"

#include <math.h>
#include <string.h>

#include "base/hash.h"
#include "books.h"
#include "disk.h"
#include "fingerprint.h"
#include "goals.h"
#include "ledger.h"
#include "hub/hub_internal.h"
#include "world.h"

const struct model_figures *model_figures(void)
{
	return &books.figures;
}

/* ---- life ---- */

void model_watch(const oe_hub *hub, const struct plan *plan)
{
	books.hub = hub;
	books.run_seed = plan->run_seed;
	books.limits = plan->limits;
	books.over = false;
	books.began_ns = world.now_ns;
	books.session = books.count;
	books.process++;
	books.tokens = plan->tokens;
	books.ordered = hub->settings.semantics == OE__SEMANTICS_ORDERED;
	books.told = 0;
	books.head = books.tail = 0;
	books.best = -INFINITY;
	for (size_t i = 0; i < OE__ISLANDS_MAX; i++)
		books.island_best[i] = -INFINITY;
}

/* A run that is resumed may do so with another hub than it began to. */
void __real_oe_hub_free(oe_hub *hub);
void __wrap_oe_hub_free(oe_hub *hub);
void __wrap_oe_hub_free(oe_hub *hub)
{
	if (books.hub == hub)
		books.hub = NULL;
	__real_oe_hub_free(hub);
}

void model_follow(const oe_hub *hub)
{
	books.hub = hub;
}

void model_check_rules(void)
{
	const char *broken = oe__hub_check(books.hub);

	if (broken)
		violated("the hub breaks its own rule: %s", broken);
}

void model_resumed(const oe_hub *hub, const struct oe__rules *rules)
{
	books_settle();
	for (int64_t i = books.count; i-- > 0;) {
		if (books.records[i].call == 0)
			continue;
		if (books.lifted) /* what waited behind the end has had its turn by now */
			books.records[i].hub = fingerprint(hub);
		if (books.records[i].hub != fingerprint(hub))
			violated("after %lld calls the hub is another one than the log makes again",
			         (long long)books.records[i].call);
		break;
	}
	if (!books.lifted)
		goals_compare(rules);
	books.lifted = false;
	model_check_rules();
	model_check(hub);
}

void model_done(void)
{
	/* Those whose turn has not come, or whose turn is not durable. */
	bool wait = books.hub->ledger.staged_count > 0 ||
	            (disk_has_failed() && books.hub->settings.semantics != OE__SEMANTICS_STEADY);

	for (int64_t i = books.session; i < books.count && !world.dead; i++) {
		const struct record *record = &books.records[i];
		bool end = record->kind == OE__ROW_COMMIT || record->kind == OE__ROW_FAIL;
		if (end && record->durable && record->outcome >= 0 && !record->told && !wait)
			violated("the run is done, and nobody was told of the end of number %lld",
			         (long long)record->number);
	}
}

void model_leave(bool clean)
{
	books.lived_ns += world.now_ns - books.began_ns;
	if (books.head != books.tail)
		violated("%lld rows were never ended by the log", (long long)(books.tail - books.head));
	for (int64_t i = 0; clean && i < books.count; i++)
		if (!books.records[i].durable)
			violated("row %lld is not durable, and the run ended well", (long long)i);
	books.hub = NULL;
}

/* ---- questions, evaluations, events ---- */

void model_asked(const oe_llm_request *request)
{
	if (world.dead)
		return;
	const oe_iteration *iteration = request->iteration;
	struct slot *slot = books_slot(iteration->number);
	uint64_t prompt = books_hash(request->system, request->system_size) ^
	                  books_hash(request->user, request->user_size) * 3 ^ request->seed;

	if (iteration->number > books.figures.issued || books_attempt(slot) != iteration->attempt ||
	    slot->end != NONE)
		violated("number %lld attempt %d is asked, but it is not open",
		         (long long)iteration->number, (int)iteration->attempt);
	struct record *issue = &books.records[slot->issue];
	if (!issue->durable)
		violated("number %lld is asked before its sample is durable",
		         (long long)iteration->number);
	if (slot->answer != NONE)
		violated("number %lld is asked again, and its answer is there",
		         (long long)iteration->number);
	if (issue->prompt != 0 && issue->prompt != prompt)
		violated("number %lld is asked something else than before", (long long)iteration->number);
	books.figures.questions++;
	books.figures.repeated_questions += issue->prompt != 0;
	issue->prompt = prompt;
	world.progress = world.steps;
}

void model_judges(void)
{
	books.figures.judgements += !world.dead;
	world.progress = world.steps;
}

void model_evaluated(const oe_evaluation_request *request)
{
	if (world.dead)
		return;
	books.figures.evaluations++;
	world.progress = world.steps;
	if (request->seed != oe__hash64(request->program->source->hash, OE__SHA256_SIZE, books.run_seed))
		violated("the seed of an evaluation is not that of its program");
	if (!request->iteration)
		return;
	const oe_iteration *iteration = request->iteration;
	const struct slot *slot = books_slot(iteration->number);
	books.records[slot->issue].tried = books.process;
	if (books_attempt(slot) != iteration->attempt || slot->end != NONE)
		violated("number %lld attempt %d is evaluated, but it is not open",
		         (long long)iteration->number, (int)iteration->attempt);
}

static void check_turn(const struct record *end)
{
	if (!books.ordered || end->outcome < 0)
		return;
	if (end->number <= books.told)
		violated("number %lld ends after number %lld", (long long)end->number,
		         (long long)books.told);
	if (end->number > books.held_at)
		violated("the end of number %lld is told, and the run was over at number %lld",
		         (long long)end->number, (long long)books.held_at);
	books.told = end->number;
}

void model_told(const oe_event *event)
{
	world.progress = world.steps;
	if (world.dead || event->type != OE_EVENT_ITERATION)
		return;
	for (int64_t i = books.count; i-- > 0;) { /* it was not long ago */
		struct record *record = &books.records[i];
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
	if (hub->best && hub->best->program->fitness < books.best)
		violated("the best was evicted: %.17g, now %.17g", books.best,
		         hub->best->program->fitness);
	for (int32_t i = 0; i < hub->island_count; i++) {
		const struct oe__member *best = hub->islands[i].best;
		double fitness = best ? best->program->fitness : -INFINITY;
		if (fitness < books.island_best[i])
			violated("the best of island %d was evicted", (int)i);
		books.island_best[i] = fitness;
	}
}

void model_check(const oe_hub *hub)
{
	const struct model_figures *figures = &books.figures;

	if (world.dead)
		return;
	books_settle();
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
	books.over = goals_reason() != OE_REASON_NONE;
}

bool model_is_over(void)
{
	return goals_reason() != OE_REASON_NONE || books.evaluated >= books.limits.evaluations;
}

bool model_may_end(int reason)
{
	const struct limits *limits = &books.limits;
	int64_t took_ns = world.now_ns - books.began_ns;
	int goal = goals_reason();

	switch (reason) {
	case OE_REASON_ITERATIONS:
		return goal == OE_REASON_NONE;
	case OE_REASON_TARGET:
		return goal == OE_REASON_TARGET;
	case OE_REASON_PATIENCE:
		return goal == OE_REASON_PATIENCE || goals_were_missed();
	case OE_REASON_BUDGET:
		/* Of a run that did not even begin, what was evaluated is not in the log. */
		return books.evaluated >= limits->evaluations || ledger_is_tight() ||
		       (books.calls == 0 && limits->evaluations < INT64_MAX);
	case OE_REASON_TIME:
		return took_ns >= limits->time_ns || books.lived_ns + took_ns >= limits->seconds_ns;
	case OE_REASON_EVALUATOR: /* of all initial programs: each was too slow for "evaluator.timeout" */
		return books.calls == 0;
	default:
		return false;
	}
}

void model_finished(int64_t iterations)
{
	const struct model_figures *figures = &books.figures;
	int64_t sum = 0;

	if (figures->issued != books.base + iterations ||
	    figures->ended != books.before.ended + iterations)
		violated("%lld numbers were given and %lld ended, of %lld", (long long)figures->issued,
		         (long long)figures->ended, (long long)iterations);
	for (int i = 0; i < OE_OUTCOME_COUNT; i++)
		sum += figures->outcomes[i] - books.before.outcomes[i];
	if (sum != iterations)
		violated("the outcomes add up to %lld", (long long)sum);
	for (int64_t number = books.base + 1; number <= books.base + iterations; number++)
		if (books_slot(number)->end == NONE || books_slot(number)->again)
			violated("number %lld has no end", (long long)number);
}
