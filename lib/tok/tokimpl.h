/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_TOKIMPL_H
#define SFT_TOKIMPL_H
/* What a tokenizer is inside: lib/tok only.
 *
 *   text -> added tokens cut out (added.c) -> each stretch normalised (normal.c) -> cut into words (pretok.c)
 *        -> ids of each word (wordmodel.c, bpemodel.c: BPE, WordPiece, Unigram, WordLevel) -> ids of the post-processor around them (tok.c)
 *
 * A stretch of text carries where each of its bytes comes from, if offsets are asked for. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "bpe.h"
#include "err.h"
#include "mem.h"
#include "pattern.h"
#include "tok.h"
#include "wordcache.h"

/* --- vocabulary: model tokens and added ones --- */
struct vocab_slot {
	uint32_t tag, id;           /* of the hash; id + 1, 0: free */
};
struct vocab {
	const char **text;          /* by id, with a NUL behind it; NULL: none */
	uint32_t *len;
	uint32_t n, cap;            /* largest id + 1 */
	uint32_t count;             /* different texts */
	struct vocab_slot *slot;    /* text -> id: at most 3/4 full */
	uint32_t mask;
	const struct vocab *base;   /* where texts are looked for that are not here; may be NULL */
	struct arena copies;
};
void vocab_put(struct vocab *v, const char *text, size_t n, uint32_t id);       /* TEXT is copied; the later id of a text counts */
void vocab_lend(struct vocab *v, const char *text, size_t n, uint32_t id);      /* TEXT lives longer than V */
void vocab_name(struct vocab *v, const char *text, size_t n, uint32_t id);      /* token ID is TEXT (lent), but TEXT does not lead to it */
void vocab_names(struct vocab *v, const struct vocab *of);     /* the same for all of OF */
void vocab_reserve(struct vocab *v, uint32_t n);        /* N texts will come */
/* A whole vocabulary at once, which is quicker: room for ids below IDS in an empty V (false: no memory), every token by its id and nothing else, then the way from text to id for all of them; false where two have the same text. */
bool vocab_room(struct vocab *v, uint32_t ids);
bool vocab_index(struct vocab *v);
int64_t vocab_id(const struct vocab *v, const char *text, size_t n);     /* -1: none */
/* Many at once, which is quicker: ID of each, -1 where V itself has none. */
struct vocab_query {
	const char *text;
	size_t n;
	uint64_t hash;
	int64_t id;
};
void vocab_find(const struct vocab *v, struct vocab_query *q, size_t n);
static inline bool vocab_is(const struct vocab *v, uint32_t id, const char *text, size_t n)
{
	return id < v->n && v->text[id] && v->len[id] == n && memcmp(v->text[id], text, n) == 0;
}
void vocab_free(struct vocab *v);

/* --- stretches of text --- */
struct piece {
	const char *p;
	size_t n;
	const uint32_t *from, *to;  /* by byte: which bytes of the text it stands for; NULL: it is the text's own bytes at ORIG */
	size_t orig;                /* where it begins in the text; 0 only at its beginning */
	int64_t id;                 /* an added token, or -1 */
};
struct pieces {
	struct piece *v;
	size_t n, cap;
};
void pieces_add(struct pieces *out, const struct piece *p, size_t start, size_t end);     /* [start, end) of P */

/* --- added tokens --- */
struct added {
	const char *text;
	size_t n;
	uint32_t id;
	bool single_word, lstrip, rstrip, normalized, special;
	const char *shown;          /* what it decodes to: its normal form where it is normalised */
	size_t nshown;
	bool template;              /* the chat template in use writes it: what a message says never matches it */
};
/* Leftmost-longest search for many texts: a trie. */
struct trie {
	uint64_t *edge;             /* node << 8 | byte; UINT64_MAX: free */
	uint32_t *target;
	uint32_t mask, nedges, nnodes;
	int32_t *value;             /* by node: what ends here, or -1 */
	uint32_t values_cap;
	uint8_t start[256];         /* bytes that begin something */
	uint64_t first[4];          /* the same where there are few of them: each 8 times over */
	unsigned nfirst;            /* more than 4: too many */
};
void trie_put(struct trie *t, const char *text, size_t n, int32_t value);  /* the first value of a text stays */
uint32_t trie_step(const struct trie *t, uint32_t node, uint8_t byte);     /* 0: no way on (the root is 0) */
const char *trie_seek(const struct trie *t, const char *p, const char *end);    /* the first byte from P on that begins something, or END */
void trie_free(struct trie *t);

