/*
 * A program as the record that OpenEvolve keeps in programs/<id>.json. Members that only one side
 * knows are dropped in both directions. Numbers that are not finite are written as the writer's
 * dialect has it, which is Python's for files, as there; its prompts are an object even when there
 * are none.
 */

#include <math.h>
#include <string.h>

#include "base/limits.h"
#include "program/base64.h"
#include "program/program.h"

#define BYTES_KEY "__bytes__"

/* ---- writing ---- */

static void write_artifact(const struct oe__artifact *artifact, struct oe__json_writer *writer)
{
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);

	oe__json_key(writer, artifact->name);
	switch (artifact->kind) {
	case OE__ARTIFACT_TEXT:
		oe__json_string_sized(writer, artifact->data, artifact->size);
		return;
	case OE__ARTIFACT_JSON:
		oe__json_raw(writer, artifact->data, artifact->size);
		return;
	case OE__ARTIFACT_BYTES:
		if (oe__base64_append(&text, artifact->data, artifact->size) < 0)
			writer->out->status = text.status;
		oe__json_map(writer);
		oe__json_key(writer, BYTES_KEY);
		oe__json_string(writer, oe__buffer_string(&text));
		oe__json_map_end(writer);
		return;
	}
}

/* The small artifacts: an object, as text inside of a string. */
static void write_artifacts(const oe_evaluation *evaluation, size_t inline_max,
							struct oe__json_writer *writer)
{
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);
	struct oe__json_writer inner = { .out = &text };
	size_t written = 0;

	oe__json_map(&inner);
	for (size_t i = 0; evaluation && i < evaluation->artifact_count; i++) {
		if (evaluation->artifacts[i].size > inline_max)
			continue;
		write_artifact(&evaluation->artifacts[i], &inner);
		written++;
	}
	oe__json_map_end(&inner);
	if (text.status < 0)
		writer->out->status = text.status;

	oe__json_key(writer, "artifacts_json");
	if (written > 0)
		oe__json_string_sized(writer, oe__buffer_string(&text), text.size);
	else
		oe__json_null(writer);
}

static void write_metadata(const oe_program *program, struct oe__json_writer *writer)
{
	oe__json_key(writer, "metadata");
	oe__json_map(writer);
	if (program->changes[0]) {
		oe__json_key(writer, "changes");
		oe__json_string(writer, program->changes);
	}
	if (program->parent_evaluation) {
		oe__json_key(writer, "parent_metrics");
		oe__evaluation_metrics_write(program->parent_evaluation, writer);
	}
	if (program->island >= 0) {
		oe__json_key(writer, "island");
		oe__json_int(writer, program->island);
	}
	if (program->migrant) {
		oe__json_key(writer, "migrant");
		oe__json_bool(writer, true);
	}
	oe__json_map_end(writer);
}

static void write_text(struct oe__json_writer *writer, const char *key, const char *text)
{
	oe__json_key(writer, key);
	oe__json_string(writer, text);
}

static void write_real(struct oe__json_writer *writer, const char *key, double value)
{
	oe__json_key(writer, key);
	oe__json_real(writer, value);
}

static void write_int(struct oe__json_writer *writer, const char *key, int64_t value)
{
	oe__json_key(writer, key);
	oe__json_int(writer, value);
}

