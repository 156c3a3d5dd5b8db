"""tagclip serve over HTTP: answers, refusals, limits, and how it ends."""

import base64
import concurrent.futures
import contextlib
import io
import json
import re
import signal
import socket
import sqlite3
import time
import unittest
import zlib

import numpy as np
from PIL import Image
from serving import CAT, WORDS, Server, form, image, png

from support import MINI, PHOTOS, ROOT, ProgramTest, tagclip


class Answers(ProgramTest):
    """One server for all tests."""

    @classmethod
    def setUpClass(cls):
        cls.server = Server("--max-body-mb", 1, "--max-classes", 20, "--log", "json")

    @classmethod
    def tearDownClass(cls):
        code = cls.server.stop()
        assert code == 0, cls.server.err
        for line in cls.server.err.splitlines():
            if line.startswith("{"):
                assert json.loads(line)["id"], line
        for secret in ("grass", "hovercraft"):
            assert secret not in cls.server.err, "the log holds words"

    def ok(self, answer, status=200):
        self.assertEqual(answer.status, status, answer.body[:300])
        return json.loads(answer.body) if answer.body else None

    def refused(self, answer, status, kind, *parts):
        self.assertEqual(answer.status, status, answer.body[:300])
        error = json.loads(answer.body)["error"]
        self.assertEqual(error["kind"], kind)
        for part in parts:
            self.assertIn(part, error["message"] + " " + error.get("hint", ""))
        self.assertNotRegex(error["message"], r"c10|std::|/root|/work|\.cc")

    def test_a_photo_that_was_encoded_answers_words(self):
        made = self.server.encode()
        encoding = self.ok(made, 201)
        self.assertEqual(made.getheader("Location"), "/v1/encodings/" + encoding["id"])
        self.assertEqual((encoding["width"], encoding["height"]), (451, 300))
        answer = self.ok(self.server.segment(encoding=encoding["id"], classes=WORDS,
                                             outputs=["labels", "confidence", "trusty", "rle", "overlay"]))
        labels = image(answer["outputs"]["labels"])
        self.assertEqual(labels.shape, (300, 451))
        self.assertEqual([c["name"] for c in answer["classes"]], WORDS)
        for entry in answer["classes"]:
            self.assertAlmostEqual(entry["share"], (labels == entry["index"]).mean(), places=5)
            self.assertTrue(0 <= entry["presence"] <= 1)
            if entry["share"] > 0:
                self.assertEqual(entry["rle"]["size"], [300, 451])
                self.assertTrue(entry["rle"]["counts"])
        self.assertEqual(image(answer["outputs"]["confidence"]).shape, (300, 451))
        self.assertEqual(image(answer["outputs"]["overlay"]).shape[2], 3)
        self.assertEqual(self.server.ask("DELETE", made.getheader("Location")).status, 204)
        self.refused(self.server.segment(encoding=encoding["id"], classes=WORDS), 404, "not_found", "encode the photo again")
        self.refused(self.server.ask("DELETE", made.getheader("Location")), 404, "not_found")

    def test_labels_are_those_of_the_command(self):
        self.assert_done(tagclip("segment", PHOTOS / "cat.jpg", "-o", self.folder, "-c", ", ".join(WORDS), "-w", MINI,
                                 "--precision", "float32"))
        expected = np.array(Image.open(self.folder / "cat_labels.png"))
        photo = base64.b64encode(CAT).decode()
        grey = image(self.ok(self.server.segment(photo=photo, classes=WORDS))["outputs"]["labels"])
        np.testing.assert_array_equal(grey, expected)
        palette = self.server.segment("image/png", photo=photo, classes=WORDS)
        self.assertEqual((palette.status, palette.getheader("Content-Type")), (200, "image/png"))
        np.testing.assert_array_equal(np.array(Image.open(io.BytesIO(palette.body))), expected)

    def test_a_form(self):
        body, kind = form(photo=CAT, request=json.dumps({"classes": WORDS, "background": True, "outputs": []}).encode())
        answer = self.ok(self.server.ask("POST", "/v1/segment", body, Content_Type=kind))
        self.assertEqual([c["name"] for c in answer["classes"]], [*WORDS, "background"])
        self.assertEqual(answer["outputs"], {})
        body, kind = form(photo=CAT)
        self.ok(self.server.ask("POST", "/v1/encodings", body, Content_Type=kind), 201)

    def test_what_is_asked_for_has_its_effect(self):
        encoding = self.ok(self.server.encode(), 201)["id"]
        strict = self.ok(self.server.segment(encoding=encoding, classes=WORDS, threshold=1, outputs=[]))
        self.assertEqual(strict["unlabelled"], 1)
        absent = self.ok(self.server.segment(encoding=encoding, classes=WORDS, presence=1, outputs=[]))
        self.assertEqual([c["name"] for c in absent["absent"]], WORDS)
        plain = self.ok(self.server.segment(encoding=encoding, classes=WORDS))
        refined = self.ok(self.server.segment(encoding=encoding, classes=WORDS, refine="guided"))
        self.assertNotEqual(plain["outputs"]["labels"], refined["outputs"]["labels"])
        self.assertEqual(plain["absent"], [])
        twice = self.ok(self.server.segment(encoding=encoding, classes=["cat", "Cat"], outputs=[]))
        self.assertIn("\"Cat\"", twice["warnings"][0])

    def test_photos_of_odd_sizes(self):
        for size in ((1, 1), (3, 2), (1, 9)):
            answer = self.ok(self.server.segment(photo=base64.b64encode(png(*size)).decode(), classes=WORDS))
            self.assertEqual((answer["width"], answer["height"]), size)
        for size in ((300, 1), (1, 300)):
            self.refused(self.server.encode(png(*size)), 413, "too_large", "359 windows, more than 100", "cut the photo")
        self.refused(self.server.segment(photo=base64.b64encode(png(60000, 1)).decode(), classes=WORDS), 400, "bad_input",
                     "long and thin")

    def test_photos_that_are_none(self):
        self.refused(self.server.encode(b"GIF89a"), 415, "bad_input", "JPEG, PNG or WebP")
        self.refused(self.server.encode(b""), 400, "bad_input", "no photo")
        self.refused(self.server.encode(CAT[:2000]), 400, "bad_input", "photo: truncated or damaged JPEG")
        header = bytearray(png(1, 1))
        header[16:24] = (60000).to_bytes(4, "big") * 2
        header[29:33] = zlib.crc32(header[12:29]).to_bytes(4, "big")
        self.refused(self.server.encode(bytes(header)), 413, "too_large", "60000 x 60000")
        self.refused(self.server.encode(CAT, Content_Encoding="gzip"), 415, "bad_input", "compressed")

    def test_words_that_cannot_be_used(self):
        encoding = self.ok(self.server.encode(), 201)["id"]
        for words, part in (([""], "class 1"), (["a\u0000b"], "control"), (["c\nat"], "control")):
            self.refused(self.server.segment(encoding=encoding, classes=words), 400, "bad_input", part)
        names = self.ok(self.server.segment(encoding=encoding, classes=["/etc/passwd", "cat"], outputs=[]))["classes"]
        self.assertEqual(names[0]["name"], "/etc/passwd", "no file of that name is read")
        self.refused(self.server.segment(encoding=encoding, classes=["a"] * 21), 413, "too_large", "20 words")
        self.refused(self.server.segment(encoding=encoding, classes=["a" * 201]), 413, "too_large", "201 bytes")
        self.refused(self.server.segment(encoding=encoding, classes=["my hovercraft"], refine="x"), 400, "bad_input", "refine")
        self.refused(self.server.segment(encoding="0" * 41), 404, "not_found", "another server")

    def test_bodies_and_headers_that_are_too_large(self):
        self.refused(self.server.encode(CAT + b"0" * (1 << 20)), 413, "too_large", "1 MiB")
        self.refused(self.server.ask("POST", "/v1/encodings", iter([b"0" * 65536] * 20), Content_Type="image/jpeg"), 413, "too_large")
        self.assertRegex(self.server.raw(b"GET / HTTP/1.1\r\nHost: localhost\r\nA: " + b"a" * 100000 + b"\r\n\r\n"), rb"^$|^HTTP/1.1 4")
        self.assertRegex(self.server.raw(b"\x16\x03\x01\r\n\r\n"), rb"^$|^HTTP/1.1 4")
        self.assertEqual(self.server.get("/%00").status, 404)

    def test_routes_and_methods(self):
        self.refused(self.server.get("/v1/nothing"), 404, "not_found", "/v1/nothing")
        self.refused(self.server.get("/../../etc/passwd"), 404, "not_found")
        wrong = self.server.get("/v1/segment")
        self.refused(wrong, 405, "method_not_allowed")
        self.assertEqual(wrong.getheader("Allow"), "POST")
        self.assertEqual(self.server.ask("HEAD", "/healthz").body, b"")
        models = self.ok(self.server.get("/v1/models"))["models"]
        self.assertEqual(models[0]["name"], "mini.safetensors")
        self.assertGreater(models[0]["parameters"], 10000)
        self.assertTrue(models[0]["seen_classes"])

    def test_the_page_and_its_headers(self):
        page = self.server.get("/")
        self.assertEqual((page.status, page.getheader("Content-Type")), (200, "text/html; charset=utf-8"))
        policy = page.getheader("Content-Security-Policy")
        self.assertIn("default-src 'self'", policy)
        self.assertNotIn("unsafe", policy)
        self.assertEqual(self.server.get("/", If_None_Match=page.getheader("ETag")).status, 304)
        self.assertEqual(self.server.get("/samples/cat.jpg").body, CAT)
        for path in ("/", "/healthz", "/nothing"):
            headers = self.server.get(path)
            self.assertEqual(headers.getheader("X-Content-Type-Options"), "nosniff")
            self.assertIsNone(headers.getheader("Access-Control-Allow-Origin"))

    def test_other_names_and_pages_are_not_let_in(self):
        self.refused(self.server.get("/v1/models", Host="evil.example"), 403, "forbidden", "--allow-host")
        self.refused(self.server.encode(Origin="http://evil.example"), 403, "forbidden", "--cors-origin")
        self.assertEqual(self.server.encode(Origin=f"http://127.0.0.1:{self.server.port}").status, 201)

    def test_the_description_is_that_of_the_server(self):
        served = self.server.get("/openapi.json").body
        self.assertEqual(served, (ROOT / "docs/openapi.json").read_bytes())
        spec = json.loads(served)
        for path, methods in spec["paths"].items():
            for method in methods:
                status = self.server.ask(method.upper(), path.replace("{id}", "x")).status
                self.assertNotEqual(status, 405, f"{method} {path}")
        members = spec["components"]["schemas"]["SegmentRequest"]["properties"]
        hint = json.loads(self.server.segment(qqqqqqqqqqqqqq=1).body)["error"]["hint"]
        self.assertEqual(sorted(hint.removeprefix("known are ").split(", ")), sorted(members))

    def test_metrics(self):
        self.server.encode()
        text = self.server.get("/metrics").body.decode()
        self.assertRegex(text, r'(?m)^tagclip_requests_total\{route="/v1/encodings",status="201"\} [1-9]')
        self.assertRegex(text, r'(?m)^tagclip_stage_seconds_count\{stage="encode"\} [1-9]')
        self.assertRegex(text, r"(?m)^tagclip_ready 1$")
        self.assertRegex(text, r"(?m)^tagclip_encoding_bytes [1-9]")

    def test_a_client_that_hangs_up_halfway_hurts_nobody(self):
        for cut in (b"POST /v1/encodings HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50000\r\n\r\n" + CAT[:1000], b"GET"):
            with socket.create_connection(("127.0.0.1", int(self.server.port))) as connection:
                connection.sendall(cut)
        self.assertEqual(self.server.get("/healthz").status, 200)

    def test_many_at_once_of_which_some_are_faulty(self):
        encoding = self.ok(self.server.encode(), 201)["id"]

        def one(number):
            if number % 10 == 3:
                return self.server.segment(encoding="gone", classes=["cat"]).status
            return self.server.segment(encoding=encoding, classes=["cat", f"word {number % 7}"], outputs=[]).status

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            statuses = list(pool.map(one, range(60)))
        self.assertEqual(statuses, [404 if n % 10 == 3 else 200 for n in range(60)])


