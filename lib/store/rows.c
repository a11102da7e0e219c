#include "store/rows.h"

#include <math.h>
#include <string.h>

#include "base/buffer.h"
#include "base/json.h"
#include "program/evaluation.h"
#include "program/sample.h"
#include "store/charge.h"
#include "store/former.h"
#include "store/snapshot.h"

const char *oe__row_kind_name(enum oe__row_kind kind)
{
	static const char *const names[] = {
		[OE__ROW_SEED] = "seed", [OE__ROW_ISSUE] = "issue",   [OE__ROW_COMMIT] = "commit",
		[OE__ROW_FAIL] = "fail", [OE__ROW_CLOSE] = "close", [OE__ROW_OUTCOME] = "outcome",
		[OE__ROW_ANSWER] = "answer", [OE__ROW_META] = "meta", [OE__ROW_SETTING] = "setting",
		[OE__ROW_MIGRANT] = "migrant", [OE__ROW_IMPORT] = "import",
		[OE__ROW_UNANSWERED] = "unanswered",
		[OE__ROW_JUDGEMENT] = "judgement", [OE__ROW_CHARGE] = "charge",
		[OE__ROW_SNAPSHOT] = "snapshot",
	};
	return names[kind];
}

static void bind_text(sqlite3_stmt *statement, int column, const char *text)
{
	if (text)
		sqlite3_bind_text(statement, column, text, -1, SQLITE_STATIC);
}

static void bind_real(sqlite3_stmt *statement, int column, double value)
{
	if (isfinite(value)) /* others stay NULL: a column of numbers is one */
		sqlite3_bind_double(statement, column, value);
}

static int no_room(int status, oe_error *err)
{
	return oe__error(err, status, "%s", oe_status_string(status));
}

/* Many of them, so only their beginnings, which everything understands that takes an identifier: 48
   bits of those of our own. */
static void write_id(struct oe__json_writer *writer, const char *id)
{
	size_t size = strlen(id);
	bool uuid = size == OE__UUID_SIZE - 1 && id[8] == '-' && id[13] == '-';

	oe__json_string_sized(writer, id, uuid ? 13 : size);
}

static void write_ids(struct oe__json_writer *writer, const char *key, oe_program *const *programs,
                      size_t count)
{
	oe__json_key(writer, key);
	oe__json_list(writer);
	for (size_t i = 0; i < count; i++)
		write_id(writer, oe_program_id(programs[i]));
	oe__json_list_end(writer);
}

/* What was drawn, by name: enough to render the prompt again. */
static void write_sample(const oe_iteration *iteration, struct oe__buffer *out)
{
	struct oe__json_writer writer = { .out = out };

	oe__json_map(&writer);
	write_ids(&writer, "inspirations", iteration->inspirations, iteration->inspiration_count);
	write_ids(&writer, "top", iteration->top, iteration->top_count);
	oe__json_key(&writer, "attempts");
	oe__json_list(&writer);
	for (size_t i = 0; i < iteration->attempt_count; i++)
		oe__json_int(&writer, iteration->attempts[i]->number);
	oe__json_list_end(&writer);
	oe__json_key(&writer, "coordinates");
	oe__json_list(&writer);
	for (size_t i = 0; iteration->coordinates && i < iteration->axes->dimensions.count; i++)
		oe__json_real(&writer, iteration->coordinates[i]);
	oe__json_list_end(&writer);
	oe__json_key(&writer, "version");
	oe__json_int(&writer, iteration->version);
	oe__json_map_end(&writer);
}

static int write_log(struct oe__database *database, const struct oe__row *row, oe_error *err)
{
	OE__AUTO(buffer) struct oe__buffer sample = OE__BUFFER_INIT(OE__FILE_MAX);
	sqlite3_stmt *statement = oe__database_statement(database, OE__STATEMENT_LOG, err);
	if (!statement)
		return OE_ERR_IO;

	const oe_evaluation *evaluation = row->program ? row->program->evaluation : NULL;
	sqlite3_bind_int64(statement, 1, row->seq);
	bind_text(statement, 2, oe__row_kind_name(row->kind));
	sqlite3_bind_int64(statement, 3, row->number);
	sqlite3_bind_int(statement, 4, row->attempt);
	sqlite3_bind_int(statement, 5, row->island);
	if ((row->kind == OE__ROW_COMMIT || row->kind == OE__ROW_FAIL) && row->outcome >= 0)
		bind_text(statement, 6, oe_outcome_name(row->outcome));
	if (row->kind == OE__ROW_ISSUE) {
		bind_text(statement, 7, oe_program_id(row->iteration->parent));
		write_sample(row->iteration, &sample);
		if (sample.status < 0)
			return no_room(sample.status, err);
		sqlite3_bind_text(statement, 8, sample.data, (int)sample.size, SQLITE_STATIC);
	} else {
		bind_text(statement, 7, row->program ? oe_program_id(row->program) : NULL);
		bind_text(statement, 8, row->message);
		if (row->evaluation_ms >= 0)
			sqlite3_bind_double(statement, 9, row->evaluation_ms);
		if (evaluation)
			bind_text(statement, 10, oe_verdict_name(evaluation->verdict));
	}
	sqlite3_bind_double(statement, 11, row->time);
	return oe__database_run(database, statement, err);
}

