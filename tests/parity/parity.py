"""What the tests share: expected values as `tagclip verify` compares them, and ways through convert."""

import sys
from pathlib import Path

from libraries import torch
from safetensors.torch import load_file, save_file

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
from support import ProgramTest, tagclip  # noqa: E402

LAYOUTS = ("open-clip", "hugging-face")


class Hidden:
    """Collects what modules put out: `with Hidden(modules) as hidden` fills hidden.outputs, [B, L, D]."""

    def __init__(self, modules):
        self.outputs = []
        self._modules = list(modules)

    def __enter__(self):
        def keep(_module, _inputs, output):
            self.outputs.append(output[0] if isinstance(output, tuple) else output)
        self._hooks = [module.register_forward_hook(keep) for module in self._modules]
        return self

    def __exit__(self, *_):
        for hook in self._hooks:
            hook.remove()


def golden(tokens, image, text, picture, hidden, scale):
    """By the names of verify. `hidden`: the output of ln_pre, then of each block."""
    def unit(x):
        return x / x.norm(dim=-1, keepdim=True)

    blocks = {f"clip.hidden.{i}": output for i, output in enumerate(hidden[1:])}
    return {"in.tokens": tokens, "in.image_a": image, "text.embedding": text, "text.embedding_normalized": unit(text),
            "clip.ln_pre_out": hidden[0], **blocks, "clip.image_embedding": picture,
            "clip.image_embedding_normalized": unit(picture),
            "clip.logits_per_image": scale.exp() * unit(picture) @ unit(text).T}


class ParityTest(ProgramTest):
    """Random CLIPs; each test with its own."""

    def setUp(self):
        super().setUp()
        torch.manual_seed(sum(map(ord, self._testMethodName)))

    def assert_verified(self, weights, expected):
        """All expected values, to the tolerance that golden values have."""
        path = self.folder / "expected.safetensors"
        save_file({name: value.contiguous() for name, value in expected.items()}, path)
        result = tagclip("verify", "--weights", weights, "--expected", path)
        self.assertEqual(result.code, 0, result.out + result.err)
        compared = sum(not name.startswith("in.") for name in expected)
        self.assertIn(f"{compared} tensors compared, all within tolerance", result.out)

    def convert(self, weights, name, *options):
        self.assert_done(tagclip("convert", weights, self.folder / name, *options))
        return self.folder / name

    def assert_lossless(self, weights):
        """Through every layout and back; returns the converted {layout: path}."""
        own = self.convert(weights, "own.safetensors", "--overwrite")
        converted = {"tagclip": own}
        for layout in LAYOUTS:
            converted[layout] = self.convert(own, layout, "--to", layout, "--overwrite")
            back = self.convert(converted[layout], "back.safetensors", "--overwrite")
            self.assertEqual(back.read_bytes(), own.read_bytes(), layout)
        return converted

    def assert_same_tensors(self, path, expected):
        """Bit by bit, element types too."""
        found = load_file(path)
        self.assertEqual(found.keys(), expected.keys())
        for name, tensor in expected.items():
            self.assertEqual(found[name].dtype, tensor.dtype, name)
            self.assertTrue(torch.equal(found[name], tensor), name)

    def assert_same_outputs(self, found, expected, tolerance=0):
        self.assertEqual(found.keys(), expected.keys())
        for name, value in expected.items():
            difference = (found[name] - value).abs().max().item()
            self.assertLessEqual(difference, tolerance, name)
