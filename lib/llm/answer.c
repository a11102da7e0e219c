#include "llm/answer.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/json.h"
#include "base/text.h"

/*
 * The answers of both dialects are read by one pass over the bytes: objects are walked by key, what
 * is not known is skipped, and only the text is ever copied.
 */

struct answer {
	struct oe__json_reader json;
	bool anthropic;
	struct oe__buffer *text;
	bool has_answer; /* choices[0], or content: may still be empty */
	bool has_error;
	bool refused;
	int64_t tokens_in, tokens_out;
	int finish; /* enum oe_finish, or -1 */
};

#define COUNT_MAX (INT64_MAX / 4)

/* Walk the members of the object that was just opened. */
#define FOR_EACH_MEMBER(reader, token) while (((token) = oe__json_next(reader)) == OE__JSON_KEY)

static bool key_is(const struct answer *answer, const char *key)
{
	return oe__json_is(&answer->json, key);
}

/* The value of the key just read. */
static enum oe__json_token value(struct answer *answer)
{
	return oe__json_next(&answer->json);
}

static int skip(struct answer *answer, enum oe__json_token first)
{
	return oe__json_skip(&answer->json, first);
}

/* @return 0 at the end of an object or list; what it ended in otherwise. */
static int end(enum oe__json_token token, enum oe__json_token expected)
{
	return token == expected ? 0 : OE_ERR_FORMAT;
}

static int read_count(struct answer *answer, int64_t *sum)
{
	enum oe__json_token token = value(answer);

	/* A count that cannot be one is none, and neither is one that is told over and over. */
	if (token == OE__JSON_INT && answer->json.integer >= 0 && answer->json.integer < COUNT_MAX &&
		*sum < COUNT_MAX)
		*sum = (*sum > 0 ? *sum : 0) + answer->json.integer;
	return skip(answer, token);
}

/* Anthropic counts what it has cached apart from the rest of the input: they add up. */
static bool is_input_count(const struct answer *answer)
{
	if (!answer->anthropic)
		return key_is(answer, "prompt_tokens");
	return key_is(answer, "input_tokens") || key_is(answer, "cache_creation_input_tokens") ||
		   key_is(answer, "cache_read_input_tokens");
}

static int read_usage(struct answer *answer)
{
	enum oe__json_token token = value(answer);
	int status = 0;

	if (token != OE__JSON_MAP)
		return skip(answer, token);
	FOR_EACH_MEMBER(&answer->json, token)
	{
		if (is_input_count(answer))
			status = read_count(answer, &answer->tokens_in);
		else if (key_is(answer, answer->anthropic ? "output_tokens" : "completion_tokens"))
			status = read_count(answer, &answer->tokens_out);
		else
			status = skip(answer, value(answer));
		if (status < 0)
			return status;
	}
	return end(token, OE__JSON_MAP_END);
}

static int read_finish(struct answer *answer)
{
	static const struct {
		const char *word;
		int finish;
	} words[] = {
		{ "stop", OE_FINISH_STOP },
		{ "end_turn", OE_FINISH_STOP },
		{ "stop_sequence", OE_FINISH_STOP },
		{ "eos", OE_FINISH_STOP },
		{ "length", OE_FINISH_LENGTH },
		{ "max_tokens", OE_FINISH_LENGTH },
		{ "content_filter", OE_FINISH_REFUSAL },
		{ "refusal", OE_FINISH_REFUSAL },
		{ "model_context_window_exceeded", OE_FINISH_LENGTH },
	};
	enum oe__json_token token = value(answer);

	if (token == OE__JSON_STRING) {
		answer->finish = OE_FINISH_OTHER;
		for (size_t i = 0; i < OE__COUNT(words); i++)
			if (key_is(answer, words[i].word))
				answer->finish = words[i].finish;
	}
	return skip(answer, token);
}

