#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Chat templates against transformers: FUZZ_N / 10 random records through every template of $SHARED/golden/chat.  A record is
a golden case changed at random, or made up: other roles, contents of all types, parts, tool calls, nulls, missing keys, texts of unitext.py.
The text must be the same; where transformers fails we must."""
import copy, datetime, json, os, pathlib, random, subprocess, sys, unicodedata

sys.path.insert(0, str(pathlib.Path(__file__).parent / "common"))
import unitext
try:
    from transformers.utils import chat_template_utils as hf
    hf._cached_compile_jinja_template("")
except ImportError as e:
    print(f"skip chat_templates: no package {e.name} (PEERS_PYTHON names a Python that has it)")
    sys.exit()

BUILD, DATA, SHARED = (pathlib.Path(os.environ[k]) for k in ("BUILD", "DATA", "SHARED"))
SEED, N = (int(os.environ[k]) for k in ("FUZZ_SEED", "FUZZ_N"))
ONLY = os.environ.get("FUZZ_ONLY", "")
NOW = "2025-03-09T14:05:06"
ROLES = ["system", "user", "user", "assistant", "assistant", "tool", "developer", "ipython", "observation", "critic", "", "User"]


class clock(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return datetime.datetime.fromisoformat(NOW)


hf.datetime = clock


class Records:
    def __init__(self, seed, cases):
        self.r, self.cases = random.Random(seed), cases
        self.texts = unitext.Texts(f"{seed} texts", ["<think>", "</think>", "<tool_call>", "<|im_end|>", "[INST]", "<tool_response>", "{{ 1 }}", "{% if %}"])

    def text(self):
        x = "".join(self.texts.piece() for _ in range(self.r.randint(0, 6)))
        # what this Python does not know to be a character yet, its repr() writes as an escape
        x = "".join("?" if unicodedata.category(c) == "Cn" else c for c in x)
        return self.r.choice(["", x, x, x, x + "\n", " " + x, "<think>\n" + x + "\n</think>\n\n" + x, x + "</think>" + x])

    def value(self, depth=0):
        r = self.r
        k = r.randrange(9 if depth < 3 else 6)
        return [None, True, r.randrange(-5, 10 ** r.randint(1, 12)), r.choice([0.5, 1e22, -0.0, 3.0, 1e-7, 123456.789]), self.text(), "x",
                [self.value(depth + 1) for _ in range(r.randint(0, 3))] if k == 6 else None,
                {self.text() or "k": self.value(depth + 1) for _ in range(r.randint(0, 3))} if k == 7 else None, {"city": "北京", "n": 1}][k]

    def call(self):
        f = {"name": self.r.choice(["get_weather", "f", self.text()]), "arguments": self.r.choice([{"city": "Paris"}, self.value(), '{"a": 1}', {}])}
        c = {"type": "function", "function": f} if self.r.random() < 0.7 else f
        if self.r.random() < 0.4:
            c["id"] = self.r.choice(["abc123456", "call_1", self.text()])
        return c

    def content(self):
        r = self.r
        if r.random() < 0.8:
            return self.text()
        return r.choice([None, [], [{"type": "text", "text": self.text()} for _ in range(r.randint(1, 3))],
                         [{"type": "image", "image": "a.png"}, {"type": "text", "text": self.text()}], self.value(), [self.text()]])

    def message(self):
        r = self.r
        m = {"role": r.choice(ROLES), "content": self.content()}
        for key, odds, make in (("tool_calls", 0.15, lambda: r.choice([[self.call() for _ in range(r.randint(1, 3))], [], None])), ("name", 0.1, self.text),
                                ("reasoning_content", 0.1, self.text), ("thinking", 0.05, self.text), ("tool_call_id", 0.1, lambda: "call_1"),
                                ("extra", 0.03, self.value)):
            if r.random() < odds:
                m[key] = make()
        if r.random() < 0.03:
            del m[r.choice(list(m))]
        return m

    def changed(self, messages):
        r = self.r
        for _ in range(r.randint(1, 4)):
            k = r.randrange(7)
            if k == 0 or not messages:
                messages.insert(r.randint(0, len(messages)), self.message())
            elif k == 1:
                messages.pop(r.randrange(len(messages)))
            elif k == 2:
                messages.append(copy.deepcopy(r.choice(messages)))
            elif k == 3:
                r.choice(messages)["role"] = r.choice(ROLES)
            elif k == 4 and r.random() < 0.2:
                r.shuffle(messages)
            elif k == 5:
                m = r.choice(messages)
                if m:
                    m[r.choice(list(m))] = self.value()
            else:
                r.choice(messages)["content"] = self.content()
        return messages

    def record(self, n):
        r = self.r
        rec = copy.deepcopy(r.choice(self.cases))
        rec = {k: v for k, v in rec.items() if k in ("messages", "tools", "kwargs", "documents")} | {"id": str(n), "now": NOW}
        rec["messages"] = [self.message() for _ in range(r.randint(0, 6))] if r.random() < 0.3 else self.changed(rec["messages"])
        rec["add_generation_prompt"] = r.random() < 0.5
        if r.random() < 0.1:
            rec["tools"] = r.choice([None, [], [self.value(), {"type": "function", "function": {"name": "g", "description": self.text(), "parameters": self.value()}}]])
        if rec.get("tools") and not all(isinstance(t, dict) for t in rec["tools"]):
            rec["tools"] = [t for t in rec["tools"] if isinstance(t, dict)]
        for key in ("enable_thinking", "date_string", "reasoning_effort", "keep_past_thinking", "builtin_tools"):
            if r.random() < 0.05:
                rec.setdefault("kwargs", {})[key] = r.choice([True, False, "high", None, ["browser", "python"], self.text()])
        return rec


def reference(template, rec):
    try:
        chat = hf._alias_reasoning_fields(hf._plain_template_data(rec["messages"]))
        more = {"documents": rec["documents"]} if "documents" in rec else {}
        return template.render(messages=chat, tools=rec.get("tools"), add_generation_prompt=rec["add_generation_prompt"], **more, **(rec.get("kwargs") or {})), None
    except RecursionError:
        raise
    except Exception as e:
        return None, e


def ours(source, records):
    pathlib.Path("t.jinja").write_text(source, encoding="utf-8", newline="")
    lines = "".join(json.dumps(r) + "\n" for r in records)
    r = subprocess.run([BUILD / "bin/sft-prompt", "-q", "--render", "--chat-template", "t.jinja", "--on-bad", "skip", "--from", "jsonl"], input=lines.encode(), capture_output=True)
    return [json.loads(x) for x in r.stdout.splitlines()] if r.returncode == 0 else r.stderr.decode(errors="replace")


def differs(want, error, got):
    if error is None:
        return got.get("text") != want
    raised = type(error).__name__ == "TemplateError"
    return "error" not in got or (raised and str(error) not in got["error"])


def compare(name, source, records):
    template = hf._cached_compile_jinja_template(source)
    answers = [reference(template, r) for r in records]
    got = ours(source, records)
    if isinstance(got, str) or len(got) != len(records):
        print(f"not ok chat {name}: {got if isinstance(got, str) else len(got)}", flush=True)
        return
    bad = [i for i, ((w, e), g) in enumerate(zip(answers, got)) if differs(w, e, g)]
    failed = sum(e is not None for _, e in answers)
    if not bad:
        print(f"ok chat {name}: {len(records)} records, {failed} of them refused by both", flush=True)
        return
    with open("/tmp/fuzz-chat.jsonl" if os.environ.get("FUZZ_SHOW") else os.devnull, "a") as f:
        for i in bad:
            f.write(json.dumps({"name": name, "record": records[i], "want": answers[i][0], "error": repr(answers[i][1]), "got": got[i]}) + "\n")
    i = min(bad, key=lambda i: len(json.dumps(records[i])))
    print(f"not ok chat {name}: {len(bad)} of {len(records)} differ, such as {json.dumps(records[i])[:300]}: {ascii(answers[i])[:150]} {ascii(got[i])[:150]}", flush=True)


def main():
    folder = SHARED / "golden/chat"
    if not folder.is_dir():
        print(f"skip chat templates: no {folder}")
        return
    for d in sorted(folder.iterdir()):
        if not (d / "cases.jsonl").exists() or ONLY not in d.name:
            continue
        cases = [json.loads(x) for x in (d / "cases.jsonl").read_text(encoding="utf-8").splitlines()]
        make = Records(f"{SEED} {d.name}", cases)
        compare(d.name, (d / "template.jinja").read_text(encoding="utf-8"), [make.record(i) for i in range(max(N // 10, 1))])


main()
