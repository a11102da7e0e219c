/* lib/controller/purse.c: who may be asked, in which order, and what it comes to. */

#include "controller/purse.h"

#include <semaphore.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "llm/completion.h"
#include "nomem.h"
#include "scratch.h"

#define ALLOWANCE 512 /* of purse.c */
#define OUTPUT    100

struct asked {
	struct oe__fare fare;
	sem_t gone;
	int status; /* once it has gone */
};

static oe_scheduler *scheduler;
static struct oe__inbox inbox;

static void go(struct oe__fare *fare, int status)
{
	struct asked *asked = OE__CONTAINER(fare, struct asked, fare);

	asked->status = status;
	sem_post(&asked->gone);
}

static struct oe__purse *make(int64_t tokens, bool in_order, struct oe__prices *prices)
{
	struct oe__purse *purse = NULL;
	struct oe__purse_options options = { .scheduler = scheduler,
		                                 .inbox = &inbox,
		                                 .in_order = in_order,
		                                 .prices = prices,
		                                 .tokens_max = tokens,
		                                 .cost_max = INT64_MAX };

	ck_assert_int_eq(oe__purse_new(&options, &purse), 0);
	return purse;
}

/* Of that many tokens at most. */
static void ask_for(struct oe__purse *purse, struct asked *asked, const char *model, int64_t number,
                    int64_t tokens)
{
	struct oe__meter *meter = oe__purse_meter(purse);

	*asked = (struct asked){ .fare = { .model = model,
		                               .bytes = tokens - ALLOWANCE - OUTPUT,
		                               .output_max = OUTPUT,
		                               .number = number,
		                               .go = go },
		                     .status = 1 };
	sem_init(&asked->gone, 0, 0);
	meter->reserve(meter, &asked->fare);
}

static void ask(struct oe__purse *purse, struct asked *asked, int64_t number, int64_t tokens)
{
	ask_for(purse, asked, "m", number, tokens);
}

static int wait_for(struct asked *asked)
{
	while (sem_wait(&asked->gone) != 0)
		continue;
	return asked->status;
}

static bool is_waiting(struct asked *asked)
{
	int value = 0;

	sem_getvalue(&asked->gone, &value);
	return value == 0;
}

/* Negative: nobody says. */
static void answer(struct oe__purse *purse, struct asked *asked, int64_t tokens)
{
	struct oe__meter *meter = oe__purse_meter(purse);
	oe_completion completion = { .requests = 1, .tokens_in = tokens, .tokens_out = tokens < 0 ? -1 : 0 };

	meter->settle(meter, &asked->fare, &completion);
}

static int64_t spent(struct oe__purse *purse)
{
	struct oe__charges charges;

	oe__purse_look(purse, &charges);
	return charges.tokens;
}

static void begin(void)
{
	ck_assert_int_eq(oe_scheduler_new(2, &scheduler, NULL), 0);
	ck_assert_int_eq(oe__inbox_init(&inbox, NULL), 0);
}

static void end(void)
{
	oe_scheduler_unref(scheduler);
	oe__inbox_done(&inbox);
}

/* What is reserved counts until it is known; what nobody tells counts as it was reserved. */
START_TEST(test_settling)
{
	struct asked one, two, three;
	struct oe__charges charges;

	begin();
	struct oe__purse *purse = make(10000, false, NULL);
	ask(purse, &one, 1, 1000);
	ask(purse, &two, 2, 2000);
	ask(purse, &three, 3, 3000);
	ck_assert_int_eq(wait_for(&one) | wait_for(&two) | wait_for(&three), 0);
	ck_assert_int_eq(spent(purse), 6000);
	answer(purse, &one, 10);
	answer(purse, &two, -1);
	struct oe__meter *meter = oe__purse_meter(purse);
	oe_completion refused = { .requests = 1, .status = OE_ERR_LLM, .declined = true };
	meter->settle(meter, &three.fare, &refused);
	oe__purse_look(purse, &charges);
	ck_assert_int_eq(charges.tokens, 2010);
	ck_assert_int_eq(charges.tokens_unsettled, 2000);
	ck_assert_int_eq(charges.count, 3);
	ck_assert_int_eq(charges.unpriced, 2); /* there are no prices */
	ck_assert(!oe__purse_is_empty(purse, NULL));
	oe__purse_close(purse);
	end();
}
END_TEST

