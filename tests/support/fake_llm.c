/* Runs the fake model server for tests in C; see fake_llm.h. */
#include "fake_llm.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define FLAGS_MAX 64

static _Noreturn void fail(const char *what)
{
	perror(what);
	exit(99); /* meson: a hard error, not a failed check */
}

static void read_port(struct fake_llm *fake, int fd)
{
	FILE *from = fdopen(fd, "r");

	if (!from || fscanf(from, "listening on %d", &fake->port) != 1)
		fail("the server did not say its port");
	fclose(from);
	snprintf(fake->url, sizeof(fake->url), "http://127.0.0.1:%d/v1", fake->port);
}

void fake_llm_start(struct fake_llm *fake, const char *const flags[])
{
	char *args[FLAGS_MAX + 4] = { "fake_llm", "--until-eof", "1" };
	posix_spawn_file_actions_t actions;
	int in[2], out[2];

	for (size_t i = 0; flags && flags[i] && i < FLAGS_MAX; i++)
		args[3 + i] = strdup(flags[i]);
	if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0)
		fail("pipe");
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, in[0], 0);
	posix_spawn_file_actions_adddup2(&actions, out[1], 1);
	errno = posix_spawn(&fake->pid, FAKE_LLM_PATH, &actions, NULL, args, NULL);
	if (errno)
		fail(FAKE_LLM_PATH);
	posix_spawn_file_actions_destroy(&actions);
	for (size_t i = 3; args[i]; i++)
		free(args[i]);
	close(in[0]);
	close(out[1]);
	fake->stdin_fd = in[1];
	read_port(fake, out[0]);
}

void fake_llm_stop(struct fake_llm *fake)
{
	if (fake->pid <= 0)
		return;
	int status = 0;
	close(fake->stdin_fd);
	while (waitpid(fake->pid, &status, 0) < 0 && errno == EINTR)
		;
	if (status)
		fail("the server did not end well");
	*fake = (struct fake_llm){ 0 };
}

/* A new connection; -1 with errno. */
static int reach(const struct fake_llm *fake)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
								   .sin_port = htons((uint16_t)fake->port),
								   .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		fail("socket");
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	int error = errno;
	close(fd);
	errno = error;
	return -1;
}

/* One request on a connection of its own. Returns the body of the answer, terminated. */
static char *ask(const struct fake_llm *fake, const char *method, const char *path,
				 const char *body)
{
	char *answer = NULL, *text = NULL;
	size_t size = 0, room = 0;
	ssize_t got = 1;

	int fd = reach(fake);
	if (fd < 0)
		fail("connect");
	dprintf(fd, "%s %s HTTP/1.1\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n%s", method,
			path, strlen(body), body);
	while (got > 0) {
		if (size + 1 >= room && !(answer = realloc(answer, room = 2 * room + 4096)))
			fail("memory");
		got = read(fd, answer + size, room - size - 1);
		size += got > 0 ? (size_t)got : 0;
	}
	close(fd);
	answer[size] = 0;
	if (strncmp(answer, "HTTP/1.1 200 ", 13) || !(text = strstr(answer, "\r\n\r\n"))) {
		fprintf(stderr, "fake_llm: %s %s %s: %s\n", method, path, body, answer);
		exit(99);
	}
	memmove(answer, text + 4, strlen(text + 4) + 1);
	return answer;
}

void fake_llm_control(const struct fake_llm *fake, const char *json)
{
	free(ask(fake, "POST", "/control", json));
}

void fake_llm_reset(const struct fake_llm *fake)
{
	free(ask(fake, "POST", "/reset", ""));
}

void fake_llm_down(const struct fake_llm *fake, int ms)
{
	char order[32];

	snprintf(order, sizeof(order), "{\"down\": %d}", ms);
	fake_llm_control(fake, order);
	for (int fd; (fd = reach(fake)) >= 0;)
		close(fd);
	if (errno != ECONNREFUSED && errno != ECONNRESET)
		fail("connect");
}

char *fake_llm_last(const struct fake_llm *fake)
{
	return ask(fake, "GET", "/last", "");
}

double fake_llm_stat(const struct fake_llm *fake, const char *place)
{
	char *text = ask(fake, "GET", "/stats", ""), *names = strdup(place), *rest = names, *name;
	json_t *root = json_loads(text, 0, NULL), *value = root;

	while ((name = strsep(&rest, ".")))
		value = json_object_get(value, name);
	double number = json_number_value(value);
	json_decref(root);
	free(names);
	free(text);
	return number;
}
