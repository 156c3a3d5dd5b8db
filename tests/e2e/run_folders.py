"""Made-up folders of training runs, as tagclip train leaves them."""

import json

import numpy as np
from PIL import Image

from samples import CLASSES, COLOURS, UNSEEN, draw_sample

CONFIG = """label = {label}
output = {output}
seed = {seed}
data = "data/shapes"
log_every = 10

[loss]
trusty_weight = {gamma}

[schedule]
iterations = {iterations}
"""

SUMMARY = ("pixel_accuracy", "mean_iou", "mean_iou_seen", "mean_iou_unseen", "harmonic_iou", "mean_accuracy",
           "mean_accuracy_seen", "mean_accuracy_unseen")


def record(label, seed, iterations, finished, classes, unseen):
    return {"tagclip": "0.1.0", "libtorch": "2.13.0", "label": label, "seed": seed, "device": "cpu", "ranks": 1,
            "precision": "float32",
            "data": {"folder": "data/shapes", "train": 8, "val": 8, "classes": list(classes),
                     "seen": [name not in unseen for name in classes]},
            "iterations": iterations, "started": "2026-11-23T10:00:00Z",
            "finished": "2026-11-23T11:30:00Z" if finished else None, "seconds": 5400.5,
            "parameters": {"trained": 1200, "all": 98000}}


def metrics(random, classes, unseen, quality, iteration):
    """Per class shares around `quality`, unseen ones at half of it, and their means."""
    iou = {name: float(np.clip(quality * (0.5 if name in unseen else 1) * random.uniform(0.8, 1.2), 0, 1))
           for name in classes}
    seen = float(np.mean([iou[name] for name in classes if name not in unseen]))
    hidden = float(np.mean([iou[name] for name in unseen])) if unseen else None
    harmonic = 2 * seen * hidden / (seen + hidden) if hidden is not None else None
    values = (quality, float(np.mean(list(iou.values()))), seen, hidden, harmonic, quality, quality, hidden)
    rows = [{"name": name, "seen": name not in unseen, "iou": iou[name], "accuracy": iou[name]} for name in classes]
    return {"iteration": iteration, **dict(zip(SUMMARY, values)), "classes": rows}


def log_lines(random, last, quality):
    for i in range(10, last + 1, 10):
        decay = np.exp(-2 * i / last)
        yield {"iteration": i, "loss": 20 * decay + random.uniform(0, 1), "mask": 18 * decay + random.uniform(0, 1),
               "dice": 0.7 * decay + 0.1, "trusty": 0.5 * decay, "presence": 0.0, "lr": 1e-3 * (1 - i / last) ** 0.9,
               "gradient_norm": 5 * decay, "images_per_second": random.uniform(20, 30)}
        if i % 100 == 0:
            share = quality * (1 - np.exp(-3 * i / last))
            yield {"iteration": i, "pAcc": share, "mIoU": share * 0.8, "mIoU(S)": share * 0.9, "mIoU(U)": share * 0.4,
                   "hIoU": share * 0.6, "mAcc": None}


def write_examples(folder, random, classes, count=2):
    folder.mkdir()
    for i in range(count):
        photo, truth = draw_sample(np.random.default_rng(i))
        labels = np.asarray(truth).copy()
        labels[random.random(labels.shape) < 0.1] = 255
        photo.save(folder / f"photo{i}.photo.png")
        for ending, values in (("truth", np.asarray(truth)), ("labels", labels)):
            image = Image.fromarray(values)
            colours = [value for name in CLASSES for value in COLOURS[name]]
            image.putpalette(colours + [0] * (768 - len(colours)))  # or Pillow packs 255 into fewer bits
            image.save(folder / f"photo{i}.{ending}.png")


def write_run(folder, label="", seed=1, quality=0.6, gamma=10, iterations=1000, done=1000, classes=CLASSES,
              unseen=(UNSEEN,)):
    """A run's folder; it is unfinished where fewer iterations are done than were asked for."""
    random = np.random.default_rng(seed)
    folder.mkdir(parents=True)
    finished = done == iterations
    (folder / "run.json").write_text(json.dumps(record(label, seed, iterations, finished, classes, unseen)))
    (folder / "config.toml").write_text(CONFIG.format(label=json.dumps(label), output=json.dumps(str(folder)),
                                                      seed=seed, gamma=gamma, iterations=iterations))
    lines = "".join(json.dumps(line) + "\n" for line in log_lines(random, done, quality))
    (folder / "log.jsonl").write_text(lines)
    values = metrics(random, classes, unseen, quality, done)
    (folder / "metrics.json").write_text(json.dumps(values))
    write_examples(folder / "examples", random, classes)
    return folder
