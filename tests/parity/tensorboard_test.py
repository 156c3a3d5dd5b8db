"""Stock TensorBoard reads the event files of a run, and drops what a killed session wrote too much."""

import os
import subprocess
import sys
import unittest
from io import BytesIO
from pathlib import Path

from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
from support import BINARY, ProgramTest  # noqa: E402

SAMPLE = "EventFile.WritesASampleForTensorBoard"


class EventFiles(ProgramTest):
    def setUp(self):
        super().setUp()
        program = BINARY.parent / "src/runs/runs_test"
        subprocess.run([program, f"--gtest_filter={SAMPLE}"], check=True, capture_output=True,
                       env={**os.environ, "TAGCLIP_EVENT_FOLDER": str(self.folder)})
        self.events = EventAccumulator(str(self.folder)).Reload()

    def test_scalars(self):
        found = [(event.step, event.value) for event in self.events.Scalars("loss/mask")]
        before = [(step, 10 / step) for step in range(1, 5)]
        after = [(step, 100 + step) for step in range(5, 9)]
        self.assertEqual([step for step, _ in found], list(range(1, 9)))
        for (_, value), (_, expected) in zip(found, before + after):
            self.assertAlmostEqual(value, expected, places=5)

    def test_images(self):
        found = self.events.Images("examples/sheep")
        self.assertEqual([(image.step, image.width, image.height) for image in found], [(2, 8, 4), (7, 16, 2)])
        pixels = [Image.open(BytesIO(image.encoded_image_string)).getpixel((0, 0)) for image in found]
        self.assertEqual(pixels, [(200, 100, 50), (50, 100, 200)])


if __name__ == "__main__":
    unittest.main()
