/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_PROCESS_H
#define SFT_PROCESS_H
/* Tools as processes.  They do not outlive the one that started them, and a request to stop (SIGTERM, SIGINT) is passed on to them, so that
 * training ends with a checkpoint. */
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct processes {
	sigset_t signals, before;
	const char *tool;              /* who says that one cannot be started: "sft-run" */
	bool stopped;                  /* a request to stop came */
};

/* From here to processes_close() the signals are held for process_wait(). */
void processes_open(struct processes *p, const char *tool);
void processes_close(struct processes *p);
/* PATH with ARGV (NULL at the end); -1 where there is no process left.  What cannot be executed says so and ends with status SFT_SYSTEM. */
pid_t process_start(struct processes *p, const char *path, char *const *argv);
/* Waits until one of PID[0..n-1] (0: none there) ends; its place, and in *STATUS its exit status, 128 + N where signal N ended it. */
size_t process_wait(struct processes *p, const pid_t *pid, size_t n, int *status);

#endif
