/*
 * One prompt: choosing its template, filling it in, keeping to the budget, the hash.
 */

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "prompt/prompt_internal.h"

int oe__job_fragment(const struct oe__job *job, enum oe__fragment which,
					 const struct oe__argument *arguments, struct oe__buffer *out, oe_error *err)
{
	return oe__fragment_append(&job->set->fragments, which, arguments, out, err);
}

int oe__job_render(const struct oe__job *job, enum oe__role role,
				   const struct oe__argument *arguments, struct oe__buffer *out, oe_error *err)
{
	const struct oe__template *template = oe__prompt_set_role(job->set, role, err);
	struct oe__rendering rendering = {
		.arguments = arguments,
		.plain_fences = job->set->settings.style == OE__STYLE_OPENEVOLVE,
	};
	return template ? oe__template_render(template, &rendering, out, err) : OE_ERR_CONFIG;
}

/* ---- the two texts ---- */

static int render_user(struct oe__job *job, oe_error *err)
{
	const struct oe__prompt_input *input = job->input;
	struct oe__buffer *out = &job->prompt->user;
	struct oe__argument arguments[OE__USER_PLACES] = {
		[OE__USER_METRICS] = oe__argument_writer(oe__write_metrics, job),
		[OE__USER_FITNESS] = oe__argument_writer(oe__write_fitness, job),
		[OE__USER_COORDINATES] = oe__argument_writer(oe__write_coordinates, job),
		[OE__USER_DIMENSIONS] = oe__argument_writer(oe__write_dimensions, job),
		[OE__USER_AREAS] = oe__argument_writer(oe__write_areas, job),
		[OE__USER_HISTORY] = oe__argument_writer(oe__write_history, job),
		[OE__USER_PROGRAM] = oe__argument_text(input->code.data, input->code.size),
		[OE__USER_LANGUAGE] = oe__argument_text(input->language, strlen(input->language)),
		[OE__USER_ARTIFACTS] = oe__argument_writer(oe__write_artifacts, job),
	};
	struct oe__rendering rendering = {
		.arguments = arguments,
		.extra = input->extra,
		.plain_fences = job->set->settings.style == OE__STYLE_OPENEVOLVE,
	};

	oe__buffer_clear(out);
	out->size_max = OE__PROMPT_MAX;
	int status = oe__template_render(job->user, &rendering, out, err);
	if (status == 0)
		status = oe__write_budget_note(job, out, err);
	return status < 0 ? status : out->status;
}

static int write_system(const struct oe__job *job)
{
	const char *message = job->input->system_message;
	const struct oe__catalog_text *named = oe__catalog_template(&job->set->catalog, message);
	struct oe__buffer *out = &job->prompt->system;

	oe__buffer_clear(out);
	if (named)
		return oe__buffer_append(out, named->text, named->size);
	return oe__buffer_text(out, message);
}

/* ---- the budget ---- */

static void note_parts(struct oe__job *job)
{
	for (size_t part = 0; part < OE__PART_COUNT; part++) {
		job->prompt->parts[part].shown = job->plan.counts[part];
		job->prompt->parts[part].available = job->whole.counts[part];
	}
	job->prompt->artifact_chars = job->plan.artifact_chars;
	job->prompt->artifact_chars_max = job->whole.artifact_chars;
}

/* Each round leaves more out, so there are only as many as there are items and halvings. */
static int fit(struct oe__job *job, oe_error *err)
{
	struct oe__prompt *prompt = job->prompt;
	int64_t system = oe__count_tokens(prompt->system.data, prompt->system.size);
	int status;

	prompt->tokens = 0;

	prompt->tokens_max = job->set->settings.tokens_max;
	for (;;) {
		note_parts(job);
		status = render_user(job, err);
		if (status < 0 || prompt->tokens_max == 0)
			return status;
		prompt->tokens = system + oe__count_tokens(prompt->user.data, prompt->user.size);
		prompt->over_budget = prompt->tokens > prompt->tokens_max;
		if (!prompt->over_budget || !oe__plan_reduce(job, prompt->tokens - prompt->tokens_max))
			return 0;
	}
}

/* ---- building ---- */

static int choose_template(struct oe__job *job, struct oe__template **own, oe_error *err)
{
	const char *name = job->input->template_name;
	enum oe__role role = job->set->settings.diff ? OE__ROLE_DIFF_USER : OE__ROLE_REWRITE_USER;

	if (name)
		role = oe__role_of(name);
	if (role <= OE__ROLE_EVALUATION && job->set->settings.variation_count == 0) {
		job->user = oe__prompt_set_role(job->set, role, err);
		return job->user ? 0 : OE_ERR_CONFIG;
	}
	static const char *const names[] = { "diff_user", "full_rewrite_user" };
	int status =
		oe__prompt_set_compile_user(job->set, name ? name : names[role], job->input, own, err);
	job->user = *own;
	return status;
}

/* Draw the different programs from those below the top ones, without putting any back. */
static int draw_diverse(struct oe__job *job)
{
	const struct oe__prompt_input *input = job->input;
	size_t top = job->whole.counts[OE__PART_TOP], left = input->top_count - top;

	job->diverse = oe__calloc(left + 1, sizeof(*job->diverse));
	if (!job->diverse)
		return OE_ERR_NOMEM;
	for (size_t i = 0; i < left; i++)
		job->diverse[i] = top + i;
	for (size_t i = 0; i < job->whole.counts[OE__PART_DIVERSE]; i++) {
		size_t drawn = i + input->draw(input->self, OE__DRAW_DIVERSE, left - i);
		size_t index = job->diverse[drawn];

		memmove(&job->diverse[i + 1], &job->diverse[i], (drawn - i) * sizeof(*job->diverse));
		job->diverse[i] = index;
	}
	return 0;
}

static int hash_prompt(struct oe__prompt *prompt)
{
	struct oe__sha256 *sha = oe__sha256_new();

	if (!sha)
		return OE_ERR_NOMEM;
	oe__sha256_add(sha, oe__buffer_string(&prompt->system), prompt->system.size + 1);
	oe__sha256_add(sha, oe__buffer_string(&prompt->user), prompt->user.size);
	oe__sha256_end(sha, prompt->hash);
	return 0;
}

int oe__prompt_build(const struct oe__prompt_set *set, const struct oe__prompt_input *input,
					 struct oe__prompt *out, oe_error *err)
{
	struct oe__job job = { .set = set, .input = input, .prompt = out };
	OE__AUTO(template) struct oe__template *own = NULL;

	oe__plan_whole(&job);
	int status = draw_diverse(&job);
	if (status == 0)
		status = choose_template(&job, &own, err);
	if (status == 0)
		status = write_system(&job);
	if (status == 0)
		status = fit(&job, err);
	if (status == 0)
		status = hash_prompt(out);
	oe__free(job.diverse);
	if (status == OE_ERR_NOMEM)
		return oe__error_nomem(err);
	if (status == OE_ERR_LIMIT && err && err->status != status)
		return oe__error(err, status, "the prompt is larger than %zu bytes", OE__PROMPT_MAX);
	return status;
}

void oe__prompt_done(struct oe__prompt *prompt)
{
	oe__buffer_done(&prompt->system);
	oe__buffer_done(&prompt->user);
}
