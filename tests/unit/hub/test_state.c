/* lib/hub/state.c: a hub that is made from the state of another one is that hub, in all semantics; whatever
   else its bytes are, they do no harm. */

#include "hub/state.h"

#include "base/map.h"
#include "evolution.h"
#include "nomem.h"
#include "program/form.h"

/* ---- a world: all programs that were ever made ---- */

static struct oe__map programs;

static void keep(oe_program *program)
{
	if (!oe__map_get(&programs, program->id, strlen(program->id)))
		ck_assert_int_eq(oe__map_put(&programs, program->id, strlen(program->id),
									 oe_program_ref(program)), 0);
}

static void forget_programs(void)
{
	struct oe__map_entry *entry;
	size_t cursor = 0;

	while ((entry = oe__map_next(&programs, &cursor)) != NULL)
		oe_program_unref(entry->value);
	oe__map_done(&programs);
}

static int find(void *owner, struct oe__wanted_program *wanted, size_t count, oe_error *err)
{
	(void)owner;
	(void)err;
	for (size_t i = 0; i < count; i++) {
		oe_program *program = oe__map_get(&programs, wanted[i].id, strlen(wanted[i].id));

		if (program && !wanted[i].migrant && program->iteration == wanted[i].iteration)
			wanted[i].found = oe_program_ref(program);
	}
	return 0;
}

static const struct oe__program_finder finder = { .find = find };

static struct oe__hub_settings settings_of(enum oe__semantics semantics, uint64_t seed)
{
	static const char *const names[] = { "complexity", "diversity", "x" };
	struct oe__hub_settings settings = world_settings();

	world_axes(&settings, names + seed % 2, 2, 4);
	settings.semantics = semantics;
	settings.on_failure = seed % 3 == 0 ? OE__ON_FAILURE_REPLACE : OE__ON_FAILURE_COUNT;
	settings.window = semantics == OE__SEMANTICS_STEADY ? 0 : (int64_t)(3 + seed % 8);
	settings.seed = seed;
	settings.island_count = (int32_t)(1 + seed % 4);
	settings.population_size = 5 + seed % 20;
	settings.migration_interval = 4;
	settings.migration_rate = 0.4;
	settings.diversity_reference_size = 2 + seed % 9;
	return settings;
}

/* ---- evolutions ---- */

static struct oe__buffer written(const oe_hub *hub)
{
	struct oe__buffer out = OE__BUFFER_INIT(0);

	ck_assert_int_eq(oe__hub_state_write(hub, &out), 0);
	return out;
}

static void seed_with(oe_hub *hub, const char *id, double score)
{
	OE__AUTO(program) oe_program *program = world_program(id, score, score);

	keep(program);
	ck_assert_int_eq(oe_hub_seed(hub, program, NULL), 0);
}

/* The same one, with a hub that is made from the state of its own: what is open goes on there. */
static void become(struct evolution *twin, const struct evolution *evolution, oe_hub *hub)
{
	evolution_init(twin, hub, evolution->in_flight, evolution->timing);
	twin->rng = evolution->rng;
	twin->made = keep;
	for (size_t i = 0; i < evolution->count; i++) {
		const oe_iteration *iteration = evolution->open[i];
		const struct oe__ledger_entry *entry =
			oe__map_get(&hub->ledger.open, &iteration->number, sizeof(iteration->number));

		ck_assert(entry && entry->iteration && entry->attempt == iteration->attempt);
		twin->open[twin->count++] = oe_iteration_ref(entry->iteration);
	}
}

static void check_same(const struct oe__buffer *a, const struct oe__buffer *b, uint64_t seed)
{
	ck_assert_msg(a->size == b->size && memcmp(a->data, b->data, a->size) == 0,
				  "seed %llu: the states differ", (unsigned long long)seed);
}

/* From here on both do the same for a while. */
static void check_twin(struct evolution *evolution, struct oe__hub_settings settings, uint64_t seed)
{
	OE__AUTO(hub) oe_hub *hub = world_hub(settings);
	OE__AUTO(buffer) struct oe__buffer state = written(evolution->hub);
	oe_error err = { .message = "" };
	struct evolution twin;

	int status = oe__hub_state_read(hub, state.data, state.size, &finder, &err);
	ck_assert_msg(status == 0, "seed %llu: %s", (unsigned long long)seed, err.message);
	OE__AUTO(buffer) struct oe__buffer again = written(hub);
	check_same(&state, &again, seed);
	become(&twin, evolution, hub);
	oe__buffer_clear(&evolution->told);
	evolution_run(evolution, 30);
	evolution_run(&twin, 30);
	ck_assert_str_eq(oe__buffer_string(&evolution->told), oe__buffer_string(&twin.told));
	OE__AUTO(buffer) struct oe__buffer ours = written(evolution->hub);
	OE__AUTO(buffer) struct oe__buffer theirs = written(hub);
	check_same(&ours, &theirs, seed);
	ck_assert_uint_ge(ours.size, 100);
	evolution_done(&twin);
}

