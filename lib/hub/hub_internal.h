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
 *     turn.c      ends that wait: where iterations end in the order of their numbers
 *     equivalent.c  who is the same but for comments and white space
 *     ordered.c   semantics "ordered": each number in its turn, samples ahead of time
 *     generation.c  semantics "generation": all numbers of a generation at its barrier
 *     snapshot.c  the state as an oe_population
 *     restore.c   and back
 *     state.c     the state as bytes, and back; see state_internal.h
 *     check.c     the invariants; check_turns.c: those of turns
 *     hub.c       the public interface
 */

#include "hub/archive.h"
#include "hub/departed.h"
#include "hub/feature.h"
#include "hub/hub.h"
#include "hub/island.h"
#include "hub/settings.h"

/* An iteration under way, or one that failed and waits for its next attempt, or one that came to an
   end which waits for its turn. */
struct oe__ledger_entry {
	int64_t number;
	int32_t attempt;
	bool staged;                   /* its end waits           */
	oe_iteration *iteration;       /* while it is open        */
	struct oe__turn *turn;         /* NULL: the state is steady */
	struct oe__ledger_entry *next; /* in the queue of repeats */
};

struct oe__ledger {
	int64_t issued, ended;
	int64_t before;  /* of these: those that a population brought along  */
	int64_t last;    /* highest number to give; INT64_MAX: any           */
	int64_t foreign; /* numbers that ended elsewhere, without an outcome */
	int64_t outcomes[OE_OUTCOME_COUNT];
	struct oe__map open;                             /* number to entry, staged ones too */
	struct oe__ledger_entry *repeats, **repeats_end; /* failed, to be given again        */
	size_t repeat_count, staged_count;
};

/* The place of a number among all that were given and have not ended, and what it came to so far. */
struct oe__turn {
	struct oe__rank_node rank; /* by number */
	int64_t number;
	oe_iteration *iteration; /* the attempt that ended or failed last; NULL: none did */
	oe_program *child;       /* how it ended, while staged                            */
	int outcome;             /* COMMITTED: the child's turn decides                   */
	char *message;
	struct oe__attempt **failed; /* attempts before, oldest first */
	size_t failed_count, failed_capacity;
	bool staged;
};

struct oe__turns {
	struct oe__rank_tree order;
	bool begun;   /* a new number was given, or drawn for: what was open before a restart is known */
	bool stalled; /* memory ran out on the way, or a hold was lifted: the next call goes on first   */
};

/* Semantics "ordered". */
struct oe__ordered {
	oe_iteration **ahead; /* a ring of samples: drawn, and not given yet */
	size_t head, count;
	int64_t position; /* the number that ended last: what joins and leaves does so there */
	int64_t limit;    /* the last number that may end                                    */
	struct oe__departed departed;
};

