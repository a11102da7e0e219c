/*
 * Finding the examples. No path of the build machine is compiled in: an uninstalled oe finds those
 * of its source tree beside the build directory.
 */

#include "examples.h"

#include <dirent.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "files.h"
#include "text.h"

static bool is_example(const char *directory)
{
	AUTO(string) char *config = must_format("%s/config.yaml", directory);

	return file_exists(config);
}

static char *executable_folder(void)
{
	char path[PATH_MAX];
	ssize_t size = readlink("/proc/self/exe", path, sizeof(path) - 1);

	if (size < 0)
		return must_copy(".");
	path[size] = '\0';
	return path_folder(path);
}

/* The directory that holds them all, or NULL. */
static char *examples_folder(void)
{
	const char *given = getenv("OE_EXAMPLES");
	AUTO(string) char *self = executable_folder();
	char *places[] = {
		given && *given ? must_copy(given) : NULL,
		must_format("%s/../../examples", self),
		must_format("%s/../share/openevolve/examples", self),
		must_copy(OE_DATADIR "/examples"),
	};
	const size_t count = sizeof(places) / sizeof(places[0]);
	char *found = NULL;

	for (size_t i = 0; i < count; i++) {
		AUTO(string) char *probe = places[i] ? must_format("%s/circle_packing", places[i]) : NULL;
		if (!found && probe && is_example(probe))
			found = path_absolute(places[i]);
		free(places[i]);
	}
	return found;
}

char *example_find(const char *name)
{
	AUTO(string) char *folder = examples_folder();

	if (!folder || strchr(name, '/') || name[0] == '.')
		return NULL;
	char *directory = must_format("%s/%s", folder, name);
	if (is_example(directory))
		return directory;
	free(directory);
	return NULL;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

char **example_names(void)
{
	AUTO(string) char *folder = examples_folder();
	char **names = must_alloc(1, sizeof(*names));
	size_t count = 0;
	DIR *stream = folder ? opendir(folder) : NULL;
	struct dirent *entry;

	while (stream && (entry = readdir(stream))) {
		AUTO(string) char *directory = must_format("%s/%s", folder, entry->d_name);
		if (entry->d_name[0] == '.' || !is_example(directory))
			continue;
		names = must_resize(names, count + 2, sizeof(*names));
		names[count++] = must_copy(entry->d_name);
		names[count] = NULL;
	}
	if (stream)
		closedir(stream);
	qsort(names, count, sizeof(*names), by_name);
	return names;
}
