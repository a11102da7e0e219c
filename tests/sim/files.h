#ifndef OE_TESTS_SIM_FILES_H
#define OE_TESTS_SIM_FILES_H

/*
 * The files beside the log: checkpoints, best/, the lock. They are the machine's own, in the directory of
 * the world; each step that changes them is one that may fail, or in which the process is killed.
 */

#include <stdbool.h>
#include <stdint.h>

struct file_faults {
	int64_t crash_at; /* the process is killed in this step, counted from now; 0: never */
	int64_t fail_at;  /* the file system is full in this one; 0: never                  */
};

void files_arm(const struct file_faults *faults); /* NULL: none */
bool files_have_failed(void); /* since it was armed */

#endif /* OE_TESTS_SIM_FILES_H */
