/* lib/controller/snapshot.c, lib/store/snapshot.c: a run that goes on from a snapshot is the one that its log
   alone leads to; one that is of no use is said to be, and changes nothing. */

#include <sqlite3.h>

#include "api/world.h"
#include "controller/controller_internal.h"
#include "controller/replay.h"
#include "hub/hub.h"
#include "hub/state.h"
#include "store/snapshot.h"
#include "rows.h"

static const char *const all_semantics[] = { "steady", "generation", "ordered" };

static struct world world;
static char path[128];

static void begin(const char *semantics, const char *on_failure)
{
	world_init(&world, true);
	world_set(&world, "hub.semantics", semantics);
	world_set(&world, "hub.on_failure", on_failure);
	world_set(&world, "hub.window", "4");
	world_set(&world, "database.num_islands", "3");
	world_set(&world, "database.population_size", "12");
	world_set(&world, "database.migration_interval", "3");
	world_set(&world, "database.diversity_reference_size", "6");
	world_set(&world, "durability", "process");
	world_set(&world, "store.snapshot_interval", "1");
	world_set(&world, "max_iterations", "20");
	(void)snprintf(path, sizeof(path), "%s/run.db", world.directory);
}

static void run_seeded(void)
{
	oe_controller *controller = world_seeded(&world);

	ck_assert_int_eq(world_run(controller), OE_REASON_ITERATIONS);
	oe_controller_free(controller);
}

static struct oe__buffer state_of(const oe_hub *hub)
{
	struct oe__buffer state = OE__BUFFER_INIT(0);

	ck_assert_int_eq(oe__hub_state_write(hub, &state), 0);
	return state;
}

/* What the log alone leads to. */
static struct oe__buffer state_of_log(void)
{
	OE__AUTO(replay) struct oe__replay replay = { 0 };
	OE__AUTO(hub) oe_hub *hub = NULL;
	oe_error err = { 0 };

	ck_assert_int_eq(oe_hub_new(world.config, &hub, &err), 0);
	int status = oe__replay_begin(path, world.config, hub, &replay, &err);
	if (status == 0)
		status = oe__replay_run(&replay, 0, 0, &err);
	ck_assert_msg(status == 0, "%s", err.message);
	return state_of(hub);
}

static void check_same(const struct oe__buffer *a, const struct oe__buffer *b)
{
	ck_assert(a->size == b->size && memcmp(a->data, b->data, a->size) == 0);
}

static void change(const char *sql)
{
	rows_change(path, sql);
}

static struct oe__snapshot load(void)
{
	OE__AUTO(database) struct oe__database *database = NULL;
	struct oe__snapshot snapshot = { 0 };
	oe_error err = { 0 };

	ck_assert_int_eq(oe__database_open_reader(path, &database, &err), 0);
	ck_assert_msg(oe__snapshot_load(database, &snapshot, &err) == 1, "%s", err.message);
	return snapshot;
}

/* One with a digest that is right, whatever is in it. */
static void put(int64_t seq, const void *data, size_t size)
{
	OE__AUTO(database) struct oe__database *database = NULL;
	oe_error err = { 0 };
	struct oe__row row = { .kind = OE__ROW_SNAPSHOT,
						   .seq = seq,
						   .answer = { .text = data, .size = size } };

	ck_assert_int_eq(oe__database_open(path, false, &database, &err), 0);
	ck_assert_msg(oe__row_write(database, &row, &err) == 0, "%s", err.message);
}

/* Resume, and compare with the log. @return whether it was said that the snapshot is of no use; `says` may
   be NULL. */
static bool resume(const char *says)
{
	OE__AUTO(buffer) struct oe__buffer wanted = state_of_log();
	oe_controller *controller = world_resumed(&world);
	OE__AUTO(buffer) struct oe__buffer state = state_of(controller->hub);
	const oe_event *event = NULL;
	bool said = false;

	check_same(&state, &wanted);
	oe_controller_stop(controller, OE_STOP_CANCEL);
	while (oe_controller_step(controller, 0, &event, NULL) == 1 && event->type != OE_EVENT_DONE)
		if (event->type == OE_EVENT_LOG && strstr(event->text, "snapshot cannot be used")) {
			ck_assert_msg(!says || strstr(event->text, says), "%s", event->text);
			said = true;
		}
	oe_controller_free(controller);
	return said;
}

/* ---- the same ---- */

