/*
 * The format is section 4 of https://sqlite.org/fileformat2.html. A frame is its header, six numbers of
 * four bytes, and a page. Both salts are those of the file's header, which has new ones each time that the
 * file is begun anew. The checksum continues that of the frame before, so each frame can be held against
 * the one before it, whatever came earlier.
 */

#include "store/wal.h"

#include <string.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/buffer.h"
#include "base/error.h"
#include "store/load.h"

#define HEADER_SIZE   32
#define FRAME_HEADER  24
#define MAGIC         0x377f0682u /* its last bit: the words of checksums are big-endian */
#define PAGE_SIZE_MAX 65536

/* NULL: there is none, or nothing was read yet. */
static sqlite3_file *file_of(struct oe__database *database)
{
	sqlite3_file *file = NULL;

	if (sqlite3_file_control(database->handle, "main", SQLITE_FCNTL_JOURNAL_POINTER, &file) != SQLITE_OK)
		return NULL;
	return file && file->pMethods ? file : NULL;
}

static int64_t size_of(sqlite3_file *file)
{
	sqlite3_int64 size = 0;

	return file->pMethods->xFileSize(file, &size) == SQLITE_OK ? size : 0;
}

int64_t oe__wal_size(struct oe__database *database)
{
	sqlite3_file *file = file_of(database);

	return file ? size_of(file) : 0;
}

/* ---- frames ---- */

struct checksum {
	uint32_t a, b;
};

