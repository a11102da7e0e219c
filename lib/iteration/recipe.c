#include "iteration/recipe.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "config/config.h"

static int make_rules(const oe_config *config, struct oe__edit_rules **out, oe_error *err)
{
	struct oe__edit_options options;

	oe__edit_options_read(config, &options);
	return oe__edit_rules_new(&options, out, err);
}

int oe__recipe_new(const oe_config *config, oe_scheduler *scheduler, oe_llm *llm,
                   oe_evaluator *evaluator, struct oe__recipe **out, oe_error *err)
{
	OE__AUTO(recipe) struct oe__recipe *recipe = oe__calloc(1, sizeof(*recipe));
	if (!recipe)
		return oe__error_nomem(err);
	const char *language = oe__config_string(config, "language");
	const char *prompts = oe__config_string(config, "store.prompts");
	int64_t timeout_ms = oe__config_ms(config, "evaluator.timeout");

	recipe->scheduler = oe_scheduler_ref(scheduler);
	recipe->llm = oe_llm_ref(llm);
	recipe->evaluator = oe_evaluator_ref(evaluator);
	recipe->edit_mode = oe__config_bool(config, "diff_based_evolution") ? OE_EDIT_DIFF
	                                                                     : OE_EDIT_REWRITE;
	recipe->evaluation_timeout_ms = timeout_ms > 0 ? timeout_ms : 0;
	recipe->equivalents = oe__config_choice(config, "hub.duplicates") == 1;
	recipe->keep_prompts = prompts && strcmp(prompts, "full") == 0;
	recipe->language = oe__strdup(language ? language : "");
	if (!recipe->language)
		return oe__error_nomem(err);
	int status = oe__prompt_set_new(config, &recipe->prompts, err);
	if (status == 0)
		status = make_rules(config, &recipe->rules, err);
	if (status < 0)
		return status;
	*out = OE__STEAL(recipe);
	return 0;
}

void oe__recipe_free(struct oe__recipe *recipe)
{
	if (!recipe)
		return;
	oe__edit_rules_free(recipe->rules);
	oe__prompt_set_unref(recipe->prompts);
	oe__free(recipe->language);
	oe_evaluator_unref(recipe->evaluator);
	oe_llm_unref(recipe->llm);
	oe_scheduler_unref(recipe->scheduler);
	oe__free(recipe);
}
