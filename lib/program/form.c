#include "program/form.h"

#include <string.h>

#include "program/token.h"

/* Raised with whatever changes the form of any text: forms are kept in files. */
#define FORM_VERSION 1

static oe_bytes text_of(const oe_program *program)
{
	return (oe_bytes){ program->source->text, program->source->size };
}

static uint64_t measure(const struct oe__syntax *syntax, oe_bytes text)
{
	uint64_t form = oe__hash_mix((uint64_t)oe__syntax_number(syntax), 1);
	struct oe__lexer lexer;
	struct oe__token token;

	oe__lexer_init(&lexer, syntax, text);
	while (oe__lexer_next(&lexer, &token) != OE__TOKEN_END) {
		if (token.kind == OE__TOKEN_DOUBT)
			return 0;
		form = oe__hash64(token.text, token.size,
						  oe__hash_mix(form, (uint64_t)token.kind * 2 + token.glued));
	}
	return form;
}

/* The last byte says of which language, as texts are shared by programs of any; the others whether there
   is a form at all. */
uint64_t oe__form(const oe_program *program)
{
	const struct oe__syntax *syntax = oe__syntax_of(program->language);
	_Atomic uint64_t *kept = &program->source->form;

	if (!syntax)
		return 0;
	uint64_t number = (uint64_t)oe__syntax_number(syntax);
	uint64_t known = atomic_load_explicit(kept, memory_order_relaxed);
	if ((known & 0xff) != number) {
		uint64_t form = measure(syntax, text_of(program));
		known = (form & ~UINT64_C(0xff)) | number;
		atomic_store_explicit(kept, known, memory_order_relaxed);
	}
	return known > 0xff ? known : 0;
}

uint64_t oe__form_known(const oe_program *program)
{
	return atomic_load_explicit(&program->source->form, memory_order_relaxed);
}

void oe__form_recall(const oe_program *program, uint64_t form)
{
	atomic_store_explicit(&program->source->form, form, memory_order_relaxed);
}

/* Hashes differ with the byte order. */
uint64_t oe__form_teller(void)
{
	return oe__hash64("form", 4, FORM_VERSION);
}

static bool same_token(const struct oe__token *a, const struct oe__token *b)
{
	return a->kind == b->kind && a->glued == b->glued && a->size == b->size &&
		   memcmp(a->text, b->text, a->size) == 0;
}

bool oe__form_same(const oe_program *a, const oe_program *b)
{
	const struct oe__syntax *syntax = oe__syntax_of(a->language);
	struct oe__lexer lexers[2];
	struct oe__token tokens[2];

	if (!syntax || syntax != oe__syntax_of(b->language))
		return false;
	oe__lexer_init(&lexers[0], syntax, text_of(a));
	oe__lexer_init(&lexers[1], syntax, text_of(b));
	do {
		oe__lexer_next(&lexers[0], &tokens[0]);
		oe__lexer_next(&lexers[1], &tokens[1]);
		if (tokens[0].kind == OE__TOKEN_DOUBT || !same_token(&tokens[0], &tokens[1]))
			return false;
	} while (tokens[0].kind != OE__TOKEN_END);
	return true;
}
