/* A program as a model: what it is given, how it may fail, and that nothing of it is left. */

#include <signal.h>
#include <unistd.h>

#include "base/file.h"
#include "tests/unit/llm/asking.h"

static struct asking asking;

static void begin(const char *script, const char *options)
{
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);
	oe_config *config = NULL;
	oe_error err = { 0 };

	asking = (struct asking){ 0 };
	oe__buffer_printf(&text, "llm:\n  backend: command\n  command: [sh, -c, '%s', sh]\n%s", script,
					  options);
	ck_assert_int_eq(oe_scheduler_new(1, &asking.scheduler, &err), 0);
	ck_assert_int_eq(oe_config_new(&config), 0);
	ck_assert_msg(oe_config_load_text(config, text.data, text.size, "test", &err) == 0, "%s",
				  err.message);
	ck_assert_msg(oe_llm_from_config(config, asking.scheduler, 0, &asking.llm, &err) == 0, "%s",
				  err.message);
	oe_config_free(config);
}

START_TEST(test_answer)
{
	begin("cat; echo; echo \"$OE_SEED\"", "");
	struct told told = ask_one(asking.llm, "hello\nthere");
	ck_assert_msg(told.status == 0, "%s", told.error.message);
	ck_assert_str_eq(told.text, "You are a test.\n\nhello\nthere\n0\n");
	ck_assert_int_eq(told.finish, OE_FINISH_STOP);
	ck_assert_int_eq(told.requests, 1);
	asking_end(&asking);
}
END_TEST

START_TEST(test_large)
{
	OE__AUTO(buffer) struct oe__buffer prompt = OE__BUFFER_INIT(0);
	struct questions all;

	/* Far more than pipes hold, both ways at once. */
	while (prompt.size < 1000000)
		oe__buffer_text(&prompt, "0123456789abcde\n");
	begin("cat", "");
	questions_ask(&all, asking.llm, 4, prompt.data);
	questions_wait(&all);
	for (size_t i = 0; i < all.count; i++) {
		size_t size;
		const char *text = oe_completion_text(all.items[i].call.completion, &size);
		ck_assert_int_eq(all.items[i].call.status, 0);
		ck_assert_uint_eq(size, prompt.size + strlen("You are a test.\n\n"));
		ck_assert(memcmp(text + size - prompt.size, prompt.data, prompt.size) == 0);
	}
	questions_done(&all);
	asking_end(&asking);
}
END_TEST

START_TEST(test_deaf)
{
	/* Answers without having read its prompt, which does not fit into a pipe. */
	OE__AUTO(buffer) struct oe__buffer prompt = OE__BUFFER_INIT(0);

	while (prompt.size < 300000)
		oe__buffer_text(&prompt, "0123456789abcde\n");
	begin("echo done", "");
	struct told told = ask_one(asking.llm, prompt.data);
	ck_assert_msg(told.status == 0, "%s", told.error.message);
	ck_assert_str_eq(told.text, "done\n");
	asking_end(&asking);
}
END_TEST

START_TEST(test_silent)
{
	begin("exec cat > /dev/null", "");
	struct told told = ask_one(asking.llm, "x");
	ck_assert_int_eq(told.status, 0);
	ck_assert_int_eq(told.finish, OE_FINISH_EMPTY);
	asking_end(&asking);
}
END_TEST

START_TEST(test_failures)
{
	static const struct {
		const char *script, *says;
		int failure;
		int32_t requests;
	} cases[] = {
		{ "echo half; echo oh no >&2; exit 3", "status 3: oh no", OE_LLM_FAILURE_REQUEST, 1 },
		{ "exit 75", "status 75", OE_LLM_FAILURE_TRANSIENT, 3 },
		{ "kill -9 $$", "signal 9", OE_LLM_FAILURE_REQUEST, 1 },
	};

	for (size_t i = 0; i < OE__COUNT(cases); i++) {
		begin(cases[i].script, "  retries: 2\n  retry_delay: 0.01\n");
		struct told told = ask_one(asking.llm, "x");
		ck_assert_int_eq(told.status, OE_ERR_LLM);
		ck_assert_int_eq(told.failure, cases[i].failure);
		ck_assert_int_eq(told.requests, cases[i].requests);
		ck_assert_msg(strstr(told.error.message, cases[i].says), "%s", told.error.message);
		asking_end(&asking);
	}
}
END_TEST