/* --- normalisers --- */
enum norm_kind { NORM_NFC, NORM_NFD, NORM_NFKC, NORM_NFKD, NORM_PREPEND, NORM_REPLACE, NORM_STRIP, NORM_LOWER, NORM_STRIP_ACCENTS,
                 NORM_BERT, NORM_NMT, NORM_PRECOMPILED, NORM_BYTES };
struct charsmap;
struct norm {
	enum norm_kind kind;
	const char *text;           /* PREPEND; REPLACE: the pattern where it is a string */
	size_t ntext;
	const char *with;           /* REPLACE */
	size_t nwith;
	struct pattern *pattern;    /* REPLACE with a regular expression */
	struct charsmap *map;       /* PRECOMPILED */
	bool left, right;           /* STRIP */
	bool clean, chinese, accents, lower;   /* BERT */
};

/* --- pre-tokenizers --- */
enum behavior { SPLIT_REMOVED, SPLIT_ISOLATED, SPLIT_PREVIOUS, SPLIT_NEXT, SPLIT_CONTIGUOUS };
/* A scanner: end of the match that begins at P (not END), or NULL: no match begins here. */
typedef const char *scan_fn(const char *p, const char *end);
enum pre_kind { PRE_SPLIT, PRE_PREFIX, PRE_BYTES, PRE_METASPACE, PRE_SCRIPTS, PRE_FIXED };
struct pre {
	enum pre_kind kind;
	/* SPLIT: one of these finds the matches */
	scan_fn *scan;
	scan_fn *seek;              /* with SCAN: the first place where a match may begin; NULL: anywhere */
	bool (*is)(uint32_t c);     /* each character of a class by itself */
	const char *text;
	size_t ntext;
	struct pattern *pattern;
	const char *regex;          /* what SCAN or PATTERN was made of, as the file has it; NULL: of no regular expression */
	bool digits;                /* SCAN also cuts digits one by one, before REGEX */
	enum behavior behavior;
	bool invert;
	/* METASPACE */
	bool prefix;                /* the replacement is put before a stretch that does not begin with it */
	bool first_only;            /* only at the beginning of the text */
	bool split;                 /* cut at the replacement */
	uint32_t replacement;
	uint32_t length;            /* FIXED */
};

/* --- decoders --- */
enum dec_kind { DEC_BYTES, DEC_WORDPIECE, DEC_METASPACE, DEC_BPE, DEC_FALLBACK, DEC_FUSE, DEC_STRIP, DEC_REPLACE, DEC_CTC };
struct dec {
	enum dec_kind kind;
	const char *text;           /* prefix, suffix, pattern, pad token */
	size_t ntext;
	const char *with;           /* REPLACE: content; CTC: word delimiter */
	size_t nwith;
	struct pattern *pattern;
	uint32_t c;                 /* METASPACE: replacement; STRIP: content */
	size_t start, stop;         /* STRIP */
	bool cleanup, prefix;
};

/* --- post-processors --- */
struct part {                   /* of the template for one text */
	bool text;                  /* the text itself, or: */
	uint32_t id;
};

enum model_kind { MODEL_BPE, MODEL_WORDPIECE, MODEL_UNIGRAM, MODEL_WORDLEVEL, MODEL_SPM };

struct tok {
	struct arena arena;
	enum model_kind kind;
	struct vocab vocab;         /* of the model */
	struct vocab all;           /* with the added tokens */
	struct added *added;
	size_t nadded;
	struct trie raw, normal;    /* added tokens, searched before and after normalising; values: place in `added` */
	int32_t *added_at;          /* by id: place in `added`, or -1 */
	struct norm *norm;
	size_t nnorm;
	struct pre *pre;
	size_t npre;
	struct dec *dec;
	size_t ndec;
	bool no_decoder;            /* tokens are joined with blanks */
	struct part *part;          /* NULL: nothing is added */
	size_t nparts;
	bool trim, trim_prefix;     /* offsets leave blanks out (ByteLevel, Roberta) */

