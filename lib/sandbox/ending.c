#include "sandbox/ending.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "base/limits.h"
#include "base/text.h"

/* CPU time is counted in ticks: nearly all of it is all of it. */
#define NEARLY 0.9

/* ---- the verdict ---- */

static bool used_up_cpu(const struct oe__ending *ending)
{
	double limit_ms = (double)ending->limits.cpu_seconds * 1e3;

	return limit_ms > 0 && ending->cpu_ms >= NEARLY * limit_ms;
}

static int verdict_of_signal(const struct oe__ending *ending)
{
	switch (WTERMSIG(ending->status)) {
	case SIGSYS:
		return OE_VERDICT_SYSCALL_KILLED;
	case SIGXCPU:
		return OE_VERDICT_CPU_TIMEOUT;
	case SIGXFSZ:
		return OE_VERDICT_DISK_LIMIT;
	case SIGKILL:
		return used_up_cpu(ending) ? OE_VERDICT_CPU_TIMEOUT : OE_VERDICT_SIGNALLED;
	default:
		return OE_VERDICT_SIGNALLED;
	}
}

/* Whatever came first has killed it: a limit says more than a deadline. */
int oe__ending_verdict(const struct oe__ending *ending)
{
	static const int of_limit[] = {
		[OE__LIMIT_MEMORY] = OE_VERDICT_MEM_LIMIT,
		[OE__LIMIT_CPU] = OE_VERDICT_CPU_TIMEOUT,
		[OE__LIMIT_DISK] = OE_VERDICT_DISK_LIMIT,
		[OE__LIMIT_OUTPUT] = OE_VERDICT_OUTPUT_LIMIT,
		[OE__LIMIT_PROCESSES] = OE_VERDICT_PROC_LIMIT,
		[OE__LIMIT_SYSCALL] = OE_VERDICT_SYSCALL_KILLED,
	};

	if (ending->limit != OE__LIMIT_NONE)
		return of_limit[ending->limit];
	if (ending->timed_out)
		return OE_VERDICT_WALL_TIMEOUT;
	if (!ending->exited)
		return OE_VERDICT_SANDBOX_ERROR;
	/* It may have been one of its own processes that was killed, without which it could not go on. */
	if (ending->oom_kills > 0 && ending->status != 0)
		return OE_VERDICT_MEM_LIMIT;
	if (WIFSIGNALED(ending->status))
		return verdict_of_signal(ending);
	if (!WIFEXITED(ending->status)) /* no status of an end: whoever reported it is not to be trusted */
		return OE_VERDICT_SANDBOX_ERROR;
	return WEXITSTATUS(ending->status) == 0 ? OE_VERDICT_OK : OE_VERDICT_EXITED;
}

/* ---- the sentence ---- */

static void put_size(struct oe__buffer *out, uint64_t bytes)
{
	if (bytes == 0)
		return;
	if (bytes % OE__MIB == 0)
		oe__buffer_printf(out, ": %llu MiB", (unsigned long long)(bytes / OE__MIB));
	else
		oe__buffer_printf(out, ": %llu bytes", (unsigned long long)bytes);
}

static void put_timeout(const struct oe__ending *ending, struct oe__buffer *out)
{
	oe__buffer_text(out, "it was killed after ");
	oe__append_fixed(out, (double)ending->timeout_ms / 1000, 1);
	oe__buffer_text(out, " s, the time limit");
}

static void put_signal(int number, struct oe__buffer *out)
{
	const char *known = sigdescr_np(number);

	oe__buffer_printf(out, "it was ended by signal %d (%s)", number, known ? known : "unknown");
}

int oe__ending_describe(const struct oe__ending *ending, struct oe__buffer *out)
{
	const struct oe__limits *limits = &ending->limits;

	switch (oe__ending_verdict(ending)) {
	case OE_VERDICT_OK:
		break;
	case OE_VERDICT_WALL_TIMEOUT:
		put_timeout(ending, out);
		break;
	case OE_VERDICT_MEM_LIMIT:
		oe__buffer_text(out, "it wanted more memory than it may have");
		put_size(out, limits->memory_bytes);
		break;
	case OE_VERDICT_CPU_TIMEOUT:
		oe__buffer_text(out, "it used up its processor time");
		if (limits->cpu_seconds > 0)
			oe__buffer_printf(out, ": %llu s", (unsigned long long)limits->cpu_seconds);
		break;
	case OE_VERDICT_DISK_LIMIT:
		oe__buffer_text(out, ending->limit == OE__LIMIT_DISK ? "it wrote more to files than it may"
		                                                     : "it wrote a larger file than it may");
		if (ending->limit != OE__LIMIT_DISK)
			put_size(out, limits->file_bytes);
		break;
	case OE_VERDICT_OUTPUT_LIMIT:
		oe__buffer_text(out, "it wrote more to stdout and stderr than it may");
		break;
	case OE_VERDICT_PROC_LIMIT:
		oe__buffer_text(out, "it started more processes and threads than it may");
		if (limits->processes > 0)
			oe__buffer_printf(out, ": %llu", (unsigned long long)limits->processes);
		break;
	case OE_VERDICT_SYSCALL_KILLED:
		oe__buffer_text(out, "it made a system call that is not allowed");
		break;
	case OE_VERDICT_EXITED:
		oe__buffer_printf(out, "it left with exit status %d", WEXITSTATUS(ending->status));
		break;
	case OE_VERDICT_SIGNALLED:
		put_signal(WTERMSIG(ending->status), out);
		break;
	default:
		oe__buffer_text(out, "the sandbox lost it");
		break;
	}
	return out->status;
}
