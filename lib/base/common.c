#include "openevolve/common.h"

_Static_assert(sizeof(oe_error) == 384, "oe_error is frozen: its size is ABI");

const char *oe_status_string(int status)
{
	switch (status) {
	case OE_ERR_NOMEM:
		return "out of memory";
	case OE_ERR_INVALID:
		return "invalid argument";
	case OE_ERR_STATE:
		return "not allowed in this state";
	case OE_ERR_CONFIG:
		return "invalid configuration";
	case OE_ERR_IO:
		return "input/output error";
	case OE_ERR_FORMAT:
		return "malformed data";
	case OE_ERR_VERSION:
		return "incompatible version";
	case OE_ERR_LIMIT:
		return "limit reached";
	case OE_ERR_TIMEOUT:
		return "deadline passed";
	case OE_ERR_CANCELLED:
		return "cancelled";
	case OE_ERR_LLM:
		return "LLM backend failed";
	case OE_ERR_EVALUATOR:
		return "evaluator failed";
	case OE_ERR_USER:
		return "failure of a callback";
	case OE_ERR_SANDBOX:
		return "the sandbox cannot give a required guarantee";
	default:
		return status >= 0 ? "success" : "unknown failure";
	}
}

uint32_t oe_version(void)
{
	return OE_VERSION;
}
