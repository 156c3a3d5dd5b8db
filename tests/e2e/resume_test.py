"""A run that was stopped or killed ends where the uninterrupted one does, bit for bit."""

import json
import random
import resource
import signal
import subprocess
import time
import unittest

import samples
from support import (BINARY, DONE, FAILURE, REQUEUE, STOPPED, ProgramTest, environment, read_safetensors,
                     tagclip)

ITERATIONS = 120
SETTINGS = ("--set", "output=run", "--set", f"schedule.iterations={ITERATIONS}", "--set", "batch=6",
            "--set", "save_every=50", "--set", "validate_every=60")


def log_of(folder):
    """log.jsonl but for its clock."""
    lines = (folder / "run" / "log.jsonl").read_text().splitlines()
    entries = [json.loads(line) for line in lines]
    return [{k: v for k, v in entry.items() if k != "images_per_second"} for entry in entries]


class ResumeTest(ProgramTest):
    @classmethod
    def setUpClass(cls):
        cls.clip, cls.data = samples.micro_clip(), samples.micro_dataset()

    def command(self, *more):
        """The same for every run: what a model file says does not tell its folder."""
        config = samples.train_config(self.folder, self.data, self.clip)
        return [BINARY, "train", config, *SETTINGS, *more]

    def place(self, name):
        folder = self.folder / name
        folder.mkdir()
        return folder

    def interrupt(self, folder, lines, sent):
        """Starts the run and sends a signal once its log has so many lines."""
        log = folder / "run" / "log.jsonl"
        with subprocess.Popen(self.command(), cwd=folder, env=environment(), text=True,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as run:
            deadline = time.monotonic() + 100
            while not (log.exists() and log.read_bytes().count(b"\n") >= lines):
                self.assertIsNone(run.poll(), "the run ended before the signal")
                self.assertLess(time.monotonic(), deadline, "the run makes no progress")
                time.sleep(0.002)
            run.send_signal(sent)
            words = run.communicate(timeout=60)[1]
        return run.returncode, words

    def finish(self, folder):
        result = tagclip(*self.command()[1:], cwd=folder)
        self.assert_done(result)
        return result

    def checkpoints(self, folder):
        """The names of the run's checkpoints, the newest last."""
        files = (folder / "run" / "checkpoints").glob("iteration_*.safetensors")
        return sorted(files, key=lambda file: int(file.stem.split("_")[1]))

    def assert_same_run(self, folder, other):
        self.assertEqual(log_of(folder), log_of(other))
        self.assertEqual([c.name for c in self.checkpoints(folder)],
                         [c.name for c in self.checkpoints(other)])
        last = f"checkpoints/{self.checkpoints(folder)[-1].name}"
        for name in ("model.safetensors", "best.safetensors", last):
            self.assertTrue((folder / "run" / name).read_bytes() == (other / "run" / name).read_bytes(), name)

    def test_stopped_and_killed_runs_equal_the_whole_one(self):
        whole, stopped, killed = map(self.place, ("whole", "stopped", "killed"))
        self.finish(whole)
        self.assertEqual(len(log_of(whole)), ITERATIONS + 2)

        code, words = self.interrupt(stopped, 5, signal.SIGTERM)
        self.assertEqual(code, REQUEUE, words)
        self.assertRegex(words, r"stopped and saved at iteration \d+; the same command resumes")
        self.assertFalse((stopped / "run" / "model.safetensors").exists())
        resumed = self.finish(stopped)
        self.assertRegex(resumed.err, rf"resuming from \d+ of {ITERATIONS} in run")
        self.assert_same_run(stopped, whole)

        code, _ = self.interrupt(killed, 55, signal.SIGKILL)
        self.assertEqual(code, -signal.SIGKILL)
        resumed = self.finish(killed)
        self.assertRegex(resumed.err, rf"resuming from (50|100) of {ITERATIONS} in run")
        self.assert_same_run(killed, whole)

    def test_killed_before_the_first_save_starts_anew(self):
        folder = self.place("early")
        code, _ = self.interrupt(folder, 2, signal.SIGKILL)
        self.assertEqual(code, -signal.SIGKILL)
        if not self.checkpoints(folder):
            self.assertNotIn("resuming", self.finish(folder).err)
        entries = [entry["iteration"] for entry in log_of(folder) if "loss" in entry]
        self.assertEqual(entries, sorted(set(entries)))

    def test_a_finished_run_says_so(self):
        folder = self.place("done")
        self.finish(folder)
        before = (folder / "run" / "log.jsonl").read_bytes()
        self.assertIn("already holds the finished run", self.finish(folder).err)
        self.assertEqual((folder / "run" / "log.jsonl").read_bytes(), before)

    def test_other_settings_are_refused_by_name(self):
        folder = self.place("other")
        short = self.command()[1:] + ["--set", "schedule.iterations=2"]
        self.assertEqual(tagclip(*short, cwd=folder).code, DONE)
        saved = self.checkpoints(folder)[-1].read_bytes()

        changed = tagclip(*short, "--set", "optimizer.lr=0.5", "--set", "batch=3", cwd=folder)
        self.assert_refused(changed, 3, "iteration_2.safetensors belongs to a run with other settings",
                            "optimizer.lr was 0.001, is 0.5", "batch was 6, is 3", "another output folder")
        self.assertEqual(self.checkpoints(folder)[-1].read_bytes(), saved)
        self.assert_done(tagclip(*short, "--set", "log_every=7", "--set", "save_every=3", cwd=folder))

    def last_iteration(self, folder):
        """The last one the log tells of in a whole line."""
        log = folder / "run" / "log.jsonl"
        lines = log.read_bytes().split(b"\n")[:-1] if log.exists() else []
        return json.loads(lines[-1])["iteration"] if lines else 0

    def test_kills_at_random_moments(self):
        """Mid-epoch, while saving or validating, with other numbers of workers each time."""
        whole, killed = self.place("whole"), self.place("killed")
        self.finish(whole)
        moments = random.Random(5)
        done, kills = 0, 0
        while done + 30 < ITERATIONS:
            done += moments.randint(3, 25)
            workers = f"workers={moments.choice([0, 1, 3])}"
            command = self.command("--set", "save_every=1", "--set", workers)
            with subprocess.Popen(command, cwd=killed, env=environment(), stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL) as run:
                deadline = time.monotonic() + 60
                while self.last_iteration(killed) < done:
                    self.assertIsNone(run.poll(), "the run ended before it was killed")
                    self.assertLess(time.monotonic(), deadline, "the run makes no progress")
                    time.sleep(0.002)
                time.sleep(moments.uniform(0, 0.03))
                run.kill()
            kills += 1
            done = self.last_iteration(killed)
        self.assertGreaterEqual(kills, 3)
        self.finish(killed)
        self.assertEqual(log_of(killed), log_of(whole))
        for name in ("model.safetensors", "best.safetensors"):
            self.assertTrue((killed / "run" / name).read_bytes() == (whole / "run" / name).read_bytes(), name)

    def test_signals_of_schedulers_ask_for_another_start(self):
        for sent, code in ((signal.SIGUSR1, REQUEUE), (signal.SIGINT, STOPPED)):
            folder = self.place(f"signal-{sent}")
            self.assertEqual(self.interrupt(folder, 2, sent)[0], code)
            self.assertTrue(self.checkpoints(folder))

    def test_a_damaged_checkpoint_is_passed_over(self):
        whole, damaged = self.place("whole"), self.place("damaged")
        self.finish(whole)
        self.interrupt(damaged, 104, signal.SIGTERM)
        newest, before = self.checkpoints(damaged)[-1], self.checkpoints(damaged)[-2]
        content = bytearray(newest.read_bytes())
        content[-50] ^= 1
        newest.write_bytes(content)
        resumed = self.finish(damaged)
        self.assertIn(f"a damaged checkpoint is skipped: run/checkpoints/{newest.name}", resumed.err)
        self.assertIn(f"resuming from {before.stem.split('_')[1]} of {ITERATIONS}", resumed.err)
        self.assertTrue(newest.with_name(newest.name + ".damaged").exists())
        self.assert_same_run(damaged, whole)

    def test_without_any_sound_checkpoint_nothing_is_overwritten(self):
        folder = self.place("damaged")
        short = self.command("--set", "schedule.iterations=2")[1:]
        self.assertEqual(tagclip(*short, cwd=folder).code, DONE)
        for file in self.checkpoints(folder):
            file.write_bytes(file.read_bytes()[:-100])
        before = (folder / "run" / "log.jsonl").read_bytes()
        self.assert_refused(tagclip(*short, cwd=folder), 3, "all checkpoints are damaged")
        self.assertEqual((folder / "run" / "log.jsonl").read_bytes(), before)

    def test_a_full_disk_leaves_the_last_good_checkpoint(self):
        folder = self.place("full")
        few = ["--set", "save_every=10", "--set", "keep=1"]
        self.interrupt(folder, 30, signal.SIGTERM)
        good = {file: file.read_bytes() for file in self.checkpoints(folder)}
        limit = min(len(content) for content in good.values()) // 2
        full = tagclip(*self.command(*few)[1:], cwd=folder,
                       preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
        self.assert_refused(full, FAILURE, "cannot write run/checkpoints/iteration_")
        self.assertEqual({file: file.read_bytes() for file in self.checkpoints(folder)}, good)
        self.finish(folder)

    def test_a_loss_that_is_no_number_stops_before_the_update(self):
        folder = self.place("nan")
        wild = ["--set", "optimizer.lr=1", "--set", "optimizer.epsilon=0", "--set", "save_every=1",
                "--set", "loss.mask_weight=1e6", "--set", "optimizer.weight_decay=10",
                "--set", "schedule.warmup=0", "--set", "precision=float32"]
        result = tagclip(*self.command(*wild)[1:], cwd=folder)
        self.assert_refused(result, FAILURE, "the norm of the gradients", "the batch is in run/not_finite_")
        batch = next((folder / "run").glob("not_finite_iteration_*_rank_0.safetensors"))
        metadata, tensors = read_safetensors(batch)
        self.assertEqual(tensors["pixels"][1][0], 6)
        self.assertEqual(len(metadata["photos"].split()), 6)
        last = int(self.checkpoints(folder)[-1].stem.split("_")[1])
        self.assertEqual(last, int(metadata["iteration"]) - 1)

    def test_pretraining_resumes_too(self):
        shard = samples.write_shard(self.folder / "captions.tar")
        config = samples.pretrain_config(self.folder, [shard])
        results = {}
        for name, stop in (("whole", False), ("stopped", True)):
            arguments = [BINARY, "pretrain", config, "--set", f"output={self.folder / name}",
                         "--set", "steps=60", "--set", "save_every=1",
                         "--set", "patch_share=0.5", "--set", "photometric=true"]
            if stop:
                with subprocess.Popen(arguments, env=environment(), text=True, stdout=subprocess.PIPE,
                                      stderr=subprocess.PIPE) as run:
                    run.stdout.readline()
                    run.send_signal(signal.SIGTERM)
                    words = run.communicate(timeout=60)[1]
                self.assertEqual(run.returncode, REQUEUE, words)
            self.assert_done(tagclip(*arguments[1:]))
            results[name] = (self.folder / name / "clip.safetensors").read_bytes()
        self.assertEqual(results["stopped"], results["whole"])


if __name__ == "__main__":
    unittest.main()
