"""The ways people run such a model on a CPU. Each is a name, a precision, and a call from pixels to labels."""

import contextlib
import io
import logging
import multiprocessing
import sys
import time
import warnings
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
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


@dataclass
class Unsupported:
    """A row that this processor cannot run, and why."""
    name: str
    precision: str
    reason: str


@contextlib.contextmanager
def quiet():
    """Without the warnings and progress bars of exporters."""
    logging.disable(logging.WARNING)
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        yield
    logging.disable(logging.NOTSET)


def given_to(module, pixels):
    return torch.from_numpy(pixels).to(next(module.parameters()).dtype)


def eager(module, pixels):
    given = given_to(module, pixels)

    def labels():
        with torch.inference_mode():
            return module(given).numpy()
    return labels


def compiled(module, pixels):
    """With weights packed ahead, which torch.compile does for modules it may freeze."""
    torch._inductor.config.freezing = True
    program, given = torch.compile(module), given_to(module, pixels)

    def labels():
        with torch.no_grad():
            return program(given).numpy()
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


def open_vino(path, pixels, threads, precision):
    """`precision` of what is not int8 already."""
    program = openvino.Core().compile_model(path, "CPU", {
        "INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": precision})
    return lambda: program(pixels)[0]


def open_vino_has_bfloat16():
    """Without instructions for it OpenVINO takes the hint and computes in float32."""
    return "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def write_models(weights, text, unseen, pixels, folder):
    """The careful model as files: ONNX, the same with int8 weights, OpenVINO's with int8 throughout."""
    export_onnx(Careful(weights, text, unseen), pixels, folder / "careful.onnx")
    random = np.random.default_rng(3)
    photos = [pixels] + [pixels + random.normal(0, 0.3, pixels.shape).astype(np.float32)
                         for _ in range(CALIBRATION_PHOTOS - 1)]
    with quiet():
        quantize_dynamic(folder / "careful.onnx", folder / "int8.onnx", weight_type=QuantType.QInt8)
        model = nncf.quantize(openvino.Core().read_model(folder / "careful.onnx"), nncf.Dataset(photos),
                              model_type=nncf.ModelType.TRANSFORMER, subset_size=CALIBRATION_PHOTOS)
    openvino.save_model(model, folder / "int8.xml", compress_to_fp16=False)


def contenders(weights, text, unseen, pixels, threads, folder):
    """Makes them one by one, an Unsupported for each that this processor cannot run. The first is what the others'
    labels are compared with."""
    # Quantising takes gigabytes, which a process of its own gives back.
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        pool.submit(write_models, weights, text, unseen, pixels, folder).result()
    careful = Careful(weights, text, unseen)

    yield Contender("PyTorch, as released", "float32", eager(Released(weights, text, unseen), pixels))
    yield Contender("PyTorch, with care", "float32", eager(careful, pixels))
    yield Contender("torch.compile", "float32", compiled(careful, pixels))
    exported = folder / "careful.onnx"
    yield Contender("ONNX Runtime", "float32", onnx_runtime(exported, pixels, threads))
    yield Contender("OpenVINO", "float32", open_vino(exported, pixels, threads, "f32"))

    low = Careful(weights, text, unseen).bfloat16()
    yield Contender("PyTorch, with care", "bfloat16", eager(low, pixels))
    yield Contender("torch.compile", "bfloat16", compiled(low, pixels))
    has_bfloat16 = open_vino_has_bfloat16()
    if has_bfloat16:
        yield Contender("OpenVINO", "bfloat16", open_vino(exported, pixels, threads, "bf16"))
    else:
        yield Unsupported("OpenVINO", "bfloat16", "OpenVINO finds no instructions for bfloat16")

    yield Contender("ONNX Runtime", "int8", onnx_runtime(folder / "int8.onnx", pixels, threads))
    rest = "bf16" if has_bfloat16 else "f32"
    yield Contender("OpenVINO with nncf", "int8", open_vino(folder / "int8.xml", pixels, threads, rest))


def versions():
    return (f"Python {sys.version.split()[0]}, PyTorch {torch.__version__}, ONNX Runtime {onnxruntime.__version__}, "
            f"OpenVINO {openvino.__version__.split('-')[0]}, nncf {nncf.__version__}")
