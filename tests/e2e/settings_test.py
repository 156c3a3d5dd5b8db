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

    def test_a_setting_without_effect_is_refused(self):
        """Nothing is silent: a value that could change nothing is a mistake."""
        config = samples.train_config(self.folder, self.data, self.clip)
        other = samples.write_dataset(self.folder / "other", count=2)
        for settings, *parts in (
                (["val_dataset=folder"], "val_dataset", "without val_data"),
                (["val_zero_label=keep"], "val_zero_label", "without val_data"),
                (["val_split=", f"val_data={other}"], "val_data", "without a val_split"),
                (["val_split=", "example_photos=sample1"], "example_photos", "without a val_split"),
                (["example_photos=sample1", "examples=3"], "examples", "example_photos left empty"),
                (["model.trusty_token=false", "validation.trusty_token=false", "validation.weighting=unseen"],
                 "validation.weighting", "trusty token"),
                (["validation.trusty_token=false", "validation.weighting=seen"], "validation.weighting"),
                (["val_split=", "val_unseen=ball"], "val_unseen", "without a val_split"),
                (["held_out_share=0.5"], "held_out_share", "trusty_source = held-out-seen"),
                (["workers=0", "prefetch=3"], "prefetch", "without workers"),
                (["self_training.from=0.25"], "self_training.from", "setting = transductive"),
                (["self_training.pseudo_labels=none"], "self_training.pseudo_labels", "setting = transductive"),
                (["setting=transductive", "self_training.from=1"], "self_training.from", "after the last iteration"),
                (["model.trusty_token=false", "loss.trusty_weight=5"], "loss.trusty_weight", "model.trusty_token"),
                (["model.trusty_token=false", "validation.weighting=seen"], "validation.weighting", "trusty token"),
                (["model.trusty_token=false", "trusty_source=held-out-seen"], "trusty_source", "model.trusty_token"),
                (["loss.presence_weight=2"], "loss.presence_weight", "model.protocol = paper"),
                (["model.prompts=0", "prompt_dropout=0.3"], "prompt_dropout", "without model.prompts"),
                (["model.prompts=0", "model.prompt_depth=1"], "prompt_depth"),
                (["schedule.warmup=0", "schedule.warmup_ratio=0.1"], "schedule.warmup_ratio", "schedule.warmup"),
                (["model.learner_text_after=true"], "learner_text_after")):
            with self.subTest(settings):
                words = [word for setting in settings for word in ("--set", setting)]
                refused = tagclip("train", config, *words, "--set", f"output={self.folder / 'run'}")
                self.assert_refused(refused, USAGE, *parts)
                self.assertFalse((self.folder / "run").exists())
        # What says only what happens anyway is let through.
        self.train("harmless", "model.trusty_token=false", "validation.weighting=none", "loss.trusty_weight=0")

    def test_a_warm_up_longer_than_the_run_is_warned_of(self):
        config = samples.train_config(self.folder, self.data, self.clip)
        warned = tagclip("train", config, "--set", "schedule.iterations=2", "--set", "schedule.warmup=1500")
        self.assert_done(warned)
        self.assertIn("warning: schedule.warmup = 1500 does not end within the run of 2 iterations", warned.err)

    def test_a_name_for_a_clip_leads_to_fetch(self):
        config = samples.train_config(self.folder, self.data, self.clip)
        refused = tagclip("train", config, "--set", "clip=ViT-B-16", cwd=self.folder)
        self.assert_refused(refused, BAD_INPUT, "clip: there is no file or folder ViT-B-16", "tagclip fetch ViT-B-16")

    def test_self_training_needs_classes_to_label(self):
        config = samples.train_config(self.folder, self.data, self.clip)
        refused = tagclip("train", config, "--set", "setting=transductive", "--set", "unseen=none",
                          "--set", f"output={self.folder / 'run'}")
        self.assert_refused(refused, BAD_INPUT, "every class is seen")

    def test_val_unseen_says_which_classes_count_as_unseen(self):
        def unseen_of(name, *settings):
            folder, _ = self.train(name, *settings)
            record = json.loads((folder / "run.json").read_text())["data"]
            last = json.loads((folder / "log.jsonl").read_text().splitlines()[-1])
            unseen = {c for c, seen in zip(record["classes"], record["seen"]) if not seen}
            return unseen, (last["mIoU(S)"], last["mIoU(U)"]), last["mIoU"]

        short = ("schedule.iterations=4", "validate_every=4")
        plain = unseen_of("plain", *short)
        self.assertEqual(plain[0], {"kite"})
        same_data = unseen_of("same", *short, "val_unseen=ball,box")
        self.assertEqual(same_data[0], {"ball", "box"})
        self.assertNotEqual(same_data[1], plain[1])
        self.assertEqual(same_data[2], plain[2], "the model and its scores are the same")
        other = samples.write_dataset(self.folder / "other")
        (other / "classes.txt").write_text("meadow\nball\nbox\nkite\nsea\n")
        self.assertEqual(unseen_of("names", *short, f"val_data={other}")[0], {"kite", "sea"})
        split = unseen_of("split", *short, f"val_data={other}", "val_unseen=ball")
        self.assertEqual(split[0], {"ball"})

    def test_eval_and_validation_divide_the_classes_alike(self):
        other = samples.write_dataset(self.folder / "other")
        (other / "classes.txt").write_text("meadow\nball\nbox\nkite\nsea\n")
        for name, settings, options in (("same", [], ["--data", self.data]),
                                        ("names", [f"val_data={other}"], ["--data", other]),
                                        ("split", [f"val_data={other}", "val_unseen=ball"],
                                         ["--data", other, "--unseen", "ball"])):
            folder, _ = self.train(name, "schedule.iterations=4", "validate_every=4", *settings)
            last = json.loads((folder / "log.jsonl").read_text().splitlines()[-1])
            measured = tagclip("eval", *options, "--weights", folder / "model.safetensors", "--json")
            self.assert_done(measured)
            metrics = json.loads(measured.out)
            for key, field in (("mIoU(S)", "mean_iou_seen"), ("mIoU(U)", "mean_iou_unseen")):
                self.assertAlmostEqual(last[key], metrics[field], 6, f"{name}: {key}")

    def test_eval_remembers_how_the_model_was_trained(self):
        """Label 0, the split of the classes, the kind of the set: what the validation of the run had."""
        folder, _ = self.train("reduced", "schedule.iterations=20", "validate_every=20", "zero_label=reduce",
                               "unseen=ball,box", "prompt=a drawing of a {}.")
        last = json.loads((folder / "log.jsonl").read_text().splitlines()[-1])
        measure = ["eval", "--data", self.data, "--weights", folder / "model.safetensors", "--json"]
        measured = tagclip(*measure)
        self.assert_done(measured)
        metrics = json.loads(measured.out)
        for key, field in (("mIoU", "mean_iou"), ("mIoU(S)", "mean_iou_seen"), ("mIoU(U)", "mean_iou_unseen")):
            self.assertAlmostEqual(last[key], metrics[field], 6, key)
        self.assertEqual([c["name"] for c in metrics["classes"]], ["ball", "box", "kite", "lake"])
        self.assertIn("as in the model's training: label 0 is void", measured.err)
        self.assertIn("follow the split of the model's training: 2 seen, 2 unseen", measured.err)
        self.assertIn('prompt template of the model\'s training: "a drawing of a {}."', measured.err)
        told = tagclip(*measure, "--zero-label", "keep", "--unseen", "kite")
        self.assert_done(told)
        self.assertEqual(len(json.loads(told.out)["classes"]), 5)
        self.assertNotIn("as in the model's training", told.err)

    def test_the_settings_of_the_validation_reach_it(self):
        """Table 3 as released: the token left out, nothing subtracted, no weighting."""
        def last_of(name, *settings):
            folder, _ = self.train(name, "schedule.iterations=20", "validate_every=20", *settings)
            last = json.loads((folder / "log.jsonl").read_text().splitlines()[-1])
            return folder, {key: value for key, value in last.items() if "IoU" in key or "Acc" in key}

        folder, plain = last_of("plain")
        released = ("validation.trusty_token=false", "validation.seen_bias=0", "validation.weighting=none")
        _, table3 = last_of("table3", *released)
        self.assertNotEqual(plain, table3)
        measured = tagclip("eval", "--data", self.data, "--weights", folder / "model.safetensors", "--json",
                           "--trusty-token", "false", "--seen-bias", "0", "--weighting", "none")
        self.assert_done(measured)
        self.assertAlmostEqual(json.loads(measured.out)["mean_iou"], table3["mIoU"], 6)

    def test_examples_are_photos_by_name(self):
        folder, _ = self.train("named", "schedule.iterations=2", "example_photos=sample5,sample2")
        kept = {path.name.split(".")[0] for path in (folder / "examples").iterdir()}
        self.assertEqual(kept, {"sample5", "sample2"})
        config = samples.train_config(self.folder, self.data, self.clip)
        refused = tagclip("train", config, "--set", "example_photos=sample99", "--set", f"output={self.folder / 'x'}")
        self.assert_refused(refused, USAGE, "example_photos: val has no \"sample99\"")

    def test_absent_losses_are_null(self):
        folder, steps = self.train("bare", "model.trusty_token=false", "schedule.iterations=2")
        self.assertEqual([(step["trusty"], step["presence"]) for step in steps], [(None, None)] * 2)
        self.assertNotIn(b"loss/presence", b"".join(p.read_bytes() for p in folder.glob("events.out.*")))
        _, steps = self.train("paper", "model.protocol=paper", "schedule.iterations=2")
        self.assertTrue(all(step["trusty"] > 0 and step["presence"] > 0 for step in steps))

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
        # A photo that has gone is as bad, and the list of photos that a run is bound to stays the same.
        photo.unlink()
        gone = ["--set", f"output={self.folder / 'skip-0'}", "--set", "workers=0", "--set", "extend=true",
                "--set", "schedule.iterations=45"]
        self.assert_refused(tagclip("train", config, *only, *gone), BAD_INPUT, "no photo for sample3")
        skipped = tagclip("train", config, *only, *gone, "--set", "bad_photos=skip")
        self.assert_done(skipped)
        self.assertIn("cannot read " + str(photo), skipped.err)

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
