/* The checkpoints of a run: which there are, a new one of it, and fewer of them. */

#include "checkpoints.h"

#include <errno.h>
#include <ftw.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "book.h"
#include "cli.h"
#include "files.h"
#include "handles.h"
#include "json.h"
#include "terminal.h"
#include "text.h"

#define PRUNED ".pruned-" /* what is about to be removed; no reader takes it for a checkpoint */

struct checkpoint {
	long long number;
	char *path;
};

struct checkpoints {
	char *folder;
	struct checkpoint *items; /* by number */
	size_t count;
};

static void auto_checkpoints(struct checkpoints *found)
{
	for (size_t i = 0; i < found->count; i++)
		free(found->items[i].path);
	free(found->items);
	free(found->folder);
}

/* ---- finding ---- */

static int by_number(const void *left, const void *right)
{
	const struct checkpoint *a = left, *b = right;
	return (a->number > b->number) - (a->number < b->number);
}

/* The number in "checkpoint_12"; negative if it is none. */
static long long number_of(const char *name)
{
	static const char prefix[] = "checkpoint_";
	const char *digits = name + sizeof(prefix) - 1;

	if (!text_starts(name, prefix) || !*digits || digits[strspn(digits, "0123456789")])
		return -1;
	return strtoll(digits, NULL, 10);
}

/* Directories of that name which hold metadata. */
static int find(const char *directory, struct checkpoints *out)
{
	AUTO(names) struct names found = { 0 };

	out->folder = must_format("%s/checkpoints", directory);
	if (folder_list(out->folder, "checkpoint_", &found) < 0)
		return errno == ENOENT ? EXIT_DONE
							   : message_fail(EXIT_FAILED, "%s: %s", out->folder, strerror(errno));
	for (size_t i = 0; i < found.count; i++) {
		const char *name = found.items[i];
		AUTO(string) char *metadata = must_format("%s/%s/metadata.json", out->folder, name);
		if (number_of(name) < 0 || !file_exists(metadata))
			continue;
		out->items = must_resize(out->items, out->count + 1, sizeof(*out->items));
		out->items[out->count++] = (struct checkpoint){
			.number = number_of(name),
			.path = must_format("%s/%s", out->folder, name),
		};
	}
	if (out->count > 0)
		qsort(out->items, out->count, sizeof(*out->items), by_number);
	return EXIT_DONE;
}

/* ---- list ---- */

static size_t count_programs(const char *path)
{
	AUTO(string) char *programs = must_format("%s/programs", path);
	AUTO(names) struct names found = { 0 };
	size_t count = 0;

	(void)folder_list(programs, "", &found); /* what is there, is there */
	for (size_t i = 0; i < found.count; i++)
		count += text_ends(found.items[i], ".json");
	return count;
}

/* As OpenEvolve reckons it: "combined_score", or the mean of what are numbers. */
static double fitness_of(json_t *metrics)
{
	const json_t *score = json_object_get(metrics, "combined_score"), *value;
	const char *name;
	double sum = 0;
	int count = 0;

	if (json_is_number(score))
		return json_number_value(score);
	json_object_foreach(metrics, name, value)
	{
		if (!json_is_number(value))
			continue;
		sum += json_number_value(value);
		count++;
	}
	return count > 0 ? sum / count : NAN;
}

/* Without it there is still a checkpoint. */
static json_t *read_info(const char *path)
{
	AUTO(text) struct text text = TEXT_INIT;

	if (file_read(path, &text) == 0)
		return json_read(text_string(&text), path);
	(void)message_fail(EXIT_FAILED, "%s: %s", path, strerror(errno));
	return NULL;
}

static json_t *describe(const struct checkpoint *checkpoint)
{
	AUTO(string) char *path = must_format("%s/best_program_info.json", checkpoint->path);
	json_t *entry = json_object(), *info = read_info(path);
	json_t *metrics = json_object_get(info, "metrics");
	struct stat status;

	json_set(entry, "iteration", json_integer(checkpoint->number));
	json_set(entry, "path", json_words(checkpoint->path));
	json_set(entry, "programs", json_integer((json_int_t)count_programs(checkpoint->path)));
	json_set(entry, "best_id", json_words(json_string_value(json_object_get(info, "id"))));
	json_set(entry, "best", json_number(fitness_of(metrics)));
	json_set(entry, "metrics", metrics ? json_incref(metrics) : json_null());
	json_set(entry, "written", json_number(stat(checkpoint->path, &status) == 0
											   ? (double)status.st_mtime
											   : NAN));
	json_decref(info);
	return entry;
}

static void print_entry(const json_t *entry)
{
	AUTO(text) struct text line = TEXT_INIT;
	AUTO(text) struct text score = TEXT_INIT;
	const json_t *best = json_object_get(entry, "best");

	text_score(&score, json_is_number(best) ? json_number_value(best) : NAN);
	text_format(&line, "%9lld  %6lld programs  best %-9s  ",
				(long long)json_integer_value(json_object_get(entry, "iteration")),
				(long long)json_integer_value(json_object_get(entry, "programs")),
				text_string(&score));
	terminal_clean_line(&line, json_string_value(json_object_get(entry, "path")));
	puts(text_string(&line));
}

