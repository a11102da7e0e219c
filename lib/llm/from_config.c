/* The backends that a configuration asks for: a weighted ensemble of its models. */

#include "base/error.h"
#include "config/config.h"
#include "llm/llm.h"

static int make_backend(const oe_config *config, const struct oe__model *model,
						oe_scheduler *scheduler, oe_llm **out, oe_error *err)
{
	(void)config;
	(void)scheduler;
	if (model->backend == OE__BACKEND_MUTATE)
		return oe_llm_mutate_new(out) < 0 ? oe__error_nomem(err) : 0;
	return oe__error(err, OE_ERR_CONFIG, "this build has no LLM backend '%s'",
					 oe__backend_name(model->backend));
}

int oe_llm_from_config(const oe_config *config, oe_scheduler *scheduler, int judges, oe_llm **out,
					   oe_error *err)
{
	OE__AUTO(models) struct oe__models models = { 0 };
	OE__AUTO(llm) oe_llm *ensemble = NULL;

	if (!config || !scheduler || !out)
		return oe__error(err, OE_ERR_INVALID, "oe_llm_from_config: NULL argument");
	int status =
		oe__config_models(config, judges ? OE__ROLE_JUDGE : OE__ROLE_EVOLUTION, &models, err);
	if (status == 0 && oe_llm_ensemble_new(&ensemble) < 0)
		status = oe__error_nomem(err);
	for (size_t i = 0; i < models.count && status == 0; i++) {
		OE__AUTO(llm) oe_llm *member = NULL;

		status = make_backend(config, &models.items[i], scheduler, &member, err);
		if (status == 0 && oe_llm_ensemble_add(ensemble, member, models.items[i].weight) < 0)
			status = oe__error_nomem(err);
	}
	if (status == 0)
		*out = OE__STEAL(ensemble);
	return status;
}
