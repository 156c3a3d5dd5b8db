"""tagclip convert: no layout loses a bit, and nothing is replaced unasked."""

import json
import unittest

import numpy as np

from support import (BAD_INPUT, CHECKPOINTS, FAILURE, MINI, ROOT, USAGE, ProgramTest, read_safetensors, tagclip,
                     write_safetensors)

MODEL_DATA = ROOT / "tests/data/model"
CLIPS = [CHECKPOINTS / "openai_torchscript.pt", CHECKPOINTS / "open_clip_epoch_7.pt"]
# What the second does not tell: it has no config.
KNOWN = "--activation", "quick_gelu", "--heads", "1,1"
MODELS = [CHECKPOINTS / "mmseg_iter_20000_legacy.pth", MINI]
FOLDERS = {"open-clip": ("open_clip_model.safetensors", "open_clip_config.json"),
           "hugging-face": ("model.safetensors", "config.json", "preprocessor_config.json")}


def tensors(path):
    return read_safetensors(path)[1]


class ConvertTest(ProgramTest):
    def convert(self, weights, name, *options):
        if weights in CLIPS:
            options = *options, *KNOWN
        self.assert_done(tagclip("convert", weights, name, *options, cwd=self.folder))
        return self.folder / name

    def tree(self):
        return {path.name: path.read_bytes() for path in self.folder.rglob("*") if path.is_file()}


class Layouts(ConvertTest):
    def test_every_layout_and_back(self):
        for sample in CLIPS:
            own = self.convert(sample, f"{sample.name}.own")
            for layout, files in FOLDERS.items():
                with self.subTest(sample.name, layout=layout):
                    folder = self.convert(sample, f"{sample.name}.{layout}", "--to", layout)
                    self.assertEqual({path.name for path in folder.iterdir()}, set(files))
                    back = self.convert(folder, f"{sample.name}.{layout}.back")
                    self.assertEqual(back.read_bytes(), own.read_bytes())

    def test_all_containers_hold_the_same_weights(self):
        _, expected = read_safetensors(MODEL_DATA / "open_clip_model.safetensors")
        self.assertEqual(tensors(self.convert(CHECKPOINTS / "open_clip_epoch_7.pt", "a")), expected)
        half = self.convert(CHECKPOINTS / "openai_torchscript.pt", "b", "--precision", "float16")
        self.assertEqual(tensors(half), expected)

    def test_element_types_are_kept(self):
        own = tensors(self.convert(CHECKPOINTS / "openai_torchscript.pt", "own"))
        self.assertEqual(own["visual.conv1.weight"][0], "F16")
        self.assertEqual(own["ln_final.weight"][0], "F32")
        self.assertFalse({"input_resolution", "context_length", "vocab_size"} & own.keys())

    def test_models(self):
        golden = tensors(MODEL_DATA / "tagclip_tiny_weights.safetensors")
        released = tensors(self.convert(MODELS[0], "released"))
        self.assertEqual({name: released[name] for name in golden}, golden)
        self.assertTrue(all(name.startswith("text_encoder.") for name in released.keys() - golden.keys()))
        mini = self.convert(MINI, "mini")
        self.assertEqual(tensors(mini), tensors(MINI))
        self.assertEqual(json.loads(read_safetensors(mini)[0]["tagclip.trained_on"]),
                         json.loads(read_safetensors(MINI)[0]["tagclip.trained_on"]))
        self.assertEqual(self.convert("mini", "again").read_bytes(), mini.read_bytes())

    def test_a_model_has_one_layout(self):
        for model in MODELS:
            for layout in FOLDERS:
                self.assert_refused(tagclip("convert", model, "out", "--to", layout, cwd=self.folder),
                                    USAGE, model, "segmentation model", layout)
        self.assertEqual(self.tree(), {})

    def test_what_is_not_known_is_asked_for_and_never_written(self):
        sample = CHECKPOINTS / "open_clip_epoch_7.pt"
        for options, parts in (((), ("--heads (1,1 if", "--activation", "QuickGELU")),
                               (("--activation", "gelu"), ("--heads (1,1 if",)),
                               (("--heads", "1,1"), ("--activation",)),
                               (("--heads", "12"), ("two whole numbers", '"12"'))):
            with self.subTest(options):
                self.assert_refused(tagclip("convert", sample, "a", *options, cwd=self.folder), USAGE, *parts)
        self.assertEqual(self.tree(), {})
        self.assert_done(tagclip("convert", sample, "a", "--activation", "gelu", "--heads", "2,4", cwd=self.folder))
        config = json.loads((self.convert("a", "b", "--to", "open-clip") / "open_clip_config.json").read_text())
        self.assertFalse(config["model_cfg"]["quick_gelu"])
        self.assertEqual(config["model_cfg"]["vision_cfg"]["head_width"], 32)
        self.assertEqual(config["model_cfg"]["text_cfg"]["heads"], 4)
        for options in ("--heads", "1,1"), ("--activation", "quick_gelu"):
            self.assert_refused(tagclip("convert", "a", "c", *options, cwd=self.folder), USAGE, "2 and 4 heads")
        self.assertFalse((self.folder / "c").exists())


