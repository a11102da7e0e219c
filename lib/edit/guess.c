/*
 * The language of a program that nobody named. See guess.h and oe_language_guess().
 */

#include "edit/guess.h"

#include <stdbool.h>
#include <string.h>

#include "edit/ends.h"
#include "openevolve/edit.h"
#include "program/language.h"

/* What lines begin with, in the order in which OpenEvolve asks (extract_code_language). */
struct opening {
	const char *language;
	const char *text;
	bool space; /* white space must follow */
};

static const struct opening openings[] = {
	{ "python", "import", true },
	{ "python", "from", true },
	{ "python", "def", true },
	{ "python", "class", true },
	{ "java", "package", false },
	{ "java", "import java", false },
	{ "java", "public class", false },
	{ "cpp", "#include", false },
	{ "cpp", "int main", false },
	{ "cpp", "void main", false },
	{ "javascript", "function", false },
	{ "javascript", "var", false },
	{ "javascript", "let", false },
	{ "javascript", "const", false },
	{ "javascript", "console.log", false },
	{ "rust", "module", false },
	{ "rust", "fn", false },
	{ "rust", "let mut", false },
	{ "rust", "impl", false },
	{ "sql", "SELECT", false },
	{ "sql", "CREATE TABLE", false },
	{ "sql", "INSERT INTO", false },
};

static bool opens_with(const char *line, const char *end, const struct opening *opening)
{
	size_t size = strlen(opening->text);
	size_t left = (size_t)(end - line);

	if (left < size || memcmp(line, opening->text, size) != 0)
		return false;
	return !opening->space || oe__space_before(line + size, left - size) > 0;
}

const char *oe__language_of_code(oe_bytes code)
{
	const char *line = code.data;
	const char *end = line + code.size;
	size_t best = OE__COUNT(openings);

	while (line < end && best > 0) {
		for (size_t i = 0; i < best; i++)
			if (opens_with(line, end, &openings[i]))
				best = i;
		const char *lf = memchr(line, '\n', (size_t)(end - line));
		line = lf ? lf + 1 : end;
	}
	return best < OE__COUNT(openings) ? openings[best].language : "unknown";
}

const char *oe_language_guess(const char *path, const char *code, size_t size)
{
	const char *language = path ? oe__language_of_path(path) : NULL;

	return language ? language
					: oe__language_of_code((oe_bytes){ code ? code : "", code ? size : 0 });
}
