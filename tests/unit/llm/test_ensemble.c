/* Ensembles: shares as the weights say, one member per seed, and nothing lost on the way. */

#include <math.h>

#include "llm/ensemble.h"
#include "tests/unit/llm/scripted.h"

#define MEMBERS_MAX 8

static const struct scripted_step good = { 0, -1, -1, "answer", false, false };
static struct scripted members[MEMBERS_MAX];
static oe_llm *handles[MEMBERS_MAX];

static oe_llm *ensemble_of(const double *weights, size_t first, size_t count)
{
	oe_llm *ensemble = NULL;

	ck_assert_int_eq(oe_llm_ensemble_new(&ensemble), 0);
	for (size_t i = first; i < first + count; i++) {
		handles[i] = scripted_llm(&members[i], &good, 1);
		ck_assert_int_eq(oe_llm_ensemble_add(ensemble, handles[i], weights[i - first]), 0);
		oe_llm_unref(handles[i]);
	}
	return ensemble;
}

/* Frequencies within five standard deviations of what the weights say. */
static void check_frequencies(const double *shares, size_t count, size_t draws)
{
	for (size_t i = 0; i < count; i++) {
		double wanted = shares[i] * (double)draws;
		double deviation = sqrt(wanted * (1 - shares[i]));
		double got = (double)members[i].script.asked;
		ck_assert_msg(fabs(got - wanted) <= 5 * deviation, "member %zu: %g of %zu, expected %g", i,
					  got, draws, wanted);
	}
}

START_TEST(test_frequencies)
{
	static const struct {
		double weights[MEMBERS_MAX];
		size_t count;
	} cases[] = {
		{ { 1 }, 1 },
		{ { 1, 1 }, 2 },
		{ { 0.8, 0.2 }, 2 },
		{ { 3, 1, 0 }, 3 },
		{ { 0, 3, 0, 1 }, 4 },
		{ { 1e-300, 2e-300 }, 2 },
		{ { 1e307, 1e307, 2e307 }, 3 },
		{ { 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0 }, 8 },
	};

	for (size_t c = 0; c < OE__COUNT(cases); c++) {
		OE__AUTO(llm) oe_llm *llm = ensemble_of(cases[c].weights, 0, cases[c].count);
		struct questions all;
		double shares[MEMBERS_MAX], sum = 0;

		for (size_t i = 0; i < cases[c].count; i++) {
			ck_assert_ptr_eq(oe__ensemble_member(llm, i, &shares[i]), handles[i]);
			sum += shares[i];
		}
		ck_assert_double_eq_tol(sum, 1, 1e-12);
		questions_ask(&all, llm, 4000, "question"); /* seeds 0 to 3999 */
		questions_wait(&all);
		ck_assert_uint_eq(questions_answered(&all), 4000);
		ck_assert_int_eq(questions_requests(&all), 4000);
		questions_done(&all);
		check_frequencies(shares, cases[c].count, 4000);
	}
}
END_TEST

static size_t asked_with(oe_llm *llm, uint64_t seed, size_t count)
{
	OE__AUTO(completion) oe_completion *completion = NULL;
	size_t before[MEMBERS_MAX], found = MEMBERS_MAX;

	for (size_t i = 0; i < count; i++)
		before[i] = members[i].script.asked;
	ck_assert_int_eq(oe_llm_ask(llm, "", "question", seed, &completion, NULL), 0);
	for (size_t i = 0; i < count; i++)
		if (members[i].script.asked > before[i])
			found = i;
	ck_assert_uint_lt(found, count);
	return found;
}

/* The choice is the seed's, whatever was asked before. */
START_TEST(test_choice_is_the_seeds)
{
	static const double weights[] = { 1, 2, 3 };
	OE__AUTO(llm) oe_llm *llm = ensemble_of(weights, 0, 3);
	size_t drawn[50];

	for (uint64_t seed = 0; seed < 50; seed++)
		drawn[seed] = asked_with(llm, seed, 3);
	for (uint64_t seed = 50; seed-- > 0;)
		ck_assert_uint_eq(asked_with(llm, seed, 3), drawn[seed]);
}
END_TEST

/* An ensemble in an ensemble: the shares multiply, as the draws have nothing to do with each other. */
START_TEST(test_nested)
{
	static const double outer_weights[] = { 1 }, inner_weights[] = { 1, 3 };
	static const double shares[] = { 0.5, 0.125, 0.375 };
	OE__AUTO(llm) oe_llm *outer = ensemble_of(outer_weights, 0, 1);
	OE__AUTO(llm) oe_llm *inner = ensemble_of(inner_weights, 1, 2);
	struct questions all;

	ck_assert_int_eq(oe_llm_ensemble_add(outer, inner, 1), 0);
	questions_ask(&all, outer, 4000, "question");
	questions_wait(&all);
	questions_done(&all);
	check_frequencies(shares, 3, 4000);
}
END_TEST

static int never(void *self, const oe_llm_request *request, oe_completion *completion, oe_error *err)
{
	(void)self, (void)request, (void)completion, (void)err;
	return OE_ERR_LLM;
}

