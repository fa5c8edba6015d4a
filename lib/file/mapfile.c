/* SPDX-License-Identifier: Apache-2.0 */
#include "mapfile.h"

#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int mapfile_open(struct mapfile *m, const char *path, struct err *e)
{
	struct stat st;
	void *p = NULL;
	int fd, rc = 0;

	memset(m, 0, sizeof *m);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)) < 0)   /* a FIFO without a writer must not hold us */
		return err_sys(e, path);
	if (fstat(fd, &st) != 0)
		rc = err_sys(e, path);
	else if (!S_ISREG(st.st_mode))
		rc = err_set(e, SFT_BADDATA, "%s: is no regular file (expected a file that can be mapped)", path);
	else if ((uint64_t)st.st_size > SIZE_MAX / 2)
		rc = err_set(e, SFT_BADDATA, "%s: too large to map", path);
	else if (st.st_size > 0 && (p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0)) == MAP_FAILED)
		rc = err_sys(e, path);
	close(fd);
	if (rc != 0 || p == NULL)
		return rc;
	m->p = p;
	m->n = (size_t)st.st_size;
	return 0;
}

void mapfile_close(struct mapfile *m)
{
	if (m->p)
		munmap((void *)(uintptr_t)m->p, m->n);
	memset(m, 0, sizeof *m);
}
