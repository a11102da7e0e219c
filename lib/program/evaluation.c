/*
 * The life of an evaluation and its artifacts; its metrics are in metric.c.
 *
 *     open --finish()--> closing --> finished
 *       `----abandon()---> abandoned
 *
 * Whoever leaves "open" by compare-and-swap has won. While it is open one thread writes, without a
 * lock; a finished evaluation never changes. An abandoned one may still be written to by a plugin
 * that did not notice, which is harmless because nobody reads it.
 */

#include "program/evaluation.h"

#include <assert.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "program/fitness.h"

enum state { STATE_OPEN, STATE_CLOSING, STATE_FINISHED, STATE_ABANDONED };

static const char *const verdict_names[] = {
	[OE_VERDICT_OK] = "ok",
	[OE_VERDICT_EXITED] = "exited",
	[OE_VERDICT_SIGNALLED] = "signalled",
	[OE_VERDICT_WALL_TIMEOUT] = "wall_timeout",
	[OE_VERDICT_CPU_TIMEOUT] = "cpu_timeout",
	[OE_VERDICT_MEM_LIMIT] = "mem_limit",
	[OE_VERDICT_OUTPUT_LIMIT] = "output_limit",
	[OE_VERDICT_DISK_LIMIT] = "disk_limit",
	[OE_VERDICT_PROC_LIMIT] = "proc_limit",
	[OE_VERDICT_SYSCALL_KILLED] = "syscall_killed",
	[OE_VERDICT_NO_RESULT] = "no_result",
	[OE_VERDICT_BAD_RESULT] = "bad_result",
	[OE_VERDICT_NONFINITE] = "nonfinite",
	[OE_VERDICT_PROTOCOL_VIOLATION] = "protocol_violation",
	[OE_VERDICT_EXCEPTION] = "exception",
	[OE_VERDICT_SANDBOX_ERROR] = "sandbox_error",
	[OE_VERDICT_CANCELLED] = "cancelled",
};

const char *oe_verdict_name(int verdict)
{
	if (verdict < 0 || (size_t)verdict >= OE__COUNT(verdict_names))
		return "unknown";
	return verdict_names[verdict];
}

int oe_evaluation_new(oe_evaluation **out)
{
	if (!out)
		return OE_ERR_INVALID;
	oe_evaluation *evaluation = oe__calloc(1, sizeof(*evaluation));
	if (!evaluation)
		return OE_ERR_NOMEM;
	atomic_init(&evaluation->refs, 1);
	atomic_init(&evaluation->state, STATE_OPEN);
	atomic_init(&evaluation->lent, 0);
	evaluation->wall_ms = -1;
	evaluation->cpu_ms = -1;
	evaluation->memory_peak = -1;
	evaluation->footprint = (struct oe__footprint)OE__FOOTPRINT_INIT;
	*out = evaluation;
	return 0;
}

oe_evaluation *oe_evaluation_ref(oe_evaluation *evaluation)
{
	atomic_fetch_add_explicit(&evaluation->refs, 1, memory_order_relaxed);
	return evaluation;
}

void oe_evaluation_unref(oe_evaluation *evaluation)
{
	if (!evaluation || atomic_fetch_sub_explicit(&evaluation->refs, 1, memory_order_acq_rel) != 1)
		return;
	if (evaluation->on_free)
		evaluation->on_free(evaluation->owner);
	oe__evaluation_clear_metrics(evaluation);
	for (size_t i = 0; i < evaluation->artifact_count; i++) {
		oe__free(evaluation->artifacts[i].name);
		oe__free(evaluation->artifacts[i].data);
	}
	for (size_t i = 0; i < evaluation->question_count; i++)
		oe__free(evaluation->questions[i].model);
	oe__free(evaluation->questions);
	oe__free(evaluation->metrics);
	oe__free(evaluation->artifacts);
	oe__free(evaluation->message);
	oe__free(evaluation);
}

bool oe__evaluation_writable(const oe_evaluation *evaluation)
{
	int state = atomic_load_explicit(&evaluation->state, memory_order_relaxed);

	return state == STATE_OPEN || state == STATE_ABANDONED;
}

