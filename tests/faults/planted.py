"""Whether the checker of histories notices: small ones of which the verdict is known, and changed answers in recorded ones."""

from driver import Failed
from history import check
from trial import case

ALTERED = {
    "lost update": ("read", lambda one, all: {"value": min(all["write"], key=lambda write: write["time"])["value"]}),
    "never written": ("read", lambda one, all: {"value": "v0-0"}),
    "from the future": ("read", lambda one, all: {"value": max(all["write"], key=lambda write: write["began"])["value"]}),
    "resurrected consent": ("read", lambda one, all: {"shown": True}),
    "lost grant": ("read", lambda one, all: {"shown": False}),
    "revived": ("look", lambda one, all: {"joined": True}),
    "lost assertion": ("look", lambda one, all: {"joined": False}),
}


def plant(history, rng):
    """One answer is changed so that a promise is broken: each must be found by its name."""
    for promise, (op, change) in ALTERED.items():
        candidates = [one for one in history if one["op"] == op and one["ended"] is not None]
        for one in rng.sample(candidates, min(400, len(candidates))):
            near = [other for other in history if other.get("key", other.get("pair")) == one.get("key", one.get("pair"))]
            by_op = {"write": [other for other in near if other["op"] == "write"]}
            altered = {**one, **change(one, by_op)}
            if any(found.startswith(promise) for found in check([altered if other is one else other for other in near])):
                break
        else:
            raise Failed(f"the checker does not notice: {promise}")


def of(op, began, ended, **more):
    return {"op": op, "began": began, "ended": ended, **more}


def write(value, when, began, ended):
    return of("write", began, ended, key="p", value=value, time=when)


def granted(when, began, ended, key="p"):
    return of("say", began, ended, key=key, state="granted", time=when)


def withdrawn(when, began, ended, key="p"):
    return of("say", began, ended, key=key, state="withdrawn", time=when)


def read(began, ended, value=None):
    return of("read", began, ended, key="p", shown=value is not None, **({"value": value} if value else {}))


def decided(began, ended, shown):
    return of("read", began, ended, key="p", shown=shown)


def join(id, began, ended):
    return of("join", began, ended, pair=0, **({"id": id} if id else {}))


def part(id, began, ended):
    return of("part", began, ended, pair=0, id=id)


def look(began, ended, joined):
    return of("look", began, ended, pair=0, joined=joined)


def show(began, ended, shown=True):
    return of("show", began, ended, pair=0, key="a", other="b", shown=shown)


YES = granted(1, 0, 1)
BOTH = [granted(1, 0, 1, key="a"), granted(1, 0, 1, key="b")]

