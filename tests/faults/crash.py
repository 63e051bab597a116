#!/usr/bin/env python3
"""Kills the server with -9 at random moments and accounts for everything it had acknowledged.

Each client thread posts batches and consents. What was answered 200 goes into a ledger file of ours,
fsynced before the next request leaves. After each kill the server is started again and

* every event in the ledger is in the export exactly once, under one person;
* nothing is in the export that nobody sent;
* every acknowledged consent is in the export, and a channel sees no person whose last answer was a withdrawal;
* what was sent and never answered is sent again, as SDKs do, and then counts once;
* the start took less than five seconds.

    tests/faults/crash.py --rounds 25 [--seed 7] [--clients 4]
"""

import argparse
import collections
import http.client
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
START_SECONDS_MAX = 5.0
BATCH = 20
PEOPLE = 200
PURPOSE = "email_marketing"


class Server:
    """The real binary on a folder of its own."""

    def __init__(self, binary, folder):
        self.binary, self.folder, self.data = str(binary), folder, str(folder / "data")
        self.process = None
        self.log = open(folder / "serve.log", "ab")

    def run(self, *arguments):
        done = subprocess.run([self.binary, *arguments, "--data", self.data], capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"cdp {' '.join(arguments)} failed ({done.returncode}): {done.stderr.strip()}")
        return done.stdout

    def key(self, role, name, *more):
        return self.run("keys", "add", "--role", role, "--name", name, *more).strip()

    def start(self):
        """Seconds from the start of the process to the line that says it listens."""
        began = time.monotonic()
        self.process = subprocess.Popen(
            [self.binary, "serve", "--data", self.data, "--listen", "127.0.0.1:0"],
            stdout=subprocess.PIPE, stderr=self.log, text=True)
        for line in self.process.stdout:
            found = re.search(r"listening on http://([^\s:]+):(\d+)", line)
            if found:
                self.address = (found[1], int(found[2]))
                threading.Thread(target=self.process.stdout.read, daemon=True).start()
                return time.monotonic() - began
        tail = (self.folder / "serve.log").read_text(errors="replace")[-2000:]
        raise Failed(f"the server did not start again (exit {self.process.wait()}):\n{tail}")

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=30)

    def export(self, kind):
        return [json.loads(line) for line in self.run("export", kind, "--reason", "crash test").splitlines()]


class Failed(Exception):
    pass


class Caller:
    """One keep-alive connection with a key. `post` and `get` give the status and the JSON body."""

    def __init__(self, address, key):
        self.connection = http.client.HTTPConnection(*address, timeout=20)
        self.headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

    def call(self, method, path, body=None):
        text = None if body is None else json.dumps(body)
        self.connection.request(method, path, body=text, headers=self.headers)
        answer = self.connection.getresponse()
        return answer.status, json.loads(answer.read() or b"null")


class Ledger:
    """What the server acknowledged, one JSON line each, durable before `write` returns."""

    def __init__(self, path):
        self.path = path
        self.file = open(path, "ab", buffering=0)

    def write(self, entries):
        self.file.write(b"".join(json.dumps(entry).encode() + b"\n" for entry in entries))
        os.fsync(self.file.fileno())


