#ifndef OPENEVOLVE_LLM_H
#define OPENEVOLVE_LLM_H

/**
 * @file
 * LLM backends: where new code comes from.
 *
 * An oe_llm is anything that answers a prompt. The library brings some that speak to providers,
 * one that runs a command, one that needs no model at all, and some that are made of others. Write
 * your own by filling in an oe_llm_vtable with **one of** two methods:
 *
 * - generate(): blocking. Called on a plugin thread, one per call in flight.
 * - start(): returns at once; the answer is finished later, from any thread.
 *
 * A backend is a pure function of its request: everything random derives from `request->seed`.
 */

#include "openevolve/common.h"
#include "openevolve/config.h"
#include "openevolve/hub.h"
#include "openevolve/scheduler.h"

#ifdef __cplusplus
extern "C" {
#endif

/** What answers prompts: a backend, or one made of others. Reference-counted. */
typedef struct oe_llm oe_llm;

/** Where a backend puts its answer. */
typedef struct oe_completion oe_completion;

/** How the answer is applied to the parent. */
enum oe_edit_mode {
	OE_EDIT_DIFF = 0,   /**< SEARCH/REPLACE blocks   */
	OE_EDIT_REWRITE = 1 /**< the whole program anew  */
};

/**
 * One question. Borrowed: valid until the completion is finished (generate(): until it returns).
 * Made by the library; append-only.
 */
typedef struct oe_llm_request {
	size_t struct_size;
	const char *system;            /**< NUL-terminated, UTF-8                                    */
	const char *user;              /**< the prompt; likewise */
	size_t system_size, user_size; /**< bytes                                                    */
	const oe_iteration *iteration; /**< the typed sample; NULL for a judge's question            */
	int32_t edit_mode;             /**< enum oe_edit_mode                                        */
	int32_t attempt;               /**< of an infrastructure retry, from 0                       */
	uint64_t seed;                 /**< this question's stream                                   */
	int64_t timeout_ms;            /**< the caller gives up then; 0: the backend's own           */
	const char *language;          /**< of the program; ""                                       */
	int64_t max_tokens;            /**< that the answer may have at most, as a budget has to pay for it; 0:
	                                    the backend's own limit                                  */
} oe_llm_request;

/** How an answer ended. */
enum oe_finish {
	OE_FINISH_STOP = 0,    /**< by itself */
	OE_FINISH_LENGTH = 1,  /**< cut by a token limit                                   */
	OE_FINISH_REFUSAL = 2, /**< the model or a filter declined                         */
	OE_FINISH_EMPTY = 3,   /**< an answer without text (reasoning only, tool calls, …) */
	OE_FINISH_OTHER = 4    /**< for a reason of the provider's own */
};

/**
 * What kind of failure a negative finish status was; decides who tries again.
 * Set with oe_completion_set_failure(); without it OE_ERR_TIMEOUT and OE_ERR_IO count as transient.
 */
enum oe_llm_failure {
	OE_LLM_FAILURE_REQUEST = 0,   /**< this request is hopeless; others may work               */
	OE_LLM_FAILURE_TRANSIENT = 1, /**< worth repeating: overload, network, time-out            */
	OE_LLM_FAILURE_ACCESS = 2     /**< key refused, no quota, no such model: nothing will work */
};

/** Methods of a backend. Initialise with OE_LLM_VTABLE_INIT, then set fields by name. */
typedef struct oe_llm_vtable {
	size_t struct_size; /**< set by OE_LLM_VTABLE_INIT    */
	const char *name;   /**< required; for logs and events */
	int32_t threading;  /**< enum oe_threading; generate() only */

	/**
	 * Answer one request and return 0, or a negative status. Blocking. Plugin thread.
	 * Should return soon after oe_completion_cancelled() becomes true.
	 */
	int (*generate)(void *self, const oe_llm_request *request, oe_completion *completion,
	                oe_error *err);

	/**
	 * Begin to answer and return at once. `completion` is a handle that the backend owns until it
	 * calls oe_completion_finish(). After a negative return there is nothing to finish.
	 * Any thread, never inside another call of the same request.
	 */
	int (*start)(void *self, const oe_llm_request *request, oe_completion *completion,
	             oe_error *err);

	/** The answer is not needed any more; finish early, here or later. The completion may be finished
	 *  already. Optional; start() only. Any thread. */
	void (*cancel)(void *self, oe_completion *completion);

	/** Release `self`; called once, when nothing is in flight. Default: do nothing. */
	void (*free)(void *self);
} oe_llm_vtable;

/** A table without methods. */
#define OE_LLM_VTABLE_INIT \
	{ sizeof(oe_llm_vtable), NULL, OE_THREADING_SERIAL, NULL, NULL, NULL, NULL }

/**
 * Make a backend. The table is copied; `self` is owned by the result (on failure by the caller).
 *
 * @retval OE_ERR_INVALID no name, or not exactly one of generate() and start().
 */
OE_API OE_NODISCARD int oe_llm_new(const oe_llm_vtable *vtable, void *self, oe_llm **out,
                                   oe_error *err);

/**
 * Everything "llm.*" asks for: the models of `llm.models` (or `llm.evaluator_models`), each with its
 * backend and retry, in an ensemble if there is more than one, and recorded with `llm.record`; or, with
 * `llm.replay`, a recording in their place.
 *
 * @param scheduler referenced: its reactor carries the connections.
 * @param judges    nonzero for the evaluator's models.
 * @retval OE_ERR_CONFIG no model is configured.
 */
OE_API OE_NODISCARD int oe_llm_from_config(const oe_config *config, oe_scheduler *scheduler,
                                           int judges, oe_llm **out, oe_error *err);

/**
 * One of these models alone, by its index as in oe_config_model(): to see whether it answers.
 *
 * @return 1 and the model; 0 past the last one; OE_ERR_CONFIG if the list is not usable.
 */
OE_API OE_NODISCARD int oe_llm_from_config_at(const oe_config *config, oe_scheduler *scheduler,
                                              int judges, size_t index, oe_llm **out,
                                              oe_error *err);

/**
 * The embedded default: not a model, but a local search operator without domain knowledge, which
 * perturbs and recombines literals and lines inside EVOLVE-BLOCKs and answers with ordinary edits.
 */
OE_API OE_NODISCARD int oe_llm_mutate_new(oe_llm **out);

/**
 * Backend that runs a program for each question: the system message, an empty line and the prompt on
 * its standard input, the answer on its standard output. OE_SEED and OE_MODEL are in its environment,
 * besides what evaluations are given; it runs in the directory that is current now.
 *
 * It fails if the program cannot be started (OE_LLM_FAILURE_ACCESS), exits with another status than
 * 0 (75, EX_TEMPFAIL: it is worth another try), or is still running after "llm.timeout" seconds.
 * Whatever it leaves running is killed.
 *
 * @param argv      NULL-terminated; a program without a slash is looked up in PATH. Copied, like all
 *                  that is needed of `config`.
 * @param scheduler referenced.
 */
OE_API OE_NODISCARD int oe_llm_command_new(const oe_config *config, oe_scheduler *scheduler,
                                           const char *const *argv, oe_llm **out, oe_error *err);

/** Backend that picks a member by weight, from the request's seed. */
OE_API OE_NODISCARD int oe_llm_ensemble_new(oe_llm **out);

/** Add a member; referenced on success. Not after the first request. `weight` >= 0, and finite
 *  together with the others. */
OE_API OE_NODISCARD int oe_llm_ensemble_add(oe_llm *ensemble, oe_llm *member, double weight);

/**
 * Backend that asks `inner` (referenced) again after a transient failure: at most `retries` more
 * times, `delay_ms` apart with full jitter and growth, never before a Retry-After.
 */
OE_API OE_NODISCARD int oe_llm_retry_new(oe_llm *inner, oe_scheduler *scheduler, int32_t retries,
                                         int64_t delay_ms, oe_llm **out);

/**
 * Backend that asks `inner` (referenced) and appends each answer to a file, one JSON object per line:
 * docs/replay.md has the format. What the file holds already stays, but for the rest of a last line whose
 * writer was interrupted. Several backends may share a file.
 *
 * If it cannot be written any more, the answer still counts, and the next question fails with
 * OE_LLM_FAILURE_ACCESS.
 *
 * @retval OE_ERR_FORMAT the file holds something else, and is left as it is.
 */
OE_API OE_NODISCARD int oe_llm_record_new(oe_llm *inner, const char *path, oe_llm **out,
                                          oe_error *err);

/**
 * Backend that gives the answers of such a file: to a prompt, the answer that was recorded with the
 * request's seed, or else the first that was not given yet. A prompt without one fails with
 * OE_LLM_FAILURE_REQUEST; when all were given, but for those of the evaluator's models and those whose seed
 * came with another prompt, with OE_LLM_FAILURE_ACCESS. What sessions of a run before a resume were answered
 * counts as given.
 *
 * @retval OE_ERR_FORMAT this is no recording.
 */
OE_API OE_NODISCARD int oe_llm_replay_new(const char *path, oe_llm **out, oe_error *err);

/** Take one more reference; returns its argument. Any thread. */
OE_API oe_llm *oe_llm_ref(oe_llm *llm);
/** Drop one reference; the last one releases `self`. Any thread. Accepts NULL. */
OE_API void oe_llm_unref(oe_llm *llm);

/**
 * Ask and wait for the answer; for tools, not for the hot path. Not on a thread of the scheduler.
 *
 * @param out receives a reference to the finished completion.
 * @return 0 or the status the backend finished with.
 */
OE_API OE_NODISCARD int oe_llm_ask(oe_llm *llm, const char *system, const char *user, uint64_t seed,
                                   oe_completion **out, oe_error *err);

/* ---- completions: writing, for backends ---- */

/** Append answer text; may be called many times, with pieces that end inside a character.
 *  What is no UTF-8 in the whole is replaced.
 *  @retval OE_ERR_LIMIT the answer exceeds "llm.max_response_bytes". */
OE_API OE_NODISCARD int oe_completion_append(oe_completion *completion, const char *text,
                                             size_t size);

/** Report tokens used; a negative number means unknown. */
OE_API void oe_completion_set_usage(oe_completion *completion, int64_t tokens_in,
                                    int64_t tokens_out);

/** Report how it ended (enum oe_finish; anything else counts as OE_FINISH_OTHER). */
OE_API void oe_completion_set_finish(oe_completion *completion, int finish);

/** Report the model that answered; copied. */
OE_API void oe_completion_set_model(oe_completion *completion, const char *model);

/** Classify a failure (enum oe_llm_failure); `retry_after_ms` < 0 if the provider said nothing. */
OE_API void oe_completion_set_failure(oe_completion *completion, int failure,
                                      int64_t retry_after_ms);

/**
 * End a completion begun by `start()`. The first call wins, later ones do nothing. Any thread. The
 * handle is given back by this call.
 */
OE_API void oe_completion_finish(oe_completion *completion, int status, const oe_error *err);

/** Nonzero once the answer is not wanted any more. Any thread. */
OE_API int oe_completion_cancelled(const oe_completion *completion);

/* ---- completions: reading, once finished ---- */

/** Drop the reference that oe_llm_ask() gave. Accepts NULL. */
OE_API void oe_completion_unref(oe_completion *completion);
/** The answer, NUL-terminated; `size` may be NULL. */
OE_API const char *oe_completion_text(const oe_completion *completion, size_t *size);
/** enum oe_finish. */
OE_API int oe_completion_finish_reason(const oe_completion *completion);
OE_API const char *oe_completion_model(const oe_completion *completion);  /**< "" if unknown */
OE_API int64_t oe_completion_tokens_in(const oe_completion *completion);  /**< -1 if unknown */
OE_API int64_t oe_completion_tokens_out(const oe_completion *completion); /**< -1 if unknown */
OE_API int32_t oe_completion_attempts(const oe_completion *completion);   /**< requests sent */

#ifdef __cplusplus
}
#endif

#endif /* OPENEVOLVE_LLM_H */
