#include "config/yaml.h"

#include <assert.h>
#include <string.h>
#include <yaml.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/map.h"
#include "base/text.h"
#include "config/yaml_scalar.h"
#include "config/yaml_source.h"
#include "config/yaml_table.h"

#define NO_TAB     "a tab is not allowed here: use blanks"
#define TAG_PREFIX "tag:yaml.org,2002:"

OE__AUTO_VALUE(event, yaml_event_t, yaml_event_delete)

/* What an alias may refer to. */
struct anchor {
	struct oe__value value;
	size_t nodes;  /* in `value`                                    */
	bool complete; /* its end has been read: it can be referred to  */
};

struct loader {
	yaml_parser_t parser;
	const struct oe__yaml_source *source;
	oe_error *err;
	bool parser_failed; /* the details are in `parser`                                  */
	oe_error wrong;     /* first value that means nothing; what comes after is read on, */
	size_t nodes;       /* because errors of syntax go first, as in PyYAML              */
	struct oe__map anchors;
	struct oe__yaml_span *spans;
	size_t span_count, span_capacity;
	size_t end; /* of the last event, in characters */
};

static void loader_done(struct loader *loader)
{
	size_t cursor = 0;
	struct oe__map_entry *entry;

	while ((entry = oe__map_next(&loader->anchors, &cursor)) != NULL) {
		struct anchor *anchor = entry->value;
		oe__value_done(&anchor->value);
		oe__free(anchor);
	}
	oe__map_done(&loader->anchors);
	oe__free(loader->spans);
	yaml_parser_delete(&loader->parser);
}

OE__AUTO_VALUE(loader, struct loader, loader_done)

/* ---- errors ---- */

/* `name` is what the message is about, or NULL. */
static int fail(struct loader *loader, int status, const yaml_mark_t *mark, const char *message,
				const char *name)
{
	int line, column;

	oe__yaml_source_place(loader->source, mark, &line, &column);
	return oe__error_at(loader->err, status, loader->source->name, line, column,
						name ? "%s: '%s'" : "%s", message, name);
}

/* Remember the first value that means nothing, and go on. */
static int wrong_at(struct loader *loader, int line, int column, const char *message,
					const char *name)
{
	if (loader->wrong.status == 0)
		oe__error_at(&loader->wrong, OE_ERR_CONFIG, loader->source->name, line, column,
					 name ? "%s: '%s'" : "%s", message, name);
	return 0;
}

static int wrong(struct loader *loader, const yaml_event_t *event, const char *message,
				 const char *name)
{
	int line, column;

	oe__yaml_source_place(loader->source, &event->start_mark, &line, &column);
	return wrong_at(loader, line, column, message, name);
}

static int count_nodes(struct loader *loader, size_t count, const yaml_mark_t *mark)
{
	if (count > OE__YAML_NODES_MAX - loader->nodes)
		return fail(loader, OE_ERR_LIMIT, mark, "too many values", NULL);
	loader->nodes += count;
	return 0;
}

/* ---- events ---- */

static int add_span(struct loader *loader, const yaml_event_t *event)
{
	void *spans = loader->spans;
	int status =
		oe__grow(&spans, &loader->span_capacity, loader->span_count + 1, sizeof(*loader->spans));
	loader->spans = spans;
	if (status == 0)
		loader->spans[loader->span_count++] = (struct oe__yaml_span){
			event->start_mark.index,
			event->end_mark.index,
			event->data.scalar.style,
		};
	return status;
}

static int next_event(struct loader *loader, yaml_event_t *event)
{
	if (!yaml_parser_parse(&loader->parser, event)) {
		loader->parser_failed = true;
		return loader->parser.error == YAML_MEMORY_ERROR ? OE_ERR_NOMEM : OE_ERR_CONFIG;
	}
	loader->end = event->end_mark.index;
	if (event->type == YAML_SCALAR_EVENT && loader->source->has_tabs)
		return add_span(loader, event);
	return 0;
}

/* The last part of a tag of YAML's own; NULL for any other; "" if there is none. */
static const char *short_tag(const yaml_char_t *tag)
{
	if (!tag || strcmp((const char *)tag, "!") == 0)
		return "";
	if (!oe__has_prefix((const char *)tag, TAG_PREFIX))
		return NULL;
	return (const char *)tag + strlen(TAG_PREFIX);
}

