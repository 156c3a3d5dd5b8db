"""tagclip data convert: annotation tools' exports become data sets that data check and train read."""

import base64
import io
import json
import unittest

import numpy as np
from PIL import Image

import samples
from support import BAD_INPUT, ROOT, USAGE, ProgramTest, tagclip

WIDTH, HEIGHT = 24, 16
RED, BLUE = (200, 30, 40), (20, 60, 220)


def photo(seed, width=WIDTH, height=HEIGHT):
    """Coarse noise: no two seeds look alike."""
    cells = np.random.default_rng(seed).integers(0, 256, (4, 6, 3), dtype=np.uint8)
    return Image.fromarray(cells).resize((width, height), Image.NEAREST)


def box(left, top, right, bottom):
    return [[left, top], [right, top], [right, bottom], [left, bottom]]


def png_text(picture):
    content = io.BytesIO()
    picture.save(content, "PNG")
    return base64.b64encode(content.getvalue()).decode()


class ConvertTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.source = self.folder / "export"
        self.source.mkdir()
        self.out = self.folder / "set"

    def photo(self, name, seed=None, **how):
        path = self.source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        photo(seed if seed is not None else sum(name.encode()) * 7919).save(path, **how)
        return path

    def write(self, name, content):
        path = self.source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content))

    def labelme(self, name, *shapes, **more):
        """An annotation of name.jpg; a shape is (label, points) or (label, points, kind)."""
        self.write(f"{name}.json", {
            "version": "5.4.1", "flags": {}, "imagePath": f"{name}.jpg", "imageData": None,
            "imageHeight": HEIGHT, "imageWidth": WIDTH,
            "shapes": [{"label": s[0], "points": s[1], "shape_type": s[2] if len(s) > 2 else "polygon",
                        "group_id": None, "flags": {}} for s in shapes], **more})

    def convert(self, *options, source=None):
        result = tagclip("data", "convert", source or self.source, "-o", self.out, *options)
        self.assert_no_accident(result)
        return result

    def labels(self, name):
        return np.array(Image.open(self.out / "labels" / f"{name}.png"))

    def classes(self):
        return (self.out / "classes.txt").read_text().splitlines()

    def names(self, split):
        path = self.out / f"{split}.txt"
        return path.read_text().splitlines() if path.exists() else []

    def assert_usable(self, *options):
        result = tagclip("data", "check", self.out, "--splits", "train", *options)
        self.assert_done(result)
        return result


