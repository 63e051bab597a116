"""What every trial of faults stands on: the real server on a folder of its own, and an account of its word.

The account is a file of ours, fsynced before the next request leaves. Whatever happens to the server, at the end
everything it acknowledged must be there exactly once, and nothing that nobody sent.
"""

import collections
import http.client
import json
import os
import pathlib
import re
import signal
import subprocess
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
START_SECONDS_MAX = 5.0
CRASHED = 137
LATER_SECONDS = 5.0


class Failed(Exception):
    """The server did what it must not."""


class Skipped(Exception):
    """This machine cannot try it; the text says why."""


class Server:
    """The real binary on a folder of its own."""

    def __init__(self, binary, folder, data=None):
        self.binary, self.folder, self.data = str(binary), folder, str(data or folder / "data")
        self.process = self.address = None
        self.log = open(folder / "serve.log", "ab")

    def attempt(self, *arguments, under=(), **more):
        """A verb of the command line, done or refused. `under` goes before it, as a tracer does."""
        return subprocess.run([*under, self.binary, *arguments, "--data", self.data], capture_output=True, text=True,
                              **more)

    def run(self, *arguments):
        done = self.attempt(*arguments)
        if done.returncode:
            raise Failed(f"cdp {' '.join(arguments)} failed ({done.returncode}): {done.stderr.strip()}")
        return done.stdout

    def key(self, role, name, *more):
        return self.run("keys", "add", "--role", role, "--name", name, *more).strip()

    def launch(self, *arguments, under=(), patience=30, **more):
        """Whether it listens. If not it is no more, or does not come to listen within `patience` seconds."""
        self.began_at = os.path.getsize(self.log.name)
        listening = threading.Event()
        self.address = None
        self.process = subprocess.Popen(
            [*under, self.binary, "serve", "--data", self.data, "--listen", "127.0.0.1:0", *arguments],
            stdout=subprocess.PIPE, stderr=self.log, stdin=subprocess.DEVNULL, text=True, **more)

        def read(lines):
            for line in lines:
                found = re.search(r"listening on http://([^\s:]+):(\d+)", line)
                if found:
                    self.address = (found[1], int(found[2]))
                    listening.set()
            listening.set()

        threading.Thread(target=read, args=(self.process.stdout,), daemon=True).start()
        listening.wait(patience)
        return self.address is not None

    def start(self, **how):
        """Seconds from the start of the process to the line that says it listens."""
        began = time.monotonic()
        if not self.launch(**how):
            code = self.ended()
            if code is None:
                self.kill()
            raise Failed(f"the server did not start again (exit {code}):\n{self.said()[-2000:]}")
        return time.monotonic() - began

    def said(self):
        """What it has said on stderr since it was launched."""
        with open(self.log.name, "rb") as log:
            log.seek(self.began_at)
            return log.read().decode(errors="replace")

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def ended(self, patience=10):
        """The exit code, or None while it runs on."""
        try:
            return self.process.wait(timeout=patience)
        except subprocess.TimeoutExpired:
            return None

    def arm(self, point):
        """Starts it anew so that it ends itself where it passes `point` (cdp/base/crash_point.h). Whether it listens: some
        points are passed before."""
        self.stop()
        return self.launch(env={**os.environ, "CDP_TEST_CRASH_AT": point})

    def await_crash(self, seconds):
        """The place where it has ended itself, by its own last line, or None. If it has not, it is killed."""
        if self.ended(seconds) is None:
            self.kill()
        found = re.search(r"^ended at crash point (\w+)$", self.said(), re.M)
        return found[1] if found and self.process.returncode == CRASHED else None

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=30)

    def export(self, kind):
        return [json.loads(line) for line in self.run("export", kind, "--reason", "crash test").splitlines()]


class Caller:
    """One keep-alive connection with a key. `call` gives the status and the JSON body."""

    def __init__(self, address, key, timeout=20):
        self.connection = http.client.HTTPConnection(*address, timeout=timeout)
        self.headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        self.answer = None  # the last one, with its headers

    def call(self, method, path, body=None, key=None):
        text = None if body is None else json.dumps(body)
        headers = {**self.headers, "Idempotency-Key": key} if key else self.headers
        self.connection.request(method, path, body=text, headers=headers)
        self.answer = self.connection.getresponse()
        return self.answer.status, json.loads(self.answer.read() or b"null")


class Ledger:
    """What the server acknowledged, one JSON line each, durable before `write` returns."""

    def __init__(self, path):
        self.path = path
        self.file = open(path, "ab", buffering=0)

    def write(self, entries):
        self.file.write(b"".join(json.dumps(entry).encode() + b"\n" for entry in entries))
        os.fsync(self.file.fileno())


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


def judge_refusal(status, headers, answer):
    """What a refusal lacks: a status, a code for machines, a sentence, and when to come again."""
    if not isinstance(answer, dict) or answer.get("status") != status:
        return [f"a refusal by {status} does not say its status: {str(answer)[:200]}"]
    found = []
    if not re.fullmatch(r"[a-z][a-z0-9_]*", str(answer.get("code"))):
        found.append(f"a refusal by {status} has no code: {answer}")
    if not str(answer.get("detail", "")).endswith("."):
        found.append(f"a refusal by {status} has no sentence: {answer}")
    if status in (429, 503) and not str(headers.get("Retry-After", "")).isdigit():
        found.append(f"a refusal by {status} does not say when to come again")
    return found


class Points:
    """Named places at which the server is to end itself, one a round, and which of them it was seen to reach."""

    def __init__(self, names):
        self.names, self.reached = [name for name in names.split(",") if name], set()

    def of_round(self, number, rng):
        """None when there are none. Some are armed for a later pass."""
        if not self.names:
            return None
        name = self.names[number % len(self.names)]
        return name if number < len(self.names) else f"{name}:{rng.choice([1, 2, 3, 8])}"

    def note(self, server, point, seconds):
        """The server has passed its place, or never will within this time. A later pass may not come."""
        if reached := server.await_crash(min(seconds, LATER_SECONDS) if ":" in point else seconds):
            self.reached.add(reached)

    def judge(self):
        missed = [name for name in self.names if name not in self.reached]
        if missed:
            raise Failed(f"never reached: {', '.join(missed)}")
