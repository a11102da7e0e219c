#include "evaluator/python_result.h"

#include <math.h>
#include <string.h>
#include <sys/wait.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/text.h"
#include "program/base64.h"
#include "program/fitness.h"

/* ---- the frame ---- */

enum oe__frame_state oe__frame_look(const struct oe__buffer *bytes, const char **json, size_t *size)
{
	uint64_t length = 0;

	if (bytes->size == 0)
		return OE__FRAME_NONE;
	if (bytes->status < 0)
		return OE__FRAME_BAD; /* beyond the cap */
	if (bytes->size < 8)
		return OE__FRAME_PART;
	for (int i = 7; i >= 0; i--)
		length = length << 8 | (unsigned char)bytes->data[i];
	if (length > OE__FRAME_MAX || bytes->size - 8 > length)
		return OE__FRAME_BAD;
	if (bytes->size - 8 < length)
		return OE__FRAME_PART;
	*json = bytes->data + 8;
	*size = (size_t)length;
	return OE__FRAME_WHOLE;
}

/* In what a list or a map holds, however deep: {"$f": "nan"} stands for a number that JSON has no word
   for, and becomes it. */
static void untag_items(struct oe__value *value);

static void untag(struct oe__value *value)
{
	const struct oe__value *tagged = oe__value_get(value, "$f");
	double number;

	if (tagged && tagged->type == OE__VALUE_STRING && value->size == 1 &&
	    oe__parse_real(tagged->string, tagged->size, &number)) {
		oe__value_done(value);
		value->type = OE__VALUE_REAL;
		value->real = number;
		return;
	}
	untag_items(value);
}

static void untag_items(struct oe__value *value)
{
	if (value->type != OE__VALUE_LIST && value->type != OE__VALUE_MAP)
		return;
	for (size_t i = 0; i < value->size; i++)
		untag(&value->items[i]);
}

static int set_metrics(oe_evaluation *evaluation, const struct oe__value *metrics)
{
	int status = 0;

	for (size_t i = 0; status == 0 && metrics->type == OE__VALUE_MAP && i < metrics->size; i++)
		status = oe__evaluation_set_value(evaluation, metrics->keys[i].string, &metrics->items[i]);
	return status;
}

static int add_json(oe_evaluation *evaluation, const char *name, const struct oe__value *value)
{
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(OE__ARTIFACT_MAX);
	struct oe__json_writer writer = { .out = &text, .python = true };

	oe__json_put(&writer, value);
	if (text.status < 0)
		return text.status;
	return oe__evaluation_add_artifact_kind(evaluation, name, OE__ARTIFACT_JSON, text.data,
	                                        text.size);
}

static int add_artifact(oe_evaluation *evaluation, const char *name, const struct oe__value *value)
{
	const struct oe__value *bytes = oe__value_get(value, "$b");

	if (value->type == OE__VALUE_STRING)
		return oe__evaluation_add_artifact_kind(evaluation, name, OE__ARTIFACT_TEXT, value->string,
		                                        value->size);
	if (!bytes || bytes->type != OE__VALUE_STRING)
		return add_json(evaluation, name, value);
	OE__AUTO(buffer) struct oe__buffer data = OE__BUFFER_INIT(OE__ARTIFACT_MAX);
	int status = oe__base64_decode(&data, bytes->string, bytes->size);
	if (status < 0)
		return status;
	return oe__evaluation_add_artifact_kind(evaluation, name, OE__ARTIFACT_BYTES,
	                                        oe__buffer_string(&data), data.size);
}

int oe__result_add(oe_evaluation *evaluation, struct oe__value *metrics,
                   struct oe__value *artifacts)
{
	untag_items(metrics);
	if (artifacts)
		untag_items(artifacts);
	int status = set_metrics(evaluation, metrics);

	for (size_t i = 0; status == 0 && artifacts && artifacts->type == OE__VALUE_MAP &&
	                   i < artifacts->size; i++)
		status = add_artifact(evaluation, artifacts->keys[i].string, &artifacts->items[i]);
	/* Theirs, not ours: an attempt that is repeated would end the same way. */
	if (status == OE_ERR_LIMIT)
		return oe_evaluation_set_verdict(evaluation, OE_VERDICT_BAD_RESULT,
		                                 "its metrics or artifacts are too many, or too large");
	if (status == OE_ERR_FORMAT)
		return oe_evaluation_set_verdict(evaluation, OE_VERDICT_BAD_RESULT,
		                                 "an artifact of bytes is not written as base64");
	return status;
}

