/* lib/store/wal.c: what of a write-ahead log proves that something was lost, and what proves nothing.
   Processes that are killed write one, and bits of it change at many places. */

#include "store/wal.h"

#include "base/rng.h"
#include "world.h"

#define HEADER  32
#define FRAME   (24 + 4096)
#define SECTOR  512

static struct oe__rng dice;

static size_t below(size_t limit)
{
	return (size_t)oe__rng_below(&dice, limit);
}

/* ---- processes that are killed ---- */

static void must_run(struct oe__database *database, const char *sql)
{
	if (sqlite3_exec(database->handle, sql, NULL, NULL, NULL) != SQLITE_OK)
		abort();
}

/* Each a transaction of its own, of one page or many. */
static void write_small(struct oe__database *database, int count)
{
	char sql[200];

	for (int i = 0; i < count; i++) {
		(void)snprintf(sql, sizeof(sql), "INSERT OR REPLACE INTO meta VALUES ('key %d', hex(zeroblob(%d)))",
					   i % 7, i % 3 ? 10 : 3000);
		must_run(database, sql);
	}
}

/* One of which frames are there, and not the end. */
static void write_half(struct oe__database *database, int pages)
{
	char sql[200];

	must_run(database, "PRAGMA cache_size = 10; BEGIN IMMEDIATE");
	for (int i = 0; i < pages; i++) {
		(void)snprintf(sql, sizeof(sql), "INSERT OR REPLACE INTO meta VALUES ('half %d', hex(zeroblob(2000)))", i);
		must_run(database, sql);
	}
}

/* All is in the database, and the next transaction begins the file anew: over what is in it. */
static void begin_anew(struct oe__database *database, int count)
{
	OE__AUTO(buffer) struct oe__buffer before = OE__BUFFER_INIT(0);

	write_small(database, 40);
	must_run(database, "PRAGMA wal_checkpoint(RESTART)");
	if (oe__file_read(scratch("run.db-wal"), &before, NULL) < 0 ||
		oe__file_write(scratch("before"), before.data, before.size, NULL) < 0)
		abort();
	write_small(database, count);
}

