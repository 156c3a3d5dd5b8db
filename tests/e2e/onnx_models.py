"""Exported models beside the program: what the tests of export share."""

import json

import numpy as np
from PIL import Image

from support import MINI, PHOTOS, ROOT, ProgramTest, read_safetensors, tagclip, write_safetensors

VOCABULARIES = ("cat, grass, sky", "flower, grass, cat, dog, table", "tree, building, road, water, dog, car, person")


def photo_of(name, size):
    """A photo of tests/data at (width, height), as an array."""
    with Image.open(PHOTOS / name) as image:
        return np.asarray(image.convert("RGB").resize(size, Image.Resampling.BILINEAR))


def random_rows(classes, width, seed=5):
    rows = np.random.default_rng(seed).normal(size=(classes, width)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def write_variant(path, settings, shapes, without=(), scale=0.2):
    """The small reference TagCLIP with other settings: random tensors of `shapes`, and that `scale`, join it; those whose
    names begin with one of `without` go."""
    metadata, tensors = read_safetensors(ROOT / "tests/data/model/tagclip_tiny_weights.safetensors")
    random = np.random.default_rng(3)
    own = {name: tensor for name, tensor in tensors.items() if not name.startswith(tuple(without))}
    new = {name: ("F32", list(shape), random.normal(0, scale, shape).astype(np.float32).tobytes())
           for name, shape in shapes.items()}
    model = {"prompts": 4, "decoder_heads": 4, "clip.embedding": 32, "clip.resolution": 64, "clip.patch": 8,
             "clip.vision_width": 32, "clip.vision_layers": 3, "clip.vision_heads": 2, **settings}
    write_safetensors(path, {"tagclip.model": json.dumps(model)}, {**own, **new})
    return path


class ExportTest(ProgramTest):
    """Each test with a folder; photos go to the program as PNG, so that it reads the very pixels."""

    def export(self, *options, name="model.onnx", weights=MINI):
        self.assert_done(tagclip("export", name, "-w", weights, *options, cwd=self.folder))
        return self.folder / name

    def embed(self, words, *options, weights=MINI):
        """Unit rows [C, d] of words with commas between them."""
        self.assert_done(tagclip("embed", "-w", weights, "-c", words, "-o", "words.npy", "--overwrite", *options,
                                 cwd=self.folder))
        return np.load(self.folder / "words.npy")

    def program_labels(self, photo, words, *options, weights=MINI):
        """The labels of the program, in float32 and one window."""
        height, width = photo.shape[:2]
        Image.fromarray(photo).save(self.folder / "photo.png")
        self.assert_done(tagclip(
            "segment", "photo.png", "-w", weights, "-c", words, "-o", "out", "--overwrite", "--precision", "float32",
            "--window", max(height, width), "--short-side", min(height, width), *options, cwd=self.folder))
        with Image.open(self.folder / "out/photo_labels.png") as image:
            return np.asarray(image), json.loads((self.folder / "out/photo_classes.json").read_text())

    def assert_same_labels(self, found, expected, least=0.9995):
        """Equal but for pixels whose two best classes all but tie, which rounding decides."""
        self.assertEqual(found.shape, expected.shape)
        self.assertGreater(len(np.unique(expected)), 1, "else the labels tell nothing")
        self.assertGreaterEqual((found == expected).mean(), least)


def seen_words(metadata, words):
    """Which of the words, with commas between them, the model was trained on with labels."""
    known = {word for names, seen in zip(json.loads(metadata["tagclip.classes"]), json.loads(metadata["tagclip.seen"]))
             if seen for word in names}
    return np.array([word in known for word in words.split(", ")])
