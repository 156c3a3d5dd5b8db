"""tagclip report: the table, groups of seeds, the page, and folders that hold no run."""

import json
import shutil
import statistics
import subprocess
import unittest
from html.parser import HTMLParser

import samples
from run_folders import write_run
from support import BAD_INPUT, DONE, FAILURE, USAGE, ProgramTest, tagclip

ATTACK = "</title><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


class Page(HTMLParser):
    """What a page is made of: [(tag, attributes)], and its text."""

    VOID = {"meta", "img", "line", "polyline", "circle"}

    def __init__(self, html):
        super().__init__()
        self.tags, self.text, self.open = [], "", []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            raise AssertionError(f"</{tag}> closes nothing")

    def handle_data(self, data):
        self.text += data

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


class ReportTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.runs = self.folder / "runs"
        self.page = self.folder / "report.html"

    def report(self, *arguments):
        return tagclip("report", *(arguments or [self.runs]), "-o", self.page)


class Table(ReportTest):
    def test_seeds_become_mean_and_deviation(self):
        for seed, quality in ((1, 0.5), (2, 0.6), (3, 0.64)):
            write_run(self.runs / f"seed{seed}", "table1/d", seed, quality)
        result = self.report()
        self.assert_done(result)
        shares = [50.0, 60.0, 64.0]
        expected = f"{statistics.mean(shares):.2f} ± {statistics.stdev(shares):.2f}"
        self.assertRegex(result.out, rf"(?m)^table1/d +3 +{expected} ")
        self.assertRegex(result.out, r"(?m)^  paper, Table 1 \(d\): TagCLIP +96\.1 +- +93\.5 +85\.2 +89\.2 +-$")
        self.assertIn("Not comparable with the paper's numbers: table1/d.", result.out)
        self.assertIn(f"the page is {self.page}", result.err)

    def test_order_is_that_of_the_arguments(self):
        second = write_run(self.runs / "a", "second")
        first = write_run(self.runs / "b", "first")
        result = self.report(first, second)
        self.assertLess(result.out.index("first"), result.out.index("second"))

    def test_a_running_run_is_marked_and_not_averaged(self):
        write_run(self.runs / "done", "x", 1, 0.5)
        write_run(self.runs / "running", "x", 2, 0.4, done=300)
        result = self.report()
        self.assertRegex(result.out, r"(?m)^x +1 +50\.00 ")
        self.assertRegex(result.out, r"(?m)^x \(running\), unfinished: 300 of 1000 iterations +1 +40\.00 ")

    def test_json_has_every_number(self):
        for seed in (1, 2):
            write_run(self.runs / f"seed{seed}", "table2/voc", seed, 0.5)
        result = self.report(self.runs, "--json")
        self.assert_done(result)
        (group,) = json.loads(result.out)["groups"]
        stored = [json.loads((self.runs / f"seed{seed}/metrics.json").read_text()) for seed in (1, 2)]
        values = [one["harmonic_iou"] for one in stored]
        found = group["metrics"]["harmonic_iou"]
        self.assertEqual(found["n"], 2)
        self.assertAlmostEqual(found["mean"], statistics.mean(values))
        self.assertAlmostEqual(found["std"], statistics.stdev(values))
        kites = [row["iou"] for one in stored for row in one["classes"] if row["name"] == "kite"]
        (kite,) = [row for row in group["classes"] if row["name"] == "kite"]
        self.assertEqual(kite["seen"], False)
        self.assertAlmostEqual(kite["iou"]["mean"], statistics.mean(kites))
        self.assertEqual(group["paper"]["mean_iou_unseen"], 0.852)
        self.assertFalse(group["paper"]["comparable"])


class MovedFiles(ReportTest):
    def test_seeds_of_one_data_set_are_one_row_wherever_it_lay(self):
        data, moved = self.folder / "data", self.folder / "elsewhere/animals"
        shutil.copytree(samples.micro_dataset(), data)
        shutil.copy(samples.micro_clip(), self.folder / "clip.safetensors")

        def train(seed, folder, clip):
            config = samples.train_config(self.folder, folder, clip)
            self.assert_done(tagclip("train", config, "--set", f"seed={seed}", "--set", "label=pets",
                                     "--set", f"output={self.runs / str(seed)}"))

        train(1, data, self.folder / "clip.safetensors")
        moved.parent.mkdir()
        data.rename(moved)
        (self.folder / "clip.safetensors").rename(moved.parent / "towers.safetensors")
        train(2, moved, moved.parent / "towers.safetensors")
        self.assertRegex(self.report().out, r"(?m)^pets +2 ")
        # The same place with other photos is another data set.
        photos = moved / "train.txt"
        photos.write_text("".join(photos.read_text().splitlines(keepends=True)[1:]))
        train(3, moved, moved.parent / "towers.safetensors")
        self.page.unlink()
        self.assertRegex(self.report().out, r"(?m)^pets \(1\) +2 [\s\S]*^pets \(3\) +1 ")
        self.assertIn("contents of the files", self.page.read_text(encoding="utf-8"))


