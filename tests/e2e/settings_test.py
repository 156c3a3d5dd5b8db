"""The settings of the paper, each by its config value: what training may see, and in which precision."""

import json
import shutil
import unittest

import numpy as np
from PIL import Image

import samples
from support import BAD_INPUT, USAGE, ProgramTest, read_safetensors, tagclip

ITERATIONS = 40
SHORT = ("--set", f"schedule.iterations={ITERATIONS}", "--set", "batch=6", "--set", "log_every=1",
         "--set", "validate_every=20", "--set", "save_every=1000")


class SettingsTest(ProgramTest):
    @classmethod
    def setUpClass(cls):
        cls.clip, cls.data = samples.micro_clip(), samples.micro_dataset()

    def train(self, name, *settings, data=None):
        output = self.folder / name
        config = samples.train_config(self.folder, data or self.data, self.clip)
        more = [word for setting in settings for word in ("--set", setting)]
        result = tagclip("train", config, *SHORT, "--set", f"output={output}", *more)
        self.assert_done(result)
        lines = [json.loads(line) for line in (output / "log.jsonl").read_text().splitlines()]
        return output, [line for line in lines if "loss" in line]

    def losses(self, steps, key="loss"):
        return np.array([step[key] for step in steps])

    def test_transductive_is_inductive_until_the_half(self):
        _, inductive = self.train("inductive")
        folder, transductive = self.train("transductive", "setting=transductive")
        half = ITERATIONS // 2
        np.testing.assert_array_equal(self.losses(inductive)[:half], self.losses(transductive)[:half])
        self.assertFalse(np.any(self.losses(inductive)[half:] == self.losses(transductive)[half:]))
        metadata, _ = read_safetensors(folder / "model.safetensors")
        self.assertFalse(json.loads(metadata["tagclip.trained_on"])["inductive"])

    def test_self_training_can_begin_elsewhere_and_go_without_labels(self):
        _, plain = self.train("plain", "setting=transductive", "self_training.from=0.25")
        _, none = self.train("none", "setting=transductive", "self_training.from=0.25",
                             "self_training.pseudo_labels=none")
        same = self.losses(plain) == self.losses(none)
        self.assertTrue(same[:10].all())
        self.assertFalse(same[10:].any())

    def test_supervised_reports_seen_and_unseen_apart(self):
        folder, _ = self.train("supervised", "setting=supervised")
        last = json.loads((folder / "log.jsonl").read_text().splitlines()[-1])
        self.assertIsNotNone(last["mIoU(U)"])
        model = tagclip("eval", "--data", self.data, "--weights", folder / "model.safetensors", "--json")
        self.assertIsNotNone(json.loads(model.out)["mean_iou_unseen"])

    def test_held_out_classes_stand_in_and_no_unseen_pixel_is_read(self):
        """Scrambling what stands at unseen pixels changes nothing."""
        scrambled = self.folder / "scrambled"
        shutil.copytree(self.data, scrambled)
        classes = (scrambled / "classes.txt").read_text().split("\n")
        unseen = [classes.index(name) for name in (scrambled / "unseen.txt").read_text().split("\n") if name]
        random = np.random.default_rng(1)
        changed = 0
        for name in (scrambled / "train.txt").read_text().split():
            path = scrambled / "labels" / f"{name}.png"
            labels = np.array(Image.open(path))
            where = np.isin(labels, unseen)
            changed += where.sum()
            labels[where] = random.choice([*unseen, 255], where.sum())
            Image.fromarray(labels).save(path)
        self.assertGreater(changed, 100)

        _, clean = self.train("clean", "trusty_source=held-out-seen")
        _, other = self.train("other", "trusty_source=held-out-seen", data=scrambled)
        for key in ("loss", "mask", "dice", "trusty", "gradient_norm"):
            np.testing.assert_array_equal(self.losses(clean, key), self.losses(other, key))
        # With the annotations' own target they would matter.
        _, clean = self.train("clean-annotations")
        _, other = self.train("other-annotations", data=scrambled)
        self.assertFalse(np.array_equal(self.losses(clean, "trusty"), self.losses(other, "trusty")))

    def test_held_out_goes_with_inductive(self):
        config = samples.train_config(self.folder, self.data, self.clip)
        refused = tagclip("train", config, "--set", "trusty_source=held-out-seen", "--set", "setting=transductive")
        self.assert_refused(refused, USAGE, "held-out-seen goes with setting = inductive")

    def test_a_wrong_data_set_is_explained_not_trained_on(self):
        """Labels that count from one: every pixel would be taught as its neighbour's class."""
        data = self.folder / "shifted"
        shutil.copytree(self.data, data)
        for path in (data / "labels").iterdir():
            Image.fromarray(np.array(Image.open(path)) + np.uint8(1)).save(path)
        config = samples.train_config(self.folder, data, self.clip)
        output = self.folder / "run"
        refused = tagclip("train", config, *SHORT, "--set", f"output={output}")
        self.assert_refused(refused, BAD_INPUT, "the ids count from one", "subtract 1", "tagclip data check")
        self.assertFalse(output.exists())

    def test_a_truncated_photo_fails_the_run_or_is_skipped(self):
        data = self.folder / "truncated"
        shutil.copytree(self.data, data)
        photo = data / "images" / "sample3.jpg"
        photo.write_bytes(photo.read_bytes()[:-200])
        config = samples.train_config(self.folder, data, self.clip)
        only = [*SHORT, "--set", "val_split=", "--set", f"output={self.folder / 'run'}"]
        self.assert_refused(tagclip("train", config, *only), BAD_INPUT, "sample3.jpg")
        for workers in (0, 3):
            skipped = tagclip("train", config, *only, "--set", "bad_photos=skip", "--set", f"workers={workers}",
                              "--set", f"output={self.folder / f'skip-{workers}'}")
            self.assert_done(skipped)
            self.assertEqual(skipped.err.count("a training photo is skipped:"), 1, skipped.err)
            self.assertIn("sample3.jpg", skipped.err)
        logs = [(self.folder / f"skip-{workers}" / "model.safetensors").read_bytes() for workers in (0, 3)]
        self.assertTrue(logs[0] == logs[1])

    def test_bfloat16_follows_float32(self):
        full, exact = self.train("float32", "precision=float32")
        half, mixed = self.train("bfloat16", "precision=bfloat16")
        difference = np.abs(self.losses(mixed) / self.losses(exact) - 1)
        self.assertGreater(difference.max(), 0, "nothing was computed in bfloat16")
        self.assertLess(difference[:5].max(), 0.01)
        self.assertLess(difference.max(), 0.05)
        self.assertLess(self.losses(mixed)[-5:].mean(), self.losses(mixed)[:5].mean())
        # The frozen weights come out as they went in.
        tensors = [read_safetensors(run / "model.safetensors")[1] for run in (full, half)]
        frozen = [name for name in tensors[0] if "resblocks" in name or name.startswith("text_encoder.")]
        self.assertGreater(len(frozen), 10)
        for name in frozen:
            self.assertEqual(tensors[0][name], tensors[1][name], name)


if __name__ == "__main__":
    unittest.main()
