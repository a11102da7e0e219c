/* Finding runs and programs by the names that people give them. */

#include "book.h"

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli.h"
#include "commands.h"
#include "files.h"
#include "handles.h"
#include "json.h"

const struct option options_which[] = {
	{ "run", "DIR", "the run, or a checkpoint; by default the newest below this directory", NULL,
	  NULL, OPTION_FOLDER, 0 },
	{ 0 },
};

/* ---- runs ---- */

static bool holds(const char *directory, const char *file)
{
	AUTO(string) char *path = must_format("%s/%s", directory, file);

	return file_exists(path);
}

/* The run.db written to last among those that a user may mean by saying nothing. */
static char *newest_run(void)
{
	static const char *const patterns[] = { "run.db", "openevolve_output/run.db",
											"openevolve_output/*/run.db", "*/run.db",
											"*/openevolve_output/run.db" };
	char *newest = NULL;
	struct timespec when = { 0 };

	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
		glob_t found;
		if (glob(patterns[i], 0, NULL, &found) != 0)
			continue;
		for (size_t j = 0; j < found.gl_pathc; j++) {
			struct stat about;
			if (stat(found.gl_pathv[j], &about) < 0)
				continue;
			struct timespec time = about.st_mtim;
			if (newest && (time.tv_sec < when.tv_sec ||
						   (time.tv_sec == when.tv_sec && time.tv_nsec <= when.tv_nsec)))
				continue;
			free(newest);
			newest = path_folder(found.gl_pathv[j]);
			when = time;
		}
		globfree(&found);
	}
	return newest;
}

static char *find_directory(const char *where)
{
	AUTO(string) char *inside = must_format("%s/openevolve_output", where);

	if (!holds(where, "run.db") && !holds(where, "metadata.json") && holds(inside, "run.db"))
		return must_copy(inside);
	return must_copy(where);
}

char *book_find(const char *where)
{
	return where ? find_directory(where) : newest_run();
}

int book_open(const char *where, struct book *out)
{
	oe_error err = { 0 };
	int status;

	*out = (struct book){ .directory = book_find(where) };
	if (!out->directory)
		return message_fail(EXIT_FAILED, "there is no run below this directory");
	if (!file_exists(out->directory))
		status = message_fail(EXIT_FAILED, "%s: %s", out->directory, strerror(errno));
	else if (holds(out->directory, "run.db"))
		status = oe_run_open(out->directory, &out->run, &err);
	else if (holds(out->directory, "metadata.json"))
		status = oe_population_load(out->directory, &out->population, &err);
	else
		status = message_fail(EXIT_STORE, "%s holds neither a run nor a checkpoint",
							  out->directory);
	if (status < 0)
		status = message_error(EXIT_STORE, status, &err);
	if (status)
		book_close(out);
	return status;
}

int book_open_run(const char *where, struct book *out)
{
	int status = book_open(where, out);

	if (status || out->run)
		return status;
	status = message_fail(EXIT_STORE, "%s is a checkpoint: only a run's own directory tells this",
						  out->directory);
	book_close(out);
	return status;
}

void book_close(struct book *book)
{
	oe_population_unref(book->population);
	oe_run_close(book->run);
	free(book->directory);
	*book = (struct book){ 0 };
}

static bool tell_skipped(const struct book *book)
{
	const oe_error *problem = book->run ? NULL : oe_population_problem(book->population);

	if (!problem)
		return false;
	(void)message_fail(EXIT_STORE, "%s: %zu of its programs cannot be read; the first: %s: %s",
					   book->directory, oe_population_skipped(book->population), problem->where,
					   problem->message);
	return true;
}

/* That something is not there, or differs, may be for what could not be read. */
int book_finish(struct book *book, int status)
{
	bool damaged = tell_skipped(book);

	book_close(book);
	return damaged && (status == EXIT_DONE || status == EXIT_FAILED) ? EXIT_STORE : status;
}

int book_population(struct book *book, oe_population **out)
{
	oe_error err = { 0 };

	if (!book->population) {
		int status = oe_run_population(book->run, &book->population, &err);
		if (status < 0)
			return message_error(EXIT_STORE, status, &err);
	}
	*out = book->population;
	return EXIT_DONE;
}

int book_config(struct book *book, char **out)
{
	AUTO(config) oe_config *config = NULL;
	AUTO(string) char *path = must_format("%s/run.db", book->directory);
	const char *text;
	oe_error err = { 0 };

	int status = oe_run_get_property(book->run, "config", &text, &err);
	if (status < 0)
		return message_error(EXIT_STORE, status, &err);
	if (status == 0)
		return message_fail(EXIT_STORE, "%s: the run has no configuration", path);
	status = oe_config_new(&config);
	if (status < 0)
		return message_error(EXIT_FAILED, status, NULL);
	status = oe_config_load_text(config, text, strlen(text), "", &err);
	if (status < 0)
		return message_fail(EXIT_STORE, "%s: its configuration is damaged: line %d: %s", path, err.line,
							err.message);
	*out = must_copy(text);
	return EXIT_DONE;
}

