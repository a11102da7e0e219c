#include "evaluator/failure.h"

#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"

#define CUT_NOTE "\n... (cut: the artifacts of this program are too large)\n"

bool oe__failure_is_own_timeout(const oe_evaluation *evaluation)
{
	const struct oe__metric *metric = oe__evaluation_metric(evaluation, "timeout");
	return metric && metric->kind == OE__METRIC_BOOL && metric->value != 0;
}

int oe__artifact_add_cut(oe_evaluation *evaluation, const struct oe__artifact *artifact, size_t room)
{
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);

	oe__utf8_append_lossy(&text, artifact->data,
	                      oe__utf8_beginning(artifact->data, artifact->size, room));
	oe__buffer_text(&text, CUT_NOTE);
	if (text.status < 0)
		return text.status;
	return oe__evaluation_add_artifact_kind(evaluation, artifact->name, OE__ARTIFACT_TEXT, text.data,
	                                        text.size);
}

/* ---- pieces ---- */

static int add_text(oe_evaluation *out, const char *name, const char *text)
{
	return oe__evaluation_add_artifact_kind(out, name, OE__ARTIFACT_TEXT, text, strlen(text));
}

static int add_json(oe_evaluation *out, const char *name, const char *json)
{
	return oe__evaluation_add_artifact_kind(out, name, OE__ARTIFACT_JSON, json, strlen(json));
}

/* Whole seconds without a point, as configurations write them. */
static int add_seconds(oe_evaluation *out, const char *name, int64_t ms)
{
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(64);
	char number[OE__REAL_TEXT_MAX];

	if (ms % 1000 == 0)
		oe__buffer_printf(&text, "%lld", (long long)(ms / 1000));
	else
		oe__buffer_append(&text, number, oe__format_real((double)ms / 1000, number));
	return text.status < 0 ? text.status : add_json(out, name, text.data);
}

static const char *stage_name(int stage)
{
	static const char *const names[] = { "evaluation", "stage1", "stage2", "stage3" };
	return names[stage >= 0 && stage < 4 ? stage : 0];
}

static int add_named(oe_evaluation *out, int stage, const char *suffix, const struct oe__artifact *from)
{
	OE__AUTO(buffer) struct oe__buffer name = OE__BUFFER_INIT(64);

	if (stage > 1)
		oe__buffer_printf(&name, "%s_%s", stage_name(stage), suffix);
	else
		oe__buffer_text(&name, suffix);
	if (name.status < 0)
		return name.status;
	return oe__evaluation_add_artifact_kind(out, name.data, OE__ARTIFACT_TEXT, from->data, from->size);
}

static int set_passed(oe_evaluation *out, int stage)
{
	OE__AUTO(buffer) struct oe__buffer name = OE__BUFFER_INIT(64);

	if (stage == 0)
		return 0;
	oe__buffer_printf(&name, "%s_passed", stage_name(stage));
	return name.status < 0 ? name.status : oe_evaluation_set_metric(out, name.data, 0);
}

static int copy(const oe_evaluation *from, bool metrics, oe_evaluation *out)
{
	int status = 0;

	for (size_t i = 0; metrics && status == 0 && i < from->metric_count; i++)
		status = oe__evaluation_copy_metric(out, &from->metrics[i]);
	for (size_t i = 0; !metrics && status == 0 && i < from->artifact_count; i++)
		status = oe__evaluation_add_artifact_kind(out, from->artifacts[i].name,
		                                          from->artifacts[i].kind, from->artifacts[i].data,
		                                          from->artifacts[i].size);
	return status;
}

/* ---- ways to fail ---- */

static int add_timeout(const struct oe__failure_context *context, const char *stage,
                       oe_evaluation *out)
{
	int status = add_json(out, "timeout", "true");
	if (status == 0)
		status = add_seconds(out, "timeout_duration", context->timeout_ms);
	if (status == 0)
		status = add_text(out, "failure_stage", stage);
	if (status == 0)
		status = add_text(out, "error_type", "timeout");
	return status;
}