class LabelMe(ConvertTest):
    def test_shapes_lie_over_each_other_in_their_order(self):
        self.photo("a.jpg", quality=95)
        mask = Image.new("1", (4, 3), 1)
        self.labelme("a", ("tall_grass", box(0, 0, 11, 15)), ("cup", [[20, 2], [15, 6]], "rectangle"),
                     ("Cup", [[18, 11], [18, 13]], "circle"), ("tall grass", [[1, 1], [3, 3]], "line"),
                     ("__ignore__", box(0, 0, 2, 2)), ("cup", box(4, 4, 6, 6)))
        document = json.loads((self.source / "a.json").read_text())
        document["shapes"].append({"label": "cup", "points": [[8, 8], [11, 10]], "shape_type": "mask",
                                   "mask": png_text(mask)})
        (self.source / "a.json").write_text(json.dumps(document))
        result = self.convert()
        self.assert_done(result)
        self.assertEqual(self.classes(), ["background", "tall grass", "cup"])
        expected = np.zeros((HEIGHT, WIDTH), np.uint8)
        expected[:, :12] = 1
        expected[2:7, 15:21] = 2
        expected[11 - 2:11 + 3, 18 - 2:18 + 3] = 2
        for y, x in ((9, 16), (9, 20), (13, 16), (13, 20)):
            expected[y, x] = 0
        expected[:3, :3] = 255
        expected[4:7, 4:7] = 2
        expected[8:11, 8:12] = 2
        np.testing.assert_array_equal(self.labels("a"), expected)
        self.assertIn("\"Cup\" is \"cup\"", result.out)
        self.assertIn("1 shape without an area", result.out)
        self.assertEqual((self.out / "images/a.jpg").read_bytes(), (self.source / "a.jpg").read_bytes())
        self.assert_usable()

    def test_pictures_in_base64_may_lack_padding_and_have_line_breaks(self):
        self.photo("a.jpg")
        width, text = next((w, t) for w in range(4, 12) if (t := png_text(Image.new("1", (w, 3), 1))).endswith("="))
        self.labelme("a")
        document = json.loads((self.source / "a.json").read_text())
        document["shapes"] = [{"label": "cup", "points": [[2, 1], [1 + width, 3]], "shape_type": "mask",
                               "mask": "\r\n".join([text[:20], text[20:].rstrip("=")])}]
        (self.source / "a.json").write_text(json.dumps(document))
        self.assert_done(self.convert())
        expected = np.zeros((HEIGHT, WIDTH), bool)
        expected[1:4, 2:2 + width] = True
        np.testing.assert_array_equal(self.labels("a") == self.classes().index("cup"), expected)

    def test_a_bad_file_costs_that_photo_alone(self):
        for name in "abcdefgh":
            self.photo(f"{name}.jpg")
            self.labelme(name, ("cup", box(2, 2, 9, 9)))
        self.write("b.json", "{\"shapes\": [")
        self.labelme("c", ("cup", [[1, "x"], [2, 3], [4, 4]]))
        (self.source / "d.jpg").unlink()
        self.labelme("e", ("cup", box(2, 2, 9, 9)), imageWidth=99)
        self.labelme("f", ("cup", box(-1e30, -1e30, 1e30, 1e30)))
        (self.source / "g.jpg").write_bytes(b"\xff\xd8 no photo")
        self.labelme("h", ("cup", box(2, 2, 9, 9)), imagePath="..\\elsewhere\\h.jpg")
        result = self.convert("--val-share", "0")
        self.assertEqual(result.code, BAD_INPUT, result.err)
        self.assertEqual(self.names("train"), ["a", "f", "h"])
        self.assertTrue((self.labels("f") == 1).all())  # the polygon covers the photo
        left_out = {e["name"]: e["why"] for e in json.loads((self.out / "conversion.json").read_text())["left_out"]}
        self.assertEqual(set(left_out), {"b.json", "c.json", "d.json", "e", "g"})
        self.assertIn("is no JSON", left_out["b.json"])
        self.assertIn("no pair of numbers", left_out["c.json"])
        self.assertIn("its photo \"d.jpg\" is not there", left_out["d.json"])
        self.assertIn("for a photo of 99x16, but the photo is 24x16", left_out["e"])
        self.assertIn("g.jpg", left_out["g"])
        self.assertIn("left out: d.json: its photo", result.out)

    def test_photos_that_nobody_annotated_are_told(self):
        for name in "abc":
            self.photo(f"{name}.jpg")
        for name in "ab":
            self.labelme(name, ("cup", box(2, 2, 9, 9)))
        result = self.convert("--val-share", "0")
        self.assert_done(result)
        self.assertIn("left out: c: no LabelMe file is about this photo", result.out)
        self.assertEqual(self.names("train"), ["a", "b"])

    def test_names_that_a_class_file_would_read_otherwise(self):
        self.photo("a.jpg")
        names = ["3: left", "road (big", "tree # old", "- wall", "sofa, couch"]
        self.labelme("a", *[(name, box(4 * i, 0, 4 * i + 3, 15)) for i, name in enumerate(names)])
        self.assert_done(self.convert("--val-share", "0"))
        found = json.loads(tagclip("data", "check", self.out, "--splits", "train", "--json").out)["classes"]
        self.assertEqual([c["name"] for c in found], ["background", *names[:4], "sofa"])

    def test_photos_above_the_limit(self):
        for name in "ab":
            self.photo(f"{name}.jpg")
            self.labelme(name, ("cup", box(2, 2, 9, 9)))
        self.assert_refused(self.convert("--max-pixels", "383"), BAD_INPUT, "limit of 383", "--max-pixels")
        self.assert_done(self.convert("--max-pixels", "384"))

    def test_photos_inside_of_the_files(self):
        self.labelme("a", ("cup", box(2, 2, 9, 9)), imageData=png_text(photo(3)))
        self.assert_done(self.convert("--val-share", "0"))
        np.testing.assert_array_equal(np.array(Image.open(self.out / "images/a.png")), np.array(photo(3)))

    def test_turned_photos(self):
        exif = Image.Exif()
        exif[0x0112] = 6  # stored lying, to be turned right
        self.photo("upright.jpg", exif=exif)
        self.photo("stored.jpg", exif=exif)
        # LabelMe shows photos upright; some scripts write the stored size.
        self.labelme("upright", ("cup", box(0, 0, 5, 9)), imageWidth=HEIGHT, imageHeight=WIDTH)
        self.labelme("stored", ("cup", box(0, 0, 9, 5)))
        self.assert_done(self.convert("--val-share", "0"))
        upright, stored = self.labels("upright"), self.labels("stored")
        self.assertEqual(upright.shape, (WIDTH, HEIGHT))
        self.assertTrue((upright[:10, :6] == 1).all() and (upright == 1).sum() == 60)
        self.assertEqual(stored.shape, (WIDTH, HEIGHT))
        self.assertTrue((stored[:10, -6:] == 1).all() and (stored == 1).sum() == 60)


