#include "store/origin.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/text.h"
#include "store/checkpoint.h"
#include "store/directory.h"

#define HASH_SIZE 8 /* bytes: enough to tell that something has changed */

/* ---- its files ---- */

/* What is no file, or is not there, is not read either. */
static int add_file(const char *checkpoint, const char *name, struct oe__json_writer *writer, oe_error *err)
{
	OE__AUTO(buffer) struct oe__buffer data = OE__BUFFER_INIT(OE__FILE_MAX);
	OE__AUTO(string) char *path = oe__path_join(checkpoint, name);
	uint8_t digest[OE__SHA256_SIZE];
	char hex[2 * HASH_SIZE + 1];

	if (!path)
		return oe__error_nomem(err);
	if (!oe__file_is_regular(path))
		return 0;
	int status = oe__file_read(path, &data, err);
	if (status < 0 && status != OE_ERR_LIMIT) /* who loads it leaves out what is too large */
		return status;
	if (oe__sha256(oe__buffer_string(&data), data.size, digest) < 0)
		return oe__error_nomem(err);
	oe__hex(digest, HASH_SIZE, hex);
	oe__json_key(writer, name);
	oe__json_string(writer, hex);
	return writer->out->status < 0 ? oe__error_nomem(err) : 0;
}

/* Those of a folder, by name, with a suffix or in the folders of the folder (NULL). */
static int add_files(const char *checkpoint, const char *folder, const char *suffix,
                     struct oe__json_writer *writer, oe_error *err)
{
	OE__AUTO(string) char *path = oe__path_join(checkpoint, folder);
	char **names = NULL;
	size_t count = 0;

	if (!path)
		return oe__error_nomem(err);
	if (!oe__file_is_directory(path))
		return 0;
	int status = oe__directory_list(path, &names, &count, err);
	for (size_t i = 0; status == 0 && i < count; i++) {
		OE__AUTO(string) char *name = oe__path_join(folder, names[i]);
		if (!name)
			status = oe__error_nomem(err);
		else if (!suffix)
			status = add_files(checkpoint, name, "", writer, err);
		else if (oe__has_suffix(name, suffix))
			status = add_file(checkpoint, name, writer, err);
	}
	oe__directory_list_free(names, count);
	return status;
}

int oe__origin_files(const char *checkpoint, struct oe__buffer *out, oe_error *err)
{
	struct oe__json_writer writer = { .out = out };

	oe__json_map(&writer);
	int status = add_file(checkpoint, "metadata.json", &writer, err);
	if (status == 0)
		status = add_files(checkpoint, "programs", ".json", &writer, err);
	if (status == 0)
		status = add_files(checkpoint, "artifacts", NULL, &writer, err);
	oe__json_map_end(&writer);
	return status == 0 && out->status < 0 ? oe__error_nomem(err) : status;
}

/* ---- what they were ---- */

static bool is_same(const struct oe__value *a, const struct oe__value *b)
{
	return a && b && a->type == OE__VALUE_STRING && b->type == OE__VALUE_STRING &&
	       strcmp(a->string, b->string) == 0;
}

/* The first file that is not as it was: NULL if its name cannot be told. */
static const char *changed(const struct oe__value *was, const struct oe__value *is, const char **how)
{
	for (size_t i = 0; was->type == OE__VALUE_MAP && i < was->size; i++) {
		const char *name = was->keys[i].string;
		const struct oe__value *now = oe__value_get(is, name);
		*how = now ? "is another one now" : "is missing";
		if (!is_same(now, &was->items[i]))
			return name;
	}
	*how = "was not there";
	for (size_t i = 0; is->type == OE__VALUE_MAP && i < is->size; i++)
		if (!oe__value_get(was, is->keys[i].string))
			return is->keys[i].string;
	return NULL;
}

static int differs(const char *checkpoint, const char *noted, const struct oe__buffer *found, oe_error *err)
{
	OE__AUTO(value) struct oe__value was = { 0 }, is = { 0 };
	const char *how = NULL;

	int status = oe__json_parse(noted, strlen(noted), &was, NULL);
	if (status == 0)
		status = oe__json_parse(found->data, found->size, &is, NULL);
	if (status == OE_ERR_NOMEM)
		return oe__error_nomem(err);
	const char *name = status == 0 ? changed(&was, &is, &how) : NULL;
	if (name)
		return oe__error_at(err, OE_ERR_FORMAT, checkpoint, 0, 0, "the run begins with it, and '%s' %s",
		                    name, how);
	return oe__error_at(err, OE_ERR_FORMAT, checkpoint, 0, 0,
	                    "the run begins with it, and it is not what it was");
}

/* Of runs that began before it was noted nothing is known. */
static int check(struct oe__database *database, const char *checkpoint, oe_error *err)
{
	OE__AUTO(string) char *noted = NULL;
	OE__AUTO(buffer) struct oe__buffer found = OE__BUFFER_INIT(OE__FILE_MAX);

	int status = oe__database_get(database, OE__ORIGIN_FILES, &noted, err);
	if (status < 0 || !noted)
		return status;
	status = oe__origin_files(checkpoint, &found, err);
	if (status < 0 || strcmp(oe__buffer_string(&found), noted) == 0)
		return status;
	return differs(checkpoint, noted, &found, err);
}

int oe__origin_load(struct oe__database *database, int32_t islands, oe_population **out, oe_error *err)
{
	OE__AUTO(string) char *checkpoint = NULL;

	int status = oe__directory_origin(database, &checkpoint, err);
	if (status < 0 || !checkpoint)
		return status;
	if (!oe__file_is_directory(checkpoint))
		return oe__error_at(err, OE_ERR_FORMAT, checkpoint, 0, 0, "the run begins with it, and it is missing");
	status = check(database, checkpoint, err);
	return status < 0 ? status : oe__checkpoint_load(checkpoint, islands, out, err);
}