	/* MODEL_BPE */
	struct bpe_merges merges;
	struct bpe_merge *merge_list;   /* by rank, for the hash */
	size_t nmerges;
	int64_t unk;                /* id, or -1 (all models) */
	bool fuse_unk, byte_fallback, ignore_merges;
	bool by_score;              /* GGUF `llama`: the merges follow from scores */
	bool adds_bos;              /* GGUF: a BOS token unless the file says no */
	const char *sub_prefix, *word_suffix;   /* "" or the affixes of symbols inside and at the end of a word */
	size_t nsub_prefix, nword_suffix;
	uint32_t *char_id;          /* BMP -> id, UINT32_MAX none (no affixes); of bytes: characters that always become this token first */
	uint32_t *id_len;           /* by id: bytes of a word it stands for, 0 where that is not said */
	int64_t byte_id[256];       /* "<0x0A>" */
	bool bytes;                 /* words are raw bytes: byte level is the last step */
	int16_t raw_of[256];        /* the bytes that the characters from U+0080 on stand for, -1: none */
	uint32_t byte_sym[256];     /* the symbol of each byte; UINT32_MAX: there is none, and a text with such a byte goes the long way */
	bool byte_missing;          /* some byte has no symbol */
	struct vocab raw_bytes;     /* the bytes that tokens stand for, for ignore_merges */
	uint64_t *joint;            /* pairs of characters that stand side by side in some token: a filter; NULL: words are not cut */
	/* bytejoint.c: which parts of characters stand beside each other in tokens: bit 4 * LEFT + RIGHT, bytes, 0 whole; by last byte
	 * of the left one, first byte of the right one */
	uint16_t joint_left[256], joint_right[256];
	bool by_origin;             /* a pre-tokenizer asks whether a stretch comes from the beginning of the text */
	bool nested;                /* all steps before the bytes cut at what a scanner or class finds, and keep it */

	/* MODEL_WORDPIECE, MODEL_UNIGRAM */
	struct trie pieces, inner;  /* tokens; WordPiece: those that begin a word, those inside one without their prefix */
	size_t max_chars;
	double *score;              /* by id */
	double min_score;

	struct spm *spm;            /* MODEL_SPM */

	uint64_t source;
	int32_t bos, eos;
	const char *bos_text, *eos_text, *pad_text, *chat_template;
	uint64_t context;
	uint32_t *stops;
	size_t nstops;
	uint8_t *special;           /* by id */
};

/* A word, or a part of one, that waits for its ids (bpemodel.c). */
struct word {
	const struct piece *of;
	uint32_t start, n;          /* its bytes there */
	bool part;                  /* of a longer word */
	struct word_key key;
	struct word_slot *line;     /* where the cache may have it; NULL: too long for it */
};
enum { WORDS = 64 };

struct tok_scratch {
	struct arena arena;         /* of one text */
	struct pieces a, b;
	struct bpe_room room;
	struct matcher *matcher;
	struct word_slot *cache;    /* at a multiple of 64 bytes */
	struct word word[WORDS];
	unsigned nwords;
	bool bytes;                 /* the text's words are raw bytes (t->bytes, and none is missing) */
	struct buf text;
	const struct tok *t;
	bool track;                 /* offsets are wanted */
	bool align;                 /* where normalised text comes from is kept */
};

/* added.c: P cut at the added tokens of TRIE (special ones only if SPECIAL).  GUARD (may be NULL) says of a match in the text
 * [start, end) whether it may stand. */
typedef bool guard_fn(void *ctx, const struct added *a, size_t start, size_t end);
void added_split(const struct tok *t, const struct trie *trie, const struct piece *p, bool special, guard_fn *guard, void *ctx, struct pieces *out);

/* normal.c: the stretch P in normal form, in the scratch's arena. */
int norm_apply(const struct tok *t, struct tok_scratch *s, struct piece *p, struct err *e);

/* pretok.c: s->a cut into words, in place. */
int pre_apply(const struct tok *t, struct tok_scratch *s, struct err *e);
scan_fn scan_words;                                     /* scan.c: \w+|[^\w\s]+ */
scan_fn *scan_known(const char *regex, size_t n);       /* scan.c: the scanner of a well-known pattern, or NULL */
scan_fn *scan_after_digits(scan_fn *then);              /* digits one by one, then THEN: both in one, or NULL */
scan_fn *scan_seek(scan_fn *scan);                      /* what SCAN's pre.seek is */
int pattern_translate(const char *regex, size_t n, struct pattern **out, struct err *e);   /* rxclass.c: the reference's syntax and classes in PCRE2 */

