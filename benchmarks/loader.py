"""How many training samples a second one core makes: tagclip beside a PyTorch DataLoader with OpenCV.

    make bench-loader                   or: python3 benchmarks/loader.py [--runs N] [--samples N]

Both read the same made-up photos of VOC's size and do the same to them (spec section 6): decode, resize to
(2048, 512) times 0.5 to 2, crop 512 until no class covers three quarters, mirror, distort colours, normalise,
pad, stack 16. They take turns on one core. Counted is the time the core spent on the thread or worker, so that
others on the machine disturb less; the worker's start and what the main process does with its batches are free.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
import torch

ROOT = Path(__file__).resolve().parents[1]
BENCH = Path(os.environ.get("TAGCLIP_BINARY", ROOT / "build/release/tagclip")).parent / "tagclip_bench"
BATCH = 16
CROP = 512
LARGEST_SHARE = 0.75
VOID = 255
CLASSES = 20
PHOTOS = 64
CORE = {min(os.sched_getaffinity(0))}
MEAN = np.array([123.675, 116.28, 103.53])
DEVIATION = np.array([58.395, 57.12, 57.375])


# Made-up photos.

def smooth_noise(random, height, width, channels, octaves):
    """Noise as photos have it: the finer, the fainter; 0..1."""
    noise = np.zeros((height, width, channels), np.float32)
    for octave in octaves:
        coarse = random.random((max(2, height >> octave), max(2, width >> octave), channels), np.float32)
        noise += cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC).reshape(noise.shape) * 2.0**octave
    low, high = noise.min(), noise.max()
    return (noise - low) / (high - low)


def make_photo(random, height, width):
    grain = random.normal(0, 7, (height, width, 3))
    return np.clip(smooth_noise(random, height, width, 3, range(1, 8)) * 300 - 22 + grain, 0, 255).astype(np.uint8)


def make_labels(random, height, width):
    """A few objects with soft outlines, framed by void, on a void background: as VOC's are."""
    labels = np.full((height, width), VOID, np.uint8)
    for shape in smooth_noise(random, height, width, random.integers(1, 5), (6, 7)).transpose(2, 0, 1):
        labels[shape > 0.55] = VOID
        labels[shape > 0.6] = random.integers(CLASSES)
    return labels


def write_data(folder, photos):
    """The data set layout of `tagclip train`; photos are as large as VOC's. Gives their mean size in bytes."""
    random = np.random.default_rng(1)
    names = [f"{i:04}" for i in range(photos)]
    for part in ("images", "labels"):
        (folder / part).mkdir()
    for i, name in enumerate(names):
        height, width = (500, 375) if i % 4 == 0 else (375, 500)
        cv2.imwrite(str(folder / "images" / f"{name}.jpg"), make_photo(random, height, width),
                    [cv2.IMWRITE_JPEG_QUALITY, 95])
        cv2.imwrite(str(folder / "labels" / f"{name}.png"), make_labels(random, height, width))
    (folder / "train.txt").write_text("\n".join(names) + "\n")
    (folder / "classes.txt").write_text("\n".join(f"class {i}" for i in range(CLASSES)) + "\n")
    return sum(path.stat().st_size for path in (folder / "images").iterdir()) / photos


# The same augmentation in OpenCV's calls.

def linear(image, factor, offset):
    levels = np.arange(256, dtype=np.float32) * np.float32(factor) + np.float32(offset)
    return cv2.LUT(image, np.clip(levels, 0, 255).astype(np.uint8))


def distort(image, random):
    """mmsegmentation's PhotoMetricDistortion of a BGR picture, each step by a table of 256 levels."""
    if random.integers(2):
        image = linear(image, 1, random.uniform(-32, 32))
    first = random.integers(2)
    contrast = random.uniform(0.5, 1.5) if random.integers(2) else 1
    if first and contrast != 1:
        image = linear(image, contrast, 0)
    saturate, turn = random.integers(2), random.integers(2)
    if saturate or turn:
        hsv = cv2.cvtColor(image, cv2.COLOR_BGR2HSV)
        tables = np.repeat(np.arange(256, dtype=np.uint8).reshape(1, 256, 1), 3, 2)
        if turn:
            tables[0, :180, 0] = (np.arange(180) + random.integers(-18, 18)) % 180
        if saturate:
            tables[0, :, 1] = np.clip(np.arange(256) * random.uniform(0.5, 1.5), 0, 255)
        image = cv2.cvtColor(cv2.LUT(hsv, tables), cv2.COLOR_HSV2BGR)
    return image if first or contrast == 1 else linear(image, contrast, 0)


