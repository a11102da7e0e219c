/*
 * Templates: taking them apart, as Python's str.format() reads them.
 */

#include "prompt/template.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/text.h"
#include "prompt/template_internal.h"

/* str.format() fills in a specification's own places, but not the specifications of those. */
#define NESTING_MAX 1

struct parser {
	struct oe__template *template;
	const struct oe__template_kind *kind;
	const char *text;
	size_t size, at;
	int nesting;
	oe_error *err;
};

int oe__template_fail(const struct oe__template *template, size_t offset, oe_error *err,
					  const char *why)
{
	int line = 1;
	size_t start = 0;

	for (size_t i = 0; i < offset && i < template->source_size; i++) {
		if (template->source[i] == '\n') {
			line++;
			start = i + 1;
		}
	}
	size_t column = oe__utf8_length(template->source + start, offset - start) + 1;
	return oe__error_at(err, OE_ERR_CONFIG, template->where, line, (int)column, "%s", why);
}

static int fail(const struct parser *parser, size_t offset, const char *why)
{
	return oe__template_fail(parser->template, offset, parser->err, why);
}

static struct oe__segment *add_segment(struct oe__template *template)
{
	void *segments = template->segments;

	if (oe__grow(&segments, &template->capacity, template->count + 1, sizeof(struct oe__segment)) <
		0)
		return NULL;
	template->segments = segments;
	struct oe__segment *segment = &template->segments[template->count++];
	*segment = (struct oe__segment){ .place = -1 };
	return segment;
}

static int add_literal(struct oe__template *template, const char *text, size_t size)
{
	if (size == 0)
		return 0;
	struct oe__segment *segment = add_segment(template);
	if (!segment)
		return OE_ERR_NOMEM;
	segment->kind = OE__SEGMENT_LITERAL;
	segment->text = (oe_bytes){ text, size };
	return 0;
}

static int place_of(const struct oe__template_kind *kind, oe_bytes name)
{
	for (size_t i = 0; i < kind->count; i++)
		if (strlen(kind->names[i]) == name.size && memcmp(kind->names[i], name.data, name.size) == 0)
			return (int)i;
	return -1;
}

/* ---- fields ---- */

/* The end of a field's name: the first of } : ! outside of brackets. */
static int find_name_end(struct parser *parser, size_t open)
{
	for (; parser->at < parser->size; parser->at++) {
		char c = parser->text[parser->at];

		if (c == '{')
			return fail(parser, parser->at, "unexpected '{' in the name of a place");
		if (c == '}' || c == ':' || c == '!')
			return 0;
		if (c == '[') {
			const char *close =
				memchr(parser->text + parser->at, ']', parser->size - parser->at);
			if (!close)
				break;
			parser->at = (size_t)(close - parser->text);
		}
	}
	return fail(parser, open, "'{' without '}'; a plain brace is written '{{'");
}

static bool is_number(oe_bytes text)
{
	const char *c = text.data;

	for (size_t i = 0; i < text.size; i++)
		if (c[i] < '0' || c[i] > '9')
			return false;
	return true;
}

/* What follows the name: only indexes, each in brackets. */
static int check_path(struct parser *parser, oe_bytes path)
{
	const char *c = path.data, *end = c + path.size;

	while (c < end) {
		if (*c != '[')
			return fail(parser, (size_t)(c - parser->text), "values have no attributes");
		const char *close = memchr(c, ']', (size_t)(end - c));
		if (!close || close == c + 1)
			return fail(parser, (size_t)(c - parser->text), "expected an index and ']'");
		c = close + 1;
		if (c < end && *c != '[' && *c != '.')
			return fail(parser, (size_t)(c - parser->text), "expected '[' or the end after ']'");
	}
	return 0;
}

static int read_name(struct parser *parser, struct oe__segment *field, size_t open)
{
	const char *start = parser->text + parser->at;
	int status = find_name_end(parser, open);

	if (status < 0)
		return status;
	const char *end = parser->text + parser->at, *name_end = start;
	while (name_end < end && *name_end != '.' && *name_end != '[')
		name_end++;
	field->text = (oe_bytes){ start, (size_t)(name_end - start) };
	field->path = (oe_bytes){ name_end, (size_t)(end - name_end) };
	if (is_number(field->text))
		return fail(parser, open, "places have names; a plain brace is written '{{'");
	field->place = place_of(parser->kind, field->text);
	return check_path(parser, field->path);
}

