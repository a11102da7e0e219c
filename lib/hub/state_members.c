/*
 * Who lives, in order of age, with slot, place in the archive, cell and values; and per island the order
 * of its cells, its best, its generation.
 */

#include <string.h>

#include "base/alloc.h"
#include "hub/state_internal.h"

/* ---- writing ---- */

/* Its program is that of the same number. */
static void put_member(struct oe__state_writer *writer, const struct oe__member *member,
                       uint64_t before)
{
	struct oe__buffer *out = &writer->body;

	oe__pack_uint(out, member->sequence - before);
	oe__pack_int(out, member->joined);
	oe__pack_uint(out, member->slot);
	oe__pack_uint(out, (uint32_t)(member->archive_slot + 1)); /* 0: it has none */
	for (size_t i = 0; i < oe__hub_dimensions(writer->hub); i++) {
		oe__pack_int(out, member->bins[i]);
		oe__pack_real(out, member->coordinates[i]);
	}
}

static void put_place(struct oe__state_writer *writer, const struct oe__member *member)
{
	oe__pack_uint(&writer->body, member ? (uint64_t)member->position + 1 : 0);
}

static void put_island(struct oe__state_writer *writer, const struct oe__island *island)
{
	const struct oe__map_entry *entry;
	size_t cursor = 0;

	oe__pack_int(&writer->body, island->generation);
	put_place(writer, island->best);
	oe__pack_uint(&writer->body, island->cells.count);
	while ((entry = oe__map_next(&island->cells, &cursor)) != NULL)
		put_place(writer, entry->value);
}

void oe__state_put_members(struct oe__state_writer *writer)
{
	const oe_hub *hub = writer->hub;
	uint64_t before = 0;

	oe__pack_uint(&writer->body, hub->count);
	for (const struct oe__member *member = hub->oldest; member; member = member->newer) {
		put_member(writer, member, before);
		before = member->sequence;
	}
	for (int32_t i = 0; i < hub->island_count; i++)
		put_island(writer, &hub->islands[i]);
	put_place(writer, hub->best);
}

/* ---- reading: one by one ---- */

struct place {
	uint32_t slot, archive_slot;
};

static int get_member(struct oe__state_reader *reader, size_t number, struct place *place)
{
	oe_hub *hub = reader->hub;
	struct oe__unpack *in = &reader->in;
	oe_program *program = reader->programs[number];
	struct oe__member *member = NULL;

	if (program->island < 0 || oe__hub_find(hub, program->id))
		return oe__state_damaged(reader, "one of its members cannot live");
	int status = oe__hub_recall(hub, program, &member);
	if (status < 0)
		return status;
	reader->members[number] = member;
	member->sequence = hub->sequence += oe__unpack_uint(in);
	member->joined = oe__state_get_number(reader);
	place->slot = (uint32_t)oe__unpack_uint(in);
	place->archive_slot = (uint32_t)oe__unpack_uint(in) - 1; /* OE__NO_SLOT */
	for (size_t i = 0; i < oe__hub_dimensions(hub); i++) {
		member->bins[i] = (int32_t)oe__unpack_between(in, 0, hub->settings.bins[i] - 1);
		member->coordinates[i] = oe__unpack_real(in);
	}
	return oe__state_look(reader, "its members cannot be read");
}

static int get_each(struct oe__state_reader *reader, struct place *places)
{
	for (size_t i = 0; i < reader->member_count; i++) {
		int status = get_member(reader, i, &places[i]);
		if (status < 0)
			return status;
	}
	return 0;
}

/* ---- reading: to their places ---- */

/* Members of each island in turn, by slot. */
struct arrangement {
	struct oe__member **slots, **archived;
	size_t *first; /* of each island, and behind the last one */
	size_t archived_count;
};

static void arrangement_done(struct arrangement *arrangement)
{
	oe__free(arrangement->slots);
	oe__free(arrangement->archived);
	oe__free(arrangement->first);
}

OE__AUTO_VALUE(arrangement, struct arrangement, arrangement_done)

static int make_room(const struct oe__state_reader *reader, struct arrangement *out)
{
	size_t islands = (size_t)reader->hub->island_count;

	out->slots = oe__calloc(reader->member_count + 1, sizeof(*out->slots));
	out->archived = oe__calloc(reader->member_count + 1, sizeof(*out->archived));
	out->first = oe__calloc(islands + 1, sizeof(*out->first));
	if (!out->slots || !out->archived || !out->first)
		return OE_ERR_NOMEM;
	for (size_t i = 0; i < reader->member_count; i++)
		out->first[reader->members[i]->island + 1]++;
	for (size_t i = 0; i < islands; i++)
		out->first[i + 1] += out->first[i];
	return 0;
}

/* @return false: there is no such place, or it is taken. */
static bool take(struct oe__member **places, size_t count, uint32_t place, struct oe__member *member)
{
	if (place >= count || places[place])
		return false;
	places[place] = member;
	return true;
}

