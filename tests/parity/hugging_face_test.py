"""transformers: what save_pretrained writes is read, and from_pretrained loads what convert writes."""

import copy
import unittest

import hugging_face_models
import shapes
from libraries import torch, transformers
from parity import ParityTest, tagclip


class HuggingFace(ParityTest):
    def make(self, shape):
        """(model in the stored type, expected values)"""
        model = hugging_face_models.make(shape)
        expected = hugging_face_models.run(model, shape.tokens(), shape.image())
        return copy.deepcopy(model).to(shape.dtype), expected

    def assert_loads_back(self, folder, expected):
        model = transformers.CLIPModel.from_pretrained(folder, dtype=torch.float32).eval()
        outputs = hugging_face_models.run(model, expected["in.tokens"], expected["in.image_a"])
        self.assert_same_outputs(outputs, expected)

    def test_every_shape_and_back(self):
        for shape in [*shapes.SHAPES, shapes.UNEVEN]:
            with self.subTest(shape.name):
                model, expected = self.make(shape)
                model.save_pretrained(self.folder / "saved")
                self.assert_verified(self.folder / "saved", expected)
                self.assert_verified(self.folder / "saved" / "model.safetensors", expected)
                converted = self.assert_lossless(self.folder / "saved")
                self.assert_same_tensors(converted["hugging-face"] / "model.safetensors", model.state_dict())
                self.assert_loads_back(converted["hugging-face"], expected)

    def test_shards(self):
        model, expected = self.make(shapes.SHAPES[1])
        folder = self.folder / "saved"
        model.save_pretrained(folder, max_shard_size="300KB")
        self.assertGreater(len(list(folder.glob("model-*.safetensors"))), 2)
        for path in (folder, folder / "model.safetensors.index.json"):
            self.assert_verified(path, expected)
        self.assert_loads_back(self.assert_lossless(folder)["hugging-face"], expected)

    def test_pytorch_model_bin(self):
        """As save_pretrained wrote it before safetensors, position_ids included."""
        model, expected = self.make(shapes.ORDINARY)
        folder = self.folder / "saved"
        model.config.save_pretrained(folder)
        state = dict(model.state_dict())
        positions = {"text_model": 77, "vision_model": 17}
        for tower, count in positions.items():
            state[f"{tower}.embeddings.position_ids"] = torch.arange(count)[None]
        torch.save(state, folder / "pytorch_model.bin")
        self.assert_verified(folder, expected)
        own = self.assert_lossless(folder)
        self.assert_same_tensors(own["hugging-face"] / "model.safetensors", model.state_dict())

    def test_configs_of_other_computations_are_refused(self):
        model, _ = self.make(shapes.SHAPES[1])
        for name, value in (("hidden_act", "gelu_new"), ("layer_norm_eps", 1e-3), ("num_attention_heads", 7)):
            with self.subTest(name):
                changed = copy.deepcopy(model)
                setattr(changed.config.vision_config, name, value)
                changed.save_pretrained(self.folder / name)
                result = tagclip("convert", self.folder / name, self.folder / "out")
                self.assert_refused(result, 3)
        self.assertFalse((self.folder / "out").exists())


if __name__ == "__main__":
    unittest.main()
