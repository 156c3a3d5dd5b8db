"""The program under torchrun itself: the same losses on one and two ranks, and a second attempt after a loss."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
import samples  # noqa: E402
from support import ACCIDENTS, BINARY, ProgramTest, environment  # noqa: E402

ITERATIONS = 200
TERMS = ("loss", "mask", "dice", "trusty")


class Torchrun(ProgramTest):
    @classmethod
    def setUpClass(cls):
        cls.clip, cls.data = samples.micro_clip(), samples.micro_dataset()

    def start(self, size, *arguments, restarts=0, program=BINARY):
        """Under an agent of its own, whose store the ranks use."""
        return subprocess.Popen(
            [sys.executable, "-m", "torch.distributed.run", "--standalone", "--no-python", "--nproc-per-node",
             str(size), "--max-restarts", str(restarts), "--monitor-interval", "0.1", program,
             *map(str, arguments)],
            env=environment(), text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def train_arguments(self, name, iterations):
        config = samples.train_config(self.folder, self.data, self.clip)
        settings = {"output": self.folder / name, "schedule.iterations": iterations, "batch": 4, "log_every": 1,
                    "save_every": 5, "validate_every": iterations}
        return ["train", config, *(word for key, value in settings.items() for word in ("--set", f"{key}={value}"))]

    def finish(self, agent):
        out, err = agent.communicate(timeout=300)
        self.assertEqual(agent.returncode, 0, err)
        self.assertIsNone(ACCIDENTS.search(err), err)
        return out, err

    def log_of(self, name):
        return [json.loads(line) for line in (self.folder / name / "log.jsonl").read_text().splitlines()]

    def test_the_agents_store_is_used(self):
        shown, _ = self.finish(self.start(2, program="/usr/bin/env"))
        self.assertEqual(shown.count("TORCHELASTIC_USE_AGENT_STORE=True"), 2)

    def test_two_ranks_train_as_one_does(self):
        for size in (1, 2):
            self.finish(self.start(size, *self.train_arguments(f"of-{size}", 12)))
        alone, together = self.log_of("of-1"), self.log_of("of-2")
        self.assertGreaterEqual(len(alone), 12)
        for a, b in zip(alone, together, strict=True):
            for term in TERMS:
                self.assertAlmostEqual(a.get(term, 0), b.get(term, 0), delta=1e-5 * abs(a.get(term, 0)) + 1e-7)

    def rank(self, agent, number):
        """The process id of a rank; an agent's children have RANK in their environment."""
        children = Path(f"/proc/{agent.pid}/task/{agent.pid}/children").read_text().split()
        for child in children:
            if f"RANK={number}" in Path(f"/proc/{child}/environ").read_text().split("\0"):
                return int(child)
        return self.fail(f"rank {number} is not among {children}")

    def test_after_a_loss_the_next_attempt_goes_on(self):
        agent = self.start(2, *self.train_arguments("run", ITERATIONS), restarts=1)
        checkpoints = self.folder / "run" / "checkpoints"
        deadline = time.monotonic() + 100
        while not (checkpoints.is_dir() and any(checkpoints.iterdir())):
            self.assertIsNone(agent.poll(), "it ended before its first checkpoint")
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.01)
        os.kill(self.rank(agent, 1), signal.SIGKILL)
        _, words = self.finish(agent)
        gone_on = re.search(rf"resuming from (\d+) of {ITERATIONS}", words)
        self.assertIsNotNone(gone_on, words)
        self.assertGreaterEqual(int(gone_on[1]), 5)
        steps = [line["iteration"] for line in self.log_of("run") if "loss" in line]
        self.assertEqual(steps, list(range(1, ITERATIONS + 1)))
        self.assertTrue((self.folder / "run" / "model.safetensors").exists())


if __name__ == "__main__":
    unittest.main()
