"""open_clip and transformers, ready to use. Import them from here."""

import logging
import os
import warnings
from importlib.metadata import version

os.environ["HF_HUB_OFFLINE"] = "1"  # everything here is made on the spot

import torch  # noqa: E402

# pip's torchvision is a CUDA build, which cannot load its operators beside a CPU torch; open_clip
# imports it, and uses none of them.
if torch.version.cuda is None and "+cpu" not in version("torchvision"):
    _missing = torch.library.Library("torchvision", "DEF")
    for _name in ("nms", "qnms"):
        _missing.define(f"{_name}(Tensor boxes, Tensor scores, float iou_threshold) -> Tensor")

import open_clip  # noqa: E402
import transformers  # noqa: E402

transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()
logging.disable(logging.WARNING)
warnings.filterwarnings("ignore", module="torch|open_clip|transformers")

__all__ = ["open_clip", "torch", "transformers"]
