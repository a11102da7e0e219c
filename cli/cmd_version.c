/* oe version: of the command, the library and what they are built on. */

#include <jansson.h>

#include "cli.h"
#include "commands.h"
#include "json.h"
#include "text.h"

/* Made by meson: { "libcurl", "7.88.1" }, ... */
static const struct {
	const char *name, *version;
} built_with[] = { OE_BUILT_WITH };

static int run(const struct arguments *arguments)
{
	uint32_t loaded = oe_version();
	AUTO(string) char *library =
		must_format("%u.%u.%u", loaded >> 16, loaded >> 8 & 0xff, loaded & 0xff);
	AUTO(string) char *command =
		must_format("%d.%d.%d", OE_VERSION_MAJOR, OE_VERSION_MINOR, OE_VERSION_PATCH);

	if (!arguments_has(arguments, "json")) {
		printf("oe %s\n", command);
		if (message_level() > 1) {
			printf("libopenevolve %s\n", library);
			for (size_t i = 0; i < sizeof(built_with) / sizeof(built_with[0]); i++)
				printf("%s %s\n", built_with[i].name, built_with[i].version);
		}
		return EXIT_DONE;
	}
	json_t *root = json_document("version");
	json_set(root, "oe", json_string(command));
	json_set(root, "libopenevolve", json_string(library));
	json_t *libraries = json_object();
	for (size_t i = 0; i < sizeof(built_with) / sizeof(built_with[0]); i++)
		json_set(libraries, built_with[i].name, json_string(built_with[i].version));
	json_set(root, "libraries", libraries);
	return json_print(root);
}

static const struct option *const tables[] = { options_json, options_common, NULL };

const struct command command_version = {
	.name = "version",
	.group = "Configuration and help",
	.summary = "Print the version",
	.operands = "",
	.options = tables,
	.examples = {
		{ "oe version", "one line" },
		{ "oe version --json", "with the libraries it was built with" },
	},
	.run = run,
};
