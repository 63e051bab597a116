#!/usr/bin/env python3
"""That each row of `./dev bench` still works, and that --json is what comparers read.

usage: bench_test.py BUILD_FOLDER

Rows that need wrk or nginx are passed over, and said to be, where these are not installed.
"""

import json
import os
import subprocess
import sys

BENCH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "bench.py")
# Those that are measured in one folder stay together; the others run beside them.
APART = [["ingest_rows", "erase", "idle", "start_up"], ["profile_read", "decision", "explain"],
         ["consent_append", "ledger", "rewrap", "restore", "gate", "tcf_parse", "gpp_parse"],
         ["merge", "identity_growth"]]
DESIGNED = {"ingest_rows", "ingest_log", "profile_read", "identity_growth", "gate", "ledger_verify",
            "idle", "idle_memory"}
KEYS = ["name", "ours", "peer", "peer_name", "ratio", "unit", "min", "max"]
MACHINE = {"cpu", "cores", "memory_gb", "kernel", "disk", "load_before", "others_busy_cores", "form", "minutes"}


def fail(text):
    raise SystemExit(f"bench_test: {text}")


def bench(build, *arguments):
    return subprocess.Popen([sys.executable, BENCH, build, *arguments], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True)


def answer_of(process):
    out, said = process.communicate()
    if process.returncode:
        fail(f"{process.args}: {said}")
    return out


def check_row(row):
    if list(row) != KEYS:
        fail(f"a row has {list(row)}")
    if not all(isinstance(row[key], str) and row[key] for key in ("name", "peer_name", "unit")):
        fail(f"a word is missing: {row}")
    if not 0 <= row["min"] <= row["ours"] <= row["max"]:
        fail(f"the median is not between the least and the greatest: {row}")
    if row["peer"] is None:
        if row["ratio"] is not None or row["peer_name"] != "goal":
            fail(f"a ratio to nothing: {row}")
    elif abs(row["ratio"] - row["ours"] / row["peer"]) > 0.01 * row["ratio"]:
        fail(f"not the ratio: {row}")


def main():
    build = sys.argv[1]
    listed = answer_of(bench(build, "--list")).split()
    if missing := DESIGNED - set(listed):
        fail(f"the budget's rows are not there: {missing}")
    if bench(build, "--only", "no_such_row").wait() == 0:
        fail("a row that is not there was measured")
    running = [bench(build, "--tiny", "--json", "--only", *names) for names in APART]
    answers = [json.loads(answer_of(process)) for process in running]
    measured = [row for answer in answers for row in answer["rows"]]
    for answer in answers:
        if set(answer) != {"machine", "rows"} or not MACHINE <= set(answer["machine"]):
            fail(f"not what comparers read: {list(answer)}, {list(answer['machine'])}")
    for row in measured:
        check_row(row)
    names = [row["name"] for row in measured]
    lacking = [name for name in listed if name not in names]
    explained = sum((answer["machine"]["not_measured"] for answer in answers), [])
    if len(names) != len(set(names)) or set(lacking) != set(explained):
        fail(f"rows twice or not at all: {names}, without {lacking}, of which {explained} lack a tool")
    print(f"bench: {len(names)} rows work" + (f", without wrk or nginx not tried: {' '.join(lacking)}" if lacking else ""))


if __name__ == "__main__":
    main()