/* ---- ending ---- */

static bool leave_open(oe_evaluation *evaluation, enum state next)
{
	int expected = STATE_OPEN;

	return atomic_compare_exchange_strong_explicit(&evaluation->state, &expected, next,
												   memory_order_acq_rel, memory_order_acquire);
}

bool oe__evaluation_finished(const oe_evaluation *evaluation)
{
	return atomic_load_explicit(&evaluation->state, memory_order_acquire) == STATE_FINISHED;
}

/* An evaluator that broke says nothing about the program: the same attempt is worth repeating. */
static void note_failure(oe_evaluation *evaluation, const oe_error *err)
{
	if (evaluation->verdict == OE_VERDICT_OK)
		evaluation->verdict = OE_VERDICT_SANDBOX_ERROR;
	if (!evaluation->message && err && err->message[0])
		evaluation->message = oe__strdup(err->message);
}

/* The metrics and their names in one piece of memory, without room for more: there may be a hundred
   thousand of them, and who reads a metric looks at its name. Staying as they were does no harm. */
static void pack(oe_evaluation *evaluation)
{
	size_t size = evaluation->metric_count * sizeof(*evaluation->metrics), names = 0;

	for (size_t i = 0; i < evaluation->metric_count; i++)
		names += strlen(evaluation->metrics[i].name) + 1;
	struct oe__metric *metrics = names > 0 ? oe__malloc(size + names) : NULL;
	if (!metrics)
		return;
	memcpy(metrics, evaluation->metrics, size);
	char *at = (char *)metrics + size;
	for (size_t i = 0; i < evaluation->metric_count; i++) {
		char *name = metrics[i].name;

		size = strlen(name) + 1;
		metrics[i].name = memcpy(at, name, size);
		at += size;
		oe__free(name);
	}
	oe__free(evaluation->metrics);
	evaluation->metrics = metrics;
	evaluation->metric_capacity = evaluation->metric_count;
	evaluation->packed = true;
}

void oe_evaluation_finish(oe_evaluation *evaluation, int status, const oe_error *err)
{
	if (!evaluation)
		return;
	/* The finisher may drop the last other reference from inside of the hook. */
	bool given_back = atomic_exchange_explicit(&evaluation->lent, 0, memory_order_acq_rel) == 1;

	if (leave_open(evaluation, STATE_CLOSING)) {
		if (status < 0)
			note_failure(evaluation, err);
		pack(evaluation);
		atomic_store_explicit(&evaluation->state, STATE_FINISHED, memory_order_release);
		if (evaluation->on_finish)
			evaluation->on_finish(evaluation, status, err);
	}
	if (given_back)
		oe_evaluation_unref(evaluation);
}

void oe__evaluation_lend(oe_evaluation *evaluation)
{
	oe_evaluation_ref(evaluation);
	int before = atomic_exchange_explicit(&evaluation->lent, 1, memory_order_acq_rel);
	assert(before == 0);
	(void)before;
}

void oe__evaluation_return(oe_evaluation *evaluation)
{
	if (atomic_exchange_explicit(&evaluation->lent, 0, memory_order_acq_rel) == 1)
		oe_evaluation_unref(evaluation);
}

void oe__evaluation_freeze(oe_evaluation *evaluation)
{
	assert(!evaluation->on_finish);
	if (leave_open(evaluation, STATE_CLOSING)) {
		pack(evaluation);
		atomic_store_explicit(&evaluation->state, STATE_FINISHED, memory_order_release);
	}
}

bool oe__evaluation_abandon(oe_evaluation *evaluation)
{
	return leave_open(evaluation, STATE_ABANDONED);
}

int oe_evaluation_cancelled(const oe_evaluation *evaluation)
{
	return !evaluation || atomic_load(&evaluation->unwanted) ||
		   atomic_load_explicit(&evaluation->state, memory_order_acquire) == STATE_ABANDONED;
}

