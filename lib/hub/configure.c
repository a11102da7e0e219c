/*
 * A hub from a configuration.
 */

#include <stddef.h>
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

static int64_t wanted_bins(const struct oe__value *bins, const char *name)
{
	const struct oe__value *one = bins->type == OE__VALUE_MAP ? oe__value_get(bins, name) : bins;

	return one ? one->integer : BINS_DEFAULT;
}

/* OpenEvolve raises a common number only, never those of a map. */
static int32_t bins_of(const struct oe__value *bins, const char *name, size_t archive_size, size_t dimensions)
{
	int64_t wanted = wanted_bins(bins, name);

	return bins->type == OE__VALUE_MAP ? (int32_t)wanted
	                                   : oe__effective_bins(wanted, archive_size, dimensions);
}

static int read_bins(const struct oe__value *bins, struct oe__hub_settings *out, oe_error *err)
{
	const struct oe__dimensions *dimensions = &out->axes->dimensions;

	out->bins = oe__calloc(dimensions->count, sizeof(*out->bins));
	if (!out->bins)
		return oe__error_nomem(err);
	for (size_t i = 0; i < dimensions->count; i++) {
		int64_t wanted = wanted_bins(bins, dimensions->names[i]);
		if (wanted < 1 || wanted > OE__BINS_MAX)
			return oe__error(err, OE_ERR_CONFIG,
							 "'database.feature_bins' is %lld, expected 1 to %d", (long long)wanted,
							 OE__BINS_MAX);
		out->bins[i] = bins_of(bins, dimensions->names[i], out->archive_size, dimensions->count);
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

/* What decides about samples and places, if it is a number. Not "max_iterations", which only says how far. */
#define DECISIVE(name, member)                                                                     \
	{ name, offsetof(struct oe__hub_settings, member), sizeof(((struct oe__hub_settings *)0)->member) }

static const struct decisive {
	const char *name;
	size_t offset, size;
} decisive[] = {
	DECISIVE("hub.semantics", semantics),
	DECISIVE("hub.on_failure", on_failure),
	DECISIVE("hub.window", window),
	DECISIVE("database.num_islands", island_count),
	DECISIVE("database.population_size", population_size),
	DECISIVE("database.archive_size", archive_size),
	DECISIVE("database.exploration_ratio", exploration_ratio),
	DECISIVE("database.exploitation_ratio", exploitation_ratio),
	DECISIVE("database.diversity_reference_size", diversity_reference_size),
	DECISIVE("database.migration_interval", migration_interval),
	DECISIVE("database.migration_rate", migration_rate),
	DECISIVE("prompt.num_top_programs", inspiration_count),
	DECISIVE("prompt.num_diverse_programs", top_count),
	DECISIVE("prompt.num_previous_attempts", attempt_count),
};

/* The numbers as the hub takes them: different texts may come to the same. */
static void read_decisive(const oe_config *config, struct oe__hub_settings *out)
{
	read_numbers(config, out);
	/* In the steady state a window only says how many iterations are open. */
	out->window = out->semantics == OE__SEMANTICS_STEADY ? 0 : oe__effective_window(out);
}

static const char *changed_number(const struct oe__hub_settings *a, const struct oe__hub_settings *b)
{
	for (size_t i = 0; i < OE__COUNT(decisive); i++) {
		size_t offset = decisive[i].offset;
		if (memcmp((const char *)a + offset, (const char *)b + offset, decisive[i].size) != 0)
			return decisive[i].name;
	}
	return NULL;
}

static bool same_dimensions(const struct oe__value *a, const struct oe__value *b)
{
	for (size_t i = 0; a->size == b->size && i < a->size; i++)
		if (strcmp(a->items[i].string, b->items[i].string) != 0)
			return false;
	return a->size == b->size;
}

/* Of the same dimensions, and the same archive. */
static bool same_bins(const struct oe__value *a, const struct oe__value *b,
                      const struct oe__value *dimensions, size_t archive_size)
{
	size_t count = dimensions->size;

	for (size_t i = 0; i < count; i++) {
		const char *name = dimensions->items[i].string;
		if (bins_of(a, name, archive_size, count) != bins_of(b, name, archive_size, count))
			return false;
	}
	return true;
}

static const char *changed_axes(const oe_config *before, const oe_config *after, size_t archive_size)
{
	const struct oe__value *dimensions = oe__config_value(after, "database.feature_dimensions");

	if (!same_dimensions(oe__config_value(before, "database.feature_dimensions"), dimensions))
		return "database.feature_dimensions";
	return same_bins(oe__config_value(before, "database.feature_bins"),
	                 oe__config_value(after, "database.feature_bins"), dimensions, archive_size)
	           ? NULL
	           : "database.feature_bins";
}

static bool same_seed(const oe_config *a, const oe_config *b)
{
	uint64_t seeds[2] = { 0, 0 };
	bool given = oe__config_seed(a, &seeds[0]);

	return given == oe__config_seed(b, &seeds[1]) && seeds[0] == seeds[1];
}

const char *oe__hub_changed_option(const oe_config *before, const oe_config *after)
{
	struct oe__hub_settings was = { 0 }, is = { 0 }; /* of numbers only: nothing to free */

	read_decisive(before, &was);
	read_decisive(after, &is);
	const char *changed = changed_number(&was, &is);
	if (!changed)
		changed = changed_axes(before, after, is.archive_size);
	if (!changed && !same_seed(before, after))
		changed = oe__config_seed_option(after);
	return changed;
}

int oe_hub_new(const oe_config *config, oe_hub **out, oe_error *err)
{
	OE__AUTO(hub_settings) struct oe__hub_settings settings = { 0 };

	if (!config || !out)
		return oe__error(err, OE_ERR_INVALID, "oe_hub_new: NULL argument");
	int status = oe__hub_settings_read(config, &settings, err);
	return status < 0 ? status : oe__hub_new(&settings, out, err);
}
