/* Which answer belongs to which path: the model's by chat.c, the server's own here. */
#include "server.h"

#include <jansson.h>
#include <stdlib.h>
#include <strings.h>

static const char *error_type(int status)
{
	switch (status) {
	case 401:
		return "authentication_error";
	case 403:
		return "permission_error";
	case 404:
		return "not_found_error";
	case 429:
		return "rate_limit_error";
	case 529:
		return "overloaded_error";
	default:
		return status < 500 ? "invalid_request_error" : "server_error";
	}
}

void reply_error(struct reply *reply, int status, bool anthropic, const char *code,
				 const char *message, struct slice param)
{
	struct text *body = &reply->body;

	reply->status = status;
	body->size = 0;
	if (anthropic) {
		text_format(body, "{\"type\":\"error\",\"error\":{\"type\":\"%s\",\"message\":\"%s\"}}",
					error_type(status), message);
		return;
	}
	text_format(body, "{\"error\":{\"message\":\"%s\",\"type\":\"%s\",\"param\":", message,
				error_type(status));
	if (param.size)
		text_format(body, "\"%.*s\"", (int)param.size, param.data);
	else
		text_puts(body, "null");
	if (code)
		text_format(body, ",\"code\":\"%s\"}}", code);
	else
		text_puts(body, ",\"code\":null}}");
}

/* A header's value, or `true` where it may be a secret. */
static json_t *shown_value(const char *name, const char *value)
{
	static const char *const shown[] = { "accept", "connection", "content-length",   "content-type",
										 "expect", "user-agent", "anthropic-version" };

	for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++)
		if (!strcasecmp(name, shown[i]))
			return json_string(value + strspn(value, " \t"));
	return json_true();
}

/* The last request to the model: its path, header names in lower case, and body. */
static void write_last(struct server *server, struct text *out)
{
	json_t *headers = json_object();
	char *head =
		strndup(server->last_head.data ? server->last_head.data : "", server->last_head.size);
	char *rest = head, *path = strsep(&rest, "\r"), *name;

	while (rest && (name = strsep(&rest, "\r")) && *++name) { /* behind the line feed */
		char *value = strchr(name, ':');
		*value++ = 0;
		for (char *c = name; *c; c++)
			if (*c >= 'A' && *c <= 'Z')
				*c = (char)(*c | 0x20);
		json_object_set_new(headers, name, shown_value(name, value));
	}
	strsep(&path, " ");
	path = path ? strsep(&path, " ?") : head; /* a query may hold a key */
	json_t *root =
		json_pack("{s:s, s:o, s:o}", "path", path, "headers", headers, "body",
				  json_stringn_nocheck(server->last_body.data ? server->last_body.data : "",
									   server->last_body.size));
	char *dumped = json_dumps(root, 0);
	text_puts(out, dumped ? dumped : "{}");
	free(dumped);
	free(head);
	json_decref(root);
}

static void control(struct server *server, const struct request *request, struct reply *reply)
{
	double seed = server->settings.seed;
	const char *wrong = settings_control(&server->settings, request->body);

	if (wrong) {
		reply_error(reply, 400, false, NULL, wrong, (struct slice){ 0 });
		return;
	}
	if (slice_find(request->body, "\"script\""))
		server->step = 0;
	if (slice_find(request->body, "\"seed\"") || seed != server->settings.seed)
		server->number = server->step = 0;
	text_puts(&reply->body, "{}");
}

void serve(struct server *server, const struct request *request)
{
	struct reply *reply = &server->reply;
	bool post = slice_is(request->method, "POST"),
		 anthropic = slice_ends(request->path, "/messages");

	tally_add(&server->stats.paths, request->path);
	if (anthropic || slice_ends(request->path, "/chat/completions")) {
		serve_chat(server, request, anthropic);
	} else if (slice_ends(request->path, "/models")) {
		text_puts(&reply->body,
				  "{\"object\":\"list\",\"data\":[{\"id\":\"fake\",\"object\":\"model\","
				  "\"created\":1700000000,\"owned_by\":\"fake_llm\"}]}");
	} else if (slice_is(request->path, "/stats")) {
		stats_write(&server->stats, &reply->body);
	} else if (slice_is(request->path, "/last")) {
		write_last(server, &reply->body);
	} else if (slice_is(request->path, "/control") && post) {
		control(server, request, reply);
	} else if (slice_is(request->path, "/reset") && post) {
		stats_reset(&server->stats);
		text_puts(&reply->body, "{}");
	} else {
		reply_error(reply, 404, false, NULL, "no such path", (struct slice){ 0 });
	}
}