void oe__evaluation_unwant(oe_evaluation *evaluation)
{
	atomic_store(&evaluation->unwanted, true);
}

int oe_evaluation_set_verdict(oe_evaluation *evaluation, int verdict, const char *message)
{
	if (!evaluation || verdict < 0 || (size_t)verdict >= OE__COUNT(verdict_names))
		return OE_ERR_INVALID;
	if (!oe__evaluation_writable(evaluation))
		return OE_ERR_STATE;

	char *copy = oe__strdup(message);
	if (message && !copy)
		return OE_ERR_NOMEM;
	oe__free(evaluation->message);
	evaluation->message = copy;
	evaluation->verdict = verdict;
	return 0;
}

bool oe__evaluation_failed(const oe_evaluation *evaluation)
{
	if (!evaluation || !oe__evaluation_finished(evaluation) || evaluation->verdict != OE_VERDICT_OK)
		return true;
	return !oe__has_score(evaluation);
}

/* ---- reading ---- */

int oe_evaluation_verdict(const oe_evaluation *evaluation)
{
	return evaluation ? evaluation->verdict : OE_VERDICT_NO_RESULT;
}

const char *oe_evaluation_message(const oe_evaluation *evaluation)
{
	return evaluation && evaluation->message ? evaluation->message : "";
}

const char *oe_evaluation_problem(const oe_evaluation *evaluation)
{
	if (!oe__evaluation_failed(evaluation))
		return "";
	if (oe_evaluation_verdict(evaluation) == OE_VERDICT_OK)
		return oe__score_missing(evaluation);
	return *oe_evaluation_message(evaluation) ? oe_evaluation_message(evaluation)
											  : oe_verdict_name(oe_evaluation_verdict(evaluation));
}

double oe_evaluation_wall_ms(const oe_evaluation *evaluation)
{
	return evaluation ? evaluation->wall_ms : -1;
}

double oe_evaluation_cpu_ms(const oe_evaluation *evaluation)
{
	return evaluation ? evaluation->cpu_ms : -1;
}

void oe_evaluation_usage(const oe_evaluation *evaluation, oe_usage *usage)
{
	static const struct oe__footprint none = OE__FOOTPRINT_INIT;
	static const char *const sources[] = { NULL, "process", "sampled", "cgroup" };
	static const char *const paths[] = { NULL, "cold", "warm", "spare" };
	const struct oe__footprint *footprint = evaluation ? &evaluation->footprint : &none;

	if (!usage || usage->struct_size < sizeof(size_t))
		return;
	size_t known = usage->struct_size < sizeof(*usage) ? usage->struct_size : sizeof(*usage);
	oe_usage all = {
		.struct_size = known,
		.wall_ms = oe_evaluation_wall_ms(evaluation),
		.cpu_ms = oe_evaluation_cpu_ms(evaluation),
		.setup_ms = (double)footprint->setup_ms,
		.memory_peak = evaluation ? evaluation->memory_peak : -1,
		.memory_source = sources[footprint->memory_source],
		.strays_killed = footprint->strays_killed,
		.output_bytes = footprint->output_bytes,
		.path = paths[footprint->path],
		.seed = footprint->seed,
	};
	memcpy(usage, &all, known);
}

void oe__evaluation_copy_usage(oe_evaluation *into, const oe_evaluation *from)
{
	uint64_t seed = into->footprint.seed;

	into->cpu_ms = from->cpu_ms;
	into->memory_peak = from->memory_peak;
	into->footprint = from->footprint;
	into->footprint.seed = seed;
}

/* ---- questions ---- */

int oe__evaluation_add_question(oe_evaluation *evaluation, const struct oe__question *question)
{
	size_t count = evaluation->question_count;
	struct oe__question *list = oe__realloc(evaluation->questions, (count + 1) * sizeof(*list));

	if (!list)
		return OE_ERR_NOMEM;
	evaluation->questions = list;
	list[count] = *question;
	list[count].model = oe__strdup(question->model ? question->model : "");
	if (!list[count].model)
		return OE_ERR_NOMEM;
	evaluation->question_count++;
	return 0;
}

