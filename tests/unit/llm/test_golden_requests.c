/* Bodies and URLs of chat requests, as OpenEvolve's client sends them or as we want them. */

#include <math.h>

#include "base/alloc.h"
#include "config/config.h"
#include "llm/chat.h"
#include "tests/golden.h"

/* The keys of an entry that the case's model has, set in `llm`, where null means "not sent". */
static const char *const inherited[] = { "api_base",         "temperature", "top_p", "max_tokens",
										 "reasoning_effort", "random_seed", NULL };

static bool is_null(const struct oe__value *value)
{
	return !value || value->type == OE__VALUE_NULL;
}

static int write_config(const struct oe__value *model, struct oe__buffer *out)
{
	struct oe__json_writer writer = { .out = out };
	const struct oe__value *message = oe__value_get(model, "system_message");

	oe__json_map(&writer);
	oe__json_key(&writer, "llm");
	oe__json_map(&writer);
	for (size_t i = 0; inherited[i]; i++) {
		const struct oe__value *value = oe__value_get(model, inherited[i]);
		/* 0 is out of our option's range: apply() sets it as a call does. */
		if (!value || (strcmp(inherited[i], "max_tokens") == 0 && value->integer == 0))
			continue;
		oe__json_key(&writer, inherited[i]);
		oe__json_put(&writer, value);
	}
	oe__json_key(&writer, "models");
	oe__json_list(&writer);
	oe__json_map(&writer);
	oe__json_key(&writer, "name");
	oe__json_put(&writer, oe__value_get(model, "name"));
	if (message) {
		oe__json_key(&writer, "system_message");
		oe__json_put(&writer, message);
	}
	oe__json_map_end(&writer);
	oe__json_list_end(&writer);
	oe__json_map_end(&writer);
	oe__json_map_end(&writer);
	return out->status;
}

static void override_text(const struct oe__value *call, const char *key, char **text)
{
	const struct oe__value *value = oe__value_get(call, key);

	if (!value)
		return;
	oe__free(*text);
	*text = is_null(value) ? NULL : oe__strdup(value->string);
}

static void override_real(const struct oe__value *call, const char *key, bool *has, double *real)
{
	const struct oe__value *value = oe__value_get(call, key);

	if (value) {
		*has = !is_null(value);
		*real = value->real;
	}
}

static void override_int(const struct oe__value *call, const char *key, bool *has, int64_t *integer)
{
	const struct oe__value *value = oe__value_get(call, key);

	if (value) {
		*has = !is_null(value);
		*integer = value->integer;
	}
}

/* What the call, which OpenEvolve's library takes, sets for itself. */
static void apply(const struct oe__value *call, const char *url, struct oe__chat_model *chat)
{
	bool google = strstr(url, "generativelanguage") != NULL;

	override_real(call, "temperature", &chat->has_temperature, &chat->temperature);
	override_real(call, "top_p", &chat->has_top_p, &chat->top_p);
	override_int(call, "max_tokens", &chat->has_max_tokens, &chat->max_tokens);
	if (!google)
		override_int(call, "seed", &chat->has_seed, &chat->seed);
	override_text(call, "reasoning_effort", &chat->reasoning_effort);
	override_text(call, "verbosity", &chat->verbosity);
}

static void write_message(struct oe__json_writer *writer, const struct oe__value *message)
{
	const struct oe__value *role = oe__value_get(message, "role");
	const struct oe__value *content = oe__value_get(message, "content");

	if (message->size == 2)
		oe__chat_message(writer, role->string, content->string, content->size);
	else /* with fields that only callers of OpenEvolve's library can add */
		oe__json_put(writer, message);
}

static void write_body(const struct oe__value *one, const struct oe__chat_model *chat,
					   struct oe__buffer *out)
{
	struct oe__json_writer writer = { .out = out };
	const struct oe__value *system = oe__value_get(one, "system");
	const struct oe__value *messages = oe__value_get(one, "messages");