START_TEST(test_what_is_no_member)
{
	OE__AUTO(llm) oe_llm *ensemble = NULL, *member = scripted_llm(&members[0], &good, 1),
						 *namesake = NULL;
	oe_llm_vtable vtable = OE_LLM_VTABLE_INIT;
	int own = 0;
	double share = -1;

	/* Its name is somebody else's to choose. */
	vtable.name = "ensemble";
	vtable.start = never;
	ck_assert_int_eq(oe_llm_new(&vtable, &own, &namesake, NULL), 0);
	ck_assert_int_eq(oe_llm_ensemble_add(namesake, member, 1), OE_ERR_INVALID);
	ck_assert_ptr_eq(oe__ensemble_member(namesake, 0, &share), namesake);
	ck_assert_double_eq(share, 1);
	ck_assert_ptr_null(oe__ensemble_member(namesake, 1, &share));

	ck_assert_int_eq(oe_llm_ensemble_new(&ensemble), 0);
	ck_assert_int_eq(oe_llm_ensemble_add(ensemble, NULL, 1), OE_ERR_INVALID);
	ck_assert_int_eq(oe_llm_ensemble_add(NULL, member, 1), OE_ERR_INVALID);
	ck_assert_int_eq(oe_llm_ensemble_add(member, ensemble, 1), OE_ERR_INVALID);
	ck_assert_int_eq(oe_llm_ensemble_add(ensemble, ensemble, 1), OE_ERR_INVALID);
	ck_assert_int_eq(oe_llm_ensemble_add(ensemble, member, -1), OE_ERR_INVALID);
	ck_assert_int_eq(oe_llm_ensemble_add(ensemble, member, (double)NAN), OE_ERR_INVALID);
	ck_assert_int_eq(oe_llm_ensemble_add(ensemble, member, (double)INFINITY), OE_ERR_INVALID);
	ck_assert_ptr_null(oe__ensemble_member(ensemble, 0, &share));
	ck_assert_int_eq(oe_llm_ensemble_add(ensemble, member, 1e308), 0);
	ck_assert_int_eq(oe_llm_ensemble_add(ensemble, member, 1e308), OE_ERR_INVALID);
	ck_assert_ptr_null(oe__ensemble_member(ensemble, 1, &share));
}
END_TEST

START_TEST(test_without_weight)
{
	static const double weights[] = { 0, 0 };
	OE__AUTO(llm) oe_llm *empty = ensemble_of(weights, 0, 0), *idle = ensemble_of(weights, 0, 2);
	double share = -1;

	ck_assert_int_eq(ask_one(empty, "question").status, OE_ERR_LLM);
	struct told told = ask_one(idle, "question");
	ck_assert_int_eq(told.status, OE_ERR_LLM);
	ck_assert_ptr_nonnull(strstr(told.error.message, "weight"));
	ck_assert_ptr_nonnull(oe__ensemble_member(idle, 1, &share));
	ck_assert_double_eq(share, 0);
}
END_TEST

/* What a member says of its failure is what the ensemble says of it. */
START_TEST(test_failure_passes)
{
	static const struct scripted_step steps[] = {
		{ OE_ERR_LLM, OE_LLM_FAILURE_ACCESS, 70, NULL, false, false },
		{ OE_ERR_IO, -1, -1, NULL, false, true },
	};
	static const double weights[] = { 1 };
	OE__AUTO(llm) oe_llm *llm = ensemble_of(weights, 0, 1);

	members[0].steps = steps;
	members[0].script.step_count = 2;
	struct told told = ask_one(llm, "question");
	ck_assert_int_eq(told.status, OE_ERR_LLM);
	ck_assert_int_eq(told.failure, OE_LLM_FAILURE_ACCESS);
	ck_assert_ptr_nonnull(strstr(told.error.message, "step failed"));
	ck_assert_int_eq(told.tokens_in, 3);
	told = ask_one(llm, "question");
	ck_assert_int_eq(told.status, OE_ERR_IO);
	ck_assert_int_eq(told.failure, OE_LLM_FAILURE_TRANSIENT);
	ck_assert_str_eq(told.error.message, "refused to start");
}
END_TEST

/* Cancelled before it began, and while a member holds it; the handle may be dropped by `done`. */
START_TEST(test_cancel)
{
	static const struct scripted_step held = { .held = true };
	static const double weights[] = { 1, 1 };
	OE__AUTO(llm) oe_llm *llm = ensemble_of(weights, 0, 2);
	struct questions all;

	members[0].steps = members[1].steps = &held;
	questions_ask(&all, llm, 50, "question");
	ck_assert_uint_eq(members[0].script.asked + members[1].script.asked, 50);
	for (size_t i = 0; i < 50; i++)
		oe__llm_cancel(&all.items[i].call);
	questions_wait(&all);
	for (size_t i = 0; i < 50; i++)
		ck_assert_int_eq(all.items[i].call.status, OE_ERR_CANCELLED);
	questions_done(&all);
	ck_assert_uint_eq(members[0].script.cancelled + members[1].script.cancelled, 50);
}
END_TEST

static void drop_all(struct oe__llm_call *call)
{
	ck_assert_int_eq(call->status, OE_ERR_CANCELLED);
	oe_llm_unref(call->llm);
	oe__llm_call_release(call);
	oe__free(call);
}

START_TEST(test_last_reference_in_done)
{
	static const struct scripted_step held = { .held = true };
	static const double weights[] = { 1 };
	oe_llm *llm = ensemble_of(weights, 0, 1);
	struct oe__llm_call *call = oe__calloc(1, sizeof(*call));

	members[0].steps = &held;
	call->request.system = call->request.user = "";
	call->done = drop_all;
	ck_assert_int_eq(oe__llm_prepare(llm, call), 0);
	oe__llm_submit(call);
	oe__llm_cancel(call); /* after this nothing of it is left */
	ck_assert(atomic_load(&members[0].script.freed));
}
END_TEST

TEST_MAIN("ensemble", test_frequencies, test_choice_is_the_seeds, test_nested, test_what_is_no_member,
		  test_without_weight, test_failure_passes, test_cancel, test_last_reference_in_done)
