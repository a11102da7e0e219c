#ifndef OE_TESTS_SIM_DISK_H
#define OE_TESTS_SIM_DISK_H

/*
 * The disk that SQLite writes to: a VFS in memory that knows what is safe and what only the kernel
 * has, keeps the locks and shared memory of WAL mode, and fails, fills, tears and freezes when told.
 */

#include <stdbool.h>
#include <stdint.h>

#include "world.h"

struct disk_faults {
	int64_t crash_at; /* the process is killed in this write or sync, counted from now; 0: never */
	int64_t fail_at;  /* this one fails; 0: never     */
	bool full;        /* ... because the disk is full */
	bool for_good;    /* ... and so do all after it   */
};

/* The default VFS of SQLite from now on. */
void disk_install(void);

void disk_arm(const struct disk_faults *faults); /* NULL: none */
void disk_fail_read(int64_t at); /* that read from now on fails; 0: none */
bool disk_has_failed(void); /* since it was armed */

/* The process is gone: nothing it does from now on reaches the disk. */
void disk_freeze(void);

/* The process dies, in the middle of whatever it does. */
static inline void kill_process(const char *when)
{
	note("killed %s", when);
	world.dead = true;
	disk_freeze();
}

/* The next one begins. `power`: what was not synced is there, or not, sector by sector. */
void disk_reboot(bool power);
void disk_clear(void); /* empty */
bool disk_has_lost_power(void); /* since then */

#endif /* OE_TESTS_SIM_DISK_H */
