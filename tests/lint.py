#!/usr/bin/env python3
"""House rules that no compiler checks. `--self-test` plants a violation of each and demands to see it."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# A room may include itself and what stands below it; identity and consent are neighbours.
FLOORS = {"api": 5, "cdp": 4, "identity": 3, "consent": 3, "storage": 2, "cdp/base": 1}

# Each library enters through one door. Tests of that room may use it too, benchmarks any.
DOORS = {
    "rocksdb/": "storage",
    "boost/": "api",
    "nlohmann/": "api",
    "spdlog/": "api",
    "CLI/": "api",
    "toml++/": "api",
    "prometheus/": "api",
    "phonenumbers/": "identity",
}
TESTS_ANYWHERE = ("nlohmann/",)

LINES_MAX = {".h": 150, ".cc": 600}
# Files over the limit with the size they may not exceed. This list only shrinks.
RATCHET = {"consent/decision.h": 160}

CXX = (".h", ".cc")
TEXT = CXX + (".py", ".mjs", ".js", ".json", ".md", ".txt", ".toml", ".yaml", ".html", ".sh", "")

# In two halves, so that this file does not hold what it forbids.
HOSTS = ["registry." + "npmjs", "deb." + "debian.org", "pypi." + "org", "python" + "hosted.org",
         "proxy." + "golang.org", "crates." + "io", "repo." + "maven"]
MACHINE_PATH = re.compile(r"(?<![\w.$}/-])/(?:work|root|home/\w+)/")
NAMELESS = re.compile(r"\b(?:class|struct)\s+\w*(?:Manager|Helper|Util|Utils|Impl)\b")
BANNER = re.compile(r"^\s*//\s*(?:[-=*#/]{4,})")
OPEN_END = re.compile(r"\b(TO" r"DO|FIX" r"ME|X" r"XX|HA" r"CK)\b(?P<form>\(#\d+\): \S)?")


def room_of(path):
    parts = path.split("/")
    if parts[0] == "cdp" and len(parts) > 2 and parts[1] == "base":
        return "cdp/base"
    return parts[0] if len(parts) > 1 and parts[0] in FLOORS else None


def line_of(text, position):
    return text.count("\n", 0, position) + 1


def without_comments_and_strings(text):
    """The same text, each character of a comment or literal blanked, lines kept."""
    literal = re.compile(r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', re.S)
    return literal.sub(lambda m: re.sub(r"[^\n]", " ", m.group()), text)


def check_includes(path, text):
    here = room_of(path)
    tested = path.split("/")[1] if path.startswith("tests/") and path.count("/") > 1 else None
    for found in re.finditer(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', text, re.M):
        name, line = found[2], line_of(text, found.start())
        for door, owner in DOORS.items():
            if not name.startswith(door) or here == owner or tested in (owner, "bench", "sim"):
                continue
            if tested and door in TESTS_ANYWHERE:
                continue
            yield line, f"<{name}> may be included only in {owner}/"
        there = room_of(name)
        if not here:
            continue
        if there and there != here and FLOORS[there] >= FLOORS[here]:
            yield line, f"{here}/ may not include {name}: the way is api, cdp, identity or consent, storage, cdp/base"
        if here == "cdp/base" and found[1] == "<" and "/" in name:
            yield line, f"cdp/base/ stands on the standard library alone, not on <{name}>"
        if name.startswith(("tests/", "../")):
            yield line, f"no include of {name}"


def awaited(code):
    """Each (position, text) of an expression behind co_await, up to the end of its statement."""
    for found in re.finditer(r"\bco_await\b", code):
        depth = 0
        for at in range(found.end(), len(code)):
            depth += {"(": 1, "{": 1, "[": 1, ")": -1, "}": -1, "]": -1}.get(code[at], 0)
            if depth < 0 or (depth == 0 and code[at] == ";"):
                yield found.start(), code[found.end():at]
                break


def check_awaits(_, text):
    code = without_comments_and_strings(text)
    for position, expression in awaited(code):
        line = line_of(code, position)
        if re.search(r"(?:&&|\|\|)[\s(!]*$", code[:position]):
            yield line, "co_await behind && or || breaks its frame with g++ 12: a statement of its own"
        if re.search(r"(?:^|[(,=\s{])\[[^\]\s][^\]]*\]\s*(?:\(|\{|mutable)", expression):
            yield line, "a capturing lambda inside co_await is miscompiled by g++ 12: name it first"
        for brace in re.finditer(r"\{", expression):
            before = expression[:brace.start()].rstrip()
            body_of_lambda = before.endswith((")", "]", "mutable", "noexcept")) or re.search(r"->[\w:<>\s]+$", before)
            if not body_of_lambda and re.search(r"[\w>(,=]$", before):
                yield line, "a braced temporary inside co_await is miscompiled by g++ 12: name it first"


def unfinished(code, position):
    """What is being made around a CDP_TRY: "new", and "list" for braces with something in front of it."""
    depth, before = 0, False
    for at in range(position - 1, -1, -1):
        c = code[at]
        if c in ")]}":
            depth += 1
        elif c in "([{" and depth:
            depth -= 1
        elif c == "{":
            front = code[:at].rstrip()
            if re.search(r"([);{}\]:&]|\b(else|do|try|const|mutable|noexcept|override)|->[\w:<>,*&\s]+)$", front):
                return
            if before:
                yield "list"
            before = False
        elif c in "([":
            before = False
            if re.search(r"\bnew\s+[\w:<>]+$", code[:at]):
                yield "new"
        elif not depth and c == ";":
            return
        before = before or (not depth and c == ",")


def check_tries(_, text):
    code = without_comments_and_strings(text)
    for found in re.finditer(r"\bCDP_TRY\(", code):
        for what in unfinished(code, found.start()):
            yield line_of(code, found.start()), {
                "new": "CDP_TRY inside new leaks what was allocated when it returns: name it first",
                "list": "CDP_TRY behind something in braces: g++ 12 leaks that when it returns; name it first",
            }[what]


def check_text(path, text):
    for number, line in enumerate(text.splitlines(), 1):
        for found in OPEN_END.finditer(line):
            if path.endswith(CXX) and not (found[1].startswith("TO") and found["form"]):
                yield number, f"{found[1]} only with an issue: TODO(#123): what is missing"
        if path.endswith(CXX) and BANNER.match(line):
            yield number, "no section banners"
        if MACHINE_PATH.search(line):
            yield number, "a path of somebody's machine"
        for host in HOSTS:
            if host in line:
                yield number, f"a package registry's address ({host})"


def check_header(path, text):
    if path.endswith(".h"):
        if not text.startswith("#pragma once\n"):
            yield 1, "a header starts with #pragma once"
        for found in re.finditer(r"^\s*using\s+namespace\b", without_comments_and_strings(text), re.M):
            yield line_of(text, found.start()), "no `using namespace` in a header"
    for found in NAMELESS.finditer(without_comments_and_strings(text)):
        yield line_of(text, found.start()), f"a name that hides its noun: {found.group()}"


def check_size(path, text):
    kind = ".cc" if path.startswith("tests/") else Path(path).suffix  # a test's header promises nothing
    limit = RATCHET.get(path, LINES_MAX.get(kind))
    lines = text.count("\n")
    if limit and lines > limit:
        yield lines, f"{lines} lines, the limit is {limit}: split by idea"


def findings(path, text):
    checks = [check_text]
    if path.endswith(CXX):
        checks += [check_includes, check_awaits, check_tries, check_header, check_size]
    for check in checks:
        for line, message in check(path, text):
            yield f"{path}:{line}: {message}"


def tracked():
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True).stdout
    return [name for name in listed.decode().split("\0") if name and (ROOT / name).is_file()]


HEAD = "#pragma once\n"
PLANTED = {
    "upward include": ("storage/a.cc", '#include "cdp/event.h"\n'),
    "sideways include": ("identity/a.cc", '#include "consent/policy.h"\n'),
    "base including a room": ("cdp/base/a.h", HEAD + '#include "storage/key.h"\n'),
    "a library in base": ("cdp/base/a.cc", "#include <simdjson/x.h>\n"),
    "RocksDB outside storage": ("cdp/a.cc", "#include <rocksdb/db.h>\n"),
    "Beast outside api": ("consent/a.h", HEAD + "#include <boost/beast.hpp>\n"),
    "nlohmann in the core": ("identity/a.cc", "#include <nlohmann/json.hpp>\n"),
    "RocksDB in another room's test": ("tests/cdp/a_test.cc", "#include <rocksdb/db.h>\n"),
    "aggregate in co_await": ("api/a.cc", "co_await send(socket, Reply{200, body});\n"),
    "bare braces in co_await": ("api/a.cc", "co_await send(socket, {200, body});\n"),
    "capturing lambda in co_await": ("api/a.cc", "auto r = co_await run_on(pool, [&] { return 1; });\n"),
    "capture by name in co_await": ("api/a.cc", "if (co_await run_on(pool, [this](int x) { return x; })) {}\n"),
    "co_await behind &&": ("api/a.cc", "if (!write_now() && !co_await write_rest()) break;\n"),
    "CDP_TRY inside new": ("api/a.cc", "std::unique_ptr<A> a(new A(path, CDP_TRY(open(path))));\n"),
    "CDP_TRY second in braces": ("api/a.cc", "out.push_back({.type = type, .value = CDP_TRY(value_of(one))});\n"),
    "CDP_TRY deep in braces": ("cdp/a.cc", "const Said said{author, f(CDP_TRY(reason_of(a, b))), now};\n"),
    "open end without issue": ("api/a.cc", "// TO" "DO: later\n"),
    "another open end": ("api/a.cc", "// FIX" "ME(#4): later\n"),
    "banner": ("api/a.cc", "// -------- parsing\n"),
    "using namespace": ("api/a.h", HEAD + "using namespace std;\n"),
    "no pragma once": ("api/a.h", "struct A {};\n"),
    "hidden noun": ("cdp/a.cc", "class ProfileManager {};\n"),
    "long header": ("cdp/a.h", HEAD + "\n" * 150),
    "long source": ("cdp/a.cc", "\n" * 601),
    "machine path": ("docs/a.md", "see /wo" "rk/main/dev\n"),
    "registry": ("tests/e2e/package-lock.json", '"resolved": "https://registry.' 'npmjs.org/x"\n'),
}
SOUND = {
    "downward include": ("cdp/a.cc", '#include "consent/policy.h"\n#include "storage/store.h"\n#include <vector>\n'),
    "own door": ("storage/a.cc", "#include <rocksdb/db.h>\n"),
    "tests may build JSON": ("tests/identity/a_test.cc", "#include <nlohmann/json.hpp>\n"),
    "benchmark beside its peer": ("tests/bench/a.cc", "#include <rocksdb/db.h>\n#include <boost/asio.hpp>\n"),
    "named await": ("api/a.cc", "auto x = co_await read(socket, buffer);\nif (co_await done()) { f({1}); }\n"),
    "await after a condition": ("api/a.cc", "if (a && b) { co_await c(); }\n"),
    "plain lambda in await": ("api/a.cc", "co_await run_on(pool, [](int x) { return x; });\n"),
    "brace in a comment": ("api/a.cc", "co_await f(x);  // not Reply{1}\n"),
    "CDP_TRY first in braces": ("cdp/a.cc", "A a{.b = CDP_TRY(b_of(c, {d, e})), .f = {}};\n"),
    "CDP_TRY in a block": ("cdp/a.cc", "f({a, b}, [&](int c) -> Result<A> {\n  g(c, d);\n  return h(c, CDP_TRY(i(c)));\n});\n"),
    "issue named": ("api/a.cc", "// TO" "DO(#12): tombstones stay.\n"),
    "relative path": ("docs/a.md", "build/wo" "rk/x and $DIR/wo" "rk/y and http://host/ho" "me/\n"),
}


def self_test():
    blind = [name for name, (path, text) in PLANTED.items() if not list(findings(path, text))]
    alarms = [(name, list(findings(path, text))) for name, (path, text) in SOUND.items()]
    false = [(name, seen) for name, seen in alarms if seen]
    for name in blind:
        print(f"lint self-test: not seen: {name}")
    for name, seen in false:
        print(f"lint self-test: false alarm: {name}: {seen}")
    good = len(PLANTED) + len(SOUND) - len(blind) - len(false)
    print(f"lint self-test: {good} of {len(PLANTED) + len(SOUND)} planted cases judged rightly")
    return 1 if blind or false else 0


def main():
    if "--self-test" in sys.argv[1:]:
        return self_test()
    seen = 0
    for path in tracked():
        if Path(path).suffix not in TEXT or path == "LICENSE":
            continue
        try:
            text = (ROOT / path).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        for finding in findings(path, text):
            print(finding)
            seen += 1
    print(f"lint: {seen} findings")
    return 1 if seen else 0


if __name__ == "__main__":
    sys.exit(main())