class Operation(ProgramTest):
    """How a server starts, fills up and ends."""

    def test_what_cannot_be_served_is_told_at_once(self):
        self.assert_refused(tagclip("serve", "--host", "0.0.0.0", "--port", "0"), 2, "--api-key-file", "--no-auth")
        self.assert_refused(tagclip("serve", "--tls-cert", "a.pem"), 2, "--tls-key")
        self.assert_refused(tagclip("serve", "--port", "0", "-w", self.folder / "none.pt"), 3, "none.pt")
        with socket.create_server(("127.0.0.1", 0)) as taken:
            self.assert_refused(tagclip("serve", "--port", taken.getsockname()[1]), 2, "in use", "--port")

    def test_while_the_model_loads(self):
        """Another process that writes to the cache of words makes loading wait for 10 s."""
        with contextlib.closing(sqlite3.connect(self.folder / "text-embeddings.sqlite", isolation_level=None)) as cache:
            cache.execute("BEGIN EXCLUSIVE")
            with Server(wait=False, TAGCLIP_HOME=str(self.folder)) as server:
                for path in ("/", "/samples/cat.jpg", "/openapi.json", "/healthz", "/metrics"):
                    self.assertEqual(server.get(path).status, 200, path)
                for answer in (server.get("/readyz"), server.get("/v1/models"), server.encode(), server.segment(classes=WORDS)):
                    self.assertEqual((answer.status, answer.getheader("Retry-After")), (503, "1"))
                begin = time.monotonic()
                self.assertEqual(server.stop(), 0)
                self.assertLess(time.monotonic() - begin, 5)
        self.assertNotIn("ready after", server.err)

    def test_keys(self):
        keys = self.folder / "keys"
        keys.write_text("0123456789abcdef\n")
        with Server("--api-key-file", keys, "--host", "0.0.0.0", "--allow-host", "seg.example.org",
                    "--cors-origin", "https://notes.example.org", "--no-page") as server:
            self.assertEqual(server.get("/healthz").status, 200)
            self.assertEqual(server.get("/").status, 404)
            refused = server.get("/v1/models")
            self.assertEqual((refused.status, refused.getheader("WWW-Authenticate")), (401, "Bearer"))
            self.assertEqual(server.get("/v1/models", Authorization="Bearer 0123456789abcdeX").status, 401)
            friend = server.get("/v1/models", Authorization="Bearer 0123456789abcdef", Host="seg.example.org",
                                Origin="https://notes.example.org")
            self.assertEqual((friend.status, friend.getheader("Access-Control-Allow-Origin")), (200, "https://notes.example.org"))
            asked = server.ask("OPTIONS", "/v1/segment", Origin="https://notes.example.org", Access_Control_Request_Method="POST")
            self.assertEqual((asked.status, asked.getheader("Access-Control-Allow-Methods")), (204, "POST"))
            self.assertEqual(server.stop(signal.SIGINT), 0)
        self.assertNotIn("0123456789", server.err)

    def test_a_full_queue(self):
        with Server("--queue", 1, "--deadline", 30) as server:
            encoding = json.loads(server.encode().body)["id"]
            server.process.send_signal(signal.SIGSTOP)
            with concurrent.futures.ThreadPoolExecutor(8) as pool:
                asked = [pool.submit(server.segment, encoding=encoding, classes=[f"word {n} {k}" for k in range(40)],
                                     refine="pamr") for n in range(8)]
                time.sleep(0.5)
                server.process.send_signal(signal.SIGCONT)
                answers = [future.result() for future in asked]
            statuses = [answer.status for answer in answers]
            self.assertIn(200, statuses)
            self.assertIn(429, statuses)
            self.assertEqual(set(statuses), {200, 429}, statuses)
            busy = answers[statuses.index(429)]
            self.assertGreaterEqual(int(busy.getheader("Retry-After")), 1)

    def test_a_signal_lets_the_last_requests_finish(self):
        with Server() as server:
            encoding = json.loads(server.encode().body)["id"]
            with concurrent.futures.ThreadPoolExecutor(1) as pool:
                last = pool.submit(server.segment, encoding=encoding, classes=[f"word {k}" for k in range(200)])
                time.sleep(0.2)
                self.assertEqual(server.stop(), 0)
                self.assertEqual(last.result().status, 200)
        self.assertIn("stopping", server.err)

    def test_encodings_expire_and_are_bounded(self):
        with Server("--encodings-mb", 1, "--encodings-seconds", 1) as server:
            first = server.encode()
            self.assertEqual(first.status, 201)
            time.sleep(1.5)
            self.assertEqual(server.segment(encoding=json.loads(first.body)["id"], classes=["cat"]).status, 404)
            for _ in range(5):
                self.assertEqual(server.encode().status, 201)
            metrics = server.get("/metrics").body.decode()
            self.assertLessEqual(int(re.search(r"(?m)^tagclip_encoding_bytes (\d+)", metrics)[1]), 1 << 20)


if __name__ == "__main__":
    unittest.main()
