#!/usr/bin/env python3
"""Abuses the real server over the network, alone and behind nginx, and looks what others notice.

* smuggling: requests that two readers may take apart differently go through nginx; the backend must answer exactly as
  many requests as nginx sent it, and nobody may be given another's answer;
* slow clients: hundreds of connections that send a head or a body drop by drop, or do not read; all of them are ended,
  and a client that behaves is served in the meantime, its slowest answer in time;
* a certificate is exchanged under load, by SIGHUP, and no request of a well-behaved client fails.

    tests/faults/edge.py [--binary build/cdp] [--slow 300]
"""

import argparse
import http.client
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time


class Failed(Exception):
    """What others would have noticed."""


ROOT = pathlib.Path(__file__).resolve().parents[2]
HIDDEN = b"GET /v1/discovery HTTP/1.1\r\nHost: a\r\n\r\n"  # what nobody asks for in the open
HEAD = b"POST /v1/batch HTTP/1.1\r\nHost: a\r\n"
STARTED = []  # processes, ended with the check that started them


def start(*command, **more):
    STARTED.append(subprocess.Popen(command, **more))
    return STARTED[-1]


def chunk(data):
    return b"%x\r\n%s\r\n0\r\n\r\n" % (len(data), data)


def smuggles():
    """Name and bytes: a first request whose end is in dispute, with another behind it."""
    length = b"Content-Length: %d\r\n" % len(HIDDEN)
    for name, fields in {
            "xchunked": b"Transfer-Encoding: xchunked\r\n",
            "chunked, identity": b"Transfer-Encoding: chunked, identity\r\n",
            "identity, chunked": b"Transfer-Encoding: identity, chunked\r\n",
            "space before the colon": b"Transfer-Encoding : chunked\r\n",
            "vertical tab": b"Transfer-Encoding: \x0bchunked\r\n",
            "folded coding": b"Transfer-Encoding:\r\n chunked\r\n",
            "two codings": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
            "quoted": b'Transfer-Encoding: "chunked"\r\n',
            "underscore": b"Transfer_Encoding: chunked\r\n",
    }.items():
        yield name, HEAD + fields + b"\r\n" + HIDDEN
        yield name + " with a length", HEAD + length + fields + b"\r\n" + HIDDEN
        yield name + " with chunks", HEAD + fields + b"\r\n" + chunk(HIDDEN)
        yield name + " with both", HEAD + length + fields + b"\r\n" + chunk(b"")
    yield "two lengths", HEAD + length + b"Content-Length: 0\r\n\r\n" + HIDDEN
    yield "list of lengths", HEAD + b"Content-Length: 0, %d\r\n\r\n" % len(HIDDEN) + HIDDEN
    yield "length +", HEAD + b"Content-Length: +%d\r\n\r\n" % len(HIDDEN) + HIDDEN
    yield "GET with a body", b"GET /healthz HTTP/1.1\r\nHost: a\r\n" + length + b"\r\n" + HIDDEN
    yield "GET with chunks", b"GET /healthz HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk(HIDDEN)
    yield "HTTP/1.0 with chunks", b"POST /v1/batch HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk(HIDDEN)
    yield "two Hosts", b"GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"
    yield "absolute form", b"GET http://b/healthz HTTP/1.1\r\nHost: a\r\n\r\n"
    yield "bare LF", b"GET /healthz HTTP/1.1\nHost: a\nContent-Length: %d\n\n" % len(HIDDEN) + HIDDEN
    yield "chunk ended by LF", HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\n\n" + HIDDEN
    yield "chunk extension with LF", HEAD + b"Transfer-Encoding: chunked\r\n\r\n0;a\nb\r\n\r\n" + HIDDEN
    yield "HEAD with a body", b"HEAD /healthz HTTP/1.1\r\nHost: a\r\n" + length + b"\r\n" + HIDDEN
    yield "expectation", HEAD + length + b"Expect: 100-continue\r\n\r\n" + HIDDEN
    yield "upgrade", b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n"
    yield "dot segments", b"GET /x/../v1/discovery HTTP/1.1\r\nHost: a\r\n\r\n"


