"""The process and its machine: signals, memory, descriptors, threads, clocks, too much work."""

import contextlib
import json
import os
import re
import resource
import signal
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

from driver import ROOT, Failed, Skipped
from trial import can_trace, case, injecting, need_root, need_tool, resident, seconds_of_cpu

DRAIN_SECONDS_MAX = 12  # our own limit is 10


def rounds_of(script, trial, short, long, *more):
    """One of the trials of their own beside this one."""
    rounds = long if trial.long else short
    done = subprocess.run([sys.executable, str(ROOT / "tests/faults" / script), "--rounds", str(rounds), "--seed", str(trial.seed),
                           "--binary", str(trial.run.binary), *more], capture_output=True, text=True)
    said = done.stdout.strip().splitlines()
    if done.returncode:
        raise Failed("\n".join(said[-8:]) + done.stderr[-400:])
    return said[-2] if len(said) > 1 else ""


@case(1, "kill -9 at random moments, amid events, consents, assertions, reads and changes of keys")
def crash(trial):
    return rounds_of("crash.py", trial, short=25, long=1000)


@case(69, "kill -9 amid erasures, merges and backups: who is erased is gone whole")
def erasing(trial):
    return rounds_of("erasing.py", trial, short=8, long=100)


# --- memory


@contextlib.contextmanager
def control_group(kind, limits):
    """A group of processes with limits of its own, under either version of cgroups; gives what joins it."""
    need_root("a control group")
    first, second = Path(f"/sys/fs/cgroup/{kind}"), Path("/sys/fs/cgroup")
    old = first.is_dir()
    group = (first if old else second) / f"cdp-faults-{os.getpid()}"
    try:
        group.mkdir()
        for names, value in limits.items():
            (group / names[0 if old else 1]).write_text(str(value))
    except OSError as error:
        with contextlib.suppress(OSError):
            group.rmdir()
        raise Skipped(f"no control group for {kind} can be made here: {error}") from None

    def join():
        with open(group / "cgroup.procs", "w") as procs:
            procs.write(str(os.getpid()))

    try:
        yield join
    finally:
        for _ in range(50):
            try:
                group.rmdir()
                break
            except OSError:
                time.sleep(0.1)


@case(22, "256 MB for everything while large batches come: refused, or killed and there again with everything acknowledged")
def little_memory(trial):
    shop = trial.shop()
    killed = 0
    with control_group("memory", {("memory.limit_in_bytes", "memory.max"): 256 << 20}) as join:
        until = time.monotonic() + (60 if trial.long else 8)
        while time.monotonic() < until:
            shop.server.start(preexec_fn=join)
            with shop.load(clients=8, count=700):
                while shop.server.alive() and time.monotonic() < until:
                    time.sleep(0.05)
            if shop.server.alive():
                break
            if shop.server.ended() != -signal.SIGKILL:
                raise Failed(f"the server ended by {shop.server.ended()}: {shop.server.said()[-400:]}")
            killed += 1
        if shop.server.alive():
            shop.judge_wrong()
            shop.server.kill()
    shop.settle()
    return f"{len(shop.acknowledged)} events, killed for memory {killed} times"


def failing_memory(trial):
    """The environment in which so many allocations of a million fail, of C and of C++."""
    need_tool("g++")
    library = trial.folder / "memory.so"
    subprocess.run(["g++", "-std=c++20", "-O2", "-shared", "-fPIC", "-o", str(library), str(ROOT / "tests/faults/memory.cc")],
                   check=True)

    def of_a_million(rate):
        return {**os.environ, "LD_PRELOAD": str(library), "CDP_TEST_MEMORY_FAILS": str(rate),
                "CDP_TEST_SEED": str(trial.random.randrange(1 << 62))}
    return of_a_million


def judge_end_for_memory(shop):
    """By a code of its own and a line; before `main` there is nobody to catch it, and the runtime library aborts."""
    code, said = shop.server.ended(30), shop.server.said()
    if code == -signal.SIGABRT and said.startswith("terminate called after throwing an instance of 'std::bad_alloc'"):
        return "aborted before main"
    return f"ended: {shop.judge_end()}"


