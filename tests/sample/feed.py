"""A sample day of a shop, made from a seed: web site, app and till, and who agreed to what.

Nobody in it exists. `make_day` is pure; `feed` posts what it made through the HTTP API.
"""

import dataclasses
import datetime
import http.client
import json
import random
import urllib.parse

STORY = 17  # this person goes through every touchpoint at fixed times
PRODUCTS = [("mug", 9), ("lamp", 45), ("chair", 120), ("desk", 340), ("rug", 80), ("clock", 25), ("shelf", 60)]
BATCH = 100


def email(person):
    return f"p{person}@shop.example"


def cookie(person, browser=0):
    return f"web-{person}" if browser == 0 else f"web-{person}-{browser}"


def loyalty(person):
    return f"L-{person:05d}"


@dataclasses.dataclass
class Day:
    events: list = dataclasses.field(default_factory=list)    # (source, event), in order of time
    consents: list = dataclasses.field(default_factory=list)  # in order of time


class Maker:
    def __init__(self, people, seed, date):
        self.people, self.random, self.date = people, random.Random(seed), date
        self.day, self.number = Day(), 0

    def at(self, hour, minute=0.0):
        moment = self.date + datetime.timedelta(hours=hour, minutes=minute)
        return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"

    def event(self, source, hour, minute, **fields):
        self.number += 1
        self.day.events.append((source, {"messageId": f"day-{self.number}", "timestamp": self.at(hour, minute), **fields}))

    def product(self):
        name, price = self.random.choice(PRODUCTS)
        return {"product_id": name, "price": price, "currency": "EUR"}

    def order(self, kind, person):
        product = self.product()
        return {"order_id": f"{kind}-{person}-{self.number}", "total": product["price"], "currency": "EUR", "products": [product]}

    def visit(self, person, browser, hour, views, user=None, agreed=None):
        """A session in the web site, with the consent banner's answer stamped on each event, as SDKs do."""
        context = {"consent": {"categoryPreferences": agreed}} if agreed else {}
        who = {"anonymousId": cookie(person, browser), **({"userId": user} if user else {})}
        self.event("web", hour, 0, type="page", name="Home", properties={"path": "/"}, context=context, **who)
        for i in range(views):
            self.event("web", hour, 1 + i * 0.7, type="track", event="Product Viewed",
                       properties=self.product(), context=context, **who)

    def login(self, person, hour, minute, agreed=None):
        context = {"consent": {"categoryPreferences": agreed}} if agreed else {}
        self.event("web", hour, minute, type="identify", userId=f"p{person}", anonymousId=cookie(person), context=context,
                   traits={"email": email(person), "firstName": "Person", "lastName": str(person)})

    def app(self, person, hour, screens, buys):
        device = {"device": {"id": f"phone-{person}", "type": "ios"}}
        who = {"userId": f"p{person}", "context": device}
        for i in range(screens):
            self.event("app", hour, i * 0.5, type="screen", name="Product", properties=self.product(), **who)
        if buys:
            self.event("app", hour, screens, type="track", event="Order Completed", properties=self.order("app", person), **who)

    def till(self, person, hour):
        """The till knows the card and the address on it, not the account of the web site."""
        card = {"externalIds": [{"id": loyalty(person), "type": "loyalty_id", "collection": "users", "encoding": "none"}]}
        self.event("till", hour, 0, type="identify", context=card,
                   traits={"email": email(person), "email_verified": True, "loyalty_tier": self.random.choice(["blue", "gold"])})
        self.event("till", hour, 1, type="track", event="Order Completed", context=card, properties=self.order("till", person))

    def consent(self, person, hour, purpose, state):
        identifiers = [{"type": "email", "value": email(person)}, {"type": "loyalty_id", "value": loyalty(person)}]
        self.day.consents.append({"identifiers": identifiers, "purpose": purpose, "state": state, "scope": "person",
                                  "time": self.at(hour), "method": "till"})

    def story(self):
        agreed = {"Advertising": True, "Analytics": True}
        self.visit(STORY, 0, 9, 6, agreed=agreed)
        self.login(STORY, 12, 0, agreed)
        self.visit(STORY, 0, 12.1, 4, f"p{STORY}", agreed)
        self.app(STORY, 15, 3, buys=True)
        self.till(STORY, 18)
        self.consent(STORY, 18.1, "email_marketing", "granted")
        self.consent(STORY, 18.1, "advertising", "granted")

    def anybody(self, person):
        chance = self.random.random
        agreed = {"Advertising": chance() < 0.6, "Analytics": chance() < 0.8}
        browsers = 2 if chance() < 0.25 else 1
        for browser in range(browsers):
            for _ in range(self.random.randint(1, 3)):
                self.visit(person, browser, self.random.uniform(6, 20), self.random.randint(2, 12), agreed=agreed)
        if chance() < 0.7:
            hour = self.random.uniform(8, 20)
            self.login(person, hour, 0, agreed)
            self.visit(person, 0, hour + 0.1, self.random.randint(1, 8), f"p{person}", agreed)
            if chance() < 0.6:
                self.app(person, self.random.uniform(8, 21), self.random.randint(2, 8), buys=chance() < 0.5)
            if chance() < 0.4:
                hour = self.random.uniform(9, 19)
                self.till(person, hour)
                if chance() < 0.7:
                    self.consent(person, hour + 0.1, "email_marketing", "granted")
                if chance() < 0.5:
                    self.consent(person, hour + 0.1, "advertising", "granted")
                if chance() < 0.15:
                    self.consent(person, hour + 2, "email_marketing", "withdrawn")

    def make(self):
        for person in range(1, self.people + 1):
            if person == STORY:
                self.story()
            else:
                self.anybody(person)
        # The kiosk in the shop: one cookie, many people. It must not make one person of them.
        for i, person in enumerate(range(20, 30)):
            self.event("web", 10 + i * 0.5, 0, type="track", event="Product Viewed", userId=f"p{person}",
                       anonymousId="kiosk-1", properties=self.product())
        self.day.events.sort(key=lambda pair: pair[1]["timestamp"])
        self.day.consents.sort(key=lambda consent: consent["time"])
        return self.day


def make_day(people=200, seed=1, date=None):
    yesterday = datetime.datetime.combine(datetime.date.today() - datetime.timedelta(days=1), datetime.time())
    return Maker(people, seed, date or yesterday).make()


def batches(events):
    """Each source's events in order, at most BATCH at a time, posted as the day went on."""
    waiting = {}
    for source, event in events:
        waiting.setdefault(source, []).append(event)
        if len(waiting[source]) == BATCH:
            yield source, waiting.pop(source)
    yield from waiting.items()


def feed(url, keys, day, progress):
    """Posts the day; `keys` per source. `progress(done, all)` after each request. Raises on any refusal."""
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc, timeout=60)

    def post(path, key, body):
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        connection.request("POST", path, json.dumps(body), headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        if answer.status != 200:
            raise RuntimeError(f"{path} answered {answer.status}: {text}")
        return json.loads(text)

    total, done = len(day.events) + len(day.consents), 0
    for source, events in batches(day.events):
        results = post("/v1/batch", keys[source], {"batch": events})["results"]
        refused = [result for result in results if result["verdict"] not in ("accepted", "duplicate")]
        if refused:
            raise RuntimeError(f"{source}: refused: {refused[0]}")
        done += len(events)
        progress(done, total)
    for at in range(0, len(day.consents), BATCH):
        part = day.consents[at:at + BATCH]
        post("/v1/consents", keys["till"], {"consents": part})
        done += len(part)
        progress(done, total)
