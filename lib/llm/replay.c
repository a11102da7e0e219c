/*
 * Answers from a recording: no model, no network, and the same answers to the same questions.
 *
 * A question is found by its prompt, and among several answers to that by its seed: so it does not
 * matter in which order questions come. What is not there fails; what was refused then is refused.
 *
 * A recording is over when nothing of the asker's kind (those of judges count for judges alone) is left: an
 * answer was given, now or to an earlier session of the run, or another question came with its seed. Each
 * question uses up one answer at most: it is never over before as many were asked as were recorded.
 */

#include <pthread.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/thread.h"
#include "llm/recording.h"
#include "llm/relay.h"

struct replayer {
	char *path;
	bool judges;
	pthread_mutex_t mutex;
	struct oe__recording *recording; /* guarded by mutex */
};

/* Nothing will work any more. */
static int end(const struct replayer *replayer, oe_completion *completion, oe_error *err)
{
	size_t count = oe__recording_count(replayer->recording, replayer->judges);
	size_t passed = oe__recording_passed(replayer->recording, replayer->judges);

	oe_completion_set_failure(completion, OE_LLM_FAILURE_ACCESS, -1);
	if (passed == 0)
		return oe__error(err, OE_ERR_LLM, "all %zu answers of the recording '%s' were given", count,
		                 replayer->path);
	return oe__error(err, OE_ERR_LLM,
	                 "the recording '%s' is used up: %zu of its %zu answers were given, and no "
	                 "question of this run is left that has one of the others",
	                 replayer->path, count - passed, count);
}

/* It is this question that differs, unless nothing is left. */
static int miss(struct replayer *replayer, uint64_t seed, oe_completion *completion, oe_error *err)
{
	if (oe__recording_left(replayer->recording, replayer->judges) == 0)
		return end(replayer, completion, err);
	(void)oe__recording_pass(replayer->recording, seed, replayer->judges);
	oe_completion_set_failure(completion, OE_LLM_FAILURE_REQUEST, -1);
	return oe__error(err, OE_ERR_LLM,
	                 "the recording '%s' has no answer to this prompt: the program, the "
	                 "configuration or the order of things differ from those of the recording",
	                 replayer->path);
}

static int take(struct replayer *replayer, const oe_llm_request *request,
                oe_completion *completion, struct oe__recorded *out, oe_error *err)
{
	struct oe__recorded_key key;

	if (oe__recorded_key_of(request, &key) < 0)
		return oe__error_nomem(err);
	OE__LOCKED(&replayer->mutex);
	int got = oe__recording_take(replayer->recording, &key, out, err);
	return got == 0 ? miss(replayer, key.seed, completion, err) : got;
}

static int give(const struct oe__recorded *recorded, oe_completion *completion, oe_error *err)
{
	oe_completion_set_model(completion, recorded->model);
	oe_completion_set_usage(completion, recorded->tokens_in, recorded->tokens_out);
	oe_completion_set_finish(completion, recorded->finish);
	if (recorded->failed) {
		oe_completion_set_failure(completion, OE_LLM_FAILURE_REQUEST, -1);
		return oe__error(err, OE_ERR_LLM, "%s", recorded->text);
	}
	int status = oe_completion_append(completion, recorded->text, recorded->size);
	return status < 0 ? oe__error(err, status, "%s", oe_status_string(status)) : 0;
}

static int start(void *self, const oe_llm_request *request, oe_completion *completion,
                 oe_error *err)
{
	OE__AUTO(recorded) struct oe__recorded recorded = { 0 };

	int status = take(self, request, completion, &recorded, err);
	if (status < 0)
		return status;
	oe__completion_count_requests(completion, 1);
	status = give(&recorded, completion, err);
	if (status == 0)
		oe_completion_finish(completion, 0, NULL); /* there is nothing to wait for */
	return status;
}

static void replayer_free(void *self)
{
	struct replayer *replayer = self;

	oe__recording_free(replayer->recording);
	pthread_mutex_destroy(&replayer->mutex);
	oe__free(replayer->path);
	oe__free(replayer);
}

static const oe_llm_vtable replayer_vtable = {
	.struct_size = sizeof(oe_llm_vtable),
	.name = "replay",
	.start = start,
	.free = replayer_free,
};

bool oe__llm_is_replayer(oe_llm *llm)
{
	return oe__llm_self(llm, &replayer_vtable) != NULL;
}

bool oe__llm_replay_pass(oe_llm *llm, const uint8_t *prompt, uint64_t seed)
{
	struct replayer *replayer = oe__llm_self(llm, &replayer_vtable);
	struct oe__recorded_key key = { .seed = seed };

	if (!replayer)
		return false;
	OE__LOCKED(&replayer->mutex);
	if (!prompt)
		return oe__recording_pass(replayer->recording, seed, replayer->judges);
	memcpy(key.prompt, prompt, sizeof(key.prompt));
	return oe__recording_pass_given(replayer->recording, &key, replayer->judges);
}

int oe__llm_replay_new(const char *path, bool judges, oe_llm **out, oe_error *err)
{
	struct replayer *replayer = oe__calloc(1, sizeof(*replayer));
	if (!replayer)
		return oe__error_nomem(err);
	pthread_mutex_init(&replayer->mutex, NULL);
	replayer->judges = judges;
	replayer->path = oe__strdup(path);
	int status = replayer->path ? oe__recording_open(path, &replayer->recording, err)
	                            : oe__error_nomem(err);
	if (status == 0 && oe__llm_new(&replayer_vtable, replayer, out) < 0)
		status = oe__error_nomem(err);
	if (status < 0)
		replayer_free(replayer);
	else
		oe__llm_set_unmetered(*out);
	return status;
}

int oe_llm_replay_new(const char *path, oe_llm **out, oe_error *err)
{
	if (!path || !out)
		return oe__error(err, OE_ERR_INVALID, "oe_llm_replay_new: NULL argument");
	return oe__llm_replay_new(path, false, out, err);
}
