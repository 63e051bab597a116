"""The disk fails: power loss, errors of single calls, no room, read-only, frozen, slow."""

import errno
import fcntl
import os
import re
import signal
import struct
import subprocess
import threading
import time

from driver import Failed, Server
from trial import NO_ANSWER, PEOPLE, can_trace, case, ext4, hit_by, injecting, need_tool, resident, tmpfs

# ext4's ioctl that stops all writing at once, the journal's too: what a power cut leaves.
EXT4_SHUTDOWN = 0x8004587D
NO_LOG_FLUSH = 2

LARGE = 25_000  # bytes of an event, at most: a log that has its room already is full sooner
ASKED_AGAIN_SECONDS = 1.0  # storage/committer.h
LOG_SYNC = re.compile(r"fdatasync\(\d+<[^>]*/db/\d+\.log>")
STALL_ANSWER_SECONDS_MAX = 35  # our deadline is 30 s, counted in ticks of one
STALLED_PERSON = "u7@shop.example"
STALLED_READ = f"/v1/profiles/email:{STALLED_PERSON}?purpose=email_marketing"
READY_SECONDS = 8  # our bound is five, and a look at it each second
SERVED_SECONDS_MAX = 1.5  # on a machine that does other things too
CALLS = {"write": "EIO", "pwrite64": "EIO", "pread64": "EIO", "openat": "EIO", "rename": "EIO", "ftruncate": "EIO",
         "fdatasync": "ENOSPC", "fsync": "EIO", "unlink": "EIO", "fallocate": "ENOSPC", "mkdir": "ENOSPC"}


def cut_power(shop, place):
    """The process is stopped first, or a sync that is under way would be reported done by a disk that is gone."""
    shop.server.process.send_signal(signal.SIGSTOP)
    time.sleep(0.15)
    folder = os.open(place, os.O_RDONLY)
    fcntl.ioctl(folder, EXT4_SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))
    os.close(folder)
    shop.server.kill()


def remount(place, image):
    subprocess.run(["umount", str(place)], check=True, capture_output=True)
    subprocess.run(["mount", "-o", "loop", str(image), str(place)], check=True, capture_output=True)


@case(3, "power loss: what was acknowledged is on the disk, whatever was under way")
def power_loss(trial):
    place, image = ext4(trial)
    shop = trial.shop(at=place / "data")
    rounds = 40 if trial.long else 4
    for _ in range(rounds):
        shop.server.start()
        with shop.load():
            time.sleep(trial.random.uniform(0.3, 1.2))
            cut_power(shop, place)
        remount(place, image)
    shop.settle()
    return f"{rounds} power cuts, {len(shop.acknowledged)} acknowledged events, none lost"


@case(3, "the control: with a disk that says it has synced and has not, the same trial finds the loss")
def power_loss_control(trial):
    can_trace()
    place, image = ext4(trial)
    for attempt in range(3):
        shop = trial.shop(at=place / f"data{attempt}")
        lying = injecting("fdatasync:retval=0", "fsync:retval=0", calls=("fdatasync", "fsync"))
        shop.server.start(under=lying)
        with shop.load():
            time.sleep(1.5)
            cut_power(shop, place)
        remount(place, image)
        try:
            shop.settle()
        except Failed as noticed:
            return f"noticed: {str(noticed)[:100]}"
    raise Failed("three power cuts without a single sync lost nothing: the trial proves nothing")


def suffer(shop, under, seconds):
    """Posts under the faults. The server serves on, refuses by the rule, or has ended by it; says which, and what was answered."""
    if not shop.server.launch(under=under):
        shop.judge_end()
        return "refused to start", None
    with shop.load(clients=2) as load:
        until = time.monotonic() + seconds
        while time.monotonic() < until and shop.server.alive() and 503 not in load.statuses() and 507 not in load.statuses():
            time.sleep(0.02)
    if not shop.server.alive():
        shop.judge_end()
        return "ended", load
    refused = load.statuses() - {200}
    if refused - {503, 507}:
        raise Failed(f"answered {refused}, {load.codes()}")
    if load.slowest() > 10:
        raise Failed(f"an answer took {load.slowest():.1f} s")
    if refused:
        # Reads are answered, by what they find or by the reason that they cannot.
        status, answer = shop.read()
        if status not in (200, 500, 503):
            raise Failed(f"a read is answered {status}: {answer}")
    shop.judge_readiness()
    return "refused writes" if refused else "served on", load


