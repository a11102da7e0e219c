/*
 * Applying an answer to a program, see edit.h.
 *
 * Blocks are applied in order to the evolving text, and then the result is judged as a whole: does
 * it change anything, does it keep what lies outside the EVOLVE-BLOCKs, is it short enough.
 */

#include "edit/edit.h"

#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/line_ends.h"
#include "base/text.h"
#include "edit/answer.h"
#include "edit/block.h"
#include "edit/ends.h"
#include "edit/evolve_block.h"
#include "edit/nearest.h"
#include "edit/report.h"
#include "edit/rewrite.h"
#include "edit/target.h"

struct oe__edit_rules {
	struct oe__edit_options options;
	char *language;
	struct oe__pattern *pattern;
};

/* One application under way. */
struct work {
	const struct oe__edit_rules *rules;
	oe_bytes parent;
	oe_bytes text; /* the parent with LF */
	int finish;
	oe_edit *edit;
	bool forgiven;       /* something had to be           */
	size_t nearest_left; /* bytes that may still be searched for similar lines */
};

int oe__edit_rules_new(const struct oe__edit_options *options, struct oe__edit_rules **out,
					   oe_error *err)
{
	OE__AUTO(edit_rules) struct oe__edit_rules *rules = oe__calloc(1, sizeof(*rules));

	if (!rules)
		return oe__error_nomem(err);
	rules->options = *options;
	rules->language = oe__strdup(options->language ? options->language : "");
	if (!rules->language)
		return oe__error_nomem(err);
	rules->options.language = rules->language;
	rules->options.pattern = NULL; /* borrowed; compiled from here on */
	int status = oe__pattern_new(options->pattern, &rules->pattern, err);
	if (status < 0)
		return status;
	*out = OE__STEAL(rules);
	return 0;
}

void oe__edit_rules_free(struct oe__edit_rules *rules)
{
	if (!rules)
		return;
	oe__pattern_free(rules->pattern);
	oe__free(rules->language);
	oe__free(rules);
}

/* ---- judging a result ---- */

