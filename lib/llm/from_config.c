/*
 * The backends that a configuration asks for: each model with its retries, several in a weighted
 * ensemble. The models behind HTTP share one client, so their connections are counted together.
 */

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "config/config.h"
#include "llm/command.h"
#include "llm/http.h"
#include "llm/llm.h"
#include "llm/provider.h"
#include "llm/recording.h"

#define SPREAD_MS 1000 /* about the latency of a fast model */

struct making {
	const oe_config *config;
	oe_scheduler *scheduler;
	struct oe__http *http; /* made for the first model that needs it */
	size_t response_max;
	int32_t concurrency;
	bool judges;
};

static int need_http(struct making *making, oe_error *err)
{
	struct oe__http_options options = {
		.connections_max = making->concurrency,
		.spread_ms = SPREAD_MS,
		.http2 = oe__config_bool(making->config, "llm.http2"),
		.proxy_http = oe__config_proxy(making->config, false),
		.proxy_https = oe__config_proxy(making->config, true),
		.no_proxy = oe__config_no_proxy(making->config),
		.ca_file = oe__config_ca_file(making->config),
	};

	return making->http ? 0 : oe__http_new(making->scheduler, &options, &making->http, err);
}

static int with_retries(struct making *making, const struct oe__model *model, oe_llm *backend,
						oe_llm **out, oe_error *err)
{
	if (oe_llm_retry_new(backend, making->scheduler, (int32_t)model->retries, model->retry_delay_ms,
						 out) < 0)
		return oe__error_nomem(err);
	oe__llm_set_limits(*out, making->response_max, making->concurrency);
	return 0;
}

static int make_program(struct making *making, const struct oe__model *model,
						const char *const *arguments, oe_llm **out, oe_error *err)
{
	struct oe__command_options options = {
		.name = model->name,
		.arguments = arguments,
		.timeout_ms = model->timeout_ms,
		.response_max = making->response_max,
	};

	return oe__command_new(making->config, making->scheduler, &options, out, err);
}

/* Claude Code answers once, as a text, and keeps nothing. */
static int make_claude(struct making *making, const struct oe__model *model, oe_llm **out,
					   oe_error *err)
{
	OE__AUTO(buffer) struct oe__buffer budget = OE__BUFFER_INIT(0);
	const char *arguments[] = { "claude", "-p", "--model", model->name, "--no-session-persistence",
								"--output-format", "text", NULL, NULL, NULL };

	if (model->budget_usd >= 0) {
		if (oe__buffer_printf(&budget, "%.15g", model->budget_usd) < 0)
			return oe__error_nomem(err);
		arguments[7] = "--max-budget-usd";
		arguments[8] = oe__buffer_string(&budget);
	}
	return make_program(making, model, arguments, out, err);
}

static int make_command(struct making *making, const struct oe__model *model, oe_llm **out,
						oe_error *err)
{
	if (model->claude_code)
		return make_claude(making, model, out, err);
	OE__AUTO(memory)
	const char **arguments = oe__calloc(model->command->size + 1, sizeof(*arguments));

	if (!arguments)
		return oe__error_nomem(err);
	for (size_t i = 0; i < model->command->size; i++)
		arguments[i] = model->command->items[i].string;
	return make_program(making, model, arguments, out, err);
}

static int make_backend(struct making *making, const struct oe__model *model, oe_llm **out,
						oe_error *err)
{
	OE__AUTO(llm) oe_llm *backend = NULL;
	int status;

	switch (model->backend) {
	case OE__BACKEND_OPENAI:
	case OE__BACKEND_AZURE:
	case OE__BACKEND_ANTHROPIC:
		status = need_http(making, err);
		if (status == 0)
			status = oe__provider_new(model, making->http, making->response_max, &backend, err);
		break;
	case OE__BACKEND_MUTATE: /* nothing to retry */
		return oe_llm_mutate_new(out) < 0 ? oe__error_nomem(err) : 0;
	case OE__BACKEND_COMMAND:
		status = make_command(making, model, &backend, err);
		break;
	default:
		return oe__error(err, OE_ERR_CONFIG, "this version has no LLM backend '%s'",
						 oe__backend_name(model->backend));
	}
	if (status < 0)
		return status;
	oe__llm_set_limits(backend, making->response_max, making->concurrency);
	if (oe__llm_set_tariff(backend, model->name, model->has_max_tokens ? model->max_tokens : 0) < 0)
		return oe__error_nomem(err);
	return with_retries(making, model, backend, out, err);
}

