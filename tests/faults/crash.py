#!/usr/bin/env python3
"""Kills the server with -9 at random moments and accounts for everything it had acknowledged.

Each client thread posts batches and consents. What was answered 200 goes into a ledger file of ours,
fsynced before the next request leaves. After each kill the server is started again and

* every event in the ledger is in the export exactly once, under one person;
* nothing is in the export that nobody sent;
* every acknowledged consent is in the export once, with an idempotency key or by its content, also if it was sent again; none is
  there that nobody said; a channel sees no person whose last answer was a withdrawal;
* every acknowledged assertion and revocation of one is listed, and every assertion listed is in force: none is half there;
* every answer that a channel read before the kill is among the disclosures;
* the epoch of the keys and the ledger's key change all the while; after the start one epoch is left by itself, and the ledger verifies;
* what was sent and never answered is sent again, as SDKs do, and then counts once;
* the start took less than five seconds.

    tests/faults/crash.py --rounds 25 [--seed 7] [--clients 4] [--points before_commit,asserted]

With --points the server ends itself at these places, one a round, and at no random moment.
"""

import argparse
import collections
import http.client
import json
import pathlib
import random
import shutil
import sys
import tempfile
import threading
import time

from driver import ROOT, START_SECONDS_MAX, Caller, Failed, Ledger, Points, Server, judge_events

EPOCH_SECONDS_MAX = 20.0  # after a start
BATCH = 20
PEOPLE = 200
PURPOSE = "email_marketing"
LAST_READ = 20  # answers before the kill that are looked for among the disclosures
UNITS = 6  # of each client: pairs of identifiers that are asserted of, again and again


class Unit:
    """Two identifiers of which one kind of thing is asserted and revoked in turn. `id` is of the assertion that stands."""

    def __init__(self, lane, number):
        self.name = f"{lane}-{number}"
        self.kind = ("cannot_link", "must_link", "retract")[number % 3]
        self.id = None
        self.answered = 0
        second = {"type": "user_id", "value": f"y{self.name}"}
        if self.kind != "must_link":
            second = {"type": "anonymous_id", "value": f"z{self.name}"}
        self.pair = [{"type": "user_id", "value": f"x{self.name}"}, second]
        self.apart = self.kind != "must_link"  # while it stands; the opposite while it does not

    def tie(self):
        """What ties the two together, or makes them known."""
        event = {"messageId": f"tie-{self.name}", "type": "track", "event": "Seen", "userId": f"x{self.name}"}
        if self.kind != "must_link":
            return [{**event, "anonymousId": f"z{self.name}"}]
        return [event, {**event, "messageId": f"known-{self.name}", "userId": f"y{self.name}"}]

    def more(self):
        """Streams on while it is asserted of. A retracted event must not be said again by another."""
        event = {"type": "track", "event": "Seen", "userId": f"x{self.name}"}
        return {**event, "anonymousId": f"z{self.name}"} if self.kind == "cannot_link" else event

    def request(self, key):
        if self.id:
            return "assertion", (self, f"/v1/identity/assertions/{self.id}/revoke", {"reason": "crash test"}, None)
        body = {"kind": self.kind, "reason": "crash test"}
        if self.kind == "retract":
            body["events"] = [{"source": "till", "message_id": f"tie-{self.name}"}]
        else:
            body["identifiers"] = self.pair
        return "assertion", (self, "/v1/identity/assertions", body, key)


