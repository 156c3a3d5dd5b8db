"""What the end-to-end tests share: running the program, and judging what it says."""

import os
import re
import shutil
import subprocess
import tempfile
import time
import unittest
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("TAGCLIP_BINARY", ROOT / "build/release/tagclip"))
PHOTOS = ROOT / "tests/data/photos"
_shared = Path(os.environ.get("TAGCLIP_SHARED_DATA", ROOT.parent / "shared"))
SHARED = _shared if (_shared / "golden").is_dir() else None

DONE, FAILURE, USAGE, BAD_INPUT, STOPPED = 0, 1, 2, 3, 130

# What no user should ever read.
ACCIDENTS = re.compile(
    r"terminate called|internal error|fault of tagclip|report it|Segmentation fault|AddressSanitizer"
    r"|runtime error:|std::|c10::|what\(\)|core dumped|filesystem error|Exception raised",
    re.IGNORECASE)


@dataclass
class Result:
    """How a run of the program ended."""

    code: int
    out: str
    err: str
    seconds: float


def environment(**extra):
    """The tests' own, with what would change the program's words taken out."""
    clean = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "TERM")}
    return {**clean, "OMP_NUM_THREADS": "1", "LC_ALL": "C.UTF-8", **extra}


def tagclip(*arguments, stdin="", cwd=None, env=None, binary=BINARY, timeout=120, **more):
    """Runs the program to its end. `more` goes to subprocess.run."""
    start = time.monotonic()
    words = [a if isinstance(a, bytes) else str(a) for a in arguments]
    done = subprocess.run([str(binary), *words],
                          input=stdin.encode() if isinstance(stdin, str) else stdin,
                          cwd=cwd, env=environment(**(env or {})), timeout=timeout,
                          capture_output="stdout" not in more, check=False, **more)
    return Result(done.returncode, (done.stdout or b"").decode(errors="replace"),
                  (done.stderr or b"").decode(errors="replace"), time.monotonic() - start)


class ProgramTest(unittest.TestCase):
    """A test with a fresh folder, which is gone afterwards."""

    maxDiff = 2000

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="tagclip-e2e-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def assert_no_accident(self, result):
        self.assertGreaterEqual(result.code, 0, f"killed by a signal\n{result.err}")
        for text in (result.out, result.err):
            self.assertIsNone(ACCIDENTS.search(text), text)

    def assert_done(self, result):
        self.assert_no_accident(result)
        self.assertEqual(result.code, DONE, result.err)

    def assert_refused(self, result, code, *parts):
        """An error of that exit code whose words hold all `parts`."""
        self.assert_no_accident(result)
        self.assertEqual(result.code, code, result.err)
        self.assertRegex(result.err, r"(?m)^(tagclip|warning): ")
        for part in parts:
            self.assertIn(str(part), result.err)
