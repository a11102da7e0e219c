/*
 * The embedded default: no model, but a local search operator that knows nothing of the problem. It
 * perturbs and recombines numbers, operators and lines inside the EVOLVE-BLOCKs of the parent and
 * answers with ordinary edits. Steps are drawn over several orders of magnitude (as in Schwefel's
 * and Rechenberg's evolution strategies, but without state), differences between programs of the
 * same shape are used as in differential evolution (Storn, Price, 1997).
 *
 * A pure function of the request: everything random comes from its seed.
 */

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/line_ends.h"
#include "base/rng.h"
#include "base/text.h"
#include "llm/llm.h"
#include "llm/patch.h"
#include "llm/tokens.h"
#include "program/sample.h"

#define TRIES_MAX    20 /* draws that change nothing, before it gives up       */
#define DECIMALS_MAX 8  /* of a number that was refined again and again        */

struct mutation {
	struct oe__rng rng;
	const oe_iteration *iteration;
	const char *text;
	size_t size;
	bool crlf; /* the program's lines end so; the text's do not */
	struct oe__tokens tokens;
	struct oe__patch patch;
};

static double uniform(struct mutation *mutation, double low, double high)
{
	return low + (high - low) * oe__rng_real(&mutation->rng);
}

static size_t below(struct mutation *mutation, size_t count)
{
	return (size_t)oe__rng_below(&mutation->rng, count);
}

/* ---- numbers ---- */

static int replace_number(struct mutation *mutation, const struct oe__literal *literal,
                          double value, double step)
{
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(512);

	if (!isfinite(value) || fabs(value) > 1e15)
		return 0;
	if (literal->integer) {
		oe__buffer_printf(&text, "%lld", (long long)llround(value));
	} else {
		/* Enough digits to show the step, at least as many as there were. */
		int digits = step > 0 ? (int)ceil(-log10(step)) + 1 : 0;
		int decimals = digits > literal->decimals ? digits : literal->decimals;
		if (decimals > DECIMALS_MAX)
			decimals = literal->decimals > DECIMALS_MAX ? literal->decimals : DECIMALS_MAX;
		oe__append_fixed(&text, value, decimals > 0 ? decimals : 1);
	}
	if (text.status < 0)
		return text.status;
	if (text.size == literal->size &&
	    memcmp(text.data, mutation->text + literal->start, text.size) == 0)
		return 0;
	return oe__patch_add(&mutation->patch, literal->start, literal->size, text.data);
}

static int perturb(struct mutation *mutation, const struct oe__literal *literal, double scale)
{
	double value = literal->value;

	if (literal->integer) {
		/* Half the time by one, else by a factor: sizes and counts live on a ratio scale. */
		double step = oe__rng_below(&mutation->rng, 2) == 0 || fabs(value) < 2
		                  ? 1
		                  : fabs(value) * uniform(mutation, 0.1, 1.5);
		value += oe__rng_below(&mutation->rng, 2) == 0 ? fmax(1, round(step)) : -fmax(1, round(step));
		if (literal->value >= 0 && value < 0)
			value = 0;
		return replace_number(mutation, literal, value, 0);
	}
	double reach = fabs(value) > 1e-3 ? fmax(fabs(value), 0.1) : 0.1;
	double step = reach * scale;
	return replace_number(mutation, literal, value + step * oe__rng_normal(&mutation->rng), step);
}

/* One to three numbers, often neighbours, by steps of one random size. */
static int perturb_numbers(struct mutation *mutation)
{
	const struct oe__tokens *tokens = &mutation->tokens;
	static const size_t how_many[] = { 1, 1, 1, 2, 2, 3 };
	double scale = pow(10, uniform(mutation, -3, 0.2));
	size_t at = below(mutation, tokens->literal_count);
	size_t count = how_many[below(mutation, OE__COUNT(how_many))];
	bool together = oe__rng_below(&mutation->rng, 2) == 0;
	int changed = 0;

	for (size_t i = 0; i < count && changed >= 0; i++) {
		int got = perturb(mutation, &tokens->literals[at], scale);
		changed = got < 0 ? got : changed + got;
		at = together ? (at + 1) % tokens->literal_count : below(mutation, tokens->literal_count);
	}
	return changed;
}

