/* SPDX-License-Identifier: Apache-2.0 */
#include "outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mem.h"

enum { OUT_BUF = 1 << 18, PIPE_SIZE = 1 << 20, DIRECT = 1 << 16 };   /* DIRECT: so many bytes are written from where they are */

struct outfile {
	int      fd;
	bool     direct;      /* standard output, a device or a pipe: no rename */
	bool     nameless;    /* O_TMPFILE */
	char    *path, *tmp;  /* final and temporary name */
	uint64_t done;        /* bytes given to the kernel */
	size_t   n;           /* bytes in buf */
	char     buf[OUT_BUF];
};

static void out_free(struct outfile *f)
{
	mem_free(f->path);
	mem_free(f->tmp);
	mem_free(f);
}

/* Folder of PATH, for the caller to free. */
static char *folder(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		return mem_str(".");
	return slash == path ? mem_str("/") : mem_strn(path, (size_t)(slash - path));
}

static int open_temporary(struct outfile *f, const char *path, struct err *e)
{
	char *dir = folder(path);
	const char *base = strrchr(path, '/');
	struct buf b = {0};

	f->path = mem_str(path);
	buf_fmt(&b, "%s/.%s.%ld.tmp", dir, base ? base + 1 : path, (long)getpid());
	f->tmp = b.p;
	f->fd = open(dir, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666);
	f->nameless = f->fd >= 0;
	if (f->fd < 0)
		f->fd = open(f->tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	mem_free(dir);
	return f->fd < 0 ? err_sys(e, path) : 0;
}

int out_open(struct outfile **out, const char *path, struct err *e)
{
	struct outfile *f = mem_new(sizeof *f);
	struct stat st;
	int rc = 0;

	*out = NULL;
	if (path == NULL || strcmp(path, "-") == 0) {
		f->fd = STDOUT_FILENO;
		f->direct = true;
		fcntl(f->fd, F_SETPIPE_SZ, PIPE_SIZE);     /* a pipe that holds more wakes its two ends less often; else it fails, no matter */
		f->path = mem_str("standard output");
	} else if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
		f->direct = true;
		f->path = mem_str(path);
		if (S_ISDIR(st.st_mode))
			rc = err_set(e, SFT_SYSTEM, "%s: is a folder (expected a file)", path);
		else if ((f->fd = open(path, O_WRONLY | O_CLOEXEC)) < 0)
			rc = err_sys(e, path);
	} else {
		rc = open_temporary(f, path, e);
	}
	if (rc != 0)
		out_free(f);
	else
		*out = f;
	return rc;
}

static int write_all(struct outfile *f, const char *p, size_t n, struct err *e)
{
	while (n > 0) {
		ssize_t w = write(f->fd, p, n);
		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0)
			return err_sys(e, f->path);
		p += w;
		n -= (size_t)w;
		f->done += (uint64_t)w;
	}
	return 0;
}

static int flush(struct outfile *f, struct err *e)
{
	size_t n = f->n;

	f->n = 0;
	return write_all(f, f->buf, n, e);
}

int out_write(struct outfile *f, const void *p, size_t n, struct err *e)
{
	int rc;

	if ((n > OUT_BUF - f->n || n >= DIRECT) && (rc = flush(f, e)) != 0)
		return rc;
	if (n >= DIRECT)
		return write_all(f, p, n, e);
	if (n)
		memcpy(f->buf + f->n, p, n);
	f->n += n;
	return 0;
}

uint64_t out_tell(const struct outfile *f)
{
	return f->done + f->n;
}

int out_patch(struct outfile *f, uint64_t off, const void *p, size_t n, struct err *e)
{
	const char *s = p;
	int rc;

	if (f->direct)
		return err_set(e, SFT_SYSTEM, "%s: cannot seek (expected a regular file)", f->path);
	if ((rc = flush(f, e)) != 0)
		return rc;
	while (n > 0) {
		ssize_t w = pwrite(f->fd, s, n, (off_t)off);
		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return err_sys(e, f->path);
		s += w;
		off += (uint64_t)w;
		n -= (size_t)w;
	}
	return 0;
}

/* Give the file its final name.  linkat() cannot replace a file, so the nameless one
 * gets the temporary name first. */
static int give_name(struct outfile *f, struct err *e)
{
	if (f->nameless) {
		char proc[64];

		snprintf(proc, sizeof proc, "/proc/self/fd/%d", f->fd);
		unlink(f->tmp);
		if (linkat(AT_FDCWD, proc, AT_FDCWD, f->tmp, AT_SYMLINK_FOLLOW) != 0)
			return err_sys(e, f->path);
		f->nameless = false;
	}
	return rename(f->tmp, f->path) != 0 ? err_sys(e, f->path) : 0;
}