@case(23, "allocations fail at random: requests are refused, or the process ends by its word and starts again with everything acknowledged")
def allocations_fail(trial):
    of_a_million = failing_memory(trial)
    seen = {}
    for rate in (2, 10, 50, 200, 1000) * 5 if trial.long else (10, 50, 200):
        shop = trial.shop()
        if shop.server.launch(env=of_a_million(rate)):
            with shop.load(clients=2) as load:
                until = time.monotonic() + 3
                while shop.server.alive() and time.monotonic() < until:
                    time.sleep(0.05)
            if load.statuses() - {200, 500, 503, 507, None}:
                raise Failed(f"answered {load.statuses()} {load.codes()}")
        # Whoever does not listen any more ends.
        if shop.server.address and shop.server.alive():
            shop.judge_wrong()
            shop.server.kill()
            came = f"served on, refusing {sorted(load.codes())}" if load.codes() else "served on"
        else:
            came = judge_end_for_memory(shop)
        seen[came] = seen.get(came, 0) + 1
        try:
            shop.settle()
        except Failed as failed:
            raise Failed(f"{rate} of a million failed, {came}: {failed}") from None
    return ", ".join(f"{times} {came}" for came, times in sorted(seen.items()))


@case(23, "address space runs out while large batches come")
def address_space(trial):
    ended = []
    for more in (16, 64, 256) if trial.long else (64,):
        shop = trial.shop()
        shop.server.start()
        with open(f"/proc/{shop.server.process.pid}/status") as status:
            size = int(re.search(r"VmPeak:\s+(\d+) kB", status.read())[1]) << 10
        shop.server.stop()
        limit = size + (more << 20)
        if shop.server.launch(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit))):
            with shop.load(clients=8, count=700) as load:
                until = time.monotonic() + 3
                while shop.server.alive() and time.monotonic() < until:
                    time.sleep(0.05)
            if load.statuses() - {200, 500, 503, 507, None}:
                raise Failed(f"answered {load.statuses()} {load.codes()}")
        if shop.server.alive():
            shop.judge_wrong()
            shop.server.kill()
            ended.append(f"served on, {load.codes() or 'refusing nothing'}")
        else:
            ended.append(f"ended by {shop.server.ended()}: {shop.judge_end()}")
        shop.settle()
    return ", ".join(ended)


# --- descriptors and threads


@case(24, "no more descriptors, and 500 who knock: no spinning, who is in is served, the others when there is room again", alone=True)
def descriptors_gone(trial):
    shop = trial.shop()
    limit = 128
    shop.server.start(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit)))
    inside, reading = shop.caller(), shop.caller("channel")
    for one in (inside, reading):
        one.call("GET", "/healthz")
    before = seconds_of_cpu(shop.server.process.pid)
    knocking = []
    try:
        for _ in range(500):
            wire = socket.socket()
            wire.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                wire.connect(shop.server.address)
            knocking.append(wire)
        asked = []
        for n in range(12):  # who only waits gives way
            time.sleep(0.25)
            path = f"/v1/profiles/email:u{n % 3}@shop.example?purpose=email_marketing"
            asked += [inside.call("GET", "/readyz"), reading.call("GET", path)]
        used = (seconds_of_cpu(shop.server.process.pid) - before) / 3
        posted = [shop.post(caller=inside) for _ in range(5)]
        # Which needs files for all that it writes anew.
        shop.server.run("backup", "create", "--to", str(trial.folder / "repository"))
    finally:
        for wire in knocking:
            wire.close()
    if used > 0.25:
        raise Failed(f"the server uses {used:.0%} of a core for clients that it cannot take")
    if {status for status, _ in asked + posted} != {200} or not shop.server.alive():
        raise Failed(f"who was in is answered {asked} and {posted}")
    began = time.monotonic()
    while shop.post()[0] is None and time.monotonic() - began < 5:
        pass
    ready = shop.judge_readiness()
    stop_or_kill(shop)
    shop.settle()
    return f"{used:.1%} of a core meanwhile; afterwards ready: {ready}"