/* Numbers next to each other change places: two points of a list, for example. */
static int swap_numbers(struct mutation *mutation)
{
	const struct oe__tokens *tokens = &mutation->tokens;
	if (tokens->literal_count < 2)
		return 0;
	const struct oe__literal *a = &tokens->literals[below(mutation, tokens->literal_count)];
	const struct oe__literal *b = &tokens->literals[below(mutation, tokens->literal_count)];

	if (a == b || a->value == b->value || a->integer != b->integer)
		return 0;
	int first = replace_number(mutation, a, b->value, pow(10, -b->decimals));
	int second = replace_number(mutation, b, a->value, pow(10, -a->decimals));
	return first < 0 ? first : second < 0 ? second : first + second;
}

/* ---- other programs ---- */

static const oe_program *draw_other(struct mutation *mutation)
{
	const oe_iteration *iteration = mutation->iteration;
	size_t count = iteration->inspiration_count + iteration->top_count;
	if (count == 0)
		return NULL;
	size_t at = below(mutation, count);
	const oe_program *other = at < iteration->inspiration_count
	                              ? iteration->inspirations[at]
	                              : iteration->top[at - iteration->inspiration_count];
	return other->source == iteration->parent->source ? NULL : other;
}

/* Move some numbers toward, or beyond, those of another program of the same shape. */
static int move_numbers(struct mutation *mutation)
{
	OE__AUTO(tokens) struct oe__tokens theirs = { 0 };
	const struct oe__tokens *ours = &mutation->tokens;
	const oe_program *other = draw_other(mutation);
	if (!other)
		return 0;
	int status = oe__tokens_scan(other->source->text, other->source->size, &theirs);
	if (status < 0 || theirs.literal_count != ours->literal_count)
		return status;

	double share = uniform(mutation, 0.05, 1);
	double factor = oe__rng_below(&mutation->rng, 3) == 0 ? 1 : uniform(mutation, -0.5, 1.2);
	int changed = 0;
	for (size_t i = 0; i < ours->literal_count && changed >= 0; i++) {
		double distance = theirs.literals[i].value - ours->literals[i].value;
		if (distance == 0 || oe__rng_real(&mutation->rng) > share)
			continue;
		int got = replace_number(mutation, &ours->literals[i],
		                         ours->literals[i].value + factor * distance,
		                         fabs(factor * distance) * 0.01);
		changed = got < 0 ? got : changed + got;
	}
	return changed;
}

/* ---- lines and operators ---- */

static int set_line(struct mutation *mutation, const struct oe__span *line,
                    const struct oe__span *from)
{
	OE__AUTO(string) char *text = oe__strndup(mutation->text + from->start, from->size);
	if (!text)
		return OE_ERR_NOMEM;
	return oe__patch_add(&mutation->patch, line->start, line->size, text);
}

static bool same_text(const struct mutation *mutation, const struct oe__span *a,
                      const struct oe__span *b)
{
	return a->size == b->size &&
	       memcmp(mutation->text + a->start, mutation->text + b->start, a->size) == 0;
}

/* A line that could stand elsewhere at its depth, and is no head of a block. */
static bool is_movable(const struct mutation *mutation, const struct oe__span *line)
{
	char last = line->size > 0 ? mutation->text[line->start + line->size - 1] : ':';
	return !line->blank && last != ':' && last != '{' && last != '}' && last != '(' && last != '[';
}

