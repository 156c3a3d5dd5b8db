"""A stand-in for `tagclip serve`: the same API with answers that are known beforehand.

A word's score at a pixel says how near the pixel's colour is to the word's; the nearest word wins. The tests of the
page make it fail as they need it by POST /stand-in with what is to happen, see StandIn. By hand, to work on the page:

    python3 tests/e2e/page_server.py FOLDER_OF_THE_BUILT_PAGE [PORT]
"""

import base64
import binascii
import io
import json
import sys
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter, ImageOps

PHOTOS = Path(__file__).resolve().parents[1] / "data/photos"
COLOURS = {"cat": (170, 130, 90), "sofa": (205, 190, 190), "wall": (110, 95, 90), "coffee": (190, 110, 40),
           "cup": (225, 205, 185), "mug": (225, 205, 185), "wooden table": (165, 75, 25), "sky": (225, 235, 245),
           "building": (120, 65, 55), "tree": (80, 95, 55), "water": (170, 190, 200), "flower": (235, 160, 100),
           "background": (60, 60, 60)}
SEEN = ["cat", "sofa", "sky", "tree", "flower"]
TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
         ".svg": "image/svg+xml", ".jpg": "image/jpeg"}
CSP = ("default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; frame-ancestors 'none'; base-uri 'none'; "
       "form-action 'none'; object-src 'none'")


@dataclass
class StandIn:
    """What the server is made to do, and what it was asked."""

    loading: int = 0     # so many requests are answered with 503 not_ready first
    busy: int = 0        # so many with 429
    failing: int = 0     # so many questions with 500
    key: str = ""        # wanted as a bearer token
    delay: float = 0     # seconds that an answer takes
    trusty: bool = True  # the model has a trusty token
    encodings: dict = field(default_factory=dict)
    asked: list = field(default_factory=list)  # "POST /v1/segment", ...
    questions: list = field(default_factory=list)


def colour_of(word):
    return COLOURS.get(word, tuple(binascii.crc32(word.encode()) >> shift & 255 for shift in (0, 8, 16)))


def png(values):
    file = io.BytesIO()
    Image.fromarray(values).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def answer(pixels, request):
    """The answer to a request for `pixels`, [height, width, 3]."""
    words = [one if isinstance(one, str) else one["name"] for one in request["classes"]]
    if request.get("background"):
        words.append("background")
    distances = np.stack([np.abs(pixels.astype(int) - colour_of(word)).mean(axis=2) for word in words])
    scores = np.clip(1 - distances / 160, 0, 1)
    trust = np.clip(pixels.mean(axis=2) / 255, 0, 1)
    if request.get("weighting") in ("seen", "unseen", "both"):
        for i, word in enumerate(words):
            if request["weighting"] == "both" or (word in SEEN) == (request["weighting"] == "seen"):
                scores[i] *= trust ** 0.2
    presences = {word: float(scores[i].max()) for i, word in enumerate(words)}
    absent = [word for word in words if presences[word] < request.get("presence", 0)]
    for word in absent:
        scores[words.index(word)] = -1
    labels, best = scores.argmax(axis=0).astype(np.uint8), scores.max(axis=0).clip(0)
    height, width = labels.shape
    outputs = {"labels": png(labels), "confidence": png(np.round(best * 255).astype(np.uint8))}
    outputs["trusty"] = png(np.round(trust * 255).astype(np.uint8)) if request.get("weighting") else None
    return {"width": width, "height": height, "mode": "trained", "classes": [
        {"index": i, "name": word, "share": float((labels == i).mean()), "seen": word in SEEN,
         "score": float(best[labels == i].mean()) if (labels == i).any() else None,
         "presence": presences[word], "color": "#808080"}
        for i, word in enumerate(words)],
        "absent": [{"name": word, "presence": presences[word]} for word in absent], "warnings": [],
        "outputs": outputs, "milliseconds": {"encode": 0, "segment": 12.3}}