def stop_or_kill(shop):
    if shop.server.alive():
        shop.judge_wrong()
        shop.server.process.send_signal(signal.SIGTERM)
        if shop.server.ended(20) is None:
            raise Failed("the server does not end on SIGTERM")


@case(24, "any small number of descriptors: the server starts, or says why not")
def few_descriptors(trial):
    outcomes = []
    for limit in trial.pick(range(8, 80), short=6):
        shop = trial.shop()
        if shop.server.launch(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))):
            shop.post()
            stop_or_kill(shop)
            outcomes.append(f"{limit}: serves")
        else:
            try:
                shop.judge_end(told=False)
            except Failed as failed:
                raise Failed(f"with {limit} descriptors: {failed}") from None
            outcomes.append(f"{limit}: refused")
        shop.settle()
    return ", ".join(outcomes)


@case(25, "any small number of threads: the server starts, or says why not")
def few_threads(trial):
    outcomes = []
    for limit in trial.pick(range(1, 64), short=12):
        shop = trial.shop()
        with control_group("pids", {("pids.max", "pids.max"): limit}) as join:
            if shop.server.launch(preexec_fn=join):
                with shop.load(clients=2):
                    time.sleep(0.3)
                if shop.server.alive():
                    shop.judge_readiness()
                stop_or_kill(shop)
                outcomes.append(f"{limit}: serves")
            else:
                try:
                    shop.judge_end()
                except Failed as failed:
                    raise Failed(f"with {limit} threads: {failed}") from None
                outcomes.append(f"{limit}: refused")
        shop.settle()
    return ", ".join(outcomes)


# --- signals


@case(26, "SIGTERM while many post: it takes no more, answers what runs, ends by 0 within its limit")
def asked_to_stop(trial):
    slowest = 0
    for _ in range(5 if trial.long else 2):
        shop = trial.shop()
        shop.server.start()
        with shop.load():
            time.sleep(0.5)
            began = time.monotonic()
            shop.server.process.send_signal(signal.SIGTERM)
            code = shop.server.ended(DRAIN_SECONDS_MAX)
            slowest = max(slowest, time.monotonic() - began)
        if code != 0:
            raise Failed(f"ended by {code} after {time.monotonic() - began:.1f} s: {shop.server.said()[-300:]}")
        shop.settle()
    return f"ended within {slowest:.2f} s"


@case(26, "SIGTERM twice ends at once; SIGHUP, SIGPIPE and being stopped for a while do nothing")
def other_signals(trial):
    shop = trial.shop()
    shop.server.start()
    with shop.load():
        for harmless in (signal.SIGHUP, signal.SIGPIPE, signal.SIGWINCH):
            shop.server.process.send_signal(harmless)
            time.sleep(0.1)
        shop.server.process.send_signal(signal.SIGSTOP)
        time.sleep(2)
        shop.server.process.send_signal(signal.SIGCONT)
        time.sleep(0.5)
        if not shop.server.alive() or shop.post()[0] != 200:
            raise Failed("a signal that should do nothing did something")
        # A client that does not finish holds the first back.
        slow = socket.create_connection(shop.server.address)
        slow.sendall(b"POST /v1/batch HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{")
        time.sleep(0.1)
        shop.server.process.send_signal(signal.SIGTERM)
        time.sleep(0.2)
        began = time.monotonic()
        if shop.server.alive():
            shop.server.process.send_signal(signal.SIGTERM)
        code = shop.server.ended(3)
        slow.close()
    if code not in (0, 1) or time.monotonic() - began > 2:
        raise Failed(f"the second SIGTERM ended it by {code}")
    shop.settle()
    return f"the second SIGTERM ended it by {code}"


# --- clocks


class Clock:
    """The time that a server believes in: `jump` puts it forward or back from the real one."""

    def __init__(self, trial):
        need_tool("cc", "gcc")
        library, self.path = trial.folder / "clock.so", trial.folder / "clock"
        subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", str(library), str(ROOT / "tests/faults/clock.c")], check=True)
        self.path.write_bytes(struct.pack("q", 0))
        self.env = {**os.environ, "LD_PRELOAD": str(library), "CDP_TEST_CLOCK": str(self.path)}

    def jump(self, seconds):
        with open(self.path, "r+b") as file:
            file.write(struct.pack("q", int(seconds)))


