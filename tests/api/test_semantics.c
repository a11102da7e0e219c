/* hub.semantics through the library: a run is a function of its answers, and is told in order. */

#include "world.h"

static uint64_t hash_text(uint64_t hash, const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		hash = (hash ^ (unsigned char)text[i]) * 1099511628211u;
	return hash;
}

/* What it says depends on the prompt alone; when, on everything else. */
static int answer(void *self, const oe_llm_request *request, oe_completion *completion,
				  oe_error *err)
{
	struct world *world = self;
	uint64_t dice = hash_text(14695981039346656037u, request->user, request->user_size);
	char text[128];

	world_pause_ms((long)((dice >> 7) + (uint64_t)atomic_fetch_add(&world->asked, 1)) % 5);
	if (dice % 9 == 0)
		return oe_completion_append(completion, "no program", 10);
	int size = snprintf(text, sizeof(text), "```\nvalue %llu\n```\n",
						(unsigned long long)(dice / 16 % 200 + 100));
	(void)err;
	return oe_completion_append(completion, text, (size_t)size);
}

static void begin(struct world *world, const char *semantics, const char *calls,
				  const char *evaluations)
{
	oe_llm_vtable llm = OE_LLM_VTABLE_INIT;

	world_init(world, false);
	oe_llm_unref(world->backend);
	llm.name = "world";
	llm.threading = OE_THREADING_PARALLEL;
	llm.generate = answer;
	llm.free = world_free_backend;
	atomic_fetch_add(&world->backends, 1);
	ck_assert_int_eq(oe_llm_new(&llm, world, &world->backend, NULL), 0);
	world_set(world, "hub.semantics", semantics);
	world_set(world, "hub.window", "16");
	world_set(world, "max_iterations", "100");
	world_set(world, "database.population_size", "20");
	world_set(world, "llm.concurrency", calls);
	world_set(world, "evaluator.parallel_evaluations", evaluations);
}

/* The archive it comes to; iterations have to be told in the order of their numbers. */
static void run(const char *semantics, const char *calls, const char *evaluations, char hash[65])
{
	struct world world;
	oe_population *population = NULL;
	const oe_event *event = NULL;
	int64_t last = 0;

	begin(&world, semantics, calls, evaluations);
	oe_controller *controller = world_seeded(&world);
	do {
		ck_assert_int_eq(oe_controller_step(controller, -1, &event, NULL), 1);
		if (event->type != OE_EVENT_ITERATION)
			continue;
		ck_assert_int_eq(event->iteration, last + 1);
		ck_assert_ptr_nonnull(event->parent);
		ck_assert_int_ge(event->outcome, 0);
		last = event->iteration;
	} while (event->type != OE_EVENT_DONE);
	ck_assert_int_eq(event->stop, OE_REASON_ITERATIONS);
	ck_assert_int_eq(last, 100);
	oe_statistics numbers = world_numbers(controller);
	ck_assert_int_eq(world_outcomes(&numbers), 100);
	ck_assert_int_gt(numbers.outcomes[OE_OUTCOME_COMMITTED], 20);
	ck_assert_int_lt(numbers.outcomes[OE_OUTCOME_COMMITTED], 100);
	ck_assert_int_eq(oe_controller_population(controller, &population), 0);
	ck_assert_int_eq(oe_population_hash(population, hash), 0);
	oe_population_unref(population);
	oe_controller_free(controller);
	world_done(&world);
}

static void compare(const char *semantics)
{
	static const char *const jobs[][2] = { { "64", "1" }, { "1", "64" }, { "64", "8" } };
	char first[65], other[65];

	run(semantics, "1", "1", first);
	for (size_t i = 0; i < 3; i++) {
		run(semantics, jobs[i][0], jobs[i][1], other);
		ck_assert_str_eq(other, first);
	}
}

START_TEST(test_ordered)
{
	compare("ordered");
}
END_TEST

START_TEST(test_generations)
{
	compare("generation");
}
END_TEST

TEST_MAIN("semantics", test_ordered, test_generations)
