/* Checkpoints and best/, written by a worker from a frozen population; properties of the run. */

#include "controller/controller_internal.h"

#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "config/config.h"
#include "controller/export.h"

struct saving {
	struct oe__task task;
	oe_controller *controller;
	oe_population *population;
	char *path;
	int64_t calls; /* of the log that it was made of */
	bool written; /* it was not there already */
	int status;
	oe_error error;
	double ms;
};

static void saving_free(struct saving *saving)
{
	oe_population_unref(saving->population);
	oe__free(saving->path);
	oe__free(saving);
}

/* ---- worker ---- */

static void saved(struct oe__task *task);

/* What it uses of the controller does not change once the run has begun. */
static int write_population(struct saving *saving)
{
	const oe_controller *controller = saving->controller;

	/* The log begins with what stands there, and iterations that are open, or programs that were added,
	   would make another one of it. */
	if (saving->population->ended == controller->origin)
		return 0;
	/* The first one of a session follows what a session before wrote, or somebody copied there. */
	OE__AUTO(string) char *found =
		controller->saved_path ? NULL : oe__directory_last_checkpoint(controller->directory);
	struct oe__export export = {
		.config = controller->config,
		.database = controller->directory->database,
		.extension = controller->extension,
		.previous = found ? found : controller->saved_path,
		.previous_synced = !found,
		.calls = saving->calls,
	};

	int status = oe__export(&export, saving->population, saving->path, &saving->error);
	saving->written = status == 0;
	return status;
}

static void write_checkpoint(struct oe__task *task)
{
	struct saving *saving = OE__CONTAINER(task, struct saving, task);
	oe_controller *controller = saving->controller;
	int64_t start_ns = oe__clock_ns();

	/* An export of what the log has, not of more. */
	saving->status = oe__log_flush(controller->log, &saving->error);
	if (saving->status == 0)
		saving->status = write_population(saving);
	oe_program *best = oe_population_best(saving->population);
	if (saving->status == 0 && best)
		saving->status = oe__directory_write_best(controller->directory, best,
		                                          controller->extension, &saving->error);
	saving->ms = (double)(oe__clock_ns() - start_ns) / 1e6;
	saving->task.run = saved;
	oe__inbox_post(&controller->inbox, &saving->task);
}

/* ---- owner ---- */

static void saved(struct oe__task *task)
{
	struct saving *saving = OE__CONTAINER(task, struct saving, task);
	oe_controller *controller = saving->controller;

	controller->saving = false;
	if (saving->status < 0) {
		const oe_error *error = &saving->error;
		oe__controller_log(controller, 0, "the checkpoint could not be written: %s%s%s", error->where,
		                   error->where[0] ? ": " : "", error->message);
	} else {
		/* Without it the next one looks for it, and nothing else is lost. */
		if (saving->written) {
			oe__free(controller->saved_path);
			controller->saved_path = oe__strdup(saving->path);
		}
		oe__events_push(&controller->events,
		                &(oe_event){ .type = OE_EVENT_CHECKPOINT,
		                             .island = OE_ISLAND_ALL,
		                             .iteration = saving->population->ended,
		                             .text = saving->path,
		                             .llm_ms = -1,
		                             .evaluation_ms = saving->ms });
	}
	saving_free(saving);
}

int oe__controller_save(oe_controller *controller, oe_error *err)
{
	if (!controller->directory || controller->store_failed)
		return 0;
	if (controller->saving) {
		controller->save_again = true;
		return 0;
	}
	struct saving *saving = oe__calloc(1, sizeof(*saving));
	if (!saving)
		return oe__error_nomem(err);
	saving->controller = controller;
	saving->calls = oe__log_next(controller->log) - 1;
	saving->task.run = write_checkpoint;
	int status = oe_hub_population(controller->hub, &saving->population);
	if (status == 0 && oe_population_size(saving->population, OE_ISLAND_ALL) > 0) {
		saving->path = oe__directory_checkpoint_path(
			controller->directory, saving->population->ended);
		if (saving->path) {
			controller->saving = true;
			controller->unsaved = false;
			controller->saved_at = oe_hub_ended(controller->hub);
			oe__scheduler_compute(controller->scheduler, &saving->task);
			return 0;
		}
		status = OE_ERR_NOMEM;
	}
	saving_free(saving);
	return status < 0 ? oe__error(err, status, "cannot make a checkpoint: %s",
	                              oe_status_string(status))
	                  : 0;
}

