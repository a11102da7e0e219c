/*
 * Artifacts in prompts: the section about the program's own, and what failed attempts left behind.
 */

#include <string.h>

#include "base/text.h"
#include "prompt/prompt_internal.h"

/* Characters of an artifact's name: one line of a heading. */
#define NAME_CHARS 200

/* A message up to that many bytes, on one line, is told beside the outcome. */
#define MESSAGE_SHORT 200

static int write_gap(const void *self, size_t size, struct oe__buffer *out, oe_error *err)
{
	const struct oe__job *job = self;
	struct oe__argument bytes = oe__argument_int((int64_t)size);

	if (job->set->settings.style == OE__STYLE_OPENEVOLVE)
		return oe__buffer_text(out, "... (truncated)");
	return oe__job_fragment(job, OE__FRAGMENT_GAP, &bytes, out, err);
}

struct oe__excerpt_options oe__excerpt_options(const struct oe__job *job, int64_t chars_max)
{
	return (struct oe__excerpt_options){ .style = job->set->settings.style,
										 .redact = job->set->settings.redact,
										 .chars_max = chars_max,
										 .write_gap = write_gap,
										 .self = job };
}

static int append_name(const struct oe__job *job, const char *name, struct oe__buffer *out,
					   oe_error *err)
{
	struct oe__excerpt_options options = oe__excerpt_options(job, NAME_CHARS);

	if (job->set->settings.style == OE__STYLE_OPENEVOLVE)
		return oe__buffer_text(out, name);
	return oe__excerpt_append_line(out, name, strlen(name), &options, err);
}

static int append_fenced(const struct oe__job *job, const struct oe__artifact *artifact,
						 int64_t chars_max, struct oe__buffer *out, oe_error *err)
{
	struct oe__excerpt_options options = oe__excerpt_options(job, chars_max);
	size_t from = out->size;
	int status = oe__excerpt_append_artifact(out, artifact, &options, err);

	return status < 0 ? status : oe__excerpt_fence(out, from, options.style);
}

int oe__write_artifacts(void *self, struct oe__buffer *out, oe_error *err)
{
	const struct oe__job *job = self;
	size_t count = job->plan.counts[OE__PART_ARTIFACTS];
	int status;

	if (count == 0)
		return 0;
	oe__buffer_text(out, "## ");
	status = oe__job_fragment(job, OE__FRAGMENT_ARTIFACT_TITLE, NULL, out, err);
	for (size_t i = 0; i < count && status == 0; i++) {
		const struct oe__artifact *artifact = &job->input->artifacts[i];

		oe__buffer_text(out, "\n\n### ");
		status = append_name(job, artifact->name, out, err);
		oe__buffer_char(out, '\n');
		if (status == 0)
			status = append_fenced(job, artifact, job->plan.artifact_chars, out, err);
	}
	return status < 0 ? status : out->status;
}

/* ---- failed attempts ---- */

bool oe__message_is_short(const char *message)
{
	return strlen(message) <= MESSAGE_SHORT && !strchr(message, '\n');
}

static int append_detail(const struct oe__job *job, const struct oe__artifact *artifact,
						 int64_t number, int64_t chars_max, struct oe__buffer *out, oe_error *err)
{
	OE__AUTO(buffer) struct oe__buffer name = OE__BUFFER_INIT(0);
	int status = append_name(job, artifact->name, &name, err);
	struct oe__argument arguments[] = { oe__argument_text(name.data, name.size),
										oe__argument_int(number) };

	if (status < 0 || artifact->size == 0)
		return status;
	oe__buffer_char(out, '\n');
	status = oe__job_fragment(job, OE__FRAGMENT_DETAIL, arguments, out, err);
	oe__buffer_char(out, '\n');
	return status < 0 ? status : append_fenced(job, artifact, chars_max, out, err);
}

int oe__write_details(const struct oe__job *job, const struct oe__prompt_record *record,
					  int64_t number, struct oe__buffer *out, oe_error *err)
{
	int64_t limit = job->set->settings.attempt_chars;
	const char *message = record->message;
	bool tell = message && *message && !oe__message_is_short(message);
	size_t count = record->detail_count + tell;
	int status = 0;

	if (count == 0 || limit <= 0 || !job->set->settings.include_artifacts)
		return 0;
	limit /= (int64_t)count;
	if (tell) {
		char name[] = "message";
		struct oe__artifact text = { .name = name,
									 .kind = OE__ARTIFACT_TEXT,
									 .data = (char *)(uintptr_t)message,
									 .size = strlen(message) };
		status = append_detail(job, &text, number, limit, out, err);
	}
	for (size_t i = 0; i < record->detail_count && status == 0; i++)
		status = append_detail(job, &record->details[i], number, limit, out, err);
	return status;
}
