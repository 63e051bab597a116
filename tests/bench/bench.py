#!/usr/bin/env python3
"""The ratios of the speed budget: each row is cdp beside its limit or peer, in the same run.

usage: bench.py BUILD_FOLDER [--quick] [--json] [--only ROW…] [--list] [--document]

Absolute figures drift with the machine; the ratios are what to compare. Every figure is the median of
several runs, with the least and the greatest. docs/PERFORMANCE.md says how each row is measured.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
import time

import rows_ingest  # noqa: F401  each adds its rows, in this order
import rows_reads  # noqa: F401
import rows_in_process  # noqa: F401
import rows_identity  # noqa: F401
import table
from rig import Rig, Watch, measures, progress


def names():
    return [name for group, _ in measures for name in group]


def read_options():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("build")
    options.add_argument("--quick", action="store_true", help="under two minutes on two quiet cores, more noise")
    options.add_argument("--tiny", action="store_true", help="seconds: whether each row works, no figures")
    options.add_argument("--json", action="store_true", help="for comparing")
    options.add_argument("--only", nargs="+", metavar="ROW", help="these, or all that begin so, and what is measured with them")
    options.add_argument("--list", action="store_true", help="what rows there are")
    options.add_argument("--calm", type=float, default=0, metavar="MINUTES",
                         help="wait that long for other load to end, then give up")
    options.add_argument("--document", action="store_true", help="put the table into docs/PERFORMANCE.md")
    asked = options.parse_args()
    if asked.document and (asked.only or asked.tiny):
        options.error("the document's table has all rows")
    wanted = set()
    for name in asked.only or [""]:
        found = [name] if name in names() else [known for known in names() if known.startswith(name)]
        if not found:
            options.error(f"no row {name}: " + " ".join(names()))
        wanted.update(found)
    asked.only = wanted
    return asked


def others_busy(seconds=1.0):
    watch = Watch()
    time.sleep(seconds)
    return watch.others()


def wait_for_calm(minutes):
    """How busy others are at last."""
    until = time.monotonic() + 60 * minutes
    while (busy := others_busy()) > table.BUSY_CORES and time.monotonic() < until:
        progress(f"others have {busy:.1f} cores: waiting")
        time.sleep(10)
    return busy


def measure_all(asked, form, notes, not_measured):
    """The rows that are asked for, each with how busy others were meanwhile."""
    lacking = [tool for tool in ("wrk", "nginx") if not shutil.which(tool)]
    out = []
    with tempfile.TemporaryDirectory(prefix="cdp-bench-", dir=asked.build) as folder:
        rig = Rig(asked.build, folder, form)
        for group, function in measures:
            if not asked.only.intersection(group):
                continue
            if lacking and function.__module__ == "rows_reads":
                notes.append(f"{', '.join(group)}: not measured, no {lacking[0]}")
                not_measured += group
                continue
            watch = Watch()
            found = function(rig)
            rows = [found] if hasattr(found, "name") else list(found)
            for row in rows:
                row.others, row.seconds = watch.others(), watch.seconds()
            out += rows
            if absent := [name for name in group if name not in [row.name for row in rows]]:
                notes.append(f"{', '.join(absent)}: not part of this form")
                not_measured += absent
        notes += rig.notes
    return out


def main():
    asked = read_options()
    if asked.list:
        print("\n".join(names()))
        return
    asked.build = os.path.abspath(asked.build)
    os.environ["PATH"] += f":{asked.build}/third_party/nginx/usr/sbin:/usr/sbin"
    form = "tiny" if asked.tiny else "quick" if asked.quick else "long"
    machine = table.machine(asked.build)
    machine["others_busy_cores"] = round(wait_for_calm(asked.calm), 2)
    machine["form"], machine["not_measured"] = form, []
    if machine["others_busy_cores"] > table.BUSY_CORES and not asked.tiny:
        said = f"others have {machine['others_busy_cores']} of {machine['cores']} cores"
        if asked.calm or asked.document:
            raise SystemExit(f"bench: {said}: nothing measured")
        print(f"bench: {said}: these figures are not to be trusted", file=sys.stderr)
    notes = []
    began = time.monotonic()
    rows = measure_all(asked, form, notes, machine["not_measured"])
    machine["minutes"] = round((time.monotonic() - began) / 60, 1)
    progress("")
    result = table.result(machine, rows)
    if asked.json:
        print(json.dumps(result, indent=1))
    else:
        print(table.text(result, rows, notes))
    if asked.document:
        table.into_document(table.markdown(result, rows, notes))


if __name__ == "__main__":
    main()