/* {"type": "text", "text": "..."}; other types (reasoning, tools) are no text for us. */
static int read_part(struct answer *answer, enum oe__json_token token)
{
	size_t before = answer->text->size;
	bool is_text = true;
	int status = 0;

	if (token == OE__JSON_STRING)
		return oe__json_text(&answer->json, answer->text);
	if (token != OE__JSON_MAP)
		return skip(answer, token);
	FOR_EACH_MEMBER(&answer->json, token)
	{
		bool type = key_is(answer, "type"), text = key_is(answer, "text");
		token = value(answer);
		if (type && token == OE__JSON_STRING)
			is_text = key_is(answer, "text") || key_is(answer, "output_text");
		status = text && token == OE__JSON_STRING ? oe__json_text(&answer->json, answer->text)
												  : skip(answer, token);
		if (status < 0)
			return status;
	}
	if (!is_text)
		oe__buffer_truncate(answer->text, before);
	return end(token, OE__JSON_MAP_END);
}

/* A text, null, or an array of parts. */
static int read_content(struct answer *answer)
{
	enum oe__json_token token = value(answer);
	int status = 0;

	if (token != OE__JSON_NULL) /* instead of a refusal's text, or of an earlier content */
		oe__buffer_truncate(answer->text, 0);
	if (token != OE__JSON_LIST)
		return read_part(answer, token);
	while ((token = oe__json_next(&answer->json)) != OE__JSON_LIST_END) {
		if (token == OE__JSON_ERROR || token == OE__JSON_END)
			return OE_ERR_FORMAT;
		status = read_part(answer, token);
		if (status < 0)
			return status;
	}
	return 0;
}

static int read_refusal(struct answer *answer)
{
	enum oe__json_token token = value(answer);

	if (token != OE__JSON_STRING || answer->json.raw_size == 0)
		return skip(answer, token);
	answer->refused = true;
	/* What it says instead of an answer is kept where there is no answer. */
	return answer->text->size == 0 ? oe__json_text(&answer->json, answer->text) : 0;
}

static int read_message(struct answer *answer)
{
	enum oe__json_token token = value(answer);
	int status = 0;

	if (token != OE__JSON_MAP)
		return skip(answer, token);
	FOR_EACH_MEMBER(&answer->json, token)
	{
		if (key_is(answer, "content"))
			status = read_content(answer);
		else if (key_is(answer, "refusal"))
			status = read_refusal(answer);
		else
			status = skip(answer, value(answer));
		if (status < 0)
			return status;
	}
	return end(token, OE__JSON_MAP_END);
}

static int read_choice(struct answer *answer, enum oe__json_token token)
{
	int status = 0;

	if (token != OE__JSON_MAP || answer->has_answer)
		return skip(answer, token);
	answer->has_answer = true;
	FOR_EACH_MEMBER(&answer->json, token)
	{
		if (key_is(answer, "message"))
			status = read_message(answer);
		else if (key_is(answer, "finish_reason"))
			status = read_finish(answer);
		else
			status = skip(answer, value(answer));
		if (status < 0)
			return status;
	}
	return end(token, OE__JSON_MAP_END);
}

static int read_choices(struct answer *answer)
{
	enum oe__json_token token = value(answer);

	if (token != OE__JSON_LIST)
		return skip(answer, token);
	while ((token = oe__json_next(&answer->json)) != OE__JSON_LIST_END) {
		if (token == OE__JSON_ERROR || token == OE__JSON_END)
			return OE_ERR_FORMAT;
		int status = read_choice(answer, token);
		if (status < 0)
			return status;
	}
	return 0;
}

static int read_member(struct answer *answer)
{
	if (key_is(answer, "usage"))
		return read_usage(answer);
	if (key_is(answer, "error")) {
		enum oe__json_token token = value(answer);
		answer->has_error = token != OE__JSON_NULL;
		return skip(answer, token);
	}
	if (!answer->anthropic && key_is(answer, "choices"))
		return read_choices(answer);
	if (answer->anthropic && key_is(answer, "stop_reason"))
		return read_finish(answer);
	if (answer->anthropic && key_is(answer, "content")) {
		answer->has_answer = true;
		return read_content(answer);
	}
	return skip(answer, value(answer));
}

