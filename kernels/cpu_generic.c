/* SPDX-License-Identifier: Apache-2.0 */
#define ISA_OPS ops_generic
#define ISA_NAME "cpu:generic"
#include "isa.h"
