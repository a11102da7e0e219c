/*
 * Repeating a run from its log: oe_run_replay() of openevolve/run.h.
 *
 * The log is played to a new hub, and on the way every step is taken again that is a function of what
 * is recorded: sample to prompt, answer to program, program to its place. What depends on the world is
 * taken as it was: answers, times, failures of the provider, and evaluations unless somebody judges.
 */

#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "config/config.h"
#include "controller/recipes.h"
#include "controller/rejudging.h"
#include "controller/run_internal.h"
#include "hub/hub.h"
#include "iteration/job.h"
#include "program/population.h"
#include "store/checkpoint.h"
#include "store/directory.h"
#include "store/tail.h"

OE__AUTO_VALUE(job, struct oe__job, oe__job_done)

struct repeating {
	oe_run *run;
	oe_config *config;
	oe_hub *hub;
	struct oe__recipes recipes;
	struct oe__replay replay;
	struct oe__rejudging *rejudging; /* NULL: evaluations are as they were */
	uint64_t seed;
	int64_t differs_at; /* row of the log that the difference is told of */
	char *ended_with;   /* hash of the archive, or ""; noted before the log was played, which may go on */
	oe_run_repetition result;
};

static void repeating_done(struct repeating *repeating)
{
	oe__rejudging_free(repeating->rejudging);
	oe__replay_done(&repeating->replay);
	oe_hub_free(repeating->hub);
	oe__free(repeating->ended_with);
	oe__recipes_done(&repeating->recipes);
	oe_config_free(repeating->config);
}
OE__AUTO_VALUE(repeating, struct repeating, repeating_done)

/* ---- differences ---- */

/* Evaluations are made beside each other, and behind the rest: the first one by the log is not the first
   one here. */
static void differ(struct repeating *repeating, int64_t seq, const char *format, ...) OE__PRINTF(3, 4);

static void differ(struct repeating *repeating, int64_t seq, const char *format, ...)
{
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);
	va_list arguments;
	oe_error sentence;

	if (repeating->result.differences++ > 0 && seq >= repeating->differs_at)
		return;
	repeating->differs_at = seq;
	va_start(arguments, format);
	oe__buffer_vprintf(&text, format, arguments);
	va_end(arguments);
	/* One printable line, whatever a metric is called. */
	(void)oe__error(&sentence, OE_ERR_FORMAT, "%s", oe__buffer_string(&text));
	memcpy(repeating->result.difference, sentence.message, sizeof(sentence.message));
}

static const char *outcome_name(int outcome)
{
	return outcome < 0 ? "an evaluation" : oe_outcome_name(outcome);
}

/* ---- from the sample to the program ---- */

static int repeat_prompt(struct repeating *repeating, int64_t seq, const oe_iteration *iteration,
                         const struct oe__answer *answer, oe_error *err)
{
	struct oe__prompt prompt = OE__PROMPT_INIT;

	if (!answer->has_prompt_hash)
		return 0;
	int same = oe__recipes_render(&repeating->recipes, iteration, answer->prompt_hash, &prompt, err);
	oe__prompt_done(&prompt);
	if (same < 0)
		return same;
	repeating->result.prompts++;
	if (!same)
		differ(repeating, seq, "iteration %lld: the prompt is another one", (long long)iteration->number);
	return 0;
}

/* Which duplicate it is, or -1. Whether an equivalent was one was up to an option of that session. */
static int repeated_outcome(struct repeating *repeating, const struct oe__log_entry *entry,
                            const struct oe__job *job)
{
	if (oe_hub_find_content(repeating->hub, job->iteration,
	                        oe_program_content_hash(job->candidate)))
		return OE_OUTCOME_DUPLICATE;
	if (entry->outcome == OE_OUTCOME_EQUIVALENT &&
	    oe_hub_find_equivalent(repeating->hub, job->iteration, job->candidate))
		return OE_OUTCOME_EQUIVALENT;
	return -1;
}

/* The answer was read as it is read now? What was judged was no duplicate as it was read; meanwhile it
   may have become one. */
static void compare_edit(struct repeating *repeating, const struct oe__log_entry *entry,
                         const struct oe__job *job, const oe_program *program)
{
	long long number = (long long)entry->number;
	int outcome = job->outcome;

	if (outcome < 0 && entry->evaluation_ms < 0)
		outcome = repeated_outcome(repeating, entry, job);
	if (outcome >= 0 && outcome != entry->outcome)
		differ(repeating, entry->seq, "iteration %lld: its answer leads to %s, not to %s", number,
		       outcome_name(outcome), outcome_name(entry->outcome));
	else if (outcome < 0 && !program && entry->evaluation_ms < 0 &&
	         entry->outcome != OE_OUTCOME_CANCELLED && entry->outcome != OE_OUTCOME_LOST)
		differ(repeating, entry->seq, "iteration %lld: its answer leads to an evaluation, not to %s", number,
		       outcome_name(entry->outcome));
	else if (outcome < 0 && program &&
	         (program->source->size != job->candidate->source->size ||
	          memcmp(program->source->text, job->candidate->source->text,
	                 program->source->size) != 0))
		differ(repeating, entry->seq, "iteration %lld: its answer leads to another program", number);
}

