/* SPDX-License-Identifier: Apache-2.0 */
#include "lang.h"

#include <string.h>

#include "hash.h"
#include "langtab.h"
#include "utf8.h"

/* Scripts: those of several languages, then Han and what goes with it, then those of one language. */
enum { HAN = LANG_GROUPS, KANA, HANGUL, FIRST_ALONE };

/* What one language alone writes, as far as this goes, by blocks of Unicode; and the blocks of the others. */
static const struct block {
	uint32_t first, last;
	int script;
	const char *code;              /* of its language, from FIRST_ALONE on */
} blocks[] = {
	{ 0x41, 0x24F, LANG_LATIN, NULL },        { 0x370, 0x3FF, FIRST_ALONE, "el" },       { 0x400, 0x52F, LANG_CYRILLIC, NULL },
	{ 0x531, 0x58F, FIRST_ALONE + 1, "hy" },  { 0x591, 0x5F4, FIRST_ALONE + 2, "he" },   { 0x600, 0x6FF, LANG_ARABIC, NULL },
	{ 0x750, 0x77F, LANG_ARABIC, NULL },      { 0x900, 0x97F, LANG_DEVANAGARI, NULL },   { 0x980, 0x9FF, FIRST_ALONE + 3, "bn" },
	{ 0xA00, 0xA7F, FIRST_ALONE + 4, "pa" },  { 0xA80, 0xAFF, FIRST_ALONE + 5, "gu" },   { 0xB00, 0xB7F, FIRST_ALONE + 6, "or" },
	{ 0xB80, 0xBFF, FIRST_ALONE + 7, "ta" },  { 0xC00, 0xC7F, FIRST_ALONE + 8, "te" },   { 0xC80, 0xCFF, FIRST_ALONE + 9, "kn" },
	{ 0xD00, 0xD7F, FIRST_ALONE + 10, "ml" }, { 0xD80, 0xDFF, FIRST_ALONE + 11, "si" },  { 0xE00, 0xE7F, FIRST_ALONE + 12, "th" },
	{ 0xE80, 0xEFF, FIRST_ALONE + 13, "lo" }, { 0xF00, 0xFFF, FIRST_ALONE + 14, "bo" },  { 0x1000, 0x109F, FIRST_ALONE + 15, "my" },
	{ 0x10A0, 0x10FF, FIRST_ALONE + 16, "ka" }, { 0x1100, 0x11FF, HANGUL, NULL },        { 0x1200, 0x139F, FIRST_ALONE + 17, "am" },
	{ 0x1780, 0x17FF, FIRST_ALONE + 18, "km" }, { 0x1E00, 0x1EFF, LANG_LATIN, NULL },    { 0x1F00, 0x1FFF, FIRST_ALONE, "el" },
	{ 0x3041, 0x30FF, KANA, NULL },           { 0x3130, 0x318F, HANGUL, NULL },          { 0x3400, 0x4DBF, HAN, NULL },
	{ 0x4E00, 0x9FFF, HAN, NULL },            { 0xAC00, 0xD7AF, HANGUL, NULL },          { 0xF900, 0xFAFF, HAN, NULL },
	{ 0xFF21, 0xFF5A, LANG_LATIN, NULL },     { 0xFF66, 0xFF9F, KANA, NULL },            { 0x20000, 0x3FFFF, HAN, NULL },
};
enum { BLOCKS = sizeof blocks / sizeof *blocks, SCRIPTS = FIRST_ALONE + 19 };

/* Characters, and words of two, of everyday sentences that Cantonese uses and standard Chinese does not, and the other way round. */
static const char cantonese[] = "嘅佢哋咗喺冇嚟唔嗰啲嘢嗌咁噉乜畀俾揾搵瞓攞睇諗谂嘥冚㗎喎囉囖啫咩嘞哂喇噃啩啱靚靓黐𡃉𠻹𠮶𠺢𠸏𡁵嬲攰孖氹掟踎嘜";
static const char mandarin[] = "的是了在這这們们他她它那嗎吗沒没誰谁些么麼也很把";
static const char *const cantonese_words[] = {
	"而家", "宜家", "依家", "點解", "点解", "點樣", "点样", "邊個", "边个", "邊度", "边度", "屋企", "鍾意", "钟意", "聽日", "听日", "尋日", "琴日", "返工",
	"返學", "返学", "返去", "細路", "细路", "幾多", "几多", "幾時", "几时", "成日", "即係", "又係", "都係", "就係", "唔係", "咪係", "但係", "係一", "食飯",
	"食饭", "傾偈", "倾偈", "落雨", "得閒", "頭先", "头先", "噚日", "今晚", "有冇", "邊有", "係咪", NULL
};
enum { CANTONESE = 1, MANDARIN = 2, BEGINS_WORD = 4 };

