/*
 * Prompt sets: reading, compiling and checking; a set as JSON.
 */

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/text.h"
#include "prompt/prompt_internal.h"

/* ---- roles ---- */

static const char *const user_places[OE__USER_PLACES] = {
	[OE__USER_METRICS] = "metrics",
	[OE__USER_FITNESS] = "fitness_score",
	[OE__USER_COORDINATES] = "feature_coords",
	[OE__USER_DIMENSIONS] = "feature_dimensions",
	[OE__USER_AREAS] = "improvement_areas",
	[OE__USER_HISTORY] = "evolution_history",
	[OE__USER_PROGRAM] = "current_program",
	[OE__USER_LANGUAGE] = "language",
	[OE__USER_ARTIFACTS] = "artifacts",
};
static const char *const history_places[OE__HISTORY_PLACES] = {
	[OE__HISTORY_ATTEMPTS] = "previous_attempts",
	[OE__HISTORY_TOP] = "top_programs",
	[OE__HISTORY_INSPIRATIONS] = "inspirations_section",
};
static const char *const attempt_places[OE__ATTEMPT_PLACES] = {
	[OE__ATTEMPT_NUMBER] = "attempt_number",
	[OE__ATTEMPT_CHANGES] = "changes",
	[OE__ATTEMPT_PERFORMANCE] = "performance",
	[OE__ATTEMPT_OUTCOME] = "outcome",
};
static const char *const top_places[OE__TOP_PLACES] = {
	[OE__TOP_NUMBER] = "program_number", [OE__TOP_SCORE] = "score",
	[OE__TOP_LANGUAGE] = "language",     [OE__TOP_CODE] = "program_snippet",
	[OE__TOP_FEATURES] = "key_features",
};
static const char *const inspirations_places[] = { "inspiration_programs" };
static const char *const inspiration_places[OE__INSPIRATION_PLACES] = {
	[OE__INSPIRATION_NUMBER] = "program_number", [OE__INSPIRATION_SCORE] = "score",
	[OE__INSPIRATION_TYPE] = "program_type",     [OE__INSPIRATION_LANGUAGE] = "language",
	[OE__INSPIRATION_CODE] = "program_snippet",  [OE__INSPIRATION_FEATURES] = "unique_features",
};

static const struct role {
	const char *name;
	struct oe__template_kind kind;
} roles[OE__ROLE_COUNT] = {
	[OE__ROLE_DIFF_USER] = { "diff_user", { user_places, OE__USER_PLACES } },
	[OE__ROLE_REWRITE_USER] = { "full_rewrite_user", { user_places, OE__USER_PLACES } },
	[OE__ROLE_EVALUATION] = { "evaluation", { user_places, OE__USER_PLACES } },
	[OE__ROLE_HISTORY] = { "evolution_history", { history_places, OE__HISTORY_PLACES } },
	[OE__ROLE_ATTEMPT] = { "previous_attempt", { attempt_places, OE__ATTEMPT_PLACES } },
	[OE__ROLE_TOP_PROGRAM] = { "top_program", { top_places, OE__TOP_PLACES } },
	[OE__ROLE_INSPIRATIONS] = { "inspirations_section", { inspirations_places, 1 } },
	[OE__ROLE_INSPIRATION] = { "inspiration_program",
							   { inspiration_places, OE__INSPIRATION_PLACES } },
};

enum oe__role oe__role_of(const char *name)
{
	size_t role = 0;

	while (role < OE__ROLE_COUNT && strcmp(roles[role].name, name) != 0)
		role++;
	return (enum oe__role)role;
}

static int no_template(const char *name, oe_error *err)
{
	return oe__error(err, OE_ERR_CONFIG, "there is no prompt template '%s'", name);
}

static int compile_role(const struct oe__prompt_set *set, enum oe__role role,
						struct oe__template **out, oe_error *err)
{
	const struct oe__catalog_text *text = oe__catalog_template(&set->catalog, roles[role].name);

	if (!text)
		return no_template(roles[role].name, err);
	return oe__template_compile(text->text, text->size, &roles[role].kind, text->where, out, err);
}

const struct oe__template *oe__prompt_set_role(const struct oe__prompt_set *set, enum oe__role role,
											   oe_error *err)
{
	OE__AUTO(template) struct oe__template *again = NULL;

	/* What could not be compiled is compiled once more, to say why. */
	if (!set->roles[role])
		(void)compile_role(set, role, &again, err);
	return set->roles[role];
}

/* ---- variations ---- */

/* Replace each {key} in `text` by `with`. 1: there was one, and `out` has the result. */
static int replace_key(const struct oe__buffer *text, const char *key, const char *with,
					   struct oe__buffer *out)
{
	OE__AUTO(buffer) struct oe__buffer place = OE__BUFFER_INIT(0);
	const char *at = text->data, *end = at + text->size, *found;

