/* lib/store/log.c: the order of rows, when they are durable, and what a broken disk does. */

#include "store/log.h"

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "base/thread.h"
#include "store/load.h"
#include "world.h"

#define BATCH_MAX 512 /* of log.c */

static struct oe__log *log_of_test;
static atomic_int commits;

static int count_commit(void *userdata)
{
	(void)userdata;
	atomic_fetch_add(&commits, 1);
	return 0;
}

static void start_log(int64_t next_seq)
{
	struct oe__database *database = world_open("run.db");

	atomic_store(&commits, 0);
	sqlite3_commit_hook(database->handle, count_commit, NULL);
	world_must(oe__log_new(database, next_seq, &log_of_test, NULL));
}

static int64_t number(const char *sql)
{
	OE__AUTO(database) struct oe__database *reader = NULL;
	int64_t result = -1;

	world_must(oe__database_open_reader(scratch("run.db"), &reader, NULL));
	world_must(oe__database_number(reader, sql, &result, NULL));
	return result;
}

/* ---- rows that remember how they ended ---- */

struct noted {
	struct oe__row row;
	int status; /* 1 until `done` */
	int order;
	sem_t *announce, *hold;
};

static atomic_int ended;

static void note(struct oe__row *row, int status)
{
	struct noted *noted = OE__CONTAINER(row, struct noted, row);

	sem_t *hold = noted->hold;

	noted->status = status;
	noted->order = atomic_fetch_add(&ended, 1);
	if (noted->announce)
		sem_post(noted->announce); /* the row may be gone from here on */
	if (hold)
		sem_wait(hold);
}

static struct noted call_row(int64_t of)
{
	return (struct noted){ .row = { .kind = OE__ROW_FAIL,
									.number = of,
									.outcome = OE_OUTCOME_NO_EDIT,
									.evaluation_ms = -1,
									.time = 1,
									.done = note },
						   .status = 1 };
}

static struct noted answer_row(int64_t of)
{
	struct noted noted = call_row(of);

	noted.row.kind = OE__ROW_ANSWER;
	noted.row.answer = (struct oe__answer_row){ .text = "answer", .size = 6, .model = "m" };
	return noted;
}

/* ---- order ---- */

START_TEST(test_rows_are_in_order)
{
	enum { ROWS = 1500 };
	static struct noted rows[ROWS];
	OE__AUTO(database) struct oe__database *reader = NULL;
	OE__AUTO(log_cursor) struct oe__log_cursor *cursor = NULL;
	struct oe__log_entry entry;
	int64_t seq = 7;

	scratch_enter();
	atomic_store(&ended, 0);
	start_log(seq);
	for (int i = 0; i < ROWS; i++) {
		rows[i] = i % 3 == 2 ? answer_row(i) : call_row(i);
		oe__log_append(log_of_test, &rows[i].row);
	}
	world_must(oe__log_flush(log_of_test, NULL));
	ck_assert_int_eq(atomic_load(&ended), ROWS);
	oe__log_free(log_of_test);

	world_must(oe__database_open_reader(scratch("run.db"), &reader, NULL));
	world_must(oe__log_cursor_open(reader, &cursor, NULL));
	for (int i = 0; i < ROWS; i++) {
		ck_assert_int_eq(rows[i].status, 0);
		ck_assert_int_eq(rows[i].order, i);
		if (i % 3 == 2)
			continue; /* no call of the hub: it has no place in the order */
		ck_assert_int_eq(rows[i].row.seq, seq);
		ck_assert_int_eq(oe__log_cursor_next(cursor, &entry, NULL), 1);
		ck_assert_int_eq(entry.seq, seq++);
		ck_assert_int_eq(entry.number, i);
	}
	ck_assert_int_eq(oe__log_cursor_next(cursor, &entry, NULL), 0);
	ck_assert_int_eq(number("SELECT count(*) FROM answer"), ROWS / 3);
	scratch_leave();
}
END_TEST

/* ---- durable ---- */

static struct oe__database *watcher; /* store thread */
static atomic_int not_there;

