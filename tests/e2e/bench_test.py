"""tagclip_bench on small models and data: its own full-size ones are too slow for a test."""

import json
import unittest

import samples
from support import BAD_INPUT, BENCH, CHECKPOINTS, FAILURE, MINI, PHOTOS, ROOT, USAGE, ProgramTest, tagclip


def bench(*arguments, **more):
    return tagclip(*arguments, binary=BENCH, **more)


class ModelTest(ProgramTest):
    def measure(self, what):
        result = bench(what, "--weights", MINI, "--runs", 1, "--json")
        self.assert_done(result)
        return json.loads(result.out)

    def test_measures_a_model_of_ours(self):
        report = self.measure("segment")
        rows = report["measurements"]
        self.assertEqual(sorted(report["machine"]["peak_gemm_flops_per_second"]),
                         sorted(row["precision"] for row in rows))
        self.assertEqual(rows[0]["name"], "mini segment")
        # Of the other precisions those that run on this processor; the rest says why it does not.
        missing = report["not_on_this_processor"]
        self.assertEqual(sorted([row["name"] for row in rows[1:]] + [row["name"] for row in missing]),
                         [f"mini segment {word}" for word in ("bfloat16", "bfloat16x3", "int8")])
        for row in missing:
            self.assertIn(row["name"].split()[-1], row["reason"])
        for row in rows:
            self.assertTrue(row["agrees"], row["differences"])
            self.assertEqual(row["runs"], 1)
            for way in ("ours", "reference"):
                self.assertGreater(row[way]["flops_per_second"], 0)
                self.assertLess(row[way]["ms"]["min"], 60_000)
            self.assertGreater(row["speedup"]["median"], 0)

    def test_measures_the_kernels(self):
        rows = self.measure("kernels")["measurements"]
        self.assertEqual([row["name"] for row in rows], ["mini blend", "mini mask-loss"])
        for row in rows:
            self.assertTrue(row["agrees"], row["differences"])

    def test_holds_ratios_to_their_floors(self):
        floors = self.folder / "floors.toml"
        run = ("kernels", "--weights", MINI, "--runs", 1, "--floors", floors)
        floors.write_text('noise = 0.5\n[speed]\n"mini mask-loss" = 1e-6\n')
        self.assert_done(bench(*run))
        floors.write_text('noise = 0.5\n[speed]\n"mini mask-loss" = 1e6\n')
        slow = bench(*run)
        self.assertEqual(slow.code, FAILURE, slow.err)
        self.assertIn("warning: speed of mini mask-loss: plain LibTorch / ours is", slow.err)
        floors.write_text('[speed]\n"mini mask-los" = 2\n')
        self.assert_refused(bench(*run), BAD_INPUT, floors, "no row called mini mask-los")

    def test_segments_on_request(self):
        words = self.folder / "words.npy"
        self.assert_done(tagclip("embed", "--weights", MINI, "--classes", "cat, sky", "-o", words))
        run = ("interleaved", "--weights", MINI, "--text-embeddings", words, "--photo", PHOTOS / "cat.jpg")
        result = bench(*run, stdin="\n\n\n")
        self.assert_done(result)
        answers = [json.loads(line) for line in result.out.splitlines()]
        self.assertEqual(len(answers), 3)
        for answer in answers:
            stages = sum(answer[stage] for stage in ("prepare", "encode", "decode", "blend"))
            self.assertGreater(answer["encode"], 0)
            self.assertGreaterEqual(answer["ms"] * 1.001, stages)
        self.assert_refused(bench(*run[:-2]), USAGE, "--photo is required")

    # Restricted to AVX2 a processor has neither bfloat16 nor AMX, so this holds on every machine.
    def test_says_what_does_not_run_on_the_processor(self):
        without = {"ONEDNN_MAX_CPU_ISA": "AVX2"}
        formats = bench("precisions", "--json", env=without)
        self.assert_done(formats)
        reasons = {row["precision"]: row.get("not_on_this_processor")
                   for row in json.loads(formats.out)["precisions"]}
        self.assertEqual(list(reasons), ["float32", "bfloat16x3", "bfloat16", "int8"])
        self.assertIsNone(reasons["float32"])
        self.assertIn("needs a processor with AMX", reasons["bfloat16x3"])
        self.assertIn("no instructions", reasons["bfloat16"])
        table = bench("segment", "--weights", MINI, "--runs", 1, env=without)
        self.assert_done(table)
        self.assertRegex(table.out, r"(?m)^mini segment  +\d")
        self.assertIn(f"mini segment bfloat16x3   not on this processor: {reasons['bfloat16x3']}\n", table.out)
        refused = bench("trusty-token", "--weights", MINI, "--precision", "bfloat16x3", env=without)
        self.assert_refused(refused, USAGE, reasons["bfloat16x3"])

    def test_says_what_the_trusty_token_costs(self):
        result = bench("trusty-token", "--weights", MINI, "--runs", 1, "--json")
        self.assert_done(result)
        cost, = json.loads(result.out)["trusty_token"]
        width = cost["all_parameters"]["added"]  # a row as wide as the embeddings, all of it trained
        self.assertGreater(width, 0)
        self.assertEqual(cost["trained_parameters"]["added"], width)
        self.assertEqual([task["task"] for task in cost["tasks"]], ["segment", "decode and blend", "train-step"])
        for task in cost["tasks"]:
            self.assertGreater(task["without_ms"]["median"], 0)
            self.assertAlmostEqual(task["added_ms"]["median"],
                                   task["with_ms"]["median"] - task["without_ms"]["median"])  # of one pair
        table = bench("trusty-token", "--weights", MINI, "--runs", 1)
        self.assert_done(table)
        self.assertRegex(table.out, rf"(?m)^mini trained parameters +\d+ +\d+ +{width} \(")

    def test_speaks_under_its_own_name(self):
        overview = bench("--help")
        self.assert_done(overview)
        for command in ("all", "segment", "train-step", "kernels", "trusty-token", "scaling", "loader", "interleaved",
                        "precisions"):
            self.assertRegex(overview.out, rf"(?m)^  {command} +[A-Z]")
            self.assertIn(f"Usage: tagclip_bench {command} ", bench(command, "--help").out)
        mistyped = bench("segmet")
        self.assert_refused(mistyped, USAGE, "did you mean tagclip_bench segment?")
        self.assertRegex(mistyped.err, "^tagclip_bench: ")

    def test_refuses_what_it_cannot_compare(self):
        for weights, *words in (
                (self.folder / "none.safetensors", "none.safetensors"),
                (CHECKPOINTS / "README.md", "README.md"),
                (CHECKPOINTS / "openai_torchscript.pt", "not a segmentation model")):
            self.assert_refused(bench("all", "--weights", weights), BAD_INPUT, *words)
        zegclip = ROOT / "tests/data/model/zegclip_tiny_weights.safetensors"
        self.assert_refused(bench("all", "--weights", zegclip), USAGE, "not TagCLIP as released")
        self.assert_refused(bench("all", "--weights", MINI, "--model", "voc"), USAGE, "--model")


class LoaderTest(ProgramTest):
    def test_measures_a_data_set(self):
        data = samples.micro_dataset()
        table = bench("loader", "--data", data, "--samples", 16)
        self.assert_done(table)
        self.assertRegex(table.out, r"^loader: \d+\.\d samples/s per core, of 16; ms per sample: read photo \d")
        report = bench("loader", "--data", data, "--samples", 16, "--json")
        self.assert_done(report)
        self.assertGreater(json.loads(report.out)["samples_per_second"], 1)

    def test_needs_a_data_set(self):
        self.assert_refused(bench("loader"), USAGE, "--data is required")
        self.assert_refused(bench("loader", "--data", self.folder), BAD_INPUT, "lacks images/")


if __name__ == "__main__":
    unittest.main()
