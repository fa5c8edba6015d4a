# SPDX-License-Identifier: Apache-2.0
"""Random Unicode texts that are hard on tokenizers: mixed scripts, runs, blanks of all kinds, combining marks, joined emoji, controls,
unassigned and private code points, mojibake, names of special tokens whole and cut, and words of the vocabulary at hand."""
import random

SCRIPTS = [(0x41, 0x7a), (0x21, 0x7e), (0xa1, 0x17f), (0x180, 0x24f), (0x250, 0x2ff), (0x370, 0x3ff), (0x400, 0x52f), (0x530, 0x58f),
           (0x590, 0x5ff), (0x600, 0x6ff), (0x900, 0x97f), (0x980, 0x9ff), (0xb80, 0xbff), (0xe00, 0xe7f), (0xf00, 0xfff), (0x1000, 0x109f),
           (0x10a0, 0x10ff), (0x1100, 0x11ff), (0x1200, 0x137f), (0x13a0, 0x13ff), (0x1780, 0x17ff), (0x1e00, 0x1fff), (0x2070, 0x214f),
           (0x2150, 0x218f), (0x2460, 0x24ff), (0x2c00, 0x2dff), (0x3000, 0x303f), (0x3040, 0x30ff), (0x3130, 0x318f), (0x3200, 0x33ff),
           (0x3400, 0x4dbf), (0x4e00, 0x9fff), (0x4e00, 0x9fff), (0xa000, 0xa4cf), (0xac00, 0xd7a3), (0xf900, 0xfaff), (0xfb00, 0xfdff),
           (0xfe30, 0xfe6f), (0xff00, 0xffef), (0x10000, 0x1007f), (0x10400, 0x1044f), (0x16a40, 0x16a6f), (0x1d400, 0x1d7ff),
           (0x1e900, 0x1e95f), (0x1f100, 0x1f1ff), (0x20000, 0x2a6df), (0x30000, 0x313af)]
BLANKS = [" ", " ", "  ", "    ", "\t", "\n", "\n\n", "\r", "\r\n", "\x0b", "\x0c", "\x85", "\xa0", "\u1680", "\u2000", "\u2007", "\u2009", "\u200a",
          "\u2028", "\u2029", "\u202f", "\u205f", "\u3000", "\u180e", "\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\x1c", "\x1f"]
MARKS = ["\u0300", "\u0301", "\u0308", "\u0323", "\u0327", "\u0345", "\u0483", "\u05b0", "\u064b", "\u0670", "\u093c", "\u094d", "\u0e31", "\u0e34",
         "\u1ab0", "\u20d0", "\u20dd", "\u3099", "\u309a", "\ufe0f", "\ufe0e", "\ufe20", "\U0001d165", "\U000e0100"]
EMOJI = ["\U0001f600", "\U0001f44d\U0001f3fd", "\U0001f469\u200d\U0001f4bb", "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466", "\U0001f1e8\U0001f1f3", "\U0001f1eb",
         "\u2764\ufe0f\u200d\U0001f525", "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", "1\ufe0f\u20e3", "\U0001fae8", "\u231a"]
ODD = ["\x00", "\x01", "\x08", "\x1b[31m", "\x7f", "\x80", "\x9f", "\xad", "\ufffd", "\ufffe", "\uffff", "\U0001fffe", "\U0010ffff", "\ue000", "\U000f0000",
       "\u0378", "\U0001f8ff", "\u202e", "\u2066", "\u061c", "\u2581", "\u2581\u2581", "<0x0A>", "<0xE4>", "\u0120", "\u010a", "##", "##a", "</w>", "\u00c3\u00a9",
       "\u00e4\u00bd\u00a0", "\u00e2\u20ac\u2122", "\u0130", "\u0131", "\u1e9e", "\u00df", "\u03c2", "\u03a3", "\ufb01", "\u01c5", "\u2126", "\u212b", "\u1100\u1161\u11a8", "\u0958", "\u2adc"]
