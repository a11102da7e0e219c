/* lib/iteration: one iteration through all its states, with a model and an evaluator behind the public
   tables that do what a test says. */

#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/thread.h"
#include "config/config.h"
#include "iteration/job.h"
#include "program/sample.h"
#include "test.h"

#define PARENT "# EVOLVE-BLOCK-START\nx = 1\n# EVOLVE-BLOCK-END\n"
#define CHILD  "# EVOLVE-BLOCK-START\nx = 2\n# EVOLVE-BLOCK-END\n"
#define EDIT   "<<<<<<< SEARCH\nx = 1\n=======\nx = 2\n>>>>>>> REPLACE\n"

/* ---- the model and the evaluator ---- */

struct world {
	oe_scheduler *scheduler;
	struct oe__recipe *recipe;
	oe_iteration *iteration;
	oe_llm *llm;
	oe_evaluator *evaluator;

	/* What the model does. */
	const char *answer;
	int status, failure, finish;
	bool held, deaf;
	char prompts[4][20000];
	atomic_int asked, told_to_stop;
	pthread_mutex_t mutex;
	oe_completion *completion; /* guarded by mutex */

	/* And the evaluator. */
	double score;
	int verdict, evaluation_status;
	bool evaluation_held;
	atomic_int evaluated;
	uint64_t seeds[4];
	char code[200];
	oe_evaluation *evaluation;
};

static struct world world;

static int model_start(void *self, const oe_llm_request *request, oe_completion *completion,
					   oe_error *err)
{
	int at = atomic_load(&world.asked);
	(void)self, (void)err;

	ck_assert_ptr_eq(request->iteration, world.iteration);
	ck_assert_str_eq(request->language, "python");
	ck_assert_uint_eq(request->seed, oe_iteration_seed(world.iteration));
	if (at < 4)
		(void)snprintf(world.prompts[at], sizeof(world.prompts[at]), "%s\n%s", request->system,
					   request->user);
	oe_completion_set_model(completion, "a model");
	oe_completion_set_usage(completion, 11, 22);
	oe_completion_set_finish(completion, world.finish);
	if (world.held) {
		OE__LOCKED(&world.mutex);
		atomic_fetch_add(&world.asked, 1);
		if (oe_completion_cancelled(completion)) /* before there was anything to be told */
			return OE_ERR_CANCELLED;
		world.completion = completion;
		return 0;
	}
	oe_error failed = { .status = world.status, .message = "the model says no" };
	if (world.status < 0)
		oe_completion_set_failure(completion, world.failure, -1);
	else
		ck_assert_int_eq(
			oe_completion_append(completion, world.answer, strlen(world.answer)), 0);
	atomic_fetch_add(&world.asked, 1);
	oe_completion_finish(completion, world.status, &failed);
	return 0;
}

static void model_cancel(void *self, oe_completion *completion)
{
	(void)self;
	atomic_fetch_add(&world.told_to_stop, 1);
	pthread_mutex_lock(&world.mutex);
	bool ours = !world.deaf && world.completion == completion;
	if (ours)
		world.completion = NULL;
	pthread_mutex_unlock(&world.mutex);
	if (ours)
		oe_completion_finish(completion, OE_ERR_CANCELLED, NULL);
}

static int evaluator_start(void *self, const oe_evaluation_request *request,
						   oe_evaluation *evaluation, oe_error *err)
{
	oe_bytes code = oe_program_code(request->program);
	int at = atomic_fetch_add(&world.evaluated, 1);
	(void)self, (void)err;

	(void)snprintf(world.code, sizeof(world.code), "%s", (const char *)code.data);
	if (at < 4)
		world.seeds[at] = request->seed;
	if (world.evaluation_held) {
		world.evaluation = evaluation;
		return 0;
	}
	oe_error failed = { .status = world.evaluation_status, .message = "the disk is full" };
	if (!isnan(world.score))
		ck_assert_int_eq(oe_evaluation_set_metric(evaluation, "combined_score", world.score), 0);
	if (world.verdict != OE_VERDICT_OK)
		ck_assert_int_eq(oe_evaluation_set_verdict(evaluation, world.verdict, "it fell over"), 0);
	oe_evaluation_finish(evaluation, world.evaluation_status, &failed);
	return 0;
}