static int unknown_tag(struct loader *loader, const yaml_event_t *event, const yaml_char_t *tag,
					   const char *misplaced)
{
	static const char *const known[] = { "null", "bool",   "int", "float", "str",  "timestamp",
										 "seq",  "binary", "map", "set",   "omap", "pairs" };
	const char *name = short_tag(tag);

	for (size_t i = 0; name && i < OE__COUNT(known); i++)
		if (strcmp(name, known[i]) == 0)
			return wrong(loader, event, misplaced, name);
	return wrong(loader, event, "unknown tag", (const char *)tag);
}

/* ---- scalars ---- */

/* The type of a scalar; -1 if its tag is not one for scalars, -2 for "binary". */
static int scalar_type(const yaml_event_t *event)
{
	static const struct {
		const char *tag;
		enum oe__yaml_type type;
	} types[] = { { "str", OE__YAML_STR },     { "null", OE__YAML_NULL },
				  { "bool", OE__YAML_BOOL },   { "int", OE__YAML_INT },
				  { "float", OE__YAML_FLOAT }, { "timestamp", OE__YAML_TIMESTAMP },
				  { "merge", OE__YAML_MERGE }, { "value", OE__YAML_DEFAULT } };
	const yaml_char_t *given = event->data.scalar.tag;
	const char *tag = short_tag(given);

	if (tag && *tag == '\0') /* "!" alone: as if it had no quotes */
		return event->data.scalar.plain_implicit || given
				   ? (int)oe__yaml_resolve((const char *)event->data.scalar.value,
										   event->data.scalar.length)
				   : (int)OE__YAML_STR;
	for (size_t i = 0; tag && i < OE__COUNT(types); i++)
		if (strcmp(tag, types[i].tag) == 0)
			return (int)types[i].type;
	return tag && strcmp(tag, "binary") == 0 ? -2 : -1;
}

static bool is_block(const yaml_event_t *event)
{
	return event->data.scalar.style == YAML_LITERAL_SCALAR_STYLE ||
		   event->data.scalar.style == YAML_FOLDED_SCALAR_STYLE;
}

static int build_scalar(struct loader *loader, const yaml_event_t *event, int type,
						struct oe__value *out)
{
	const char *problem = NULL;
	int status;

	char *text = (char *)event->data.scalar.value;
	size_t size = event->data.scalar.length;

	if (type == -1)
		return unknown_tag(loader, event, event->data.scalar.tag, "not a tag of scalars");
	if (loader->source->tab[0] != '\0' && !is_block(event) &&
		oe__find(text, size, loader->source->tab, 3))
		return fail(loader, OE_ERR_CONFIG, &event->start_mark, NO_TAB, NULL);
	size = oe__yaml_source_restore(loader->source, text, size);
	if (type == -2)
		status = oe__yaml_construct_binary(text, size, out, &problem);
	else
		status = oe__yaml_construct((enum oe__yaml_type)type, text, size, out, &problem);
	if (status == OE_ERR_CONFIG)
		return wrong(loader, event, problem, NULL);
	return status;
}

/* ---- collections ---- */

static int build(struct loader *loader, const yaml_event_t *event, int depth,
				 struct oe__value *out);

static int build_next(struct loader *loader, int depth, struct oe__value *out)
{
	OE__AUTO(event) yaml_event_t event = { 0 };
	int status = next_event(loader, &event);
	return status < 0 ? status : build(loader, &event, depth, out);
}

/* The only pair of a map, as a list of two. */
static int pair_of(struct oe__value *map, struct oe__value *out)
{
	OE__AUTO(value) struct oe__value pair = { .line = map->line, .column = map->column };
	int status = oe__value_push(&pair, &map->keys[0]);

	if (status == 0)
		status = oe__value_push(&pair, &map->items[0]);
	if (status < 0)
		return status;
	*out = pair;
	pair = (struct oe__value){ 0 };
	return 0;
}

