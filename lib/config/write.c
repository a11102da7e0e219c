/* A configuration as text, without secrets: what oe_config_get() and oe_config_text() give. */

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "config/config_internal.h"
#include "config/yaml_scalar.h"

/* ---- secrets ---- */

int oe__write_url(const char *url, struct oe__buffer *out)
{
	const char *start = strstr(url, "://");
	start = start ? start + 3 : url;
	size_t authority = strcspn(start, "/?#");
	const char *at = memrchr(start, '@', authority);

	if (!at)
		return oe__buffer_text(out, url);
	oe__buffer_append(out, url, (size_t)(start - url));
	oe__buffer_text(out, OE_HIDDEN);
	return oe__buffer_text(out, at);
}

/* Names of environment variables that usually hold secrets. */
static bool sounds_secret(const char *name)
{
	static const char *const parts[] = { "KEY", "TOKEN", "SECRET", "PASSW", "CREDENTIAL" };

	for (size_t i = 0; i < OE__COUNT(parts); i++)
		if (strcasestr(name, parts[i]))
			return true;
	return false;
}

static int hide_text(const struct oe__option *option, struct oe__value *value)
{
	OE__AUTO(buffer) struct oe__buffer url = OE__BUFFER_INIT(0);
	size_t size;

	if (value->type != OE__VALUE_STRING || oe__variable_in(value->string, &size))
		return 0;
	if (option->shown.flags & OE_OPTION_SECRET)
		return oe__value_set_string(value, OE_HIDDEN, strlen(OE_HIDDEN));
	if (strcmp(option->shown.name, "llm.api_base") != 0 &&
		strcmp(option->shown.name, "llm.proxy") != 0)
		return 0;
	int status = oe__write_url(value->string, &url);
	return status < 0 ? status : oe__value_set_string(value, oe__buffer_string(&url), url.size);
}

static int hide_in_map(const struct oe__option *option, struct oe__value *map)
{
	int status = 0;

	for (size_t i = 0; status == 0 && i < map->size; i++) {
		const char *key = map->keys[i].type == OE__VALUE_STRING ? map->keys[i].string : "";
		struct oe__value *item = &map->items[i];
		if (option->shown.type == OE_OPTION_MODELS) {
			const struct oe__option *of_key = oe__option_of_model(key);
			/* Nobody knows what an unknown key holds. */
			status = of_key ? hide_text(of_key, item)
							: oe__value_set_string(item, OE_HIDDEN, strlen(OE_HIDDEN));
		} else if (item->type == OE__VALUE_STRING && sounds_secret(key)) {
			status = oe__value_set_string(item, OE_HIDDEN, strlen(OE_HIDDEN));
		}
	}
	return status;
}

/* A copy that may be shown. */
static int hide(const struct oe__option *option, const struct oe__value *value,
				struct oe__value *out)
{
	int status = oe__value_copy(value, out);

	if (status < 0)
		return status;
	if (option->shown.type == OE_OPTION_MODELS) {
		for (size_t i = 0; status == 0 && i < out->size; i++)
			status = hide_in_map(option, &out->items[i]);
		return status;
	}
	if (out->type == OE__VALUE_MAP)
		return hide_in_map(option, out);
	return hide_text(option, out);
}

int oe__write_plain(const struct oe__option *option, const struct oe__value *value,
					struct oe__buffer *out)
{
	OE__AUTO(value) struct oe__value shown = { 0 };
	struct oe__json_writer json = { .out = out, .python = true };
	char number[OE__REAL_TEXT_MAX];

	if (hide(option, value, &shown) < 0)
		return OE_ERR_NOMEM;
	if (shown.type == OE__VALUE_STRING)
		return oe__buffer_text(out, shown.string);
	if (shown.type == OE__VALUE_REAL)
		return oe__buffer_append(out, number, oe__format_real(shown.real, number));
	oe__json_put(&json, &shown);
	return out->status;
}

/* ---- YAML ---- */

/* Text that needs no quotes anywhere, not even in a flow collection. */
static bool is_plain(const struct oe__value *value)
{
	const char *s = value->string;

	if (value->size == 0 || oe__yaml_resolve(s, value->size) != OE__YAML_STR)
		return false;
	for (size_t i = 0; i < value->size; i++) {
		bool word = (s[i] >= 'a' && s[i] <= 'z') || (s[i] >= 'A' && s[i] <= 'Z') || s[i] == '_' ||
					s[i] == '/' || s[i] == '.';
		bool inner = i > 0 && ((s[i] >= '0' && s[i] <= '9') || s[i] == '-' || s[i] == '+');
		bool blank = i > 0 && i + 1 < value->size && s[i] == ' ' && s[i + 1] != ' ';
		bool colon = i > 0 && s[i] == ':' && s[i + 1] == '/'; /* of a URL */
		if (!word && !inner && !blank && !colon)
			return false;
	}
	return true;
}

