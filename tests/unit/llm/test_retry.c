/* Retries: how often, how long in between, and that a cancellation finds them anywhere. */

#include "base/rng.h"
#include "scheduler/scheduler.h"
#include "tests/unit/llm/scripted.h"

#define TRANSIENT(after) { OE_ERR_LLM, OE_LLM_FAILURE_TRANSIENT, after, NULL, false, false }
#define GOOD             { 0, -1, -1, "answer", false, false }

static oe_scheduler *scheduler;
static struct scripted scripted;

static oe_llm *retry_of(oe_llm *inner, int32_t retries, int64_t delay_ms)
{
	oe_llm *retry = NULL;

	ck_assert_int_eq(oe_llm_retry_new(inner, scheduler, retries, delay_ms, &retry), 0);
	oe_llm_unref(inner);
	return retry;
}

static oe_llm *begin(const struct scripted_step *steps, size_t count, int32_t retries,
					 int64_t delay_ms)
{
	ck_assert_int_eq(oe_scheduler_new(1, &scheduler, NULL), 0);
	return retry_of(scripted_llm(&scripted, steps, count), retries, delay_ms);
}

static void end(oe_llm *llm)
{
	oe_llm_unref(llm);
	oe_scheduler_unref(scheduler);
	ck_assert(atomic_load(&scripted.script.freed));
}

/* Any script, any number of retries: asked until the first answer that is no transient failure, never
   more than retries + 1 times, and the last answer is the one that comes back, alone. */
START_TEST(test_any_script)
{
	static const struct scripted_step kinds[] = {
		TRANSIENT(0),
		{ OE_ERR_TIMEOUT, -1, -1, NULL, false, false }, /* transient without a word */
		{ OE_ERR_IO, -1, -1, NULL, false, false },
		{ OE_ERR_LLM, OE_LLM_FAILURE_REQUEST, -1, NULL, false, false },
		{ OE_ERR_LLM, OE_LLM_FAILURE_ACCESS, 0, NULL, false, false },
		{ OE_ERR_FORMAT, -1, -1, NULL, false, false }, /* hopeless without a word */
		{ OE_ERR_TIMEOUT, -1, -1, NULL, false, true },
		{ OE_ERR_LLM, -1, -1, NULL, false, true },
		GOOD,
	};
	static const bool transient[] = { true, true, true, false, false, false, true, false, false };
	struct oe__rng rng;

	oe__rng_init(&rng, 1, "test", 0, 0);
	for (int round = 0; round < 300; round++) {
		struct scripted_step steps[8];
		size_t last = 0, drawn[8];
		int32_t retries = (int32_t)oe__rng_below(&rng, 7);

		for (size_t i = 0; i < 8; i++) {
			/* Mostly what is asked again, or nothing would ever come to its end. */
			drawn[i] = oe__rng_below(&rng, 4) ? oe__rng_below(&rng, 3) : oe__rng_below(&rng, 9);
			steps[i] = kinds[drawn[i]];
		}
		while (last < (size_t)retries && transient[drawn[last]])
			last++;
		oe_llm *llm = begin(steps, 8, retries, 0);
		struct told told = ask_one(llm, "question");
		ck_assert_uint_eq(script_asked(&scripted.script), last + 1);
		ck_assert_int_eq(told.requests, (int32_t)last + 1);
		ck_assert_int_eq(told.status, steps[last].status);
		ck_assert_str_eq(told.text, steps[last].refuses ? ""
									: steps[last].text	? steps[last].text
														: "partial");
		if (told.status < 0)
			ck_assert_int_eq(told.failure, transient[drawn[last]] ? OE_LLM_FAILURE_TRANSIENT
										   : steps[last].failure < 0 ? OE_LLM_FAILURE_REQUEST
																	 : steps[last].failure);
		for (size_t i = 0; i <= last; i++) {
			ck_assert_int_eq(scripted.attempts[i], (int32_t)i);
			ck_assert_uint_eq(scripted.seeds[i], scripted.seeds[0]);
		}
		end(llm);
	}
}
END_TEST

