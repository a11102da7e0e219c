/* lib/store/charge.c: what requests may cost, and did. */

#include "store/charge.h"

#include "store/load.h"
#include "world.h"

static void put(struct oe__database *database, bool made, struct oe__charge_row charge)
{
	struct oe__row row = { .kind = OE__ROW_CHARGE, .number = 7, .message = "m", .time = 1 };

	charge.made = made;
	row.charge = charge;
	world_must(oe__charge_write(database, &row, NULL));
}

static struct oe__charges sum(struct oe__database *database)
{
	struct oe__charges charges;

	ck_assert_int_eq(oe__charges_sum(database, &charges, NULL), 1);
	return charges;
}

static void write_some(struct oe__database *database)
{
	put(database, true, (struct oe__charge_row){ true, 1, OE__CHARGE_RESERVED, 100, 1000 });
	put(database, true, (struct oe__charge_row){ true, 2, OE__CHARGE_RESERVED, 200, 2000 });
	put(database, true, (struct oe__charge_row){ true, 3, OE__CHARGE_RESERVED, 300, -1 });
	put(database, true, (struct oe__charge_row){ true, 4, OE__CHARGE_RESERVED, 400, 4000 });
}

START_TEST(test_sums)
{
	scratch_enter();
	OE__AUTO(database) struct oe__database *database = world_open("run.db");
	struct oe__charges charges;
	ck_assert_int_eq(oe__charges_sum(database, &charges, NULL), 0);
	ck_assert_int_eq(charges.count, 0);
	world_must(oe__charges_make(database, NULL));
	world_must(oe__charges_make(database, NULL)); /* again: nothing */
	charges = sum(database);
	ck_assert_int_eq(charges.count + charges.last_id + charges.tokens + charges.cost, 0);
	write_some(database);
	charges = sum(database);
	ck_assert_int_eq(charges.count, 4);
	ck_assert_int_eq(charges.last_id, 4);
	ck_assert_int_eq(charges.tokens, 1000);
	ck_assert_int_eq(charges.tokens_unsettled, 1000);
	ck_assert_int_eq(charges.cost, 7000);
	ck_assert_int_eq(charges.cost_unsettled, 7000);
	ck_assert_int_eq(charges.unpriced, 1);
	scratch_leave();
}
END_TEST

START_TEST(test_settling)
{
	scratch_enter();
	OE__AUTO(database) struct oe__database *database = world_open("run.db");
	world_must(oe__charges_make(database, NULL));
	write_some(database);
	put(database, false, (struct oe__charge_row){ false, 1, OE__CHARGE_SETTLED, 10, 100 });
	put(database, false, (struct oe__charge_row){ false, 2, OE__CHARGE_UNSETTLED, 200, 2000 });
	put(database, false, (struct oe__charge_row){ false, 3, OE__CHARGE_FREE, 0, -1 });
	struct oe__charges charges = sum(database);
	ck_assert_int_eq(charges.count, 4);
	ck_assert_int_eq(charges.tokens, 610);
	ck_assert_int_eq(charges.tokens_unsettled, 600);
	ck_assert_int_eq(charges.cost, 6100);
	ck_assert_int_eq(charges.unpriced, 0); /* what was not sent needs no price */
	/* A crash: what was open stays charged, and cannot be settled any more. */
	world_must(oe__charges_close(database, NULL));
	struct oe__charges after = sum(database);
	ck_assert_int_eq(after.tokens, charges.tokens);
	ck_assert_int_eq(after.tokens_unsettled, charges.tokens_unsettled);
	int64_t reserved = -1, unsettled = -1;
	world_must(oe__database_number(database, "SELECT count(*) FROM charge WHERE state = 'reserved'",
								   &reserved, NULL));
	world_must(oe__database_number(database, "SELECT count(*) FROM charge WHERE state = 'unsettled'",
								   &unsettled, NULL));
	ck_assert_int_eq(reserved, 0);
	ck_assert_int_eq(unsettled, 2);
	scratch_leave();
}
END_TEST

/* Numbers are given once: that of another charge is refused, and changes nothing. */
START_TEST(test_twice)
{
	scratch_enter();
	OE__AUTO(database) struct oe__database *database = world_open("run.db");
	world_must(oe__charges_make(database, NULL));
	write_some(database);
	struct oe__row row = { .kind = OE__ROW_CHARGE, .message = "m" };
	row.charge = (struct oe__charge_row){ .made = true, .id = 4, .tokens = 1, .cost = 1 };
	ck_assert_int_lt(oe__charge_write(database, &row, NULL), 0);
	ck_assert_int_eq(sum(database).tokens, 1000);
	scratch_leave();
}
END_TEST

TEST_MAIN("charge", test_sums, test_settling, test_twice)
