/*
 * The token budget: what is left out of a prompt that would be too long, and saying so.
 */

#include <inttypes.h>
#include <string.h>

#include "prompt/prompt_internal.h"

/* Artifacts are shortened down to that many characters before any is left out. */
#define ARTIFACT_CHARS_MIN 256

/* Tokens of the headings around one program. */
#define ITEM_TOKENS 32

static const struct {
	const char *one, *many;
} part_names[OE__PART_COUNT] = {
	[OE__PART_DIVERSE] = { "different program", "different programs" },
	[OE__PART_INSPIRATIONS] = { "inspiration", "inspirations" },
	[OE__PART_TOP] = { "top program", "top programs" },
	[OE__PART_ATTEMPTS] = { "attempt", "attempts" },
	[OE__PART_ARTIFACTS] = { "artifact", "artifacts" },
};

static size_t smaller(int64_t limit, size_t count)
{
	return limit < 0 ? 0 : (uint64_t)limit < count ? (size_t)limit : count;
}

void oe__plan_whole(struct oe__job *job)
{
	const struct oe__prompt_settings *settings = &job->set->settings;
	const struct oe__prompt_input *input = job->input;
	size_t top = smaller(settings->num_top, input->top_count);

	job->whole = (struct oe__plan){
		.counts = { [OE__PART_DIVERSE] = smaller(settings->num_diverse, input->top_count - top),
					[OE__PART_INSPIRATIONS] = input->inspiration_count,
					[OE__PART_TOP] = top,
					[OE__PART_ATTEMPTS] = smaller(settings->num_attempts, input->attempt_count),
					[OE__PART_ARTIFACTS] =
						settings->include_artifacts ? input->artifact_count : 0 },
		.artifact_chars = settings->artifact_chars,
	};
	job->plan = job->whole;
}

/* Eight bytes at a time: with a budget, every prompt is counted. */
int64_t oe__count_tokens(const char *text, size_t size)
{
	const uint64_t ones = 0x0101010101010101;
	size_t beyond = 0, inner = 0; /* bytes beyond ASCII, and those that are not the first of theirs */
	uint64_t word;

	for (size_t i = 0; i < size; i += sizeof(word)) {
		word = 0;
		memcpy(&word, text + i, size - i < sizeof(word) ? size - i : sizeof(word));
		beyond += (size_t)((word >> 7 & ones) * ones >> 56); /* the sum of the eight */
		inner += (size_t)((word >> 7 & ~(word >> 6) & ones) * ones >> 56);
	}
	return (int64_t)((size - beyond + 3) / 4 + (beyond - inner));
}

/* ---- leaving out ---- */

/* The item that goes next: the last one of its part. */
static int64_t item_tokens(const struct oe__job *job, enum oe__prompt_part part)
{
	const struct oe__prompt_input *input = job->input;
	size_t last = job->plan.counts[part] - 1;
	oe_bytes code = { NULL, 0 };

	if (part == OE__PART_DIVERSE)
		code = input->top[job->diverse[last]].code;
	else if (part == OE__PART_INSPIRATIONS)
		code = input->inspirations[last].code;
	else if (part == OE__PART_TOP)
		code = input->top[last].code;
	return ITEM_TOKENS + oe__count_tokens(code.data, code.size);
}

static bool shorten_artifacts(struct oe__job *job)
{
	if (job->plan.counts[OE__PART_ARTIFACTS] == 0 || job->plan.artifact_chars <= ARTIFACT_CHARS_MIN)
		return false;
	job->plan.artifact_chars /= 2;
	if (job->plan.artifact_chars < ARTIFACT_CHARS_MIN)
		job->plan.artifact_chars = ARTIFACT_CHARS_MIN;
	return true;
}

bool oe__plan_reduce(struct oe__job *job, int64_t excess)
{
	bool reduced = false;

	for (int part = 0; part < OE__PART_COUNT && excess > 0; part++) {
		if (part == OE__PART_ARTIFACTS && (reduced || shorten_artifacts(job)))
			return true;
		while (job->plan.counts[part] > 0 && excess > 0) {
			excess -= item_tokens(job, (enum oe__prompt_part)part);
			job->plan.counts[part]--;
			reduced = true;
			/* What an attempt or an artifact takes is not known beforehand: one at a time. */
			if (part >= OE__PART_ATTEMPTS)
				return true;
		}
	}
	return reduced;
}

/* ---- saying so ---- */

int oe__prompt_cuts(const struct oe__prompt *prompt, struct oe__buffer *out)
{
	const char *separator = "";

	for (int part = 0; part < OE__PART_COUNT; part++) {
		size_t available = prompt->parts[part].available;
		size_t missing = available - prompt->parts[part].shown;

		if (missing == 0)
			continue;
		oe__buffer_printf(out, "%s%zu of %zu %s", separator, missing, available,
						  available == 1 ? part_names[part].one : part_names[part].many);
		separator = ", ";
	}
	if (prompt->artifact_chars < prompt->artifact_chars_max &&
		prompt->parts[OE__PART_ARTIFACTS].shown > 0)
		oe__buffer_printf(out, "%swhat artifacts hold beyond %" PRId64 " characters", separator,
						  prompt->artifact_chars);
	return out->status;
}

int oe__write_budget_note(const struct oe__job *job, struct oe__buffer *out, oe_error *err)
{
	OE__AUTO(buffer) struct oe__buffer cuts = OE__BUFFER_INIT(0);
	size_t from = out->size;

	if (oe__prompt_cuts(job->prompt, &cuts) < 0)
		return cuts.status;
	if (cuts.size == 0)
		return 0;
	struct oe__argument arguments[] = { oe__argument_text(cuts.data, cuts.size),
										oe__argument_int(job->set->settings.tokens_max) };
	oe__buffer_text(out, "\n\n");
	size_t start = out->size;
	int status = oe__job_fragment(job, OE__FRAGMENT_BUDGET_NOTE, arguments, out, err);
	/* A directory that blanks the fragment wants no note. */
	if (status == 0 && out->size == start)
		oe__buffer_truncate(out, from);
	return status;
}
