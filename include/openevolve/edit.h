#ifndef OPENEVOLVE_EDIT_H
#define OPENEVOLVE_EDIT_H

/**
 * @file
 * Edits: what a model's answer makes of a program, and how two texts differ.
 *
 * An answer is a list of SEARCH/REPLACE blocks or a whole program. The blocks are read and applied
 * as OpenEvolve does; where that finds no place, CRLF, blanks at the ends of lines and a shift of
 * the indentation are forgiven, but only if there is exactly one place: nothing is ever guessed.
 * Every answer ends in one of the named statuses, with a sentence that says why.
 *
 * Objects are immutable once made: any thread may read them.
 */

#include "openevolve/common.h"
#include "openevolve/config.h"
#include "openevolve/llm.h"
#include "openevolve/program.h"

#ifdef __cplusplus
extern "C" {
#endif

/** An answer that was applied to a program, or could not be. */
typedef struct oe_edit oe_edit;

/** What became of an answer, or of one of its blocks. Values are part of the ABI. */
enum oe_edit_status {
	OE_EDIT_STATUS_APPLIED = 0,          /**< every block found its place as it is               */
	OE_EDIT_STATUS_APPLIED_TOLERANT = 1, /**< something had to be forgiven                       */
	OE_EDIT_STATUS_UNMATCHED = 2,        /**< a search text has no place                         */
	OE_EDIT_STATUS_AMBIGUOUS = 3,        /**< a search text has several places                   */
	OE_EDIT_STATUS_NOOP = 4,             /**< the program would stay as it is                    */
	OE_EDIT_STATUS_VIOLATES_BLOCK = 5,   /**< something outside the EVOLVE-BLOCKs would change   */
	OE_EDIT_STATUS_TRUNCATED = 6,        /**< the answer breaks off                              */
	OE_EDIT_STATUS_NO_EDIT = 7,          /**< the answer holds no well-formed edit               */
	OE_EDIT_STATUS_TOO_LONG = 8          /**< the result is longer than "max_code_length"        */
};

/** Stable name of a status ("applied_tolerant"); "unknown" for a value that is not known. */
OE_API const char *oe_edit_status_name(int status);

/** How a block found its place: the first level that had any. */
enum oe_edit_level {
	OE_EDIT_LEVEL_NONE = 0,
	OE_EDIT_LEVEL_EXACT = 1,    /**< line by line, byte by byte                  */
	OE_EDIT_LEVEL_TRAILING = 2, /**< blanks at the ends of lines aside           */
	OE_EDIT_LEVEL_SHIFTED = 3   /**< and the indentation that all lines share    */
};

/** Why there was more than one way to apply a block. */
enum oe_edit_ambiguity {
	OE_EDIT_AMBIGUITY_NONE = 0,
	OE_EDIT_AMBIGUITY_EXACT = 1,    /**< the search text is there several times                */
	OE_EDIT_AMBIGUITY_TOLERANT = 2, /**< several places fit once something is forgiven         */
	OE_EDIT_AMBIGUITY_DIVIDER = 3   /**< several of its lines may be the divider               */
};

/** One SEARCH/REPLACE block. Made by the library; append-only. Lines count from 1. */
typedef struct oe_edit_block {
	size_t struct_size;
	int32_t status;     /**< enum oe_edit_status: APPLIED, APPLIED_TOLERANT, UNMATCHED, AMBIGUOUS */
	int32_t level;      /**< enum oe_edit_level                                           */
	int32_t ambiguity;  /**< enum oe_edit_ambiguity; of an applied block: the first was taken */
	int32_t unmovable;  /**< nonzero: the place is there, but the replacement cannot move to it */
	size_t answer_line; /**< of its first line in the answer                              */
	size_t line, line_count; /**< its place in the text as the blocks before left it; or 0  */
	size_t nearest_line;  /**< of an UNMATCHED block: the most similar lines of the parent; or 0 */
	size_t nearest_count; /**< how many they are                                       */
	double similarity; /**< of these, from 0 to 1 (1: only blanks differ)                */
	oe_bytes search, replacement; /**< as read, without white space at the end             */
} oe_edit_block;

/**
 * Apply an answer to a program.
 *
 * Options read: "diff_pattern", "max_code_length", "edit.tolerant", "edit.ambiguous",
 * "edit.unmatched", "edit.evolve_blocks", and for programs without a language "language".
 *
 * @param config NULL for the defaults.
 * @param parent the program to edit.
 * @param mode   enum oe_edit_mode: whether blocks or a whole program are expected.
 * @param answer copied; UTF-8.
 * @param finish enum oe_finish: how the answer ended; OE_FINISH_OTHER if that is not known.
 * @retval OE_ERR_CONFIG "diff_pattern" is not a usable regular expression.
 * @retval OE_ERR_LIMIT  the answer is larger than 16 MiB.
 */
OE_API OE_NODISCARD int oe_edit_new(const oe_config *config, const oe_program *parent, int mode,
                                    const char *answer, size_t size, int finish, oe_edit **out,
                                    oe_error *err);

/** Accepts NULL. */
OE_API void oe_edit_free(oe_edit *edit);

/** enum oe_edit_status. */
OE_API int oe_edit_status(const oe_edit *edit);

/** enum oe_outcome that an iteration with this edit ends in; -1 if there is a child to evaluate. */
OE_API int oe_edit_outcome(const oe_edit *edit);

/** One sentence about what went wrong, also with single blocks of an applied edit; or "". */
OE_API const char *oe_edit_message(const oe_edit *edit);

/** One line per applied block (or "Full rewrite"), as programs record it; or "". */
OE_API const char *oe_edit_summary(const oe_edit *edit);

/** Source text of the child, also NUL-terminated; { NULL, 0 } if there is none. */
OE_API oe_bytes oe_edit_code(const oe_edit *edit);

/** Blocks of the answer, also those that were not applied; 0 for a whole program. */
OE_API size_t oe_edit_block_count(const oe_edit *edit);

/** Block at `index`, or NULL past the end. */
OE_API const oe_edit_block *oe_edit_block_at(const oe_edit *edit, size_t index);

/** Line of the result that first changes text outside the EVOLVE-BLOCKs, or 0; also when
 *  "edit.evolve_blocks" only warns. */
OE_API size_t oe_edit_violation_line(const oe_edit *edit);

/**
 * Language of a program: by the extension of its file, else by how its lines begin (the rules of
 * OpenEvolve), else "unknown".
 *
 * @param path may be NULL.
 * @param code may be NULL.
 * @return a static name.
 */
OE_API const char *oe_language_guess(const char *path, const char *code, size_t size);

/* ---- differences ---- */

/** How one text becomes another, in lines. */
typedef struct oe_diff oe_diff;

/**
 * Compare two texts line by line. The script is a shortest one (E. W. Myers: An O(ND) difference
 * algorithm and its variations, Algorithmica 1, 1986), except for very large and very different
 * texts, where a good one is found in bounded time.
 *
 * @param from borrowed, like `to`: both must outlive the result.
 * @retval OE_ERR_LIMIT more than 16 million lines.
 */
OE_API OE_NODISCARD int oe_diff_new(oe_bytes from, oe_bytes to, oe_diff **out);

/** Accepts NULL. */
OE_API void oe_diff_free(oe_diff *diff);

/** Lines of `to` that are not in `from`, and the other way round. */
OE_API size_t oe_diff_added(const oe_diff *diff);
OE_API size_t oe_diff_removed(const oe_diff *diff);

/**
 * The unified format of diff(1) and patch(1): "" for equal texts.
 *
 * @param from_label names of the texts in the two header lines.
 * @param context    lines of context around each change.
 * @return a string that lives until the next call on this object, or NULL without memory. Unlike
 *         the other functions: one thread at a time.
 */
OE_API const char *oe_diff_unified(oe_diff *diff, const char *from_label, const char *to_label,
                                   size_t context);

#ifdef __cplusplus
}
#endif

#endif /* OPENEVOLVE_EDIT_H */