static void check_going_on(void)
{
	run_seeded();
	/* The hub that the run had in memory, and the one of its log. */
	OE__AUTO(snapshot) struct oe__snapshot snapshot = load();
	OE__AUTO(buffer) struct oe__buffer wanted = state_of_log();
	ck_assert_uint_gt(snapshot.size, wanted.size);
	ck_assert_int_eq(memcmp(snapshot.data + (snapshot.size - wanted.size), wanted.data,
							wanted.size), 0);
	/* With nothing to play behind it, and with a tail of 15, from which no other one is taken. */
	ck_assert(!resume(NULL));
	world_set(&world, "store.snapshot_interval", "0");
	world_set(&world, "max_iterations", "35");
	oe_controller *controller = world_resumed(&world);
	ck_assert_int_eq(world_run(controller), OE_REASON_ITERATIONS);
	oe_controller_free(controller);
	OE__AUTO(snapshot) struct oe__snapshot same = load();
	ck_assert_int_eq(same.seq, snapshot.seq);
	ck_assert(!resume(NULL));
}

START_TEST(test_same)
{
	for (size_t i = 0; i < OE__COUNT(all_semantics); i++) {
		begin(all_semantics[i], i == 1 ? "replace" : "count");
		check_going_on();
		world_done(&world);
		begin(all_semantics[i], i == 1 ? "count" : "replace");
		check_going_on();
		world_done(&world);
	}
}
END_TEST

/* It takes the place of playing: what is before it may be gone. */
START_TEST(test_plays_the_tail_only)
{
	begin("steady", "count");
	run_seeded();
	change("UPDATE log SET program_id = 'nobody' WHERE seq = 2");
	oe_controller *controller = world_resumed(&world);
	ck_assert_int_eq(oe_hub_ended(controller->hub), 20);
	oe_controller_free(controller);
	world_done(&world);
}
END_TEST

/* Only when it is worth it, and never where none is wanted. */
START_TEST(test_interval)
{
	static const struct {
		const char *interval;
		int64_t least, most; /* calls behind the last one; -1: there is none */
	} cases[] = { { "0", -1, -1 }, { "10000", -1, -1 }, { "15", 0, 1 }, { "1", 0, 0 } };

	for (size_t i = 0; i < OE__COUNT(cases); i++) {
		OE__AUTO(database) struct oe__database *database = NULL;
		OE__AUTO(snapshot) struct oe__snapshot snapshot = { 0 };
		int64_t last = 0;

		begin("steady", "count");
		world_set(&world, "store.snapshot_interval", cases[i].interval);
		run_seeded();
		ck_assert_int_eq(oe__database_open_reader(path, &database, NULL), 0);
		ck_assert_int_eq(oe__database_number(database, "SELECT max(seq) FROM log", &last, NULL), 0);
		int got = oe__snapshot_load(database, &snapshot, NULL);
		ck_assert_int_eq(got, cases[i].least >= 0);
		if (got == 1) {
			ck_assert_int_ge(last - snapshot.seq, cases[i].least);
			ck_assert_int_le(last - snapshot.seq, cases[i].most);
		}
		world_done(&world);
	}
}
END_TEST

/* As many bytes of a large one as belong to these calls. */
START_TEST(test_large)
{
	const oe_event *event = NULL;
	int taken[2] = { 0 };

	for (int large = 0; large < 2; large++) {
		begin("steady", "count");
		oe_controller *controller = world_seeded(&world);
		int64_t last = 0;
		controller->snapshot_size = large ? (int64_t)1 << 30 : (int64_t)1 << 20;
		while (oe_controller_step(controller, -1, &event, NULL) == 1 &&
			   event->type != OE_EVENT_DONE && oe_hub_ended(controller->hub) < 15) {
			taken[large] += controller->snapshot_seq != last;
			last = controller->snapshot_seq;
		}
		oe_controller_free(controller);
		world_done(&world);
	}
	ck_assert_int_gt(taken[0], 5);
	ck_assert_int_eq(taken[1], 0);
}
END_TEST

/* ---- what is of no use ---- */

START_TEST(test_each_byte)
{
	begin("ordered", "count");
	run_seeded();
	OE__AUTO(snapshot) struct oe__snapshot snapshot = load();
	OE__AUTO(database) struct oe__database *database = NULL;
	oe_error err = { 0 };
	sqlite3_blob *blob = NULL;

	ck_assert_int_eq(oe__database_open(path, false, &database, &err), 0);
	ck_assert_int_eq(sqlite3_blob_open(database->handle, "main", "snapshot", "data", snapshot.seq, 1,
									   &blob), SQLITE_OK);
	for (size_t i = 0; i < snapshot.size; i++) {
		OE__AUTO(snapshot) struct oe__snapshot damaged = { 0 };
		char byte = (char)(snapshot.data[i] ^ 1 << i % 8);

		ck_assert_int_eq(sqlite3_blob_write(blob, &byte, 1, (int)i), SQLITE_OK);
		ck_assert_int_eq(oe__snapshot_load(database, &damaged, &err), OE_ERR_FORMAT);
		ck_assert_ptr_nonnull(strstr(err.message, "damaged"));
		ck_assert_int_eq(sqlite3_blob_write(blob, &snapshot.data[i], 1, (int)i), SQLITE_OK);
	}
	ck_assert_int_eq(sqlite3_blob_close(blob), SQLITE_OK);
	world_done(&world);
}
END_TEST

