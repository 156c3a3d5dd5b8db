"""tagclip bench loader; the other tasks are too slow for a test."""

import json
import unittest

import samples
from support import BAD_INPUT, USAGE, ProgramTest, tagclip


class LoaderTest(ProgramTest):
    def test_measures_a_data_set(self):
        data = samples.micro_dataset()
        table = tagclip("bench", "loader", "--data", data, "--samples", 16)
        self.assert_done(table)
        self.assertRegex(table.out, r"^loader: \d+\.\d samples/s a core, of 16; ms a sample: read photo \d")
        report = tagclip("bench", "loader", "--data", data, "--samples", 16, "--json")
        self.assert_done(report)
        self.assertGreater(json.loads(report.out)["samples_per_second"], 1)

    def test_needs_a_data_set(self):
        self.assert_refused(tagclip("bench", "loader"), USAGE, "no data set folder", "--data FOLDER")
        self.assert_refused(tagclip("bench", "loader", "--data", self.folder), BAD_INPUT, "lacks images/")


if __name__ == "__main__":
    unittest.main()
