/*
 * Whole configurations: OpenEvolve's own files and small ones about single rules. They load, have
 * the effective values that OpenEvolve gives them (or the wanted ones), and name every key that
 * nobody reads.
 */

#include <math.h>

#include "../../golden.h"
#include "base/file.h"
#include "config/config_internal.h"
#include "config/option.h"

static const char *lookup(const char *name, void *userdata)
{
	const struct oe__value *env = userdata;
	const struct oe__value *value = env ? oe__value_get(env, name) : NULL;
	return value ? value->string : NULL;
}

/* ---- values ---- */

/* Numbers are the same whatever their type: true, 1 and 1.0 set an option to the same. */
static bool number_of(const struct oe__value *value, double *out)
{
	const struct oe__value *special =
		value->type == OE__VALUE_MAP ? oe__value_get(value, "$float") : NULL;

	if (special)
		*out = special->string[0] == 'n'   ? (double)NAN
			   : special->string[0] == '-' ? -HUGE_VAL
										   : HUGE_VAL;
	else if (value->type == OE__VALUE_BOOL)
		*out = value->boolean;
	else if (value->type == OE__VALUE_INT || value->type == OE__VALUE_REAL)
		*out = value->real;
	else
		return false;
	return true;
}

static bool same(const struct oe__value *expected, const struct oe__value *got)
{
	double a, b;

	if (number_of(expected, &a))
		return number_of(got, &b) && (a == b || (isnan(a) && isnan(b)));
	if (expected->type != got->type)
		return false;
	if (expected->type == OE__VALUE_STRING)
		return expected->size == got->size && !memcmp(expected->string, got->string, got->size);
	if (expected->type == OE__VALUE_NULL)
		return true;
	if (expected->size != got->size)
		return false;
	for (size_t i = 0; i < got->size; i++) {
		const struct oe__value *item = &got->items[i];
		if (expected->type == OE__VALUE_MAP)
			item = oe__value_get(got, expected->keys[i].string);
		if (!item || !same(&expected->items[i], item))
			return false;
	}
	return true;
}

static bool same_text(const struct oe__value *expected, const char *got)
{
	bool none = expected->type == OE__VALUE_NULL || expected->size == 0;
	return none ? !got || !*got : got && strcmp(expected->string, got) == 0;
}

static bool same_real(const struct oe__value *map, const char *key, bool has, double got)
{
	const struct oe__value *expected = oe__value_get(map, key);
	return expected->type == OE__VALUE_NULL ? !has : has && expected->real == got;
}

/* ---- models ---- */

static bool same_model(const struct oe__value *expected, const struct oe__model *got)
{
	OE__AUTO(string) char *base = oe__strdup(oe__value_get(expected, "api_base")->string);

	for (size_t size = strlen(base); size > 0 && base[size - 1] == '/'; size--)
		base[size - 1] = '\0';
	return same_text(oe__value_get(expected, "name"), got->name) &&
		   strcmp(base, got->api_base) == 0 &&
		   same_text(oe__value_get(expected, "api_key"), got->api_key) &&
		   same_text(oe__value_get(expected, "reasoning_effort"), got->reasoning_effort) &&
		   same_real(expected, "weight", true, got->weight) &&
		   same_real(expected, "temperature", got->has_temperature, got->temperature) &&
		   same_real(expected, "top_p", got->has_top_p, got->top_p) &&
		   same_real(expected, "max_tokens", got->has_max_tokens, (double)got->max_tokens) &&
		   same_real(expected, "random_seed", got->has_seed, (double)got->seed) &&
		   same_real(expected, "timeout", true, (double)got->timeout_ms / 1000) &&
		   same_real(expected, "retries", true, (double)got->retries) &&
		   same_real(expected, "retry_delay", true, (double)got->retry_delay_ms / 1000);
}

static bool same_models(const oe_config *config, const char *name, const struct oe__value *expected)
{
	OE__AUTO(models) struct oe__models models = { 0 };
	enum oe__model_role role =
		strcmp(name, "llm.models") == 0 ? OE__ROLE_EVOLUTION : OE__ROLE_JUDGE;
	oe_error err = { 0 };

	if (oe__models_resolve(config, role, &models, &err) < 0) {
		fprintf(stderr, "    %s: %s\n", name, err.message);
		return false;
	}
	if (models.count != expected->size)
		return false;
	for (size_t i = 0; i < models.count; i++)
		if (!same_model(&expected->items[i], &models.items[i]))
			return false;
	return true;
}

/* ---- options ---- */

static bool same_option(const oe_config *config, const char *name, const struct oe__value *expected)
{
	const struct oe__value *got = oe__config_value(config, name);

	if (strcmp(name, "llm.models") == 0 || strcmp(name, "llm.evaluator_models") == 0)
		return same_models(config, name, expected);
	if (strcmp(name, "llm.api_key") == 0) {
		const char *key = NULL;
		return (got->type != OE__VALUE_STRING ||
				oe__variable_expand(config, got->string, name, &key, NULL) == 0) &&
			   same_text(expected, key);
	}
	/* OpenEvolve copies the top value over a null here; we do that where the seed is used. */
	if (strcmp(name, "database.random_seed") == 0 && got->type == OE__VALUE_NULL)
		got = oe__config_value(config, "random_seed");
	/* Its default of 1 is the number of processors here. */
	if (strcmp(name, "evaluator.parallel_evaluations") == 0 && !oe__config_is_set(config, name))
		return got->integer == 0 && expected->integer == 1;
	/* A path is whole here. */
	if ((oe__options[oe__option_index(name)].traits & OE__TRAIT_PATH) && expected->size > 0) {
		OE__AUTO(string) char *whole = oe__path_absolute(expected->string);
		return got->type == OE__VALUE_STRING && strcmp(whole, got->string) == 0;
	}
	return same(expected, got);
}