int checkpoints_list(const struct arguments *arguments)
{
	struct book book = { 0 };
	__attribute__((cleanup(auto_checkpoints))) struct checkpoints found = { 0 };
	json_t *list = json_array();

	int status = book_open_run(arguments_operand(arguments, 1), &book);
	if (status == EXIT_DONE)
		status = find(book.directory, &found);
	for (size_t i = 0; status == EXIT_DONE && i < found.count; i++)
		json_push(list, describe(&found.items[i]));
	if (status == EXIT_DONE && arguments_has(arguments, "json")) {
		json_t *document = json_document("checkpoints");
		json_set(document, "directory", json_words(book.directory));
		json_set(document, "checkpoints", json_incref(list));
		status = json_print(document);
	} else if (status == EXIT_DONE) {
		for (size_t i = 0; i < found.count; i++)
			print_entry(json_array_get(list, i));
	}
	json_decref(list);
	book_close(&book);
	return status;
}

/* ---- export ---- */

static char *export_path(const struct arguments *arguments, const struct book *book,
						 const oe_population *population)
{
	const char *output = arguments_get(arguments, "output");

	return output ? must_copy(output)
				  : must_format("%s/checkpoints/checkpoint_%lld", book->directory,
								(long long)oe_population_iteration(population));
}

/* It cannot be written, or what it is made of not be read: unlike what is not replaced. */
static bool concerns_store(int status)
{
	return status == OE_ERR_IO || status == OE_ERR_FORMAT || status == OE_ERR_VERSION;
}

static int export(struct book *book, const oe_population *population, const char *path)
{
	AUTO(string) char *folder = path_folder(path);
	oe_error err = { 0 };

	if (oe_population_size(population, OE_ISLAND_ALL) == 0)
		return message_fail(EXIT_STORE, "%s has no programs yet", book->directory);
	if (folder_make(folder) < 0)
		return message_fail(EXIT_STORE, "%s: %s", folder, strerror(errno));
	AUTO(string) char *extension = checkpoints_extension(book->directory);
	int status = book->run ? oe_run_export(book->run, path, &err)
						   : oe_population_save(population, path, extension, &err);
	if (status < 0)
		return message_error(concerns_store(status) ? EXIT_STORE : EXIT_FAILED, status, &err);
	terminal_print_line(path);
	return EXIT_DONE;
}

int checkpoints_export(const struct arguments *arguments)
{
	struct book book = { 0 };
	oe_population *population = NULL;

	int status = book_open(arguments_operand(arguments, 1), &book);
	if (status == EXIT_DONE && !book.run && !arguments_has(arguments, "output"))
		status = arguments_misuse(arguments->command, "a checkpoint: -o DIR says where to");
	if (status == EXIT_DONE)
		status = book_population(&book, &population);
	if (status == EXIT_DONE) {
		AUTO(string) char *path = export_path(arguments, &book, population);
		status = export(&book, population, path);
	}
	return book_finish(&book, status);
}

/* ---- prune ---- */

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *place)
{
	(void)info, (void)type, (void)place;
	return remove(path);
}

/* First out of everybody's sight, so that what is left of an interrupted removal is no checkpoint. A run that
   goes on just then removes what is left, too. */
static int remove_checkpoint(const struct checkpoints *found, const struct checkpoint *checkpoint)
{
	AUTO(string) char *aside =
		must_format("%s/" PRUNED "%ld-%lld", found->folder, (long)getpid(), checkpoint->number);

	if (rename(checkpoint->path, aside) < 0 ||
		(nftw(aside, remove_entry, 16, FTW_DEPTH | FTW_PHYS) != 0 && errno != ENOENT))
		return message_fail(EXIT_STORE, "%s: %s", checkpoint->path, strerror(errno));
	return EXIT_DONE;
}

/* The run's log begins with the checkpoint that the run began from: without it nothing can be read. */
static int find_needed(struct book *book, char **name)
{
	const char *origin;
	oe_error err = { 0 };

	int found = oe_run_get_property(book->run, "checkpoint", &origin, &err);
	if (found < 0)
		return message_error(EXIT_STORE, found, &err);
	*name = must_copy(found ? path_name(origin) : "");
	return EXIT_DONE;
}

static int prune(struct book *book, const struct checkpoints *found, size_t keep, bool dry,
				 json_t *removed)
{
	AUTO(string) char *needed = NULL;

	int status = find_needed(book, &needed);
	for (size_t i = 0; status == EXIT_DONE && i + keep < found->count; i++) {
		const struct checkpoint *checkpoint = &found->items[i];
		if (strcmp(needed, path_name(checkpoint->path)) == 0)
			continue;
		if (!dry)
			status = remove_checkpoint(found, checkpoint);
		if (status == EXIT_DONE && removed)
			json_push(removed, json_words(checkpoint->path));
		else if (status == EXIT_DONE)
			terminal_print_line(checkpoint->path);
	}
	return status;
}

int checkpoints_prune(const struct arguments *arguments)
{
	struct book book = { 0 };
	__attribute__((cleanup(auto_checkpoints))) struct checkpoints found = { 0 };
	bool dry = arguments_has(arguments, "dry-run"), json = arguments_has(arguments, "json");
	long keep = arguments_whole(arguments, "keep", 0);

	if (keep < 1)
		return arguments_misuse(arguments->command, "how many? --keep N, at least 1");
	int status = book_open_run(arguments_operand(arguments, 1), &book);
	if (status == EXIT_DONE)
		status = find(book.directory, &found);
	json_t *removed = json ? json_array() : NULL;
	if (status == EXIT_DONE)
		status = prune(&book, &found, (size_t)keep, dry, removed);
	if (json && status == EXIT_DONE) {
		json_t *document = json_document("prune");
		json_set(document, "directory", json_words(book.directory));
		json_set(document, "dry_run", json_boolean(dry));
		json_set(document, "removed", json_incref(removed));
		status = json_print(document);
	}
	json_decref(removed);
	book_close(&book);
	return status;
}
