/* The evaluator that a configuration asks for, around a file. */

#include <math.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/text.h"
#include "base/thread.h"
#include "base/which.h"
#include "config/config.h"
#include "evaluator/cascade.h"
#include "evaluator/command.h"
#include "evaluator/evaluator.h"
#include "evaluator/interpreter.h"
#include "evaluator/python.h"
#include "sandbox/policy.h"

/* ---- the environment of evaluations ---- */

/* One thread per evaluation unless "evaluator.env" says otherwise: as many run as there are
   processors, and a fork of a process with threads is not safe. */
static const char *const fixed[] = {
	"OPENBLAS_NUM_THREADS=1",  "OMP_NUM_THREADS=1",       "MKL_NUM_THREADS=1",
	"NUMEXPR_NUM_THREADS=1",   "VECLIB_MAXIMUM_THREADS=1", "BLIS_NUM_THREADS=1",
	"PYTHONDONTWRITEBYTECODE=1", "PYTHONHASHSEED=0",       "PYTHONUNBUFFERED=1",
};

#define KEYWORDS_MAX 131072 /* "evaluator.evaluator_args": they go along with every job */
#define PATH_DEFAULT "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

struct environment {
	char **items; /* "NAME=value", NULL-terminated */
	size_t count, capacity;
};

static void environment_done(struct environment *environment)
{
	for (size_t i = 0; i < environment->count; i++)
		oe__free(environment->items[i]);
	oe__free(environment->items);
}
OE__AUTO_VALUE(environment, struct environment, environment_done)

/* A later value of a name takes the place of the earlier one. */
static int set(struct environment *environment, const char *name, size_t name_size,
               const char *value)
{
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(OE__MIB);
	void *items = environment->items;

	oe__buffer_append(&text, name, name_size);
	oe__buffer_char(&text, '=');
	oe__buffer_text(&text, value);
	char *item = oe__buffer_steal(&text, NULL);
	if (!item)
		return OE_ERR_NOMEM;
	for (size_t i = 0; i < environment->count; i++)
		if (strncmp(environment->items[i], item, name_size + 1) == 0) {
			oe__free(environment->items[i]);
			environment->items[i] = item;
			return 0;
		}
	int status = oe__grow(&items, &environment->capacity, environment->count + 2, sizeof(char *));
	environment->items = items;
	if (status < 0) {
		oe__free(item);
		return status;
	}
	environment->items[environment->count++] = item;
	environment->items[environment->count] = NULL;
	return 0;
}

static int build_environment(const oe_config *config, struct environment *out)
{
	const struct oe__value *own = oe__config_value(config, "evaluator.env");
	int status = set(out, "PATH", 4, PATH_DEFAULT);

	for (size_t i = 0; status == 0 && i < OE__COUNT(fixed); i++) {
		const char *equals = strchr(fixed[i], '=');
		status = set(out, fixed[i], (size_t)(equals - fixed[i]), equals + 1);
	}
	const char *name, *value = NULL;
	for (size_t i = 0; status == 0 && (name = oe__config_passed_on(config, i, &value)); i++)
		if (value)
			status = set(out, name, strlen(name), value);
	for (size_t i = 0; status == 0 && own->type == OE__VALUE_MAP && i < own->size; i++)
		status = set(out, own->keys[i].string, own->keys[i].size, own->items[i].string);
	return status;
}

/* ---- the backends ---- */

/* Not confined, a program has the limits of its user, but for memory. */
static struct oe__limits limits_of(const oe_sandbox_policy *policy)
{
	if (policy->mode == OE_SANDBOX_NONE)
		return (struct oe__limits){ .memory_bytes = policy->memory_bytes };
	return oe__policy_limits(policy);
}

/* What a confined interpreter needs, and where its home is. */
static int confine_python(const char *interpreter, struct oe__policy *policy,
                          struct environment *environment, char **executable, oe_error *err)
{
	OE__AUTO(string) char *user_base = NULL;

	int status = oe__interpreter_show(interpreter, (const char *const *)environment->items, policy,
	                                  executable, &user_base, err);
	if (status == 0 && user_base && set(environment, "PYTHONUSERBASE", 14, user_base) < 0)
		status = oe__error_nomem(err);
	return status;
}

static int add_stage(oe_evaluator *cascade, struct oe__python_pool *pool, const char *function,
                     double threshold, oe_error *err)
{
	OE__AUTO(evaluator) oe_evaluator *stage = NULL;

	int status = oe__python_evaluator_new(pool, function, &stage, err);
	if (status == 0 && oe_evaluator_cascade_add(cascade, stage, threshold) < 0)
		status = oe__error_nomem(err);
	return status;
}

static struct oe__cascade_options frame_of(const oe_config *config, const char *path, bool staged)
{
	return (struct oe__cascade_options){
		.staged = staged,
		.artifacts = oe__config_bool(config, "evaluator.enable_artifacts"),
		.artifact_bytes = (size_t)oe__config_int(config, "evaluator.max_artifact_storage"),
		.file = path,
	};
}