static int make_pairs(struct loader *loader, const yaml_event_t *event, const char *tag,
					  struct oe__value *list)
{
	for (size_t i = 0; i < list->size; i++) {
		struct oe__value *map = &list->items[i];
		OE__AUTO(value) struct oe__value pair = { 0 };
		if (map->type != OE__VALUE_MAP || map->tag || map->size != 1)
			return wrong(loader, event, "expected a mapping of one key in each item", NULL);
		int status = pair_of(map, &pair);
		if (status < 0)
			return status;
		oe__value_done(map);
		*map = pair;
		pair = (struct oe__value){ 0 };
	}
	list->tag = strcmp(tag, "omap") == 0 ? "omap" : "pairs";
	return 0;
}

static int build_sequence(struct loader *loader, const yaml_event_t *event, int depth,
						  struct oe__value *out)
{
	const char *tag = short_tag(event->data.sequence_start.tag);

	out->type = OE__VALUE_LIST;
	for (;;) {
		OE__AUTO(event) yaml_event_t next = { 0 };
		OE__AUTO(value) struct oe__value item = { 0 };
		int status = next_event(loader, &next);
		if (status < 0)
			return status;
		if (next.type == YAML_SEQUENCE_END_EVENT)
			break;
		status = build(loader, &next, depth, &item);
		if (status == 0)
			status = oe__value_push(out, &item);
		if (status < 0)
			return status;
	}
	if (tag && (strcmp(tag, "omap") == 0 || strcmp(tag, "pairs") == 0))
		return make_pairs(loader, event, tag, out);
	if (!tag || (*tag && strcmp(tag, "seq") != 0))
		return unknown_tag(loader, event, event->data.sequence_start.tag, "not a tag of lists");
	return 0;
}

/* Pairs of a built map into a table; the map is left with nulls. */
static int merge_map(struct loader *loader, struct oe__yaml_table *table, struct oe__value *map)
{
	if (map->type != OE__VALUE_MAP)
		return wrong_at(loader, map->line, map->column,
						"expected a mapping, or a list of mappings, to merge", NULL);
	return oe__yaml_table_put_all(table, map->keys, map->items, map->size);
}

/* The value of "<<". */
static int build_merge(struct loader *loader, int depth, struct oe__yaml_table *merged)
{
	OE__AUTO(value) struct oe__value source = { 0 };
	int status = build_next(loader, depth, &source);

	if (status < 0)
		return status;
	if (source.type != OE__VALUE_LIST)
		return merge_map(loader, merged, &source);
	for (size_t i = 0; i < source.size; i++)
		if (source.items[i].type != OE__VALUE_MAP)
			return merge_map(loader, merged, &source.items[i]);
	for (size_t i = source.size; status == 0 && i-- > 0;) /* earlier ones win: they come last */
		status = merge_map(loader, merged, &source.items[i]);
	return status;
}

static int build_pair(struct loader *loader, const yaml_event_t *key_event, int depth,
					  struct oe__yaml_table *own, struct oe__yaml_table *merged)
{
	OE__AUTO(value) struct oe__value key = { 0 };
	OE__AUTO(value) struct oe__value item = { 0 };
	int type = key_event->type == YAML_SCALAR_EVENT ? scalar_type(key_event) : -1;
	int status;

	if (type == OE__YAML_MERGE)
		return build_merge(loader, depth, merged);
	oe__yaml_source_place(loader->source, &key_event->start_mark, &key.line, &key.column);
	status = type == OE__YAML_DEFAULT ? build_scalar(loader, key_event, OE__YAML_STR, &key)
									  : build(loader, key_event, depth, &key);
	if (status == 0)
		status = build_next(loader, depth, &item);
	if (status < 0)
		return status;
	if (key.type == OE__VALUE_LIST || key.type == OE__VALUE_MAP)
		return wrong(loader, key_event, "a list or mapping cannot be a key", NULL);
	return oe__yaml_table_put(own, &key, &item);
}

static int build_mapping(struct loader *loader, const yaml_event_t *event, int depth,
						 struct oe__value *out)
{
	OE__AUTO(yaml_table) struct oe__yaml_table own = { .places = OE__MAP_INIT };
	OE__AUTO(yaml_table) struct oe__yaml_table merged = { .places = OE__MAP_INIT };
	const char *tag = short_tag(event->data.mapping_start.tag);
	struct oe__yaml_table *all = &own;

