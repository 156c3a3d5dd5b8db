"""Mixed requests, a tenth of them faulty, from several clients at once, beside some that send a byte a second: none may be
lost, none may get another's answer, and memory must stay flat. `make soak-serve REQUESTS=100000`; the numbers that it prints
are for people."""

import http.client
import json
import os
import random
import re
import socket
import sys
import threading
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
from serving import CAT, Server, png  # noqa: E402

CLIENTS = 8
DRIPPING = 4
PARTS = 5  # after each of which memory is looked at
WORDS = [f"word {n}" for n in range(200)]


def resident(process):
    """Memory in MB."""
    for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    raise AssertionError("the server is gone")


class Client(threading.Thread):
    def __init__(self, server, encoding, seed, requests):
        super().__init__()
        self.server, self.encoding, self.random, self.requests = server, encoding, random.Random(seed), requests
        self.statuses, self.wrong, self.seconds = Counter(), [], []
        self.connection = None

    def ask(self, method, path, body=None, **headers):
        if self.connection is None:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=120)
        self.connection.request(method, path, body, headers)
        answer = self.connection.getresponse()
        return answer.status, answer.read()

    def segment(self, **members):
        return self.ask("POST", "/v1/segment", json.dumps(members), **{"Content-Type": "application/json"})

    def faulty(self):
        """The status that a request with a fault must get; None where the client hangs up itself."""
        kind = self.random.randrange(9)
        if kind == 0:
            return 400, self.segment(encoding=self.encoding, classes=[""])[0]
        if kind == 1:
            return 404, self.segment(encoding="gone", classes=["cat"])[0]
        if kind == 2:
            return 415, self.ask("POST", "/v1/encodings", b"no photo at all")[0]
        if kind == 3:
            return 400, self.ask("POST", "/v1/encodings", CAT[:self.random.randrange(200, 20000)])[0]
        if kind == 4:
            return 400, self.ask("POST", "/v1/segment", b'{"classes":', **{"Content-Type": "application/json"})[0]
        if kind == 5:
            garbage = self.random.randbytes(self.random.randrange(1, 200)).replace(b"\n", b"\r") + b"\r\n\r\n"
            return 400, int((self.server.raw(garbage) or b"HTTP/1.1 400 ").split()[1])
        body = json.dumps({"encoding": self.encoding, "classes": ["cat"]}).encode()
        whole = b"POST /v1/segment HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
        with socket.create_connection(("127.0.0.1", int(self.server.port)), timeout=60) as cut:
            if kind == 6:  # it leaves in the middle of a body
                cut.sendall(b"POST /v1/encodings HTTP/1.1\r\nHost: localhost\r\nContent-Length: 90000\r\n\r\n" + CAT[:5000])
            else:
                cut.sendall(whole + body)
            if kind == 8:  # it closes its side, and still listens; 7: it leaves before the answer
                cut.shutdown(socket.SHUT_WR)
                while cut.recv(65536):
                    pass
        return None, None

    def sound(self):
        if self.random.random() < 0.05:
            size = self.random.choice(((1, 1), (40, 30), (64, 64)))
            return 201, self.ask("POST", "/v1/encodings", png(*size))[0]
        if self.random.random() < 0.1:
            return 200, self.ask("GET", self.random.choice(("/", "/healthz", "/metrics", "/v1/models")))[0]
        if self.random.random() < 0.02:
            return 200, self.reload()
        words = self.random.sample(WORDS, self.random.randrange(1, 5))
        status, body = self.segment(encoding=self.encoding, classes=words, outputs=[])
        if status == 200 and [c["name"] for c in json.loads(body)["classes"]] != words:
            self.wrong.append("the answer to another request")
        return 200, status

    def reload(self):
        """The page and all its files on a connection of its own, as a browser asks for them."""
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=120)
        try:
            for path in ("/", "/app.js", "/style.css", "/icon.svg", "/samples/cat.jpg"):
                connection.request("GET", path)
                answer = connection.getresponse()
                answer.read()
                if answer.status != 200:
                    return answer.status
        finally:
            connection.close()
        return 200

    def run(self):
        for _ in range(self.requests):
            begin = time.monotonic()
            try:
                expected, status = self.faulty() if self.random.random() < 0.1 else self.sound()
            except (OSError, http.client.HTTPException) as error:
                self.wrong.append(f"lost: {error!r}")
                self.connection = None
                continue
            self.seconds.append(time.monotonic() - begin)
            self.statuses[status] += 1
            if status != expected and status != 429:
                self.wrong.append(f"{status} for {expected}")
        if self.connection is not None:
            self.connection.close()


class Dripping(threading.Thread):
    """Keeps a connection busy with a header a second, as long as the server lets it."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.server, self.over = server, threading.Event()

    def run(self):
        while not self.over.is_set():
            try:
                with socket.create_connection(("127.0.0.1", int(self.server.port)), timeout=60) as connection:
                    connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n")
                    while not self.over.wait(1):
                        connection.sendall(b"X-Slow: yes\r\n")
            except OSError:
                pass  # the server had enough of it


def left_over(server):
    """What the server still holds once all are gone."""
    text = server.get("/metrics").body.decode()
    gauges = dict(re.findall(r"(?m)^(tagclip_\w+) (\S+)$", text))
    return {name: int(float(gauges[name])) for name in ("tagclip_queue_depth", "tagclip_connections")}


def main():
    requests = int(os.environ.get("REQUESTS") or 100_000)
    # So few encodings are kept that their memory is full before the first look at it.
    with Server("--log", "none", "--queue", 64, "--encodings-mb", 2) as server:
        encoding = json.loads(server.encode(png(64, 64)).body)["id"]
        memory = []
        dripping = [Dripping(server) for _ in range(DRIPPING)]
        for connection in dripping:
            connection.start()
        for part in range(PARTS):
            clients = [Client(server, encoding, 100 * part + n, requests // CLIENTS // PARTS) for n in range(CLIENTS)]
            begin = time.monotonic()
            for client in clients:
                client.start()
            for client in clients:
                client.join()
            memory.append(resident(server.process))
            statuses = sum((client.statuses for client in clients), Counter())
            wrong = [text for client in clients for text in client.wrong]
            seconds = sorted(s for client in clients for s in client.seconds)
            print(f"{sum(statuses.values())} requests in {time.monotonic() - begin:.0f} s, p50 {seconds[len(seconds) // 2] * 1e3:.0f} ms, "
                  f"p99 {seconds[int(len(seconds) * 0.99)] * 1e3:.0f} ms, {memory[-1]:.0f} MB, "
                  + ", ".join(f"{count} x {status}" for status, count in sorted(statuses.items(), key=str)))
            if wrong:
                raise SystemExit("\n".join(wrong[:20]))
        if memory[-1] > memory[1] * 1.05 + 5:
            raise SystemExit(f"memory grows: {memory} MB")
        for connection in dripping:
            connection.over.set()
            connection.join()
        for _ in range(100):
            left = left_over(server)
            if left == {"tagclip_queue_depth": 0, "tagclip_connections": 1}:  # the one that asks
                break
            time.sleep(0.1)
        else:
            raise SystemExit(f"something is left: {left}")
        if server.stop() != 0:
            raise SystemExit("it did not end well: " + server.err[-2000:])


if __name__ == "__main__":
    main()
