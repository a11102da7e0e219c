/* The sandbox of evaluations, for tools. */

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "evaluator/policy.h"
#include "openevolve/evaluator.h"

int oe_sandbox_from_config(const oe_config *config, const char *evaluator, oe_sandbox **out,
                           oe_error *err)
{
	OE__AUTO(policy) struct oe__policy policy = { 0 };
	OE__AUTO(string) char *here = oe__path_absolute(".");
	OE__AUTO(string) char *file = evaluator ? oe__path_absolute(evaluator) : NULL;

	if (!config || !out)
		return oe__error(err, OE_ERR_INVALID, "oe_sandbox_from_config: NULL argument");
	if (!here || (evaluator && !file))
		return oe__error_nomem(err);
	int status = oe__policy_from_config(config, file, here, &policy, err);
	return status < 0 ? status : oe_sandbox_new(&policy.policy, out, err);
}
