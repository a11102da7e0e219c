/* Which backends a configuration makes. */

#include "base/buffer.h"
#include "llm/ensemble.h"
#include "scheduler/scheduler.h"
#include "tests/scratch.h"
#include "tests/unit/llm/questions.h"

static oe_scheduler *scheduler;

static int make(const char *text, int judges, oe_llm **out, oe_error *err)
{
	oe_config *config = NULL;

	if (!scheduler)
		ck_assert_int_eq(oe_scheduler_new(1, &scheduler, NULL), 0);
	ck_assert_int_eq(oe_config_new(&config), 0);
	ck_assert_msg(oe_config_load_text(config, text, strlen(text), "test", err) == 0, "%s",
				  err->message);
	int status = oe_llm_from_config(config, scheduler, judges, out, err);
	oe_config_free(config); /* nothing of it is needed any more */
	return status;
}

static void check_shares(const char *text, int judges, const double *shares, size_t count)
{
	OE__AUTO(llm) oe_llm *llm = NULL;
	oe_error err = { 0 };
	double share;

	ck_assert_msg(make(text, judges, &llm, &err) == 0, "%s: %s", text, err.message);
	for (size_t i = 0; i < count; i++) {
		ck_assert_ptr_nonnull(oe__ensemble_member(llm, i, &share));
		ck_assert_double_eq_tol(share, shares[i], 1e-12);
	}
	ck_assert_ptr_null(oe__ensemble_member(llm, count, &share));
}

#define MODELS                                                                                     \
	"llm:\n  api_base: http://127.0.0.1:1/v1\n  models:\n    - {name: a, weight: 3}\n    - {name: "  \
	"b, weight: 1}\n"

START_TEST(test_members)
{
	static const double one[] = { 1 }, four[] = { 0.75, 0.25 }, zero[] = { 1, 0 };

	check_shares("llm: {backend: mutate}", 0, one, 1);
	check_shares("llm: {backend: command, command: [cat]}", 0, one, 1);
	check_shares("llm: {api_base: 'http://h/v1', models: [{name: a, weight: 7}]}", 0, one, 1);
	check_shares(MODELS, 0, four, 2);
	check_shares(MODELS, 1, four, 2); /* judges are the same, unless they are named */
	check_shares(MODELS "  evaluator_models: [{name: j}]\n", 1, one, 1);
	check_shares(MODELS "  evaluator_models: [{name: j}]\n", 0, four, 2);
	check_shares("llm: {api_base: 'http://h/v1', models: [{name: a}, {name: b, weight: 0}]}", 0,
				 zero, 2);
	check_shares("llm: {api_base: 'http://h/v1', models: [{name: a, backend: mutate, weight: 1}, "
				 "{name: b, backend: anthropic, weight: 3}]}",
				 0, (const double[]){ 0.25, 0.75 }, 2);
}
END_TEST

START_TEST(test_refused)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
		{ "llm: {api_base: 'http://h/v1', models: [{name: a, weight: 0}]}", "weight" },
		{ "llm: {api_base: 'http://h/v1', models: [{name: a, weight: 1e308}, {name: b, weight: "
		  "1e308}]}",
		  "weight" },
		{ "llm: {backend: command}", "command" },
	};

	for (size_t i = 0; i < OE__COUNT(cases); i++) {
		oe_llm *llm = NULL;
		oe_error err = { 0 };
		ck_assert_int_eq(make(cases[i].text, 0, &llm, &err), OE_ERR_CONFIG);
		ck_assert_msg(strstr(err.message, cases[i].says), "%s: %s", cases[i].text, err.message);
		ck_assert_ptr_null(llm);
	}
}
END_TEST

START_TEST(test_arguments)
{
	oe_config *config = NULL;
	oe_scheduler *own = NULL;
	oe_llm *llm = NULL;
	oe_error err;

	ck_assert_int_eq(oe_config_new(&config), 0);
	ck_assert_int_eq(oe_scheduler_new(1, &own, NULL), 0);
	ck_assert_int_eq(oe_llm_from_config(NULL, own, 0, &llm, &err), OE_ERR_INVALID);
	ck_assert_int_eq(oe_llm_from_config(config, NULL, 0, &llm, &err), OE_ERR_INVALID);
	ck_assert_int_eq(oe_llm_from_config(config, own, 0, NULL, &err), OE_ERR_INVALID);
	oe_config_free(config);
	oe_scheduler_unref(own);
}
END_TEST

/* Retries and the answer's cap are the configuration's, around any backend that may need them. */
START_TEST(test_limits)
{
	static const char text[] = "llm:\n  backend: command\n  retries: 2\n  retry_delay: 0\n"
							   "  max_response_bytes: 1024\n  command: [sh, -c, '%s']\n";
	OE__AUTO(buffer) struct oe__buffer busy = OE__BUFFER_INIT(0), long_answer = OE__BUFFER_INIT(0);
	OE__AUTO(llm) oe_llm *first = NULL, *second = NULL;
	oe_error err = { 0 };

	oe__buffer_printf(&busy, text, "exit 75");
	oe__buffer_printf(&long_answer, text, "printf %2000s x");
	ck_assert_msg(make(busy.data, 0, &first, &err) == 0, "%s", err.message);
	struct told told = ask_one(first, "question");
	ck_assert_int_eq(told.failure, OE_LLM_FAILURE_TRANSIENT);
	ck_assert_int_eq(told.requests, 3);
	ck_assert_msg(make(long_answer.data, 0, &second, &err) == 0, "%s", err.message);
	ck_assert_int_eq(ask_one(second, "question").status, OE_ERR_LIMIT);
}
END_TEST

/* A recording takes the place of models; a recorder is around them. */
START_TEST(test_recordings)
{
	OE__AUTO(llm) oe_llm *recorder = NULL, *replayer = NULL, *nothing = NULL;
	oe_error err = { 0 };

	scratch_enter();
	OE__AUTO(buffer) struct oe__buffer record = OE__BUFFER_INIT(0), replay = OE__BUFFER_INIT(0);
	oe__buffer_printf(&record, "llm:\n  backend: command\n  command: [cat]\n  record: %s\n",
					  scratch("tape"));
	oe__buffer_printf(&replay, "llm:\n  replay: %s\n", scratch("tape"));
	ck_assert_int_eq(make(replay.data, 0, &nothing, &err), OE_ERR_CONFIG);
	ck_assert_ptr_nonnull(strstr(err.message, "'llm.replay': "));
	ck_assert_msg(make(record.data, 0, &recorder, &err) == 0, "%s", err.message);
	struct told asked = ask_one(recorder, "question");
	ck_assert_msg(make(replay.data, 0, &replayer, &err) == 0, "%s", err.message);
	struct told again = ask_one(replayer, "question");
	ck_assert_int_eq(again.status, 0);
	ck_assert_str_eq(again.text, asked.text);
	oe__buffer_printf(&record, "  replay: %s\n", scratch("tape"));
	ck_assert_int_eq(make(record.data, 0, &nothing, &err), OE_ERR_CONFIG);
	ck_assert_ptr_nonnull(strstr(err.message, "'llm.record' and 'llm.replay'"));
	scratch_leave();
}
END_TEST

TEST_MAIN("from_config", test_members, test_refused, test_arguments, test_limits, test_recordings)
