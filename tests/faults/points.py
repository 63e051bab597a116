"""Killed at named places of the code: cdp/base/crash_point.h."""

import os
import re
import shutil

from driver import CRASHED, ROOT, Failed, Server
from machine import rounds_of
from trial import case

# Which script passes them: crash.py, erasing.py, or a verb that makes a folder.
SERVING = ("before_commit", "log_synced", "before_answers", "before_mark", "journal_appended", "before_journal_drop",
           "file_written", "file_exchanged", "keys_rewrapped", "epoch_staged", "asserted", "assertion_followed",
           "tiles_written", "checkpoint_signed", "before_listening")
ERASING = ("erasure_stopped", "erasure_listed", "erasure_under_way", "erasure_done", "backup_copied", "backup_told")
MAKING = ("before_format", "erasure_replayed")
SOURCES = ("api", "cdp", "cdp/base", "consent", "identity", "storage")


def rounds_at(script, trial, names, short):
    """One round at the first pass of each, at length ten, most at a later one."""
    names = trial.pick(names, short)
    seen = rounds_of(script, trial, len(names), 10 * len(names), "--points", ",".join(names))
    return f"{len(names)} places, each reached; {seen}"


@case(2, "killed at each named place of the code: as at random moments")
def kill_points(trial):
    return rounds_at("crash.py", trial, SERVING, short=6)


@case(2, "killed at each named place of an erasure and a backup")
def erasing_points(trial):
    return rounds_at("erasing.py", trial, ERASING, short=3)


@case(2, "the control: every place in the code is tried here, and one that is never passed fails its trial")
def points_control(trial):
    named = set()
    for folder in SOURCES:
        for source in (ROOT / folder).glob("*.cc"):
            named.update(re.findall(r'crash_point\("(\w+)"\)', source.read_text()))
    if named != {*SERVING, *ERASING, *MAKING}:
        raise Failed(f"places not tried, or not there: {', '.join(sorted(named ^ {*SERVING, *ERASING, *MAKING}))}")
    try:
        rounds_of("crash.py", trial, 1, 1, "--points", "nowhere", "--patience", "3")
    except Failed as failed:
        if "never reached: nowhere" not in str(failed):
            raise
        return f"{len(named)} places; `nowhere` was missed"
    raise Failed("a place that no code passes was counted as reached")


@case(2, "killed before a folder is complete: it is none, and the verb can be given again")
def unfinished_folders(trial):
    shop = trial.shop()
    repository = trial.folder / "repository"
    shop.server.run("backup", "create", "--to", str(repository))
    shop.server.start()
    status, answer = shop.caller("officer").call(
        "POST", "/v1/privacy/erasures", {"identifier": {"type": "user_id", "value": "u1"}})
    if status != 200:
        raise Failed(f"an erasure is answered {status}: {answer}")
    shop.server.stop()
    restore = ("backup", "restore", "--from", str(repository))
    for point, verb in (("before_format", ("init",)), ("before_format", restore), ("erasure_replayed", restore)):
        server = Server(trial.run.binary, trial.new_folder("half"))
        done = server.attempt(*verb, env={**os.environ, "CDP_TEST_CRASH_AT": point})
        if done.returncode != CRASHED or f"ended at crash point {point}\n" not in done.stderr:
            raise Failed(f"{verb[0]}: {point} is not reached: {done.returncode} {done.stderr}")
        if server.launch() or server.ended() not in (1, 70):
            raise Failed(f"{verb[0]}, killed at {point}: half a folder is served")
        shutil.rmtree(server.data)
        server.run(*verb)
        server.start()
        back = [event for event in server.export("events") if event["userId"] == "u1"]
        server.stop()
        if back:
            raise Failed(f"{verb[0]}, killed at {point} and given again: {len(back)} events of somebody erased are there")
    return ""
