#ifndef OE__CONTROLLER_INTERNAL_H
#define OE__CONTROLLER_INTERNAL_H

/*
 * The controller's insides, shared by the files of this folder:
 *
 *   controller.c  the handle, its life, step()
 *   flight.c      one iteration under way: its steps between the threads
 *   issue.c       what is begun, and when
 *   finish.c      how iterations end: the hub's verdict, its row, its event
 *   ending.c      where they end in order: what waits to be told
 *   generation.c  when generations close
 *   stop.c        how the run ends
 *   save.c        checkpoints and best/
 *   export.c      a population as a checkpoint, with what the log knows
 *   resume.c      the hub and the open iterations, from the log
 *   snapshot.c    what of the log need not be played again
 *
 * Everything belongs to the owner thread, but for what is marked atomic and the steps of flights.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

#include "controller/breaker.h"
#include "controller/budget.h"
#include "controller/ending.h"
#include "controller/events.h"
#include "controller/inbox.h"
#include "controller/rules.h"
#include "controller/window.h"
#include "hub/settings.h"
#include "iteration/job.h"
#include "openevolve/controller.h"
#include "store/directory.h"
#include "store/log.h"

enum oe__controller_state {
	OE__CONTROLLER_NEW,      /* seeds may be given, or a run resumed */
	OE__CONTROLLER_RUNNING,
	OE__CONTROLLER_STOPPING, /* nothing new is begun                 */
	OE__CONTROLLER_CLOSING,  /* nothing is under way: the last checkpoint is being written */
	OE__CONTROLLER_DONE
};

enum oe__flight_place {
	OE__FLIGHT_ISSUING,   /* its row is not durable yet, or its prompt not rendered */
	OE__FLIGHT_ASKING,    /* holds a slot of the LLM                                */
	OE__FLIGHT_PARKED,    /* waits for the provider to come back                    */
	OE__FLIGHT_EDITING,   /* its answer is being made durable, then read            */
	OE__FLIGHT_WAITING,   /* for a slot of the evaluator                            */
	OE__FLIGHT_EVALUATING /* holds one                                              */
};

struct oe__flight {
	struct oe__job job;
	oe_controller *controller;
	struct oe__flight *next, *previous; /* of all flights                 */
	struct oe__flight *queue_next;      /* of the parked, or the waiting  */
	enum oe__flight_place place;
	bool holds_llm_slot;
	struct oe__purse_turn turn;    /* its question is on its way to the purse        */
	struct oe__task answered_task; /* "the LLM slot is free", while the job goes on */
	struct oe__row issue_row, answer_row, end_row;
	int64_t asked_at;     /* successes of the breaker when it was asked      */
	int64_t asked_ns;
	int64_t issued_ns;     /* in this session; 0: before it                   */
	int64_t evaluating_ns; /* when its evaluation began                       */
	int64_t deadline_ns;  /* of an evaluator that does not keep its own; or INT64_MAX */
	int32_t repeats;      /* evaluations that broke on our side              */
	bool cancelled;
	atomic_bool stranded; /* the row that its next step waits for is lost     */
	bool initial;         /* the run waits for it before it issues anything  */
	int64_t order;        /* among the initial programs                      */
	double started;       /* wall clock                                      */
};

struct oe__flight_queue {
	struct oe__flight *head, *tail;
	int64_t count;
};

/* When generations close, and the one under way. */
struct oe__generation_rules {
	double quorum;
	int64_t time_ns;  /* 0: any                               */
	int64_t began_ns; /* in this session; 0: it has not begun */
	int64_t closed;   /* generations before it                */
	bool staged;      /* something of it has ended            */
};

struct oe_controller {
	pid_t process;
	enum oe__controller_state state;
	oe_config *config;
	oe_scheduler *scheduler;
	oe_hub *hub;
	struct oe__recipe *recipe;
	struct oe__directory *directory; /* NULL: nothing is kept */
	const char *hidden;              /* from evaluations: the directory */
	struct oe__log *log;             /* likewise              */
	uint64_t seed;
	bool seed_drawn; /* the configuration leaves it open */
	char *extension;

	struct oe__inbox inbox;
	struct oe__events events;
	struct oe__rules rules;
	struct oe__budget budget;
	struct oe__breaker breaker;
	struct oe__window window;

	enum oe__semantics semantics;
	struct oe__endings endings;
	struct oe__generation_rules generation;

	struct oe__flight *flights; /* all under way */
	int64_t flight_count, asking, evaluating;
	struct oe__flight_queue parked, waiting;
	int64_t late_ns; /* when some evaluation may be past its deadline; INT64_MAX: none */
	int64_t seeds_given, seeds_pending; /* initial programs; those not in the hub yet      */
	struct oe__flight_queue evaluated;  /* of these, in the order in which they were given, and then
	                                       what was added before they joined               */
	bool seeds_left;       /* some initial program was not judged to its end */
	bool seeded;           /* some initial program is in it       */
	bool numbers_ended;    /* the hub gives no more of them        */
	bool hub_waits;        /* it gives none until something ends   */

	/* How it ends. */
	int reason;         /* enum oe_stop_reason   */
	char *reason_text;
	int how;            /* enum oe_stop, applied */
	int64_t kill_ns;    /* when running evaluations are killed; INT64_MAX: never */
	atomic_int stop_asked; /* enum oe_stop + 1; 0: not asked */
	atomic_bool pause_asked;
	bool paused;
	char *outage; /* the last failure while the provider is down; an event said so */

