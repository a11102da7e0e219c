/* lib/hub/place.c, island.c, archive.c, migrate.c */

#include "world.h"

START_TEST(test_cells)
{
	OE__AUTO(hub) oe_hub *hub = world_hub(world_settings());

	struct oe__placement placement = world_place(hub, "a", 0, 1, 0);
	ck_assert(placement.best && placement.new_cell && !placement.replaced);
	placement = world_place(hub, "far", 0, 0.5, 100);
	ck_assert(!placement.best && placement.new_cell);
	/* worse in an occupied cell: a member without a cell */
	placement = world_place(hub, "worse", 0, 0.1, 100);
	ck_assert(!placement.new_cell && !placement.replaced && !placement.member->elite);
	/* equal: the older one keeps it */
	placement = world_place(hub, "equal", 0, 0.5, 100);
	ck_assert(!placement.replaced);
	placement = world_place(hub, "better", 0, 0.7, 100);
	ck_assert(placement.replaced && placement.member->elite);
	ck_assert(!world_alive(hub, "far"));
	ck_assert(world_alive(hub, "worse") && world_alive(hub, "equal"));
	/* other islands have cells of their own */
	placement = world_place(hub, "there", 1, 0.1, 100);
	ck_assert(placement.new_cell);
	ck_assert_uint_eq(hub->islands[0].count + hub->islands[1].count, hub->count);
}
END_TEST

START_TEST(test_displaced_best)
{
	OE__AUTO(hub) oe_hub *hub = world_hub(world_settings());

	(void)world_place(hub, "a", 0, 1, 0);
	struct oe__placement placement = world_place(hub, "b", 0, 2, 0); /* the first bounds: bin 5 */
	ck_assert(placement.best && placement.replaced);
	ck_assert_uint_eq(hub->count, 1);
	ck_assert_str_eq(hub->best->program->id, "b");
	ck_assert(oe__archive_has(hub->best)); /* it has inherited the place */
}
END_TEST

START_TEST(test_archive_keeps_the_fittest)
{
	struct oe__hub_settings settings = world_settings();
	settings.archive_size = 2;
	OE__AUTO(hub) oe_hub *hub = world_hub(settings);

	(void)world_place(hub, "a", 0, 1, 0);
	(void)world_place(hub, "b", 1, 2, 50);
	struct oe__placement placement = world_place(hub, "c", 0, 0.5, 100);
	ck_assert(!oe__archive_has(placement.member));
	placement = world_place(hub, "d", 1, 3, 0);
	ck_assert(oe__archive_has(placement.member));
	ck_assert(!oe__archive_has(oe__hub_find(hub, "a")));
	ck_assert_uint_eq(oe__rank_count(&hub->archive.ranks), 2);
	ck_assert_uint_eq(hub->islands[0].archived_count, 0);
	ck_assert_uint_eq(hub->islands[1].archived_count, 2);
}
END_TEST

START_TEST(test_eviction_spares_bests_and_newcomers)
{
	struct oe__hub_settings settings = world_settings();
	settings.population_size = 4;
	OE__AUTO(hub) oe_hub *hub = world_hub(settings);

	(void)world_place(hub, "lone", 1, -9, 0); /* the worst, but the best of its island */
	(void)world_place(hub, "best", 0, 9, 1);
	(void)world_place(hub, "old", 0, 1, 2);
	(void)world_place(hub, "young", 0, 1, 30);
	(void)world_place(hub, "bad", 0, -5, 400);
	ck_assert_uint_eq(hub->count, 4);
	ck_assert(!world_alive(hub, "old")); /* of equal ones the older goes */
	ck_assert(world_alive(hub, "bad") && world_alive(hub, "lone") && world_alive(hub, "best"));
	(void)world_place(hub, "next", 0, 2, 3000);
	ck_assert(!world_alive(hub, "bad"));
}
END_TEST

