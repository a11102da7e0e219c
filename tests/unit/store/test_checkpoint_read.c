/* lib/store/checkpoint_read.c: checkpoints that OpenEvolve wrote, and those that somebody broke. */

#include <sys/stat.h>

#include "base/json.h"
#include "population_world.h"

static void must_write(const char *name, const char *text)
{
	OE__AUTO(string) char *directory = oe__path_directory(scratch(name));

	world_must(oe__directory_make(directory, NULL));
	scratch_write(name, text, strlen(text));
}

static const char metadata[] =
	"{\"island_feature_maps\":[{\"5-0\":\"a1\",\"9-7\":\"b2\"},{}],"
	"\"islands\":[[\"a1\",\"b2\"],[]],\"archive\":[\"a1\",\"b2\"],\"best_program_id\":\"b2\","
	"\"island_best_programs\":[\"b2\",null],\"last_iteration\":10,\"current_island\":0,"
	"\"island_generations\":[2,0],\"last_migration_generation\":0,"
	"\"feature_stats\":{\"complexity\":{\"min\":68.0,\"max\":91.0,\"values\":[68.0,91.0,Infinity]},"
	"\"diversity\":{\"min\":1.4,\"max\":1.8,\"values\":[1.6,1.8]}}}";

/* As OpenEvolve leaves them: null where there is nothing, tokens that JSON lacks, relative paths, a
   program that is on no island. */
static void write_foreign(void)
{
	must_write("c_10/metadata.json", metadata);
	must_write("c_10/programs/a1.json",
			   "{\"id\":\"a1\",\"code\":\"x = 1\\n\",\"language\":\"python\",\"parent_id\":null,"
			   "\"generation\":0,\"timestamp\":1795421738.1,\"iteration_found\":0,"
			   "\"metrics\":{\"combined_score\":0.01,\"ratio\":Infinity,\"none\":NaN},"
			   "\"metadata\":{},\"prompts\":null,\"artifacts_json\":null,\"artifact_dir\":null,"
			   "\"embedding\":null}");
	must_write("c_10/programs/b2.json",
			   "{\"id\":\"b2\",\"code\":\"x = 82\\n\",\"parent_id\":\"a1\",\"generation\":1,"
			   "\"timestamp\":1795421738.67,\"iteration_found\":4,"
			   "\"metrics\":{\"combined_score\":0.82,\"ok\":true},\"complexity\":0.0,"
			   "\"metadata\":{\"changes\":\"Change 1\",\"island\":0,"
			   "\"parent_metrics\":{\"combined_score\":0.01}},"
			   "\"prompts\":{\"diff_user\":{\"system\":\"s\"}},"
			   "\"artifacts_json\":\"{\\\"stdout\\\": \\\"hello\\\","
			   " \\\"raw\\\": {\\\"__bytes__\\\": \\\"AP8=\\\"}}\","
			   "\"artifact_dir\":\"artifacts/b2\",\"unknown\":1}");
	must_write("c_10/programs/c3.json",
			   "{\"id\":\"c3\",\"code\":\"x = 3\\n\",\"metrics\":{},\"metadata\":{\"island\":1}}");
}

static int load(const char *name, oe_population **out, oe_error *err)
{
	*err = (oe_error){ .message = "" };
	return oe_population_load(scratch(name), out, err);
}

START_TEST(test_of_openevolve)
{
	OE__AUTO(population) oe_population *population = NULL;
	oe_bytes content;
	oe_error err;
	int32_t bins;

	scratch_enter();
	write_foreign();
	must_write("artifacts/b2/log.txt", "from a file"); /* beside it */
	world_must(load("c_10", &population, &err));
	ck_assert_int_eq(oe_population_iteration(population), 10);
	ck_assert_uint_eq(oe_population_skipped(population), 0);
	ck_assert_uint_eq(oe_population_size(population, 0), 2);
	ck_assert_uint_eq(oe_population_size(population, 1), 0);
	const oe_program *best = oe_population_best(population);
	ck_assert_str_eq(oe_program_id(best), "b2");
	ck_assert_str_eq(oe_program_language(best), "python");
	ck_assert_str_eq(oe_program_changes(best), "Change 1");
	ck_assert_double_eq(oe_program_fitness(best), 0.82);
	ck_assert_uint_eq(oe_program_artifact_count(best), 3);
	ck_assert_str_eq(oe_program_artifact_at(best, 0, &content), "stdout");
	ck_assert_mem_eq(content.data, "hello", 5);
	ck_assert_str_eq(oe_program_artifact_at(best, 1, &content), "raw");
	ck_assert_mem_eq(content.data, "\0\xff", 2);
	ck_assert_str_eq(oe_program_artifact_at(best, 2, &content), "log.txt");
	ck_assert_mem_eq(content.data, "from a file", 11);
	const oe_program *first = oe_population_find(population, "a1");
	double value = 0;
	ck_assert_str_eq(oe_program_metric_at(first, 1, &value), "ratio");
	ck_assert_double_eq(value, (double)INFINITY);
	ck_assert_str_eq(oe_population_dimension(population, 0, &bins), "complexity");
	ck_assert_double_eq(population->features[0].max, 91);
	ck_assert_int_eq(oe_program_island(oe_population_find(population, "c3")), -1); /* an orphan */
	scratch_leave();
}
END_TEST