struct lang {
	const struct unicode *u;
	const char *code[LANG_MAX];
	int n, zh, yue, ja, ko;
	int alone[SCRIPTS];            /* by script: its language */
	uint8_t mark[0x30000];         /* by character */
	const char **slot;             /* features by hash: behind the feature's blank, its weights; NULL: free */
	const char **key;
	uint16_t *nkey;
	size_t mask;
};

static int add_language(struct lang *l, const char *code)
{
	int i = lang_find(l, code);

	if (i >= 0)
		return i;
	l->code[l->n] = code;
	return l->n++;
}

static void add_marks(struct lang *l, const char *s, uint8_t mark)
{
	while (*s) {
		uint32_t c = utf8_get(&s);

		if (c < sizeof l->mark)
			l->mark[c] |= mark;
	}
}

static size_t place(const struct lang *l, const char *key, size_t n)
{
	size_t i = hash64(key, n, 0) & l->mask;

	while (l->slot[i] && (l->nkey[i] != n || memcmp(l->key[i], key, n) != 0))
		i = (i + 1) & l->mask;
	return i;
}

/* The blank that ends the feature at S is its last: a feature may begin and end with one. */
static void add_features(struct lang *l)
{
	size_t lines = 0, room = 1;

	for (const char *s = lang_features; (s = strchr(s, '\n')) != NULL; s++)
		lines++;
	while (room < 2 * lines)
		room *= 2;
	l->mask = room - 1;
	l->slot = mem_new(room * sizeof *l->slot);
	l->key = mem_new(room * sizeof *l->key);
	l->nkey = mem_new(room * sizeof *l->nkey);
	for (const char *s = lang_features, *end; (end = strchr(s, '\n')) != NULL; s = end + 1) {
		const char *blank = memrchr(s, ' ', (size_t)(end - s));
		size_t n = (size_t)(blank - s), i = place(l, s, n);

		l->slot[i] = blank + 1;
		l->key[i] = s;
		l->nkey[i] = (uint16_t)n;
	}
}

struct lang *lang_open(const struct unicode *u)
{
	struct lang *l = mem_new(sizeof *l);

	l->u = u;
	add_language(l, "und");
	for (unsigned i = 0; i < lang_known_n; i++)
		add_language(l, lang_known[i].code);
	for (int i = 0; i < BLOCKS; i++)
		if (blocks[i].code)
			l->alone[blocks[i].script] = add_language(l, blocks[i].code);
	l->zh = add_language(l, "zh");
	l->yue = add_language(l, "yue");
	l->ja = add_language(l, "ja");
	l->ko = add_language(l, "ko");
	add_marks(l, cantonese, CANTONESE);
	add_marks(l, mandarin, MANDARIN);
	for (const char *const *word = cantonese_words; *word; word++) {
		const char *s = *word;

		l->mark[utf8_get(&s)] |= BEGINS_WORD;
	}
	add_features(l);
	return l;
}

void lang_close(struct lang *l)
{
	if (l == NULL)
		return;
	mem_free(l->slot);
	mem_free(l->key);
	mem_free(l->nkey);
	mem_free(l);
}

int lang_count(const struct lang *l)
{
	return l->n;
}

const char *lang_code(const struct lang *l, int language)
{
	return l->code[language];
}

int lang_find(const struct lang *l, const char *code)
{
	for (int i = 0; i < l->n; i++)
		if (strcmp(l->code[i], code) == 0)
			return i;
	return -1;
}

void langwork_release(struct langwork *w)
{
	buf_free(&w->low);
}

/* --- a text --- */

void lang_begin(struct langwork *w)
{
	memset(w->letters, 0, sizeof w->letters);
	memset(w->score, 0, sizeof w->score);
	w->scored = 0;
	w->cantonese = w->mandarin = 0;
}

static int script_of(uint32_t c)
{
	int from = 0, to = BLOCKS;

	while (from < to) {
		int i = from + (to - from) / 2;

		if (c < blocks[i].first)
			to = i;
		else if (c > blocks[i].last)
			from = i + 1;
		else
			return blocks[i].script;
	}
	return -1;
}

static int digit(char c)
{
	return c >= 'a' ? c - 'a' + 26 : c >= 'A' ? c - 'A' : c - '0' + 52;
}

static void add_feature(const struct lang *l, struct langwork *w, const char *key, size_t n)
{
	const char *p = l->slot[place(l, key, n)];

	for (; p && *p != '\n'; p += 2)
		w->score[digit(p[0])] += digit(p[1]);
}

