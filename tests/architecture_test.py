"""Holds the source tree to its architecture: the LINKS of each folder's CMakeLists.txt."""

import re
import tempfile
import unittest
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

MAX_FILE_LINES = 600
MAX_README_LINES = 15
NEVER_TORCH = {"base", "http", "fetch", "io", "image", "weights", "text", "data", "data_check", "label_formats", "metrics", "draw", "outputs", "runs", "paper", "report",
               "onnx", "serve", "cli"}

FENCED = ["weights/torch", "text/ftfy"]  # rooms that nobody should have to read by accident

# Folders with a library of their own outside of src, on top of it.
ABOVE = ["benchmarks/bench"]

TYPE = re.compile(r"^(?:template\s*<[^{;]*?>\s*)?(?:class|struct|union|enum(?:\s+class)?)\s+(?:\[\[\w+\]\]\s*)?(\w+)"
                  r"(?:\s+final)?\s*(?::[^;{]*)?\{", re.MULTILINE)
COMMENT = re.compile(r"//[^\n]*")

# What a platform has in place of others implements the same header: cuda_graph_cpu.cc and cuda_graph_cuda.cc.
PLATFORMS = ["", "_cpu", "_cuda"]
# Tables of what the files beside them define, one entry each.
TABLES = ["src/cli/command.h", "src/label_formats/formats.h", "src/outputs/formats.h"]
FUNCTION = re.compile(r"^(?!inline\b|constexpr\b|template\b|extern\b|using\b|typedef\b)\w[\w:<>,&*\s\[\]]*?[\s&*>](\w+)"
                      r"\((?:[^;{}]|\{\})*\)(?:\s*(?:const|noexcept))*;", re.MULTILINE)
METHOD = re.compile(r"^(?:[\w:<>,&*]+[\s&*]+)*(\w+)::~?\w+\(", re.MULTILINE)
# What std::filesystem does on the disk. It throws exceptions of its own for a path that cannot be reached, so that
# only base/files, which makes errors for the user of them, may call it.
FILE_SYSTEM_HOME = {"src/base/files.h", "src/base/files.cc"}
FILE_SYSTEM_CALLS = (
    "absolute canonical weakly_canonical relative proximate copy copy_file copy_symlink create_directory create_directories "
    "create_directory_symlink create_hard_link create_symlink current_path directory_entry directory_iterator equivalent "
    "exists file_size hard_link_count is_block_file is_character_file is_directory is_empty is_fifo is_other "
    "is_regular_file is_socket is_symlink last_write_time permissions read_symlink recursive_directory_iterator remove "
    "remove_all rename resize_file space status symlink_status temp_directory_path").split()
FILE_SYSTEM_CALL = re.compile(r"\b(?:fs|filesystem)::(" + "|".join(FILE_SYSTEM_CALLS) + r")\b")

INCLUDE = re.compile(r'^\s*#\s*include\s+(?:"([^"]+)"|<([^>]+)>)', re.MULTILINE)
TORCH_HEADER = re.compile(r"^(ATen|torch|c10|caffe2)/")
FLAGS = {"TORCH", "SHARED"}
KEYWORDS = {"LINKS", "EXTERNAL", "TEST_LINKS"}


@dataclass
class Folder:
    """What a folder's CMakeLists.txt declares."""

    torch: bool = False
    links: set[str] = field(default_factory=set)
    test_links: set[str] = field(default_factory=set)
    loads: set[str] = field(default_factory=set)  # built along, loaded when running


