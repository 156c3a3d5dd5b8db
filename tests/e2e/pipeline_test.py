"""From captions to masks with a micro model: pretrain, info, train, eval, segment."""

import json
import re
import shutil
import unittest

import numpy as np
from PIL import Image

import samples
from support import PHOTOS, ProgramTest, read_safetensors, tagclip


def halves(tensor):
    """The numbers of what read_safetensors gives, of half precision."""
    dtype, shape, content = tensor
    assert dtype == "F16", dtype
    return np.frombuffer(content, np.float16).reshape(shape)


class PipelineTest(ProgramTest):
    def test_every_command_takes_what_the_one_before_left(self):
        shard = samples.write_shard(self.folder / "captions.tar")
        pretrained = tagclip("pretrain", samples.pretrain_config(self.folder, [shard]))
        self.assert_done(pretrained)
        self.assertEqual(len(pretrained.out.splitlines()), 3)
        clip = self.folder / "clip" / "clip.safetensors"
        self.assertIn(f"--set clip={clip}", pretrained.err)

        info = tagclip("info", clip, "--json")
        self.assert_done(info)
        self.assertIn("vocabulary 600", json.loads(info.out)["architecture"]["text tower"])

        data = samples.write_dataset(self.folder / "data")
        trained = tagclip("train", samples.train_config(self.folder, data, clip))
        self.assert_done(trained)
        self.assertRegex(trained.out, r"(?m)^iteration 4/4  loss \d+\.\d+ ")
        self.assertRegex(trained.out, r"(?m)^validation at 4: pAcc .* hIoU ")
        run = self.folder / "run"
        self.assertEqual({"config.toml", "run.json", "log.jsonl", "metrics.json", "examples", "checkpoints", "events",
                          "best.safetensors", "model.safetensors"},
                         {re.sub(r"^events\..*", "events", path.name) for path in run.iterdir()})
        model = run / "model.safetensors"

        photo = PHOTOS / "cat.jpg"
        segmented = tagclip("segment", photo, "--weights", model, "-o", self.folder / "out")
        self.assert_done(segmented)
        with Image.open(self.folder / "out" / "cat_labels.png") as labels, Image.open(photo) as image:
            self.assertEqual(labels.size, image.size)

    def test_eval_prints_a_table_or_json(self):
        arguments = ("eval", "--data", samples.micro_dataset(), "--weights", samples.micro_model())
        table = tagclip(*arguments)
        self.assert_done(table)
        lines = table.out.splitlines()
        self.assertEqual(lines[0].split(), ["class", "IoU", "Acc"])
        marks = {line.split()[0]: line.split()[1] for line in lines[1:6]}
        expected = {name: "unseen" if name == samples.UNSEEN else "seen" for name in samples.CLASSES}
        self.assertEqual(marks, expected)
        self.assertRegex(lines[-1], r"^pAcc .* mIoU\(S\) .* mIoU\(U\) .* hIoU ")

        as_json = tagclip(*arguments, "--json")
        self.assert_done(as_json)
        report = json.loads(as_json.out)
        self.assertEqual([entry["name"] for entry in report["classes"]], list(samples.CLASSES))
        self.assertTrue(0 <= report["pixel_accuracy"] <= 1)
        self.assertIn(f"pAcc {100 * report['pixel_accuracy']:.2f} ", lines[-1])

    def test_eval_says_whose_split_its_numbers_follow(self):
        def judged(*options):
            result = tagclip("eval", "--weights", samples.micro_model(), "--json", *options)
            self.assert_done(result)
            report = json.loads(result.out)
            self.assertIn(f"follow {report['seen_by']}: ", result.err)
            return report["seen_by"], {entry["name"] for entry in report["classes"] if not entry["seen"]}

        data = samples.micro_dataset()
        self.assertEqual(judged("--data", data), ("the split of the model's training", {samples.UNSEEN}))
        first = samples.CLASSES[0]
        self.assertEqual(judged("--data", data, "--unseen", first), ("the unseen classes that were named", {first}))
        # The same photos with another class list: another data set to the model.
        other = self.folder / "other"
        shutil.copytree(data, other)
        names = [*samples.CLASSES[1:], "zebra"]
        (other / "classes.txt").write_text("".join(name + "\n" for name in names))
        (other / "unseen.txt").write_text(names[0] + "\n")
        expected = {name for name in names if name in (samples.UNSEEN, "zebra")}
        self.assertEqual(judged("--data", other), ("the classes of the model's training", expected))

    def test_settings_of_the_scores_reach_eval(self):
        def report(*options):
            result = tagclip("eval", "--data", samples.micro_dataset(), "--weights", samples.micro_model(), "--json",
                             *options)
            self.assert_done(result)
            return json.loads(result.out)

        usual = report()
        self.assertEqual(report("--seen-bias", "auto", "--trusty-token", "true"), usual)
        self.assertEqual(report("--seen-bias", "1")["mean_iou_seen"], 0)
        plain = report("--seen-bias", "0", "--weighting", "none")
        self.assertNotEqual(plain, report("--seen-bias", "0", "--trusty-token", "false"))

    def test_eval_refuses_what_it_cannot_measure(self):
        data, model = samples.micro_dataset(), samples.micro_model()
        self.assert_refused(tagclip("eval", "--data", self.folder / "none", "-w", model), 3, "none")
        self.assert_refused(tagclip("eval", "--data", data, "-w", model, "--split", "vall"), 3,
                            "no split \"vall\"", "train, val")
        self.assert_refused(tagclip("eval", "-w", model), 2, "--data is required")

    def test_a_model_can_be_started_from_another(self):
        config = samples.train_config(self.folder, samples.micro_dataset(), samples.micro_model())
        self.assert_done(tagclip("train", config, "--set", "schedule.iterations=1"))

    def test_pretraining_goes_on_from_a_clip(self):
        shard = samples.write_shard(self.folder / "captions.tar")
        config = samples.pretrain_config(self.folder, [shard])
        settings = ["--set", "optimizer.lr=0"]
        self.assert_refused(tagclip("pretrain", config, "--set", f"start={samples.micro_clip()}", "--set",
                                    "clip.vision_layers=7"), 2, "clip.vision_layers = 7 has no effect", "has 2")
        for start, known in ((samples.micro_clip(), True), (samples.micro_model(), False)):
            with self.subTest(start=start):
                output = self.folder / start.stem
                self.assert_done(tagclip("pretrain", config, *settings, "--set", f"start={start}",
                                         "--set", f"output={output}"))
                _, before = read_safetensors(samples.micro_clip())
                _, after = read_safetensors(output / "clip.safetensors")
                self.assertEqual(before.keys(), after.keys())
                for name in before.keys() - (set() if known else {"logit_scale"}):
                    self.assertEqual(before[name][:2], after[name][:2], name)
                    np.testing.assert_array_equal(halves(before[name]), halves(after[name]), name)  # -0 is 0
        self.assert_refused(tagclip("pretrain", config, "--set", f"start={self.folder}/none.pt"), 3, "none.pt")

    def test_captions_that_cannot_be_used(self):
        config = samples.pretrain_config(self.folder, [self.folder / "none.tar"])
        self.assert_refused(tagclip("pretrain", config), 3, "none.tar: No such file")
        whole = samples.write_shard(self.folder / "whole.tar").read_bytes()
        (self.folder / "none.tar").write_bytes(whole[:5000])
        self.assert_refused(tagclip("pretrain", config), 3, "none.tar", "Truncated")
        (self.folder / "none.tar").write_text("no archive")
        self.assert_refused(tagclip("pretrain", config), 3, "none.tar as a tar file")
        self.assertFalse((self.folder / "clip").exists())

    def test_labels_that_do_not_fit(self):
        data = samples.write_dataset(self.folder / "data", count=2)
        config = samples.train_config(self.folder, data, samples.micro_clip())
        labels = data / "labels" / "sample0.png"
        Image.new("L", (60, 44), 9).save(labels)
        self.assert_refused(tagclip("train", config), 3, "no class has the label 9", "first in sample0", "data check")
        blindly = tagclip("train", config, "--set", "check_data=false")
        self.assert_refused(blindly, 3, "sample0.png", "has label 9", "the last is 4")
        Image.new("L", (10, 10), 1).save(labels)
        self.assert_refused(tagclip("train", config), 3, "sample0.png is 10x10", "60x44")
        labels.unlink()
        self.assert_refused(tagclip("train", config), 3, "train.txt: no label file for sample0")


if __name__ == "__main__":
    unittest.main()
