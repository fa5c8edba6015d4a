/* SPDX-License-Identifier: Apache-2.0 */
#include "process.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "err.h"

void processes_open(struct processes *p, const char *tool)
{
	*p = (struct processes){ .tool = tool };
	sigemptyset(&p->signals);
	sigaddset(&p->signals, SIGCHLD);
	sigaddset(&p->signals, SIGTERM);
	sigaddset(&p->signals, SIGINT);
	sigprocmask(SIG_BLOCK, &p->signals, &p->before);
}

void processes_close(struct processes *p)
{
	sigprocmask(SIG_SETMASK, &p->before, NULL);
}

static void child(const struct processes *p, const char *path, char *const *argv)
{
	prctl(PR_SET_PDEATHSIG, SIGTERM);      /* it does not outlive us: train writes a checkpoint then */
	sigprocmask(SIG_SETMASK, &p->before, NULL);
	execvp(path, argv);
	fprintf(stderr, "%s: %s: %s\n", p->tool, path, strerror(errno));
	_exit(SFT_SYSTEM);
}

pid_t process_start(struct processes *p, const char *path, char *const *argv)
{
	pid_t pid;

	fflush(stdout);
	if ((pid = fork()) == 0)
		child(p, path, argv);
	return pid;
}

size_t process_wait(struct processes *p, const pid_t *pid, size_t n, int *status)
{
	int raw, sig;

	for (;;) {
		for (size_t i = 0; i < n; i++)
			if (pid[i] > 0 && waitpid(pid[i], &raw, WNOHANG) == pid[i]) {
				*status = WIFEXITED(raw) ? WEXITSTATUS(raw) : 128 + WTERMSIG(raw);
				return i;
			}
		if (sigwait(&p->signals, &sig) != 0 || sig == SIGCHLD)
			continue;
		p->stopped = true;
		for (size_t i = 0; i < n; i++)
			if (pid[i] > 0)
				kill(pid[i], SIGTERM);
	}
}
