/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_TBEVENTS_H
#define SFT_TBEVENTS_H
/* TensorBoard event files, written without TensorFlow: TFRecord framing (length and payload with masked CRC-32C) around protobuf
 * `Event` messages (tensorboard compat protos event.proto, summary.proto).  Append only; each event is handed to the kernel at once. */
#include <stddef.h>
#include <stdint.h>
#include "err.h"

struct tbevents;

struct tb_scalar {
	const char *tag;      /* "train/loss" */
	double      value;    /* written as f32 */
};

/* A new file in DIR, with its version record.  RESTART > 0: also a session-start event of that step, which makes TensorBoard drop what
 * earlier files of DIR have from it on. */
int tb_open(struct tbevents **t, const char *dir, uint64_t restart, struct err *e);
int tb_scalars(struct tbevents *t, uint64_t step, const struct tb_scalar *v, size_t n, struct err *e);
int tb_close(struct tbevents *t, struct err *e);      /* NULL is fine */

#endif
