"""The program `tagclip` of the package: a module of its own, so that it starts without LibTorch and NumPy."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path


def main() -> None:
    """Becomes the program, with the arguments of this process."""
    package = importlib.util.find_spec("tagclip")
    if package is None or package.origin is None:
        sys.exit("tagclip: the package tagclip is not installed beside tagclip_program")
    program = Path(package.origin).parent / "bin" / "tagclip"
    os.execv(program, [str(program), *sys.argv[1:]])
