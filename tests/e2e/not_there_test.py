"""Words that are not in a photo, background, the trust in scores, and templates tuned on photos."""

import json
import shutil
import unittest

from PIL import Image

import samples
from support import BAD_INPUT, DEFAULT_WEIGHTS, EVERYDAY, MINI, PHOTOS, ROOT, USAGE, ProgramTest, read_safetensors, tagclip

CAT = PHOTOS / "cat.jpg"


class NotThereTest(ProgramTest):
    def segment(self, *options, words="cat, grass, sky", photo=CAT, **more):
        result = tagclip("segment", photo, "-c", words, "-o", "out", "--overwrite", *options, cwd=self.folder, **more)
        self.assert_done(result)
        return result, json.loads((self.folder / f"out/{photo.stem}_classes.json").read_text())


class Presence(NotThereTest):
    def test_absent_words_are_left_out_and_listed(self):
        _, all_there = self.segment("--presence", 1e-9, words="cat, grass, sky, book")
        self.assertEqual(all_there["absent"], [])
        scores = sorted(entry["presence"] for entry in all_there["classes"])
        result, some = self.segment("--presence", 0.9, words="cat, grass, sky, book")
        self.assertTrue(all(entry["presence"] >= 0.9 for entry in some["classes"]), scores)
        for entry in some["absent"]:
            self.assertLess(entry["presence"], 0.9)
            self.assertIn(entry["name"], result.out.split("not there: ")[1])

    def test_without_the_setting_nothing_is_said(self):
        result, about = self.segment()
        self.assertNotIn("absent", about)
        self.assertNotIn("not there", result.out)
        self.assertTrue(all("presence" not in entry for entry in about["classes"]))

    def test_nothing_is_there(self):
        _, about = self.segment("--presence", 1)
        self.assertEqual((len(about["absent"]), about["unlabelled"]["share"]), (3, 1))

    def test_embeddings_without_a_text_tower(self):
        self.assert_done(tagclip("embed", "-c", "cat, sky", "-o", "w.npy", cwd=self.folder))
        model = ROOT / "tests/data/model/tagclip_tiny_weights.safetensors"
        result = tagclip("segment", CAT, "--weights", model, "--text-embeddings", "w.npy", "--presence", 0.5,
                         cwd=self.folder)
        self.assertNotEqual(result.code, 0)


class Background(NotThereTest):
    def test_common_words_are_one_class(self):
        _, about = self.segment("--background", "common", words="cat")
        background = [entry for entry in about["classes"] if entry["name"] == "background"]
        self.assertEqual(len(background), 1)
        self.assertIn("wall", background[0]["synonyms"])

    def test_low_scores_are_background(self):
        _, about = self.segment("--background", "common", "--threshold", 1, words="cat")
        self.assertEqual([(e["name"], e["share"]) for e in about["classes"]], [("background", 1)])
        self.assertEqual(about["unlabelled"]["share"], 0)


class Evaluation(NotThereTest):
    def measure(self, *options):
        result = tagclip("eval", "--data", samples.micro_dataset(), "--json", *options, cwd=self.folder)
        self.assert_done(result)
        return json.loads(result.out)

    def test_boundary_presence_and_distractors(self):
        weights = ("--weights", samples.micro_model())
        plain = self.measure(*weights)
        self.assertNotIn("boundary_f", plain)
        found = self.measure(*weights, "--boundary", "--presence", 1e-9)
        self.assertTrue(0 <= found["boundary_f"] <= 1)
        self.assertEqual(found["presence"], {"absent_left_out": 0, "there_kept": 1})
        self.assertEqual(found["mean_iou"], plain["mean_iou"])
        more = self.measure(*weights, "--distractors", "kite, boat, aeroplane, spoon")
        self.assertEqual(len(more["classes"]), len(plain["classes"]))
        self.assertLessEqual(more["pixel_accuracy"], plain["pixel_accuracy"])

    def test_words_for_the_set(self):
        weights = ("--weights", samples.micro_model())
        names = [entry["name"] for entry in self.measure(*weights)["classes"]]
        reworded = self.measure(*weights, "--classes", ", ".join(f"some {name}" for name in names))
        self.assertEqual([entry["name"] for entry in reworded["classes"]], names)
        result = tagclip("eval", "--data", samples.micro_dataset(), *weights, "--classes", "cat")
        self.assert_refused(result, USAGE, "an entry for each class")
        result = tagclip("eval", "--data", samples.micro_dataset(), *weights, "--background", "common")
        self.assert_refused(result, USAGE, "no class called background")

    def test_calibration_is_kept_beside_the_weights_and_used(self):
        weights = self.folder / "model.safetensors"
        shutil.copy(samples.micro_model(), weights)
        raw = self.segment("--weights", weights)[1]
        found = self.measure("--weights", weights, "--calibrate")["calibration"]
        for kind in found.values():
            self.assertLessEqual(kind["error_after"], kind["error_before"] + 0.05)
        kept = json.loads((self.folder / "model.calibration.json").read_text())
        for kind, measured in found.items():
            self.assertAlmostEqual(kept["trained"][kind], measured["temperature"])
        result, calibrated = self.segment("--weights", weights)
        self.assertNotEqual([e["mean_score"] for e in calibrated["classes"]], [e["mean_score"] for e in raw["classes"]])
        self.assertEqual([e["share"] for e in calibrated["classes"]], [e["share"] for e in raw["classes"]])
        off = self.segment("--weights", weights, "--calibrated", "false")[1]
        self.assertEqual([e["mean_score"] for e in off["classes"]], [e["mean_score"] for e in raw["classes"]])
        (self.folder / "model.calibration.json").write_text('{"trained": {"seen": -1}}')
        result = tagclip("segment", CAT, "-c", "cat", "-o", "x", "--weights", weights, cwd=self.folder)
        self.assert_refused(result, BAD_INPUT, "model.calibration.json", "temperature")


