/*
 * The texts that prompts are made of.
 */

#include "prompt/catalog.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"
#include "prompt/builtin.h"

#define FRAGMENTS_FILE "fragments.json"
#define TEMPLATE_END   ".txt"

static void free_text(struct oe__catalog_text *text)
{
	if (!text)
		return;
	oe__free(text->where);
	oe__free(text->text);
	oe__free(text);
}

OE__AUTO_POINTER(catalog_text, struct oe__catalog_text *, free_text)

/* CRLF and lone CR become LF, in place. */
static size_t plain_line_ends(char *text, size_t size)
{
	size_t kept = 0;

	for (size_t i = 0; i < size; i++) {
		if (text[i] == '\r' && i + 1 < size && text[i + 1] == '\n')
			continue;
		text[kept++] = text[i] == '\r' ? '\n' : text[i];
	}
	text[kept] = '\0';
	return kept;
}

static int put(struct oe__map *map, const char *name, const char *text, size_t size,
			   const char *where, bool line_ends)
{
	OE__AUTO(catalog_text) struct oe__catalog_text *entry = oe__calloc(1, sizeof(*entry));

	if (!entry)
		return OE_ERR_NOMEM;
	entry->where = oe__strdup(where ? where : name);
	entry->text = oe__strndup(text, size);
	if (!entry->where || !entry->text)
		return OE_ERR_NOMEM;
	entry->size = line_ends ? plain_line_ends(entry->text, size) : size;

	struct oe__catalog_text *old = oe__map_get(map, name, strlen(name));
	int status = oe__map_put(map, name, strlen(name), entry);
	if (status < 0)
		return status;
	(void)OE__STEAL(entry);
	free_text(old);
	return 0;
}

int oe__catalog_put_template(struct oe__catalog *catalog, const char *name, const char *text,
							 size_t size, const char *where)
{
	return put(&catalog->templates, name, text, size, where, true);
}

int oe__catalog_put_fragment(struct oe__catalog *catalog, const char *key, const char *text,
							 size_t size, const char *where)
{
	return put(&catalog->fragments, key, text, size, where, false);
}

const struct oe__catalog_text *oe__catalog_template(const struct oe__catalog *catalog,
													const char *name)
{
	return oe__map_get(&catalog->templates, name, strlen(name));
}

const struct oe__catalog_text *oe__catalog_fragment(const struct oe__catalog *catalog,
													const char *key)
{
	return oe__map_get(&catalog->fragments, key, strlen(key));
}

/* ---- fragments.json ---- */

/* Merge the entries of a map of texts. */
static int put_all(struct oe__catalog *catalog, const struct oe__value *map, bool templates,
				   const char *where, oe_error *err)
{
	if (!map || map->type != OE__VALUE_MAP)
		return oe__error_at(err, OE_ERR_CONFIG, where, 0, 0, "expected a map of texts");
	for (size_t i = 0; i < map->size; i++) {
		const struct oe__value *key = &map->keys[i], *text = &map->items[i];

		if (text->type != OE__VALUE_STRING || text->tag)
			return oe__error_at(err, OE_ERR_CONFIG, where, 0, 0, "'%s' is no text but %s",
								key->string, oe__value_type_name(text));
		int status = put(templates ? &catalog->templates : &catalog->fragments, key->string,
						 text->string, text->size, where, templates);
		if (status < 0)
			return oe__error_nomem(err);
	}
	return 0;
}

static int put_fragments(struct oe__catalog *catalog, const char *json, size_t size,
						 const char *where, oe_error *err)
{
	OE__AUTO(value) struct oe__value value = { 0 };
	oe_error inner = { 0 };
	int status = oe__json_parse(json, size, &value, &inner);

	if (status == OE_ERR_NOMEM)
		return oe__error_nomem(err);
	if (status < 0)
		return oe__error_at(err, OE_ERR_CONFIG, where, inner.line, inner.column, "%s",
							inner.message);
	return put_all(catalog, &value, false, where, err);
}