def parse_folder(cmake_text: str) -> Folder:
    text = re.sub(r"#.*", "", cmake_text)
    folder = Folder()
    for call in re.findall(r"\btagclip_library\(([^)]*)\)", text):
        section = ""
        for word in call.split()[1:]:
            if word in FLAGS:
                folder.torch |= word == "TORCH"
            elif word in KEYWORDS:
                section = word
            elif section == "LINKS":
                folder.links.add(word)
            elif section == "TEST_LINKS":
                folder.test_links.add(word)
    for call in re.findall(r"\btarget_link_libraries\(([^)]*)\)", text):
        folder.links.update(re.findall(r"\btagclip_(\w+)", call))
    for call in re.findall(r"\badd_dependencies\(([^)]*)\)", text):
        folder.loads.update(re.findall(r"\btagclip_(\w+)", call))
    folder.torch |= "tagclip_use_torch(" in text
    return folder


def reachable(folders: dict[str, Folder], start: set[str]) -> set[str]:
    """The folders that `start` leads to through LINKS, itself included."""
    seen: set[str] = set()
    waiting = set(start)
    while waiting:
        name = waiting.pop()
        seen.add(name)
        waiting |= folders.get(name, Folder()).links - seen
    return seen


def includes(file: Path) -> tuple[list[str], list[str]]:
    """The quoted and the <> includes of a file."""
    found = INCLUDE.findall(file.read_text())
    return [quoted for quoted, _ in found if quoted], [angled for _, angled in found if angled]


def cpp_files(folder: Path) -> list[Path]:
    return sorted(f for f in folder.rglob("*") if f.suffix in {".h", ".cc", ".cu", ".cuh"})


def check_order(src: Path, folders: dict[str, Folder]) -> list[str]:
    """A folder links only folders named before it in src/CMakeLists.txt."""
    listed = re.search(r"foreach\(folder ([^)]*)\)", (src / "CMakeLists.txt").read_text())
    order = listed.group(1).split() if listed else []
    problems = [f"src/{name} is not in src/CMakeLists.txt" for name in folders if name not in order]
    for name in set(order) & set(folders):
        for link in folders[name].links & set(order):
            if order.index(link) > order.index(name):
                problems.append(f"src/{name} links {link}, which stands above it")
    return problems


def check_includes(place: Path, checked: dict[str, Folder], folders: dict[str, Folder]) -> list[str]:
    """The folders `checked` in `place` include only what their LINKS lead to."""
    problems = []
    for name, folder in checked.items():
        allowed = reachable(folders, {name}) | folder.loads
        in_tests = allowed | reachable(folders, folder.test_links)
        for file in cpp_files(place / name):
            quoted, angled = includes(file)
            where = file.relative_to(place.parent)
            is_test = is_for_tests(file)
            reach = in_tests if is_test else allowed
            for header in quoted:
                target = header.split("/")[0]
                if is_test and target == "support":  # tests/support
                    continue
                if target != "tagclip" and target not in reach:
                    problems.append(f'{where} includes "{header}": {name} does not link {target}')
            for header in quoted + angled:
                if header == "torch/torch.h":
                    problems.append(f"{where} includes torch/torch.h: minutes of build time")
                elif TORCH_HEADER.match(header) and not folder.torch:
                    problems.append(f"{where} includes {header}: {name} is not marked TORCH")
    return problems


def check_fences(src: Path) -> list[str]:
    """A room inside a room, named in FENCED, is included by its owner alone."""
    problems = []
    for fenced in FENCED:
        owner = fenced.split("/")[0]
        for file in cpp_files(src):
            if file.relative_to(src).parts[0] == owner:
                continue
            for header in includes(file)[0]:
                if header.startswith(fenced + "/"):
                    problems.append(f'{file.relative_to(src.parent)} includes "{header}": only {owner} may')
    return problems


def headers(root: Path) -> list[Path]:
    folders = [root / "src", root / "include", *(root / name for name in ABOVE)]
    return [file for folder in folders for file in cpp_files(folder) if file.suffix == ".h"]


def check_type_names(root: Path) -> list[str]:
    """One type per name in the whole tree: the linker would take two of one name for the same."""
    homes: dict[str, list[str]] = {}
    for file in headers(root):
        for name in set(TYPE.findall(code(file))):
            homes.setdefault(name, []).append(str(file.relative_to(root)))
    return [f"{name} is declared in {' and in '.join(files)}" for name, files in homes.items()
            if len(files) > 1]


