#include "script.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/rng.h"
#include "program/program.h"

#define BEST_X 3.5
#define BEST_Y (-1.25)

static void write_program(char out[SCRIPT_CODE_MAX], double x, double y, int version,
                          const char *remark)
{
	(void)snprintf(out, SCRIPT_CODE_MAX,
	               "import math\n\n# EVOLVE-BLOCK-START\n%sx = %.3f\ny = %.3f\n"
	               "# EVOLVE-BLOCK-END\n\nversion = %d\n",
	               remark, x, y, version);
}

void script_program(int index, char out[SCRIPT_CODE_MAX])
{
	write_program(out, 2.0 * index, 4.0 - index, 1, "");
}

static double number_after(const char *code, const char *name)
{
	const char *at = strstr(code, name);

	return at ? strtod(at + strlen(name), NULL) : 0;
}

/* ---- answers ---- */

enum kind {
	GOOD,
	TWO_CHANGES,
	COARSE, /* to a whole number: others find the same */
	RESTYLED, /* the same with a remark, or what others find */
	NOOP,
	PROSE,
	CUT,
	LIE, /* about what the program says */
	OUTSIDE,
	TOO_LONG,
	EMPTY,
	REFUSED,
	GARBLED,
	KINDS
};

static enum kind draw_kind(struct oe__rng *rng)
{
	static const int shares[KINDS] = { 50, 10, 12, 8, 3, 3, 4, 4, 3, 2, 1, 1, 2 };
	int64_t at = (int64_t)oe__rng_below(rng, 103);
	int kind = 0;

	while (at >= shares[kind])
		at -= shares[kind++];
	return (enum kind)kind;
}

/* What a program is to become. */
struct change {
	enum kind kind;
	double x, y, to_x, to_y;
	char remark[32]; /* lines of comments, or none */
};

static void write_line(struct oe__buffer *out, const char *name, double value)
{
	oe__buffer_printf(out, "%s = %.3f\n", name, value);
}

static void write_change(struct oe__buffer *out, const char *name, double from, double to,
                         const char *remark)
{
	oe__buffer_text(out, "<<<<<<< SEARCH\n");
	write_line(out, name, from);
	oe__buffer_text(out, "=======\n");
	oe__buffer_text(out, remark);
	write_line(out, name, to);
	oe__buffer_text(out, ">>>>>>> REPLACE\n");
}

/* The program anew, with a remark that makes it too long if wanted. */
static void write_whole(const struct change *change, struct oe__buffer *out)
{
	char code[SCRIPT_CODE_MAX];
	bool noop = change->kind == NOOP;

	write_program(code, noop ? change->x : change->to_x, noop ? change->y : change->to_y,
	              change->kind == OUTSIDE ? 2 : 1, change->remark);
	oe__buffer_printf(out, "```python\n%s", code);
	for (int i = 0; change->kind == TOO_LONG && i < 100; i++)
		oe__buffer_text(out, "# a remark that nobody wants\n");
	oe__buffer_text(out, "```\n");
}

static void write_diff(const struct change *change, struct oe__buffer *out)
{
	switch (change->kind) {
	case NOOP:
		write_change(out, "x", change->x, change->x, "");
		break;
	case LIE:
		write_change(out, "x", change->x + 1000, change->to_x, "");
		break;
	case OUTSIDE:
		oe__buffer_text(out, "<<<<<<< SEARCH\nversion = 1\n=======\nversion = 2\n"
		                     ">>>>>>> REPLACE\n");
		break;
	case TOO_LONG:
		oe__buffer_printf(out, "<<<<<<< SEARCH\nx = %.3f\n=======\nx = %.3f\n", change->x,
		                  change->to_x);
		for (int i = 0; i < 100; i++)
			oe__buffer_text(out, "# a remark that nobody wants\n");
		oe__buffer_text(out, ">>>>>>> REPLACE\n");
		break;
	case TWO_CHANGES:
	case COARSE:
	case RESTYLED:
		write_change(out, "x", change->x, change->to_x, change->remark);
		write_change(out, "y", change->y, change->to_y, "");
		break;
	default:
		write_change(out, "x", change->x, change->to_x, "");
		break;
	}
}

static void move(struct change *change, struct oe__rng *rng)
{
	enum kind kind = change->kind;

	if (kind == RESTYLED) {
		(void)snprintf(change->remark, sizeof(change->remark), "# take %d\n\n",
		               (int)oe__rng_below(rng, 1000));
		if (oe__rng_below(rng, 2))
			return;
		kind = COARSE;
	}
	change->to_x += 0.5 * oe__rng_normal(rng);
	if (kind == TWO_CHANGES || kind == COARSE)
		change->to_y += 0.5 * oe__rng_normal(rng);
	if (kind == COARSE) {
		change->to_x = round(change->to_x);
		change->to_y = round(change->to_y);
	}
}

