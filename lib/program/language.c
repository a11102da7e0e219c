#include "program/language.h"

#include <string.h>

#include "base/file.h"

struct language {
	const char *name;
	const char *aliases;    /* what fences call it as well          */
	const char *extensions; /* of its files, without the dot        */
};

static const struct language languages[] = {
	{ "python", "py python3 py3 python2 ipython", "py pyw pyi pyx" },
	{ "c", "h", "c h" },
	{ "cpp", "c++ cxx cc hpp hxx h++ cplusplus", "cpp cc cxx c++ hpp hxx hh" },
	{ "rust", "rs", "rs" },
	{ "r", "rscript splus", "r" },
	{ "javascript", "js node nodejs mjs cjs jsx ecmascript es6", "js mjs cjs jsx" },
	{ "typescript", "ts tsx mts", "ts tsx mts" },
	{ "text", "txt plain plaintext prompt", "txt text prompt" },
	{ "markdown", "md mkd mdown", "md markdown" },
	{ "go", "golang", "go" },
	{ "java", "", "java" },
	{ "julia", "jl", "jl" },
	{ "fortran", "f90 f95 f03 f08 f77", "f f90 f95 f03 f08 for" },
	{ "cuda", "cu cuda-c++ cuda-cpp", "cu cuh" },
	{ "metal", "msl", "metal" },
	{ "opencl", "cl", "cl" },
	{ "glsl", "", "glsl comp" },
	{ "hlsl", "", "hlsl" },
	{ "csharp", "c# cs dotnet", "cs" },
	{ "fsharp", "f# fs", "fs" },
	{ "bash", "sh shell zsh ksh", "sh bash zsh" },
	{ "ruby", "rb", "rb" },
	{ "kotlin", "kt kts", "kt kts" },
	{ "swift", "", "swift" },
	{ "haskell", "hs", "hs" },
	{ "lua", "", "lua" },
	{ "perl", "pl", "pl pm" },
	{ "php", "", "php" },
	{ "scala", "", "scala" },
	{ "sql", "postgresql mysql sqlite plsql", "sql" },
	{ "matlab", "octave m", "m" },
	{ "mathematica", "wolfram wl", "wl wls" },
	{ "verilog", "systemverilog v sv", "v sv svh" },
	{ "vhdl", "vhd", "vhd vhdl" },
	{ "zig", "", "zig" },
	{ "nim", "", "nim" },
	{ "d", "dlang", "d" },
	{ "ocaml", "ml", "ml mli" },
	{ "lisp", "common-lisp elisp", "lisp el" },
	{ "scheme", "scm racket rkt", "scm rkt" },
	{ "clojure", "clj", "clj cljs" },
	{ "elixir", "ex exs", "ex exs" },
	{ "erlang", "erl", "erl" },
	{ "dart", "", "dart" },
	{ "assembly", "asm nasm gas x86asm", "asm s" },
	{ "lean", "lean4", "lean" },
	{ "json", "json5 jsonc", "json" },
	{ "yaml", "yml", "yaml yml" },
	{ "toml", "", "toml" },
	{ "xml", "", "xml" },
	{ "html", "htm xhtml", "html htm" },
	{ "css", "", "css" },
	{ "latex", "tex", "tex" },
	{ "makefile", "make mk", "mk" },
	{ "cmake", "", "cmake" },
	{ "dockerfile", "docker", "dockerfile" },
};

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool equal(const char *a, size_t a_size, const char *b, size_t b_size)
{
	if (a_size != b_size)
		return false;
	for (size_t i = 0; i < a_size; i++)
		if (lower(a[i]) != lower(b[i]))
			return false;
	return true;
}

/* Is `word` one of the words of `list`, between which there is one blank? */
static bool contains(const char *list, const char *word, size_t size)
{
	while (*list) {
		size_t item = strcspn(list, " ");
		if (equal(list, item, word, size))
			return true;
		list += item + (list[item] == ' ');
	}
	return false;
}

static bool is_called(const struct language *language, const char *word, size_t size)
{
	return equal(language->name, strlen(language->name), word, size) ||
		   contains(language->aliases, word, size);
}

const char *oe__language_name(const char *language)
{
	size_t size = language ? strlen(language) : 0;

	for (size_t i = 0; size > 0 && i < OE__COUNT(languages); i++)
		if (is_called(&languages[i], language, size))
			return languages[i].name;
	return NULL;
}

bool oe__language_named(const char *language, oe_bytes word)
{
	size_t size = language ? strlen(language) : 0;

	if (size == 0 || word.size == 0)
		return false;
	if (equal(language, size, word.data, word.size))
		return true;
	for (size_t i = 0; i < OE__COUNT(languages); i++)
		if (is_called(&languages[i], language, size))
			return is_called(&languages[i], word.data, word.size);
	return false;
}

const char *oe__language_of_path(const char *path)
{
	const char *extension = oe__path_extension(path);

	if (*extension != '.')
		return NULL;
	extension++;
	for (size_t i = 0; i < OE__COUNT(languages); i++)
		if (contains(languages[i].extensions, extension, strlen(extension)))
			return languages[i].name;
	return NULL;
}
