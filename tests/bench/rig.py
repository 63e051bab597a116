"""What every row is measured with: servers on folders of their own, clients, sizes, rows."""

import atexit
import contextlib
import json
import os
import re
import resource
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass

HERE = os.path.dirname(os.path.abspath(__file__))


@dataclass(frozen=True)
class Sizes:
    """How much is measured."""
    runs: int
    seconds: int          # of one run of an HTTP client
    idle_seconds: int
    people: int           # of the ingest mix
    warm: int             # batches of ingest that are not counted: until most of who comes is remembered
    batches: int          # of a run of ingest, 100 events each
    readers: int          # whose profiles are read in turn: all fit the answer cache
    consents: int         # answers of a run
    some: int             # entries, subjects, events of what is measured in process
    erased: int           # events of who is erased
    pairs: int            # that are merged and unmerged in a run
    events: int           # on disk when start_up is measured
    identifiers: tuple    # among the first and the last of them growth is measured
    memory: tuple         # the row of memory among each
    cookies: int          # of the hub
    questions: int        # that explain_p99 is of


SIZES = {
    "long": Sizes(runs=5, seconds=5, idle_seconds=20, people=100_000, warm=2_000, batches=2_000, readers=2_000,
                  consents=100_000, some=1_000_000, erased=10_000, pairs=500, events=10_000_000,
                  identifiers=(100_000, 1_000_000, 10_000_000),
                  memory=("memory_100k", "memory_1m", "memory_10m"), cookies=100_000, questions=2_000),
    "quick": Sizes(runs=3, seconds=1, idle_seconds=2, people=100_000, warm=800, batches=200, readers=1_000,
                   consents=10_000, some=50_000, erased=2_000, pairs=100, events=100_000,
                   identifiers=(100_000, 300_000), memory=("memory_100k", None), cookies=10_000,
                   questions=300),
    # Of no use as figures: that each row still works.
    "tiny": Sizes(runs=1, seconds=1, idle_seconds=1, people=1_000, warm=1, batches=2, readers=100,
                  consents=100, some=2_000, erased=100, pairs=2, events=1_000,
                  identifiers=(1_000, 2_000, 3_000), memory=("memory_100k", "memory_1m", "memory_10m"),
                  cookies=1_000, questions=5),
}


def progress(text):
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


started = []


