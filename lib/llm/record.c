/*
 * A recorder: passes questions on, and appends each answer to a file before it passes that back. It is
 * an oe_llm like any other, around retries and ensembles.
 *
 * A line is one write() to a file that is appended to: several recorders, of the evaluator's models for
 * instance, may share it. When it cannot be written any more, the answer still counts, but no more
 * questions are asked: the run stops and says why.
 */

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/map.h"
#include "base/thread.h"
#include "llm/recording.h"
#include "llm/relay.h"

struct recorder {
	oe_llm *inner;
	char *path;
	int fd;
	bool judges;
	struct oe__recording *before; /* what the file held; or NULL */
	pthread_mutex_t mutex;
	struct oe__map counts; /* prompt -> int64_t *, how often it was asked; guarded by mutex */
	oe_error failure;      /* guarded by mutex */
	atomic_bool failed;
};

/* What is known as the question goes out. */
struct taking {
	struct recorder *recorder;
	struct oe__recorded_key key;
	int64_t ordinal, asked_ns;
};

/* ---- the answer ---- */

static void fail(struct recorder *recorder, const oe_error *err)
{
	OE__LOCKED(&recorder->mutex);
	if (!atomic_load(&recorder->failed))
		recorder->failure = *err;
	atomic_store(&recorder->failed, true);
}

static void append(struct recorder *recorder, const struct oe__recorded *recorded)
{
	OE__AUTO(buffer) struct oe__buffer line = OE__BUFFER_INIT(0);
	oe_error err = { 0 };

	oe__recorded_write(recorded, &line);
	if (line.status < 0) {
		(void)oe__error(&err, line.status, "an answer could not be recorded: %s",
		                oe_status_string(line.status));
		fail(recorder, &err);
		return;
	}
	if (oe__fd_write(recorder->fd, line.data, line.size) < 0) {
		(void)oe__error_errno(&err, "the recording '%s' could not be written", recorder->path);
		fail(recorder, &err);
	}
}

/* Failures that another try may not meet are none of the run's decisions. */
static bool is_final(const struct oe__llm_call *call)
{
	return call->status == 0 || (call->status != OE_ERR_CANCELLED && call->status != OE_ERR_NOMEM &&
	                             oe__llm_failure(call) == OE_LLM_FAILURE_REQUEST);
}

static void answered(struct oe__relay *relay)
{
	struct taking *taking = relay->state;
	const oe_completion *completion = relay->call.completion;

	if (is_final(&relay->call)) {
		bool failed = relay->call.status < 0;
		const char *text = failed ? completion->error.message
		                          : oe__buffer_string(&completion->text);
		append(taking->recorder, &(struct oe__recorded){
									 .key = taking->key,
									 .ordinal = taking->ordinal,
									 .model = completion->model,
									 .text = (char *)(uintptr_t)text,
									 .size = failed ? strlen(text) : completion->text.size,
									 .failed = failed,
									 .judge = taking->recorder->judges,
									 .finish = completion->finish,
									 .tokens_in = completion->tokens_in,
									 .tokens_out = completion->tokens_out,
									 .ms = (double)(oe__clock_ns() - taking->asked_ns) / 1e6,
								 });
	}
	oe__free(taking);
	oe__relay_pass(relay);
}

/* ---- the question ---- */

static int count(struct recorder *recorder, const uint8_t prompt[OE__SHA256_SIZE],
                 int64_t *ordinal)
{
	int64_t *number = oe__map_get(&recorder->counts, prompt, OE__SHA256_SIZE);

	if (!number) {
		number = oe__calloc(1, sizeof(*number));
		if (!number)
			return OE_ERR_NOMEM;
		*number = recorder->before ? oe__recording_count_of(recorder->before, prompt) : 0;
		if (oe__map_put(&recorder->counts, prompt, OE__SHA256_SIZE, number) < 0) {
			oe__free(number);
			return OE_ERR_NOMEM;
		}
	}
	*ordinal = (*number)++;
	return 0;
}

static int begin(struct recorder *recorder, const oe_llm_request *request, struct taking *taking)
{
	taking->recorder = recorder;
	taking->asked_ns = oe__clock_ns();
	int status = oe__recorded_key_of(request, &taking->key);
	if (status < 0)
		return status;
	OE__LOCKED(&recorder->mutex);
	return count(recorder, taking->key.prompt, &taking->ordinal);
}

