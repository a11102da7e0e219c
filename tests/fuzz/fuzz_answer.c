/*
 * Responses of providers. Input: one byte of options, the body. Whatever it is, an answer is valid
 * UTF-8 with a known finish, an error's texts are single lines, and what is no answer leaves none. The
 * beginning of the body is also read as the value of a Retry-After header.
 */

#include <stdint.h>
#include <string.h>

#include "base/text.h"
#include "llm/answer.h"
#include "llm/http.h"

#undef NDEBUG
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TEXT_MAX 4096 /* small, so that the limit is met */

static void check_line(const char *text, size_t room)
{
	size_t size = strnlen(text, room);

	assert(size < room);
	for (size_t i = 0; i < size; i++)
		assert((unsigned char)text[i] >= 0x20);
}

static void check_error(const struct oe__answer_error *error)
{
	check_line(error->message, sizeof(error->message));
	check_line(error->type, sizeof(error->type));
	check_line(error->parameter, sizeof(error->parameter));
	assert(error->code == 0 || (error->code >= 100 && error->code < 600));
	assert(oe__utf8_valid(error->message, strlen(error->message)));
}

static void check_blame(const struct oe__answer_error *error)
{
	struct oe__chat_model chat = {
		.has_temperature = true, .has_top_p = true, .has_max_tokens = true, .has_seed = true
	};
	unsigned avoid = 0, bit;
	int complaints = 0;

	/* Each complaint is about something that was still sent: it must come to an end. */
	while ((bit = oe__chat_blamed(&chat, avoid, error->parameter, error->message)) != 0) {
		assert(!(avoid & bit) && ++complaints < 8);
		avoid |= bit;
	}
}

static void check_wait(const char *body, size_t size)
{
	char value[64] = "";

	memcpy(value, body, size < sizeof(value) ? size : sizeof(value) - 1);
	int64_t ms = oe__http_retry_after_ms(value, 784111777); /* of 1994 */
	assert(ms >= -1 && ms <= (int64_t)24 * 3600 * 1000);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	OE__AUTO(completion) oe_completion *completion = NULL;
	struct oe__answer_error error = { 0 };
	oe_error err = { 0 };

	if (size < 1)
		return 0;
	enum oe__chat_dialect dialect = data[0] % 3;
	const char *body = (const char *)data + 1;
	assert(oe__completion_new(TEXT_MAX, &completion) == 0);
	int status = oe__answer_read(dialect, body, size - 1, completion, &error, &err);

	size_t text_size;
	const char *text = oe_completion_text(completion, &text_size);
	assert(text_size <= TEXT_MAX && oe__utf8_valid(text, text_size));
	if (status == 0) {
		int finish = oe_completion_finish_reason(completion);
		assert(finish >= OE_FINISH_STOP && finish <= OE_FINISH_OTHER);
		assert(oe_completion_tokens_in(completion) >= -1);
		assert(oe_completion_tokens_out(completion) >= -1);
		assert(finish != OE_FINISH_EMPTY || text_size == 0);
	} else if (status == OE_ERR_LLM) {
		check_error(&error);
	} else {
		assert(status == OE_ERR_FORMAT || status == OE_ERR_LIMIT);
		assert(err.message[0]);
		assert(status == OE_ERR_LIMIT || text_size == 0);
	}
	oe__answer_read_error(body, size - 1, &error);
	check_error(&error);
	check_blame(&error);
	check_wait(body, size - 1);
	return 0;
}
