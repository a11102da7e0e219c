#ifndef OE__BASE_ALLOC_H
#define OE__BASE_ALLOC_H

/*
 * The only caller of malloc. Everything the library keeps comes from here, through the allocator
 * of oe_set_allocator(). Any thread.
 */

#include <stddef.h>

#include "base/auto.h"

void *oe__malloc(size_t size);
void *oe__calloc(size_t count, size_t item_size); /* NULL when the product overflows */
void *oe__realloc(void *ptr, size_t size);
void oe__free(void *ptr);

/* Room for `count` items, growing `items` geometrically; the capacity is updated on success. */
int oe__grow(void **items, size_t *capacity, size_t count, size_t item_size);

char *oe__strdup(const char *text);                 /* NULL stays NULL             */
char *oe__strndup(const char *text, size_t size);   /* copies `size` bytes and a NUL */
void *oe__memdup(const void *data, size_t size);

OE__AUTO_POINTER(memory, void *, oe__free)
OE__AUTO_POINTER(string, char *, oe__free)

#endif /* OE__BASE_ALLOC_H */
