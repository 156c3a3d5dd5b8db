"""label-studio-converter reads the brushes that the server predicts, to the pixel."""

import base64
import json
import sys
import unittest
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
from formats_test import module_of  # noqa: E402
from label_studio_server import LEGACY, LabelStudio  # noqa: E402
from serving import CAT, WORDS, Server, image  # noqa: E402


class Brushes(unittest.TestCase):
    def test_label_studio_converter(self):
        brush = module_of("label_studio_converter", "brush.py")
        labels = "".join(f'<Label value="{word}"/>' for word in WORDS)
        config = f'<View><Image name="i" value="$image"/><BrushLabels name="b" toName="i">{labels}</BrushLabels></View>'
        tasks = [{"id": 1, "data": {"image": "/data/upload/1/cat.jpg"}}]
        with LabelStudio({"/data/upload/1/cat.jpg": CAT}) as studio, \
                Server(LABEL_STUDIO_URL=studio.url, LABEL_STUDIO_API_KEY=LEGACY) as server:
            answer = server.ask("POST", "/predict", json.dumps({"tasks": tasks, "label_config": config}))
            plain = server.segment(photo=base64.b64encode(CAT).decode(), classes=WORDS, background=True)
            expected = image(json.loads(plain.body)["outputs"]["labels"])
            read = np.full_like(expected, len(WORDS))
            for region in json.loads(answer.body)["results"][0]["result"]:
                mask = brush.decode_rle(region["value"]["rle"]).reshape(*expected.shape, 4)[..., 3]
                read[mask > 0] = WORDS.index(region["value"]["brushlabels"][0])
            np.testing.assert_array_equal(read, expected)


if __name__ == "__main__":
    unittest.main()
