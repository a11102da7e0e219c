/* The handle: its life, step(), and what other threads may ask. */

#include "controller/controller_internal.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/hash.h"
#include "config/config.h"
#include "controller/snapshot.h"
#include "evaluator/hidden.h"
#include "hub/hub.h"
#include "openevolve/version.h"
#include "store/load.h"

/* ---- messages ---- */

void oe__controller_log(oe_controller *controller, int level, const char *format, ...)
{
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(65536);
	va_list arguments;

	va_start(arguments, format);
	oe__buffer_vprintf(&text, format, arguments);
	va_end(arguments);
	oe__events_push(&controller->events, &(oe_event){ .type = OE_EVENT_LOG,
	                                                  .level = level,
	                                                  .island = OE_ISLAND_ALL,
	                                                  .text = oe__buffer_string(&text) });
}

/* A fork of the host has a copy of everything but the threads, and shares the descriptors. */
static bool is_ours(const oe_controller *controller)
{
	return controller->process == getpid();
}

static int check_process(const oe_controller *controller, oe_error *err)
{
	return is_ours(controller) ? 0
	                           : oe__error(err, OE_ERR_STATE,
	                                       "this controller belongs to the parent process");
}

/* ---- life ---- */

static int choose_seed(oe_controller *controller, oe_error *err)
{
	char uuid[OE__UUID_SIZE];

	if (oe__config_seed(controller->config, &controller->seed))
		return 0;
	/* "random_seed: null": one is drawn, and set, so that it is recorded and the hub sees it. */
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(64);
	if (oe__uuid_random(uuid) < 0)
		return oe__error_errno(err, "cannot draw a seed");
	controller->seed = oe__hash64(uuid, sizeof(uuid), 0) >> 2;
	controller->seed_drawn = true;
	oe__buffer_printf(&text, "%llu", (unsigned long long)controller->seed);
	return oe_config_set_as(controller->config, "random_seed", oe__buffer_string(&text),
	                        OE_ORIGIN_FLAG, "drawn at random", err);
}

static int open_log(oe_controller *controller, oe_error *err)
{
	OE__AUTO(database) struct oe__database *database = NULL;
	int64_t last = 0;

	const char *durability = oe__config_string(controller->config, "durability");
	int status = oe__database_open(controller->directory->database,
	                               !durability || strcmp(durability, "process") != 0, &database,
	                               err);
	if (status == 0)
		status = oe__database_number(database, "SELECT coalesce(max(seq), 0) FROM log", &last, err);
	if (status == 0)
		status = oe__budget_open(&controller->budget, database, err);
	if (status == 0)
		status = oe__log_new(database, last + 1, &controller->log, err);
	if (status < 0)
		return status;
	if (database->cut.status < 0)
		oe__controller_log(controller, 1, "the run goes on from what is before it: %s: %s",
		                   database->cut.where, database->cut.message);
	(void)OE__STEAL(database);
	oe__purse_set_log(controller->budget.purse, controller->log);
	return 0;
}

static int open_store(oe_controller *controller, const char *directory, oe_error *err)
{
	const char *backend = oe__config_string(controller->config, "store.backend");

	if (!directory || (backend && strcmp(backend, "directory") != 0))
		return 0;
	int status = oe__directory_open(directory, &controller->directory, err);
	if (status == 0 && oe__hidden_add(controller->directory->path, &controller->hidden) < 0)
		status = oe__error_nomem(err);
	return status < 0 ? status : open_log(controller, err);
}

