/* What is sent and what is made of complaints, without a server. */

#include "base/alloc.h"
#include "llm/chat.h"
#include "tests/test.h"

#include <string.h>

static char *url(enum oe__backend backend, const char *base, const char *name)
{
	struct oe__model model = {
		.backend = backend, .api_base = base, .name = name, .api_version = "2024-10-21"
	};
	return oe__chat_url(&model);
}

START_TEST(test_urls)
{
	static const struct {
		enum oe__backend backend;
		const char *base, *name, *url;
	} cases[] = {
		{ OE__BACKEND_OPENAI, "http://h/v1", "m", "http://h/v1/chat/completions" },
		{ OE__BACKEND_ANTHROPIC, "https://api.anthropic.com", "m",
		  "https://api.anthropic.com/v1/messages" },
		{ OE__BACKEND_ANTHROPIC, "http://h/v1", "m", "http://h/v1/messages" },
		{ OE__BACKEND_AZURE, "https://r.openai.azure.com", "my model",
		  "https://r.openai.azure.com/openai/deployments/my%20model/chat/"
		  "completions?api-version=2024-10-21" },
		{ OE__BACKEND_AZURE, "https://r.openai.azure.com/openai", "m",
		  "https://r.openai.azure.com/openai/deployments/m/chat/"
		  "completions?api-version=2024-10-21" },
		{ OE__BACKEND_AZURE, "https://r.openai.azure.com/openai/deployments/d", "m",
		  "https://r.openai.azure.com/openai/deployments/d/chat/"
		  "completions?api-version=2024-10-21" },
		{ OE__BACKEND_AZURE, "https://r.openai.azure.com/openai/v1", "m",
		  "https://r.openai.azure.com/openai/v1/chat/completions" },
	};

	for (size_t i = 0; i < OE__COUNT(cases); i++) {
		OE__AUTO(string) char *made = url(cases[i].backend, cases[i].base, cases[i].name);
		ck_assert_str_eq(made, cases[i].url);
	}
}
END_TEST

static void check_body(const struct oe__model *model, unsigned avoid, const char *wanted)
{
	OE__AUTO(chat_model) struct oe__chat_model chat = { 0 };
	OE__AUTO(buffer) struct oe__buffer body = OE__BUFFER_INIT(0);
	oe_llm_request request = { .system = "S", .system_size = 1, .user = "U\"", .user_size = 2 };

	ck_assert_int_eq(oe__chat_model_init(&chat, model), 0);
	ck_assert_int_eq(oe__chat_write(&chat, &request, avoid, 7, &body), 0);
	ck_assert_str_eq(oe__buffer_string(&body), wanted);
}

static struct oe__model full_model(enum oe__backend backend, const char *name)
{
	return (struct oe__model){
		.backend = backend,
		.name = name,
		.api_base = "http://h",
		.has_temperature = true,
		.has_top_p = true,
		.has_max_tokens = true,
		.has_seed = true,
		.temperature = 0.5,
		.top_p = 0.25,
		.max_tokens = 100,
		.reasoning_effort = "low",
		.verbosity = "high",
	};
}

START_TEST(test_anthropic)
{
	struct oe__model model = full_model(OE__BACKEND_ANTHROPIC, "claude");

	/* OpenEvolve's defaults are not sent, what somebody set is; there is no seed. */
	check_body(&model, 0,
			   "{\"model\": \"claude\", \"system\": \"S\", \"messages\": [{\"role\": \"user\", "
			   "\"content\": \"U\\\"\"}], \"max_tokens\": 100}");
	model.user_set = OE__MODEL_TEMPERATURE;
	model.has_max_tokens = false;
	check_body(&model, 0,
			   "{\"model\": \"claude\", \"system\": \"S\", \"messages\": [{\"role\": \"user\", "
			   "\"content\": \"U\\\"\"}], \"max_tokens\": 4096, \"temperature\": 0.5}");
}
END_TEST

START_TEST(test_avoided)
{
	struct oe__model model = full_model(OE__BACKEND_OPENAI, "m");

	check_body(&model,
			   OE__AVOID_TEMPERATURE | OE__AVOID_SEED | OE__AVOID_LIMIT_NAME |
				   OE__AVOID_REASONING_EFFORT,
			   "{\"model\": \"m\", \"messages\": [{\"role\": \"system\", \"content\": \"S\"}, "
			   "{\"role\": \"user\", \"content\": \"U\\\"\"}], \"max_completion_tokens\": 100, "
			   "\"top_p\": 0.25}");
	model.name = "vendor/o3-x";
	check_body(&model, OE__AVOID_LIMIT | OE__AVOID_SEED,
			   "{\"model\": \"vendor/o3-x\", \"messages\": [{\"role\": \"system\", \"content\": "
			   "\"S\"}, {\"role\": \"user\", \"content\": \"U\\\"\"}], \"reasoning_effort\": "
			   "\"low\", \"verbosity\": \"high\"}");
}
END_TEST

START_TEST(test_blame)
{
	static const struct {
		const char *parameter, *message;
		unsigned before, blamed;
	} cases[] = {
		{ "max_tokens", "Unsupported parameter: use 'max_completion_tokens'", 0,
		  OE__AVOID_LIMIT_NAME },
		{ "max_completion_tokens", "unknown", OE__AVOID_LIMIT_NAME, OE__AVOID_LIMIT },
		{ "max_completion_tokens", "unknown", 0, 0 }, /* was not sent */
		{ "", "Unknown name \"seed\": Cannot find field.", 0, OE__AVOID_SEED },
		{ "", "`temperature` and `top_p` cannot both be specified", 0, OE__AVOID_TOP_P },
		{ "", "`temperature` and `top_p` cannot both be specified", OE__AVOID_TOP_P,
		  OE__AVOID_TEMPERATURE },
		{ "", "seeds are bad and my_temperature is high", 0, 0 },
		{ "messages", "temperature", 0, 0 },
		{ "", "This model's maximum context length is 8192 tokens, lower max_tokens", 0, 0 },
		{ "", "", 0, 0 },
	};
	struct oe__model model = full_model(OE__BACKEND_OPENAI, "m");
	OE__AUTO(chat_model) struct oe__chat_model chat = { 0 };

	ck_assert_int_eq(oe__chat_model_init(&chat, &model), 0);
	for (size_t i = 0; i < OE__COUNT(cases); i++)
		ck_assert_msg(oe__chat_blamed(&chat, cases[i].before, cases[i].parameter,
									  cases[i].message) == cases[i].blamed,
					  "%s: %s", cases[i].parameter, cases[i].message);
}
END_TEST

START_TEST(test_retry_after)
{
	static const struct {
		const char *text;
		int64_t ms;
	} cases[] = {
		{ "2", 2000 },
		{ "0.5", 500 },
		{ "0 ", 0 },
		{ "Sun, 06 Nov 1994 08:49:37 GMT", 7000 },
		{ "Sun, 06 Nov 1994 08:49:20 GMT", 0 }, /* is over */
		{ "-1", -1 },
		{ "nan", -1 },
		{ "1e30", -1 },
		{ "soon", -1 },
		{ "", -1 },
	};

	for (size_t i = 0; i < OE__COUNT(cases); i++)
		ck_assert_msg(oe__http_retry_after_ms(cases[i].text, 784111770) == cases[i].ms,
					  "'%s': %lld", cases[i].text,
					  (long long)oe__http_retry_after_ms(cases[i].text, 784111770));
}
END_TEST

TEST_MAIN("chat", test_urls, test_anthropic, test_avoided, test_blame, test_retry_after)