def code(file: Path) -> str:
    return COMMENT.sub("", file.read_text())


def implementations(header: Path) -> list[Path]:
    names = [header.stem + platform for platform in PLATFORMS]
    return [file for file in cpp_files(header.parent) if file.parent == header.parent and file.stem in names
            and file.suffix in {".cc", ".cu"}]


def check_implementations(root: Path) -> list[str]:
    """A header x.h is implemented by x.cc: its free functions, and the members of its classes."""
    src, problems = root / "src", []
    homes = {name: file for file in cpp_files(src) if file.suffix == ".h" for name in TYPE.findall(code(file))}
    for header in cpp_files(src):
        where = str(header.relative_to(root))
        if header.suffix != ".h" or where in TABLES:
            continue
        text = "".join(code(file) for file in implementations(header))
        for name in sorted(set(FUNCTION.findall(code(header)))):
            if not re.search(rf"^\S[^;=]*\b{name}\([^;]*?\{{", text, re.MULTILINE):
                problems.append(f"{where} declares {name}(), which {header.stem}.cc does not define")
    for file in cpp_files(src):
        if file.suffix not in {".cc", ".cu"}:
            continue
        for name in sorted(set(METHOD.findall(code(file)))):
            if name in homes and file not in implementations(homes[name]):
                problems.append(f"{file.relative_to(root)} defines members of {name}, "
                                f"which {homes[name].relative_to(root)} declares")
    return problems


def check_formatting(root: Path) -> list[str]:
    """Messages are made by fmt::format everywhere."""
    return [f"{file.relative_to(root)} calls c10::str: fmt::format makes the texts"
            for file in cpp_files(root / "src")
            if "c10::str(" in code(file)]


def check_interface(root: Path) -> list[str]:
    """cmake/Interface.cmake lists every header that passes types between the program and its libraries."""
    listing = root / "cmake/Interface.cmake"
    if not listing.is_file():
        return []
    listed = set(re.search(r"TAGCLIP_INTERFACE_HEADERS([^)]*)\)", listing.read_text()).group(1).split())
    waiting, needed = list(listed), set()
    while waiting:
        header = waiting.pop()
        needed.add(header)
        place = "include" if header.startswith("tagclip/") else "src"
        waiting += [name for name in includes(root / place / header)[0] if name not in needed]
    return [f"cmake/Interface.cmake does not list {name}, which passes between program and library"
            for name in sorted(needed - listed)]


def is_for_tests(file: Path) -> bool:
    return file.stem.endswith("_test") or file.stem.startswith("test_")


def check_file_system(root: Path) -> list[str]:
    """Outside of tests only base/files looks at and changes what is on the disk through std::filesystem."""
    problems = []
    for place in ("src", "include", "examples", *ABOVE):
        for file in cpp_files(root / place):
            where = file.relative_to(root)
            if str(where) in FILE_SYSTEM_HOME or is_for_tests(file):
                continue
            for call in FILE_SYSTEM_CALL.findall(COMMENT.sub("", file.read_text())):
                problems.append(f"{where} calls std::filesystem::{call}: base/files.h has what throws tagclip::Error")
    return problems


def check_torch_free(folders: dict[str, Folder]) -> list[str]:
    problems = []
    for name in NEVER_TORCH & set(folders):
        for reached in reachable(folders, {name}):
            if folders.get(reached, Folder()).torch:
                problems.append(f"src/{name} must stay free of LibTorch: {reached} is not")
    return problems


def check_public_headers(include: Path) -> list[str]:
    """Users get include/ alone, so it must stand without src/."""
    return [
        f'{file.relative_to(include.parent)} includes "{header}", which is not public'
        for file in cpp_files(include)
        for header in includes(file)[0]
        if not header.startswith("tagclip/")
    ]


