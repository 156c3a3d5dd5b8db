"""Full-size models with random weights as safetensors files, under the names of the published checkpoints."""

import json
import struct

import numpy as np

WIDTH, LAYERS, PATCH, GRID, EMBEDDING = 768, 12, 16, 32, 512  # ViT-B/16 at 512 x 512
CLIP_GRID, CONTEXT, VOCABULARY = 14, 77, 49408
DECODER_LAYERS = 3
LOGIT_GAIN = 1000  # spreads the logits like a trained model's; near zero most classes could win nowhere


def block(random, name, width, layers):
    """A residual block of either tower, initialised as CLIP's are."""
    inner, out = width**-0.5, (2 * width * layers)**-0.5
    return {
        f"{name}.attn.in_proj_weight": random.normal(0, inner, (3 * width, width)),
        f"{name}.attn.in_proj_bias": np.zeros(3 * width),
        f"{name}.attn.out_proj.weight": random.normal(0, out, (width, width)),
        f"{name}.attn.out_proj.bias": np.zeros(width),
        f"{name}.mlp.c_fc.weight": random.normal(0, (2 * width)**-0.5, (4 * width, width)),
        f"{name}.mlp.c_fc.bias": np.zeros(4 * width),
        f"{name}.mlp.c_proj.weight": random.normal(0, out, (width, 4 * width)),
        f"{name}.mlp.c_proj.bias": np.zeros(width),
        **norm(f"{name}.ln_1", width), **norm(f"{name}.ln_2", width),
    }


def norm(name, width):
    return {f"{name}.weight": np.ones(width), f"{name}.bias": np.zeros(width)}


def linear(random, name, inputs, outputs, gain=1):
    return {f"{name}.weight": random.normal(0, 0.02 * gain, (outputs, inputs)), f"{name}.bias": np.zeros(outputs)}


def vision_tower(random, prefix, grid):
    weights = {
        f"{prefix}conv1.weight": random.normal(0, 0.02, (WIDTH, 3, PATCH, PATCH)),
        f"{prefix}class_embedding": random.normal(0, WIDTH**-0.5, WIDTH),
        f"{prefix}positional_embedding": random.normal(0, WIDTH**-0.5, (1 + grid * grid, WIDTH)),
        f"{prefix}proj": random.normal(0, WIDTH**-0.5, (WIDTH, EMBEDDING)),
        **norm(f"{prefix}ln_pre", WIDTH), **norm(f"{prefix}ln_post", WIDTH),
    }
    for layer in range(LAYERS):
        weights |= block(random, f"{prefix}transformer.resblocks.{layer}", WIDTH, LAYERS)
    return weights


def decoder_layer(random, name, last):
    d = EMBEDDING
    weights = {
        f"{name}.self_attn.in_proj_weight": random.normal(0, 0.02, (3 * d, d)),
        f"{name}.self_attn.in_proj_bias": np.zeros(3 * d),
        **linear(random, f"{name}.self_attn.out_proj", d, d),
        **linear(random, f"{name}.linear1", d, 4 * d), **linear(random, f"{name}.linear2", 4 * d, d),
    }
    for part in ("q", "k", "v", "proj"):
        gain = LOGIT_GAIN if last and part == "q" else 1
        weights |= linear(random, f"{name}.multihead_attn.{part}", d, d, gain)
    for part in ("norm1", "norm2", "norm3"):
        weights |= norm(f"{name}.{part}", d)
    return weights


def tagclip_weights(prompts, seed=1):
    """All parameters of TagCLIP but the text tower's, float32, by name."""
    random = np.random.default_rng(seed)
    bound = (6 / (3 * PATCH * PATCH + WIDTH))**0.5
    weights = vision_tower(random, "backbone.", GRID) | {
        "backbone.prompt_embeddings": random.uniform(-bound, bound, (1, prompts, WIDTH)),
        "backbone.deep_prompt_embeddings": random.uniform(-bound, bound, (LAYERS - 1, prompts, WIDTH)),
        **linear(random, "backbone.prompt_proj", WIDTH, WIDTH), **norm("backbone.prompt_norm", WIDTH),
        "decode_head.disc_token": random.random((1, EMBEDDING)),
        **linear(random, "decode_head.relationship_discriptor.q_proj", 2 * EMBEDDING, EMBEDDING),
    }
    for layer in range(DECODER_LAYERS):
        name = f"decode_head.decoder.layers.{layer}"
        tensors = decoder_layer(random, name, last=layer == DECODER_LAYERS - 1)
        if layer > 0:  # only the first layer lets its queries attend to each other
            tensors = {k: v for k, v in tensors.items() if ".self_attn." not in k}
        weights |= tensors
    return {name: value.astype(np.float32) for name, value in weights.items()}


def clip_weights(seed=1):
    """A CLIP under OpenAI's names whose text tower has one layer: enough to read words."""
    random = np.random.default_rng(seed)
    weights = vision_tower(random, "visual.", CLIP_GRID) | block(random, "transformer.resblocks.0", EMBEDDING, 1) | {
        "token_embedding.weight": random.normal(0, 0.02, (VOCABULARY, EMBEDDING)),
        "positional_embedding": random.normal(0, 0.01, (CONTEXT, EMBEDDING)),
        "text_projection": random.normal(0, EMBEDDING**-0.5, (EMBEDDING, EMBEDDING)),
        "logit_scale": np.array(np.log(100)), **norm("ln_final", EMBEDDING),
    }
    return {name: value.astype(np.float32) for name, value in weights.items()}


def unit_rows(rows, seed=2):
    """Text embeddings of made-up words."""
    embeddings = np.random.default_rng(seed).normal(size=(rows, EMBEDDING)).astype(np.float32)
    return embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)


def trained_on(names, unseen):
    """What the file says the model was trained on: the last `unseen` names were not labelled."""
    classes = [{"name": name, "seen": i < len(names) - unseen} for i, name in enumerate(names)]
    return json.dumps({"classes": classes, "templates": ["a photo of a {}"], "inductive": True})


def write_safetensors(path, weights, metadata):
    """float32 tensors by name; offsets count from the end of the header."""
    header, offset = {"__metadata__": metadata}, 0
    for name, value in weights.items():
        header[name] = {"dtype": "F32", "shape": value.shape, "data_offsets": [offset, offset + value.nbytes]}
        offset += value.nbytes
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for value in weights.values():
            file.write(np.ascontiguousarray(value).tobytes())
