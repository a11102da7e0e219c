/* lib/store/verify.c and contradiction.c: each way in which rows can be wrong, and where it is said to be. */

#include "store/verify.h"

#include "store/charge.h"
#include "store/load.h"
#include "world.h"

#define SAMPLE "'{\"inspirations\": []}'"

/* A seed, an iteration that was committed, one that failed and was tried again, and one that is open. */
static const char rows[] =
	"INSERT INTO log VALUES"
	" (1, 'seed', 0, 0, 0, NULL, 'a', NULL, 5, 'ok', 1),"
	" (2, 'issue', 1, 0, 0, NULL, 'a', " SAMPLE ", NULL, NULL, 1),"
	" (3, 'issue', 2, 0, 1, NULL, 'a', " SAMPLE ", NULL, NULL, 1),"
	" (4, 'commit', 1, 0, 0, 'committed', 'b', NULL, 5, 'ok', 1),"
	" (5, 'fail', 2, 0, 1, 'evaluation_failed', 'c', 'so', 5, 'exception', 1),"
	" (6, 'issue', 2, 1, 1, NULL, 'a', " SAMPLE ", NULL, NULL, 1),"
	" (7, 'issue', 3, 0, 0, NULL, 'b', " SAMPLE ", NULL, NULL, 1);"
	"INSERT INTO program VALUES"
	" (1, 'a', NULL, -1, 0, 0, 1, 'c', 'one', '', 2, '{\"x\": 2}', NULL, 'ok', '', 1, 1),"
	" (2, 'b', 'a', 0, 1, 1, 1, 'c', 'two', '', 3, '{\"x\": 3}', '{\"x\": 2}', 'ok', '', 1, 1),"
	" (3, 'c', 'a', 1, 1, 2, 1, 'c', 'three', '', 0, '{}', '{\"x\": 2}', 'exception', 'so', 1, 1);"
	"INSERT INTO artifact VALUES (2, 0, 'x', 0, x'61');"
	"INSERT INTO migrant VALUES ('m', 'b', 1), ('n', 'm', 0);"
	"INSERT INTO answer VALUES"
	" (1, 0, 'gr\xc3\xb6\xc3\x9f"
	"e', 'model', 0, 1, 1, 1, 1, zeroblob(32), 1),"
	" (2, 0, '', 'model', 4, 1, 1, 1, 1, NULL, 1);"
	"INSERT INTO prompt VALUES (1, 0, 'system', 'user');"
	"INSERT INTO unanswered VALUES (2, 1, 'model', 1, 1, 'down', 1), (0, 0, 'judge', 1, 1, 'down', 1);"
	"INSERT INTO judgement VALUES (1, 0, 'judge', 1, 1, 1, 1, 1, 1), (0, 0, 'judge', 1, 1, 1, 1, 1, 1);"
	"INSERT INTO charge VALUES (1, 1, 'model', 'settled', 5, 1, 1), (2, 0, 'judge', 'free', 5, NULL, 1);";

static void must_run(struct oe__database *database, const char *sql)
{
	char *message = NULL;

	ck_assert_msg(sqlite3_exec(database->handle, sql, NULL, NULL, &message) == SQLITE_OK, "%s: %s", sql, message);
}

static struct oe__database *begin(void)
{
	scratch_enter();
	struct oe__database *database = world_open("run.db");
	world_must(oe__charges_make(database, NULL));
	must_run(database, rows);
	return database;
}

static int verify(struct oe__database *database, oe_error *err)
{
	static const struct oe__dimensions none = { 0 };

	*err = (oe_error){ .message = "" };
	int status = oe__database_verify(database, err);
	if (status == 0)
		status = oe__database_verify_islands(database, 2, err);
	return status == 0 ? oe__database_verify_fitness(database, &none, err) : status;
}

START_TEST(test_sound)
{
	struct oe__database *database = begin();
	oe_error err;

	ck_assert_msg(verify(database, &err) == 0, "%s", err.message);
	oe__database_close(database);
	scratch_leave();
}
END_TEST

/* What failed before there was an answer, or came to nothing when there was one. */
START_TEST(test_failures_without_an_answer)
{
	static const char *const outcomes[] = { "llm_failed", "cancelled", "lost" };
	struct oe__database *database = begin();
	char sql[100];
	oe_error err;

	must_run(database, "DELETE FROM answer WHERE number = 2");
	for (size_t i = 0; i < sizeof(outcomes) / sizeof(*outcomes); i++) {
		(void)snprintf(sql, sizeof(sql), "UPDATE log SET outcome = '%s' WHERE seq = 5", outcomes[i]);
		must_run(database, sql);
		ck_assert_msg(verify(database, &err) == 0, "%s: %s", outcomes[i], err.message);
	}
	oe__database_close(database);
	scratch_leave();
}
END_TEST

