#include "evaluator/policy.h"

#include <errno.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"
#include "config/config.h"
#include "evaluator/hidden.h"

#define PLAIN_FILES_MAX 64 /* shown one by one */
#define DESCRIPTORS     256

/* ---- lists ---- */

void oe__paths_done(struct oe__paths *paths)
{
	for (size_t i = 0; i < paths->count; i++)
		oe__free(paths->list[i]);
	oe__free(paths->list);
	*paths = (struct oe__paths){ 0 };
}

int oe__paths_add(struct oe__paths *paths, const char *path)
{
	void *list = paths->list;
	int status = oe__grow(&list, &paths->capacity, paths->count + 2, sizeof(char *));

	paths->list = list;
	if (status < 0)
		return status;
	paths->list[paths->count] = oe__strdup(path);
	if (!paths->list[paths->count])
		return OE_ERR_NOMEM;
	paths->list[++paths->count] = NULL;
	return 0;
}

void oe__policy_done(struct oe__policy *policy)
{
	oe__paths_done(&policy->readable);
	oe__paths_done(&policy->writable);
	oe__paths_done(&policy->directories);
	oe__paths_done(&policy->toolchain);
	oe__paths_done(&policy->masked);
	oe__buffer_done(&policy->remark);
	*policy = (struct oe__policy){ 0 };
}

static void close_lists(struct oe__policy *policy)
{
	policy->policy.readable = (const char *const *)policy->readable.list;
	policy->policy.writable = (const char *const *)policy->writable.list;
	policy->policy.directories = (const char *const *)policy->directories.list;
	policy->policy.toolchain = (const char *const *)policy->toolchain.list;
	policy->policy.masked = (const char *const *)policy->masked.list;
}

int oe__policy_show(struct oe__policy *policy, const char *path)
{
	int status = oe__paths_add(&policy->toolchain, path);

	close_lists(policy);
	return status;
}

/* ---- directories that are more than a project's ---- */

/* Whose files they are. Without links, as what they are compared with is. */
struct homes {
	char *given; /* HOME                          */
	char *known; /* of the user, by the system    */
};

static void homes_done(struct homes *homes)
{
	oe__free(homes->given);
	oe__free(homes->known);
}
OE__AUTO_VALUE(homes, struct homes, homes_done)

/* What HOME says may be another place, or nothing: a service, a caller without an environment. */
static void find_homes(const oe_config *config, struct homes *out)
{
	char space[4096];
	struct passwd entry, *found = NULL;
	const char *name, *value;

	for (size_t i = 0; (name = oe__config_passed_on(config, i, &value)); i++)
		if (strcmp(name, "HOME") == 0 && value && *value == '/')
			out->given = oe__path_real(value);
	if (getpwuid_r(geteuid(), &entry, space, sizeof(space), &found) == 0 && found &&
	    *found->pw_dir == '/')
		out->known = oe__path_real(found->pw_dir);
}

static bool is_at_or_above(const char *directory, const char *path)
{
	size_t size = strlen(directory);

	if (size == 1)
		return true;
	return strncmp(directory, path, size) == 0 && (path[size] == '/' || path[size] == '\0');
}

/* `directory` without links, too. */
static bool is_wide(const char *directory, const struct homes *homes)
{
	static const char *const shared[] = { "/tmp", "/var/tmp", "/dev/shm", "/home", "/root" };

	if ((homes->given && is_at_or_above(directory, homes->given)) ||
	    (homes->known && is_at_or_above(directory, homes->known)))
		return true;
	for (size_t i = 0; i < OE__COUNT(shared); i++)
		if (is_at_or_above(directory, shared[i]))
			return true;
	return false;
}

static bool is_plain(const char *path, const char *name)
{
	struct stat info;
	return name[0] != '.' && !oe__has_prefix(name, "run.db") && lstat(path, &info) == 0 &&
	       S_ISREG(info.st_mode);
}

static int show_files(struct oe__policy *policy, const char *directory)
{
	char **names = NULL;
	size_t count = 0, plain = 0;
	int status = 0;

	if (oe__directory_list(directory, &names, &count, NULL) < 0)
		return 0; /* then there is nothing to show */
	for (size_t i = 0; status == 0 && i < count; i++) {
		OE__AUTO(string) char *path = oe__path_join(directory, names[i]);

		if (!path)
			status = OE_ERR_NOMEM;
		else if (is_plain(path, names[i]) && plain++ < PLAIN_FILES_MAX)
			status = oe__policy_show(policy, path);
	}
	oe__directory_list_free(names, count);
	oe__buffer_printf(&policy->remark, "%sof %s only ", policy->remark.size > 0 ? "; " : "",
	                  directory);
	if (plain > PLAIN_FILES_MAX)
		oe__buffer_printf(&policy->remark, "%d of %zu plain files are shown", PLAIN_FILES_MAX, plain);
	else
		oe__buffer_text(&policy->remark, "the plain files are shown");
	return status;
}

