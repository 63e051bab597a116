"""Trials: what a case is, and a shop whose server suffers it while everything it acknowledges is accounted for."""

import contextlib
import dataclasses
import http.client
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from driver import Caller, Failed, Ledger, Server, Skipped, judge_events, judge_refusal

CASES = []
PEOPLE = 50
BATCH = 20
NO_ANSWER = (OSError, http.client.HTTPException, ValueError)


@dataclasses.dataclass(frozen=True)
class Case:
    number: int  # of the list in docs/FAULTS.md
    name: str
    claim: str
    short: bool  # whether it is part of the short form
    alone: bool  # whether it measures what others beside it would spoil
    attempt: object


def case(number, claim, short=True, alone=False):
    """Adds a function of a Trial to the cases. It returns what it saw, raises Failed, or Skipped with the reason."""
    def add(attempt):
        CASES.append(Case(number, attempt.__name__, claim, short, alone, attempt))
        return attempt
    return add


class Trial:
    """One case being tried. What it makes is ended and removed by `close`."""

    def __init__(self, run, name, seed):
        self.run, self.long, self.random = run, run.long, random.Random(seed)
        self.seed = seed
        self.folder = Path(tempfile.mkdtemp(prefix=f"cdp-{name}-", dir=run.folder))
        self.afterwards = contextlib.ExitStack()
        self.made = 0

    def close(self):
        self.afterwards.close()

    def new_folder(self, name):
        self.made += 1
        folder = self.folder / f"{name}{self.made}"
        folder.mkdir()
        return folder

    def shop(self, at=None, lived_in=True):
        """`at`: where its data lie, if not in a folder of the trial."""
        shop = Shop(self, self.new_folder("shop"), at)
        shop.copy(self.run.template(lived_in))
        if at:  # a disk of the trial's own: what it began with is no part of the trial
            os.sync()
        self.afterwards.callback(shop.end)
        return shop

    def pick(self, values, short):
        """All of them at length, some in the short form."""
        values = list(values)
        if self.long or len(values) <= short:
            return values
        return sorted(self.random.sample(values, short), key=values.index)


class Run:
    """What all trials share: the binary, and data folders to begin with."""

    def __init__(self, binary, long):
        self.binary, self.long = Path(binary).resolve(), long
        self.folder = Path(tempfile.mkdtemp(prefix="cdp-faults-"))
        self.templates = {lived_in: self.make_template(lived_in) for lived_in in (False, True)}

    def template(self, lived_in):
        return self.templates[lived_in]

    def make_template(self, lived_in):
        with contextlib.closing(Trial(self, "template", 0)) as trial:
            shop = Shop(trial, trial.folder)
            shop.server.run("init")
            shop.server.start()
            shop.make_keys()
            if lived_in:
                shop.live()
            shop.server.stop()
            if lived_in:  # a second start writes what the first had in its log into tables
                shop.server.start()
                for _ in range(5):
                    shop.post()
                shop.server.stop()
            return shop

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)