/* ---- artifacts ---- */

size_t oe_evaluation_artifact_count(const oe_evaluation *evaluation)
{
	return evaluation ? evaluation->artifact_count : 0;
}

const char *oe_evaluation_artifact_at(const oe_evaluation *evaluation, size_t index,
									  oe_bytes *content)
{
	if (!evaluation || index >= evaluation->artifact_count)
		return NULL;
	if (content)
		*content =
			(oe_bytes){ evaluation->artifacts[index].data, evaluation->artifacts[index].size };
	return evaluation->artifacts[index].name;
}

static struct oe__artifact *find_artifact(const oe_evaluation *evaluation, const char *name)
{
	for (size_t i = 0; i < evaluation->artifact_count; i++)
		if (strcmp(evaluation->artifacts[i].name, name) == 0)
			return &evaluation->artifacts[i];
	return NULL;
}

const struct oe__artifact *oe__evaluation_artifact(const oe_evaluation *evaluation,
												   const char *name)
{
	return evaluation ? find_artifact(evaluation, name) : NULL;
}

static int add_artifact_slot(oe_evaluation *evaluation, const char *name, struct oe__artifact **out)
{
	void *artifacts = evaluation->artifacts;
	int status = oe__grow(&artifacts, &evaluation->artifact_capacity,
						  evaluation->artifact_count + 1, sizeof(*evaluation->artifacts));
	if (status < 0)
		return status;
	evaluation->artifacts = artifacts;

	char *copy = oe__strdup(name);
	if (!copy)
		return OE_ERR_NOMEM;
	*out = &evaluation->artifacts[evaluation->artifact_count++];
	**out = (struct oe__artifact){ .name = copy };
	return 0;
}

int oe__evaluation_add_artifact_kind(oe_evaluation *evaluation, const char *name,
									 enum oe__artifact_kind kind, const void *data, size_t size)
{
	if (!oe__evaluation_writable(evaluation))
		return OE_ERR_STATE;

	struct oe__artifact *artifact = find_artifact(evaluation, name);
	size_t others = evaluation->artifact_bytes - (artifact ? artifact->size : 0);
	if (size > OE__ARTIFACT_MAX - others ||
		(!artifact && evaluation->artifact_count >= OE__ARTIFACTS_MAX))
		return OE_ERR_LIMIT;

	OE__AUTO(string) char *copy = oe__strndup(size > 0 ? data : "", size);
	if (!copy)
		return OE_ERR_NOMEM;
	if (!artifact) {
		int status = add_artifact_slot(evaluation, name, &artifact);
		if (status < 0)
			return status;
	}
	oe__free(artifact->data);
	artifact->data = OE__STEAL(copy);
	artifact->size = size;
	artifact->kind = kind;
	evaluation->artifact_bytes = others + size;
	return 0;
}

int oe_evaluation_add_artifact(oe_evaluation *evaluation, const char *name, const void *data,
							   size_t size)
{
	if (!evaluation || !name || (!data && size > 0))
		return OE_ERR_INVALID;
	if (size > OE__ARTIFACT_MAX)
		return OE_ERR_LIMIT; /* whatever it is, it is not looked at */
	return oe__evaluation_add_artifact_kind(
		evaluation, name,
		oe__utf8_valid(size > 0 ? data : "", size) ? OE__ARTIFACT_TEXT : OE__ARTIFACT_BYTES, data,
		size);
}

int oe__evaluation_merge(oe_evaluation *into, const oe_evaluation *from)
{
	for (size_t i = 0; i < from->metric_count; i++) {
		int status = oe__evaluation_copy_metric(into, &from->metrics[i]);
		if (status < 0)
			return status;
	}
	for (size_t i = 0; i < from->artifact_count; i++) {
		const struct oe__artifact *artifact = &from->artifacts[i];
		int status = oe__evaluation_add_artifact_kind(into, artifact->name, artifact->kind,
													  artifact->data, artifact->size);
		if (status < 0)
			return status;
	}
	return 0;
}
