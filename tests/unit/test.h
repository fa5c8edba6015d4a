/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_TEST_H
#define SFT_TEST_H
/* What a unit test needs: CHECK in functions, TEST(name) around each, `return test_end();` at the end of main.
 * Prints the lines that tests/run counts. */
#include <stdio.h>
#include <string.h>

static int test_failed, test_bad;
static const char *test_name;

__attribute__((unused)) static void test_line(const char *file, int line, const char *what)
{
	if (!test_failed)
		printf("not ok %s: %s:%d: %s\n", test_name, file, line, what);
	test_failed = test_bad = 1;
}
#define CHECK(cond) do { if (!(cond)) test_line(__FILE__, __LINE__, #cond); } while (0)
#define CHECK_STR(a, b) do { const char *a_ = (a), *b_ = (b); if (a_ == NULL || b_ == NULL || strcmp(a_, b_) != 0) { \
	char m_[600]; snprintf(m_, sizeof m_, "'%.250s' is not '%.250s'", a_ ? a_ : "(null)", b_ ? b_ : "(null)"); test_line(__FILE__, __LINE__, m_); } } while (0)
#define TEST(fn) do { test_name = #fn; test_failed = 0; fn(); if (!test_failed) printf("ok %s\n", test_name); fflush(stdout); } while (0)
#define SKIP(name, why) printf("skip %s: %s\n", name, why)
static inline int test_end(void) { return test_bad; }

#endif
