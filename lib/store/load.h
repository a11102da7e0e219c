#ifndef OE__STORE_LOAD_H
#define OE__STORE_LOAD_H

/*
 * Reading run.db: the calls of the hub in their order, answers, programs. One thread, that of the
 * connection.
 */

#include "base/auto.h"
#include "program/program.h"
#include "store/database.h"

/* One row of the log; strings are borrowed until the next step. */
struct oe__log_entry {
	int64_t seq;
	const char *kind; /* "seed", "issue", "commit", "fail", "close" */
	int64_t number;
	int32_t attempt, island;
	int outcome; /* enum oe_outcome, or -1 */
	const char *program_id, *message, *verdict; /* NULL if there is none */
	double evaluation_ms; /* -1 if there was none */
	double time;
};

struct oe__log_cursor;
int oe__log_cursor_open(struct oe__database *database, struct oe__log_cursor **out, oe_error *err);
void oe__log_cursor_seek(struct oe__log_cursor *cursor, int64_t seq); /* go on behind this row */
int oe__log_cursor_next(struct oe__log_cursor *cursor, struct oe__log_entry *entry,
                        oe_error *err); /* 1, or 0 at the end */
void oe__log_cursor_close(struct oe__log_cursor *cursor);

/* How an attempt ended, in a row up to `seq`: 1, with the outcome or -1 if there is none yet; 0: it did
   not. */
int oe__log_find_end(struct oe__database *database, int64_t number, int32_t attempt, int64_t seq,
                     int *outcome, oe_error *err);
/* Was `number` given in a row up to `seq`, and none higher? 1 or 0. */
int oe__log_has_issued(struct oe__database *database, int64_t seq, int64_t number, oe_error *err);

/* A recorded answer; strings are the caller's. */
struct oe__answer {
	char *text, *model;
	size_t size;
	int finish;
	int64_t tokens_in, tokens_out;
	int32_t requests;
	double llm_ms;
	double time;
	uint8_t prompt_hash[OE__SHA256_SIZE];
	bool has_prompt_hash;
};
int oe__answer_load(struct oe__database *database, int64_t number, int32_t attempt,
                    struct oe__answer *out, oe_error *err); /* 1, or 0 if there is none */
void oe__answer_done(struct oe__answer *answer);

/* Each question that was answered, or refused for good, by number: none of them is asked again. The hash of
   its prompt is NULL if nobody knows. */
int oe__answered_each(struct oe__database *database,
                      void (*tell)(void *owner, int64_t number, int32_t attempt, const uint8_t *prompt),
                      void *owner, oe_error *err);

/* The last answer to an iteration, as the member "prompts" of OpenEvolve's records under `key`; with the
   prompt, where that is kept. Appends. 1, or 0 if there is none. */
int oe__answer_write(struct oe__database *database, int64_t number, const char *key,
                     struct oe__buffer *out, oe_error *err);

/* Programs. `dimensions` may be NULL; the recorded fitness is taken if they are. */
struct oe__program_cursor;
int oe__program_cursor_open(struct oe__database *database, int64_t after, bool artifacts,
                            const struct oe__dimensions *dimensions,
                            struct oe__program_cursor **out, oe_error *err);
int oe__program_cursor_next(struct oe__program_cursor *cursor, int64_t *position, oe_program **out,
                            oe_error *err); /* 1, or 0 at the end */
/* 1, or 0 if there is none. Found at once if it is of that iteration, else after a look at all
   identifiers; -1: nobody knows. */
int oe__program_cursor_find(struct oe__program_cursor *cursor, const char *id, int64_t iteration,
                            oe_program **out, oe_error *err);
void oe__program_cursor_close(struct oe__program_cursor *cursor);

/* Has anything come of the run? One that began with a checkpoint has programs before its first call.
   @return 1, 0, or a status */
int oe__log_has_begun(struct oe__database *database, oe_error *err);

/* Numbers by a query that gives one. */
int oe__database_number(struct oe__database *database, const char *sql, int64_t *out,
                        oe_error *err);

OE__AUTO_POINTER(log_cursor, struct oe__log_cursor *, oe__log_cursor_close)
OE__AUTO_POINTER(program_cursor, struct oe__program_cursor *, oe__program_cursor_close)
OE__AUTO_VALUE(answer, struct oe__answer, oe__answer_done)

#endif /* OE__STORE_LOAD_H */
