/* What really happened, counted exactly. "Requests" are those for an answer of the model; the rest
   is in `paths` only. At any time requests = answered + dropped + abandoned + in_flight. */
#ifndef FAKE_LLM_STATS_H
#define FAKE_LLM_STATS_H

#include "settings.h"

#define TALLY_ROWS     32
#define SECONDS_KEPT   60
#define LATENCY_GROUPS 40 /* powers of two of a microsecond, each in 64 parts: exact to 1.6 % */

/* Counts by name. Names beyond the table's length share the last row. */
struct tally {
	struct tally_row {
		char name[128];
		uint64_t count;
	} rows[TALLY_ROWS];
};

struct stats {
	uint64_t start_us; /* of counting: the start of the server or the last /reset */
	uint64_t requests, answered, abandoned, dropped, incomplete, malformed;
	uint64_t in_flight, in_flight_max, edits_missed;
	uint64_t accepted, open, open_max, bytes_in, bytes_out;
	uint64_t statuses[600], faults[FAULT_COUNT + 1];
	uint64_t tokens_in, tokens_out;
	struct tally paths, models;

	/* From a complete request to the last byte handed to the kernel, answers with status 200 only.
	 */
	uint64_t latency_count, latency_sum_us, latency_min_us, latency_max_us;
	uint64_t latency_parts[LATENCY_GROUPS * 64];

	uint64_t seconds[SECONDS_KEPT]; /* requests in each second since start_us, a ring */
	uint64_t second;                /* the one counted last */
};

uint64_t now_us(void);
/* Zeroes everything but what is open and in flight now. */
void stats_reset(struct stats *stats);
void stats_request(struct stats *stats, uint64_t at_us);
void stats_answered(struct stats *stats, int status, uint64_t latency_us);
void tally_add(struct tally *tally, struct slice name);
void stats_write(const struct stats *stats, struct text *out);

#endif
