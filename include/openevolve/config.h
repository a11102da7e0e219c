#ifndef OPENEVOLVE_CONFIG_H
#define OPENEVOLVE_CONFIG_H

/**
 * @file
 * Configuration: a set of named, typed, validated options.
 *
 * Options have dotted names ("database.num_islands"), so a new one never changes the ABI. Every key
 * of OpenEvolve's YAML files is one of them. What an option means, its type, default and range are
 * in one table: see oe_option_at().
 *
 * Each value knows where it comes from, and a stronger origin wins whatever the order of the calls:
 *
 *     flag > set > environment (OE_*) > file > provider (OPENAI_*) > default
 *
 * The environment variable of an option is OE_ and its name in capitals, with each dot doubled into
 * two underscores: "database.num_islands" is OE_DATABASE__NUM_ISLANDS. An empty variable counts as
 * not set. The library reads no environment itself: see oe_config_set_environment().
 *
 * Everywhere, null means "the default", except for options that are nullable: for them it is a
 * value of its own, usually "off".
 *
 * Secrets (keys) are given as text, as ${VARIABLE} (the whole text), or as a file of their own
 * ("llm.api_key_file"). They never appear in oe_config_get(), oe_config_text(), warnings and
 * errors.
 *
 * One configuration, one thread at a time; reading one that nobody changes is safe from any thread,
 * but for oe_config_text() and oe_config_model(). Controllers and backends copy what they need.
 */

#include "openevolve/common.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A configuration: a value for every option. */
typedef struct oe_config oe_config;

/* ---- the option table ---- */

/** Type of an option, or of the items of one. */
enum oe_option_type {
	OE_OPTION_BOOL = 0,       /**< as YAML 1.1 has it: true, yes, on */
	OE_OPTION_INT = 1,        /**< 64 bits */
	OE_OPTION_REAL = 2,       /**< a double */
	OE_OPTION_STRING = 3,     /**< UTF-8 */
	OE_OPTION_LIST = 4,       /**< of `item_type`; a single item counts as a list of one  */
	OE_OPTION_MAP = 5,        /**< from names to `item_type`                              */
	OE_OPTION_INT_OR_MAP = 6, /**< one integer for all, or a map from names to integers  */
	OE_OPTION_MODELS = 7,     /**< list of maps, whose keys are the OE_OPTION_MODEL ones  */
	OE_OPTION_ANY = 8         /**< items only: whatever JSON can say                      */
};

/** Bits of `oe_option.flags`. */
enum oe_option_flag {
	OE_OPTION_NULLABLE = 1,  /**< null is a value of its own                                  */
	OE_OPTION_SECRET = 2,    /**< never shown                                                 */
	OE_OPTION_MODEL = 4,     /**< also in entries of "llm.models"; absent there: that of "llm" */
	OE_OPTION_OPENEVOLVE = 8 /**< a key of OpenEvolve's; the others are ours                 */
};

/** Description of one option. Read-only, static, append-only. */
typedef struct oe_option {
	const char *name;          /**< "database.num_islands"                                   */
	const char *summary;       /**< one sentence                                             */
	const char *default_value; /**< as text; "null" if there is none                         */
	const char *unit;          /**< "seconds", "bytes", ..., or NULL */
	const char *choices;       /**< "steady|generation|ordered", or NULL if anything goes */
	const char *alias;         /**< the option that this is another name of, or NULL         */
	const char *no_effect;     /**< why this key is accepted but does nothing, or NULL       */
	double minimum, maximum;   /**< of numbers and numbers in it, inclusive; may be infinite */
	int32_t type;              /**< enum oe_option_type                                      */
	int32_t item_type;         /**< of lists and maps                                        */
	uint32_t flags;            /**< enum oe_option_flag                                      */
} oe_option;

/** The option at `index`, in the order of the manual, or NULL past the last one. Any thread. */
OE_API const oe_option *oe_option_at(size_t index);

/** The option of that name, or NULL. Any thread. */
OE_API const oe_option *oe_option_find(const char *name);

/** The known option name nearest to `name`, or NULL if none is near. Any thread. */
OE_API const char *oe_option_nearest(const char *name);

/* ---- making ---- */

/** Where a value comes from; larger ones win. */
enum oe_origin {
	OE_ORIGIN_DEFAULT = 0,     /**< the option table */
	OE_ORIGIN_PROVIDER = 1,    /**< OPENAI_API_KEY, OPENAI_API_BASE     */
	OE_ORIGIN_FILE = 2,        /**< oe_config_load()                    */
	OE_ORIGIN_ENVIRONMENT = 3, /**< OE_*                                */
	OE_ORIGIN_SET = 4,         /**< oe_config_set(), `--set key=value`  */
	OE_ORIGIN_FLAG = 5         /**< a command-line option of its own    */
};

/** Make a configuration that holds the default of every option. */
OE_API OE_NODISCARD int oe_config_new(oe_config **out);

/** Make an independent copy, origins and warnings included. */
OE_API OE_NODISCARD int oe_config_copy(const oe_config *config, oe_config **out);

/** Free a configuration. Accepts NULL. */
OE_API void oe_config_free(oe_config *config);

/** Value of an environment variable, or NULL. getenv() does, in a wrapper. */
typedef const char *(*oe_environment)(const char *name, void *userdata);

