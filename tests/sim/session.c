#include "session.h"

#include <stdio.h>
#include <string.h>

#include "backends.h"
#include "base/file.h"
#include "controller/controller_internal.h"
#include "controller/replay.h"
#include "disk.h"
#include "exports.h"
#include "files.h"
#include "goals.h"
#include "hub/hub.h"
#include "hub/state.h"
#include "ledger.h"
#include "llm/llm.h"
#include "model.h"
#include "restored.h"
#include "script.h"
#include "world.h"

struct totals totals;

/* One process. */
struct session {
	const struct plan *plan;
	const oe_population *from; /* the checkpoint that the run began with, or NULL */
	oe_controller *controller;
	oe_scheduler *scheduler;
	oe_llm *llm;
	oe_evaluator *evaluator;
	int64_t kill_at; /* step of the world; 0: never */
	int64_t fail_read_at; /* read of the disk, of those while it is resumed */
	bool troubled;   /* it may come to another end than that of the run */
	bool stopped;    /* somebody asked for it  */
	bool over;       /* it was before it began: nothing may be asked */
	bool soon;       /* its trouble comes while it relies on what the one before left */
	bool paused, done;
	bool spent;      /* it ended as "budget.seconds" are used up */
	bool audited;    /* the books are those of the disk */
	char *hash;      /* of the archive, once it is done */
	int reason;
	int programs;    /* added so far by the user */
	struct happening user;
};

/* It may be why something goes wrong. */
static bool something_failed(void)
{
	return disk_has_failed() || files_have_failed();
}

/* ---- the user ---- */

static void add_program(struct session *session)
{
	OE__AUTO(program) oe_program *program = NULL;
	char code[SCRIPT_CODE_MAX];

	script_program(10 + session->programs++, code);
	int status = oe_program_new(code, strlen(code), "python", &program);
	if (status == 0)
		status = oe_controller_inject(session->controller, program);
	if (status < 0)
		violated("a program cannot be added: %s", oe_status_string(status));
}

static void act(struct happening *happening)
{
	struct session *session = OE__CONTAINER(happening, struct session, user);
	oe_controller *controller = session->controller;
	uint64_t action = world_below(12);

	if (session->paused) {
		note("the user: continue");
		oe_controller_continue(controller);
		session->paused = false;
	} else if (action < 3) {
		note("the user: pause");
		oe_controller_pause(controller);
		session->paused = true;
	} else if (action < 6) {
		note("the user: one more program");
		add_program(session);
	} else if (action < 8) {
		int status = oe_controller_checkpoint(controller, NULL);
		note("the user: a checkpoint: %s", oe_status_string(status));
	} else if (action < 10 && session->troubled) {
		note("the user: stop");
		oe_controller_stop(controller, (int)world_below(3));
		session->stopped = true;
	}
	world_happen(happening, world.now_ns + world_time(10 * MS, 100 * S));
}

/* ---- beginning ---- */

/* Nothing but time tells these worlds from each other. */
static void calm(const struct plan *plan)
{
	if (plan->judges != UNJUDGED) /* who is refused says nothing of a program, and it has another score */
		habits.key_refused = 0;
	habits.transient = habits.refused = habits.breaks = habits.slow = 0;
	habits.outage_from_ns = habits.outage_to_ns = 0;
}

