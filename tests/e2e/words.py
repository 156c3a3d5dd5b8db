"""What the tests of words share."""

import json

import numpy as np
from PIL import Image

from support import PHOTOS, ProgramTest, tagclip

PHOTO = PHOTOS / "cat.jpg"
WORDS = "cat, grass, sky"
WIDTH = 192  # of the small model's embeddings


class WordsTest(ProgramTest):
    """Runs of segment and embed with a cache of their own."""

    def setUp(self):
        super().setUp()
        self.home = self.folder / "home"
        self.cache = self.home / "text-embeddings.sqlite"
        self.number = 0

    def run_with(self, command, *options):
        return tagclip(command, *options, cwd=self.folder, env={"TAGCLIP_HOME": str(self.home)})

    def segment(self, *options):
        """What the photo came to: (labels, about, the program's words)."""
        self.number += 1
        out = self.folder / f"out{self.number}"
        result = self.run_with("segment", PHOTO, "-o", out.name, *options)
        self.assert_done(result)
        with Image.open(out / "cat_labels.png") as image:
            labels = np.asarray(image)
        return labels, json.loads((out / "cat_classes.json").read_text()), result

    def embed(self, *options):
        """The rows, and the program's words."""
        result = self.run_with("embed", "-o", "words.npy", "--overwrite", *options)
        self.assert_done(result)
        rows = np.load(self.folder / "words.npy")
        np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
        return rows

    def write(self, name, text):
        (self.folder / name).write_text(text)
        return name