/* Characters that YAML does not take as they are, or takes for line ends. */
static bool needs_escape(uint32_t c)
{
	return (c < 0x20 && c != '\n' && c != '\t') || (c >= 0x7f && c < 0xa0) || c == 0x2028 ||
		   c == 0x2029 || c == 0xfeff || c == 0xfffe || c == 0xffff;
}

/* Several lines that a literal block can hold; line ends alone would be lost. */
static bool is_block(const struct oe__value *value)
{
	const char *s = value->string;
	size_t left = value->size;

	if (!memchr(s, '\n', value->size) || strspn(s, "\n") == value->size)
		return false;
	while (left > 0)
		if (needs_escape(oe__utf8_next(&s, &left)))
			return false;
	return true;
}

static void put_quoted(struct oe__buffer *out, const char *s, size_t size)
{
	oe__buffer_char(out, '"');
	while (size > 0) {
		const char *start = s;
		uint32_t c = oe__utf8_next(&s, &size);
		if (c == '"' || c == '\\')
			oe__buffer_printf(out, "\\%c", (char)c);
		else if (c == '\n' || c == '\t')
			oe__buffer_text(out, c == '\n' ? "\\n" : "\\t");
		else if (needs_escape(c))
			oe__buffer_printf(out, "\\u%04X", (unsigned)c);
		else
			oe__buffer_append(out, start, (size_t)(s - start));
	}
	oe__buffer_char(out, '"');
}

static void put_block(struct oe__buffer *out, const struct oe__value *value, int indent,
					  const char *comment)
{
	const char *s = value->string, *end = s + value->size;
	size_t trailing = 0;

	while (trailing < value->size && end[-1 - (ptrdiff_t)trailing] == '\n')
		trailing++;
	/* The indentation is stated: the first line may begin with blanks of its own. */
	oe__buffer_printf(out, "|2%s%s", trailing == 0 ? "-" : trailing == 1 ? "" : "+", comment);
	while (s < end) {
		const char *stop = memchr(s, '\n', (size_t)(end - s));
		stop = stop ? stop : end;
		oe__buffer_char(out, '\n');
		if (stop > s)
			oe__buffer_printf(out, "%*s", indent + 2, "");
		oe__buffer_append(out, s, (size_t)(stop - s));
		s = stop + 1;
	}
}

static void put_real(struct oe__buffer *out, double value)
{
	char text[OE__REAL_TEXT_MAX];
	size_t size = oe__format_real(value, text);
	const char *exponent = memchr(text, 'e', size);

	if (!isfinite(value)) {
		oe__buffer_text(out, isnan(value) ? ".nan" : value > 0 ? ".inf" : "-.inf");
	} else if (exponent && !memchr(text, '.', size)) { /* YAML 1.1 wants the dot */
		oe__buffer_append(out, text, (size_t)(exponent - text));
		oe__buffer_text(out, ".0");
		oe__buffer_text(out, exponent);
	} else {
		oe__buffer_append(out, text, size);
	}
}

static void put_flow(struct oe__buffer *out, const struct oe__value *value)
{
	switch (value->type) {
	case OE__VALUE_NULL:
		oe__buffer_text(out, "null");
		break;
	case OE__VALUE_BOOL:
		oe__buffer_text(out, value->boolean ? "true" : "false");
		break;
	case OE__VALUE_INT:
		oe__buffer_printf(out, "%lld", (long long)value->integer);
		break;
	case OE__VALUE_REAL:
		put_real(out, value->real);
		break;
	case OE__VALUE_STRING:
		if (is_plain(value))
			oe__buffer_text(out, value->string);
		else
			put_quoted(out, value->string, value->size);
		break;
	case OE__VALUE_LIST:
	case OE__VALUE_MAP:
		oe__buffer_char(out, value->type == OE__VALUE_LIST ? '[' : '{');
		for (size_t i = 0; i < value->size; i++) {
			oe__buffer_text(out, i > 0 ? ", " : "");
			if (value->keys) {
				put_flow(out, &value->keys[i]);
				oe__buffer_text(out, ": ");
			}
			put_flow(out, &value->items[i]);
		}
		oe__buffer_char(out, value->type == OE__VALUE_LIST ? ']' : '}');
		break;
	}
}

