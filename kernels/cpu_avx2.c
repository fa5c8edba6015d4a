/* SPDX-License-Identifier: Apache-2.0 */
#if defined(__x86_64__)
#define ISA_OPS ops_avx2
#define ISA_NAME "cpu:avx2"
#include "isa.h"
#else
typedef int not_this_machine;          /* a file must declare something */
#endif
