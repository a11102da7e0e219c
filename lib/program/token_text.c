/* How far strings go, in each language. Each function says 0 where that is not certain. See token.h. */

#include <string.h>

#include "program/token.h"

size_t oe__quoted(const struct oe__lexer *lexer, size_t prefix, bool lines)
{
	size_t left = oe__lexer_left(lexer), size = prefix + 1;
	const char *at = lexer->at;
	char quote = at[prefix];

	for (; size < left; size++) {
		if (at[size] == quote)
			return size + 1;
		if (at[size] == '\\') {
			/* The end of a line that it takes away has two bytes with CR. */
			size += size + 2 < left && at[size + 1] == '\r' && at[size + 2] == '\n' ? 2 : 1;
		} else if (at[size] == '\n' && !lines) {
			return 0;
		}
	}
	return 0;
}

/* Bytes up to the next `what`, that included; 0: it never comes. `escapes`: not after `\`. */
static size_t reach(const struct oe__lexer *lexer, size_t from, const char *what, size_t what_size,
					bool escapes)
{
	size_t left = oe__lexer_left(lexer);

	for (size_t i = from; i + what_size <= left; i++) {
		if (escapes && lexer->at[i] == '\\')
			i++;
		else if (memcmp(lexer->at + i, what, what_size) == 0)
			return i + what_size;
	}
	return 0;
}

/* ---- Python ---- */

/* Since 3.12 what is between braces is read like code, quotes of the string's own included; before, the
   first such quote ended it. So it must not occur there, and other quotes have to come in pairs. */
static size_t formatted(const struct oe__lexer *lexer, size_t prefix, size_t quotes)
{
	size_t left = oe__lexer_left(lexer), depth = 0;
	const char *at = lexer->at;
	char quote = at[prefix];

	for (size_t i = prefix + quotes; i < left; i++) {
		bool doubled = i + 1 < left && at[i + 1] == at[i];
		if (at[i] == '\\' || (at[i] == '{' && doubled && depth == 0)) {
			if (depth > 0)
				return 0;
			/* An escape, but not of a brace: a field begins there all the same. */
			i += at[i] == '{' || (i + 1 < left && at[i + 1] != '{' && at[i + 1] != '}');
		} else if (at[i] == '{') {
			depth++;
		} else if (at[i] == '}' && depth > 0) {
			depth--;
		} else if (at[i] == quote && depth > 0) {
			return 0;
		} else if (at[i] == quote && (quotes == 1 || (doubled && i + 2 < left && at[i + 2] == quote))) {
			return i + quotes;
		} else if ((at[i] == '\n' && quotes == 1) || (at[i] == '#' && depth > 0 && quotes == 3)) {
			return 0;
		} else if ((at[i] == '"' || at[i] == '\'') && at[i] != quote && depth > 0) {
			/* A string within: up to its end, which comes before the end of the line. */
			const char *line = memchr(at + i, '\n', left - i);
			size_t end = line ? (size_t)(line - at) : left;
			const char *other = memchr(at + i + 1, at[i], end - i - 1);
			if (doubled || !other || memchr(at + i, quote, (size_t)(other - at) - i) ||
				memchr(at + i, '\\', (size_t)(other - at) - i))
				return 0;
			i = (size_t)(other - at);
		}
	}
	return 0;
}

size_t oe__python_string(const struct oe__lexer *lexer, size_t prefix)
{
	char quote = lexer->at[prefix];
	const char three[] = { quote, quote, quote };
	bool triple = oe__lexer_peek(lexer, prefix + 1) == quote &&
				  oe__lexer_peek(lexer, prefix + 2) == quote;
	bool fields = false;

	for (size_t i = 0; i < prefix; i++)
		fields |= strchr("fFtT", lexer->at[i]) != NULL;
	if (fields)
		return formatted(lexer, prefix, triple ? 3 : 1);
	return triple ? reach(lexer, prefix + 3, three, 3, true) : oe__quoted(lexer, prefix, false);
}

