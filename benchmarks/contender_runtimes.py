"""The ways people run such a model on a CPU. Each is a name, a precision, and a call from pixels to labels."""

import contextlib
import io
import logging
import sys
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

import numpy as np
import nncf
import onnxruntime
import openvino
import torch
import torch._inductor.config
from onnxruntime.quantization import QuantType, quantize_dynamic

from contender_models import Careful, Released

CALIBRATION_PHOTOS = 3  # nncf reads the ranges of values off them


@dataclass
class Contender:
    name: str
    precision: str
    labels: Callable[[], np.ndarray]  # [512, 512] of the photo

    def milliseconds(self):
        start = time.perf_counter()
        self.labels()
        return 1000 * (time.perf_counter() - start)


@contextlib.contextmanager
def quiet():
    """Without the warnings and progress bars of exporters."""
    logging.disable(logging.WARNING)
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        yield
    logging.disable(logging.NOTSET)


def eager(module, pixels, dtype=torch.float32):
    module, given = module.to(dtype), torch.from_numpy(pixels).to(dtype)

    def labels():
        with torch.inference_mode():
            return module(given).numpy()
    return labels


def compiled(module, pixels, dtype):
    """With weights packed ahead, which torch.compile does for modules it may freeze."""
    torch._inductor.config.freezing = True
    module, given = torch.compile(module.to(dtype)), torch.from_numpy(pixels).to(dtype)

    def labels():
        with torch.no_grad():
            return module(given).numpy()
    return labels


def export_onnx(module, pixels, path):
    with quiet():
        torch.onnx.export(module, (torch.from_numpy(pixels),), path, input_names=["pixels"],
                          output_names=["labels"], opset_version=18, dynamo=False)


def onnx_runtime(path, pixels, threads):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return lambda: session.run(None, {"pixels": pixels})[0]


def open_vino(model, pixels, threads, precision):
    """`precision` of what is not int8 already."""
    compiled_model = openvino.Core().compile_model(model, "CPU", {
        "INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": precision})
    return lambda: compiled_model(pixels)[0]


def quantised(model, pixels):
    random = np.random.default_rng(3)
    photos = [pixels] + [pixels + random.normal(0, 0.3, pixels.shape).astype(np.float32)
                         for _ in range(CALIBRATION_PHOTOS - 1)]
    with quiet():
        return nncf.quantize(model, nncf.Dataset(photos), model_type=nncf.ModelType.TRANSFORMER,
                             subset_size=CALIBRATION_PHOTOS)


def contenders(weights, text, unseen, pixels, threads, folder):
    """Makes them one by one; the first is what the others' labels are compared with."""
    def careful():
        return Careful(weights, text, unseen)

    yield Contender("PyTorch, as released", "float32", eager(Released(weights, text, unseen), pixels))
    yield Contender("PyTorch, with care", "float32", eager(careful(), pixels))
    yield Contender("torch.compile", "float32", compiled(careful(), pixels, torch.float32))

    exported, small = Path(folder) / "careful.onnx", Path(folder) / "careful-int8.onnx"
    export_onnx(careful(), pixels, exported)
    yield Contender("ONNX Runtime", "float32", onnx_runtime(exported, pixels, threads))
    model = openvino.Core().read_model(exported)
    yield Contender("OpenVINO", "float32", open_vino(model, pixels, threads, "f32"))

    yield Contender("PyTorch, with care", "bfloat16", eager(careful(), pixels, torch.bfloat16))
    yield Contender("torch.compile", "bfloat16", compiled(careful(), pixels, torch.bfloat16))
    yield Contender("OpenVINO", "bfloat16", open_vino(model, pixels, threads, "bf16"))

    with quiet():
        quantize_dynamic(exported, small, weight_type=QuantType.QInt8)
    yield Contender("ONNX Runtime", "int8", onnx_runtime(small, pixels, threads))
    yield Contender("OpenVINO with nncf", "int8", open_vino(quantised(model, pixels), pixels, threads, "bf16"))


def versions():
    return (f"Python {sys.version.split()[0]}, PyTorch {torch.__version__}, ONNX Runtime {onnxruntime.__version__}, "
            f"OpenVINO {openvino.__version__.split('-')[0]}, nncf {nncf.__version__}")