/* Where the relative directory leads to: in the checkpoint, beside it, from the working directory. */
START_TEST(test_places_of_artifacts)
{
	static const char *const places[] = { "c_10/artifacts/b2/log", "artifacts/b2/log",
										  "elsewhere/artifacts/b2/log" };

	for (size_t i = 0; i < OE__COUNT(places); i++) {
		OE__AUTO(population) oe_population *population = NULL;
		oe_error err;
		scratch_enter();
		write_foreign();
		world_must(oe__directory_make(scratch("elsewhere"), NULL));
		must_write(places[i], "here");
		world_must(chdir(scratch("elsewhere")));
		world_must(load("c_10/", &population, &err));
		const oe_program *program = oe_population_find(population, "b2");
		ck_assert_ptr_nonnull(oe__evaluation_artifact(program->evaluation, "log"));
		ck_assert_int_eq(population->outside, i > 0);
		world_must(chdir("/"));
		scratch_leave();
	}
}
END_TEST

/* What is odd about artifacts costs artifacts, not the program; and nothing waits for anybody. */
START_TEST(test_odd_artifacts)
{
	OE__AUTO(population) oe_population *population = NULL;
	oe_error err;

	scratch_enter();
	write_foreign();
	must_write("c_10/artifacts/b2/good", "good");
	must_write("c_10/artifacts/b2/sub/inner", "not looked at");
	ck_assert_int_eq(mkfifo(scratch("c_10/artifacts/b2/fifo"), 0666), 0);
	ck_assert_int_eq(symlink("nowhere", scratch("c_10/artifacts/b2/dangling")), 0);
	scratch_write("c_10/artifacts/b2/huge", "", 0);
	ck_assert_int_eq(truncate(scratch("c_10/artifacts/b2/huge"), 100 << 20), 0);
	world_must(load("c_10", &population, &err));
	ck_assert_uint_eq(oe_population_skipped(population), 0);
	const oe_program *program = oe_population_find(population, "b2");
	ck_assert_ptr_nonnull(program);
	ck_assert_uint_eq(oe_program_artifact_count(program), 3); /* two of the record, and "good" */
	ck_assert_ptr_nonnull(oe__evaluation_artifact(program->evaluation, "good"));
	scratch_leave();
}
END_TEST

static int load_with_closed_artifacts(void *argument)
{
	OE__AUTO(population) oe_population *population = NULL;
	oe_error err;

	if (oe_population_load(argument, &population, &err) < 0)
		return 1;
	return oe_population_skipped(population) == 0 && oe_population_find(population, "b2") ? 0 : 2;
}

START_TEST(test_closed_artifacts)
{
	if (geteuid() != 0)
		return; /* nobody else to close them */
	scratch_enter();
	write_foreign();
	must_write("c_10/artifacts/b2/log", "x");
	world_must(chmod(scratch("c_10/artifacts/b2"), 0700));
	ck_assert_int_eq(as_nobody(load_with_closed_artifacts, (void *)(uintptr_t)scratch("c_10")), 0);
	scratch_leave();
}
END_TEST

/* ---- broken ones ---- */

START_TEST(test_records_that_cannot_be_read)
{
	static const char *const records[] = {
		"",
		"{",
		"[]",
		"null",
		"{\"id\":\"x\"}",
		"{\"id\":\"\",\"code\":\"x\"}",
		"{\"id\":7,\"code\":\"x\"}",
		"{\"id\":\"x\",\"code\":null}",
		"{\"id\":\"x\",\"code\":\"x\",\"metrics\":[1]}",
		"{\"id\":\"x\",\"code\":\"x\"} more",
	};
	OE__AUTO(population) oe_population *population = NULL;
	oe_error err;

	scratch_enter();
	write_foreign();
	for (size_t i = 0; i < OE__COUNT(records); i++) {
		char name[64];
		(void)snprintf(name, sizeof(name), "c_10/programs/bad%zu.json", i);
		must_write(name, records[i]);
	}
	world_must(oe__directory_make(scratch("c_10/programs/directory.json"), NULL));
	ck_assert_int_eq(mkfifo(scratch("c_10/programs/fifo.json"), 0666), 0);
	must_write("c_10/programs/README", "not a record");
	world_must(load("c_10", &population, &err));
	ck_assert_uint_eq(oe_population_skipped(population), OE__COUNT(records) + 2);
	ck_assert_uint_eq(population->program_count, 3);
	scratch_leave();
}
END_TEST

