#!/usr/bin/env python3
"""The ratios of the speed budget: each row is cdp beside its limit or peer, in the same run.

usage: bench.py BUILD_FOLDER [--quick] [--json] [--only speed|identity]

Absolute figures drift with the machine; the ratios are what to compare. Every figure is the median of
several runs, with the least and the greatest. docs/PERFORMANCE.md says how each row is measured.
"""

import argparse
import atexit
import http.client
import json
import os
import platform
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

PEOPLE_READ = 2000  # profiles read over and over; all fit the answer cache


def progress(text):
    print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def start(command, **options):
    """A process that ends with this one."""
    process = subprocess.Popen(command, **options)
    atexit.register(lambda: process.poll() is None and process.kill())
    return process


class Server:
    """cdp on a data folder of its own."""

    def __init__(self, binary, folder, threads):
        self.binary, self.folder, self.threads = binary, folder, threads
        self.start()

    def start(self):
        self.process = start(
            [self.binary, "serve", "--data", self.folder, "--listen", "127.0.0.1:0",
             "--threads", str(self.threads)],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        line = self.process.stdout.readline()
        match = re.search(r"http://127\.0\.0\.1:(\d+)", line)
        if not match:
            raise SystemExit(f"cdp did not start: {line!r}")
        self.port = int(match.group(1))

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=30)

    def key(self, *arguments):
        return subprocess.run([self.binary, "keys", "add", "--data", self.folder, *arguments],
                              check=True, capture_output=True, text=True).stdout.strip()

    def metric(self, name):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics") as answer:
            for line in answer.read().decode().splitlines():
                if line.startswith(name + " ") or line.startswith(name + "{"):
                    return float(line.rsplit(" ", 1)[1])
        raise SystemExit(f"no metric {name}")

    def cpu_seconds(self):
        with open(f"/proc/{self.process.pid}/stat") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory_mb(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            return int(re.search(r"VmRSS:\s+(\d+)", status.read()).group(1)) / 1024


class Row:
    def __init__(self, name, unit, goal, peer_name):
        self.name, self.unit, self.goal, self.peer_name = name, unit, goal, peer_name
        self.ours, self.peers = [], []

    def values(self):
        ours = statistics.median(self.ours)
        peer = statistics.median(self.peers) if self.peers else None
        ratio = ours / peer if peer else None
        return {"name": self.name, "ours": round(ours, 3), "peer": round(peer, 1) if peer else None,
                "peer_name": self.peer_name, "ratio": round(ratio, 3) if ratio else None,
                "unit": self.unit, "min": round(min(self.ours), 3), "max": round(max(self.ours), 3),
                "peer_min": round(min(self.peers), 1) if self.peers else None,
                "peer_max": round(max(self.peers), 1) if self.peers else None, "goal": self.goal}


def bench(build, *arguments):
    done = subprocess.run([os.path.join(build, "cdp_bench"), *map(str, arguments)],
                          capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"cdp_bench {arguments[0]}: {done.stderr}")
    return json.loads(done.stdout)


def post(port, path, key, body):
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", json.dumps(body).encode(),
                                     {"Authorization": f"Bearer {key}",
                                      "Content-Type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def measure_ingest(build, folder, runs, batches):
    rows = Row("ingest_rows", "events/s", 0.5, "RocksDB alone, the same rows, grouping and fsync")
    log = Row("ingest_log", "events/s", 0.25, "RocksDB alone, the event rows only, same grouping")
    data = os.path.join(folder, "ingest")
    subprocess.run([os.path.join(build, "cdp"), "init", "--data", data], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    server = Server(os.path.join(build, "cdp"), data, os.cpu_count())
    key = server.key("--role", "source", "--name", "bench")
    progress("ingest: introducing 100,000 people")
    bench(build, "load", "--port", server.port, "--key", key, "--what", "introductions")
    groups = server.metric("cdp_commit_groups_total")
    written = server.metric("cdp_commit_rows_total")
    cpu = server.cpu_seconds()
    for run in range(1, runs + 1):
        progress(f"ingest: run {run} of {runs}")
        load = bench(build, "load", "--port", server.port, "--key", key, "--run", run,
                     "--batches", batches)
        rows.ours.append(load["per_second"])
        log.ours.append(load["per_second"])
    events = runs * load["events"]
    groups = server.metric("cdp_commit_groups_total") - groups
    written = server.metric("cdp_commit_rows_total") - written
    cpu = 1e6 * (server.cpu_seconds() - cpu) / events
    server.stop()
    sealing = Row("sealing", "% of CPU", 15, "goal: below")
    for run in range(runs):
        progress(f"ingest: sealing, run {run + 1} of {runs}")
        sealing.ours.append(100 * bench(build, "sealing", "--data", data)["us_per_event"] / cpu)
    for run in range(1, runs + 1):
        progress(f"ingest: limits, run {run} of {runs}")
        for row, command, per_event in ((rows, "rows", written / events), (log, "log", 1)):
            into = os.path.join(folder, "limit")
            limit = bench(build, command, "--most", events, "--from", os.path.join(data, "db"), "--folder", into,
                          "--rows-per-group", max(1, round(per_event * events / groups)))
            row.peers.append(limit["rows_per_second"] / per_event)
            shutil.rmtree(into)
    note = f"{written / events:.2f} rows an event, {events / groups:.0f} events a group"
    return [rows, log, sealing], note


def wrk(port, seconds, script, *arguments):
    done = subprocess.run(
        ["wrk", "-t1", "-c16", f"-d{seconds}s", "-s", script, f"http://127.0.0.1:{port}", "--",
         *arguments], capture_output=True, text=True)
    match = re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)
    if done.returncode != 0 or not match or "Non-2xx" in done.stdout:
        raise SystemExit(f"wrk failed: {done.stdout}{done.stderr}")
    return float(match.group(1))


class Nginx:
    """One worker, one static file."""

    def __init__(self, folder, body):
        root = os.path.join(folder, "nginx")
        os.makedirs(os.path.join(root, "html"))
        with open(os.path.join(root, "html", "profile.json"), "w") as out:
            out.write(body)
        self.port = 20000 + os.getpid() % 20000
        user = "user root; " if os.geteuid() == 0 else ""  # its folder is ours alone
        config = os.path.join(root, "nginx.conf")
        with open(config, "w") as out:
            out.write(f"""
{user}worker_processes 1; daemon off; pid {root}/pid; error_log {root}/error.log crit;
events {{ worker_connections 1024; }}
http {{ access_log off; keepalive_requests 1000000000; default_type application/json;
       open_file_cache max=100; sendfile on; tcp_nopush on;
       client_body_temp_path {root}/t1; proxy_temp_path {root}/t2; fastcgi_temp_path {root}/t3;
       uwsgi_temp_path {root}/t4; scgi_temp_path {root}/t5;
       server {{ listen 127.0.0.1:{self.port}; root {root}/html; }} }}
""")
        binary = shutil.which("nginx") or "/usr/sbin/nginx"
        self.process = start([binary, "-c", config, "-p", root], stderr=subprocess.DEVNULL)
        for _ in range(100):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/profile.json").read()
                return
            except OSError:
                time.sleep(0.05)
        raise SystemExit("nginx did not start: " + open(os.path.join(root, "error.log")).read())

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=10)


def measure_reads(build, folder, runs, seconds):
    row = Row("profile_read", "requests/s", 0.8, "nginx, one worker, a static file of the same size")
    binary = os.path.join(build, "cdp")
    data = os.path.join(folder, "reads")
    subprocess.run([binary, "init", "--data", data], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    server = Server(binary, data, 1)
    key = server.key("--role", "source", "--name", "web", "--trust", "server")
    channel = server.key("--role", "channel", "--name", "ads", "--channel", "ads_tool")
    for first in range(0, PEOPLE_READ, 100):
        post(server.port, "/v1/batch", key, {"batch": [
            {"type": "identify", "userId": f"user-{n}", "anonymousId": f"cookie-{n}",
             "traits": {"email": f"p{n}@shop.example", "firstName": f"Person {n}", "plan": "gold",
                        "loyalty_tier": "silver", "total_spent": n},
             "context": {"consent": {"categoryPreferences": {"Advertising": True}}}}
            for n in range(first, first + 100)]})
    path = "/v1/profiles/user_id:user-1?purpose=advertising"
    request = urllib.request.Request(f"http://127.0.0.1:{server.port}{path}",
                                     headers={"Authorization": f"Bearer {channel}"})
    with urllib.request.urlopen(request) as answer:
        body = answer.read().decode()
    if "gold" not in body:
        raise SystemExit(f"the profile is not what it should be: {body}")
    nginx = Nginx(folder, body)
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "reads.lua")
    for run in range(1, runs + 1):
        progress(f"reads: run {run} of {runs}")
        row.ours.append(wrk(server.port, seconds, script, channel,
                            "/v1/profiles/user_id:user-%d?purpose=advertising", str(PEOPLE_READ)))
        row.peers.append(wrk(nginx.port, seconds, script, channel, "/profile.json", "1"))
    nginx.stop()
    server.stop()
    return row, f"{len(body)} B a profile, {PEOPLE_READ} people in turn"


def measure_consents(build, folder, runs, people):
    """Answers over HTTP, each with its ledger entry, published as it goes."""
    row = Row("consent_append", "answers/s", 0.5, "RocksDB alone, the same rows, grouping and fsync")
    data = os.path.join(folder, "consents")
    subprocess.run([os.path.join(build, "cdp"), "init", "--data", data], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    server = Server(os.path.join(build, "cdp"), data, os.cpu_count())
    key = server.key("--role", "source", "--name", "bench", "--trust", "server")
    groups = server.metric("cdp_commit_groups_total")
    written = server.metric("cdp_commit_rows_total")
    for run in range(runs):
        progress(f"consents: run {run + 1} of {runs}")
        row.ours.append(bench(build, "load", "--port", server.port, "--key", key, "--what", "consents",
                              "--first", run * people, "--people", (run + 1) * people)["per_second"])
    answers = runs * people
    groups = server.metric("cdp_commit_groups_total") - groups
    written = server.metric("cdp_commit_rows_total") - written
    server.stop()
    for run in range(runs):
        progress(f"consents: limit, run {run + 1} of {runs}")
        into = os.path.join(folder, "limit")
        limit = bench(build, "rows", "--most", round(people * written / answers), "--from",
                      os.path.join(data, "db"), "--folder", into,
                      "--rows-per-group", max(1, round(written / groups)))
        row.peers.append(limit["rows_per_second"] * answers / written)
        shutil.rmtree(into)
    return row, f"{written / answers:.2f} rows an answer, {answers / groups:.0f} answers a group"


def measure_in_process(build, folder, runs, row, command, peer, **options):
    """A command of cdp_bench that makes a data folder of its own and measures both sides in it."""
    for run in range(runs):
        progress(f"{command}: run {run + 1} of {runs}")
        into = os.path.join(folder, command)
        done = bench(build, command, "--folder", into, *(part for name, value in options.items()
                                                        for part in (f"--{name}", value)))
        row.ours.append(done["per_second"])
        row.peers.append(done[peer])
        shutil.rmtree(into)
    return row


def measure_signals(build, runs):
    rows = []
    for command in ("tcf", "gpp"):
        row = Row(f"{command}_parse", "strings/s", 1e6, "goal: above")
        for run in range(runs):
            progress(f"{command}: run {run + 1} of {runs}")
            row.ours.append(bench(build, command)["per_second"])
        rows.append(row)
    return rows


IDENTIFIERS_OF_A_PERSON = 4  # as tests/bench/mix.h introduces them


def fill(build, server, key, first, identifiers):
    """More people; a piece at a time, because a request is made before it is timed."""
    people = identifiers // IDENTIFIERS_OF_A_PERSON
    for start_at in range(first, people, 200_000):
        progress(f"growth: {start_at * IDENTIFIERS_OF_A_PERSON:,} identifiers")
        bench(build, "load", "--port", server.port, "--key", key, "--what", "acquaintances",
              "--first", start_at, "--people", min(people, start_at + 200_000))
    return people


def measure_growth(build, folder, runs, batches, many):
    """Seconds an event of the mix costs among many identifiers, beside what it costs among few."""
    row = Row("identity_growth", "us an event", 1.5, "the same among 100,000 identifiers; below")
    binary = os.path.join(build, "cdp")
    data = os.path.join(folder, "growth")
    subprocess.run([binary, "init", "--data", data], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    server = Server(binary, data, os.cpu_count())
    key = server.key("--role", "source", "--name", "bench")
    people = 0
    for size, into in ((100_000, row.peers), (many, row.ours)):
        people = fill(build, server, key, people, size)
        for run in range(1, runs + 2):
            progress(f"growth: {size:,} identifiers, run {run} of {runs}")
            load = bench(build, "load", "--port", server.port, "--key", key, "--people", people,
                         "--run", size + run, "--batches", batches)
            if run > 1:  # the first warms the caches
                into.append(1e6 / load["per_second"])
    return row, server, people


def measure_hub(build, server, key, runs):
    """Events of one account that has 100,000 cookies, beside those of one that has few."""
    row = Row("hub", "us an event", 1.5, "an account with under 1,000 cookies; below")
    known = 0
    for until, into in ((500, None), (900, row.peers), (100_000, None)):
        load = bench(build, "load", "--port", server.port, "--key", key, "--what", "hub",
                     "--first", known, "--people", until, "--connections", 1)
        known = until
        if into is not None:
            into.append(1e6 / load["per_second"])
    for run in range(runs):
        progress(f"hub: run {run + 1} of {runs}")
        load = bench(build, "load", "--port", server.port, "--key", key, "--what", "hub",
                     "--first", known, "--people", known + 1000, "--connections", 1)
        known += 1000
        row.ours.append(1e6 / load["per_second"])
    return row


def measure_explain(server, people, questions):
    """The 99th percentile of explanations, one at a time, of pairs of one person and of two."""
    row = Row("explain_p99", "ms", 5, "goal: below")
    steward = server.key("--role", "steward", "--name", "bench")
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    took = []
    for n in range(questions):
        one = (n * 7919) % people
        other = one if n % 2 else (one + 1) % people
        path = f"/v1/identity/explain?a=anonymous_id:0c00-cookie-{one}&b=email:p{other}%40shop.example"
        before = time.perf_counter()
        connection.request("GET", path, headers={"Authorization": f"Bearer {steward}"})
        answer = connection.getresponse()
        body = answer.read()
        took.append(1e3 * (time.perf_counter() - before))
        if answer.status != 200 or (b'"same_person":true' in body) != (one == other):
            raise SystemExit(f"the explanation is not what it should be: {answer.status} {body[:300]}")
    took.sort()
    row.ours.append(took[int(len(took) * 0.99)])
    return row


EVENTS_ERASED = 10_000


def measure_erase(build, folder, runs, batches):
    """Seconds until somebody of 10,000 events is gone, while the mix of events goes on arriving."""
    row = Row("erase", "s for 10,000 events", 10, "goal: below")
    server = Server(os.path.join(build, "cdp"), os.path.join(folder, "ingest"), os.cpu_count())
    source = server.key("--role", "source", "--name", "bench-erased", "--trust", "server")
    ingest = server.key("--role", "source", "--name", "bench")
    officer = server.key("--role", "officer", "--name", "bench")
    for run in range(1, runs + 1):
        progress(f"erase: run {run} of {runs}")
        for first in range(0, EVENTS_ERASED, 500):
            post(server.port, "/v1/batch", source, {"batch": [
                {"type": "identify" if n % 100 == 0 else "track", "event": "Product Viewed",
                 "messageId": f"erased-{run}-{n}", "userId": f"erased-{run}", "anonymousId": f"erased-{run}-{n % 7}",
                 "traits": {"email": f"erased-{run}@shop.example", "seen": n}, "properties": {"pad": "x" * 300}}
                for n in range(first, first + 500)]})
        load = start([os.path.join(build, "cdp_bench"), "load", "--port", str(server.port), "--key", ingest,
                      "--run", str(1000 + run), "--batches", str(batches)], stdout=subprocess.PIPE, text=True)
        time.sleep(0.5)
        before = time.perf_counter()
        done = post(server.port, "/v1/privacy/erasures", officer,
                    {"identifier": {"type": "email", "value": f"erased-{run}@shop.example"}})
        row.ours.append(time.perf_counter() - before)
        if load.poll() is not None:
            raise SystemExit("the events had all arrived before the erasure was done: more batches")
        if done["erased"]["events"] != EVENTS_ERASED:
            raise SystemExit(f"the erasure is not what it should be: {done}")
        load.communicate()
    server.stop()
    return row


def measure_idle(build, folder, seconds):
    cpu = Row("idle_cpu", "% of a core", 0.5, "goal: below")
    memory = Row("idle_memory", "MB", 100, "goal: below")
    server = Server(os.path.join(build, "cdp"), os.path.join(folder, "ingest"), os.cpu_count())
    time.sleep(2)
    progress(f"idle: watching for {seconds} s")
    before = server.cpu_seconds()
    time.sleep(seconds)
    cpu.ours.append(100 * (server.cpu_seconds() - before) / seconds)
    memory.ours.append(server.memory_mb())
    server.stop()
    return [cpu, memory]


def machine():
    with open("/proc/cpuinfo") as info:
        model = re.search(r"model name\s+: (.*)", info.read())
    return {"cpu": model.group(1) if model else platform.machine(), "cores": os.cpu_count(),
            "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
            "kernel": platform.release(), "load_before": os.getloadavg()[0]}


def show(result):
    print("machine: {cpu}, {cores} cores, {memory_gb} GB, load before {load_before:.2f}"
          .format(**result["machine"]))
    print(f"{'row':14}{'ours (min..max)':>34}{'peer (min..max)':>32}{'ratio':>8}{'goal':>8}  unit")
    for row in result["rows"]:
        ours = f"{row['ours']:,.1f} ({row['min']:,.1f}..{row['max']:,.1f})"
        peer = f"{row['peer']:,.0f} ({row['peer_min']:,.0f}..{row['peer_max']:,.0f})" \
            if row["peer"] else "-"
        ratio = f"{row['ratio']:.3f}" if row["ratio"] else "-"
        print(f"{row['name']:14}{ours:>34}{peer:>32}{ratio:>8}{row['goal']:>8}  {row['unit']}")
    for note in result["notes"]:
        print(note)


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("build")
    options.add_argument("--quick", action="store_true", help="a few minutes, more noise")
    options.add_argument("--json", action="store_true")
    options.add_argument("--identifiers", type=int, help="how many the growth row fills in")
    options.add_argument("--only", choices=["speed", "identity"], help="half of it")
    asked = options.parse_args()
    asked.build = os.path.abspath(asked.build)
    runs, batches, seconds, many = (3, 400, 2, 1_000_000) if asked.quick else (5, 2000, 5, 10_000_000)

    many = asked.identifiers or many

    result = {"machine": machine(), "rows": [], "notes": []}
    rows, notes = [], result["notes"]
    with tempfile.TemporaryDirectory(prefix="cdp-bench-", dir=asked.build) as folder:
        if asked.only != "identity":
            ingest, note = measure_ingest(asked.build, folder, runs, batches)
            notes.append(f"ingest: {note}")
            reads, note = measure_reads(asked.build, folder, runs, seconds)
            notes.append(f"reads: {note}")
            gate = Row("gate", "decisions/s", 2e6, "goal: above")
            for run in range(runs):
                progress(f"gate: run {run + 1} of {runs}")
                gate.ours.append(bench(asked.build, "gate")["per_second"])
            consents, note = measure_consents(asked.build, folder, runs, 20_000 if asked.quick else 100_000)
            notes.append(f"consents: {note}")
            some = 200_000 if asked.quick else 1_000_000
            ledger = measure_in_process(
                asked.build, folder, runs,
                Row("ledger_verify", "entries/s", 0.7, "OpenSSL's SHA-256 over the same messages"),
                "ledger", "openssl_per_second", entries=some)
            rewrap = measure_in_process(
                asked.build, folder, runs,
                Row("rewrap", "subjects/s", 0.5, "XChaCha20-Poly1305 alone: open and seal 32 B"),
                "rewrap", "aead_per_second", subjects=some)
            restore = measure_in_process(
                asked.build, folder, runs,
                Row("restore", "events/s", 0.5, "copying the same files with OpenSSL's SHA-256 and fsync"),
                "restore", "copied_per_second", events=some)
            rows += [*ingest, reads, gate, consents, ledger, rewrap, restore, *measure_signals(asked.build, runs),
                     measure_erase(asked.build, folder, runs, 5 * batches),
                     *measure_idle(asked.build, folder, 5 if asked.quick else 20)]
        if asked.only != "speed":
            growth, server, people = measure_growth(asked.build, folder, runs, batches, many)
            hub = measure_hub(asked.build, server,
                              server.key("--role", "source", "--name", "hub"), runs)
            rows += [growth, hub, measure_explain(server, people, 2000)]
            notes.append(f"identity: {many:,} identifiers; hub and explanations are among them")
            server.stop()
        result["rows"] = [row.values() for row in rows]
    progress("")
    print(json.dumps(result, indent=1)) if asked.json else show(result)


if __name__ == "__main__":
    main()
