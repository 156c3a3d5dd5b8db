"""tagclip serve as Label Studio's machine learning backend, before a stand-in of it."""

import base64
import json
import time
import unittest

import numpy as np
from brushes import brush_mask
from label_studio_server import LEGACY, REFRESH, LabelStudio
from PIL import Image, ImageDraw
from serving import CAT, WORDS, Server, image, png

from support import ProgramTest, tagclip

UPLOAD = "/data/upload/1/cat.jpg"
LOCAL = "/data/local-files/?d=pets%2Fcat.jpg"
STORED = "/storage-data/uploaded/?filepath=upload/1/dog.jpg"
PICTURES = {UPLOAD: CAT, LOCAL: CAT, STORED: CAT, "/data/upload/1/small.png": png(40, 30),
            "/data/upload/1/text.jpg": b"<html>", "/tasks/3/presign/?fileuri=czM6Ly9i": png(8, 6),
            "/data/upload/1/large.jpg": CAT + b"0" * (2 << 20)}


def config(*labels, tool="BrushLabels", more=""):
    inner = "".join(f'<Label value="{label}"/>' for label in labels)
    return (f'<View><Image name="photo" value="$image"/><{tool} name="tag" toName="photo">{inner}</{tool}>{more}</View>')


def key_file(folder, key):
    path = folder / "key"
    path.write_text(key + "\n")
    return path


class Backend(Server):
    """A server that knows a Label Studio."""

    def __init__(self, studio, *options, key=LEGACY, **more):
        super().__init__("--no-page", *options, LABEL_STUDIO_URL=studio.url, LABEL_STUDIO_API_KEY=key, **more)

    def post(self, path, **members):
        return self.ask("POST", path, json.dumps(members), Content_Type="application/json")

    def predict(self, *pictures, label_config=None, context=None):
        tasks = [{"id": 10 + i, "data": {"image": p}, "annotations": [{"result": [{"value": {"rle": [1] * 1000}}]}]}
                 for i, p in enumerate(pictures)]
        return self.post("/predict", tasks=tasks, label_config=label_config or config(*WORDS), project="1.1700000000",
                         model_version=None, params={"login": None, "password": None, "context": context})


