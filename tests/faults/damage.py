"""Files are damaged, lost, mixed up or exchanged while nobody looks."""

import collections
import hashlib
import os
import re
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path

from driver import Failed, Server, judge_refusal
from trial import PEOPLE, Shop, case, need_root

# --- how a file suffers


def flip(path, at, bit):
    with open(path, "r+b") as file:
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ (1 << bit)]))


def size_of(path):
    return os.path.getsize(path)


def one(shop, pattern):
    """The newest file of the database with that form of name."""
    found = sorted(Path(shop.server.data, "db").glob(pattern))
    if not found:
        raise Failed(f"the folder of the trial has no {pattern}")
    return found[-1]


def digest(folder):
    """Of everything in a folder but its socket."""
    sums = {}
    for path in sorted(Path(folder).rglob("*")):
        if path.is_file():
            sums[str(path.relative_to(folder))] = hashlib.sha256(path.read_bytes()).hexdigest()
    return sums


# --- what may come of it

def whole_or_refused(shop):
    """Refuses with a line, or serves everything it ever acknowledged. A damaged block may be found only when it is read: then
    what needs it is refused, and no list is silently short. Says which, and what was said."""
    if not shop.server.launch():
        return "refused", shop.judge_end()
    export = shop.server.attempt("export", "events", "--reason", "fault test")
    if export.returncode == 0:
        shop.judge()
        outcome = "whole"
    else:
        if not [line for line in export.stderr.splitlines() if line.startswith("cdp: ")]:
            raise Failed(f"an export ended by {export.returncode} and says nothing")
        outcome = "export refused"
    for n in range(3):
        status, answer = shop.read(n)
        if status not in (200, 500, 503) or status != 200 and not answer.get("code"):
            raise Failed(f"a read is answered {status}: {answer}")
    if not shop.server.alive():
        raise Failed(f"the server ended by {shop.server.ended()} on a read: {shop.server.said()[-600:]}")
    shop.server.kill()
    return outcome, export.stderr.strip()


def suffer(trial, what, damage, mark=None):
    """A fresh copy is damaged by `damage(shop)` and opened. `mark`: what a refusal has to name."""
    shop = trial.shop()
    damage(shop)
    try:
        outcome, said = whole_or_refused(shop)
    except Failed as failed:
        raise Failed(f"{what}: {failed}") from None
    if outcome == "refused" and mark and not re.search(mark, said):
        raise Failed(f"{what}: the refusal does not name {mark}: {said}")
    shutil.rmtree(shop.server.data)
    return outcome


def tally(outcomes):
    return ", ".join(f"{outcomes.count(one)} {one}" for one in sorted(set(outcomes)))


@case(14, "a bit flipped anywhere in the live log: refused by name, or nothing is missing")
def log_flipped(trial):
    outcomes = []
    for _ in range(200 if trial.long else 10):
        seen = {}

        def damage(shop):
            path = one(shop, "*.log")
            seen["at"] = trial.random.randrange(size_of(path))
            flip(path, seen["at"], trial.random.randrange(8))

        outcomes.append(suffer(trial, "a bit of the log", damage, mark=r"\.log|sequence \d+ of \d+"))
    return tally(outcomes)


@case(15, "the log cut, deleted, or an older copy of it put back: what is missing is noticed")
def log_lost(trial):
    def cut(shop):
        path = one(shop, "*.log")
        os.truncate(path, trial.random.randrange(size_of(path)))

    def older(shop):
        path = one(shop, "*.log")
        before = path.read_bytes()
        shop.server.start()
        for _ in range(5):
            shop.post()
        shop.server.stop()
        for log in Path(shop.server.data, "db").glob("*.log"):
            log.unlink()
        path.write_bytes(before)

    outcomes = [suffer(trial, "a cut log", cut) for _ in range(20 if trial.long else 3)]
    for what, damage in (("a deleted log", lambda shop: one(shop, "*.log").unlink()), ("an older log", older)):
        if suffer(trial, what, damage, mark=r"sequence|\.log") != "refused":
            raise Failed(f"{what} is served")
    return f"cut: {tally(outcomes)}; deleted and older: refused"