START_TEST(test_more_bests_than_places)
{
	struct oe__hub_settings settings = world_settings();
	settings.population_size = 1;
	settings.island_count = 3;
	OE__AUTO(hub) oe_hub *hub = world_hub(settings);

	(void)world_place(hub, "a", 0, 1, 0);
	(void)world_place(hub, "b", 1, 2, 0);
	(void)world_place(hub, "c", 2, 3, 0);
	ck_assert_uint_eq(hub->count, 3);
	for (int i = 0; i < 20; i++) {
		char id[20];

		snprintf(id, sizeof(id), "n%d", i);
		(void)world_place(hub, id, i % 3, i % 5, i);
		ck_assert_uint_le(hub->count, 5);
	}
}
END_TEST

START_TEST(test_worst_fitness)
{
	OE__AUTO(hub) oe_hub *hub = world_hub(world_settings());

	(void)world_place(hub, "nan", 0, NAN, 0);
	(void)world_place(hub, "inf", 0, INFINITY, 1);
	ck_assert_str_eq(hub->best->program->id, "nan"); /* equally bad: the older */
	(void)world_place(hub, "low", 0, -1e300, 2);
	ck_assert_str_eq(hub->best->program->id, "low");
}
END_TEST

START_TEST(test_everybody_can_leave)
{
	OE__AUTO(hub) oe_hub *hub = world_hub(world_settings());

	for (int i = 0; i < 50; i++) {
		char id[20];

		snprintf(id, sizeof(id), "p%d", i);
		(void)world_place(hub, id, i % 2, i, i * 7 % 13);
	}
	while (hub->newest)
		oe__hub_remove(hub, hub->newest);
	ck_assert_uint_eq(hub->count + hub->ids.count + hub->contents.count, 0);
	ck_assert_uint_eq(hub->islands[0].cells.count + hub->islands[1].cells.count, 0);
	ck_assert_uint_eq(oe__rank_count(&hub->archive.ranks), 0);
	ck_assert_ptr_null(oe__hub_check(hub));
}
END_TEST

/* ---- migration ---- */

START_TEST(test_ring)
{
	struct oe__hub_settings settings = world_settings();
	settings.island_count = 4;
	settings.migration_rate = 0.5;
	OE__AUTO(hub) oe_hub *hub = world_hub(settings);

	(void)world_place(hub, "a", 0, 1, 0);
	(void)world_place(hub, "d", 0, 4, 99);
	(void)world_place(hub, "b", 0, 2, 40);
	(void)world_place(hub, "c", 0, 3, 60);
	(void)world_place(hub, "z", 2, 9, 70);
	/* two of the first island go to both neighbours; the lone one of the third, too, but the
	   copies do not travel on */
	ck_assert_int_eq(oe__hub_migrate(hub), 6);
	ck_assert_uint_eq(hub->islands[0].count, 4);
	ck_assert_uint_eq(hub->islands[2].count, 1);
	for (struct oe__member *member = hub->oldest; member; member = member->newer) {
		if (!member->program->migrant)
			continue;
		const struct oe__member *original = oe__hub_find(hub, member->program->parent_id);
		ck_assert_ptr_nonnull(original);
		ck_assert_ptr_eq(original->program->source, member->program->source);
		ck_assert_ptr_eq(original->program->evaluation, member->program->evaluation);
		ck_assert(member->island % 2 == 1);
	}
	ck_assert_int_eq(oe__hub_migrate(hub), 0); /* everybody is there already */
}
END_TEST

START_TEST(test_two_islands_get_one_copy)
{
	OE__AUTO(hub) oe_hub *hub = world_hub(world_settings());

	(void)world_place(hub, "a", 0, 1, 0);
	ck_assert_int_eq(oe__hub_migrate(hub), 1);
	ck_assert_uint_eq(hub->islands[1].count, 1);
	ck_assert_ptr_eq(oe__hub_find_hash(hub, hub->oldest->program->source->hash), hub->oldest);
	oe__hub_remove(hub, hub->oldest);
	ck_assert_ptr_eq(oe__hub_find_hash(hub, hub->oldest->program->source->hash), hub->oldest);
}
END_TEST

