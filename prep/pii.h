/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_PII_H
#define SFT_PII_H
/* Masking what identifies a person: [CARD] [ID] [PHONE] [EMAIL] [IBAN] stand in its place.
 *
 * What has a checksum is masked only where it is right (Luhn, ISO 7064 MOD 11-2, ISO 7064 MOD 97-10), so that other numbers
 * survive; what has none only in the shapes that people write.  Digits may be full-width.  One pass, O(n). */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "mem.h"

enum pii_kind { PII_CARD, PII_ID, PII_PHONE, PII_EMAIL, PII_IBAN, PII_KINDS };
extern const char *const pii_names[PII_KINDS];     /* "card", ... as --stats has them */

/* What one thread works with; zeroed it is ready. */
struct pii {
	uint64_t count[PII_KINDS];     /* masked so far */
	struct buf plain, masked;      /* scratch of pii_mask_json() */
};
void pii_release(struct pii *w);

/* TEXT masked, appended to OUT.  False, and nothing appended, where there is nothing to mask. */
bool pii_mask(struct pii *w, const char *text, size_t n, struct buf *out);
/* The same for the strings and numbers of a JSON value (valid JSON; keys of objects stay): what comes out is JSON.  A number
 * that is masked becomes a string. */
bool pii_mask_json(struct pii *w, const char *json, size_t n, struct buf *out);

#endif
