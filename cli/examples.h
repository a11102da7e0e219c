#ifndef CLI_EXAMPLES_H
#define CLI_EXAMPLES_H

/* Where the bundled examples are: installed, or in the source tree. */

/* Directory of an example, or NULL. The caller frees it. */
char *example_find(const char *name);

/* Names of all examples, NULL at the end. The caller frees each, and the array. */
char **example_names(void);

#endif /* CLI_EXAMPLES_H */
