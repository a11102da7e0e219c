/*
 * What was tried before: attempts, the fittest programs, different ones.
 */

#include <string.h>

#include "base/text.h"
#include "prompt/prompt_internal.h"
#include "prompt/python.h"

/* Metrics that are told of a different program. */
#define DIVERSE_FEATURES 2

void oe__strip(struct oe__buffer *out, size_t from)
{
	if (out->status < 0 || out->size == from)
		return;
	char *text = out->data + from;
	size_t size = out->size - from;
	size_t leading = oe__python_leading_space(text, size);
	memmove(text, text + leading, size - leading);
	oe__buffer_truncate(out, out->size - leading);
	oe__buffer_truncate(out, out->size - oe__python_trailing_space(text, size - leading));
}

/* ---- attempts ---- */

static int write_performance(const struct oe__job *job, const struct oe__prompt_record *record,
							 struct oe__buffer *out, oe_error *err)
{
	const oe_evaluation *metrics = record->metrics;
	int status = 0;

	if (record->outcome >= 0 && (!metrics || metrics->metric_count == 0))
		return oe__job_fragment(job, OE__FRAGMENT_NOT_EVALUATED, NULL, out, err);
	for (size_t i = 0; metrics && i < metrics->metric_count && status == 0; i++) {
		oe__buffer_text(out, i > 0 ? ", " : "");
		oe__buffer_text(out, metrics->metrics[i].name);
		oe__buffer_text(out, ": ");
		status = oe__append_metric(job, &metrics->metrics[i], 4, out, err);
	}
	return status;
}

/* How the numbers compare with those of the parent, where an absent one counts as 0. */
static enum oe__fragment compare_metrics(const struct oe__prompt_record *record)
{
	const oe_evaluation *metrics = record->metrics;
	size_t compared = 0, better = 0, worse = 0;

	for (size_t i = 0; metrics && i < metrics->metric_count; i++) {
		const struct oe__metric *mine = &metrics->metrics[i];
		const struct oe__metric *theirs =
			record->parent_metrics ? oe__evaluation_metric(record->parent_metrics, mine->name)
								   : NULL;
		double before = theirs ? theirs->value : 0;

		if (mine->kind == OE__METRIC_JSON || (theirs && theirs->kind == OE__METRIC_JSON))
			continue;
		compared++;
		better += mine->value > before;
		worse += mine->value < before;
	}
	return compared > 0 && better == compared  ? OE__FRAGMENT_ALL_IMPROVED
		   : compared > 0 && worse == compared ? OE__FRAGMENT_ALL_REGRESSED
											   : OE__FRAGMENT_MIXED;
}

static enum oe__fragment outcome_fragment(const struct oe__prompt_record *record)
{
	switch (record->outcome) {
	case OE_OUTCOME_REJECTED:
		return OE__FRAGMENT_REJECTED;
	case OE_OUTCOME_DUPLICATE:
		return OE__FRAGMENT_DUPLICATE;
	case OE_OUTCOME_EQUIVALENT:
		return OE__FRAGMENT_EQUIVALENT;
	case OE_OUTCOME_NOOP_EDIT:
		return OE__FRAGMENT_NOOP_EDIT;
	case OE_OUTCOME_NO_EDIT:
		return OE__FRAGMENT_NO_EDIT;
	case OE_OUTCOME_VIOLATES_BLOCK:
		return OE__FRAGMENT_VIOLATES_BLOCK;
	case OE_OUTCOME_TOO_LONG:
		return OE__FRAGMENT_TOO_LONG;
	case OE_OUTCOME_TRUNCATED:
		return OE__FRAGMENT_TRUNCATED;
	case OE_OUTCOME_EVALUATION_FAILED:
		return OE__FRAGMENT_EVALUATION_FAILED;
	case OE_OUTCOME_TIMED_OUT:
		return OE__FRAGMENT_TIMED_OUT;
	default:
		return compare_metrics(record);
	}
}

