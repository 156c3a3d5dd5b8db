"""Installs the program and the library elsewhere, and builds the example project against it."""

import io
import json
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from PIL import Image

from support import BAD_INPUT, BINARY, MINI, PHOTOS, ROOT, environment, tagclip

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
        # Its library is found, though there is nothing to serve.
        refused = tagclip("serve", "--host", "0.0.0.0", "--port", "0", binary=self.prefix / "bin/tagclip")
        self.assertEqual(refused.code, 2, refused.err)
        self.assertIn("--no-auth", refused.err)

    def test_the_example_project(self):
        build = self.build_example("segment")
        said = self.call(build / "segment_example", MINI, CAT, self.folder / "labels.png", "cat", "wall")
        self.assertIn("encoded and asked: 451 x 300", said)
        self.assertIn("asked again: 451 x 300", said)
        program = tagclip("segment", CAT, "-c", "cat, wall", "-o", "same", cwd=self.folder)
        self.assertEqual(program.code, 0, program.err)
        self.assertEqual((self.folder / "labels.png").read_bytes(),
                         (self.folder / "same/cat_labels.png").read_bytes())

    def build_example(self, name):
        """The program that the example of that name builds, outside the tree."""
        example, build = self.folder / name, self.folder / f"{name}-build"
        shutil.copytree(ROOT / "examples" / name, example)
        self.call("cmake", "-G", "Ninja", "-S", example, "-B", build,
                  f"-DCMAKE_PREFIX_PATH={self.prefix}")
        self.call("cmake", "--build", build)
        return build

    def test_the_example_that_answers_requests(self):
        program = self.build_example("serve_stdin") / "serve_stdin"
        cat, coffee = CAT.read_bytes(), (PHOTOS / "coffee.jpg").read_bytes()
        png = io.BytesIO()
        Image.new("RGB", (70, 40), (20, 120, 200)).save(png, "PNG")
        requests = [
            ({"id": 1, "words": "cat, wall", "want": ["overlay", "labels"], "name": "cat.jpg"}, cat),
            ({"id": 2, "words": "cat, wall", "settings": {"threshold": "1"}}, cat),
            ({"id": 3, "words": "coffee, table"}, coffee[:1000]),
            ({"id": 4, "words": "coffee,, table"}, coffee),
            ({"id": 5, "words": "coffee", "settings": {"treshold": 0.5}}, coffee),
            ({"id": 6, "words": "coffee", "settings": {"device": "cuda"}}, coffee),
            ({"id": 7, "words": "sky", "want": ["labels"]}, png.getvalue()),
        ]
        sent = b"".join(json.dumps({**header, "bytes": len(photo)}).encode() + b"\n" + photo
                        for header, photo in requests)
        done = subprocess.run([program, MINI, "precision=float32"], input=sent, capture_output=True,
                              env=environment(), timeout=300, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        answers, stream = {}, io.BytesIO(done.stdout)
        for line in stream:
            header = json.loads(line)
            parts = {part["name"]: stream.read(part["bytes"]) for part in header.get("parts", [])}
            answers[header["id"]] = header, parts
        self.assertEqual({key: header["status"] for key, (header, _) in answers.items()},
                         {1: 200, 2: 200, 3: 400, 4: 400, 5: 400, 6: 400, 7: 200})

        out = self.folder / "program"
        result = tagclip("segment", CAT, "-c", "cat, wall", "-o", out, "--precision", "float32")
        self.assertEqual(result.code, 0, result.err)
        header, parts = answers[1]
        self.assertEqual(parts["labels"], (out / "cat_labels.png").read_bytes())
        self.assertEqual(parts["overlay"], (out / "cat_overlay.png").read_bytes())
        written = json.loads((out / "cat_classes.json").read_text())  # says what it was made from, too
        self.assertGreater(set(header["result"]), {"classes", "width", "height"})
        self.assertEqual(header["result"], {key: written[key] for key in header["result"]})
        self.assertEqual(answers[2][0]["result"]["unlabelled"]["share"], 1)
        self.assertIn("entry 2", answers[4][0]["error"])
        self.assertIn("did you mean threshold?", answers[5][0]["hint"])
        self.assertEqual(Image.open(io.BytesIO(answers[7][1]["labels"])).size, (70, 40))

        failed = subprocess.run([program, self.folder / "no.safetensors"], capture_output=True,
                                env=environment(), timeout=60, check=False)
        self.assertEqual(failed.returncode, BAD_INPUT)

    def test_the_licence_and_the_notice(self):
        for name in ("LICENSE", "NOTICE"):
            installed = self.prefix / "share/doc/tagclip" / name
            self.assertEqual(installed.read_bytes(), (ROOT / name).read_bytes())
        self.assertIn("Apache License", (self.prefix / "share/doc/tagclip/LICENSE").read_text())

    def test_nothing_but_the_public_header_and_symbols(self):
        headers = [path.name for path in (self.prefix / "include").rglob("*.h")]
        self.assertEqual(sorted(headers), ["error.h", "options.h", "outputs.h", "tagclip.h"])
        library = next((self.prefix / "lib").glob("libtagclip.so"))
        symbols = self.call("nm", "-D", "--defined-only", "-C", library)
        foreign = [line for line in symbols.splitlines()
                   if "png_" in line or "nlohmann" in line or "SlidingSegmenter::" in line
                   or "detail::" in line or "Pipeline" in line]
        self.assertEqual(foreign, [])


if __name__ == "__main__":
    unittest.main()
