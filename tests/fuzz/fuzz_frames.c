/*
 * Result frames: what an evaluation's process wrote, and how it ended. Input: four bytes of options,
 * then what came through the pipe, or (TRUE_LENGTH) only the contents of one frame, so that a fuzzer
 * need not keep a length right while it changes them. Whatever it is, it ends in a verdict with a
 * sentence, and only a process that ended well with one whole frame can have the verdict "ok".
 */

#include <stdint.h>
#include <string.h>

#include "base/text.h"
#include "evaluator/python_result.h"

#undef NDEBUG
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TIMED_OUT = 1, CANCELLED = 2, LOST = 4, EXITED = 8 }; /* of the first byte */
enum { TRUE_LENGTH = 128 };                                 /* of the third      */

static void check_texts(const oe_evaluation *evaluation)
{
	const char *message = oe_evaluation_message(evaluation);

	assert(oe__utf8_valid(message, strlen(message)));
	assert((evaluation->verdict == OE_VERDICT_OK) == (*message == '\0'));
	for (size_t i = 0; i < evaluation->artifact_count; i++) {
		const struct oe__artifact *artifact = &evaluation->artifacts[i];
		assert(oe__utf8_valid(artifact->name, strlen(artifact->name)));
		if (artifact->kind == OE__ARTIFACT_TEXT)
			assert(oe__utf8_valid(artifact->data, artifact->size));
	}
}

/* In pieces, as it comes out of a pipe. */
static void put_output(struct oe__output *output, const char *data, size_t size)
{
	size_t first = size / 3;

	oe__output_add(output, data, first);
	oe__output_add(output, data + first, size - first);
}

static void put_length(struct oe__buffer *bytes, uint64_t length)
{
	for (int i = 0; i < 8; i++)
		oe__buffer_char(bytes, (char)(length >> 8 * i));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	OE__AUTO(buffer) struct oe__buffer bytes = OE__BUFFER_INIT(0);
	OE__AUTO(output) struct oe__output output = { 0 };
	OE__AUTO(evaluation) oe_evaluation *evaluation = NULL;
	const char *json;
	size_t json_size;

	if (size < 4)
		return 0;
	struct oe__child_end end = {
		.timed_out = data[0] & TIMED_OUT,
		.cancelled = data[0] & CANCELLED,
		.lost = data[0] & LOST,
		.exited = data[0] & EXITED,
		.status = (data[1] << 8) | (data[2] & ~TRUE_LENGTH),
		.limit = (enum oe__limit)((data[0] >> 4) % (OE__LIMIT_SYSCALL + 1)),
		.oom_kills = data[3],
		.timeout_ms = 1000,
		.wall_ms = 1,
		.cpu_ms = 1,
	};
	if (data[2] & TRUE_LENGTH)
		put_length(&bytes, size - 4);
	data += 4;
	size -= 4;
	oe__buffer_append(&bytes, data, size);
	assert(oe__output_init(&output, 64) == 0);
	put_output(&output, (const char *)data, size);
	assert(oe_evaluation_new(&evaluation) == 0);
	enum oe__frame_state state = oe__frame_look(&bytes, &json, &json_size);
	if (state == OE__FRAME_WHOLE)
		assert(json >= bytes.data && json + json_size <= bytes.data + bytes.size);
	assert(oe__python_result(evaluation, &bytes, &output, &end) == 0);
	assert(evaluation->verdict != OE_VERDICT_OK ||
		   (state == OE__FRAME_WHOLE && !oe__result_is_stopped(&end)));
	check_texts(evaluation);
	return 0;
}