static int write_outcome(const struct oe__job *job, const struct oe__prompt_record *record,
						 struct oe__buffer *out, oe_error *err)
{
	OE__AUTO(buffer) struct oe__buffer outcome = OE__BUFFER_INIT(0);
	OE__AUTO(buffer) struct oe__buffer message = OE__BUFFER_INIT(0);
	const char *text = record->message;
	struct oe__excerpt_options options = oe__excerpt_options(job, OE__PROMPT_MAX);

	int status = oe__job_fragment(job, outcome_fragment(record), NULL, &outcome, err);
	if (status < 0)
		return status;
	if (!text || !*text || !oe__message_is_short(text))
		return oe__buffer_append(out, outcome.data, outcome.size);
	status = oe__excerpt_append_line(&message, text, strlen(text), &options, err);
	struct oe__argument arguments[] = { oe__argument_text(outcome.data, outcome.size),
										oe__argument_text(message.data, message.size) };
	return status < 0 ? status : oe__job_fragment(job, OE__FRAGMENT_MESSAGE, arguments, out, err);
}

/* Whoever made an attempt that left no program changed nothing that could be told. */
static int write_changes(const struct oe__job *job, const struct oe__prompt_record *record,
						 struct oe__buffer *out, oe_error *err)
{
	if (record->changes)
		return oe__buffer_text(out, record->changes);
	bool no_child = record->outcome >= 0 && record->code.size == 0;
	return oe__job_fragment(job, no_child ? OE__FRAGMENT_NO_CHANGES : OE__FRAGMENT_UNKNOWN_CHANGES,
							NULL, out, err);
}

typedef int write_item(const struct oe__job *job, const struct oe__prompt_record *record,
					   struct oe__buffer *out, oe_error *err);

static int write_attempt(const struct oe__job *job, size_t index, struct oe__buffer *out,
						 oe_error *err)
{
	static write_item *const writers[OE__ATTEMPT_PLACES] = {
		[OE__ATTEMPT_CHANGES] = write_changes,
		[OE__ATTEMPT_PERFORMANCE] = write_performance,
		[OE__ATTEMPT_OUTCOME] = write_outcome,
	};
	const struct oe__prompt_record *record = &job->input->attempts[index];
	int64_t number = record->number > 0 ? record->number : (int64_t)index + 1;
	struct oe__argument arguments[OE__ATTEMPT_PLACES];
	struct oe__buffer texts[OE__ATTEMPT_PLACES] = { { 0 } };
	int status = 0;

	arguments[OE__ATTEMPT_NUMBER] = oe__argument_int(number);
	for (size_t i = OE__ATTEMPT_CHANGES; i < OE__ATTEMPT_PLACES && status == 0; i++) {
		status = writers[i](job, record, &texts[i], err);
		arguments[i] = oe__argument_text(texts[i].data, texts[i].size);
	}
	if (status == 0)
		status = oe__job_render(job, OE__ROLE_ATTEMPT, arguments, out, err);
	if (status == 0)
		status = oe__write_details(job, record, number, out, err);
	for (size_t i = 0; i < OE__ATTEMPT_PLACES; i++)
		oe__buffer_done(&texts[i]);
	return status;
}

static int write_attempts(void *self, struct oe__buffer *out, oe_error *err)
{
	const struct oe__job *job = self;
	size_t shown = job->plan.counts[OE__PART_ATTEMPTS], from = out->size;
	int status = 0;

	for (size_t i = 0; i < shown && status == 0; i++) {
		status = write_attempt(job, job->input->attempt_count - 1 - i, out, err);
		oe__buffer_text(out, "\n\n");
	}
	oe__strip(out, from);
	return status;
}

/* ---- programs ---- */

static int write_given_features(const struct oe__prompt_record *record, struct oe__buffer *out)
{
	for (size_t i = 0; i < record->feature_count; i++) {
		oe__buffer_text(out, i > 0 ? ", " : "");
		oe__buffer_text(out, record->features[i]);
	}
	return out->status;
}

