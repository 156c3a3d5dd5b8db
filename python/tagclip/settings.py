"""The settings of a Segmenter and of words, with their types.

`tagclip.describe_settings()` gives each one's default and help text. Words may be given as text or as members
of these enumerations.
"""

from __future__ import annotations

import enum
import os
from collections.abc import Mapping, Sequence
from typing import TypedDict, Union

Path = Union[str, "os.PathLike[str]"]


class Device(str, enum.Enum):
    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"


class Mode(str, enum.Enum):
    """What tells the classes apart: a trained decoder, or a CLIP as it is by one of these methods."""

    AUTO = "auto"
    TRAINED = "trained"
    CLIP = "clip"
    QUICK = "quick"
    MASKCLIP = "maskclip"
    SCLIP = "sclip"
    CLEARCLIP = "clearclip"
    NACLIP = "naclip"
    SCCLIP = "scclip"
    SFP = "sfp"
    PLAIN = "plain"


class Precision(str, enum.Enum):
    AUTO = "auto"
    FLOAT32 = "float32"
    BFLOAT16X3 = "bfloat16x3"
    BFLOAT16 = "bfloat16"
    INT8 = "int8"


class Weighting(str, enum.Enum):
    NONE = "none"
    SEEN = "seen"
    UNSEEN = "unseen"
    BOTH = "both"


class Synonyms(str, enum.Enum):
    AUTO = "auto"
    MEAN = "mean"
    MAX = "max"


class WindowAverage(str, enum.Enum):
    UNIFORM = "uniform"
    TAPERED = "tapered"


class Refine(str, enum.Enum):
    NONE = "none"
    GUIDED = "guided"
    PAMR = "pamr"


class Settings(TypedDict, total=False):
    """How a model segments."""

    device: Device | str
    mode: Mode | str
    precision: Precision | str
    text_weights: Path
    short_side: int
    window: int
    stride: int
    window_average: WindowAverage | str
    join_windows: bool
    scales: Sequence[float] | float | str
    flip: bool
    logit_scale: float
    weighting: Weighting | str
    seen_bias: float | str
    trusty_token: bool
    refine: Refine | str
    presence: float
    calibrated: bool
    threshold: float
    area_threshold: float
    max_pixels: int


class WordSettings(TypedDict, total=False):
    """How words are read: what `parse` takes beside the words."""

    prompt: Path
    background: Path
    synonyms: Synonyms | str
    text_embeddings: Path
    no_cache: bool


def as_texts(settings: Mapping[str, object]) -> dict[str, str]:
    """The settings as the C++ library takes them."""
    return {name: _as_text(name, value) for name, value in settings.items()}


def _as_text(name: str, value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, enum.Enum):
        return str(value.value)
    if isinstance(value, (str, int, float)):
        return str(value)
    if isinstance(value, (list, tuple)) and all(isinstance(entry, (int, float)) for entry in value):
        return ",".join(str(entry) for entry in value)
    if isinstance(value, os.PathLike):
        return os.fsdecode(value)
    raise TypeError(f"setting {name}: {type(value).__name__} is no text, number, list of numbers or path")
