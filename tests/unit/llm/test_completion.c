/* lib/llm/completion.c: states, the sink, and what a composite passes on. */

#include "base/rng.h"
#include "base/text.h"
#include "tests/unit/llm/questions.h"

static int finishes;
static void *freed;

static void count_finish(oe_completion *completion)
{
	(void)completion;
	finishes++;
}

static void note_freed(void *owner)
{
	freed = owner;
}

static oe_completion *make(size_t size_max)
{
	oe_completion *completion = NULL;

	ck_assert_int_eq(oe__completion_new(size_max, &completion), 0);
	finishes = 0;
	completion->on_finish = count_finish;
	completion->on_free = note_freed;
	completion->owner = completion;
	return completion;
}

static void append(oe_completion *completion, const char *text)
{
	ck_assert_int_eq(oe_completion_append(completion, text, strlen(text)), 0);
}

START_TEST(test_new)
{
	OE__AUTO(completion) oe_completion *completion = make(100);
	size_t size = 1;

	ck_assert_str_eq(oe_completion_text(completion, &size), "");
	ck_assert_uint_eq(size, 0);
	ck_assert_str_eq(oe_completion_text(completion, NULL), "");
	ck_assert_str_eq(oe_completion_model(completion), "");
	ck_assert_int_eq(oe_completion_finish_reason(completion), OE_FINISH_STOP);
	ck_assert_int_eq(oe_completion_tokens_in(completion), -1);
	ck_assert_int_eq(oe_completion_tokens_out(completion), -1);
	ck_assert_int_eq(oe_completion_attempts(completion), 0);
	ck_assert_int_eq(oe_completion_cancelled(completion), 0);
	ck_assert_int_ne(oe_completion_cancelled(NULL), 0);
	oe_completion_unref(NULL);
	oe_completion_finish(NULL, 0, NULL);
}
END_TEST

START_TEST(test_first_finish_wins)
{
	oe_completion *completion = make(100);
	oe_error err = { .status = OE_ERR_LLM, .message = "no" };

	oe__completion_lend(completion);
	append(completion, "text");
	oe_completion_finish(completion, 0, NULL);
	oe_completion_finish(completion, OE_ERR_LLM, &err);
	ck_assert_int_eq(finishes, 1);
	ck_assert_int_eq(completion->status, 0);
	ck_assert_int_eq(completion->error.status, 0);
	ck_assert(!oe__completion_abandon(completion));
	ck_assert_int_eq(oe_completion_append(completion, "more", 4), OE_ERR_STATE);
	ck_assert_str_eq(oe_completion_text(completion, NULL), "text");
	/* The backend's reference is back: ours is the last one. */
	freed = NULL;
	oe_completion_unref(completion);
	ck_assert_ptr_eq(freed, completion);
}
END_TEST

START_TEST(test_abandoned)
{
	oe_completion *completion = make(100);

	freed = NULL;
	oe__completion_lend(completion);
	ck_assert(oe__completion_abandon(completion));
	ck_assert(!oe__completion_abandon(completion));
	ck_assert_int_ne(oe_completion_cancelled(completion), 0);
	oe_completion_unref(completion); /* the caller is gone, the backend writes on */
	append(completion, "to nobody");
	oe_completion_set_model(completion, "m");
	ck_assert_ptr_null(freed);
	oe_completion_finish(completion, 0, NULL);
	ck_assert_int_eq(finishes, 0);
	ck_assert_ptr_eq(freed, completion);
}
END_TEST

START_TEST(test_unwanted)
{
	OE__AUTO(completion) oe_completion *completion = make(100);

	oe__completion_unwant(completion);
	ck_assert_int_ne(oe_completion_cancelled(completion), 0);
	oe_completion_finish(completion, 0, NULL); /* it came through all the same */
	ck_assert_int_eq(finishes, 1);
	ck_assert_int_eq(completion->status, 0);
}
END_TEST

/* A failure always has a sentence, and a success never has one. */
START_TEST(test_errors)
{
	static const oe_error none = { .status = 0, .message = "stale" };
	static const oe_error said = { .status = OE_ERR_IO, .message = "said" };
	static const struct {
		int status;
		const oe_error *err;
		int wanted;
		const char *message;
	} cases[] = {
		{ 0, NULL, 0, "" },
		{ 7, NULL, 0, "" },
		{ 0, &said, 0, "" },
		{ OE_ERR_LLM, &said, OE_ERR_LLM, "said" },
		{ OE_ERR_TIMEOUT, NULL, OE_ERR_TIMEOUT, NULL },
		{ OE_ERR_TIMEOUT, &none, OE_ERR_TIMEOUT, NULL },
	};

	for (size_t i = 0; i < OE__COUNT(cases); i++) {
		OE__AUTO(completion) oe_completion *completion = make(100);
		const char *message =
			cases[i].message ? cases[i].message : oe_status_string(cases[i].wanted);
		oe_completion_finish(completion, cases[i].status, cases[i].err);
		ck_assert_int_eq(completion->status, cases[i].wanted);
		ck_assert_str_eq(completion->error.message, message);
	}
}
END_TEST

START_TEST(test_limit)
{
	OE__AUTO(completion) oe_completion *completion = make(10);

	append(completion, "0123456789");
	ck_assert_int_eq(oe_completion_append(completion, "x", 1), OE_ERR_LIMIT);
	/* A backend that does not look at that has not answered all the same. */
	oe_completion_finish(completion, 0, NULL);
	ck_assert_int_eq(completion->status, OE_ERR_LIMIT);
	ck_assert_str_ne(completion->error.message, "");
	ck_assert_int_eq(oe_completion_append(NULL, "x", 1), OE_ERR_INVALID);
}
END_TEST

