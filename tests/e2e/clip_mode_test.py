"""The modes of a CLIP without a decoder: it segments, and the others are told how."""

import json
import unittest

import numpy as np
from PIL import Image

import samples
from support import BAD_INPUT, CHECKPOINTS, MINI, PHOTOS, ROOT, USAGE, ProgramTest, tagclip

CAT = PHOTOS / "cat.jpg"
OPENAI = CHECKPOINTS / "openai_torchscript.pt"
CLASSES = "cat, grass, sky"
MODES = ("clip", "quick", "maskclip", "sclip", "clearclip", "naclip", "scclip", "sfp", "plain")


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

    def test_every_mode_labels_every_pixel(self):
        for weights in (OPENAI, MINI):
            labels, scores = {}, set()
            for mode in MODES:
                labels[mode], about = self.segment(mode, f"{weights.stem}-{mode}", *self.options(weights))
                self.assertEqual((labels[mode].shape, about["unlabelled"]["share"]), ((300, 451), 0))
                scores.add(json.dumps(about["classes"]))
                for entry in about["classes"]:
                    self.assertFalse(entry["seen"], "no CLIP has seen labels")
                    self.assertTrue(1 / 3 <= entry["mean_score"] <= 1, "the best of a softmax over three")
            np.testing.assert_array_equal(labels["clip"], labels["scclip"], "the best of the published methods")
            self.assertEqual(len(scores), len(MODES) - 1)

    def test_every_container_gives_the_same_masks(self):
        first = self.segment("clip", "a", *self.options(OPENAI))[0]
        for number, weights in enumerate((CHECKPOINTS / "open_clip_epoch_7.pt",
                                          ROOT / "tests/data/model/open_clip_model.safetensors")):
            labels = self.segment("clip", f"b{number}", "--weights", weights, "--text-embeddings", "rows.npy")[0]
            np.testing.assert_array_equal(labels, first)

    def test_default_windows_are_those_of_the_paper(self):
        """Windows of the CLIP's own 64 pixels, half overlapping, on a short side of 96; ClearCLIP's are larger."""
        own = self.segment("sclip", "a", *self.options(OPENAI))[0]
        options = ["--window", 64, "--stride", 32, "--short-side", 96]
        np.testing.assert_array_equal(self.segment("sclip", "b", *self.options(OPENAI), *options)[0], own)
        options[-1] = 128
        self.assertTrue((self.segment("sclip", "c", *self.options(OPENAI), *options)[0] != own).any())
        clear = self.segment("clearclip", "d", *self.options(OPENAI))[0]
        options = ["--window", 128, "--stride", 64, "--short-side", 128, "--logit-scale", 50]
        np.testing.assert_array_equal(self.segment("clearclip", "e", *self.options(OPENAI), *options)[0], clear)

    def test_quick_is_naclip_on_the_whole_photo(self):
        own = self.segment("quick", "a", *self.options(OPENAI))[0]
        options = ["--window", 16384, "--stride", 16384, "--short-side", 96]
        np.testing.assert_array_equal(self.segment("naclip", "b", *self.options(OPENAI), *options)[0], own)

    def test_a_clip_without_a_mode_is_segmented_with_as_it_is(self):
        own = self.segment("auto", "a", *self.options(OPENAI))[0]
        np.testing.assert_array_equal(self.segment("clip", "b", *self.options(OPENAI))[0], own)
        trained = self.segment("auto", "c", "--weights", MINI)[0]
        np.testing.assert_array_equal(self.segment("trained", "d", "--weights", MINI)[0], trained)

    def test_joined_windows_are_other_ones(self):
        apart = self.segment("scclip", "a", *self.options(OPENAI))[1]
        joined = self.segment("scclip", "b", *self.options(OPENAI), "--join-windows")[1]
        self.assertNotEqual(apart["classes"], joined["classes"])

    def test_small_classes_give_way(self):
        about = self.segment("sclip", "a", "--weights", MINI)[1]
        shares = sorted(entry["share"] for entry in about["classes"])
        self.assertGreater(len(shares), 1)
        least = (shares[0] + shares[1]) / 2
        left = self.segment("sclip", "b", "--weights", MINI, "--area-threshold", least)[1]
        self.assertEqual(len(left["classes"]), sum(share > least for share in shares))
        self.assertEqual(left["unlabelled"]["share"], 0)

    def test_prompts_of_the_published_results(self):
        """CLIP's 80 templates."""
        own = self.segment("clip", "a", "--weights", MINI)[1]
        self.assertEqual(len(own["prompt_templates"]), 80)

    def test_scale_sharpens_scores(self):
        scores = [self.segment("clip", f"s{scale}", *self.options(OPENAI), "--logit-scale", scale)[1]
                  for scale in (1, 100)]
        flat, sharp = [entry["classes"][0]["mean_score"] for entry in scores]
        self.assertLess(flat, sharp)

    def test_text_weights_read_the_words(self):
        clip = samples.micro_clip()
        direct = self.segment("clip", "a", "--weights", clip)[0]
        np.testing.assert_array_equal(self.segment("clip", "b", "--weights", clip, "--text-weights", clip)[0], direct)


class Refused(ClipModeTest):
    def refused(self, *options, says):
        result = tagclip("segment", CAT, "-c", CLASSES, "-o", "none", *options, cwd=self.folder)
        self.assert_refused(result, BAD_INPUT, *says)
        self.assertEqual(list(self.folder.glob("none/*")), [])

    def test_a_clip_has_no_decoder(self):
        for weights in (OPENAI, CHECKPOINTS / "open_clip_epoch_7.pt"):
            self.refused("--weights", weights, "--mode", "trained",
                         says=[weights, "without a decoder", "--mode clip", "tagclip train"])

    def test_windows_that_cannot_be_joined(self):
        for mode in ("trained", "maskclip", "quick"):
            result = tagclip("segment", CAT, "-c", CLASSES, "-o", "none", "--mode", mode, "--join-windows", cwd=self.folder)
            self.assert_refused(result, USAGE, "--join-windows", "no effect")

    def test_a_model_without_a_text_tower_is_no_clip(self):
        model = ROOT / "tests/data/model/tagclip_tiny_weights.safetensors"
        self.refused("--weights", model, "--mode", "clip", says=[model, "no text tower"])

    def test_scale_of_a_trained_model(self):
        result = tagclip("segment", CAT, "-c", CLASSES, "-o", "none", "--logit-scale", 10, cwd=self.folder)
        self.assert_refused(result, USAGE, "--logit-scale")

    def test_more_patches_than_can_be_compared(self):
        self.refused("--weights", MINI, "--mode", "naclip", "--short-side", 8000, "--window", 8000,
                     says=["too many to compare", "--window"])

    def test_text_weights_of_another_width(self):
        self.refused("--text-weights", OPENAI, says=[OPENAI, "32", "192"])

    def test_a_cut_vocabulary_spells_what_it_can(self):
        """The sample's 512 tokens lack two bytes that no everyday word needs."""
        result = tagclip("segment", CAT, "--weights", OPENAI, "--mode", "clip", "-c", "cat, dog",
                         cwd=self.folder)
        self.assertEqual(result.code, 0, result.err)


if __name__ == "__main__":
    unittest.main()
