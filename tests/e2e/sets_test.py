"""Training over several label sets at once, each with classes of its own, and data check of them together."""

import json
import shutil
import unittest

import numpy as np
from PIL import Image

import samples
from support import BAD_INPUT, USAGE, ProgramTest, read_safetensors, tagclip

SYNONYMS = "meadow, grass, lawn\nlake, water\n"


def write_other(folder):
    """Photos like those of the first set, other ones, whose labels have a background, other names and no kite."""
    samples.write_dataset(folder, count=6, seed=11)
    for path in (folder / "labels").iterdir():
        labels = np.array(Image.open(path))
        new = np.full_like(labels, 0)  # background: box and kite
        for value, name in enumerate(("", "grass", "ball", "water")):
            old = {"grass": "meadow", "water": "lake"}.get(name, name)
            if name:
                new[labels == samples.CLASSES.index(old)] = value
        Image.fromarray(new).save(path)
    (folder / "classes.txt").write_text("background\ngrass\nball\nwater\n")
    (folder / "unseen.txt").unlink()
    return folder


class SeveralSets(ProgramTest):
    def setUp(self):
        super().setUp()
        self.first = samples.write_dataset(self.folder / "shapes")
        self.other = write_other(self.folder / "plain")
        (self.folder / "synonyms.txt").write_text(SYNONYMS)
        self.config = samples.config(
            self.folder, "sets.toml", samples.TRAIN + '\n[set.plain]\nzero_label = "reduce"\n',
            data=["shapes", "plain"], clip=samples.micro_clip(), synonym_list="synonyms.txt", synonyms="drawn")

    def train(self, name, *settings, config=None):
        more = [word for setting in (f"output={self.folder / name}", *settings) for word in ("--set", setting)]
        return tagclip("train", config or self.config, *more)

    def lines(self, name):
        return [json.loads(line) for line in (self.folder / name / "log.jsonl").read_text().splitlines()]

    def test_a_run(self):
        result = self.train("run", "schedule.iterations=12", "validate_every=6")
        self.assert_done(result)
        self.assertIn("2 data sets, 5 classes together; shares of the steps: shapes 53.6% (8 photos), "
                      "plain 46.4% (6 photos)", result.err)
        self.assertRegex(result.out, r"validation at 12: .*\(means of 2 data sets\)\n"
                                     r"  shapes: pAcc .*\n  plain: pAcc .*")
        steps = [line for line in self.lines("run") if "loss" in line]
        self.assertEqual({line["set"] for line in steps}, {"shapes", "plain"})

        metadata, _ = read_safetensors(self.folder / "run/model.safetensors")
        trained_on = json.loads(metadata["tagclip.trained_on"])
        words = [(c["name"], c.get("synonyms", []), c["seen"]) for c in trained_on["classes"]]
        self.assertEqual(words, [("meadow", ["grass", "lawn"], True), ("ball", [], True), ("box", [], True),
                                 ("kite", [], False), ("lake", ["water"], True)])
        self.assertEqual([s["names"] for s in trained_on["sets"]],
                         [list(samples.CLASSES), ["grass", "ball", "water"]])

        # The means are those of the sets, whose classes follow each other.
        last = json.loads((self.folder / "run/metrics.json").read_text())
        self.assertEqual([s["name"] for s in last["sets"]], ["shapes", "plain"])
        for name in ("pixel_accuracy", "mean_iou", "mean_iou_seen"):
            self.assertAlmostEqual(last[name], np.mean([s[name] for s in last["sets"]]))
        self.assertEqual(last["harmonic_iou"], last["sets"][0]["harmonic_iou"])
        self.assertIsNone(last["sets"][1]["harmonic_iou"])
        self.assertEqual([c["name"] for c in last["classes"]][4:6], ["shapes/lake", "plain/grass"])
        page = self.folder / "page.html"
        report = tagclip("report", self.folder / "run", "-o", page)
        self.assert_done(report)
        self.assertRegex(report.out, r"(?m)^  on shapes .*\n  on plain ")
        self.assertIn("Validation mIoU of plain, %", page.read_text())

        # Each set is measured as it was read in the training.
        for measured, data in zip(last["sets"], (self.first, self.other)):
            result = tagclip("eval", "--data", data, "--weights", self.folder / "run/model.safetensors", "--json",
                             "--precision", "float32")
            self.assert_done(result)
            self.assertAlmostEqual(json.loads(result.out)["mean_iou"], measured["mean_iou"], places=6)
        self.assertIn("label 0 is void", result.err)

    def test_a_stopped_run_goes_on_the_same(self):
        whole = "schedule.iterations=8"
        self.assert_done(self.train("whole", whole, "save_every=4", "keep=3"))
        shutil.copytree(self.folder / "whole", self.folder / "again")
        (self.folder / "again/checkpoints/iteration_8.safetensors").unlink()
        (self.folder / "again/model.safetensors").unlink()
        moved = self.folder / "moved"
        moved.mkdir()
        for data in (self.first, self.other):
            shutil.copytree(data, moved / data.name)
        result = self.train("again", whole, "save_every=4", "keep=3", f"data={moved / 'shapes'}, {moved / 'plain'}")
        self.assert_done(result)
        self.assertIn("resuming from 4 of 8", result.err)
        models = [read_safetensors(self.folder / name / "model.safetensors")[1] for name in ("whole", "again")]
        self.assertEqual(*models)

        self.assert_refused(self.train("again", whole, "set.plain.share=0.3"), BAD_INPUT,
                            "the share of data set 2 was 0.4641, is 0.3")
        self.assert_refused(self.train("again", whole, "set.plain.zero_label=keep"), BAD_INPUT,
                            "label 0 of data set 2 was void, is a class")
        self.assert_refused(self.train("again", whole, f"data={self.other},{self.first}"), BAD_INPUT,
                            "label 0 of data set 1 was a class, is void")
        (self.other / "train.txt").write_text("sample1\nsample0\n")
        self.assert_refused(self.train("again", whole), BAD_INPUT, "photos", "sample0 of set 2")

    def test_a_class_hidden_in_one_set_is_hidden_in_all(self):
        (self.other / "unseen.txt").write_text("ball\n")
        result = self.train("run")
        self.assert_done(result)
        self.assertIn(f'"ball" is unseen in {self.other}, and {self.first} labels it', result.err)
        metadata, _ = read_safetensors(self.folder / "run/model.safetensors")
        classes = json.loads(metadata["tagclip.trained_on"])["classes"]
        self.assertEqual([c["name"] for c in classes if not c["seen"]], ["ball", "kite"])
        # Over all sets it is named once; nothing is hidden where the training is supervised.
        (self.other / "unseen.txt").unlink()
        (self.other / "classes.txt").write_text("background\ngrass\nplane\nwater\n")
        (self.first / "classes.txt").write_text("meadow\naeroplane\nbox\nkite\nlake\n")
        result = self.train("named", "unseen=aeroplane")
        self.assert_done(result)
        self.assertIn(f'"aeroplane" is unseen in {self.first}, and "plane" of {self.other}, which published sets '
                      "use for the same, is labelled", result.err)
        result = self.train("supervised", "unseen=aeroplane", "setting=supervised")
        self.assert_done(result)
        self.assertNotIn("unseen in", result.err)

    def test_other_validation_sets(self):
        (self.other / "val.txt").unlink()
        result = self.train("own", "validate_every=2")
        self.assert_done(result)
        self.assertIn("not validated on, for want of a list val: plain", result.err)
        (self.other / "val.txt").write_text("sample0\nsample1\n")
        result = self.train("val", f"data={self.first}", "set.plain.zero_label=reduce", "synonyms=mean",
                            f"val_data={self.first},{self.other}", "validate_every=2")
        self.assert_done(result)
        self.assertIn("  plain: pAcc", result.out)

    def test_what_is_refused(self):
        for settings, code, *parts in (
                (["data=shapes,shapes"], USAGE, "shapes is given twice"),
                (["set.plane.share=0.5"], USAGE, "set.plane", "did you mean plain?"),
                (["set.plain.share=1"], USAGE, "leaves the others nothing"),
                (["set.plain.share=0"], USAGE, "set.plain.share: expected"),
                (["set.plain.shar=0.5"], USAGE, "set.plain.shar"),
                (["data=shapes", f"val_data={self.other}", "set.plain.share=0.5"], USAGE, "only validated on"),
                (["val_unseen=ball"], USAGE, "val_unseen", "several"),
                (["unseen=bal"], USAGE, '"bal"'),
                (["synonym_list=", "synonyms=drawn"], USAGE, "no class has several words")):
            with self.subTest(settings=settings):
                self.assert_refused(self.train("run", *settings), code, *parts)
        (self.folder / "synonyms.txt").write_text("ball, lake\n")
        self.assert_refused(self.train("run"), BAD_INPUT, '"ball" of', '"lake" of', "are two classes")
        (self.folder / "synonyms.txt").write_text("cup, mug\n")
        self.assert_refused(self.train("run"), BAD_INPUT, "synonyms.txt: no line has a class")
        self.assertFalse((self.folder / "run/checkpoints").exists())

    def test_data_check_looks_at_them_together(self):
        shutil.copy(self.first / "images/sample2.jpg", self.other / "images/copy.jpg")
        shutil.copy(self.other / "labels/sample2.png", self.other / "labels/copy.png")
        (self.other / "val.txt").write_text("copy\n")
        (self.other / "unseen.txt").write_text("ball\n")
        result = tagclip("data", "check", self.first, self.other, "--json")
        self.assert_done(result)
        report = json.loads(result.out)
        self.assertEqual(report["classes"], 8)
        self.assertEqual([len(s["classes"]) for s in report["sets"]], [5, 4])
        found = {finding["code"]: finding["what"] for finding in report["findings"]}
        self.assertEqual(set(found), {"hidden-and-labelled", "near-duplicates"})
        self.assertIn("1 photo of val of plain the same as one of train of shapes, or nearly: sample2 = copy",
                      found["near-duplicates"])
        text = tagclip("data", "check", self.first, self.other)
        self.assertIn("together: 2 data sets, 8 classes", text.out)
        self.assertRegex(text.out, r"usable together, with the warnings above\n$")
        self.assert_refused(tagclip("data", "check", self.first, self.other, "--unseen", "ball"), USAGE, "--unseen")
        self.assert_refused(tagclip("data", "convert", self.first, self.other, "-o", self.folder / "x"), USAGE,
                            "one FOLDER")


if __name__ == "__main__":
    unittest.main()
