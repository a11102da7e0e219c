/* lib/prompt/catalog.c: texts by name, from the library, a directory and a run. */

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "desk.h"
#include "prompt/builtin.h"

static char directory[64];

static void begin(void)
{
	strcpy(directory, "/tmp/oe-test-catalog-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
}

static void write_file(const char *name, const char *text, size_t size)
{
	OE__AUTO(string) char *path = oe__path_join(directory, name);
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(text, 1, size, file), size);
	fclose(file);
}

static void put(const char *name, const char *text)
{
	write_file(name, text, strlen(text));
}

static void end(void)
{
	ck_assert_int_eq(oe__directory_remove(directory, NULL), 0);
}

static void expect_text(const struct oe__catalog_text *text, const char *wanted)
{
	ck_assert_ptr_nonnull(text);
	ck_assert_str_eq(text->text, wanted);
	ck_assert_uint_eq(text->size, strlen(wanted));
}

START_TEST(test_builtin)
{
	OE__AUTO(catalog) struct oe__catalog catalog = OE__CATALOG_INIT;

	ck_assert_int_eq(oe__catalog_add_builtin(&catalog, NULL), 0);
	ck_assert_uint_gt(oe__builtin_template_count, 0);
	for (size_t i = 0; i < oe__builtin_template_count; i++)
		expect_text(oe__catalog_template(&catalog, oe__builtin_templates[i].name),
					oe__builtin_templates[i].text);
	ck_assert_ptr_nonnull(oe__catalog_fragment(&catalog, "artifact_title"));
	ck_assert_ptr_null(oe__catalog_template(&catalog, "artifact_title"));
	ck_assert_ptr_null(oe__catalog_fragment(&catalog, "diff_user"));
	ck_assert_ptr_null(oe__catalog_template(&catalog, ""));
}
END_TEST

/* A file replaces or adds a template, fragments.json is merged by key, other files are none of ours. */
START_TEST(test_directory)
{
	OE__AUTO(catalog) struct oe__catalog catalog = OE__CATALOG_INIT;
	oe_error err = { 0 };

	begin();
	put("diff_user.txt", "one\r\ntwo\rthree\n");
	put("new_one.txt", "");
	put("notes.md", "\xff");
	put(".txt", "without a name");
	put("fragments.json", "{\"artifact_title\": \"caf\\u00e9\\r\\n\", \"other\": \"\"}");
	OE__AUTO(string) char *folder = oe__path_join(directory, "folder.txt");
	ck_assert_int_eq(mkdir(folder, 0700), 0);
	ck_assert_int_eq(oe__catalog_add_builtin(&catalog, &err), 0);
	ck_assert_msg(oe__catalog_add_directory(&catalog, directory, &err) == 0, "%s", err.message);
	expect_text(oe__catalog_template(&catalog, "diff_user"), "one\ntwo\nthree\n");
	expect_text(oe__catalog_template(&catalog, "new_one"), "");
	expect_text(oe__catalog_fragment(&catalog, "artifact_title"), "caf\xc3\xa9\r\n");
	expect_text(oe__catalog_fragment(&catalog, "other"), "");
	ck_assert_ptr_null(oe__catalog_template(&catalog, "notes"));
	ck_assert_ptr_null(oe__catalog_template(&catalog, "folder"));
	ck_assert_ptr_nonnull(oe__catalog_template(&catalog, "system_message")); /* stays */
	ck_assert_ptr_nonnull(strstr(oe__catalog_template(&catalog, "diff_user")->where, directory));
	end();
}
END_TEST

