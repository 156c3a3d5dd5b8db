"""Paths as people have them: folders of all sorts of files, lists of all sorts of makers, names that lead nowhere."""

import json
import os
import subprocess
import unittest

from PIL import Image

import samples
from support import BAD_INPUT, BINARY, DONE, FAILURE, MINI, ProgramTest, Result, environment, tagclip


class InputsTest(ProgramTest):
    @classmethod
    def setUpClass(cls):
        cls.model = samples.micro_model()

    def setUp(self):
        super().setUp()
        self.photos = self.folder / "photos"
        self.photos.mkdir()

    def photo(self, name, format="JPEG"):
        Image.new("RGB", (40, 30), (90, 120, 80)).save(self.photos / name, format)
        return f"photos/{name}"

    def segment(self, *arguments, **more):
        return tagclip("segment", *arguments, "--weights", self.model, cwd=self.folder, **more)

    def assert_photos(self, result, names, code=DONE, failed=0):
        """These photos were done, and the program says so in the end."""
        self.assert_no_accident(result)
        self.assertEqual(result.code, code, result.err)
        lines = [json.loads(line) for line in result.out.splitlines()]
        self.assertEqual([line["photo"].rsplit("/", 1)[-1] for line in lines if "error" not in line], names)
        self.assertIn(f"{len(names)} done, {failed} failed, 0 left", result.err)
        return [line for line in lines if "error" in line]


class Folders(InputsTest):
    def test_files_are_taken_by_content(self):
        for name in ("a.jpg", "f.jfif", "k.jpg.1", "noext"):
            self.photo(name)
        self.photo("i.PNG_large", "PNG"), self.photo("w", "WEBP")
        for name, format in (("e.gif", "GIF"), ("c.tif", "TIFF"), ("d.bmp", "BMP"), (".hidden.jpg", "JPEG")):
            self.photo(name, format)
        (self.photos / "notes.txt").write_text("no photo")
        (self.photos / "._a.jpg").write_bytes(bytes.fromhex("00051607") * 9)
        (self.photos / "sub").mkdir()
        result = self.segment("photos", "--json")
        self.assert_photos(result, ["a.jpg", "f.jfif", "i.PNG_large", "k.jpg.1", "noext", "w"])
        self.assertIn("warning: photos: left out 4 files: 1 BMP image, 1 GIF image, 1 TIFF image, 1 text file "
                      "(JPEG, PNG and WebP are read); 1 folder in it is not searched\n", result.err)

    def test_photos_may_be_called_like_results(self):
        self.photo("a.jpg"), self.photo("street_labels.png", "PNG"), self.photo("street_overlay.png", "PNG")
        names = ["a.jpg", "street_labels.png", "street_overlay.png"]
        self.assert_photos(self.segment("photos", "--json"), names)
        # Results in the folder of the photos are no photos, neither now nor when it is looked at again.
        self.assert_photos(self.segment("photos", "--json", "-o", "photos"), names)
        result = self.segment("photos", "--json", "-o", "photos", "--overwrite")
        self.assert_photos(result, names)
        self.assertIn("6 tagclip results", result.err)

    def test_an_entry_that_leads_nowhere_costs_itself_alone(self):
        self.photo("a.jpg")
        (self.photos / "loop").symlink_to("loop")
        (self.photos / "gone.jpg").symlink_to("nowhere")
        result = self.segment("photos", "--json")
        self.assertEqual(len(self.assert_photos(result, ["a.jpg"], BAD_INPUT, failed=2)), 2)
        self.assertIn("cannot read photos/loop: Too many levels of symbolic links", result.err)
        self.assertIn("cannot read photos/gone.jpg: No such file or directory", result.err)

    @unittest.skipUnless("TAGCLIP_STALE_HANDLE" in os.environ, "ctest names the library")
    def test_a_file_that_its_server_has_replaced_costs_itself_alone(self):
        self.photo("a.jpg"), self.photo("b.stale")
        stale = {"LD_PRELOAD": os.environ["TAGCLIP_STALE_HANDLE"]}
        (self.folder / "photos.list").write_text("photos/b.stale\nphotos/a.jpg\nc.stale/b.jpg\n")
        for n, (photos, failed) in enumerate((("photos", 1), ("-", 2), (["photos/a.jpg", "photos/b.stale"], 1))):
            with self.subTest(photos):
                listed = (self.folder / "photos.list").read_text() if photos == "-" else ""
                result = self.segment(*([photos] if isinstance(photos, str) else photos), "--json", "-o", f"out{n}",
                                      env=stale, stdin=listed)
                self.assert_photos(result, ["a.jpg"], BAD_INPUT, failed)
                self.assertIn("cannot read photos/b.stale: Stale file handle", result.err)
        for code, how, arguments in ((FAILURE, "write", ["segment", "photos/a.jpg", "-o", "c.stale"]),
                                     (BAD_INPUT, "read", ["info", "c.stale"]),
                                     (BAD_INPUT, "read", ["segment", "c.stale"]),
                                     (BAD_INPUT, "read", ["data", "check", "c.stale"])):
            with self.subTest(arguments):
                result = tagclip(*arguments, cwd=self.folder, env=stale)
                self.assert_refused(result, code, f"cannot {how} c.stale: Stale file handle")

    def test_long_names_get_shorter_results(self):
        long = "\u65e5" * 80
        photo = self.photo(f"{long}.jpg")
        result = self.segment(photo)
        self.assert_done(result)
        stem = next((self.folder / "out").glob("*_classes.json")).name.removesuffix("_classes.json")
        self.assertRegex(stem, "\\A\u65e5+-[0-9a-f]{8}\\Z")
        self.assertIn(f"results named {stem}", result.out)
        self.assert_refused(self.segment(photo), FAILURE, "holds results of this photo already")


