/*
 * Which models a run asks: entries of the lists, OpenEvolve's older single names, what each
 * inherits from `llm`, and where its key comes from. Done when the models are used, so that every
 * way of setting `llm.*` reaches them.
 */

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "config/config_internal.h"

static const char *const backend_names[] = {
	[OE__BACKEND_OPENAI] = "openai", [OE__BACKEND_ANTHROPIC] = "anthropic",
	[OE__BACKEND_AZURE] = "azure",   [OE__BACKEND_COMMAND] = "command",
	[OE__BACKEND_MUTATE] = "mutate",
};

const char *oe__backend_name(enum oe__backend backend)
{
	return backend_names[backend];
}

void oe__models_done(struct oe__models *models)
{
	for (size_t i = 0; i < models->string_count; i++)
		oe__free(models->strings[i]);
	oe__free(models->strings);
	oe__free(models->items);
	*models = (struct oe__models){ 0 };
}

/* Own a string that the configuration does not hold. Takes it over. */
static const char *own(struct oe__models *models, char *text)
{
	void *strings = models->strings;

	if (!text)
		return NULL;
	int status = oe__grow(&strings, &models->string_capacity, models->string_count + 1,
						  sizeof(*models->strings));
	models->strings = strings;
	if (status < 0) {
		oe__free(text);
		return NULL;
	}
	models->strings[models->string_count++] = text;
	return text;
}

/* ---- inheritance ---- */

/* A model being filled in: an entry of a list (or NULL), on top of `llm`. */
struct source {
	const oe_config *config;
	const struct oe__value *entry;
	struct oe__models *models;
};

/* Value of a field; nulls of the entry inherit. */
static const struct oe__value *field(const struct source *source, const char *key, bool *set)
{
	const struct oe__value *value = source->entry ? oe__value_get(source->entry, key) : NULL;

	if (value && value->type != OE__VALUE_NULL) {
		if (set)
			*set = true;
		return value;
	}
	int index = oe__option_index_in("llm", key);
	assert(index >= 0);
	if (set)
		*set = source->config->settings[index].origin != OE_ORIGIN_DEFAULT;
	return &source->config->settings[index].value;
}

static const char *text_field(const struct source *source, const char *key)
{
	const struct oe__value *value = field(source, key, NULL);
	return value->type == OE__VALUE_STRING ? value->string : NULL;
}

static bool real_field(const struct source *source, const char *key, double *out, unsigned bit,
					   unsigned *user_set)
{
	bool set;
	const struct oe__value *value = field(source, key, &set);

	if (value->type == OE__VALUE_NULL)
		return false;
	*out = value->real;
	*user_set |= set ? bit : 0;
	return true;
}

static bool int_field(const struct source *source, const char *key, int64_t *out, unsigned bit,
					  unsigned *user_set)
{
	bool set;
	const struct oe__value *value = field(source, key, &set);

	if (value->type == OE__VALUE_NULL)
		return false;
	*out = value->integer;
	*user_set |= set ? bit : 0;
	return true;
}

static int64_t ms_field(const struct source *source, const char *key)
{
	return (int64_t)ceil(field(source, key, NULL)->real * 1000);
}

/* ---- where it is ---- */

/* The host of a URL, in `*size` bytes. */
static const char *host_of(const char *url, size_t *size)
{
	const char *start = strstr(url, "://");
	start = start ? start + 3 : url;
	size_t authority = strcspn(start, "/?#");
	const char *at = memrchr(start, '@', authority);

	if (at) {
		authority -= (size_t)(at + 1 - start);
		start = at + 1;
	}
	const char *colon = memchr(start, ':', authority);
	*size = colon ? (size_t)(colon - start) : authority;
	return start;
}

static bool host_ends(const char *url, const char *suffix)
{
	size_t size, length = strlen(suffix);
	const char *host = host_of(url, &size);

	return size >= length && strncasecmp(host + size - length, suffix, length) == 0;
}

static bool has_provider(const struct source *source, const char *name)
{
	const char *given = text_field(source, "provider");

	return given && strcmp(given, name) == 0;
}

static enum oe__backend backend_of(const struct source *source, const char *api_base)
{
	const char *given = text_field(source, "backend");

	for (size_t i = 0; given && i < OE__COUNT(backend_names); i++)
		if (strcmp(backend_names[i], given) == 0)
			return (enum oe__backend)i;
	if (has_provider(source, "claude_code"))
		return OE__BACKEND_COMMAND;
	if (host_ends(api_base, "api.anthropic.com"))
		return OE__BACKEND_ANTHROPIC;
	if (host_ends(api_base, ".openai.azure.com") ||
		host_ends(api_base, ".cognitiveservices.azure.com"))
		return OE__BACKEND_AZURE;
	return OE__BACKEND_OPENAI;
}

