#!/usr/bin/env python3
"""`./dev run`: cdp on a fresh folder, a sample day in it, and three curl lines that tell one person's story.

With --once it runs the three lines itself, checks that their answers tell the story, and ends.
"""

import argparse
import fcntl
import hashlib
import json
import pathlib
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys

import feed

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = ROOT / "build/cdp"
FOLDER = ROOT / "build/run"
DATA = FOLDER / "data"
PORT = 8055


def cdp(*arguments):
    done = subprocess.run([BINARY, *arguments, "--data", DATA], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"cdp {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout.strip()


def fresh_folder():
    FOLDER.mkdir(parents=True, exist_ok=True)
    lock = open(FOLDER / "lock", "w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise SystemExit(f"another ./dev run uses {FOLDER.relative_to(ROOT)}: end it first")
    shutil.rmtree(DATA, ignore_errors=True)
    return lock


def free_port(wanted):
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
                return probe.getsockname()[1]
            except OSError:
                continue
    raise SystemExit("no free port on 127.0.0.1")


def serve(port):
    log = open(FOLDER / "serve.log", "w")
    # In a session of its own, so that Ctrl-C reaches the server once and through us.
    server = subprocess.Popen([BINARY, "serve", "--data", DATA, "--listen", f"127.0.0.1:{port}"],
                              stdout=subprocess.PIPE, stderr=log, text=True, start_new_session=True)
    for line in server.stdout:
        ready = re.search(r"listening on (http://\S+)", line)
        if ready:
            return server, ready[1]
    raise SystemExit(f"cdp serve ended at once, see {FOLDER.relative_to(ROOT)}/serve.log")


def add_keys():
    add = lambda role, name, *more: cdp("keys", "add", "--role", role, "--name", name, *more)
    return {
        "web": add("source", "web", "--trust", "client"),
        "app": add("source", "app", "--trust", "client"),
        "till": add("source", "till", "--trust", "server"),
        "email_tool": add("channel", "newsletter", "--channel", "email_tool"),
        "ads_tool": add("channel", "ads", "--channel", "ads_tool"),
        "officer": add("officer", "privacy-office"),
    }


def progress(done, total):
    if sys.stdout.isatty():
        bar = "#" * (done * 30 // total)
        print(f"\rfeeding a day of the shop  [{bar:<30}] {done} of {total}", end="\n" if done == total else "", flush=True)
    elif done == total:
        print(f"fed a day of the shop: {done} events and consents")


def story(url, keys):
    """What to type, and what the answer must then say."""
    person, address = feed.STORY, feed.email(feed.STORY)
    hashed = hashlib.sha256(address.encode()).hexdigest()

    def ask(key, who, purpose):
        return ["-s", "-H", f"Authorization: Bearer {key}", f"{url}/v1/profiles/{who}?purpose={purpose}"]

    said = {"consents": [{"identifiers": [{"type": "email", "value": address}],
                          "purpose": "email_marketing", "state": "withdrawn"}]}
    withdraw = ["-s", "-o", "/dev/null", "-H", f"Authorization: Bearer {keys['till']}",
                "-H", "Content-Type: application/json", "-d", json.dumps(said), f"{url}/v1/consents"]
    by_cookie = f"anonymous_id:{feed.cookie(person)}"
    return [
        (f"The e-mail tool asks by the cookie of Person {person}'s first visit, hours before the login:",
         ["curl", *ask(keys["email_tool"], by_cookie, "email_marketing")],
         lambda answer: answer["traits"]["email"]["value"] == address),
        ("The ads tool asks by the loyalty card from the till. The address leaves as a hash, the name not at all:",
         ["curl", *ask(keys["ads_tool"], f"loyalty_id:{feed.loyalty(person)}", "advertising")],
         lambda answer: hashed in json.dumps(answer) and address not in json.dumps(answer)
         and "firstName" not in answer["traits"]),
        (f"Person {person} withdraws at the till; the very next read shows it:",
         ["curl", *withdraw, "--next", *ask(keys["email_tool"], by_cookie, "email_marketing")],
         lambda answer: not answer["traits"] and address not in json.dumps(answer)),
    ]


def introduce(url, keys):
    print(f"\ncdp serves {url}  (data in {DATA.relative_to(ROOT)}, health at {url}/healthz, metrics at {url}/metrics)")
    for name, key in keys.items():
        print(f"  {name:<10} {key}")
    print(f"\nPerson {feed.STORY} looked around on the web site, logged in at noon, bought in the app, then at the till.\n")


def tell(url, keys, once):
    introduce(url, keys)
    count = {True: 0, False: 0}
    for number, (claim, command, holds) in enumerate(story(url, keys), 1):
        print(f"{number}. {claim}\n   {shlex.join(command)}")
        if once:
            answer = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            good = holds(answer)
            count[good] += 1
            print(f"   {'' if good else 'NOT THE STORY: '}{json.dumps(answer)}")
        print()
    if once:
        print(f"sample: {count[True]} passed, {count[False]} failed, 0 skipped")
    return count[False] == 0


def main():
    parse = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parse.add_argument("--once", action="store_true", help="run the three lines, check their answers, end")
    parse.add_argument("--port", type=int, default=PORT, help="another is taken when it is not free")
    parse.add_argument("--people", type=int, default=200)
    parse.add_argument("--seed", type=int, default=1)
    arguments = parse.parse_args()

    lock = fresh_folder()
    admin = re.search(r"\bc[a-z0-9]{24}\b", cdp("init"))[0]
    server, url = serve(free_port(arguments.port))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        keys = {**add_keys(), "admin": admin}
        feed.feed(url, keys, feed.make_day(arguments.people, arguments.seed), progress)
        good = tell(url, keys, arguments.once)
        if not arguments.once:
            print("Ctrl-C ends it.", flush=True)
            server.wait()
            raise SystemExit("cdp ended by itself")
    except KeyboardInterrupt:
        good = True
        print()
    finally:
        server.terminate()
        code = server.wait()
        lock.close()
    return 0 if good and code == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
