/* Languages with braces: C and its relatives, Java, Go, Rust, JavaScript. See token.h. */

#include <string.h>

#include "program/token.h"

/* ---- comments ---- */

/* Bytes of a comment between its marks; 0: doubt. */
static size_t block_comment(const struct oe__lexer *lexer)
{
	const char *at = lexer->at;
	size_t left = oe__lexer_left(lexer), depth = 1;

	for (size_t i = 2; i + 1 < left; i++) {
		if (at[i] == '*' && at[i + 1] == '/') {
			if (--depth == 0)
				return i + 2;
			i++;
		} else if (lexer->syntax->nested && at[i] == '/' && at[i + 1] == '*') {
			depth++;
			i++;
		}
	}
	return 0;
}

/* A line that goes on with the next one, an escape that may end it, what ends lines elsewhere. */
static bool is_doubtful(const struct oe__lexer *lexer, size_t size)
{
	const struct oe__syntax *syntax = lexer->syntax;

	for (size_t i = 0; i < size; i++) {
		char c = lexer->at[i], next = i + 1 < size ? lexer->at[i + 1] : '\n';
		if (c == '\\' && ((syntax->preprocessor && strchr(" \t\v\f\r\n", next)) ||
						  (syntax->escapes && next == 'u')))
			return true;
		if (c == '\0' || (c == '\r' && next != '\n'))
			return true;
		if (c == '?' && next == '?' && i + 2 < size && lexer->at[i + 2] == '/' && syntax->preprocessor)
			return true; /* a trigraph for what begins escapes */
		if (syntax->script && (unsigned char)c == 0xe2 && (unsigned char)next == 0x80)
			return true; /* U+2028 ends lines; it is not looked at which one this is */
	}
	return false;
}

/* Rust's are attributes; a script's may speak to its compiler. */
static bool is_kept(const struct oe__lexer *lexer, size_t size)
{
	const char *at = lexer->at;
	bool block = at[1] == '*';
	char third = size > 2 ? at[2] : '\0', fourth = size > 3 ? at[3] : '\0';

	if (lexer->syntax->rust && third == '!')
		return true;
	if (lexer->syntax->rust && third == at[1])
		return block ? fourth != '*' && fourth != '/' : fourth != '/';
	if (lexer->syntax->script && (memchr(at, '@', size) || third == '#' || third == '/'))
		return true;
	return oe__comment_means_something(lexer, size);
}

/* 1: a token; 0: skipped. */
static int comment(struct oe__lexer *lexer, struct oe__token *out)
{
	bool block = lexer->at[1] == '*';
	size_t size = block ? block_comment(lexer) : oe__line_comment(lexer);

	if (size == 0 || is_doubtful(lexer, size)) {
		out->kind = OE__TOKEN_DOUBT;
		return 1;
	}
	if (is_kept(lexer, size)) {
		oe__lexer_take(lexer, OE__TOKEN_KEPT, size, out);
		return 1;
	}
	lexer->line_ended |= block && memchr(lexer->at, '\n', size);
	lexer->at += size;
	return 0;
}

/* ---- the preprocessor ---- */

/* Bytes of a comment in such a line; 0: it may go on over the end of it. */
static size_t comment_within(const char *text, size_t left)
{
	for (size_t i = 2; i + 1 < left && text[i] != '\n'; i++)
		if (text[i] == '*' && text[i + 1] == '/')
			return i + 2;
	return 0;
}

/* Bytes of a whole line with those that it is continued on; 0: doubt. */
static size_t directive(const struct oe__lexer *lexer)
{
	const char *at = lexer->at;
	size_t left = oe__lexer_left(lexer), size = 0, step;

	for (; size < left && at[size] != '\n'; size += step) {
		char c = at[size], next = size + 1 < left ? at[size + 1] : '\n';
		step = 1;
		if (c == '#' && size > 0) /* texts are made of what it is followed by, blanks and all */
			return 0;
		if ((c == 'R' && next == '"') || c == '\0' || (c == '?' && next == '?'))
			return 0;
		if (c == '/' && next == '*')
			step = comment_within(at + size, left - size);
		else if (c == '\\' && next == '\r' && size + 2 < left && at[size + 2] == '\n')
			step = 3;
		else if (c == '\\' && strchr("\n\r \t\v\f", next))
			step = next == '\n' && size + 1 < left ? 2 : 0;
		if (step == 0)
			return 0;
	}
	return size < left && at[size - 1] == '\r' ? size - 1 : size;
}

/* ---- scripts: division or a pattern? ---- */

enum { AFTER_VALUE, AFTER_CONTROL, AFTER_DOUBT };

static bool is(const struct oe__token *token, const char *words)
{
	const char *at = words;

	while (*at) {
		size_t size = strcspn(at, " ");
		if (size == token->size && memcmp(at, token->text, size) == 0)
			return true;
		at += size + (at[size] == ' ');
	}
	return false;
}

