"""The tools that segment's formats are for read them, to the pixel. `outputs_test` writes the files.

Of LabelMe, label-studio-converter and Ultralytics only the modules that read are loaded: the rest of them wants a
display, a server or a network.
"""

import importlib.util
import json
import os
import subprocess
import sys
import unittest
import zipfile
from pathlib import Path
from unittest.mock import MagicMock

import cv2
import numpy as np
from PIL import Image
from pycocotools.coco import COCO
from rasterio.features import rasterize
from shapely.geometry import shape

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
from support import BINARY, ProgramTest  # noqa: E402

SAMPLE = "OutputFormats.WritesASampleForOtherTools"
CLASSES = ["cat", "sky", "sea & sand"]
PHOTOS = ["photo0", "photo1", "photo2"]


def module_of(package, file):
    """A module of an installed package, without what the package imports."""
    folder = Path(importlib.util.find_spec(package).submodule_search_locations[0])
    spec = importlib.util.spec_from_file_location(f"_{package}_{Path(file).stem}", folder / file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def labelme():
    # What it draws and computes with is loaded with it, and takes no part in reading.
    for name in ("onnxruntime", "imgviz", "imgviz.io", "PyQt5", "PyQt5.QtCore", "PyQt5.QtGui"):
        sys.modules.setdefault(name, MagicMock())
    import labelme as package
    return package


class Formats(ProgramTest):
    def setUp(self):
        super().setUp()
        program = BINARY.parent / "src/outputs/outputs_test"
        subprocess.run([program, f"--gtest_filter={SAMPLE}"], check=True, capture_output=True,
                       env={**os.environ, "TAGCLIP_OUTPUT_FOLDER": str(self.folder)})

    def labels(self, photo):
        with Image.open(self.folder / f"{photo}_labels.png") as image:
            return np.asarray(image)

    def assert_same(self, photo, labels):
        np.testing.assert_array_equal(labels, self.labels(photo), photo)

    def test_pycocotools(self):
        for file in ("masks", "polygons"):
            coco = COCO(str(self.folder / f"coco/{file}.json"))
            for image in coco.loadImgs(coco.getImgIds()):
                labels = np.full((image["height"], image["width"]), 255)
                for annotation in coco.loadAnns(coco.getAnnIds(imgIds=image["id"])):
                    mask = coco.annToMask(annotation).astype(bool)
                    self.assertTrue((labels[mask] == 255).all(), "regions do not overlap")
                    self.assertEqual(mask.sum(), annotation["area"])
                    labels[mask] = annotation["category_id"] - 1
                self.assert_same(Path(image["file_name"]).stem, labels)

    def test_labelme(self):
        package = labelme()
        from labelme.utils.shape import shapes_to_label
        for folder in ("labelme", "labelme_masks"):
            for photo in PHOTOS:
                found = package.LabelFile(str(self.folder / folder / f"{photo}.json"))
                values = {name: value + 1 for value, name in enumerate(CLASSES)}
                labels, _ = shapes_to_label(self.labels(photo).shape, found.shapes, values)
                self.assert_same(photo, np.where(labels == 0, 255, labels - 1))

    def test_datumaro(self):
        from datumaro.components.dataset import Dataset
        with zipfile.ZipFile(self.folder / "cvat/masks.zip") as archive:
            archive.extractall(self.folder / "cvat/archive")
        found = Dataset.import_from(str(self.folder / "cvat/archive"), "voc_instance_segmentation")
        names = [entry.name for entry in next(iter(found.categories().values()))]
        items = {item.id: item for item in found}
        self.assertEqual(sorted(items), PHOTOS)
        for photo, item in items.items():
            labels = np.full_like(self.labels(photo), 255)
            for mask in item.annotations:
                labels[mask.image.astype(bool)] = CLASSES.index(names[mask.label])
            self.assert_same(photo, labels)

    def test_ultralytics(self):
        os.environ["YOLO_CONFIG_DIR"] = str(self.folder)  # it writes its settings
        from ultralytics.data.utils import verify_image_label
        (self.folder / "yolo/images").symlink_to(self.folder / "photos")
        for photo in PHOTOS:
            image, lines = self.folder / f"yolo/images/{photo}.png", self.folder / f"yolo/labels/{photo}.txt"
            found = verify_image_label((str(image), str(lines), "", False, len(CLASSES), 0, 0, False))
            self.assertEqual(found[9], "", "no message")
            labels = np.full_like(self.labels(photo), 255)
            for (label, *_), segment in zip(found[1], found[3]):
                points = (segment * labels.shape[::-1]).astype(np.int32)
                cv2.fillPoly(labels, [points], int(label))
            self.assert_same(photo, labels)

    def test_label_studio(self):
        brush = module_of("label_studio_converter", "brush.py")
        for task in json.loads((self.folder / "label_studio/tasks.json").read_text()):
            photo = Path(task["data"]["image"]).stem
            labels = np.full_like(self.labels(photo), 255)
            for result in task["predictions"][0]["result"]:
                mask = brush.decode_rle(result["value"]["rle"]).reshape(*labels.shape, 4)[..., 3]
                labels[mask > 0] = CLASSES.index(result["value"]["brushlabels"][0])
            self.assert_same(photo, labels)

    def test_geojson(self):
        for photo in PHOTOS:
            features = json.loads((self.folder / f"geojson/{photo}.geojson").read_text())["features"]
            for feature in features:
                polygons = shape(feature["geometry"])
                self.assertTrue(polygons.is_valid)
                self.assertEqual(polygons.area, feature["properties"]["area"])
                self.assertTrue(all(p.exterior.is_ccw for p in polygons.geoms))
            shapes = [(feature["geometry"], feature["properties"]["label"]) for feature in features]
            self.assert_same(photo, rasterize(shapes, self.labels(photo).shape, fill=255))

    def test_fiftyone_layout(self):
        targets = json.loads((self.folder / "fiftyone/mask_targets.json").read_text())
        self.assertEqual(targets, {str(i + 1): name for i, name in enumerate(CLASSES)})
        photos = json.loads((self.folder / "fiftyone/data.json").read_text())
        for photo in PHOTOS:
            self.assertTrue((self.folder / "fiftyone" / photos[photo]).exists())
            with Image.open(self.folder / f"fiftyone/labels/{photo}.png") as image:
                self.assert_same(photo, (np.asarray(image).astype(int) - 1) % 256)


if __name__ == "__main__":
    unittest.main()
