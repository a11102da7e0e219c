#ifndef OE__HUB_STATE_INTERNAL_H
#define OE__HUB_STATE_INTERNAL_H

/*
 * A state being written, or read, for the files that do it, each of them both ways:
 *
 *     state.c           the whole; counters, features
 *     state_members.c   who lives, and where
 *     state_programs.c  programs, attempts and samples, which all the others refer to by number
 *     state_turns.c     numbers that have not ended, and what waits for its turn
 *
 * Programs that live have the numbers of their members, in order of age; all others come behind them.
 */

#include "base/auto.h"
#include "base/limits.h"
#include "base/map.h"
#include "base/pack.h"
#include "hub/hub_internal.h"
#include "hub/state.h"

/* Things of one kind that were referred to, in the order of their numbers. */
struct oe__state_table {
	struct oe__map numbers; /* of their addresses; from 1 */
	const void **items;
	size_t count, capacity;
};

struct oe__state_writer {
	const oe_hub *hub;
	struct oe__buffer body;
	struct oe__state_table programs; /* but those of members */
	struct oe__state_table attempts;
	int status; /* the first failure */
};

void oe__state_writer_done(struct oe__state_writer *writer);
OE__AUTO_VALUE(state_writer, struct oe__state_writer, oe__state_writer_done)

struct oe__state_reader {
	oe_hub *hub;
	const struct oe__program_finder *finder;
	struct oe__unpack in;
	oe_program **programs; /* the first ones of members */
	size_t program_count;
	struct oe__attempt **attempts;
	size_t attempt_count;
	struct oe__member **members; /* by age */
	size_t member_count;
	oe_error *err;
};

void oe__state_reader_done(struct oe__state_reader *reader);
OE__AUTO_VALUE(state_reader, struct oe__state_reader, oe__state_reader_done)

/* Something that was written by nobody. */
int oe__state_damaged(struct oe__state_reader *reader, const char *what);
/* The same, unless all of it was there so far. */
int oe__state_look(struct oe__state_reader *reader, const char *what);

/* Of an iteration, a generation, a change, ... */
static inline int64_t oe__state_get_number(struct oe__state_reader *reader)
{
	return oe__unpack_between(&reader->in, 0, OE__NUMBER_MAX);
}

/* ---- state_programs.c ---- */

void oe__state_put_program(struct oe__state_writer *writer, const oe_program *program); /* or NULL */
void oe__state_put_attempt(struct oe__state_writer *writer, struct oe__attempt *attempt);
void oe__state_put_sample(struct oe__state_writer *writer, const oe_iteration *iteration);
/* All that was referred to, before what refers to it. */
void oe__state_put_tables(struct oe__state_writer *writer, struct oe__buffer *out);

int oe__state_get_tables(struct oe__state_reader *reader);
/* Borrowed. */
oe_program *oe__state_get_program(struct oe__state_reader *reader); /* NULL, or broken as well */
struct oe__attempt *oe__state_get_attempt(struct oe__state_reader *reader); /* NULL: broken */
int oe__state_get_sample(struct oe__state_reader *reader, oe_iteration **out);

/* ---- state_members.c ---- */

void oe__state_put_members(struct oe__state_writer *writer);
int oe__state_get_members(struct oe__state_reader *reader);

/* ---- state_turns.c ---- */

void oe__state_put_turns(struct oe__state_writer *writer);
int oe__state_get_turns(struct oe__state_reader *reader);

#endif /* OE__HUB_STATE_INTERNAL_H */
