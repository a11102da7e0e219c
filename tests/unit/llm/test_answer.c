/* lib/llm/answer.c: what providers answer, in both dialects, whole and broken. */

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/text.h"
#include "llm/answer.h"
#include "tests/test.h"

#include <string.h>

#define OPENAI(message, rest) "{\"id\": \"x\", \"choices\": [{\"index\": 0, " message "}]" rest "}"
#define SAYS(text)			  "\"message\": {\"role\": \"assistant\", \"content\": " text "}"
#define ANTHROPIC(content, rest) "{\"type\": \"message\", \"content\": " content rest "}"

struct reading {
	int status, finish;
	int64_t tokens_in, tokens_out;
	char text[256];
	struct oe__answer_error error;
	oe_error err;
};

static struct reading read_sized(enum oe__chat_dialect dialect, const char *json, size_t size)
{
	OE__AUTO(completion) oe_completion *completion = NULL;
	struct reading reading = { 0 };

	ck_assert_int_eq(oe__completion_new(200, &completion), 0);
	reading.status =
		oe__answer_read(dialect, json, size, completion, &reading.error, &reading.err);
	reading.finish = oe_completion_finish_reason(completion);
	reading.tokens_in = oe_completion_tokens_in(completion);
	reading.tokens_out = oe_completion_tokens_out(completion);
	memcpy(reading.text, oe_completion_text(completion, NULL), completion->text.size + 1);
	return reading;
}

static struct reading read_text(enum oe__chat_dialect dialect, const char *json)
{
	return read_sized(dialect, json, strlen(json));
}

struct good_case {
	const char *json, *text;
	int finish;
};

static const struct good_case openai[] = {
	{ OPENAI(SAYS("\"caf\\u00e9\\n\""), ""), "caf\xc3\xa9\n", OE_FINISH_STOP },
	{ OPENAI(SAYS("\"a\"") ", \"finish_reason\": \"stop\"", ""), "a", OE_FINISH_STOP },
	{ OPENAI(SAYS("\"a\"") ", \"finish_reason\": null", ""), "a", OE_FINISH_STOP },
	{ OPENAI("\"finish_reason\": \"length\", " SAYS("\"a\""), ""), "a", OE_FINISH_LENGTH },
	{ OPENAI(SAYS("\"a\"") ", \"finish_reason\": \"tool_calls\"", ""), "a", OE_FINISH_OTHER },
	{ OPENAI(SAYS("\"a\"") ", \"finish_reason\": \"content_filter\"", ""), "a", OE_FINISH_REFUSAL },
	{ OPENAI(SAYS("\"\""), ""), "", OE_FINISH_EMPTY },
	{ OPENAI(SAYS("null") ", \"finish_reason\": \"stop\"", ""), "", OE_FINISH_EMPTY },
	/* Nothing but reasoning until the limit. */
	{ OPENAI(SAYS("\"\"") ", \"finish_reason\": \"length\"", ""), "", OE_FINISH_LENGTH },
	{ OPENAI("\"message\": {\"content\": null, \"refusal\": \"I will not\"}", ""), "I will not",
	  OE_FINISH_REFUSAL },
	{ OPENAI("\"message\": {\"refusal\": \"I will not\", \"content\": null}", ""), "I will not",
	  OE_FINISH_REFUSAL },
	{ OPENAI("\"message\": {\"refusal\": null, \"content\": \"a\"}", ""), "a", OE_FINISH_STOP },
	{ OPENAI("\"message\": {\"refusal\": \"\", \"content\": \"a\"}", ""), "a", OE_FINISH_STOP },
	/* Parts; what is not text is left out, whichever member comes first. */
	{ OPENAI(SAYS("[{\"type\": \"text\", \"text\": \"a\"}, {\"text\": \"no\", \"type\": "
				  "\"reasoning\"}, {\"type\": \"output_text\", \"text\": \"b\"}, \"c\", 7]"),
			 ""),
	  "abc", OE_FINISH_STOP },
	{ OPENAI(SAYS("[]"), ""), "", OE_FINISH_EMPTY },
	/* Only the first choice counts, and an error beside it that is none. */
	{ "{\"choices\": [{" SAYS("\"a\"") "}, {" SAYS("\"b\"") "}], \"error\": null}", "a",
	  OE_FINISH_STOP },
	{ OPENAI(SAYS("7"), ""), "", OE_FINISH_EMPTY },
};

