/* Recordings: what is written is given again, whatever the order; what is not there is said. */

#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "llm/recording.h"
#include "tests/scratch.h"
#include "tests/unit/llm/asking.h"
#include "tests/unit/llm/scripted.h"

static struct scripted scripted;

static oe_llm *recorder_of(const struct scripted_step *steps, size_t count, const char *path)
{
	OE__AUTO(llm) oe_llm *inner = scripted_llm(&scripted, steps, count);
	oe_llm *llm = NULL;
	oe_error err = { 0 };

	ck_assert_msg(oe_llm_record_new(inner, path, &llm, &err) == 0, "%s", err.message);
	return llm;
}

static oe_llm *replayer_of(const char *path)
{
	oe_llm *llm = NULL;
	oe_error err = { 0 };

	ck_assert_msg(oe_llm_replay_new(path, &llm, &err) == 0, "%s", err.message);
	return llm;
}

static void check_answer(oe_llm *llm, const char *user, uint64_t seed, const char *wanted)
{
	OE__AUTO(completion) oe_completion *completion = NULL;
	oe_error err = { 0 };

	ck_assert_msg(oe_llm_ask(llm, "system", user, seed, &completion, &err) == 0, "%s", err.message);
	ck_assert_str_eq(oe_completion_text(completion, NULL), wanted);
	ck_assert_int_eq(oe_completion_tokens_in(completion), 3);
	ck_assert_int_eq(oe_completion_tokens_out(completion), 5);
	ck_assert_int_eq(oe_completion_attempts(completion), 1);
}

static void read_text(const char *name, struct oe__buffer *out)
{
	ck_assert_int_eq(oe__file_read(scratch(name), out, NULL), 0);
}

static size_t count_lines(const char *name)
{
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);
	size_t lines = 0;

	read_text(name, &text);
	for (size_t i = 0; i < text.size; i++)
		lines += text.data[i] == '\n';
	return lines;
}

#define STEP(words) { 0, -1, -1, words, false, false }

START_TEST(test_there_and_back)
{
	static const struct scripted_step steps[] = {
		STEP("one\n\"two\"\t\\"), STEP("\xc3\xa9"), STEP("third"), STEP("other"), STEP(""),
	};

	scratch_enter();
	{
		OE__AUTO(llm) oe_llm *recorder = recorder_of(steps, 5, scratch("tape"));
		check_answer(recorder, "same", 1, "one\n\"two\"\t\\");
		check_answer(recorder, "same", 2, "\xc3\xa9");
		check_answer(recorder, "same", 2, "third");
		check_answer(recorder, "another", UINT64_MAX, "other");
	}
	ck_assert_uint_eq(count_lines("tape"), 4);
	{ /* by the seed first, then in their order */
		OE__AUTO(llm) oe_llm *replayer = replayer_of(scratch("tape"));
		check_answer(replayer, "another", 7, "other");
		check_answer(replayer, "same", 2, "\xc3\xa9");
		check_answer(replayer, "same", 9, "one\n\"two\"\t\\");
		check_answer(replayer, "same", 9, "third");
	}
	scratch_leave();
}
END_TEST

START_TEST(test_what_is_not_there)
{
	static const struct scripted_step step = STEP("answer");

	scratch_enter();
	oe_llm *recorder = recorder_of(&step, 1, scratch("tape"));
	ck_assert_int_eq(ask_one(recorder, "known").status, 0);
	ck_assert_int_eq(ask_one(recorder, "known").status, 0);
	oe_llm_unref(recorder);
	OE__AUTO(llm) oe_llm *replayer = replayer_of(scratch("tape"));
	struct told told = ask_one(replayer, "unknown");
	ck_assert_int_eq(told.status, OE_ERR_LLM);
	ck_assert_int_eq(told.failure, OE_LLM_FAILURE_REQUEST);
	ck_assert_ptr_nonnull(strstr(told.error.message, "no answer to this prompt"));
	ck_assert_ptr_nonnull(strstr(told.error.message, "tape"));
	ck_assert_int_eq(ask_one(replayer, "known").status, 0);
	ck_assert_int_eq(ask_one(replayer, "known").status, 0);
	told = ask_one(replayer, "known");
	ck_assert_int_eq(told.failure, OE_LLM_FAILURE_ACCESS); /* nothing will work any more */
	ck_assert_ptr_nonnull(strstr(told.error.message, "all 2 answers"));
	scratch_leave();
}
END_TEST

