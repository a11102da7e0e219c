/* The table of settings; see settings.h. */
#include "settings.h"

#include <jansson.h>
#include <stddef.h>
#include <stdlib.h>

#define X(id, name, status, help) name,
const char *const fault_names[FAULT_COUNT + 1] = { FAULTS(X) "none" };
#undef X
#define X(id, name, status, help) status,
const int fault_statuses[FAULT_COUNT + 1] = { FAULTS(X) 0 };
#undef X
#define X(id, name, status, help) help,
static const char *const fault_helps[FAULT_COUNT] = { FAULTS(X) };
#undef X

static const char *const mode_names[] = { "diff", "rewrite", "echo", "none", "garbage", "script" };

#define MODE_COUNT    (sizeof(mode_names) / sizeof(mode_names[0]))
#define NUMBER(field) offsetof(struct settings, field), 0
#define STRING(field) offsetof(struct settings, field), sizeof(((struct settings *)0)->field)

static const struct spec {
	const char *name;
	size_t offset, size; /* size: of a string, 0 for a number */
	double min, max, initial;
	const char *help;
} specs[] = {
	{ "port", NUMBER(port), 0, 65535, 0,
	  "port on 127.0.0.1; 0: any, printed as 'listening on PORT'" },
	{ "until-eof", NUMBER(until_eof), 0, 1, 0, "1: end when standard input does" },
	{ "seed", NUMBER(seed), 0, 9e15, 1,
	  "seed of faults, latencies and edits; restarts the numbering" },
	{ "latency", NUMBER(latency), 0, 1e7, 0,
	  "ms from a complete request to its answer; the median, if it varies" },
	{ "latency-sigma", NUMBER(latency_sigma), 0, 5, 0, "sigma of a lognormal latency; 0: fixed" },
	{ "error-latency", NUMBER(error_latency), 0, 1e7, 0,
	  "ms to an error answer (status other than 200)" },
	{ "mode", STRING(mode_name), 0, 0, 0,
	  "diff, rewrite, echo, none (prose), garbage, script (over and over)" },
	{ "answer-bytes", NUMBER(answer_bytes), 0, 1e8, 1000, "pad answers with prose to this size" },
	{ "blocks", NUMBER(blocks), 1, 8, 1, "edits per answer" },
	{ "pure", NUMBER(pure), 0, 1, 0,
	  "1: an edit depends on seed and prompt alone; 0: no two answers agree" },
	{ "strict", NUMBER(strict), 0, 1, 0, "1: a body that is not valid JSON gets 400 (slow)" },
	{ "retry-after", STRING(retry_after), 0, 0, 0,
	  "Retry-After of 429, 503 and 529, sent as it is; empty: none" },
	{ "unsupported", STRING(unsupported), 0, 0, 0,
	  "parameters (comma between) that get 400 while present" },
	{ "key", STRING(key), 0, 0, 0, "requests without this key get 401; empty: none needed" },
	{ "journal", STRING(journal), 0, 0, 0,
	  "at the start: append a line per request to this file, the SHA-256 of its prompt" },
	{ "close-after", NUMBER(close_after), 0, 1e9, 0,
	  "answers per connection before it is closed; 0: any" },
	{ "idle-close", NUMBER(idle_close), 0, 1e7, 0,
	  "close a connection idle for so many ms; 0: never" },
	{ "drip-bytes", NUMBER(drip_bytes), 1, 1e6, 16, "see rate-slow" },
	{ "drip-ms", NUMBER(drip_ms), 1, 1e6, 10, "see rate-slow" },
	{ "down", NUMBER(down), 0, 1e7, 0,
	  "by /control: close everything and refuse connections for so many ms" },
	{ "release", NUMBER(release), 0, 1, 0,
	  "by /control: what waits for its latency is answered now" },
};

#define SPEC_COUNT (sizeof(specs) / sizeof(specs[0]))

static double *number_at(struct settings *settings, const struct spec *spec)
{
	return (double *)(void *)((char *)settings + spec->offset);
}

void settings_init(struct settings *settings)
{
	*settings = (struct settings){ .mode_name = "diff" };
	for (size_t i = 0; i < SPEC_COUNT; i++)
		if (!specs[i].size)
			*number_at(settings, &specs[i]) = specs[i].initial;
}

static void free_steps(struct settings *settings)
{
	for (size_t i = 0; i < settings->step_count; i++)
		free(settings->steps[i].content);
	free(settings->steps);
	settings->steps = NULL;
	settings->step_count = 0;
}

void settings_free(struct settings *settings)
{
	free_steps(settings);
}

static int find_name(const char *const *names, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(names[i], name))
			return (int)i;
	return -1;
}

/* What the table cannot say. */
static const char *check(struct settings *settings)
{
	double sum = 0;

	for (size_t i = 0; i < FAULT_COUNT; i++)
		sum += settings->rate[i];
	if (sum > 1 + 1e-9)
		return "the rates add up to more than 1";
	int mode = find_name(mode_names, MODE_COUNT, settings->mode_name);
	if (mode < 0)
		return "no such mode";
	settings->mode = (enum mode)mode;
	return NULL;
}

