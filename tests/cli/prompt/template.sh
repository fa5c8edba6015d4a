# SPDX-License-Identifier: Apache-2.0
# tests/cli/prompt/template.sh - a template of the user message over the record's columns, the examples and --vars
cat >t.jinja <<'EOF'
{{ task }}
{% for s in shots %}
- {{ s.text | upper }} => {{ s.output }}
{% endfor %}
[{{ lang }}] {{ text }} ({{ channel }})
EOF
printf 'id,text,label,channel\n1,one,A,app\n2,two,B,web\n' >a.csv
echo '{"lang": "en"}' >v.json
sft-prompt --template t.jinja --task Sort. --vars v.json --input text --output label --shots a.csv -k 1 a.csv
echo "-- over messages: the answer stays"
echo '{{ messages | length }} turns: {{ messages[0].content }}' >m.jinja
echo '{"messages":[{"role":"system","content":"S"},{"role":"user","content":"u"},{"role":"assistant","content":"a"}]}' | sft-prompt --template m.jinja
echo "-- a task that would be lost"
echo '{{ text }}' >n.jinja
sft-prompt --template n.jinja --task Sort. --input text a.csv
echo "exit $?"
echo '{{ text.nope.x }}' >e.jinja
sft-prompt --template e.jinja --input text a.csv
echo "exit $?"
printf 'a\n{%% if %%}' >s.jinja
sft-prompt --template s.jinja --input text a.csv
echo "exit $?"