static int64_t gap(size_t i)
{
	return scripted.asked_ms[i + 1] - scripted.asked_ms[i];
}

/* Without a word of the provider: pauses between half the delay and all of it, which doubles. */
START_TEST(test_pauses_grow)
{
	static const struct scripted_step steps[] = { TRANSIENT(-1) };
	oe_llm *llm = begin(steps, 1, 3, 20);
	struct told told = ask_one(llm, "question");

	ck_assert_int_eq(told.requests, 4);
	for (size_t i = 0; i < 3; i++)
		ck_assert_msg(gap(i) >= (10 << i), "pause %zu was %lld ms", i, (long long)gap(i));
	ck_assert_int_lt(gap(0), TEST_PATIENCE_MS);
	end(llm);
}
END_TEST

/* Never before it was allowed to, and not for the delay where the provider knows better. */
START_TEST(test_retry_after)
{
	static const struct scripted_step steps[] = { TRANSIENT(60), TRANSIENT(0), TRANSIENT(35), GOOD };
	static const int64_t told_ms[] = { 60, 0, 35 };
	oe_llm *llm = begin(steps, 4, 9, 30000);
	struct told told = ask_one(llm, "question");

	ck_assert_int_eq(told.status, 0);
	ck_assert_int_eq(told.requests, 4);
	for (size_t i = 0; i < 3; i++) {
		ck_assert_msg(gap(i) >= told_ms[i], "asked again after %lld ms", (long long)gap(i));
		ck_assert_msg(gap(i) < TEST_PATIENCE_MS, "only after %lld ms", (long long)gap(i));
	}
	end(llm);
}
END_TEST

/* Those that were told the same do not come back at the same instant. */
START_TEST(test_spread)
{
	static struct scripted_step steps[31];
	struct questions all;

	for (size_t i = 0; i < 31; i++)
		steps[i] = i < 30 ? (struct scripted_step)TRANSIENT(20) : (struct scripted_step)GOOD;
	oe_llm *llm = begin(steps, 31, 1, 200);
	questions_ask(&all, llm, 30, "question");
	questions_wait(&all);
	int64_t first = INT64_MAX, last = 0;
	for (size_t i = 30; i < 60; i++) {
		int64_t at = scripted.asked_ms[i];
		first = at < first ? at : first;
		last = at > last ? at : last;
	}
	ck_assert_int_ge(last - first, 100); /* of up to 200 */
	questions_done(&all);
	end(llm);
}
END_TEST

/* Composites nest: a retry of a retry multiplies, and every request is counted once. */
START_TEST(test_nested)
{
	static const struct scripted_step steps[] = { TRANSIENT(0) };
	oe_llm *llm = retry_of(begin(steps, 1, 2, 0), 1, 0);
	struct told told = ask_one(llm, "question");

	ck_assert_uint_eq(script_asked(&scripted.script), 6);
	ck_assert_int_eq(told.requests, 6);
	end(llm);
}
END_TEST

START_TEST(test_arguments)
{
	static const struct scripted_step steps[] = { GOOD };
	oe_llm *llm = begin(steps, 1, 0, 0), *out = llm;

	ck_assert_int_eq(oe_llm_retry_new(NULL, scheduler, 1, 1, &out), OE_ERR_INVALID);
	ck_assert_int_eq(oe_llm_retry_new(llm, NULL, 1, 1, &out), OE_ERR_INVALID);
	ck_assert_int_eq(oe_llm_retry_new(llm, scheduler, -1, 1, &out), OE_ERR_INVALID);
	ck_assert_int_eq(oe_llm_retry_new(llm, scheduler, 1, -1, &out), OE_ERR_INVALID);
	ck_assert_int_eq(oe_llm_retry_new(llm, scheduler, 1, 1, NULL), OE_ERR_INVALID);
	ck_assert_ptr_eq(out, llm);
	end(llm);
}
END_TEST