class Coco(ConvertTest):
    def coco(self, name, annotations, images=None, categories=None):
        self.write(name, {
            "images": images or [{"id": 7, "file_name": "a.jpg", "width": WIDTH, "height": HEIGHT}],
            "categories": categories or [{"id": 3, "name": "cup"}, {"id": 1, "name": "table"}],
            "annotations": [{"id": i, "image_id": 7, "iscrowd": 0, **a} for i, a in enumerate(annotations)]})

    def test_polygons_runs_and_crowds(self):
        self.photo("images/a.jpg")
        outside = HEIGHT * 20
        self.coco("annotations/instances_default.json", [
            {"category_id": 3, "segmentation": [[12, 4, 14, 4, 14, 6, 12, 6], [16, 4, 18, 4, 18, 6, 16, 6]]},
            {"category_id": 1, "segmentation": [[8, 0, 24, 0, 24, 16, 8, 16]]},  # larger: behind the cups
            {"category_id": 3, "iscrowd": 1, "segmentation": {"size": [HEIGHT, WIDTH],
                                                              "counts": [0, outside, HEIGHT * 4]}},
            {"category_id": 3, "bbox": [1, 1, 3, 3]}])
        result = self.convert()
        self.assert_done(result)
        self.assertEqual(self.classes(), ["cup", "table"])  # nothing is unlabelled: no background
        expected = np.zeros((HEIGHT, WIDTH), np.uint8)
        expected[:, 8:] = 1
        expected[4:6, 12:14] = expected[4:6, 16:18] = 0
        np.testing.assert_array_equal(self.labels("a"), expected)
        self.assertIn("1 annotation without an outline", result.out)

    def test_roboflow(self):
        for split, names in (("train", "abc"), ("valid", "d")):
            images = []
            for i, name in enumerate(names):
                self.photo(f"{split}/{name}_jpg.rf.0.jpg")
                images.append({"id": i, "file_name": f"{name}_jpg.rf.0.jpg", "width": WIDTH, "height": HEIGHT})
            self.write(f"{split}/_annotations.coco.json", {
                "images": images,
                "categories": [{"id": 0, "name": "cups-and-plates", "supercategory": "none"},
                               {"id": 1, "name": "cup", "supercategory": "cups-and-plates"}],
                "annotations": [{"id": 0, "image_id": 0, "category_id": 1, "iscrowd": 0,
                                 "segmentation": [[2, 2, 10, 2, 10, 10, 2, 10]]}]})
        self.assert_done(self.convert())
        self.assertEqual(self.classes(), ["background", "cup"])
        self.assertEqual(self.names("train"), ["a_jpg.rf.0", "b_jpg.rf.0", "c_jpg.rf.0"])
        self.assertEqual(self.names("val"), ["d_jpg.rf.0"])
        self.assertTrue((self.labels("b_jpg.rf.0") == 0).all())

    def test_broken_runs_cost_that_photo_alone(self):
        images = [{"id": i, "file_name": f"{i}.jpg", "width": WIDTH, "height": HEIGHT} for i in range(4)]
        for i in range(4):
            self.photo(f"{i}.jpg")
        good = {"category_id": 3, "segmentation": [[2, 2, 10, 2, 10, 10, 2, 10]]}
        self.coco("all.json", [
            {**good, "image_id": 0},
            {"category_id": 3, "image_id": 1, "segmentation": {"size": [HEIGHT, WIDTH], "counts": [1, 2]}},
            {"category_id": 3, "image_id": 2, "segmentation": {"size": [HEIGHT, WIDTH], "counts": "\u007f"}},
            {**good, "image_id": 3, "category_id": 99}, {**good, "image_id": 88}], images=images)
        result = self.convert(source=self.source / "all.json")
        self.assertEqual(result.code, BAD_INPUT, result.err)
        self.assertEqual(self.names("train"), ["0"])
        for part in ("fewer than the photo's pixels", "run lengths are broken", "unknown category_id",
                     "1 annotation of photos that the file does not list"):
            self.assertIn(part, result.out)