class Predictions(ProgramTest):
    @classmethod
    def setUpClass(cls):
        cls.studio = LabelStudio(PICTURES).__enter__()
        cls.server = Backend(cls.studio, "--max-body-mb", 1)

    @classmethod
    def tearDownClass(cls):
        assert cls.server.stop() == 0, cls.server.err
        cls.studio.__exit__()
        assert LEGACY not in cls.server.err, "the log holds the key"

    def results(self, answer):
        self.assertEqual(answer.status, 200, answer.body[:500])
        return json.loads(answer.body)["results"]

    def refused(self, answer, status, *parts):
        self.assertEqual(answer.status, status, answer.body[:500])
        error = json.loads(answer.body)["error"]
        for part in parts:
            self.assertIn(part, error["message"] + " " + error.get("hint", ""))
        self.assertNotIn(LEGACY, answer.body.decode())

    def test_what_label_studio_asks_when_it_is_connected(self):
        health = self.server.get("/health")
        self.assertEqual((health.status, json.loads(health.body)["status"]), (200, "UP"))
        ready = self.server.post("/setup", project="1.1700000000", schema=config("cat"), hostname="http://x",
                                 access_token=LEGACY, extra_params=None)
        version = json.loads(ready.body)["model_version"]
        self.assertEqual((ready.status, version), (200, "tagclip-0.1.0-mini"))
        self.assertEqual(json.loads(self.server.get("/versions").body), {"versions": [version]})
        self.assertEqual(self.server.post("/validate", config=config("cat")).status, 200)
        self.refused(self.server.post("/setup", schema="<View/>"), 400, "no Image", "BrushLabels")
        self.refused(self.server.post("/validate", config="<View"), 400, "not XML: line 1")
        self.assertEqual(self.server.post("/webhook", action="ANNOTATION_CREATED", annotation={}).status, 201)
        self.assertEqual(self.server.post("/webhook", action="SOMETHING_NEW").status, 200)
        self.refused(self.server.post("/webhook", action="START_TRAINING"), 400, "tagclip train")

    def test_a_brush_for_each_word(self):
        prediction, = self.results(self.server.predict(UPLOAD))
        self.assertEqual(prediction["model_version"], "tagclip-0.1.0-mini")
        self.assertTrue(0 < prediction["score"] <= 1)
        plain = json.loads(self.server.segment(photo=base64.b64encode(CAT).decode(), classes=WORDS, background=True).body)
        labels = image(plain["outputs"]["labels"])
        drawn = {}
        for region in prediction["result"]:
            self.assertEqual((region["type"], region["from_name"], region["to_name"]), ("brushlabels", "tag", "photo"))
            self.assertEqual((region["original_width"], region["original_height"], region["image_rotation"]), (451, 300, 0))
            self.assertEqual(region["value"]["format"], "rle")
            word, = region["value"]["brushlabels"]
            drawn[word] = brush_mask(region["value"]["rle"], 451, 300)
        self.assertEqual(len({region["id"] for region in prediction["result"]}), len(prediction["result"]))
        for index, word in enumerate(WORDS):
            np.testing.assert_array_equal(drawn.get(word, np.zeros_like(labels, bool)), labels == index, word)
        self.assertTrue(drawn)

    def test_polygons_where_the_interface_has_them(self):
        both = config("sky", more='<PolygonLabels name="poly" toName="photo"><Label value="Wiese" alias="meadow" '
                                  'predicted_values="grass"/></PolygonLabels>')
        prediction, = self.results(self.server.predict(UPLOAD, label_config=both))
        polygons = [r for r in prediction["result"] if r["type"] == "polygonlabels"]
        self.assertTrue(polygons)
        drawn = Image.new("1", (451 * 4, 300 * 4))
        for region in polygons:
            self.assertEqual((region["from_name"], region["value"]["polygonlabels"]), ("poly", ["meadow"]))
            points = region["value"]["points"]
            self.assertTrue(all(0 <= value <= 100 for point in points for value in point))
            ImageDraw.Draw(drawn).polygon([(x * 4.51 * 4, y * 3 * 4) for x, y in points], fill=1)
        classes = ["sky", "grass"]
        plain = json.loads(self.server.segment(photo=base64.b64encode(CAT).decode(), classes=classes, background=True).body)
        wanted = image(plain["outputs"]["labels"]) == 1
        filled = np.array(drawn)[2::4, 2::4]  # at the centres of pixels
        self.assertGreater((filled & wanted).sum() / (filled | wanted).sum(), 0.85)

    def test_words_of_a_prompt(self):
        prompted = config("thing", "cat", more='<TextArea name="prompt" toName="photo"/>')
        context = {"result": [{"from_name": "prompt", "to_name": "photo", "type": "textarea", "value": {"text": ["Cat; sky"]}},
                              {"from_name": "other", "value": {"text": ["hovercraft"]}}]}
        prediction, = self.results(self.server.predict(UPLOAD, label_config=prompted, context=context))
        found = {(r["value"]["brushlabels"][0], r.get("meta", {}).get("text", [""])[0]) for r in prediction["result"]}
        self.assertTrue(found)
        self.assertLessEqual(found, {("cat", ""), ("thing", "sky")})

    def test_every_place_that_label_studio_has_pictures_at(self):
        for picture in (LOCAL, STORED, self.studio.url + UPLOAD, "upload/1/cat.jpg", "/tasks/3/presign/?fileuri=czM6Ly9i"):
            self.assertEqual(len(self.results(self.server.predict(picture))), 1, picture)
        # uploads that are kept in a cloud
        self.assertEqual(len(self.results(self.server.predict("/data/upload/1/dog.jpg"))), 1)

    def test_pictures_elsewhere_are_not_asked_for(self):
        with LabelStudio(PICTURES) as other:
            for picture in (other.url + UPLOAD, "file:///etc/passwd", "s3://bucket/a.jpg", "//127.0.0.1" + UPLOAD,
                            self.studio.url.replace("http://", "http://127.0.0.1@") + UPLOAD, "ftp://127.0.0.1/data/x",
                            self.studio.url.replace("127.0.0.1", "localhost") + UPLOAD, "data:image/png;base64,AAAA"):
                self.refused(self.server.predict(picture), 400, "task 10: the picture", "label-studio-url")
            for path in ("/data/../api/token", "/api/users", "/data/%2e%2e/api/token", "/user/logout", "/tasks/1/delete"):
                self.refused(self.server.predict(path), 400, "no pictures at")
                self.assertEqual(self.studio.asked[path], 0)
            self.studio.redirects["/data/upload/1/away.jpg"] = other.url + UPLOAD
            self.refused(self.server.predict("/data/upload/1/away.jpg"), 502, "leads elsewhere", "pre-signed")
            self.studio.redirects["/data/upload/1/file.jpg"] = "file:///etc/passwd"
            self.refused(self.server.predict("/data/upload/1/file.jpg"), 502, "leads elsewhere")
            self.studio.redirects["/data/upload/1/round.jpg"] = "/data/upload/1/round.jpg"
            self.refused(self.server.predict("/data/upload/1/round.jpg"), 502, "in a circle")
            self.assertEqual(sum(other.asked.values()), 0)
        self.studio.redirects["/data/upload/1/moved.jpg"] = UPLOAD
        self.assertEqual(len(self.results(self.server.predict("/data/upload/1/moved.jpg"))), 1)

    def test_a_task_that_fails_leaves_the_others(self):
        results = self.results(self.server.predict(UPLOAD, "/data/upload/1/gone.jpg", "/data/upload/1/text.jpg",
                                                   "/data/upload/1/small.png", "/data/upload/1/large.jpg"))
        self.assertEqual(["result" in r for r in results], [True, False, False, True, False])
        for result, part in ((results[1], "404"), (results[2], "not a JPEG"), (results[4], "larger than 1 MiB")):
            self.assertIn(part, result["error"]["message"])
        self.refused(self.server.predict("/data/upload/1/gone.jpg"), 502, "task 10", "404")
        self.refused(self.server.predict("/data/upload/1/text.jpg"), 415, "task 10", "JPEG, PNG or WebP")
        self.refused(self.server.predict("/data/upload/1/large.jpg"), 413, "task 10", "--max-body-mb")

    def test_requests_that_are_none(self):
        self.refused(self.server.ask("POST", "/predict", b"["), 400, "JSON")
        self.refused(self.server.post("/predict", label_config=config("cat")), 400, "tasks")
        self.refused(self.server.post("/predict", tasks=[{}]), 400, "label_config")
        self.refused(self.server.post("/predict", tasks=[{"id": 3, "data": {}}], label_config=config("cat")), 400, "task 3", '"image"')
        self.refused(self.server.predict(UPLOAD, label_config=config("a" * 201)), 413, "201 bytes")
        self.refused(self.server.predict(UPLOAD, label_config=config("Background")), 400, "only label")