static int make_ensemble(struct making *making, const struct oe__models *models, oe_llm **out,
						 oe_error *err)
{
	OE__AUTO(llm) oe_llm *ensemble = NULL;
	int status = oe_llm_ensemble_new(&ensemble);

	if (status < 0)
		return oe__error_nomem(err);
	oe__llm_set_limits(ensemble, making->response_max, making->concurrency);
	for (size_t i = 0; i < models->count && status == 0; i++) {
		OE__AUTO(llm) oe_llm *member = NULL;

		status = make_backend(making, &models->items[i], &member, err);
		if (status == 0 && oe_llm_ensemble_add(ensemble, member, models->items[i].weight) < 0)
			status = oe__error_nomem(err);
	}
	if (status == 0)
		*out = OE__STEAL(ensemble);
	return status;
}

static struct making making_of(const oe_config *config, oe_scheduler *scheduler, bool judges)
{
	return (struct making){
		.config = config,
		.scheduler = scheduler,
		.response_max = (size_t)oe__config_int(config, "llm.max_response_bytes"),
		.concurrency = (int32_t)oe__config_int(config, "llm.concurrency"),
		.judges = judges,
	};
}

static int make_models(struct making *making, const struct oe__models *models, oe_llm **out,
					   oe_error *err)
{
	int status = models->count == 1 ? make_backend(making, &models->items[0], out, err)
									: make_ensemble(making, models, out, err);

	oe__http_unref(making->http);
	return status;
}

/* A file that cannot be opened, or is none of ours, is a wrong value of the option. */
static int wrong_file(const char *option, int status, const oe_error *why, oe_error *err)
{
	if (status != OE_ERR_IO && status != OE_ERR_FORMAT && status != OE_ERR_LIMIT)
		return oe__error(err, status, "%s", why->message);
	return oe__error_at(err, OE_ERR_CONFIG, why->where, why->line, why->column, "'%s': %s", option,
						why->message);
}

/* Around everything: what is recorded is what counted in the end. */
static int with_recorder(struct making *making, const char *path, oe_llm **llm, oe_error *err)
{
	OE__AUTO(llm) oe_llm *inner = *llm;

	oe_error why = { 0 };

	*llm = NULL;
	int status = oe__llm_record_new(inner, path, making->judges, llm, &why);
	if (status < 0)
		return wrong_file("llm.record", status, &why, err);
	oe__llm_set_limits(*llm, making->response_max, making->concurrency);
	return 0;
}

static int make_replay(struct making *making, const char *path, oe_llm **out, oe_error *err)
{
	if (oe__config_string(making->config, "llm.record"))
		return oe__error(err, OE_ERR_CONFIG,
						 "'llm.record' and 'llm.replay': what is replayed is recorded already");
	oe_error why = { 0 };
	int status = oe__llm_replay_new(path, making->judges, out, &why);
	if (status < 0)
		return wrong_file("llm.replay", status, &why, err);
	oe__llm_set_limits(*out, making->response_max, making->concurrency);
	return 0;
}

int oe_llm_from_config(const oe_config *config, oe_scheduler *scheduler, int judges, oe_llm **out,
					   oe_error *err)
{
	OE__AUTO(models) struct oe__models models = { 0 };

	if (!config || !scheduler || !out)
		return oe__error(err, OE_ERR_INVALID, "oe_llm_from_config: NULL argument");
	struct making making = making_of(config, scheduler, judges != 0);
	const char *replay = oe__config_string(config, "llm.replay");
	const char *record = oe__config_string(config, "llm.record");
	if (replay)
		return make_replay(&making, replay, out, err);
	int status =
		oe__config_models(config, judges ? OE__ROLE_JUDGE : OE__ROLE_EVOLUTION, &models, err);
	if (status == 0)
		status = make_models(&making, &models, out, err);
	if (status == 0 && record)
		status = with_recorder(&making, record, out, err);
	return status;
}

int oe_llm_from_config_at(const oe_config *config, oe_scheduler *scheduler, int judges,
						  size_t index, oe_llm **out, oe_error *err)
{
	OE__AUTO(models) struct oe__models models = { 0 };

	if (!config || !scheduler || !out)
		return oe__error(err, OE_ERR_INVALID, "oe_llm_from_config_at: NULL argument");
	struct making making = making_of(config, scheduler, judges != 0);
	int status =
		oe__config_models(config, judges ? OE__ROLE_JUDGE : OE__ROLE_EVOLUTION, &models, err);
	if (status < 0 || index >= models.count)
		return status;
	status = make_backend(&making, &models.items[index], out, err);
	oe__http_unref(making.http);
	return status < 0 ? status : 1;
}