static void look_for_itself(struct oe__row *row, int status)
{
	sqlite3_stmt *statement = NULL;

	if (status == 0 && oe__database_prepare(watcher, "SELECT 1 FROM log WHERE seq = ?", &statement,
											NULL) == 0) {
		sqlite3_bind_int64(statement, 1, row->seq);
		if (sqlite3_step(statement) != SQLITE_ROW || oe__log_durable(log_of_test) < row->seq)
			atomic_fetch_add(&not_there, 1);
	} else {
		atomic_fetch_add(&not_there, 1);
	}
	sqlite3_finalize(statement);
	atomic_fetch_add(&ended, 1);
}

/* When it is said that a row is durable, any other process can see it. */
START_TEST(test_done_means_durable)
{
	enum { ROWS = 200 };
	static struct noted rows[ROWS];

	scratch_enter();
	atomic_store(&ended, 0);
	start_log(1);
	world_must(oe__database_open_reader(scratch("run.db"), &watcher, NULL));
	for (int i = 0; i < ROWS; i++) {
		rows[i] = call_row(i);
		rows[i].row.done = look_for_itself;
		oe__log_append(log_of_test, &rows[i].row);
	}
	oe__log_free(log_of_test); /* writes what is queued */
	oe__database_close(watcher);
	ck_assert_int_eq(atomic_load(&ended), ROWS);
	ck_assert_int_eq(atomic_load(&not_there), 0);
	scratch_leave();
}
END_TEST

/* ---- groups ---- */

/* What came while one commit was under way goes into the next, as far as it has room. */
START_TEST(test_group_commit)
{
	enum { ROWS = 2 * BATCH_MAX + 100 };
	static struct noted rows[ROWS];
	struct noted first = call_row(0);
	sem_t written, hold;

	scratch_enter();
	sem_init(&written, 0, 0);
	sem_init(&hold, 0, 0);
	first.announce = &written;
	first.hold = &hold;
	start_log(1);
	oe__log_append(log_of_test, &first.row);
	sem_wait(&written); /* the store thread is busy now */
	for (int i = 0; i < ROWS; i++) {
		rows[i] = call_row(i);
		oe__log_append(log_of_test, &rows[i].row);
	}
	sem_post(&hold);
	world_must(oe__log_flush(log_of_test, NULL));
	ck_assert_int_eq(atomic_load(&commits), 1 + 3);
	oe__log_free(log_of_test);
	ck_assert_int_eq(number("SELECT count(*) FROM log"), ROWS + 1);
	scratch_leave();
}
END_TEST

/* With many iterations under way a row waits a little for others, but never for ever. */
START_TEST(test_spacing_passes)
{
	sem_t written;

	scratch_enter();
	sem_init(&written, 0, 0);
	start_log(1);
	oe__log_set_in_flight(log_of_test, 1000000);
	for (int i = 0; i < 5; i++) {
		struct noted row = call_row(i);
		row.announce = &written;
		oe__log_append(log_of_test, &row.row);
		sem_wait(&written);
		ck_assert_int_eq(row.status, 0);
	}
	/* Rows that nobody waits for are written too. */
	struct noted silent = call_row(9);
	silent.row.done = NULL;
	oe__log_append(log_of_test, &silent.row);
	world_must(oe__log_flush(log_of_test, NULL));
	ck_assert_int_eq(number("SELECT count(*) FROM log"), 6);
	world_must(oe__log_flush(log_of_test, NULL)); /* of nothing */
	oe__log_free(log_of_test);
	scratch_leave();
}
END_TEST

/* ---- many threads ---- */

#define WRITERS 4
#define ANSWERS 300

static struct noted answers[WRITERS][ANSWERS];

static void *append_answers(void *argument)
{
	struct noted *rows = argument;

	for (int i = 0; i < ANSWERS; i++)
		oe__log_append(log_of_test, &rows[i].row);
	return oe__log_flush(log_of_test, NULL) == 0 ? argument : NULL;
}

