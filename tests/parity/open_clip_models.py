"""CLIPs of open_clip: made of random numbers, run, saved."""

import json

from libraries import open_clip, torch
from parity import Hidden, golden
from shapes import CONTEXT, stored_as


def config(shape, vision=None, text=None):
    def ratio(tower):  # open_clip rounds width * ratio down
        return (tower.mlp + 0.5) / tower.width

    return {
        "embed_dim": shape.embedding,
        "quick_gelu": shape.quick_gelu,
        "vision_cfg": {"image_size": shape.resolution, "patch_size": shape.patch, "width": shape.vision.width,
                       "layers": shape.vision.layers, "head_width": shape.vision.width // shape.vision.heads,
                       "mlp_ratio": ratio(shape.vision), **(vision or {})},
        "text_cfg": {"context_length": CONTEXT, "vocab_size": shape.vocabulary, "width": shape.text.width,
                     "layers": shape.text.layers, "heads": shape.text.heads, "mlp_ratio": ratio(shape.text),
                     **(text or {})},
    }


def make(shape, settings):
    return stored_as(open_clip.model.CLIP(**settings), shape.dtype)


def run(model, tokens, image):
    visual = model.visual
    with torch.no_grad(), Hidden([visual.ln_pre, *visual.transformer.resblocks]) as hidden:
        picture = model.encode_image(image)
        text = model.encode_text(tokens)
    return golden(tokens, image, text, picture, hidden.outputs, model.logit_scale.detach())


def write_config(folder, settings):
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": settings, "preprocess_cfg": {}}))