static int write_features(void *self, struct oe__buffer *out, oe_error *err)
{
	const struct oe__item *item = self;
	const oe_evaluation *metrics = item->record->metrics;
	size_t count = metrics ? metrics->metric_count : 0;
	int status = 0;

	if (item->record->feature_count > 0)
		return write_given_features(item->record, out);
	if (item->diverse && count > DIVERSE_FEATURES)
		count = DIVERSE_FEATURES;
	for (size_t i = 0; i < count && status == 0; i++) {
		oe__buffer_text(out, i > 0 ? ", " : "");
		status = oe__job_fragment(
			item->job, item->diverse ? OE__FRAGMENT_DIVERSE_PREFIX : OE__FRAGMENT_TOP_PREFIX, NULL,
			out, err);
		oe__buffer_char(out, ' ');
		oe__buffer_text(out, metrics->metrics[i].name);
		if (item->diverse || status < 0)
			continue;
		oe__buffer_text(out, " (");
		status = oe__append_metric(item->job, &metrics->metrics[i], 4, out, err);
		oe__buffer_char(out, ')');
	}
	return status < 0 ? status : out->status;
}

int oe__write_score(void *self, struct oe__buffer *out, oe_error *err)
{
	const struct oe__item *item = self;

	(void)err;
	return oe__append_fixed(out, oe__shown_fitness(item->job, item->record->metrics), 4);
}

static int write_program(const struct oe__job *job, size_t index, const char *number, bool diverse,
						 struct oe__buffer *out, oe_error *err)
{
	struct oe__item item = { job, &job->input->top[index], diverse };
	const char *language = job->input->language;
	struct oe__argument arguments[OE__TOP_PLACES] = {
		[OE__TOP_NUMBER] = oe__argument_text(number, strlen(number)),
		[OE__TOP_SCORE] = oe__argument_writer(oe__write_score, &item),
		[OE__TOP_LANGUAGE] = oe__argument_text(language, strlen(language)),
		[OE__TOP_CODE] = oe__argument_text(item.record->code.data, item.record->code.size),
		[OE__TOP_FEATURES] = oe__argument_writer(write_features, &item),
	};
	int status = oe__job_render(job, OE__ROLE_TOP_PROGRAM, arguments, out, err);

	return status < 0 ? status : oe__buffer_text(out, "\n\n");
}

static int write_numbered(const struct oe__job *job, size_t index, size_t number, bool diverse,
						  struct oe__buffer *out, oe_error *err)
{
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);

	if (oe__buffer_printf(&text, "%s%zu", diverse ? "D" : "", number) < 0)
		return text.status;
	return write_program(job, index, oe__buffer_string(&text), diverse, out, err);
}

static int write_programs(void *self, struct oe__buffer *out, oe_error *err)
{
	const struct oe__job *job = self;
	const size_t *counts = job->plan.counts;
	size_t from = out->size;
	int status = 0;

	for (size_t i = 0; i < counts[OE__PART_TOP] && status == 0; i++)
		status = write_numbered(job, i, i + 1, false, out, err);
	if (status == 0 && counts[OE__PART_DIVERSE] > 0) {
		oe__buffer_text(out, "\n\n## ");
		status = oe__job_fragment(job, OE__FRAGMENT_DIVERSE_TITLE, NULL, out, err);
		oe__buffer_text(out, "\n\n");
	}
	for (size_t i = 0; i < counts[OE__PART_DIVERSE] && status == 0; i++)
		status = write_numbered(job, job->diverse[i], i + 1, true, out, err);
	oe__strip(out, from);
	return status;
}

int oe__write_history(void *self, struct oe__buffer *out, oe_error *err)
{
	struct oe__argument arguments[OE__HISTORY_PLACES] = {
		[OE__HISTORY_ATTEMPTS] = oe__argument_writer(write_attempts, self),
		[OE__HISTORY_TOP] = oe__argument_writer(write_programs, self),
		[OE__HISTORY_INSPIRATIONS] = oe__argument_writer(oe__write_inspirations, self),
	};
	return oe__job_render(self, OE__ROLE_HISTORY, arguments, out, err);
}
