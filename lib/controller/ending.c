/* What ends in turn, from its row of the log to its event. See ending.h. */

#include "controller/controller_internal.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "hub/hub.h"

static void ending_free(struct oe__ending *ending)
{
	if (!ending)
		return;
	oe_program_unref(ending->parent);
	oe_program_unref(ending->child);
	oe_program_unref(ending->program);
	oe__free(ending->text);
	oe__free(ending->model);
	oe__free(ending);
}

void oe__endings_done(struct oe__endings *endings)
{
	struct oe__map_entry *entry;
	size_t cursor = 0;

	while ((entry = oe__map_next(&endings->waiting, &cursor)) != NULL)
		ending_free(entry->value);
	oe__map_done(&endings->waiting);
	while (endings->settled) {
		struct oe__ending *next = endings->settled->next;

		ending_free(endings->settled);
		endings->settled = next;
	}
}

/* ---- before its turn ---- */

static struct oe__ending *ending_new(oe_controller *controller, const oe_iteration *iteration,
                                     oe_program *child)
{
	struct oe__ending *ending = oe__calloc(1, sizeof(*ending));

	if (!ending)
		return NULL;
	ending->controller = controller;
	ending->number = iteration->number;
	ending->attempt = iteration->attempt;
	ending->island = iteration->island;
	ending->parent = oe_program_ref(iteration->parent);
	ending->child = child ? oe_program_ref(child) : NULL;
	ending->llm_ms = ending->evaluation_ms = -1;
	ending->tokens_in = ending->tokens_out = -1;
	return ending;
}

static bool describe(struct oe__ending *ending, const struct oe__job *job)
{
	if (job->evaluation)
		ending->evaluation_ms = job->evaluation_ms;
	if (job->message)
		ending->text = oe__strdup(job->message);
	if (job->model)
		ending->model = oe__strdup(job->model);
	if (job->answer) {
		ending->llm_ms = job->llm_ms;
		ending->tokens_in = job->tokens_in;
		ending->tokens_out = job->tokens_out;
	}
	return (!job->message || ending->text) && (!job->model || ending->model);
}

int oe__ending_expect(struct oe__flight *flight, oe_program *child)
{
	oe_controller *controller = flight->controller;
	const oe_iteration *iteration = flight->job.iteration;
	struct oe__ending *ending = ending_new(controller, iteration, child);

	if (!ending || !describe(ending, &flight->job) ||
	    oe__map_put(&controller->endings.waiting, &iteration->number, sizeof(iteration->number),
	                ending) < 0) {
		ending_free(ending);
		return OE_ERR_NOMEM;
	}
	return 0;
}

void oe__ending_staged(oe_controller *controller, int64_t number)
{
	struct oe__ending *ending =
		oe__map_get(&controller->endings.waiting, &number, sizeof(number));

	if (ending)
		ending->unrecorded = true;
}

void oe__ending_forget(oe_controller *controller, int64_t number)
{
	ending_free(oe__map_remove(&controller->endings.waiting, &number, sizeof(number)));
}

/* ---- its turn ---- */

void oe__controller_hold_if_over(oe_controller *controller, int64_t number)
{
	struct oe__endings *endings = &controller->endings;

	/* A generation joins as a whole; time is looked at by the clock. What a session before went on behind,
	   by other rules, is no end of this one. */
	if (controller->semantics != OE__SEMANTICS_ORDERED || endings->held_at >= 0 ||
	    number < endings->passed || oe__rules_check(&controller->rules, 0) == OE_REASON_NONE)
		return;
	endings->held_at = number;
	oe__hub_hold(controller->hub, number);
}

void oe__controller_hold_if_over_now(oe_controller *controller)
{
	struct oe__hub_figures figures;

	oe__hub_figures(controller->hub, &figures);
	oe__controller_hold_if_over(controller, figures.position);
}

void oe__controller_settled(void *owner, const oe_iteration *iteration, oe_program *child,
                            const oe_commit *commit)
{
	oe_controller *controller = owner;
	struct oe__endings *endings = &controller->endings;
	int64_t number = iteration->number;
	struct oe__ending *ending = oe__map_remove(&endings->waiting, &number, sizeof(number));

	if (commit->outcome == OE_OUTCOME_COMMITTED) {
		oe__rules_see(&controller->rules, child, false);
		oe__controller_hold_if_over(controller, number);
	}
	if (!ending) { /* it came to its end before the run was resumed */
		ending = ending_new(controller, iteration, child);
		if (!ending) {
			controller->events.status = OE_ERR_NOMEM;
			return;
		}
		ending->unrecorded = true;
	}
	ending->commit = *commit;
	if (commit->program)
		ending->program = oe_program_ref(commit->program);
	*(endings->settled ? &endings->last->next : &endings->settled) = ending;
	endings->last = ending;
}

