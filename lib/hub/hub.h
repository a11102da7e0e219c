#ifndef OE__HUB_HUB_H
#define OE__HUB_HUB_H

/*
 * The hub for other layers: what the public interface leaves to the controller, and what tests look
 * at. Owner thread.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/auto.h"
#include "hub/settings.h"
#include "openevolve/hub.h"

/* Like oe_hub_new(), from settings, which are copied. */
int oe__hub_new(const struct oe__hub_settings *settings, oe_hub **out, oe_error *err);

/* Highest number to give from now on. oe_hub_new() and oe_hub_restore() set it to "max_iterations"
   more than were given before; a run that is resumed goes on to the number it had in mind. */
void oe__hub_set_last(oe_hub *hub, int64_t number);
int64_t oe__hub_last(const oe_hub *hub);

/* Do iterations end in the order of their numbers, when their turn has come? */
bool oe__hub_ends_in_turn(const oe_hub *hub);

/* How many iterations may be open at once; 0: the caller sees to it. Where the window decides about
   samples, it stays as it is. */
void oe__hub_set_window(oe_hub *hub, int64_t window);
int64_t oe__hub_window(const oe_hub *hub);

/* The first option in which two configurations differ so that their hubs would decide differently; NULL
   if there is none. */
const char *oe__hub_changed_option(const oe_config *before, const oe_config *after);

/* The program's own failure, which "hub.on_failure: replace" does not count as an iteration? */
bool oe__hub_is_program_failure(int outcome);

/* All numbers that were given and have not ended, in the order in which they were given last, but for
   those that wait for their next attempt: open ones with their samples; NULL: the end waits for its
   turn. Goes on for as long as `see` gives 0; what it gave otherwise. */
int oe__hub_walk_open(const oe_hub *hub,
					  int (*see)(void *owner, int64_t number, int32_t attempt,
								 oe_iteration *iteration),
					  void *owner);

/* Iterations under way: given, not ended, not waiting for their next attempt. */
size_t oe__hub_open_count(const oe_hub *hub);

/* Be told of each copy that migrates, as it joins; `migrated` may be NULL. */
void oe__hub_on_migrant(oe_hub *hub, void (*migrated)(void *owner, oe_program *copy), void *owner);

/* Be told of each iteration that ends in its turn (semantics "generation" and "ordered"), in order; also
   of the one whose commit is being made. `child` may be NULL. Not to call the hub, but for
   oe__hub_hold(). `settled` may be NULL. */
typedef void oe__settled_fn(void *owner, const oe_iteration *iteration, oe_program *child,
							const oe_commit *commit);
void oe__hub_on_settled(oe_hub *hub, oe__settled_fn *settled, void *owner);

/* In "ordered": nothing after this number ends, whatever is committed; INT64_MAX: no limit. A run that
   is over at a number is over there however many later ones were under way. What a higher limit lets
   end does so with the next call. */
void oe__hub_hold(oe_hub *hub, int64_t number);

/* Tell the forms of all members (program/form.h) now, and not when somebody asks for an equivalent. */
void oe__hub_tell_forms(oe_hub *hub);

/* Did a generation close because the last number had been given, before it was full? Says so once.
   A log that is played with another last number needs to know. */
bool oe__hub_was_cut(oe_hub *hub);

struct oe__hub_figures {
	size_t programs, islands, cells, archive;
	int64_t version;        /* changes so far; an iteration knows the one it was drawn from */
	int64_t next_migration; /* generations until then; -1: one island never migrates        */
	int64_t last_iteration; /* highest number of a program that joined                      */
	int64_t position;       /* in "ordered": the number that ended last                     */
	int64_t staged;         /* iterations whose end waits for its turn                      */
	int64_t generation;     /* generations that closed                                      */
	int64_t generation_given, generation_ended; /* numbers of the one under way             */
	uint64_t visits;        /* tree nodes looked at so far: the cost, without a clock       */
};
void oe__hub_figures(const oe_hub *hub, struct oe__hub_figures *out);

/*
 * The invariants of a hub; NULL, or the sentence that does not hold. Walks everything. With
 * oe__hub_set_checked() it runs after every call that changes the hub and asserts; builds without
 * optimisation begin that way.
 */
const char *oe__hub_check(const oe_hub *hub);
void oe__hub_set_checked(oe_hub *hub, bool checked);

OE__AUTO_POINTER(hub, oe_hub *, oe_hub_free)

#endif /* OE__HUB_HUB_H */