DAY = 86400


@case(27, "the clock jumps by days and years, past 2038 and back: nothing is lost, double or forgotten")
def clock_jumps(trial):
    clock = Clock(trial)
    shop = trial.shop()
    shop.server.start(env=clock.env)
    first = shop.events(50)
    if shop.post(events=first)[0] != 200:
        raise Failed("the first batch is refused")
    now = time.time()
    jumps = {"-3 days": -3 * DAY, "back": 0, "+2 days": 2 * DAY, "+10 years": 3650 * DAY, "2038": 2**31 - 2 - now,
             "2106": 2**32 - 2 - now, "1970": 10 - now, "back again": 0}
    for what, seconds in jumps.items():
        with shop.load(clients=1, pause=0.02) as load:
            time.sleep(0.2)
            clock.jump(seconds)
            time.sleep(0.4)
            if not shop.server.alive():
                raise Failed(f"at {what} the server ended by {shop.server.ended()}: {shop.server.said()[-500:]}")
            status, answer = shop.read()
            ready = shop.ready()
        if load.statuses() != {200} or status != 200 or ready is not True:
            raise Failed(f"at {what}: posts {load.statuses()} {load.codes()}, a read {status} {answer}, ready {ready}")
    again = shop.caller().call("POST", "/v1/batch", {"batch": first})[1]
    if {one["verdict"] for one in again["results"]} != {"duplicate"}:
        raise Failed(f"what came before the clock jumped counts again: {again}")
    status, answer = shop.read()
    if "u0@shop.example" not in str(answer.get("traits")):
        raise Failed(f"what was granted before the clock jumped is withheld: {answer}")
    shop.settle()
    return f"{len(jumps)} jumps, {len(shop.acknowledged)} events"


def judge_known(shop, events, when):
    """What was accepted before is a duplicate."""
    again = shop.caller().call("POST", "/v1/batch", {"batch": events})[1]
    verdicts = [one["verdict"] for one in again["results"]]
    if verdicts != ["duplicate"] * len(events):
        raise Failed(f"{when} {verdicts.count('accepted')} of {len(events)} events from before count again")


def clock_believed(shop):
    """What the verb, the metrics and /readyz say of it; they must not contradict each other."""
    said = json.loads(shop.server.run("clock", "show", "--json"))
    status, ready = shop.caller().call("GET", "/readyz")
    if status != 200 or (shop.metric("cdp_clock_believed") == 1) != said["believed"] or ("clock" not in ready) != said["believed"]:
        raise Failed(f"cdp clock show says {said}, /readyz {ready}, the metric {shop.metric('cdp_clock_believed')}")
    return said["believed"]


@case(27, "the clock is ten years ahead: what is to be kept for some days does not go, and it says so")
def clock_ahead(trial):
    clock = Clock(trial)
    shop = trial.shop()
    shop.server.start(env=clock.env)
    first = shop.events(50)
    shop.post(events=first)
    if not clock_believed(shop):
        raise Failed("the clock is right and is not believed")
    shop.server.stop()
    # A start and what it writes into tables are when expired rows may be dropped.
    clock.jump(3650 * DAY)
    starts = 40 if trial.long else 4
    for _ in range(starts):
        shop.server.start(env=clock.env)
        shop.post()
        judge_known(shop, first, "while the clock is ahead")
        shop.server.stop()
    shop.server.start(env=clock.env)
    if clock_believed(shop) or shop.server.said().count("clock_not_believed") != 1:
        raise Failed(f"the clock is believed, or it is not told once: {shop.server.said()[-600:]}")
    clock.jump(0)
    time.sleep(0.1)
    if not clock_believed(shop):
        raise Failed("the clock is right again and is not believed")
    judge_known(shop, first, "when the clock is right again")
    shop.settle()
    return f"{starts} starts"


