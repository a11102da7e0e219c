#include "disk.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "platter.h"
#include "world.h"

#define SHM_LOCKS  8
#define REGIONS    64
#define NAME_MAX_  256

struct handle;

struct file {
	struct file *next;
	char name[NAME_MAX_];
	struct platter bytes;

	int shared; /* locks of connections */
	const struct handle *reserved, *pending, *exclusive;
	void *regions[REGIONS];
	int region_count;
	int shm_shared[SHM_LOCKS];
	const struct handle *shm_exclusive[SHM_LOCKS];
};

struct handle {
	sqlite3_file base;
	struct file *file;
	int level;
	unsigned shm_mask; /* shared ones that it holds */
};

static struct {
	struct file *files;
	struct disk_faults faults;
	int64_t writes, reads, fail_read_at;
	bool failed, frozen, lost_power;
} disk;

/* ---- files ---- */

static struct file *find(const char *name)
{
	for (struct file *file = disk.files; file; file = file->next)
		if (strcmp(file->name, name) == 0)
			return file;
	return NULL;
}

static struct file *make(const char *name)
{
	struct file *file = calloc(1, sizeof(*file));

	if (!file || strlen(name) >= NAME_MAX_)
		abort();
	memcpy(file->name, name, strlen(name) + 1);
	file->next = disk.files;
	disk.files = file;
	return file;
}

/* ---- what goes wrong ---- */

void disk_arm(const struct disk_faults *faults)
{
	disk.faults = faults ? *faults : (struct disk_faults){ 0 };
	disk.writes = 0;
	disk.fail_read_at = 0;
	disk.failed = false;
}

void disk_fail_read(int64_t at)
{
	disk.reads = 0;
	disk.fail_read_at = at;
}

bool disk_has_failed(void)
{
	return disk.failed;
}

bool disk_has_lost_power(void)
{
	return disk.lost_power;
}

void disk_freeze(void)
{
	disk.frozen = true;
}

/* 0, or the code that this write, or sync, fails with. */
static int fault(int code)
{
	if (disk.frozen)
		return code;
	disk.writes++;
	if (disk.writes == disk.faults.crash_at) {
		kill_process("in a write");
		return code;
	}
	if (disk.faults.fail_at > 0 && (disk.faults.for_good ? disk.writes >= disk.faults.fail_at
	                                                     : disk.writes == disk.faults.fail_at)) {
		if (!disk.failed)
			note("the disk fails");
		disk.failed = true;
		return disk.faults.full && code == SQLITE_IOERR_WRITE ? SQLITE_FULL : code;
	}
	return SQLITE_OK;
}

void disk_reboot(bool power)
{
	for (struct file *file = disk.files; file; file = file->next) {
		if (power)
			platter_lose_power(&file->bytes);
		for (int i = 0; i < file->region_count; i++)
			free(file->regions[i]);
		file->region_count = 0;
		file->shared = 0;
		file->reserved = file->pending = file->exclusive = NULL;
		memset(file->shm_shared, 0, sizeof(file->shm_shared));
		memset(file->shm_exclusive, 0, sizeof(file->shm_exclusive));
	}
	disk.frozen = false;
	disk.lost_power |= power;
}

void disk_clear(void)
{
	disk_reboot(false);
	disk.lost_power = false;
	while (disk.files) {
		struct file *file = disk.files;
		disk.files = file->next;
		platter_done(&file->bytes);
		free(file);
	}
	disk_arm(NULL);
}

/* ---- an open file ---- */

static int io_close(sqlite3_file *base)
{
	(void)base;
	return SQLITE_OK;
}