/* A copy that was there when the migration began may be gone when its original's turn comes. */
START_TEST(test_copy_that_had_to_leave_comes_again)
{
	struct oe__hub_settings settings = world_settings();
	settings.migration_rate = 1;
	OE__AUTO(hub) oe_hub *hub = world_hub(settings);

	(void)world_place(hub, "early", 0, 1, 0);
	ck_assert_int_eq(oe__hub_migrate(hub), 1); /* to the middle of the other island */
	(void)world_place(hub, "late", 0, 2, 10);
	(void)world_place(hub, "far", 0, 0.5, 20); /* now 10 is the middle */
	ck_assert_int_eq(oe__hub_migrate(hub), 3);
	ck_assert_uint_eq(hub->islands[1].count, 3);
	for (struct oe__member *member = hub->oldest; member; member = member->newer)
		ck_assert(oe__hub_island_has(hub, 1, member->program->source));
}
END_TEST

static void record_copy(void *owner, oe_program *copy)
{
	char *names = owner;
	size_t length = strlen(names);

	snprintf(names + length, 100 - length, "%s ", copy->parent_id);
}

/* Whoever has to leave because of the copies that came before his turn is copied all the same. */
START_TEST(test_evicted_original_travels)
{
	struct oe__hub_settings settings = world_settings();
	char copied[100] = "";

	settings.migration_rate = 1;
	settings.population_size = 6;
	OE__AUTO(hub) oe_hub *hub = world_hub(settings);
	(void)world_place(hub, "first", 0, 9, 0);
	(void)world_place(hub, "second", 0, 3, 99);
	(void)world_place(hub, "fourth", 0, 1, 60);
	(void)world_place(hub, "third", 0, 2, 30);
	(void)world_place(hub, "other", 1, 8, 40);
	(void)world_place(hub, "another", 1, 7, 70);
	oe__hub_on_migrant(hub, record_copy, copied);
	/* The first two make the last two leave, last first; the copy of each of these makes the one
	   before it leave. */
	ck_assert_int_eq(oe__hub_migrate(hub), 6);
	ck_assert_str_eq(copied, "first second third fourth other another ");
	ck_assert_ptr_null(oe__hub_find(hub, "third"));
	ck_assert_ptr_null(oe__hub_find(hub, "fourth"));
	ck_assert_ptr_null(oe__hub_check(hub));
}
END_TEST

START_TEST(test_migration_when_due)
{
	struct oe__hub_settings settings = world_settings();
	settings.migration_interval = 3;
	OE__AUTO(hub) oe_hub *hub = world_hub(settings);
	int migrations = 0;

	world_seed(hub, "initial", 1, 0);
	for (int i = 1; i <= 12; i++) {
		char code[20];

		snprintf(code, sizeof(code), "child %d", i);
		oe_commit commit = world_commit(hub, code, i, i);
		migrations += commit.migrated > 0;
		if (commit.migrated > 0)
			ck_assert_int_eq(hub->last_migration, hub->generation_max);
	}
	ck_assert_int_eq(hub->generation_max, 6);
	ck_assert_int_eq(migrations, 2);
}
END_TEST

START_TEST(test_one_island_never_migrates)
{
	struct oe__hub_settings settings = world_settings();
	settings.island_count = 1;
	settings.migration_interval = 1;
	OE__AUTO(hub) oe_hub *hub = world_hub(settings);

	world_seed(hub, "initial", 1, 0);
	oe_commit commit = world_commit(hub, "child", 2, 1);
	ck_assert_int_eq(commit.migrated, 0);
	ck_assert_int_eq(hub->last_migration, 0);
}
END_TEST

TEST_MAIN("place", test_cells, test_displaced_best, test_archive_keeps_the_fittest,
          test_eviction_spares_bests_and_newcomers, test_more_bests_than_places, test_worst_fitness,
          test_everybody_can_leave, test_ring, test_two_islands_get_one_copy,
          test_copy_that_had_to_leave_comes_again, test_evicted_original_travels,
          test_migration_when_due,
          test_one_island_never_migrates)
