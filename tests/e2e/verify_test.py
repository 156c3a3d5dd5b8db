"""tagclip verify: golden pairs pass, and nothing that differs or is unknown does."""

import json
import os
import struct
import subprocess
import tempfile
import unittest
from pathlib import Path

BINARY = os.environ["TAGCLIP_BINARY"]
DATA = Path(__file__).resolve().parents[1] / "data" / "model"


def read(path):
    """(metadata, {name: (dtype, shape, bytes)}) of a safetensors file."""
    content = Path(path).read_bytes()
    length = struct.unpack("<Q", content[:8])[0]
    header = json.loads(content[8 : 8 + length])
    metadata = header.pop("__metadata__", {})
    data = content[8 + length :]
    return metadata, {
        name: (entry["dtype"], entry["shape"], data[slice(*entry["data_offsets"])]) for name, entry in header.items()
    }


def write(path, metadata, tensors):
    header, data = {"__metadata__": metadata}, b""
    for name, (dtype, shape, values) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(values)]}
        data += values
    text = json.dumps(header).encode()
    Path(path).write_bytes(struct.pack("<Q", len(text)) + text + data)


def floats(*values):
    return struct.pack(f"<{len(values)}f", *values)


def verify(weights, expected, *options):
    command = [BINARY, "verify", "--weights", str(weights), "--expected", str(expected), *map(str, options)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


class GoldenPairs(unittest.TestCase):
    def assert_passes(self, count, weights, expected, *options):
        done = verify(DATA / weights, DATA / expected, *options)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertTrue(done.stdout.endswith(f"{count} tensors compared, all within tolerance\n"), done.stdout)

    def test_tagclip(self):
        self.assert_passes(71, "tagclip_tiny_weights.safetensors", "tagclip_tiny_expected.safetensors")

    def test_zegclip(self):
        self.assert_passes(78, "zegclip_tiny_weights.safetensors", "zegclip_tiny_expected.safetensors")

    def test_zegclip_as_released(self):
        self.assert_passes(
            15, "zegclip_tiny_weights.safetensors", "zegclip_release_expected.safetensors",
            "--inputs", DATA / "zegclip_tiny_expected.safetensors",
        )  # fmt: skip

    def test_text_tower_in_one_file(self):
        self.assert_passes(2, "clip_tiny_text.safetensors", "clip_tiny_text.safetensors")

    def test_clip(self):
        self.assert_passes(16, "open_clip_model.safetensors", "open_clip_expected.safetensors")


class ChangedPairs(unittest.TestCase):
    weights = DATA / "tagclip_tiny_weights.safetensors"

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "expected.safetensors"
        self.metadata, self.tensors = read(DATA / "tagclip_tiny_expected.safetensors")

    def verify(self, *options):
        write(self.path, self.metadata, self.tensors)
        return verify(self.weights, self.path, *options)

    def change_first(self, name, difference):
        dtype, shape, values = self.tensors[name]
        first = struct.unpack("<f", values[:4])[0]
        self.tensors[name] = (dtype, shape, floats(first + difference) + values[4:])

    def keep(self, *prefixes):
        self.tensors = {name: t for name, t in self.tensors.items() if name.startswith(prefixes)}

    def assert_refused(self, done, *words):
        self.assertEqual(done.returncode, 3, done.stdout + done.stderr)
        self.assertEqual(done.stdout, "")
        for word in words:
            self.assertIn(word, done.stderr)

    def test_the_worst_comes_first_and_the_earliest_is_named(self):
        self.change_first("vision.global_embedding", 2e-5)
        self.change_first("infer.inductive.plain", 1e-3)
        done = self.verify()
        self.assertEqual(done.returncode, 1)
        lines = done.stdout.splitlines()
        self.assertRegex(lines[1], r"^FAIL  infer\.inductive\.plain .*1\.0e-03")
        self.assertRegex(lines[2], r"^FAIL  vision\.global_embedding ")
        self.assertIn("2 past tolerance; the first in the order of the computation is vision.global_embedding", lines[-1])

    def test_each_kind_has_its_tolerance(self):
        for name, difference, option in [
            ("vision.global_embedding", 2e-5, "--tolerance=1e-4"),
            ("train.loss_dice", 1e-3, "--loss-tolerance=1e-1"),
            ("grad.backbone.prompt_embeddings", 1e-4, "--grad-atol=1e-3"),
        ]:
            with self.subTest(name):
                self.setUp()
                self.change_first(name, difference)
                self.assertEqual(self.verify().returncode, 1)
                self.assertEqual(self.verify(option).returncode, 0)

    def test_what_is_not_a_number_fails(self):
        self.change_first("vision.global_embedding", float("nan"))
        self.assertEqual(self.verify("--tolerance=1e9").returncode, 1)

    def test_nothing_unknown_passes(self):
        self.tensors["vision.colour"] = ("F32", [1], floats(0))
        done = self.verify()
        self.assertEqual(done.returncode, 1)
        self.assertIn("1 expected but not computed by this program:\n  vision.colour", done.stdout)

    def test_json(self):
        self.change_first("vision.global_embedding", 1e-3)
        self.tensors["vision.colour"] = ("F32", [1], floats(0))
        report = json.loads(self.verify("--json").stdout)
        self.assertFalse(report["pass"])
        self.assertEqual(report["not_computed"], ["vision.colour"])
        self.assertEqual(len(report["tensors"]), 71)
        worst = report["tensors"][0]
        self.assertEqual(worst["name"], "vision.global_embedding")
        self.assertEqual(worst["shape"], [2, 32])
        self.assertFalse(worst["pass"])
        self.assertAlmostEqual(worst["max_absolute_difference"], 1e-3, places=5)
        self.assertTrue(all(t["pass"] for t in report["tensors"][1:]))

    def test_a_batch_of_one_and_no_labels(self):
        self.keep("in.image", "in.text", "in.seen_idx", "vision.", "decoder.", "infer.")
        for name, (dtype, shape, values) in self.tensors.items():
            if not name.startswith(("in.text", "in.seen_idx")):
                self.tensors[name] = (dtype, [1, *shape[1:]], values[: len(values) // shape[0]])
        done = self.verify()
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("15 tensors compared", done.stdout)

    def test_transductive_weighting_is_known_too(self):
        self.tensors["infer.transductive.both"] = self.tensors["infer.inductive.both"]
        done = self.verify()  # without the deduction the values differ, but they are computed
        self.assertRegex(done.stdout, r"FAIL  infer\.transductive\.both")
        self.assertNotIn("not computed", done.stdout)

    def test_another_shape_is_refused(self):
        dtype, shape, values = self.tensors["decoder.layer0.query"]
        self.tensors["decoder.layer0.query"] = (dtype, [*shape, 1], values)
        self.assert_refused(self.verify(), "decoder.layer0.query", "[2, 7, 32, 1] in the file, [2, 7, 32] computed")

    def test_inputs_must_be_there(self):
        self.keep("in.image", "in.text", "in.seen_idx", "train.")
        self.assert_refused(self.verify(), "in.label")
        self.keep("in.image", "vision.")
        self.assert_refused(self.verify(), "in.text")
        self.keep("vision.")
        self.assert_refused(self.verify(), "no inputs", "--inputs")

    def test_something_must_be_expected(self):
        self.keep("in.")
        self.assert_refused(self.verify(), "no value")

    def test_endless_histories_are_refused(self):
        self.tensors["train.loss_history_adamw_lr1_wd0"] = ("F32", [2000], floats(*[0.0] * 2000))
        self.assert_refused(self.verify(), "at most 1000")

    def test_other_weights_are_named(self):
        self.weights = DATA / "losses.safetensors"
        self.assert_refused(self.verify(), "not a CLIP", "another model")
        self.weights = DATA / "losses.json"
        self.assert_refused(self.verify(), "JSON")

    def test_an_architecture_that_does_not_fit(self):
        self.assert_refused(self.verify("--arch", "zegclip"), "disc_token")
        done = self.verify("--arch", "segclip")
        self.assertEqual(done.returncode, 2)

    def test_tolerances_are_numbers(self):
        self.assertEqual(self.verify("--tolerance=-1").returncode, 2)
        self.assertEqual(self.verify("--tolerance=nan").returncode, 2)


if __name__ == "__main__":
    unittest.main()