static const struct {
	const char *sql, *said;
} damages[] = {
	/* What is missing. */
	{ "DELETE FROM log WHERE seq = 3", "row 4 of the log: the row before it is missing" },
	{ "DELETE FROM log WHERE seq <= 3", "row 4 of the log: the row before it is missing" },
	{ "DELETE FROM log WHERE seq >= 6", "iteration 2, attempt 1 of the table unanswered: it belongs to an iteration that "
										"did not begin" },
	{ "DELETE FROM unanswered; DELETE FROM log WHERE seq >= 5",
	  "row 3 of the table program: no row of the log names it" },
	{ "DELETE FROM log", "row 1 of the table program: no row of the log names it" },
	{ "DELETE FROM program WHERE id = 'c'", "row 5 of the log: its program is missing" },
	{ "DELETE FROM answer WHERE number = 1", "row 4 of the log: the answer that it was made from is missing" },
	{ "DELETE FROM answer WHERE number = 2", "row 5 of the log: the answer that it was made from is missing" },
	{ "UPDATE log SET program_id = NULL WHERE seq = 2", "row 2 of the log: its parent is missing" },
	/* What was never given, or twice. */
	{ "UPDATE log SET number = 1 WHERE seq = 3", "row 3 of the log: it begins an iteration for the second time" },
	{ "UPDATE log SET number = 5 WHERE seq = 7", "row 7 of the log: the number before its own was never given" },
	{ "UPDATE log SET attempt = 2 WHERE seq = 6", "row 6 of the log: the attempt before it was never made" },
	{ "UPDATE log SET kind = 'close' WHERE seq = 3", "row 5 of the log: it ends an iteration that did not begin" },
	{ "UPDATE log SET kind = 'fail', outcome = 'lost', attempt = 0 WHERE seq = 6",
	  "row 6 of the log: it ends an iteration for the second time" },
	{ "UPDATE log SET island = 0 WHERE seq = 5", "row 5 of the log: it ends an iteration that began on another island" },
	{ "INSERT INTO answer SELECT 4, attempt, text, model, finish, tokens_in, tokens_out, requests, llm_ms,"
	  " prompt_hash, time FROM answer WHERE number = 2",
	  "iteration 4, attempt 0 of the table answer: it belongs to an iteration that did not begin" },
	{ "INSERT INTO answer SELECT number, 3, text, model, finish, tokens_in, tokens_out, requests, llm_ms,"
	  " prompt_hash, time FROM answer WHERE number = 2",
	  "iteration 2, attempt 3 of the table answer: it belongs to an iteration that did not begin" },
	{ "UPDATE prompt SET number = 9", "iteration 9, attempt 0 of the table prompt: it belongs to an iteration that did "
									  "not begin" },
	{ "UPDATE judgement SET number = 9 WHERE number = 1",
	  "iteration 9, attempt 0 of the table judgement: it belongs to an iteration that did not begin" },
	{ "UPDATE charge SET number = 9 WHERE number = 1",
	  "row 1 of the table charge: it belongs to an iteration that did not begin" },
	{ "INSERT INTO artifact VALUES (9, 0, 'x', 0, x'61')",
	  "artifact 0 of program 9 of the table artifact: its program is missing" },
	/* What means nothing. */
	{ "UPDATE log SET kind = 'end' WHERE seq = 4", "row 4 of the log: its kind is none that there is" },
	{ "UPDATE log SET outcome = 'fine' WHERE seq = 4", "row 4 of the log: its outcome is none that there is" },
	{ "UPDATE log SET outcome = '' WHERE seq = 4", "row 4 of the log: its outcome is none that there is" },
	{ "UPDATE log SET outcome = NULL WHERE seq = 5", "row 5 of the log: its outcome is none that there is" },
	{ "UPDATE log SET verdict = 'fine' WHERE seq = 4", "row 4 of the log: its verdict is none that there is" },
	{ "UPDATE program SET verdict = 'fine' WHERE id = 'b'",
	  "row 2 of the table program: its verdict is none that there is" },
	{ "UPDATE charge SET state = 'paid' WHERE id = 2", "row 2 of the table charge: its state is none that there is" },
	{ "UPDATE answer SET finish = 5 WHERE number = 2",
	  "iteration 2, attempt 0 of the table answer: how it ended, or the hash of its prompt, means nothing" },
	{ "UPDATE answer SET prompt_hash = x'00' WHERE number = 1",
	  "iteration 1, attempt 0 of the table answer: how it ended, or the hash of its prompt, means nothing" },
	{ "UPDATE artifact SET kind = 3", "artifact 0 of program 2 of the table artifact: it is of a kind that there is not" },
	/* What cannot be read. */
	{ "UPDATE log SET message = '[]' WHERE seq = 2", "row 2 of the log: its sample is no JSON object" },
	{ "UPDATE log SET message = '{' WHERE seq = 2", "row 2 of the log: its sample is no JSON object" },
	{ "UPDATE log SET message = NULL WHERE seq = 2", "row 2 of the log: its sample is no JSON object" },
	{ "UPDATE program SET code = CAST(x'61ff' AS TEXT) WHERE id = 'b'",
	  "row 2 of the table program: its code is not UTF-8 text" },
	{ "UPDATE program SET metrics = '[]' WHERE id = 'b'", "row 2 of the table program: its metrics are no JSON object" },
	{ "UPDATE program SET metrics = '{' WHERE id = 'b'", "row 2 of the table program: its metrics are no JSON object" },
	{ "UPDATE program SET parent_metrics = '7' WHERE id = 'b'",
	  "row 2 of the table program: the metrics of its parent are no JSON object" },
	{ "UPDATE answer SET text = CAST(x'61ff' AS TEXT) WHERE number = 1",
	  "iteration 1, attempt 0 of the table answer: it is not UTF-8 text" },
	{ "UPDATE prompt SET user = CAST(x'61ff' AS TEXT)",
	  "iteration 1, attempt 0 of the table prompt: it is not UTF-8 text" },
	{ "INSERT INTO snapshot VALUES (7, x'00', x'00', 1)", "the table snapshot: it is damaged" },
	{ "INSERT INTO snapshot VALUES (8, zeroblob(32), x'00', 1)",
	  "the table snapshot: it is of a longer log than this one" },
	{ "UPDATE program SET fitness = 4 WHERE id = 'b'",
	  "row 2 of the table program: its fitness is not that of its metrics" },
	{ "UPDATE log SET island = 2 WHERE number = 1", "row 2 of the log: there is no such island" },
	{ "UPDATE program SET island = 2 WHERE id = 'b'", "row 2 of the table program: there is no such island" },
	{ "UPDATE migrant SET island = -1 WHERE id = 'm'", "migrant 'm' of the table migrant: there is no such island" },
};

