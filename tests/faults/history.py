#!/usr/bin/env python3
"""Histories of what clients asked and were answered, and whether a server that keeps its promises can have answered so.

An entry is a dict with `op`, `began`, `ended` (None: no answer came, so it may take effect at any time, or never) and

    write  key value time       a trait, by the time of its event: the latest counts
    say    key state time       granted or withdrawn, alike; of the same time the withdrawal counts
    read   key shown [value]    what a channel was given: whether anything, and the trait
    join   pair id              an assertion that two are one; `id` is what stands
    part   pair id              revoked
    look   pair joined          whether the two were one
    show   pair key other shown what a channel was given of one of the two

`began` and `ended` are of one clock: what ended before another began has to be seen by it. What overlaps may count or not.

    tests/faults/history.py FILE        checks a history that a trial has kept
"""

import collections
import json
import os
import sys
import threading
import time


class History:
    """An account of ours, in a file: an answer is in it, fsynced, before its client goes on."""

    def __init__(self, path):
        self.file, self.lock, self.count = open(path, "ab", buffering=0), threading.Lock(), 0

    def begin(self, **entry):
        with self.lock:
            number, self.count = self.count, self.count + 1
            self.put({"n": number, "began": time.monotonic(), "ended": None, **entry})
        return number

    def end(self, number, **seen):
        ended = time.monotonic()
        with self.lock:
            self.put({"n": number, "ended": ended, **seen})
        os.fsync(self.file.fileno())

    def drop(self, number):
        """It was never sent, or asked for nothing and was refused."""
        with self.lock:
            self.put({"n": number, "dropped": True})

    def put(self, line):
        self.file.write(json.dumps(line).encode() + b"\n")


def load(path):
    entries = {}
    with open(path, encoding="utf-8") as file:
        for text in file:
            line = json.loads(text)
            entries.setdefault(line["n"], {}).update(line)
    return [entry for entry in entries.values() if not entry.get("dropped")]


def check(history):
    """Everything that no server can have answered that keeps its promises; a finding begins with the promise broken."""
    by_key, by_pair = collections.defaultdict(lambda: collections.defaultdict(list)), collections.defaultdict(list)
    for entry in history:
        if entry["ended"] is None and entry["op"] in ("read", "show", "look"):
            continue  # asked, and nothing learnt
        if "key" in entry:
            by_key[entry["key"]][entry["op"]].append(entry)
        if "pair" in entry:
            by_pair[entry["pair"]].append(entry)
    found = []
    for key, ops in by_key.items():
        found += check_values(key, ops["write"], [one for one in ops["read"] if one["shown"] and "value" in one])
        found += check_consents(key, ops["say"], ops["read"], exact=True)
        found += check_consents(key, ops["say"], ops["show"], exact=False)
    for pair, entries in by_pair.items():
        found += check_pair(pair, entries)
        found += check_spread(pair, entries, {key: ops["say"] for key, ops in by_key.items()})
    return found


def over(entry, moment):
    """Answered before then."""
    return entry["ended"] is not None and entry["ended"] < moment


def earlier(reads, moment_of):
    """Of each read with the greatest `moment_of` among those that had ended before it began; None of a read is skipped."""
    by_end, at, best = sorted(reads, key=lambda one: one["ended"]), 0, None
    for read in sorted(reads, key=lambda one: one["began"]):
        while at < len(by_end) and by_end[at]["ended"] < read["began"]:
            moment = moment_of(by_end[at])
            if moment is not None and (best is None or moment > best):
                best = moment
            at += 1
        yield read, best


def check_values(key, writes, reads):
    time_of = {write["value"]: write["time"] for write in writes}
    began_of = {write["value"]: write["began"] for write in writes}
    found = []
    for read, seen in earlier(reads, lambda one: time_of.get(one["value"])):
        value = read["value"]
        if value is None:
            if any(over(write, read["began"]) for write in writes):
                found.append(f"lost update: {key} has no value at {read['began']}")
            continue
        if value not in time_of:
            found.append(f"never written: {key} is {value}")
            continue
        if began_of[value] > read["ended"]:
            found.append(f"from the future: {key} is {value} before it was written")
        done = max((write["time"] for write in writes if over(write, read["began"])), default=None)
        if done is not None and time_of[value] < done:
            found.append(f"lost update: {key} is {value} of {time_of[value]}, what was acknowledged is of {done}")
        if seen is not None and time_of[value] < seen:
            found.append(f"not monotonic: {key} is {value} of {time_of[value]}, after one of {seen} was read")
    return found


