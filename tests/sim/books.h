#ifndef OE_TESTS_SIM_BOOKS_H
#define OE_TESTS_SIM_BOOKS_H

/*
 * What the model (model.h) knows: the rows that the log was given, in order, and what they mean for
 * each number. rows.c writes it, audit.c holds it against the disk, model.c against what is asked and
 * told.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"
#include "model.h"
#include "program/program.h"
#include "session.h"
#include "store/log.h"

#define NONE (-1)

/* A row that the log was given: a call of the hub, an answer, an outcome. */
struct record {
	enum oe__row_kind kind;
	int64_t number;
	int32_t attempt;
	int given;        /* outcome in the row; -1: it comes later   */
	int outcome;      /* as far as it is known                    */
	int64_t decision; /* of an end: the row of its outcome        */
	int64_t call;     /* among the calls, from 1                  */
	uint64_t text;    /* of an answer                             */
	uint64_t prompt;  /* of an issue: what was asked; 0: nothing yet */
	uint64_t hub;     /* its fingerprint after the call           */
	double score;     /* of a child, or an initial program        */
	char id[OE__UUID_SIZE]; /* likewise                           */
	bool durable, told, evaluated;
	bool initial;     /* a program that the run began with        */
	int64_t tried;    /* of an issue: the process in which its child was evaluated last */
	bool idle;        /* it changes nothing on the disk           */
};

/* A row that the log has, and its own end. */
struct waiting {
	const struct oe__row *row;
	void (*done)(struct oe__row *row, int status);
	int64_t record; /* NONE: of a kind that nothing depends on */
};

/* A number: records of its latest attempt. */
struct slot {
	int64_t issue, answer, end;
	bool again; /* that attempt failed, and the number is given again */
};

struct books {
	bool replaces;
	const oe_hub *hub;
	uint64_t run_seed;
	int64_t base;    /* numbers that were given before this run */
	struct model_figures before; /* likewise: what came of them */
	double before_best; /* likewise: the best score; NAN: none */
	int judges;      /* enum judges: whether scores are mixed with theirs */
	int64_t held_at; /* the number at which the run was over; INT64_MAX */
	bool lifted;     /* it was, before this process, which is to go on from there */
	bool over;       /* it is, since the last step of the owner */
	struct record *records;
	int64_t count, capacity, calls;
	struct slot *slots; /* by number */
	int64_t slot_capacity;
	struct waiting *queue;
	int64_t head, tail, queue_capacity;
	double best, island_best[OE__ISLANDS_MAX];
	int64_t began_ns; /* this process */
	int64_t lived_ns; /* those before it */
	int64_t session; /* the first record of this process */
	int64_t process; /* its number, from 1 */
	int64_t seeds;   /* initial programs that joined, in a process that was alive or not */
	bool tokens;     /* "hub.duplicates: tokens" */
	bool ordered;    /* "hub.semantics: ordered" */
	int64_t last;    /* the end that let others have their turn, if it has not joined yet; or NONE */
	int64_t told;    /* the number whose end was told last, in this process */
	struct limits limits; /* of this process */
	bool rewinding;       /* rows are those of processes before, which may have had others */
	int64_t evaluated; /* ends that an evaluation led to */
	struct model_figures figures;
};
extern struct books books;

/* Room for element `count` of an array; what is new is zeroed. */
void *books_grow(void *array, int64_t *capacity, int64_t count, size_t size);

/* Of a number that was or may be given. */
struct slot *books_slot(int64_t number);
int32_t books_attempt(const struct slot *slot);
/* No program has joined yet, but for those of before. */
void books_begin_goals(void);
/* Whatever had its turn in the last call has joined. */
void books_settle(void);
/* What the row at that index says of its number. */
void books_take(int64_t index);
/* Begin anew with the first `cut` rows. */
void books_rewind(int64_t cut);

uint64_t books_hash(const void *text, size_t size); /* never 0 */

/* The invariants of the hub itself. */
void model_check_rules(void);

#endif /* OE_TESTS_SIM_BOOKS_H */
