"""The classes of the package."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Union, cast, overload

import numpy as np
import numpy.typing as npt

from tagclip import _core
from tagclip._core import AbsentClass, PhotoEncoding, Region
from tagclip._photos import Photo, given_photo
from tagclip.settings import Mode, Precision, Settings, WordSettings, as_texts

if TYPE_CHECKING:
    from typing_extensions import Unpack

# A progress function gets what is done, how much of it, and of how much: ("photos", 3, 10).
Progress = Callable[[str, int, int], object]
# One class: its name, or its name and synonyms.
ClassWords = Union[str, Sequence[str]]
# "cat, grass, sky" (or a file of words, as the program takes them), a list of classes, or names with
# synonyms.
Words = Union[str, "os.PathLike[str]", Sequence[ClassWords], Mapping[str, Sequence[str]]]

UNLABELLED: int = _core.UNLABELLED


class Vocabulary:
    """Classes in the form a model takes them, made by Segmenter.embed and its relatives."""

    def __init__(self, core: _core.Vocabulary) -> None:
        self._core = core

    @property
    def names(self) -> list[str]:
        """The name of each class: label n of a result is names[n]."""
        return [words[0] for words in self._core.words]

    @property
    def words(self) -> list[list[str]]:
        """Each class's name and synonyms."""
        return self._core.words

    @property
    def seen(self) -> list[bool]:
        """Whether the model was trained on pixels of the class."""
        return self._core.seen

    @property
    def templates(self) -> list[str]:
        """The prompt templates: "a photo of a {}", ..."""
        return self._core.templates

    @property
    def class_templates(self) -> list[list[str]]:
        """The templates of each class, where Segmenter.tune chose them; empty otherwise."""
        return self._core.class_templates

    def write(self, path: str | os.PathLike[str]) -> None:
        """Writes the embeddings: .npy with the class list beside it as .txt, or .safetensors."""
        self._core.write(Path(path))

    def __len__(self) -> int:
        return len(self._core.words)

    def __repr__(self) -> str:
        return f"tagclip.Vocabulary({', '.join(self.names)})"


class Segmentation:
    """The result for one photo."""

    def __init__(self, core: _core.Segmentation, vocabulary: Vocabulary) -> None:
        self._core = core
        self.vocabulary = vocabulary

    @property
    def width(self) -> int:
        return self._core.width

    @property
    def height(self) -> int:
        return self._core.height

    @property
    def labels(self) -> npt.NDArray[np.uint16]:
        """The class of every pixel, [height, width]: an index into vocabulary.names, or UNLABELLED. Read-only."""
        return self._core.labels()

    @property
    def scores(self) -> npt.NDArray[np.float32]:
        """The score of each pixel's best class, [height, width], at most 1. Read-only."""
        return self._core.scores()

    @property
    def regions(self) -> list[Region]:
        """The classes that occur, largest first: name, label, share, mean_score, presence."""
        return self._core.regions

    @property
    def absent(self) -> list[AbsentClass]:
        """The classes that were left out by `presence`: name, label, presence."""
        return self._core.absent

    def mask(self, name: str | int) -> npt.NDArray[np.bool_]:
        """Where a class is, [height, width]. Raises KeyError for a name that is no class."""
        return np.equal(self.labels, self._label(name))

    def class_scores(self, names: Iterable[str | int] | None = None) -> npt.NDArray[np.float32]:
        """The scores of these classes (all, without any) at every pixel, [classes, height, width].

        With a trained model sigmoid(logit), less the seen bias and times the trusty weight: in [-1, 1]. With
        a CLIP as it is a probability: those of all classes sum to 1. They are computed when asked for.
        """
        labels = range(len(self.vocabulary)) if names is None else map(self._label, names)
        return self._core.class_scores(list(labels))

    def overlay(self) -> npt.NDArray[np.uint8]:
        """The photo under translucent class colours, [height, width, 3]."""
        return self._core.overlay()

    def overlay_png(self) -> bytes:
        """The same as a PNG file, with a legend."""
        return self._core.overlay_png()

    def labels_png(self) -> bytes:
        """A PNG file whose palette index is the class; 255 is unlabelled."""
        return self._core.labels_png()

    def write_overlay(self, path: str | os.PathLike[str]) -> None:
        """Writes overlay_png(), whole or not at all, over what was there."""
        self._core.write_overlay(Path(path))

    def write_labels(self, path: str | os.PathLike[str]) -> None:
        """Writes labels_png(), whole or not at all, over what was there."""
        self._core.write_labels(Path(path))

    def to_dict(self) -> dict[str, Any]:
        """What `tagclip segment` writes as JSON beside its label file."""
        return cast("dict[str, Any]", json.loads(self._core.json()))

    def _label(self, name: str | int) -> int:
        if not isinstance(name, str):
            return int(name)
        if name not in self.vocabulary.names:
            raise KeyError(f"no class is called {name!r}; classes: {', '.join(self.vocabulary.names)}")
        return self.vocabulary.names.index(name)

    def __repr__(self) -> str:
        found = ", ".join(f"{region.name} {region.share:.1%}" for region in self.regions)
        return f"tagclip.Segmentation({self.width}x{self.height}: {found})"


