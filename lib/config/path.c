/* Options whose value is a path. */

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "config/config_internal.h"

/* What exists beside the file that names it, if it is a file that does; else from where we are, whether
   it is there or is yet to be made. Somebody else will say that something does not exist. */
static int make_whole(struct oe__value *value, const struct oe__place *place)
{
	OE__AUTO(string) char *folder = oe__path_directory(place->source);
	OE__AUTO(string) char *beside = folder ? oe__path_join(folder, value->string) : NULL;

	if (!beside)
		return OE_ERR_NOMEM;
	bool there = place->origin == OE_ORIGIN_FILE && oe__file_exists(beside);
	errno = 0;
	OE__AUTO(string) char *whole = oe__path_absolute(there ? beside : value->string);
	if (!whole) /* a working directory that was removed leads nowhere */
		return errno == ENOENT || errno == EACCES ? 0 : OE_ERR_NOMEM;
	return oe__value_set_string(value, whole, strlen(whole));
}

int oe__path_option(const struct oe__option *option, struct oe__value *value,
					const struct oe__place *place)
{
	bool program = option->traits & OE__TRAIT_PROGRAM;
	int status = 0;

	if (!(option->traits & (OE__TRAIT_PATH | OE__TRAIT_PROGRAM)))
		return 0;
	if (value->type == OE__VALUE_LIST) {
		/* Of a program's arguments nobody knows which are paths. */
		size_t count = program && value->size > 1 ? 1 : value->size;
		for (size_t i = 0; status == 0 && i < count; i++)
			status = oe__path_option(option, &value->items[i], place);
		return status;
	}
	if (value->type != OE__VALUE_STRING || !value->string[0] || value->string[0] == '/')
		return 0;
	if (program && !strchr(value->string, '/'))
		return 0; /* to be found on PATH */
	return make_whole(value, place);
}