/* Of a run that has gone on for some ends. */
static void begin(struct evolution *evolution, enum oe__semantics semantics, uint64_t seed,
				  int64_t ends)
{
	evolution_init(evolution, world_hub(settings_of(semantics, seed)), 1 + (int64_t)seed % 12,
				   seed);
	evolution->made = keep;
	seed_with(evolution->hub, "first", 0.1);
	seed_with(evolution->hub, "second", 0.2);
	evolution_run(evolution, ends);
}

static void end(struct evolution *evolution)
{
	oe_hub *hub = evolution->hub;

	evolution_done(evolution);
	oe_hub_free(hub);
	forget_programs();
}

static void check_semantics(enum oe__semantics semantics)
{
	for (uint64_t seed = 1; seed <= 12; seed++) {
		struct evolution evolution;

		begin(&evolution, semantics, seed, 0);
		for (int stop = 0; stop < 8; stop++) {
			check_twin(&evolution, settings_of(semantics, seed), seed);
			if (stop == 3) /* waits for a barrier, where there is one */
				seed_with(evolution.hub, "third", 0.05);
		}
		end(&evolution);
	}
}

START_TEST(test_steady)
{
	check_semantics(OE__SEMANTICS_STEADY);
}
END_TEST

START_TEST(test_generation)
{
	check_semantics(OE__SEMANTICS_GENERATION);
}
END_TEST

START_TEST(test_ordered)
{
	check_semantics(OE__SEMANTICS_ORDERED);
}
END_TEST

/* Before anything has happened, and after a population was brought along. */
START_TEST(test_beginnings)
{
	OE__AUTO(hub) oe_hub *empty = world_hub(world_settings()), *also = world_hub(world_settings());
	OE__AUTO(hub) oe_hub *restored = world_hub(world_settings()), *same = world_hub(world_settings());
	OE__AUTO(buffer) struct oe__buffer nothing = written(empty);
	OE__AUTO(population) oe_population *population = NULL;

	ck_assert_int_eq(oe__hub_state_read(also, nothing.data, nothing.size, &finder, NULL), 0);
	ck_assert_uint_eq(also->count, 0);
	seed_with(empty, "first", 0.1);
	world_commit(empty, "child", 0.5, 1);
	for (struct oe__member *member = empty->oldest; member; member = member->newer)
		keep(member->program);
	ck_assert_int_eq(oe_hub_population(empty, &population), 0);
	oe__hub_set_last(restored, 10);
	oe__hub_set_last(same, 10);
	ck_assert_int_eq(oe_hub_restore(restored, population, NULL), 0);
	OE__AUTO(buffer) struct oe__buffer state = written(restored);
	ck_assert_int_eq(oe__hub_state_read(same, state.data, state.size, &finder, NULL), 0);
	ck_assert_int_eq(oe__hub_last(same), oe__hub_last(restored));
	ck_assert_int_eq(oe__hub_last(same), 11);
	OE__AUTO(buffer) struct oe__buffer again = written(same);
	check_same(&state, &again, 0);
	forget_programs();
}
END_TEST

/* To tell the form of a program takes longer than to read it: what was told once comes along. */
START_TEST(test_forms)
{
	OE__AUTO(hub) oe_hub *hub = world_hub(world_settings()), *same = world_hub(world_settings());

	world_seed_python(hub, "x = 1  # one\n", 0.5, 1);
	const oe_program *program = hub->oldest->program;
	keep(hub->oldest->program);
	uint64_t form = oe__form(program);
	ck_assert(form != 0);
	OE__AUTO(buffer) struct oe__buffer state = written(hub);
	oe__form_recall(program, 0);
	ck_assert_int_eq(oe__hub_state_read(same, state.data, state.size, &finder, NULL), 0);
	ck_assert(oe__form_known(same->oldest->program) == form);
	forget_programs();
}
END_TEST

/* ---- what does not belong together ---- */

START_TEST(test_refused)
{
	struct evolution evolution;
	oe_error err = { .message = "" };

	begin(&evolution, OE__SEMANTICS_STEADY, 5, 60);
	OE__AUTO(buffer) struct oe__buffer state = written(evolution.hub);
	struct oe__hub_settings other = settings_of(OE__SEMANTICS_STEADY, 5);
	other.archive_size++;
	OE__AUTO(hub) oe_hub *another = world_hub(other);
	ck_assert_int_eq(oe__hub_state_read(another, state.data, state.size, &finder, &err),
					 OE_ERR_FORMAT);
	ck_assert_str_ne(err.message, "");

	oe_program *initial = oe__map_remove(&programs, "first", 5);
	OE__AUTO(hub) oe_hub *lacking = world_hub(settings_of(OE__SEMANTICS_STEADY, 5));
	ck_assert_int_eq(oe__hub_state_read(lacking, state.data, state.size, &finder, &err),
					 OE_ERR_FORMAT);
	ck_assert_ptr_nonnull(strstr(err.message, "missing"));
	oe_program_unref(initial);

	OE__AUTO(source) struct oe__source *source = NULL;
	ck_assert_int_eq(oe__source_new("other", 5, &source), 0);
	OE__AUTO(program) oe_program *changed = NULL;
	ck_assert_int_eq(oe__program_build(&(struct oe__program_spec){ .id = "first",
																   .source = source,
																   .island = -1,
																   .timestamp = 1 },
									   &changed), 0);
	keep(changed);
	OE__AUTO(hub) oe_hub *mixed = world_hub(settings_of(OE__SEMANTICS_STEADY, 5));
	ck_assert_int_eq(oe__hub_state_read(mixed, state.data, state.size, &finder, &err),
					 OE_ERR_FORMAT);
	ck_assert_ptr_nonnull(strstr(err.message, "another one"));
	end(&evolution);
}
END_TEST

