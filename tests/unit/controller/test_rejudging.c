/* lib/controller/rejudging.c: several at a time, each told once. */

#include <pthread.h>
#include <semaphore.h>

#include "api/world.h"
#include "base/auto.h"
#include "controller/rejudging.h"
#include "program/program.h"

#define PROGRAMS 30
#define JOBS 3

/* Scores the number in the program, JOBS at a time: each waits for the others of its kind. */
struct meeting {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	int inside, most, breaks_at, evaluated;
	int64_t meetings;
	bool stays; /* until it is cancelled */
	sem_t came;
};

static void meet(struct meeting *meeting)
{
	pthread_mutex_lock(&meeting->mutex);
	int64_t now = meeting->meetings;
	if (++meeting->inside > meeting->most)
		meeting->most = meeting->inside;
	if (meeting->inside == JOBS) {
		meeting->inside = 0;
		meeting->meetings++;
		pthread_cond_broadcast(&meeting->changed);
	}
	while (meeting->meetings == now)
		pthread_cond_wait(&meeting->changed, &meeting->mutex);
	pthread_mutex_unlock(&meeting->mutex);
}

static int evaluate(void *self, const oe_evaluation_request *request, oe_evaluation *evaluation, oe_error *err)
{
	struct meeting *meeting = self;
	oe_bytes code = oe_program_code(request->program);

	pthread_mutex_lock(&meeting->mutex);
	bool breaks = ++meeting->evaluated == meeting->breaks_at;
	pthread_mutex_unlock(&meeting->mutex);
	sem_post(&meeting->came);
	while (meeting->stays && !oe_evaluation_cancelled(evaluation))
		world_pause_ms(1);
	if (meeting->stays)
		return OE_ERR_CANCELLED;
	if (breaks) {
		err->status = OE_ERR_IO;
		(void)snprintf(err->message, sizeof(err->message), "it broke");
		return OE_ERR_IO;
	}
	if (meeting->breaks_at == 0)
		meet(meeting);
	return oe_evaluation_set_metric(evaluation, "combined_score", strtod((const char *)code.data, NULL));
}

struct told {
	int count;
	bool seen[PROGRAMS];
};

static void judged(void *owner, const struct oe__rejudged *rejudged)
{
	struct told *told = owner;
	double value = NAN;

	told->count++;
	ck_assert_int_eq(rejudged->number, rejudged->seq * 2);
	ck_assert(!told->seen[rejudged->seq]);
	told->seen[rejudged->seq] = true;
	ck_assert_str_eq(oe_evaluation_metric_at(rejudged->after, 0, &value), "combined_score");
	ck_assert_double_eq(value, (double)rejudged->seq);
	ck_assert_ptr_nonnull(rejudged->before);
}

static oe_evaluator *evaluator_of(struct meeting *meeting)
{
	oe_evaluator_vtable table = OE_EVALUATOR_VTABLE_INIT;
	oe_evaluator *evaluator = NULL;

	pthread_mutex_init(&meeting->mutex, NULL);
	pthread_cond_init(&meeting->changed, NULL);
	sem_init(&meeting->came, 0, 0);
	table.name = "meeting";
	table.threading = OE_THREADING_PARALLEL;
	table.evaluate = evaluate;
	ck_assert_int_eq(oe_evaluator_new(&table, meeting, &evaluator, NULL), 0);
	return evaluator;
}

static struct oe__rejudging *rejudging_of(oe_evaluator *evaluator, struct told *told)
{
	struct oe__rejudging *rejudging = NULL;
	const struct oe__rejudging_options options = {
		.evaluator = evaluator, .timeout_ms = 60000, .jobs = JOBS, .judged = judged, .owner = told
	};

	ck_assert_int_eq(oe__rejudging_new(&options, &rejudging, NULL), 0);
	return rejudging;
}

static int add(struct oe__rejudging *rejudging, int number, oe_error *err)
{
	OE__AUTO(program) oe_program *bare = NULL, *program = NULL;
	OE__AUTO(evaluation) oe_evaluation *evaluation = NULL;
	char code[16];
	int size = snprintf(code, sizeof(code), "%d", number);

	ck_assert_int_eq(oe_evaluation_new(&evaluation), 0);
	oe_evaluation_finish(evaluation, 0, NULL);
	ck_assert_int_eq(oe_program_new(code, (size_t)size, "text", &bare), 0);
	ck_assert_int_eq(oe_program_evaluated(bare, evaluation, &program), 0);
	return oe__rejudging_add(rejudging, number, number * 2, program, 1, err);
}

START_TEST(test_several_at_a_time)
{
	struct meeting meeting = { 0 };
	struct told told = { 0 };
	oe_error err = { 0 };
	oe_evaluator *evaluator = evaluator_of(&meeting);
	struct oe__rejudging *rejudging = rejudging_of(evaluator, &told);

	for (int i = 0; i < PROGRAMS; i++)
		ck_assert_int_eq(add(rejudging, i, &err), 0);
	ck_assert_int_eq(oe__rejudging_finish(rejudging, &err), 0);
	ck_assert_int_eq(told.count, PROGRAMS);
	ck_assert_int_eq(meeting.most, JOBS);
	ck_assert_int_eq(oe__rejudging_finish(rejudging, &err), 0); /* nothing is left to wait for */
	oe__rejudging_free(rejudging);
	oe_evaluator_unref(evaluator);
}
END_TEST

/* Its failure is that of a later call, and nothing is begun behind that. */
START_TEST(test_one_that_breaks)
{
	struct meeting meeting = { .breaks_at = 5 };
	struct told told = { 0 };
	oe_error err = { 0 };
	oe_evaluator *evaluator = evaluator_of(&meeting);
	struct oe__rejudging *rejudging = rejudging_of(evaluator, &told);
	int status = 0, added = 0;

	while (status == 0 && added < PROGRAMS)
		status = add(rejudging, added++, &err);
	if (status == 0)
		status = oe__rejudging_finish(rejudging, &err);
	ck_assert_int_eq(status, OE_ERR_IO);
	ck_assert_str_eq(err.message, "it broke");
	ck_assert_int_eq(add(rejudging, 0, &err), OE_ERR_IO);
	ck_assert_int_eq(oe__rejudging_finish(rejudging, &err), OE_ERR_IO);
	ck_assert_int_le(meeting.evaluated, added);
	oe__rejudging_free(rejudging);
	oe_evaluator_unref(evaluator);
}
END_TEST

START_TEST(test_what_is_under_way_is_cancelled)
{
	struct meeting meeting = { .stays = true };
	struct told told = { 0 };
	oe_evaluator *evaluator = evaluator_of(&meeting);
	struct oe__rejudging *rejudging = rejudging_of(evaluator, &told);

	for (int i = 0; i < JOBS; i++)
		ck_assert_int_eq(add(rejudging, i, NULL), 0);
	sem_wait(&meeting.came);
	oe__rejudging_free(rejudging);
	ck_assert_int_eq(told.count, 0);
	oe__rejudging_free(NULL);
	oe_evaluator_unref(evaluator);
}
END_TEST

TEST_MAIN("rejudging", test_several_at_a_time, test_one_that_breaks, test_what_is_under_way_is_cancelled)