static bool same_section(const oe_config *config, const char *section,
						 const struct oe__value *expected)
{
	bool agree = true;

	for (size_t i = 0; i < expected->size; i++) {
		OE__AUTO(buffer) struct oe__buffer name = OE__BUFFER_INIT(0);
		oe__buffer_printf(&name, "%s%s%s", section, *section ? "." : "", expected->keys[i].string);
		if (oe__option_index(name.data) < 0 && expected->items[i].type == OE__VALUE_MAP) {
			agree &= same_section(config, name.data, &expected->items[i]);
		} else if (oe__option_index(name.data) < 0) {
			fprintf(stderr, "    %s is not in the option table\n", name.data);
			agree = false;
		} else if (!same_option(config, name.data, &expected->items[i])) {
			fprintf(stderr, "    %s differs: %s\n", name.data, oe_config_get(config, name.data));
			agree = false;
		}
	}
	return agree;
}

/* The unknown keys that were warned of are the recorded ones. */
static bool same_warnings(const oe_config *config, const struct oe__value *keys)
{
	const oe_error *warning;
	size_t unknown = 0, found = 0;

	for (size_t i = 0; (warning = oe_config_warning(config, i)) != NULL; i++) {
		if (strncmp(warning->message, "unknown key ", 12) != 0)
			continue;
		unknown++;
		for (size_t k = 0; k < keys->size; k++) {
			OE__AUTO(buffer) struct oe__buffer quoted = OE__BUFFER_INIT(0);
			oe__buffer_printf(&quoted, "unknown key '%s'", keys->items[k].string);
			found += strncmp(warning->message, quoted.data, quoted.size) == 0 && warning->line > 0;
		}
	}
	if (unknown != keys->size || found != keys->size)
		fprintf(stderr, "    %zu unknown keys, %zu of them among the %zu recorded ones\n", unknown,
				found, keys->size);
	return unknown == keys->size && found == keys->size;
}

static bool check(const char *directory, const struct oe__value *item)
{
	OE__AUTO(string) char *path = oe__path_join(directory, golden_text(item, "yaml").data);
	OE__AUTO(config) oe_config *config = NULL;
	const struct oe__value *env = oe__value_get(item, "env");
	const struct oe__value *effective = oe__value_get(item, "wanted_effective");
	const char *wanted = golden_text(item, "wanted").data;
	oe_error err = { 0 };

	if (!effective)
		effective = oe__value_get(item, "effective");
	if (oe_config_new(&config) < 0 ||
		oe_config_set_environment(config, lookup, (void *)(uintptr_t)env, &err) < 0)
		return false;
	int status = oe_config_load(config, path, &err);
	if (strcmp(wanted, "any") == 0)
		return true; /* and no crash */
	if (strcmp(wanted, "error") == 0)
		return status == OE_ERR_CONFIG && err.line > 0 && err.column > 0;
	if (status < 0) {
		fprintf(stderr, "    %s:%d:%d: %s\n", err.where, err.line, err.column, err.message);
		return false;
	}
	bool agree = same_section(config, "", effective);
	return same_warnings(config, oe__value_get(item, "ignored_keys")) && agree;
}

int main(void)
{
	const char *given = getenv("OE_GOLDEN"), *root = getenv("OE_SOURCE_ROOT");
	OE__AUTO(string)
	char *base = given ? oe__strdup(given) : oe__path_join(root ? root : ".", "../shared/golden");
	OE__AUTO(string) char *directory = oe__path_join(base, "configs");
	char **names = NULL;
	size_t count = 0, cases = 0, failures = 0;
	oe_error err;

	if (!oe__file_is_directory(base)) {
		fprintf(stderr, "SKIPPED: no golden vectors in %s (set OE_GOLDEN)\n", base);
		return GOLDEN_SKIPPED;
	}
	if (oe__directory_list(directory, &names, &count, &err) < 0) {
		fprintf(stderr, "%s: %s\n", directory, err.message);
		return EXIT_FAILURE;
	}
	for (size_t i = 0; i < count; i++) {
		OE__AUTO(string) char *path = oe__path_join(directory, names[i]);
		OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);
		OE__AUTO(value) struct oe__value item = { 0 };
		size_t size = strlen(names[i]);
		if (size < 5 || strcmp(names[i] + size - 5, ".json") != 0)
			continue;
		cases++;
		if (oe__file_read(path, &text, &err) < 0 ||
			oe__json_parse(text.data, text.size, &item, &err) < 0 || !check(directory, &item)) {
			fprintf(stderr, "FAILED %s\n", names[i]);
			failures++;
		}
	}
	oe__directory_list_free(names, count);
	fprintf(stderr, "configs: %zu of %zu cases agree\n", cases - failures, cases);
	return failures == 0 && cases > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
