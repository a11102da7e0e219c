#include "evaluator/policy.h"

#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"
#include "config/config.h"

#define PLAIN_FILES_MAX 64 /* shown one by one */
#define DESCRIPTORS     256

/* ---- lists ---- */

static void paths_done(struct oe__paths *paths)
{
	for (size_t i = 0; i < paths->count; i++)
		oe__free(paths->list[i]);
	oe__free(paths->list);
}

static int paths_add(struct oe__paths *paths, const char *path)
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
	paths_done(&policy->readable);
	paths_done(&policy->writable);
	paths_done(&policy->directories);
	oe__buffer_done(&policy->remark);
	*policy = (struct oe__policy){ 0 };
}

static void close_lists(struct oe__policy *policy)
{
	policy->policy.readable = (const char *const *)policy->readable.list;
	policy->policy.writable = (const char *const *)policy->writable.list;
	policy->policy.directories = (const char *const *)policy->directories.list;
}

int oe__policy_show(struct oe__policy *policy, const char *path)
{
	int status = paths_add(&policy->readable, path);

	close_lists(policy);
	return status;
}

/* ---- directories that are more than a project's ---- */

static bool is_at_or_above(const char *directory, const char *path)
{
	size_t size = strlen(directory);

	if (size == 1)
		return true;
	return strncmp(directory, path, size) == 0 && (path[size] == '/' || path[size] == '\0');
}

static bool is_wide(const char *directory, const char *home)
{
	static const char *const shared[] = { "/tmp", "/var/tmp", "/dev/shm", "/home", "/root" };

	if ((home && *home == '/' && is_at_or_above(directory, home)) || strcmp(directory, "/") == 0)
		return true;
	for (size_t i = 0; i < OE__COUNT(shared); i++)
		if (is_at_or_above(directory, shared[i]))
			return true;
	return false;
}

/* The evaluator first: it must be among them. */
static int show_files(struct oe__policy *policy, const char *directory, const char *first)
{
	char **names = NULL;
	size_t count = 0, shown = 0;
	int status = first ? oe__policy_show(policy, first) : 0;

	if (oe__directory_list(directory, &names, &count, NULL) < 0)
		return status; /* then there is nothing to show */
	for (size_t i = 0; status == 0 && i < count && shown < PLAIN_FILES_MAX; i++) {
		OE__AUTO(string) char *path = oe__path_join(directory, names[i]);
		struct stat info;

		if (!path)
			status = OE_ERR_NOMEM;
		else if (names[i][0] != '.' && lstat(path, &info) == 0 && S_ISREG(info.st_mode)) {
			status = oe__policy_show(policy, path);
			shown++;
		}
	}
	oe__directory_list_free(names, count);
	oe__buffer_printf(&policy->remark, "%sof %s %s plain files are shown",
	                  policy->remark.size > 0 ? "; " : "", directory,
	                  shown == PLAIN_FILES_MAX ? "only the first" : "only the");
	return status;
}

static int show_directory(struct oe__policy *policy, const char *directory, const char *home,
                          const char *first)
{
	for (size_t i = 0; i < policy->directories.count; i++)
		if (strcmp(policy->directories.list[i], directory) == 0)
			return 0;
	if (is_wide(directory, home))
		return show_files(policy, directory, first);
	return paths_add(&policy->directories, directory);
}

/* ---- from a configuration ---- */

static int add_listed(struct oe__paths *paths, const oe_config *config, const char *name)
{
	const struct oe__value *list = oe__config_value(config, name);
	int status = 0;

	for (size_t i = 0; status == 0 && list->type == OE__VALUE_LIST && i < list->size; i++)
		status = paths_add(paths, list->items[i].string);
	return status;
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

int oe__policy_from_config(const oe_config *config, const char *evaluator, const char *here,
                           struct oe__policy *out, oe_error *err)
{
	OE__AUTO(policy) struct oe__policy policy = { .policy = OE_SANDBOX_POLICY_INIT };
	OE__AUTO(string) char *directory = evaluator ? oe__path_directory(evaluator) : NULL;
	const char *home = NULL, *name, *value;

	for (size_t i = 0; (name = oe__config_passed_on(config, i, &value)); i++)
		if (strcmp(name, "HOME") == 0)
			home = value;
	set_numbers(config, &policy.policy);
	int status = add_listed(&policy.readable, config, "sandbox.readable");
	if (status == 0)
		status = add_listed(&policy.writable, config, "sandbox.writable");
	if (status == 0 && evaluator)
		status = directory ? show_directory(&policy, directory, home, evaluator) : OE_ERR_NOMEM;
	size_t before = policy.readable.count;
	if (status == 0 && here)
		status = show_directory(&policy, here, home, NULL);
	bool shown = !here || !is_wide(here, home) || policy.readable.count > before ||
	             (directory && strcmp(directory, here) == 0);
	policy.here = shown ? here : "/tmp";
	if (status < 0 || policy.remark.status < 0)
		return oe__error_nomem(err);
	close_lists(&policy);
	*out = policy;
	policy = (struct oe__policy){ 0 };
	return 0;
}