static void expect(oe_llm *llm, const char *user, uint64_t seed, const char *answer)
{
	struct told told = ask_seeded(llm, user, seed);

	ck_assert_msg(told.status == 0, "%s", told.error.message);
	ck_assert_str_eq(told.text, answer);
}

static int failure_of(oe_llm *llm, const char *user, uint64_t seed, const char *says)
{
	struct told told = ask_seeded(llm, user, seed);

	ck_assert_int_eq(told.status, OE_ERR_LLM);
	ck_assert_msg(strstr(told.error.message, says), "%s", told.error.message);
	return told.failure;
}

static void record_three(const char *path)
{
	static const struct scripted_step steps[] = { STEP("first"), STEP("second"), STEP("third") };
	OE__AUTO(llm) oe_llm *recorder = recorder_of(steps, 3, path);

	expect(recorder, "same", 1, "first");
	expect(recorder, "same", 2, "second");
	expect(recorder, "other", 3, "third");
}

/* Whose question was another one is not left for ever; but whoever asks it may still have it. */
START_TEST(test_passed)
{
	scratch_enter();
	record_three(scratch("tape"));
	OE__AUTO(llm) oe_llm *replayer = replayer_of(scratch("tape"));
	ck_assert_int_eq(failure_of(replayer, "new", 1, "no answer"), OE_LLM_FAILURE_REQUEST);
	ck_assert_int_eq(failure_of(replayer, "new", 2, "no answer"), OE_LLM_FAILURE_REQUEST);
	ck_assert_int_eq(failure_of(replayer, "new", 9, "no answer"), OE_LLM_FAILURE_REQUEST);
	expect(replayer, "same", 7, "first");
	expect(replayer, "other", 3, "third");
	ck_assert_int_eq(failure_of(replayer, "new", 4, "2 of its 3"), OE_LLM_FAILURE_ACCESS);
	expect(replayer, "same", 4, "second");
	ck_assert_int_eq(failure_of(replayer, "new", 5, "all 3 answers"), OE_LLM_FAILURE_ACCESS);
	scratch_leave();
}
END_TEST

static bool pass(oe_llm *llm, const char *user, uint64_t seed)
{
	oe_llm_request request = {
		.system = "You are a test.",
		.system_size = strlen("You are a test."),
		.user = user,
		.user_size = strlen(user),
	};
	struct oe__recorded_key key;

	ck_assert_int_eq(oe__recorded_key_of(&request, &key), 0);
	return oe__llm_replay_pass(llm, key.prompt, seed);
}

/* What an earlier session was given is not given to another question, nor waited for. */
START_TEST(test_earlier)
{
	static const struct scripted_step step = STEP("answer");
	OE__AUTO(llm) oe_llm *other = scripted_llm(&scripted, &step, 1);

	scratch_enter();
	record_three(scratch("tape"));
	{ /* by seed and prompt, by one of them, or not at all */
		OE__AUTO(llm) oe_llm *replayer = replayer_of(scratch("tape"));
		ck_assert(oe__llm_is_replayer(replayer));
		ck_assert(pass(replayer, "same", 1));
		ck_assert(!pass(replayer, "unknown", 9));
		expect(replayer, "same", 8, "second");
		ck_assert_int_eq(failure_of(replayer, "same", 9, "no answer"), OE_LLM_FAILURE_REQUEST);
		ck_assert(oe__llm_replay_pass(replayer, NULL, 3));
		ck_assert(!oe__llm_replay_pass(replayer, NULL, 3));
		ck_assert_int_eq(failure_of(replayer, "same", 9, "2 of its 3"), OE_LLM_FAILURE_ACCESS);
		expect(replayer, "same", 1, "first"); /* it was somebody else who answered that one then */
	}
	{ /* a session with other seeds */
		OE__AUTO(llm) oe_llm *replayer = replayer_of(scratch("tape"));
		ck_assert(pass(replayer, "other", 11));
		ck_assert(pass(replayer, "same", 12));
		expect(replayer, "same", 13, "second");
		ck_assert_int_eq(failure_of(replayer, "same", 14, "all 3 answers"), OE_LLM_FAILURE_ACCESS);
	}
	ck_assert(!oe__llm_is_replayer(other));
	ck_assert(!oe__llm_replay_pass(other, NULL, 1));
	scratch_leave();
}
END_TEST

