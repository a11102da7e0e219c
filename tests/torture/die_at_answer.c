/*
 * Preloaded into oe: it is killed when the commit that holds the DIE_AT_ANSWER-th answer has succeeded,
 * before anybody hears of it. So the answer is durable, and nobody has read it.
 */

#include <dlfcn.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool begins(const char *text, const char *with)
{
	return text && strncmp(text, with, strlen(with)) == 0;
}

int sqlite3_step(sqlite3_stmt *statement)
{
	static int answers; /* one thread writes */
	void *symbol = dlsym(RTLD_NEXT, "sqlite3_step");
	int (*step)(sqlite3_stmt *);
	const char *text = sqlite3_sql(statement), *wanted = getenv("DIE_AT_ANSWER");

	memcpy(&step, &symbol, sizeof(step));
	int code = step(statement);

	if (begins(text, "INSERT OR REPLACE INTO answer"))
		answers++;
	if (code == SQLITE_DONE && begins(text, "COMMIT") && wanted && answers >= atoi(wanted))
		kill(getpid(), SIGKILL);
	return code;
}
