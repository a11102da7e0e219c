#include "controller/recipes.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/json.h"
#include "config/config.h"
#include "controller/recorded.h"
#include "store/former.h"
#include "store/load.h"

void oe__recipes_done(struct oe__recipes *recipes)
{
	for (size_t i = 0; i < recipes->prompt_count; i++)
		oe__prompt_set_unref(recipes->prompts[i].set);
	for (size_t i = 0; i < recipes->rule_count; i++)
		oe__edit_rules_free(recipes->rules[i].rules);
	oe__free(recipes->prompts);
	oe__free(recipes->rules);
	*recipes = (struct oe__recipes){ 0 };
}

/* ---- reading ---- */

struct reading {
	struct oe__recipes *recipes;
	const char *path;
};

static int damaged(const struct reading *reading, const char *what, const oe_error *why, oe_error *err)
{
	return oe__error_at(err, OE_ERR_FORMAT, reading->path, 0, 0, "its %s are damaged: %s", what,
	                    why->message);
}

static int read_prompts(void *owner, int64_t until, const char *text, oe_error *err)
{
	const struct reading *reading = owner;
	struct oe__recipes *recipes = reading->recipes;
	OE__AUTO(value) struct oe__value value = { 0 };
	void *prompts = recipes->prompts;
	oe_error why = { .message = "" };

	int status = oe__grow(&prompts, &recipes->prompt_capacity, recipes->prompt_count + 1,
	                      sizeof(*recipes->prompts));
	recipes->prompts = prompts;
	if (status < 0)
		return oe__error_nomem(err);
	struct oe__prompts_until *last = &recipes->prompts[recipes->prompt_count];
	last->seq = until;
	status = oe__json_parse(text, strlen(text), &value, &why);
	if (status == 0)
		status = oe__prompt_set_read(&value, &last->set, &why);
	if (status < 0)
		return status == OE_ERR_NOMEM ? oe__error_nomem(err)
		                              : damaged(reading, "templates", &why, err);
	recipes->prompt_count++;
	return 0;
}

static int make_rules(const char *text, struct oe__edit_rules **out, oe_error *err)
{
	OE__AUTO(config) oe_config *config = NULL;
	struct oe__edit_options options;

	int status = oe__recorded_config_read(text, &config, err);
	if (status < 0)
		return status;
	oe__edit_options_read(config, &options);
	return oe__edit_rules_new(&options, out, err);
}

static int read_rules(void *owner, int64_t until, const char *text, oe_error *err)
{
	const struct reading *reading = owner;
	struct oe__recipes *recipes = reading->recipes;
	void *rules = recipes->rules;
	oe_error why = { .message = "" };

	int status = oe__grow(&rules, &recipes->rule_capacity, recipes->rule_count + 1,
	                      sizeof(*recipes->rules));
	recipes->rules = rules;
	if (status < 0)
		return oe__error_nomem(err);
	struct oe__rules_until *last = &recipes->rules[recipes->rule_count];
	last->seq = until;
	status = make_rules(text, &last->rules, &why);
	if (status < 0)
		return status == OE_ERR_NOMEM ? oe__error_nomem(err)
		                              : damaged(reading, "settings", &why, err);
	recipes->rule_count++;
	return 0;
}

int oe__recipes_read(struct oe__database *database, struct oe__recipes *out, oe_error *err)
{
	struct reading reading = { out, database->path };
	int64_t calls = 0;

	/* One that was about to begin with a checkpoint asked nothing yet, and may not say what with. */
	int status = oe__database_number(database, "SELECT EXISTS (SELECT 1 FROM log)", &calls, err);
	if (status < 0 || calls == 0)
		return status;
	status = oe__former_read(database, "templates", read_prompts, &reading, err);
	return status < 0 ? status : oe__former_read(database, "config", read_rules, &reading, err);
}

/* ---- using ---- */

int oe__recipes_render(const struct oe__recipes *recipes, const oe_iteration *iteration,
                       const uint8_t *hash, struct oe__prompt *out, oe_error *err)
{
	for (size_t i = recipes->prompt_count; i-- > 0;) {
		int status = oe__prompt_render(recipes->prompts[i].set, iteration, out, err);
		if (status < 0)
			return status;
		if (memcmp(out->hash, hash, sizeof(out->hash)) == 0)
			return 1;
	}
	return 0;
}

int oe__recipes_render_at(const struct oe__recipes *recipes, const oe_iteration *iteration, int64_t seq,
                          struct oe__prompt *out, oe_error *err)
{
	size_t i = 0;

	while (i + 1 < recipes->prompt_count && recipes->prompts[i].seq < seq)
		i++;
	return oe__prompt_render(recipes->prompts[i].set, iteration, out, err);
}

struct oe__edit_rules *oe__recipes_rules(const struct oe__recipes *recipes, int64_t seq)
{
	size_t i = 0;

	while (i + 1 < recipes->rule_count && recipes->rules[i].seq < seq)
		i++;
	return recipes->rules[i].rules;
}
