"""What many clients are told about few people while the server is killed and its disk fails, held against its promises."""

import collections
import contextlib
import json
import random
import shutil
import threading
import time

import disk
from driver import Caller, Failed, Skipped
from history import History, check, load
from planted import ALTERED, plant
from trial import NO_ANSWER, can_trace, case, injecting, tmpfs

CLIENTS = 8
PEOPLE = 4  # whose traits and consents change
PAIRS = 3  # of people who become one and two again
PURPOSE = "email_marketing"
REFUSED = (429, 503, 507)
AGAIN = 0.7  # how often what was not answered is sent again before something else is


class Never(Exception):
    """It did not reach the server."""


class Client(threading.Thread):
    """Asks for one thing after the other until it is over. `owed` holds what was sent and never answered."""

    def __init__(self, number, shop, history, stands, over):
        super().__init__(daemon=True)
        self.number, self.shop, self.history, self.stands, self.over = number, shop, history, stands, over
        self.random = random.Random(shop.trial.seed * 100 + number)
        self.began = time.time()
        self.owed, self.wrong, self.count, self.unanswered, self.callers = [], [], 0, 0, {}

    def run(self):
        while not self.over.is_set():
            if self.owed and self.random.random() < AGAIN:
                self.attempt(self.owed.pop(0))
            else:
                self.attempt(self.choose())

    def pay(self, seconds):
        """What is owed is asked for until it is answered."""
        until = time.monotonic() + seconds
        while self.owed and time.monotonic() < until:
            self.attempt(self.owed.pop(0))

    def choose(self):
        self.count += 1
        name = f"{self.number}-{self.count}"
        person, pair, side = self.random.randrange(PEOPLE), self.random.randrange(PAIRS), self.random.randrange(2)
        dice = self.random.random()
        if dice < 0.2:
            write = Write(person, name, self.began - 1 - self.random.randrange(3_500_000) / 1000)
            with self.shop.lock:
                self.shop.sent.add(write.value)
            return write
        if dice < 0.3:
            return Say(f"p{person}", self.random.choice(["granted", "withdrawn"]))
        if dice < 0.36:
            return Say(f"x{pair}{'ab'[side]}", self.random.choice(["granted", "withdrawn"]))
        if dice < 0.46:
            standing = self.stands[pair]
            return Part(pair, standing) if standing else Join(pair, name)
        if dice < 0.7:
            return Read(person)
        if dice < 0.8:
            return Decide(person)
        return Look(pair) if dice < 0.9 else Show(pair, side)

    def attempt(self, asked):
        try:
            seen = self.ask(asked)
        except Never:
            self.over.wait(0.05)
            if asked.number is None:
                return
            seen = None
        if seen is not None:
            self.history.end(asked.number, **seen)
        elif asked.looks:
            self.history.drop(asked.number)
        elif not asked.wrong:
            self.unanswered += 1
            self.owed.append(asked)

    def ask(self, asked):
        """What the answer says, None when there was none or a refusal."""
        caller = self.caller(asked.role)
        if asked.number is None:
            asked.number = self.history.begin(**asked.entry())
        try:
            status, answer = caller.call(*asked.request())
        except NO_ANSWER:
            self.callers.pop(asked.role, None)
            return None
        if status in REFUSED:
            self.over.wait(0.02)
            return None
        try:
            return asked.learn(status, answer, self)
        except (KeyError, IndexError, TypeError, Failed):
            asked.wrong = True
            self.wrong.append(f"{asked.request()[:2]} is answered {status}: {json.dumps(answer)[:300]}")
            return None

    def caller(self, role):
        """A connection that is there: who is refused one has asked for nothing."""
        address, caller = self.callers.get(role, (None, None))
        if not caller or address != self.shop.server.address:
            address = self.shop.server.address
            if not address:
                raise Never
            caller = Caller(address, self.shop.keys[role])
            try:
                caller.connection.connect()
            except NO_ANSWER:
                raise Never from None
            self.callers[role] = address, caller
        return caller


# --- what is asked


class Asked:
    role, looks, number, wrong = "source", False, None, False

    def entry(self):
        return {"op": type(self).__name__.lower(), **self.__dict__}


def expect(status, *wanted):
    if status not in wanted:
        raise Failed(status)


class Write(Asked):
    def __init__(self, person, name, when):
        self.key, self.value, self.time = f"p{person}", f"v{name}", round(when, 3)

    def event(self):
        return {"messageId": self.value, "type": "identify", "userId": self.key, "timestamp": stamp(self.time),
                "traits": {"firstName": self.value}}

    def request(self):
        return "POST", "/v1/batch", {"batch": [self.event()]}

    def learn(self, status, answer, client):
        expect(status, 200)
        with client.shop.lock:
            client.shop.account([self.event()], answer)
        return {}