static int build(oe_controller *controller, const oe_config *config, oe_scheduler *scheduler,
                 oe_llm *llm, oe_evaluator *evaluator, const char *directory, oe_error *err)
{
	OE__AUTO(llm) oe_llm *own = NULL;

	int status = oe_config_copy(config, &controller->config);
	if (status < 0)
		return oe__error_nomem(err);
	status = oe_config_check(controller->config, err);
	if (status == 0)
		status = choose_seed(controller, err);
	if (status == 0)
		status = oe__inbox_init(&controller->inbox, err);
	if (status < 0)
		return status;

	if (scheduler)
		controller->scheduler = oe_scheduler_ref(scheduler);
	else
		status = oe_scheduler_new(0, &controller->scheduler, err);
	if (status == 0)
		status = oe__budget_init(&controller->budget, controller->config, controller->scheduler,
		                         &controller->inbox, err);
	if (status == 0 && !llm)
		status = oe_llm_from_config(controller->config, controller->scheduler, 0, &own, err);
	if (status == 0)
		status = oe_hub_new(controller->config, &controller->hub, err);
	if (status == 0)
		status = oe__recipe_new(controller->config, controller->scheduler, llm ? llm : own,
		                        evaluator, &controller->recipe, err);
	if (status == 0)
		status = open_store(controller, directory, err);
	if (status == 0 && controller->budget.counting)
		controller->recipe->meter = oe__purse_meter(controller->budget.purse);
	return status;
}

static void set_defaults(oe_controller *controller)
{
	controller->process = getpid();
	controller->endings.held_at = -1;
	controller->origin = -1;
	controller->kill_ns = INT64_MAX;
	controller->late_ns = INT64_MAX;
	controller->events.mask = OE_EVENT_ALL;
	controller->numbers.initial_fitness = NAN;
	controller->numbers.best_fitness = NAN;
	controller->inbox.fd = controller->inbox.timer_fd = controller->inbox.signal.fd = -1;
	controller->how = -1;
}

int oe_controller_new(const oe_config *config, oe_scheduler *scheduler, oe_llm *llm,
                      oe_evaluator *evaluator, const char *directory, oe_controller **out,
                      oe_error *err)
{
	if (!config || !evaluator || !out)
		return oe__error(err, OE_ERR_INVALID, "oe_controller_new: NULL argument");
	oe_controller *controller = oe__calloc(1, sizeof(*controller));
	if (!controller)
		return oe__error_nomem(err);
	set_defaults(controller);

	int status = build(controller, config, scheduler, llm, evaluator, directory, err);
	if (status == 0) {
		controller->extension = oe__strdup(".py");
		status = controller->extension ? 0 : oe__error_nomem(err);
	}
	if (status == 0 && oe__rules_init(&controller->rules, controller->config) < 0)
		status = oe__error_nomem(err);
	if (status < 0) {
		oe_controller_free(controller);
		return status;
	}
	int64_t evaluations = oe__config_evaluations(controller->config);
	oe__evaluator_set_threads(evaluator, (int32_t)evaluations);
	oe__window_init(&controller->window, oe__config_int(controller->config, "llm.concurrency"),
	                evaluations);
	controller->semantics =
		(enum oe__semantics)oe__config_choice(controller->config, "hub.semantics");
	oe__controller_read_generations(controller);
	oe__controller_read_snapshots(controller);
	oe__breaker_init(&controller->breaker,
	                 oe__config_ms(controller->config, "llm.give_up_after") * 1000000);
	controller->checkpoint_interval = oe__config_int(controller->config, "checkpoint_interval");
	controller->save_each_best = oe__config_bool(controller->config, "checkpoint_on_improvement");
	controller->repeats_max = oe__config_int(controller->config, "evaluator.max_retries");
	*out = controller;
	return 0;
}

/* Kill what runs, and wait for it: everything of ours ends within moments of being cancelled, and
   plugins are abandoned. */
static void end_hard(oe_controller *controller)
{
	if (controller->state == OE__CONTROLLER_NEW && controller->flight_count == 0)
		return;
	controller->events.mask = 0; /* nobody listens any more */
	oe_controller_stop(controller, OE_STOP_KILL);
	while (controller->state != OE__CONTROLLER_DONE) {
		oe__inbox_run(&controller->inbox);
		/* Whatever fails on the way, what other threads have must come back before it is freed. */
		(void)oe__controller_advance(controller, NULL);
		if (controller->state == OE__CONTROLLER_DONE)
			break;
		oe__inbox_set_alarm(&controller->inbox, oe__controller_next_alarm(controller));
		oe__inbox_wait(&controller->inbox, -1);
	}
}