class Client(threading.Thread):
    """Posts until the server is gone. `open` holds what was sent and never answered."""

    def __init__(self, name, seed, address, keys, ledger, open_before, units):
        super().__init__(daemon=True)
        self.units = units
        self.name, self.random, self.address, self.keys, self.ledger = name, random.Random(seed), address, keys, ledger
        self.open = open_before
        self.sent, self.said = [], {}
        self.wrong = []

    def run(self):
        caller = Caller(self.address, self.keys["source"])
        self.steward = Caller(self.address, self.keys["steward"])
        number = 0
        try:
            for request in list(self.open):
                self.send(caller, request)
            while True:
                number += 1
                dice = self.random.random()
                if dice < 0.1:
                    request = self.random.choice(self.units).request(f"{self.name}-{number}")
                else:
                    request = self.consent() if dice < 0.3 else self.batch(number)
                self.open.append(request)
                self.send(caller, request)
        except (OSError, http.client.HTTPException):
            return  # the kill

    def send(self, caller, request):
        kind, what = request
        if kind == "assertion":
            self.send_assertion(request)
            return
        body, key = what if kind == "consent" else (what, None)
        status, answer = caller.call("POST", "/v1/consents" if kind == "consent" else "/v1/batch", body, key)
        if status in (429, 503):
            time.sleep(0.05)
            return
        if status != 200:
            self.wrong.append(f"{kind} answered {status}: {answer}")
        elif kind == "consent":
            self.ledger.write([{"receipt": body["consents"][0]["receipt_id"], "said": said_in(body)}])
        else:
            verdicts = {result["messageId"]: result["verdict"] for result in answer["results"]}
            bad = {id: verdict for id, verdict in verdicts.items() if verdict not in ("accepted", "duplicate")}
            if bad or set(verdicts) != {event["messageId"] for event in body["batch"]}:
                self.wrong.append(f"verdicts: {bad or verdicts}")
            self.ledger.write([{"id": id} for id in verdicts])
        self.open.remove(request)

    def send_assertion(self, request):
        unit, path, body, key = request[1]
        status, answer = self.steward.call("POST", path, body, key)
        while status in (429, 503):
            time.sleep(0.05)
            status, answer = self.steward.call("POST", path, body, key)
        if key and status in (200, 201) and answer["status"] == "standing":
            unit.id = answer["id"]
        elif not key and (status == 200 and answer["status"] == "revoked"
                          or status == 409 and answer["code"] == "already_revoked"):
            unit.id = None
        else:
            self.wrong.append(f"{path} answered {status}: {answer}")
        unit.answered += 1
        self.open.remove(request)

    def batch(self, number):
        events = []
        for i in range(BATCH):
            person = self.random.randrange(PEOPLE)
            event = {"messageId": f"{self.name}-{number}-{i}", "type": "track", "event": "Product Viewed",
                     "userId": f"u{person}", "properties": {"n": number, "pad": "x" * self.random.randrange(400)}}
            if self.random.random() < 0.1:
                event.update(type="identify", traits={"email": address_of(person), "email_verified": True})
                event["anonymousId"] = f"a{person}-{self.random.randrange(3)}"
            elif self.random.random() < 0.05:
                event = {"messageId": event["messageId"], **self.random.choice(self.units).more()}
            events.append(event)
            self.sent.append(event["messageId"])
        return "batch", {"batch": events}

    def consent(self):
        # Each thread has people of its own, so that the order of what it says about them is known.
        lane = int(self.name.rsplit("-", 1)[1])
        person = f"p{lane}-{self.random.randrange(20)}@shop.example"
        receipt = f"{self.name}-{len(self.said)}"
        said = {"identifiers": [{"type": "email", "value": person}], "purpose": PURPOSE, "receipt_id": receipt,
                "state": self.random.choice(["granted", "withdrawn"]), "scope": "person"}
        # Sent again it is the same by its key, whatever time the server makes of it, or by its content.
        key = receipt if self.random.random() < 0.5 else None
        if not key:
            now = time.time()
            said["time"] = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now % 1 * 1e3):03d}Z"
        body = {"consents": [said]}
        self.said[receipt] = said_in(body)
        return "consent", (body, key)


class Reader(threading.Thread):
    """Reads profiles as a channel until the server is gone. `read` holds whose, and by which decision it was answered."""

    def __init__(self, seed, address, key, lanes):
        super().__init__(daemon=True)
        self.random, self.caller, self.lanes = random.Random(seed), Caller(address, key), lanes
        self.read = []
        self.wrong = []

    def run(self):
        try:
            while True:
                who = f"p{self.random.randrange(self.lanes)}-{self.random.randrange(20)}@shop.example"
                status, answer = self.caller.call("GET", f"/v1/profiles/email:{who}?purpose={PURPOSE}")
                if status == 200:
                    self.read.append((who, answer["decision"]))
                elif status not in (429, 503):
                    self.wrong.append(f"a read of a profile is {status}: {answer}")
        except (OSError, http.client.HTTPException, ValueError):
            return  # the kill


