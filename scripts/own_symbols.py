"""own_symbols.py FOLDER: lets the shared libraries of a folder and those of another PyTorch live in one process.

g++ marks the statics of inline functions and templates as unique (STB_GNU_UNIQUE): the loader then gives all
libraries of a process the first one's, however they were loaded. LibTorch keeps its registries in such statics,
so that a second LibTorch aborts when it registers its operators again. As weak symbols they are resolved among
the libraries that were loaded together, which is what two copies need.
"""

import os
import sys
from pathlib import Path

from elftools.elf.elffile import ELFFile

UNIQUE, WEAK = 10, 2  # the upper half of st_info
ENTRY_SIZE, INFO_OFFSET = 24, 4  # of Elf64_Sym


def make_weak(path: Path) -> int:
    """Turns the unique symbols of a library into weak ones, and returns how many there were."""
    with path.open("rb") as file:
        if file.read(4) != b"\x7fELF":
            return 0
        elf = ELFFile(file)
        if elf.elfclass != 64:
            sys.exit(f"{path}: not a 64-bit library")
        table = elf.get_section_by_name(".dynsym")
        if table is None:
            return 0
        start, size = table["sh_offset"], table["sh_size"]
    changed = 0
    with path.open("r+b") as file:
        file.seek(start)
        symbols = bytearray(file.read(size))
        for at in range(INFO_OFFSET, size, ENTRY_SIZE):
            if symbols[at] >> 4 == UNIQUE:
                symbols[at] = WEAK << 4 | symbols[at] & 15
                changed += 1
        file.seek(start)
        file.write(symbols)
    return changed


def main() -> None:
    for path in sorted(Path(sys.argv[1]).rglob("*")):
        if path.is_file() and not path.is_symlink() and (changed := make_weak(path)):
            print(f"{os.path.relpath(path, sys.argv[1])}: {changed} symbols")


main()
