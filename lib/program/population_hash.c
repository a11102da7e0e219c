/*
 * The archive hash: one line per fact, sorted, then SHA-256.
 *
 *     program <island> <cell or -> <content> <parent's content or -> <metrics>
 *     archive <island> <content>
 *     best <content>
 *
 * No identifiers, times or hosts. A parent counts while it lives: what is gone cannot be looked up
 * in a checkpoint either. Metrics are sorted by name; a number that is not finite is null.
 */

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "program/population.h"

struct lines {
	char **items;
	size_t count, capacity;
};

static void lines_done(struct lines *lines)
{
	for (size_t i = 0; i < lines->count; i++)
		oe__free(lines->items[i]);
	oe__free(lines->items);
}

OE__AUTO_VALUE(lines, struct lines, lines_done)

static int lines_take(struct lines *lines, struct oe__buffer *text)
{
	void *items = lines->items;
	int status = oe__grow(&items, &lines->capacity, lines->count + 1, sizeof(*lines->items));

	if (status < 0)
		return status;
	lines->items = items;
	if (text->status < 0)
		return text->status;
	char *line = oe__buffer_steal(text, NULL);
	if (!line)
		return OE_ERR_NOMEM;
	lines->items[lines->count++] = line;
	return 0;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int by_name(const void *a, const void *b)
{
	const struct oe__metric *const *first = a, *const *second = b;

	return strcmp((*first)->name, (*second)->name);
}

static int append_metrics(const oe_evaluation *evaluation, struct oe__buffer *text)
{
	struct oe__json_writer writer = { .out = text };
	size_t count = oe_evaluation_metric_count(evaluation);
	OE__AUTO(memory) void *memory = oe__calloc(count + 1, sizeof(struct oe__metric *));
	const struct oe__metric **sorted = memory;

	if (!sorted)
		return OE_ERR_NOMEM;
	for (size_t i = 0; i < count; i++)
		sorted[i] = &evaluation->metrics[i];
	qsort(sorted, count, sizeof(struct oe__metric *), by_name);
	oe__json_map(&writer);
	for (size_t i = 0; i < count; i++) {
		const char *json = oe__metric_json(sorted[i]);

		oe__json_key(&writer, sorted[i]->name);
		oe__json_raw(&writer, json, strlen(json));
	}
	oe__json_map_end(&writer);
	return text->status;
}

static void append_cell(const oe_population *population, const struct oe__cell *cell,
						struct oe__buffer *text)
{
	if (!cell)
		oe__buffer_char(text, '-');
	for (size_t i = 0; cell && i < population->axes->dimensions.count; i++)
		oe__buffer_printf(text, "%s%d", i > 0 ? "-" : "", (int)cell->bins[i]);
}

static int add_program(const oe_population *population, size_t index, const struct oe__cell *cell,
					   struct lines *lines)
{
	const oe_program *program = population->programs[index];
	const oe_program *parent = oe_population_find(population, program->parent_id);
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);

	if (parent && parent->island < 0)
		parent = NULL;
	oe__buffer_printf(&text, "program %d ", (int)program->island);
	append_cell(population, cell, &text);
	oe__buffer_printf(&text, " %s %s ", program->source->hash_hex,
					  parent ? parent->source->hash_hex : "-");
	int status = append_metrics(program->evaluation, &text);
	if (status == 0)
		status = lines_take(lines, &text);
	if (status < 0 || !population->archived[index])
		return status;
	oe__buffer_printf(&text, "archive %d %s", (int)program->island, program->source->hash_hex);
	return lines_take(lines, &text);
}

static int collect(const oe_population *population, struct lines *lines)
{
	OE__AUTO(memory)
	void *memory = oe__calloc(population->program_count + 1, sizeof(struct oe__cell *));
	const struct oe__cell **cells = memory;
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);

	/* Without the index a parent would seem to be gone. */
	if (!cells || !oe__population_index(population))
		return OE_ERR_NOMEM;
	for (size_t i = 0; i < population->cell_count; i++)
		cells[population->cells[i].elite] = &population->cells[i];
	for (size_t i = 0; i < population->program_count; i++) {
		if (population->programs[i]->island < 0)
			continue;
		int status = add_program(population, i, cells[i], lines);
		if (status < 0)
			return status;
	}
	if (population->best < 0)
		return 0;
	oe__buffer_printf(&text, "best %s", population->programs[population->best]->source->hash_hex);
	return lines_take(lines, &text);
}

int oe_population_hash(const oe_population *population, char *out)
{
	OE__AUTO(lines) struct lines lines = { NULL, 0, 0 };
	uint8_t digest[OE__SHA256_SIZE];

	if (!population || !out)
		return OE_ERR_INVALID;
	int status = collect(population, &lines);
	if (status < 0)
		return status;
	if (lines.count > 1)
		qsort(lines.items, lines.count, sizeof(*lines.items), by_text);
	struct oe__sha256 *sha = oe__sha256_new();
	if (!sha)
		return OE_ERR_NOMEM;
	for (size_t i = 0; i < lines.count; i++) {
		oe__sha256_add(sha, lines.items[i], strlen(lines.items[i]));
		oe__sha256_add(sha, "\n", 1);
	}
	oe__sha256_end(sha, digest);
	oe__hex(digest, sizeof(digest), out);
	return 0;
}
