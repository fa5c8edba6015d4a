/* SPDX-License-Identifier: Apache-2.0 */
#include "runjoin.h"

#include <math.h>
#include <string.h>

#include "json.h"

int run_join_open(struct run_join *j, const char *path, struct err *e)
{
	memset(j, 0, sizeof *j);
	run_log_init(&j->log);
	return path ? out_open(&j->out, path, e) : 0;
}

void run_join_stage(struct run_join *j, const char *name)
{
	j->base = (struct run_base){ .stage = name, .steps = isnan(j->log.last_step) ? 0 : j->log.last_step, .seconds = j->log.seconds };
}

/* The line as it was, but for its stage, its step and its seconds. */
static int put_line(struct run_join *j, const struct rec *r, struct err *e)
{
	struct jw w;

	j->line.n = 0;
	jw_init(&w, &j->line);
	jw_obj(&w);
	jw_key(&w, "stage");
	jw_str(&w, j->base.stage);
	for (uint32_t k = 0; k < r->names->n; k++) {
		const char *name = r->names->name[k];
		bool step = strcmp(name, "step") == 0 || strcmp(name, "resumed") == 0;

		jw_keyn(&w, name, r->names->len[k]);
		if (step)
			jw_uint(&w, (uint64_t)(run_log_number(r, name) + j->base.steps));
		else if (strcmp(name, "seconds") == 0)
			jw_double(&w, round((run_log_number(r, name) + j->base.seconds) * 1000) / 1000);
		else if (r->f[k].type == FIELD_JSON)
			jw_raw(&w, r->f[k].p, r->f[k].n);
		else
			jw_strn(&w, r->f[k].p, r->f[k].n);
	}
	jw_obj_end(&w);
	buf_ch(&j->line, '\n');
	return out_write(j->out, j->line.p, j->line.n, e);
}

int run_join_add(struct run_join *j, const struct rec *r, struct err *e)
{
	int rc = run_log_add(&j->log, r, &j->base, e);

	return rc == 0 && j->out ? put_line(j, r, e) : rc;
}

int run_join_close(struct run_join *j, struct err *e)
{
	struct outfile *out = j->out;

	j->out = NULL;
	buf_free(&j->line);
	return out ? out_close(out, false, e) : 0;
}

void run_join_abandon(struct run_join *j)
{
	out_abandon(j->out);
	j->out = NULL;
	buf_free(&j->line);
}
