#include "controller/recorded.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "config/config.h"

int oe__recorded_config_read(const char *text, oe_config **out, oe_error *err)
{
	OE__AUTO(config) oe_config *config = NULL;
	oe_error why = { .message = "" };

	if (oe_config_new(&config) < 0)
		return oe__error_nomem(err);
	int status = oe_config_load_text(config, text, strlen(text), "", &why);
	if (status == OE_ERR_NOMEM)
		return oe__error_nomem(err);
	if (status < 0) /* whatever is wrong with it, nobody has written that there */
		return oe__error(err, OE_ERR_FORMAT, "line %d: %s", (int)why.line,
		                 why.message);
	*out = OE__STEAL(config);
	return 0;
}

int oe__recorded_config(struct oe__database *database, oe_config **out, oe_error *err)
{
	OE__AUTO(string) char *text = NULL;
	oe_error why = { .message = "" };

	int status = oe__database_get(database, "config", &text, err);
	if (status < 0)
		return status;
	if (!text)
		return oe__error_at(err, OE_ERR_FORMAT, database->path, 0, 0, "the run has no configuration");
	status = oe__recorded_config_read(text, out, &why);
	if (status < 0)
		return oe__error_at(err, status, database->path, 0, 0, "its configuration is damaged: %s",
		                   why.message);
	return 0;
}
