"""The server's page in Chromium: page_browser.mjs drives it on page_server.py, and shortly on `tagclip serve`; its
downloads are read back here.

Screenshots and downloads stay in the build folder: page/screens."""

import json
import os
import shutil
import subprocess
import time
import unittest
import urllib.error
import urllib.request
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

import page_server
from support import BINARY, MINI, PHOTOS, ROOT, environment, tagclip

BUILT = Path(os.environ.get("TAGCLIP_PAGE", ROOT / "build/release/page"))
SCREENS = BUILT / "screens"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
UNLABELLED = 255
LARGEST_SCRIPT = 60_000  # bytes


def decode_counts(text, height, width):
    """The mask of a compressed COCO RLE, [height, width]."""
    runs, position = [], 0
    while position < len(text):
        value, shift, more = 0, 0, True
        while more:
            bits = ord(text[position]) - 48
            value |= (bits & 31) << shift
            more, shift, position = bits & 32, shift + 5, position + 1
        if bits & 16:
            value |= -1 << shift
        runs.append(value + runs[-2] if len(runs) > 2 else value)
    return np.repeat(np.arange(len(runs)) % 2, runs).reshape(width, height).T.astype(bool)


def labelme_mask(points, height, width):
    """A polygon's pixels as labelme.utils.shape_to_mask() draws them."""
    mask = Image.new("L", (width, height))
    ImageDraw.Draw(mask).polygon(xy=[tuple(point) for point in points], outline=1, fill=1)
    return np.asarray(mask).astype(bool)


def drive(url, server, seconds):
    """Runs the browser's tests of that kind of server on its page."""
    return subprocess.run(
        ["node", ROOT / "tests/e2e/page_browser.mjs"], capture_output=True, text=True, timeout=seconds, check=False,
        env={**os.environ, "PAGE_URL": url, "PAGE_SERVER": server, "CHROMIUM": CHROMIUM, "PAGE_OUT": str(SCREENS),
             "PAGE_MODULES": str(ROOT / "src/serve/page/node_modules")})


def wait_until_ready(url):
    for _ in range(600):
        try:
            with urllib.request.urlopen(f"{url}/readyz"):
                return
        except urllib.error.HTTPError:
            time.sleep(0.1)
    raise AssertionError("the server does not become ready")


class PageFiles(unittest.TestCase):
    def test_is_small_and_holds_nothing_inline(self):
        self.assertLess((BUILT / "dist/app.js").stat().st_size, LARGEST_SCRIPT)
        text = (BUILT / "dist/index.html").read_text()
        self.assertNotRegex(text, r"<style|\sstyle=|\son\w+=|javascript:|https?://(?!www\.w3\.org)")
        self.assertNotRegex(text, r"<script(?![^>]*\ssrc=)")


@unittest.skipUnless(CHROMIUM, "there is no Chromium: scripts/setup.sh browser")
class PageInBrowser(unittest.TestCase):
    """One run of the browser; each test looks at a part of what came of it."""

    @classmethod
    def setUpClass(cls):
        shutil.rmtree(SCREENS, ignore_errors=True)
        SCREENS.mkdir(parents=True)
        server = page_server.start(BUILT / "dist")
        cls.addClassCleanup(server.server_close)
        cls.addClassCleanup(server.shutdown)
        cls.driven = drive(f"http://127.0.0.1:{server.server_port}/", "stand-in", 700)

    def labels(self, name="labels.png"):
        with Image.open(SCREENS / name) as file:
            self.assertEqual(file.mode, "P")
            return np.array(file)

    def test_the_page_does_what_it_should(self):
        self.assertEqual(self.driven.returncode, 0, self.driven.stdout[-8000:] + self.driven.stderr[-4000:])

    def test_labels_are_those_of_the_server(self):
        with Image.open(PHOTOS / "palace.jpg") as photo:
            blurred = photo.convert("RGB").filter(page_server.ImageFilter.BoxBlur(3))
        answer = page_server.answer(np.asarray(blurred), {"classes": ["building", "sky", "tree", "water"], "weighting": "both"})
        with Image.open(page_server.io.BytesIO(page_server.base64.b64decode(answer["outputs"]["labels"]))) as expected:
            np.testing.assert_array_equal(self.labels(), np.asarray(expected))

    def test_coco_and_labelme_hold_the_same_pixels(self):
        labels = self.labels()
        height, width = labels.shape
        coco = json.loads((SCREENS / "coco.json").read_text())
        self.assertEqual([entry["name"] for entry in coco["categories"]], ["building", "sky", "tree", "water"])
        self.assertEqual(len(coco["annotations"]), 4)
        for annotation in coco["annotations"]:
            mask = decode_counts(annotation["segmentation"]["counts"], height, width)
            np.testing.assert_array_equal(mask, labels == annotation["category_id"] - 1)
            self.assertEqual(annotation["area"], mask.sum())
        labelme = json.loads((SCREENS / "labelme.json").read_text())
        names = ["building", "sky", "tree", "water"]
        drawn = {name: np.zeros(labels.shape, bool) for name in names}
        for shape in labelme["shapes"]:
            drawn[shape["label"]] |= labelme_mask(shape["points"], height, width)
        for index, name in enumerate(names):
            np.testing.assert_array_equal(drawn[name], labels == index)

    def test_cutouts_are_the_photo_where_the_word_is(self):
        labels = self.labels()
        with Image.open(PHOTOS / "palace.jpg") as photo:
            pixels = np.asarray(photo.convert("RGB")).astype(int)
        with zipfile.ZipFile(SCREENS / "cutouts.zip") as archive:
            self.assertIsNone(archive.testzip())
            self.assertEqual(archive.namelist(), [f"palace_{name}.png" for name in ("building", "sky", "tree", "water")])
            for index, name in enumerate(archive.namelist()):
                with archive.open(name) as file, Image.open(file) as cutout:
                    rgba = np.array(cutout)
                np.testing.assert_array_equal(rgba[..., 3], np.where(labels == index, 255, 0))
                # Decoders of JPEG differ by a step or two.
                self.assertLess(np.abs(rgba[..., :3] - pixels)[labels == index].mean(), 1)

    def test_hidden_and_unsure_places_are_left_out(self):
        labels, before = self.labels("sky_labels.png"), self.labels()
        self.assertEqual(set(np.unique(labels)), {1, UNLABELLED})
        self.assertTrue((before[labels == 1] == 1).all())
        self.assertLess((labels == 1).sum(), (before == 1).sum())
        with Image.open(SCREENS / "sky.png") as cutout:
            np.testing.assert_array_equal(np.array(cutout)[..., 3] == 255, labels == 1)

    def test_the_overlay_has_a_legend_below(self):
        with Image.open(SCREENS / "overlay.png") as overlay:
            self.assertEqual(overlay.width, 640)
            self.assertGreater(overlay.height, 427)

    def test_the_program_serves_its_page(self):
        if tagclip("serve", "--help").code:
            self.skipTest("this program has no server")
        server = subprocess.Popen([BINARY, "serve", "--weights", MINI, "--port", "0", "--precision", "float32"],
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment())
        try:
            url = server.stdout.readline().strip()
            wait_until_ready(url)
            driven = drive(url + "/", "real", 150)
        finally:
            server.terminate()
            server.wait(60)
            server.stdout.close()
        self.assertEqual(driven.returncode, 0, driven.stdout[-4000:] + driven.stderr[-4000:])
        labels = self.labels("real_labels.png")
        self.assertEqual(labels.shape, (300, 451))
        self.assertLess(labels.max(), 6)


if __name__ == "__main__":
    unittest.main()