/* ---- damage ---- */

/* Refused, or as good as any other hub. */
static void read_damaged(const struct oe__buffer *state, size_t size,
						 enum oe__semantics semantics, uint64_t seed)
{
	oe_hub *hub = world_hub(settings_of(semantics, seed));
	oe_error err = { .message = "" };
	struct evolution evolution;

	int status = oe__hub_state_read(hub, state->data, size, &finder, &err);
	if (status == 0) {
		ck_assert_ptr_null(oe__hub_check(hub));
		evolution_init(&evolution, hub, 2, 1);
		evolution_run(&evolution, 10);
		evolution_done(&evolution);
	} else {
		ck_assert_int_eq(status, OE_ERR_FORMAT);
		ck_assert_str_ne(err.message, "");
	}
	oe_hub_free(hub);
}

/* Each bit of a small one, and each of its beginnings. */
START_TEST(test_each_bit)
{
	for (enum oe__semantics semantics = OE__SEMANTICS_STEADY; semantics <= OE__SEMANTICS_ORDERED;
		 semantics++) {
		struct evolution evolution;

		begin(&evolution, semantics, 3, 4);
		OE__AUTO(buffer) struct oe__buffer state = written(evolution.hub);
		for (size_t i = 0; i < state.size; i++) {
			for (int bit = 0; bit < 8; bit++) {
				state.data[i] = (char)(state.data[i] ^ 1 << bit);
				read_damaged(&state, state.size, semantics, 3);
				state.data[i] = (char)(state.data[i] ^ 1 << bit);
			}
			read_damaged(&state, i, semantics, 3);
		}
		end(&evolution);
	}
}
END_TEST

/* Some bytes of a larger one at random. */
START_TEST(test_random_damage)
{
	for (uint64_t seed = 1; seed <= 240; seed++) {
		enum oe__semantics semantics = (enum oe__semantics)(seed % 3);
		struct evolution evolution;
		struct oe__rng rng;

		begin(&evolution, semantics, seed, 40);
		oe__rng_init(&rng, seed, "damage", 0, 0);
		OE__AUTO(buffer) struct oe__buffer state = written(evolution.hub);
		for (uint64_t i = 0; i <= seed % 4; i++)
			state.data[oe__rng_below(&rng, state.size)] = (char)oe__rng_next(&rng);
		read_damaged(&state, state.size, semantics, seed);
		end(&evolution);
	}
}
END_TEST

/* ---- without memory ---- */

static struct evolution poor;
static enum oe__semantics poor_semantics;
static struct oe__buffer poor_state;

static int read_poorly(void)
{
	OE__AUTO(hub) oe_hub *hub = NULL;
	OE__AUTO(hub_settings) struct oe__hub_settings settings = { 0 };
	oe_error err = { .message = "" };

	int status = oe__hub_settings_copy(&poor.hub->settings, &settings);
	if (status == 0)
		status = oe__hub_new(&settings, &hub, &err);
	if (status == 0)
		status = oe__hub_state_read(hub, poor_state.data, poor_state.size, &finder, &err);
	nomem_relent(); /* a hub that is freed still notes who leaves, if it can */
	return status;
}

static int write_poorly(void)
{
	OE__AUTO(buffer) struct oe__buffer out = OE__BUFFER_INIT(0);
	return oe__hub_state_write(poor.hub, &out);
}

START_TEST(test_no_memory)
{
	for (poor_semantics = OE__SEMANTICS_STEADY; poor_semantics <= OE__SEMANTICS_ORDERED;
		 poor_semantics++) {
		begin(&poor, poor_semantics, 7, 60);
		poor_state = written(poor.hub);
		nomem_each("reading", read_poorly);
		nomem_each("writing", write_poorly);
		oe__buffer_done(&poor_state);
		end(&poor);
	}
}
END_TEST

NOMEM_MAIN("state", test_steady, test_generation, test_ordered, test_beginnings, test_forms, test_refused,
		   test_each_bit, test_random_damage, test_no_memory)
