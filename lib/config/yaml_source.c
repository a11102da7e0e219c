#include "config/yaml_source.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/text.h"

struct oe__yaml_shift {
	size_t line, column; /* from 0, in the text that libyaml got: right of here ...     */
	int width;           /* ... everything on the line stood so many characters further */
};

#define BOM "\xef\xbb\xbf"

/* ---- checking ---- */

static bool is_printable(uint32_t c)
{
	return c == '\t' || c == '\n' || c == '\r' || (c >= 0x20 && c <= 0x7e) || c == 0x85 ||
		   (c >= 0xa0 && c <= 0xd7ff) || (c >= 0xe000 && c <= 0xfffd) || c >= 0x10000;
}

/* Lines as PyYAML and libyaml count them. */
static bool ends_line(uint32_t c, bool line_feed_follows)
{
	return c == '\n' || c == 0x85 || c == 0x2028 || c == 0x2029 ||
		   (c == '\r' && !line_feed_follows);
}

static int check_text(struct oe__yaml_source *source, oe_error *err)
{
	const char *s = source->text;
	size_t left = source->size;
	int line = 1, column = 1;

	while (left > 0) {
		const char *start = s;
		uint32_t c = oe__utf8_next(&s, &left);
		if (c == 0xfffd && s - start != 3) /* the replacement, not the character itself */
			return oe__error_at(err, OE_ERR_CONFIG, source->name, line, column,
								"the text is not UTF-8");
		if (!is_printable(c))
			return oe__error_at(
				err, OE_ERR_CONFIG, source->name, line, column,
				"the character U+%04X is not allowed: in double quotes, write it as "
				"an escape",
				(unsigned)c);
		if (ends_line(c, left > 0 && *s == '\n')) {
			line++;
			column = 1;
		} else {
			column++;
		}
		source->characters++;
	}
	source->end_line = line;
	source->end_column = column;
	return 0;
}

/* A character of the private use area, from `first` on, that the text has neither as such nor as an
   escape. "" if there is none. */
static void find_substitute(const struct oe__yaml_source *source, unsigned first, char out[4])
{
	static const char hex[] = "0123456789abcdef";

	for (unsigned code = first; code < first + 0x80; code++) {
		char low[] = { 'e', '0', hex[code >> 4 & 15], hex[code & 15] };
		char high[sizeof(low)];
		for (size_t i = 0; i < sizeof(low); i++)
			high[i] = (char)(low[i] >= 'a' ? low[i] - 'a' + 'A' : low[i]);
		size_t size = oe__utf8_encode(code, out);
		if (!oe__find(source->text, source->size, out, size) &&
			!oe__find(source->text, source->size, low, sizeof(low)) &&
			!oe__find(source->text, source->size, high, sizeof(high)))
			return;
	}
	out[0] = '\0';
}

/* Replace three bytes by others, not more of them, wherever they are. */
static size_t replace_all(char *text, size_t size, const char *from, const char *to, size_t to_size)
{
	const char *rest = text, *end = text + size, *at;
	char *write = text;

	assert(to_size <= 3);
	while ((at = oe__find(rest, (size_t)(end - rest), from, 3)) != NULL) {
		memmove(write, rest, (size_t)(at - rest));
		write += at - rest;
		memcpy(write, to, to_size);
		write += to_size;
		rest = at + 3;
	}
	memmove(write, rest, (size_t)(end - rest));
	return size - (size_t)(rest - write);
}

int oe__yaml_source_init(struct oe__yaml_source *source, const char *text, size_t size,
						 const char *name, oe_error *err)
{
	OE__AUTO(yaml_source) struct oe__yaml_source made = { .name = name };

	if (size >= 3 && memcmp(text, BOM, 3) == 0) {
		text += 3;
		size -= 3;
	}
	made.text = oe__strndup(text, size);
	if (!made.text)
		return oe__error_nomem(err);
	made.size = size;
	int status = check_text(&made, err);
	if (status < 0)
		return status;
	made.has_tabs = memchr(text, '\t', size) != NULL;
	if (oe__find(text, size, BOM, 3))
		find_substitute(&made, 0xe000, made.bom);
	if (made.bom[0] != '\0')
		(void)replace_all(made.text, size, BOM, made.bom, 3);
	*source = made;
	made = (struct oe__yaml_source){ 0 };
	return 0;
}

void oe__yaml_source_done(struct oe__yaml_source *source)
{
	oe__free(source->text);
	oe__free(source->shifts);
	*source = (struct oe__yaml_source){ 0 };
}

size_t oe__yaml_source_restore(const struct oe__yaml_source *source, char *value, size_t size)
{
	if (source->bom[0] != '\0')
		size = replace_all(value, size, source->bom, BOM, 3);
	if (source->tab[0] != '\0')
		size = replace_all(value, size, source->tab, "\t", 1);
	return size;
}

/* ---- mending ---- */

