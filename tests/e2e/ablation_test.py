"""The switches of the paper's ablations, from config to checkpoint to masks."""

import json
import unittest

import samples
from support import PHOTOS, ProgramTest, tagclip


class AblationTest(ProgramTest):
    def train(self, *assignments):
        config = samples.train_config(self.folder, samples.micro_dataset(), samples.micro_clip())
        settings = [word for a in ("schedule.iterations=2", *assignments) for word in ("--set", a)]
        self.assert_done(tagclip("train", config, *settings))
        return self.folder / "run" / "model.safetensors"

    def assert_usable(self, model, **architecture):
        info = tagclip("info", model, "--json")
        self.assert_done(info)
        found = json.loads(info.out)["architecture"]
        for part, words in architecture.items():
            self.assertIn(words, found[part.replace("_", " ")])
        segmented = tagclip("segment", PHOTOS / "cat.jpg", "--weights", model, "-o", self.folder / "out")
        self.assert_done(segmented)

    def test_a_learner_of_other_inputs(self):
        model = self.train("model.self_attention=n_n", "model.learner_query=product", "model.learner_key=text",
                           "model.learner_value=concat")
        self.assert_usable(model, decoder="self-attention n_n, width 64, a trusty token, a Trusty Learner before it")

    def test_text_after_the_learner(self):
        model = self.train("model.self_attention=n_n", "model.learner_query=image", "model.learner_key=image",
                           "model.learner_value=text", "model.learner_text_after=true", "model.protocol=paper")
        self.assert_usable(model, decoder="a Trusty Learner before it")

    def test_shallow_prompts(self):
        self.assert_usable(self.train("model.prompt_depth=1"), visual_prompts="2 tokens per layer, in the first 1 of 2")

    def test_no_trusty_token(self):
        model = self.train("model.self_attention=n_n", "model.trusty_token=false")
        self.assert_usable(model, decoder="self-attention n_n, width 64, no trusty token")


if __name__ == "__main__":
    unittest.main()
