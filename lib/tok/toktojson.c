/* SPDX-License-Identifier: Apache-2.0 */
/* A vocabulary that came from a GGUF file as the files of a Hugging Face folder. */
#include "tokout.h"

#include <string.h>

#include "json.h"
#include "outfile.h"
#include "spmproto.h"
#include "tokimpl.h"

static const char MARK[] = "\xE2\x96\x81";

static void member(struct jw *w, const char *key, const char *value)
{
	jw_key(w, key);
	jw_str(w, value);
}

static void flag(struct jw *w, const char *key, bool value)
{
	jw_key(w, key);
	jw_bool(w, value);
}

static void none(struct jw *w, const char *key)
{
	jw_key(w, key);
	jw_null(w);
}

static void begin(struct jw *w, const char *key, const char *type)
{
	if (key)
		jw_key(w, key);
	jw_obj(w);
	member(w, "type", type);
}

/* --- tokenizer.json --- */

static void added(struct jw *w, const struct tok *t)
{
	jw_key(w, "added_tokens");
	jw_arr(w);
	for (size_t i = 0; i < t->nadded; i++) {
		const struct added *a = &t->added[i];

		jw_obj(w);
		jw_key(w, "id");
		jw_uint(w, a->id);
		jw_key(w, "content");
		jw_strn(w, a->text, a->n);
		flag(w, "single_word", a->single_word);
		flag(w, "lstrip", a->lstrip);
		flag(w, "rstrip", a->rstrip);
		flag(w, "normalized", a->normalized);
		flag(w, "special", a->special);
		jw_obj_end(w);
	}
	jw_arr_end(w);
}

static void digits(struct jw *w)
{
	begin(w, NULL, "Digits");
	flag(w, "individual_digits", true);
	jw_obj_end(w);
}

static void split(struct jw *w, const struct pre *p)
{
	if (p->digits || p->is)
		digits(w);
	if (p->is)
		return;
	begin(w, NULL, "Split");
	jw_key(w, "pattern");
	jw_obj(w);
	member(w, "Regex", p->regex);
	jw_obj_end(w);
	member(w, "behavior", "Isolated");
	flag(w, "invert", false);
	jw_obj_end(w);
}

static void byte_level(struct jw *w, const char *key)
{
	begin(w, key, "ByteLevel");
	flag(w, "add_prefix_space", false);
	flag(w, "trim_offsets", false);
	flag(w, "use_regex", false);
	jw_obj_end(w);
}

static void replace(struct jw *w, const char *text, const char *with)
{
	begin(w, NULL, "Replace");
	jw_key(w, "pattern");
	jw_obj(w);
	member(w, "String", text);
	jw_obj_end(w);
	member(w, "content", with);
	jw_obj_end(w);
}

/* As tokgguf.c sets them: NFC, or those of `llama`. */
static void normalizer(struct jw *w, const struct tok *t)
{
	if (!t->nnorm) {
		none(w, "normalizer");
	} else if (tok_normalizes(t)) {
		begin(w, "normalizer", "NFC");
		jw_obj_end(w);
	} else {
		begin(w, "normalizer", "Sequence");
		jw_key(w, "normalizers");
		jw_arr(w);
		if (t->nnorm == 2) {
			begin(w, NULL, "Prepend");
			member(w, "prepend", MARK);
			jw_obj_end(w);
		}
		replace(w, " ", MARK);
		jw_arr_end(w);
		jw_obj_end(w);
	}
}

static void decoder(struct jw *w, const struct tok *t)
{
	if (!t->byte_fallback) {
		byte_level(w, "decoder");
		return;
	}
	begin(w, "decoder", "Sequence");
	jw_key(w, "decoders");
	jw_arr(w);
	replace(w, MARK, " ");
	begin(w, NULL, "ByteFallback");
	jw_obj_end(w);
	begin(w, NULL, "Fuse");
	jw_obj_end(w);
	if (t->nnorm == 2) {
		begin(w, NULL, "Strip");
		member(w, "content", " ");
		jw_key(w, "start");
		jw_int(w, 1);
		jw_key(w, "stop");
		jw_int(w, 0);
		jw_obj_end(w);
	}
	jw_arr_end(w);
	jw_obj_end(w);
}