static int arrange(struct oe__state_reader *reader, const struct place *places,
                   struct arrangement *out)
{
	for (size_t i = 0; i < reader->member_count; i++) {
		struct oe__member *member = reader->members[i];
		size_t first = out->first[member->island];
		size_t count = out->first[member->island + 1] - first;

		if (!take(out->slots + first, count, places[i].slot, member) ||
		    (places[i].archive_slot != OE__NO_SLOT &&
		     !take(out->archived + first, count, places[i].archive_slot, member)))
			return oe__state_damaged(reader, "two of its members have one place");
		out->archived_count += places[i].archive_slot != OE__NO_SLOT;
	}
	return 0;
}

static int join(struct oe__island *island, struct oe__member *const *members, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int status = oe__island_reserve(island);
		if (status < 0)
			return status;
		oe__island_join(island, members[i]);
	}
	return 0;
}

static int settle(struct oe__state_reader *reader, const struct arrangement *arrangement)
{
	oe_hub *hub = reader->hub;

	for (int32_t i = 0; i < hub->island_count; i++) {
		size_t first = arrangement->first[i], count = arrangement->first[i + 1] - first;
		int status = join(&hub->islands[i], arrangement->slots + first, count);
		if (status < 0)
			return status;
		for (size_t k = 0; k < count && arrangement->archived[first + k]; k++)
			oe__archive_add(&hub->archive, arrangement->archived[first + k]);
	}
	if (oe__rank_count(&hub->archive.ranks) != arrangement->archived_count)
		return oe__state_damaged(reader, "its archive has a gap");
	for (size_t i = 0; i < reader->member_count; i++) {
		struct oe__member *member = reader->members[i];
		oe__rank_mark(&hub->islands[member->island].ranks, &member->island_rank,
		              oe__hub_may_travel(hub, member));
	}
	return 0;
}

/* ---- reading: cells and bests ---- */

static struct oe__member *get_place(struct oe__state_reader *reader)
{
	uint64_t number = oe__unpack_uint(&reader->in);

	if (number > 0 && number <= reader->member_count)
		return reader->members[number - 1];
	if (number > 0)
		(void)oe__unpack_fail(&reader->in);
	return NULL;
}

static int get_cells(struct oe__state_reader *reader, int32_t index)
{
	struct oe__island *island = &reader->hub->islands[index];
	size_t dimensions = oe__hub_dimensions(reader->hub), count = oe__unpack_count(&reader->in);

	for (size_t i = 0; i < count; i++) {
		struct oe__member *elite = get_place(reader);

		if (!elite || elite->island != index || oe__island_elite(island, elite->bins, dimensions))
			return oe__state_damaged(reader, "its feature map cannot be read");
		int status = oe__island_take_cell(island, elite, dimensions);
		if (status < 0)
			return status;
	}
	return 0;
}

static int get_islands(struct oe__state_reader *reader)
{
	oe_hub *hub = reader->hub;

	for (int32_t i = 0; i < hub->island_count; i++) {
		hub->islands[i].generation = oe__state_get_number(reader);
		struct oe__member *best = get_place(reader);
		if (best && best->island != i)
			return oe__state_damaged(reader, "the best of an island lives on another one");
		oe__hub_set_island_best(hub, i, best);
		int status = get_cells(reader, i);
		if (status < 0)
			return status;
	}
	oe__hub_set_best(hub, get_place(reader));
	if ((hub->best != NULL) != (hub->count > 0))
		return oe__state_damaged(reader, "there is a best, or none, of nobody");
	return oe__state_look(reader, "its islands cannot be read");
}

/* A hub can be freed whose members have their places; those that have none yet go now. */
static void forget_placeless(struct oe__state_reader *reader)
{
	for (size_t i = 0; i < reader->member_count; i++) {
		struct oe__member *member = reader->members[i];

		if (!member || member->slot != OE__NO_SLOT)
			continue;
		oe__hub_forget(reader->hub, member);
		reader->members[i] = NULL;
	}
}

int oe__state_get_members(struct oe__state_reader *reader)
{
	OE__AUTO(arrangement) struct arrangement arrangement = { 0 };
	OE__AUTO(memory) void *memory = NULL;
	size_t count = oe__unpack_count(&reader->in);

	if (count > reader->program_count)
		return oe__state_damaged(reader, "it has more members than programs");
	reader->members = oe__calloc(count + 1, sizeof(*reader->members));
	memory = oe__calloc(count + 1, sizeof(struct place));
	if (!reader->members || !memory)
		return OE_ERR_NOMEM;
	reader->member_count = count;
	int status = get_each(reader, memory);
	if (status == 0)
		status = make_room(reader, &arrangement);
	if (status == 0)
		status = arrange(reader, memory, &arrangement);
	if (status == 0)
		status = settle(reader, &arrangement);
	if (status < 0)
		forget_placeless(reader);
	return status < 0 ? status : get_islands(reader);
}
