#ifndef OE__SCHEDULER_TASK_H
#define OE__SCHEDULER_TASK_H

/*
 * A task: a function to run, embedded in whatever object it works on. Queues link tasks and never
 * allocate, so handing over cannot fail. At any moment a task is in at most one queue; sending it
 * gives it away.
 */

#include <stddef.h>

struct oe__task {
	struct oe__task *next;
	void (*run)(struct oe__task *task);
};

/* Intrusive FIFO; not locked. */
struct oe__task_list {
	struct oe__task *head, *tail;
	size_t count;
};

static inline void oe__task_push(struct oe__task_list *list, struct oe__task *task)
{
	task->next = NULL;
	if (list->tail)
		list->tail->next = task;
	else
		list->head = task;
	list->tail = task;
	list->count++;
}

static inline struct oe__task *oe__task_pop(struct oe__task_list *list)
{
	struct oe__task *task = list->head;
	if (task) {
		list->head = task->next;
		if (!list->head)
			list->tail = NULL;
		list->count--;
		task->next = NULL;
	}
	return task;
}

#endif /* OE__SCHEDULER_TASK_H */