/* wordmodel.c: ids of the word P appended to OUT; s->track: with offsets. */
int model_word(const struct tok *t, struct tok_scratch *s, const struct piece *p, struct tok_ids *out, struct err *e);
int model_wordpiece(const struct tok *t, struct tok_scratch *s, const struct piece *p, struct tok_ids *out, struct err *e);
int model_wordlevel(const struct tok *t, struct tok_scratch *s, const struct piece *p, struct tok_ids *out, struct err *e);
int model_unigram(const struct tok *t, struct tok_scratch *s, const struct piece *p, struct tok_ids *out, struct err *e);
/* bpemodel.c: the same for BPE, bytes [START, END) of P; the ids come out in order, at the latest when all words are flushed. */
void bpe_word(const struct tok *t, struct tok_scratch *s, const struct piece *p, size_t start, size_t end, struct tok_ids *out);
void bpe_flush(const struct tok *t, struct tok_scratch *s, struct tok_ids *out);
void tok_ids_room(struct tok_ids *out, size_t n, bool offsets);     /* space for N more */
/* Token ID for bytes [start, end) of P. */
void ids_add(struct tok_ids *out, const struct tok_scratch *s, const struct piece *p, uint32_t id, size_t start, size_t end);

/* bpewords.c: all words of the stretch P, where s->bytes and t->nested. */
void bpe_stretch(const struct tok *t, struct tok_scratch *s, const struct piece *p, struct tok_ids *out);
/* Has every byte of the stretches to encode a symbol? */
bool bpe_bytes_known(const struct tok *t, const struct pieces *v);

/* What merging needs (bpeready.c), what the others need (wordmodel.c): made ready once the vocabulary, the merges and the
 * pre-tokenizers stand. */
void bpe_ready(struct tok *t);
void model_ready(struct tok *t);

/* The bytes that token ID of a byte-level vocabulary stands for, into OUT (room for its length); false where it has other characters. */
bool bpe_raw(const struct tok *t, uint32_t id, char *out, size_t *n);

enum { JOINT_BITS = 21 };
static inline uint32_t joint_bit(uint32_t left, uint32_t right)
{
	return (uint32_t)(((((uint64_t)left << 32) | right) * 0x9E3779B97F4A7C15u) >> (64 - JOINT_BITS));
}
/* bytejoint.c: the first place behind AT in the word TEXT of N bytes (UTF-8) over which no merge reaches, or N. */
void byte_joints_find(struct tok *t);                   /* also id_len and char_id; the merges stand */
size_t byte_joints_next(const struct tok *t, const char *text, size_t at, size_t n);

/* tokdecode.c */
int dec_apply(const struct tok *t, const uint32_t *ids, size_t n, unsigned flags, struct buf *out, struct err *e);

/* bytelevel.c: GPT-2's characters for bytes. */
uint32_t byte_char(uint8_t byte);
int char_byte(uint32_t c);                              /* -1: no such character */

/* charsmap.c: SentencePiece's precompiled normalisation. */
int  charsmap_new(struct charsmap **out, const char *base64, size_t n, struct err *e);
void charsmap_free(struct charsmap *m);

/* tokspm.c: SentencePiece models. */
int spm_encode(const struct tok *t, struct tok_scratch *s, const struct piece *p, unsigned flags, guard_fn *guard, void *ctx,
               struct tok_ids *out, struct err *e);
int spm_decode(const struct tok *t, const uint32_t *ids, size_t n, unsigned flags, struct buf *out, struct err *e);
void spm_release(struct tok *t);

/* Loaders: fill a zeroed T (arena ready). */
int tok_open_json(struct tok *t, const char *path, struct err *e);     /* hfjson.c */
int tok_open_gguf(struct tok *t, const char *path, struct err *e);     /* tokgguf.c */
int gguf_pre(struct tok *t, const char *name, size_t n, struct err *e);  /* ggufpre.c: the pre-tokenizer of that name; SFT_BADDATA: unknown */
/* toktogguf.c: what llama.cpp and SentencePiece number as the type of token ID. */
enum { TYPE_NORMAL = 1, TYPE_UNKNOWN, TYPE_CONTROL, TYPE_USER, TYPE_UNUSED, TYPE_BYTE };
int32_t tok_type(const struct tok *t, uint32_t id);
/* ggufpre.c: the name of T's pre-tokenizer, NULL: it has none; T's steps, from regex to regex, and whether words are looked up whole are those of the name. */
const char *gguf_pre_name(const struct tok *t);
int tok_open_spm(struct tok *t, const char *path, struct err *e);      /* tokspm.c */
/* tokfolder.c: what tokenizer_config.json, generation_config.json and the like in DIR say beside the vocabulary. */
void tok_stop(struct tok *t, uint32_t id);              /* ID ends a turn */
int tok_config(struct tok *t, const char *dir, struct err *e);
/* Once vocabulary and added tokens stand: the tries, the tables by id. */
void tok_ready(struct tok *t);

#endif
