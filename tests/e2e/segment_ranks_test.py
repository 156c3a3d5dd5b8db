"""tagclip segment in several processes: the files and totals of one, and nobody left behind."""

import json
import os
import signal
import unittest

import samples
from PIL import Image
from rank_runs import finish, run, start
from support import ACCIDENTS, BAD_INPUT, FAILURE, PHOTOS, STOPPED, USAGE, ProgramTest


class SegmentRanksTest(ProgramTest):
    @classmethod
    def setUpClass(cls):
        cls.model = samples.micro_model()

    def setUp(self):
        super().setUp()
        self.photos = self.folder / "photos"
        self.photos.mkdir()
        for photo in PHOTOS.glob("*.jpg"):
            (self.photos / photo.name).symlink_to(photo)
        for ending in ("png", "webp"):  # of one stem
            Image.new("RGB", (40, 30), (90, 120, 80)).save(self.photos / f"a.{ending}")

    def arguments(self, output, *more):
        return ["segment", self.photos, "-w", self.model, "-o", self.folder / output, *more]

    def segment(self, size, output, *more, **how):
        return run(size, *self.arguments(output, *more), **how)

    def written(self, output):
        return {path.name: path.read_bytes() for path in (self.folder / output).iterdir()}

    def assert_all_ended(self, results, code):
        for found, _, err in results:
            self.assertEqual(found, code, err)
            self.assertIsNone(ACCIDENTS.search(err), err)

    def test_three_ranks_write_what_one_does(self):
        (self.photos / "broken.jpg").write_text("no photo")
        results = {size: self.segment(size, f"of-{size}") for size in (1, 3)}
        self.assert_all_ended(results[1] + results[3], BAD_INPUT)
        self.assertEqual(len(self.written("of-1")), 3 * 6)
        self.assertEqual(self.written("of-3"), self.written("of-1"))

        shares = [len(out.splitlines()) for _, out, _ in results[3]]
        self.assertEqual((sum(shares), max(shares)), (6, 3), "the ranks take turns")
        for words in (results[1][0][2], results[3][0][2]):
            self.assertIn("6 done, 1 failed, 0 left; results are in", words)
            self.assertIn("photos: 7 of 7 (100%)", words)
        warnings = [err.count("broken.jpg") for _, _, err in results[3]]
        self.assertEqual(sorted(warnings), [0, 0, 1])
        for _, _, err in results[3][1:]:
            self.assertNotRegex(err, "done|classes:|photos:", "the first rank alone sums up")

    def test_json_lines_are_whole_where_ranks_share_a_pipe(self):
        (self.photos / "broken.jpg").write_text("no photo")
        words = ", ".join(f"word {i}" for i in range(150))
        reader, writer = os.pipe()
        ranks = start(3, *self.arguments("out", "--json", "-c", words), stdout=writer)
        os.close(writer)
        with open(reader) as pipe:
            lines = [json.loads(line) for line in pipe]
        self.assert_all_ended(finish(ranks), BAD_INPUT)
        self.assertEqual({line["photo"] for line in lines}, {str(path) for path in self.photos.iterdir()})
        self.assertEqual(sum("error" in line for line in lines), 1)

    def test_results_are_looked_for_once_for_all(self):
        self.assert_all_ended(self.segment(1, "out"), 0)
        for path in (self.folder / "out").glob("c*"):  # cat and coffee
            path.unlink()
        results = self.segment(2, "out")
        self.assert_all_ended(results, 0)
        self.assertIn("4 of 6 photos have results", results[0][2])
        self.assertEqual([len(out.splitlines()) for _, out, _ in results], [1, 1])
        self.assertEqual(results[1][2], "")

        results = self.segment(2, "out")
        self.assert_all_ended(results, FAILURE)
        self.assertIn("holds results of all these photos already", results[1][2])

    def test_lists_that_cannot_be_shared_are_refused(self):
        results = run(2, "segment", "-", "-w", self.model, "-o", self.folder / "out")
        self.assert_all_ended(results, USAGE)
        self.assertIn("a list on standard input cannot be shared by 2 ranks", results[1][2])

        for name in ("here", "there"):
            (self.folder / name / "in").mkdir(parents=True)
            (self.folder / name / "in" / f"{name}.png").symlink_to(self.photos / "a.png")
        results = run(2, "segment", "in", "-w", self.model, "-o", self.folder / "out",
                      cwds=[self.folder / "here", self.folder / "there"])
        self.assert_all_ended(results, BAD_INPUT)
        self.assertIn("the ranks see different photos; rank 1 of 2 sees 1", results[1][2])
        self.assertFalse((self.folder / "out").exists())

    def begin(self):
        """Two ranks with work for minutes, which have begun."""
        for i in range(5000):
            (self.photos / f"more{i}.png").symlink_to(self.photos / "a.png")
        ranks = start(2, *self.arguments("out"))
        for rank in ranks:
            self.assertIn("photos", rank.stdout.readline())
        return ranks

    def test_one_rank_that_is_told_to_stop_stops_all(self):
        ranks = self.begin()
        ranks[1].send_signal(signal.SIGTERM)
        results = finish(ranks, timeout=30)
        self.assert_all_ended(results, STOPPED)
        self.assertRegex(results[0][2], r"stopped: \d+ done, 0 failed, \d+ left")

    def test_a_lost_rank_ends_all(self):
        ranks = self.begin()
        ranks[1].kill()
        code, _, err = finish(ranks, timeout=30)[0]
        self.assertEqual(code, FAILURE, err)
        self.assertIn("rank 0 of 2 has lost another rank", err)


if __name__ == "__main__":
    unittest.main()
