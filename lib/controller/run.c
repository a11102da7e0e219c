/* A run that is read: oe_run of openevolve/run.h. */

#include "openevolve/run.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "config/config.h"
#include "controller/recorded.h"
#include "controller/replay.h"
#include "controller/run_internal.h"
#include "hub/hub.h"
#include "store/directory.h"
#include "store/load.h"

/* ---- life ---- */

/* Where the best program of a run is there was one, whatever has become of run.db. */
static int check_unmade(const oe_run *run, oe_error *err)
{
	OE__AUTO(string) char *best = oe__path_join(run->path, "best");

	if (!best)
		return oe__error_nomem(err);
	return oe__file_exists(best)
	           ? oe__error_at(err, OE_ERR_FORMAT, run->file, 0, 0,
	                          "it is empty, though the run has written its best program: it is damaged")
	           : 0;
}

/* 1, 0 if nothing was made in it yet, or a status. */
static int open_database(oe_run *run, const char *directory, oe_error *err)
{
	run->path = oe__path_absolute(directory);
	run->file = run->path ? oe__path_join(run->path, "run.db") : NULL;
	if (!run->file)
		return oe__error_nomem(err);
	if (!oe__file_exists(run->file))
		return oe__error_at(err, OE_ERR_STATE, directory, 0, 0, "there is no run in this directory");
	int status = oe__database_open_reader(run->file, &run->database, err);
	if (status == OE_ERR_STATE)
		return check_unmade(run, err);
	return status < 0 ? status : 1;
}

int oe__run_open(const char *directory, oe_run **out, oe_error *err)
{
	if (!directory || !out)
		return oe__error(err, OE_ERR_INVALID, "oe_run_open: NULL argument");
	oe_run *run = oe__calloc(1, sizeof(*run));
	if (!run)
		return oe__error_nomem(err);
	int got = open_database(run, directory, err);
	if (got > 0)
		*out = run;
	else
		oe_run_close(run);
	return got;
}

/* Nothing came of it, and it has not said why it ended. What cannot be read is said by whoever needs it. */
static bool never_began(oe_run *run)
{
	OE__AUTO(string) char *state = NULL;

	return oe__log_has_begun(run->database, NULL) == 0 &&
	       oe__database_get(run->database, "state", &state, NULL) == 0 &&
	       (!state || strcmp(state, "running") == 0);
}

int oe_run_open(const char *directory, oe_run **out, oe_error *err)
{
	OE__AUTO(run) oe_run *run = NULL;
	bool locked = directory && oe__directory_is_locked(directory); /* before the look: it may end meanwhile */

	int got = out ? oe__run_open(directory, &run, err)
	              : oe__error(err, OE_ERR_INVALID, "oe_run_open: NULL argument");
	if (got < 0)
		return got;
	if (locked && got == 0)
		return oe__error_at(err, OE_ERR_STATE, directory, 0, 0, "the run is about to begin");
	if (!locked && (got == 0 || never_began(run)))
		return oe__error_at(err, OE_ERR_STATE, directory, 0, 0, OE__NOT_BEGUN);
	*out = OE__STEAL(run);
	return 0;
}

void oe__run_forget_iteration(oe_run *run)
{
	oe__answer_done(&run->answer);
	oe__free(OE__STEAL(run->program_id));
	oe__free(OE__STEAL(run->parent_id));
	oe__free(OE__STEAL(run->message));
}

void oe_run_close(oe_run *run)
{
	if (!run)
		return;
	oe__run_forget_iteration(run);
	oe__database_close(run->database);
	oe__free(run->property);
	oe__free(run->file);
	oe__free(run->path);
	oe__free(run);
}

void oe_run_free_text(char *text)
{
	oe__free(text);
}

/* ---- properties ---- */

int oe_run_get_property(oe_run *run, const char *name, const char **out, oe_error *err)
{
	if (!run || !name || !out)
		return oe__error(err, OE_ERR_INVALID, "oe_run_get_property: NULL argument");
	*out = NULL;
	oe__free(OE__STEAL(run->property));
	int status = oe__database_get(run->database, name, &run->property, err);
	if (status < 0 || !run->property)
		return status;
	/* A run whose process is gone cannot have said so itself. */
	if (strcmp(name, "state") == 0 && strcmp(run->property, "running") == 0 &&
	    !oe__directory_is_locked(run->path)) {
		oe__free(run->property);
		run->property = oe__strdup("interrupted");
		if (!run->property)
			return oe__error_nomem(err);
	}
	*out = run->property;
	return 1;
}

const char *oe_run_property(oe_run *run, const char *name)
{
	const char *value = NULL;

	return oe_run_get_property(run, name, &value, NULL) > 0 ? value : NULL;
}

/* ---- what it was made with ---- */

int oe__run_config(oe_run *run, oe_config **out, oe_error *err)
{
	return oe__recorded_config(run->database, out, err);
}

/* ---- the hub, rebuilt ---- */

int oe__run_rebuild(oe_run *run, int64_t number, int32_t attempt, oe_hub **hub, struct oe__replay *replay,
                    oe_error *err)
{
	OE__AUTO(config) oe_config *config = NULL;

	int status = oe__run_config(run, &config, err);
	if (status == 0)
		status = oe_hub_new(config, hub, err);
	int64_t held = -1;
	if (status == 0)
		status = oe__database_number(
			run->database, "SELECT value FROM meta WHERE key = 'held_at' AND value <> ''", &held, err);
	if (status == 0 && held >= 0)
		oe__hub_hold(*hub, held); /* the run was over there, whatever came after */
	if (status == 0)
		status = oe__replay_begin(run->file, config, *hub, replay, err);
	return status < 0 ? status : oe__replay_run(replay, number, attempt, err);
}

int oe__run_archive_hash(oe_run *run, char **out, oe_error *err)
{
	int status = oe__database_get(run->database, "archive_hash", out, err);

	if (status == 0 && !*out)
		*out = oe__strdup("");
	return status == 0 && !*out ? oe__error_nomem(err) : status;
}

int oe_run_population(oe_run *run, oe_population **out, oe_error *err)
{
	OE__AUTO(replay) struct oe__replay replay = { 0 };
	oe_hub *hub = NULL;

	if (!run || !out)
		return oe__error(err, OE_ERR_INVALID, "oe_run_population: NULL argument");
	int status = oe__run_rebuild(run, 0, 0, &hub, &replay, err);
	if (status >= 0)
		status = oe_hub_population(hub, out);
	oe_hub_free(hub);
	return status;
}
