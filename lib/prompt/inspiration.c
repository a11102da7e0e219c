/*
 * Inspirations, and what sets them apart from the others.
 */

#include <string.h>

#include "base/text.h"
#include "prompt/prompt_internal.h"
#include "prompt/python.h"

/* A metric from there on is excellent, and up to there it is given up for something else. */
#define METRIC_EXCELLENT 0.9
#define METRIC_GIVEN_UP  0.3

/* ---- what it is called ---- */

static enum oe__fragment type_of(const struct oe__job *job, const struct oe__prompt_record *record)
{
	double fitness = oe__shown_fitness(job, record->metrics);

	switch (record->mark) {
	case OE__MARK_DIVERSE:
		return OE__FRAGMENT_TYPE_DIVERSE;
	case OE__MARK_MIGRANT:
		return OE__FRAGMENT_TYPE_MIGRANT;
	case OE__MARK_RANDOM:
		return OE__FRAGMENT_TYPE_RANDOM;
	case OE__MARK_NONE:
		break;
	}
	return fitness >= 0.8   ? OE__FRAGMENT_TYPE_HIGH
		   : fitness >= 0.6 ? OE__FRAGMENT_TYPE_ALTERNATIVE
		   : fitness >= 0.4 ? OE__FRAGMENT_TYPE_EXPERIMENTAL
							: OE__FRAGMENT_TYPE_EXPLORATORY;
}

static int write_type(void *self, struct oe__buffer *out, oe_error *err)
{
	const struct oe__item *item = self;

	return oe__job_fragment(item->job, type_of(item->job, item->record), NULL, out, err);
}

/* ---- what sets it apart ---- */

/* A list that ends when it has enough. */
struct features {
	const struct oe__item *item;
	struct oe__buffer *out;
	int64_t found, shown_max;
	oe_error *err;
};

static int add_feature(struct features *features, enum oe__fragment which,
					   const struct oe__argument *arguments)
{
	if (features->found++ >= features->shown_max)
		return 0;
	oe__buffer_text(features->out, features->found > 1 ? ", " : "");
	return oe__job_fragment(features->item->job, which, arguments, features->out, features->err);
}

static int add_changes(struct features *features)
{
	const char *changes = features->item->record->changes;
	int64_t limit = features->item->job->set->settings.short_change_chars;

	if (!changes || limit <= 0)
		return 0;
	size_t size = strlen(changes);
	struct oe__argument text = oe__argument_text(changes, size);
	if (oe__utf8_length(changes, size) >= (size_t)limit)
		return 0;
	return add_feature(features, OE__FRAGMENT_FEATURE_CHANGES, &text);
}

static int add_metrics(struct features *features)
{
	const oe_evaluation *metrics = features->item->record->metrics;
	int status = 0;

	for (size_t i = 0; metrics && i < metrics->metric_count && status == 0; i++) {
		const struct oe__metric *metric = &metrics->metrics[i];
		struct oe__argument arguments[] = { oe__argument_text(metric->name, strlen(metric->name)),
											oe__argument_real(metric->value) };

		if (metric->kind == OE__METRIC_JSON)
			continue;
		if (metric->value >= METRIC_EXCELLENT)
			status = add_feature(features, OE__FRAGMENT_FEATURE_EXCELLENT, arguments);
		else if (metric->value <= METRIC_GIVEN_UP)
			status = add_feature(features, OE__FRAGMENT_FEATURE_ALTERNATIVE, arguments);
	}
	return status;
}

/* Like Python's "in" on lower-cased text; `code` is lower-cased already. */
static bool holds(const struct oe__buffer *code, const char *what)
{
	return oe__find(code->data, code->size, what, strlen(what)) != NULL;
}

static int lower(oe_bytes code, struct oe__buffer *out)
{
	const char *from = code.data;

	if (oe__buffer_reserve(out, code.size + 1) < 0)
		return out->status;
	for (size_t i = 0; i < code.size; i++)
		out->data[i] = (char)(from[i] + (from[i] >= 'A' && from[i] <= 'Z' ? 'a' - 'A' : 0));
	out->size = code.size;
	out->data[code.size] = '\0';
	return 0;
}

