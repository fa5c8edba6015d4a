/* SPDX-License-Identifier: Apache-2.0 */
/* Which JSON library: ours over simdjson, jansson and json-c (where they are installed) on the same texts: one large document
 * (a tokenizer.json, or a made one) and a stream of chat records.  CPU seconds, best of three; each builds its whole tree.
 * usage: bench-json [DOCUMENT.json] */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "err.h"
#include "json.h"
#include "mem.h"

static double cpu(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static struct json_parser *parser;
static struct arena arena;

static int ours(const char *text, size_t n)
{
	const struct json *j;
	struct err e;

	arena_reset(&arena);
	return json_parse(parser, &arena, text, n, &j, &e);
}

/* The two libraries share names, so each is opened by itself, with its few functions looked up. */
static void *(*j_loadb)(const char *, size_t, size_t, void *);
static void (*j_delete)(void *);
static void *(*c_new)(void);
static void (*c_free)(void *);
static void *(*c_parse)(void *, const char *, int);
static int (*c_put)(void *);

static int jansson(const char *text, size_t n)
{
	void *j = j_loadb(text, n, 4 /* JSON_DECODE_ANY */, NULL);

	if (j == NULL)
		return -1;
	j_delete(j);
	return 0;
}

static int jsonc(const char *text, size_t n)
{
	void *t = c_new(), *o = c_parse(t, text, (int)n);

	c_free(t);
	if (o == NULL)
		return -1;
	c_put(o);
	return 0;
}

static int open_jansson(void)
{
	void *h = dlopen("libjansson.so.4", RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);

	return h && (*(void **)&j_loadb = dlsym(h, "json_loadb")) && (*(void **)&j_delete = dlsym(h, "json_delete"));
}

static int open_jsonc(void)
{
	void *h = dlopen("libjson-c.so.5", RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);

	return h && (*(void **)&c_new = dlsym(h, "json_tokener_new")) && (*(void **)&c_free = dlsym(h, "json_tokener_free")) &&
	       (*(void **)&c_parse = dlsym(h, "json_tokener_parse_ex")) && (*(void **)&c_put = dlsym(h, "json_object_put"));
}

static int open_ours(void)
{
	return (parser = json_parser_new()) != NULL;
}

static const struct {
	const char *name;
	int (*open)(void);
	int (*parse)(const char *, size_t);
} libs[] = {
	{ "simdjson (json.h)", open_ours, ours },
	{ "jansson", open_jansson, jansson },
	{ "json-c", open_jsonc, jsonc },
};

/* All documents of TEXT, one a line (LINES) or the whole; MB per CPU second. */
static double rate(int (*parse)(const char *, size_t), const struct buf *text, int lines)
{
	double best = 1e9;

	for (int k = 0; k < 3; k++) {
		double t = cpu();
		const char *p = text->p, *end = text->p + text->n;

		while (p < end) {
			const char *nl = lines ? memchr(p, '\n', (size_t)(end - p)) : NULL;
			size_t n = (size_t)((nl ? nl : end) - p);
			if (parse(p, n) != 0)
				return -1;
			p += n + (nl != NULL);
		}
		t = cpu() - t;
		if (t < best)
			best = t;
	}
	return (double)text->n / 1e6 / best;
}

static void made_document(struct buf *b)
{
	buf_str(b, "{\"model\":{\"type\":\"BPE\",\"vocab\":{");
	for (int i = 0; i < 150000; i++)
		buf_fmt(b, "%s\"\\u0120w%dx\":%d", i ? "," : "", i * 7919 % 1000003, i);
	buf_str(b, "},\"merges\":[");
	for (int i = 0; i < 150000; i++)
		buf_fmt(b, "%s[\"w%d\",\"x%d\"]", i ? "," : "", i, i * 31 % 1009);
	buf_str(b, "]}}");
}

static void made_stream(struct buf *b)
{
	for (int i = 0; i < 200000; i++)
		buf_fmt(b, "{\"id\":%d,\"messages\":[{\"role\":\"user\",\"content\":\"my card %d has not arrived, what \\\"now\\\"?\\n\"},"
		           "{\"role\":\"assistant\",\"content\":\"It is on its way since day %d.\"}],\"weight\":1.5}\n", i, i % 9973, i % 31);
}

int main(int argc, char **argv)
{
	struct buf doc = {0}, stream = {0};
	FILE *f = argc > 1 ? fopen(argv[1], "rb") : NULL;

	if (f) {
		for (size_t n; (n = fread(buf_room(&doc, 1 << 20), 1, 1 << 20, f)) > 0; )
			doc.n += n;
		fclose(f);
	} else {
		made_document(&doc);
	}
	made_stream(&stream);
	printf("%-20s %10s %10s   MB per CPU second, whole tree built\n", "JSON", "document", "stream");
	for (size_t i = 0; i < sizeof libs / sizeof *libs; i++)
		if (!libs[i].open())
			printf("%-20s not installed\n", libs[i].name);
		else
			printf("%-20s %10.0f %10.0f\n", libs[i].name, rate(libs[i].parse, &doc, 0), rate(libs[i].parse, &stream, 1));
	buf_free(&doc);
	buf_free(&stream);
	return 0;
}