/* What a "(" that comes now follows. */
static uint8_t before_parenthesis(const struct oe__lexer *lexer)
{
	const struct oe__token *last = &lexer->last, *before = &lexer->word;
	bool member = before->kind == OE__TOKEN_SIGN && before->text[0] == '.';

	if (last->kind != OE__TOKEN_WORD || member)
		return AFTER_VALUE;
	if (is(last, "await"))
		return AFTER_DOUBT;
	return is(last, "if while for with") ? AFTER_CONTROL : AFTER_VALUE;
}

static bool note_parenthesis(struct oe__lexer *lexer)
{
	if (lexer->at[0] == '(') {
		if (lexer->parenthesis_count == OE__PARENTHESES_MAX)
			return false;
		lexer->parentheses[lexer->parenthesis_count++] = before_parenthesis(lexer);
	} else if (lexer->at[0] == ')') {
		if (lexer->parenthesis_count == 0)
			return false;
		lexer->closed = lexer->parentheses[--lexer->parenthesis_count];
	}
	return true;
}

/* Has a value just ended, so that an operator follows? 1, 0; -1: doubt. */
static int ends_value(const struct oe__lexer *lexer)
{
	const struct oe__token *last = &lexer->last, *before = &lexer->word;
	bool member = before->kind == OE__TOKEN_SIGN && before->text[0] == '.';

	switch (last->kind) {
	case OE__TOKEN_TEXT:
		return 1;
	case OE__TOKEN_WORD:
		if (member || !oe__is_word_character(last->text[0]) || last->text[0] < 'A')
			return 1;
		if (is(last, "of yield await async let static"))
			return -1;
		return !is(last, "return typeof instanceof in new delete void throw case do else");
	case OE__TOKEN_SIGN:
		break;
	default:
		return last->kind == OE__TOKEN_KEPT ? -1 : 0;
	}
	switch (last->text[0]) {
	case ']':
		return 1;
	case ')':
		return lexer->closed == AFTER_VALUE ? 1 : lexer->closed == AFTER_CONTROL ? 0 : -1;
	case '}':
	case '!':
		return -1;
	case '+':
	case '-':
		return last->glued && before->text[0] == last->text[0] ? -1 : 0;
	default:
		return 0;
	}
}

/* A pattern (as OE__TOKEN_TEXT), a sign, or doubt. */
static enum oe__token_kind slash(struct oe__lexer *lexer, struct oe__token *out)
{
	int value = ends_value(lexer);
	size_t size = value == 0 ? oe__script_pattern(lexer) : 0;

	if (value == 1)
		return oe__lexer_take_sign(lexer, out);
	return size > 0 ? oe__lexer_take(lexer, OE__TOKEN_TEXT, size, out) : OE__TOKEN_DOUBT;
}

/* ---- tokens ---- */

static enum oe__token_kind text(struct oe__lexer *lexer, size_t size, struct oe__token *out)
{
	/* An escape of Java's may be the quote that ends it. */
	for (size_t i = 0; lexer->syntax->escapes && i + 1 < size; i++)
		if (lexer->at[i] == '\\' && lexer->at[i + 1] == 'u')
			return OE__TOKEN_DOUBT;
	return size > 0 ? oe__lexer_take(lexer, OE__TOKEN_TEXT, size, out) : OE__TOKEN_DOUBT;
}

static enum oe__token_kind apostrophe(struct oe__lexer *lexer, struct oe__token *out)
{
	size_t size;

	if (!lexer->syntax->rust)
		return text(lexer, oe__quoted(lexer, 0, false), out);
	size = oe__rust_character(lexer);
	if (size > 0)
		return text(lexer, size, out);
	char next = oe__lexer_peek(lexer, 1);
	if (!oe__is_word_character(next))
		return OE__TOKEN_DOUBT;
	for (size = 2; oe__is_word_character(oe__lexer_peek(lexer, size));)
		size++;
	return oe__lexer_peek(lexer, size) == '\'' ? OE__TOKEN_DOUBT : text(lexer, size, out);
}

static enum oe__token_kind quote(struct oe__lexer *lexer, struct oe__token *out)
{
	const struct oe__syntax *syntax = lexer->syntax;

	if (syntax->escapes && oe__lexer_sees(lexer, "\"\"\""))
		return text(lexer, oe__text_block(lexer), out);
	/* What stands before it says what is between C and Go. */
	if (syntax->go && oe__lexer_sees(lexer, "\"C\""))
		return OE__TOKEN_DOUBT;
	return text(lexer, oe__quoted(lexer, 0, syntax->rust), out);
}

static enum oe__token_kind word(struct oe__lexer *lexer, struct oe__token *out)
{
	const struct oe__syntax *syntax = lexer->syntax;
	size_t size = 0;