/* "key: value", with the entries of model lists on lines of their own. */
static void put_option(struct oe__buffer *out, const struct oe__option *option,
					   const struct oe__value *value, const char *comment)
{
	bool top = !strchr(option->shown.name, '.');
	int indent = top ? 0 : 2;

	oe__buffer_printf(out, "%*s%s: ", indent, "", oe__option_leaf(option->shown.name));
	if (value->type == OE__VALUE_STRING && is_block(value)) {
		put_block(out, value, indent, comment);
	} else if (option->shown.type == OE_OPTION_MODELS && value->size > 0) {
		oe__buffer_truncate(out, out->size - 1); /* no blank at the end of the line */
		oe__buffer_text(out, comment);
		for (size_t i = 0; i < value->size; i++) {
			oe__buffer_printf(out, "\n%*s- ", indent + 2, "");
			put_flow(out, &value->items[i]);
		}
	} else {
		put_flow(out, value);
		oe__buffer_text(out, comment);
	}
	oe__buffer_char(out, '\n');
}

/* ---- the whole configuration ---- */

static size_t section_size(const char *name)
{
	const char *dot = strchr(name, '.');
	return dot ? (size_t)(dot - name) : 0;
}

/* Whether two options are in the same section; options of a section stand together in the table. */
static bool same_section(const char *a, const char *b)
{
	return section_size(a) == section_size(b) && strncmp(a, b, section_size(a)) == 0;
}

static int write_yaml(const oe_config *config, int format, struct oe__buffer *out)
{
	const char *section = "";

	for (size_t i = 0; i < oe__option_count; i++) {
		const struct oe__option *option = &oe__options[i];
		const struct oe__setting *setting = &config->settings[i];
		OE__AUTO(value) struct oe__value shown = { 0 };
		OE__AUTO(buffer) struct oe__buffer comment = OE__BUFFER_INIT(0);
		if (option->shown.alias ||
			(format == OE_CONFIG_CHANGED && setting->origin == OE_ORIGIN_DEFAULT))
			continue;
		if (hide(option, &setting->value, &shown) < 0)
			return OE_ERR_NOMEM;
		if (format == OE_CONFIG_ORIGIN)
			oe__buffer_printf(&comment, "  # %s", setting->source);
		if (!same_section(option->shown.name, section))
			oe__buffer_printf(out, "%s%.*s:\n", out->size > 0 ? "\n" : "",
							  (int)section_size(option->shown.name), option->shown.name);
		section = option->shown.name;
		put_option(out, option, &shown, oe__buffer_string(&comment));
		if (comment.status < 0)
			return comment.status;
	}
	if (out->size == 0)
		oe__buffer_text(out, "{}\n");
	return out->status;
}

/* JSON is YAML but for these few characters, which only stand in its strings. */
static int put_escaped(struct oe__buffer *out, const struct oe__buffer *text)
{
	const char *s = oe__buffer_string(text);
	size_t left = text->size;

	while (left > 0) {
		const char *start = s;
		uint32_t c = oe__utf8_next(&s, &left);
		if (needs_escape(c))
			oe__buffer_printf(out, "\\u%04x", (unsigned)c);
		else
			oe__buffer_append(out, start, (size_t)(s - start));
	}
	return text->status < 0 ? text->status : out->status;
}

static int write_json(const oe_config *config, struct oe__buffer *out)
{
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);
	struct oe__json_writer json = { .out = &text, .indent = 2 };
	const char *section = "";

	oe__json_map(&json);
	for (size_t i = 0; i < oe__option_count; i++) {
		const struct oe__option *option = &oe__options[i];
		OE__AUTO(value) struct oe__value shown = { 0 };
		char name[32];
		if (option->shown.alias)
			continue;
		if (hide(option, &config->settings[i].value, &shown) < 0)
			return OE_ERR_NOMEM;
		if (!same_section(option->shown.name, section)) {
			if (section_size(section) > 0)
				oe__json_map_end(&json);
			assert(section_size(option->shown.name) < sizeof(name));
			memcpy(name, option->shown.name, section_size(option->shown.name));
			name[section_size(option->shown.name)] = '\0';
			oe__json_key(&json, name);
			oe__json_map(&json);
		}
		section = option->shown.name;
		oe__json_key(&json, oe__option_leaf(option->shown.name));
		oe__json_put(&json, &shown);
	}
	if (section_size(section) > 0)
		oe__json_map_end(&json);
	oe__json_map_end(&json);
	oe__buffer_char(&text, '\n');
	return put_escaped(out, &text);
}

int oe_config_text(oe_config *config, int format, const char **out)
{
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);
	int status;

	if (!config || !out || format < OE_CONFIG_YAML || format > OE_CONFIG_SCHEMA)
		return OE_ERR_INVALID;
	if (format == OE_CONFIG_SCHEMA)
		status = oe__write_schema(&text);
	else if (format == OE_CONFIG_JSON)
		status = write_json(config, &text);
	else
		status = write_yaml(config, format, &text);
	char *written = status == 0 ? oe__buffer_steal(&text, NULL) : NULL;
	if (!written)
		return OE_ERR_NOMEM;
	oe__free(config->written);
	config->written = written;
	*out = written;
	return 0;
}
