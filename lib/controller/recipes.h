#ifndef OE__CONTROLLER_RECIPES_H
#define OE__CONTROLLER_RECIPES_H

/*
 * What the prompts of a run were made with, and its answers read with: it may have gone on with other
 * templates, another language, other limits than it began with. One thread.
 */

#include "base/auto.h"
#include "edit/edit.h"
#include "prompt/prompt.h"
#include "store/database.h"

struct oe__recipes {
	struct oe__prompts_until {
		int64_t seq; /* the last call of the hub that was made under them */
		struct oe__prompt_set *set;
	} *prompts; /* the first ones first */
	size_t prompt_count, prompt_capacity;
	struct oe__rules_until {
		int64_t seq; /* likewise */
		struct oe__edit_rules *rules;
	} *rules;
	size_t rule_count, rule_capacity;
};

/* None are read of a run that has made nothing yet. */
int oe__recipes_read(struct oe__database *database, struct oe__recipes *out, oe_error *err);
void oe__recipes_done(struct oe__recipes *recipes); /* accepts a zeroed one */

/* The prompt of that sample which has this hash, so that nobody need know when it was asked.
   @return 1; 0: it comes out differently, whatever it is made with; or a status */
int oe__recipes_render(const struct oe__recipes *recipes, const oe_iteration *iteration,
                       const uint8_t *hash, struct oe__prompt *out, oe_error *err);

/* The prompt of one that nobody answered: as it was asked when call `seq` of the hub was made, which ended
   it; INT64_MAX: as it would be asked now. */
int oe__recipes_render_at(const struct oe__recipes *recipes, const oe_iteration *iteration, int64_t seq,
                          struct oe__prompt *out, oe_error *err);

/* How answers were read as call `seq` of the hub was made: what was open as a session ended is read again
   by the next one. Borrowed. */
struct oe__edit_rules *oe__recipes_rules(const struct oe__recipes *recipes, int64_t seq);

OE__AUTO_VALUE(recipes, struct oe__recipes, oe__recipes_done)

#endif /* OE__CONTROLLER_RECIPES_H */
