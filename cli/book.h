#ifndef CLI_BOOK_H
#define CLI_BOOK_H

/*
 * A finding place of programs: a run, live or finished, or a checkpoint, ours or OpenEvolve's. And
 * the names that people call programs by.
 */

#include "openevolve/openevolve.h"

struct book {
	char *directory;
	oe_run *run;               /* NULL for a checkpoint        */
	oe_population *population; /* of a run: made when asked for */
};

/*
 * Open `where`: a run's directory, or one that holds it as openevolve_output, or a checkpoint. NULL:
 * the newest run below the working directory. Returns an exit status.
 */
int book_open(const char *where, struct book *out);
/* Where book_open() looks: a directory's path for the caller to free, or NULL: there is no run. */
char *book_find(const char *where);
void book_close(struct book *book);
/* The same at the end of a command that came to `status`, which is returned: but what is left of a damaged
   checkpoint is not all of it, which is said, and EXIT_STORE. */
int book_finish(struct book *book, int status);

/* The same, but only a run will do. */
int book_open_run(const char *where, struct book *out);

/* The live programs; borrowed. Returns an exit status. */
int book_population(struct book *book, oe_population **out);

/* What the run was configured with, as YAML that can be read: a new string. Returns an exit status. */
int book_config(struct book *book, char **out);

/* How many iterations the run has given out. Returns an exit status. */
int book_issued(struct book *book, int64_t *out);

/*
 * A program by name: "best", "initial", an identifier or the beginning of one, "@12" (made by
 * iteration 12); "~", "~2" behind it: its parent, its grandparent. `out` receives a reference.
 * Returns an exit status.
 */
int book_program(struct book *book, const char *name, oe_program **out);

/* The parent, or NULL for an initial one (`*out`). */
int book_parent(struct book *book, const oe_program *program, oe_program **out);

/* What `book_program` understands, for --help. */
#define BOOK_NAMES                                                                                 \
	"A program is called best, initial, by the beginning of its identifier, or @N for what "       \
	"iteration N made; best~ is the parent of best, best~2 its grandparent."

#endif /* CLI_BOOK_H */