static void evaluator_cancel(void *self, oe_evaluation *evaluation)
{
	(void)self;
	if (!world.deaf && world.evaluation == evaluation) {
		world.evaluation = NULL;
		oe_evaluation_finish(evaluation, OE_ERR_CANCELLED, NULL);
	}
}

static oe_iteration *make_iteration(void)
{
	OE__AUTO(axes) struct oe__axes *axes = NULL;
	OE__AUTO(evaluation) oe_evaluation *evaluation = NULL;
	OE__AUTO(program) oe_program *bare = NULL, *parent = NULL;
	oe_iteration *iteration = NULL;

	ck_assert_int_eq(oe_evaluation_new(&evaluation), 0);
	ck_assert_int_eq(oe_evaluation_set_metric(evaluation, "combined_score", 0.5), 0);
	oe__evaluation_freeze(evaluation);
	ck_assert_int_eq(oe_program_new(PARENT, strlen(PARENT), "python", &bare), 0);
	ck_assert_int_eq(oe_program_evaluated(bare, evaluation, &parent), 0);
	ck_assert_int_eq(oe__axes_new(NULL, 0, &axes), 0);
	struct oe__sample_spec spec = { .number = 3, .run_seed = 9, .parent = parent, .axes = axes };
	ck_assert_int_eq(oe__sample_build(&spec, &iteration), 0);
	return iteration;
}

static void begin(const char *yaml)
{
	oe_llm_vtable llm = OE_LLM_VTABLE_INIT;
	oe_evaluator_vtable evaluator = OE_EVALUATOR_VTABLE_INIT;
	oe_config *config = NULL;
	oe_error err = { 0 };

	world = (struct world){ .answer = EDIT, .score = 0.75 };
	pthread_mutex_init(&world.mutex, NULL);
	llm.name = evaluator.name = "test";
	llm.start = model_start;
	llm.cancel = model_cancel;
	evaluator.start = evaluator_start;
	evaluator.cancel = evaluator_cancel;
	ck_assert_int_eq(oe_llm_new(&llm, &world, &world.llm, &err), 0);
	ck_assert_int_eq(oe_evaluator_new(&evaluator, &world, &world.evaluator, &err), 0);
	ck_assert_int_eq(oe_scheduler_new(1, &world.scheduler, &err), 0);
	ck_assert_int_eq(oe_config_new(&config), 0);
	ck_assert_msg(oe_config_load_text(config, yaml, strlen(yaml), "test", &err) == 0, "%s",
				  err.message);
	int status = oe__recipe_new(config, world.scheduler, world.llm, world.evaluator, &world.recipe,
								&err);
	ck_assert_msg(status == 0, "%s", err.message);
	oe_config_free(config);
	world.iteration = make_iteration();
}

static void end(void)
{
	oe_iteration_unref(world.iteration);
	oe__recipe_free(world.recipe);
	oe_llm_unref(world.llm);
	oe_evaluator_unref(world.evaluator);
	oe_scheduler_unref(world.scheduler);
}

/* ---- a job and its steps ---- */

static struct oe__job job;
static sem_t steps;

static void reached(struct oe__job *at)
{
	ck_assert_ptr_eq(at, &job);
	sem_post(&steps);
}

static void new_job(void)
{
	sem_init(&steps, 0, 0);
	ck_assert_int_eq(
		oe__job_init(&job, world.recipe, oe_iteration_ref(world.iteration), reached), 0);
	ck_assert_int_eq(job.state, OE__JOB_ISSUED);
}

static void wait_for(enum oe__job_state state)
{
	while (sem_wait(&steps) < 0)
		;
	ck_assert_int_eq(job.state, state);
}

static void ask(enum oe__job_state state)
{
	oe__job_ask(&job);
	wait_for(state);
}

static void edit(void)
{
	oe__job_edit(&job);
	wait_for(OE__JOB_EDITED);
}

static void evaluate(void)
{
	oe__job_evaluate(&job, 77);
	wait_for(OE__JOB_EVALUATED);
}

