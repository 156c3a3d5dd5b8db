"""The cache of words: it saves the work, changes no bit, and no damage to it stops a run."""

import sqlite3
import struct
import unittest

import numpy as np

from words import WIDTH, WORDS, WordsTest


class Cache(WordsTest):
    def rows_in_cache(self):
        with sqlite3.connect(self.cache) as cache:
            return dict(cache.execute("SELECT word, embedding FROM embeddings"))

    def test_the_second_run_takes_words_from_the_file(self):
        first = self.embed("-c", "cat, grass", "--prompt", "single")
        self.assertEqual(set(self.rows_in_cache()), {"cat", "grass"})
        self.assertEqual(self.embed("-c", "cat, grass", "--prompt", "single").tobytes(), first.tobytes())
        # What is kept is what counts: another vector in its place comes out.
        with sqlite3.connect(self.cache) as cache:
            cache.execute("UPDATE embeddings SET embedding = ? WHERE word = 'cat'",
                          [struct.pack(f"<{WIDTH}f", 1, *[0] * (WIDTH - 1))])
        planted = self.embed("-c", "cat, grass", "--prompt", "single")
        self.assertEqual((planted[0, 0], planted[1].tobytes()), (1, first[1].tobytes()))
        self.assertEqual(self.embed("-c", "cat, grass", "--prompt", "single", "--no-cache").tobytes(), first.tobytes())

    def test_prompts_and_text_towers_are_kept_apart(self):
        single = self.embed("-c", "cat", "--prompt", "single")
        other = self.embed("-c", "cat", "--prompt", "a drawing of the {}")
        self.assertGreater(np.abs(single - other).max(), 1e-2)
        self.assertEqual(self.embed("-c", "cat", "--prompt", "single").tobytes(), single.tobytes())

    def test_no_cache_writes_nothing(self):
        self.embed("-c", "cat", "--no-cache")
        self.assertFalse(self.home.exists())

    def assert_worked_around(self, damage):
        expected = self.embed("-c", WORDS)
        damage()
        result = self.run_with("embed", "-c", WORDS, "-o", "again.npy")
        self.assert_done(result)
        self.assertRegex(result.err, r"(?m)^warning: .*text-embeddings\.sqlite.*--no-cache")
        np.testing.assert_array_equal(np.load(self.folder / "again.npy"), expected)

    def test_a_file_of_another_kind(self):
        self.assert_worked_around(lambda: self.cache.write_bytes(b"no database, but rather long " * 100))

    def test_a_file_cut_short(self):
        self.assert_worked_around(lambda: self.cache.write_bytes(self.cache.read_bytes()[:5000]))

    def test_a_folder_in_its_place(self):
        self.assert_worked_around(lambda: (self.cache.unlink(), self.cache.mkdir()))

    def test_a_damaged_table(self):
        self.assert_worked_around(lambda: self.cache.write_bytes(
            self.cache.read_bytes()[:4096].ljust(len(self.cache.read_bytes()), b"\xff")))

    def test_a_table_of_another_shape(self):
        def replace():
            self.cache.unlink()
            with sqlite3.connect(self.cache) as cache:
                cache.execute("CREATE TABLE embeddings (a)")
        self.assert_worked_around(replace)

    def test_numbers_that_are_none_are_computed_again(self):
        expected = self.embed("-c", "cat", "--prompt", "single")
        with sqlite3.connect(self.cache) as cache:
            cache.execute("UPDATE embeddings SET embedding = ?", [struct.pack("<f", float("nan")) * WIDTH])
        np.testing.assert_array_equal(self.embed("-c", "cat", "--prompt", "single"), expected)


if __name__ == "__main__":
    unittest.main()
