#ifndef OE__PROGRAM_TOKEN_H
#define OE__PROGRAM_TOKEN_H

/*
 * The tokens of a program: its text without comments, and without white space that means nothing.
 *
 * Two programs with the same tokens do the same. The reverse is not promised: what cannot be told apart
 * with certainty stays as it is written, and where a text leaves any doubt about where a comment or a
 * string ends, there are no tokens at all. Pure; any thread.
 *
 *     token.c         white space, words, signs, what every language has
 *     token_text.c    strings: how far they go
 *     token_python.c  lines and indentation
 *     token_braces.c  C and its relatives, Java, Go, Rust, JavaScript
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "openevolve/common.h"

enum oe__token_kind {
	OE__TOKEN_END,
	OE__TOKEN_DOUBT,  /* the text cannot be told by its tokens                         */
	OE__TOKEN_WORD,   /* names and numbers                                             */
	OE__TOKEN_TEXT,   /* strings, characters, patterns: byte for byte                  */
	OE__TOKEN_SIGN,   /* one character                                                 */
	OE__TOKEN_KEPT,   /* a line of the preprocessor, or a comment that means something */
	OE__TOKEN_LINE,   /* a line ends, where that matters                               */
	OE__TOKEN_INDENT, /* Python's                                                      */
	OE__TOKEN_DEDENT
};

struct oe__token {
	enum oe__token_kind kind;
	const char *text;
	size_t size;
	bool glued; /* to the token before, which matters here */
};

/* What a language is like. The first byte of a family is its number in forms that are kept. */
struct oe__syntax;

#define OE__PYTHON_INDENTS_MAX 100 /* Python's own limit */
#define OE__PARENTHESES_MAX    256 /* of JavaScript; deeper ones leave doubts */

struct oe__lexer {
	const struct oe__syntax *syntax;
	const char *begin, *at, *end;
	struct oe__token last; /* the token before; END: there is none */
	struct oe__token word; /* the one before that, likewise        */
	bool line_begins;      /* nothing but white space and comments since the last line end */
	bool line_ended;       /* since the last token                                         */

	/* Python */
	size_t depth; /* of brackets */
	size_t indents[OE__PYTHON_INDENTS_MAX], indent_count, dedents;
	bool tabs, blanks; /* what lines begin with */

	/* JavaScript */
	uint8_t parentheses[OE__PARENTHESES_MAX];
	size_t parenthesis_count;
	uint8_t closed; /* of the last ")": what its "(" followed */
};

/* NULL: programs in it have no tokens for us. Accepts NULL. */
const struct oe__syntax *oe__syntax_of(const char *language);
int oe__syntax_number(const struct oe__syntax *syntax); /* from 1 */

void oe__lexer_init(struct oe__lexer *lexer, const struct oe__syntax *syntax, oe_bytes text);
enum oe__token_kind oe__lexer_next(struct oe__lexer *lexer, struct oe__token *out);

/* ---- between the files of lexers ---- */

enum oe__quotes { OE__QUOTES_PLAIN, OE__QUOTES_LINES, OE__QUOTES_RUST };

typedef char oe__word[20];

/* An empty word ends a list. */
struct oe__syntax {
	oe__word languages[4];  /* by their names                                  */
	oe__word telltales[16]; /* of programs that look at their own text or lines */
	oe__word directives[6]; /* how comments begin that mean something          */
	enum oe__token_kind (*next)(struct oe__lexer *lexer, struct oe__token *out);
	bool nested;       /* comments                                */
	bool lines;        /* ends of lines may end statements        */
	bool preprocessor;
	bool raw_strings;  /* R"(...)" of C++                         */
	bool escapes;      /* \u anywhere, before anything else: Java */
	bool rust, go, script;
	bool reject_raw;   /* may or may not have R"(...)": C         */
};

static inline size_t oe__lexer_left(const struct oe__lexer *lexer)
{
	return (size_t)(lexer->end - lexer->at);
}

/* The character `ahead` of the next one; 0 behind the end. */
static inline char oe__lexer_peek(const struct oe__lexer *lexer, size_t ahead)
{
	return ahead < oe__lexer_left(lexer) ? lexer->at[ahead] : '\0';
}

static inline bool oe__is_word_character(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
		   (unsigned char)c >= 0x80;
}

bool oe__lexer_sees(const struct oe__lexer *lexer, const char *text);
size_t oe__lexer_line_end(const struct oe__lexer *lexer); /* its bytes, 0: none is here */

/* The next `size` bytes as a token; what is to be known of it as the one before. */
enum oe__token_kind oe__lexer_take(struct oe__lexer *lexer, enum oe__token_kind kind, size_t size,
								   struct oe__token *out);
enum oe__token_kind oe__lexer_take_word(struct oe__lexer *lexer, struct oe__token *out);
enum oe__token_kind oe__lexer_take_sign(struct oe__lexer *lexer, struct oe__token *out);

/* A comment from here on, of that size: to be kept? */
bool oe__comment_means_something(const struct oe__lexer *lexer, size_t size);
/* Bytes of a comment up to the end of its line, without it. */
size_t oe__line_comment(const struct oe__lexer *lexer);

/* Bytes of a string that begins `prefix` bytes from here, its quotes included; 0: doubt. */
size_t oe__quoted(const struct oe__lexer *lexer, size_t prefix, bool lines);
size_t oe__python_string(const struct oe__lexer *lexer, size_t prefix);
size_t oe__cpp_raw_string(const struct oe__lexer *lexer, size_t prefix);
size_t oe__rust_raw_string(const struct oe__lexer *lexer, size_t prefix);
size_t oe__rust_character(const struct oe__lexer *lexer); /* 0 too if it is a lifetime */
size_t oe__text_block(const struct oe__lexer *lexer);
size_t oe__go_raw_string(const struct oe__lexer *lexer);
size_t oe__script_template(const struct oe__lexer *lexer);
size_t oe__script_pattern(const struct oe__lexer *lexer);

enum oe__token_kind oe__python_next(struct oe__lexer *lexer, struct oe__token *out);
enum oe__token_kind oe__braces_next(struct oe__lexer *lexer, struct oe__token *out);

#endif /* OE__PROGRAM_TOKEN_H */
