#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Rows that begin with the same task description and examples: 16 rows of a common prompt of 400 tokens and 40 of their own.
exec "$(dirname "$0")/train.sh" 16 440 4 400