def start(command, **options):
    """A process that ends with this one."""
    process = subprocess.Popen(command, **options)
    started.append(process)
    atexit.register(lambda: process.poll() is None and process.kill())
    return process


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def cpu_of_ours():
    """Of this process and all that it started."""
    total = sum(sum(resource.getrusage(who)[:2])
                for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return total + sum(cpu_seconds(process.pid) for process in started if process.poll() is None)


def cpu_of_machine():
    """With what the host of a virtual machine gave to others."""
    with open("/proc/stat") as stat:
        user, nice, system, _, _, irq, softirq, stolen = map(int, stat.readline().split()[1:9])
    return (user + nice + system + irq + softirq + stolen) / os.sysconf("SC_CLK_TCK")


class Watch:
    """How many cores others had meanwhile."""

    def __init__(self):
        self.began, self.machine, self.ours = time.monotonic(), cpu_of_machine(), cpu_of_ours()

    def seconds(self):
        return time.monotonic() - self.began

    def others(self):
        busy = (cpu_of_machine() - self.machine) - (cpu_of_ours() - self.ours)
        return max(0.0, busy / max(0.1, self.seconds()))


class Server:
    """cdp on a data folder of its own."""

    def __init__(self, binary, folder, threads, config=None):
        self.binary, self.folder, self.threads = binary, folder, threads
        self.config = ["--config", config] if config else []
        self.start()

    def start(self):
        began = time.perf_counter()
        self.process = start(
            [self.binary, "serve", "--data", self.folder, "--listen", "127.0.0.1:0",
             "--threads", str(self.threads), *self.config],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        line = self.process.stdout.readline()
        self.took = time.perf_counter() - began
        match = re.search(r"http://127\.0\.0\.1:(\d+)", line)
        if not match:
            raise SystemExit(f"cdp did not start: {line!r}")
        self.port = int(match.group(1))

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=30)

    def rest(self, seconds=600):
        """Until it does nothing, or for so long: what was loaded is compacted. Whether it came to that."""
        until, busy = time.monotonic() + seconds, 1.0
        while busy > 0.05 and time.monotonic() < until:
            before = self.cpu_seconds()
            time.sleep(0.5)
            busy = (self.cpu_seconds() - before) / 0.5
        return busy <= 0.05

    def kill(self):
        self.process.kill()
        self.process.wait()

    @contextlib.contextmanager
    def halted(self):
        """Not a thread of it runs: its folder is as a kill would leave it."""
        self.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.process.pid, os.WSTOPPED)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def key(self, *arguments):
        return subprocess.run([self.binary, "keys", "add", "--data", self.folder, *arguments],
                              check=True, capture_output=True, text=True).stdout.strip()

    def metric(self, name):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics") as answer:
            for line in answer.read().decode().splitlines():
                if line.startswith(name + " ") or line.startswith(name + "{"):
                    return float(line.rsplit(" ", 1)[1])
        raise SystemExit(f"no metric {name}")

    def commits(self):
        return Commits(self.metric("cdp_commit_groups_total"), self.metric("cdp_commit_rows_total"))

    def cpu_seconds(self):
        return cpu_seconds(self.process.pid)

    def memory_mb(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            return int(re.search(r"VmRSS:\s+(\d+)", status.read()).group(1)) / 1024


@dataclass
class Commits:
    groups: float
    rows: float

    def since(self, before):
        return Commits(self.groups - before.groups, self.rows - before.rows)


class Nginx:
    """One worker, one body: a static file for GET, the same as an answer to POST."""

    def __init__(self, folder, body):
        root = os.path.join(folder, "nginx")
        os.makedirs(os.path.join(root, "html"))
        with open(os.path.join(root, "html", "body.json"), "w") as out:
            out.write(body)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        user = "user root; " if os.geteuid() == 0 else ""  # its folder is ours alone
        config = os.path.join(root, "nginx.conf")
        answer = body.strip().replace("\\", "\\\\").replace("'", "\\'")
        with open(config, "w") as out:
            out.write(f"""
{user}worker_processes 1; daemon off; pid {root}/pid; error_log {root}/error.log crit;
events {{ worker_connections 1024; }}
http {{ access_log off; keepalive_requests 1000000000; default_type application/json;
       open_file_cache max=100; sendfile on; tcp_nopush on;
       client_body_temp_path {root}/t1; proxy_temp_path {root}/t2; fastcgi_temp_path {root}/t3;
       uwsgi_temp_path {root}/t4; scgi_temp_path {root}/t5;
       server {{ listen 127.0.0.1:{self.port}; root {root}/html;
                location = /posted {{ return 200 '{answer}'; }} }} }}
""")
        self.root = root
        self.process = start(["nginx", "-c", config, "-p", root], stderr=subprocess.DEVNULL)
        for _ in range(100):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/body.json").read()
                return
            except OSError:
                time.sleep(0.05)
        raise SystemExit("nginx did not start: " + open(os.path.join(root, "error.log")).read())

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=10)
        shutil.rmtree(self.root)


def wrk(port, seconds, script, *arguments):
    """Requests a second of one client thread with 16 connections."""
    done = subprocess.run(
        ["wrk", "-t1", "-c16", f"-d{seconds}s", "-s", os.path.join(HERE, script),
         f"http://127.0.0.1:{port}", "--", *map(str, arguments)], capture_output=True, text=True)
    match = re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)
    if done.returncode != 0 or not match or "Non-2xx" in done.stdout or float(match.group(1)) == 0:
        raise SystemExit(f"wrk failed: {done.stdout}{done.stderr}")
    return float(match.group(1))


