#include "sandbox/report.h"

#include <stdbool.h>
#include <string.h>

/* ---- names ---- */

static const char *const guarantee_names[] = {
	[OE_GUARANTEE_FS_READ] = "fs_read",
	[OE_GUARANTEE_FS_WRITE] = "fs_write",
	[OE_GUARANTEE_FS_META] = "fs_meta",
	[OE_GUARANTEE_NET_INET] = "net_inet",
	[OE_GUARANTEE_NET_UNIX] = "net_unix",
	[OE_GUARANTEE_NET_OTHER] = "net_other",
	[OE_GUARANTEE_PROC_SIGNAL] = "proc_signal",
	[OE_GUARANTEE_PROC_SEE] = "proc_see",
	[OE_GUARANTEE_TREE_KILL] = "tree_kill",
	[OE_GUARANTEE_MEM_TOTAL] = "mem_total",
	[OE_GUARANTEE_MEM_PROCESS] = "mem_process",
	[OE_GUARANTEE_CPU] = "cpu",
	[OE_GUARANTEE_WALL] = "wall",
	[OE_GUARANTEE_OUTPUT] = "output",
	[OE_GUARANTEE_PROCESSES] = "processes",
	[OE_GUARANTEE_DISK] = "disk",
	[OE_GUARANTEE_SYSCALLS] = "syscalls",
	[OE_GUARANTEE_PRIVILEGES] = "privileges",
	[OE_GUARANTEE_TERMINAL] = "terminal",
	[OE_GUARANTEE_IPC] = "ipc",
	[OE_GUARANTEE_SECRETS] = "secrets",
	[OE_GUARANTEE_SCORE] = "score",
};
_Static_assert(OE__COUNT(guarantee_names) == OE_GUARANTEE_COUNT, "each has a name");

static const char *const level_names[] = {
	[OE_LEVEL_NONE] = "none",
	[OE_LEVEL_PARTIAL] = "partial",
	[OE_LEVEL_ENFORCED] = "enforced",
	[OE_LEVEL_NOT_REQUESTED] = "not_requested",
};

static const char *const mode_names[] = {
	[OE_SANDBOX_AUTO] = "auto",
	[OE_SANDBOX_STRICT] = "strict",
	[OE_SANDBOX_NONE] = "none",
};

const char *oe_guarantee_name(int guarantee)
{
	return guarantee >= 0 && guarantee < OE_GUARANTEE_COUNT ? guarantee_names[guarantee]
	                                                        : "unknown";
}

const char *oe_guarantee_level_name(int level)
{
	return level >= 0 && (size_t)level < OE__COUNT(level_names) ? level_names[level] : "unknown";
}

int oe__guarantee_of(const char *name)
{
	for (int i = 0; i < OE_GUARANTEE_COUNT; i++)
		if (strcmp(guarantee_names[i], name) == 0)
			return i;
	return -1;
}

/* ---- filling in ---- */

void oe__sandbox_report_init(struct oe__sandbox_report *report, int mode)
{
	*report = (struct oe__sandbox_report){ .mode = mode, .tier = -1 };
}

void oe__sandbox_report_done(struct oe__sandbox_report *report)
{
	for (size_t i = 0; i < OE_GUARANTEE_COUNT; i++) {
		oe__buffer_done(&report->guarantees[i].mechanism);
		oe__buffer_done(&report->guarantees[i].reason);
	}
}

OE__PRINTF(3, 0)
static void add(struct oe__buffer *text, const char *between, const char *format,
                va_list arguments)
{
	if (text->size > 0)
		oe__buffer_text(text, between);
	oe__buffer_vprintf(text, format, arguments);
}

void oe__sandbox_report_set(struct oe__sandbox_report *report, enum oe_guarantee guarantee,
                            enum oe_guarantee_level level, const char *mechanism,
                            const char *reason)
{
	struct oe__guarantee *line = &report->guarantees[guarantee];

	line->level = level;
	oe__buffer_clear(&line->mechanism);
	oe__buffer_clear(&line->reason);
	oe__buffer_text(&line->mechanism, mechanism);
	oe__buffer_text(&line->reason, reason);
}

void oe__sandbox_report_add_mechanism(struct oe__sandbox_report *report,
                                      enum oe_guarantee guarantee, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	add(&report->guarantees[guarantee].mechanism, ", ", format, arguments);
	va_end(arguments);
}

void oe__sandbox_report_add_reason(struct oe__sandbox_report *report, enum oe_guarantee guarantee,
                                   const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	add(&report->guarantees[guarantee].reason, "; ", format, arguments);
	va_end(arguments);
}

void oe__sandbox_report_weaken(struct oe__sandbox_report *report, enum oe_guarantee guarantee,
                               enum oe_guarantee_level level, const char *format, ...)
{
	struct oe__guarantee *line = &report->guarantees[guarantee];
	va_list arguments;