class Masks(ConvertTest):
    def mask(self, name, values, colours=None, mode=None):
        """`values` fills the right half, the left one is 0."""
        array = np.zeros((HEIGHT, WIDTH), np.uint8)
        array[:, WIDTH // 2:] = values
        path = self.source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        picture = Image.fromarray(np.array(colours, np.uint8)[array] if colours else array)
        (picture.convert(mode) if mode else picture).save(path)

    def test_cvat(self):
        for name in "ab":
            self.photo(f"JPEGImages/{name}.jpg")
            self.mask(f"SegmentationClass/{name}.png", 1, [(0, 0, 0), RED])
            self.mask(f"SegmentationObject/{name}.png", 1, [(0, 0, 0), BLUE])
        self.write("labelmap.txt", "# label:color_rgb:parts:actions\nbackground:0,0,0::\ntea cup:200,30,40::\n")
        self.write("ImageSets/Segmentation/default.txt", "a\nb\n")
        # As it is, it is no data set, and says what to do.
        refused = tagclip("data", "check", self.source)
        self.assert_refused(refused, BAD_INPUT, "an export of CVAT", "tagclip data convert")
        self.assert_done(self.convert())
        self.assertEqual(self.classes(), ["background", "tea cup"])
        self.assertEqual(set(self.labels("a")[0]), {0, 1})
        self.assertEqual((self.labels("a") == 1).sum(), WIDTH * HEIGHT // 2)
        self.mask("SegmentationClass/b.png", 1, [(0, 0, 0), (201, 30, 40)])
        self.out = self.folder / "second"
        result = self.convert()
        self.assertEqual(result.code, BAD_INPUT)
        self.assertIn("left out: b: its mask has the colour 201,30,40 at x 12, y 0 (50.00% of its pixels)",
                      result.out.replace("JPEGImages/", ""))

    def test_cvat_without_photos(self):
        self.mask("SegmentationClass/a.png", 1, [(0, 0, 0), RED])
        self.write("labelmap.txt", "background:0,0,0::\ncup:200,30,40::\n")
        self.assert_refused(self.convert(), BAD_INPUT, "not their photos", "Save images")

    def test_roboflow(self):
        for split in ("train", "valid"):
            for name in "ab":
                self.photo(f"{split}/{split}{name}.jpg")
                self.mask(f"{split}/{split}{name}_mask.png", 2)
            self.write(f"{split}/_classes.csv", "Pixel Value, Class\n0, background\n1, plate\n2, cup\n")
        self.assert_done(self.convert())
        self.assertEqual(self.classes(), ["background", "plate", "cup"])
        self.assertEqual(self.names("val"), ["valida", "validb"])
        self.assertEqual(set(self.labels("traina")[0]), {0, 2})

    def test_cityscapes(self):
        for split, name in (("train", "bonn_000000_000019"), ("val", "ulm_000000_000019")):
            city = name.split("_", maxsplit=1)[0]
            self.photo(f"leftImg8bit/{split}/{city}/{name}_leftImg8bit.png")
            self.mask(f"gtFine/{split}/{city}/{name}_gtFine_labelIds.png", 26)  # car beside unlabelled
            self.mask(f"gtFine/{split}/{city}/{name}_gtFine_color.png", 1, [(0, 0, 0), RED])
        self.assert_done(self.convert())
        self.assertEqual(len(self.classes()), 19)
        self.assertEqual(self.classes()[13], "car")
        self.assertEqual(self.names("val"), ["ulm/ulm_000000_000019_leftImg8bit"])
        self.assertEqual(set(self.labels("bonn/bonn_000000_000019_leftImg8bit")[0]), {13, 255})
        self.assert_usable()

    def test_colours_and_their_list(self):
        for name in "abc":
            self.photo(f"images/{name}.JPG")
            self.mask(f"masks/{name}_mask.png", 1, [BLUE, RED])
        self.photo("images/street_label.jpg")  # a photo for all its name
        self.mask("masks/street_label.png", 1, [BLUE, RED])
        self.assert_refused(self.convert(), BAD_INPUT, "does not say what the colours", "20,60,220",
                            "--classes")
        self.assertFalse(self.out.exists())
        lists = {"names.txt": "sky: 20,60,220\nroof: 200,30,40\n", "table.csv": "name,r,g,b\nsky,20,60,220\nroof,200,30,40\n",
                 "camvid.txt": "20 60 220\tsky\n200 30 40\troof\n", "hex.txt": "sky #143cdc\nroof #c81e28\n"}
        for name, text in lists.items():
            with self.subTest(name):
                path = self.folder / name
                path.write_text(text)
                self.out = self.folder / f"set of {name}"
                self.assert_done(self.convert("--classes", path))
                self.assertEqual(self.classes(), ["sky", "roof"])
                self.assertEqual(set(self.labels("a")[0]), {0, 1})
                self.assertTrue((self.out / "labels/street_label.png").exists())

    def test_objects_of_255(self):
        for name in "ab":
            self.photo(f"images/{name}.jpg")
            self.mask(f"masks/{name}.png", 255)
        self.write("classes.txt", "background\ncrack\n")
        result = self.convert()
        self.assert_done(result)
        self.assertIn("255 is taken for the last class", result.out)
        self.assertEqual(self.classes(), ["background", "crack"])
        self.assertEqual(set(self.labels("a")[0]), {0, 1})

    def test_three_equal_channels_and_jpeg_masks(self):
        self.photo("images/a.jpg")
        self.photo("images/b.jpg")
        self.mask("masks/a.png", 1, mode="RGB")
        self.mask("masks/b.jpg", 1)
        self.write("classes.txt", "sky\nroof\n")
        result = self.convert()
        self.assertEqual(result.code, BAD_INPUT)
        self.assertEqual(set(self.labels("a")[0]), {0, 1})
        self.assertIn("is a JPEG, which changes colours and values", result.out)


class Yolo(ConvertTest):
    def test_segments(self):
        for split, names in (("train", "abc"), ("val", "d")):
            for name in names:
                self.photo(f"images/{split}/{name}.jpg")
                self.write(f"labels/{split}/{name}.txt",
                           "1 0 0 0.5 0 0.5 1 0 1\n0 0.125 0.125 0.25 0.125 0.25 0.25 0.125 0.25\n")
        self.write("labels/train/b.txt", "")
        self.write("labels/train/c.txt", "7 0 0 0.5 0 0.5 1\n")
        for text in ("names: [tea cup, 'table, round']\n", "names:\n  0: tea cup\n  1: \"table, round\"\nnc: 2\n",
                     "nc: 2\nnames:\n- tea cup\n- 'table, round'\n"):
            with self.subTest(text):
                self.write("data.yaml", "train: images/train\n" + text)
                self.out = self.folder / f"set{len(text)}"
                result = self.convert()
                self.assertEqual(result.code, BAD_INPUT, result.err)
                self.assertIn("line 1 has class 7, but the names end at 1", result.out)
                self.assertEqual(self.classes(), ["background", "tea cup", "table, round"])
                self.assertEqual(self.names("train"), ["a", "b"])
                self.assertEqual(self.names("val"), ["d"])
                expected = np.zeros((HEIGHT, WIDTH), np.uint8)
                expected[:, :13] = 2
                expected[2:5, 3:7] = 1
                np.testing.assert_array_equal(self.labels("a"), expected)

    def test_boxes_are_no_segments(self):
        self.photo("images/a.jpg")
        self.write("labels/a.txt", "0 0.5 0.5 0.25 0.25\n")
        self.write("data.yaml", "names: [cup]\n")
        self.assert_refused(self.convert(), BAD_INPUT, "boxes, no outlines")


class Splits(ConvertTest):
    def fill(self, count):
        for i in range(count):
            self.photo(f"p{i}.jpg", seed=1000 + i)
            self.labelme(f"p{i}", ("cup", box(0, 0, 9, 9)), *([("spoon", box(12, 2, 20, 9))] if i < 2 else []))

    def test_drawn_by_groups_and_classes(self):
        self.fill(10)
        for i in range(10, 14):  # the same photo again, recompressed
            self.photo(f"p{i}.jpg", seed=1003, quality=50 + i)
            self.labelme(f"p{i}", ("cup", box(0, 0, 9, 9)))
        self.assert_done(self.convert("--val-share", "0.4", "--seed", "3"))
        train, val = self.names("train"), self.names("val")
        self.assertEqual(len(train) + len(val), 14)
        self.assertTrue(4 <= len(val) <= 7, val)
        same = {"p3", *(f"p{i}" for i in range(10, 14))}
        self.assertIn(len(same & set(val)), (0, 5))
        self.assertEqual(len({"p0", "p1"} & set(val)), 1)  # both lists have a spoon
        first = (self.out / "val.txt").read_text()
        self.out = self.folder / "again"
        self.convert("--val-share", "0.4", "--seed", "3")
        self.assertEqual((self.out / "val.txt").read_text(), first)

    def test_links(self):
        self.fill(3)
        self.assert_done(self.convert("--photos", "link"))
        link = self.out / "images/p0.jpg"
        self.assertTrue(link.is_symlink() and link.samefile(self.source / "p0.jpg"))
        self.assert_usable()

    def test_void_instead_of_background(self):
        self.fill(3)
        self.photo("empty.jpg")
        self.labelme("empty")
        result = self.convert("--unlabelled", "void")
        self.assert_done(result)  # a photo without labels is no failure
        self.assertEqual(self.classes(), ["cup", "spoon"])
        self.assertEqual(set(self.labels("p2").ravel()), {0, 255})
        self.assertIn("nothing is labelled in it", result.out)


class Journey(ConvertTest):
    def test_from_an_export_to_a_model(self):
        for i in range(8):
            self.photo(f"p{i}.jpg", seed=i)
            self.labelme(f"p{i}", ("tea_cup", box(0, 0, 9, 9)), ("table", box(10, 0, 23, 15)))
        self.assert_done(self.convert())
        self.assert_usable()
        # The model that training starts from has never heard of these classes.
        config = samples.config(self.folder, "train.toml", samples.TRAIN, output=self.folder / "run",
                                data=self.out, start=samples.micro_model(), setting="supervised")
        self.assert_done(tagclip("train", config))
        result = tagclip("eval", "--data", self.out, "--weights", self.folder / "run/model.safetensors")
        self.assert_done(result)
        self.assertRegex(result.out, r"(?m)^tea cup +seen ")

    def test_the_words_of_an_export_are_learnt_by_the_shipped_clip(self):
        for i in range(8):
            self.photo(f"p{i}.jpg", seed=i)
            self.labelme(f"p{i}", ("tea_cup", box(0, 0, 9, 9)), ("table", box(10, 0, 23, 15)))
        self.assert_done(self.convert())
        run = self.folder / "run"
        learnt = tagclip("pretrain", ROOT / "configs/own-labels.toml", "--set", f"source.mine.data={self.out}", "--set",
                         f"validation.data={self.out}", "--set", f"output={run}", "--set", "steps=3", "--set", "warmup=1",
                         "--set", "batch=4", "--set", "validate_every=3", timeout=300)
        self.assert_done(learnt)
        self.assertRegex(learnt.out, r"validation at 3: .*mIoU")
        self.assertIn(f"next: tagclip segment PHOTO --weights {run}/clip.safetensors, or tagclip train", learnt.err)
        result = tagclip("segment", self.source / "p0.jpg", "--weights", run / "clip.safetensors", "-c",
                         self.out / "classes.txt", "-o", self.folder / "masks", "--json")
        self.assert_done(result)
        self.assertIn("tea cup", result.out)


class Refusals(ConvertTest):
    def test_nothing_is_overwritten_or_left_half(self):
        self.photo("a.jpg")
        self.labelme("a", ("cup", box(0, 0, 9, 9)))
        self.out.mkdir()
        (self.out / "mine").write_text("")
        self.assert_refused(self.convert(), USAGE, "exists already")
        (self.out / "mine").unlink()
        self.assert_done(self.convert())  # an empty folder is filled
        self.assertEqual(sorted(p.name for p in self.folder.iterdir()), ["export", "set"])

    def test_what_cannot_be_converted(self):
        self.write("notes.txt", "nothing")
        archive = self.folder / "export.zip"
        archive.write_bytes(b"PK")
        for options, code, *parts in (
                ([], BAD_INPUT, "holds no annotations that are known", "labelme", "yolo"),
                (["--from", "labelmee"], USAGE, "expected one of auto, labelme"),
                (["--from", "coco"], BAD_INPUT, "holds no COCO file"),
                (["--val-share", "1"], USAGE, "--val-share"),
                (["--splits", "train"], USAGE, "--splits is an option of data check")):
            with self.subTest(options):
                self.assert_refused(self.convert(*options), code, *parts)
        self.assert_refused(self.convert(source=archive), BAD_INPUT, "is an archive", "unzip")
        self.assert_refused(tagclip("data", "convert", self.source), USAGE, "needs -o")
        self.write("annotations.xml", "<annotations/>")
        self.assert_refused(self.convert(), BAD_INPUT, "CVAT's own XML", "Segmentation mask 1.1")
        self.assertEqual(sorted(p.name for p in self.folder.iterdir()), ["export", "export.zip"])


if __name__ == "__main__":
    unittest.main()
