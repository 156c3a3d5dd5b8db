"""Photos and words that are odd or broken: done, or refused with what is wrong and what to do."""

import io
import json
import resource
import struct
import unittest
import zlib

import numpy as np
from PIL import Image

import samples
from support import BAD_INPUT, PHOTOS, USAGE, ProgramTest, tagclip

CAT = PHOTOS / "cat.jpg"


def png_header(width, height):
    """A PNG that claims a size and holds nothing."""
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    size = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


def encoded(image, kind, **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def gradient(width, height, mode="RGB"):
    ramp = np.add.outer(np.arange(height), np.arange(width)) % 256
    return Image.fromarray(ramp.astype(np.uint8)).convert(mode)


class SegmentTest(ProgramTest):
    @classmethod
    def setUpClass(cls):
        cls.model = samples.micro_model()

    def segment(self, *arguments, **more):
        return tagclip("segment", *arguments, "-w", self.model, cwd=self.folder, **more)


class Photos(SegmentTest):
    def assert_refused_photo(self, content, name, *parts):
        (self.folder / name).write_bytes(content)
        result = self.segment(name, "-o", "out")
        self.assert_refused(result, BAD_INPUT, name, *parts)
        self.assertIn("0 done, 1 failed", result.err)
        self.assertEqual(list(self.folder.glob("out/*")), [])

    def assert_segmented(self, content, name, width, height):
        (self.folder / name).write_bytes(content)
        self.assert_done(self.segment(name, "-o", "out"))
        stem = name.split(".")[0]
        with Image.open(self.folder / "out" / f"{stem}_labels.png") as labels:
            self.assertEqual(labels.size, (width, height))
        about = json.loads((self.folder / "out" / f"{stem}_classes.json").read_text())
        self.assertEqual((about["width"], about["height"]), (width, height))

    def test_files_that_are_no_photos(self):
        cat = CAT.read_bytes()
        png = encoded(gradient(60, 40), "PNG")
        webp = encoded(gradient(60, 40), "WEBP")
        for name, content, *parts in (
                ("empty.jpg", b"", "found an empty file"),
                ("text.jpg", b"hello", "expected a JPEG, PNG or WebP image, found text"),
                ("page.png", b"<!DOCTYPE html><html>", "found an HTML page"),
                ("drawing.gif", encoded(gradient(9, 9), "GIF"), "found a GIF image", "magick 'in.gif[0]' out.png"),
                ("a.ppm", encoded(gradient(9, 9), "PPM"), "found a PBM, PGM or PPM image", "magick in.ppm out.png"),
                ("a.ico", encoded(gradient(16, 16), "ICO"), "found a Windows icon", "magick"),
                ("twelve.jpg", cat.replace(b"\xff\xc0\x00\x11\x08", b"\xff\xc1\x00\x11\x0c"),
                 "a JPEG of 12 bits per sample is not supported", "djpeg"),
                ("noise.png", bytes(range(128, 256)) * 9, "found binary data"),
                ("cut.jpg", cat[:len(cat) // 2], "truncated or damaged JPEG", "again"),
                ("cut.png", png[:len(png) // 2], "truncated or damaged PNG", "again"),
                ("cut.webp", webp[:len(webp) // 2], "truncated or damaged WebP", "again"),
                ("head.jpg", cat[:3], "truncated or damaged JPEG"),
                ("hollow.png", png_header(50, 50), "truncated or damaged PNG")):
            with self.subTest(name):
                self.assert_refused_photo(content, name, *parts)
        self.assert_refused(self.segment("none.jpg"), BAD_INPUT, "cannot read none.jpg: No such file")

    def test_photos_larger_than_allowed(self):
        for width, height in ((1 << 14, 1 << 13), (1, (1 << 26) + 1), (1 << 30, 1 << 30)):
            with self.subTest(width=width, height=height):
                self.assert_refused_photo(png_header(width, height), "huge.png", f"{width} x {height}",
                                          "67108864", "--max-pixels")
        (self.folder / "small.png").write_bytes(encoded(gradient(60, 40), "PNG"))
        result = self.segment("small.png", "--max-pixels", 2399)
        self.assert_refused(result, BAD_INPUT, "60 x 40", "limit of 2399", "--max-pixels")
        self.assert_done(self.segment("small.png", "--max-pixels", 2400))

    def test_unusual_photos(self):
        deep = Image.fromarray((np.asarray(gradient(60, 40, "L"), np.uint16) * 257))
        for name, content in (
                ("grey.jpg", encoded(gradient(60, 40, "L"), "JPEG")),
                ("grey16.png", encoded(deep, "PNG")),
                ("greyalpha.png", encoded(gradient(60, 40, "LA"), "PNG")),
                ("alpha.png", encoded(gradient(60, 40, "RGBA"), "PNG")),
                ("palette.png", encoded(gradient(60, 40, "P"), "PNG")),
                ("bits.png", encoded(gradient(60, 40, "1"), "PNG")),
                ("ink.jpg", encoded(gradient(60, 40, "CMYK"), "JPEG")),
                ("progressive.jpg", encoded(gradient(60, 40), "JPEG", progressive=True)),
                ("alpha.webp", encoded(gradient(60, 40, "RGBA"), "WEBP")),
                ("wrong_ending.png", encoded(gradient(60, 40), "JPEG"))):
            with self.subTest(name):
                self.assert_segmented(content, name.replace(".webp", "_webp.webp"), 60, 40)

    def test_photos_read_with_a_warning(self):
        """A JPEG or PNG that lacks its end mark alone; 12 bits stored in 16."""
        dark = Image.fromarray(np.asarray(gradient(60, 40, "L"), np.uint16) * 16)
        for name, content, part in (
                ("no_eoi.jpg", CAT.read_bytes()[:-2], "lacks its end marker"),
                ("no_iend.png", encoded(gradient(60, 40), "PNG")[:-12], "lacks its end chunk"),
                ("dark.png", encoded(dark, "PNG"), "multiply 16")):
            with self.subTest(name):
                (self.folder / name).write_bytes(content)
                result = self.segment(name, "-o", "out", "--json", "-q")
                self.assert_done(result)
                self.assertRegex(result.err, rf"(?m)^warning: {name}: .*{part}")
                self.assertIn(part, json.loads(result.out)["warning"])

    def test_unusual_sizes(self):
        for width, height in ((1, 1), (1, 40), (40, 1), (3000, 5), (5, 3000)):
            with self.subTest(width=width, height=height):
                name = f"{width}x{height}.png"
                self.assert_segmented(encoded(gradient(width, height), "PNG"), name, width, height)

    def test_photos_are_upright(self):
        for orientation, size in ((1, (60, 40)), (3, (60, 40)), (6, (40, 60)), (8, (40, 60))):
            exif = Image.Exif()
            exif[0x0112] = orientation
            content = encoded(gradient(60, 40), "JPEG", exif=exif)
            self.assert_segmented(content, f"turned{orientation}.jpg", *size)

    def test_names_with_odd_characters(self):
        for number, name in enumerate(("two words.png", "caf\u00e9.png", "-dash.png", "a[b]*.png")):
            (self.folder / name).write_bytes(encoded(gradient(20, 20), "PNG"))
            self.assert_done(self.segment(f"./{name}", "-o", f"out{number}"))
            self.assertTrue((self.folder / f"out{number}" / name.replace(".png", "_labels.png")).exists())


class Words(SegmentTest):
    def assert_refused_words(self, words, *parts):
        self.assert_refused(self.segment(CAT, "-c", words), BAD_INPUT, *parts)

    def test_lists_that_cannot_be_used(self):
        for words, *parts in (
                (" ", "list of classes: no class in it", "at least one word"),
                ("cat,,dog", "entry 2: empty word", "comma"),
                ("cat,", "entry 2: empty word"),
                ("sofa, couch; sky", "several kinds of separators", "into a file"),
                ('cat, "dog', "a quote is opened", "close it"),
                ('["cat", 7]', "class 2: expected a name, found number"),
                ("words.json", "words.json does not exist"),
                ("cat,d\x07og", "entry 2: holds the control character U+0007", "remove"),
                ("cat," + "x" * 1001, "entry 2: a word of 1001 bytes, allowed are 1000"),
                (b"cat,\xffdog", "entry 2", "(0xff) is not valid UTF-8", "UTF-8"),
                ("words.txt", "words.txt does not exist", "path"),
                ("./words", "./words does not exist")):
            with self.subTest(words):
                self.assert_refused_words(words, *parts)
        self.assert_refused(self.segment(CAT, "-c", ""), USAGE, "--classes", "empty")

    def test_files_that_cannot_be_used(self):
        path = self.folder / "words.txt"
        for content, *parts in (
                (b"", "words.txt: no class in it"),
                (b"# only\n\n", "words.txt: no class in it"),
                (b"cat\nsofa,,couch\n", "words.txt, line 2: empty word"),
                (b"cat\n\nd\xe9j\xe0\n", "words.txt, line 3", "not valid UTF-8"),
                ("cat\n".encode("utf-16"), "words.txt: UTF-16 text", "iconv"),
                (b"cat\n\x00\n", "words.txt, line 2", "control character U+0000"),
                (b"x" * 1001, "words.txt, line 1: a word of 1001 bytes")):
            with self.subTest(content):
                path.write_bytes(content)
                self.assert_refused_words("words.txt", *parts)
        path.write_bytes(b"\n".join(b"w%d" % i for i in range(65_535)))
        self.assert_refused_words("words.txt", "words.txt, line 65535: more than 65534 classes")

    def test_a_word_too_long_for_the_model_is_cut(self):
        result = self.segment(CAT, "-c", "cat," + "w " * 400)
        self.assert_done(result)
        self.assertRegex(result.err, r"warning: longer than the model reads, and cut: \"a photo of a w w")

    def test_odd_but_usable_words(self):
        words = ["\U0001f600", "<|endoftext|>", "\u732b", "O'Brien's {}", "a" * 300, "%s%n"]
        result = self.segment(CAT, "-c", ",".join(words), "--json")
        self.assert_done(result)
        for entry in json.loads(result.out)["classes"]:
            self.assertEqual(entry["name"], words[entry["index"]])

    def test_ten_thousand_words(self):
        (self.folder / "words.txt").write_text("\n".join(f"word {i}" for i in range(10_000)))
        gigabytes = 2 << 30

        result = self.segment(CAT, "-c", "words.txt", "--json", preexec_fn=lambda: resource.setrlimit(
            resource.RLIMIT_DATA, (gigabytes, gigabytes)))
        self.assert_done(result)
        self.assertLess(result.seconds, 60)
        about = json.loads(result.out)
        self.assertAlmostEqual(sum(entry["share"] for entry in about["classes"]), 1, delta=1e-3)
        with Image.open(self.folder / "out" / "cat_labels.png") as labels:
            values = np.asarray(labels)
        self.assertEqual(set(np.unique(values)), {entry["index"] for entry in about["classes"]})


if __name__ == "__main__":
    unittest.main()
