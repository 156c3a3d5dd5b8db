"""A stand-in for Label Studio: pictures behind tokens, personal access tokens that are exchanged, redirects that lead
astray. It counts what it is asked."""

import base64
import http.server
import json
import threading
import time
from collections import Counter

LEGACY = "0123456789abcdef0123456789abcdef01234567"


def token(kind, seconds, **claims):
    """A JSON Web Token, as Label Studio makes them; its signature is of no interest."""
    def part(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")
    claims = {"token_type": kind, "exp": int(time.time() + seconds), **claims}
    return f'{part({"alg": "HS256", "typ": "JWT"})}.{part(claims)}.c2lnbmF0dXJl'


REFRESH = token("refresh", 86400, jti="refresh")


class LabelStudio:
    """`pictures`: bytes by the path and query that they are asked at. With `life` seconds a personal access token is
    wanted, else the legacy one."""

    def __init__(self, pictures, life=None):
        self.pictures = pictures
        self.life = life
        self.redirects = {}  # from a path to an address
        self.slow = {}       # seconds by path
        self.asked = Counter()
        self.renewals = 0
        self.valid = set()   # access tokens
        self.refuse_refresh = False
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def reply(self, status, body=b"", **headers):
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                for name, value in headers.items():
                    self.send_header(name.replace("_", "-"), value)
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                owner.asked[self.path] += 1
                if self.path != "/api/token/refresh/" or body != {"refresh": REFRESH} or owner.refuse_refresh:
                    return self.reply(401, b'{"detail":"Token is blacklisted"}')
                owner.renewals += 1
                access = token("access", owner.life, jti=str(owner.renewals))
                owner.valid.add(access)
                return self.reply(200, json.dumps({"access": access}).encode())

            def do_GET(self):
                owner.asked[self.path] += 1
                scheme, _, key = self.headers.get("Authorization", "").partition(" ")
                known = scheme == "Token" and key == LEGACY if owner.life is None else scheme == "Bearer" and key in owner.valid
                if not known:
                    return self.reply(401, b'{"detail":"no"}')
                time.sleep(owner.slow.get(self.path, 0))
                if self.path in owner.redirects:
                    return self.reply(302, Location=owner.redirects[self.path])
                if self.path not in owner.pictures:
                    return self.reply(404)
                return self.reply(200, owner.pictures[self.path], Content_Type="image/jpeg")

        class Quiet(http.server.ThreadingHTTPServer):
            def handle_error(self, *_):  # who asks may hang up
                pass

        self._server = Quiet(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def forget_tokens(self):
        """As after a restart with another secret."""
        self.valid.clear()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
