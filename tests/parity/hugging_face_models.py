"""CLIPs of transformers: made of random numbers, run."""

from libraries import torch, transformers
from parity import Hidden, golden
from shapes import CONTEXT, stored_as


def make(shape):
    def tower(sizes):
        return {"hidden_size": sizes.width, "num_hidden_layers": sizes.layers, "num_attention_heads": sizes.heads,
                "intermediate_size": sizes.mlp, "hidden_act": "quick_gelu" if shape.quick_gelu else "gelu"}

    text = {**tower(shape.text), "vocab_size": shape.vocabulary, "max_position_embeddings": CONTEXT,
            "bos_token_id": shape.vocabulary - 2, "eos_token_id": shape.vocabulary - 1, "pad_token_id": 0}
    vision = {**tower(shape.vision), "image_size": shape.resolution, "patch_size": shape.patch}
    config = transformers.CLIPConfig(text_config=text, vision_config=vision, projection_dim=shape.embedding)
    return stored_as(transformers.CLIPModel(config), shape.dtype)


def run(model, tokens, image):
    vision = model.vision_model
    with torch.no_grad(), Hidden([vision.pre_layrnorm, *vision.encoder.layers]) as hidden:
        picture = model.visual_projection(vision(pixel_values=image).pooler_output)
        text = model.text_projection(model.text_model(input_ids=tokens).pooler_output)
    return golden(tokens, image, text, picture, hidden.outputs, model.logit_scale.detach())
