/*
 * The terminal: size, colour, and cleaning of what is printed there.
 */

#include "terminal.h"

#include <langinfo.h>
#include <locale.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

static enum { AUTO_COLOUR, ALWAYS, NEVER } colour_mode = AUTO_COLOUR;
static bool unicode;

static bool environment(const char *name)
{
	const char *value = getenv(name);

	return value && *value;
}

void terminal_start(void)
{
	/* Only the character set: numbers are written with a point everywhere. */
	setlocale(LC_CTYPE, "");
	unicode = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	const char *force = environment("FORCE_COLOR") ? getenv("FORCE_COLOR")
						: environment("CLICOLOR_FORCE") ? getenv("CLICOLOR_FORCE")
														: "0";
	if (strcmp(force, "0") != 0)
		colour_mode = ALWAYS;
	if (environment("NO_COLOR"))
		colour_mode = NEVER;
}

void terminal_set_colour(const char *mode)
{
	if (strcmp(mode, "always") == 0)
		colour_mode = ALWAYS;
	else if (strcmp(mode, "never") == 0)
		colour_mode = NEVER;
}

bool terminal_is(FILE *stream)
{
	return isatty(fileno(stream));
}

bool terminal_colours(FILE *stream)
{
	if (colour_mode != AUTO_COLOUR)
		return colour_mode == ALWAYS;
	const char *term = getenv("TERM");
	return terminal_is(stream) && term && strcmp(term, "dumb") != 0;
}

bool terminal_unicode(void)
{
	return unicode;
}

bool terminal_size(FILE *stream, size_t *columns, size_t *rows)
{
	struct winsize size;
	bool known = ioctl(fileno(stream), TIOCGWINSZ, &size) == 0 && size.ws_col && size.ws_row;

	*columns = known ? size.ws_col : 80;
	*rows = known ? size.ws_row : 24;
	return known;
}

/* Decode one code point; 0 if there is no valid UTF-8 at `s`, else its length in bytes. */
static size_t decode(const unsigned char *s, size_t size, uint32_t *out)
{
	static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t length = s[0] < 0x80 ? 1
					: s[0] >= 0xc2 && s[0] < 0xe0 ? 2
					: s[0] >= 0xe0 && s[0] < 0xf0 ? 3
					: s[0] >= 0xf0 && s[0] < 0xf5 ? 4
												  : 0;
	if (length == 0 || length > size)
		return 0;
	uint32_t code = length == 1 ? s[0] : s[0] & (0x7fu >> length);
	for (size_t i = 1; i < length; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (s[i] & 0x3f);
	}
	if (code < smallest[length] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
		return 0;
	*out = code;
	return length;
}

/* Characters that act instead of being seen: they could hide what a program does. */
static bool is_control(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x061c ||
		   (code >= 0x200b && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e) ||
		   (code >= 0x2060 && code <= 0x206f) || code == 0xfeff ||
		   (code >= 0xfff9 && code <= 0xfffb) || (code >= 0xe0000 && code <= 0xe0fff);
}

void terminal_clean(struct text *text, const void *data, size_t size, bool lines)
{
	const unsigned char *s = data;

	for (size_t i = 0; i < size;) {
		uint32_t code = 0;
		size_t length = decode(s + i, size - i, &code);
		if (length == 0) {
			text_format(text, "\\x%02x", s[i]);
			i++;
			continue;
		}
		if (lines && (code == '\n' || code == '\t'))
			text_add_char(text, (char)code);
		else if (code == '\n' && !lines)
			text_add(text, "\\n");
		else if (code == '\t' && !lines)
			text_add_char(text, ' ');
		else if (is_control(code))
			text_format(text, code < 0x100 ? "\\x%02x" : "\\u%04x", (unsigned)code);
		else if (code >= 0x80 && !unicode)
			text_add_char(text, '?');
		else
			text_add_bytes(text, s + i, length);
		i += length;
	}
}

void terminal_clean_line(struct text *text, const char *string)
{
	terminal_clean(text, string, strlen(string), false);
}

/* Length of the ESC[...m sequence at `s`, or 0. */
static size_t sequence(const char *s)
{
	if (s[0] != '\x1b' || s[1] != '[')
		return 0;
	return 2 + strspn(s + 2, "0123456789;") + 1;
}

static size_t columns_of(const char *s, size_t size, size_t *length)
{
	uint32_t code = 0;
	*length = decode((const unsigned char *)s, size, &code);

	if (*length <= 1) {
		*length = 1;
		return 1;
	}
	int width = wcwidth((wchar_t)code);
	return width < 0 ? 1 : (size_t)width;
}

size_t terminal_width(const char *string)
{
	size_t width = 0;

	for (size_t left = strlen(string), length; left; string += length, left -= length) {
		length = sequence(string);
		if (length == 0)
			width += columns_of(string, left, &length);
		if (length > left)
			break;
	}
	return width;
}

void terminal_fit(struct text *text, const char *string, size_t columns)
{
	const char *dots = unicode ? "…" : "~";
	size_t room = terminal_width(string) <= columns ? columns : columns ? columns - 1 : 0;
	size_t used = 0;
	bool cut = false;

	for (size_t left = strlen(string), length; left; string += length, left -= length) {
		length = sequence(string);
		if (length > left)
			break;
		if (length > 0) {
			text_add_bytes(text, string, length); /* the colour must end also when text is cut */
			continue;
		}
		size_t width = columns_of(string, left, &length);
		if (cut || used + width > room) {
			if (!cut && columns)
				text_add(text, dots);
			cut = true;
			continue;
		}
		text_add_bytes(text, string, length);
		used += width;
	}
}

void terminal_print(FILE *stream, const void *data, size_t size)
{
	if (!terminal_is(stream)) {
		fwrite(data, 1, size, stream);
		return;
	}
	AUTO(text) struct text clean = TEXT_INIT;
	terminal_clean(&clean, data, size, true);
	fwrite(text_string(&clean), 1, clean.size, stream);
}

void terminal_print_line(const char *string)
{
	terminal_print(stdout, string, strlen(string));
	putchar('\n');
}

const char *terminal_colour(FILE *stream, enum terminal_colour colour)
{
	static const char *const codes[] = { "\x1b[0m",  "\x1b[32m", "\x1b[31m",
										 "\x1b[33m", "\x1b[2m",  "\x1b[1m" };

	return terminal_colours(stream) ? codes[colour] : "";
}
