#ifndef OE__SANDBOX_ENDING_H
#define OE__SANDBOX_ENDING_H

/* How a confined program ended, as a verdict and as a sentence that the next prompt can learn from. */

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "openevolve/program.h"
#include "sandbox/protocol.h"

struct oe__ending {
	bool timed_out;     /* at its deadline                                 */
	int exceeded;       /* enum oe__total that was seen to be exceeded; 0  */
	uint32_t oom_kills; /* of its control group                            */
	bool exited;        /* `status` as of waitpid() is known               */
	int status;
	double cpu_ms;
	int64_t timeout_ms;
	struct oe__limits limits;
};

/* enum oe_verdict; OE_VERDICT_OK if it left with status 0, in time. */
int oe__ending_verdict(const struct oe__ending *ending);

/* One sentence that begins with "it"; nothing for OK. */
int oe__ending_describe(const struct oe__ending *ending, struct oe__buffer *out);

#endif /* OE__SANDBOX_ENDING_H */