static const struct good_case anthropic[] = {
	{ ANTHROPIC("[{\"type\": \"text\", \"text\": \"a\"}]", ", \"stop_reason\": \"end_turn\""), "a",
	  OE_FINISH_STOP },
	{ ANTHROPIC("[{\"type\": \"thinking\", \"thinking\": \"no\"}, {\"type\": \"text\", \"text\": "
				"\"a\"}]",
				", \"stop_reason\": \"stop_sequence\""),
	  "a", OE_FINISH_STOP },
	{ ANTHROPIC("[{\"type\": \"text\", \"text\": \"a\"}]", ", \"stop_reason\": \"max_tokens\""),
	  "a", OE_FINISH_LENGTH },
	{ ANTHROPIC("[{\"type\": \"text\", \"text\": \"a\"}]",
				", \"stop_reason\": \"model_context_window_exceeded\""),
	  "a", OE_FINISH_LENGTH },
	{ ANTHROPIC("[]", ", \"stop_reason\": \"refusal\""), "", OE_FINISH_REFUSAL },
	{ ANTHROPIC("[]", ", \"stop_reason\": \"tool_use\""), "", OE_FINISH_EMPTY },
};

/* The answer, and that no beginning of it is taken for one. */
static void check_good(enum oe__chat_dialect dialect, const struct good_case *good)
{
	struct reading reading = read_text(dialect, good->json);
	size_t size = strlen(good->json);

	ck_assert_msg(reading.status == 0, "%s: %s", good->json, reading.err.message);
	ck_assert_str_eq(reading.text, good->text);
	ck_assert_msg(reading.finish == good->finish, "%s: %d", good->json, reading.finish);
	for (size_t cut = 1; cut < size; cut++) {
		/* In memory of its own, so that reading on is found out. */
		OE__AUTO(string) char *start = oe__memdup(good->json, cut);
		reading = read_sized(dialect, start, cut);
		ck_assert_msg(reading.status == OE_ERR_FORMAT, "the first %zu bytes of %s", cut, good->json);
		ck_assert_str_eq(reading.text, "");
		ck_assert_str_ne(reading.err.message, "");
	}
}

START_TEST(test_answers)
{
	for (size_t i = 0; i < OE__COUNT(openai); i++) {
		check_good(OE__CHAT_OPENAI, &openai[i]);
		check_good(OE__CHAT_AZURE, &openai[i]);
	}
	for (size_t i = 0; i < OE__COUNT(anthropic); i++)
		check_good(OE__CHAT_ANTHROPIC, &anthropic[i]);
}
END_TEST

START_TEST(test_usage)
{
	static const struct {
		enum oe__chat_dialect dialect;
		const char *json;
		int64_t tokens_in, tokens_out;
	} cases[] = {
		{ OE__CHAT_OPENAI,
		  OPENAI(SAYS("\"a\""), ", \"usage\": {\"prompt_tokens\": 12, \"completion_tokens\": 34, "
								"\"total_tokens\": 46}"),
		  12, 34 },
		{ OE__CHAT_OPENAI, OPENAI(SAYS("\"a\""), ", \"usage\": null"), -1, -1 },
		{ OE__CHAT_OPENAI, OPENAI(SAYS("\"a\""), ", \"usage\": {\"prompt_tokens\": 0}"), 0, -1 },
		{ OE__CHAT_OPENAI,
		  OPENAI(SAYS("\"a\""), ", \"usage\": {\"prompt_tokens\": -4, \"completion_tokens\": \"9\"}"),
		  -1, -1 },
		{ OE__CHAT_OPENAI,
		  OPENAI(SAYS("\"a\""), ", \"usage\": {\"prompt_tokens\": 1e99, \"completion_tokens\": "
								"99999999999999999999}"),
		  -1, -1 },
		/* What was cached is part of what was sent. */
		{ OE__CHAT_ANTHROPIC,
		  ANTHROPIC("[]", ", \"usage\": {\"input_tokens\": 5, \"cache_creation_input_tokens\": 20, "
						  "\"cache_read_input_tokens\": 300, \"output_tokens\": 7}"),
		  325, 7 },
		{ OE__CHAT_ANTHROPIC,
		  ANTHROPIC("[]", ", \"usage\": {\"input_tokens\": 5, \"cache_read_input_tokens\": null}"),
		  5, -1 },
	};

	for (size_t i = 0; i < OE__COUNT(cases); i++) {
		struct reading reading = read_text(cases[i].dialect, cases[i].json);
		ck_assert_msg(reading.status == 0 && reading.tokens_in == cases[i].tokens_in &&
						  reading.tokens_out == cases[i].tokens_out,
					  "%s: %d, %lld in, %lld out", cases[i].json, reading.status,
					  (long long)reading.tokens_in, (long long)reading.tokens_out);
	}
}
END_TEST

START_TEST(test_no_answer)
{
	static const char *const texts[] = {
		"",
		"null",
		"[]",
		"{}",
		"\"text\"",
		"{\"choices\": []}",
		"{\"choices\": null}",
		"{\"choices\": {}}",
		"{\"choices\": [7]}",
		"<html>502 Bad Gateway</html>",
		OPENAI(SAYS("\"a\""), "") "x",
		OPENAI(SAYS("\"a\""), "") OPENAI(SAYS("\"a\""), ""),
		OPENAI(SAYS("'a'"), ""),
		OPENAI(SAYS("\"a"), ""),
	};

	for (size_t i = 0; i < OE__COUNT(texts); i++) {
		struct reading reading = read_text(OE__CHAT_OPENAI, texts[i]);
		ck_assert_msg(reading.status == OE_ERR_FORMAT, "%s: %d", texts[i], reading.status);
		ck_assert_str_eq(reading.text, "");
		ck_assert_str_ne(reading.err.message, "");
	}
}
END_TEST