	oe__chat_begin(&writer, chat);
	if (!is_null(system))
		oe__chat_message(&writer, "system", system->string, system->size);
	for (size_t i = 0; i < messages->size; i++)
		write_message(&writer, &messages->items[i]);
	oe__chat_end(&writer, chat, 0, chat->seed);
}

static bool same(const struct oe__value *a, const struct oe__value *b)
{
	bool number = a->type == OE__VALUE_INT || a->type == OE__VALUE_REAL;

	if (number && (b->type == OE__VALUE_INT || b->type == OE__VALUE_REAL))
		return a->real == b->real;
	if (a->type != b->type || (a->type >= OE__VALUE_STRING && a->size != b->size))
		return false;
	if (a->type == OE__VALUE_STRING)
		return memcmp(a->string, b->string, a->size) == 0;
	if (a->type == OE__VALUE_BOOL)
		return a->boolean == b->boolean;
	for (size_t i = 0; a->type >= OE__VALUE_LIST && i < a->size; i++) {
		const struct oe__value *other =
			a->type == OE__VALUE_LIST ? &b->items[i] : oe__value_get(b, a->keys[i].string);
		if (!other || !same(&a->items[i], other))
			return false;
	}
	return true;
}

static bool compare(const struct oe__value *one, const struct oe__buffer *body, const char *url)
{
	OE__AUTO(value) struct oe__value sent = { 0 };
	const struct oe__value *wanted = oe__value_get(one, "wanted");
	const struct oe__value *params = oe__value_get(wanted, "params");
	oe_error err = { 0 };

	if (!params)
		params = oe__value_get(oe__value_get(one, "openevolve"), "params");
	bool good = oe__json_parse(body->data, body->size, &sent, &err) == 0 && same(&sent, params);
	if (!good)
		golden_print("body", (oe_bytes){ body->data, body->size });
	if (!golden_same(golden_text(wanted, "url"), (oe_bytes){ url, strlen(url) })) {
		golden_print("url", (oe_bytes){ url, strlen(url) });
		good = false;
	}
	return good;
}

static bool run(const struct oe__value *one)
{
	OE__AUTO(config) oe_config *config = NULL;
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);
	OE__AUTO(buffer) struct oe__buffer body = OE__BUFFER_INIT(0);
	OE__AUTO(models) struct oe__models models = { 0 };
	OE__AUTO(chat_model) struct oe__chat_model chat = { 0 };
	const struct oe__value *model = oe__value_get(one, "model");
	oe_error err = { 0 };

	if (write_config(model, &text) < 0 || oe_config_new(&config) < 0 ||
		oe_config_load_text(config, text.data, text.size, "case", &err) < 0 ||
		oe__config_models(config, OE__ROLE_EVOLUTION, &models, &err) < 0) {
		fprintf(stderr, "    %s\n", err.message);
		return false;
	}
	OE__AUTO(string) char *url = oe__chat_url(&models.items[0]);
	if (!url || oe__chat_model_init(&chat, &models.items[0]) < 0)
		return false;
	override_int(model, "max_tokens", &chat.has_max_tokens, &chat.max_tokens);
	apply(oe__value_get(one, "call"), url, &chat);
	write_body(one, &chat, &body);
	return compare(one, &body, url);
}

int main(void)
{
	OE__AUTO(value) struct oe__value cases = { 0 };
	size_t failed = 0, open = 0;
	int status = golden_load("llm_requests.json", &cases);

	if (status != 0)
		return status;
	for (size_t i = 0; i < cases.size; i++) {
		const struct oe__value *one = &cases.items[i], *level = oe__value_get(one, "level");
		if (run(one))
			continue;
		bool counts = !level || !oe__value_is(level, "open");
		fprintf(stderr, "%s: %s\n", counts ? "FAILED" : "open", oe__value_get(one, "name")->string);
		failed += counts;
		open += !counts;
	}
	printf("llm_requests.json: %zu cases, %zu failed, %zu open\n", cases.size, failed, open);
	return failed > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