START_TEST(test_all_the_way)
{
	OE__AUTO(program) oe_program *child = NULL;

	begin("{}");
	new_job();
	ask(OE__JOB_ANSWERED);
	ck_assert_str_eq(job.answer, EDIT);
	ck_assert_uint_eq(job.answer_size, strlen(EDIT));
	ck_assert_str_eq(job.model, "a model");
	ck_assert_int_eq(job.tokens_in, 11);
	ck_assert_int_eq(job.tokens_out, 22);
	ck_assert_int_eq(job.requests, 1);
	ck_assert(job.llm_ms >= 0);
	ck_assert_ptr_nonnull(strstr(world.prompts[0], PARENT));
	edit();
	ck_assert_int_eq(job.outcome, -1);
	ck_assert_str_eq(job.candidate->source->text, CHILD);
	evaluate();
	ck_assert_str_eq(world.code, CHILD);
	ck_assert_int_eq(job.status, 0);
	ck_assert(job.evaluation_ms >= 0);
	oe__job_judge(&job);
	ck_assert_int_eq(job.outcome, -1);
	ck_assert_int_eq(oe__job_child(&job, &child), 0);
	ck_assert_double_eq(oe_program_fitness(child), 0.75);
	ck_assert_str_eq(child->source->text, CHILD);
	ck_assert_str_eq(child->parent_id, oe_program_id(world.iteration->parent));
	ck_assert_int_eq(child->iteration, 3);
	oe__job_done(&job);
	end();
}
END_TEST

/* Every way that an answer may be none: an outcome with a sentence, and no candidate. */
START_TEST(test_answers)
{
	static const struct {
		const char *yaml, *answer;
		int finish, outcome;
	} cases[] = {
		{ "{}", EDIT, OE_FINISH_REFUSAL, OE_OUTCOME_LLM_FAILED },
		{ "{}", "", OE_FINISH_STOP, OE_OUTCOME_NO_EDIT },
		{ "{}", "reasoning", OE_FINISH_EMPTY, OE_OUTCOME_NO_EDIT },
		{ "{}", "I would rather not.", OE_FINISH_STOP, OE_OUTCOME_NO_EDIT },
		{ "{}", "<<<<<<< SEARCH\nx = 1\n=======\nx = 1\n>>>>>>> REPLACE\n", OE_FINISH_STOP,
		  OE_OUTCOME_NOOP_EDIT },
		{ "{}", "<<<<<<< SEARCH\nx = 1\n=======\nx =", OE_FINISH_LENGTH, OE_OUTCOME_TRUNCATED },
		{ "edit: {evolve_blocks: enforce}",
		  "<<<<<<< SEARCH\n# EVOLVE-BLOCK-END\n=======\nx = 3\n>>>>>>> REPLACE\n", OE_FINISH_STOP,
		  OE_OUTCOME_VIOLATES_BLOCK },
		{ "max_code_length: 20", EDIT, OE_FINISH_STOP, OE_OUTCOME_TOO_LONG },
		{ "diff_based_evolution: false", "", OE_FINISH_STOP, OE_OUTCOME_NO_EDIT },
	};

	for (size_t i = 0; i < OE__COUNT(cases); i++) {
		begin(cases[i].yaml);
		world.answer = cases[i].answer;
		world.finish = cases[i].finish;
		new_job();
		ask(OE__JOB_ANSWERED);
		edit();
		ck_assert_msg(job.outcome == cases[i].outcome, "case %zu: %s, expected %s", i,
					  oe_outcome_name(job.outcome), oe_outcome_name(cases[i].outcome));
		ck_assert_ptr_nonnull(job.message);
		ck_assert_str_ne(job.message, "");
		ck_assert_ptr_null(job.candidate);
		oe__job_done(&job);
		end();
	}
}
END_TEST

START_TEST(test_rewrite)
{
	begin("diff_based_evolution: false");
	world.answer = "```python\n" CHILD "```\n";
	new_job();
	ask(OE__JOB_ANSWERED);
	edit();
	ck_assert_int_eq(job.outcome, -1);
	ck_assert_int_eq(strncmp(job.candidate->source->text, CHILD, strlen(CHILD) - 1), 0);
	oe__job_done(&job);
	end();
}
END_TEST

/* A question that failed is asked again with the same words; what was said of the first is gone. */
START_TEST(test_asked_again)
{
	begin("{}");
	world.status = OE_ERR_LLM;
	world.failure = OE_LLM_FAILURE_TRANSIENT;
	new_job();
	ask(OE__JOB_ASK_FAILED);
	ck_assert_int_eq(job.failure, OE_LLM_FAILURE_TRANSIENT);
	ck_assert_str_eq(job.error.message, "the model says no");
	ck_assert_ptr_null(job.answer);
	ck_assert_int_eq(job.requests, 1);
	world.failure = OE_LLM_FAILURE_ACCESS;
	ask(OE__JOB_ASK_FAILED);
	ck_assert_int_eq(job.failure, OE_LLM_FAILURE_ACCESS);
	ck_assert_int_eq(job.requests, 1); /* of this question, not of both */
	world.status = 0;
	ask(OE__JOB_ANSWERED);
	ck_assert_str_eq(job.answer, EDIT);
	ck_assert_str_eq(world.prompts[0], world.prompts[1]);
	ck_assert_str_eq(world.prompts[0], world.prompts[2]);
	edit();
	ck_assert_int_eq(job.outcome, -1);
	oe__job_done(&job);
	end();
}
END_TEST

