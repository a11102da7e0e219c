#include "base/alloc.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "openevolve/common.h"

static void *plain_malloc(size_t size, void *userdata)
{
	(void)userdata;
	return malloc(size);
}

static void *plain_realloc(void *ptr, size_t size, void *userdata)
{
	(void)userdata;
	return realloc(ptr, size);
}

static void plain_free(void *ptr, void *userdata)
{
	(void)userdata;
	free(ptr);
}

/* The only global of the library. Written once, before the first allocation. */
static oe_allocator allocator = { plain_malloc, plain_realloc, plain_free, NULL };
static atomic_bool in_use;

int oe_set_allocator(const oe_allocator *given)
{
	if (!given || !given->malloc || !given->realloc || !given->free)
		return OE_ERR_INVALID;
	if (atomic_load(&in_use))
		return OE_ERR_STATE;
	allocator = *given;
	return 0;
}

void *oe__malloc(size_t size)
{
	/* A plain load on the hot path; the store happens once. */
	if (!atomic_load_explicit(&in_use, memory_order_relaxed))
		atomic_store(&in_use, true);
	return allocator.malloc(size > 0 ? size : 1, allocator.userdata);
}

void *oe__calloc(size_t count, size_t item_size)
{
	size_t size;
	if (__builtin_mul_overflow(count, item_size, &size))
		return NULL;
	void *ptr = oe__malloc(size);
	if (ptr)
		memset(ptr, 0, size);
	return ptr;
}

void *oe__realloc(void *ptr, size_t size)
{
	if (!ptr)
		return oe__malloc(size);
	return allocator.realloc(ptr, size > 0 ? size : 1, allocator.userdata);
}

void oe__free(void *ptr)
{
	if (ptr)
		allocator.free(ptr, allocator.userdata);
}

int oe__grow(void **items, size_t *capacity, size_t count, size_t item_size)
{
	if (count <= *capacity)
		return 0;
	size_t wanted = *capacity < 8 ? 8 : *capacity + *capacity / 2;
	size_t size;
	if (wanted < count)
		wanted = count;
	if (__builtin_mul_overflow(wanted, item_size, &size))
		return OE_ERR_NOMEM;
	void *grown = oe__realloc(*items, size);
	if (!grown)
		return OE_ERR_NOMEM;
	*items = grown;
	*capacity = wanted;
	return 0;
}

char *oe__strndup(const char *text, size_t size)
{
	char *copy = size < SIZE_MAX ? oe__malloc(size + 1) : NULL;
	if (!copy)
		return NULL;
	if (size > 0)
		memcpy(copy, text, size);
	copy[size] = '\0';
	return copy;
}

char *oe__strdup(const char *text)
{
	return text ? oe__strndup(text, strlen(text)) : NULL;
}

void *oe__memdup(const void *data, size_t size)
{
	void *copy = oe__malloc(size);
	if (copy && size > 0)
		memcpy(copy, data, size);
	return copy;
}
