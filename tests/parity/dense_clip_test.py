"""segment --mode clip and sclip against MaskCLIP and SCLIP in plain PyTorch, from photo to labels.

JPEG decoding and resizing are OpenCV's here and equal to the byte there. What may differ is rounding:
of the softmax over the windows' mean, and so pixels whose two best classes are all but equal.
"""

import unittest

import cv2
import numpy as np
import shapes
from libraries import open_clip, torch
from openai_clip import OpenAiClip
from parity import ParityTest, tagclip
from PIL import Image
from support import PHOTOS
from torch.nn import functional

CLASSES = ["cat", "coffee", "grass", "sky", "wall"]
MEAN = np.array([0.48145466, 0.4578275, 0.40821073]) * 255
DEVIATION = np.array([0.26862954, 0.26130258, 0.27577711]) * 255
MODES = "clip", "sclip"
EQUAL = 0.995


def starts(length, window, stride):
    last = max(0, length - window)
    return [*range(0, last, stride), last]


def segment(model, photo, text, mode, short_side, window, stride):
    """Labels [h, w] of `photo` [h, w, 3]; `text`: unit embeddings [C, d]."""
    height, width = photo.shape[:2]
    factor = short_side / min(height, width)
    picture = cv2.resize(photo, (int(width * factor + 0.5), int(height * factor + 0.5)), interpolation=cv2.INTER_LINEAR)
    pixels = torch.from_numpy((picture.astype(np.float32) - MEAN) / DEVIATION).float().permute(2, 0, 1)
    logits = torch.zeros(len(text), *pixels.shape[1:])
    count = torch.zeros(pixels.shape[1:])
    for top in starts(pixels.shape[1], window, stride):
        for left in starts(pixels.shape[2], window, stride):
            rows, columns = slice(top, top + window), slice(left, left + window)
            part = pixels[:, rows, columns]
            patches = model.visual.dense(part[None], mode)
            scores = model.logit_scale.exp() * torch.einsum("cd,bdhw->bchw", text, patches)
            logits[:, rows, columns] += upsampled(scores, part.shape[1:])
            count[rows, columns] += 1
    return upsampled((logits / count)[None], (height, width)).argmax(0).numpy()


def upsampled(maps, size):
    return functional.interpolate(maps, size, mode="bilinear", align_corners=False)[0]


class DenseClip(ParityTest):
    def setUp(self):
        super().setUp()
        self.model = shapes.stored_as(OpenAiClip(shapes.ORDINARY), torch.float32)
        self.weights = self.folder / "state_dict.pt"
        torch.save(self.model.state_dict(), self.weights)
        tokens = open_clip.tokenize([f"a photo of a {word}" for word in CLASSES])
        with torch.no_grad():
            self.text = functional.normalize(self.model.encode_text(tokens), dim=-1)

    def labels(self, photo, mode, **windows):
        options = [word for name, value in windows.items() for word in (f"--{name.replace('_', '-')}", value)]
        self.assert_done(tagclip("segment", photo, "-w", self.weights, "--mode", mode, "--prompt", "single", "-o",
                                 self.folder / "out", "-c", ", ".join(CLASSES), "--overwrite", *options))
        with Image.open(self.folder / "out" / f"{photo.stem}_labels.png") as image:
            return np.asarray(image)

    def test_labels_of_a_photo(self):
        photo = PHOTOS / "cat.jpg"
        pixels = cv2.cvtColor(cv2.imread(str(photo)), cv2.COLOR_BGR2RGB)
        for short_side, window, stride in ((96, 64, 32), (200, 112, 100), (70, 128, 128)):
            windows = {"short_side": short_side, "window": window, "stride": stride}
            with self.subTest(**windows), torch.no_grad():
                expected = {mode: segment(self.model, pixels, self.text, mode, **windows) for mode in MODES}
                self.assertLess((expected["clip"] == expected["sclip"]).mean(), EQUAL, "else one tells nothing")
                for mode in MODES:
                    self.assertGreater(len(np.unique(expected[mode])), 1)
                    equal = (self.labels(photo, mode, **windows) == expected[mode]).mean()
                    self.assertGreaterEqual(equal, EQUAL, mode)
                    print(f"{mode}, {windows}: {equal:.4%} of the pixels equal", flush=True)


if __name__ == "__main__":
    unittest.main()