static int refuse(struct recorder *recorder, oe_completion *completion, oe_error *err)
{
	OE__LOCKED(&recorder->mutex);
	oe_completion_set_failure(completion, OE_LLM_FAILURE_ACCESS, -1);
	return oe__error(err, recorder->failure.status, "%s", recorder->failure.message);
}

static int start(void *self, const oe_llm_request *request, oe_completion *completion,
                 oe_error *err)
{
	struct recorder *recorder = self;

	if (atomic_load(&recorder->failed))
		return refuse(recorder, completion, err);
	struct taking *taking = oe__calloc(1, sizeof(*taking));
	if (!taking)
		return oe__error_nomem(err);
	int status = begin(recorder, request, taking);
	if (status < 0)
		status = oe__error_nomem(err);
	else
		status = oe__relay_begin(recorder->inner, request, completion, answered, taking, err);
	if (status < 0)
		oe__free(taking);
	return status;
}

/* ---- life ---- */

static void recorder_free(void *self)
{
	struct recorder *recorder = self;
	size_t cursor = 0;
	struct oe__map_entry *entry;

	while ((entry = oe__map_next(&recorder->counts, &cursor)) != NULL)
		oe__free(entry->value);
	oe__map_done(&recorder->counts);
	oe__recording_free(recorder->before);
	oe_llm_unref(recorder->inner);
	oe__fd_close(recorder->fd);
	pthread_mutex_destroy(&recorder->mutex);
	oe__free(recorder->path);
	oe__free(recorder);
}

static const oe_llm_vtable recorder_vtable = {
	.struct_size = sizeof(oe_llm_vtable),
	.name = "record",
	.start = start,
	.cancel = oe__relay_cancel,
	.free = recorder_free,
};

/* Nobody else may have written behind it since it was read. */
static int cut_torn(struct recorder *recorder, oe_error *err)
{
	off_t whole = (off_t)oe__recording_size(recorder->before);
	off_t end = whole + (off_t)oe__recording_torn(recorder->before);
	struct stat info;

	if (fstat(recorder->fd, &info) < 0)
		return oe__error_errno(err, "%s", recorder->path);
	if (info.st_size != end)
		return oe__error_at(err, OE_ERR_FORMAT, recorder->path, 0, 0,
		                    "somebody else writes to this recording");
	return ftruncate(recorder->fd, whole) < 0 ? oe__error_errno(err, "%s", recorder->path) : 0;
}

/* Go on behind what is there: ordinals count on, and half a line of an interrupted writer goes. */
static int go_on(struct recorder *recorder, oe_error *err)
{
	if (!oe__file_is_regular(recorder->path))
		return 0;
	int status = oe__recording_open(recorder->path, &recorder->before, err);
	if (status < 0)
		return status;
	if (oe__recording_torn(recorder->before) > 0)
		return cut_torn(recorder, err);
	if (oe__recording_is_unended(recorder->before) && oe__fd_write(recorder->fd, "\n", 1) < 0)
		return oe__error_errno(err, "%s", recorder->path);
	return 0;
}

static int open_file(struct recorder *recorder, const char *path, oe_error *err)
{
	recorder->path = oe__strdup(path);
	if (!recorder->path)
		return oe__error_nomem(err);
	recorder->fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	if (recorder->fd < 0)
		return oe__error_errno(err, "%s", path);
	return go_on(recorder, err);
}

int oe__llm_record_new(oe_llm *inner, const char *path, bool judges, oe_llm **out, oe_error *err)
{
	struct recorder *recorder = oe__calloc(1, sizeof(*recorder));
	if (!recorder)
		return oe__error_nomem(err);
	pthread_mutex_init(&recorder->mutex, NULL);
	recorder->fd = -1;
	recorder->judges = judges;
	recorder->inner = oe_llm_ref(inner);
	int status = open_file(recorder, path, err);
	if (status == 0 && oe__llm_new(&recorder_vtable, recorder, out) < 0)
		status = oe__error_nomem(err);
	if (status < 0)
		recorder_free(recorder);
	else
		oe__llm_set_unmetered(*out);
	return status;
}

int oe_llm_record_new(oe_llm *inner, const char *path, oe_llm **out, oe_error *err)
{
	if (!inner || !path || !out)
		return oe__error(err, OE_ERR_INVALID, "oe_llm_record_new: NULL argument");
	return oe__llm_record_new(inner, path, false, out, err);
}