class KeyChanger(threading.Thread):
    """Ends epochs and rotates the ledger's key until the server is gone."""

    def __init__(self, address, key):
        super().__init__(daemon=True)
        self.address, self.key = address, key
        self.ended = 0
        self.wrong = []

    def post(self, path):
        connection = http.client.HTTPConnection(*self.address, timeout=30)
        connection.request("POST", path, headers={"Authorization": f"Bearer {self.key}", "Content-Length": "0"})
        answer = connection.getresponse()
        lines = answer.read().decode().splitlines()
        if answer.status not in (200, 409, 503):
            self.wrong.append(f"{path} is {answer.status}: {lines}")
        return json.loads(lines[-1]) if lines else {}

    def run(self):
        try:
            while True:
                self.ended += "result" in self.post("/v1/keys/epochs")
                if self.ended % 3 == 0:
                    self.post("/v1/ledger/keys")
        except (OSError, http.client.HTTPException, ValueError):
            return  # the kill


def address_of(person):
    return f"u{person}@shop.example"


def said_in(body):
    """Who said what, and when; no time: when it was received."""
    said = body["consents"][0]
    return said["identifiers"][0]["value"], said["state"], said.get("time")


def judge_consents(acknowledged, said, exported):
    """`said` holds who said what and when by the number of its receipt, `acknowledged` the numbers of what was answered."""
    there = collections.defaultdict(list)
    for record in exported:
        there[record.get("receipt_id")].append(record)
    found = [f"acknowledged and forgotten: consent {receipt}, {said[receipt]}" for receipt in sorted(acknowledged - there.keys())]
    for receipt, records in there.items():
        if receipt not in said:
            found.append(f"nobody said: {records}")
            continue
        if len(records) > 1:
            found.append(f"there {len(records)} times: consent {receipt}, {said[receipt]}")
        who, state, when = said[receipt]
        for record in records:
            is_so = [one["value"] for one in record["identifiers"]] == [who] and record["state"] == state
            # Times are compared as instants, however they are written.
            if not is_so or when and instant(record["time"]) != instant(when):
                found.append(f"consent {receipt} was {said[receipt]}, is {record}")
    return found


def judge_assertions(standing, together, unsure):
    """`unsure` holds the units of which the last request was not answered: it is done whole or not at all."""
    listed = collections.Counter()
    for assertion in standing:
        said = assertion.get("identifiers") or assertion["events"]
        listed[json.dumps(said, sort_keys=True)] += 1
    ids = {assertion["id"] for assertion in standing}
    found = []
    for unit, one in together.items():
        said = [{"source": "till", "message_id": f"tie-{unit.name}"}] if unit.kind == "retract" else unit.pair
        stands = listed[json.dumps(said, sort_keys=True)]
        if stands > 1:
            found.append(f"{unit.kind} {unit.name} stands {stands} times")
        if unit not in unsure and bool(stands) != (unit.id in ids if unit.id else False):
            found.append(f"{unit.kind} {unit.name} was answered as {unit.id or 'revoked'}, {stands} stand")
        if unit not in unsure and unit.id and not stands:
            found.append(f"acknowledged and forgotten: {unit.kind} {unit.name}")
        if one is (bool(stands) == unit.apart):
            found.append(f"{unit.kind} {unit.name} {'stands' if stands else 'does not stand'} and is not in force")
    return found


def judge_disclosures(read, listed):
    """`read` holds (who, decision); `listed` the decisions by which something is listed of each."""
    return [f"read and not listed: {who} by {decision}" for who, decision in sorted(set(read))
            if decision not in listed.get(who, ())]


def instant(text):
    """The same text for the same millisecond."""
    whole, _, fraction = text.rstrip("Z").partition(".")
    return whole + "." + fraction.ljust(3, "0")[:3]


def last_words(records):
    """Of two answers in one millisecond the withdrawal counts, and it sorts last."""
    words = {}
    for record in records:
        who = record["identifiers"][0]["value"]
        words[who] = max(words.get(who, ("", "")), (instant(record["time"]), record["state"]))
    return {who: state for who, (_, state) in words.items()}


