#ifndef OE__BASE_OUTPUT_H
#define OE__BASE_OUTPUT_H

/* What a child prints, capped: the head and the tail are kept, and how much is missing. */

#include <stdbool.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/buffer.h"

struct oe__output {
	struct oe__buffer head;
	char *tail; /* a ring */
	size_t tail_size, tail_at;
	size_t head_max, tail_max;
	uint64_t total;
};

int oe__output_init(struct oe__output *output, size_t bytes_max);
void oe__output_add(struct oe__output *output, const char *data, size_t size);
bool oe__output_is_flood(const struct oe__output *output); /* nobody prints so much on purpose */
/* Head, a line that says what is missing, tail; valid UTF-8. */
int oe__output_text(const struct oe__output *output, struct oe__buffer *out);
void oe__output_done(struct oe__output *output);

OE__AUTO_VALUE(output, struct oe__output, oe__output_done)

#endif /* OE__BASE_OUTPUT_H */
