#include "llm/chat.h"

#include <assert.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"

#define ANTHROPIC_TOKENS 4096 /* that API demands a limit */

/* ---- the model ---- */

/* Whatever is before the last slash names a provider: "openai/o3". */
static bool is_reasoning(const char *name)
{
	static const char *const prefixes[] = { "o1",    "o3",           "o4-",
											"gpt-5", "gpt-oss-120b", "gpt-oss-20b" };
	const char *slash = strrchr(name, '/');
	const char *family = slash ? slash + 1 : name;

	for (size_t i = 0; i < OE__COUNT(prefixes); i++)
		if (strncasecmp(family, prefixes[i], strlen(prefixes[i])) == 0)
			return true;
	return false;
}

static enum oe__chat_dialect dialect_of(enum oe__backend backend)
{
	return backend == OE__BACKEND_ANTHROPIC ? OE__CHAT_ANTHROPIC
		   : backend == OE__BACKEND_AZURE   ? OE__CHAT_AZURE
											: OE__CHAT_OPENAI;
}

int oe__chat_model_init(struct oe__chat_model *chat, const struct oe__model *model)
{
	static const char google[] = "https://generativelanguage.googleapis.com/v1beta/openai";
	bool anthropic = model->backend == OE__BACKEND_ANTHROPIC;

	*chat = (struct oe__chat_model){
		.name = oe__strdup(model->name),
		.dialect = dialect_of(model->backend),
		.reasoning = !anthropic && is_reasoning(model->name),
		.has_temperature = model->has_temperature,
		.has_top_p = model->has_top_p,
		.has_max_tokens = model->has_max_tokens,
		/* These endpoints refuse what they do not know. */
		.has_seed = model->has_seed && !anthropic && strcmp(model->api_base, google) != 0,
		.temperature = model->temperature,
		.top_p = model->top_p,
		.max_tokens = model->has_max_tokens ? model->max_tokens : ANTHROPIC_TOKENS,
		.seed = model->seed,
		.reasoning_effort = oe__strdup(model->reasoning_effort),
		.verbosity = oe__strdup(model->verbosity),
	};
	if (anthropic) {
		/* The defaults are meant for OpenAI's API, and newer models take only one of the two. */
		chat->has_temperature = chat->has_temperature && (model->user_set & OE__MODEL_TEMPERATURE);
		chat->has_top_p = chat->has_top_p && (model->user_set & OE__MODEL_TOP_P);
	}
	if (chat->name && !chat->reasoning_effort == !model->reasoning_effort &&
		!chat->verbosity == !model->verbosity)
		return 0;
	oe__chat_model_done(chat);
	return OE_ERR_NOMEM;
}

void oe__chat_model_done(struct oe__chat_model *chat)
{
	oe__free(chat->name);
	oe__free(chat->reasoning_effort);
	oe__free(chat->verbosity);
	*chat = (struct oe__chat_model){ 0 };
}

/* ---- where and with what ---- */

static void append_encoded(struct oe__buffer *out, const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
					 strchr("-._~", c);
		if (plain)
			oe__buffer_char(out, *text);
		else
			oe__buffer_printf(out, "%%%02X", c);
	}
}

/* A resource's address, one that goes on to a deployment, or the newer API without versions. */
static void append_azure(struct oe__buffer *url, const struct oe__model *model)
{
	const char *base = model->api_base;
	bool unversioned = oe__has_suffix(base, "/openai/v1");

	if (!unversioned && !strstr(base, "/deployments/")) {
		oe__buffer_text(url, oe__has_suffix(base, "/openai") ? "" : "/openai");
		oe__buffer_text(url, "/deployments/");
		append_encoded(url, model->name);
	}
	oe__buffer_text(url, "/chat/completions");
	if (!unversioned && model->api_version && *model->api_version) {
		oe__buffer_text(url, "?api-version=");
		append_encoded(url, model->api_version);
	}
}

