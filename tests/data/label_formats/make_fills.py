"""Writes fills.json: outlines and the pixels that pycocotools 2.0 and Pillow give them, as run lengths down the columns.

python3 make_fills.py > fills.json
"""

import json
import random

import numpy as np
from PIL import Image, ImageDraw
from pycocotools import mask


def runs(pixels):
    """COCO's run lengths of a map, beginning with those outside."""
    flat = np.concatenate([[0], pixels.T.ravel(), [2]])
    ends = np.flatnonzero(np.diff(flat))
    starts = np.concatenate([[0], ends[:-1]])
    return (ends - starts).tolist()


def case(width, height, polygon):
    encoded = mask.merge(mask.frPyObjects([[c for point in polygon for c in point]], height, width))
    picture = Image.new("L", (width, height))
    ImageDraw.Draw(picture).polygon([tuple(point) for point in polygon], outline=1, fill=1)
    return {"width": width, "height": height, "polygon": polygon, "packed": encoded["counts"].decode(),
            "coco": runs(mask.decode(encoded)), "pillow": runs(np.array(picture))}


def main():
    draw = random.Random(7)
    cases = [
        case(12, 10, [(2, 2), (9, 2), (9, 7), (2, 7)]),
        case(12, 10, [(2.5, 1.2), (10.9, 4.4), (4.1, 8.8)]),
        case(9, 9, [(-4, -4), (20, -4), (20, 20), (-4, 20)]),  # more than the picture
        case(16, 16, [(1, 1), (14, 1), (14, 14), (1, 14), (1, 1), (5, 5), (5, 10), (10, 10), (10, 5), (5, 5)]),  # a hole
        case(14, 14, [(1, 1), (12, 12), (12, 1), (1, 12)]),  # crosses itself
    ]
    for _ in range(12):
        width, height = draw.randint(5, 30), draw.randint(5, 30)
        cases.append(case(width, height, [(round(draw.uniform(-3, width + 3), 2), round(draw.uniform(-3, height + 3), 2))
                                          for _ in range(draw.randint(3, 7))]))
    print("[\n" + ",\n".join(map(json.dumps, cases)) + "\n]")


main()
