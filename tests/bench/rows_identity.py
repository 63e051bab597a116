"""What it costs to know who is who: merges, and events among more and more identifiers."""

import http.client
import itertools
import json
import shutil
import statistics
import time

from rig import Row, measure, post, progress

IDENTIFIERS_OF_A_PERSON = 4  # as tests/bench/mix.h introduces them


class Steward:
    """One connection that waits for each answer: assertions take turns anyway."""

    def __init__(self, server):
        self.key = server.key("--role", "steward", "--name", "bench")
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port)

    def ask(self, method, path, body=None):
        self.connection.request(method, path, body and json.dumps(body),
                                {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"})
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status not in (200, 201):
            raise SystemExit(f"{method} {path}: {answer.status} {text[:300]}")
        return text


def introduce_pairs(rig, server, pairs):
    key = server.key("--role", "source", "--name", "web", "--trust", "server")
    for first in range(0, pairs, 50):
        post(server.port, "/v1/batch", key, {"batch": [
            {"type": "identify", "userId": f"{side}-{n}", "anonymousId": f"cookie-{side}-{n}",
             "traits": {"email": f"{side}{n}@shop.example", "plan": "gold"}}
            for n in range(first, min(pairs, first + 50)) for side in ("left", "right")]})


@measure("merge", "unmerge")
def merges(rig):
    """Assertions that two people of three identifiers are one, and their revocations."""
    peer = "RocksDB alone, the same rows, grouping and fsync"
    rows = {"merge": Row("merge", "merges/s", peer), "unmerge": Row("unmerge", "unmerges/s", peer)}
    pairs = rig.sizes.pairs
    data = rig.new_folder("merges")
    server = rig.serve(data)
    introduce_pairs(rig, server, pairs)
    steward = Steward(server)
    wrote = {name: [] for name in rows}

    def timed(name, requests):
        before, began = server.commits(), time.perf_counter()
        answers = [json.loads(steward.ask("POST", path, body)) for path, body in requests]
        rows[name].add(pairs / (time.perf_counter() - began))
        wrote[name].append(server.commits().since(before))
        return answers

    for _ in rig.runs("merge, unmerge"):
        made = timed("merge", [
            ("/v1/identity/assertions",
             {"kind": "must_link", "reason": "bench", "identifiers": [
                 {"type": "user_id", "value": f"left-{n}"}, {"type": "user_id", "value": f"right-{n}"}]})
            for n in range(pairs)])
        timed("unmerge", [(f"/v1/identity/assertions/{one['id']}/revoke", {"reason": "bench"})
                          for one in made])
    server.stop()
    for name, row in rows.items():
        written = sum(one.rows for one in wrote[name]) / (pairs * len(row.ours))
        groups = sum(one.groups for one in wrote[name]) / (pairs * len(row.ours))
        row.peers = [rate / written
                     for rate in rig.rows_alone(data, written / groups, most=pairs * written)]
        rig.note(f"{name}: {written:.1f} rows in {groups:.2f} commits with their fsync")
    shutil.rmtree(data)
    return rows.values()


def fill(rig, server, key, first, identifiers):
    """More people; a piece at a time, because a request is made before it is timed."""
    people = identifiers // IDENTIFIERS_OF_A_PERSON // 100 * 100
    for start_at in range(first, people, 200_000):
        progress(f"growth: {start_at * IDENTIFIERS_OF_A_PERSON:,} identifiers")
        rig.load(server, key, what="acquaintances", first=start_at,
                 people=min(people, start_at + 200_000))
    return people


def short(n):
    return f"{n // 1_000_000}m" if n >= 1_000_000 else f"{n // 1_000}k"


@measure("identity_growth", "identity_growth_new_day", "hub", "explain_p99", "memory_100k", "memory_1m",
         "memory_10m")
def growth(rig):
    """What an event of the mix costs among many identifiers, beside what it costs among few: as many people come, from
    all over. Then everybody comes, so that nearly each event is the first of its person's day and writes that down.
    Each time the store is at rest first: what the load left to be compacted is no cost of the events."""
    sizes = rig.sizes
    few, many = sizes.identifiers[0], sizes.identifiers[-1]
    data = rig.new_folder("growth")
    server = rig.serve(data)
    key = server.key("--role", "source", "--name", "bench")
    empty = server.memory_mb()
    active = few // IDENTIFIERS_OF_A_PERSON
    said, numbers = [], itertools.count(1)

    def mix(people, active, what):
        """Microseconds an event, of each run but the first, which warms the caches; memory after each."""
        cost, memory, before = [], [], None
        progress(f"growth: {what}, compacting")
        if not server.rest():
            rig.note(f"{what}: the server was not at rest before")
        for run in range(sizes.runs + 1):
            progress(f"growth: {what}, run {run} of {sizes.runs}")
            done = rig.load(server, key, people=people, active=active, run=next(numbers), batches=sizes.batches)
            if run == 0:
                before = server.commits()
                continue
            cost.append(1e6 / done["per_second"])
            memory.append(server.memory_mb())
        rows = server.commits().since(before).rows / (sizes.runs * done["events"])
        said.append(f"{what}: {statistics.median(cost):.1f} us and {rows:.1f} rows an event")
        return cost, memory

    people, cost, rows = 0, {}, []
    for size, name in zip(sizes.identifiers, sizes.memory):
        people = fill(rig, server, key, people, size)
        cost[size], memory = mix(people, active, f"{short(size)} identifiers")
        if name:
            rows.append(Row(name, f"MB, {size:,} identifiers", "the same server, empty"))
            rows[-1].ours, rows[-1].peers = memory, [empty]
    grown = Row("identity_growth", f"us an event, {short(many)}", f"the same among {short(few)}", "≤ 1.5")
    new_day = Row("identity_growth_new_day", f"us an event, {short(many)}, everybody comes", grown.peer_name)
    grown.ours, grown.peers = cost[many], cost[few]
    new_day.ours, new_day.peers = mix(people, people, f"everybody of {short(many)}")[0], cost[few]
    rows = [grown, new_day, hub(rig, server), explain(rig, server, people), *rows]
    rig.note("growth: " + "; ".join(said))
    server.stop()
    shutil.rmtree(data)
    return rows


def hub(rig, server):
    """Events of one account that has many cookies, beside those of one that has few."""
    few, more = 500, 1_000
    row = Row("hub", f"us an event, {rig.sizes.cookies:,} cookies", "an account with under 1,000", "≤ 1.5")
    key = server.key("--role", "source", "--name", "hub")
    known = 0

    def bring(cookies):
        nonlocal known
        progress(f"hub: {known:,} cookies")
        done = rig.load(server, key, what="hub", first=known, people=known + cookies, connections=1)
        known += cookies
        return 1e6 / done["per_second"]

    bring(few)
    row.peers.append(bring(few - 100))
    if rig.sizes.cookies > known:
        bring(rig.sizes.cookies - known)
    for _ in rig.runs("hub"):
        row.ours.append(bring(more))
    return row


def explain(rig, server, people):
    """The 99th percentile of explanations, one at a time, of pairs of one person and of two."""
    row = Row("explain_p99", "ms", "goal", "≤ 5")
    steward = Steward(server)
    for run in rig.runs("explain_p99"):
        took = []
        for n in range(rig.sizes.questions):
            one = ((run * rig.sizes.questions + n) * 7919) % people
            other = one if n % 2 else (one + 1) % people
            began = time.perf_counter()
            text = steward.ask("GET", f"/v1/identity/explain?a=anonymous_id:0c00-cookie-{one}"
                                      f"&b=email:p{other}%40shop.example")
            took.append(1e3 * (time.perf_counter() - began))
            if (b'"same_person":true' in text) != (one == other):
                raise SystemExit(f"the explanation is not what it should be: {text[:300]}")
        row.add(sorted(took)[int(len(took) * 0.99)])
    return row
