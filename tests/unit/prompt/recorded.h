#ifndef OE_TESTS_PROMPT_RECORDED_H
#define OE_TESTS_PROMPT_RECORDED_H

/* Recorded arguments of OpenEvolve's prompt builder as ours, and the comparison of what comes out.
 */

#include "golden.h"
#include "config/config.h"
#include "program/base64.h"
#include "prompt/prompt_internal.h"
#include "prompt/python.h"

struct recorded {
	struct oe__prompt_input input;
	struct oe__prompt_set *set;
	struct oe__prompt_record *records;
	size_t record_count;
	oe_evaluation *metrics, *nothing;
	struct oe__artifact *artifacts;
	size_t artifact_count;
	const char **dimension_names;
	struct oe__dimensions dimensions;
	const struct oe__value *choices; /* or NULL: by `random` */
	size_t variations_drawn, diverse_drawn;
	const struct oe__value *left[64]; /* top programs that may still be drawn */
	size_t left_count;
	uint64_t random;
};

static inline void recorded_check(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "%s\n", what);
	abort();
}

/* {"$float": "nan"} becomes a number, all the way down. */
static inline void plain_numbers(struct oe__value *value)
{
	double number;

	if (value->type == OE__VALUE_MAP && value->size == 1 && oe__value_get(value, "$float") &&
		golden_number(value, &number)) {
		oe__value_done(value);
		value->type = OE__VALUE_REAL;
		value->real = number;
	}
	for (size_t i = 0;
		 (value->type == OE__VALUE_MAP || value->type == OE__VALUE_LIST) && i < value->size; i++)
		plain_numbers(&value->items[i]);
}

static inline oe_evaluation *evaluation_of(const struct oe__value *metrics)
{
	OE__AUTO(value) struct oe__value copy = { 0 };
	oe_evaluation *evaluation = NULL;

	recorded_check(oe_evaluation_new(&evaluation) == 0, "no evaluation");
	if (metrics && metrics->type == OE__VALUE_MAP) {
		recorded_check(oe__value_copy(metrics, &copy) == 0, "no copy");
		plain_numbers(&copy);
		recorded_check(oe__evaluation_metrics_read(evaluation, &copy) == 0, "metrics");
	}
	oe__evaluation_freeze(evaluation);
	return evaluation;
}

static inline char *text_of(const struct oe__value *value)
{
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);

	recorded_check(oe__python_str(&text, value) == 0, "str()");
	return oe__strdup(oe__buffer_string(&text));
}

static inline bool is_marked(const struct oe__value *metadata, const char *name)
{
	const struct oe__value *mark = metadata ? oe__value_get(metadata, name) : NULL;

	return mark && mark->type == OE__VALUE_BOOL && mark->boolean;
}

static inline const char **words_of(const struct oe__value *list, size_t *count)
{
	const char **words = NULL;

	*count = list && list->type == OE__VALUE_LIST ? list->size : 0;
	if (*count > 0)
		words = oe__calloc(*count, sizeof(*words));
	for (size_t i = 0; i < *count; i++)
		words[i] = list->items[i].string;
	return words;
}

/* Changes that are no text are told of attempts, but not of inspirations. */
static inline struct oe__prompt_record record_of(const struct oe__value *program, bool inspiration)
{
	const struct oe__value *metadata = oe__value_get(program, "metadata");
	const struct oe__value *changes = metadata ? oe__value_get(metadata, "changes") : NULL;
	size_t feature_count;
	const char **features = words_of(oe__value_get(program, "key_features"), &feature_count);
	const struct oe__value *parent = metadata ? oe__value_get(metadata, "parent_metrics") : NULL;
	oe_bytes code = golden_text(program, "code");

	return (struct oe__prompt_record){
		.code = code.data ? code : (oe_bytes){ "", 0 },
		.metrics = evaluation_of(oe__value_get(program, "metrics")),
		.parent_metrics = parent ? evaluation_of(parent) : NULL,
		.changes = changes && (!inspiration || changes->type == OE__VALUE_STRING) ? text_of(changes)
																				  : NULL,
		.features = features,
		.feature_count = feature_count,
		.mark = is_marked(metadata, "diverse")   ? OE__MARK_DIVERSE
				: is_marked(metadata, "migrant") ? OE__MARK_MIGRANT
				: is_marked(metadata, "random")  ? OE__MARK_RANDOM
												 : OE__MARK_NONE,
		.outcome = -1,
	};
}

static inline const struct oe__prompt_record *records_of(struct recorded *recorded,
														 const struct oe__value *call,
														 const char *name, size_t *count)
{
	const struct oe__value *list = oe__value_get(call, name);
	const struct oe__prompt_record *first = recorded->records + recorded->record_count;

	*count = list && list->type == OE__VALUE_LIST ? list->size : 0;
	for (size_t i = 0; i < *count; i++)
		recorded->records[recorded->record_count++] =
			record_of(&list->items[i], strcmp(name, "inspirations") == 0);
	return first;
}

