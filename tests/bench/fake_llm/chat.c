/* The model's answers in the forms of OpenAI's chat completions and Anthropic's messages, and all
   the ways in which they go wrong. */
#include "server.h"

#include <jansson.h>
#include <math.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* What the request's JSON says; slices are still escaped. */
struct chat {
	struct slice model, refused; /* refused: a parameter that the settings call unsupported */
	struct scan prompt;          /* the content of the last user message */
	struct scan system;          /* of the system message, or the member of that name */
	size_t input_size;           /* of all contents */
	bool has_messages, has_max_tokens, stream;
};

/* What was drawn for this request. */
struct plan {
	uint64_t number;
	enum fault fault;
	double latency_ms;
	const char *content; /* from a script; NULL: as the mode says */
};

static bool listed(const char *list, struct slice name)
{
	for (const char *at = list; *at; at += strspn(at, ", ")) {
		size_t size = strcspn(at, ", ");
		if (size == name.size && !memcmp(at, name.data, size))
			return true;
		at += size;
	}
	return false;
}

static bool read_message(struct scan *scan, struct chat *chat)
{
	struct slice key, role = { 0 };
	struct scan content = *scan;

	if (!scan_enter(scan, '{'))
		return false;
	while (scan_member(scan, &key)) {
		struct scan start = *scan;
		if (!scan_skip(scan))
			return false;
		if (slice_is(key, "content")) {
			content = start;
			content.end = scan->at;
			chat->input_size += (size_t)(content.end - content.at);
		} else if (slice_is(key, "role")) {
			scan_string(&start, &role);
		}
	}
	if (slice_is(role, "user"))
		chat->prompt = content;
	else if (slice_is(role, "system"))
		chat->system = content;
	return scan_enter(scan, '}');
}

static bool read_messages(struct scan *scan, struct chat *chat)
{
	if (!scan_enter(scan, '['))
		return false;
	while (scan_element(scan))
		if (!read_message(scan, chat))
			return false;
	return scan_enter(scan, ']');
}

static bool read_chat(const struct settings *settings, struct slice body, struct chat *chat)
{
	struct scan scan = { body.data, body.data + body.size };
	struct slice key;

	*chat = (struct chat){ 0 };
	if (!scan_enter(&scan, '{'))
		return false;
	while (scan_member(&scan, &key)) {
		if (settings->unsupported[0] && !chat->refused.size && listed(settings->unsupported, key))
			chat->refused = key;
		if (slice_is(key, "messages")) {
			chat->has_messages = true;
			if (!read_messages(&scan, chat))
				return false;
			continue;
		}
		struct scan value = scan;
		if (!scan_skip(&scan))
			return false;
		if (slice_is(key, "model"))
			scan_string(&value, &chat->model);
		if (slice_is(key, "system"))
			chat->system = (struct scan){ value.at, scan.at };
		chat->has_max_tokens |= slice_is(key, "max_tokens");
		chat->stream |=
			slice_is(key, "stream") &&
			slice_ends((struct slice){ value.at, (size_t)(scan.at - value.at) }, "true");
	}
	return scan_enter(&scan, '}');
}

/* The text of a content: a string, or an array of parts with a text each. */
static void read_prompt(struct scan content, struct text *out)
{
	struct slice string, key;

	if (scan_string(&content, &string)) {
		text_add_unescaped(out, string);
		return;
	}
	if (!scan_enter(&content, '['))
		return;
	while (scan_element(&content) && scan_enter(&content, '{')) {
		while (scan_member(&content, &key)) {
			if (slice_is(key, "text") && scan_string(&content, &string))
				text_add_unescaped(out, string);
			else if (!scan_skip(&content))
				return;
		}
		scan_enter(&content, '}');
	}
}

static bool is_valid(struct slice body)
{
	json_t *root = json_loadb(body.data, body.size, JSON_REJECT_DUPLICATES, NULL);
	bool valid = json_is_object(root);

	json_decref(root);
	return valid;
}

