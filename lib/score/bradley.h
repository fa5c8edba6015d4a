/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_BRADLEY_H
#define SFT_BRADLEY_H
/* The model of Bradley and Terry (Biometrika 39, 1952): system i beats j with probability 1 / (1 + exp(s_j - s_i)).
 *
 * Maximum likelihood by Newton's method; a tie is half a win for each.  There is a finite solution just where every system can be
 * reached from every other along wins (Ford 1957; Hunter, Annals of Statistics 32, 2004).  Standard errors are from the
 * pseudo-inverse of the information matrix, strengths being held to mean 0. */
#include <stdbool.h>
#include <stddef.h>

enum { BRADLEY_MAX = 256 };     /* systems */

/* WINS[i * n + j]: how often i beat j, 2 <= N <= BRADLEY_MAX.  Fills strength[n] and se[n] (natural logarithms) and *NLL, the
 * negative log-likelihood.  False, and nothing filled, where there is no finite solution.  Time O(n^3) a step. */
bool bradley_terry(size_t n, const double *wins, double *strength, double *se, double *nll);

#endif
