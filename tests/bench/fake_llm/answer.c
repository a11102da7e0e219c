/* Finds the current program in a prompt of any wording, and edits a number in it.

   The program is the last fenced block that is the first under a heading, or right behind a line,
   that names the "current program"; else the last block with an EVOLVE-BLOCK; else the longest
   block. Lines to edit are those inside its EVOLVE-BLOCKs, if it has any. A line is edited only if
   its text occurs once in the program, so that a SEARCH for it finds one place by any rule of
   matching.

   A number with a fraction gets one of 10^9 fractions that no other answer gets. A whole number
   must stay small and whole, so a comment line "variant N" beside it, moved from answer to answer,
   makes the answer unique. Without any number the comment is the edit. */
#include "answer.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define EDITS_MAX  8
#define LINES_MAX  4096 /* what is behind them is left alone */
#define UNIQUE_MAX 1000000000u
#define TAG        "variant "

struct program {
	struct slice info; /* behind the opening fence */
	struct slice code;
};

/* Replaces `old`, a part of `line`, by `fresh`, and puts the comment above the line if `tagged`. */
struct edit {
	struct slice line, old;
	char fresh[64];
	bool tagged;
};

struct editor {
	struct program program;
	uint64_t key;
	uint32_t unique;     /* below UNIQUE_MAX */
	const char *comment; /* how one begins */
	struct slice lines[LINES_MAX], tag;
	struct edit edits[EDITS_MAX + 1]; /* and the tag */
	size_t line_count, count;
};

uint64_t mix(uint64_t seed, uint64_t purpose, uint64_t number)
{
	uint64_t x = seed * 0x9e3779b97f4a7c15u + purpose * 0xd1b54a32d192ed03u + number;

	for (int round = 0; round < 2; round++) { /* splitmix64's finisher, twice */
		x += 0x9e3779b97f4a7c15u;
		x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
		x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
		x ^= x >> 31;
	}
	return x;
}

double mix_share(uint64_t seed, uint64_t purpose, uint64_t number)
{
	return (double)(mix(seed, purpose, number) >> 11) * 0x1p-53;
}

static uint64_t hash(struct slice slice)
{
	uint64_t h = slice.size, word;
	size_t i = 0;

	for (; i + 8 <= slice.size; i += 8) {
		memcpy(&word, slice.data + i, 8);
		h = (h ^ word) * 0x9e3779b97f4a7c15u;
		h ^= h >> 29;
	}
	for (; i < slice.size; i++)
		h = (h ^ (unsigned char)slice.data[i]) * 0x9e3779b97f4a7c15u;
	return h ^ (h >> 32);
}

/* Takes the next line off `rest`, without its line feed. */
static bool next_line(struct slice *rest, struct slice *line)
{
	if (!rest->size)
		return false;
	const char *feed = memchr(rest->data, '\n', rest->size);
	size_t size = feed ? (size_t)(feed - rest->data) : rest->size;

	*line = (struct slice){ rest->data, size };
	rest->data += size + (feed != NULL);
	rest->size -= size + (feed != NULL);
	return true;
}

static bool begins_nocase(struct slice slice, const char *word)
{
	size_t size = strlen(word);

	return slice.size >= size && slice_is_nocase((struct slice){ slice.data, size }, word);
}

/* Whether the line names the program to work on: "Current program", "<current_code>". */
static bool names_current_program(struct slice line)
{
	static const char *const nouns[] = { "program", "code", "solution", "implementation" };
	const size_t size = strlen("current");

	for (; line.size > size; line.data++, line.size--) {
		if ((line.data[0] | 0x20) != 'c' || !begins_nocase(line, "current") ||
			!strchr(" _-", line.data[size]))
			continue;
		struct slice rest = { line.data + size + 1, line.size - size - 1 };
		for (size_t i = 0; i < sizeof(nouns) / sizeof(nouns[0]); i++)
			if (begins_nocase(rest, nouns[i]))
				return true;
	}
	return false;
}

/* How many fence marks the line begins with; 0 if it is no fence. */
static size_t fence_size(struct slice line)
{
	size_t blanks = 0, end;

	while (blanks < line.size && line.data[blanks] == ' ')
		blanks++;
	for (end = blanks; end < line.size && line.data[end] == '`';)
		end++;
	return end - blanks >= 3 ? end - blanks : 0;
}

/* Reads the rest of a fenced block; an unclosed one goes to the end. */
static struct slice read_block(struct slice *rest, size_t fence)
{
	const char *start = rest->data;
	struct slice line;

