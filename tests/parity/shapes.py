"""Shapes of CLIPs that real ones do not have, so that no size can be mistaken for another."""

from dataclasses import dataclass

from libraries import torch

CONTEXT = 77


@dataclass(frozen=True)
class Tower:
    """One of the two transformers."""

    width: int
    layers: int
    heads: int
    mlp: int


@dataclass(frozen=True)
class Shape:
    """A CLIP to be made of random numbers, and the type they are stored in."""

    name: str
    embedding: int
    resolution: int
    patch: int
    vision: Tower
    text: Tower
    vocabulary: int
    quick_gelu: bool
    dtype: torch.dtype

    def tokens(self, texts=6):
        """Random texts [texts, 77] of random lengths: start, words, end, zeros."""
        tokens = torch.zeros(texts, CONTEXT, dtype=torch.long)
        for row, length in zip(tokens, [0, CONTEXT - 2, *torch.randint(1, 70, [texts - 2]).tolist()], strict=True):
            row[0] = self.vocabulary - 2
            row[1:length + 1] = torch.randint(0, self.vocabulary - 2, [length])
            row[length + 1] = self.vocabulary - 1
        return tokens

    def image(self):
        return torch.randn(2, 3, self.resolution, self.resolution)


# Heads of 64, as the checkpoints without a config must have them.
ORDINARY = Shape("ordinary", 64, 64, 16, Tower(128, 3, 2, 512), Tower(64, 2, 1, 256), 49408, True, torch.float16)
SHAPES = [
    ORDINARY,
    Shape("gelu, narrow heads", 48, 56, 14, Tower(96, 2, 3, 192), Tower(80, 3, 5, 320), 49408, False, torch.float32),
    Shape("wide heads, bfloat16", 40, 96, 32, Tower(192, 2, 2, 576), Tower(160, 1, 2, 480), 1000, True, torch.bfloat16),
    Shape("one patch, cut words", 24, 8, 8, Tower(64, 1, 8, 256), Tower(128, 2, 4, 512), 600, False, torch.float16),
]
# Its MLPs are no multiple, and 98 / 88 * 88 < 98 in floating point.
UNEVEN = Shape("uneven", 32, 32, 8, Tower(56, 2, 7, 230), Tower(88, 2, 11, 98), 700, False, torch.float32)


def stored_as(model, dtype):
    """Gives every parameter, those that start as 0 or 1 too, a random value that `dtype` holds; float32."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.ndim == 1:
                parameter.add_(0.1 * torch.randn_like(parameter))
            parameter.copy_(parameter.to(dtype))
    return model.eval().float()


def state_in(model, dtype):
    """A copy of its state dict in that type."""
    return {name: value.to(dtype) if value.is_floating_point() else value.clone()
            for name, value in model.state_dict().items()}