void oe__controller_save_if_due(oe_controller *controller)
{
	int64_t interval = controller->checkpoint_interval;
	int64_t ended = oe_hub_ended(controller->hub);
	bool due = interval > 0 && ended / interval > controller->saved_at / interval;

	if (controller->saving || (!due && !controller->save_again) ||
	    controller->state >= OE__CONTROLLER_CLOSING)
		return;
	controller->save_again = false;
	oe_error err;
	if (oe__controller_save(controller, &err) < 0)
		oe__controller_log(controller, 0, "%s", err.message);
}

/* ---- properties ---- */

struct property {
	struct oe__row row;
	char *key, *value;
};

static void property_written(struct oe__row *row, int status)
{
	struct property *property = OE__CONTAINER(row, struct property, row);

	(void)status; /* the next row of an iteration tells */
	oe__free(property->key);
	oe__free(property->value);
	oe__free(property);
}

static int set_property(oe_controller *controller, enum oe__row_kind kind, const char *key,
                        const char *value)
{
	if (!controller->log)
		return 0;
	struct property *property = oe__calloc(1, sizeof(*property));
	if (!property)
		return OE_ERR_NOMEM;
	property->key = oe__strdup(key);
	property->value = oe__strdup(value ? value : "");
	property->row.kind = kind;
	property->row.seq = oe__log_next(controller->log) - 1;
	property->row.message = property->key;
	property->row.answer.text = property->value;
	property->row.done = property_written;
	if (!property->key || !property->value) {
		property_written(&property->row, OE_ERR_NOMEM);
		return OE_ERR_NOMEM;
	}
	oe__log_append(controller->log, &property->row);
	return 0;
}

int oe__controller_set_meta(oe_controller *controller, const char *key, const char *value)
{
	return set_property(controller, OE__ROW_META, key, value);
}

int oe_controller_set_property(oe_controller *controller, const char *name, const char *value)
{
	OE__AUTO(buffer) struct oe__buffer key = OE__BUFFER_INIT(0);

	if (!controller || !name || !value)
		return OE_ERR_INVALID;
	if (controller->state >= OE__CONTROLLER_CLOSING || controller->process != getpid())
		return OE_ERR_STATE;
	oe__buffer_text(&key, "user.");
	oe__buffer_text(&key, name);
	return key.status < 0 ? key.status
	                      : oe__controller_set_meta(controller, oe__buffer_string(&key), value);
}

/* ---- programs that no iteration made ---- */

static void program_written(struct oe__row *row, int status)
{
	(void)status; /* as for properties */
	oe_program_unref(row->program);
	oe__free(row);
}

/* Without its row a program is missing in reports, and nothing else is lost. */
static void record_program(oe_controller *controller, enum oe__row_kind kind, oe_program *program)
{
	struct oe__row *row = controller->log ? oe__calloc(1, sizeof(*row)) : NULL;

	if (!row)
		return;
	row->kind = kind;
	row->program = oe_program_ref(program);
	row->done = program_written;
	oe__log_append(controller->log, row);
}

void oe__controller_record_migrant(void *owner, oe_program *copy)
{
	record_program(owner, OE__ROW_MIGRANT, copy);
}

void oe__controller_record_import(oe_controller *controller, const oe_population *population)
{
	oe_program *extra = oe__population_extra(population);

	for (size_t i = 0; i < population->program_count; i++) {
		oe_program *program = population->programs[i], *original = NULL;
		if (program->migrant && program->parent_id)
			original = oe_population_find(population, program->parent_id);
		record_program(controller,
		               original && !original->migrant ? OE__ROW_MIGRANT : OE__ROW_IMPORT, program);
	}
	if (extra)
		record_program(controller, OE__ROW_IMPORT, extra);
}

/* ---- questions beside the answers ---- */