/* The same directory may have two names; it is shown once, under both: see lib/sandbox/policy.c. */
static bool is_listed(const struct oe__paths *paths, const char *real)
{
	for (size_t i = 0; i < paths->count; i++) {
		OE__AUTO(string) char *other = oe__path_real(paths->list[i]);
		if (other && strcmp(other, real) == 0)
			return true;
	}
	return false;
}

/* ---- secrets in what is shown ---- */

static bool is_secret(const char *name)
{
	static const char *const names[] = { ".env", ".envrc", ".netrc", ".git-credentials",
		                                 ".ssh", ".aws",   ".gnupg", ".git" };

	for (size_t i = 0; i < OE__COUNT(names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return oe__has_prefix(name, ".env.");
}

/* Neither is it the business of a program what earlier runs have found. */
static int mask_secrets(struct oe__policy *policy, const char *directory)
{
	bool run = oe__hidden_is_run(directory);
	char **names = NULL;
	size_t count = 0;
	int status = 0;

	if (oe__directory_list(directory, &names, &count, NULL) < 0)
		return 0; /* nor will anybody else */
	for (size_t i = 0; status == 0 && i < count; i++) {
		OE__AUTO(string) char *path = oe__path_join(directory, names[i]);
		if (!path)
			status = OE_ERR_NOMEM;
		else if (is_secret(names[i]) || oe__hidden_is_run(path) ||
		         (run && oe__hidden_is_of_run(names[i])))
			status = oe__paths_add(&policy->masked, path);
	}
	oe__directory_list_free(names, count);
	return status;
}

static bool is_in(const struct oe__paths *paths, const char *real)
{
	for (size_t i = 0; i < paths->count; i++) {
		OE__AUTO(string) char *other = oe__path_real(paths->list[i]);
		if (other && is_at_or_above(other, real))
			return true;
	}
	return false;
}

/* Wherever below it may lie. */
static int mask_key_file(struct oe__policy *policy, const struct oe__value *file)
{
	OE__AUTO(string) char *real =
		file && file->type == OE__VALUE_STRING ? oe__path_real(file->string) : NULL;

	if (!real || !(is_in(&policy->directories, real) || is_in(&policy->readable, real) ||
	               is_in(&policy->toolchain, real)))
		return 0;
	return oe__paths_add(&policy->masked, real);
}

/* Each model may have one of its own. */
static int mask_key_files(struct oe__policy *policy, const oe_config *config)
{
	static const char *const lists[] = { "llm.models", "llm.evaluator_models" };
	int status = mask_key_file(policy, oe__config_value(config, "llm.api_key_file"));

	for (size_t i = 0; i < OE__COUNT(lists); i++) {
		const struct oe__value *list = oe__config_value(config, lists[i]);
		for (size_t k = 0; list->type == OE__VALUE_LIST && k < list->size && status == 0; k++)
			if (list->items[k].type == OE__VALUE_MAP)
				status = mask_key_file(policy, oe__value_get(&list->items[k], "api_key_file"));
	}
	return status;
}

/* All of it, or its plain files. @return 1: all; 0: not. */
static int show_directory(struct oe__policy *policy, const char *directory,
                          const struct homes *homes)
{
	OE__AUTO(string) char *real = oe__path_real(directory);

	if (!real)
		return 0; /* it is not there */
	if (is_wide(real, homes))
		return show_files(policy, real);
	if (is_listed(&policy->directories, real))
		return 1;
	int status = oe__paths_add(&policy->directories, directory);
	if (status == 0)
		status = mask_secrets(policy, directory);
	return status < 0 ? status : 1;
}

/* The evaluator, even if it begins with a dot, is one of many, or a link to another place. */
static int show_evaluator(struct oe__policy *policy, const char *evaluator,
                          const struct homes *homes)
{
	OE__AUTO(string) char *directory = oe__path_directory(evaluator);
	OE__AUTO(string) char *real = oe__path_real(evaluator);
	struct stat info;

	if (!directory)
		return OE_ERR_NOMEM;
	int whole = show_directory(policy, directory, homes);
	bool is_link = lstat(evaluator, &info) == 0 && S_ISLNK(info.st_mode);
	if (whole < 0 || (whole == 1 && !is_link))
		return whole < 0 ? whole : 0;
	int status = oe__policy_show(policy, evaluator);
	return status < 0 || !real || !is_link ? status : oe__policy_show(policy, real);
}

/* ---- from a configuration ---- */

/* A path that is not there would be missed much later, by an evaluation. */
static int add_listed(struct oe__paths *paths, const oe_config *config, const char *name,
                      bool directories, oe_error *err)
{
	const struct oe__value *list = oe__config_value(config, name);
	struct stat info;

	for (size_t i = 0; list->type == OE__VALUE_LIST && i < list->size; i++) {
		const char *path = list->items[i].string;
		if (stat(path, &info) < 0)
			return oe__error(err, OE_ERR_CONFIG, "'%s' names '%s': %s", name, path,
			                 oe__errno_text(errno));
		if (directories && !S_ISDIR(info.st_mode))
			return oe__error(err, OE_ERR_CONFIG, "'%s' names '%s', which is no directory", name,
			                 path);
		if (oe__paths_add(paths, path) < 0)
			return oe__error_nomem(err);
	}
	return 0;
}

static uint64_t required(const oe_config *config)
{
	const struct oe__value *list = oe__config_value(config, "sandbox.require");
	uint64_t bits = 0;

	for (size_t i = 0; list->type == OE__VALUE_LIST && i < list->size; i++)
		for (int guarantee = 0; guarantee < OE_GUARANTEE_COUNT; guarantee++)
			if (strcmp(list->items[i].string, oe_guarantee_name(guarantee)) == 0)
				bits |= (uint64_t)1 << guarantee;
	return bits;
}

static uint64_t mebibytes(const oe_config *config, const char *name)
{
	return oe__config_is_null(config, name) ? 0
	                                        : (uint64_t)oe__config_int(config, name) * OE__MIB;
}

static void set_numbers(const oe_config *config, oe_sandbox_policy *policy)
{
	int64_t cpu_ms = oe__config_ms(config, "sandbox.cpu_limit");

	policy->mode = oe__config_choice(config, "sandbox.mode");
	policy->profile = oe__config_choice(config, "sandbox.profile");
	policy->network = oe__config_choice(config, "sandbox.network");
	policy->overlay = oe__config_bool(config, "sandbox.overlay");
	policy->require = required(config);
	policy->memory_bytes = mebibytes(config, "evaluator.memory_limit_mb");
	policy->cpu_ms = cpu_ms > 0 ? (uint64_t)cpu_ms : 0;
	policy->processes = (uint64_t)oe__config_int(config, "sandbox.processes");
	policy->descriptors = DESCRIPTORS;
	policy->file_bytes = mebibytes(config, "sandbox.file_mb");
	policy->scratch_bytes = mebibytes(config, "sandbox.scratch_mb");
	policy->scratch_files = (uint64_t)oe__config_int(config, "sandbox.scratch_files");
	policy->output_bytes = (uint64_t)oe__config_int(config, "evaluator.output_max_bytes");
	policy->temporary = oe__config_temporary(config);
}

/* @return a status; `policy->here` is set. */
static int show_start(struct oe__policy *policy, const char *here, const struct homes *homes)
{
	size_t before = policy->toolchain.count;
	int whole = here ? show_directory(policy, here, homes) : 1;

	if (whole < 0)
		return whole;
	/* A directory of which nothing is shown is not there. */
	policy->here = whole == 1 || policy->toolchain.count > before ? here : "/tmp";
	return 0;
}

int oe__policy_from_config(const oe_config *config, const char *evaluator, const char *here,
                           struct oe__policy *out, oe_error *err)
{
	OE__AUTO(policy) struct oe__policy policy = { .policy = OE_SANDBOX_POLICY_INIT };
	OE__AUTO(homes) struct homes homes = { 0 };

	set_numbers(config, &policy.policy);
	int status = add_listed(&policy.readable, config, "sandbox.readable", false, err);
	if (status == 0)
		status = add_listed(&policy.writable, config, "sandbox.writable", true, err);
	if (status < 0)
		return status;
	find_homes(config, &homes);
	if (evaluator)
		status = show_evaluator(&policy, evaluator, &homes);
	if (status == 0)
		status = show_start(&policy, here, &homes);
	if (status == 0)
		status = mask_key_files(&policy, config);
	if (status < 0 || policy.remark.status < 0)
		return oe__error_nomem(err);
	close_lists(&policy);
	*out = policy;
	policy = (struct oe__policy){ 0 };
	return 0;
}

char *oe__policy_place(const char *path)
{
	OE__AUTO(string) char *absolute = oe__path_absolute(path);
	OE__AUTO(string) char *directory = absolute ? oe__path_directory(absolute) : NULL;
	OE__AUTO(string) char *real = directory ? oe__path_real(directory) : NULL;

	if (!real || !strstr(absolute, "/../"))
		return OE__STEAL(absolute);
	return oe__path_join(real, oe__path_base(absolute));
}