static bool has_key(const struct server *server, const struct request *request, bool anthropic)
{
	const char *key = server->settings.key;
	struct slice given = request->authorization;

	if (!*key)
		return true;
	if (anthropic)
		return slice_is(request->x_api_key, key);
	if (slice_find(request->path, "/deployments/") && slice_is(request->api_key, key))
		return true;
	return given.size > 7 && !strncasecmp(given.data, "Bearer ", 7) &&
		   slice_is((struct slice){ given.data + 7, given.size - 7 }, key);
}

static struct plan draw(struct server *server)
{
	const struct settings *settings = &server->settings;
	uint64_t seed = (uint64_t)settings->seed, number = server->number++;
	struct plan plan = { number, FAULT_NONE, -1, NULL };
	double share = mix_share(seed, MIX_FAULT, number);

	if (settings->mode == MODE_SCRIPT && server->step >= settings->step_count)
		server->step = 0;
	if (server->step < settings->step_count) {
		const struct step *step = &settings->steps[server->step++];
		plan.fault = step->fault;
		plan.latency_ms = step->latency;
		plan.content = step->content;
	} else {
		int fault = 0;
		for (; fault < FAULT_COUNT && share >= settings->rate[fault]; fault++)
			share -= settings->rate[fault];
		plan.fault = (enum fault)fault;
	}
	if (plan.latency_ms >= 0)
		return plan;
	plan.latency_ms = fault_statuses[plan.fault] ? settings->error_latency : settings->latency;
	if (settings->latency_sigma > 0 && !fault_statuses[plan.fault]) {
		double radius = sqrt(-2 * log(1 - mix_share(seed, MIX_LATENCY, 2 * number)));
		double angle = 2 * 3.14159265358979323846 * mix_share(seed, MIX_LATENCY, 2 * number + 1);
		plan.latency_ms *= exp(settings->latency_sigma * radius * cos(angle));
	}
	return plan;
}

/* An error answer of the provider. */
static void write_status(const struct settings *settings, struct reply *reply, bool anthropic)
{
	static const struct {
		enum fault fault;
		const char *code, *message;
	} errors[] = {
		{ FAULT_400, "context_length_exceeded",
		  "This model's maximum context length is 8192 tokens." },
		{ FAULT_401, "invalid_api_key", "Incorrect API key provided." },
		{ FAULT_403, "unsupported_country_region_territory", "Permission denied." },
		{ FAULT_404, "model_not_found",
		  "The model does not exist or you do not have access to it." },
		{ FAULT_429, "rate_limit_exceeded", "Rate limit reached. Please try again later." },
	};
	const char *code = NULL, *message = "The server had an error while processing your request.";
	int status = fault_statuses[reply->fault];

	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (errors[i].fault == reply->fault) {
			code = errors[i].code;
			message = errors[i].message;
		}
	reply_error(reply, status, anthropic, code, message, (struct slice){ 0 });
	if (settings->retry_after[0] && (status == 429 || status == 503 || status == 529))
		text_format(&reply->headers, "Retry-After: %s\r\n", settings->retry_after);
	if (reply->fault == FAULT_502) {
		reply->type = "text/html";
		reply->body.size = 0;
		text_puts(&reply->body, "<html><head><title>502 Bad Gateway</title></head></html>\n");
	}
}

static void add_string(struct text *out, const char *before, struct slice content,
					   const char *after)
{
	text_puts(out, before);
	text_add_escaped(out, content.data, content.size);
	text_puts(out, after);
}

/* Splits at a place near the middle where no character is cut. */
static struct slice first_half(struct slice content)
{
	size_t half = content.size / 2;

	while (half && ((unsigned char)content.data[half] & 0xc0) == 0x80)
		half--;
	return (struct slice){ content.data, half };
}

