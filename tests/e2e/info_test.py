"""tagclip info: describes every readable file of weights and refuses the others by what they are."""

import json
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

BINARY = os.environ["TAGCLIP_BINARY"]
DATA = Path(__file__).resolve().parents[1] / "data"
CHECKPOINTS = Path(os.environ.get("TAGCLIP_SHARED_DATA", "")) / "golden" / "checkpoints"


def info(path, *options, cwd=None):
    return subprocess.run([BINARY, "info", str(path), *options], capture_output=True, text=True, timeout=20, cwd=cwd)


class Weights(unittest.TestCase):
    def describe(self, name, *options):
        done = info(DATA / "model" / name, *options)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_segmentation_model(self):
        text = self.describe("tagclip_tiny_weights.safetensors")
        self.assertIn("a TagCLIP segmentation model", text)
        self.assertIn("111 tensors, 93,664 parameters", text)
        self.assertRegex(text, r"vision tower +width 32, 3 layers, patch 8, resolution 64 \(8x8 patches\), embedding 32")
        self.assertRegex(text, r"visual prompts +4 tokens per layer")
        self.assertRegex(text, r"decoder +3 layers, self-attention a_n_n, width 32, a trusty token")
        self.assertRegex(text, r"trusty token +32 parameters, 0.03% of all; tagclip report shows its time")
        self.assertRegex(text, r"backbone +49,024 in 50 tensors")
        self.assertRegex(text, r"decode_head +44,640 in 61 tensors")
        self.assertRegex(text, r"decoder_heads +4")
        self.assertNotIn("ln_post", text)

    def test_clip(self):
        text = self.describe("open_clip_model.safetensors")
        self.assertIn("a CLIP of open_clip", text)
        self.assertRegex(text, r"text tower +width 64, 1 layer, context 77, vocabulary 512, embedding 32")
        self.assertRegex(text, r"\(text tower\) +89,856 in 17 tensors")
        self.assertRegex(text, r"F16 +208,641 in 50 tensors")

    def test_tensors(self):
        text = self.describe("open_clip_model.safetensors", "--tensors")
        self.assertRegex(text, r"visual\.conv1\.weight +F16 +\[64, 3, 8, 8\]")
        self.assertRegex(text, r"logit_scale +F16 +\[\]")

    def test_json(self):
        report = json.loads(self.describe("zegclip_tiny_weights.safetensors", "--json", "--tensors"))
        self.assertEqual(report["format"], "safetensors")
        self.assertIn("without a trusty token", report["kind"])
        self.assertEqual(report["parameters"], sum(group["parameters"] for group in report["groups"].values()))
        self.assertEqual(report["tensor_count"], len(report["tensors"]))
        self.assertIn({"name": "backbone.proj", "type": "F32", "shape": [32, 32]}, report["tensors"])
        self.assertEqual(report["metadata"]["model"], "zegclip")

    def test_reference_values(self):
        self.assertIn("reference values", self.describe("tagclip_tiny_expected.safetensors"))


class Metadata(unittest.TestCase):
    """What people wrote into a file is shown, what it could do to a terminal is not."""

    def describe(self, metadata):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "a.safetensors"
            header = json.dumps({"__metadata__": metadata, "w": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]}})
            path.write_bytes(len(header).to_bytes(8, "little") + header.encode() + b"\0")
            done = info(path)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(json.loads(info(path, "--json").stdout)["metadata"], metadata)
            return done.stdout

    def test_what_a_model_was_trained_on(self):
        classes = [{"name": "猫", "seen": True}, {"name": "sofa", "seen": False}, {"name": "dog", "seen": True}]
        trained_on = {"classes": classes, "templates": ["a photo of a {}"], "inductive": True}
        text = self.describe({"tagclip.trained_on": json.dumps(trained_on), "tagclip.model": '{"protocol": "paper"}'})
        self.assertRegex(text, r"\n  seen classes +2: 猫, dog\n")
        self.assertRegex(text, r"\n  unseen classes +1: sofa\n")
        self.assertRegex(text, r"\n  setting +inductive\n")
        self.assertRegex(text, r"\n  template +a photo of a \{\}\n")
        self.assertRegex(text, r"\n  tagclip.model.protocol +paper\n?")

    def test_damaged_entries_are_shown_as_they_are(self):
        self.assertRegex(self.describe({"tagclip.trained_on": '{"classes": 3}'}), r"tagclip.trained_on.classes +3")
        self.assertRegex(self.describe({"tagclip.trained_on": "{"}), r"tagclip.trained_on +\{")

    def test_control_characters_and_endless_values_are_not_printed(self):
        text = self.describe({"a": "x\x1b[31my\u009b0m\nz", "long": "é" * 5000, "deep": "[" * 100000})
        self.assertNotRegex(text, "[\x00-\x09\x0b-\x1f\x7f-\x9f]")
        self.assertRegex(text, r"\n  a +x \[31my 0m z\n")
        self.assertLess(max(map(len, text.splitlines())), 400)


