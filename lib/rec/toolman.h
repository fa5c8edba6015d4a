/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_TOOLMAN_H
#define SFT_TOOLMAN_H
#include <stdbool.h>

/* Open the manual page of NAME ("sft-clean"): the one beside the build (build/bin/../../man), the one that was installed
 * with the program (share/man), else what man(1) finds on its path; shown by man, or mandoc where there is no man.
 * False if none of this worked, with a line on standard error; nothing is on standard output then. */
bool toolman_show(const char *name);

#endif
