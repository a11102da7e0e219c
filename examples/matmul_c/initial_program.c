/* Multiply two square matrices of doubles, in blocks. */

#include <stddef.h>

/* EVOLVE-BLOCK-START */
enum { BLOCK_I = 1, BLOCK_J = 2, BLOCK_K = 1 };

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

void matmul(size_t n, const double *a, const double *b, double *c)
{
	for (size_t i = 0; i < n * n; i++)
		c[i] = 0.0;
	for (size_t jj = 0; jj < n; jj += BLOCK_J)
		for (size_t kk = 0; kk < n; kk += BLOCK_K)
			for (size_t ii = 0; ii < n; ii += BLOCK_I)
				for (size_t i = ii; i < smaller(ii + BLOCK_I, n); i++)
					for (size_t k = kk; k < smaller(kk + BLOCK_K, n); k++)
						for (size_t j = jj; j < smaller(jj + BLOCK_J, n); j++)
							c[i * n + j] += a[i * n + k] * b[k * n + j];
}
/* EVOLVE-BLOCK-END */
