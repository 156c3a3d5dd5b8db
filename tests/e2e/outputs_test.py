"""segment --output-format: every format holds the labels of the label file, to the pixel."""

import base64
import io
import json
import shutil
import signal
import subprocess
import time
import unittest
import zipfile

import numpy as np
from PIL import Image, ImageDraw

import samples
from brushes import brush_mask
from support import BAD_INPUT, BINARY, FAILURE, PHOTOS, STOPPED, USAGE, ProgramTest, environment, tagclip

WORDS = ["cat", "coffee", "grass", "sky"]
ALL = ("labels,overlay,side-by-side,masks,cutouts,probabilities,probabilities-png,coco,coco-rle,labelme,"
       "labelme-masks,yolo,cvat-masks,label-studio,geojson,fiftyone")


def pixels(path):
    with Image.open(path) as image:
        return np.asarray(image)


def coco_counts(packed):
    """Run lengths of COCO's text form."""
    runs, at = [], 0
    while at < len(packed):
        number, shift = 0, 0
        while True:
            code = ord(packed[at]) - 48
            at += 1
            number |= (code & 31) << shift
            shift += 5
            if not code & 32:
                break
        if code & 16:
            number -= 1 << shift
        runs.append(number + (runs[-2] if len(runs) > 2 else 0))
    return runs


def coco_mask(segmentation):
    height, width = segmentation["size"]
    runs = coco_counts(segmentation["counts"])
    values = np.repeat(np.arange(len(runs)) % 2, runs)
    return values.reshape(width, height).T.astype(bool)


class OutputsTest(ProgramTest):
    @classmethod
    def setUpClass(cls):
        cls.model = samples.micro_model()

    def setUp(self):
        super().setUp()
        self.photos = self.folder / "photos"
        self.photos.mkdir()
        for name in ("cat", "coffee"):
            with Image.open(PHOTOS / f"{name}.jpg") as photo:
                photo.resize((150, 100)).save(self.photos / f"{name}.png")
        self.out = self.folder / "out"

    def segment(self, *arguments, photos=None, **more):
        return tagclip("segment", photos or self.photos, "-w", self.model, "-o", self.out, "-c", ", ".join(WORDS),
                       *arguments, **more)

    def labels(self, name):
        return pixels(self.out / f"{name}_labels.png")