/* A text of the evaluator as part of a sentence: its beginning, if it is long. */
static void put_beginning(struct oe__buffer *sentence, const struct oe__value *value,
                          const char *otherwise, size_t size_max)
{
	if (!value || value->type != OE__VALUE_STRING) {
		oe__buffer_text(sentence, otherwise);
		return;
	}
	size_t size = oe__utf8_beginning(value->string, value->size, size_max);
	oe__buffer_append(sentence, value->string, size);
	if (size < value->size)
		oe__buffer_text(sentence, "...");
}

/* An artifact, or that there is none because it is too large. */
static int add_text(oe_evaluation *evaluation, const char *name, const struct oe__value *value)
{
	static const char too_large[] = "too large to be kept";

	if (!value || value->type != OE__VALUE_STRING)
		return 0;
	int status = add_artifact(evaluation, name, value);
	if (status == OE_ERR_LIMIT)
		status = oe_evaluation_add_artifact(evaluation, name, too_large, sizeof(too_large) - 1);
	return status == OE_ERR_LIMIT ? 0 : status;
}

/* What it was refused when it raised, as it says itself: nobody else is told. */
static bool wanted_processes(const struct oe__value *frame)
{
	const struct oe__value *said = oe__value_get(frame, "processes");
	return said && said->type == OE__VALUE_BOOL && said->boolean;
}

/* The evaluator raised: its message and where, for the next prompt. */
static int set_failure(oe_evaluation *evaluation, const struct oe__value *frame,
                       const struct oe__child_end *end)
{
	OE__AUTO(buffer) struct oe__buffer sentence = OE__BUFFER_INIT(4096);
	const struct oe__value *type = oe__value_get(frame, "type");
	const struct oe__value *message = oe__value_get(frame, "message");
	const struct oe__value *code = oe__value_get(frame, "code");
	bool exit = oe__value_is(oe__value_get(frame, "failure"), "exit");
	bool processes = !exit && end->limits.processes > 0 && wanted_processes(frame);
	int verdict = exit ? OE_VERDICT_EXITED : processes ? OE_VERDICT_PROC_LIMIT : OE_VERDICT_EXCEPTION;

	if (processes)
		oe__buffer_printf(&sentence, "it wanted more processes and threads than it may have, %llu: ",
		                  (unsigned long long)end->limits.processes);
	if (exit) {
		oe__buffer_printf(&sentence, "it called sys.exit(%lld)",
		                  code && code->type == OE__VALUE_INT ? (long long)code->integer : 1);
	} else {
		put_beginning(&sentence, type, "an exception", 200);
		oe__buffer_text(&sentence, ": ");
		put_beginning(&sentence, message, "", 2000);
	}
	int status = add_text(evaluation, "stderr", message);
	if (status == 0)
		status = add_text(evaluation, "traceback", oe__value_get(frame, "traceback"));
	if (status == 0)
		status = add_text(evaluation, "error_type", type);
	if (status == 0)
		status = oe_evaluation_set_verdict(evaluation, verdict, oe__buffer_string(&sentence));
	return status;
}

static int bad_result(oe_evaluation *evaluation, const struct oe__value *frame)
{
	OE__AUTO(buffer) struct oe__buffer sentence = OE__BUFFER_INIT(1024);
	const struct oe__value *type = oe__value_get(frame, "wrong_type");
	const struct oe__value *missing = oe__value_get(frame, "missing");

	if (missing && missing->type == OE__VALUE_STRING) {
		oe__buffer_text(&sentence, "the evaluator has no function ");
		put_beginning(&sentence, missing, "", 100);
		oe__buffer_text(&sentence, "()");
	} else {
		oe__buffer_text(&sentence, "the evaluator returned ");
		put_beginning(&sentence, type, "something else", 100);
		oe__buffer_text(&sentence, ", expected a dict or an EvaluationResult");
	}
	return oe_evaluation_set_verdict(evaluation, OE_VERDICT_BAD_RESULT,
	                                 oe__buffer_string(&sentence));
}

/* What it says that it took: known better once it has ended. */
static void read_usage(oe_evaluation *evaluation, const struct oe__value *usage)
{
	if (!usage || usage->type != OE__VALUE_MAP)
		return;
	const struct oe__value *cpu = oe__value_get(usage, "cpu_ms");
	const struct oe__value *memory = oe__value_get(usage, "memory");

	if (cpu && cpu->type == OE__VALUE_REAL && cpu->real >= 0)
		evaluation->cpu_ms = cpu->real;
	if (memory && memory->type == OE__VALUE_INT && memory->integer >= 0)
		evaluation->memory_peak = memory->integer;
}