WORDS = ("the of and to in is for that with you it on are as this be have from or one had by word but not what all were we when your can said "
         "don't I'll we've IT'S they'RE O'Neil's self-service e-mail HTTPServer camelCaseWord snake_case_word https://example.org/a?b=c&d=%20 "
         "def f(x): return x**2 #include <stdio.h> SELECT * FROM t; 3.14159 1,234,567.89 2024-01-31 0xDEADBEEF 1e-9 +86-138-0000-0000 $5.00 100% "
         "\u4f60\u597d\u4e16\u754c \u94f6\u884c\u5361 \u75ab\u82d7\u63a5\u79cd \u6211\u60f3\u67e5\u8be2\u4e00\u4e0b\u4f59\u989d\u3002 \u8bf7\u95ee\uff1f \u300a\u7ea2\u697c\u68a6\u300b \u3053\u3093\u306b\u3061\u306f \uc548\ub155\ud558\uc138\uc694 "
         "\u041f\u0440\u0438\u0432\u0435\u0442 \u0645\u0631\u062d\u0628\u0627 \u05e9\u05dc\u05d5\u05dd \u0928\u092e\u0938\u094d\u0924\u0947 \u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35 na\u00efve caf\u00e9 stra\u00dfe \u0130stanbul \u03a3\u03af\u03c3\u03c5\u03c6\u03bf\u03c2").split(" ")


class Texts:
    """SPECIAL: names of special and added tokens; VOCAB: tokens as text.  The same seed and lists give the same texts."""

    def __init__(self, seed, special=(), vocab=()):
        self.r = random.Random(seed)
        self.special, self.vocab = list(special), list(vocab)

    def char(self):
        r = self.r
        if r.random() < 0.15:                   # any code point at all
            c = r.randrange(0x110000)
            return chr(c) if not 0xd800 <= c < 0xe000 else "\ufffd"
        low, high = r.choice(SCRIPTS)
        return chr(r.randint(low, high))

    def run_of_script(self):
        low, high = self.r.choice(SCRIPTS)
        return "".join(chr(self.r.randint(low, high)) for _ in range(self.r.randint(1, 8)))

    def name(self):
        """A special token's name: whole, cut, or with a letter changed."""
        s, r = self.r.choice(self.special), self.r
        how = r.random()
        if how < 0.5 or len(s) < 3:
            return s
        at = r.randrange(1, len(s))
        return s[:at] if how < 0.65 else s[at:] if how < 0.8 else s[:at] + s[at].swapcase() + s[at + 1:]

    def piece(self):
        r = self.r
        k = r.randrange(15)
        if k < 2:
            return r.choice(WORDS)
        if k < 5:
            return r.choice(BLANKS) * (1 if r.random() < 0.7 else r.randint(2, 9))
        if k == 5:
            return self.run_of_script()
        if k == 6:
            return self.char()
        if k == 7:
            return self.char() + "".join(r.choice(MARKS) for _ in range(r.randint(1, 4)))
        if k == 8:
            return r.choice(EMOJI)
        if k == 9:
            return r.choice(ODD)
        if k == 10:
            return str(r.randrange(10 ** r.randint(1, 12)))
        if k == 11:
            return "".join(chr(r.randint(0x21, 0x2f)) for _ in range(r.randint(1, 5)))
        if k == 12 and self.special:
            return self.name()
        if k == 13 and self.vocab:
            return "".join(r.choice(self.vocab) for _ in range(r.randint(1, 4)))
        if r.random() < 0.2:
            return r.choice([self.char(), r.choice(WORDS), r.choice(BLANKS)]) * r.randint(10, 120)
        return r.choice(WORDS) + r.choice(["", " ", ", ", "'s", "\n"])

    def text(self):
        return "".join(self.piece() for _ in range(min(int(self.r.expovariate(0.12)) + 1, 60)))


def smaller(text, fails, tries=400):
    """A part of TEXT for which fails() still holds: pieces are left out while it does."""
    step = max(1, len(text) // 2)
    while step and tries:
        at = 0
        while at < len(text) and tries:
            cut = text[:at] + text[at + step:]
            tries -= 1
            if fails(cut):
                text = cut
            else:
                at += step
        step //= 2
    return text