/* One file for a run and its judges: whose answers are left does not matter to the other. */
START_TEST(test_judges)
{
	static const struct scripted_step step = STEP("answer");
	OE__AUTO(llm) oe_llm *inner = NULL, *own = NULL, *judges = NULL;

	scratch_enter();
	inner = scripted_llm(&scripted, &step, 1);
	ck_assert_int_eq(oe__llm_record_new(inner, scratch("tape"), false, &own, NULL), 0);
	ck_assert_int_eq(oe__llm_record_new(inner, scratch("tape"), true, &judges, NULL), 0);
	ck_assert_int_eq(ask_one(judges, "opinion").status, 0);
	ck_assert_int_eq(ask_one(own, "question").status, 0);
	ck_assert_int_eq(ask_one(judges, "another opinion").status, 0);
	oe_llm_unref(own);
	oe_llm_unref(judges);
	ck_assert_int_eq(oe__llm_replay_new(scratch("tape"), false, &own, NULL), 0);
	ck_assert_int_eq(oe__llm_replay_new(scratch("tape"), true, &judges, NULL), 0);
	ck_assert_int_eq(ask_one(judges, "opinion").status, 0);
	ck_assert_int_eq(ask_one(judges, "no opinion").failure, OE_LLM_FAILURE_REQUEST);
	ck_assert_int_eq(ask_one(own, "unknown").failure, OE_LLM_FAILURE_REQUEST);
	ck_assert_int_eq(ask_one(own, "question").status, 0);
	struct told told = ask_one(own, "question");
	ck_assert_int_eq(told.failure, OE_LLM_FAILURE_ACCESS);
	ck_assert_ptr_nonnull(strstr(told.error.message, "all 1 answers"));
	ck_assert_int_eq(ask_one(judges, "another opinion").status, 0);
	ck_assert_int_eq(ask_one(judges, "another opinion").failure, OE_LLM_FAILURE_ACCESS);
	scratch_leave();
}
END_TEST

/* A refusal is the run's outcome; an outage, a key or a cancellation is not. */
START_TEST(test_failures)
{
	static const struct scripted_step steps[] = {
		{ OE_ERR_LLM, OE_LLM_FAILURE_REQUEST, -1, "", false, false },
		{ OE_ERR_LLM, OE_LLM_FAILURE_ACCESS, -1, "", false, false },
		{ OE_ERR_IO, OE_LLM_FAILURE_TRANSIENT, -1, "", false, false },
		{ OE_ERR_CANCELLED, OE_LLM_FAILURE_REQUEST, -1, "", false, false },
	};

	scratch_enter();
	oe_llm *recorder = recorder_of(steps, OE__COUNT(steps), scratch("tape"));
	for (size_t i = 0; i < OE__COUNT(steps); i++)
		ck_assert_int_eq(ask_one(recorder, "question").failure, steps[i].failure);
	oe_llm_unref(recorder);
	ck_assert_uint_eq(count_lines("tape"), 1);
	OE__AUTO(llm) oe_llm *replayer = replayer_of(scratch("tape"));
	struct told told = ask_one(replayer, "question");
	ck_assert_int_eq(told.status, OE_ERR_LLM);
	ck_assert_int_eq(told.failure, OE_LLM_FAILURE_REQUEST);
	ck_assert_ptr_nonnull(strstr(told.error.message, "step failed"));
	scratch_leave();
}
END_TEST

START_TEST(test_going_on)
{
	static const struct scripted_step steps[] = { STEP("first"), STEP("second") };
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);

	scratch_enter();
	oe_llm *recorder = recorder_of(&steps[0], 1, scratch("tape"));
	ck_assert_int_eq(ask_one(recorder, "question").status, 0);
	oe_llm_unref(recorder);
	/* Interrupted in the middle of its next line. */
	read_text("tape", &text);
	oe__buffer_text(&text, "{\"schema\": \"oe.llm/1\", \"pro");
	scratch_write("tape", text.data, text.size);
	OE__AUTO(recording) struct oe__recording *recording = NULL;
	ck_assert_int_eq(oe__recording_open(scratch("tape"), &recording, NULL), 0);
	ck_assert_uint_eq(oe__recording_count(recording, false), 1);

	recorder = recorder_of(&steps[1], 1, scratch("tape"));
	ck_assert_int_eq(ask_one(recorder, "question").status, 0);
	oe_llm_unref(recorder);
	ck_assert_uint_eq(count_lines("tape"), 2);
	oe__buffer_clear(&text);
	read_text("tape", &text);
	ck_assert_ptr_nonnull(strstr(text.data, "\"ordinal\": 1"));
	OE__AUTO(llm) oe_llm *replayer = replayer_of(scratch("tape"));
	ck_assert_str_eq(ask_one(replayer, "question").text, "first");
	ck_assert_str_eq(ask_one(replayer, "question").text, "second");
	scratch_leave();
}
END_TEST

