/*
 * When generations close (semantics "generation"). By themselves they do when all their iterations have
 * ended; a deadline and a quorum do not wait for the last ones, which join a later generation.
 */

#include "controller/controller_internal.h"

#include <math.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "config/config.h"
#include "hub/hub.h"

void oe__controller_read_generations(oe_controller *controller)
{
	controller->generation.quorum = oe__config_real(controller->config, "hub.generation_quorum");
	controller->generation.time_ns =
		oe__config_ms(controller->config, "hub.generation_timeout") * 1000000;
}

/* ---- the log ---- */

static void close_written(struct oe__row *row, int status)
{
	(void)status; /* the next row of an iteration tells */
	oe__free(row);
}

static void write_close(oe_controller *controller, struct oe__row *row)
{
	if (!row)
		return;
	row->kind = OE__ROW_CLOSE;
	row->evaluation_ms = -1;
	row->time = oe__clock_wall();
	row->done = close_written;
	oe__log_append(controller->log, row);
}

/* The last generation closes when no number follows. A run that is resumed may have more of them, so the
   log has to say it. */
void oe__controller_record_cut(oe_controller *controller)
{
	struct oe__row *row;

	if (!controller->log || !oe__hub_was_cut(controller->hub))
		return;
	row = oe__calloc(1, sizeof(*row));
	if (!row)
		controller->events.status = OE_ERR_NOMEM; /* a log without it is not this run */
	write_close(controller, row);
}

/* ---- closing ---- */

void oe__controller_close_generation(oe_controller *controller)
{
	struct oe__row *row = controller->log ? oe__calloc(1, sizeof(*row)) : NULL;
	oe_error err;

	if (controller->log && !row)
		return; /* another time */
	if (oe_hub_close_generation(controller->hub, &err) < 0) {
		oe__controller_log(controller, 0, "%s", err.message);
		oe__free(row);
		return;
	}
	write_close(controller, row);
	oe__controller_tell_endings(controller);
	oe__controller_save_if_due(controller);
}

static bool is_quorate(const oe_controller *controller, const struct oe__hub_figures *figures)
{
	int64_t size = oe__hub_window(controller->hub);

	return controller->generation.quorum < 1 && figures->generation_given >= size &&
	       (double)figures->generation_ended >= ceil(controller->generation.quorum * (double)size);
}

static bool is_late(const oe_controller *controller, const struct oe__hub_figures *figures,
                    int64_t now_ns)
{
	return controller->generation.time_ns > 0 && figures->staged > 0 &&
	       now_ns - controller->generation.began_ns >= controller->generation.time_ns;
}

void oe__controller_check_generation(oe_controller *controller, int64_t now_ns)
{
	struct oe__generation_rules *rules = &controller->generation;
	struct oe__hub_figures figures;

	if (controller->semantics != OE__SEMANTICS_GENERATION ||
	    controller->state != OE__CONTROLLER_RUNNING)
		return;
	oe__hub_figures(controller->hub, &figures);
	if (figures.generation_given == 0) {
		rules->began_ns = 0;
		return;
	}
	if (rules->began_ns == 0 || rules->closed != figures.generation)
		rules->began_ns = now_ns;
	rules->closed = figures.generation;
	rules->staged = figures.staged > 0;
	if (is_quorate(controller, &figures) || is_late(controller, &figures, now_ns)) {
		oe__controller_close_generation(controller);
		rules->began_ns = 0;
	}
}

int64_t oe__controller_generation_deadline(const oe_controller *controller)
{
	const struct oe__generation_rules *rules = &controller->generation;

	/* One that has nothing to close with is woken by its first end. */
	return rules->began_ns > 0 && rules->time_ns > 0 && rules->staged
	           ? rules->began_ns + rules->time_ns
	           : INT64_MAX;
}

/* The run is over: what was evaluated belongs to its result. One that may go on keeps its generation. */
void oe__controller_close_last_generation(oe_controller *controller)
{
	struct oe__hub_figures figures;

	if (controller->semantics != OE__SEMANTICS_GENERATION || !oe__controller_is_over(controller) ||
	    controller->store_failed)
		return;
	oe__hub_figures(controller->hub, &figures);
	if (figures.staged > 0)
		oe__controller_close_generation(controller);
}
