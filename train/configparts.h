/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_CONFIGPARTS_H
#define SFT_CONFIGPARTS_H
/* What config.c (config.json), configgguf.c (GGUF metadata), configmoe.c (latent attention and mixtures in config.json) and those that write
 * them (configout.h) share.  Nothing else includes
 * this. */
#include "config.h"

/* What a name of an architecture settles by itself. */
struct family {
	const char *name;              /* config.json's model_type */
	bool qkv_bias, qk_norm;
	uint32_t head_dim;             /* where config.json has none; 0: hidden / heads */
	uint32_t window;               /* where config.json has no sliding_window (null means none) */
	bool latent, experts;
};
/* NULL and SFT_BADDATA with the names there are where it is unknown. */
const struct family *config_family(const char *name, size_t n, struct err *e);

/* Everything zero but the family's own and what files leave out. */
void config_begin(struct model_config *c, const struct family *f);
/* What must hold between the numbers, whatever file they come from; likewise those of a mixture. */
int  config_check(const struct model_config *c, struct err *e);
int  config_check_experts(const struct model_config *c, struct err *e);
/* Yarn's m(scale). */
double config_yarn_m(double factor, double scale);

/* Angle that pair I of the rotated values turns by from one position to the next. */
double config_rope_frequency(const struct model_config *c, uint32_t i);

/* A size of config.json that must be there; one that may be missing or null: OUT stays. */
int config_need(const struct json *j, const char *key, int64_t max, uint32_t *out, struct err *e);
int config_may(const struct json *j, const char *key, int64_t min, int64_t max, uint32_t *out, struct err *e);
int config_latent(struct model_config *c, const struct json *j, struct err *e);     /* MLA's sizes */
int config_experts(struct model_config *c, const struct json *j, struct err *e);    /* the mixture's */

#endif