int book_issued(struct book *book, int64_t *out)
{
	AUTO(run_text) char *text = NULL;
	oe_error err = { 0 };

	int status = oe_run_status_json(book->run, &text, &err);
	if (status < 0)
		return message_error(EXIT_STORE, status, &err);
	json_t *root = json_read(text, "the status");
	const json_t *issued = json_object_get(json_object_get(root, "iterations"), "issued");
	bool known = json_is_integer(issued);
	*out = json_integer_value(issued);
	if (root && !known)
		(void)message_fail(EXIT_STORE, "the status does not tell the iterations");
	json_decref(root);
	return known ? EXIT_DONE : EXIT_STORE;
}

/* ---- programs ---- */

static int not_there(const struct book *book, const char *name)
{
	return message_fail(EXIT_FAILED, "%s has no program '%s'", book->directory, name);
}

static int of_iteration(struct book *book, const char *name, oe_program **out)
{
	char *end;
	long long number = strtoll(name + 1, &end, 10);
	oe_run_iteration iteration = { .struct_size = sizeof(iteration) };
	oe_error err = { 0 };

	if (end == name + 1 || *end)
		return not_there(book, name);
	if (!book->run)
		return message_fail(EXIT_FAILED, "'%s': a checkpoint does not know its iterations", name);
	int got = oe_run_iteration_at(book->run, number, &iteration, &err);
	if (got < 0)
		return message_error(EXIT_STORE, got, &err);
	if (got == 0)
		return message_fail(EXIT_FAILED, "there is no iteration %lld", number);
	if (!iteration.program_id)
		return message_fail(EXIT_FAILED, "iteration %lld made no program: %s", number,
							oe_outcome_name(iteration.outcome));
	AUTO(string) char *id = must_copy(iteration.program_id);
	got = oe_run_program(book->run, id, out, &err);
	return got < 0 ? message_error(EXIT_STORE, got, &err) : EXIT_DONE;
}

/* Among the programs of a checkpoint. */
static int of_population(struct book *book, const char *name, oe_program **out)
{
	oe_program *program, *found = NULL;
	size_t size = strlen(name);

	if (strcmp(name, "best") == 0) {
		found = oe_population_best(book->population);
		size = 0;
	}
	bool initial = strcmp(name, "initial") == 0;
	for (size_t i = 0; size && (program = oe_population_ranked(book->population, OE_ISLAND_ALL, i));
		 i++) {
		bool fits = initial ? !oe_program_parent_id(program)
							: strncmp(oe_program_id(program), name, size) == 0;
		if (!fits)
			continue;
		if (found && !initial)
			return message_fail(EXIT_FAILED, "'%s' is the beginning of several identifiers", name);
		found = program;
	}
	if (!found)
		return not_there(book, name);
	*out = oe_program_ref(found);
	return EXIT_DONE;
}

static int plain_name(struct book *book, const char *name, oe_program **out)
{
	oe_error err = { 0 };

	if (name[0] == '@')
		return of_iteration(book, name, out);
	if (!book->run)
		return of_population(book, name, out);
	int status = oe_run_program(book->run, name, out, &err);
	if (status < 0)
		return message_error(status == OE_ERR_INVALID ? EXIT_FAILED : EXIT_STORE, status, &err);
	return EXIT_DONE;
}

int book_parent(struct book *book, const oe_program *program, oe_program **out)
{
	const char *id = oe_program_parent_id(program);
	oe_error err = { 0 };

	*out = NULL;
	if (!id)
		return EXIT_DONE;
	if (!book->run) {
		oe_program *parent = oe_population_find(book->population, id);
		if (!parent)
			return not_there(book, id);
		*out = oe_program_ref(parent);
		return EXIT_DONE;
	}
	AUTO(string) char *copy = must_copy(id);
	int status = oe_run_program(book->run, copy, out, &err);
	return status < 0 ? message_error(EXIT_STORE, status, &err) : EXIT_DONE;
}

/* How many generations a suffix goes up: "~" is 1. Negative if it is none. */
static long steps_up(const char *suffix)
{
	char *end;

	if (suffix[0] != '~')
		return suffix[0] ? -1 : 0;
	if (!suffix[1])
		return 1;
	long steps = strtol(suffix + 1, &end, 10);
	return *end || steps < 0 ? -1 : steps;
}

int book_program(struct book *book, const char *name, oe_program **out)
{
	size_t size = strcspn(name, "~");
	long steps = steps_up(name + size);
	AUTO(string) char *plain = must_format("%.*s", (int)size, name);
	AUTO(program) oe_program *program = NULL;

	if (steps < 0)
		return not_there(book, name);
	int status = plain_name(book, plain, &program);
	for (; status == EXIT_DONE && steps > 0; steps--) {
		oe_program *parent;
		status = book_parent(book, program, &parent);
		if (status == EXIT_DONE && !parent)
			return message_fail(EXIT_FAILED, "'%s' goes beyond an initial program", name);
		if (status == EXIT_DONE) {
			oe_program_unref(program);
			program = parent;
		}
	}
	if (status == EXIT_DONE) {
		*out = program;
		program = NULL;
	}
	return status;
}
