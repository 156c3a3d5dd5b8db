"""OpenAI's way: TorchScript archives and their state dicts, float16 and float32 mixed."""

import unittest
import warnings
from dataclasses import replace

import open_clip_models
import shapes
from libraries import open_clip, torch
from openai_clip import OpenAiClip, is_half
from parity import Hidden, ParityTest, golden

# OpenAI's files tell neither heads nor activation: heads of 64, and QuickGELU.
SHAPES = [shapes.ORDINARY,
          replace(shapes.ORDINARY, name="cut", vocabulary=600, resolution=96, patch=8,
                  text=replace(shapes.ORDINARY.text, width=128, heads=2, mlp=512))]


def run(model, tokens, image):
    with torch.no_grad(), Hidden([model.visual.ln_pre, *model.visual.transformer.resblocks]) as hidden:
        return golden(tokens, image, model.encode_text(tokens), model.encode_image(image), hidden.outputs,
                      model.logit_scale.detach())


class OpenAi(ParityTest):
    def make(self, shape):
        """A model whose float16 part holds float16 values, and what it puts out."""
        model = shapes.stored_as(OpenAiClip(shape), torch.float32)
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                if is_half(name):
                    parameter.copy_(parameter.half())
        return model, run(model, shape.tokens(), shape.image())

    def traced(self, model, expected):
        """Half of it turned to float16 after tracing, so that the CPU need not compute in it."""
        inputs = {"forward": (expected["in.image_a"], expected["in.tokens"]), "encode_image": expected["in.image_a"],
                  "encode_text": expected["in.tokens"]}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch.jit is on its way out; the files stay
            archive = torch.jit.trace_module(model, inputs, check_trace=False)
        for name, parameter in archive.named_parameters():
            if is_half(name):
                parameter.data = parameter.data.half()
        return archive

    def test_archives_and_state_dicts(self):
        for shape in SHAPES:
            with self.subTest(shape.name):
                model, expected = self.make(shape)
                archive = self.traced(model, expected)
                archive.save(self.folder / "archive.pt")
                state = archive.state_dict()
                self.assertEqual({value.dtype for value in state.values()}, {torch.float16, torch.float32, torch.int64})
                torch.save(state, self.folder / "state_dict.pt")
                weights = {name: value for name, value in state.items() if value.dtype != torch.int64}
                for name in ("archive.pt", "state_dict.pt"):
                    self.assert_verified(self.folder / name, expected)
                    converted = self.assert_lossless(self.folder / name)
                    self.assert_same_tensors(converted["tagclip"], weights)
                theirs = open_clip.create_model(f"local-dir:{converted['open-clip']}").eval()
                outputs = open_clip_models.run(theirs, expected["in.tokens"], expected["in.image_a"])
                self.assert_same_outputs(outputs, expected, 1e-5)


if __name__ == "__main__":
    unittest.main()