	while (next_line(rest, &line))
		if (fence_size(line) >= fence && slice_trim(line).size == fence_size(line))
			return (struct slice){ start, (size_t)(line.data - start) };
	return (struct slice){ start, (size_t)(rest->data - start) };
}

static bool find_program(struct slice prompt, struct program *program)
{
	struct program headed = { 0 }, marked = { 0 }, longest = { 0 };
	struct slice rest = prompt, line;
	bool heading = false, line_before = false;

	while (next_line(&rest, &line)) {
		size_t fence = fence_size(line);
		struct slice text = slice_trim(line);
		if (!fence && text.size) {
			line_before = names_current_program(text);
			if (text.data[0] == '#')
				heading = line_before;
		}
		if (!fence)
			continue;
		struct program block = { { text.data + fence, text.size - fence },
								 read_block(&rest, fence) };
		if (heading || line_before)
			headed = block;
		if (slice_find(block.code, "EVOLVE-BLOCK-START"))
			marked = block;
		if (block.code.size > longest.code.size)
			longest = block;
		heading = line_before = false;
	}
	*program = headed.code.size ? headed : marked.code.size ? marked : longest;
	return program->code.size > 0;
}

/* How a comment line begins in the language of the fence. */
static const char *comment_of(struct slice info)
{
	static const char *const styles[][2] = {
		{ " c h cpp c++ cc java js javascript ts typescript rust rs go swift kotlin scala cuda ",
		  "// " },
		{ " sql lua haskell hs ada elm ", "-- " },
		{ " lisp scheme clojure racket asm ", "; " },
		{ " matlab octave latex tex erlang prolog ", "% " },
	};
	char word[24];

	info = slice_trim(info);
	snprintf(word, sizeof(word), " %.*s ", (int)(info.size < 20 ? info.size : 20), info.data);
	for (size_t i = 0; i < sizeof(styles) / sizeof(styles[0]); i++)
		if (info.size && strcasestr(styles[i][0], word))
			return styles[i][1];
	return "# ";
}

static bool occurs_once(struct slice code, struct slice text)
{
	const char *first = slice_search(code, text);

	if (!first)
		return false;
	struct slice rest = { first + 1, (size_t)(code.data + code.size - first - 1) };
	return !slice_search(rest, text);
}

static bool is_comment(struct slice line)
{
	return line.size &&
		   (strchr("#;%*", line.data[0]) ||
			(line.size > 1 && (!memcmp(line.data, "//", 2) || !memcmp(line.data, "--", 2) ||
							   !memcmp(line.data, "/*", 2))));
}

static bool part_of_word(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '.' || c == '$' || (c & 0x80);
}

/* Finds a number that stands alone and outside of quotes, preferably with a fraction. */
static bool find_number(struct slice line, struct slice *number, bool *fraction)
{
	char quote = 0;

	number->size = 0;
	for (size_t i = 0; i < line.size; i++) {
		char c = line.data[i];
		if (quote || c == '"' || c == '\'') {
			quote = !quote ? c : c == quote ? 0 : quote;
			continue;
		}
		if (!isdigit((unsigned char)c) || (i && part_of_word(line.data[i - 1])))
			continue;
		size_t end = i;
		while (end < line.size && isdigit((unsigned char)line.data[end]))
			end++;
		size_t whole = end - i;
		if (end + 1 < line.size && line.data[end] == '.' &&
			isdigit((unsigned char)line.data[end + 1]))
			for (end++; end < line.size && isdigit((unsigned char)line.data[end]);)
				end++;
		bool has_fraction = end - i > whole;
		bool alone = end == line.size || !part_of_word(line.data[end]);
		bool usable = has_fraction ? end - i < 40 : whole < 10 && (whole == 1 || c != '0');
		if (alone && usable && (!number->size || has_fraction)) {
			*number = (struct slice){ line.data + i, end - i };
			*fraction = has_fraction;
			if (has_fraction)
				return true;
		}
		i = end - 1;
	}
	return number->size > 0;
}

static void new_number(const struct editor *editor, struct slice number, bool fraction,
					   char out[64])
{
	char old[48];

	snprintf(old, sizeof(old), "%.*s", (int)number.size, number.data);
	if (!fraction) {
		long value = strtol(old, NULL, 10),
			 step = 1 + (long)(editor->key % (uint64_t)(1 + value / 8));
		snprintf(out, 64, "%ld", editor->key >> 63 && value > step ? value - step : value + step);
		return;
	}
	/* Up to 10 % up or down, in steps that 12 digits tell apart. */
	double value = strtod(old, NULL), share = (double)editor->unique / UNIQUE_MAX;
	double near = value > 0 ? value * (0.9 + 0.2 * share) : 0.1 * share;
	int before = near >= 1 ? (int)floor(log10(near)) + 1 : 0;
	int zeros = near > 0 && near < 0.1 ? (int)-floor(log10(near)) - 1 : 0;
	snprintf(out, 64, "%.*f", before < 12 ? 12 - before + (zeros < 20 ? zeros : 20) : 1, near);
}

