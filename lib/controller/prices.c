#include "controller/prices.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/limits.h"
#include "config/yaml.h"

#define PRICE_MAX 1e6 /* dollars per million tokens: more is a slip of the pen */
#define COST_MAX  4e18

struct price {
	char *name;
	size_t size;
	bool pattern; /* `name` is how names begin */
	double in, out;
};

struct oe__prices {
	struct price *items;
	size_t count;
};

void oe__prices_free(struct oe__prices *prices)
{
	if (!prices)
		return;
	for (size_t i = 0; i < prices->count; i++)
		oe__free(prices->items[i].name);
	oe__free(prices->items);
	oe__free(prices);
}

/* ---- reading ---- */

static int fail(const char *path, const struct oe__value *at, const char *message, oe_error *err)
{
	return oe__error_at(err, OE_ERR_CONFIG, path, at->line, at->column, "%s", message);
}

static int read_number(const char *path, const struct oe__value *map, const char *key, double *out,
					   oe_error *err)
{
	const struct oe__value *value = oe__value_get(map, key);
	bool number = value && (value->type == OE__VALUE_INT || value->type == OE__VALUE_REAL);

	if (!number || !(value->real >= 0) || value->real > PRICE_MAX)
		return oe__error_at(err, OE_ERR_CONFIG, path, map->line, map->column,
							"a price needs '%s': dollars per million tokens, from 0", key);
	*out = value->real;
	return 0;
}

static int read_price(const char *path, const struct oe__value *key, const struct oe__value *value,
					  struct price *out, oe_error *err)
{
	if (key->type != OE__VALUE_STRING || key->size == 0)
		return fail(path, key, "this is not the name of a model", err);
	if (value->type != OE__VALUE_MAP)
		return fail(path, value, "a price is written as {input: 0.15, output: 0.60}", err);
	for (size_t i = 0; i < value->size; i++)
		if (!oe__value_is(&value->keys[i], "input") && !oe__value_is(&value->keys[i], "output"))
			return fail(path, &value->keys[i], "a price has 'input' and 'output', and nothing else", err);
	int status = read_number(path, value, "input", &out->in, err);
	if (status == 0)
		status = read_number(path, value, "output", &out->out, err);
	if (status < 0)
		return status;
	out->name = oe__strndup(key->string, key->size);
	out->size = key->size;
	out->pattern = key->string[key->size - 1] == '*';
	if (out->pattern)
		out->size--;
	return out->name ? 0 : oe__error_nomem(err);
}

int oe__prices_load(const char *path, struct oe__prices **out, oe_error *err)
{
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(OE__FILE_MAX);
	OE__AUTO(value) struct oe__value root = { 0 };
	OE__AUTO(prices) struct oe__prices *prices = oe__calloc(1, sizeof(*prices));

	if (!prices)
		return oe__error_nomem(err);
	oe_error detail = { 0 };
	int status = oe__file_read(path, &text, &detail);
	if (status < 0 && status != OE_ERR_NOMEM)
		return oe__error(err, OE_ERR_CONFIG, "'budget.prices': %s", detail.message);
	if (status == 0)
		status = oe__yaml_load(oe__buffer_string(&text), text.size, path, &root, err);
	if (status < 0)
		return status;
	if (root.type != OE__VALUE_MAP)
		return fail(path, &root, "prices are written as MODEL: {input: 0.15, output: 0.60}", err);
	prices->items = oe__calloc(root.size + 1, sizeof(*prices->items));
	if (!prices->items)
		return oe__error_nomem(err);
	for (size_t i = 0; i < root.size; i++) {
		status = read_price(path, &root.keys[i], &root.items[i], &prices->items[i], err);
		if (status < 0)
			return status;
		prices->count++;
	}
	*out = OE__STEAL(prices);
	return 0;
}

/* ---- asking ---- */

static bool fits(const struct price *price, const char *model)
{
	return price->pattern ? strncmp(model, price->name, price->size) == 0
						  : strcmp(model, price->name) == 0;
}

static const struct price *find(const struct oe__prices *prices, const char *model)
{
	const struct price *best = NULL;

	for (size_t i = 0; i < prices->count; i++) {
		const struct price *price = &prices->items[i];
		if (!fits(price, model))
			continue;
		if (!price->pattern)
			return price;
		if (!best || price->size > best->size)
			best = price;
	}
	return best;
}

int64_t oe__prices_cost(const struct oe__prices *prices, const char *model, int64_t tokens_in,
						int64_t tokens_out)
{
	const struct price *price = prices ? find(prices, model) : NULL;

	if (!price)
		return -1;
	/* A dollar per million tokens is 1000 billionths of one per token. */
	double cost = ceil((price->in * (double)tokens_in + price->out * (double)tokens_out) * 1000);
	return cost < COST_MAX ? (int64_t)cost : (int64_t)COST_MAX;
}
