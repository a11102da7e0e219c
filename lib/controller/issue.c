/* What is begun, and when: iterations, probes of a provider that is down, evaluations. */

#include "controller/controller_internal.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "config/config.h"
#include "controller/snapshot.h"

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* ---- evaluations ---- */

static void start_evaluations(oe_controller *controller)
{
	/* Once running ones are to be killed soon, starting another would only waste it. */
	bool closing = controller->kill_ns != INT64_MAX;

	while (!closing && controller->waiting.head &&
	       controller->evaluating < controller->window.evaluations_max &&
	       oe__budget_admits(&controller->budget, controller->evaluating))
		oe__flight_evaluate(oe__queue_pop(&controller->waiting));
}

void oe__controller_enqueue(oe_controller *controller, struct oe__flight *flight)
{
	flight->place = OE__FLIGHT_WAITING;
	oe__queue_push(&controller->waiting, flight);
	start_evaluations(controller);
}

/* What has finished meanwhile is on its way to us; looking again does no harm. */
static void abandon(struct oe__flight *flight, int64_t now_ns)
{
	oe__flight_leave_by(flight, now_ns + OE__LEAVE_NS);
	if (flight->place == OE__FLIGHT_EVALUATING && oe__job_abandon_evaluation(&flight->job))
		oe__controller_evaluated(flight);
	else if (flight->place == OE__FLIGHT_ASKING && oe__job_abandon_question(&flight->job))
		oe__controller_ask_failed(flight);
}

/* Evaluators of ours keep their deadlines themselves; a plugin that does not come back is left to
   itself after its time. `late_ns` may be early, as evaluations end in time: then this walk over the
   flights finds nothing, once per timeout at most. */
static void abandon_late(oe_controller *controller, int64_t now_ns)
{
	struct oe__flight *next;

	if (now_ns < controller->late_ns)
		return;
	controller->late_ns = INT64_MAX;
	for (struct oe__flight *flight = controller->flights; flight; flight = next) {
		next = flight->next;
		if (flight->deadline_ns == INT64_MAX)
			continue;
		if (now_ns < flight->deadline_ns)
			controller->late_ns = earlier(controller->late_ns, flight->deadline_ns);
		else
			abandon(flight, now_ns);
	}
}

/* ---- questions ---- */

/* Before their evaluation, wherever they are. */
static int64_t count_ahead(const oe_controller *controller)
{
	return controller->flight_count - controller->evaluating;
}

/* Whatever the time, and how much is under way? */
static bool wants_more(const oe_controller *controller)
{
	return controller->state == OE__CONTROLLER_RUNNING && controller->seeded &&
	       controller->seeds_pending == 0 && !controller->paused && !controller->numbers_ended &&
	       !oe__events_full(&controller->events) &&
	       oe__budget_admits(&controller->budget, controller->flight_count);
}

static bool may_issue(const oe_controller *controller, int64_t now_ns)
{
	return wants_more(controller) &&
	       oe__window_admits(&controller->window, controller->asking, count_ahead(controller),
	                         now_ns);
}

/* 1: begun. 0: not now. */
static int issue_next(oe_controller *controller, oe_error *err)
{
	oe_iteration *iteration = NULL;
	struct oe__flight *flight = NULL;
	int why = OE_HUB_READY;

	int got = oe_hub_next_iteration(controller->hub, &iteration, &why);
	oe__controller_tell_endings(controller);
	if (got <= 0) {
		if (got < 0)
			return oe__error(err, got, "the hub gave no iteration: %s", oe_status_string(got));
		controller->numbers_ended = why == OE_HUB_FINISHED;
		return 0;
	}
	int status = oe__flight_new(controller, iteration, NULL, &flight);
	if (status < 0) {
		oe_iteration_unref(iteration);
		return oe__error(err, status, "cannot begin an iteration: %s", oe_status_string(status));
	}
	oe__flight_issue(flight);
	return 1;
}

/* May one that waits for the provider be asked, whatever the time? */
static bool wants_parked(const oe_controller *controller)
{
	return controller->parked.head &&
	       oe__budget_admits(&controller->budget,
	                         controller->flight_count - controller->parked.count);
}