static void write_openai(struct text *out, enum fault fault, struct slice content)
{
	const char *finish = "stop";
	struct slice half = first_half(content),
				 rest = { half.data + half.size, content.size - half.size };

	text_puts(out, "\"choices\":[");
	if (fault == FAULT_NO_CHOICES) {
		text_puts(out, "]");
		return;
	}
	text_puts(out, "{\"index\":0,\"message\":{\"role\":\"assistant\",");
	switch (fault) {
	case FAULT_PARTS:
		add_string(out, "\"content\":[{\"type\":\"text\",\"text\":\"", half, "\"},");
		add_string(out, "{\"type\":\"text\",\"text\":\"", rest, "\"}]");
		break;
	case FAULT_NULL:
		add_string(out, "\"content\":null,\"reasoning_content\":\"", content, "\"");
		break;
	case FAULT_REFUSAL:
		text_puts(out, "\"content\":null,\"refusal\":\"I'm sorry, I can't help with that.\"");
		break;
	case FAULT_LENGTH:
		finish = "length";
		add_string(out, "\"content\":\"", half, "\"");
		break;
	default:
		finish = fault == FAULT_FILTER ? "content_filter" : finish;
		add_string(out, "\"content\":\"", content, "\"");
	}
	text_format(out, "},\"logprobs\":null,\"finish_reason\":\"%s\"}]", finish);
}

static void write_anthropic(struct text *out, enum fault fault, struct slice content)
{
	struct slice half = first_half(content),
				 rest = { half.data + half.size, content.size - half.size };
	const char *stop = fault == FAULT_LENGTH                             ? "max_tokens"
					   : fault == FAULT_REFUSAL || fault == FAULT_FILTER ? "refusal"
																		 : "end_turn";

	text_puts(out, "\"content\":[");
	if (fault == FAULT_NULL)
		add_string(out, "{\"type\":\"thinking\",\"signature\":\"\",\"thinking\":\"", content,
				   "\"}");
	else if (fault != FAULT_NO_CHOICES && fault != FAULT_REFUSAL)
		add_string(out, "{\"type\":\"text\",\"text\":\"",
				   fault == FAULT_LENGTH || fault == FAULT_PARTS ? half : content, "\"}");
	if (fault == FAULT_PARTS)
		add_string(out, ",{\"type\":\"text\",\"text\":\"", rest, "\"}");
	text_format(out, "],\"stop_reason\":\"%s\",\"stop_sequence\":null", stop);
}

/* What the model says. */
static void write_content(struct server *server, const struct plan *plan, const struct chat *chat,
						  struct text *out)
{
	static struct text prompt;
	const struct settings *settings = &server->settings;

	out->size = prompt.size = 0;
	if (plan->fault == FAULT_THINK)
		text_puts(out,
				  "<think>\nFirst I look at the inner loop, then at the constants.\n</think>\n\n");
	if (plan->content)
		text_puts(out, plan->content);
	else if (plan->fault == FAULT_NO_DIFF)
		answer_prose(mix((uint64_t)settings->seed, MIX_EDIT, plan->number),
					 (size_t)settings->answer_bytes, out);
	else if (plan->fault != FAULT_EMPTY && plan->fault != FAULT_REFUSAL &&
			 plan->fault != FAULT_FILTER) {
		read_prompt(chat->prompt, &prompt);
		if (!answer_write(settings, (struct slice){ prompt.data, prompt.size }, plan->number, out))
			server->stats.edits_missed++;
	}
}

static void write_completion(struct server *server, const struct plan *plan,
							 const struct chat *chat, bool anthropic)
{
	static struct text content;
	struct text *out = &server->reply.body;
	struct slice model = chat->model.size ? chat->model : SLICE("fake");

	write_content(server, plan, chat, &content);
	struct slice said = { content.data ? content.data : "", content.size };
	size_t in = chat->input_size / 4, used = said.size / 4;
	text_format(out,
				anthropic ? "{\"id\":\"msg_%016llx\",\"type\":\"message\",\"role\":\"assistant\","
						  : "{\"id\":\"chatcmpl-%016llx\",\"object\":\"chat.completion\",",
				(unsigned long long)plan->number);
	if (!anthropic)
		text_format(out, "\"created\":%lld,", (long long)time(NULL));
	text_format(out, "\"model\":\"%.*s\",", (int)model.size, model.data);
	if (anthropic) {
		write_anthropic(out, plan->fault, said);
		text_format(out, ",\"usage\":{\"input_tokens\":%zu,\"output_tokens\":%zu}}", in, used);
	} else {
		write_openai(out, plan->fault, said);
		text_format(
			out,
			",\"usage\":{\"prompt_tokens\":%zu,\"completion_tokens\":%zu,\"total_tokens\":%zu}}",
			in, used, in + used);
	}
	if (plan->fault == FAULT_BAD_JSON)
		out->size = out->size * 2 / 3;
	server->stats.tokens_in += in;
	server->stats.tokens_out += used;
}