# Bits of float32 -> bits of the narrower type, half to even.
ROUND = {"float16": lambda bits: bits.view("<f4").astype("<f2").view("<u2"),
         "bfloat16": lambda bits: ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16).astype("<u2")}


class Precision(ConvertTest):
    def wide(self):
        """Weights in float32 that use all of their bits."""
        wide = self.convert(CLIPS[0], "wide", "--precision", "float32", "--overwrite")
        metadata, all_tensors = read_safetensors(wide)
        random = np.random.default_rng(1)
        changed = {name: (dtype, shape, (np.frombuffer(data, "<f4") * random.uniform(0.5, 2)).astype("<f4").tobytes())
                   for name, (dtype, shape, data) in all_tensors.items()}
        write_safetensors(wide, metadata, changed)
        return wide

    def test_rounds_to_nearest(self):
        wide = self.wide()
        expected = {name: np.frombuffer(data, "<u4") for name, (_, _, data) in tensors(wide).items()}
        for word, dtype in ("float16", "F16"), ("bfloat16", "BF16"):
            for name, (stored_type, _, data) in tensors(self.convert("wide", word, "--precision", word)).items():
                self.assertEqual(stored_type, dtype)
                np.testing.assert_array_equal(np.frombuffer(data, "<u2"), ROUND[word](expected[name]), name)

    def test_a_narrow_type_widens_without_loss(self):
        for word in ("float16", "bfloat16"):
            narrow = self.convert(self.wide(), word, "--precision", word, "--overwrite")
            widened = self.convert(word, "widened", "--precision", "float32", "--overwrite")
            back = self.convert("widened", "back", "--precision", word, "--overwrite")
            self.assertEqual({entry[0] for entry in tensors(widened).values()}, {"F32"})
            self.assertEqual(tensors(back), tensors(narrow))

    def test_numbers_that_float16_cannot_hold_are_refused(self):
        wide = self.wide()
        metadata, all_tensors = read_safetensors(wide)
        dtype, shape, data = all_tensors["ln_final.weight"]
        all_tensors["ln_final.weight"] = dtype, shape, np.float32(1e6).tobytes() + data[4:]
        write_safetensors(wide, metadata, all_tensors)
        self.assert_refused(tagclip("convert", "wide", "a", "--precision", "float16", cwd=self.folder),
                            BAD_INPUT, "wide", "ln_final.weight")


class Overwriting(ConvertTest):
    def test_what_exists_is_kept(self):
        (self.folder / "mine").write_text("mine")
        self.assert_refused(tagclip("convert", CLIPS[0], "mine", cwd=self.folder), FAILURE, "mine", "--overwrite")
        self.assertEqual(self.tree(), {"mine": b"mine"})
        self.convert(CLIPS[0], "mine", "--overwrite")
        self.assertGreater(len(self.tree()["mine"]), 100_000)

    def test_a_config_alone_keeps_its_folder(self):
        for layout, names in FOLDERS.items():
            for name in names:
                with self.subTest(name):
                    folder = self.folder / name.replace(".", "_")
                    folder.mkdir()
                    (folder / name).write_text("mine")
                    self.assert_refused(tagclip("convert", CLIPS[0], folder, "--to", layout), FAILURE, name)
                    self.assertEqual([path.read_text() for path in folder.iterdir()], ["mine"])

    def test_onto_itself(self):
        own = self.convert(CLIPS[0], "own")
        before = own.read_bytes()
        self.convert("own", "own", "--overwrite")
        self.assertEqual(own.read_bytes(), before)

    def test_places_that_cannot_be_written(self):
        (self.folder / "folder").mkdir()
        for place in ("missing/out", "folder"):
            self.assert_refused(tagclip("convert", CLIPS[0], place, "--overwrite", cwd=self.folder), FAILURE, place)
        self.assertEqual(self.tree(), {})


if __name__ == "__main__":
    unittest.main()
