#ifndef OE__HUB_HUB_INTERNAL_H
#define OE__HUB_HUB_INTERNAL_H

/*
 * The state of a hub, for the files of this folder and their tests. Owner thread.
 *
 *     place.c     a program joins: cell, island, archive, eviction, bests
 *     select.c    a sample: parent, inspirations, top list
 *     migrate.c   copies of the fittest to both neighbours on the ring
 *     iterate.c   iterations begin and end
 *     ledger.c    numbers, attempts, outcomes: each iteration ends exactly once
 *     snapshot.c  the state as an oe_population
 *     restore.c   and back
 *     check.c     the invariants
 *     hub.c       the public interface
 */

#include "hub/archive.h"
#include "hub/feature.h"
#include "hub/hub.h"
#include "hub/island.h"
#include "hub/settings.h"

/* An iteration under way, or one that failed and waits for its next attempt. */
struct oe__ledger_entry {
	int64_t number;
	int32_t attempt;
	struct oe__ledger_entry *next; /* in the queue of repeats */
};

struct oe__ledger {
	int64_t issued, ended;
	int64_t last;    /* highest number to give; INT64_MAX: any           */
	int64_t foreign; /* numbers that ended elsewhere, without an outcome */
	int64_t outcomes[OE_OUTCOME_COUNT];
	struct oe__map open;                             /* number to entry                */
	struct oe__ledger_entry *repeats, **repeats_end; /* failed, to be given again */
	size_t repeat_count;
};

struct oe_hub {
	struct oe__hub_settings settings;
	struct oe__island *islands;
	int32_t island_count;
	struct oe__archive archive;
	struct oe__features features;
	struct oe__diversity diversity;
	struct oe__slab members;            /* where they live                                      */
	struct oe__map ids;                 /* to members                                           */
	struct oe__map contents;            /* SHA-256 of the code to the oldest of those members   */
	struct oe__member *oldest, *newest; /* by order of joining                       */
	size_t count;
	struct oe__member *best;
	oe_program *initial; /* what an empty island samples; or NULL               */
	struct oe__attempt_list initial_attempts;
	struct oe__attempt_pool attempts;
	int64_t generation_max; /* over the islands                                 */
	int64_t last_migration; /* generation_max at that time                      */
	int64_t last_iteration; /* highest number of a program that joined          */
	int64_t seeded;         /* initial programs so far                          */
	uint64_t sequence;      /* members so far                                   */
	uint64_t draw;          /* marks used so far; see select.c                  */
	int64_t version;        /* changes so far                                   */
	struct oe__crossing *crossing; /* while programs migrate; see migrate.c     */
	struct oe__ledger ledger;
	bool checked; /* invariants after every call */
	void (*migrated)(void *owner, oe_program *copy); /* or NULL */
	void *migrated_owner;
};

static inline size_t oe__hub_dimensions(const oe_hub *hub)
{
	return hub->settings.axes->dimensions.count;
}

/* ---- place.c ---- */

/* What joining did. */
struct oe__placement {
	struct oe__member *member;
	bool best, new_cell, replaced;
};

/* Add a program to an island. Its identifier must be new. All or nothing. */
int oe__hub_place(oe_hub *hub, oe_program *program, int32_t island, struct oe__placement *out);

/* The same for a program that held this place before: no contest for its cell, which the caller
   restores, no eviction, no new bests. */
int oe__hub_place_again(oe_hub *hub, oe_program *program, int32_t island, struct oe__member **out);

void oe__hub_remove(oe_hub *hub, struct oe__member *member);
void oe__hub_evict(oe_hub *hub); /* until the population is not larger than it may be */
void oe__hub_set_best(oe_hub *hub, struct oe__member *member);
void oe__hub_set_island_best(oe_hub *hub, int32_t island, struct oe__member *member);

