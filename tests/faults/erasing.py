#!/usr/bin/env python3
"""Erases people while they are written about, merged and copied, and kills the server with -9 in the middle.

Each lane makes people, merges some two by two, and erases them by any identifier while others post about them, link
them and a backup is made. After each kill and start

* nobody is half there: of a person either everything acknowledged is in the export or nothing;
* who was erased by the server's word is gone, from events, persons, links and consents, whatever came beside;
* an erasure that was never answered is asked for again, and then is done;
* what is sent again of who was erased is `suppressed`; who comes back afterwards is there, with nothing behind.

At the end a backup from before is restored: in the copy the erased are gone too.

    tests/faults/erasing.py --rounds 10 [--seed 7] [--lanes 3]
"""

import argparse
import http.client
import json
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from driver import ROOT, START_SECONDS_MAX, Caller, Failed, Points, Server

EVENTS = 30  # of each person
BUSY = (429, 503)
POINT_SECONDS = 20.0


class Person:
    """Identifiers of one person, and what was acknowledged of it."""

    def __init__(self, name):
        self.name = name
        self.identifiers = [("user_id", f"u-{name}"), ("email", f"{name}@shop.example"), ("anonymous_id", f"c-{name}")]
        self.old, self.new = set(), set()
        self.asked = self.erased = False

    def events(self, tablet):
        """From a minute ago, so that an erasure of now covers them."""
        when = time.time() - 60
        for n in range(EVENTS):
            event = {"messageId": f"{self.name}-{n}", "type": "track", "event": "Product Viewed", "userId": f"u-{self.name}",
                     "timestamp": stamp(when + n), "properties": {"marker": f"{self.name}@shop.example"}}
            if n % 10 == 0:
                event.update(type="identify", anonymousId=f"c-{self.name}",
                             traits={"email": f"{self.name}@shop.example", "email_verified": True})
            elif n % 3 == 0:
                event["anonymousId"] = tablet
            yield event

    def returns(self):
        return {"messageId": f"{self.name}-again", "type": "track", "event": "Product Viewed",
                "userId": f"u-{self.name}", "timestamp": stamp(time.time() + 0.01)}


def stamp(when):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(when)) + f".{int(when % 1 * 1e3):03d}Z"


class Lane(threading.Thread):
    """Makes, merges and erases people until the server is gone."""

    def __init__(self, name, seed, address, keys, open_before):
        super().__init__(daemon=True)
        self.name, self.random, self.address, self.keys = name, random.Random(seed), address, keys
        self.open = open_before  # asked to be erased, and not answered
        self.people, self.wrong = [], []

    def caller(self, role):
        return Caller(self.address, self.keys[role])

    def run(self):
        number = 0
        try:
            for person in self.open:
                self.erase(person)
            while True:
                pair = [Person(f"{self.name}-{number}-{side}") for side in "ab"]
                number += 1
                for person in pair:
                    self.people.append(person)
                    self.post(self.caller("source"), person)
                merger = threading.Thread(target=self.beside, args=(self.merge, pair), daemon=True)
                merger.start()
                if self.random.random() < 0.5:
                    merger.join()
                for person in pair:
                    poster = threading.Thread(target=self.beside, args=(self.post, person), daemon=True)
                    poster.start()
                    self.erase(person)
                    poster.join()
                merger.join()
        except (OSError, http.client.HTTPException, ValueError):
            return  # the kill

    def beside(self, work, subject):
        try:
            work(self.caller("steward" if work == self.merge else "source"), subject)
        except (OSError, http.client.HTTPException, ValueError):
            return  # the kill

    def post(self, caller, person):
        """Says everything of the person, once more if it was said before."""
        erased = person.erased  # afterwards nothing of it may be taken
        batch = list(person.events(f"tablet-{self.name}"))
        status, answer = caller.call("POST", "/v1/batch", {"batch": batch})
        if status in BUSY:
            return
        if status != 200:
            self.wrong.append(f"a batch answered {status}: {answer}")
            return
        for result in answer["results"]:
            if result["verdict"] == "accepted" and not person.asked:
                person.old.add(result["messageId"])
            if erased and result["verdict"] != "suppressed":
                self.wrong.append(f"of who is erased, {result['messageId']} is {result['verdict']}")

    def merge(self, caller, pair):
        said = [{"type": "user_id", "value": f"u-{person.name}"} for person in pair]
        status, answer = caller.call("POST", "/v1/identity/assertions",
                                     {"kind": "must_link", "identifiers": said, "reason": "erasing"})
        if status not in (200, 201, 404, 409, *BUSY):
            self.wrong.append(f"a merge answered {status}: {answer}")

    def erase(self, person):
        kind, value = self.random.choice(person.identifiers)
        person.asked = True
        caller, source = self.caller("officer"), self.caller("source")
        while True:
            status, answer = caller.call("POST", "/v1/privacy/erasures", {"identifier": {"type": kind, "value": value}})
            if status not in BUSY:
                break
            time.sleep(0.02)
        if status != 200 or answer["status"] != "completed":
            self.wrong.append(f"an erasure answered {status}: {answer}")
            return
        # By one identifier the others are found as long as they are linked; before the links were, by their own.
        for other in person.identifiers:
            if other != (kind, value):
                caller.call("POST", "/v1/privacy/erasures", {"identifier": {"type": other[0], "value": other[1]}})
        person.erased = True
        self.post(source, person)
        status, answer = source.call("POST", "/v1/track", person.returns())
        if status == 200 and answer["results"][0]["verdict"] == "accepted":
            person.new.add(f"{person.name}-again")
        elif status not in BUSY:
            self.wrong.append(f"who came back was answered {status}: {answer}")


