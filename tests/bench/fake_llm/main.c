/* fake_llm: a model server for benchmarks and tests. README.md says what it can do.

   It shares the machine with the client it measures, so it is one thread and spends its time in the
   kernel: requests are scanned, not parsed, and answers written by hand. */
#include "server.h"

#include <stdlib.h>
#include <sys/resource.h>

static int usage(const char *name, const char *wrong)
{
	fprintf(stderr, "fake_llm: %s: %s (see --help)\n", name, wrong);
	return 2;
}

/* Returns 0, or the exit status. */
static int read_flags(struct settings *settings, int count, char **args)
{
	for (int i = 1; i < count; i += 2) {
		const char *wrong;
		if (!strcmp(args[i], "--help")) {
			settings_help(stdout);
			exit(0);
		}
		if (strncmp(args[i], "--", 2) || i + 1 == count)
			return usage(args[i], "expected --NAME VALUE");
		if (!strcmp(args[i], "--script"))
			wrong = settings_script_file(settings, args[i + 1]);
		else
			wrong = settings_set(settings, args[i] + 2, args[i + 1]);
		if (wrong)
			return usage(args[i], wrong);
	}
	return 0;
}

int main(int argc, char **argv)
{
	static struct server server;
	struct rlimit files;

	settings_init(&server.settings);
	int status = read_flags(&server.settings, argc, argv);
	if (status)
		return status;
	if (!getrlimit(RLIMIT_NOFILE, &files)) { /* a connection each */
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	int error = server_start(&server);
	if (error) {
		fprintf(stderr, "fake_llm: cannot listen: %s\n", strerror(error));
		return 1;
	}
	printf("listening on %d\n", server.port);
	fflush(stdout);
	server_run(&server);
	server_free(&server);
	return 0;
}