def judge_failed_log(shop, load):
    """A sync of the log has failed. The kernel may have dropped what it could not write, and calls the next sync done: nothing may
    be taken until a restart (docs/STORAGE.md), however often the store asks, which is once a second."""
    told = min((began + took for began, took, status, _ in load.answers if status == 503), default=time.monotonic())
    if any(status == 200 and began > told for began, _, status, _ in load.answers):
        raise Failed("a sync of the log failed, one post was refused, and a later one was taken")
    until = time.monotonic() + 2 * ASKED_AGAIN_SECONDS
    while time.monotonic() < until:
        answer, ready = shop.post(), shop.ready()
        if answer != (503, "storage_failed") or ready != "store_failed":
            raise Failed(f"after a failed sync of the log a post is answered {answer}, and /readyz says {ready}")
        time.sleep(0.1)


def own_files(shop):
    """The names that files of the folder have or may get: a fault is to hit no pipe or socket."""
    data = shop.server.data
    numbers = range(1, 120)
    return [f"{data}/{name}" for name in ("FORMAT", "keyring", "mark", "time", "scrub", "journal", "db", "db/CURRENT")] + [
        f"{data}/db/{n:06}.{kind}" for n in numbers for kind in ("log", "sst", "dbtmp")] + [
        f"{data}/db/{kind}-{n:06}" for n in numbers for kind in ("MANIFEST", "OPTIONS")] + [
        f"{data}/journal/{n}" for n in numbers]


def try_fault(trial, fault, calls, seconds):
    """What came of it, and the calls that it hit."""
    shop = trial.shop()
    told = shop.folder / "traced"
    try:
        outcome, load = suffer(shop, injecting(fault, calls=calls, paths=own_files(shop), told=told), seconds)
        hit = hit_by(told)
        if shop.server.alive() and any(LOG_SYNC.match(call) for call in hit) and "error=EIO" in fault:
            judge_failed_log(shop, load)
        stop_faulty(shop)
        shop.settle()
    except Failed as failed:
        raise Failed(f"{fault}: {failed}") from None
    return outcome, hit


def sweep(trial, fault_of, calls, numbers, seconds, kinds=()):
    """`kinds`: the calls of which at least one must have been hit each; one of any must have been in any case."""
    seen, hit = {}, []
    for n in numbers:
        outcome, hit_now = try_fault(trial, fault_of(n), calls, seconds)
        outcome += "" if hit_now else " unhit"
        seen[outcome] = seen.get(outcome, 0) + 1
        hit += hit_now
    missed = [kind for kind in kinds if not any(call.startswith(kind + "(") for call in hit)]
    if missed or not hit:
        raise Failed(f"the fault never fired: {', '.join(missed) or 'no call was hit'}")
    return ", ".join(f"{times} {outcome}" for outcome, times in sorted(seen.items())) + f"; {len(hit)} calls hit"


def stop_faulty(shop):
    """On a broken disk the end need not be clean, but it must come."""
    if shop.server.alive():
        shop.judge_wrong()
        shop.server.process.send_signal(signal.SIGTERM)
        if shop.server.ended(20) is None:
            raise Failed("the server does not end on SIGTERM")
        shop.server.kill()


@case(5, "EIO of the Nth sync: that request is refused, nothing more is taken until a restart, nothing acknowledged is lost")
def sync_fails(trial):
    can_trace()
    numbers = trial.pick(range(1, 201), short=3)
    # It ends with the first refusal; a slow disk comes to the Nth all the same.
    return sweep(trial, lambda n: f"fdatasync:error=EIO:when={n}", ("fdatasync",), numbers, seconds=30)


