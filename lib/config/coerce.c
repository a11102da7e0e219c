/*
 * From what a file or a command line says to what an option wants. Called while loading and
 * setting, on the thread that does it.
 *
 * More forms are taken than OpenEvolve takes, but none that it reads differently: integral reals
 * for integers, 1e-3 (text for YAML 1.1) for reals, 0 and 1 for booleans, one item for a list of
 * one, "2h30m" for seconds.
 */

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/text.h"
#include "config/config_internal.h"
#include "config/pattern.h"
#include "config/yaml.h"
#include "config/yaml_scalar.h"

#define CHOICE_MAX 32 /* a word of the table's choices, with its end */

/* ---- messages ---- */

static void put_number(struct oe__buffer *out, double value)
{
	char text[OE__REAL_TEXT_MAX];
	size_t size = oe__format_real(value, text);

	if (oe__has_suffix(text, ".0"))
		size -= 2;
	oe__buffer_append(out, text, size);
}

static void put_range(const oe_option *option, struct oe__buffer *out)
{
	if (isfinite(option->minimum)) {
		oe__buffer_text(out, isfinite(option->maximum) ? " from " : " of at least ");
		put_number(out, option->minimum);
	}
	if (isfinite(option->maximum)) {
		oe__buffer_text(out, isfinite(option->minimum) ? " to " : " of at most ");
		put_number(out, option->maximum);
	}
}

static size_t count_choices(const char *choices)
{
	size_t count = 1;

	for (const char *c = choices; *c != '\0'; c++)
		count += *c == '|';
	return count;
}

/* More than a message has room for are counted. */
#define CHOICES_SHOWN 8

static void put_choices(const char *choices, struct oe__buffer *out)
{
	if (count_choices(choices) > CHOICES_SHOWN) {
		oe__buffer_printf(out, "one of %zu words", count_choices(choices));
		return;
	}
	for (const char *word = choices; *word != '\0';) {
		size_t size = strcspn(word, "|");
		bool last = word[size] == '\0';
		oe__buffer_text(out, word == choices ? "" : last ? " or " : ", ");
		oe__buffer_append(out, word, size);
		word += size + (last ? 0 : 1);
	}
}

static void put_type(const oe_option *option, int type, struct oe__buffer *out)
{
	static const char *const names[] = {
		[OE_OPTION_BOOL] = "true or false",
		[OE_OPTION_INT] = "an integer",
		[OE_OPTION_REAL] = "a number",
		[OE_OPTION_STRING] = "a text",
		[OE_OPTION_LIST] = "a list, each item ",
		[OE_OPTION_MAP] = "a mapping, each value ",
		[OE_OPTION_INT_OR_MAP] = "an integer, or a mapping of integers",
		[OE_OPTION_MODELS] = "a list of mappings",
		[OE_OPTION_ANY] = "anything",
	};

	if (option->choices && type == OE_OPTION_STRING) {
		put_choices(option->choices, out);
		return;
	}
	oe__buffer_text(out, names[type]);
	if ((type == OE_OPTION_LIST || type == OE_OPTION_MAP) && option->item_type == OE_OPTION_LIST)
		oe__buffer_text(out, "a list of texts");
	else if (type == OE_OPTION_LIST || type == OE_OPTION_MAP)
		put_type(option, option->item_type, out);
	else if (type == OE_OPTION_INT || type == OE_OPTION_REAL || type == OE_OPTION_INT_OR_MAP)
		put_range(option, out);
}

int oe__coerce_expected(const struct oe__option *option, struct oe__buffer *out)
{
	put_type(&option->shown, option->shown.type, out);
	if (option->shown.unit && strcmp(option->shown.unit, "seconds") == 0)
		oe__buffer_text(out, " (seconds, or like 2h30m)");
	if (option->shown.flags & OE_OPTION_NULLABLE)
		oe__buffer_text(out, ", or null");
	return out->status;
}

