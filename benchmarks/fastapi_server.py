"""The model of `tagclip serve` behind FastAPI, uvicorn and PyTorch, as people serve such a model: the part of the same API
that serve_bench.py asks for. Run by it; prints its address once the model is loaded.

Words are embedded ahead, by `tagclip embed`; a request that asks for others is an error. One request at a time has the
model, which keeps all cores busy, and photos are decoded and answers are written by FastAPI's pool of threads.
"""

import argparse
import base64
import io
import json
import socket
import struct
import threading
import uuid
from collections import OrderedDict
from pathlib import Path

import numpy as np
import torch
import uvicorn
from fastapi import FastAPI, File, Form, HTTPException, UploadFile
from PIL import Image
from pydantic import BaseModel
from torch.nn import functional as F

from contender_models import Careful, Released

MEAN, DEVIATION = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
KEPT = 100  # encodings
STRIDE = 426 / 512  # of the window


def read_weights(path):
    """(tensors but the text tower's as float32, the class names it was trained with labels of)."""
    content = Path(path).read_bytes()
    begin = 8 + struct.unpack("<Q", content[:8])[0]
    header = json.loads(content[8:begin])
    metadata = header.pop("__metadata__")
    weights = {}
    for name, entry in header.items():
        if not name.startswith("text_encoder."):
            first, last = (begin + offset for offset in entry["data_offsets"])
            values = np.frombuffer(content[first:last], {"F16": np.float16, "F32": np.float32}[entry["dtype"]])
            weights[name] = values.reshape(entry["shape"]).astype(np.float32)
    classes = json.loads(metadata["tagclip.trained_on"])["classes"]
    return weights, {entry["name"] for entry in classes if entry["seen"]}


class Question(BaseModel):
    encoding: str
    classes: list[str]


class Model:
    """A photo to labels, in sliding windows whose logits are averaged."""

    def __init__(self, kind, weights, words):
        tensors, seen = read_weights(weights)
        names = words.with_suffix(".txt").read_text().splitlines()
        embeddings = np.load(words)
        self.words = {name: (name in seen, torch.from_numpy(row)) for name, row in zip(names, embeddings)}
        self.network = {"released": Released, "careful": Careful}[kind](tensors, embeddings, 1)
        self.lock = threading.Lock()

    @torch.inference_mode()
    def encode(self, photo):  # a PIL image -> what `segment` needs of it
        side = self.network.side
        scale = side / min(photo.size)
        width, height = (int(length * scale + 0.5) for length in photo.size)
        pixels = torch.from_numpy((np.asarray(photo, np.float32) - np.float32(MEAN)) / np.float32(DEVIATION))
        pixels = F.interpolate(pixels.permute(2, 0, 1)[None], (height, width), mode="bilinear")[0]
        corners = [(y, x) for y in self.starts(height) for x in self.starts(width)]
        windows = torch.stack([pixels[:, y:y + side, x:x + side] for y, x in corners])
        with self.lock:
            patches, image = self.network.encode(windows)
        return {"size": photo.size, "resized": (height, width), "corners": corners, "patches": patches, "image": image}

    def starts(self, length):
        side = self.network.side
        stride = round(STRIDE * side)
        return [*range(0, max(length - side, 0), stride), max(length - side, 0)]

    @torch.inference_mode()
    def segment(self, encoding, names):  # -> labels [H, W]
        order = sorted(range(len(names)), key=lambda i: not self.words[names[i]][0])  # the model has seen classes first
        network, side = self.network, self.network.side
        with self.lock:
            network.text = torch.stack([self.words[names[i]][1] for i in order])
            network.seen = sum(self.words[name][0] for name in names)
            maps = network.upsample(network.maps(encoding["patches"], encoding["image"]))
            height, width = encoding["resized"]
            summed, count = torch.zeros(maps.shape[1], height, width), torch.zeros(height, width)
            for (y, x), window in zip(encoding["corners"], maps):
                summed[:, y:y + side, x:x + side] += window
                count[y:y + side, x:x + side] += 1
            width, height = encoding["size"]
            logits = F.interpolate((summed / count)[None], (height, width), mode="bilinear", align_corners=False)
            labels = network.label(logits)
        return np.array(order, np.uint8)[labels.numpy()]


def answer(labels, names):
    buffer = io.BytesIO()
    Image.fromarray(labels).save(buffer, "png")
    classes = [{"index": i, "name": name, "share": float((labels == i).mean())} for i, name in enumerate(names)]
    return {"width": labels.shape[1], "height": labels.shape[0], "classes": classes,
            "outputs": {"labels": base64.b64encode(buffer.getvalue()).decode()}}


def application(model):
    app = FastAPI()
    kept = OrderedDict()

    @app.post("/v1/encodings", status_code=201)
    def encode(photo: UploadFile = File()):
        encoding = model.encode(Image.open(photo.file).convert("RGB"))
        key = str(uuid.uuid4())
        kept[key] = encoding
        if len(kept) > KEPT:
            kept.popitem(last=False)
        return {"id": key, "width": encoding["size"][0], "height": encoding["size"][1]}

    @app.post("/v1/photos")
    def segment_photo(photo: UploadFile = File(), request: str = Form()):
        names = json.loads(request)["classes"]
        return answer(model.segment(model.encode(Image.open(photo.file).convert("RGB")), names), names)

    @app.post("/v1/segment")
    def segment(request: Question):
        if request.encoding not in kept:
            raise HTTPException(404)
        return answer(model.segment(kept[request.encoding], request.classes), request.classes)

    return app


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", required=True)
    parser.add_argument("--words", type=Path, required=True, help="what `tagclip embed` wrote, .npy")
    parser.add_argument("--model", choices=["released", "careful"], default="careful")
    parser.add_argument("--threads", type=int, required=True)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    app = application(Model(options.model, options.weights, options.words))
    listener = socket.create_server(("127.0.0.1", 0))
    print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False)).run(sockets=[listener])


if __name__ == "__main__":
    main()