	for (;;) {
		OE__AUTO(event) yaml_event_t next = { 0 };
		int status = next_event(loader, &next);
		if (status < 0)
			return status;
		if (next.type == YAML_MAPPING_END_EVENT)
			break;
		status = build_pair(loader, &next, depth, &own, &merged);
		if (status < 0)
			return status;
	}
	if (merged.keys.size > 0) {
		int status =
			oe__yaml_table_put_all(&merged, own.keys.items, own.items.items, own.keys.size);
		if (status < 0)
			return status;
		all = &merged;
	}
	if (!tag || (*tag && strcmp(tag, "map") != 0 && strcmp(tag, "set") != 0))
		return unknown_tag(loader, event, event->data.mapping_start.tag, "not a tag of mappings");
	oe__yaml_table_end(all, out);
	out->tag = strcmp(tag, "set") == 0 ? "set" : NULL;
	return 0;
}

/* ---- anchors ---- */

static int declare(struct loader *loader, const yaml_event_t *event, const char *name,
				   struct anchor **out)
{
	if (oe__map_get(&loader->anchors, name, strlen(name)))
		return fail(loader, OE_ERR_CONFIG, &event->start_mark, "the anchor is there already", name);
	struct anchor *anchor = oe__calloc(1, sizeof(*anchor));
	if (!anchor)
		return OE_ERR_NOMEM;
	int status = oe__map_put(&loader->anchors, name, strlen(name), anchor);
	if (status < 0)
		oe__free(anchor);
	else
		*out = anchor;
	return status;
}

static int build_alias(struct loader *loader, const yaml_event_t *event, struct oe__value *out)
{
	const char *name = (const char *)event->data.alias.anchor;
	const struct anchor *anchor = oe__map_get(&loader->anchors, name, strlen(name));

	if (!anchor)
		return fail(loader, OE_ERR_CONFIG, &event->start_mark, "there is no such anchor", name);
	if (!anchor->complete)
		return fail(loader, OE_ERR_CONFIG, &event->start_mark,
					"the alias stands inside of what it refers to", name);
	int status = count_nodes(loader, anchor->nodes, &event->start_mark);
	return status < 0 ? status : oe__value_copy(&anchor->value, out);
}

static const yaml_char_t *anchor_of(const yaml_event_t *event)
{
	return event->type == YAML_SCALAR_EVENT           ? event->data.scalar.anchor
		   : event->type == YAML_SEQUENCE_START_EVENT ? event->data.sequence_start.anchor
													  : event->data.mapping_start.anchor;
}

/* The value that begins with `event`. */
static int build(struct loader *loader, const yaml_event_t *event, int depth, struct oe__value *out)
{
	struct anchor *anchor = NULL;
	size_t before = loader->nodes;
	int status = count_nodes(loader, 1, &event->start_mark);

	if (event->type == YAML_ALIAS_EVENT)
		return status < 0 ? status : build_alias(loader, event, out);
	if (status == 0 && depth >= OE__YAML_DEPTH_MAX)
		status = fail(loader, OE_ERR_LIMIT, &event->start_mark, "nested too deeply", NULL);
	if (status == 0 && anchor_of(event))
		status = declare(loader, event, (const char *)anchor_of(event), &anchor);
	if (status < 0)
		return status;
	oe__yaml_source_place(loader->source, &event->start_mark, &out->line, &out->column);
	if (event->type == YAML_SCALAR_EVENT)
		status = build_scalar(loader, event, scalar_type(event), out);
	else if (event->type == YAML_SEQUENCE_START_EVENT)
		status = build_sequence(loader, event, depth + 1, out);
	else
		status = build_mapping(loader, event, depth + 1, out);
	if (status < 0 || !anchor)
		return status;
	anchor->complete = true;
	anchor->nodes = loader->nodes - before;
	status = count_nodes(loader, anchor->nodes, &event->start_mark); /* the copy is memory too */
	return status < 0 ? status : oe__value_copy(out, &anchor->value);
}

/* ---- documents ---- */