def check_sizes(src: Path, folders: dict[str, Folder]) -> list[str]:
    problems = []
    for name in folders:
        readme = src / name / "README.md"
        if not readme.is_file():
            problems.append(f"src/{name} has no README.md")
        elif (lines := len(readme.read_text().splitlines())) > MAX_README_LINES:
            problems.append(f"src/{name}/README.md: {lines} lines, more than {MAX_README_LINES}")
    for file in cpp_files(src):
        if (lines := len(file.read_text().splitlines())) > MAX_FILE_LINES:
            where = file.relative_to(src.parent)
            problems.append(f"{where}: {lines} lines, more than {MAX_FILE_LINES}")
    return problems


def folders_above(root: Path) -> dict[str, Folder]:
    """Those of ABOVE that are there, by the name of their library."""
    files = [root / name / "CMakeLists.txt" for name in ABOVE]
    return {file.parent.name: parse_folder(file.read_text()) for file in files if file.is_file()}


def violations(root: Path) -> list[str]:
    src = root / "src"
    cmake_files = sorted(src.glob("*/CMakeLists.txt"))
    folders = {file.parent.name: parse_folder(file.read_text()) for file in cmake_files}
    above = folders_above(root)
    return [
        *check_order(src, folders),
        *check_includes(src, folders, folders),
        *check_includes(root / "benchmarks", above, folders | above),
        *check_type_names(root),
        *check_implementations(root),
        *check_formatting(root),
        *check_interface(root),
        *check_fences(src),
        *check_file_system(root),
        *check_torch_free(folders),
        *check_public_headers(root / "include"),
        *check_sizes(src, folders),
    ]


class Tree(unittest.TestCase):
    def test_keeps_its_architecture(self):
        self.assertTrue(cpp_files(ROOT / "src"), "no source files were found")
        problems = violations(ROOT)
        self.assertFalse(problems, "\n" + "\n".join(problems))


