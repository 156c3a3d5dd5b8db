"""How the package is used, for mypy: every line must have the type that is written beside it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

import tagclip


def use(photo: npt.NDArray[np.uint8]) -> None:
    segmenter: tagclip.Segmenter = tagclip.Segmenter("model.safetensors", mode=tagclip.Mode.TRAINED, threshold=0.1)
    words: tagclip.Vocabulary = segmenter.embed([["sofa", "couch"], "cat"])
    result: tagclip.Segmentation = segmenter.segment(photo, words)
    labels: npt.NDArray[np.uint16] = result.labels
    scores: npt.NDArray[np.float32] = result.class_scores(["cat", 0])
    mask: npt.NDArray[np.bool_] = result.mask("cat") & (labels > 0) & (scores[0] > 0)
    encoding: tagclip.PhotoEncoding = segmenter.encode("photo.jpg")
    many: list[tagclip.PhotoEncoding] = segmenter.encode(["a.jpg", photo])
    results: list[tagclip.Segmentation] = segmenter.segment([photo, b"bytes"], "cat, sky")
    other: tagclip.Segmentation = segmenter.segment(encoding, {"cat": ["kitten"]})
    regions: list[tagclip.Region] = other.regions
    name: str = regions[0].name
    share: float = regions[0].share
    presence: float | None = regions[0].presence
    print(mask, many, results, name, share, presence, segmenter.with_settings(refine="pamr").settings)
    try:
        segmenter.segment("photo.jpg", "cat", progress=lambda what, done, total: None)
    except tagclip.BadInput as error:
        kind: tagclip.ErrorKind = error.kind
        hint: str = error.hint
        print(kind, hint)
