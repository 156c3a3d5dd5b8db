"""Files of embeddings: what embed writes, and what segment takes from anybody."""

import json
import shutil
import unittest

import numpy as np

import samples
from support import BAD_INPUT, FAILURE, SHARED, USAGE, read_safetensors, write_safetensors
from words import PHOTO, WIDTH, WORDS, WordsTest


class TextEmbeddings(WordsTest):
    def test_npy(self):
        self.write("list.txt", "cat, kitten\ngrass\n")
        rows = self.embed("-c", "list.txt")
        self.assertEqual((rows.shape, rows.dtype, rows.flags.c_contiguous), ((2, WIDTH), np.float32, True))
        self.assertEqual((self.folder / "words.txt").read_text(), "cat, kitten\ngrass\n")

    def test_safetensors(self):
        rows = self.embed("-c", WORDS, "--prompt", "single")
        self.assert_done(self.run_with("embed", "-c", WORDS, "--prompt", "single", "-o", "a.safetensors"))
        metadata, tensors = read_safetensors(self.folder / "a.safetensors")
        self.assertEqual(tensors, {"text_embeddings": ("F32", [3, WIDTH], rows.tobytes())})
        self.assertEqual(json.loads(metadata["tagclip.classes"]), [["cat"], ["grass"], ["sky"]])
        self.assertEqual(json.loads(metadata["tagclip.templates"]), ["a photo of a {}"])

    def test_what_exists_is_kept(self):
        self.write("a.npy", "mine")
        self.assert_refused(self.run_with("embed", "-c", "cat", "-o", "a.npy"), FAILURE, "a.npy", "--overwrite")
        self.assertEqual((self.folder / "a.npy").read_text(), "mine")
        self.assertFalse((self.folder / "a.txt").exists())

    def test_a_list_beside_is_kept(self):
        self.write("mine.txt", "# for the garden\ncat\n")
        self.run_with("embed", "-c", "mine.txt", "-o", "mine.npy")
        self.assertEqual((self.folder / "mine.txt").read_text(), "# for the garden\ncat\n")

    def test_embeddings_stand_for_their_words(self):
        labels, about, _ = self.segment("-c", WORDS)
        self.embed("-c", WORDS)
        self.assert_done(self.run_with("embed", "-c", WORDS, "-o", "a.safetensors"))
        for file in ("words.npy", "a.safetensors"):
            from_file, about_file, _ = self.segment("--text-embeddings", file)
            np.testing.assert_array_equal(from_file, labels)
            self.assertEqual(about_file["classes"], about["classes"])

    def test_rows_of_anybody(self):
        """Not of unit length, another number type, classes on the command line."""
        labels = self.segment("-c", WORDS)[0]
        rows = self.embed("-c", WORDS)
        (self.folder / "words.txt").unlink()
        np.save(self.folder / "words.npy", rows.astype(np.float64) * 7)
        np.testing.assert_array_equal(self.segment("-c", WORDS, "--text-embeddings", "words.npy")[0], labels)

    def refused(self, *parts, options=()):
        result = self.run_with("segment", PHOTO, "--text-embeddings", "words.npy", "-o", "none", *options)
        self.assert_refused(result, BAD_INPUT, *parts)
        self.assertEqual(list(self.folder.glob("none/*")), [])

    def test_the_list_beside(self):
        self.embed("-c", WORDS)
        for text, parts in (("cat\ngrass\n", ("words.npy", "3 embeddings", "2 classes")),
                            ("", ("words.txt",))):
            self.write("words.txt", text)
            self.refused(*parts)
        (self.folder / "words.txt").unlink()
        self.refused("words.npy", "which classes", "--classes", "words.txt")
        self.refused("3 embeddings", "2 classes", options=["-c", "cat, sky"])

    def test_rows_that_are_none(self):
        rows = self.embed("-c", WORDS)
        for changed, part in ((rows[:, :100], "192"), (rows[0], "192"), (rows[:0], "192"),
                              (rows * [[1], [0], [1]], "row 1"),
                              (np.where(np.arange(WIDTH) == 5, np.nan, rows), "NaN at [0, 5]")):
            np.save(self.folder / "words.npy", changed)
            self.refused("words.npy", part)
        (self.folder / "words.npy").write_bytes(b"\x93NUMPY\x01\x00\xff\xff")
        self.refused("words.npy")

    def test_a_set_is_measured_with_them(self):
        data = samples.micro_dataset()
        names = (data / "classes.txt").read_text().splitlines()
        measured = self.run_with("eval", "--data", data, "--json")
        self.assert_done(measured)
        self.write("names.txt", "\n".join(names))
        for file in ("words.npy", "words.safetensors"):
            self.assert_done(self.run_with("embed", "-c", "names.txt", "-o", file))
            from_file = self.run_with("eval", "--data", data, "--json", "--text-embeddings", file)
            self.assert_done(from_file)
            self.assertEqual(from_file.out, measured.out)
        self.write("turned.txt", "\n".join(names[::-1]))
        self.assert_done(self.run_with("embed", "-c", "turned.txt", "-o", "turned.npy"))
        command = ["eval", "--data", data, "--text-embeddings", "turned.npy"]
        self.assert_refused(self.run_with(*command), BAD_INPUT, f'turned.npy: row 0 is of "{names[-1]}"', "--classes")
        for more in (["--distractors", "kite"], ["--background", "wall"], ["-c", "names.txt", "--distractors", "kite"]):
            self.assert_refused(self.run_with(*command, *more), USAGE, more[-2], "--text-embeddings")

    def test_options_that_have_nothing_to_do(self):
        self.embed("-c", WORDS)
        for option in (["--prompt", "single"], ["--background", "wall"]):
            result = self.run_with("segment", PHOTO, "--text-embeddings", "words.npy", *option)
            self.assert_refused(result, USAGE, option[0], "--text-embeddings")

    def test_damaged_classes_in_a_safetensors_file(self):
        self.embed("-c", WORDS)
        self.assert_done(self.run_with("embed", "-c", WORDS, "-o", "a.safetensors"))
        _, tensors = read_safetensors(self.folder / "a.safetensors")
        for text in ("{", "[[]]", '[["cat"], 3]', "[" * 5000):
            write_safetensors(self.folder / "a.safetensors", {"tagclip.classes": text}, tensors)
            result = self.run_with("segment", PHOTO, "--text-embeddings", "a.safetensors")
            self.assert_refused(result, BAD_INPUT, "a.safetensors", "tagclip.classes")

    @unittest.skipUnless(SHARED and (SHARED / "data/clip_text_embeddings").is_dir(),
                         "TAGCLIP_SHARED_DATA holds no released embeddings")
    def test_released_files_are_of_another_clip(self):
        for file in sorted((SHARED / "data/clip_text_embeddings").glob("*.npy")):
            rows = np.load(file)
            self.assertEqual(rows.shape[1], 512)
            shutil.copy(file, self.folder / "words.npy")
            self.write("words.txt", "".join(f"class {i}\n" for i in range(len(rows))))
            self.refused("words.npy", "192", "512", "belong to the CLIP")


if __name__ == "__main__":
    unittest.main()
