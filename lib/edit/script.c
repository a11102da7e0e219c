/*
 * A shortest edit script in linear space.
 *
 * E. W. Myers: An O(ND) difference algorithm and its variations, Algorithmica 1 (1986), section 4b.
 * Paths through the grid of both texts are followed from both ends at once, one edit more in each
 * round, until they meet on a diagonal; there the problem falls into two. Two additions bound the
 * time. Lines that only one side has are marked beforehand: they are in no common subsequence. And
 * after as many rounds as the square root of the problem's size, it is divided where a path has
 * come furthest instead, as GNU diff and git do: the script is correct, though perhaps not
 * shortest.
 */

#include "edit/diff.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/alloc.h"
#include "base/limits.h"

/* Lines that both sides have, with where they were. */
struct side {
	int32_t *lines;
	int32_t *origin;
	int32_t count;
	unsigned char *changed;
};

/* Diagonal d holds the points with x - y = d. The arrays are indexed by it, -(to + 1) and up. */
struct search {
	const int32_t *from, *to;
	int32_t *forward;  /* largest x reached on each diagonal from the start */
	int32_t *backward; /* smallest x reached from the end                   */
	int32_t rounds_max;
};

struct box {
	int32_t from, from_end, to, to_end;
};

struct point {
	int32_t x, y;
};

/* Diagonals that are in use: from low to high, inside of a box. */
struct band {
	int32_t low, high;
};

/* One more round: a diagonal more on each side while the box has one; else one less, because every
   second diagonal takes part in a round. */
static void widen(struct band *band, const struct box *box, int32_t *reach, int32_t unreached)
{
	int32_t lowest = box->from - box->to_end;
	int32_t highest = box->from_end - box->to;

	if (band->low > lowest)
		reach[--band->low - 1] = unreached;
	else
		band->low++;
	if (band->high < highest)
		reach[++band->high + 1] = unreached;
	else
		band->high--;
}

static bool in_band(const struct band *band, int32_t diagonal)
{
	return band->low <= diagonal && diagonal <= band->high;
}

/* Go one edit further from the start. true: met the other side, at `*meet`. */
static bool step_forward(struct search *search, const struct box *box, const struct band *band,
						 const struct band *other, bool odd, struct point *meet)
{
	int32_t *reach = search->forward;

	for (int32_t d = band->high; d >= band->low; d -= 2) {
		int32_t x = reach[d - 1] < reach[d + 1] ? reach[d + 1] : reach[d - 1] + 1;
		while (x < box->from_end && x - d < box->to_end && search->from[x] == search->to[x - d])
			x++;
		reach[d] = x;
		if (odd && in_band(other, d) && search->backward[d] <= x) {
			*meet = (struct point){ x, x - d };
			return true;
		}
	}
	return false;
}

static bool step_backward(struct search *search, const struct box *box, const struct band *band,
						  const struct band *other, bool odd, struct point *meet)
{
	int32_t *reach = search->backward;

	for (int32_t d = band->high; d >= band->low; d -= 2) {
		int32_t x = reach[d - 1] < reach[d + 1] ? reach[d - 1] : reach[d + 1] - 1;
		while (x > box->from && x - d > box->to && search->from[x - 1] == search->to[x - d - 1])
			x--;
		reach[d] = x;
		if (!odd && in_band(other, d) && x <= search->forward[d]) {
			*meet = (struct point){ x, x - d };
			return true;
		}
	}
	return false;
}

/* Where a path has come furthest; it never leaves the box. */
static struct point furthest(const struct search *search, const struct box *box,
							 const struct band *ahead, const struct band *behind)
{
	int64_t best = -1, best_back = INT64_MAX;
	struct point forward = { 0, 0 }, backward = { 0, 0 };

	for (int32_t d = ahead->low; d <= ahead->high; d += 2) {
		int32_t x = search->forward[d] < box->from_end ? search->forward[d] : box->from_end;
		if (x - d > box->to_end)
			x = box->to_end + d;
		if ((int64_t)x + x - d > best) {
			best = (int64_t)x + x - d;
			forward = (struct point){ x, x - d };
		}
	}
	for (int32_t d = behind->low; d <= behind->high; d += 2) {
		int32_t x = search->backward[d] > box->from ? search->backward[d] : box->from;
		if (x - d < box->to)
			x = box->to + d;
		if ((int64_t)x + x - d < best_back) {
			best_back = (int64_t)x + x - d;
			backward = (struct point){ x, x - d };
		}
	}
	int64_t start = (int64_t)box->from + box->to, end = (int64_t)box->from_end + box->to_end;
	return best - start >= end - best_back ? forward : backward;
}

/* A point of the box, other than the two corners, that a good path goes through. */
static struct point divide(struct search *search, const struct box *box)
{
	int32_t start = box->from - box->to, end = box->from_end - box->to_end;
	struct band ahead = { start, start }, behind = { end, end };
	bool odd = (start - end) % 2 != 0;
	struct point meet;

