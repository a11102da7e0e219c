#include "base/which.h"

#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/text.h"

#define PATH_USUAL "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

const char *oe__which_path(const char *const *variables)
{
	for (size_t i = 0; variables && variables[i]; i++)
		if (oe__has_prefix(variables[i], "PATH="))
			return variables[i] + strlen("PATH=");
	return PATH_USUAL;
}

char *oe__which(const char *name, const char *path)
{
	while (!strchr(name, '/') && *path) {
		size_t size = strcspn(path, ":");
		OE__AUTO(string) char *folder = oe__strndup(path, size);
		OE__AUTO(string) char *file = folder ? oe__path_join(folder, name) : NULL;

		if (!file)
			return NULL;
		if (size > 0 && !oe__file_is_directory(file) && access(file, X_OK) == 0)
			return OE__STEAL(file);
		path += size + (path[size] == ':');
	}
	return oe__strdup(name);
}