@case(16, "MANIFEST flipped or cut anywhere, CURRENT missing, empty or wrong: refused, and nothing is made in its place")
def manifest_damaged(trial):
    def cut(shop):
        path = one(shop, "MANIFEST-*")
        os.truncate(path, trial.random.randrange(size_of(path)))

    def flipped(shop):
        path = one(shop, "MANIFEST-*")
        flip(path, trial.random.randrange(size_of(path)), trial.random.randrange(8))

    def empty(shop):
        os.truncate(Path(shop.server.data, "db/CURRENT"), 0)

    def wrong(shop):
        Path(shop.server.data, "db/CURRENT").write_text("MANIFEST-999999\n")

    def missing(shop):
        Path(shop.server.data, "db/CURRENT").unlink()

    rounds = 40 if trial.long else 4
    outcomes = [suffer(trial, what, damage) for _ in range(rounds)
                for what, damage in (("a cut MANIFEST", cut), ("a flipped MANIFEST", flipped))]
    for what, damage in (("an empty CURRENT", empty), ("a wrong CURRENT", wrong), ("no CURRENT", missing)):
        for twice in range(2):  # RocksDB's own first refusal leaves what its second attempt would open
            shop = trial.shop()
            damage(shop)
            for _ in range(1 + twice):
                if shop.server.launch():
                    raise Failed(f"{what} is served")
                shop.judge_end()
    return f"MANIFEST: {tally(outcomes)}; CURRENT: refused, also when it is tried again"