static void check_text(const char *name, const char *wanted)
{
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);

	read_text(name, &text);
	ck_assert_str_eq(oe__buffer_string(&text), wanted);
}

/* One line without an end may be all that somebody has: it is cut off only if it was ours. */
START_TEST(test_last_lines)
{
	static const struct {
		const char *last;
		bool torn, torn_alone; /* behind a line of ours; as the whole file */
	} cases[] = {
		{ "my only note", false, false },
		{ "{", true, false },
		{ "{\"schema\": \"oe.l", true, false },
		{ "{\"schema\": \"oe.llm/1\"", true, true },
		{ "{\"schema\": \"oe.llm/1\", \"prompt\": \"0a", true, true },
		{ "{\"schema\": \"oe.llm/1\"}", false, false },
		{ "{\"schema\": \"oe.llm/2\", ", false, false },
		{ "{\"schema\":\"oe.llm/1\"", false, false },
		{ "{}", false, false },
		{ "[1", false, false },
		{ " ", false, false },
	};
	static const struct scripted_step step = STEP("answer");
	OE__AUTO(buffer) struct oe__buffer good = OE__BUFFER_INIT(0);
	OE__AUTO(llm) oe_llm *inner = NULL;

	scratch_enter();
	oe_llm *first = recorder_of(&step, 1, scratch("tape"));
	ck_assert_int_eq(ask_one(first, "question").status, 0);
	oe_llm_unref(first);
	read_text("tape", &good);
	inner = scripted_llm(&scripted, &step, 1);
	for (size_t i = 0; i < 2 * OE__COUNT(cases); i++) {
		bool alone = i % 2;
		bool torn = alone ? cases[i / 2].torn_alone : cases[i / 2].torn;
		OE__AUTO(llm) oe_llm *recorder = NULL, *replayer = NULL;
		OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);
		oe_error err = { 0 };

		oe__buffer_text(&text, alone ? "" : good.data);
		oe__buffer_text(&text, cases[i / 2].last);
		scratch_write("file", text.data, text.size);
		ck_assert_int_eq(oe_llm_replay_new(scratch("file"), &replayer, &err), torn ? 0 : OE_ERR_FORMAT);
		check_text("file", text.data);
		ck_assert_int_eq(oe_llm_record_new(inner, scratch("file"), &recorder, &err), torn ? 0 : OE_ERR_FORMAT);
		check_text("file", !torn ? text.data : alone ? "" : good.data);
		if (!torn)
			ck_assert_int_eq(err.line, alone ? 1 : 2);
	}
	scratch_leave();
}
END_TEST

/* An editor took the last line's end away: it is an answer all the same. */
START_TEST(test_without_an_end)
{
	static const struct scripted_step steps[] = { STEP("first"), STEP("second"), STEP("third") };
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);

	scratch_enter();
	oe_llm *recorder = recorder_of(steps, 2, scratch("tape"));
	ck_assert_int_eq(ask_one(recorder, "question").status, 0);
	ck_assert_int_eq(ask_one(recorder, "question").status, 0);
	oe_llm_unref(recorder);
	read_text("tape", &text);
	scratch_write("tape", text.data, text.size - 1);
	oe_llm *replayer = replayer_of(scratch("tape"));
	ck_assert_str_eq(ask_one(replayer, "question").text, "first");
	ck_assert_str_eq(ask_one(replayer, "question").text, "second");
	oe_llm_unref(replayer);

	recorder = recorder_of(&steps[2], 1, scratch("tape"));
	check_text("tape", text.data);
	ck_assert_int_eq(ask_one(recorder, "question").status, 0);
	oe_llm_unref(recorder);
	ck_assert_uint_eq(count_lines("tape"), 3);
	oe__buffer_clear(&text);
	read_text("tape", &text);
	ck_assert_ptr_nonnull(strstr(text.data, "\"ordinal\": 2"));
	replayer = replayer_of(scratch("tape"));
	for (size_t i = 0; i < OE__COUNT(steps); i++)
		ck_assert_str_eq(ask_one(replayer, "question").text, steps[i].text);
	oe_llm_unref(replayer);
	scratch_leave();
}
END_TEST

