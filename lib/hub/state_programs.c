/*
 * What a state refers to: programs by their names, with the beginning of their content's hash, so that
 * another one of that name is found out; attempts; samples.
 */

#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "hub/state_internal.h"
#include "program/form.h"

#define HASH_SIZE 8 /* of a content's hash: enough to tell that something was mixed up */

/* ---- numbers of things ---- */

/* From 1; 0 after a failure. */
static size_t number_of(struct oe__state_writer *writer, struct oe__state_table *table,
                        const void *item)
{
	size_t number = (size_t)(uintptr_t)oe__map_get(&table->numbers, &item, sizeof(item));
	void *items = table->items;

	if (number > 0 || writer->status < 0)
		return number;
	writer->status = oe__grow(&items, &table->capacity, table->count + 1, sizeof(*table->items));
	table->items = items;
	if (writer->status == 0)
		writer->status = oe__map_put(&table->numbers, &item, sizeof(item),
		                             (void *)(uintptr_t)(table->count + 1));
	if (writer->status < 0)
		return 0;
	table->items[table->count++] = item;
	return table->count;
}

void oe__state_put_program(struct oe__state_writer *writer, const oe_program *program)
{
	const struct oe__member *member = program ? oe__hub_find(writer->hub, program->id) : NULL;
	size_t number = 0;

	if (member && member->program == program)
		number = (size_t)member->position + 1;
	else if (program)
		number = writer->hub->count + number_of(writer, &writer->programs, program);
	oe__pack_uint(&writer->body, number);
}

void oe__state_put_attempt(struct oe__state_writer *writer, struct oe__attempt *attempt)
{
	oe__pack_uint(&writer->body, number_of(writer, &writer->attempts, attempt));
}

oe_program *oe__state_get_program(struct oe__state_reader *reader)
{
	uint64_t number = oe__unpack_uint(&reader->in);

	if (number > 0 && number <= reader->program_count)
		return reader->programs[number - 1];
	if (number > 0)
		(void)oe__unpack_fail(&reader->in);
	return NULL;
}

struct oe__attempt *oe__state_get_attempt(struct oe__state_reader *reader)
{
	uint64_t number = oe__unpack_uint(&reader->in);

	if (number > 0 && number <= reader->attempt_count)
		return reader->attempts[number - 1];
	(void)oe__unpack_fail(&reader->in);
	return NULL;
}

/* ---- identifiers ---- */

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Is it one of ours, and of which bytes? */
static bool parse_uuid(const char *id, uint8_t bytes[16])
{
	char again[OE__UUID_SIZE];
	const char *at = id;

	for (int i = 0; i < 16; i++) {
		at += *at == '-';
		int high = digit_of(at[0]), low = high < 0 ? -1 : digit_of(at[1]);
		if (low < 0)
			return false;
		bytes[i] = (uint8_t)(high << 4 | low);
		at += 2;
	}
	oe__uuid_format(bytes, again);
	return strcmp(again, id) == 0;
}

static void put_id(struct oe__buffer *out, const char *id)
{
	uint8_t bytes[16];

	if (id && parse_uuid(id, bytes)) {
		oe__pack_int(out, true);
		oe__buffer_append(out, bytes, sizeof(bytes));
		return;
	}
	oe__pack_int(out, false);
	oe__pack_text(out, id);
}

/* NULL: there is none. `space` is where one of ours is written to. */
static const char *get_id(struct oe__unpack *in, char space[OE__UUID_SIZE])
{
	if (!oe__unpack_bool(in))
		return oe__unpack_text(in);
	const uint8_t *bytes = oe__unpack_raw(in, 16);
	if (!bytes)
		return NULL;
	oe__uuid_format(bytes, space);
	return space;
}

/* ---- programs ---- */

static void write_program(struct oe__buffer *out, const oe_program *program, uint64_t form)
{
	oe__pack_int(out, program->migrant);
	put_id(out, program->id);
	if (program->migrant)
		put_id(out, program->parent_id);
	oe__pack_int(out, program->iteration);
	oe__pack_int(out, program->island);
	oe__buffer_append(out, program->source->hash, HASH_SIZE);
	oe__pack_uint(out, form);
}