class OtherFiles(unittest.TestCase):
    def test_missing_file_and_folder(self):
        for path in ["no/such/file", DATA]:
            done = info(path)
            self.assertEqual(done.returncode, 3)
            self.assertIn(str(path), done.stderr)
        self.assertIn("tagclip fetch ViT-B-16", info("ViT-B/16").stderr)

    def test_files_of_other_kinds(self):
        for path, word in [("photos/cat.jpg", "JPEG"), ("model/losses.json", "JSON")]:
            done = info(DATA / path)
            self.assertEqual(done.returncode, 3)
            self.assertIn(word, done.stderr)


@unittest.skipUnless(CHECKPOINTS.is_dir(), "the reference checkpoints are not here")
class ReferenceCheckpoints(unittest.TestCase):
    def test_malformed_files(self):
        expected = json.loads((CHECKPOINTS / "malformed" / "expected.json").read_text())
        with tempfile.TemporaryDirectory() as folder:
            for name, entry in expected.items():
                with self.subTest(name):
                    done = info(CHECKPOINTS / "malformed" / name, cwd=folder)
                    readable = entry["expect"] != "reject"
                    self.assertEqual(done.returncode, 0 if readable else 3, done.stdout + done.stderr)
                    if not readable:
                        self.assertIn(name, done.stderr)
                        self.assertEqual(done.stdout, "")
            self.assertEqual(os.listdir(folder), [], "a hostile file was executed")

    def test_hugging_face(self):
        done = info(CHECKPOINTS / "hf_safetensors" / "model.safetensors")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("a CLIP in Hugging Face's layout", done.stdout)
        self.assertRegex(done.stdout, r"vision tower +width 64, 2 layers, patch 8, resolution 64 \(8x8 patches\), embedding 32")
        self.assertRegex(done.stdout, r"text tower +width 64, 1 layer, context 77, vocabulary 512, embedding 32")

    def test_every_dialect_is_named(self):
        no_decoder = "CLIP only, no decoder"
        for name, parts in [
            ("openai_torchscript.pt", ["TorchScript archive", "a CLIP of OpenAI", no_decoder]),
            ("openai_state_dict.pt", ["PyTorch archive", "a CLIP of OpenAI", no_decoder]),
            ("open_clip_pytorch_model.bin", ["PyTorch archive", "a CLIP of open_clip", no_decoder]),
            ("open_clip_epoch_7.pt", ["PyTorch archive", "a CLIP of open_clip", no_decoder]),
            ("hf_bin", ["PyTorch archive", "a CLIP in Hugging Face's layout", no_decoder]),
            ("mmseg_iter_20000.pth", ["PyTorch archive", "a TagCLIP segmentation model",
                                      "beside the model: optimizer", "6: aeroplane, bicycle, bird",
                                      "3: pottedplant, sheep, sofa"]),
            ("mmseg_iter_20000_legacy.pth", ["PyTorch file from before 1.6",
                                             "a TagCLIP segmentation model"]),
        ]:
            with self.subTest(name):
                done = info(CHECKPOINTS / name)
                self.assertEqual(done.returncode, 0, done.stderr)
                for part in parts:
                    self.assertIn(part, done.stdout)


if __name__ == "__main__":
    unittest.main()