/* Those that the provider's absence kept waiting come first; while it is down, one at a time. */
static bool ask_parked(oe_controller *controller, int64_t now_ns)
{
	if (!wants_parked(controller) || controller->state != OE__CONTROLLER_RUNNING ||
	    !oe__window_admits(&controller->window, controller->asking, 0, now_ns) ||
	    !oe__breaker_admit(&controller->breaker, now_ns))
		return false;
	oe__flight_ask(oe__queue_pop(&controller->parked));
	oe__window_issued(&controller->window, now_ns);
	return true;
}

static int issue(oe_controller *controller, int64_t now_ns, oe_error *err)
{
	while (ask_parked(controller, now_ns))
		continue;
	controller->hub_waits = false;
	while (controller->breaker.state == OE__BREAKER_CLOSED && may_issue(controller, now_ns)) {
		int got = issue_next(controller, err);
		controller->hub_waits = got == 0;
		if (got <= 0)
			return got;
		oe__window_issued(&controller->window, now_ns);
	}
	return 0;
}

static void note_pause(oe_controller *controller)
{
	bool wanted = atomic_load(&controller->pause_asked);
	if (wanted == controller->paused)
		return;
	controller->paused = wanted;
	oe__events_push(&controller->events,
	                &(oe_event){ .type = wanted ? OE_EVENT_PAUSED : OE_EVENT_CONTINUED,
	                             .island = OE_ISLAND_ALL,
	                             .text = wanted ? "asked to pause" : "" });
}

static void tell_unpriced(oe_controller *controller)
{
	char *model;

	while ((model = oe__purse_unpriced(controller->budget.purse)) != NULL) {
		oe__controller_log(controller, 1,
		                   "model '%s' is unpriced: %s has no price of it, so that what it costs is not "
		                   "counted",
		                   model, oe__config_string(controller->config, "budget.prices"));
		oe__free(model);
	}
}

int oe__controller_advance(oe_controller *controller, oe_error *err)
{
	int64_t now_ns = oe__clock_ns();

	if (controller->state == OE__CONTROLLER_DONE)
		return 0;
	oe__controller_apply_stop(controller);
	tell_unpriced(controller);
	note_pause(controller);
	abandon_late(controller, now_ns);
	start_evaluations(controller);
	oe__controller_end_seeds(controller);
	oe__controller_check_generation(controller, now_ns);
	oe__controller_check_rules(controller); /* one that is over asks nothing more, resumed or not */
	int status = issue(controller, now_ns, err);
	if (status < 0)
		return status;
	oe__controller_save_if_due(controller);
	oe__controller_snapshot_if_due(controller);
	oe__controller_check_stop(controller);
	if (controller->log)
		oe__log_set_in_flight(controller->log, controller->flight_count);
	return controller->events.status;
}

int64_t oe__controller_next_alarm(const oe_controller *controller)
{
	int64_t next_ns = controller->kill_ns;

	if (controller->state == OE__CONTROLLER_DONE || controller->state == OE__CONTROLLER_NEW)
		return INT64_MAX;
	next_ns = earlier(next_ns, controller->late_ns);
	if (controller->state != OE__CONTROLLER_RUNNING)
		return next_ns;
	next_ns = earlier(next_ns, oe__controller_generation_deadline(controller));
	next_ns = earlier(next_ns, oe__breaker_end(&controller->breaker));
	if (controller->rules.time_ns >= 0)
		next_ns = earlier(next_ns, controller->started_ns + controller->rules.time_ns);
	if (controller->budget.time_max_ns < INT64_MAX)
		next_ns = earlier(next_ns, controller->started_ns + controller->budget.time_max_ns -
		                               controller->budget.time_before_ns);
	/* What waits for something else than time is woken by that. */
	bool more = wants_more(controller) && !controller->hub_waits &&
	            controller->breaker.state == OE__BREAKER_CLOSED;
	bool parked = wants_parked(controller);
	if (more || parked) {
		int64_t window_ns = oe__window_next(&controller->window, controller->asking,
		                                    parked ? 0 : count_ahead(controller));
		next_ns = earlier(next_ns, oe__breaker_delay(&controller->breaker, window_ns));
	}
	return next_ns;
}
