/* The loop, and what every request needs. */

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "driver.h"

double driver_now_ms(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

int64_t driver_number(const json_t *object, const char *name, int64_t otherwise)
{
	const json_t *value = json_object_get(object, name);

	return json_is_integer(value) ? json_integer_value(value) : otherwise;
}

const char **driver_strings(const json_t *object, const char *name)
{
	const json_t *list = json_object_get(object, name);

	if (!json_is_array(list))
		return NULL;
	const char **strings = calloc(json_array_size(list) + 1, sizeof(*strings));
	for (size_t i = 0; strings && i < json_array_size(list); i++)
		strings[i] = json_string_value(json_array_get(list, i));
	return strings;
}

json_t *driver_text(const void *data, size_t size)
{
	json_t *text = json_stringn(size ? data : "", size);

	return text ? text : json_pack("{s:b, s:I}", "utf8", 0, "size", (json_int_t)size);
}

json_t *driver_failure(int status, const oe_error *err)
{
	return json_pack("{s:{s:i, s:s, s:s}}", "error", "status", status, "message",
	                 err->message[0] ? err->message : oe_status_string(status), "where", err->where);
}

json_t *driver_usage(const oe_usage *usage)
{
	return json_pack("{s:f, s:f, s:f, s:I, s:s?, s:I, s:I, s:s?, s:I}", "wall_ms",
	                 usage->wall_ms, "cpu_ms", usage->cpu_ms, "setup_ms", usage->setup_ms,
	                 "memory_peak", (json_int_t)usage->memory_peak, "memory_source",
	                 usage->memory_source, "strays_killed", (json_int_t)usage->strays_killed, "output_bytes",
	                 (json_int_t)usage->output_bytes, "path", usage->path, "seed",
	                 (json_int_t)usage->seed);
}

void driver_close(struct driver *driver)
{
	oe_sandbox_free(driver->sandbox);
	oe_evaluator_unref(driver->evaluator);
	oe_scheduler_unref(driver->scheduler);
	oe_config_free(driver->config);
	*driver = (struct driver){ 0 };
}

static json_t *close_all(struct driver *driver, const json_t *request)
{
	(void)request;
	driver_close(driver);
	return json_object();
}

/* ---- threads that have nothing to do with it ---- */

static atomic_bool noisy;
static pthread_t noise[16];
static size_t noise_count;

/* Takes and returns memory all the time: a child that is forked off meanwhile and asks for memory
   would find the allocator locked for ever. */
static void *make_noise(void *argument)
{
	void *blocks[64] = { 0 };

	(void)argument;
	for (unsigned i = 0; atomic_load(&noisy); i++) {
		free(blocks[i % 64]);
		blocks[i % 64] = malloc(64 + i % 5000);
		(void)setvbuf(stderr, NULL, _IONBF, 0);
	}
	for (size_t i = 0; i < 64; i++)
		free(blocks[i]);
	return NULL;
}

static json_t *set_noise(struct driver *driver, const json_t *request)
{
	size_t wanted = (size_t)driver_number(request, "threads", 0);

	(void)driver;
	atomic_store(&noisy, 0);
	while (noise_count > 0)
		pthread_join(noise[--noise_count], NULL);
	atomic_store(&noisy, 1);
	while (noise_count < wanted && noise_count < sizeof(noise) / sizeof(noise[0]) &&
	       pthread_create(&noise[noise_count], NULL, make_noise, NULL) == 0)
		noise_count++;
	return json_pack("{s:i}", "threads", (int)noise_count);
}

/* How many descriptors it may have from now on. */
static json_t *set_descriptors(struct driver *driver, const json_t *request)
{
	struct rlimit limit;

	(void)driver;
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return NULL;
	json_t *answer = json_pack("{s:I}", "before", (json_int_t)limit.rlim_cur);
	limit.rlim_cur = (rlim_t)driver_number(request, "limit", (int64_t)limit.rlim_cur);
	(void)setrlimit(RLIMIT_NOFILE, &limit);
	return answer;
}

/* ---- requests ---- */

static const struct request {
	const char *name;
	json_t *(*serve)(struct driver *driver, const json_t *request);
} requests[] = {
	{ "open", driver_open },           { "run", driver_run }, { "evaluator", driver_evaluator },
	{ "judge", driver_judge },         { "close", close_all }, { "noise", set_noise },
	{ "descriptors", set_descriptors },
};

static json_t *serve(struct driver *driver, const char *line)
{
	json_error_t wrong;
	json_t *request = json_loads(line, JSON_ALLOW_NUL, &wrong), *answer = NULL;
	const char *name = json_string_value(json_object_get(request, "do"));

	for (size_t i = 0; name && i < sizeof(requests) / sizeof(requests[0]); i++)
		if (strcmp(requests[i].name, name) == 0)
			answer = requests[i].serve(driver, request);
	if (!answer)
		answer = json_pack("{s:s}", "wrong", request ? "no such request" : wrong.text);
	json_decref(request);
	return answer;
}

int main(void)
{
	struct driver driver = { 0 };
	char *line = NULL;
	size_t capacity = 0;

	while (getline(&line, &capacity, stdin) > 0) {
		json_t *answer = serve(&driver, line);
		char *text = json_dumps(answer, JSON_COMPACT | JSON_ENCODE_ANY);
		printf("%s\n", text ? text : "{\"wrong\":\"the answer is no JSON\"}");
		fflush(stdout);
		free(text);
		json_decref(answer);
	}
	free(line);
	json_decref(set_noise(&driver, NULL));
	driver_close(&driver);
	return 0;
}
