/* lib/controller/events.c: the queue that step() hands out. */

#include <string.h>

#include "base/alloc.h"
#include "base/rng.h"
#include "controller/events.h"
#include "nomem.h"
#include "program/program.h"

static void push(struct oe__events *events, int type, int64_t iteration, const char *text)
{
	oe__events_push(events, &(oe_event){ .type = type, .iteration = iteration, .text = text });
}

START_TEST(test_order)
{
	struct oe__events events = { .mask = UINT32_MAX };

	ck_assert_ptr_null(oe__events_next(&events, INT64_MAX));
	for (int64_t i = 0; i < 10; i++)
		push(&events, OE_EVENT_BEST, i, "text");
	ck_assert_uint_eq(events.count, 10);
	for (int64_t i = 0; i < 10; i++) {
		const oe_event *event = oe__events_next(&events, INT64_MAX);
		ck_assert_int_eq(event->iteration, i);
		ck_assert_uint_eq(event->struct_size, sizeof(oe_event));
		push(&events, OE_EVENT_BEST, 100 + i, NULL); /* pushed while one is looked at */
	}
	for (int64_t i = 0; i < 10; i++)
		ck_assert_int_eq(oe__events_next(&events, INT64_MAX)->iteration, 100 + i);
	ck_assert_ptr_null(oe__events_next(&events, INT64_MAX));
	ck_assert_ptr_null(oe__events_next(&events, INT64_MAX));
	ck_assert_uint_eq(events.count, 0);
	oe__events_done(&events);
}
END_TEST

/* Texts are the event's own, and are never NULL. */
START_TEST(test_texts)
{
	struct oe__events events = { .mask = UINT32_MAX };
	char text[] = "first", model[] = "model";

	oe__events_push(&events,
					&(oe_event){ .type = OE_EVENT_BEST, .text = text, .model = model });
	push(&events, OE_EVENT_BEST, 0, NULL);
	memset(text, 'x', strlen(text));
	memset(model, 'x', strlen(model));
	const oe_event *event = oe__events_next(&events, INT64_MAX);
	ck_assert_str_eq(event->text, "first");
	ck_assert_str_eq(event->model, "model");
	event = oe__events_next(&events, INT64_MAX);
	ck_assert_str_eq(event->text, "");
	ck_assert_str_eq(event->model, "");
	oe__events_done(&events);
}
END_TEST

/* Programs live as long as the event, and no longer. */
START_TEST(test_programs)
{
	struct oe__events events = { .mask = UINT32_MAX };
	oe_program *program = NULL, *parent = NULL;

	ck_assert_int_eq(oe_program_new("x", 1, NULL, &program), 0);
	ck_assert_int_eq(oe_program_new("y", 1, NULL, &parent), 0);
	oe__events_push(&events,
					&(oe_event){ .type = OE_EVENT_BEST, .program = program, .parent = parent });
	oe__events_push(&events, &(oe_event){ .type = OE_EVENT_BEST, .program = program });
	oe_program_unref(program);
	oe_program_unref(parent);
	const oe_event *event = oe__events_next(&events, INT64_MAX);
	ck_assert_int_eq(memcmp(oe_program_code(event->program).data, "x", 1), 0);
	ck_assert_int_eq(memcmp(oe_program_code(event->parent).data, "y", 1), 0);
	oe__events_done(&events); /* the one that is out, and those that nobody took */
}
END_TEST

START_TEST(test_mask)
{
	struct oe__events events = { .mask = OE_EVENT_BIT(OE_EVENT_BEST) };

	push(&events, OE_EVENT_PAUSED, 1, "");
	push(&events, OE_EVENT_BEST, 2, "");
	push(&events, OE_EVENT_DONE, 3, ""); /* nobody can do without that one */
	ck_assert_int_eq(oe__events_next(&events, INT64_MAX)->iteration, 2);
	ck_assert_int_eq(oe__events_next(&events, INT64_MAX)->iteration, 3);
	ck_assert_ptr_null(oe__events_next(&events, INT64_MAX));
	oe__events_done(&events);
}
END_TEST