class Client(threading.Thread):
    """Posts until the server is gone. `open` holds what was sent and never answered."""

    def __init__(self, name, seed, address, keys, ledger, open_before):
        super().__init__(daemon=True)
        self.name, self.random, self.address, self.keys, self.ledger = name, random.Random(seed), address, keys, ledger
        self.open = open_before
        self.sent = []
        self.wrong = []

    def run(self):
        caller = Caller(self.address, self.keys["source"])
        number = 0
        try:
            for request in list(self.open):
                self.send(caller, request)
            while True:
                number += 1
                consent = self.random.random() < 0.2
                request = self.consent() if consent else self.batch(number)
                self.open.append(request)
                self.send(caller, request)
        except (OSError, http.client.HTTPException):
            return  # the kill

    def send(self, caller, request):
        kind, body = request
        status, answer = caller.call("POST", "/v1/consents" if kind == "consent" else "/v1/batch", body)
        if status in (429, 503):
            time.sleep(0.05)
            return
        if status != 200:
            self.wrong.append(f"{kind} answered {status}: {answer}")
        elif kind == "consent":
            said = body["consents"][0]
            self.ledger.write([{"who": said["identifiers"][0]["value"], "state": said["state"], "time": said["time"]}])
        else:
            verdicts = {result["messageId"]: result["verdict"] for result in answer["results"]}
            bad = {id: verdict for id, verdict in verdicts.items() if verdict not in ("accepted", "duplicate")}
            if bad or set(verdicts) != {event["messageId"] for event in body["batch"]}:
                self.wrong.append(f"verdicts: {bad or verdicts}")
            self.ledger.write([{"id": id} for id in verdicts])
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
            events.append(event)
            self.sent.append(event["messageId"])
        return "batch", {"batch": events}

    def consent(self):
        # Each thread has people of its own, so that the order of what it says about them is known.
        lane = int(self.name.rsplit("-", 1)[1])
        person = f"p{lane}-{self.random.randrange(20)}@shop.example"
        now = time.time()
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now % 1 * 1e3):03d}Z"
        said = {"identifiers": [{"type": "email", "value": person}], "purpose": PURPOSE, "time": stamp,
                "state": self.random.choice(["granted", "withdrawn"]), "scope": "person"}
        return "consent", {"consents": [said]}


def address_of(person):
    return f"u{person}@shop.example"


def judge_events(acknowledged, sent, exported):
    """Everything wrong with the exported events."""
    times = collections.Counter(event["messageId"] for event in exported)
    found = [f"acknowledged and lost: {id}" for id in sorted(acknowledged - times.keys())]
    found += [f"there {n} times: {id}" for id, n in times.items() if n > 1]
    found += [f"never sent: {id}" for id in sorted(times.keys() - sent)]
    persons = collections.defaultdict(set)
    for event in exported:
        persons[event["userId"]].add(event.get("person"))
    found += [f"{user} is {len(ids)} persons" for user, ids in persons.items() if len(ids) != 1 or None in ids]
    return found


def judge_consents(acknowledged, exported):
    """`acknowledged` holds (who, state, time). Times are compared as instants, however they are written."""
    there = collections.Counter()
    for record in exported:
        for identifier in record["identifiers"]:
            there[(identifier["value"], record["state"], instant(record["time"]))] += 1
    wanted = {(who, state, instant(when)) for who, state, when in acknowledged}
    return [f"acknowledged and forgotten: {state} of {who} at {when}" for who, state, when in sorted(wanted - there.keys())]


def instant(text):
    """The same text for the same millisecond."""
    whole, _, fraction = text.rstrip("Z").partition(".")
    return whole + "." + fraction.ljust(3, "0")[:3]


def last_words(acknowledged):
    """Of two answers in one millisecond the withdrawal counts, and it sorts last."""
    words = {}
    for who, state, when in acknowledged:
        words[who] = max(words.get(who, ("", "")), (instant(when), state))
    return {who: state for who, (_, state) in words.items()}


def read_ledgers(paths):
    events, consents = set(), set()
    for path in paths:
        for line in path.read_text().splitlines():
            entry = json.loads(line)
            if "id" in entry:
                events.add(entry["id"])
            else:
                consents.add((entry["who"], entry["state"], entry["time"]))
    return events, consents


