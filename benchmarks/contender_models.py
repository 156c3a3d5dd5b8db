"""TagCLIP (spec sections 2 to 4, 7) as PyTorch modules, twice: as the released Python computes it, and with care.

Both load the same weights by their published names and turn normalised pixels [1, 3, S, S] into labels [S, S], S the
side the model was made for. The classes' embeddings are fixed, as their text does not change from photo to photo.
"""

import torch
from torch import nn
from torch.nn import functional as F

HEAD_WIDTH, DECODER_HEADS = 64, 8
DEDUCTION = 0.1  # off the scores of seen classes


def split_heads(x, heads):  # [B, L, D] -> [B, heads, L, D / heads]
    return x.unflatten(-1, (heads, x.shape[-1] // heads)).transpose(1, 2)


def merge_heads(x):
    return x.transpose(1, 2).flatten(2)


class Attention(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.in_proj_weight = nn.Parameter(torch.empty(3 * width, width))
        self.in_proj_bias = nn.Parameter(torch.empty(3 * width))
        self.out_proj = nn.Linear(width, width)

    def in_proj(self, x):  # -> q, k, v
        return F.linear(x, self.in_proj_weight, self.in_proj_bias).chunk(3, -1)


class Mlp(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.c_fc = nn.Linear(width, 4 * width)
        self.c_proj = nn.Linear(4 * width, width)

    def forward(self, x):
        x = self.c_fc(x)
        return self.c_proj(x * torch.sigmoid(1.702 * x))


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.ln_1, self.ln_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attn, self.mlp = Attention(width), Mlp(width)


class Transformer(nn.Module):
    def __init__(self, width, layers):
        super().__init__()
        self.resblocks = nn.ModuleList(Block(width) for _ in range(layers))


class Backbone(nn.Module):
    def __init__(self, width, layers, patch, grid, embedding, prompts):
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, patch, patch, bias=False)
        self.class_embedding = nn.Parameter(torch.empty(width))
        self.positional_embedding = nn.Parameter(torch.empty(1 + grid * grid, width))
        self.ln_pre, self.ln_post = nn.LayerNorm(width), nn.LayerNorm(width)
        self.proj = nn.Parameter(torch.empty(width, embedding))
        self.transformer = Transformer(width, layers)
        self.prompt_embeddings = nn.Parameter(torch.empty(1, prompts, width))
        self.deep_prompt_embeddings = nn.Parameter(torch.empty(layers - 1, prompts, width))
        self.prompt_proj = nn.Linear(width, width)
        self.prompt_norm = nn.LayerNorm(width, eps=1e-6)

    def embed(self, pixels):  # -> class token and patches, [B, 1 + N, D]
        patches = self.conv1(pixels).flatten(2).transpose(1, 2)
        first = 2 * self.class_embedding + self.positional_embedding[0]  # it enters twice
        first = first.expand(pixels.shape[0], 1, -1)
        return self.ln_pre(torch.cat([first, patches + self.positional_embedding[1:]], 1))

    def prompts(self):  # [layers, P, D]
        return self.prompt_proj(torch.cat([self.prompt_embeddings, self.deep_prompt_embeddings]))

    def project(self, tokens):  # -> unit vectors
        return F.normalize(self.ln_post(self.prompt_norm(tokens)) @ self.proj, dim=-1)


class MaskAttention(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.q, self.k = nn.Linear(width, width), nn.Linear(width, width)
        self.v, self.proj = nn.Linear(width, width), nn.Linear(width, width)


class DecoderLayer(nn.Module):
    def __init__(self, width, attends):
        super().__init__()
        self.self_attn = Attention(width) if attends else None
        self.norm1, self.norm2, self.norm3 = (nn.LayerNorm(width) for _ in range(3))
        self.multihead_attn = MaskAttention(width)
        self.linear1, self.linear2 = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def feed_forward(self, queries):
        return self.norm3(queries + self.linear2(F.relu(self.linear1(queries))))


class DecodeHead(nn.Module):
    def __init__(self, width, layers):
        super().__init__()
        self.disc_token = nn.Parameter(torch.empty(1, width))
        self.relationship_discriptor = nn.ModuleDict({"q_proj": nn.Linear(2 * width, width)})
        self.decoder = nn.ModuleDict(
            {"layers": nn.ModuleList(DecoderLayer(width, attends=i == 0) for i in range(layers))})

    def queries(self, text, image):  # [C, d], [B, d] -> [B, C + 1, d]
        tokens = torch.cat([text, self.disc_token])[None]
        related = tokens * image[:, None]
        return self.relationship_discriptor["q_proj"](torch.cat([related, tokens.expand_as(related)], -1))


class TagClip(nn.Module):
    """The parameters, and what both ways have in common."""

    def __init__(self, weights, text, unseen):
        super().__init__()
        _, prompts, width = weights["backbone.prompt_embeddings"].shape
        self.grid = int((weights["backbone.positional_embedding"].shape[0] - 1)**0.5)
        patch, embedding = weights["backbone.conv1.weight"].shape[-1], text.shape[1]
        self.heads = width // HEAD_WIDTH
        self.layers = 1 + weights["backbone.deep_prompt_embeddings"].shape[0]
        decoder_layers = 1 + max(int(name.split(".")[3]) for name in weights if ".decoder.layers." in name)
        self.backbone = Backbone(width, self.layers, patch, self.grid, embedding, prompts)
        self.decode_head = DecodeHead(embedding, decoder_layers)
        self.load_state_dict({name: torch.from_numpy(value) for name, value in weights.items()})
        self.register_buffer("text", torch.from_numpy(text), persistent=False)
        self.side = patch * self.grid
        self.seen = text.shape[0] - unseen  # the first so many classes
        self.eval().requires_grad_(False)

    def forward(self, pixels):
        return self.label(self.upsample(self.maps(*self.encode(pixels))))

    def maps(self, patches, image):  # [B, N, d], [B, d] -> [B, C + 1, h, w]
        maps = self.decode(patches, self.decode_head.queries(self.text, image))
        return maps.float().unflatten(2, (self.grid, self.grid))

    def upsample(self, maps):  # [B, C, h, w] -> [B, C, S, S]
        return F.interpolate(maps, (self.side, self.side), mode="bilinear", align_corners=False)


class Released(TagClip):
    """Prompts are tokens of every block and are projected anew, attention matrices stand in memory, every decoder
    layer runs to its end, and the maps of all classes are made scores at full size."""

    def encode(self, pixels):  # -> patches [B, N, d], image [B, d]
        x, n = self.backbone.embed(pixels), self.grid**2
        for block, prompts in zip(self.backbone.transformer.resblocks, self.backbone.prompts()):
            prompts = prompts.expand(x.shape[0], -1, -1)
            x = torch.cat([x[:, :1], prompts, x[:, -n:]], 1)
            x = x + self.attend(block.attn, block.ln_1(x), self.heads)
            x = x + block.mlp(block.ln_2(x))
        x = self.backbone.project(x)
        return x[:, -n:], x[:, 0]

    def attend(self, attention, x, heads):
        q, k, v = (split_heads(part, heads) for part in attention.in_proj(x))
        weights = (q * q.shape[-1]**-0.5 @ k.transpose(-2, -1)).softmax(-1)
        return attention.out_proj(merge_heads(weights @ v))

    def decode(self, patches, queries):  # -> [B, C + 1, N]
        for layer in self.decode_head.decoder["layers"]:
            if layer.self_attn is not None:
                queries = layer.norm1(queries + self.attend(layer.self_attn, queries, DECODER_HEADS))
            attention = layer.multihead_attn
            q, k, v = (split_heads(part, DECODER_HEADS)
                       for part in (attention.q(queries), attention.k(patches), attention.v(patches)))
            logits = q * q.shape[-1]**-0.5 @ k.transpose(-2, -1)
            gathered = attention.proj(merge_heads(logits.softmax(-1) @ v))
            queries = layer.feed_forward(layer.norm2(queries + gathered))
        return logits.mean(1)

    def label(self, maps):  # [1, C + 1, H, W]
        scores, novel = maps[:, :-1].sigmoid(), maps[:, -1:].sigmoid()
        scores = torch.cat([(scores[:, :self.seen] - DEDUCTION) * (1 - novel), scores[:, self.seen:] * novel], 1)
        return scores.argmax(1)[0]


class Careful(TagClip):
    """The same labels by the least that PyTorch's operations allow: prompts are keys and values only, computed once;
    fused attention; the last decoder layer ends at its logits, one product over all heads; and as the sigmoid keeps
    order, only the best seen and the best unseen logit of a pixel become scores."""

    def __init__(self, weights, text, unseen):
        super().__init__(weights, text, unseen)
        for i, (block, prompts) in enumerate(zip(self.backbone.transformer.resblocks, self.backbone.prompts())):
            _, k, v = block.attn.in_proj(block.ln_1(prompts[None]))
            self.register_buffer(f"prompt_keys_{i}", split_heads(k, self.heads), persistent=False)
            self.register_buffer(f"prompt_values_{i}", split_heads(v, self.heads), persistent=False)

    def encode(self, pixels):  # -> patches [B, N, d], image [B, d]
        x = self.backbone.embed(pixels)
        for i, block in enumerate(self.backbone.transformer.resblocks):
            q, k, v = (split_heads(part, self.heads) for part in block.attn.in_proj(block.ln_1(x)))
            k = torch.cat([getattr(self, f"prompt_keys_{i}").expand(len(x), -1, -1, -1), k], 2)
            v = torch.cat([getattr(self, f"prompt_values_{i}").expand(len(x), -1, -1, -1), v], 2)
            x = x + block.attn.out_proj(merge_heads(F.scaled_dot_product_attention(q, k, v)))
            x = x + block.mlp(block.ln_2(x))
        x = self.backbone.project(x)
        return x[:, 1:], x[:, 0]

    def decode(self, patches, queries):  # -> [B, C + 1, N]
        *layers, last = self.decode_head.decoder["layers"]
        for layer in layers:
            if layer.self_attn is not None:
                q, k, v = (split_heads(part, DECODER_HEADS) for part in layer.self_attn.in_proj(queries))
                attended = merge_heads(F.scaled_dot_product_attention(q, k, v))
                queries = layer.norm1(queries + layer.self_attn.out_proj(attended))
            attention = layer.multihead_attn
            q, k, v = (split_heads(part, DECODER_HEADS)
                       for part in (attention.q(queries), attention.k(patches), attention.v(patches)))
            gathered = attention.proj(merge_heads(F.scaled_dot_product_attention(q, k, v)))
            queries = layer.feed_forward(layer.norm2(queries + gathered))
        q, k = last.multihead_attn.q(queries), last.multihead_attn.k(patches)
        scale = (q.shape[-1] / DECODER_HEADS)**-0.5 / DECODER_HEADS
        return q * scale @ k.transpose(-2, -1)

    def label(self, maps):  # [1, C + 1, H, W]
        seen, seen_label = maps[:, :self.seen].max(1)
        unseen, unseen_label = maps[:, self.seen:-1].max(1)
        novel = maps[:, -1].sigmoid()
        seen_wins = (seen.sigmoid() - DEDUCTION) * (1 - novel) >= unseen.sigmoid() * novel
        return torch.where(seen_wins, seen_label, unseen_label + self.seen)[0]
