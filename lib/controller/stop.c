/*
 * How a run ends: why, how hard, and when it is over.
 *
 * Whatever the reason, questions under way are cancelled, and answers that came are made use of;
 * how hard decides about evaluations:
 *
 *   DRAIN   everything under way ends, questions too
 *   CANCEL  asked for from outside, or out of time: running evaluations get a moment, waiting ones
 *           go on at resume; by another rule: all evaluations end
 *   KILL    nothing is waited for
 */

#include "controller/controller_internal.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "config/config.h"
#include "controller/snapshot.h"

#define GRACE_MAX_NS (5 * (int64_t)1000000000)

static const char *reason_name(int reason)
{
	static const char *const names[] = {
		[OE_REASON_NONE] = "",
		[OE_REASON_ITERATIONS] = "iterations",
		[OE_REASON_TARGET] = "target",
		[OE_REASON_PATIENCE] = "patience",
		[OE_REASON_TIME] = "time",
		[OE_REASON_REQUESTED] = "requested",
		[OE_REASON_LLM] = "llm",
		[OE_REASON_EVALUATOR] = "evaluator",
		[OE_REASON_STORE] = "store",
		[OE_REASON_BUDGET] = "budget",
	};
	return names[reason];
}

static int64_t grace_ns(const oe_controller *controller)
{
	int64_t grace = oe__config_ms(controller->config, "evaluator.grace") * 1000000;
	return grace < GRACE_MAX_NS ? grace : GRACE_MAX_NS;
}

/* Those that nobody waits for on another thread are dropped at once; they stay open in the log. */
static void drop_queue(struct oe__flight_queue *queue)
{
	struct oe__flight *flight;

	while ((flight = oe__queue_pop(queue)) != NULL) {
		oe__controller_leave_seed(flight);
		oe__flight_drop(flight);
		oe__flight_free(flight);
	}
}

static void cancel_all(oe_controller *controller, enum oe__flight_place place)
{
	for (struct oe__flight *flight = controller->flights; flight; flight = flight->next)
		if (flight->place == place && !flight->cancelled)
			oe__flight_cancel(flight);
}

bool oe__controller_is_over(const oe_controller *controller)
{
	return (controller->reason >= OE_REASON_ITERATIONS && controller->reason <= OE_REASON_TIME) ||
	       controller->reason == OE_REASON_BUDGET;
}

bool oe__controller_in_a_hurry(const oe_controller *controller)
{
	return controller->reason == OE_REASON_REQUESTED || controller->reason == OE_REASON_TIME;
}

/* Those that were asked to end and have not yet: wait no longer than now. */
static void hurry(oe_controller *controller)
{
	int64_t now_ns = oe__clock_ns();

	for (struct oe__flight *flight = controller->flights; flight; flight = flight->next)
		if (flight->cancelled && flight->deadline_ns > now_ns)
			oe__flight_leave_by(flight, now_ns);
}

/* The log cannot be written any more: whatever else was about to end the run, that did. */
static void blame_store(oe_controller *controller)
{
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(4096);
	oe_error err = { 0 };

	controller->store_failed = true;
	atomic_store(&controller->log_failed, true);
	(void)oe__log_flush(controller->log, &err); /* says why, and where */
	if (err.where[0])
		oe__buffer_printf(&text, "%s: ", err.where);
	oe__buffer_text(&text, err.message);
	oe__free(controller->reason_text);
	controller->reason_text = oe__strdup(oe__buffer_string(&text));
	controller->reason = OE_REASON_STORE;
}

static void harden(oe_controller *controller, int how)
{
	if (how <= controller->how)
		return;
	controller->how = how;
	if (how >= OE_STOP_CANCEL) {
		drop_queue(&controller->parked);
		cancel_all(controller, OE__FLIGHT_ASKING);
		if (oe__controller_in_a_hurry(controller)) {
			drop_queue(&controller->waiting);
			controller->kill_ns = oe__clock_ns() + grace_ns(controller);
		}
	}
	if (how >= OE_STOP_KILL) {
		drop_queue(&controller->waiting);
		controller->kill_ns = 0;
		hurry(controller);
	}
}

void oe__controller_stop_for(oe_controller *controller, int reason, int how, const char *text)
{
	if (controller->state >= OE__CONTROLLER_CLOSING)
		return;
	if (controller->reason == OE_REASON_NONE) {
		controller->reason = reason;
		controller->reason_text = oe__strdup(text ? text : "");
		controller->state = OE__CONTROLLER_STOPPING;
		controller->how = -1; /* so that even a drain is a step */
	}
	harden(controller, how);
}

static void stop_for_store(oe_controller *controller)
{
	blame_store(controller);
	if (controller->state < OE__CONTROLLER_STOPPING)
		controller->state = OE__CONTROLLER_STOPPING;
	if (controller->state == OE__CONTROLLER_STOPPING)
		harden(controller, OE_STOP_KILL);
}

void oe__controller_apply_stop(oe_controller *controller)
{
	int asked = atomic_load(&controller->stop_asked) - 1;

	if (atomic_load(&controller->log_failed) && !controller->store_failed)
		stop_for_store(controller);
	if (asked > controller->how || (asked >= 0 && controller->reason == OE_REASON_NONE))
		oe__controller_stop_for(controller, OE_REASON_REQUESTED, asked, NULL);
	if (oe__clock_ns() >= controller->kill_ns) {
		controller->kill_ns = INT64_MAX - 1; /* done; nothing new is evaluated */
		cancel_all(controller, OE__FLIGHT_EVALUATING);
	}
}