static int write_artifacts(struct oe__database *database, const oe_program *program, oe_error *err)
{
	sqlite3_int64 position = sqlite3_last_insert_rowid(database->handle);
	const oe_evaluation *evaluation = program->evaluation;

	for (size_t i = 0; i < evaluation->artifact_count; i++) {
		const struct oe__artifact *artifact = &evaluation->artifacts[i];
		sqlite3_stmt *statement = oe__database_statement(database, OE__STATEMENT_ARTIFACT, err);
		if (!statement)
			return OE_ERR_IO;
		sqlite3_bind_int64(statement, 1, position);
		sqlite3_bind_int64(statement, 2, (sqlite3_int64)i);
		bind_text(statement, 3, artifact->name);
		sqlite3_bind_int(statement, 4, (int)artifact->kind);
		sqlite3_bind_blob64(statement, 5, artifact->data, artifact->size, SQLITE_STATIC);
		int status = oe__database_run(database, statement, err);
		if (status < 0)
			return status;
	}
	return 0;
}

static int metrics_text(const oe_evaluation *evaluation, struct oe__buffer *out)
{
	/* Python's dialect: NaN and infinities must come back as they were. */
	struct oe__json_writer writer = { .out = out, .python = true };

	if (evaluation)
		oe__evaluation_metrics_write(evaluation, &writer);
	else
		oe__buffer_text(out, "{}");
	return out->status;
}

static int write_program(struct oe__database *database, const oe_program *program, oe_error *err)
{
	OE__AUTO(buffer) struct oe__buffer metrics = OE__BUFFER_INIT(OE__FRAME_MAX);
	OE__AUTO(buffer) struct oe__buffer before = OE__BUFFER_INIT(OE__FRAME_MAX);
	const oe_evaluation *evaluation = program->evaluation;

	int status = metrics_text(evaluation, &metrics);
	if (status == 0 && program->parent_evaluation)
		status = metrics_text(program->parent_evaluation, &before);
	if (status < 0)
		return no_room(status, err);

	sqlite3_stmt *statement = oe__database_statement(database, OE__STATEMENT_PROGRAM, err);
	if (!statement)
		return OE_ERR_IO;
	bind_text(statement, 1, program->id);
	bind_text(statement, 2, program->parent_id);
	sqlite3_bind_int(statement, 3, program->island);
	sqlite3_bind_int64(statement, 4, program->generation);
	sqlite3_bind_int64(statement, 5, program->iteration);
	sqlite3_bind_double(statement, 6, program->timestamp);
	bind_text(statement, 7, program->language);
	sqlite3_bind_text64(statement, 8, program->source->text, program->source->size, SQLITE_STATIC,
	                    SQLITE_UTF8);
	bind_text(statement, 9, program->changes);
	bind_real(statement, 10, program->fitness);
	sqlite3_bind_text(statement, 11, metrics.data, (int)metrics.size, SQLITE_STATIC);
	if (program->parent_evaluation)
		sqlite3_bind_text(statement, 12, before.data, (int)before.size, SQLITE_STATIC);
	bind_text(statement, 13, evaluation ? oe_verdict_name(evaluation->verdict) : "");
	bind_text(statement, 14, evaluation && evaluation->message ? evaluation->message : "");
	sqlite3_bind_double(statement, 15, evaluation ? evaluation->wall_ms : -1);
	sqlite3_bind_double(statement, 16, evaluation ? evaluation->cpu_ms : -1);
	status = oe__database_run(database, statement, err);
	/* One that was there already has them. */
	if (status == 0 && evaluation && sqlite3_changes(database->handle) > 0)
		status = write_artifacts(database, program, err);
	return status;
}

static int write_prompt(struct oe__database *database, const struct oe__row *row, oe_error *err)
{
	sqlite3_stmt *statement = oe__database_statement(database, OE__STATEMENT_PROMPT, err);
	if (!statement)
		return OE_ERR_IO;
	sqlite3_bind_int64(statement, 1, row->number);
	sqlite3_bind_int(statement, 2, row->attempt);
	bind_text(statement, 3, row->answer.system);
	bind_text(statement, 4, row->answer.user);
	return oe__database_run(database, statement, err);
}

