/* The sandbox for tools: commands one after the other, in what is made for them in advance. */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "openevolve/openevolve.h"
#include "test.h"

static char directory[] = "/tmp/test-sandbox-XXXXXX";

static void put(const char *name, const char *text)
{
	char path[256], fresh[256];

	(void)snprintf(path, sizeof(path), "%s/%s", directory, name);
	(void)snprintf(fresh, sizeof(fresh), "%s/fresh", directory);
	FILE *file = fopen(fresh, "w");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(text, file), 0);
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_int_eq(rename(fresh, path), 0); /* as editors do */
}

static oe_sandbox *open_sandbox(const char *const *readable, uint64_t memory_bytes)
{
	oe_sandbox_policy policy = OE_SANDBOX_POLICY_INIT;
	oe_sandbox *sandbox = NULL;
	oe_error err = { 0 };

	policy.readable = readable;
	policy.memory_bytes = memory_bytes;
	int status = oe_sandbox_new(&policy, &sandbox, &err);
	ck_assert_msg(status == 0, "%s", err.message);
	return sandbox;
}

static oe_sandbox_result *run(oe_sandbox *sandbox, const char *script)
{
	const char *arguments[] = { "/bin/sh", "-c", script, NULL };
	oe_sandbox_command command = { .struct_size = sizeof(command),
		                           .arguments = arguments,
		                           .timeout_ms = TEST_PATIENCE_MS };
	oe_sandbox_result *result = NULL;
	oe_error err = { 0 };

	int status = oe_sandbox_run(sandbox, &command, &result, &err);
	ck_assert_msg(status == 0, "%s", err.message);
	return result;
}

static void expect_output(oe_sandbox *sandbox, const char *script, const char *output)
{
	oe_sandbox_result *result = run(sandbox, script);

	ck_assert_str_eq(oe_sandbox_result_output(result, NULL), output);
	oe_sandbox_result_free(result);
}

/* What a command sees was mounted before it was asked for: what the host has replaced since is not what it
   is to see. */
START_TEST(test_files_that_are_replaced_are_seen_as_they_are)
{
	char path[256], script[300], text[32];
	const char *readable[] = { path, NULL };

	ck_assert_ptr_nonnull(mkdtemp(directory));
	ck_assert_int_eq(chmod(directory, 0755), 0);
	(void)snprintf(path, sizeof(path), "%s/data", directory);
	(void)snprintf(script, sizeof(script), "cat %s", path);
	put("data", "0");
	oe_sandbox *sandbox = open_sandbox(readable, 0);
	for (int i = 1; i < 6; i++) {
		(void)snprintf(text, sizeof(text), "%d", i);
		put("data", text);
		expect_output(sandbox, script, text);
		expect_output(sandbox, script, text);
	}
	oe_sandbox_free(sandbox);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(rmdir(directory), 0);
}
END_TEST

START_TEST(test_nothing_is_left_for_the_next_command)
{
	oe_sandbox *sandbox = open_sandbox(NULL, 0);

	if (oe_sandbox_tier(sandbox) >= 2)
		for (int i = 0; i < 4; i++)
			expect_output(sandbox, "ls -A /tmp /dev/shm; echo x > /tmp/left; echo x > /dev/shm/left",
			              "/dev/shm:\n\n/tmp:\n");
	oe_sandbox_free(sandbox);
}
END_TEST

static void expect_end(oe_sandbox *sandbox, const char *script, int verdict, int status)
{
	oe_sandbox_result *result = run(sandbox, script);

	ck_assert_int_eq(oe_sandbox_result_verdict(result), verdict);
	ck_assert_int_eq(oe_sandbox_result_status(result), status);
	oe_sandbox_result_free(result);
}

/* In the one that was made for the first command, and in those that were made in advance. */
START_TEST(test_ends_are_told_as_they_are)
{
	oe_sandbox *sandbox = open_sandbox(NULL, 0);

	for (int i = 0; i < 3; i++) {
		expect_end(sandbox, "exit 0", OE_VERDICT_OK, 0);
		expect_end(sandbox, "exit 7", OE_VERDICT_EXITED, 7);
		expect_end(sandbox, "kill -ABRT $$", OE_VERDICT_SIGNALLED, -6);
	}
	oe_sandbox_free(sandbox);
}
END_TEST

