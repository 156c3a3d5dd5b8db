"""The server beside its own description: schemathesis sends what docs/openapi.json allows and forbids, and a client
generated from it asks for labels. Run by `make test-api`."""

import importlib
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
from serving import CAT, WORDS, Server  # noqa: E402
from support import ROOT  # noqa: E402

EXAMPLES = int(os.environ.get("EXAMPLES") or 100)  # a route
SETTINGS = Path(__file__).with_name("schemathesis.toml")


class Api(unittest.TestCase):
    def test_schemathesis_finds_no_fault(self):
        with tempfile.TemporaryDirectory() as folder, Server() as server:  # the folder is for the notes that it keeps
            ran = subprocess.run(
                [sys.executable, "-m", "schemathesis.cli", "--config-file", SETTINGS, "run", server.url + "/openapi.json",
                 "--checks", "all", "--max-examples", str(EXAMPLES), "--workers", "2", "--no-color", "--seed", "7"],
                capture_output=True, text=True, timeout=3000, check=False, cwd=folder)
            print(ran.stdout)
            self.assertEqual(ran.returncode, 0, ran.stderr[-2000:])
            self.assertEqual(server.stop(), 0)
        self.assertNotIn("warning:", server.err)

    def test_a_generated_client_gets_labels(self):
        with tempfile.TemporaryDirectory() as folder:
            config = Path(folder) / "config.yaml"
            config.write_text("post_hooks: []\n")
            subprocess.run([sys.executable, "-m", "openapi_python_client", "generate", "--path", ROOT / "docs/openapi.json",
                            "--meta", "none", "--config", config, "--output-path", Path(folder) / "generated"],
                           check=True, capture_output=True)
            sys.path.insert(0, folder)
            client = importlib.import_module("generated")
            models = importlib.import_module("generated.models")
            segment = importlib.import_module("generated.api.segment.segment")
            with Server() as server:
                encoding = server.encode(CAT)
                self.assertEqual(encoding.status, 201)
                request = models.SegmentRequest(encoding=encoding.getheader("Location").split("/")[-1], classes=WORDS)
                answer = segment.sync(client=client.Client(base_url=server.url), body=request)
                self.assertEqual([entry.name for entry in answer.classes], WORDS)


if __name__ == "__main__":
    unittest.main()
