"""What is read over HTTP, one network thread, 16 connections, beside nginx or another way to read."""

import json
import shutil

from rig import Nginx, Row, ask, copy_of, measure, post, progress, wrk

CHANNEL = ("--role", "channel", "--channel", "ads_tool")
PROFILE = "/v1/profiles/user_id:user-%d?purpose=advertising"
NGINX = "nginx, one worker, a static file of the same size"


def people(rig):
    """A folder of people with traits and consent; nobody serves it."""
    data = rig.path("readers")
    if hasattr(rig, "readers"):
        return data
    progress("reads: introducing people")
    rig.new_folder("readers")
    rig.readers = rig.serve(data, 1)
    key = rig.readers.key("--role", "source", "--name", "web", "--trust", "server")
    for first in range(0, rig.sizes.readers, 100):
        post(rig.readers.port, "/v1/batch", key, {"batch": [
            {"type": "identify", "userId": f"user-{n}", "anonymousId": f"cookie-{n}",
             "traits": {"email": f"p{n}@shop.example", "firstName": f"Person {n}", "plan": "gold",
                        "loyalty_tier": "silver", "total_spent": n},
             "context": {"consent": {"categoryPreferences": {"Advertising": True}}}}
            for n in range(first, first + 100)]})
    rig.readers.stop()
    return data


def against_nginx(rig, row, ours, peers, body):
    """Runs of the one after runs of the other. `ours` and `peers` are given a port."""
    nginx = Nginx(rig.folder, body)
    for _ in rig.runs(row.name):
        row.add(ours(), peers(nginx.port))
    nginx.stop()
    return row


@measure("profile_read", "batch_lookup", "rates")
def profiles(rig):
    sizes = rig.sizes
    data = people(rig)
    limited = rig.path("limited")
    copy_of(data, limited)
    config = rig.path("limited.toml")
    with open(config, "w") as out:
        out.write("[limits]\nloopback = true\naddress_requests = 1000000\naddress_burst = 10000000\n"
                  "key_requests = 1000000\nkey_burst = 10000000\n")
    server, rated = rig.serve(data, 1), rig.serve(limited, 1, config)
    key = server.key(*CHANNEL, "--name", "profiles")
    rated_key = rated.key(*CHANNEL, "--name", "profiles")
    body = ask(server.port, PROFILE % 1, key)
    if "gold" not in body:
        raise SystemExit(f"the profile is not what it should be: {body}")

    lookups = rig.path("lookups")
    at_once = 100
    with open(lookups, "w") as out:
        for first in range(0, sizes.readers, at_once):
            out.write(json.dumps({"purpose": "advertising", "identifiers": [
                {"type": "user_id", "value": f"user-{n}"} for n in range(first, first + at_once)]}) + "\n")

    read = Row("profile_read", "requests/s", NGINX, "≥ 0.8")
    batch = Row("batch_lookup", "profiles/s", "the same profiles one by one")
    rates = Row("rates", "requests/s", "the same without limits on rates")

    def one_by_one(of, bearer):
        return wrk(of.port, sizes.seconds, "reads.lua", bearer, PROFILE, sizes.readers)

    nginx = Nginx(rig.folder, body)
    for _ in rig.runs("profile_read, batch_lookup, rates"):
        alone = one_by_one(server, key)
        read.add(alone, wrk(nginx.port, sizes.seconds, "reads.lua", key, "/body.json", 1))
        batch.add(at_once * wrk(server.port, sizes.seconds, "posts.lua", key, "/v1/profiles/lookup",
                                lookups), alone)
        rates.add(one_by_one(rated, rated_key), alone)
    nginx.stop()
    server.stop()
    rated.stop()
    shutil.rmtree(limited)
    rig.note(f"reads: {len(body)} B a profile, {sizes.readers:,} people in turn, look-ups of {at_once}")
    return read, batch, rates


@measure("decision")
def decisions(rig):
    row = Row("decision", "decisions/s", "nginx, one worker, the same answer to a POST")
    server = rig.serve(people(rig), 1)
    key = server.key(*CHANNEL, "--name", "decisions")
    questions = [{"identifiers": [{"type": "user_id", "value": f"user-{n}"}], "purpose": "advertising"}
                 for n in range(rig.sizes.readers)]
    posted = rig.path("questions")
    with open(posted, "w") as out:
        out.writelines(json.dumps(question) + "\n" for question in questions)
    body = ask(server.port, "/v1/decisions", key, questions[1])
    if '"outcome":"allow"' not in body:
        raise SystemExit(f"the decision is not what it should be: {body}")
    against_nginx(
        rig, row,
        lambda: wrk(server.port, rig.sizes.seconds, "posts.lua", key, "/v1/decisions", posted),
        lambda port: wrk(port, rig.sizes.seconds, "posts.lua", key, "/posted", posted), body)
    server.stop()
    return row


@measure("explain")
def explanations(rig):
    row = Row("explain", "requests/s", NGINX)
    server = rig.serve(people(rig), 1)
    key = server.key("--role", "steward", "--name", "explaining")
    path = "/v1/identity/explain?a=anonymous_id:cookie-%d&b=email:p%d%%40shop.example"
    body = ask(server.port, path % (1, 1), key)
    if '"same_person":true' not in body:
        raise SystemExit(f"the explanation is not what it should be: {body}")
    against_nginx(
        rig, row,
        lambda: wrk(server.port, rig.sizes.seconds, "reads.lua", key, path, rig.sizes.readers),
        lambda port: wrk(port, rig.sizes.seconds, "reads.lua", key, "/body.json", 1), body)
    server.stop()
    rig.note(f"explain: {len(body)} B an explanation")
    return row