class Copier(threading.Thread):
    """Makes backups until the server is gone."""

    def __init__(self, server, repository):
        super().__init__(daemon=True)
        self.server, self.repository, self.made = server, repository, 0

    def run(self):
        while self.server.process.poll() is None:
            done = subprocess.run([self.server.binary, "backup", "create", "--data", self.server.data, "--to",
                                   str(self.repository)], capture_output=True, text=True)
            if done.returncode:
                return  # the kill, or the server is on its way down
            self.made += 1


def judge(people, exports):
    """Everything wrong with who is there."""
    events, persons, links, consents = (json.dumps(exports[kind]) for kind in ("events", "persons", "links", "consents"))
    there = {event["messageId"] for event in exports["events"]}
    found = []
    for person in people:
        left = {id for id in person.old if id in there}
        if person.erased:
            if left:
                found.append(f"{person.name} is erased, and {len(left)} events are there")
            for name, text in (("events", events), ("persons", persons), ("links", links), ("consents", consents)):
                if f"{person.name}@shop.example" in text or f"c-{person.name}\"" in text:
                    found.append(f"{person.name} is erased, and named among the {name}")
            if not person.new <= there:
                found.append(f"{person.name} came back and is not there")
        elif left and left != person.old:
            found.append(f"of {person.name} {len(left)} of {len(person.old)} events are there")
        elif person.old and not left and not person.asked and not partner(person, people).asked:
            found.append(f"{person.name} was lost")
    return found


def partner(person, people):
    """Who may have been merged with them, and so be erased together."""
    name = person.name[:-1] + ("b" if person.name.endswith("a") else "a")
    return next((one for one in people if one.name == name), person)