/**
 * Take OE_* and OPENAI_* variables over, and let ${VARIABLE} be resolved from now on. Call it
 * before loading a file that uses ${VARIABLE}.
 *
 * All or nothing: on failure the values are unchanged.
 *
 * @param lookup   called by this function and by those that load and set, also on copies; never by
 *                 anything that only reads the configuration. `userdata` must live as long.
 * @retval OE_ERR_CONFIG a variable has a value that its option does not take.
 */
OE_API OE_NODISCARD int oe_config_set_environment(oe_config *config, oe_environment lookup,
                                                  void *userdata, oe_error *err);

/** Make unknown keys errors (nonzero) or warnings (0, the default) of the loads to come. */
OE_API void oe_config_set_strict(oe_config *config, int strict);

/**
 * Load a YAML file (1.1, as PyYAML reads it) on top of the current values.
 *
 * Keys that are unknown, in the wrong section or without effect are warnings.
 * All or nothing: on failure the configuration is unchanged.
 *
 * @retval OE_ERR_IO     the file cannot be read.
 * @retval OE_ERR_CONFIG a value has the wrong type or is out of range, the text is not YAML, or (if
 *                       strict) a key is unknown: `err` has file, line, column and what was
 * expected.
 */
OE_API OE_NODISCARD int oe_config_load(oe_config *config, const char *path, oe_error *err);

/** The same from memory; `name` stands for the file in messages. */
OE_API OE_NODISCARD int oe_config_load_text(oe_config *config, const char *text, size_t size,
                                            const char *name, oe_error *err);

/**
 * Set one option from text, as `--set` does: a YAML value, but text needs no quotes, a list of one
 * item no brackets, and a time may be "2h30m". A dotted name may go on into a map:
 * "evaluator.env.HOME".
 *
 * @retval OE_ERR_CONFIG no such option, wrong type, or out of range.
 */
OE_API OE_NODISCARD int oe_config_set(oe_config *config, const char *name, const char *value,
                                      oe_error *err);

/**
 * Set one option with another origin.
 *
 * @param origin enum oe_origin, from OE_ORIGIN_PROVIDER on.
 * @param source what oe_config_origin() says, such as "--islands"; copied.
 */
OE_API OE_NODISCARD int oe_config_set_as(oe_config *config, const char *name, const char *value,
                                         int origin, const char *source, oe_error *err);

/**
 * Check what only shows when everything is set: options that contradict or need each other, choices
 * that this version does not offer. Controllers check as well.
 *
 * @retval OE_ERR_CONFIG `err` says which options.
 */
OE_API OE_NODISCARD int oe_config_check(const oe_config *config, oe_error *err);

/* ---- reading ---- */

/** Value of an option as text: "5", "true", "null", "[complexity, diversity]". Secrets are
 * OE_HIDDEN or the ${VARIABLE} they come from. Borrowed until the option changes; NULL if there is
 * no such option. */
OE_API const char *oe_config_get(const oe_config *config, const char *name);

/** What stands for a secret; read as null, so a written configuration can be loaded again. */
#define OE_HIDDEN "<hidden>"

/** Where the value comes from: "default", "config.yaml:12:3", "OE_LLM__API_KEY", "--set",
 * "--islands". Borrowed until the option changes; NULL if there is no such option. */
OE_API const char *oe_config_origin(const oe_config *config, const char *name);

/** The same as enum oe_origin, or OE_ERR_CONFIG if there is no such option. */
OE_API int oe_config_origin_level(const oe_config *config, const char *name);

/** Warning number `index` so far: place and message; NULL past the last one. Borrowed until the
 * next load or set. */
OE_API const oe_error *oe_config_warning(const oe_config *config, size_t index);

/** What oe_config_text() writes. */
enum oe_config_format {
	OE_CONFIG_YAML = 0,    /**< every option and its value                              */
	OE_CONFIG_CHANGED = 1, /**< YAML of those that are not at their default             */
	OE_CONFIG_ORIGIN = 2,  /**< YAML with the origin of each value behind it            */
	OE_CONFIG_JSON = 3,    /**< every option and its value                              */
	OE_CONFIG_SCHEMA = 4   /**< JSON Schema (draft 2020-12) of a configuration file     */
};

/**
 * The configuration as text, without secrets. What is written as YAML or JSON loads again.
 *
 * @param format enum oe_config_format.
 * @param out    borrowed until the configuration changes or the next call.
 */
OE_API OE_NODISCARD int oe_config_text(oe_config *config, int format, const char **out);

/** A model as the run would use it, inheritance done. Borrowed like the text above; append-only. */
typedef struct oe_model {
	size_t struct_size;
	const char *name;     /**< "" for backends without one     */
	const char *backend;  /**< "openai", "anthropic", ...      */
	const char *api_base; /**< without password                */
	double weight;        /**< as configured, not normalised   */
	int32_t has_key;      /**< nonzero if there is an API key  */
} oe_model;

/**
 * Resolved model number `index` of the evolution (judges 0) or of the evaluator's feedback (1).
 *
 * @return 1 and the model; 0 past the last one; OE_ERR_CONFIG if the list is not usable, with the
 *         reason.
 */
OE_API OE_NODISCARD int oe_config_model(oe_config *config, int judges, size_t index,
                                        const oe_model **out, oe_error *err);

#ifdef __cplusplus
}
#endif

#endif /* OPENEVOLVE_CONFIG_H */
