"""What a training run leaves in its folder, and runs that are queued for a table of the paper."""

import json
import signal
import struct
import subprocess
import unittest

from PIL import Image

import samples
from support import BINARY, BAD_INPUT, REQUEUE, USAGE, ProgramTest, environment, tagclip

SHORT = ("--set", "schedule.iterations=6", "--set", "batch=4", "--set", "log_every=1",
         "--set", "validate_every=3", "--set", "save_every=3")


def crc32c(data):
    """CRC-32C, bit by bit, masked as TFRecord stores it."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def records(path):
    """The records of a TFRecord file, their checksums held against their bytes."""
    content, result = path.read_bytes(), []
    while content:
        length, = struct.unpack("<Q", content[:8])
        data = content[12:12 + length]
        checks = content[8:12] + content[12 + length:16 + length]
        assert struct.unpack("<II", checks) == (crc32c(content[:8]), crc32c(data)), path
        result.append(data)
        content = content[16 + length:]
    return result


class MicroTest(ProgramTest):
    @classmethod
    def setUpClass(cls):
        cls.clip, cls.data = samples.micro_clip(), samples.micro_dataset()

    def config(self):
        return samples.train_config(self.folder, self.data, self.clip)


class RunFolderTest(MicroTest):
    def train(self, name, *more):
        self.assert_done(tagclip("train", self.config(), *SHORT, "--set", f"output={self.folder / name}", *more))
        return self.folder / name

    def test_a_run_tells_of_itself(self):
        run = self.train("run", "--set", "label=my run", "--set", "examples=2")
        record = json.loads((run / "run.json").read_text())
        self.assertEqual(record["label"], "my run")
        self.assertEqual((record["data"]["train"], record["data"]["val"]), (8, 8))
        self.assertTrue(record["finished"] and record["started"] and record["seconds"] > 0)
        self.assertGreater(record["parameters"]["all"], record["parameters"]["trained"])
        self.assertRegex(record["libtorch"], r"^2\.\d+")

        metrics = json.loads((run / "metrics.json").read_text())
        self.assertEqual(metrics["iteration"], 6)
        self.assertEqual(len(metrics["classes"]), len(record["data"]["classes"]))
        last = json.loads((run / "log.jsonl").read_text().splitlines()[-1])
        self.assertAlmostEqual(metrics["mean_iou"], last["mIoU"])

        names = sorted(path.name for path in (run / "examples").iterdir())
        self.assertEqual(len(names), 6)
        for labels in (run / "examples").glob("*.labels.png"):
            photo = Image.open(str(labels).replace(".labels.", ".photo."))
            self.assertEqual(Image.open(labels).size, photo.size)
            self.assertEqual(Image.open(labels).mode, "P")

    def test_events_are_tfrecords_of_scalars_and_pictures(self):
        run = self.train("run")
        files = list(run.glob("events.out.tfevents.*"))
        self.assertEqual(len(files), 1)
        events = records(files[0])
        self.assertIn(b"brain.Event:2", events[0])
        everything = b"".join(events)
        for tag in (b"loss/total", b"training/learning_rate", b"validation/mIoU", b"IoU_unseen/kite",
                    b"photo, prediction, truth", b"\x89PNG"):
            self.assertIn(tag, everything)
        self.assertEqual(everything.count(b"loss/total"), 6)
        self.assertEqual(everything.count(b"validation/hIoU"), 2)

    def test_a_finished_run_is_left_alone(self):
        run = self.train("run")
        before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file() and path.name != "config.toml"}
        self.train("run")
        after = {path: path.read_bytes() for path in run.rglob("*") if path.is_file() and path.name != "config.toml"}
        self.assertEqual(before.keys(), after.keys())
        self.assertEqual(before, after)

    def test_validation_on_another_data_set(self):
        other = samples.write_dataset(self.folder / "other", count=3, seed=9)
        (other / "classes.txt").write_text("meadow\nlake\nball\nbox\ndragon\n")
        (other / "unseen.txt").unlink()
        run = self.train("cross", "--set", f"val_data={other}")
        record = json.loads((run / "run.json").read_text())
        self.assertIn(" -> ", record["data"]["folder"])
        self.assertEqual(record["data"]["val"], 3)
        seen = dict(zip(record["data"]["classes"], record["data"]["seen"]))
        self.assertFalse(seen["dragon"], "a word that training never saw")
        self.assertTrue(seen["box"])


class ExperimentTest(MicroTest):
    def experiment(self, *more, name="table1"):
        return ["experiment", name, self.config(), *SHORT, "--set", "model.decoder_layers=3",
                "-o", self.folder / "runs", *more]

    def test_a_table_with_seeds(self):
        result = tagclip(*self.experiment("--only", "table1/a,table1/d", "--seeds", "2"))
        self.assert_done(result)
        self.assertRegex(result.err, "run 4 of 4: table1/d, seed 2")
        table = result.out[result.out.index("pAcc", result.out.index("iteration 6/6")):]
        self.assertEqual(table.count("±"), 12 + table[table.index("\n\n"):].count("±"), table)
        self.assertIn("Table 1 (d)", table)
        self.assertTrue((self.folder / "runs" / "a" / "seed-2" / "model.safetensors").exists())
        again = tagclip(*self.experiment("--only", "table1/a,table1/d", "--seeds", "2"))
        self.assert_done(again)
        self.assertEqual(again.err.count("already holds the finished run"), 4)
        self.assertTrue(again.out.endswith(table[-200:]))

    def test_every_row_of_table_1_trains(self):
        result = tagclip(*self.experiment("--set", "schedule.iterations=1"))
        self.assert_done(result)
        self.assertIn("run 17 of 17: table1/d", result.err)

    def test_the_other_tables(self):
        for name, setting in (("table4", "transductive"), ("table5", "supervised")):
            listed = tagclip(*self.experiment("--list", name=name))
            self.assert_done(listed)
            self.assertEqual(listed.out.count(f'setting="{setting}"'), 2, listed.out)
            self.assertIn(":zegclip", listed.out)
        figure = tagclip(*self.experiment("--list", name="figure5"))
        self.assertIn("figure5/gamma=0.1", figure.out)
        self.assertFalse((self.folder / "runs").exists(), "--list only lists")

    def test_what_defines_a_run_cannot_be_overridden(self):
        gamma = tagclip(*self.experiment("--list", "--set", "loss.trusty_weight=5", name="figure5"))
        self.assert_refused(gamma, USAGE, "loss.trusty_weight = 5", "figure5/gamma=0.1")
        weighting = tagclip(*self.experiment("--list", "--set", "validation.weighting=seen", name="table2"))
        self.assert_refused(weighting, USAGE, "weighting", ":zegclip")
        for name in ("label", "output"):
            for override in (f"{name}=x", f"{name} = x"):
                own = tagclip(*self.experiment("--list", "--set", override))
                self.assert_refused(own, USAGE, f"{name}: every run of an experiment has")

    def test_a_setting_without_effect_in_a_row_is_left_out_there(self):
        """Row (a) has no trusty token, but the others do."""
        listed = tagclip(*self.experiment("--list", "--set", "loss.trusty_weight=5"))
        self.assert_done(listed)
        self.assertRegex(listed.err, r"loss.trusty_weight = 5 has no effect without model.trusty_token = true: left "
                                     r"out of table1/a, table1/a:zegclip\n")
        # What all runs share is not repeated; row (a) goes on with the default.
        self.assertRegex(listed.out, r"table1/a, .* loss.trusty_weight=10")
        self.assertNotRegex(listed.out, r"table1/d, .* loss.trusty_weight")
        nowhere = tagclip(*self.experiment("--list", "--set", "loss.presence_weight=2"))
        self.assert_refused(nowhere, USAGE, "loss.presence_weight = 2 has no effect without model.protocol = paper")

    def test_what_a_run_is_defined_by_may_be_repeated(self):
        only = ("--only", "figure5/gamma=10", "--set", "loss.trusty_weight=10")
        listed = tagclip(*self.experiment("--list", *only, name="figure5"))
        self.assert_done(listed)
        self.assertEqual(listed.out.count("figure5/gamma=10"), 1)

    def test_the_other_settings_are_the_users(self):
        listed = tagclip(*self.experiment("--list", "--set", "seed=7", "--seeds", "2", "--only", "table1/d"))
        self.assert_done(listed)
        self.assertIn("table1/d, seed 7", listed.out)
        self.assertIn("table1/d, seed 8", listed.out)
        self.assertIn("seed-8", listed.out)

    def test_a_config_of_another_setting_is_refused(self):
        for name, done in (("table2", False), ("table4", True)):
            command = self.experiment("--list", name=name)
            config = command[2]
            config.write_text('setting = "transductive"\n' + config.read_text())
            result = tagclip(*command)
            if done:
                self.assert_done(result)
            else:
                self.assert_refused(result, USAGE, str(config), 'setting = "transductive"', name)

    def test_a_stopped_queue_goes_on(self):
        command = self.experiment("--only", "table1/a,table1/d", "--set", "schedule.iterations=200")
        with subprocess.Popen([BINARY, *map(str, command)], env=environment(), text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE) as queue:
            for _ in range(5):
                queue.stdout.readline()
            queue.send_signal(signal.SIGTERM)
            words = queue.communicate(timeout=60)[1]
        self.assertEqual(queue.returncode, REQUEUE, words)
        finished = tagclip(*command)
        self.assert_done(finished)
        self.assertRegex(finished.err, r"resuming from \d+ of 200")

    def test_mistakes_are_explained(self):
        self.assert_refused(tagclip(*self.experiment(name="tabel1")), USAGE, "did you mean table1?")
        self.assert_refused(tagclip(*self.experiment("--only", "table1/e")), USAGE, "table1 has no run table1/e")
        nowhere = tagclip(*self.experiment("--data", self.folder / "nowhere"))
        self.assert_refused(nowhere, BAD_INPUT, "nowhere")


if __name__ == "__main__":
    unittest.main()