static int read_document(struct answer *answer)
{
	enum oe__json_token token = oe__json_next(&answer->json);

	if (token != OE__JSON_MAP)
		return OE_ERR_FORMAT;
	FOR_EACH_MEMBER(&answer->json, token)
	{
		int status = read_member(answer);
		if (status < 0)
			return status;
	}
	if (token != OE__JSON_MAP_END || oe__json_next(&answer->json) != OE__JSON_END)
		return OE_ERR_FORMAT;
	return 0;
}

static int finish_of(const struct answer *answer)
{
	if (answer->refused || answer->finish == OE_FINISH_REFUSAL)
		return OE_FINISH_REFUSAL;
	/* Nothing but reasoning until the limit is a cut answer too, and the remedy is the same. */
	if (answer->finish == OE_FINISH_LENGTH)
		return OE_FINISH_LENGTH;
	if (answer->text->size == 0)
		return OE_FINISH_EMPTY;
	return answer->finish < 0 ? OE_FINISH_STOP : answer->finish;
}

int oe__answer_read(enum oe__chat_dialect dialect, const char *json, size_t size,
					oe_completion *completion, struct oe__answer_error *error, oe_error *err)
{
	struct answer answer = {
		.anthropic = dialect == OE__CHAT_ANTHROPIC,
		.text = &completion->text,
		.tokens_in = -1,
		.tokens_out = -1,
		.finish = -1,
	};

	oe__json_reader_init(&answer.json, json, size);
	int status = read_document(&answer);
	if (status < 0 && completion->text.status < 0)
		return oe__error(err, completion->text.status, "%s",
						 oe_status_string(completion->text.status));
	if (status < 0) {
		oe__completion_clear(completion);
		return oe__error(err, OE_ERR_FORMAT, "the response is not the JSON of an answer: %s",
						 answer.json.error ? answer.json.error : "no object");
	}
	if (!answer.has_answer && answer.has_error) {
		oe__answer_read_error(json, size, error);
		return OE_ERR_LLM;
	}
	if (!answer.has_answer)
		return oe__error(err, OE_ERR_FORMAT, "the response holds no answer");
	oe_completion_set_usage(completion, answer.tokens_in, answer.tokens_out);
	oe_completion_set_finish(completion, finish_of(&answer));
	return 0;
}

/* ---- errors: rare, so they are read into a tree ---- */

static void copy_text(const struct oe__value *value, char *out, size_t out_size)
{
	if (!value || value->type != OE__VALUE_STRING)
		return;
	size_t size = oe__utf8_beginning(value->string, value->size, out_size - 1);
	memcpy(out, value->string, size);
	out[size] = '\0';
	for (char *c = out; c < out + size; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = ' ';
}

static void read_details(const struct oe__value *error, struct oe__answer_error *out)
{
	const struct oe__value *code = oe__value_get(error, "code");

	copy_text(oe__value_get(error, "message"), out->message, sizeof(out->message));
	copy_text(oe__value_get(error, "param"), out->parameter, sizeof(out->parameter));
	copy_text(oe__value_get(error, "type"), out->type, sizeof(out->type));
	if (code && code->type == OE__VALUE_STRING)
		copy_text(code, out->type, sizeof(out->type)); /* the more precise one */
	else if (code && code->type == OE__VALUE_INT && code->integer >= 100 && code->integer < 600)
		out->code = (int)code->integer;
}

void oe__answer_read_error(const char *text, size_t size, struct oe__answer_error *out)
{
	OE__AUTO(value) struct oe__value root = { 0 };

	*out = (struct oe__answer_error){ 0 };
	if (oe__json_parse(text, size, &root, NULL) < 0)
		return;
	const struct oe__value *at = &root;
	if (at->type == OE__VALUE_LIST && at->size > 0) /* Google's */
		at = &at->items[0];
	if (at->type != OE__VALUE_MAP)
		return;
	const struct oe__value *error = oe__value_get(at, "error");
	if (error && error->type == OE__VALUE_MAP) {
		read_details(error, out);
		return;
	}
	read_details(at, out);
	copy_text(error, out->message, sizeof(out->message)); /* llama.cpp's, Ollama's */
	if (out->message[0] == '\0')
		copy_text(oe__value_get(at, "detail"), out->message, sizeof(out->message)); /* FastAPI's */
}