/* The word of N - 1 letters behind the blank at TEXT, each at AT[1..N - 1], BYTES with the blank.  There is room behind it. */
static void add_word(const struct lang *l, struct langwork *w, char *text, uint32_t *at, size_t n, size_t bytes)
{
	at[n] = (uint32_t)bytes;
	at[n + 1] = (uint32_t)bytes + 1;
	text[bytes] = ' ';
	for (size_t i = 0; i < n; i++) {
		add_feature(l, w, text + at[i], at[i + 2] - at[i]);
		if (i + 3 <= n + 1)
			add_feature(l, w, text + at[i], at[i + 3] - at[i]);
	}
	text[0] = '<';
	add_feature(l, w, text, bytes);
	text[0] = ' ';
	w->scored += (unsigned)n - 1;
}

static bool letter(const struct lang *l, uint32_t c)
{
	return (unicode_class(l->u, c) & (UNI_WORD | UNI_MARK)) && !(c >= '0' && c <= '9') && c != '_';
}

/* Does langtab.c have words of it? */
static bool spelt(int script)
{
	return script >= 0 && script < LANG_GROUPS;
}

/* The Han character C; S..END is behind it. */
static void count_han(const struct lang *l, struct langwork *w, uint32_t c, const char *s, const char *end)
{
	uint8_t mark = c < sizeof l->mark ? l->mark[c] : 0;

	w->cantonese += (mark & CANTONESE) != 0;
	w->mandarin += (mark & MANDARIN) != 0;
	if (!(mark & BEGINS_WORD) || end - s < 3)
		return;
	for (const char *const *word = cantonese_words; *word; word++)
		if (memcmp(*word, s - 3, 6) == 0)
			w->cantonese++;
}

void lang_add(const struct lang *l, struct langwork *w, const char *s, size_t n)
{
	enum { LONGEST = 40 };
	char text[4 * LONGEST + 2];
	uint32_t at[LONGEST + 3];
	size_t k = 1, bytes = 1;               /* of the word at work, with its first blank */
	const char *p, *end;

	w->low.n = 0;
	w->low.n = unicode_lower(l->u, s, n, buf_room(&w->low, UNICODE_LOWER_ROOM(n)));
	p = w->low.p;
	end = p + w->low.n;
	text[0] = ' ';
	at[0] = 0;
	for (;;) {
		const char *was = p;
		uint32_t c = p < end ? utf8_get(&p) : ' ';
		bool is = letter(l, c);
		int script = is ? script_of(c) : -1;

		if (script >= 0)
			w->letters[script] += script == HAN ? 4 : script == KANA || script == HANGUL ? 2 : 1;
		if (script == HAN)
			count_han(l, w, c, p, end);
		if (is && (spelt(script) || (k > 1 && script < 0))) {
			if (k > LONGEST)
				continue;
			at[k++] = (uint32_t)bytes;
			memcpy(text + bytes, was, (size_t)(p - was));
			bytes += (size_t)(p - was);
			continue;
		}
		if (k > 1 && w->scored < LANG_ENOUGH)
			add_word(l, w, text, at, k, bytes);
		k = bytes = 1;
		if (was == end)
			break;
	}
}

static int likeliest(const struct langwork *w, int group)
{
	int best = -1;

	for (unsigned i = 0; i < lang_known_n; i++)
		if ((int)lang_known[i].group == group &&
		    (best < 0 || w->score[i] + lang_known[i].prior > w->score[best] + lang_known[best].prior))
			best = (int)i;
	return best + 1;                       /* behind "und" */
}

static int of_han(const struct lang *l, const struct langwork *w)
{
	if (w->letters[HANGUL] > w->letters[HAN] / 2)
		return l->ko;
	if (w->letters[KANA] * 8 >= w->letters[HAN])           /* one character in five */
		return l->ja;
	return w->cantonese > w->mandarin / 2 ? l->yue : l->zh;
}

int lang_end(const struct lang *l, const struct langwork *w)
{
	uint64_t east = w->letters[HAN] + w->letters[KANA] + w->letters[HANGUL];
	int best = HAN;

	for (int i = 0; i < SCRIPTS; i++)
		if (i != HAN && i != KANA && i != HANGUL && w->letters[i] > (best == HAN ? east : w->letters[best]))
			best = i;
	if (best == HAN)
		return east > 0 ? of_han(l, w) : LANG_UNKNOWN;
	return best < LANG_GROUPS ? likeliest(w, best) : l->alone[best];
}
