"""bundle_libraries.py PREFIX FOLDER: makes an installation relocatable.

Copies every library that the programs and libraries under PREFIX need, but for the C library's own, into
PREFIX/FOLDER, and lets each of them look there, relative to where it lies.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

# They belong to the C library and the kernel of the machine that runs the program.
SYSTEM = re.compile(r"(linux-vdso|ld-linux-x86-64|lib(c|m|mvec|dl|rt|pthread|resolv|util|anl|nss_\w+))\.so.*")


def is_elf(path: Path) -> bool:
    if path.is_symlink() or not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(4) == b"\x7fELF"


def needed(path: Path) -> dict[str, Path]:
    """What the loader finds for a program or library, by the name it was asked for."""
    said = subprocess.run(["ldd", path], capture_output=True, text=True, check=True).stdout
    found = {}
    for line in said.splitlines():
        words = line.split()
        if len(words) < 3 or words[1] != "=>" or SYSTEM.fullmatch(words[0]):
            continue
        if words[2] == "not":
            sys.exit(f"{path} needs {words[0]}, which is not here")
        found[words[0]] = Path(words[2]).resolve()
    return found


def main() -> None:
    prefix, folder = Path(sys.argv[1]), Path(sys.argv[1]) / sys.argv[2]
    own = [path for path in sorted(prefix.rglob("*")) if is_elf(path)]
    names = {path.name for path in own}
    libraries: dict[str, Path] = {}
    for path in own:
        libraries.update({name: found for name, found in needed(path).items() if name not in names})
    for name, found in sorted(libraries.items()):
        shutil.copyfile(found, folder / name)
        (folder / name).chmod(0o755)
    for path in [*own, *(folder / name for name in libraries)]:
        beside = os.path.relpath(folder, path.parent)
        subprocess.run(["patchelf", "--set-rpath", f"$ORIGIN/{beside}", path], check=True)
    print("\n".join(sorted(libraries)))


main()