static int io_read(sqlite3_file *base, void *out, int size, sqlite3_int64 at)
{
	const struct file *file = ((struct handle *)base)->file;

	if (++disk.reads == disk.fail_read_at && !disk.frozen) {
		note("the disk cannot be read");
		disk.failed = true;
		return SQLITE_IOERR_READ;
	}
	size_t have = platter_read(&file->bytes, out, (size_t)size, (size_t)at);
	return have == (size_t)size ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

static int io_write(sqlite3_file *base, const void *data, int size, sqlite3_int64 at)
{
	struct file *file = ((struct handle *)base)->file;
	bool frozen = disk.frozen;
	int code = fault(SQLITE_IOERR_WRITE);

	if (code == SQLITE_OK)
		platter_write(&file->bytes, data, (size_t)size, (size_t)at);
	else if (!frozen) /* some of it got there */
		platter_write(&file->bytes, data, (size_t)world_below((uint64_t)size), (size_t)at);
	return code;
}

static int io_truncate(sqlite3_file *base, sqlite3_int64 size)
{
	struct file *file = ((struct handle *)base)->file;
	int code = fault(SQLITE_IOERR_TRUNCATE);

	if (code == SQLITE_OK)
		platter_truncate(&file->bytes, (size_t)size);
	return code;
}

static int io_sync(sqlite3_file *base, int flags)
{
	(void)flags;
	int code = fault(SQLITE_IOERR_FSYNC);

	if (code != SQLITE_OK)
		return code;
	/* The others go on meanwhile. */
	if (thread_is_inside() && world_chance(0.5))
		thread_sleep(world_time(MS / 50, 20 * MS));
	if (disk.frozen)
		return SQLITE_IOERR_FSYNC;
	platter_sync(&((struct handle *)base)->file->bytes);
	return SQLITE_OK;
}

static int io_size(sqlite3_file *base, sqlite3_int64 *size)
{
	*size = (sqlite3_int64)((struct handle *)base)->file->bytes.size;
	return SQLITE_OK;
}

/* ---- locks ---- */

static int io_lock(sqlite3_file *base, int level)
{
	struct handle *handle = (struct handle *)base;
	struct file *file = handle->file;

	if (level <= handle->level)
		return SQLITE_OK;
	if (handle->level == SQLITE_LOCK_NONE) {
		if (file->pending || file->exclusive)
			return SQLITE_BUSY;
		file->shared++;
		handle->level = SQLITE_LOCK_SHARED;
	}
	if (level >= SQLITE_LOCK_RESERVED && handle->level < SQLITE_LOCK_RESERVED) {
		if (file->reserved || file->pending || file->exclusive)
			return SQLITE_BUSY;
		file->reserved = handle;
		handle->level = SQLITE_LOCK_RESERVED;
	}
	if (level == SQLITE_LOCK_EXCLUSIVE) {
		file->pending = handle;
		handle->level = SQLITE_LOCK_PENDING;
		if (file->shared > 1)
			return SQLITE_BUSY;
		file->exclusive = handle;
		handle->level = SQLITE_LOCK_EXCLUSIVE;
	}
	return SQLITE_OK;
}

static int io_unlock(sqlite3_file *base, int level)
{
	struct handle *handle = (struct handle *)base;
	struct file *file = handle->file;

	if (level >= handle->level)
		return SQLITE_OK;
	if (file->reserved == handle)
		file->reserved = NULL;
	if (file->pending == handle)
		file->pending = NULL;
	if (file->exclusive == handle)
		file->exclusive = NULL;
	if (level == SQLITE_LOCK_NONE && file->shared > 0)
		file->shared--;
	handle->level = level;
	return SQLITE_OK;
}

static int io_is_reserved(sqlite3_file *base, int *out)
{
	*out = ((struct handle *)base)->file->reserved != NULL;
	return SQLITE_OK;
}

static int io_control(sqlite3_file *base, int operation, void *argument)
{
	(void)base;
	(void)operation;
	(void)argument;
	return SQLITE_NOTFOUND;
}

static int io_sector(sqlite3_file *base)
{
	(void)base;
	return PLATTER_SECTOR;
}

static int io_device(sqlite3_file *base)
{
	(void)base;
	return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

/* ---- shared memory ---- */

static int shm_map(sqlite3_file *base, int region, int size, int extend, void volatile **out)
{
	struct file *file = ((struct handle *)base)->file;

	*out = NULL;
	if (region >= REGIONS)
		return SQLITE_NOMEM;
	if (region >= file->region_count && !extend)
		return SQLITE_OK;
	while (file->region_count <= region) {
		void *memory = calloc(1, (size_t)size);
		if (!memory)
			return SQLITE_NOMEM;
		file->regions[file->region_count++] = memory;
	}
	*out = file->regions[region];
	return SQLITE_OK;
}

static bool shm_is_free(const struct handle *handle, int lock, bool exclusive)
{
	const struct file *file = handle->file;
	int others = file->shm_shared[lock] - (int)(handle->shm_mask >> lock & 1);

	if (file->shm_exclusive[lock] && file->shm_exclusive[lock] != handle)
		return false;
	return !exclusive || others == 0;
}

static void shm_drop(struct handle *handle, int lock)
{
	struct file *file = handle->file;

	if (file->shm_exclusive[lock] == handle)
		file->shm_exclusive[lock] = NULL;
	if (handle->shm_mask >> lock & 1) {
		handle->shm_mask &= ~(1u << lock);
		if (file->shm_shared[lock] > 0)
			file->shm_shared[lock]--;
	}
}

static int shm_lock(sqlite3_file *base, int first, int count, int flags)
{
	struct handle *handle = (struct handle *)base;
	bool exclusive = flags & SQLITE_SHM_EXCLUSIVE;

	for (int lock = first; lock < first + count; lock++)
		if ((flags & SQLITE_SHM_LOCK) && !shm_is_free(handle, lock, exclusive))
			return SQLITE_BUSY;
	for (int lock = first; lock < first + count; lock++) {
		if (flags & SQLITE_SHM_UNLOCK) {
			shm_drop(handle, lock);
		} else if (exclusive) {
			handle->file->shm_exclusive[lock] = handle;
		} else if (!(handle->shm_mask >> lock & 1)) {
			handle->shm_mask |= 1u << lock;
			handle->file->shm_shared[lock]++;
		}
	}
	return SQLITE_OK;
}

static void shm_barrier(sqlite3_file *base)
{
	(void)base;
}

static int shm_unmap(sqlite3_file *base, int delete)
{
	struct handle *handle = (struct handle *)base;
	struct file *file = handle->file;

	for (int lock = 0; lock < SHM_LOCKS; lock++)
		shm_drop(handle, lock);
	for (int i = 0; delete && i < file->region_count; i++)
		free(file->regions[i]);
	if (delete)
		file->region_count = 0;
	return SQLITE_OK;
}

static const sqlite3_io_methods methods = {
	.iVersion = 2,
	.xClose = io_close,
	.xRead = io_read,
	.xWrite = io_write,
	.xTruncate = io_truncate,
	.xSync = io_sync,
	.xFileSize = io_size,
	.xLock = io_lock,
	.xUnlock = io_unlock,
	.xCheckReservedLock = io_is_reserved,
	.xFileControl = io_control,
	.xSectorSize = io_sector,
	.xDeviceCharacteristics = io_device,
	.xShmMap = shm_map,
	.xShmLock = shm_lock,
	.xShmBarrier = shm_barrier,
	.xShmUnmap = shm_unmap,
};

/* ---- the file system ---- */

static int fs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *base, int flags, int *out)
{
	struct handle *handle = (struct handle *)base;
	struct file *file = name ? find(name) : NULL;

	(void)vfs;
	memset(handle, 0, sizeof(*handle));
	if (!name || (!file && !(flags & SQLITE_OPEN_CREATE)))
		return SQLITE_CANTOPEN;
	if (!file && fault(SQLITE_CANTOPEN) != SQLITE_OK)
		return SQLITE_CANTOPEN;
	handle->file = file ? file : make(name);
	handle->base.pMethods = &methods;
	if (out)
		*out = flags;
	return SQLITE_OK;
}

static int fs_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
	struct file *file = find(name);

	(void)vfs;
	(void)sync;
	if (!file)
		return SQLITE_IOERR_DELETE_NOENT;
	int code = fault(SQLITE_IOERR_DELETE);
	if (code != SQLITE_OK)
		return code;
	for (struct file **at = &disk.files; *at; at = &(*at)->next) {
		if (*at == file) {
			*at = file->next;
			break;
		}
	}
	platter_done(&file->bytes);
	free(file);
	return SQLITE_OK;
}