class Handler(BaseHTTPRequestHandler):
    """The routes of docs/openapi.json that the page uses."""

    page: Path
    state: StandIn
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def send(self, status, content, kind, **headers):
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": len(content), "Content-Security-Policy": CSP,
                            "X-Content-Type-Options": "nosniff", **headers}.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()
        try:
            self.wfile.write(content)
        except OSError:
            self.close_connection = True  # the page no longer wants the answer

    def send_json(self, value, status=200, **headers):
        self.send(status, json.dumps(value).encode(), "application/json", **headers)

    def send_error_json(self, status, kind, message, hint="", **headers):
        self.send_json({"error": {"kind": kind, "message": message, "hint": hint}}, status, **headers)

    def do_GET(self):
        if self.path.startswith("/v1/"):
            self.api(b"")
        elif self.path == "/stand-in":
            self.send_json({"asked": self.state.asked, "questions": self.state.questions})
        else:
            folder, name = (PHOTOS, self.path[9:]) if self.path.startswith("/samples/") else (self.page, self.path[1:])
            file = folder / (name or "index.html")
            if "/" in name or not file.is_file():
                self.send_error_json(404, "not_found", "there is no such page")
            else:
                self.send(200, file.read_bytes(), TYPES[file.suffix])

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/stand-in":
            for name, value in json.loads(body).items():
                setattr(self.state, name, value)
            self.send_json({})
        else:
            self.api(body)

    def do_DELETE(self):
        self.api(b"")

    def api(self, body):
        state = self.state
        state.asked.append(f"{self.command} {self.path}")
        if state.key and self.headers.get("Authorization") != f"Bearer {state.key}":
            self.send_error_json(401, "unauthorized", "this server wants a key")
        elif state.loading:
            state.loading -= 1
            self.send_error_json(503, "not_ready", "the model is being loaded")
        elif state.busy:
            state.busy -= 1
            self.send_error_json(429, "busy", "the server is busy", "try again later", Retry_After=1)
        elif self.path == "/v1/models":
            self.send_json({"models": [{"name": "stand-in", "mode": "trained" if state.trusty else "clip", "seen_classes": SEEN,
                                        "weights": ["none", "seen", "unseen", "both"] if state.trusty else ["none"]}]})
        elif self.command == "DELETE":
            state.encodings.pop(self.path.rpartition("/")[2], None)
            self.send(204, b"", "text/plain")
        elif self.path == "/v1/encodings":
            self.encode(body)
        else:
            self.segment(json.loads(body))

    def encode(self, body):
        try:
            with Image.open(io.BytesIO(body)) as photo:
                soft = ImageOps.exif_transpose(photo).convert("RGB").filter(ImageFilter.BoxBlur(3))
        except OSError:
            self.send_error_json(400, "bad_input", "the photo cannot be read", "send a JPEG, PNG or WebP")
            return
        pixels = np.asarray(soft)
        name = f"photo-{len(self.state.asked)}"
        self.state.encodings[name] = pixels
        self.send_json({"id": name, "width": pixels.shape[1], "height": pixels.shape[0], "expires_in": 600}, 201)

    def segment(self, request):
        state = self.state
        state.questions.append(request)
        time.sleep(state.delay)
        if state.failing:
            state.failing -= 1
            self.send_error_json(500, "internal", "the question could not be answered")
        elif request["encoding"] not in state.encodings:
            self.send_error_json(404, "not_found", "there is no such encoding")
        else:
            self.send_json(answer(state.encodings[request["encoding"]], request))


def start(page, port=0):
    """A server that runs in a thread; shutdown() ends it."""
    handler = type("PageHandler", (Handler,), {"page": Path(page), "state": StandIn()})
    server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


if __name__ == "__main__":
    started = start(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 8080)
    print(f"http://127.0.0.1:{started.server_port}/")
    threading.Event().wait()
