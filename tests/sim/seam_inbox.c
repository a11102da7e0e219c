/* controller/inbox.h: the owner is a choice of the world like all others, not a descriptor. */

#include "controller/inbox.h"

#include "world.h"

int oe__inbox_init(struct oe__inbox *inbox, oe_error *err)
{
	(void)err;
	*inbox = (struct oe__inbox){ .fd = -1, .timer_fd = -1, .due_ns = INT64_MAX, .signal.fd = -1 };
	world.inbox = inbox;
	return 0;
}

void oe__inbox_done(struct oe__inbox *inbox)
{
	if (world.inbox == inbox)
		world.inbox = NULL;
}

void oe__inbox_post(struct oe__inbox *inbox, struct oe__task *task)
{
	oe__task_push(&inbox->posted, task);
	inbox->raised = true;
}

void oe__inbox_wake(struct oe__inbox *inbox)
{
	inbox->raised = true;
}

void oe__inbox_raise(struct oe__inbox *inbox)
{
	inbox->raised = true;
}

void oe__inbox_run(struct oe__inbox *inbox)
{
	struct oe__task_list batch = inbox->posted;
	struct oe__task *task;

	inbox->posted = (struct oe__task_list){ 0 };
	inbox->raised = false;
	while ((task = oe__task_pop(&batch)) != NULL)
		task->run(task);
}

void oe__inbox_set_alarm(struct oe__inbox *inbox, int64_t due_ns)
{
	inbox->due_ns = due_ns;
}

bool inbox_ready(void)
{
	return world.inbox && (world.inbox->raised || world.inbox->due_ns <= world.now_ns);
}

int64_t inbox_due(void)
{
	return world.inbox ? world.inbox->due_ns : INT64_MAX;
}

/* Only a controller that is being freed waits by itself. */
void oe__inbox_wait(struct oe__inbox *inbox, int64_t timeout_ms)
{
	(void)inbox;
	(void)timeout_ms;
	while (!world_step_to_owner())
		continue;
}
