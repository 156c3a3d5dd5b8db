"""A photo to its labels: tagclip beside every way people run such a model on a CPU, by turns in one run.

    make bench-contenders               or: python3 benchmarks/contenders.py [--model voc] [--runs N] [--threads N]

The model is a full-size TagCLIP (ViT-B/16 at 512 x 512) with random weights, the photo one of the four that come with
the sources. Every contender gets normalised pixels and gives labels; ours gets bytes and normalises them itself. Text
embeddings are given, as they are computed once for a vocabulary. Each has run before it is timed; then all take turns,
so that whatever else the machine does meets all.
"""

import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image

import contender_runtimes
import random_weights

ROOT = Path(__file__).resolve().parents[1]
PROGRAM = Path(os.environ.get("TAGCLIP_BINARY", ROOT / "build/release/tagclip"))
BENCH = PROGRAM.parent / "tagclip_bench"
PHOTO = ROOT / "tests/data/photos/cat.jpg"
SIDE = 512
MEAN, DEVIATION = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
MODELS = {"voc": dict(classes=20, unseen=5, prompts=10), "coco": dict(classes=171, unseen=15, prompts=100)}
OURS = {p: ("--precision", p) for p in ("float32", "bfloat16x3", "bfloat16", "int8")}  # options of each precision
REST = 0.05  # seconds between turns: threads that wait for work give up by then


class OurProgram:
    """`tagclip_bench turns` as a contender, which times itself; the labels are those of `tagclip segment`."""

    name = "tagclip"

    def __init__(self, precision, files, threads):
        self.precision = precision
        model = ["--weights", files["weights"], "--text-embeddings", files["words"], *OURS[precision]]
        environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
        self.output = files["folder"] / precision
        subprocess.run([PROGRAM, "segment", files["photo"], *model, "-o", self.output, "--quiet"], check=True,
                       env=environment, stdout=subprocess.DEVNULL)
        self.turns = subprocess.Popen([BENCH, "turns", *model, "--photo", files["photo"]], text=True,
                                      env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def labels(self):
        return np.array(Image.open(self.output / "photo_labels.png"))

    def milliseconds(self):
        self.turns.stdin.write("\n")
        self.turns.stdin.flush()
        return json.loads(self.turns.stdout.readline())["ms"]

    def end(self):
        self.turns.communicate()


def write_files(folder, weights, text, unseen):
    """What our program reads."""
    files = {"folder": folder, "weights": folder / "tagclip.safetensors", "words": folder / "words.npy",
             "photo": folder / "photo.png"}
    names = [f"class {i}" for i in range(len(text))]
    random_weights.write_safetensors(files["weights"], weights,
                                     {"tagclip.trained_on": random_weights.trained_on(names, unseen)})
    np.save(files["words"], text)
    files["words"].with_suffix(".txt").write_text("\n".join(names) + "\n")
    photo = Image.open(PHOTO).convert("RGB").resize((SIDE, SIDE))
    photo.save(files["photo"])
    pixels = (np.asarray(photo, np.float32) - np.float32(MEAN)) / np.float32(DEVIATION)
    return files, np.ascontiguousarray(pixels.transpose(2, 0, 1)[None])


def spread(values, form):
    return f"{statistics.median(values):{form}} ({min(values):{form}} to {max(values):{form}})"


def ratios(above, below):
    return [a / b for a, b in zip(above, below)]


def show(all_contenders, labels, times):
    """A row each; ratios are taken turn by turn."""
    ours = {c.precision: t for c, t in zip(all_contenders, times) if c.name == "tagclip"}
    print(f"{'precision':<12}{'':<22}{'ms':<26}{'released / it':<15}{'it / tagclip':<22}labels as released")
    for contender, found, taken in zip(all_contenders, labels, times):
        against = ours.get(contender.precision)
        compared = spread(ratios(taken, against), ".2f") if against and against is not taken else "-"
        print(f"{contender.precision:<12}{contender.name:<22}{spread(taken, '.0f'):<26}"
              f"{statistics.median(ratios(times[0], taken)):<15.2f}{compared:<22}{(found == labels[0]).mean():.2%}")


def measure(name, runs, threads):
    model = MODELS[name]
    weights = random_weights.tagclip_weights(model["prompts"])
    text = random_weights.unit_rows(model["classes"])
    with tempfile.TemporaryDirectory(prefix="tagclip-contenders-") as folder:
        files, pixels = write_files(Path(folder), weights, text, model["unseen"])
        print(f"{name}: exporting and quantising", flush=True)
        all_contenders, labels, programs = [], [], []

        def enter(contender):
            print(f"{name}: making {contender.name}, {contender.precision}", flush=True)
            all_contenders.append(contender)
            labels.append(contender.labels())

        for contender in contender_runtimes.contenders(weights, text, model["unseen"], pixels, threads,
                                                        files["folder"]):
            enter(contender)
        for precision in OURS:
            programs.append(OurProgram(precision, files, threads))
            enter(programs[-1])

        times = [[] for _ in all_contenders]
        for _ in range(runs):
            for contender, taken in zip(all_contenders, times):
                time.sleep(REST)
                taken.append(contender.milliseconds())
        for program in programs:
            program.end()
    print(f"\n{name}: {model['classes']} classes, {model['prompts']} prompts; ms of {runs} turns on {threads} threads, "
          "median (fastest to slowest)")
    show(all_contenders, labels, times)
    print(flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", choices=[*MODELS, "all"], default="all", help="(%(default)s)")
    parser.add_argument("--runs", type=int, default=7, help="turns of each (%(default)s)")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="(%(default)s)")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(contender_runtimes.versions())
    for name in MODELS if options.model == "all" else [options.model]:
        measure(name, options.runs, options.threads)


if __name__ == "__main__":
    main()
