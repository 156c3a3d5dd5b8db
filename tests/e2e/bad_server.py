"""A web server with every bad habit, for the tests of downloads."""

import random
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

FILE = random.Random(7).randbytes(3 << 20)
OTHER = random.Random(8).randbytes(len(FILE))
HALF = len(FILE) // 2


class Habits(BaseHTTPRequestHandler):
    """What /HABIT/FILE answers: the method of that name, told how often it was asked before."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        habit = self.path.split("/")[1]
        with self.server.lock:
            before = [r for r in self.server.requests if r[0].split("/")[1] == habit]
            self.server.requests.append((self.path, self.headers.get("Range"), self.headers.get("If-Range")))
        try:
            getattr(self, habit)(len(before))
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def log_message(self, *_):
        pass

    def head(self, status, length=None, **fields):
        self.send_response(status)
        if length is not None:
            self.send_header("Content-Length", str(length))
        for name, value in fields.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def hang_up(self):
        self.close_connection = True

    def whole(self, content=FILE, etag='"1"', upto=None):
        """A server as it should be; `upto`: breaks off there."""
        wanted, condition = self.headers.get("Range"), self.headers.get("If-Range")
        first = int(wanted[len("bytes="):-1]) if wanted and condition in (None, etag) else 0
        rest = content[first:]
        if first:
            self.head(206, len(rest), ETag=etag,
                      Content_Range=f"bytes {first}-{len(content) - 1}/{len(content)}")
        else:
            self.head(200, len(rest), ETag=etag)
        self.wfile.write(rest if upto is None else rest[:upto])
        if upto is not None:
            self.hang_up()

    def good(self, _):
        self.whole()

    def cut(self, before):
        self.whole(upto=HALF if before == 0 else None)

    def deaf(self, _):
        """Knows nothing of ranges."""
        self.head(200, len(FILE))
        self.wfile.write(FILE)

    def changed(self, before):
        if before == 0:
            self.whole(OTHER, '"old"', upto=HALF)
        else:
            self.whole(FILE, '"new"')

    def vague(self, _):
        """A part without a word about which."""
        if self.headers.get("Range"):
            self.head(206, len(FILE) - HALF)
            self.wfile.write(FILE[HALF:])
        else:
            self.whole()

    def dying(self, _):
        self.whole(upto=1000)

    def slow(self, _):
        self.head(200, len(FILE))
        while not self.server.stopping.wait(0.1):
            self.wfile.write(b"x" * 10)

    def gentle(self, _):
        """Takes its time for the first request, and none to go on."""
        if self.headers.get("Range"):
            return self.whole()
        self.head(200, len(FILE), ETag='"1"')
        for start in range(0, len(FILE), 1 << 18):
            self.wfile.write(FILE[start:start + (1 << 18)])
            self.wfile.flush()
            time.sleep(0.04)

    def moved(self, _):
        self.head(302, 0, Location="/good/weights.pt?token=secret")

    def circle(self, _):
        self.head(302, 0, Location="/circle/weights.pt")

    def outside(self, _):
        self.head(302, 0, Location="file:///etc/passwd")

    def wrong(self, _):
        self.whole(OTHER)

    def page(self, _):
        self.head(200, 7, Content_Type="text/html; charset=utf-8")
        self.wfile.write(b"<html/>")

    def missing(self, _):
        self.head(404, 0)

    def busy(self, before):
        self.head(503, 0) if before == 0 else self.whole()

    def longer(self, _):
        self.whole(FILE + b"more")

    def endless(self, _):
        self.head(200)
        while True:
            self.wfile.write(OTHER)


class BadServer(ThreadingHTTPServer):
    """Serves on a free port of this machine until `stop`; `requests` holds (path, Range, If-Range)."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Habits)
        self.address = f"http://127.0.0.1:{self.server_port}"
        self.requests = []
        self.lock, self.stopping = threading.Lock(), threading.Event()
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self):
        self.stopping.set()
        self.shutdown()
        self.server_close()

    def handle_error(self, *_):
        """Clients that hang up are part of the tests."""