class Formats(OutputsTest):
    def check_coco(self, name, path):
        coco = json.loads((self.out / path).read_text())
        image = next(i for i in coco["images"] if i["file_name"] == f"{name}.png")
        labels = np.full((image["height"], image["width"]), 255)
        for annotation in coco["annotations"]:
            if annotation["image_id"] != image["id"]:
                continue
            if isinstance(annotation["segmentation"], dict):
                mask = coco_mask(annotation["segmentation"])
                labels[mask] = annotation["category_id"] - 1
                self.assertEqual(mask.sum(), annotation["area"])
                self.assertEqual(mask.any(0).sum(), np.count_nonzero(mask.any(0)))
        if path == "coco/masks.json":
            np.testing.assert_array_equal(labels, self.labels(name))

    def check_labelme(self, name):
        for folder in ("labelme", "labelme_masks"):
            about = json.loads((self.out / folder / f"{name}.json").read_text())
            self.assertTrue((self.out / folder / about["imagePath"]).samefile(self.photos / f"{name}.png"))
            labels = np.full((about["imageHeight"], about["imageWidth"]), 255)
            for shape in about["shapes"]:
                mask = Image.new("L", labels.shape[::-1])
                if shape["shape_type"] == "mask":
                    picture = Image.open(io.BytesIO(base64.b64decode(shape["mask"])))
                    mask.paste(picture, tuple(shape["points"][0]))
                else:
                    ImageDraw.Draw(mask).polygon([tuple(p) for p in shape["points"]], outline=1, fill=1)
                labels[np.asarray(mask) > 0] = WORDS.index(shape["label"])
            np.testing.assert_array_equal(labels, self.labels(name), folder)

    def check_cvat(self, name):
        with zipfile.ZipFile(self.out / "cvat/masks.zip") as archive:
            self.assertIsNone(archive.testzip())
            lines = archive.read("labelmap.txt").decode().splitlines()[1:]
            colours = {line.split(":")[0]: [int(v) for v in line.split(":")[1].split(",")] for line in lines}
            classes = pixels(io.BytesIO(archive.read(f"SegmentationClass/{name}.png")))
            self.assertIn(name, archive.read("ImageSets/Segmentation/default.txt").decode().split())
        for label, word in enumerate(WORDS):
            np.testing.assert_array_equal((classes == colours[word]).all(-1), self.labels(name) == label)

    def check_label_studio(self, name):
        tasks = json.loads((self.out / "label_studio/tasks.json").read_text())
        task = next(t for t in tasks if t["data"]["image"].endswith(f"/{name}.png"))
        for result in task["predictions"][0]["result"]:
            value = result["value"]
            mask = brush_mask(value["rle"], result["original_width"], result["original_height"])
            np.testing.assert_array_equal(mask, self.labels(name) == WORDS.index(value["brushlabels"][0]))

    def check_pictures(self, name):
        labels = self.labels(name)
        for label in np.unique(labels):
            word = WORDS[label]
            np.testing.assert_array_equal(pixels(self.out / f"masks/{name}/{word}.png"), 255 * (labels == label))
            cutout = pixels(self.out / f"cutouts/{name}/{word}.png")
            np.testing.assert_array_equal(cutout[..., 3], 255 * (labels == label))
            np.testing.assert_array_equal(cutout[..., :3], pixels(self.photos / f"{name}.png"))
        scores = np.load(self.out / f"{name}_probabilities.npy")
        self.assertEqual((scores.dtype, scores.shape), (np.float32, (len(WORDS), *labels.shape)))
        self.assertGreater((scores.argmax(0) == labels).mean(), 0.999, "but for equal scores")
        grey = pixels(self.out / f"probabilities/{name}/cat.png")
        self.assertLess(np.abs(grey / 65535 - scores[0].clip(0, 1)).max(), 1e-5)
        np.testing.assert_array_equal(pixels(self.out / f"fiftyone/labels/{name}.png"), labels + 1)

    def test_every_format_holds_the_labels(self):
        self.assert_done(self.segment("--output-format", ALL))
        for name in ("cat", "coffee"):
            with self.subTest(photo=name):
                self.check_coco(name, "coco/masks.json")
                self.check_coco(name, "coco/polygons.json")
                self.check_labelme(name)
                self.check_cvat(name)
                self.check_label_studio(name)
                self.check_pictures(name)
        manifest = json.loads((self.out / "fiftyone/data.json").read_text())
        self.assertTrue((self.out / "fiftyone" / manifest["cat"]).samefile(self.photos / "cat.png"))

    def test_what_is_converted_back_is_the_same(self):
        self.assert_done(self.segment("--output-format", "coco,yolo,labelme-masks"))
        for source in ("coco", "yolo", "labelme_masks"):
            with self.subTest(source=source):
                shutil.copytree(self.photos, self.out / source / "images")
                converted = self.folder / f"from_{source}"
                self.assert_done(tagclip("data", "convert", self.out / source, "-o", converted, "--unlabelled", "void"))
                names = (converted / "classes.txt").read_text().split()
                for name in ("cat", "coffee"):
                    labels = pixels(next(converted.glob(f"labels/**/{name}.png")))
                    words = np.array([WORDS.index(n) for n in names])
                    np.testing.assert_array_equal(words[labels], self.labels(name))

    def test_instances_are_connected_parts_with_scores(self):
        self.assert_done(self.segment("--output-format", "coco-rle", "--instances", "--min-region", "20"))
        coco = json.loads((self.out / "coco/masks.json").read_text())
        for annotation in coco["annotations"]:
            self.assertGreaterEqual(annotation["area"], 20)
        about = json.loads((self.out / "cat_classes.json").read_text())
        image = next(i["id"] for i in coco["images"] if i["file_name"] == "cat.png")
        of_cat = [a for a in coco["annotations"] if a["image_id"] == image]
        self.assertEqual([a["bbox"] for a in of_cat], [r["box"] for r in about["regions"]])
        self.assertEqual([a["score"] for a in of_cat], [r["mean_score"] for r in about["regions"]])

    def test_a_mistyped_format_is_told(self):
        self.assert_refused(self.segment("--output-format", "labels,geojsn"), USAGE, "geojsn", "geojson")


