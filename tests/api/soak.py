"""Mixed requests, a tenth of them faulty, from several clients at once: none may be lost, none may get another's answer, and
memory must stay flat. `make soak-serve REQUESTS=100000`; the numbers that it prints are for people."""

import http.client
import json
import os
import random
import socket
import sys
import threading
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
from serving import CAT, Server, png  # noqa: E402

CLIENTS = 8
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
        kind = self.random.randrange(6)
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
        with socket.create_connection(("127.0.0.1", int(self.server.port))) as cut:
            cut.sendall(b"POST /v1/encodings HTTP/1.1\r\nHost: localhost\r\nContent-Length: 90000\r\n\r\n" + CAT[:5000])
        return None, None

    def sound(self):
        if self.random.random() < 0.05:
            size = self.random.choice(((1, 1), (40, 30), (64, 64)))
            return 201, self.ask("POST", "/v1/encodings", png(*size))[0]
        if self.random.random() < 0.1:
            return 200, self.ask("GET", self.random.choice(("/", "/healthz", "/metrics", "/v1/models")))[0]
        words = self.random.sample(WORDS, self.random.randrange(1, 5))
        status, body = self.segment(encoding=self.encoding, classes=words, outputs=[])
        if status == 200 and [c["name"] for c in json.loads(body)["classes"]] != words:
            self.wrong.append("the answer to another request")
        return 200, status

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


def main():
    requests = int(os.environ.get("REQUESTS") or 100_000)
    with Server("--log", "none", "--queue", 64) as server:
        encoding = json.loads(server.encode(png(64, 64)).body)["id"]
        memory = []
        for part in range(5):
            clients = [Client(server, encoding, 100 * part + n, requests // CLIENTS // 5) for n in range(CLIENTS)]
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
        if server.stop() != 0:
            raise SystemExit("it did not end well: " + server.err[-2000:])


if __name__ == "__main__":
    main()
