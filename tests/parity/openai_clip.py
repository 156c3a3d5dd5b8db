"""CLIP under the names of OpenAI's checkpoints, plain PyTorch, with the dense readings of its last block."""

import math

from libraries import torch
from shapes import CONTEXT
from torch import nn
from torch.nn import functional


class Block(nn.Module):
    def __init__(self, tower):
        super().__init__()
        self.attn = nn.MultiheadAttention(tower.width, tower.heads, batch_first=True)
        self.ln_1 = nn.LayerNorm(tower.width)
        self.mlp = nn.ModuleDict({"c_fc": nn.Linear(tower.width, tower.mlp),
                                  "c_proj": nn.Linear(tower.mlp, tower.width)})
        self.ln_2 = nn.LayerNorm(tower.width)

    def heads(self, x):
        """Queries, keys, values, [B, heads, L, head] each."""
        parts = functional.linear(x, self.attn.in_proj_weight, self.attn.in_proj_bias).chunk(3, -1)
        return [part.unflatten(-1, (self.attn.num_heads, -1)).transpose(1, 2) for part in parts]

    def attention(self, x, mask):
        queries, keys, values = self.heads(x)
        return self.joined(weights(queries, keys, mask) @ values)

    def joined(self, values):
        return self.attn.out_proj(values.transpose(1, 2).flatten(2))

    def value_path(self, x):
        """MaskCLIP: each patch keeps its own value."""
        return self.joined(self.heads(x)[2])

    def correlative(self, x):
        """SCLIP: attention to what has like queries, and like keys."""
        queries, keys, values = self.heads(x)
        return self.joined((weights(queries, queries) + weights(keys, keys)) @ values)

    def forward(self, x, mask=None, attention=None):
        y = self.ln_1(x)
        x = x + (self.attention(y, mask) if attention is None else attention(y))
        y = self.mlp["c_fc"](self.ln_2(x))
        return x + self.mlp["c_proj"](y * torch.sigmoid(1.702 * y))


def weights(queries, keys, mask=None):
    scores = queries @ keys.transpose(2, 3) / math.sqrt(queries.shape[-1])
    return (scores if mask is None else scores + mask).softmax(-1)


class Transformer(nn.Module):
    def __init__(self, tower):
        super().__init__()
        self.resblocks = nn.ModuleList(Block(tower) for _ in range(tower.layers))


class Vision(nn.Module):
    def __init__(self, shape):
        super().__init__()
        width = shape.vision.width
        self.conv1 = nn.Conv2d(3, width, shape.patch, shape.patch, bias=False)
        self.class_embedding = nn.Parameter(torch.randn(width) / width**0.5)
        self.positional_embedding = nn.Parameter(
            torch.randn((shape.resolution // shape.patch)**2 + 1, width) / width**0.5)
        self.ln_pre = nn.LayerNorm(width)
        self.transformer = Transformer(shape.vision)
        self.ln_post = nn.LayerNorm(width)
        self.proj = nn.Parameter(torch.randn(width, shape.embedding) / width**0.5)

    def embed(self, image):
        patches = self.conv1(image)
        first = self.class_embedding.expand(len(image), 1, -1)
        x = torch.cat([first, patches.flatten(2).transpose(1, 2)], 1)
        return self.ln_pre(x + self.positions(*patches.shape[2:]))

    def positions(self, height, width):
        side = math.isqrt(len(self.positional_embedding) - 1)
        grid = self.positional_embedding[1:].T.unflatten(1, (side, side))[None]
        grid = functional.interpolate(grid, (height, width), mode="bilinear", align_corners=False)
        return torch.cat([self.positional_embedding[:1], grid[0].flatten(1).T])

    def forward(self, image):
        x = self.embed(image)
        for block in self.transformer.resblocks:
            x = block(x)
        return self.ln_post(x[:, 0]) @ self.proj

    def dense(self, image, mode):
        """Unit embeddings of the patches [B, d, h, w]; `mode`: "clip" or "sclip"."""
        x = self.embed(image)
        *blocks, last = self.transformer.resblocks
        for block in blocks:
            x = block(x)
        x = last(x, attention=last.value_path if mode == "clip" else last.correlative)
        x = functional.normalize(self.ln_post(x) @ self.proj, dim=-1)
        height = image.shape[2] // self.conv1.kernel_size[0]
        return x[:, 1:].transpose(1, 2).unflatten(2, (height, -1))


class OpenAiClip(nn.Module):
    def __init__(self, shape):
        super().__init__()
        width = shape.text.width
        self.positional_embedding = nn.Parameter(0.1 * torch.randn(CONTEXT, width))
        self.text_projection = nn.Parameter(torch.randn(width, shape.embedding) / width**0.5)
        self.logit_scale = nn.Parameter(torch.tensor(math.log(1 / 0.07)))
        self.visual = Vision(shape)
        self.transformer = Transformer(shape.text)
        self.token_embedding = nn.Embedding(shape.vocabulary, width)
        self.ln_final = nn.LayerNorm(width)
        for name, value in (("input_resolution", shape.resolution), ("context_length", CONTEXT),
                            ("vocab_size", shape.vocabulary)):
            self.register_buffer(name, torch.tensor(value))

    def encode_image(self, image):
        return self.visual(image)

    def encode_text(self, tokens):
        length = tokens.shape[1]
        mask = torch.full((length, length), -torch.inf).triu(1)
        x = self.token_embedding(tokens) + self.positional_embedding
        for block in self.transformer.resblocks:
            x = block(x, mask)
        return self.ln_final(x)[torch.arange(len(x)), tokens.argmax(1)] @ self.text_projection

    def forward(self, image, tokens):
        image, text = self.encode_image(image), self.encode_text(tokens)
        return self.logit_scale.exp() * functional.normalize(image, dim=-1) @ functional.normalize(text, dim=-1).T


def is_half(name):
    """What OpenAI's archives hold in float16: all but norms, embeddings and the temperature."""
    return not any(part in name for part in ("ln_", "embedding", "logit_scale"))