/* ---- is it over? ---- */

void oe__controller_check_rules(oe_controller *controller)
{
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(1024);
	int64_t now_ns = oe__clock_ns(), elapsed_ns = now_ns - controller->started_ns;

	if (controller->state != OE__CONTROLLER_RUNNING)
		return;
	int reason = oe__rules_check(&controller->rules, elapsed_ns);
	if (reason == OE_REASON_NONE)
		reason = oe__budget_check(&controller->budget, elapsed_ns, controller->evaluating, &text);
	if (reason != OE_REASON_NONE) {
		oe__controller_stop_for(controller, reason, OE_STOP_CANCEL, oe__buffer_string(&text));
	} else if (oe__breaker_gives_up(&controller->breaker, now_ns)) {
		oe__controller_stop_for(controller, OE_REASON_LLM, OE_STOP_CANCEL,
		                        controller->outage ? controller->outage : "the provider is down");
	} else if (controller->numbers_ended && controller->flight_count == 0) {
		oe__controller_stop_for(controller, OE_REASON_ITERATIONS, OE_STOP_DRAIN, NULL);
	}
}

/* After a lost log flights wait for rows that will never be durable: drop them. Others of the same
   place are being read by a worker, and come back. */
static void drop_stranded(oe_controller *controller)
{
	struct oe__flight *next;

	for (struct oe__flight *flight = controller->flights; flight; flight = next) {
		next = flight->next;
		if (!atomic_load(&flight->stranded))
			continue;
		/* That it was answered may still be on its way to us. */
		if (flight->place == OE__FLIGHT_ASKING && flight->job.state != OE__JOB_ISSUED)
			continue;
		controller->asking -= flight->holds_llm_slot;
		oe__flight_drop(flight);
		oe__flight_free(flight);
	}
}

/* For reports, which would have to play the whole log. Without memory they do. */
static void record_hash(oe_controller *controller)
{
	OE__AUTO(population) oe_population *population = NULL;
	char hash[2 * OE__SHA256_SIZE + 1];

	if (oe_hub_population(controller->hub, &population) == 0 &&
	    oe_population_hash(population, hash) == 0)
		(void)oe__controller_set_meta(controller, "archive_hash", hash);
}

/* The last row may be long ago, if nobody answered since. One that never began took no time. */
static void record_time(oe_controller *controller)
{
	OE__AUTO(buffer) struct oe__buffer session = OE__BUFFER_INIT(256);

	if (controller->started_ns == 0)
		return;
	oe__budget_session_end(&controller->budget, oe__clock_ns() - controller->started_ns, &session);
	(void)oe__controller_set_meta(controller, OE__BUDGET_SESSION, oe__buffer_string(&session));
}

/* A run that was opened to go on, and then did not, is as it was: nobody stopped it. */
static bool is_untouched(const oe_controller *controller)
{
	return controller->started_ns == 0 && oe__log_next(controller->log) > 1;
}

static void finish(oe_controller *controller)
{
	controller->state = OE__CONTROLLER_DONE;
	if (controller->log && !controller->store_failed && !is_untouched(controller)) {
		oe__controller_snapshot_at_end(controller);
		record_hash(controller);
		record_time(controller);
		oe__controller_record_passed(controller);
		(void)oe__controller_set_meta(controller, "state",
		                              oe__controller_is_over(controller) ? "finished" : "stopped");
		(void)oe__controller_set_meta(controller, "reason", reason_name(controller->reason));
		(void)oe__controller_set_meta(controller, "reason_text", controller->reason_text);
		if (oe__log_flush(controller->log, NULL) < 0)
			blame_store(controller);
	}
	oe__events_push(&controller->events, &(oe_event){ .type = OE_EVENT_DONE,
	                                                  .island = OE_ISLAND_ALL,
	                                                  .stop = controller->reason,
	                                                  .iteration = oe_hub_ended(controller->hub),
	                                                  .program = oe_hub_best(controller->hub),
	                                                  .text = controller->reason_text });
}

void oe__controller_check_stop(oe_controller *controller)
{
	oe__controller_check_rules(controller);
	if (controller->state == OE__CONTROLLER_STOPPING) {
		if (controller->store_failed)
			drop_stranded(controller);
		/* Also what was being edited when the run was over: nobody will evaluate it. */
		if (!oe__budget_admits(&controller->budget, 0))
			drop_queue(&controller->waiting);
		if (controller->flight_count > 0)
			return;
		oe__controller_close_last_generation(controller);
		controller->state = OE__CONTROLLER_CLOSING;
	}
	if (controller->state != OE__CONTROLLER_CLOSING || controller->saving)
		return;
	/* One that was under way shows an earlier population, so the last one comes after it. The second
	   Ctrl-C wants to be gone: the log has everything, a checkpoint is an export. */
	bool unsaved = controller->unsaved || controller->saved_at != oe_hub_ended(controller->hub);
	if (unsaved && controller->how < OE_STOP_KILL &&
	    oe__controller_save(controller, NULL) == 0 && controller->saving)
		return;
	finish(controller);
}