/* The surrogate that the escape at `s` stands for, or 0. */
static uint32_t surrogate_at(const char *s, const char *end)
{
	uint32_t code = 0;

	if (end - s < 6 || s[0] != '\\' || s[1] != 'u')
		return 0;
	for (size_t i = 2; i < 6; i++) {
		char c = s[i];
		unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
						 : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
						 : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10
												: 16;
		if (digit == 16)
			return 0;
		code = code << 4 | digit;
	}
	return code >= 0xd800 && code <= 0xdfff ? code : 0;
}

/* An escape of `digits` hexadecimal digits. */
static char *put_escape(char *to, char kind, uint32_t code, unsigned digits)
{
	*to++ = '\\';
	*to++ = kind;
	while (digits-- > 0)
		*to++ = "0123456789ABCDEF"[code >> (4 * digits) & 15];
	return to;
}

static int add_shift(struct oe__yaml_source *source, size_t line, size_t column, int width)
{
	void *shifts = source->shifts;
	int status = oe__grow(&shifts, &source->shift_capacity, source->shift_count + 1,
						  sizeof(*source->shifts));
	source->shifts = shifts;
	if (status == 0)
		source->shifts[source->shift_count++] = (struct oe__yaml_shift){ line, column, width };
	return status;
}

/* Rewrite the surrogates from the one at `offset` to the end of its quoted text. */
static int mend_surrogates(struct oe__yaml_source *source, size_t offset, yaml_mark_t mark)
{
	const char *from = source->text + offset, *end = source->text + source->size;
	char *to = source->text + offset;
	size_t line = mark.line, column = mark.column - 2; /* of the backslash */
	int status = 0;

	while (status == 0 && from < end && *from != '"') {
		uint32_t high = surrogate_at(from, end);
		uint32_t low = high != 0 && high < 0xdc00 ? surrogate_at(from + 6, end) : 0;
		if (low >= 0xdc00) {
			to = put_escape(to, 'U', 0x10000 + ((high & 0x3ff) << 10 | (low & 0x3ff)), 8);
			from += 12;
			column += 10;
			source->characters -= 2;
			status = add_shift(source, line, column - 1, 2);
		} else if (high != 0) {
			to = put_escape(to, 'u', 0xfffd, 4);
			from += 6;
			column += 6;
		} else {
			size_t left = (size_t)(end - from);
			if (*from == '\\' && left > 1) { /* the next character is part of the escape */
				*to++ = *from++;
				column++;
				left--;
			}
			const char *next = from;
			uint32_t c = oe__utf8_next(&next, &left);
			column = ends_line(c, left > 0 && *next == '\n') ? 0 : column + 1;
			line += column == 0;
			while (from < next)
				*to++ = *from++;
		}
	}
	while (from < end)
		*to++ = *from++;
	*to = '\0';
	source->size = (size_t)(to - source->text);
	return status < 0 ? status : 1;
}

/* Put `size` bytes in the place of `old_size` ones. */
static int splice(struct oe__yaml_source *source, size_t offset, size_t old_size, const char *with,
				  size_t size)
{
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);
	size_t rest = offset + old_size;

	oe__buffer_append(&text, source->text, offset);
	oe__buffer_append(&text, with, size);
	oe__buffer_append(&text, source->text + rest, source->size - rest);
	if (text.status < 0)
		return text.status;
	oe__free(source->text);
	source->text = oe__buffer_steal(&text, &source->size);
	return source->text ? 1 : OE_ERR_NOMEM;
}

/* A tab, the first character of a block scalar's text; at the start of a line it is not in it. */
static int mend_tab(struct oe__yaml_source *source, size_t offset, yaml_mark_t mark)
{
	if (mark.column == 0)
		return 0;
	if (source->tab[0] == '\0')
		find_substitute(source, 0xe080, source->tab);
	if (source->tab[0] == '\0' || offset >= source->size || source->text[offset] != '\t')
		return 0;
	return splice(source, offset, 1, source->tab, 3);
}

/* A colon that a bracket or comma follows. */
static int mend_colon(struct oe__yaml_source *source, size_t offset, yaml_mark_t mark)
{
	if (offset + 1 >= source->size || source->text[offset] != ':' ||
		!strchr(",[]{}", source->text[offset + 1]))
		return 0;
	source->characters++;
	int status = add_shift(source, mark.line, mark.column + 1, -1);
	return status < 0 ? status : splice(source, offset + 1, 0, " ", 1);
}

/* A directive that only PyYAML passes over. */
static int mend_directive(struct oe__yaml_source *source, size_t offset)
{
	if (offset >= source->size || source->text[offset] != '%')
		return 0;
	source->text[offset] = '#'; /* now a comment */
	source->has_directive = true;
	return 1;
}