/* One of them as it is named. */
struct record {
	const char *id, *original; /* NULL: it is no copy */
	int64_t iteration;
	int32_t island;
	const uint8_t *hash;
	uint64_t form; /* of one that lives; 0: nobody asked yet */
	char id_space[OE__UUID_SIZE], original_space[OE__UUID_SIZE];
};
#define RECORD_SIZE_MIN (6 + HASH_SIZE) /* in the state */

static bool read_record(struct oe__state_reader *reader, struct record *out)
{
	struct oe__unpack *in = &reader->in;

	bool migrant = oe__unpack_bool(in);
	out->id = get_id(in, out->id_space);
	out->original = migrant ? get_id(in, out->original_space) : NULL;
	out->iteration = oe__unpack_int(in);
	out->island = (int32_t)oe__unpack_between(in, -1, reader->hub->island_count - 1);
	out->hash = oe__unpack_raw(in, HASH_SIZE);
	out->form = oe__unpack_uint(in);
	return out->id && out->hash && (out->original || !migrant);
}

/* What is looked for, each name once: what programs share stays shared. */
struct search {
	struct oe__map numbers; /* by name, from 1 */
	struct oe__wanted_program *wanted;
	size_t count, capacity, begun;
};

static void search_done(struct search *search)
{
	for (size_t i = 0; i < search->count; i++)
		oe_program_unref(search->wanted[i].found);
	oe__free(search->wanted);
	oe__map_done(&search->numbers);
}

OE__AUTO_VALUE(search, struct search, search_done)

static struct oe__wanted_program *wanted_of(const struct search *search, const char *id)
{
	size_t number = (size_t)(uintptr_t)oe__map_get(&search->numbers, id, strlen(id));

	return number > 0 ? &search->wanted[number - 1] : NULL;
}

static oe_program *found_as(const struct search *search, const char *id)
{
	const struct oe__wanted_program *wanted = wanted_of(search, id);

	return wanted ? wanted->found : NULL;
}

/* One that was not there as a copy may be there as itself. */
static int want(struct search *search, const char *id, int64_t iteration, bool migrant)
{
	const struct oe__wanted_program *before = wanted_of(search, id);
	void *wanted = search->wanted;

	if (before && (before->found || migrant || !before->migrant))
		return 0;
	int status = oe__grow(&wanted, &search->capacity, search->count + 1, sizeof(*search->wanted));
	search->wanted = wanted;
	if (status == 0)
		status = oe__map_put(&search->numbers, id, strlen(id), (void *)(uintptr_t)(search->count + 1));
	if (status == 0)
		search->wanted[search->count++] = (struct oe__wanted_program){ id, iteration, migrant, NULL };
	return status;
}

/* What was wanted since the last time. */
static int look(struct oe__state_reader *reader, struct search *search)
{
	const struct oe__program_finder *finder = reader->finder;
	size_t begun = search->begun;

	if (begun == search->count)
		return 0;
	search->begun = search->count;
	return finder->find(finder->owner, search->wanted + begun, search->count - begun, reader->err);
}

/* A migrant is a copy of its original, which is written down; unless it came from elsewhere. */
static int look_for(struct oe__state_reader *reader, struct search *search,
                    const struct record *records, size_t count)
{
	int status = 0;

	for (size_t i = 0; i < count && status == 0; i++)
		status = want(search, records[i].id, records[i].iteration, records[i].original != NULL);
	if (status == 0)
		status = look(reader, search);
	for (size_t i = 0; i < count && status == 0; i++)
		if (records[i].original && !found_as(search, records[i].id))
			status = want(search, records[i].original, records[i].iteration, false);
	return status < 0 ? status : look(reader, search);
}