class Runs(OutputsTest):
    def names(self):
        coco = json.loads((self.out / "coco/masks.json").read_text())
        return [image["file_name"] for image in coco["images"]]

    def test_a_run_goes_on_and_its_file_is_made_anew(self):
        self.assert_done(self.segment("--output-format", "coco-rle", photos=self.photos / "cat.png"))
        self.assertEqual(self.names(), ["cat.png"])
        result = self.segment("--output-format", "coco-rle")
        self.assert_done(result)
        self.assertNotIn("cat.png", result.out)
        self.assertEqual(self.names(), ["cat.png", "coffee.png"])
        file = self.out / "coco/masks.json"
        whole = file.read_bytes()
        file.unlink()
        self.assert_done(self.segment("--output-format", "coco-rle"))
        self.assertEqual(file.read_bytes(), whole)

    def test_a_file_of_the_users_stays(self):
        (self.out / "coco").mkdir(parents=True)
        (self.out / "coco/masks.json").write_text("mine")
        self.assert_refused(self.segment("--output-format", "coco-rle"), FAILURE, "coco/masks.json", "--overwrite")
        self.assertEqual((self.out / "coco/masks.json").read_text(), "mine")

    def test_shards_share_the_photos(self):
        for shard, name in (("1/2", "cat"), ("2/2", "coffee")):
            result = self.segment("--output-format", "coco-rle", "--shard", shard)
            self.assert_done(result)
            self.assertIn(f"{name}.png", result.out)
            self.assertEqual(len(result.out.splitlines()), 1)
        self.assertEqual(self.names(), ["cat.png", "coffee.png"])
        self.assert_refused(self.segment("--shard", "3/2"), USAGE, "--shard")
        self.assert_refused(self.segment("--shard", "3/3"), BAD_INPUT, "shard 3 of 3")

    def test_watch_takes_photos_as_they_come(self):
        (self.photos / "coffee.png").rename(self.folder / "coffee.png")
        program = subprocess.Popen([BINARY, "segment", self.photos, "-w", self.model, "-o", self.out, "-c", "cat, sky",
                                    "--watch"], env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            self.wait_for(self.out / "cat_labels.png")
            shutil.copy(self.folder / "coffee.png", self.photos)
            self.wait_for(self.out / "coffee_labels.png")
        finally:
            program.send_signal(signal.SIGINT)
            out, err = program.communicate(timeout=60)
        self.assertEqual(program.returncode, STOPPED, err)
        self.assertEqual(len(out.splitlines()), 2)
        self.assert_refused(self.segment("--watch", photos=self.photos / "cat.png"), USAGE, "no folder")

    def wait_for(self, file):
        end = time.monotonic() + 60
        while not file.exists():
            self.assertLess(time.monotonic(), end, file)
            time.sleep(0.1)


class Shell(OutputsTest):
    def test_settings_come_from_the_environment(self):
        photo = self.photos / "cat.png"
        self.assert_done(self.segment("-q", photos=photo, env={"TAGCLIP_SEGMENT_OUTPUT_FORMAT": "geojson"}))
        self.assertTrue((self.out / "geojson/cat.geojson").exists())
        self.assertFalse((self.out / "cat_overlay.png").exists())
        self.assert_done(self.segment("--output-format", "labels", "--overwrite", photos=photo,
                                      env={"TAGCLIP_SEGMENT_OUTPUT_FORMAT": "nonsense"}))
        self.assert_refused(self.segment(env={"TAGCLIP_SEGMENT_WINDOW": "wide"}), USAGE, "TAGCLIP_SEGMENT_WINDOW=wide")
        self.assert_refused(self.segment(env={"TAGCLIP_SEGMENT_OVERWRITE": "maybe"}), USAGE, "TAGCLIP_SEGMENT_OVERWRITE=maybe")
        self.assertIn("[TAGCLIP_SEGMENT_OUTPUT_FORMAT]", tagclip("segment", "--help").out.replace("\n", " "))

    def test_completions_and_manual(self):
        for shell in ("bash", "zsh", "fish"):
            script = tagclip("--completion", shell)
            self.assert_done(script)
            self.assertIn("output-format", script.out)
            if shutil.which(shell):
                checked = subprocess.run([shell, "-n"], input=script.out.encode(), capture_output=True, check=False)
                self.assertEqual((checked.returncode, checked.stderr), (0, b""), shell)
        source = tagclip("--completion", "bash").out
        ask = 'COMP_WORDS=(tagclip segment --mode scc); COMP_CWORD=3; _tagclip; echo "${COMPREPLY[@]}"'
        found = subprocess.run(["bash", "-c", source + ask], capture_output=True, check=True)
        self.assertEqual(found.stdout.split(), [b"scclip"])
        manual = tagclip("--man")
        self.assert_done(manual)
        self.assertIn(".SH TAGCLIP segment", manual.out)
        self.assert_refused(tagclip("--completion", "tcsh"), USAGE, "bash, zsh, fish")


if __name__ == "__main__":
    unittest.main()
