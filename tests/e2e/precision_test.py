"""segment and eval in float32, bfloat16 and int8, and how `auto` chooses."""

import json
import tempfile
import unittest
from pathlib import Path

from support import DONE, MINI, PHOTOS, USAGE, environment, tagclip

WORDS = "cat, coffee, building, sky, flower, grass"


def segment(out, *options, **more):
    return tagclip("segment", *sorted(PHOTOS.glob("*.jpg")), "-o", out, "-w", MINI, "-c", WORDS, *options, **more)


class PrecisionTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="tagclip-precision-")
        self.addCleanup(self.folder.cleanup)
        self.out = Path(self.folder.name)
        self.env = environment(TAGCLIP_HOME=str(self.out / "home"))

    def labels(self, name):
        return [file.read_bytes() for file in sorted((self.out / name).glob("*_labels.png"))]

    def run_in(self, precision, *options):
        result = segment(self.out / precision, "--precision", precision, *options, env=self.env)
        self.assertEqual(result.code, DONE, result.err)
        return result

    def test_auto_measures_once_and_keeps_what_it_chose(self):
        first = segment(self.out / "first", env=self.env)
        self.assertEqual(first.code, DONE, first.err)
        second = segment(self.out / "second", env=self.env)
        self.assertEqual(second.code, DONE, second.err)
        self.assertNotIn("labelled as in float32", second.err)
        self.assertEqual(self.labels("first"), self.labels("second"))
        records = list((self.out / "home" / "precision").glob("*.json"))
        self.assertEqual(len(records), 1)
        record = json.loads(records[0].read_text())
        self.assertGreaterEqual(record["equal"], 0.998)
        self.run_in(record["precision"])
        self.assertEqual(self.labels("first"), self.labels(record["precision"]))
        if "bfloat16:" in first.err:
            self.assertRegex(first.err, r"encoding in (float32|bfloat16|int8); bfloat16: \d+\.\d\d% of the pixels")

    def test_a_damaged_record_is_measured_again(self):
        segment(self.out / "first", env=self.env)
        record = next((self.out / "home" / "precision").glob("*.json"))
        for damage in ("", "{", "[]", '{"precision": 7, "equal": 1}', '{"precision": "float64", "equal": 1}'):
            record.write_text(damage)
            result = segment(self.out / "again", "--overwrite", env=self.env)
            self.assertEqual(result.code, DONE, result.err)
            self.assertIn("precision", json.loads(record.read_text()))

    def test_a_cache_folder_that_cannot_be_written_costs_a_warning(self):
        home = self.out / "home"
        home.mkdir()
        (home / "precision").write_text("a file where a folder should be")
        result = segment(self.out / "out", env=self.env)
        self.assertEqual(result.code, DONE, result.err)
        self.assertIn("the choice of precision is not kept", result.err)

    def test_without_a_home_the_choice_is_made_and_not_kept(self):
        result = segment(self.out / "out", env={"HOME": "", "TAGCLIP_HOME": "", "XDG_CACHE_HOME": ""})
        self.assertEqual(result.code, DONE, result.err)
        self.assertIn("the choice of precision is not kept", result.err)

    def test_kept_encodings_stay_in_the_precision_they_were_made_in(self):
        kept = self.out / "kept"
        made = segment(self.out / "made", "--save-encoding", kept, env=self.env)
        self.assertEqual(made.code, DONE, made.err)
        again = segment(self.out / "again", "--encoding", kept, "--precision", "float32", env=self.env)
        self.assertEqual(again.code, DONE, again.err)
        self.assertEqual(self.labels("made"), self.labels("again"))

    def test_an_unknown_precision_is_named(self):
        result = segment(self.out / "out", "--precision", "float64", env=self.env)
        self.assertEqual(result.code, USAGE)
        self.assertIn("float64", result.err)
        self.assertIn("bfloat16", result.err)

    def test_a_processor_without_the_instructions_says_so(self):
        # oneDNN told to use no more than AVX2 behaves as on a processor that has no more.
        env = {**self.env, "ONEDNN_MAX_CPU_ISA": "AVX2", "DNNL_MAX_CPU_ISA": "AVX2"}
        result = segment(self.out / "out", "--precision", "int8", env=env)
        self.assertEqual(result.code, USAGE, result.err)
        self.assertIn("this processor has no instructions for matrices of int8", result.err)
        plain = segment(self.out / "plain", "--precision", "float32", env=env)
        self.assertEqual(plain.code, DONE, plain.err)


if __name__ == "__main__":
    unittest.main()
