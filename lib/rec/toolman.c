/* SPDX-License-Identifier: Apache-2.0 */
#include "toolman.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "err.h"

/* Where the page may lie, seen from the folder of the program. */
static const char *const places[] = { "../../man", "../share/man/man1", "../../share/man/man1" };

static bool find_page(const char *name, char *path, size_t n)
{
	char here[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", here, sizeof here - 1);
	char *slash;

	if (len <= 0)
		return false;
	here[len] = '\0';
	if ((slash = strrchr(here, '/')) == NULL)
		return false;
	*slash = '\0';
	for (size_t i = 0; i < sizeof places / sizeof *places; i++)
		if (snprintf(path, n, "%s/%s/%s.1", here, places[i], name) < (int)n && access(path, R_OK) == 0)
			return true;
	return false;
}

static bool shown(char *const *command)
{
	pid_t pid;
	int status;

	fflush(NULL);
	if ((pid = fork()) < 0)
		return false;
	if (pid == 0) {
		execvp(command[0], command);
		_exit(127);
	}
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool toolman_show(const char *name)
{
	char page[PATH_MAX + 64], copy[64];

	snprintf(copy, sizeof copy, "%s", name);
	if (!find_page(name, page, sizeof page))
		return shown((char *[]){ "man", copy, NULL });
	if (shown((char *[]){ "man", page, NULL }) || shown((char *[]){ "mandoc", "-a", page, NULL }))
		return true;
	fprintf(stderr, "%s: no man or mandoc to show %s\n", name, page);
	return false;
}