struct oe__member *oe__hub_find(const oe_hub *hub, const char *id);
struct oe__member *oe__hub_find_hash(const oe_hub *hub, const uint8_t hash[OE__SHA256_SIZE]);
bool oe__hub_island_has(const oe_hub *hub, int32_t island, const struct oe__source *source);

/* ---- select.c ---- */

/* Which of the three ways a parent was drawn, for tests. */
enum oe__choice { OE__CHOICE_INITIAL, OE__CHOICE_UNIFORM, OE__CHOICE_ARCHIVE, OE__CHOICE_FITNESS };

/* NULL: the island is empty. */
struct oe__member *oe__hub_draw_parent(oe_hub *hub, int32_t island, int64_t number, int32_t attempt,
									   enum oe__choice *choice);

/* A sample of an island; its programs are referenced by the result. */
int oe__hub_sample(oe_hub *hub, int64_t number, int32_t attempt, oe_iteration **out);
int oe__hub_sample_again(oe_hub *hub, struct oe__sample_spec *spec, oe_iteration **out);

/* ---- migrate.c ---- */

/* Migrate if the time has come. @return copies made, or a status. */
int oe__hub_migrate_if_due(oe_hub *hub);
int oe__hub_migrate(oe_hub *hub);

/* Those who may travel are marked in the ranking of their island: originals whose code one of both
   neighbours lacks. */
bool oe__hub_may_travel(const oe_hub *hub, const struct oe__member *member);

/* Of the members with the text of `member`, itself included, mark anew those who live on that
   island or beside it: one of them came to the island, or left it. */
void oe__hub_mark_travellers(oe_hub *hub, struct oe__member *member, int32_t island);

/* It left the population. @return whether it stays in memory, because its turn to travel comes. */
bool oe__hub_keep_traveller(oe_hub *hub, struct oe__member *member);

/* ---- ledger.c ---- */

void oe__ledger_init(struct oe__ledger *ledger, int64_t iterations);
void oe__ledger_done(struct oe__ledger *ledger);

/* Number and attempt to open next; 1, or 0 when the last number was given. */
int oe__ledger_next(const struct oe__ledger *ledger, int64_t *number, int32_t *attempt);
int oe__ledger_open(struct oe__ledger *ledger, int64_t number, int32_t attempt);
bool oe__ledger_is_open(const struct oe__ledger *ledger, int64_t number, int32_t attempt);
bool oe__ledger_has(const struct oe__ledger *ledger, int64_t number); /* open, or waiting */
size_t oe__ledger_open_count(const struct oe__ledger *ledger);

/* End an open one with its outcome, or give its number again with the next attempt. */
void oe__ledger_end(struct oe__ledger *ledger, int64_t number, int outcome);
bool oe__ledger_repeat(struct oe__ledger *ledger, int64_t number); /* false: often enough */
int64_t oe__ledger_lose_missing(struct oe__ledger *ledger);

/* ---- snapshot.c ---- */

int oe__hub_freeze(const oe_hub *hub, oe_population **out);

/* ---- restore.c ---- */

int oe__hub_thaw(oe_hub *hub, const oe_population *population);

/* `program` as it lives in this hub: on that island, with the fitness that our axes give it. */
int oe__hub_adopt(const oe_hub *hub, oe_program *program, int32_t island, oe_program **out);

/* ---- iterate.c ---- */

/* Remember an attempt on a parent and on an island; lack of memory is no failure. */
void oe__hub_note(oe_hub *hub, int32_t island, const char *parent_id, struct oe__attempt *attempt);
bool oe__hub_is_instructive(int outcome); /* does it say how to change the parent, or how not? */

/* ---- check.c ---- */

/* After every call that changes a hub: see oe__hub_check(). */
void oe__hub_assert(const oe_hub *hub);

/* ---- hub.c ---- */

int oe__hub_make_islands(oe_hub *hub, int32_t count);

#endif /* OE__HUB_HUB_INTERNAL_H */
