/* oe list: the programs of a run, as a table, JSON or CSV. */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "book.h"
#include "cli.h"
#include "commands.h"
#include "handles.h"
#include "json.h"
#include "terminal.h"

struct list {
	oe_program **items; /* a reference each */
	size_t count, capacity;
};

static void add(struct list *list, oe_program *program)
{
	if (list->count == list->capacity) {
		list->capacity = list->capacity ? 2 * list->capacity : 64;
		list->items = must_resize(list->items, list->capacity, sizeof(oe_program *));
	}
	list->items[list->count++] = program;
}

static void done(struct list *list)
{
	for (size_t i = 0; i < list->count; i++)
		oe_program_unref(list->items[i]);
	free(list->items);
}

/* Which metric to sort by; qsort() has no argument for it. NULL: fitness. */
static const char *sort_metric;

static double key_of(const oe_program *program)
{
	const char *name;
	double value;

	if (!sort_metric)
		return oe_program_fitness(program);
	if (strcmp(sort_metric, "iteration") == 0)
		return (double)oe_program_iteration(program);
	if (strcmp(sort_metric, "generation") == 0)
		return (double)oe_program_generation(program);
	for (size_t i = 0; (name = oe_program_metric_at(program, i, &value)); i++)
		if (strcmp(name, sort_metric) == 0)
			return value;
	return NAN;
}

static bool is_known(const struct list *list)
{
	for (size_t i = 0; i < list->count; i++)
		if (!isnan(key_of(list->items[i])))
			return true;
	return list->count == 0 || !sort_metric;
}

/* Falling, NaN last. */
static int by_key(const void *a, const void *b)
{
	double x = key_of(*(oe_program *const *)a), y = key_of(*(oe_program *const *)b);

	if (isnan(x) || isnan(y))
		return isnan(x) - isnan(y);
	return (x < y) - (x > y);
}

static int collect(struct book *book, bool all, int32_t island, struct list *list)
{
	oe_program *program = NULL;
	oe_population *population;
	oe_error err = { 0 };

	if (all && book->run) {
		int got;
		for (int64_t cursor = 0;
			 (got = oe_run_next_program(book->run, &cursor, &program, &err)) > 0;) {
			if (island < 0 || oe_program_island(program) == island)
				add(list, program);
			else
				oe_program_unref(program);
		}
		return got < 0 ? message_error(EXIT_STORE, got, &err) : EXIT_DONE;
	}
	int status = book_population(book, &population);
	if (status)
		return status;
	if (island >= oe_population_island_count(population))
		return message_fail(EXIT_FAILED, "there are %d islands",
							oe_population_island_count(population));
	for (size_t i = 0; (program = oe_population_ranked(population, island, i)); i++)
		add(list, oe_program_ref(program));
	return EXIT_DONE;
}

/* ---- forms ---- */

static void print_table(const struct list *list, size_t count)
{
	size_t columns, rows;
	bool known = terminal_size(stdout, &columns, &rows);

	printf("%-10s %10s %8s %4s %4s  %s\n", "id", "fitness", "it", "gen", "isl", "changes");
	for (size_t i = 0; i < count; i++) {
		const oe_program *program = list->items[i];
		AUTO(text) struct text score = TEXT_INIT;
		AUTO(text) struct text line = TEXT_INIT;
		const char *changes = oe_program_changes(program);
		text_score(&score, oe_program_fitness(program));
		text_format(&line, "%-10.8s %10s %8lld %4lld %4d  ", oe_program_id(program),
					text_string(&score), (long long)oe_program_iteration(program),
					(long long)oe_program_generation(program), oe_program_island(program));
		terminal_clean(&line, changes, strcspn(changes, "\n"), false);
		AUTO(text) struct text fitting = TEXT_INIT;
		if (known)
			terminal_fit(&fitting, text_string(&line), columns);
		else
			text_add(&fitting, text_string(&line));
		puts(text_string(&fitting));
	}
}

static int print_json(const struct list *list, size_t count)
{
	json_t *root = json_document("programs");
	json_t *programs = json_array();

	for (size_t i = 0; i < count; i++)
		json_push(programs, json_program(list->items[i], 0));
	json_set(root, "programs", programs);
	json_set(root, "total", json_integer((json_int_t)list->count));
	return json_print(root);
}

