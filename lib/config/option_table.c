#include <math.h>

#include "base/limits.h"
#include "config/option.h"

/*
 * One row per option, in the order of the manual.
 *
 * A key of OpenEvolve's that does nothing here says why in `no_effect`: who sets it to something
 * else than its default is warned with that reason.
 */

#define O OE_OPTION_OPENEVOLVE
#define N OE_OPTION_NULLABLE
#define M OE_OPTION_MODEL
#define S OE_OPTION_SECRET

#define BOOL(key, value, bits, ...)                                                                \
	{                                                                                              \
		.shown = {                                                                                 \
			.name = (key),                                                                         \
			.default_value = (value),                                                              \
			.type = OE_OPTION_BOOL,                                                                \
			.flags = (bits),                                                                       \
			__VA_ARGS__                                                                            \
		}                                                                                          \
	}
#define NUMBER(key, value, kind, low, high, bits, special, ...)                                    \
	{                                                                                              \
		.shown = { .name = (key),                                                                  \
				   .default_value = (value),                                                       \
				   .type = (kind),                                                                 \
				   .minimum = (low),                                                               \
				   .maximum = (high),                                                              \
				   .flags = (bits),                                                                \
				   __VA_ARGS__ },                                                                  \
		.traits = (special)                                                                        \
	}
#define INT(key, value, low, high, bits, ...)                                                      \
	NUMBER(key, value, OE_OPTION_INT, low, high, bits, 0, __VA_ARGS__)
#define REAL(key, value, low, high, bits, ...)                                                     \
	NUMBER(key, value, OE_OPTION_REAL, low, high, bits, 0, __VA_ARGS__)
#define SECONDS(key, value, low, high, bits, ...)                                                  \
	NUMBER(key, value, OE_OPTION_REAL, low, high, bits, OE__TRAIT_INTEGRAL, .unit = "seconds",     \
		   __VA_ARGS__)
#define STRING(key, value, bits, special, ...)                                                     \
	{                                                                                              \
		.shown = { .name = (key),                                                                  \
				   .default_value = (value),                                                       \
				   .type = OE_OPTION_STRING,                                                       \
				   .flags = (bits),                                                                \
				   __VA_ARGS__ },                                                                  \
		.traits = (special)                                                                        \
	}
#define CHOICE(key, value, words, bits, ...)                                                       \
	STRING(key, value, bits, 0, .choices = (words), __VA_ARGS__)
/* An option that had another name, and other words for its choices. */
#define RENAMED_CHOICE(key, value, words, before, ...)                                             \
	{                                                                                              \
		.shown = { .name = (key),                                                                  \
				   .default_value = (value),                                                       \
				   .type = OE_OPTION_STRING,                                                       \
				   .choices = (words),                                                             \
				   __VA_ARGS__ },                                                                  \
		.former_choices = (before)                                                                 \
	}
#define MANY(key, value, kind, item, bits, ...)                                                    \
	{                                                                                              \
		.shown = {                                                                                 \
			.name = (key),                                                                         \
			.default_value = (value),                                                              \
			.type = (kind),                                                                        \
			.item_type = (item),                                                                   \
			.flags = (bits),                                                                       \
			__VA_ARGS__                                                                            \
		}                                                                                          \
	}
/* A list of paths, or a program with its arguments. */
#define PLACES(key, bits, special, ...)                                                            \
	{                                                                                              \
		.shown = { .name = (key),                                                                  \
				   .default_value = "[]",                                                          \
				   .type = OE_OPTION_LIST,                                                         \
				   .item_type = OE_OPTION_STRING,                                                  \
				   .minimum = -INFINITY,                                                           \
				   .maximum = INFINITY,                                                            \
				   .flags = (bits),                                                                \
				   __VA_ARGS__ },                                                                  \
		.traits = (special)                                                                        \
	}
#define LIST(key, value, item, bits, ...)                                                          \
	MANY(key, value, OE_OPTION_LIST, item, bits, .minimum = -INFINITY, .maximum = INFINITY,        \
		 __VA_ARGS__)
#define ALIAS(key, target)                                                                         \
	{                                                                                              \
		.shown = {                                                                                 \
			.name = (key),                                                                         \
			.alias = (target),                                                                     \
			.summary = "Another name of `" target "`.",                                            \
			.default_value = "null"                                                                \
		}                                                                                          \
	}