/* Which functions are called, and what lets a program pass to the next: without stages, or with the
   cascade off, just evaluate(). */
static int stages_from_config(const oe_config *config, struct oe__python_pool *pool,
                              unsigned functions, const char *path, oe_evaluator **out,
                              oe_error *err)
{
	static const char *const names[] = { "evaluate_stage1", "evaluate_stage2", "evaluate_stage3" };
	const struct oe__value *thresholds = oe__config_value(config, "evaluator.cascade_thresholds");
	bool staged = oe__config_bool(config, "evaluator.cascade_evaluation") &&
	              (functions & OE__PYTHON_STAGE1);
	OE__AUTO(evaluator) oe_evaluator *cascade = NULL;
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);
	struct oe__json_writer writer = { .out = &text };
	struct oe__cascade_options options = frame_of(config, path, staged);

	oe__json_put(&writer, thresholds);
	options.thresholds = oe__buffer_string(&text);
	if (text.status < 0)
		return oe__error_nomem(err);
	if (!staged && !(functions & OE__PYTHON_EVALUATE))
		return oe__error_at(err, OE_ERR_EVALUATOR, path, 0, 0,
		                    "the evaluator defines no function evaluate(program_path)");
	int status = oe__cascade_new(&options, &cascade, err);
	if (status == 0 && !staged)
		status = add_stage(cascade, pool, "evaluate", -INFINITY, err);
	for (size_t i = 0; status == 0 && staged && i < OE__COUNT(names); i++) {
		/* A stage without a threshold is the last: there is nothing to pass. */
		bool more = i < thresholds->size && i + 1 < OE__COUNT(names) &&
		            (functions & OE__PYTHON_STAGE1 << (i + 1));
		status = add_stage(cascade, pool, names[i], more ? thresholds->items[i].real : -INFINITY,
		                   err);
		if (!more)
			break;
	}
	if (status == 0)
		*out = OE__STEAL(cascade);
	return status;
}

static int write_keywords(const oe_config *config, struct oe__buffer *out, oe_error *err)
{
	const struct oe__value *keywords = oe__config_value(config, "evaluator.evaluator_args");
	struct oe__json_writer writer = { .out = out };

	if (keywords->size > 0)
		oe__json_put(&writer, keywords);
	if (out->status == OE_ERR_LIMIT)
		return oe__error(err, OE_ERR_CONFIG, "'evaluator.evaluator_args' is larger than %d bytes",
		                 KEYWORDS_MAX);
	return out->status < 0 ? oe__error_nomem(err) : 0;
}

static int python_from_config(const oe_config *config, oe_scheduler *scheduler, const char *path,
                              const char *suffix, oe_evaluator **out, oe_error *err)
{
	OE__AUTO(environment) struct environment environment = { 0 };
	OE__AUTO(python_pool) struct oe__python_pool *pool = NULL;
	OE__AUTO(string) char *directory = oe__path_absolute(".");
	OE__AUTO(string) char *interpreter = NULL;
	OE__AUTO(string) char *executable = NULL;
	OE__AUTO(buffer) struct oe__buffer keywords = OE__BUFFER_INIT(KEYWORDS_MAX);
	OE__AUTO(policy) struct oe__policy policy = { 0 };
	unsigned functions = 0;

	/* As the user's shell would find it, so that a virtual environment is honoured: evaluators start
	   it again as sys.executable. */
	if (build_environment(config, &environment) == 0)
		interpreter = oe__which(oe__config_string(config, "evaluator.python"),
		                        oe__which_path((const char *const *)environment.items));
	if (!directory || !interpreter)
		return oe__error_nomem(err);
	int status = oe__policy_from_config(config, path, directory, &policy, err);
	bool confined = policy.policy.mode != OE_SANDBOX_NONE;
	if (status == 0 && confined)
		status = confine_python(interpreter, &policy, &environment, &executable, err);
	if (status < 0)
		return status;
	status = write_keywords(config, &keywords, err);
	if (status < 0)
		return status;
	struct oe__python_options options = {
		.interpreter = executable ? executable : interpreter,
		.evaluator = path,
		.directory = confined ? policy.here : directory,
		.suffix = suffix,
		.preload = oe__config_string(config, "evaluator.preload"),
		.keywords = keywords.size > 0 ? oe__buffer_string(&keywords) : NULL,
		.temporary = oe__config_temporary(config),
		.variables = (const char *const *)environment.items,
		.split = strcmp(oe__config_string(config, "evaluator.isolation"), "split") == 0,
		.slots = oe__config_evaluations(config),
		.output_max = (size_t)oe__config_int(config, "evaluator.output_max_bytes"),
		.limits = limits_of(&policy.policy),
		.policy = &policy,
	};
	status = oe__python_pool_new(&options, scheduler, &pool, err);
	if (status == 0)
		status = oe__python_pool_probe(pool, oe__config_ms(config, "evaluator.timeout"), &functions,
		                               err);
	if (status < 0)
		return status;
	return stages_from_config(config, pool, functions, path, out, err);
}