class Tokens(ProgramTest):
    def test_a_personal_token_is_exchanged_and_renewed(self):
        with LabelStudio(PICTURES, life=300) as studio, Backend(studio, key=REFRESH) as server:
            for _ in range(2):
                self.assertEqual(server.predict(UPLOAD, LOCAL).status, 200)
            self.assertEqual(studio.renewals, 1, "one token serves until it ends")
            studio.forget_tokens()
            self.assertEqual(server.predict(UPLOAD).status, 200)
            self.assertEqual(studio.renewals, 2, "a token that is refused is renewed")
            studio.life = 1
            studio.forget_tokens()
            self.assertEqual(server.predict(UPLOAD, LOCAL, STORED).status, 200)
            asked = studio.asked[UPLOAD]
            time.sleep(1)
            self.assertEqual(server.predict(UPLOAD).status, 200)
            self.assertEqual(studio.asked[UPLOAD], asked + 1, "renewed before it ended, not after a refusal")
            studio.refuse_refresh = True
            studio.forget_tokens()
            time.sleep(1)
            answer = server.predict(UPLOAD)
            self.assertEqual(answer.status, 502)
            self.assertIn("make another personal access token", json.loads(answer.body)["error"]["hint"])
            self.assertEqual(server.stop(), 0)
        for secret in (REFRESH, *studio.valid, "eyJ"):
            self.assertNotIn(secret, server.err)

    def test_the_key_may_be_in_a_file_and_is_told_when_it_is_refused(self):
        with LabelStudio(PICTURES, life=300) as studio:
            with Server("--label-studio-url", studio.url, "--label-studio-key-file", key_file(self.folder, LEGACY)) as server:
                body = json.dumps({"tasks": [{"id": 1, "data": {"image": UPLOAD}}], "label_config": config("cat")})
                answer = server.ask("POST", "/predict", body)
                self.assertEqual(answer.status, 502)
                self.assertIn("personal access token", json.loads(answer.body)["error"]["hint"])

    def test_it_starts_only_with_what_it_needs(self):
        clean = {"LABEL_STUDIO_URL": "", "LABEL_STUDIO_API_KEY": ""}
        serve = ("serve", "--port", 0)
        self.assert_refused(tagclip(*serve, "--label-studio-url", "http://localhost:8080", env=clean), 2,
                            "--label-studio-key-file", "LABEL_STUDIO_API_KEY")
        key = key_file(self.folder, LEGACY)
        for url in ("localhost:8080", "file:///etc", "http://user:pw@localhost"):
            self.assert_refused(tagclip(*serve, "--label-studio-url", url, "--label-studio-key-file", key, env=clean), 2,
                                "no address of Label Studio")
        two = key_file(self.folder, "two words")
        self.assert_refused(tagclip(*serve, "--label-studio-url", "http://a", "--label-studio-key-file", two, env=clean), 2, "one token")
        self.assert_refused(tagclip(*serve, "--label-studio-key-file", key, env=clean), 2, "--label-studio-url")
        with Server(**clean) as server:
            answer = server.ask("POST", "/predict", b"{}")
            self.assertEqual(answer.status, 404)
            self.assertIn("--label-studio-url", json.loads(answer.body)["error"]["hint"])


