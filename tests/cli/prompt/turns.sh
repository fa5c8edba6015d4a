# SPDX-License-Identifier: Apache-2.0
# tests/cli/prompt/turns.sh - tables of turns: rows anywhere, in the order of their numbers, merged, cut; roles; what is bad
turns() { sft-prompt --dialogue d --turn n --speaker who --text said "$@"; }
cat >a.csv <<'EOF'
d,n,who,said,bank,row
7,2,agent,Here,B1,1
8,1,Customer,Hi,B2,2
7,1,customer,My card?,B1,3
7,0,customer,Hello,B1,4
8,3,user,Thanks,B2,5
8,2,AGENT,"Yes,
sir",B2,6
7,10,customer,Bye,B1,7
7,9,agent,Sent,B1,8
EOF
turns --slice bank --stats s.json a.csv
grep -o '"dialogues.*' s.json
echo "-- rows as they stand"
sft-prompt --dialogue d --speaker who --text said --task Help. a.csv 2>/dev/null
echo "-- JSON lines whose rows differ in their fields; ids that are numbers"
printf '%s\n' '{"d": 1, "n": 1.5, "who": "user", "said": "q", "w": 2}' '{"d": 1, "n": 2, "who": "assistant", "said": 3, "w": 2}' \
	'{"d": 2, "n": 1, "who": "user", "said": "q"}' '{"d": 2, "n": 2, "who": "assistant", "said": "a", "k": null}' | turns
echo "-- system is the assistant where nobody else is"
printf 'd,n,who,said\n1,1,USER,q\n1,2,SYSTEM,a\n' >s.csv
turns s.csv
printf 'd,n,who,said\n2,1,SYSTEM,s\n2,2,USER,q\n2,3,BOT,b\n' | turns
echo "-- roles"
printf 'd,n,who,said\n1,1,A,q\n1,2,"B, Dr",a\n1,3,C,q2\n1,4,x=y,a2\n' >r.csv
turns r.csv
echo "exit $?"
turns --roles 'A=user,B\, Dr=assistant,C=user,x=y=assistant' r.csv
turns --roles 'A=user,C=user,*=assistant' r.csv | cmp - <(turns --roles 'A=user,B\, Dr=assistant,C=user,x=y=assistant' r.csv) && echo same
turns --on-bad skip --rejects j r.csv
echo "exit $?"
cat j
turns --roles 'A=boss' r.csv
turns --roles 'A' r.csv
turns --roles 'A=user,A=tool' r.csv
echo "-- bad dialogues, each with its reason; the others go through"
cat >b.csv <<'EOF'
d,n,who,said
no answer,1,user,q
no user,1,agent,a
empty,1,user,
empty,2,agent,a
number,1,user,q
number,x,agent,a
twice,1,user,q
twice,1,agent,a
nobody,1,,q
nobody,2,agent,a
,1,user,q
good,1,user,q
good,2,agent,a
EOF
turns --on-bad skip --rejects j b.csv
echo "exit $?"
cat j
turns --on-bad skip b.csv >/dev/null
turns -v --on-bad skip --max-record 60 b.csv -o /dev/null 2>&1 | grep -c 'expected at most 60: --max-record'
for d in 'no answer' 'no user' empty number twice nobody ''; do
	grep "^d,\|^$d,\|^good" b.csv | turns
	echo "exit $?"
done
turns --slice row a.csv
echo "exit $?"
echo "-- options that do not go together"
turns --input said a.csv
sft-prompt --turn n a.csv
sft-prompt --dialogue d --speaker who a.csv
turns --from alpaca a.csv
turns --shots a.csv a.csv
sft-prompt --dialogue dd --speaker who --text said a.csv
echo "exit $?"
echo "-- more than memory keeps: the same whatever the order of the rows"
awk 'BEGIN { print "d,n,who,said"; for (d = 0; d < 2000; d++) for (n = 0; n < 40; n++)
	printf "%d,%d,%s,%s\n", d, n, n % 2 ? "agent" : "user", "turn " n " of dialogue " d " with words that take some room in the file so that it is long" }' >big.csv
{ head -n 1 big.csv; tail -n +2 big.csv | sort -t, -k2,2n -k1,1n -s; } >mixed.csv
turns big.csv -o big.jsonl && turns mixed.csv -o mixed.jsonl && cmp big.jsonl mixed.jsonl && wc -l <big.jsonl