/* It costs what the question was expected to: what a provider calls his model counts where nobody said
   what the one that was asked costs. */
START_TEST(test_prices)
{
	static const char text[] = "m: {input: 1, output: 1}\nm-*: {input: 30, output: 30}\n";
	const struct {
		const char *asked;
		char *model;
		int64_t cost;
	} answers[] = { { "m", "m-2024", 10000 }, { "router", "m-2024", 300000 }, { "m-3", NULL, 300000 } };
	struct oe__prices *prices = NULL;
	struct oe__charges charges;

	begin();
	scratch_enter();
	scratch_write("prices.yaml", text, strlen(text));
	for (size_t i = 0; i < OE__COUNT(answers); i++) {
		struct asked one;
		ck_assert_int_eq(oe__prices_load(scratch("prices.yaml"), &prices, NULL), 0);
		struct oe__purse *purse = make(10000, false, prices);
		struct oe__meter *meter = oe__purse_meter(purse);
		ask_for(purse, &one, answers[i].asked, 1, 1000);
		ck_assert_int_eq(wait_for(&one), 0);
		oe_completion completion = { .requests = 1, .tokens_in = 10, .model = answers[i].model };
		meter->settle(meter, &one.fare, &completion);
		oe__purse_look(purse, &charges);
		ck_assert_int_eq(charges.cost, answers[i].cost);
		ck_assert_int_eq(charges.unpriced, 0);
		oe__purse_close(purse);
	}
	scratch_leave();
	end();
}
END_TEST

/* One that does not fit waits as long as others may turn out to be cheaper. */
START_TEST(test_waiting)
{
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(1024);
	struct asked one, two, judge, four;

	begin();
	struct oe__purse *purse = make(3000, false, NULL);
	ask(purse, &one, 1, 2000);
	ask(purse, &two, 2, 1500);
	ask(purse, &judge, 0, 1400);
	ck_assert_int_eq(wait_for(&one), 0);
	ck_assert(is_waiting(&two) && is_waiting(&judge));
	answer(purse, &one, 500);
	ck_assert_int_eq(wait_for(&judge), 0); /* first, though it came later */
	ck_assert(is_waiting(&two));
	ck_assert_int_eq(spent(purse), 1900);
	answer(purse, &judge, 1400);
	/* 1900 of 3000, and nothing is left to wait for. */
	ck_assert_int_eq(wait_for(&two), OE_ERR_LIMIT);
	ck_assert(oe__purse_is_empty(purse, &text));
	ck_assert_str_eq(oe__buffer_string(&text), "budget.tokens: 1900 of 3000 are used, and the next "
											   "question may take 1500");
	ask(purse, &four, 4, 1100); /* that it is over is for the run to say */
	ck_assert_int_eq(wait_for(&four), 0);
	answer(purse, &four, 0);
	answer(purse, &two, 0); /* it was turned away: nothing to settle */
	ck_assert_int_eq(spent(purse), 1900);
	oe__purse_close(purse);
	end();
}
END_TEST

/* By number, whoever comes first: so what is paid for does not depend on it. */
START_TEST(test_in_order)
{
	struct oe__purse_turn turns[5] = { { 0 } };
	struct asked asked[5];

	begin();
	struct oe__purse *purse = make(4000, true, NULL);
	for (int i = 1; i < 5; i++)
		oe__purse_await(purse, &turns[i], i);
	ask(purse, &asked[3], 3, 1000);
	ask(purse, &asked[2], 2, 1000);
	ck_assert_int_eq(spent(purse), 0);
	ck_assert(is_waiting(&asked[2]) && is_waiting(&asked[3]));
	ask(purse, &asked[1], 1, 1000);
	for (int i = 1; i < 4; i++)
		ck_assert_int_eq(wait_for(&asked[i]), 0);
	ck_assert_int_eq(spent(purse), 3000);
	/* Another attempt at 1 goes before 4, but 4 need not be waited for when it is not asked. */
	ask(purse, &asked[0], 5, 1000);
	ck_assert(is_waiting(&asked[0]));
	oe__purse_pass(purse, &turns[4]);
	oe__purse_pass(purse, &turns[4]); /* again: nothing */
	ck_assert_int_eq(wait_for(&asked[0]), 0);
	ck_assert_int_eq(spent(purse), 4000);
	for (int i = 0; i < 4; i++)
		answer(purse, &asked[i], 1000);
	oe__purse_close(purse);
	end();
}
END_TEST