static void draw_troubles(struct session *session)
{
	const struct plan *plan = session->plan;
	int64_t steps = 10 + 20 * plan->iterations / (1 + plan->sessions_max);
	struct disk_faults faults = { 0 };
	struct file_faults file_faults = { 0 };
	uint64_t kind = world_below(10);

	session->soon = world_below(3) == 0;
	habits.dies_seeding = kind < 8 && world_below(4) == 0;
	if (session->soon)
		steps = 8;
	habits.transient = (double)world_below(3) / 10;
	habits.refused = (double)world_below(2) / 20;
	habits.breaks = (double)world_below(2) / 10;
	habits.slow = (double)world_below(2) / 50;
	habits.deaf = (double)world_below(3) / 4;
	habits.key_refused = world_below(8) ? 0 : 0.002;
	habits.outage_from_ns = habits.outage_to_ns = 0;
	if (world_below(4) == 0) {
		habits.outage_from_ns = world.now_ns + world_time(S, 100 * S);
		habits.outage_to_ns = habits.outage_from_ns + world_time(S, 500 * S);
	}
	if (kind < 4)
		session->kill_at = world.steps + 1 + (int64_t)world_below((uint64_t)(2 * steps));
	else if (kind < 8)
		faults.crash_at = 1 + (int64_t)world_below((uint64_t)steps);
	if (plan->faults && kind >= 8) {
		faults.fail_at = 1 + (int64_t)world_below((uint64_t)steps);
		faults.full = world_below(2);
		faults.for_good = world_below(2);
	}
	if (!session->soon && world_below(4) == 0)
		file_faults.crash_at = 1 + (int64_t)world_below(2000);
	if (plan->faults && world_below(4) == 0)
		file_faults.fail_at = 1 + (int64_t)world_below(100);
	if (plan->faults && world_below(8) == 0)
		session->fail_read_at = 1 + (int64_t)world_below(200);
	if (plan->pure)
		calm(plan);
	disk_arm(&faults);
	files_arm(&file_faults);
}

static void draw_peace(const struct plan *plan)
{
	habits.transient = 0.02;
	habits.refused = 0.01;
	habits.breaks = 0.01;
	habits.slow = habits.deaf = habits.key_refused = 0;
	habits.dies_seeding = false;
	habits.outage_from_ns = habits.outage_to_ns = 0;
	if (plan->pure)
		calm(plan);
	disk_arm(NULL);
	files_arm(NULL);
}

static int make_controller(struct session *session, const char *directory, oe_error *err)
{
	const struct plan *plan = session->plan;

	session->scheduler = sim_scheduler_new();
	int status = session->scheduler ? backends_new(&session->llm, &session->evaluator)
	                                : OE_ERR_NOMEM;
	if (status == 0)
		status = oe__llm_set_tariff(session->llm, "scripted", LEDGER_OUTPUT_MAX);
	if (status == 0 && plan->retries) {
		oe_llm *inner = session->llm;
		session->llm = NULL;
		status = oe_llm_retry_new(inner, session->scheduler, 2, 500, &session->llm);
		oe_llm_unref(inner);
	}
	if (status == 0 && plan->judges != UNJUDGED) {
		oe_evaluator *inner = session->evaluator;
		session->evaluator = NULL;
		status = oe_evaluator_judge_new(plan->config, inner, session->llm, &session->evaluator, err);
		oe_evaluator_unref(inner);
	}
	return status < 0 ? status
	                  : oe_controller_new(plan->config, session->scheduler, session->llm,
	                                      session->evaluator, directory, &session->controller, err);
}

static int seed(struct session *session, oe_error *err)
{
	char code[SCRIPT_CODE_MAX];
	int status = 0;

	for (int i = 0; status == 0 && i < session->plan->programs; i++) {
		OE__AUTO(program) oe_program *program = NULL;
		script_program(i, code);
		status = oe_program_new(code, strlen(code), "python", &program);
		if (status == 0)
			status = oe_controller_seed(session->controller, program, err);
	}
	return status;
}