void oe_controller_free(oe_controller *controller)
{
	if (!controller || !is_ours(controller))
		return;
	if (controller->recipe)
		end_hard(controller);

	if (controller->budget.purse)
		oe__purse_set_log(controller->budget.purse, NULL);
	oe__log_free(controller->log); /* writes what is left; rows free their flights */
	oe__budget_done(&controller->budget);
	oe__recipe_free(controller->recipe);
	oe_hub_free(controller->hub);
	oe__endings_done(&controller->endings);
	oe__events_done(&controller->events);
	oe_scheduler_unref(controller->scheduler);
	oe__inbox_done(&controller->inbox);
	oe__hidden_remove(controller->hidden);
	oe__directory_close(controller->directory);
	oe_config_free(controller->config);
	oe__rules_done(&controller->rules);
	oe__free(controller->reason_text);
	oe__free(controller->outage);
	oe__free(controller->extension);
	oe__free(controller->saved_path);
	oe__free(controller);
}

int oe_controller_set_extension(oe_controller *controller, const char *extension)
{
	if (!controller || !extension || !is_ours(controller) ||
	    controller->state != OE__CONTROLLER_NEW)
		return OE_ERR_STATE;
	char *copy = oe__strdup(extension);
	if (!copy)
		return OE_ERR_NOMEM;
	oe__free(controller->extension);
	controller->extension = copy;
	return 0;
}

/* ---- beginning ---- */

int oe_controller_has_run(oe_controller *controller, oe_error *err)
{
	OE__AUTO(database) struct oe__database *reader = NULL;

	if (!controller)
		return oe__error(err, OE_ERR_INVALID, "oe_controller_has_run: NULL argument");
	if (check_process(controller, err) < 0)
		return OE_ERR_STATE;
	if (!controller->directory)
		return 0;
	int status = oe__database_open_reader(controller->directory->database, &reader, err);
	return status < 0 ? status : oe__log_has_begun(reader, err);
}

static int add_program(oe_controller *controller, oe_program *program, bool initial, oe_error *err)
{
	struct oe__flight *flight = NULL;
	int status = oe__flight_new(controller, NULL, program, &flight);

	if (status < 0)
		return oe__error(err, status, "%s", oe_status_string(status));
	flight->initial = initial;
	flight->order = controller->seeds_given;
	controller->seeds_given += initial;
	controller->seeds_pending += initial;
	flight->place = OE__FLIGHT_WAITING;
	oe__queue_push(&controller->waiting, flight);
	return 0;
}

int oe_controller_seed(oe_controller *controller, oe_program *program, oe_error *err)
{
	if (!controller || !program)
		return oe__error(err, OE_ERR_INVALID, "oe_controller_seed: NULL argument");
	if (check_process(controller, err) < 0)
		return OE_ERR_STATE;
	if (controller->state != OE__CONTROLLER_NEW)
		return oe__error(err, OE_ERR_STATE, "the run has begun: use oe_controller_inject()");
	int found = oe_controller_has_run(controller, err);
	if (found < 0)
		return found;
	if (found)
		return oe__error_at(err, OE_ERR_STATE, controller->directory->path, 0, 0,
		                    "there is a run in this directory already: resume it, or choose "
		                    "another one");
	return add_program(controller, program, true, err);
}

int oe_controller_resume(oe_controller *controller, const char *checkpoint, oe_error *err)
{
	if (!controller)
		return oe__error(err, OE_ERR_INVALID, "oe_controller_resume: NULL argument");
	if (check_process(controller, err) < 0)
		return OE_ERR_STATE;
	if (controller->state != OE__CONTROLLER_NEW || controller->seeded)
		return oe__error(err, OE_ERR_STATE, "the run has begun already");
	int found = oe_controller_has_run(controller, err);
	if (found < 0)
		return found;
	if (checkpoint && found)
		return oe__error_at(err, OE_ERR_STATE, controller->directory->path, 0, 0,
		                    "there is a run in this directory already: choose another one for a "
		                    "run from a checkpoint");
	if (checkpoint)
		return oe__controller_restore(controller, checkpoint, err);
	const char *backend = oe__config_string(controller->config, "store.backend");
	if (!found && backend && strcmp(backend, "directory") != 0)
		return oe__error(err, OE_ERR_CONFIG,
		                 "'store.backend' is '%s', but a run goes on in its directory", backend);
	if (!found)
		return controller->directory
		           ? oe__error_at(err, OE_ERR_STATE, controller->directory->path, 0, 0, OE__NOT_BEGUN)
		           : oe__error(err, OE_ERR_STATE, "there is no run to resume");
	return oe__controller_replay(controller, err);
}