START_TEST(test_full)
{
	struct oe__events events = { .mask = UINT32_MAX };

	for (int i = 0; i < OE__EVENTS_MAX; i++) {
		ck_assert(!oe__events_full(&events));
		push(&events, OE_EVENT_BEST, i, "");
	}
	ck_assert(oe__events_full(&events));
	push(&events, OE_EVENT_BEST, -1, ""); /* taken all the same: nothing is dropped */
	ck_assert_int_eq(oe__events_next(&events, INT64_MAX)->iteration, 0);
	ck_assert(oe__events_full(&events));
	(void)oe__events_next(&events, INT64_MAX);
	ck_assert(!oe__events_full(&events));
	oe__events_done(&events);
	ck_assert_uint_eq(events.count, 0);
}
END_TEST

/* Without memory it says so, and keeps what it has. */
START_TEST(test_no_memory)
{
	struct oe__events events = { .mask = UINT32_MAX };

	push(&events, OE_EVENT_BEST, 1, "");
	nomem_arm(1, true);
	push(&events, OE_EVENT_BEST, 2, "");
	nomem_arm(0, false);
	ck_assert_int_eq(events.status, OE_ERR_NOMEM);
	ck_assert_int_eq(oe__events_next(&events, INT64_MAX)->iteration, 1);
	ck_assert_ptr_null(oe__events_next(&events, INT64_MAX));
	oe__events_done(&events);
}
END_TEST

static void push_call(struct oe__events *events, int type, int64_t iteration, int64_t call)
{
	oe__events_push_call(events, &(oe_event){ .type = type, .iteration = iteration, .text = "text" },
						 call);
}

static int64_t next_of(struct oe__events *events, int64_t durable)
{
	const oe_event *event = oe__events_next(events, durable);
	return event ? event->iteration : -1;
}

/* One that waits holds up all behind it: the order is that of what happened. */
START_TEST(test_waits)
{
	struct oe__events events = { .mask = UINT32_MAX };

	push_call(&events, OE_EVENT_LOG, 1, 0);
	push_call(&events, OE_EVENT_ITERATION, 2, 7);
	push_call(&events, OE_EVENT_BEST, 3, 7);
	push_call(&events, OE_EVENT_LOG, 4, 0);
	push_call(&events, OE_EVENT_ITERATION, 5, 9);
	ck_assert_int_eq(next_of(&events, 6), 1);
	ck_assert(!oe__events_ready(&events, 6));
	ck_assert_int_eq(next_of(&events, 6), -1);
	ck_assert_int_eq(next_of(&events, 7), 2);
	ck_assert(oe__events_ready(&events, 7));
	ck_assert_int_eq(next_of(&events, 8), 3);
	ck_assert_int_eq(next_of(&events, 8), 4);
	ck_assert_int_eq(next_of(&events, 8), -1);
	ck_assert_uint_eq(events.count, 1);
	ck_assert_int_eq(next_of(&events, 9), 5);
	ck_assert_int_eq(next_of(&events, INT64_MAX), -1);
	oe__events_done(&events);
}
END_TEST

/* The log broke: what it has not got did not happen; the rest is told, in its order. */
START_TEST(test_forgets)
{
	struct oe__events events = { .mask = UINT32_MAX };

	push_call(&events, OE_EVENT_ITERATION, 1, 3);
	push_call(&events, OE_EVENT_ITERATION, 2, 4);
	push_call(&events, OE_EVENT_LOG, 3, 0);
	push_call(&events, OE_EVENT_ITERATION, 4, 5);
	push_call(&events, OE_EVENT_DONE, 5, 0);
	oe__events_forget(&events, 3);
	ck_assert_uint_eq(events.count, 3);
	ck_assert_int_eq(next_of(&events, 3), 1);
	ck_assert_int_eq(next_of(&events, 3), 3);
	ck_assert_int_eq(next_of(&events, 3), 5);
	ck_assert_int_eq(next_of(&events, 3), -1);
	ck_assert(!events.head && !events.tail);
	oe__events_forget(&events, 3);
	push_call(&events, OE_EVENT_LOG, 6, 0);
	ck_assert_int_eq(next_of(&events, 3), 6);
	push_call(&events, OE_EVENT_ITERATION, 7, 9); /* freed with the queue, told or not */
	oe__events_done(&events);
}
END_TEST

NOMEM_MAIN("events", test_order, test_texts, test_programs, test_mask, test_full, test_no_memory,
		   test_waits, test_forgets)
