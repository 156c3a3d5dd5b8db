"""tagclip segment: its inputs, its files, its words. Nothing here depends on how good the masks are."""

import json
import shutil
import unittest

import numpy as np
from PIL import Image

import samples
from support import BINARY, DEFAULT_WEIGHTS, PHOTOS, ROOT, SHARED, ProgramTest, tagclip

CAT, COFFEE = PHOTOS / "cat.jpg", PHOTOS / "coffee.jpg"
KINDS = ("overlay.png", "labels.png", "classes.json")


class SegmentTest(ProgramTest):
    @classmethod
    def setUpClass(cls):
        cls.model = samples.micro_model()

    def segment(self, *arguments, **more):
        """Into the folder `out` unless the arguments say otherwise."""
        more.setdefault("cwd", self.folder)
        return tagclip("segment", *arguments, "--weights", self.model, **more)

    def written(self, folder="out"):
        return {path.name: path.read_bytes() for path in (self.folder / folder).iterdir()}

    def labels(self, name, folder="out"):
        with Image.open(self.folder / folder / f"{name}_labels.png") as image:
            return image.mode, np.asarray(image)


class ResultFiles(SegmentTest):
    def test_files_agree_with_each_other(self):
        words = ["cat", "grass", "sky"]
        self.assert_done(self.segment(CAT, "-c", ", ".join(words)))
        self.assertEqual(set(self.written()), {f"cat_{kind}" for kind in KINDS})
        with Image.open(CAT) as photo:
            width, height = photo.size
            pixels = np.asarray(photo)

        mode, labels = self.labels("cat")
        self.assertEqual((mode, labels.shape), ("P", (height, width)))
        self.assertLess(labels.max(), len(words))

        about = json.loads((self.folder / "out" / "cat_classes.json").read_text())
        self.assertEqual((about["photo"], about["width"], about["height"]), ("cat.jpg", width, height))
        shares = [entry["share"] for entry in about["classes"]] + [about["unlabelled"]["share"]]
        self.assertAlmostEqual(sum(shares), 1, delta=1e-3)
        for entry in about["classes"]:
            self.assertEqual(entry["name"], words[entry["index"]])
            self.assertAlmostEqual(np.mean(labels == entry["index"]), entry["share"], delta=1e-4)

        with Image.open(self.folder / "out" / "cat_overlay.png") as overlay:
            self.assertEqual((overlay.mode, overlay.width), ("RGB", width))
            legend = np.asarray(overlay)[height:]
        self.assertGreaterEqual(len(legend), 15, "a strip below the photo")
        self.assertGreater(legend.std(), 5, "with something written in it")
        named = {tuple(pixel) for pixel in legend.reshape(-1, 3).tolist()}
        for entry in about["classes"]:  # those of less than 0.1% are in the JSON alone
            self.assertEqual(tuple(entry["colour"]) in named, entry["share"] >= 0.001, entry)
        shown = np.asarray(Image.open(self.folder / "out" / "cat_overlay.png"))[:height]
        self.assertGreater(np.abs(shown.astype(int) - pixels).mean(), 3, "the photo is tinted")

    def test_threshold_one_leaves_all_unlabelled(self):
        self.assert_done(self.segment(CAT, "--threshold", "1"))
        self.assertTrue((self.labels("cat")[1] == 255).all())
        about = json.loads((self.folder / "out" / "cat_classes.json").read_text())
        self.assertEqual((about["classes"], about["unlabelled"]), ([], {"value": 255, "share": 1}))

    def test_same_stems_get_files_of_their_own(self):
        for ending in ("png", "webp"):
            Image.new("RGB", (40, 30), (90, 120, 80)).save(self.folder / f"a.{ending}")
        self.assert_done(self.segment("a.png", "a.webp"))
        self.assertEqual(set(self.written()), {f"{stem}_{kind}" for stem in ("a", "a-2") for kind in KINDS})

    def test_every_weighting_and_prompt_runs(self):
        for weighting in ("none", "seen", "unseen", "both"):
            self.assert_done(self.segment(CAT, "--weighting", weighting, "-o", weighting))
        for prompt in ("multi", "a drawing of a {}"):
            self.assert_done(self.segment(CAT, "--prompt", prompt, "--overwrite"))
        self.assert_refused(self.segment(CAT, "--prompt", "no place"), 3, "'no place'", "{}")

    def test_settings_of_the_scores_reach_them(self):
        """Table 3 as released: nothing subtracted, no token among the queries, no weighting."""
        def scores(name, *options):
            self.assert_done(self.segment(CAT, "-o", name, "-c", f"{samples.CLASSES[0]}, {samples.UNSEEN}", *options))
            about = json.loads((self.folder / name / "cat_classes.json").read_text())
            return {entry["name"]: entry["mean_score"] for entry in about["classes"]}

        usual = scores("usual")
        self.assertEqual(scores("same", "--seen-bias", "0.1"), usual)
        self.assertEqual(list(scores("none-seen", "--seen-bias", "1")), [samples.UNSEEN])
        plain = scores("plain", "--seen-bias", "0", "--weighting", "none")
        self.assertNotEqual(plain, usual)
        released = scores("released", "--seen-bias", "0", "--weighting", "none", "--trusty-token", "false")
        self.assertNotEqual(released, plain)
        self.assertEqual(scores("b", "--seen-bias", "0", "--trusty-token", "false"), released)
        self.assert_refused(self.segment(CAT, "--seen-bias", "0.1", "--mode", "clip"), 2, "--seen-bias is for models")
        self.assert_refused(self.segment(CAT, "--seen-bias", "high"), 2, "--seen-bias: expected auto or a number")

    def test_windows_of_other_sizes(self):
        self.assert_done(self.segment(CAT, "--window", 64, "--stride", 48, "--short-side", 96))
        self.assertEqual(self.labels("cat")[1].shape, (300, 451))
        self.assert_refused(self.segment(CAT, "--window", 4, "--overwrite"), 2, "4 pixels", "patches are 8")
        self.assert_refused(self.segment(CAT, "--stride", 40, "--overwrite"), 2, "40", "gaps")

    def test_scales_and_flip_average_the_scores(self):
        with Image.open(CAT) as photo:  # of a size that is not resized
            small = photo.resize((96, 64))
        small.save(self.folder / "small.png")
        small.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(self.folder / "mirror.png")

        def scores(side, *options, photo="small"):
            self.assert_done(self.segment(
                f"{photo}.png", "-c", f"{samples.CLASSES[0]}, {samples.UNSEEN}", "--short-side", side, *options,
                "--precision", "float32", "--output-format", "probabilities", "--overwrite"))
            return np.load(self.folder / f"out/{photo}_probabilities.npy")

        plain = scores(64)
        np.testing.assert_array_equal(scores(64, "--scales", 1), plain)
        mean = (scores(48) + plain + scores(80)) / 3
        np.testing.assert_allclose(scores(64, "--scales", "0.75,1,1.25"), mean, atol=1e-5)
        mean = (plain + scores(64, photo="mirror")[:, :, ::-1]) / 2
        np.testing.assert_allclose(scores(64, "--flip"), mean, atol=1e-5)
        for value in ("0", "-1", "nan", "9", "large", "1,,2"):
            self.assert_refused(self.segment(CAT, f"--scales={value}"), 2, "--scales: expected a list of numbers from 0.1 to 8")
        self.assert_refused(self.segment(CAT, "--scales", "1,1"), 2, "two of --scales", "same short side")

    def test_the_same_run_gives_the_same_files(self):
        for folder in ("a", "b"):
            self.assert_done(self.segment(CAT, "-o", folder))
        self.assertEqual(self.written("a"), self.written("b"))