static int begin(oe_controller *controller, oe_error *err)
{
	const char *config = NULL;

	if (!controller->seeded && controller->seeds_pending == 0)
		return oe__error(err, OE_ERR_STATE, "seed or resume the controller first");
	controller->state = OE__CONTROLLER_RUNNING;
	controller->unsaved = true; /* a run that ended by a crash has no checkpoint of its end */
	controller->started_ns = oe__clock_ns();
	int status = oe_config_text(controller->config, OE_CONFIG_CHANGED, &config);
	if (status == 0)
		status = oe__controller_record_start(controller, config);
	oe__controller_tell_endings(controller); /* says where it is held, from a resume */
	oe__hub_on_migrant(controller->hub, oe__controller_record_migrant, controller);
	oe__hub_on_settled(controller->hub, oe__controller_settled, controller);
	return status < 0 ? oe__error(err, status, "%s", oe_status_string(status)) : 0;
}

/* ---- stepping ---- */

static int deliver(oe_controller *controller, const oe_event **event)
{
	struct oe__events *events = &controller->events;
	bool failed = atomic_load(&controller->log_failed); /* before the look at what is durable */
	int64_t durable = controller->log ? oe__log_durable(controller->log) : INT64_MAX;

	if (failed)
		oe__events_forget(events, durable);
	const oe_event *next = oe__events_next(events, durable);
	if (!next)
		return 0;
	if (event)
		*event = next;
	if (oe__events_ready(events, durable))
		oe__inbox_raise(&controller->inbox); /* the descriptor must go on saying so */
	return 1;
}

static int64_t left_ms(int64_t timeout_ms, int64_t deadline_ns)
{
	if (timeout_ms < 0)
		return -1;
	int64_t left_ns = deadline_ns - oe__clock_ns();
	return left_ns > 0 ? (left_ns + 999999) / 1000000 : 0;
}

int oe_controller_step(oe_controller *controller, int64_t timeout_ms, const oe_event **event,
                       oe_error *err)
{
	if (!controller)
		return oe__error(err, OE_ERR_INVALID, "oe_controller_step: NULL argument");
	if (check_process(controller, err) < 0)
		return OE_ERR_STATE;
	if (controller->state == OE__CONTROLLER_NEW) {
		int status = begin(controller, err);
		if (status < 0)
			return status;
	}
	int64_t deadline_ns = timeout_ms > 0 ? oe__clock_ns() + timeout_ms * 1000000 : 0;
	for (;;) {
		oe__inbox_run(&controller->inbox);
		int status = oe__controller_advance(controller, err);
		if (status < 0)
			return status;
		oe__inbox_set_alarm(&controller->inbox, oe__controller_next_alarm(controller));
		if (deliver(controller, event))
			return 1;
		int64_t wait_ms = left_ms(timeout_ms, deadline_ns);
		if (controller->state == OE__CONTROLLER_DONE || wait_ms == 0)
			return 0;
		oe__inbox_wait(&controller->inbox, wait_ms);
	}
}

int oe_controller_run(oe_controller *controller, oe_error *err)
{
	const oe_event *event = NULL;

	for (;;) {
		int got = oe_controller_step(controller, -1, &event, err);
		if (got < 0)
			return got;
		if (got == 0 || event->type == OE_EVENT_DONE)
			return controller->reason;
	}
}

int oe_controller_fd(const oe_controller *controller)
{
	return controller->inbox.fd;
}

void oe_controller_set_events(oe_controller *controller, uint32_t mask)
{
	controller->events.mask = mask;
}

/* ---- any thread ---- */

