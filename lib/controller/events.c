#include "controller/events.h"

#include <string.h>

#include "base/alloc.h"

static void event_free(struct oe__event *event)
{
	if (!event)
		return;
	oe_program_unref(event->public.program);
	oe_program_unref(event->public.parent);
	oe__free(event);
}

void oe__events_done(struct oe__events *events)
{
	while (oe__events_next(events, INT64_MAX))
		continue;
}

static void append(struct oe__events *events, struct oe__event *event)
{
	event->next = NULL;
	if (events->tail)
		events->tail->next = event;
	else
		events->head = event;
	events->tail = event;
	events->count++;
}

void oe__events_push(struct oe__events *events, const oe_event *given)
{
	oe__events_push_call(events, given, 0);
}

void oe__events_push_call(struct oe__events *events, const oe_event *given, int64_t call)
{
	if (!(events->mask & OE_EVENT_BIT(given->type)) && given->type != OE_EVENT_DONE)
		return;
	const char *text = given->text ? given->text : "";
	const char *model = given->model ? given->model : "";
	size_t text_size = strlen(text) + 1, model_size = strlen(model) + 1;

	struct oe__event *event = oe__malloc(sizeof(*event) + text_size + model_size);
	if (!event) {
		events->status = OE_ERR_NOMEM;
		return;
	}
	char *storage = (char *)(event + 1);
	memcpy(storage, text, text_size);
	memcpy(storage + text_size, model, model_size);
	event->call = call;
	event->public = *given;
	event->public.struct_size = sizeof(oe_event);
	event->public.text = storage;
	event->public.model = storage + text_size;
	if (given->program)
		oe_program_ref(given->program);
	if (given->parent)
		oe_program_ref(given->parent);

	append(events, event);
}

bool oe__events_ready(const struct oe__events *events, int64_t durable)
{
	return events->head && events->head->call <= durable;
}

static struct oe__event *pop(struct oe__events *events)
{
	struct oe__event *event = events->head;

	events->head = event->next;
	if (!events->head)
		events->tail = NULL;
	events->count--;
	return event;
}

const oe_event *oe__events_next(struct oe__events *events, int64_t durable)
{
	event_free(events->current);
	events->current = oe__events_ready(events, durable) ? pop(events) : NULL;
	return events->current ? &events->current->public : NULL;
}

void oe__events_forget(struct oe__events *events, int64_t durable)
{
	for (size_t left = events->count; left > 0; left--) {
		struct oe__event *event = pop(events);
		if (event->call > durable)
			event_free(event);
		else
			append(events, event);
	}
}