class Tuning(NotThereTest):
    def test_templates_are_chosen_per_class(self):
        photos = self.folder / "photos"
        photos.mkdir()
        for name in ("cat", "flower"):
            with Image.open(PHOTOS / f"{name}.jpg") as image:
                image.resize((96, 72)).save(photos / f"{name}.png")
        (photos / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 no photo")
        prompts = self.folder / "prompts.txt"
        prompts.write_text("".join(f"{word} {{}}\n" for word in ("a", "the", "one", "my", "this", "some")))
        result = tagclip("embed", "-c", "cat, flower, sky", "--mode", "clip", "--prompt", prompts, "--tune", photos,
                         "-o", "tuned.safetensors", cwd=self.folder)
        self.assertEqual(result.code, 0, result.err)
        self.assertIn("broken.jpg", result.err)
        metadata = read_safetensors(self.folder / "tuned.safetensors")[0]
        chosen = json.loads(metadata["tagclip.class_templates"])
        self.assertEqual(len(chosen), 3)
        for templates in chosen:
            self.assertTrue(len(templates) in range(1, 7) and len(set(templates)) == len(templates))
        self.assert_done(tagclip("segment", CAT, "--mode", "clip", "--text-embeddings", "tuned.safetensors", "-o", "out",
                                 cwd=self.folder))

    def test_refusals(self):
        photos = PHOTOS
        result = tagclip("embed", "-c", "cat", "--mode", "clip", "--tune", photos, "-o", "w.npy", cwd=self.folder)
        self.assert_refused(result, USAGE, ".safetensors")
        result = tagclip("embed", "-c", "cat", "--tune", photos, "-o", "w.safetensors", cwd=self.folder)
        self.assert_refused(result, USAGE, "as it is")


class FirstMinute(NotThereTest):
    def test_says_which_model_it_is_and_how_to_get_a_better_one(self):
        home = self.folder / "home"
        home.mkdir()
        result, about = self.segment(env={**DEFAULT_WEIGHTS, "TAGCLIP_HOME": str(home)})
        self.assertIn("tagclip fetch ViT-B-16", result.err)
        self.assertEqual(about["weights"], EVERYDAY.name)
        result, _ = self.segment("--weights", "everyday", env={**DEFAULT_WEIGHTS, "TAGCLIP_HOME": str(home)})
        self.assertNotIn("fetch", result.err)

    def test_what_was_fetched_is_the_default_afterwards(self):
        home = self.folder / "home"
        home.mkdir()
        shutil.copy(samples.micro_clip(), home / "ViT-B-16.pt")
        result, about = self.segment(env={**DEFAULT_WEIGHTS, "TAGCLIP_HOME": str(home)})
        self.assertIn("ViT-B-16, which was fetched", result.err)
        self.assertEqual(about["weights"], "ViT-B-16.pt")
        self.assertEqual(self.segment("--weights", "mini", env={**DEFAULT_WEIGHTS, "TAGCLIP_HOME": str(home)})[1]["weights"], MINI.name)


if __name__ == "__main__":
    unittest.main()
