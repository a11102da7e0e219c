/*
 * Building what a run is made of. The order matters to people: what is wrong with their files shows
 * before anything is started.
 */

#include "session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "cli.h"
#include "files.h"
#include "settings.h"
#include "text.h"

const char session_no_model[] =
	"no model is configured: name one with --primary-model (and --api-base), or try without a "
	"model by --set llm.backend=mutate";

/* OpenEvolve reads programs as text with universal line ends. */
static void to_line_feeds(struct text *text)
{
	size_t out = 0;

	for (size_t i = 0; i < text->size; i++) {
		char c = text->data[i];
		if (c == '\r' && i + 1 < text->size && text->data[i + 1] == '\n')
			continue;
		text->data[out++] = c == '\r' ? '\n' : c;
	}
	text_cut(text, out);
}

/* YAML's suffix, unless it is the ".py" that everybody copies; else the program's own; else ".py". */
static char *choose_suffix(const oe_config *config, const char *extension)
{
	const char *given = settings_text(config, "file_suffix");

	if (given && *given && strcmp(given, ".py") != 0)
		return must_copy(given);
	return must_copy(*extension ? extension : ".py");
}

int session_read_program(struct session *session, const char *path)
{
	AUTO(text) struct text code = TEXT_INIT;

	if (file_read(path, &code) < 0)
		return message_fail(EXIT_FAILED, "initial program: %s: %s", path, strerror(errno));
	to_line_feeds(&code);
	if (code.size == 0)
		return message_fail(EXIT_FAILED, "initial program: %s is empty", path);
	const char *guess = oe_language_guess(path, code.data, code.size);
	int status = settings_assume(session->config, "language", guess, path);
	if (status)
		return status;
	const char *extension = path_extension(path);
	session->program_path = must_copy(path);
	session->extension = must_copy(*extension ? extension : ".py");
	session->suffix = choose_suffix(session->config, extension);
	int made = oe_program_new(code.data, code.size, settings_text(session->config, "language"),
							  &session->program);
	if (made == OE_ERR_INVALID)
		return message_fail(EXIT_FAILED, "initial program: %s is not UTF-8 text", path);
	if (made == OE_ERR_LIMIT)
		return message_fail(EXIT_FAILED, "initial program: %s is too large (%zu bytes)", path,
							code.size);
	return made < 0 ? message_error(EXIT_FAILED, made, NULL) : EXIT_DONE;
}

int session_start_scheduler(struct session *session)
{
	oe_error err = { 0 };
	int status = oe_scheduler_new(0, &session->scheduler, &err);

	return status < 0 ? message_error(EXIT_FAILED, status, &err) : EXIT_DONE;
}

static int make_llm(struct session *session)
{
	oe_error err = { 0 };
	const oe_model *model = NULL;
	bool asks = !settings_text(session->config, "llm.replay");

	int got = asks ? oe_config_model(session->config, 0, 0, &model, &err) : 1;
	if (got == 0)
		return message_fail(EXIT_CONFIG, "%s", session_no_model);
	if (got < 0)
		return message_error(EXIT_CONFIG, got, &err);
	int status = oe_llm_from_config(session->config, session->scheduler, 0, &session->llm, &err);
	return status < 0 ? message_error(EXIT_LLM, status, &err) : EXIT_DONE;
}

int session_make_evaluator(struct session *session, const char *path)
{
	oe_error err = { 0 };
	int status = 0;

	if (!file_exists(path))
		return message_fail(EXIT_EVALUATOR, "evaluator: %s: %s", path, strerror(errno));
	session->evaluator_path = must_copy(path);
	const char *feedback = oe_config_get(session->config, "evaluator.use_llm_feedback");
	if (feedback && strcmp(feedback, "true") == 0)
		status = oe_llm_from_config(session->config, session->scheduler, 1, &session->judge, &err);
	if (status < 0)
		return message_error(EXIT_LLM, status, &err);
	status = oe_evaluator_from_config(session->config, session->scheduler, path, session->suffix,
									  session->judge, &session->evaluator, &err);
	return status < 0 ? message_error(EXIT_EVALUATOR, status, &err) : EXIT_DONE;
}

int session_start(struct session *session, const char *evaluator)
{
	int status = session_start_scheduler(session);
	if (status == EXIT_DONE)
		status = make_llm(session);
	if (status == EXIT_DONE)
		status = session_make_evaluator(session, evaluator);
	return status;
}

void session_raise_limits(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= limit.rlim_max)
		return;
	/* Beyond this, programs that close every possible descriptor take too long. */
	rlim_t wanted = limit.rlim_max < 65536 ? limit.rlim_max : 65536;
	if (wanted > limit.rlim_cur) {
		limit.rlim_cur = wanted;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
}

void session_done(struct session *session)
{
	oe_controller_free(session->controller);
	oe_evaluator_unref(session->evaluator);
	oe_llm_unref(session->judge);
	oe_llm_unref(session->llm);
	oe_scheduler_unref(session->scheduler);
	oe_program_unref(session->program);
	oe_config_free(session->config);
	free(session->program_path);
	free(session->evaluator_path);
	free(session->directory);
	free(session->extension);
	free(session->suffix);
	*session = (struct session){ 0 };
}