START_TEST(test_commands_that_are_not_there_are_errors)
{
	const char *arguments[] = { "/no/such/file", NULL };
	oe_sandbox_command command = { .struct_size = sizeof(command), .arguments = arguments };
	oe_sandbox *sandbox = open_sandbox(NULL, 0);

	for (int i = 0; i < 3; i++) {
		oe_sandbox_result *result = NULL;
		oe_error err = { 0 };
		ck_assert_int_eq(oe_sandbox_run(sandbox, &command, &result, &err), OE_ERR_SANDBOX);
		ck_assert_msg(strstr(err.message, "No such file") != NULL, "%s", err.message);
	}
	expect_end(sandbox, "exit 0", OE_VERDICT_OK, 0);
	oe_sandbox_free(sandbox);
}
END_TEST

/* A limit on the memory of all processes together: there is a control group, where one can be had. */
START_TEST(test_memory_is_limited_in_trees_that_waited)
{
	oe_sandbox *sandbox = open_sandbox(NULL, (uint64_t)128 << 20);

	for (int i = 0; i < 3; i++) {
		oe_sandbox_result *result = run(sandbox, "head -c 400000000 /dev/zero | tail -c 300000000 > /dev/null");
		oe_usage usage = { .struct_size = sizeof(usage) };
		oe_sandbox_result_usage(result, &usage);
		ck_assert_int_ne(oe_sandbox_result_verdict(result), OE_VERDICT_OK);
		ck_assert_str_eq(usage.memory_source, oe_sandbox_tier(sandbox) == 3 ? "cgroup" : "process");
		oe_sandbox_result_free(result);
	}
	oe_sandbox_free(sandbox);
}
END_TEST

/* The only child of this process. */
static pid_t spawner(void)
{
	char path[64];
	int child = 0;

	(void)snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
	FILE *file = fopen(path, "r");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(fscanf(file, "%d", &child), 1);
	fclose(file);
	return child;
}

static void stop_spawner(void)
{
	siginfo_t state;

	ck_assert_int_eq(kill(spawner(), SIGSTOP), 0);
	ck_assert_int_eq(waitid(P_PID, (id_t)spawner(), &state, WSTOPPED | WNOWAIT), 0);
}

/* Without namespaces it is within reach of what it is to kill. It is woken for that, and for its own end. */
START_TEST(test_a_deadline_when_the_spawner_was_stopped)
{
	const char *arguments[] = { "/bin/sleep", "3600", NULL };
	oe_sandbox_command command = { .struct_size = sizeof(command), .arguments = arguments, .timeout_ms = 100 };
	oe_sandbox_policy policy = OE_SANDBOX_POLICY_INIT;
	oe_usage usage = { .struct_size = sizeof(usage) };
	oe_sandbox_result *result = NULL;
	oe_sandbox *sandbox = NULL;
	oe_error err = { 0 };

	policy.mode = OE_SANDBOX_NONE;
	ck_assert_int_eq(oe_sandbox_new(&policy, &sandbox, &err), 0);
	stop_spawner();
	int status = oe_sandbox_run(sandbox, &command, &result, &err);
	ck_assert_msg(status == 0, "%s", err.message);
	ck_assert_int_eq(oe_sandbox_result_verdict(result), OE_VERDICT_WALL_TIMEOUT);
	oe_sandbox_result_usage(result, &usage);
	ck_assert_double_ge(usage.wall_ms, 100);
	oe_sandbox_result_free(result);
	stop_spawner();
	oe_sandbox_free(sandbox);
}
END_TEST

TEST_MAIN("sandbox", test_a_deadline_when_the_spawner_was_stopped, test_files_that_are_replaced_are_seen_as_they_are, test_nothing_is_left_for_the_next_command,
          test_ends_are_told_as_they_are, test_commands_that_are_not_there_are_errors,
          test_memory_is_limited_in_trees_that_waited)