/* An answer from the log is edited as if it had just come, and nobody is asked. */
START_TEST(test_restored)
{
	begin("{}");
	new_job();
	ck_assert_int_eq(
		oe__job_restore_answer(&job, EDIT, strlen(EDIT), "a model", OE_FINISH_STOP), 0);
	ck_assert_int_eq(job.state, OE__JOB_ANSWERED);
	ck_assert_str_eq(job.model, "a model");
	edit();
	ck_assert_str_eq(job.candidate->source->text, CHILD);
	ck_assert_int_eq(atomic_load(&world.asked), 0);
	oe__job_done(&job);
	end();
}
END_TEST

/* ---- ends ---- */

static void wait_asked(int count)
{
	while (atomic_load(&world.asked) < count)
		sched_yield();
}

START_TEST(test_cancelled)
{
	begin("{}");
	world.held = true;
	new_job();
	oe__job_ask(&job);
	wait_asked(1);
	oe__job_cancel(&job, false);
	wait_for(OE__JOB_ASK_FAILED);
	ck_assert_int_eq(job.error.status, OE_ERR_CANCELLED);
	oe__job_done(&job);
	end();
}
END_TEST

/* At any moment, also before there is anything to cancel: it always ends, and the model is told or was
   never asked. */
START_TEST(test_cancelled_anywhere)
{
	begin("{}");
	world.held = true;
	for (int i = 0; i < 300; i++) {
		new_job();
		int before = atomic_load(&world.asked);
		oe__job_ask(&job);
		for (int spin = 0; spin < i; spin++)
			sched_yield();
		oe__job_cancel(&job, false);
		wait_for(OE__JOB_ASK_FAILED);
		ck_assert_int_eq(job.error.status, OE_ERR_CANCELLED);
		ck_assert(atomic_load(&world.asked) == before || atomic_load(&world.told_to_stop) > 0);
		oe__job_done(&job);
	}
	end();
}
END_TEST

/* A model that does not come back: nobody waits, and nothing of an earlier answer is shown for it. */
START_TEST(test_abandoned_question)
{
	begin("{}");
	world.status = OE_ERR_LLM;
	world.failure = OE_LLM_FAILURE_TRANSIENT;
	new_job();
	ck_assert(!oe__job_abandon_question(&job)); /* nothing is out */
	ask(OE__JOB_ASK_FAILED);
	ck_assert_str_eq(job.model, "a model");
	world.held = world.deaf = true;
	oe__job_ask(&job);
	wait_asked(2);
	oe__job_cancel(&job, false);
	/* The submission may not have come back yet. */
	while (!oe__job_abandon_question(&job))
		sched_yield();
	ck_assert_int_eq(job.state, OE__JOB_ASK_FAILED);
	ck_assert_int_eq(job.failure, OE_LLM_FAILURE_TRANSIENT);
	ck_assert_ptr_null(job.model);
	ck_assert_int_eq(job.tokens_in, -1);
	ck_assert(!oe__job_abandon_question(&job));
	oe__job_done(&job);
	oe_completion_finish(world.completion, 0, NULL); /* in the end, to nobody */
	ck_assert_int_ne(sem_trywait(&steps), 0);
	end();
}
END_TEST

START_TEST(test_abandoned_evaluation)
{
	begin("{}");
	new_job();
	ask(OE__JOB_ANSWERED);
	edit();
	world.evaluation_held = world.deaf = true;
	oe__job_evaluate(&job, 77);
	oe__job_cancel(&job, true);
	ck_assert(oe__job_abandon_evaluation(&job));
	ck_assert(!oe__job_abandon_evaluation(&job));
	ck_assert_int_eq(job.state, OE__JOB_EVALUATED);
	oe__job_judge(&job);
	ck_assert_int_eq(job.outcome, OE_OUTCOME_TIMED_OUT);
	ck_assert_str_ne(job.message, "");
	oe__job_done(&job);
	oe_evaluation_finish(world.evaluation, 0, NULL);
	ck_assert_int_ne(sem_trywait(&steps), 0);
	end();
}
END_TEST

