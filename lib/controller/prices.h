#ifndef OE__CONTROLLER_PRICES_H
#define OE__CONTROLLER_PRICES_H

/*
 * What models charge: a table from a YAML or JSON file, in dollars per million tokens.
 *
 *     gpt-4o-mini: {input: 0.15, output: 0.60}
 *     llama*: {input: 0, output: 0}             # all whose names begin so
 *
 * Immutable once read; any thread.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/error.h"

struct oe__prices;

/* OE_ERR_CONFIG, with its place: something in it is no price. */
int oe__prices_load(const char *path, struct oe__prices **out, oe_error *err);
void oe__prices_free(struct oe__prices *prices);

/* Of so many tokens, in billionths of a dollar, rounded up; -1: that model has no price here. The name
   itself goes before patterns, and of these the longest. `prices` may be NULL: nothing has a price. */
int64_t oe__prices_cost(const struct oe__prices *prices, const char *model, int64_t tokens_in,
						int64_t tokens_out);

OE__AUTO_POINTER(prices, struct oe__prices *, oe__prices_free)

#endif /* OE__CONTROLLER_PRICES_H */
