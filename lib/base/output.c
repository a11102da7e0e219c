#include "base/output.h"

#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/text.h"

int oe__output_init(struct oe__output *output, size_t bytes_max)
{
	*output = (struct oe__output){ .head_max = bytes_max - bytes_max / 2,
		                           .tail_max = bytes_max / 2 };
	output->head.size_max = bytes_max + 1;
	output->tail = oe__malloc(output->tail_max > 0 ? output->tail_max : 1);
	return output->tail ? 0 : OE_ERR_NOMEM;
}

void oe__output_done(struct oe__output *output)
{
	oe__buffer_done(&output->head);
	oe__free(output->tail);
	*output = (struct oe__output){ 0 };
}

void oe__output_add(struct oe__output *output, const char *data, size_t size)
{
	size_t room = output->head_max - output->head.size;
	size_t head = size < room ? size : room;

	output->total += size;
	oe__buffer_append(&output->head, data, head);
	data += head;
	size -= head;
	if (size > output->tail_max) { /* only the end of it can stay */
		data += size - output->tail_max;
		size = output->tail_max;
	}
	while (size > 0) {
		size_t stretch = output->tail_max - output->tail_at;
		if (stretch > size)
			stretch = size;
		memcpy(output->tail + output->tail_at, data, stretch);
		output->tail_at = (output->tail_at + stretch) % output->tail_max;
		output->tail_size += stretch;
		data += stretch;
		size -= stretch;
	}
	if (output->tail_size > output->tail_max)
		output->tail_size = output->tail_max;
}

bool oe__output_is_flood(const struct oe__output *output)
{
	return output->total > OE__OUTPUT_FLOOD;
}

int oe__output_text(const struct oe__output *output, struct oe__buffer *out)
{
	size_t kept = output->head.size + output->tail_size;

	oe__utf8_append_lossy(out, oe__buffer_string(&output->head), output->head.size);
	if (output->total > kept)
		oe__buffer_printf(out, "\n... (%llu bytes left out) ...\n",
		                  (unsigned long long)(output->total - kept));
	if (output->tail_size == output->tail_max && output->tail_max > 0) {
		oe__utf8_append_lossy(out, output->tail + output->tail_at,
		                      output->tail_max - output->tail_at);
		oe__utf8_append_lossy(out, output->tail, output->tail_at);
	} else {
		oe__utf8_append_lossy(out, output->tail, output->tail_size);
	}
	return out->status;
}