static int swap_lines(struct mutation *mutation)
{
	const struct oe__tokens *tokens = &mutation->tokens;
	if (tokens->line_count < 2)
		return 0;
	size_t at = below(mutation, tokens->line_count - 1);
	const struct oe__span *a = &tokens->lines[at], *b = &tokens->lines[at + 1];

	/* Heads of blocks that follow each other, such as nested loops, may change places too. */
	if (a->blank || b->blank || same_text(mutation, a, b) ||
	    (a->indent == b->indent && (!is_movable(mutation, a) || !is_movable(mutation, b))))
		return 0;
	if (a->indent == b->indent) {
		int first = set_line(mutation, a, b), second = set_line(mutation, b, a);
		return first < 0 ? first : second < 0 ? second : first + second;
	}
	/* Different depths: the texts change places, the indentation stays. */
	struct oe__span inner_a = { a->start + (size_t)a->indent, a->size - (size_t)a->indent, 0, false };
	struct oe__span inner_b = { b->start + (size_t)b->indent, b->size - (size_t)b->indent, 0, false };
	char end_a = mutation->text[a->start + a->size - 1], end_b = mutation->text[b->start + b->size - 1];
	if (end_a != end_b)
		return 0;
	int first = set_line(mutation, &inner_a, &inner_b), second = set_line(mutation, &inner_b, &inner_a);
	return first < 0 ? first : second < 0 ? second : first + second;
}

static int delete_or_repeat(struct mutation *mutation)
{
	const struct oe__tokens *tokens = &mutation->tokens;
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(OE__CODE_MAX);
	if (tokens->line_count < 2)
		return 0;
	const struct oe__span *line = &tokens->lines[below(mutation, tokens->line_count)];
	bool last = line->start + line->size >= mutation->size;

	if (!is_movable(mutation, line) || last)
		return 0;
	if (oe__rng_below(&mutation->rng, 2) == 0) /* with its end */
		return oe__patch_add(&mutation->patch, line->start, line->size + 1, "");
	oe__buffer_append(&text, mutation->text + line->start, line->size);
	oe__buffer_char(&text, '\n');
	oe__buffer_append(&text, mutation->text + line->start, line->size);
	return text.status < 0 ? text.status
	                       : oe__patch_add(&mutation->patch, line->start, line->size, text.data);
}

static int change_operator(struct mutation *mutation)
{
	static const char *const sets[][4] = { { "+", "-", "*", "/" }, { "<", "<=", ">", ">=" } };
	const struct oe__tokens *tokens = &mutation->tokens;
	if (tokens->operator_count == 0)
		return 0;
	const struct oe__operator *at = &tokens->operators[below(mutation, tokens->operator_count)];
	const char *set = memchr("<>", mutation->text[at->start], 2);
	const char *drawn = sets[set != NULL][below(mutation, 4)];

	if (strlen(drawn) == at->size && memcmp(drawn, mutation->text + at->start, at->size) == 0)
		return 0;
	return oe__patch_add(&mutation->patch, at->start, at->size, drawn);
}

/* ---- the answer ---- */

static int mutate_once(struct mutation *mutation)
{
	size_t draw = below(mutation, 100);

	if (mutation->tokens.literal_count > 0) {
		if (draw < 68)
			return perturb_numbers(mutation);
		if (draw < 84)
			return move_numbers(mutation);
		if (draw < 88)
			return swap_numbers(mutation);
	}
	if (draw % 3 == 0)
		return change_operator(mutation);
	return draw % 3 == 1 ? swap_lines(mutation) : delete_or_repeat(mutation);
}

static int mutate(struct mutation *mutation)
{
	int changed = 0;

	for (int i = 0; i < TRIES_MAX && changed == 0; i++)
		changed = mutate_once(mutation);
	/* Now and then something else on top of it. */
	if (changed > 0 && oe__rng_below(&mutation->rng, 10) == 0) {
		int more = mutate_once(mutation);
		changed = more < 0 ? more : changed;
	}
	return changed;
}

