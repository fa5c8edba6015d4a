/* SPDX-License-Identifier: Apache-2.0 */
/* GPT-2's alphabet of bytes: printable Latin-1 stands for itself, the other bytes follow from U+0100 on in order. */
#include "tokimpl.h"

static int itself(unsigned b)
{
	return (b >= 0x21 && b <= 0x7e) || (b >= 0xa1 && b <= 0xac) || b >= 0xae;
}

uint32_t byte_char(uint8_t byte)
{
	if (itself(byte))
		return byte;
	if (byte <= 0x20)
		return 0x100u + byte;
	return byte < 0xa1 ? 0x121u + byte - 0x7f : 0x143;      /* 0x7f..0xa0, 0xad */
}

int char_byte(uint32_t c)
{
	if (c < 0x100)
		return itself(c) ? (int)c : -1;
	if (c <= 0x120)
		return (int)(c - 0x100);
	if (c <= 0x142)
		return (int)(c - 0x121 + 0x7f);
	return c == 0x143 ? 0xad : -1;
}
