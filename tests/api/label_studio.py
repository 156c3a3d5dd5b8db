"""A real Label Studio before tagclip serve, from a new project to regions. Run by `make test-label-studio`, which installs
Label Studio (1 GB) into a folder of its own: LABEL_STUDIO_PACKAGES."""

import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request
from http.cookiejar import CookieJar
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
from label_studio_server import brush_mask  # noqa: E402
from serving import CAT, Server  # noqa: E402
from support import ROOT  # noqa: E402

MAIL, PASSWORD = "annotator@example.org", "Annotate-1234"
CONFIG = """<View><Image name="image" value="$image"/><BrushLabels name="tag" toName="image"><Label value="cat"/><Label
value="Wiese" alias="meadow" predicted_values="grass"/></BrushLabels><PolygonLabels name="poly" toName="image"><Label
value="sky"/></PolygonLabels><TextArea name="prompt" toName="image"/></View>"""


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


class LabelStudio:
    """A running Label Studio, and a session of its user."""

    def __init__(self, folder):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = open(folder / "log", "w+")
        self.process = subprocess.Popen(
            [sys.executable, "-c", "from label_studio.server import main; main()", "start", "--no-browser", "--port", str(self.port), "--username", MAIL, "--password", PASSWORD],
            env={**os.environ, "PYTHONPATH": os.environ["LABEL_STUDIO_PACKAGES"], "LABEL_STUDIO_BASE_DATA_DIR": str(folder), "ML_BLOCK_LOCAL_IP": "false", "USE_DEFAULT_BANNED_SUBNETS": "false", "COLLECT_ANALYTICS": "False", "LATEST_VERSION_CHECK": "False"},
            stdout=self.log, stderr=subprocess.STDOUT)
        self.cookies = CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.cookies))
        for _ in range(600):
            try:
                self.page = self.opener.open(self.url + "/user/login/", timeout=10).read().decode()
                return
            except OSError:
                time.sleep(1)
        raise AssertionError("Label Studio does not start")

    def log_in(self):
        csrf = re.search(r'csrfmiddlewaretoken" value="([^"]+)"', self.page)[1]
        form = f"csrfmiddlewaretoken={csrf}&email={MAIL.replace('@', '%40')}&password={PASSWORD}&persist_session=on"
        self.opener.open(urllib.request.Request(self.url + "/user/login/", form.encode(), {"Referer": self.url}), timeout=60)

    def ask(self, method, path, value=None, body=None, kind="application/json"):
        token = next((c.value for c in self.cookies if c.name == "csrftoken"), "")
        data = body if body is not None else None if value is None else json.dumps(value).encode()
        request = urllib.request.Request(self.url + path, data, {"Content-Type": kind, "X-CSRFToken": token, "Referer": self.url}, method=method)
        try:
            with self.opener.open(request, timeout=200) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method} {path}: {error.code} {error.read()[:1000]}") from None
        return json.loads(text) if text else None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(60)
        self.log.close()


class RealLabelStudio(unittest.TestCase):
    def test_from_a_new_project_to_regions(self):
        with tempfile.TemporaryDirectory() as name, LabelStudio(Path(name)) as studio:
            studio.log_in()
            token = studio.ask("POST", "/api/token/", {})["token"]
            project = studio.ask("POST", "/api/projects/", {"title": "pets", "label_config": CONFIG})["id"]
            form = (b'--edge\r\nContent-Disposition: form-data; name="file"; filename="cat.jpg"\r\nContent-Type: image/jpeg\r\n\r\n'
                    + CAT + b"\r\n--edge--\r\n")
            studio.ask("POST", f"/api/projects/{project}/import", body=form, kind="multipart/form-data; boundary=edge")
            task = studio.ask("GET", f"/api/tasks?project={project}")["tasks"][0]
            self.assertTrue(task["data"]["image"].startswith("/data/upload/"), task)
            with Server("--no-page", LABEL_STUDIO_URL=studio.url, LABEL_STUDIO_API_KEY=token) as server:
                backend = studio.ask("POST", "/api/ml/", {"project": project, "url": server.url, "title": "tagclip",
                                                          "is_interactive": True})
                self.assertEqual(studio.ask("GET", f"/api/ml/{backend['id']}/versions")["versions"], ["tagclip-0.1.0-mini"])
                studio.ask("POST", f"/api/dm/actions?id=retrieve_tasks_predictions&project={project}",
                           {"selectedItems": {"all": True, "excluded": []}})
                predictions = studio.ask("GET", f"/api/predictions?task={task['id']}")
                self.assertEqual(len(predictions), 1, server.err)
                self.assertEqual(predictions[0]["model_version"], "tagclip-0.1.0-mini")
                regions = predictions[0]["result"]
                self.assertTrue(regions)
                for region in regions:
                    if region["type"] == "brushlabels":
                        self.assertIn(region["value"]["brushlabels"][0], ("cat", "meadow"))
                        self.assertTrue(any(brush_mask(region["value"], 451, 300)))
                context = {"result": [{"from_name": "prompt", "to_name": "image", "type": "textarea", "value": {"text": ["whiskers"]}}]}
                answer = studio.ask("POST", f"/api/ml/{backend['id']}/interactive-annotating", {"task": task["id"], "context": context})
                self.assertNotIn("errors", answer)
                self.assertLessEqual({r["meta"]["text"][0] for r in answer["data"]["result"]}, {"whiskers"})
                self.assertEqual(server.stop(), 0)
            self.assertNotIn(token, server.err)
            print(f"{len(regions)} regions from Label Studio's own task; {len(answer['data']['result'])} for the prompt")


if __name__ == "__main__":
    unittest.main()