static const char *set_number(double *place, const char *value, double min, double max)
{
	char *end;
	double number = strtod(value, &end);

	if (end == value || *end || !(number >= min && number <= max))
		return "not a number in the range of this setting";
	*place = number;
	return NULL;
}

static const char *set_unchecked(struct settings *settings, const char *name, const char *value)
{
	if (!strncmp(name, "rate-", 5)) {
		int fault = find_name(fault_names, FAULT_COUNT, name + 5);
		return fault < 0 ? "no such fault" : set_number(&settings->rate[fault], value, 0, 1);
	}
	for (size_t i = 0; i < SPEC_COUNT; i++) {
		const struct spec *spec = &specs[i];
		if (strcmp(spec->name, name))
			continue;
		if (!spec->size)
			return set_number(number_at(settings, spec), value, spec->min, spec->max);
		if (strlen(value) >= spec->size || strpbrk(value, "\r\n"))
			return "too long, or more than one line";
		strcpy((char *)settings + spec->offset, value);
		return NULL;
	}
	return "no such setting";
}

const char *settings_set(struct settings *settings, const char *name, const char *value)
{
	const char *wrong = set_unchecked(settings, name, value);

	return wrong ? wrong : check(settings);
}

/* One step: a string is the content; an object has any of content, fault, latency. */
static const char *read_step(json_t *json, struct step *step)
{
	json_t *content = json_is_string(json) ? json : json_object_get(json, "content");
	json_t *fault = json_object_get(json, "fault"), *latency = json_object_get(json, "latency");
	int number = FAULT_NONE;

	if (!json_is_string(json) && !json_is_object(json))
		return "a step of a script is neither a string nor an object";
	if (fault)
		number = json_is_string(fault)
					 ? find_name(fault_names, FAULT_COUNT + 1, json_string_value(fault))
					 : -1;
	if (number < 0 || (content && !json_is_string(content)) ||
		(latency && !json_is_number(latency)))
		return "a step of a script has no such fault, or a member of the wrong type";
	step->fault = (enum fault)number;
	step->latency = latency ? json_number_value(latency) : -1;
	step->content = content ? strdup(json_string_value(content)) : NULL;
	return NULL;
}

static const char *set_script(struct settings *settings, json_t *script)
{
	struct settings fresh = { .steps = calloc(json_array_size(script) + 1, sizeof(struct step)) };

	if (!json_is_array(script) || !fresh.steps) {
		free(fresh.steps);
		return "a script is an array of steps";
	}
	for (; fresh.step_count < json_array_size(script); fresh.step_count++) {
		json_t *step = json_array_get(script, fresh.step_count);
		const char *wrong = read_step(step, &fresh.steps[fresh.step_count]);
		if (wrong) {
			free_steps(&fresh);
			return wrong;
		}
	}
	free_steps(settings);
	settings->steps = fresh.steps;
	settings->step_count = fresh.step_count;
	return NULL;
}

static const char *set_member(struct settings *settings, const char *name, json_t *value)
{
	char number[40];

	if (json_is_string(value))
		return set_unchecked(settings, name, json_string_value(value));
	if (!json_is_number(value) && !json_is_boolean(value))
		return "a value is neither a string nor a number";
	snprintf(number, sizeof(number), "%.15g",
			 json_is_boolean(value) ? json_is_true(value) : json_number_value(value));
	return set_unchecked(settings, name, number);
}

const char *settings_control(struct settings *settings, struct slice json)
{
	json_t *root = json_loadb(json.data, json.size, 0, NULL), *value, *script;
	struct settings changed = *settings;
	const char *wrong = json_is_object(root) ? NULL : "the body is not a JSON object", *name;

	json_object_foreach(root, name, value) if (!wrong && strcmp(name, "script")) wrong =
		set_member(&changed, name, value);
	if (!wrong)
		wrong = check(&changed);
	script = json_object_get(root, "script");
	if (!wrong && script) /* last, because it cannot be taken back */
		wrong = set_script(&changed, script);
	if (!wrong)
		*settings = changed;
	json_decref(root);
	return wrong;
}

const char *settings_script_file(struct settings *settings, const char *path)
{
	json_t *script = json_load_file(path, 0, NULL);
	const char *wrong = script ? set_script(settings, script) : "no such file, or not JSON";

	json_decref(script);
	return wrong;
}

void settings_help(FILE *to)
{
	fputs("usage: fake_llm [--NAME VALUE]... [--script FILE]\n\nA fake model server for tests; see "
		  "README.md "
		  "beside its source. The same names are set while it runs by\nPOST /control with a JSON "
		  "object.\n\n",
		  to);
	for (size_t i = 0; i < SPEC_COUNT; i++)
		fprintf(to, "  --%-14s %s\n", specs[i].name, specs[i].help);
	fputs("  --script         JSON array of steps, played once before the mode: \"content\" or\n"
		  "                   {\"content\", \"fault\", \"latency\"}; a step {} is an ordinary "
		  "answer\n\n"
		  "  --rate-FAULT     share of requests from 0 to 1; FAULT is one of\n",
		  to);
	for (size_t i = 0; i < FAULT_COUNT; i++)
		fprintf(to, "    %-12s   %s\n", fault_names[i], fault_helps[i]);
}