class Segmenter:
    """A model, loaded once, for any number of words and photos. It may be used from several threads.

    `weights`: a file or folder in any dialect that `tagclip info` knows; tagclip.shipped_weights() is the
    small model of this package. Raises BadInput for weights that cannot be used, UsageError for settings
    that cannot work.

        segmenter = tagclip.Segmenter("ViT-B-16.pt", mode="scclip")
        result = segmenter.segment("photo.jpg", "cat, grass, sky")
        result.labels, result.scores, result.overlay()
    """

    def __init__(self, weights: str | os.PathLike[str], **settings: Unpack[Settings]) -> None:
        self._core = _core.Segmenter(Path(weights), as_texts(settings))

    def with_settings(self, **settings: Unpack[Settings]) -> Segmenter:
        """The model with other windows and scores; it shares the weights and costs nothing.

        Raises UsageError where device, mode, precision, calibration or text weights differ.
        """
        other = Segmenter.__new__(Segmenter)
        other._core = self._core.with_settings(as_texts(settings))
        return other

    @property
    def settings(self) -> dict[str, str]:
        """All settings, as text."""
        return self._core.settings

    @property
    def mode(self) -> Mode:
        """What the setting comes to; never Mode.AUTO."""
        return Mode(self._core.mode)

    @property
    def precision(self) -> Precision:
        """The encoder's number format; Precision.AUTO until the first photos chose it."""
        return Precision(self._core.precision)

    @property
    def assumption(self) -> str:
        """What the weights do not say and was assumed; usually empty."""
        return self._core.assumption

    def trained_classes(self) -> Vocabulary:
        """The classes the model was trained on."""
        return Vocabulary(self._core.parse({}, None))

    def embed(
        self,
        words: Words,
        *,
        templates: Sequence[str] | None = None,
        progress: Progress | None = None,
        **settings: Unpack[WordSettings],
    ) -> Vocabulary:
        """Embeds words once, for many photos.

        `words` as text is what the program's --classes takes: "cat, grass, sky", or the name of a file.
        In a list each entry is a class, a name or a sequence of a name and its synonyms; nothing in it is
        taken apart. Words that CLIP reads alike become one class, of which a TagclipWarning tells.
        `templates`: each with {} where the word goes, for lists; text has `prompt`.
        """
        if isinstance(words, (str, os.PathLike)):
            if templates is not None:
                raise TypeError("`templates` goes with a list of words; words as text take `prompt`")
            texts = as_texts({"classes": words, **settings})
            return Vocabulary(self._core.parse(texts, progress))
        if settings:
            raise TypeError(f"{', '.join(settings)}: for words as text; a list takes `templates`")
        return Vocabulary(self._core.embed(_classes_of(words), list(templates or []), progress))

    def tune(
        self,
        words: str | os.PathLike[str],
        photos: Iterable[Photo],
        *,
        progress: Progress | None = None,
        **settings: Unpack[WordSettings],
    ) -> Vocabulary:
        """Words with templates chosen for each class on photos without labels (FLOSS); not in Mode.TRAINED."""
        texts = as_texts({"classes": words, **settings})
        return Vocabulary(self._core.tune(texts, [given_photo(photo) for photo in photos], progress))

    @overload
    def encode(self, photo: list[Photo], *, progress: Progress | None = None) -> list[PhotoEncoding]: ...
    @overload
    def encode(self, photo: Photo, *, progress: Progress | None = None) -> PhotoEncoding: ...
    def encode(
        self, photo: Photo | list[Photo], *, progress: Progress | None = None
    ) -> PhotoEncoding | list[PhotoEncoding]:
        """Encodes a photo, or each of a list, which takes most of the time: other words then cost little."""
        encodings = self._core.encode(_given(photo), progress)
        return encodings if isinstance(photo, list) else encodings[0]

    def read_encoding(self, file: str | os.PathLike[str], photo: Photo) -> PhotoEncoding:
        """An encoding of `photo` that a segmenter of the same weights, mode and windows wrote."""
        return self._core.read_encoding(Path(file), [given_photo(photo)])

    @overload
    def segment(
        self, photo: list[Photo], words: Words | Vocabulary, *, progress: Progress | None = None
    ) -> list[Segmentation]: ...
    @overload
    def segment(
        self, photo: Photo | PhotoEncoding, words: Words | Vocabulary, *, progress: Progress | None = None
    ) -> Segmentation: ...
    def segment(
        self,
        photo: Photo | PhotoEncoding | list[Photo],
        words: Words | Vocabulary,
        *,
        progress: Progress | None = None,
    ) -> Segmentation | list[Segmentation]:
        """Gives every pixel of a photo, or of each of a list, one of the words.

        A photo is a path, the bytes of a JPEG, PNG or WebP file, an array [height, width, 3] of uint8 (red,
        green, blue), a PIL image (turned upright by its EXIF), or what `encode` returned. Words as `embed`
        takes them; give what `embed` returned where many photos share them.
        """
        vocabulary = words if isinstance(words, Vocabulary) else self.embed(words)
        if isinstance(photo, PhotoEncoding):
            return Segmentation(self._core.segment_encoding(photo, vocabulary._core), vocabulary)
        found = self._core.segment(_given(photo), vocabulary._core, progress)
        results = [Segmentation(result, vocabulary) for result in found]
        return results if isinstance(photo, list) else results[0]


def _given(photo: Any) -> list[tuple[object, str]]:
    return [given_photo(one) for one in photo] if isinstance(photo, list) else [given_photo(photo)]


def _classes_of(words: Sequence[ClassWords] | Mapping[str, Sequence[str]]) -> list[list[str]]:
    if isinstance(words, Mapping):
        return [[name, *synonyms] for name, synonyms in words.items()]
    return [[entry] if isinstance(entry, str) else list(entry) for entry in words]


def shipped_weights(name: str = "everyday") -> Path:
    """One of the small models that come with this package, `everyday` or `mini`."""
    return Path(__file__).parent / "share" / "tagclip" / "models" / f"{name}.safetensors"


def describe_settings() -> dict[str, dict[str, Any]]:
    """Each setting's default (`value`), help text and, where only some words are taken, `choices`."""
    return {entry["name"]: entry for entry in _core.settings()}
