#include "controller/snapshot.h"

#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/pack.h"
#include "config/config.h"
#include "controller/controller_internal.h"
#include "controller/fetch.h"
#include "hub/hub.h"
#include "hub/state.h"
#include "program/population.h"
#include "store/origin.h"
#include "store/snapshot.h"

#define SNAPSHOT_VERSION 1
#define CALLS_PER_ITERATION 2 /* it begins, and it ends */
#define SHARE_AT_END 20 /* of the interval: what is less is played again sooner than it is written */
/* Large ones come less often, or a large population would make every iteration dearer: as many bytes
   of them as that are written per call, which is a few per cent of what the call itself writes. */
#define SMALL_BYTES    ((int64_t)1 << 20)
#define BYTES_PER_CALL 256

/* ---- what the rules have seen ---- */

/* Other rules would have seen something else in the same programs. */
static void put_rules(const struct oe__rules *rules, struct oe__buffer *out)
{
	oe__pack_uint(out, SNAPSHOT_VERSION);
	oe__pack_int(out, rules->has_target);
	oe__pack_real(out, rules->has_target ? rules->target : 0);
	oe__pack_int(out, rules->patience);
	oe__pack_int(out, rules->has_goal);
	oe__pack_real(out, rules->improvement_min);
	oe__pack_text(out, rules->metric);
}

/* What playing the log changes of a controller. */
static void put_seen(const oe_controller *controller, struct oe__buffer *out)
{
	put_rules(&controller->rules, out);
	oe__pack_real(out, controller->rules.best);
	oe__pack_int(out, controller->rules.since_best);
	oe__pack_int(out, controller->rules.reached);
	oe__pack_real(out, controller->numbers.initial_fitness);
	oe__pack_int(out, controller->numbers.best_iteration);
	oe__pack_int(out, controller->seeded);
	oe__pack_int(out, controller->endings.held_at);
	oe__pack_int(out, controller->origin);
}

static int get_seen(oe_controller *controller, struct oe__unpack *in, oe_error *err)
{
	OE__AUTO(buffer) struct oe__buffer ours = OE__BUFFER_INIT(0);

	put_rules(&controller->rules, &ours);
	if (ours.status < 0)
		return oe__error_nomem(err);
	const void *theirs = oe__unpack_raw(in, ours.size);
	if (!theirs || memcmp(theirs, ours.data, ours.size) != 0)
		return oe__error(err, OE_ERR_FORMAT,
		                 "it is of another version, or the rules that end the run are others now");
	controller->rules.best = oe__unpack_real(in);
	controller->rules.since_best = oe__unpack_between(in, 0, OE__NUMBER_MAX);
	controller->rules.reached = oe__unpack_bool(in);
	controller->numbers.initial_fitness = oe__unpack_real(in);
	controller->numbers.best_iteration = oe__unpack_between(in, 0, OE__NUMBER_MAX);
	controller->seeded = oe__unpack_bool(in);
	controller->endings.held_at = oe__unpack_between(in, -1, OE__NUMBER_MAX);
	controller->origin = oe__unpack_between(in, -1, OE__NUMBER_MAX);
	return in->broken ? oe__error(err, OE_ERR_FORMAT, "what was seen of the run cannot be read") : 0;
}

/* ---- writing ---- */

struct taking {
	struct oe__row row;
	struct oe__buffer data;
};

static void taking_free(struct taking *taking)
{
	if (!taking)
		return;
	oe__buffer_done(&taking->data);
	oe__free(taking);
}
OE__AUTO_POINTER(taking, struct taking *, taking_free)

static void written(struct oe__row *row, int status)
{
	(void)status; /* the next row of an iteration tells */
	taking_free(OE__CONTAINER(row, struct taking, row));
}

/* Without memory for it, or too large: the log is played from the one before, and nothing is lost. */
static void take(oe_controller *controller)
{
	OE__AUTO(taking) struct taking *taking = oe__calloc(1, sizeof(*taking));

	if (!taking)
		return;
	put_seen(controller, &taking->data);
	if (taking->data.status < 0 || oe__hub_state_write(controller->hub, &taking->data) < 0)
		return;
	taking->row = (struct oe__row){
		.kind = OE__ROW_SNAPSHOT,
		.seq = oe__log_next(controller->log) - 1,
		.answer = { .text = taking->data.data, .size = taking->data.size },
		.time = oe__clock_wall(),
		.done = written,
	};
	controller->snapshot_seq = taking->row.seq;
	controller->snapshot_size = (int64_t)taking->data.size;
	oe__log_append(controller->log, &OE__STEAL(taking)->row);
}

static void take_after(oe_controller *controller, int64_t calls)
{
	if (controller->log && controller->snapshot_calls > 0 && !controller->store_failed &&
	    controller->events.status == 0 &&
	    oe__log_next(controller->log) - 1 - controller->snapshot_seq > calls)
		take(controller);
}