START_TEST(test_damages)
{
	struct oe__database *database = begin();
	oe_error err;

	for (size_t i = 0; i < OE__COUNT(damages); i++) {
		must_run(database, "BEGIN");
		must_run(database, damages[i].sql);
		ck_assert_msg(verify(database, &err) == OE_ERR_FORMAT, "%s", damages[i].sql);
		ck_assert_str_eq(err.message, damages[i].said);
		ck_assert_str_eq(err.where, scratch("run.db"));
		must_run(database, "ROLLBACK");
	}
	ck_assert_int_eq(verify(database, &err), 0);
	oe__database_close(database);
	scratch_leave();
}
END_TEST

/* What came with the checkpoint that a run began with is named by no row, and has the fitness that it had. */
START_TEST(test_of_a_checkpoint)
{
	struct oe__database *database = begin();
	oe_error err;

	must_run(database, "UPDATE program SET position = position + 10; UPDATE artifact SET program = program + 10;"
					   "INSERT INTO program VALUES (1, 'i', NULL, 0, 0, 1, 1, 'c', 'old', '', 9, '{\"x\": 2}', NULL,"
					   " 'ok', '', 1, 1)");
	ck_assert_int_eq(verify(database, &err), OE_ERR_FORMAT);
	ck_assert_str_eq(err.message, "row 1 of the table program: no row of the log names it");
	must_run(database, "INSERT INTO meta VALUES ('checkpoint', 'checkpoint_1')");
	ck_assert_msg(verify(database, &err) == 0, "%s", err.message);
	must_run(database, "UPDATE program SET position = 20 WHERE id = 'i'");
	ck_assert_int_eq(verify(database, &err), OE_ERR_FORMAT);
	oe__database_close(database);
	scratch_leave();
}
END_TEST

/* Tables that came later, and those that only runs with a budget have. */
START_TEST(test_without_tables)
{
	struct oe__database *database = begin();
	oe_error err;

	must_run(database, "DROP TABLE charge; DROP TABLE judgement");
	ck_assert_msg(verify(database, &err) == 0, "%s", err.message);
	oe__database_close(database);
	scratch_leave();
}
END_TEST

TEST_MAIN("verify", test_sound, test_failures_without_an_answer, test_damages,
		  test_of_a_checkpoint, test_without_tables)