# What happened, and the promise it breaks, None: none.
KNOWN = {
    "an acknowledged write is read": ([YES, write("v", 5, 2, 3), read(4, 5, "v")], None),
    "of two the later by event time": ([YES, write("v", 5, 2, 3), write("w", 4, 4, 5), read(6, 7, "v")], None),
    "one under way may be read": ([YES, write("v", 5, 2, 3), write("w", 6, 4, 9), read(5, 6, "w")], None),
    "or not": ([YES, write("v", 5, 2, 3), write("w", 6, 4, 9), read(5, 6, "v")], None),
    "one without an answer may be read late": ([YES, write("v", 5, 2, None), read(90, 91, "v")], None),
    "an older one is read": ([YES, write("v", 5, 2, 3), write("w", 4, 2, 3), read(6, 7, "w")], "lost update"),
    "nothing is read of what was acknowledged": (
        [YES, write("v", 5, 2, 3), {**decided(6, 7, True), "value": None}], "lost update"),
    "what nobody wrote": ([YES, read(6, 7, "v")], "never written"),
    "what is written later": ([YES, read(2, 3, "v"), write("v", 5, 4, 5)], "from the future"),
    "seen, and then not": (
        [YES, write("v", 5, 2, 3), write("w", 6, 4, None), read(5, 6, "w"), read(7, 8, "v")], "not monotonic"),
    "two that overlap see either": (
        [YES, write("v", 5, 2, 3), write("w", 6, 4, 20), read(5, 9, "w"), read(7, 8, "v")], None),
    "withdrawn and withheld": ([YES, withdrawn(2, 2, 3), decided(4, 5, False)], None),
    "a withdrawal under way may be seen": ([YES, withdrawn(2, 2, 9), decided(4, 5, False)], None),
    "or not yet": ([YES, withdrawn(2, 2, 9), decided(4, 5, True)], None),
    "an earlier withdrawal that comes late": ([granted(5, 0, 1), withdrawn(2, 2, 3), decided(4, 5, True)], None),
    "of one moment the withdrawal": ([granted(5, 0, 1), withdrawn(5, 2, 3), decided(4, 5, True)], "resurrected consent"),
    "withdrawn and shown": ([YES, withdrawn(2, 2, 3), decided(4, 5, True)], "resurrected consent"),
    "granted anew": ([YES, withdrawn(2, 2, 3), granted(4, 4, 5), decided(6, 7, True)], None),
    "granted anew, to come": ([YES, withdrawn(2, 2, 3), granted(4, 8, 9), decided(6, 7, True)], "resurrected consent"),
    "granted anew of earlier": ([YES, withdrawn(5, 2, 3), granted(4, 4, 5), decided(6, 7, True)], "resurrected consent"),
    "a withdrawal without an answer was seen, and then not": (
        [YES, withdrawn(2, 2, None), decided(4, 5, False), decided(6, 7, True)], "resurrected consent"),
    "granted and withheld": ([YES, decided(4, 5, False)], "lost grant"),
    "a grant without an answer was seen, and then not": (
        [withdrawn(1, 0, 1), granted(2, 2, None), decided(4, 5, True), decided(6, 7, False)], "lost grant"),
    "nobody has granted": ([decided(4, 5, False)], None),
    "a grant was seen, what went before it counts again": (
        [YES, withdrawn(2, 2, 3), granted(3, 4, None), decided(5, 6, True), decided(7, 8, False)], "lost grant"),
    "joined": ([join("x", 1, 2), look(3, 4, True)], None),
    "joined and not one": ([join("x", 1, 2), look(3, 4, False)], "lost assertion"),
    "one and never joined": ([look(3, 4, True)], "revived"),
    "parted": ([join("x", 1, 2), part("x", 3, 4), look(5, 6, False)], None),
    "parted and one": ([join("x", 1, 2), part("x", 3, 4), look(5, 6, True)], "revived"),
    "being parted, either": ([join("x", 1, 2), part("x", 3, 9), look(5, 6, True), look(7, 8, False)], None),
    "parted under way, seen, and then not": (
        [join("x", 1, 2), part("x", 3, 20), look(5, 6, False), look(7, 8, True)], "revived"),
    "joined without an answer, seen, and then not": (
        [join(None, 1, None), look(3, 4, True), look(5, 6, False)], "lost assertion"),
    "joined again": ([join("x", 1, 2), part("x", 3, 4), join("y", 5, 6), look(7, 8, True)], None),
    "one half shows while they are two": ([*BOTH, withdrawn(2, 2, 3, key="b"), show(4, 5)], None),
    "one half shows while they are one and the other has withdrawn": (
        [*BOTH, withdrawn(2, 2, 3, key="b"), join("x", 1, 2), show(4, 5)], "resurrected consent"),
    "one half shows while they are being parted": (
        [*BOTH, withdrawn(2, 2, 3, key="b"), join("x", 1, 2), part("x", 3, 9), show(4, 5)], None),
    "one half shows that has withdrawn": ([*BOTH, withdrawn(2, 2, 3, key="a"), show(4, 5)], "resurrected consent"),
}


@case(38, "the control: the checker of histories knows what the promises allow from what breaks them")
def histories_control(trial):
    for what, (entries, promise) in KNOWN.items():
        found = check([{**entry, "n": n} for n, entry in enumerate(entries)])
        if promise is None and found:
            raise Failed(f"{what}: {found}")
        if promise is not None and not (found and all(one.startswith(promise) for one in found)):
            raise Failed(f"{what}: {found} instead of {promise}")
    return f"{len(KNOWN)} small histories, {sum(promise is not None for _, promise in KNOWN.values())} of them broken"
