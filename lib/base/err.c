/* SPDX-License-Identifier: Apache-2.0 */
#include "err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Copy SRC to e->msg with control characters made visible: data may stand in it. */
static void put(struct err *e, const char *src)
{
	size_t n = 0;

	for (const unsigned char *s = (const unsigned char *)src; *s; s++) {
		int wide = *s < 0x20 || *s == 0x7f;
		if (n + (wide ? 4 : 1) >= sizeof e->msg - 4) {
			memcpy(e->msg + n, "...", 3);
			n += 3;
			break;
		}
		if (wide)
			n += (size_t)sprintf(e->msg + n, "\\x%02x", *s);
		else
			e->msg[n++] = (char)*s;
	}
	e->msg[n] = '\0';
}

int err_set(struct err *e, int code, const char *fmt, ...)
{
	char tmp[sizeof e->msg * 2];
	va_list ap;

	if (e == NULL)
		return code;
	va_start(ap, fmt);
	vsnprintf(tmp, sizeof tmp, fmt, ap);
	va_end(ap);
	put(e, tmp);
	e->code = code;
	return code;
}

int err_in(struct err *e, const char *fmt, ...)
{
	char tmp[sizeof e->msg * 2];
	va_list ap;
	size_t n;

	if (e == NULL)
		return SFT_SYSTEM;
	va_start(ap, fmt);
	vsnprintf(tmp, sizeof e->msg, fmt, ap);
	va_end(ap);
	n = strlen(tmp);
	snprintf(tmp + n, sizeof tmp - n, ": %s", e->msg);
	put(e, tmp);
	return e->code;
}

int err_sys(struct err *e, const char *what)
{
	int saved = errno;

	return err_set(e, SFT_SYSTEM, "%s: %s", what, strerror(saved));
}
