"""Broken and malicious PyTorch files: every command that reads weights refuses them, and runs none."""

import json
import unittest
from concurrent.futures import ThreadPoolExecutor

from support import BAD_INPUT, CHECKPOINTS, DONE, MINI, PHOTOS, ProgramTest, peak_of, tagclip

HOSTILE = sorted((CHECKPOINTS / "malformed").glob("*.pt*"))
READABLE = [*sorted(CHECKPOINTS.glob("*.pt*")), MINI]
INFO_MB = 24  # the interpreter that measures takes 10 of them


class HostileWeights(ProgramTest):
    def setUp(self):
        super().setUp()
        expected = json.loads((CHECKPOINTS / "malformed/expected.json").read_text())
        self.assertEqual({path.name for path in HOSTILE}, expected.keys())
        self.refused = [path for path in HOSTILE if expected[path.name]["expect"] == "reject"]
        self.assertGreater(len(self.refused), 10)

    def assert_each_refused(self, *command):
        def run(path):
            return tagclip(*(path if word is None else word for word in command), cwd=self.folder)

        with ThreadPoolExecutor(2) as pool:
            results = list(pool.map(run, self.refused))
        for path, result in zip(self.refused, results, strict=True):
            with self.subTest(path.name):
                self.assert_refused(result, BAD_INPUT, path.name)
                self.assertLess(result.seconds, 20)
        self.assertEqual(list(self.folder.rglob("*.*")), [], "nothing was written, nothing was executed")

    def test_info(self):
        self.assert_each_refused("info", None)

    def test_convert(self):
        self.assert_each_refused("convert", None, "out.safetensors")

    def test_segment(self):
        self.assert_each_refused("segment", PHOTOS / "cat.jpg", "--weights", None, "-c", "cat")

    def test_the_control_is_read_but_no_model(self):
        control = CHECKPOINTS / "malformed/valid_small.pt"
        self.assert_done(tagclip("info", control))
        self.assert_refused(tagclip("convert", control, "a", cwd=self.folder), BAD_INPUT, control.name, "not a CLIP")

    def test_info_takes_little_memory(self):
        for path in [*HOSTILE, *READABLE]:
            with self.subTest(path.name):
                code, _, megabytes = peak_of("info", path)
                self.assertEqual(code, BAD_INPUT if path in self.refused else DONE)
                self.assertLess(megabytes, INFO_MB)


if __name__ == "__main__":
    unittest.main()
