"""`tagclip serve` under equal load beside FastAPI, uvicorn and PyTorch with the same model, in one run.

    make bench-serve                    or: python3 benchmarks/serve_bench.py [--weights FILE] [--seconds S] [--rounds N]

Two cases: whole photos with their words, and words on a photo that is kept encoded. Each has 1, 4 and 16 clients, which ask
again as soon as they are answered. The servers take turns, round by round, so that whatever else the machine does meets
all of them. The answer is the label file and the share of each class. Core ms are what the server's process spent of the
cores per request: other work on the machine changes it least.
"""

import argparse
import base64
import http.client
import io
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
PROGRAM = Path(os.environ.get("TAGCLIP_BINARY", ROOT / "build/release/tagclip"))
PHOTO = ROOT / "tests/data/photos/cat.jpg"
WORDS = ["cat", "sky", "grass", "tree", "water", "building", "flower", "cow", "road", "car"]
ASKED = [WORDS[i:] + WORDS[:i] for i in range(0, 10, 2)]  # of each the first five
CLIENTS = (1, 4, 16)
BOUNDARY = "a-boundary-that-no-photo-holds"


class Server:
    """A process that printed its address."""

    def __init__(self, name, command, threads, photo_path):
        self.name, self.photo_path = name, photo_path
        # Threads that wait do not spin, in either: beside other work spinning costs more than it gains.
        environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "GOMP_SPINCOUNT": "1000"}
        self.process = subprocess.Popen(list(map(str, command)), env=environment, text=True, stdout=subprocess.PIPE)
        self.url = self.process.stdout.readline().strip()
        if not self.url:
            raise SystemExit(f"{name} does not start")
        self.port = int(self.url.rsplit(":", 1)[1])
        self.encoding = None

    def ready(self):
        """Waits for the model, keeps the photo encoded, and warms up."""
        for _ in range(1200):
            try:
                self.encoding = json.loads(self.ask(self.connect(), self.form("/v1/encodings")))["id"]
                break
            except AskedTooEarly:
                time.sleep(0.1)
        for _ in range(3):
            for asked in ASKED:
                self.ask(self.connect(), self.photo_request(asked[:5]))
                self.ask(self.connect(), self.words_request(asked[:5]))

    def core_seconds(self):
        """Of the process, all threads."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)

    @staticmethod
    def ask(connection, request):
        connection.request(*request)
        answer = connection.getresponse()
        body = answer.read()
        if answer.status == 503:
            raise AskedTooEarly
        if answer.status not in (200, 201):
            raise SystemExit(f"{answer.status}: {body[:300]}")
        return body

    @staticmethod
    def form(path, **texts):
        parts = [f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="photo"; filename="photo.jpg"\r\n'
                 "Content-Type: image/jpeg\r\n\r\n".encode() + PHOTO.read_bytes()]
        parts += [f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}'.encode()
                  for name, text in texts.items()]
        body = b"\r\n".join(parts) + f"\r\n--{BOUNDARY}--\r\n".encode()
        return "POST", path, body, {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}

    def photo_request(self, words):
        return self.form(self.photo_path, request=json.dumps({"classes": words}))

    def words_request(self, words):
        return "POST", "/v1/segment", json.dumps({"encoding": self.encoding, "classes": words}), {
            "Content-Type": "application/json"}

    def labels(self, words):
        answer = json.loads(self.ask(self.connect(), self.photo_request(words)))
        return np.array(Image.open(io.BytesIO(base64.b64decode(answer["outputs"]["labels"]))))

    def end(self):
        self.process.terminate()
        self.process.wait(60)


class AskedTooEarly(Exception):
    pass


def under_load(server, make, clients, seconds):
    """(requests per second, core ms per request, ms of each) of clients that never rest."""
    requests = [make(words[:5]) for words in ASKED]
    times, failures = [[] for _ in range(clients)], []
    cores, begin = server.core_seconds(), time.monotonic()

    def one(number):
        connection = server.connect()
        turn = number
        try:
            while time.monotonic() - begin < seconds:
                start = time.perf_counter()
                server.ask(connection, requests[turn % len(requests)])
                times[number].append(1e3 * (time.perf_counter() - start))
                turn += 1
        except (OSError, http.client.HTTPException, SystemExit) as error:
            failures.append(error)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise SystemExit(f"{server.name}: {failures[0]!r}")
    passed = time.monotonic() - begin
    every = [value for of_client in times for value in of_client]
    return len(every) / passed, 1e3 * (server.core_seconds() - cores) / len(every), every


@dataclass
class Row:
    server: Server
    rates: list = field(default_factory=list)  # requests a second, a round each
    cores: list = field(default_factory=list)  # ms per request, a round each
    p99: list = field(default_factory=list)
    times: list = field(default_factory=list)  # of all rounds, milliseconds

    def add(self, rate, cores, times):
        self.rates.append(rate)
        self.cores.append(cores)
        self.p99.append(float(np.percentile(times, 99)))
        self.times += times


def spread(values, form):
    return f"{statistics.median(values):{form}} ({min(values):{form}} to {max(values):{form}})"


def measure(title, servers, request_of, options):
    print(f"\n{title}; {options.rounds} rounds of {options.seconds} s, median (lowest to highest)\n"
          f"{'clients':<9}{'':<24}{'requests/s':<24}{'ours / it':<22}{'p50 ms':<9}{'p99 ms':<9}{'p99, it / ours':<22}"
          f"{'core ms':<10}it / ours", flush=True)
    for clients in options.clients:
        rows = [Row(server) for server in servers]
        for _ in range(options.rounds):
            for row in rows:
                row.add(*under_load(row.server, request_of(row.server), clients, options.seconds))
        for row in rows:
            ratio = spread([a / b for a, b in zip(rows[0].rates, row.rates)], ".2f") if row is not rows[0] else "-"
            tails = spread([b / a for a, b in zip(rows[0].p99, row.p99)], ".2f") if row is not rows[0] else "-"
            cores = spread([b / a for a, b in zip(rows[0].cores, row.cores)], ".2f") if row is not rows[0] else "-"
            p50, p99 = np.percentile(row.times, [50, 99])
            print(f"{clients:<9}{row.server.name:<24}{spread(row.rates, '.1f'):<24}{ratio:<22}{p50:<9.1f}{p99:<9.1f}{tails:<22}"
                  f"{statistics.median(row.cores):<10.1f}{cores}", flush=True)


def stage_seconds(server):
    """(sum, count) of each stage, from /metrics."""
    text = urllib.request.urlopen(server.url + "/metrics").read().decode()
    found = {}
    for name, stage, value in re.findall(r'(?m)^tagclip_stage_seconds_(sum|count)\{stage="(\w+)"\} (\S+)$', text):
        found.setdefault(stage, {})[name] = float(value)
    return found


def decoder_share(server, seconds):
    """What a request on a kept encoding takes beside what its words, decoder and labels take, one client."""
    before = stage_seconds(server)
    _, _, times = under_load(server, server.words_request, 1, seconds)
    after = stage_seconds(server)
    spent = {stage: 1e3 * (after[stage]["sum"] - before[stage]["sum"]) / (after[stage]["count"] - before[stage]["count"])
             for stage in ("queue", "embed", "segment", "write")}
    whole, decoder = statistics.mean(times), spent["embed"] + spent["segment"]
    print(f"\n{server.name}, a request on a kept encoding, one client, means of {len(times)}: {whole:.2f} ms; "
          + ", ".join(f"{stage} {value:.2f}" for stage, value in spent.items())
          + f": {whole / decoder:.2f} times what words, decoder and labels take", flush=True)


def start(options, folder, servers):
    """Adds the servers, ours first; the others' words are embedded ahead."""
    words = folder / "words.npy"
    subprocess.run([PROGRAM, "embed", "-w", options.weights, "-c", ", ".join(WORDS), "-o", words, "--quiet"], check=True)
    ours = [PROGRAM, "serve", "-w", options.weights, "--port", 0, "--log", "none", "--queue", 64]
    theirs = [sys.executable, Path(__file__).with_name("fastapi_server.py"), "--weights", options.weights, "--words", words,
              "--threads", options.threads]
    for name, command, photo_path in (("tagclip serve", ours, "/v1/segment"),
                                      ("tagclip serve, float32", [*ours, "--precision", "float32"], "/v1/segment"),
                                      ("FastAPI, with care", [*theirs, "--model", "careful"], "/v1/photos"),
                                      ("FastAPI, as released", [*theirs, "--model", "released"], "/v1/photos")):
        servers.append(Server(name, command, options.threads, photo_path))
        servers[-1].ready()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", type=Path, default=ROOT / "models/mini.safetensors", help="(%(default)s)")
    parser.add_argument("--seconds", type=float, default=4, help="of load a round (%(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="(%(default)s)")
    parser.add_argument("--clients", type=int, nargs="+", default=CLIENTS, help="(%(default)s)")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="(%(default)s)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tagclip-serve-") as folder:
        servers = []
        try:
            start(options, Path(folder), servers)
            labels = [server.labels(ASKED[0][:5]) for server in servers]
            print(f"{options.weights.name}, a photo of {labels[0].shape[1]} x {labels[0].shape[0]}, five words, "
                  f"{options.threads} threads; labels as those of {servers[-1].name}: "
                  + ", ".join(f"{server.name} {(own == labels[-1]).mean():.2%}" for server, own in zip(servers, labels)))
            measure("photos with their words", servers, lambda server: server.photo_request, options)
            measure("words on a kept encoding", servers, lambda server: server.words_request, options)
            decoder_share(servers[0], options.seconds)
        finally:
            for server in servers:
                server.end()


if __name__ == "__main__":
    main()
