"""What the end-to-end tests share: running the program, and judging what it says."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("TAGCLIP_BINARY", ROOT / "build/release/tagclip"))
BENCH = BINARY.parent / "tagclip_bench"
PHOTOS = ROOT / "tests/data/photos"
CHECKPOINTS = ROOT / "tests/data/checkpoints"
MINI = ROOT / "models/mini.safetensors"
EVERYDAY = ROOT / "models/everyday.safetensors"
_shared = Path(os.environ.get("TAGCLIP_SHARED_DATA", ROOT.parent / "shared"))
SHARED = _shared if (_shared / "golden").is_dir() else None

DONE, FAILURE, USAGE, BAD_INPUT, STOPPED = 0, 1, 2, 3, 130
REQUEUE = 75  # a scheduler stopped the job, which saved and can go on

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


@cache
def _home():
    return tempfile.TemporaryDirectory(prefix="tagclip-e2e-home-")


# Commands that name no weights take the shipped model that has a decoder and classes of its own.
_WEIGHTS = {f"TAGCLIP_{command}_WEIGHTS": "mini" for command in ("EMBED", "EVAL", "EXPORT", "SEGMENT", "SERVE", "VIDEO")}
DEFAULT_WEIGHTS = dict.fromkeys(_WEIGHTS)  # leaves the choice to the program


def environment(**extra):
    """The tests' own, without what would change the program's words; the user's cache stays as it is. None unsets."""
    clean = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "TERM")}
    own = {"OMP_NUM_THREADS": "1", "LC_ALL": "C.UTF-8", "TAGCLIP_HOME": _home().name, **_WEIGHTS}
    return {name: value for name, value in {**clean, **own, **extra}.items() if value is not None}


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


# A process starts with its parent's peak, so a small one measures.
_MEASURE = """
import os, sys
child = os.spawnv(os.P_NOWAIT, sys.argv[1], sys.argv[1:])
_, status, usage = os.wait4(child, 0)
os.write(int(os.environ["PEAK_TO"]), b"%d %d" % (os.waitstatus_to_exitcode(status), usage.ru_maxrss))
"""


def peak_of(*arguments, cwd=None, timeout=120):
    """A run of the program as (exit code, seconds, peak of its memory in MB); from 10 MB on."""
    start = time.monotonic()
    reader, writer = os.pipe()
    with open(reader) as answer:
        try:
            subprocess.run([sys.executable, "-ISc", _MEASURE, BINARY, *map(str, arguments)], cwd=cwd,
                           env=environment(PEAK_TO=str(writer)), pass_fds=[writer], timeout=timeout,
                           capture_output=True, check=True)
        finally:
            os.close(writer)
        code, kilobytes = map(int, answer.read().split())
    return code, time.monotonic() - start, kilobytes / 1024


def read_safetensors(path):
    """(metadata, {name: (dtype, shape, bytes)})."""
    content = Path(path).read_bytes()
    begin = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:begin])
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, entry in header.items():
        first, last = entry["data_offsets"]
        tensors[name] = (entry["dtype"], entry["shape"], content[begin + first:begin + last])
    return metadata, tensors


def write_safetensors(path, metadata, tensors):
    """As read_safetensors gives them."""
    header, data = {"__metadata__": metadata}, b""
    for name, (dtype, shape, values) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(values)]}
        data += values
    text = json.dumps(header).encode()
    Path(path).write_bytes(len(text).to_bytes(8, "little") + text + data)


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
        self.assertRegex(result.err, r"(?m)^(tagclip|tagclip_bench|warning): ")
        for part in parts:
            self.assertIn(str(part), result.err)
