"""tagclip data check: good sets pass, and the usual mistakes are called by their names."""

import json
import shutil
import unittest

import numpy as np
from PIL import Image

from samples import CLASSES, draw_sample, write_dataset
from support import BAD_INPUT, SHARED, USAGE, ProgramTest, tagclip

VOC_COLOURS = [(0, 0, 0), (128, 0, 0), (0, 128, 0), (128, 128, 0), (0, 0, 128)]  # labels 0 to 4


def check(folder, *options):
    return tagclip("data", "check", folder, *options)


class GoodSets(ProgramTest):
    def test_a_folder(self):
        random = np.random.default_rng(1)
        data = write_dataset(self.folder / "data")
        for name in ("v0", "v1", "v2", "v3"):
            photo, labels = draw_sample(random)
            photo.save(data / "images" / f"{name}.jpg")
            labels.save(data / "labels" / f"{name}.png")
        (data / "val.txt").write_text("v0\nv1\nv2\nv3\n")
        result = check(data)
        self.assert_done(result)
        self.assertRegex(result.out, r"a folder set, 5 classes, 1 unseen: kite\n")
        self.assertRegex(result.out, r"train +8 photos, 60x44; 100\.0% of the pixels labelled, ")
        self.assertRegex(result.out, r"(?m)^kite +unseen +\d+\.\d% #+ +\d+ ")

    @unittest.skipUnless(SHARED, "the reference data sets are not here")
    def test_the_reference_sets(self):
        for name, kind, classes, unseen in (("msrc21", "folder", 21, 5), ("nyuv2", "folder", 37, 0),
                                            ("voc2012_animals", "folder", 21, 5),
                                            ("coco_things", "folder", 80, 7),
                                            ("voc2012_mini", "voc2012", 20, 5)):
            with self.subTest(name):
                result = check(SHARED / "data" / name, "--json")
                self.assert_done(result)
                report = json.loads(result.out)
                self.assertTrue(report["usable"])
                self.assertEqual(report["kind"], kind)
                self.assertEqual(len(report["classes"]), classes)
                self.assertEqual(sum(not c["seen"] for c in report["classes"]), unseen)
                self.assertFalse([f for f in report["findings"] if f["severity"] == "error"])


class BrokenSets(ProgramTest):
    def setUp(self):
        super().setUp()
        self.data = write_dataset(self.folder / "data")

    def relabel(self, change):
        """Changes the values of every label file; void is 255."""
        for path in (self.data / "labels").iterdir():
            Image.fromarray(change(np.array(Image.open(path)))).save(path)

    def assert_found(self, code, *parts):
        result = check(self.data)
        self.assert_no_accident(result)
        self.assertEqual(result.code, BAD_INPUT, result.out)
        self.assertRegex(result.out, r"not fit to train on\n$")
        for part in parts:
            self.assertIn(part, result.out)
        report = json.loads(check(self.data, "--json").out)
        self.assertIn(code, [f["code"] for f in report["findings"] if f["severity"] == "error"])

    def test_zero_label_not_reduced(self):
        # Background first, as in VOC, but missing in classes.txt.
        self.relabel(lambda labels: np.where(labels == 0, 0, labels + 1).astype(np.uint8))
        self.assert_found("zero-label-not-reduced", "error: labels go from 0 to 5", "--zero-label reduce")

    def test_ids_off_by_one(self):
        self.relabel(lambda labels: (labels + 1).astype(np.uint8))
        self.assert_found("ids-off-by-one", "error: labels go from 1 to 5 and 0 never occurs")

    def test_palette_read_as_rgb(self):
        self.relabel(lambda labels: np.array(VOC_COLOURS, np.uint8)[labels])
        self.assert_found("palette-as-rgb", "RGB pictures in the colours of the PASCAL VOC palette")

    def test_palette_turned_grey(self):
        for path in (self.data / "labels").iterdir():
            labels = Image.open(path)
            labels.putpalette([value for colour in VOC_COLOURS for value in colour])
            labels.convert("L").save(path)
        self.assert_found("palette-as-grey", "grey shades of the PASCAL VOC palette")

    def test_seen_and_unseen_swapped(self):
        (self.data / "unseen.txt").write_text("\n".join(c for c in CLASSES if c != "kite"))
        self.assert_found("seen-unseen-swapped", "4 classes are unseen and only 1 seen")

    def test_missing_and_damaged_files(self):
        (self.data / "labels/sample0.png").unlink()
        (self.data / "images/sample1.jpg").write_bytes(
            (self.data / "images/sample1.jpg").read_bytes()[:300])
        self.assert_found("labels-missing", "without label file: sample0")
        self.assert_found("photos-unreadable", "sample1.jpg")

    def test_sizes(self):
        Image.open(self.data / "images/sample2.jpg").resize((30, 22)).save(self.data / "images/sample2.jpg")
        self.assert_found("sizes-differ", "sample2 is 30x22, its labels 60x44")

    def test_near_duplicates_across_splits(self):
        smaller = Image.open(self.data / "images/sample3.jpg").resize((48, 35)).resize((60, 44))
        smaller.save(self.data / "images/copy.jpg", quality=60)
        shutil.copy(self.data / "labels/sample3.png", self.data / "labels/copy.png")
        (self.data / "val.txt").write_text("copy\n")
        report = json.loads(check(self.data, "--json").out)
        self.assertTrue(report["usable"])
        [finding] = [f for f in report["findings"] if f["code"] == "near-duplicates"]
        self.assertIn("sample3 = copy", finding["what"])


class Asking(ProgramTest):
    def test_options(self):
        data = write_dataset(self.folder / "data")
        report = json.loads(check(data, "--json", "--splits", "train", "--unseen", "ball, 4").out)
        self.assertEqual([s["name"] for s in report["splits"]], ["train"])
        self.assertEqual([c["name"] for c in report["classes"] if not c["seen"]], ["ball", "lake"])

    def test_what_cannot_be_checked(self):
        data = write_dataset(self.folder / "data")
        for arguments, code, *parts in (
                (["data", "check", data / "none"], BAD_INPUT, "no data set folder"),
                (["data", "check", self.folder], BAD_INPUT, "laid out like no data set", f"did you mean {data}?"),
                (["data", "check", data, "--splits", "tets"], BAD_INPUT, "no split \"tets\"", "train, val"),
                (["data", "check", data, "--unseen", "kiet"], USAGE, "\"kiet\"", "did you mean \"kite\"?"),
                (["data", "check", data, "--dataset", "voc2012"], BAD_INPUT, "lacks JPEGImages/"),
                (["data", "check", data, "--dataset", "ade"], USAGE, "expected one of auto, folder"),
                (["data", "chekc", data], USAGE, "expected one of check"),
                (["data", "check"], USAGE, "FOLDER is required")):
            with self.subTest(" ".join(map(str, arguments))):
                self.assert_refused(tagclip(*arguments), code, *parts)


if __name__ == "__main__":
    unittest.main()