static int read_conversion(struct parser *parser, struct oe__segment *field, size_t open)
{
	if (parser->at >= parser->size || parser->text[parser->at] != '!')
		return 0;
	if (parser->at + 2 >= parser->size)
		return fail(parser, open, "'{' without '}'");
	field->conversion = parser->text[parser->at + 1];
	parser->at += 2;
	if (field->conversion != 'r' && field->conversion != 's' && field->conversion != 'a')
		return fail(parser, parser->at - 1, "unknown conversion, expected !r, !s or !a");
	if (parser->text[parser->at] != ':' && parser->text[parser->at] != '}')
		return fail(parser, parser->at, "expected ':' or '}' after the conversion");
	return 0;
}

static int compile(const char *text, size_t size, const struct oe__template_kind *kind,
				   const char *where, int nesting, struct oe__template **out, oe_error *err);

/* From the colon to the brace that closes the field. */
static int read_spec(struct parser *parser, struct oe__segment *field, size_t open)
{
	int depth = 1;
	bool nested = false;
	size_t start = ++parser->at;

	for (; parser->at < parser->size; parser->at++) {
		char c = parser->text[parser->at];

		nested = nested || c == '{';
		depth += c == '{' ? 1 : c == '}' ? -1 : 0;
		if (depth == 0)
			break;
	}
	if (depth > 0)
		return fail(parser, open, "'{' without '}'");
	field->spec = (oe_bytes){ parser->text + start, parser->at - start };
	if (!nested)
		return 0;
	if (parser->nesting >= NESTING_MAX)
		return fail(parser, open, "places are nested too deeply");
	oe_error inner = { 0 };
	int status = compile(parser->text + start, field->spec.size, parser->kind,
						 parser->template->where, parser->nesting + 1, &field->nested, &inner);
	return status == OE_ERR_CONFIG ? fail(parser, open, inner.message) : status;
}

static int read_field(struct parser *parser)
{
	size_t open = parser->at++;
	struct oe__segment field = { .kind = OE__SEGMENT_FIELD, .offset = open };
	int status = read_name(parser, &field, open);

	if (status == 0)
		status = read_conversion(parser, &field, open);
	if (status == 0 && parser->text[parser->at] == ':')
		status = read_spec(parser, &field, open);
	if (status < 0)
		return status;
	parser->at++;
	struct oe__segment *segment = add_segment(parser->template);
	if (!segment) {
		oe__template_free(field.nested);
		return OE_ERR_NOMEM;
	}
	*segment = field;
	return 0;
}

static int parse(struct parser *parser)
{
	size_t start = 0;
	int status = 0;

	while (parser->at < parser->size && status == 0) {
		size_t at = parser->at;
		char c = parser->text[at];

		if (c != '{' && c != '}') {
			parser->at++;
			continue;
		}
		bool doubled = at + 1 < parser->size && parser->text[at + 1] == c;
		if (c == '}' && !doubled)
			return fail(parser, at, "'}' without '{'; a plain brace is written '}}'");
		status = add_literal(parser->template, parser->text + start, at - start + doubled);
		if (status == 0 && !doubled)
			status = read_field(parser);
		else
			parser->at = at + 2;
		start = parser->at;
	}
	if (status == 0)
		status = add_literal(parser->template, parser->text + start, parser->size - start);
	return status;
}

/* ---- fences ---- */

struct fence {
	size_t segment, at, ticks;
	int place;
};

static size_t count_ticks(const char *text, size_t size)
{
	size_t count = 0;

	while (count < size && text[count] == '`')
		count++;
	return count;
}

/* A line of backticks right behind segment `field`. */
static bool find_close(const struct oe__template *template, size_t field, struct fence *out)
{
	if (field + 1 >= template->count || template->segments[field + 1].kind != OE__SEGMENT_LITERAL)
		return false;
	oe_bytes text = template->segments[field + 1].text;
	const char *c = text.data;
	if (text.size < 4 || c[0] != '\n')
		return false;
	size_t ticks = count_ticks(c + 1, text.size - 1), end = ticks + 1;
	bool last = field + 2 == template->count;
	*out = (struct fence){ field + 1, 1, ticks, template->segments[field].place };
	return ticks >= 3 && (end < text.size ? c[end] == '\n' : last);
}