class Lists(InputsTest):
    def test_lists_of_other_programs(self):
        for name in ("a.jpg", "b c.jpg", "b\nd.jpg"):
            self.photo(name)
        for number, (text, names) in enumerate((
                ("\ufeffphotos/a.jpg\r\nphotos/b c.jpg\r\n".encode(), ["a.jpg", "b c.jpg"]),
                (b"photos/b c.jpg\0photos/b\nd.jpg\0", ["b c.jpg", "b\nd.jpg"]))):
            with self.subTest(text):
                self.assert_photos(self.segment("-", "--json", "-o", f"out{number}", stdin=text), names)
        self.assert_refused(self.segment("-", stdin="photos/a.jpg\n".encode("utf-16")), BAD_INPUT,
                            "standard input: UTF-16 text, expected UTF-8", "iconv")

    def test_one_entry_never_ends_the_run(self):
        self.photo("a.jpg")
        (self.folder / "empty").mkdir()
        entries = ["holiday[1].jpg", "empty", "photos/a.jpg", "x" * 256, "photos/a.jpg/below"]
        result = self.segment("-", "--json", stdin="\n".join(entries))
        errors = self.assert_photos(result, ["a.jpg"], BAD_INPUT, failed=4)
        self.assertEqual([line["photo"] for line in errors], [entries[i] for i in (0, 1, 3, 4)])
        for line in errors:
            self.assertIn(line["photo"], line["error"])

    def test_standard_input_that_is_a_folder(self):
        folder = os.open(self.photos, os.O_RDONLY)
        self.addCleanup(os.close, folder)
        done = subprocess.run([BINARY, "segment", "-", "-w", self.model], stdin=folder, cwd=self.folder,
                              env=environment(), capture_output=True, text=True, check=False)
        self.assert_refused(Result(done.returncode, done.stdout, done.stderr, 0), BAD_INPUT,
                            "cannot read standard input: it is a folder")


class Results(InputsTest):
    def test_a_photo_of_the_same_name_is_another(self):
        self.photo("a.jpg")
        self.assert_done(self.segment("photos"))
        Image.new("RGB", (50, 30)).save(self.photos / "a.jpg")
        self.photo("b.jpg")
        result = self.segment("photos", "--json")
        self.assert_photos(result, ["b.jpg"], BAD_INPUT, failed=1)
        self.assertIn("out holds results that were made from another photo, for 1 photo: photos/a.jpg; set --overwrite",
                      result.err)


class Options(InputsTest):
    """Whatever names a file or folder, a path that cannot be reached is one clear error."""

    def test_paths_that_cannot_be_reached(self):
        photo = self.photo("a.jpg")
        (self.folder / "loop").symlink_to("loop")
        data = samples.micro_dataset()
        for path, reason in (("loop", "Too many levels of symbolic links"),
                             ("loop/below.txt", "Too many levels of symbolic links"),
                             ("y" * 256 + ".txt", "File name too long")):
            for code, how, command in (
                    (FAILURE, "write", ["segment", photo, "-o", path]),
                    (FAILURE, "write", ["segment", photo, "--save-encoding", path]),
                    (BAD_INPUT, "read", ["segment", photo, "--encoding", path]),
                    (BAD_INPUT, "read", ["segment", photo, "-w", path]),
                    (BAD_INPUT, "read", ["segment", photo, "--text-embeddings", path, "-c", "a"]),
                    (BAD_INPUT, "read", ["segment", photo, "--text-weights", path]),
                    (BAD_INPUT, "read", ["segment", photo, "-c", f"./{path}"]),
                    (BAD_INPUT, "read", ["segment", photo, "--prompt", f"./{path}"]),
                    (BAD_INPUT, "read", ["info", path]),
                    (BAD_INPUT, "read", ["convert", path, "out.safetensors"]),
                    (BAD_INPUT, "read", ["data", "check", path]),
                    (BAD_INPUT, "read", ["data", "check", data, "--unseen", f"./{path}"]),
                    (BAD_INPUT, "read", ["eval", "--data", path]),
                    (BAD_INPUT, "read", ["train", path]),
                    (BAD_INPUT, "read", ["train", "--set", f"data={path}", "--set", f"clip={MINI}"]),
                    (BAD_INPUT, "read", ["report", path]),
                    (BAD_INPUT, "read", ["verify", "--weights", MINI, "--expected", path])):
                with self.subTest(" ".join(map(str, command))):
                    result = tagclip(*command, cwd=self.folder)
                    self.assert_refused(result, code, f"cannot {how} ", f"{path}", reason)
        for path, reason in (("loop/below.npy", "Too many levels of symbolic links"),
                             ("y" * 256 + ".npy", "File name too long")):
            for command in (["embed", "-c", "a", "-o", path], ["convert", MINI, path],
                            ["report", data, "-o", path]):
                with self.subTest(" ".join(map(str, command))):
                    self.assert_refused(tagclip(*command, cwd=self.folder), FAILURE, f"cannot write {path}: {reason}")


if __name__ == "__main__":
    unittest.main()