@case(17, "a table flipped, cut, gone or exchanged: what needs it is refused, no list is silently short, `cdp verify` names it")
def tables_damaged(trial):
    outcomes, verified = [], 0
    for n in range(60 if trial.long else 6):
        shop = trial.shop()
        tables = sorted(Path(shop.server.data, "db").glob("*.sst"))
        table = trial.random.choice(tables)
        flip(table, trial.random.randrange(size_of(table)), trial.random.randrange(8))
        done = shop.server.attempt("verify")
        if done.returncode != 70:
            raise Failed(f"`cdp verify` of a flipped {table.name} ends by {done.returncode}: {done.stdout}{done.stderr}")
        verified += 1
        outcomes.append(whole_or_refused(shop)[0])
        shutil.rmtree(shop.server.data)

    def cut(shop):
        table = one(shop, "*.sst")
        os.truncate(table, size_of(table) // 2)

    def exchange(shop):
        tables = sorted(Path(shop.server.data, "db").glob("*.sst"), key=size_of)[-2:]
        tables[0].rename(tables[0].with_suffix(".x"))
        tables[1].rename(tables[0])
        tables[0].with_suffix(".x").rename(tables[1])

    for what, damage in (("a cut table", cut), ("a table that is gone", lambda shop: one(shop, "*.sst").unlink()),
                         ("exchanged tables", exchange)):
        if suffer(trial, what, damage) != "refused":
            raise Failed(f"{what} are served")
    return f"flipped: {tally(outcomes)}, {verified} found by verify; cut, gone, exchanged: refused"


def ask_everything(shop):
    """What is answered of everybody: (status, body without what changes with every answer), and what a refusal lacks."""
    answers, wrong = {}, []
    callers = {role: shop.caller(role) for role in ("channel", "officer", "steward")}
    for n in range(PEOPLE):
        who = f"/v1/profiles/user_id:u{n}"
        for what, role, path in (("profile", "channel", f"{who}?purpose=email_marketing"),
                                 ("events", "channel", f"{who}/events?purpose=email_marketing&limit=100"),
                                 ("consents", "officer", f"{who}/consents"), ("identity", "steward", f"{who}/identity")):
            status, answer = callers[role].call("GET", path)
            if status != 200:
                wrong += judge_refusal(status, callers[role].answer.headers, answer)
            answers[n, what] = status, {name: value for name, value in answer.items() if name not in ("decision", "ledger_size")}
    return answers, wrong


@case(17, "a block of a table flipped: what needs it is 500 with a code, the others are served as before, no list is short")
def damaged_blocks(trial):
    whole = trial.shop()
    whole.server.start()
    buy(whole)
    before, wrong = ask_everything(whole)
    if wrong or {status for status, _ in before.values()} != {200}:
        raise Failed(f"before any damage: {wrong} {collections.Counter(status for status, _ in before.values())}")
    for _ in range(2):  # a second start writes what the first had in its log into tables
        whole.server.stop()
        whole.server.start()
    whole.server.stop()
    expect_noticed(before)
    rounds, mixed, codes = 0, 0, collections.Counter()
    while rounds < (60 if trial.long else 4) or not mixed:
        if rounds == 100:
            raise Failed(f"in {rounds} rounds no damage hit some and left others: {codes}")
        rounds += 1
        shop = Shop(trial, trial.new_folder("shop"))
        shop.copy(whole)
        trial.afterwards.callback(shop.end)
        table = trial.random.choice(sorted(Path(shop.server.data, "db").glob("*.sst")))
        at = trial.random.randrange(size_of(table))
        flip(table, at, trial.random.randrange(8))
        if shop.server.launch():
            try:
                codes += judge_damaged(before, ask_everything(shop))
            except Failed as failed:
                raise Failed(f"byte {at} of {table.name}, {size_of(table)} long: {failed}") from None
            mixed += 0 < codes["refused in the last round"] < len(before)
            codes["refused in the last round"] = 0
            shop.server.kill()
        else:
            shop.judge_end()
            codes["the start is refused"] += 1
        shutil.rmtree(shop.server.data)
    del codes["refused in the last round"]
    return f"{rounds} flips, in {mixed} some were refused and the others served as before; {dict(codes)}"


def buy(shop):
    """Everybody has an address, and orders that the newsletter is told of."""
    events = [{"messageId": f"hello-{n}", "type": "identify", "userId": f"u{n}",
               "traits": {"email": f"u{n}@shop.example", "email_verified": True}} for n in range(PEOPLE)]
    events += [{"messageId": f"order-{n}-{i}", "type": "track", "event": "Order Completed", "userId": f"u{n}",
                "properties": {"coupon": f"c{i}"}} for n in range(PEOPLE) for i in range(5)]
    shop.sent.update(event["messageId"] for event in events)
    if shop.post(events=events)[0] != 200:
        raise Failed("the orders are refused")


def expect_noticed(before):
    """The control: a list that lacks its last entry is seen."""
    of = next(of for of, (_, answer) in before.items() if of[1] == "events" and answer["events"])
    short = {**before[of][1], "events": before[of][1]["events"][:-1]}
    try:
        judge_damaged(before, ({**before, of: (200, short)}, []))
    except Failed:
        return
    raise Failed("a list that is silently short is not noticed")


def judge_damaged(before, after):
    """Counts the codes of refusals."""
    answers, wrong = after
    if wrong:
        raise Failed("; ".join(wrong[:3]))
    codes = collections.Counter()
    for of, (status, answer) in answers.items():
        if status == 200 and answer != before[of][1]:
            raise Failed(f"{of} is answered otherwise than before: {answer} instead of {before[of][1]}")
        if status not in (200, 500):
            raise Failed(f"{of} is answered {status}: {answer}")
        if status == 500:
            codes[answer["code"]] += 1
            codes["refused in the last round"] += 1
    return codes


@case(18, "`cdp verify` finds planted damage while the server serves, and says so by its exit code")
def verify_while_serving(trial):
    shop = trial.shop()
    shop.server.start()
    with shop.load(clients=1):
        shop.server.run("verify")
    table = max(Path(shop.server.data, "db").glob("*.sst"), key=size_of)
    flip(table, size_of(table) // 2, 3)
    done = shop.server.attempt("verify")
    if done.returncode != 70 or table.name not in done.stdout + done.stderr:
        raise Failed(f"`cdp verify` ends by {done.returncode}: {done.stdout}{done.stderr}")
    if shop.caller().call("GET", "/healthz")[0] != 200:
        raise Failed("the server did not survive being verified")
    return "named the table, exit 70"


@case(18, "a table is damaged where nobody reads it: the server finds it by itself, names it and counts it")
def scrubbed(trial):
    shop = trial.shop()
    table = max(Path(shop.server.data, "db").glob("*.sst"), key=size_of)
    flip(table, size_of(table) // 2, 3)
    # A cycle begins now, not when the former one is over.
    Path(shop.server.data, "scrub").unlink(missing_ok=True)
    shop.server.start()
    began = time.monotonic()
    while shop.metric("cdp_scrub_damaged_tables") != 1:
        if time.monotonic() > began + 30:
            raise Failed(f"30 s after the start {shop.metric('cdp_scrub_tables_total')} tables were read and none is damaged")
        time.sleep(0.1)
    took = time.monotonic() - began
    lines = [line for line in shop.server.said().splitlines() if "table_damaged" in line]
    if len(lines) != 1 or table.name not in lines[0] or "shop.example" in lines[0]:
        raise Failed(f"it says {lines}")
    if shop.caller().call("GET", "/healthz")[0] != 200 or shop.post()[0] != 200:
        raise Failed("the server does not go on")
    if shop.server.attempt("verify").returncode != 70:
        raise Failed("`cdp verify` finds nothing")
    return f"found after {took:.1f} s"


@case(19, "the whole folder rolled back to an earlier copy: whoever kept a checkpoint of the ledger notices")
def rolled_back(trial):
    shop = trial.shop()
    shop.server.start()
    consent(shop, "granted")
    vkey = shop.server.run("ledger", "vkey").strip()
    shop.server.stop()
    earlier = trial.folder / "earlier"
    shutil.copytree(shop.server.data, earlier, ignore=lambda *_: ["admin.sock"])
    shop.server.start()
    consent(shop, "withdrawn")
    state = trial.folder / "witness"

    def look():
        url = "http://%s:%d" % shop.server.address
        return subprocess.run([shop.server.binary, "ledger", "witness", "--url", url, "--vkey", vkey, "--state", str(state)],
                              capture_output=True, text=True)

    until = time.monotonic() + 5
    while look().returncode and time.monotonic() < until:
        time.sleep(0.2)
    done = look()
    if done.returncode:
        raise Failed(f"the witness: {done.stdout}{done.stderr}")
    shop.server.stop()
    shutil.rmtree(shop.server.data)
    shutil.copytree(earlier, shop.server.data)
    shop.server.start()
    done = look()
    if done.returncode != 1:
        raise Failed(f"the witness of a folder that was rolled back ends by {done.returncode}: {done.stdout}{done.stderr}")
    return (done.stdout + done.stderr).strip().splitlines()[-1][:160]


def consent(shop, state):
    status, answer = shop.caller().call("POST", "/v1/consents", {"consents": [
        {"identifiers": [{"type": "email", "value": "u1@shop.example"}], "purpose": "email_marketing", "state": state,
         "scope": "person"}]})
    if status != 200:
        raise Failed(f"a consent is answered {status}: {answer}")
    time.sleep(1)  # until the checkpoint is signed


@case(20, "a second server on the folder is refused by name; the first serves on")
def two_servers(trial):
    shop = trial.shop()
    shop.server.start()
    second = Server(shop.server.binary, trial.new_folder("second"), shop.server.data)
    with shop.load(clients=2):
        began = time.monotonic()
        if second.launch():
            second.kill()
            raise Failed("two servers serve one folder")
        said, took = second.said(), time.monotonic() - began
    if second.ended() != 1 or f"Another process, with the id {shop.server.process.pid}, has this data folder open" not in said:
        raise Failed(f"the second server ended by {second.ended()}: {said}")
    done = shop.server.attempt("rebuild")
    if done.returncode != 1 or "in use" not in done.stderr:
        raise Failed(f"a rebuild beside the server ended by {done.returncode}: {done.stderr}")
    shop.settle()
    return f"refused after {took:.1f} s"


@case(21, "a folder that is missing, foreign, half there or open to others: the server ends before it listens, and says why")
def unusable_folders(trial):
    def replaced(name, kind):
        def damage(shop):
            path = Path(shop.server.data, name)
            shutil.rmtree(path) if path.is_dir() else path.unlink()
            if kind == "file":
                path.write_text("x")
            elif kind == "folder":
                path.mkdir()
        return damage

    def open_keyring(shop):
        os.chmod(Path(shop.server.data, "keyring"), 0o644)

    def linked_keyring(shop):
        path = Path(shop.server.data, "keyring")
        path.rename(path.with_name("elsewhere"))
        path.symlink_to("elsewhere")

    cases = {
        "no folder": lambda shop: shutil.rmtree(shop.server.data),
        "a file instead of the folder": lambda shop: (shutil.rmtree(shop.server.data), Path(shop.server.data).write_text("x")),
        "no FORMAT": replaced("FORMAT", None), "a folder FORMAT": replaced("FORMAT", "folder"),
        "no database": replaced("db", None), "a file instead of the database": replaced("db", "file"),
        "no mark": replaced("mark", None), "a folder instead of the mark": replaced("mark", "folder"),
        "a file instead of the journal": replaced("journal", "file"),
        "no keyring": replaced("keyring", None), "a keyring that others can read": open_keyring,
        "a keyring that is a link": linked_keyring,
    }
    for what, damage in cases.items():
        shop = trial.shop()
        damage(shop)
        if shop.server.launch():
            raise Failed(f"{what}: it serves")
        try:
            said = shop.judge_end()
        except Failed as failed:
            raise Failed(f"{what}: {failed}") from None
        if not said:
            raise Failed(f"{what}: nothing is said")
    linked = trial.shop()
    place = Path(linked.server.data)
    place.rename(place.with_name("real"))
    place.symlink_to("real")
    linked.settle()
    return f"{len(cases)} refused; a link to the folder is the folder"


@case(21, "another user's folder is refused, and is as it was")
def foreign_folder(trial):
    need_root("another user")
    shop = trial.shop()
    # Its way is open, the folder itself is not.
    for folder in (trial.run.folder, trial.folder, shop.folder):
        os.chmod(folder, 0o755)
    before = digest(shop.server.data)
    if shop.server.launch(user=65534, group=65534, extra_groups=[]):
        raise Failed("nobody serves the folder of another user")
    said = shop.judge_end()
    for path in Path(shop.server.data).rglob("*"):
        os.chmod(path, 0o755 if path.is_dir() else 0o644)
    os.chmod(Path(shop.server.data, "keyring"), 0o600)
    os.chmod(shop.server.data, 0o755)
    if shop.server.launch(user=65534, group=65534, extra_groups=[]):
        raise Failed("nobody serves the folder of another user that everybody may read")
    shop.judge_end()
    if digest(shop.server.data) != before:
        raise Failed("the folder has changed")
    return said[:120]


@case(30, "a folder of a newer format is refused before one byte is written")
def newer_format(trial):
    shop = trial.shop()
    path = Path(shop.server.data, "FORMAT")
    text = path.read_text()
    number = int(re.search(r"format = (\d+)", text)[1])
    path.write_text(text.replace(f"format = {number}", f"format = {number + 1}"))
    before = digest(shop.server.data)
    if shop.server.launch():
        raise Failed("a newer format is served")
    said = shop.judge_end()
    if digest(shop.server.data) != before:
        raise Failed("a refused folder has changed")
    return said[:120]


@case(29, "a folder whose FORMAT says an older one is brought up to date, however often that is killed on the way")
def older_format(trial):
    shop = trial.shop()
    path = Path(shop.server.data, "FORMAT")
    text = path.read_text()
    number = int(re.search(r"format = (\d+)", text)[1])
    path.write_text(text.replace(f"format = {number}", f"format = {number - 1}"))
    kills = 20 if trial.long else 3
    for _ in range(kills):
        timer = threading.Timer(trial.random.uniform(0.02, 0.4), lambda: shop.server.process.send_signal(signal.SIGKILL))
        timer.start()
        shop.server.launch()
        timer.join()
        if shop.server.alive():
            shop.server.kill()
    shop.settle()
    if f"format = {number}\n" not in path.read_text():
        raise Failed(f"FORMAT says {path.read_text()}")
    return f"{kills} kills"


@case(31, "a backup made while events come in: the copy has every event acknowledged before it began, and verifies")
def backup_while_ingesting(trial):
    shop = trial.shop()
    shop.server.start()
    repository = trial.folder / "repository"
    with shop.load():
        time.sleep(0.5)
        before = set(shop.acknowledged)
        began = time.monotonic()
        shop.server.run("backup", "create", "--to", str(repository))
        took = time.monotonic() - began
    after = set(shop.sent)
    shop.settle()
    began = time.monotonic()
    copy = Shop(trial, trial.new_folder("copy"))
    copy.server.run("backup", "restore", "--from", str(repository))
    copy.keys, copy.sent, copy.acknowledged, copy.posted = shop.keys, after, before, shop.posted
    copy.server.start()
    restored = time.monotonic() - began
    copy.judge()
    copy.server.stop()
    copy.server.run("verify")
    copy.server.run("ledger", "verify")
    return f"{len(before)} events; made in {took:.2f} s, restored and serving in {restored:.2f} s"


@case(32, "a backup with any file flipped, cut or gone, or another's keyring: no restore, not even half of one")
def backup_damaged(trial):
    shop = trial.shop()
    repository = trial.folder / "repository"
    shop.server.run("backup", "create", "--to", str(repository))
    files = [path for path in sorted(repository.rglob("*")) if path.is_file() and path.stat().st_size]
    tried = 0
    for path in trial.pick(files, short=4):
        bytes_ = path.read_bytes()
        at = trial.random.randrange(len(bytes_))
        for what, wrong in (("flipped", bytes_[:at] + bytes([bytes_[at] ^ 4]) + bytes_[at + 1:]), ("cut", bytes_[:at]),
                            ("gone", None)):
            path.unlink() if wrong is None else path.write_bytes(wrong)
            expect_no_restore(trial, shop, repository, f"{path.name} is {what}")
            path.write_bytes(bytes_)
            os.chmod(path, 0o600)
            tried += 1
    stranger = Server(shop.server.binary, trial.new_folder("stranger"))
    stranger.run("init")
    expect_no_restore(trial, shop, repository, "the keyring is another's", "--keyring", f"{stranger.data}/keyring")
    copy = Server(shop.server.binary, trial.new_folder("copy"))
    copy.run("backup", "restore", "--from", str(repository))
    return f"{tried} damages of {len(files)} files"


def expect_no_restore(trial, shop, repository, what, *more):
    copy = Server(shop.server.binary, trial.new_folder("copy"))
    done = copy.attempt("backup", "restore", "--from", str(repository), *more)
    if done.returncode not in (1, 70) or not done.stderr.strip():
        raise Failed(f"{what}, and a restore ends by {done.returncode}: {done.stderr}")
    if Path(copy.data).exists():
        raise Failed(f"{what}, and a restore leaves a folder")


@case(35, "the keyring lost, cut, flipped or another's: the start is refused and the data are untouched")
def keyring_wrong(trial):
    shop = trial.shop()
    keyring = Path(shop.server.data, "keyring")
    text = keyring.read_bytes()
    stranger = Server(shop.server.binary, trial.new_folder("stranger"))
    stranger.run("init")
    wrong = {"lost": None, "empty": b"", "another's": Path(stranger.data, "keyring").read_bytes()}
    for n in range(40 if trial.long else 5):
        at, bit = trial.random.randrange(len(text)), trial.random.randrange(8)
        wrong[f"cut at {at}"] = text[:at]
        wrong[f"flipped at {at}, bit {bit}"] = text[:at] + bytes([text[at] ^ 1 << bit]) + text[at + 1:]
    for what, bytes_ in wrong.items():
        keyring.unlink()
        if bytes_ is not None:
            keyring.write_bytes(bytes_)
            os.chmod(keyring, 0o600)
        else:
            keyring.touch()
            keyring.unlink()
        before = digest(shop.server.data)
        if shop.server.launch():
            raise Failed(f"with the keyring {what} it serves")
        try:
            shop.judge_end()
        except Failed as failed:
            raise Failed(f"the keyring {what}: {failed}") from None
        if digest(shop.server.data) != before:
            raise Failed(f"with the keyring {what} the data have changed")
        if bytes_ is None:
            keyring.touch()
    keyring.write_bytes(text)
    shop.settle()
    return f"{len(wrong)} keyrings refused"
