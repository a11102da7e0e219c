#include "llm/recording.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/map.h"

#define SCHEMA    "oe.llm/1"
#define MARK      "{\"schema\": \"" SCHEMA "\"" /* what each line of ours begins with */
#define JUDGE     "judge"
#define READ_SIZE 262144

static const char *const finishes[] = {
	[OE_FINISH_STOP] = "stop",   [OE_FINISH_LENGTH] = "length", [OE_FINISH_REFUSAL] = "refusal",
	[OE_FINISH_EMPTY] = "empty", [OE_FINISH_OTHER] = "other",
};

enum state {
	LEFT,
	PASSED,  /* the question that it answered was another one this time; it waits for whoever asks it */
	EARLIER, /* another session was given it: it is for nobody else, should that one have been answered by
	            somebody else */
	TAKEN,
	STATES,
};

/* Where one line is. */
struct place {
	struct oe__recorded_key key;
	int64_t ordinal, offset;
	size_t size;
	bool judge;
	enum state state;
	struct place *same_seed; /* another one */
};

/* The places of one prompt: a part of the sorted array. */
struct group {
	size_t first, count, begin; /* begin: all before it are taken */
};

struct oe__recording {
	char *path;
	int fd;
	struct place *places;
	size_t count, capacity;
	size_t counts[2][STATES]; /* of others, of judges */
	int64_t size;
	size_t torn;  /* bytes behind that: the rest of a line whose writer was interrupted */
	bool unended; /* the last line is whole, but lacks its end */
	struct group *groups;
	struct oe__map by_prompt; /* -> struct group */
	struct oe__map by_seed;   /* -> struct place, the first of a list */
};

/* ---- one line ---- */

int oe__recorded_key_of(const oe_llm_request *request, struct oe__recorded_key *out)
{
	struct oe__sha256 *sha = oe__sha256_new();

	if (!sha)
		return OE_ERR_NOMEM;
	oe__sha256_add(sha, request->system, request->system_size);
	oe__sha256_add(sha, "", 1);
	oe__sha256_add(sha, request->user, request->user_size);
	oe__sha256_end(sha, out->prompt);
	out->seed = request->seed;
	return 0;
}

void oe__recorded_done(struct oe__recorded *recorded)
{
	oe__free(OE__STEAL(recorded->model));
	oe__free(OE__STEAL(recorded->text));
}

static void put_count(struct oe__json_writer *writer, const char *key, int64_t count)
{
	oe__json_key(writer, key);
	if (count < 0)
		oe__json_null(writer);
	else
		oe__json_int(writer, count);
}

void oe__recorded_write(const struct oe__recorded *recorded, struct oe__buffer *out)
{
	struct oe__json_writer writer = { .out = out };
	char hex[OE__SHA256_HEX_SIZE], seed[17];
	uint8_t bytes[8];

	for (int i = 0; i < 8; i++)
		bytes[i] = (uint8_t)(recorded->key.seed >> (56 - 8 * i));
	oe__hex(recorded->key.prompt, OE__SHA256_SIZE, hex);
	oe__hex(bytes, sizeof(bytes), seed);
	oe__json_map(&writer);
	oe__json_key(&writer, "schema");
	oe__json_string(&writer, SCHEMA);
	oe__json_key(&writer, "prompt");
	oe__json_string(&writer, hex);
	oe__json_key(&writer, "seed");
	oe__json_string(&writer, seed);
	put_count(&writer, "ordinal", recorded->ordinal);
	if (recorded->judge) {
		oe__json_key(&writer, "role");
		oe__json_string(&writer, JUDGE);
	}
	oe__json_key(&writer, "model");
	oe__json_string(&writer, recorded->model ? recorded->model : "");
	oe__json_key(&writer, "finish");
	oe__json_string(&writer, finishes[recorded->finish]);
	put_count(&writer, "tokens_in", recorded->tokens_in);
	put_count(&writer, "tokens_out", recorded->tokens_out);
	oe__json_key(&writer, "ms");
	oe__json_real(&writer, recorded->ms);
	oe__json_key(&writer, recorded->failed ? "error" : "answer");
	oe__json_string_sized(&writer, recorded->text ? recorded->text : "", recorded->size);
	oe__json_map_end(&writer);
	oe__buffer_char(out, '\n');
}