	search->forward[start] = box->from;
	search->backward[end] = box->from_end;
	for (int32_t round = 1;; round++) {
		widen(&ahead, box, search->forward, -1);
		if (step_forward(search, box, &ahead, &behind, odd, &meet))
			return meet;
		widen(&behind, box, search->backward, INT32_MAX);
		if (step_backward(search, box, &behind, &ahead, odd, &meet))
			return meet;
		if (round >= search->rounds_max)
			return furthest(search, box, &ahead, &behind);
	}
}

static void mark(const struct side *side, int32_t start, int32_t end)
{
	for (int32_t i = start; i < end; i++)
		side->changed[side->origin[i]] = 1;
}

/* Solve the smaller part by recursion and the larger one in the loop: the depth is logarithmic. */
static void compare(struct search *search, const struct side *from, const struct side *to,
					struct box box)
{
	for (;;) {
		while (box.from < box.from_end && box.to < box.to_end &&
			   search->from[box.from] == search->to[box.to]) {
			box.from++;
			box.to++;
		}
		while (box.from < box.from_end && box.to < box.to_end &&
			   search->from[box.from_end - 1] == search->to[box.to_end - 1]) {
			box.from_end--;
			box.to_end--;
		}
		if (box.from == box.from_end || box.to == box.to_end) {
			mark(from, box.from, box.from_end);
			mark(to, box.to, box.to_end);
			return;
		}
		struct point middle = divide(search, &box);
		struct box first = { box.from, middle.x, box.to, middle.y };
		struct box last = { middle.x, box.from_end, middle.y, box.to_end };
		int64_t first_size = (int64_t)middle.x - box.from + middle.y - box.to;
		int64_t last_size = (int64_t)box.from_end - middle.x + box.to_end - middle.y;
		assert(first_size > 0 && last_size > 0);
		compare(search, from, to, first_size < last_size ? first : last);
		box = first_size < last_size ? last : first;
	}
}

static int32_t square_root(int64_t n)
{
	int32_t root = 1;

	while ((int64_t)root * root < n)
		root *= 2;
	return root;
}

/* Keep the lines that the other side has as well; the others are marked at once. */
static int keep_common(const struct oe__script_side *given, const unsigned char *in_other,
					   struct side *out)
{
	out->lines = oe__calloc(given->count + 1, sizeof(*out->lines));
	out->origin = oe__calloc(given->count + 1, sizeof(*out->origin));
	out->changed = given->changed;
	if (!out->lines || !out->origin)
		return OE_ERR_NOMEM;
	for (size_t i = 0; i < given->count; i++) {
		if (!in_other[given->lines[i]]) {
			given->changed[i] = 1;
			continue;
		}
		out->lines[out->count] = given->lines[i];
		out->origin[out->count++] = (int32_t)i;
	}
	return 0;
}

static int run(const struct side *from, const struct side *to)
{
	size_t diagonals = (size_t)from->count + (size_t)to->count + 3;
	int32_t *reach = oe__calloc(diagonals, 2 * sizeof(*reach));
	int32_t rounds = square_root((int64_t)diagonals);

	if (!reach)
		return OE_ERR_NOMEM;
	struct search search = {
		.from = from->lines,
		.to = to->lines,
		.forward = reach + to->count + 1,
		.backward = reach + diagonals + to->count + 1,
		.rounds_max = rounds > OE__DIFF_COST_MIN ? rounds : OE__DIFF_COST_MIN,
	};
	compare(&search, from, to, (struct box){ 0, from->count, 0, to->count });
	oe__free(reach);
	return 0;
}

int oe__script_find(const struct oe__script_side *from, const struct oe__script_side *to)
{
	struct side a = { 0 }, b = { 0 };
	size_t kinds = 0;
	int status = OE_ERR_NOMEM;

	for (size_t i = 0; i < from->count; i++)
		kinds = (size_t)from->lines[i] >= kinds ? (size_t)from->lines[i] + 1 : kinds;
	for (size_t i = 0; i < to->count; i++)
		kinds = (size_t)to->lines[i] >= kinds ? (size_t)to->lines[i] + 1 : kinds;
	unsigned char *seen = oe__calloc(kinds + 1, 2);
	if (seen) {
		unsigned char *in_from = seen, *in_to = seen + kinds;
		for (size_t i = 0; i < from->count; i++)
			in_from[from->lines[i]] = 1;
		for (size_t i = 0; i < to->count; i++)
			in_to[to->lines[i]] = 1;
		status = keep_common(from, in_to, &a);
		if (status == 0)
			status = keep_common(to, in_from, &b);
	}
	if (status == 0)
		status = run(&a, &b);
	oe__free(seen);
	oe__free(a.lines);
	oe__free(a.origin);
	oe__free(b.lines);
	oe__free(b.origin);
	return status;
}