char *oe__chat_url(const struct oe__model *model)
{
	OE__AUTO(buffer) struct oe__buffer url = OE__BUFFER_INIT(0);

	oe__buffer_text(&url, model->api_base);
	switch (dialect_of(model->backend)) {
	case OE__CHAT_OPENAI:
		oe__buffer_text(&url, "/chat/completions");
		break;
	case OE__CHAT_AZURE:
		append_azure(&url, model);
		break;
	case OE__CHAT_ANTHROPIC:
		oe__buffer_text(&url, oe__has_suffix(model->api_base, "/v1") ? "" : "/v1");
		oe__buffer_text(&url, "/messages");
		break;
	}
	return oe__buffer_steal(&url, NULL);
}

static int add_key(struct oe__http_headers *headers, enum oe__chat_dialect dialect, const char *key)
{
	OE__AUTO(buffer) struct oe__buffer bearer = OE__BUFFER_INIT(0);

	if (dialect == OE__CHAT_ANTHROPIC)
		return oe__http_headers_add(headers, "x-api-key", key);
	if (dialect == OE__CHAT_AZURE)
		return oe__http_headers_add(headers, "api-key", key);
	if (oe__buffer_printf(&bearer, "Bearer %s", key) < 0)
		return bearer.status;
	return oe__http_headers_add(headers, "Authorization", oe__buffer_string(&bearer));
}

int oe__chat_headers(const struct oe__model *model, struct oe__http_headers **out)
{
	OE__AUTO(http_headers) struct oe__http_headers *headers = NULL;
	enum oe__chat_dialect dialect = dialect_of(model->backend);

	int status = oe__http_headers_new(&headers);
	if (status == 0 && model->api_key)
		status = add_key(headers, dialect, model->api_key);
	if (status == 0 && dialect == OE__CHAT_ANTHROPIC)
		status = oe__http_headers_add(headers, "anthropic-version", model->anthropic_version);
	if (status == 0 && model->organization)
		status = oe__http_headers_add(headers, "OpenAI-Organization", model->organization);
	if (status == 0 && model->project)
		status = oe__http_headers_add(headers, "OpenAI-Project", model->project);
	if (status == 0)
		*out = OE__STEAL(headers);
	return status;
}

/* ---- the JSON ---- */

void oe__chat_begin(struct oe__json_writer *writer, const struct oe__chat_model *chat)
{
	oe__json_map(writer);
	oe__json_key(writer, "model");
	oe__json_string(writer, chat->name);
	oe__json_key(writer, "messages");
	oe__json_list(writer);
}

void oe__chat_message(struct oe__json_writer *writer, const char *role, const char *text,
					  size_t size)
{
	oe__json_map(writer);
	oe__json_key(writer, "role");
	oe__json_string(writer, role);
	oe__json_key(writer, "content");
	oe__json_string_sized(writer, text, size);
	oe__json_map_end(writer);
}

static const char *limit_name(const struct oe__chat_model *chat, unsigned avoid)
{
	bool other = (avoid & OE__AVOID_LIMIT_NAME) != 0;
	return chat->reasoning != other ? "max_completion_tokens" : "max_tokens";
}

static bool sends_limit(const struct oe__chat_model *chat, unsigned avoid)
{
	return chat->dialect == OE__CHAT_ANTHROPIC ||
		   (chat->has_max_tokens && !(avoid & OE__AVOID_LIMIT));
}

/* What is sent besides the messages and the limit: the bit, its name, and whether it is. */
struct parameter {
	unsigned bit;
	const char *name;
	bool sent;
};

enum { TEMPERATURE, TOP_P, REASONING_EFFORT, VERBOSITY, SEED, PARAMETERS };

static void list_parameters(const struct oe__chat_model *chat, unsigned avoid,
							struct parameter list[PARAMETERS])
{
	bool openai = chat->dialect != OE__CHAT_ANTHROPIC;

	list[TEMPERATURE] = (struct parameter){ OE__AVOID_TEMPERATURE, "temperature",
											!chat->reasoning && chat->has_temperature };
	list[TOP_P] =
		(struct parameter){ OE__AVOID_TOP_P, "top_p", !chat->reasoning && chat->has_top_p };
	list[REASONING_EFFORT] = (struct parameter){ OE__AVOID_REASONING_EFFORT, "reasoning_effort",
												 openai && chat->reasoning_effort };
	list[VERBOSITY] =
		(struct parameter){ OE__AVOID_VERBOSITY, "verbosity", chat->reasoning && chat->verbosity };
	list[SEED] = (struct parameter){ OE__AVOID_SEED, "seed", chat->has_seed };
	for (size_t i = 0; i < PARAMETERS; i++)
		list[i].sent = list[i].sent && !(avoid & list[i].bit);
}