/* A candidate that runs apart from its evaluator: it gave an answer that is none, or it has ended. */
static int set_candidate(oe_evaluation *evaluation, const struct oe__value *frame,
                         const struct oe__child_end *end)
{
	const struct oe__value *lie = oe__value_get(frame, "violation");
	const struct oe__value *status = oe__value_get(frame, "candidate");
	OE__AUTO(buffer) struct oe__buffer sentence = OE__BUFFER_INIT(2048);
	struct oe__child_end own = *end;

	if (lie) {
		oe__buffer_text(&sentence, "it answered its evaluator with what is no answer: ");
		put_beginning(&sentence, lie, "", 1000);
		return oe_evaluation_set_verdict(evaluation, OE_VERDICT_PROTOCOL_VIOLATION,
		                                 oe__buffer_string(&sentence));
	}
	own.exited = status->type == OE__VALUE_INT;
	own.status = own.exited ? (int)status->integer : 0;
	return oe__result_silent_end(evaluation, &own);
}

static int read_frame(oe_evaluation *evaluation, const char *json, size_t size,
                      const struct oe__child_end *end)
{
	OE__AUTO(value) struct oe__value frame = { 0 };

	int status = oe__json_parse(json, size, &frame, NULL);
	if (status == OE_ERR_NOMEM)
		return status;
	if (status < 0 || frame.type != OE__VALUE_MAP)
		return oe_evaluation_set_verdict(evaluation, OE_VERDICT_PROTOCOL_VIOLATION,
		                                 "its result is not what an evaluation writes");
	read_usage(evaluation, oe__value_get(&frame, "usage"));
	if (oe__value_get(&frame, "failure"))
		return set_failure(evaluation, &frame, end);
	if (oe__value_get(&frame, "violation") || oe__value_get(&frame, "candidate"))
		return set_candidate(evaluation, &frame, end);
	struct oe__value *metrics = oe__value_get(&frame, "metrics");
	struct oe__value *artifacts = oe__value_get(&frame, "artifacts");
	const struct oe__value *functions = oe__value_get(&frame, "functions");
	if (functions)
		return add_json(evaluation, "functions", functions);
	if (!metrics)
		return bad_result(evaluation, &frame);
	return oe__result_add(evaluation, metrics, artifacts);
}

/* ---- how it ended ---- */

static struct oe__ending ending_of(const struct oe__child_end *end)
{
	return (struct oe__ending){
		.timed_out = end->timed_out,
		.limit = end->limit,
		.oom_kills = end->oom_kills,
		.exited = end->exited,
		.status = end->status,
		.cpu_ms = end->cpu_ms,
		.timeout_ms = end->timeout_ms,
		.limits = end->limits,
	};
}

/* As the sandbox says it; `more` is what only an evaluation knows. */
static int set_ending(oe_evaluation *evaluation, const struct oe__child_end *end, const char *more)
{
	OE__AUTO(buffer) struct oe__buffer sentence = OE__BUFFER_INIT(512);
	struct oe__ending ending = ending_of(end);

	(void)oe__ending_describe(&ending, &sentence);
	oe__buffer_text(&sentence, more);
	if (sentence.status < 0)
		return sentence.status;
	return oe_evaluation_set_verdict(evaluation, oe__ending_verdict(&ending),
	                                 oe__buffer_string(&sentence));
}

int oe__result_silent_end(oe_evaluation *evaluation, const struct oe__child_end *end)
{
	if (WIFEXITED(end->status) && WEXITSTATUS(end->status) != 0 && end->oom_kills == 0)
		return set_ending(evaluation, end, ", without a result");
	if (end->status != 0)
		return set_ending(evaluation, end, "");
	return oe_evaluation_set_verdict(evaluation, OE_VERDICT_NO_RESULT,
	                                 "it ended without giving a result");
}

bool oe__result_is_stopped(const struct oe__child_end *end)
{
	return end->cancelled || end->timed_out || end->limit != OE__LIMIT_NONE;
}

int oe__result_stopped(oe_evaluation *evaluation, const struct oe__child_end *end)
{
	if (end->cancelled)
		return oe_evaluation_set_verdict(evaluation, OE_VERDICT_CANCELLED, "cancelled");
	return set_ending(evaluation, end, "");
}

static int lost(oe_evaluation *evaluation, const struct oe__child_end *end)
{
	OE__AUTO(buffer) struct oe__buffer sentence = OE__BUFFER_INIT(512);
	bool known = end->lost_because[0] != '\0';

	oe__buffer_printf(&sentence, "the process of the evaluation was lost%s%s", known ? ": " : "",
	                  end->lost_because);
	if (sentence.status < 0)
		return sentence.status;
	return oe_evaluation_set_verdict(evaluation, OE_VERDICT_SANDBOX_ERROR, oe__buffer_string(&sentence));
}