class Shop:
    """A server, keys of every role, and what was posted to it."""

    def __init__(self, trial, folder, at=None):
        self.trial, self.folder = trial, folder
        self.server = Server(trial.run.binary, folder, at)
        self.ledger = Ledger(folder / "acknowledged")
        self.lock = threading.Lock()
        self.sent, self.acknowledged, self.unsure = set(), set(), []
        self.keys, self.wrong, self.posted = {}, [], 0

    def make_keys(self):
        self.keys = {"source": self.server.key("source", "till", "--trust", "server"),
                     "channel": self.server.key("channel", "newsletter", "--channel", "email_tool"),
                     "steward": self.server.key("steward", "kim"), "officer": self.server.key("officer", "lee"),
                     "admin": self.server.key("admin", "root")}

    def copy(self, other):
        shutil.copytree(other.server.data, self.server.data, dirs_exist_ok=True, ignore=lambda *_: ["admin.sock"])
        os.chmod(self.server.data, 0o700)
        self.keys, self.posted = dict(other.keys), other.posted
        self.sent, self.acknowledged = set(other.sent), set(other.acknowledged)

    def live(self):
        """People with addresses, and what they said about being written to."""
        for _ in range(10):
            self.post(count=100)
        consents = [{"identifiers": [{"type": "email", "value": f"u{n}@shop.example"}], "purpose": "email_marketing",
                     "state": "granted", "scope": "person"} for n in range(PEOPLE)]
        status, answer = self.caller("source").call("POST", "/v1/consents", {"consents": consents})
        if status != 200:
            raise Failed(f"consents were answered {status}: {answer}")

    # --- talking to it

    def caller(self, role="source", timeout=20):
        return Caller(self.server.address, self.keys[role], timeout)

    def events(self, count=BATCH, pad=400):
        with self.lock:
            first, self.posted = self.posted, self.posted + count
        events = []
        for n in range(first, first + count):
            event = {"messageId": f"m{n}", "type": "track", "event": "Product Viewed", "userId": f"u{n % PEOPLE}",
                     "properties": {"n": n, "pad": "x" * (n * 7 % pad)}}
            if n % 10 == 0:
                event.update(type="identify", traits={"email": f"u{n % PEOPLE}@shop.example", "email_verified": True})
            events.append(event)
        with self.lock:
            self.sent.update(event["messageId"] for event in events)
        return events

    def post(self, count=BATCH, caller=None, events=None, pad=400):
        """Posts a batch. Its status, and the code of a refusal; None when no answer came."""
        events = events or self.events(count, pad)
        try:
            caller = caller or self.caller()
            status, answer = caller.call("POST", "/v1/batch", {"batch": events})
        except NO_ANSWER:
            with self.lock:
                self.unsure.append(events)
            return None, None
        with self.lock:
            if status == 200:
                self.account(events, answer)
                return 200, None
            self.unsure.append(events)
            self.wrong += judge_refusal(status, caller.answer.headers, answer)
            return status, answer.get("code")

    def account(self, events, answer):
        verdicts = {result["messageId"]: result["verdict"] for result in answer["results"]}
        bad = {id: verdict for id, verdict in verdicts.items() if verdict not in ("accepted", "duplicate")}
        if bad or set(verdicts) != {event["messageId"] for event in events}:
            self.wrong.append(f"verdicts: {bad or verdicts}")
        self.ledger.write([{"id": id} for id in verdicts])
        self.acknowledged.update(verdicts)

    def read(self, n=0):
        """The status of a read of somebody's profile, and the body."""
        return self.caller("channel").call("GET", f"/v1/profiles/email:u{n}@shop.example?purpose=email_marketing")

    def ready(self):
        """What /readyz says: True, or the code of the refusal."""
        status, answer = self.caller().call("GET", "/readyz")
        return True if status == 200 else answer["code"]

    def metric(self, name):
        """A number of /metrics; None when there is none of that name."""
        connection = http.client.HTTPConnection(*self.server.address, timeout=20)
        connection.request("GET", "/metrics")
        for line in connection.getresponse().read().decode().splitlines():
            if line.startswith(name + " "):
                return float(line.split()[1])
        return None

    def load(self, clients=4, **how):
        return Load(self, clients, **how)

    # --- judging it

    def judge(self):
        """While it serves or lies still: nothing lost, nothing double, nothing invented."""
        found = self.wrong + judge_events(self.acknowledged, self.sent, self.server.export("events"))
        if found:
            raise Failed(f"{len(found)} findings: " + "; ".join(found[:10]))

    def judge_end(self, told=True):
        """Ended by itself: by a code of its own and one line that says why."""
        code = self.server.ended(30)
        if code is None:
            raise Failed("the server neither serves nor ends")
        lines = [line for line in self.server.said().splitlines() if line.startswith("cdp: ")]
        if code not in (1, 2, 70) or (told and len(lines) != 1):
            raise Failed(f"the server ended by {code}, saying: {self.server.said()[-600:]!r}")
        return lines[0][5:] if lines else ""

    def settle(self, **how):
        """The fault is over: a start without it serves everything that was acknowledged, and what was not may come again."""
        if self.server.alive():
            self.judge_wrong()
            code = self.server.stop()
            if code != 0:
                raise Failed(f"the server ended by {code} on SIGTERM: {self.server.said()[-600:]}")
        self.server.start(**how)
        if self.ready() is not True:
            raise Failed(f"after the fault /readyz says {self.ready()}")
        self.judge()
        unsure, self.unsure = self.unsure, []
        for events in unsure:
            if self.post(events=events)[0] != 200:
                raise Failed("what was never answered is refused when it comes again")
        if self.post()[0] != 200:
            raise Failed("after the fault nothing is taken")
        self.judge()
        if self.server.stop() != 0:
            raise Failed("the server did not end cleanly on SIGTERM")
        self.server.run("ledger", "verify")
        self.server.run("verify")

    def judge_wrong(self):
        if self.wrong:
            raise Failed("; ".join(self.wrong[:5]))

    def judge_readiness(self):
        """/readyz says True exactly when writes are taken. A disk may come back between the two questions."""
        until = time.monotonic() + 5
        while True:
            ready, (status, code) = self.ready(), self.post()
            if (ready is True) == (status == 200):
                return ready
            if time.monotonic() > until:
                raise Failed(f"/readyz says {ready}, a write is answered {status} {code}")
            time.sleep(0.1)

    def end(self):
        if self.server.alive():
            self.server.process.send_signal(signal.SIGCONT)
            self.server.kill()


class Clients:
    """Threads of `post`, as long as it is entered; each looks whether it is `over`."""

    def __init__(self, clients):
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self.post, daemon=True) for _ in range(clients)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join(60)
            if thread.is_alive():
                raise Failed("a client was not answered within a minute")