	/* Saving. */
	int64_t checkpoint_interval, saved_at; /* iterations ended        */
	int64_t origin; /* of the checkpoint that the log begins with; -1: it begins with nothing */
	bool saving, save_again, save_each_best, store_failed;
	char *saved_path; /* the last one that this session wrote; the saving worker reads it */
	bool unsaved; /* something happened since the last checkpoint was begun */
	atomic_bool log_failed;
	int64_t snapshot_calls; /* from one snapshot to the next; 0: there are none */
	int64_t snapshot_seq;   /* the call that the last one knows of; 0: none     */
	int64_t snapshot_size;  /* of the last one, in bytes                        */

	/* Numbers. */
	int64_t started_ns;
	oe_statistics numbers; /* the counters among them */
	int64_t failures_in_a_row;
	int64_t evaluator_failures_in_a_row;
	int64_t repeats_max; /* of an evaluation that broke on our side */
};

/* ---- flight.c ---- */

/* A flight for an iteration (its reference is taken over) or an initial program (referenced). */
int oe__flight_new(oe_controller *controller, oe_iteration *iteration, oe_program *program,
                   struct oe__flight **out);
/* Out of all lists; the memory goes when no row needs it. */
void oe__flight_drop(struct oe__flight *flight);
/* Its question is answered, or not asked: others need not wait for it to be paid for. */
void oe__flight_pass(struct oe__flight *flight);
void oe__flight_free(struct oe__flight *flight);

void oe__flight_issue(struct oe__flight *flight);    /* make it durable, then ask */
void oe__flight_ask(struct oe__flight *flight);      /* again                     */
void oe__flight_evaluate(struct oe__flight *flight); /* when there is a slot      */

/* What a cancelled step is given to end by itself before it is left alone. */
#define OE__LEAVE_NS ((int64_t)500 * 1000000)
void oe__flight_cancel(struct oe__flight *flight);
void oe__flight_leave_by(struct oe__flight *flight, int64_t deadline_ns);

void oe__queue_push(struct oe__flight_queue *queue, struct oe__flight *flight);
struct oe__flight *oe__queue_pop(struct oe__flight_queue *queue);

/* ---- issue.c ---- */

/* Begin what may begin now. Owner. */
int oe__controller_advance(oe_controller *controller, oe_error *err);
/* When something changes by time alone. */
int64_t oe__controller_next_alarm(const oe_controller *controller);
/* An answered flight stands at EDITED: evaluate it, now or in its turn. */
void oe__controller_enqueue(oe_controller *controller, struct oe__flight *flight);

/* ---- finish.c ---- */

void oe__controller_answered(struct oe__flight *flight);   /* the slot is free          */
void oe__controller_ask_failed(struct oe__flight *flight);
void oe__controller_edited(struct oe__flight *flight);
void oe__controller_evaluated(struct oe__flight *flight);
void oe__controller_end_seeds(oe_controller *controller); /* if all of them were evaluated */
/* The run ends before this one was judged, if it is an initial program. */
void oe__controller_leave_seed(struct oe__flight *flight);

/* ---- generation.c ---- */

void oe__controller_read_generations(oe_controller *controller);
void oe__controller_check_generation(oe_controller *controller, int64_t now_ns);
int64_t oe__controller_generation_deadline(const oe_controller *controller);
void oe__controller_close_generation(oe_controller *controller);
void oe__controller_close_last_generation(oe_controller *controller);
void oe__controller_record_cut(oe_controller *controller);

/* ---- stop.c ---- */

/* End the run for `reason`; the first one counts. `text` may be NULL. */
void oe__controller_stop_for(oe_controller *controller, int reason, int how, const char *text);
/* Does somebody, or the clock, want it to end soon? */
bool oe__controller_is_over(const oe_controller *controller); /* not only interrupted */
bool oe__controller_in_a_hurry(const oe_controller *controller);
void oe__controller_apply_stop(oe_controller *controller); /* what other threads asked for */
void oe__controller_check_rules(oe_controller *controller); /* does a rule end it?         */
void oe__controller_check_stop(oe_controller *controller); /* is it over?                  */

/* ---- save.c ---- */

int oe__controller_save(oe_controller *controller, oe_error *err); /* begin a checkpoint */
void oe__controller_save_if_due(oe_controller *controller);
int oe__controller_set_meta(oe_controller *controller, const char *key, const char *value);
/* What is known of the run as it begins, or goes on. */
int oe__controller_record_start(oe_controller *controller, const char *config);
void oe__controller_record_migrant(void *controller, oe_program *copy);
void oe__controller_record_import(oe_controller *controller, const oe_population *population);
void oe__controller_record_unanswered(oe_controller *controller, const struct oe__job *job);
void oe__controller_record_judgements(oe_controller *controller, const struct oe__job *job);

/* ---- resume.c ---- */

int oe__controller_replay(oe_controller *controller, oe_error *err);
/* Begin with the programs of a checkpoint. */
int oe__controller_restore(oe_controller *controller, const char *checkpoint, oe_error *err);

/* ---- events ---- */

void oe__controller_log(oe_controller *controller, int level, const char *format, ...)
	OE__PRINTF(3, 4);

#endif /* OE__CONTROLLER_INTERNAL_H */