int script_answer(const oe_llm_request *request, struct oe__buffer *out)
{
	const char *code = oe_program_code(oe_iteration_parent(request->iteration)).data;
	struct change change = { .x = number_after(code, "\nx = "), .y = number_after(code, "\ny = ") };
	struct oe__rng rng;

	oe__rng_init(&rng, request->seed, "model", 0, 0);
	enum kind kind = change.kind = draw_kind(&rng);
	change.to_x = change.x;
	change.to_y = change.y;
	move(&change, &rng);
	if (kind == EMPTY)
		return OE_FINISH_EMPTY;
	oe__buffer_text(out, kind == GARBLED ? "Sure\xff\xfe: \xc3" : "I thought about it.\n\n");
	if (kind == REFUSED)
		return OE_FINISH_REFUSAL;
	if (kind == PROSE) {
		oe__buffer_text(out, "It is perfect as it is.");
		return OE_FINISH_STOP;
	}
	if (request->edit_mode == OE_EDIT_DIFF)
		write_diff(&change, out);
	else
		write_whole(&change, out);
	if (kind == CUT)
		out->size -= 1 + (size_t)oe__rng_below(&rng, out->size - 1);
	return kind == CUT ? OE_FINISH_LENGTH : OE_FINISH_STOP;
}

uint64_t script_form(const char *code)
{
	uint64_t form = 0;
	bool remark = false;

	for (; *code; code++) {
		remark = *code == '#' || (remark && *code != '\n');
		if (!remark && *code != ' ' && *code != '\n')
			form = oe__hash_mix(form, (uint64_t)*code);
	}
	return form;
}

/* ---- judges ---- */

enum opinion { RATINGS, RATINGS_IN_A_FENCE, REMARKS_TOO, NOT_A_WORD, NO_JSON, OPINIONS };

struct rating {
	enum opinion kind;
	double quality, style;
};

static struct rating draw_rating(uint64_t seed)
{
	struct oe__rng rng;
	struct rating rating;

	oe__rng_init(&rng, seed, "judge", 0, 0);
	rating.kind = (enum opinion)oe__rng_below(&rng, OPINIONS);
	rating.quality = (double)oe__rng_below(&rng, 101) / 100;
	rating.style = (double)oe__rng_below(&rng, 101) / 100;
	return rating;
}

int script_judge(uint64_t seed, struct oe__buffer *out)
{
	struct rating rating = draw_rating(seed);

	switch (rating.kind) {
	case NOT_A_WORD:
		return OE_FINISH_EMPTY;
	case NO_JSON:
		oe__buffer_text(out, "I like it.");
		break;
	case REMARKS_TOO:
		oe__buffer_printf(out, "{\"quality\": %.2f, \"reasoning\": \"it is short\"}", rating.quality);
		break;
	case RATINGS_IN_A_FENCE:
		oe__buffer_printf(out, "So:\n```json\n{\"quality\": %.2f, \"style\": %.2f}\n```\n",
		                  rating.quality, rating.style);
		break;
	default:
		oe__buffer_printf(out, "{\"quality\": %.2f, \"style\": %.2f}", rating.quality, rating.style);
		break;
	}
	return OE_FINISH_STOP;
}

double script_mix(double own, uint64_t seed)
{
	struct rating rating = draw_rating(seed);

	switch (rating.kind) {
	case NOT_A_WORD:
	case NO_JSON:
		return own;
	case REMARKS_TOO:
		return 0.7 * own + 0.3 * rating.quality;
	default:
		return 0.7 * own + 0.3 * (rating.quality + rating.style) / 2;
	}
}

/* ---- evaluations ---- */

void script_evaluate(const oe_program *program, uint64_t seed, struct script_result *out)
{
	const char *code = program->source->text;
	struct oe__rng rng;

	*out = (struct script_result){ .x = number_after(code, "\nx = "),
		                           .y = number_after(code, "\ny = ") };
	oe__rng_init(&rng, oe__hash64(program->source->hash, OE__SHA256_SIZE, 0), "evaluator", 0, 0);
	int64_t at = (int64_t)oe__rng_below(&rng, 100);
	out->end = at < 4   ? SCRIPT_RAISES
	           : at < 7 ? SCRIPT_HANGS
	           : at < 9 ? SCRIPT_NO_NUMBER
	           : at < 10 ? SCRIPT_NO_METRICS
	                     : SCRIPT_SCORES;
	double distance = hypot(out->x - BEST_X, out->y - BEST_Y);
	/* The noise of an evaluation is that of its seed. */
	oe__rng_init(&rng, seed, "noise", 0, 0);
	out->score = 1 / (1 + distance) - 0.01 * oe__rng_real(&rng);
}
