/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_OUTFILE_H
#define SFT_OUTFILE_H
/* A file that is there whole or not at all.
 *
 * The bytes go to a file without a name in the same folder (O_TMPFILE; where the file system
 * has none, to ".NAME.PID.tmp"), which gets the final name when it is complete.  A process killed at any
 * moment leaves the old file, or none.  Devices and pipes (/dev/full, /dev/stdout) are written directly.
 * Path "-" or NULL is standard output, which out_close() flushes and checks. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "err.h"

struct outfile;

int  out_open(struct outfile **f, const char *path, struct err *e);
int  out_write(struct outfile *f, const void *p, size_t n, struct err *e);
/* Bytes accepted so far: the offset of the next one. */
uint64_t out_tell(const struct outfile *f);
/* Overwrite N bytes at OFF (a header known only at the end).  Not on pipes: SFT_SYSTEM. */
int  out_patch(struct outfile *f, uint64_t off, const void *p, size_t n, struct err *e);
/* Flush, fsync if SYNC (shards, checkpoints, models), rename into place.  F is gone after this,
 * also on failure, when the final name is untouched. */
int  out_close(struct outfile *f, bool sync, struct err *e);
/* Drop what was written.  NULL is fine. */
void out_abandon(struct outfile *f);

/* The whole of BYTES as file PATH. */
int  out_whole(const char *path, const void *p, size_t n, bool sync, struct err *e);

/* Does -o PATH mean a folder, with one output for each of FILES input files: it is one, ends in /, or several files are to go to a
 * name without an ending. */
bool out_is_folder(const char *path, size_t files);
/* Where the outputs of FILES[0..n-1] go in that folder, which is made: DIR/NAME.ENDING, NAME being FILE's without .gz or .zst and one more ending.
 * SFT_USAGE where two would be one, or n is 0.  *PATHS [n] on success, for out_places_free. */
int  out_places(const char *dir, const char *const *files, size_t n, const char *ending, char ***paths, struct err *e);
void out_places_free(char **paths, size_t n);

/* Are A and B, both there, one file or folder: is what is to be written what is being read. */
bool out_same(const char *a, const char *b);

/* Make DIR and the folders above it (mode 0777 & ~umask). */
int  out_mkdirs(const char *dir, struct err *e);
/* fsync of folder DIR, so that a rename in it survives a power cut. */
int  out_syncdir(const char *dir, struct err *e);

#endif