#define NOT_IN_OPENEVOLVE_EITHER "OpenEvolve ignores it too"
#define ARTIFACTS_IN_STORE       "artifacts are kept in run.db and copied into checkpoints"
#define NO_NOVELTY               "the novelty check is not available yet"
#define NO_TRACE                 "traces are not written yet; run.db has every iteration"
#define NO_COPILOT               "the provider copilot_cli is not available"
#define NO_DESCRIPTIONS          "programs are always shown with their code"

/* The names of openevolve/sandbox.h, in their order; that layer's tests compare. */
#define GUARANTEES                                                                                 \
	"fs_read|fs_write|fs_meta|net_inet|net_unix|net_other|proc_signal|proc_see|tree_kill|"          \
	"mem_total|mem_process|cpu|wall|output|processes|disk|syscalls|privileges|terminal|ipc|"        \
	"secrets|score"

const struct oe__option oe__options[] = {
	/* ---- the run ---- */
	INT("max_iterations", "10000", 0, INFINITY, O,
		.summary =
			"Iterations of the run in all, on resume too ('oe resume -i N' makes N more), after "
			"those of a checkpoint that it begins with; 0: the initial program only."),
	INT("checkpoint_interval", "100", 0, INFINITY, O, .unit = "iterations",
		.summary = "Iterations between two checkpoints; 0 writes one at the end only."),
	BOOL("checkpoint_on_improvement", "false", O,
		 .summary = "Write a checkpoint whenever there is a new best program, too."),
	RENAMED_CHOICE("durability", "power", "process|power", "normal|full",
				   .summary = "What is told of survives the end of the process (process), or a loss of power, "
							  "too (power)."),
	CHOICE("log_level", "INFO", "DEBUG|INFO|WARNING|ERROR|CRITICAL", O,
		   .summary = "Least importance of the messages that are logged."),
	STRING("log_dir", "null", O | N, OE__TRAIT_EMPTY_NULL | OE__TRAIT_PATH,
		   .summary = "Directory of log files; null is logs/ in the output directory."),
	STRING("logger_prefix", "null", O | N, OE__TRAIT_EMPTY_NULL,
		   .summary = "Put before the names in log files, to tell runs apart."),
	INT("random_seed", "42", -INFINITY, INFINITY, O | N,
		.summary = "Seed of the run; null draws one and records it."),
	STRING("language", "null", O | N, OE__TRAIT_EMPTY_NULL,
		   .summary =
			   "Language of the program, as in a code fence; null guesses it from the code."),
	STRING("file_suffix", ".py", O, 0,
		   .summary = "Suffix of program files for the evaluator; \".py\" stands for that of the "
					  "initial program."),
	BOOL("diff_based_evolution", "true", O,
		 .summary = "Ask for SEARCH/REPLACE edits; false asks for whole programs."),
	BOOL("enforce_evolve_blocks", "false", O,
		 .summary = "Let nothing but EVOLVE-BLOCKs change: as `edit.evolve_blocks: enforce`."),
	INT("max_code_length", "10000", 1, INFINITY, O, .unit = "characters",
		.summary = "Longest program that is accepted from a model."),
	STRING("diff_pattern", "<<<<<<< SEARCH\\n(.*?)=======\\n(.*?)>>>>>>> REPLACE", O,
		   OE__TRAIT_PATTERN,
		   .summary = "Regular expression of one edit; group 1 is searched, group 2 replaces it."),
	INT("early_stopping_patience", "null", -INFINITY, INFINITY, O | N, .unit = "iterations",
		.summary = "Stop after so many iterations without improvement; 0 or less: when the watched "
				   "metric equals `convergence_threshold`; null never does."),
	REAL("convergence_threshold", "0.001", -INFINITY, INFINITY, O,
		 .summary = "Least gain of the watched metric that counts as improvement."),
	STRING("early_stopping_metric", "combined_score", O, 0,
		   .summary = "Metric watched by `early_stopping_patience`."),
	REAL("target_score", "null", -INFINITY, INFINITY, N,
		 .summary = "Stop when the best fitness reaches this; null never does."),
	SECONDS("max_time", "null", 0, 1e9, N,
			.summary = "Stop after this time, counted per session; null never does."),
	INT("max_tasks_per_child", "null", 1, INFINITY, O | N,
		.no_effect = "there are no worker processes to replace: each evaluation is a fresh fork",
		.summary = "Tasks of a worker process before it is replaced."),
	ALIAS("iterations", "max_iterations"),
	ALIAS("seed", "random_seed"),
	ALIAS("patience", "early_stopping_patience"),

	/* ---- what a run may use up ---- */
	INT("budget.tokens", "null", 1, INFINITY, N, .unit = "tokens",
		.summary = "Tokens in and out of all models, judges too, over all sessions; null: any number."),
	REAL("budget.cost_usd", "null", 0, 1e9, N, .unit = "dollars",
		 .summary = "Cost of all models by `budget.prices`, over all sessions; null: whatever it is."),
	STRING("budget.prices", "null", N, OE__TRAIT_EMPTY_NULL | OE__TRAIT_PATH,
		   .summary = "File of what models charge per million tokens: `MODEL: {input: 0.15, output: 0.6}`, "
					  "in YAML or JSON; null counts no cost."),
	INT("budget.evaluations", "null", 1, INFINITY, N,
		.summary = "Evaluations of programs over all sessions; null: any number."),
	SECONDS("budget.seconds", "null", 0, 1e9, N,
			.summary = "Time over all sessions; null: any."),

	/* ---- the hub ---- */
	CHOICE("hub.semantics", "steady", "steady|generation|ordered", 0,
		   .summary =
			   "What an iteration's sample sees: all commits so far, those before its generation, "
			   "or those up to a fixed distance."),
	INT("hub.window", "0", 0, OE__IN_FLIGHT_MAX, 0, .unit = "iterations",
		.summary = "Iterations open at a time, 0 for any; size of a generation, or the fixed "
				   "distance in `ordered`, 0 for 64."),
	REAL("hub.generation_quorum", "1", 0.01, 1, 0,
		 .summary = "Part of a generation that has to end before it closes; the others join a later "
					"one."),
	SECONDS("hub.generation_timeout", "0", 0, 1e9, 0,
			.summary = "A generation closes after this time with what it has; 0 never does."),
	CHOICE("hub.on_failure", "count", "count|replace", 0,
		   .summary = "An iteration without a usable program counts, or is asked for anew: at most 100 "
					  "attempts for each number."),
	CHOICE("hub.duplicates", "tokens", "exact|tokens", 0,
		   .summary = "What is not evaluated again: the same text, or the same but for comments and white "
					  "space too; exact if the evaluator looks at the text."),

	/* ---- language models ---- */
	STRING("llm.api_base", "https://api.openai.com/v1", O | M,
		   OE__TRAIT_EXPAND | OE__TRAIT_EMPTY_NULL,
		   .summary = "URL that the paths of the API are appended to."),
	STRING("llm.api_key", "null", O | N | M | S, OE__TRAIT_EXPAND,
		   .summary = "API key; best as ${VARIABLE}. Null takes the provider's usual variable."),
	STRING("llm.api_key_file", "null", N | M, OE__TRAIT_EMPTY_NULL | OE__TRAIT_PATH,
		   .summary = "File that holds the API key and nothing else."),
	STRING("llm.name", "null", O | N | M, OE__TRAIT_EXPAND | OE__TRAIT_ENTRY,
		   .no_effect = "it belongs into an entry of `llm.models`",
		   .summary = "Name of the model, in an entry of `llm.models`."),
	NUMBER("llm.weight", "1.0", OE_OPTION_REAL, 0, INFINITY, O | M, OE__TRAIT_ENTRY,
		   .no_effect = "it belongs into an entry of `llm.models`",
		   .summary = "Share of the calls that go to this model, in an entry of `llm.models`."),
	CHOICE("llm.backend", "null", "openai|anthropic|azure|command|mutate", N | M,
		   .summary = "How to reach the model; null tells from the host of `llm.api_base`."),
	CHOICE("llm.provider", "null", "openai|claude_code|copilot_cli|codex_app_server", O | N | M,
		   .summary = "Who is asked, without `llm.backend`: `claude_code` is the program `claude`, "
					  "`openai` whom `llm.api_base` names; others are not available."),
	REAL("llm.max_budget_usd", "null", 0, INFINITY, O | N | M,
		 .summary = "What `claude_code` may spend on one answer; null leaves it to the program."),
	MANY("llm.models", "[]", OE_OPTION_MODELS, OE_OPTION_MAP, O,
		 .summary = "Models that write programs; what an entry leaves out is taken from `llm`."),
	MANY("llm.evaluator_models", "[]", OE_OPTION_MODELS, OE_OPTION_MAP, O,
		 .summary = "Models that give feedback to evaluations; none means those of `llm.models`."),
	STRING("llm.primary_model", "null", O | N, OE__TRAIT_EXPAND,
		   .summary = "Name of a model, appended to `llm.models`."),
	REAL("llm.primary_model_weight", "null", -INFINITY, INFINITY, O | N,
		 .summary = "Its weight; null and 0 are 1."),
	STRING("llm.secondary_model", "null", O | N, OE__TRAIT_EXPAND,
		   .summary = "Name of another model, appended to `llm.models`."),
	REAL("llm.secondary_model_weight", "null", -INFINITY, INFINITY, O | N,
		 .summary = "Its weight; null is 0.2, and without a positive one the model is left out."),
	ALIAS("llm.model", "llm.primary_model"),
	STRING("llm.system_message", "system_message", O | M, 0,
		   .summary = "System message, if `prompt.system_message` is not set."),
	REAL("llm.temperature", "0.7", 0, 100, O | N | M,
		 .summary = "Temperature of the answers; null leaves it to the provider."),
	REAL("llm.top_p", "0.95", 0, 1, O | N | M,
		 .summary = "Nucleus sampling; null leaves it to the provider."),
	INT("llm.max_tokens", "4096", 1, INFINITY, O | N | M, .unit = "tokens",
		.summary = "Longest answer; null leaves it to the provider, and is 4096 in a run that counts "
				   "tokens or cost."),
	STRING("llm.reasoning_effort", "null", O | N | M, 0,
		   .summary = "Effort of reasoning models (minimal, low, medium, high); null is not sent."),
	STRING("llm.verbosity", "null", N | M, 0,
		   .summary = "Verbosity of reasoning models (low, medium, high); null is not sent."),
	INT("llm.random_seed", "null", -INFINITY, INFINITY, O | N | M,
		.summary = "Base of the seeds that are sent with requests; null sends none."),
	SECONDS("llm.timeout", "60", 0.001, 1e6, O | M, .summary = "Longest time of one attempt."),
	INT("llm.retries", "3", 0, 1000, O | M,
		.summary = "Further attempts after a failure that may pass."),
	SECONDS("llm.retry_delay", "5", 0, 1e6, O | M,
			.summary = "Time before the next attempt; it grows, with jitter, and a provider's "
					   "Retry-After goes first."),
	INT("llm.concurrency", "16", 1, OE__IN_FLIGHT_MAX, 0, .unit = "calls",
		.summary = "Calls in flight at a time, over all models."),
	SECONDS("llm.give_up_after", "300", 0, 1e9, 0,
			.summary = "How long the provider may stay down before the run stops."),
	INT("llm.max_response_bytes", "16777216", 1024, (double)OE__RESPONSE_MAX, 0, .unit = "bytes",
		.summary = "Longest response that is read."),
	PLACES("llm.command", M, OE__TRAIT_PROGRAM,
		   .summary = "Program and arguments of the backend `command`: prompt on standard input, "
					  "answer on standard output."),
	STRING("llm.record", "null", N, OE__TRAIT_EMPTY_NULL | OE__TRAIT_PATH,
		   .summary = "File that every answer is appended to, to be given again by `llm.replay`."),
	STRING("llm.replay", "null", N, OE__TRAIT_EMPTY_NULL | OE__TRAIT_PATH,
		   .summary = "Recorded answers that are given in place of the models'."),
	BOOL("llm.http2", "false", 0, .summary = "Use HTTP/2 where the server offers it."),
	STRING("llm.proxy", "null", N, 0,
		   .summary = "Proxy that requests go through, such as http://host:3128; null takes "
					  "HTTPS_PROXY, HTTP_PROXY or ALL_PROXY, an empty text none."),
	STRING("llm.no_proxy", "null", N, 0,
		   .summary = "Hosts that are asked without the proxy, with commas between them; null takes "
					  "NO_PROXY."),
	STRING("llm.ca_file", "null", N, OE__TRAIT_EMPTY_NULL | OE__TRAIT_PATH,
		   .summary = "Certificates that servers may have, in PEM; null takes SSL_CERT_FILE, or else "
					  "those of the system."),
	STRING("llm.api_version", "2024-10-21", M, 0, .summary = "API version in Azure's URLs."),
	STRING("llm.anthropic_version", "2023-06-01", M, 0,
		   .summary = "API version in the header of the backend `anthropic`."),
	REAL("llm.max_ai_credits", "null", 0, INFINITY, O | N | M, .no_effect = NO_COPILOT,
		 .summary = "What `copilot_cli` may spend on one answer."),
	BOOL("llm.allow_all_tools", "null", O | N | M, .no_effect = NO_COPILOT,
		 .summary = "Let `copilot_cli` use all of its tools."),
	BOOL("llm.manual_mode", "false", O | N | M,
		 .no_effect = "a person is asked by a program of yours: see `llm.command`",
		 .summary = "Ask a person instead of a model."),
	STRING("llm.init_client", "null", O | N | M, 0,
		   .no_effect = "a client of your own is a backend: see oe_llm_new()",
		   .summary = "Python function that makes a client."),

	/* ---- prompts ---- */
	STRING("prompt.template_dir", "null", O | N, OE__TRAIT_EMPTY_NULL | OE__TRAIT_PATH,
		   .summary = "Directory of templates that replace built-in ones."),
	STRING("prompt.system_message", "system_message", O, 0,
		   .summary = "System message: text, or the name of a template."),
	STRING("prompt.evaluator_system_message", "evaluator_system_message", O, 0,
		   .summary =
			   "System message of the evaluator's feedback: text, or the name of a template."),
	INT("prompt.num_top_programs", "3", 0, 10000, O,
		.summary = "Best programs shown in a prompt, and inspirations sampled for it."),
	INT("prompt.num_diverse_programs", "2", 0, 10000, O,
		.summary = "Further, different programs shown in a prompt."),
	INT("prompt.num_previous_attempts", "3", 0, 10000, 0,
		.summary = "Recent attempts on the parent shown in a prompt, failures included."),
	BOOL("prompt.use_template_stochasticity", "true", O,
		 .summary = "Fill in `prompt.template_variations` at random."),
	MANY("prompt.template_variations", "{}", OE_OPTION_MAP, OE_OPTION_LIST, O,
		 .summary = "Alternatives for each placeholder of that name."),
	BOOL("prompt.include_artifacts", "true", O,
		 .summary = "Show the artifacts of the parent's evaluation."),
	INT("prompt.max_artifact_bytes", "20480", 0, INFINITY, O, .unit = "characters",
		.summary = "Longest artifact shown in full."),
	INT("prompt.max_attempt_bytes", "2000", 0, INFINITY, 0, .unit = "characters",
		.summary = "What is shown of the output of one failed attempt."),
	CHOICE("prompt.artifact_style", "safe", "safe|openevolve", 0,
		   .summary = "`safe` keeps head and tail of long artifacts and fences that these cannot "
					  "end; `openevolve` keeps the head, as OpenEvolve does."),
	BOOL("prompt.artifact_security_filter", "true", O,
		 .summary = "Remove what looks like a secret from artifacts."),
	INT("prompt.suggest_simplification_after_chars", "500", 0, INFINITY, O | N,
		.unit = "characters", .summary = "Suggest simplification to programs longer than this."),
	INT("prompt.include_changes_under_chars", "100", 0, INFINITY, O | N, .unit = "characters",
		.summary = "Show the change summary of inspirations shorter than this."),
	INT("prompt.concise_implementation_max_lines", "10", 0, INFINITY, O | N, .unit = "lines",
		.summary = "Call programs of at most so many lines concise."),
	INT("prompt.comprehensive_implementation_min_lines", "50", 0, INFINITY, O | N, .unit = "lines",
		.summary = "Call programs of at least so many lines comprehensive."),
	INT("prompt.code_length_threshold", "null", 0, INFINITY, O | N, .unit = "characters",
		.summary =
			"Older name of `prompt.suggest_simplification_after_chars`, used if that is null "
			"or 0."),
	INT("prompt.max_tokens", "null", 1, INFINITY, N, .unit = "tokens",
		.summary = "Longest prompt; the least important parts are cut. Null does not limit it."),
	INT("prompt.diff_summary_max_line_len", "100", -INFINITY, INFINITY, O, .unit = "characters",
		.no_effect = "what a change did is told in one line",
		.summary = "Longest line of a change that is shown."),
	INT("prompt.diff_summary_max_lines", "30", -INFINITY, INFINITY, O, .unit = "lines",
		.no_effect = "what a change did is told in one line",
		.summary = "Lines of a change that are shown."),
	BOOL("prompt.programs_as_changes_description", "false", O, .no_effect = NO_DESCRIPTIONS,
		 .summary = "Show descriptions of the changes instead of programs."),
	STRING("prompt.system_message_changes_description", "null", O | N, 0,
		   .no_effect = NO_DESCRIPTIONS, .summary = "What models are told about descriptions."),
	STRING("prompt.initial_changes_description", "", O, 0, .no_effect = NO_DESCRIPTIONS,
		   .summary = "Description of the initial program."),
	BOOL("prompt.use_meta_prompting", "false", O, .no_effect = NOT_IN_OPENEVOLVE_EITHER,
		 .summary = "Let a model improve the prompts."),
	REAL("prompt.meta_prompt_weight", "0.1", -INFINITY, INFINITY, O,
		 .no_effect = NOT_IN_OPENEVOLVE_EITHER, .summary = "Share of improved prompts."),

	/* ---- the population ---- */
	INT("database.population_size", "1000", 1, 1e9, O, .unit = "programs",
		.summary = "Live programs over all islands."),
	INT("database.archive_size", "100", 0, 1e9, O, .unit = "programs",
		.summary = "Best programs kept for exploitation."),
	INT("database.num_islands", "5", 1, OE__ISLANDS_MAX, O,
		.summary = "Islands that evolve side by side."),
	REAL("database.exploration_ratio", "0.2", 0, 1, O,
		 .summary = "Share of parents drawn from all programs of the island."),
	REAL("database.exploitation_ratio", "0.7", 0, 1, O,
		 .summary = "Share of parents drawn from the archive; the rest is drawn by fitness."),
	LIST("database.feature_dimensions", "[complexity, diversity]", OE_OPTION_STRING, O,
		 .summary = "Axes of the feature map: metrics, or complexity, diversity and score."),
	MANY("database.feature_bins", "10", OE_OPTION_INT_OR_MAP, OE_OPTION_INT, O, .minimum = 1,
		 .maximum = OE__BINS_MAX, .summary = "Cells along each axis, or along each axis by name."),
	INT("database.diversity_reference_size", "20", 0, 10000, O, .unit = "programs",
		.summary = "Programs that diversity is measured against."),
	INT("database.migration_interval", "50", 1, INFINITY, O, .unit = "generations",
		.summary = "Generations of an island between two migrations."),
	REAL("database.migration_rate", "0.1", 0, 1, O,
		 .summary = "Share of an island's programs that migrate."),
	INT("database.random_seed", "42", -INFINITY, INFINITY, O | N,
		.summary = "Seed of the population, if it is to differ from `random_seed`."),
	BOOL("database.log_prompts", "true", O,
		 .summary = "Write answers into checkpoints, and prompts where `store.prompts` keeps them."),
	INT("database.artifact_size_threshold", "32768", 0, INFINITY, O, .unit = "bytes",
		.summary = "Larger artifacts become files of a checkpoint."),
	STRING("database.db_path", "null", O | N, OE__TRAIT_EMPTY_NULL,
		   .no_effect = "a run lives in its output directory: continue it with 'oe resume'",
		   .summary = "Directory of a database that is loaded and kept up to date."),
	BOOL("database.in_memory", "true", O, .no_effect = "see `store.backend`",
		 .summary = "Keep the population in memory."),
	REAL("database.elite_selection_ratio", "0.1", -INFINITY, INFINITY, O,
		 .no_effect = "the way of sampling it belongs to is not used by OpenEvolve's loop either",
		 .summary = "Share of elites among inspirations."),
	STRING("database.diversity_metric", "edit_distance", O, 0,
		   .no_effect = NOT_IN_OPENEVOLVE_EITHER, .summary = "How diversity is measured."),
	STRING("database.artifacts_base_path", "null", O | N, OE__TRAIT_EMPTY_NULL,
		   .no_effect = ARTIFACTS_IN_STORE, .summary = "Directory of artifacts."),
	BOOL("database.cleanup_old_artifacts", "true", O, .no_effect = ARTIFACTS_IN_STORE,
		 .summary = "Remove old artifact files."),
	INT("database.artifact_retention_days", "30", -INFINITY, INFINITY, O,
		.no_effect = ARTIFACTS_IN_STORE, .summary = "Age of artifact files that are removed."),
	INT("database.max_snapshot_artifacts", "100", -INFINITY, INFINITY, O | N,
		.no_effect = "prompts find the artifacts of every program",
		.summary = "Programs whose artifacts workers are given."),
	STRING("database.novelty_llm", "null", O | N, 0, .no_effect = NO_NOVELTY,
		   .summary = "Model that judges novelty."),
	STRING("database.embedding_model", "null", O | N, OE__TRAIT_EMPTY_NULL, .no_effect = NO_NOVELTY,
		   .summary = "Model of the embeddings that novelty is measured by."),
	STRING("database.embedding_api_base", "null", O | N, OE__TRAIT_EMPTY_NULL,
		   .no_effect = NO_NOVELTY, .summary = "Where the model of the embeddings is."),
	REAL("database.similarity_threshold", "0.99", -INFINITY, INFINITY, O, .no_effect = NO_NOVELTY,
		 .summary = "Similarity from which on novelty is judged."),

	/* ---- evaluation ---- */
	SECONDS("evaluator.timeout", "300", 0.001, 1e6, O,
			.summary = "Longest time of one evaluation, or of each stage of a cascade."),
	INT("evaluator.max_retries", "3", 0, 1000, O,
		.summary = "Further attempts after a failure that is not the program's."),
	BOOL("evaluator.cascade_evaluation", "true", O,
		 .summary = "Evaluate in stages, if the evaluator has them."),
	LIST("evaluator.cascade_thresholds", "[0.5, 0.75, 0.9]", OE_OPTION_REAL, O,
		 .summary = "Score that a program needs to pass each stage."),
	INT("evaluator.parallel_evaluations", "0", 0, OE__IN_FLIGHT_MAX, O, .unit = "evaluations",
		.summary = "Evaluations in flight at a time; 0 is as many as there are processors."),
	BOOL("evaluator.use_llm_feedback", "false", O,
		 .summary = "Let models comment on evaluated programs."),
	REAL("evaluator.llm_feedback_weight", "0.1", -INFINITY, INFINITY, O,
		 .summary = "Factor of the models' scores among the metrics."),
	BOOL("evaluator.enable_artifacts", "true", O,
		 .summary = "Keep artifacts; the variable ENABLE_ARTIFACTS=false switches them off too."),
	INT("evaluator.max_artifact_storage", "104857600", 0, INFINITY, O, .unit = "bytes",
		.summary = "All artifacts of one evaluation; what is beyond is cut, with a note."),
	INT("evaluator.memory_limit_mb", "null", 1, 1e9, O | N, .unit = "MiB",
		.summary = "Memory of one evaluation; null does not limit it."),
	CHOICE("evaluator.backend", "auto", "auto|python|command", 0,
		   .summary = "How evaluators run; auto is python for .py files, else command."),
	PLACES("evaluator.command", 0, OE__TRAIT_PROGRAM,
		   .summary =
			   "Program and arguments of the backend `command`; none runs the evaluator's file."),
	MANY("evaluator.evaluator_args", "{}", OE_OPTION_MAP, OE_OPTION_ANY, O,
		 .summary = "Arguments by name for the function evaluate() of a Python evaluator."),
	STRING("evaluator.python", "python3", 0, OE__TRAIT_PROGRAM, .summary = "Python interpreter of evaluators."),
	CHOICE("evaluator.preload", "libs", "libs|evaluator|none", 0,
		   .summary = "What evaluations find imported: third-party modules, the evaluator too, or "
					  "nothing."),
	CHOICE("evaluator.isolation", "shared", "shared|split", 0,
		   .summary = "Candidates run in the evaluator's process (shared), or in one of their own, "
					  "which cannot touch the score."),
	MANY("evaluator.env", "{}", OE_OPTION_MAP, OE_OPTION_STRING, 0,
		 .summary = "Environment variables of evaluations, besides the usual harmless ones."),
	INT("evaluator.output_max_bytes", "1048576", 0, (double)OE__ARTIFACT_MAX, 0, .unit = "bytes",
		.summary = "Captured output of one evaluation, each of the two streams."),
	SECONDS("evaluator.grace", "5", 0, 1e6, 0,
			.summary = "Time that running evaluations get when the run is told to stop, at most 5 s."),
	REAL("evaluator.cpu_limit", "null", -INFINITY, INFINITY, O | N,
		 .no_effect = NOT_IN_OPENEVOLVE_EITHER "; see `sandbox.cpu_limit`",
		 .summary = "Processor limit of one evaluation."),
	BOOL("evaluator.distributed", "false", O, .no_effect = NOT_IN_OPENEVOLVE_EITHER,
		 .summary = "Evaluate on other machines."),

	/* ---- confinement ---- */
	CHOICE("sandbox.mode", "auto", "auto|strict|none", 0,
		   .summary = "Confine evaluations as well as the machine allows, fully or not at all "
					  "(strict), or only by limits and deadlines."),
	LIST("sandbox.require", "[]", OE_OPTION_STRING, 0, .choices = GUARANTEES,
		 .summary = "Guarantees without which nothing is run; `oe doctor` tells which there are."),
	CHOICE("sandbox.profile", "default", "default|strict", 0,
		   .summary = "System calls that are left: what runtimes and libraries need, or no new "
					  "executable code either."),
	CHOICE("sandbox.network", "none", "none|loopback|host", 0,
		   .summary = "Network of evaluations: none, one of their own, or that of the machine."),
	INT("sandbox.processes", "128", 1, 1e6, 0, .unit = "processes",
		.summary = "Processes and threads of one evaluation at a time."),
	SECONDS("sandbox.cpu_limit", "null", 0.001, 1e9, N,
			.summary = "Processor time of all processes of one evaluation; null does not limit it."),
	INT("sandbox.scratch_mb", "1024", 1, 1e9, 0, .unit = "MiB",
		.summary = "What one evaluation may write to its temporary files, all together."),
	INT("sandbox.scratch_files", "100000", 1, 1e9, 0, .unit = "files",
		.summary = "Files and directories that one evaluation may make."),
	INT("sandbox.file_mb", "null", 1, 1e9, N, .unit = "MiB",
		.summary = "Largest file that an evaluation may write; null does not limit it."),
	PLACES("sandbox.readable", 0, OE__TRAIT_PATH,
		   .summary = "Files and directories that evaluations may read, besides the evaluator's, the "
					  "start directory and the system's."),
	PLACES("sandbox.writable", 0, OE__TRAIT_PATH,
		   .summary = "Directories of the machine that evaluations may write into: no protection "
					  "there."),
	BOOL("sandbox.overlay", "true", 0,
		 .summary = "Writes beside the evaluator and in the start directory work, and vanish; false "
					"refuses them."),

	/* ---- edits ---- */
	CHOICE("edit.ambiguous", "first", "first|reject", 0,
		   .summary = "A search text with several places: take the first, or reject the answer."),
	CHOICE("edit.unmatched", "apply_rest", "apply_rest|reject", 0,
		   .summary =
			   "A search text without a place: apply the other blocks, or reject the answer."),
	BOOL("edit.tolerant", "true", 0,
		 .summary = "Forgive line ends, trailing blanks and shifted indentation in search texts."),
	CHOICE("edit.evolve_blocks", "off", "enforce|warn|off", 0,
		   .summary = "What to do with edits outside of EVOLVE-BLOCKs."),

	/* ---- the log of the run ---- */
	CHOICE("store.backend", "directory", "directory|memory|none", 0,
		   .summary = "Keep the run in its directory; `memory` and `none` are the same: nothing is "
					  "written, and the run cannot go on later."),
	CHOICE("store.prompts", "recipe", "recipe|full", 0,
		   .summary = "Keep what a prompt is made from, or its text."),
	ALIAS("store.synchronous", "durability"),
	INT("store.snapshot_interval", "10000", 0, 1e9, 0, .unit = "iterations",
		.summary = "How many iterations are played again at most when a run goes on, as those before "
				   "are in a snapshot; more if it is large. 0: all of them, without one."),

	/* ---- traces ---- */
	BOOL("evolution_trace.enabled", "false", O, .no_effect = NO_TRACE, .summary = "Write a trace."),
	CHOICE("evolution_trace.format", "jsonl", "jsonl|json|hdf5", O, .no_effect = NO_TRACE,
		   .summary = "Format of the trace."),
	BOOL("evolution_trace.include_code", "false", O, .no_effect = NO_TRACE,
		 .summary = "Put code into the trace."),
	BOOL("evolution_trace.include_prompts", "true", O, .no_effect = NO_TRACE,
		 .summary = "Put prompts into the trace."),
	BOOL("evolution_trace.include_failures", "false", O, .no_effect = NO_TRACE,
		 .summary = "Trace failed iterations in a file of their own."),
	STRING("evolution_trace.output_path", "null", O | N, OE__TRAIT_EMPTY_NULL,
		   .no_effect = NO_TRACE, .summary = "File of the trace."),
	INT("evolution_trace.buffer_size", "10", -INFINITY, INFINITY, O, .no_effect = NO_TRACE,
		.summary = "Entries written at a time."),
	BOOL("evolution_trace.compress", "false", O, .no_effect = NO_TRACE,
		 .summary = "Compress the trace."),
};

const size_t oe__option_count = sizeof(oe__options) / sizeof(oe__options[0]);