/* However it was resumed: it is what the log alone leads to. */
static void compare_with_log(const struct session *session)
{
	OE__AUTO(replay) struct oe__replay replay = { 0 };
	OE__AUTO(hub) oe_hub *hub = NULL;
	OE__AUTO(buffer) struct oe__buffer state = OE__BUFFER_INIT(0), wanted = OE__BUFFER_INIT(0);
	oe_controller *controller = session->controller;
	oe_error err = { 0 };

	int status = oe_hub_new(controller->config, &hub, &err);
	if (status == 0)
		status = oe__replay_begin(controller->directory->database, controller->config, hub, &replay,
		                          &err);
	if (status == 0 && controller->endings.held_at >= 0) /* by the rules, of which the log knows nothing */
		oe__hub_hold(hub, controller->endings.held_at);
	if (status == 0)
		status = oe__replay_run(&replay, 0, 0, &err);
	if (disk_has_failed() || world.dead)
		return;
	if (status == 0) {
		oe__hub_tell_forms(hub);
		oe__hub_tell_forms(controller->hub);
	}
	if (status < 0 || oe__hub_state_write(hub, &wanted) < 0 ||
	    oe__hub_state_write(controller->hub, &state) < 0)
		violated("the log cannot be played from its begin: %s", err.message);
	if (state.size != wanted.size || memcmp(state.data, wanted.data, state.size) != 0)
		violated("the run goes on from another state than its log leads to");
}

/* With a run that was there, or anew. */
static int begin(struct session *session, const char *directory, bool kept, oe_error *err)
{
	int status = make_controller(session, directory, err);

	if (status < 0)
		return status;
	oe_controller *controller = session->controller;
	model_watch(controller->hub, session->plan);
	ledger_limit(session->plan->limits.tokens, session->plan->limits.cost);
	if (something_failed() || world.dead)
		return OE_ERR_IO;
	bool there = model_audit(controller->directory->database, kept);
	session->audited = true;
	exports_audit(directory);
	if (something_failed() || world.dead)
		return OE_ERR_IO;
	ledger_watch(controller);
	disk_fail_read(session->fail_read_at);
	int found = oe_controller_has_run(controller, err);
	if (found < 0)
		return found;
	/* One that begins with a checkpoint has programs before its first call. */
	if (there ? found == 0 : found > 0 && !session->from)
		violated("the log has %s rows, and the controller says otherwise", there ? "some" : "no");
	if (!found && !session->from)
		return seed(session, err);
	status = oe_controller_resume(controller, found ? NULL : session->plan->from, err);
	if (status < 0)
		return status;
	model_follow(controller->hub); /* which may be a new one */
	if (found > 0)
		compare_with_log(session);
	else /* it is about to begin: with a checkpoint, whose rows are on their way */
		restored_check(controller->hub, session->from, !session->plan->settles);
	model_resumed(controller->hub, &controller->rules);
	session->over |= model_is_over();
	return 0;
}

/* ---- going on ---- */

static void read_hash(const struct session *session)
{
	OE__AUTO(population) oe_population *population = NULL;
	int status = oe_controller_population(session->controller, &population);

	if (status == 0)
		status = oe_population_hash(population, session->hash);
	if (status < 0)
		violated("the archive has no hash: %s", oe_status_string(status));
}

static void check_end(const struct session *session)
{
	oe_statistics numbers = { .struct_size = sizeof(numbers) };
	int reason = session->reason;

	if (oe_controller_statistics(session->controller, &numbers) < 0)
		violated("there are no statistics");
	if (numbers.llm_in_flight != 0 || numbers.evaluations_in_flight != 0 ||
	    numbers.evaluations_queued != 0)
		violated("the run is done, and %lld questions, %lld evaluations are under way",
		         (long long)numbers.llm_in_flight, (long long)numbers.evaluations_in_flight);
	if (numbers.evaluations_started != numbers.evaluations_finished)
		violated("%lld evaluations began, %lld ended", (long long)numbers.evaluations_started,
		         (long long)numbers.evaluations_finished);
	bool expected = model_may_end(reason) ||
	                (reason == OE_REASON_REQUESTED && session->stopped) ||
	                (reason == OE_REASON_STORE && disk_has_failed()) ||
	                /* A model that fails once, and then takes longer than "llm.give_up_after". */
	                (reason == OE_REASON_LLM &&
	                 (habits.transient > 0 || habits.outage_to_ns > 0 || habits.key_refused > 0)) ||
	                (reason == OE_REASON_EVALUATOR && session->troubled);
	if (!expected)
		violated("the run ends for reason %d", reason);
	if (reason != OE_REASON_STORE && disk_has_failed())
		note("the failure of the disk was not noticed");
}

