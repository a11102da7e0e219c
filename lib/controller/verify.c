/* oe_run_verify() of openevolve/run.h. */

#include "base/alloc.h"
#include "base/auto.h"
#include "base/error.h"
#include "base/file.h"
#include "openevolve/run.h"
#include "program/population.h"
#include "store/verify.h"

OE__AUTO_POINTER(run, oe_run *, oe_run_close)

static int check_database(const char *directory, oe_error *err)
{
	OE__AUTO(string) char *path = oe__path_join(directory, "run.db");
	OE__AUTO(database) struct oe__database *database = NULL;

	if (!path)
		return oe__error_nomem(err);
	int status = oe__database_open_reader(path, &database, err);
	return status < 0 ? status : oe__database_verify(database, err);
}

int oe_run_verify(const char *directory, oe_error *err)
{
	OE__AUTO(run) oe_run *run = NULL;
	OE__AUTO(population) oe_population *population = NULL;

	int status = oe_run_open(directory, &run, err);
	if (status == 0)
		status = check_database(directory, err);
	if (status == 0) /* which plays the log: every decision has to come out as it is recorded */
		status = oe_run_population(run, &population, err);
	return status;
}
