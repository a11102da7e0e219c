#include "base/slab.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "openevolve/common.h"

/* Items that are not in use are out of bounds for AddressSanitizer, as freed memory would be. */
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#define FORBID(item, size) ASAN_POISON_MEMORY_REGION(item, size)
#define PERMIT(item, size) ASAN_UNPOISON_MEMORY_REGION(item, size)
#else
#define FORBID(item, size) ((void)0)
#define PERMIT(item, size) ((void)0)
#endif

/* Blocks double, so that few items take little; pages that no item lies on take no memory. */
#define BLOCK_MIN (16 * OE__KIB)
#define BLOCK_MAX (8 * OE__MIB)
#define HUGE_PAGE (2 * OE__MIB)

struct oe__slab_item {
	struct oe__slab_item *next;
};

struct oe__slab_block {
	struct oe__slab_block *older;
	size_t size;
};

void oe__slab_init(struct oe__slab *slab, size_t item_size)
{
	size_t size = item_size + OE__SLAB_ALIGNMENT - 1;

	*slab = (struct oe__slab){ .item_size = size - size % OE__SLAB_ALIGNMENT };
}

static char *align(char *at, size_t alignment)
{
	size_t beyond = (uintptr_t)at % alignment;

	return beyond > 0 ? at + (alignment - beyond) : at;
}

/* One entry of the processor's page cache then covers thousands of items. A wish, no more. */
static void prefer_huge_pages(char *begin, char *end)
{
	begin = align(begin, HUGE_PAGE);
	end -= (uintptr_t)end % HUGE_PAGE;
	if (begin < end)
		(void)madvise(begin, (size_t)(end - begin), MADV_HUGEPAGE);
}

static int add_block(struct oe__slab *slab)
{
	size_t size = slab->blocks ? 2 * slab->blocks->size : BLOCK_MIN;
	size_t needed = sizeof(struct oe__slab_block) + OE__SLAB_ALIGNMENT + slab->item_size;

	if (size > BLOCK_MAX)
		size = BLOCK_MAX;
	if (size < needed)
		size = needed;
	struct oe__slab_block *block = oe__malloc(size);
	if (!block)
		return OE_ERR_NOMEM;
	*block = (struct oe__slab_block){ .older = slab->blocks, .size = size };
	slab->blocks = block;
	slab->rest = align((char *)(block + 1), OE__SLAB_ALIGNMENT);
	slab->rest_size = size - (size_t)(slab->rest - (char *)block);
	prefer_huge_pages((char *)block, (char *)block + size);
	FORBID(slab->rest, slab->rest_size);
	return 0;
}

static void *take_new(struct oe__slab *slab)
{
	if (slab->rest_size < slab->item_size && add_block(slab) < 0)
		return NULL;
	void *item = slab->rest;
	PERMIT(item, slab->item_size);
	slab->rest += slab->item_size;
	slab->rest_size -= slab->item_size;
	return item;
}

static void *take_again(struct oe__slab *slab)
{
	struct oe__slab_item *item = slab->given_back;

	PERMIT(item, slab->item_size);
	slab->given_back = item->next;
	return item;
}

void *oe__slab_take(struct oe__slab *slab)
{
	void *item = slab->given_back ? take_again(slab) : take_new(slab);

	if (item)
		memset(item, 0, slab->item_size);
	return item;
}

void oe__slab_give(struct oe__slab *slab, void *item)
{
	struct oe__slab_item *given = item;

	if (!item)
		return;
	given->next = slab->given_back;
	slab->given_back = given;
	FORBID(item, slab->item_size);
}

void oe__slab_done(struct oe__slab *slab)
{
	while (slab->blocks) {
		struct oe__slab_block *block = slab->blocks;

		slab->blocks = block->older;
		PERMIT(block, block->size);
		oe__free(block);
	}
	*slab = (struct oe__slab){ 0 };
}
