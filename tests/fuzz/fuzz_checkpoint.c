/*
 * Checkpoints: files that somebody else may have written or edited. Input: the metadata, then after
 * each NUL the record of a program. Whatever they say, a population that comes out holds no index
 * beyond itself, is written and read again as the same, and makes a sound hub that goes on, or none.
 */

#include <stdint.h>
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/value.h"
#include "program/population.h"
#include "small_hub.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PROGRAMS_MAX   16
#define ITERATIONS_MAX 8

/* ---- reading and writing ---- */

struct records {
	oe_program *programs[PROGRAMS_MAX];
	size_t count;
};

static void records_done(struct records *records)
{
	while (records->count > 0)
		oe_program_unref(records->programs[--records->count]);
}

OE__AUTO_VALUE(records, struct records, records_done)

static bool is_known(const struct records *records, const oe_program *program)
{
	for (size_t i = 0; i < records->count; i++)
		if (strcmp(records->programs[i]->id, program->id) == 0)
			return true;
	return false;
}

/* An id is the name of a file: there is one of each. What cannot be read is skipped. */
static void read_record(struct records *records, const char *text, size_t size)
{
	OE__AUTO(value) struct oe__value value = { 0 };
	OE__AUTO(program) oe_program *program = NULL;
	oe_error err = { 0 };

	if (records->count == PROGRAMS_MAX || oe__json_parse(text, size, &value, &err) < 0)
		return;
	if (oe__program_read(&value, NULL, &program, &err) < 0)
		assert(err.message[0] && !program);
	else if (!is_known(records, program))
		records->programs[records->count++] = OE__STEAL(program);
}

static void write_metadata(const oe_population *population, struct oe__buffer *out)
{
	struct oe__json_writer writer = { .out = out };

	oe__population_write_metadata(population, NULL, &writer);
	assert(out->status == 0);
}

static void write_record(const oe_program *program, struct oe__buffer *out)
{
	static const struct oe__record_options options = { .inline_max = SIZE_MAX };
	struct oe__json_writer writer = { .out = out };

	oe__program_write(program, &options, &writer);
	assert(out->status == 0);
}

/* ---- checks ---- */

static void check_indices(const oe_population *population)
{
	ptrdiff_t count = (ptrdiff_t)population->program_count;

	assert(population->island_count >= 1 && population->best < count);
	for (int32_t i = 0; i < population->island_count; i++)
		assert(population->island_best[i] < count);
	for (ptrdiff_t i = 0; i < count; i++)
		assert(population->programs[i]->island < population->island_count);
	for (size_t i = 0; i < population->cell_count; i++) {
		const struct oe__cell *cell = &population->cells[i];
		assert((ptrdiff_t)cell->elite < count);
		assert(population->programs[cell->elite]->island == cell->island);
	}
}

static void add_again(struct records *records, const oe_program *program)
{
	OE__AUTO(buffer) struct oe__buffer first = OE__BUFFER_INIT(0);
	OE__AUTO(buffer) struct oe__buffer second = OE__BUFFER_INIT(0);
	size_t before = records->count;

	write_record(program, &first);
	read_record(records, first.data, first.size);
	assert(records->count == before + 1);
	write_record(records->programs[before], &second);
	assert(first.size == second.size && memcmp(first.data, second.data, first.size) == 0);
}

static void check_again(const oe_population *population)
{
	OE__AUTO(records) struct records records = { .count = 0 };
	OE__AUTO(buffer) struct oe__buffer first = OE__BUFFER_INIT(0);
	OE__AUTO(buffer) struct oe__buffer second = OE__BUFFER_INIT(0);
	OE__AUTO(value) struct oe__value metadata = { 0 };
	OE__AUTO(population) oe_population *again = NULL;
	oe_program *extra = oe__population_extra(population);

	for (size_t i = 0; i < population->program_count; i++)
		add_again(&records, population->programs[i]);
	if (extra)
		add_again(&records, extra);
	write_metadata(population, &first);
	assert(oe__json_parse(first.data, first.size, &metadata, NULL) == 0);
	assert(oe__population_read_metadata(&metadata, NULL, records.programs, records.count, &again,
										NULL) == 0);
	write_metadata(again, &second);
	assert(first.size == second.size && memcmp(first.data, second.data, first.size) == 0);
}

/* The child of an iteration: as good as its number, and a little longer each time. */
static oe_program *child_of(const oe_iteration *iteration)
{
	OE__AUTO(evaluation) oe_evaluation *evaluation = NULL;
	OE__AUTO(program) oe_program *plain = NULL;
	oe_program *child = NULL;
	double number = (double)oe_iteration_number(iteration);
	char code[] = "0123456789abcdef";

	assert(oe_evaluation_new(&evaluation) == 0);
	assert(oe_evaluation_set_metric(evaluation, "combined_score", number) == 0);
	oe_evaluation_finish(evaluation, 0, NULL);
	assert(oe_program_new(code, 8 + (size_t)oe_iteration_number(iteration) % 8, "text", &plain) == 0);
	assert(oe_program_evaluated(plain, evaluation, &child) == 0);
	return child;
}

static void go_on(oe_hub *hub)
{
	oe_iteration *iteration = NULL;
	oe_error err = { 0 };
	int why = 0;

	for (int i = 0; i < ITERATIONS_MAX; i++) {
		int status = oe_hub_next_iteration(hub, &iteration, &why);
		if (status <= 0) {
			assert(status == 0 && (why == OE_HUB_EMPTY || why == OE_HUB_FINISHED));
			return;
		}
		oe_commit commit = OE_COMMIT_INIT;
		OE__AUTO(program) oe_program *child = child_of(iteration);
		assert(oe_iteration_parent(iteration) != NULL);
		assert(oe_hub_commit(hub, iteration, child, &commit, &err) == 0);
		oe_iteration_unref(iteration);
		assert(oe__hub_check(hub) == NULL);
	}
}

static void check_hub(const oe_population *population)
{
	struct oe__hub_settings settings = small_hub_settings();
	oe_error err = { 0 };

	settings.iterations = ITERATIONS_MAX;
	OE__AUTO(hub) oe_hub *hub = small_hub(settings);
	if (oe_hub_restore(hub, population, &err) < 0) {
		assert(err.message[0]);
		return;
	}
	assert(oe__hub_check(hub) == NULL);
	go_on(hub);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	OE__AUTO(records) struct records records = { .count = 0 };
	OE__AUTO(value) struct oe__value metadata = { 0 };
	OE__AUTO(population) oe_population *population = NULL;
	const char *text = (const char *)data, *end = text + size;
	oe_error err = { 0 };

	const char *stop = size > 0 ? memchr(text, '\0', size) : NULL;
	if (oe__json_parse(text, (size_t)((stop ? stop : end) - text), &metadata, NULL) < 0)
		return 0;
	while (stop) {
		text = stop + 1;
		stop = text < end ? memchr(text, '\0', (size_t)(end - text)) : NULL;
		read_record(&records, text, (size_t)((stop ? stop : end) - text));
	}
	if (oe__population_read_metadata(&metadata, NULL, records.programs, records.count, &population,
									 &err) < 0) {
		assert(err.message[0] && !population);
		return 0;
	}
	check_indices(population);
	check_again(population);
	check_hub(population);
	return 0;
}
