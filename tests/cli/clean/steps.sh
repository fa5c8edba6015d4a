# SPDX-License-Identifier: Apache-2.0
# Each step on its own, on text of several scripts.
text='id,text
1,"Hello, WORLD! ΟΔΟΣ"
2,"<p>&lt;b&gt; हिन्दी</p>"
3," Ａ１！  ｶﾞ  ﬁ "
'
run() { echo "# $*"; printf '%s' "$text" | sft-clean "$@"; }
run --lower text
run --strip-symbols text
run --strip-symbols-exact text
run --strip-html
run --fold-width
run --normalize nfkc
run --squeeze-space
run --replace 'text:/(\w+), (\w+)/$2 $1/'
run --replace 'id,text:|\d|#|' --select text,id --rename 'id=key,text=a\,b'
