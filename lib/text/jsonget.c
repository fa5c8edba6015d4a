/* SPDX-License-Identifier: Apache-2.0 */
/* Looking into a parsed JSON tree. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "json.h"

const struct json *json_get(const struct json *v, const char *key)
{
	size_t n = strlen(key);

	if (v == NULL || v->type != JSON_OBJ)
		return NULL;
	for (size_t i = 0; i < v->n; i++)
		if (v->member[i].nkey == n && memcmp(v->member[i].key, key, n) == 0)
			return &v->member[i].value;
	return NULL;
}

bool json_is(const struct json *v, const char *text)
{
	return v && v->type == JSON_STR && v->n == strlen(text) && memcmp(v->s, text, v->n) == 0;
}

bool json_int(const struct json *v, int64_t *out)
{
	char *end;
	double d;
	long long i;

	if (v == NULL || v->type != JSON_NUM)
		return false;
	if (v->n <= 18) {                       /* plain digits, which cannot overflow */
		int64_t n = 0;
		size_t k = 0;

		for (; k < v->n && v->s[k] >= '0' && v->s[k] <= '9'; k++)
			n = n * 10 + (v->s[k] - '0');
		if (k == v->n && k > 0) {
			*out = n;
			return true;
		}
	}
	errno = 0;
	i = strtoll(v->s, &end, 10);
	if (*end == '\0') {
		*out = i;
		return errno == 0;
	}
	d = json_double(v);                     /* 1e3, 5.0: whole, and exact below 2^53 */
	if (!(d >= -0x1p53 && d <= 0x1p53) || d != (double)(int64_t)d)
		return false;
	*out = (int64_t)d;
	return true;
}

/* Member KEY if there is one that is not null. */
static const struct json *given(const struct json *obj, const char *key)
{
	const struct json *v = json_get(obj, key);

	return v && v->type == JSON_NULL ? NULL : v;
}

int json_get_int(const struct json *obj, const char *key, int64_t min, int64_t max, int64_t *out, struct err *e)
{
	const struct json *v = given(obj, key);
	int64_t i;

	if (v == NULL)
		return 0;
	if (!json_int(v, &i))
		return err_set(e, SFT_BADDATA, "'%s' is %.*s (expected a whole number)", key, (int)(v->nraw < 60 ? v->nraw : 60), v->raw);
	if (i < min || i > max)
		return err_set(e, SFT_BADDATA, "'%s' is %lld (expected %lld to %lld)", key, (long long)i, (long long)min, (long long)max);
	*out = i;
	return 0;
}

int json_get_double(const struct json *obj, const char *key, double *out, struct err *e)
{
	const struct json *v = given(obj, key);

	if (v == NULL)
		return 0;
	if (v->type != JSON_NUM)
		return err_set(e, SFT_BADDATA, "'%s' is %.*s (expected a number)", key, (int)(v->nraw < 60 ? v->nraw : 60), v->raw);
	*out = json_double(v);
	return 0;
}

int json_get_bool(const struct json *obj, const char *key, bool *out, struct err *e)
{
	const struct json *v = given(obj, key);

	if (v == NULL)
		return 0;
	if (v->type != JSON_BOOL)
		return err_set(e, SFT_BADDATA, "'%s' is %.*s (expected true or false)", key, (int)(v->nraw < 60 ? v->nraw : 60), v->raw);
	*out = v->b;
	return 0;
}

int json_get_str(const struct json *obj, const char *key, const char **out, struct err *e)
{
	const struct json *v = given(obj, key);

	if (v == NULL)
		return 0;
	if (v->type != JSON_STR || memchr(v->s, '\0', v->n))
		return err_set(e, SFT_BADDATA, "'%s' is %.*s (expected a string)", key, (int)(v->nraw < 60 ? v->nraw : 60), v->raw);
	*out = v->s;
	return 0;
}

/* --- files --- */

static int read_whole(struct arena *a, const char *path, const char **text, size_t *n, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	struct buf b = {0};
	ssize_t r = 0;

	if (fd < 0 || fstat(fd, &st) != 0) {
		err_sys(e, path);
		if (fd >= 0)
			close(fd);
		return SFT_SYSTEM;
	}
	buf_room(&b, S_ISREG(st.st_mode) ? (size_t)st.st_size + 1 : 1 << 16);
	while ((r = read(fd, buf_room(&b, 1 << 16), 1 << 16)) > 0 || (r < 0 && errno == EINTR))
		b.n += r > 0 ? (size_t)r : 0;
	if (r < 0)
		err_sys(e, path);
	else
		*text = arena_str(a, b.p, b.n);
	*n = b.n;
	close(fd);
	buf_free(&b);
	return r < 0 ? SFT_SYSTEM : 0;
}

int json_file(struct arena *a, const char *path, const struct json **out, struct err *e)
{
	const char *text;
	size_t n;
	struct json_parser *p;
	int rc;

	*out = NULL;
	if ((rc = read_whole(a, path, &text, &n, e)) != 0)
		return rc;
	p = json_parser_new();
	if ((rc = json_parse(p, a, text, n, out, e)) != 0)
		err_in(e, "%s", path);
	json_parser_free(p);
	return rc;
}
