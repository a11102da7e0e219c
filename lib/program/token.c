/* Tokens: languages, and what all of them have. See token.h. */

#include "program/token.h"

#include <string.h>

#include "base/auto.h"
#include "program/language.h"

/*
 * A language whose comments, strings and line ends are not described here has no tokens: programs in it are
 * the same only byte by byte. Of those that are: languages in which white space between signs or lines
 * means more than an end of a statement are not among them (Ruby, Swift, shells).
 */
static const struct oe__syntax syntaxes[] = {
	{ .languages = { "python" },
	  .telltales = { "__file__", "inspect", "linecache", "traceback", "tokenize", "lineno",
					 "f_lineno", "tb_lineno", "co_firstlineno", "getsource", "getsourcelines",
					 "currentframe", "_getframe", "__code__" },
	  .directives = { "cython:", "distutils:", "pythran" },
	  .next = oe__python_next },
	{ .languages = { "c", "opencl" },
	  .telltales = { "__LINE__", "__builtin_LINE", "__COUNTER__" },
	  .next = oe__braces_next,
	  .preprocessor = true,
	  .reject_raw = true },
	{ .languages = { "cpp", "cuda", "metal" },
	  .telltales = { "__LINE__", "__builtin_LINE", "__COUNTER__", "source_location",
					 "stacktrace" },
	  .next = oe__braces_next,
	  .preprocessor = true,
	  .raw_strings = true },
	{ .languages = { "java" },
	  .telltales = { "getStackTrace", "StackWalker", "getLineNumber" },
	  .next = oe__braces_next,
	  .escapes = true },
	{ .languages = { "go" },
	  .telltales = { "Caller", "Callers", "CallersFrames", "Stack" },
	  .directives = { "go:", "export", "+build", "line", "extern" },
	  .next = oe__braces_next,
	  .lines = true,
	  .go = true },
	{ .languages = { "rust" },
	  .telltales = { "stringify", "include", "include_str", "include_bytes", "Location",
					 "track_caller" },
	  .next = oe__braces_next,
	  .nested = true,
	  .rust = true },
	{ .languages = { "javascript", "typescript" },
	  .telltales = { "captureStackTrace", "prepareStackTrace", "lineNumber",
					 "columnNumber" },
	  .next = oe__braces_next,
	  .lines = true,
	  .script = true },
};

static bool lists(const oe__word *list, const char *word, size_t size)
{
	if (size == 0 || size >= sizeof(*list))
		return false;
	for (; (*list)[0]; list++)
		if ((*list)[0] == word[0] && memcmp(*list, word, size) == 0 && (*list)[size] == '\0')
			return true;
	return false;
}

const struct oe__syntax *oe__syntax_of(const char *language)
{
	const char *name = oe__language_name(language);

	for (size_t i = 0; name && i < OE__COUNT(syntaxes); i++)
		if (lists(syntaxes[i].languages, name, strlen(name)))
			return &syntaxes[i];
	return NULL;
}

int oe__syntax_number(const struct oe__syntax *syntax)
{
	return (int)(syntax - syntaxes) + 1;
}

/* ---- looking ---- */

bool oe__lexer_sees(const struct oe__lexer *lexer, const char *text)
{
	size_t size = strlen(text);

	return size <= oe__lexer_left(lexer) && memcmp(lexer->at, text, size) == 0;
}