static int fs_access(sqlite3_vfs *vfs, const char *name, int flags, int *out)
{
	(void)vfs;
	(void)flags;
	*out = find(name) != NULL;
	return SQLITE_OK;
}

static int fs_full_path(sqlite3_vfs *vfs, const char *name, int size, char *out)
{
	(void)vfs;
	if ((size_t)size <= strlen(name))
		return SQLITE_CANTOPEN;
	memcpy(out, name, strlen(name) + 1);
	return SQLITE_OK;
}

static int fs_randomness(sqlite3_vfs *vfs, int size, char *out)
{
	(void)vfs;
	for (int i = 0; i < size; i++)
		out[i] = (char)i;
	return size;
}

static int fs_sleep(sqlite3_vfs *vfs, int us)
{
	int64_t until_ns = world.now_ns + (int64_t)us * 1000;

	(void)vfs;
	if (thread_is_inside())
		thread_sleep((int64_t)us * 1000);
	while (world.now_ns < until_ns)
		if (!world_step())
			world.now_ns = until_ns;
	return us;
}

static int fs_time(sqlite3_vfs *vfs, sqlite3_int64 *out)
{
	(void)vfs;
	*out = 210866760000000 + 1800000000000 + world.now_ns / MS;
	return SQLITE_OK;
}

static int fs_error(sqlite3_vfs *vfs, int size, char *out)
{
	(void)vfs;
	if (size > 0)
		out[0] = '\0';
	return 0;
}

void disk_install(void)
{
	static sqlite3_vfs vfs = {
		.iVersion = 2,
		.szOsFile = sizeof(struct handle),
		.mxPathname = NAME_MAX_ - 1,
		.zName = "oe-sim",
		.xOpen = fs_open,
		.xDelete = fs_delete,
		.xAccess = fs_access,
		.xFullPathname = fs_full_path,
		.xRandomness = fs_randomness,
		.xSleep = fs_sleep,
		.xGetLastError = fs_error,
		.xCurrentTimeInt64 = fs_time,
	};
	(void)sqlite3_vfs_register(&vfs, 1);
}