void oe__program_write(const oe_program *program, const struct oe__record_options *options,
					   struct oe__json_writer *writer)
{
	oe__json_map(writer);
	write_text(writer, "id", program->id);
	oe__json_key(writer, "code");
	oe__json_string_sized(writer, program->source->text, program->source->size);
	write_text(writer, "language", program->language);
	write_text(writer, "parent_id", program->parent_id);
	write_int(writer, "generation", program->generation);
	write_real(writer, "timestamp", program->timestamp);
	write_int(writer, "iteration_found", program->iteration);
	oe__json_key(writer, "metrics");
	oe__evaluation_metrics_write(program->evaluation, writer);
	write_real(writer, "complexity", 0.0); /* OpenEvolve never fills these two in */
	write_real(writer, "diversity", 0.0);
	write_metadata(program, writer);
	const char *prompts = options->prompts ? options->prompts : program->prompts;
	oe__json_key(writer, "prompts");
	if (prompts) {
		oe__json_raw(writer, prompts, strlen(prompts));
	} else {
		oe__json_map(writer);
		oe__json_map_end(writer);
	}
	write_artifacts(program->evaluation, options->inline_max, writer);
	write_text(writer, "artifact_dir", options->artifact_directory);
	oe__json_key(writer, "embedding");
	oe__json_null(writer);
	oe__json_map_end(writer);
}

/* ---- reading ---- */

static const char *text_of(const struct oe__value *record, const char *key, const char *otherwise)
{
	const struct oe__value *value = oe__value_get(record, key);

	return value && value->type == OE__VALUE_STRING ? value->string : otherwise;
}

/* A finite number, or 0. */
static double real_of(const struct oe__value *record, const char *key)
{
	const struct oe__value *value = oe__value_get(record, key);

	if (!value || (value->type != OE__VALUE_INT && value->type != OE__VALUE_REAL))
		return 0;
	return isfinite(value->real) ? value->real : 0;
}

static int64_t int_of(const struct oe__value *record, const char *key, int64_t otherwise)
{
	const struct oe__value *value = oe__value_get(record, key);

	if (value && value->type == OE__VALUE_INT)
		return value->integer;
	if (value && value->type == OE__VALUE_REAL && value->real > -1e15 && value->real < 1e15)
		return (int64_t)value->real;
	return otherwise;
}

static int put_json(const struct oe__value *value, struct oe__buffer *text)
{
	struct oe__json_writer writer = { .out = text, .python = true };

	oe__json_put(&writer, value);
	return text->status;
}

static int read_artifact(oe_evaluation *evaluation, const char *name, const struct oe__value *value)
{
	OE__AUTO(buffer) struct oe__buffer data = OE__BUFFER_INIT(0);

	if (value->type == OE__VALUE_STRING && !value->tag)
		return oe__evaluation_add_artifact_kind(evaluation, name, OE__ARTIFACT_TEXT, value->string,
												value->size);
	const struct oe__value *bytes =
		value->type == OE__VALUE_MAP && value->size == 1 ? oe__value_get(value, BYTES_KEY) : NULL;
	int status = bytes && bytes->type == OE__VALUE_STRING
					 ? oe__base64_decode(&data, bytes->string, bytes->size)
					 : OE_ERR_FORMAT;
	if (status == 0)
		return oe__evaluation_add_artifact_kind(evaluation, name, OE__ARTIFACT_BYTES, data.data,
												data.size);
	if (status == OE_ERR_NOMEM)
		return status;
	oe__buffer_clear(&data);
	status = put_json(value, &data);
	if (status < 0)
		return status;
	return oe__evaluation_add_artifact_kind(evaluation, name, OE__ARTIFACT_JSON, data.data,
											data.size);
}

/* Artifacts are remarks: what cannot be read of them does not make the program unreadable. */
static int read_artifacts(oe_evaluation *evaluation, const struct oe__value *record)
{
	OE__AUTO(value) struct oe__value artifacts = { 0 };
	const struct oe__value *text = oe__value_get(record, "artifacts_json");

	if (!text || text->type != OE__VALUE_STRING)
		return 0;
	if (oe__json_parse(text->string, text->size, &artifacts, NULL) == OE_ERR_NOMEM)
		return OE_ERR_NOMEM;
	if (artifacts.type != OE__VALUE_MAP)
		return 0;
	for (size_t i = 0; i < artifacts.size; i++) {
		int status = read_artifact(evaluation, artifacts.keys[i].string, &artifacts.items[i]);
		if (status == OE_ERR_NOMEM)
			return status;
	}
	return 0;
}

