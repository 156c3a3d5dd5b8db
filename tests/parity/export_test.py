"""export in OpenVINO: one file, three vocabularies, from Python and from the C++ program in docs/onnx.md."""

import re
import subprocess
import sys
import unittest
from pathlib import Path

import numpy as np
import openvino
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
from onnx_models import VOCABULARIES, ExportTest, photo_of, seen_words  # noqa: E402
from support import ROOT  # noqa: E402

MODES = ("naclip", "maskclip", "sclip", "clearclip", "scclip", "sfp", "plain")
CMAKE = """
cmake_minimum_required(VERSION 3.20)
project(consumer LANGUAGES CXX)
set(CMAKE_CXX_STANDARD 20)
find_package(OpenVINO REQUIRED)
add_executable(consumer main.cc)
target_link_libraries(consumer PRIVATE openvino::runtime)
"""


def compiled(path):
    return openvino.Core().compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})


class OpenVino(ExportTest):
    def test_trained_model(self):
        path = self.export()
        model = compiled(path)
        metadata = {str(key): str(value.value) for key, value in
                    openvino.Core().read_model(path).get_rt_info()["framework"].items()}
        for words, (name, size) in zip(VOCABULARIES, (("cat.jpg", (128, 128)), ("flower.jpg", (200, 128)),
                                                      ("palace.jpg", (96, 168)))):
            photo = photo_of(name, size)
            labels = model({"image": photo[None], "text": self.embed(words), "seen": seen_words(metadata, words)})["labels"]
            self.assert_same_labels(labels[0], self.program_labels(photo, words)[0])

    def test_parts(self):
        self.export("--parts")
        encoder, decoder = (compiled(self.folder / f"model.{part}.onnx") for part in ("encoder", "decoder"))
        photo = photo_of("palace.jpg", (128, 136))
        encoding = encoder({"image": photo[None]})
        for words in VOCABULARIES:
            text = self.embed(words)
            labels = decoder({"patches": encoding["patches"], "image_embedding": encoding["image_embedding"], "text": text,
                              "seen": np.zeros(len(text), bool), "size": np.array(photo.shape[:2])})["labels"]
            self.assertEqual(labels.shape, (1, 136, 128))

    def test_every_mode_of_a_clip(self):
        for mode in MODES:
            with self.subTest(mode=mode):
                model = compiled(self.export("--mode", mode, name=f"{mode}.onnx"))
                photo = photo_of("palace.jpg", (128, 136))  # not of the size that the positions are stored for
                for words in ("building, grass, sky", *VOCABULARIES[1:]):
                    labels = model({"image": photo[None], "text": self.embed(words, "--mode", mode)})["labels"]
                    self.assert_same_labels(labels[0], self.program_labels(photo, words, "--mode", mode)[0])

    def test_the_cpp_consumer(self):
        """Takes all words for new ones, and so do these."""
        self.export()
        words = "zebra, window, table, palm"
        self.embed(words)
        photo = photo_of("palace.jpg", (128, 136))
        Image.fromarray(photo).save(self.folder / "photo.ppm")
        code = re.search(r"```cpp\n(.*?)```", (ROOT / "docs/onnx.md").read_text(), re.DOTALL).group(1)
        (self.folder / "main.cc").write_text(code)
        (self.folder / "CMakeLists.txt").write_text(CMAKE)
        package = Path(openvino.__file__).parent / "cmake"
        for command in (["cmake", "-S", ".", "-B", "build", f"-DOpenVINO_DIR={package}"], ["cmake", "--build", "build"],
                        ["build/consumer", "model.onnx", "words.npy", "photo.ppm", "labels.pgm"]):
            subprocess.run(command, cwd=self.folder, check=True, capture_output=True, timeout=300)
        with Image.open(self.folder / "labels.pgm") as image:
            self.assert_same_labels(np.asarray(image), self.program_labels(photo, words)[0])


if __name__ == "__main__":
    unittest.main()