START_TEST(test_what_is_no_recording)
{
	static const char *const texts[] = {
		"llm: {backend: mutate}\n",
		"{}\n",
		"[1]\n",
		"{\"schema\": \"oe.llm/1\", \"prompt\": \"00\", \"seed\": \"0000000000000000\", \"answer\": \"x\"}\n",
		"{\"schema\": \"oe.llm/1\"}\n",
	};
	static const struct scripted_step step = STEP("answer");
	OE__AUTO(buffer) struct oe__buffer good = OE__BUFFER_INIT(0);
	OE__AUTO(llm) oe_llm *llm = NULL, *inner = NULL;
	oe_error err;

	scratch_enter();
	oe_llm *recorder = recorder_of(&step, 1, scratch("tape"));
	ck_assert_int_eq(ask_one(recorder, "question").status, 0);
	oe_llm_unref(recorder);
	read_text("tape", &good);
	inner = scripted_llm(&scripted, &step, 1);
	for (size_t i = 0; i < OE__COUNT(texts); i++) {
		OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);
		oe__buffer_text(&text, good.data);
		oe__buffer_text(&text, texts[i]);
		scratch_write("bad", text.data, text.size);
		ck_assert_int_eq(oe_llm_replay_new(scratch("bad"), &llm, &err), OE_ERR_FORMAT);
		ck_assert_int_eq(err.line, 2);
		/* Nor is anything appended to a file of somebody else's. */
		ck_assert_int_eq(oe_llm_record_new(inner, scratch("bad"), &llm, &err), OE_ERR_FORMAT);
		ck_assert_uint_eq(count_lines("bad"), 2);
	}
	ck_assert_int_eq(oe_llm_replay_new(scratch("nowhere"), &llm, &err), OE_ERR_IO);
	ck_assert_ptr_nonnull(strstr(err.message, "nowhere"));
	ck_assert_int_eq(oe_llm_record_new(inner, scratch("no/where"), &llm, &err), OE_ERR_IO);
	ck_assert_int_eq(oe_llm_record_new(inner, NULL, &llm, &err), OE_ERR_INVALID);
	ck_assert_int_eq(oe_llm_replay_new(NULL, &llm, &err), OE_ERR_INVALID);
	ck_assert_ptr_null(llm);
	scratch_leave();
}
END_TEST

/* What was paid for counts; more is not asked. */
START_TEST(test_a_full_disk)
{
	static const struct scripted_step step = STEP("answer");
	OE__AUTO(llm) oe_llm *recorder = recorder_of(&step, 1, "/dev/full");

	ck_assert_str_eq(ask_one(recorder, "question").text, "answer");
	struct told told = ask_one(recorder, "question");
	ck_assert_int_eq(told.status, OE_ERR_IO);
	ck_assert_int_eq(told.failure, OE_LLM_FAILURE_ACCESS);
	ck_assert_ptr_nonnull(strstr(told.error.message, "/dev/full"));
	ck_assert_uint_eq(script_asked(&scripted.script), 1);
}
END_TEST

/* Many at a time, and two recorders with one file. */
START_TEST(test_many)
{
	static const char *const flags[] = { "--mode", "echo", NULL };
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);
	OE__AUTO(llm) oe_llm *one = NULL, *two = NULL;
	struct asking asking;
	struct questions all, more;

	scratch_enter();
	asking_begin(&asking, flags, "  models: [{name: m}]\n");
	ck_assert_int_eq(oe_llm_record_new(asking.llm, scratch("tape"), &one, NULL), 0);
	ck_assert_int_eq(oe_llm_record_new(asking.llm, scratch("tape"), &two, NULL), 0);
	questions_ask(&all, one, 200, "question");
	questions_ask(&more, two, 200, "another question");
	questions_wait(&all);
	questions_wait(&more);
	ck_assert_uint_eq(questions_answered(&all) + questions_answered(&more), 400);
	ck_assert_uint_eq(count_lines("tape"), 400);
	read_text("tape", &text);
	ck_assert_ptr_null(strstr(text.data, "sk-secret"));
	ck_assert_ptr_null(strstr(text.data, "127.0.0.1"));
	OE__AUTO(llm) oe_llm *replayer = replayer_of(scratch("tape"));
	for (size_t i = 200; i-- > 0;) {
		OE__AUTO(completion) oe_completion *completion = NULL;
		ck_assert_int_eq(oe_llm_ask(replayer, "You are a test.", "question", i, &completion, NULL), 0);
		ck_assert_str_eq(oe_completion_text(completion, NULL),
						 oe_completion_text(all.items[i].call.completion, NULL));
	}
	questions_done(&all);
	questions_done(&more);
	asking_end(&asking);
	scratch_leave();
}
END_TEST

TEST_MAIN("recording", test_there_and_back, test_what_is_not_there, test_passed, test_earlier, test_judges,
		  test_failures, test_going_on, test_last_lines, test_without_an_end, test_what_is_no_recording, test_a_full_disk, test_many)
