"""Weights as people wrap, name and mix them: what is read, what is said, and what is refused by name."""

import json
import unittest

import numpy as np

from support import (BAD_INPUT, CHECKPOINTS, ROOT, ProgramTest, read_safetensors, tagclip, write_safetensors)

CLIP = ROOT / "tests/data/model/open_clip_model.safetensors"
CONFIG = {"model_cfg": {"embed_dim": 32, "quick_gelu": True,
                        "vision_cfg": {"image_size": 64, "patch_size": 8, "width": 64, "layers": 1, "head_width": 64},
                        "text_cfg": {"context_length": 77, "vocab_size": 512, "width": 64, "heads": 1, "layers": 1}}}


class ForeignWeights(ProgramTest):
    def setUp(self):
        super().setUp()
        self.metadata, self.tensors = read_safetensors(CLIP)
        vision, text = CONFIG["model_cfg"]["vision_cfg"], CONFIG["model_cfg"]["text_cfg"]
        vision["layers"] = self.layers("visual.transformer.resblocks.")
        text["layers"] = self.layers("transformer.resblocks.")
        text["vocab_size"] = self.tensors["token_embedding.weight"][1][0]

    def layers(self, prefix):
        return len({name.removeprefix(prefix).split(".")[0] for name in self.tensors if name.startswith(prefix)})

    def write(self, tensors, config=CONFIG, name="open_clip_model.safetensors"):
        write_safetensors(self.folder / name, {}, tensors)
        if config is not None:
            (self.folder / "open_clip_config.json").write_text(json.dumps(config))

    def info(self, path="."):
        result = tagclip("info", path, cwd=self.folder)
        self.assert_done(result)
        return result.out

    def convert(self, *options):
        return tagclip("convert", ".", "own.safetensors", *options, cwd=self.folder)

    def assert_same_clip(self):
        result = self.convert("--overwrite")
        self.assert_done(result)
        self.assertEqual(read_safetensors(self.folder / "own.safetensors")[1], self.tensors)
        return result.err

    def assert_nothing_made(self, result, *parts):
        self.assert_refused(result, BAD_INPUT, *parts)
        self.assertFalse((self.folder / "own.safetensors").exists())

    def test_any_prefix_is_taken_off_and_said(self):
        for prefix in ("module._orig_mod.", "clip_model.", "state_dict.model.", "a.b.c."):
            with self.subTest(prefix):
                self.write({prefix + name: entry for name, entry in self.tensors.items()})
                self.assertIn(f'"{prefix}" is taken off', self.info())
                self.assertIn("--mode clip", self.info())
                self.assertIn(f'"{prefix}" is taken off', self.assert_same_clip())

    def test_averaged_weights_come_first(self):
        zeros = {name: (dtype, shape, bytes(len(data))) for name, (dtype, shape, data) in self.tensors.items()}
        self.write({**{"model." + name: entry for name, entry in zeros.items()},
                    **{"model_ema.module." + name: entry for name, entry in self.tensors.items()}})
        for said in (self.info(), self.assert_same_clip()):
            self.assertIn('averaged weights (EMA), under "model_ema.module."', said)
            self.assertIn('under "model."', said)
        self.write({part + name: entry for part in ("student.", "teacher.") for name, entry in self.tensors.items()})
        (self.folder / "own.safetensors").unlink()
        self.assert_nothing_made(self.convert(), "several models", "student.", "teacher.", "torch.save")

    def test_a_scalar_of_another_shape(self):
        dtype, _, data = self.tensors["logit_scale"]
        self.write({**self.tensors, "logit_scale": (dtype, [1, 1], data)})
        self.assert_same_clip()

    def test_numbers_that_are_none(self):
        name = "transformer.resblocks.0.mlp.c_fc.weight"
        dtype, shape, data = self.tensors[name]
        self.assertEqual(dtype, "F16")
        for number, word in ((np.nan, "NaN"), (np.inf, "infinity")):
            numbers = np.frombuffer(data, "<f2").copy().reshape(shape)
            numbers[3, 7] = number
            self.write({**self.tensors, name: (dtype, shape, numbers.tobytes())})
            self.assert_nothing_made(self.convert(), name, f"holds {word} at [3, 7]")
            self.assertIn(f"it cannot be used as it is: .: \"{name}\" holds {word} at [3, 7]", self.info())
            cache = {"TAGCLIP_HOME": str(self.folder / "home")}
            for command in (["embed", "-c", "cat", "-o", "own.safetensors"],
                            ["segment", ROOT / "tests/data/photos/cat.jpg", "-c", "cat,dog", "-o", "own.safetensors"]):
                self.assert_nothing_made(tagclip(*command, "--weights", ".", "--mode", "clip", cwd=self.folder, env=cache),
                                         name, f"holds {word} at [3, 7]")
            self.assertEqual(list((self.folder / "home").rglob("*.sqlite*")), [])

    def test_types_that_are_no_weights(self):
        name = "visual.proj"
        shape = self.tensors[name][1]
        for dtype in ("I8", "BOOL", "F8_E4M3"):
            self.write({**self.tensors, name: (dtype, shape, bytes(shape[0] * shape[1]))})
            for text in (self.info(), self.convert().err):
                self.assertIn(name, text)
                self.assertIn(f"type {dtype}", text)
                self.assertNotIn("--mode clip", text)
            self.assert_nothing_made(self.convert(), "float16")

    def test_info_recommends_only_what_loads(self):
        self.write(self.tensors)
        self.assertIn("--mode clip", self.info())
        for change, part in (({"hf_tokenizer_name": "bert-base-uncased"}, "hf_tokenizer_name"),
                             ({"tokenizer_kwargs": {"clean": "canonicalize"}}, "canonicalize"),
                             ({"heads": float("nan")}, "line 1, column")):
            text = {**CONFIG["model_cfg"]["text_cfg"], **change}
            self.write(self.tensors, {"model_cfg": {**CONFIG["model_cfg"], "text_cfg": text}})
            self.assertIn(part, self.info())
            self.assertNotIn("--mode clip", self.info())
            self.assert_nothing_made(self.convert(), "open_clip_config.json", part)

    def test_other_models_are_named(self):
        for config, part in (({"model_type": "siglip"}, "a SigLIP"), ({"model_type": "chinese_clip"}, "a Chinese-CLIP"),
                             ({"model_type": "altclip"}, "an AltCLIP")):
            with self.subTest(part):
                write_safetensors(self.folder / "model.safetensors", {},
                                  {"vision_model.embeddings.patch_embedding.weight": ("F32", [1], bytes(4)),
                                   "text_model.embeddings.token_embedding.weight": ("F32", [1], bytes(4))})
                (self.folder / "config.json").write_text(json.dumps(config))
                self.assertIn(part, self.info())
                self.assertIn("use a CLIP with a plain ViT", self.info())
                self.assertNotIn("--mode clip", self.info())
                self.assert_nothing_made(self.convert(), part)
                result = tagclip("segment", ROOT / "tests/data/photos/cat.jpg", "--weights", ".", "-c", "cat",
                                 cwd=self.folder)
                self.assert_refused(result, BAD_INPUT, part)

    def test_the_file_of_a_folder_that_is_a_clip(self):
        self.write({"patch_embed.proj.weight": ("F32", [1], bytes(4)), "blocks.0.norm1.weight": ("F32", [1], bytes(4))},
                   None, "model.safetensors")
        (self.folder / "config.json").write_text('{"architecture": "vit_base_patch16_clip_224"}')
        self.assertIn("a vision transformer of timm", self.info())
        self.write(self.tensors)
        self.assertIn("open_clip_model.safetensors: a CLIP of open_clip", self.info())
        self.assert_same_clip()

    def test_an_adapter_is_named(self):
        (self.folder / "adapter_config.json").write_text('{"peft_type": "LORA", "base_model_name_or_path": "me/clip"}')
        write_safetensors(self.folder / "adapter_model.safetensors", {},
                          {"base_model.model.visual.proj.lora_A.weight": ("F32", [1], bytes(4))})
        self.assert_refused(tagclip("info", ".", cwd=self.folder), BAD_INPUT, "LORA", "me/clip", "merge")
        self.assertIn("merge", self.info("adapter_model.safetensors"))

    def test_containers_of_python_beside_the_tensors(self):
        self.assertIn("1 tensor", self.info(CHECKPOINTS / "containers.pt"))


if __name__ == "__main__":
    unittest.main()
