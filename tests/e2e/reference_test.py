"""The program's own documentation, and how fast it answers."""

import re
import statistics
import subprocess
import unittest

from support import BINARY, ROOT, USAGE, ProgramTest, tagclip

COMMANDS = ("segment", "data", "eval", "train", "pretrain", "verify", "info", "fetch", "tokenize")
HEAVY = re.compile(r"libtorch|libc10|libtagclip_commands|libgomp|libcurl")


class ReferenceTest(ProgramTest):
    def test_docs_are_what_the_program_prints(self):
        result = tagclip("--reference")
        self.assert_done(result)
        page = (ROOT / "docs" / "cli.md").read_text()
        self.assertEqual(result.out, page, "run: tagclip --reference > docs/cli.md")
        for command in COMMANDS:
            self.assertIn(f"\n## {command}\n", page)

    def test_help_of_every_command(self):
        overview = tagclip("--help")
        self.assert_done(overview)
        self.assertEqual(tagclip().out, overview.out)
        page = tagclip("--reference").out
        for command in COMMANDS:
            self.assertRegex(overview.out, rf"(?m)^  {command} +[A-Z]")
            result = tagclip(command, "--help")
            self.assert_done(result)
            self.assertEqual(result.err, "")
            self.assertIn(f"Usage: tagclip {command} ", result.out)
            self.assertLessEqual(max(map(len, result.out.splitlines())), 82)
            section = page.split(f"\n## {command}\n")[1].split("\n## ")[0]
            for option in set(re.findall(r"(?m)^  (?:-\w, )?(--[\w-]+)", result.out)) - {"--help", "--quiet"}:
                self.assertRegex(section, rf"`(-\w, )?{option}[ `]")

    def test_version(self):
        declared = re.search(r"VERSION (\d+\.\d+\.\d+)", (ROOT / "CMakeLists.txt").read_text())[1]
        self.assertEqual(tagclip("--version").out, declared + "\n")

    def test_mistyped_words(self):
        for arguments, *parts in (
                (["segmet"], "no command called segmet", "did you mean tagclip segment?"),
                (["bench"], "no command called bench", "tagclip_bench", "make bench"),
                (["frobnicate"], "no command called frobnicate", "tagclip --help"),
                (["--verison"], "no option --verison", "did you mean --version?"),
                (["segment", "a.jpg", "--clases=a"], "no option --clases", "did you mean --classes?"),
                (["segment", "--wieghts", "w", "a.jpg"], "did you mean --weights?"),
                (["segment", "-x"], "no option -x", "tagclip segment --help"),
                (["segment"], "INPUT is required", "tagclip segment --help"),
                (["segment", "a.jpg", "-c"], "--classes: its value is missing"),
                (["segment", "a.jpg", "--device", "gpu"], "--device: expected one of auto, cpu, cuda", "'gpu'"),
                (["segment", "a.jpg", "--threshold", "2"], "--threshold: expected a number from 0 to 1"),
                (["segment", "a.jpg", "--window", "1e3"], "--window: expected a whole number", '"1e3"'),
                (["segment", "a.jpg", "-w", "a", "-w", "b"], "--weights: given more than once"),
                (["tokenize", "text"], "text was not expected")):
            with self.subTest(" ".join(arguments)):
                self.assert_refused(tagclip(*arguments), USAGE, *parts)

    def test_help_answers_at_once(self):
        seconds = statistics.median(tagclip("--help").seconds for _ in range(5))
        self.assertLess(seconds, 0.1)

    def test_the_program_itself_is_free_of_libtorch(self):
        linked = subprocess.run(["ldd", BINARY], capture_output=True, text=True, check=True).stdout
        self.assertIn("libc.so", linked)
        self.assertNotRegex(linked, HEAVY)
        engine = BINARY.resolve().parent / "libtagclip_commands.so"
        linked = subprocess.run(["ldd", engine], capture_output=True, text=True, check=True).stdout
        self.assertRegex(linked, HEAVY)


if __name__ == "__main__":
    unittest.main()