/* A fence that no line of the program can close. */
static void append_fence(const struct mutation *mutation, struct oe__buffer *out)
{
	size_t longest = 5, run = 0;

	for (size_t i = 0; i < mutation->size; i++) {
		run = mutation->text[i] == '~' ? run + 1 : 0;
		longest = run > longest ? run : longest;
	}
	for (size_t i = 0; i <= longest; i++)
		oe__buffer_char(out, '~');
}

static void append_program(const struct mutation *mutation, const char *language,
                           struct oe__buffer *out)
{
	append_fence(mutation, out);
	oe__buffer_printf(out, "%s\n", language ? language : "");
	oe__patch_apply(&mutation->patch, mutation->text, mutation->size, out);
	oe__buffer_char(out, '\n');
	append_fence(mutation, out);
	oe__buffer_char(out, '\n');
}

static int write_answer(const struct mutation *mutation, const oe_llm_request *request,
                        oe_completion *completion)
{
	OE__AUTO(buffer) struct oe__buffer answer = OE__BUFFER_INIT(OE__RESPONSE_MAX);

	if (request->edit_mode == OE_EDIT_REWRITE)
		append_program(mutation, request->language, &answer);
	else
		oe__patch_write(&mutation->patch, mutation->text, mutation->size, &answer);
	if (answer.status == 0 && mutation->crlf && request->edit_mode == OE_EDIT_REWRITE) {
		OE__AUTO(buffer) struct oe__buffer lines = answer;
		answer = (struct oe__buffer)OE__BUFFER_INIT(OE__RESPONSE_MAX);
		oe__append_crlf(&answer, (oe_bytes){ lines.data, lines.size });
	}
	if (answer.status < 0)
		return answer.status;
	return oe_completion_append(completion, oe__buffer_string(&answer), answer.size);
}

static int answer(const oe_llm_request *request, oe_completion *completion)
{
	const struct oe__source *source = request->iteration->parent->source;
	OE__AUTO(buffer) struct oe__buffer lines = OE__BUFFER_INIT(OE__CODE_MAX);
	struct mutation mutation = { .iteration = request->iteration,
		                         .text = source->text,
		                         .size = source->size };
	int status = 0;

	/* Blocks are read, and applied, with LF where the program has CRLF throughout. */
	mutation.crlf = oe__is_crlf((oe_bytes){ source->text, source->size });
	if (mutation.crlf) {
		status = oe__append_lf(&lines, (oe_bytes){ source->text, source->size });
		mutation.text = oe__buffer_string(&lines);
		mutation.size = lines.size;
	}
	oe__rng_init(&mutation.rng, request->seed, "mutate", 0, 0);
	if (status == 0)
		status = oe__tokens_scan(mutation.text, mutation.size, &mutation.tokens);
	if (status == 0)
		status = mutate(&mutation);
	if (status >= 0)
		status = write_answer(&mutation, request, completion);
	oe__patch_done(&mutation.patch);
	oe__tokens_done(&mutation.tokens);
	return status;
}

static int start(void *self, const oe_llm_request *request, oe_completion *completion,
                 oe_error *err)
{
	(void)self;
	if (!request->iteration)
		return oe__error(err, OE_ERR_LLM, "the mutate backend changes programs; it cannot judge them");
	int status = answer(request, completion);
	if (status < 0)
		return oe__error(err, status, "%s", oe_status_string(status));
	oe_completion_set_model(completion, "mutate");
	oe_completion_set_usage(completion, 0, 0);
	/* Computed at once, on the pool's thread that asked: short work, nothing to wait for. */
	oe__completion_count_requests(completion, 1);
	oe_completion_finish(completion, 0, NULL);
	return 0;
}

static const oe_llm_vtable mutate_vtable = {
	.struct_size = sizeof(oe_llm_vtable),
	.name = "mutate",
	.start = start,
};

int oe_llm_mutate_new(oe_llm **out)
{
	if (!out)
		return OE_ERR_INVALID;
	int status = oe__llm_new(&mutate_vtable, NULL, out);
	if (status == 0)
		oe__llm_set_unmetered(*out);
	return status;
}
