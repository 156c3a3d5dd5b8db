"""The package as it was installed: against the program that it brings, and for what Python adds."""

from __future__ import annotations

import gc
import json
import os
import pickle
import signal
import subprocess
import sys
import sysconfig
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import tagclip
from tagclip import settings

PHOTOS = Path(os.environ["TAGCLIP_PHOTOS"])
CAT = PHOTOS / "cat.jpg"
PROGRAM = Path(sysconfig.get_path("scripts")) / "tagclip"


@pytest.fixture(scope="module")
def segmenter() -> tagclip.Segmenter:
    return tagclip.Segmenter(tagclip.shipped_weights("mini"), precision="float32")


def run_program(*words: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([PROGRAM, *map(str, words)], cwd=cwd, capture_output=True, text=True, timeout=300)


def test_results_are_those_of_the_program(segmenter: tagclip.Segmenter, tmp_path: Path) -> None:
    done = run_program("segment", CAT, "-w", "mini", "-c", "cat, sofa, wall", "-o", "out", "--precision", "float32",
                       cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    result = segmenter.segment(CAT, "cat, sofa, wall")
    assert result.labels_png() == (tmp_path / "out/cat_labels.png").read_bytes()
    assert np.array_equal(result.labels, np.asarray(Image.open(tmp_path / "out/cat_labels.png")))
    written = json.loads((tmp_path / "out/cat_classes.json").read_text())
    assert result.to_dict()["width"] == written["width"] == result.width == 451
    assert (result.labels.shape, result.labels.dtype) == ((300, 451), np.uint16)
    assert (result.scores.shape, result.scores.dtype) == ((300, 451), np.float32)
    assert (result.overlay().shape, result.overlay().dtype) == ((300, 451, 3), np.uint8)
    tinted = np.abs(result.overlay().astype(int) - np.asarray(Image.open(CAT)))
    assert 5 < tinted[result.mask("cat")].mean() < 100
    shares = {region.name: region.share for region in result.regions}
    assert shares["cat"] == pytest.approx(result.mask("cat").mean())


def test_the_default_model_is_a_clip_whose_patches_know_words() -> None:
    everyday = tagclip.Segmenter(tagclip.shipped_weights())
    assert everyday.mode is tagclip.Mode.PLAIN
    assert everyday.segment(CAT, "cat, flower").regions[0].name == "cat"


def test_the_program_comes_with_the_package(tmp_path: Path) -> None:
    assert run_program("--version", cwd=tmp_path).stdout.strip() == tagclip.__version__
    assert run_program("fetch", "--list", cwd=tmp_path).returncode == 0
    assert run_program("segment", "nothing.jpg", cwd=tmp_path).returncode == tagclip.ErrorKind.BAD_INPUT


def test_photos_in_every_form(segmenter: tagclip.Segmenter) -> None:
    words = segmenter.embed(["cat", "sky"])
    expected = segmenter.segment(CAT, words).scores
    picture = Image.open(CAT)
    array = np.asarray(picture)
    for photo in (str(CAT), CAT.read_bytes(), picture, array, np.asfortranarray(array), array[::-1][::-1]):
        assert np.array_equal(segmenter.segment(photo, words).scores, expected)
    grey = np.asarray(picture.convert("L"))
    assert np.array_equal(
        segmenter.segment(grey, words).scores, segmenter.segment(np.stack([grey] * 3, axis=2), words).scores
    )


def test_a_picture_is_turned_upright(segmenter: tagclip.Segmenter, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.open(CAT).save(tmp_path / "turned.jpg", exif=exif, quality=95)
    from_file = segmenter.segment(tmp_path / "turned.jpg", "cat")
    from_picture = segmenter.segment(Image.open(tmp_path / "turned.jpg"), "cat")
    assert (from_file.width, from_file.height) == (from_picture.width, from_picture.height) == (300, 451)


@pytest.mark.parametrize(
    ("photo", "error"),
    [
        (np.zeros((4, 5, 3)), ValueError),
        (np.zeros((4, 5, 4), np.uint8), ValueError),
        (np.zeros((0, 5, 3), np.uint8), tagclip.UsageError),
        (b"", tagclip.BadInput),
        (b"\xff\xd8\xff\xe0 no photo", tagclip.BadInput),
        ("missing.jpg", tagclip.BadInput),
        (7, TypeError),
    ],
)
def test_what_is_no_photo(segmenter: tagclip.Segmenter, photo: object, error: type[Exception]) -> None:
    with pytest.raises(error):
        segmenter.segment(photo, "cat")


def test_words_in_every_form(segmenter: tagclip.Segmenter, tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("sofa, couch\nwall\n")
    for words in ([["sofa", "couch"], "wall"], {"sofa": ["couch"], "wall": []}, tmp_path / "words.txt"):
        vocabulary = segmenter.embed(words)
        assert vocabulary.words == [["sofa", "couch"], ["wall"]]
        assert vocabulary.names == ["sofa", "wall"]
    assert segmenter.embed("sofa, wall").names == ["sofa", "wall"]
    assert segmenter.embed(["a, b"]).names == ["a, b"]
    assert segmenter.embed(["cat"], templates=["a drawing of a {}"]).templates == ["a drawing of a {}"]
    assert segmenter.embed("cat", prompt="a drawing of a {}").templates == ["a drawing of a {}"]
    assert len(segmenter.trained_classes()) == 21
    with pytest.raises(TypeError):
        segmenter.embed("cat", templates=["a {}"])
    with pytest.warns(tagclip.TagclipWarning, match="same"):
        assert segmenter.embed(["cat", "Cat"]).names == ["cat"]


def test_one_encoding_for_many_words(segmenter: tagclip.Segmenter, tmp_path: Path) -> None:
    photos = sorted(PHOTOS.glob("*.jpg"))
    encodings = segmenter.encode(list(photos))
    steps: list[tuple[str, int, int]] = []
    results = segmenter.segment(list(photos), "cat, sky", progress=lambda *step: steps.append(step))
    assert steps == [("photos", i + 1, len(photos)) for i in range(len(photos))]
    for encoding, result in zip(encodings, results):
        assert np.array_equal(segmenter.segment(encoding, "cat, sky").labels, result.labels)
    encodings[0].write(tmp_path / "photo.encoding")
    kept = segmenter.read_encoding(tmp_path / "photo.encoding", photos[0])
    assert np.array_equal(segmenter.segment(kept, "cat, sky").scores, results[0].scores)


def test_scores_of_classes(segmenter: tagclip.Segmenter) -> None:
    result = segmenter.segment(CAT, "cat, sofa, wall")
    scores = result.class_scores()
    assert scores.shape == (3, 300, 451)
    assert np.allclose(scores.max(axis=0), result.scores, atol=1e-6)
    assert np.array_equal(result.class_scores(["wall", 0]), scores[[2, 0]])
    with pytest.raises(KeyError, match="dog"):
        result.mask("dog")


def test_arrays_outlive_their_result(segmenter: tagclip.Segmenter) -> None:
    labels = segmenter.segment(CAT, "cat, wall").labels
    before = labels.copy()
    gc.collect()
    segmenter.segment(CAT, "wall, cat")
    assert np.array_equal(labels, before)
    with pytest.raises(ValueError):
        labels[0, 0] = 1


def test_settings(segmenter: tagclip.Segmenter) -> None:
    described = tagclip.describe_settings()
    assert set(settings.Settings.__annotations__) == set(described)
    words = {entry["name"] for entry in tagclip._core.word_settings()}
    assert set(settings.WordSettings.__annotations__) | {"classes"} == words
    for enumeration, name in [
        (tagclip.Device, "device"),
        (tagclip.Mode, "mode"),
        (tagclip.Precision, "precision"),
        (tagclip.Weighting, "weighting"),
        (tagclip.WindowAverage, "window_average"),
        (tagclip.Refine, "refine"),
    ]:
        assert [member.value for member in enumeration] == described[name]["choices"]
    assert segmenter.mode is tagclip.Mode.TRAINED
    assert segmenter.precision is tagclip.Precision.FLOAT32
    unsure = segmenter.with_settings(threshold=1, window_average=tagclip.WindowAverage.TAPERED)
    assert (unsure.segment(CAT, "cat").labels == tagclip.UNLABELLED).all()
    several = segmenter.with_settings(scales=[0.5, 1], flip=True)
    assert (several.settings["scales"], several.settings["flip"]) == ("0.5,1", "true")
    assert several.segment(CAT, "cat, sky").labels.shape == (300, 451)
    absent = segmenter.with_settings(presence=0.999).segment(CAT, "cat, aeroplane").absent
    assert "aeroplane" in [entry.name for entry in absent]


def test_errors_have_a_kind_and_a_hint(segmenter: tagclip.Segmenter) -> None:
    with pytest.raises(tagclip.UsageError, match="treshold") as caught:
        segmenter.with_settings(treshold=1)  # type: ignore[call-arg]
    error = caught.value
    assert (error.kind, error.hint) == (tagclip.ErrorKind.USAGE, "did you mean threshold?")
    copy = pickle.loads(pickle.dumps(error))
    assert (str(copy), copy.kind, copy.hint) == (str(error), error.kind, error.hint)
    with pytest.raises(tagclip.BadInput):
        tagclip.Segmenter("no/weights.safetensors")


def test_other_threads_run_meanwhile(segmenter: tagclip.Segmenter) -> None:
    ticks = 0
    over = threading.Event()

    def tick() -> None:
        nonlocal ticks
        while not over.is_set():
            ticks += 1
            time.sleep(0.001)

    thread = threading.Thread(target=tick)
    thread.start()
    pixels = np.random.default_rng(1).integers(0, 256, (512, 2048, 3), dtype=np.uint8)
    before = ticks
    segmenter.segment([pixels] * 3, "cat, wall")
    during = ticks - before
    over.set()
    thread.join()
    assert during > 5


def test_what_python_raises_ends_the_call(segmenter: tagclip.Segmenter) -> None:
    def refuse(what: str, done: int, total: int) -> None:
        raise RuntimeError(f"{what} {done}")

    with pytest.raises(RuntimeError, match="photos 1"):
        segmenter.segment([CAT, CAT, CAT], "cat", progress=refuse)


def test_control_c() -> None:
    code = (
        "import signal, tagclip\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # shells ignore it for jobs in the background
        "s = tagclip.Segmenter(tagclip.shipped_weights())\n"
        "print('ready', flush=True)\n"
        f"while True: s.segment([{str(CAT)!r}] * 1000, 'cat, wall')\n"
    )
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert child.stdout is not None and child.stdout.readline() == "ready\n"
    time.sleep(1)
    child.send_signal(signal.SIGINT)
    _, said = child.communicate(timeout=30)
    assert "KeyboardInterrupt" in said


TORCH = Path(os.environ["TAGCLIP_TORCH_FOLDER"])


@pytest.mark.skipif(not (TORCH / "torch").exists(), reason="this build's LibTorch brought no PyTorch")
@pytest.mark.parametrize("first", ["torch", "tagclip"])
def test_pytorch_in_the_same_process(first: str) -> None:
    code = (
        f"import {first}\n"
        "import tagclip, torch\n"
        f"result = tagclip.Segmenter(tagclip.shipped_weights()).segment({str(CAT)!r}, 'cat, wall')\n"
        "layer = torch.nn.Linear(4, 4)\n"
        "layer(torch.randn(2, 4)).square().sum().backward()\n"
        "assert layer.weight.grad.abs().sum() > 0\n"
        "print(result.regions[0].name)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(TORCH)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert (done.returncode, done.stdout) == (0, "cat\n"), done.stderr