@case(27, "the clock stood in 1970 while events came: they are known when it is right")
def clock_behind(trial):
    clock = Clock(trial)
    shop = trial.shop()
    clock.jump(10 - time.time())
    shop.server.start(env=clock.env)
    first = shop.events(50)
    shop.post(events=first)
    shop.server.stop()
    clock.jump(0)
    for _ in range(3):
        shop.server.start(env=clock.env)
        judge_known(shop, first, "when the clock is right")
        shop.server.stop()
    shop.settle()
    return ""


@case(27, "a server was off for forty days: nothing is deleted until somebody says that the clock is right")
def clock_accepted(trial):
    clock = Clock(trial)
    shop = trial.shop()
    shop.server.start(env=clock.env)
    first = shop.events(50)
    shop.post(events=first)
    shop.server.stop()
    clock.jump(40 * DAY)
    shop.server.start(env=clock.env)
    judge_known(shop, first, "before anybody says so")
    if clock_believed(shop):
        raise Failed("forty days are believed without a word")
    shop.server.run("clock", "accept")
    if not clock_believed(shop):
        raise Failed("the clock was accepted and is not believed")
    shop.server.kill()
    shop.server.start(env=clock.env)
    if not clock_believed(shop):
        raise Failed("that the clock was accepted did not outlive a kill -9")
    clock.jump(0)
    shop.server.run("clock", "accept")
    if json.loads(shop.server.run("clock", "show", "--json"))["ahead_seconds"] != 0:
        raise Failed("what was accepted is not taken back")
    shop.settle()
    return ""


# --- much work


