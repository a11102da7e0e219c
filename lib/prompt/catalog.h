#ifndef OE__PROMPT_CATALOG_H
#define OE__PROMPT_CATALOG_H

/*
 * The texts that prompts are made of: templates by name, fragments by key. The built-in ones, over
 * them those of a directory as OpenEvolve lays it out: NAME.txt replaces or adds a template, and
 * fragments.json is merged key by key. One thread while it is filled; then read-only.
 */

#include "base/json.h"
#include "base/map.h"

struct oe__catalog_text {
	char *where; /* the file, for messages */
	char *text;  /* valid UTF-8; NUL-terminated */
	size_t size;
};

struct oe__catalog {
	struct oe__map templates; /* to struct oe__catalog_text */
	struct oe__map fragments;
};

#define OE__CATALOG_INIT { OE__MAP_INIT, OE__MAP_INIT }

int oe__catalog_add_builtin(struct oe__catalog *catalog, oe_error *err);

/* OE_ERR_CONFIG: there is no such directory, a file is not UTF-8, or fragments.json is not a map of
   texts. OE_ERR_IO: a file cannot be read. */
int oe__catalog_add_directory(struct oe__catalog *catalog, const char *path, oe_error *err);

/* Add or replace; `where` NULL: the name. Line ends become LF, as in text files that Python reads. */
int oe__catalog_put_template(struct oe__catalog *catalog, const char *name, const char *text,
							 size_t size, const char *where);
int oe__catalog_put_fragment(struct oe__catalog *catalog, const char *key, const char *text,
							 size_t size, const char *where);

/* NULL: there is none. */
const struct oe__catalog_text *oe__catalog_template(const struct oe__catalog *catalog,
													const char *name);
const struct oe__catalog_text *oe__catalog_fragment(const struct oe__catalog *catalog,
													const char *key);

/* {"templates": {...}, "fragments": {...}} as members of the map that is being written, and back. */
void oe__catalog_write(const struct oe__catalog *catalog, struct oe__json_writer *writer);
int oe__catalog_read(struct oe__catalog *catalog, const struct oe__value *members, oe_error *err);

void oe__catalog_done(struct oe__catalog *catalog);

OE__AUTO_VALUE(catalog, struct oe__catalog, oe__catalog_done)

#endif /* OE__PROMPT_CATALOG_H */