class Say(Asked):
    def __init__(self, key, state):
        # Never of the future, not by half a millisecond: that would become the time of its receipt.
        self.key, self.state, self.time = key, state, int(time.time() * 1000) / 1000

    def request(self):
        said = {"identifiers": [{"type": "email", "value": f"{self.key}@shop.example"}], "purpose": PURPOSE,
                "state": self.state, "scope": "person", "time": stamp(self.time)}
        return "POST", "/v1/consents", {"consents": [said]}

    def learn(self, status, answer, client):
        expect(status, 200)
        return {}


class Read(Asked):
    role, looks = "channel", True

    def __init__(self, person):
        self.key = f"p{person}"

    def request(self):
        return "GET", f"/v1/profiles/email:{self.key}@shop.example?purpose={PURPOSE}"

    def learn(self, status, answer, client):
        expect(status, 200)
        traits = answer["traits"]
        return {"shown": bool(traits), "value": traits.get("firstName", {}).get("value")}


class Decide(Read):
    def entry(self):
        return {"op": "read", "key": self.key}

    def request(self):
        return "POST", "/v1/decisions", {"identifiers": [{"type": "email", "value": f"{self.key}@shop.example"}],
                                         "purpose": PURPOSE}

    def learn(self, status, answer, client):
        expect(status, 200)
        return {"shown": answer["answers"][0]["outcome"] == "allow"}


class Join(Asked):
    role = "steward"

    def __init__(self, pair, name):
        self.pair, self.name = pair, name

    def request(self):
        both = [{"type": "user_id", "value": f"x{self.pair}{side}"} for side in "ab"]
        body = {"kind": "must_link", "reason": "a history", "identifiers": both}
        return "POST", "/v1/identity/assertions", body, self.name

    def learn(self, status, answer, client):
        expect(status, 200, 201)
        client.stands[self.pair] = answer["id"] if answer["status"] == "standing" else None
        return {"id": answer["id"]}


class Part(Asked):
    role = "steward"

    def __init__(self, pair, id):
        self.pair, self.id = pair, id

    def request(self):
        return "POST", f"/v1/identity/assertions/{self.id}/revoke", {"reason": "a history"}

    def learn(self, status, answer, client):
        expect(answer["code"] if status == 409 else status, 200, "already_revoked")
        if client.stands[self.pair] == self.id:
            client.stands[self.pair] = None
        return {}


class Look(Asked):
    role, looks = "steward", True

    def __init__(self, pair):
        self.pair = pair

    def request(self):
        return "GET", f"/v1/profiles/user_id:x{self.pair}a/identity"

    def learn(self, status, answer, client):
        expect(status, 200)
        return {"joined": any(one["value"] == f"x{self.pair}b" for one in answer["identifiers"])}


class Show(Asked):
    role, looks = "channel", True

    def __init__(self, pair, side):
        self.pair, self.key, self.other = pair, f"x{pair}{'ab'[side]}", f"x{pair}{'ba'[side]}"

    def request(self):
        return "GET", f"/v1/profiles/user_id:{self.key}?purpose={PURPOSE}"

    def learn(self, status, answer, client):
        expect(status, 200)
        return {"shown": f"only {self.key}" in json.dumps(answer["traits"])}


def stamp(when):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(when)) + f".{round(when % 1 * 1000):03d}Z"


# --- what goes wrong meanwhile


def killed(shop, rng):
    shop.server.kill()
    shop.server.start()


def sync_fails(shop, rng):
    """The Nth sync of some thread fails, and all of it ends by a kill."""
    shop.server.kill()
    faults = injecting(f"fdatasync:error=EIO:when={rng.randrange(5, 60)}", calls=("fdatasync",), paths=disk.own_files(shop))
    if shop.server.launch(under=faults):
        until = time.monotonic() + 3
        while time.monotonic() < until and shop.ready() is True:
            time.sleep(0.05)
        time.sleep(0.3)
        shop.server.kill()
    else:
        shop.judge_end()
    shop.server.start()


