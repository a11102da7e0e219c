#include "config/yaml_table.h"

#include <assert.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/text.h"

void oe__yaml_table_done(struct oe__yaml_table *table)
{
	oe__value_done(&table->keys);
	oe__value_done(&table->items);
	oe__map_done(&table->places);
}

/* Equal for keys that are equal in Python: 1, 1.0 and true are one key. */
static int key_bytes(const struct oe__value *key, struct oe__buffer *out)
{
	int64_t number = key->type == OE__VALUE_BOOL ? key->boolean : key->integer;
	bool whole = key->type == OE__VALUE_BOOL || key->type == OE__VALUE_INT;

	if (key->type == OE__VALUE_REAL && key->real >= -0x1p53 && key->real <= 0x1p53 &&
		(double)(int64_t)key->real == key->real) {
		number = (int64_t)key->real;
		whole = true;
	}
	if (whole)
		return oe__buffer_printf(out, "i%lld", (long long)number);
	if (key->type == OE__VALUE_REAL) {
		char text[OE__REAL_TEXT_MAX];
		(void)oe__format_real(key->real, text);
		return oe__buffer_printf(out, "r%s", text);
	}
	if (key->type == OE__VALUE_NULL)
		return oe__buffer_text(out, "n");
	assert(key->type == OE__VALUE_STRING);
	oe__buffer_text(out, key->tag ? key->tag : "s");
	oe__buffer_char(out, ':');
	return oe__buffer_append(out, key->string, key->size);
}

/* Set an entry: the first one's place, the last one's value. Moves both. */
int oe__yaml_table_put(struct oe__yaml_table *table, struct oe__value *key, struct oe__value *item)
{
	OE__AUTO(buffer) struct oe__buffer bytes = OE__BUFFER_INIT(0);
	int status = key_bytes(key, &bytes);

	if (status < 0)
		return status;
	size_t place = (uintptr_t)oe__map_get(&table->places, bytes.data, bytes.size);
	if (place > 0) {
		oe__value_done(&table->items.items[place - 1]);
		table->items.items[place - 1] = *item;
		*item = (struct oe__value){ 0 };
		return 0;
	}
	place = table->keys.size + 1;
	status = oe__map_put(&table->places, bytes.data, bytes.size, (void *)(uintptr_t)place);
	if (status == 0)
		status = oe__value_push(&table->keys, key);
	if (status == 0)
		status = oe__value_push(&table->items, item);
	return status;
}

int oe__yaml_table_put_all(struct oe__yaml_table *table, struct oe__value *keys,
						   struct oe__value *items, size_t count)
{
	int status = 0;

	for (size_t i = 0; status == 0 && i < count; i++)
		status = oe__yaml_table_put(table, &keys[i], &items[i]);
	return status;
}

void oe__yaml_table_end(struct oe__yaml_table *table, struct oe__value *out)
{
	assert(table->keys.size == table->items.size);
	assert(table->keys.capacity == table->items.capacity); /* both lists have grown alike */
	out->type = OE__VALUE_MAP;
	out->size = table->keys.size;
	out->capacity = table->keys.capacity;
	out->keys = OE__STEAL(table->keys.items);
	out->items = OE__STEAL(table->items.items);
	table->keys = table->items = (struct oe__value){ 0 };
}