static int repeat_answer(struct repeating *repeating, const struct oe__log_entry *entry,
                         oe_iteration *iteration, const oe_program *program, oe_error *err)
{
	OE__AUTO(answer) struct oe__answer answer = { 0 };
	OE__AUTO(job) struct oe__job job = { 0 };
	const struct oe__recipe recipe = { .rules = oe__recipes_rules(&repeating->recipes, entry->seq) };

	int found = oe__answer_load(repeating->replay.database, entry->number, entry->attempt, &answer,
	                            err);
	if (found < 0)
		return found;
	if (found == 0) {
		if (program)
			differ(repeating, entry->seq, "iteration %lld: the answer that it was made from is missing",
			       (long long)entry->number);
		return 0; /* the provider failed, or nobody asked */
	}
	int status = repeat_prompt(repeating, entry->seq, iteration, &answer, err);
	if (status == 0)
		status = oe__job_init(&job, &recipe, oe_iteration_ref(iteration), NULL);
	if (status == 0 && oe__job_restore_answer(&job, answer.text, answer.size, answer.model,
	                                          answer.finish) < 0)
		status = oe__error_nomem(err);
	if (status < 0)
		return status;
	oe__job_read(&job);
	repeating->result.answers++;
	compare_edit(repeating, entry, &job, program);
	return 0;
}

/* ---- evaluations ---- */

static bool same_number(double a, double b)
{
	return a == b || (isnan(a) && isnan(b));
}

/* Metrics that a dimension of the feature map goes by. */
static const char *changed_feature(const struct repeating *repeating, const oe_evaluation *before,
                                   const oe_evaluation *after)
{
	const struct oe__dimensions *dimensions = &repeating->replay.axes->dimensions;

	for (size_t i = 0; i < dimensions->count; i++) {
		const struct oe__metric *was = oe__evaluation_metric(before, dimensions->names[i]);
		const struct oe__metric *is = oe__evaluation_metric(after, dimensions->names[i]);
		if (!was != !is || (was && strcmp(oe__metric_json(was), oe__metric_json(is)) != 0))
			return dimensions->names[i];
	}
	return NULL;
}

/* oe__rejudging_options.judged */
static void compare_evaluations(void *owner, const struct oe__rejudged *rejudged)
{
	struct repeating *repeating = owner;
	const struct oe__dimensions *dimensions = &repeating->replay.axes->dimensions;
	const oe_evaluation *before = rejudged->before, *after = rejudged->after;
	long long number = (long long)rejudged->number;
	const char *who = number > 0 ? "iteration" : "initial program, iteration";

	repeating->result.evaluations++;
	bool failed = oe__evaluation_failed(before), fails = oe__evaluation_failed(after);
	if (failed || fails) {
		if (failed != fails)
			differ(repeating, rejudged->seq, "%s %lld: its evaluation %s now: %s", who, number,
			       fails ? "fails" : "succeeds", oe_evaluation_problem(fails ? after : before));
		return;
	}
	double was = oe__fitness(before, dimensions), is = oe__fitness(after, dimensions);
	const char *feature = changed_feature(repeating, before, after);
	if (!same_number(was, is))
		differ(repeating, rejudged->seq, "%s %lld: its fitness is %.17g now, it was %.17g", who, number,
		       is, was);
	else if (feature)
		differ(repeating, rejudged->seq, "%s %lld: its '%s' is another one now", who, number, feature);
}

/* Time decided about some, and nothing about others: they are not judged again. */
static bool is_repeatable(const struct oe__log_entry *entry, const oe_program *program)
{
	return program && program->evaluation && entry->outcome != OE_OUTCOME_TIMED_OUT &&
	       entry->outcome != OE_OUTCOME_CANCELLED && entry->outcome != OE_OUTCOME_LOST &&
	       entry->outcome != OE_OUTCOME_DUPLICATE;
}

static int repeat_evaluation(struct repeating *repeating, const struct oe__log_entry *entry,
                             oe_program *program, oe_error *err)
{
	const struct oe__source *source = program->source;
	uint64_t seed = oe__hash64(source->hash, sizeof(source->hash), repeating->seed);

	return oe__rejudging_add(repeating->rejudging, entry->seq, entry->number, program, seed, err);
}

static int repeat(void *owner, const struct oe__log_entry *entry, oe_iteration *iteration,
                  oe_program *program, oe_error *err)
{
	struct repeating *repeating = owner;
	int status = 0;

	if (iteration) {
		repeating->result.iterations++;
		status = repeat_answer(repeating, entry, iteration, program, err);
	}
	if (status == 0 && repeating->rejudging && is_repeatable(entry, program))
		status = repeat_evaluation(repeating, entry, program, err);
	return status;
}

