#!/usr/bin/env python3
"""Tries the faults of docs/FAULTS.md on the real server, a line for each case.

    tests/faults/run.py                     every case at length
    tests/faults/run.py --short             the form that ./dev test runs
    tests/faults/run.py 5 7 slow_body       these cases, by number or name
    tests/faults/run.py --list
"""

import argparse
import concurrent.futures
import random
import sys
import time
import traceback
from pathlib import Path

import damage  # noqa: F401  each of these adds its cases
import disk  # noqa: F401
import histories  # noqa: F401
import machine  # noqa: F401
import points  # noqa: F401
import wire  # noqa: F401
from driver import ROOT, Failed, Skipped
from trial import CASES, Run, Trial


def chosen(names, short):
    if not names:
        return [case for case in CASES if case.short or not short]
    unknown = [name for name in names if not any(name in (case.name, str(case.number)) for case in CASES)]
    if unknown:
        raise SystemExit(f"no case {', '.join(unknown)}: see --list")
    return [case for case in CASES
            if case.name in names or str(case.number) in names and (case.short or not short)]


def try_case(run, case, seed):
    """The line that says how it went, and which of passed, failed and skipped it is."""
    trial = Trial(run, case.name, seed)
    try:
        seen = case.attempt(trial)
        return f"ok{': ' + seen if seen else ''}", "passed"
    except Skipped as reason:
        return f"skipped: {reason}", "skipped"
    except Failed as failed:
        return f"failed: {failed} (seed {seed})", "failed"
    except Exception:  # the trial itself is broken; the others go on
        return f"failed: {traceback.format_exc()} (seed {seed})", "failed"
    finally:
        trial.close()


def main():
    parse = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parse.add_argument("cases", nargs="*", metavar="CASE", help="by number or name; default: all")
    parse.add_argument("--short", action="store_true")
    parse.add_argument("--list", action="store_true", help="print the cases")
    parse.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 30))
    parse.add_argument("--jobs", type=int, default=3, help="cases at a time (3)")
    parse.add_argument("--keep", action="store_true", help="leave the folders for inspection")
    parse.add_argument("--binary", default=ROOT / "build/cdp")
    arguments = parse.parse_args()
    if arguments.list:
        for case in sorted(CASES, key=lambda case: case.number):
            print(f"{case.number:3}  {case.name:28} {'short' if case.short else '':6} {case.claim}")
        return 0
    if not Path(arguments.binary).exists():
        raise SystemExit(f"no {arguments.binary}: run ./dev build")
    run = Run(arguments.binary, not arguments.short)
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    print(f"faults: seed {arguments.seed}", flush=True)
    cases = sorted(chosen(arguments.cases, arguments.short), key=lambda case: case.number)

    def attempt(case):
        began = time.monotonic()
        line, how = try_case(run, case, arguments.seed)
        counts[how] += 1
        print(f"{case.number:3} {case.name} ({time.monotonic() - began:.1f} s): {line}", flush=True)

    try:
        # Most cases wait for most of their time.
        with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
            list(pool.map(attempt, [case for case in cases if not case.alone]))
        for case in cases:
            if case.alone:
                attempt(case)
    finally:
        if arguments.keep or counts["failed"]:
            print(f"kept for inspection: {run.folder}", file=sys.stderr)
        else:
            run.close()
    print(f"faults: {counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