/* Answers what a real server refuses before it asks the model. */
static bool refuse(struct server *server, const struct request *request, const struct chat *chat,
				   bool parsed, bool anthropic)
{
	struct reply *reply = &server->reply;
	const char *wrong = NULL;
	char message[256];

	if (!slice_is(request->method, "POST")) {
		reply_error(reply, 405, anthropic, NULL, "Not allowed; use POST.", (struct slice){ 0 });
	} else if (!has_key(server, request, anthropic)) {
		reply_error(reply, 401, anthropic, "invalid_api_key", "Incorrect API key provided.",
					(struct slice){ 0 });
	} else if (slice_find(request->path, "/openai/deployments/") &&
			   !slice_find(request->query, "api-version=")) {
		reply_error(reply, 404, anthropic, "404", "Resource not found", (struct slice){ 0 });
	} else if (chat->refused.size) {
		bool renamed = slice_is(chat->refused, "max_tokens");
		snprintf(message, sizeof(message),
				 "Unsupported parameter: '%.*s' is not supported with this model.%s",
				 (int)(chat->refused.size < 64 ? chat->refused.size : 64), chat->refused.data,
				 renamed ? " Use 'max_completion_tokens' instead." : "");
		reply_error(reply, 400, anthropic, "unsupported_parameter", message, chat->refused);
	} else {
		if (!parsed || (server->settings.strict != 0 && !is_valid(request->body)))
			wrong = "We could not parse the JSON body of your request.";
		else if (!chat->has_messages)
			wrong = "Missing required parameter: 'messages'.";
		else if (anthropic && !chat->has_max_tokens)
			wrong = "max_tokens: Field required";
		else if (chat->stream)
			wrong = "this fake does not stream";
		else
			return false;
		reply_error(reply, 400, anthropic, NULL, wrong, (struct slice){ 0 });
	}
	reply->latency_ms = server->settings.error_latency;
	return true;
}

/* A line for this request: SHA-256 over the system message, a zero byte, the user's message. */
static void write_journal(int fd, const struct chat *chat)
{
	static struct text prompt;
	unsigned char digest[SHA256_DIGEST_LENGTH];
	char line[2 * SHA256_DIGEST_LENGTH + 2];

	prompt.size = 0;
	read_prompt(chat->system, &prompt);
	text_add(&prompt, "", 1);
	read_prompt(chat->prompt, &prompt);
	SHA256((const unsigned char *)prompt.data, prompt.size, digest);
	for (size_t i = 0; i < sizeof(digest); i++)
		snprintf(line + 2 * i, 3, "%02x", digest[i]);
	line[sizeof(line) - 2] = '\n';
	if (write(fd, line, sizeof(line) - 1) < 0)
		abort(); /* whoever counts must not count too few */
}

void serve_chat(struct server *server, const struct request *request, bool anthropic)
{
	struct reply *reply = &server->reply;
	struct chat chat;
	bool parsed = read_chat(&server->settings, request->body, &chat);

	stats_request(&server->stats, now_us());
	tally_add(&server->stats.models, chat.model.size ? chat.model : SLICE("-"));
	server->last_head.size = server->last_body.size = 0;
	text_add(&server->last_head, request->head.data, request->head.size);
	text_add(&server->last_body, request->body.data, request->body.size);
	reply->chat = true;
	if (refuse(server, request, &chat, parsed, anthropic))
		return;

	if (server->journal_fd >= 0)
		write_journal(server->journal_fd, &chat);
	struct plan plan = draw(server);
	reply->fault = plan.fault;
	reply->latency_ms = plan.latency_ms;
	server->stats.faults[plan.fault]++;
	if (fault_statuses[plan.fault])
		write_status(&server->settings, reply, anthropic);
	else
		write_completion(server, &plan, &chat, anthropic);
}