/* RFC 4180; columns for the metrics of the first program. */
static void add_csv(struct text *line, const char *value)
{
	text_add_char(line, '"');
	for (const char *s = value; *s; s++) {
		if (*s == '"')
			text_add_char(line, '"');
		text_add_char(line, *s);
	}
	text_add_char(line, '"');
}

static void add_csv_metric(struct text *line, const oe_program *program, const char *wanted)
{
	const char *name;
	double value;

	text_add_char(line, ',');
	for (size_t i = 0; (name = oe_program_metric_at(program, i, &value)); i++)
		if (strcmp(name, wanted) == 0 && !isnan(value))
			text_format(line, "%.17g", value);
}

static void print_csv(const struct list *list, size_t count)
{
	const oe_program *first = count ? list->items[0] : NULL;
	AUTO(text) struct text text = TEXT_INIT;
	const char *name;

	text_add(&text, "id,parent_id,iteration,generation,island,fitness");
	for (size_t i = 0; first && (name = oe_program_metric_at(first, i, NULL)); i++) {
		text_add_char(&text, ',');
		add_csv(&text, name);
	}
	text_add(&text, "\r\n");
	for (size_t i = 0; i < count; i++) {
		const oe_program *program = list->items[i];
		const char *parent = oe_program_parent_id(program);
		text_format(&text, "%s,%s,%lld,%lld,%d,%.17g", oe_program_id(program),
					parent ? parent : "", (long long)oe_program_iteration(program),
					(long long)oe_program_generation(program), oe_program_island(program),
					oe_program_fitness(program));
		for (size_t j = 0; first && (name = oe_program_metric_at(first, j, NULL)); j++)
			add_csv_metric(&text, program, name);
		text_add(&text, "\r\n");
	}
	terminal_print(stdout, text_string(&text), text.size);
}

static int run(const struct arguments *arguments)
{
	const char *format = arguments_get(arguments, "format");
	struct list list = { 0 };
	struct book book;

	int status = book_open(arguments_operand(arguments, 0), &book);
	if (status)
		return status;
	long island = arguments_whole(arguments, "island", OE_ISLAND_ALL);
	status = collect(&book, arguments_has(arguments, "all"),
					 island < INT32_MAX ? (int32_t)island : INT32_MAX, &list);
	sort_metric = arguments_get(arguments, "sort");
	if (sort_metric && strcmp(sort_metric, "fitness") == 0)
		sort_metric = NULL;
	if (status == EXIT_DONE && !is_known(&list))
		status = message_fail(EXIT_FAILED, "no program has a number called '%s'", sort_metric);
	if (list.count)
		qsort(list.items, list.count, sizeof(list.items[0]), by_key);
	size_t limit = (size_t)arguments_whole(arguments, "number", 20);
	size_t count = limit && limit < list.count ? limit : list.count;
	if (status == EXIT_DONE && (arguments_has(arguments, "json") ||
								(format && strcmp(format, "json") == 0)))
		status = print_json(&list, count);
	else if (status == EXIT_DONE && format && strcmp(format, "csv") == 0)
		print_csv(&list, count);
	else if (status == EXIT_DONE)
		print_table(&list, count);
	if (status == EXIT_DONE && count < list.count)
		message("%zu of %zu %sprograms; -n 0 shows all", count, list.count,
				arguments_has(arguments, "all") ? "" : "live ");
	done(&list);
	return book_finish(&book, status);
}

static const struct option options[] = {
	{ "number", "N", "how many; 0 is all (default 20)", NULL, NULL, OPTION_WHOLE, 'n' },
	{ "sort", "WHAT", "fitness, iteration, generation or the name of a metric; falling", NULL, NULL,
	  OPTION_TEXT, 0 },
	{ "island", "I", "only those of this island", NULL, NULL, OPTION_WHOLE, 0 },
	{ "all", NULL, "every program that was ever made, not only the live ones", NULL, NULL,
	  OPTION_FLAG, 0 },
	{ "format", "FORM", "how to print them", "table|json|csv", NULL, OPTION_CHOICE, 'f' },
	{ 0 },
};

static const struct option *const tables[] = { options, options_json, options_common, NULL };

const struct command command_list = {
	.name = "list",
	.group = "Look",
	.summary = "List the programs of a run",
	.operands = "[RUN]",
	.options = tables,
	.examples = {
		{ "oe list -n 5", "the five fittest" },
		{ "oe list openevolve_output --all -n 0 -f csv > all.csv", "everything, for a spreadsheet" },
	},
	.operands_max = 1,
	.run = run,
};