	if (oe__buffer_printf(&place, "{%s}", key) < 0)
		return place.status;
	oe__buffer_clear(out);
	while ((found = oe__find(at, (size_t)(end - at), place.data, place.size)) != NULL) {
		oe__buffer_append(out, at, (size_t)(found - at));
		oe__buffer_text(out, with);
		at = found + place.size;
	}
	if (at == text->data)
		return 0;
	oe__buffer_append(out, at, (size_t)(end - at));
	return out->status < 0 ? out->status : 1;
}

/* Which alternative of a variation stands in a template. */
typedef size_t choose_alternative(const void *self, size_t variation, size_t count);

/* One variation after the other, each in what the ones before it left: as OpenEvolve does. */
static int vary(const struct oe__prompt_settings *settings, const struct oe__catalog_text *source,
				choose_alternative *choose, const void *self, struct oe__buffer *text)
{
	OE__AUTO(buffer) struct oe__buffer next = OE__BUFFER_INIT(OE__PROMPT_MAX);
	int status = oe__buffer_append(text, source->text, source->size);

	for (size_t i = 0; i < settings->variation_count && status >= 0; i++) {
		const struct oe__variation *variation = &settings->variations[i];

		/* Whether it is there is seen before anything is drawn for it. */
		status = replace_key(text, variation->key, "", &next);
		if (status <= 0)
			continue;
		size_t chosen = choose(self, i, variation->count);
		status = replace_key(text, variation->key, variation->texts[chosen], &next);
		struct oe__buffer before = *text;
		*text = next;
		next = before;
	}
	return status < 0 ? status : 0;
}

static int compile_varied(const struct oe__prompt_set *set, const char *name,
						  choose_alternative *choose, const void *self, struct oe__template **out,
						  oe_error *err)
{
	const struct oe__catalog_text *text = oe__catalog_template(&set->catalog, name);
	OE__AUTO(buffer) struct oe__buffer varied = OE__BUFFER_INIT(OE__PROMPT_MAX);

	if (!text)
		return no_template(name, err);
	int status = vary(&set->settings, text, choose, self, &varied);
	if (status < 0)
		return oe__error(err, status, "template '%s': %s", text->where, oe_status_string(status));
	return oe__template_compile(oe__buffer_string(&varied), varied.size,
								&roles[OE__ROLE_DIFF_USER].kind, text->where, out, err);
}

static size_t choose_by_draw(const void *self, size_t variation, size_t count)
{
	const struct oe__prompt_input *input = self;

	(void)variation;
	return input->draw(input->self, OE__DRAW_VARIATION, count);
}

int oe__prompt_set_compile_user(const struct oe__prompt_set *set, const char *name,
								const struct oe__prompt_input *input, struct oe__template **out,
								oe_error *err)
{
	return compile_varied(set, name, choose_by_draw, input, out, err);
}

/* ---- checking ---- */

static int warn(void *self, const char *sentence)
{
	struct oe__prompt_set *set = self;
	char **warnings = oe__realloc(set->warnings, (set->warning_count + 1) * sizeof(*warnings));

	if (!warnings)
		return OE_ERR_NOMEM;
	set->warnings = warnings;
	set->warnings[set->warning_count] = oe__strdup(sentence);
	return set->warnings[set->warning_count] ? (int)(set->warning_count++, 0) : OE_ERR_NOMEM;
}

static int nothing(void *self, struct oe__buffer *out, oe_error *err)
{
	(void)self;
	(void)out;
	(void)err;
	return 0;
}

/* Fill in a template with nothing, to see that each of its places can be filled. */
static int try_template(const struct oe__template *template, oe_error *err)
{
	OE__AUTO(buffer) struct oe__buffer out = OE__BUFFER_INIT(0);
	struct oe__argument arguments[OE__USER_PLACES];

	for (size_t i = 0; i < OE__COUNT(arguments); i++)
		arguments[i] = oe__argument_writer(nothing, NULL);
	struct oe__rendering rendering = { .arguments = arguments };
	return oe__template_render(template, &rendering, &out, err);
}

/* The first alternative of all variations but one. */
struct trial {
	size_t variation, alternative;
};

static size_t choose_by_trial(const void *self, size_t variation, size_t count)
{
	const struct trial *trial = self;

	(void)count;
	return variation == trial->variation ? trial->alternative : 0;
}

static int check_user(const struct oe__prompt_set *set, enum oe__role role,
					  const struct trial *trial, oe_error *err)
{
	OE__AUTO(template) struct oe__template *template = NULL;
	int status = compile_varied(set, roles[role].name, choose_by_trial, trial, &template, err);

	return status < 0 ? status : try_template(template, err);
}

/* Every alternative once, beside the first ones of the others. */
static int check_variations(const struct oe__prompt_set *set, enum oe__role role, oe_error *err)
{
	const struct oe__prompt_settings *settings = &set->settings;
	struct trial trial = { 0, 0 };
	int status = check_user(set, role, &trial, err);

	for (; trial.variation < settings->variation_count; trial.variation++)
		for (trial.alternative = 1;
			 trial.alternative < settings->variations[trial.variation].count && status == 0;
			 trial.alternative++)
			status = check_user(set, role, &trial, err);
	return status;
}

