/* SPDX-License-Identifier: Apache-2.0 */
#include "loaded.h"

#include <string.h>

#include "mem.h"

const struct opt *loaded_options(struct loaded_opts *o, const char *model, bool adapter, struct opt table[6])
{
	const struct opt all[] = {
		OPT_HEAD("Model"),
		OPT_STR('m', "model", &o->model, "MODEL", "Hugging Face folder or GGUF file [$SFT_MODEL]"),
		OPT_CHOICE(0, "dtype", &o->dtype, "auto|f32|bf16", "type of activations and products [auto: bf16 where it is faster]"),
		OPT_STR(0, "device", &o->device, "NAME", "auto, cpu, cuda or cuda:N [auto]"),
		OPT_STR('a', "adapter", &o->adapter, "DIR", "PEFT folder with an adapter of the model"),
	};
	size_t n = adapter ? 5 : 4;

	o->model = model;
	o->device = "auto";
	memcpy(table, all, n * sizeof *all);
	table[n] = (struct opt)OPT_END;
	return table;
}

int loaded_base(struct loaded *l, const struct loaded_opts *o, int threads, struct err *e)
{
	int rc;

	memset(l, 0, sizeof *l);
	if (o->model == NULL || *o->model == 0)
		return err_set(e, SFT_USAGE, "no model (expected -m MODEL or $SFT_MODEL)");
	l->pool = pool_open(threads);
	rc = kern_open(&l->k, o->device, l->pool, e);
	if (rc == 0)
		rc = weights_open(&l->w, o->model, e);
	if (rc != 0) {
		loaded_close(l);
		return rc;
	}
	l->act = o->dtype == 2 || (o->dtype == 0 && kern_fast_bf16(l->k)) ? DT_BF16 : DT_F32;
	return 0;
}

int loaded_adapter(struct loaded *l, const char *dir, struct err *e)
{
	lora_free(l->lora);
	mem_free(l->values);
	l->lora = NULL;
	l->values = NULL;
	return lora_load(&l->lora, &l->values, &l->w->cfg, dir, e);
}

int loaded_model(struct loaded *l, const struct model_opts *o, struct err *e)
{
	struct model_opts with = *o;

	with.act = l->act;
	return model_open(&l->m, l->k, l->w, l->lora, l->values, &with, e);
}

int loaded_open(struct loaded *l, const struct loaded_opts *o, int threads, struct err *e)
{
	int rc = loaded_base(l, o, threads, e);

	if (rc == 0 && o->adapter)
		rc = loaded_adapter(l, o->adapter, e);
	if (rc == 0)
		rc = loaded_model(l, &(struct model_opts){ .train = 0 }, e);
	if (rc != 0)
		loaded_close(l);
	return rc;
}

void loaded_close(struct loaded *l)
{
	model_close(l->m);
	if (l->lora)
		lora_free(l->lora);
	mem_free(l->values);
	if (l->w)
		weights_close(l->w);
	if (l->k)
		kern_close(l->k);
	pool_close(l->pool);
	memset(l, 0, sizeof *l);
}