	while (oe__is_word_character(oe__lexer_peek(lexer, size)))
		size++;
	char next = oe__lexer_peek(lexer, size);
	char last = lexer->at[size > 0 ? size - 1 : 0];
	if (next == '"' && last == 'R' && syntax->reject_raw)
		return OE__TOKEN_DOUBT;
	if (next == '"' && last == 'R' && syntax->raw_strings)
		return text(lexer, oe__cpp_raw_string(lexer, size), out);
	if (syntax->rust && last == 'r' && (next == '"' || next == '#') && size <= 2)
		return text(lexer, oe__rust_raw_string(lexer, size), out);
	if (syntax->rust && (next == '#' || (next == '"' && size > 1)))
		return OE__TOKEN_DOUBT;
	if (syntax->rust && next == '!' && size >= 4 &&
		(memcmp(lexer->at, "line", 4) == 0 || memcmp(lexer->at, "colu", 4) == 0))
		return OE__TOKEN_DOUBT;
	return oe__lexer_take_word(lexer, out);
}

static enum oe__token_kind sign(struct oe__lexer *lexer, struct oe__token *out)
{
	const struct oe__syntax *syntax = lexer->syntax;

	/* Splices, escapes and quotes that the language does not have. */
	if (lexer->at[0] == '\\' || (lexer->at[0] == '`' && !syntax->go && !syntax->script))
		return OE__TOKEN_DOUBT;
	if (syntax->preprocessor &&
		(oe__lexer_sees(lexer, "??") || (lexer->line_begins && oe__lexer_sees(lexer, "%:"))))
		return OE__TOKEN_DOUBT;
	if (syntax->script) {
		bool markup = lexer->at[0] == '<' && ends_value(lexer) != 1;
		if (markup || oe__lexer_sees(lexer, "<!--") || oe__lexer_sees(lexer, "-->") ||
			!note_parenthesis(lexer))
			return OE__TOKEN_DOUBT;
		if (lexer->at[0] == '/')
			return slash(lexer, out);
	}
	return oe__lexer_take_sign(lexer, out);
}

/* What looks like the interpreter of a script is, in Rust, perhaps none. */
static bool is_attribute(const struct oe__lexer *lexer)
{
	size_t size = 2;

	while (oe__lexer_peek(lexer, size) == ' ')
		size++;
	return lexer->syntax->rust && oe__lexer_peek(lexer, size) == '[';
}

static enum oe__token_kind token(struct oe__lexer *lexer, struct oe__token *out)
{
	const struct oe__syntax *syntax = lexer->syntax;
	char c = lexer->at[0];

	if (c == '#' && syntax->preprocessor && lexer->line_begins) {
		size_t size = directive(lexer);
		return size > 0 ? oe__lexer_take(lexer, OE__TOKEN_KEPT, size, out) : OE__TOKEN_DOUBT;
	}
	if (lexer->at == lexer->begin && oe__lexer_sees(lexer, "#!") && !is_attribute(lexer))
		return syntax->script ? oe__lexer_take(lexer, OE__TOKEN_KEPT, oe__line_comment(lexer), out)
							  : OE__TOKEN_DOUBT;
	if (oe__is_word_character(c) || (c == '$' && syntax->script))
		return word(lexer, out);
	if (c == '"')
		return quote(lexer, out);
	if (c == '\'')
		return apostrophe(lexer, out);
	if (c == '`' && syntax->go)
		return text(lexer, oe__go_raw_string(lexer), out);
	if (c == '`' && syntax->script)
		return text(lexer, oe__script_template(lexer), out);
	return sign(lexer, out);
}

/* OE__TOKEN_END: nothing came of it. */
static enum oe__token_kind skip(struct oe__lexer *lexer, struct oe__token *out)
{
	while (lexer->at < lexer->end) {
		size_t end = oe__lexer_line_end(lexer);
		if (end > 0) {
			lexer->line_begins = true;
			lexer->line_ended = true;
			lexer->at += end;
		} else if (*lexer->at == ' ' || *lexer->at == '\t') {
			lexer->at++;
		} else if (oe__lexer_sees(lexer, "//") || oe__lexer_sees(lexer, "/*")) {
			bool begins = lexer->line_begins, ended = lexer->line_ended;
			if (comment(lexer, out)) {
				lexer->line_begins = begins;
				lexer->line_ended = ended;
				return out->kind;
			}
		} else {
			break;
		}
	}
	return OE__TOKEN_END;
}

enum oe__token_kind oe__braces_next(struct oe__lexer *lexer, struct oe__token *out)
{
	enum oe__token_kind kind = skip(lexer, out);

	if (kind != OE__TOKEN_END || lexer->at == lexer->end)
		return kind;
	if (lexer->syntax->lines && lexer->line_ended && lexer->last.kind != OE__TOKEN_END) {
		bool begins = lexer->line_begins;
		struct oe__token last = lexer->last, before = lexer->word;

		kind = oe__lexer_take(lexer, OE__TOKEN_LINE, 0, out);
		lexer->line_begins = begins;
		lexer->last = last; /* which says whether a pattern may come */
		lexer->word = before;
		return kind;
	}
	return token(lexer, out);
}
