"""Kept encodings: the same masks as from the photo, and only where photo, weights and windows agree."""

import json
import shutil
import unittest

from support import BAD_INPUT, MINI, PHOTOS, USAGE, ProgramTest, read_safetensors, tagclip, write_safetensors

CAT, COFFEE = PHOTOS / "cat.jpg", PHOTOS / "coffee.jpg"
WORDS = "cat, grass, sky"


class EncodingTest(ProgramTest):
    def segment(self, photo, out, *options, words=WORDS):
        return tagclip("segment", photo, "-c", words, "-o", out, *options, cwd=self.folder)

    def labels(self, photo, out, *options, **more):
        self.assert_done(self.segment(photo, out, *options, **more))
        return (self.folder / out / f"{photo.stem}_labels.png").read_bytes()


class Kept(EncodingTest):
    def test_the_masks_are_the_same(self):
        for mode in ("trained", "clip"):
            for out, option in (("first", "--save-encoding"), ("second", "--encoding")):
                self.assert_done(tagclip("segment", CAT, COFFEE, "-c", WORDS, "--mode", mode, "-o", f"{mode}-{out}",
                                         option, mode, cwd=self.folder))
            for photo in ("cat", "coffee"):
                first, second = (self.folder / f"{mode}-{out}/{photo}_labels.png" for out in ("first", "second"))
                self.assertEqual(second.read_bytes(), first.read_bytes())
        self.assertEqual({path.name for path in (self.folder / "clip").iterdir()},
                         {"cat.encoding.safetensors", "coffee.encoding.safetensors"})

    def test_other_words_and_thresholds(self):
        exact = ["--precision", "float32"]  # what is fastest, on a busy machine, differs between runs
        self.assert_done(self.segment(CAT, "a", "--save-encoding", "kept", *exact))
        for number, options in enumerate((["--threshold", "0.1"], ["--weighting", "none"])):
            words = "kitten, floor, wall, dog"
            direct = self.labels(CAT, f"b{number}", *options, *exact, words=words)
            self.assertEqual(self.labels(CAT, f"c{number}", *options, "--encoding", "kept", words=words), direct)

    def test_saving_and_reading_exclude_each_other(self):
        self.assert_refused(self.segment(CAT, "a", "--encoding", "k", "--save-encoding", "k"), USAGE, "--save-encoding")

    def test_a_missing_encoding_costs_its_photo(self):
        self.assert_done(self.segment(CAT, "a", "--save-encoding", "kept"))
        result = tagclip("segment", CAT, COFFEE, "-c", WORDS, "-o", "b", "--encoding", "kept", cwd=self.folder)
        self.assert_refused(result, BAD_INPUT, "coffee.encoding.safetensors", "1 done, 1 failed")
        self.assertTrue((self.folder / "b/cat_labels.png").exists())


class Refused(EncodingTest):
    def setUp(self):
        super().setUp()
        self.assert_done(self.segment(CAT, "a", "--save-encoding", "kept"))
        self.kept = self.folder / "kept/cat.encoding.safetensors"

    def assert_not_used(self, photo, *options, says):
        result = self.segment(photo, "none", *options, "--encoding", "kept")
        self.assert_refused(result, BAD_INPUT, f"{photo.stem}.encoding.safetensors", says, "0 done, 1 failed")
        self.assertEqual(list(self.folder.glob("none/*")), [])

    def test_another_photo(self):
        shutil.copy(self.kept, self.kept.with_name("coffee.encoding.safetensors"))
        self.assert_not_used(COFFEE, says="another photo")

    def test_other_windows(self):
        for option, value in (("--window", 64), ("--stride", 64), ("--short-side", 160)):
            self.assert_not_used(CAT, option, value, says="--window, --stride, --short-side, --join-windows, --scales and --flip")

    def test_another_mode(self):
        windows = ["--window", 128, "--stride", 107, "--short-side", 128]
        self.assert_not_used(CAT, "--mode", "clip", *windows, says="weights")

    def test_other_weights(self):
        metadata, tensors = read_safetensors(MINI)
        dtype, shape, data = tensors["backbone.proj"]
        tensors["backbone.proj"] = dtype, shape, bytes([data[0] ^ 1]) + data[1:]
        write_safetensors(self.folder / "other.safetensors", metadata, tensors)
        self.assert_not_used(CAT, "--weights", "other.safetensors", says="other weights")

    def test_damaged_files(self):
        metadata, tensors = read_safetensors(self.kept)
        entry = json.loads(metadata["tagclip.encoding"])
        whole = self.kept.read_bytes()

        def with_entry(text):
            return lambda: write_safetensors(self.kept, {"tagclip.encoding": text}, tensors)

        def with_tensors(changed):
            return lambda: write_safetensors(self.kept, metadata, changed)

        patches = tensors["patches"]
        damages = [
            (lambda: self.kept.write_bytes(whole[:-1]), "cut off"),
            (lambda: self.kept.write_bytes(b""), "empty"),
            (lambda: write_safetensors(self.kept, {}, tensors), "not the encoding"),
            (with_entry("{"), "damaged"),
            (with_entry("[" * 100_000), "damaged"),
            (with_entry(json.dumps({"encoder": entry["encoder"], "pixels": entry["pixels"]})), "damaged"),
            (with_entry(json.dumps({**entry, "windows": [2**40, -1, "16"]})), "cut up otherwise"),
            (with_entry(json.dumps({**entry, "windows": "16"})), "cut up otherwise"),
            (with_tensors({"image": tensors["image"]}), "patches"),
            (with_tensors({**tensors, "patches": ("F32", [1, 512, 192], patches[2])}), "damaged"),
            (with_tensors({**tensors, "patches": ("F16", [2, 256, 384], patches[2])}), "damaged"),
        ]
        for number, (damage, says) in enumerate(damages):
            with self.subTest(says, number=number):
                damage()
                self.assert_not_used(CAT, says=says)

    def test_numbers_that_are_none(self):
        metadata, tensors = read_safetensors(self.kept)
        dtype, shape, data = tensors["patches"]
        write_safetensors(self.kept, metadata, {**tensors, "patches": (dtype, shape, b"\xff" * len(data))})
        self.assert_not_used(CAT, says="not a number")


if __name__ == "__main__":
    unittest.main()
