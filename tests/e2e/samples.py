"""Made-up photos, data sets and captions, and the micro model that is trained on them."""

import io
import os
import shutil
import tarfile
import tempfile
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from support import BINARY, tagclip

CLASSES = ("meadow", "ball", "box", "kite", "lake")
UNSEEN = "kite"
COLOURS = {"meadow": (70, 150, 60), "ball": (210, 40, 40), "box": (120, 80, 40),
           "kite": (230, 210, 50), "lake": (50, 90, 200)}

PRETRAIN = """
batch = 8
image_size = 32
steps = 3
warmup = 1
save_every = 2
log_every = 1
[clip]
embedding = 64
resolution = 32
patch = 8
vision_width = 64
vision_layers = 2
vision_heads = 1
vocabulary = 600
text_width = 64
text_layers = 1
text_heads = 1
"""

TRAIN = """
batch = 2
log_every = 1
[model]
prompts = 2
decoder_layers = 2
self_attention = "a_n"
[augment]
long_side = 256
short_side = 32
crop_size = 32
[optimizer]
lr = 1e-3
[schedule]
iterations = 4
warmup = 2
"""


def draw_sample(random, width=60, height=44):
    """A photo with a shape or two on grass or water, and its labels."""
    ground = random.choice(["meadow", "lake"])
    photo = Image.new("RGB", (width, height), COLOURS[ground])
    labels = Image.new("P", (width, height), CLASSES.index(ground))
    for name in random.choice(["ball", "box", "kite"], size=random.integers(1, 3), replace=False):
        x, y = random.integers(0, width - 20), random.integers(0, height - 20)
        size = random.integers(10, 20)
        for image, value in ((photo, COLOURS[name]), (labels, CLASSES.index(name))):
            draw = ImageDraw.Draw(image)
            if name == "ball":
                draw.ellipse([x, y, x + size, y + size], fill=value)
            elif name == "box":
                draw.rectangle([x, y, x + size, y + size], fill=value)
            else:
                draw.polygon([(x, y + size), (x + size // 2, y), (x + size, y + size)], fill=value)
    noise = random.normal(0, 6, (height, width, 3))
    photo = Image.fromarray(np.clip(np.asarray(photo) + noise, 0, 255).astype(np.uint8))
    return photo, labels


def write_dataset(folder, count=8, seed=7):
    """The data set layout of `tagclip train`: all samples in both splits."""
    random = np.random.default_rng(seed)
    names = [f"sample{i}" for i in range(count)]
    for part in ("images", "labels"):
        (folder / part).mkdir(parents=True)
    for name in names:
        photo, labels = draw_sample(random)
        labels.putpalette([value for c in CLASSES for value in COLOURS[c]])
        photo.save(folder / "images" / f"{name}.jpg", quality=95)
        labels.save(folder / "labels" / f"{name}.png")
    for file, lines in (("classes", CLASSES), ("unseen", [UNSEEN]), ("train", names), ("val", names)):
        (folder / f"{file}.txt").write_text("\n".join(lines) + "\n")
    return folder


def write_shard(path, count=12, seed=3):
    """A WebDataset shard: pairs of NAME.jpg and NAME.txt."""
    random = np.random.default_rng(seed)
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        for i in range(count):
            photo, labels = draw_sample(random)
            encoded = io.BytesIO()
            photo.save(encoded, "JPEG")
            present = [CLASSES[c] for c in np.unique(np.asarray(labels))]
            captions = "\n".join([*present, f"a drawing of a {present[-1]}"])
            for ending, content in (("jpg", encoded.getvalue()), ("txt", captions.encode())):
                member = tarfile.TarInfo(f"{path.stem}_{i:03}.{ending}")
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
    return path


def config(folder, name, body, **settings):
    """A TOML file of `settings` (texts and lists of texts) above `body`."""
    path = folder / name
    lines = [f"{key} = {[str(v) for v in value] if isinstance(value, list) else repr(str(value))}"
             for key, value in settings.items()]
    path.write_text("\n".join(lines) + body)
    return path


def pretrain_config(folder, shards):
    return config(folder, "pretrain.toml", PRETRAIN, output=folder / "clip", shards=shards)


def train_config(folder, data, clip):
    return config(folder, "train.toml", TRAIN, output=folder / "run", data=data, clip=clip)


def must(result):
    if result.code != 0:
        raise RuntimeError(f"making the micro model failed with {result.code}: {result.err}")
    return result


@cache
def _workshop():
    return tempfile.TemporaryDirectory(prefix="tagclip-e2e-model-")


@cache
def micro_dataset():
    return write_dataset(Path(_workshop().name) / "data")


@cache
def micro_clip():
    """A CLIP of a few thousand parameters; trained for three steps, it knows nothing."""
    folder = Path(_workshop().name)
    must(tagclip("pretrain", pretrain_config(folder, [write_shard(folder / "captions.tar")])))
    return folder / "clip" / "clip.safetensors"


@cache
def micro_model():
    """A segmentation model on top of it."""
    folder = Path(_workshop().name)
    must(tagclip("train", train_config(folder, micro_dataset(), micro_clip())))
    return folder / "run" / "model.safetensors"


def copy_of_the_program(folder):
    """The program and its library of commands in a folder of their own."""
    shutil.copy(BINARY, folder / "tagclip")
    os.symlink(BINARY.resolve().parent / "libtagclip_commands.so", folder / "libtagclip_commands.so")
    return folder / "tagclip"
