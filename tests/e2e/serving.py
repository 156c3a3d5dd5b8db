"""A running server for the tests of `tagclip serve`, and what its answers are read with."""

import base64
import http.client
import io
import json
import re
import signal
import socket
import subprocess
import threading
import time

import numpy as np
from PIL import Image

from support import BINARY, MINI, PHOTOS, environment

CAT = (PHOTOS / "cat.jpg").read_bytes()
WORDS = ["cat", "grass", "sky"]


class Server:
    """A running `tagclip serve`; `err` holds its words once it has ended. `more` goes into its environment."""

    def __init__(self, *options, wait=True, **more):
        self.process = subprocess.Popen(
            [BINARY, "serve", "--weights", MINI, "--port", "0", "--precision", "float32", *map(str, options)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(**more))
        self.err = ""
        self.url = self.process.stdout.readline().strip()
        if not self.url:
            raise AssertionError(self.process.communicate()[1])
        self.host, self.port = re.fullmatch(r"https?://(.*):(\d+)", self.url).groups()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        if wait:
            self.wait_until_ready()

    def _read(self):
        for line in self.process.stderr:
            self.err += line

    def wait_until_ready(self):
        for _ in range(600):
            if self.get("/readyz").status == 200:
                return
            time.sleep(0.1)
        raise AssertionError("not ready: " + self.err)

    def ask(self, method, path, body=None, timeout=60, **headers):
        """The answer with its `body` read; names of headers with _ for -."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, path, body, {k.replace("_", "-"): v for k, v in headers.items()})
            answer = connection.getresponse()
            answer.body = answer.read()
            return answer
        finally:
            connection.close()

    def get(self, path, **headers):
        return self.ask("GET", path, **headers)

    def segment(self, _accept="application/json", **members):
        return self.ask("POST", "/v1/segment", json.dumps(members), Content_Type="application/json", Accept=_accept)

    def encode(self, photo=CAT, **headers):
        return self.ask("POST", "/v1/encodings", photo, **{"Content_Type": "image/jpeg", **headers})

    def raw(self, content, timeout=20):
        """What comes back for these bytes until the server hangs up."""
        with socket.create_connection(("127.0.0.1", int(self.port)), timeout=timeout) as connection:
            connection.sendall(content)
            answer = b""
            while chunk := connection.recv(65536):
                answer += chunk
            return answer

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        code = self.process.wait(60)
        self._reader.join(10)
        self.process.stdout.close()
        self.process.stderr.close()
        return code

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.stop()


def form(**parts):
    """A form's body and its Content-Type."""
    body = b""
    for name, content in parts.items():
        body += (f'--edge\r\nContent-Disposition: form-data; name="{name}"; filename="../x"\r\n\r\n').encode() + content + b"\r\n"
    return body + b"--edge--\r\n", "multipart/form-data; boundary=edge"


def image(data):
    return np.array(Image.open(io.BytesIO(base64.b64decode(data))))


def png(width, height):
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), (90, 140, 60)).save(buffer, "png")
    return buffer.getvalue()
