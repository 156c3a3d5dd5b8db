"""A run that was stopped or killed ends where the uninterrupted one does, bit for bit."""

import json
import random
import re
import resource
import shutil
import signal
import subprocess
import time
import unittest

from PIL import Image

import samples
from support import (BAD_INPUT, BINARY, DONE, FAILURE, REQUEUE, STOPPED, ProgramTest, environment, read_safetensors,
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

    def test_a_run_is_bound_to_what_its_files_say(self):
        folder = self.place("files")
        data = folder / "data"
        shutil.copytree(self.data, data)
        short = self.command("--set", "schedule.iterations=2", "--set", f"data={data}")[1:]
        self.assert_done(tagclip(*short, cwd=folder))
        saved = self.checkpoints(folder)[-1].read_bytes()
        for file, old, new, words in (
                ("classes.txt", "box\nkite", "kite\nbox", "class 2 was box, is kite; class 3 was kite, is box"),
                ("unseen.txt", "kite", "ball", "class 1, ball, was seen, is unseen; class 3, kite, was unseen, is seen"),
                ("train.txt", "sample1\n", "", "it had 8 photos, has 7; line 2 was sample1, is sample2"),
                ("train.txt", "sample1\nsample2", "sample2\nsample1", "line 2 was sample1, is sample2")):
            with self.subTest(file):
                before = (data / file).read_text()
                (data / file).write_text(before.replace(old, new))
                self.assert_refused(tagclip(*short, cwd=folder), BAD_INPUT, "iteration_2.safetensors belongs to a run "
                                    "on other data or words", words, "put the files back")
                (data / file).write_text(before)
        prompts = tagclip(*short, "--set", "prompt=a drawing of a {}.", cwd=folder)
        self.assert_refused(prompts, BAD_INPUT, "prompt template 1 was a photo of a {}, is a drawing of a {}.")
        self.assertEqual(self.checkpoints(folder)[-1].read_bytes(), saved)
        self.assertIn("already holds the finished run", tagclip(*short, cwd=folder).err)

    def test_what_changes_nothing_that_is_learnt_is_free(self):
        folder = self.place("free")
        data, moved = folder / "data", folder / "elsewhere"
        shutil.copytree(self.data, data)
        clip = folder / "clip.safetensors"
        shutil.copy(self.clip, clip)
        base = self.command("--set", "schedule.iterations=20", "--set", "data=data", "--set", f"clip={clip}",
                            "--set", "validate_every=10")
        with subprocess.Popen(base, cwd=folder, env=environment(), text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE) as run:
            run.stdout.readline()
            run.send_signal(signal.SIGTERM)
            run.communicate(timeout=60)
        data.rename(moved)
        clip.rename(moved / "clip.safetensors")
        resumed = tagclip(*base[1:], "--set", f"data={moved}/", "--set", f"clip={moved}/clip.safetensors",
                          "--set", "bad_photos=skip", "--set", "validation.weighting=none", "--set", "workers=1",
                          cwd=folder)
        self.assert_done(resumed)
        self.assertRegex(resumed.err, r"resuming from \d+ of 20")
        self.assertIn("settings that were changed: ", resumed.err)
        self.assertIn('bad_photos was "fail", is "skip"', resumed.err)
        # The folder's config.toml means the same everywhere.
        again = tagclip("train", folder / "run" / "config.toml", cwd="/")
        self.assert_done(again)
        self.assertIn("already holds the finished run", again.err)

    def test_a_run_can_be_extended(self):
        folder = self.place("longer")
        short = [*self.command()[1:], "--set", "schedule.iterations=4"]
        self.assert_done(tagclip(*short, cwd=folder))
        finished = (folder / "run" / "model.safetensors").read_bytes()
        longer = [*short, "--set", "schedule.iterations=6"]
        self.assert_refused(tagclip(*longer, cwd=folder), BAD_INPUT, "schedule.iterations was 4, is 6",
                            "set extend = true")
        extended = tagclip(*longer, "--set", "extend=true", cwd=folder)
        self.assert_done(extended)
        self.assertIn("the run of 4 iterations is extended to 6", extended.err)
        self.assertEqual((folder / "run" / "model_4.safetensors").read_bytes(), finished)
        self.assertNotEqual((folder / "run" / "model.safetensors").read_bytes(), finished)
        steps = [entry for entry in log_of(folder) if "loss" in entry]
        self.assertEqual([entry["iteration"] for entry in steps], [1, 2, 3, 4, 5, 6])
        # Of the longer schedule: 1e-3 (1 - 4/6)^0.9, where the shorter one had come to its end.
        self.assertAlmostEqual(steps[4]["lr"], (1e-3 - 1e-6) * (1 - 4 / 6) ** 0.9 + 1e-6, 8)
        self.assert_refused(tagclip(*short, "--set", "extend=true", cwd=folder), BAD_INPUT,
                            "schedule.iterations was 6, is 4")

    def test_one_process_writes_a_run(self):
        folder = self.place("locked")
        command = self.command("--set", "schedule.iterations=100000", "--set", "validate_every=1000000")
        with subprocess.Popen(command, cwd=folder, env=environment(), text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL) as run:
            run.stdout.readline()
            second = tagclip(*command[1:], cwd=folder)
            self.assert_refused(second, BAD_INPUT, "another run writes into this folder",
                                f"process {run.pid} on ")
            run.kill()
        self.assertTrue((folder / "run" / "run.lock").exists(), "nobody could take it away")
        short = self.command("--set", "schedule.iterations=2")[1:]
        self.assert_done(tagclip(*short, "--set", "output=run2", cwd=folder))
        self.assertFalse((folder / "run2" / "run.lock").exists())
        self.assertNotIn("another run writes", tagclip(*short, cwd=folder).err)

    def test_an_error_of_the_loader_costs_no_step(self):
        folder = self.place("lost")
        data = folder / "data"
        shutil.copytree(self.data, data)
        command = self.command("--set", f"data={data}", "--set", "val_split=", "--set", "save_every=100000",
                               "--set", "schedule.iterations=100000")
        with subprocess.Popen(command, cwd=folder, env=environment(), text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE) as run:
            run.stdout.readline()
            photo = data / "images" / "sample3.jpg"
            content = photo.read_bytes()
            photo.unlink()
            words = run.communicate(timeout=60)[1]
        self.assertEqual(run.returncode, BAD_INPUT, words)
        self.assertIn("sample3.jpg", words)
        done = int(re.search(r"the state after iteration (\d+) is saved, the same command resumes", words)[1])
        self.assertEqual(self.checkpoints(folder)[-1].name, f"iteration_{done}.safetensors")
        photo.write_bytes(content)
        last = [*command[1:], "--set", f"schedule.iterations={done + 1}"]
        refused = tagclip(*last, cwd=folder)
        self.assertIn(f"schedule.iterations was 100000, is {done + 1}", refused.err)

    def test_the_model_is_there_before_its_last_validation(self):
        folder = self.place("measured-last")
        data = folder / "data"
        shutil.copytree(self.data, data)
        (data / "train.txt").write_text("sample0\nsample1\nsample2\n")
        (data / "val.txt").write_text("sample6\nsample7\n")
        command = self.command("--set", f"data={data}", "--set", "validate_every=100000", "--set", "examples=0",
                               "--set", "schedule.iterations=40")
        with subprocess.Popen(command, cwd=folder, env=environment(), text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE) as run:
            run.stdout.readline()
            photo = data / "images" / "sample7.jpg"
            content = photo.read_bytes()
            photo.unlink()
            words = run.communicate(timeout=60)[1]
        self.assertEqual(run.returncode, BAD_INPUT, words)
        model = (folder / "run" / "model.safetensors").read_bytes()
        photo.write_bytes(content)
        resumed = tagclip(*command[1:], cwd=folder)
        self.assert_done(resumed)
        self.assertIn("validation at 40", resumed.out)
        self.assertEqual((folder / "run" / "model.safetensors").read_bytes(), model)

    def test_files_are_checked_before_the_first_step(self):
        for split, name in (("val", "sample7"), ("train", "sample6")):
            folder = self.place(split)
            data = folder / "data"
            shutil.copytree(self.data, data)
            (data / "train.txt").write_text("sample0\nsample1\nsample6\n")
            (data / "val.txt").write_text("sample2\nsample7\n")
            labels = data / "labels" / f"{name}.png"
            Image.open(labels).crop((0, 0, 59, 44)).save(labels)
            refused = tagclip(*self.command("--set", f"data={data}")[1:], cwd=folder)
            self.assert_refused(refused, BAD_INPUT, f"{name}.png is 59x44, but its photo", "1 of")
            self.assertFalse((folder / "run").exists(), "nothing was begun")

    def test_states_of_a_running_training_are_measured(self):
        folder = self.place("running")
        command = self.command("--set", "schedule.iterations=100000", "--set", "validate_every=1000000",
                               "--set", "save_every=5")
        with subprocess.Popen(command, cwd=folder, env=environment(), text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL) as run:
            while not self.checkpoints(folder):
                run.stdout.readline()
            run.send_signal(signal.SIGSTOP)
            state = self.checkpoints(folder)[-1]
            measured = tagclip("eval", "--data", self.data, "--weights", state, "--json", cwd="/")
            run.kill()
        self.assert_done(measured)
        self.assertIn("is a saved state of a run", measured.err)
        self.assertIn("prompt template of the model's training", measured.err)
        self.assertIsNotNone(json.loads(measured.out)["mean_iou_unseen"])

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
                # The shards are known by what is in them.
                other = samples.write_shard(self.folder / "other.tar", seed=4)
                self.assert_refused(tagclip(*arguments[1:], "--set", f"shards={other}"), BAD_INPUT,
                                    "belongs to a run with other images or captions in its shards")
                arguments += ["--set", f"shards={shard.rename(self.folder / 'moved.tar')}"]
            self.assert_done(tagclip(*arguments[1:]))
            results[name] = (self.folder / name / "clip.safetensors").read_bytes()
        self.assertEqual(results["stopped"], results["whole"])

    def test_pretraining_on_all_that_photos_have_resumes(self):
        """Captions, names and labels out of two sources, an average of the weights, threads: the same bits."""
        shard = samples.write_shard(self.folder / "captions.tar")
        data = samples.write_dataset(self.folder / "data")
        (self.folder / "names.txt").write_text("kite, toy\nball, toy\nbox\n")
        (self.folder / "soft.tsv").write_text("captions_000\t0:0.5 2:0.25\ncaptions_001\t1:0.9\n")
        config = samples.config(self.folder, "all.toml", samples.PRETRAIN + """
            [loss]
            names = 1
            labels = 1
            [names]
            list = "names.txt"
            soft = "soft.tsv"
            [validation]
            shards = ["captions.tar"]
            data = ["data/"]
            [source.photos]
            shards = ["captions.tar"]
            share = 0.5
            [source.set]
            data = "data"
            """, output=self.folder / "clip")
        results = {}
        for name, stop in (("whole", False), ("stopped", True)):
            arguments = [BINARY, "pretrain", config, "--set", f"output={self.folder / name}", "--set", "steps=40",
                         "--set", "save_every=1", "--set", "patch_share=0.5", "--set", "ema=0.9",
                         "--set", "small_image_size=16", "--set", "small_steps=20", "--set", "validate_every=25"]
            if stop:
                arguments += ["--set", "workers=2", "--set", "cache=0"]
                with subprocess.Popen(arguments, env=environment(), text=True, stdout=subprocess.PIPE,
                                      stderr=subprocess.PIPE) as run:
                    self.assertRegex(run.stdout.readline(), r"loss \S+  contrastive \S+  names \S+  labels \S+")
                    run.send_signal(signal.SIGTERM)
                    words = run.communicate(timeout=60)[1]
                self.assertEqual(run.returncode, REQUEUE, words)
                self.assertIn("source.set: 8 photos, 4 of each batch of 8; 0 with captions, labels of 5 classes", words)
                classes = data / "classes.txt"
                before = classes.read_text()
                classes.write_text(before.replace("lake", "pond"))
                self.assert_refused(tagclip(*arguments[1:]), BAD_INPUT, "belongs to a run with other photos")
                classes.write_text(before)
                self.assert_refused(tagclip(*arguments[1:], "--set", "source.photos.share=0.25"), BAD_INPUT,
                                    "source.photos.share was 0.5, is 0.25")
                self.assert_refused(tagclip(*arguments[1:], "--set", "loss.labels=2"), BAD_INPUT, "loss.labels was 1")
            for _ in range(2):  # the finished run, again
                ended = tagclip(*arguments[1:])
                self.assert_done(ended)
                self.assertRegex(ended.out, r"validation at 40:  zero-shot \d+\.\d+  image to text \d+\.\d+  "
                                            r"text to image \d+\.\d+  data mIoU \d+\.\d+  data pAcc \d+\.\d+\n$")
            # What the run wrote about itself goes on, too, from anywhere.
            again = tagclip("pretrain", self.folder / name / "config.toml", cwd=self.folder / "data")
            self.assert_done(again)
            self.assertIn("already holds the finished run", again.err)
            log = [json.loads(line) for line in (self.folder / name / "log.jsonl").read_text().splitlines()]
            self.assertEqual([line["iteration"] for line in log if "loss" in line], list(range(1, 41)))
            measured = [line for line in log if "loss" not in line]
            self.assertEqual([line["iteration"] for line in measured], [25, 40])
            for line in log:
                line.pop("images_per_second", None)
            results[name] = (self.folder / name / "clip.safetensors").read_bytes(), log
        self.assertEqual(results["stopped"], results["whole"])


if __name__ == "__main__":
    unittest.main()
