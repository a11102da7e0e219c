/*
 * Source text and what is derived from it. Any thread; immutable after oe__source_new().
 */

#include "program/source.h"

#include <stdbool.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/text.h"

#define CODE_POINTS 0x110000u
#define WORD_BITS   64u

struct scan {
	size_t length, newlines;
	bool ascii[128]; /* seen */
	uint64_t *wide;  /* one bit per code point, made when the first one beyond ASCII shows up */
};

static int scan_wide(struct scan *scan, uint32_t code_point)
{
	if (!scan->wide) {
		scan->wide = oe__calloc(CODE_POINTS / WORD_BITS, sizeof(*scan->wide));
		if (!scan->wide)
			return OE_ERR_NOMEM;
	}
	scan->wide[code_point / WORD_BITS] |= UINT64_C(1) << (code_point % WORD_BITS);
	return 0;
}

#define EACH_BYTE(byte) (UINT64_C(0x0101010101010101) * (byte))

/* Eight characters at once, as hardly any is not ASCII. @return how many bytes that was */
static size_t scan_ascii(struct scan *scan, const char *text, size_t size)
{
	size_t done = 0;
	uint64_t word;

	for (; done + sizeof(word) <= size; done += sizeof(word)) {
		memcpy(&word, text + done, sizeof(word));
		if (word & EACH_BYTE(0x80))
			break;
		for (size_t i = 0; i < sizeof(word); i++)
			scan->ascii[word >> (8 * i) & 0x7f] = true;
		/* No byte carries into the next one: the sum has its high bit unless it was a newline. The product
		   adds up the bytes that are left: cheaper than a call of popcount, where the CPU may have none. */
		uint64_t others = (word ^ EACH_BYTE((uint64_t)'\n')) + EACH_BYTE(0x7f);
		scan->newlines += (size_t)(((~others & EACH_BYTE(0x80)) >> 7) * EACH_BYTE(1) >> 56);
	}
	scan->length += done;
	return done;
}

static int scan_text(struct scan *scan, const char *text, size_t size)
{
	while (size > 0) {
		size_t done = scan_ascii(scan, text, size);
		text += done;
		size -= done;
		for (size_t i = 0; i < sizeof(uint64_t) && size > 0; i++) {
			unsigned char c = (unsigned char)*text;

			scan->length++;
			if (c < 0x80) {
				scan->newlines += c == '\n';
				scan->ascii[c] = true;
				text++;
				size--;
			} else if (scan_wide(scan, oe__utf8_next(&text, &size)) < 0) {
				return OE_ERR_NOMEM;
			}
		}
	}
	return 0;
}

static int list_wide(const uint64_t *wide, uint32_t **out, size_t *count)
{
	size_t found = 0;

	for (size_t i = 0; i < CODE_POINTS / WORD_BITS; i++)
		found += (size_t)__builtin_popcountll(wide[i]);

	uint32_t *list = oe__calloc(found, sizeof(*list));
	if (!list)
		return OE_ERR_NOMEM;
	size_t used = 0;
	for (uint32_t i = 0; i < CODE_POINTS / WORD_BITS; i++)
		for (uint64_t bits = wide[i]; bits != 0; bits &= bits - 1)
			list[used++] = i * WORD_BITS + (uint32_t)__builtin_ctzll(bits);
	*out = list;
	*count = found;
	return 0;
}

static int derive(struct oe__source *source)
{
	struct scan scan = { 0 };
	int status = scan_text(&scan, source->text, source->size);

	if (status == 0 && scan.wide)
		status = list_wide(scan.wide, &source->others, &source->other_count);
	oe__free(scan.wide);
	source->length = scan.length;
	source->newlines = scan.newlines;
	for (size_t c = 0; c < OE__COUNT(scan.ascii); c++)
		source->ascii[c / WORD_BITS] |= (uint64_t)scan.ascii[c] << (c % WORD_BITS);
	return status;
}

int oe__source_new(const char *text, size_t size, struct oe__source **out)
{
	if (size > OE__CODE_MAX)
		return OE_ERR_LIMIT;
	if (!oe__utf8_valid(text, size))
		return OE_ERR_INVALID;

	OE__AUTO(source) struct oe__source *source = oe__calloc(1, sizeof(*source) + size + 1);
	if (!source)
		return OE_ERR_NOMEM;
	atomic_init(&source->refs, 1);
	source->size = size;
	if (size > 0)
		memcpy(source->text, text, size);

	int status = derive(source);
	if (status < 0)
		return status;
	status = oe__sha256(source->text, size, source->hash);
	if (status < 0)
		return status;
	oe__hex(source->hash, sizeof(source->hash), source->hash_hex);
	*out = OE__STEAL(source);
	return 0;
}

int oe__source_copy(const struct oe__source *source, struct oe__source **out)
{
	OE__AUTO(source) struct oe__source *copy = oe__calloc(1, sizeof(*copy) + source->size + 1);
	if (!copy)
		return OE_ERR_NOMEM;
	size_t others_size = source->other_count * sizeof(*source->others);
	atomic_init(&copy->refs, 1);
	if (others_size > 0) {
		copy->others = oe__malloc(others_size);
		if (!copy->others)
			return OE_ERR_NOMEM;
		memcpy(copy->others, source->others, others_size);
	}
	copy->other_count = source->other_count;
	copy->size = source->size;
	copy->length = source->length;
	copy->newlines = source->newlines;
	memcpy(copy->ascii, source->ascii, sizeof(copy->ascii));
	atomic_init(&copy->form, atomic_load_explicit(&source->form, memory_order_relaxed));
	memcpy(copy->hash, source->hash, sizeof(copy->hash));
	memcpy(copy->hash_hex, source->hash_hex, sizeof(copy->hash_hex));
	memcpy(copy->text, source->text, source->size);
	*out = OE__STEAL(copy);
	return 0;
}

struct oe__source *oe__source_ref(struct oe__source *source)
{
	atomic_fetch_add_explicit(&source->refs, 1, memory_order_relaxed);
	return source;
}

void oe__source_unref(struct oe__source *source)
{
	if (!source || atomic_fetch_sub_explicit(&source->refs, 1, memory_order_acq_rel) != 1)
		return;
	oe__free(source->others);
	oe__free(source);
}

static size_t difference(size_t a, size_t b)
{
	return a > b ? a - b : b - a;
}

/* Characters that exactly one of the two uses. */
static size_t unshared(const struct oe__source *a, const struct oe__source *b)
{
	size_t count = (size_t)__builtin_popcountll(a->ascii[0] ^ b->ascii[0]) +
				   (size_t)__builtin_popcountll(a->ascii[1] ^ b->ascii[1]);
	size_t i = 0, j = 0;

	while (i < a->other_count && j < b->other_count) {
		if (a->others[i] == b->others[j]) {
			i++;
			j++;
		} else {
			count++;
			if (a->others[i] < b->others[j])
				i++;
			else
				j++;
		}
	}
	return count + (a->other_count - i) + (b->other_count - j);
}

double oe__source_distance(const struct oe__source *a, const struct oe__source *b)
{
	if (a == b || memcmp(a->hash, b->hash, sizeof(a->hash)) == 0)
		return 0;
	/* Terms are added in OpenEvolve's order: sums are compared bit by bit with recorded ones. */
	return (double)difference(a->length, b->length) * 0.1 +
		   (double)(difference(a->newlines, b->newlines) * 10) + (double)unshared(a, b) * 0.5;
}
