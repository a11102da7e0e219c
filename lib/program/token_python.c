/* Python: lines end statements, indentation makes blocks, brackets join lines. See token.h. */

#include <string.h>

#include "program/token.h"

/* Python takes its encoding from such a comment in one of the first two lines. */
static bool names_encoding(const struct oe__lexer *lexer, size_t size)
{
	size_t lines = 0;

	for (const char *at = lexer->begin; at < lexer->at && lines < 2; at++)
		lines += *at == '\n';
	for (size_t i = 0; lines < 2 && i + 6 <= size; i++)
		if (memcmp(lexer->at + i, "coding", 6) == 0)
			return true;
	return false;
}

/* 1: it is a token; 0: it was skipped. */
static int comment(struct oe__lexer *lexer, struct oe__token *out)
{
	size_t size = oe__line_comment(lexer);

	if (memchr(lexer->at, '\r', size)) { /* which Python takes for the end of a line */
		out->kind = OE__TOKEN_DOUBT;
		return 1;
	}
	if (!names_encoding(lexer, size) && !oe__comment_means_something(lexer, size)) {
		lexer->at += size;
		return 0;
	}
	bool begins = lexer->line_begins;
	out->kind = oe__lexer_take(lexer, OE__TOKEN_KEPT, size, out);
	lexer->line_begins = begins; /* the line may still be an empty one */
	return 1;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* ---- the begin of a line ---- */

static enum oe__token_kind pop_indent(struct oe__lexer *lexer, struct oe__token *out)
{
	lexer->dedents--;
	lexer->indent_count--;
	return oe__lexer_take(lexer, OE__TOKEN_DEDENT, 0, out);
}

/* A line with something in it begins, indented that far. OE__TOKEN_END: as the one before. */
static enum oe__token_kind indent(struct oe__lexer *lexer, size_t width, struct oe__token *out)
{
	size_t count = lexer->indent_count;
	size_t top = count > 0 ? lexer->indents[count - 1] : 0;

	lexer->line_begins = false;
	if (width == top)
		return OE__TOKEN_END;
	if (width > top) {
		if (count == OE__PYTHON_INDENTS_MAX)
			return OE__TOKEN_DOUBT;
		lexer->indents[lexer->indent_count++] = width;
		return oe__lexer_take(lexer, OE__TOKEN_INDENT, 0, out);
	}
	while (count > 0 && lexer->indents[count - 1] > width)
		count--;
	if ((count > 0 ? lexer->indents[count - 1] : 0) != width)
		return OE__TOKEN_DOUBT;
	lexer->dedents = lexer->indent_count - count;
	return pop_indent(lexer, out);
}

/* Skips empty lines. OE__TOKEN_END: the line goes on here, or nothing is left. */
static enum oe__token_kind begin_line(struct oe__lexer *lexer, struct oe__token *out)
{
	for (;;) {
		bool tabs = false, blanks = false;
		size_t width = 0;
		for (; is_blank(oe__lexer_peek(lexer, 0)); lexer->at++, width++) {
			tabs |= *lexer->at == '\t';
			blanks |= *lexer->at == ' ';
		}
		if (oe__lexer_peek(lexer, 0) == '#' && comment(lexer, out))
			return out->kind;
		size_t end = oe__lexer_line_end(lexer);
		if (end > 0) {
			lexer->at += end;
			continue;
		}
		if (lexer->at == lexer->end)
			return OE__TOKEN_END;
		lexer->tabs |= tabs;
		lexer->blanks |= blanks;
		/* How far a tab goes is a matter of versions; and a line of no more than a join is odd. */
		if (*lexer->at == '\\' || (lexer->tabs && lexer->blanks))
			return OE__TOKEN_DOUBT;
		return indent(lexer, width, out);
	}
}

/* ---- within a line ---- */

static bool is_prefix(char c)
{
	switch (c) {
	case 'r':
	case 'R':
	case 'b':
	case 'B':
	case 'u':
	case 'U':
	case 'f':
	case 'F':
	case 't':
	case 'T':
		return true;
	default:
		return false;
	}
}

/* Bytes of a string's prefix, if one begins here: 0 for none; `found` tells. */
static size_t prefix(const struct oe__lexer *lexer, bool *found)
{
	size_t size = 0;

	while (size < 3 && is_prefix(oe__lexer_peek(lexer, size)))
		size++;
	char quote = oe__lexer_peek(lexer, size);
	*found = size < 3 && (quote == '"' || quote == '\'');
	return size;
}

static enum oe__token_kind string(struct oe__lexer *lexer, size_t size, struct oe__token *out)
{
	size_t whole = oe__python_string(lexer, size);

	return whole > 0 ? oe__lexer_take(lexer, OE__TOKEN_TEXT, whole, out) : OE__TOKEN_DOUBT;
}

static enum oe__token_kind sign(struct oe__lexer *lexer, struct oe__token *out)
{
	switch (lexer->at[0]) {
	case '(':
	case '[':
	case '{':
		lexer->depth++;
		break;
	case ')':
	case ']':
	case '}':
		if (lexer->depth-- == 0)
			return OE__TOKEN_DOUBT;
		break;
	case '?': /* no Python */
	case '$':
	case '`':
	case '\\': /* joins lines only where it ends one */
		return OE__TOKEN_DOUBT;
	default:
		break;
	}
	return oe__lexer_take_sign(lexer, out);
}

static enum oe__token_kind token(struct oe__lexer *lexer, struct oe__token *out)
{
	bool found;
	size_t size = prefix(lexer, &found);

	if (found)
		return string(lexer, size, out);
	return oe__is_word_character(lexer->at[0]) ? oe__lexer_take_word(lexer, out) : sign(lexer, out);
}

static enum oe__token_kind finish(struct oe__lexer *lexer, struct oe__token *out)
{
	if (lexer->depth > 0)
		return OE__TOKEN_DOUBT;
	if (!lexer->line_begins) {
		enum oe__token_kind kind = oe__lexer_take(lexer, OE__TOKEN_LINE, 0, out);
		lexer->line_begins = true;
		return kind;
	}
	lexer->dedents = lexer->indent_count;
	return lexer->dedents > 0 ? pop_indent(lexer, out) : OE__TOKEN_END;
}

static enum oe__token_kind end_line(struct oe__lexer *lexer, size_t size, struct oe__token *out)
{
	enum oe__token_kind kind = oe__lexer_take(lexer, OE__TOKEN_LINE, 0, out);

	lexer->at += size;
	lexer->line_begins = true;
	return kind;
}

/* `\` at the end of a line. What it joins has to be there, or versions differ. */
static bool join(struct oe__lexer *lexer)
{
	lexer->at += oe__lexer_sees(lexer, "\\\r\n") ? 3 : 2;
	while (is_blank(oe__lexer_peek(lexer, 0)))
		lexer->at++;
	char c = oe__lexer_peek(lexer, 0);
	return c != '\0' && c != '#' && c != '\\' && oe__lexer_line_end(lexer) == 0;
}

/* White space and comments. Not OE__TOKEN_END: something else came of them. */
static enum oe__token_kind skip(struct oe__lexer *lexer, struct oe__token *out)
{
	while (lexer->at < lexer->end) {
		size_t end = oe__lexer_line_end(lexer);
		if (is_blank(*lexer->at)) {
			lexer->at++;
		} else if (end > 0) {
			if (lexer->depth == 0)
				return end_line(lexer, end, out);
			lexer->at += end;
		} else if (*lexer->at == '#') {
			if (comment(lexer, out))
				return out->kind;
		} else if (*lexer->at == '\\' &&
				   (oe__lexer_sees(lexer, "\\\n") || oe__lexer_sees(lexer, "\\\r\n"))) {
			if (!join(lexer))
				return OE__TOKEN_DOUBT;
		} else {
			break;
		}
	}
	return OE__TOKEN_END;
}

enum oe__token_kind oe__python_next(struct oe__lexer *lexer, struct oe__token *out)
{
	enum oe__token_kind kind = OE__TOKEN_END;

	if (lexer->dedents > 0)
		return pop_indent(lexer, out);
	if (lexer->line_begins)
		kind = begin_line(lexer, out);
	if (kind == OE__TOKEN_END)
		kind = skip(lexer, out);
	if (kind != OE__TOKEN_END)
		return kind;
	return lexer->at < lexer->end ? token(lexer, out) : finish(lexer, out);
}