/* ---- afterwards ---- */

static void outcome_written(struct oe__row *row, int status)
{
	struct oe__ending *ending = OE__CONTAINER(row, struct oe__ending, row);

	(void)status; /* the row of a call tells */
	ending_free(ending);
}

/* Takes the ending over. */
static void write_outcome(struct oe__ending *ending)
{
	struct oe__log *log = ending->controller->log;

	if (!log || !ending->unrecorded) {
		ending_free(ending);
		return;
	}
	ending->row = (struct oe__row){
		.kind = OE__ROW_OUTCOME,
		.number = ending->number,
		.attempt = ending->attempt,
		.outcome = ending->commit.outcome,
		.done = outcome_written,
	};
	oe__log_append(log, &ending->row);
}

void oe__controller_record_outcome(oe_controller *controller, const oe_iteration *iteration,
                                   int outcome)
{
	struct oe__ending *ending = ending_new(controller, iteration, NULL);

	if (!ending)
		return; /* a report misses it until the run is resumed again */
	ending->unrecorded = true;
	ending->commit.outcome = outcome;
	write_outcome(ending);
}

/* When the call that was its turn is durable, and that is the last one so far. */
static void tell(const struct oe__ending *ending, int type)
{
	oe_controller *controller = ending->controller;

	oe__events_push_call(&controller->events,
	                     &(oe_event){
							 .type = type,
							 .iteration = ending->number,
							 .attempt = ending->attempt,
							 .island = ending->island,
							 .outcome = ending->commit.outcome,
							 .program = ending->program ? ending->program : ending->child,
							 .parent = ending->parent,
							 .text = ending->text,
							 .model = ending->model,
							 .llm_ms = ending->llm_ms,
							 .evaluation_ms = ending->evaluation_ms,
							 .tokens_in = ending->tokens_in,
							 .tokens_out = ending->tokens_out,
						 },
	                     controller->log ? oe__log_next(controller->log) - 1 : 0);
}

static void tell_all(const struct oe__ending *ending)
{
	oe_controller *controller = ending->controller;

	controller->numbers.since_best++;
	tell(ending, OE_EVENT_ITERATION);
	if (ending->commit.best) {
		controller->numbers.since_best = 0;
		controller->numbers.best_iteration = ending->number;
		controller->save_again |= controller->save_each_best;
		tell(ending, OE_EVENT_BEST);
	}
	if (ending->commit.migrated > 0)
		oe__events_push(&controller->events, &(oe_event){ .type = OE_EVENT_MIGRATION,
		                                                  .iteration = ending->number,
		                                                  .island = ending->commit.island,
		                                                  .count = ending->commit.migrated });
}

static void record_hold(oe_controller *controller)
{
	struct oe__endings *endings = &controller->endings;
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(32);

	if (endings->held_at < 0 || endings->hold_recorded)
		return;
	oe__buffer_printf(&text, "%lld", (long long)endings->held_at);
	endings->hold_recorded =
		text.status == 0 &&
		oe__controller_set_meta(controller, "held_at", oe__buffer_string(&text)) == 0;
}

void oe__controller_record_passed(oe_controller *controller)
{
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(32);
	struct oe__hub_figures figures;

	if (controller->semantics != OE__SEMANTICS_ORDERED)
		return;
	oe__hub_figures(controller->hub, &figures);
	if (oe__buffer_printf(&text, "%lld", (long long)figures.position) == 0)
		(void)oe__controller_set_meta(controller, OE__PASSED_META, oe__buffer_string(&text));
}

void oe__controller_tell_endings(oe_controller *controller)
{
	struct oe__endings *endings = &controller->endings;

	oe__controller_record_cut(controller);
	while (endings->settled) {
		struct oe__ending *ending = endings->settled;

		endings->settled = ending->next;
		tell_all(ending);
		write_outcome(ending);
	}
	record_hold(controller);
}