static int write_answer(struct oe__database *database, const struct oe__row *row, oe_error *err)
{
	const struct oe__answer_row *answer = &row->answer;
	sqlite3_stmt *statement = oe__database_statement(database, OE__STATEMENT_ANSWER, err);
	if (!statement)
		return OE_ERR_IO;
	sqlite3_bind_int64(statement, 1, row->number);
	sqlite3_bind_int(statement, 2, row->attempt);
	sqlite3_bind_text64(statement, 3, answer->text, answer->size, SQLITE_STATIC, SQLITE_UTF8);
	bind_text(statement, 4, answer->model);
	sqlite3_bind_int(statement, 5, answer->finish);
	sqlite3_bind_int64(statement, 6, answer->tokens_in);
	sqlite3_bind_int64(statement, 7, answer->tokens_out);
	sqlite3_bind_int(statement, 8, answer->requests);
	sqlite3_bind_double(statement, 9, answer->llm_ms);
	if (answer->prompt_hash)
		sqlite3_bind_blob(statement, 10, answer->prompt_hash, OE__SHA256_SIZE, SQLITE_STATIC);
	sqlite3_bind_double(statement, 11, row->time);
	int status = oe__database_run(database, statement, err);
	if (status == 0 && answer->user)
		status = write_prompt(database, row, err);
	return status;
}

static int write_unanswered(struct oe__database *database, const struct oe__row *row, oe_error *err)
{
	sqlite3_stmt *statement = oe__database_statement(database, OE__STATEMENT_UNANSWERED, err);
	if (!statement)
		return OE_ERR_IO;
	sqlite3_bind_int64(statement, 1, row->number);
	sqlite3_bind_int(statement, 2, row->attempt);
	bind_text(statement, 3, row->answer.model);
	sqlite3_bind_int(statement, 4, row->answer.requests);
	sqlite3_bind_double(statement, 5, row->answer.llm_ms);
	bind_text(statement, 6, row->message);
	sqlite3_bind_double(statement, 7, row->time);
	return oe__database_run(database, statement, err);
}

static int write_judgement(struct oe__database *database, const struct oe__row *row, oe_error *err)
{
	const struct oe__answer_row *answer = &row->answer;
	sqlite3_stmt *statement = oe__database_statement(database, OE__STATEMENT_JUDGEMENT, err);
	if (!statement)
		return OE_ERR_IO;
	sqlite3_bind_int64(statement, 1, row->number);
	sqlite3_bind_int(statement, 2, row->attempt);
	bind_text(statement, 3, answer->model);
	sqlite3_bind_int(statement, 4, row->outcome >= 0);
	sqlite3_bind_int64(statement, 5, answer->tokens_in);
	sqlite3_bind_int64(statement, 6, answer->tokens_out);
	sqlite3_bind_int(statement, 7, answer->requests);
	sqlite3_bind_double(statement, 8, answer->llm_ms);
	sqlite3_bind_double(statement, 9, row->time);
	return oe__database_run(database, statement, err);
}

static int write_migrant(struct oe__database *database, const oe_program *copy, oe_error *err)
{
	sqlite3_stmt *statement = oe__database_statement(database, OE__STATEMENT_MIGRANT, err);
	if (!statement)
		return OE_ERR_IO;
	bind_text(statement, 1, copy->id);
	bind_text(statement, 2, copy->parent_id);
	sqlite3_bind_int(statement, 3, copy->island);
	return oe__database_run(database, statement, err);
}

static int write_outcome(struct oe__database *database, const struct oe__row *row, oe_error *err)
{
	sqlite3_stmt *statement = oe__database_statement(database, OE__STATEMENT_OUTCOME, err);
	if (!statement)
		return OE_ERR_IO;
	bind_text(statement, 1, oe_outcome_name(row->outcome));
	sqlite3_bind_int64(statement, 2, row->number);
	sqlite3_bind_int(statement, 3, row->attempt);
	return oe__database_run(database, statement, err);
}

int oe__row_write(struct oe__database *database, const struct oe__row *row, oe_error *err)
{
	int status = 0;

	if (row->kind == OE__ROW_ANSWER)
		return write_answer(database, row, err);
	if (row->kind == OE__ROW_UNANSWERED)
		return write_unanswered(database, row, err);
	if (row->kind == OE__ROW_JUDGEMENT)
		return write_judgement(database, row, err);
	if (row->kind == OE__ROW_OUTCOME)
		return write_outcome(database, row, err);
	if (row->kind == OE__ROW_CHARGE)
		return oe__charge_write(database, row, err);
	if (row->kind == OE__ROW_META)
		return oe__database_set(database, row->message, row->answer.text, err);
	if (row->kind == OE__ROW_SETTING)
		return oe__former_write(database, row, err);
	if (row->kind == OE__ROW_MIGRANT)
		return write_migrant(database, row->program, err);
	if (row->kind == OE__ROW_SNAPSHOT)
		return oe__snapshot_write(database, row, err);
	if (row->kind == OE__ROW_IMPORT)
		return write_program(database, row->program, err);
	/* The program before the call that names it. */
	if (row->program)
		status = write_program(database, row->program, err);
	if (status == 0)
		status = write_log(database, row, err);
	return status;
}
