/*
 * The normal form of programs, for test_form.py. From stdin, again and again: a line
 * "LANGUAGE SIZE_A SIZE_B", then the bytes of both. To stdout: "same", "other", or "none" if the first has
 * no form. What is the same by its tokens must be so by its number.
 */

#include <stdio.h>
#include <stdlib.h>

#include "program/form.h"

#undef NDEBUG
#include <assert.h>

static oe_program *read_program(const char *language, size_t size)
{
	oe_program *program = NULL;
	char *text = malloc(size + 1);

	assert(text && fread(text, 1, size, stdin) == size);
	assert(oe_program_new(text, size, language, &program) == 0);
	free(text);
	return program;
}

int main(void)
{
	char language[32];
	size_t sizes[2];

	while (scanf("%31s %zu %zu", language, &sizes[0], &sizes[1]) == 3 && getchar() == '\n') {
		oe_program *a = read_program(language, sizes[0]), *b = read_program(language, sizes[1]);
		bool same = oe__form_same(a, b);
		uint64_t form = oe__form(a);

		assert(same == (form != 0 && form == oe__form(b)));
		puts(same ? "same" : form != 0 ? "other" : "none");
		fflush(stdout);
		oe_program_unref(a);
		oe_program_unref(b);
	}
	return 0;
}