class Inputs(SegmentTest):
    def photos_of(self, result):
        self.assert_done(result)
        return [json.loads(line)["photo"].rsplit("/", 1)[-1] for line in result.out.splitlines()]

    def test_folder_pattern_and_list(self):
        for number in (10, 2, 1):
            Image.new("RGB", (20, 20)).save(self.folder / f"p{number}.png")
        (self.folder / "notes.txt").write_text("no photo")
        (self.folder / "below").mkdir()
        natural = ["p1.png", "p2.png", "p10.png"]
        self.assertEqual(self.photos_of(self.segment(".", "--json", "-o", "1")), natural)
        self.assertEqual(self.photos_of(self.segment("p*.png", "--json", "-o", "2")), natural)
        self.assertEqual(self.photos_of(self.segment("p?.png", "p1.png", "--json", "-o", "3")), natural[:2])
        listed = self.segment("-", "--json", "-o", "4", stdin="p10.png\r\n\n./p2.png\n")
        self.assertEqual(self.photos_of(listed), ["p10.png", "p2.png"])

    def test_inputs_that_name_nothing(self):
        (self.folder / "empty").mkdir()
        self.assert_refused(self.segment("q*.png"), 3, "q*.png: there is no such file, and nothing matches")
        self.assert_refused(self.segment("empty"), 3, "empty: no photo in this folder")
        self.assert_refused(self.segment("-"), 3, "the list of photos is empty")
        self.assert_refused(self.segment(""), 2, "INPUT", "empty")
        self.assert_refused(self.segment(), 2, "INPUT is required")

    def test_classes_from_a_file(self):
        words = self.folder / "words.txt"
        words.write_bytes("\ufeff# comment\r\nsofa, couch\r\n\r\n  caf\u00e9 \r\n\u732b\n".encode())
        result = self.segment(CAT, "-c", "words.txt", "--json")
        self.assert_done(result)
        known = [("sofa", ["couch"]), ("caf\u00e9", []), ("\u732b", [])]
        for entry in json.loads(result.out)["classes"]:
            self.assertEqual((entry["name"], entry["synonyms"]), known[entry["index"]])
        self.assertIn("3 classes: 0 seen in training, 3 new", result.err)

    def test_words_that_were_trained_on_are_seen(self):
        result = self.segment(CAT, "-c", "Ball, kite, sofa")
        self.assertIn("3 classes: 1 seen in training, 2 new", result.err)

    def test_one_bad_photo_costs_itself_alone(self):
        (self.folder / "bad.jpg").write_text("not a photo")
        result = self.segment(CAT, "bad.jpg", "none.png", COFFEE, "--json")
        self.assert_refused(result, 3, "bad.jpg: expected a JPEG, PNG or WebP image, found text",
                            "cannot read none.png", "2 done, 2 failed")
        lines = [json.loads(line) for line in result.out.splitlines()]
        self.assertEqual(["error" in line for line in lines], [False, True, True, False])
        self.assertEqual(len(self.written()), 6)


