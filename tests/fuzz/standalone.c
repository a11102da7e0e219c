/*
 * Runs a fuzz target on files instead of under a fuzzer: the corpus is a test on every build, and a
 * finding is reproduced with any compiler and debugger. Arguments are files or directories of them.
 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int run_file(const char *path)
{
	OE__AUTO(buffer) struct oe__buffer input = OE__BUFFER_INIT(0);
	oe_error err;

	if (oe__file_read(path, &input, &err) < 0) {
		fprintf(stderr, "%s: %s\n", path, err.message);
		return EXIT_FAILURE;
	}
	fprintf(stderr, "%s\n", path); /* the last one named is the one that crashed */
	/* A block of exactly that size, so that reading past the end is seen by a sanitizer. */
	OE__AUTO(memory) uint8_t *exact = oe__malloc(input.size > 0 ? input.size : 1);
	for (size_t i = 0; i < input.size; i++)
		exact[i] = (uint8_t)input.data[i];
	LLVMFuzzerTestOneInput(exact, input.size);
	return EXIT_SUCCESS;
}

static int run_directory(const char *path)
{
	char **names = NULL;
	size_t count = 0;
	int status = EXIT_SUCCESS;
	oe_error err;

	if (oe__directory_list(path, &names, &count, &err) < 0) {
		fprintf(stderr, "%s: %s\n", path, err.message);
		return EXIT_FAILURE;
	}
	if (count == 0) {
		fprintf(stderr, "%s: an empty corpus tests nothing\n", path);
		status = EXIT_FAILURE;
	}
	for (size_t i = 0; i < count && status == EXIT_SUCCESS; i++) {
		OE__AUTO(string) char *file = oe__path_join(path, names[i]);
		status = run_file(file);
	}
	oe__directory_list_free(names, count);
	return status;
}

int main(int argc, char **argv)
{
	int status = argc > 1 ? EXIT_SUCCESS : EXIT_FAILURE;

	for (int i = 1; i < argc && status == EXIT_SUCCESS; i++)
		status = oe__file_is_directory(argv[i]) ? run_directory(argv[i]) : run_file(argv[i]);
	return status;
}
