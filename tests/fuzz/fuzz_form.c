/*
 * Tokens of programs. Input: one byte for the language, the program. Tokens are pieces of the text, in their
 * order; what is written anew from them alone has the same tokens again; and each text is the same as itself,
 * unless it leaves doubts.
 */

#include <stdint.h>
#include <string.h>

#include "base/buffer.h"
#include "base/text.h"
#include "program/form.h"
#include "program/token.h"

#undef NDEBUG
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const languages[] = { "python", "c", "cpp", "java", "go", "rust", "javascript" };

/* Up to the end of a line. */
static bool is_line(const struct oe__token *token)
{
	return token->kind == OE__TOKEN_KEPT && (token->text[0] == '#' || token->text[1] == '/');
}

/* `apart`: what begins with # has a line of its own, as with preprocessors; in Python it only ends one. */
static void write_token(const struct oe__token *token, bool apart, size_t *depth, bool *begins,
						struct oe__buffer *out)
{
	*depth += token->kind == OE__TOKEN_INDENT;
	*depth -= token->kind == OE__TOKEN_DEDENT;
	if (token->size > 0) {
		if (out->size == 0 && token->kind == OE__TOKEN_SIGN && token->text[0] == '#')
			oe__buffer_text(out, "\n"); /* only the first line can be for an interpreter */
		if (*begins && token->kind != OE__TOKEN_KEPT)
			for (size_t i = 0; i < *depth; i++)
				oe__buffer_text(out, "\t");
		else if (apart && token->kind == OE__TOKEN_KEPT && token->text[0] == '#' &&
				 !token->glued && !*begins)
			oe__buffer_text(out, "\n");
		else if (!*begins && !token->glued)
			oe__buffer_text(out, " ");
		oe__buffer_append(out, token->text, token->size);
	}
	bool ends = (token->kind == OE__TOKEN_LINE && !*begins) || is_line(token);
	if (ends)
		oe__buffer_text(out, "\n");
	*begins = ends || (*begins && token->size == 0);
}

/* Written before the end of a line, it would be part of that. */
static bool has_lone_return(oe_bytes text)
{
	const char *at = text.data;

	for (size_t i = 0; i < text.size; i++)
		if (at[i] == '\r' && (i + 1 == text.size || at[i + 1] != '\n'))
			return true;
	return false;
}

/* false: it leaves doubts. */
static bool rewrite(const char *language, oe_bytes text, struct oe__buffer *out)
{
	const char *at = text.data;
	struct oe__lexer lexer;
	struct oe__token token;
	size_t depth = 0;
	bool begins = true;

	oe__lexer_init(&lexer, oe__syntax_of(language), text);
	while (oe__lexer_next(&lexer, &token) != OE__TOKEN_END) {
		if (token.kind == OE__TOKEN_DOUBT)
			return false;
		assert(token.text >= at && token.text + token.size <= lexer.end);
		at = token.text + token.size;
		write_token(&token, strcmp(language, "python") != 0, &depth, &begins, out);
	}
	assert(lexer.at == lexer.end);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	OE__AUTO(buffer) struct oe__buffer again = OE__BUFFER_INIT(0);
	OE__AUTO(program) oe_program *program = NULL, *other = NULL;

	if (size < 1 || !oe__utf8_valid((const char *)data + 1, size - 1))
		return 0;
	const char *language = languages[data[0] % OE__COUNT(languages)];
	oe_bytes text = { data + 1, size - 1 };
	bool known = rewrite(language, text, &again);

	assert(again.status == 0 && oe_program_new(text.data, text.size, language, &program) == 0);
	assert(oe__form_same(program, program) == known && (oe__form(program) != 0) == known);
	if (!known || has_lone_return(text))
		return 0;
	assert(oe_program_new(again.data, again.size, language, &other) == 0);
	assert(oe__form_same(program, other) && oe__form(program) == oe__form(other));
	return 0;
}