void oe_controller_stop(oe_controller *controller, int how)
{
	int asked = atomic_load(&controller->stop_asked);

	if (!is_ours(controller))
		return;
	if (how < OE_STOP_DRAIN || how > OE_STOP_KILL)
		how = OE_STOP_KILL;
	while (asked < how + 1 &&
	       !atomic_compare_exchange_weak(&controller->stop_asked, &asked, how + 1))
		continue;
	oe__inbox_wake(&controller->inbox);
}

void oe_controller_pause(oe_controller *controller)
{
	if (!is_ours(controller))
		return;
	atomic_store(&controller->pause_asked, true);
	oe__inbox_wake(&controller->inbox);
}

void oe_controller_continue(oe_controller *controller)
{
	if (!is_ours(controller))
		return;
	atomic_store(&controller->pause_asked, false);
	oe__inbox_wake(&controller->inbox);
}

struct injection {
	struct oe__task task;
	oe_controller *controller;
	oe_program *program;
};

static void inject(struct oe__task *task)
{
	struct injection *injection = OE__CONTAINER(task, struct injection, task);
	oe_controller *controller = injection->controller;
	oe_error err;

	if (controller->state < OE__CONTROLLER_STOPPING &&
	    add_program(controller, injection->program, false, &err) < 0)
		oe__controller_log(controller, 0, "a program could not be added: %s", err.message);
	oe_program_unref(injection->program);
	oe__free(injection);
}

int oe_controller_inject(oe_controller *controller, oe_program *program)
{
	if (!controller || !program)
		return OE_ERR_INVALID;
	if (!is_ours(controller))
		return OE_ERR_STATE;
	struct injection *injection = oe__calloc(1, sizeof(*injection));
	if (!injection)
		return OE_ERR_NOMEM;
	injection->task.run = inject;
	injection->controller = controller;
	injection->program = oe_program_ref(program);
	oe__inbox_post(&controller->inbox, &injection->task);
	return 0;
}

/* ---- looking ---- */

int oe_controller_population(oe_controller *controller, oe_population **out)
{
	if (!controller || !out)
		return OE_ERR_INVALID;
	if (!is_ours(controller))
		return OE_ERR_STATE;
	return oe_hub_population(controller->hub, out);
}

int oe_controller_checkpoint(oe_controller *controller, oe_error *err)
{
	if (!controller)
		return oe__error(err, OE_ERR_INVALID, "oe_controller_checkpoint: NULL argument");
	if (check_process(controller, err) < 0)
		return OE_ERR_STATE;
	if (!controller->directory)
		return oe__error(err, OE_ERR_STATE, "this run is kept in memory only");
	return oe__controller_save(controller, err);
}

int oe_controller_statistics(oe_controller *controller, oe_statistics *out)
{
	if (!controller || !out || out->struct_size < sizeof(size_t))
		return OE_ERR_INVALID;
	if (!is_ours(controller))
		return OE_ERR_STATE;
	oe_statistics all = controller->numbers;
	size_t known = out->struct_size < sizeof(all) ? out->struct_size : sizeof(all);
	const oe_program *best = oe_hub_best(controller->hub);

	all.issued = oe_hub_issued(controller->hub);
	all.ended = oe_hub_ended(controller->hub);
	for (int outcome = 0; outcome < OE_OUTCOME_COUNT; outcome++)
		all.outcomes[outcome] = oe_hub_outcome_count(controller->hub, outcome);
	all.llm_in_flight = controller->asking;
	all.evaluations_in_flight = controller->evaluating;
	all.evaluations_queued = controller->waiting.count;
	struct oe__hub_figures figures;
	oe__hub_figures(controller->hub, &figures);
	all.programs = (int64_t)figures.programs;
	all.archive = (int64_t)figures.archive;
	all.next_migration = figures.next_migration;
	int64_t last = oe__hub_last(controller->hub);
	all.iterations_max = last < INT64_MAX ? last : -1;
	oe__budget_count(&controller->budget, &all);
	all.elapsed_s = controller->started_ns > 0
	                    ? (double)(oe__clock_ns() - controller->started_ns) / 1e9
	                    : 0;
	all.best_fitness = best ? best->fitness : NAN;
	all.best_iteration = best ? best->iteration : 0;
	all.struct_size = known;
	memcpy(out, &all, known);
	return 0;
}
