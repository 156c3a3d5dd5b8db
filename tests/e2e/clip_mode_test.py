"""--mode clip and sclip: a CLIP without a decoder segments, and the others are told how."""

import json
import unittest

import numpy as np
from PIL import Image

import samples
from support import BAD_INPUT, CHECKPOINTS, MINI, PHOTOS, ROOT, ProgramTest, tagclip

CAT = PHOTOS / "cat.jpg"
OPENAI = CHECKPOINTS / "openai_torchscript.pt"
CLASSES = "cat, grass, sky"


class ClipModeTest(ProgramTest):
    def setUp(self):
        super().setUp()
        # That CLIP's vocabulary is too small for words.
        rows = np.random.default_rng(5).normal(size=(3, 32)).astype(np.float32)
        np.save(self.folder / "rows.npy", rows)

    def segment(self, mode, out, *options):
        result = tagclip("segment", CAT, "-c", CLASSES, "--mode", mode, "-o", out, *options, cwd=self.folder)
        self.assert_done(result)
        with Image.open(self.folder / out / "cat_labels.png") as image:
            return np.asarray(image), json.loads((self.folder / out / "cat_classes.json").read_text())


class Modes(ClipModeTest):
    def options(self, weights):
        return ["--weights", weights, *(["--text-embeddings", "rows.npy"] if weights == OPENAI else [])]

    def test_both_modes_label_every_pixel(self):
        for weights in (OPENAI, MINI):
            labels = {}
            for mode in ("clip", "sclip"):
                labels[mode], about = self.segment(mode, f"{weights.stem}-{mode}", *self.options(weights))
                self.assertEqual((labels[mode].shape, about["unlabelled"]["share"]), ((300, 451), 0))
                self.assertGreater(len(about["classes"]), 1)
                for entry in about["classes"]:
                    self.assertFalse(entry["seen"], "no CLIP has seen labels")
                    self.assertTrue(1 / 3 <= entry["mean_score"] <= 1, "the best of a softmax over three")
            self.assertTrue((labels["clip"] != labels["sclip"]).any())

    def test_every_container_gives_the_same_masks(self):
        first = self.segment("clip", "a", *self.options(OPENAI))[0]
        for number, weights in enumerate((CHECKPOINTS / "open_clip_epoch_7.pt",
                                          ROOT / "tests/data/model/open_clip_model.safetensors")):
            labels = self.segment("clip", f"b{number}", "--weights", weights, "--text-embeddings", "rows.npy")[0]
            np.testing.assert_array_equal(labels, first)

    def test_default_windows_are_those_of_the_paper(self):
        """Windows of the CLIP's own 64 pixels, half overlapping, on a short side of 96."""
        own = self.segment("sclip", "a", *self.options(OPENAI))[0]
        options = ["--window", 64, "--stride", 32, "--short-side", 96]
        np.testing.assert_array_equal(self.segment("sclip", "b", *self.options(OPENAI), *options)[0], own)
        options[-1] = 128
        self.assertTrue((self.segment("sclip", "c", *self.options(OPENAI), *options)[0] != own).any())

    def test_text_weights_read_the_words(self):
        clip = samples.micro_clip()
        direct = self.segment("clip", "a", "--weights", clip)[0]
        np.testing.assert_array_equal(self.segment("clip", "b", "--weights", clip, "--text-weights", clip)[0], direct)


class Refused(ClipModeTest):
    def refused(self, *options, says):
        result = tagclip("segment", CAT, "-c", CLASSES, "-o", "none", *options, cwd=self.folder)
        self.assert_refused(result, BAD_INPUT, *says)
        self.assertEqual(list(self.folder.glob("none/*")), [])

    def test_a_clip_needs_a_mode(self):
        for weights in (OPENAI, CHECKPOINTS / "open_clip_epoch_7.pt"):
            self.refused("--weights", weights, says=[weights, "without a decoder", "--mode clip", "tagclip train"])

    def test_a_model_without_a_text_tower_is_no_clip(self):
        model = ROOT / "tests/data/model/tagclip_tiny_weights.safetensors"
        self.refused("--weights", model, "--mode", "clip", says=[model, "no text tower"])

    def test_text_weights_of_another_width(self):
        self.refused("--text-weights", OPENAI, says=[OPENAI, "32", "192"])

    def test_a_cut_vocabulary_spells_what_it_can(self):
        """The sample's 512 tokens lack two bytes that no everyday word needs."""
        result = tagclip("segment", CAT, "--weights", OPENAI, "--mode", "clip", "-c", "cat, dog",
                         cwd=self.folder)
        self.assertEqual(result.code, 0, result.err)


if __name__ == "__main__":
    unittest.main()