/* 200 with an error inside, as gateways like to do. */
START_TEST(test_error_inside)
{
	struct reading reading = read_text(
		OE__CHAT_OPENAI, "{\"error\": {\"message\": \"no room\\nat all\", \"code\": 503}}");

	ck_assert_int_eq(reading.status, OE_ERR_LLM);
	ck_assert_str_eq(reading.error.message, "no room at all");
	ck_assert_int_eq(reading.error.code, 503);
	reading = read_text(OE__CHAT_ANTHROPIC, "{\"type\": \"error\", \"error\": {\"type\": "
											"\"overloaded_error\", \"message\": \"busy\"}}");
	ck_assert_int_eq(reading.status, OE_ERR_LLM);
	ck_assert_str_eq(reading.error.type, "overloaded_error");
}
END_TEST

START_TEST(test_too_long)
{
	OE__AUTO(buffer) struct oe__buffer json = OE__BUFFER_INIT(0);

	oe__buffer_text(&json, "{\"choices\": [{\"message\": {\"content\": \"");
	for (int i = 0; i < 201; i++)
		oe__buffer_char(&json, 'x');
	oe__buffer_text(&json, "\"}}]}");
	ck_assert_int_eq(read_text(OE__CHAT_OPENAI, json.data).status, OE_ERR_LIMIT);
}
END_TEST

START_TEST(test_errors)
{
	static const struct {
		const char *text, *message, *type, *parameter;
		int code;
	} cases[] = {
		{ "{\"error\": {\"message\": \"m\", \"type\": \"t\", \"param\": \"p\", \"code\": \"c\"}}", "m",
		  "c", "p", 0 },
		{ "{\"error\": {\"message\": \"m\", \"type\": \"t\", \"param\": null, \"code\": null}}", "m",
		  "t", "", 0 },
		{ "{\"error\": {\"message\": \"m\", \"code\": 429}}", "m", "", "", 429 },
		{ "{\"error\": {\"message\": \"m\", \"code\": 7}}", "m", "", "", 0 },
		{ "[{\"error\": {\"code\": 400, \"message\": \"m\", \"status\": \"INVALID\"}}]", "m", "", "",
		  400 },
		{ "{\"error\": \"m\"}", "m", "", "", 0 },
		{ "{\"error\": \"m\", \"message\": \"other\"}", "m", "", "", 0 },
		{ "{\"message\": \"m\", \"type\": \"t\"}", "m", "t", "", 0 },
		{ "{\"detail\": \"m\"}", "m", "", "", 0 },
		{ "{\"detail\": [{\"msg\": \"m\"}]}", "", "", "", 0 },
		{ "{\"error\": {\"message\": [1]}}", "", "", "", 0 },
		{ "{\"error\": {\"message\": \"a\\u0000b\\u001bc\\u007fd\\te\"}}", "a b c d e", "", "", 0 },
		{ "[]", "", "", "", 0 },
		{ "[[]]", "", "", "", 0 },
		{ "\"m\"", "", "", "", 0 },
		{ "not JSON", "", "", "", 0 },
		{ "", "", "", "", 0 },
	};

	for (size_t i = 0; i < OE__COUNT(cases); i++) {
		struct oe__answer_error error;
		memset(&error, 'x', sizeof(error));
		oe__answer_read_error(cases[i].text, strlen(cases[i].text), &error);
		ck_assert_str_eq(error.message, cases[i].message);
		ck_assert_str_eq(error.type, cases[i].type);
		ck_assert_str_eq(error.parameter, cases[i].parameter);
		ck_assert_int_eq(error.code, cases[i].code);
	}
}
END_TEST

/* However long: it is cut between characters. */
START_TEST(test_long_errors)
{
	for (size_t before = 0; before < 4; before++) {
		OE__AUTO(buffer) struct oe__buffer json = OE__BUFFER_INIT(0);
		struct oe__answer_error error;

		oe__buffer_text(&json, "{\"error\": {\"message\": \"");
		oe__buffer_append(&json, "aaaa", before);
		for (int i = 0; i < OE_ERROR_MESSAGE_SIZE; i++)
			oe__buffer_text(&json, "\xf0\x9f\x90\x9d");
		oe__buffer_text(&json, "\"}}");
		oe__answer_read_error(json.data, json.size, &error);
		size_t size = strlen(error.message);
		ck_assert_uint_gt(size, sizeof(error.message) - 5);
		ck_assert(oe__utf8_valid(error.message, size));
	}
}
END_TEST

TEST_MAIN("answer", test_answers, test_usage, test_no_answer, test_error_inside, test_too_long,
		  test_errors, test_long_errors)
