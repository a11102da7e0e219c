#ifndef OE_TEST_ROWS_H
#define OE_TEST_ROWS_H

/* The rows of a run that nobody has open, changed behind its back. */

#include <sqlite3.h>

#include "test.h"

static inline void rows_change(const char *path, const char *sql)
{
	sqlite3 *connection = NULL;
	char *message = NULL;

	ck_assert_int_eq(sqlite3_open(path, &connection), SQLITE_OK);
	int status = sqlite3_exec(connection, sql, NULL, NULL, &message);
	ck_assert_msg(status == SQLITE_OK, "%s: %s", sql, message);
	ck_assert_int_eq(sqlite3_close(connection), SQLITE_OK);
}

#endif /* OE_TEST_ROWS_H */