START_TEST(test_many_threads)
{
	pthread_t threads[WRITERS];

	scratch_enter();
	atomic_store(&ended, 0);
	start_log(1);
	for (int i = 0; i < WRITERS; i++) {
		for (int j = 0; j < ANSWERS; j++)
			answers[i][j] = answer_row(i * ANSWERS + j);
		world_must(oe__thread_start(&threads[i], "answers", append_answers, answers[i], NULL));
	}
	for (int i = 0; i < WRITERS; i++) {
		void *flushed = NULL;
		pthread_join(threads[i], &flushed);
		ck_assert_ptr_nonnull(flushed);
	}
	ck_assert_int_eq(atomic_load(&ended), WRITERS * ANSWERS);
	oe__log_free(log_of_test);
	ck_assert_int_eq(number("SELECT count(*) FROM answer"), WRITERS * ANSWERS);
	scratch_leave();
}
END_TEST

/* ---- failures ---- */

/* From the first row that cannot be written on nothing is: what is in the file is a prefix. */
static void check_broken(struct noted *rows, int count, const char *reason)
{
	oe_error err = { .message = "" };
	int lost = -1;

	ck_assert_int_eq(oe__log_flush(log_of_test, &err), OE_ERR_IO);
	ck_assert_int_eq(err.status, OE_ERR_IO);
	ck_assert_msg(strstr(err.message, reason) != NULL, "%s", err.message);
	ck_assert_str_eq(err.where, scratch("run.db"));
	struct noted late = call_row(99999);
	oe__log_append(log_of_test, &late.row);
	ck_assert_int_eq(oe__log_flush(log_of_test, NULL), OE_ERR_IO); /* not only once */
	ck_assert_int_eq(late.status, OE_ERR_IO);
	int64_t durable = oe__log_durable(log_of_test);
	oe__log_free(log_of_test);
	for (int i = 0; i < count; i++) {
		if (rows[i].status < 0 && lost < 0)
			lost = i;
		ck_assert_int_eq(rows[i].status < 0, lost >= 0);
	}
	ck_assert_int_ge(lost, 0);
	ck_assert_int_eq(durable, lost);
	ck_assert_int_eq(number("SELECT count(*) FROM log"), lost);
	ck_assert_int_eq(number("SELECT coalesce(max(seq), 0) FROM log"), lost);
}

START_TEST(test_full_disk)
{
	enum { ROWS = 3000 };
	static struct noted rows[ROWS];
	static char text[2000];

	scratch_enter();
	struct oe__database *database = world_open("run.db");
	/* To SQLite a file that may not grow is a disk that is full. */
	ck_assert_int_eq(sqlite3_exec(database->handle, "PRAGMA max_page_count = 300", NULL, NULL, NULL),
					 SQLITE_OK);
	world_must(oe__log_new(database, 1, &log_of_test, NULL));
	memset(text, 'x', sizeof(text) - 1);
	for (int i = 0; i < ROWS; i++) {
		rows[i] = call_row(i);
		rows[i].row.message = text;
		oe__log_append(log_of_test, &rows[i].row);
		if (i == 100) /* so that something is there */
			world_must(oe__log_flush(log_of_test, NULL));
	}
	check_broken(rows, ROWS, "full");
	ck_assert_int_eq(rows[100].status, 0);
	scratch_leave();
}
END_TEST

START_TEST(test_read_only)
{
	static struct noted rows[10];

	scratch_enter();
	struct oe__database *database = world_open("run.db");
	ck_assert_int_eq(sqlite3_exec(database->handle, "PRAGMA query_only = ON", NULL, NULL, NULL),
					 SQLITE_OK);
	world_must(oe__log_new(database, 1, &log_of_test, NULL));
	for (int i = 0; i < 10; i++) {
		rows[i] = call_row(i);
		oe__log_append(log_of_test, &rows[i].row);
	}
	check_broken(rows, 10, "readonly");
	scratch_leave();
}
END_TEST

/* A row that is wrong in itself takes its transaction with it, and the log ends there. */
START_TEST(test_impossible_row)
{
	static struct noted rows[3];

	scratch_enter();
	start_log(1);
	rows[0] = call_row(0);
	oe__log_append(log_of_test, &rows[0].row);
	world_must(oe__log_flush(log_of_test, NULL));
	rows[1] = call_row(1);
	rows[1].row.time = (double)NAN; /* becomes NULL, which the column refuses */
	rows[2] = call_row(2);
	oe__log_append(log_of_test, &rows[1].row);
	oe__log_append(log_of_test, &rows[2].row);
	check_broken(rows, 3, "NOT NULL");
	scratch_leave();
}
END_TEST