/* One that cannot fit is turned away only when all before it have come, and are settled. */
START_TEST(test_the_last_one)
{
	struct oe__purse_turn first = { 0 };
	struct asked one, two;

	begin();
	struct oe__purse *purse = make(3000, true, NULL);
	oe__purse_await(purse, &first, 1);
	ask(purse, &two, 2, 3000);
	ck_assert(is_waiting(&two));
	ask(purse, &one, 1, 1000);
	ck_assert_int_eq(wait_for(&one), 0);
	ck_assert(is_waiting(&two) && !oe__purse_is_empty(purse, NULL));
	answer(purse, &one, 0); /* which leaves enough */
	ck_assert_int_eq(wait_for(&two), 0);
	answer(purse, &two, 3000);
	oe__purse_close(purse);
	end();
}
END_TEST

START_TEST(test_recall_and_close)
{
	oe_completion wanted = { .requests = 0 };
	struct oe__purse_turn turn = { 0 };
	struct asked one, two, three;

	begin();
	struct oe__purse *purse = make(1000, true, NULL);
	struct oe__meter *meter = oe__meter_ref(oe__purse_meter(purse));
	ask(purse, &one, 1, 1000);
	ck_assert_int_eq(wait_for(&one), 0);
	ask(purse, &two, 2, 1000);
	two.fare.completion = &wanted;
	meter->recall(meter, &wanted);
	ck_assert_int_eq(wait_for(&two), OE_ERR_CANCELLED);
	meter->recall(meter, &wanted); /* again: nothing */
	oe__purse_await(purse, &turn, 3);
	ask(purse, &three, 4, 1000);
	oe__purse_close(purse);
	ck_assert_int_eq(wait_for(&three), OE_ERR_CANCELLED);
	ck_assert(!turn.awaited);
	/* An answer that outlives the run. */
	meter->settle(meter, &one.fare, &(oe_completion){ .requests = 1, .tokens_in = -1, .tokens_out = -1 });
	ask(purse, &two, 5, 10);
	ck_assert_int_eq(wait_for(&two), OE_ERR_CANCELLED);
	oe__meter_unref(meter);
	end();
}
END_TEST

/* ---- without memory ---- */

/* A question without memory to charge it is not sent. */
static int reserve_and_settle(void)
{
	struct oe__purse *purse = NULL;
	struct oe__purse_options options = { .scheduler = scheduler,
		                                 .inbox = &inbox,
		                                 .tokens_max = 5000,
		                                 .cost_max = INT64_MAX };
	struct asked asked;

	if (oe__purse_new(&options, &purse) < 0)
		return OE_ERR_NOMEM;
	ask(purse, &asked, 1, 1000);
	int status = wait_for(&asked);
	answer(purse, &asked, 10);
	ck_assert_int_eq(spent(purse), status == 0 ? 10 : 0);
	oe__purse_close(purse);
	return status;
}

static int load_prices(void)
{
	OE__AUTO(prices) struct oe__prices *prices = NULL;

	return oe__prices_load(scratch("prices.yaml"), &prices, NULL);
}

START_TEST(test_nomem)
{
	static const char text[] = "gpt*: {input: 1, output: 1}\nother: {input: 2.5, output: 10}\n";

	begin();
	scratch_enter();
	ck_assert_int_eq(oe__file_write(scratch("prices.yaml"), text, strlen(text), NULL), 0);
	nomem_each("a question", reserve_and_settle);
	nomem_each("prices", load_prices);
	scratch_leave();
	end();
}
END_TEST

NOMEM_MAIN("purse", test_settling, test_prices, test_waiting, test_in_order, test_the_last_one,
           test_recall_and_close, test_nomem)