/* "evaluator.command", its program found, or the evaluator's file; NULL-terminated and borrowed. */
static int command_words(const oe_config *config, const struct environment *environment,
                         const char *file, const char ***words, char **program)
{
	const struct oe__value *list = oe__config_value(config, "evaluator.command");
	const char **out = oe__calloc(list->size + 2, sizeof(*out));

	if (!out)
		return OE_ERR_NOMEM;
	*words = out;
	out[0] = file;
	if (list->size == 0)
		return 0;
	const char *name = list->items[0].string;
	*program = strchr(name, '/') ? oe__path_absolute(name)
	                             : oe__which(name, oe__which_path((const char *const *)environment->items));
	out[0] = *program;
	for (size_t i = 1; i < list->size; i++)
		out[i] = list->items[i].string;
	return *program ? 0 : OE_ERR_NOMEM;
}

/* One stage: what is kept of artifacts is the same for all backends. */
static int frame(const oe_config *config, const char *path, oe_evaluator *inner, oe_evaluator **out,
                 oe_error *err)
{
	OE__AUTO(evaluator) oe_evaluator *cascade = NULL;
	struct oe__cascade_options options = frame_of(config, path, false);

	options.plain = true;
	int status = oe__cascade_new(&options, &cascade, err);
	if (status == 0 && oe_evaluator_cascade_add(cascade, inner, -INFINITY) < 0)
		status = oe__error_nomem(err);
	if (status == 0)
		*out = OE__STEAL(cascade);
	return status;
}

static int command_from_config(const oe_config *config, oe_scheduler *scheduler, const char *path,
                               const char *suffix, oe_evaluator **out, oe_error *err)
{
	OE__AUTO(environment) struct environment environment = { 0 };
	OE__AUTO(string) char *directory = oe__path_absolute(".");
	OE__AUTO(policy) struct oe__policy policy = { 0 };
	OE__AUTO(evaluator) oe_evaluator *command = NULL;
	OE__AUTO(memory) const char **words = NULL;
	OE__AUTO(string) char *program = NULL;

	if (!directory || build_environment(config, &environment) < 0 ||
	    command_words(config, &environment, path, &words, &program) < 0)
		return oe__error_nomem(err);
	if (access(words[0], X_OK) != 0 || oe__file_is_directory(words[0]))
		return oe__error(err, OE_ERR_EVALUATOR, "'evaluator.command': there is no program '%s'",
		                 words[0]);
	int status = oe__policy_from_config(config, path, directory, &policy, err);
	if (status == 0 && program && oe__policy_show(&policy, program) < 0)
		status = oe__error_nomem(err);
	if (status < 0)
		return status;
	struct oe__command_evaluator_options options = {
		.arguments = words,
		.directory = directory,
		.suffix = suffix,
		.temporary = oe__config_temporary(config),
		.variables = (const char *const *)environment.items,
		.output_max = (size_t)oe__config_int(config, "evaluator.output_max_bytes"),
		.limits = limits_of(&policy.policy),
		.policy = &policy,
	};
	status = oe__command_evaluator_new(&options, scheduler, &command, err);
	return status < 0 ? status : frame(config, path, command, out, err);
}

static int file_from_config(const oe_config *config, oe_scheduler *scheduler, const char *file,
                            const char *suffix, oe_evaluator **out, oe_error *err)
{
	const char *backend = oe__config_string(config, "evaluator.backend");
	bool own_command = oe__config_value(config, "evaluator.command")->size > 0;
	bool is_python = strcmp(backend, "auto") == 0
	                     ? !own_command && strcmp(oe__path_extension(file), ".py") == 0
	                     : strcmp(backend, "python") == 0;

	if (access(file, R_OK) != 0 || oe__file_is_directory(file))
		return oe__error_at(err, OE_ERR_EVALUATOR, file, 0, 0, "the evaluator cannot be read%s",
		                    oe__file_is_directory(file) ? ": it is a directory" : "");
	if (is_python)
		return python_from_config(config, scheduler, file, suffix, out, err);
	if (!own_command && access(file, X_OK) != 0)
		return oe__error_at(err, OE_ERR_EVALUATOR, file, 0, 0,
		                    "an evaluator is a .py file or an executable: chmod +x makes it one");
	return command_from_config(config, scheduler, file, suffix, out, err);
}

int oe_evaluator_from_config(const oe_config *config, oe_scheduler *scheduler, const char *path,
                             const char *suffix, oe_llm *judge, oe_evaluator **out, oe_error *err)
{
	if (!config || !scheduler || !path || !suffix || !out)
		return oe__error(err, OE_ERR_INVALID, "oe_evaluator_from_config: NULL argument");
	OE__AUTO(string) char *file = oe__policy_place(path);
	if (!file)
		return oe__error_nomem(err);
	OE__AUTO(evaluator) oe_evaluator *inner = NULL;
	int status = file_from_config(config, scheduler, file, suffix, &inner, err);
	if (status < 0)
		return status;
	if (judge && oe__config_bool(config, "evaluator.use_llm_feedback"))
		return oe_evaluator_judge_new(config, inner, judge, out, err);
	*out = OE__STEAL(inner);
	return 0;
}