size_t oe__lexer_line_end(const struct oe__lexer *lexer)
{
	char c = oe__lexer_peek(lexer, 0);

	if (c == '\n')
		return 1;
	return c == '\r' && oe__lexer_peek(lexer, 1) == '\n' ? 2 : 0;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* ---- comments ---- */

size_t oe__line_comment(const struct oe__lexer *lexer)
{
	const char *lf = memchr(lexer->at, '\n', oe__lexer_left(lexer));
	const char *end = lf ? lf : lexer->end;

	return (size_t)(end - lexer->at) - (lf && end > lexer->at && end[-1] == '\r');
}

static bool mentions(const char *text, size_t size, const char *what)
{
	size_t length = strlen(what);

	for (size_t i = 0; i + length <= size; i++)
		if (memcmp(text + i, what, length) == 0)
			return true;
	return false;
}

/* Its first word is a directive's: "cython: boundscheck=False", "go:embed". */
static bool is_directive(const oe__word *directives, const char *text, size_t size)
{
	size_t from = 0, length = 0;

	while (from < size && (text[from] == '#' || text[from] == '/' || text[from] == '*' ||
						   text[from] == ' ' || text[from] == '\t'))
		from++;
	for (length = 0; from + length < size; length++) {
		char c = text[from + length];
		if (c == ' ' || c == '\t')
			break;
		if (c == ':') {
			length++;
			break;
		}
	}
	return length > 0 && lists(directives, text + from, length);
}

bool oe__comment_means_something(const struct oe__lexer *lexer, size_t size)
{
	const char *text = lexer->at;

	/* A child may be changed between these: they are part of what it is. */
	if (mentions(text, size, "EVOLVE-BLOCK"))
		return true;
	if (text == lexer->begin && size > 1 && text[0] == '#' && text[1] == '!')
		return true;
	return is_directive(lexer->syntax->directives, text, size);
}

/* ---- tokens ---- */

static bool is_bracket(char c)
{
	switch (c) {
	case '(':
	case ')':
	case '[':
	case ']':
	case '{':
	case '}':
	case ',':
	case ';':
		return true;
	default:
		return false;
	}
}

/* Neighbours that no language here reads as one sign, though neither is a bracket. */
static bool is_apart(char before, char after)
{
	static const char *const pairs[] = { "=-", "=+", "=!", "=~", "=*", "=&", "*-",
										 "/-", "+-", ":-", ">-", "%-" };

	for (size_t i = 0; i < OE__COUNT(pairs); i++)
		if (pairs[i][0] == before && pairs[i][1] == after)
			return true;
	return false;
}

/* Not a sign on its own: what it is depends on what touches it. */
static bool is_odd(char c)
{
	return c == '#' || c == '@' || c == '$' || c == '\\' || c == '`';
}

/* Would a blank between them change how they are read? */
static bool sticks(const struct oe__token *before, const struct oe__token *after)
{
	char end = before->text[before->size - 1], begin = after->text[0];
	bool texts = before->kind == OE__TOKEN_TEXT || after->kind == OE__TOKEN_TEXT;
	bool words = oe__is_word_character(end) || oe__is_word_character(begin);

	if (is_odd(end) || is_odd(begin))
		return true;
	if ((before->kind == OE__TOKEN_SIGN && is_bracket(end)) ||
		(after->kind == OE__TOKEN_SIGN && is_bracket(begin)))
		return false;
	if (texts)
		return before->kind != OE__TOKEN_SIGN && after->kind != OE__TOKEN_SIGN;
	return !words && !is_apart(end, begin);
}

enum oe__token_kind oe__lexer_take(struct oe__lexer *lexer, enum oe__token_kind kind, size_t size,
								   struct oe__token *out)
{
	const struct oe__token *last = &lexer->last;

	*out = (struct oe__token){ .kind = kind, .text = lexer->at, .size = size };
	out->glued = last->size > 0 && size > 0 && last->text + last->size == lexer->at &&
				 sticks(last, out);
	lexer->at += size;
	if (kind == OE__TOKEN_DOUBT)
		return kind;
	lexer->line_begins = false;
	lexer->line_ended = false;
	lexer->word = lexer->last;
	lexer->last = *out;
	return kind;
}

/* A name, or a number as preprocessors know it: all that could belong to it. */
enum oe__token_kind oe__lexer_take_word(struct oe__lexer *lexer, struct oe__token *out)
{
	bool number = is_digit(lexer->at[0]) || lexer->at[0] == '.';
	size_t size = 1;

	for (;; size++) {
		char c = oe__lexer_peek(lexer, size), before = lexer->at[size - 1];
		bool sign = number && (c == '+' || c == '-') && strchr("eEpP", before);
		bool apostrophe = number && lexer->syntax->raw_strings && c == '\'' &&
						  oe__is_word_character(oe__lexer_peek(lexer, size + 1));
		if (!oe__is_word_character(c) && !(number && c == '.') && !sign && !apostrophe &&
			!(lexer->syntax->script && c == '$'))
			break;
	}
	if (!number && lists(lexer->syntax->telltales, lexer->at, size))
		return OE__TOKEN_DOUBT;
	return oe__lexer_take(lexer, OE__TOKEN_WORD, size, out);
}

enum oe__token_kind oe__lexer_take_sign(struct oe__lexer *lexer, struct oe__token *out)
{
	char c = lexer->at[0];

	if (c == '.' && is_digit(oe__lexer_peek(lexer, 1)))
		return oe__lexer_take_word(lexer, out);
	if ((unsigned char)c < ' ' || c == 0x7f)
		return OE__TOKEN_DOUBT;
	return oe__lexer_take(lexer, OE__TOKEN_SIGN, 1, out);
}

/* ---- life ---- */

void oe__lexer_init(struct oe__lexer *lexer, const struct oe__syntax *syntax, oe_bytes text)
{
	*lexer = (struct oe__lexer){ .syntax = syntax,
								 .begin = text.data,
								 .at = text.data,
								 .end = (const char *)text.data + text.size,
								 .line_begins = true };
}

enum oe__token_kind oe__lexer_next(struct oe__lexer *lexer, struct oe__token *out)
{
	*out = (struct oe__token){ .kind = OE__TOKEN_END, .text = lexer->at };
	out->kind = lexer->syntax->next(lexer, out);
	return out->kind;
}
