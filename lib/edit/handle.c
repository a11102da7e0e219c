/*
 * The public face of edits: oe_edit and its getters, see openevolve/edit.h.
 */

#include "base/alloc.h"
#include "edit/edit.h"

static const char *const status_names[] = {
	[OE_EDIT_STATUS_APPLIED] = "applied",
	[OE_EDIT_STATUS_APPLIED_TOLERANT] = "applied_tolerant",
	[OE_EDIT_STATUS_UNMATCHED] = "unmatched",
	[OE_EDIT_STATUS_AMBIGUOUS] = "ambiguous",
	[OE_EDIT_STATUS_NOOP] = "noop",
	[OE_EDIT_STATUS_VIOLATES_BLOCK] = "violates_evolve_block",
	[OE_EDIT_STATUS_TRUNCATED] = "truncated",
	[OE_EDIT_STATUS_NO_EDIT] = "no_edit",
	[OE_EDIT_STATUS_TOO_LONG] = "too_long",
};

const char *oe_edit_status_name(int status)
{
	if (status < 0 || (size_t)status >= OE__COUNT(status_names))
		return "unknown";
	return status_names[status];
}

void oe_edit_free(oe_edit *edit)
{
	if (!edit)
		return;
	oe__free(edit->blocks);
	oe__buffer_done(&edit->answer);
	oe__buffer_done(&edit->normalised);
	oe__buffer_done(&edit->code_text);
	oe__buffer_done(&edit->message);
	oe__buffer_done(&edit->summary);
	oe__free(edit);
}

int oe_edit_status(const oe_edit *edit)
{
	return edit->status;
}

int oe_edit_outcome(const oe_edit *edit)
{
	return oe__edit_outcome(edit->status);
}

const char *oe_edit_message(const oe_edit *edit)
{
	return oe__buffer_string(&edit->message);
}

const char *oe_edit_summary(const oe_edit *edit)
{
	return oe__buffer_string(&edit->summary);
}

oe_bytes oe_edit_code(const oe_edit *edit)
{
	return edit->code;
}

size_t oe_edit_block_count(const oe_edit *edit)
{
	return edit->block_count;
}

const oe_edit_block *oe_edit_block_at(const oe_edit *edit, size_t index)
{
	return index < edit->block_count ? &edit->blocks[index] : NULL;
}

size_t oe_edit_violation_line(const oe_edit *edit)
{
	return edit->violation_line;
}
