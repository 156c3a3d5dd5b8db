"""open_clip: what it saves is read, what convert writes it loads, and all three compute the same."""

import copy
import unittest

import hugging_face_models
import open_clip_models
import shapes
from libraries import open_clip, torch, transformers
from parity import ParityTest, tagclip
from safetensors.torch import save_file


class OpenClip(ParityTest):
    def make(self, shape):
        settings = open_clip_models.config(shape)
        open_clip_models.write_config(self.folder, settings)
        model = open_clip_models.make(shape, settings)
        expected = open_clip_models.run(model, shape.tokens(), shape.image())
        return model, shapes.state_in(model, shape.dtype), expected

    def assert_loads_back(self, folder, expected):
        model = open_clip.create_model(f"local-dir:{folder}").eval()
        outputs = open_clip_models.run(model, expected["in.tokens"], expected["in.image_a"])
        self.assert_same_outputs(outputs, expected)

    def test_safetensors_of_every_shape(self):
        for shape in shapes.SHAPES:
            with self.subTest(shape.name):
                _, state, expected = self.make(shape)
                weights = self.folder / "open_clip_model.safetensors"
                save_file(state, weights)
                for path in (weights, self.folder):
                    self.assert_verified(path, expected)
                converted = self.assert_lossless(self.folder)
                self.assert_same_tensors(converted["tagclip"], state)
                self.assert_same_tensors(converted["open-clip"] / weights.name, state)
                self.assert_loads_back(converted["open-clip"], expected)

                theirs = transformers.CLIPModel.from_pretrained(converted["hugging-face"], dtype=torch.float32)
                outputs = hugging_face_models.run(theirs.eval(), expected["in.tokens"], expected["in.image_a"])
                self.assert_same_outputs(outputs, expected, 1e-5)

    def test_checkpoints_of_the_trainer(self):
        model, state, expected = self.make(shapes.ORDINARY)
        wrapped = {f"module.{name}": value for name, value in state.items()}
        optimizer = torch.optim.AdamW(model.parameters())
        for name, content in (("state_dict.pt", state),
                              ("epoch_3.pt", {"epoch": 3, "name": "a run", "state_dict": wrapped}),
                              ("epoch_4.pt", {"epoch": 4, "name": "a run", "state_dict": wrapped,
                                              "optimizer": optimizer.state_dict()}),
                              ("open_clip_pytorch_model.bin", state)):
            with self.subTest(name):
                torch.save(content, self.folder / name)
                self.assert_verified(self.folder / name, expected)
        torch.save(state, self.folder / "legacy.pt", _use_new_zipfile_serialization=False)
        self.assert_verified(self.folder / "legacy.pt", expected)
        # Without its config, heads of 64 and QuickGELU are right for this shape.
        (self.folder / "open_clip_config.json").unlink()
        self.assert_verified(self.folder / "epoch_3.pt", expected)

    def test_load_checkpoint_takes_what_convert_writes(self):
        model, state, expected = self.make(shapes.ORDINARY)
        torch.save(state, self.folder / "state_dict.pt")
        own = self.convert(self.folder / "state_dict.pt", "own.safetensors")
        other = copy.deepcopy(model)
        torch.nn.init.zeros_(other.visual.proj)
        open_clip.load_checkpoint(other, str(own))
        outputs = open_clip_models.run(other, expected["in.tokens"], expected["in.image_a"])
        self.assert_same_outputs(outputs, expected)

    def test_uneven_mlps_are_read(self):
        _, state, expected = self.make(shapes.UNEVEN)
        save_file(state, self.folder / "open_clip_model.safetensors")
        self.assert_verified(self.folder, expected)
        self.assert_lossless(self.folder)

    def test_uneven_mlps_load_back(self):
        _, state, expected = self.make(shapes.UNEVEN)
        save_file(state, self.folder / "open_clip_model.safetensors")
        self.assert_loads_back(self.convert(self.folder, "converted", "--to", "open-clip"), expected)


# Settings that change what is computed, but hardly a tensor's name or shape.
VARIANTS = [("vision", "pool_type", "avg"), ("vision", "final_ln_after_pool", True),
            ("vision", "pos_embed_type", "sin_cos_2d"), ("vision", "norm_kwargs", {"eps": 1e-3}),
            ("vision", "act_kwargs", {"approximate": "tanh"}), ("vision", "no_ln_pre", True),
            ("text", "pool_type", "last"), ("text", "norm_kwargs", {"eps": 1e-3}), ("text", "no_causal_mask", True)]


class Variants(ParityTest):
    def test_are_refused(self):
        shape = shapes.SHAPES[1]
        for tower, name, value in VARIANTS:
            with self.subTest(tower, name=name):
                settings = open_clip_models.config(shape, **{tower: {name: value}})
                model = open_clip_models.make(shape, settings)
                save_file(shapes.state_in(model, shape.dtype), self.folder / "open_clip_model.safetensors")
                open_clip_models.write_config(self.folder, settings)
                result = tagclip("convert", self.folder, self.folder / f"{tower}-{name}")
                self.assert_refused(result, 3, "open_clip_config.json", name)


if __name__ == "__main__":
    unittest.main()