START_TEST(test_metadata_that_cannot_be_read)
{
	static const struct {
		const char *text;
		int status, line, column;
	} cases[] = {
		{ "", OE_ERR_FORMAT, 1, 1 },
		{ "{\"islands\":\n [", OE_ERR_FORMAT, 2, 3 },
		{ "[]", OE_ERR_FORMAT, 1, 1 },
		{ "null", OE_ERR_FORMAT, 1, 1 },
	};
	OE__AUTO(population) oe_population *population = NULL;
	oe_error err;

	scratch_enter();
	ck_assert_int_eq(load("c_10", &population, &err), OE_ERR_IO);
	ck_assert_str_eq(err.message, "there is no such checkpoint");
	ck_assert_str_eq(err.where, scratch("c_10"));
	must_write("c_10/programs/a1.json", "{\"id\":\"a1\",\"code\":\"\"}");
	ck_assert_int_eq(load("c_10", &population, &err), OE_ERR_IO); /* no metadata */
	for (size_t i = 0; i < OE__COUNT(cases); i++) {
		must_write("c_10/metadata.json", cases[i].text);
		ck_assert_int_eq(load("c_10", &population, &err), cases[i].status);
		ck_assert_str_eq(err.where, scratch("c_10/metadata.json"));
		ck_assert_int_eq(err.line, cases[i].line);
		ck_assert_int_eq(err.column, cases[i].column);
	}
	must_write("c_10/metadata.json", "{}");
	world_must(oe__directory_remove(scratch("c_10/programs"), NULL));
	ck_assert_int_eq(load("c_10", &population, &err), OE_ERR_IO); /* no programs */
	ck_assert_ptr_null(population);
	scratch_leave();
}
END_TEST

/* What contradicts the programs, or itself, is dropped: what is left is a population. */
START_TEST(test_odd_metadata)
{
	static const char *const cases[] = {
		"{}",
		"{\"islands\":[]}",
		"{\"islands\":null,\"archive\":7,\"best_program_id\":{}}",
		"{\"islands\":[[]]}",
		"{\"islands\":[[],[],[]],\"island_best_programs\":[\"a1\"]}",
		"{\"islands\":[7,null,[\"a1\",\"a1\",5,\"gone\"]],\"archive\":[\"gone\",null,\"b2\"]}",
		"{\"islands\":[[\"a1\"]],\"island_feature_maps\":[{\"1\":\"a1\",\"-\":\"a1\",\"1-2-3\":\"a1\","
		"\"99999999-1\":\"a1\",\"1-1\":\"b2\"},[],{\"1-1\":\"a1\"}]}",
		"{\"feature_stats\":{\"x\":7,\"y\":{\"min\":\"a\",\"values\":[null,NaN]}}}",
		"{\"island_generations\":[1,2,3,4],\"last_iteration\":\"ten\"}",
		"{\"oe\":[],\"last_iteration\":1e300}",
		"{\"oe\":{\"dimensions\":[1,\"x\",null],\"bins\":[\"a\",-1,1e9],\"initial\":5,"
		"\"diversity_references\":[1,\"code\"],\"outcomes\":[]}}",
	};

	scratch_enter();
	write_foreign();
	for (size_t i = 0; i < OE__COUNT(cases); i++) {
		OE__AUTO(population) oe_population *population = NULL;
		oe_error err;
		must_write("c_10/metadata.json", cases[i]);
		ck_assert_msg(load("c_10", &population, &err) == 0, "%s: %s", cases[i], err.message);
		ck_assert_int_ge(oe_population_island_count(population), 1);
		for (size_t rank = 0; rank < population->program_count; rank++)
			ck_assert_ptr_nonnull(oe_population_ranked(population, OE_ISLAND_ALL, rank));
		for (size_t cell = 0; cell < population->cell_count; cell++)
			ck_assert_uint_lt(population->cells[cell].elite, population->program_count);
		/* And it can be written. */
		ck_assert_int_eq(oe_population_save(population, scratch("again"), ".py", &err), 0);
	}
	scratch_leave();
}
END_TEST

TEST_MAIN("checkpoint_read", test_of_openevolve, test_places_of_artifacts, test_odd_artifacts,
		  test_closed_artifacts, test_records_that_cannot_be_read, test_metadata_that_cannot_be_read,
		  test_odd_metadata)
