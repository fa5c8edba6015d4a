# SPDX-License-Identifier: Apache-2.0
# Steps run in the order given; --columns and --null-values hold for what they say.
text='a,b
X-1,NA
,y
'
run() { echo "# $*"; printf '%s' "$text" | sft-clean -q "$@"; }
run --lower a --replace 'a:/X/z/'
run --replace 'a:/X/z/' --lower a
run --drop-null all
run --drop-null b --null-values pandas
run --drop-null all --null-values NA
run --drop-null all --null-values empty,NA
run --columns b --min-chars 2 --columns a --squeeze-space
run --min-chars 2
run --max-chars 1
run --keep 'a,b:/^y$/'
run --drop 'a:/x/i'