def ask(port, path, key, body=None):
    """The text of an answer, to a GET or to a POST of a document."""
    headers = {"Authorization": f"Bearer {key}"}
    if body is not None:
        headers["Content-Type"] = "application/json"
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}",
                                     None if body is None else json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request) as answer:
        return answer.read().decode()


def post(port, path, key, body):
    return json.loads(ask(port, path, key, body))


def copy_of(data, to):
    """Of a folder that nobody serves, or as a killed server left it. Tables are never written again: they are linked."""
    shutil.copytree(data, to, ignore=shutil.ignore_patterns("admin.sock"),
                    copy_function=lambda source, target: os.link(source, target)
                    if source.endswith(".sst") else shutil.copy2(source, target))


class Row:
    def __init__(self, name, unit, peer_name, goal=None):
        """`goal`: "≥ 0.5", of the ratio where there is a peer, of the figure where there is none."""
        self.name, self.unit, self.peer_name, self.goal = name, unit, peer_name, goal
        self.ours, self.peers = [], []
        self.others = self.seconds = 0.0  # while it was measured

    def add(self, ours, peer=None):
        self.ours.append(ours)
        if peer is not None:
            self.peers.append(peer)

    def ratio(self):
        return statistics.median(self.ours) / statistics.median(self.peers) if self.peers else None

    def reached(self):
        if not self.goal:
            return None
        sign, bound = self.goal.split()
        figure = self.ratio() if self.peers else statistics.median(self.ours)
        return figure >= float(bound) if sign == "≥" else figure <= float(bound)


class Rig:
    def __init__(self, build, folder, form):
        self.build, self.folder, self.sizes = build, folder, SIZES[form]
        self.binary = os.path.join(build, "cdp")
        self.notes = []
        self.filled, self.shop, self.events = None, None, 0  # a folder, the key of its events, their number; see ingested

    def note(self, text):
        self.notes.append(text)

    def path(self, name):
        return os.path.join(self.folder, name)

    def runs(self, what):
        for run in range(1, self.sizes.runs + 1):
            progress(f"{what}: run {run} of {self.sizes.runs}")
            yield run

    def new_folder(self, name):
        data = self.path(name)
        subprocess.run([self.binary, "init", "--data", data], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return data

    def serve(self, data, threads=os.cpu_count(), config=None):
        return Server(self.binary, data, threads, config)

    def bench(self, *arguments):
        done = subprocess.run([os.path.join(self.build, "cdp_bench"), *map(str, arguments)],
                              capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"cdp_bench {arguments[0]}: {done.stderr}")
        return json.loads(done.stdout)

    def load(self, server, key, **options):
        """What `cdp_bench load` posts; its result."""
        parts = [part for name, value in options.items() for part in (f"--{name}", value)]
        return self.bench("load", "--port", server.port, "--key", key, *parts)

    def rows_alone(self, data, per_group, before=None, most=0, what="rows"):
        """Rows a second, of each run, that RocksDB alone writes of those that a folder has got since it was `before`; of `most` of
        them."""
        progress(f"RocksDB alone: {what}")
        done = self.bench(what, "--from", os.path.join(data, "db"), "--folder", self.path("alone"),
                          "--before", os.path.join(before, "db") if before else "",
                          "--most", round(most), "--runs", self.sizes.runs,
                          "--rows-per-group", max(1, round(per_group)))
        return done["rows_per_second"]

    def ingested(self):
        """A folder in which everybody of the ingest mix is known to the source `self.shop`; nobody serves it. Who posts more
        counts them."""
        if self.filled is None:
            progress(f"introducing {self.sizes.people:,} people")
            self.filled = self.new_folder("ingested")
            server = self.serve(self.filled)
            self.shop = server.key("--role", "source", "--name", "shop")
            self.load(server, self.shop, what="introductions", people=self.sizes.people)
            server.stop()
            self.events = self.sizes.people
        return self.filled


measures = []  # in the order of the table: the rows that a function measures together, with it


def measure(*names):
    def keep(function):
        measures.append((names, function))
        return function
    return keep
