"""How `tagclip segment` and `tagclip train` get faster with ranks: full-size models with random weights, made-up photos.

    make bench-ranks                    or: python3 benchmarks/ranks.py [--photos N] [--iterations N]

One process with one thread, one with a thread a core, and one process a core with one thread each. Counted is what
comes out between the first result and the last, so that starting and loading weights do not enter.
"""

import argparse
import json
import os
import socket
import statistics
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

import random_weights

ROOT = Path(__file__).resolve().parents[1]
PROGRAM = Path(os.environ.get("TAGCLIP_BINARY", ROOT / "build/release/tagclip"))
CORES = len(os.sched_getaffinity(0))
SIDE, CLASSES, UNSEEN, PROMPTS = 512, 20, 5, 10


def write_data(folder, photos):
    """The data set layout of `tagclip train`: photos of one window, labels in bands."""
    random = np.random.default_rng(4)
    names = [f"photo{i:03}" for i in range(photos)]
    classes = [f"thing {i}" for i in range(CLASSES)]
    for part in ("images", "labels"):
        (folder / part).mkdir()
    for name in names:
        coarse = Image.fromarray(random.integers(0, 256, (16, 16, 3), np.uint8))
        coarse.resize((SIDE, SIDE)).save(folder / "images" / f"{name}.jpg", quality=90)
        bands = random.integers(0, CLASSES, (8, 1), np.uint8)
        Image.fromarray(np.ascontiguousarray(bands.repeat(SIDE // 8, 0).repeat(SIDE, 1))).save(
            folder / "labels" / f"{name}.png")
    for file, lines in (("classes", classes), ("unseen", classes[-UNSEEN:]), ("train", names)):
        (folder / f"{file}.txt").write_text("\n".join(lines) + "\n")
    return classes


def environments(ranks, threads):
    """What torchrun sets, for each rank."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    for rank in range(ranks):
        yield {**os.environ, "OMP_NUM_THREADS": str(threads), "RANK": str(rank), "LOCAL_RANK": str(rank),
               "WORLD_SIZE": str(ranks), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}


def run(ranks, threads, *arguments):
    """Standard output of every rank, as (seconds, line)."""
    started = [subprocess.Popen([PROGRAM, *map(str, arguments)], env=environment, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)
               for environment in environments(ranks, threads)]

    def listen(process):
        with ThreadPoolExecutor(1) as pool:
            errors = pool.submit(process.stderr.read)
            lines = [(time.monotonic(), line) for line in process.stdout]
            if process.wait() != 0:
                raise RuntimeError(errors.result())
        return lines
    with ThreadPoolExecutor(ranks) as pool:
        return list(pool.map(listen, started))


def segmented_a_second(ranks, threads, folder, words):
    output = folder / f"segmented-{ranks}-{threads}"
    heard = run(ranks, threads, "segment", folder / "images", "-o", output, "--weights", folder / "tagclip.safetensors",
                "--text-embeddings", words)
    return sum((len(lines) - 1) / (lines[-1][0] - lines[0][0]) for lines in heard)


def trained_a_second(ranks, threads, folder, iterations):
    output = folder / f"trained-{ranks}-{threads}"
    settings = {"data": folder, "clip": folder / "clip.safetensors", "output": output, "batch": 2 * CORES,
                "log_every": 1, "val_split": "", "schedule.iterations": iterations, "check_data": "false",
                "model.prompts": PROMPTS}
    run(ranks, threads, "train", *(word for name, value in settings.items() for word in ("--set", f"{name}={value}")))
    log = [json.loads(line) for line in (output / "log.jsonl").read_text().splitlines()]
    return statistics.median(entry["images_per_second"] for entry in log[1:])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=int, default=4 * CORES, help="to segment (%(default)s)")
    parser.add_argument("--iterations", type=int, default=4, help="to train, the first not counted (%(default)s)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tagclip-ranks-") as name:
        folder = Path(name)
        classes = write_data(folder, options.photos)
        random_weights.write_safetensors(folder / "tagclip.safetensors", random_weights.tagclip_weights(PROMPTS), {
            "tagclip.trained_on": random_weights.trained_on(classes, UNSEEN)})
        random_weights.write_safetensors(folder / "clip.safetensors", random_weights.clip_weights(), {})
        words = folder / "words.npy"
        np.save(words, random_weights.unit_rows(CLASSES))
        words.with_suffix(".txt").write_text("\n".join(classes) + "\n")

        print("photos a second, and how many times one rank with one thread\n"
              f"{'ranks':<7}{'threads each':<14}{'segment':<18}train, {2 * CORES} photos a step")
        first = None
        for ranks, threads in dict.fromkeys([(1, 1), (1, CORES), (CORES, 1)]):
            rates = (segmented_a_second(ranks, threads, folder, words),
                     trained_a_second(ranks, threads, folder, options.iterations))
            first = first or rates
            cells = [f"{rate:.3g} ({rate / base:.2f})" for rate, base in zip(rates, first)]
            print(f"{ranks:<7}{threads:<14}{cells[0]:<18}{cells[1]}", flush=True)


if __name__ == "__main__":
    main()
