"""Where words and results go: terminals, pipes, full disks, results that exist already."""

import os
import pty
import re
import resource
import select
import signal
import subprocess
import unittest

import samples
from support import BINARY, PHOTOS, STOPPED, ProgramTest, environment, tagclip

CAT = PHOTOS / "cat.jpg"


def small_files(limit):
    """For subprocess: no file may grow beyond `limit` bytes, as on a full disk."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))


def on_terminal(arguments, **env):
    """Runs with standard error on a terminal; what appeared there, and standard output."""
    ours, theirs = pty.openpty()
    run = subprocess.Popen([str(BINARY), *map(str, arguments)], stdin=subprocess.DEVNULL, stderr=theirs,
                           stdout=subprocess.PIPE, env=environment(**{"TERM": "xterm", **env}))
    os.close(theirs)
    shown = b""
    while select.select([ours], [], [], 60)[0]:
        try:
            shown += os.read(ours, 65536)
        except OSError:  # Linux's way to say that the other end is closed
            break
    out = run.communicate(timeout=60)[0].decode()
    os.close(ours)
    return run.returncode, out, shown.decode()


class SegmentTest(ProgramTest):
    @classmethod
    def setUpClass(cls):
        cls.model = samples.micro_model()

    def segment(self, *arguments, **more):
        return tagclip("segment", *arguments, "-w", self.model, cwd=self.folder, **more)

    def written(self):
        return {path.name: path.read_bytes() for path in (self.folder / "out").glob("*")}


class ExistingResults(SegmentTest):
    def test_are_replaced_only_when_asked(self):
        self.assert_done(self.segment(CAT))
        before = self.written()
        self.assert_refused(self.segment(CAT), 1, "out holds results of this photo", "--overwrite", "--output")
        self.assert_refused(self.segment(CAT, "--threshold", "1"), 1, "out holds results that were made with another "
                            "--threshold, for 1 photo", "--overwrite", "--output")
        self.assertEqual(self.written(), before)
        self.assert_done(self.segment(CAT, "--threshold", "1", "--overwrite"))
        self.assertNotEqual(self.written()["cat_labels.png"], before["cat_labels.png"])

    def test_photos_without_results_are_done(self):
        self.assert_done(self.segment(CAT))
        before = self.written()
        result = self.segment(PHOTOS)
        self.assert_done(result)
        self.assertRegex(result.err, r"warning: 1 of 4 photos have results in out already")
        after = self.written()
        self.assertEqual(len(after), 12)
        self.assertEqual({name: after[name] for name in before}, before)

    def test_one_left_file_is_enough(self):
        (self.folder / "out").mkdir()
        (self.folder / "out" / "cat_classes.json").write_text("mine")
        self.assert_refused(self.segment(CAT), 1, "--overwrite")
        self.assertEqual(self.written(), {"cat_classes.json": b"mine"})


class Failures(SegmentTest):
    def test_folders_that_cannot_be_written_to(self):
        (self.folder / "file").write_text("")
        for output in ("file", "file/below", "/proc/none"):
            self.assert_refused(self.segment(CAT, "-o", output), 1, output, "--output")
        # Root may write everywhere, but for here.
        self.assert_refused(self.segment(CAT, "-o", "/proc/self"), 1, "cannot write /proc/self", "--output to another folder")

    def test_a_full_disk_leaves_no_part_of_a_file(self):
        result = self.segment(CAT, preexec_fn=small_files(20_000))
        self.assert_refused(result, 1, "cannot write out/cat_overlay.png: File too large", "ulimit")
        self.assertEqual(self.written(), {})

        config = samples.train_config(self.folder, samples.micro_dataset(), samples.micro_clip())
        result = tagclip("train", config, preexec_fn=small_files(100_000))
        self.assert_refused(result, 1, "cannot write", "safetensors: File too large")
        left = [path.name for path in (self.folder / "run").rglob("*") if "safetensors" in path.name]
        self.assertEqual(left, [])

    def test_standard_output_that_takes_no_more(self):
        with open("/dev/full", "w") as full:
            for arguments in (["--help"], ["--version"], ["info", self.model],
                              ["segment", CAT, "-w", self.model, "-o", self.folder / "out"]):
                result = tagclip(*arguments, stdout=full, stderr=subprocess.PIPE)
                self.assert_refused(result, 1, "cannot write to standard output: No space left")

    def test_standard_error_that_takes_no_more(self):
        with open("/dev/full", "w") as full:
            result = tagclip("info", self.folder / "none", stdout=subprocess.PIPE, stderr=full)
        self.assertEqual(result.code, 3)

    def test_the_library_of_commands_is_missing(self):
        program = samples.copy_of_the_program(self.folder)
        (self.folder / "libtagclip_commands.so").unlink()
        self.assert_refused(tagclip("segment", CAT, "-w", self.model, binary=program), 1,
                            "cannot load libtagclip_commands.so", "keep it beside the program")
        self.assert_done(tagclip("info", self.model, binary=program))

    def test_a_library_of_another_build_is_refused(self):
        """One whose interface is named differently, and one that names none at all."""
        program = samples.copy_of_the_program(self.folder)
        installed = BINARY.resolve().parent
        run = ("segment", CAT, "-w", self.model, "-o", self.folder / "out")
        library = self.folder / "libtagclip_commands.so"
        content = library.read_bytes()
        # The linker puts whatever it likes before it, so it is to be the only one.
        ours, = re.findall(rb"\d+\.\d+\.\d+-[0-9a-f]{12}(?=\0)", content)
        theirs = b"9.9.9-" + ours[-12:]
        library.unlink()
        library.write_bytes(content.replace(ours, theirs[:len(ours)]))
        self.assert_refused(tagclip(*run, binary=program), 1, library, "of another build", "9.9.9-", ours.decode(),
                            "install program and libraries of one build together")
        library.unlink()
        library.symlink_to(next(installed.glob("libtagclip.so*")))
        self.assert_refused(tagclip(*run, binary=program), 1, "of another build", "an unknown one")


class Words(SegmentTest):
    def test_a_pipe_gets_plain_lines(self):
        result = self.segment(PHOTOS, env={"TERM": "xterm"})
        self.assert_done(result)
        self.assertNotRegex(result.out + result.err, r"[\r\x1b]")
        self.assertIn("photos: 4 of 4 (100%)\n", result.err)
        self.assertEqual(len(result.out.splitlines()), 4)
        self.assertRegex(result.out, r"(?m)cat.jpg 451x300: .* ms$")

    def test_quiet_leaves_results_and_warnings(self):
        for arguments in ((PHOTOS, "-q", "--overwrite"), (PHOTOS, "--quiet", "--overwrite")):
            result = self.segment(*arguments)
            self.assert_done(result)
            self.assertEqual((result.err, len(result.out.splitlines())), ("", 4))
        result = self.segment("none.jpg", "-q", "--overwrite")
        self.assertEqual(result.code, 3)
        self.assertRegex(result.err, r"\Awarning: cannot read none.jpg: No such file or directory[^\n]*\n\Z")

    def test_a_terminal_shows_a_bar(self):
        arguments = ["segment", PHOTOS, "-w", self.model, "-o", self.folder / "out", "--overwrite"]
        code, out, shown = on_terminal(arguments)
        self.assertEqual((code, len(out.splitlines())), (0, 4), shown)
        self.assertRegex(shown, r"\r\x1b\[Kphotos \[=+ *\] \d/4 \d+%")
        self.assertNotRegex(out, r"[\r\x1b]")
        code, _, shown = on_terminal([*arguments, "--quiet"])
        self.assertEqual((code, shown), (0, ""))

    def test_colours_only_where_they_are_welcome(self):
        colour = re.compile(r"\x1b\[\d+m")
        arguments = ["info", self.folder / "none"]
        self.assertRegex(on_terminal(arguments)[2], colour)
        self.assertNotRegex(on_terminal(arguments, NO_COLOR="1")[2], colour)
        self.assertNotRegex(on_terminal(arguments, TERM="dumb")[2], r"\x1b")
        self.assertNotRegex(tagclip(*arguments).err, r"\x1b")

    def test_ctrl_c_ends_after_the_photo_in_hand(self):
        for number in range(40):
            (self.folder / f"cat{number}.jpg").symlink_to(CAT)
        run = subprocess.Popen([str(BINARY), "segment", "-w", str(self.model), "."], cwd=self.folder,
                               env=environment(), text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        run.stdout.readline()
        run.send_signal(signal.SIGINT)
        err = run.communicate(timeout=60)[1]
        self.assertEqual(run.returncode, STOPPED, err)
        self.assertRegex(err, r"stopped: \d+ done, 0 failed, \d+ left; results are in out")
        self.assertEqual(len(self.written()) % 3, 0, "no photo is done by half")


if __name__ == "__main__":
    unittest.main()
