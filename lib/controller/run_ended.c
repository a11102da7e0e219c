/* Which rows of the log say that an iteration ended, and how. */

#include "controller/run_internal.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "config/config.h"
#include "hub/hub.h"

/* A commit that waits for its turn has no outcome; neither has anything behind the number at which a
   run ended that ends in order. */
#define ENDED                                                                                      \
	"outcome IS NOT NULL AND number <= coalesce((SELECT CAST(nullif(value, '') AS INTEGER)"        \
	" FROM meta WHERE key = 'held_at'), 9223372036854775807)"

/* 1 or 0, also of a run without a configuration that we understand; or a status. */
static int replaces(oe_run *run, oe_error *err)
{
	OE__AUTO(string) char *text = NULL;
	OE__AUTO(config) oe_config *config = NULL;

	int status = oe__database_get(run->database, "config", &text, err);
	if (status < 0)
		return status;
	return text && oe__run_config(run, &config, NULL) == 0 &&
	       oe__config_choice(config, "hub.on_failure") == OE__ON_FAILURE_REPLACE;
}

int oe__run_write_ended(oe_run *run, struct oe__buffer *out, oe_error *err)
{
	int replaced = replaces(run, err);

	if (replaced < 0)
		return replaced;
	if (oe__buffer_text(out, ENDED) < 0)
		return oe__error_nomem(err);
	if (!replaced)
		return 0;
	/* What another attempt follows, or will follow, is not the end. */
	oe__buffer_printf(out, " AND NOT (attempt + 1 < %d AND outcome IN (''", OE__RETRIES_MAX);
	for (int i = 0; i < OE_OUTCOME_COUNT; i++)
		if (oe__hub_is_program_failure(i))
			oe__buffer_printf(out, ", '%s'", oe_outcome_name(i));
	return oe__buffer_text(out, "))") < 0 ? oe__error_nomem(err) : 0;
}
