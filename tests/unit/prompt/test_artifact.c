/* lib/prompt/artifact.c: the section of artifacts, and what failed attempts left behind. */

#include "desk.h"

static const struct desk_text texts[] = { { "diff_user", "<{artifacts}>" },
										  { "=artifact_title", "Output" },
										  { "=excerpt_gap", "cut {size}" },
										  { NULL, NULL } };

static void expect(const char *yaml, const struct oe__artifact *artifacts, size_t count,
				   const char *wanted)
{
	OE__AUTO(prompt_set) struct oe__prompt_set *set = desk_set(yaml, texts);
	struct oe__prompt_input input = desk_input("x");

	input.artifacts = artifacts;
	input.artifact_count = count;
	desk_expect(set, &input, wanted);
}

START_TEST(test_section)
{
	struct oe__artifact artifacts[] = { desk_artifact("stdout", "one"), desk_artifact("empty", ""),
										desk_artifact("stderr", "```\n# Not a heading") };

	expect("{}", artifacts, 3,
		   "<## Output\n\n### stdout\n```\none\n```\n\n### empty\n```\n\n```\n\n### stderr\n"
		   "````\n```\n# Not a heading\n````>");
	expect("{}", artifacts, 0, "<>");
	expect("prompt: {include_artifacts: false}", artifacts, 3, "<>");
}
END_TEST

START_TEST(test_limits)
{
	struct oe__artifact artifact = desk_artifact("out", "0123456789");

	expect("prompt: {max_artifact_bytes: 4}", &artifact, 1,
		   "<## Output\n\n### out\n```\n01\ncut 10\n89\n```>");
	expect("prompt: {max_artifact_bytes: 4, artifact_style: openevolve}", &artifact, 1,
		   "<## Output\n\n### out\n```\n0123\n... (truncated)\n```>");
}
END_TEST

/* Names are the evaluator's too: one line, no control characters, no end. */
START_TEST(test_names)
{
	char long_name[1000];
	struct oe__artifact artifact = desk_artifact("a\n# b\x1b[31m", "x");
	struct oe__artifact endless = desk_artifact(long_name, "x");
	OE__AUTO(prompt_set) struct oe__prompt_set *set = desk_set("{}", texts);
	struct oe__prompt_input input = desk_input("x");

	expect("{}", &artifact, 1, "<## Output\n\n### a # b\n```\nx\n```>");
	memset(long_name, 'n', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	for (size_t i = 10; i < sizeof(long_name) - 1; i += 10)
		long_name[i] = '.'; /* else it looks like a secret */
	input.artifacts = &endless;
	input.artifact_count = 1;
	OE__AUTO(string) char *text = desk_render(set, &input);
	ck_assert_uint_lt(strlen(text), 300);
}
END_TEST

START_TEST(test_secrets)
{
	struct oe__artifact artifact = desk_artifact("out", "password=x");

	expect("{}", &artifact, 1, "<## Output\n\n### out\n```\npassword=<REDACTED>\n```>");
	expect("prompt: {artifact_security_filter: false}", &artifact, 1,
		   "<## Output\n\n### out\n```\npassword=x\n```>");
}
END_TEST

/* What all details of an attempt may take is shared among them. */
START_TEST(test_details)
{
	static const struct desk_text own[] = { { "diff_user", "{evolution_history}" },
											{ "evolution_history", "{previous_attempts}" },
											{ "previous_attempt", "#{attempt_number}" },
											{ "=excerpt_gap", "cut" },
											{ NULL, NULL } };
	OE__AUTO(prompt_set) struct oe__prompt_set *set = desk_set("prompt: {max_attempt_bytes: 8}", own);
	OE__AUTO(prompt_set) struct oe__prompt_set *without =
		desk_set("prompt: {max_attempt_bytes: 0}", own);
	struct oe__artifact details[] = { desk_artifact("a", "0123456789"), desk_artifact("empty", ""),
									  desk_artifact("b", "01"), desk_artifact("c", "0123") };
	struct oe__prompt_record record = {
		.outcome = OE_OUTCOME_TIMED_OUT, .number = 3, .details = details, .detail_count = 4
	};
	struct oe__prompt_input input = desk_input("x");

	input.attempts = &record;
	input.attempt_count = 1;
	desk_expect(set, &input,
				"#3\na of attempt 3:\n```\n0\ncut\n9\n```\nb of attempt 3:\n```\n01\n```\n"
				"c of attempt 3:\n```\n0\ncut\n3\n```");
	desk_expect(without, &input, "#3");
}
END_TEST

START_TEST(test_short_messages)
{
	char message[300];

	memset(message, 'x', sizeof(message));
	message[200] = '\0';
	ck_assert(oe__message_is_short(message));
	message[200] = 'x';
	message[201] = '\0';
	ck_assert(!oe__message_is_short(message));
	ck_assert(!oe__message_is_short("a\nb"));
	ck_assert(oe__message_is_short(""));
}
END_TEST

TEST_MAIN("artifact", test_section, test_limits, test_names, test_secrets, test_details,
		  test_short_messages)
