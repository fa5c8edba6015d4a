/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_EVALTOOLS_H
#define SFT_EVALTOOLS_H
/* The subcommands of sft-eval: each has its own options and is a program of its own.  ARGV[0] is the subcommand's name;
 * the value is the exit status. */

int metrics_main(int argc, char **argv);    /* sft eval bleu rouge FILE: ARGV[0] is the program, metrics are operands */
int kappa_main(int argc, char **argv);
int compare_main(int argc, char **argv);
int perplexity_main(int argc, char **argv);

#endif