/* ---- artifacts ---- */

static inline struct oe__artifact artifact_of(const char *name, const struct oe__value *value)
{
	struct oe__artifact artifact = { .name = oe__strdup(name), .kind = OE__ARTIFACT_TEXT };
	const struct oe__value *bytes =
		value->type == OE__VALUE_MAP ? oe__value_get(value, "$bytes") : NULL;
	OE__AUTO(buffer) struct oe__buffer data = OE__BUFFER_INIT(0);

	if (bytes) {
		artifact.kind = OE__ARTIFACT_BYTES;
		recorded_check(oe__base64_decode(&data, bytes->string, bytes->size) == 0, "base64");
	} else if (value->type == OE__VALUE_STRING) {
		oe__buffer_append(&data, value->string, value->size);
	} else {
		OE__AUTO(value) struct oe__value copy = { 0 };
		struct oe__json_writer writer = { .out = &data, .python = true };
		artifact.kind = OE__ARTIFACT_JSON;
		recorded_check(oe__value_copy(value, &copy) == 0, "no copy");
		plain_numbers(&copy);
		oe__json_put(&writer, &copy);
	}
	artifact.size = data.size;
	artifact.data = oe__strndup(oe__buffer_string(&data), data.size);
	return artifact;
}

static inline void add_artifacts(struct recorded *recorded, const struct oe__value *map)
{
	size_t count = map && map->type == OE__VALUE_MAP ? map->size : 0;

	recorded->artifacts = oe__calloc(count + 1, sizeof(*recorded->artifacts));
	for (size_t i = 0; i < count; i++)
		recorded->artifacts[recorded->artifact_count++] =
			artifact_of(map->keys[i].string, &map->items[i]);
	recorded->input.artifacts = recorded->artifacts;
	recorded->input.artifact_count = recorded->artifact_count;
}

/* ---- draws ---- */

static inline size_t index_of_text(const struct recorded *recorded, const struct oe__value *text,
								   size_t limit)
{
	const struct oe__prompt_settings *settings = &recorded->set->settings;

	for (size_t i = 0; i < settings->variation_count; i++)
		for (size_t j = 0; settings->variations[i].count == limit && j < limit; j++)
			if (oe__value_is(text, settings->variations[i].texts[j]))
				return j;
	recorded_check(false, "a variation that is none");
	return 0;
}

static inline size_t recorded_draw(void *self, enum oe__prompt_draw what, size_t limit)
{
	struct recorded *recorded = self;
	const struct oe__value *list = NULL;

	if (!recorded->choices) {
		recorded->random = recorded->random * 6364136223846793005u + 1442695040888963407u;
		return (size_t)(recorded->random >> 33) % limit;
	}
	if (what == OE__DRAW_VARIATION) {
		list = oe__value_get(recorded->choices, "variations");
		recorded_check(list && recorded->variations_drawn < list->size, "one draw too many");
		return index_of_text(recorded, &list->items[recorded->variations_drawn++], limit);
	}
	list = oe__value_get(recorded->choices, "diverse");
	recorded_check(list && recorded->diverse_drawn < list->size, "one draw too many");
	const struct oe__value *id = &list->items[recorded->diverse_drawn++];
	recorded_check(limit == recorded->left_count, "another number of programs is left");
	for (size_t i = 0; i < recorded->left_count; i++) {
		if (!oe__value_is(id, recorded->left[i]->string))
			continue;
		memmove(&recorded->left[i], &recorded->left[i + 1],
				(--recorded->left_count - i) * sizeof(recorded->left[0]));
		return i;
	}
	recorded_check(false, "a program that is not there");
	return 0;
}

/* ---- making ---- */

/* A prompt section with what OpenEvolve does, as YAML: JSON is. */
static inline void read_settings(const struct oe__value *section, bool diff,
								 struct oe__prompt_settings *settings)
{
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);
	struct oe__json_writer writer = { .out = &text };
	OE__AUTO(config) oe_config *config = NULL;
	oe_error err = { 0 };

	oe__json_map(&writer);
	oe__json_key(&writer, "diff_based_evolution");
	oe__json_bool(&writer, diff);
	if (section && section->size > 0) {
		oe__json_key(&writer, "prompt");
		oe__json_put(&writer, section);
	}
	oe__json_map_end(&writer);
	recorded_check(oe_config_new(&config) == 0, "no configuration");
	int status = oe_config_load_text(config, oe__buffer_string(&text), text.size, "case", &err);
	recorded_check(status == 0, err.message);
	status = oe_config_set(config, "prompt.artifact_style", "openevolve", &err);
	recorded_check(status == 0, err.message);
	recorded_check(oe__prompt_settings_from_config(settings, config) == 0, "settings");
}

