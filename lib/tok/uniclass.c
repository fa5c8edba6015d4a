/* SPDX-License-Identifier: Apache-2.0 */
#include "uniclass.h"

bool uni_in(const struct uni_range *set, unsigned n, uint32_t c)
{
	unsigned lo = 0;

	while (n > 0) {
		unsigned half = n / 2;

		if (set[lo + half].last < c) {
			lo += half + 1;
			n -= half + 1;
		} else if (set[lo + half].first > c) {
			n = half;
		} else {
			return true;
		}
	}
	return false;
}

bool uni_word(uint32_t c)
{
	unsigned u = uni_of(c);

	if (c == 0x200C || c == 0x200D)
		return true;
	return (u & UC_WORD) && (u & UC_CAT) != UC_NO;
}

unsigned uni_script(uint32_t c)
{
	unsigned lo = 0, n = uni_script_group_n;

	while (n > 1) {
		unsigned half = n / 2;

		if (uni_script_group[lo + half].first <= c) {
			lo += half;
			n -= half;
		} else {
			n = half;
		}
	}
	return uni_script_group[lo].value;
}

unsigned uni_to_lower(uint32_t c, uint32_t out[2])
{
	unsigned lo = 0, hi = uni_lower_n;

	out[0] = c;
	if (c < 0x80) {
		if (c >= 'A' && c <= 'Z')
			out[0] = c + 32;
		return 1;
	}
	if (c == 0x130) {
		out[0] = 'i';
		out[1] = 0x307;
		return 2;
	}
	while (lo < hi) {
		unsigned mid = (lo + hi) / 2;

		if (uni_lower[mid].first < c)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo < uni_lower_n && uni_lower[lo].first == c)
		out[0] = uni_lower[lo].last;
	return 1;
}