def read_ledgers(paths):
    events, consents = set(), set()
    for path in paths:
        for line in path.read_text().splitlines():
            entry = json.loads(line)
            if "id" in entry:
                events.add(entry["id"])
            else:
                consents.add(entry["receipt"])
    return events, consents


class Run:
    """One data folder and the ledgers beside it."""

    def __init__(self, arguments, points):
        self.arguments, self.points = arguments, points
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="cdp-crash-"))
        self.server = Server(arguments.binary, self.folder)
        self.server.run("init")
        self.slowest = 0.0
        self.sent, self.said = set(), {}
        self.open = {lane: [] for lane in range(arguments.clients)}
        self.ledgers = {lane: Ledger(self.folder / f"ledger-{lane}") for lane in self.open}
        self.units = {lane: [Unit(lane, number) for number in range(UNITS)] for lane in self.open}
        self.start()
        self.keys = {"source": self.server.key("source", "till", "--trust", "server"),
                     "channel": self.server.key("channel", "newsletter", "--channel", "email_tool"),
                     "steward": self.server.key("steward", "kim"),
                     "officer": self.server.key("officer", "lee"),
                     "admin": self.server.key("admin", "root")}
        self.last_read, self.reads, self.epochs = [], 0, 0
        self.introduce()

    def start(self):
        seconds = self.server.start()
        self.slowest = max(self.slowest, seconds)
        if seconds > START_SECONDS_MAX and not self.points.names:  # beside other trials it takes as long as it takes
            self.server.kill()
            raise Failed(f"the server took {seconds:.1f} s to start")

    def introduce(self):
        """The people whose consents change must exist, or a read of them is 404."""
        caller = Caller(self.server.address, self.keys["source"])
        events = [{"messageId": f"hello-{lane}-{n}", "type": "identify", "userId": f"p{lane}-{n}",
                   "traits": {"email": f"p{lane}-{n}@shop.example", "email_verified": True}}
                  for lane in self.open for n in range(20)]
        events += [event for units in self.units.values() for unit in units for event in unit.tie()]
        status, answer = caller.call("POST", "/v1/batch", {"batch": events})
        if status != 200:
            raise Failed(f"the first batch was answered {status}: {answer}")
        self.sent.update(event["messageId"] for event in events)
        self.ledgers[0].write([{"id": event["messageId"]} for event in events])

    def round(self, number, seed):
        rng = random.Random(seed)
        point = self.points.of_round(number, rng)
        if point and not self.server.arm(point):
            self.points.note(self.server, point, 1)
            self.start()
            return
        clients = [Client(f"r{number}-{lane}", seed * 1000 + lane, self.server.address, self.keys,
                          self.ledgers[lane], self.open[lane], self.units[lane]) for lane in self.open]
        reader = Reader(seed, self.server.address, self.keys["channel"], len(clients))
        changer = KeyChanger(self.server.address, self.keys["admin"])
        for client in (*clients, reader, changer):
            client.start()
        if point:
            self.points.note(self.server, point, self.arguments.patience)
        else:
            time.sleep(rng.uniform(self.arguments.shortest, self.arguments.longest))
            self.server.kill()
        for client in clients:
            client.join()
            self.sent.update(client.sent)
            self.said.update(client.said)
            if client.wrong:
                raise Failed("; ".join(client.wrong[:5]))
        reader.join()
        changer.join()
        self.epochs += changer.ended
        if reader.wrong or changer.wrong:
            raise Failed("; ".join((reader.wrong + changer.wrong)[:5]))
        # The last ones are those that a journal written too late would lose.
        self.last_read, self.reads = reader.read[-LAST_READ:], self.reads + len(reader.read)
        self.start()
        self.check_epochs()
        self.check_assertions()
        found = judge_disclosures(self.last_read, self.read_disclosures(self.last_read))
        if found:
            raise Failed(f"{len(found)} findings of disclosures:\n  " + "\n  ".join(found[:20]))

    def check_epochs(self):
        """What was under way when the server was killed ends without being asked for."""
        caller = Caller(self.server.address, self.keys["admin"])
        until = time.monotonic() + EPOCH_SECONDS_MAX
        while True:
            status, state = caller.call("GET", "/v1/keys/epochs")
            if status == 200 and len(state["epochs"]) == 1 and not state["changing"]:
                return
            if time.monotonic() > until:
                raise Failed(f"the epochs are {status}: {state}")
            time.sleep(0.01)

    def read_disclosures(self, read):
        """By which decisions something is listed of each of those who were read."""
        caller = Caller(self.server.address, self.keys["officer"])
        since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 60))
        listed = {}
        for who in {who for who, _ in read}:
            listed[who], cursor = set(), ""
            while cursor is not None:
                status, page = caller.call(
                    "GET", f"/v1/audit/disclosures?subject=email:{who}&since={since}&limit=1000{cursor}")
                if status != 200:
                    raise Failed(f"the list of disclosures is {status}: {page}")
                listed[who].update(row["decision"] for row in page["disclosures"])
                cursor = page["next"] and f"&cursor={page['next']}"
        return listed

    def check_assertions(self):
        unsure = {request[1][0] for requests in self.open.values() for request in requests if request[0] == "assertion"}
        found = judge_assertions(*self.read_assertions(), unsure)
        if found:
            raise Failed(f"{len(found)} findings of assertions:\n  " + "\n  ".join(found[:20]))

    def asserted(self):
        return sum(unit.answered for units in self.units.values() for unit in units)

    def read_assertions(self):
        """What stands by the list, and per unit whether its two are one person."""
        caller = Caller(self.server.address, self.keys["steward"])
        standing, cursor = [], ""
        while cursor is not None:
            status, page = caller.call("GET", f"/v1/identity/assertions?status=standing&limit=1000{cursor}")
            if status != 200:
                raise Failed(f"the list of assertions is {status}: {page}")
            standing += page["assertions"]
            cursor = page["next"] and f"&cursor={page['next']}"
        together = {}
        for unit in (unit for units in self.units.values() for unit in units):
            persons = set()
            for one in unit.pair:
                status, answer = caller.call("GET", f"/v1/profiles/{one['type']}:{one['value']}/groups")
                persons.add(answer.get("person", one["value"]))
            together[unit] = len(persons) == 1
        return standing, together

    def read_acknowledged(self):
        return read_ledgers([ledger.path for ledger in self.ledgers.values()])

    def check(self):
        events, consents = self.read_acknowledged()
        found, records = self.judge_exports(events, consents)
        found += self.check_reads(record for record in records if record["receipt_id"] in consents)
        if found:
            raise Failed(f"{len(found)} findings:\n  " + "\n  ".join(found[:20]))
        return len(events), len(consents)

    def judge_exports(self, events, consents):
        """With the exported consents."""
        records = self.server.export("consents")
        found = judge_events(events, self.sent, self.server.export("events"))
        return found + judge_consents(consents, self.said, records), records

    def check_reads(self, records):
        """No channel sees an address whose last acknowledged word, with nothing said after it, was a withdrawal."""
        unsure = {said_in(request[1][0])[0]
                  for requests in self.open.values() for request in requests if request[0] == "consent"}
        caller = Caller(self.server.address, self.keys["channel"])
        found = []
        for who, state in last_words(records).items():
            if who in unsure:
                continue
            status, answer = caller.call("GET", f"/v1/profiles/email:{who}?purpose={PURPOSE}")
            shown = who in json.dumps(answer.get("traits", "")) if status == 200 else None
            if shown is not (state == "granted"):
                found.append(f"{who} last said {state}, the read says {status} {json.dumps(answer)[:300]}")
        return found

    def plant(self):
        """The checks are worth something only if they notice. Each planted fault must be reported."""
        events, consents = self.read_acknowledged()
        exported, records = self.server.export("events"), self.server.export("consents")
        lost = next(i for i, event in enumerate(exported) if event["messageId"] in events)
        said = next(record for record in records if record["receipt_id"] in consents)
        others = [record for record in records if record is not said]
        planted = {
            "a lost event": judge_events(events, self.sent, exported[:lost] + exported[lost + 1:]),
            "a doubled event": judge_events(events, self.sent, exported + [exported[lost]]),
            "an invented event": judge_events(events, self.sent, exported + [{**exported[lost], "messageId": "x"}]),
            "a torn person": judge_events(events, self.sent, [{**exported[lost], "person": "other"}] + exported),
            "a forgotten consent": judge_consents(consents, self.said, others),
            "a doubled consent": judge_consents(consents, self.said, [*records, {**said, "id": "0" * 32}]),
            "a consent that nobody gave": judge_consents(consents, self.said, [*records, {**said, "receipt_id": "x"}]),
            "a consent turned round": judge_consents(
                consents, self.said, [*others, {**said, "state": "granted" if said["state"] == "withdrawn" else "withdrawn"}]),
        }
        standing, together = self.read_assertions()
        planted["an assertion half there"] = judge_assertions(
            standing, {unit: not one for unit, one in together.items()}, set())
        for unit in together:
            unit.id = unit.id or "0" * 32
        planted["an answer that is not listed"] = judge_disclosures([("a@shop.example", "1")], {"a@shop.example": {"2"}})
        planted["a forgotten assertion"] = judge_assertions([], together, set())
        unseen = [fault for fault, found in planted.items() if not found]
        if unseen:
            raise Failed(f"the checker did not notice {', '.join(unseen)}")

    def end(self):
        if self.server.stop() != 0:
            raise Failed("the server did not end cleanly on SIGTERM")
        self.check_offline()

    def check_offline(self):
        """The same without a server: the folder alone holds everything."""
        found, _ = self.judge_exports(*self.read_acknowledged())
        if found:
            raise Failed("without the server: " + "; ".join(found[:10]))
        self.server.run("ledger", "verify")

    def remove(self):
        if self.server.process and self.server.process.poll() is None:
            self.server.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