class PageTest(ReportTest):
    def read_page(self):
        return Page(self.page.read_text(encoding="utf-8"))

    def test_has_curves_bars_and_photos(self):
        for seed in (1, 2):
            write_run(self.runs / f"a{seed}", "baseline", seed, 0.5, gamma=0)
            write_run(self.runs / f"b{seed}", "tagclip", seed, 0.6)
        self.assert_done(self.report())
        page = self.read_page()
        self.assertEqual(page.open, [])
        for heading in ("Results", "Photos", "Unseen classes", "Seen classes", "Settings that differ", "Runs"):
            self.assertIn(heading, page.text)
        self.assertIn("loss.trusty_weight", page.text)
        self.assertEqual(len(page.all("img")), 2 * 4)  # two photos: photo, two groups, truth
        charts = len(page.all("svg"))
        self.assertGreater(charts, 8)
        self.assertEqual(len(page.all("polyline")), charts * 4)  # a line a run

    def test_has_a_chart_over_gamma(self):
        for gamma in (0.1, 1, 10, 100):
            for seed in (1, 2):
                write_run(self.runs / f"{gamma}-{seed}", f"figure5/gamma={gamma}", seed, 0.5, gamma=gamma)
        self.assert_done(self.report())
        self.assertIn("over gamma, %", self.read_page().text)

    def test_shows_the_photos_that_are_named(self):
        write_run(self.runs / "a", "a")
        self.assert_done(self.report(self.runs, "--photos", "photo1"))
        page = self.read_page()
        self.assertEqual(len(page.all("img")), 3)  # photo, prediction, truth
        self.assertIn("photo1", page.text)
        self.assertNotIn("photo0", page.text)
        refused = self.report(self.runs, "--photos", "photo1,photo7", "--overwrite")
        self.assert_refused(refused, BAD_INPUT, "photo7", "example_photos")

    def test_needs_nothing_else(self):
        write_run(self.runs / "a", ATTACK)
        self.assert_done(self.report())
        page = self.read_page()
        self.assertEqual(page.all("script") + page.all("link"), [])
        for attributes in map(dict, (attributes for _, attributes in page.tags)):
            self.assertFalse(set(attributes) & {"href", "onerror", "onload", "srcset"}, attributes)
            self.assertTrue(attributes.get("src", "data:").startswith("data:image/webp;base64,")
                            or "src" not in attributes)

    @unittest.skipUnless(CHROMIUM, "no Chromium here")
    def test_opens_in_a_browser(self):
        write_run(self.runs / "a", ATTACK, classes=("meadow", "ball", ATTACK, "kite", "lake"))
        self.assert_done(self.report())
        command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={self.folder}/browser"]
        dom = subprocess.run([*command, "--dump-dom", self.page.as_uri()], capture_output=True, timeout=120,
                             check=True).stdout.decode()
        self.assertIn("<title>tagclip: training runs</title>", dom)
        self.assertNotIn("<script", dom)
        self.assertEqual(dom.count("<img "), dom.count("<img src=\"data:image/webp;base64,"))
        self.assertIn("&lt;script&gt;", dom)


class Refusals(ReportTest):
    def test_a_folder_without_runs(self):
        self.runs.mkdir()
        self.assert_refused(self.report(), BAD_INPUT, "holds no training run", "run.json", "tagclip train")

    def test_a_file_or_nothing(self):
        self.runs.write_text("")
        self.assert_refused(self.report(), BAD_INPUT, "expected the folder of a training run, found a file")
        self.assert_refused(self.report(self.folder / "none"), BAD_INPUT, "found nothing")

    def test_a_broken_run_is_left_out_and_told_of(self):
        write_run(self.runs / "good", "good")
        broken = write_run(self.runs / "bad", "bad")
        for file, content, words in (
                ("run.json", "{}", "run.json: parameters: expected an object, found nothing"),
                ("log.jsonl", "gone\n", "log.jsonl:1: expected a JSON object"),
                ("metrics.json", '{"iteration": 1}', "metrics.json: pixel_accuracy: expected a number from 0 to 1"),
                ("config.toml", "[", "config.toml:1"),
                ("examples/photo0.labels.png", "no PNG", "photo0.labels.png")):
            with self.subTest(file):
                before = (broken / file).read_bytes()
                (broken / file).write_text(content)
                result = self.report(self.runs, "--overwrite")
                self.assert_no_accident(result)
                self.assertEqual(result.code, BAD_INPUT)
                self.assertIn("warning: left out: ", result.err)
                self.assertIn(words, result.err)
                self.assertRegex(result.out, r"(?m)^good ")
                self.assertTrue(self.page.exists())
                (broken / file).write_bytes(before)
        self.assertEqual(self.report(self.runs, "--overwrite").code, DONE)

    def test_a_page_is_not_overwritten_unasked(self):
        write_run(self.runs / "a", "a")
        self.page.write_text("mine")
        self.assert_refused(self.report(), USAGE, self.page, "--overwrite")
        self.assertEqual(self.page.read_text(), "mine")

    def test_a_page_that_cannot_be_written(self):
        write_run(self.runs / "a", "a")
        result = tagclip("report", self.runs, "-o", "/dev/null/report.html")
        self.assert_refused(result, FAILURE, "/dev/null/report.html")


if __name__ == "__main__":
    unittest.main()