/* Adds an edit of `line` that changes nothing yet. Returns NULL for a line that is edited already,
   or that its text alone does not find again. */
static struct edit *add_edit(struct editor *editor, struct slice line)
{
	struct slice text = slice_trim(line);

	if (text.size < 2 || text.data + text.size != line.data + line.size ||
		slice_find(line, "=======") || slice_find(line, "<<<<<<<") || slice_find(line, ">>>>>>>") ||
		!occurs_once(editor->program.code, text))
		return NULL;
	for (size_t i = 0; i < editor->count; i++)
		if (editor->edits[i].line.data == line.data)
			return NULL;
	editor->edits[editor->count] = (struct edit){ .line = line, .old = { line.data, 0 } };
	return &editor->edits[editor->count++];
}

/* The lines in an order that begins at a place of the answer's own. */
static struct slice line_at(const struct editor *editor, size_t i)
{
	return editor->lines[(editor->key % editor->line_count + i) % editor->line_count];
}

/* Edits up to `wanted` lines that hold a number of the kind asked for. */
static void edit_numbers(struct editor *editor, size_t wanted, bool fractions)
{
	for (size_t i = 0; i < editor->line_count && editor->count < wanted; i++) {
		struct slice line = line_at(editor, i), number = { 0 };
		bool fraction = false;
		struct edit *edit;

		if (is_comment(slice_trim(line)) || !find_number(line, &number, &fraction) ||
			fraction != fractions || !(edit = add_edit(editor, line)))
			continue;
		edit->old = number;
		new_number(editor, number, fraction, edit->fresh);
	}
}

/* Puts the comment into the place of the last one, else above the first edited line, else above
 * any. */
static void edit_tag(struct editor *editor)
{
	struct edit *edit = editor->tag.size ? add_edit(editor, editor->tag) : NULL;

	if (edit) {
		edit->old = slice_trim(edit->line);
		snprintf(edit->fresh, sizeof(edit->fresh), "%s" TAG "%u", editor->comment, editor->unique);
		return;
	}
	for (size_t i = 0; i < editor->line_count && !editor->count; i++)
		add_edit(editor, line_at(editor, i));
	editor->edits[0].tagged = true;
}

/* Lists the lines that may be edited, without a trailing CR, and finds the comment of an earlier
 * answer. */
static void list_lines(struct editor *editor)
{
	struct slice rest = editor->program.code, line;
	bool blocks = slice_find(rest, "EVOLVE-BLOCK-START") != NULL, inside = !blocks;
	size_t comment = strlen(editor->comment);

	while (editor->line_count < LINES_MAX && next_line(&rest, &line)) {
		if (blocks && slice_find(line, "EVOLVE-BLOCK-")) {
			inside = slice_find(line, "EVOLVE-BLOCK-START") != NULL;
			continue;
		}
		if (line.size && line.data[line.size - 1] == '\r')
			line.size--;
		struct slice text = slice_trim(line);
		if (inside && text.size > comment + strlen(TAG) &&
			!memcmp(text.data, editor->comment, comment) &&
			!memcmp(text.data + comment, TAG, strlen(TAG)))
			editor->tag = line;
		else if (inside && text.size)
			editor->lines[editor->line_count++] = line;
	}
}

static bool make_edits(struct editor *editor, size_t wanted)
{
	editor->count = editor->line_count = 0;
	editor->tag = (struct slice){ 0 };
	editor->comment = comment_of(editor->program.info);
	list_lines(editor);
	edit_numbers(editor, wanted, true);
	if (editor->count)
		return true;
	edit_numbers(editor, wanted, false);
	edit_tag(editor);
	return editor->count > 0;
}

static int by_place(const void *a, const void *b)
{
	const struct edit *left = a, *right = b;

	return (left->line.data > right->line.data) - (left->line.data < right->line.data);
}

static void write_edit(const struct editor *editor, const struct edit *edit, struct text *out)
{
	const char *behind = edit->old.data + edit->old.size;

	if (edit->tagged) {
		text_add(out, edit->line.data, (size_t)(slice_trim(edit->line).data - edit->line.data));
		text_format(out, "%s" TAG "%u\n", editor->comment, editor->unique);
	}
	text_add(out, edit->line.data, (size_t)(edit->old.data - edit->line.data));
	text_puts(out, edit->fresh);
	text_add(out, behind, (size_t)(edit->line.data + edit->line.size - behind));
}