struct question {
	struct oe__row row;
	char *model, *error;
};

static void question_written(struct oe__row *row, int status)
{
	struct question *question = OE__CONTAINER(row, struct question, row);

	(void)status; /* as for properties */
	oe__free(question->model);
	oe__free(question->error);
	oe__free(question);
}

/* Takes a row whose texts are copied. */
static void record_question(oe_controller *controller, const struct oe__job *job,
                            const struct oe__row *row)
{
	struct question *question = controller->log ? oe__calloc(1, sizeof(*question)) : NULL;

	if (!question)
		return;
	question->model = oe__strdup(row->answer.model ? row->answer.model : "");
	question->error = oe__strdup(row->message ? row->message : "");
	question->row = *row;
	question->row.number = job->iteration ? job->iteration->number : 0;
	question->row.attempt = job->iteration ? job->iteration->attempt : 0;
	question->row.answer.model = question->model;
	question->row.message = question->error;
	question->row.time = oe__clock_wall();
	question->row.done = question_written;
	if (question->model && question->error)
		oe__log_append(controller->log, &question->row);
	else
		question_written(&question->row, OE_ERR_NOMEM);
}

/* What was sent for nothing counts too: a run's requests are those that its provider saw. */
void oe__controller_record_unanswered(oe_controller *controller, const struct oe__job *job)
{
	if (job->requests > 0)
		record_question(controller, job,
		                &(struct oe__row){ .kind = OE__ROW_UNANSWERED,
		                                   .message = job->error.message,
		                                   .answer = { .model = job->model,
		                                               .requests = job->requests,
		                                               .llm_ms = job->llm_ms } });
}

void oe__controller_record_judgements(oe_controller *controller, const struct oe__job *job)
{
	const oe_evaluation *evaluation = oe__job_verdict(job);

	for (size_t i = 0; evaluation && i < evaluation->question_count; i++) {
		const struct oe__question *question = &evaluation->questions[i];
		record_question(controller, job,
		                &(struct oe__row){ .kind = OE__ROW_JUDGEMENT,
		                                   .outcome = question->answered ? 0 : -1,
		                                   .answer = { .model = question->model,
		                                               .requests = question->requests,
		                                               .tokens_in = question->tokens_in,
		                                               .tokens_out = question->tokens_out,
		                                               .llm_ms = question->llm_ms } });
	}
}

/* ---- the beginning ---- */

struct property_text {
	const char *key, *value;
};

int oe__controller_record_start(oe_controller *controller, const char *config)
{
	OE__AUTO(buffer) struct oe__buffer templates = OE__BUFFER_INIT(OE__FILE_MAX);
	struct oe__json_writer writer = { .out = &templates };
	OE__AUTO(buffer) struct oe__buffer session = OE__BUFFER_INIT(256);
	double clock = oe__clock_wall();
	char now[OE__CLOCK_TEXT_SIZE];

	oe__clock_text(clock, now);
	oe__budget_session_begin(&controller->budget, clock, &session);
	oe__prompt_set_write(controller->recipe->prompts, &writer);
	int status = templates.status;
	const struct property_text properties[] = {
		{ "state", "running" },
		{ "reason", "" },
		{ "held_at", "" }, /* unless it is said anew */
		{ "archive_hash", "" },
		{ "started", now },
		{ OE__BUDGET_SESSION, oe__buffer_string(&session) },
		{ "extension", controller->extension },
		{ "language", controller->recipe->language },
		{ "evaluator", oe_evaluator_name(controller->recipe->evaluator) },
		{ "sandbox", oe_evaluator_confinement(controller->recipe->evaluator) },
	};
	/* What was made with those of a session before is repeated with those. */
	const struct property_text settings[] = {
		{ "config", config },
		{ "templates", oe__buffer_string(&templates) },
	};
	for (size_t i = 0; status == 0 && i < OE__COUNT(properties); i++)
		status = set_property(controller, OE__ROW_META, properties[i].key, properties[i].value);
	for (size_t i = 0; status == 0 && i < OE__COUNT(settings); i++)
		status = set_property(controller, OE__ROW_SETTING, settings[i].key, settings[i].value);
	return status;
}
