"""Open-vocabulary semantic segmentation: a photo and your own words in, the word of every pixel out.

    import tagclip

    segmenter = tagclip.Segmenter(tagclip.shipped_weights())
    result = segmenter.segment("photo.jpg", "cat, grass, sky")
    result.labels      # [height, width], places in result.vocabulary.names
    result.mask("cat")
"""

from tagclip import _openmp  # before what loads OpenMP
from tagclip._core import AbsentClass, PhotoEncoding, Region, version
from tagclip._errors import BadInput, Error, ErrorKind, Failure, TagclipWarning, UsageError
from tagclip._segmenter import UNLABELLED, Segmentation, Segmenter, Vocabulary, describe_settings, shipped_weights
from tagclip.settings import Device, Mode, Precision, Refine, Synonyms, Weighting, WindowAverage

_openmp.restore()
__version__ = version()

__all__ = [
    "UNLABELLED",
    "AbsentClass",
    "BadInput",
    "Device",
    "Error",
    "ErrorKind",
    "Failure",
    "Mode",
    "PhotoEncoding",
    "Precision",
    "Refine",
    "Region",
    "Segmentation",
    "Segmenter",
    "Synonyms",
    "TagclipWarning",
    "UsageError",
    "Vocabulary",
    "Weighting",
    "WindowAverage",
    "describe_settings",
    "shipped_weights",
]