/* The word of many choices that may have been meant. */
static void put_nearest(const char *choices, const char *given, struct oe__buffer *out)
{
	size_t distance_best = strlen(given) / 3 + 1;
	char word[CHOICE_MAX], best[CHOICE_MAX] = "";

	for (const char *c = choices; *c != '\0';) {
		size_t size = strcspn(c, "|");
		assert(size < sizeof(word));
		memcpy(word, c, size);
		word[size] = '\0';
		size_t distance = oe__name_distance(given, word);
		if (distance < distance_best) {
			distance_best = distance;
			memcpy(best, word, size + 1);
		}
		c += size + (c[size] == '|');
	}
	if (best[0] != '\0')
		oe__buffer_printf(out, ": did you mean '%s'?", best);
}

/* Values are shown where they cannot be secrets by mistake: numbers, and words of a choice. */
static int refuse(const struct oe__option *option, const char *name, const struct oe__value *value,
				  const struct oe__place *place, oe_error *err)
{
	OE__AUTO(buffer) struct oe__buffer expected = OE__BUFFER_INIT(0);
	OE__AUTO(buffer) struct oe__buffer found = OE__BUFFER_INIT(0);
	OE__AUTO(buffer) struct oe__buffer hint = OE__BUFFER_INIT(0);

	(void)oe__coerce_expected(option, &expected);
	if (value->type == OE__VALUE_BOOL)
		oe__buffer_text(&found, value->boolean ? "true" : "false");
	else if (value->type == OE__VALUE_INT)
		oe__buffer_printf(&found, "%lld", (long long)value->integer);
	else if (value->type == OE__VALUE_REAL)
		put_number(&found, value->real);
	else if (option->shown.choices && value->type == OE__VALUE_STRING && value->size < 40)
		oe__buffer_printf(&found, "'%s'", value->string);
	else
		oe__buffer_printf(&found, "a %s", oe__value_type_name(value));
	if (option->shown.flags & OE_OPTION_SECRET) {
		oe__buffer_clear(&found);
		oe__buffer_printf(&found, "not a text");
	}
	if (option->shown.type == OE_OPTION_STRING && value->type != OE__VALUE_LIST &&
		value->type != OE__VALUE_MAP && !option->shown.choices)
		oe__buffer_text(&hint, ": put it in quotes");
	if (option->shown.choices && count_choices(option->shown.choices) > CHOICES_SHOWN &&
		value->type == OE__VALUE_STRING && !(option->shown.flags & OE_OPTION_SECRET))
		put_nearest(option->shown.choices, value->string, &hint);
	return oe__error_at(err, OE_ERR_CONFIG, place->source, value->line ? value->line : place->line,
						value->line ? value->column : place->column, "'%s' is %s, expected %s%s",
						name, oe__buffer_string(&found), oe__buffer_string(&expected),
						oe__buffer_string(&hint));
}

/* ---- scalars ---- */

static void become_int(struct oe__value *value, int64_t number)
{
	int line = value->line, column = value->column;

	oe__value_done(value);
	*value = (struct oe__value){ .type = OE__VALUE_INT,
								 .integer = number,
								 .real = (double)number,
								 .line = line,
								 .column = column };
}

static void become_real(struct oe__value *value, double number)
{
	int line = value->line, column = value->column;

	oe__value_done(value);
	*value = (struct oe__value){
		.type = OE__VALUE_REAL, .real = number, .line = line, .column = column
	};
}

/* 1e-3 and its like: numbers for everybody but YAML 1.1. */
static bool is_exponent_form(const struct oe__value *value, double *out)
{
	return value->type == OE__VALUE_STRING && !value->tag &&
		   strspn(value->string, "+-.0123456789eE") == value->size && value->size > 0 &&
		   strpbrk(value->string, "eE") && oe__parse_real(value->string, value->size, out) &&
		   isfinite(*out);
}