class Load(ProgramTest):
    def test_tasks_wait_for_a_place_and_what_is_done_in_time_is_sent(self):
        with LabelStudio(PICTURES) as studio:
            studio.slow["/data/upload/1/small.png"] = 4
            with Backend(studio, "--queue", 1, "--deadline", 10) as server:
                self.assertEqual(server.predict(UPLOAD).status, 200)  # the words are embedded once
                answer = json.loads(server.predict(*["/data/upload/1/small.png"] * 6).body)
                self.assertIn("results", answer)
                results = answer["results"]
                done = ["result" in result for result in results]
                self.assertTrue(done[0])
                self.assertFalse(done[5])
                self.assertIn("in time", results[5]["error"]["message"])
                self.assertEqual(server.predict(UPLOAD, LOCAL, UPLOAD, LOCAL).status, 200)
                metrics = server.get("/metrics").body.decode()
                self.assertIn('tagclip_requests_total{route="/predict",status="200"} 3', metrics)
                self.assertRegex(metrics, r'tagclip_stage_seconds_count\{stage="picture"\} [4-9]')

    def test_keys_guard_the_backend(self):
        keys = self.folder / "keys"
        keys.write_text("0123456789abcdef\n")
        with LabelStudio(PICTURES) as studio, Backend(studio, "--api-key-file", keys, wait=False) as server:
            self.assertEqual(server.get("/health").status, 401, "Label Studio tells that the password is wrong")
            basic = "Basic " + base64.b64encode(b"anybody:0123456789abcdef").decode()
            server.wait_until_ready()
            self.assertEqual(server.get("/health", Authorization=basic).status, 200)


if __name__ == "__main__":
    unittest.main()
