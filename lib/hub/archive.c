/*
 * The archive. See archive.h.
 */

#include "hub/archive.h"

#include <assert.h>

static struct oe__member *least_fit(struct oe__archive *archive)
{
	struct oe__rank_node *node = oe__rank_last(&archive->ranks);

	return node ? OE__CONTAINER(node, struct oe__member, archive_rank) : NULL;
}

void oe__archive_add(struct oe__archive *archive, struct oe__member *member)
{
	assert(!oe__archive_has(member));
	oe__rank_insert(&archive->ranks, &member->archive_rank, oe__member_key(member),
					member->sequence);
	oe__island_archive(&archive->islands[member->island], member);
}

void oe__archive_remove(struct oe__archive *archive, struct oe__member *member)
{
	assert(oe__archive_has(member));
	oe__rank_remove(&archive->ranks, &member->archive_rank);
	oe__island_unarchive(&archive->islands[member->island], member);
}

void oe__archive_offer(struct oe__archive *archive, struct oe__member *member)
{
	if (oe__rank_count(&archive->ranks) >= archive->capacity) {
		struct oe__member *least = least_fit(archive);

		if (!oe__program_better(member->program, least->program))
			return;
		oe__archive_remove(archive, least);
	}
	/* It may have inherited the place of the elite that it displaced. The least fit makes way all
	   the same, as in OpenEvolve. */
	if (!oe__archive_has(member))
		oe__archive_add(archive, member);
}

void oe__archive_trim(struct oe__archive *archive)
{
	while (oe__rank_count(&archive->ranks) > archive->capacity)
		oe__archive_remove(archive, least_fit(archive));
}