/* "2h30m", "90s", "1.5h": numbers with units, largest first in practice but not by force. */
static bool is_duration(const struct oe__value *value, double *out)
{
	double seconds = 0, number;

	if (value->type != OE__VALUE_STRING || value->tag || value->size == 0)
		return false;
	for (const char *s = value->string; *s != '\0';) {
		size_t digits = strspn(s, "0123456789.");
		if (!oe__parse_real(s, digits, &number))
			return false;
		s += digits;
		double unit = *s == 'd' ? 86400 : *s == 'h' ? 3600 : *s == 'm' ? 60 : *s == 's' ? 1 : 0;
		if (unit == 0)
			return false;
		seconds += number * unit;
		s++;
	}
	*out = seconds;
	return true;
}

static bool is_whole(double value)
{
	return value >= -0x1p53 && value <= 0x1p53 && floor(value) == value;
}

static bool in_range(const oe_option *option, double value)
{
	if (isnan(value))
		return isinf(option->minimum) && isinf(option->maximum);
	return value >= option->minimum && value <= option->maximum;
}

static bool coerce_number(const struct oe__option *option, int type, struct oe__value *value)
{
	double number;

	if (value->type == OE__VALUE_BOOL)
		become_int(value, value->boolean);
	else if (is_exponent_form(value, &number) ||
			 (option->shown.unit && strcmp(option->shown.unit, "seconds") == 0 &&
			  is_duration(value, &number)))
		become_real(value, number);
	if (value->type == OE__VALUE_REAL && is_whole(value->real) &&
		(type == OE_OPTION_INT || (option->traits & OE__TRAIT_INTEGRAL)))
		become_int(value, (int64_t)value->real);
	if (value->type != OE__VALUE_INT && (value->type != OE__VALUE_REAL || type == OE_OPTION_INT))
		return false;
	return in_range(&option->shown, value->real);
}

static bool coerce_bool(struct oe__value *value)
{
	if (value->type == OE__VALUE_INT && (value->integer == 0 || value->integer == 1)) {
		value->type = OE__VALUE_BOOL;
		value->boolean = value->integer == 1;
	}
	return value->type == OE__VALUE_BOOL;
}

/* Which word of `choices` it is, in any case; -1: none. */
static int find_choice(const char *choices, const char *given)
{
	int index = 0;

	for (const char *word = choices; *word != '\0'; index++) {
		char name[CHOICE_MAX];
		size_t size = strcspn(word, "|");
		assert(size < sizeof(name));
		memcpy(name, word, size);
		name[size] = '\0';
		if (oe__equal_nocase(given, name))
			return index;
		word += size + (word[size] == '|');
	}
	return -1;
}

/* A word of the option's choices, in its spelling. */
static bool coerce_choice(const struct oe__option *option, struct oe__value *value)
{
	const char *word = option->shown.choices;
	int index = find_choice(word, value->string);

	if (index < 0 && option->former_choices)
		index = find_choice(option->former_choices, value->string);
	if (index < 0)
		return false;
	for (; index > 0; index--)
		word += strcspn(word, "|") + 1;
	size_t size = strcspn(word, "|");
	if (size != value->size) {
		char *longer = oe__realloc(value->string, size + 1);
		if (!longer)
			return false;
		value->string = longer;
		value->size = size;
	}
	memcpy(value->string, word, size);
	value->string[size] = '\0';
	return true;
}

static bool coerce_string(const struct oe__option *option, struct oe__value *value)
{
	if (value->type != OE__VALUE_STRING || value->tag || strlen(value->string) != value->size ||
		!oe__utf8_valid(value->string, value->size))
		return false;
	return !option->shown.choices || coerce_choice(option, value);
}

/* ---- collections ---- */

static int coerce_as(const struct oe__option *option, int type, const char *name,
					 struct oe__value *value, const struct oe__place *place, oe_error *err);

/* One item stands for a list of it. */
static int make_list(struct oe__value *value)
{
	OE__AUTO(value) struct oe__value list = { .line = value->line, .column = value->column };
	int status = oe__value_push(&list, value);

	if (status < 0)
		return status;
	*value = list;
	list = (struct oe__value){ 0 };
	return 0;
}

