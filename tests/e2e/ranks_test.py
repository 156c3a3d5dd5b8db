"""Several processes on one job: the same losses and counts as one process, and nobody left behind.

tests/parity/torchrun_test.py starts them with torchrun itself.
"""

import json
import signal
import time
import unittest

from PIL import Image

import samples
from rank_runs import finish, run, slurm_environments, start
from support import BAD_INPUT, FAILURE, REQUEUE, STOPPED, USAGE, ProgramTest, tagclip

ITERATIONS = 12
SETTINGS = ("--set", f"schedule.iterations={ITERATIONS}", "--set", "batch=6", "--set", "log_every=1",
            "--set", "validate_every=6", "--set", "save_every=6")


def log_of(folder):
    lines = (folder / "log.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


class RanksTest(ProgramTest):
    @classmethod
    def setUpClass(cls):
        cls.clip, cls.data = samples.micro_clip(), samples.micro_dataset()

    def train(self, size, name, *more):
        config = samples.train_config(self.folder, self.data, self.clip)
        output = self.folder / name
        return run(size, "train", config, *SETTINGS, "--set", f"output={output}", *more), output

    def assert_all_done(self, results):
        for code, _, err in results:
            self.assertEqual(code, 0, err)

    def test_two_ranks_train_as_one_does(self):
        """Dropout and all; the paper's losses, too, whose terms are means of other kinds."""
        for protocol in ("released", "paper"):
            with self.subTest(protocol):
                more = ("--set", f"model.protocol={protocol}", "--set", "seed=3")
                one, alone = self.train(1, f"one-{protocol}", *more)
                two, together = self.train(2, f"two-{protocol}", *more)
                self.assert_all_done(one + two)
                self.assertIn("iteration 1/", two[0][1])
                self.assertEqual(two[1][1], "", "the second rank talks, too")
                for a, b in zip(log_of(alone), log_of(together), strict=True):
                    for key in ("loss", "mask", "dice", "trusty", "presence"):
                        one_value, two_value = a.get(key), b.get(key)  # None: a term that is absent
                        self.assertEqual(one_value is None, two_value is None, key)
                        if one_value is not None:
                            self.assertAlmostEqual(one_value, two_value, delta=1e-5 * abs(one_value) + 1e-7)

    def test_slurms_ranks_find_each_other(self):
        config = samples.train_config(self.folder, self.data, self.clip)
        ranks = start(2, "train", config, "--set", "schedule.iterations=2", "--set", "val_split=", "--set",
                      f"output={self.folder / 'slurm'}", environments=slurm_environments(2))
        results = finish(ranks)
        self.assert_all_done(results)
        self.assertIn("iteration 2/2", results[0][1])
        self.assertEqual(results[1][1], "")
        self.assertEqual(len(log_of(self.folder / "slurm")), 2)

    def test_evaluation_merges_exactly(self):
        results = {size: run(size, "eval", "--data", self.data, "--weights", self.weights(), "--json")
                   for size in (1, 3)}
        self.assert_all_done(results[1] + results[3])
        self.assertEqual(results[3][0][1], results[1][0][1])
        self.assertEqual([out for _, out, _ in results[3][1:]], ["", ""])

    def weights(self):
        results, output = self.train(1, "weights")
        self.assert_all_done(results)
        return output / "model.safetensors"

    def test_a_batch_that_cannot_be_shared_is_refused(self):
        results, _ = self.train(4, "uneven", "--set", "rank_timeout=20")
        for code, _, err in results:
            self.assertEqual(code, USAGE, err)
            self.assertIn("batch: expected a multiple of the 4 ranks, found 6", err)

    def begin(self, name, *more):
        config = samples.train_config(self.folder, self.data, self.clip)
        ranks = start(2, "train", config, *SETTINGS, "--set", f"output={self.folder / name}",
                      "--set", "schedule.iterations=100000", "--set", "validate_every=1000000", *more)
        ranks[0].stdout.readline()  # the first iteration
        return ranks

    def test_a_lost_rank_ends_all(self):
        ranks = self.begin("killed")
        ranks[1].kill()
        _, err = ranks[0].communicate(timeout=30)
        self.assertEqual(ranks[0].returncode, FAILURE, err)
        self.assertIn("rank 0 of 2 has lost another rank", err)
        ranks[1].communicate()

    def test_a_rank_that_hangs_ends_all_in_time(self):
        ranks = self.begin("hung", "--set", "rank_timeout=3")
        ranks[1].send_signal(signal.SIGSTOP)
        began = time.monotonic()
        _, err = ranks[0].communicate(timeout=30)
        self.assertEqual(ranks[0].returncode, FAILURE, err)
        self.assertLess(time.monotonic() - began, 15)
        ranks[1].kill()
        ranks[1].communicate()

    def test_one_rank_that_is_told_to_stop_stops_all(self):
        ranks = self.begin("stopped")
        ranks[1].send_signal(signal.SIGTERM)
        words = [rank.communicate(timeout=30)[1] for rank in ranks]
        # Only the rank that was asked knows by whom.
        self.assertEqual(ranks[1].returncode, REQUEUE, words[1])
        self.assertIn("stopped and saved at iteration", words[0])
        self.assertTrue(list((self.folder / "stopped" / "checkpoints").iterdir()))

    def test_a_signal_during_the_check_of_files_stops_all(self):
        data = samples.write_dataset(self.folder / "large", count=2)
        Image.new("L", (7000, 7000)).save(data / "labels/large.png")
        Image.new("L", (7000, 7000)).save(data / "images/large.jpg")
        names = [f"large{i}" for i in range(100)]
        for name in names:
            (data / f"labels/{name}.png").symlink_to("large.png")
            (data / f"images/{name}.jpg").symlink_to("large.jpg")
        (data / "val.txt").write_text("\n".join(names) + "\n")
        config = samples.train_config(self.folder, data, self.clip)
        ranks = start(2, "train", config, "--set", f"output={self.folder / 'checked'}")
        while not (self.folder / "checked/run.lock").exists():
            time.sleep(0.1)
        time.sleep(3)
        for rank in ranks:
            rank.send_signal(signal.SIGTERM)
        for code, _, err in finish(ranks, timeout=20):
            self.assertEqual(code, REQUEUE, err)
            self.assertIn("stopped while the files were checked; nothing was trained", err)
            self.assertNotIn("lost", err)

    def test_files_that_cannot_be_used_end_all(self):
        data = samples.write_dataset(self.folder / "broken", count=4)
        photo = next((data / "images").iterdir())
        photo.write_bytes(b"no photo")
        config = samples.train_config(self.folder, data, self.clip)
        root, other = run(2, "train", config, "--set", f"output={self.folder / 'refused'}")
        self.assertEqual((root[0], other[0]), (BAD_INPUT, BAD_INPUT))
        self.assertIn(photo.name, root[2])
        self.assertIn("rank 1 of 2 ends: rank 0 cannot use the files", other[2])
        self.assertNotIn("lost", root[2] + other[2])

    def test_a_shell_of_srun_is_told_for_whom_it_waits(self):
        """srun -n 4 --pty bash leaves its variables to whatever is started there."""
        config = samples.train_config(self.folder, self.data, self.clip)
        for sent, code in ((signal.SIGINT, STOPPED), (signal.SIGTERM, REQUEUE)):
            for command in (["train", config], ["eval", "--data", self.data, "--weights", "mini"]):
                began = time.monotonic()
                rank, = start(1, *command, environments=slurm_environments(4)[:1])
                words = rank.stderr.readline()
                self.assertLess(time.monotonic() - began, 5)
                self.assertIn("rank 0 of 4 waits for ranks 1, 2 and 3", words)
                self.assertIn("SLURM_NTASKS is 4; to work without others start it with: env -u SLURM_PROCID", words)
                began = time.monotonic()
                rank.send_signal(sent)
                words = rank.communicate(timeout=20)[1]
                self.assertLess(time.monotonic() - began, 2)
                self.assertEqual(rank.returncode, code, words)
                self.assertIn("stopped while rank 0 waited for ranks 1, 2 and 3", words)

    def test_a_broken_environment_is_explained(self):
        config = samples.train_config(self.folder, self.data, self.clip)
        lonely = tagclip("train", config, env={"RANK": "0"})
        self.assert_refused(lonely, USAGE, "no WORLD_SIZE", "torchrun")


if __name__ == "__main__":
    unittest.main()