int out_close(struct outfile *f, bool sync, struct err *e)
{
	int rc = flush(f, e);

	if (rc == 0 && sync && !f->direct && fsync(f->fd) != 0)
		rc = err_sys(e, f->path);
	if (rc == 0 && !f->direct)
		rc = give_name(f, e);
	if (rc == 0 && f->fd != STDOUT_FILENO && close(f->fd) != 0)
		rc = err_sys(e, f->path);
	else if (rc != 0 && f->fd != STDOUT_FILENO)
		close(f->fd);
	if (rc == 0 && sync && !f->direct) {
		char *dir = folder(f->path);
		rc = out_syncdir(dir, e);
		mem_free(dir);
	}
	if (rc != 0 && !f->direct && !f->nameless)
		unlink(f->tmp);
	out_free(f);
	return rc;
}

void out_abandon(struct outfile *f)
{
	if (f == NULL)
		return;
	if (f->fd != STDOUT_FILENO)
		close(f->fd);
	if (!f->direct && !f->nameless)
		unlink(f->tmp);
	out_free(f);
}

int out_whole(const char *path, const void *p, size_t n, bool sync, struct err *e)
{
	struct outfile *f;
	int rc;

	if ((rc = out_open(&f, path, e)) != 0)
		return rc;
	if ((rc = out_write(f, p, n, e)) != 0) {
		out_abandon(f);
		return rc;
	}
	return out_close(f, sync, e);
}

bool out_is_folder(const char *path, size_t files)
{
	struct stat st;
	size_t n = path ? strlen(path) : 0;
	const char *base = n ? strrchr(path, '/') : NULL;

	if (n == 0)
		return false;
	if (path[n - 1] == '/' || (stat(path, &st) == 0 && S_ISDIR(st.st_mode)))
		return true;
	return files > 1 && strcmp(path, "-") != 0 && strchr(base ? base + 1 : path, '.') == NULL;
}

static char *place_of(const char *dir, const char *file, const char *ending)
{
	const char *base = strrchr(file, '/'), *dot;
	size_t n, d = strlen(dir);
	struct buf b = {0};

	base = base ? base + 1 : file;
	n = strlen(base);
	if (n > 3 && strcmp(base + n - 3, ".gz") == 0)
		n -= 3;
	else if (n > 4 && strcmp(base + n - 4, ".zst") == 0)
		n -= 4;
	dot = memrchr(base, '.', n);
	if (dot != NULL && dot > base)
		n = (size_t)(dot - base);
	buf_fmt(&b, "%s%s%.*s.%s", dir, d && dir[d - 1] == '/' ? "" : "/", (int)n, base, ending);
	return b.p;
}

int out_places(const char *dir, const char *const *files, size_t n, const char *ending, char ***paths, struct err *e)
{
	int rc = n ? 0 : err_set(e, SFT_USAGE, "-o %s is a folder, but no FILE is named", dir);

	*paths = mem_new((n + 1) * sizeof **paths);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		(*paths)[i] = place_of(dir, files[i], ending);
		for (size_t j = 0; rc == 0 && j < i; j++)
			if (strcmp((*paths)[i], (*paths)[j]) == 0)
				rc = err_set(e, SFT_USAGE, "%s and %s would both be written to %s", files[j], files[i], (*paths)[i]);
	}
	if (rc == 0)
		rc = out_mkdirs(dir, e);
	if (rc != 0) {
		out_places_free(*paths, n);
		*paths = NULL;
	}
	return rc;
}

void out_places_free(char **paths, size_t n)
{
	for (size_t i = 0; paths && i < n; i++)
		mem_free(paths[i]);
	mem_free(paths);
}

int out_mkdirs(const char *dir, struct err *e)
{
	char *p = mem_str(dir);
	int rc = 0;

	for (char *s = p + 1; rc == 0; s++) {
		char c = *s;

		if (c != '/' && c != '\0')
			continue;
		*s = '\0';
		if (mkdir(p, 0777) != 0 && errno != EEXIST)
			rc = err_sys(e, p);
		*s = c;
		if (c == '\0')
			break;
	}
	mem_free(p);
	return rc;
}

int out_syncdir(const char *dir, struct err *e)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = 0;

	if (fd < 0)
		return err_sys(e, dir);
	if (fsync(fd) != 0 && errno != EINVAL)      /* some file systems cannot: nothing to be had */
		rc = err_sys(e, dir);
	close(fd);
	return rc;
}

bool out_same(const char *a, const char *b)
{
	struct stat x, y;

	return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}