static bool same(oe_bytes a, oe_bytes b)
{
	return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/* Rewrites lose the white space at their ends, so that cannot count as a change. */
static bool is_noop(const struct work *work, oe_bytes code)
{
	if (work->edit->rewrite)
		return same(oe__trimmed(work->parent), oe__trimmed(code));
	return same(work->parent, code);
}

static int explain_violation(oe_edit *edit)
{
	return oe__buffer_printf(&edit->message,
							 "line %zu of the result differs outside the EVOLVE-BLOCKs",
							 edit->violation_line);
}

/* `code` lies in the edit's code_text; here it becomes the child or is refused. */
static int judge(struct work *work, oe_bytes code)
{
	const struct oe__edit_options *options = &work->rules->options;
	oe_edit *edit = work->edit;

	if (is_noop(work, code)) {
		edit->status = OE_EDIT_STATUS_NOOP;
		return oe__buffer_text(&edit->message, "the answer changes nothing");
	}
	if (!oe__utf8_valid(code.data, code.size)) {
		edit->status = OE_EDIT_STATUS_NO_EDIT;
		return oe__buffer_text(&edit->message, "the answer is not valid UTF-8");
	}
	bool kept = options->evolve_blocks == OE__EVOLVE_OFF ||
				oe__evolve_blocks_kept(work->parent, code, &edit->violation_line);
	if (!kept && options->evolve_blocks == OE__EVOLVE_ENFORCE) {
		edit->status = OE_EDIT_STATUS_VIOLATES_BLOCK;
		return explain_violation(edit);
	}
	size_t length = oe__utf8_length(code.data, code.size);
	if (options->code_length_max > 0 && length > (uint64_t)options->code_length_max) {
		edit->status = OE_EDIT_STATUS_TOO_LONG;
		return oe__buffer_printf(&edit->message,
								 "the result has %zu characters, expected at most %lld", length,
								 (long long)options->code_length_max);
	}
	edit->code = code;
	edit->status = work->forgiven ? OE_EDIT_STATUS_APPLIED_TOLERANT : OE_EDIT_STATUS_APPLIED;
	return kept ? 0 : explain_violation(edit);
}

/* Larger than any program may be: the same as too many characters. */
static int end_too_large(oe_edit *edit)
{
	edit->status = OE_EDIT_STATUS_TOO_LONG;
	return oe__buffer_printf(&edit->message, "the result has more than %zu bytes", OE__CODE_MAX);
}

/* ---- blocks ---- */

/* Where a block goes, over all the lines that may be its divider. */
struct finding {
	struct oe__block block; /* as divided for ... */
	struct oe__place place;
	int places;       /* as of oe__target_find() */
	size_t divisions; /* that find a place; 2 for several */
	bool original;    /* it is the division that the original makes */
};

static int find_place(const struct work *work, struct oe__target *target,
					  const struct oe__block *block, struct finding *out)
{
	struct oe__block candidate = *block;
	size_t tried = 0;

	*out = (struct finding){ .block = *block };
	do {
		struct oe__place place;
		int places =
			oe__target_find(target, candidate.search, work->rules->options.tolerant, &place);
		if (places < 0)
			return places;
		if (places > 0 && out->divisions++ == 0) {
			out->block = candidate;
			out->place = place;
			out->places = places;
			out->original = tried == 0;
		}
	} while (++tried < OE__EDIT_DIVISIONS_MAX && out->divisions < 2 &&
			 oe__block_divide_later(&candidate));
	if (out->divisions == 1 && tried == OE__EDIT_DIVISIONS_MAX && candidate.dividers > 1)
		out->divisions = 2; /* more might fit than were tried */
	return 0;
}

/* Is there a choice, and may the first be taken? */
static int resolve(const struct work *work, const struct finding *finding, oe_edit_block *detail)
{
	bool exact = finding->place.level == OE_EDIT_LEVEL_EXACT;
	bool first = exact && finding->original && !work->rules->options.reject_ambiguous;

	if (finding->places == 0)
		return OE_EDIT_STATUS_UNMATCHED;
	if (finding->divisions > 1)
		detail->ambiguity = OE_EDIT_AMBIGUITY_DIVIDER;
	else if (finding->places > 1)
		detail->ambiguity = exact ? OE_EDIT_AMBIGUITY_EXACT : OE_EDIT_AMBIGUITY_TOLERANT;
	if (detail->ambiguity != OE_EDIT_AMBIGUITY_NONE && !first)
		return OE_EDIT_STATUS_AMBIGUOUS;
	return exact && !finding->block.loose ? OE_EDIT_STATUS_APPLIED
										  : OE_EDIT_STATUS_APPLIED_TOLERANT;
}

static int add_nearest(struct work *work, oe_edit_block *detail)
{
	struct oe__nearest nearest;
	size_t cost = work->text.size + detail->search.size;

	if (cost > work->nearest_left)
		return 0;
	work->nearest_left -= cost;
	int status = oe__nearest_find(work->text, detail->search, &nearest);
	if (status < 0)
		return status;
	detail->nearest_line = nearest.line;
	detail->nearest_count = nearest.count;
	detail->similarity = nearest.similarity;
	return 0;
}

static int apply_block(struct work *work, struct oe__target *target, const struct oe__block *block,
					   oe_edit_block *detail)
{
	struct finding finding;
	int status = find_place(work, target, block, &finding);

	if (status < 0)
		return status;
	*detail = (oe_edit_block){
		.struct_size = sizeof(*detail),
		.answer_line = block->line,
		.search = finding.block.search,
		.replacement = finding.block.replacement,
	};
	detail->status = resolve(work, &finding, detail);
	if (finding.places > 0) {
		detail->level = finding.place.level;
		detail->line = finding.place.line;
		detail->line_count = finding.place.count;
	}
	if (detail->status == OE_EDIT_STATUS_UNMATCHED)
		return add_nearest(work, detail);
	if (detail->status == OE_EDIT_STATUS_AMBIGUOUS)
		return 0;
	status = oe__target_replace(target, &finding.place, finding.block.replacement);
	if (status < 0)
		return status;
	if (status == 0) {
		detail->status = OE_EDIT_STATUS_UNMATCHED;
		detail->unmovable = 1;
		return add_nearest(work, detail);
	}
	if (detail->status == OE_EDIT_STATUS_APPLIED_TOLERANT)
		work->forgiven = true;
	work->edit->applied_count++;
	return 0;
}

/* The first block that was not applied (or only an ambiguous one), or NULL. */
static const oe_edit_block *first_bad(const oe_edit *edit, bool only_ambiguous)
{
	for (size_t i = 0; i < edit->block_count; i++) {
		const oe_edit_block *block = &edit->blocks[i];
		if (block->status == OE_EDIT_STATUS_AMBIGUOUS ||
			(block->status == OE_EDIT_STATUS_UNMATCHED && !only_ambiguous))
			return block;
	}
	return NULL;
}

/* The block that decides that nothing is applied, or NULL. */
static const oe_edit_block *deciding_block(const struct work *work)
{
	const struct oe__edit_options *options = &work->rules->options;
	const oe_edit *edit = work->edit;

	if (options->reject_unmatched || edit->applied_count == 0)
		return first_bad(edit, false);
	return options->reject_ambiguous ? first_bad(edit, true) : NULL;
}

/* The parent's line ends again, and a NUL after the text. */
static int take_code(struct work *work, struct oe__target *target, bool crlf, oe_bytes *code)
{
	struct oe__buffer *out = &work->edit->code_text;
	int status;

	if (crlf) {
		status = oe__append_crlf(out, oe__target_text(target));
		*code = (oe_bytes){ oe__buffer_string(out), out->size };
		return status;
	}
	*out = target->text;
	target->text = (struct oe__buffer)OE__BUFFER_INIT(0);
	*code = (oe_bytes){ out->data + 1, out->size - 2 };
	out->data[out->size - 1] = '\0'; /* where the last LF of the target was */
	return 0;
}

static int finish_blocks(struct work *work, struct oe__target *target, bool crlf)
{
	oe_edit *edit = work->edit;
	const oe_edit_block *deciding = deciding_block(work);
	oe_bytes code;

	if (deciding) {
		edit->status = deciding->status;
		return oe__edit_explain_blocks(edit, &edit->message);
	}
	int status = take_code(work, target, crlf, &code);
	if (status == OE_ERR_LIMIT)
		return end_too_large(edit);
	if (status == 0)
		status = judge(work, code);
	if (status < 0 || edit->applied_count == edit->block_count)
		return status;
	if (edit->status == OE_EDIT_STATUS_NOOP) {
		/* What should have changed something is what found no place. */
		edit->status = first_bad(edit, false)->status;
		oe__buffer_clear(&edit->message);
	}
	return oe__edit_explain_blocks(edit, &edit->message);
}

static int apply_blocks(struct work *work, const struct oe__blocks *blocks)
{
	OE__AUTO(target) struct oe__target target = { 0 };
	OE__AUTO(buffer) struct oe__buffer lf = OE__BUFFER_INIT(OE__CODE_MAX);
	oe_edit *edit = work->edit;
	bool crlf = work->rules->options.tolerant && oe__is_crlf(work->parent);
	int status = 0;

	edit->blocks = oe__calloc(blocks->count, sizeof(*edit->blocks));
	if (!edit->blocks)
		return OE_ERR_NOMEM;
	if (crlf) {
		status = oe__append_lf(&lf, work->parent);
		work->text = (oe_bytes){ lf.data, lf.size };
		work->forgiven = true;
	}
	if (status == 0)
		status = oe__target_init(&target, work->text);
	for (size_t i = 0; status == 0 && i < blocks->count; i++) {
		status = apply_block(work, &target, &blocks->items[i], &edit->blocks[i]);
		edit->block_count = i + 1;
	}
	if (status == OE_ERR_LIMIT)
		return end_too_large(edit);
	return status < 0 ? status : finish_blocks(work, &target, crlf);
}

/* Why the answer holds no block that could be applied. */
static int explain_reading(struct work *work, const struct oe__blocks *blocks)
{
	oe_edit *edit = work->edit;

	edit->status = OE_EDIT_STATUS_NO_EDIT;
	switch (blocks->reading) {
	case OE__READING_BROKEN:
		return oe__buffer_printf(&edit->message,
								 "the marks of a block are out of order at line %zu of the answer",
								 blocks->line);
	case OE__READING_LIMIT:
		return oe__buffer_printf(&edit->message,
								 "the answer has more than %d blocks, or 'diff_pattern' needs too "
								 "many steps to read it",
								 OE__EDIT_BLOCKS_MAX);
	case OE__READING_OPEN:
		edit->status = OE_EDIT_STATUS_TRUNCATED;
		return oe__buffer_printf(&edit->message,
								 "the answer breaks off: the block at its line %zu is not closed",
								 blocks->line);
	default:
		if (work->finish != OE_FINISH_LENGTH)
			return oe__buffer_text(&edit->message, "the answer holds no SEARCH/REPLACE block");
		edit->status = OE_EDIT_STATUS_TRUNCATED;
		return oe__buffer_text(&edit->message, "the answer breaks off before its first block");
	}
}

static int read_blocks(struct work *work, const struct oe__edit_answer *answer)
{
	OE__AUTO(blocks) struct oe__blocks blocks = { 0 };
	bool tolerant = work->rules->options.tolerant;
	int status = oe__blocks_read(work->rules->pattern, answer, tolerant, &blocks);

	if (status < 0)
		return status;
	if (blocks.reading != OE__READING_BLOCKS)
		return explain_reading(work, &blocks);
	work->forgiven = answer->crlf;
	return apply_blocks(work, &blocks);
}

/* ---- rewrites ---- */

/*
 * Build the child from what was read: with the line ends of the parent, and with the white space at
 * the parent's ends where markers show that it lies outside of what may change.
 */
static int build_rewrite(struct work *work, oe_bytes code)
{
	struct oe__buffer *out = &work->edit->code_text;
	bool crlf = work->rules->options.tolerant && oe__is_crlf(work->parent);
	bool marked =
		work->rules->options.evolve_blocks != OE__EVOLVE_OFF && oe__evolve_blocks_any(work->parent);
	const char *parent = work->parent.data;
	size_t size = work->parent.size;

	out->size_max = OE__CODE_MAX;
	if (marked) {
		code = oe__trimmed(code);
		oe__buffer_append(out, parent, oe__space_before(parent, size));
	}
	if (crlf)
		oe__append_crlf(out, code);
	else
		oe__buffer_append(out, code.data, code.size);
	if (marked) {
		size_t after = oe__space_after(parent, size);
		oe__buffer_append(out, parent + size - after, after);
	}
	return out->status;
}

static int read_rewrite(struct work *work, const struct oe__edit_answer *answer)
{
	OE__AUTO(buffer) struct oe__buffer buffer = OE__BUFFER_INIT(OE__RESPONSE_MAX);
	oe_edit *edit = work->edit;
	oe_bytes code = { "", 0 };
	int found = oe__rewrite_read(answer, work->rules->language, work->finish, &buffer, &code);

	if (found < 0)
		return found;
	if (found == OE__REWRITE_NONE) {
		edit->status = OE_EDIT_STATUS_NO_EDIT;
		return oe__buffer_text(&edit->message, "the answer holds no program");
	}
	if (found == OE__REWRITE_CUT || (found == OE__REWRITE_OPEN && !work->rules->options.tolerant)) {
		edit->status = OE_EDIT_STATUS_TRUNCATED;
		return oe__buffer_text(&edit->message, "the answer breaks off before its program ends");
	}
	work->forgiven = answer->crlf || found == OE__REWRITE_OPEN;
	edit->applied_count = 1;
	int status = build_rewrite(work, code);
	if (status == OE_ERR_LIMIT)
		return end_too_large(edit);
	if (status < 0)
		return status;
	return judge(work, (oe_bytes){ oe__buffer_string(&edit->code_text), edit->code_text.size });
}

/* ---- the whole ---- */

static int apply(struct work *work)
{
	OE__AUTO(edit_answer) struct oe__edit_answer answer = { 0 };
	oe_edit *edit = work->edit;
	oe_bytes raw = { oe__buffer_string(&edit->answer), edit->answer.size };
	int status = 0;

	if (edit->rewrite || work->rules->options.tolerant)
		status = oe__edit_answer_read(raw, &answer);
	else
		oe__edit_answer_raw(raw, &answer);
	if (status < 0)
		return status;
	if (answer.reasoning_open) {
		edit->status = OE_EDIT_STATUS_TRUNCATED;
		return oe__buffer_text(&edit->message, "the answer breaks off inside of its reasoning");
	}
	status = edit->rewrite ? read_rewrite(work, &answer) : read_blocks(work, &answer);
	edit->normalised = answer.normalised; /* the blocks point into it */
	answer.normalised = (struct oe__buffer)OE__BUFFER_INIT(0);
	return status;
}

int oe__edit_apply(const struct oe__edit_rules *rules, oe_bytes parent, oe_bytes answer, int finish,
				   oe_edit **out, oe_error *err)
{
	OE__AUTO(edit) oe_edit *edit = oe__calloc(1, sizeof(*edit));
	struct work work = {
		.rules = rules,
		.parent = { parent.size > 0 ? parent.data : "", parent.size },
		.finish = finish,
		.edit = edit,
		.nearest_left = OE__EDIT_NEAREST_MAX,
	};

	if (!edit)
		return oe__error_nomem(err);
	if (answer.size > OE__RESPONSE_MAX)
		return oe__error(err, OE_ERR_LIMIT, "the answer has %zu bytes, expected at most %zu",
						 answer.size, OE__RESPONSE_MAX);
	work.text = work.parent;
	edit->rewrite = rules->options.rewrite;
	int status = answer.size > 0 ? oe__buffer_append(&edit->answer, answer.data, answer.size) : 0;
	if (status == 0)
		status = apply(&work);
	if (status == 0 && edit->code.data)
		status = oe__edit_summarise(edit, false, &edit->summary);
	if (status < 0)
		return oe__error(err, status, "the answer could not be applied");
	*out = OE__STEAL(edit);
	return 0;
}

int oe__edit_outcome(int status)
{
	switch (status) {
	case OE_EDIT_STATUS_APPLIED:
	case OE_EDIT_STATUS_APPLIED_TOLERANT:
		return -1;
	case OE_EDIT_STATUS_NOOP:
		return OE_OUTCOME_NOOP_EDIT;
	case OE_EDIT_STATUS_VIOLATES_BLOCK:
		return OE_OUTCOME_VIOLATES_BLOCK;
	case OE_EDIT_STATUS_TRUNCATED:
		return OE_OUTCOME_TRUNCATED;
	case OE_EDIT_STATUS_TOO_LONG:
		return OE_OUTCOME_TOO_LONG;
	default:
		return OE_OUTCOME_NO_EDIT;
	}
}
