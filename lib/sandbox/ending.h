#ifndef OE__SANDBOX_ENDING_H
#define OE__SANDBOX_ENDING_H

/* How a confined program ended, as a verdict and as a sentence that the next prompt can learn from. */

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "openevolve/program.h"
#include "sandbox/protocol.h"

/* What it had too much of, as whoever killed it for that knows. */
enum oe__limit {
	OE__LIMIT_NONE = 0,
	OE__LIMIT_MEMORY = OE__TOTAL_MEMORY,
	OE__LIMIT_CPU = OE__TOTAL_CPU,
	OE__LIMIT_DISK,
	OE__LIMIT_OUTPUT,
	OE__LIMIT_PROCESSES,
	OE__LIMIT_SYSCALL /* one that is refused */
};

struct oe__ending {
	bool timed_out;       /* at its deadline                   */
	enum oe__limit limit; /* it was killed for that            */
	uint32_t oom_kills;   /* of its control group              */
	bool exited;          /* `status` as of waitpid() is known */
	int status;
	double cpu_ms;
	int64_t timeout_ms;
	struct oe__limits limits; /* what it might have; 0: not told */
};

/* enum oe_verdict; OE_VERDICT_OK if it left with status 0, in time. */
int oe__ending_verdict(const struct oe__ending *ending);

/* One sentence that begins with "it"; nothing for OK. */
int oe__ending_describe(const struct oe__ending *ending, struct oe__buffer *out);

#endif /* OE__SANDBOX_ENDING_H */