START_TEST(test_wrong_files)
{
	static const struct {
		const char *name, *text, *says;
	} cases[] = {
		{ "diff_user.txt", "caf\xe9", "UTF-8" },
		{ "fragments.json", "[]", "map" },
		{ "fragments.json", "{\"a\": 1}", "'a'" },
		{ "fragments.json", "{\"a\": null}", "'a'" },
		{ "fragments.json", "{\"a\": \"\"", "" },
		{ "fragments.json", "", "" },
		{ "fragments.json", "{\"a\": 123456789012345678901234567890}", "'a'" },
	};

	for (size_t i = 0; i < OE__COUNT(cases); i++) {
		OE__AUTO(catalog) struct oe__catalog catalog = OE__CATALOG_INIT;
		oe_error err = { 0 };
		begin();
		put(cases[i].name, cases[i].text);
		ck_assert_int_eq(oe__catalog_add_directory(&catalog, directory, &err), OE_ERR_CONFIG);
		ck_assert_msg(strstr(err.where, cases[i].name), "%s", err.where);
		ck_assert_msg(strstr(err.message, cases[i].says), "%s", err.message);
		end();
	}
	OE__AUTO(catalog) struct oe__catalog catalog = OE__CATALOG_INIT;
	oe_error err = { 0 };
	ck_assert_int_eq(oe__catalog_add_directory(&catalog, directory, &err), OE_ERR_CONFIG);
	ck_assert_ptr_nonnull(strstr(err.message, directory));
}
END_TEST

/* What a run keeps is what it had. */
START_TEST(test_json)
{
	OE__AUTO(catalog) struct oe__catalog catalog = OE__CATALOG_INIT, again = OE__CATALOG_INIT;
	OE__AUTO(buffer) struct oe__buffer first = OE__BUFFER_INIT(0), second = OE__BUFFER_INIT(0);
	OE__AUTO(value) struct oe__value value = { 0 };
	struct oe__json_writer writer = { .out = &first }, rewriter = { .out = &second };

	ck_assert_int_eq(oe__catalog_add_builtin(&catalog, NULL), 0);
	ck_assert_int_eq(oe__catalog_put_template(&catalog, "odd \"name\"", "a\0b\n", 4, NULL), 0);
	ck_assert_int_eq(oe__catalog_put_fragment(&catalog, "key", "\xf0\x9f\x90\x9d\r", 5, NULL), 0);
	oe__json_map(&writer);
	oe__catalog_write(&catalog, &writer);
	oe__json_map_end(&writer);
	ck_assert_int_eq(oe__json_parse(first.data, first.size, &value, NULL), 0);
	ck_assert_int_eq(oe__catalog_read(&again, &value, NULL), 0);
	const struct oe__catalog_text *odd = oe__catalog_template(&again, "odd \"name\"");
	ck_assert_ptr_nonnull(odd);
	ck_assert_uint_eq(odd->size, 4);
	ck_assert_int_eq(memcmp(odd->text, "a\0b\n", 4), 0);
	expect_text(oe__catalog_fragment(&again, "key"), "\xf0\x9f\x90\x9d\r");
	oe__json_map(&rewriter);
	oe__catalog_write(&again, &rewriter);
	oe__json_map_end(&rewriter);
	ck_assert_str_eq(first.data, second.data);
}
END_TEST

START_TEST(test_wrong_json)
{
	static const char *const texts[] = {
		"{}",
		"{\"templates\": {}}",
		"{\"templates\": [], \"fragments\": {}}",
		"{\"templates\": {}, \"fragments\": null}",
		"{\"templates\": {\"a\": 1}, \"fragments\": {}}",
		"{\"templates\": {}, \"fragments\": {\"a\": []}}",
	};

	for (size_t i = 0; i < OE__COUNT(texts); i++) {
		OE__AUTO(catalog) struct oe__catalog catalog = OE__CATALOG_INIT;
		OE__AUTO(value) struct oe__value value = { 0 };
		oe_error err = { 0 };
		ck_assert_int_eq(oe__json_parse(texts[i], strlen(texts[i]), &value, NULL), 0);
		ck_assert_int_eq(oe__catalog_read(&catalog, &value, &err), OE_ERR_CONFIG);
		ck_assert_str_ne(err.message, "");
	}
}
END_TEST

TEST_MAIN("catalog", test_builtin, test_directory, test_wrong_files, test_json, test_wrong_json)
