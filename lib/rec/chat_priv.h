/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_CHAT_PRIV_H
#define SFT_CHAT_PRIV_H
/* What chat_open.c makes and chat.c uses. */
#include "chat.h"

struct chat_template {
	struct template *t;
	char *source;
	uint64_t hash;
	char *bos, *eos, *pad;        /* NULL: not defined for the template */
};

#endif