/* The steps that gguf_pre() makes. */
static void pre_tokenizer(struct jw *w, const struct tok *t)
{
	if (!t->npre) {
		none(w, "pre_tokenizer");
		return;
	}
	begin(w, "pre_tokenizer", "Sequence");
	jw_key(w, "pretokenizers");
	jw_arr(w);
	for (size_t i = 0; i < t->npre; i++)
		if (t->pre[i].kind == PRE_SPLIT)
			split(w, &t->pre[i]);
		else
			byte_level(w, NULL);
	jw_arr_end(w);
	jw_obj_end(w);
}

/* What is put around one text, and around the SECOND of two. */
static void template_parts(struct jw *w, const struct tok *t, bool second)
{
	for (size_t i = 0; i < t->nparts; i++) {
		const struct part *p = &t->part[i];

		jw_obj(w);
		jw_key(w, p->text ? "Sequence" : "SpecialToken");
		jw_obj(w);
		member(w, "id", p->text ? second ? "B" : "A" : t->all.text[p->id]);
		jw_key(w, "type_id");
		jw_int(w, second);
		jw_obj_end(w);
		jw_obj_end(w);
	}
}

static void post_processor(struct jw *w, const struct tok *t)
{
	if (t->nparts < 2) {
		if (t->byte_fallback)
			none(w, "post_processor");
		else
			byte_level(w, "post_processor");
		return;
	}
	begin(w, "post_processor", "TemplateProcessing");
	jw_key(w, "single");
	jw_arr(w);
	template_parts(w, t, false);
	jw_arr_end(w);
	jw_key(w, "pair");
	jw_arr(w);
	template_parts(w, t, false);
	template_parts(w, t, true);
	jw_arr_end(w);
	jw_key(w, "special_tokens");
	jw_obj(w);
	for (size_t i = 0; i < t->nparts; i++) {
		const struct part *p = &t->part[i];

		if (p->text || (i && t->part[0].id == p->id && !t->part[0].text))
			continue;
		jw_key(w, t->all.text[p->id]);
		jw_obj(w);
		member(w, "id", t->all.text[p->id]);
		jw_key(w, "ids");
		jw_arr(w);
		jw_uint(w, p->id);
		jw_arr_end(w);
		jw_key(w, "tokens");
		jw_arr(w);
		jw_str(w, t->all.text[p->id]);
		jw_arr_end(w);
		jw_obj_end(w);
	}
	jw_obj_end(w);
	jw_obj_end(w);
}

static void model(struct jw *w, const struct tok *t)
{
	const struct vocab *v = &t->vocab;

	begin(w, "model", "BPE");
	none(w, "dropout");
	if (t->byte_fallback && t->unk >= 0)
		member(w, "unk_token", v->text[t->unk]);
	else
		none(w, "unk_token");
	none(w, "continuing_subword_prefix");
	none(w, "end_of_word_suffix");
	flag(w, "fuse_unk", t->fuse_unk);
	flag(w, "byte_fallback", t->byte_fallback);
	flag(w, "ignore_merges", t->ignore_merges);
	jw_key(w, "vocab");
	jw_obj(w);
	for (uint32_t id = 0; id < v->n; id++)
		if (v->text[id]) {
			jw_keyn(w, v->text[id], v->len[id]);
			jw_uint(w, id);
		}
	jw_obj_end(w);
	jw_key(w, "merges");
	jw_arr(w);
	for (size_t i = 0; i < t->nmerges; i++) {
		const struct bpe_merge *m = &t->merge_list[i];

		jw_arr(w);
		jw_strn(w, v->text[m->left], v->len[m->left]);
		jw_strn(w, v->text[m->right], v->len[m->right]);
		jw_arr_end(w);
	}
	jw_arr_end(w);
	jw_obj_end(w);
}

