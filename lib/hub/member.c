/*
 * Members. See member.h.
 */

#include "hub/member.h"

#include <assert.h>
#include <math.h>

size_t oe__member_size(size_t dimensions)
{
	return sizeof(struct oe__member) + dimensions * (sizeof(double) + sizeof(int32_t));
}

int oe__member_new(struct oe__slab *slab, oe_program *program, size_t dimensions,
				   struct oe__member **out)
{
	struct oe__member *member = oe__slab_take(slab);

	if (!member)
		return OE_ERR_NOMEM;
	member->program = oe_program_ref(program);
	member->island = program->island;
	member->slot = OE__NO_SLOT;
	member->archive_slot = OE__NO_SLOT;
	member->bins = (int32_t *)(void *)(member->coordinates + dimensions);
	for (size_t i = 0; i < dimensions; i++)
		member->coordinates[i] = NAN;
	*out = member;
	return 0;
}

void oe__member_free(struct oe__slab *slab, struct oe__member *member)
{
	if (!member)
		return;
	assert(member->attempts.count == 0);
	assert(member->island_rank.size == 0 && member->archive_rank.size == 0);
	oe_program_unref(member->program);
	oe__slab_give(slab, member);
}

double oe__member_key(const struct oe__member *member)
{
	return isnan(member->program->fitness) ? -INFINITY : member->program->fitness;
}
