/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_MAPFILE_H
#define SFT_MAPFILE_H
/* A file mapped read-only.  The bytes stay valid until mapfile_close(); a file that shrinks under us raises SIGBUS, which is
 * not handled: nobody should write in place a file that is being trained on. */
#include <stddef.h>
#include "err.h"

struct mapfile {
	const unsigned char *p;     /* NULL for an empty file */
	size_t n;
};

/* SFT_SYSTEM where it cannot be opened ("PATH: No such file..."), SFT_BADDATA where it is no regular file. */
int  mapfile_open(struct mapfile *m, const char *path, struct err *e);
void mapfile_close(struct mapfile *m);

#endif
