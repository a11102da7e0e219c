#include "exports.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "books.h"
#include "controller/export.h"
#include "disk.h"
#include "files.h"
#include "openevolve/population.h"
#include "program/population.h"
#include "session.h"
#include "world.h"

#define PREFIX "checkpoint_"

struct export {
	int64_t number;
	char hash[HASH_SIZE], next[HASH_SIZE]; /* empty: none; the latter while it is written */
};

static struct {
	struct export *exports;
	int64_t count, capacity, written;
} all;

void exports_begin(void)
{
	all.count = all.written = 0;
}

int64_t exports_written(void)
{
	return all.written;
}

static struct export *find(int64_t number)
{
	for (int64_t i = 0; i < all.count; i++)
		if (all.exports[i].number == number)
			return &all.exports[i];
	all.exports = books_grow(all.exports, &all.capacity, all.count, sizeof(*all.exports));
	all.exports[all.count] = (struct export){ .number = number };
	return &all.exports[all.count++];
}

/* ---- as it is written ---- */

static void hash_of(const oe_population *population, char hash[HASH_SIZE])
{
	if (oe_population_hash(population, hash) < 0)
		violated("a population has no hash");
}

/* An export of what the log has, not of more. */
static void check_durable(const oe_population *population)
{
	for (size_t i = 0; i < population->program_count; i++) {
		const oe_program *program = population->programs[i];
		if (program->iteration <= books.base)
			continue;
		const struct slot *slot = books_slot(program->iteration);
		if (program->iteration > books.figures.issued || slot->end == NONE ||
		    !books.records[slot->end].durable)
			violated("a checkpoint shows the program of number %lld, whose end is not durable",
			         (long long)program->iteration);
	}
}

static void check_same(const oe_population *population, const char *directory, const char *hash)
{
	OE__AUTO(population) oe_population *there = NULL;
	char other[HASH_SIZE];
	oe_error err = { 0 };

	if (oe_population_load(directory, &there, &err) < 0)
		violated("a checkpoint that was written cannot be read: %s", err.message);
	hash_of(there, other);
	if (strcmp(hash, other) != 0)
		violated("the checkpoint after %lld iterations has another archive than the run had",
		         (long long)population->ended);
	if (there->ended != population->ended || there->issued != population->issued ||
	    memcmp(there->outcomes, population->outcomes, sizeof(there->outcomes)) != 0)
		violated("the checkpoint after %lld iterations counts others", (long long)population->ended);
	if (there->program_count < population->program_count)
		violated("%lld programs of a checkpoint are missing",
		         (long long)(population->program_count - there->program_count));
}

int __real_oe__export(const struct oe__export *what, const oe_population *population,
                      const char *directory, oe_error *err);
int __wrap_oe__export(const struct oe__export *what, const oe_population *population,
                      const char *directory, oe_error *err);
int __wrap_oe__export(const struct oe__export *what, const oe_population *population,
                      const char *directory, oe_error *err)
{
	if (world.dead)
		return __real_oe__export(what, population, directory, err);
	struct export *export = find(population->ended);
	check_durable(population);
	hash_of(population, export->next);
	int status = __real_oe__export(what, population, directory, err);
	if (world.dead)
		return status;
	if (status < 0 && !files_have_failed() && !disk_has_failed())
		violated("a checkpoint cannot be written: %s", err->message);
	if (status == 0) {
		check_same(population, directory, export->next);
		memcpy(export->hash, export->next, HASH_SIZE);
		all.written++;
	}
	export->next[0] = '\0';
	return status;
}

/* ---- afterwards ---- */

static void audit(const char *path, int64_t number)
{
	OE__AUTO(population) oe_population *there = NULL;
	struct export *export = find(number);
	char hash[HASH_SIZE];
	oe_error err = { 0 };

	if (oe_population_load(path, &there, &err) < 0)
		violated("a checkpoint that a process left cannot be read: %s", err.message);
	hash_of(there, hash);
	bool ours = export->hash[0] || export->next[0]; /* else the one that the run began with */
	if (ours && strcmp(hash, export->hash) != 0 && strcmp(hash, export->next) != 0)
		violated("the checkpoint after %lld iterations is another one than was written",
		         (long long)number);
	memcpy(export->hash, hash, HASH_SIZE);
	export->next[0] = '\0';
}

static int64_t number_of(const char *name)
{
	return strncmp(name, PREFIX, strlen(PREFIX)) == 0 ? atoll(name + strlen(PREFIX)) : -1;
}

void exports_audit(const char *directory)
{
	char path[512];
	int64_t there = 0, expected = 0;

	(void)snprintf(path, sizeof(path), "%s/checkpoints", directory);
	DIR *stream = opendir(path);
	for (struct dirent *entry; stream && (entry = readdir(stream)) != NULL;) {
		int64_t number = number_of(entry->d_name);
		bool dots = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
		if (number < 0 && !dots && !files_have_failed())
			violated("'%s' is left over among the checkpoints", entry->d_name);
		if (number < 0)
			continue;
		(void)snprintf(path, sizeof(path), "%s/checkpoints/%s", directory, entry->d_name);
		audit(path, number);
		there++;
	}
	if (stream)
		(void)closedir(stream);
	for (int64_t i = 0; i < all.count; i++)
		expected += all.exports[i].hash[0] != '\0';
	if (there < expected)
		violated("%lld checkpoints were written, and %lld are there", (long long)expected,
		         (long long)there);
}

bool exports_last(const char *directory, char *out, size_t size)
{
	int64_t last = -1;

	for (int64_t i = 0; i < all.count; i++)
		if (all.exports[i].hash[0] && all.exports[i].number > last)
			last = all.exports[i].number;
	(void)snprintf(out, size, "%s/checkpoints/" PREFIX "%lld", directory, (long long)last);
	return last >= 0;
}
