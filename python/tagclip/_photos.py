"""Photos as people have them in Python: a path, the bytes of a file, an array, a PIL image."""

from __future__ import annotations

import os
from typing import Any, Union

import numpy as np
import numpy.typing as npt

# PIL.Image.Image is meant by Any: Pillow is no requirement of this package.
Photo = Union[str, "os.PathLike[str]", bytes, npt.NDArray[np.uint8], Any]

# What tagclip._core takes: a path, bytes or pixels, and how messages call the photo.
GivenPhoto = tuple[object, str]


def given_photo(photo: Photo) -> GivenPhoto:
    """The photo as the C++ library takes it. Raises TypeError or ValueError for what is none."""
    if isinstance(photo, (str, os.PathLike)):
        return os.fsdecode(photo), ""
    if isinstance(photo, (bytes, bytearray, memoryview)):
        return bytes(photo), "photo"
    name = ""
    if hasattr(photo, "getexif") and hasattr(photo, "convert"):  # PIL's
        name = os.path.basename(getattr(photo, "filename", "") or "")
        photo = _upright(photo)
    if not (hasattr(photo, "__array__") or hasattr(photo, "__array_interface__")):
        raise TypeError(f"a photo is a path, bytes, an array or a PIL image, not {type(photo).__name__}")
    return _pixels(np.asarray(photo)), name


def _upright(photo: Any) -> Any:
    from PIL import ImageOps

    return ImageOps.exif_transpose(photo).convert("RGB")


def _pixels(array: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    if array.dtype != np.uint8:
        raise ValueError(f"pixels are 8-bit numbers (uint8), not {array.dtype}: scale them to 0..255 first")
    if array.ndim == 2:
        array = np.repeat(array[:, :, None], 3, axis=2)
    if array.ndim != 3 or array.shape[2] != 3:
        raise ValueError(
            f"pixels are an array [height, width, 3] of red, green and blue, or [height, width] of grey, "
            f"not {list(array.shape)}"
        )
    return np.ascontiguousarray(array)