static int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool read_hex(const struct oe__value *value, uint8_t *out, size_t size)
{
	if (!value || value->type != OE__VALUE_STRING || value->size != 2 * size)
		return false;
	for (size_t i = 0; i < size; i++) {
		int high = digit(value->string[2 * i]), low = digit(value->string[2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

static bool read_key(const struct oe__value *line, struct oe__recorded_key *out)
{
	uint8_t bytes[8];

	if (!read_hex(oe__value_get(line, "prompt"), out->prompt, OE__SHA256_SIZE) ||
	    !read_hex(oe__value_get(line, "seed"), bytes, sizeof(bytes)))
		return false;
	out->seed = 0;
	for (int i = 0; i < 8; i++)
		out->seed = out->seed << 8 | bytes[i];
	return true;
}

static int64_t read_count(const struct oe__value *line, const char *key)
{
	const struct oe__value *value = oe__value_get(line, key);
	return value && value->type == OE__VALUE_INT && value->integer >= 0 ? value->integer : -1;
}

/* 1, or 0 if it is no line of a recording. */
static int read_line(const struct oe__value *line, struct oe__recorded *out)
{
	const struct oe__value *text = oe__value_get(line, "answer");
	const struct oe__value *model = oe__value_get(line, "model");
	const struct oe__value *finish = oe__value_get(line, "finish");
	const struct oe__value *ms = oe__value_get(line, "ms");
	const struct oe__value *schema = oe__value_get(line, "schema");
	const struct oe__value *role = oe__value_get(line, "role");

	out->failed = !text;
	if (!text)
		text = oe__value_get(line, "error");
	if (!schema || !oe__value_is(schema, SCHEMA) || !read_key(line, &out->key) || !text ||
	    text->type != OE__VALUE_STRING)
		return 0;
	out->finish = OE_FINISH_OTHER;
	for (size_t i = 0; finish && i < OE__COUNT(finishes); i++)
		if (oe__value_is(finish, finishes[i]))
			out->finish = (int)i;
	out->judge = role && oe__value_is(role, JUDGE);
	out->ordinal = read_count(line, "ordinal");
	out->tokens_in = read_count(line, "tokens_in");
	out->tokens_out = read_count(line, "tokens_out");
	out->ms = ms && (ms->type == OE__VALUE_INT || ms->type == OE__VALUE_REAL) ? ms->real : 0;
	out->model = oe__strdup(model && model->type == OE__VALUE_STRING ? model->string : "");
	out->text = oe__strndup(text->string, text->size);
	out->size = text->size;
	return out->model && out->text ? 1 : OE_ERR_NOMEM;
}

static int parse_line(const char *text, size_t size, struct oe__recorded *out)
{
	OE__AUTO(value) struct oe__value line = { 0 };

	int status = oe__json_parse(text, size, &line, NULL);
	if (status == 0 && line.type == OE__VALUE_MAP)
		return read_line(&line, out);
	return status == OE_ERR_NOMEM ? status : 0;
}

/* ---- reading the file ---- */

static int add_line(struct oe__recording *recording, const char *text, size_t size, oe_error *err)
{
	OE__AUTO(recorded) struct oe__recorded recorded = { 0 };
	void *places = recording->places;

	int got = parse_line(text, size, &recorded);
	if (got == 0)
		return oe__error_at(err, OE_ERR_FORMAT, recording->path, (int)recording->count + 1, 0,
		                    "this is not a line of a recording of answers");
	if (got < 0 || oe__grow(&places, &recording->capacity, recording->count + 1,
	                        sizeof(*recording->places)) < 0)
		return oe__error_nomem(err);
	recording->places = places;
	recording->places[recording->count++] = (struct place){
		.key = recorded.key,
		.ordinal = recorded.ordinal,
		.offset = recording->size,
		.size = size,
		.judge = recorded.judge,
	};
	recording->counts[recorded.judge][LEFT]++;
	recording->size += (int64_t)size + 1;
	return 0;
}

/* All whole lines of the buffer, which keeps the rest. */
static int add_lines(struct oe__recording *recording, struct oe__buffer *buffer, oe_error *err)
{
	const char *at = oe__buffer_string(buffer), *end = at + buffer->size, *stop;
	int status = 0;

	while (status == 0 && (stop = memchr(at, '\n', (size_t)(end - at))) != NULL) {
		status = add_line(recording, at, (size_t)(stop - at), err);
		at = stop + 1;
	}
	size_t rest = (size_t)(end - at);
	if (status == 0 && buffer->size > 0) {
		memmove(buffer->data, at, rest);
		oe__buffer_truncate(buffer, rest);
	}
	return status;
}

/* Nothing is taken for a line of ours that was cut short, and lost with the next recorder, but what can be
   nothing else: less than the mark is enough only behind other lines. */
static bool is_torn(const struct oe__recording *recording, const char *text, size_t size)
{
	size_t shown = size < strlen(MARK) ? size : strlen(MARK);
	OE__AUTO(value) struct oe__value line = { 0 };

	return memcmp(text, MARK, shown) == 0 && (shown == strlen(MARK) || recording->count > 0) &&
	       oe__json_parse(text, size, &line, NULL) == OE_ERR_FORMAT;
}

/* The last line, if it has no end: an editor may have taken it away. */
static int add_rest(struct oe__recording *recording, const char *text, size_t size, oe_error *err)
{
	if (size == 0)
		return 0;
	if (is_torn(recording, text, size)) {
		recording->torn = size;
		return 0;
	}
	int status = add_line(recording, text, size, err);
	if (status == 0) {
		recording->size--;
		recording->unended = true;
	}
	return status;
}

static int read_file(struct oe__recording *recording, oe_error *err)
{
	OE__AUTO(buffer) struct oe__buffer buffer = OE__BUFFER_INIT(0);
	ssize_t got;

	do {
		if (oe__buffer_reserve(&buffer, READ_SIZE) < 0)
			return oe__error_nomem(err);
		got = read(recording->fd, buffer.data + buffer.size, READ_SIZE);
		if (got < 0)
			return oe__error_errno(err, "%s", recording->path);
		buffer.size += (size_t)got;
		int status = add_lines(recording, &buffer, err);
		if (status < 0)
			return status;
	} while (got > 0);
	return add_rest(recording, oe__buffer_string(&buffer), buffer.size, err);
}

/* ---- the index ---- */

static int by_order(const void *left, const void *right)
{
	const struct place *a = left, *b = right;
	int order = memcmp(a->key.prompt, b->key.prompt, sizeof(a->key.prompt));

	if (order == 0)
		order = (a->ordinal > b->ordinal) - (a->ordinal < b->ordinal);
	return order ? order : (a->offset > b->offset) - (a->offset < b->offset);
}

static int add_seed(struct oe__recording *recording, struct place *place)
{
	uint64_t seed = place->key.seed;

	place->same_seed = oe__map_get(&recording->by_seed, &seed, sizeof(seed));
	return oe__map_put(&recording->by_seed, &seed, sizeof(seed), place);
}

static int make_index(struct oe__recording *recording)
{
	size_t groups = 0;

	recording->groups = oe__calloc(recording->count + 1, sizeof(*recording->groups));
	if (!recording->groups)
		return OE_ERR_NOMEM;
	if (recording->count > 0)
		qsort(recording->places, recording->count, sizeof(*recording->places), by_order);
	for (size_t i = 0; i < recording->count; i++) {
		const uint8_t *prompt = recording->places[i].key.prompt;
		struct group *group = oe__map_get(&recording->by_prompt, prompt, OE__SHA256_SIZE);
		if (!group) {
			group = &recording->groups[groups++];
			*group = (struct group){ .first = i, .begin = i };
			if (oe__map_put(&recording->by_prompt, prompt, OE__SHA256_SIZE, group) < 0)
				return OE_ERR_NOMEM;
		}
		group->count++;
		if (add_seed(recording, &recording->places[i]) < 0)
			return OE_ERR_NOMEM;
	}
	return 0;
}

int oe__recording_open(const char *path, struct oe__recording **out, oe_error *err)
{
	OE__AUTO(recording) struct oe__recording *recording = oe__calloc(1, sizeof(*recording));
	if (!recording)
		return oe__error_nomem(err);
	recording->fd = -1;
	recording->path = oe__strdup(path);
	if (!recording->path)
		return oe__error_nomem(err);
	recording->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (recording->fd < 0)
		return oe__error_errno(err, "%s", path);
	int status = read_file(recording, err);
	if (status == 0 && make_index(recording) < 0)
		status = oe__error_nomem(err);
	if (status < 0)
		return status;
	*out = OE__STEAL(recording);
	return 0;
}

void oe__recording_free(struct oe__recording *recording)
{
	if (!recording)
		return;
	oe__fd_close(recording->fd);
	oe__map_done(&recording->by_seed);
	oe__map_done(&recording->by_prompt);
	oe__free(recording->groups);
	oe__free(recording->places);
	oe__free(recording->path);
	oe__free(recording);
}

size_t oe__recording_count(const struct oe__recording *recording, bool judges)
{
	size_t count = 0;

	for (size_t state = 0; state < STATES; state++)
		count += recording->counts[judges][state];
	return count;
}

size_t oe__recording_left(const struct oe__recording *recording, bool judges)
{
	return recording->counts[judges][LEFT];
}

size_t oe__recording_passed(const struct oe__recording *recording, bool judges)
{
	return recording->counts[judges][PASSED];
}

int64_t oe__recording_size(const struct oe__recording *recording)
{
	return recording->size;
}

size_t oe__recording_torn(const struct oe__recording *recording)
{
	return recording->torn;
}

bool oe__recording_is_unended(const struct oe__recording *recording)
{
	return recording->unended;
}

int64_t oe__recording_count_of(const struct oe__recording *recording,
                               const uint8_t prompt[OE__SHA256_SIZE])
{
	const struct group *group = oe__map_get(&recording->by_prompt, prompt, OE__SHA256_SIZE);
	return group ? (int64_t)group->count : 0;
}

/* ---- taking ---- */

static void move(struct oe__recording *recording, struct place *place, enum state state)
{
	size_t *counts = recording->counts[place->judge];

	counts[place->state]--;
	counts[state]++;
	place->state = state;
}

/* Of those in a state up to `last`. */
static struct place *choose(struct oe__recording *recording, const struct oe__recorded_key *key,
                            enum state last)
{
	struct group *group = oe__map_get(&recording->by_prompt, key->prompt, sizeof(key->prompt));
	struct place *places = recording->places, *first = NULL;
	size_t end = group ? group->first + group->count : 0;

	while (group && group->begin < end && places[group->begin].state == TAKEN)
		group->begin++;
	for (size_t i = group ? group->begin : 0; i < end; i++) {
		if (places[i].state > last)
			continue;
		if (places[i].key.seed == key->seed)
			return &places[i];
		if (!first && places[i].state != EARLIER)
			first = &places[i];
	}
	return first;
}

bool oe__recording_pass(struct oe__recording *recording, uint64_t seed, bool judges)
{
	struct place *place = oe__map_get(&recording->by_seed, &seed, sizeof(seed));

	while (place && (place->state != LEFT || place->judge != judges))
		place = place->same_seed;
	if (place)
		move(recording, place, PASSED);
	return place != NULL;
}

bool oe__recording_pass_given(struct oe__recording *recording, const struct oe__recorded_key *key,
                              bool judges)
{
	struct place *place = choose(recording, key, LEFT);

	if (!place)
		return oe__recording_pass(recording, key->seed, judges);
	move(recording, place, EARLIER);
	return true;
}

static int read_place(const struct oe__recording *recording, const struct place *place,
                      struct oe__recorded *out, oe_error *err)
{
	OE__AUTO(memory) char *text = oe__calloc(1, place->size + 1);
	size_t done = 0;

	if (!text)
		return oe__error_nomem(err);
	while (done < place->size) {
		ssize_t got = pread(recording->fd, text + done, place->size - done,
		                    (off_t)(place->offset + (int64_t)done));
		if (got < 0)
			return oe__error_errno(err, "%s", recording->path);
		if (got == 0)
			break;
		done += (size_t)got;
	}
	int parsed = done == place->size ? parse_line(text, place->size, out) : 0;
	if (parsed == 0)
		return oe__error_at(err, OE_ERR_FORMAT, recording->path, 0, 0,
		                    "the recording changed while it was read");
	return parsed < 0 ? oe__error_nomem(err) : 1;
}

int oe__recording_take(struct oe__recording *recording, const struct oe__recorded_key *key,
                       struct oe__recorded *out, oe_error *err)
{
	struct place *place = choose(recording, key, EARLIER);

	if (!place)
		return 0;
	int got = read_place(recording, place, out, err);
	if (got > 0)
		move(recording, place, TAKEN);
	return got;
}