static uint32_t number_at(const unsigned char *bytes, size_t at)
{
	bytes += at;
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static void put_number(unsigned char *bytes, size_t at, uint32_t number)
{
	for (size_t i = 0; i < 4; i++)
		bytes[at + i] = (unsigned char)(number >> (24 - 8 * i));
}

static struct checksum checksum_at(const unsigned char *bytes, size_t at)
{
	return (struct checksum){ number_at(bytes, at), number_at(bytes, at + 4) };
}

static bool same(struct checksum one, struct checksum other)
{
	return one.a == other.a && one.b == other.b;
}

static uint32_t word_at(const unsigned char *bytes, size_t at, bool big)
{
	return big ? number_at(bytes, at) : __builtin_bswap32(number_at(bytes, at));
}

/* `size` is a multiple of 8. */
static struct checksum add(struct checksum sum, const unsigned char *bytes, size_t size, bool big)
{
	for (size_t at = 0; at < size; at += 8) {
		sum.a += word_at(bytes, at, big) + sum.b;
		sum.b += word_at(bytes, at + 4, big) + sum.a;
	}
	return sum;
}

struct scan {
	sqlite3_file *file;
	size_t page_size;
	int64_t frames;
	unsigned char header[HEADER_SIZE];
	unsigned char salts[8]; /* of the frames that are meant */
	bool big;
	unsigned char *frame; /* room for one */
};

static bool read_at(const struct scan *scan, void *out, size_t size, int64_t at)
{
	return scan->file->pMethods->xRead(scan->file, out, (int)size, at) == SQLITE_OK;
}

static bool read_frame(const struct scan *scan, int64_t number)
{
	size_t size = FRAME_HEADER + scan->page_size;

	return read_at(scan, scan->frame, size, HEADER_SIZE + (number - 1) * (int64_t)size);
}

/* Of these salts, and does it continue `before`? Which becomes its own checksum, right or not. */
static bool is_whole(const struct scan *scan, struct checksum *before)
{
	struct checksum sum = add(*before, scan->frame, 8, scan->big);

	sum = add(sum, scan->frame + FRAME_HEADER, scan->page_size, scan->big);
	*before = checksum_at(scan->frame, 16);
	return memcmp(scan->frame + 8, scan->salts, sizeof(scan->salts)) == 0 &&
	       number_at(scan->frame, 0) > 0 && same(sum, *before);
}

/* Behind the first one that is not whole (or behind `broken`, if that is the header). */
static bool walk(const struct scan *scan, bool broken, struct oe__wal_damage *out)
{
	struct checksum before = checksum_at(scan->header, 24);
	bool ends = false; /* the one before is whole, and ends a transaction */
	bool proven = false;

	*out = (struct oe__wal_damage){ 0 };
	for (int64_t number = 1; number <= scan->frames && read_frame(scan, number); number++) {
		bool whole = is_whole(scan, &before);
		if (!whole && !broken) {
			broken = true;
			out->frame = number;
			continue;
		}
		if (!broken)
			continue;
		out->whole += whole;
		proven |= whole && ends;
		ends = whole && number_at(scan->frame, 4) > 0;
	}
	return proven;
}

/* ---- the header ---- */

static bool fits(const unsigned char header[HEADER_SIZE], bool big)
{
	uint32_t magic = number_at(header, 0);

	return magic == (MAGIC | big) &&
	       same(add((struct checksum){ 0, 0 }, header, HEADER_SIZE - 8, big), checksum_at(header, 24));
}

/* With the salts of the frames it fits, or they are its own: then it was the header of these frames. But
   one that fits with the number before its own was about to be replaced when its writer was cut off, as
   all the frames were in the database. */
static bool was_header_of_frames(const struct scan *scan)
{
	unsigned char other[HEADER_SIZE];

	memcpy(other, scan->header, HEADER_SIZE);
	memcpy(other + 16, scan->salts, sizeof(scan->salts));
	if (fits(other, scan->big))
		return true;
	if (memcmp(other, scan->header, HEADER_SIZE) != 0)
		return false;
	put_number(other, 12, number_at(other, 12) - 1);
	return !fits(other, scan->big);
}

static bool scan_once(struct scan *scan, struct oe__wal_damage *out)
{
	int64_t size = size_of(scan->file);

	scan->frames = (size - HEADER_SIZE) / (int64_t)(FRAME_HEADER + scan->page_size);
	if (scan->frames < 1 || !read_at(scan, scan->header, HEADER_SIZE, 0))
		return false;
	for (int big = 0; big <= 1; big++) {
		scan->big = big;
		if (!fits(scan->header, scan->big))
			continue;
		memcpy(scan->salts, scan->header + 16, sizeof(scan->salts));
		return walk(scan, false, out);
	}
	for (int big = 0; big <= 1; big++) {
		scan->big = big;
		if (!read_frame(scan, 1))
			return false;
		memcpy(scan->salts, scan->frame + 8, sizeof(scan->salts));
		if (was_header_of_frames(scan) && walk(scan, true, out))
			return true;
	}
	return false;
}

/* A frame that was just being written is whole at the second look: who goes on has written it. */
static bool scan_twice(struct scan *scan, struct oe__wal_damage *out)
{
	struct oe__wal_damage again;
	unsigned char header[HEADER_SIZE];

	if (!scan_once(scan, out))
		return false;
	memcpy(header, scan->header, HEADER_SIZE);
	return scan_once(scan, &again) && again.frame == out->frame &&
	       memcmp(header, scan->header, HEADER_SIZE) == 0;
}

int oe__wal_inspect(struct oe__database *database, struct oe__wal_damage *out, oe_error *err)
{
	struct scan scan = { .file = file_of(database) };
	struct oe__wal_damage found;
	int64_t page_size = 0;

	if (!scan.file)
		return 0;
	int status = oe__database_number(database, "PRAGMA page_size", &page_size, err);
	if (status < 0)
		return status;
	if (page_size < 512 || page_size > PAGE_SIZE_MAX)
		return 0;
	scan.page_size = (size_t)page_size;
	OE__AUTO(memory) unsigned char *frame = oe__calloc(1, FRAME_HEADER + scan.page_size);
	if (!frame)
		return oe__error_nomem(err);
	scan.frame = frame;
	if (!scan_twice(&scan, &found))
		return 0;
	*out = found;
	return 1;
}

int oe__wal_error(const struct oe__database *database, const struct oe__wal_damage *damage,
                  oe_error *err)
{
	OE__AUTO(buffer) struct oe__buffer path = OE__BUFFER_INIT(8192);

	oe__buffer_printf(&path, "%s-wal", database->path);
	if (damage->frame == 0)
		return oe__error_at(err, OE_ERR_FORMAT, oe__buffer_string(&path), 0, 0,
		                    "its header is damaged, and %lld whole frames come after it",
		                    (long long)damage->whole);
	return oe__error_at(err, OE_ERR_FORMAT, oe__buffer_string(&path), 0, 0,
	                    "frame %lld is damaged, and %lld whole ones come after it",
	                    (long long)damage->frame, (long long)damage->whole);
}

int oe__wal_sync(struct oe__database *database, oe_error *err)
{
	sqlite3_file *file = file_of(database); /* that of another connection is the same one */

	/* That it is there at all was synced with the first transaction of who made it. */
	if (file && file->pMethods->xSync(file, SQLITE_SYNC_NORMAL) != SQLITE_OK)
		return oe__error_at(err, OE_ERR_IO, database->path, 0, 0, "it cannot be flushed");
	return 0;
}