def rank(said):
    """Which of two counts."""
    return said["time"], said["state"] == "withdrawn"


def explains(says, state, read, before):
    """Whether some answer of this state can have been in force: begun in time, no later one of the other state acknowledged,
    and not acknowledged already before a read that saw it was not."""
    last = max((rank(one) for one in says if one["state"] != state and over(one, read["began"])), default=None)
    return any(one["state"] == state and one["began"] < read["ended"] and (last is None or rank(one) > last)
               and (before is None or one["ended"] is None or one["ended"] >= before) for one in says)


def check_consents(key, says, reads, exact):
    """`exact`: nothing but these answers decides what is shown."""
    found = []
    denied = {read["n"]: moment for read, moment in earlier(reads, lambda one: None if one["shown"] else one["began"])}
    shown = {read["n"]: moment for read, moment in earlier(reads, lambda one: one["began"] if one["shown"] else None)}
    for read in reads:
        if read["shown"] and not explains(says, "granted", read, denied[read["n"]] if exact else None):
            found.append(f"resurrected consent: {key} is shown at {read['began']}")
        if not read["shown"] and exact and not explains(says, "withdrawn", read, shown[read["n"]]):
            # Before anybody has granted, nobody need have withdrawn.
            if shown[read["n"]] is not None or any(one["state"] == "granted" and over(one, read["began"]) for one in says):
                found.append(f"lost grant: {key} is withheld at {read['began']}")
    return found


class Standing:
    """The assertions that join a pair, by id: when each was first asked for and answered, asked back and gone."""

    def __init__(self, entries):
        self.began, self.added, self.asked_back, self.gone = {}, {}, {}, {}
        for entry in entries:
            if entry["op"] == "join":
                # One that was never answered may be any, and nobody knows to revoke it.
                name = entry.get("id") or f"unanswered {entry['n']}"
                self.least(self.began, name, entry["began"])
                self.least(self.added, name, entry["ended"])
            elif entry["op"] == "part":
                self.least(self.asked_back, entry["id"], entry["began"])
                self.least(self.gone, entry["id"], entry["ended"])
        # Whoever was told of one may have been told of what an earlier one, unanswered, had made.
        first = min((moment for name, moment in self.began.items() if name.startswith("unanswered")), default=None)
        if first is not None:
            self.began = {name: min(moment, first) for name, moment in self.began.items()}

    @staticmethod
    def least(moments, name, moment):
        if moment is not None:
            moments[name] = min(moment, moments.get(name, moment))

    def surely(self, look):
        """Those that stood all the while."""
        return [name for name, moment in self.added.items()
                if moment < look["began"] and self.asked_back.get(name, look["ended"]) >= look["ended"]]

    def can_have_come(self, look, apart):
        """Whether one can be why they are found one, who were found two by a look that began at `apart`."""
        return any(moment < look["ended"] and self.gone.get(name, look["began"]) >= look["began"]
                   and (apart is None or self.added.get(name, apart) >= apart) for name, moment in self.began.items())

    def can_have_gone(self, look, joined):
        return joined is None or any(moment < look["ended"] and self.gone.get(name, joined) >= joined
                                     for name, moment in self.asked_back.items())


def check_pair(pair, entries):
    standing, looks = Standing(entries), [entry for entry in entries if entry["op"] == "look"]
    apart = {one["n"]: moment for one, moment in earlier(looks, lambda one: None if one["joined"] else one["began"])}
    joined = {one["n"]: moment for one, moment in earlier(looks, lambda one: one["began"] if one["joined"] else None)}
    found = []
    for look in looks:
        if look["joined"] and not standing.can_have_come(look, apart[look["n"]]):
            found.append(f"revived: pair {pair} is one at {look['began']}, and nothing says so")
        if not look["joined"] and (standing.surely(look) or not standing.can_have_gone(look, joined[look["n"]])):
            found.append(f"lost assertion: pair {pair} is two at {look['began']}, and one was not revoked")
    return found


def check_spread(pair, entries, says):
    """A denial holds for both while they are one."""
    standing, found = Standing(entries), []
    for read in entries:
        if read["op"] != "show" or not read["shown"] or not standing.surely(read):
            continue
        if not explains(says.get(read["other"], ()), "granted", read, None):
            found.append(f"resurrected consent: {read['key']} is shown at {read['began']}, {read['other']} has withdrawn "
                         f"and is the same")
    return found


if __name__ == "__main__":
    findings = check(load(sys.argv[1]))
    print("\n".join(findings) or "nothing found")
    sys.exit(1 if findings else 0)