static int check_set(struct oe__prompt_set *set, oe_error *err)
{
	enum oe__role user = set->settings.diff ? OE__ROLE_DIFF_USER : OE__ROLE_REWRITE_USER;
	int status = check_variations(set, user, err);

	for (size_t role = OE__ROLE_EVALUATION; role < OE__ROLE_COUNT && status == 0; role++) {
		const struct oe__template *template = oe__prompt_set_role(set, (enum oe__role)role, err);
		status = template ? try_template(template, err) : OE_ERR_CONFIG;
	}
	if (status == 0)
		status = oe__fragments_check(&set->fragments, warn, set, err);
	return status;
}

/* ---- making ---- */

static int compile_all(struct oe__prompt_set *set, oe_error *err)
{
	for (size_t role = 0; role < OE__ROLE_COUNT; role++)
		if (compile_role(set, (enum oe__role)role, &set->roles[role], NULL) == OE_ERR_NOMEM)
			return oe__error_nomem(err);
	return oe__fragments_compile(&set->fragments, &set->catalog) < 0 ? oe__error_nomem(err) : 0;
}

int oe__prompt_set_make(struct oe__prompt_settings *settings, struct oe__catalog *catalog,
						bool check, struct oe__prompt_set **out, oe_error *err)
{
	OE__AUTO(prompt_set) struct oe__prompt_set *set = oe__calloc(1, sizeof(*set));

	if (!set) {
		oe__prompt_settings_done(settings);
		oe__catalog_done(catalog);
		return oe__error_nomem(err);
	}
	atomic_init(&set->refs, 1);
	set->settings = *settings;
	set->catalog = *catalog;
	*settings = (struct oe__prompt_settings){ 0 };
	*catalog = (struct oe__catalog)OE__CATALOG_INIT;
	int status = compile_all(set, err);
	if (status == 0 && check)
		status = check_set(set, err);
	if (status < 0)
		return status == OE_ERR_NOMEM ? oe__error_nomem(err) : status;
	*out = OE__STEAL(set);
	return 0;
}

int oe__prompt_set_new(const oe_config *config, struct oe__prompt_set **out, oe_error *err)
{
	struct oe__prompt_settings settings = { 0 };
	struct oe__catalog catalog = OE__CATALOG_INIT;
	const char *directory = oe__config_string(config, "prompt.template_dir");
	int status = oe__prompt_settings_from_config(&settings, config);

	if (status < 0)
		oe__error_nomem(err);
	if (status == 0)
		status = oe__catalog_add_builtin(&catalog, err);
	if (status == 0 && directory && *directory)
		status = oe__catalog_add_directory(&catalog, directory, err);
	if (status == 0)
		return oe__prompt_set_make(&settings, &catalog, true, out, err);
	oe__prompt_settings_done(&settings);
	oe__catalog_done(&catalog);
	return status;
}

struct oe__prompt_set *oe__prompt_set_ref(struct oe__prompt_set *set)
{
	atomic_fetch_add_explicit(&set->refs, 1, memory_order_relaxed);
	return set;
}

void oe__prompt_set_unref(struct oe__prompt_set *set)
{
	if (!set || atomic_fetch_sub_explicit(&set->refs, 1, memory_order_acq_rel) > 1)
		return;
	for (size_t i = 0; i < set->warning_count; i++)
		oe__free(set->warnings[i]);
	oe__free(set->warnings);
	for (size_t role = 0; role < OE__ROLE_COUNT; role++)
		oe__template_free(set->roles[role]);
	oe__fragments_done(&set->fragments);
	oe__catalog_done(&set->catalog);
	oe__prompt_settings_done(&set->settings);
	oe__free(set);
}

const char *oe__prompt_set_warning(const struct oe__prompt_set *set, size_t index)
{
	return index < set->warning_count ? set->warnings[index] : NULL;
}

/* ---- JSON ---- */

void oe__prompt_set_write(const struct oe__prompt_set *set, struct oe__json_writer *writer)
{
	oe__json_map(writer);
	oe__json_key(writer, "settings");
	oe__json_map(writer);
	oe__prompt_settings_write(&set->settings, writer);
	oe__json_map_end(writer);
	oe__catalog_write(&set->catalog, writer);
	oe__json_map_end(writer);
}

int oe__prompt_set_read(const struct oe__value *value, struct oe__prompt_set **out, oe_error *err)
{
	struct oe__prompt_settings settings = { 0 };
	struct oe__catalog catalog = OE__CATALOG_INIT;
	const struct oe__value *members =
		value->type == OE__VALUE_MAP ? oe__value_get(value, "settings") : NULL;

	if (!members || members->type != OE__VALUE_MAP)
		return oe__error(err, OE_ERR_FORMAT, "not a set of prompt templates");
	int status = oe__prompt_settings_read(&settings, members, err);
	if (status == 0)
		status = oe__catalog_read(&catalog, value, err);
	if (status == 0)
		return oe__prompt_set_make(&settings, &catalog, true, out, err);
	oe__prompt_settings_done(&settings);
	oe__catalog_done(&catalog);
	return status;
}