static int load_document(struct loader *loader, struct oe__value *out)
{
	OE__AUTO(event) yaml_event_t start = { 0 };
	OE__AUTO(event) yaml_event_t first = { 0 };
	OE__AUTO(event) yaml_event_t end = { 0 };
	OE__AUTO(event) yaml_event_t next = { 0 };
	int status = next_event(loader, &start);

	if (status == 0)
		status = next_event(loader, &first);
	if (status == 0 && loader->source->has_directive &&
		(first.type == YAML_STREAM_END_EVENT || first.data.document_start.implicit))
		status = fail(loader, OE_ERR_CONFIG, &first.start_mark,
					  "expected '---' after the directives", NULL);
	if (status < 0 || first.type == YAML_STREAM_END_EVENT)
		return status;
	status = build_next(loader, 0, out);
	if (status == 0)
		status = next_event(loader, &end);
	if (status == 0)
		status = next_event(loader, &next);
	if (status == 0 && next.type != YAML_STREAM_END_EVENT)
		status = fail(loader, OE_ERR_CONFIG, &next.start_mark,
					  "expected a single document, but here begins another one", NULL);
	return status;
}

static int parser_error(const struct loader *loader)
{
	const yaml_parser_t *parser = &loader->parser;
	const char *problem = parser->problem ? parser->problem : "cannot be read";
	yaml_mark_t mark = parser->problem_mark;
	int line, column;

	if (parser->error == YAML_MEMORY_ERROR)
		return oe__error_nomem(loader->err);
	if (strcmp(problem, "found unknown escape character") == 0)
		mark.column++; /* the character, not its backslash */
	oe__yaml_source_place(loader->source, &mark, &line, &column);
	if (!parser->context)
		return oe__error_at(loader->err, OE_ERR_CONFIG, loader->source->name, line, column, "%s",
							problem);
	return oe__error_at(loader->err, OE_ERR_CONFIG, loader->source->name, line, column,
						"%s, %s (since line %d)", problem, parser->context,
						(int)parser->context_mark.line + 1);
}

/* One attempt. 1: the source has been mended, try again. */
static int attempt(struct oe__yaml_source *source, bool last, struct oe__value *out, oe_error *err)
{
	OE__AUTO(loader) struct loader loader = { .source = source, .err = err };
	OE__AUTO(value) struct oe__value value = { 0 };
	int line, column;

	if (!yaml_parser_initialize(&loader.parser))
		return oe__error_nomem(err);
	yaml_parser_set_encoding(&loader.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&loader.parser, (const unsigned char *)source->text, source->size);
	int status = load_document(&loader, &value);
	if (status < 0 && loader.parser_failed && !last) {
		int mended = oe__yaml_source_mend(source, &loader.parser);
		if (mended != 0)
			return mended < 0 ? oe__error_nomem(err) : 1;
	}
	if (status == OE_ERR_NOMEM)
		return oe__error_nomem(err);
	/* A tab that stands before an error would have been one before it. */
	size_t known = status < 0 ? loader.end : SIZE_MAX;
	size_t limit = loader.parser_failed ? loader.parser.problem_mark.index : known;
	if (oe__yaml_source_tab(source, loader.spans, loader.span_count, known, limit, &line, &column))
		return oe__error_at(err, OE_ERR_CONFIG, source->name, line, column, NO_TAB);
	if (status < 0)
		return loader.parser_failed ? parser_error(&loader) : status;
	if (loader.wrong.status < 0) {
		if (err)
			*err = loader.wrong;
		return loader.wrong.status;
	}
	*out = value;
	value = (struct oe__value){ 0 };
	return 0;
}

int oe__yaml_load(const char *text, size_t size, const char *name, struct oe__value *out,
				  oe_error *err)
{
	OE__AUTO(yaml_source) struct oe__yaml_source source = { 0 };

	if (size > OE__CONFIG_MAX)
		return oe__error_at(err, OE_ERR_LIMIT, name, 0, 0, "the text has more than %zu bytes",
							OE__CONFIG_MAX);
	int status = oe__yaml_source_init(&source, text, size, name, err);
	if (status < 0)
		return status;
	for (int mends = 0;; mends++) {
		status = attempt(&source, mends == OE__YAML_MENDS_MAX, out, err);
		if (status <= 0)
			return status;
	}
}
