/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_ROUNDS_H
#define SFT_ROUNDS_H
/* sft eval agree make, merge, history: each is a program of its own; ARGV is the whole command line, the value the exit status. */

int round_make_main(int argc, char **argv);
int round_merge_main(int argc, char **argv);
int round_history_main(int argc, char **argv);

#endif