static void check_cancelled(struct questions *all)
{
	questions_wait(all);
	for (size_t i = 0; i < all->count; i++) {
		ck_assert_int_eq(all->items[i].call.status, OE_ERR_CANCELLED);
		ck_assert_int_eq(all->items[i].call.completion->error.status, OE_ERR_CANCELLED);
	}
	questions_done(all);
}

/* In a pause that would last a minute. */
START_TEST(test_cancel_pause)
{
	static const struct scripted_step steps[] = { TRANSIENT(60000) };
	int64_t began_ms = oe__clock_ms();
	struct questions all;

	oe_llm *llm = begin(steps, 1, 5, 0);
	questions_ask(&all, llm, 20, "question");
	for (size_t i = 0; i < 20; i++) {
		oe__llm_cancel(&all.items[i].call);
		oe__llm_cancel(&all.items[i].call); /* once more means nothing more */
	}
	check_cancelled(&all);
	ck_assert_uint_eq(script_asked(&scripted.script), 20);
	ck_assert_int_lt(oe__clock_ms() - began_ms, 50000);
	end(llm);
}
END_TEST

/* While the member works on it: it is told, may end the call at once, and is not asked again. */
START_TEST(test_cancel_member)
{
	static const struct scripted_step steps[] = { { .held = true } };
	struct questions all;

	oe_llm *llm = begin(steps, 1, 5, 0);
	questions_ask(&all, llm, 20, "question");
	script_wait_asked(&scripted.script, 20);
	for (size_t i = 0; i < 20; i++)
		oe__llm_cancel(&all.items[i].call);
	check_cancelled(&all);
	ck_assert_uint_eq(script_asked(&scripted.script), 20);
	ck_assert_uint_eq(scripted.script.cancelled, 20);
	end(llm);
}
END_TEST

static void *cancel_all(void *argument)
{
	struct questions *all = argument;

	for (size_t i = 0; i < all->count; i++)
		oe__llm_cancel(&all->items[i].call);
	return NULL;
}

/* At any moment, from two threads at once. */
START_TEST(test_cancel_anywhere)
{
	static const struct scripted_step steps[] = { TRANSIENT(1), TRANSIENT(0), TRANSIENT(2) };

	oe_llm *llm = begin(steps, 3, 1000000, 0);
	for (int round = 0; round < 40; round++) {
		struct questions all;
		pthread_t other;

		questions_ask(&all, llm, 30, "question");
		ck_assert_int_eq(pthread_create(&other, NULL, cancel_all, &all), 0);
		cancel_all(&all);
		pthread_join(other, NULL);
		check_cancelled(&all);
	}
	end(llm);
}
END_TEST

static void never_done(struct oe__llm_call *call)
{
	ck_abort_msg("call %p was abandoned", (void *)call);
}

/* Abandoned in a pause: the texts are gone, so nobody is asked with them. */
START_TEST(test_abandon)
{
	static const struct scripted_step steps[] = { { .held = true }, GOOD };
	static const struct scripted_step busy = TRANSIENT(50);
	struct oe__llm_call call = { .done = never_done };
	oe_llm *llm = begin(steps, 2, 3, 0);
	char *text = oe__strdup("a question of its own");

	call.request.system = "";
	call.request.user = text;
	call.request.user_size = strlen(text);
	ck_assert_int_eq(oe__llm_prepare(llm, &call), 0);
	oe__llm_submit(&call);
	scripted_finish(&busy, script_take(&scripted.script, NULL));
	ck_assert(oe__llm_abandon(&call));
	memset(text, 'x', strlen(text));
	oe__free(text);
	oe__llm_call_release(&call);
	oe_llm_unref(llm);
	script_wait_freed(&scripted.script);
	ck_assert_uint_eq(scripted.script.asked, 1);
	oe_scheduler_unref(scheduler);
}
END_TEST

TEST_MAIN("retry", test_any_script, test_pauses_grow, test_retry_after, test_spread, test_nested,
		  test_arguments, test_cancel_pause, test_cancel_member, test_cancel_anywhere, test_abandon)