void oe__chat_end(struct oe__json_writer *writer, const struct oe__chat_model *chat, unsigned avoid,
				  int64_t seed)
{
	struct parameter list[PARAMETERS];

	oe__json_list_end(writer);
	list_parameters(chat, avoid, list);
	if (sends_limit(chat, avoid)) {
		oe__json_key(writer, limit_name(chat, avoid));
		oe__json_int(writer, chat->max_tokens);
	}
	for (size_t i = 0; i < PARAMETERS; i++) {
		if (!list[i].sent)
			continue;
		oe__json_key(writer, list[i].name);
		if (i == SEED)
			oe__json_int(writer, seed);
		else if (i == TEMPERATURE || i == TOP_P)
			oe__json_real(writer, i == TOP_P ? chat->top_p : chat->temperature);
		else
			oe__json_string(writer, i == VERBOSITY ? chat->verbosity : chat->reasoning_effort);
	}
	oe__json_map_end(writer);
}

struct oe__chat_model oe__chat_limited(const struct oe__chat_model *chat,
									   const oe_llm_request *request)
{
	struct oe__chat_model limited = *chat;

	if (request->max_tokens > 0) {
		limited.has_max_tokens = true;
		limited.max_tokens = request->max_tokens;
	}
	return limited;
}

int oe__chat_write(const struct oe__chat_model *chat, const oe_llm_request *request, unsigned avoid,
				   int64_t seed, struct oe__buffer *out)
{
	struct oe__json_writer writer = { .out = out };
	bool anthropic = chat->dialect == OE__CHAT_ANTHROPIC;
	struct oe__chat_model limited = oe__chat_limited(chat, request);

	if (request->max_tokens > 0)
		avoid &= ~(unsigned)OE__AVOID_LIMIT;
	/* Once, with what escapes usually need: prompts are large, and thousands are under way. */
	size_t texts = request->system_size + request->user_size;
	oe__buffer_reserve(out, texts + texts / 16 + 512);
	if (!anthropic) {
		oe__chat_begin(&writer, chat);
		if (request->system)
			oe__chat_message(&writer, "system", request->system, request->system_size);
	} else {
		oe__json_map(&writer);
		oe__json_key(&writer, "model");
		oe__json_string(&writer, chat->name);
		if (request->system_size > 0) {
			oe__json_key(&writer, "system");
			oe__json_string_sized(&writer, request->system, request->system_size);
		}
		oe__json_key(&writer, "messages");
		oe__json_list(&writer);
	}
	oe__chat_message(&writer, "user", request->user, request->user_size);
	oe__chat_end(&writer, &limited, avoid, seed);
	return out->status;
}

/* ---- complaints ---- */

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static bool names(const char *message, const char *word)
{
	size_t size = strlen(word);

	for (const char *at = message; (at = strstr(at, word)) != NULL; at += size)
		if ((at == message || !is_word(at[-1])) && !is_word(at[size]))
			return true;
	return false;
}

unsigned oe__chat_blamed(const struct oe__chat_model *chat, unsigned avoid, const char *parameter,
						 const char *message)
{
	const char *text = *parameter ? parameter : message;
	struct parameter list[PARAMETERS];

	/* A prompt that is too long for the limit: this prompt's fault, and not that of the parameter.
	 */
	if (strstr(message, "context"))
		return 0;
	list_parameters(chat, avoid, list);
	/* From the end: of temperature and top_p, where only one is wanted, the first one stays. */
	for (size_t i = PARAMETERS; i-- > 0;)
		if (list[i].sent && names(text, list[i].name))
			return list[i].bit;
	if (chat->dialect == OE__CHAT_ANTHROPIC || !sends_limit(chat, avoid) ||
		!names(text, limit_name(chat, avoid)))
		return 0;
	return avoid & OE__AVOID_LIMIT_NAME ? OE__AVOID_LIMIT : OE__AVOID_LIMIT_NAME;
}