/* Without trailing slashes. */
static int fill_base(struct source *source, struct oe__model *model, oe_error *err)
{
	bool set;
	const struct oe__value *value = field(source, "api_base", &set);
	const char *base;

	int status = oe__variable_expand(source->config, value->string, "llm.api_base", &base, err);
	if (status < 0)
		return status;
	model->backend = backend_of(source, base);
	if (model->backend == OE__BACKEND_ANTHROPIC && !set)
		base = "https://api.anthropic.com";
	size_t size = strlen(base);
	while (size > 0 && base[size - 1] == '/')
		size--;
	model->api_base = own(source->models, oe__strndup(base, size));
	return model->api_base ? 0 : oe__error_nomem(err);
}

/* ---- its key ---- */

static int read_key_file(struct source *source, const char *path, struct oe__model *model,
						 oe_error *err)
{
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(64 * 1024);
	int status = oe__file_read(path, &text, err);

	if (status < 0)
		return status;
	const char *key = oe__buffer_string(&text);
	size_t size = text.size;
	while (size > 0 && oe__is_space(key[size - 1]))
		size--;
	for (; size > 0 && oe__is_space(*key); key++)
		size--;
	if (size == 0 || memchr(key, '\n', size) || memchr(key, '\0', size))
		return oe__error_at(err, OE_ERR_CONFIG, path, 0, 0,
							"expected an API key and nothing else in the key file");
	model->api_key = own(source->models, oe__strndup(key, size));
	return model->api_key ? 0 : oe__error_nomem(err);
}

static const char *usual_key(const struct source *source, enum oe__backend backend)
{
	return oe__variable_get(source->config, backend == OE__BACKEND_ANTHROPIC ? "ANTHROPIC_API_KEY"
											: backend == OE__BACKEND_AZURE ? "AZURE_OPENAI_API_KEY"
																		   : "OPENAI_API_KEY");
}

/* The entry's key, the entry's file, then the stronger one of `llm`'s, then the provider's usual
   variable. A key of "" means none. */
static int fill_key(struct source *source, struct oe__model *model, oe_error *err)
{
	const struct oe__value *key = source->entry ? oe__value_get(source->entry, "api_key") : NULL;
	const struct oe__value *file =
		source->entry ? oe__value_get(source->entry, "api_key_file") : NULL;
	bool key_given = key && key->type == OE__VALUE_STRING;
	bool file_given = !key_given && file && file->type == OE__VALUE_STRING;

	if (!key_given && !file_given) {
		const char *names[] = { "llm.api_key", "llm.api_key_file" };
		int key_level = oe_config_origin_level(source->config, names[0]);
		int file_level = oe_config_origin_level(source->config, names[1]);
		key = oe__config_value(source->config, names[0]);
		file = oe__config_value(source->config, names[1]);
		/* OPENAI_API_KEY is for its own provider only: see usual_key(). */
		key_given = key->type == OE__VALUE_STRING && key_level != OE_ORIGIN_PROVIDER;
		file_given = file->type == OE__VALUE_STRING && (!key_given || file_level > key_level);
	}
	if (file_given)
		return read_key_file(source, file->string, model, err);
	const char *text = NULL;
	int status = 0;
	if (key_given)
		status = oe__variable_expand(source->config, key->string, "llm.api_key", &text, err);
	else
		text = usual_key(source, model->backend);
	if (status < 0)
		return status;
	model->api_key = text && *text != '\0' ? text : NULL;
	return 0;
}

/* ---- one model ---- */

