/*
 * What is replaced is gone, so that a directory is taken for a checkpoint only if it is one through and
 * through: it holds what every checkpoint has, and nothing that none has. Others may write checkpoints to
 * the same place meanwhile, and what was listed be gone.
 */

#include "store/replace.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "store/directory.h"

static int refuse(const char *final, const char *name, const char *why, oe_error *err)
{
	return oe__error(err, OE_ERR_INVALID, "'%s' is not a checkpoint: it is not replaced, as '%s' %s", final,
	                 name, why);
}

/* ---- nothing else ---- */

/* May this be in a folder of a checkpoint? Links are neither files nor directories. */
typedef bool fitting(const char *name, mode_t mode);

static bool fits_artifacts_of_one(const char *name, mode_t mode)
{
	(void)name; /* as the evaluator named it */
	return S_ISREG(mode);
}

static bool fits_artifacts(const char *name, mode_t mode)
{
	(void)name; /* a program's identifier */
	return S_ISDIR(mode);
}

static bool fits_programs(const char *name, mode_t mode)
{
	return S_ISREG(mode) && oe__has_suffix(name, ".json");
}

static bool fits_checkpoint(const char *name, mode_t mode)
{
	if (strcmp(name, "programs") == 0 || strcmp(name, "artifacts") == 0)
		return S_ISDIR(mode);
	return S_ISREG(mode) &&
	       (strcmp(name, "metadata.json") == 0 || strcmp(name, "best_program_info.json") == 0 ||
	        strcmp(name, "best_program") == 0 || oe__has_prefix(name, "best_program."));
}

static int check_folder(const char *final, const char *folder, fitting *fits, oe_error *err);

/* `name` is its path in the checkpoint. */
static int check_entry(const char *final, const char *name, fitting *fits, oe_error *err)
{
	OE__AUTO(string) char *path = oe__path_join(final, name);
	struct stat info;

	if (!path)
		return oe__error_nomem(err);
	if (lstat(path, &info) < 0)
		return errno == ENOENT ? 0 : oe__error_errno(err, "cannot look at '%s'", path);
	if (!fits(oe__path_base(name), info.st_mode))
		return refuse(final, name, "is no part of one", err);
	return fits == fits_artifacts ? check_folder(final, name, fits_artifacts_of_one, err) : 0;
}

static int check_folder(const char *final, const char *folder, fitting *fits, oe_error *err)
{
	OE__AUTO(string) char *path = folder[0] ? oe__path_join(final, folder) : oe__strdup(final);
	char **names = NULL;
	size_t count = 0;

	if (!path)
		return oe__error_nomem(err);
	if (!oe__file_exists(path))
		return 0;
	int status = oe__directory_list(path, &names, &count, err);
	if (status == OE_ERR_IO && !oe__file_exists(path))
		status = 0;
	for (size_t i = 0; status == 0 && i < count; i++) {
		OE__AUTO(string) char *name = oe__path_join(folder, names[i]);
		status = name ? check_entry(final, name, fits, err) : oe__error_nomem(err);
	}
	oe__directory_list_free(names, count);
	return status;
}

/* ---- what every checkpoint has ---- */

static int check_there(const char *final, const char *name, oe_error *err)
{
	OE__AUTO(string) char *path = oe__path_join(final, name);

	if (!path)
		return oe__error_nomem(err);
	return oe__file_exists(path) ? 0 : refuse(final, name, "is missing", err);
}

/* Which all versions of OpenEvolve write, and so do we. */
static bool is_metadata(const struct oe__value *value)
{
	const struct oe__value *islands = oe__value_get(value, "islands");
	const struct oe__value *archive = oe__value_get(value, "archive");
	const struct oe__value *last = oe__value_get(value, "last_iteration");

	return islands && islands->type == OE__VALUE_LIST && archive && archive->type == OE__VALUE_LIST &&
	       last && last->type == OE__VALUE_INT;
}

static int check_metadata(const char *final, oe_error *err)
{
	OE__AUTO(string) char *path = oe__path_join(final, "metadata.json");
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(OE__FILE_MAX);
	OE__AUTO(value) struct oe__value value = { 0 };

	if (!path)
		return oe__error_nomem(err);
	int status = oe__file_read(path, &text, err);
	if (status < 0)
		return status;
	status = oe__json_parse(text.data, text.size, &value, NULL);
	if (status == OE_ERR_NOMEM)
		return oe__error_nomem(err);
	return status == 0 && value.type == OE__VALUE_MAP && is_metadata(&value)
	           ? 0
	           : refuse(final, "metadata.json", "is not that of one", err);
}

/* ---- runs ---- */

/* Among the checkpoints of a run it is one, also if a loss of power left nothing in its metadata: the next
   export has to mend that. */
static int is_of_run(const char *final, bool *out, oe_error *err)
{
	OE__AUTO(string) char *real = oe__path_real(final);
	OE__AUTO(string) char *all = real ? oe__path_directory(real) : NULL;
	OE__AUTO(string) char *run = all ? oe__path_directory(all) : NULL;
	OE__AUTO(string) char *path = run ? oe__path_join(run, "run.db") : NULL;

	if (!path)
		return oe__error_nomem(err);
	*out = strcmp(oe__path_base(all), OE__DIRECTORY_CHECKPOINTS) == 0 && oe__file_exists(path);
	return 0;
}

static int spare_run(const char *final, const char *run, oe_error *err)
{
	OE__AUTO(string) char *inner = oe__path_real(run);
	OE__AUTO(string) char *outer = oe__path_real(final);

	if (!inner || !outer)
		return oe__error_nomem(err);
	size_t size = strlen(outer);
	if (!oe__has_prefix(inner, outer) || (size > 1 && inner[size] != '\0' && inner[size] != '/'))
		return 0;
	return oe__error(err, OE_ERR_STATE, "'%s' holds the run itself: it is not replaced", final);
}

/* ---- all of it ---- */

static int is_empty(const char *final, oe_error *err)
{
	char **names = NULL;
	size_t count = 0;

	int status = oe__directory_list(final, &names, &count, err);
	oe__directory_list_free(names, count);
	return status < 0 ? status : count == 0;
}

static int check_contents(const char *final, oe_error *err)
{
	bool own = false;

	int status = check_folder(final, "", fits_checkpoint, err);
	if (status == 0)
		status = check_there(final, "metadata.json", err);
	if (status == 0)
		status = check_there(final, "programs", err);
	if (status == 0)
		status = check_folder(final, "programs", fits_programs, err);
	if (status == 0)
		status = check_folder(final, "artifacts", fits_artifacts, err);
	if (status == 0)
		status = is_of_run(final, &own, err);
	return status == 0 && !own ? check_metadata(final, err) : status;
}

int oe__checkpoint_may_replace(const char *final, const char *run, oe_error *err)
{
	if (!oe__file_exists(final))
		return 0;
	if (!oe__file_is_directory(final))
		return oe__error(err, OE_ERR_INVALID, "'%s' is no directory: it is not replaced", final);
	int status = oe__directory_spare_origin(final, err);
	if (status == 0 && run)
		status = spare_run(final, run, err);
	if (status < 0)
		return status;
	if (oe__file_is_link(final))
		return oe__error(err, OE_ERR_INVALID, "'%s' is a symbolic link: it is not replaced", final);
	status = is_empty(final, err);
	return status == 0 ? check_contents(final, err) : status < 0 ? status : 0;
}
