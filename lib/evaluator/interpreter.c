#include "evaluator/interpreter.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/json.h"
#include "base/text.h"

#define TIMEOUT_MS 60000

/* The line that counts is marked: sitecustomize and the like may print. */
#define MARK "oe-interpreter:"
static const char question[] =
	"import json, os, site, sys\n"
	"paths = [sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix]\n"
	"paths += [os.path.dirname(os.path.realpath(sys.executable))]\n"
	"paths += [path for path in sys.path if os.path.isabs(path) and os.path.exists(path)]\n"
	"print('" MARK "' + json.dumps([sys.executable, site.getuserbase()] + paths))\n";

static int ask(const char *interpreter, const char *const *variables, oe_sandbox_result **out,
               oe_error *err)
{
	oe_sandbox_policy open = OE_SANDBOX_POLICY_INIT;
	oe_sandbox *sandbox = NULL;
	const char *arguments[] = { interpreter, "-c", question, NULL };
	oe_sandbox_command command = { .struct_size = sizeof(command),
		                           .arguments = arguments,
		                           .variables = variables,
		                           .directory = "/",
		                           .timeout_ms = TIMEOUT_MS };

	open.mode = OE_SANDBOX_NONE; /* it is the user's, and runs nothing of anybody's */
	open.processes = 0;
	int status = oe_sandbox_new(&open, &sandbox, err);
	if (status == 0)
		status = oe_sandbox_run(sandbox, &command, out, err);
	oe_sandbox_free(sandbox);
	return status;
}

static int take_answer(const struct oe__value *answer, struct oe__policy *policy, char **executable,
                       char **user_base)
{
	int status = 0;

	for (size_t i = 2; status == 0 && i < answer->size; i++)
		if (answer->items[i].type == OE__VALUE_STRING)
			status = oe__policy_show(policy, answer->items[i].string);
	*executable = oe__strdup(answer->items[0].string);
	*user_base = answer->items[1].type == OE__VALUE_STRING ? oe__strdup(answer->items[1].string) : NULL;
	return *executable ? status : OE_ERR_NOMEM;
}

int oe__interpreter_show(const char *interpreter, const char *const *variables,
                         struct oe__policy *policy, char **executable, char **user_base, oe_error *err)
{
	OE__AUTO(value) struct oe__value answer = { 0 };
	oe_sandbox_result *result = NULL;

	int status = ask(interpreter, variables, &result, err);
	if (status < 0)
		return oe__error(err, OE_ERR_EVALUATOR, "cannot start '%s': %s", interpreter,
		                 err ? err->message : "");
	const char *text = strstr(oe_sandbox_result_output(result, NULL), MARK);
	const char *json = text ? text + strlen(MARK) : "";
	bool known = oe_sandbox_result_verdict(result) == OE_VERDICT_OK &&
	             oe__json_parse(json, strcspn(json, "\n"), &answer, NULL) == 0 &&
	             answer.type == OE__VALUE_LIST && answer.size > 2 &&
	             answer.items[0].type == OE__VALUE_STRING;
	if (known)
		status = take_answer(&answer, policy, executable, user_base);
	else
		(void)oe__error(err, OE_ERR_EVALUATOR, "'%s' is no Python that works: %.200s", interpreter,
		                *oe_sandbox_result_message(result) ? oe_sandbox_result_message(result)
		                                                   : oe_sandbox_result_output(result, NULL));
	oe_sandbox_result_free(result);
	if (!known)
		return OE_ERR_EVALUATOR;
	return status < 0 ? oe__error_nomem(err) : 0;
}