static inline bool flag(const struct oe__value *call, const char *name, bool otherwise)
{
	const struct oe__value *value = oe__value_get(call, name);

	return value && value->type == OE__VALUE_BOOL ? value->boolean : otherwise;
}

/* The arguments; the set must be made already. */
static inline void recorded_begin(struct recorded *recorded, const struct oe__value *call)
{
	const struct oe__value *names = oe__value_get(call, "feature_dimensions");
	const struct oe__value *metrics = oe__value_get(call, "program_metrics");
	const struct oe__value *language = oe__value_get(call, "language");
	const struct oe__value *top = oe__value_get(call, "top_programs");
	struct oe__prompt_input *input = &recorded->input;
	oe_bytes code = golden_text(call, "current_program");
	oe_bytes key = golden_text(call, "template_key");

	recorded->records = oe__calloc(256, sizeof(*recorded->records));
	*input = (struct oe__prompt_input){ 0 };
	input->code = code.data ? code : (oe_bytes){ "", 0 };
	input->language = !language                          ? "python"
					  : language->type == OE__VALUE_NULL ? "None"
														 : language->string;
	recorded->metrics = metrics ? evaluation_of(metrics) : NULL;
	input->metrics = recorded->metrics;
	input->attempts = records_of(recorded, call, "previous_programs", &input->attempt_count);
	input->top = records_of(recorded, call, "top_programs", &input->top_count);
	input->inspirations = records_of(recorded, call, "inspirations", &input->inspiration_count);
	if (input->attempt_count > 0)
		input->reference = input->attempts[input->attempt_count - 1].metrics;
	add_artifacts(recorded, oe__value_get(call, "program_artifacts"));
	if (names && names->type == OE__VALUE_LIST) {
		recorded->dimension_names = oe__calloc(names->size + 1, sizeof(char *));
		for (size_t i = 0; i < names->size; i++)
			recorded->dimension_names[i] = names->items[i].string;
		recorded->dimensions = (struct oe__dimensions){ recorded->dimension_names, names->size };
		input->dimensions = &recorded->dimensions;
	}
	for (size_t i = (size_t)recorded->set->settings.num_top; top && i < top->size; i++)
		recorded->left[recorded->left_count++] = oe__value_get(&top->items[i], "id");
	input->template_name = key.data;
	input->system_message = recorded->set->settings.system_message;
	input->extra = call;
	input->draw = recorded_draw;
	input->self = recorded;
}

static inline void recorded_end(struct recorded *recorded)
{
	for (size_t i = 0; i < recorded->record_count; i++) {
		oe_evaluation_unref((oe_evaluation *)(uintptr_t)recorded->records[i].metrics);
		oe_evaluation_unref((oe_evaluation *)(uintptr_t)recorded->records[i].parent_metrics);
		oe__free((char *)(uintptr_t)recorded->records[i].changes);
		oe__free((char **)(uintptr_t)recorded->records[i].features);
	}
	for (size_t i = 0; i < recorded->artifact_count; i++) {
		oe__free(recorded->artifacts[i].name);
		oe__free(recorded->artifacts[i].data);
	}
	oe__free(recorded->records);
	oe__free(recorded->artifacts);
	oe__free(recorded->dimension_names);
	oe_evaluation_unref(recorded->metrics);
	oe__prompt_set_unref(recorded->set);
}

/* Does what was made equal {system, user} or {error}? */
static inline bool recorded_agrees(const struct oe__prompt *prompt, int status, const oe_error *err,
								   const struct oe__value *expected, bool say)
{
	oe_bytes system = { prompt->system.data, prompt->system.size };
	oe_bytes user = { prompt->user.data, prompt->user.size };

	if (oe__value_get(expected, "error")) {
		oe_bytes missing = golden_text(expected, "missing");
		bool named = !missing.data || strstr(err->message, missing.data);
		if (say && (status >= 0 || !named))
			fprintf(stderr, "    expected an error about '%s', got: %s\n",
					missing.data ? (const char *)missing.data : "",
					status < 0 ? err->message : "none");
		return status < 0 && named;
	}
	if (status < 0) {
		if (say)
			fprintf(stderr, "    error: %s:%d: %s\n", err->where, err->line, err->message);
		return false;
	}
	bool same = golden_same(system, golden_text(expected, "system")) &&
				golden_same(user, golden_text(expected, "user"));
	if (!same && say) {
		golden_print("expected", golden_text(expected, "user"));
		golden_print("got", user);
	}
	return same;
}

#endif /* OE_TESTS_PROMPT_RECORDED_H */