static int64_t count_lines(oe_bytes code)
{
	const char *at = code.data, *end = at + code.size;
	int64_t lines = 1;

	while (at < end && (at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
		lines++;
		at++;
	}
	return lines;
}

static int add_style(struct features *features)
{
	OE__AUTO(buffer) struct oe__buffer code = OE__BUFFER_INIT(OE__CODE_MAX + 1);
	int status = lower(features->item->record->code, &code);

	if (status == 0 && holds(&code, "class") && holds(&code, "def __init__"))
		status = add_feature(features, OE__FRAGMENT_FEATURE_CLASS, NULL);
	if (status == 0 && (holds(&code, "numpy") || holds(&code, "np.")))
		status = add_feature(features, OE__FRAGMENT_FEATURE_NUMPY, NULL);
	if (status == 0 && holds(&code, "for") && holds(&code, "while"))
		status = add_feature(features, OE__FRAGMENT_FEATURE_LOOPS, NULL);
	return status;
}

static int add_code(struct features *features)
{
	const struct oe__prompt_settings *settings = &features->item->job->set->settings;
	oe_bytes code = features->item->record->code;

	/* Reading code is the dear part: not for a list that is full. */
	if (code.size == 0 || features->found >= features->shown_max)
		return 0;
	int status = add_style(features);
	int64_t lines = count_lines(code);
	if (status < 0)
		return status;
	if (settings->concise_lines > 0 && lines <= settings->concise_lines)
		return add_feature(features, OE__FRAGMENT_FEATURE_CONCISE, NULL);
	if (settings->comprehensive_lines > 0 && lines >= settings->comprehensive_lines)
		return add_feature(features, OE__FRAGMENT_FEATURE_COMPREHENSIVE, NULL);
	return 0;
}

/* As many as there are top programs: OpenEvolve takes that number for both. */
static int write_features(void *self, struct oe__buffer *out, oe_error *err)
{
	const struct oe__item *item = self;
	struct features features = { item, out, 0, item->job->set->settings.num_top, err };
	int status = add_changes(&features);

	if (status == 0)
		status = add_metrics(&features);
	if (status == 0)
		status = add_code(&features);
	if (status < 0 || features.found > 0)
		return status;
	struct oe__argument type = oe__argument_writer(write_type, self);
	return add_feature(&features, OE__FRAGMENT_NO_FEATURES, &type);
}

/* ---- the section ---- */

static int write_inspiration(const struct oe__job *job, size_t index, struct oe__buffer *out,
							 oe_error *err)
{
	struct oe__item item = { job, &job->input->inspirations[index], false };
	const char *language = job->input->language;
	struct oe__argument arguments[OE__INSPIRATION_PLACES] = {
		[OE__INSPIRATION_NUMBER] = oe__argument_int((int64_t)index + 1),
		[OE__INSPIRATION_SCORE] = oe__argument_writer(oe__write_score, &item),
		[OE__INSPIRATION_TYPE] = oe__argument_writer(write_type, &item),
		[OE__INSPIRATION_LANGUAGE] = oe__argument_text(language, strlen(language)),
		[OE__INSPIRATION_CODE] = oe__argument_text(item.record->code.data, item.record->code.size),
		[OE__INSPIRATION_FEATURES] = oe__argument_writer(write_features, &item),
	};
	int status = oe__job_render(job, OE__ROLE_INSPIRATION, arguments, out, err);

	return status < 0 ? status : oe__buffer_text(out, "\n\n");
}

static int write_list(void *self, struct oe__buffer *out, oe_error *err)
{
	const struct oe__job *job = self;
	size_t from = out->size;
	int status = 0;

	for (size_t i = 0; i < job->plan.counts[OE__PART_INSPIRATIONS] && status == 0; i++)
		status = write_inspiration(job, i, out, err);
	oe__strip(out, from);
	return status;
}

int oe__write_inspirations(void *self, struct oe__buffer *out, oe_error *err)
{
	const struct oe__job *job = self;
	struct oe__argument list = oe__argument_writer(write_list, self);

	if (job->plan.counts[OE__PART_INSPIRATIONS] == 0)
		return 0;
	return oe__job_render(job, OE__ROLE_INSPIRATIONS, &list, out, err);
}
