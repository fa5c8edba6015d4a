/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_FIELDTEXT_H
#define SFT_FIELDTEXT_H
/* Cells of tables that people fill in, and names that files give. */
#include "rec.h"
#include "words.h"

/* Nothing, or JSON's null. */
bool field_absent(const struct field *f);
/* Field AT of R without white space at its ends; "" where AT is negative and where the field is absent.  Borrowed from R. */
struct text field_text(const struct rec *r, int at);
/* "back/ann.csv.gz" is ann: a path without its folder, .gz or .zst, and one more ending.  Borrowed from PATH. */
struct text file_stem(const char *path);

#endif