class Server:
    def __init__(self, binary, folder, tls=None):
        data = str(folder / ("tls" if tls else "plain"))
        subprocess.run([binary, "init", "--data", data], check=True, capture_output=True)
        more = []
        if tls:
            config = folder / "cdp.toml"
            config.write_text(f'[tls]\ncertificate = "{tls[0]}"\nkey = "{tls[1]}"\n')
            subprocess.run([binary, "config", "check", "--config", config], check=True)
            more = ["--config", str(config)]
        self.log = open(folder / "serve.log", "ab")
        self.process = start(binary, "serve", "--data", data, "--listen", "127.0.0.1:0", *more,
                             stdout=subprocess.PIPE, stderr=self.log, text=True)
        found = re.search(r"listening on (https?)://127\.0\.0\.1:(\d+)", self.process.stdout.readline())
        self.scheme, self.port = found[1], int(found[2])

    def metrics(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        connection.request("GET", "/metrics")
        return connection.getresponse().read().decode()

    def requests(self):
        """Answered requests by route, but for those of this question."""
        out = {}
        for route, count in re.findall(r'cdp_http_requests_total\{route="([^"]+)",[^}]*\} (\S+)', self.metrics()):
            if route != "GET /metrics":
                out[route] = out.get(route, 0) + int(float(count))
        return out

    def refused(self, reason):
        return int(float(re.search(r'cdp_http_refused_total\{reason="%s"\} (\S+)' % reason, self.metrics())[1]))

    def stop(self):
        self.process.terminate()
        if self.process.wait(timeout=30):
            raise Failed("the server did not stop in order")


class Nginx:
    """In front of a server, with connections to it that clients share."""

    def __init__(self, folder, backend):
        root = folder / "nginx"
        root.mkdir()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        user = "user root; " if os.geteuid() == 0 else ""
        paths = " ".join(f"{kind}_temp_path {root}/{kind};" for kind in
                         ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        (root / "nginx.conf").write_text(f"""
{user}worker_processes 1; daemon off; pid {root}/pid; error_log {root}/error.log crit;
events {{ worker_connections 512; }}
http {{ {paths} log_format upstream "$upstream_addr"; access_log {root}/access.log upstream;
       upstream cdp {{ server 127.0.0.1:{backend}; keepalive 1; }}
       server {{ listen 127.0.0.1:{self.port}; ignore_invalid_headers off; underscores_in_headers on;
                 location / {{ proxy_pass http://cdp; proxy_http_version 1.1; proxy_set_header Connection "";
                               proxy_next_upstream off; }} }} }}
""")
        self.access = root / "access.log"
        binary = shutil.which("nginx") or "/usr/sbin/nginx"
        self.process = start(binary, "-c", root / "nginx.conf", "-p", root, stderr=subprocess.DEVNULL)
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            except OSError:
                time.sleep(0.05)
        raise Failed("nginx did not start: " + (root / "error.log").read_text())

    def forwarded(self):
        """How many requests it sent on."""
        return sum(line.strip() not in ("-", "") for line in self.access.read_text().splitlines())

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=10)


def raw(port, data, seconds=0.3):
    """What is said to these bytes until nothing more comes for so long."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.settimeout(seconds)
        out = b""
        try:
            connection.sendall(data)
            while part := connection.recv(65536):
                out += part
        except OSError:
            pass
        return out


def ask(port, context=None):
    """One well-behaved request: seconds that it took."""
    began = time.monotonic()
    kind = http.client.HTTPSConnection if context else http.client.HTTPConnection
    connection = kind("127.0.0.1", port, timeout=20, **({"context": context} if context else {}))
    connection.request("GET", "/healthz")
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 200 or body != b'{"status":"ok"}\n':
        raise Failed(f"a well-behaved client was answered {answer.status} {body[:200]}")
    connection.close()
    return time.monotonic() - began


def check_smuggling(binary, folder):
    if not (shutil.which("nginx") or os.path.exists("/usr/sbin/nginx")):
        print("skipped: smuggling, there is no nginx")
        return False
    server = Server(binary, folder)
    nginx = Nginx(folder, server.port)
    tried = 0
    for name, data in smuggles():
        tried += 1
        before, sent = server.requests(), nginx.forwarded()
        answers = raw(nginx.port, data).count(b"HTTP/1.1 ")
        for _ in range(4):
            ask(nginx.port)
        time.sleep(0.02)
        after = server.requests()
        answered = sum(after.values()) - sum(before.values())
        forwarded = nginx.forwarded() - sent
        if answered != forwarded:
            raise Failed(f"{name}: nginx asked {forwarded} times, {answered} requests were answered")
        hidden = after.get("GET /v1/discovery", 0) - before.get("GET /v1/discovery", 0)
        if hidden and hidden >= answers:
            raise Failed(f"{name}: what nginx took for a body was served as a request")
        # The same without anybody in between.
        raw(server.port, data)
    nginx.stop()
    server.stop()
    print(f"smuggling: {tried} requests through nginx, each answered once")
    return True


def check_slow_clients(binary, folder, count):
    server = Server(binary, folder)
    calm = max(ask(server.port) for _ in range(50))
    slow = []
    for n in range(count):
        connection = socket.create_connection(("127.0.0.1", server.port))
        connection.sendall([b"GET /healthz HTTP/1.1\r\nHost: a\r\nX-", b"POST /v1/m HTTP/1.1\r\nHost: a\r\n"
                            b"Content-Length: 100000\r\n\r\n"][n % 2])
        slow.append(connection)
    worst, began, ended = 0.0, time.monotonic(), set()
    while time.monotonic() - began < 25 and len(ended) < count:
        for n, connection in enumerate(slow):
            if n in ended:
                continue
            try:
                connection.send(b"a")
                connection.setblocking(False)
                if connection.recv(65536) in (b"",):
                    ended.add(n)
            except BlockingIOError:
                pass
            except OSError:
                ended.add(n)
            connection.setblocking(True)
        worst = max(worst, ask(server.port))
        time.sleep(0.3)
    if len(ended) < count:
        raise Failed(f"{count - len(ended)} of {count} slow clients were still there after 25 s")
    if worst > max(2 * calm, 0.5):
        raise Failed(f"a well-behaved client waited {worst:.3f} s, {calm:.3f} s when it was calm")
    took = time.monotonic() - began
    if server.refused("slow_request") < count:
        raise Failed("not all of them were counted")
    server.stop()
    print(f"slow clients: {count} ended within {took:.0f} s, others waited at most {worst * 1000:.0f} ms")
    return True


def make_pair(folder, name):
    key, certificate = folder / f"{name}.key", folder / f"{name}.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-keyout", key, "-out", certificate, "-days", "30", "-subj", f"/CN={name}.example"],
                   check=True, capture_output=True)
    key.chmod(0o600)
    return certificate, key


def check_certificate(binary, folder):
    served = make_pair(folder, "served")
    other = make_pair(folder, "other")
    server = Server(binary, folder, served)
    if server.scheme != "https":
        raise Failed("no TLS is spoken")
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE

    def shown():
        with socket.create_connection(("127.0.0.1", server.port)) as plain:
            with context.wrap_socket(plain) as secured:
                return secured.getpeercert(binary_form=True), secured.version()

    first, version = shown()
    stopping, asked, failed = threading.Event(), [0] * 4, []

    def go_on(client):
        try:
            while not stopping.is_set():
                ask(server.port, context)
                asked[client] += 1
        except Exception as error:  # whatever it is, a well-behaved client has seen it
            failed.append(f"{type(error).__name__}: {error}")

    def await_progress(when):
        """The second that a client is answered from now on was asked from now on."""
        wanted, until = [count + 2 for count in asked], time.monotonic() + 20
        while not failed and any(count < least for count, least in zip(asked, wanted)):
            if time.monotonic() > until:
                raise Failed(f"{when} some client is not answered any more")
            time.sleep(0.01)
        if failed:
            raise Failed(f"{when} a request of a well-behaved client failed: {failed[0]}")

    clients = [threading.Thread(target=go_on, args=(n,), daemon=True) for n in range(len(asked))]
    for client in clients:
        client.start()
    await_progress("before any exchange")
    os.replace(other[1], served[1])  # the key first: for a moment the pair does not fit
    server.process.send_signal(signal.SIGHUP)
    time.sleep(0.5)
    if shown()[0] != first:
        raise Failed("a pair that does not fit was served")
    await_progress("with a pair that does not fit in place")
    os.replace(other[0], served[0])
    server.process.send_signal(signal.SIGHUP)
    for _ in range(100):
        if shown()[0] != first:
            break
        time.sleep(0.05)
    else:
        raise Failed("the new certificate is not served")
    await_progress("after the exchange")
    stopping.set()
    for client in clients:
        client.join()
    if failed:
        raise Failed(f"a request of a well-behaved client failed: {failed[0]}")
    server.stop()
    print(f"certificate: exchanged under load, {sum(asked)} requests over {version}, none failed")
    return True


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", default=ROOT / "build" / "cdp")
    parser.add_argument("--slow", type=int, default=300)
    options = parser.parse_args()
    passed = failed = skipped = 0
    for check in (check_smuggling, check_certificate, lambda *where: check_slow_clients(*where, options.slow)):
        with tempfile.TemporaryDirectory(prefix="cdp-edge-") as name:
            try:
                held = check(options.binary, pathlib.Path(name))
                passed, skipped = passed + held, skipped + (not held)
            except Failed as failure:
                print(f"FAILED: {failure}")
                failed += 1
            finally:
                for process in STARTED:
                    if process.poll() is None:
                        process.terminate()
                        process.wait(timeout=30)
    print(f"edge: {passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