	if (line->level == OE_LEVEL_NOT_REQUESTED)
		return;
	if ((int)level < line->level)
		line->level = level;
	va_start(arguments, format);
	add(&line->reason, "; ", format, arguments);
	va_end(arguments);
}

/* ---- what is required ---- */

/* A score is the evaluator's affair, and the totals need control groups that few users may make:
   strict mode does without. */
static bool strict_wants(const struct oe__sandbox_report *report, int guarantee)
{
	return report->mode == OE_SANDBOX_STRICT && guarantee != OE_GUARANTEE_SCORE &&
	       guarantee != OE_GUARANTEE_MEM_TOTAL && guarantee != OE_GUARANTEE_CPU &&
	       report->guarantees[guarantee].level != OE_LEVEL_NOT_REQUESTED;
}

static bool is_missing(const struct oe__sandbox_report *report, uint64_t require, int guarantee)
{
	bool wanted = require >> guarantee & 1 || strict_wants(report, guarantee);

	return wanted && report->guarantees[guarantee].level != OE_LEVEL_ENFORCED;
}

static const char *why_not(const struct oe__guarantee *line)
{
	if (line->reason.size > 0)
		return oe__buffer_string(&line->reason);
	return line->level == OE_LEVEL_NOT_REQUESTED ? "the policy sets no limit"
	                                             : "there is no mechanism for it";
}

int oe__sandbox_report_check(const struct oe__sandbox_report *report, uint64_t require,
                             oe_error *err)
{
	int first = -1, count = 0;

	if (require >> OE_GUARANTEE_COUNT != 0)
		return oe__error(err, OE_ERR_INVALID, "a guarantee is required that does not exist");
	for (int i = 0; i < OE_GUARANTEE_COUNT; i++) {
		if (!is_missing(report, require, i))
			continue;
		first = count == 0 ? i : first;
		count++;
	}
	if (count == 0)
		return 0;
	const char *why = why_not(&report->guarantees[first]);
	if (count == 1)
		return oe__error(err, OE_ERR_SANDBOX, "the sandbox cannot guarantee '%s': %s",
		                 guarantee_names[first], why);
	return oe__error(err, OE_ERR_SANDBOX, "the sandbox cannot guarantee '%s' and %d more: %s",
	                 guarantee_names[first], count - 1, why);
}

/* ---- reading ---- */

int oe__sandbox_report_at(const struct oe__sandbox_report *report, size_t index,
                          oe_guarantee_info *info)
{
	if (index >= OE_GUARANTEE_COUNT || !info || info->struct_size < sizeof(size_t))
		return 0;
	const struct oe__guarantee *line = &report->guarantees[index];
	size_t known = info->struct_size < sizeof(*info) ? info->struct_size : sizeof(*info);
	oe_guarantee_info all = {
		.struct_size = known,
		.guarantee = (int32_t)index,
		.level = line->level,
		.name = guarantee_names[index],
		.mechanism = oe__buffer_string(&line->mechanism),
		.reason = oe__buffer_string(&line->reason),
	};
	memcpy(info, &all, known);
	return 1;
}

static void write_line(struct oe__json_writer *writer, int guarantee,
                       const struct oe__guarantee *line)
{
	oe__json_map(writer);
	oe__json_key(writer, "name");
	oe__json_string(writer, guarantee_names[guarantee]);
	oe__json_key(writer, "level");
	oe__json_string(writer, oe_guarantee_level_name(line->level));
	oe__json_key(writer, "mechanism");
	oe__json_string_sized(writer, oe__buffer_string(&line->mechanism), line->mechanism.size);
	oe__json_key(writer, "reason");
	oe__json_string_sized(writer, oe__buffer_string(&line->reason), line->reason.size);
	oe__json_map_end(writer);
	if (line->mechanism.status < 0 || line->reason.status < 0)
		writer->out->status = OE_ERR_NOMEM;
}

int oe__sandbox_report_write(const struct oe__sandbox_report *report, struct oe__buffer *out)
{
	struct oe__json_writer writer = { .out = out };

	oe__json_map(&writer);
	oe__json_key(&writer, "schema");
	oe__json_string(&writer, "oe.sandbox/1");
	oe__json_key(&writer, "mode");
	oe__json_string(&writer, mode_names[report->mode]);
	oe__json_key(&writer, "tier");
	if (report->tier >= 0)
		oe__json_int(&writer, report->tier);
	else
		oe__json_null(&writer);
	oe__json_key(&writer, "isolation");
	oe__json_string(&writer, report->isolation);
	oe__json_key(&writer, "guarantees");
	oe__json_list(&writer);
	for (int i = 0; i < OE_GUARANTEE_COUNT; i++)
		write_line(&writer, i, &report->guarantees[i]);
	oe__json_list_end(&writer);
	oe__json_map_end(&writer);
	return out->status;
}
