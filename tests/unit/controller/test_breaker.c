/* lib/controller/breaker.c: waiting for a provider that is down. */

#include "base/auto.h"
#include "base/rng.h"
#include "controller/breaker.h"
#include "test.h"

#define S (1 * (int64_t)1000000000)

static struct oe__breaker breaker;

START_TEST(test_closed)
{
	oe__breaker_init(&breaker, 300 * S);
	ck_assert(oe__breaker_admit(&breaker, 0));
	ck_assert(!oe__breaker_gives_up(&breaker, INT64_MAX));
	ck_assert_int_eq(oe__breaker_end(&breaker), INT64_MAX);
	ck_assert_int_eq(oe__breaker_delay(&breaker, 5), 5);
	ck_assert(!oe__breaker_success(&breaker));
	/* Asked before another one was answered: it is this question that fails. */
	ck_assert(!oe__breaker_failure(&breaker, 0, 0, S));
	ck_assert(oe__breaker_admit(&breaker, S));
}
END_TEST

/* Probes one at a time, after 1, 2, 4, 8, 16, 30, 30, ... seconds. */
START_TEST(test_probes)
{
	static const int64_t waits[] = { 1, 2, 4, 8, 16, 30, 30, 30 };
	int64_t now = 100 * S;

	oe__breaker_init(&breaker, 300 * S);
	ck_assert(oe__breaker_failure(&breaker, 0, now - S, now));
	for (size_t i = 0; i < OE__COUNT(waits); i++) {
		ck_assert_int_eq(oe__breaker_delay(&breaker, 0), now + waits[i] * S);
		ck_assert_int_eq(oe__breaker_delay(&breaker, now + 100 * S), now + 100 * S);
		ck_assert(!oe__breaker_admit(&breaker, now + waits[i] * S - 1));
		now += waits[i] * S;
		ck_assert(oe__breaker_admit(&breaker, now));
		ck_assert(!oe__breaker_admit(&breaker, now + 1000 * S)); /* one is out */
		ck_assert_int_eq(oe__breaker_delay(&breaker, 0), INT64_MAX);
		ck_assert(oe__breaker_failure(&breaker, 0, now, now));
	}
	ck_assert(oe__breaker_success(&breaker)); /* some answer at last */
	ck_assert(oe__breaker_admit(&breaker, now));
	/* The next time it begins with short waits again. */
	ck_assert(oe__breaker_failure(&breaker, 1, now, now));
	ck_assert_int_eq(oe__breaker_delay(&breaker, 0), now + S);
}
END_TEST

/* Questions that were out when it opened fail one after the other: they say nothing new, neither
   while it waits nor while a probe is out. */
START_TEST(test_stragglers)
{
	oe__breaker_init(&breaker, 300 * S);
	ck_assert(oe__breaker_failure(&breaker, 0, 5 * S, 10 * S));
	for (int i = 0; i < 50; i++)
		ck_assert(oe__breaker_failure(&breaker, 0, 6 * S, 10 * S + i));
	ck_assert_int_eq(oe__breaker_delay(&breaker, 0), 11 * S);
	ck_assert(oe__breaker_admit(&breaker, 11 * S));
	for (int i = 0; i < 50; i++)
		ck_assert(oe__breaker_failure(&breaker, 0, 9 * S, 12 * S));
	ck_assert(!oe__breaker_admit(&breaker, 200 * S)); /* the probe is out still */
	ck_assert(oe__breaker_failure(&breaker, 0, 11 * S, 20 * S));
	ck_assert_int_eq(oe__breaker_delay(&breaker, 0), 22 * S);
}
END_TEST

/* A probe that is withdrawn leaves its place to the next one, at once. */
START_TEST(test_withdrawn)
{
	oe__breaker_init(&breaker, 300 * S);
	oe__breaker_withdraw(&breaker);
	ck_assert_int_eq(breaker.state, OE__BREAKER_CLOSED);
	ck_assert(oe__breaker_failure(&breaker, 0, 0, 10 * S));
	oe__breaker_withdraw(&breaker);
	ck_assert(!oe__breaker_admit(&breaker, 10 * S));
	ck_assert(oe__breaker_admit(&breaker, 11 * S));
	oe__breaker_withdraw(&breaker);
	ck_assert(oe__breaker_admit(&breaker, 11 * S));
}
END_TEST

START_TEST(test_gives_up)
{
	oe__breaker_init(&breaker, 300 * S);
	ck_assert(oe__breaker_failure(&breaker, 0, 0, 10 * S));
	ck_assert_int_eq(oe__breaker_end(&breaker), 310 * S);
	ck_assert(!oe__breaker_gives_up(&breaker, 310 * S - 1));
	ck_assert(oe__breaker_gives_up(&breaker, 310 * S));
	/* Probes in between do not put it off. */
	ck_assert(oe__breaker_admit(&breaker, 20 * S));
	ck_assert(oe__breaker_failure(&breaker, 0, 20 * S, 30 * S));
	ck_assert(oe__breaker_gives_up(&breaker, 310 * S));
	ck_assert(oe__breaker_success(&breaker));
	ck_assert(!oe__breaker_gives_up(&breaker, 310 * S));
	/* The first failure is enough where nobody wants to wait. */
	oe__breaker_init(&breaker, 0);
	ck_assert(oe__breaker_failure(&breaker, 0, 0, 10 * S));
	ck_assert(oe__breaker_gives_up(&breaker, 10 * S));
}
END_TEST

/* Any order of events: while it is down never two probes at a time, never before their time, and
   waits that only grow until an answer comes. */
START_TEST(test_random)
{
	struct oe__rng rng;

	oe__rng_init(&rng, 1, "test", 0, 0);
	for (int round = 0; round < 500; round++) {
		int64_t now = S, opened = 0, last_wait = 0, asked_at = 0, probe_asked = 0;
		bool probing = false;

		oe__breaker_init(&breaker, 300 * S);
		for (int step = 0; step < 200; step++) {
			now += (int64_t)oe__rng_below(&rng, (uint64_t)(2 * S));
			switch (oe__rng_below(&rng, 8)) {
			case 0: /* an answer, to a straggler or to the probe */
				ck_assert(oe__breaker_success(&breaker) == (opened > 0));
				asked_at = breaker.successes;
				opened = last_wait = 0;
				probing = false;
				break;
			case 1: /* the probe fails */
				if (!probing)
					break;
				ck_assert(oe__breaker_failure(&breaker, asked_at, probe_asked, now));
				probing = false;
				ck_assert_int_ge(breaker.probe_ns - now, last_wait);
				last_wait = breaker.probe_ns - now;
				break;
			case 2: /* one that was asked before fails */
				ck_assert(oe__breaker_failure(&breaker, asked_at, opened > 0 ? opened - 1 : now, now));
				opened = opened > 0 ? opened : now;
				break;
			default: {
				bool due = opened == 0 || (!probing && now >= breaker.probe_ns);
				ck_assert(oe__breaker_admit(&breaker, now) == due);
				if (opened > 0 && due) {
					probing = true;
					probe_asked = now;
				}
			}
			}
		}
	}
}
END_TEST

TEST_MAIN("breaker", test_closed, test_probes, test_stragglers, test_withdrawn, test_gives_up,
		  test_random)