/* What a process without rights has to say; in memory that it shares. */
struct limited {
	char path[512];
	int kept; /* rows, before the first that was lost */
};

/* The limit of a file's size: what a quota does. The WAL cannot grow, and not a byte is lost. */
static int write_under_a_limit(void *argument)
{
	const struct rlimit limit = { 200000, 200000 };
	static struct noted rows[2000];
	struct oe__database *database = NULL;
	struct limited *limited = argument;
	static char text[1000];
	bool refused = false;

	memset(text, 'x', sizeof(text) - 1);
	signal(SIGXFSZ, SIG_IGN);
	if (setrlimit(RLIMIT_FSIZE, &limit) < 0 ||
		oe__database_open(limited->path, false, &database, NULL) < 0 ||
		oe__log_new(database, 1, &log_of_test, NULL) < 0)
		return 1;
	for (int i = 0; i < 2000; i++) {
		rows[i] = call_row(i);
		rows[i].row.message = text;
		oe__log_append(log_of_test, &rows[i].row);
		if (i % 20 == 19 && oe__log_flush(log_of_test, NULL) < 0)
			refused = true;
	}
	oe__log_free(log_of_test);
	while (limited->kept < 2000 && rows[limited->kept].status == 0)
		limited->kept++;
	for (int i = limited->kept; i < 2000; i++)
		if (rows[i].status == 0)
			return 2;
	return refused ? 0 : 3;
}

/* Read in a process of its own, without the limit. */
START_TEST(test_quota)
{
	struct limited *limited = mmap(NULL, sizeof(*limited), PROT_READ | PROT_WRITE,
								   MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	ck_assert_ptr_ne(limited, MAP_FAILED);
	scratch_enter();
	(void)snprintf(limited->path, sizeof(limited->path), "%s", scratch("run.db"));
	ck_assert_int_eq(as_nobody(write_under_a_limit, limited), 0);
	ck_assert_int_gt(limited->kept, 0);
	ck_assert_int_lt(limited->kept, 2000);
	ck_assert_int_eq(number("SELECT count(*) FROM log"), limited->kept);
	ck_assert_int_eq(number("SELECT max(seq) FROM log"), limited->kept);
	scratch_leave();
	munmap(limited, sizeof(*limited));
}
END_TEST

/* What belongs together is there at once, however much, and whoever looks when. */
START_TEST(test_joined_rows)
{
	enum { ROWS = 2 * BATCH_MAX + 7 };
	static struct noted rows[ROWS];
	struct noted before = call_row(0), after = call_row(0);
	sem_t written, hold;

	scratch_enter();
	sem_init(&written, 0, 0);
	sem_init(&hold, 0, 0);
	start_log(1);
	oe__log_append(log_of_test, &before.row);
	world_must(oe__log_flush(log_of_test, NULL));
	oe__log_join(log_of_test);
	for (int i = 0; i < ROWS; i++) {
		rows[i] = call_row(i);
		oe__log_append(log_of_test, &rows[i].row);
	}
	rows[0].announce = &written;
	rows[0].hold = &hold;
	ck_assert_int_eq(number("SELECT count(*) FROM log"), 1); /* none, though nothing else is under way */
	oe__log_part(log_of_test);
	oe__log_append(log_of_test, &after.row);
	sem_wait(&written); /* the first of them is there: all are */
	ck_assert_int_ge(number("SELECT count(*) FROM log"), 1 + ROWS);
	sem_post(&hold);
	world_must(oe__log_flush(log_of_test, NULL));
	oe__log_join(log_of_test); /* nothing */
	oe__log_part(log_of_test);
	oe__log_free(log_of_test);
	ck_assert_int_eq(number("SELECT count(*) FROM log"), 1 + ROWS + 1);
	ck_assert_int_eq(after.status, 0);
	scratch_leave();
}
END_TEST

TEST_MAIN("log", test_rows_are_in_order, test_done_means_durable, test_group_commit, test_joined_rows,
		  test_spacing_passes, test_many_threads, test_full_disk, test_read_only, test_impossible_row,
		  test_quota)
