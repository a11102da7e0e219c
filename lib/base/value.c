#include "base/value.h"

#include <string.h>

#include "base/alloc.h"

void oe__value_done(struct oe__value *value)
{
	if (value->type == OE__VALUE_LIST || value->type == OE__VALUE_MAP)
		for (size_t i = 0; i < value->size; i++) {
			oe__value_done(&value->items[i]);
			if (value->keys)
				oe__value_done(&value->keys[i]);
		}
	oe__free(value->items);
	oe__free(value->keys);
	oe__free(value->string);
	*value = (struct oe__value){ 0 };
}

int oe__value_set_string(struct oe__value *value, const char *text, size_t size)
{
	char *copy = oe__strndup(text, size);
	if (!copy)
		return OE_ERR_NOMEM;
	struct oe__value before = *value;
	value->type = OE__VALUE_STRING;
	value->string = copy;
	value->size = size;
	value->items = value->keys = NULL;
	value->capacity = 0;
	oe__value_done(&before);
	return 0;
}

static int reserve(struct oe__value *value, bool keys)
{
	size_t capacity = value->capacity;
	void *items = value->items, *names = value->keys;

	int status = oe__grow(&items, &capacity, value->size + 1, sizeof(*value->items));
	value->items = items;
	if (status == 0 && keys && capacity != value->capacity) {
		size_t before = value->capacity;
		/* Grows in step with the items: the same count asked, the same capacity got. */
		status = oe__grow(&names, &before, value->size + 1, sizeof(*value->keys));
		value->keys = names;
	}
	if (status == 0)
		value->capacity = capacity;
	return status;
}

int oe__value_push(struct oe__value *list, struct oe__value *item)
{
	if (list->type == OE__VALUE_NULL)
		list->type = OE__VALUE_LIST;
	int status = reserve(list, false);
	if (status < 0)
		return status;
	list->items[list->size++] = *item;
	*item = (struct oe__value){ 0 };
	return 0;
}

int oe__value_put(struct oe__value *map, const char *key, struct oe__value *item)
{
	struct oe__value *entry = oe__value_get(map, key);
	if (entry) {
		oe__value_done(entry);
		*entry = *item;
		*item = (struct oe__value){ 0 };
		return 0;
	}
	return oe__value_append(map, key, strlen(key), item);
}

int oe__value_append(struct oe__value *map, const char *key, size_t key_size,
                     struct oe__value *item)
{
	struct oe__value name = { 0 };

	if (map->type == OE__VALUE_NULL)
		map->type = OE__VALUE_MAP;
	int status = oe__value_set_string(&name, key, key_size);
	if (status == 0)
		status = reserve(map, true);
	if (status < 0) {
		oe__value_done(&name);
		return status;
	}
	map->keys[map->size] = name;
	map->items[map->size++] = *item;
	*item = (struct oe__value){ 0 };
	return 0;
}

struct oe__value *oe__value_get(const struct oe__value *map, const char *key)
{
	if (map->type != OE__VALUE_MAP)
		return NULL;
	size_t size = strlen(key);
	for (size_t i = 0; i < map->size; i++)
		if (map->keys[i].type == OE__VALUE_STRING && !map->keys[i].tag &&
		    map->keys[i].size == size && memcmp(map->keys[i].string, key, size) == 0)
			return &map->items[i];
	return NULL;
}

static int copy_items(const struct oe__value *value, struct oe__value *copy)
{
	copy->items = oe__calloc(value->size + 1, sizeof(*copy->items));
	if (value->type == OE__VALUE_MAP) /* an empty map has no keys yet, but room for one */
		copy->keys = oe__calloc(value->size + 1, sizeof(*copy->keys));
	if (!copy->items || (value->type == OE__VALUE_MAP && !copy->keys))
		return OE_ERR_NOMEM;
	copy->capacity = value->size + 1;
	copy->size = value->size;
	for (size_t i = 0; i < value->size; i++) {
		int status = oe__value_copy(&value->items[i], &copy->items[i]);
		if (status == 0 && value->keys)
			status = oe__value_copy(&value->keys[i], &copy->keys[i]);
		if (status < 0)
			return status;
	}
	return 0;
}

int oe__value_copy(const struct oe__value *value, struct oe__value *out)
{
	OE__AUTO(value) struct oe__value copy = *value;
	int status = 0;

	copy.string = NULL;
	copy.items = copy.keys = NULL;
	copy.size = copy.capacity = 0;
	if (value->string) {
		copy.string = oe__strndup(value->string, value->size);
		copy.size = value->size;
		status = copy.string ? 0 : OE_ERR_NOMEM;
	} else if (value->type == OE__VALUE_LIST || value->type == OE__VALUE_MAP) {
		status = copy_items(value, &copy);
	}
	if (status < 0)
		return status;
	*out = copy;
	copy = (struct oe__value){ 0 };
	return 0;
}

bool oe__value_is(const struct oe__value *value, const char *text)
{
	return value->type == OE__VALUE_STRING && value->size == strlen(text) &&
	       memcmp(value->string, text, value->size) == 0;
}

const char *oe__value_type_name(const struct oe__value *value)
{
	static const char *const names[] = {
		[OE__VALUE_NULL] = "null",     [OE__VALUE_BOOL] = "boolean",  [OE__VALUE_INT] = "integer",
		[OE__VALUE_REAL] = "number",   [OE__VALUE_STRING] = "string", [OE__VALUE_LIST] = "list",
		[OE__VALUE_MAP] = "mapping",
	};
	return value->tag ? value->tag : names[value->type];
}
