"""Installs the program and the library elsewhere, and builds the example project against it."""

import json
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from support import BINARY, MINI, PHOTOS, ROOT, environment, tagclip

CAT = PHOTOS / "cat.jpg"


class Install(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(cls.enterClassContext(tempfile.TemporaryDirectory(prefix="tagclip-install-")))
        cls.prefix = cls.folder / "prefix"
        for component in ("runtime", "development"):
            cls.call("cmake", "--install", BINARY.resolve().parent, "--prefix", cls.prefix,
                     "--component", component)

    @classmethod
    def call(cls, *words):
        done = subprocess.run([str(word) for word in words], capture_output=True, text=True,
                              env=environment(), timeout=300, check=False)
        if done.returncode != 0:
            raise AssertionError(f"{words}\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def test_the_program_runs_where_it_is_installed(self):
        result = tagclip("segment", CAT, "-c", "cat, wall", "-o", "out", "--json", cwd=self.folder,
                         binary=self.prefix / "bin/tagclip")
        self.assertEqual(result.code, 0, result.err)
        self.assertEqual(json.loads(result.out)["width"], 451)
        done = tagclip("fetch", "--list", binary=self.prefix / "bin/tagclip")
        self.assertEqual(done.code, 0, done.err)

    def test_the_example_project(self):
        example = self.folder / "example"
        shutil.copytree(ROOT / "examples/segment", example)
        build = self.folder / "build"
        self.call("cmake", "-G", "Ninja", "-S", example, "-B", build,
                  f"-DCMAKE_PREFIX_PATH={self.prefix}")
        self.call("cmake", "--build", build)
        said = self.call(build / "segment_example", MINI, CAT, self.folder / "labels.png", "cat", "wall")
        self.assertIn("encoded and asked: 451 x 300", said)
        self.assertIn("asked again: 451 x 300", said)
        program = tagclip("segment", CAT, "-c", "cat, wall", "-o", "same", cwd=self.folder)
        self.assertEqual(program.code, 0, program.err)
        self.assertEqual((self.folder / "labels.png").read_bytes(),
                         (self.folder / "same/cat_labels.png").read_bytes())

    def test_nothing_but_the_public_header_and_symbols(self):
        headers = [path.name for path in (self.prefix / "include").rglob("*.h")]
        self.assertEqual(headers, ["tagclip.h"])
        library = next((self.prefix / "lib").glob("libtagclip.so"))
        symbols = self.call("nm", "-D", "--defined-only", "-C", library)
        foreign = [line for line in symbols.splitlines()
                   if "png_" in line or "nlohmann" in line or "SlidingSegmenter::" in line]
        self.assertEqual(foreign, [])


if __name__ == "__main__":
    unittest.main()