@case(5, "the control: a store that takes again after a failed sync is noticed, and so is a fault that never fires")
def sync_fails_control(trial):
    can_trace()
    # RocksDB comes back from a full disk, even if it was a sync of the log that said so.
    shop = trial.shop()
    told = shop.folder / "traced"
    under = injecting("fdatasync:error=ENOSPC:when=20", calls=("fdatasync",), paths=own_files(shop), told=told)
    _, load = suffer(shop, under, 30)
    if not any(LOG_SYNC.match(call) for call in hit_by(told)):
        raise Failed(f"no sync of the log was hit: {hit_by(told)}")
    await_ready(shop, True, seconds=15)
    noticed = []
    for what in (lambda: judge_failed_log(shop, load),
                 lambda: sweep(trial, lambda n: f"fdatasync:error=EIO:when={n}", ("fdatasync",), [60_000], seconds=1)):
        try:
            what()
        except Failed as failed:
            noticed.append(str(failed))
    if len(noticed) != 2 or "never fired" not in noticed[1]:
        raise Failed(f"only noticed: {noticed}")
    return "; ".join(noticed)


@case(6, "an error of the Nth call of each kind: a clean refusal at every N, no hang, no abort")
def calls_fail(trial):
    can_trace()
    pairs = [(call, n) for call in CALLS for n in range(1, 41)]
    chosen = trial.pick(pairs, short=4)
    # Not every kind is called forty times.
    return sweep(trial, lambda pair: f"{pair[0]}:error={CALLS[pair[0]]}:when={pair[1]}", tuple(CALLS), [("write", 20), *chosen],
                 4 if trial.long else 1.5, kinds=CALLS if trial.long else ("write",))


@case(6, "every call of a kind fails from some moment on", short=False)
def calls_keep_failing(trial):
    can_trace()
    pairs = [(call, n) for call in CALLS for n in (1, 5, 20)]
    return sweep(trial, lambda pair: f"{pair[0]}:error={CALLS[pair[0]]}:when={pair[1]}+", tuple(CALLS), pairs, 4, kinds=CALLS)


def fill_up_to(folder, left):
    """Leaves so many bytes free."""
    ballast, stat = folder / "ballast", os.statvfs(folder)
    size = ballast.stat().st_size if ballast.exists() else 0
    size += stat.f_bavail * stat.f_frsize - left
    with open(ballast, "ab") as file:
        if size < os.fstat(file.fileno()).st_size:
            os.ftruncate(file.fileno(), size)
        else:
            os.posix_fallocate(file.fileno(), 0, size)
    return ballast