class Weights(SegmentTest):
    def refused_weights(self, path, *parts):
        self.assert_refused(tagclip("segment", CAT, "-w", path, cwd=self.folder), 3, *parts)
        self.assertFalse((self.folder / "out" / "cat_labels.png").exists())

    def test_files_that_are_no_model(self):
        self.refused_weights("none.safetensors", "cannot read none.safetensors", "No such file")
        self.refused_weights(self.folder, "this folder holds no weights", "model.safetensors")
        self.refused_weights(CAT, "expected weights, found a JPEG photo")
        self.refused_weights(samples.micro_clip(), "do not say which classes", "name the classes")

    def test_damaged_files(self):
        malformed = ROOT / "tests/data/io/malformed"
        expected = json.loads((malformed / "expected.json").read_text())
        files = sorted(malformed.glob("*.safetensors"))
        self.assertGreater(len(files), 20)
        for path in files:
            with self.subTest(path.name):
                self.assertIn(path.name, expected)
                self.refused_weights(path, path.name)

    @unittest.skipUnless(SHARED, "TAGCLIP_SHARED_DATA holds no reference data")
    def test_checkpoints_of_other_formats(self):
        checkpoints = SHARED / "golden" / "checkpoints"
        for name, part in (("openai_state_dict.pt", "do not say which classes"),
                           ("mmseg_iter_20000_legacy.pth", "a vocabulary of 64 tokens"),
                           ("hf_safetensors", "do not say which classes"),
                           ("malformed/missing_keys.safetensors", "13 missing")):
            with self.subTest(name):
                self.refused_weights(checkpoints / name, name.rsplit("/", 1)[-1], part)
        for path in sorted((checkpoints / "malformed").glob("*.p*t*")):
            with self.subTest(path.name):
                self.refused_weights(path, path.name)
        self.assertEqual([path.name for path in self.folder.glob("malicious*")], [])

    def test_the_small_model_is_the_default(self):
        if (BINARY.resolve().parent / "../../models/everyday.safetensors").exists():
            self.assert_done(tagclip("segment", CAT, "-c", "cat, sofa", cwd=self.folder, env=DEFAULT_WEIGHTS))
        alone = self.folder / "install" / "bin"
        alone.mkdir(parents=True)
        program = samples.copy_of_the_program(alone)
        result = tagclip("segment", CAT, "-o", "alone", binary=program, cwd=self.folder, env=DEFAULT_WEIGHTS)
        self.assert_refused(result, 3, 'the model "everyday" that ships with tagclip is missing', alone / "models",
                            "--weights")
        (alone / "models").mkdir()
        shutil.copy(self.model, alone / "models" / "everyday.safetensors")
        self.assert_done(tagclip("segment", CAT, "-o", "alone", binary=program, cwd=self.folder, env=DEFAULT_WEIGHTS))

    def test_cuda_where_there_is_none(self):
        result = self.segment(CAT, "--device", "cuda")
        if result.code == 0:
            self.skipTest("this machine has a GPU")
        self.assert_refused(result, 2, "CUDA", "set --device to cpu or auto")


if __name__ == "__main__":
    unittest.main()