static int coerce_list(const struct oe__option *option, int item_type, const char *name,
					   struct oe__value *value, const struct oe__place *place, oe_error *err)
{
	int status = 0;

	if (value->tag || (value->type == OE__VALUE_MAP && item_type != OE_OPTION_MAP))
		return refuse(option, name, value, place, err);
	if (value->type != OE__VALUE_LIST && make_list(value) < 0)
		return oe__error_nomem(err);
	for (size_t i = 0; status == 0 && i < value->size; i++) {
		struct oe__value *item = &value->items[i];
		if (item->type == OE__VALUE_NULL ||
			(item_type == OE_OPTION_MAP && (item->type != OE__VALUE_MAP || item->tag)))
			return refuse(option, name, item, place, err);
		if (item_type != OE_OPTION_MAP) /* entries of model lists are checked elsewhere */
			status = coerce_as(option, item_type, name, item, place, err);
	}
	return status;
}

static int coerce_map(const struct oe__option *option, const char *name, struct oe__value *value,
					  const struct oe__place *place, oe_error *err)
{
	int status = 0;

	if (value->type != OE__VALUE_MAP || value->tag)
		return refuse(option, name, value, place, err);
	for (size_t i = 0; status == 0 && i < value->size; i++) {
		struct oe__value *key = &value->keys[i];
		if (key->type != OE__VALUE_STRING || key->tag || strlen(key->string) != key->size)
			return oe__error_at(err, OE_ERR_CONFIG, place->source, key->line, key->column,
								"a key of '%s' is a %s, expected a text: put it in quotes", name,
								oe__value_type_name(key));
		if (value->items[i].type == OE__VALUE_NULL && option->shown.item_type != OE_OPTION_ANY)
			return refuse(option, name, &value->items[i], place, err);
		status = coerce_as(option, option->shown.item_type, name, &value->items[i], place, err);
	}
	return status;
}

/* Has JSON a word for it, and for all that is in it? */
static bool is_plain(const struct oe__value *value)
{
	if (value->tag || (value->type == OE__VALUE_REAL && !isfinite(value->real)))
		return false;
	if (value->type == OE__VALUE_STRING)
		return oe__utf8_valid(value->string, value->size);
	if (value->type != OE__VALUE_LIST && value->type != OE__VALUE_MAP)
		return true;
	for (size_t i = 0; i < value->size; i++)
		if (!is_plain(&value->items[i]) ||
			(value->type == OE__VALUE_MAP && value->keys[i].type != OE__VALUE_STRING))
			return false;
	return true;
}

static int coerce_as(const struct oe__option *option, int type, const char *name,
					 struct oe__value *value, const struct oe__place *place, oe_error *err)
{
	bool fits = false;

	switch (type) {
	case OE_OPTION_BOOL:
		fits = coerce_bool(value);
		break;
	case OE_OPTION_INT:
	case OE_OPTION_REAL:
		fits = coerce_number(option, type, value);
		break;
	case OE_OPTION_STRING:
		fits = coerce_string(option, value);
		break;
	case OE_OPTION_ANY:
		fits = is_plain(value);
		break;
	case OE_OPTION_LIST:
		return coerce_list(option,
						   option->shown.type == OE_OPTION_LIST ? option->shown.item_type
																: OE_OPTION_STRING,
						   name, value, place, err);
	case OE_OPTION_MODELS:
		return coerce_list(option, OE_OPTION_MAP, name, value, place, err);
	case OE_OPTION_MAP:
		return coerce_map(option, name, value, place, err);
	case OE_OPTION_INT_OR_MAP:
		if (value->type == OE__VALUE_MAP)
			return coerce_map(option, name, value, place, err);
		fits = coerce_number(option, OE_OPTION_INT, value);
		break;
	default:
		assert(false && "a type of the table");
	}
	return fits ? 0 : refuse(option, name, value, place, err);
}

