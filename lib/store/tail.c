#include "store/tail.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "store/directory.h"
#include "store/load.h"
#include "store/wal.h"

/* What a checkpoint says of itself. */
struct claim {
	char *run; /* NULL: no run wrote it of itself, or one of before that was noted */
	int64_t calls, ended;
};

static void claim_done(struct claim *claim)
{
	oe__free(claim->run);
	*claim = (struct claim){ 0 };
}
OE__AUTO_VALUE(claim, struct claim, claim_done)

static int64_t number_of(const struct oe__value *map, const char *key, int64_t otherwise)
{
	const struct oe__value *value = map ? oe__value_get(map, key) : NULL;

	return value && value->type == OE__VALUE_INT ? value->integer : otherwise;
}

/* What cannot be read claims nothing. */
static int read_claim(const char *checkpoint, struct claim *out)
{
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(OE__FILE_MAX);
	OE__AUTO(value) struct oe__value metadata = { 0 };
	OE__AUTO(string) char *path = oe__path_join(checkpoint, "metadata.json");

	int status = path ? oe__file_read(path, &text, NULL) : OE_ERR_NOMEM;
	if (status == 0)
		status = oe__json_parse(text.data, text.size, &metadata, NULL);
	if (status < 0)
		return status == OE_ERR_NOMEM ? status : 0;
	const struct oe__value *ours = oe__value_get(&metadata, "oe");
	const struct oe__value *run = ours ? oe__value_get(ours, "run") : NULL;
	out->calls = number_of(ours, "calls", 0);
	out->ended = number_of(ours, "ended", number_of(&metadata, "last_iteration", 0));
	if (!run || run->type != OE__VALUE_STRING)
		return 0;
	out->run = oe__strdup(run->string);
	return out->run ? 0 : OE_ERR_NOMEM;
}

/* The newest of those that are the run's own: older ones know less. A run begins with what another one
   wrote, and anything may have been copied there. */
static int newest_claim(struct oe__database *database, const char *run, int64_t *number,
                        struct claim *out)
{
	OE__AUTO(string) char *directory = oe__path_directory(database->path);
	OE__AUTO(string) char *all = directory ? oe__path_join(directory, OE__DIRECTORY_CHECKPOINTS) : NULL;

	if (!all)
		return OE_ERR_NOMEM;
	for (int64_t below = INT64_MAX;; below = *number) {
		OE__AUTO(string) char *path = oe__directory_checkpoint_below(all, below, number);
		if (!path)
			return 0;
		int status = read_claim(path, out);
		if (status < 0)
			return status;
		if (out->run && strcmp(out->run, run) == 0)
			return 1;
		claim_done(out);
	}
}

/* How many iterations have ended, with those of the checkpoint that the run began with. */
static int count_ended(struct oe__database *database, int64_t *out, oe_error *err)
{
	OE__AUTO(string) char *origin = NULL;
	OE__AUTO(claim) struct claim before = { 0 };

	int status = oe__directory_origin(database, &origin, err);
	if (status == 0)
		status = oe__database_number(database,
		                             "SELECT count(DISTINCT number) FROM log WHERE kind IN"
		                             " ('commit', 'fail') AND outcome IS NOT NULL",
		                             out, err);
	if (status == 0 && origin && read_claim(origin, &before) < 0)
		return oe__error_nomem(err);
	*out += before.ended;
	return status;
}

static int lost(struct oe__database *database, int64_t number, const struct claim *claim, int64_t calls,
                const oe_error *cut, oe_error *err)
{
	OE__AUTO(buffer) struct oe__buffer why = OE__BUFFER_INIT(0);
	int64_t ended = 0;

	int status = count_ended(database, &ended, err);
	if (cut->status < 0)
		oe__buffer_printf(&why, " (%s: %s)", oe__path_base(cut->where), cut->message);
	if (status < 0 || why.status < 0)
		return status < 0 ? status : oe__error_nomem(err);
	bool fewer = ended < claim->ended;
	return oe__error_at(err, OE_ERR_FORMAT, database->path, 0, 0,
	                    "its log has %lld %s, " OE__DIRECTORY_CHECKPOINTS "/checkpoint_%lld knows of "
	                    "%lld%s: begin another run from that checkpoint, or move those newer than the "
	                    "log away to go on with it",
	                    (long long)(fewer ? ended : calls), fewer ? "ended iterations" : "rows",
	                    (long long)number, (long long)(fewer ? claim->ended : claim->calls),
	                    oe__buffer_string(&why));
}

static int check_wal(struct oe__database *database, oe_error *cut, oe_error *err)
{
	struct oe__wal_damage damage;

	cut->status = 0;
	int found = oe__wal_inspect(database, &damage, err);
	if (found > 0)
		(void)oe__wal_error(database, &damage, cut);
	return found < 0 ? found : 0;
}

/* The checkpoints before the log: who writes it meanwhile writes the rows first. */
int oe__tail_check(struct oe__database *database, oe_error *cut, oe_error *err)
{
	OE__AUTO(string) char *run = NULL;
	OE__AUTO(claim) struct claim claim = { 0 };
	int64_t number = 0, calls = 0;

	int status = check_wal(database, cut, err);
	if (status == 0)
		status = oe__database_get(database, "run", &run, err);
	if (status < 0 || !run)
		return status;
	int found = newest_claim(database, run, &number, &claim);
	if (found < 0)
		return oe__error_nomem(err);
	status = oe__database_number(database, "SELECT coalesce(max(seq), 0) FROM log", &calls, err);
	if (status < 0)
		return status;
	return found && claim.calls > calls ? lost(database, number, &claim, calls, cut, err) : 0;
}

int oe__tail_is_own(struct oe__database *database, const char *checkpoint, oe_error *err)
{
	OE__AUTO(string) char *run = NULL;
	OE__AUTO(claim) struct claim claim = { 0 };

	int status = oe__database_get(database, "run", &run, err);
	if (status == 0 && read_claim(checkpoint, &claim) < 0)
		status = oe__error_nomem(err);
	if (status < 0)
		return status;
	return !run || !claim.run || strcmp(run, claim.run) == 0;
}
