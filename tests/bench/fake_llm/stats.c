/* Counting and the JSON of GET /stats; see stats.h. */
#include "stats.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

void stats_reset(struct stats *stats)
{
	struct stats fresh = { .start_us = now_us(),
						   .open = stats->open,
						   .open_max = stats->open,
						   .in_flight = stats->in_flight,
						   .in_flight_max = stats->in_flight,
						   .requests = stats->in_flight };
	*stats = fresh;
}

/* Moves the ring of seconds on to `at_us`. */
static void roll_seconds(struct stats *stats, uint64_t at_us)
{
	uint64_t second = (at_us - stats->start_us) / 1000000;

	if (second >= stats->second + SECONDS_KEPT)
		stats->second = second - SECONDS_KEPT;
	while (stats->second < second)
		stats->seconds[++stats->second % SECONDS_KEPT] = 0;
}

void stats_request(struct stats *stats, uint64_t at_us)
{
	stats->requests++;
	if (++stats->in_flight > stats->in_flight_max)
		stats->in_flight_max = stats->in_flight;
	roll_seconds(stats, at_us);
	stats->seconds[stats->second % SECONDS_KEPT]++;
}

static size_t latency_part(uint64_t us)
{
	size_t group = us < 64 ? 0 : (size_t)(58 - __builtin_clzll(us));

	if (group >= LATENCY_GROUPS - 1)
		return LATENCY_GROUPS * 64 - 1;
	return group ? group * 64 + (size_t)((us >> (group - 1)) - 64) : (size_t)us;
}

/* The middle of a part. */
static double part_us(size_t part)
{
	size_t group = part / 64;

	return group ? (double)((64 + part % 64) << (group - 1)) + (double)(1ull << (group - 1)) / 2
				 : (double)part;
}

void stats_answered(struct stats *stats, int status, uint64_t latency_us)
{
	stats->answered++;
	stats->statuses[status]++;
	if (status != 200)
		return;
	if (!stats->latency_count++ || latency_us < stats->latency_min_us)
		stats->latency_min_us = latency_us;
	if (latency_us > stats->latency_max_us)
		stats->latency_max_us = latency_us;
	stats->latency_sum_us += latency_us;
	stats->latency_parts[latency_part(latency_us)]++;
}

static double quantile_ms(const struct stats *stats, double share)
{
	uint64_t rank = (uint64_t)(share * (double)stats->latency_count), seen = 0;

	for (size_t i = 0; i < LATENCY_GROUPS * 64; i++) {
		seen += stats->latency_parts[i];
		if (seen > rank)
			return fmin(fmax(part_us(i), (double)stats->latency_min_us),
						(double)stats->latency_max_us) /
				   1000;
	}
	return 0;
}

void tally_add(struct tally *tally, struct slice name)
{
	size_t row = 0, size = name.size < sizeof(tally->rows[0].name)
							   ? name.size
							   : sizeof(tally->rows[0].name) - 1;

	while (row < TALLY_ROWS - 1 && tally->rows[row].count &&
		   (strncmp(tally->rows[row].name, name.data, size) || tally->rows[row].name[size]))
		row++;
	if (!tally->rows[row].count++)
		memcpy(tally->rows[row].name, row < TALLY_ROWS - 1 ? name.data : "other",
			   row < TALLY_ROWS - 1 ? size : 5);
}

static void add(json_t *object, const char *name, uint64_t count)
{
	json_object_set_new(object, name, json_integer((json_int_t)count));
}

static json_t *tally_json(const struct tally *tally)
{
	json_t *object = json_object();

	for (size_t row = 0; row < TALLY_ROWS && tally->rows[row].count; row++)
		add(object, tally->rows[row].name, tally->rows[row].count);
	return object;
}

static json_t *counts_json(const struct stats *stats)
{
	json_t *statuses = json_object(), *faults = json_object();
	char name[8];

	for (int status = 0; status < 600; status++) {
		snprintf(name, sizeof(name), "%d", status);
		if (stats->statuses[status])
			add(statuses, name, stats->statuses[status]);
	}
	for (size_t i = 0; i < FAULT_COUNT; i++)
		if (stats->faults[i])
			add(faults, fault_names[i], stats->faults[i]);
	return json_pack("{s:o, s:o, s:o, s:o}", "status", statuses, "faults", faults, "paths",
					 tally_json(&stats->paths), "models", tally_json(&stats->models));
}

static json_t *latency_json(const struct stats *stats)
{
	double count = (double)stats->latency_count;

	return json_pack("{s:I, s:f, s:f, s:f, s:f, s:f}", "count", (json_int_t)stats->latency_count,
					 "mean", count > 0 ? (double)stats->latency_sum_us / count / 1000 : 0.0, "p50",
					 quantile_ms(stats, 0.5), "p99", quantile_ms(stats, 0.99), "min",
					 (double)stats->latency_min_us / 1000, "max",
					 (double)stats->latency_max_us / 1000);
}

/* Oldest first; the last is the running second. */
static json_t *seconds_json(const struct stats *stats, uint64_t at_us)
{
	struct stats rolled = *stats;
	json_t *array = json_array();

	roll_seconds(&rolled, at_us);
	for (uint64_t i = rolled.second < SECONDS_KEPT ? 0 : rolled.second - SECONDS_KEPT + 1;
		 i <= rolled.second; i++)
		json_array_append_new(array, json_integer((json_int_t)rolled.seconds[i % SECONDS_KEPT]));
	return array;
}

static double cpu_ms(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e3 +
		   (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e3;
}

void stats_write(const struct stats *stats, struct text *out)
{
	const struct {
		const char *name;
		uint64_t count;
	} counts[] = {
		{ "requests", stats->requests },         { "answered", stats->answered },
		{ "dropped", stats->dropped },           { "abandoned", stats->abandoned },
		{ "in_flight", stats->in_flight },       { "in_flight_max", stats->in_flight_max },
		{ "incomplete", stats->incomplete },     { "malformed", stats->malformed },
		{ "edits_missed", stats->edits_missed }, { "tokens_in", stats->tokens_in },
		{ "tokens_out", stats->tokens_out },     { "connections_accepted", stats->accepted },
		{ "connections_open", stats->open },     { "connections_open_max", stats->open_max },
		{ "bytes_in", stats->bytes_in },         { "bytes_out", stats->bytes_out },
	};
	uint64_t at_us = now_us();
	json_t *root = counts_json(stats);

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		add(root, counts[i].name, counts[i].count);
	json_object_set_new(root, "latency_ms", latency_json(stats));
	json_object_set_new(root, "requests_per_second", seconds_json(stats, at_us));
	json_object_set_new(root, "elapsed_ms", json_real((double)(at_us - stats->start_us) / 1000));
	json_object_set_new(root, "cpu_ms", json_real(cpu_ms()));

	char *dumped = json_dumps(root, JSON_INDENT(1) | JSON_REAL_PRECISION(9));
	text_puts(out, dumped ? dumped : "{}");
	free(dumped);
	json_decref(root);
}