int oe__catalog_add_builtin(struct oe__catalog *catalog, oe_error *err)
{
	for (size_t i = 0; i < oe__builtin_template_count; i++) {
		const struct oe__builtin_text *text = &oe__builtin_templates[i];

		if (oe__catalog_put_template(catalog, text->name, text->text, text->size,
									 "built-in template") < 0)
			return oe__error_nomem(err);
	}
	return put_fragments(catalog, oe__builtin_fragments.text, oe__builtin_fragments.size,
						 "built-in fragments", err);
}

/* ---- directories ---- */

static int add_file(struct oe__catalog *catalog, const char *directory, const char *file,
					oe_error *err)
{
	OE__AUTO(string) char *path = oe__path_join(directory, file);
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(OE__TEMPLATE_MAX);

	if (!path)
		return oe__error_nomem(err);
	if (oe__file_is_directory(path))
		return 0;
	int status = oe__file_read(path, &text, err);
	if (status < 0)
		return status;
	const char *bytes = oe__buffer_string(&text);
	if (!oe__utf8_valid(bytes, text.size))
		return oe__error_at(err, OE_ERR_CONFIG, path, 0, 0, "not valid UTF-8");
	if (strcmp(file, FRAGMENTS_FILE) == 0)
		return put_fragments(catalog, bytes, text.size, path, err);

	OE__AUTO(string) char *name = oe__strndup(file, strlen(file) - strlen(TEMPLATE_END));
	if (!name || oe__catalog_put_template(catalog, name, bytes, text.size, path) < 0)
		return oe__error_nomem(err);
	return 0;
}

int oe__catalog_add_directory(struct oe__catalog *catalog, const char *path, oe_error *err)
{
	char **names = NULL;
	size_t count = 0;

	if (!oe__file_is_directory(path)) {
		OE__AUTO(string) char *absolute = oe__path_absolute(path);
		return oe__error_at(err, OE_ERR_CONFIG, "prompt.template_dir", 0, 0,
							"there is no directory '%s'", absolute ? absolute : path);
	}
	int status = oe__directory_list(path, &names, &count, err);
	for (size_t i = 0; i < count && status == 0; i++)
		if (oe__has_suffix(names[i], TEMPLATE_END) || strcmp(names[i], FRAGMENTS_FILE) == 0)
			status = add_file(catalog, path, names[i], err);
	oe__directory_list_free(names, count);
	return status;
}

/* ---- JSON ---- */

static void write_map(const struct oe__map *map, const char *name, struct oe__json_writer *writer)
{
	const struct oe__map_entry *entry;
	size_t cursor = 0;

	oe__json_key(writer, name);
	oe__json_map(writer);
	while ((entry = oe__map_next(map, &cursor))) {
		const struct oe__catalog_text *text = entry->value;

		oe__json_key_sized(writer, entry->key, entry->key_size);
		oe__json_string_sized(writer, text->text, text->size);
	}
	oe__json_map_end(writer);
}

void oe__catalog_write(const struct oe__catalog *catalog, struct oe__json_writer *writer)
{
	write_map(&catalog->templates, "templates", writer);
	write_map(&catalog->fragments, "fragments", writer);
}

int oe__catalog_read(struct oe__catalog *catalog, const struct oe__value *members, oe_error *err)
{
	int status = put_all(catalog, oe__value_get(members, "templates"), true, "templates", err);

	if (status == 0)
		status = put_all(catalog, oe__value_get(members, "fragments"), false, "fragments", err);
	return status;
}

static void free_map(struct oe__map *map)
{
	const struct oe__map_entry *entry;
	size_t cursor = 0;

	while ((entry = oe__map_next(map, &cursor)))
		free_text(entry->value);
	oe__map_done(map);
}

void oe__catalog_done(struct oe__catalog *catalog)
{
	free_map(&catalog->templates);
	free_map(&catalog->fragments);
}
