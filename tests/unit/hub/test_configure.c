/* lib/hub/configure.c, settings.c */

#include "config/config.h"
#include "world.h"

static oe_config *config(const char *yaml)
{
	oe_config *made = NULL;
	oe_error err = { .message = "" };

	ck_assert_int_eq(oe_config_new(&made), 0);
	ck_assert_msg(oe_config_load_text(made, yaml, strlen(yaml), "test", &err) == 0, "%s",
				  err.message);
	return made;
}

START_TEST(test_defaults)
{
	OE__AUTO(config) oe_config *plain = config("{}");
	OE__AUTO(hub_settings) struct oe__hub_settings settings = { 0 };

	ck_assert_int_eq(oe__hub_settings_read(plain, &settings, NULL), 0);
	ck_assert_int_eq(settings.semantics, OE__SEMANTICS_STEADY);
	ck_assert_int_eq(settings.on_failure, OE__ON_FAILURE_COUNT);
	ck_assert_int_eq(settings.window, 0);
	ck_assert_int_eq(settings.iterations, 10000);
	ck_assert(settings.seed == 42);
	ck_assert_int_eq(settings.island_count, 5);
	ck_assert_uint_eq(settings.population_size, 1000);
	ck_assert_uint_eq(settings.archive_size, 100);
	ck_assert_uint_eq(settings.axes->dimensions.count, 2);
	ck_assert_str_eq(settings.axes->dimensions.names[0], "complexity");
	ck_assert_int_eq(settings.bins[0], 10);
	ck_assert_uint_eq(settings.inspiration_count, 3);
	ck_assert_uint_eq(settings.top_count, 5);
	ck_assert_uint_eq(settings.attempt_count, 3);
}
END_TEST

START_TEST(test_bins)
{
	OE__AUTO(config) oe_config *raised = config("database: {feature_bins: 3, archive_size: 400}");
	OE__AUTO(config)
	oe_config *map = config("database: {feature_dimensions: [complexity, heat],\n"
							"  feature_bins: {complexity: 3}, archive_size: 400}");
	OE__AUTO(config)
	oe_config *text = config("database: {feature_dimensions: heat, archive_size: 0}");
	OE__AUTO(hub_settings) struct oe__hub_settings a = { 0 }, b = { 0 }, c = { 0 };

	ck_assert_int_eq(oe__hub_settings_read(raised, &a, NULL), 0);
	ck_assert_int_eq(a.bins[0], 20);
	ck_assert_int_eq(a.bins[1], 20);
	ck_assert_int_eq(oe__hub_settings_read(map, &b, NULL), 0);
	ck_assert_int_eq(b.bins[0], 3);
	ck_assert_int_eq(b.bins[1], 10);
	ck_assert_int_eq(oe__hub_settings_read(text, &c, NULL), 0);
	ck_assert_uint_eq(c.axes->dimensions.count, 1);
	ck_assert_uint_eq(c.archive_size, 1);
}
END_TEST

START_TEST(test_random_seed)
{
	OE__AUTO(config) oe_config *none = config("random_seed: null\ndatabase: {random_seed: null}\n");
	OE__AUTO(config) oe_config *own = config("random_seed: 1\ndatabase: {random_seed: 7}\n");
	OE__AUTO(hub) oe_hub *a = NULL, *b = NULL, *c = NULL;

	ck_assert_int_eq(oe_hub_new(none, &a, NULL), 0);
	ck_assert_int_eq(oe_hub_new(none, &b, NULL), 0);
	ck_assert(a->settings.seed != b->settings.seed);
	ck_assert_int_eq(oe_hub_new(own, &c, NULL), 0);
	ck_assert(c->settings.seed == 7);
}
END_TEST

START_TEST(test_what_is_refused)
{
	static const char *const yaml[] = {
		"database: {feature_dimensions: []}",
		"database: {feature_dimensions: [a, a]}",
		"database: {feature_dimensions: [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q]}",
	};

	for (size_t i = 0; i < OE__COUNT(yaml); i++) {
		OE__AUTO(config) oe_config *bad = config(yaml[i]);
		oe_hub *hub = NULL;
		oe_error err = { .message = "" };

		ck_assert_msg(oe_hub_new(bad, &hub, &err) == OE_ERR_CONFIG, "%s", yaml[i]);
		ck_assert_uint_gt(strlen(err.message), 10);
		ck_assert_ptr_null(hub);
	}
	ck_assert_int_eq(oe_hub_new(NULL, NULL, NULL), OE_ERR_INVALID);
}
END_TEST