START_TEST(test_cancelled_evaluation)
{
	begin("{}");
	new_job();
	ask(OE__JOB_ANSWERED);
	edit();
	world.evaluation_held = true;
	oe__job_evaluate(&job, 77);
	oe__job_cancel(&job, true);
	wait_for(OE__JOB_EVALUATED);
	ck_assert_int_eq(job.status, OE_ERR_CANCELLED);
	oe__job_done(&job);
	end();
}
END_TEST

/* ---- judging ---- */

START_TEST(test_judged)
{
	static const struct {
		double score;
		int verdict, status, outcome;
		const char *says;
	} cases[] = {
		{ 1, OE_VERDICT_OK, 0, -1, NULL },
		{ -1e9, OE_VERDICT_OK, 0, -1, NULL },
		{ 1, OE_VERDICT_WALL_TIMEOUT, 0, OE_OUTCOME_TIMED_OUT, "it fell over" },
		{ 1, OE_VERDICT_EXCEPTION, 0, OE_OUTCOME_EVALUATION_FAILED, "it fell over" },
		{ (double)NAN, OE_VERDICT_OK, 0, OE_OUTCOME_EVALUATION_FAILED, "score" },
		{ (double)INFINITY, OE_VERDICT_OK, 0, OE_OUTCOME_EVALUATION_FAILED, "score" },
		{ 1, OE_VERDICT_OK, OE_ERR_IO, OE_OUTCOME_EVALUATION_FAILED, "the disk is full" },
	};

	begin("{}");
	for (size_t i = 0; i < OE__COUNT(cases); i++) {
		new_job();
		ask(OE__JOB_ANSWERED);
		edit();
		world.score = cases[i].score;
		world.verdict = cases[i].verdict;
		world.evaluation_status = cases[i].status;
		evaluate();
		oe__job_judge(&job);
		ck_assert_msg(job.outcome == cases[i].outcome, "case %zu: %s", i,
					  oe_outcome_name(job.outcome));
		if (cases[i].says)
			ck_assert_msg(strstr(job.message, cases[i].says), "case %zu: %s", i, job.message);
		oe__job_done(&job);
	}
	end();
}
END_TEST

/* The same program gets the same random numbers in one run, and others in another run. */
START_TEST(test_seeds)
{
	begin("{}");
	new_job();
	ask(OE__JOB_ANSWERED);
	edit();
	evaluate();
	oe__job_reset_evaluation(&job);
	ck_assert_int_eq(job.state, OE__JOB_EDITED);
	ck_assert_ptr_null(job.evaluation);
	evaluate();
	oe__job_reset_evaluation(&job);
	oe__job_evaluate(&job, 78);
	wait_for(OE__JOB_EVALUATED);
	ck_assert_uint_eq(world.seeds[0], world.seeds[1]);
	ck_assert(world.seeds[0] != world.seeds[2]);
	oe__job_done(&job);
	end();
}
END_TEST

/* An initial program is only evaluated. */
START_TEST(test_initial)
{
	OE__AUTO(program) oe_program *program = NULL, *evaluated = NULL;

	begin("{}");
	sem_init(&steps, 0, 0);
	ck_assert_int_eq(oe_program_new(PARENT, strlen(PARENT), "python", &program), 0);
	ck_assert_int_eq(oe__job_init_initial(&job, world.recipe, program, reached), 0);
	ck_assert_int_eq(job.state, OE__JOB_EDITED);
	evaluate();
	oe__job_judge(&job);
	ck_assert_int_eq(job.outcome, -1);
	ck_assert_int_eq(oe__job_child(&job, &evaluated), 0);
	ck_assert_double_eq(oe_program_fitness(evaluated), 0.75);
	ck_assert_str_eq(evaluated->source->text, PARENT);
	oe__job_done(&job);
	ck_assert_int_eq(atomic_load(&world.asked), 0);
	end();
}
END_TEST

TEST_MAIN("job", test_all_the_way, test_answers, test_rewrite, test_asked_again, test_restored,
		  test_cancelled, test_cancelled_anywhere, test_abandoned_question, test_abandoned_evaluation,
		  test_cancelled_evaluation, test_judged, test_seeds, test_initial)
