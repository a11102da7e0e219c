#include "sandbox/ending.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>

/* Seconds of CPU time are counted in ticks: nearly all of it is all of it. */
#define NEARLY 0.95

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
		if (ending->oom_kills > 0)
			return OE_VERDICT_MEM_LIMIT;
		return used_up_cpu(ending) ? OE_VERDICT_CPU_TIMEOUT : OE_VERDICT_SIGNALLED;
	default:
		return OE_VERDICT_SIGNALLED;
	}
}

int oe__ending_verdict(const struct oe__ending *ending)
{
	if (ending->timed_out)
		return OE_VERDICT_WALL_TIMEOUT;
	if (ending->exceeded == OE__TOTAL_MEMORY)
		return OE_VERDICT_MEM_LIMIT;
	if (ending->exceeded == OE__TOTAL_CPU)
		return OE_VERDICT_CPU_TIMEOUT;
	if (!ending->exited)
		return OE_VERDICT_SANDBOX_ERROR;
	if (WIFSIGNALED(ending->status))
		return verdict_of_signal(ending);
	return WEXITSTATUS(ending->status) == 0 ? OE_VERDICT_OK : OE_VERDICT_EXITED;
}

int oe__ending_describe(const struct oe__ending *ending, struct oe__buffer *out)
{
	switch (oe__ending_verdict(ending)) {
	case OE_VERDICT_OK:
		return out->status;
	case OE_VERDICT_WALL_TIMEOUT:
		return oe__buffer_printf(out, "it did not end within %.6g s",
		                         (double)ending->timeout_ms / 1e3);
	case OE_VERDICT_MEM_LIMIT:
		return oe__buffer_printf(out, "its processes took more than %llu MiB of memory",
		                         (unsigned long long)(ending->limits.memory_bytes >> 20));
	case OE_VERDICT_CPU_TIMEOUT:
		return oe__buffer_printf(out, "it used up its %llu s of CPU time",
		                         (unsigned long long)ending->limits.cpu_seconds);
	case OE_VERDICT_DISK_LIMIT:
		return oe__buffer_printf(out, "it wrote a file larger than %llu bytes",
		                         (unsigned long long)ending->limits.file_bytes);
	case OE_VERDICT_SYSCALL_KILLED:
		return oe__buffer_text(out, "it made a system call that nothing here may make");
	case OE_VERDICT_EXITED:
		return oe__buffer_printf(out, "it left with exit status %d", WEXITSTATUS(ending->status));
	case OE_VERDICT_SIGNALLED:
		return oe__buffer_printf(out, "it was ended by signal %d (%s)", WTERMSIG(ending->status),
		                         strsignal(WTERMSIG(ending->status)));
	default:
		return oe__buffer_text(out, "the sandbox lost it");
	}
}