static void in_a_process(void (*work)(struct oe__database *database, int count), int count)
{
	int status = -1;
	pid_t child = fork();

	if (child == 0) {
		struct oe__database *database = NULL;
		if (oe__database_open(scratch("run.db"), false, &database, NULL) < 0)
			_exit(1);
		work(database, count);
		_exit(0); /* without a word */
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
}

/* ---- what is seen ---- */

static int inspect(struct oe__wal_damage *out)
{
	OE__AUTO(database) struct oe__database *database = NULL;
	oe_error err = { .message = "" };

	ck_assert_msg(oe__database_open_reader(scratch("run.db"), &database, &err) == 0, "%s", err.message);
	int found = oe__wal_inspect(database, out, &err);
	ck_assert_msg(found >= 0, "%s", err.message);
	return found;
}

/* Of a database that has its tables already. */
static void begin(void)
{
	scratch_enter();
	oe__database_close(world_open("run.db"));
}

static void read_wal(struct oe__buffer *out)
{
	oe__buffer_clear(out);
	world_must(oe__file_read(scratch("run.db-wal"), out, NULL));
}

static void write_wal(const struct oe__buffer *data, size_t size)
{
	scratch_write("run.db-wal", data->data, size);
}

static int64_t frames_of(const struct oe__buffer *wal)
{
	return ((int64_t)wal->size - HEADER) / FRAME;
}

static unsigned char *frame_of(const struct oe__buffer *wal, int64_t number)
{
	return (unsigned char *)wal->data + HEADER + (number - 1) * FRAME;
}

/* The first one from `number` on that ends a transaction; 0: there is none up to `last`. */
static int64_t end_from(const struct oe__buffer *wal, int64_t number, int64_t last)
{
	static const unsigned char none[4] = { 0 };

	for (; number <= last; number++)
		if (memcmp(frame_of(wal, number) + 4, none, sizeof(none)) != 0)
			return number;
	return 0;
}

/* A bit of frame `number` has changed, of `last` ones. */
static void check_frame(const struct oe__buffer *wal, int64_t number, int64_t last)
{
	struct oe__wal_damage damage = { -1, -1 };
	int found = inspect(&damage);
	/* It itself, and the next one if it was its checksum, prove nothing. */
	int64_t surely = end_from(wal, number + 2, last), perhaps = end_from(wal, number + 1, last);

	if (surely > 0 && surely < last)
		ck_assert_msg(found == 1, "frame %d of %d", (int)number, (int)last);
	if (perhaps == 0 || perhaps == last)
		ck_assert_msg(found == 0, "frame %d of %d", (int)number, (int)last);
	if (found == 0)
		return;
	ck_assert_int_eq(damage.frame, number);
	ck_assert_int_ge(damage.whole, last - number - 1);
	ck_assert_int_le(damage.whole, last - number);
}

/* ---- tests ---- */

START_TEST(test_readers_change_nothing)
{
	OE__AUTO(buffer) struct oe__buffer wal = OE__BUFFER_INIT(0), after = OE__BUFFER_INIT(0);
	struct oe__wal_damage damage;

	begin();
	in_a_process(write_small, 50);
	read_wal(&wal);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(inspect(&damage), 0);
	read_wal(&after);
	ck_assert_uint_eq(after.size, wal.size);
	ck_assert_mem_eq(after.data, wal.data, wal.size);

	oe__database_close(world_open("run.db")); /* who may write takes it along */
	ck_assert(!oe__file_exists(scratch("run.db-wal")));
	ck_assert_int_eq(inspect(&damage), 0);
	ck_assert(!oe__file_exists(scratch("run.db-wal"))); /* nor is anything left over */
	ck_assert(!oe__file_exists(scratch("run.db-shm")));
	scratch_leave();
}
END_TEST

/* Of the file on the disk alone. */
static void flip(struct oe__buffer *wal, size_t at, unsigned bit)
{
	wal->data[at] ^= (char)(1u << bit);
	write_wal(wal, wal->size);
	wal->data[at] ^= (char)(1u << bit);
}

START_TEST(test_bits)
{
	OE__AUTO(buffer) struct oe__buffer wal = OE__BUFFER_INIT(0);

	begin();
	in_a_process(write_small, 60);
	read_wal(&wal);
	int64_t last = frames_of(&wal);
	ck_assert_int_gt(last, 60);
	for (int i = 0; i < 600; i++) {
		/* One in three in the header of a frame, which is small. */
		size_t at = i % 3 ? below((size_t)last * FRAME) : below((size_t)last) * FRAME + below(24);
		flip(&wal, HEADER + at, (unsigned)below(8));
		check_frame(&wal, (int64_t)at / FRAME + 1, last);
	}
	scratch_leave();
}
END_TEST

/* Without it nothing is read at all. */
START_TEST(test_bits_of_the_header)
{
	OE__AUTO(buffer) struct oe__buffer wal = OE__BUFFER_INIT(0);
	struct oe__wal_damage damage;
	int unproven = 0;

	begin();
	in_a_process(write_small, 20);
	read_wal(&wal);
	for (unsigned bit = 0; bit < 8 * HEADER; bit++) {
		flip(&wal, bit / 8, bit % 8);
		if (inspect(&damage) == 0) {
			unproven++;
			continue;
		}
		ck_assert_int_eq(damage.frame, 0);
		ck_assert_int_ge(damage.whole, frames_of(&wal) - 1);
	}
	ck_assert_int_le(unproven, 1); /* its number is what the next one's would be */
	scratch_leave();
}
END_TEST

/* All of it was in there: what is left is as if nothing had ever been made, and is not begun anew. */
START_TEST(test_all_is_lost)
{
	OE__AUTO(buffer) struct oe__buffer wal = OE__BUFFER_INIT(0), after = OE__BUFFER_INIT(0);
	struct oe__database *database = NULL;
	oe_error err = { .message = "" };

	scratch_enter();
	in_a_process(write_small, 20);
	read_wal(&wal);
	flip(&wal, HEADER + 100, 0);
	ck_assert_int_eq(oe__database_open_reader(scratch("run.db"), &database, &err), OE_ERR_FORMAT);
	ck_assert_str_eq(err.where, scratch("run.db-wal"));
	ck_assert_ptr_nonnull(strstr(err.message, "frame 1 is damaged"));
	ck_assert_int_eq(oe__database_open(scratch("run.db"), true, &database, &err), OE_ERR_FORMAT);
	ck_assert_ptr_nonnull(strstr(err.message, "frame 1 is damaged"));
	read_wal(&after);
	ck_assert_uint_eq(after.size, wal.size);
	write_wal(&wal, wal.size);
	oe__database_close(world_open("run.db")); /* mended */
	scratch_leave();
}
END_TEST

START_TEST(test_message)
{
	OE__AUTO(database) struct oe__database *database = NULL;
	oe_error err = { .message = "" };

	scratch_enter();
	database = world_open("run.db");
	ck_assert_int_eq(oe__wal_error(database, &(struct oe__wal_damage){ 7, 12 }, &err), OE_ERR_FORMAT);
	ck_assert_str_eq(err.where, scratch("run.db-wal"));
	ck_assert_str_eq(err.message, "frame 7 is damaged, and 12 whole ones come after it");
	ck_assert_int_eq(oe__wal_error(database, &(struct oe__wal_damage){ 0, 12 }, &err), OE_ERR_FORMAT);
	ck_assert_str_eq(err.message, "its header is damaged, and 12 whole frames come after it");
	scratch_leave();
}
END_TEST

/* Wherever the file ends, with or without something behind it that is no frame. */
START_TEST(test_torn_end)
{
	OE__AUTO(buffer) struct oe__buffer wal = OE__BUFFER_INIT(0), torn = OE__BUFFER_INIT(0);
	struct oe__wal_damage damage;

	begin();
	in_a_process(write_small, 40);
	read_wal(&wal);
	for (int i = 0; i < 200; i++) {
		size_t size = i < 40 ? (size_t)i : below(wal.size);
		size_t more = i % 2 ? 0 : below(2 * FRAME);
		oe__buffer_clear(&torn);
		world_must(oe__buffer_append(&torn, wal.data, size));
		for (size_t k = 0; k < more; k++)
			world_must(oe__buffer_char(&torn, (char)below(256)));
		write_wal(&torn, torn.size);
		ck_assert_msg(inspect(&damage) == 0, "%zu bytes, and %zu others", size, more);
	}
	scratch_leave();
}
END_TEST

/* The power failed before the last transaction was synced: each of its sectors is there, or not. */
START_TEST(test_torn_transaction)
{
	OE__AUTO(buffer) struct oe__buffer wal = OE__BUFFER_INIT(0), torn = OE__BUFFER_INIT(0);
	struct oe__wal_damage damage;

	begin();
	in_a_process(write_small, 40);
	read_wal(&wal);
	int64_t last = frames_of(&wal), first = last;
	while (end_from(&wal, first - 1, first - 1) == 0)
		first--;
	ck_assert_int_lt(first, last); /* it has several frames */
	for (int i = 0; i < 200; i++) {
		oe__buffer_clear(&torn);
		world_must(oe__buffer_append(&torn, wal.data, wal.size));
		size_t begin = (size_t)(frame_of(&wal, first) - (unsigned char *)wal.data);
		for (size_t at = begin / SECTOR * SECTOR + SECTOR; at + SECTOR <= wal.size; at += SECTOR)
			if (below(2))
				memset(torn.data + at, 0, SECTOR);
		write_wal(&torn, torn.size);
		ck_assert_int_eq(inspect(&damage), 0);
	}
	scratch_leave();
}
END_TEST

/* Behind the frames of now are those of before, whole and many. */
START_TEST(test_earlier_generation)
{
	OE__AUTO(buffer) struct oe__buffer wal = OE__BUFFER_INIT(0);
	struct oe__wal_damage damage;

	begin();
	in_a_process(begin_anew, 10);
	read_wal(&wal);
	int64_t all = frames_of(&wal), last = 0;
	while (last < all && memcmp(frame_of(&wal, last + 1) + 8, wal.data + 16, 8) == 0)
		last++;
	ck_assert_int_ge(last, 10);
	ck_assert_int_lt(last + 20, all);
	ck_assert_int_eq(inspect(&damage), 0);
	for (int i = 0; i < 200; i++) {
		size_t at = below((size_t)last * FRAME);
		flip(&wal, HEADER + at, (unsigned)below(8));
		check_frame(&wal, (int64_t)at / FRAME + 1, last);
	}
	flip(&wal, (size_t)(HEADER + (last + 3) * FRAME), 1); /* nobody's any more */
	ck_assert_int_eq(inspect(&damage), 0);
	scratch_leave();
}
END_TEST

/* Who began the file anew was cut off at any byte of its header: all that follows is in the database. */
START_TEST(test_torn_header)
{
	OE__AUTO(buffer) struct oe__buffer old = OE__BUFFER_INIT(0), new = OE__BUFFER_INIT(0);
	struct oe__wal_damage damage;

	begin();
	in_a_process(begin_anew, 1);
	read_wal(&new);
	world_must(oe__file_read(scratch("before"), &old, NULL));
	ck_assert_mem_ne(old.data, new.data, HEADER);
	for (size_t size = 0; size <= HEADER; size++) {
		memcpy(old.data, new.data, size);
		write_wal(&old, old.size);
		ck_assert_msg(inspect(&damage) == 0, "%zu bytes", size);
	}
	scratch_leave();
}
END_TEST

/* Cut off in the middle of a transaction again and again; the next process writes over what is there. */
START_TEST(test_kills)
{
	struct oe__wal_damage damage;

	begin();
	for (int i = 0; i < 60; i++) {
		in_a_process(below(2) ? write_half : write_small, 1 + (int)below(30));
		ck_assert_msg(inspect(&damage) == 0, "after %d: frame %d", i, (int)damage.frame);
	}
	scratch_leave();
}
END_TEST

/* What is just being written is not damaged. */
START_TEST(test_live)
{
	struct oe__wal_damage damage;
	int status = 0, looks = 0;

	begin();
	in_a_process(write_small, 1);
	pid_t child = fork();
	if (child == 0) {
		struct oe__database *database = NULL;
		if (oe__database_open(scratch("run.db"), false, &database, NULL) < 0)
			_exit(1);
		must_run(database, "PRAGMA wal_autocheckpoint = 200");
		write_small(database, 10000);
		_exit(0);
	}
	while (waitpid(child, &status, WNOHANG) == 0) {
		ck_assert_msg(inspect(&damage) == 0, "frame %d", (int)damage.frame);
		looks++;
	}
	ck_assert_int_eq(status, 0);
	ck_assert_int_gt(looks, 3);
	scratch_leave();
}
END_TEST

START_TEST(test_sync)
{
	OE__AUTO(database) struct oe__database *reader = NULL;
	oe_error err = { .message = "" };

	begin();
	world_must(oe__database_open_reader(scratch("run.db"), &reader, NULL));
	world_must(oe__wal_sync(reader, &err)); /* nothing */
	struct oe__database *database = world_open("run.db");
	write_small(database, 3);
	world_must(oe__wal_sync(reader, &err));
	world_must(oe__wal_sync(database, &err));
	oe__database_close(database);
	scratch_leave();
}
END_TEST

TEST_MAIN("wal", test_readers_change_nothing, test_bits, test_bits_of_the_header, test_all_is_lost,
		  test_message, test_torn_end, test_torn_transaction, test_earlier_generation,
		  test_torn_header, test_kills, test_live, test_sync)