def rounds_on_one_folder(arguments, points, first, last):
    run = Run(arguments, points)
    try:
        for number in range(first, last):
            run.round(number, arguments.seed + number)
            if number % arguments.check_every == 0 or number + 1 == last:
                events, consents = run.check()
                print(f"round {number + 1}: {events} events, {consents} consents and {run.asserted()} assertions and "
                      f"revocations acknowledged, none lost, none double; {run.reads} reads; {run.epochs} epochs ended; slowest start "
                      f"{run.slowest:.2f} s", flush=True)
        run.plant()
        run.end()
    except BaseException:
        print(f"kept for inspection: {run.folder}", file=sys.stderr)
        run.server.process and run.server.process.poll() is None and run.server.kill()
        raise
    run.remove()


def main():
    parse = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parse.add_argument("--rounds", type=int, default=25)
    parse.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 30))
    parse.add_argument("--clients", type=int, default=4)
    parse.add_argument("--shortest", type=float, default=0.2, help="seconds before the kill, at least")
    parse.add_argument("--longest", type=float, default=1.5, help="seconds before the kill, at most")
    parse.add_argument("--check-every", type=int, default=5, help="rounds between two full comparisons")
    parse.add_argument("--per-folder", type=int, default=50, help="rounds before a fresh data folder")
    parse.add_argument("--points", default="", help="names of crash points, separated by commas")
    parse.add_argument("--patience", type=float, default=20, help="seconds for the server to pass a place")
    parse.add_argument("--binary", default=ROOT / "build/cdp")
    arguments = parse.parse_args()
    if not pathlib.Path(arguments.binary).exists():
        raise SystemExit(f"no {arguments.binary}: run ./dev build")
    print(f"crash test: {arguments.rounds} rounds, seed {arguments.seed}", flush=True)
    done, points = 0, Points(arguments.points)
    try:
        while done < arguments.rounds:
            last = min(done + arguments.per_folder, arguments.rounds)
            rounds_on_one_folder(arguments, points, done, last)
            done = last
        points.judge()
    except Failed as failed:
        print(f"FAIL (seed {arguments.seed}): {failed}")
        print(f"crash: {done} passed, 1 failed, {arguments.rounds - done - 1} skipped")
        return 1
    print(f"crash: {done} passed, 0 failed, 0 skipped")
    return 0


if __name__ == "__main__":
    sys.exit(main())