/* Semantics "generation". */
struct oe__generation {
	int64_t closed;  /* generations so far                                              */
	int64_t first;   /* number of this one                                              */
	int64_t awaited; /* numbers of this one that have not come to an end                */
	bool closing;    /* the barrier has begun                                           */
	bool cut;        /* it closed for want of further numbers; see oe__hub_was_cut() */
	oe_program **seeds; /* initial programs that came meanwhile */
	size_t seed_count, seed_capacity;
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
	struct oe__forms forms;             /* of the members up to `form_newest` */
	struct oe__member *form_newest;
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
	struct oe__turns turns;
	struct oe__ordered ordered;
	struct oe__generation generation;
	bool checked; /* invariants after every call */
	void (*migrated)(void *owner, oe_program *copy); /* or NULL */
	void *migrated_owner;
	oe__settled_fn *settled; /* or NULL */
	void *settled_owner;
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

/* The next one by age, with its names: its island, and what else belongs to its place, is up to the
   caller. Its identifier must be new. */
int oe__hub_recall(oe_hub *hub, oe_program *program, struct oe__member **out);
void oe__hub_forget(oe_hub *hub, struct oe__member *member); /* one that has no island yet */

void oe__hub_remove(oe_hub *hub, struct oe__member *member);
void oe__hub_evict(oe_hub *hub); /* until the population is not larger than it may be */
void oe__hub_set_best(oe_hub *hub, struct oe__member *member);
void oe__hub_set_island_best(oe_hub *hub, int32_t island, struct oe__member *member);

struct oe__member *oe__hub_find(const oe_hub *hub, const char *id);
struct oe__member *oe__hub_find_hash(const oe_hub *hub, const uint8_t hash[OE__SHA256_SIZE]);
bool oe__hub_island_has(const oe_hub *hub, int32_t island, const struct oe__source *source);

/* ---- equivalent.c ---- */

void oe__hub_forget_form(oe_hub *hub, struct oe__member *member); /* which leaves */

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

/* The copy of a program that lives on another island, with that identifier or one of that seed. */
int oe__hub_make_migrant(const oe_hub *hub, oe_program *program, const char *id,
						 const uint64_t id_seed[2], int32_t target, oe_program **out);

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
/* `turn` is kept with a number that has none yet; may be NULL. The iteration is referenced until it
   comes to its end. */
int oe__ledger_open(struct oe__ledger *ledger, oe_iteration *iteration, struct oe__turn *turn);
bool oe__ledger_is_open(const struct oe__ledger *ledger, int64_t number, int32_t attempt);
bool oe__ledger_has(const struct oe__ledger *ledger, int64_t number); /* not ended, as far as known */
size_t oe__ledger_open_count(const struct oe__ledger *ledger);  /* neither staged nor waiting */
int64_t oe__ledger_accounted(const struct oe__ledger *ledger); /* numbers of which it knows    */
struct oe__turn *oe__ledger_turn(const struct oe__ledger *ledger, int64_t number); /* open, staged */

/* End an open one with its outcome, or give its number again with the next attempt. */
void oe__ledger_stage(struct oe__ledger *ledger, int64_t number); /* it is open no more */
void oe__ledger_end(struct oe__ledger *ledger, int64_t number, int outcome);
bool oe__ledger_may_repeat(const struct oe__ledger *ledger, int64_t number); /* not often enough */
void oe__ledger_repeat(struct oe__ledger *ledger, int64_t number);

/* An entry as it was (its iteration and its turn are taken over): of an open number, or of one that is to
   be given again, behind those that are there. */
int oe__ledger_recall(struct oe__ledger *ledger, const struct oe__ledger_entry *as, bool repeated);

/* ---- turn.c ---- */

/* Whose end a caller waits for, and what became of it within the call. */
struct oe__report {
	int64_t number;
	bool settled;
	oe_commit *commit;
};

static inline bool oe__hub_has_turns(const oe_hub *hub)
{
	return hub->settings.semantics != OE__SEMANTICS_STEADY;
}

/* Open a number that has a turn, or gets one. */
int oe__turn_open(oe_hub *hub, oe_iteration *iteration);
void oe__turn_free(struct oe__turn *turn);

/* An open iteration came to an end, which waits for its turn; COMMITTED needs the child only.
   All or nothing. */
int oe__turn_stage(oe_hub *hub, oe_iteration *iteration, int outcome, oe_program *child,
				   const char *message);
/* It failed, and its number is to be given again. */
int oe__turn_repeat(oe_hub *hub, oe_iteration *iteration, int outcome, oe_program *child,
					const char *message);
/* The turn of a staged end has come: it ends now. Nothing has happened if it fails. */
int oe__turn_settle(oe_hub *hub, struct oe__turn *turn, struct oe__report *report);
struct oe__turn *oe__turn_of_rank(struct oe__rank_node *rank);
struct oe__turn *oe__turn_first(oe_hub *hub); /* of all that have not ended; or NULL */

/* End what may end now. What was done before memory ran out stays done, in order: the next call goes
   on. `report` may be NULL. */
int oe__hub_advance(oe_hub *hub, struct oe__report *report);
static inline int oe__hub_recover(oe_hub *hub)
{
	return hub->turns.stalled ? oe__hub_advance(hub, NULL) : 0;
}

/* ---- ordered.c ---- */

int oe__ordered_init(oe_hub *hub);
void oe__ordered_done(oe_hub *hub);
int oe__ordered_advance(oe_hub *hub, struct oe__report *report);
/* The sample of a number to be opened: 1; 0 and the reason; or a status. */
int oe__ordered_sample(oe_hub *hub, int64_t number, int32_t attempt, oe_iteration **out, int *why);
void oe__ordered_opened(oe_hub *hub, int64_t number);
int64_t oe__ordered_drawn(const oe_hub *hub); /* the last number whose sample is drawn, or was given */
int64_t oe__ordered_view(const oe_hub *hub, int64_t number); /* the last number that it may see */
oe_program *oe__ordered_find(const oe_hub *hub, int64_t number,
							 const uint8_t hash[OE__SHA256_SIZE]);
void oe__ordered_leave(oe_hub *hub, const struct oe__member *member);

/* ---- generation.c ---- */

void oe__generation_done(oe_hub *hub);
int oe__generation_advance(oe_hub *hub, struct oe__report *report);
int oe__generation_sample(oe_hub *hub, int64_t number, int32_t attempt, oe_iteration **out,
						  int *why);
void oe__generation_opened(oe_hub *hub, int64_t number);
void oe__generation_staged(oe_hub *hub, int64_t number);
bool oe__generation_is_under_way(const oe_hub *hub);
bool oe__generation_is_complete(const oe_hub *hub);
int oe__generation_keep_seed(oe_hub *hub, oe_program *program);

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

/* An iteration ends here and now: with a child, which joins, or not; and without. */
int oe__hub_end_with(oe_hub *hub, const oe_iteration *iteration, oe_program *child,
					 oe_commit *commit);
void oe__hub_end_without(oe_hub *hub, const oe_iteration *iteration, int outcome,
						 oe_program *child, const char *message);

/* ---- check.c ---- */

/* After every call that changes a hub: see oe__hub_check(). */
void oe__hub_assert(const oe_hub *hub);

/* ---- hub.c ---- */

int oe__hub_make_islands(oe_hub *hub, int32_t count);
int oe__hub_join_initial(oe_hub *hub, oe_program *program, oe_error *err);

#endif /* OE__HUB_HUB_INTERNAL_H */
