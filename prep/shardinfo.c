/* SPDX-License-Identifier: Apache-2.0 */
#include "shardinfo.h"

#include <stdio.h>
#include <string.h>

/* Does argument A of the command line leave the shard as it is?  *VALUE: so does the next one, which is its value. */
static bool no_byte(const char *a, bool *value)
{
	static const char *const flags[] = { "--if-changed", "--progress", "--no-progress", "--quiet", "--verbose", "-q", "-v" };

	*value = strcmp(a, "--jobs") == 0 || strcmp(a, "--output") == 0 || strcmp(a, "-j") == 0 || strcmp(a, "-o") == 0;
	for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
		if (strcmp(a, flags[i]) == 0)
			return true;
	return *value || strncmp(a, "-j", 2) == 0 || strncmp(a, "-o", 2) == 0 || strncmp(a, "--jobs=", 7) == 0 ||
	       strncmp(a, "--output=", 9) == 0;
}

void shardinfo_begin(struct jw *w, const struct tool *t, const char *command)
{
	jw_obj(w);
	jw_key(w, "schema");
	jw_str(w, "sft.shard-info/1");
	jw_key(w, "tool");
	jw_str(w, t->name);
	jw_key(w, "version");
	jw_str(w, SFT_VERSION);
	jw_key(w, "command");
	jw_arr(w);
	jw_str(w, t->name);
	if (command)
		jw_str(w, command);
	for (int i = 1; i < t->argc; i++) {
		bool value;

		if (no_byte(t->argv[i], &value))
			i += value;
		else
			jw_str(w, t->argv[i]);
	}
	jw_arr_end(w);
}

void shardinfo_hash(struct jw *w, const char *key, uint64_t hash)
{
	char text[20];

	snprintf(text, sizeof text, "%016llx", (unsigned long long)hash);
	jw_key(w, key);
	jw_str(w, text);
}

void shardinfo_copy(struct jw *w, const struct shard *s)
{
	struct json_parser *p = json_parser_new();
	const char *text = shard_info_json(s);
	const struct json *v;
	struct arena a;

	arena_init(&a);
	if (json_parse(p, &a, text, strlen(text), &v, NULL) == 0)
		jw_value(w, v);
	else
		jw_null(w);
	arena_release(&a);
	json_parser_free(p);
}
