/* The sandbox of evaluations, for tools. */

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "evaluator/policy.h"
#include "openevolve/evaluator.h"
#include "sandbox/run.h"

int oe_sandbox_from_config(const oe_config *config, const char *evaluator, oe_sandbox **out,
                           oe_error *err)
{
	OE__AUTO(policy) struct oe__policy policy = { 0 };
	oe_sandbox *sandbox = NULL;
	OE__AUTO(string) char *here = oe__path_absolute(".");
	OE__AUTO(string) char *file = evaluator ? oe__policy_place(evaluator) : NULL;

	if (!config || !out)
		return oe__error(err, OE_ERR_INVALID, "oe_sandbox_from_config: NULL argument");
	if (!here || (evaluator && !file))
		return oe__error_nomem(err);
	int status = oe__policy_from_config(config, file, here, &policy, err);
	if (status == 0)
		status = oe_sandbox_new(&policy.policy, &sandbox, err);
	/* It sees less than the directories that it was made for: this is the place to say so. */
	if (status == 0 && policy.remark.size > 0 && policy.policy.mode != OE_SANDBOX_NONE &&
	    oe__sandbox_remark(sandbox, OE_GUARANTEE_FS_READ, oe__buffer_string(&policy.remark)) < 0)
		status = oe__error_nomem(err);
	if (status < 0)
		oe_sandbox_free(sandbox);
	else
		*out = sandbox;
	return status;
}