/* ---- the archive ---- */

/* The checkpoint that the run itself wrote at this moment, from its memory. */
static int compare_checkpoint(struct repeating *repeating, const oe_population *reached,
                              oe_error *err)
{
	OE__AUTO(population) oe_population *written = NULL;
	OE__AUTO(buffer) struct oe__buffer path = OE__BUFFER_INIT(0);
	char hash[sizeof(repeating->result.hash)];

	oe__buffer_printf(&path, "%s/checkpoints/checkpoint_%lld", repeating->run->path,
	                  (long long)reached->ended);
	if (path.status < 0)
		return oe__error_nomem(err);
	if (!oe__file_is_directory(path.data))
		return 0;
	int own = oe__tail_is_own(repeating->run->database, path.data, err);
	if (own <= 0)
		return own;
	int status = oe_population_load(path.data, &written, err);
	if (status < 0 || written->ended != reached->ended || written->issued != reached->issued)
		return status;
	if (oe_population_hash(written, hash) < 0)
		return oe__error_nomem(err);
	repeating->result.compared = 1;
	if (strcmp(hash, repeating->result.hash) != 0)
		differ(repeating, INT64_MAX, "the archive is not that of checkpoint_%lld", (long long)reached->ended);
	return 0;
}

/* What the run noted of it as it ended. */
static int compare_hash(struct repeating *repeating, oe_error *err)
{
	OE__AUTO(string) char *now = NULL;

	int status = oe__run_archive_hash(repeating->run, &now, err);
	if (status < 0 || !*repeating->ended_with || strcmp(now, repeating->ended_with) != 0)
		return status;
	repeating->result.compared = 1;
	if (strcmp(now, repeating->result.hash) != 0)
		differ(repeating, INT64_MAX, "the archive is not the one that the run ended with");
	return 0;
}

static int compare_archive(struct repeating *repeating, oe_error *err)
{
	OE__AUTO(population) oe_population *reached = NULL;

	int status = oe_hub_population(repeating->hub, &reached);
	if (status == 0)
		status = oe_population_hash(reached, repeating->result.hash);
	if (status < 0)
		return oe__error(err, status, "%s", oe_status_string(status));
	status = compare_hash(repeating, err);
	return status < 0 ? status : compare_checkpoint(repeating, reached, err);
}

/* ---- all of it ---- */

static int prepare_evaluations(struct repeating *repeating, oe_evaluator *evaluator, int32_t jobs, oe_error *err)
{
	const struct oe__rejudging_options options = {
		.evaluator = evaluator,
		.timeout_ms = oe__config_ms(repeating->config, "evaluator.timeout"),
		.jobs = jobs > 0 ? jobs : oe__config_evaluations(repeating->config),
		.judged = compare_evaluations,
		.owner = repeating,
	};

	(void)oe__config_seed(repeating->config, &repeating->seed);
	return oe__rejudging_new(&options, &repeating->rejudging, err);
}

static int prepare(struct repeating *repeating, oe_evaluator *evaluator, int32_t jobs, oe_error *err)
{
	oe_run *run = repeating->run;

	int status = oe__run_config(run, &repeating->config, err);
	if (status == 0 && evaluator)
		status = prepare_evaluations(repeating, evaluator, jobs, err);
	if (status == 0)
		status = oe__recipes_read(run->database, &repeating->recipes, err);
	return status < 0 ? status : oe__run_archive_hash(run, &repeating->ended_with, err);
}

static int play(struct repeating *repeating, oe_error *err)
{
	int status = oe__run_rebuild(repeating->run, 0, 0, &repeating->hub, &repeating->replay, err);
	int judged = repeating->rejudging ? oe__rejudging_finish(repeating->rejudging, status < 0 ? NULL : err) : 0;

	/* Where it went another way, the log does not lead on. */
	if (status == OE_ERR_FORMAT && repeating->result.differences > 0)
		return 0;
	if (status < 0)
		return status;
	return judged < 0 ? judged : compare_archive(repeating, err);
}

int oe_run_replay(oe_run *run, oe_evaluator *evaluator, int32_t jobs, oe_run_repetition *out, oe_error *err)
{
	if (!run || !out || out->struct_size < sizeof(size_t))
		return oe__error(err, OE_ERR_INVALID, "oe_run_replay: NULL argument, or no struct_size");
	OE__AUTO(repeating) struct repeating repeating = { .run = run };
	repeating.replay.repeat = repeat;
	repeating.replay.owner = &repeating;

	int status = prepare(&repeating, evaluator, jobs, err);
	if (status == 0)
		status = play(&repeating, err);
	if (status < 0)
		return status;
	size_t known = out->struct_size < sizeof(repeating.result) ? out->struct_size
	                                                           : sizeof(repeating.result);
	repeating.result.struct_size = known;
	memcpy(out, &repeating.result, known);
	return 0;
}