static void tokenizer_json(struct buf *b, const struct tok *t)
{
	struct jw w;

	jw_init(&w, b);
	jw_obj(&w);
	member(&w, "version", "1.0");
	none(&w, "truncation");
	none(&w, "padding");
	added(&w, t);
	normalizer(&w, t);
	pre_tokenizer(&w, t);
	post_processor(&w, t);
	decoder(&w, t);
	model(&w, t);
	jw_obj_end(&w);
	buf_ch(b, '\n');
}

/* --- tokenizer.model of `llama` vocabularies --- */

static int tokenizer_model(struct buf *b, const struct tok *t, struct err *e)
{
	int32_t pad = t->pad_text ? (int32_t)vocab_id(&t->all, t->pad_text, strlen(t->pad_text)) : -1;

	if (t->unk < 0)
		return err_set(e, SFT_BADDATA, "its vocabulary has no unknown token (a SentencePiece model must have one)");
	for (uint32_t id = 0; id < t->vocab.n; id++) {
		int kind = t->vocab.text[id] ? tok_type(t, id) : TYPE_UNUSED;

		if (kind == TYPE_USER)
			return err_set(e, SFT_BADDATA, "its token '%.60s' is of the user's own (tokenizer.model would put blanks beside it in another way)", t->vocab.text[id]);
		if (t->vocab.text[id] == NULL)
			return err_set(e, SFT_BADDATA, "its vocabulary has no token %u (a SentencePiece model has all)", id);
		spm_put(b, t->vocab.text[id], t->vocab.len[id], (float)t->score[id], kind);
	}
	spm_put_end(b, t->nnorm == 2, (int32_t)t->unk, t->bos, t->eos, pad);
	return 0;
}

/* --- tokenizer_config.json --- */

static void token(struct jw *w, const char *key, const char *text)
{
	if (text)
		member(w, key, text);
}

static void tokenizer_config(struct buf *b, const struct tok *t)
{
	bool llama = t->byte_fallback && t->by_score;
	struct jw w;

	jw_init(&w, b);
	jw_obj(&w);
	member(&w, "tokenizer_class", llama ? "LlamaTokenizer" : "PreTrainedTokenizerFast");
	token(&w, "bos_token", t->bos_text);
	token(&w, "eos_token", t->eos_text);
	token(&w, "pad_token", t->pad_text);
	if (llama && t->unk >= 0)
		token(&w, "unk_token", t->all.text[t->unk]);
	flag(&w, "add_bos_token", t->nparts && !t->part[0].text);
	flag(&w, "add_eos_token", t->nparts && !t->part[t->nparts - 1].text);
	flag(&w, "clean_up_tokenization_spaces", false);
	if (llama)
		flag(&w, "legacy", true);
	if (t->context) {
		jw_key(&w, "model_max_length");
		jw_uint(&w, t->context);
	}
	if (t->chat_template)
		member(&w, "chat_template", t->chat_template);
	jw_obj_end(&w);
	buf_ch(b, '\n');
}

static int write_file(const char *dir, const char *name, const struct buf *text, struct err *e)
{
	struct buf path = {0};
	int rc;

	buf_fmt(&path, "%s/%s", dir, name);
	rc = out_whole(path.p, text->p, text->n, true, e);
	buf_free(&path);
	return rc;
}

int tok_to_folder(const struct tok *t, const char *dir, struct err *e)
{
	struct buf b = {0};
	bool scores = t->byte_fallback && t->by_score;       /* else the merges came from a tokenizer.json, and go into one */
	int rc = 0;

	if (t->kind != MODEL_BPE)
		return err_set(e, SFT_BADDATA, "the tokenizer is none of a GGUF file");
	if (scores)
		rc = tokenizer_model(&b, t, e);
	else
		tokenizer_json(&b, t);
	if (rc == 0)
		rc = write_file(dir, scores ? "tokenizer.model" : "tokenizer.json", &b, e);
	b.n = 0;
	tokenizer_config(&b, t);
	if (rc == 0)
		rc = write_file(dir, "tokenizer_config.json", &b, e);
	buf_free(&b);
	return rc;
}