START_TEST(test_damaged)
{
	static const struct {
		const char *sql, *says;
	} cases[] = {
		{ "UPDATE snapshot SET data = zeroblob(length(data))", "damaged" },
		{ "UPDATE snapshot SET data = substr(data, 1, length(data) - 1)", "damaged" },
		{ "UPDATE snapshot SET data = x''", "damaged" },
		{ "UPDATE snapshot SET digest = x'00'", "damaged" },
		{ "UPDATE snapshot SET seq = seq - 1", "damaged" },
		{ "UPDATE snapshot SET seq = seq + 1", "longer log" },
		{ "DROP TABLE snapshot", "no such table" },
	};

	for (size_t i = 0; i < OE__COUNT(cases); i++) {
		begin(all_semantics[i % OE__COUNT(all_semantics)], "count");
		run_seeded();
		change(cases[i].sql);
		ck_assert_msg(resume(cases[i].says), "%s: nothing was said", cases[i].sql);
		world_done(&world);
	}
	begin("steady", "count"); /* one that is missing is nothing to speak of */
	run_seeded();
	change("DELETE FROM snapshot");
	ck_assert(!resume(NULL));
	world_done(&world);
}
END_TEST

/* With a digest that is right: of a moment that is not that of its row, or of nothing at all. */
START_TEST(test_contradicts)
{
	for (size_t s = 0; s < OE__COUNT(all_semantics); s++) {
		begin(all_semantics[s], "count");
		run_seeded();
		OE__AUTO(snapshot) struct oe__snapshot early = load();
		world_set(&world, "max_iterations", "30");
		oe_controller *controller = world_resumed(&world);
		ck_assert_int_eq(world_run(controller), OE_REASON_ITERATIONS);
		oe_controller_free(controller);
		for (int64_t seq = early.seq - 3; seq <= early.seq + 4; seq++) {
			put(seq, early.data, early.size);
			ck_assert_msg(seq == early.seq || resume(NULL), "%s: row %lld of %lld",
						  all_semantics[s], (long long)seq, (long long)early.seq);
		}
		put(early.seq, "nothing", 7);
		ck_assert(resume("version"));
		put(early.seq, early.data, early.size / 2);
		ck_assert(resume(NULL));
		world_done(&world);
	}
}
END_TEST

/* Numbers that nobody counted to, in place of those that lie before the state of the hub, a byte each. */
START_TEST(test_endless_numbers)
{
	static const size_t before[] = { 1, 2, 4, 14 }; /* where it began, holds, was best, and since when */
	static const unsigned char numbers[][10] = {
		{ 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1 },
		{ 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1 },
	};

	begin("ordered", "count");
	run_seeded();
	OE__AUTO(snapshot) struct oe__snapshot snapshot = load();
	OE__AUTO(buffer) struct oe__buffer state = state_of_log();
	for (size_t i = 0; i < OE__COUNT(before); i++)
		for (size_t n = 0; n < OE__COUNT(numbers); n++) {
			OE__AUTO(buffer) struct oe__buffer other = OE__BUFFER_INIT(0);
			size_t at = snapshot.size - state.size - before[i];

			oe__buffer_append(&other, snapshot.data, at);
			oe__buffer_append(&other, numbers[n], sizeof(numbers[n]));
			oe__buffer_append(&other, snapshot.data + at + 1, snapshot.size - at - 1);
			put(snapshot.seq, other.data, other.size);
			ck_assert_msg(resume("what was seen"), "%zu before its end", before[i]);
		}
	world_done(&world);
}
END_TEST

/* Rules that ended a run, and others now: they look at all of it. */
START_TEST(test_other_rules)
{
	begin("ordered", "count");
	world_set(&world, "early_stopping_patience", "3");
	oe_controller *controller = world_seeded(&world);
	int reason = world_run(controller);
	oe_controller_free(controller);
	ck_assert_int_eq(reason, OE_REASON_PATIENCE);
	controller = world_resumed(&world); /* over at the same number, from the snapshot */
	ck_assert_int_ge(controller->endings.held_at, 0);
	ck_assert_int_eq(world_run(controller), OE_REASON_PATIENCE);
	oe_controller_free(controller);
	world_set(&world, "early_stopping_patience", "1000");
	controller = world_resumed(&world);
	ck_assert_int_eq(controller->endings.held_at, -1);
	ck_assert_int_eq(world_run(controller), OE_REASON_ITERATIONS);
	oe_controller_free(controller);
	world_done(&world);
}
END_TEST

TEST_MAIN("snapshot", test_same, test_plays_the_tail_only, test_interval, test_large, test_each_byte,
		  test_damaged, test_contradicts, test_endless_numbers, test_other_rules)
