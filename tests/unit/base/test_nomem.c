/* lib/base without memory: every allocation fails once, then for ever; the call says so, leaks
   nothing, and works again when there is memory. */

#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/map.h"
#include "base/text.h"
#include "nomem.h"
#include "scratch.h"

static int build_text(void)
{
	OE__AUTO(buffer) struct oe__buffer out = OE__BUFFER_INIT(0);

	for (int i = 0; i < 500; i++) {
		oe__buffer_printf(&out, "%d ", i);
		oe__buffer_text(&out, "text ");
		oe__utf8_append_lossy(&out, "gr\xc3\xb6\xff", 5);
		oe__append_fixed(&out, 1.0 / (i + 1), i % 20);
	}
	OE__AUTO(string) char *text = oe__buffer_steal(&out, NULL);
	return text ? 0 : OE_ERR_NOMEM;
}

/* One of everything: escapes, a repeated key, a number too long for the stack, lists that grow. */
static const char document[] =
	"{\"a\": [1, 2, 3, 4, 5, 6, 7, 8, 9, \"x\\u00e9\\n\"], \"b\": {\"c\": {}, \"d\": null},"
	" \"a\": 0.1234567890123456789012345678901234567890123456789012345678901234567890,"
	" \"e\": -12345678901234567890123456789012345678901234567890123456789012345678901234567890,"
	" \"k1\": 1, \"k2\": 1, \"k3\": 1, \"k4\": 1, \"k5\": 1, \"k6\": 1, \"k7\": 1, \"k8\": 1}";

static int read_json(void)
{
	OE__AUTO(value) struct oe__value value = { 0 };
	oe_error err = { .message = "" };
	int status = oe__json_parse(document, sizeof(document) - 1, &value, &err);

	if (status < 0 && strcmp(err.message, "out of memory") != 0)
		return OE_ERR_STATE;
	return status;
}

/* The same by tokens, as an answer is read: what is skipped may need memory too. */
static int skip_json(void)
{
	struct oe__json_reader reader;

	oe__json_reader_init(&reader, document, sizeof(document) - 1);
	int status = oe__json_skip(&reader, oe__json_next(&reader));
	if (status < 0)
		return status;
	return oe__json_next(&reader) == OE__JSON_END ? 0 : OE_ERR_FORMAT;
}

static struct oe__value tree;

static int copy_value(void)
{
	OE__AUTO(value) struct oe__value copy = { 0 };
	OE__AUTO(value) struct oe__value item = { .type = OE__VALUE_INT };
	int status = oe__value_copy(&tree, &copy);

	for (int i = 0; status == 0 && i < 20; i++) {
		char key[2] = { (char)('A' + i), '\0' };
		status = oe__value_put(&copy, key, &item);
	}
	return status;
}

static int write_json(void)
{
	OE__AUTO(buffer) struct oe__buffer out = OE__BUFFER_INIT(0);
	struct oe__json_writer writer = { .out = &out, .indent = 4 };

	oe__json_put(&writer, &tree);
	return out.status;
}

static int fill_map(void)
{
	OE__AUTO(map) struct oe__map map = OE__MAP_INIT;
	int status = 0;

	for (uintptr_t i = 0; status == 0 && i < 100; i++)
		status = oe__map_put(&map, &i, sizeof(i), NULL);
	return status;
}

static int use_paths(void)
{
	OE__AUTO(string) char *joined = oe__path_join("a", "b");
	OE__AUTO(string) char *directory = oe__path_directory("a/b");
	OE__AUTO(string) char *absolute = oe__path_absolute("a");

	return joined && directory && absolute ? 0 : OE_ERR_NOMEM;
}

static int use_files(void)
{
	OE__AUTO(buffer) struct oe__buffer out = OE__BUFFER_INIT(0);
	char **names = NULL;
	size_t count = 0;
	oe_error err = { .status = 0 };

	int status = oe__directory_make(scratch("a/b/c"), &err);
	if (status == 0)
		status = oe__file_replace(scratch("a/b/c/file"), "text", 4, &err);
	if (status == 0)
		status = oe__file_read(scratch("a/b/c/file"), &out, &err);
	if (status == 0)
		status = oe__directory_list(scratch("a/b/c"), &names, &count, &err);
	if (status == 0 && count != 1) /* a temporary file was left */
		status = OE_ERR_STATE;
	else if (status == 0)
		oe__directory_list_free(names, count);
	if (status < 0 && err.status != status)
		return OE_ERR_STATE;
	/* Removing takes no memory: it is what is done when there is none. */
	return oe__directory_remove(scratch("a"), NULL) < 0 ? OE_ERR_IO : status;
}

START_TEST(test_each_allocation_fails)
{
	scratch_enter();
	ck_assert_int_eq(oe__json_parse(document, sizeof(document) - 1, &tree, NULL), 0);
	nomem_each("text", build_text);
	nomem_each("reading JSON", read_json);
	nomem_each("skipping JSON", skip_json);
	nomem_each("writing JSON", write_json);
	nomem_each("values", copy_value);
	nomem_each("maps", fill_map);
	nomem_each("paths", use_paths);
	nomem_each("files", use_files);
	oe__value_done(&tree);
	scratch_leave();
	ck_assert_int_eq(atomic_load(&nomem_live), 0);
}
END_TEST

NOMEM_MAIN("base-nomem", test_each_allocation_fails)
