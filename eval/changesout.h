/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_CHANGESOUT_H
#define SFT_CHANGESOUT_H
/* What training has changed, as JSON ("sft.changes/1"), a table for people, and CSV. */
#include "changes.h"
#include "mem.h"

void changes_json(const struct changes *c, struct buf *out);
void changes_text(const struct changes *c, struct buf *out);
/* A line a matrix, and one for each head's part of it. */
void changes_csv(const struct changes *c, struct buf *out);

#endif
