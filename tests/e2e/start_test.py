"""Training that starts from a trained model: prompts and head come with it, schedule and optimizer do not."""

import json
import re
import unittest

import numpy as np

import samples
from support import (BAD_INPUT, USAGE, ProgramTest, read_safetensors, tagclip, write_safetensors)

# Leaves every parameter as it is.
STILL = ("optimizer.lr=0", "schedule.min_lr=0", "optimizer.weight_decay=0")
PROMPTS, TOKEN = "backbone.prompt_embeddings", "decode_head.disc_token"


class StartTest(ProgramTest):
    @classmethod
    def setUpClass(cls):
        cls.clip, cls.data = samples.micro_clip(), samples.micro_dataset()

    def train(self, name, *settings, clip=""):
        """The micro recipe, with more settings; without a CLIP unless one is given."""
        config = samples.train_config(self.folder, self.data, clip)
        words = [word for setting in settings for word in ("--set", setting)]
        return tagclip("train", config, "--set", f"output={self.folder / name}", *words)

    def trained(self, *settings):
        """A model that is neither a CLIP with fresh prompts nor finished."""
        result = self.train("first", "schedule.iterations=6", "optimizer.lr=0.01", *settings, clip=self.clip)
        self.assert_done(result)
        return self.folder / "first" / "model.safetensors"

    def model(self, name):
        return read_safetensors(self.folder / name / "model.safetensors")

    def log(self, name):
        lines = (self.folder / name / "log.jsonl").read_text().splitlines()
        return [entry for entry in map(json.loads, lines) if "loss" in entry]

    def test_prompts_and_head_come_over(self):
        start = self.trained()
        self.assert_done(self.train("still", f"start={start}", *STILL))
        before, after = self.model("first")[1], self.model("still")[1]
        self.assertEqual(before.keys(), after.keys())
        for name, tensor in before.items():
            self.assertEqual(tensor, after[name], name)
        self.assert_done(self.train("on", f"start={start}"))
        changed = {name for name, tensor in self.model("on")[1].items() if tensor != before[name]}
        self.assertIn(PROMPTS, changed)
        self.assertIn(TOKEN, changed)
        self.assertFalse([name for name in changed if "resblocks" in name])

    def test_schedule_and_optimizer_begin_anew(self):
        start = self.trained()
        for name, settings in (("fresh", ()), ("started", (f"start={start}",))):
            self.assert_done(self.train(name, *settings, clip="" if settings else self.clip))
        self.assertEqual([step["lr"] for step in self.log("started")], [step["lr"] for step in self.log("fresh")])
        self.assertNotEqual(self.log("started")[0]["loss"], self.log("fresh")[0]["loss"])

    def test_table_4_as_released(self):
        """A half-way model of an inductive run, then self-training from the first step, without the token."""
        result = self.train("first", "schedule.iterations=6", "model_every=3", clip=self.clip)
        self.assert_done(result)
        names = {path.name for path in (self.folder / "first").glob("model*")}
        self.assertEqual(names, {"model_3.safetensors", "model.safetensors"})
        start = self.folder / "first" / "model_3.safetensors"
        self.assertNotEqual(read_safetensors(start)[1][PROMPTS], self.model("first")[1][PROMPTS])
        second = ("setting=transductive", "self_training.from=0", "schedule.iterations=3", "validation.weighting=none",
                  f"start={start}")
        self.assert_done(self.train("second", *second))
        metadata, tensors = self.model("second")
        self.assertFalse(json.loads(metadata["tagclip.trained_on"])["inductive"])
        self.assertIn(TOKEN, tensors)
        self.assert_done(self.train("released", "model.trusty_token=false", *second))
        self.assertNotIn(TOKEN, self.model("released")[1])
        self.assertIsNone(self.log("released")[0]["trusty"])

    def test_what_does_not_fit_is_listed(self):
        start = self.trained()
        refused = self.train("run", f"start={start}", "model.prompts=3", "model.decoder_layers=3",
                             "model.self_attention=a_n_n")
        self.assert_refused(refused, BAD_INPUT, start, f"{PROMPTS}: [1, 2, 64] in the file, [1, 3, 64] expected",
                            "backbone.deep_prompt_embeddings", "decode_head.decoder.layers.2.linear1.weight",
                            "model.prompts = 2", "model.decoder_layers = 2", 'model.self_attention = "a_n"')
        missing = self.train("run", f"start={self.trained_without_token()}")
        self.assert_refused(missing, BAD_INPUT, TOKEN, "model.trusty_token = false")
        # What leaves no trace in the shapes is compared, too.
        heads = self.train("run", f"start={start}", "model.decoder_heads=4")
        self.assert_refused(heads, BAD_INPUT, "the settings do not fit", "model.decoder_heads = 8")
        self.assertFalse((self.folder / "run").exists())

    def trained_without_token(self):
        result = self.train("bare", "model.trusty_token=false", "validation.weighting=none", clip=self.clip)
        self.assert_done(result)
        return self.folder / "bare" / "model.safetensors"

    def test_a_model_without_text_tower_takes_that_of_clip(self):
        start = self.trained()
        metadata, tensors = read_safetensors(start)
        bare = self.folder / "bare.safetensors"
        # As a published model: no text tower, nothing of ours in the metadata.
        write_safetensors(bare, {}, {name: t for name, t in tensors.items() if not name.startswith("text_encoder.")})
        self.assert_refused(self.train("run", f"start={bare}"), BAD_INPUT, "no text tower", "set clip")
        self.assert_done(self.train("run", f"start={bare}", *STILL, clip=self.clip))
        self.assertEqual(self.model("run")[1][PROMPTS], tensors[PROMPTS])
        text = "text_encoder.token_embedding.weight"
        np.testing.assert_allclose(*(np.frombuffer(t[text][2], np.float32) for t in (self.model("run")[1], tensors)))
        self.assertIn("tagclip.model", metadata)
        self.assert_refused(self.train("other", f"start={start}", clip=self.clip), USAGE,
                            "clip", "has a text tower of its own", "leave start empty")

    def test_another_crop_size_resizes_the_positions(self):
        start = self.trained()
        self.assert_done(self.train("larger", f"start={start}", *STILL, "augment.crop_size=48"))
        positions = self.model("larger")[1]["backbone.positional_embedding"]
        self.assertEqual(positions[1], [37, 64])

    def test_a_run_resumes(self):
        start = self.trained()
        for name, iterations in (("whole", 6), ("parts", 3)):
            self.assert_done(self.train(name, f"start={start}", "save_every=3", "schedule.iterations=6", "seed=3",
                                        *([] if name == "whole" else ["validate_every=6"])))
            self.assertEqual(len(self.log(name)), 6, iterations)
        # Back to the state of iteration 3, as a killed session leaves it.
        parts = self.folder / "parts"
        (parts / "checkpoints" / "iteration_6.safetensors").unlink()
        (parts / "model.safetensors").unlink()
        again = self.train("parts", f"start={start}", "save_every=3", "schedule.iterations=6", "seed=3",
                           "validate_every=6")
        self.assert_done(again)
        self.assertRegex(again.err, "resuming from 3 of 6")
        for name, tensor in self.model("whole")[1].items():
            self.assertEqual(tensor, self.model("parts")[1][name], name)
        other = self.train("parts", f"start={self.folder / 'whole' / 'model.safetensors'}", "save_every=3",
                           "schedule.iterations=6", "seed=3", "validate_every=6")
        self.assert_refused(other, BAD_INPUT, "it began with another trained model")

    def test_something_is_asked_for_to_start_from(self):
        self.assert_refused(self.train("run"), USAGE, "no weights to start from", "set clip", "start")
        self.assertTrue(re.search("start", self.train("run").err))


if __name__ == "__main__":
    unittest.main()
