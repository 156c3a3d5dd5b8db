"""A run that was stopped or killed ends where the uninterrupted one does, bit for bit."""

import json
import signal
import subprocess
import time
import unittest

import samples
from support import BINARY, DONE, STOPPED, ProgramTest, environment, tagclip

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

    def command(self):
        """The same for every run: what a model file says does not tell its folder."""
        config = samples.train_config(self.folder, self.data, self.clip)
        return [BINARY, "train", config, *SETTINGS]

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

    def assert_same_run(self, folder, other):
        self.assertEqual(log_of(folder), log_of(other))
        for name in ("model.safetensors", "best.safetensors", "last.safetensors"):
            self.assertEqual((folder / "run" / name).read_bytes(), (other / "run" / name).read_bytes(), name)

    def test_stopped_and_killed_runs_equal_the_whole_one(self):
        whole, stopped, killed = map(self.place, ("whole", "stopped", "killed"))
        self.finish(whole)
        self.assertEqual(len(log_of(whole)), ITERATIONS + 2)

        code, words = self.interrupt(stopped, 5, signal.SIGTERM)
        self.assertEqual(code, STOPPED, words)
        self.assertRegex(words, r"stopped and saved at iteration \d+; the same command goes on")
        self.assertFalse((stopped / "run" / "model.safetensors").exists())
        resumed = self.finish(stopped)
        self.assertRegex(resumed.err, rf"going on from \d+ of {ITERATIONS} in run")
        self.assert_same_run(stopped, whole)

        code, _ = self.interrupt(killed, 55, signal.SIGKILL)
        self.assertEqual(code, -signal.SIGKILL)
        resumed = self.finish(killed)
        self.assertRegex(resumed.err, rf"going on from (50|100) of {ITERATIONS} in run")
        self.assert_same_run(killed, whole)

    def test_killed_before_the_first_save_starts_anew(self):
        folder = self.place("early")
        code, _ = self.interrupt(folder, 2, signal.SIGKILL)
        self.assertEqual(code, -signal.SIGKILL)
        if not (folder / "run" / "last.safetensors").exists():
            self.assertNotIn("going on", self.finish(folder).err)
        entries = [entry["iteration"] for entry in log_of(folder) if "loss" in entry]
        self.assertEqual(entries, sorted(set(entries)))

    def test_a_finished_run_says_so(self):
        folder = self.place("done")
        self.finish(folder)
        before = (folder / "run" / "log.jsonl").read_bytes()
        self.assertIn("holds the finished run already", self.finish(folder).err)
        self.assertEqual((folder / "run" / "log.jsonl").read_bytes(), before)

    def test_other_settings_are_refused_by_name(self):
        folder = self.place("other")
        short = self.command()[1:] + ["--set", "schedule.iterations=2"]
        self.assertEqual(tagclip(*short, cwd=folder).code, DONE)
        saved = (folder / "run" / "last.safetensors").read_bytes()

        changed = tagclip(*short, "--set", "optimizer.lr=0.5", "--set", "batch=3", cwd=folder)
        self.assert_refused(changed, 3, "last.safetensors belongs to a run with other settings",
                            "optimizer.lr was 0.001, is 0.5", "batch was 6, is 3", "--set output=")
        self.assertEqual((folder / "run" / "last.safetensors").read_bytes(), saved)
        self.assert_done(tagclip(*short, "--set", "log_every=7", "--set", "save_every=3", cwd=folder))

    def test_a_damaged_checkpoint_is_no_start(self):
        folder = self.place("damaged")
        short = self.command()[1:] + ["--set", "schedule.iterations=2"]
        self.assertEqual(tagclip(*short, cwd=folder).code, DONE)
        last = folder / "run" / "last.safetensors"
        last.write_bytes(last.read_bytes()[:-100])
        self.assert_refused(tagclip(*short, cwd=folder), 3, "last.safetensors")

    def test_pretraining_resumes_too(self):
        shard = samples.write_shard(self.folder / "captions.tar")
        config = samples.pretrain_config(self.folder, [shard])
        results = {}
        for name, stop in (("whole", False), ("stopped", True)):
            arguments = [BINARY, "pretrain", config, "--set", f"output={self.folder / name}",
                         "--set", "steps=60", "--set", "save_every=1"]
            if stop:
                with subprocess.Popen(arguments, env=environment(), text=True, stdout=subprocess.PIPE,
                                      stderr=subprocess.PIPE) as run:
                    run.stdout.readline()
                    run.send_signal(signal.SIGTERM)
                    words = run.communicate(timeout=60)[1]
                self.assertEqual(run.returncode, STOPPED, words)
            self.assert_done(tagclip(*arguments[1:]))
            results[name] = (self.folder / name / "clip.safetensors").read_bytes()
        self.assertEqual(results["stopped"], results["whole"])


if __name__ == "__main__":
    unittest.main()
