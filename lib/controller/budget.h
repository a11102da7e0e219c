#ifndef OE__CONTROLLER_BUDGET_H
#define OE__CONTROLLER_BUDGET_H

/*
 * What a run may use up over all its sessions: "budget.*". Tokens and cost are kept by its purse, for all
 * threads; evaluations and time are the owner's. Whether it is over is said in one place,
 * oe__budget_check(), and by nobody else.
 */

#include "base/json.h"
#include "controller/purse.h"
#include "openevolve/config.h"
#include "openevolve/controller.h"

struct oe__budget {
	int64_t evaluations_max; /* INT64_MAX: no limit, as below */
	int64_t evaluations;     /* that came to an end          */
	int64_t evaluations_kept; /* of initial programs that join when the others were evaluated */
	int64_t time_max_ns;
	int64_t time_before_ns;  /* of earlier sessions          */
	int64_t rows_before, answers_before_us; /* the last row of their log, the time of their latest answer */
	struct oe__purse *purse; /* NULL: nobody counts what questions cost */
	bool counting;           /* though it has no limit: there are prices, or it did before */
};

int oe__budget_init(struct oe__budget *budget, const oe_config *config, oe_scheduler *scheduler,
					struct oe__inbox *inbox, oe_error *err);
void oe__budget_done(struct oe__budget *budget);

/* Go on with what a run has used up; nothing, if it is new. Before its log is opened. */
int oe__budget_open(struct oe__budget *budget, struct oe__database *database, oe_error *err);

/* The same for `oe status`: what was used up of what, as the entry "budget" of a map. */
int oe__budget_write(struct oe__database *database, struct oe__json_writer *writer, oe_error *err);

/* What a session writes down at its begin and at its end, so that the next one knows its time, all of it,
   or of one that was killed until its last row: key and value. */
#define OE__BUDGET_SESSION "budget.session"
void oe__budget_session_begin(const struct oe__budget *budget, double now, struct oe__buffer *out);
void oe__budget_session_end(const struct oe__budget *budget, int64_t elapsed_ns, struct oe__buffer *out);

/* The numbers that it has. */
void oe__budget_count(const struct oe__budget *budget, oe_statistics *out);

/* May one more be made, when so many may still be evaluated, or are? */
bool oe__budget_admits(const struct oe__budget *budget, int64_t under_way);

/* enum oe_stop_reason if it is over, with a sentence, or OE_REASON_NONE. `evaluating`: under way now. */
int oe__budget_check(const struct oe__budget *budget, int64_t elapsed_ns, int64_t evaluating,
					 struct oe__buffer *text);

#endif /* OE__CONTROLLER_BUDGET_H */