static void random_text(struct oe__rng *rng, struct oe__buffer *out)
{
	static const char *const pieces[] = { "a",	  "\n",		  "\xc3\xa9", "\xe2\x82\xac",
										  "\xf0\x9f\x90\x9d", "\xff", "\x80",	  "\xe2\x82",
										  "\xed\xa0\x80",	  "\xc0" };
	size_t count = oe__rng_below(rng, 12);

	for (size_t i = 0; i < count; i++)
		oe__buffer_text(out, pieces[oe__rng_below(rng, OE__COUNT(pieces))]);
}

/* Wherever the pieces end, in the middle of a character too, the text is that of the whole; what is
   no UTF-8 is replaced. */
START_TEST(test_pieces)
{
	struct oe__rng rng;

	oe__rng_init(&rng, 3, "test", 0, 0);
	for (int round = 0; round < 5000; round++) {
		OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0), whole = OE__BUFFER_INIT(0);
		OE__AUTO(completion) oe_completion *completion = make(1000);
		random_text(&rng, &text);
		oe__utf8_append_lossy(&whole, oe__buffer_string(&text), text.size);
		for (size_t at = 0, size; at < text.size; at += size) {
			size = 1 + oe__rng_below(&rng, text.size - at);
			ck_assert_int_eq(oe_completion_append(completion, text.data + at, size), 0);
		}
		oe_completion_finish(completion, 0, NULL);
		size_t size;
		const char *got = oe_completion_text(completion, &size);
		ck_assert(oe__utf8_valid(got, size));
		ck_assert_uint_eq(size, whole.size);
		ck_assert_str_eq(got, oe__buffer_string(&whole));
	}
}
END_TEST

/* What is replaced takes more room than it had: the cap holds then, too. */
START_TEST(test_replacement_within_limit)
{
	OE__AUTO(completion) oe_completion *completion = make(4);

	append(completion, "\xff\xff\xff");
	oe_completion_finish(completion, 0, NULL);
	ck_assert_int_eq(completion->status, OE_ERR_LIMIT);
	ck_assert_uint_le(completion->text.size, 4);
	ck_assert(oe__utf8_valid(oe_completion_text(completion, NULL), completion->text.size));
}
END_TEST

/* What no backend should report is not taken for what it is not. */
START_TEST(test_nonsense)
{
	OE__AUTO(completion) oe_completion *completion = make(100);

	oe_completion_set_finish(completion, 99);
	ck_assert_int_eq(oe_completion_finish_reason(completion), OE_FINISH_OTHER);
	oe_completion_set_finish(completion, -1);
	ck_assert_int_eq(oe_completion_finish_reason(completion), OE_FINISH_OTHER);
	oe_completion_set_usage(completion, INT64_MIN, -7);
	ck_assert_int_eq(oe_completion_tokens_in(completion), -1);
	ck_assert_int_eq(oe_completion_tokens_out(completion), -1);
	oe_completion_set_failure(completion, 42, -1);
	ck_assert_int_eq(completion->failure, -1);
	oe_completion_set_model(completion, "a");
	oe_completion_set_model(completion, NULL);
	ck_assert_str_eq(oe_completion_model(completion), "");
}
END_TEST

START_TEST(test_adopt)
{
	OE__AUTO(completion) oe_completion *from = make(100), *to = make(100), *small = make(3);

	append(from, "text");
	oe_completion_set_usage(from, 12, 34);
	oe_completion_set_finish(from, OE_FINISH_LENGTH);
	oe_completion_set_model(from, "m");
	oe_completion_set_failure(from, OE_LLM_FAILURE_ACCESS, 250);
	oe__completion_count_requests(from, 2);
	oe__completion_count_requests(to, 3);
	ck_assert_int_eq(oe__completion_adopt(to, from), 0);
	ck_assert_str_eq(oe_completion_text(to, NULL), "text");
	ck_assert_int_eq(oe_completion_tokens_in(to), 12);
	ck_assert_int_eq(oe_completion_tokens_out(to), 34);
	ck_assert_int_eq(oe_completion_finish_reason(to), OE_FINISH_LENGTH);
	ck_assert_str_eq(oe_completion_model(to), "m");
	ck_assert_int_eq(to->failure, OE_LLM_FAILURE_ACCESS);
	ck_assert_int_eq(to->retry_after_ms, 250);
	ck_assert_int_eq(oe_completion_attempts(to), 5);
	ck_assert_int_eq(oe__completion_adopt(small, from), OE_ERR_LIMIT);
}
END_TEST

START_TEST(test_clear)
{
	OE__AUTO(completion) oe_completion *completion = make(4);

	ck_assert_int_eq(oe_completion_append(completion, "12345", 5), OE_ERR_LIMIT);
	oe_completion_set_finish(completion, OE_FINISH_LENGTH);
	oe_completion_set_failure(completion, OE_LLM_FAILURE_TRANSIENT, 9);
	oe__completion_count_requests(completion, 1);
	oe__completion_clear(completion);
	ck_assert_int_eq(oe_completion_finish_reason(completion), OE_FINISH_STOP);
	ck_assert_int_eq(completion->failure, -1);
	ck_assert_int_eq(completion->retry_after_ms, -1);
	ck_assert_int_eq(oe_completion_attempts(completion), 1); /* it was sent */
	append(completion, "1234");
	oe_completion_finish(completion, 0, NULL);
	ck_assert_int_eq(completion->status, 0);
}
END_TEST

TEST_MAIN("completion", test_new, test_first_finish_wins, test_abandoned, test_unwanted, test_errors,
		  test_limit, test_pieces, test_replacement_within_limit, test_nonsense, test_adopt,
		  test_clear)
