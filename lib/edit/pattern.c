/*
 * diff_pattern over PCRE2, see pattern.h.
 *
 * A regular expression with backtracking can take exponential time, and PCRE2 counts its steps
 * anew for every place at which a match may begin. An automatic callout before each item counts
 * them for the whole answer, together with the distance that the matcher moves, so the bound holds
 * for everything that it does and never depends on a clock.
 */

#include "edit/pattern.h"

#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/text.h"
#include "config/pattern.h"

struct oe__pattern {
	pcre2_code *code; /* NULL: the default */
	pcre2_general_context *memory;
};

static const char start_mark[] = "<<<<<<< SEARCH\n";
static const char divider_mark[] = "=======\n";
static const char end_mark[] = ">>>>>>> REPLACE";

static bool is_default(const char *text)
{
	/* YAML's double quotes turn \n into a line end; the two mean the same. */
	return !text || strcmp(text, OE__PATTERN_DEFAULT) == 0 ||
		   strcmp(text, "<<<<<<< SEARCH\n(.*?)=======\n(.*?)>>>>>>> REPLACE") == 0;
}

int oe__pattern_new(const char *text, struct oe__pattern **out, oe_error *err)
{
	OE__AUTO(pattern) struct oe__pattern *pattern = oe__calloc(1, sizeof(*pattern));

	if (!pattern)
		return oe__error_nomem(err);
	if (!is_default(text)) {
		pattern->memory = oe__pattern_memory();
		if (!pattern->memory)
			return oe__error_nomem(err);
		int status =
			oe__pattern_compile(text, PCRE2_AUTO_CALLOUT, pattern->memory, &pattern->code, err);
		if (status < 0)
			return status;
	}
	*out = OE__STEAL(pattern);
	return 0;
}

void oe__pattern_free(struct oe__pattern *pattern)
{
	if (!pattern)
		return;
	pcre2_code_free(pattern->code);
	pcre2_general_context_free(pattern->memory);
	oe__free(pattern);
}

bool oe__pattern_is_default(const struct oe__pattern *pattern)
{
	return !pattern->code;
}

static int count_work(pcre2_callout_block *block, void *userdata)
{
	struct oe__pattern_scan *scan = userdata;
	size_t here = block->current_position;

	scan->work += 1 + (here > scan->position ? here - scan->position : scan->position - here);
	scan->position = here;
	return scan->work > scan->work_max ? PCRE2_ERROR_CALLOUT : 0;
}

int oe__pattern_scan(const struct oe__pattern *pattern, oe_bytes text,
					 struct oe__pattern_scan *scan)
{
	uint64_t work_max = OE__PATTERN_WORK_MIN + (uint64_t)text.size * OE__PATTERN_WORK_PER_BYTE;

	*scan = (struct oe__pattern_scan){ .pattern = pattern, .text = text };
	scan->work_max = work_max < OE__PATTERN_WORK_MAX ? work_max : OE__PATTERN_WORK_MAX;
	if (!pattern->code)
		return 0;

	pcre2_match_context *context = pcre2_match_context_create(pattern->memory);
	scan->context = context;
	scan->match = pcre2_match_data_create_from_pattern(pattern->code, pattern->memory);
	if (!context || !scan->match)
		return OE_ERR_NOMEM;
	pcre2_set_match_limit(context, OE__PATTERN_STEPS_MAX);
	pcre2_set_depth_limit(context, OE__PATTERN_STEPS_MAX);
	pcre2_set_heap_limit(context, (uint32_t)(OE__PATTERN_HEAP_MAX / OE__KIB));
	pcre2_set_callout(context, count_work, scan);
	return 0;
}

void oe__pattern_scan_done(struct oe__pattern_scan *scan)
{
	pcre2_match_data_free(scan->match);
	pcre2_match_context_free(scan->context);
	*scan = (struct oe__pattern_scan){ 0 };
}

static const char *find(oe_bytes text, size_t from, const char *what, size_t size)
{
	return oe__find((const char *)text.data + from, text.size - from, what, size);
}

/* The default pattern: each mark is the first after the one before, as `.*?` has it. */
static int next_default(struct oe__pattern_scan *scan, struct oe__match *out)
{
	const char *base = scan->text.data;
	const char *start = find(scan->text, scan->offset, start_mark, sizeof(start_mark) - 1);
	if (!start)
		return 0;
	const char *search = start + sizeof(start_mark) - 1;
	const char *divider =
		find(scan->text, (size_t)(search - base), divider_mark, sizeof(divider_mark) - 1);
	if (!divider)
		return 0;
	const char *replacement = divider + sizeof(divider_mark) - 1;
	const char *end =
		find(scan->text, (size_t)(replacement - base), end_mark, sizeof(end_mark) - 1);
	if (!end)
		return 0;

	scan->offset = (size_t)(end - base) + sizeof(end_mark) - 1;
	*out = (struct oe__match){
		.start = (size_t)(start - base),
		.end = scan->offset,
		.search = { search, (size_t)(divider - search) },
		.replacement = { replacement, (size_t)(end - replacement) },
	};
	return 1;
}

static oe_bytes group(const struct oe__pattern_scan *scan, const size_t *offsets, int number)
{
	size_t start = offsets[2 * number], end = offsets[2 * number + 1];

	if (start == PCRE2_UNSET || end <= start)
		return (oe_bytes){ "", 0 };
	return (oe_bytes){ (const char *)scan->text.data + start, end - start };
}

int oe__pattern_next(struct oe__pattern_scan *scan, struct oe__match *out)
{
	if (!scan->pattern->code)
		return next_default(scan, out);

	int count =
		pcre2_match(scan->pattern->code, scan->text.data, scan->text.size, scan->offset,
					scan->after_empty ? PCRE2_NOTEMPTY_ATSTART : 0, scan->match, scan->context);
	if (count == PCRE2_ERROR_NOMATCH)
		return 0;
	if (count == PCRE2_ERROR_NOMEMORY)
		return OE_ERR_NOMEM;
	if (count < 0)
		return OE_ERR_LIMIT;

	const size_t *offsets = pcre2_get_ovector_pointer(scan->match);
	out->start = offsets[0];
	out->end = offsets[1];
	out->search = group(scan, offsets, 1);
	out->replacement = group(scan, offsets, 2);
	scan->offset = out->end;
	scan->after_empty = out->start == out->end;
	return 1;
}