class Load(Clients):
    """Clients that post as fast as they are answered, until `stop` or the server is gone. `answers` holds one tuple
    for each: when it was asked, the seconds it took, the status (None: no answer), the code."""

    def __init__(self, shop, clients, count=BATCH, pause=0.0, timeout=20, pad=400):
        super().__init__(clients)
        self.shop, self.count, self.pause, self.timeout, self.pad = shop, count, pause, timeout, pad
        self.answers = []

    def post(self):
        try:
            caller = self.shop.caller(timeout=self.timeout)
        except NO_ANSWER:
            return
        while not self.over.is_set():
            began = time.monotonic()
            status, code = self.shop.post(self.count, caller, pad=self.pad)
            self.answers.append((began, time.monotonic() - began, status, code))
            if status is None and not self.shop.server.alive():
                return
            if status is None:
                caller = self.shop.caller(timeout=self.timeout)
            if status != 200 or self.pause:
                self.over.wait(self.pause or 0.02)

    def statuses(self):
        return {status for _, _, status, _ in self.answers}

    def codes(self):
        return {code for *_, code in self.answers if code}

    def slowest(self):
        return max((seconds for _, seconds, _, _ in self.answers), default=0)

    def await_status(self, status, seconds=20, code=None):
        """Waits until somebody is answered so."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if any(s == status and code in (None, c) for _, _, s, c in list(self.answers)):
                return True
            time.sleep(0.02)
        return False


# --- what the machine lends

def need_root(what):
    if os.geteuid() != 0:
        raise Skipped(f"{what} needs root")


def need_tool(name, package=None):
    if not shutil.which(name):
        raise Skipped(f"no {name}: the package {package or name} is missing")


def mounted(trial, kind, options, device="none"):
    """A file system of the trial's own, unmounted when it is over."""
    need_root(f"mounting {kind}")
    place = trial.new_folder(kind)
    done = subprocess.run(["mount", "-t", kind, "-o", options, device, str(place)], capture_output=True, text=True)
    if done.returncode:
        raise Skipped(f"{kind} cannot be mounted here: {done.stderr.strip()}")
    trial.afterwards.callback(subprocess.run, ["umount", "-l", str(place)], capture_output=True)
    return place


def tmpfs(trial, options):
    return mounted(trial, "tmpfs", options)


def ext4(trial, size=1 << 30, options="loop"):
    """A disk in a file: frozen, broken and taken away as the trial likes."""
    need_root("a loop device")
    need_tool("mkfs.ext4", "e2fsprogs")
    if not os.path.exists("/dev/loop-control"):
        raise Skipped("this machine has no loop devices")
    image = trial.folder / f"disk{trial.made}"
    with open(image, "wb") as disk:
        disk.truncate(size)
    subprocess.run(["mkfs.ext4", "-q", str(image)], check=True, capture_output=True)
    place = mounted(trial, "ext4", options, str(image))
    return place, image


def injecting(*faults, calls, paths=(), told=os.devnull):
    """The tracer that makes system calls fail, to stand before the server. Each fault is as strace writes them; they are counted
    for each thread. The server keeps its process id. `told`: a file for what is traced, see `hit_by`."""
    need_tool("strace")
    under = ["strace", "-D", "-f", "-qq", "-y", "--seccomp-bpf", "-o", str(told), "-e", f"trace={','.join(calls)}"]
    for fault in faults:
        under += ["-e", f"inject={fault}"]
    for path in paths:
        under += ["-P", str(path)]
    return under


def hit_by(told):
    """The calls that were made to fail, as strace writes them: name, arguments, descriptors with their files."""
    begun, hit = {}, []
    with open(told, errors="replace") as lines:
        for line in lines:
            thread, _, call = line.strip().partition(" ")
            call = call.lstrip()
            if call.endswith("<unfinished ...>"):
                begun[thread] = call
            elif call.endswith("(INJECTED)"):
                hit.append(begun.get(thread, "") if call.startswith("<...") else call)
    return hit


def can_trace():
    """Skips where the kernel or a container forbids tracing."""
    need_tool("strace")
    done = subprocess.run(["strace", "-D", "-f", "-qq", "--seccomp-bpf", "-o", "/dev/null", "-e", "trace=fdatasync", "true"],
                          capture_output=True, text=True)
    if done.returncode:
        raise Skipped(f"strace may not trace here: {done.stderr.strip()[:200]}")


def resident(pid):
    """Bytes of memory, descriptors and threads of a process."""
    with open(f"/proc/{pid}/status") as status:
        fields = dict(line.split(":", 1) for line in status)
    return int(fields["VmRSS"].split()[0]) << 10, len(os.listdir(f"/proc/{pid}/fd")), int(fields["Threads"])


def seconds_of_cpu(pid):
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def exchange(address, text, timeout=10, half_close=False):
    """Everything the server sends on a connection of its own until it closes it or is silent."""
    with socket.create_connection(address, timeout=timeout) as wire:
        try:
            wire.sendall(text)
            if half_close:
                wire.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        got = b""
        closed = False
        try:
            while piece := wire.recv(65536):
                got += piece
            closed = True
        except ConnectionError:
            closed = True
        except TimeoutError:
            pass
        return got, closed


def answers_in(wire):
    """The answers in a stream of bytes: (status, JSON body or None)."""
    answers = []
    while wire:
        head, _, rest = wire.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        status = int(lines[0].split()[1])
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        if status == 100:
            wire = rest
            continue
        size = int(fields.get("content-length", 0))
        body, wire = rest[:size], rest[size:]
        try:
            answers.append((status, json.loads(body)))
        except ValueError:
            answers.append((status, None))
    return answers
