/* SPDX-License-Identifier: Apache-2.0 */
/* Prefix tuning: keys and values of virtual tokens that every token sees, trained in place of weights.  Layout as PEFT has it (tests/data/models/README.md,
 * "Prefix tuning"): used as stored, without projection or rotation; real tokens take the positions behind them. */
#include <stdio.h>
#include <string.h>

#include "adapter.h"
#include "mem.h"

static uint32_t token_dim(const struct model_config *c)
{
	return c->kv_heads * c->head_dim;
}

int prefix_new(struct lora **out, const struct model_config *c, uint32_t n, struct err *e)
{
	struct lora *l;

	*out = NULL;
	if (c->kv_rank)
		return err_set(e, SFT_USAGE, "prefix tuning of latent attention is not supported (expected a model with ordinary keys and values, or LoRA)");
	l = mem_new(sizeof *l);
	l->prefix = n;
	l->layers = c->layers;
	l->kv_heads = c->kv_heads;
	l->row = mem_new(sizeof *l->row);
	l->nrows = 1;
	l->row[0] = (struct lora_row){ .name = "prompt_embeddings", .rows = n, .cols = 2 * c->layers * token_dim(c), .part = LORA_PREFIX };
	l->count = (size_t)l->row[0].rows * l->row[0].cols;
	*out = l;
	return 0;
}

int prefix_read_config(uint32_t *n, const struct model_config *c, const struct json *j, struct err *e)
{
	int64_t tokens = 0, dim = token_dim(c), layers = c->layers;
	int rc;

	if ((rc = json_get_int(j, "num_virtual_tokens", 1, 65536, &tokens, e)) != 0 || (rc = json_get_int(j, "token_dim", 1, 1 << 24, &dim, e)) != 0 ||
	    (rc = json_get_int(j, "num_layers", 1, 1 << 16, &layers, e)) != 0)
		return rc;
	if (tokens == 0)
		return err_set(e, SFT_BADDATA, "'num_virtual_tokens' is missing (expected 1 or more)");
	if (dim != token_dim(c) || layers != c->layers)
		return err_set(e, SFT_BADDATA, "is for %lld layers of %lld values (expected %u layers of %u)", (long long)layers, (long long)dim, c->layers, token_dim(c));
	*n = (uint32_t)tokens;
	return 0;
}

void prefix_put_config(struct buf *b, const struct lora *l)
{
	uint32_t dim = l->row[0].cols / (2 * l->layers);
	struct jw w;

	jw_init(&w, b);
	jw_obj(&w);
	jw_key(&w, "base_model_name_or_path");
	if (l->base_name[0])
		jw_str(&w, l->base_name);
	else
		jw_null(&w);
	jw_key(&w, "encoder_hidden_size"),        jw_uint(&w, dim);
	jw_key(&w, "inference_mode"),             jw_bool(&w, true);
	jw_key(&w, "num_attention_heads"),        jw_uint(&w, l->kv_heads);
	jw_key(&w, "num_layers"),                 jw_uint(&w, l->layers);
	jw_key(&w, "num_transformer_submodules"), jw_uint(&w, 1);
	jw_key(&w, "num_virtual_tokens"),         jw_uint(&w, l->prefix);
	jw_key(&w, "peft_type"),                  jw_str(&w, "PREFIX_TUNING");
	jw_key(&w, "prefix_projection"),          jw_bool(&w, false);
	jw_key(&w, "revision"),                   jw_null(&w);
	jw_key(&w, "task_type"),                  jw_str(&w, "CAUSAL_LM");
	jw_key(&w, "token_dim"),                  jw_uint(&w, dim);
	jw_obj_end(&w);
	buf_ch(b, '\n');
}