@case(36, "half an hour's work in small: memory, descriptors and threads stay where they are", alone=True)
def soak(trial):
    shop = trial.shop()
    shop.server.start()
    pid = shop.server.process.pid
    seconds, pieces = (1200, 200) if trial.long else (10, 40)
    samples, reads, debts = [], [], []
    with shop.load(clients=2, pause=0.02 if trial.long else 0.05) as load:
        began = time.monotonic()
        while time.monotonic() - began < seconds:
            time.sleep(seconds / pieces)
            for n in range(5):
                asked = time.monotonic()
                status, answer = shop.read(n)
                if status != 200:
                    raise Failed(f"a read is answered {status}: {answer}")
                reads.append((asked, time.monotonic() - asked))
            samples.append((time.monotonic() - began, *resident(pid)))
            debts.append(shop.metric("cdp_store_compaction_pending_bytes"))
    if load.statuses() != {200}:
        raise Failed(f"answered {load.statuses()} {load.codes()}")
    slowest = [judge_pace("posts", [(asked, took) for asked, took, *_ in load.answers], began + seconds / 2),
               judge_pace("reads", reads, began + seconds / 2)]
    half = samples[len(samples) // 2:]
    memory, growth = judge_growth([(at, rss) for at, rss, _, _ in half], trial.long)
    descriptors = {fds for _, _, fds, _ in half}
    if max(descriptors) - min(descriptors) > 40:
        raise Failed(f"descriptors: {sorted(descriptors)}")
    if len({threads for *_, threads in half}) > 4:
        raise Failed(f"threads: {sorted({threads for *_, threads in half})}")
    owed = judge_debt(debts)
    shop.settle()
    return (f"{len(load.answers)} batches in {seconds} s, in the second half {memory >> 20} MiB and {growth / (1 << 20):+.1f}, "
            f"{min(descriptors)} to {max(descriptors)} descriptors, {owed}, p99 of {' and '.join(slowest)}")


def judge_pace(what, taken, middle):
    """`taken` holds when each was asked and how long it took. The second half is as quick as the first, by a factor and a floor
    that a busy machine does not break."""
    halves = [sorted(took for asked, took in taken if (asked >= middle) is later) for later in (False, True)]
    if not all(halves):
        raise Failed(f"no {what} in one half")
    first, second = (times[len(times) * 99 // 100] for times in halves)
    if second > max(3 * first, 0.25):
        raise Failed(f"the p99 of {what} goes from {first * 1e3:.0f} to {second * 1e3:.0f} ms")
    return f"{what} {first * 1e3:.0f} ms, then {second * 1e3:.0f}"


def judge_growth(memory, long):
    """`memory` holds seconds and bytes: their mean, and what the line through them rises by. In ten seconds the memtables are
    not full yet; in the end they come and go, and nothing else may rise."""
    mean, middle = (sum(one[n] for one in memory) / len(memory) for n in (1, 0))
    slope = sum((at - middle) * (rss - mean) for at, rss in memory) / sum((at - middle) ** 2 for at, _ in memory)
    growth = slope * (memory[-1][0] - memory[0][0])
    most = 0.05 * mean + (32 << 20) if long else 0.25 * mean
    if growth > most or memory[-1][1] > 600 << 20:
        raise Failed(f"resident memory rises by {growth / (1 << 20):.1f} MiB in the second half, around {mean / (1 << 20):.0f}")
    return int(mean), growth


def judge_debt(debts):
    """Bytes that compactions owed, in order of time. They rise until a level is full and fall when it is merged: a quarter of the
    looks of the second half may find more than the first half's most, by 64 MiB, not its usual."""
    middle = len(debts) // 2
    first, second = max(debts[:middle]), sorted(debts[middle:])
    usual = second[len(second) * 3 // 4]
    if usual > first + (64 << 20):
        raise Failed(f"compactions owe {usual / (1 << 20):.0f} MiB in the second half, {first / (1 << 20):.0f} at most in the first")
    return f"compactions owe {second[-1] / (1 << 20):.0f} MiB at most"


@case(36, "the control: a soak in which memory rises, answers become slower, or compactions fall behind, is noticed")
def soak_control(trial):
    megabyte, noticed = 1 << 20, []
    sawtooth = [(at, (300 + at * 7 % 64) * megabyte) for at in range(600)]
    quick = [(at, 0.01 + at % 10 * 0.001) for at in range(1000)]
    judge_growth(sawtooth, True)
    judge_pace("posts", quick, 500)
    debt = [at % 20 * 8 * megabyte for at in range(200)]
    judge_debt(debt)
    for what in (lambda: judge_growth([(at, rss + at * megabyte // 8) for at, rss in sawtooth], True),
                 lambda: judge_growth([(at, (100 + at // 10) * megabyte) for at in range(600)], False),
                 lambda: judge_pace("posts", [(at, took + (at > 900) * 0.3) for at, took in quick], 500),
                 lambda: judge_debt([owed + at * 2 * megabyte for at, owed in enumerate(debt)])):
        try:
            what()
        except Failed as failed:
            noticed.append(str(failed))
    if len(noticed) != 4:
        raise Failed(f"only noticed: {noticed}")
    return "; ".join(noticed)


@case(37, "five times the work that the disk takes: who is refused is told when to come again, the others get what there is", alone=True)
def overload(trial):
    can_trace()
    config = trial.folder / "small.toml"
    config.write_text("waiting_max = 40\n")
    shop = trial.shop()
    if not shop.server.launch("--config", str(config), under=injecting("fdatasync:delay_exit=100000", calls=("fdatasync",))):
        raise Failed(shop.judge_end())
    seconds = 10 if trial.long else 3

    def goodput(clients):
        with shop.load(clients=clients, count=1) as load:
            time.sleep(seconds)
        return sum(status == 200 for _, _, status, _ in load.answers) / seconds, load

    peak, load = goodput(40)
    if load.statuses() != {200}:
        raise Failed(f"at capacity: {load.statuses()} {load.codes()}")
    under_pressure, load = goodput(200)
    if load.statuses() - {200, 429, 503} or not load.statuses() & {429, 503}:
        raise Failed(f"at five times the capacity: {load.statuses()} {load.codes()}")
    if under_pressure < 0.8 * peak:
        raise Failed(f"{under_pressure:.0f} events a second under pressure, {peak:.0f} at capacity")
    began = time.monotonic()
    while shop.post(count=1)[0] != 200:
        if time.monotonic() - began > 5:
            raise Failed("it does not recover within 5 s")
    recovered = time.monotonic() - began
    shop.settle()
    return (f"{peak:.0f} events a second at capacity, {under_pressure:.0f} under five times that, "
            f"refused as {sorted(load.codes())}, recovered after {recovered:.1f} s")
