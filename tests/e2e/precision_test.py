"""segment in each precision, and how `auto` chooses."""

import json
import tempfile
import unittest
from pathlib import Path

from PIL import Image

from support import BAD_INPUT, DONE, MINI, PHOTOS, USAGE, environment, tagclip

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

    def record(self):
        """The file of the comparison, and what is in it."""
        records = list((self.out / "home" / "precision").glob("*.json"))
        self.assertEqual(len(records), 1)
        return records[0], json.loads(records[0].read_text())

    def test_auto_compares_six_photos_over_several_runs(self):
        photos = self.out / "photos"
        photos.mkdir()
        (photos / "0.jpg").write_bytes(b"no photo")  # costs nobody else the comparison
        for i in range(7):
            Image.new("RGB", (64 + 8 * i, 80), (30 * i, 90, 200 - 20 * i)).save(photos / f"{i + 1}.png")
        for run, known in enumerate([1, 1, 2, 6, 6]):
            # One photo; the same again; one more; all seven; all again.
            chosen = sorted(photos.iterdir())[:2 if run < 2 else 3 if run == 2 else None]
            result = tagclip("segment", *chosen, "-o", self.out / f"run {run}", "-w", MINI, "-c", WORDS, env=self.env)
            self.assertEqual(result.code, BAD_INPUT, result.err)
            _, record = self.record()
            self.assertEqual(len(set(record["photos"])), known)
            self.assertEqual(len(record["photos"]), known)
            if len(record["trials"]) > 1 and run not in (1, 4):
                self.assertRegex(result.err, rf"encoding in \w+; compared on {known} of 6 photos so far:")
                self.assertRegex(result.err, r"int8: \d+\.\d\d% of the pixels labelled as in float32")
            else:
                self.assertNotIn("compared on", result.err)
        self.assertEqual(record["trials"]["float32"]["equal"], record["trials"]["float32"]["pixels"])

    def test_auto_repeats_what_it_did(self):
        first, second = segment(self.out / "first", env=self.env), segment(self.out / "second", env=self.env)
        self.assertEqual((first.code, second.code), (DONE, DONE), first.err + second.err)
        self.assertNotIn("labelled as in float32", second.err)
        self.assertEqual(self.labels("first"), self.labels("second"))
        for name, trial in self.record()[1]["trials"].items():
            if f"encoding in {name};" in first.err:
                self.assertGreaterEqual(trial["equal"], 0.998 * trial["pixels"])
                self.run_in(name)
                self.assertEqual(self.labels("first"), self.labels(name))

    def test_auto_takes_the_fastest_that_labels_alike(self):
        segment(self.out / "first", env=self.env)
        file, record = self.record()
        for name, trial in record["trials"].items():
            for other in record["trials"].values():
                other["seconds"], other["equal"] = 2, other["pixels"] * 9 // 10
            trial["seconds"], trial["equal"] = 1, trial["pixels"]
            record["trials"]["float32"]["equal"] = record["trials"]["float32"]["pixels"]
            file.write_text(json.dumps({**record, "photos": list("abcdef")}))
            result = segment(self.out / f"auto {name}", env=self.env)
            self.assertEqual(result.code, DONE, result.err)
            self.run_in(name)
            self.assertEqual(self.labels(f"auto {name}"), self.labels(name))

    def test_a_damaged_record_is_measured_again(self):
        segment(self.out / "first", env=self.env)
        file, record = self.record()
        plain = record["trials"]["float32"]
        damaged = [{**record, "photos": -3}, {**record, "photos": [1, 2]}, {**record, "trials": {}},
                   {**record, "trials": {**record["trials"], "float32": {**plain, "pixels": 0}}},
                   {**record, "trials": {**record["trials"], "float32": {**plain, "seconds": "soon"}}}]
        for damage in ("", "{", "[]", *map(json.dumps, damaged)):
            file.write_text(damage)
            result = segment(self.out / "again", "--overwrite", env=self.env)
            self.assertEqual(result.code, DONE, result.err)
            self.assertEqual(len(self.record()[1]["photos"]), 4, damage)

    def test_a_cache_folder_that_cannot_be_written_costs_a_warning(self):
        home = self.out / "home"
        home.mkdir()
        (home / "precision").write_text("a file where a folder should be")
        result = segment(self.out / "out", env=self.env)
        self.assertEqual(result.code, DONE, result.err)
        self.assertIn("the comparison of precisions is not kept", result.err)

    def test_without_a_home_the_choice_is_made_and_not_kept(self):
        result = segment(self.out / "out", env={"HOME": "", "TAGCLIP_HOME": "", "XDG_CACHE_HOME": ""})
        self.assertEqual(result.code, DONE, result.err)
        self.assertIn("the comparison of precisions is not kept", result.err)

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