class Run:
    def __init__(self, arguments):
        self.arguments, self.points = arguments, Points(arguments.points)
        self.folder = Path(tempfile.mkdtemp(prefix="cdp-erasing-"))
        self.server = Server(arguments.binary, self.folder)
        self.server.run("init")
        self.repository = self.folder / "backups"
        self.people, self.open, self.backups = [], {lane: [] for lane in range(arguments.lanes)}, 0

    def begin(self):
        self.start()
        self.keys = {"source": self.server.key("source", "till", "--trust", "server"),
                     "steward": self.server.key("steward", "kim"), "officer": self.server.key("officer", "lee")}

    def start(self):
        seconds = self.server.start()
        if seconds > START_SECONDS_MAX and not self.points.names:
            raise Failed(f"the server took {seconds:.1f} s to start")

    def export(self):
        return {kind: self.server.export(kind) for kind in ("events", "persons", "links", "consents")}

    def round(self, number, seed):
        point = self.points.of_round(number, random.Random(seed))
        if point and not self.server.arm(point):
            raise Failed(f"the server does not start: {self.server.said()}")
        lanes = [Lane(f"r{number}x{lane}", seed * 100 + lane, self.server.address, self.keys, self.open[lane])
                 for lane in self.open]
        copier = Copier(self.server, self.repository)
        for thread in (*lanes, copier):
            thread.start()
        if point:
            self.points.note(self.server, point, POINT_SECONDS)
        else:
            time.sleep(random.Random(seed).uniform(self.arguments.shortest, self.arguments.longest))
            self.server.kill()
        for thread in (*lanes, copier):
            thread.join()
        self.backups += copier.made
        for lane, ended in enumerate(lanes):
            if ended.wrong:
                raise Failed("; ".join(ended.wrong[:5]))
            self.people += ended.people
            self.open[lane] = [person for person in ended.open + ended.people if person.asked and not person.erased]
        self.start()
        self.check()

    def check(self):
        found = judge(self.people, self.export())
        if found:
            raise Failed(f"{len(found)} findings:\n  " + "\n  ".join(found[:20]))

    def end(self):
        """What was never answered is asked for again; then the folder is folded anew, and a copy restored."""
        for lane, people in self.open.items():
            last = Lane(f"last{lane}", lane, self.server.address, self.keys, [])
            for person in people:
                last.erase(person)
            if last.wrong:
                raise Failed("; ".join(last.wrong[:5]))
        self.check()
        self.plant()
        self.points.judge()
        if self.server.stop() != 0:
            raise Failed("the server did not end cleanly on SIGTERM")
        self.server.run("rebuild", "--check")
        self.server.run("ledger", "verify")
        self.restore()

    def plant(self):
        exports = self.export()
        one = next(person for person in self.people if person.erased and person.old)
        back = {**exports, "events": exports["events"] + [{"messageId": next(iter(one.old))}]}
        named = {**exports, "links": exports["links"] + [{"value": f"{one.name}@shop.example"}]}
        if not judge(self.people, back) or not judge(self.people, named):
            raise Failed("the checker did not notice who was brought back")

    def restore(self):
        if not self.backups:
            if self.points.names:
                return  # a server that ends itself at once has no time for one
            raise Failed("no backup was made")
        folder = self.folder / "copy"
        folder.mkdir()
        copy = Server(self.arguments.binary, folder)
        copy.run("backup", "restore", "--from", str(self.repository))
        there = {event["messageId"] for event in copy.export("events")}
        back = [person.name for person in self.people if person.erased and person.old & there]
        if back:
            raise Failed(f"a restore brought back {', '.join(back[:5])}")


def main():
    parse = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parse.add_argument("--rounds", type=int, default=10)
    parse.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 30))
    parse.add_argument("--lanes", type=int, default=3)
    parse.add_argument("--shortest", type=float, default=0.3, help="seconds before the kill, at least")
    parse.add_argument("--longest", type=float, default=2.0, help="seconds before the kill, at most")
    parse.add_argument("--points", default="", help="names of crash points, as in crash.py")
    parse.add_argument("--binary", default=ROOT / "build/cdp")
    arguments = parse.parse_args()
    if not Path(arguments.binary).exists():
        raise SystemExit(f"no {arguments.binary}: run ./dev build")
    print(f"erasing: {arguments.rounds} rounds, seed {arguments.seed}", flush=True)
    run = Run(arguments)
    try:
        run.begin()
        for number in range(arguments.rounds):
            run.round(number, arguments.seed + number)
        run.end()
    except Failed as failed:
        print(f"FAIL (seed {arguments.seed}): {failed}\nkept for inspection: {run.folder}")
        print("erasing: 0 passed, 1 failed, 0 skipped")
        return 1
    finally:
        if run.server.process and run.server.process.poll() is None:
            run.server.kill()
    shutil.rmtree(run.folder, ignore_errors=True)
    gone = sum(person.erased for person in run.people)
    print(f"{gone} people erased in {arguments.rounds} rounds, {run.backups} backups beside it; none half there, none back")
    print(f"erasing: {arguments.rounds} passed, 0 failed, 0 skipped")
    return 0


if __name__ == "__main__":
    sys.exit(main())
