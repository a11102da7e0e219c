/* What only shows when all options are there: oe_config_check(). */

#include <string.h>

#include "base/error.h"
#include "base/limits.h"
#include "config/config_internal.h"

/* An error at the place where an option was set. */
static int fail(const oe_config *config, const char *name, const char *message, oe_error *err)
{
	const struct oe__setting *setting = &config->settings[oe__option_index(name)];

	return oe__error_at(err, OE_ERR_CONFIG, setting->where, setting->line, setting->column,
						"'%s' %s", name, message);
}

static int check_models(const oe_config *config, enum oe__model_role role, oe_error *err)
{
	OE__AUTO(models) struct oe__models models = { 0 };
	int status = oe__models_resolve(config, role, &models, err);

	/* That there is no model at all is said by who needs one. */
	if (status < 0 || models.count == 0)
		return status;
	oe__models_done(&models);
	return oe__config_models(config, role, &models, err);
}

int oe_config_check(const oe_config *config, oe_error *err)
{
	if (!config)
		return oe__error(err, OE_ERR_INVALID, "oe_config_check: NULL argument");
	if (oe__config_value(config, "database.feature_dimensions")->size > OE__DIMENSIONS_MAX)
		return fail(config, "database.feature_dimensions", "has more than 16 names", err);
	_Static_assert(OE__DIMENSIONS_MAX == 16, "the message above says so");
	if (!oe__config_is_null(config, "budget.cost_usd") &&
		oe__config_is_null(config, "budget.prices"))
		return fail(config, "budget.cost_usd", "needs `budget.prices`, a file with what models charge",
					err);
	int status = check_models(config, OE__ROLE_EVOLUTION, err);
	if (status == 0)
		status = check_models(config, OE__ROLE_JUDGE, err);
	return status;
}
