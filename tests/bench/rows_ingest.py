"""Ingest, and what goes on beside it in the same folder."""

import os
import shutil
import subprocess
import time

from rig import Row, copy_of, measure, post, progress, start


@measure("ingest_rows", "ingest_log", "sealing")
def ingest(rig):
    rows = Row("ingest_rows", "events/s", "RocksDB alone, the same rows, grouping and fsync", "≥ 0.5")
    log = Row("ingest_log", "events/s", "RocksDB alone, the event rows only, same grouping", "≥ 0.25")
    sealing = Row("sealing", "% of CPU", "goal", "≤ 15")
    data, before = rig.ingested(), rig.path("before")
    server = rig.serve(data)
    rig.events += rig.load(server, rig.shop, run=9_999, batches=rig.sizes.warm, people=rig.sizes.people)["events"]
    with server.halted():
        copy_of(data, before)
    already, cpu = server.commits(), server.cpu_seconds()
    for run in rig.runs("ingest"):
        done = rig.load(server, rig.shop, run=run, batches=rig.sizes.batches, people=rig.sizes.people)
        rows.add(done["per_second"])
        log.add(done["per_second"])
    events = len(rows.ours) * done["events"]
    rig.events += events
    wrote = server.commits().since(already)
    cpu = 1e6 * (server.cpu_seconds() - cpu) / events
    server.stop()
    for _ in rig.runs("sealing"):
        sealing.add(100 * rig.bench("sealing", "--data", data)["us_per_event"] / cpu)
    per_event = wrote.rows / events
    rows.peers = [rate / per_event
                  for rate in rig.rows_alone(data, wrote.rows / wrote.groups, before)]
    log.peers = rig.rows_alone(data, events / wrote.groups, before, what="log")
    shutil.rmtree(before)
    rig.note(f"ingest: {per_event:.2f} rows an event, {events / wrote.groups:.0f} events a group")
    return rows, log, sealing


@measure("consent_append")
def consents(rig):
    """Answers over HTTP, each with its ledger entry, published as it goes."""
    row = Row("consent_append", "answers/s", "RocksDB alone, the same rows, grouping and fsync", "≥ 0.5")
    people = rig.sizes.consents
    data = rig.new_folder("consents")
    server = rig.serve(data)
    key = server.key("--role", "source", "--name", "bench", "--trust", "server")
    before = server.commits()
    for run in rig.runs("consents"):
        row.add(rig.load(server, key, what="consents", first=(run - 1) * people,
                         people=run * people)["per_second"])
    answers = len(row.ours) * people
    wrote = server.commits().since(before)
    server.stop()
    per_answer = wrote.rows / answers
    row.peers = [rate / per_answer
                 for rate in rig.rows_alone(data, wrote.rows / wrote.groups, most=people * per_answer)]
    rig.note(f"consents: {per_answer:.2f} rows an answer, {answers / wrote.groups:.0f} answers a group")
    shutil.rmtree(data)
    return row


def erased_person(name, events):
    for first in range(0, events, 500):
        yield {"batch": [
            {"type": "identify" if n % 100 == 0 else "track", "event": "Product Viewed",
             "messageId": f"{name}-{n}", "userId": name, "anonymousId": f"{name}-{n % 7}",
             "traits": {"email": f"{name}@shop.example", "seen": n}, "properties": {"pad": "x" * 300}}
            for n in range(first, min(events, first + 500))]}


@measure("erase")
def erase(rig):
    """Seconds until somebody of many events is gone, while the mix of events goes on arriving."""
    events = rig.sizes.erased
    row = Row("erase", f"s for {events:,} events", "goal", "≤ 10")
    server = rig.serve(rig.ingested())
    source = server.key("--role", "source", "--name", "bench-erased", "--trust", "server")
    officer = server.key("--role", "officer", "--name", "bench")
    for run in rig.runs("erase"):
        name = f"erased-{run}"
        for body in erased_person(name, events):
            post(server.port, "/v1/batch", source, body)
        before = server.commits()
        beside = start([os.path.join(rig.build, "cdp_bench"), "load", "--port", str(server.port),
                        "--key", rig.shop, "--run", str(1000 + run), "--people", str(rig.sizes.people),
                        "--batches", str(max(300, 2 * rig.sizes.batches))], stdout=subprocess.DEVNULL)
        while server.commits().since(before).groups < 3:
            time.sleep(0.01)
        began = time.perf_counter()
        done = post(server.port, "/v1/privacy/erasures", officer,
                    {"identifier": {"type": "email", "value": f"{name}@shop.example"}})
        row.add(time.perf_counter() - began)
        if done["erased"]["events"] != events:
            raise SystemExit(f"the erasure is not what it should be: {done}")
        if beside.poll() is not None:
            raise SystemExit("the events had all arrived before the erasure was done: more batches")
        beside.kill()
        beside.wait()
    server.stop()
    return row


@measure("idle", "idle_memory")
def idle(rig):
    cpu = Row("idle", "% of a core", "goal", "≤ 0.5")
    memory = Row("idle_memory", "MB", "goal", "≤ 100")
    server = rig.serve(rig.ingested())
    time.sleep(2)
    for _ in rig.runs(f"idle, {rig.sizes.idle_seconds} s"):
        before = server.cpu_seconds()
        time.sleep(rig.sizes.idle_seconds)
        cpu.add(100 * (server.cpu_seconds() - before) / rig.sizes.idle_seconds)
        memory.add(server.memory_mb())
    server.stop()
    return cpu, memory


@measure("start_up")
def start_up(rig):
    """Seconds from the start of a server that was killed until it listens."""
    data, copy = rig.ingested(), rig.path("copy")
    server = rig.serve(data)
    while True:  # at least a piece, so that there is a log to read again
        progress(f"start: {rig.events:,} events")
        events = min(500_000, max(10_000, rig.sizes.events - rig.events))
        rig.load(server, rig.shop, run=10_000 + rig.events, batches=events // 100, people=rig.sizes.people)
        rig.events += events
        if rig.events >= rig.sizes.events:
            break
    server.kill()
    row = Row("start_up", f"s, {rig.events:,} events", "RocksDB alone opening the same folder")
    log = sum(entry.stat().st_size for entry in os.scandir(os.path.join(data, "db"))
              if entry.name.endswith(".log"))
    for _ in rig.runs("start"):
        copy_of(data, copy)
        began = rig.serve(copy)
        began.kill()
        shutil.rmtree(copy)
        copy_of(data, copy)
        row.add(began.took, rig.bench("open", "--from", os.path.join(copy, "db"))["seconds"])
        shutil.rmtree(copy)
    rig.note(f"start: killed, with {log / 2**20:.0f} MB of log to read again")
    return row