static int read_metrics(const struct oe__value *metrics, oe_evaluation **out)
{
	OE__AUTO(evaluation) oe_evaluation *evaluation = NULL;
	int status = oe_evaluation_new(&evaluation);

	if (status < 0)
		return status;
	if (metrics)
		status = oe__evaluation_metrics_read(evaluation, metrics);
	if (status < 0)
		return status;
	*out = OE__STEAL(evaluation);
	return 0;
}

static int read_parent_metrics(const struct oe__value *metadata, oe_evaluation **out)
{
	const struct oe__value *metrics = metadata ? oe__value_get(metadata, "parent_metrics") : NULL;

	if (!metrics || metrics->type != OE__VALUE_MAP)
		return 0;
	int status = read_metrics(metrics, out);
	if (status == 0)
		oe__evaluation_freeze(*out);
	return status;
}

static int read_prompts(const struct oe__value *record, struct oe__buffer *out)
{
	const struct oe__value *prompts = oe__value_get(record, "prompts");

	if (!prompts || prompts->type != OE__VALUE_MAP || prompts->size == 0)
		return 0;
	return put_json(prompts, out);
}

static bool flag_of(const struct oe__value *metadata, const char *key)
{
	const struct oe__value *value = metadata ? oe__value_get(metadata, key) : NULL;

	return value && value->type == OE__VALUE_BOOL && value->boolean;
}

int oe__program_read(const struct oe__value *record, const struct oe__dimensions *dimensions,
					 oe_program **out, oe_error *err)
{
	OE__AUTO(source) struct oe__source *source = NULL;
	OE__AUTO(evaluation) oe_evaluation *evaluation = NULL, *parent_evaluation = NULL;
	OE__AUTO(buffer) struct oe__buffer prompts = OE__BUFFER_INIT(0);

	if (record->type != OE__VALUE_MAP)
		return oe__error(err, OE_ERR_FORMAT, "a program record is a %s, expected a map",
						 oe__value_type_name(record));
	const char *id = text_of(record, "id", NULL);
	const struct oe__value *code = oe__value_get(record, "code");
	if (!id || !id[0] || !code || code->type != OE__VALUE_STRING)
		return oe__error(err, OE_ERR_FORMAT, "a program record lacks 'id' or 'code'");

	const struct oe__value *metadata = oe__value_get(record, "metadata");
	if (metadata && metadata->type != OE__VALUE_MAP)
		metadata = NULL;
	int status = oe__source_new(code->string, code->size, &source);
	if (status == 0)
		status = read_metrics(oe__value_get(record, "metrics"), &evaluation);
	if (status == 0)
		status = read_artifacts(evaluation, record);
	if (status == 0)
		status = read_parent_metrics(metadata, &parent_evaluation);
	if (status == 0)
		status = read_prompts(record, &prompts);
	if (status < 0)
		return oe__error(err, status, "program '%s' cannot be read: %s", id,
						 oe_status_string(status));
	oe__evaluation_freeze(evaluation);

	int64_t island = metadata ? int_of(metadata, "island", -1) : -1;
	return oe__program_build(
		&(struct oe__program_spec){
			.id = id,
			.parent_id = text_of(record, "parent_id", NULL),
			.source = source,
			.language = text_of(record, "language", "python"),
			.changes = metadata ? text_of(metadata, "changes", "") : "",
			.prompts = prompts.size > 0 ? prompts.data : NULL,
			.generation = int_of(record, "generation", 0),
			.iteration = int_of(record, "iteration_found", 0),
			.timestamp = real_of(record, "timestamp"),
			.island = island >= 0 && island < OE__ISLANDS_MAX ? (int32_t)island : -1,
			.migrant = flag_of(metadata, "migrant"),
			.evaluation = evaluation,
			.parent_evaluation = parent_evaluation,
			.dimensions = dimensions,
		},
		out);
}