static int add_context(const struct oe__failure_context *context, const char *message,
                       oe_evaluation *out)
{
	OE__AUTO(buffer) struct oe__buffer now = OE__BUFFER_INIT(64);
	char number[OE__REAL_TEXT_MAX];

	oe__buffer_append(&now, number, oe__format_real(oe__clock_wall(), number));
	int status = add_text(out, "error_message", message);
	if (status == 0)
		status = add_json(out, "timestamp", oe__buffer_string(&now));
	if (status == 0)
		status = add_json(out, "cascade_config", "true");
	if (status == 0 && context->thresholds)
		status = add_json(out, "cascade_thresholds", context->thresholds);
	if (status == 0)
		status = add_seconds(out, "timeout_config", context->timeout_ms);
	if (status == 0 && context->file)
		status = add_text(out, "evaluation_file", context->file);
	return status;
}

static const char *text_of(const oe_evaluation *failed, const char *name, const char *otherwise)
{
	const struct oe__artifact *artifact = oe__evaluation_artifact(failed, name);
	return artifact ? artifact->data : otherwise;
}

static int describe_exception(const struct oe__failure_context *context,
                              const oe_evaluation *failed, oe_evaluation *out)
{
	const char *said = text_of(failed, "stderr", oe_evaluation_message(failed));
	struct oe__artifact message = { .data = (char *)(uintptr_t)said, .size = strlen(said) };
	const struct oe__artifact *traceback = oe__evaluation_artifact(failed, "traceback");
	const struct oe__artifact *output = oe__evaluation_artifact(failed, "output");

	int status = add_named(out, context->stage, "stderr", &message);
	if (status == 0 && traceback)
		status = add_named(out, context->stage, "traceback", traceback);
	if (status == 0)
		status = add_text(out, "failure_stage", stage_name(context->stage));
	if (status == 0 && context->stage == 0)
		status = add_json(out, "attempt", "1"); /* deterministic failures are not repeated */
	if (status == 0 && context->stage == 1)
		status = add_text(out, "error_type",
		                  text_of(failed, "error_type", oe_verdict_name(failed->verdict)));
	if (status == 0 && context->stage == 1)
		status = add_context(context, said, out);
	if (status == 0 && output)
		status = add_named(out, context->stage, "output", output);
	return status;
}

static bool is_timeout(const oe_evaluation *failed)
{
	return failed->verdict == OE_VERDICT_WALL_TIMEOUT ||
	       (failed->verdict == OE_VERDICT_EXCEPTION &&
	        strcmp(text_of(failed, "error_type", ""), "TimeoutError") == 0);
}

/* The evaluator gave metrics, and said itself that it had run out of time. */
static int describe_own_timeout(const struct oe__failure_context *context,
                                const oe_evaluation *before, oe_evaluation *out)
{
	int status = copy(before, true, out);
	if (status == 0)
		status = add_timeout(context, "evaluation", out);
	return status < 0 ? status : copy(before, false, out);
}

static int describe_timeout(const struct oe__failure_context *context, const oe_evaluation *before,
                            oe_evaluation *out)
{
	OE__AUTO(buffer) struct oe__buffer name = OE__BUFFER_INIT(64);
	int status = add_timeout(context, stage_name(context->stage), out);

	if (status == 0 && before)
		status = copy(before, false, out);
	oe__buffer_printf(&name, "%s_timeout", stage_name(context->stage));
	if (status == 0 && context->stage > 1)
		status = name.status < 0 ? name.status : add_json(out, name.data, "true");
	return status < 0 ? status : oe__evaluation_set_bool(out, "timeout", true);
}

int oe__failure_describe(const struct oe__failure_context *context, const oe_evaluation *before,
                         const oe_evaluation *failed, oe_evaluation *out)
{
	if (failed->verdict == OE_VERDICT_OK)
		return describe_own_timeout(context, before, out);
	bool wrong_type = failed->verdict == OE_VERDICT_BAD_RESULT && failed->metric_count == 0;
	bool timeout = is_timeout(failed);
	int status = before ? copy(before, true, out) : 0;

	if (status == 0 && !wrong_type)
		status = set_passed(out, context->stage);
	if (status == 0 && context->stage < 2)
		status = oe_evaluation_set_metric(out, "error", 0);
	if (status == 0 && timeout)
		return describe_timeout(context, before, out);
	if (status == 0 && before)
		status = copy(before, false, out);
	if (status == 0 && !wrong_type)
		status = describe_exception(context, failed, out);
	return status;
}