static void step(struct session *session)
{
	const oe_event *event = NULL;
	oe_error err = { 0 };
	int got = oe_controller_step(session->controller, 0, &event, &err);

	if (world.dead)
		return;
	if (got < 0 && !something_failed())
		violated("a step fails: %s", err.message);
	if (got < 0) {
		kill_process("at its time"); /* what a program would do */
		return;
	}
	model_check(session->controller->hub);
	goals_compare(&session->controller->rules);
	ledger_check(session->controller);
	if (session->over && session->controller->asking > 0)
		violated("a run that was over asks");
	if (got == 0)
		return;
	model_told(event);
	if (event->type != OE_EVENT_DONE)
		return;
	session->done = true;
	session->reason = event->stop;
	session->spent = strncmp(event->text, "budget.seconds", strlen("budget.seconds")) == 0;
	note("done: reason %d %s", event->stop, event->text);
	model_done();
	check_end(session);
	read_hash(session);
}

static void live(struct session *session)
{
	oe__inbox_raise(&session->controller->inbox); /* the first step is the caller's idea */
	if (session->plan->user)
		world_happen(&session->user, world.now_ns + world_time(10 * MS, 100 * S));
	while (!world.dead && !session->done) {
		if (session->kill_at > 0 && world.steps >= session->kill_at)
			kill_process("at its time");
		else if (world_step_to_owner())
			step(session);
	}
	(void)world_forget(&session->user);
}

/* ---- ending ---- */

static void drain(void)
{
	while (world.computing.count > 0 || world.posted.count > 0 || oe__timers_first(&world.timers))
		if (!world_step())
			violated("something is left over, and nobody runs it");
}

static void end(struct session *session)
{
	oe_controller_free(session->controller);
	ledger_leave();
	drain();
	backends_end();
	drain();
	oe_llm_unref(session->llm);
	oe_evaluator_unref(session->evaluator);
	oe_scheduler_unref(session->scheduler);
	if (world.inbox || world.coroutines)
		violated("a controller that was freed is still there");
}

/* What of a run goes from one process to the next. */
struct run {
	struct plan *plan;
	const char *directory;
	oe_population *from;
	bool kept;  /* what was durable is there */
	bool spent; /* its time is, and that is durable */
};

/* @return enum oe_stop_reason, or OE_REASON_NONE if it did not come to an end. */
static int run_session(struct run *run, bool troubled, char *hash)
{
	const struct plan *plan = run->plan;
	struct session session = {
		.plan = plan, .from = run->from, .troubled = troubled, .hash = hash, .user.happen = act,
		.over = run->spent
	};
	oe_error err = { 0 };

	totals.sessions++;
	if (troubled)
		draw_troubles(&session);
	else
		draw_peace(plan);
	int status = begin(&session, run->directory, run->kept, &err);
	if (status < 0 && !something_failed() && !world.dead)
		violated("the run cannot begin, or go on: %s", err.message);
	if (status == 0)
		live(&session);
	bool failed = disk_has_failed(), killed = world.dead;
	if (status < 0 && !killed)
		note("it does not begin: %s", err.message);
	end(&session);
	model_leave(session.done && !failed && !killed);
	bool power = killed && plan->power && (session.soon || world_below(2));
	disk_reboot(power);
	world.dead = false;
	run->spent = session.spent && !failed && !killed;
	run->kept = (run->kept || session.audited) && (plan->synced || !power);
	totals.kills += killed;
	totals.power_cuts += power;
	totals.disk_faults += failed;
	totals.file_faults += files_have_failed();
	totals.stops += session.stopped;
	return session.done && !failed ? session.reason : OE_REASON_NONE;
}