static void write_diff(const struct editor *editor, struct text *out)
{
	for (size_t i = 0; i < editor->count; i++) {
		text_puts(out, "<<<<<<< SEARCH\n");
		text_add(out, editor->edits[i].line.data, editor->edits[i].line.size);
		text_puts(out, "\n=======\n");
		write_edit(editor, &editor->edits[i], out);
		text_puts(out, "\n>>>>>>> REPLACE\n\n");
	}
}

static void write_rewrite(struct editor *editor, struct text *out)
{
	const char *at = editor->program.code.data, *end = at + editor->program.code.size;

	qsort(editor->edits, editor->count, sizeof(editor->edits[0]), by_place);
	text_puts(out, "```");
	text_add(out, editor->program.info.data, editor->program.info.size);
	text_puts(out, "\n");
	for (size_t i = 0; i < editor->count; i++) {
		text_add(out, at, (size_t)(editor->edits[i].line.data - at));
		write_edit(editor, &editor->edits[i], out);
		at = editor->edits[i].line.data + editor->edits[i].line.size;
	}
	text_add(out, at, (size_t)(end - at));
	text_puts(out, out->data[out->size - 1] == '\n' ? "```\n\n" : "\n```\n\n");
}

void answer_prose(uint64_t key, size_t size, struct text *out)
{
	static const char *const sentences[] = {
		"The change keeps the structure of the program and moves a single parameter. ",
		"A smaller step near the optimum should let the search settle more precisely. ",
		"I considered a different decomposition, but it costs more than it gains here. ",
		"The inner loop dominates the time, so its bounds matter most. ",
		"Earlier attempts suggest that larger values explore more but converge later. ",
		"Numerical stability is not affected, because the term stays bounded. ",
		"If this does not help, the next thing to try is another initial guess. ",
		"The remaining parts are left as they are to keep the comparison fair. ",
	};

	for (uint64_t i = 0; out->size < size; i++) {
		const char *sentence = sentences[(key >> (i * 3 % 60)) % 8];
		size_t length = strlen(sentence), room = size - out->size;
		text_add(out, sentence, length < room ? length : room);
	}
}

static void write_garbage(uint64_t key, struct text *out)
{
	static const char *const pieces[] = { "<<<<<<< SEARCH\n",
										  "=======\n",
										  ">>>>>>> REPLACE\n",
										  "<<<<<<< REPLACE\n",
										  "```",
										  "</think>",
										  "\xe2\x80\xae\xf0\x9f\xa7\xac",
										  "\x01\x1b[31m" };

	for (int i = 0; i < 12; i++, key = mix(key, MIX_EDIT, 0))
		text_format(out, "%s %llx\n", pieces[key % 8], (unsigned long long)key);
	text_puts(out, "<<<<<<< SEARCH\n");
}

bool answer_write(const struct settings *settings, struct slice prompt, uint64_t number,
				  struct text *out)
{
	size_t size = (size_t)settings->answer_bytes;
	uint64_t seed = (uint64_t)settings->seed;
	static struct editor editor; /* one thread; too large for comfort on the stack */

	if (settings->mode == MODE_ECHO) {
		text_add(out, prompt.data, prompt.size);
		return true;
	}
	if (settings->mode == MODE_NONE || settings->mode == MODE_GARBAGE) {
		if (settings->mode == MODE_GARBAGE)
			write_garbage(mix(seed, MIX_EDIT, number), out);
		answer_prose(mix(seed, MIX_EDIT, number), size, out);
		return true;
	}
	bool found = find_program(prompt, &editor.program);
	editor.key = mix(seed ^ hash(settings->pure != 0 ? prompt : editor.program.code), MIX_EDIT,
					 settings->pure != 0 ? 0 : number);
	/* The factor has no divisor in common with 10^9: each number has its own product. */
	editor.unique = settings->pure != 0 ? (uint32_t)(editor.key % UNIQUE_MAX)
										: (uint32_t)((number * 618033989u + seed) % UNIQUE_MAX);
	if (!found || !make_edits(&editor, (size_t)settings->blocks)) {
		answer_prose(editor.key, size, out);
		return false;
	}
	answer_prose(editor.key, size / 4, out);
	text_puts(out, "\n\n");
	if (settings->mode == MODE_REWRITE)
		write_rewrite(&editor, out);
	else
		write_diff(&editor, out);
	answer_prose(editor.key >> 7, size, out);
	return true;
}
