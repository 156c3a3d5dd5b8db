"""Writes photos of a folder set as an annotation tool would export them: something to try `tagclip data convert` on.

python3 scripts/example_export.py FOLDER labelme OUT --split val --classes "grass,tree,sky"    (or cvat; needs Pillow and NumPy)
"""

import argparse
import base64
import io
import json
import random
import shutil
from pathlib import Path

import numpy as np
from PIL import Image


def chosen_photos(data, arguments, classes):
    """Photos with two or more of the wanted classes, drawn with seed 1."""
    wanted = {classes.index(name) for name in arguments.classes.split(",")}
    photos = []
    for name in (data / f"{arguments.split}.txt").read_text().split():
        labels = np.array(Image.open(data / "labels" / f"{name}.png"))
        if len(wanted & set(np.unique(labels).tolist())) >= 2:
            photos.append((name, np.where(np.isin(labels, sorted(wanted)), labels, 255)))
    random.Random(1).shuffle(photos)
    return photos[:arguments.count]


def shape(label, mask):
    """A shape of LabelMe: a picture of ones and zeros between two corners."""
    rows, columns = np.nonzero(mask)
    top, bottom, left, right = rows.min(), rows.max(), columns.min(), columns.max()
    content = io.BytesIO()
    Image.fromarray(mask[top:bottom + 1, left:right + 1]).save(content, "PNG")
    return {"label": label.replace(" ", "_"), "points": [[int(left), int(top)], [int(right), int(bottom)]],
            "shape_type": "mask", "mask": base64.b64encode(content.getvalue()).decode(), "group_id": None, "flags": {}}


def write_labelme(data, out, photos, classes):
    out.mkdir(parents=True)
    for name, labels in photos:
        shutil.copy(data / "images" / f"{name}.jpg", out)
        shapes = [shape(classes[v], labels == v) for v in np.unique(labels) if v != 255]
        document = {"version": "5.4.1", "flags": {}, "shapes": shapes, "imagePath": f"{name}.jpg", "imageData": None,
                    "imageHeight": labels.shape[0], "imageWidth": labels.shape[1]}
        (out / f"{name}.json").write_text(json.dumps(document))


def write_cvat(data, out, photos, classes):
    for folder in ("JPEGImages", "SegmentationClass", "ImageSets/Segmentation"):
        (out / folder).mkdir(parents=True)
    colours = np.array([((37 * i + 50) % 256, (91 * i + 20) % 256, (151 * i + 90) % 256) for i in range(256)], np.uint8)
    colours[255] = 0
    used = sorted({int(v) for _, labels in photos for v in np.unique(labels)} - {255})
    lines = ["# label:color_rgb:parts:actions", "background:0,0,0::"]
    lines += [f"{classes[v]}:{','.join(map(str, colours[v]))}::" for v in used]
    (out / "labelmap.txt").write_text("\n".join(lines) + "\n")
    for name, labels in photos:
        shutil.copy(data / "images" / f"{name}.jpg", out / "JPEGImages")
        Image.fromarray(colours[labels]).save(out / "SegmentationClass" / f"{name}.png")
    (out / "ImageSets/Segmentation/default.txt").write_text("\n".join(name for name, _ in photos) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("tool", choices=["labelme", "cvat"])
    parser.add_argument("out", type=Path)
    parser.add_argument("--split", default="val")
    parser.add_argument("--classes", required=True)
    parser.add_argument("--count", type=int, default=60)
    arguments = parser.parse_args()
    classes = (arguments.data / "classes.txt").read_text().splitlines()
    photos = chosen_photos(arguments.data, arguments, classes)
    {"labelme": write_labelme, "cvat": write_cvat}[arguments.tool](arguments.data, arguments.out, photos, classes)
    print(f"{arguments.out}: {len(photos)} photos")


main()