static int fill(struct source *source, const char *name, double weight, oe_error *err)
{
	struct oe__model *model = &source->models->items[source->models->count];
	const struct oe__value *command = field(source, "command", NULL);

	*model = (struct oe__model){ .weight = weight };
	int status = oe__variable_expand(source->config, name ? name : "", "llm.name", &model->name, err);
	if (status == 0)
		status = fill_base(source, model, err);
	if (status == 0 && model->backend <= OE__BACKEND_AZURE)
		status = fill_key(source, model, err);
	if (status < 0)
		return status;
	model->has_temperature = real_field(source, "temperature", &model->temperature,
										OE__MODEL_TEMPERATURE, &model->user_set);
	model->has_top_p =
		real_field(source, "top_p", &model->top_p, OE__MODEL_TOP_P, &model->user_set);
	model->has_max_tokens =
		int_field(source, "max_tokens", &model->max_tokens, OE__MODEL_MAX_TOKENS, &model->user_set);
	model->has_seed =
		int_field(source, "random_seed", &model->seed, OE__MODEL_SEED, &model->user_set);
	model->reasoning_effort = text_field(source, "reasoning_effort");
	model->verbosity = text_field(source, "verbosity");
	model->user_set |= model->reasoning_effort ? OE__MODEL_REASONING_EFFORT : 0;
	if (source->entry) {
		const struct oe__value *message = oe__value_get(source->entry, "system_message");
		model->system_message =
			message && message->type == OE__VALUE_STRING ? message->string : NULL;
	}
	model->timeout_ms = ms_field(source, "timeout");
	model->retry_delay_ms = ms_field(source, "retry_delay");
	model->retries = field(source, "retries", NULL)->integer;
	if (model->backend == OE__BACKEND_OPENAI) {
		model->organization = oe__variable_get(source->config, "OPENAI_ORG_ID");
		model->project = oe__variable_get(source->config, "OPENAI_PROJECT_ID");
	}
	model->api_version = text_field(source, "api_version");
	model->anthropic_version = text_field(source, "anthropic_version");
	model->command = command->size > 0 ? command : NULL;
	model->claude_code = !model->command && has_provider(source, "claude_code");
	if (!text_field(source, "backend") &&
		(has_provider(source, "copilot_cli") || has_provider(source, "codex_app_server")))
		model->unavailable = text_field(source, "provider");
	model->budget_usd = -1;
	(void)real_field(source, "max_budget_usd", &model->budget_usd, 0, &model->user_set);
	source->models->count++;
	return 0;
}

/* ---- the list ---- */

static const char *name_given(const oe_config *config, const char *option)
{
	const char *name = oe__config_string(config, option);
	return name && *name != '\0' ? name : NULL;
}

static double weight_given(const oe_config *config, const char *option, double usual)
{
	return oe__config_is_null(config, option) ? usual : oe__config_real(config, option);
}

static int fill_entries(struct source *source, const struct oe__value *list, oe_error *err)
{
	int status = 0;

	for (size_t i = 0; status == 0 && i < list->size; i++) {
		source->entry = &list->items[i];
		const struct oe__value *name = oe__value_get(source->entry, "name");
		const struct oe__value *weight = oe__value_get(source->entry, "weight");
		status = fill(source, name && name->type == OE__VALUE_STRING ? name->string : NULL,
					  weight && weight->type != OE__VALUE_NULL ? weight->real : 1.0, err);
	}
	source->entry = NULL;
	return status;
}

/* The models of `llm`: a name given by a stronger origin than the list replaces it (as OpenEvolve's
   --primary-model does), one of the same origin comes after it. */
static int fill_own(struct source *source, oe_error *err)
{
	const oe_config *config = source->config;
	const struct oe__value *list = oe__config_value(config, "llm.models");
	const char *primary = name_given(config, "llm.primary_model");
	const char *secondary = name_given(config, "llm.secondary_model");
	int list_level = list->size > 0 ? oe_config_origin_level(config, "llm.models") : 0;
	int primary_level = primary ? oe_config_origin_level(config, "llm.primary_model") : 0;
	int secondary_level = secondary ? oe_config_origin_level(config, "llm.secondary_model") : 0;
	double first = weight_given(config, "llm.primary_model_weight", 0);
	double second = weight_given(config, "llm.secondary_model_weight", 0.2);
	int status = 0;

	if (list_level >= primary_level && list_level >= secondary_level)
		status = fill_entries(source, list, err);
	bool list_wins = list_level > primary_level && list_level > secondary_level;
	if (status == 0 && primary && !list_wins)
		status = fill(source, primary, first == 0 ? 1.0 : first, err);
	if (status == 0 && secondary && !list_wins && second > 0)
		status = fill(source, secondary, second, err);
	return status;
}

/* A backend that needs no name is a model by itself. */
static bool backend_is_model(const oe_config *config)
{
	const char *backend = oe__config_string(config, "llm.backend");

	return backend && (strcmp(backend, backend_names[OE__BACKEND_COMMAND]) == 0 ||
					   strcmp(backend, backend_names[OE__BACKEND_MUTATE]) == 0);
}