/* A log is played with other settings only if they mean the same. */
START_TEST(test_changed_option)
{
	static const struct {
		const char *before, *after, *name; /* NULL: they mean the same */
	} changes[] = {
		{ "{}", "{}", NULL },
		{ "max_iterations: 5", "max_iterations: 6", NULL },
		{ "hub: {semantics: steady}", "hub: {semantics: ordered}", "hub.semantics" },
		{ "hub: {window: 0}", "hub: {window: 64}", NULL },
		{ "hub: {window: 7}", "hub: {window: 9}", NULL },
		{ "hub: {semantics: ordered}", "hub: {semantics: ordered, window: 64}", NULL },
		{ "hub: {semantics: generation, window: 64}", "hub: {semantics: generation}", NULL },
		{ "hub: {semantics: ordered}", "hub: {semantics: ordered, window: 63}", "hub.window" },
		{ "hub: {semantics: ordered, window: 3}", "hub: {semantics: ordered, window: 4}", "hub.window" },
		{ "hub: {on_failure: count}", "hub: {on_failure: replace}", "hub.on_failure" },
		{ "database: {archive_size: 0}", "database: {archive_size: 1}", NULL },
		{ "database: {archive_size: 1}", "database: {archive_size: 2}", "database.archive_size" },
		{ "database: {population_size: 5}", "database: {population_size: 6}",
		  "database.population_size" },
		{ "database: {num_islands: 2}", "database: {num_islands: 3}", "database.num_islands" },
		{ "database: {exploration_ratio: 0.2}", "database: {exploration_ratio: 2.0e-1}", NULL },
		{ "database: {exploration_ratio: 0.2}", "database: {exploration_ratio: 0.3}",
		  "database.exploration_ratio" },
		{ "database: {exploitation_ratio: 0.2}", "database: {exploitation_ratio: 0.3}",
		  "database.exploitation_ratio" },
		{ "database: {migration_interval: 2}", "database: {migration_interval: 3}",
		  "database.migration_interval" },
		{ "database: {migration_rate: 0.2}", "database: {migration_rate: 0.3}", "database.migration_rate" },
		{ "database: {diversity_reference_size: 2}", "database: {diversity_reference_size: 3}",
		  "database.diversity_reference_size" },
		{ "prompt: {num_top_programs: 2}", "prompt: {num_top_programs: 3}", "prompt.num_top_programs" },
		{ "prompt: {num_diverse_programs: 2}", "prompt: {num_diverse_programs: 3}",
		  "prompt.num_diverse_programs" },
		{ "prompt: {num_previous_attempts: 2}", "prompt: {num_previous_attempts: 3}",
		  "prompt.num_previous_attempts" },
		{ "database: {feature_dimensions: heat}", "database: {feature_dimensions: [heat]}", NULL },
		{ "database: {feature_dimensions: [a, b]}", "database: {feature_dimensions: [b, a]}",
		  "database.feature_dimensions" },
		{ "database: {feature_dimensions: [a, b]}", "database: {feature_dimensions: [a]}",
		  "database.feature_dimensions" },
		{ "database: {feature_bins: 3}", "database: {feature_bins: 10}", NULL }, /* room for all */
		{ "database: {feature_bins: 3}", "database: {feature_bins: {complexity: 10, diversity: 10}}", NULL },
		{ "database: {feature_bins: {heat: 3}}", "database: {feature_bins: {heat: 4}}", NULL },
		{ "database: {feature_bins: 10}", "database: {feature_bins: 11}", "database.feature_bins" },
		{ "database: {feature_bins: {complexity: 3}}", "database: {feature_bins: {complexity: 4}}",
		  "database.feature_bins" },
		{ "random_seed: 1", "random_seed: 2", "random_seed" },
		{ "random_seed: 1", "{random_seed: 2, database: {random_seed: 1}}", NULL },
	};

	for (size_t i = 0; i < OE__COUNT(changes); i++) {
		OE__AUTO(config) oe_config *before = config(changes[i].before), *after = config(changes[i].after);
		const char *name = oe__hub_changed_option(before, after);
		ck_assert_msg(changes[i].name ? name && strcmp(name, changes[i].name) == 0 : !name, "%s; %s: %s",
		              changes[i].before, changes[i].after, name ? name : "no change");
	}
}
END_TEST

TEST_MAIN("configure", test_defaults, test_bins, test_random_seed, test_what_is_refused, test_changed_option)