/* The edit layer compiles it for good; here a mistake still has a place in a file. */
static int check_pattern(const char *name, const struct oe__value *value,
						 const struct oe__place *place, oe_error *err)
{
	OE__AUTO(pattern_memory) pcre2_general_context *memory = oe__pattern_memory();
	pcre2_code *code = NULL;
	oe_error wrong;

	if (!memory)
		return oe__error_nomem(err);
	int status = oe__pattern_compile(value->string, 0, memory, &code, &wrong);
	pcre2_code_free(code);
	if (status == OE_ERR_NOMEM)
		return oe__error_nomem(err);
	if (status == 0)
		return 0;
	return oe__error_at(err, OE_ERR_CONFIG, place->source, value->line ? value->line : place->line,
						value->line ? value->column : place->column, "'%s' cannot be used: %s",
						name, wrong.message);
}

int oe__coerce(const struct oe__option *option, const char *name, struct oe__value *value,
			   const struct oe__place *place, oe_error *err)
{
	if (value->type == OE__VALUE_STRING && !value->tag &&
		((value->size == 0 && (option->traits & OE__TRAIT_EMPTY_NULL)) ||
		 ((option->shown.flags & OE_OPTION_SECRET) && oe__value_is(value, OE_HIDDEN)))) {
		int line = value->line, column = value->column;
		oe__value_done(value);
		value->line = line;
		value->column = column;
	}
	if (value->type == OE__VALUE_NULL)
		return 0;
	int status = coerce_as(option, option->shown.type, name, value, place, err);
	if (status == 0 && (option->traits & OE__TRAIT_PATTERN))
		status = check_pattern(name, value, place, err);
	return status;
}

/* ---- text ---- */

static int scalar_text(const struct oe__option *option, const char *text, size_t size,
					   struct oe__value *out, oe_error *err)
{
	const char *problem = NULL;
	enum oe__yaml_type type = oe__yaml_resolve(text, size);
	int status;

	if (type == OE__YAML_MERGE || type == OE__YAML_DEFAULT || type == OE__YAML_TIMESTAMP)
		type = OE__YAML_STR;
	if (option->shown.type == OE_OPTION_STRING ||
		((option->shown.type == OE_OPTION_LIST || option->shown.type == OE_OPTION_MAP) &&
		 option->shown.item_type == OE_OPTION_STRING))
		type = size > 0 && type == OE__YAML_NULL ? OE__YAML_NULL : OE__YAML_STR;
	status = oe__yaml_construct(type, text, size, out, &problem);
	if (status == OE_ERR_NOMEM)
		return oe__error_nomem(err);
	/* Only odd forms like 0b_ cannot be constructed: they are texts then. */
	return status < 0 ? oe__value_set_string(out, text, size) : 0;
}

int oe__coerce_text(const struct oe__option *option, const char *text, struct oe__value *out,
					const struct oe__place *place, oe_error *err)
{
	size_t size = strlen(text);
	bool is_text = option->shown.type == OE_OPTION_STRING;
	OE__AUTO(value) struct oe__value value = { 0 };

	if (!oe__utf8_valid(text, size))
		return oe__error_at(err, OE_ERR_CONFIG, place->source, 0, 0, "'%s' is not UTF-8",
							option->shown.name);
	if (*text == '[' || *text == '{' || *text == '"' || *text == '\'' ||
		oe__has_prefix(text, "- ")) {
		int status = oe__yaml_load(text, size, place->source, &value, is_text ? NULL : err);
		if (status < 0 && !is_text)
			return status;
		if (status == 0 && (!is_text || value.type == OE__VALUE_STRING)) {
			*out = value;
			value = (struct oe__value){ 0 };
			return 0;
		}
	}
	oe__value_done(&value);
	if (!is_text)
		for (; size > 0 && oe__is_space(*text); text++)
			size--;
	while (!is_text && size > 0 && oe__is_space(text[size - 1]))
		size--;
	return scalar_text(option, text, size, out, err);
}
