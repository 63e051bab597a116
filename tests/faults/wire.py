"""What comes over the network means harm: requests that two readers take differently, slow ones, huge ones, crooked ones."""

import base64
import gzip
import http.client
import itertools
import json
import os
import resource
import shutil
import socket
import subprocess
import threading
import time
from pathlib import Path

from driver import ROOT, Failed, Skipped, judge_refusal
from trial import Clients, NO_ANSWER, answers_in, can_trace, case, exchange, injecting, resident, seconds_of_cpu

HIDDEN = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"


def post_of(shop, body, *fields, path=b"/v1/batch", host=b"Host: a"):
    key = shop.keys["source"].encode()
    head = b"\r\n".join([b"POST " + path + b" HTTP/1.1", *([host] if host else []), b"Authorization: Bearer " + key, *fields])
    return head + b"\r\n\r\n" + body


def event(id, **more):
    return {"messageId": id, "type": "track", "event": "Seen", "userId": "u1", **more}


def batch(*ids):
    return json.dumps({"batch": [event(id) for id in ids]}).encode()


def stored(shop):
    return [event["messageId"] for event in shop.server.export("events") if event["messageId"] not in shop.sent]


# Each is refused alone, and what follows it on the connection is nobody's request.
CROOKED = {
    "two lengths": [b"Content-Length: 5", b"Content-Length: 6"],
    "the same length twice": [b"Content-Length: 5", b"Content-Length: 5"],
    "a list of lengths": [b"Content-Length: 5, 5"],
    "a signed length": [b"Content-Length: +5"],
    "a length in hexadecimal": [b"Content-Length: 0x5"],
    "a length over 64 bits": [b"Content-Length: 18446744073709551621"],
    "a length and chunks": [b"Content-Length: 5", b"Transfer-Encoding: chunked"],
    "chunks and a length": [b"Transfer-Encoding: chunked", b"Content-Length: 5"],
    "an unknown coding": [b"Transfer-Encoding: xchunked"],
    "chunks, then identity": [b"Transfer-Encoding: chunked, identity"],
    "identity, then chunks": [b"Transfer-Encoding: identity, chunked"],
    "gzip, then chunks": [b"Transfer-Encoding: gzip, chunked"],
    "chunked twice": [b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"],
    "a space before the colon": [b"Transfer-Encoding : chunked"],
    "a control character before the coding": [b"Transfer-Encoding: \x0bchunked"],
    "a folded line": [b"Content-Length: 5", b"X-A: b\r\n c"],
    "a bare line feed": [b"Content-Length: 5", b"X-A: b\nTransfer-Encoding: chunked"],
    "a bare carriage return": [b"Content-Length: 5", b"X-A: b\rc"],
    "a null": [b"Content-Length: 5", b"X-A: b\0c"],
    "two hosts": [b"Content-Length: 5", b"Host: b"],
    "a name with a space": [b"Content-Length: 5", b"X A: b"],
    "an empty name": [b"Content-Length: 5", b": b"],
}


@case(41, "requests that two readers could take differently are refused alone, and nothing behind them is served")
def crooked_requests(trial):
    shop = trial.shop(lived_in=False)
    shop.server.start()
    for what, fields in CROOKED.items():
        wire, closed = exchange(shop.server.address, post_of(shop, b"hello" + HIDDEN, *fields))
        answers = answers_in(wire)
        if len(answers) != 1 or answers[0][0] not in (400, 501) or not closed:
            raise Failed(f"{what}: {[status for status, _ in answers]}, closed: {closed}")
        found = judge_refusal(answers[0][0], {}, answers[0][1])
        if found:
            raise Failed(f"{what}: {found}")
    wire, closed = exchange(shop.server.address, post_of(shop, b"hello" + HIDDEN, b"Content-Length: 5", host=None))
    if [status for status, _ in answers_in(wire)] != [400] or not closed:
        raise Failed(f"no host: {wire[:200]}")
    shop.settle()
    return f"{len(CROOKED) + 1} refused"


@case(41, "llhttp's whole suite, byte for byte: the server stays, and answers nothing that llhttp refuses", short=False)
def llhttp_suite(trial):
    path = Path(os.environ.get("CDP_TEST_DATA", ""), "llhttp/llhttp_vectors.ndjson")
    if not path.is_file():
        raise Skipped("llhttp's vectors are not here: CDP_TEST_DATA")
    shop = trial.shop(lived_in=False)
    shop.server.start()
    tried = 0
    for line in path.read_text().splitlines():
        vector = json.loads(line)
        text = base64.b64decode(vector["input_b64"])
        wire, closed = exchange(shop.server.address, text, timeout=2, half_close=True)
        answers = answers_in(wire)
        if not closed:
            raise Failed(f"{vector['file']}:{vector['line']}: the connection stays open")
        # Of several requests only one may be wrong; with the first refused nothing else is answered.
        if vector["meta"].get("type") == "request" and vector["expect_error"] and answers and answers[-1][0] < 400:
            if b"Upgrade" not in text and b"upgrade" not in text:
                raise Failed(f"{vector['file']}:{vector['line']}: answered {answers[-1]}")
        tried += 1
    shop.settle()
    return f"{tried} vectors"


NGINX = """
daemon off; master_process off; pid nginx.pid; error_log error.log;
events {{ worker_connections 256; }}
http {{
  access_log off;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;
  upstream cdp {{ server {host}:{port}; keepalive 4; }}
  server {{
    listen 127.0.0.1:{front};
    location / {{ proxy_pass http://cdp; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_request_buffering off; }}
  }}
}}
"""


@case(42, "with nginx in front no request hides in another: each one that nginx lets through is one here")
def nginx_in_front(trial):
    nginx = shutil.which("nginx", path=f"{ROOT}/build/third_party/nginx/usr/sbin:{os.environ['PATH']}:/usr/sbin")
    if not nginx:
        raise Skipped("no nginx: ./dev bench unpacks it")
    shop = trial.shop(lived_in=False)
    shop.server.start()
    folder = trial.new_folder("nginx")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        front = free.getsockname()[1]
    host, port = shop.server.address
    (folder / "nginx.conf").write_text(NGINX.format(host=host, port=port, front=front))
    process = subprocess.Popen([nginx, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")],
                               stderr=subprocess.DEVNULL)
    trial.afterwards.callback(process.wait)
    trial.afterwards.callback(process.kill)
    until = time.monotonic() + 5
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", front)).close()
            break
        except OSError:
            time.sleep(0.05)
    def hidden(id):
        return post_of(shop, batch(id), b"Content-Length: %d" % len(batch(id)), b"Connection: close")

    # Two requests that nginx too took for two, and answered as two, are stored by right; no other.
    expected, tried = set(), {}
    plainly = ("two that are two", [b"Content-Length: 5"])  # or the trial could not tell
    for what, fields in (plainly, *CROOKED.items()):
        for prefix in (b"0\r\n\r\n", b"5\r\nhello\r\n0\r\n\r\n", b"hello"):
            id = f"hidden-{len(tried)}"
            tried[id] = f"{what}, {prefix}"
            wire, _ = exchange(("127.0.0.1", front), post_of(shop, prefix + hidden(id), *fields), timeout=2)
            if 200 in [status for status, _ in answers_in(wire)][1:]:
                expected.add(id)
    # The length covers the hidden one: it is a body and nothing else.
    honest = batch("honest")
    for n in range(20):
        body = honest + hidden("covered")
        wire, _ = exchange(("127.0.0.1", front), post_of(shop, body, b"Content-Length: %d" % len(body), b"Connection: close"))
        if [status for status, _ in answers_in(wire)] != [400]:
            raise Failed(f"two bodies in one through nginx are answered {wire[:200]}")
    wire, _ = exchange(("127.0.0.1", front), post_of(shop, honest, b"Content-Length: %d" % len(honest), b"Connection: close"))
    if [status for status, _ in answers_in(wire)] != [200]:
        raise Failed(f"an honest request through nginx is answered {wire[:200]}")
    there = stored(shop)
    if set(there) != expected | {"honest"}:
        wrong = [tried.get(id, id) for id in sorted(set(there) ^ (expected | {"honest"}))]
        raise Failed(f"there, and nobody was answered so, or the reverse: {wrong}")
    if not any(tried[id].startswith(plainly[0]) for id in expected):
        raise Failed("two requests behind each other through nginx are not answered as two")
    shop.server.stop()
    return f"{len(tried) + 21} requests, {len(expected)} of them passed nginx as two and were answered as two"


class Crowd:
    """Many connections that each do something slowly."""

    def __init__(self, address, count, first, then=b"", pause=1.0, read=True):
        """`read`: whether `gone` takes what they are sent."""
        self.wires, self.then, self.pause, self.over = [], then, pause, threading.Event()
        for _ in range(count):
            wire = socket.socket()
            if not read:  # before it connects, or the other side has been told of more room
                wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            wire.connect(address)
            wire.setblocking(False)
            self.send(wire, first)
            self.wires.append(wire)
        self.thread = threading.Thread(target=self.drip, daemon=True)
        self.thread.start()

    def send(self, wire, text):
        try:
            wire.send(text)
            return True
        except OSError:
            return False

    def drip(self):
        while self.then and not self.over.wait(self.pause):
            for wire in self.wires:
                self.send(wire, self.then)

    def gone(self):
        """How many the server has ended, and what it said to the last of them."""
        count, said = 0, b""
        for wire in self.wires:
            try:
                while text := wire.recv(4096):
                    said = text
                count += 1
            except BlockingIOError:
                pass
            except OSError:
                count += 1
        return count, said

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()
        for wire in self.wires:
            wire.close()


def p99_of_posts(shop, seconds):
    with shop.load(clients=2, pause=0.01) as load:
        time.sleep(seconds)
    if load.statuses() != {200}:
        raise Failed(f"others are answered {load.statuses()} {load.codes()}")
    times = sorted(taken for _, taken, _, _ in load.answers)
    return times[len(times) * 99 // 100]


def need_descriptors(count):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < count:
        raise Skipped(f"{count} connections need more than the {hard} descriptors allowed here")
    if soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))


def large_answer(shop):
    """A request whose answer is longer than what systems buffer between two sockets: a page of long events."""
    events = [{"messageId": one["messageId"], "type": "track", "event": "Product Viewed", "userId": "u0",
               "properties": {"image_url": "x" * 15_000}} for one in shop.events(20)]
    if shop.post(events=events)[0] != 200:
        raise Failed("long events are refused")
    head = b"GET /v1/profiles/email:u0@shop.example/events?purpose=email_marketing&limit=20 HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer "
    head += shop.keys["channel"].encode() + b"\r\n"
    wire, _ = exchange(shop.server.address, head + b"Connection: close\r\n\r\n")
    if not wire.startswith(b"HTTP/1.1 200") or len(wire) < 250_000:
        raise Failed(f"an answer that was to be large has {len(wire)} bytes: {wire[:100]}")
    return head + b"\r\n"


def await_calm(pid, seconds=30):
    """Until the process has hardly anything to do."""
    until, before = time.monotonic() + seconds, seconds_of_cpu(pid)
    while time.monotonic() < until:
        time.sleep(0.5)
        now = seconds_of_cpu(pid)
        if now - before < 0.05:
            return
        before = now


def slowly(trial, first, then, ended_after, code, read=True):
    """500 of them beside others that are served as ever. They are ended after their time and told why; who does not read
    cannot be told, and is counted."""
    need_descriptors(2000)
    shop = trial.shop()
    shop.server.start()
    alone = p99_of_posts(shop, 1.5)
    before, _, _ = resident(shop.server.process.pid)
    with Crowd(shop.server.address, 500, first(shop), then, read=read) as crowd:
        if not read:  # composing what they do not take is work, and not what is tried here
            await_calm(shop.server.process.pid)
        beside = p99_of_posts(shop, 2)
        after, _, _ = resident(shop.server.process.pid)
        if beside > max(2 * alone, 0.1):
            raise Failed(f"the others' p99 goes from {alone * 1e3:.0f} to {beside * 1e3:.0f} ms")
        if after - before > 256 << 20:
            raise Failed(f"memory grows by {(after - before) >> 20} MiB")
        gone, said = 0, b""
        until = time.monotonic() + ended_after
        while gone < 500 and time.monotonic() < until:
            time.sleep(0.5)
            gone, more = crowd.gone() if read else (shop.metric('cdp_http_refused_total{reason="slow_reader"}'), b"")
            said = more or said
    if gone < 500:
        raise Failed(f"after {ended_after} s {500 - gone:.0f} of them are still there")
    if code and code not in said:
        raise Failed(f"they were told {said[:200]}")
    shop.settle()
    return f"others' p99 {alone * 1e3:.0f} ms alone, {beside * 1e3:.0f} ms beside 500 of them; memory +{(after - before) >> 20} MiB"


@case(43, "500 clients send a head byte by byte: ended after 10 s with 408, others are served as before", alone=True)
def slow_heads(trial):
    return slowly(trial, lambda shop: b"GET /healthz HTTP/1.1\r\nHost: a\r\n", b"X-A: b\r\n", 16, b"408")


@case(43, "500 clients send a body byte by byte: ended within two minutes, others are served as before", short=False, alone=True)
def slow_bodies(trial):
    return slowly(trial, lambda shop: post_of(shop, b"{", b"Content-Length: 100000"), b" ", 130, b"408")


@case(43, "500 clients take no answer of 300 kB: ended within half a minute, others are served as before", short=False, alone=True)
def slow_readers(trial):
    return slowly(trial, large_answer, b"", 60, None, read=False)


@case(45, "bodies that are too large, by length, by chunks or inflated: refused before they are held")
def large_bodies(trial):
    shop = trial.shop(lived_in=False)
    shop.server.start()
    pid = shop.server.process.pid
    before, _, _ = resident(pid)
    bomb = gzip.compress(b" " * (1 << 30), 9) if trial.long else gzip.compress(b" " * (128 << 20), 9)
    last = b"Connection: close"
    asked = {
        "5 MB announced": (post_of(shop, b"", b"Content-Length: 5000000"), 400),
        "5 MB announced, asking first": (post_of(shop, b"", b"Content-Length: 5000000", b"Expect: 100-continue"), 400),
        "a gzip bomb": (post_of(shop, bomb, b"Content-Length: %d" % len(bomb), b"Content-Encoding: gzip", last), 400),
        "half a gzip": (post_of(shop, bomb[:999], b"Content-Length: 999", b"Content-Encoding: gzip", last), 400),
        "gzip twice": (post_of(shop, b"xx", b"Content-Length: 2", b"Content-Encoding: gzip, gzip", last), 415),
        "an unknown coding": (post_of(shop, b"xx", b"Content-Length: 2", b"Content-Encoding: br", last), 415),
        "an unknown expectation": (post_of(shop, b"", b"Content-Length: 2", b"Expect: miracles"), 417),
    }
    for what, (text, status) in asked.items():
        began = time.monotonic()
        wire, _ = exchange(shop.server.address, text, timeout=3)
        answers = answers_in(wire)
        if [one for one, _ in answers] != [status] or judge_refusal(status, {}, answers[0][1]):
            raise Failed(f"{what}: {answers}")
        if time.monotonic() - began > 5:
            raise Failed(f"{what}: answered after {time.monotonic() - began:.1f} s")
    after, _, _ = resident(pid)
    if after - before > 64 << 20:
        raise Failed(f"memory grew by {(after - before) >> 20} MiB")
    if stored(shop):
        raise Failed(f"stored: {stored(shop)}")
    shop.settle()
    return f"{len(asked)} refused, memory +{(after - before) >> 20} MiB"


class Growing(Clients):
    """Clients with a public key whose batches say little for themselves and much for each of their events: some 31 KB, or 2,000 traits."""

    LONG = {"pad": "x" * 31_000}
    WIDE = {"traits": {f"t{n}": n for n in range(2000)}}
    # What comes of a batch by its kind: how many events, what is said for each, what it may be answered.
    KINDS = {"12 MB": (400, LONG, {(200, None), (429, "overloaded")}),
             "77 MB": (2500, LONG, {(400, "batch_too_large")}),
             "a hundred thousand traits": (50, WIDE, {(200, None), (429, "overloaded")}),
             "a million traits": (500, WIDE, {(400, "batch_too_large")})}

    def __init__(self, shop, key, clients):
        super().__init__(clients)
        self.shop, self.key = shop, key
        self.answers, self.wrong, self.made = [], [], itertools.count()

    def body(self, kind):
        count, context, _ = self.KINDS[kind]
        first = next(self.made) * 10_000
        ids = [f"grow{n}" for n in range(first, first + count)]
        with self.shop.lock:
            self.shop.sent.update(ids)
        return gzip.compress(json.dumps({"batch": [event(id) for id in ids], "context": context}).encode())

    def post(self):
        connection = http.client.HTTPConnection(*self.shop.server.address, timeout=60)
        fields = {"Authorization": f"Bearer {self.key}", "Content-Encoding": "gzip"}
        while not self.over.is_set():
            for kind in self.KINDS:
                try:
                    connection.request("POST", "/v1/batch", body=self.body(kind), headers=fields)
                    answer = connection.getresponse()
                    said = json.loads(answer.read())
                except NO_ANSWER as why:
                    self.wrong.append(f"a client was not answered: {why!r}")
                    return
                self.answers.append((kind, answer.status, said.get("code")))
                if answer.status != 200:
                    self.wrong += judge_refusal(answer.status, answer.headers, said)
            self.over.wait(0.05)


@case(46, "batches that grow as they are read, from many connections while the disk is slow: memory stays within what is "
          "granted, and others are served", alone=True)
def envelopes_that_grow(trial):
    can_trace()
    config = trial.folder / "small.toml"
    config.write_text("waiting_max = 8000\n")
    shop = trial.shop()
    public = shop.server.key("source", "page")
    slow = injecting("fdatasync:delay_exit=500000", calls=("fdatasync",))
    if not shop.server.launch("--config", str(config), under=slow):
        raise Failed(shop.judge_end())
    pid, granted = shop.server.process.pid, 8000 * 12 << 10
    shop.post()
    before, most, held, consents = resident(pid)[0], 0, 0, []
    until = time.monotonic() + (20 if trial.long else 5)
    with Growing(shop, public, 96) as growing, shop.load(clients=4, timeout=60) as load:
        caller = shop.caller(timeout=60)
        while time.monotonic() < until:
            consents.append(caller.call("POST", "/v1/consents", {
                "identifiers": [{"type": "email", "value": "u1@shop.example"}], "purpose": "email_marketing",
                "state": "withdrawn"})[0])
            held = max(held, shop.metric("cdp_backlog_bytes"))
            most = max(most, resident(pid)[0] - before)
        growing.over.set()
    # Beside what is granted: a batch on each thread that is being read, and tables in memory.
    if most > granted + (256 << 20):
        raise Failed(f"memory grew by {most >> 20} MiB, {granted >> 20} are granted")
    if growing.wrong:
        raise Failed("; ".join(growing.wrong[:5]))
    for kind, (_, _, expected) in growing.KINDS.items():
        told = {(status, code) for one, status, code in growing.answers if one == kind}
        if not told or not told <= expected:
            raise Failed(f"batches of {kind} are answered {told}")
    told = {(status, code) for _, status, code in growing.answers}
    if not {(200, None), (429, "overloaded")} <= told:
        raise Failed(f"none was taken, or none refused for want of room: {told}")
    if set(consents) != {200} or 200 not in load.statuses() or load.statuses() - {200, 429}:
        raise Failed(f"beside them consents are answered {set(consents)}, events {load.statuses()} {load.codes()}")
    shop.settle()
    return f"memory +{most >> 20} MiB, of {held / (1 << 20):.0f} counted and {granted >> 20} granted; {len(growing.answers)} batches"


@case(47, "200,000 chunks of a byte, and an extension of 100 kB: refused, and cheaply")
def tiny_chunks(trial):
    shop = trial.shop(lived_in=False)
    shop.server.start()
    chunked = b"Transfer-Encoding: chunked"
    spent = []
    for what, body in (("tiny chunks", b"1\r\n \r\n" * 200_000 + b"0\r\n\r\n"),
                       ("a long extension", b"1;" + b"x" * 100_000 + b"\r\n \r\n0\r\n\r\n")):
        before = seconds_of_cpu(shop.server.process.pid)
        wire, closed = exchange(shop.server.address, post_of(shop, body, chunked), timeout=5)
        answers = answers_in(wire)
        if len(answers) != 1 or answers[0][0] not in (400, 413) or not closed:
            raise Failed(f"{what}: {[one for one, _ in answers]}, closed: {closed}")
        spent.append(seconds_of_cpu(shop.server.process.pid) - before)
    if max(spent) > 0.5:
        raise Failed(f"one request took {max(spent):.2f} s of processor")
    shop.settle()
    return f"{max(spent) * 1e3:.0f} ms of processor at most"


@case(48, "idle connections by the thousand, half-open ones, ends and resets in the middle: nothing is stored of a half body")
def broken_off(trial):
    count = 9000 if trial.long else 1500
    need_descriptors(count + 500)
    shop = trial.shop()
    shop.server.start()
    pid = shop.server.process.pid
    before, _, _ = resident(pid)
    with Crowd(shop.server.address, count, b"") as crowd:
        if shop.post()[0] != 200:
            raise Failed("with many idle connections a batch is refused")
        after, _, _ = resident(pid)
        gone, _ = crowd.gone()
    each = (after - before) // count
    if gone or each > 32 << 10:
        raise Failed(f"{gone} of {count} were ended, each takes {each} bytes")
    body = batch("half")
    for ending in ("fin", "reset"):
        for size in range(1, len(body), 7):
            with socket.create_connection(shop.server.address) as wire:
                if ending == "reset":
                    wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                wire.sendall(post_of(shop, body[:size], b"Content-Length: %d" % len(body)))
    # A large answer that nobody waits for.
    large = large_answer(shop)
    for n in range(50):
        with socket.create_connection(shop.server.address) as wire:
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            wire.sendall(large * 3)
    if stored(shop):
        raise Failed(f"of half a body there is {stored(shop)}")
    until = time.monotonic() + 5
    while resident(pid)[1] > 100 and time.monotonic() < until:
        time.sleep(0.1)
    if resident(pid)[1] > 100:
        raise Failed(f"{resident(pid)[1]} descriptors are left open")
    shop.settle()
    return f"{count} idle connections at {each} bytes each"


def bad_bodies():
    """Bodies that are no list of events: (what, bytes)."""
    one = json.dumps(event("bad")).encode()[:-1]
    yield "a depth of 100,000", b"[" * 100_000
    yield "a depth of 100,000 in an event", one + b',"properties":{"a":' + b"[" * 30_000 + b"]" * 30_000 + b"}}"
    for number in (b"1e400", b"-1e400", b"NaN", b"Infinity", b"01", b"+1", b"1.", b".5", b"0x10"):
        yield number.decode(), one + b',"properties":{"a":' + number + b"}}"
    yield "a key twice", one + b',"userId":"u2"}'
    yield "bytes that are no UTF-8", one + b',"x":"\xff\xfe"}'
    yield "a lone surrogate", one + b',"x":"\\ud800"}'
    yield "a raw line feed", one + b',"x":"a\nb"}'
    yield "two documents", one + b"}" + one + b"}"
    yield "a comment", b"/* a */" + one + b"}"
    yield "a comma too many", one + b",}"
    yield "half of it", one
    yield "nothing", b""
    yield "only white space", b" " * 1000
    yield "a null", b"null"
    yield "a number", b"5"
    yield "an object without end", b'{"batch":[' + one + b"},"
    yield "200,000 keys", b"{" + b",".join(b'"k%d":1' % n for n in range(200_000)) + b"}"
    yield "a key of a megabyte", b'{"' + b"k" * (1 << 20) + b'":1}'
    yield "a byte order mark alone", b"\xef\xbb\xbf"


@case(49, "bodies that are no JSON, or JSON that readers take differently: refused with the place, and the process lives")
def crooked_json(trial):
    shop = trial.shop(lived_in=False)
    shop.server.start()
    bodies = list(bad_bodies())
    folder = Path(os.environ.get("CDP_TEST_DATA", ""), "jsontestsuite/test_parsing")
    suite = sorted(folder.glob("n_*.json")) if folder.is_dir() else []
    bodies += [(path.name, path.read_bytes()) for path in suite]
    slowest = 0
    for what, body in bodies:
        for path in (b"/v1/track", b"/v1/batch"):
            began = time.monotonic()
            wire, _ = exchange(shop.server.address, post_of(
                shop, body, b"Content-Length: %d" % len(body), b"Connection: close", path=path), timeout=5)
            slowest = max(slowest, time.monotonic() - began)
            answers = answers_in(wire)
            refused = [one for one in answers if one[0] == 400 and not judge_refusal(400, {}, one[1])]
            verdicts = answers and answers[0][0] == 200 and {one["verdict"] for one in answers[0][1].get("results", [])}
            if len(answers) != 1 or not (refused or verdicts == {"rejected"}):
                raise Failed(f"{what} at {path.decode()}: {str(answers)[:300]}")
    if stored(shop):
        raise Failed(f"of what was refused there is {stored(shop)}")
    if slowest > 1:
        raise Failed(f"an answer took {slowest:.1f} s")
    shop.settle()
    return f"{len(bodies)} bodies{'' if suite else ' (JSONTestSuite is not here: CDP_TEST_DATA)'}, slowest {slowest * 1e3:.0f} ms"


@case(50, "events and batches over the limits, one bad event of a hundred: named by index, the others stored")
def limits_of_batches(trial):
    shop = trial.shop(lived_in=False)
    shop.server.start()
    caller = shop.caller()
    fat = event("fat", properties={"pad": "x" * 40_000})
    nobody = {"messageId": "nobody", "type": "track", "event": "Seen"}
    status, answer = caller.call("POST", "/v1/batch", {"batch": [event(f"e{n}") for n in range(98)] + [fat, nobody]})
    verdicts = [result["verdict"] for result in answer.get("results", [])]
    if status != 200 or verdicts != ["accepted"] * 98 + ["rejected"] * 2:
        raise Failed(f"two bad of a hundred: {status} {str(answer)[:300]}")
    for n in (98, 99):
        if answer["results"][n]["index"] != n or not answer["results"][n].get("code"):
            raise Failed(f"the bad event is not named: {answer['results'][n]}")
    if caller.call("POST", "/v1/track", fat)[0] != 400:
        raise Failed("an event over 32 KB alone is not 400")
    status, answer = caller.call("POST", "/v1/batch", {"batch": [event(f"many{n}") for n in range(2501)]})
    if status != 400 or judge_refusal(status, {}, answer):
        raise Failed(f"2501 events: {status} {str(answer)[:300]}")
    if sorted(stored(shop)) != sorted(f"e{n}" for n in range(98)):
        raise Failed(f"there are {len(stored(shop))} events")
    shop.server.stop()
    return "98 stored, 2 named"


@case(52, "the same messageId twice, at once, with another body, after a restart: one event, the first")
def same_message(trial):
    shop = trial.shop(lived_in=False)
    shop.server.start()
    verdicts, lock = [], threading.Lock()
    ready = threading.Barrier(16)

    def post(n):
        caller = shop.caller()
        ready.wait()
        for k in range(10):
            status, answer = caller.call("POST", "/v1/batch", {"batch": [event(f"same{k}", properties={"who": n})]})
            with lock:
                verdicts.append((k, answer["results"][0]["verdict"] if status == 200 else status))

    threads = [threading.Thread(target=post, args=(n,)) for n in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for k in range(10):
        of_one = [verdict for which, verdict in verdicts if which == k]
        if of_one.count("accepted") != 1 or of_one.count("duplicate") != 15:
            raise Failed(f"posted 16 times at once: {of_one}")
    first = {one["messageId"]: one for one in shop.server.export("events")}
    shop.server.stop()
    shop.server.start()
    status, answer = shop.caller().call("POST", "/v1/batch", {"batch": [
        event("twice"), event("twice"), event("same0", properties={"who": "later"})]})
    if [one["verdict"] for one in answer["results"]] != ["accepted", "duplicate", "duplicate"]:
        raise Failed(f"after a restart: {answer}")
    again = {one["messageId"]: one for one in shop.server.export("events")}
    if len(again) != 11 or any(again[id] != one for id, one in first.items()):
        raise Failed("the first event is not the one that is kept")
    shop.server.stop()
    return "16 at once, 10 times: one each"


@case(53, "pipelined requests, HTTP/1.0, and methods that are not served: exact answers in order")
def methods_and_order(trial):
    shop = trial.shop(lived_in=False)
    shop.server.start()
    many = b"".join(b"%s /healthz HTTP/1.1\r\nHost: a\r\n\r\n" % method for method in (b"GET", b"HEAD", b"GET") * 20)
    wire, _ = exchange(shop.server.address, many + b"GET /nowhere HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", timeout=5)
    if wire.count(b"HTTP/1.1 200") != 60 or wire.count(b"HTTP/1.1 404") != 1 or wire.count(b'{"status":"ok"}') != 40:
        raise Failed(f"61 requests in one piece: {wire.count(b'HTTP/1.1 200')} answers by 200")
    for method, statuses in ((b"TRACE", (405, 501)), (b"CONNECT", (400, 405, 501)), (b"BREW", (501,)), (b"get", (400, 501)),
                             (b"OPTIONS", (200, 204)), (b"DELETE", (405, 501)), (b"PRI", (400, 501, 505))):
        wire, _ = exchange(shop.server.address, method + b" /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", timeout=3)
        status = int(wire.split()[1]) if wire else None
        if status not in statuses:
            raise Failed(f"{method.decode()} is answered {status}")
        if b"TRACE /healthz" in wire:
            raise Failed("TRACE gives the request back")
    for version, status in ((b"HTTP/1.0", 200), (b"HTTP/2.0", 505), (b"HTTP/1.2", 505), (b"HTTP/0.9", 505)):
        wire, closed = exchange(shop.server.address, b"GET /healthz " + version + b"\r\nHost: a\r\n\r\n", timeout=3)
        if not closed or not wire.startswith(b"HTTP/1.1 %d" % status):
            raise Failed(f"{version.decode()} is answered {wire[:60]}")
    shop.settle()
    return "61 answers in order"


@case(54, "tricks in the path: one spelling of each route, everything else is refused and reaches nothing")
def paths(trial):
    shop = trial.shop(lived_in=False)
    shop.server.start()
    admin = shop.keys["admin"].encode()
    for path in (b"//v1/exports/events", b"/v1//exports/events", b"/./v1/exports/events", b"/x/../v1/exports/events",
                 b"/x/%2e%2e/v1/exports/events", b"/v1%2fexports/events", b"/v1/exports/events%00", b"/v1/exports/events;x",
                 b"/v1/exports/events/", b"/v1/exports/events.", b"/V1/exports/events", b"/v1/exports/..%2fevents",
                 b"http://a/v1/exports/events", b"/v1/exports/events#x", b"\\v1\\exports\\events", b"/v1/exports/ events",
                 b"/v1/exports/\xff", b"*", b"v1/exports/events", b"/" + b"a" * 9000):
        wire, _ = exchange(shop.server.address, b"GET " + path + b" HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " + admin +
                           b"\r\nConnection: close\r\n\r\n", timeout=3)
        status = int(wire.split()[1]) if wire else None
        if status not in (400, 404, 414):
            raise Failed(f"{path[:60]} is answered {status}: {wire[-200:]}")
    shop.settle()
    return "20 spellings refused"


@case(55, "line breaks, markup and quotes in what people send come out as text: no header, line or page is theirs")
def injected_output(trial):
    shop = trial.shop(lived_in=False)
    shop.server.start()
    nasty = "\r\nX-Mine: 1\r\n\r\n<script>alert(1)</script>\"'&=cmd|' /C calc'!A0\u2028\u2029\0"
    caller = shop.caller()
    status, answer = caller.call("POST", "/v1/batch", {"batch": [
        {"messageId": "nasty" + nasty, "type": "identify", "userId": "v1",
         "traits": {"email": "v1@shop.example", "name": nasty, nasty: nasty}},
        {"messageId": "n2", "type": "track", "event": nasty, "userId": '<i>"v2', "properties": {nasty: nasty}}]})
    if status != 200:
        raise Failed(f"answered {status} {answer}")
    if "X-Mine" in dict(caller.answer.headers):
        raise Failed("a header of the answer is the client's")
    events = shop.server.export("events")  # a line for each, or it is no JSON
    if not any(one["messageId"] == "n2" and one["event"] == nasty for one in events):
        raise Failed("what was sent is not what is there")
    for kind in ("persons", "links", "consents"):
        shop.server.export(kind)
    page = shop.server.run("privacy", "report", "user_id:v1", "--format", "html", "--reason", "<b>asked</b>")
    if "<script>alert" in page:
        raise Failed("the report runs what somebody sent")
    for path in ("/v1/profiles/user_id:x%0d%0aX-Mine:%201?purpose=email_marketing", "/v1/profiles/user_id:v1?purpose=%0d%0aX-Mine:1"):
        channel = shop.caller("channel")
        channel.call("GET", path)
        if "X-Mine" in dict(channel.answer.headers):
            raise Failed(f"{path}: a header of the answer is the client's")
    if "X-Mine: 1\n" in shop.server.said().replace("\r", ""):
        raise Failed("a line of the log is the client's")
    shop.server.stop()
    return "as text everywhere"