/* ---- C++ ---- */

/* R"delimiter( ... )delimiter" */
size_t oe__cpp_raw_string(const struct oe__lexer *lexer, size_t prefix)
{
	char end[18];
	size_t size = 0;

	while (size <= 16 && oe__lexer_peek(lexer, prefix + 1 + size) != '(') {
		char c = oe__lexer_peek(lexer, prefix + 1 + size);
		if (c == '\0' || size == 16 || strchr(" )\\\t\v\f\r\n\"", c))
			return 0;
		end[1 + size++] = c;
	}
	end[0] = ')';
	end[1 + size] = '"';
	return reach(lexer, prefix + 2 + size, end, 2 + size, false);
}

/* ---- Rust ---- */

/* r#"..."#, with any number of #; `prefix` is that of the letters. */
size_t oe__rust_raw_string(const struct oe__lexer *lexer, size_t prefix)
{
	size_t hashes = 0, left = oe__lexer_left(lexer);

	while (oe__lexer_peek(lexer, prefix + hashes) == '#')
		hashes++;
	if (oe__lexer_peek(lexer, prefix + hashes) != '"')
		return 0;
	for (size_t i = prefix + hashes + 1; i + hashes < left; i++) {
		size_t found = 0;
		while (lexer->at[i] == '"' && found < hashes && lexer->at[i + 1 + found] == '#')
			found++;
		if (lexer->at[i] == '"' && found == hashes)
			return i + 1 + hashes;
	}
	return 0;
}

/* 'x' and '\n', but not 'lifetime. */
size_t oe__rust_character(const struct oe__lexer *lexer)
{
	size_t size = 2;

	if (oe__lexer_peek(lexer, 1) == '\\')
		return oe__quoted(lexer, 0, false);
	/* The bytes of one code point. */
	while (((unsigned char)oe__lexer_peek(lexer, size) & 0xc0) == 0x80)
		size++;
	return oe__lexer_peek(lexer, size) == '\'' ? size + 1 : 0;
}

/* ---- Java, Go ---- */

size_t oe__text_block(const struct oe__lexer *lexer)
{
	return reach(lexer, 3, "\"\"\"", 3, true);
}

size_t oe__go_raw_string(const struct oe__lexer *lexer)
{
	return reach(lexer, 1, "`", 1, false);
}

/* ---- JavaScript ---- */

/* `...${...}...`: what is between braces is code, where no further string may begin. */
size_t oe__script_template(const struct oe__lexer *lexer)
{
	size_t left = oe__lexer_left(lexer), depth = 0;
	const char *at = lexer->at;

	for (size_t i = 1; i < left; i++) {
		if (depth == 0) {
			if (at[i] == '`')
				return i + 1;
			if (at[i] == '\\')
				i++;
			else if (at[i] == '$' && i + 1 < left && at[i + 1] == '{')
				depth = 1, i++;
		} else if (at[i] == '\0' || strchr("`'\"/\\", at[i])) {
			return 0;
		} else {
			depth = depth + (at[i] == '{') - (at[i] == '}');
		}
	}
	return 0;
}

/* /pattern/flags, in which [/] ends nothing. */
size_t oe__script_pattern(const struct oe__lexer *lexer)
{
	size_t left = oe__lexer_left(lexer), size = 1;
	bool list = false;

	for (; size < left && (lexer->at[size] != '/' || list); size++) {
		char c = lexer->at[size];
		if (c == '\n' || c == '\r')
			return 0;
		if (c == '\\')
			size++;
		if (c == '[' || c == ']')
			list = c == '[';
	}
	if (size >= left || memchr(lexer->at, '\n', size)) /* one that was escaped */
		return 0;
	for (size++; oe__is_word_character(oe__lexer_peek(lexer, size));)
		size++;
	return size;
}
