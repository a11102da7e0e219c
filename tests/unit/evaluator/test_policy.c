/* From a configuration to a policy: its numbers, and above all which files it shows. */

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/text.h"
#include "config/config.h"
#include "evaluator/policy.h"

/* A world below a directory of its own: home/{plain files, .ssh, project/evaluator.py}, other/. */
static char root[64];
static const char *home; /* what HOME says, or NULL */

static void put(const char *name)
{
	OE__AUTO(string) char *path = oe__path_join(root, name);
	OE__AUTO(string) char *directory = oe__path_directory(path);

	ck_assert_int_eq(oe__directory_make(directory, NULL), 0);
	ck_assert_int_eq(oe__file_write(path, "x", 1, NULL), 0);
}

static void link_to(const char *target, const char *name)
{
	OE__AUTO(string) char *path = oe__path_join(root, name);

	ck_assert_int_eq(symlink(target, path), 0);
}

static void set_up(void)
{
	strcpy(root, "/tmp/oe-policy-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(root));
	OE__AUTO(string) char *real = oe__path_real(root);
	ck_assert_uint_lt(strlen(real), sizeof(root));
	strcpy(root, real);
	put("home/a.txt");
	put("home/b.py");
	put("home/.netrc");
	put("home/.ssh/key");
	put("home/project/evaluator.py");
	put("other/evaluator.py");
	link_to("a.txt", "home/link");
	link_to("home", "alias");
	home = NULL;
}

static void tear_down(void)
{
	ck_assert_int_eq(oe__directory_remove(root, NULL), 0);
}

static const char *environment(const char *name, void *userdata)
{
	(void)userdata;
	return strcmp(name, "HOME") == 0 ? home : NULL;
}

static oe_config *configure(const char *yaml)
{
	oe_config *config = NULL;
	oe_error err = { 0 };

	ck_assert_int_eq(oe_config_new(&config), 0);
	ck_assert_int_eq(oe_config_set_environment(config, environment, NULL, &err), 0);
	int status = oe_config_load_text(config, yaml, strlen(yaml), "c.yaml", &err);
	ck_assert_msg(status == 0, "%s", err.message);
	return config;
}

/* Paths below the root; "" is the root itself. */
static void make_with(const char *yaml, const char *evaluator, const char *here, struct oe__policy *out)
{
	OE__AUTO(config) oe_config *config = configure(yaml);
	static char start[128];
	char file[128];
	oe_error err = { 0 };

	snprintf(file, sizeof(file), "%s/%s", root, evaluator ? evaluator : "");
	snprintf(start, sizeof(start), "%s%s%s", root, *here ? "/" : "", here);
	int status = oe__policy_from_config(config, evaluator ? file : NULL, start, out, &err);
	ck_assert_msg(status == 0, "%s", err.message);
}

static void make(const char *evaluator, const char *here, struct oe__policy *out)
{
	make_with("{}", evaluator, here, out);
}

static bool lists(const char *const *list, const char *name)
{
	OE__AUTO(string) char *path = oe__path_join(root, name);

	for (size_t i = 0; list && list[i]; i++)
		if (strcmp(list[i], path) == 0)
			return true;
	return false;
}

static size_t length(const char *const *list)
{
	size_t count = 0;

	while (list && list[count])
		count++;
	return count;
}

/* ---- numbers ---- */

START_TEST(test_defaults_are_those_of_the_header)
{
	OE__AUTO(config) oe_config *config = configure("{}");
	OE__AUTO(policy) struct oe__policy policy = { 0 };
	const oe_sandbox_policy usual = OE_SANDBOX_POLICY_INIT;

	ck_assert_int_eq(oe__policy_from_config(config, NULL, NULL, &policy, NULL), 0);
	const oe_sandbox_policy *made = &policy.policy;
	ck_assert_int_eq(made->mode, usual.mode);
	ck_assert_int_eq(made->profile, usual.profile);
	ck_assert_int_eq(made->network, usual.network);
	ck_assert_int_eq(made->overlay, usual.overlay);
	ck_assert_uint_eq(made->require, usual.require);
	ck_assert_uint_eq(made->memory_bytes, usual.memory_bytes);
	ck_assert_uint_eq(made->cpu_ms, usual.cpu_ms);
	ck_assert_uint_eq(made->processes, usual.processes);
	ck_assert_uint_eq(made->descriptors, usual.descriptors);
	ck_assert_uint_eq(made->file_bytes, usual.file_bytes);
	ck_assert_uint_eq(made->scratch_bytes, usual.scratch_bytes);
	ck_assert_uint_eq(made->scratch_files, usual.scratch_files);
	ck_assert_uint_eq(made->output_bytes, usual.output_bytes);
	ck_assert_uint_eq(length(made->readable) + length(made->writable) + length(made->directories), 0);
}
END_TEST

START_TEST(test_every_option_has_its_place)
{
	OE__AUTO(config) oe_config *config = configure(
		"evaluator: {memory_limit_mb: 3, output_max_bytes: 1000}\n"
		"sandbox: {mode: none, profile: strict, network: host, overlay: false, processes: 7,\n"
		"  require: [fs_read, score], cpu_limit: 2.5, file_mb: 4, scratch_mb: 5, scratch_files: 6}\n");
	OE__AUTO(policy) struct oe__policy policy = { 0 };

	ck_assert_int_eq(oe__policy_from_config(config, NULL, NULL, &policy, NULL), 0);
	const oe_sandbox_policy *made = &policy.policy;
	ck_assert_int_eq(made->mode, OE_SANDBOX_NONE);
	ck_assert_int_eq(made->profile, OE_PROFILE_STRICT);
	ck_assert_int_eq(made->network, OE_NETWORK_HOST);
	ck_assert_int_eq(made->overlay, 0);
	ck_assert_uint_eq(made->require, 1u << OE_GUARANTEE_FS_READ | 1u << OE_GUARANTEE_SCORE);
	ck_assert_uint_eq(made->memory_bytes, 3 << 20);
	ck_assert_uint_eq(made->cpu_ms, 2500);
	ck_assert_uint_eq(made->processes, 7);
	ck_assert_uint_eq(made->file_bytes, 4 << 20);
	ck_assert_uint_eq(made->scratch_bytes, 5 << 20);
	ck_assert_uint_eq(made->scratch_files, 6);
	ck_assert_uint_eq(made->output_bytes, 1000);
	OE__AUTO(config) oe_config *strict = configure("sandbox: {mode: strict, network: loopback}\n");
	oe__policy_done(&policy);
	ck_assert_int_eq(oe__policy_from_config(strict, NULL, NULL, &policy, NULL), 0);
	ck_assert_int_eq(policy.policy.mode, OE_SANDBOX_STRICT);
	ck_assert_int_eq(policy.policy.network, OE_NETWORK_LOOPBACK);
}
END_TEST

START_TEST(test_paths_must_be_there)
{
	oe_error err = { 0 };
	char yaml[256], expected[256];
	struct oe__policy policy = { 0 };

	snprintf(yaml, sizeof(yaml), "sandbox: {readable: [%s/home, %s/nothing]}\n", root, root);
	OE__AUTO(config) oe_config *missing = configure(yaml);
	ck_assert_int_eq(oe__policy_from_config(missing, NULL, NULL, &policy, &err), OE_ERR_CONFIG);
	snprintf(expected, sizeof(expected),
			 "'sandbox.readable' names '%s/nothing': No such file or directory", root);
	ck_assert_str_eq(err.message, expected);

	snprintf(yaml, sizeof(yaml), "sandbox: {writable: %s/home/a.txt}\n", root);
	OE__AUTO(config) oe_config *file = configure(yaml);
	ck_assert_int_eq(oe__policy_from_config(file, NULL, NULL, &policy, &err), OE_ERR_CONFIG);
	ck_assert_ptr_nonnull(strstr(err.message, "which is no directory"));

	snprintf(yaml, sizeof(yaml), "sandbox: {writable: %s/home, readable: %s/home/a.txt}\n", root, root);
	OE__AUTO(config) oe_config *fine = configure(yaml);
	OE__AUTO(policy) struct oe__policy made = { 0 };
	ck_assert_int_eq(oe__policy_from_config(fine, NULL, NULL, &made, &err), 0);
	ck_assert(lists(made.policy.writable, "home"));
	ck_assert(lists(made.policy.readable, "home/a.txt"));
}
END_TEST

/* ---- directories ---- */

START_TEST(test_a_project_is_shown_as_a_whole)
{
	OE__AUTO(policy) struct oe__policy policy = { 0 };

	make("other/evaluator.py", "home/project", &policy);
	ck_assert(lists(policy.policy.directories, "other"));
	ck_assert(lists(policy.policy.directories, "home/project"));
	ck_assert_uint_eq(length(policy.policy.directories), 2);
	ck_assert_uint_eq(length(policy.policy.toolchain), 0);
	ck_assert_uint_eq(policy.remark.size, 0);
	ck_assert(oe__has_suffix(policy.here, "/home/project"));
}
END_TEST

START_TEST(test_one_directory_is_listed_once)
{
	OE__AUTO(policy) struct oe__policy policy = { 0 }, alias = { 0 };

	make("home/project/evaluator.py", "home/project", &policy);
	ck_assert_uint_eq(length(policy.policy.directories), 1);
	make("alias/project/evaluator.py", "home/project", &alias);
	ck_assert_uint_eq(length(alias.policy.directories), 1);
}
END_TEST

START_TEST(test_secrets_are_masked)
{
	static const char *const secrets[] = { ".env", ".env.local", ".envrc", ".git-credentials",
		                                   ".netrc", ".git/config", ".ssh/id", ".aws/credentials",
		                                   ".gnupg/key" };
	static const char *const others[] = { ".environment", ".github/x", "env", "sub/.env" };
	OE__AUTO(policy) struct oe__policy policy = { 0 }, none = { 0 };
	char name[64];

	for (size_t i = 0; i < OE__COUNT(secrets); i++) {
		snprintf(name, sizeof(name), "other/%s", secrets[i]);
		put(name);
	}
	for (size_t i = 0; i < OE__COUNT(others); i++) {
		snprintf(name, sizeof(name), "other/%s", others[i]);
		put(name);
	}
	make("other/evaluator.py", "home/project", &policy);
	ck_assert_uint_eq(length(policy.policy.masked), OE__COUNT(secrets));
	ck_assert(lists(policy.policy.masked, "other/.env.local"));
	ck_assert(lists(policy.policy.masked, "other/.git"));
	make("home/project/evaluator.py", "home/project", &none);
	ck_assert_uint_eq(length(none.policy.masked), 0);
}
END_TEST

/* Those of all models and of those that judge, too; one that is not shown needs no mask. */
START_TEST(test_files_of_keys_are_masked)
{
	OE__AUTO(policy) struct oe__policy policy = { 0 };
	char yaml[1024];

	put("other/key");
	put("other/keys/first");
	put("other/keys/judge");
	put("elsewhere/key");
	snprintf(yaml, sizeof(yaml),
	         "llm:\n  api_key_file: %s/other/key\n  models:\n    - {name: a, api_key_file: %s/other/keys/first}\n"
	         "    - {name: b, api_key_file: %s/elsewhere/key}\n    - {name: c}\n"
	         "  evaluator_models:\n    - {name: d, api_key_file: %s/other/keys/judge}\n",
	         root, root, root, root);
	make_with(yaml, "other/evaluator.py", "home/project", &policy);
	ck_assert_uint_eq(length(policy.policy.masked), 3);
	ck_assert(lists(policy.policy.masked, "other/key"));
	ck_assert(lists(policy.policy.masked, "other/keys/first"));
	ck_assert(lists(policy.policy.masked, "other/keys/judge"));
}
END_TEST

/* Only what a home holds in plain sight: no dot files, no directories, no links. */
static void check_home(const struct oe__policy *policy)
{
	ck_assert_uint_eq(length(policy->policy.directories), 0);
	ck_assert(lists(policy->policy.toolchain, "home/a.txt"));
	ck_assert(lists(policy->policy.toolchain, "home/b.py"));
	ck_assert_uint_eq(length(policy->policy.toolchain), 2);
	ck_assert_ptr_nonnull(strstr(policy->remark.data, "/home only the plain files are shown"));
}

START_TEST(test_a_home_is_shown_in_part)
{
	static const char *const spellings[] = { "home", "alias" };
	char text[128];

	for (size_t i = 0; i < OE__COUNT(spellings); i++)
		for (size_t k = 0; k < OE__COUNT(spellings); k++) {
			OE__AUTO(policy) struct oe__policy policy = { 0 };
			snprintf(text, sizeof(text), "%s/%s", root, spellings[i]);
			home = text;
			make(NULL, spellings[k], &policy);
			check_home(&policy);
			ck_assert(oe__has_suffix(policy.here, spellings[k]));
		}
	OE__AUTO(policy) struct oe__policy above = { 0 };
	make(NULL, "", &above); /* what is above it, too: and there is no plain file */
	ck_assert_uint_eq(length(above.policy.directories) + length(above.policy.toolchain), 0);
	ck_assert_str_eq(above.here, "/tmp");
}
END_TEST

/* "../evaluator.py" from a project leads to the home as well. */
START_TEST(test_dots_do_not_lead_around_it)
{
	OE__AUTO(policy) struct oe__policy policy = { 0 };
	char text[128];

	snprintf(text, sizeof(text), "%s/home", root);
	home = text;
	make("home/project/../b.py", "home/project", &policy);
	ck_assert(lists(policy.policy.directories, "home/project"));
	ck_assert_uint_eq(length(policy.policy.directories), 1);
	ck_assert(lists(policy.policy.toolchain, "home/b.py"));
	for (size_t i = 0; policy.policy.toolchain[i]; i++)
		ck_assert_ptr_null(strstr(policy.policy.toolchain[i], "/.ssh"));
}
END_TEST

START_TEST(test_the_evaluator_is_always_shown)
{
	OE__AUTO(policy) struct oe__policy hidden = { 0 }, linked = { 0 };
	char text[128];

	snprintf(text, sizeof(text), "%s/home", root);
	home = text;
	make("home/.netrc", "other", &hidden);
	ck_assert(lists(hidden.policy.toolchain, "home/.netrc"));
	link_to("../home/.ssh/key", "other/linked.py");
	make("other/linked.py", "other", &linked);
	ck_assert(lists(linked.policy.toolchain, "home/.ssh/key")); /* that very file, as was asked for */
	ck_assert_uint_eq(length(linked.policy.directories), 1);
}
END_TEST

START_TEST(test_places_for_everybody_are_no_projects)
{
	static const char *const places[] = { "/", "/tmp", "/var/tmp", "/home", "/dev/shm", "/var" };

	for (size_t i = 0; i < OE__COUNT(places); i++) {
		OE__AUTO(config) oe_config *config = configure("{}");
		OE__AUTO(policy) struct oe__policy policy = { 0 };
		ck_assert_int_eq(oe__policy_from_config(config, NULL, places[i], &policy, NULL), 0);
		ck_assert_msg(length(policy.policy.directories) == 0, "%s", places[i]);
	}
}
END_TEST

START_TEST(test_many_files_are_counted)
{
	OE__AUTO(policy) struct oe__policy policy = { 0 };
	char text[128], name[64];

	for (int i = 0; i < 70; i++) {
		snprintf(name, sizeof(name), "home/file%02d", i);
		put(name);
	}
	snprintf(text, sizeof(text), "%s/home", root);
	home = text;
	make("home/file69", "home", &policy);
	ck_assert_ptr_nonnull(strstr(policy.remark.data, "/home only 64 of 72 plain files are shown"));
	ck_assert(lists(policy.policy.toolchain, "home/file69"));
}
END_TEST

START_TEST(test_places_without_dots)
{
	char path[128], expected[128];

	snprintf(path, sizeof(path), "%s/home/project/../b.py", root);
	snprintf(expected, sizeof(expected), "%s/home/b.py", root);
	OE__AUTO(string) char *place = oe__policy_place(path);
	ck_assert_str_eq(place, expected);
	snprintf(path, sizeof(path), "%s/alias/b.py", root);
	OE__AUTO(string) char *kept = oe__policy_place(path);
	ck_assert_str_eq(kept, path); /* links stay: programs look beside them */
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		test_defaults_are_those_of_the_header, test_every_option_has_its_place,
		test_paths_must_be_there,			   test_a_project_is_shown_as_a_whole,
		test_one_directory_is_listed_once,	   test_a_home_is_shown_in_part,
		test_files_of_keys_are_masked, test_secrets_are_masked,
		test_dots_do_not_lead_around_it,	   test_the_evaluator_is_always_shown,
		test_places_for_everybody_are_no_projects, test_many_files_are_counted,
		test_places_without_dots,
	};
	Suite *suite = suite_create("policy");
	TCase *tcase = tcase_create("policy");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	for (size_t i = 0; i < OE__COUNT(tests); i++)
		tcase_add_test(tcase, tests[i]);
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