void oe__controller_snapshot_if_due(oe_controller *controller)
{
	int64_t size = controller->snapshot_size;
	int64_t calls = size > SMALL_BYTES ? size / BYTES_PER_CALL : 0;

	take_after(controller,
	           (calls > controller->snapshot_calls ? calls : controller->snapshot_calls) - 1);
}

void oe__controller_snapshot_at_end(oe_controller *controller)
{
	take_after(controller, controller->snapshot_calls / SHARE_AT_END);
}

void oe__controller_read_snapshots(oe_controller *controller)
{
	controller->snapshot_calls =
		CALLS_PER_ITERATION * oe__config_int(controller->config, "store.snapshot_interval");
}

/* ---- programs ---- */

/* Those of the log, and before them those of the checkpoint that the run began with, which know more. */
struct finding {
	const struct oe__replay *replay;
	oe_scheduler *scheduler;
	oe_population *brought; /* or NULL */
};

static void finding_done(struct finding *finding)
{
	oe_population_unref(finding->brought);
}
OE__AUTO_VALUE(finding, struct finding, finding_done)

static oe_program *find_brought(const struct finding *finding, const struct oe__wanted_program *wanted)
{
	oe_program *found = finding->brought ? oe_population_find(finding->brought, wanted->id) : NULL;

	if (finding->brought && !found) {
		oe_program *extra = oe__population_extra(finding->brought);
		found = extra && strcmp(extra->id, wanted->id) == 0 ? extra : NULL;
	}
	return found && found->iteration == wanted->iteration ? oe_program_ref(found) : NULL;
}

static int find(void *owner, struct oe__wanted_program *wanted, size_t count, oe_error *err)
{
	const struct finding *finding = owner;
	OE__AUTO(memory) struct oe__wanted_program **left = oe__calloc(count + 1, sizeof(*left));
	size_t left_count = 0;

	if (!left)
		return oe__error_nomem(err);
	for (size_t i = 0; i < count; i++) {
		wanted[i].found = find_brought(finding, &wanted[i]);
		if (!wanted[i].found && !wanted[i].migrant)
			left[left_count++] = &wanted[i];
	}
	return oe__fetch_programs(finding->scheduler, finding->replay->database,
	                          &finding->replay->axes->dimensions, left, left_count, err);
}

/* ---- reading ---- */

static int read(oe_controller *controller, struct oe__replay *replay,
                const struct oe__snapshot *snapshot, oe_error *err)
{
	struct oe__unpack in = oe__unpack_begin(snapshot->data, snapshot->size);
	OE__AUTO(finding) struct finding finding = { .replay = replay,
		                                        .scheduler = controller->scheduler };
	struct oe__program_finder finder = { find, &finding };

	int status = get_seen(controller, &in, err);
	if (status == 0)
		status = oe__origin_load(replay->database, replay->islands, &finding.brought, err);
	if (status == 0)
		status = oe__hub_state_read(controller->hub, in.at, oe__unpack_left(&in), &finder, err);
	if (status == 0)
		status = oe__replay_take_up(replay, snapshot->seq, err);
	return status;
}

static int play(oe_controller *controller, struct oe__replay *replay, oe_error *err)
{
	OE__AUTO(snapshot) struct oe__snapshot snapshot = { 0 };

	int got = oe__snapshot_load(replay->database, &snapshot, err);
	if (got <= 0)
		return got;
	int status = read(controller, replay, &snapshot, err);
	if (status == 0)
		status = oe__replay_run(replay, 0, 0, err);
	if (status < 0)
		return status;
	controller->snapshot_seq = snapshot.seq;
	controller->snapshot_size = (int64_t)snapshot.size;
	return 1;
}

/* As if nothing had been played, with a new hub. */
static int start_over(oe_controller *controller, const struct oe__rules *rules,
                      const oe_statistics *numbers, oe_error *err)
{
	controller->rules = *rules;
	controller->numbers = *numbers;
	controller->seeded = false;
	controller->endings.held_at = -1;
	controller->origin = -1;
	oe_hub_free(controller->hub);
	controller->hub = NULL;
	return oe_hub_new(controller->config, &controller->hub, err);
}

int oe__controller_play_snapshot(oe_controller *controller, struct oe__replay *replay,
                                 oe_error *err)
{
	const struct oe__rules rules = controller->rules;
	const oe_statistics numbers = controller->numbers;
	oe_error why = { 0 };

	int got = play(controller, replay, &why);
	if (got >= 0)
		return got;
	if (got == OE_ERR_NOMEM)
		return oe__error_nomem(err);
	oe__controller_log(controller, 1,
	                   "the whole log is played, as its snapshot cannot be used: %s", why.message);
	return start_over(controller, &rules, &numbers, err);
}