/* By a rule of its own. */
static bool is_over(int reason)
{
	return reason == OE_REASON_TARGET || reason == OE_REASON_PATIENCE || reason == OE_REASON_TIME ||
	       reason == OE_REASON_BUDGET;
}

/* A run that has found what it was to find is over, until that is lifted. */
static void check_over(struct run *run, int reason, char *hash)
{
	int64_t questions = model_figures()->questions, issued = model_figures()->issued;
	int again = run_session(run, false, hash);

	if (!is_over(again))
		violated("a run that was over for reason %d goes on, to reason %d", reason, again);
	if (model_figures()->issued != issued || model_figures()->questions != questions)
		violated("a run that was over asks %lld more questions",
		         (long long)(model_figures()->questions - questions));
}

/* By a rule that it has passed: it has long been over, and stays what it is. */
static void check_passed(struct run *run, int reason, char *hash)
{
	struct limits limits = run->plan->limits;

	if (reason == OE_REASON_TARGET)
		limits.target_percent = 1;
	else
		limits.patience = 1;
	plan_limit(run->plan, &limits);
	check_over(run, reason, hash);
}

static void lift(struct run *run, int reason, char *hash, char *held)
{
	/* Of patience what was under way may have thought better. */
	bool goal = goals_reason() != OE_REASON_NONE && goals_reason() == reason;

	totals.ends++;
	if ((run->spent || model_is_over()) && world_below(2))
		check_over(run, reason, hash);
	if (goal && held[0] == '\0')
		memcpy(held, hash, HASH_SIZE);
	if (goal && world_below(2))
		check_passed(run, reason, hash);
	plan_limit(run->plan, &no_limits);
	run->spent = false;
}

static void count_totals(const struct run *run)
{
	const struct model_figures *figures = model_figures();

	totals.worlds++;
	totals.steps += world.steps;
	totals.questions += figures->questions;
	totals.repeated_questions += figures->repeated_questions;
	totals.evaluations += figures->evaluations;
	totals.committed += figures->committed;
	totals.equivalent += figures->outcomes[OE_OUTCOME_EQUIVALENT];
	if (run->from)
		totals.equivalent -= run->from->outcomes[OE_OUTCOME_EQUIVALENT];
	totals.judgements += figures->judgements;
	totals.checkpoints += exports_written();
}

static void load_checkpoint(struct run *run)
{
	oe_error err = { 0 };

	if (run->plan->from[0] && oe_population_load(run->plan->from, &run->from, &err) < 0)
		violated("the checkpoint to begin with cannot be read: %s", err.message);
}

void run_world(struct plan *plan, const char *directory, char hash[HASH_SIZE],
               char held[HASH_SIZE])
{
	struct run run = { .plan = plan, .directory = directory, .kept = true };
	char again[HASH_SIZE] = "";
	int sessions = 0, reason = OE_REASON_NONE;

	held[0] = '\0';
	load_checkpoint(&run);
	ledger_begin();
	exports_begin();
	model_begin(plan, run.from);
	while (reason != OE_REASON_ITERATIONS) {
		bool troubled = sessions++ < plan->sessions_max;
		reason = run_session(&run, troubled, hash);
		if (is_over(reason))
			lift(&run, reason, hash, held);
		if (!troubled && sessions > plan->sessions_max + 20)
			violated("the run comes to no end");
	}
	/* Once more, to see that the log makes it again, and that nothing is left to do. */
	int64_t steps = world.steps;
	if (run_session(&run, false, again) != OE_REASON_ITERATIONS)
		violated("a run that has ended goes on");
	if (strcmp(hash, again) != 0)
		violated("a run that has ended has another archive when it is made again");
	model_finished(plan->iterations);
	totals.iterations += plan->iterations;
	note("%lld steps after the end", (long long)(world.steps - steps));
	count_totals(&run);
	model_end();
	ledger_end();
	oe_population_unref(run.from);
}