static int make_program(struct oe__state_reader *reader, const struct search *search,
                        const struct record *record, oe_program **out)
{
	oe_program *found = found_as(search, record->id);
	oe_program *original = record->original ? found_as(search, record->original) : NULL;
	int status;

	if (found)
		status = oe__hub_adopt(reader->hub, found, record->island, out);
	else if (original)
		status = oe__hub_make_migrant(reader->hub, original, record->id, NULL, record->island, out);
	else
		status = oe__state_damaged(reader, "one of its programs is missing");
	if (status < 0)
		return status;
	if (memcmp((*out)->source->hash, record->hash, HASH_SIZE) != 0 ||
	    (*out)->migrant != (record->original != NULL))
		return oe__state_damaged(reader, "one of its programs is another one");
	if (record->form)
		oe__form_recall(*out, record->form);
	return 0;
}

static int read_programs(struct oe__state_reader *reader)
{
	OE__AUTO(search) struct search search = { 0 };
	size_t count = oe__unpack_count(&reader->in);

	if (count > oe__unpack_left(&reader->in) / RECORD_SIZE_MIN)
		return oe__state_damaged(reader, "its programs cannot be read");
	OE__AUTO(memory) struct record *records = oe__calloc(count + 1, sizeof(*records));
	reader->programs = oe__calloc(count + 1, sizeof(oe_program *));
	if (!records || !reader->programs)
		return OE_ERR_NOMEM;
	for (size_t i = 0; i < count; i++)
		if (!read_record(reader, &records[i]))
			return oe__state_damaged(reader, "its programs cannot be read");
	int status = look_for(reader, &search, records, count);
	while (status == 0 && reader->program_count < count) {
		size_t next = reader->program_count;
		status = make_program(reader, &search, &records[next], &reader->programs[next]);
		reader->program_count += reader->programs[next] != NULL;
	}
	return status;
}

/* ---- attempts ---- */

static void write_attempt(struct oe__state_writer *writer, const struct oe__attempt *attempt)
{
	oe__pack_int(&writer->body, attempt->number);
	oe__pack_int(&writer->body, attempt->outcome);
	oe__state_put_program(writer, attempt->program);
	oe__pack_text(&writer->body, attempt->message);
}

static int read_attempt(struct oe__state_reader *reader, struct oe__attempt **out)
{
	struct oe__unpack *in = &reader->in;

	int64_t number = oe__unpack_between(in, 1, INT64_MAX);
	int outcome = (int)oe__unpack_between(in, 0, OE_OUTCOME_COUNT - 1);
	oe_program *program = oe__state_get_program(reader);
	const char *message = oe__unpack_text(in);
	if (in->broken)
		return oe__state_damaged(reader, "its attempts cannot be read");
	return oe__attempt_new(number, outcome, program, message, out);
}

static int read_attempts(struct oe__state_reader *reader)
{
	size_t count = oe__unpack_count(&reader->in);

	reader->attempts = oe__calloc(count + 1, sizeof(*reader->attempts));
	if (!reader->attempts)
		return OE_ERR_NOMEM;
	while (reader->attempt_count < count) {
		int status = read_attempt(reader, &reader->attempts[reader->attempt_count]);
		if (status < 0)
			return status;
		reader->attempt_count++;
	}
	return 0;
}

/* ---- both tables ---- */

/* Attempts refer to programs, so they are written before the number of these is known. */
void oe__state_put_tables(struct oe__state_writer *writer, struct oe__buffer *out)
{
	const oe_hub *hub = writer->hub;
	size_t attempts = writer->body.size;

	oe__pack_uint(&writer->body, writer->attempts.count);
	for (size_t i = 0; i < writer->attempts.count; i++)
		write_attempt(writer, writer->attempts.items[i]);
	oe__pack_uint(out, hub->count + writer->programs.count);
	for (const struct oe__member *member = hub->oldest; member; member = member->newer)
		write_program(out, member->program, oe__form_known(member->program));
	for (size_t i = 0; i < writer->programs.count; i++)
		write_program(out, writer->programs.items[i], 0); /* hardly anybody asks */
	if (writer->status < 0 || writer->body.status < 0)
		return;
	oe__buffer_append(out, writer->body.data + attempts, writer->body.size - attempts);
	oe__buffer_truncate(&writer->body, attempts);
}

