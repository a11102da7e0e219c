#ifndef OE__CONFIG_CONFIG_H
#define OE__CONFIG_CONFIG_H

/*
 * Typed reading of an oe_config, for the other layers. A configuration that nobody changes may be
 * read by any thread. Names are looked up by text: read once, when an object is made.
 *
 * The name must be in the option table and have that type: anything else is our bug and asserts.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/value.h"
#include "openevolve/config.h"

bool oe__config_bool(const oe_config *config, const char *name);
int64_t oe__config_int(const oe_config *config, const char *name);        /* not when null    */
double oe__config_real(const oe_config *config, const char *name);        /* not when null    */
const char *oe__config_string(const oe_config *config, const char *name); /* NULL when null */
int64_t oe__config_ms(const oe_config *config, const char *name); /* of seconds; -1 when null */

bool oe__config_is_null(const oe_config *config, const char *name);
bool oe__config_is_set(const oe_config *config, const char *name); /* by anybody: not the default */

/* The value itself; for lists, maps and "database.feature_bins". Never NULL. Items have been
   checked: strings of a list of strings, and so on. */
const struct oe__value *oe__config_value(const oe_config *config, const char *name);

/* Index of the chosen word in the option's `choices`. */
int oe__config_choice(const oe_config *config, const char *name);

/* The seed of the run: "database.random_seed" if somebody set it, else "random_seed". False: it is
   null, and the run draws one and records it. */
bool oe__config_seed(const oe_config *config, uint64_t *seed);
/* The option that gives it. */
const char *oe__config_seed_option(const oe_config *config);

/* System message of the prompts: "prompt.system_message", else "llm.system_message" if only that
   one was set. Text, or the name of a template. Never NULL. */
const char *oe__config_system_message(const oe_config *config);

/* Variables of the host's environment that evaluations are given, by index: the name, NULL past the
   last one, and its value, NULL if it is not set. */
const char *oe__config_passed_on(const oe_config *config, size_t index, const char **value);

/* Evaluations at a time: "evaluator.parallel_evaluations", or one per processor. */
int32_t oe__config_evaluations(const oe_config *config);

/* Where temporary directories go: TMPDIR, or /tmp. */
const char *oe__config_temporary(const oe_config *config);

/* ---- models ---- */

enum oe__backend {
	OE__BACKEND_OPENAI,
	OE__BACKEND_ANTHROPIC,
	OE__BACKEND_AZURE,
	OE__BACKEND_COMMAND,
	OE__BACKEND_MUTATE
};

const char *oe__backend_name(enum oe__backend backend);

/* Bits of oe__model.user_set: what somebody wrote down, in the entry or in "llm". A field that only
   has OpenEvolve's default is not among them. */
enum oe__model_field {
	OE__MODEL_TEMPERATURE = 1,
	OE__MODEL_TOP_P = 2,
	OE__MODEL_MAX_TOKENS = 4,
	OE__MODEL_SEED = 8,
	OE__MODEL_REASONING_EFFORT = 16
};

/* One model with inheritance done. A request carries a field exactly if has_... is set:
   OpenEvolve's defaults (0.7, 0.95, 4096) apply, and `llm.temperature: null` takes a field out. */
struct oe__model {
	const char *name; /* "" only for backends that need none        */
	enum oe__backend backend;
	const char *api_base; /* without trailing slashes                   */
	const char *api_key;  /* or NULL                                    */
	double weight;        /* finite, >= 0; the sum of a list is > 0     */
	bool has_temperature, has_top_p, has_max_tokens, has_seed;
	double temperature, top_p;
	int64_t max_tokens;
	int64_t seed;                 /* of "llm.random_seed" or the entry's; never the run's */
	const char *reasoning_effort; /* or NULL                                    */
	const char *verbosity;        /* or NULL                                    */
	const char *system_message;   /* of the entry, or NULL                      */
	unsigned user_set;            /* enum oe__model_field                       */
	int64_t timeout_ms;           /* per attempt, > 0                           */
	int64_t retries;              /* attempts <= retries + 1                    */
	int64_t retry_delay_ms;
	const char *organization, *project; /* of OpenAI's accounts, or NULL          */
	const char *api_version;         /* of Azure's URLs                           */
	const char *anthropic_version;   /* header of the messages API                */
	const struct oe__value *command; /* argv of the command backend: list of strings, or NULL */
	bool claude_code;                /* of the command backend: the program is "claude" */
	double budget_usd;               /* of which per answer; negative: not limited      */
	const char *unavailable;         /* name of a provider that nobody can ask, or NULL */
};

struct oe__models {
	struct oe__model *items;
	size_t count;
	char **strings; /* owned by the list */
	size_t string_count, string_capacity;
};

enum oe__model_role {
	OE__ROLE_EVOLUTION, /* "llm.models"                                               */
	OE__ROLE_JUDGE      /* "llm.evaluator_models", or the same models if there are none */
};

/* Resolve a model list; borrows from the configuration, which must stay unchanged meanwhile.
   OE_ERR_CONFIG: no model is configured, all weights are zero, a command is missing ... */
int oe__config_models(const oe_config *config, enum oe__model_role role, struct oe__models *out,
					  oe_error *err);
void oe__models_done(struct oe__models *models); /* zeroed is fine */

OE__AUTO_VALUE(models, struct oe__models, oe__models_done)
/* How models are reached; NULL: directly, everywhere, by the system's certificates. Borrowed. */
const char *oe__config_proxy(const oe_config *config, bool tls);
const char *oe__config_no_proxy(const oe_config *config);
const char *oe__config_ca_file(const oe_config *config);

OE__AUTO_POINTER(config, oe_config *, oe_config_free)

#endif /* OE__CONFIG_CONFIG_H */
