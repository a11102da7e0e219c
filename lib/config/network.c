/* The way to the models: options, and where they say nothing, the variables that everybody's clients
   look at. */

#include <string.h>

#include "config/config_internal.h"

static const char *first_variable(const oe_config *config, const char *const *names)
{
	for (size_t i = 0; names[i]; i++) {
		const char *value = oe__variable_get(config, names[i]);
		if (value && *value)
			return value;
	}
	return NULL;
}

const char *oe__config_proxy(const oe_config *config, bool tls)
{
	static const char *const with_tls[] = { "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY",
											NULL };
	static const char *const without[] = { "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY",
										   NULL };
	const char *given = oe__config_string(config, "llm.proxy");

	/* What a run recorded of one with a password is of no use: it must be given again. */
	if (given && !strstr(given, OE_HIDDEN "@"))
		return *given ? given : NULL;
	return first_variable(config, tls ? with_tls : without);
}

const char *oe__config_no_proxy(const oe_config *config)
{
	static const char *const names[] = { "no_proxy", "NO_PROXY", NULL };
	const char *given = oe__config_string(config, "llm.no_proxy");

	return given ? given : first_variable(config, names);
}

const char *oe__config_ca_file(const oe_config *config)
{
	static const char *const names[] = { "SSL_CERT_FILE", NULL };
	const char *given = oe__config_string(config, "llm.ca_file");

	return given ? given : first_variable(config, names);
}