int oe__yaml_source_mend(struct oe__yaml_source *source, const yaml_parser_t *parser)
{
	const char *problem = parser->problem;
	yaml_mark_t mark = parser->problem_mark;

	if (parser->error != YAML_SCANNER_ERROR || !problem)
		return 0;
	size_t offset = oe__utf8_prefix(source->text, source->size, mark.index);
	if (strcmp(problem, "found unknown directive name") == 0)
		return mend_directive(
			source, oe__utf8_prefix(source->text, source->size, parser->context_mark.index));
	if (strcmp(problem, "found unexpected ':'") == 0)
		return mend_colon(source, offset, mark);
	if (strcmp(problem, "found a tab character where an indentation space is expected") == 0)
		return mend_tab(source, offset, mark);
	if (strcmp(problem, "found invalid Unicode character escape code") == 0 && offset >= 2 &&
		surrogate_at(source->text + offset - 2, source->text + source->size) != 0)
		return mend_surrogates(source, offset - 2, mark);
	return 0;
}

/* ---- places ---- */

/* Shifts left of a place, over all lines before it too. */
static size_t shifts_before(const struct oe__yaml_source *source, size_t line, size_t column)
{
	size_t low = 0, high = source->shift_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct oe__yaml_shift *shift = &source->shifts[middle];
		if (shift->line < line || (shift->line == line && shift->column < column))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void oe__yaml_source_place(const struct oe__yaml_source *source, const yaml_mark_t *mark, int *line,
						   int *column)
{
	int width = 0;

	if (mark->index >= source->characters) { /* libyaml adds a line end where there is none */
		*line = source->end_line;
		*column = source->end_column;
		return;
	}
	for (size_t i = shifts_before(source, mark->line, 0);
		 i < shifts_before(source, mark->line, mark->column); i++)
		width += source->shifts[i].width;
	*line = (int)mark->line + 1;
	*column = (int)mark->column + width + 1;
}

/* ---- tabs ---- */

struct walk {
	const char *at, *end;
	size_t index; /* characters so far */
	size_t line, column;
	char previous;
};

static void step(struct walk *walk)
{
	size_t left = (size_t)(walk->end - walk->at);
	char first = *walk->at;
	uint32_t c = oe__utf8_next(&walk->at, &left);

	bool last = ends_line(c, left > 0 && *walk->at == '\n');
	walk->column = last ? 0 : walk->column + 1;
	walk->line += last;
	walk->previous = last ? '\n' : first;
	walk->index++;
}

/* To the end of the line, or of what is looked at. */
static void skip_line(struct walk *walk, size_t limit)
{
	size_t line = walk->line;
	while (walk->at < walk->end && walk->index < limit && walk->line == line)
		step(walk);
}

/* Outside scalars a "#" begins a comment, but for those in tags. */
static bool begins_comment(const struct walk *walk)
{
	return *walk->at == '#' && walk->previous != '\0' &&
		   strchr(" \n,[]{}:?-\"'", walk->previous) != NULL;
}

/* Walk to `limit`, over comments; true on a tab. */
static bool walk_to_tab(struct walk *walk, size_t limit)
{
	while (walk->at < walk->end && walk->index < limit) {
		if (*walk->at == '\t')
			return true;
		if (begins_comment(walk))
			skip_line(walk, limit);
		else
			step(walk);
	}
	return false;
}

/* Over one scalar; true on a tab, which plain ones and the headers of blocks may not have. */
static bool walk_over(struct walk *walk, const struct oe__yaml_span *span)
{
	if (span->style == YAML_PLAIN_SCALAR_STYLE)
		return walk_to_tab(walk, span->end);
	if (span->style == YAML_LITERAL_SCALAR_STYLE || span->style == YAML_FOLDED_SCALAR_STYLE) {
		struct walk header = *walk;
		skip_line(&header, span->end);
		if (walk_to_tab(walk, header.index))
			return true;
	}
	while (walk->at < walk->end && walk->index < span->end)
		step(walk);
	walk->previous = ' ';
	return false;
}

/* Beyond the known scalars: up to what may begin one that takes tabs. */
static bool walk_on(struct walk *walk, size_t limit)
{
	while (walk->at < walk->end && walk->index < limit && !strchr("\"'|>", *walk->at))
		if (walk_to_tab(walk, walk->index + 1))
			return true;
	return false;
}

bool oe__yaml_source_tab(const struct oe__yaml_source *source, const struct oe__yaml_span *spans,
						 size_t span_count, size_t known, size_t limit, int *line, int *column)
{
	struct walk walk = { source->text, source->text + source->size, 0, 0, 0, '\n' };
	bool found = false;

	if (!source->has_tabs)
		return false;
	for (size_t i = 0; i < span_count && !found; i++)
		found = walk_to_tab(&walk, spans[i].start) || walk_over(&walk, &spans[i]);
	if (!found)
		found = walk_to_tab(&walk, known) || walk_on(&walk, limit);
	if (found) {
		yaml_mark_t mark = { walk.index, walk.line, walk.column };
		oe__yaml_source_place(source, &mark, line, column);
	}
	return found;
}