def draw_crop(labels, random):
    """The first of ten crops in which no class covers three quarters, or the eleventh."""
    height, width = labels.shape
    for candidate in range(11):
        y = random.integers(max(height - CROP, 0) + 1)
        x = random.integers(max(width - CROP, 0) + 1)
        window = slice(y, y + CROP), slice(x, x + CROP)
        if candidate == 10:
            break
        counts = cv2.calcHist([labels[window]], [0], None, [256], [0, 256])[:VOID]
        if np.count_nonzero(counts) > 1 and counts.max() / counts.sum() < LARGEST_SHARE:
            break
    return window


NORMALISED = ((np.arange(256).reshape(-1, 1) - MEAN) / DEVIATION).astype(np.float32)


def normalise(image):
    """BGR bytes to RGB floats [3, CROP, CROP], padded with 0."""
    padded = np.zeros((3, CROP, CROP), np.float32)
    for channel, plane in enumerate(reversed(cv2.split(image))):
        padded[channel, :image.shape[0], :image.shape[1]] = cv2.LUT(plane, NORMALISED[:, channel].copy())
    return padded


class OpenCVDataset(torch.utils.data.Dataset):
    def __init__(self, folder, order):
        self.folder = folder
        self.order = order

    def __len__(self):
        return len(self.order)

    def __getitem__(self, index):
        random = np.random.default_rng(index)
        name = self.order[index]
        image = cv2.imread(str(self.folder / "images" / f"{name}.jpg"))
        labels = cv2.imread(str(self.folder / "labels" / f"{name}.png"), cv2.IMREAD_UNCHANGED)
        scale = random.uniform(0.5, 2)
        height, width = labels.shape
        factor = min(2048 * scale / max(height, width), 512 * scale / min(height, width))
        size = int(width * factor + 0.5), int(height * factor + 0.5)
        image = cv2.resize(image, size, interpolation=cv2.INTER_LINEAR)
        labels = cv2.resize(labels, size, interpolation=cv2.INTER_NEAREST)
        window = draw_crop(labels, random)
        image, labels = image[window], labels[window]
        if random.integers(2):
            image, labels = cv2.flip(image, 1), cv2.flip(labels, 1)
        pixels = normalise(distort(image, random))
        padded = np.full((CROP, CROP), VOID, np.int64)
        padded[:labels.shape[0], :labels.shape[1]] = labels
        return pixels, padded, time.process_time()


def start_worker(_worker):
    cv2.setNumThreads(0)
    torch.set_num_threads(1)
    os.sched_setaffinity(0, CORE)


# Turns.

def opencv_rate(folder, names, samples):
    """Samples a second of a worker's own time, which its start and its first batch are not part of."""
    order = [names[i % len(names)] for i in range(samples + BATCH)]
    loader = torch.utils.data.DataLoader(OpenCVDataset(folder, order), BATCH, num_workers=1, worker_init_fn=start_worker)
    ends = [times.max().item() for _pixels, _labels, times in loader]
    return samples / (ends[-1] - ends[0])


def our_rate(folder, samples):
    """The same of `tagclip_bench loader`, one thread."""
    command = [BENCH, "loader", "--data", folder, "--samples", str(samples), "--json"]
    done = subprocess.run(command, check=True, capture_output=True, text=True,
                          preexec_fn=lambda: os.sched_setaffinity(0, CORE))
    return json.loads(done.stdout)["samples_per_second"]


def spread(values, digits):
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=7, help="turns of each (%(default)s)")
    parser.add_argument("--samples", type=int, default=320, help="samples a turn (%(default)s)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tagclip-loader-") as name:
        folder = Path(name)
        print(f"photos of {write_data(folder, PHOTOS) / 1000:.0f} KB on average, {options.samples} samples a turn")
        names = (folder / "train.txt").read_text().split()
        ours, theirs = [], []
        for turn in range(options.runs):
            ours.append(our_rate(folder, options.samples))
            theirs.append(opencv_rate(folder, names, options.samples))
            print(f"turn {turn + 1}: tagclip {ours[-1]:.0f}, DataLoader with OpenCV {theirs[-1]:.0f}", flush=True)
    ratios = [a / b for a, b in zip(ours, theirs)]
    print(f"""
samples a second of a core, median (min to max) of {options.runs} turns
tagclip                  {spread(ours, 0)}
DataLoader with OpenCV   {spread(theirs, 0)}
ratio, turn by turn      {spread(ratios, 2)}""")


if __name__ == "__main__":
    main()