int oe__models_resolve(const oe_config *config, enum oe__model_role role, struct oe__models *out,
					   oe_error *err)
{
	OE__AUTO(models) struct oe__models models = { 0 };
	const struct oe__value *judges = oe__config_value(config, "llm.evaluator_models");
	bool own_list = role == OE__ROLE_EVOLUTION || judges->size == 0;
	size_t most = judges->size + oe__config_value(config, "llm.models")->size + 3;
	struct source source = { .config = config, .models = &models };

	models.items = oe__calloc(most, sizeof(*models.items));
	if (!models.items)
		return oe__error_nomem(err);
	int status = own_list ? fill_own(&source, err) : fill_entries(&source, judges, err);
	if (status == 0 && models.count == 0 && backend_is_model(config))
		status = fill(&source, oe__config_string(config, "llm.name"), 1.0, err);
	if (status < 0)
		return status;
	assert(models.count <= most);
	*out = models;
	models = (struct oe__models){ 0 };
	return 0;
}

/* ---- using it ---- */

static int check_model(const struct oe__model *model, const char *list, size_t index, oe_error *err)
{
	bool remote = model->backend <= OE__BACKEND_AZURE;

	if (!isfinite(model->weight) || model->weight < 0)
		return oe__error(err, OE_ERR_CONFIG,
						 "the weight of model %zu of '%s' is not a number of at least 0", index + 1,
						 list);
	if (remote && *model->name == '\0')
		return oe__error(err, OE_ERR_CONFIG, "model %zu of '%s' has no name", index + 1, list);
	if (remote && !oe__has_prefix(model->api_base, "http://") &&
		!oe__has_prefix(model->api_base, "https://"))
		return oe__error(err, OE_ERR_CONFIG,
						 "the api_base of model '%s' does not begin with http:// or https://",
						 model->name);
	if (model->unavailable)
		return oe__error(err, OE_ERR_CONFIG,
						 "the provider '%s' is not available: a program can ask it, see 'llm.command'",
						 model->unavailable);
	if (model->claude_code && *model->name == '\0')
		return oe__error(err, OE_ERR_CONFIG, "model %zu of '%s' has no name", index + 1, list);
	if (model->backend == OE__BACKEND_COMMAND && !model->command && !model->claude_code)
		return oe__error(err, OE_ERR_CONFIG,
						 "model %zu of '%s' has the backend 'command': set 'llm.command' too",
						 index + 1, list);
	return 0;
}

int oe__config_models(const oe_config *config, enum oe__model_role role, struct oe__models *out,
					  oe_error *err)
{
	OE__AUTO(models) struct oe__models models = { 0 };
	const char *list = role == OE__ROLE_JUDGE ? "llm.evaluator_models" : "llm.models";
	double sum = 0;
	int status = oe__models_resolve(config, role, &models, err);

	if (status < 0)
		return status;
	if (models.count == 0)
		return oe__error(err, OE_ERR_CONFIG,
						 "no model is configured: set 'llm.models' or 'llm.primary_model', or "
						 "'llm.backend: mutate' to go without one");
	for (size_t i = 0; status == 0 && i < models.count; i++) {
		status = check_model(&models.items[i], list, i, err);
		sum += models.items[i].weight;
	}
	if (status < 0)
		return status;
	if (!(sum > 0))
		return oe__error(err, OE_ERR_CONFIG,
						 "all weights of '%s' are 0: at least one has to be more", list);
	if (!isfinite(sum))
		return oe__error(err, OE_ERR_CONFIG, "the weights of '%s' are too large to be added up",
						 list);
	*out = models;
	models = (struct oe__models){ 0 };
	return 0;
}

/* ---- showing it ---- */

int oe_config_model(oe_config *config, int judges, size_t index, const oe_model **out,
					oe_error *err)
{
	struct oe__models models;
	OE__AUTO(buffer) struct oe__buffer base = OE__BUFFER_INIT(0);

	if (!config || !out)
		return oe__error(err, OE_ERR_INVALID, "oe_config_model: NULL argument");
	int status =
		oe__config_models(config, judges ? OE__ROLE_JUDGE : OE__ROLE_EVOLUTION, &models, err);
	if (status < 0)
		return status;
	oe__models_done(&config->shown_models);
	config->shown_models = models;
	if (index >= models.count)
		return 0;
	const struct oe__model *model = &models.items[index];
	if (oe__write_url(model->api_base, &base) < 0)
		return oe__error_nomem(err);
	oe__free(config->shown_base);
	config->shown_base = oe__buffer_steal(&base, NULL);
	config->shown = (oe_model){
		.struct_size = sizeof(config->shown),
		.name = model->name,
		.backend = oe__backend_name(model->backend),
		.api_base = config->shown_base ? config->shown_base : "",
		.weight = model->weight,
		.has_key = model->api_key != NULL,
	};
	*out = &config->shown;
	return 1;
}
