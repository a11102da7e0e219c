/*
 * The public face of edits: oe_edit and its getters, see openevolve/edit.h.
 */

#include "base/alloc.h"
#include "config/config.h"
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

void oe__edit_options_read(const oe_config *config, struct oe__edit_options *options)
{
	/* In the order of the option's choices. */
	static const enum oe__evolve_mode modes[] = { OE__EVOLVE_ENFORCE, OE__EVOLVE_WARN,
												  OE__EVOLVE_OFF };

	*options = (struct oe__edit_options){
		.rewrite = !oe__config_bool(config, "diff_based_evolution"),
		.tolerant = oe__config_bool(config, "edit.tolerant"),
		.reject_ambiguous = oe__config_choice(config, "edit.ambiguous") == 1,
		.reject_unmatched = oe__config_choice(config, "edit.unmatched") == 1,
		.evolve_blocks = oe__config_bool(config, "enforce_evolve_blocks")
		                     ? OE__EVOLVE_ENFORCE
		                     : modes[oe__config_choice(config, "edit.evolve_blocks")],
		.language = oe__config_string(config, "language"),
		.pattern = oe__config_string(config, "diff_pattern"),
		.code_length_max = oe__config_int(config, "max_code_length"),
	};
}

int oe_edit_new(const oe_config *config, const oe_program *parent, int mode, const char *answer,
				size_t size, int finish, oe_edit **out, oe_error *err)
{
	OE__AUTO(config) oe_config *defaults = NULL;
	OE__AUTO(edit_rules) struct oe__edit_rules *rules = NULL;
	struct oe__edit_options options;
	int status = 0;

	if (!parent || (!answer && size > 0) || !out ||
		(mode != OE_EDIT_DIFF && mode != OE_EDIT_REWRITE))
		return oe__error(err, OE_ERR_INVALID,
						 "oe_edit_new: no parent, answer or out, or no such mode");
	if (!config)
		status = oe_config_new(&defaults);
	if (status < 0)
		return oe__error_nomem(err);
	oe__edit_options_read(config ? config : defaults, &options);
	options.rewrite = mode == OE_EDIT_REWRITE;
	if (*oe_program_language(parent))
		options.language = oe_program_language(parent);
	status = oe__edit_rules_new(&options, &rules, err);
	if (status < 0)
		return status;
	return oe__edit_apply(rules, oe_program_code(parent), (oe_bytes){ answer, size }, finish, out,
						  err);
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
