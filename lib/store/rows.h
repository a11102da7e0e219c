#ifndef OE__STORE_ROWS_H
#define OE__STORE_ROWS_H

/*
 * What is written to the log, one kind of row after the other. A row borrows everything it points
 * to until `done` has been called; it is embedded in the object it speaks of, so that writing needs
 * no allocation.
 */

#include <stdbool.h>
#include <stdint.h>

#include "openevolve/hub.h"
#include "program/program.h"
#include "store/database.h"

enum oe__row_kind {
	OE__ROW_SEED,   /* oe_hub_seed(program)                             */
	OE__ROW_ISSUE,  /* oe_hub_next_iteration() gave `iteration`          */
	OE__ROW_COMMIT, /* oe_hub_commit(iteration, program)                 */
	OE__ROW_FAIL,   /* oe_hub_fail(iteration, outcome, program, message) */
	OE__ROW_CLOSE,  /* oe_hub_close_generation()                         */
	OE__ROW_ANSWER, /* of (number, attempt): no call of the hub, no seq  */
	OE__ROW_UNANSWERED, /* a question that failed: `message` says how      */
	OE__ROW_JUDGEMENT,  /* a model was asked about the child               */
	OE__ROW_OUTCOME,    /* of a commit, decided when its turn came: no call */
	OE__ROW_CHARGE,     /* of the model `message`: reserved, or settled     */
	OE__ROW_META,   /* key `message`, value `answer.text`                */
	OE__ROW_SETTING, /* the same, after call `seq`; what it was before is kept */
	OE__ROW_MIGRANT, /* `program` is a copy that migrated: no call, no seq */
	OE__ROW_IMPORT,  /* `program` came with a checkpoint: likewise        */
	OE__ROW_SNAPSHOT /* `answer.text`, as it was after the call `seq`     */
};

struct oe__answer_row {
	const char *text;
	size_t size;
	const char *model;
	int finish;
	int64_t tokens_in, tokens_out;
	int32_t requests;
	double llm_ms;
	const uint8_t *prompt_hash; /* OE__SHA256_SIZE bytes */
	const char *system, *user;  /* with "store.prompts: full"; or NULL */
};

struct oe__charge_row {
	bool made; /* it is new */
	int64_t id;
	int state;      /* enum oe__charge_state */
	int64_t tokens;
	int64_t cost;   /* billionths of a dollar; -1: without a price */
};

struct oe__row {
	struct oe__row *next;
	enum oe__row_kind kind;
	int64_t seq; /* of a call: given by the log as the row is queued */
	bool joined; /* by the log: to the next row */
	int64_t number;
	int32_t attempt, island;
	int outcome;
	const oe_iteration *iteration;
	oe_program *program;
	const char *message;
	double evaluation_ms; /* negative: none */
	double time;
	struct oe__answer_row answer;
	struct oe__charge_row charge;

	/* Durable (status 0), or lost (negative). Store thread; must be cheap. May be NULL. */
	void (*done)(struct oe__row *row, int status);
};

/* Bind and insert; inside a transaction of the store thread. */
int oe__row_write(struct oe__database *database, const struct oe__row *row, oe_error *err);

/* A call of the hub, which has its place in the order of the log? */
static inline bool oe__row_is_call(enum oe__row_kind kind)
{
	return kind <= OE__ROW_CLOSE;
}

const char *oe__row_kind_name(enum oe__row_kind kind);

#endif /* OE__STORE_ROWS_H */
