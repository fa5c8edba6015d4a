# SPDX-License-Identifier: Apache-2.0
"""usage: oneline.py MEGABYTES.  One line of that size, from a pipe and from a file: refused with one clear line where --max-record is less,
else tokenised; in memory that --max-record bounds, whatever comes."""
import os, pathlib, resource, subprocess, sys, threading

SIZE = int(sys.argv[1]) << 20
MODEL = pathlib.Path(os.environ["DATA"]) / "tokenizers/mini_falcon_like"
PART = b"one line and no end 123 " * 4096


def line(write):
    try:
        write(b'{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"')
        for _ in range(SIZE // len(PART)):
            write(PART)
        write(b'"}]}')
    except BrokenPipeError:
        pass


def run(*args, pipe=True):
    """Exit status, output and error of the tokenizer on the line, and its peak of memory in MiB."""
    code = "import resource,subprocess,sys; r=subprocess.run(sys.argv[1:],stdout=open('out','wb')); print(r.returncode, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10)"
    p = subprocess.Popen([sys.executable, "-c", code, "sft-tokenize", "-q", "-j", "1", "-m", MODEL, *args, *([] if pipe else ["line"])],
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def feed():
        if pipe:
            line(p.stdin.write)
        try:
            p.stdin.close()
        except BrokenPipeError:
            pass
    t = threading.Thread(target=feed)
    t.start()
    out, err = p.stdout.read(), p.stderr.read()
    t.join()
    p.wait()
    rc, mib = map(int, out.split())
    return rc, err.decode(), mib


def report(name, good, why):
    print(f"ok {name}" if good else f"not ok {name}: {why}", flush=True)


with open("line", "wb") as f:
    line(f.write)
for pipe in (True, False):
    how = "pipe" if pipe else "file"
    for name, args in (("ids", ["--ids", "--from", "text"]), ("shard", ["--chat-template", "chatml", "--from", "jsonl", "-o", "x.shard"])):
        rc, err, mib = run(*args, "--max-record", "1M", pipe=pipe)
        report(f"{name} refused, {how}", rc == 3 and err.count("\n") == 1 and ":1: record 1: a record of more than 1048576 bytes" in err and mib < 100 and
               not os.path.exists("x.shard"), (rc, err, mib))
if SIZE <= 16 << 20:
    rc, err, mib = run("--ids", "--from", "text", "--max-record", str(2 * SIZE))
    report("ids of it all", rc == 0 and os.path.getsize("out") > SIZE // 8 and mib < 120 + 64 * (SIZE >> 20), (rc, err, mib))