def disk_full(shop, rng):
    """Until writes are refused; some end by a kill, the others by room."""
    ballast = disk.fill(shop.place)
    until = time.monotonic() + 2
    while time.monotonic() < until and shop.ready() is True:
        time.sleep(0.05)
    time.sleep(0.5)
    if rng.random() < 0.5:
        shop.server.kill()
        ballast.unlink()
        shop.server.start()
        return
    ballast.unlink()
    until = time.monotonic() + 15
    while shop.ready() is not True:
        if time.monotonic() > until:
            raise Failed(f"15 s after there is room again /readyz says {shop.ready()}")
        time.sleep(0.05)


def introduce(shop, first):
    """Everybody is known, and has granted."""
    keys = [f"p{n}" for n in range(PEOPLE)]
    events = [{"messageId": f"hello-{key}", "type": "identify", "userId": key,
               "traits": {"email": f"{key}@shop.example", "email_verified": True}} for key in keys]
    for n in range(PAIRS):
        for side, trait in (("a", "firstName"), ("b", "lastName")):
            key = f"x{n}{side}"
            keys.append(key)
            events.append({"messageId": f"hello-{key}", "type": "identify", "userId": key,
                           "traits": {"email": f"{key}@shop.example", "email_verified": True, trait: f"only {key}"}})
    shop.sent.update(event["messageId"] for event in events)
    if shop.post(events=events)[0] != 200:
        raise Failed("the first batch is refused")
    for key in keys:
        first.attempt(Say(key, "granted"))
    if first.owed or first.wrong:
        raise Failed(f"the first answers are refused: {first.wrong}")


def look_around(last):
    """Each of them once more, when all is quiet."""
    for n in range(PEOPLE):
        last.attempt(Read(n))
        last.attempt(Decide(n))
    for n in range(PAIRS):
        last.attempt(Look(n))
        for side in range(2):
            last.attempt(Show(n, side))


def rolled_back(shop, rng):
    """What no server may do: an hour's forgetting. It is there to be noticed."""
    earlier = shop.folder / "earlier"
    shop.server.stop()
    shutil.copytree(shop.server.data, earlier, ignore=lambda *_: ["admin.sock"])
    shop.server.start()
    time.sleep(1.5)
    shop.server.kill()
    shutil.rmtree(shop.server.data)
    shutil.copytree(earlier, shop.server.data)
    shop.server.start()


def live(shop, faults):
    """The history of eight clients while one fault comes after the other, the answers that nobody should get, and how often a
    change was not answered."""
    trial, path = shop.trial, shop.folder / "history"
    history, stands, over = History(path), [None] * PAIRS, threading.Event()
    shop.server.start()
    *clients, last = [Client(number, shop, history, stands, over) for number in range(CLIENTS + 1)]
    introduce(shop, last)
    for client in clients:
        client.start()
    try:
        for fault in faults:
            time.sleep(trial.random.uniform(0.6, 1.2))
            fault(shop, trial.random)
        time.sleep(0.8)
    finally:
        over.set()
        for client in clients:
            client.join(60)
    over.clear()
    for client in clients:
        client.pay(10)
    look_around(last)
    wrong = [what for client in (*clients, last) for what in client.wrong]
    return load(path), wrong, sum(client.unanswered for client in clients)


@case(38, "eight clients on few people, with kills, failing syncs and a full disk: their history is one that the promises allow")
def histories(trial):
    faults, place = [killed], None
    with contextlib.suppress(Skipped):  # without a tracer or root there are fewer faults
        can_trace()
        faults.append(sync_fails)
    with contextlib.suppress(Skipped):
        place = tmpfs(trial, "size=160m")
        faults.append(disk_full)
    shop = trial.shop(at=place and place / "data", lived_in=False)
    shop.place = place
    faults *= 12 if trial.long else 1
    trial.random.shuffle(faults)
    entries, wrong, unanswered = live(shop, faults)
    found = wrong + check(entries)
    if found:
        raise Failed(f"{len(found)} findings in {shop.folder}/history: " + "; ".join(found[:10]))
    plant(entries, trial.random)
    shop.settle()
    suffered = ", ".join(fault.__name__ for fault in faults[:5])
    return (f"{len(entries)} questions under {suffered}, {unanswered} times no answer to a change, which was asked for again; "
            f"{len(ALTERED)} planted violations found")


@case(38, "the control: a folder put back to what it was a second ago is found in the history of its clients", short=False)
def histories_rolled_back(trial):
    entries, *_ = live(trial.shop(lived_in=False), [rolled_back])
    promises = collections.Counter(one.partition(":")[0] for one in check(entries))
    if "lost update" not in promises:
        raise Failed(f"a second's forgetting was not noticed: {promises}")
    return f"found in {len(entries)} answers: {dict(promises)}"