class Rules(unittest.TestCase):
    """Each rule is broken once in a small tree, and must be the one that is reported."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        self.write("src/CMakeLists.txt", "foreach(folder base io clip)\n")
        self.write("src/base/CMakeLists.txt", "tagclip_library(base)\n")
        self.write("src/io/CMakeLists.txt", "tagclip_library(io\n  LINKS base\n  EXTERNAL X)\n")
        self.write("src/clip/CMakeLists.txt", "tagclip_library(clip TORCH LINKS io)\n")
        for name in ("base", "io", "clip"):
            self.write(f"src/{name}/README.md", "# What lives here\n")
        self.write("src/base/error.h", "#include <string>\n")
        self.write("src/io/image.cc", '#include "base/error.h"\n')
        self.write("src/clip/clip.cc", '#include <ATen/ATen.h>\n#include "base/error.h"\n')

    def write(self, path: str, text: str):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def assert_one_violation(self, *words: str):
        problems = violations(self.root)
        self.assertEqual(len(problems), 1, problems)
        for word in words:
            self.assertIn(word, problems[0])

    def test_a_clean_tree_passes(self):
        self.assertEqual(violations(self.root), [])

    def test_the_file_system_is_asked_in_one_place(self):
        call = "bool f(const std::filesystem::path& p) { return std::filesystem::exists(p); }\n"
        self.write("src/base/files.cc", call)
        self.write("src/io/image_test.cc", call)
        self.write("src/io/paths.cc", "// std::filesystem::exists throws\nstd::filesystem::path p;\n")
        self.assertEqual(violations(self.root), [])
        self.write("src/io/paths.cc", "namespace fs = std::filesystem;\nvoid g() { fs::remove(\"a\"); }\n")
        self.assert_one_violation("src/io/paths.cc", "std::filesystem::remove")

    def test_include_of_a_folder_not_linked(self):
        self.write("src/base/error.cc", '#include "io/image.h"\n')
        self.assert_one_violation("src/base/error.cc", "io/image.h")

    def test_test_links_serve_tests_alone(self):
        self.write("src/base/CMakeLists.txt", "tagclip_library(base TEST_LINKS io)\n")
        self.write("src/base/error_test.cc", '#include "io/image.h"\n')
        self.assertEqual(violations(self.root), [])
        self.write("src/base/error.cc", '#include "io/image.h"\n')
        self.assert_one_violation("src/base/error.cc")

    def test_support_is_for_tests_alone(self):
        self.write("src/base/error_test.cc", '#include "support/test_dir.h"\n')
        self.assertEqual(violations(self.root), [])
        self.write("src/base/error.cc", '#include "support/test_dir.h"\n')
        self.assert_one_violation("src/base/error.cc", "base does not link support")

    def test_link_upwards(self):
        self.write("src/io/CMakeLists.txt", "tagclip_library(io LINKS base clip)\n")
        self.assertIn("src/io links clip, which stands above it", violations(self.root))

    def test_folder_that_is_not_listed(self):
        self.write("src/serve/CMakeLists.txt", "tagclip_library(serve)\n")
        self.write("src/serve/README.md", "# serve\n")
        self.assert_one_violation("src/serve", "not in src/CMakeLists.txt")

    def test_torch_in_a_torch_free_folder(self):
        for header in ("ATen/ATen.h", "c10/util/Exception.h", "torch/types.h"):
            self.write("src/io/image.cc", f"#include <{header}>\n")
            self.assert_one_violation("src/io/image.cc", header)

    def test_a_folder_that_is_loaded_lends_its_headers_alone(self):
        self.write("src/cli/CMakeLists.txt",
                   "tagclip_library(cli)\nadd_dependencies(tagclip tagclip_clip)\n")
        self.write("src/CMakeLists.txt", "foreach(folder base io clip cli)\n")
        self.write("src/cli/README.md", "# cli\n")
        self.write("src/cli/main.cc", '#include "clip/clip.h"\n')
        self.assertEqual(violations(self.root), [])
        self.write("src/cli/main.cc", '#include "io/image.h"\n')
        self.assert_one_violation("src/cli/main.cc", "io/image.h")

    def test_a_fenced_room_is_its_owners_alone(self):
        self.write("src/CMakeLists.txt", "foreach(folder base io weights clip)\n")
        self.write("src/weights/CMakeLists.txt", "tagclip_library(weights LINKS base io)\n")
        self.write("src/weights/README.md", "# weights\n")
        self.write("src/weights/file.cc", '#include "weights/torch/pickle.h"\n')
        self.assertEqual(violations(self.root), [])
        self.write("src/clip/CMakeLists.txt", "tagclip_library(clip TORCH LINKS weights)\n")
        self.write("src/clip/clip.cc", '#include "weights/torch/pickle.h"\n')
        self.assert_one_violation("src/clip/clip.cc", "only weights may")

    def test_torch_mark_on_a_torch_free_folder(self):
        self.write("src/io/CMakeLists.txt", "tagclip_library(io TORCH LINKS base)\n")
        self.assert_one_violation("src/io must stay free of LibTorch")

    def test_torch_torch_h(self):
        self.write("src/clip/clip.cc", "#include <torch/torch.h>\n")
        self.assert_one_violation("torch/torch.h")

    def test_public_header_that_needs_the_sources(self):
        self.write("include/tagclip/tagclip.h", '#include "base/error.h"\n')
        self.assert_one_violation("include/tagclip/tagclip.h", "not public")

    def test_a_type_name_in_two_headers(self):
        self.write("src/base/shape.h", "struct Shape {\n  int width;\n};\nclass Later;\n")
        self.write("src/io/image.h", "// struct Shape {}\nstruct Shape;\nstruct Image {\n  struct Shape {};\n};\n")
        self.write("src/clip/clip.h", "class Later final : public Base {\n};\n")
        self.assertEqual(violations(self.root), [])
        for declaration in ("enum class Shape { kRound };", "template <class T>\nstruct Shape {\n};"):
            self.write("src/clip/shape.h", declaration + "\n")
            self.assert_one_violation("Shape is declared in", "src/base/shape.h", "src/clip/shape.h")

    def test_a_function_defined_in_a_file_of_another_name(self):
        self.write("src/io/image.h", "namespace tagclip {\n\n// Reads int f();\nImage read(int width,\n           int height = {});\n"
                   "inline int area() { return 1; }\n\n}\n")
        body = "namespace tagclip {\n\nImage read(int width,\n           int height) {\n  return {};\n}\n\n}\n"
        for name in ("image.cc", "image_cpu.cc"):
            self.write(f"src/io/{name}", body)
            self.assertEqual(violations(self.root), [])
            (self.root / f"src/io/{name}").unlink()
        self.write("src/io/reading.cc", body)
        self.assert_one_violation("src/io/image.h declares read()", "image.cc")
        self.write("src/io/image.cc", "namespace tagclip {\n\nImage other() {\n  return read(1, 2);\n}\n\n}\n")
        self.assert_one_violation("src/io/image.h declares read()", "image.cc")

    def test_a_member_defined_in_a_file_of_another_name(self):
        self.write("src/io/image.h", "class Image {\n public:\n  int width() const;\n  struct Row;\n};\n")
        self.write("src/io/image.cc", "int Image::width() const { return 1; }\n")
        self.write("src/io/local.cc", "class Local {\n  int size();\n};\nint Local::size() { return Image::width(); }\n")
        self.assertEqual(violations(self.root), [])
        self.write("src/io/size.cc", "int Image::width() const { return 1; }\n")
        self.assert_one_violation("src/io/size.cc defines members of Image", "src/io/image.h")

    def test_two_ways_of_formatting(self):
        self.write("src/clip/clip.cc", "#include <fmt/format.h>\n// not c10::str(1)\nauto s = fmt::format(\"{}\", c10::string());\n")
        self.assertEqual(violations(self.root), [])
        self.write("src/clip/clip.cc", "auto s = c10::str(1, 2);\n")
        self.assert_one_violation("src/clip/clip.cc", "fmt::format")

    def test_a_header_that_the_interface_does_not_name(self):
        self.write("cmake/Interface.cmake", "set(TAGCLIP_INTERFACE_HEADERS\n  base/error.h\n  clip/commands.h)\n")
        self.write("src/clip/commands.h", '#include "base/error.h"\n')
        self.assertEqual(violations(self.root), [])
        self.write("src/io/options.h", "")
        self.write("src/clip/commands.h", '#include "base/error.h"\n#include "io/options.h"\n')
        self.assert_one_violation("Interface.cmake", "io/options.h")

    def test_benchmarks_include_what_they_link(self):
        self.write("benchmarks/bench/CMakeLists.txt", "tagclip_library(bench LINKS base)\n")
        self.write("benchmarks/bench/main.cc", '#include "bench/run.h"\n#include "base/error.h"\n')
        self.assertEqual(violations(self.root), [])
        self.write("benchmarks/bench/main.cc", '#include "io/image.h"\n')
        self.assert_one_violation("benchmarks/bench/main.cc", "io/image.h")

    def test_missing_readme(self):
        (self.root / "src/io/README.md").unlink()
        self.assert_one_violation("src/io has no README.md")

    def test_long_readme(self):
        self.write("src/io/README.md", "line\n" * (MAX_README_LINES + 1))
        self.assert_one_violation("src/io/README.md")

    def test_long_file(self):
        self.write("src/io/image.cc", "\n" * (MAX_FILE_LINES + 1))
        self.assert_one_violation("src/io/image.cc", "601 lines")


if __name__ == "__main__":
    unittest.main()