def fill(folder):
    """Takes all room that is left; its removal gives it back."""
    ballast = folder / "ballast"
    with open(ballast, "ab", buffering=0) as file:
        piece = b"\0" * (1 << 20)
        while len(piece) > 512:
            try:
                if file.write(piece) < len(piece):
                    piece = piece[: len(piece) // 2]
            except OSError as full:
                if full.errno != errno.ENOSPC:
                    raise
                piece = piece[: len(piece) // 2]
    return ballast


def judge_full(shop, make_room):
    """A disk that takes no more refuses writes, serves reads, and takes again when there is room."""
    with shop.load(pad=LARGE) as load:
        if not (load.await_status(507) or 503 in load.statuses()):
            raise Failed(f"a full disk is answered {load.statuses()} {load.codes()}")
    if load.statuses() - {200, 507, 503}:
        raise Failed(f"a full disk is answered {load.statuses()} {load.codes()}")
    ready = shop.ready()
    if ready is True and shop.post()[0] != 200:
        raise Failed("nothing is taken, and /readyz says ready")
    # Nothing leaves that cannot be written down: a read is refused by a reason of its own, or given.
    status, answer = shop.read()
    if status not in (200, 503, 507):
        raise Failed(f"a read from a full disk is answered {status}: {answer}")
    export = shop.server.attempt("export", "events", "--reason", "crash test")
    if export.returncode:
        expect_refusal(export, "an export from a full disk")
    make_room()
    with shop.load(clients=1) as load:
        if not load.await_status(200, seconds=15):
            raise Failed(f"15 s after there is room again: {load.statuses()} {load.codes()}")
    return f"reads are answered {status} while it is full, an export ends by {export.returncode}; it took writes again by itself"


@case(7, "the disk is full: writes are refused as disk_full, reads are answered, room is noticed without a restart")
def disk_full(trial):
    place = tmpfs(trial, "size=160m")
    shop = trial.shop(at=place / "data")
    shop.server.start()
    shop.post()
    ballast = fill(place)
    seen = judge_full(shop, ballast.unlink)
    shop.settle()
    return seen


def await_ready(shop, wanted, seconds=5):
    until = time.monotonic() + seconds
    while shop.ready() != wanted:
        if time.monotonic() > until:
            raise Failed(f"/readyz says {shop.ready()}, not {wanted}")
        time.sleep(0.05)


@case(9, "less than the reserve is free: events are refused before RocksDB fails; who takes back, is erased or is read still is served")
def disk_low(trial):
    megabyte = 1 << 20
    place = tmpfs(trial, "size=900m")
    config = trial.folder / "reserve.toml"
    config.write_text("[disk]\nreserve_megabytes = 256\nreserve_percent_max = 90\n")
    shop = trial.shop(at=place / "data")
    if not shop.server.launch("--config", str(config)):
        raise Failed(shop.judge_end())
    shop.post()
    # Events themselves bring it there.
    ballast = fill_up_to(place, 276 * megabyte)
    with shop.load(clients=2, pad=LARGE) as load:
        if not load.await_status(507, seconds=60):
            raise Failed(f"nobody is refused: {load.statuses()} {load.codes()}")
        time.sleep(2 if trial.long else 1)
    if load.statuses() != {200, 507} or load.codes() != {"disk_low"}:
        raise Failed(f"answered {load.statuses()} {load.codes()}")
    if shop.ready() != "disk_low" or shop.metric("cdp_disk_low") != 1 or shop.metric("cdp_store_healthy") != 1:
        raise Failed(f"/readyz says {shop.ready()}, metrics {shop.metric('cdp_disk_low')} {shop.metric('cdp_store_healthy')}")
    # What the reserve is for.
    said = [{"identifiers": [{"type": "email", "value": "u1@shop.example"}], "purpose": "email_marketing", "state": "withdrawn",
             "scope": "person"}]
    status, answer = shop.caller().call("POST", "/v1/consents", {"consents": said})
    if status != 200:
        raise Failed(f"a withdrawal is answered {status}: {answer}")
    if shop.read(1)[0] != 200 or "email" in shop.read(1)[1]["traits"]:
        raise Failed(f"after the withdrawal a read is answered {shop.read(1)}")
    for n in range(PEOPLE):
        status, answer = shop.read(n)
        if status != 200:
            raise Failed(f"a read is answered {status}: {answer}")
    status, answer = shop.caller("officer").call("POST", "/v1/privacy/erasures", {"identifier": {"type": "user_id", "value": "u2"}})
    if status != 200:
        raise Failed(f"an erasure is answered {status}: {answer}")
    shop.server.key("steward", "lou")
    if any(event["userId"] == "u2" for event in shop.server.export("events")):
        raise Failed("events of somebody erased are there")
    # Not at once again when there is a little more.
    fill_up_to(place, 290 * megabyte)
    time.sleep(1.5)
    if shop.ready() != "disk_low":
        raise Failed(f"with 290 MB of 256 free /readyz says {shop.ready()}")
    fill_up_to(place, 340 * megabyte)
    await_ready(shop, True)
    if shop.post()[0] != 200:
        raise Failed("with room again nothing is taken")
    ballast.unlink()
    # Who was erased is missing by right.
    gone = {f"m{n}" for n in range(shop.posted) if n % PEOPLE == 2}
    shop.acknowledged -= gone
    shop.unsure = [[event for event in events if event["messageId"] not in gone] for events in shop.unsure]
    shop.settle()
    return f"{len(load.answers)} answers"


@case(10, "no more inodes: as a full disk")
def inodes_gone(trial):
    place = tmpfs(trial, "size=300m,nr_inodes=60")
    shop = trial.shop(at=place / "data")
    shop.server.start()
    shop.post()
    made = []
    try:
        while True:
            made.append(place / f"i{len(made)}")
            made[-1].touch()
    except OSError:
        made.pop()
    # Whatever needs a new file is to be tried: another log, another table, a segment of the journal.
    for n in range(5):
        shop.read(n)
    deadline = time.monotonic() + (60 if trial.long else 6)
    with shop.load(pad=LARGE) as load:
        while time.monotonic() < deadline and load.statuses() <= {200}:
            time.sleep(0.05)
    if load.statuses() - {200, 503, 507}:
        raise Failed(f"answered {load.statuses()} {load.codes()}")
    shop.judge_readiness()
    for file in made:
        file.unlink()
    with shop.load(clients=1) as again:
        recovered = again.await_status(200, seconds=15)
    # A log that could not be begun is an error that RocksDB does not come back from: then it must say so.
    if not recovered and shop.ready() != "store_failed":
        raise Failed(f"15 s after there are inodes again: {again.statuses()} {again.codes()}, ready: {shop.ready()}")
    stop_faulty(shop)
    shop.settle()
    return f"answered {load.codes() or 'as ever'}, {'took writes again by itself' if recovered else 'until a restart'}"


@case(8, "no room for a backup, a restore, an erasure, an export: each says so, and goes through when there is room")
def jobs_on_a_full_disk(trial):
    place = tmpfs(trial, "size=160m")
    shop = trial.shop(at=place / "data")
    shop.server.start()
    shop.post()
    small = tmpfs(trial, "size=128k")
    # A backup that the place for it cannot hold.
    done = shop.server.attempt("backup", "create", "--to", str(small / "repository"))
    expect_refusal(done, "a backup without room")
    repository = trial.folder / "repository"
    shop.server.run("backup", "create", "--to", str(repository))
    # A copy that the disk cannot hold leaves no folder.
    copy = Server(shop.server.binary, trial.new_folder("copy"), small / "copy")
    done = copy.attempt("backup", "restore", "--from", str(repository))
    expect_refusal(done, "a restore without room")
    if (small / "copy" / "FORMAT").exists():
        raise Failed("a restore without room has left a data folder")
    # Erasing is writing: it is refused whole, or done.
    ballast = fill(place)
    officer = shop.caller("officer")
    with shop.load(pad=LARGE) as load:
        if not load.await_status(507):
            raise Failed(f"a full disk is answered {load.statuses()}")
    status, answer = officer.call("POST", "/v1/privacy/erasures", {"identifier": {"type": "user_id", "value": "u1"}})
    if status not in (200, 503, 507):
        raise Failed(f"an erasure on a full disk is answered {status}: {answer}")
    ballast.unlink()
    until = time.monotonic() + 15
    again = 0
    while again != 200 and time.monotonic() < until:
        again, answer = officer.call("POST", "/v1/privacy/erasures", {"identifier": {"type": "user_id", "value": "u1"}})
        time.sleep(0.1)
    if again != 200:
        raise Failed(f"with room again an erasure is answered {again}: {answer}")
    there = [event for event in shop.server.export("events") if event["userId"] == "u1"]
    if there:
        raise Failed(f"{len(there)} events of somebody erased are there")
    shop.server.stop()
    return f"an erasure without room is answered {status}, with room it is done"


def expect_refusal(done, what):
    lines = [line for line in done.stderr.splitlines() if line.startswith("cdp: ")]
    if done.returncode not in (1, 70) or not lines:
        raise Failed(f"{what} ended by {done.returncode}: {done.stderr[-400:]}")


@case(11, "the file system turns read-only: writes are refused, reads served, nobody aborts")
def turns_read_only(trial):
    place, image = ext4(trial, options="loop,errors=remount-ro")
    device = subprocess.run(["findmnt", "-no", "SOURCE", str(place)], capture_output=True, text=True).stdout.strip()
    trigger = f"/sys/fs/ext4/{os.path.basename(device)}/trigger_fs_error"
    shop = trial.shop(at=place / "data")
    shop.server.start()
    shop.post()
    with open(trigger, "w") as file:
        file.write("1")
    with shop.load() as load:
        if not (load.await_status(503) or 507 in load.statuses()):
            raise Failed(f"a read-only file system is answered {load.statuses()}")
    if not shop.server.alive():
        raise Failed(f"the server ended by {shop.server.ended()}: {shop.server.said()[-500:]}")
    if shop.judge_readiness() is True:
        raise Failed("/readyz says ready on a read-only file system")
    status, answer = shop.read()
    if status not in (200, 503):
        raise Failed(f"a read is answered {status}: {answer}")
    stop_faulty(shop)
    subprocess.run(["umount", str(place)], check=True, capture_output=True)
    subprocess.run(["e2fsck", "-fy", str(image)], capture_output=True)
    subprocess.run(["mount", "-o", "loop", str(image), str(place)], check=True, capture_output=True)
    shop.settle()
    return f"writes are answered {sorted(load.codes())}, reads {status}"


class GatedReads:
    """Reads of one person's profile on connections of their own, which the loops share by turns."""

    def __init__(self, shop, count):
        self.answers = []  # status, code, seconds
        self.threads = [threading.Thread(target=self.read, args=(shop,), daemon=True) for _ in range(count)]
        for thread in self.threads:
            thread.start()

    def read(self, shop):
        began = time.monotonic()
        try:
            status, answer = shop.caller("channel", timeout=60).call("GET", STALLED_READ)
        except NO_ANSWER as silent:
            status, answer = 0, {"code": repr(silent)}
        self.answers.append((status, answer.get("code"), time.monotonic() - began))

    def finish(self):
        for thread in self.threads:
            thread.join(60)
        return self.answers


def told(shop):
    """How often the channel was told about whom STALLED_READ is, by what is listed under them."""
    rows = shop.caller("officer").call("GET", f"/v1/audit/disclosures?subject=email:{STALLED_PERSON}&limit=1000")[1]
    return sum(row["count"] for row in rows["disclosures"])


def judge_served(shop, loops, seconds):
    """Whoever reads nothing is answered at once meanwhile, on every loop."""
    callers = [shop.caller(timeout=10) for _ in range(2 * loops)]
    slowest, until = 0.0, time.monotonic() + seconds
    while time.monotonic() < until:
        for caller in callers:
            began = time.monotonic()
            if caller.call("GET", "/healthz")[0] != 200:
                raise Failed("/healthz is not 200 while the disk stands still")
            slowest = max(slowest, time.monotonic() - began)
        time.sleep(0.05)
    if slowest > SERVED_SECONDS_MAX:
        raise Failed(f"while the disk stands still /healthz takes {slowest:.1f} s")
    return slowest


@case(12, "the disk stands still: what is gated is refused in time and not told, everything else is answered at once", short=False)
def disk_stalls_reads(trial):
    need_tool("fsfreeze", "util-linux")
    place, _ = ext4(trial)
    shop = trial.shop(at=place / "data")
    shop.server.start()
    loops = os.cpu_count()
    warm = GatedReads(shop, 2 * loops).finish()
    before, fine = told(shop), [status for status, _, _ in warm].count(200)
    if fine != 2 * loops or before < fine:
        raise Failed(f"before the disk stands still: {warm}, told {before} times")
    frozen = subprocess.run(["fsfreeze", "-f", str(place)], capture_output=True, text=True)
    if frozen.returncode:
        raise Failed(f"fsfreeze: {frozen.stderr}")
    try:
        reads = GatedReads(shop, 4 * loops)
        slowest = judge_served(shop, loops, READY_SECONDS)
        ready = shop.ready()
        late = GatedReads(shop, 2 * loops)
        refused = reads.finish()
    finally:
        subprocess.run(["fsfreeze", "-u", str(place)], capture_output=True)
    if ready is True:
        raise Failed(f"{READY_SECONDS} s after the disk stood still /readyz says ready")
    if {(status, code) for status, code, _ in refused} != {(503, "storage_stalled")}:
        raise Failed(f"reads while the disk stands still are answered {refused}")
    if max(seconds for _, _, seconds in refused) > STALL_ANSWER_SECONDS_MAX:
        raise Failed(f"reads while the disk stands still are answered {refused}")
    answered = [status for status, _, _ in late.finish()].count(200)
    if answered != 2 * loops:
        raise Failed(f"who still waited at the thaw is answered {late.answers}")
    await_ready(shop, True, seconds=10)
    if told(shop) != before + answered:
        raise Failed(f"told {told(shop) - before} times, answered {answered} times, refused {len(refused)} times")
    shop.settle()
    return (f"{len(refused)} reads refused after {refused[-1][2]:.0f} s and not told, {answered} answered at the thaw and told, "
            f"/healthz took at most {slowest * 1000:.0f} ms, /readyz said {ready}")


@case(12, "the disk stands still: requests are refused at our deadline, memory stays flat, it goes on by itself", short=False)
def disk_stalls(trial):
    need_tool("fsfreeze", "util-linux")
    place, _ = ext4(trial)
    shop = trial.shop(at=place / "data")
    shop.server.start()
    shop.post()
    before, _, _ = resident(shop.server.process.pid)
    frozen = subprocess.run(["fsfreeze", "-f", str(place)], capture_output=True, text=True)
    if frozen.returncode:
        raise Failed(f"fsfreeze: {frozen.stderr}")
    try:
        with shop.load(clients=8, timeout=45) as load:
            stalled = load.await_status(503, seconds=40, code="storage_stalled")
            status, _ = shop.caller(timeout=5).call("GET", "/healthz")
            ready = shop.ready()
            load.over.set()
    finally:
        subprocess.run(["fsfreeze", "-u", str(place)], capture_output=True)
    if not stalled or status != 200:
        raise Failed(f"a frozen disk is answered {load.statuses()} {load.codes()}, /healthz {status}")
    if load.slowest() > STALL_ANSWER_SECONDS_MAX:
        raise Failed(f"an answer took {load.slowest():.1f} s")
    slowest = load.slowest()
    after, _, _ = resident(shop.server.process.pid)
    if after - before > 64 << 20:
        raise Failed(f"memory grew by {(after - before) >> 20} MiB while the disk stood")
    with shop.load(clients=1) as load:
        if not load.await_status(200, seconds=5):
            raise Failed(f"5 s after the thaw: {load.statuses()} {load.codes()}")
    shop.settle()
    if ready is True:
        raise Failed("while the disk stands still /readyz says ready")
    return f"refused as storage_stalled after {slowest:.0f} s, /readyz said {ready}"


@case(13, "every sync takes 300 ms: groups share it, and nothing is acknowledged before its own sync", alone=True)
def slow_sync(trial):
    can_trace()
    shop = trial.shop()
    shop.server.start(under=injecting("fdatasync:delay_exit=300000", calls=("fdatasync",)))
    began = time.monotonic()
    clients = 16
    with shop.load(clients=clients, count=1) as load:
        time.sleep(4)
    took = time.monotonic() - began
    fine = [seconds for _, seconds, status, _ in load.answers if status == 200]
    if len(fine) < 2 * clients:
        raise Failed(f"{len(fine)} answers in {took:.1f} s from {clients} clients: syncs are not shared")
    if min(fine) < 0.3:
        raise Failed(f"an answer came after {min(fine):.3f} s, before its sync was done")
    if sorted(fine)[len(fine) * 99 // 100] > 1.5:
        raise Failed(f"the slowest answers took {max(fine):.1f} s")
    shop.settle()
    return f"{len(fine)} events in {took:.1f} s, the quickest {min(fine):.2f} s, the slowest {max(fine):.2f} s"


@case(21, "a data folder on a file system that is mounted read-only is refused before anything listens; on a full one it says what it can")
def unusable_mounts(trial):
    place, image = ext4(trial, size=256 << 20)
    shop = trial.shop(at=place / "data")
    subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True, capture_output=True)
    if shop.server.launch():
        raise Failed("it serves from a read-only file system")
    said = [shop.judge_end()]
    if "Read-only" not in said[0] or "Another process" in said[0]:
        raise Failed(f"of a read-only file system it says: {said[0]}")
    subprocess.run(["mount", "-o", "remount,rw", str(place)], check=True, capture_output=True)
    ballast = fill(place)
    if shop.server.launch():
        shop.judge_readiness()
        stop_faulty(shop)
        said.append("full: it serves and says what it can")
    else:
        said.append(shop.judge_end())
    ballast.unlink()
    shop.settle()
    return "; ".join(said)