static int set_end(oe_evaluation *evaluation, const struct oe__buffer *bytes,
                   const struct oe__child_end *end)
{
	const char *json = NULL;
	size_t size = 0;
	enum oe__frame_state state = oe__frame_look(bytes, &json, &size);

	if (oe__result_is_stopped(end))
		return oe__result_stopped(evaluation, end);
	if (state == OE__FRAME_BAD)
		return oe_evaluation_set_verdict(evaluation, OE_VERDICT_PROTOCOL_VIOLATION,
		                                 "more than one result, or a forged one, was written");
	if (state == OE__FRAME_WHOLE)
		return read_frame(evaluation, json, size, end);
	if (end->lost || !end->exited)
		return lost(evaluation, end);
	return oe__result_silent_end(evaluation, end);
}

int oe__python_result(oe_evaluation *evaluation, const struct oe__buffer *bytes,
                      const struct oe__output *output, const struct oe__child_end *end)
{
	return oe__result_finish(evaluation, set_end(evaluation, bytes, end), output, end);
}

/* ---- the last word ---- */

/* The metric that left it without a finite score, or NULL. */
static const struct oe__metric *spoiler(const oe_evaluation *evaluation)
{
	const struct oe__metric *combined = oe__evaluation_metric(evaluation, "combined_score");

	if (combined && oe__fitness(evaluation, NULL) == -INFINITY)
		return combined;
	for (size_t i = 0; i < evaluation->metric_count; i++)
		if (oe__metric_is_number(&evaluation->metrics[i]) &&
		    !isfinite(evaluation->metrics[i].value))
			return &evaluation->metrics[i];
	return NULL;
}

int oe__result_check_score(oe_evaluation *evaluation)
{
	OE__AUTO(buffer) struct oe__buffer sentence = OE__BUFFER_INIT(2 * OE__METRIC_NAME_MAX);
	const struct oe__metric *metric = NULL;

	if (evaluation->verdict == OE_VERDICT_OK && !oe__has_score(evaluation))
		metric = spoiler(evaluation);
	if (!metric)
		return 0;
	oe__buffer_printf(&sentence, "its metric '%s' is not a finite number, so it has no score",
	                  metric->name);
	if (sentence.status < 0)
		return sentence.status;
	return oe_evaluation_set_verdict(evaluation, OE_VERDICT_NONFINITE,
	                                 oe__buffer_string(&sentence));
}

int oe__result_add_verdict(oe_evaluation *evaluation)
{
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(OE__ARTIFACT_MAX);

	/* What was raised is an artifact already, with where. */
	if (evaluation->verdict == OE_VERDICT_OK || evaluation->verdict == OE_VERDICT_EXCEPTION)
		return 0;
	oe__buffer_printf(&text, "%s: %s", oe_verdict_name(evaluation->verdict),
	                  oe_evaluation_message(evaluation));
	if (text.status < 0)
		return text.status;
	int status = oe__evaluation_add_artifact_kind(evaluation, OE__VERDICT_ARTIFACT, OE__ARTIFACT_TEXT,
	                                              text.data, text.size);
	return status == OE_ERR_LIMIT ? 0 : status; /* its own artifacts have taken the room */
}

int oe__result_finish(oe_evaluation *evaluation, int status, const struct oe__output *output,
                      const struct oe__child_end *end)
{
	if (end->cpu_ms >= 0)
		evaluation->cpu_ms = end->cpu_ms;
	if (end->memory_peak >= 0)
		evaluation->memory_peak = end->memory_peak;
	evaluation->wall_ms = end->wall_ms;
	uint64_t seed = evaluation->footprint.seed;
	evaluation->footprint = end->footprint;
	evaluation->footprint.seed = seed;
	evaluation->footprint.output_bytes = (int64_t)output->total;
	if (status == 0)
		status = oe__result_add_verdict(evaluation);
	if (status < 0 || evaluation->verdict == OE_VERDICT_OK || output->total == 0)
		return status;
	/* What a failed one printed is the best hint there is. */
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(OE__ARTIFACT_MAX);
	if (oe__output_text(output, &text) < 0)
		return 0;
	status = oe__evaluation_add_artifact_kind(evaluation, "output", OE__ARTIFACT_TEXT, text.data,
	                                          text.size);
	return status == OE_ERR_LIMIT ? 0 : status; /* its own artifacts have taken the room */
}
