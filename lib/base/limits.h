#ifndef OE__BASE_LIMITS_H
#define OE__BASE_LIMITS_H

/*
 * Every cap of the library, with its reason. Reaching one is OE_ERR_LIMIT or a named outcome,
 * never a silent truncation.
 */

#define OE__KIB ((size_t)1024)
#define OE__MIB ((size_t)1024 * 1024)

#define OE__FILE_MAX        (256 * OE__MIB) /* a whole file read into memory                      */
#define OE__CONFIG_MAX      (8 * OE__MIB)   /* YAML text; real ones are a few KB                  */
#define OE__YAML_NODES_MAX  1000000         /* nodes after aliases are expanded: no alias bombs   */
#define OE__YAML_MENDS_MAX  1000            /* passes over a text with JSON's surrogate escapes   */
#define OE__YAML_DEPTH_MAX  1000            /* PyYAML gives up at Python's recursion limit        */
#define OE__JSON_DEPTH_MAX  200             /* nesting of foreign JSON; recursion stays bounded   */
#define OE__CODE_MAX        (64 * OE__MIB)  /* source of one program                              */
#define OE__PROMPT_MAX      (64 * OE__MIB)  /* rendered prompt, before the token budget cuts it   */
#define OE__TEMPLATE_MAX    (4 * OE__MIB)   /* one prompt template, or fragments.json             */
#define OE__FORMAT_MAX      4096            /* width and precision of a place in a template       */
#define OE__RESPONSE_MAX    (16 * OE__MIB)  /* larger than any model's output window              */
#define OE__METRICS_MAX     4096            /* metrics of one evaluation                          */
#define OE__METRIC_NAME_MAX 512             /* bytes of a metric's name                           */
#define OE__ARTIFACT_MAX    (64 * OE__MIB)  /* all artifacts of one evaluation, in memory         */
#define OE__ARTIFACTS_MAX   1024            /* artifacts of one evaluation                        */
#define OE__FRAME_MAX       (96 * OE__MIB)  /* one result frame: metrics, artifacts, escapes      */
#define OE__OUTPUT_FLOOD    (256 * OE__MIB) /* printed by one evaluation: most is thrown away, then it ends */
#define OE__NUMBER_MAX      (INT64_MAX / 64) /* an iteration's, a generation's: those to come do not overflow */
#define OE__ISLANDS_MAX     1024            /* islands of one hub                                 */
#define OE__DIMENSIONS_MAX  16              /* axes of the feature map                            */
#define OE__BINS_MAX        65536           /* bins of one axis                                   */
#define OE__IN_FLIGHT_MAX   65536           /* iterations under way in one controller             */
#define OE__ATTEMPTS_MAX    4096            /* attempts remembered by a hub: they hold dead programs */
#define OE__RETRIES_MAX     100             /* attempts of one iteration under "on_failure: replace" */
#define OE__THREADS_MAX     256             /* threads of one compute pool                        */
#define OE__EDIT_BLOCKS_MAX    4096     /* SEARCH/REPLACE blocks of one answer; each costs a search  */
#define OE__EDIT_DIVISIONS_MAX 64       /* lines of one block that are tried as its divider          */
#define OE__EDIT_LINES_MAX     ((size_t)4 * 1024 * 1024) /* of a text that is searched tolerantly    */
#define OE__EDIT_NEAREST_MAX   (4 * OE__MIB)  /* text read per answer to find what is most similar   */
#define OE__FENCE_DEPTH_MAX    16       /* fences inside of fences; deeper ones are plain text       */
#define OE__DIFF_LINES_MAX     ((size_t)16 * 1024 * 1024) /* of both texts: 32-bit indices           */
#define OE__DIFF_COST_MIN      256      /* edits looked for before a script may be less than shortest */
#define OE__PATTERN_MAX        (64 * OE__KIB) /* text of diff_pattern                                */
#define OE__PATTERN_WORK_MIN   1000000  /* steps of a diff_pattern on one answer, ...                */
#define OE__PATTERN_WORK_PER_BYTE 256   /* ... more for a longer one, ...                            */
#define OE__PATTERN_WORK_MAX   250000000 /* ... but never more: a few seconds                        */
#define OE__PATTERN_STEPS_MAX  50000000 /* PCRE2's own count, per place; a second line of defence    */
#define OE__PATTERN_HEAP_MAX   (64 * OE__MIB) /* backtracking memory of PCRE2                        */

#endif /* OE__BASE_LIMITS_H */
