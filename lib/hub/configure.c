/*
 * A hub from a configuration.
 */

#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "base/limits.h"
#include "config/config.h"
#include "hub/hub.h"

/* Bins of an axis that a map of bins does not name. */
#define BINS_DEFAULT 10

static int read_axes(const struct oe__value *list, struct oe__axes **out, oe_error *err)
{
	const char *names[OE__DIMENSIONS_MAX];

	if (list->size < 1 || list->size > OE__DIMENSIONS_MAX)
		return oe__error(err, OE_ERR_CONFIG,
						 "'database.feature_dimensions' has %zu items, expected 1 to %d",
						 list->size, OE__DIMENSIONS_MAX);
	for (size_t i = 0; i < list->size; i++) {
		names[i] = list->items[i].string;
		for (size_t k = 0; k < i; k++)
			if (strcmp(names[i], names[k]) == 0)
				return oe__error(err, OE_ERR_CONFIG,
								 "'database.feature_dimensions' names '%s' twice", names[i]);
	}
	int status = oe__axes_new(names, list->size, out);
	return status < 0 ? oe__error_nomem(err) : 0;
}

static int read_bins(const struct oe__value *bins, struct oe__hub_settings *out, oe_error *err)
{
	const struct oe__dimensions *dimensions = &out->axes->dimensions;

	out->bins = oe__calloc(dimensions->count, sizeof(*out->bins));
	if (!out->bins)
		return oe__error_nomem(err);
	for (size_t i = 0; i < dimensions->count; i++) {
		const struct oe__value *one = bins;

		if (bins->type == OE__VALUE_MAP)
			one = oe__value_get(bins, dimensions->names[i]);
		int64_t wanted = one ? one->integer : BINS_DEFAULT;
		if (wanted < 1 || wanted > OE__BINS_MAX)
			return oe__error(err, OE_ERR_CONFIG,
							 "'database.feature_bins' is %lld, expected 1 to %d", (long long)wanted,
							 OE__BINS_MAX);
		/* OpenEvolve raises a common number only, never those of a map. */
		out->bins[i] = bins->type == OE__VALUE_MAP
						   ? (int32_t)wanted
						   : oe__effective_bins(wanted, out->archive_size, dimensions->count);
	}
	return 0;
}

static size_t at_least_one(int64_t value)
{
	return value > 1 ? (size_t)value : 1;
}

static int read_seed(const oe_config *config, struct oe__hub_settings *out, oe_error *err)
{
	char fresh[OE__UUID_SIZE];

	if (oe__config_seed(config, &out->seed))
		return 0;
	int status = oe__uuid_random(fresh);
	if (status < 0)
		return oe__error(err, status, "no randomness for the seed of the run");
	out->seed = oe__hash64(fresh, strlen(fresh), 0);
	return 0;
}

static void read_numbers(const oe_config *config, struct oe__hub_settings *out)
{
	out->semantics = (enum oe__semantics)oe__config_choice(config, "hub.semantics");
	out->on_failure = (enum oe__on_failure)oe__config_choice(config, "hub.on_failure");
	out->window = oe__config_int(config, "hub.window");
	out->iterations = oe__config_int(config, "max_iterations");
	out->island_count = (int32_t)oe__config_int(config, "database.num_islands");
	out->population_size = at_least_one(oe__config_int(config, "database.population_size"));
	/* An archive of none would leave exploitation without a choice; OpenEvolve keeps one, too. */
	out->archive_size = at_least_one(oe__config_int(config, "database.archive_size"));
	out->exploration_ratio = oe__config_real(config, "database.exploration_ratio");
	out->exploitation_ratio = oe__config_real(config, "database.exploitation_ratio");
	out->migration_interval = oe__config_int(config, "database.migration_interval");
	out->migration_rate = oe__config_real(config, "database.migration_rate");
	out->diversity_reference_size =
		at_least_one(oe__config_int(config, "database.diversity_reference_size"));
	out->inspiration_count = (size_t)oe__config_int(config, "prompt.num_top_programs");
	out->top_count =
		out->inspiration_count + (size_t)oe__config_int(config, "prompt.num_diverse_programs");
	out->attempt_count = (size_t)oe__config_int(config, "prompt.num_previous_attempts");
}

int oe__hub_settings_read(const oe_config *config, struct oe__hub_settings *out, oe_error *err)
{
	OE__AUTO(hub_settings) struct oe__hub_settings settings = { 0 };

	read_numbers(config, &settings);
	int status = read_seed(config, &settings, err);
	if (status == 0)
		status =
			read_axes(oe__config_value(config, "database.feature_dimensions"), &settings.axes, err);
	if (status == 0)
		status = read_bins(oe__config_value(config, "database.feature_bins"), &settings, err);
	if (status < 0)
		return status;
	*out = settings;
	settings = (struct oe__hub_settings){ 0 };
	return 0;
}

/* What decides about samples and places. Not "max_iterations", which only says how far. */
static const char *const decisive[] = {
	"hub.semantics",
	"hub.on_failure",
	"database.num_islands",
	"database.population_size",
	"database.archive_size",
	"database.exploration_ratio",
	"database.exploitation_ratio",
	"database.feature_dimensions",
	"database.feature_bins",
	"database.diversity_reference_size",
	"database.migration_interval",
	"database.migration_rate",
	"prompt.num_top_programs",
	"prompt.num_diverse_programs",
	"prompt.num_previous_attempts",
};

static bool same_value(const oe_config *a, const oe_config *b, const char *name)
{
	return strcmp(oe_config_get(a, name), oe_config_get(b, name)) == 0;
}

static bool same_seed(const oe_config *a, const oe_config *b)
{
	uint64_t seeds[2] = { 0, 0 };
	bool given = oe__config_seed(a, &seeds[0]);

	return given == oe__config_seed(b, &seeds[1]) && seeds[0] == seeds[1];
}

const char *oe__hub_changed_option(const oe_config *before, const oe_config *after)
{
	for (size_t i = 0; i < OE__COUNT(decisive); i++)
		if (!same_value(before, after, decisive[i]))
			return decisive[i];
	/* In the steady state a window only says how many iterations are open. */
	if (oe__config_choice(after, "hub.semantics") != OE__SEMANTICS_STEADY &&
		!same_value(before, after, "hub.window"))
		return "hub.window";
	return same_seed(before, after) ? NULL : oe__config_seed_option(after);
}

int oe_hub_new(const oe_config *config, oe_hub **out, oe_error *err)
{
	OE__AUTO(hub_settings) struct oe__hub_settings settings = { 0 };

	if (!config || !out)
		return oe__error(err, OE_ERR_INVALID, "oe_hub_new: NULL argument");
	int status = oe__hub_settings_read(config, &settings, err);
	return status < 0 ? status : oe__hub_new(&settings, out, err);
}