START_TEST(test_absent)
{
	const char *const argv[] = { "/nowhere/at/all", NULL };
	oe_config *config = NULL;
	oe_error err;

	asking = (struct asking){ 0 };
	ck_assert_int_eq(oe_scheduler_new(1, &asking.scheduler, &err), 0);
	ck_assert_int_eq(oe_config_new(&config), 0);
	ck_assert_int_eq(oe_llm_command_new(config, asking.scheduler, argv, &asking.llm, &err), 0);
	oe_config_free(config);
	struct told told = ask_one(asking.llm, "x");
	ck_assert_int_eq(told.status, OE_ERR_LLM);
	ck_assert_int_eq(told.failure, OE_LLM_FAILURE_ACCESS);
	ck_assert_ptr_nonnull(strstr(told.error.message, "/nowhere/at/all"));
	asking_end(&asking);
}
END_TEST

static pid_t written_pid(const char *path)
{
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);
	ck_assert_int_eq(oe__file_read(path, &text, NULL), 0);
	return (pid_t)strtol(oe__buffer_string(&text), NULL, 10);
}

/* The deadline ends what ignores signals and hides in a session of its own. A slow machine may need a longer
   one, to get that far. */
START_TEST(test_timeout)
{
	static const char *const options[] = { "  timeout: 0.3\n  retries: 0\n", "  timeout: 3\n  retries: 0\n",
										   "  timeout: 30\n  retries: 0\n" };
	OE__AUTO(buffer) struct oe__buffer script = OE__BUFFER_INIT(0);
	char path[] = "/tmp/oe-test-command-XXXXXX";
	int fd = mkstemp(path);
	pid_t hidden = 0;

	close(fd);
	oe__buffer_printf(&script, "trap \"\" TERM HUP INT; setsid sleep 1000 & echo $! > %s; sleep 1000",
					  path);
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]) && hidden == 0; i++) {
		begin(script.data, options[i]);
		struct told told = ask_one(asking.llm, "x");
		ck_assert_int_eq(told.status, OE_ERR_TIMEOUT);
		ck_assert_int_eq(told.failure, OE_LLM_FAILURE_TRANSIENT);
		ck_assert_int_lt(told.took_ms, TEST_PATIENCE_MS);
		hidden = written_pid(path);
		asking_end(&asking);
	}
	ck_assert_int_gt(hidden, 0);
	ck_assert_int_lt(kill(hidden, 0), 0);
	unlink(path);
}
END_TEST

/* What a program leaves behind would hold its standard output open for ever. */
START_TEST(test_left_behind)
{
	begin("sleep 1000 & echo done", "");
	struct told told = ask_one(asking.llm, "x");
	ck_assert_msg(told.status == 0, "%s", told.error.message);
	ck_assert_str_eq(told.text, "done\n");
	ck_assert_int_lt(told.took_ms, TEST_PATIENCE_MS);
	asking_end(&asking);
}
END_TEST

START_TEST(test_endless)
{
	begin("yes", "  max_response_bytes: 5000\n");
	struct told told = ask_one(asking.llm, "x");
	ck_assert_int_eq(told.status, OE_ERR_LIMIT);
	ck_assert_str_eq(told.text, "");
	asking_end(&asking);
}
END_TEST

START_TEST(test_cancel)
{
	struct questions all;

	begin("sleep 100", "");
	questions_ask(&all, asking.llm, 6, "x");
	oe__llm_cancel(&all.items[0].call);
	for (size_t i = 1; i < all.count; i++)
		oe__llm_cancel(&all.items[i].call);
	questions_wait(&all);
	for (size_t i = 0; i < all.count; i++)
		ck_assert_int_eq(all.items[i].call.status, OE_ERR_CANCELLED);
	questions_done(&all);
	asking_end(&asking);
}
END_TEST

TEST_MAIN("command", test_answer, test_large, test_deaf, test_silent, test_failures, test_absent,
		  test_timeout, test_left_behind, test_endless, test_cancel)
