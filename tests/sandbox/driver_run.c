/* The cold path: a sandbox and its commands. */

#include <stdlib.h>
#include <string.h>

#include "driver.h"

/* ---- the policy ---- */

/* Position of a name in a list; 0 if it is not there. */
static int32_t one_of(const json_t *policy, const char *member, const char *const *names)
{
	const char *name = json_string_value(json_object_get(policy, member));

	for (int32_t i = 0; name && names[i]; i++)
		if (strcmp(names[i], name) == 0)
			return i;
	return 0;
}

static uint64_t required(const json_t *policy)
{
	const json_t *name, *list = json_object_get(policy, "require");
	uint64_t mask = 0;
	size_t index;

	json_array_foreach(list, index, name)
		for (int i = 0; i < OE_GUARANTEE_COUNT; i++)
			if (strcmp(oe_guarantee_name(i), json_string_value(name)) == 0)
				mask |= UINT64_C(1) << i;
	return mask;
}

static void set_number(const json_t *policy, const char *name, uint64_t *number)
{
	*number = (uint64_t)driver_number(policy, name, (int64_t)*number);
}

/* What a policy borrows while it is used. */
struct lists {
	const char **readable, **writable, **directories;
};

static oe_sandbox_policy policy_of(const json_t *given, struct lists *lists)
{
	static const char *const modes[] = { "auto", "strict", "none", NULL };
	static const char *const profiles[] = { "default", "strict", NULL };
	static const char *const networks[] = { "none", "loopback", "host", NULL };
	oe_sandbox_policy policy = OE_SANDBOX_POLICY_INIT;

	policy.mode = one_of(given, "mode", modes);
	policy.profile = one_of(given, "profile", profiles);
	policy.network = one_of(given, "network", networks);
	policy.overlay = (int32_t)driver_number(given, "overlay", policy.overlay);
	policy.require = required(given);
	set_number(given, "memory_bytes", &policy.memory_bytes);
	set_number(given, "cpu_ms", &policy.cpu_ms);
	set_number(given, "processes", &policy.processes);
	set_number(given, "descriptors", &policy.descriptors);
	set_number(given, "file_bytes", &policy.file_bytes);
	set_number(given, "scratch_bytes", &policy.scratch_bytes);
	set_number(given, "scratch_files", &policy.scratch_files);
	set_number(given, "output_bytes", &policy.output_bytes);
	policy.readable = lists->readable = driver_strings(given, "readable");
	policy.writable = lists->writable = driver_strings(given, "writable");
	policy.directories = lists->directories = driver_strings(given, "directories");
	policy.temporary = json_string_value(json_object_get(given, "temporary"));
	return policy;
}

/* ---- the report ---- */

/* As the getters say it; the text of oe_sandbox_report_json() must say the same. */
static json_t *guarantees(const oe_sandbox *sandbox)
{
	oe_guarantee_info info = { .struct_size = sizeof(info) };
	json_t *list = json_array();

	for (size_t i = 0; oe_sandbox_guarantee_at(sandbox, i, &info); i++)
		json_array_append_new(
			list, json_pack("{s:s, s:s, s:s, s:s}", "name", info.name, "level",
		                    oe_guarantee_level_name(info.level), "mechanism", info.mechanism,
		                    "reason", info.reason));
	return list;
}

json_t *driver_open(struct driver *driver, const json_t *request)
{
	struct lists lists = { NULL, NULL, NULL };
	oe_sandbox_policy policy = policy_of(json_object_get(request, "policy"), &lists);
	oe_error err = { 0 };

	oe_sandbox_free(driver->sandbox);
	driver->sandbox = NULL;
	double begun = driver_now_ms();
	int status = oe_sandbox_new(&policy, &driver->sandbox, &err);
	free(lists.readable);
	free(lists.writable);
	free(lists.directories);
	if (status < 0)
		return driver_failure(status, &err);
	return json_pack("{s:i, s:o, s:s, s:f}", "tier", oe_sandbox_tier(driver->sandbox), "guarantees",
	                 guarantees(driver->sandbox), "report",
	                 oe_sandbox_report_json(driver->sandbox), "open_ms", driver_now_ms() - begun);
}

/* ---- commands ---- */

static json_t *usage_of(const oe_sandbox_result *result)
{
	oe_usage usage = { .struct_size = sizeof(usage) };

	oe_sandbox_result_usage(result, &usage);
	return driver_usage(&usage);
}

static json_t *answer_of(const oe_sandbox_result *result, double elapsed_ms)
{
	size_t size;
	const char *output = oe_sandbox_result_output(result, &size);

	return json_pack("{s:s, s:s, s:i, s:o, s:o, s:f}", "verdict",
	                 oe_verdict_name(oe_sandbox_result_verdict(result)), "message",
	                 oe_sandbox_result_message(result), "status", oe_sandbox_result_status(result),
	                 "output", driver_text(output, size), "usage", usage_of(result), "elapsed_ms",
	                 elapsed_ms);
}

/* {"arguments", "variables", "directory", "timeout_ms", "count"}: the answer is of the last one. */
json_t *driver_run(struct driver *driver, const json_t *request)
{
	const char **arguments = driver_strings(request, "arguments");
	const char **variables = driver_strings(request, "variables");
	oe_sandbox_command command = {
		.struct_size = sizeof(command),
		.arguments = arguments,
		.variables = variables,
		.directory = json_string_value(json_object_get(request, "directory")),
		.timeout_ms = driver_number(request, "timeout_ms", 0),
	};
	json_t *answer = NULL;
	oe_error err = { 0 };

	for (int64_t left = driver_number(request, "count", 1); left > 0; left--) {
		oe_sandbox_result *result = NULL;
		double begun = driver_now_ms();
		int status = oe_sandbox_run(driver->sandbox, &command, &result, &err);
		json_decref(answer);
		answer = status < 0 ? driver_failure(status, &err)
		                    : answer_of(result, driver_now_ms() - begun);
		oe_sandbox_result_free(result);
		if (status < 0)
			break;
	}
	free(arguments);
	free(variables);
	return answer;
}