class Run:
    """One data folder and the ledgers beside it."""

    def __init__(self, arguments):
        self.arguments = arguments
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="cdp-crash-"))
        self.server = Server(arguments.binary, self.folder)
        self.server.run("init")
        self.slowest = 0.0
        self.sent = set()
        self.open = {lane: [] for lane in range(arguments.clients)}
        self.ledgers = {lane: Ledger(self.folder / f"ledger-{lane}") for lane in self.open}
        self.start()
        self.keys = {"source": self.server.key("source", "till", "--trust", "server"),
                     "channel": self.server.key("channel", "newsletter", "--channel", "email_tool")}
        self.introduce()

    def start(self):
        seconds = self.server.start()
        self.slowest = max(self.slowest, seconds)
        if seconds > START_SECONDS_MAX:
            raise Failed(f"the server took {seconds:.1f} s to start")

    def introduce(self):
        """The people whose consents change must exist, or a read of them is 404."""
        caller = Caller(self.server.address, self.keys["source"])
        events = [{"messageId": f"hello-{lane}-{n}", "type": "identify", "userId": f"p{lane}-{n}",
                   "traits": {"email": f"p{lane}-{n}@shop.example", "email_verified": True}}
                  for lane in self.open for n in range(20)]
        status, answer = caller.call("POST", "/v1/batch", {"batch": events})
        if status != 200:
            raise Failed(f"the first batch was answered {status}: {answer}")
        self.sent.update(event["messageId"] for event in events)
        self.ledgers[0].write([{"id": event["messageId"]} for event in events])

    def round(self, number, seed):
        rng = random.Random(seed)
        clients = [Client(f"r{number}-{lane}", seed * 1000 + lane, self.server.address, self.keys,
                          self.ledgers[lane], self.open[lane]) for lane in self.open]
        for client in clients:
            client.start()
        time.sleep(rng.uniform(self.arguments.shortest, self.arguments.longest))
        self.server.kill()
        for client in clients:
            client.join()
            self.sent.update(client.sent)
            if client.wrong:
                raise Failed("; ".join(client.wrong[:5]))
        self.start()

    def read_acknowledged(self):
        return read_ledgers([ledger.path for ledger in self.ledgers.values()])

    def check(self):
        events, consents = self.read_acknowledged()
        exported = self.server.export("events")
        found = judge_events(events, self.sent, exported)
        found += judge_consents(consents, self.server.export("consents"))
        found += self.check_reads(consents)
        if found:
            raise Failed(f"{len(found)} findings:\n  " + "\n  ".join(found[:20]))
        return len(events), len(consents)

    def check_reads(self, consents):
        """No channel sees an address whose last acknowledged word, with nothing said after it, was a withdrawal."""
        unsure = {request[1]["consents"][0]["identifiers"][0]["value"]
                  for requests in self.open.values() for request in requests if request[0] == "consent"}
        caller = Caller(self.server.address, self.keys["channel"])
        found = []
        for who, state in last_words(consents).items():
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
        forgotten = instant(max(when for _, _, when in consents))
        planted = {
            "a lost event": judge_events(events, self.sent, exported[:lost] + exported[lost + 1:]),
            "a doubled event": judge_events(events, self.sent, exported + [exported[lost]]),
            "an invented event": judge_events(events, self.sent, exported + [{**exported[lost], "messageId": "x"}]),
            "a torn person": judge_events(events, self.sent, [{**exported[lost], "person": "other"}] + exported),
            "a forgotten consent": judge_consents(
                consents, [one for one in records if instant(one["time"]) != forgotten]),
        }
        unseen = [fault for fault, found in planted.items() if not found]
        if unseen:
            raise Failed(f"the checker did not notice {', '.join(unseen)}")

    def end(self):
        if self.server.stop() != 0:
            raise Failed("the server did not end cleanly on SIGTERM")
        self.check_offline()

    def check_offline(self):
        """The same without a server: the folder alone holds everything."""
        events, _ = self.read_acknowledged()
        found = judge_events(events, self.sent, self.server.export("events"))
        if found:
            raise Failed("without the server: " + "; ".join(found[:10]))

    def remove(self):
        if self.server.process and self.server.process.poll() is None:
            self.server.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


def rounds_on_one_folder(arguments, first, last):
    run = Run(arguments)
    try:
        for number in range(first, last):
            run.round(number, arguments.seed + number)
            if number % arguments.check_every == 0 or number + 1 == last:
                events, consents = run.check()
                print(f"round {number + 1}: {events} events and {consents} consents acknowledged, none lost, "
                      f"none double; slowest start {run.slowest:.2f} s", flush=True)
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
    parse.add_argument("--binary", default=ROOT / "build/cdp")
    arguments = parse.parse_args()
    if not pathlib.Path(arguments.binary).exists():
        raise SystemExit(f"no {arguments.binary}: run ./dev build")
    print(f"crash test: {arguments.rounds} rounds, seed {arguments.seed}", flush=True)
    done = 0
    try:
        while done < arguments.rounds:
            last = min(done + arguments.per_folder, arguments.rounds)
            rounds_on_one_folder(arguments, done, last)
            done = last
    except Failed as failed:
        print(f"FAIL (seed {arguments.seed}): {failed}")
        print(f"crash: {done} passed, 1 failed, {arguments.rounds - done - 1} skipped")
        return 1
    print(f"crash: {done} passed, 0 failed, 0 skipped")
    return 0


if __name__ == "__main__":
    sys.exit(main())