/* Backticks, and perhaps the language, on the line before segment `field`. */
static bool find_open(const struct oe__template *template, size_t field, struct fence *out)
{
	size_t at = field - 1;

	if (field == 0 || template->segments[at].kind != OE__SEGMENT_LITERAL)
		return false;
	const char *c = template->segments[at].text.data;
	size_t size = template->segments[at].text.size;
	if (size == 0 || c[size - 1] != '\n')
		return false;
	size--;
	if (size == 0) { /* ```{language} */
		if (at < 2 || template->segments[at - 1].kind != OE__SEGMENT_FIELD ||
			template->segments[at - 2].kind != OE__SEGMENT_LITERAL)
			return false;
		at -= 2;
		c = template->segments[at].text.data;
		size = template->segments[at].text.size;
	}
	size_t line = size;
	while (line > 0 && c[line - 1] != '\n')
		line--;
	size_t ticks = count_ticks(c + line, size - line);
	*out = (struct fence){ at, line, ticks, template->segments[field].place };
	return ticks >= 3 && !memchr(c + line + ticks, '`', size - line - ticks) &&
		   (line > 0 || at == 0);
}

/* Cut the fence out of its literal; the segments behind move by two. */
static int split_at(struct oe__template *template, const struct fence *fence)
{
	if (!add_segment(template) || !add_segment(template))
		return OE_ERR_NOMEM;
	struct oe__segment *whole = &template->segments[fence->segment];
	memmove(whole + 3, whole + 1, (template->count - fence->segment - 3) * sizeof(*whole));
	const char *c = whole->text.data;
	size_t behind = fence->at + fence->ticks;
	whole[1] = (struct oe__segment){ .kind = OE__SEGMENT_FENCE,
									 .place = fence->place,
									 .text = { c + fence->at, fence->ticks } };
	whole[2] = (struct oe__segment){ .kind = OE__SEGMENT_LITERAL,
									 .place = -1,
									 .text = { c + behind, whole->text.size - behind } };
	whole->text.size = fence->at;
	return 0;
}

static int mark_fences(struct oe__template *template)
{
	struct fence open, close;

	for (size_t i = 0; i < template->count; i++) {
		const struct oe__segment *field = &template->segments[i];

		if (field->kind != OE__SEGMENT_FIELD || field->place < 0 || field->conversion ||
			field->spec.size > 0 || field->path.size > 0)
			continue;
		if (!find_close(template, i, &close) || !find_open(template, i, &open) ||
			open.ticks > close.ticks)
			continue;
		int status = split_at(template, &close);
		if (status == 0)
			status = split_at(template, &open);
		if (status < 0)
			return status;
		i += 2; /* where the field is now */
	}
	return 0;
}

/* ---- making ---- */

static int compile(const char *text, size_t size, const struct oe__template_kind *kind,
				   const char *where, int nesting, struct oe__template **out, oe_error *err)
{
	OE__AUTO(template) struct oe__template *template = oe__calloc(1, sizeof(*template));

	if (!template)
		return oe__error_nomem(err);
	template->where = oe__strdup(where);
	template->source = oe__strndup(text, size);
	if (!template->where || !template->source)
		return oe__error_nomem(err);
	template->source_size = size;

	struct parser parser = { .template = template,
							 .kind = kind,
							 .text = template->source,
							 .size = size,
							 .nesting = nesting,
							 .err = err };
	int status = parse(&parser);
	if (status == 0)
		status = mark_fences(template);
	if (status < 0)
		return status == OE_ERR_NOMEM ? oe__error_nomem(err) : status;
	*out = OE__STEAL(template);
	return 0;
}

int oe__template_compile(const char *text, size_t size, const struct oe__template_kind *kind,
						 const char *where, struct oe__template **out, oe_error *err)
{
	if (size > OE__TEMPLATE_MAX)
		return oe__error(err, OE_ERR_LIMIT, "'%s' is larger than %zu bytes", where,
						 OE__TEMPLATE_MAX);
	return compile(text, size, kind, where, 0, out, err);
}

void oe__template_free(struct oe__template *template)
{
	if (!template)
		return;
	/* A specification is nested NESTING_MAX deep at most. */
	for (size_t i = 0; i < template->count; i++)
		oe__template_free(template->segments[i].nested);
	oe__free(template->segments);
	oe__free(template->source);
	oe__free(template->where);
	oe__free(template);
}

bool oe__template_uses(const struct oe__template *template, size_t place)
{
	for (size_t i = 0; i < template->count; i++)
		if (template->segments[i].kind == OE__SEGMENT_FIELD &&
			template->segments[i].place == (int)place)
			return true;
	return false;
}
