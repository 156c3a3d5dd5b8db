"""A photo to its labels: tagclip beside every way people run such a model on a CPU, interleaved in one run.

    make bench-contenders               or: python3 benchmarks/contenders.py [--model voc] [--runs N] [--threads N]

The model is a full-size TagCLIP (ViT-B/16 at 512 x 512) with random weights, the photo one of the four that come with
the sources. Every contender gets normalised pixels and gives labels; ours gets bytes and normalises them itself. Text
embeddings are given, as they are computed once for a vocabulary. Each has run before it is timed; then they run one
after the other, again and again, so that whatever else the machine does meets all. A number format that the processor
lacks leaves a row that says so.
"""

import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from PIL import Image

import contender_runtimes
import random_weights
from contender_runtimes import Unsupported

ROOT = Path(__file__).resolve().parents[1]
PROGRAM = Path(os.environ.get("TAGCLIP_BINARY", ROOT / "build/release/tagclip"))
BENCH = PROGRAM.parent / "tagclip_bench"
PHOTO = ROOT / "tests/data/photos/cat.jpg"
SIDE = 512
MEAN, DEVIATION = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
MODELS = {"voc": dict(classes=20, unseen=5, prompts=10), "coco": dict(classes=171, unseen=15, prompts=100)}
REST = 0.05  # seconds between runs: threads that wait for work give up by then


def our_precisions():
    """The number formats of ours, with why this processor cannot multiply in one, or None."""
    done = subprocess.run([BENCH, "precisions", "--json"], check=True, stdout=subprocess.PIPE, text=True)
    return {row["precision"]: row.get("not_on_this_processor") for row in json.loads(done.stdout)["precisions"]}


class OurProgram:
    """`tagclip_bench interleaved` as a contender, which times itself; the labels are those of `tagclip segment`."""

    name = "tagclip"

    def __init__(self, precision, files, threads):
        self.precision = precision
        model = ["--weights", files["weights"], "--text-embeddings", files["words"], "--precision", precision]
        environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
        self.output = files["folder"] / precision
        subprocess.run([PROGRAM, "segment", files["photo"], *model, "-o", self.output, "--quiet"], check=True,
                       env=environment, stdout=subprocess.DEVNULL)
        self.process = subprocess.Popen([BENCH, "interleaved", *model, "--photo", files["photo"]], text=True,
                                        env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def labels(self):
        return np.array(Image.open(self.output / "photo_labels.png"))

    def milliseconds(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())["ms"]

    def end(self):
        self.process.communicate()


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


@dataclass
class Row:
    contender: object
    labels: np.ndarray = None
    times: list = field(default_factory=list)  # milliseconds; none of an Unsupported


def enter(contender, model):
    print(f"{model}: making {contender.name}, {contender.precision}", flush=True)
    return Row(contender, contender.labels())


def show(rows):
    """Prints a line per row; ratios are taken run by run."""
    released = rows[0]
    ours = {row.contender.precision: row.times for row in rows if row.contender.name == OurProgram.name}
    print(f"{'precision':<12}{'':<22}{'ms':<26}{'released / it':<15}{'it / tagclip':<22}labels as released")
    for row in rows:
        start = f"{row.contender.precision:<12}{row.contender.name:<22}"
        if not row.times:
            print(f"{start}not on this processor: {row.contender.reason}")
            continue
        against = ours[row.contender.precision]
        compared = spread(ratios(row.times, against), ".2f") if against and against is not row.times else "-"
        print(f"{start}{spread(row.times, '.0f'):<26}{statistics.median(ratios(released.times, row.times)):<15.2f}"
              f"{compared:<22}{(row.labels == released.labels).mean():.2%}")


def measure(name, runs, threads):
    model = MODELS[name]
    weights = random_weights.tagclip_weights(model["prompts"])
    text = random_weights.unit_rows(model["classes"])
    with tempfile.TemporaryDirectory(prefix="tagclip-contenders-") as folder:
        files, pixels = write_files(Path(folder), weights, text, model["unseen"])
        print(f"{name}: exporting and quantising", flush=True)
        rows, programs = [], []
        for contender in contender_runtimes.contenders(weights, text, model["unseen"], pixels, threads,
                                                        files["folder"]):
            rows.append(Row(contender) if isinstance(contender, Unsupported) else enter(contender, name))
        for precision, reason in our_precisions().items():
            if reason:
                rows.append(Row(Unsupported(OurProgram.name, precision, reason)))
                continue
            programs.append(OurProgram(precision, files, threads))
            rows.append(enter(programs[-1], name))

        for _ in range(runs):
            for row in rows:
                if not isinstance(row.contender, Unsupported):
                    time.sleep(REST)
                    row.times.append(row.contender.milliseconds())
        for program in programs:
            program.end()
    print(f"\n{name}: {model['classes']} classes, {model['prompts']} prompts; ms of {runs} interleaved runs on {threads} "
          "threads, median (fastest to slowest)")
    show(rows)
    print(flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", choices=[*MODELS, "all"], default="all", help="(%(default)s)")
    parser.add_argument("--runs", type=int, default=7, help="runs of each (%(default)s)")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="(%(default)s)")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(contender_runtimes.versions())
    for name in MODELS if options.model == "all" else [options.model]:
        measure(name, options.runs, options.threads)


if __name__ == "__main__":
    main()
