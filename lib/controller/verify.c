/* oe_run_verify() of openevolve/run.h. */

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/text.h"
#include "controller/recipes.h"
#include "controller/replay.h"
#include "controller/run_internal.h"
#include "hub/hub.h"
#include "program/population.h"
#include "store/verify.h"

/* ---- what it was made with ---- */

static int check_settings(oe_run *run, oe_error *err)
{
	OE__AUTO(recipes) struct oe__recipes recipes = { 0 };
	OE__AUTO(string) char *held = NULL;
	int64_t number;

	int status = oe__recipes_read(run->database, &recipes, err);
	if (status == 0)
		status = oe__database_get(run->database, "held_at", &held, err);
	if (status < 0 || !held || !*held)
		return status;
	return oe__parse_int(held, strlen(held), &number) && number >= 0
	           ? 0
	           : oe__error_at(err, OE_ERR_FORMAT, run->file, 0, 0,
	                          "row 'held_at' of the table meta: '%s' is no number", held);
}

/* ---- the log, played ---- */

/* While it is played. */
struct play {
	const oe_run *run;
	int64_t unrecorded; /* the first iteration that has ended, and of which no row says how; 0: none */
};

/* The hub decides where it was; that it decides the same number and parent has been seen. */
static int check_island(void *owner, const struct oe__log_entry *entry, oe_iteration *iteration,
                        oe_program *program, oe_error *err)
{
	const struct play *play = owner;

	(void)program;
	if (!iteration || iteration->island == entry->island)
		return 0;
	return oe__error_at(err, OE_ERR_FORMAT, play->run->file, 0, 0,
	                    "row %lld of the log: it was on island %d, not %d", (long long)entry->seq,
	                    (int)iteration->island, (int)entry->island);
}

static void note_unrecorded(void *owner, const oe_iteration *iteration, int outcome)
{
	struct play *play = owner;

	(void)outcome;
	if (play->unrecorded == 0)
		play->unrecorded = iteration->number;
}

static int play_log(oe_run *run, struct play *play, oe_population **out, oe_error *err)
{
	OE__AUTO(replay) struct oe__replay replay = { .repeat = check_island,
	                                              .unrecorded = note_unrecorded,
	                                              .owner = play };
	oe_hub *hub = NULL;

	int status = oe__run_rebuild(run, 0, 0, &hub, &replay, err);
	if (status >= 0)
		status = oe__database_verify_fitness(run->database, &replay.axes->dimensions, err);
	if (status >= 0)
		status = oe_hub_population(hub, out);
	oe_hub_free(hub);
	return status;
}

/* Has it ended, and not gone on since? One that was killed may have had no time to say how all ended. */
static int check_end(oe_run *run, const struct play *play, const oe_population *population,
                     const char *noted, oe_error *err)
{
	OE__AUTO(string) char *now = NULL;
	char hash[2 * OE__SHA256_SIZE + 1];

	int status = oe__run_archive_hash(run, &now, err);
	if (status < 0 || !*noted || strcmp(now, noted) != 0)
		return status;
	if (play->unrecorded > 0)
		return oe__error_at(err, OE_ERR_FORMAT, run->file, 0, 0,
		                    "iteration %lld: the outcome that it had is missing in the log",
		                    (long long)play->unrecorded);
	if (oe_population_hash(population, hash) < 0)
		return oe__error_nomem(err);
	if (strcmp(hash, noted) == 0)
		return 0;
	return oe__error_at(err, OE_ERR_FORMAT, run->file, 0, 0,
	                    "its archive is not the one that the run ended with: a program, or what it "
	                    "scored, has changed");
}

/* Every decision has to come out as it is recorded. */
static int check_log(oe_run *run, oe_error *err)
{
	OE__AUTO(population) oe_population *population = NULL;
	OE__AUTO(string) char *hash = NULL;
	struct play play = { .run = run };

	int status = oe__run_archive_hash(run, &hash, err); /* before the log, which may go on */
	if (status == 0)
		status = play_log(run, &play, &population, err);
	if (status == 0)
		status = oe__database_verify_islands(run->database, population->island_count, err);
	return status < 0 ? status : check_end(run, &play, population, hash, err);
}

int oe_run_verify(const char *directory, oe_error *err)
{
	OE__AUTO(run) oe_run *run = NULL;

	int status = oe__run_open(directory, &run, err);
	if (status <= 0) /* where nothing was made nothing is wrong */
		return status;
	status = oe__database_verify(run->database, err);
	if (status == 0)
		status = oe__log_has_begun(run->database, err);
	if (status <= 0)
		return status;
	status = check_settings(run, err);
	return status < 0 ? status : check_log(run, err);
}
