/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_HTMLNAMES_H
#define SFT_HTMLNAMES_H
/* The generated table of HTML's named character references (HTML standard, 13.5). */
#include <stdint.h>

/* Name I, sorted by its bytes, is at html_names + html_name_at[I], with its ';' where it has one; behind its NUL is what it
 * stands for, one or two characters in UTF-8. */
extern const char html_names[];
extern const uint16_t html_name_at[];
extern const unsigned html_names_n;

#endif
