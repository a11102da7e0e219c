/*
 * Every allocation of a configuration's models and of a question fails once: the call says so, the
 * question ends, and nothing is left. The scheduler is made before, and with it the thread that
 * other allocations are made on; what libcurl allocates is its own.
 */

#include <sched.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/file.h"
#include "llm/recording.h"
#include "tests/unit/llm/asking.h"

#define RECORDING "recording-of-test_nomem"

static atomic_long live, count, fails_at;

static bool refuse(void)
{
	long at = atomic_load(&fails_at);
	return atomic_fetch_add(&count, 1) + 1 == at;
}

static void *take(size_t size, void *userdata)
{
	(void)userdata;
	void *block = refuse() ? NULL : malloc(size);
	atomic_fetch_add(&live, block != NULL);
	return block;
}

static void *change(void *block, size_t size, void *userdata)
{
	(void)userdata;
	if (refuse())
		return NULL;
	void *moved = realloc(block, size);
	atomic_fetch_add(&live, moved && !block);
	return moved;
}

static void give(void *block, void *userdata)
{
	(void)userdata;
	atomic_fetch_sub(&live, block != NULL);
	free(block);
}

static oe_config *configuration(const char *options)
{
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);
	oe_config *config = NULL;
	oe_error err = { 0 };

	oe__buffer_printf(&text, "llm:\n  retries: 1\n  retry_delay: 0.001\n%s", options);
	if (oe_config_new(&config) < 0 ||
		oe_config_load_text(config, text.data, text.size, "test", &err) < 0) {
		fprintf(stderr, "%s\n", err.message);
		exit(EXIT_FAILURE);
	}
	return config;
}

/* @return the status of the question, or of what came before it. */
static int ask(const oe_config *config, oe_scheduler *scheduler)
{
	OE__AUTO(llm) oe_llm *llm = NULL;
	OE__AUTO(completion) oe_completion *completion = NULL;
	oe_error err = { 0 };

	int status = oe_llm_from_config(config, scheduler, 0, &llm, &err);
	if (status == 0)
		status = oe_llm_ask(llm, "You are a test.", "x = 1", 1, &completion, &err);
	if (status < 0 && (err.status != status || !err.message[0])) {
		fprintf(stderr, "status %d without an error\n", status);
		exit(EXIT_FAILURE);
	}
	return status;
}

struct visit {
	struct oe__task task;
	atomic_bool over;
};

static void note(struct oe__task *task)
{
	atomic_store(&OE__CONTAINER(task, struct visit, task)->over, true);
}

/* Watches are freed at the end of the round that closed them: wait for two more. */
static void let_reactor_finish(oe_scheduler *scheduler)
{
	for (int i = 0; i < 2; i++) {
		struct visit visit = { .task.run = note };
		oe__reactor_post(oe__scheduler_reactor(scheduler), &visit.task);
		while (!atomic_load(&visit.over))
			sched_yield();
	}
}

static bool fail_each(const oe_config *config, oe_scheduler *scheduler, const char *what)
{
	long at = 0, needed, before;
	int status;

	atomic_store(&fails_at, 0);
	atomic_store(&count, 0);
	status = ask(config, scheduler); /* the reactor keeps what it has grown to */
	needed = atomic_load(&count);
	let_reactor_finish(scheduler);
	before = atomic_load(&live);
	if (status < 0) {
		fprintf(stderr, "%s: status %d with memory\n", what, status);
		return false;
	}
	while (++at <= needed) {
		atomic_store(&count, 0);
		atomic_store(&fails_at, at);
		status = ask(config, scheduler);
		atomic_store(&fails_at, 0);
		let_reactor_finish(scheduler);
		/* Something that only makes it slower, or the retry, may do without. */
		if (status < 0 && status != OE_ERR_NOMEM) {
			fprintf(stderr, "%s, allocation %ld of %ld: status %d\n", what, at, needed, status);
			return false;
		}
		if (atomic_load(&live) != before) {
			fprintf(stderr, "%s, allocation %ld: %ld blocks left\n", what, at,
					atomic_load(&live) - before);
			return false;
		}
	}
	printf("%s: %ld allocations\n", what, needed);
	return true;
}

/* A recording with an answer to the question. */
static oe_config *replaying(struct oe__buffer *options)
{
	struct oe__recorded recorded = { .text = (char[]){ "answer" }, .size = 6 };
	oe_llm_request request = { .system = "You are a test.", .system_size = 15, .user = "x = 1",
							   .user_size = 5, .seed = 1 };

	oe__buffer_clear(options);
	if (oe__recorded_key_of(&request, &recorded.key) == 0)
		oe__recorded_write(&recorded, options);
	if (oe__file_write(RECORDING, options->data, options->size, NULL) < 0)
		exit(EXIT_FAILURE);
	oe__buffer_clear(options);
	oe__buffer_printf(options, "  replay: %s\n", RECORDING);
	return configuration(options->data);
}

int main(void)
{
	const oe_allocator allocator = { take, change, give, NULL };
	OE__AUTO(buffer) struct oe__buffer options = OE__BUFFER_INIT(0);
	struct fake_llm fake = { 0 };
	oe_scheduler *scheduler = NULL;
	bool good = true;

	if (oe_set_allocator(&allocator) < 0 || oe_scheduler_new(1, &scheduler, NULL) < 0)
		return EXIT_FAILURE;
	fake_llm_start(&fake, NULL);
	oe__buffer_printf(&options, "  api_base: %s\n  api_key: k\n  models: [{name: a}, {name: b}]\n",
					  fake.url);
	oe_config *http = configuration(options.data);
	oe_config *command = configuration("  backend: command\n  command: [cat]\n");
	oe__buffer_text(&options, "  record: /dev/null\n");
	oe_config *record = configuration(options.data);
	oe_config *replay = replaying(&options);
	good = fail_each(http, scheduler, "provider") && good;
	good = fail_each(command, scheduler, "command") && good;
	good = fail_each(record, scheduler, "recorder") && good;
	good = fail_each(replay, scheduler, "replay") && good;
	oe_config_free(http);
	oe_config_free(command);
	oe_config_free(record);
	oe_config_free(replay);
	oe__buffer_done(&options);
	oe_scheduler_unref(scheduler);
	fake_llm_stop(&fake);
	(void)unlink(RECORDING);
	if (atomic_load(&live) != 0) {
		fprintf(stderr, "%ld blocks left\n", atomic_load(&live));
		good = false;
	}
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
