/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_EVALTOOLS_H
#define SFT_EVALTOOLS_H
/* The subcommands of sft-eval: each has its own options and is a program of its own.  ARGV is the whole command line, so
 * the first operand is the subcommand's name (metrics_main: a metric); the value is the exit status. */

int metrics_main(int argc, char **argv);
int kappa_main(int argc, char **argv);
int compare_main(int argc, char **argv);
int ab_main(int argc, char **argv);
int agree_main(int argc, char **argv);
int errors_main(int argc, char **argv);
int perplexity_main(int argc, char **argv);
int changes_main(int argc, char **argv);
int likelier_main(int argc, char **argv);

#endif