int oe__state_get_tables(struct oe__state_reader *reader)
{
	int status = read_programs(reader);

	if (status == 0)
		status = read_attempts(reader);
	return status < 0 ? status : oe__state_look(reader, "it is cut off");
}

/* ---- samples ---- */

static void put_programs(struct oe__state_writer *writer, oe_program *const *programs, size_t count)
{
	oe__pack_uint(&writer->body, count);
	for (size_t i = 0; i < count; i++)
		oe__state_put_program(writer, programs[i]);
}

void oe__state_put_sample(struct oe__state_writer *writer, const oe_iteration *iteration)
{
	struct oe__buffer *out = &writer->body;

	oe__pack_int(out, iteration->number);
	oe__pack_int(out, iteration->attempt);
	oe__pack_int(out, iteration->island);
	oe__pack_int(out, iteration->version);
	oe__state_put_program(writer, iteration->parent);
	put_programs(writer, iteration->inspirations, iteration->inspiration_count);
	put_programs(writer, iteration->top, iteration->top_count);
	oe__pack_uint(out, iteration->attempt_count);
	for (size_t i = 0; i < iteration->attempt_count; i++)
		oe__state_put_attempt(writer, iteration->attempts[i]);
	for (size_t i = 0; i < oe__hub_dimensions(writer->hub); i++)
		oe__pack_real(out, iteration->coordinates[i]);
}

/* The arrays of a sample that is being read. */
struct shown {
	oe_program **inspirations, **top;
	struct oe__attempt **attempts;
};

static void shown_done(struct shown *shown)
{
	oe__free(shown->inspirations);
	oe__free(shown->top);
	oe__free(shown->attempts);
}

OE__AUTO_VALUE(shown, struct shown, shown_done)

/* Of those there are no others than of a program. */
static oe_program **get_programs(struct oe__state_reader *reader, size_t *count)
{
	*count = oe__unpack_count(&reader->in);
	oe_program **programs = oe__calloc(*count + 1, sizeof(oe_program *));

	for (size_t i = 0; programs && i < *count; i++) {
		programs[i] = oe__state_get_program(reader);
		if (!programs[i])
			(void)oe__unpack_fail(&reader->in);
	}
	return programs;
}

static struct oe__attempt **get_attempts(struct oe__state_reader *reader, size_t *count)
{
	*count = oe__unpack_count(&reader->in);
	struct oe__attempt **attempts = oe__calloc(*count + 1, sizeof(*attempts));

	for (size_t i = 0; attempts && i < *count; i++)
		attempts[i] = oe__state_get_attempt(reader);
	return attempts;
}

int oe__state_get_sample(struct oe__state_reader *reader, oe_iteration **out)
{
	OE__AUTO(shown) struct shown shown = { 0 };
	const oe_hub *hub = reader->hub;
	struct oe__unpack *in = &reader->in;
	double coordinates[OE__DIMENSIONS_MAX];
	struct oe__sample_spec spec = { .run_seed = hub->settings.seed, .axes = hub->settings.axes };

	spec.number = oe__unpack_between(in, 1, OE__NUMBER_MAX);
	spec.attempt = (int32_t)oe__unpack_between(in, 0, INT32_MAX - 1);
	spec.island = (int32_t)oe__unpack_between(in, 0, hub->island_count - 1);
	spec.version = oe__state_get_number(reader);
	spec.parent = oe__state_get_program(reader);
	spec.inspirations = shown.inspirations = get_programs(reader, &spec.inspiration_count);
	spec.top = shown.top = get_programs(reader, &spec.top_count);
	spec.attempts = shown.attempts = get_attempts(reader, &spec.attempt_count);
	for (size_t i = 0; i < oe__hub_dimensions(hub); i++)
		coordinates[i] = oe__unpack_real(in);
	spec.coordinates = coordinates;
	if (!shown.inspirations || !shown.top || !shown.attempts)
		return OE_ERR_NOMEM;
	if (in->broken || !spec.parent)
		return oe__state_damaged(reader, "one of its samples cannot be read");
	return oe__sample_build(&spec, out);
}
